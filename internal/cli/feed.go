package cli

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/feed"
	"trustpool/internal/fetch"
	"trustpool/internal/reach"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

type feedRun struct {
	*app
	trust
	demands
	pools, chains        []string
	against, store, name string
	as                   printing

	bundle *bundle.Bundle // at hand; nil for none
	held   *feed.Held
}

func (a *app) feedCommand() *cobra.Command {
	r := &feedRun{app: a}
	cmd := &cobra.Command{
		Use:   "feed URL|FILE|DIR",
		Short: "Read what is published beside a bundle: versions and removals",
		Long: `Read what Cisco publishes beside a bundle, rss.xml, NAME.diff.json and
manifest.log: one of them, or those of a directory, or of a URL such as
https://www.cisco.com/security/pki/trs/current/ios_core/. It says which versions
came when, what each added and removed, and what is marked for removal.

Nothing signs these files. They are advice of whoever answers there: nothing
from them is ever called verified. docs/feed.md has more.

--need, --requirements, --pool and --chains name roots that somebody needs. It
is a warning if one of them is marked for removal, removed, or not in the
bundle; a pool has certificates of other bundles, so that only the first two
count.
--chains judges servers as reach does, with the bundle of --against or --store,
and without what the feed says is removed or marked.

--against and --store say how far a bundle is behind the feed, and where the two
do not agree.

Exit status: 0, or 1 if there is a warning.`,
		Example: `  trustpool feed https://www.cisco.com/security/pki/trs/current/ios_core/
  trustpool feed rss.xml --need smart-licensing --against ios_core.p7b
  trustpool feed mirror/ --store /srv/trustpool --requirements requirements.yaml`,
		Args: arguments("URL|FILE|DIR"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	r.demands.flags(cmd)
	f.StringArrayVar(&r.pools, "pool", nil, "ask for the certificates of a pool `FILE`, of import --save or pool read --save (repeatable)")
	f.StringArrayVar(&r.chains, "chains", nil, "read chains of servers from `FILE|DIR` (repeatable)")
	f.StringVar(&r.against, "against", "", "compare with `BUNDLE`, the one in use")
	f.StringVar(&r.store, "store", "", "compare with what is current in the store at `URL`: a directory, or s3://BUCKET/PREFIX")
	f.StringVar(&r.name, "name", "", "take the bundle of this `NAME` of the store (default the one that the feed is about)")
	exclusive(cmd, "against", "store")
	r.trust.flags(cmd)
	r.as.flags(cmd, "json", "markdown", "quiet")
	a.outputFlag(cmd)
	return cmd
}

func (r *feedRun) run(ctx context.Context, arg string) error {
	switch {
	case r.name != "" && r.store == "":
		return errors.New("--name is a name in a store: --store is missing")
	case len(r.with) > 0 && len(r.pools) == 0:
		return errors.New("--with is for a pool: --pool is missing")
	case len(r.chains) > 0 && r.against == "" && r.store == "":
		return errors.New("--chains is judged with a bundle: --against or --store is missing")
	}
	r.gather(r.as, &r.at)
	files, source, err := r.readFeed(ctx, arg)
	if err != nil {
		return err
	}
	f, err := feed.Read(files...)
	if err != nil {
		if len(files) == 0 {
			err = fmt.Errorf("%s: %w", label(source), err)
		}
		return err
	}
	if err := r.readHeld(ctx, f); err != nil {
		return err
	}
	q := feed.Question{Held: r.held}
	if q.Needed, err = r.needed(ctx); err != nil {
		return err
	}
	if q.Servers, err = r.servers(ctx, f); err != nil {
		return err
	}
	report := f.Judge(q)
	report.Source, report.At, report.Evidence = source, r.at.chosen(), r.evidence
	return r.answer(report.Warnings() == 0, r.as, printings{"": report.WriteText, "json": report.WriteJSON, "markdown": report.WriteMarkdown})
}

// readFeed gets the files that the argument names, and what to call them.
func (r *feedRun) readFeed(ctx context.Context, arg string) (files []feed.File, name string, err error) {
	o := r.fetchOptions()
	o.Sniff, o.MaxBytes = feed.Sniff, min(cmp.Or(o.MaxBytes, feed.MaxFile), feed.MaxFile)
	o.Directory = fetch.Directory{Companion: func(name string) bool { return !feed.IsFile(name) }, Unreadable: r.skip}
	read := func(ctx context.Context, arg string) ([]fetch.File, error) {
		files, err := r.fetchWith(ctx, arg, o)
		if large, ok := errors.AsType[*fetch.TooLargeError](err); ok && large.Limit == feed.MaxFile { // --max-size does not raise it
			err = fmt.Errorf("%s: more than %d bytes, which is the limit for what is published beside a bundle", label(large.Name), feed.MaxFile)
		}
		return files, err
	}
	if u, err := url.Parse(arg); err == nil && fetch.IsURL(arg) && feed.IsDirectory(u) {
		files, err := feed.Fetch(ctx, u, path.Base(u.Path), func(ctx context.Context, url string) (fetch.File, error) {
			files, err := read(ctx, url)
			if err != nil {
				return fetch.File{}, err
			}
			return files[0], nil
		})
		return files, fetch.Mask(arg), err
	}
	got, err := read(ctx, arg)
	for _, f := range got {
		files = append(files, feed.File{Name: label(f.Name), Data: f.Data})
	}
	return files, fetch.Mask(arg), err
}

// readHeld gets the bundle to compare with.
func (r *feedRun) readHeld(ctx context.Context, f *feed.Feed) (err error) {
	name := ""
	switch {
	case r.against != "":
		if r.bundle, name, err = r.read(ctx, r.against); err != nil {
			return fmt.Errorf("--against: %w", err)
		}
	case r.store != "":
		if r.bundle, name, err = r.current(ctx, f); err != nil {
			return err
		}
	default:
		return nil
	}
	v, err := r.verify(ctx, r.app, r.bundle)
	if err != nil {
		return err
	}
	r.held = &feed.Held{File: label(name), Name: r.bundle.Name, Version: r.bundle.Version, Certificates: r.bundle.Certificates}
	if !v.Verified {
		r.held.NotVerified = string(*v.Reason)
	}
	return nil
}

// current is what is current in the store of the bundle that the feed is about.
func (r *feedRun) current(ctx context.Context, f *feed.Feed) (*bundle.Bundle, string, error) {
	s, err := r.openStore(r.store)
	if err != nil {
		return nil, "", err
	}
	names := []string{r.name}
	if r.name == "" {
		if names, err = s.Names(ctx); err != nil {
			return nil, "", fmt.Errorf("--store: %w", err)
		}
	}
	var found []*store.Release
	for _, name := range names {
		current, err := s.Current(ctx, name)
		if err != nil {
			return nil, "", fmt.Errorf("--store: %w", err)
		}
		if r.name != "" || f.Name != "" && current.SignedName == f.Name {
			found = append(found, current)
		}
	}
	if len(found) != 1 {
		which := "the feed does not say which bundle it is about"
		if f.Name != "" {
			which = fmt.Sprintf("%d bundles there are called %q", len(found), report.Printable(f.Name))
		}
		return nil, "", hinted{fmt.Errorf("--store %s: %s", s, which), "--name says which it is: " + strings.Join(names, ", ")}
	}
	data, err := s.Read(ctx, *found[0])
	if err != nil {
		return nil, "", fmt.Errorf("--store: %w", err)
	}
	b, err := r.limits.Parse(data)
	name := found[0].File()
	r.rests(name, data)
	if err != nil {
		return nil, "", fmt.Errorf("--store: %s: %w", name, err)
	}
	return b, name, nil
}

// needed are the roots that somebody needs.
func (r *feedRun) needed(ctx context.Context) (out []feed.Needed, err error) {
	needs, requirements, err := r.resolve(ctx, r.app)
	if err != nil {
		return nil, err
	}
	for _, p := range audit.Required(needs, requirements, r.at.or(r.env.Now)) {
		out = append(out, feed.Needed{For: cmp.Or(p.Reason, "requirements"), Name: p.Name, SHA256: r.carriers(p)})
	}
	with, err := r.poolSources(ctx, r.with)
	if err != nil {
		return nil, err
	}
	for _, arg := range r.pools {
		p, b, name, err := r.readEither(ctx, arg)
		if err != nil {
			return nil, fmt.Errorf("--pool: %w", err)
		}
		if b != nil {
			return nil, hinted{fmt.Errorf("--pool %s: a bundle, not a pool file", name), "trustpool import --save makes one, and so does pool read --save"}
		}
		p.Identify(with...)
		for i := range p.Entries {
			e := &p.Entries[i]
			n := feed.Needed{For: "pool " + name, Name: e.Title(), Only: true}
			if sum := e.Sum(); sum != nil {
				n.SHA256 = [][32]byte{*sum}
			}
			out = append(out, n)
		}
	}
	return out, nil
}

// carriers are the certificates that a pin names: of a key those of the bundle at hand.
func (r *feedRun) carriers(p audit.Pin) (out [][32]byte) {
	if p.SHA256 != nil {
		return [][32]byte{*p.SHA256}
	}
	if r.bundle != nil {
		for _, c := range r.bundle.Certificates {
			if c.Err == nil && c.KeyID() == *p.SPKI {
				out = append(out, c.SHA256)
			}
		}
	}
	return out
}

// servers judges the chains with the bundle at hand, and without what leaves it.
func (r *feedRun) servers(ctx context.Context, f *feed.Feed) (out []feed.Server, err error) {
	if len(r.chains) == 0 {
		return nil, nil
	}
	read := reachRun{app: r.app, chains: r.chains}
	if err := read.readServers(ctx); err != nil {
		return nil, err
	}
	leaving := f.Leaving(r.held)
	judged, err := reach.Judge(reach.Plan{
		New: r.bundle, Without: []bundle.Filter{func(c *certificate.Certificate) bool { return leaving[c.SHA256] }},
		Servers: read.plan.Servers, Options: reach.Options{At: r.at.or(r.env.Now)},
	})
	if err != nil {
		return nil, err
	}
	for _, s := range judged.Servers {
		server := feed.Server{Name: s.Name, Verdict: string(s.Verdict), Warn: s.Verdict == reach.Breaks || s.Verdict == reach.MayBreak, Unknown: s.Verdict == reach.NotKnown}
		for _, p := range s.Results[0].Paths {
			if sum := p.Anchor().SHA256; !slices.Contains(server.Roots, sum) {
				server.Roots = append(server.Roots, sum)
			}
		}
		out = append(out, server)
	}
	return out, nil
}

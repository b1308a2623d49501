package cli

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/store"
)

// A gate is the flags of publish and mirror: what is trusted, and what may pass.
type gate struct {
	trust
	store, name string
	share       int
	allow       map[store.Gate]*bool
	dryRun      bool
	site        string
	as          printing
}

func (g *gate) flags(cmd *cobra.Command) {
	f := cmd.Flags()
	storeFlag(cmd, &g.store)
	f.StringVar(&g.name, "name", "", "serve it as `NAME` (default ios_core, ios or ios_union for Cisco's bundles, else the file's name without .p7b)")
	g.trust.flags(cmd)
	siteFlag(cmd, &g.site)
	f.BoolVar(&g.dryRun, "dry-run", false, "write nothing, and say what would happen")
	f.IntVar(&g.share, "min-share", store.DefaultMinShare, "refuse less than `PERCENT` of the current certificates")
	g.allow = map[store.Gate]*bool{}
	for _, a := range []struct { // all but that of the signature
		gate store.Gate
		help string
	}{
		{store.GateUnchanged, "publish also what is current"},
		{store.GateOtherName, "publish also under another signed name"},
		{store.GateNoVersion, "publish even if versions are not numbers"},
		{store.GateOlder, "publish also an older version"},
		{store.GateSameVersion, "publish also the same version with other signed content"},
		{store.GateWithdrawn, "publish also what a rollback took out of service"},
		{store.GateFewer, "publish also with fewer certificates than --min-share"},
		{store.GateUndecodable, "publish also with certificates that cannot be decoded"},
	} {
		g.allow[a.gate] = f.Bool("allow-"+string(a.gate), false, a.help)
	}
	g.as.flags(cmd, "json", "quiet")
}

// open opens the store, and says what Publish needs at this moment.
func (g *gate) open(ctx context.Context, a *app) (*store.Store, store.PublishOptions, error) {
	o := store.PublishOptions{Name: g.name, At: g.at.or(a.env.Now), Now: a.env.Now(), MinShare: g.share, DryRun: g.dryRun, Limits: a.limits}
	s, err := a.openStore(g.store)
	if err != nil {
		return nil, o, err
	}
	if g.share < 1 || g.share > 100 {
		return nil, o, fmt.Errorf("--min-share %d: give 1 to 100", g.share)
	}
	for _, gate := range store.Gates() {
		if allowed := g.allow[gate]; allowed != nil && *allowed {
			o.Allow = append(o.Allow, gate)
		}
	}
	o.Anchors, err = g.chosen(ctx, a)
	return s, o, err
}

const gateHelp = `
The gate lets a bundle pass that is verified under --root, or Cisco's roots; has
the signed name of the current release and a higher version; has at least half
as many distinct certificates (--min-share), all of which can be decoded; and
was not taken out of service by a rollback. Two files are the same if the same
was signed, whatever the bytes around it. Of a message in PEM or base64 the DER
within is published, which devices read. Every refusal is named; --allow-NAME
lets it pass, which the history records. What is not verified never passes:
nothing would serve it.
`

func (a *app) publishCommand() *cobra.Command {
	var g gate
	cmd := &cobra.Command{
		Use:   "publish FILE --store URL",
		Short: "Put a bundle into service, if the gate lets it pass",
		Long: `Make a bundle the current release of a store, from which trustpool serve
answers.
` + gateHelp + `
Exit status: 0, or 1 if it is refused, or is current already.`,
		Example: `  trustpool publish ios.p7b --store /srv/trustpool --dry-run
  trustpool publish ios.p7b --store /srv/trustpool
  trustpool publish old.p7b --store /srv/trustpool --allow-older-version`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			s, o, err := g.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			f, err := a.fetchOne(cmd.Context(), args[0], bundle.Sniff, "a bundle to publish", "trustpool build makes a signed bundle")
			if err != nil {
				return err
			}
			o.From = f.Name
			publish := func(ctx context.Context) (*store.Publication, error) { return s.Publish(ctx, f.Data, o) }
			return a.published(cmd.Context(), &g, s, label(o.From), publish)
		},
	}
	g.flags(cmd)
	return cmd
}

// published reports what publish gives, which is Publish or Rollback.
func (a *app) published(ctx context.Context, g *gate, s *store.Store, subject string, publish func(context.Context) (*store.Publication, error)) error {
	var p *store.Publication
	err := a.guard(ctx, func(ctx context.Context) (err error) {
		p, err = publish(ctx)
		return err
	})
	_, isRefused := errors.AsType[*store.RefusedError](err)
	if err != nil && !isRefused {
		return fmt.Errorf("%s: %w", subject, err)
	}
	if err := a.thenSite(ctx, g, s, !isRefused); err != nil {
		return err
	}
	return a.answer(!isRefused, g.as, printings{"": p.WriteText, "json": func(w io.Writer) error { return p.WriteJSON(w, g.store) }})
}

func (a *app) rollbackCommand() *cobra.Command {
	var g gate
	var to string
	cmd := &cobra.Command{
		Use:   "rollback --store URL --name NAME",
		Short: "Put an earlier release back into service",
		Long: `Publish an earlier release again: the one before the current, or that of --to.
It is a publication like any other: verified now, and recorded. What it replaces
is withdrawn: publish and mirror refuse what was signed until you allow it.

Exit status: 0, or 1 if it is refused, or is current already.`,
		Example: `  trustpool rollback --store /srv/trustpool --name ios
  trustpool rollback --store /srv/trustpool --name ios --to 9`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			g.share = store.DefaultMinShare
			s, o, err := g.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			rollback := func(ctx context.Context) (*store.Publication, error) { return s.Rollback(ctx, g.name, to, o) }
			return a.published(cmd.Context(), &g, s, "rollback", rollback)
		},
	}
	f := cmd.Flags()
	storeFlag(cmd, &g.store)
	f.StringVar(&g.name, "name", "", "the bundle's `NAME` in the store")
	required(cmd, "name")
	f.StringVar(&to, "to", "", "go back to `RELEASE`: its version, or 8 digits or more of its SHA-256")
	g.trust.flags(cmd)
	siteFlag(cmd, &g.site)
	f.BoolVar(&g.dryRun, "dry-run", false, "write nothing, and say what would happen")
	g.as.flags(cmd, "json", "quiet")
	return cmd
}

func (a *app) historyCommand() *cobra.Command {
	var url string
	var as printing
	cmd := &cobra.Command{
		Use:   "history [NAME] --store URL",
		Short: "List what was published, and what was allowed",
		Long: `List every publication of a store, the oldest first, of all names or of one:
when, how, which version, and which gates were told to let it pass. Before them
are the versions of mirror --archive, which were never current.`,
		Example: `  trustpool history --store /srv/trustpool
  trustpool history --store /srv/trustpool ios --json`,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return nil
			}
			return arguments("NAME")(cmd, args)
		},
		RunE: func(cmd *cobra.Command, names []string) error {
			s, err := a.openStore(url)
			if err != nil {
				return err
			}
			if len(names) == 0 {
				if names, err = s.Names(cmd.Context()); err != nil {
					return err
				}
			}
			l := store.Listing{Store: url}
			for _, name := range names {
				state, _, err := s.StateSince(cmd.Context(), name, "")
				if err != nil {
					return err
				}
				l.Bundles = append(l.Bundles, store.History{Name: name, Releases: state.Releases, Archived: append([]store.Release{}, state.Archived...)})
			}
			return a.answer(true, as, printings{"": l.WriteText, "json": l.WriteJSON, "quiet": l.WriteHashes})
		},
	}
	storeFlag(cmd, &url)
	as.flags(cmd, "json", "quiet")
	cmd.Flags().Lookup("quiet").Usage = "print the SHA-256 and the name of each publication alone"
	a.outputFlag(cmd)
	return cmd
}

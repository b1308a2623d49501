package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/site"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

func (a *app) siteCommand() *cobra.Command {
	var t trust
	var storeURL, to, baseURL, pnp string
	var noPages, check, remove bool
	var as printing
	cmd := &cobra.Command{
		Use:   "site [FILE…]",
		Short: "Write what serve answers as files, for any web server",
		Long: `Write a site: bundles at every URL that devices import from, as trustpool serve
has them, with archives, hashes, an index and pages for people, as plain files.
nginx, Apache, Caddy, IIS or a bucket behind a CDN then serves them, and
packaging/web has configurations. All bundles are verified before a byte is
written, under Cisco's roots or those of --root.

Each file is whole at any time. New files are written first and bundles last;
what is the same is left alone. trustpool-site.json lists what was written:
nothing else is ever replaced or removed. Files that earlier releases had stay
until --delete. A site remembers --base-url, --no-pages and --pnp, so that
publish, rollback and mirror write it with --site alone.

--check writes nothing and compares: a directory, a bucket, or a site as a web
server has it at a URL.

Exit status: 0, or 1 if --check finds that a file is missing or differs.`,
		Example: `  trustpool site ios.p7b -o /var/www/pki --base-url http://pki.example.com
  trustpool site --store /srv/trustpool -o s3://pki/www
  trustpool site --store /srv/trustpool -o http://pki.example.com --check`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && storeURL == "":
				return errors.New("site: nothing to write: give a FILE or --store")
			case to == "":
				return errors.New("site: --output is missing: a directory, or s3://BUCKET/PREFIX")
			case check && remove:
				return errors.New("site: --check writes nothing, and --delete removes files")
			case !check && fetch.IsURL(to) && !strings.HasPrefix(strings.ToLower(to), bucketScheme):
				return fmt.Errorf("site: %s: a web server can only be compared, with --check", fetch.Mask(to))
			case noPages && baseURL != "":
				return errors.New("site: --base-url is for pages, and --no-pages leaves none")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			source, err := a.sources(args, storeURL)
			if err != nil {
				return err
			}
			o, err := a.siteOptions(cmd.Context(), &t, source)
			if err != nil {
				return err
			}
			o.Delete = remove
			flags := cmd.Flags()
			o.Settings = func(s site.Settings) site.Settings {
				if flags.Changed("base-url") {
					s.BaseURL, s.NoPages = baseURL, false
				}
				if flags.Changed("no-pages") {
					s.NoPages = noPages
				}
				if s.NoPages {
					s.BaseURL = ""
				}
				if flags.Changed("pnp") {
					s.PnP = pnp
				}
				return s
			}
			work, doing := site.Write, "writing %s"
			if check {
				work, doing = site.Check, "comparing %s"
			}
			place, err := a.openSite("--output", to, !check)
			if err != nil {
				return err
			}
			p := a.progress(nothing, doing, place)
			var r *site.Report
			err = a.guard(cmd.Context(), func(ctx context.Context) (err error) {
				r, err = work(ctx, place, o)
				return err
			})
			p.done()
			if _, foreign := errors.AsType[*site.ForeignError](err); foreign {
				return hinted{err, "move it away, or give a directory of its own"}
			}
			if err != nil {
				return err
			}
			return a.answer(r.OK(), as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	f := cmd.Flags()
	f.StringVar(&storeURL, "store", "", "write what the store at `URL` has: a directory, or s3://BUCKET/PREFIX")
	f.StringVarP(&to, "output", "o", "", "the site is at `PLACE`: a directory, s3://BUCKET/PREFIX, or with --check a URL")
	f.StringVar(&baseURL, "base-url", "", "in commands on pages, devices reach the server at `URL`: https://HOST")
	f.StringVar(&pnp, "pnp", "", "the bundle `NAME` is at /ca/trustpool (default the only one, or ios)")
	f.BoolVar(&noPages, "no-pages", false, "no pages for people at /")
	f.BoolVar(&check, "check", false, "write nothing; compare what is there")
	f.BoolVar(&remove, "delete", false, "remove files that were written before and no longer belong to the site")
	t.rootFlag(cmd)
	as.flags(cmd, "json", "quiet")
	return cmd
}

// siteOptions are those of a site of the source.
func (a *app) siteOptions(ctx context.Context, t *trust, source hosting.Source) (site.Options, error) {
	o := site.Options{Source: source, Limits: a.limits, Now: a.env.Now, Version: a.knownVersion(), Report: a.warn}
	var err error
	o.Anchors, err = t.chosen(ctx, a)
	return o, err
}

// openSite opens the site that a flag names. create makes its directory.
func (a *app) openSite(flag, to string, create bool) (site.Place, error) {
	path, isFile := strings.CutPrefix(to, "file://")
	switch {
	case strings.HasPrefix(strings.ToLower(to), bucketScheme):
		b, err := a.openBucket(flag, to)
		if err != nil {
			return nil, err
		}
		return site.OpenBucket(b), nil
	case !isFile && fetch.IsURL(to):
		if a.offline {
			return nil, fmt.Errorf("%s %s: %w", flag, fetch.Mask(to), fetch.ErrOffline)
		}
		return site.OpenURL(to, a.fetchOptions()), nil
	}
	if create {
		if err := os.Mkdir(path, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
	}
	place, err := site.OpenDir(path, a.disk)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", flag, err)
	}
	return place, nil
}

func siteFlag(cmd *cobra.Command, to *string) {
	cmd.Flags().StringVar(to, "site", "", "then write the site at `PLACE` anew, as trustpool site does: a directory, or s3://BUCKET/PREFIX")
}

// thenSite writes the site that --site names, after a publication or what might have been one: the site may be older than
// the store.
func (a *app) thenSite(ctx context.Context, g *gate, s *store.Store, published bool) error {
	if g.site == "" || g.dryRun {
		return nil
	}
	err := a.guard(ctx, func(ctx context.Context) error {
		place, err := a.openSite("--site", g.site, true)
		if err != nil {
			return err
		}
		o, err := a.siteOptions(ctx, &g.trust, hosting.Store(s))
		if err != nil {
			return err
		}
		r, err := site.Write(ctx, place, o)
		if err == nil && r.Written {
			a.warn("%s: %s written", place, report.Count(len(r.Missing)+len(r.Differed), "file"))
		}
		return err
	})
	if err == nil {
		return nil
	}
	if _, ok := errors.AsType[Interrupted](err); ok {
		return err
	}
	done := "nothing was published, and the site was not written"
	if published {
		done = "it is published in the store, and the site was not written"
	}
	return hinted{fmt.Errorf("%s: %w", done, err), "try again with trustpool site --store URL -o PLACE"}
}

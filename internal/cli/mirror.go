package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"time"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// minEvery is the least that --every and --watch-every take.
const minEvery = time.Minute

// spread is the part of --every by which a pause may be longer.
const spread = 0.1

func (a *app) mirrorCommand() *cobra.Command {
	var g gate
	var every string
	var b besides
	cmd := &cobra.Command{
		Use:   "mirror --from URL --store URL",
		Short: "Fetch a bundle and publish it, once or again and again",
		Long: `Fetch a bundle from an http or https URL and publish it, if it is another one
than last time. A source that fails is asked again, four times in all, with
growing pauses. Whatever fails, what is current stays as it is. The bytes decide
whether it is another one, whatever a server says of times.
` + gateHelp + `
--feed takes rss.xml, NAME.diff.json and manifest.log with it, from beside the
bundle or current/NAME/ below, and keeps them with the release: advice that
nothing signs, which pages and metrics show. --archive adds the older versions
that this feed names, from archive/NAME/ of the same place: each is verified,
and none ever becomes current. If either cannot be had, the status is 2,
whatever became of the bundle.

Without --every, for cron. With it, until it is interrupted: a failure is a line
on standard error, and the next look is made when it is due. A source with ETags
is then asked whether it has another file; once a day the bytes are compared all
the same. With --json each look is a document.

Exit status: 0, or 1 if nothing was published: it is unchanged, or refused.
With --every 0 when it is interrupted.`,
		Example: `  trustpool mirror --store /srv/trustpool \
    --from https://www.cisco.com/security/pki/trs/ios.p7b --every 24h`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			pause, err := interval("--every", every)
			if err != nil {
				return err
			}
			s, o, err := g.open(cmd.Context(), a)
			if err != nil {
				return err
			}
			var seen *store.Seen
			look := func(ctx context.Context) error {
				o.Now, o.At = a.env.Now(), g.at.or(a.env.Now)
				return a.mirror(ctx, s, b, o, g, seen)
			}
			if pause == 0 {
				return a.guard(cmd.Context(), look)
			}
			seen = new(store.Seen)
			err = a.guard(cmd.Context(), func(ctx context.Context) error {
				for {
					if err := look(ctx); err != nil && !errors.Is(err, errNo) && ctx.Err() == nil {
						a.warn("%v", err)
					}
					if a.sleep(ctx, pause+time.Duration(rand.Float64()*spread*float64(pause))) != nil {
						return nil
					}
				}
			})
			if _, ok := errors.AsType[Interrupted](err); ok { // as its user meant it to end
				return nil
			}
			return err
		},
	}
	g.flags(cmd)
	f := cmd.Flags()
	f.StringVar(&b.from, "from", "", "fetch the bundle from `URL`")
	required(cmd, "from")
	f.BoolVar(&b.feed, "feed", false, "take what is published beside the bundle with it, as advice")
	f.BoolVar(&b.archive, "archive", false, "add older versions of the source's archive to the history")
	f.StringVar(&every, "every", "", "look again each `DURATION`: 24h, 7d (at least 1m)")
	return cmd
}

// interval reads the value of a flag that says how often; empty is 0.
func interval(flag, every string) (time.Duration, error) {
	if every == "" {
		return 0, nil
	}
	d, err := bundle.ParseDuration(every)
	if err != nil {
		return 0, fmt.Errorf("%s: %w", flag, err)
	}
	if d < minEvery {
		return 0, fmt.Errorf("%s %s: give at least %v", flag, every, minEvery)
	}
	return d, nil
}

// besides is what is mirrored, and what else of its source.
type besides struct {
	from          string
	feed, archive bool
}

// mirror is one look at the source.
func (a *app) mirror(ctx context.Context, s *store.Store, b besides, publish store.PublishOptions, g gate, seen *store.Seen) error {
	o := store.MirrorOptions{
		PublishOptions: publish,
		Fetch:          a.fetchOptions(),
		Sleep:          a.sleep,
		Jitter:         rand.Float64,
		Seen:           seen,
	}
	p := a.progress(bytesRead, "fetching %s", fetch.Mask(b.from))
	watched := o
	watched.Fetch.Progress = p.add
	m, err := s.Mirror(ctx, b.from, watched)
	p.done()
	_, isRefused := errors.AsType[*store.RefusedError](err)
	if err != nil && !isRefused {
		return err
	}
	beside := a.mirrorBesides(ctx, s, b, m, o)
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	if err := a.thenSite(ctx, &g, s, !isRefused); err != nil {
		return errors.Join(beside, err)
	}
	err = a.answer(!isRefused && !m.ArchiveRefused(), g.as, printings{"": m.WriteText, "json": func(w io.Writer) error { return m.WriteJSON(w, g.store) }})
	if beside != nil {
		return beside
	}
	return err
}

// mirrorBesides takes what else the flags ask for.
func (a *app) mirrorBesides(ctx context.Context, s *store.Store, b besides, m *store.Mirroring, o store.MirrorOptions) error {
	if m.Previous == nil && (m.DryRun || m.Outcome() != store.OutcomePublished) {
		if b.feed || b.archive {
			m.Notes = append(m.Notes, "no release is current: what is beside the bundle was not looked for")
		}
		return nil
	}
	var errs []error
	name := m.Release.Name
	if b.feed {
		var err error
		if m.Feed, err = s.TakeFeed(ctx, b.from, name, o); err != nil {
			errs = append(errs, fmt.Errorf("--feed: %w", err))
		}
	}
	if b.archive {
		var err error
		if m.Archive, err = s.FillArchive(ctx, b.from, name, m.Feed, o); err != nil {
			errs = append(errs, fmt.Errorf("--archive: %w", err))
		}
		for _, one := range m.Archive {
			if one.Outcome == store.ArchiveFailed {
				errs = append(errs, fmt.Errorf("--archive: version %s: %s", report.Printable(one.Version), one.Detail))
			}
		}
	}
	return errors.Join(errs...)
}

// sleep waits, or ends early with an error when ctx ends.
func (a *app) sleep(ctx context.Context, d time.Duration) error {
	if a.env.Sleep != nil {
		return a.env.Sleep(ctx, d)
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-t.C:
		return nil
	}
}

package cli

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"time"

	"github.com/spf13/cobra"

	"trustpool/bundle/certificate"
	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/watch"
)

type watchFlags struct {
	trust
	store, seen, saveChains string
	watch                   []string
	as                      printing
}

func (a *app) watchCommand() *cobra.Command {
	var f watchFlags
	cmd := &cobra.Command{
		Use:   "watch [FILE…] --watch HOST:PORT",
		Short: "Say what changed about servers that devices need",
		Long: `Ask servers for their chain, judge each with every bundle, as trustpool reach
does, and say what changed since the last time: a server that no longer
validates, moved to another root, does not answer, has a chain that ends within
30 days, or a root that root programs are removing. serve --watch does the same
all the time.

Bundles are those of a store, and FILEs, as serve takes them: each is verified.

--seen remembers what was seen, in a file that is written whole or not at all;
without it, or the first time, a server that is not shown to be well is a
change.

Exit status: 0, or 1 if something changed.`,
		Example: `  trustpool watch --store /srv/trustpool --watch tools.cisco.com:443 \
    --seen /var/lib/trustpool-watch.json
  trustpool watch ios.p7b --watch servers.txt --save-chains chains`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case len(args) == 0 && f.store == "":
				return errors.New("watch: no bundle: give a FILE or --store")
			case len(f.watch) == 0:
				return errors.New("watch: no server: give --watch HOST:PORT")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error { return a.watch(cmd.Context(), args, &f) },
	}
	flags := cmd.Flags()
	flags.StringArrayVar(&f.watch, "watch", nil, "watch the servers of `HOST:PORT|FILE`: one, or a file with one in each line (repeatable)")
	flags.StringVar(&f.store, "store", "", "judge with the bundles of the store at `URL`: a directory, or s3://BUCKET/PREFIX")
	flags.StringVar(&f.seen, "seen", "", "compare with what was seen last, in `FILE`, and write what is seen now there")
	flags.StringVar(&f.saveChains, "save-chains", "", "write the chains that servers send to `DIR`")
	f.trust.flags(cmd)
	f.as.flags(cmd, "json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

func (a *app) watch(ctx context.Context, args []string, f *watchFlags) error {
	f.at.pin(a.env.Now)
	now := func() time.Time { return f.at.Time }
	servers, err := a.watched(ctx, "--watch", f.watch)
	if err != nil {
		return err
	}
	before, err := readSeen(f.seen)
	if err != nil {
		return err
	}
	o := hosting.Options{Limits: a.limits, Now: now, Version: a.version(), Report: a.warn}
	if o.Anchors, err = f.chosen(ctx, a); err != nil {
		return err
	}
	if o.Source, err = a.sources(args, f.store); err != nil {
		return err
	}
	bundles, err := hosting.New(ctx, o)
	if err != nil {
		return err
	}
	w, err := a.newWatcher(watch.Options{Servers: servers, Now: now}, func() *hosting.Server { return bundles })
	if err != nil {
		return err
	}
	if before != nil {
		w.Recall(before)
	}
	p := a.progress(nothing, "asking %d servers", len(servers))
	w.Ask(ctx)
	p.done()
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	for _, s := range w.Answers() {
		if err := a.saveChain(f.saveChains, &s); err != nil {
			return err
		}
	}
	r := w.Report()
	of := printings{"": r.WriteText, "json": r.WriteJSON}
	if f.seen == "" {
		return a.answer(r.Good(), f.as, of)
	}
	return a.answerWith(r.Good(), f.as, of, f.seen, r.WriteJSON)
}

// newWatcher makes a watcher that judges with what a server of bundles has.
func (a *app) newWatcher(o watch.Options, server func() *hosting.Server) (*watch.Watcher, error) {
	o.Bundles = func() []watch.Bundle { return server().Watched() }
	o.Marked = func(bundle string, root *certificate.Certificate) string { return server().Marked(bundle, root) }
	o.Fetch = func(ctx context.Context, address string) ([][]byte, error) {
		return fetch.Chain(ctx, address, a.fetchOptions())
	}
	o.Sleep, o.Jitter = a.sleep, rand.Float64
	return watch.New(o)
}

// runWatcher runs a watcher until the context ends. What comes from again makes it ask at once.
func runWatcher(ctx context.Context, w *watch.Watcher, again <-chan struct{}) {
	for ctx.Err() == nil {
		running, cancel := context.WithCancel(ctx)
		go func() {
			select {
			case <-again:
			case <-running.Done():
			}
			cancel()
		}()
		w.Run(running)
		cancel()
	}
}

// watched are the servers that the values of a flag name: what reads as HOST:PORT is one, also if a file bears that name.
func (a *app) watched(ctx context.Context, flag string, values []string) (out []string, err error) {
	if a.offline {
		return nil, fmt.Errorf("%s: servers are asked for their chain: %w", flag, fetch.ErrOffline)
	}
	for _, v := range values {
		server, err := watch.ParseServer(v)
		if err == nil {
			out = append(out, server)
			continue
		}
		if !fetch.IsURL(v) && !fileExists(v) {
			return nil, hinted{fmt.Errorf("%s: %w, and there is no such file", flag, err), "for a list of servers give a FILE with one HOST:PORT in each line"}
		}
		name, data, err := a.fetchText(ctx, v, nil, "a list of servers", "give a FILE with one HOST:PORT in each line")
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag, err)
		}
		servers, err := watch.ParseServers(string(data))
		if err != nil {
			return nil, fmt.Errorf("%s: %s: %w", flag, label(name), err)
		}
		out = append(out, servers...)
	}
	return out, nil
}

// readSeen reads what the last run saw; nil if there was none.
func readSeen(path string) (*watch.Report, error) {
	if path == "" {
		return nil, nil
	}
	fi, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil && !fi.Mode().IsRegular() { // to open a pipe is to wait for who writes into it
		return nil, fmt.Errorf("--seen %s: not a regular file", path)
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--seen: %w", err)
	}
	defer f.Close()
	r, err := watch.Read(f)
	if err != nil {
		return nil, hinted{fmt.Errorf("--seen %s: %w", path, err), "name a file that trustpool watch wrote, or one that is not there yet"}
	}
	return r, nil
}

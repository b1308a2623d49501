package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/store"
	"trustpool/signing"
)

// defaultListen is where serve answers unless told otherwise.
const defaultListen = ":8080"

type serveFlags struct {
	trust
	hosting.Options
	store, accessLog, baseURL string
	listen, watch             []string
	certFile, keyFile         string
	refresh                   time.Duration
	watchEvery                string
	noPages, healthcheck      bool
}

func (a *app) serveCommand() *cobra.Command {
	var f serveFlags
	cmd := &cobra.Command{
		Use:   "serve [FILE…]",
		Short: "Serve bundles to devices over HTTP",
		Long: `Serve bundles at URLs that devices import from: those of a store, see trustpool
publish, and FILEs, each a bundle or a directory of .p7b files. Each is verified
under Cisco's roots, or those of --root, before a byte of it is served: at the
start, where one that is not verified is an error, and when it changes, where
the one before stays in service.

ios.p7b is at /ios.p7b, and where Cisco's own server has it, with the files
beside it. Older releases are read and verified when they are asked for. / has
pages for browsers, and a short text for others. /index.json lists what there
is, /readyz says how it is, /metrics has numbers for Prometheus.
docs/hosting.md explains it.

With --watch it asks servers that devices need for their chain, at once and
again and again, and says in pages, metrics and on standard error whether each
bundle still leads to their root.

It ends on SIGTERM or SIGINT, after requests that have begun; SIGHUP makes it
look for changes, ask watched servers, and open its log anew.

Exit status: 0 when it is ended by a signal.`,
		Example: `  trustpool serve ios.p7b
  trustpool serve --store /srv/trustpool
  trustpool serve /srv/bundles --listen :80 --access-log /var/log/trustpool.log
  trustpool serve ios.p7b --listen :443 --tls-cert web.pem --tls-key web.key`,
		Args: func(_ *cobra.Command, args []string) error {
			switch {
			case f.healthcheck && (len(args) > 0 || f.store != ""):
				return errors.New("serve: --healthcheck asks a server, and serves nothing itself")
			case len(args) == 0 && f.store == "" && !f.healthcheck:
				return errors.New("serve: nothing to serve: give a FILE or --store")
			case f.refresh <= 0 || f.Drain <= 0:
				return errors.New("serve: --refresh and --drain are to be above zero")
			case f.baseURL != "" && f.noPages:
				return errors.New("serve: --base-url is for pages, and --no-pages leaves none")
			case (f.certFile == "") != (f.keyFile == ""):
				return errors.New("serve: --tls-cert and --tls-key go together")
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if f.healthcheck {
				return a.healthcheck(cmd.Context(), f.listen)
			}
			if cmd.Flags().Changed("watch-every") && len(f.watch) == 0 {
				return errors.New("serve: --watch-every is for --watch")
			}
			return a.serve(cmd.Context(), args, &f)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&f.store, "store", "", "serve the store at `URL`: a directory, or s3://BUCKET/PREFIX")
	flags.StringArrayVar(&f.listen, "listen", nil, "answer at `ADDRESS`: :8080, 192.0.2.1:80 (repeatable; default :8080, or systemd's sockets)")
	flags.StringVar(&f.certFile, "tls-cert", "", "speak TLS with the certificates in `FILE`, the server's first")
	flags.StringVar(&f.keyFile, "tls-key", "", "the key of --tls-cert, in `FILE`; both are read again when they change")
	f.rootFlag(cmd)
	flags.StringVar(&f.accessLog, "access-log", "", "log requests to `FILE`, - for standard output, none for nowhere (default standard error)")
	flags.DurationVar(&f.refresh, "refresh", hosting.DefaultRefresh, "look for changes at least each `DURATION`")
	flags.DurationVar(&f.Drain, "drain", hosting.DefaultDrain, "at the end, let requests that have begun take `DURATION`")
	flags.Func("max-connections", fmt.Sprintf("refuse connections above `N` (default %d)", hosting.DefaultMaxConnections), count(&f.MaxConnections))
	flags.BoolVar(&f.healthcheck, "healthcheck", false, "ask the server at --listen whether it is ready, and exit with 0 or 1")
	flags.BoolVar(&f.noPages, "no-pages", false, "no pages for people at /")
	flags.BoolVar(&f.NoDowngrade, "no-downgrade", false, "when a FILE is replaced by an older version, go on serving the newer one")
	flags.StringVar(&f.baseURL, "base-url", "", "in commands on pages, devices reach the server at `URL`: https://HOST")
	flags.StringArrayVar(&f.watch, "watch", nil, "watch the servers of `HOST:PORT|FILE`: one, or a file with one in each line (repeatable)")
	flags.StringVar(&f.watchEvery, "watch-every", "1h", "ask the servers of --watch each `DURATION` (at least 1m)")
	flags.StringVar(&f.PnP, "pnp", "", "the bundle `NAME` is at /ca/trustpool (default the only one, or ios)")
	return cmd
}

func (a *app) serve(ctx context.Context, args []string, f *serveFlags) error {
	if a.env.Interrupts != nil {
		var stop context.CancelFunc
		ctx, stop = a.env.Interrupts(ctx)
		defer stop()
	}
	a.env.Stderr = &locked{Writer: a.env.Stderr} // requests, and what happens between them
	o := f.Options
	o.Limits, o.Now, o.Version, o.Report = a.limits, a.env.Now, a.version(), a.warn
	var err error
	if o.Anchors, err = f.chosen(ctx, a); err != nil {
		return err
	}
	if o.Source, err = a.sources(args, f.store); err != nil {
		return err
	}
	if f.certFile != "" {
		if o.TLS, err = hosting.LoadKeyPair(f.certFile, f.keyFile); err != nil {
			return err
		}
	}
	log, err := a.openAccessLog(f.accessLog)
	if err != nil {
		return err
	}
	if log != nil {
		defer log.Close()
		o.AccessLog = log.Logger()
	}
	var server *hosting.Server
	if len(f.watch) > 0 {
		w := watch.Options{Now: a.env.Now, Changed: func(c watch.Change) { a.warn("%s", c) }}
		if w.Every, err = interval("--watch-every", f.watchEvery); err != nil {
			return err
		}
		if w.Servers, err = a.watched(ctx, "--watch", f.watch); err != nil {
			return err
		}
		if o.Watch, err = a.newWatcher(w, func() *hosting.Server { return server }); err != nil {
			return err
		}
	}
	if !f.noPages {
		// The pages ask for the catalog when there are requests: there is a server by then.
		catalog := func() *hosting.Catalog { return server.Catalog() }
		judge := func(r *hosting.Release) signing.Report { return server.Judge(r) }
		mirrored := func(name string) (time.Time, bool) { return server.Mirrored(name) }
		options := pages.Options{Catalog: catalog, Judge: judge, Mirrored: mirrored, Now: o.Now, BaseURL: f.baseURL, Version: a.knownVersion()}
		if o.Watch != nil {
			options.Watch = o.Watch.Report
		}
		if o.Pages, err = pages.New(options); err != nil {
			return fmt.Errorf("--base-url: %w", err)
		}
	}
	if server, err = hosting.New(ctx, o); err != nil {
		if i, ok := errors.AsType[Interrupted](context.Cause(ctx)); ok {
			return i
		}
		return err
	}
	listeners, err := a.listeners(ctx, f.listen)
	if err != nil {
		return err
	}
	for _, e := range server.Catalog().Entries {
		for _, l := range listeners {
			a.warn("%s is %s", serviceURL(l.Addr(), o.TLS != nil)+e.FileName(), e.Current.Summary())
		}
	}
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	now := make(chan struct{}, 1)
	var group sync.WaitGroup
	defer group.Wait()
	defer stop()
	group.Go(func() { server.Watch(ctx, f.refresh, now) })
	if log != nil {
		group.Go(func() { log.Run(ctx) })
	}
	again := make(chan struct{}, 1)
	if o.Watch != nil {
		group.Go(func() { runWatcher(ctx, o.Watch, again) })
	}
	if a.env.Reloads != nil {
		reloads := a.env.Reloads(ctx)
		group.Go(func() {
			for range reloads {
				if log != nil {
					log.Reopen()
				}
				for _, c := range []chan struct{}{now, again} {
					select {
					case c <- struct{}{}:
					default: // one is waiting
					}
				}
			}
		})
	}
	if err := hosting.Notify(a.env.Getenv, "READY=1"); err != nil {
		a.warn("systemd was not told: %v", err)
	}
	group.Go(func() {
		<-ctx.Done()
		_ = hosting.Notify(a.env.Getenv, "STOPPING=1")
	})
	return server.Serve(ctx, listeners...)
}

// sources makes a source of the arguments and the store, if one is named.
func (a *app) sources(args []string, storeName string) (hosting.Source, error) {
	var all []hosting.Source
	var files []string
	if storeName != "" {
		s, err := a.openStore(storeName)
		if err != nil {
			return nil, err
		}
		all = append(all, hosting.Store(s))
	}
	for _, arg := range args {
		if fetch.IsURL(arg) || arg == "-" {
			return nil, hinted{fmt.Errorf("%s: only files and directories are served", fetch.Mask(arg)), "fetch it, then serve the file"}
		}
		if fi, err := os.Stat(arg); err == nil && fi.IsDir() {
			if store.IsStore(arg) {
				return nil, hinted{fmt.Errorf("%s: a store, and no directory of .p7b files", arg), "serve it with --store " + arg}
			}
			all = append(all, hosting.Directory(arg))
		} else {
			files = append(files, arg)
		}
	}
	if files != nil {
		s, err := hosting.Files(files...)
		if err != nil {
			return nil, err
		}
		all = append(all, s)
	}
	return hosting.Join(all...), nil
}

// listeners are systemd's sockets and those of --listen; if there is neither, the
// default one.
func (a *app) listeners(ctx context.Context, addresses []string) ([]net.Listener, error) {
	out, err := hosting.Inherited(a.env.Getenv)
	if err != nil {
		return nil, err
	}
	if len(out) == 0 && len(addresses) == 0 {
		addresses = []string{defaultListen}
	}
	for _, address := range addresses {
		l, err := new(net.ListenConfig).Listen(ctx, "tcp", address)
		if errors.Is(err, fs.ErrPermission) {
			err = hinted{err, "ports below 1024 are not everybody's; systemd can open them, see packaging/systemd"}
		}
		if err != nil {
			return nil, err
		}
		out = append(out, l)
	}
	return out, nil
}

// healthTimeout is how long a server on the same machine has to say that it is ready.
const healthTimeout = 5 * time.Second

// healthcheck asks /readyz of the server that listens at the first of the addresses:
// an image of the program alone has no other client.
func (a *app) healthcheck(ctx context.Context, listen []string) error {
	address := defaultListen
	if len(listen) > 0 {
		address = listen[0]
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil {
		return fmt.Errorf("--listen %s: %w", address, err)
	}
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "localhost"
	}
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	ask, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+net.JoinHostPort(host, port)+"/readyz", nil)
	if err != nil {
		return err
	}
	answer, err := http.DefaultClient.Do(ask)
	if err != nil {
		return fmt.Errorf("no server answers: %w", err)
	}
	defer answer.Body.Close()
	_, err = io.Copy(a.env.Stdout, io.LimitReader(answer.Body, 64<<10))
	if err == nil && answer.StatusCode != http.StatusOK {
		err = errNo
	}
	return err
}

// serviceURL is what devices may reach a listener by, as far as it is known here.
func serviceURL(a net.Addr, secure bool) string {
	host, port, err := net.SplitHostPort(a.String())
	if err != nil {
		return a.String() + ":/"
	}
	if ip := net.ParseIP(host); ip == nil || ip.IsUnspecified() {
		if host, err = os.Hostname(); err != nil {
			host = "localhost"
		}
	}
	scheme, usual := "http", "80"
	if secure {
		scheme, usual = "https", "443"
	}
	if port == usual {
		return scheme + "://" + host + "/"
	}
	return scheme + "://" + net.JoinHostPort(host, port) + "/"
}

// openAccessLog gives the log that --access-log asks for, nil for none.
func (a *app) openAccessLog(name string) (*hosting.AccessLog, error) {
	open := hosting.AppendTo(name)
	switch name {
	case "none":
		return nil, nil
	case "":
		open = func() (io.WriteCloser, error) { return unclosed{a.env.Stderr}, nil }
	case "-":
		open = func() (io.WriteCloser, error) { return unclosed{a.env.Stdout}, nil }
	}
	return hosting.OpenAccessLog(open, a.warn)
}

// unclosed is a stream that is not ours to close.
type unclosed struct{ io.Writer }

func (unclosed) Close() error { return nil }

// locked is a stream that several write to, each line in one piece.
type locked struct {
	io.Writer
	lock sync.Mutex
}

func (l *locked) Write(b []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	return l.Writer.Write(b)
}

package hosting

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"trustpool/bundle"
	"trustpool/internal/distrust"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/report"
	"trustpool/roots"
)

// Limits of connections. A device on a slow line has time for a large bundle; one
// that sends or takes nothing does not have it for ever.
const (
	DefaultMaxConnections = 8192
	DefaultDrain          = 30 * time.Second
	maxHeaderBytes        = 16 << 10
	headerTimeout         = 10 * time.Second // for the request to be there
	readTimeout           = 30 * time.Second // with its body, which is not read
	writeTimeout          = 15 * time.Minute // for the answer to be taken: 436 kB at 500 bytes a second
	idleTimeout           = 60 * time.Second // between requests
)

// Options say what a server serves and how. Source, Anchors and Now must be set.
type Options struct {
	Source  Source
	Anchors []roots.Anchor
	Limits  bundle.Limits
	Now     func() time.Time

	// NoDowngrade refuses a file in place of one that was served, if its bundle is
	// older; without, it is served, and reported.
	NoDowngrade bool

	PnP     string       // the bundle at /ca/trustpool; empty for the only one, or ios
	Pages   http.Handler // what is at / and below PagesPrefix, for people; nil for nothing
	Version string       // of the program, for /metrics

	Watch *watch.Watcher // says how watched servers are, in /metrics; nil for none. The caller runs it.

	AccessLog *slog.Logger                     // a line for each request; nil for none
	Report    func(format string, args ...any) // what happens between requests; nil for nowhere

	MaxConnections int           // 0 means DefaultMaxConnections
	Drain          time.Duration // how long requests may take to end when the server does; 0 means DefaultDrain
	TLS            *KeyPair      // nil for none
}

// A Server serves a catalog and keeps it up to date. It is an http.Handler.
type Server struct {
	o        Options
	demander *demander
	metrics  *serverMetrics
	distrust func() *distrust.Index

	catalog atomic.Pointer[Catalog]
	state   atomic.Pointer[state]

	refreshLock sync.Mutex
}

// state is how the last refresh went.
type state struct {
	good     time.Time // of the last one that left nothing to complain of
	failures []Failure
	mirrored map[string]time.Time // when the mirror of a name last succeeded; see Mirrored
}

// New makes a server and loads its catalog. If there is nothing to serve, or
// anything of what there is is not verified, it is an error: who starts a server is
// there to read it. The archive is not a reason.
func New(ctx context.Context, o Options) (*Server, error) {
	if o.Source == nil || o.Now == nil || len(o.Anchors) == 0 {
		return nil, errors.New("hosting: no source, no clock or no anchors")
	}
	o.Limits.Bytes = cmp.Or(o.Limits.Bytes, maxBundleBytes)
	o.MaxConnections = cmp.Or(max(0, o.MaxConnections), DefaultMaxConnections)
	o.Drain = cmp.Or(max(0, o.Drain), DefaultDrain)
	if o.Report == nil {
		o.Report = func(string, ...any) {}
	}
	s := &Server{o: o, metrics: newMetrics(), distrust: sync.OnceValue(distrust.NewIndex)}
	s.demander = &demander{Options: &s.o, shelf: newShelf(MaxKept), failed: map[shelfKey]error{}}
	now := s.o.Now()
	c, failures := s.load(ctx, nil, now, "")
	var fatal []error
	for _, f := range failures {
		if f.Bundle != "" && c.Lookup(f.Bundle) != nil {
			s.o.Report("%v", f)
			continue
		}
		fatal = append(fatal, f.Err)
	}
	if len(fatal) > 0 {
		return nil, errors.Join(fatal...)
	}
	if len(c.Entries) == 0 {
		return nil, errors.New("there is nothing to serve")
	}
	if s.o.PnP != "" && c.Lookup(s.o.PnP) == nil {
		return nil, fmt.Errorf("no bundle is called %q, which is to be at %s", s.o.PnP, pathPnP)
	}
	mirrored, err := s.mirrored(ctx, nil)
	if err != nil {
		failures = append(failures, Failure{Err: err})
		s.o.Report("%v", err)
	}
	s.publish(c, &state{good: now, failures: failures, mirrored: mirrored})
	for _, e := range c.Entries {
		s.reportForm(e)
	}
	return s, nil
}

// publish puts a catalog in the place of the one before. Requests that have begun
// end with what they began with.
func (s *Server) publish(c *Catalog, state *state) {
	if c != s.catalog.Load() {
		for _, e := range c.Entries {
			if e.counters == nil {
				e.counters = s.metrics.of(e.Name)
			}
		}
		s.catalog.Store(c)
	}
	s.state.Store(state)
}

// Catalog is what is served now.
func (s *Server) Catalog() *Catalog { return s.catalog.Load() }

// Refresh brings the catalog up to date. What cannot be had or verified leaves what
// is served as it is; the error says what and why, and so do Options.Report if it
// is new, a metric and /readyz.
func (s *Server) Refresh(ctx context.Context) error { return s.refresh(ctx, "") }

// refresh is as Refresh, of one name or of all.
func (s *Server) refresh(ctx context.Context, only string) error {
	s.refreshLock.Lock()
	defer s.refreshLock.Unlock()
	now, before, last := s.o.Now(), s.Catalog(), s.state.Load()
	c, failures := s.load(ctx, before, now, only)
	if ctx.Err() != nil {
		return ctx.Err() // the end of the server is not a failure of its source
	}
	next := &state{good: now, failures: failures, mirrored: last.mirrored}
	if only != "" { // nothing is found out of the others
		next.good = last.good
		for _, f := range last.failures {
			if f.Bundle != only {
				next.failures = append(next.failures, f)
			}
		}
	} else {
		if !slices.ContainsFunc(failures, func(f Failure) bool { return f.Bundle == "" }) { // the source is there
			var err error
			if next.mirrored, err = s.mirrored(ctx, last.mirrored); err != nil {
				next.failures = append(next.failures, Failure{Err: err})
			}
		}
		if err := s.o.TLS.reload(); err != nil {
			next.failures = append(next.failures, Failure{Err: err})
		}
	}
	failures = next.failures
	if len(failures) > 0 {
		next.good = last.good
		s.metrics.refreshFailures.Inc()
	}
	s.publish(c, next) // before it is said, which may take as long as who reads it likes
	var errs []error
	for _, f := range failures {
		errs = append(errs, f)
		if !slices.ContainsFunc(last.failures, func(g Failure) bool { return g.Error() == f.Error() }) {
			s.o.Report("%v; what was served before stays", f)
		}
	}
	if len(failures) == 0 && len(last.failures) > 0 {
		s.o.Report("all is well again")
	}
	for _, e := range c.Entries {
		if old := before.Lookup(e.Name); old == nil || old.Current != e.Current {
			s.o.Report("%s is now %s", e.Name, e.Current.Summary())
			if e.Newer != "" {
				s.o.Report("%s: the file in place is version %s, older than version %s that was served", e.Name, report.Printable(e.Current.Version), report.Printable(e.Newer))
			}
			s.reportForm(e)
		}
	}
	return errors.Join(errs...)
}

// mirrored asks the source. Of mirrors of which nothing can be read now, what was known before stays.
func (s *Server) mirrored(ctx context.Context, before map[string]time.Time) (map[string]time.Time, error) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	now, err := s.o.Source.mirrored(ctx)
	out := map[string]time.Time{}
	if err != nil {
		maps.Copy(out, before)
	}
	maps.Copy(out, now)
	return out, err
}

// Mirrored says when the mirror of a bundle last succeeded: what its source has is current here. It is false if no mirror
// is known to keep it, as for a file or a store that people publish into.
func (s *Server) Mirrored(name string) (time.Time, bool) {
	at, ok := s.state.Load().mirrored[name]
	return at, ok
}

// reportForm says if what is served is not the file as it is.
func (s *Server) reportForm(e *Entry) {
	if e.Current.file != e.Current.SHA256 {
		s.o.Report("%s: the file is text around DER; the DER within is served, which devices read", e.Name)
	}
}

// Summary is a release in a line.
func (r *Release) Summary() string {
	return fmt.Sprintf("%q version %s, %s, %s, SHA-256 %s", r.SignedName, report.Printable(r.Version), report.Count(r.Certificates, "certificate"),
		r.Verification.Summary(), r.SHA256[:sha256Prefix])
}

// Serve answers on the listeners until the context ends, then lets requests that have
// begun end, for as long as Options.Drain. It closes the listeners.
func (s *Server) Serve(ctx context.Context, listeners ...net.Listener) error {
	server := &http.Server{
		Handler: s, DisableGeneralOptionsHandler: true, MaxHeaderBytes: maxHeaderBytes,
		ReadHeaderTimeout: headerTimeout, ReadTimeout: readTimeout, WriteTimeout: writeTimeout, IdleTimeout: idleTimeout,
		ErrorLog:  slog.NewLogLogger(slog.DiscardHandler, slog.LevelError), // what clients do wrong is theirs
		Protocols: new(http.Protocols),
	}
	server.Protocols.SetHTTP1(true)
	errs := make(chan error, len(listeners))
	for _, l := range listeners {
		l = s.limit(l)
		if s.o.TLS != nil {
			l = tls.NewListener(l, s.o.TLS.config())
		}
		go func() { errs <- server.Serve(l) }()
	}
	var err error
	select {
	case err = <-errs:
	case <-ctx.Done():
	}
	// The context has ended: the drain has a deadline of its own.
	draining, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.o.Drain)
	defer cancel()
	if late := server.Shutdown(draining); late != nil {
		_ = server.Close()
		s.o.Report("requests were cut off: they were not done within %v", s.o.Drain)
	}
	if errors.Is(err, http.ErrServerClosed) {
		return nil
	}
	return err
}

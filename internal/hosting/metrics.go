package hosting

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"sync"
	"sync/atomic"
)

// serverMetrics are what one server counts. They are written in the text format of
// Prometheus, version 0.0.4, by hand: the libraries for it cost every run of the
// program, of any command, more than the few lines here.
type serverMetrics struct {
	other           *counters // of requests that are for no bundle
	connections     atomic.Int64
	refused         atomic.Int64
	refreshFailures atomic.Int64

	lock    sync.Mutex
	bundles map[string]*counters
}

// counters are those of one bundle. Nothing that a client sends becomes a label.
type counters struct {
	requests [6]atomic.Int64 // by the first digit of the status
	bytes    atomic.Int64
}

func (c *counters) count(status int, bytes int64) {
	if class := status / 100; class > 0 && class < len(c.requests) {
		c.requests[class].Add(1)
	}
	c.bytes.Add(bytes)
}

func newMetrics() *serverMetrics {
	m := &serverMetrics{bundles: map[string]*counters{}}
	m.other = m.of("")
	return m
}

// of are the counters of a bundle, which stay when another release takes its place.
func (m *serverMetrics) of(name string) *counters {
	m.lock.Lock()
	defer m.lock.Unlock()
	if m.bundles[name] == nil {
		m.bundles[name] = new(counters)
	}
	return m.bundles[name]
}

// An exposition is a page of metrics that is being written.
type exposition struct {
	bytes.Buffer
	name string
}

// metric begins one; its name and meaning are also in docs/hosting.md.
func (e *exposition) metric(name, kind, help string) {
	e.name = name
	fmt.Fprintf(e, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, kind)
}

// value adds a value; labels are names and values in turns.
func (e *exposition) value(v int64, labels ...string) {
	e.WriteString(e.name)
	for i := 0; i < len(labels); i += 2 {
		e.WriteByte("{,"[min(i, 1)])
		// Names are checked and versions cleaned: Go's quotes are those of the format.
		e.WriteString(labels[i] + "=" + strconv.Quote(labels[i+1]))
	}
	if len(labels) > 0 {
		e.WriteByte('}')
	}
	e.WriteString(" " + strconv.FormatInt(v, 10) + "\n")
}

func (s *Server) writeMetrics(w io.Writer) error {
	var e exposition
	m, c, now := s.metrics, s.Catalog(), s.now()
	m.lock.Lock()
	bundles := maps.Clone(m.bundles)
	m.lock.Unlock()
	names := slices.Sorted(maps.Keys(bundles))

	e.metric("trustpool_http_requests_total", "counter", "Requests, by bundle and class of status.")
	for _, name := range names {
		for class := 1; class < len(m.other.requests); class++ {
			e.value(bundles[name].requests[class].Load(), "bundle", name, "code", strconv.Itoa(class)+"xx")
		}
	}
	e.metric("trustpool_http_response_bytes_total", "counter", "Bytes of bodies that were sent.")
	for _, name := range names {
		e.value(bundles[name].bytes.Load(), "bundle", name)
	}
	ready := s.Ready()
	each := func(name, help string, value func(*Entry) (int64, bool)) {
		e.metric(name, "gauge", help)
		for _, entry := range c.Entries {
			if v, ok := value(entry); ok {
				e.value(v, "bundle", entry.Name)
			}
		}
	}
	each("trustpool_bundle_certificates", "Certificates in the current release.", func(b *Entry) (int64, bool) { return int64(b.Current.Certificates), true })
	each("trustpool_bundle_expired_certificates", "Those that have expired.", func(b *Entry) (int64, bool) { return int64(b.Current.Expired(now)), true })
	each("trustpool_bundle_next_expiry_timestamp_seconds", "When the next one expires.", func(b *Entry) (int64, bool) {
		next, ok := b.Current.NextExpiry(now)
		return next.Unix(), ok
	})
	each("trustpool_bundle_verified", "1 where the current release was verified again, else 0.", func(b *Entry) (int64, bool) {
		return oneIf(slices.ContainsFunc(ready.Bundles, func(r ReadyBundle) bool { return r.Name == b.Name && r.Verified })), true
	})
	each("trustpool_bundle_published_timestamp_seconds", "When it was published, or its file changed.", func(b *Entry) (int64, bool) { return b.Current.Modified.Unix(), true })
	e.metric("trustpool_bundle_info", "gauge", "1, with version and hash of the current release.")
	for _, entry := range c.Entries {
		e.value(1, "bundle", entry.Name, "version", clean(entry.Current.Version, MaxNameLength), "sha256", entry.Current.SHA256[:sha256Prefix])
	}
	state := s.state.Load()
	single := func(name, kind, help string, v int64) { e.metric(name, kind, help); e.value(v) }
	single("trustpool_last_refresh_success_timestamp_seconds", "gauge", "When everything was last found good.", state.good.Unix())
	single("trustpool_refresh_failures_total", "counter", "Refreshes that left something to complain of.", m.refreshFailures.Load())
	single("trustpool_refresh_failing", "gauge", "How many things the last one did.", int64(len(state.failures)))
	single("trustpool_connections", "gauge", "Open connections.", m.connections.Load())
	single("trustpool_connections_limit", "gauge", "How many there may be.", int64(s.maxConnections))
	single("trustpool_connections_refused_total", "counter", "Connections that were closed for it.", m.refused.Load())
	e.metric("trustpool_build_info", "gauge", "1, with the version of trustpool.")
	e.value(1, "version", clean(s.version, MaxNameLength))
	_, err := w.Write(e.Bytes())
	return err
}

func oneIf(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

package hosting

import (
	"io"
	"strconv"
	"sync"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"
)

// Names of the metrics; docs/hosting.md says what each is.
const (
	metricRequests         = "trustpool_http_requests_total"
	metricBytes            = "trustpool_http_response_bytes_total"
	metricCertificates     = "trustpool_bundle_certificates"
	metricExpired          = "trustpool_bundle_expired_certificates"
	metricNextExpiry       = "trustpool_bundle_next_expiry_timestamp_seconds"
	metricVerified         = "trustpool_bundle_verified"
	metricPublished        = "trustpool_bundle_published_timestamp_seconds"
	metricInfo             = "trustpool_bundle_info"
	metricRefreshSuccess   = "trustpool_last_refresh_success_timestamp_seconds"
	metricRefreshFailures  = "trustpool_refresh_failures_total"
	metricFailing          = "trustpool_refresh_failing"
	metricConnections      = "trustpool_connections"
	metricRefused          = "trustpool_connections_refused_total"
	metricConnectionsLimit = "trustpool_connections_limit"
	metricBuild            = "trustpool_build_info"
)

// serverMetrics are those of one server, in a set of its own.
type serverMetrics struct {
	set             *metrics.Set
	other           *counters // of requests that are for no bundle
	refused         *metrics.Counter
	refreshFailures *metrics.Counter
	connections     atomic.Int64

	lock    sync.Mutex
	bundles map[string]*counters
}

// counters are those of one bundle, by the first digit of the status. Nothing that a
// client sends becomes a label.
type counters struct {
	status [6]*metrics.Counter
	bytes  *metrics.Counter
}

func (c *counters) count(status int, bytes int64) {
	if class := status / 100; class > 0 && class < len(c.status) {
		c.status[class].Inc()
	}
	c.bytes.AddInt64(bytes)
}

func newMetrics() *serverMetrics {
	m := &serverMetrics{set: metrics.NewSet(), bundles: map[string]*counters{}}
	m.other = m.of("")
	m.refused = m.set.NewCounter(metricRefused)
	m.refreshFailures = m.set.NewCounter(metricRefreshFailures)
	m.set.NewGauge(metricConnections, func() float64 { return float64(m.connections.Load()) })
	return m
}

// of are the counters of a bundle, which stay when another release takes its place.
func (m *serverMetrics) of(name string) *counters {
	m.lock.Lock()
	defer m.lock.Unlock()
	c := m.bundles[name]
	if c == nil {
		label := `{bundle="` + name + `"`
		c = &counters{bytes: m.set.NewCounter(metricBytes + label + "}")}
		for class := 1; class < len(c.status); class++ {
			c.status[class] = m.set.NewCounter(metricRequests + label + `,code="` + strconv.Itoa(class) + `xx"}`)
		}
		m.bundles[name] = c
	}
	return c
}

func (m *serverMetrics) write(w io.Writer) error {
	m.set.WritePrometheus(w)
	return nil
}

// gauges writes what is known of the catalog.
func (s *Server) gauges(w io.Writer) {
	ready, now := s.Ready(), s.now()
	for i, e := range s.Catalog().Entries {
		r, label := e.Current, `{bundle="`+e.Name+`"}`
		gauge := func(name string, value float64) { metrics.WriteGaugeFloat64(w, name+label, value) }
		gauge(metricCertificates, float64(r.Certificates))
		gauge(metricExpired, float64(r.Expired(now)))
		if next, ok := r.NextExpiry(now); ok {
			gauge(metricNextExpiry, float64(next.Unix()))
		}
		gauge(metricVerified, number01(i < len(ready.Bundles) && ready.Bundles[i].Verified))
		gauge(metricPublished, float64(r.Modified.Unix()))
		metrics.WriteGaugeUint64(w, metricInfo+`{bundle="`+e.Name+`",version=`+strconv.Quote(clean(r.Version, MaxNameLength))+`,sha256="`+r.SHA256[:sha256Prefix]+`"}`, 1)
	}
	state := s.state.Load()
	metrics.WriteGaugeFloat64(w, metricRefreshSuccess, float64(state.good.Unix()))
	metrics.WriteGaugeFloat64(w, metricFailing, float64(len(state.failures)))
	metrics.WriteGaugeFloat64(w, metricConnectionsLimit, float64(s.maxConnections))
	metrics.WriteGaugeUint64(w, metricBuild+`{version=`+strconv.Quote(clean(s.version, MaxNameLength))+`}`, 1)
}

func number01(b bool) float64 {
	if b {
		return 1
	}
	return 0
}

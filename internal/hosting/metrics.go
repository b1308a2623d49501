package hosting

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strconv"
	"sync/atomic"

	"github.com/VictoriaMetrics/metrics"

	"trustpool/internal/feed"
)

// serverMetrics are what one server counts. docs/hosting.md says what each metric means. Nothing that a client sends
// becomes a label.
type serverMetrics struct {
	set             *metrics.Set
	other           *counters // of requests that are for no bundle
	durations       *metrics.PrometheusHistogram
	refused         *metrics.Counter
	refreshFailures *metrics.Counter
	connections     atomic.Int64
}

// counters are those of one bundle, which stay when another release takes its place.
type counters struct {
	requests [6]*metrics.Counter // by the first digit of the status
	bytes    *metrics.Counter
}

func (c *counters) count(status int, bytes int64) {
	if class := status / 100; class > 0 && class < len(c.requests) {
		c.requests[class].Inc()
	}
	c.bytes.AddInt64(bytes)
}

// Seconds that a request may take: from an answer of a local network to a large bundle on a slow line.
func durationBuckets() []float64 { return []float64{.001, .005, .025, .1, .5, 2.5, 10, 60, 300} }

func newMetrics() *serverMetrics {
	set := metrics.NewSet()
	m := &serverMetrics{
		set:             set,
		durations:       set.NewPrometheusHistogramExt("trustpool_http_request_duration_seconds", durationBuckets()),
		refused:         set.NewCounter("trustpool_connections_refused_total"),
		refreshFailures: set.NewCounter("trustpool_refresh_failures_total"),
	}
	m.other = m.of("")
	return m
}

// of are the counters of a bundle.
func (m *serverMetrics) of(bundle string) *counters {
	c := &counters{bytes: m.set.GetOrCreateCounter(metricName("trustpool_http_response_bytes_total", "bundle", bundle))}
	for class := range c.requests {
		if class > 0 {
			c.requests[class] = m.set.GetOrCreateCounter(metricName("trustpool_http_requests_total", "bundle", bundle, "code", strconv.Itoa(class)+"xx"))
		}
	}
	return c
}

// metricName is a metric with labels: names and values in turns. Names of bundles are checked and versions cleaned, so
// Go's quotes are those of the format.
func metricName(metric string, labels ...string) string {
	var b bytes.Buffer
	b.WriteString(metric)
	for i := 0; i < len(labels); i += 2 {
		fmt.Fprintf(&b, "%c%s=%q", "{,"[min(i, 1)], labels[i], labels[i+1])
	}
	if len(labels) > 0 {
		b.WriteByte('}')
	}
	return b.String()
}

// maxExact is the largest version that a metric shows exactly.
const maxExact = 1 << 53

// writeMetrics writes what was counted, what is so at the moment, and what the library says of the process.
func (s *Server) writeMetrics(w io.Writer) error {
	m, c, state, now, ready := s.metrics, s.Catalog(), s.state.Load(), s.o.Now(), s.Ready()
	m.set.WritePrometheus(w)
	gauge := func(name string, v int64) { metrics.WriteGaugeFloat64(w, name, float64(v)) }
	each := func(name string, value func(*Entry) (int64, bool)) {
		for _, e := range c.Entries {
			if v, ok := value(e); ok {
				gauge(metricName(name, "bundle", e.Name), v)
			}
		}
	}
	each("trustpool_bundle_certificates", func(e *Entry) (int64, bool) { return int64(e.Current.Certificates), true })
	each("trustpool_bundle_expired_certificates", func(e *Entry) (int64, bool) { return int64(e.Current.Expired(now)), true })
	each("trustpool_bundle_next_expiry_timestamp_seconds", func(e *Entry) (int64, bool) {
		next, ok := e.Current.NextExpiry(now)
		return next.Unix(), ok
	})
	each("trustpool_bundle_verified", func(e *Entry) (int64, bool) {
		verified := slices.ContainsFunc(ready.Bundles, func(r ReadyBundle) bool { return r.Name == e.Name && r.Verified })
		return map[bool]int64{true: 1}[verified], true
	})
	each("trustpool_bundle_older", func(e *Entry) (int64, bool) { return map[bool]int64{true: 1}[e.Newer != ""], true })
	each("trustpool_bundle_signed_timestamp_seconds", func(e *Entry) (int64, bool) { return e.Current.SigningTime.Unix(), e.Current.SigningTime.Valid })
	each("trustpool_mirror_last_success_timestamp_seconds", func(e *Entry) (int64, bool) {
		at, ok := s.Mirrored(e.Name)
		return at.Unix(), ok
	})
	each("trustpool_bundle_published_timestamp_seconds", func(e *Entry) (int64, bool) { return e.Current.Modified.Unix(), true })
	ofFeed := func(name string, value func(*feed.Report) (int64, bool)) {
		each(name, func(e *Entry) (int64, bool) {
			if r := e.Advice.report(); r != nil {
				return value(r)
			}
			return 0, false
		})
	}
	for _, e := range c.Entries {
		if r := e.Advice.report(); r != nil {
			if v, err := strconv.ParseUint(r.Newest(), 10, 64); err == nil && v <= maxExact { // in digits: it is compared with what people read
				metrics.WriteGaugeUint64(w, metricName("trustpool_feed_version", "bundle", e.Name), v)
			}
		}
	}
	ofFeed("trustpool_feed_published_timestamp_seconds", func(r *feed.Report) (int64, bool) { return r.Published().Unix(), !r.Published().IsZero() })
	ofFeed("trustpool_feed_marked_for_removal", func(r *feed.Report) (int64, bool) { return int64(len(r.Marks)), r.MarkedBy != "" })
	ofFeed("trustpool_feed_newer_versions", func(r *feed.Report) (int64, bool) {
		return int64(len(r.Newer)), r.Position != feed.OtherName && r.Position != feed.NotCompare
	})
	for _, e := range c.Entries {
		gauge(metricName("trustpool_bundle_info", "bundle", e.Name, "version", clean(e.Current.Version, maxNameLength), "sha256", e.Current.SHA256[:sha256Prefix]), 1)
	}
	gauge("trustpool_last_refresh_success_timestamp_seconds", state.good.Unix())
	gauge("trustpool_refresh_failing", int64(len(ready.Failures)))
	gauge("trustpool_kept_bytes", s.demander.shelf.bytes())
	gauge("trustpool_connections", m.connections.Load())
	gauge("trustpool_connections_limit", int64(s.o.MaxConnections))
	gauge(metricName("trustpool_build_info", "version", clean(s.o.Version, maxNameLength)), 1)
	if s.o.Watch != nil {
		writeWatchMetrics(w, s.o.Watch.Report())
	}
	metrics.WriteProcessMetrics(w)
	return nil
}

package hosting

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/VictoriaMetrics/metrics"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/distrust"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/reach"
)

// Watched are the bundles that chains of watched servers are judged with: what is served now.
func (s *Server) Watched() (out []watch.Bundle) {
	for _, e := range s.Catalog().Entries {
		raw := e.Current.Raw
		out = append(out, watch.Bundle{
			Name: e.Name, Version: e.Current.Version, SHA256: e.Current.SHA256,
			Parse: func() (*bundle.Bundle, error) { return s.o.Limits.Parse(raw) },
		})
	}
	return out
}

// Marked says which root programs are removing a root of a bundle, and whether the feed that was mirrored with it marks or
// removed it, in words; it is empty if none is known to.
func (s *Server) Marked(name string, root *certificate.Certificate) string {
	var said []string
	if e := s.Catalog().Lookup(name); e != nil {
		if why := e.Advice.Leaves(root.SHA256); why != "" {
			said = append(said, "the feed, which nothing signs: "+why)
		}
	}
	for _, m := range s.distrust().Find(root) {
		if m.Kind != distrust.NotTrusted {
			said = append(said, m.String())
		}
	}
	return strings.Join(said, "; ")
}

// maxLabel is how many bytes of the name of a root are in a label.
const maxLabel = 128

// writeWatchMetrics writes how each watched server is. What is not known is absent.
func writeWatchMetrics(w io.Writer, r *watch.Report) {
	gauge := func(name string, v float64, labels ...string) {
		metrics.WriteGaugeFloat64(w, metricName(name, labels...), v)
	}
	is := map[bool]float64{true: 1}
	for _, s := range r.Servers {
		if s.Asked.IsZero() {
			continue
		}
		gauge("trustpool_watch_answering", is[s.Error == ""], "server", s.Address)
		if !s.Answered.IsZero() {
			gauge("trustpool_watch_last_success_timestamp_seconds", float64(s.Answered.Unix()), "server", s.Address)
		}
		for _, j := range s.Judged {
			labels := []string{"server", s.Address, "bundle", j.Bundle}
			if j.Status != reach.Unknown {
				gauge("trustpool_watch_reachable", is[j.Status == reach.OK], labels...)
			}
			if !j.Ends.IsZero() {
				gauge("trustpool_watch_chain_expiry_timestamp_seconds", float64(j.Ends.Unix()), labels...)
			}
			if j.Root != nil {
				gauge("trustpool_watch_root_marked_for_removal", is[j.Marked != ""], labels...)
				gauge("trustpool_watch_info", 1, slices.Concat(labels, []string{"root", clean(j.Root.Subject, maxLabel), "sha256", fmt.Sprintf("%.*s", sha256Prefix, j.Root.SHA256)})...)
			}
		}
	}
	gauge("trustpool_watch_not_judged", float64(r.NotJudged))
}

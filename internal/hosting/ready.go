package hosting

import (
	"io"
	"sync"
	"time"

	"trustpool/internal/report"
	"trustpool/signing"
)

// recheck is how long an answer of Judge counts: to verify takes milliseconds of a
// processor, and anybody may ask.
const recheck = 10 * time.Second

// A ReadyReport says whether what is served is good, "trustpool.ready/1";
// docs/formats.md has every field.
type ReadyReport struct {
	Schema string `json:"schema"`
	// Ready is whether everything served was verified again just now. It does not
	// say that the source can be read: a server whose store is away serves on, and
	// so do all others of that store.
	Ready       bool          `json:"ready"`
	At          string        `json:"at"` // when it was verified: the first of them
	LastRefresh string        `json:"last_refresh"`
	Age         int64         `json:"age_seconds"` // of the last refresh that succeeded
	Failures    []string      `json:"failures"`    // of the last refresh; what they are about is served as it was
	Bundles     []ReadyBundle `json:"bundles"`
}

// A ReadyBundle is a bundle of a ReadyReport.
type ReadyBundle struct {
	Name    string `json:"name"`
	Version string `json:"version"`
	SHA256  string `json:"sha256"`
	// Newer is the version that was served before a file with an older one took its
	// place; null otherwise. It is not a reason to be unready.
	Newer    report.Text `json:"newer_before"`
	Verified bool        `json:"verified"`
	Error    *string     `json:"error"`
}

// WriteJSON writes the report as one document.
func (r ReadyReport) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r) }

// Ready verifies again what is served, or gives the answer of the last seconds.
func (s *Server) Ready() ReadyReport {
	c, now, state := s.Catalog(), s.o.Now(), s.state.Load()
	r := ReadyReport{
		Schema: "trustpool.ready/1", Ready: len(c.Entries) > 0, At: report.Stamp(now),
		LastRefresh: report.Stamp(state.good), Age: int64(now.Sub(state.good) / time.Second), Failures: []string{}, Bundles: []ReadyBundle{},
	}
	for _, f := range append(state.failures[:len(state.failures):len(state.failures)], s.demander.failures(c)...) {
		r.Failures = append(r.Failures, f.Error())
	}
	for _, e := range c.Entries {
		j := s.Judge(e.Current)
		r.At = min(r.At, *j.At)
		b := ReadyBundle{Name: e.Name, Version: e.Current.Version, SHA256: e.Current.SHA256, Newer: report.Text(e.Newer), Verified: j.Verified}
		if !j.Verified {
			b.Error, r.Ready = new(j.Summary()+": "+*j.Detail), false
		}
		r.Bundles = append(r.Bundles, b)
	}
	return r
}

// A judgement is the answer of Judge for a release. Two who ask verify it once.
type judgement struct {
	lock   sync.Mutex
	at     time.Time
	report signing.Report
}

// Judge verifies a release again, or gives the answer of the last seconds; Report.At
// says when that was. Release.Verification is the answer from when
// it was loaded, which may be long ago.
func (s *Server) Judge(r *Release) signing.Report {
	j := &r.judged
	j.lock.Lock()
	defer j.lock.Unlock()
	if now := s.o.Now(); j.at.IsZero() || now.Sub(j.at) >= recheck || now.Before(j.at) {
		j.at, j.report = now, s.o.again(r, now)
	}
	return j.report
}

package hosting

import (
	"io"
	"time"

	"trustpool/bundle"
)

// recheck is how long an answer of Ready counts: to verify takes milliseconds of a
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
	At          string        `json:"at"` // when it was verified
	LastRefresh string        `json:"last_refresh"`
	Age         int64         `json:"age_seconds"` // of the last refresh that succeeded
	Failures    []string      `json:"failures"`    // of the last refresh; what they are about is served as it was
	Bundles     []ReadyBundle `json:"bundles"`
}

// A ReadyBundle is a bundle of a ReadyReport.
type ReadyBundle struct {
	Name     string  `json:"name"`
	Version  string  `json:"version"`
	SHA256   string  `json:"sha256"`
	Verified bool    `json:"verified"`
	Error    *string `json:"error"`
}

// WriteJSON writes the report as one document.
func (r ReadyReport) WriteJSON(w io.Writer) error { return bundle.WriteJSON(w, r) }

// Ready verifies again what is served, or gives the answer of the last seconds.
func (s *Server) Ready() ReadyReport {
	s.readyLock.Lock()
	defer s.readyLock.Unlock()
	now, c := s.now(), s.Catalog()
	if s.readyOf != c || now.Sub(s.readyAt) >= recheck || now.Before(s.readyAt) {
		s.readyOf, s.readyAt, s.ready = c, now, s.verifyAgain(c, now)
	}
	r := s.ready
	state := s.state.Load()
	r.LastRefresh, r.Age = stamp(state.good), int64(now.Sub(state.good)/time.Second)
	r.Failures = []string{}
	for _, f := range state.failures {
		r.Failures = append(r.Failures, f.Error())
	}
	return r
}

func (s *Server) verifyAgain(c *Catalog, now time.Time) ReadyReport {
	r := ReadyReport{Schema: "trustpool.ready/1", Ready: len(c.Entries) > 0, At: stamp(now), Bundles: []ReadyBundle{}}
	for _, e := range c.Entries {
		b := ReadyBundle{Name: e.Name, Version: e.Current.Version, SHA256: e.Current.SHA256, Verified: true}
		if err := s.trust.again(e.Current, now); err != nil {
			b.Verified, b.Error, r.Ready = false, new(err.Error()), false
		}
		r.Bundles = append(r.Bundles, b)
	}
	return r
}

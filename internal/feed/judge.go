package feed

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// Held is a bundle at hand, to compare a feed with.
type Held struct {
	File          string // what the user calls it
	Name, Version string // as the signer claims; verified if NotVerified is empty
	NotVerified   string // why not
	Certificates  []*certificate.Certificate
}

// A Needed is a root that somebody needs.
type Needed struct {
	For  string // who: need smart-licensing
	Name string // of the root, for people
	// SHA256 are the certificates, any one of them enough; empty if they are not known.
	SHA256 [][32]byte
	// Only is that it is looked for among what is removed and marked alone: a device's pool has
	// certificates that never were in the bundle.
	Only bool
}

// A Server is one whose chain was judged with the bundle at hand as it is, and without what is removed or marked.
type Server struct {
	Name    string
	Verdict string // of package reach
	Warn    bool   // it works now, and then breaks or may break
	Unknown bool   // whether it works then is not known
	Roots   [][32]byte
}

// A Question is what is asked of a feed.
type Question struct {
	Held    *Held // nil for none
	Needed  []Needed
	Servers []Server
}

// A Position is how a bundle at hand relates to a feed.
type Position string

// The positions.
const (
	Same       Position = "same"       // it is the newest version
	Behind     Position = "behind"     // the feed has newer versions
	Ahead      Position = "ahead"      // it is newer than the feed
	OtherName  Position = "other-name" // the feed is about another bundle
	NotCompare Position = "unknown"    // which is newer cannot be told
)

// A Fate is what becomes of a root.
type Fate struct {
	SHA256  []Sum       `json:"sha256"` // the certificates, any one of them enough
	Name    string      `json:"name"`
	State   State       `json:"state"`
	Version report.Text `json:"version"` // that says so
	Why     string      `json:"why"`
}

// A NeededState is what becomes of a needed root.
type NeededState struct {
	For string `json:"for"`
	Fate
	Held *bool `json:"in_bundle"` // whether the bundle at hand has it; nil without one, or if it is not known which it is
	Warn bool  `json:"warning"`
	Only bool  `json:"-"` // as of Needed
}

// A ServerState is what becomes of a server.
type ServerState struct {
	Name    string `json:"name"`
	Verdict string `json:"verdict"`
	Roots   []Fate `json:"roots"` // those that its chain leads to
	Warn    bool   `json:"warning"`
	Unknown bool   `json:"-"`
}

// A Report is what a feed says, for a question. It is advice.
type Report struct {
	Source string     // for the caller to set: what the user called the feed
	At     *time.Time // for the caller to set: of the judgement, if the user chose it
	// Evidence is for the caller to set: what the report rests on; nil to leave it out.
	Evidence *report.Evidence
	*Feed
	Marks    []Mark
	MarkedBy string // the version that marks them

	Held     *Held // nil for none
	Position Position
	Newer    []string // the versions that are newer than the bundle, the newest first
	// HeldContradictions are where feed and bundle do not agree.
	HeldContradictions []string
	Leaving            []Fate // certificates of the bundle that newer versions do not have, or that are marked

	Needed  []NeededState
	Servers []ServerState
	Gaps    []string
}

// Warnings counts the needed roots that are marked or gone, and the servers that break without them.
func (r *Report) Warnings() (n int) {
	for _, x := range r.Needed {
		if x.Warn {
			n++
		}
	}
	for _, s := range r.Servers {
		if s.Warn {
			n++
		}
	}
	return n
}

// about reports whether the feed may be about a bundle, and if not why.
func (f *Feed) about(h *Held) (Position, string) {
	if f.Name != "" && f.Name != h.Name {
		return OtherName, fmt.Sprintf("the feed is about %q, and %s is %q", report.Printable(f.Name), h.File, report.Printable(h.Name))
	}
	newest := f.Newest()
	order, err := bundle.CompareVersions(h.Version, newest)
	switch {
	case newest == "":
		return NotCompare, "the feed names no version"
	case err != nil:
		return NotCompare, err.Error()
	case order < 0:
		return Behind, ""
	case order > 0:
		return Ahead, fmt.Sprintf("%s is version %s, newer than all of the feed: the feed is old, or of another place", h.File, report.Printable(h.Version))
	}
	return Same, ""
}

// newer are the versions that are newer than a bundle, the newest first.
func (f *Feed) newer(version string) (out []string) {
	for _, v := range f.Versions {
		if order, err := bundle.CompareVersions(version, v.Version); err == nil && order < 0 {
			out = append(out, v.Version)
		}
	}
	return out
}

// Judge answers a question.
func (f *Feed) Judge(q Question) *Report {
	r := &Report{Feed: f, Held: q.Held}
	r.Marks, r.MarkedBy = f.Marked()
	held := q.Held
	if held != nil {
		var why string
		if r.Position, why = f.about(held); why != "" {
			say(&r.HeldContradictions, "%s", why)
		}
		if r.Position == Behind {
			r.Newer = f.newer(held.Version)
		}
		if r.Position == OtherName || r.Position == NotCompare {
			held = nil // it says nothing of the feed's versions
		}
	}
	s := f.states(held)
	r.HeldContradictions = append(r.HeldContradictions, s.walk.held...)
	r.Gaps = s.walk.gaps
	if held != nil {
		r.Leaving = s.leaving(held)
	}
	has := q.Held.set()
	for _, n := range q.Needed {
		state := NeededState{For: n.For, Fate: s.fate(n.Name, n.SHA256...), Only: n.Only}
		state.Warn = state.State == ToBeRemoved || state.State == Gone || state.State == NotListed && !n.Only
		if has != nil && len(n.SHA256) > 0 {
			state.Held = new(slices.ContainsFunc(n.SHA256, func(sum [32]byte) bool { return has[sum] }))
		}
		r.Needed = append(r.Needed, state)
	}
	for _, server := range q.Servers {
		state := ServerState{server.Name, server.Verdict, []Fate{}, server.Warn, server.Unknown}
		for _, root := range server.Roots {
			state.Roots = append(state.Roots, s.fate("", root))
		}
		r.Servers = append(r.Servers, state)
	}
	return r
}

// Leaving are the certificates of a bundle at hand that the feed says are removed or marked.
func (f *Feed) Leaving(h *Held) map[[32]byte]bool {
	held := h
	if p, _ := f.about(h); p == OtherName || p == NotCompare {
		held = nil // whether a list is of its version is not known
	}
	out := map[[32]byte]bool{}
	for _, x := range f.states(held).leaving(h) {
		if held != nil || x.State != NotListed {
			out[x.SHA256[0]] = true
		}
	}
	return out
}

// set are the hashes of a bundle's certificates; nil of none.
func (h *Held) set() map[[32]byte]bool {
	if h == nil {
		return nil
	}
	set := make(map[[32]byte]bool, len(h.Certificates))
	for _, c := range h.Certificates {
		set[c.SHA256] = true
	}
	return set
}

func (s *states) leaving(h *Held) (out []Fate) {
	for _, c := range h.Certificates {
		if c.Err != nil {
			continue
		}
		if x := s.fate(c.Subject.String(), c.SHA256); x.State == Gone || x.State == ToBeRemoved || x.State == NotListed {
			out = append(out, x)
		}
	}
	return out
}

// worse is the order of states, the best first.
func worse() []State { return []State{Listed, NotMentioned, ToBeRemoved, NotListed, Gone} }

// fate is what becomes of a root: the best of what becomes of its certificates.
func (s *states) fate(name string, sums ...[32]byte) Fate {
	out := Fate{SHA256: []Sum{}, Name: name, State: NotMentioned, Why: "its SHA-256 is not known, so that it was not looked for"}
	for i, sum := range sums {
		out.SHA256 = append(out.SHA256, sum)
		state, version, why := s.of(sum)
		if i == 0 || slices.Index(worse(), state) < slices.Index(worse(), out.State) {
			out.State, out.Version, out.Why = state, report.Text(version), why
		}
		out.Name = cmp.Or(out.Name, s.name(sum))
	}
	return out
}

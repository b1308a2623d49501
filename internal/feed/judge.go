package feed

import (
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

// A NeededState is what becomes of a needed root.
type NeededState struct {
	Needed
	State   State
	Version string // that says so
	Why     string
	Warn    bool
	Held    *bool // whether the bundle at hand has it; nil without one, or if it is not known which it is
}

// A ServerState is what becomes of a server.
type ServerState struct {
	Server
	Roots []NeededState // those that its chain leads to
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
	Leaving            []NeededState // certificates of the bundle that newer versions do not have, or that are marked

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
		r.Needed = append(r.Needed, s.needed(n, has))
	}
	for _, server := range q.Servers {
		state := ServerState{Server: server}
		for _, root := range server.Roots {
			state.Roots = append(state.Roots, s.needed(Needed{For: server.Name, SHA256: [][32]byte{root}, Only: true}, has))
		}
		r.Servers = append(r.Servers, state)
	}
	return r
}

// Leaving are the certificates of a bundle at hand that the feed says are removed or marked.
func (f *Feed) Leaving(h *Held) map[[32]byte]bool {
	out := map[[32]byte]bool{}
	if p, _ := f.about(h); p == OtherName || p == NotCompare {
		s := f.states(nil)
		for _, c := range h.Certificates {
			if state, _, _ := s.of(c.SHA256); state == Gone || state == ToBeRemoved {
				out[c.SHA256] = true
			}
		}
		return out
	}
	for _, n := range f.states(h).leaving(h) {
		out[n.SHA256[0]] = true
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

func (s *states) leaving(h *Held) (out []NeededState) {
	has := h.set()
	for _, c := range h.Certificates {
		if c.Err != nil {
			continue
		}
		n := s.needed(Needed{Name: c.Subject.String(), SHA256: [][32]byte{c.SHA256}}, has)
		if n.State == Gone || n.State == ToBeRemoved || n.State == NotListed {
			out = append(out, n)
		}
	}
	return out
}

// worse is the order of states, the best first.
func worse() []State { return []State{Listed, NotMentioned, ToBeRemoved, NotListed, Gone} }

// needed is what becomes of a needed root: the best of what becomes of its certificates.
// has are the certificates of the bundle at hand, nil without one.
func (s *states) needed(n Needed, has map[[32]byte]bool) NeededState {
	out := NeededState{Needed: n, State: NotMentioned, Why: "its SHA-256 is not known, so that it was not looked for"}
	for i, sum := range n.SHA256 {
		state, version, why := s.of(sum)
		if i == 0 || slices.Index(worse(), state) < slices.Index(worse(), out.State) {
			out.State, out.Version, out.Why = state, version, why
		}
		if out.Name == "" {
			out.Name = s.name(sum)
		}
		if has != nil {
			out.Held = new(has[sum] || out.Held != nil && *out.Held)
		}
	}
	out.Warn = out.State == ToBeRemoved || out.State == Gone || out.State == NotListed && !n.Only
	return out
}

package feed

import (
	"bytes"
	"cmp"
	"fmt"
	"maps"
	"slices"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// A presence is whether a certificate is in the bundle, as far as a walk has come.
type presence struct {
	in    bool
	by    *Version // that added or removed it; nil if a list shows it
	list  string   // that shows it
	epoch int
}

// A walk follows the certificates of a bundle through its versions, the oldest first.
type walk struct {
	present map[[32]byte]presence
	names   map[[32]byte]string
	// base is the list of all certificates that was met last. What it does not have was not there;
	// nothing is known of others if it is empty.
	base string
	// epoch counts the gaps: what is known from before one contradicts nothing after it.
	epoch          int
	contradictions []string // of the feed with itself
	held           []string // of the feed with the bundle at hand
	gaps           []string
}

// walk goes through all versions. held is a bundle at hand, met at its version; nil for none.
func (f *Feed) walk(held *Held) *walk {
	w := &walk{present: map[[32]byte]presence{}, names: map[[32]byte]string{}}
	var before *Version
	for i := len(f.Versions) - 1; i >= 0; i-- {
		v := f.Versions[i]
		if held != nil {
			if order, err := bundle.CompareVersions(held.Version, v.Version); err == nil && order < 0 {
				w.epoch++ // which version it came from is not known
				w.hold(held)
				held, before = nil, &Version{Version: held.Version}
			}
		}
		w.change(v, before)
		before = v
		if m := f.Manifest; m != nil && sameVersion(m.Version, v.Version) {
			w.list(string(Listing), m.Certificates, !m.Unended, false, &w.contradictions)
		}
		if held != nil && sameVersion(held.Version, v.Version) {
			w.hold(held)
			held = nil
		}
	}
	if m := f.Manifest; m != nil && m.Version == "" {
		w.epoch++
		w.list(string(Listing), m.Certificates, !m.Unended, false, &w.contradictions)
	}
	if held != nil { // it is newer than all of the feed, or of a version that is not compared
		w.epoch++
		w.hold(held)
	}
	return w
}

// change applies what a version changed. before is the version that the feed has before it.
func (w *walk) change(v, before *Version) {
	c := v.Change
	if c == nil {
		if before != nil {
			say(&w.gaps, "the feed does not say what version %s changed", v.Version)
		}
		w.gap()
		return
	}
	if before != nil && !sameVersion(c.Previous, before.Version) {
		say(&w.gaps, "before version %s there was version %s, which the feed does not have: what changed from %s to it is not known", v.Version, dash(c.Previous), before.Version)
		w.gap()
	}
	for _, x := range c.Removed {
		if p, not := w.contradicts(x, true); not {
			say(&w.contradictions, "version %s removes %s (%x), which was not there: %s", v.Version, x.Label(), x.SHA256, p.words())
		}
		w.present[x.SHA256] = presence{false, v, "", w.epoch}
	}
	removed := setOf(c.Removed)
	for _, x := range c.Added {
		if removed[x.SHA256] {
			say(&w.contradictions, "version %s adds and removes %s (%x)", v.Version, x.Label(), x.SHA256)
			continue // counts as removed
		}
		if p, not := w.contradicts(x, false); not {
			say(&w.contradictions, "version %s adds %s (%x), which was there: %s", v.Version, x.Label(), x.SHA256, p.words())
		}
		w.present[x.SHA256] = presence{true, v, "", w.epoch}
	}
	for _, x := range slices.Concat(c.Marked, c.NewlyMarked) {
		if p, not := w.contradicts(x, true); not {
			say(&w.contradictions, "version %s marks %s (%x) for removal, which is not there: %s", v.Version, x.Label(), x.SHA256, p.words())
		}
	}
}

func (w *walk) gap() {
	w.epoch++
	w.base = "" // others may have been added
}

// find is what is known of a certificate.
func (w *walk) find(c Certificate) (p presence, known bool) {
	if w.names[c.SHA256] == "" {
		w.names[c.SHA256] = c.Name
	}
	p, known = w.present[c.SHA256]
	if !known && w.base != "" {
		return presence{false, nil, w.base, w.epoch}, true
	}
	return p, known
}

// contradicts reports whether what is known of a certificate contradicts that it is in the bundle, or is not.
func (w *walk) contradicts(c Certificate, in bool) (p presence, yes bool) {
	p, known := w.find(c)
	return p, known && p.in != in && p.epoch == w.epoch
}

func (p presence) words() string {
	switch {
	case p.by == nil && p.in:
		return p.list + " lists it"
	case p.by == nil:
		return p.list + " does not list it"
	case p.in:
		return "version " + p.by.Version + " added it"
	}
	return "version " + p.by.Version + " removed it"
}

func (w *walk) hold(held *Held) {
	var list []Certificate
	for _, c := range held.Certificates {
		name := report.NotACertificate
		if c.Err == nil {
			name = c.Subject.String()
		}
		list = append(list, Certificate{c.SHA256, name})
	}
	w.list(held.File, list, true, true, &w.held)
}

// list meets a list of the certificates at a version. If it is not complete, it does not show what is not there;
// if it is not certain, a removal counts more than it does.
func (w *walk) list(name string, list []Certificate, complete, certain bool, to *[]string) {
	for _, c := range list {
		if p, not := w.contradicts(c, true); not {
			say(to, "%s lists %s (%x): %s", name, c.Label(), c.SHA256, p.words())
			if !certain && p.by != nil {
				continue
			}
		}
		w.present[c.SHA256] = presence{true, nil, name, w.epoch}
	}
	if !complete {
		return
	}
	in := setOf(list)
	for _, sum := range slices.SortedFunc(maps.Keys(w.present), func(a, b [32]byte) int { return bytes.Compare(a[:], b[:]) }) {
		p := w.present[sum]
		if in[sum] || !p.in {
			continue
		}
		if p.epoch == w.epoch {
			say(to, "%s does not list %s (%x): %s", name, Certificate{sum, w.names[sum]}.Label(), sum, p.words())
		}
		w.present[sum] = presence{false, nil, name, w.epoch}
	}
	w.base = name
}

// A State is what becomes of a certificate.
type State string

// The states.
const (
	Listed       State = "listed"        // in the newest version, and not marked
	ToBeRemoved  State = "marked"        // in it, and marked for removal from a later one
	Gone         State = "removed"       // a version removed it, and none added it since
	NotListed    State = "not-listed"    // not in the newest list of all certificates
	NotMentioned State = "not-mentioned" // no file names it, and none lists all certificates
)

// states are what a feed says of certificates.
type states struct {
	feed   *Feed
	walk   *walk
	marks  map[[32]byte]Mark
	marked string // the version that marks
	// versions are those of the feed by versionKey.
	versions map[string]*Version
}

func (f *Feed) states(held *Held) *states {
	s := &states{feed: f, walk: f.walk(held), marks: map[[32]byte]Mark{}, versions: map[string]*Version{}}
	for _, v := range f.Versions {
		s.versions[versionKey(v.Version)] = v
	}
	var marks []Mark
	marks, s.marked = f.Marked()
	for _, m := range marks {
		s.marks[m.SHA256] = m
	}
	return s
}

// of is what becomes of a certificate, why, and by which version.
func (s *states) of(sum [32]byte) (state State, version, why string) {
	p, known := s.walk.find(Certificate{SHA256: sum})
	mark, marked := s.marks[sum]
	switch {
	case known && !p.in && p.by != nil:
		return Gone, p.by.Version, "removed by version " + p.by.when()
	case known && !p.in:
		return NotListed, s.feed.Newest(), p.list + " does not list it"
	case marked:
		since := s.versions[versionKey(mark.Since)].when()
		switch {
		case mark.Newly:
			why = "newly marked for removal by version " + since
		case mark.Gap:
			why = "marked for removal since version " + since + " or another one: the feed has a gap there"
		default:
			why = "marked for removal since version " + since
		}
		return ToBeRemoved, s.marked, why
	case known:
		return Listed, s.feed.Newest(), p.words()
	}
	return NotMentioned, "", "no file of the feed names it, and none lists all certificates"
}

// when is the version and its day.
func (v *Version) when() string {
	s := report.Printable(v.Version)
	if !v.Published.IsZero() {
		s += fmt.Sprintf(" (%s)", report.Day(v.Published))
	}
	return s
}

// name is what the feed calls a certificate.
func (s *states) name(sum [32]byte) string { return cmp.Or(s.walk.names[sum], s.marks[sum].Name) }

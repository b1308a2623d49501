package explain

import (
	"slices"
	"strings"
	"sync"

	"trustpool/internal/device"
)

// An entry is one kind of message of the catalogue.
type entry struct {
	id   string // a slug; of messages with a mnemonic the platform comes before it
	kind Kind
	on   []string // the platforms that print it

	facility, mnemonic string // empty for one that is known by its parts alone
	// parts are words that it has, in this order and not far apart. Letter case
	// counts.
	parts []string

	// reason says that the message gives one, which decides what is known of it. It is
	// after the last after, or if that is empty after the first colon.
	reason bool
	after  string

	device.Ground
	meaning               string
	causes, checks, fixes by
}

// A reason is one that messages give.
type reason struct {
	texts []string // what it begins with, any of them
	on    []string // platforms; nil for any
	cssm  bool     // of Cisco's own server alone, not of a utility or server near the device
	open  bool     // what follows the beginning belongs to it
	whole bool     // what follows it makes no other reason of it, and is left out

	device.Ground
	meaning               string
	causes, checks, fixes by
}

// by has notes for platforms, and under "" those for all.
type by map[string][]device.Note

// of are the notes for a platform, or if it is not known for each of some, and then
// those for all.
func (b by) of(platform string, some []string) (out []device.Note) {
	if platform != "" {
		some = []string{platform}
	}
	add := func(notes []device.Note) {
		for _, n := range notes {
			if !slices.ContainsFunc(out, func(o device.Note) bool { return o.Text == n.Text }) {
				out = append(out, n)
			}
		}
	}
	for _, p := range some {
		add(b[p])
	}
	add(b[""])
	return out
}

var byMnemonic = sync.OnceValue(func() map[string][]*entry {
	index := map[string][]*entry{}
	for i, list := 0, catalogue(); i < len(list); i++ {
		if e := &list[i]; e.facility != "" {
			key := e.facility + "-" + e.mnemonic
			index[key] = append(index[key], e)
		}
	}
	return index
})

var wordEntries = sync.OnceValue(func() (out []*entry) {
	for i, list := 0, catalogue(); i < len(list); i++ {
		if list[i].facility == "" {
			out = append(out, &list[i])
		}
	}
	return out
})

var allReasons = sync.OnceValue(reasons)

// lookup finds the entry of a message; nil if there is none.
func lookup(m *message) *entry {
	for _, e := range byMnemonic()[m.facility+"-"+m.mnemonic] {
		if slices.Contains(e.on, m.platform) && hasAll(m.body[:min(len(m.body), maxSpan)], e.parts) {
			return e
		}
	}
	return nil
}

// findReason finds the reason of a message; nil if it is not known.
func findReason(m *message) *reason {
	e := lookup(m)
	if e == nil {
		return nil
	}
	r, _ := e.reasonOf(m, m.platform)
	return r
}

// reasonOf is the reason that a message gives, nil if it is not known, and its text.
func (e *entry) reasonOf(m *message, platform string) (*reason, string) {
	text := m.body
	if e.facility == "" {
		text = ":" + text // what follows its words
	}
	if e.after == "" {
		_, text, _ = strings.Cut(text, ":")
	} else if i := strings.LastIndex(text, e.after); i >= 0 {
		text = text[i+len(e.after):]
	} else {
		text = ""
	}
	if next := tokens().FindStringIndex(text); next != nil { // of a line that has another message
		text = nextHead().ReplaceAllString(text[:next[0]], "")
	}
	text = strings.Join(strings.Fields(text), " ")
	text, _, _ = strings.Cut(text, " for udi ")
	text = strings.TrimLeft(strings.TrimPrefix(text, "Reason:"), " :")
	near := strings.Contains(m.body, "(CSLU)") || strings.Contains(m.body, "On-Prem")
	for rest := text; ; {
		for i := range allReasons() {
			r := &allReasons()[i]
			if r.cssm && near || r.on != nil && platform != "" && !slices.Contains(r.on, platform) {
				continue
			}
			for _, begin := range r.texts {
				if indexWord(rest[:min(len(rest), len(begin)+1)], begin) != 0 {
					continue
				}
				end := len(begin)
				if !r.open {
					if r.whole || ends(rest[end:]) {
						return r, begin
					}
					continue
				}
				if i := strings.Index(rest[end:], ". "); i >= 0 {
					rest = rest[:end+i]
				}
				return r, shorten(strings.TrimRight(rest, " .):|"), MaxReason)
			}
		}
		_, after, ok := strings.Cut(rest, ": ")
		if !ok {
			break
		}
		rest = strings.TrimSpace(after)
	}
	return nil, shorten(strings.Trim(text, " .)<>|`"), MaxReason)
}

// ends reports whether a reason is over where rest begins: at the end, or because
// another message or field begins there. Anything else is a part of the reason, and
// makes another of it.
func ends(rest string) bool {
	if strings.Trim(rest, " .,;:)>\"'|]}`*") == "" || strings.HasPrefix(rest, "</") || strings.HasPrefix(rest, "<br") { // perhaps of a page
		return true
	}
	rest = strings.TrimLeft(rest, " .%")
	if field().MatchString(rest) {
		return true
	}
	return slices.ContainsFunc(wordEntries(), func(e *entry) bool { return strings.HasPrefix(rest, e.parts[0]) })
}

// prefixes of IDs.
func idPrefix(platform string) string {
	switch platform {
	case iosxe:
		return "xe-"
	case iosxr:
		return "xr-"
	}
	return platform + "-"
}

// finding is what is known of a message.
func (e *entry) finding(m *message) Finding {
	f := Finding{ID: e.id, Kind: e.kind, Ground: e.Ground, Meaning: e.meaning, Platforms: names(e.on)}
	platform := m.platform
	switch {
	case e.facility != "":
		f.ID = idPrefix(platform) + e.id
		f.Platforms = names([]string{platform})
	case len(e.on) == 1:
		platform = e.on[0]
	case !slices.Contains(e.on, platform):
		platform = ""
	default:
		f.Platforms = names([]string{platform})
	}
	if !e.reason {
		f.Causes, f.Checks, f.Fixes = e.causes.of(platform, e.on), e.checks.of(platform, e.on), e.fixes.of(platform, e.on)
		return f
	}
	r, text := e.reasonOf(m, platform)
	f.HasReason, f.Reason, f.ReasonKnown = true, text, r != nil
	if r == nil {
		r = unknownReason(text == "")
	} else {
		f.Meaning += ": " + r.meaning
		f.Ground = r.Ground
		if platform == "" && r.on != nil {
			f.Platforms = names(r.on)
		}
	}
	on := e.on
	if r.on != nil {
		on = r.on
	}
	f.Causes, f.Checks, f.Fixes = r.causes.of(platform, on), r.checks.of(platform, on), r.fixes.of(platform, on)
	return f
}

// names are platforms as device.Lookup knows them, with ios beside iosxe.
func names(platforms []string) (out []string) {
	for _, p := range platforms {
		if p == iosxe {
			out = append(out, "ios")
		}
		out = append(out, p)
	}
	return out
}

// find says where in a line the message begins, each time that it is there.
func (e *entry) find(line string) (begins []int) {
	for at := 0; ; {
		i := indexWord(line[at:], e.parts[0])
		if i < 0 {
			return begins
		}
		begin := at + i
		at = begin + len(e.parts[0])
		// The message ends where another of its kind begins.
		rest := line[at:min(len(line), at+maxSpan)]
		if next := indexWord(rest, e.parts[0]); next >= 0 {
			rest = rest[:next]
		}
		if hasAll(rest, e.parts[1:]) {
			begins = append(begins, begin)
		}
	}
}

func hasAll(s string, parts []string) bool {
	for _, p := range parts {
		i := indexWord(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// indexWord is strings.Index for a text that is not a part of longer words.
func indexWord(s, text string) int {
	for at := 0; ; {
		i := strings.Index(s[at:], text)
		if i < 0 {
			return -1
		}
		begin, end := at+i, at+i+len(text)
		if (begin == 0 || !wordPart(s[begin-1]) || !wordPart(text[0])) && (end == len(s) || !wordPart(s[end]) || !wordPart(text[len(text)-1])) {
			return begin
		}
		at = begin + 1
	}
}

func wordPart(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

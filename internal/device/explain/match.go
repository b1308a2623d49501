package explain

import (
	"slices"
	"strings"

	"trustpool/internal/device"
)

// of are the notes of a kind for a platform, or if it is not known for each of some,
// and then those for all.
func (s *statements) of(kind, platform string, some []string) []device.Note {
	if platform != "" {
		some = []string{platform}
	}
	out := []device.Note{}
	for _, p := range append(slices.Clone(some), "") {
		for _, n := range s.notes[strings.TrimSuffix(kind+"."+p, ".")] {
			if !slices.ContainsFunc(out, func(o device.Note) bool { return o.Text == n.Text }) {
				out = append(out, n)
			}
		}
	}
	return out
}

// lookup finds the entry of a message; nil if there is none.
func lookup(m *message) *entry {
	for _, e := range known().byMnemonic[m.facility+"-"+m.mnemonic] {
		if slices.Contains(e.on, m.platform) && hasAll(m.body[:min(len(m.body), maxSpan)], e.parts) {
			return e
		}
	}
	return nil
}

// reasonOf is the reason that a message gives, nil if it is not known, and its text.
func (e *entry) reasonOf(m *message, platform string) (*reason, string) {
	text := m.body
	if e.mnemonic == "" {
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
		for _, r := range known().reasons {
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
	if strings.Trim(rest, " .,;:)>\"'|]}`*") == "" || strings.HasPrefix(rest, "</") || strings.HasPrefix(rest, "<br") || strings.HasPrefix(rest, " | ") { // perhaps of a page or a table
		return true
	}
	rest = strings.TrimLeft(rest, " .%")
	if field().MatchString(rest) {
		return true
	}
	return slices.ContainsFunc(known().byWords, func(e *entry) bool { return strings.HasPrefix(rest, e.parts[0]) })
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
	case e.mnemonic != "":
		f.ID = idPrefix(platform) + e.id
		f.Platforms = names([]string{platform})
	case len(e.on) == 1:
		platform = e.on[0]
	case !slices.Contains(e.on, platform):
		platform = ""
	default:
		f.Platforms = names([]string{platform})
	}
	said := &e.statements
	if e.reason {
		r, text := e.reasonOf(m, platform)
		f.Reason, f.ReasonKnown = &text, new(r != nil)
		switch {
		case r != nil:
			f.Meaning += ": " + r.meaning
			f.Ground = r.Ground
			if platform == "" && r.on != nil {
				f.Platforms = names(r.on)
			}
			said = &r.statements
		case text == "":
			said = known().groups["none-given"]
		default:
			said = known().groups["not-known"]
		}
	}
	on := said.on
	if on == nil {
		on = e.on
	}
	f.Causes, f.Checks, f.Fixes = said.of("cause", platform, on), said.of("check", platform, on), said.of("fix", platform, on)
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

package explain

import (
	_ "embed"
	"fmt"
	"os"
	"strings"
	"sync"

	"trustpool/internal/device"
)

// A catalogue is what is known of messages, as catalogue.txt says it.
type catalogue struct {
	messages   []*entry
	reasons    []*reason
	groups     map[string]*statements
	byMnemonic map[string][]*entry
	byWords    []*entry // those without a mnemonic
}

// An entry is one kind of message.
type entry struct {
	id       string // a slug; of messages with a mnemonic the platform comes before it
	kind     Kind
	mnemonic string // FACILITY-MNEMONIC; empty for one that is known by its parts alone
	parts    []string
	reason   bool
	after    string // the words before the reason; empty for the first colon
	statements
}

// A reason is one that messages give.
type reason struct {
	texts             []string
	cssm, open, whole bool
	statements
}

// Statements are what an entry or a reason says.
type statements struct {
	on []string // platforms; nil for any
	device.Ground
	meaning string
	// notes are those called cause, check and fix; for one platform with a dot and its
	// name behind that.
	notes map[string][]device.Note
}

//go:embed catalogue.txt
var catalogueText string

// known is the catalogue; a test holds that it can be read.
var known = sync.OnceValue(func() *catalogue {
	c, _ := readCatalogue(catalogueText)
	return c
})

// readCatalogue reads a catalogue, in the form that the beginning of catalogue.txt has.
func readCatalogue(text string) (*catalogue, error) {
	c := &catalogue{groups: map[string]*statements{}, byMnemonic: map[string][]*entry{}}
	sources := map[string]string{}
	e, r, s := &entry{}, &reason{}, &statements{} // those of the line
	for number, line := range strings.Split(text, "\n") {
		word, rest, _ := strings.Cut(strings.TrimSpace(line), " ")
		rest = strings.TrimLeft(rest, " ")
		name, more, _ := strings.Cut(rest, " ")
		ok := true
		switch word {
		case "", "#":
		case "source":
			sources[name] = strings.TrimLeft(more, " ")
		case "group":
			s = &statements{notes: map[string][]device.Note{}}
			c.groups[name] = s
		case "message":
			kind, platforms, _ := strings.Cut(more, " ")
			e = &entry{id: name, kind: Kind(kind), statements: statements{on: strings.Fields(platforms), notes: map[string][]device.Note{}}}
			s = &e.statements
			c.messages = append(c.messages, e)
		case "reason":
			r = &reason{statements: statements{notes: map[string][]device.Note{}}}
			if rest != "" {
				r.on = strings.Fields(rest)
			}
			s = &r.statements
			c.reasons = append(c.reasons, r)
		case "mnemonic":
			e.mnemonic = rest
			c.byMnemonic[rest] = append(c.byMnemonic[rest], e)
		case "words":
			if e.parts = append(e.parts, rest); e.mnemonic == "" && len(e.parts) == 1 {
				c.byWords = append(c.byWords, e)
			}
		case "after":
			e.reason, e.after = true, strings.TrimPrefix(rest, ":")
		case "text":
			r.texts = append(r.texts, rest)
		case "cssm":
			r.cssm = true
		case "open":
			r.open = true
		case "whole":
			r.whole = true
		case "use":
			var group *statements
			if group, ok = c.groups[name]; ok {
				for kind, notes := range group.notes {
					s.notes[kind] = append(s.notes[kind], notes...)
				}
			}
		default:
			var n device.Note
			n, ok = readStatement(rest, sources)
			if word == "meaning" {
				s.meaning, s.Ground = n.Text, n.Ground
			} else {
				s.notes[word] = append(s.notes[word], n)
			}
		}
		if !ok {
			return nil, fmt.Errorf("line %d: %q cannot be read", number+1, line)
		}
	}
	return c, nil
}

// readStatement takes "TEXT (BASIS: SOURCE)" apart.
func readStatement(text string, sources map[string]string) (n device.Note, ok bool) {
	at := strings.LastIndex(text, " (")
	if at < 0 || !strings.HasSuffix(text, ")") {
		return n, false
	}
	basis, source, ok := strings.Cut(text[at+2:len(text)-1], ": ")
	if !ok {
		source = "general knowledge, no source seen"
	}
	source = os.Expand(source, func(name string) string { return sources[name] })
	return device.Note{Text: text[:at], Ground: device.Ground{Basis: device.Basis(basis), Source: source}}, true
}

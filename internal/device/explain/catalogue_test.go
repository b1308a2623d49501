package explain

import (
	"slices"
	"strings"
	"testing"

	"trustpool/internal/device"
)

// The catalogue can be read, and every statement in it has a kind, a basis, a source and
// platforms that exist.
func TestCatalogue(t *testing.T) {
	t.Parallel()
	c, err := readCatalogue(catalogueText)
	if err != nil {
		t.Fatal(err)
	}
	platforms := []string{iosxe, iosxr, asa, ftd, fxos, nxos}
	ground := func(name string, g device.Ground) {
		if g.Source == "" || strings.Contains(g.Source, "$") || !slices.Contains([]device.Basis{device.Confirmed, device.Inferred, device.Unverified}, g.Basis) {
			t.Errorf("%s: %+v", name, g)
		}
	}
	check := func(name string, s *statements) {
		for _, p := range s.on {
			if !slices.Contains(platforms, p) {
				t.Errorf("%s: %s", name, p)
			}
		}
		for word, notes := range s.notes {
			kind, p, ok := strings.Cut(word, ".")
			if !slices.Contains([]string{"cause", "check", "fix"}, kind) || ok && !slices.Contains(platforms, p) {
				t.Errorf("%s: %s", name, word)
			}
			for _, n := range notes {
				ground(name+" "+word, n.Ground)
			}
		}
	}
	for _, e := range c.messages {
		check(e.id, &e.statements)
		ground(e.id, e.Ground)
		if !slices.Contains([]Kind{Problem, Good, Note}, e.kind) || len(e.on) == 0 || e.meaning == "" || e.mnemonic == "" && len(e.parts) == 0 {
			t.Errorf("%+v", e)
		}
	}
	for _, r := range c.reasons {
		name := strings.Join(r.texts, ", ")
		check(name, &r.statements)
		ground(name, r.Ground)
		if len(r.texts) == 0 || r.meaning == "" {
			t.Errorf("%+v", r)
		}
	}
	for name, s := range c.groups {
		check(name, s)
	}
	for _, name := range []string{"not-known", "none-given"} {
		if c.groups[name] == nil {
			t.Errorf("no group %s", name)
		}
	}
}

// What is not a catalogue is an error with its line.
func TestCatalogueErrors(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"cause a text", "cause a (b", "use lab", "meaning", "lab"} {
		if _, err := readCatalogue("message lab note iosxe\n" + line + "\n"); err == nil || !strings.HasPrefix(err.Error(), "line 2: ") {
			t.Errorf("%s: %v", line, err)
		}
	}
}

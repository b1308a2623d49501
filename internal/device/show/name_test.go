package show_test

import (
	"slices"
	"strings"
	"testing"
	"unicode"

	"trustpool/internal/device/show"
	"trustpool/internal/report"
)

func TestNameLines(t *testing.T) {
	t.Parallel()
	for name, want := range map[string][]string{
		"":                                nil,
		"CN=a,O=b":                        {"cn=a", "o=b"},
		`CN=a\,b\, c,O=d`:                 {"cn=a", " b", " c", "o=d"},
		`CN=a\+b+OU=c,serialNumber=1`:     {"cn=a+b+ou=c", "serialNumber=1"},
		`CN=a\0Ab\20,O=\C3\A9`:            {`cn=a\x0ab\x20`, "o=é"},
		"1.2.3=#0C0178,C=x":               {"1.2.3=#0C0178", "c=x"},
		`CN=a=b,O=\#c`:                    {"cn=a=b", "o=#c"},
		"no attribute, and no other+word": {"no attribute", " and no other+word"},
		`CN=ends in a backslash\`:         {`cn=ends in a backslash\`},
	} {
		if got := show.NameLines(name, show.IOSXE); !slices.Equal(got, want) {
			t.Errorf("%q: %q, want %q", name, got, want)
		}
	}
	if got := show.NameLines(`CN=a\ `, show.IOSXR); !slices.Equal(got, []string{`CN=a\20`}) {
		t.Errorf("%q", got)
	}
}

// No name ends a line, and no letter of one is lost.
func FuzzNameLines(f *testing.F) {
	for _, name := range []string{"CN=a,O=b", `CN=a\,b,OU=\0A+C=x`, "x", "=,+,=", `\`, "CN=\u202e\n"} {
		f.Add(name)
	}
	letters := func(s string) int {
		n := 0
		for _, r := range s {
			if unicode.IsLetter(r) {
				n++
			}
		}
		return n
	}
	f.Fuzz(func(t *testing.T, name string) {
		for _, style := range show.Styles() {
			all := strings.Join(show.NameLines(name, style), "")
			if report.Printable(all) != all || strings.ContainsAny(all, "\r\n") {
				t.Errorf("%s: %q is shown as %q", style, name, all)
			}
			if !strings.Contains(name, `\`) && letters(all) < letters(name) {
				t.Errorf("%s: %q is shown as %q: a letter is lost", style, name, all)
			}
		}
	})
}

package pool_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/device/show"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
)

func printed(t *testing.T, p *pool.Pool, style show.Style) (text string, incomplete int) {
	t.Helper()
	list, incomplete := p.Show(style)
	var b bytes.Buffer
	if err := show.Print(&b, style, list); err != nil {
		t.Fatal(err)
	}
	return b.String(), incomplete
}

// A pool that is known by fields alone is shown as one with its certificates is.
func TestShowFields(t *testing.T) {
	t.Parallel()
	data := tooltest.Bundle(t, "lab-core-v1.p7b")
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	known := &pool.Pool{Platform: "iosxe", Entries: pool.Of(b.Certificates)}
	for i := range known.Entries {
		known.Entries[i].Origin = pool.Downloaded
	}
	fields := &pool.Pool{Platform: "iosxe", Entries: slices.Clone(known.Entries)}
	for i := range fields.Entries {
		fields.Entries[i] = pool.EntryOf(b.Certificates[i], pool.Downloaded)
		fields.Entries[i].Certificate = nil
	}
	for _, style := range show.Styles() {
		want, _ := printed(t, known, style)
		got, incomplete := printed(t, fields, style)
		if incomplete != 0 || len(want) < 1000 {
			t.Errorf("%s: %d incomplete, %d bytes", style, incomplete, len(want))
		}
		if got != want {
			t.Errorf("%s:\n%s\nwant\n%s", style, got, want)
		}
	}
}

// Built-in pools are shown as captures have them, and read back.
func TestShowBuiltIn(t *testing.T) {
	t.Parallel()
	for name, style := range map[string]show.Style{"iosxe": show.IOSXE, "iosxr": show.IOSXR} {
		platform, err := device.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		p := platform.BuiltIn()
		text, incomplete := printed(t, p, style)
		list, err := show.Read([]byte(text), style)
		if err != nil || len(list) != len(p.Entries) || incomplete != 0 {
			t.Fatalf("%s: %d read of %d, %d incomplete: %v", name, len(list), len(p.Entries), incomplete, err)
		}
		if strings.Count(text, "Trustpool: Built-In") != len(p.Entries) {
			t.Errorf("%s:\n%s", name, text)
		}
	}
}

// Nothing in a pool file can end a line, and nothing of a name is lost.
func TestShowHostile(t *testing.T) {
	t.Parallel()
	p := &pool.Pool{Platform: "iosxe", Entries: []pool.Entry{
		{Origin: pool.Downloaded, Serial: "01", Subject: "no attribute, at\nall+and more", Issuer: `CN=a\,b\0Ac\,,O=d+e=f\+`},
		{Origin: pool.BuiltIn, Serial: "02", Shown: &pool.Shown{Subject: []string{"cn=x\n  Trustpool: Built-In"}, Issuer: []string{"\u202ecn"}}},
	}}
	for _, style := range show.Styles() {
		text, incomplete := printed(t, p, style)
		if incomplete != 2 || strings.Count(text, "\n  Trustpool: Built-In") > 1 || strings.Contains(text, "\u202e") {
			t.Errorf("%s: %d incomplete:\n%s", style, incomplete, text)
		}
		for _, word := range []string{"no attribute", "all", "and more", "cn=x"} {
			if !strings.Contains(text, word) {
				t.Errorf("%s: %q is lost:\n%s", style, word, text)
			}
		}
	}
}

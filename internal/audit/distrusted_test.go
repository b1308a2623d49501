package audit

import (
	"crypto/sha1"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
)

// What is known to be distrusted is found by certificate, and by key in another
// certificate; anything else is not.
func TestKnownDistrusted(t *testing.T) {
	t.Parallel()
	a := newAuditor(Subject{Entries: make([]pool.Entry, 1)}, Criteria{})
	find := func(c *certificate.Certificate) string {
		_, detail := knownDistrusted(a, Item{1, &pool.Entry{Certificate: c}})
		return detail
	}
	for _, d := range KnownDistrusted() {
		if d.Name == "" || d.Why == "" || d.Source == "" || !strings.HasPrefix(d.Date, "20") || d.Date > distrustedAsOf {
			t.Errorf("%+v", d)
		}
		sum, key := *pinned("", d.SHA256, "").SHA256, *pinned("", d.SPKI, "").SHA256
		a.keys[0] = [32]byte{}
		if detail := find(&certificate.Certificate{SHA256: sum}); !strings.HasPrefix(detail, d.Why) {
			t.Errorf("%s by certificate: %q", d.Name, detail)
		}
		a.keys[0] = key
		if detail := find(&certificate.Certificate{}); !strings.Contains(detail, "it has the key of ") || !strings.Contains(detail, d.Why[:9]) {
			t.Errorf("%s by key: %q", d.Name, detail)
		}
	}
	a.keys[0] = [32]byte{1}
	if detail := find(&certificate.Certificate{SHA256: [32]byte{1}}); detail != "" {
		t.Error(detail)
	}
}

// The hashes of one entry are those of one certificate, where a genuine bundle or
// the system has it.
func TestHashesBelongTogether(t *testing.T) {
	t.Parallel()
	type hashes struct{ sha1, spki string }
	want := map[string]hashes{}
	for _, d := range KnownDistrusted() {
		want[d.SHA256] = hashes{d.SHA1, d.SPKI}
		if d.SHA1 != "" && (len(d.SHA1) != 40 || strings.Trim(d.SHA1, "0123456789abcdef") != "") {
			t.Errorf("%s: %q is no SHA-1", d.Name, d.SHA1)
		}
	}
	for _, n := range Needs() {
		for _, r := range n.Roots {
			want[fmt.Sprintf("%x", *r.SHA256)] = hashes{sha1: r.SHA1}
		}
	}
	files, err := filepath.Glob("/usr/share/ca-certificates/mozilla/*.crt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, tooltest.Corpus(t, tooltest.Core2017), tooltest.Corpus(t, tooltest.IOS2016), tooltest.Corpus(t, tooltest.IOS2021)) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Certificates {
			h, ok := want[fmt.Sprintf("%x", c.SHA256)]
			if got := fmt.Sprintf("%x", sha1.Sum(c.Raw)); ok && got != h.sha1 {
				t.Errorf("%s: SHA-1 %s, not %q", c.Subject, got, h.sha1)
			}
			if got := fmt.Sprintf("%x", c.KeyID()); ok && h.spki != "" && got != h.spki {
				t.Errorf("%s: key %s, not %s", c.Subject, got, h.spki)
			}
		}
	}
}

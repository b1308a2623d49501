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
	"trustpool/internal/distrust"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
)

// What the list has is found by certificate, and by key in another certificate, by
// the rule of its kind; anything else is not.
func TestKnownDistrusted(t *testing.T) {
	t.Parallel()
	a := newAuditor(Subject{Entries: make([]pool.Entry, 1)}, Criteria{})
	find := func(k distrust.Kind, c *certificate.Certificate) string {
		rule := knownDistrusted
		if k == distrust.DistrustedAfter {
			rule = distrustAfter
		}
		_, detail := rule(a, Item{1, &pool.Entry{Certificate: c}})
		return detail
	}
	for _, s := range distrust.List() {
		if s.Kind == distrust.NotTrusted {
			continue
		}
		sum, key := *pinned("", s.SHA256, "").SHA256, *pinned("", s.Key, "").SHA256
		a.keys[0] = [32]byte{}
		if detail := find(s.Kind, &certificate.Certificate{SHA256: sum}); !strings.Contains(detail, s.Why) || !strings.Contains(detail, s.After) {
			t.Errorf("%s by certificate: %q", s.Name, detail)
		}
		a.keys[0] = key
		if detail := find(s.Kind, &certificate.Certificate{}); !strings.Contains(detail, "it has the key of ") || !strings.Contains(detail, s.Why[:6]) {
			t.Errorf("%s by key: %q", s.Name, detail)
		}
		for _, hash := range []string{s.SHA256, s.SHA1} {
			e := pool.Entry{SHA1: hash}
			if len(hash) == 64 {
				e = pool.Entry{SHA256: hash}
			}
			rule := knownDistrusted
			if s.Kind == distrust.DistrustedAfter {
				rule = distrustAfter
			}
			if applies, detail := rule(a, Item{1, &e}); hash != "" && (!applies || !strings.Contains(detail, s.Why[:6])) {
				t.Errorf("%s in a pool, by %s: %t %q", s.Name, hash, applies, detail)
			}
		}
	}
	a.keys[0] = [32]byte{1}
	for _, k := range []distrust.Kind{distrust.Distrusted, distrust.DistrustedAfter} {
		if detail := find(k, &certificate.Certificate{SHA256: [32]byte{1}}); detail != "" {
			t.Error(detail)
		}
	}
}

// The hashes of a need's root are those of one certificate, if a genuine bundle or
// the system has it.
func TestHashesBelongTogether(t *testing.T) {
	t.Parallel()
	want := map[string]string{} // SHA-1 by SHA-256
	for _, n := range Needs() {
		for _, r := range n.Roots {
			want[fmt.Sprintf("%x", *r.SHA256)] = r.SHA1
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
			sum, ok := want[fmt.Sprintf("%x", c.SHA256)]
			if got := fmt.Sprintf("%x", sha1.Sum(c.Raw)); ok && got != sum {
				t.Errorf("%s: SHA-1 %s, not %q", c.Subject, got, sum)
			}
		}
	}
}

package audit

import (
	"crypto/sha1"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/signing"
)

var updateKnown = flag.Bool("update-known", false, "add to known.txt what the roots that the tests find say")

// Every root of genuine bundles and of the system whose self-signature is good is
// known, and none that is known has another answer.
func TestKnown(t *testing.T) {
	t.Parallel()
	lines := strings.Fields(knownGood)
	if !slices.IsSorted(lines) || len(slices.Compact(slices.Clone(lines))) != len(lines) {
		t.Error("known.txt is not sorted, or has something twice")
	}
	for _, l := range lines {
		if len(l) != knownLine-1 {
			t.Fatalf("known.txt: %q", l)
		}
	}
	system, err := filepath.Glob("/usr/share/ca-certificates/mozilla/*.crt")
	if err != nil {
		t.Fatal(err)
	}
	files := append(system, tooltest.Corpus(t, tooltest.Core2017), tooltest.Corpus(t, tooltest.IOS2016), tooltest.Corpus(t, tooltest.IOS2021))
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Certificates {
			sum := fmt.Sprintf("%x", c.SHA256)
			_, known := slices.BinarySearch(lines, sum)
			good := signing.CheckSelfSignature(c) == nil
			switch {
			case good && !known && *updateKnown:
				i, _ := slices.BinarySearch(lines, sum)
				lines = slices.Insert(lines, i, sum)
			case known && !good:
				t.Errorf("%s: %s is known to be good, and is not", file, sum)
			case good && !known && !slices.Contains(system, file): // the system's roots change
				t.Errorf("%s: %s is good, and not known: go test -run TestKnown . -update-known", file, sum)
			}
		}
	}
	if *updateKnown {
		if err := os.WriteFile("known.txt", []byte(strings.Join(lines, "\n")+"\n"), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// What is not known is computed.
func TestSelfSignature(t *testing.T) {
	t.Parallel()
	for _, q := range pkitest.Quirks() {
		b, err := bundle.Parse(pkitest.CertsOnly(q.DER, pkitest.Lab().Root.DER))
		if err != nil {
			t.Fatal(err)
		}
		if c := b.Certificates[0]; c.Err == nil {
			if got, want := selfSignature(c), signing.CheckSelfSignature(c); fmt.Sprint(got) != fmt.Sprint(want) {
				t.Errorf("%s: %v, not %v", q.Name, got, want)
			}
		}
	}
}

// What is known to be distrusted is found by certificate, and by key in another
// certificate; anything else is not.
func TestKnownDistrusted(t *testing.T) {
	t.Parallel()
	a := newAuditor(Subject{Certificates: make([]*certificate.Certificate, 1)}, Options{})
	for _, d := range KnownDistrusted() {
		if d.Name == "" || d.Why == "" || d.Source == "" || !strings.HasPrefix(d.Date, "20") || d.Date > DistrustedAsOf {
			t.Errorf("%+v", d)
		}
		sum, key := *pinned("", d.SHA256, "").SHA256, *pinned("", d.SPKI, "").SHA256
		a.keys[0] = [32]byte{}
		if _, detail := knownDistrusted(a, 0, &certificate.Certificate{SHA256: sum}); !strings.HasPrefix(detail, d.Why) {
			t.Errorf("%s by certificate: %q", d.Name, detail)
		}
		a.keys[0] = key
		if _, detail := knownDistrusted(a, 0, &certificate.Certificate{}); !strings.Contains(detail, "it has the key of ") || !strings.Contains(detail, d.Why[:9]) {
			t.Errorf("%s by key: %q", d.Name, detail)
		}
	}
	a.keys[0] = [32]byte{1}
	if _, detail := knownDistrusted(a, 0, &certificate.Certificate{SHA256: [32]byte{1}}); detail != "" {
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

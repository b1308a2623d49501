package device_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

// at is when the tests import: all of the lab is valid then.
var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func parse(t testing.TB, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// fixture reads a bundle of testdata.
func fixture(t testing.TB, name string) *bundle.Bundle {
	t.Helper()
	return parse(t, tooltest.Bundle(t, name))
}

// signed is a bundle of the lab's signer.
func signed(t testing.TB, certificates ...[]byte) *bundle.Bundle {
	t.Helper()
	return parse(t, pkitest.Bundle(pkitest.Lab().Signer, "Test Bundle", "1", at, certificates...))
}

// labAnchor is the root that signed bundles lead to.
func labAnchor(t testing.TB) []roots.Anchor {
	t.Helper()
	a, err := roots.FromCertificate(parse(t, pkitest.Lab().Root.DER).Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	return []roots.Anchor{a}
}

func platform(t testing.TB, name string) device.Platform {
	t.Helper()
	p, err := device.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// lab are the options of a lab device.
func lab(t testing.TB, name string) device.ImportOptions {
	t.Helper()
	return device.ImportOptions{Platform: platform(t, name), Anchors: labAnchor(t), At: at}
}

// doImport imports and checks what holds for every result.
func doImport(t testing.TB, p *pool.Pool, b *bundle.Bundle, o device.ImportOptions) *device.ImportReport {
	t.Helper()
	before := 0
	if p != nil {
		before = len(p.Entries)
	}
	r, err := device.Import(p, b, o)
	if err != nil {
		t.Fatal(err)
	}
	if sum := r.Installed + r.Duplicates + r.Expired + r.Failed; r.Attempted != sum || r.Attempted != len(r.Certificates) {
		t.Errorf("attempted %d, the others %d, entries %d", r.Attempted, sum, len(r.Certificates))
	}
	count := map[device.Outcome]int{}
	for i, e := range r.Certificates {
		count[e.Outcome]++
		if e.Index != i+1 || e.Certificate != b.Certificates[i] {
			t.Errorf("entry %d is at %d, or of another certificate", e.Index, i+1)
		}
		if e.Reason == "" || e.Basis == "" || e.Source == "" || (e.MatchedBy != "") != (e.Outcome == device.Duplicate) {
			t.Errorf("entry %d is incomplete: %+v", e.Index, e)
		}
	}
	if got := [4]int{count[device.Installed], count[device.Duplicate], count[device.Expired], count[device.Failed]}; got != counts(r) {
		t.Errorf("counts %v, entries %v", counts(r), got)
	}
	if r.Refused != "" && (r.Attempted != 0 || r.RefusedOn.Basis == "" || r.RefusedOn.Source == "") {
		t.Errorf("refused with %d attempted, on %+v", r.Attempted, r.RefusedOn)
	}
	for _, n := range r.Notes {
		if n.Text == "" || n.Basis == "" || n.Source == "" {
			t.Errorf("note %+v", n)
		}
	}
	if p != nil && !o.Clean && len(p.Entries) != before+r.Installed {
		t.Errorf("the pool went from %d to %d entries with %d installed", before, len(p.Entries), r.Installed)
	}
	return r
}

// counts are installed, duplicates, expired, failed.
func counts(r *device.ImportReport) [4]int {
	return [4]int{r.Installed, r.Duplicates, r.Expired, r.Failed}
}

// corpus reads a genuine bundle of TRUSTPOOL_CORPUS.
func corpus(t testing.TB, name string) *bundle.Bundle {
	t.Helper()
	dir := os.Getenv("TRUSTPOOL_CORPUS")
	if dir == "" {
		if os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
			t.Fatal("TRUSTPOOL_CORPUS is not set, and TRUSTPOOL_REQUIRE_TOOLS is")
		}
		t.Skip("TRUSTPOOL_CORPUS is not set: genuine bundles are not tested")
	}
	data, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

// newRoot is an ordinary root; change may alter it.
func newRoot(name string, change func(*pkitest.Template)) []byte {
	t := pkitest.RootTemplate(pkitest.NewName("O=Device Test", "CN="+name), pkitest.RSA("alder"))
	if change != nil {
		change(&t)
	}
	return t.Sign(nil)
}

func same[T any](t testing.TB, what string, got, want T) {
	t.Helper()
	if g, w := fmt.Sprintf("%+v", got), fmt.Sprintf("%+v", want); g != w {
		t.Errorf("%s:\n got %s\nwant %s", what, g, w)
	}
}

package bundle_test

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func read(t testing.TB, path string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parsePool(t, data)
}

// fixture reads a bundle below testdata.
func fixture(t testing.TB, name string) *bundle.Bundle {
	t.Helper()
	return read(t, filepath.Join("..", "testdata", "bundles", name))
}

func parsePool(t testing.TB, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pool makes a bundle of certificates.
func pool(t testing.TB, certificates ...[]byte) *bundle.Bundle {
	t.Helper()
	return parsePool(t, pkitest.CertsOnly(certificates...))
}

// root makes a root that is told apart by name, key and serial number.
func root(name, key string, serial byte) []byte {
	template := pkitest.RootTemplate(pkitest.NewName("CN="+name), pkitest.ECDSA(key, elliptic.P256()))
	if name == "" {
		template.Subject = nil
	}
	template.Serial = []byte{serial}
	return template.Sign(nil)
}

func indexes(entries []bundle.DiffEntry) []int {
	out := []int{}
	for _, e := range entries {
		out = append(out, e.Index)
	}
	return out
}

func pairIndexes(pairs []bundle.DiffPair) [][2]int {
	out := [][2]int{}
	for _, p := range pairs {
		out = append(out, [2]int{p.Old.Index, p.New.Index})
	}
	return out
}

func TestCompare(t *testing.T) {
	t.Parallel()
	a1, a2, a3 := root("A", "a", 1), root("A", "a", 2), root("A", "a", 3)
	rekeyed, again := root("A", "other", 1), root("A", "third", 1)
	b1 := root("B", "b", 1)
	broken, broken2 := pkitest.TLV(0x30, []byte{0x0c, 1, 'x'}), pkitest.TLV(0x30, []byte{0x0c, 1, 'y'})
	type pairs = [][2]int
	for name, test := range map[string]struct {
		old, new          [][]byte
		added, removed    []int
		reissued, rekeyed pairs
		common            int
		reordered         bool
	}{
		"the same":             {old: [][]byte{a1, b1}, new: [][]byte{a1, b1}, common: 2},
		"another order":        {old: [][]byte{a1, b1}, new: [][]byte{b1, a1}, common: 2, reordered: true},
		"moved by an addition": {old: [][]byte{a1, b1}, new: [][]byte{a2, a1, b1}, added: []int{1}, common: 2},
		"re-issued":            {old: [][]byte{b1, a1}, new: [][]byte{a2, b1}, added: []int{1}, removed: []int{2}, reissued: pairs{{2, 1}}, common: 1},
		"re-keyed":             {old: [][]byte{b1, a1}, new: [][]byte{b1, rekeyed}, added: []int{2}, removed: []int{2}, rekeyed: pairs{{2, 2}}, common: 1},
		"re-issued goes before re-keyed": {
			old: [][]byte{rekeyed, a1}, new: [][]byte{again, a2},
			added: []int{1, 2}, removed: []int{1, 2}, reissued: pairs{{2, 2}}, rekeyed: pairs{{1, 1}},
		},
		"each is paired once": {
			old: [][]byte{a1, a2}, new: [][]byte{a3, rekeyed, again, b1},
			added: []int{1, 2, 3, 4}, removed: []int{1, 2}, reissued: pairs{{1, 1}}, rekeyed: pairs{{2, 2}},
		},
		"one more under a name that stays":   {old: [][]byte{a1}, new: [][]byte{a1, a2}, added: []int{2}, common: 1},
		"an empty name, another key":         {old: [][]byte{b1, root("", "a", 1)}, new: [][]byte{b1, root("", "b", 1)}, added: []int{2}, removed: []int{2}, common: 1},
		"an empty name, the same key":        {old: [][]byte{root("", "a", 1)}, new: [][]byte{root("", "a", 2)}, added: []int{1}, removed: []int{1}, reissued: pairs{{1, 1}}},
		"doubled":                            {old: [][]byte{a1, b1}, new: [][]byte{a1, a1, b1, a1}, common: 2},
		"an added one doubled":               {old: [][]byte{b1}, new: [][]byte{a1, b1, a1}, added: []int{1}, common: 1},
		"no certificate":                     {old: [][]byte{broken, a1}, new: [][]byte{a1, broken2}, added: []int{2}, removed: []int{1}, common: 1},
		"the same that is not a certificate": {old: [][]byte{broken, a1}, new: [][]byte{broken, a1}, common: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bundle.Compare(pool(t, test.old...), pool(t, test.new...))
			if got := indexes(d.Added); !slices.Equal(got, test.added) {
				t.Errorf("added %v, want %v", got, test.added)
			}
			if got := indexes(d.Removed); !slices.Equal(got, test.removed) {
				t.Errorf("removed %v, want %v", got, test.removed)
			}
			if got := pairIndexes(d.Reissued); !slices.Equal(got, test.reissued) {
				t.Errorf("re-issued %v, want %v", got, test.reissued)
			}
			if got := pairIndexes(d.Rekeyed); !slices.Equal(got, test.rekeyed) {
				t.Errorf("re-keyed %v, want %v", got, test.rekeyed)
			}
			if d.Common != test.common || d.Reordered != test.reordered {
				t.Errorf("%d in both, reordered %t; want %d, %t", d.Common, d.Reordered, test.common, test.reordered)
			}
			if got, want := d.Same(), len(test.added)+len(test.removed) == 0; got != want {
				t.Errorf("Same() is %t", got)
			}
		})
	}
}

// A key that is written in another way is the same key.
func TestCompareSameKey(t *testing.T) {
	t.Parallel()
	same := pkitest.SameKey()
	other := pkitest.RootTemplate(pkitest.NewName("C=US", "O=Trustpool Lab", "CN=Same Key Root CA"), pkitest.RSA("birch")).Sign(nil)
	for i, old := range same {
		for j, newer := range same {
			d := bundle.Compare(pool(t, old), pool(t, newer))
			if reissued := len(d.Reissued) == 1; reissued != (i != j) || len(d.Rekeyed) != 0 {
				t.Errorf("from %d to %d: %d re-issued, %d re-keyed", i, j, len(d.Reissued), len(d.Rekeyed))
			}
		}
		if d := bundle.Compare(pool(t, old), pool(t, other)); len(d.Reissued) != 0 || len(d.Rekeyed) != 1 {
			t.Errorf("from %d to another key: %d re-issued, %d re-keyed", i, len(d.Reissued), len(d.Rekeyed))
		}
	}
}

func TestCompareLab(t *testing.T) {
	t.Parallel()
	d := bundle.Compare(fixture(t, "lab-core-v1.p7b"), fixture(t, "lab-core-v2.p7b"))
	var got []string
	add := func(what string, entries ...bundle.DiffEntry) {
		for _, e := range entries {
			what += fmt.Sprintf(" %d %s", e.Index, e.Certificate.Subject.CommonName())
		}
		got = append(got, what)
	}
	add("added", d.Added...)
	add("removed", d.Removed...)
	for _, p := range d.Reissued {
		add("re-issued", p.Old, p.New)
	}
	for _, p := range d.Rekeyed {
		add("re-keyed", p.Old, p.New)
	}
	want := []string{
		"added 2 Ivy ECC Root CA 3 Gorse Root CA 5 Fir Root CA 6 Hazel Root CA",
		"removed 5 Elm Root CA 6 Gorse Root CA 8 Fir Root CA",
		"re-issued 8 Fir Root CA 5 Fir Root CA",
		"re-keyed 6 Gorse Root CA 3 Gorse Root CA",
	}
	if !slices.Equal(got, want) {
		t.Errorf("got  %q\nwant %q", got, want)
	}
	if d.Same() || d.Common != 5 || !d.Reordered {
		t.Errorf("Same %t, %d in both, reordered %t", d.Same(), d.Common, d.Reordered)
	}
	if s := d.New; s.Version != "2" || s.Name != "Lab Core Bundle" || s.Certificates != 9 || s.Signer == nil ||
		s.Signer.Subject.CommonName() != "Lab Bundle Signer" || len(s.SHA256) != 64 {
		t.Errorf("the new side is %+v", s)
	}
}

// The pool is what counts: neither the form nor what is around it.
func TestCompareForms(t *testing.T) {
	t.Parallel()
	signed := fixture(t, "lab-core-v1.p7b")
	var pem bytes.Buffer
	for _, c := range signed.Certificates {
		pem.Write(pkitest.CertificatePEM(c.Raw))
	}
	others := map[string]*bundle.Bundle{"pem": parsePool(t, pem.Bytes()), "joined": bundle.Join([]*bundle.Bundle{parsePool(t, pem.Bytes())})}
	for _, name := range []string{"lab-certs-only.p7b", "lab-ber.p7b", "lab-sha1.p7b", "lab-ski.p7b", "lab-two-signers.p7b"} {
		others[name] = fixture(t, name)
	}
	for name, other := range others {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bundle.Compare(signed, other)
			if !d.Same() || d.Reordered || d.Common != 8 || d.New.Duplicates != 0 {
				t.Errorf("Same %t, reordered %t, %d in both, %d duplicates", d.Same(), d.Reordered, d.Common, d.New.Duplicates)
			}
			if wantSigner := other.Message != nil; (d.New.Signer != nil) != wantSigner {
				t.Errorf("signer %v", d.New.Signer)
			}
			if wantHash := other.Raw != nil; (d.New.SHA256 != "") != wantHash {
				t.Errorf("SHA-256 %q", d.New.SHA256)
			}
		})
	}
}

func TestCompareCorpus(t *testing.T) {
	t.Parallel()
	d := bundle.Compare(
		read(t, tooltest.Corpus(t, tooltest.IOS2016)),
		read(t, tooltest.Corpus(t, tooltest.IOS2021)))
	if d.Common != 76 || len(d.Removed) != 56 || len(d.Added) != 32 || !d.Reordered {
		t.Errorf("%d in both, %d removed, %d added, reordered %t; want 76, 56, 32, true", d.Common, len(d.Removed), len(d.Added), d.Reordered)
	}
	if len(d.Reissued) != 1 {
		t.Fatalf("%d re-issued, want 1", len(d.Reissued))
	}
	p := d.Reissued[0]
	if cn := p.New.Certificate.Subject.CommonName(); cn != "Cisco ECC Root CA" || p.Old.Certificate.Serial.String() != "01" || p.New.Certificate.Serial.String() != "03" {
		t.Errorf("re-issued %s, serial %s to %s", cn, p.Old.Certificate.Serial, p.New.Certificate.Serial)
	}
	for _, s := range []*bundle.Side{&d.Old, &d.New} {
		if s.Name != "Trusted Intersect Bundle" || s.Signer == nil || s.Signer.Subject.CommonName() != "Trusted Root Store Signer" {
			t.Errorf("name %q, signer %v", s.Name, s.Signer)
		}
	}
}

func BenchmarkCompare(b *testing.B) {
	for _, n := range []int{1000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			certificates := pkitest.LargePool(n + n/10)
			old := pool(b, certificates[:n]...)
			slices.Reverse(certificates)
			newer := pool(b, certificates[:n]...)
			b.SetBytes(int64(len(old.Raw) + len(newer.Raw)))
			b.ReportAllocs()
			for b.Loop() {
				if d := bundle.Compare(old, newer); len(d.Added) != n/10 || d.Common != n-n/10 {
					b.Fatalf("%d added, %d in both", len(d.Added), d.Common)
				}
			}
		})
	}
}

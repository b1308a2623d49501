package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"math/big"
	"slices"
	"strings"
	"testing"

	"trustpool/internal/pkitest"
)

func parse(t testing.TB, name string) *Certificate {
	t.Helper()
	for _, q := range pkitest.Quirks() {
		if q.Name == name {
			return Read(q.DER)
		}
	}
	t.Fatal("no quirk is called " + name)
	return nil
}

// rekeyed is a certificate with its key written in another way.
func rekeyed(t testing.TB, c *Certificate, old, newer string) *Certificate {
	t.Helper()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	if !bytes.Contains(c.RawSPKI, unhex(old)) {
		t.Fatalf("no %s in %x", old, c.RawSPKI)
	}
	out := *c
	out.RawSPKI = bytes.Replace(c.RawSPKI, unhex(old), unhex(newer), 1)
	out.SHA256 = sha256.Sum256(out.RawSPKI)
	return &out
}

// A key is the same one in whatever way it is written: whoever writes it in another
// way brings no key past what is distrusted, forbidden or the same.
func TestKeyWrittenOtherwise(t *testing.T) {
	t.Parallel()
	root := parse(t, "rsa-1024")
	sum := root.KeyID()
	for name, other := range map[string]*Certificate{
		"as RSASSA-PSS": rekeyed(t, root, "2a864886f70d010101", "2a864886f70d01010a"),
		// The lengths of both sequences go with the bytes less.
		"by X.509's identifier": rekeyed(t, rekeyed(t, root, "30819f300d", "30819a3008"), "06092a864886f70d010101", "060455080101"),
		"without parameters":    rekeyed(t, rekeyed(t, root, "30819f300d", "30819d300b"), "0500", ""),
	} {
		if other.KeyID() != sum {
			t.Errorf("%s: another key", name)
		}
	}
}

// Points of a curve have several forms.
func TestPointWrittenOtherwise(t *testing.T) {
	t.Parallel()
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	spki := func(curve, point string) []byte { return writeKey([]byte(oidEC), unhex(curve), unhex(point)) }
	// The points G of P-256 and P-224 (SEC 2 sections 2.4.2, 2.3.2).
	const p256 = "06082a8648ce3d030107"
	for _, g := range []struct{ curve, x, y, form string }{
		{p256, "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5", "03"},
		{"06052b81040021", "b70e0cbd6bb4bf7f321390b94a03c1d356c21122343280d6115c1d21", "bd376388b5f723fb4c22dfe6cd4375a05a07476444d5819985007e34", "02"},
	} {
		want := spki(g.curve, "04"+g.x+g.y)
		if usualKey(want) != nil {
			t.Error("the usual form has another")
		}
		for _, point := range []string{g.form + g.x, "07" + g.x + g.y} {
			if got := usualKey(spki(g.curve, point)); !bytes.Equal(got, want) {
				t.Errorf("%s: %x", point, got)
			}
		}
	}
	for _, bad := range []string{"02" + strings.Repeat("ff", 32), "03"} {
		if usualKey(spki(p256, bad)) != nil {
			t.Errorf("%s is a point", bad)
		}
	}
}

// A curve that is spelled out is the one with that name; with another base point, of which
// somebody knows how often the named one is in it, it is another.
func TestCurveSpelledOut(t *testing.T) {
	t.Parallel()
	integer := func(n *big.Int) []byte { return pkitest.TLV(0x02, append([]byte{0}, n.Bytes()...)) }
	for oid, name := range map[string]string{"\x2a\x86\x48\xce\x3d\x03\x01\x07": "P-256", "\x2b\x81\x04\x00\x22": "P-384", "\x2b\x81\x04\x00\x23": "P-521"} {
		k := PublicKey{Curve: name}.Elliptic().Params()
		size := (k.BitSize + 7) / 8
		g := slices.Concat([]byte{4}, k.Gx.FillBytes(make([]byte, size)), k.Gy.FillBytes(make([]byte, size)))
		short := append([]byte{2 + byte(k.Gy.Bit(0))}, g[1:1+size]...)
		other := slices.Clone(g)
		other[size]++
		spelled := func(base []byte) []byte {
			return pkitest.TLV(0x30, []byte{2, 1, 1}, pkitest.TLV(0x30, pkitest.OID("1.2.840.10045.1.1").DER(), integer(k.P)),
				pkitest.TLV(0x30, pkitest.TLV(0x04, new(big.Int).Sub(k.P, big.NewInt(3)).Bytes()), pkitest.TLV(0x04, k.B.FillBytes(make([]byte, size)))),
				pkitest.TLV(0x04, base), integer(k.N), []byte{2, 1, 1})
		}
		want := writeKey([]byte(oidEC), pkitest.TLV(0x06, []byte(oid)), g)
		for _, base := range [][]byte{g, short} {
			for _, point := range [][]byte{g, short} {
				if got := usualKey(writeKey([]byte(oidEC), spelled(base), point)); !bytes.Equal(got, want) {
					t.Errorf("%s: %x", name, got)
				}
			}
		}
		if usualKey(writeKey([]byte(oidEC), spelled(other), g)) != nil {
			t.Errorf("%s with another base point", name)
		}
	}
}

func FuzzUsualKey(f *testing.F) {
	for _, q := range pkitest.Quirks() {
		if c := Read(q.DER); c.Err == nil {
			f.Add(c.RawSPKI)
		}
	}
	f.Fuzz(func(t *testing.T, spki []byte) {
		if usual := usualKey(spki); usual != nil {
			if again := usualKey(usual); again != nil {
				t.Errorf("%x is usual, and so is %x", usual, again)
			}
		}
	})
}

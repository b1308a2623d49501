package certificate

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte"

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
		// The lengths of both sequences go with the two bytes less.
		"without parameters": rekeyed(t, rekeyed(t, root, "30819f300d", "30819d300b"), "0500", ""),
	} {
		if other.KeyID() != sum {
			t.Errorf("%s: another key", name)
		}
	}
}

// Points of a curve have several forms.
func TestPointWrittenOtherwise(t *testing.T) {
	t.Parallel()
	// G of P-256 (SEC 2 section 2.4.2).
	const x, y = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296", "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5"
	spki := func(form, point string) []byte {
		b, err := hex.DecodeString("06072a8648ce3d020106082a8648ce3d030107" + form + point)
		if err != nil {
			t.Fatal(err)
		}
		return writeKey(b[2:9], func(p *cryptobyte.Builder) { p.AddBytes(b[9:19]) }, b[19:])
	}
	want := spki("04", x+y)
	if usualKey(want) != nil {
		t.Error("the usual form has another")
	}
	for form, point := range map[string]string{"03": x, "07": x + y} {
		if got := usualKey(spki(form, point)); !bytes.Equal(got, want) {
			t.Errorf("form %s: %x", form, got)
		}
	}
	for _, bad := range []string{"02" + strings.Repeat("ff", 32), "03"} {
		if usualKey(spki(bad[:2], bad[2:])) != nil {
			t.Errorf("%s is a point", bad)
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

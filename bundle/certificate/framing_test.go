package certificate_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// However a certificate is framed and whatever the unused bits of its signature
// are, its SHA-256 is the one that openssl prints.
func TestFramedSignatureBits(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	parts, err := cms.Children(odd(func(*pkitest.Template) {}), 3)
	if err != nil || len(parts) != 3 {
		t.Fatalf("%d parts: %v", len(parts), err)
	}
	bits := func(content string) []byte { return pkitest.TLV(asn1.BIT_STRING, []byte(content)) }
	signatures := map[string][]byte{
		"whole":                            bits("\x00\xff\xff"),
		"unused bits that are zero":        bits("\x03\xff\xf8"),
		"unused bits that are set":         bits("\x03\xff\xff"),
		"7 unused bits":                    bits("\x07\xff"),
		"empty":                            bits("\x00"),
		"empty with unused bits":           bits("\x03"),
		"constructed":                      []byte("\x23\x08\x03\x02\x00\xff\x03\x02\x03\xff"),
		"constructed of indefinite length": []byte("\x23\x80\x03\x02\x00\xff\x03\x02\x03\xff\x00\x00"),
		"constructed, unused bits first":   []byte("\x23\x08\x03\x02\x03\xff\x03\x02\x00\xff"),
		"constructed twice":                []byte("\x23\x0a\x23\x04\x03\x02\x00\xff\x03\x02\x03\xff"),
		"constructed, the last empty":      []byte("\x23\x07\x03\x02\x00\xff\x03\x01\x03"),
		"constructed, of one":              []byte("\x23\x04\x03\x02\x05\xff"),
		"long length":                      pkitest.LongLength.Frame(bits("\x03\xff\xff")),
	}
	framings := map[string]pkitest.Framing{"DER": pkitest.DER, "indefinite": pkitest.Indefinite, "long length": pkitest.LongLength}
	for sig, signature := range signatures {
		for outer, o := range framings {
			for inner, i := range framings {
				t.Run(fmt.Sprintf("%s/outer %s/signed part %s", sig, outer, inner), func(t *testing.T) {
					t.Parallel()
					der := o.Frame(pkitest.TLV(asn1.SEQUENCE, i.Frame(parts[0]), o.Frame(parts[1]), signature))
					c := certificate.Read(der)
					want, ok := ask(t, der)
					if ok != (c.Err == nil) {
						t.Fatalf("openssl takes it: %t; %v", ok, c.Err)
					}
					if got := answer(c); ok && got != want {
						t.Errorf("read as\n%s\nopenssl prints\n%s", got, want)
					}
				})
			}
		}
	}
}

// TestBrokenKeepsItsBytes: what is not a certificate is the bytes that came, in BER too:
// two such entries that differ have two identities.
func TestBrokenKeepsItsBytes(t *testing.T) {
	t.Parallel()
	definite, indefinite := []byte("\x30\x03\x30\x01\x05"), []byte("\x30\x80\x30\x03\x02\x01\x05\x00\x00")
	long := []byte("\x30\x81\x05\x30\x03\x02\x01\x05")
	seen := map[[32]byte]bool{}
	for _, raw := range [][]byte{definite, indefinite, long} {
		c := certificate.Read(raw)
		if c.Err == nil || !bytes.Equal(c.Raw, raw) || c.SHA256 != sha256.Sum256(raw) || seen[c.SHA256] {
			t.Errorf("Read(%x): Raw %x, SHA256 %x, %v", raw, c.Raw, c.SHA256, c.Err)
		}
		seen[c.SHA256] = true
	}
}

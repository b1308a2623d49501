package roots_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

const (
	m1  = "705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378f8"
	trs = "dec669e322e07cd7c60a56904bf50c29fa1e75071723fc103577e27b226968d5"
)

func read(t *testing.T, path string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestBuiltIn(t *testing.T) {
	t.Parallel()
	want := []struct {
		name, sha256 string
		sha1Links    bool
	}{
		{"Cisco Root CA M1", m1, true},
		{"TRS Bundle Root CA", trs, false},
	}
	got := roots.BuiltIn()
	if len(got) != len(want) {
		t.Fatalf("%d anchors", len(got))
	}
	for i, a := range got {
		if a.Name != want[i].name || hex.EncodeToString(a.SHA256[:]) != want[i].sha256 || a.SHA1Links != want[i].sha1Links {
			t.Errorf("anchor %d: %s %x, SHA-1 links %t", i+1, a.Name, a.SHA256, a.SHA1Links)
		}
		if a.Certificate != nil || a.UsedFor == "" {
			t.Errorf("%s: certificate %v, used for %q", a.Name, a.Certificate, a.UsedFor)
		}
	}
	// What one caller does to them is nothing to the next.
	got[1].SHA1Links = true
	if roots.BuiltIn()[1].SHA1Links || roots.TRSBundleRootCA().SHA1Links {
		t.Error("the built-in anchors can be changed")
	}
}

// The pins are those of the certificates that genuine bundles hold.
func TestPinnedCertificate(t *testing.T) {
	t.Parallel()
	for _, name := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		b := read(t, tooltest.Corpus(t, name))
		found := false
		for _, c := range b.Chain {
			if c.SHA256 == roots.CiscoRootCAM1().SHA256 {
				found = true
				a, err := roots.FromCertificate(c)
				if err != nil || a.Name != "Cisco Root CA M1" || !a.SHA1Links || a.Certificate != c {
					t.Errorf("%s: %+v, %v", name, a, err)
				}
				if got := c.Subject.String(); got != "CN=Cisco Root CA M1,O=Cisco" {
					t.Errorf("%s: %s is pinned", name, got)
				}
			}
		}
		if !found {
			t.Errorf("%s does not hold Cisco Root CA M1", name)
		}
	}
}

// Tolerance goes with the SHA-256 and with nothing else.
func TestTolerance(t *testing.T) {
	t.Parallel()
	sum := roots.CiscoRootCAM1().SHA256
	if a := roots.FromSHA256(sum); !a.SHA1Links || a.Name != "Cisco Root CA M1" {
		t.Errorf("%+v", a)
	}
	for i := range sum {
		other := sum
		other[i] ^= 1
		if a := roots.FromSHA256(other); a.SHA1Links || a.Name != "" || a.SHA256 != other {
			t.Errorf("byte %d changed: %+v", i, a)
		}
	}
	if a := roots.FromSHA256(roots.TRSBundleRootCA().SHA256); a.SHA1Links || a.Name != "TRS Bundle Root CA" {
		t.Errorf("%+v", a)
	}
	// A certificate of another hash gains nothing from a familiar name, and
	// keeps its own: here the name is set to what the reader would have found.
	impostor := *read(t, filepath.Join("..", "testdata", "bundles", "lab-sha1-root.pem")).Certificates[0]
	a, err := roots.FromCertificate(&impostor)
	if err != nil || a.SHA1Links {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestFromCertificate(t *testing.T) {
	t.Parallel()
	c := read(t, filepath.Join("..", "testdata", "bundles", "lab-root.pem")).Certificates[0]
	a, err := roots.FromCertificate(c)
	if err != nil {
		t.Fatal(err)
	}
	if a.Name != "Lab Root CA" || a.SHA256 != sha256.Sum256(c.Raw) || a.Certificate != c || a.SHA1Links {
		t.Errorf("%+v", a)
	}
	bad := &certificate.Certificate{Raw: []byte{0x30, 0}, Err: errors.New("it is empty")}
	if a, err := roots.FromCertificate(bad); err == nil || err.Error() != "not usable as an anchor: it is empty" || a.Certificate != nil {
		t.Errorf("%+v, %v", a, err)
	}
}

func TestParseSHA256(t *testing.T) {
	t.Parallel()
	want := roots.CiscoRootCAM1().SHA256
	upper := strings.ToUpper(m1)
	var colons []string
	for i := 0; i < len(upper); i += 2 {
		colons = append(colons, upper[i:i+2])
	}
	for _, s := range []string{
		m1, upper, " " + m1 + "\n", strings.Join(colons, ":"), "SHA256:" + upper, "SHA-256: " + m1,
		"sha256 Fingerprint=" + strings.Join(colons, ":"), "SHA256 Fingerprint: " + upper,
	} {
		if got, ok := roots.ParseSHA256(s); !ok || got != want {
			t.Errorf("%q: %x, %t", s, got, ok)
		}
	}
	for _, s := range []string{"", m1[2:], m1 + "00", m1[1:], "45ad6bb499011bb4e84e84316a81c27d89ee5ce7", m1[:62] + "zz", "lab-root.pem"} {
		if got, ok := roots.ParseSHA256(s); ok || got != [32]byte{} {
			t.Errorf("%q: %x, %t", s, got, ok)
		}
	}
}

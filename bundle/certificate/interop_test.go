package certificate_test

import (
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/hex"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func read(t testing.TB, path string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	return b
}

// pools are bundles with as many kinds of certificates as there are to be had.
func pools(_ *testing.T) map[string]func(t *testing.T) []*certificate.Certificate {
	file := func(path string) func(t *testing.T) []*certificate.Certificate {
		return func(t *testing.T) []*certificate.Certificate { return read(t, path).Certificates }
	}
	corpus := func(name string) func(t *testing.T) []*certificate.Certificate {
		return func(t *testing.T) []*certificate.Certificate { return read(t, tooltest.Corpus(t, name)).Certificates }
	}
	return map[string]func(t *testing.T) []*certificate.Certificate{
		"lab-core":   file("../../testdata/bundles/lab-core-v1.p7b"),
		"lab-quirks": file("../../testdata/bundles/lab-quirks-v1.p7b"),
		"quovadis":   file("../../testdata/bundles/quovadis-root-ca-2.pem"),
		"hydrantid":  file("../../testdata/bundles/hydrantid-ssl-ica-g2.pem"),
		"core-2017":  corpus(tooltest.Core2017),
		"ios-2016":   corpus(tooltest.IOS2016),
		"ios-2021":   corpus(tooltest.IOS2021),
		"mozilla": func(t *testing.T) []*certificate.Certificate {
			paths, _ := filepath.Glob("/usr/share/ca-certificates/mozilla/[A-D]*.crt") // enough of them
			if len(paths) == 0 {
				t.Skip("skipped: ca-certificates is not installed")
			}
			var out []*certificate.Certificate
			for _, p := range paths {
				out = append(out, read(t, p).Certificates...)
			}
			return out
		},
	}
}

// What OpenSSL prints of a certificate is what is reported of it.
func TestAgreesWithOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	var asked sync.Map // by SHA-256: many certificates are in several pools
	for name, pool := range pools(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, c := range pool(t) {
				if _, twice := asked.LoadOrStore(c.SHA256, true); c.Err != nil || twice {
					continue
				}
				out := tooltest.Run(t, c.Raw, "openssl", "x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256",
					"-serial", "-subject", "-issuer", "-startdate", "-enddate", "-dateopt", "iso_8601", "-nameopt", "RFC2253,-esc_msb")
				r := inspect.NewCertificateReport(c, i+1)
				for line := range strings.Lines(string(out)) {
					key, want, _ := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
					var got string
					switch key {
					case "sha256 Fingerprint":
						got, want = r.SHA256, strings.ToLower(strings.ReplaceAll(want, ":", ""))
					case "serial":
						got = *r.Serial
					case "subject":
						got = *r.Subject
					case "issuer":
						got = *r.Issuer
					case "notBefore":
						got, want = r.NotBefore.String(), isoTime(want)
					case "notAfter":
						got, want = r.NotAfter.String(), isoTime(want)
					default:
						t.Fatalf("openssl prints %q", line)
					}
					if got != want {
						t.Errorf("certificate %d: %s is %q, openssl says %q", i+1, key, got, want)
					}
				}
			}
		})
	}
}

func isoTime(s string) string { return strings.Replace(s, " ", "T", 1) }

// Where crypto/x509 reads a certificate too, it reads the same.
func TestAgreesWithCryptoX509(t *testing.T) {
	t.Parallel()
	for name, pool := range pools(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for i, c := range pool(t) {
				compareWithX509(t, i+1, c)
			}
		})
	}
}

func TestLargePoolAgreesWithCryptoX509(t *testing.T) {
	t.Parallel()
	b, err := bundle.Parse(pkitest.Large(50))
	if err != nil {
		t.Fatal(err)
	}
	for i, c := range b.Certificates {
		compareWithX509(t, i+1, c)
	}
}

func compareWithX509(t *testing.T, index int, c *certificate.Certificate) {
	t.Helper()
	x, err := c.X509()
	if err != nil {
		return
	}
	if c.Err != nil {
		t.Errorf("certificate %d: crypto/x509 reads it, we do not: %v", index, c.Err)
		return
	}
	check := func(what string, same bool) {
		t.Helper()
		if !same {
			t.Errorf("certificate %d (%s): %s differs from that of crypto/x509", index, x.Subject, what)
		}
	}
	check("the signed part", string(c.RawTBS) == string(x.RawTBSCertificate))
	check("the subject", string(c.Subject) == string(x.RawSubject))
	check("the issuer", string(c.Issuer) == string(x.RawIssuer))
	check("the key", string(c.RawSPKI) == string(x.RawSubjectPublicKeyInfo))
	unused := c.Raw[len(c.Raw)-len(c.Signature)-1] // bits of the last byte, by which crypto/x509 shifts all others
	check("the signature", unused != 0 || string(c.Signature) == string(x.Signature))
	check("the version", c.Version == x.Version)
	magnitude := hex.EncodeToString(c.Serial.Magnitude())
	check("the serial number", strings.TrimLeft(magnitude, "0") == strings.TrimLeft(x.SerialNumber.Text(16), "0-") && c.Serial.Negative() == (x.SerialNumber.Sign() < 0))
	check("notBefore", c.NotBefore.Valid && c.NotBefore.Equal(x.NotBefore))
	check("notAfter", c.NotAfter.Valid && c.NotAfter.Equal(x.NotAfter))
	// crypto/x509 takes no notice of bytes within an extension that follow what it reads.
	unless := func(unreadable certificate.Quirk, what string, same bool) {
		t.Helper()
		check(what, same || c.Has(unreadable))
	}
	unless(certificate.QuirkBasicUnreadable, "the CA flag", c.IsCA == x.IsCA)
	if x.BasicConstraintsValid && x.IsCA {
		unless(certificate.QuirkBasicUnreadable, "the path length", c.PathLen == x.MaxPathLen)
	}
	unless(certificate.QuirkKeyUsageUnreadable, "key usage", int(c.KeyUsage&^certificate.KeyUsagePresent) == int(x.KeyUsage))
	unless(certificate.QuirkExtKeyUsageUnreadable, "extended key usage", len(c.ExtKeyUsage) == len(x.ExtKeyUsage)+len(x.UnknownExtKeyUsage))
	unless(certificate.QuirkSubjectKeyIDUnreadable, "the subject key ID", string(c.SubjectKeyID) == string(x.SubjectKeyId))
	unless(certificate.QuirkAuthKeyIDUnreadable, "the authority key ID", string(c.AuthorityKeyID) == string(x.AuthorityKeyId))
	n := 0
	for e := range c.EachExtension() {
		if n < len(x.Extensions) {
			check("an extension", e.ID.Dotted() == x.Extensions[n].Id.String() && e.Critical == x.Extensions[n].Critical && string(e.Value) == string(x.Extensions[n].Value))
		}
		n++
	}
	check("the number of extensions", n == len(x.Extensions))
	if !c.Has(certificate.QuirkPublicKeyUnreadable) {
		compareKey(t, check, c, x.PublicKey)
	}
}

func compareKey(t *testing.T, check func(string, bool), c *certificate.Certificate, key any) {
	t.Helper()
	k := c.PublicKey
	switch key := key.(type) {
	case *rsa.PublicKey:
		check("the RSA key", k.Algorithm == "RSA" && k.Bits == key.N.BitLen() && k.Exponent == uint64(key.E))
	case *ecdsa.PublicKey:
		check("the ECDSA key", k.Algorithm == "ECDSA" && k.Curve == key.Params().Name && k.Bits == key.Params().BitSize)
	case ed25519.PublicKey:
		check("the Ed25519 key", k.Algorithm == "Ed25519" && k.Bits == 256)
	}
}

// Package roots has the roots that trust starts from.
//
// # Anchors
//
// An [Anchor] is the certificate that the signature of a bundle must lead to (RFC 5280 section 6.1.1). It is pinned by the SHA-256 of
// that certificate, and by nothing else: a certificate with the same name or the same key is not the anchor. [BuiltIn] returns Cisco's
// two. [FromFile], [FromCertificate] and [FromSHA256] make others, for labs:
//
//	anchors, err := roots.FromFile(pem)
//	if err != nil {
//		return err
//	}
//	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: at})
//
// Only Cisco Root CA M1 tolerates SHA-1 in the chains below it, because it signed the certificate of Cisco's bundle signer so, in 2011.
// The tolerance goes with its SHA-256, however the anchor was made.
//
// # Root programs
//
// [ParseCertdata] reads Mozilla's certdata.txt, and [ParseCCADB] the reports of the Common CA Database. Both return a [Store]: the roots
// of a program, and for which purposes it trusts or distrusts each. [Root.Check] reports whether a root may be taken for a purpose, and
// [Store.Find] looks a certificate up.
//
// # What it does not do
//
// It checks no signatures; that is package [trustpool/signing]. It never takes the roots of the system for anchors: [SystemPaths] only
// says where they are, for those who make a bundle of them.
//
// # Sources
//
// The anchors are published at https://www.cisco.com/security/pki/, the reports at https://www.ccadb.org/resources, and certdata.txt in
// the source of NSS.
package roots

import (
	"encoding/hex"
	"errors"
	"fmt"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
)

// An Anchor is a trust anchor (RFC 5280 section 6.1.1), pinned by the SHA-256 of
// its certificate. Nothing else about it counts: not its name, not its key.
type Anchor struct {
	Name   string
	SHA256 [32]byte
	// SHA1Links says that certificates under this anchor may be signed with
	// SHA-1. Cisco signed the one that signs its bundles so, in 2011.
	SHA1Links bool
	UsedFor   string // of a built-in anchor: what it signs, in words
	// Certificate is the anchor itself if the user gave it; otherwise it must
	// come with the bundle.
	Certificate *certificate.Certificate
}

// Pinned hashes of Cisco's roots (https://www.cisco.com/security/pki/).
const (
	ciscoRootCAM1   = "705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378f8"
	trsBundleRootCA = "dec669e322e07cd7c60a56904bf50c29fa1e75071723fc103577e27b226968d5"
)

// CiscoRootCAM1 is the anchor of all bundles examined so far, and the only one
// that IOS XR takes (Cisco field notice FN72290).
func CiscoRootCAM1() Anchor {
	return Anchor{Name: "Cisco Root CA M1", SHA256: mustHash(ciscoRootCAM1), SHA1Links: true,
		UsedFor: "every bundle examined so far; the only root that IOS XR takes"}
}

// TRSBundleRootCA is the anchor of bundles since November 2023.
func TRSBundleRootCA() Anchor {
	return Anchor{Name: "TRS Bundle Root CA", SHA256: mustHash(trsBundleRootCA),
		UsedFor: "bundles since November 2023; only recent devices have it built in"}
}

// BuiltIn returns the anchors that count if the user names none.
func BuiltIn() []Anchor { return []Anchor{CiscoRootCAM1(), TRSBundleRootCA()} }

// FromCertificate makes an anchor of a certificate that the user chose. It
// tolerates nothing, unless it is a built-in one, which keeps its tolerance.
func FromCertificate(c *certificate.Certificate) (Anchor, error) {
	if c.Err != nil {
		return Anchor{}, fmt.Errorf("not usable as an anchor: %w", c.Err)
	}
	if c.Has(certificate.QuirkTrustSettings) {
		return Anchor{}, errors.New("not usable as an anchor: OpenSSL's trust settings beside it are not read; give the plain certificate")
	}
	a := FromSHA256(c.SHA256)
	a.Certificate = c
	if a.Name == "" {
		a.Name = c.Subject.CommonName()
	}
	return a, nil
}

// FromFile makes an anchor of each certificate of a file that the user chose. A
// whole bundle is refused: who trusts it has not chosen one root.
func FromFile(data []byte) ([]Anchor, error) {
	b, err := bundle.Parse(data)
	if err != nil {
		return nil, err
	}
	if b.Form != bundle.FormPEM && b.Form != bundle.FormDER || b.Mixed {
		return nil, errors.New("a whole bundle is not an anchor: give the root's certificate, or its SHA-256")
	}
	var anchors []Anchor
	for i, c := range b.Certificates {
		a, err := FromCertificate(c)
		if err != nil {
			return nil, fmt.Errorf("certificate %d: %w", i+1, err)
		}
		anchors = append(anchors, a)
	}
	return anchors, nil
}

// FromSHA256 makes an anchor of a pin alone; its name is empty unless it is a
// built-in one.
func FromSHA256(sum [32]byte) Anchor {
	for _, a := range BuiltIn() {
		if a.SHA256 == sum {
			return a
		}
	}
	return Anchor{SHA256: sum}
}

// ParseSHA256 reads a SHA-256 fingerprint in any usual spelling.
func ParseSHA256(s string) (sum [32]byte, ok bool) {
	b, ok := bundle.ParseFingerprint(s)
	if !ok || len(b) != len(sum) {
		return sum, false
	}
	return [32]byte(b), true
}

func mustHash(s string) [32]byte {
	b, err := hex.DecodeString(s)
	if err != nil {
		panic("roots: a pin that is no SHA-256: " + s)
	}
	return [32]byte(b)
}

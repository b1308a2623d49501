package recipe

import (
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
)

// drop says why a filter drops a certificate.
func (f *Filter) drop(c *certificate.Certificate) string {
	switch {
	case !f.ValidAt.IsZero() && (!c.NotAfter.Valid || !c.NotBefore.Valid):
		return "its dates cannot be read"
	case !f.ValidAt.IsZero() && c.NotAfter.Before(f.ValidAt):
		return "expired at " + c.NotAfter.String()
	case !f.ValidAt.IsZero() && c.NotBefore.After(f.ValidAt):
		return "valid from " + c.NotBefore.String() + " on only"
	case !f.ValidAt.IsZero() && f.ValidFor > 0 && c.NotAfter.Before(f.ValidAt.Add(f.ValidFor)):
		return "expires at " + c.NotAfter.String()
	case f.MinRSABits+f.MinECBits > 0 && c.Has(certificate.QuirkPublicKeyUnreadable):
		return "its key cannot be read"
	case f.MinRSABits > 0 && strings.HasPrefix(c.PublicKey.Algorithm, "RSA") && c.PublicKey.Bits < f.MinRSABits:
		return fmt.Sprintf("a key of %s", c.PublicKey)
	case f.MinECBits > 0 && c.PublicKey.Algorithm == "ECDSA" && c.PublicKey.Bits < f.MinECBits:
		return fmt.Sprintf("a key of %s", c.PublicKey)
	case f.SignatureHashes != nil && !slices.Contains(f.SignatureHashes, signatureHash(c)):
		return "signed with " + c.SignatureAlgorithm.String()
	case f.CAOnly && !c.IsCA:
		return "not marked as a CA"
	}
	for _, q := range f.WithoutQuirks {
		if c.Has(q) {
			return "quirk " + string(q)
		}
	}
	return ""
}

// signatureHash is the hash of a certificate's signature algorithm, by a name of
// hashNames; empty if it is not known.
func signatureHash(c *certificate.Certificate) string {
	name := strings.ToLower(c.SignatureAlgorithm.String())
	switch {
	case c.Has(certificate.QuirkSignatureSHA1):
		return "sha1"
	case c.Has(certificate.QuirkSignatureMD5):
		return "md5"
	case name == "ed25519": // RFC 8032 section 5.1
		return "sha512"
	}
	for _, h := range hashNames {
		if strings.Contains(name, h) {
			return h
		}
	}
	return ""
}

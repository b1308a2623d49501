package path

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"errors"
	"fmt"
	"math/big"
	"math/bits"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
)

// Limits on RSA keys.
const (
	maxRSABits = 16384 // OpenSSL's. The cost grows with the square of the size
	minRSABits = 1024  // crypto/rsa's
)

// PublicKey returns the key of a certificate, if crypto/x509 knows its kind and
// crypto/rsa computes with it.
func PublicKey(c *certificate.Certificate) (crypto.PublicKey, error) {
	switch k := c.PublicKey; {
	case k.Algorithm == "RSASSA-PSS":
		return nil, errors.New("RSASSA-PSS keys are not judged here")
	case k.Algorithm == "DSA":
		return nil, errors.New("DSA is not judged here")
	case k.Algorithm == "RSA" && k.Bits > maxRSABits:
		return nil, fmt.Errorf("a key of %d bits, more than %d", k.Bits, maxRSABits)
	case k.Algorithm == "RSA" && k.Bits < minRSABits:
		return nil, fmt.Errorf("a key of %d bits, less than %d", k.Bits, minRSABits)
	case k.Algorithm == "RSA":
		return rsaKey(c.RawSPKI)
	case k.Algorithm == "ECDSA" && explicitCurve(c):
		return nil, errExplicitCurve
	}
	if usual := c.UsualSPKI(); len(usual) > len(c.RawSPKI) { // a compressed point (RFC 5480 section 2.2), which crypto/x509 does not read
		return x509.ParsePKIXPublicKey(usual)
	}
	return x509.ParsePKIXPublicKey(c.RawSPKI)
}

// readsKey reports whether a key is of a kind that PublicKey reads, so that one that
// it does not read is malformed, or of a kind that is not known at all.
func readsKey(c *certificate.Certificate) bool {
	switch k := c.PublicKey; k.Algorithm {
	case "RSA":
		return minRSABits <= k.Bits && k.Bits <= maxRSABits
	case "ECDSA":
		return k.Elliptic() != nil
	case "Ed448", "DSA", "RSASSA-PSS":
		return false
	}
	return true
}

// rsaKey reads an RSA key. Its parameters may be absent: crypto/x509 asks for the
// NULL of RFC 3279 section 2.3.1, OpenSSL does not.
func rsaKey(spki cryptobyte.String) (*rsa.PublicKey, error) {
	var seq, algorithm, oid, point, numbers cryptobyte.String
	k := rsa.PublicKey{N: new(big.Int)}
	if !spki.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !PlainParameters(algorithm) || !seq.ReadASN1(&point, asn1.BIT_STRING) ||
		!point.Skip(1) || !point.ReadASN1(&numbers, asn1.SEQUENCE) || !numbers.ReadASN1Integer(k.N) {
		return nil, errors.New("it cannot be read")
	}
	e := new(big.Int)
	if !numbers.ReadASN1Integer(e) || e.Sign() <= 0 || e.BitLen() > 31 || e.Bit(0) == 0 {
		return nil, errors.New("crypto/rsa does not compute with its exponent")
	}
	k.E = int(e.Int64())
	return &k, nil
}

var errExplicitCurve = errors.New("its curve is written out instead of named (RFC 5480 section 2.1.1)")

// explicitCurve reports whether a certificate's key is on a curve that is
// written out. A name is an OBJECT IDENTIFIER.
func explicitCurve(c *certificate.Certificate) bool {
	if c.PublicKey.Algorithm != "ECDSA" || c.PublicKey.Curve != "" {
		return false
	}
	in := cryptobyte.String(c.RawSPKI)
	var seq, algorithm, oid cryptobyte.String
	return in.ReadASN1(&seq, asn1.SEQUENCE) && seq.ReadASN1(&algorithm, asn1.SEQUENCE) &&
		algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) && algorithm.PeekASN1Tag(asn1.SEQUENCE)
}

// ed25519Bytes is how many bytes of a message are as much work to hash as a check
// with RSA 2048. Ed25519 hashes the message anew with each key.
const ed25519Bytes = 16 << 10

// cost is how much work one signature check with a key is; with RSA 2048 it is 1.
func cost(key crypto.PublicKey) int {
	switch k := key.(type) {
	case *rsa.PublicKey:
		words := (k.N.BitLen() + 2047) / 2048
		return words * words * max(1, (bits.Len(uint(k.E))+bits.OnesCount(uint(k.E)))/16)
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P384():
			return 12
		case elliptic.P521():
			return 24
		}
	}
	return 2
}

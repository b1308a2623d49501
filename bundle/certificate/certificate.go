// Package certificate reads one X.509 certificate, as leniently as OpenSSL does.
//
// Trust bundles hold certificates that crypto/x509 refuses: roots from 1998 without extensions, with negative serial numbers, with
// names in Latin-1. Devices import them, so they must be shown as they are. [Read] takes what OpenSSL takes, and lists each departure
// from DER and RFC 5280 as a [Quirk]:
//
//	c := certificate.Read(der)
//	if c.Err != nil {
//		return c.Err // der is not a certificate
//	}
//	fmt.Println(c.Subject, c.NotAfter, c.PublicKey, c.Quirks)
//
// [ReadAll] reads many. [Certificate] has what chains are built and judged by; [Certificate.EachExtension] yields every extension, and
// [Certificate.X509] gives the certificate to crypto/x509.
//
// # Identities
//
// A certificate is known by the SHA-256 of its DER, [Certificate.SHA256]. A key is known by [Certificate.KeyID]: it is the same for all
// ways in which one key can be written. Two names are the same if their bytes are.
//
// # What it does not do
//
// It checks no signature, builds no chain and knows no time: an expired certificate, or a forged one, is read like any other. See
// [trustpool/signing.Verify].
//
// # Sources
//
// RFC 5280 for the fields, X.690 for their encoding, RFC 4514 for names in text. Where OpenSSL 3 takes more than these allow, so does
// this package; tests compare the two.
package certificate

import (
	"crypto/x509"
	"encoding/hex"
	"math/big"
	"slices"
	"strconv"
	"strings"

	"trustpool/internal/cms"
)

// A Certificate is one certificate of a bundle, read by this package's own
// reader, which takes every certificate that OpenSSL takes.
//
// If Err is set, only Raw and SHA256 are. Byte slices share the memory of the bundle.
type Certificate struct {
	Raw    []byte   // DER; for a certificate framed in BER its DER, as OpenSSL makes it
	SHA256 [32]byte // of Raw: the identity
	Err    error    // why it is not a certificate; nil for one that was read

	RawTBS     []byte // what the issuer signed (RFC 5280 section 4.1.1.1), as it came
	Version    int    // 1, 2 or 3; another number with QuirkVersionUnknown, 0 if even that cannot be read
	Serial     Serial
	Issuer     Name
	Subject    Name
	NotBefore  Time
	NotAfter   Time
	RawSPKI    []byte // SubjectPublicKeyInfo, the element
	PublicKey  PublicKey
	Extensions []byte // the elements of Extensions, one after the other; see EachExtension

	SignatureAlgorithm Algorithm // the one outside the signed part
	Signature          []byte

	IsCA           bool // basicConstraints; false if absent
	PathLen        int  // -1 for none
	KeyUsage       KeyUsage
	ExtKeyUsage    []ObjectID // empty if absent
	SubjectKeyID   []byte     // nil if absent
	AuthorityKeyID []byte     // nil if absent

	Quirks []Quirk // in the order in which they were met
}

// X509 parses the certificate with crypto/x509, which refuses some genuine ones.
func (c *Certificate) X509() (*x509.Certificate, error) { return x509.ParseCertificate(c.Raw) }

// Has reports whether the certificate has the quirk.
func (c *Certificate) Has(q Quirk) bool { return slices.Contains(c.Quirks, q) }

// SelfIssued reports whether issuer and subject are the same name (RFC 5280
// section 6.1). It does not look at the signature.
func (c *Certificate) SelfIssued() bool { return string(c.Issuer) == string(c.Subject) }

// A Serial is the contents bytes of a serial number: two's complement, most
// significant first.
type Serial []byte

// Negative reports whether the number is below zero.
func (s Serial) Negative() bool { return len(s) > 0 && s[0] >= 0x80 }

// Magnitude is the absolute value in bytes, without leading zeroes; zero is one
// zero byte.
func (s Serial) Magnitude() []byte {
	n := new(big.Int).SetBytes(s)
	if s.Negative() {
		n.Sub(n.Lsh(big.NewInt(1), uint(8*len(s))), new(big.Int).SetBytes(s))
	}
	return n.FillBytes(make([]byte, max((n.BitLen()+7)/8, min(len(s), 1))))
}

// String is the number in hex as "openssl x509 -serial" prints it: capitals,
// whole bytes, a minus sign before a negative one.
func (s Serial) String() string {
	hex := strings.ToUpper(hex.EncodeToString(s.Magnitude()))
	if s.Negative() {
		return "-" + hex
	}
	return hex
}

// A PublicKey is what a report says of a key. Fields that its algorithm does not
// have, or that could not be read, are zero.
type PublicKey struct {
	Algorithm string // RSA, RSASSA-PSS, ECDSA, Ed25519, Ed448, DSA, or the dotted OID
	Bits      int    // of the modulus or of the curve
	Exponent  uint64 // RSA; 0 also if it has more than 64 bits
	Curve     string // ECDSA: P-256, or the dotted OID; empty for explicit parameters
}

// String is the key in a few characters: RSA 2048, ECDSA P-384.
func (k PublicKey) String() string {
	switch {
	case k.Curve != "":
		return k.Algorithm + " " + k.Curve
	case k.Bits > 0 && (k.Algorithm == "RSA" || k.Algorithm == "DSA" || k.Algorithm == "RSASSA-PSS"):
		return k.Algorithm + " " + strconv.Itoa(k.Bits)
	}
	return k.Algorithm
}

// An Algorithm is an AlgorithmIdentifier of a signature.
type Algorithm struct {
	OID        ObjectID
	Parameters []byte // the element, empty if absent
}

// String is OpenSSL's long name of the algorithm, or the dotted OID.
func (a Algorithm) String() string {
	if s, ok := signatureNames[string(a.OID)]; ok {
		return s
	}
	return a.OID.Dotted()
}

// An ObjectID is the contents bytes of an object identifier.
type ObjectID []byte

// Dotted is the identifier in decimal.
func (o ObjectID) Dotted() string {
	s, ok := cms.OIDString(o)
	if !ok {
		return "#" + hex.EncodeToString(o) // longer than any in use
	}
	return s
}

// String is the name that RFC 5280 section 4.2.1.12 gives an extended key usage,
// or the dotted OID.
func (o ObjectID) String() string {
	if s, ok := purposeNames[string(o)]; ok {
		return s
	}
	return o.Dotted()
}

// KeyUsage is the keyUsage extension: bit i of RFC 5280 section 4.2.1.3 is 1<<i.
// Present is set if the extension is there.
type KeyUsage uint16

// The bits that signatures turn on.
const (
	KeyUsageDigitalSignature KeyUsage = 1 << 0
	KeyUsageNonRepudiation   KeyUsage = 1 << 1
	KeyUsageKeyEncipherment  KeyUsage = 1 << 2
	KeyUsageKeyAgreement     KeyUsage = 1 << 4
	KeyUsageKeyCertSign      KeyUsage = 1 << 5
	KeyUsagePresent          KeyUsage = 1 << 15
)

var keyUsageNames = [...]string{
	"digitalSignature", "nonRepudiation", "keyEncipherment", "dataEncipherment", "keyAgreement",
	"keyCertSign", "cRLSign", "encipherOnly", "decipherOnly",
}

// Names are the names of the bits that are set, in the order of RFC 5280.
func (u KeyUsage) Names() []string {
	out := []string{}
	for i, name := range keyUsageNames {
		if u&(1<<i) != 0 {
			out = append(out, name)
		}
	}
	return out
}

// signatureNames are the signature algorithms that certificates have been seen
// with, by the bytes of their OID.
var signatureNames = map[string]string{
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x02": "md2WithRSAEncryption",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x04": "md5WithRSAEncryption",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x05": "sha1WithRSAEncryption",
	"\x2b\x0e\x03\x02\x1d":                 "sha1WithRSA",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a": "rsassaPss",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b": "sha256WithRSAEncryption",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0c": "sha384WithRSAEncryption",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0d": "sha512WithRSAEncryption",
	"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0e": "sha224WithRSAEncryption",
	"\x2a\x86\x48\xce\x38\x04\x03":         "dsaWithSHA1",
	"\x60\x86\x48\x01\x65\x03\x04\x03\x02": "dsa_with_SHA256",
	"\x2a\x86\x48\xce\x3d\x04\x01":         "ecdsa-with-SHA1",
	"\x2a\x86\x48\xce\x3d\x04\x03\x01":     "ecdsa-with-SHA224",
	"\x2a\x86\x48\xce\x3d\x04\x03\x02":     "ecdsa-with-SHA256",
	"\x2a\x86\x48\xce\x3d\x04\x03\x03":     "ecdsa-with-SHA384",
	"\x2a\x86\x48\xce\x3d\x04\x03\x04":     "ecdsa-with-SHA512",
	"\x2b\x65\x70":                         "ED25519",
	"\x2b\x65\x71":                         "ED448",
}

// purposeNames are the extended key usages with a name of their own.
var purposeNames = map[string]string{
	PurposeAny:                         "anyExtendedKeyUsage",
	PurposeServerAuth:                  "serverAuth",
	"\x2b\x06\x01\x05\x05\x07\x03\x02": "clientAuth",
	PurposeCodeSigning:                 "codeSigning",
	PurposeEmailProtection:             "emailProtection",
	"\x2b\x06\x01\x05\x05\x07\x03\x08": "timeStamping",
	"\x2b\x06\x01\x05\x05\x07\x03\x09": "OCSPSigning",
}

package certificate

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"slices"

	"trustpool/internal/cms"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyID is the identity of the certificate's key: the SHA-256 of the
// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), written in the usual way. A key
// can be written in other ways that OpenSSL reads, which do not make it another key:
// RSA without the NULL parameters of RFC 3279 section 2.3.1 or as RSASSA-PSS, and the
// point of a curve compressed (RFC 5480 section 2.2).
func (c *Certificate) KeyID() [sha256.Size]byte { return sha256.Sum256(c.UsualSPKI()) }

// UsualSPKI is the SubjectPublicKeyInfo written in the usual way: see [Certificate.KeyID].
func (c *Certificate) UsualSPKI() []byte {
	if usual := usualKey(c.RawSPKI); usual != nil {
		return usual
	}
	return c.RawSPKI
}

// usualKey returns a SubjectPublicKeyInfo rewritten in the usual way, and nil if it
// is written so already or no other way of writing it is known.
func usualKey(spki []byte) []byte {
	in := cryptobyte.String(spki)
	var seq, algorithm, oid, point cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&algorithm, asn1.SEQUENCE) ||
		!algorithm.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !seq.ReadASN1(&point, asn1.BIT_STRING) || len(point) < 2 {
		return nil
	}
	key := []byte(point[1:])
	usual := string(algorithm) == "\x05\x00" && point[0] == 0 && seq.Empty() && in.Empty() // but for the key itself
	switch string(oid) {
	case oidRSA:
		return usualRSA(key, usual)
	case oidRSAPSS:
		return usualRSA(key, false)
	case oidEC:
		var curve cryptobyte.String
		if !algorithm.ReadASN1(&curve, asn1.OBJECT_IDENTIFIER) || point[0] != 0 {
			return nil
		}
		if key = uncompressed(curves[string(curve)].name, key); key != nil {
			return writeKey(oid, cms.AppendTLV(nil, byte(asn1.OBJECT_IDENTIFIER), curve), key)
		}
	}
	return nil
}

// usualRSA is usualKey of an RSA key; around reports whether what is around the key is
// written in the usual way.
func usualRSA(key cryptobyte.String, around bool) []byte {
	var seq, n, e cryptobyte.String
	if !key.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&n, asn1.INTEGER) || !seq.ReadASN1(&e, asn1.INTEGER) {
		return nil
	}
	if around && key.Empty() && seq.Empty() && usualNumber(n) && usualNumber(e) {
		return nil
	}
	var numbers []byte
	for _, number := range []cryptobyte.String{n, e} {
		content := bytes.TrimLeft(number, "\x00")
		if len(content) == 0 || content[0] >= 0x80 {
			content = append([]byte{0}, content...)
		}
		numbers = cms.AppendTLV(numbers, byte(asn1.INTEGER), content)
	}
	return writeKey([]byte(oidRSA), []byte("\x05\x00"), cms.AppendTLV(nil, byte(asn1.SEQUENCE), numbers))
}

// usualNumber reports whether the contents of an INTEGER are those of a number that is
// not negative, in minimal form.
func usualNumber(b []byte) bool {
	return len(b) > 0 && b[0] < 0x80 && (len(b) == 1 || b[0] != 0 || b[1] >= 0x80)
}

// Elliptic returns the curve of the key if it is one that crypto/ecdsa computes with, else nil.
func (k PublicKey) Elliptic() elliptic.Curve {
	for _, c := range []elliptic.Curve{elliptic.P224(), elliptic.P256(), elliptic.P384(), elliptic.P521()} {
		if c.Params().Name == k.Curve {
			return c
		}
	}
	return nil
}

// uncompressed is a point in the form that starts with 4, nil if it is in that form
// already or its curve is not known.
func uncompressed(curve string, point []byte) []byte {
	if point[0] == 6 || point[0] == 7 { // hybrid: both forms in one
		return append([]byte{4}, point[1:]...)
	}
	c := PublicKey{Curve: curve}.Elliptic()
	if c == nil {
		return nil
	}
	x, y := elliptic.UnmarshalCompressed(c, point)
	if x == nil {
		return nil
	}
	size := (c.Params().BitSize + 7) / 8
	return slices.Concat([]byte{4}, x.FillBytes(make([]byte, size)), y.FillBytes(make([]byte, size)))
}

func writeKey(oid, parameters, key []byte) []byte {
	algorithm := append(cms.AppendTLV(nil, byte(asn1.OBJECT_IDENTIFIER), oid), parameters...)
	whole := cms.AppendTLV(nil, byte(asn1.SEQUENCE), algorithm)
	whole = cms.AppendTLV(whole, byte(asn1.BIT_STRING), append([]byte{0}, key...))
	return cms.AppendTLV(nil, byte(asn1.SEQUENCE), whole)
}

package certificate

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyID is the identity of the certificate's key: the SHA-256 of the
// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), written in the usual way. A key
// can be written in other ways that OpenSSL reads, which do not make it another key:
// RSA without the NULL parameters of RFC 3279 section 2.3.1 or as RSASSA-PSS, and the
// point of a curve compressed (RFC 5480 section 2.2).
func (c *Certificate) KeyID() [sha256.Size]byte {
	if usual := usualKey(c.RawSPKI); usual != nil {
		return sha256.Sum256(usual)
	}
	return sha256.Sum256(c.RawSPKI)
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
	switch ObjectID(oid).Dotted() {
	case "1.2.840.113549.1.1.1":
		return usualRSA(key, usual)
	case "1.2.840.113549.1.1.10":
		return usualRSA(key, false)
	case "1.2.840.10045.2.1":
		var curve cryptobyte.String
		if !algorithm.ReadASN1(&curve, asn1.OBJECT_IDENTIFIER) {
			return nil
		}
		if key = uncompressed(ObjectID(curve).Dotted(), key); key != nil {
			return writeKey(oid, func(b *cryptobyte.Builder) {
				b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(curve) })
			}, key)
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
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		for _, number := range []cryptobyte.String{n, e} {
			content := bytes.TrimLeft(number, "\x00")
			if len(content) == 0 || content[0] >= 0x80 {
				content = append([]byte{0}, content...)
			}
			b.AddASN1(asn1.INTEGER, func(b *cryptobyte.Builder) { b.AddBytes(content) })
		}
	})
	return writeKey([]byte("\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01"), func(b *cryptobyte.Builder) { b.AddASN1NULL() }, b.BytesOrPanic())
}

// usualNumber reports whether the contents of an INTEGER are those of a number that is
// not negative, in minimal form.
func usualNumber(b []byte) bool {
	return len(b) > 0 && b[0] < 0x80 && (len(b) == 1 || b[0] != 0 || b[1] >= 0x80)
}

// uncompressed is a point in the form that starts with 4, nil if it is in that form
// already or its curve is not known.
func uncompressed(curve string, point []byte) []byte {
	if point[0] == 6 || point[0] == 7 { // hybrid: both forms in one
		return append([]byte{4}, point[1:]...)
	}
	var c elliptic.Curve
	switch curve {
	case "1.2.840.10045.3.1.7":
		c = elliptic.P256()
	case "1.3.132.0.34":
		c = elliptic.P384()
	case "1.3.132.0.35":
		c = elliptic.P521()
	default:
		return nil
	}
	x, y := elliptic.UnmarshalCompressed(c, point)
	if x == nil {
		return nil
	}
	size := (c.Params().BitSize + 7) / 8
	out := make([]byte, 1+2*size)
	out[0] = 4
	x.FillBytes(out[1 : 1+size])
	y.FillBytes(out[1+size:])
	return out
}

func writeKey(oid []byte, parameters func(*cryptobyte.Builder), key []byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(asn1.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(asn1.OBJECT_IDENTIFIER, func(b *cryptobyte.Builder) { b.AddBytes(oid) })
			parameters(b)
		})
		b.AddASN1BitString(key)
	})
	return b.BytesOrPanic()
}

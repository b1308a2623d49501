package certificate

import (
	"bytes"
	"crypto/elliptic"
	"crypto/sha256"
	"math/big"
	"slices"

	"trustpool/internal/cms"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// KeyID is the identity of the certificate's key: the SHA-256 of the
// SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), written in the usual way. A key
// can be written in other ways that OpenSSL reads, which do not make it another key:
// RSA without the NULL parameters of RFC 3279 section 2.3.1, as RSASSA-PSS or by the
// identifier of X.509; the point of a curve compressed (RFC 5480 section 2.2); and a
// curve spelled out in place of its name.
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
	case oidRSAPSS, oidRSAX509:
		return usualRSA(key, false)
	case oidEC:
		var curve cryptobyte.String
		named := algorithm.PeekASN1Tag(asn1.OBJECT_IDENTIFIER)
		if !named {
			curve = nameOfCurve(algorithm)
		} else if !algorithm.ReadASN1(&curve, asn1.OBJECT_IDENTIFIER) {
			return nil
		}
		if len(curve) == 0 || point[0] != 0 {
			return nil
		}
		full := uncompressed(curves[string(curve)].name, key)
		if full == nil && !named {
			full = key
		}
		if full != nil {
			return writeKey(oid, cms.AppendTLV(nil, byte(asn1.OBJECT_IDENTIFIER), curve), full)
		}
	}
	return nil
}

// nameOfCurve is the object identifier of the curve that ECParameters spell out (SEC 1
// section C.2), nil if it is none that is known: the same field, equation, base point
// and order.
func nameOfCurve(parameters cryptobyte.String) []byte {
	var seq, version, field, fieldType, p, equation, a, b, base, order cryptobyte.String
	if !parameters.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&version, asn1.INTEGER) ||
		!seq.ReadASN1(&field, asn1.SEQUENCE) || !field.ReadASN1(&fieldType, asn1.OBJECT_IDENTIFIER) || !field.ReadASN1(&p, asn1.INTEGER) ||
		!seq.ReadASN1(&equation, asn1.SEQUENCE) || !equation.ReadASN1(&a, asn1.OCTET_STRING) || !equation.ReadASN1(&b, asn1.OCTET_STRING) ||
		!seq.ReadASN1(&base, asn1.OCTET_STRING) || len(base) == 0 || !seq.ReadASN1(&order, asn1.INTEGER) {
		return nil
	}
	is := func(b []byte, n *big.Int) bool { return new(big.Int).SetBytes(b).Cmp(n) == 0 }
	for oid, known := range curves {
		c := PublicKey{Curve: known.name}.Elliptic()
		if c == nil || len(p) > maxField || !is(p, c.Params().P) {
			continue
		}
		k, full := c.Params(), []byte(base)
		if short := uncompressed(known.name, base); short != nil {
			full = short
		}
		size := (k.BitSize + 7) / 8
		g := slices.Concat([]byte{4}, k.Gx.FillBytes(make([]byte, size)), k.Gy.FillBytes(make([]byte, size)))
		if is(a, new(big.Int).Sub(k.P, big.NewInt(3))) && is(b, k.B) && is(order, k.N) && bytes.Equal(full, g) {
			return []byte(oid)
		}
	}
	return nil
}

// maxField is how many bytes the number of a field may have; that of P-521 has 66.
const maxField = 128

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

package pkitest

import (
	"bytes"
	"crypto/x509"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// An OID is an object identifier in dotted form.
type OID string

// BMPString is a tag that cryptobyte/asn1 does not name.
const BMPString = asn1.Tag(30)

// DER returns the encoding of the object identifier.
func (o OID) DER() []byte {
	return TLV(asn1.OBJECT_IDENTIFIER, must(must(x509.ParseOID(string(o))).MarshalBinary()))
}

// must is for what can only fail if the package is wrong.
func must[T any](v T, err error) T {
	if err != nil {
		panic("pkitest: " + err.Error())
	}
	return v
}

// TLV returns an element in DER: the tag, the length, and the parts as content.
func TLV(tag asn1.Tag, parts ...[]byte) []byte {
	var b cryptobyte.Builder
	b.AddASN1(tag, func(content *cryptobyte.Builder) {
		for _, part := range parts {
			content.AddBytes(part)
		}
	})
	return b.BytesOrPanic()
}

// encode is the DER of each.
func encode[T interface{ DER() []byte }](list []T) (out [][]byte) {
	for _, one := range list {
		out = append(out, one.DER())
	}
	return out
}

// explicit is the tag [n], constructed.
func explicit(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific().Constructed() }

func sequence(parts ...[]byte) []byte { return TLV(asn1.SEQUENCE, parts...) }

func integer(n int64) []byte {
	var b cryptobyte.Builder
	b.AddASN1Int64(n)
	return b.BytesOrPanic()
}

func octetString(content []byte) []byte { return TLV(asn1.OCTET_STRING, content) }

func bits(content []byte) []byte { return TLV(asn1.BIT_STRING, []byte{0}, content) }

func null() []byte { return TLV(asn1.NULL) }

// set is a SET OF in DER, that is, sorted.
func set(elements ...[]byte) []byte { return TLV(asn1.SET, sorted(elements)...) }

func sorted(elements [][]byte) [][]byte {
	elements = slices.Clone(elements)
	slices.SortFunc(elements, bytes.Compare)
	return elements
}

// children splits what is inside a DER element into its elements.
func children(der []byte) [][]byte {
	_, content := split(der)
	var elements [][]byte
	for !content.Empty() {
		var element cryptobyte.String
		if !content.ReadAnyASN1Element(&element, nil) {
			panic("pkitest: not DER")
		}
		elements = append(elements, element)
	}
	return elements
}

// split returns the tag and the content of a DER element.
func split(der []byte) (asn1.Tag, cryptobyte.String) {
	in := cryptobyte.String(der)
	var content cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&content, &tag) {
		panic("pkitest: not DER")
	}
	return tag, content
}

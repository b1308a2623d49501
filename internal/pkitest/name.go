package pkitest

import (
	"strings"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Name is a distinguished name, in the order of its encoding: the country first, the common name last.
type Name []RDN

// An RDN is a relative distinguished name; almost all have one value.
type RDN []NameValue

// A NameValue is one attribute of a name, with any tag and any bytes.
type NameValue struct {
	Type  OID
	Tag   asn1.Tag
	Value []byte
}

var nameTypes = map[string]OID{
	"CN": "2.5.4.3", "C": "2.5.4.6", "L": "2.5.4.7", "ST": "2.5.4.8", "O": "2.5.4.10", "OU": "2.5.4.11",
	"E": "1.2.840.113549.1.9.1", "UID": "2.5.4.45", // x500UniqueIdentifier
}

// NewName makes a name of values such as "C=US" and "CN=Some Root CA", in the order of the encoding. The country is a
// PrintableString, an address an IA5String, all else is UTF8String.
func NewName(values ...string) Name {
	var name Name
	for _, value := range values {
		kind, text, ok := strings.Cut(value, "=")
		oid := nameTypes[kind]
		if !ok || oid == "" {
			panic("pkitest: not a name: " + value)
		}
		tag := asn1.UTF8String
		switch kind {
		case "C":
			tag = asn1.PrintableString
		case "E":
			tag = asn1.IA5String
		}
		name = append(name, RDN{{oid, tag, []byte(text)}})
	}
	return name
}

// With returns the name with one more value of the given tag, as NewName cannot write it.
func (n Name) With(kind string, tag asn1.Tag, value []byte) Name {
	return append(append(Name{}, n...), RDN{{nameTypes[kind], tag, value}})
}

// DER returns the encoding of the name.
func (n Name) DER() []byte {
	var rdns [][]byte
	for _, rdn := range n {
		var values [][]byte
		for _, value := range rdn {
			values = append(values, sequence(value.Type.DER(), TLV(value.Tag, value.Value)))
		}
		rdns = append(rdns, set(values...))
	}
	return sequence(rdns...)
}

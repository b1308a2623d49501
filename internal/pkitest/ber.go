package pkitest

import (
	"encoding/binary"
	"slices"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Framing says how the length of an element is written.
type Framing int

// The framings.
const (
	DER        Framing = iota // definite and minimal
	Indefinite                // BER: length 80, ended by 00 00
	LongLength                // BER: four bytes of length where fewer would do
)

// Frame writes the outermost length of a DER element in another way; what is inside stays as it is.
func (f Framing) Frame(der []byte) []byte {
	tag, content := split(der)
	switch f {
	case Indefinite:
		return indefinite(tag, content)
	case LongLength:
		return slices.Concat([]byte{byte(tag), 0x84}, binary.BigEndian.AppendUint32(nil, uint32(len(content))), content)
	}
	return der
}

func indefinite(tag asn1.Tag, parts ...[]byte) []byte {
	return slices.Concat([]byte{byte(tag), 0x80}, slices.Concat(parts...), []byte{0, 0})
}

// ToBER rewrites a DER message with indefinite lengths all over its framing, and its content in chunks of the given size.
// Certificates and signed attributes, over which signatures are made, keep their DER.
func ToBER(der []byte, chunk int) []byte {
	message := children(der) // contentType, [0]
	fields := children(children(message[1])[0])
	for i, field := range fields {
		switch tag, _ := split(field); {
		case tag == asn1.SEQUENCE:
			fields[i] = contentToBER(field, chunk)
		case tag == asn1.SET && i == len(fields)-1: // signerInfos
			var signers [][]byte
			for _, signer := range children(field) {
				signers = append(signers, indefinite(asn1.SEQUENCE, children(signer)...))
			}
			fields[i] = indefinite(tag, signers...)
		case tag != asn1.INTEGER:
			fields[i] = indefinite(tag, children(field)...)
		}
	}
	return indefinite(asn1.SEQUENCE, message[0], indefinite(explicit(0), indefinite(asn1.SEQUENCE, fields...)))
}

// contentToBER rewrites an encapContentInfo.
func contentToBER(der []byte, chunk int) []byte {
	info := children(der)
	if len(info) == 1 {
		return indefinite(asn1.SEQUENCE, info[0])
	}
	_, content := split(children(info[1])[0])
	var chunks [][]byte
	for part := range slices.Chunk(content, chunk) {
		chunks = append(chunks, octetString(part))
	}
	return indefinite(asn1.SEQUENCE, info[0], indefinite(explicit(0), indefinite(asn1.OCTET_STRING.Constructed(), chunks...)))
}

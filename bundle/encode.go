package bundle

import (
	"errors"
	"fmt"
	"slices"
)

// The parts of a certs-only message (RFC 5652 sections 3, 5.1, 5.2; RFC 8551
// section 3.8) that are always the same.
const (
	oidSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	// Version 1, no digest algorithms, and absent content of type data.
	certsOnlyHead = "\x02\x01\x01" + "\x31\x00" + "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	certsOnlyTail = "\x31\x00" // no signers
)

// EncodeCertsOnly makes the certs-only message of certificates, in their order:
// the octets that "openssl crl2pkcs7 -nocrl" writes. The set is not brought into
// the order of DER, nor is it in genuine bundles. An entry that is no certificate
// is an error.
func EncodeCertsOnly(certs []*Certificate) ([]byte, error) {
	if len(certs) == 0 {
		return nil, errors.New("no certificates to encode")
	}
	size := 0
	for i, c := range certs {
		if c.Err != nil {
			return nil, fmt.Errorf("entry %d is no certificate: %w", i+1, c.Err)
		}
		size += len(c.Raw)
	}
	// Before the certificates, innermost first: each header holds the length of
	// what it encloses.
	front := certsOnlyHead + header(0xa0, size)
	size += len(certsOnlyTail) // what stands after front
	front = header(0x30, len(front)+size) + front
	front = oidSignedData + header(0xa0, len(front)+size) + front
	front = header(0x30, len(front)+size) + front

	out := slices.Grow([]byte(front), size)
	for _, c := range certs {
		out = append(out, c.Raw...)
	}
	return append(out, certsOnlyTail...), nil
}

// header is the identifier and length octets of an element in DER (X.690 section
// 10.1).
func header(tag byte, size int) string {
	if size < 0x80 {
		return string([]byte{tag, byte(size)})
	}
	var length []byte
	for ; size > 0; size >>= 8 {
		length = append(length, byte(size))
	}
	slices.Reverse(length)
	return string(append([]byte{tag, 0x80 | byte(len(length))}, length...))
}

package bundle

import (
	"errors"
	"fmt"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// The parts of a certs-only message (RFC 5652 sections 3, 5.1, 5.2; RFC 8551
// section 3.8) that are always the same.
const (
	// Version 1, no digest algorithms, and absent content of type data.
	certsOnlyHead = "\x02\x01\x01" + "\x31\x00" + "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01"
	certsOnlyTail = "\x31\x00" // no signers
)

// EncodeCertsOnly makes the certs-only message of certificates, in their order:
// the bytes that "openssl crl2pkcs7 -nocrl" writes. The set is not brought into
// the order of DER, nor is it in genuine bundles. An entry that is not a certificate
// is an error.
func EncodeCertsOnly(certs []*certificate.Certificate) ([]byte, error) {
	parts, err := CertsOnlyParts(certs)
	return slices.Concat(parts...), err
}

// CertsOnlyParts is EncodeCertsOnly in parts, to be written one after the other;
// those of the certificates are their own bytes, which must not be changed.
func CertsOnlyParts(certs []*certificate.Certificate) ([][]byte, error) {
	if len(certs) == 0 {
		return nil, errors.New("no certificates to encode")
	}
	size := 0
	for i, c := range certs {
		if c.Err != nil {
			return nil, fmt.Errorf("entry %d is not a certificate: %w", i+1, c.Err)
		}
		size += len(c.Raw)
	}
	front := cms.AppendHeader([]byte(certsOnlyHead), 0xa0, size)
	front = cms.Front(front, size+len(certsOnlyTail))

	parts := make([][]byte, 0, len(certs)+2)
	parts = append(parts, front)
	for _, c := range certs {
		parts = append(parts, c.Raw)
	}
	return append(parts, []byte(certsOnlyTail)), nil
}

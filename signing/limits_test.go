package signing

import (
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// An empty key identifier names nobody, least of all whoever has none.
func TestEmptyKeyIdentifier(t *testing.T) {
	t.Parallel()
	j := judge{
		bundle: &bundle.Bundle{Chain: []*certificate.Certificate{{}, {SubjectKeyID: []byte{}, SHA256: [32]byte{1}}}},
		info:   &cms.SignerInfo{SubjectKeyID: []byte{}},
	}
	if c := j.candidates(); len(c) != 0 {
		t.Errorf("%d certificates", len(c))
	}
}

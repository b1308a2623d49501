package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"time"
)

// KeyAlgorithms are the kinds of keys that GenerateKey makes.
func KeyAlgorithms() []string { return []string{"rsa", "p256", "p384", "p521", "ed25519"} }

// GenerateKey makes a new key, from the system's randomness.
func GenerateKey(algorithm string) (crypto.Signer, error) {
	switch algorithm {
	case "rsa":
		return rsa.GenerateKey(nil, minRSABits)
	case "p256":
		return ecdsa.GenerateKey(elliptic.P256(), nil)
	case "p384":
		return ecdsa.GenerateKey(elliptic.P384(), nil)
	case "p521":
		return ecdsa.GenerateKey(elliptic.P521(), nil)
	case "ed25519":
		_, key, err := ed25519.GenerateKey(nil)
		return key, err
	}
	return nil, fmt.Errorf("%q is none of %v", algorithm, KeyAlgorithms())
}

// LabOptions describe the certificates of a lab's root and signer. All fields
// must be set.
type LabOptions struct {
	Organization        string
	RootName            string // common names
	SignerName          string
	NotBefore, NotAfter time.Time // of both, in whole seconds
}

func (o LabOptions) check() error {
	for _, n := range []struct{ what, name string }{
		{"organization", o.Organization}, {"root's common name", o.RootName}, {"signer's common name", o.SignerName},
	} {
		if n.name == "" || len([]rune(n.name)) > 64 { // RFC 5280 appendix A.1
			return fmt.Errorf("the %s must have 1 to 64 characters: %q", n.what, n.name)
		}
	}
	switch {
	case o.RootName == o.SignerName:
		return errors.New("root and signer have the same common name")
	case o.NotBefore.IsZero() || o.NotAfter.IsZero():
		return errors.New("signing: no dates for the certificates")
	case !o.NotBefore.Before(o.NotAfter):
		return errors.New("the certificates would end before they begin")
	case o.NotBefore.UTC().Year() < 1950 || o.NotAfter.UTC().Year() > 9999:
		return errors.New("the certificates' dates must be in 1950 to 9999")
	}
	return nil
}

// bundleSigning is the extended key usage of Cisco's signer.
var bundleSigning = asn1.ObjectIdentifier{1, 3, 6, 1, 3, 1, 9, 21, 2, 3}

// NewLab makes the certificates of a lab, in DER: a root, and below it a signer
// of bundles with the profile of Cisco's: its extended key usage, digitalSignature
// and nonRepudiation, and no basicConstraints. The signer's private key may be
// anywhere. The same input gives the same certificates; serial numbers follow
// from keys, names and dates.
func NewLab(rootKey crypto.Signer, signerKey crypto.PublicKey, o LabOptions) (root, signer []byte, err error) {
	if err := o.check(); err != nil {
		return nil, nil, err
	}
	rootCert, err := o.template(rootKey.Public(), pkix.Name{Organization: []string{o.Organization}, CommonName: o.RootName})
	if err != nil {
		return nil, nil, err
	}
	rootCert.IsCA, rootCert.BasicConstraintsValid = true, true
	rootCert.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageCRLSign
	signerCert, err := o.template(signerKey, pkix.Name{
		Organization: []string{o.Organization}, OrganizationalUnit: []string{"Bundle Signing"}, CommonName: o.SignerName,
	})
	if err != nil {
		return nil, nil, err
	}
	if bytes.Equal(rootCert.SubjectKeyId, signerCert.SubjectKeyId) {
		return nil, nil, errors.New("root and signer have the same key")
	}
	signerCert.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	signerCert.UnknownExtKeyUsage = []asn1.ObjectIdentifier{bundleSigning}

	// Without a source of randomness ECDSA is that of RFC 6979.
	if root, err = x509.CreateCertificate(nil, rootCert, rootCert, rootKey.Public(), rootKey); err != nil {
		return nil, nil, fmt.Errorf("the root's certificate: %w", err)
	}
	if signer, err = x509.CreateCertificate(nil, signerCert, rootCert, signerKey, rootKey); err != nil {
		return nil, nil, fmt.Errorf("the signer's certificate: %w", err)
	}
	return root, signer, nil
}

func (o LabOptions) template(key crypto.PublicKey, name pkix.Name) (*x509.Certificate, error) {
	spki, err := x509.MarshalPKIXPublicKey(key)
	if err != nil {
		return nil, err
	}
	subject, err := asn1.Marshal(name.ToRDNSequence())
	if err != nil {
		return nil, err
	}
	dates := fmt.Append(nil, o.NotBefore.Unix(), o.NotAfter.Unix())
	sum := sha256.Sum256(slices.Concat(subject, spki, dates))
	serial := sum[:16]
	serial[0] = serial[0]&0x3f | 0x40 // positive, and as long as any other
	id := sha256.Sum256(spki)
	return &x509.Certificate{
		SerialNumber: new(big.Int).SetBytes(serial),
		Subject:      name,
		NotBefore:    o.NotBefore,
		NotAfter:     o.NotAfter,
		SubjectKeyId: id[:20],
	}, nil
}

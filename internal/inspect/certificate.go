package inspect

import (
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// A CertificateReport is what reports say of a certificate; docs/formats.md has
// every field. A field that could not be read is null, and a quirk says so; all
// but the hashes and Error are null for an element that is not a certificate.
type CertificateReport struct {
	Index              int                 `json:"index"` // from 1
	SHA256             string              `json:"sha256"`
	SHA1               string              `json:"sha1"`
	MD5                string              `json:"md5"`
	Subject            *string             `json:"subject"`
	Issuer             *string             `json:"issuer"`
	Serial             *string             `json:"serial"`
	NotBefore          certificate.Time    `json:"not_before"`
	NotAfter           certificate.Time    `json:"not_after"`
	X509Version        *int                `json:"x509_version"`
	PublicKey          *PublicKeyReport    `json:"public_key"`
	SignatureAlgorithm *string             `json:"signature_algorithm"`
	IsCA               *bool               `json:"is_ca"`
	PathLen            *int                `json:"path_len"`
	KeyUsage           []string            `json:"key_usage"`
	ExtKeyUsage        []string            `json:"ext_key_usage"`
	SubjectKeyID       *string             `json:"subject_key_id"`
	AuthorityKeyID     *string             `json:"authority_key_id"`
	SelfIssued         *bool               `json:"self_issued"`
	Quirks             []certificate.Quirk `json:"quirks"`
	Error              *string             `json:"error"`
}

// A PublicKeyReport is what reports say of a key. Fields that the algorithm does
// not have, or that could not be read, are null.
type PublicKeyReport struct {
	Algorithm  string  `json:"algorithm"`
	Bits       *int    `json:"bits"`
	Exponent   *uint64 `json:"exponent"`
	Curve      *string `json:"curve"`
	SPKISHA256 string  `json:"spki_sha256"`
}

// NewCertificateReport is what reports say of the certificate at the position index of its
// bundle, counted from 1.
func NewCertificateReport(c *certificate.Certificate, index int) CertificateReport {
	sha1Sum, md5Sum := sha1.Sum(c.Raw), md5.Sum(c.Raw)
	r := CertificateReport{
		Index:  index,
		SHA256: hex.EncodeToString(c.SHA256[:]),
		SHA1:   hex.EncodeToString(sha1Sum[:]),
		MD5:    hex.EncodeToString(md5Sum[:]),
		Quirks: []certificate.Quirk{},
	}
	if c.Err != nil {
		r.Error = new(c.Err.Error())
		return r
	}
	spki := c.KeyID()
	r.Subject, r.Issuer, r.Serial = new(c.Subject.String()), new(c.Issuer.String()), new(c.Serial.String())
	r.NotBefore, r.NotAfter = c.NotBefore, c.NotAfter
	r.X509Version = report.Optional(c.Version)
	r.PublicKey = &PublicKeyReport{
		Algorithm:  c.PublicKey.Algorithm,
		Bits:       report.Optional(c.PublicKey.Bits),
		Exponent:   report.Optional(c.PublicKey.Exponent),
		Curve:      report.Optional(c.PublicKey.Curve),
		SPKISHA256: hex.EncodeToString(spki[:]),
	}
	r.SignatureAlgorithm = new(c.SignatureAlgorithm.String())
	r.IsCA = report.OrNil(c.IsCA, !c.Has(certificate.QuirkBasicUnreadable))
	r.PathLen = report.OrNil(c.PathLen, c.PathLen >= 0)
	if !c.Has(certificate.QuirkKeyUsageUnreadable) {
		r.KeyUsage = c.KeyUsage.Names()
	}
	if !c.Has(certificate.QuirkExtKeyUsageUnreadable) {
		r.ExtKeyUsage = make([]string, len(c.ExtKeyUsage))
		for i, id := range c.ExtKeyUsage {
			r.ExtKeyUsage[i] = id.String()
		}
	}
	r.SubjectKeyID = report.OrNil(hex.EncodeToString(c.SubjectKeyID), c.SubjectKeyID != nil)
	r.AuthorityKeyID = report.OrNil(hex.EncodeToString(c.AuthorityKeyID), c.AuthorityKeyID != nil)
	r.SelfIssued = new(c.SelfIssued())
	if c.Quirks != nil {
		r.Quirks = c.Quirks
	}
	return r
}

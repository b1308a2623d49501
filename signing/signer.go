package signing

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
	"trustpool/internal/path"
)

// maxSignatureChecks bounds how many signatures are tried for one bundle, over
// all its signers. A genuine one needs two.
const maxSignatureChecks = 64

// Object identifiers of the attributes that every signer must have (RFC 5652
// sections 11.1, 11.2).
const (
	oidContentType   = "1.2.840.113549.1.9.3"
	oidMessageDigest = "1.2.840.113549.1.9.4"
)

// checkMessage applies the rules that concern the message as a whole.
func checkMessage(b *bundle.Bundle) *refusal {
	switch {
	case b.Message == nil && b.Mixed:
		return refuse(NotSigned, "the file holds a message beside other things, and no signature is over all of it")
	case b.Message == nil:
		return refuse(NotSigned, "the file bears no signature (form %s)", b.Form)
	case len(b.Message.Signers) == 0:
		return refuse(NoSigners, "the message is of the type of signed messages and has no signer")
	case b.Message.ContentType != cms.OIDData:
		return refuse(ContentTypeNotData, "the signed content is of type %s, not data", b.Message.ContentType)
	case b.Message.Content == nil:
		return refuse(PoolNotCovered, "the certificates are beside the signature, which does not cover them")
	}
	return nil
}

// checkContent asks that what was signed is a pool and nothing else. It comes
// last, so that a signature's own fault is named before what it leads to.
func checkContent(b *bundle.Bundle) *refusal {
	switch {
	case b.Content == nil:
		return refuse(ContentNotCertsOnly, "the signed content is not a message of certificates")
	case b.Content.Content != nil || len(b.Content.Signers) > 0:
		return refuse(ContentNotCertsOnly, "the signed content has content or signers of its own, so it is not a certs-only message")
	}
	return nil
}

// A judge applies the rules to one SignerInfo.
type judge struct {
	bundle  *bundle.Bundle
	info    *cms.SignerInfo
	options VerifyOptions
	work    *work

	result Signer
}

// refuse is a rule's answer no.
func refuse(r Reason, format string, args ...any) *refusal {
	return &refusal{r, fmt.Errorf(format, args...)}
}

type refusal struct {
	reason Reason
	err    error
}

func (j *judge) run() Signer {
	if r := j.judge(); r != nil {
		j.result.Reason, j.result.Err = r.reason, r.err
	}
	return j.result
}

func (j *judge) judge() *refusal {
	candidates := j.candidates()
	if len(candidates) > 0 {
		j.result.Certificate = candidates[0]
	}
	if r := j.checkAttributes(); r != nil {
		return r
	}
	if len(candidates) == 0 {
		return refuse(SignerCertificateMissing, "the message does not hold the certificate of the signer that it names")
	}
	algorithm, r := j.algorithm()
	if r != nil {
		return r
	}
	// Several certificates may bear the identifier; the signature tells which is
	// meant. Where none passes, the refusal of that one is reported, else the first.
	var best *refusal
	var told Signer
	for _, c := range candidates {
		r := j.judgeCertificate(c, algorithm)
		if r == nil {
			return nil
		}
		if best == nil || best.concernsKey() && !r.concernsKey() {
			best, told = r, j.result
		}
	}
	j.result = told
	return best
}

// concernsKey reports whether a refusal says that the certificate's key did not
// make the signature.
func (r *refusal) concernsKey() bool {
	return r.reason == SignatureInvalid || r.reason == SignatureUnsupported
}

// candidates are the message's certificates that the signer identifier names.
func (j *judge) candidates() []*certificate.Certificate {
	var out []*certificate.Certificate
	for _, c := range j.bundle.Chain {
		known := func(o *certificate.Certificate) bool { return o.SHA256 == c.SHA256 }
		if bundle.IsSigner(c, j.info) && len(out) < maxSignatureChecks && !slices.ContainsFunc(out, known) {
			out = append(out, c)
		}
	}
	return out
}

// checkAttributes applies the rules on the signed attributes, and that they
// speak of this content.
func (j *judge) checkAttributes() *refusal {
	s, m := j.info, j.bundle.Message
	hash, r := messageHash(s.DigestAlgorithm)
	if r != nil {
		return r
	}
	if !slices.ContainsFunc(m.DigestAlgorithms, func(a cms.Algorithm) bool { return a.OID == s.DigestAlgorithm.OID }) {
		return refuse(DigestNotListed, "the message does not list the signer's digest algorithm %s", hash)
	}
	if s.SignedAttrs == nil || len(s.Attributes) == 0 {
		return refuse(NoSignedAttributes, "the signer signed no attributes")
	}
	j.result.Signed = sha256.Sum256(s.SignedBytes())
	if err := s.CheckAttributesDER(); err != nil {
		return &refusal{AttributesNotDER, fmt.Errorf("the signed attributes are not DER: %w", err)}
	}
	if r := j.checkUnsigned(); r != nil {
		return r
	}
	if r := j.checkContentType(); r != nil {
		return r
	}
	if r := j.checkDigest(hash); r != nil {
		return r
	}
	claims, err := bundle.ReadClaims(s)
	if err != nil {
		return refuseClaim(err)
	}
	j.result.Claims = claims
	return nil
}

// checkUnsigned refuses unsigned attributes of the types that must be signed: what
// reads them might take them for the signer's word.
func (j *judge) checkUnsigned() *refusal {
	for _, a := range j.info.UnsignedAttributes {
		switch a.Type {
		case oidContentType:
			return refuse(ContentTypeUnsigned, "a contentType is among the unsigned attributes")
		case oidMessageDigest:
			return refuse(DigestUnsigned, "a messageDigest is among the unsigned attributes")
		case bundle.OIDSigningTime:
			return refuse(SigningTimeUnsigned, "a signingTime is among the unsigned attributes")
		}
	}
	return nil
}

func (j *judge) checkContentType() *refusal {
	value, err := bundle.SingleValue(j.info.Attributes, oidContentType)
	switch {
	case err != nil:
		return &refusal{ContentTypeDoubled, fmt.Errorf("the contentType %w", err)}
	case value == nil:
		return refuse(ContentTypeMissing, "the signed attributes have no contentType")
	case !bytes.Equal(value, idData):
		return refuse(ContentTypeDiffers, "the signed contentType is not data, which the content is")
	}
	return nil
}

// idData is the DER of the OBJECT IDENTIFIER id-data.
var idData = []byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x01")

func (j *judge) checkDigest(hash crypto.Hash) *refusal {
	value, err := bundle.SingleValue(j.info.Attributes, oidMessageDigest)
	switch {
	case err != nil:
		return &refusal{DigestDoubled, fmt.Errorf("the messageDigest %w", err)}
	case value == nil:
		return refuse(DigestMissing, "the signed attributes have no messageDigest")
	}
	if j.bundle.Message.Content == nil {
		return refuse(PoolNotCovered, "what was signed is not in the message")
	}
	if !bytes.Equal(value, cms.AppendTLV(nil, 0x04, j.digest(hash))) {
		return refuse(DigestDiffers, "the content is not the one that was signed: its %s differs", hash)
	}
	return nil
}

// digest is the hash of the content, computed once for all signers.
func (j *judge) digest(hash crypto.Hash) []byte {
	if j.work.digests[hash] == nil {
		h := hash.New()
		h.Write(j.bundle.Message.Content)
		j.work.digests[hash] = h.Sum(nil)
	}
	return j.work.digests[hash]
}

// refuseClaim names the rule that an unreadable claim breaks.
func refuseClaim(err error) *refusal {
	var claim *bundle.ClaimError
	if !errors.As(err, &claim) {
		return &refusal{AttributesNotDER, err}
	}
	switch claim.Attribute {
	case bundle.OIDName:
		return &refusal{NameMalformed, fmt.Errorf("the bundle's name: %w", err)}
	case bundle.OIDVersion:
		return &refusal{VersionMalformed, fmt.Errorf("the bundle's version: %w", err)}
	}
	if claim.Doubled {
		return &refusal{SigningTimeDoubled, fmt.Errorf("the signing time: %w", err)}
	}
	return &refusal{SigningTimeMalformed, fmt.Errorf("the signing time: %w", err)}
}

// judgeCertificate checks the signature with one certificate's key, what the
// certificate is for, and the chain above it.
func (j *judge) judgeCertificate(c *certificate.Certificate, a path.Algorithm) *refusal {
	j.result.Certificate = c
	j.result.Chain = []Link{{Certificate: c}}
	if j.work.budget == 0 {
		return refuse(ChainTooComplex, "more than %d signatures to try", maxSignatureChecks)
	}
	j.work.budget--
	key, err := path.PublicKey(c)
	if err != nil {
		return refuse(SignatureUnsupported, "the signer's key (%s) cannot be used: %w", c.PublicKey, err)
	}
	switch err := a.Verify(key, j.info.SignedBytes(), j.info.Signature); {
	case errors.Is(err, path.ErrKeyType):
		return &refusal{SignatureUnsupported, err}
	case err != nil:
		return &refusal{SignatureInvalid, err}
	}
	if r := checkSignerUsage(c); r != nil {
		return r
	}
	return j.findChain(c)
}

// checkSignerUsage refuses a certificate that may not sign bundles.
func checkSignerUsage(c *certificate.Certificate) *refusal {
	if r := path.CheckReadable(c); r != nil {
		return &refusal{Reason(r.Reason), r.Err}
	}
	const either = certificate.KeyUsageDigitalSignature | certificate.KeyUsageNonRepudiation
	if c.KeyUsage&certificate.KeyUsagePresent != 0 && c.KeyUsage&either == 0 {
		return refuse(SignerKeyUsage, "the signer's key usage has neither digitalSignature nor nonRepudiation")
	}
	if allowed, _ := path.AllowedPurposes(c, purposes); allowed == 0 {
		return refuse(SignerPurpose, "the signer's certificate is for %v, none of which is signing bundles", c.ExtKeyUsage)
	}
	return nil
}

// purposes are those that a signer of bundles may have. Genuine signers have the
// first arc; Cisco's attributes use the second, which looks like the one that was
// meant.
var purposes = [][]string{
	{
		"\x2b\x06\x01\x03\x01\x09\x15\x02\x03", // 1.3.6.1.3.1.9.21.2.3
		"\x2b\x06\x01\x04\x01\x09\x15\x02\x03", // 1.3.6.1.4.1.9.21.2.3
	},
	{certificate.PurposeEmailProtection},
	{certificate.PurposeCodeSigning},
}

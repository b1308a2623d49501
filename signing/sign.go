package signing

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"errors"
	"fmt"
	"io"
	"math/big"
	"slices"
	"time"

	"go.mozilla.org/pkcs7"
	"golang.org/x/crypto/cryptobyte"
	cbasn1 "golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
	"trustpool/roots"
)

// SignOptions are what a signature says. Name, Version and Time must be set.
type SignOptions struct {
	Name    string // Cisco's attributes; a PrintableString each
	Version string
	Time    time.Time // the signing time, in whole seconds

	// Hash is SHA-256, SHA-384 or SHA-512. Zero is the customary one of the key:
	// SHA-256 for RSA, as Cisco signs, that of the curve's size for ECDSA, SHA-512
	// for Ed25519, which allows no other (RFC 8419 section 3.1).
	Hash crypto.Hash

	// AllowExpired signs even if certificates of the signer's chain are not
	// valid at Time. There must be a time at which all of them are.
	AllowExpired bool
}

// Limits on who signs and what is said.
const (
	minRSABits = 2048
	maxClaim   = 128 // characters of a name or version
)

// Sign makes the signed bundle of b's certificates, in their order and in the
// structure of Cisco's bundles: a certs-only message within a message of one
// signer. Whatever b was signed with before plays no part.
//
// What comes out is verified before it is returned: under the last certificate
// of the signer's chain, its root or the highest there is, at o.Time. The same
// input gives the same bytes, except that ECDSA with a key outside this process
// is as random as that makes it.
func Sign(b *bundle.Bundle, id *Identity, o SignOptions) ([]byte, error) {
	if err := o.check(); err != nil {
		return nil, err
	}
	suite, verify, err := id.prepare(o)
	if err != nil {
		return nil, err
	}
	content, err := bundle.CertsOnlyParts(b.Certificates)
	if err != nil {
		return nil, err
	}
	out, err := seal(content, false, id, suite, o)
	if err != nil {
		return nil, err
	}
	signed, err := reread(out, b.Certificates, id.Certificates)
	if err != nil {
		return nil, fmt.Errorf("what was signed cannot be read: %w", err)
	}
	v, err := Verify(signed, verify)
	if err != nil {
		return nil, id.notSigned(err)
	}
	if v.Name != o.Name || v.Version != o.Version {
		return nil, errors.New("what was signed says something else than it was to say")
	}
	return out, nil
}

// reread is bundle.Parse of a message that was made of certs and chain: if it has
// their bytes, they need not be decoded again. That its content is what was hashed
// is for Verify.
func reread(message []byte, certs, chain []*certificate.Certificate) (*bundle.Bundle, error) {
	limits := cms.Limits{MaxCertificates: len(certs) + len(chain)}
	outer, err := cms.ParseSignedData(message, 0, limits)
	if err != nil {
		return nil, err
	}
	inner, err := cms.ParseSignedData(outer.Content, outer.ContentOffset, limits)
	if err != nil {
		return nil, err
	}
	same := func(raw []byte, c *certificate.Certificate) bool { return bytes.Equal(raw, c.Raw) }
	if !slices.EqualFunc(inner.Certificates, certs, same) || !slices.EqualFunc(outer.Certificates, chain, same) {
		return nil, errors.New("it holds something else than was given")
	}
	return &bundle.Bundle{
		Raw: message, Form: bundle.FormSigned, Message: outer, Content: inner, Certificates: certs, Chain: chain,
	}, nil
}

// notSigned says why what the key made is not a signature.
func (id *Identity) notSigned(err error) error {
	if r := (*VerifyError)(nil); errors.As(err, &r) && r.Reason == SignatureInvalid {
		return fmt.Errorf("the key did not sign as the certificate %s wants it: key and certificate do not match, or the signature is of another kind: %w",
			id.Certificates[0].Subject, r.Err)
	}
	return fmt.Errorf("what was signed: %w", err)
}

func (o SignOptions) check() error {
	if err := checkTime(o.Time); err != nil {
		return err
	}
	if err := checkClaim("name", o.Name); err != nil {
		return err
	}
	return checkClaim("version", o.Version)
}

func checkTime(t time.Time) error {
	if t.IsZero() {
		return errors.New("signing: no time to sign at")
	}
	if y := t.UTC().Year(); y < 1950 || y > 9999 {
		return fmt.Errorf("the signing time is in the year %d, and must be in 1950 to 9999", y)
	}
	return nil
}

// checkClaim asks for a PrintableString, as Cisco's attributes are (X.680
// section 41.4).
func checkClaim(what, s string) error {
	switch {
	case s == "":
		return fmt.Errorf("the bundle's %s is missing", what)
	case len(s) > maxClaim:
		return fmt.Errorf("the bundle's %s has %d characters, more than %d", what, len(s), maxClaim)
	}
	for _, r := range s {
		if !cms.IsPrintable(r) {
			return fmt.Errorf("the bundle's %s %q has a %q, which a PrintableString cannot hold: use A-Z, a-z, 0-9, space and '()+,-./:=?", what, s, r)
		}
	}
	return nil
}

// check reports whether id may sign bundles, before the key is asked to.
func (id *Identity) check() error {
	if id == nil || id.Key == nil || len(id.Certificates) == 0 {
		return errors.New("signing: no key or no certificate to sign with")
	}
	for _, c := range id.Certificates {
		if c.Err != nil {
			return fmt.Errorf("a certificate of the signer's chain is none: %w", c.Err)
		}
		if k := c.PublicKey; k.Algorithm == "RSA" && k.Bits < minRSABits {
			return fmt.Errorf("the key of %s has %d bits: RSA must have at least %d to sign", c.Subject, k.Bits, minRSABits)
		}
	}
	signer := id.Certificates[0]
	public, err := x509.MarshalPKIXPublicKey(id.Key.Public())
	if err != nil {
		return fmt.Errorf("the key cannot sign bundles: %w", err)
	}
	if key := (&certificate.Certificate{RawSPKI: public}); key.KeyID() != signer.KeyID() {
		return fmt.Errorf("key and certificate do not match: the key (%s) is not that of %s (%s)", keyName(id.Key.Public()), signer.Subject, signer.PublicKey)
	}
	if r := checkSignerUsage(signer); r != nil {
		return fmt.Errorf("the certificate %s cannot sign bundles: %w", signer.Subject, r.err)
	}
	return nil
}

func keyName(public crypto.PublicKey) string {
	switch k := public.(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA %d", k.N.BitLen())
	case *ecdsa.PublicKey:
		return "ECDSA " + k.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return fmt.Sprintf("%T", public)
}

// prepare says how id signs, and what the signature must then pass. Its chain is
// judged here already.
func (id *Identity) prepare(o SignOptions) (how suite, verify VerifyOptions, err error) {
	if err = id.check(); err != nil {
		return how, verify, err
	}
	if how, err = suiteOf(id.Certificates[0], o.Hash); err != nil {
		return how, verify, err
	}
	last := id.Certificates[len(id.Certificates)-1]
	anchor, err := roots.FromCertificate(last)
	if err != nil {
		return how, verify, err
	}
	verify = VerifyOptions{Anchors: []roots.Anchor{anchor}, At: o.Time}
	if o.AllowExpired {
		if verify.At, err = id.validTime(o.Time); err != nil {
			return how, verify, err
		}
	}
	j := judge{bundle: &bundle.Bundle{Chain: id.Certificates}, options: verify, work: new(work)}
	if r := j.findChain(id.Certificates[0]); r != nil {
		hint := ""
		if r.reason == ChainExpired || r.reason == ChainNotYetValid {
			hint = fmt.Sprintf(" (signing at %s)", o.Time.UTC().Format(time.RFC3339))
		}
		return how, verify, fmt.Errorf("the signer's chain would not be verified: %s: %w%s", r.reason, r.err, hint)
	}
	same := func(l Link, c *certificate.Certificate) bool { return l.Certificate.SHA256 == c.SHA256 }
	if !slices.EqualFunc(j.result.Chain, id.Certificates, same) {
		err = fmt.Errorf("the certificates are not a chain from %s to %s, each signed by the next", id.Certificates[0].Subject, last.Subject)
	}
	return how, verify, err
}

// validTime is the time nearest to t at which the whole chain is valid.
func (id *Identity) validTime(t time.Time) (time.Time, error) {
	from, until := id.Certificates[0].NotBefore.Time, id.Certificates[0].NotAfter.Time
	for _, c := range id.Certificates[1:] {
		if c.NotBefore.After(from) {
			from = c.NotBefore.Time
		}
		if c.NotAfter.Before(until) {
			until = c.NotAfter.Time
		}
	}
	switch {
	case until.Before(from):
		return t, errors.New("there is no time at which all certificates of the signer's chain are valid")
	case t.Before(from):
		return from, nil
	case t.After(until):
		return until, nil
	}
	return t, nil
}

// seal puts the signed message around content, which is in parts, one after the
// other, or beside it. The library has no signer that
// takes a time, or a key that it does not know: it lays out the message with a
// placeholder, whose SignerInfo is then filled in. It does not get the content, of
// which it would make three copies.
func seal(content [][]byte, detached bool, id *Identity, suite suite, o SignOptions) ([]byte, error) {
	sd, err := pkcs7.NewSignedData(nil)
	if err != nil {
		return nil, err
	}
	sd.SetDigestAlgorithm(suite.digest.Algorithm)
	sd.SetEncryptionAlgorithm(suite.signature.Algorithm)
	if err := sd.SignWithoutAttr(libraryCertificate(id.Certificates[0]), placeholder{}, pkcs7.SignerInfoConfig{}); err != nil {
		return nil, err
	}
	for _, c := range id.Certificates[1:] {
		sd.AddCertificate(libraryCertificate(c))
	}

	message := sd.GetSignedData()
	message.DigestAlgorithmIdentifiers[0] = suite.digest
	info := &message.SignerInfos[0]
	info.DigestAlgorithm, info.DigestEncryptionAlgorithm = suite.digest, suite.signature
	digest := suite.hash.New()
	for _, part := range content {
		digest.Write(part)
	}
	attributes, err := signedAttributes(digest.Sum(nil), o)
	if err != nil {
		return nil, err
	}
	var set []byte
	for _, a := range attributes {
		set = append(set, a.der...)
		n := len(info.AuthenticatedAttributes)
		info.AuthenticatedAttributes = slices.Grow(info.AuthenticatedAttributes, 1)[:n+1]
		info.AuthenticatedAttributes[n].Type = a.Type
		info.AuthenticatedAttributes[n].Value = a.Value
	}
	// They are signed as a SET, and sent as [0] (RFC 5652 section 5.4).
	set = cms.AppendTLV(nil, 0x31, set)
	// Without a source of randomness ECDSA is that of RFC 6979.
	if info.EncryptedDigest, err = crypto.SignMessage(id.Key, nil, set, suite.opts); err != nil {
		return nil, fmt.Errorf("the key does not sign: %w", err)
	}
	sd.Detach()
	out, err := sd.Finish()
	if err != nil || detached {
		return out, err
	}
	return attach(out, content)
}

// attach puts content into a signed message that has none (RFC 5652 sections 3, 5.1,
// 5.2).
func attach(message []byte, content [][]byte) ([]byte, error) {
	in := cryptobyte.String(message)
	var info, explicit, rest, version, digests, kind cryptobyte.String
	if !in.ReadASN1(&info, cbasn1.SEQUENCE) || !info.SkipASN1(cbasn1.OBJECT_IDENTIFIER) ||
		!info.ReadASN1(&explicit, cbasn1.Tag(0).Constructed().ContextSpecific()) || !explicit.ReadASN1(&rest, cbasn1.SEQUENCE) ||
		!rest.ReadASN1Element(&version, cbasn1.INTEGER) || !rest.ReadASN1Element(&digests, cbasn1.SET) ||
		!rest.ReadASN1(&kind, cbasn1.SEQUENCE) {
		return nil, errors.New("what the library made is not a signed message")
	}
	// What comes before the content, innermost first: each header holds the length
	// of what it encloses.
	size := 0
	for _, part := range content {
		size += len(part)
	}
	front := cms.AppendHeader(nil, 0x04, size)
	front = slices.Concat(kind, cms.AppendHeader(nil, 0xa0, len(front)+size), front)
	front = slices.Concat(version, digests, cms.AppendHeader(nil, 0x30, len(front)+size), front)
	front = cms.Front(front, size+len(rest))
	return slices.Concat(slices.Concat([][]byte{front}, content, [][]byte{rest})...), nil
}

// A placeholder stands in for the signer.
type placeholder struct{}

func (placeholder) Public() crypto.PublicKey { return nil }

func (placeholder) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) { return nil, nil }

// libraryCertificate has what the library uses of a certificate. It is not
// parsed again, since crypto/x509 refuses some.
func libraryCertificate(c *certificate.Certificate) *x509.Certificate {
	serial := new(big.Int).SetBytes(c.Serial.Magnitude())
	if c.Serial.Negative() {
		serial.Neg(serial)
	}
	return &x509.Certificate{Raw: c.Raw, RawIssuer: c.Issuer, SerialNumber: serial}
}

// An attribute is a signed attribute (RFC 5652 section 5.3).
type attribute struct {
	Type  asn1.ObjectIdentifier
	Value asn1.RawValue // the SET of values
	der   []byte        // the whole
}

// signedAttributes are Cisco's five, in the order of DER (X.690 section 11.6);
// name, version and time are left out if they are empty.
func signedAttributes(digest []byte, o SignOptions) ([]attribute, error) {
	var out []attribute
	for _, a := range []struct {
		oid   asn1.ObjectIdentifier
		value any
		param string
	}{
		{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 9, 21, 2, 3, 1}, o.Version, "printable"},
		{pkcs7.OIDAttributeContentType, pkcs7.OIDData, ""},
		{pkcs7.OIDAttributeSigningTime, o.Time.UTC(), ""}, // UTCTime until 2049 (RFC 5652 section 11.3)
		{asn1.ObjectIdentifier{1, 3, 6, 1, 4, 1, 9, 21, 2, 3, 2}, o.Name, "printable"},
		{pkcs7.OIDAttributeMessageDigest, digest, ""},
	} {
		if a.value == "" || a.value == (time.Time{}) {
			continue
		}
		value, err := asn1.MarshalWithParams(a.value, a.param)
		if err != nil {
			return nil, err
		}
		set := asn1.RawValue{Tag: asn1.TagSet, IsCompound: true, Bytes: value}
		der, err := asn1.Marshal(struct {
			Type  asn1.ObjectIdentifier
			Value asn1.RawValue
		}{a.oid, set})
		if err != nil {
			return nil, err
		}
		out = append(out, attribute{a.oid, set, der})
	}
	slices.SortFunc(out, func(a, b attribute) int { return bytes.Compare(a.der, b.der) })
	return out, nil
}

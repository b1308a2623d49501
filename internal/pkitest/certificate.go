package pkitest

import (
	"cmp"
	"crypto/sha256"
	"encoding/pem"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// A Time is a UTCTime or GeneralizedTime with any text at all.
type Time struct {
	Tag  asn1.Tag
	Text string
}

// Date is the beginning of a day, as RFC 5280 section 4.1.2.5 wants it: UTCTime through 2049.
func Date(year int, month time.Month, day int) Time {
	return At(time.Date(year, month, day, 0, 0, 0, 0, time.UTC))
}

// At is the same for any moment.
func At(t time.Time) Time {
	if t.UTC().Year() >= 2050 {
		return Time{asn1.GeneralizedTime, t.UTC().Format("20060102150405Z")}
	}
	return Time{asn1.UTCTime, t.UTC().Format("060102150405Z")}
}

// DER returns the encoding of the time.
func (t Time) DER() []byte { return TLV(t.Tag, []byte(t.Text)) }

// A Template describes a certificate. Subject, Key, NotBefore and NotAfter are needed; the zero value of everything else is
// what an ordinary certificate has.
type Template struct {
	Version      int    // 0: v3; 1: v1, which has neither a version field nor extensions
	Serial       []byte // content bytes of the INTEGER, whatever they are; nil: they follow from subject, key and dates
	Subject      Name
	Issuer       Name // nil: the parent's subject
	NotBefore    Time
	NotAfter     Time
	Key          *Key
	SPKI         []byte    // nil: the key's
	Algorithm    Algorithm // of the signature
	TBSAlgorithm Algorithm // as the signed part states it; 0: the same
	Extensions   []Extension
	Corrupt      bool                    // one bit of the signature is wrong
	Signature    func(tbs []byte) []byte // instead of the parent's signature
	Framing      Framing                 // of the whole certificate
}

// An Authority is a certificate, its key, and who issued it.
type Authority struct {
	Template
	DER    []byte     // the certificate
	Parent *Authority // nil for a root
}

// Issue makes the certificate, signed by the parent's key, or by its own without a parent.
func (t Template) Issue(parent *Authority) *Authority {
	signer, issuer := t.Key, t.Subject
	if parent != nil {
		signer, issuer = parent.Key, parent.Subject
	}
	if t.Issuer != nil {
		issuer = t.Issuer
	}
	if t.Serial == nil {
		hash := sha256.Sum256(slices.Concat(t.Subject.DER(), t.Key.SPKI(), t.NotBefore.DER(), t.NotAfter.DER()))
		t.Serial = append([]byte{0x10 | hash[0]&0x0f}, hash[1:16]...) // positive and minimal
	}
	t.Algorithm = cmp.Or(t.Algorithm, signer.bestAlgorithm())
	if t.SPKI == nil {
		t.SPKI = t.Key.SPKI()
	}
	fields := [][]byte{
		TLV(asn1.INTEGER, t.Serial),
		cmp.Or(t.TBSAlgorithm, t.Algorithm).identifier(),
		issuer.DER(),
		sequence(t.NotBefore.DER(), t.NotAfter.DER()),
		t.Subject.DER(),
		t.SPKI,
	}
	if t.Version != 1 {
		fields = slices.Insert(fields, 0, TLV(explicit(0), integer(2)))
	}
	if len(t.Extensions) > 0 {
		fields = append(fields, TLV(explicit(3), sequence(encode(t.Extensions)...)))
	}
	tbs := sequence(fields...)
	if t.Signature == nil {
		t.Signature = func(tbs []byte) []byte { return signer.sign(t.Algorithm, 0, tbs) }
	}
	signature := t.Signature(tbs)
	if t.Corrupt {
		signature[len(signature)-1] ^= 1
	}
	der := t.Framing.Frame(sequence(tbs, t.Algorithm.identifier(), bits(signature)))
	return &Authority{Template: t, DER: der, Parent: parent}
}

// Sign is Issue for those who want only the certificate.
func (t Template) Sign(parent *Authority) []byte { return t.Issue(parent).DER }

// PEM returns the certificate as one PEM block.
func (a *Authority) PEM() []byte { return CertificatePEM(a.DER) }

// Chain returns the certificate and those above it, up to the root.
func (a *Authority) Chain() [][]byte {
	var chain [][]byte
	for ; a != nil; a = a.Parent {
		chain = append(chain, a.DER)
	}
	return chain
}

// CertificatePEM returns a certificate as one PEM block.
func CertificatePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// An Extension is a certificate extension with any value.
type Extension struct {
	Type     OID
	Critical bool
	Value    []byte
}

// DER returns the encoding of the extension.
func (e Extension) DER() []byte {
	if e.Critical {
		return sequence(e.Type.DER(), TLV(asn1.BOOLEAN, []byte{0xff}), octetString(e.Value))
	}
	return sequence(e.Type.DER(), octetString(e.Value))
}

// Extended key usages.
const (
	BundleSigning   OID = "1.3.6.1.3.1.9.21.2.3" // as the certificate of Cisco's signer has it
	BundleSigning41 OID = "1.3.6.1.4.1.9.21.2.3" // in the arc of Cisco's attributes
	ServerAuth      OID = "1.3.6.1.5.5.7.3.1"
	CodeSigning     OID = "1.3.6.1.5.5.7.3.3"
	EmailProtection OID = "1.3.6.1.5.5.7.3.4"
	AnyPurpose      OID = "2.5.29.37.0"
)

// A Usage is a bit of the key usage extension.
type Usage int

// The bits.
const (
	DigitalSignature Usage = 0
	NonRepudiation   Usage = 1
	KeyEncipherment  Usage = 2
	KeyCertSign      Usage = 5
	CRLSign          Usage = 6
)

// BasicConstraints is the critical extension; a negative pathLen is none.
func BasicConstraints(ca bool, pathLen int) Extension {
	var fields [][]byte
	if ca {
		fields = append(fields, TLV(asn1.BOOLEAN, []byte{0xff}))
	}
	if pathLen >= 0 {
		fields = append(fields, integer(int64(pathLen)))
	}
	return Extension{"2.5.29.19", true, sequence(fields...)}
}

// KeyUsage is the critical extension.
func KeyUsage(usages ...Usage) Extension {
	var bits byte
	last := slices.Max(usages)
	for _, usage := range usages {
		bits |= 0x80 >> usage
	}
	return Extension{"2.5.29.15", true, TLV(asn1.BIT_STRING, []byte{byte(7 - last), bits})}
}

// KeyUsageNotDER is keyCertSign and cRLSign with trailing zero bits, which a named bit list must not have in DER (X.690 11.2.2).
func KeyUsageNotDER() Extension {
	return Extension{"2.5.29.15", true, TLV(asn1.BIT_STRING, []byte{0, 0x06})}
}

// ExtKeyUsage is the extension that names purposes.
func ExtKeyUsage(purposes ...OID) Extension {
	return Extension{"2.5.29.37", false, sequence(encode(purposes)...)}
}

// SubjectKeyID is the identifier of the certificate's own key.
func SubjectKeyID(key *Key) Extension {
	return Extension{"2.5.29.14", false, octetString(key.ID())}
}

// AuthorityKeyID is the identifier of the issuer's key.
func AuthorityKeyID(key *Key) Extension {
	return Extension{"2.5.29.35", false, sequence(TLV(asn1.Tag(0).ContextSpecific(), key.ID()))}
}

// NameConstraints is the critical extension that permits only subjects below the name.
func NameConstraints(permitted Name) Extension {
	return Constraints([][]byte{DirectoryName(permitted)}, nil)
}

// Policies is certificatePolicies.
func Policies(policies ...OID) Extension {
	var list [][]byte
	for _, p := range policies {
		list = append(list, sequence(p.DER()))
	}
	return Extension{"2.5.29.32", false, sequence(list...)}
}

// AnyPolicy is every policy.
const AnyPolicy OID = "2.5.29.32.0"

// PolicyMappings is the critical extension that maps one policy to another.
func PolicyMappings(issuer, subject OID) Extension {
	return Extension{"2.5.29.33", true, sequence(sequence(issuer.DER(), subject.DER()))}
}

// PolicyConstraints is the critical extension; a negative number is left out.
func PolicyConstraints(requireExplicit, inhibitMapping int) Extension {
	var fields [][]byte
	for i, n := range []int{requireExplicit, inhibitMapping} {
		if n >= 0 {
			fields = append(fields, TLV(asn1.Tag(i).ContextSpecific(), []byte{byte(n)}))
		}
	}
	return Extension{"2.5.29.36", true, sequence(fields...)}
}

// InhibitAnyPolicy is the critical extension.
func InhibitAnyPolicy(skip int) Extension {
	return Extension{"2.5.29.54", true, integer(int64(skip))}
}

// Constraints is the critical nameConstraints of any forms, each a GeneralName.
func Constraints(permitted, excluded [][]byte) Extension {
	var parts [][]byte
	for i, names := range [][][]byte{permitted, excluded} {
		var trees [][]byte
		for _, name := range names {
			trees = append(trees, sequence(name))
		}
		if trees != nil {
			parts = append(parts, TLV(explicit(uint8(i)), trees...))
		}
	}
	return Extension{"2.5.29.30", true, sequence(parts...)}
}

// GeneralNames is subjectAltName of any forms.
func GeneralNames(names ...[]byte) Extension {
	return Extension{"2.5.29.17", false, sequence(names...)}
}

// MailName is the form rfc822Name of a GeneralName.
func MailName(s string) []byte { return TLV(asn1.Tag(1).ContextSpecific(), []byte(s)) }

// DNSName is the form dNSName.
func DNSName(s string) []byte { return TLV(asn1.Tag(2).ContextSpecific(), []byte(s)) }

// URIName is the form uniformResourceIdentifier.
func URIName(s string) []byte { return TLV(asn1.Tag(6).ContextSpecific(), []byte(s)) }

// IPName is the form iPAddress.
func IPName(b []byte) []byte { return TLV(asn1.Tag(7).ContextSpecific(), b) }

// RegisteredID is the form registeredID.
func RegisteredID(content byte) []byte { return TLV(asn1.Tag(8).ContextSpecific(), []byte{content}) }

// DirectoryName is the form directoryName.
func DirectoryName(n Name) []byte { return TLV(explicit(4), n.DER()) }

// UnknownCritical is a critical extension that nobody knows.
func UnknownCritical() Extension {
	return Extension{"1.3.6.1.4.1.99999.1", true, null()}
}

// RootTemplate is an ordinary root: 2020 to 2050, critical basicConstraints and keyUsage, a subject key identifier.
func RootTemplate(subject Name, key *Key) Template {
	return Template{
		Subject: subject, Key: key,
		NotBefore: Date(2020, 1, 1), NotAfter: Date(2050, 1, 1),
		Extensions: []Extension{BasicConstraints(true, -1), KeyUsage(KeyCertSign, CRLSign), SubjectKeyID(key)},
	}
}

// SignerTemplate is a signer of bundles with the profile of Cisco's: 2020 to 2045, critical keyUsage, no basicConstraints, and
// the purpose, or those given instead.
func SignerTemplate(subject Name, key *Key, purposes ...OID) Template {
	if len(purposes) == 0 {
		purposes = []OID{BundleSigning}
	}
	return Template{
		Subject: subject, Key: key,
		NotBefore: Date(2020, 1, 1), NotAfter: Date(2045, 1, 1),
		Extensions: []Extension{KeyUsage(DigitalSignature, NonRepudiation), ExtKeyUsage(purposes...), SubjectKeyID(key)},
	}
}

// IntermediateTemplate is an ordinary intermediate of 2020 to 2048.
func IntermediateTemplate(subject Name, key *Key) Template {
	return RootTemplate(subject, key).Until(Date(2048, 1, 1))
}

// SignedWith returns the template with another algorithm.
func (t Template) SignedWith(a Algorithm) Template {
	t.Algorithm = a
	return t
}

// Until returns the template with another end.
func (t Template) Until(end Time) Template {
	t.NotAfter = end
	return t
}

// With returns the template with the extensions put in place of those of the same type, or added.
func (t Template) With(extensions ...Extension) Template {
	for _, extension := range extensions {
		t = t.Without(extension.Type)
		t.Extensions = append(t.Extensions, extension)
	}
	return t
}

// Without returns the template without the extension of that type.
func (t Template) Without(extension OID) Template {
	t.Extensions = slices.DeleteFunc(slices.Clone(t.Extensions), func(e Extension) bool { return e.Type == extension })
	return t
}

package pkitest

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	_ "embed"
	"fmt"
	"slices"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// The name and version that vectors sign.
const (
	vectorBundle  = "Lab Vector Bundle"
	vectorVersion = "7"
)

// vectorTime is when vectors are judged, unless they say otherwise; they were signed in 2025.
var vectorTime = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// vectors are the messages of vectors by name.
type vectors map[string][]byte

// vectorTable has a line for each vector: its name, what is expected, its root, and about it what Vector has.
// With the root may come sha1-links, the day on which it is judged, or unnamed: it has no bundle's name.
//
//go:embed vectors.txt
var vectorTable string

// Vectors returns every vector. Each refused one is valid but for the rule that it breaks: whatever a signature covers was
// signed again after it was changed.
func Vectors() []Vector {
	messages := vectors{}
	messages.good()
	messages.messages()
	messages.attributes()
	messages.signatures()
	messages.signers()
	messages.chains()
	var all []Vector
	for line := range strings.Lines(vectorTable) {
		fields := strings.SplitN(strings.TrimSpace(line), " ", 4)
		root, special, _ := strings.Cut(fields[2], ",")
		v := Vector{Name: fields[0], Expect: fields[1], About: fields[3], Root: root, SHA1Links: special == "sha1-links", At: vectorTime}
		if at, err := time.Parse(time.DateOnly, special); err == nil {
			v.At = at
		}
		if v.Expect == "verified" && special != "unnamed" {
			v.Bundle, v.Version = vectorBundle, vectorVersion
		}
		if v.Message = messages[v.Name]; v.Message == nil {
			panic("pkitest: no message for " + v.Name)
		}
		all = append(all, v)
	}
	if len(all) != len(messages) {
		panic("pkitest: a message is not in vectors.txt")
	}
	return all
}

// add adds the message of a vector.
func (v vectors) add(name string, message []byte) { v[name] = message }

// signer is a proper signature by the authority.
func (vectors) signer(a *Authority) SignerInfo {
	return SignerInfo{Signer: a, Name: vectorBundle, Version: vectorVersion, Time: At(noon(2025, 1, 15))}
}

// message is a proper message with the changes made to it.
func (v vectors) message(changes ...func(*Message)) []byte {
	m := Message{Content: smallPool(), Signers: []SignerInfo{v.signer(Lab().Signer)}}
	for _, change := range changes {
		change(&m)
	}
	return m.DER()
}

// signed is a proper message with the changes made to its one signature.
func (v vectors) signed(changes ...func(*SignerInfo)) []byte {
	return v.message(func(m *Message) {
		for _, change := range changes {
			change(&m.Signers[0])
		}
	})
}

// signedBy is signed by another signer.
func (v vectors) signedBy(a *Authority, change func(*SignerInfo)) []byte {
	return v.signed(func(s *SignerInfo) { *s = v.signer(a) }, change)
}

// by is a proper message by another signer, with its chain and what else it shall carry.
func (v vectors) by(a *Authority, carried ...[]byte) []byte {
	return v.message(func(m *Message) {
		m.Signers[0] = v.signer(a)
		m.Certificates = appendNew(a.Chain(), carried...)
	})
}

func (v vectors) good() {
	lab := Lab()

	v.add("good-issuer-and-serial", v.message())
	v.add("good-key-id", v.signed(func(s *SignerInfo) { s.ByKeyID = true }))
	v.add("good-key-id-ber", ToBER(v.signed(func(s *SignerInfo) { s.ByKeyID = true }), 100))
	v.add("good-ber", ToBER(v.message(), 100))
	v.add("good-ber-content", v.message(func(m *Message) { m.Content = ToBER(smallPool(), 100) }))
	v.add("good-sha256-with-rsa", v.signed(func(s *SignerInfo) { s.Algorithm = SHA256WithRSA }))
	v.add("good-sha384", v.signed(withSHA384))
	v.add("good-sha512", v.signed(withSHA512))
	v.add("good-pss", v.signed(func(s *SignerInfo) { s.Algorithm = SHA256WithPSS }))
	v.add("good-p256", v.by(lab.P256Signer))
	v.add("good-p384", v.signedBy(lab.P384Signer, withSHA384))
	v.add("good-p521", v.signedBy(lab.P521Signer, withSHA512))
	v.add("good-ed25519", v.by(lab.Ed25519Signer))
	v.add("good-intermediate", v.by(lab.IntermediateSigner))
	v.add("good-without-anchor", v.message(func(m *Message) { m.Certificates = [][]byte{lab.Signer.DER} }))

	v.add("good-sha1-links", v.by(lab.SHA1Signer))

	for name, oid := range map[string]OID{"bundle-signing-41": BundleSigning41, "email": EmailProtection, "code-signing": CodeSigning, "any": AnyPurpose} {
		v.add("good-purpose-"+name, v.by(LabSignerTemplate(oid).Issue(lab.Root)))
	}
	v.add("good-purpose-two", v.by(LabSignerTemplate(ServerAuth, BundleSigning).Issue(lab.Root)))
	v.add("good-purpose-none", v.by(LabSignerTemplate().Without("2.5.29.37").Issue(lab.Root)))
	v.add("good-key-usage-none", v.by(LabSignerTemplate().Without("2.5.29.15").Issue(lab.Root)))
	v.add("good-key-usage-digital-signature", v.by(LabSignerTemplate().With(KeyUsage(DigitalSignature)).Issue(lab.Root)))
	v.add("good-key-usage-non-repudiation", v.by(LabSignerTemplate().With(KeyUsage(NonRepudiation)).Issue(lab.Root)))

	v.add("good-two-signers", v.message(func(m *Message) {
		m.Signers = append(m.Signers, v.signer(lab.SecondSigner))
	}))
	v.add("good-no-signing-time", v.signed(func(s *SignerInfo) { s.Time = Time{} }))
	withFakes := func(s *SignerInfo) {
		s.Unsigned = []Attribute{{AttributeName, [][]byte{Printable("Fake Bundle")}}, {AttributeVersion, [][]byte{Printable("99")}}}
	}
	v.add("good-no-name", v.signed(withFakes, func(s *SignerInfo) { s.Name, s.Version = "", "" }))
	v.add("good-unsigned-attributes", v.signed(withFakes))
	v.add("good-unknown-attribute", v.signed(withAttribute("1.3.6.1.4.1.99999.2", octetString([]byte("hello")))))
	v.add("good-crl", v.message(func(m *Message) { m.CRLs = [][]byte{emptyCRL(lab.Root)} }))
	v.add("good-stranger-certificates", v.by(lab.Signer, lab.OtherRoot.DER, poolRoot("Alder", RSA("alder")).Sign(nil)))
	decoy := LabSignerTemplate()
	decoy.Serial = lab.Signer.Serial
	v.add("good-signer-decoy", v.message(func(m *Message) {
		m.Certificates = append([][]byte{decoy.Sign(lab.ImpostorRoot)}, lab.Signer.Chain()...)
	}))
	v.add("good-anchor-decoy", v.message(func(m *Message) {
		m.Certificates = [][]byte{lab.Signer.DER, lab.ImpostorRoot.DER, lab.Root.DER}
	}))
	pathLen := IntermediateTemplate(labName("Lab Intermediate CA"), RSA("lab-intermediate")).With(BasicConstraints(true, 0)).Issue(lab.Root)
	v.add("good-path-length", v.by(lab.issueSigner(pathLen)))
}

// withAttribute adds a signed attribute.
func withAttribute(kind OID, values ...[]byte) func(*SignerInfo) {
	return func(s *SignerInfo) {
		s.Attributes = func(attributes []Attribute) []Attribute { return append(attributes, Attribute{kind, values}) }
	}
}

// issueSigner is a proper signer below any authority.
func (*PKI) issueSigner(parent *Authority) *Authority {
	return SignerTemplate(labSignerName("Lab Intermediate Bundle Signer"), RSA("lab-intermediate-signer")).Issue(parent)
}

// emptyCRL is a revocation list without entries (RFC 5280 section 5.1).
func emptyCRL(a *Authority) []byte {
	tbs := sequence(integer(1), SHA256WithRSA.identifier(), a.Subject.DER(), Date(2025, 1, 1).DER(), Date(2026, 1, 1).DER())
	return sequence(tbs, SHA256WithRSA.identifier(), bits(a.Key.sign(SHA256WithRSA, 0, tbs)))
}

// messages are faults of the message around the signature.
func (v vectors) messages() {
	lab := Lab()
	good := v.message()
	v.add("malformed-trailing", append(slices.Clone(good), 0, 0))
	v.add("malformed-trailing-content", v.message(func(m *Message) { m.Content = append(m.Content, 5, 0) }))
	v.add("malformed-truncated", good[:len(good)-1])
	ber := ToBER(good, 100)
	v.add("malformed-ber-unended", ber[:len(ber)-2])

	v.add("not-signed", smallPool())
	v.add("pool-not-covered", v.message(func(m *Message) {
		m.Content, m.Detached = nil, true
		m.Certificates = appendNew(lab.Signer.Chain(), CoreV1()[:2]...)
	}))
	v.add("no-signers", v.message(func(m *Message) {
		m.Signers, m.Certificates = nil, lab.Signer.Chain()
	}))
	v.add("signer-certificate-missing", v.message(func(m *Message) { m.Certificates = [][]byte{lab.Root.DER} }))
	v.add("signer-certificate-missing-key-id", v.message(func(m *Message) {
		m.Signers[0].ByKeyID = true
		m.Certificates = lab.SecondSigner.Chain()
	}))

	holding := func(content []byte) []byte { return v.message(func(m *Message) { m.Content = content }) }
	v.add("content-not-certs-only-signed", holding(good))
	v.add("content-not-certs-only-content", holding(Message{Content: []byte("hello"), Certificates: CoreV1()[1:3]}.DER()))
	v.add("content-not-certs-only-certificate", holding(lab.Root.DER))
	v.add("content-type-not-data", v.message(func(m *Message) { m.ContentType = oidSignedData }))
	v.add("digest-not-listed", v.message(func(m *Message) { m.DigestAlgorithms = []crypto.Hash{crypto.SHA512} }))
	v.add("digest-not-listed-empty", v.message(func(m *Message) { m.DigestAlgorithms = []crypto.Hash{} }))
}

// longSPKI is an RSA key of 16,392 bits, by the identifier that X.509 gives RSA.
func longSPKI() []byte {
	modulus := append([]byte{0}, bytes.Repeat([]byte{0xff}, 2049)...)
	key := sequence(TLV(asn1.INTEGER, modulus), integer(65537))
	return sequence(sequence(OID("2.5.8.1.1").DER(), TLV(asn1.NULL)), bits(key))
}

// attributes are faults of the signed attributes.
func (v vectors) attributes() {
	// changed is a message whose attributes were changed before they were signed.
	changed := func(change func([]Attribute) []Attribute) []byte {
		return v.signed(func(s *SignerInfo) { s.Attributes = change })
	}
	without := func(kind OID) []byte {
		return changed(func(attributes []Attribute) []Attribute {
			return slices.DeleteFunc(attributes, func(a Attribute) bool { return a.Type == kind })
		})
	}
	// values replaces the values of one attribute; they are sorted, as the elements of a SET are in DER.
	values := func(kind OID, values ...[]byte) []byte {
		return changed(func(attributes []Attribute) []Attribute {
			for i := range attributes {
				if attributes[i].Type == kind {
					attributes[i].Values = sorted(values)
				}
			}
			return attributes
		})
	}
	again := func(kind OID, value []byte) []byte { return v.signed(withAttribute(kind, value)) }

	v.add("no-signed-attributes", v.signed(func(s *SignerInfo) { s.NoAttributes = true }))
	v.add("no-signed-attributes-stripped", v.message(func(m *Message) {
		signer := m.Signers[0].withDefaults()
		m.Content = TLV(asn1.SET, signer.attributes(Message{Content: m.Content, ContentType: oidData})...)
		m.Signers[0].NoAttributes = true
	}))
	v.add("no-signed-attributes-empty", changed(func([]Attribute) []Attribute { return nil }))

	reverse := func(set [][]byte) [][]byte {
		slices.Reverse(set)
		return set
	}
	longByte := func(set [][]byte) [][]byte {
		set[0] = LongLength.Frame(set[0])
		return set
	}
	indefinite := func(set [][]byte) [][]byte {
		set[0] = Indefinite.Frame(set[0])
		return set
	}
	v.add("attributes-not-der-unsorted", v.signed(func(s *SignerInfo) { s.Signed = reverse }))
	v.add("attributes-not-der-sent-unsorted", v.signed(func(s *SignerInfo) { s.Sent = reverse }))
	v.add("attributes-not-der-long-length", v.signed(func(s *SignerInfo) { s.Signed = longByte }))
	v.add("attributes-not-der-sent-long-length", v.signed(func(s *SignerInfo) { s.Sent = longByte }))
	v.add("attributes-not-der-set-long-length", v.signed(func(s *SignerInfo) { s.LongSetByte = true }))
	v.add("attributes-not-der-indefinite", v.signed(func(s *SignerInfo) { s.Signed = indefinite }))

	v.add("content-type-missing", without(AttributeContentType))
	v.add("content-type-doubled", again(AttributeContentType, oidData.DER()))
	v.add("content-type-two-values", values(AttributeContentType, oidData.DER(), oidSignedData.DER()))
	v.add("content-type-differs", values(AttributeContentType, oidSignedData.DER()))

	content := octetString(digest(crypto.SHA256, smallPool()))
	other := octetString(bytes.Repeat([]byte{0xff}, 32)) // is sorted behind the right one
	v.add("message-digest-missing", without(AttributeMessageDigest))
	v.add("message-digest-doubled", again(AttributeMessageDigest, other))
	v.add("message-digest-two-values", values(AttributeMessageDigest, content, other))
	v.add("message-digest-differs", flipLastBitOf(v.message(), smallPool()))
	v.add("message-digest-short", values(AttributeMessageDigest, octetString(digest(crypto.SHA256, smallPool())[:16])))

	unsigned := func(kind OID, value []byte) func(*SignerInfo) {
		return func(s *SignerInfo) { s.Unsigned = []Attribute{{kind, [][]byte{value}}} }
	}
	v.add("content-type-unsigned", v.signed(unsigned(AttributeContentType, oidData.DER())))
	v.add("message-digest-unsigned", v.signed(unsigned(AttributeMessageDigest, content)))
	v.add("signing-time-unsigned", v.signed(unsigned(AttributeSigningTime, Date(2025, 1, 15).DER())))
	v.add("signing-time-unsigned-alone", v.signed(func(s *SignerInfo) { s.Time = Time{} }, unsigned(AttributeSigningTime, Date(2026, 1, 15).DER())))

	v.add("signing-time-doubled", again(AttributeSigningTime, Date(2021, 1, 1).DER()))
	v.add("signing-time-two-values", values(AttributeSigningTime, Date(2025, 1, 15).DER(), Date(2021, 1, 1).DER()))
	v.add("signing-time-month-13", values(AttributeSigningTime, Time{asn1.UTCTime, "251301000000Z"}.DER()))
	v.add("signing-time-no-seconds", values(AttributeSigningTime, Time{asn1.UTCTime, "2501150000Z"}.DER()))
	v.add("signing-time-generalized", values(AttributeSigningTime, Time{asn1.GeneralizedTime, "20250115120000Z"}.DER()))
	v.add("signing-time-string", values(AttributeSigningTime, Printable("250115120000Z")))

	for reason, a := range map[string]struct {
		kind  OID
		value string
	}{"name-malformed": {AttributeName, "Other Bundle"}, "version-malformed": {AttributeVersion, "8"}} {
		v.add(reason+"-doubled", again(a.kind, Printable(a.value)))
		v.add(reason+"-two-values", values(a.kind, Printable("0"), Printable(a.value)))
		v.add(reason+"-integer", values(a.kind, integer(4)))
	}
}

// flipLastBitOf changes the last bit of a part of the message. Of the last certificate in a certs-only message it changes a
// signature, so that the message can still be read.
func flipLastBitOf(message, part []byte) []byte {
	message = slices.Clone(message)
	// The last two bytes of the part are its empty signerInfos.
	message[bytes.Index(message, part)+len(part)-3] ^= 1
	return message
}

// signatures are faults of digest, algorithm and signature.
func (v vectors) signatures() {
	v.add("digest-weak-sha1", v.signed(func(s *SignerInfo) { s.Digest = crypto.SHA1 }))
	v.add("digest-weak-sha1-tolerant", v.signedBy(Lab().SHA1Signer, func(s *SignerInfo) { s.Digest = crypto.SHA1 }))
	v.add("digest-weak-md5", v.signed(func(s *SignerInfo) { s.Digest = crypto.MD5 }))
	v.add("digest-unsupported", v.signed(func(s *SignerInfo) { s.Digest = crypto.SHA3_256 }))

	v.add("signature-hash-differs-rsa", v.signed(func(s *SignerInfo) { s.Algorithm = SHA512WithRSA }))
	v.add("signature-hash-differs-sha1", v.signed(func(s *SignerInfo) { s.Algorithm = SHA1WithRSA }))
	v.add("signature-hash-differs-pss", v.signed(func(s *SignerInfo) { s.Algorithm = SHA512WithPSS }))
	v.add("signature-hash-differs-ecdsa", v.signedBy(Lab().P256Signer, func(s *SignerInfo) { s.Algorithm = ECDSAWithSHA384 }))
	v.add("signature-hash-differs-ed25519", v.signedBy(Lab().Ed25519Signer, func(s *SignerInfo) { s.Digest = crypto.SHA256 }))

	v.add("signature-algorithm-unsupported-long-key", v.by(edit(LabSignerTemplate(), func(t *Template) { t.SPKI = longSPKI() }).Issue(Lab().Root)))
	v.add("signature-algorithm-unsupported", v.signed(func(s *SignerInfo) { s.AlgorithmSent = sequence(OID("2.16.840.1.101.3.4.3.2").DER()) }))

	v.add("signature-invalid", v.signed(func(s *SignerInfo) { s.Corrupt = true }))
	v.add("signature-invalid-other-key", v.signed(func(s *SignerInfo) { s.Key = Lab().SecondSigner.Key }))
	v.add("signature-invalid-attribute", v.signed(func(s *SignerInfo) {
		s.Sent = func(set [][]byte) [][]byte {
			for i := range set {
				set[i] = bytes.Replace(set[i], Printable(vectorVersion), Printable("9"), 1)
			}
			return set
		}
	}))
}

// signers are faults of the signer, and of several.
func (v vectors) signers() {
	lab := Lab()
	v.add("signer-purpose", v.by(LabSignerTemplate(ServerAuth).Issue(lab.Root)))
	v.add("signer-key-usage", v.by(LabSignerTemplate().With(KeyUsage(KeyEncipherment)).Issue(lab.Root)))

	two := func(change func(second *SignerInfo)) []byte {
		return v.message(func(m *Message) {
			second := v.signer(lab.SecondSigner)
			change(&second)
			m.Signers = append(m.Signers, second)
		})
	}
	v.add("signers-disagree-name", two(func(s *SignerInfo) { s.Name = "Other Bundle" }))
	v.add("signers-disagree-version", two(func(s *SignerInfo) { s.Version = "8" }))
	v.add("second-signer-bad", two(func(s *SignerInfo) { s.Corrupt = true }))
	v.add("first-signer-bad", v.message(func(m *Message) {
		m.Signers[0].Corrupt = true
		m.Signers = append(m.Signers, v.signer(lab.SecondSigner))
	}))
	v.add("second-signer-stranger", two(func(s *SignerInfo) { s.Signer = lab.OtherSigner }))
}

// chains are faults of the path from the signer to the anchor.
func (v vectors) chains() {
	lab := Lab()
	signer := LabSignerTemplate
	intermediate := IntermediateTemplate(labName("Lab Intermediate CA"), RSA("lab-intermediate"))
	below := lab.issueSigner

	v.add("chain-no-anchor-self-signed", v.by(signer().Issue(nil)))
	v.add("chain-no-anchor-other-root", v.by(lab.OtherSigner))
	v.add("chain-no-anchor-impostor", v.by(lab.ImpostorSigner))
	v.add("chain-no-anchor-impostor-and-anchor", v.by(lab.ImpostorSigner, lab.Root.DER))
	one := IntermediateTemplate(labName("Lab Loop CA 1"), RSA("lab-intermediate"))
	two := IntermediateTemplate(labName("Lab Loop CA 2"), RSA("lab-other-root"))
	v.add("chain-no-anchor-loop", v.message(func(m *Message) {
		first := one.Issue(&Authority{Template: two})
		second := two.Issue(&Authority{Template: one})
		leaf := below(first)
		m.Signers[0] = v.signer(leaf)
		m.Certificates = [][]byte{leaf.DER, first.DER, second.DER, lab.Root.DER}
	}))
	v.add("chain-no-anchor-missing-link", v.message(func(m *Message) {
		m.Signers[0] = v.signer(lab.IntermediateSigner)
		m.Certificates = [][]byte{lab.IntermediateSigner.DER, lab.Root.DER}
	}))

	v.add("chain-signature", v.by(edit(signer(), func(t *Template) { t.Corrupt = true }).Issue(lab.Root)))
	v.add("chain-signature-intermediate", v.by(below(edit(intermediate, func(t *Template) { t.Corrupt = true }).Issue(lab.Root))))
	v.add("chain-signature-algorithms-differ", v.by(edit(signer(), func(t *Template) { t.TBSAlgorithm = SHA512WithRSA }).Issue(lab.Root)))
	v.add("chain-signature-forged", v.by(edit(signer(), func(t *Template) {
		t.Algorithm = SHA1WithRSA
		t.Signature = func(tbs []byte) []byte { return forgeCubeRoot(256, crypto.SHA1, tbs) }
	}).Issue(lab.SHA1Root)))

	v.add("chain-sha1", v.by(lab.SHA1Signer))
	v.add("chain-sha1-signer", v.by(signer().SignedWith(SHA1WithRSA).Issue(lab.Root)))
	v.add("chain-weak-tolerant", v.by(signer().SignedWith(MD5WithRSA).Issue(lab.SHA1Root)))
	v.add("chain-weak", v.by(signer().SignedWith(MD5WithRSA).Issue(lab.Root)))

	v.add("chain-expired-signer", v.signedBy(lab.ExpiredSigner, func(s *SignerInfo) { s.Time = Date(2021, 6, 1) }))
	v.add("chain-expired-intermediate", v.by(below(intermediate.Until(Date(2022, 1, 1)).Issue(lab.Root))))
	v.add("chain-expired-anchor", v.by(signer().Issue(lab.ExpiredRoot)))
	v.add("chain-not-yet-valid-signer", v.by(edit(signer(), func(t *Template) { t.NotBefore = Date(2030, 1, 1) }).Issue(lab.Root)))
	v.add("chain-not-yet-valid-intermediate", v.by(below(edit(intermediate, func(t *Template) { t.NotBefore = Date(2030, 1, 1) }).Issue(lab.Root))))
	v.add("chain-not-yet-valid-anchor", v.message())

	v.add("chain-not-ca-missing", v.by(below(intermediate.Without("2.5.29.19").Issue(lab.Root))))
	v.add("chain-not-ca-false", v.by(below(intermediate.With(BasicConstraints(false, -1)).Issue(lab.Root))))
	v.add("chain-not-ca-signer", v.by(below(signer().Without("2.5.29.15").Issue(lab.Root))))
	v.add("chain-not-ca-version-1", v.by(below(edit(intermediate, func(t *Template) { t.Version, t.Extensions = 1, nil }).Issue(lab.Root))))
	v.add("chain-key-usage", v.by(below(intermediate.With(KeyUsage(DigitalSignature, CRLSign)).Issue(lab.Root))))

	zero := intermediate.With(BasicConstraints(true, 0)).Issue(lab.Root)
	second := IntermediateTemplate(labName("Lab Second Intermediate CA"), RSA("lab-other-root")).Issue(zero)
	v.add("chain-path-length", v.by(below(second)))
	v.add("chain-path-length-anchor", v.by(below(intermediate.Issue(lab.PathLenRoot))))
	copied := RootTemplate(lab.PathLenRoot.Subject, lab.PathLenRoot.Key).Issue(nil)
	v.add("chain-path-length-copy", v.by(below(intermediate.Issue(copied))))

	v.add("chain-critical-extension-signer", v.by(signer().With(UnknownCritical()).Issue(lab.Root)))
	v.add("chain-critical-extension-intermediate", v.by(below(intermediate.With(UnknownCritical()).Issue(lab.Root))))
	v.add("chain-name-constraints", v.by(below(intermediate.With(NameConstraints(NewName("O=Elsewhere"))).Issue(lab.Root))))
	v.add("chain-critical-extension-key-id", v.by(signer().With(critical(AuthorityKeyID(lab.Root.Key))).Issue(lab.Root)))
	v.add("chain-name-constraints-mail", v.by(signer().With(GeneralNames(MailName("bundles@elsewhere.example"))).Issue(intermediate.With(Constraints(nil, [][]byte{MailName("elsewhere.example")})).Issue(lab.Root))))
	v.add("constraint-unknown", v.by(signer().With(GeneralNames(RegisteredID(42))).Issue(intermediate.With(Constraints(nil, [][]byte{RegisteredID(43)})).Issue(lab.Root))))
	v.add("good-name-constraints", v.by(below(intermediate.With(NameConstraints(NewName("O= TRUSTPOOL  lab"))).Issue(lab.Root))))
	v.add("good-issuer-spaces", v.by(edit(signer(), func(t *Template) { t.Issuer = NewName("O=trustpool  LAB", "CN= Lab Root CA ") }).Issue(lab.Root)))
	v.add("name-encoding", v.by(edit(signer(), func(t *Template) { t.Issuer = labName("LAB PRÜF CA") }).Issue(IntermediateTemplate(labName("Lab Prüf CA"), RSA("lab-intermediate")).Issue(lab.Root))))
	v.add("fractional-time", v.by(signer().Until(Time{asn1.GeneralizedTime, "20450101000000.5Z"}).Issue(lab.Root)))
	v.add("key-identifier", v.by(signer().With(AuthorityKeyID(RSA("lab-other-root"))).Issue(lab.Root)))
	v.add("extension-unreadable", v.by(signer().With(Extension{"2.5.29.17", false, []byte{0x30, 5, 0x82}}).Issue(lab.Root)))
	v.add("policy-constraints", v.by(below(intermediate.With(PolicyConstraints(0, -1)).Issue(lab.Root))))
	v.add("good-policies", v.by(below(intermediate.With(PolicyConstraints(5, 0), InhibitAnyPolicy(0), Policies("2.5.29.32.0")).Issue(lab.Root))))
	v.add("chain-policy", v.by(below(intermediate.With(PolicyMappings(AnyPolicy, "1.3.6.1.4.1.99999.3")).Issue(lab.Root))))
	v.add("chain-policy-unreadable", v.by(below(intermediate.With(Policies()).Issue(lab.Root))))
	curve := ECDSA("lab-explicit", elliptic.P256())
	v.add("chain-explicit-curve", v.by(below(edit(IntermediateTemplate(labName("Lab Intermediate CA"), curve), func(t *Template) { t.SPKI = curve.ExplicitSPKI() }).Issue(lab.Root))))
	v.add("chain-purpose", v.by(below(intermediate.With(ExtKeyUsage(ServerAuth)).Issue(lab.Root))))

	v.add("chain-unreadable-extensions-without-v3", v.by(edit(signer(ServerAuth), func(t *Template) { t.Version = 1 }).Issue(lab.Root)))
	v.add("chain-unreadable-no-purpose", v.by(signer().With(ExtKeyUsage()).Issue(lab.Root)))
	v.add("chain-unreadable-offset", v.by(signer().Until(Time{asn1.UTCTime, "450101000000+0100"}).Issue(lab.Root)))
	v.add("chain-signature-unused-bits", v.message(func(m *Message) {
		m.Certificates = [][]byte{slices.Clone(lab.Signer.DER), lab.Root.DER}
		m.Certificates[0][len(lab.Signer.DER)-257] = 1 // before the 256 bytes of the signature
	}))
	v.add("attributes-not-der-value", v.signed(withAttribute("1.3.6.1.4.1.99999.2", []byte{1, 1, 1})))
	v.add("attributes-not-der-no-value", v.signed(withAttribute("1.3.6.1.4.1.99999.2")))
	v.add("name-malformed-characters", v.signed(func(s *SignerInfo) { s.Name = "Lab\nVector Bundle" }))

	v.add("chain-algorithm-unsupported", v.by(signer().SignedWith(SHA224WithRSA).Issue(lab.Root)))
	v.add("chain-unreadable-date", v.by(signer().Until(Time{asn1.UTCTime, "451332000000Z"}).Issue(lab.Root)))
	v.add("chain-unreadable-twice", v.by(below(edit(intermediate, func(t *Template) {
		t.Extensions = append(slices.Clone(t.Extensions), BasicConstraints(true, 5))
	}).Issue(lab.Root))))
	v.add("chain-too-complex", v.message(func(m *Message) {
		maze := labName("Lab Maze CA")
		leaf := below(IntermediateTemplate(maze, ECDSA("lab-maze", elliptic.P256())).Issue(lab.Root))
		m.Signers[0] = v.signer(leaf)
		m.Certificates = [][]byte{leaf.DER, lab.Root.DER}
		for i := range 80 {
			key := ECDSA(fmt.Sprintf("lab-maze-%d", i), elliptic.P256())
			m.Certificates = append(m.Certificates, IntermediateTemplate(maze, key).Sign(lab.Root))
		}
	}))
}

// critical is an extension that is critical.
func critical(e Extension) Extension {
	e.Critical = true
	return e
}

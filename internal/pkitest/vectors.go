package pkitest

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"fmt"
	"slices"
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

// vectors collects them.
type vectors struct {
	lab *PKI
	all []Vector
}

// Vectors returns every vector. Each refused one is valid but for the rule that it breaks: whatever a signature covers was
// signed again after it was changed.
func Vectors() []Vector {
	v := &vectors{lab: Lab()}
	v.good()
	v.messages()
	v.attributes()
	v.signatures()
	v.signers()
	v.chains()
	return v.all
}

// add adds a vector under the lab root.
func (v *vectors) add(name, expect, about string, message []byte) *Vector {
	vector := Vector{Name: name, Expect: expect, About: about, Root: "lab", At: vectorTime, Message: message}
	if expect == "verified" {
		vector.Bundle, vector.Version = vectorBundle, vectorVersion
	}
	v.all = append(v.all, vector)
	return &v.all[len(v.all)-1]
}

// signer is a proper signature by the authority.
func (v *vectors) signer(a *Authority) SignerInfo {
	return SignerInfo{Signer: a, Name: vectorBundle, Version: vectorVersion, Time: At(noon(2025, 1, 15))}
}

// message is a proper message with the changes made to it.
func (v *vectors) message(changes ...func(*Message)) []byte {
	m := Message{Content: smallPool(), Signers: []SignerInfo{v.signer(v.lab.Signer)}}
	for _, change := range changes {
		change(&m)
	}
	return m.DER()
}

// signed is a proper message with the changes made to its one signature.
func (v *vectors) signed(changes ...func(*SignerInfo)) []byte {
	return v.message(func(m *Message) {
		for _, change := range changes {
			change(&m.Signers[0])
		}
	})
}

// signedBy is signed by another signer.
func (v *vectors) signedBy(a *Authority, change func(*SignerInfo)) []byte {
	return v.signed(func(s *SignerInfo) { *s = v.signer(a) }, change)
}

// by is a proper message by another signer, with its chain and what else it shall carry.
func (v *vectors) by(a *Authority, carried ...[]byte) []byte {
	return v.message(func(m *Message) {
		m.Signers[0] = v.signer(a)
		m.Certificates = appendNew(a.Chain(), carried...)
	})
}

func (v *vectors) good() {
	good := func(name, about string, message []byte) *Vector {
		return v.add("good-"+name, "verified", about, message)
	}
	lab := v.lab

	good("issuer-and-serial", "the structure of a Cisco bundle: RFC 5652 section 5.3, issuerAndSerialNumber.", v.message())
	good("key-id", "the signer is named by its subjectKeyIdentifier, so versions are 3: RFC 5652 sections 5.1 and 5.3.",
		v.signed(func(s *SignerInfo) { s.ByKeyID = true }))
	good("key-id-ber", "the same with the framing in BER.",
		ToBER(v.signed(func(s *SignerInfo) { s.ByKeyID = true }), 100))
	good("ber", "the framing in BER, indefinite lengths and the content in chunks; signed attributes in DER: RFC 5652 sections 2 and 5.2.",
		ToBER(v.message(), 100))
	good("ber-content", "the inner message is in BER too, signed as it is: RFC 5652 section 5.2.",
		v.message(func(m *Message) { m.Content = ToBER(smallPool(), 100) }))
	good("sha256-with-rsa", "signatureAlgorithm is sha256WithRSAEncryption in place of rsaEncryption: RFC 5754 section 3.2.",
		v.signed(func(s *SignerInfo) { s.Algorithm = SHA256WithRSA }))
	good("sha384", "SHA-384 with rsaEncryption: RFC 5754 section 2.3.", v.signed(withSHA384))
	good("sha512", "SHA-512 with rsaEncryption: RFC 5754 section 2.4.", v.signed(withSHA512))
	good("pss", "RSASSA-PSS with SHA-256: RFC 4056 section 3.", v.signed(func(s *SignerInfo) { s.Algorithm = SHA256WithPSS }))
	good("p256", "ECDSA P-256 with SHA-256: RFC 5754 section 3.3.", v.by(lab.P256Signer)).Root = "p256"
	good("p384", "ECDSA P-384 with SHA-384: RFC 5754 section 3.3.", v.signedBy(lab.P384Signer, withSHA384)).Root = "p384"
	good("p521", "ECDSA P-521 with SHA-512: RFC 5754 section 3.3.", v.signedBy(lab.P521Signer, withSHA512)).Root = "p521"
	good("ed25519", "Ed25519 with SHA-512: RFC 8419 section 3.", v.by(lab.Ed25519Signer)).Root = "ed25519"
	good("intermediate", "the signer is below an intermediate, which the message carries: RFC 5280 section 6.1.", v.by(lab.IntermediateSigner))
	good("without-anchor", "the message carries the signer alone, not the root: RFC 5652 section 5.1 allows it.",
		v.message(func(m *Message) { m.Certificates = [][]byte{lab.Signer.DER} }))

	sha1 := good("sha1-links", "both certificates are signed with SHA-1, under an anchor for which that is tolerated.", v.by(lab.SHA1Signer))
	sha1.Root, sha1.SHA1Links = "sha1", true

	for _, purpose := range []struct {
		name, about string
		oid         OID
	}{
		{"bundle-signing-41", "1.3.6.1.4.1.9.21.2.3, the arc of the attributes", BundleSigning41},
		{"email", "emailProtection", EmailProtection},
		{"code-signing", "codeSigning", CodeSigning},
		{"any", "anyExtendedKeyUsage", AnyPurpose},
	} {
		good("purpose-"+purpose.name, "the signer's extended key usage is "+purpose.about+": RFC 5280 section 4.2.1.12.",
			v.by(LabSignerTemplate(purpose.oid).Issue(lab.Root)))
	}
	good("purpose-two", "serverAuth beside the bundle signing purpose: one that fits is enough, RFC 5280 section 4.2.1.12.",
		v.by(LabSignerTemplate(ServerAuth, BundleSigning).Issue(lab.Root)))
	good("purpose-none", "the signer has no extended key usage: RFC 5280 section 4.2.1.12 restricts nothing then.",
		v.by(LabSignerTemplate().Without("2.5.29.37").Issue(lab.Root)))
	good("key-usage-none", "the signer has no key usage: RFC 5280 section 4.2.1.3 restricts nothing then.",
		v.by(LabSignerTemplate().Without("2.5.29.15").Issue(lab.Root)))
	good("key-usage-digital-signature", "the signer's key usage is digitalSignature alone: RFC 5280 section 4.2.1.3.",
		v.by(LabSignerTemplate().With(KeyUsage(DigitalSignature)).Issue(lab.Root)))
	good("key-usage-non-repudiation", "the signer's key usage is nonRepudiation alone: RFC 5280 section 4.2.1.3.",
		v.by(LabSignerTemplate().With(KeyUsage(NonRepudiation)).Issue(lab.Root)))

	good("two-signers", "two SignerInfos, both valid, of the same name and version: RFC 5652 section 5.1.", v.message(func(m *Message) {
		m.Signers = append(m.Signers, v.signer(lab.SecondSigner))
	}))
	good("no-signing-time", "signingTime is absent, which RFC 5652 section 11.3 allows.", v.signed(func(s *SignerInfo) { s.Time = Time{} }))
	withFakes := func(s *SignerInfo) {
		s.Unsigned = []Attribute{{AttributeName, [][]byte{Printable("Fake Bundle")}}, {AttributeVersion, [][]byte{Printable("99")}}}
	}
	noName := good("no-name", "no name and no version attribute; those among the unsigned attributes count for nothing: RFC 5652 section 5.3.",
		v.signed(withFakes, func(s *SignerInfo) { s.Name, s.Version = "", "" }))
	noName.Bundle, noName.Version = "", ""
	good("unsigned-attributes", "another name and version among the unsigned attributes, which nobody vouches for: RFC 5652 section 5.3.",
		v.signed(withFakes))
	good("unknown-attribute", "a signed attribute that nobody knows: RFC 5652 section 5.3.", v.signed(withAttribute("1.3.6.1.4.1.99999.2", octetString([]byte("hello")))))
	good("crl", "the message carries a revocation list that revokes nothing: RFC 5652 section 5.1.", v.message(func(m *Message) {
		m.CRLs = [][]byte{emptyCRL(lab.Root)}
	}))
	good("stranger-certificates", "the message carries certificates that have nothing to do with the signer: RFC 5652 section 5.1.",
		v.by(lab.Signer, lab.OtherRoot.DER, poolRoot("Alder", RSA("alder")).Sign(nil)))
	decoy := LabSignerTemplate()
	decoy.Serial = lab.Signer.Serial
	good("signer-decoy", "before the signer's certificate is another with its issuer and serial number but another key; only the true one makes a chain: RFC 5652 section 5.3.",
		v.message(func(m *Message) {
			m.Certificates = append([][]byte{decoy.Sign(lab.ImpostorRoot)}, lab.Signer.Chain()...)
		}))
	good("anchor-decoy", "before the root is an impostor with its name: RFC 5280 section 6.1.", v.message(func(m *Message) {
		m.Certificates = [][]byte{lab.Signer.DER, lab.ImpostorRoot.DER, lab.Root.DER}
	}))
	pathLen := IntermediateTemplate(labName("Lab Intermediate CA"), RSA("lab-intermediate")).With(BasicConstraints(true, 0)).Issue(lab.Root)
	good("path-length", "the intermediate has a path length of 0 and only the signer below it: RFC 5280 section 4.2.1.9.",
		v.by(lab.issueSigner(pathLen)))
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
func (v *vectors) messages() {
	lab := v.lab
	good := v.message()
	v.add("malformed-trailing", "malformed", "bytes follow the message: RFC 5652 section 3 defines one ContentInfo.",
		append(slices.Clone(good), 0, 0))
	v.add("malformed-trailing-content", "malformed", "bytes follow the inner message within the signed content: RFC 5652 section 3.",
		v.message(func(m *Message) { m.Content = append(m.Content, 5, 0) }))
	v.add("malformed-truncated", "malformed", "the last byte is missing: X.690 section 8.1.3.", good[:len(good)-1])
	ber := ToBER(good, 100)
	v.add("malformed-ber-unended", "malformed", "an indefinite length is not ended: X.690 section 8.1.5.", ber[:len(ber)-2])

	v.add("not-signed", "not-signed", "a certs-only message: RFC 5652 section 5.2.", smallPool())
	v.add("pool-not-covered", "pool-not-covered", "the pool is among the outer certificates, which no signature covers, and there is no content: RFC 5652 section 5.1.",
		v.message(func(m *Message) {
			m.Content, m.Detached = nil, true
			m.Certificates = appendNew(lab.Signer.Chain(), CoreV1()[:2]...)
		}))
	v.add("no-signers", "no-signers", "signed content, and no SignerInfo: RFC 5652 section 5.1.", v.message(func(m *Message) {
		m.Signers, m.Certificates = nil, lab.Signer.Chain()
	}))
	v.add("signer-certificate-missing", "signer-certificate-missing", "the message carries the root and not the signer: RFC 5652 section 5.3.",
		v.message(func(m *Message) { m.Certificates = [][]byte{lab.Root.DER} }))
	v.add("signer-certificate-missing-key-id", "signer-certificate-missing", "no certificate has the signer's key identifier: RFC 5652 section 5.3.",
		v.message(func(m *Message) {
			m.Signers[0].ByKeyID = true
			m.Certificates = lab.SecondSigner.Chain()
		}))

	notCertsOnly := func(name, about string, content []byte) {
		v.add("content-not-certs-only-"+name, "content-not-certs-only", about, v.message(func(m *Message) { m.Content = content }))
	}
	notCertsOnly("signed", "the content is itself a signed message: RFC 5652 section 5.2.", good)
	notCertsOnly("content", "the content is a message without signers that has a content: RFC 5652 section 5.2.",
		Message{Content: []byte("hello"), Certificates: CoreV1()[1:3]}.DER())
	notCertsOnly("certificate", "the content is a single certificate: RFC 5652 section 5.2.", lab.Root.DER)

	v.add("content-type-not-data", "content-type-not-data", "eContentType is id-signedData, and the contentType attribute says so too; a bundle has id-data: RFC 5652 section 5.2.",
		v.message(func(m *Message) { m.ContentType = oidSignedData }))
	v.add("digest-not-listed", "digest-not-listed", "the signer's digest is not among digestAlgorithms: RFC 5652 section 5.1.",
		v.message(func(m *Message) { m.DigestAlgorithms = []crypto.Hash{crypto.SHA512} }))
	v.add("digest-not-listed-empty", "digest-not-listed", "digestAlgorithms is empty: RFC 5652 section 5.1.",
		v.message(func(m *Message) { m.DigestAlgorithms = []crypto.Hash{} }))
}

// attributes are faults of the signed attributes.
func (v *vectors) attributes() {
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

	v.add("no-signed-attributes", "no-signed-attributes", "the signature is made over the content itself: RFC 5652 section 5.3 allows it, a bundle has attributes.",
		v.signed(func(s *SignerInfo) { s.NoAttributes = true }))
	v.add("no-signed-attributes-stripped", "no-signed-attributes", "the attributes of a valid message were stripped and put in the content's place, so that its signature still fits: RFC 5652 section 5.4.",
		v.message(func(m *Message) {
			signer := m.Signers[0].withDefaults()
			m.Content = TLV(asn1.SET, signer.attributes(Message{Content: m.Content, ContentType: oidData})...)
			m.Signers[0].NoAttributes = true
		}))
	v.add("no-signed-attributes-empty", "no-signed-attributes", "the set of signed attributes is there and empty: RFC 5652 section 5.3 says 1..MAX.",
		changed(func([]Attribute) []Attribute { return nil }))

	reverse := func(set [][]byte) [][]byte {
		slices.Reverse(set)
		return set
	}
	longByte := func(set [][]byte) [][]byte {
		set[0] = LongLength.Frame(set[0])
		return set
	}
	notDER := func(name, about string, change func(*SignerInfo)) {
		v.add("attributes-not-der-"+name, "attributes-not-der", about+": RFC 5652 section 5.3.", v.signed(change))
	}
	notDER("unsorted", "the signed attributes are not sorted, and signed in that order", func(s *SignerInfo) { s.Signed = reverse })
	notDER("sent-unsorted", "the signed attributes were signed sorted and sent unsorted", func(s *SignerInfo) { s.Sent = reverse })
	notDER("long-length", "a length within the signed attributes takes more bytes than needed, and is signed so", func(s *SignerInfo) { s.Signed = longByte })
	notDER("sent-long-length", "the same, but the signature is over DER", func(s *SignerInfo) { s.Sent = longByte })
	notDER("set-long-length", "the length of the whole set takes more bytes than needed; the signature is over DER", func(s *SignerInfo) { s.LongSetByte = true })
	notDER("indefinite", "an attribute has an indefinite length, and is signed so", func(s *SignerInfo) {
		s.Signed = func(set [][]byte) [][]byte {
			set[0] = Indefinite.Frame(set[0])
			return set
		}
	})

	v.add("content-type-missing", "content-type-missing", "the contentType attribute is absent: RFC 5652 section 5.3.", without(AttributeContentType))
	v.add("content-type-doubled", "content-type-doubled", "two contentType attributes: RFC 5652 section 11.1.",
		again(AttributeContentType, oidData.DER()))
	v.add("content-type-two-values", "content-type-doubled", "a contentType attribute with two values: RFC 5652 section 11.1.",
		values(AttributeContentType, oidData.DER(), oidSignedData.DER()))
	v.add("content-type-differs", "content-type-differs", "the contentType attribute is not eContentType: RFC 5652 section 11.1.",
		values(AttributeContentType, oidSignedData.DER()))

	content := octetString(digest(crypto.SHA256, smallPool()))
	other := octetString(bytes.Repeat([]byte{0xff}, 32)) // is sorted behind the right one
	v.add("message-digest-missing", "message-digest-missing", "the messageDigest attribute is absent: RFC 5652 section 5.3.", without(AttributeMessageDigest))
	v.add("message-digest-doubled", "message-digest-doubled", "two messageDigest attributes, one of another content: RFC 5652 section 11.2.",
		again(AttributeMessageDigest, other))
	v.add("message-digest-two-values", "message-digest-doubled", "a messageDigest attribute with two values, the right one first: RFC 5652 section 11.2.",
		values(AttributeMessageDigest, content, other))
	v.add("message-digest-differs", "message-digest-differs", "one bit of the content was changed after signing: RFC 5652 section 5.6.",
		flipLastBitOf(v.message(), smallPool()))
	v.add("message-digest-short", "message-digest-differs", "the messageDigest is the right one cut to 16 bytes: RFC 5652 section 5.6.",
		values(AttributeMessageDigest, octetString(digest(crypto.SHA256, smallPool())[:16])))

	for _, unsigned := range []struct {
		name  string
		kind  OID
		value []byte
	}{
		{"content-type", AttributeContentType, oidData.DER()},
		{"message-digest", AttributeMessageDigest, content},
		{"signing-time", AttributeSigningTime, Date(2025, 1, 15).DER()},
	} {
		about := "a valid message to which an unsigned " + unsigned.name + " was added, with the value of the signed one: RFC 5652 section 11."
		v.add(unsigned.name+"-unsigned", unsigned.name+"-unsigned", about,
			v.signed(func(s *SignerInfo) { s.Unsigned = []Attribute{{unsigned.kind, [][]byte{unsigned.value}}} }))
	}
	v.add("signing-time-unsigned-alone", "signing-time-unsigned", "a signingTime that is not signed is the only one: RFC 5652 section 11.3.",
		v.signed(func(s *SignerInfo) {
			s.Time = Time{}
			s.Unsigned = []Attribute{{AttributeSigningTime, [][]byte{Date(2026, 1, 15).DER()}}}
		}))

	v.add("signing-time-doubled", "signing-time-doubled", "two signingTime attributes: RFC 5652 section 11.3.",
		again(AttributeSigningTime, Date(2021, 1, 1).DER()))
	v.add("signing-time-two-values", "signing-time-doubled", "a signingTime attribute with two values: RFC 5652 section 11.3.",
		values(AttributeSigningTime, Date(2025, 1, 15).DER(), Date(2021, 1, 1).DER()))
	v.add("signing-time-month-13", "signing-time-malformed", "signingTime is in the thirteenth month: RFC 5652 section 11.3.",
		values(AttributeSigningTime, Time{asn1.UTCTime, "251301000000Z"}.DER()))
	v.add("signing-time-no-seconds", "signing-time-malformed", "signingTime lacks its seconds: RFC 5652 section 11.3.",
		values(AttributeSigningTime, Time{asn1.UTCTime, "2501150000Z"}.DER()))
	v.add("signing-time-generalized", "signing-time-malformed", "signingTime before 2050 is a GeneralizedTime: RFC 5652 section 11.3.",
		values(AttributeSigningTime, Time{asn1.GeneralizedTime, "20250115120000Z"}.DER()))
	v.add("signing-time-string", "signing-time-malformed", "signingTime is a PrintableString: RFC 5652 section 11.3.",
		values(AttributeSigningTime, Printable("250115120000Z")))

	for _, a := range []struct {
		name, what string
		kind       OID
		value      string
	}{
		{"name", "bundle's name", AttributeName, "Other Bundle"},
		{"version", "bundle's version", AttributeVersion, "8"},
	} {
		reason := a.name + "-malformed"
		v.add(reason+"-doubled", reason, "two attributes give the "+a.what+": which of them counts, nobody can say (compare RFC 5652 section 11).", again(a.kind, Printable(a.value)))
		v.add(reason+"-two-values", reason, "the attribute of the "+a.what+" has two values (compare RFC 5652 section 11).",
			values(a.kind, Printable("0"), Printable(a.value)))
		v.add(reason+"-integer", reason, "the "+a.what+" is an INTEGER; a bundle has a PrintableString.", values(a.kind, integer(4)))
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
func (v *vectors) signatures() {
	v.add("digest-weak-sha1", "digest-weak", "the message's digest is SHA-1: RFC 8551 section 2.1 has it for old messages only.",
		v.signed(func(s *SignerInfo) { s.Digest = crypto.SHA1 }))
	weak := v.add("digest-weak-sha1-tolerant", "digest-weak", "the message's digest is SHA-1, under an anchor that tolerates SHA-1 in links and nowhere else.",
		v.signedBy(v.lab.SHA1Signer, func(s *SignerInfo) { s.Digest = crypto.SHA1 }))
	weak.Root, weak.SHA1Links = "sha1", true
	v.add("digest-weak-md5", "digest-weak", "the message's digest is MD5: RFC 6151 section 2.",
		v.signed(func(s *SignerInfo) { s.Digest = crypto.MD5 }))
	v.add("digest-unsupported", "digest-unsupported", "the message's digest is SHA3-256, which no device is known to take: RFC 9688 section 2.",
		v.signed(func(s *SignerInfo) { s.Digest = crypto.SHA3_256 }))

	v.add("signature-hash-differs-rsa", "signature-hash-differs", "digestAlgorithm is SHA-256 and signatureAlgorithm sha512WithRSAEncryption: RFC 5754 section 3.2.",
		v.signed(func(s *SignerInfo) { s.Algorithm = SHA512WithRSA }))
	v.add("signature-hash-differs-sha1", "signature-hash-differs", "digestAlgorithm is SHA-256 and signatureAlgorithm sha1WithRSAEncryption, a weaker one: RFC 5754 section 3.2.",
		v.signed(func(s *SignerInfo) { s.Algorithm = SHA1WithRSA }))
	v.add("signature-hash-differs-pss", "signature-hash-differs", "digestAlgorithm is SHA-256 and the hash of RSASSA-PSS SHA-512: RFC 4056 section 3.",
		v.signed(func(s *SignerInfo) { s.Algorithm = SHA512WithPSS }))
	v.add("signature-hash-differs-ecdsa", "signature-hash-differs", "digestAlgorithm is SHA-256 and signatureAlgorithm ecdsa-with-SHA384: RFC 5754 section 3.3.",
		v.signedBy(v.lab.P256Signer, func(s *SignerInfo) { s.Algorithm = ECDSAWithSHA384 })).Root = "p256"
	v.add("signature-hash-differs-ed25519", "signature-hash-differs", "digestAlgorithm is SHA-256 where Ed25519 demands SHA-512: RFC 8419 section 3.",
		v.signedBy(v.lab.Ed25519Signer, func(s *SignerInfo) { s.Digest = crypto.SHA256 })).Root = "ed25519"

	v.add("signature-algorithm-unsupported", "signature-algorithm-unsupported", "signatureAlgorithm is dsa-with-sha256: RFC 5754 section 3.1.",
		v.signed(func(s *SignerInfo) { s.AlgorithmSent = sequence(OID("2.16.840.1.101.3.4.3.2").DER()) }))

	v.add("signature-invalid", "signature-invalid", "one bit of the signature was changed: RFC 5652 section 5.6.",
		v.signed(func(s *SignerInfo) { s.Corrupt = true }))
	v.add("signature-invalid-other-key", "signature-invalid", "the signature is by another key than the named signer's: RFC 5652 section 5.6.",
		v.signed(func(s *SignerInfo) { s.Key = v.lab.SecondSigner.Key }))
	v.add("signature-invalid-attribute", "signature-invalid", "the version was raised after signing: RFC 5652 section 5.6.",
		v.signed(func(s *SignerInfo) {
			s.Sent = func(set [][]byte) [][]byte {
				for i := range set {
					set[i] = bytes.Replace(set[i], Printable(vectorVersion), Printable("9"), 1)
				}
				return set
			}
		}))
}

// signers are faults of the signer, and of several.
func (v *vectors) signers() {
	lab := v.lab
	v.add("signer-purpose", "signer-purpose", "the signer's only purpose is serverAuth: RFC 5280 section 4.2.1.12.",
		v.by(LabSignerTemplate(ServerAuth).Issue(lab.Root)))
	v.add("signer-key-usage", "signer-key-usage", "the signer's key usage is keyEncipherment alone: RFC 5280 section 4.2.1.3.",
		v.by(LabSignerTemplate().With(KeyUsage(KeyEncipherment)).Issue(lab.Root)))

	two := func(change func(second *SignerInfo)) []byte {
		return v.message(func(m *Message) {
			second := v.signer(lab.SecondSigner)
			change(&second)
			m.Signers = append(m.Signers, second)
		})
	}
	v.add("signers-disagree-name", "signers-disagree", "two valid signers give different names: RFC 5652 section 5.1 lets each sign its own attributes.",
		two(func(s *SignerInfo) { s.Name = "Other Bundle" }))
	v.add("signers-disagree-version", "signers-disagree", "two valid signers give different versions: RFC 5652 section 5.1 lets each sign its own attributes.",
		two(func(s *SignerInfo) { s.Version = "8" }))
	v.add("second-signer-bad", "signature-invalid", "of two signers the second's signature is wrong: each is judged.",
		two(func(s *SignerInfo) { s.Corrupt = true }))
	v.add("first-signer-bad", "signature-invalid", "of two signers the first's signature is wrong: each is judged.",
		v.message(func(m *Message) {
			m.Signers[0].Corrupt = true
			m.Signers = append(m.Signers, v.signer(lab.SecondSigner))
		}))
	v.add("second-signer-stranger", "chain-no-anchor", "of two signers the second leads to another root: each is judged.",
		two(func(s *SignerInfo) { s.Signer = lab.OtherSigner }))
}

// chains are faults of the path from the signer to the anchor.
func (v *vectors) chains() {
	lab := v.lab
	signer := LabSignerTemplate
	intermediate := IntermediateTemplate(labName("Lab Intermediate CA"), RSA("lab-intermediate"))
	below := lab.issueSigner

	v.add("chain-no-anchor-self-signed", "chain-no-anchor", "the signer signed its own certificate: RFC 5280 section 6.1.", v.by(signer().Issue(nil)))
	v.add("chain-no-anchor-other-root", "chain-no-anchor", "a proper chain to a root that is not the anchor: RFC 5280 section 6.1.", v.by(lab.OtherSigner))
	v.add("chain-no-anchor-impostor", "chain-no-anchor", "a proper chain to a root that bears the anchor's name and has another key: RFC 5280 section 6.1.",
		v.by(lab.ImpostorSigner))
	v.add("chain-no-anchor-impostor-and-anchor", "chain-no-anchor", "the same, and the message carries the true anchor too: RFC 5280 section 6.1.",
		v.by(lab.ImpostorSigner, lab.Root.DER))
	one := IntermediateTemplate(labName("Lab Loop CA 1"), RSA("lab-intermediate"))
	two := IntermediateTemplate(labName("Lab Loop CA 2"), RSA("lab-other-root"))
	v.add("chain-no-anchor-loop", "chain-no-anchor", "two intermediates that issued each other: RFC 5280 section 6.1.",
		v.message(func(m *Message) {
			first := one.Issue(&Authority{Template: two})
			second := two.Issue(&Authority{Template: one})
			leaf := below(first)
			m.Signers[0] = v.signer(leaf)
			m.Certificates = [][]byte{leaf.DER, first.DER, second.DER, lab.Root.DER}
		}))
	v.add("chain-no-anchor-missing-link", "chain-no-anchor", "the intermediate is not in the message: RFC 5280 section 6.1.",
		v.message(func(m *Message) {
			m.Signers[0] = v.signer(lab.IntermediateSigner)
			m.Certificates = [][]byte{lab.IntermediateSigner.DER, lab.Root.DER}
		}))

	v.add("chain-signature", "chain-signature", "one bit of the signature on the signer's certificate is wrong: RFC 5280 section 6.1.3 (a)(1).",
		v.by(edit(signer(), func(t *Template) { t.Corrupt = true }).Issue(lab.Root)))
	v.add("chain-signature-intermediate", "chain-signature", "one bit of the signature on the intermediate is wrong: RFC 5280 section 6.1.3 (a)(1).",
		v.by(below(edit(intermediate, func(t *Template) { t.Corrupt = true }).Issue(lab.Root))))
	v.add("chain-signature-algorithms-differ", "chain-signature", "the signer's certificate states one signature algorithm inside and another outside: RFC 5280 section 4.1.1.2.",
		v.by(edit(signer(), func(t *Template) { t.TBSAlgorithm = SHA512WithRSA }).Issue(lab.Root)))
	forged := v.add("chain-signature-forged", "chain-signature", "the signer's certificate bears a forged signature that fits the anchor's exponent 3 where the padding is not looked at to its end: RFC 8017 section 8.2.2.",
		v.by(edit(signer(), func(t *Template) {
			t.Algorithm = SHA1WithRSA
			t.Signature = func(tbs []byte) []byte { return forgeCubeRoot(256, crypto.SHA1, tbs) }
		}).Issue(lab.SHA1Root)))
	forged.Root, forged.SHA1Links = "sha1", true

	v.add("chain-sha1", "chain-sha1", "both certificates are signed with SHA-1, and nothing tolerates it under this anchor: RFC 6194 section 3.",
		v.by(lab.SHA1Signer)).Root = "sha1"
	v.add("chain-sha1-signer", "chain-sha1", "the signer's certificate is signed with SHA-1 below a root that is not: RFC 6194 section 3.",
		v.by(edit(signer(), func(t *Template) { t.Algorithm = SHA1WithRSA }).Issue(lab.Root)))
	weak := v.add("chain-weak-tolerant", "chain-weak", "the signer's certificate is signed with MD5, under an anchor that tolerates SHA-1: RFC 6151 section 2.",
		v.by(edit(signer(), func(t *Template) { t.Algorithm = MD5WithRSA }).Issue(lab.SHA1Root)))
	weak.Root, weak.SHA1Links = "sha1", true
	v.add("chain-weak", "chain-weak", "the signer's certificate is signed with MD5: RFC 6151 section 2.",
		v.by(edit(signer(), func(t *Template) { t.Algorithm = MD5WithRSA }).Issue(lab.Root)))

	v.add("chain-expired-signer", "chain-expired", "the signer expired in 2022 and its signingTime says 2021: what a signer says of the time proves nothing, RFC 5652 section 11.3.",
		v.signedBy(lab.ExpiredSigner, func(s *SignerInfo) { s.Time = Date(2021, 6, 1) }))
	v.add("chain-expired-intermediate", "chain-expired", "the intermediate expired in 2022: RFC 5280 section 6.1.3 (a)(2).",
		v.by(below(edit(intermediate, func(t *Template) { t.NotAfter = Date(2022, 1, 1) }).Issue(lab.Root))))
	v.add("chain-expired-anchor", "chain-expired", "the anchor expired in 2021: a device refuses it too.",
		v.by(signer().Issue(lab.ExpiredRoot))).Root = "expired"
	v.add("chain-not-yet-valid-signer", "chain-not-yet-valid", "the signer is valid from 2030: RFC 5280 section 6.1.3 (a)(2).",
		v.by(edit(signer(), func(t *Template) { t.NotBefore = Date(2030, 1, 1) }).Issue(lab.Root)))
	v.add("chain-not-yet-valid-intermediate", "chain-not-yet-valid", "the intermediate is valid from 2030: RFC 5280 section 6.1.3 (a)(2).",
		v.by(below(edit(intermediate, func(t *Template) { t.NotBefore = Date(2030, 1, 1) }).Issue(lab.Root))))
	v.add("chain-not-yet-valid-anchor", "chain-not-yet-valid", "the message is judged in 2019, before anything in it is valid: RFC 5280 section 6.1.3 (a)(2).",
		v.message()).At = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC)

	v.add("chain-not-ca-missing", "chain-not-ca", "the intermediate has no basicConstraints: RFC 5280 section 6.1.4 (k).",
		v.by(below(intermediate.Without("2.5.29.19").Issue(lab.Root))))
	v.add("chain-not-ca-false", "chain-not-ca", "the intermediate's basicConstraints say no: RFC 5280 section 6.1.4 (k).",
		v.by(below(intermediate.With(BasicConstraints(false, -1)).Issue(lab.Root))))
	v.add("chain-not-ca-signer", "chain-not-ca", "a signer of bundles issued another signer: RFC 5280 section 6.1.4 (k).",
		v.by(below(signer().Without("2.5.29.15").Issue(lab.Root))))
	v.add("chain-not-ca-version-1", "chain-not-ca", "the intermediate is X.509 version 1: RFC 5280 section 6.1.4 (k).",
		v.by(below(edit(intermediate, func(t *Template) { t.Version, t.Extensions = 1, nil }).Issue(lab.Root))))
	v.add("chain-key-usage", "chain-key-usage", "the intermediate's key usage lacks keyCertSign: RFC 5280 section 6.1.4 (n).",
		v.by(below(intermediate.With(KeyUsage(DigitalSignature, CRLSign)).Issue(lab.Root))))

	zero := intermediate.With(BasicConstraints(true, 0)).Issue(lab.Root)
	second := IntermediateTemplate(labName("Lab Second Intermediate CA"), RSA("lab-other-root")).Issue(zero)
	v.add("chain-path-length", "chain-path-length", "an intermediate below another whose path length is 0: RFC 5280 section 6.1.4 (l).", v.by(below(second)))
	v.add("chain-path-length-anchor", "chain-path-length", "an intermediate below an anchor whose path length is 0: RFC 5280 section 6.1.4 (l), RFC 5937 section 3.",
		v.by(below(intermediate.Issue(lab.PathLenRoot)))).Root = "pathlen"
	copied := RootTemplate(lab.PathLenRoot.Subject, lab.PathLenRoot.Key).Issue(nil)
	v.add("chain-path-length-copy", "chain-path-length", "the same, and the message carries its own copy of the root, under the same key and name, without the path length: only the pinned one counts, RFC 5937 section 3.",
		v.by(below(intermediate.Issue(copied)))).Root = "pathlen"

	v.add("chain-critical-extension-signer", "chain-critical-extension", "the signer has a critical extension that nobody knows: RFC 5280 section 6.1.5 (f).",
		v.by(signer().With(UnknownCritical()).Issue(lab.Root)))
	v.add("chain-critical-extension-intermediate", "chain-critical-extension", "the intermediate has a critical extension that nobody knows: RFC 5280 section 6.1.4 (o).",
		v.by(below(intermediate.With(UnknownCritical()).Issue(lab.Root))))
	v.add("chain-name-constraints", "chain-name-constraints", "the intermediate permits only names below O=Elsewhere, and the signer's is not: RFC 5280 section 6.1.3 (b).",
		v.by(below(intermediate.With(NameConstraints(NewName("O=Elsewhere"))).Issue(lab.Root))))
	v.add("chain-critical-extension-key-id", "chain-critical-extension", "the signer's authorityKeyIdentifier is critical, and no rule processes it: RFC 5280 section 4.2.1.1.",
		v.by(signer().With(critical(AuthorityKeyID(lab.Root.Key))).Issue(lab.Root)))
	v.add("chain-name-constraints-mail", "chain-name-constraints", "the intermediate excludes mail of elsewhere.example, and the signer has such an address: RFC 5280 section 6.1.3 (c).",
		v.by(signer().With(GeneralNames(MailName("bundles@elsewhere.example"))).Issue(intermediate.With(Constraints(nil, [][]byte{MailName("elsewhere.example")})).Issue(lab.Root))))
	v.add("constraint-unknown", "constraint-unknown", "the intermediate excludes a registeredID, and the signer has one: RFC 5280 section 4.2.1.10.",
		v.by(signer().With(GeneralNames(RegisteredID(42))).Issue(intermediate.With(Constraints(nil, [][]byte{RegisteredID(43)})).Issue(lab.Root))))
	v.add("good-name-constraints", "verified", "the intermediate permits names below O=TRUSTPOOL lab, which the signer's is: RFC 5280 section 7.1.",
		v.by(below(intermediate.With(NameConstraints(NewName("O= TRUSTPOOL  lab"))).Issue(lab.Root))))
	v.add("good-issuer-spaces", "verified", "the signer names its issuer in other letter case and spaces: RFC 5280 section 7.1.",
		v.by(edit(signer(), func(t *Template) { t.Issuer = NewName("O=trustpool  LAB", "CN= Lab Root CA ") }).Issue(lab.Root)))
	v.add("name-encoding", "name-encoding", "the signer names its issuer in capitals that are not ASCII: RFC 5280 section 7.1 takes it, OpenSSL does not.",
		v.by(edit(signer(), func(t *Template) { t.Issuer = labName("LAB PRÜF CA") }).Issue(IntermediateTemplate(labName("Lab Prüf CA"), RSA("lab-intermediate")).Issue(lab.Root))))
	v.add("fractional-time", "fractional-time", "the signer's notAfter has fractional seconds: RFC 5280 section 4.1.2.5.2.",
		v.by(edit(signer(), func(t *Template) { t.NotAfter = Time{asn1.GeneralizedTime, "20450101000000.5Z"} }).Issue(lab.Root)))
	v.add("key-identifier", "key-identifier", "the signer's authorityKeyIdentifier is that of another key: RFC 5280 section 4.2.1.1.",
		v.by(signer().With(AuthorityKeyID(RSA("lab-other-root"))).Issue(lab.Root)))
	v.add("extension-unreadable", "extension-unreadable", "the signer's subjectAltName is cut short: RFC 5280 section 4.2.1.6.",
		v.by(signer().With(Extension{"2.5.29.17", false, []byte{0x30, 5, 0x82}}).Issue(lab.Root)))
	v.add("policy-constraints", "policy-constraints", "the intermediate demands an explicit policy: RFC 5280 section 6.1.4 (i).",
		v.by(below(intermediate.With(PolicyConstraints(0, -1)).Issue(lab.Root))))
	v.add("good-policies", "verified", "the intermediate inhibits the mapping of policies and anyPolicy, and demands an explicit policy below more certificates than there are: RFC 5280 section 6.1.5 (g).",
		v.by(below(intermediate.With(PolicyConstraints(5, 0), InhibitAnyPolicy(0), Policies("2.5.29.32.0")).Issue(lab.Root))))
	v.add("chain-policy", "chain-policy", "the intermediate maps anyPolicy: RFC 5280 section 6.1.4 (a).",
		v.by(below(intermediate.With(PolicyMappings(AnyPolicy, "1.3.6.1.4.1.99999.3")).Issue(lab.Root))))
	v.add("chain-policy-unreadable", "chain-policy", "the intermediate's policies are an empty list: RFC 5280 section 4.2.1.4.",
		v.by(below(intermediate.With(Policies()).Issue(lab.Root))))
	curve := ECDSA("lab-explicit", elliptic.P256())
	v.add("chain-explicit-curve", "chain-explicit-curve", "the intermediate's key is on a curve that is written out: RFC 5480 section 2.1.1.",
		v.by(below(edit(IntermediateTemplate(labName("Lab Intermediate CA"), curve), func(t *Template) { t.SPKI = curve.ExplicitSPKI() }).Issue(lab.Root))))
	v.add("chain-purpose", "chain-purpose", "the intermediate's only purpose is serverAuth: RFC 5280 section 4.2.1.12.",
		v.by(below(intermediate.With(ExtKeyUsage(ServerAuth)).Issue(lab.Root))))

	v.add("chain-unreadable-extensions-without-v3", "chain-unreadable", "the signer is X.509 version 1 and has extensions, which say that it is for servers: RFC 5280 section 4.1.2.1.",
		v.by(edit(signer(ServerAuth), func(t *Template) { t.Version = 1 }).Issue(lab.Root)))
	v.add("chain-unreadable-no-purpose", "chain-unreadable", "the signer's extKeyUsage lists no purpose at all: RFC 5280 section 4.2.1.12.",
		v.by(signer().With(ExtKeyUsage()).Issue(lab.Root)))
	v.add("chain-unreadable-offset", "chain-unreadable", "the signer's notAfter is in a time zone of its own: RFC 5280 section 4.1.2.5.1.",
		v.by(edit(signer(), func(t *Template) { t.NotAfter = Time{asn1.UTCTime, "450101000000+0100"} }).Issue(lab.Root)))
	v.add("chain-signature-unused-bits", "chain-signature", "the signature on the signer's certificate is said to have an unused bit, which changes its SHA-256 and no other check: RFC 5280 section 4.1.1.3.",
		v.message(func(m *Message) {
			m.Certificates = [][]byte{slices.Clone(lab.Signer.DER), lab.Root.DER}
			m.Certificates[0][len(lab.Signer.DER)-257] = 1 // before the 256 bytes of the signature
		}))
	v.add("attributes-not-der-value", "attributes-not-der", "an attribute that nobody knows has the BOOLEAN 01, and is signed so: X.690 section 11.1.",
		v.signed(withAttribute("1.3.6.1.4.1.99999.2", []byte{1, 1, 1})))
	v.add("attributes-not-der-no-value", "attributes-not-der", "an attribute that nobody knows has no value: RFC 5652 section 5.3.",
		v.signed(withAttribute("1.3.6.1.4.1.99999.2")))
	v.add("name-malformed-characters", "name-malformed", "the bundle's name is a PrintableString with a line break: X.680 section 41.4.",
		v.signed(func(s *SignerInfo) { s.Name = "Lab\nVector Bundle" }))

	v.add("chain-algorithm-unsupported", "chain-algorithm-unsupported", "the signer's certificate is signed with sha224WithRSAEncryption, which no verifier of bundles needs: RFC 5280 section 6.1.3 (a)(1).",
		v.by(edit(signer(), func(t *Template) { t.Algorithm = SHA224WithRSA }).Issue(lab.Root)))
	v.add("chain-unreadable-date", "chain-unreadable", "the signer's notAfter is the 32nd of a 13th month: RFC 5280 section 4.1.2.5.",
		v.by(edit(signer(), func(t *Template) { t.NotAfter = Time{asn1.UTCTime, "451332000000Z"} }).Issue(lab.Root)))
	v.add("chain-unreadable-twice", "chain-unreadable", "the intermediate has basicConstraints twice, once with and once without a path length: RFC 5280 section 4.2.",
		v.by(below(edit(intermediate, func(t *Template) {
			t.Extensions = append(slices.Clone(t.Extensions), BasicConstraints(true, 5))
		}).Issue(lab.Root))))
	v.add("chain-too-complex", "chain-too-complex", "the message carries 80 certificates that bear the name of the signer's issuer, none of which is: the work is bounded.",
		v.message(func(m *Message) {
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

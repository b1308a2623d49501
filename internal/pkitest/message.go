package pkitest

import (
	"bytes"
	"crypto"
	"encoding/pem"
	"slices"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Object identifiers of a signed message.
const (
	oidData       OID = "1.2.840.113549.1.7.1"
	oidSignedData OID = "1.2.840.113549.1.7.2"

	AttributeContentType   OID = "1.2.840.113549.1.9.3"
	AttributeMessageDigest OID = "1.2.840.113549.1.9.4"
	AttributeSigningTime   OID = "1.2.840.113549.1.9.5"
	AttributeVersion       OID = "1.3.6.1.4.1.9.21.2.3.1"
	AttributeName          OID = "1.3.6.1.4.1.9.21.2.3.2"
)

// CertsOnly is the message without signers that a bundle's content is: byte for byte what `openssl crl2pkcs7 -nocrl` writes of
// the same certificates.
func CertsOnly(certificates ...[]byte) []byte {
	return Message{Certificates: certificates, Detached: true}.DER()
}

// A Message is a CMS SignedData. With a content, one signer and nothing else it has exactly the structure of a Cisco bundle.
type Message struct {
	Content          []byte // usually CertsOnly
	ContentType      OID    // eContentType; "": id-data
	Detached         bool   // the content is signed and not sent
	Signers          []SignerInfo
	Certificates     [][]byte      // nil: each signer's chain
	DigestAlgorithms []crypto.Hash // nil: the signers' digests, each once
	CRLs             [][]byte      // nil: no such field
}

// A SignerInfo describes one signature. Signer and Time are needed.
type SignerInfo struct {
	Signer        *Authority
	Name, Version string      // of the bundle; "": no such attribute
	Time          Time        // the signing time; zero: no such attribute
	Digest        crypto.Hash // 0: SHA-256, with an Ed25519 key SHA-512 (RFC 8419 section 3)
	Algorithm     Algorithm   // 0: rsaEncryption for an RSA key, as Cisco has it
	AlgorithmSent []byte      // an AlgorithmIdentifier sent instead of the true one
	ByKeyID       bool        // the signer is named by key identifier, not by issuer and serial number

	Attributes   func([]Attribute) []Attribute // changes the signed attributes before they are sorted
	Signed       func(set [][]byte) [][]byte   // changes their encodings after that, before they are signed
	Sent         func(set [][]byte) [][]byte   // changes them after they are signed
	LongSetByte  bool                          // the length of the whole set is sent in more bytes than needed
	NoAttributes bool                          // the signature is made over the content itself
	Unsigned     []Attribute
	Corrupt      bool // one bit of the signature is wrong
	Key          *Key // signs instead of the signer's own
}

// An Attribute is a signed or unsigned attribute; its values are DER.
type Attribute struct {
	Type   OID
	Values [][]byte
}

// DER returns the encoding of the attribute, its values in the order given.
func (a Attribute) DER() []byte { return sequence(a.Type.DER(), TLV(asn1.SET, a.Values...)) }

// Printable is the encoding of a PrintableString.
func Printable(text string) []byte { return TLV(asn1.PrintableString, []byte(text)) }

// DER returns the message.
func (m Message) DER() []byte {
	if m.ContentType == "" {
		m.ContentType = oidData
	}
	version := int64(1)
	if m.ContentType != oidData {
		version = 3 // RFC 5652 section 5.1
	}
	var digests, signers, chains [][]byte
	for _, s := range m.Signers {
		s = s.withDefaults()
		if s.ByKeyID {
			version = 3
		}
		digests = append(digests, digestIdentifier(s.Digest))
		signers = append(signers, s.der(m))
		chains = appendNew(chains, s.Signer.Chain()...)
	}
	if m.Certificates == nil {
		m.Certificates = chains
	}
	if m.DigestAlgorithms != nil {
		digests = nil
		for _, hash := range m.DigestAlgorithms {
			digests = append(digests, digestIdentifier(hash))
		}
	}
	digests = slices.CompactFunc(sorted(digests), bytes.Equal)

	content := sequence(m.ContentType.DER())
	if !m.Detached {
		content = sequence(m.ContentType.DER(), TLV(explicit(0), octetString(m.Content)))
	}
	fields := [][]byte{integer(version), set(digests...), content, TLV(explicit(0), m.Certificates...)}
	if m.CRLs != nil {
		fields = append(fields, TLV(explicit(1), m.CRLs...))
	}
	fields = append(fields, set(signers...))
	return sequence(oidSignedData.DER(), TLV(explicit(0), sequence(fields...)))
}

// appendNew appends those that are not there yet.
func appendNew(list [][]byte, more ...[]byte) [][]byte {
	for _, one := range more {
		if !slices.ContainsFunc(list, func(have []byte) bool { return bytes.Equal(have, one) }) {
			list = append(list, one)
		}
	}
	return list
}

func (s SignerInfo) withDefaults() SignerInfo {
	if s.Key == nil {
		s.Key = s.Signer.Key
	}
	best := s.Key.bestAlgorithm()
	if s.Digest == 0 {
		s.Digest = crypto.SHA256
		if best == PureEd25519 {
			s.Digest = crypto.SHA512
		}
	}
	if s.Algorithm == 0 {
		switch {
		case best == SHA256WithRSA:
			s.Algorithm = RSAEncryption
		case best == PureEd25519:
			s.Algorithm = PureEd25519
		default:
			s.Algorithm = map[crypto.Hash]Algorithm{crypto.SHA256: ECDSAWithSHA256, crypto.SHA384: ECDSAWithSHA384, crypto.SHA512: ECDSAWithSHA512}[s.Digest]
		}
	}
	if s.AlgorithmSent == nil {
		s.AlgorithmSent = s.Algorithm.identifier()
	}
	return s
}

// der returns the SignerInfo for the message's content.
func (s SignerInfo) der(m Message) []byte {
	version, sid := int64(1), sequence(s.Signer.issuer(), TLV(asn1.INTEGER, s.Signer.Serial))
	if s.ByKeyID {
		version, sid = 3, TLV(asn1.Tag(0).ContextSpecific(), s.Signer.Key.ID())
	}
	fields := [][]byte{integer(version), sid, digestIdentifier(s.Digest)}

	signed := m.Content
	if !s.NoAttributes {
		attributes := s.attributes(m)
		signed = TLV(asn1.SET, attributes...) // RFC 5652 section 5.4: signed as a SET, sent as [0]
		if s.Sent != nil {
			attributes = s.Sent(attributes)
		}
		sent := TLV(explicit(0), attributes...)
		if s.LongSetByte {
			sent = LongLength.Frame(sent)
		}
		fields = append(fields, sent)
	}
	signature := s.Key.sign(s.Algorithm, s.Digest, signed)
	if s.Corrupt {
		signature[len(signature)-1] ^= 1
	}
	fields = append(fields, s.AlgorithmSent, octetString(signature))
	if s.Unsigned != nil {
		fields = append(fields, TLV(explicit(1), sorted(encode(s.Unsigned))...))
	}
	return sequence(fields...)
}

// attributes returns the encodings of the signed attributes in the order in which they are signed.
func (s SignerInfo) attributes(m Message) [][]byte {
	attributes := []Attribute{
		{AttributeContentType, [][]byte{m.ContentType.DER()}},
		{AttributeMessageDigest, [][]byte{octetString(digest(s.Digest, m.Content))}},
	}
	if s.Time != (Time{}) {
		attributes = append(attributes, Attribute{AttributeSigningTime, [][]byte{s.Time.DER()}})
	}
	if s.Name != "" {
		attributes = append(attributes, Attribute{AttributeName, [][]byte{Printable(s.Name)}})
	}
	if s.Version != "" {
		attributes = append(attributes, Attribute{AttributeVersion, [][]byte{Printable(s.Version)}})
	}
	if s.Attributes != nil {
		attributes = s.Attributes(attributes)
	}
	encoded := sorted(encode(attributes))
	if s.Signed != nil {
		encoded = s.Signed(encoded)
	}
	return encoded
}

// issuer returns the encoding of the issuer's name as the certificate has it.
func (a *Authority) issuer() []byte {
	tbs := children(children(a.DER)[0])
	if a.Version == 1 {
		return tbs[2]
	}
	return tbs[3]
}

// Bundle signs a pool as Cisco does.
func Bundle(signer *Authority, name, version string, signed time.Time, certificates ...[]byte) []byte {
	return Message{
		Content: CertsOnly(certificates...),
		Signers: []SignerInfo{{Signer: signer, Name: name, Version: version, Time: At(signed)}},
	}.DER()
}

// MessagePEM returns a message as one PEM block.
func MessagePEM(der []byte) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: der})
}

// Package bundle reads trust bundles: the files of CA certificates that Cisco devices import into their trustpool, such as ios.p7b and
// ios_core.p7b.
//
// # Reading
//
// [Parse] reads a bundle in every form in which it is found: Cisco's file, which is a signed message around a message that only holds
// certificates; such a message alone; PEM, DER and bare base64, mixed and with text between. [Bundle.Form] says which it was.
// [Bundle.Certificates] has the certificates in the order of the file:
//
//	b, err := bundle.Parse(data)
//	if err != nil {
//		return err // the file is not a bundle
//	}
//	for _, c := range b.Certificates {
//		if c.Err != nil {
//			continue // this entry is not a certificate
//		}
//		fmt.Println(c.Subject)
//	}
//
// Nothing is passed over in silence: an entry that cannot be decoded is in the list with its [certificate.Certificate.Err] set, and
// text around certificates is counted in [Bundle.Passed]. What is odd about a certificate that was read anyway is in its Quirks.
// [Limits] bound what is read.
//
// # Using a bundle
//
// [Compare] finds what changed from one bundle to another, [ParseFilter] makes a filter of what a user asks for, and
// [EncodeCertsOnly] writes certificates as a message that "openssl pkcs7" reads.
//
// # What it does not do
//
// Parse verifies nothing. Until [trustpool/signing.Verify] has judged the signature, the name, the version and the signing time of a
// bundle ([Claims]) are only what somebody wrote into it. The package reads no files and no clock, and uses no network.
//
// # Sources
//
// Signed messages are those of RFC 5652 (CMS), certs-only messages those of RFC 8551 section 3.8, PEM is that of RFC 7468, and
// certificates are those of RFC 5280. Cisco does not document the two attributes that carry name and version; their object identifiers
// are those of the bundles that Cisco publishes.
package bundle

import (
	"crypto/sha256"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// A Form is how a bundle was found.
type Form string

// The forms. A message in PEM armour or bare base64 has the form of the message.
const (
	FormSigned    Form = "signed"     // Cisco's two layers: a signed message around a certs-only message
	FormOuter     Form = "outer"      // a signed message whose pool is its outer certificates, which no signature covers
	FormCertsOnly Form = "certs-only" // a message without content and signers (RFC 8551 section 3.8)
	FormPEM       Form = "pem"        // PEM blocks, concatenated; or PEM, DER and base64 mixed
	FormDER       Form = "der"        // one certificate, or several one after the other
	FormDirectory Form = "directory"  // files of the other forms, one after the other
)

// A Bundle is a list of certificates as distributed, with the signature around
// it, if any.
type Bundle struct {
	Raw []byte // as read. nil for a directory
	// DER is the message or certificate itself: Raw, or the bytes within its PEM
	// armour or bare base64. nil for certificates in PEM and for a directory.
	DER          []byte
	Form         Form
	Claims                                  // of the first signer; unverified until signing.Verify says so
	Certificates []*certificate.Certificate // in file order; some may have Err set

	// Message is the signed message, nil if there is none, and Chain the
	// certificates that came beside the signature. Content is the certs-only
	// message within it, nil if the content is something else.
	Message *cms.SignedData
	Content *cms.SignedData
	Chain   []*certificate.Certificate

	// Mixed reports whether some certificates of a PEM file are of a message beside
	// the others.
	Mixed bool

	// Passed is the text around the certificates of a file, which was passed over.
	Passed Passed

	// Quirks are those of the bundle as a whole.
	Quirks []Quirk

	outlined bool // by ParseOutline: Certificates is nil, the pool was not decoded
}

// Passed counts text that holds no certificate: lines with something other than
// blanks, and their bytes without blanks around them.
type Passed struct {
	Bytes int `json:"bytes"`
	Lines int `json:"lines"`
}

// A Quirk names one way in which a bundle as a whole departs from its form, and
// was read anyway.
type Quirk string

// QuirkEmptyContent is a certs-only message with empty content, although
// RFC 8551 section 3.8 has it absent.
const QuirkEmptyContent Quirk = "empty-content"

// SHA256 is the hash of the file as read; it is all zero for a directory.
func (b *Bundle) SHA256() (sum [32]byte) {
	if b.Raw == nil {
		return sum
	}
	return sha256.Sum256(b.Raw)
}

// Unwrap returns the bundle as if the bytes within its PEM armour or bare base64
// had been read, and reports whether there was any: those are the bytes that were
// signed and published, and what a device reads. Other bundles are returned as
// they are.
func (b *Bundle) Unwrap() (bare *Bundle, wrapped bool) {
	if b.DER == nil || len(b.DER) == len(b.Raw) {
		return b, false
	}
	c := *b
	c.Raw = b.DER
	return &c, true
}

// Join makes one bundle of the files of a directory, in the given order.
func Join(parts []*Bundle) *Bundle {
	b := &Bundle{Form: FormDirectory}
	for _, p := range parts {
		b.Certificates = append(b.Certificates, p.Certificates...)
		b.Passed.Bytes += p.Passed.Bytes
		b.Passed.Lines += p.Passed.Lines
		for _, q := range p.Quirks {
			if !slices.Contains(b.Quirks, q) {
				b.Quirks = append(b.Quirks, q)
			}
		}
	}
	return b
}

package certificate

import (
	"bytes"
	"errors"
	"fmt"
	"iter"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
)

// An Extension is one extension of a certificate (RFC 5280 section 4.2).
type Extension struct {
	ID       ObjectID
	Critical bool
	Value    []byte // the contents bytes of extnValue
}

// Object identifiers of the extensions that are read, 2.5.29.n.
const (
	OIDSubjectKeyID          = "\x55\x1d\x0e"
	OIDKeyUsage              = "\x55\x1d\x0f"
	OIDSubjectAltName        = "\x55\x1d\x11"
	OIDBasicConstraints      = "\x55\x1d\x13"
	OIDNameConstraints       = "\x55\x1d\x1e"
	OIDCRLDistributionPoints = "\x55\x1d\x1f"
	OIDPolicies              = "\x55\x1d\x20"
	OIDPolicyMappings        = "\x55\x1d\x21"
	OIDAuthorityKeyID        = "\x55\x1d\x23"
	OIDPolicyConstraints     = "\x55\x1d\x24"
	OIDExtKeyUsage           = "\x55\x1d\x25"
	OIDInhibitAnyPolicy      = "\x55\x1d\x36"

	OIDProxyCertInfo = "\x2b\x06\x01\x05\x05\x07\x01\x0e"     // 1.3.6.1.5.5.7.1.14 (RFC 3820)
	oidNetscapeType  = "\x60\x86\x48\x01\x86\xf8\x42\x01\x01" // 2.16.840.1.113730.1.1
)

// Purposes in an extended key usage (RFC 5280 section 4.2.1.12).
const (
	PurposeAny             = "\x55\x1d\x25\x00"
	PurposeServerAuth      = "\x2b\x06\x01\x05\x05\x07\x03\x01"
	PurposeCodeSigning     = "\x2b\x06\x01\x05\x05\x07\x03\x03"
	PurposeEmailProtection = "\x2b\x06\x01\x05\x05\x07\x03\x04"
)

// EachExtension yields the extensions in the order of the certificate.
func (c *Certificate) EachExtension() iter.Seq[Extension] {
	return func(yield func(Extension) bool) {
		for in := cryptobyte.String(c.Extensions); !in.Empty(); {
			e, err := readExtension(&in)
			if err != nil || !yield(e) {
				return
			}
		}
	}
}

// readExtension takes one Extension. A critical flag is true at any value but
// zero, as OpenSSL has it.
func readExtension(in *cryptobyte.String) (Extension, error) {
	var ext, oid, value cryptobyte.String
	if !in.ReadASN1(&ext, asn1.SEQUENCE) || !ext.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !validOID(oid) {
		return Extension{}, errors.New("its extensions cannot be read")
	}
	e := Extension{ID: ObjectID(oid)}
	if ext.PeekASN1Tag(asn1.BOOLEAN) {
		var flag cryptobyte.String
		if !ext.ReadASN1(&flag, asn1.BOOLEAN) || len(flag) != 1 {
			return Extension{}, errors.New("the critical flag of an extension cannot be read")
		}
		e.Critical = flag[0] != 0
	}
	if !ext.ReadASN1(&value, asn1.OCTET_STRING) || !ext.Empty() {
		return Extension{}, errors.New("the value of an extension cannot be read")
	}
	e.Value = value
	return e, nil
}

// Limits on what is kept of a certificate. Genuine ones have at most 12 extensions
// and 10 purposes.
const (
	maxExtensions = 1000
	maxPurposes   = 100
)

// readExtensions reads what is left of a TBSCertificate.
func (c *Certificate) readExtensions(tbs *cryptobyte.String, quirks *quirkSet) error {
	c.PathLen = -1
	var explicit, list cryptobyte.String
	var present bool
	if !tbs.ReadOptionalASN1(&explicit, &present, tagExtensions) || !tbs.Empty() {
		return errors.New("something that is not an extension follows its public key")
	}
	if present {
		if !readListElement(&explicit, &list, asn1.SEQUENCE, quirks) || !explicit.Empty() {
			return errors.New("its extensions cannot be read")
		}
		list = contents(list)
	}
	var few [16]Extension
	var fewIDs [16][]byte
	extensions, ids := few[:0], fewIDs[:0]
	for in := list; !in.Empty(); {
		if len(extensions) == maxExtensions {
			return fmt.Errorf("it has more than %d extensions", maxExtensions)
		}
		e, err := readExtension(&in)
		if err != nil {
			return err
		}
		extensions, ids = append(extensions, e), append(ids, e.ID)
	}
	if c.Version < 3 {
		if present {
			quirks.add(QuirkExtensionsWithoutV3)
		}
		return nil
	}
	c.Extensions = list
	slices.SortFunc(ids, bytes.Compare)
	basic := false
	for _, e := range extensions {
		i, _ := slices.BinarySearchFunc(ids, e.ID, func(id []byte, want ObjectID) int { return bytes.Compare(id, want) })
		twice := i+1 < len(ids) && bytes.Equal(ids[i+1], e.ID)
		if twice {
			quirks.add(QuirkExtensionTwice)
		}
		// What could not be read is emptied, so that a half-read value, or one of two, is never taken for the whole.
		forget := func(read bool, unreadable Quirk) bool {
			if !read || twice {
				quirks.add(unreadable)
			}
			return !read || twice
		}
		switch string(e.ID) {
		case OIDBasicConstraints:
			basic = true
			if forget(c.readBasicConstraints(e.Value, quirks), QuirkBasicUnreadable) {
				c.IsCA, c.PathLen = false, -1
			}
		case OIDKeyUsage:
			if forget(c.readKeyUsage(e.Value, quirks), QuirkKeyUsageUnreadable) {
				c.KeyUsage = 0
			}
		case OIDExtKeyUsage:
			if forget(c.readExtKeyUsage(e.Value, quirks), QuirkExtKeyUsageUnreadable) {
				c.ExtKeyUsage = nil
			}
		case OIDSubjectKeyID:
			var read bool
			if c.SubjectKeyID, read = readBytes(framed(e.Value, quirks), asn1.OCTET_STRING); forget(read, QuirkSubjectKeyIDUnreadable) {
				c.SubjectKeyID = nil
			}
		case OIDAuthorityKeyID:
			if forget(c.readAuthorityKeyID(e.Value, quirks), QuirkAuthKeyIDUnreadable) {
				c.AuthorityKeyID = nil
			}
		}
	}
	if !basic {
		quirks.add(QuirkNoBasicConstraints)
	}
	return nil
}

// framed gives the value of an extension in DER framing, noting if it was
// not. Like OpenSSL and crypto/x509 it takes no notice of what follows the value.
func framed(value []byte, quirks *quirkSet) []byte {
	first, _, err := cms.First(value)
	if err != nil {
		return value
	}
	if der, err := cms.ToDER(first, 0); err == nil && !bytes.Equal(der, value) {
		quirks.add(QuirkExtensionNotDER)
		return der
	}
	return value
}

// readBasicConstraints reads RFC 5280 section 4.2.1.9.
func (c *Certificate) readBasicConstraints(value []byte, quirks *quirkSet) bool {
	in := cryptobyte.String(framed(value, quirks))
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return false
	}
	if seq.PeekASN1Tag(asn1.BOOLEAN) {
		var flag cryptobyte.String
		if !seq.ReadASN1(&flag, asn1.BOOLEAN) || len(flag) != 1 {
			return false
		}
		if c.IsCA = flag[0] != 0; c.IsCA && flag[0] != 0xff {
			quirks.add(QuirkExtensionNotDER)
		}
	}
	return readNumber(&seq, asn1.INTEGER, &c.PathLen) && seq.Empty()
}

// readKeyUsage reads RFC 5280 section 4.2.1.3. Bits after the ninth are not kept.
func (c *Certificate) readKeyUsage(value []byte, quirks *quirkSet) bool {
	in := cryptobyte.String(framed(value, quirks))
	var body cryptobyte.String
	if !in.ReadASN1(&body, asn1.BIT_STRING) || !in.Empty() || len(body) == 0 || body[0] > 7 || len(body) == 1 && body[0] != 0 {
		return false
	}
	unused, content := body[0], body[1:]
	c.KeyUsage = KeyUsagePresent
	if n := len(content); n > 0 {
		last := content[n-1]
		padding := last & (1<<unused - 1)
		// DER: the bit before the unused ones is the last that is set, or the
		// string is empty; unused bits are zero.
		if padding != 0 || last>>unused&1 == 0 {
			quirks.add(QuirkKeyUsageNotDER)
		}
		for i := range len(keyUsageNames) {
			if i/8 < n && (i/8 < n-1 || i%8 < 8-int(unused)) && content[i/8]&(0x80>>(i%8)) != 0 {
				c.KeyUsage |= 1 << i
			}
		}
	}
	return true
}

// readExtKeyUsage reads RFC 5280 section 4.2.1.12: at least one purpose.
func (c *Certificate) readExtKeyUsage(value []byte, quirks *quirkSet) bool {
	in := cryptobyte.String(framed(value, quirks))
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() || seq.Empty() {
		return false
	}
	for !seq.Empty() {
		if len(c.ExtKeyUsage) == maxPurposes {
			return false
		}
		var oid cryptobyte.String
		if !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !validOID(oid) {
			return false
		}
		c.ExtKeyUsage = append(c.ExtKeyUsage, ObjectID(oid))
	}
	return true
}

// readAuthorityKeyID reads the keyIdentifier of RFC 5280 section 4.2.1.1.
func (c *Certificate) readAuthorityKeyID(value []byte, quirks *quirkSet) bool {
	in := cryptobyte.String(framed(value, quirks))
	var seq, id cryptobyte.String
	var present bool
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() ||
		!seq.ReadOptionalASN1(&id, &present, asn1.Tag(0).ContextSpecific()) {
		return false
	}
	if present {
		c.AuthorityKeyID = id
	}
	return true
}

func readBytes(value []byte, tag asn1.Tag) ([]byte, bool) {
	in := cryptobyte.String(value)
	var body cryptobyte.String
	ok := in.ReadASN1(&body, tag) && in.Empty()
	return body, ok
}

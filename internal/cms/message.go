// Package cms reads and writes the syntax of signed messages (RFC 5652, and
// RFC 2315 before it), strictly, in linear time and bounded memory. It has no
// opinion on what a message says: whether a signature counts is for package
// signing.
//
// Messages framed in BER are read as they are, without being rewritten, because
// some bytes must be judged exactly as they came: a signer's attributes, and
// the certificates, whose hash is their identity.
package cms

import (
	"crypto/x509"
	"fmt"
)

// Object identifiers of content types (RFC 5652 sections 4, 5.1).
const (
	OIDData       = "1.2.840.113549.1.7.1"
	OIDSignedData = "1.2.840.113549.1.7.2"
)

// DefaultMaxCertificates is how many certificates a message may hold if
// Limits says nothing.
const DefaultMaxCertificates = 200_000

// Limits on what is read beside the certificates. Genuine messages have one
// signer, one digest algorithm, and five attributes of one value each.
const (
	MaxSigners    = 16
	MaxAlgorithms = 64
	MaxAttributes = 64
)

// Limits bound what is read. Zero fields take their defaults.
type Limits struct {
	MaxDepth        int // levels of nesting; DefaultMaxDepth
	MaxCertificates int // DefaultMaxCertificates
}

func (l Limits) certificates() int {
	if l.MaxCertificates <= 0 {
		return DefaultMaxCertificates
	}
	return l.MaxCertificates
}

// SignedData is the content of a signed message (RFC 5652 section 5.1). Bytes
// are those of the input, not copies, unless a field says otherwise.
type SignedData struct {
	Version          int
	DigestAlgorithms []Algorithm
	ContentType      string // eContentType
	// Content is what is signed: the contents bytes of the OCTET STRING, its
	// segments joined. Where an old-style message (RFC 2315 section 7) holds
	// something else, it is that element whole. nil if there is none.
	Content       []byte
	ContentOffset int // of Content in the input; of its first segment
	Certificates  [][]byte
	CRLs          bool // there are some, which nothing here needs
	Signers       []SignerInfo
}

// Algorithm is an AlgorithmIdentifier (RFC 5280 section 4.1.1.2).
type Algorithm struct {
	OID        string
	Parameters []byte // the element, nil if absent
}

// SignerInfo is what one signer adds to a message (RFC 5652 section 5.3). The
// signer is named either by Issuer and Serial or by SubjectKeyID.
type SignerInfo struct {
	Version            int
	Issuer             []byte // Name, the element
	Serial             []byte // INTEGER, the contents bytes
	SubjectKeyID       []byte
	DigestAlgorithm    Algorithm
	SignedAttrs        []byte // [0], the element exactly as it came; nil if absent
	Attributes         []Attribute
	SignatureAlgorithm Algorithm
	Signature          []byte
	// UnsignedAttributes are those that anybody may have added.
	UnsignedAttributes []Attribute
}

// An Attribute has a type and, as elements, its values (RFC 5652 section 5.3).
type Attribute struct {
	Type   string
	Values [][]byte
}

// SignedBytes is what the signature is computed over: the attributes under the
// tag of a SET, the rest as it came (RFC 5652 section 5.4).
func (si *SignerInfo) SignedBytes() []byte {
	b := append([]byte(nil), si.SignedAttrs...)
	b[0] = tagSet
	return b
}

// CheckAttributesDER reports whether the signed attributes are DER, order of the
// set included, as RFC 5652 section 5.3 demands of them in any message.
func (si *SignerInfo) CheckAttributesDER() error {
	if err := CheckDER(si.SignedAttrs, 0); err != nil {
		return err
	}
	r := reader{depth: DefaultMaxDepth}
	c := cursor{&r, si.SignedAttrs, 0}
	set := c.next("")
	r.keep("", CheckSetOrder(set.body))
	for attrs := c.children(set); attrs.more(); {
		attr := attrs.next("")
		parts := attrs.children(attr)
		parts.next("the type")
		values := parts.next("the values")
		if len(values.body) == 0 {
			r.fail(attr.offset, "an attribute without a value")
		}
		r.keep("", CheckSetOrder(values.body))
	}
	if r.err != nil {
		return r.err
	}
	return checkValues(set)
}

// Front returns the beginning of a signed message in DER, from the ContentInfo to the beginning of the SignedData, which is given.
// size is how many bytes of the SignedData follow it.
func Front(begin []byte, size int) []byte {
	begin = append(AppendHeader(nil, tagSequence, len(begin)+size), begin...)
	const oidSignedData = "\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02"
	begin = append(AppendHeader([]byte(oidSignedData), tagContext0, len(begin)+size), begin...)
	return append(AppendHeader(nil, tagSequence, len(begin)+size), begin...)
}

// IsContentInfo reports whether b begins like a ContentInfo: a SEQUENCE whose
// first element is an OBJECT IDENTIFIER. A certificate begins otherwise.
func IsContentInfo(b []byte) bool {
	h, err := parseHeader(b, 0)
	return err == nil && b[0] == tagSequence && len(b) > h.size && b[h.size] == tagOID
}

// Length is how many bytes the element at the start of b has, header included,
// if its header says so; otherwise 0. The contents may be cut short.
func Length(b []byte) int64 {
	h, err := parseHeader(b, 0)
	if err != nil || h.indefinite {
		return 0
	}
	return int64(h.size) + int64(h.length)
}

// ParseSignedData reads a ContentInfo that holds a SignedData (RFC 5652
// sections 3, 5.1). base is the offset of b in the user's input, for errors.
// Errors are, or wrap, *SyntaxError.
func ParseSignedData(b []byte, base int, l Limits) (*SignedData, error) {
	r := reader{depth: orDefault(l.MaxDepth)}
	top := cursor{&r, b, base}
	info := top.within(tagSequence, "a PKCS#7 message")
	top.end("the PKCS#7 message")
	begin := info.offset
	if typ := info.oid("its content type"); typ != OIDSignedData {
		r.fail(begin, "a PKCS#7 message of type %s, not signed-data%s", typ, contentTypes[typ])
	}
	content := info.within(tagContext0, "the content")
	info.end("the content")
	seq := content.within(tagSequence, "the SignedData")
	content.end("the SignedData")
	sd := seq.signedData(l.certificates())
	if r.err != nil {
		return nil, r.err
	}
	return sd, nil
}

// contentTypes say of messages other than signed-data what they are (RFC 5652, RFC 3274).
var contentTypes = map[string]string{
	OIDData: " but data", "1.2.840.113549.1.7.3": " but enveloped-data, which is encrypted,", "1.2.840.113549.1.7.5": " but digested-data",
	"1.2.840.113549.1.7.6": " but encrypted-data", "1.2.840.113549.1.9.16.1.2": " but authenticated-data", "1.2.840.113549.1.9.16.1.9": " but compressed-data",
}

func (c *cursor) signedData(maxCertificates int) *SignedData {
	sd := SignedData{Version: c.version()}
	for algorithms := c.within(tagSet, "digestAlgorithms"); algorithms.more(); {
		if len(sd.DigestAlgorithms) == MaxAlgorithms {
			c.fail(algorithms.offset, "more than %d digest algorithms", MaxAlgorithms)
		}
		sd.DigestAlgorithms = append(sd.DigestAlgorithms, algorithms.algorithm("a digest algorithm"))
	}
	encap := c.within(tagSequence, "encapContentInfo")
	encap.content(&sd)
	if c.peek() == tagContext0 {
		for certs := c.children(c.next("certificates")); certs.more(); {
			if len(sd.Certificates) == maxCertificates {
				c.fail(certs.offset, "more than %d certificates", maxCertificates)
				break
			}
			sd.Certificates = append(sd.Certificates, certs.next("").raw)
			if c.err != nil {
				c.err = fmt.Errorf("certificate %d: %w", len(sd.Certificates), c.err)
			}
		}
	}
	if c.peek() == tagContext1 {
		sd.CRLs = len(c.next("crls").body) > 0
	}
	for signers := c.within(tagSet, "signerInfos"); signers.more(); {
		if len(sd.Signers) == MaxSigners {
			c.fail(signers.offset, "more than %d signers", MaxSigners)
		}
		if info := signers.within(tagSequence, "a SignerInfo"); c.err == nil {
			sd.Signers = append(sd.Signers, info.signerInfo())
			if c.err != nil {
				c.err = fmt.Errorf("signer %d: %w", len(sd.Signers), c.err)
			}
		}
	}
	c.end("the signers")
	return &sd
}

func (c *cursor) content(sd *SignedData) {
	if sd.ContentType = c.oid("eContentType"); !c.more() {
		return
	}
	explicit := c.within(tagContext0, "eContent")
	c.end("eContent")
	e := explicit.next("eContent")
	explicit.end("eContent")
	if e.tag&^constructed == tagByteString {
		sd.Content, sd.ContentOffset = c.joined(e, "eContent"), e.bodyOffset
		return
	}
	if sd.ContentType == OIDData {
		c.fail(e.offset, "content of type data that is not an OCTET STRING")
	}
	sd.Content, sd.ContentOffset = e.raw, e.offset
}

func (c *cursor) signerInfo() SignerInfo {
	si := SignerInfo{Version: c.version()}
	c.signerIdentifier(&si)
	si.DigestAlgorithm = c.algorithm("digestAlgorithm")
	if c.peek() == tagContext0 {
		attrs := c.next("signedAttrs")
		set := c.children(attrs)
		si.SignedAttrs, si.Attributes = attrs.raw, set.attributes()
	}
	si.SignatureAlgorithm = c.algorithm("signatureAlgorithm")
	si.Signature = c.joined(c.expect(tagByteString, "the signature"), "")
	if c.peek() == tagContext1 {
		set := c.children(c.next(""))
		if si.UnsignedAttributes = set.attributes(); c.err != nil {
			c.err = fmt.Errorf("unsignedAttrs: %w", c.err)
		}
	}
	c.end("the signer")
	return si
}

// signerIdentifier reads RFC 5652 section 5.3.
func (c *cursor) signerIdentifier(si *SignerInfo) {
	switch c.peek() {
	case tagKeyID: // [0] IMPLICIT OCTET STRING in one piece
		si.SubjectKeyID = c.next("sid").body
	case tagContext0: // the same in segments
		for in := c.children(c.next("sid")); in.more(); {
			segment := in.expect(tagByteString, "a segment of the subjectKeyIdentifier")
			si.SubjectKeyID = append(si.SubjectKeyID, c.joined(segment, "")...)
		}
	default:
		in := c.within(tagSequence, "the signer's issuer and serial number")
		issuer, err := in.expect(tagSequence, "the signer's issuer").toDER(c.depth)
		c.keep("the signer's issuer", err)
		si.Issuer, si.Serial = issuer, in.expect(tagInteger, "the signer's serial number").body
		in.end("the signer's serial number")
	}
}

func (c *cursor) attributes() (out []Attribute) {
	for c.more() {
		if len(out) == MaxAttributes {
			c.fail(c.offset, "more than %d attributes", MaxAttributes)
		}
		parts := c.within(tagSequence, "an attribute")
		a := Attribute{Type: parts.oid("an attribute's type")}
		values := parts.within(tagSet, "an attribute's values")
		parts.end("an attribute's values")
		for values.more() {
			if len(a.Values) == MaxAttributes {
				c.fail(values.offset, "more than %d values in an attribute", MaxAttributes)
			}
			a.Values = append(a.Values, values.next("").raw)
		}
		out = append(out, a)
	}
	return out
}

// A reader is what the cursors of one message share. The first error ends them all.
type reader struct {
	depth int // how deep indefinite lengths may nest
	err   error
}

// keep keeps an error if it is the first. what names what could not be read, unless it is empty.
func (r *reader) keep(what string, err error) {
	switch {
	case r.err != nil || err == nil:
	case what == "":
		r.err = err
	default:
		r.err = fmt.Errorf("%s: %w", what, err)
	}
}

func (r *reader) fail(offset int, format string, args ...any) {
	r.keep("", syntaxErr(offset, format, args...))
}

// A cursor reads elements one after the other. After an error it is at its end, and what it reads is empty.
type cursor struct {
	*reader
	b      []byte
	offset int // of b in the input
}

// children is a cursor for the contents of a constructed element.
func (c *cursor) children(e element) cursor { return cursor{c.reader, e.body, e.bodyOffset} }

// more reports whether there is another element.
func (c *cursor) more() bool { return c.err == nil && len(c.b) > 0 }

// peek is the identifier byte of the next element, or 0 at the end.
func (c *cursor) peek() byte {
	if !c.more() {
		return 0
	}
	return c.b[0]
}

// next reads one element.
func (c *cursor) next(what string) element {
	if c.err != nil {
		return element{}
	}
	e, err := readElement(c.b, c.offset, c.depth)
	c.keep(what, err)
	c.b, c.offset = c.b[len(e.raw):], c.offset+len(e.raw)
	return e
}

// expect reads one element that must have the given identifier byte.
func (c *cursor) expect(tag byte, what string) element {
	got := c.peek()
	switch {
	case c.err != nil:
	case len(c.b) == 0:
		c.fail(c.offset, "%s is missing", what)
	case got != tag && !(got == tag|constructed && tag == tagByteString):
		c.fail(c.offset, "%s expected, identifier byte 0x%02x found", what, got)
	}
	return c.next(what)
}

// within expects a constructed element, and returns a cursor for its contents.
func (c *cursor) within(tag byte, what string) cursor { return c.children(c.expect(tag, what)) }

// end makes trailing bytes an error.
func (c *cursor) end(what string) {
	if c.more() {
		c.fail(c.offset, "trailing bytes after %s", what)
	}
}

// joined is joinSegments.
func (c *cursor) joined(e element, what string) []byte {
	b, err := joinSegments(e, c.depth)
	c.keep(what, err)
	return b
}

// version reads a CMSVersion.
func (c *cursor) version() int {
	e := c.expect(tagInteger, "a version")
	if len(e.body) != 1 || e.body[0] > 0x7f {
		c.fail(e.offset, "a version that is not a small number")
		return 0
	}
	return int(e.body[0])
}

func (c *cursor) oid(what string) string {
	e := c.expect(tagOID, what)
	s, ok := OIDString(e.body)
	if !ok {
		c.fail(e.offset, "%s is not an object identifier", what)
	}
	return s
}

func (c *cursor) algorithm(what string) Algorithm {
	inner := c.within(tagSequence, what)
	a := Algorithm{OID: inner.oid(what)}
	if inner.more() {
		a.Parameters = inner.next("").raw
	}
	inner.end(what)
	return a
}

// maxOIDSize bounds an object identifier's contents bytes, because writing it
// in decimal takes quadratic time; the longest in use have about 20.
const maxOIDSize = 128

// OIDString writes the contents bytes of an OBJECT IDENTIFIER in dotted form.
// It is false if they are not (X.690 section 8.19).
func OIDString(body []byte) (string, bool) {
	var oid x509.OID
	if len(body) > maxOIDSize || oid.UnmarshalBinary(body) != nil {
		return "", false
	}
	return oid.String(), true
}

// Children are the elements within a constructed element, as they came; more
// than most is an error.
func Children(b []byte, most int) (out [][]byte, err error) {
	e, err := readElement(b, 0, DefaultMaxDepth)
	if err != nil {
		return nil, err
	}
	for child, err := range e.children(DefaultMaxDepth) {
		if err != nil {
			return nil, err
		}
		if len(out) == most {
			return nil, syntaxErr(child.offset, "more than %d elements", most)
		}
		out = append(out, child.raw)
	}
	return out, nil
}

// CheckOne reports whether b is one element and nothing else. It does not look
// into it.
func CheckOne(b []byte) error {
	_, rest, err := First(b)
	if err == nil && len(rest) > 0 {
		err = syntaxErr(len(b)-len(rest), "trailing bytes after it")
	}
	return err
}

// First splits the first element from what follows it.
func First(b []byte) (first, rest []byte, err error) {
	e, err := readElement(b, 0, DefaultMaxDepth)
	if err != nil {
		return nil, nil, err
	}
	return e.raw, b[len(e.raw):], nil
}

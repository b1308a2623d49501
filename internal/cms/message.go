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

func (l Limits) depth() int { return orDefault(l.MaxDepth) }

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
	c := cursor{b: si.SignedAttrs}
	set, err := c.next(DefaultMaxDepth)
	if err != nil {
		return err
	}
	if err := CheckSetOrder(set.body); err != nil {
		return err
	}
	for attrs := set.children(); !attrs.empty(); {
		attr, err := attrs.next(DefaultMaxDepth)
		if err != nil {
			return err
		}
		parts := attr.children()
		if _, err := parts.next(DefaultMaxDepth); err != nil { // the type
			return err
		}
		values, err := parts.next(DefaultMaxDepth)
		if err != nil {
			return err
		}
		if len(values.body) == 0 {
			return syntaxErr(attr.offset, "an attribute without a value")
		}
		if err := CheckSetOrder(values.body); err != nil {
			return err
		}
	}
	return checkValues(set.body, set.bodyOffset)
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
	depth := l.depth()
	top := cursor{b, base}
	info, err := top.expect(tagSequence, "a PKCS#7 message", depth)
	if err != nil {
		return nil, err
	}
	if err := top.end("the PKCS#7 message"); err != nil {
		return nil, err
	}
	c := info.children()
	typ, err := c.oid("its content type", depth)
	if err != nil {
		return nil, err
	}
	if typ != OIDSignedData {
		return nil, syntaxErr(info.bodyOffset, "a PKCS#7 message of type %s, not signed-data", typ)
	}
	outer, err := c.expect(tagContext0, "the content", depth)
	if err != nil {
		return nil, err
	}
	if err := c.end("the content"); err != nil {
		return nil, err
	}
	c = outer.children()
	seq, err := c.expect(tagSequence, "the SignedData", depth)
	if err != nil {
		return nil, err
	}
	if err := c.end("the SignedData"); err != nil {
		return nil, err
	}
	return parseSignedData(seq, l)
}

func parseSignedData(seq element, l Limits) (*SignedData, error) {
	depth := l.depth()
	var sd SignedData
	var err error
	c := seq.children()
	if sd.Version, err = c.version(depth); err != nil {
		return nil, err
	}
	algs, err := c.expect(tagSet, "digestAlgorithms", depth)
	if err != nil {
		return nil, err
	}
	for a := algs.children(); !a.empty(); {
		if len(sd.DigestAlgorithms) == MaxAlgorithms {
			return nil, syntaxErr(a.offset, "more than %d digest algorithms", MaxAlgorithms)
		}
		alg, err := a.algorithm("a digest algorithm", depth)
		if err != nil {
			return nil, err
		}
		sd.DigestAlgorithms = append(sd.DigestAlgorithms, alg)
	}
	encap, err := c.expect(tagSequence, "encapContentInfo", depth)
	if err != nil {
		return nil, err
	}
	if err := sd.parseContent(encap, depth); err != nil {
		return nil, err
	}
	if c.peek() == tagContext0 {
		set, err := c.next(depth)
		if err != nil {
			return nil, fmt.Errorf("certificates: %w", err)
		}
		for certs := set.children(); !certs.empty(); {
			if len(sd.Certificates) == l.certificates() {
				return nil, syntaxErr(certs.offset, "more than %d certificates", l.certificates())
			}
			e, err := certs.next(depth)
			if err != nil {
				return nil, fmt.Errorf("certificate %d: %w", len(sd.Certificates)+1, err)
			}
			sd.Certificates = append(sd.Certificates, e.raw)
		}
	}
	if c.peek() == tagContext1 { // CRLs, which nothing here needs
		if _, err := c.next(depth); err != nil {
			return nil, fmt.Errorf("crls: %w", err)
		}
	}
	infos, err := c.expect(tagSet, "signerInfos", depth)
	if err != nil {
		return nil, err
	}
	for s := infos.children(); !s.empty(); {
		if len(sd.Signers) == MaxSigners {
			return nil, syntaxErr(s.offset, "more than %d signers", MaxSigners)
		}
		e, err := s.expect(tagSequence, "a SignerInfo", depth)
		if err != nil {
			return nil, err
		}
		si, err := parseSignerInfo(e, depth)
		if err != nil {
			return nil, fmt.Errorf("signer %d: %w", len(sd.Signers)+1, err)
		}
		sd.Signers = append(sd.Signers, si)
	}
	if err := c.end("the signers"); err != nil {
		return nil, err
	}
	return &sd, nil
}

func (sd *SignedData) parseContent(encap element, depth int) error {
	c := encap.children()
	var err error
	if sd.ContentType, err = c.oid("eContentType", depth); err != nil {
		return err
	}
	if c.empty() {
		return nil
	}
	explicit, err := c.expect(tagContext0, "eContent", depth)
	if err != nil {
		return err
	}
	if err := c.end("eContent"); err != nil {
		return err
	}
	c = explicit.children()
	e, err := c.next(depth)
	if err != nil {
		return fmt.Errorf("eContent: %w", err)
	}
	if err := c.end("eContent"); err != nil {
		return err
	}
	if e.tag&^constructed != tagByteString {
		if sd.ContentType == OIDData {
			return syntaxErr(e.offset, "content of type data that is not an OCTET STRING")
		}
		sd.Content, sd.ContentOffset = e.raw, e.offset
		return nil
	}
	sd.ContentOffset = e.bodyOffset
	if sd.Content, err = joinSegments(e, depth); err != nil {
		return fmt.Errorf("eContent: %w", err)
	}
	return nil
}

func parseSignerInfo(e element, depth int) (SignerInfo, error) {
	var si SignerInfo
	var err error
	fail := func(err error) (SignerInfo, error) { return SignerInfo{}, err }
	c := e.children()
	if si.Version, err = c.version(depth); err != nil {
		return fail(err)
	}
	if err := si.parseSID(&c, depth); err != nil {
		return fail(err)
	}
	if si.DigestAlgorithm, err = c.algorithm("digestAlgorithm", depth); err != nil {
		return fail(err)
	}
	if c.peek() == tagContext0 {
		attrs, err := c.next(depth)
		if err != nil {
			return fail(fmt.Errorf("signedAttrs: %w", err))
		}
		si.SignedAttrs = attrs.raw
		if si.Attributes, err = parseAttributes(attrs, depth); err != nil {
			return fail(err)
		}
	}
	if si.SignatureAlgorithm, err = c.algorithm("signatureAlgorithm", depth); err != nil {
		return fail(err)
	}
	sig, err := c.expect(tagByteString, "the signature", depth)
	if err != nil {
		return fail(err)
	}
	if si.Signature, err = joinSegments(sig, depth); err != nil {
		return fail(err)
	}
	if c.peek() == tagContext1 {
		attrs, err := c.next(depth)
		if err != nil {
			return fail(fmt.Errorf("unsignedAttrs: %w", err))
		}
		if si.UnsignedAttributes, err = parseAttributes(attrs, depth); err != nil {
			return fail(fmt.Errorf("unsignedAttrs: %w", err))
		}
	}
	if err := c.end("the signer"); err != nil {
		return fail(err)
	}
	return si, nil
}

// parseSID reads the SignerIdentifier (RFC 5652 section 5.3).
func (si *SignerInfo) parseSID(c *cursor, depth int) error {
	switch c.peek() {
	case tagKeyID, tagContext0: // [0] IMPLICIT OCTET STRING, in one piece or in segments
		e, err := c.next(depth)
		if err != nil {
			return fmt.Errorf("sid: %w", err)
		}
		if e.tag == tagKeyID {
			si.SubjectKeyID = e.body
			return nil
		}
		inner := e.children()
		for !inner.empty() {
			s, err := inner.expect(tagByteString, "a segment of the subjectKeyIdentifier", depth)
			if err != nil {
				return err
			}
			part, err := joinSegments(s, depth)
			if err != nil {
				return err
			}
			si.SubjectKeyID = append(si.SubjectKeyID, part...)
		}
		return nil
	}
	e, err := c.expect(tagSequence, "the signer's issuer and serial number", depth)
	if err != nil {
		return err
	}
	ias := e.children()
	issuer, err := ias.expect(tagSequence, "the signer's issuer", depth)
	if err != nil {
		return err
	}
	if si.Issuer, err = issuer.toDER(depth); err != nil {
		return fmt.Errorf("the signer's issuer: %w", err)
	}
	serial, err := ias.expect(tagInteger, "the signer's serial number", depth)
	if err != nil {
		return err
	}
	si.Serial = serial.body
	return ias.end("the signer's serial number")
}

func parseAttributes(set element, depth int) ([]Attribute, error) {
	var out []Attribute
	for c := set.children(); !c.empty(); {
		if len(out) == MaxAttributes {
			return nil, syntaxErr(c.offset, "more than %d attributes", MaxAttributes)
		}
		e, err := c.expect(tagSequence, "an attribute", depth)
		if err != nil {
			return nil, err
		}
		parts := e.children()
		var a Attribute
		if a.Type, err = parts.oid("an attribute's type", depth); err != nil {
			return nil, err
		}
		values, err := parts.expect(tagSet, "an attribute's values", depth)
		if err != nil {
			return nil, err
		}
		if err := parts.end("an attribute's values"); err != nil {
			return nil, err
		}
		for v := values.children(); !v.empty(); {
			if len(a.Values) == MaxAttributes {
				return nil, syntaxErr(v.offset, "more than %d values in an attribute", MaxAttributes)
			}
			e, err := v.next(depth)
			if err != nil {
				return nil, err
			}
			a.Values = append(a.Values, e.raw)
		}
		out = append(out, a)
	}
	return out, nil
}

// version reads a CMSVersion.
func (c *cursor) version(depth int) (int, error) {
	e, err := c.expect(tagInteger, "a version", depth)
	if err != nil {
		return 0, err
	}
	if len(e.body) != 1 || e.body[0] > 0x7f {
		return 0, syntaxErr(e.offset, "a version that is not a small number")
	}
	return int(e.body[0]), nil
}

func (c *cursor) oid(what string, depth int) (string, error) {
	e, err := c.expect(tagOID, what, depth)
	if err != nil {
		return "", err
	}
	s, ok := OIDString(e.body)
	if !ok {
		return "", syntaxErr(e.offset, "%s is not an object identifier", what)
	}
	return s, nil
}

func (c *cursor) algorithm(what string, depth int) (Algorithm, error) {
	e, err := c.expect(tagSequence, what, depth)
	if err != nil {
		return Algorithm{}, err
	}
	inner := e.children()
	var a Algorithm
	if a.OID, err = inner.oid(what, depth); err != nil {
		return Algorithm{}, err
	}
	if !inner.empty() {
		p, err := inner.next(depth)
		if err != nil {
			return Algorithm{}, err
		}
		a.Parameters = p.raw
	}
	return a, inner.end(what)
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
func Children(b []byte, most int) ([][]byte, error) {
	top := cursor{b: b}
	e, err := top.next(DefaultMaxDepth)
	if err != nil {
		return nil, err
	}
	var out [][]byte
	for c := e.children(); !c.empty(); {
		if len(out) == most {
			return nil, syntaxErr(c.offset, "more than %d elements", most)
		}
		child, err := c.next(DefaultMaxDepth)
		if err != nil {
			return nil, err
		}
		out = append(out, child.raw)
	}
	return out, nil
}

// CheckOne reports whether b is one element and nothing else. It does not look
// into it.
func CheckOne(b []byte) error {
	c := cursor{b: b}
	if _, err := c.next(DefaultMaxDepth); err != nil {
		return err
	}
	return c.end("it")
}

// First splits the first element from what follows it.
func First(b []byte) (first, rest []byte, err error) {
	c := cursor{b: b}
	e, err := c.next(DefaultMaxDepth)
	if err != nil {
		return nil, nil, err
	}
	return e.raw, c.b, nil
}

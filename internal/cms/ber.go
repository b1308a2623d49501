package cms

import (
	"bytes"
	"fmt"
	"iter"
	"math"
)

// Identifier bytes (X.690 section 8.1.2) of the types that the CMS syntax is
// made of.
const (
	tagInteger    = 0x02
	tagBitString  = 0x03
	tagByteString = 0x04
	tagOID        = 0x06
	tagSequence   = 0x30
	tagSet        = 0x31
	tagContext0   = 0xa0 // [0], constructed
	tagContext1   = 0xa1 // [1], constructed
	tagKeyID      = 0x80 // [0], primitive: subjectKeyIdentifier

	constructed = 0x20
)

// DefaultMaxDepth is how deep elements may nest if Limits does not say.
// A genuine bundle needs 13 levels.
const DefaultMaxDepth = 32

// A SyntaxError says where an encoding is not what it should be.
type SyntaxError struct {
	Offset int // bytes from the start of the input
	Msg    string
}

func (e *SyntaxError) Error() string { return fmt.Sprintf("%s at offset %d", e.Msg, e.Offset) }

func syntaxErr(offset int, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// An element is one BER data value: definite or indefinite, minimal or not.
type element struct {
	tag        byte   // first identifier byte
	raw        []byte // the whole of it, as read
	body       []byte // contents bytes, without an end-of-contents
	offset     int    // of raw in the input
	bodyOffset int    // of body in the input
}

// readElement reads the first element of b, which is at an offset of the input. It never looks outside b, so that no child can be longer
// than its parent. maxDepth bounds how deep indefinite lengths nest in it.
func readElement(b []byte, offset, maxDepth int) (element, error) {
	h, err := readHeader(b, offset)
	if err != nil {
		return element{}, err
	}
	end, size := h.size+h.length, h.size+h.length
	if h.indefinite {
		contents, err := endOfContents(b[h.size:], offset+h.size, maxDepth)
		if err != nil {
			return element{}, err
		}
		end, size = h.size+contents, h.size+contents+2
	}
	return element{tag: b[0], raw: b[:size], body: b[h.size:end], offset: offset, bodyOffset: offset + h.size}, nil
}

// children yields the elements within a constructed element. After an error there are no more.
func (e element) children(maxDepth int) iter.Seq2[element, error] {
	return func(yield func(element, error) bool) {
		for b, offset := e.body, e.bodyOffset; len(b) > 0; {
			child, err := readElement(b, offset, maxDepth)
			if !yield(child, err) || err != nil {
				return
			}
			b, offset = b[len(child.raw):], offset+len(child.raw)
		}
	}
}

// A header is the identifier and length bytes of an element.
type header struct {
	size       int // bytes of the header
	length     int // bytes of the contents, if it is definite
	indefinite bool
	minimal    bool // definite and, like the identifier, in the fewest bytes, as DER has it
}

// readHeader reads a header and checks that definite contents lie within b.
func readHeader(b []byte, offset int) (header, error) {
	h, err := parseHeader(b, offset)
	if err == nil && h.length > len(b)-h.size {
		return header{}, syntaxErr(offset, "an element of %d bytes where %d are left: truncated or damaged", h.length, len(b)-h.size)
	}
	return h, err
}

// parseHeader reads a header, whatever follows it.
func parseHeader(b []byte, offset int) (header, error) {
	if len(b) == 0 {
		return header{}, syntaxErr(offset, "the data ends where an element should begin")
	}
	i, minimal := 1, true
	if b[0]&0x1f == 0x1f { // a tag number above 30: more identifier bytes
		for {
			if i >= len(b) || i > 5 {
				return header{}, syntaxErr(offset, "a tag number that does not end")
			}
			i++
			if b[i-1]&0x80 == 0 {
				break
			}
		}
		minimal = b[1] != 0x80 && (i > 2 || b[1] >= 0x1f)
	}
	if i >= len(b) {
		return header{}, syntaxErr(offset, "the data ends within a length")
	}
	first := b[i]
	i++
	h := header{size: i, minimal: minimal}
	switch {
	case first < 0x80:
		h.length = int(first)
	case first == 0x80:
		if b[0]&constructed == 0 {
			return header{}, syntaxErr(offset, "an indefinite length on a primitive element")
		}
		h.indefinite, h.minimal = true, false
		return h, nil
	default:
		n := int(first & 0x7f)
		if n > len(b)-i {
			return header{}, syntaxErr(offset, "the data ends within a length")
		}
		content := b[i : i+n]
		h.size = i + n
		h.minimal = minimal && n > 0 && content[0] != 0 && (n > 1 || content[0] >= 0x80)
		for len(content) > 0 && content[0] == 0 {
			content = content[1:]
		}
		if len(content) > 4 {
			return header{}, syntaxErr(offset, "a length of %d bytes", n)
		}
		var length uint64
		for _, o := range content {
			length = length<<8 | uint64(o)
		}
		if length > math.MaxInt { // if an int has 32 bits
			return header{}, syntaxErr(offset, "an element of %d bytes", length)
		}
		h.length = int(length)
	}
	return h, nil
}

// endOfContents finds the end-of-contents bytes that close an indefinite
// element whose contents start at b. It visits each byte once.
func endOfContents(b []byte, offset, maxDepth int) (int, error) {
	open := 1
	for i := 0; ; {
		if len(b)-i >= 2 && b[i] == 0 && b[i+1] == 0 {
			if open--; open == 0 {
				return i, nil
			}
			i += 2
			continue
		}
		if i >= len(b) {
			return 0, syntaxErr(offset+i, "the data ends within an element of indefinite length: truncated")
		}
		h, err := readHeader(b[i:], offset+i)
		if err != nil {
			return 0, err
		}
		i += h.size
		if !h.indefinite {
			i += h.length
			continue
		}
		if open++; open > maxDepth {
			return 0, syntaxErr(offset+i, "elements nested deeper than %d", maxDepth)
		}
	}
}

// CheckDER reports whether every element of b, at every level, is framed as DER
// has it: identifiers and definite lengths in the fewest bytes (X.690 sections
// 8.1.2, 10.1), and strings in one piece (section 10.2). It looks at no values.
// maxDepth 0 is DefaultMaxDepth.
func CheckDER(b []byte, maxDepth int) error { return checkDER(b, 0, orDefault(maxDepth)) }

func orDefault(maxDepth int) int {
	if maxDepth <= 0 {
		return DefaultMaxDepth
	}
	return maxDepth
}

func checkDER(b []byte, offset, depth int) error {
	for len(b) > 0 {
		h, err := readHeader(b, offset)
		if err != nil {
			return err
		}
		if !h.minimal {
			return syntaxErr(offset, "an identifier or a length that is not DER")
		}
		if b[0]&constructed != 0 {
			if IsString(b[0]) {
				return syntaxErr(offset, "a string in segments, which is not DER")
			}
			if depth == 0 {
				return syntaxErr(offset, "elements nested too deep")
			}
			if err := checkDER(b[h.size:h.size+h.length], offset+h.size, depth-1); err != nil {
				return err
			}
		}
		b, offset = b[h.size+h.length:], offset+h.size+h.length
	}
	return nil
}

// IsString reports whether an identifier byte is of a universal type whose
// value BER may cut into segments (X.690 sections 8.6, 8.7, 8.23).
func IsString(tag byte) bool {
	switch tag &^ constructed {
	case tagBitString, tagByteString, 0x0c, 0x12, 0x13, 0x14, 0x15, 0x16, 0x17, 0x18, 0x19, 0x1a, 0x1b, 0x1c, 0x1e:
		return true
	}
	return false
}

// IsPrintable reports whether a PrintableString may have the character (X.680 section 41.4).
func IsPrintable(r rune) bool {
	return 'a' <= r && r <= 'z' || 'A' <= r && r <= 'Z' || '+' <= r && r <= ':' || '\'' <= r && r <= ')' || r == ' ' || r == '=' || r == '?'
}

// ToDER gives one element the framing of DER: lengths become definite and
// minimal, identifiers minimal, segmented strings are joined. Values and the
// order of sets stay as they are. The input must be one element and nothing
// else; it is returned itself if it is DER already. Work is at most the size
// of the input times the depth, which maxDepth bounds (0 is DefaultMaxDepth).
func ToDER(b []byte, maxDepth int) ([]byte, error) {
	maxDepth = orDefault(maxDepth)
	e, err := readElement(b, 0, maxDepth)
	if err != nil {
		return nil, err
	}
	if len(e.raw) < len(b) {
		return nil, syntaxErr(len(e.raw), "trailing bytes after the element")
	}
	return e.toDER(maxDepth)
}

func (e element) toDER(maxDepth int) ([]byte, error) {
	if checkDER(e.raw, 0, maxDepth) == nil {
		return e.raw, nil
	}
	return appendDER(make([]byte, 0, len(e.raw)), e, maxDepth)
}

func appendDER(out []byte, e element, depth int) ([]byte, error) {
	if e.tag&constructed == 0 {
		return append(appendHeader(out, e, len(e.body)), e.body...), nil
	}
	if depth == 0 {
		return nil, syntaxErr(e.offset, "elements nested too deep")
	}
	if tag := e.identifier()[0]; IsString(tag) {
		body, err := appendSegments(make([]byte, 0, len(e.body)), e, depth, false)
		if err != nil {
			return nil, err
		}
		return AppendTLV(out, tag&^constructed, body), nil
	}
	// The contents are written first and moved up once their length is known.
	start := len(out)
	for child, err := range e.children(depth) {
		if err != nil {
			return nil, err
		}
		if out, err = appendDER(out, child, depth-1); err != nil {
			return nil, err
		}
	}
	body := len(out) - start
	head := appendHeader(nil, e, body)
	out = append(out, head...)
	copy(out[start+len(head):], out[start:start+body])
	copy(out[start:], head)
	return out, nil
}

// appendHeader writes the identifier bytes of e and a minimal length.
func appendHeader(out []byte, e element, length int) []byte {
	return appendLength(append(out, e.identifier()...), length)
}

// identifier gives the identifier bytes of e in the fewest bytes. OpenSSL takes
// any tag number in the form that is for those above 30 (X.690 section 8.1.2.4).
func (e element) identifier() []byte {
	if e.tag&0x1f != 0x1f {
		return e.raw[:1]
	}
	begin := 1
	for e.raw[begin] == 0x80 {
		begin++
	}
	if e.raw[begin] < 0x1f {
		return []byte{e.tag&^0x1f | e.raw[begin]}
	}
	end := begin + 1
	for e.raw[end-1] >= 0x80 {
		end++
	}
	return append([]byte{e.tag}, e.raw[begin:end]...)
}

func appendLength(out []byte, n int) []byte {
	if n < 0x80 {
		return append(out, byte(n))
	}
	size := 1
	for n>>(8*size) > 0 {
		size++
	}
	out = append(out, 0x80|byte(size))
	for size--; size >= 0; size-- {
		out = append(out, byte(n>>(8*size)))
	}
	return out
}

// AppendTLV appends an element with a one-byte identifier in DER framing.
func AppendTLV(out []byte, tag byte, body []byte) []byte {
	return append(AppendHeader(out, tag, len(body)), body...)
}

// AppendHeader appends the identifier and length bytes of an element whose body
// has size bytes, in DER (X.690 section 10.1).
func AppendHeader(out []byte, tag byte, size int) []byte { return appendLength(append(out, tag), size) }

// joinSegments gives the contents of an OCTET STRING, whether it is in one piece
// or in segments, which may themselves be in segments (X.690 section 8.7.3).
func joinSegments(e element, depth int) ([]byte, error) {
	if e.tag&constructed == 0 {
		return e.body, nil
	}
	return appendSegments(make([]byte, 0, len(e.body)), e, depth, true)
}

// appendSegments joins the segments of a string. Unless strict, they may be of
// any type: OpenSSL does not look (crypto/asn1/tasn_dec.c, asn1_collect).
func appendSegments(out []byte, e element, depth int, strict bool) ([]byte, error) {
	if depth == 0 {
		return nil, syntaxErr(e.offset, "segments nested too deep")
	}
	for s, err := range e.children(depth) {
		if err != nil {
			return nil, err
		}
		if strict && s.tag&^constructed != e.tag&^constructed {
			return nil, syntaxErr(s.offset, "a segment of another type (0x%02x) in a string", s.tag)
		}
		if s.tag&constructed == 0 {
			out = append(out, s.body...)
		} else if out, err = appendSegments(out, s, depth-1, strict); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// checkValues reports whether every element within another, at every level, has a value of the
// form that DER gives its universal type (X.690 sections 8 and 11). The framing
// must be that of DER already.
func checkValues(parent element) error {
	for e, err := range parent.children(DefaultMaxDepth) {
		if err != nil {
			return err
		}
		if e.tag&constructed != 0 {
			if e.tag < 0x40 && e.tag != tagSequence && e.tag != tagSet {
				return syntaxErr(e.offset, "a type that is not constructed in DER")
			}
			if err := checkValues(e); err != nil {
				return err
			}
		} else if !validValue(e.tag, e.body) {
			return syntaxErr(e.offset, "a value that is not DER")
		}
	}
	return nil
}

// validValue looks at the contents of a primitive element.
func validValue(tag byte, body []byte) bool {
	n := len(body)
	switch tag {
	case 0x00, tagSequence &^ constructed, tagSet &^ constructed:
		return false
	case 0x01: // BOOLEAN
		return n == 1 && (body[0] == 0 || body[0] == 0xff)
	case tagInteger, 0x0a: // and ENUMERATED: the fewest bytes
		return n == 1 || n > 1 && !(body[0] == 0 && body[1] < 0x80 || body[0] == 0xff && body[1] >= 0x80)
	case tagBitString: // unused bits are zero
		return n == 1 && body[0] == 0 || n > 1 && body[0] < 8 && body[n-1]&(1<<body[0]-1) == 0
	case 0x05: // NULL
		return n == 0
	case tagOID:
		_, ok := OIDString(body)
		return ok
	}
	return true
}

// CheckSetOrder reports whether the elements in the body of a SET OF are in the
// order of DER: ascending as byte strings, the shorter padded with zeroes
// (X.690 section 11.6).
func CheckSetOrder(body []byte) error {
	var last []byte
	for e, err := range (element{body: body}).children(DefaultMaxDepth) {
		if err != nil {
			return err
		}
		if padded := bytes.TrimRight(e.raw, "\x00"); bytes.Compare(last, padded) <= 0 {
			last = padded
			continue
		}
		return syntaxErr(e.offset, "the elements of a SET are not in the order of DER")
	}
	return nil
}

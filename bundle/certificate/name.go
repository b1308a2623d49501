package certificate

import (
	_ "embed"
	"encoding/hex"
	"errors"
	"slices"
	"sort"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
)

// A Name is the DER of a distinguished name (RFC 5280 section 4.1.2.4). Two
// names are the same if these bytes are.
type Name []byte

// String types of a name's values.
const (
	tagBitString       = 3
	tagUTF8String      = 12
	tagNumericString   = 18
	tagPrintableString = 19
	tagT61String       = 20
	tagIA5String       = 22
	tagUniversalString = 28
	tagBMPString       = 30
)

// An Attribute is one type and value of a name.
type Attribute struct {
	Type  string // short name, as OpenSSL has it, or the dotted OID
	Value string // text, or # and the hex of the DER if it is not a string
	// JoinedToNext is set if the attribute and the next one of the encoding
	// make one RDN.
	JoinedToNext bool
}

// rawAttribute is an attribute as it is encoded.
type rawAttribute struct {
	oid    []byte
	tag    byte
	value  []byte // contents bytes
	raw    []byte // the value's element
	joined bool   // in one RDN with the next
}

// String writes the name as RFC 4514 has it, most specific first, with the
// spelling of "openssl x509 -nameopt RFC2253,-esc_msb".
func (n Name) String() string {
	var buf [16]rawAttribute
	attrs := n.attributes(buf[:0])
	var b strings.Builder
	for i := len(attrs) - 1; i >= 0; i-- {
		a := &attrs[i]
		name, known := a.shortName()
		b.WriteString(name)
		b.WriteByte('=')
		if text, ok := a.text(); ok && known {
			writeEscaped(&b, text)
		} else {
			b.WriteString(a.hex())
		}
		if i > 0 {
			if attrs[i-1].joined {
				b.WriteByte('+')
			} else {
				b.WriteByte(',')
			}
		}
	}
	return b.String()
}

// Attributes are the attributes in the order of the encoding, most general
// first, values not escaped.
func (n Name) Attributes() []Attribute {
	var out []Attribute
	for _, a := range n.attributes(nil) {
		name, _ := a.shortName()
		text, ok := a.text()
		if !ok {
			text = a.hex()
		}
		out = append(out, Attribute{name, text, a.joined})
	}
	return out
}

// MailAddresses are the values of emailAddress. It reports whether each is an
// IA5String, as RFC 5280 appendix A.1 has it.
func (n Name) MailAddresses() (addresses []string, strict bool) {
	strict = true
	for _, a := range n.attributes(nil) {
		if string(a.oid) == "\x2a\x86\x48\x86\xf7\x0d\x01\x09\x01" {
			text, _ := a.text()
			addresses, strict = append(addresses, text), strict && a.tag == tagIA5String
		}
	}
	return addresses, strict
}

// CommonName is the last commonName, or the last of the other values where
// there is none: what a person would call the certificate. It is not escaped.
func (n Name) CommonName() string {
	var buf [16]rawAttribute
	attrs := n.attributes(buf[:0])
	for _, cnOnly := range []bool{true, false} {
		for i := len(attrs) - 1; i >= 0; i-- {
			if name, _ := attrs[i].shortName(); cnOnly && name != "CN" {
				continue
			}
			if text, ok := attrs[i].text(); ok && text != "" {
				return text
			}
		}
	}
	return n.String()
}

// attributes appends the attributes of a name, as far as it can be read.
func (n Name) attributes(out []rawAttribute) []rawAttribute {
	name := cryptobyte.String(n)
	var rdns cryptobyte.String
	var tag asn1.Tag
	if !name.ReadAnyASN1(&rdns, &tag) {
		return out
	}
	for !rdns.Empty() {
		var rdn cryptobyte.String
		if !rdns.ReadAnyASN1(&rdn, &tag) {
			return out
		}
		for !rdn.Empty() {
			var a rawAttribute
			if !a.read(&rdn) {
				return out
			}
			a.joined = !rdn.Empty()
			out = append(out, a)
		}
	}
	return out
}

// read takes one AttributeTypeAndValue.
func (a *rawAttribute) read(rdn *cryptobyte.String) bool {
	var atv, oid, el cryptobyte.String
	var tag asn1.Tag
	if !rdn.ReadASN1(&atv, asn1.SEQUENCE) || !atv.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) ||
		!atv.ReadAnyASN1Element(&el, &tag) || !atv.Empty() {
		return false
	}
	a.oid, a.tag, a.raw, a.value = oid, byte(tag), el, contents(el)
	return true
}

// text decodes a value of a string type; it is false for any other.
func (a *rawAttribute) text() (string, bool) {
	switch a.tag {
	case tagUTF8String:
		return string(a.value), true
	case tagNumericString, tagPrintableString, tagIA5String, tagT61String:
		for i, c := range a.value {
			if c >= utf8.RuneSelf {
				return latin1(a.value, i), true
			}
		}
		return string(a.value), true
	case tagBMPString, tagUniversalString:
		characters, _ := a.characters()
		return string(characters), true
	}
	return "", false
}

// characters are those of a BMPString or UniversalString; whole is false if bytes
// are left over.
func (a *rawAttribute) characters() (out []rune, whole bool) {
	size := 2
	if a.tag == tagUniversalString {
		size = 4
	}
	for b := range slices.Chunk(a.value, size) {
		if len(b) < size {
			return out, false
		}
		var c uint32
		for _, o := range b {
			c = c<<8 | uint32(o)
		}
		out = append(out, rune(c))
	}
	return out, true
}

// ParseString reads an element of one of the string types of a name. It reports
// whether a PrintableString has only the characters of its type (X.680 section 41.4).
func ParseString(element []byte) (text string, strict bool, err error) {
	in := cryptobyte.String(element)
	var body cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || !in.Empty() {
		return "", false, errors.New("cannot be read")
	}
	a := rawAttribute{tag: byte(tag), value: body}
	text, ok := a.text()
	if !ok || !a.valid() {
		return "", false, errors.New("is not a string")
	}
	return text, a.tag != tagPrintableString || isPrintable(body), nil
}

// latin1 reads bytes as ISO 8859-1; the first n of them are ASCII.
func latin1(b []byte, n int) string {
	out := append(make([]byte, 0, len(b)+8), b[:n]...)
	for _, c := range b[n:] {
		out = utf8.AppendRune(out, rune(c))
	}
	return string(out)
}

// valid reports whether OpenSSL takes the value in a name: of a type that its
// ASN1_PRINTABLE has, and strings must decode, for it makes a canonical form of
// each (crypto/asn1/tasn_dec.c, crypto/x509/x_name.c).
func (a *rawAttribute) valid() bool {
	switch a.tag {
	case tagNumericString, tagPrintableString, tagT61String, tagIA5String:
		return true
	case 7, 8, 9, 10, 11, 13, 14, 15, 29, byte(asn1.SEQUENCE):
		return true
	case tagUTF8String:
		return utf8.Valid(a.value)
	case tagBMPString, tagUniversalString:
		characters, whole := a.characters()
		return whole && !slices.ContainsFunc(characters, func(r rune) bool { return !utf8.ValidRune(r) })
	case tagBitString:
		return len(a.value) > 0 && a.value[0] < 8
	}
	return false
}

// readName checks a name and adds its quirks. It is false if OpenSSL could
// not read it either.
func readName(n Name, quirks *quirkSet) bool {
	rdns := contents(cryptobyte.String(n))
	if rdns.Empty() {
		quirks.add(QuirkNameEmpty)
	}
	for !rdns.Empty() {
		var el cryptobyte.String
		if !readListElement(&rdns, &el, asn1.SET, quirks) {
			return false
		}
		for rdn := contents(el); !rdn.Empty(); {
			var a rawAttribute
			if !a.read(&rdn) || !validOID(a.oid) || !a.valid() {
				return false
			}
			a.addQuirks(quirks)
		}
	}
	return true
}

func (a *rawAttribute) addQuirks(quirks *quirkSet) {
	switch a.tag {
	case tagT61String:
		quirks.add(QuirkNameT61)
	case tagPrintableString:
		if !isPrintable(a.value) {
			quirks.add(QuirkNameCharset)
		}
	case tagIA5String, tagNumericString:
		for _, c := range a.value {
			if c >= utf8.RuneSelf {
				quirks.add(QuirkNameCharset)
			}
		}
	case tagUTF8String, tagBMPString, tagUniversalString:
	default:
		quirks.add(QuirkNameNotString)
		return
	}
	if len(a.oid) != 3 || a.oid[0] != 0x55 || a.oid[1] != 4 {
		return
	}
	if a.oid[2] == 6 {
		if v := a.value; len(v) != 2 || v[0] < 'A' || v[0] > 'Z' || v[1] < 'A' || v[1] > 'Z' {
			quirks.add(QuirkNameCountry)
		}
		return
	}
	if bound := upperBound(a.oid[2]); bound > 0 && len(a.value) > bound {
		text, _ := a.text()
		if utf8.RuneCountInString(text) > bound {
			quirks.add(QuirkNameLong)
		}
	}
}

// upperBound is how many characters RFC 5280 appendix A allows the attribute
// 2.5.4.n, or 0 for no bound.
func upperBound(n byte) int {
	switch n {
	case 3, 5, 10, 11, 12: // CN, serialNumber, O, OU, title
		return 64
	case 7, 8, 65: // L, ST, pseudonym
		return 128
	case 4, 41, 42, 43, 44: // surname, name, givenName, initials, generationQualifier
		return 32768
	}
	return 0
}

func isPrintable(b []byte) bool {
	for _, c := range b {
		if !cms.IsPrintable(rune(c)) {
			return false
		}
	}
	return true
}

// writeEscaped writes a value as RFC 4514 section 2.4 asks, control characters
// in hex.
func writeEscaped(b *strings.Builder, s string) {
	const digits = "0123456789ABCDEF"
	clean := 0 // up to here everything is written
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c < ' ' || c == 0x7f:
			b.WriteString(s[clean:i])
			b.Write([]byte{'\\', digits[c>>4], digits[c&15]})
			clean = i + 1
		case c == ',' || c == '+' || c == '"' || c == '<' || c == '>' || c == ';' || c == '\\',
			c == ' ' && (i == 0 || i == len(s)-1), c == '#' && i == 0:
			b.WriteString(s[clean:i])
			b.WriteByte('\\')
			clean = i
		}
	}
	b.WriteString(s[clean:])
}

// hex writes a value as RFC 4514 section 2.4 asks if it is not a known string.
// Like OpenSSL it takes the unused bits of a BIT STRING for zero.
func (a *rawAttribute) hex() string {
	der := a.raw
	if n := len(a.value); a.tag == tagBitString && n > 1 {
		der = slices.Clone(der)
		der[len(der)-1] &^= 1<<a.value[0] - 1
	}
	return "#" + strings.ToUpper(hex.EncodeToString(der))
}

// oidX520 is how the contents of the OIDs 2.5.4.n begin, which nearly all
// attributes have.
const oidX520 = "\x55\x04"

// shortName is OpenSSL's short name of the attribute's type; it is false, with
// the dotted OID, if OpenSSL has none.
func (a *rawAttribute) shortName() (string, bool) {
	if n := len(oidX520); len(a.oid) == n+1 && string(a.oid[:n]) == oidX520 {
		if i := int(a.oid[n]); i < len(x520Names) && x520Names[i] != "" {
			return x520Names[i], true
		}
	}
	dotted, _ := cms.OIDString(a.oid)
	if name, ok := findObject(dotted); ok {
		return name, true
	}
	return dotted, false
}

// x520Names are the attributes 2.5.4.n (X.520) that names commonly have. The others are in objects.
var x520Names = [...]string{
	3: "CN", 4: "SN", 5: "serialNumber", 6: "C", 7: "L", 8: "ST", 9: "street", 10: "O", 11: "OU", 12: "title",
	15: "businessCategory", 17: "postalCode", 42: "GN", 46: "dnQualifier", 97: "organizationIdentifier",
}

// objects are the other object identifiers for which OpenSSL has a short name; any of them may be the type of an attribute. Each line
// has one in dotted form and the name, and the lines are sorted as strings. TestObjectNames writes them.
//
//go:embed objects.txt
var objects string

// findObject looks for the line of an object identifier. It searches the bytes of the
// text: each stands for the line that it is in.
func findObject(dotted string) (name string, ok bool) {
	key := dotted + " "
	line := sort.Search(len(objects), func(i int) bool { return objects[strings.LastIndexByte(objects[:i], '\n')+1:] >= key })
	rest, ok := strings.CutPrefix(objects[line:], key)
	name, _, _ = strings.Cut(rest, "\n")
	return name, ok
}

package certificate

import (
	"encoding/binary"
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// RDNs returns the parts of the name, the most general first, each in a form in
// which parts that compare as the same are the same string (RFC 5280 section 7.1):
// letter case, spaces at the ends, runs of spaces, the type of a string and the
// order within a part do not count.
//
// It is OpenSSL's comparison, which folds ASCII only and takes a NumericString as
// it is. With unicode it is the whole of RFC 5280: all letters are folded, and
// characters that are compatible are the same (RFC 4518).
func (n Name) RDNs(unicode bool) []string {
	var buf [16]rawAttribute
	var rdns, parts []string
	for _, a := range n.attributes(buf[:0]) {
		parts = append(parts, a.folded(unicode))
		if a.joined {
			continue
		}
		if len(parts) > 1 {
			slices.Sort(parts)
		}
		rdns = append(rdns, strings.Join(parts, ""))
		parts = parts[:0]
	}
	return rdns
}

// Key is [Name.RDNs] in one string.
func (n Name) Key(unicode bool) string {
	rdns := n.RDNs(unicode)
	size := 0
	for _, rdn := range rdns {
		size += 4 + len(rdn)
	}
	out := make([]byte, 0, size)
	for _, rdn := range rdns {
		out = append(binary.BigEndian.AppendUint32(out, uint32(len(rdn))), rdn...)
	}
	return string(out)
}

// folded is the attribute in the form of RDNs. Lengths keep parts apart.
func (a *rawAttribute) folded(unicode bool) string {
	value, kind := string(a.value), a.tag
	if text, ok := a.text(); ok && (unicode || a.tag != tagNumericString) {
		kind = 0
		if value = foldASCII(text); unicode {
			value = foldUnicode(value)
		}
	}
	out := make([]byte, 0, len(a.oid)+len(value)+9)
	out = binary.BigEndian.AppendUint32(out, uint32(len(a.oid)))
	out = append(append(out, a.oid...), kind)
	out = binary.BigEndian.AppendUint32(out, uint32(len(value)))
	return string(append(out, value...))
}

func foldASCII(s string) string {
	out := make([]byte, 0, len(s))
	for i := range len(s) {
		c := s[i]
		switch {
		case c == ' ' || '\t' <= c && c <= '\r':
			if n := len(out); n > 0 && out[n-1] != ' ' {
				out = append(out, ' ')
			}
			continue
		case 'A' <= c && c <= 'Z':
			c += 'a' - 'A'
		}
		out = append(out, c)
	}
	if n := len(out); n > 0 && out[n-1] == ' ' {
		out = out[:n-1]
	}
	return string(out)
}

func foldUnicode(s string) string {
	if !strings.ContainsFunc(s, func(r rune) bool { return r >= 0x80 }) {
		return s
	}
	s = norm.NFKC.String(strings.Map(foldRune, norm.NFKC.String(s)))
	return strings.Join(strings.FieldsFunc(s, unicode.IsSpace), " ")
}

// foldRune returns the same character for all that are one letter in another case.
func foldRune(r rune) rune {
	least := r
	for next := unicode.SimpleFold(r); next != r; next = unicode.SimpleFold(next) {
		least = min(least, next)
	}
	return unicode.ToLower(least)
}

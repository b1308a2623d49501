package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"unicode/utf8"

	"trustpool/internal/cms"
)

var (
	beginMark = []byte("-----BEGIN")
	endMark   = []byte("-----END")
	dashes    = []byte("-----")
)

// maxLabel bounds the label of a PEM block.
const maxLabel = 64

// Labels of certificates and messages (RFC 7468 sections 5, 8, 9; OpenSSL, pem.h).
const (
	labelCertificate = "CERTIFICATE"
	labelX509        = "X509 CERTIFICATE"
	labelTrusted     = "TRUSTED CERTIFICATE"
	labelPKCS7       = "PKCS7"
	labelPKCS7Signed = "PKCS #7 SIGNED DATA"
	labelCMS         = "CMS"
)

// block reads the PEM block at an offset. encoding/pem is not used because it
// passes over blocks that are damaged.
func (s *scanner) block(at int) (next int, err error) {
	data := s.data
	if len(data)-at < len(beginMark) {
		return 0, syntaxErr(at, "a PEM block without a label: truncated")
	}
	rest := data[at+len(beginMark):]
	n := bytes.Index(rest[:min(len(rest), 1+maxLabel+len(dashes))], dashes)
	if !bytes.HasPrefix(data[at:], beginMark) || n < 1 || rest[0] != ' ' || bytes.ContainsAny(rest[:n], "\r\n") {
		return 0, errBegin(data, at)
	}
	label := string(rest[1:n])
	body := rest[n+len(dashes):]
	end := bytes.Index(body, endMark)
	if end < 0 {
		if i := bytes.Index(body, []byte("END ")); i >= 0 && isDamagedMark(body, i) {
			return 0, errDashes(data, len(data)-len(body)+i)
		}
		return 0, syntaxErr(at, "a PEM block %q without an end: truncated", label)
	}
	bodyOffset := len(data) - len(body)
	if !slices.Contains(certificateLabels, label) {
		return 0, refuseLabel(label, at, startsAsBase64(body, len(body)-len(skipSpace(body))))
	}
	closing := string(endMark) + " " + label + string(dashes)
	if !bytes.HasPrefix(body[end:], []byte(closing)) {
		return 0, syntaxErr(bodyOffset+end, "a PEM block %q that ends as another", label)
	}
	der, err := decodeBody(body[:end], bodyOffset, linePrefix(data, at))
	if _, ok := errors.AsType[*TypeError](err); ok {
		return 0, err
	}
	if err != nil {
		var syntax *SyntaxError
		errors.As(err, &syntax)
		return 0, syntaxErr(syntax.Offset, "PEM block %q: %s%s", label, syntax.Msg, inQuotes(data[min(syntax.Offset, len(data)):]))
	}
	if err := s.addBlock(der, at, label); err != nil {
		return 0, err
	}
	return bodyOffset + end + len(closing), nil
}

// addBlock adds what was in a block. A message under the label of a certificate
// is read as keytool does.
func (s *scanner) addBlock(der []byte, at int, label string) error {
	switch label {
	case labelPKCS7, labelPKCS7Signed, labelCMS:
		if cms.IsContentInfo(der) {
			break
		}
		if err := cms.CheckOne(der); err != nil {
			return (&piece{offset: at, kind: inPEM, label: label}).inDecoded(err)
		}
		return syntaxErr(at, "a PEM block %q that holds a certificate, not a message,", label)
	}
	return s.addDER(der, at, inPEM, label)
}

// decodeBody decodes the base64 between BEGIN and END. base is the offset of text
// in the file, and prefix what precedes BEGIN in its line.
func decodeBody(text []byte, base int, prefix []byte) ([]byte, error) {
	if i := headersEnd(text); i > 0 {
		text, base = text[i:], base+i
	}
	if !onEachLine(text, prefix) {
		prefix = nil
	}
	var direct error
	if prefix == nil {
		der, err := decodeBase64(text, base)
		if err == nil {
			return der, nil
		}
		direct = err
	}
	r := base64Reader{data: text, prefix: prefix, soft: true}
	var dense []byte
	for c, ok := r.next(); ok; c, ok = r.next() {
		dense = append(dense, c)
	}
	if rest := text[r.i:]; len(rest) > 0 {
		if name := invisible(rest); name != "" {
			return nil, &TypeError{Type: "a damaged PEM block (" + name + " in its base64)", Offset: base + r.i, damaged: true,
				Advice: "word processors and web pages make them: get the file again as plain text"}
		}
		if direct != nil {
			return nil, direct
		}
		return nil, syntaxErr(base+r.i, "base64 that does not decode")
	}
	der, err := decodeBase64(dense, base)
	if err != nil && direct != nil {
		return nil, direct
	}
	return der, err
}

// inQuotes shows the first of what is not base64, in parentheses; empty if it is.
func inQuotes(b []byte) string {
	if len(b) == 0 || isBase64(b[0]) || b[0] == '=' || b[0] == '-' {
		return ""
	}
	if i := bytes.IndexAny(b, "\r\n"); i > 0 {
		b = b[:i]
	}
	return fmt.Sprintf(" (%q is not base64)", b[:min(len(b), 12)])
}

// onEachLine reports whether each line after the first begins with a prefix.
func onEachLine(text, prefix []byte) bool {
	if len(prefix) == 0 {
		return false
	}
	short := bytes.TrimRight(prefix, " \t")
	lines := 0
	for i, c := range text {
		if c != '\n' && (c != '\r' || i+1 < len(text) && text[i+1] == '\n') {
			continue
		}
		if !bytes.HasPrefix(text[i+1:], short) {
			return false
		}
		lines++
	}
	return lines > 0
}

// invisible names a character that looks like none or like another.
func invisible(b []byte) string {
	r, _ := utf8.DecodeRune(b)
	switch {
	case r == 0xa0 || r == utf8.RuneError && b[0] == 0xa0:
		return "no-break spaces"
	case r == utf8.RuneError && len(b) > 2 && string(b[:3]) == "\ufffd":
		return "replacement characters (U+FFFD)"
	case r >= 0x2000 && r <= 0x200a || r == 0x202f || r == 0x205f || r == 0x3000:
		return "typographic spaces"
	case r >= 0x200b && r <= 0x200f || r >= 0x2028 && r <= 0x202e || r >= 0x2060 && r <= 0x2069 || r == 0xfeff || r == 0xad:
		return "invisible characters"
	case isTypographicDash(r):
		return "typographic dashes"
	case r == 0x2018 || r == 0x2019 || r == 0x201c || r == 0x201d || r == 0x2026:
		return "typographic quotes"
	}
	return ""
}

func isTypographicDash(r rune) bool {
	return r >= 0x2010 && r <= 0x2015 || r == 0x2212 || r == 0x2500 || r == 0xfe58 || r == 0xfe63 || r == 0xff0d || r == 0xad
}

// certificateLabels are those whose BEGIN is looked for without its hyphens.
var certificateLabels = []string{labelCertificate, labelX509, labelTrusted, labelPKCS7, labelPKCS7Signed, labelCMS}

// isDamagedMark reports whether the BEGIN or END at an offset is of a certificate
// and between dashes that are not five hyphens.
func isDamagedMark(data []byte, at int) bool {
	line := data[at:min(len(data), at+maxLabel+30)]
	if i := bytes.IndexAny(line, "\r\n"); i >= 0 {
		line = line[:i]
	}
	word, rest, ok := bytes.Cut(bytes.ReplaceAll(line, []byte("\u00a0"), []byte(" ")), []byte(" "))
	if !ok || !bytes.EqualFold(word, []byte("BEGIN")) && !bytes.EqualFold(word, []byte("END")) {
		return false
	}
	rest = bytes.TrimLeft(rest, " ")
	for _, label := range certificateLabels {
		if len(rest) < len(label) || !bytes.EqualFold(rest[:len(label)], []byte(label)) {
			continue
		}
		return startsWithDash(bytes.TrimLeft(rest[len(label):], " \t")) && endsWithDash(data[max(0, at-30):at])
	}
	return false
}

func startsWithDash(b []byte) bool {
	r, _ := utf8.DecodeRune(b)
	return len(b) > 0 && (b[0] == '-' || b[0] == 0x96 || b[0] == 0x97 || isTypographicDash(r)) || isDashEntity(b)
}

func endsWithDash(b []byte) bool {
	b = bytes.TrimRight(bytes.TrimSuffix(bytes.TrimRight(b, " \t"), []byte("\u00a0")), " \t")
	r, _ := utf8.DecodeLastRune(b)
	if n := len(b); n > 0 && (b[n-1] == '-' || b[n-1] == 0x96 || b[n-1] == 0x97 || isTypographicDash(r)) {
		return true
	}
	i := bytes.LastIndexByte(b, '&')
	return i >= 0 && isDashEntity(b[i:])
}

// isDashEntity reports whether text begins with a dash as HTML may write it.
func isDashEntity(b []byte) bool {
	for _, entity := range []string{"&ndash;", "&mdash;", "&minus;", "&#45;", "&#8211;", "&#8212;", "&#x2d;", "&shy;", "&hyphen;"} {
		if len(b) >= len(entity) && bytes.EqualFold(b[:len(entity)], []byte(entity)) {
			return true
		}
	}
	return false
}

// errDashes is the error for a mark that isDamagedMark found.
func errDashes(data []byte, at int) error {
	before := bytes.TrimRight(data[max(0, at-30):at], " \t")
	what := "BEGIN or END between dashes that are not five hyphens"
	if r, _ := utf8.DecodeLastRune(before); isTypographicDash(r) || len(before) > 0 && (before[len(before)-1] == 0x96 || before[len(before)-1] == 0x97) {
		what = "BEGIN or END between typographic dashes, which word processors make of hyphens"
	}
	return &TypeError{Type: "a damaged PEM block (" + what + ")", Offset: at, within: true, damaged: true,
		Advice: "get the file again as plain text, or put five hyphens before and after each BEGIN and END"}
}

// errBegin is the error for a BEGIN without a label that ends.
func errBegin(data []byte, at int) error {
	rest := data[at+len(beginMark):]
	switch {
	case !bytes.HasPrefix(data[at:], beginMark):
		return syntaxErr(at, "the BEGIN of a PEM block that is not in capitals")
	case bytes.HasPrefix(rest, []byte("%20")) || bytes.HasPrefix(rest, []byte("+CERT")):
		return &TypeError{Type: "a PEM block in percent-encoding, as in a URL", Offset: at, within: true, damaged: true, Advice: "decode it first"}
	case len(rest) > 0 && rest[0] != ' ' && invisible(rest) != "":
		return &TypeError{Type: "a damaged PEM block (BEGIN with " + invisible(rest) + ")", Offset: at, within: true, damaged: true,
			Advice: "get the file again as plain text"}
	}
	return syntaxErr(at, "a PEM block without a label")
}

// headersEnd is where the base64 begins after the headers that RFC 1421 section
// 4.6 allows in a block; 0 if there are none.
func headersEnd(text []byte) int {
	if bytes.IndexByte(text, ':') < 0 {
		return 0
	}
	for _, blank := range [][]byte{[]byte("\n\n"), []byte("\r\n\r\n")} {
		if i := bytes.Index(text, blank); i >= 0 && bytes.LastIndexByte(text, ':') < i {
			return i + len(blank)
		}
	}
	return 0
}

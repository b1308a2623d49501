package bundle

import (
	"bytes"
	"encoding/base64"
	"errors"
	"html"
	"strconv"
	"strings"

	"trustpool/internal/cms"
)

// notBase64 is the index of the first byte that base64 text cannot have, or -1.
func notBase64(text []byte) int {
	for i, c := range text {
		if !isBase64(c) && strings.IndexByte("=\r\n \t", c) < 0 {
			return i
		}
	}
	return -1
}

// decodeBase64 decodes text that may hold white space anywhere. base is the
// offset of text in the file.
func decodeBase64(text []byte, base int) ([]byte, error) {
	dense := text
	if bytes.IndexByte(text, ' ') >= 0 || bytes.IndexByte(text, '\t') >= 0 { // ten times as fast as ContainsAny
		dense = bytes.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, text)
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(dense)))
	n, err := base64.StdEncoding.Decode(out, dense)
	if err != nil {
		var at base64.CorruptInputError
		errors.As(err, &at)
		return nil, syntaxErr(base+withBlanks(text, int(at)), "base64 that does not decode")
	}
	return out[:n], nil
}

// withBlanks is the index in text of what is the n-th byte, counted from 0,
// in which blanks do not count.
func withBlanks(text []byte, n int) int {
	for i, c := range text {
		if c == ' ' || c == '\t' {
			continue
		}
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

// A base64Reader gives the characters of base64 that was copied into something
// else: white space, the marks of quoted mail, and the escapes and quotes of
// strings in programs, JSON and YAML are not part of it.
type base64Reader struct {
	data   []byte
	i      int
	prefix []byte // of every line, such as "> "
	soft   bool   // a = at the end of a line may be a line break of quoted-printable
}

// next is the next character, or false at what is neither base64 nor around it.
func (r *base64Reader) next() (byte, bool) {
	for r.i < len(r.data) {
		rest := r.data[r.i:]
		c := rest[0]
		switch {
		case c == '\n' || c == '\r':
			r.i++
			r.skipPrefix()
		case c == ' ' || c == '\t':
			r.i++
		case c == '\\' || c == '&' || c == '"' || c == '\'':
			n, c := unescape(rest)
			if n == 0 {
				return 0, false
			}
			r.i += n
			if c != 0 {
				return c, true
			}
		case c == '=' && r.soft && (bytes.HasPrefix(rest, []byte("=\n")) || bytes.HasPrefix(rest, []byte("=\r\n"))) && r.isSoft():
			r.i++
		case c == '=' && r.soft && isSpaceInQP(rest):
			r.i += 3
		case c == '=' && bytes.HasPrefix(rest, []byte("=3D")):
			r.i += 3
			return '=', true
		case isBase64(c) || c == '=':
			r.i++
			return c, true
		default:
			return 0, false
		}
	}
	return 0, false
}

// isSoft reports whether the = at the end of a line is a line break of
// quoted-printable and not padding, which nothing but padding follows.
func (r *base64Reader) isSoft() bool {
	if bytes.HasSuffix(r.data[:r.i], []byte("=0A")) {
		return true
	}
	rest := bytes.TrimPrefix(bytes.TrimLeft(r.data[r.i+1:], "\r\n"), r.prefix)
	return len(rest) > 0 && (isBase64(rest[0]) || bytes.HasPrefix(rest, []byte("=3D")))
}

// isSpaceInQP reports whether text begins with white space as quoted-printable writes it.
func isSpaceInQP(b []byte) bool {
	for _, space := range []string{"=0D", "=0A", "=20", "=09"} {
		if bytes.HasPrefix(b, []byte(space)) {
			return true
		}
	}
	return false
}

func (r *base64Reader) skipPrefix() {
	if len(r.prefix) == 0 {
		return
	}
	if bytes.HasPrefix(r.data[r.i:], r.prefix) {
		r.i += len(r.prefix)
	} else if short := bytes.TrimRight(r.prefix, " \t"); bytes.HasPrefix(r.data[r.i:], short) {
		r.i += len(short)
	}
}

func isBase64(c byte) bool {
	return c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '+' || c == '/'
}

// unescape reads an escape of a string, a character reference of HTML or XML, or what
// is between two strings: how long it is, and the character of base64 that it is, 0
// for white space. The length of what is none of these is 0.
func unescape(b []byte) (n int, c byte) {
	var text string
	switch {
	case b[0] == '"' || b[0] == '\'':
		return betweenStrings(b), 0
	case b[0] == '&': // such as &#13; or &#x2F;
		n = bytes.IndexByte(b[:min(len(b), 8)], ';') + 1
		text = html.UnescapeString(string(b[:n]))
	case bytes.HasPrefix(b, []byte("\\\r\n")):
		return 3, 0
	case len(b) < 2:
	case b[1] == '\n' || b[1] == '\r':
		return 2, 0
	case b[1] == '/':
		return 2, '/'
	case b[1] == '\\': // escaped twice
		return 1, 0
	case strings.IndexByte("nrtux", b[1]) >= 0:
		start := string(b[:min(len(b), len("\\u002F"))])
		if r, _, rest, err := strconv.UnquoteChar(start, 0); err == nil {
			n, text = len(start)-len(rest), string(r)
		}
	}
	switch {
	case len(text) != 1:
	case text[0] == '=' || isBase64(text[0]):
		return n, text[0]
	case strings.Contains(" \t\r\n", text):
		return n, 0
	}
	return 0, 0
}

// maxBetween is how much there may be between two strings that belong together.
const maxBetween = 200

// betweenStrings is how much there is from the quote that ends a string to the one
// that begins the next, if they are one text: "…" + "…", or on lines of their own.
func betweenStrings(b []byte) int {
	for i := 1; i < min(len(b), maxBetween); i++ {
		switch c := b[i]; c {
		case '"', '\'':
			return i + 1
		case ' ', '\t', '\r', '\n', '+', '.', ',', '&', '_', '\\', '(', ')':
		default:
			return 0
		}
	}
	return 0
}

// linePrefix is what precedes an offset in its line, nil for blanks, and for
// what has a quote in it: that is where a string begins.
func linePrefix(data []byte, at int) []byte {
	start := at
	for start > 0 && data[start-1] != '\n' && data[start-1] != '\r' {
		if start--; at-start > maxPrefix {
			return nil
		}
	}
	prefix := bytes.TrimPrefix(data[start:at], []byte("\xef\xbb\xbf"))
	if len(bytes.TrimSpace(prefix)) == 0 || bytes.ContainsAny(prefix, `"'`) {
		return nil
	}
	return prefix
}

const maxPrefix = 120

// minStart characters of base64 show whether a certificate begins there.
const minStart = 16

// startsAsBase64 reports whether the text at an offset decodes to the beginning of
// a certificate, a message or the like.
func startsAsBase64(data []byte, at int) bool {
	if at+2 >= len(data) || data[at+2] < 'A' || data[at+2] > 'T' {
		return false
	}
	r := base64Reader{data: data[:min(len(data), at+200)], i: at, prefix: quotePrefix(data, at)}
	var start [minStart]byte
	for i := range start {
		c, ok := r.next()
		if !ok || c == '=' {
			return false
		}
		start[i] = c
	}
	var der [minStart / 4 * 3]byte
	_, err := base64.StdEncoding.Decode(der[:], start[:])
	return err == nil && startsAsCertificate(der[:])
}

// quotePrefix is the prefix of a line if it only marks a quotation or a comment.
func quotePrefix(data []byte, at int) []byte {
	prefix := linePrefix(data, at)
	for _, c := range prefix {
		if bytes.IndexByte([]byte(">|#;%:*! \t"), c) < 0 {
			return nil
		}
	}
	return prefix
}

// base64 reads a certificate in base64 without armour. Its header says how long
// it is. The text before it begins at from.
func (s *scanner) base64(at, from int) (next int, err error) {
	if at > from && isBase64(s.data[at-1]) && !(at > 1 && s.data[at-2] == '\\') {
		return 0, syntaxErr(at, "base64 that begins as a certificate does, in the middle of other base64")
	}
	r := base64Reader{data: s.data, i: at, prefix: quotePrefix(s.data, at)}
	var dense []byte
	need := -1 // characters without padding; of indefinite length as many as there are
	for need < 0 || len(dense) < need {
		before := r.i
		c, ok := r.next()
		if !ok || c == '=' {
			r.i = before
			break
		}
		if dense = append(dense, c); len(dense) == 8 {
			var der [6]byte
			_, _ = base64.StdEncoding.Decode(der[:], dense)
			if n := cms.Length(der[:]); n > 0 {
				if n > int64(len(s.data)) {
					return 0, errCutBase64(at)
				}
				need = int((n*8 + 5) / 6)
				dense = append(make([]byte, 0, need), dense...)
			}
		}
	}
	if len(dense) < max(need, minStart) {
		return 0, errCutBase64(at)
	}
	for range (4 - len(dense)%4) % 4 { // the padding
		if c, ok := r.next(); !ok || c != '=' {
			return 0, syntaxErr(at, "base64 of a certificate that goes on after it, or lacks its padding")
		}
	}
	if r.i < len(s.data) && (isBase64(s.data[r.i]) || s.data[r.i] == '=') {
		return 0, syntaxErr(r.i, "base64 that goes on after a certificate")
	}
	der, err := base64.RawStdEncoding.DecodeString(string(dense))
	if err != nil {
		return 0, syntaxErr(at, "base64 that does not decode")
	}
	return r.i, s.addDER(der, at, inBase64, "")
}

func errCutBase64(at int) error {
	return syntaxErr(at, "base64 that begins as a certificate does and ends before it: truncated or damaged")
}

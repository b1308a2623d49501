package bundle

import (
	"bytes"
	"encoding/base64"
	"errors"
	"slices"
	"unicode/utf8"

	"trustpool/internal/cms"
	"trustpool/internal/fetch/text"
)

// A scanner finds the certificates and messages of a file: PEM blocks, DER and
// bare base64, in any order and with text around them. It visits each byte a
// bounded number of times. Whatever could be a certificate is a piece or an
// error; the rest is text, and is counted.
type scanner struct {
	data   []byte
	limits Limits
	pieces []piece
	passed Passed
}

// file reads the whole file.
func (s *scanner) file() error {
	if beginsAsDER(s.data) {
		return s.binary()
	}
	if err := identify(s.data, 0); err != nil { // whatever is in it
		return err
	}
	blank := skipSpace(s.data)
	if len(blank) == 0 {
		return errors.New("nothing but white space in it")
	}
	var bare error // why the file as a whole is not base64
	if notBase64(blank) < 0 {
		der, err := decodeBase64(blank, len(s.data)-len(blank))
		switch bare = err; {
		case err != nil:
		case len(der) > 0 && der[0] == 0x30:
			return s.addDER(der, 0, inBase64, "")
		default:
			bare = s.notBase64DER(der)
			if _, ok := errors.AsType[*TypeError](bare); ok {
				return bare
			}
		}
	}
	if err := s.from(0); err != nil {
		return err
	}
	switch {
	case len(s.pieces) > 0:
		return nil
	case bare != nil:
		return bare
	}
	return identifyText(s.data)
}

// binary reads a file that begins with DER or BER.
func (s *scanner) binary() error {
	first, rest, err := cms.First(s.data)
	if err != nil || cms.IsContentInfo(s.data) || len(rest) == 0 {
		if err != nil || len(rest) > 0 {
			if damage := damagedDER(s.data); damage != nil {
				return damage
			}
		}
		if err == nil { // what follows a message is its error
			s.pieces = append(s.pieces, piece{s.data, 0, inDER, ""})
		}
		return err
	}
	s.pieces = append(s.pieces, piece{first, 0, inDER, ""})
	if err := s.from(len(first)); err != nil {
		if damage := damagedDER(s.data); damage != nil {
			return damage
		}
		return err
	}
	return nil
}

// notBase64DER is the error for base64 of something that is not DER.
func (s *scanner) notBase64DER(decoded []byte) error {
	if err := identify(decoded, 0); err != nil {
		err.Type += " in base64"
		return err
	}
	switch {
	case bytes.Contains(decoded, beginMark):
		return errNested(0)
	case looksLikeText(decoded) && holdsCertificate(decoded):
		return errHidden(0)
	}
	return identifyText(s.data)
}

// What find finds.
type found int

const (
	foundNothing found = iota
	foundBinary        // a byte that text does not have
	foundBegin         // "-----BEGIN"
	foundEnd           // "-----END"
	foundMark          // BEGIN CERTIFICATE between dashes that are not five hyphens
	foundDER
	foundBase64
	foundSpelled // bytes that are written as numbers or escapes
	foundNested  // "-----BEGIN" in base64
)

// find looks from an offset on for the first thing that is not text.
func (s *scanner) find(from int) (int, found) {
	data := s.data
	for i := from; i < len(data); i++ {
		switch c := data[i]; {
		case textBytes[c] == plain:
		case textBytes[c] == binary:
			return i, foundBinary
		case c == '-':
			rest := data[i:min(len(data), i+len(beginMark))]
			switch {
			case bytes.EqualFold(rest, beginMark), len(rest) > len(dashes) && i+len(rest) == len(data) && bytes.HasPrefix(beginMark, rest): // cut short, too
				return i, foundBegin
			case bytes.EqualFold(rest[:min(len(rest), len(endMark))], endMark):
				return i, foundEnd
			}
		case c == 'B' || c == 'b':
			if i+2 < len(data) && data[i+1]|0x20 == 'e' && data[i+2]|0x20 == 'g' && isDamagedMark(data, i) {
				return i, foundMark
			}
		case c == '0':
			if i+1 >= len(data) {
				continue
			}
			if data[i+1] >= 0x80 && startsAsCertificate(data[i:]) {
				return i, foundDER
			}
			if spelled(data, i) != "" {
				return i, foundSpelled
			}
		case c == 'M':
			if i+1 < len(data) && data[i+1] == 'I' && startsAsBase64(data, i) {
				return i, foundBase64
			}
		case c == 'L':
			if bytes.HasPrefix(data[i:], nestedMark) {
				return i, foundNested
			}
		default: // '2', '3', '4'
			if spelled(data, i) != "" {
				return i, foundSpelled
			}
		}
	}
	return len(data), foundNothing
}

// nestedMark is what "-----BEGIN" is in base64.
var nestedMark = []byte("LS0tLS1CRUdJT")

// textBytes says of each byte whether find has to look at it. Every certificate
// has binary bytes: the tags of its INTEGER and its BIT STRING.
var textBytes = func() (table [256]byteClass) {
	for c := range byte(' ') {
		if bytes.IndexByte([]byte("\a\b\t\n\v\f\r\x1a\x1b"), c) < 0 {
			table[c] = binary
		}
	}
	for _, c := range []byte("-Bb0LM234") {
		table[c] = mark
	}
	return table
}()

type byteClass byte

const (
	plain  byteClass = iota
	mark             // may begin something
	binary           // never in text
)

// from reads the pieces from an offset on.
func (s *scanner) from(offset int) error {
	for offset < len(s.data) {
		at, what := s.find(offset)
		if err := s.pass(offset, at); err != nil {
			return err
		}
		if what != foundNothing && what != foundBinary && len(s.pieces) == 0 && at > MaxPreamble {
			return syntaxErr(at, "more than %d bytes of text before the first PEM block", MaxPreamble)
		}
		var err error
		switch what {
		case foundNothing:
			return nil
		case foundBinary:
			if s.isPadding(at) {
				return nil
			}
			return s.notText(offset, at)
		case foundBegin:
			offset, err = s.block(at)
		case foundEnd:
			return syntaxErr(at, "the END of a PEM block without its BEGIN")
		case foundMark:
			return errDashes(s.data, at)
		case foundDER:
			offset, err = s.der(at)
		case foundBase64:
			offset, err = s.base64(at, offset)
		case foundNested:
			return errNested(at)
		case foundSpelled:
			return errSpelled(s.data, at)
		}
		if err != nil {
			return err
		}
		if len(s.pieces) > s.limits.Certificates {
			return syntaxErr(s.pieces[len(s.pieces)-1].offset, "more than %d certificates", s.limits.Certificates)
		}
	}
	return nil
}

// isPadding reports whether a text ends at an offset, and what follows is the
// padding that C programs and DOS put there.
func (s *scanner) isPadding(at int) bool {
	if n := len(s.pieces); n == 0 || s.pieces[n-1].kind == inDER {
		return false
	}
	return len(bytes.Trim(s.data[at:], "\x00\x1a \t\r\n")) == 0
}

// notText is the error for a byte that text does not have, which begins at from.
func (s *scanner) notText(from, at int) error {
	if len(s.pieces) == 0 {
		if err := identify(s.data, 0); err != nil {
			return err
		}
		return notABundle(s.data)
	}
	for _, begin := range []int{from, from + len(s.data[from:at]) - len(bytes.TrimLeft(s.data[from:at], "\r\n")), at} {
		if k, ok := text.Identify(s.data[begin:]); ok {
			return &TypeError{Type: k.Name, Advice: k.Advice, Offset: begin, within: true}
		}
	}
	if s.pieces[len(s.pieces)-1].kind == inDER {
		return syntaxErr(at, "trailing bytes that are neither a certificate nor text")
	}
	return syntaxErr(at, "bytes that are neither a certificate nor text")
}

// der reads DER amid other things.
func (s *scanner) der(at int) (next int, err error) {
	first, _, err := cms.First(s.data[at:])
	if err != nil {
		var syntax *SyntaxError
		errors.As(err, &syntax)
		return 0, syntaxErr(at+syntax.Offset, "DER amid the file: %s", syntax.Msg)
	}
	s.pieces = append(s.pieces, piece{first, at, inDER, ""})
	return at + len(first), nil
}

// addDER adds what was decoded from base64 or PEM: a message, or one certificate,
// or several one after the other.
func (s *scanner) addDER(der []byte, at int, kind pieceKind, label string) error {
	for !cms.IsContentInfo(der) && label != labelTrusted {
		first, rest, err := cms.First(der)
		if err == nil && len(rest) > 0 && startsAsCertificate(rest) {
			s.pieces = append(s.pieces, piece{first, at, kind, label})
			der = rest
			continue
		}
		if kind == inBase64 {
			if err == nil && len(rest) > 0 {
				err = syntaxErr(len(first), "trailing bytes after it")
			}
			if err != nil {
				return (&piece{offset: at, kind: kind}).inDecoded(err)
			}
		}
		break
	}
	s.pieces = append(s.pieces, piece{der, at, kind, label})
	return nil
}

// pass counts text, and refuses what could be a piece of a certificate in it.
func (s *scanner) pass(from, to int) error {
	if to-from < 64 && len(bytes.TrimSpace(s.data[from:to])) == 0 {
		return nil
	}
	var block []byte // the lines of base64 so far
	var begin int
	var dumps dumpReader
	for offset := from; offset < to; {
		line := s.data[offset:to]
		if i := bytes.IndexAny(line[:min(len(line), 1<<10)], "\r\n"); i >= 0 {
			line = line[:i]
		} else if i := bytes.IndexByte(line, '\n'); i >= 0 {
			line = line[:i]
		}
		words := bytes.TrimSpace(bytes.TrimPrefix(line, []byte("\xef\xbb\xbf")))
		if len(words) > 0 {
			s.passed.Lines++
			s.passed.Bytes += len(words)
		}
		if quoted := bytes.TrimLeft(words, "> "); isBase64Line(quoted) {
			if len(block) == 0 {
				begin = offset
			}
			block = append(block, quoted...)
		} else if len(words) > 0 {
			if err := checkBase64(block, begin); err != nil {
				return err
			}
			block = block[:0]
			if i := hiddenInBase64(line); i >= 0 {
				return errHidden(offset + i)
			}
			if err := dumps.line(bytes.TrimRight(line, " \t\r"), offset); err != nil {
				return err
			}
		}
		offset += len(line) + 1
	}
	if err := checkBase64(block, begin); err != nil {
		return err
	}
	return dumps.line(nil, to)
}

// checkBase64 refuses lines of base64 that could be of a certificate. They are not
// if they are of text or of a picture, as in a mail.
func checkBase64(block []byte, at int) error {
	if len(block) < minBase64 {
		return nil
	}
	decoded := make([]byte, base64.RawStdEncoding.DecodedLen(len(block)))
	n, _ := base64.RawStdEncoding.Decode(decoded, bytes.TrimRight(block, "="))
	decoded = decoded[:n]
	switch {
	case holdsCertificate(decoded):
		return errHidden(at)
	case utf8.Valid(decoded) && looksLikeText(decoded), isOther(decoded):
		return nil
	}
	return syntaxErr(at, "lines of base64 that do not begin as a certificate does: its beginning is missing or damaged")
}

// isOther reports whether bytes are a picture or an SSH key.
func isOther(b []byte) bool {
	return bytes.HasPrefix(b, []byte("\x00\x00\x00\x07ssh-")) || bytes.HasPrefix(b, []byte("\x89PNG\r\n")) || bytes.HasPrefix(b, []byte("\xff\xd8\xff")) || bytes.HasPrefix(b, []byte("GIF8"))
}

// minBase64 characters of base64, in lines one after the other, are not words.
const minBase64 = 3 * 48

// isBase64Line reports whether a line is of base64 and longer than the base64 of a
// SHA-256, and people keep lists of these.
func isBase64Line(line []byte) bool {
	if len(line) < 48 || notBase64(line) >= 0 || bytes.IndexByte(line, ' ') >= 0 || bytes.IndexByte(bytes.TrimRight(line, "="), '=') >= 0 {
		return false
	}
	has := func(from, to byte) bool {
		return slices.ContainsFunc(line, func(c byte) bool { return c >= from && c <= to })
	}
	return has('a', 'z') && has('A', 'Z') && has('0', '9')
}

// minHidden characters of base64 may be of a file with a certificate in it.
const minHidden = 200

// hiddenInBase64 is where in a line there is base64 of a file with a certificate in
// it, such as a key store or PEM with a comment before it, or -1.
func hiddenInBase64(line []byte) int {
	for i := 0; i+minHidden <= len(line); i++ {
		start := i
		for i < len(line) && isBase64(line[i]) {
			i++
		}
		if i-start < minHidden {
			continue
		}
		word := line[start:i]
		inner := make([]byte, base64.RawStdEncoding.DecodedLen(len(word)))
		n, _ := base64.RawStdEncoding.Decode(inner, word)
		if holdsCertificate(inner[:n]) {
			return start
		}
	}
	return -1
}

// holdsCertificate reports whether bytes of any kind have a certificate among them,
// or could have one, as UTF-16 and gzip could.
func holdsCertificate(b []byte) bool {
	switch encoding := text.Detect(b); {
	case bytes.Contains(b, beginMark), encoding == text.UTF16LE, encoding == text.UTF16BE:
		return true
	case encoding == text.Gzip:
		return len(b) > 2 && b[2] == 8 // deflate
	}
	for i := 0; i < len(b); i++ {
		next := bytes.IndexByte(b[i:], 0x30)
		if next < 0 {
			break
		}
		if i += next; startsAsCertificate(b[i:]) {
			return true
		}
	}
	if !looksLikeText(b) {
		return false
	}
	inner := scanner{data: b} // it may be encoded once more; each time it gets shorter
	return inner.from(0) != nil || len(inner.pieces) > 0
}

// startsAsCertificate reports whether DER begins as a certificate does, or a
// message, or one of the things that are mistaken for them: three levels deep.
// That text does so by chance is out of the question.
func startsAsCertificate(b []byte) bool {
	inner, ok := within(b)
	if !ok || b[1] < 0x80 || len(inner) < 2 {
		return false
	}
	switch inner[0] {
	case 0x06: // a message
		return bytes.HasPrefix([]byte("\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"), inner[:min(len(inner), 10)])
	case 0x02: // PKCS#12, a private key
		return len(inner) > 3 && inner[1] == 1 && inner[2] <= 3 && (inner[3] == 0x30 || inner[3] == 0x02 || inner[3] == 0x04)
	case 0x30:
		third, ok := within(inner)
		return ok && len(third) > 1 && (third[0] == 0xa0 && third[1] == 3 || third[0] == 0xa0 && third[1] == 0x80 ||
			third[0] == 0x02 && third[1] > 0 && third[1] < 0x40 || third[0] == 0x30 && third[1] < 0x40)
	}
	return false
}

// within returns the contents of a SEQUENCE, which may be cut short.
func within(b []byte) ([]byte, bool) {
	if len(b) < 2 || b[0] != 0x30 {
		return nil, false
	}
	if b[1] < 0x80 {
		return b[2:], true
	}
	n := int(b[1] & 0x7f)
	if n > 4 || len(b) < 2+n {
		return nil, false
	}
	return b[2+n:], true
}

package bundle

import "bytes"

// A dumpForm is a way in which programs print the bytes of a file, beside those that
// spelled finds by their beginning alone.
type dumpForm struct {
	name, advice string
	read         func(line, words []byte) []byte // words are the line without blanks and address; nil if it is not of the dump
}

var dumpForms = [...]dumpForm{
	{"uuencode", "decode it with uudecode", func(line, _ []byte) []byte { return readUU(line) }},
	{"a dump of od or hexdump", "get the file itself", func(_, words []byte) []byte { return readWords(words, 16) }},
	{"a dump of od or hexdump", "get the file itself", func(_, words []byte) []byte { return readWords(words, 8) }},
	{"a dump of xxd -b", "get the file itself", func(_, words []byte) []byte { return readWords(words, 2) }},
	{"a dump of od -c or hexdump -c", "get the file itself", func(line, _ []byte) []byte { return readColumns(line) }},
}

// A dumpReader decodes the lines of a text that are of a dump, and looks for
// certificates in them.
type dumpReader struct {
	found [len(dumpForms)]struct {
		bytes []byte
		begin int
	}
	dense, width, begin int // how many lines are as dense as only encoded data is, how wide, where
}

// line takes a line, at an offset; nil ends the text.
func (r *dumpReader) line(line []byte, at int) error {
	words, known := skipAddress(line), false
	for i := range dumpForms {
		f := &r.found[i]
		if b := dumpForms[i].read(line, words); len(b) > 0 {
			known = true
			if len(f.bytes) == 0 {
				f.begin = at
			}
			f.bytes = append(f.bytes, b...)
			continue
		}
		if len(f.bytes) >= spelledBytes && holdsCertificate(f.bytes) {
			return &TypeError{Type: "a certificate in " + dumpForms[i].name, Offset: f.begin, within: f.begin > 0, Advice: dumpForms[i].advice}
		}
		f.bytes = f.bytes[:0]
	}
	switch width := len(line); {
	case known || width < minDense || !isDense(line):
		r.dense = 0
	case r.dense > 0 && width == r.width:
		if r.dense++; r.dense == maxDense {
			return &TypeError{Type: "lines of encoded data, which is neither base64 nor hexadecimal and may be a certificate", Offset: r.begin, within: true, damaged: true,
				Advice: "decode it, or leave it out"}
		}
	default:
		r.dense, r.width, r.begin = 1, width, at
	}
	return nil
}

// Lines of one width without a blank are taken for encoded data, in base32 or base85, and
// not for words or lists of hashes or addresses, if they are as many, as wide and as
// varied as these.
const (
	maxDense  = 4  // lines, of which the last is refused
	minDense  = 60 // characters in each
	minUnlike = 25 // different characters in each
	maxHex    = 32 // digits in a row: those of a hash
)

func isDense(line []byte) bool {
	var seen [128]bool
	unlike, hex := 0, 0
	for _, c := range line {
		if c <= ' ' || c >= 0x7f {
			return false
		}
		if !seen[c] {
			seen[c] = true
			unlike++
		}
		if hex++; hexDigit(c) < 0 {
			hex = 0
		}
		if hex >= maxHex {
			return false
		}
	}
	return unlike >= minUnlike && !bytes.Contains(line, []byte("://"))
}

// readUU reads a line of uuencode: a character that says how many bytes, and four
// characters for every three. Blanks at the end may be lost.
func readUU(line []byte) []byte {
	if len(line) == 0 || line[0] <= ' ' || line[0] > '`' {
		return nil
	}
	n := int(line[0]-' ') & 63
	text := line[1:]
	full := (n + 2) / 3 * 4
	if n == 0 || len(text) > full || len(text)+8 < full {
		return nil
	}
	var out []byte
	for i := 0; i < full; i += 4 {
		var v uint32
		for j := i; j < i+4; j++ {
			c := byte(' ')
			if j < len(text) {
				c = text[j]
			}
			if c < ' ' || c > '`' {
				return nil
			}
			v = v<<6 | uint32(c-' ')&63
		}
		out = append(out, byte(v>>16), byte(v>>8), byte(v))
	}
	return out[:n]
}

// readWords reads numbers of one, two or four bytes, the lowest byte first. What comes
// after two blanks is the text beside them.
func readWords(line []byte, base uint32) (out []byte) {
	if len(line) == 0 || hexDigit(line[0]) < 0 {
		return nil
	}
	if i := bytes.Index(line, []byte("  ")); i >= 0 {
		line = line[:i]
	}
	for len(line) > 0 {
		var word []byte
		word, line, _ = bytes.Cut(line, []byte(" "))
		size := 0 // in bytes
		switch {
		case base == 16 && (len(word) == 4 || len(word) == 8):
			size = len(word) / 2
		case base == 8 && (len(word) == 6 || len(word) == 11):
			size = 2 + 2*(len(word)/11)
		case base == 2 && len(word) == 8:
			size = 1
		default:
			return nil
		}
		v, ok := parseDigits(word, base)
		if !ok {
			return nil
		}
		for range size {
			out = append(out, byte(v))
			v >>= 8
		}
	}
	return out
}

// parseDigits reads a number of at most 32 bits. Most lines have none, and the errors
// of strconv would take most of the time.
func parseDigits(word []byte, base uint32) (v uint32, ok bool) {
	for _, c := range word {
		digit := hexDigit(c)
		if digit < 0 || uint32(digit) >= base {
			return 0, false
		}
		v = v*base + uint32(digit)
	}
	return v, len(word) > 0
}

// skipAddress drops the address before the bytes of a dump, and blanks.
func skipAddress(line []byte) []byte {
	word, rest, _ := bytes.Cut(line, []byte(" "))
	address := bytes.TrimSuffix(word, []byte(":"))
	if len(address) >= 7 && len(rest) > 0 && (rest[0] == ' ' || len(address) < len(word) || len(address) == 7) {
		if _, ok := parseDigits(address, 16); ok {
			line = rest
		}
	}
	return bytes.Trim(line, " ")
}

// readColumns reads bytes as od -c prints them, each in four columns: a character, an
// escape, or three octal digits.
func readColumns(line []byte) (out []byte) {
	if len(line) > 7 && line[7] == ' ' {
		if _, ok := parseDigits(line[:7], 8); ok {
			line = line[7:]
		}
	}
	if len(line) == 0 || line[0] != ' ' {
		return nil
	}
	for i := 0; i < len(line); i += 4 { // before anything is allocated
		if _, ok := readCell(line[i:min(i+4, len(line))]); !ok {
			return nil
		}
	}
	for i := 0; i < len(line); i += 4 {
		c, _ := readCell(line[i:min(i+4, len(line))])
		out = append(out, c)
	}
	return out
}

func readCell(cell []byte) (byte, bool) {
	switch c := bytes.TrimLeft(cell, " "); {
	case len(c) == 0:
		return ' ', true
	case len(c) == 1:
		return c[0], true
	case len(c) == 2 && c[0] == '\\':
		i := bytes.IndexByte([]byte("0abtnvfr"), c[1])
		return [...]byte{0, 0, '\a', '\b', '\t', '\n', '\v', '\f', '\r'}[i+1], i >= 0
	case len(c) == 3:
		v, ok := parseDigits(c, 8)
		return byte(v), ok
	}
	return 0, false
}

// Package text makes UTF-8 of the text files that people have: UTF-8 with or without a byte order mark, UTF-16 in either
// order with or without one, and any of these in gzip. What is not text it refuses, and says what it is.
package text

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// SniffBytes of a file, or all of a shorter one, are looked at to learn what it is.
const SniffBytes = 4 << 10

// An Encoding is how a text is written.
type Encoding string

// The encodings. UTF8 is any other in which ASCII is ASCII, too.
const (
	UTF8    Encoding = "UTF-8"
	UTF16LE Encoding = "UTF-16LE"
	UTF16BE Encoding = "UTF-16BE"
	Gzip    Encoding = "gzip"
)

const byteOrderMark = "\xef\xbb\xbf"

// Detect says from the beginning of a file how its text is written. Without a byte order mark UTF-16 is known by the
// zero bytes beside ASCII, and by characters such as line ends and blanks.
func Detect(prefix []byte) Encoding {
	prefix = prefix[:min(len(prefix), SniffBytes)]
	switch {
	case bytes.HasPrefix(prefix, []byte("\x1f\x8b")):
		return Gzip
	case bytes.HasPrefix(prefix, []byte("\xff\xfe\x00\x00")): // UTF-32, which nothing here reads
		return UTF8
	case bytes.HasPrefix(prefix, []byte("\xff\xfe")):
		return UTF16LE
	case bytes.HasPrefix(prefix, []byte("\xfe\xff")):
		return UTF16BE
	}
	// Of every two bytes one is zero and the other a character of ASCII: in most pairs, for a text may hold others. Two
	// pairs are the least that says anything. Of numbers of four bytes each, half of the pairs are like that.
	var little, big int
	pairs := len(prefix) / 2
	for i := range pairs {
		a, b := prefix[2*i], prefix[2*i+1]
		switch {
		case b == 0 && isASCIIText(a):
			little++
		case a == 0 && isASCIIText(b):
			big++
		}
	}
	switch {
	case pairs >= 2 && little*10 >= pairs*6:
		return UTF16LE
	case pairs >= 2 && big*10 >= pairs*6:
		return UTF16BE
	}
	return UTF8
}

func isASCIIText(c byte) bool { return c >= ' ' && c < 0x7f || c == '\n' || c == '\r' || c == '\t' }

// A BinaryError says that a file is not text, and what it is.
type BinaryError struct {
	Kind    // its Name is empty if that is not known
	Gzipped bool
}

func (e *BinaryError) Error() string {
	msg := "not text"
	if e.Name != "" {
		msg = e.Name + ", not text"
	}
	if e.Gzipped {
		msg += ", in gzip"
	}
	if e.Advice != "" {
		msg += ": " + e.Advice
	}
	return msg
}

// A LimitError says that a text is longer than it may be, which one in gzip does not show.
type LimitError struct{ Limit int64 }

func (e *LimitError) Error() string {
	return fmt.Sprintf("more than %d bytes of text, which is the limit", e.Limit)
}

// Decode returns the UTF-8 of a text of at most limit bytes, without a byte order mark; if it is UTF-8 already the bytes
// are those of data. Errors are a *BinaryError, a *LimitError, or of gzip.
func Decode(data []byte, limit int64) ([]byte, error) {
	if Detect(data) == UTF8 {
		if err := check(data, false); err != nil {
			return nil, err
		}
		data = bytes.TrimPrefix(data, []byte(byteOrderMark))
		if int64(len(data)) > limit {
			return nil, &LimitError{limit}
		}
		return data, nil
	}
	r, err := NewReader(bytes.NewReader(data))
	if err != nil {
		return nil, err
	}
	out, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(out)) > limit {
		return nil, &LimitError{limit}
	}
	return out, nil
}

// Sniff refuses the beginning of a file that is not text, with a *BinaryError.
func Sniff(prefix []byte) error {
	if Detect(prefix) != UTF8 {
		return nil
	}
	return check(prefix, false)
}

// NewReader returns a reader of the UTF-8 of a text, without a byte order mark. It reads the beginning of r, and its
// error is a *BinaryError if that is not text. How much comes out of gzip is for the caller to bound.
func NewReader(r io.Reader) (io.Reader, error) {
	in := bufio.NewReaderSize(r, SniffBytes)
	prefix, err := peek(in)
	if err != nil {
		return nil, err
	}
	gzipped := Detect(prefix) == Gzip
	if gzipped {
		z, err := gzip.NewReader(in)
		if err != nil {
			return nil, gzipError(err)
		}
		in = bufio.NewReaderSize(gzipReader{z}, SniffBytes)
		if prefix, err = peek(in); err != nil {
			return nil, err
		}
	}
	switch Detect(prefix) {
	case Gzip:
		return nil, &BinaryError{Kind{"a gzip file", "decompress it once more"}, true}
	case UTF16LE:
		return transform.NewReader(&utf16Reader{r: in}, unicode.UTF16(unicode.LittleEndian, unicode.UseBOM).NewDecoder()), nil
	case UTF16BE:
		return transform.NewReader(&utf16Reader{r: in}, unicode.UTF16(unicode.BigEndian, unicode.UseBOM).NewDecoder()), nil
	}
	if err := check(prefix, gzipped); err != nil {
		return nil, err
	}
	if bytes.HasPrefix(prefix, []byte(byteOrderMark)) {
		if _, err := in.Discard(len(byteOrderMark)); err != nil {
			return nil, err
		}
	}
	return in, nil
}

// A utf16Reader refuses UTF-16 that goes on in ASCII, as a file does to which something was appended: what was appended
// would be read as characters of Asian scripts.
type utf16Reader struct {
	r   io.Reader
	run int // bytes of ASCII in a row
}

// maxRun bytes of ASCII in a row, none of them zero, are not UTF-16.
const maxRun = 64

func (u *utf16Reader) Read(p []byte) (int, error) {
	n, err := u.r.Read(p)
	for _, c := range p[:n] {
		if u.run++; !isASCIIText(c) {
			u.run = 0
		}
		if u.run == maxRun {
			return 0, &BinaryError{Kind: Kind{"UTF-16 that goes on in another encoding", "save each part as UTF-8, and join them again"}}
		}
	}
	return n, err
}

func peek(in *bufio.Reader) ([]byte, error) {
	prefix, err := in.Peek(SniffBytes)
	if err != nil && err != io.EOF {
		return nil, err
	}
	return prefix, nil
}

// A gzipReader makes the errors of gzip say that they are.
type gzipReader struct{ z *gzip.Reader }

func (r gzipReader) Read(p []byte) (int, error) {
	n, err := r.z.Read(p)
	return n, gzipError(err)
}

func gzipError(err error) error {
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return err
	case errors.Is(err, io.ErrUnexpectedEOF):
		return fmt.Errorf("a gzip file that is cut short: %w", err)
	}
	return fmt.Errorf("a gzip file that is damaged: %w", err)
}

// check refuses the beginning of a file that is not text: a kind of file that is known, or zero bytes.
func check(prefix []byte, gzipped bool) error {
	if kind, ok := Identify(prefix); ok {
		return &BinaryError{kind, gzipped}
	}
	if bytes.IndexByte(prefix[:min(len(prefix), SniffBytes)], 0) >= 0 {
		return &BinaryError{Kind{Advice: "give UTF-8, UTF-16 or ASCII"}, gzipped}
	}
	return nil
}

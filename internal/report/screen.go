package report

import (
	"bytes"
	"io"
	"strings"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/width"
)

// A Screen is what a report is printed on. The zero Screen is a file or a pipe: it has no
// end on the right, and no colours.
type Screen struct {
	Width int  // in columns; 0 for any
	Color bool // whether it shows colours
}

// A Tone is the colour of a word that says how good something is.
type Tone string

// The tones, as terminals number colours (ECMA-48 section 8.3.117).
const (
	Bad   Tone = "31"
	Good  Tone = "32"
	Warn  Tone = "33"
	Note  Tone = "36"
	Plain Tone = ""
)

// Paint is text in a tone, if the screen shows colours.
func (s Screen) Paint(t Tone, text string) string {
	if !s.Color || t == Plain || text == "" {
		return text
	}
	return "\x1b[" + string(t) + "m" + text + "\x1b[0m"
}

// Verdict is text in the colour of a yes or a no.
func (s Screen) Verdict(yes bool, text string) string {
	if yes {
		return s.Paint(Good, text)
	}
	return s.Paint(Bad, text)
}

// A screenWriter writes lines to a screen. One that is too long is continued on the next,
// below its text.
type screenWriter struct {
	w    io.Writer
	s    Screen
	line []byte // the last, if it has no end yet
}

// Show gives the report a writer onto the screen.
func (s Screen) Show(w io.Writer, report func(io.Writer) error) error {
	if s == (Screen{}) {
		return report(w)
	}
	out := &screenWriter{w: w, s: s}
	if err := report(out); err != nil {
		return err
	}
	_, err := w.Write(fold(out.line, s.Width))
	return err
}

// ScreenOf is the screen that a writer of Show writes to, and the zero Screen for any other.
func ScreenOf(w io.Writer) Screen {
	if out, ok := w.(*screenWriter); ok {
		return out.s
	}
	return Screen{}
}

// Unfolded is a report with lines that stay whole on any screen: they are for devices.
func Unfolded(report func(io.Writer) error) func(io.Writer) error {
	return func(w io.Writer) error {
		if out, ok := w.(*screenWriter); ok {
			w = out.w
		}
		return report(w)
	}
}

func (s *screenWriter) Write(p []byte) (int, error) {
	n := len(p)
	for {
		i := bytes.IndexByte(p, '\n')
		if i < 0 {
			s.line = append(s.line, p...)
			return n, nil
		}
		s.line = append(s.line, p[:i+1]...)
		p = p[i+1:]
		if _, err := s.w.Write(fold(s.line, s.s.Width)); err != nil {
			return 0, err
		}
		s.line = s.line[:0]
	}
}

// fold breaks a line that is wider than a screen, at blanks if it can.
func fold(line []byte, limit int) []byte {
	if limit <= 0 || len(line) <= limit {
		return line
	}
	text, end := bytes.CutSuffix(line, []byte("\n"))
	if Columns(string(text)) <= limit {
		return line
	}
	out := strings.Join(wrap(string(text), limit, hang(string(text), limit)), "\n")
	if end {
		out += "\n"
	}
	return []byte(out)
}

// hang is where the continuation of a line begins: below the text after its label, which
// two blanks or more end, or a little to the right of the line.
func hang(line string, limit int) int {
	text := strings.TrimLeft(line, " ")
	indent := len(line) - len(text)
	if label, rest, ok := strings.Cut(text, "  "); ok {
		at := indent + Columns(label) + 2 + len(rest) - len(strings.TrimLeft(rest, " "))
		if at <= min(limit/2, limit-2) {
			return at
		}
	}
	return max(min(indent+2, limit/2, limit-2), 0)
}

// wrap breaks text into lines of at most limit columns; all but the first begin with hang
// blanks. Words that are longer than a line are broken anywhere.
func wrap(text string, limit, hang int) (lines []string) {
	var line strings.Builder
	at, begun := 0, false // the column, and whether a word is on the line
	next := func() {
		lines = append(lines, line.String())
		line.Reset()
		line.WriteString(strings.Repeat(" ", hang))
		at, begun = hang, false
	}
	for text != "" {
		word := strings.TrimLeft(text, " ")
		gap := len(text) - len(word)
		if i := strings.IndexByte(word, ' '); i >= 0 {
			word, text = word[:i], word[i:]
		} else {
			text = ""
		}
		n := Columns(word)
		if begun && at+gap+n > limit {
			next()
			gap = 0
		} else if !begun && len(lines) > 0 {
			gap = 0
		}
		if at+gap < limit {
			line.WriteString(strings.Repeat(" ", gap))
			at += gap
		}
		for at+n > limit {
			if _, columns := character(word); at+columns > limit && at > hang {
				next() // a wide character in the last column
				continue
			}
			head := first(word, max(limit-at, 1))
			line.WriteString(head)
			word = word[len(head):]
			n = Columns(word)
			next()
		}
		line.WriteString(word)
		at, begun = at+n, true
	}
	return append(lines, line.String())
}

// Columns is how many columns of a terminal text takes: two for a wide character of East
// Asia, none for one that joins another and for the escapes of Paint.
func Columns(s string) (n int) {
	for i := 0; i < len(s); {
		if c := s[i]; ' ' <= c && c < utf8.RuneSelf { // nearly all of any report
			i, n = i+1, n+1
			continue
		}
		step, columns := character(s[i:])
		i, n = i+step, n+columns
	}
	return n
}

// character is the length in bytes of the first character of s, or of an escape of Paint,
// and how many columns it takes.
func character(s string) (length, columns int) {
	switch c := s[0]; {
	case c == 0x1b:
		if i := strings.IndexByte(s, 'm'); i > 0 {
			return i + 1, 0
		}
		return 1, 0
	case c < utf8.RuneSelf:
		return 1, 1
	}
	r, length := utf8.DecodeRuneInString(s)
	if joins(r) {
		return length, 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return length, 2
	}
	return length, 1
}

// joins reports whether a character joins the one before it.
func joins(r rune) bool { return unicode.In(r, unicode.Mn, unicode.Me) }

// first is the beginning of s that takes at most limit columns, and at least a character.
func first(s string, limit int) string {
	n := 0
	for i := 0; i < len(s); {
		step, columns := character(s[i:])
		if n+columns > limit && i > 0 {
			return s[:i]
		}
		i, n = i+step, n+columns
	}
	return s
}

// Middle is text of at most limit columns: a long one lacks its middle, for which there is
// an ellipsis.
func Middle(s string, limit int) string {
	n := Columns(s)
	if n <= limit {
		return s
	}
	if strings.IndexByte(s, 0x1b) >= 0 {
		return first(s, max(limit, 1)) + "\x1b[0m"
	}
	if limit < 3 {
		return first(s, max(limit, 1))
	}
	head := first(s, limit/2)
	tail := s
	for n > limit-1-Columns(head) {
		step, columns := character(tail)
		tail, n = tail[step:], n-columns
	}
	return head + "…" + strings.TrimLeftFunc(tail, joins) // without what joined the last character that went
}

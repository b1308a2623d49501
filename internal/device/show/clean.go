package show

import (
	"strings"

	"trustpool/internal/report"
)

// A line is one of a text, as a terminal would have shown it.
type line struct {
	number int // from 1
	indent int // blanks before it
	text   string
	paged  bool // a pager's mark stood before it, so the indent counts for nothing
	tab    bool // there is a tab among the blanks
	last   int  // number of the last line that was joined to it
	width  int  // columns of that
}

const (
	tabWidth = 8
	pager    = "--More--"
	// pagerBlanks are what a device overwrites its mark with, where the backspaces
	// are lost.
	pagerBlanks = "         "
)

// clean is a line without what is no text. What moves the cursor counts only where
// the line begins with a pager's mark: a name that holds such characters must not
// write over what stands before it.
func clean(raw string) line {
	raw = noControlSequences(strings.TrimLeft(strings.TrimRight(raw, "\r\n"), "\r"))
	text := strings.TrimLeft(raw, " \t")
	l := line{indent: width(raw[:len(raw)-len(text)]), tab: strings.Contains(raw[:len(raw)-len(text)], "\t")}
	if strings.HasPrefix(text, pager) && l.indent < valueIndent {
		l.paged = true
		at := len(raw) - len(text)
		if at > 0 { // a blank before the mark belongs to it, those before are a margin
			at--
		}
		shown := raw[:at] + terminal(raw[at:])
		text = strings.TrimLeft(shown, " ")
		l.indent = len(shown) - len(text)
		if rest, ok := strings.CutPrefix(text, pager); ok { // not written over
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, " "), pagerBlanks[1:])
			text = strings.TrimLeft(rest, " ")
			l.indent = len(rest) - len(text)
		}
	}
	l.text = strings.TrimRight(report.Printable(text), " ")
	return l
}

// width is how far blanks and tabs reach.
func width(blanks string) (column int) {
	for _, c := range blanks {
		if column++; c == '\t' {
			column = (column + tabWidth - 1) / tabWidth * tabWidth
		}
	}
	return column
}

// noControlSequences leaves out control sequences, such as those for colours
// (ECMA-48 section 5.4).
func noControlSequences(raw string) string {
	before, rest, found := strings.Cut(raw, "\x1b[")
	if !found {
		return raw
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		end := strings.IndexFunc(rest, func(r rune) bool { return r >= 0x40 && r <= 0x7e })
		before, rest, found = strings.Cut(rest[end+1:], "\x1b[")
		if end < 0 {
			return b.String()
		}
	}
	b.WriteString(before)
	return b.String()
}

// terminal is what a terminal shows of a line: what is written over is gone.
func terminal(raw string) string {
	var out []byte
	column := 0
	for _, c := range []byte(raw) {
		switch {
		case c == '\b':
			column = max(column-1, 0)
		case c == '\r':
			column = 0
		case c == '\t':
			column = (column/tabWidth + 1) * tabWidth
			for len(out) < column {
				out = append(out, ' ')
			}
		case column < len(out):
			out[column] = c
			column++
		default:
			out = append(out, c)
			column++
		}
	}
	return string(out)
}

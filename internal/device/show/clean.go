package show

import (
	"strconv"
	"strings"

	"trustpool/internal/report"
)

// A line is one of a text, as a terminal would have shown it.
type line struct {
	number int // from 1
	indent int // blanks before it
	text   string
	paged  bool // a pager's mark was before it, so the indent counts for nothing
	tab    bool // there is a tab among the blanks
	last   int  // number of the last line that was joined to it
	width  int  // columns of that
	blank  bool // a blank was at its end
}

// mark is that of a pager, as devices and terminal servers write it; pager is one at the
// beginning of a line.
var (
	mark  = pattern(markText)
	pager = pattern(`^` + markText)
)

const markText = `(?i:--+ ?more ?--+(?:\(\d{1,3}%\))?|<--- more --->)`

const (
	tabWidth = 8
	// erase is the control sequence that clears the rest of a line, behind a
	// pager's mark.
	erase = "\x00"
	// pagerBlanks are what a device overwrites its mark with, if the backspaces
	// are lost.
	pagerBlanks = "         "
)

// clean is a line without what is not text. What moves the cursor counts only where
// the line begins with a pager's mark: a name that holds such characters must not
// write over what is before it.
func clean(raw string) line {
	raw = noControlSequences(strings.TrimLeft(strings.TrimRight(raw, "\r\n"), "\r"))
	text := strings.TrimLeft(raw, " \t")
	l := line{indent: width(raw[:len(raw)-len(text)]), tab: strings.Contains(raw[:len(raw)-len(text)], "\t")}
	if text != "" && (text[0] == '-' || text[0] == '<') && pager().MatchString(text) && l.indent < valueIndent {
		l.paged = true
		at := len(raw) - len(text)
		if at > 0 { // a blank before the mark belongs to it, those before are a margin
			at--
		}
		shown := raw[:at] + terminal(raw[at:])
		text = strings.TrimLeft(shown, " ")
		l.indent = len(shown) - len(text)
		if left := pager().FindString(text); left != "" { // not written over
			rest := text[len(left):]
			rest = strings.TrimPrefix(strings.TrimPrefix(rest, " "), pagerBlanks[1:])
			text = strings.TrimLeft(rest, " ")
			l.indent = len(rest) - len(text)
		}
	}
	l.text = strings.TrimRight(report.Printable(strings.TrimRight(text, " \t")), " ")
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

// noControlSequences leaves out control sequences, such as those for colours, and other
// escapes (ECMA-48 section 5). Behind a pager's mark those that move the cursor back, and
// that clear the line, become characters that do so.
func noControlSequences(raw string) string {
	if !strings.Contains(raw, "\x1b") {
		return raw
	}
	raw = escapes().ReplaceAllString(raw, "")
	before, rest, found := strings.Cut(raw, "\x1b[")
	if !found {
		return raw
	}
	var b strings.Builder
	for found {
		b.WriteString(before)
		end := strings.IndexFunc(rest, func(r rune) bool { return r >= 0x40 && r <= 0x7e })
		if end < 0 {
			return b.String()
		}
		if paged := pager().MatchString(strings.TrimLeft(b.String(), " ")); paged {
			b.WriteString(cursor(rest[:end], rest[end]))
		}
		before, rest, found = strings.Cut(rest[end+1:], "\x1b[")
	}
	b.WriteString(before)
	return b.String()
}

// bare is a line without control sequences. Those behind a pager's mark stay: what they
// do is known once what is before the mark is cut.
func bare(raw string) string {
	raw = strings.TrimLeft(strings.TrimRight(raw, "\r\n"), "\r")
	if strings.Contains(raw, "\x1b") {
		if at := mark().FindStringIndex(raw); at != nil {
			return noControlSequences(raw[:at[0]]) + raw[at[0]:]
		}
	}
	return noControlSequences(raw)
}

// escapes are the control functions that are no control sequences: titles of windows,
// and those of one character, perhaps with others before it.
var escapes = pattern(`\x1b(?:\][^\x07\x1b]*(?:\x07|\x1b\\)|[ -/]+[0-~]|[0-Z^-~])`)

// cursor is what terminal does as a control sequence would.
func cursor(parameter string, final byte) string {
	switch final {
	case 'K':
		if parameter == "1" || parameter == "2" { // from its beginning too
			return "\r" + erase
		}
		return erase
	case 'G':
		return "\r"
	case 'D':
		n, _ := strconv.Atoi(parameter)
		return strings.Repeat("\b", min(max(n, 1), 80))
	}
	return ""
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
		case c == erase[0]:
			out = out[:min(column, len(out))]
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

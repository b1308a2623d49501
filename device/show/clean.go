package show

import (
	"strings"

	"trustpool/bundle"
)

// A line is one of a text, as a terminal would have shown it.
type line struct {
	number int // from 1
	indent int // blanks before it
	text   string
	paged  bool // a pager's mark stood before it, so the indent counts for nothing
}

const (
	tabWidth = 8
	// pagerBlanks are what a device overwrites its mark with, where the backspaces
	// are lost.
	pagerBlanks = "         "
)

// clean is a line without what is no text.
func clean(raw string) line {
	raw = strings.TrimRight(raw, "\r\n")
	if strings.ContainsAny(raw, "\b\r\t\x1b") {
		raw = terminal(raw)
	}
	text := strings.TrimLeft(raw, " ")
	l := line{indent: len(raw) - len(text)}
	if rest, ok := strings.CutPrefix(text, "--More--"); ok && l.indent < valueIndent {
		l.paged = true
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, " "), pagerBlanks[1:])
		text = strings.TrimLeft(rest, " ")
		l.indent = len(rest) - len(text)
	}
	l.text = strings.TrimRight(bundle.Printable(text), " ")
	return l
}

// terminal is what a terminal shows of a line: what is written over is gone.
func terminal(raw string) string {
	var out []byte
	column := 0
	put := func(c byte) {
		if column < len(out) {
			out[column] = c
		} else {
			out = append(out, c)
		}
		column++
	}
	for i := 0; i < len(raw); i++ {
		switch c := raw[i]; c {
		case '\b':
			column = max(column-1, 0)
		case '\r':
			column = 0
		case '\t':
			for put(' '); column%tabWidth != 0; {
				put(' ')
			}
		case 0x1b: // a control sequence (ECMA-48 section 5.4) is passed over
			if i+1 < len(raw) && raw[i+1] == '[' {
				for i += 2; i < len(raw) && (raw[i] < 0x40 || raw[i] > 0x7e); i++ {
				}
			}
		default:
			put(c)
		}
	}
	return string(out)
}

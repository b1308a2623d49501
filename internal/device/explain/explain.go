// Package explain reads what devices log and print, and says of each message
// about trust that it knows: the cause, what to look at, and what to do.
//
// A message is known by the words that a public source shows. Lost line breaks do
// not matter, because copying loses them: several messages of one line are each
// found. One that was broken in two, as by a narrow terminal, is not found where
// the break stands before its last known word. What is not known is passed over in
// silence.
package explain

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"strings"
	"unicode/utf8"

	"trustpool/internal/device"
)

// Limits of what is read. Read looks at most at MaxLine bytes of a line; the
// rest of a longer one is passed over, and the report says so.
const (
	MaxLine    = 1 << 20 // bytes
	MaxExcerpt = 200     // bytes of a message that a report shows
	maxSpan    = 400     // bytes from the first word of a message to its last
)

// A Kind says what a message is.
type Kind string

// The kinds.
const (
	Problem Kind = "problem"
	Good    Kind = "good"
	Note    Kind = "note"
)

// A Message is one that devices are known to print.
type Message struct {
	ID        string // a slug
	Kind      Kind
	Platforms []string // names of device.Platforms that print it
	// Parts are words that it has, in this order and not far apart. Letter case
	// counts.
	Parts []string
	device.Ground
	Meaning string
	Causes  []device.Note
	Checks  []device.Note // commands, or what to compare
	Fixes   []device.Note // commands, or what to change
}

// A Finding is a message and where it was seen.
type Finding struct {
	Message
	Count     int
	FirstLine int    // from 1
	Excerpt   string // of the first one, as it came
}

// A Report is what was found, in the order of first lines, then of Messages.
type Report struct {
	File     string // as given
	Lines    int    // read
	Cut      int    // lines longer than MaxLine
	Findings []Finding
}

// Read looks for the messages of Messages in a log. The error is that of r.
func Read(r io.Reader) (*Report, error) {
	messages := Messages()
	findings := make([]Finding, len(messages))
	report := &Report{}
	in := bufio.NewReaderSize(r, 64<<10)
	for {
		line, cut, err := readLine(in)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		report.Lines++
		if cut {
			report.Cut++
		}
		for i, m := range messages {
			count, first := m.find(line)
			if count == 0 {
				continue
			}
			if f := &findings[i]; f.Count == 0 {
				*f = Finding{Message: m, FirstLine: report.Lines, Excerpt: excerpt(line[first:])}
			}
			findings[i].Count += count
		}
	}
	for _, f := range findings {
		if f.Count > 0 {
			report.Findings = append(report.Findings, f)
		}
	}
	sortByLine(report.Findings)
	return report, nil
}

// readLine reads up to a line break, keeping at most MaxLine bytes. It is io.EOF
// where nothing is left.
func readLine(in *bufio.Reader) (line string, cut bool, err error) {
	var b strings.Builder
	read := 0
	for {
		part, err := in.ReadSlice('\n')
		read += len(part)
		part = bytes.TrimRight(part, "\r\n")
		kept := part[:min(len(part), MaxLine-b.Len())]
		cut = cut || len(kept) < len(part)
		b.Write(kept)
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
			continue
		case errors.Is(err, io.EOF) && read > 0:
			err = nil
		}
		return b.String(), cut, err
	}
}

// find counts the message in a line, and says where the first one begins.
func (m *Message) find(line string) (count, first int) {
	for at := 0; ; {
		i := indexWord(line[at:], m.Parts[0])
		if i < 0 {
			return count, first
		}
		begin := at + i
		at = begin + len(m.Parts[0])
		// The message ends where another of its kind begins.
		rest := line[at:min(len(line), at+maxSpan)]
		if next := indexWord(rest, m.Parts[0]); next >= 0 {
			rest = rest[:next]
		}
		if hasAll(rest, m.Parts[1:]) {
			if count == 0 {
				first = begin
			}
			count++
		}
	}
}

func hasAll(s string, parts []string) bool {
	for _, p := range parts {
		i := indexWord(s, p)
		if i < 0 {
			return false
		}
		s = s[i+len(p):]
	}
	return true
}

// indexWord is strings.Index for a text that is no part of longer words.
func indexWord(s, text string) int {
	for at := 0; ; {
		i := strings.Index(s[at:], text)
		if i < 0 {
			return -1
		}
		begin, end := at+i, at+i+len(text)
		if (begin == 0 || !wordPart(s[begin-1]) || !wordPart(text[0])) && (end == len(s) || !wordPart(s[end]) || !wordPart(text[len(text)-1])) {
			return begin
		}
		at = begin + 1
	}
}

func wordPart(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z' || c == '_'
}

// excerpt is the beginning of a message, whole characters.
func excerpt(s string) string {
	if len(s) <= MaxExcerpt {
		return s
	}
	end := MaxExcerpt
	for end > 0 && !utf8.RuneStart(s[end]) {
		end--
	}
	return s[:end] + "…"
}

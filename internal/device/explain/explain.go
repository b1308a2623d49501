// Package explain reads what devices log and print, and says of each message about
// trust what it means, what may have caused it, what to look at, and what to do.
//
// A message is read as it is built. What is before it and its outer facility say
// which platform printed it, its mnemonic what it is about, and the text after the
// first colon of its text the reason. A cause is given for the reasons for which a
// source says it; any other reason is shown as it came, with checks that tell the
// possible causes apart. The catalogue is catalogue.txt.
//
// Several messages of one line are each found, because copying loses line breaks.
// A message that a narrow terminal broke, or that has several lines, is one.
package explain

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/fetch/text"
	"trustpool/internal/report"
)

// Limits of what is read.
const (
	maxBytes    = 1 << 40  // of a log, uncompressed
	MaxUnread   = 16 << 20 // bytes since the last line that is a message, uncompressed
	MaxLine     = 1 << 20  // bytes; the rest of a longer line is passed over, and the report says so
	MaxExcerpt  = 200      // bytes of a message that a report shows
	MaxReason   = 300      // bytes of a reason that a report shows
	MaxFindings = 1000     // findings; those beyond are counted
	MaxUnknown  = 200      // names of messages that are not known; those beyond are counted
	maxSpan     = 400      // bytes from the first word of a message to its last
	minWrapped  = 40       // bytes of a line that may have been broken
	maxWrapped  = 4        // lines that a message is broken into
	maxMembers  = 20       // lines of a message that has several
)

// A Kind says what a message is.
type Kind string

// The kinds.
const (
	Problem Kind = "problem"
	Good    Kind = "good"
	Note    Kind = "note"
)

// A Finding is a message, for one of its reasons, and where it was seen.
type Finding struct {
	ID          string   `json:"id"` // a slug
	Kind        Kind     `json:"kind"`
	Platforms   []string `json:"platforms"` // names of device.Platforms that print it
	Count       int      `json:"count"`
	FirstLine   int      `json:"first_line"`   // from 1
	Excerpt     string   `json:"excerpt"`      // of the first one, as it came but for a percent sign that was missing
	Reason      *string  `json:"reason"`       // in the words of the log; nil for a kind of message that gives none
	ReasonKnown *bool    `json:"reason_known"` // nil if Reason is
	Meaning     string   `json:"meaning"`
	device.Ground
	Causes []device.Note `json:"causes"`
	Checks []device.Note `json:"checks"` // commands, or what to compare
	Fixes  []device.Note `json:"fixes"`  // commands, or what to change
}

// An Unknown is a message about trust that is not in the catalogue.
type Unknown struct {
	Name      string `json:"name"` // as %PKI-3-EXAMPLE
	Count     int    `json:"count"`
	FirstLine int    `json:"first_line"`
}

// A Report is what was found, in the order of first lines.
type Report struct {
	File     string    `json:"file"`         // as given
	Lines    int       `json:"lines"`        // read
	Cut      int       `json:"lines_cut"`    // lines longer than MaxLine
	Unread   int       `json:"lines_unread"` // lines of no known form
	Unknown  []Unknown `json:"unknown"`
	More     int       `json:"more"` // messages beyond MaxFindings and MaxUnknown
	Findings []Finding `json:"findings"`
}

// A FormError says that a text is not a log of a device: fewer than one in ten of
// its lines have a known form.
type FormError struct {
	Kind        string // what it is instead; empty if that is not known
	Lines, Read int    // lines that are not empty, and those of a known form
}

func (e *FormError) Error() string {
	kind := ""
	if e.Kind != "" {
		kind = "it is " + e.Kind + "; "
	}
	return fmt.Sprintf("not a log of a device: %s%d of its %d lines have the form of a message or of a command", kind, e.Read, e.Lines)
}

// Read looks for known messages in a log, which may be gzip or UTF-16, as
// [text.NewReader] reads it. It holds no more of it than a few lines. The error is
// a [*FormError], that of r, or of what is not text.
func Read(r io.Reader) (*Report, error) {
	decoded, err := text.NewReader(r)
	if err != nil {
		return nil, err
	}
	s := reader{Report: Report{Unknown: []Unknown{}, Findings: []Finding{}}, in: bufio.NewReaderSize(decoded, 64<<10), seen: map[string]int{}}
	begin, _ := s.in.Peek(text.SniffBytes) // an error comes again
	kind := text.Name(begin)
	if err := s.read(); err != nil {
		return nil, err
	}
	if s.filled == 0 {
		return nil, errors.New("there is no line in it")
	}
	if s.known*10 < s.filled {
		return nil, &FormError{Kind: kind, Lines: s.filled, Read: s.known}
	}
	slices.SortStableFunc(s.Findings, func(a, b Finding) int { return a.FirstLine - b.FirstLine })
	return &s.Report, nil
}

// A reader reads one log.
type reader struct {
	Report
	in      *bufio.Reader
	bytes   int64          // read
	unread  int64          // bytes since the last message
	filled  int            // lines that are not empty
	known   int            // those of a known form
	seen    map[string]int // index of Findings by what tells them apart
	pending *pending

	session  bool   // a prompt was seen, so lines are what a command printed
	platform string // that of the prompt; empty if it does not say
	members  int    // lines that may still belong to the last message
}

// pending is a message whose reason may go on in the next line.
type pending struct {
	message
	entry         *entry // its kind
	line, wrapped int
	at            string // the message, as it came
	first, last   int    // bytes of its first line and of its last one
}

func (s *reader) read() error {
	var held string // a line that a terminal broke
	var first, parts int
	var hyphen bool // the line before ends with one
	flush := func() {
		if parts > 0 {
			s.line(held, first)
		}
		held, parts = "", 0
	}
	for {
		line, size, cut, err := s.readLine()
		if err != nil && !errors.Is(err, io.EOF) {
			return err
		}
		if size == 0 && err != nil {
			break
		}
		if strings.IndexByte(line, '\x1b') >= 0 {
			line = colours().ReplaceAllString(line, "")
		}
		broken := wrapped(line)
		if !hyphen { // a name may be broken there
			line = restored(line)
		}
		hyphen = strings.HasSuffix(line, "-")
		s.Lines++
		s.bytes += size
		s.unread += size
		if cut {
			s.Cut++
		}
		if s.bytes > maxBytes {
			return fmt.Errorf("more than %d bytes, which is the limit", int64(maxBytes))
		}
		filled := strings.TrimSpace(line) != ""
		if filled {
			s.filled++
		}
		if parts > 0 && parts < maxWrapped && filled && !begins(line) && !isJSON(line) {
			held += line
			s.known++ // it is a part of what was known
		} else {
			flush()
			held, first = line, s.Lines
		}
		if filled {
			if parts++; !broken || !strings.Contains(held, "%") {
				flush()
			}
		}
		if s.unread > MaxUnread {
			return fmt.Errorf("line %d: no message in the last %d bytes, which is the limit", s.Lines, MaxUnread)
		}
		if err != nil {
			break
		}
	}
	flush()
	s.settle("")
	return nil
}

// readLine reads up to a line break, keeping at most MaxLine bytes. At the end the
// error is io.EOF, perhaps beside a last line.
func (s *reader) readLine() (line string, size int64, cut bool, err error) {
	part, err := s.in.ReadSlice('\n')
	if err == nil { // in one piece, as nearly all
		return string(bytes.TrimRight(part, "\r\n")), int64(len(part)), false, nil
	}
	var b strings.Builder
	for {
		size += int64(len(part))
		part = bytes.TrimRight(part, "\r\n")
		kept := part[:min(len(part), MaxLine-b.Len())]
		cut = cut || len(kept) < len(part)
		b.Write(kept)
		if !errors.Is(err, bufio.ErrBufferFull) || s.unread+size > MaxUnread {
			break
		}
		part, err = s.in.ReadSlice('\n')
	}
	if errors.Is(err, bufio.ErrBufferFull) {
		err = nil
	}
	return b.String(), size, cut, err
}

// wrapped reports whether a line is as long as a terminal is wide.
func wrapped(line string) bool { return len(line) == 80 || len(line) == 79 || len(line) == 132 }

// line reads one line, or one that was broken; of an export in JSON the messages in it.
func (s *reader) line(line string, number int) {
	if lines, ok := jsonLines(line); ok {
		s.settle("")
		s.members = 0
		for _, l := range lines {
			s.messages(l, number)
			s.words(l, number)
			s.settle("")
		}
		s.unread = 0
		s.known++
		return
	}
	starts := begins(line)
	if !starts && s.settle(line) {
		s.known++
		return
	}
	if starts {
		s.settle("")
	}
	platform, isPrompt := prompt(line)
	if isPrompt {
		s.session, s.platform = true, platform
	} else if heading().MatchString(line) {
		s.session = true
	}
	found := s.messages(line, number)
	found = s.words(line, number) || found
	member := !starts && s.members > 0 && memberLine().MatchString(line)
	switch {
	case found:
		s.members = maxMembers
	case member:
		s.members--
	default:
		s.members = 0
	}
	if found || isPrompt || starts {
		s.unread = 0
	}
	if found || isPrompt || starts || member || s.session {
		s.known++
	} else {
		s.Unread++
	}
}

// messages counts the messages of a line that have a mnemonic.
func (s *reader) messages(line string, number int) bool {
	list := split(line)
	for i, m := range list {
		if m.platform == iosxe && s.platform == iosxr {
			m.platform = iosxr
		}
		e := lookup(&m)
		if e == nil {
			if aboutTrust(&m) {
				s.countUnknown(m.name, number)
			}
			continue
		}
		at := line[m.at:]
		if i+1 < len(list) {
			at = line[m.at:list[i+1].at]
		}
		if e.reason && i == len(list)-1 {
			if r, _ := e.reasonOf(&m, m.platform); r == nil {
				s.settle("")
				s.pending = &pending{message: m, entry: e, line: number, at: at, first: len(line), last: len(line)}
				continue
			}
		}
		s.count(e, &m, number, at)
	}
	return len(list) > 0
}

// settle decides of a message whose reason is not known, with the line after it: if
// that makes it a known one it belongs to it, and also if the message has no reason
// yet, or its lines are all broken at the same width.
func (s *reader) settle(line string) (taken bool) {
	p := s.pending
	if p == nil {
		return false
	}
	next := strings.TrimSpace(line)
	e := p.entry
	_, reason := e.reasonOf(&p.message, p.platform)
	word, _, _ := strings.Cut(next, " ") // did not fit into the line before, if it was broken at a blank
	// A line that has the word before the reason may be longer than the first one.
	labelled := reason == "" && e.after != "" && strings.HasPrefix(next, e.after)
	if next != "" && p.wrapped < maxWrapped && (labelled || len(line) <= p.first+len(word)) {
		for _, joint := range []string{" ", ""} {
			m := p.message
			m.body += joint + next
			if r, _ := e.reasonOf(&m, m.platform); r != nil {
				s.pending = nil
				s.count(e, &m, p.line, p.at+joint+next)
				return true
			}
		}
		full := p.wrapped > 0 && p.last+len(word) >= p.first
		if hard := p.wrapped > 0 && p.last == p.first; hard || labelled || full || reason == "" && p.first >= minWrapped {
			if next = " " + next; hard { // blanks are where they were
				next = line
			}
			p.body += next
			p.at += next
			p.wrapped++
			p.last = len(line)
			return true
		}
	}
	s.pending = nil
	s.count(e, &p.message, p.line, p.at)
	return false
}

// words counts the messages of a line that have no mnemonic.
func (s *reader) words(line string, number int) (found bool) {
	for _, e := range known().byWords {
		all := e.find(line)
		for i, begin := range all {
			found = true
			end := len(line)
			if i+1 < len(all) {
				end = all[i+1]
			}
			m := message{platform: s.platform, at: begin, body: line[begin+len(e.parts[0]) : end]}
			if e.reason && strings.HasPrefix(strings.TrimLeft(m.body, " "), "<none>") {
				continue // no failure
			}
			s.count(e, &m, number, line[begin:])
		}
	}
	return found
}

// count counts a message.
func (s *reader) count(e *entry, m *message, number int, at string) {
	f := e.finding(m)
	key := f.ID + "\x00" + strings.Join(f.Platforms, " ")
	if f.Reason != nil {
		key += "\x00" + *f.Reason
	}
	i, ok := s.seen[key]
	if !ok {
		if len(s.Findings) == MaxFindings {
			s.More++
			return
		}
		i = len(s.Findings)
		s.seen[key] = i
		f.FirstLine, f.Excerpt = number, shorten(strings.TrimSpace(at), MaxExcerpt)
		s.Findings = append(s.Findings, f)
	}
	s.Findings[i].Count++
}

func (s *reader) countUnknown(name string, number int) {
	list := &s.Unknown
	i := slices.IndexFunc(*list, func(u Unknown) bool { return u.Name == name })
	switch {
	case i >= 0:
		(*list)[i].Count++
	case len(*list) == MaxUnknown:
		s.More++
	default:
		*list = append(*list, Unknown{strings.Clone(name), 1, number})
	}
}

// shorten is [report.Cut] in memory of its own.
func shorten(s string, n int) string { return strings.Clone(report.Cut(s, n)) }

package config

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/report"
	"trustpool/signing"
)

// Schema is the schema of WriteJSON's document.
const Schema = "trustpool.config/1"

// width is that of comments: no command line cuts them.
const width = 78

// WriteText writes the lines to copy. Whatever else is there begins with "!",
// which IOS, IOS XE, IOS XR, ASA and NX-OS take as a comment, and never within a
// dialog: so the marks of what is inferred and unverified break no paste. Answers
// are in comments too: a person is to compare first.
func (s *Script) WriteText(w io.Writer) error {
	buf := bufio.NewWriter(w)
	if s.Refused != "" {
		fmt.Fprintf(buf, "refused: %s\n", report.Printable(s.Refused))
		if s.RefusedOn.Basis != "" {
			fmt.Fprintf(buf, "   %s: %s\n", s.RefusedOn.Basis, s.RefusedOn.Source)
		}
		return buf.Flush()
	}
	if s.Vouched != "" {
		comment(buf, "", s.Vouched)
	}
	comment(buf, "", s.Platform.Title+": "+s.source())
	for _, n := range s.Warnings {
		comment(buf, "warning: ", n.Text+" ("+ground(n.Ground)+")")
	}
	for i, step := range s.Steps {
		fmt.Fprintln(buf, "!")
		comment(buf, strconv.Itoa(i+1)+". ", step.Title)
		step.writeText(buf)
	}
	fmt.Fprintln(buf, "!")
	comment(buf, "", "Afterwards")
	for _, c := range s.Checks {
		if c.Basis != device.Confirmed {
			comment(buf, "", fmt.Sprintf("%s (%s):", c.Basis, c.Source))
		}
		fmt.Fprintln(buf, c.Text)
		for l := range strings.Lines(c.Want) {
			comment(buf, "   ", l)
		}
	}
	return buf.Flush()
}

// WriteLines writes the lines that change the device, and no checks. Of pastes it writes
// also what to know before each: who vouches, warnings, fingerprints and what to answer.
func (s *Script) WriteLines(w io.Writer) error {
	buf := bufio.NewWriter(w)
	for _, step := range s.Steps {
		pastes := slices.ContainsFunc(step.Lines, func(l Line) bool { return l.Mode == Paste })
		if pastes {
			step.writeRemarks(buf)
		}
		step.writeLines(buf)
	}
	return buf.Flush()
}

// writeText writes comments, then the lines without any between them.
func (step Step) writeText(w io.Writer) {
	step.writeRemarks(w)
	var marks []device.Ground
	marked := map[device.Ground][]string{}
	for _, l := range step.Lines {
		if l.Basis == device.Confirmed || l.Mode == Paste {
			continue
		}
		if marked[l.Ground] == nil {
			marks = append(marks, l.Ground)
		}
		marked[l.Ground] = append(marked[l.Ground], l.Text)
	}
	for _, g := range marks {
		comment(w, "", fmt.Sprintf("%s (%s): %s", g.Basis, g.Source, strings.Join(marked[g], "; ")))
	}
	step.writeLines(w)
}

// writeRemarks writes what to know before the lines, and what to answer to them.
func (step Step) writeRemarks(w io.Writer) {
	for _, r := range step.Remarks {
		comment(w, "", r)
	}
	for _, l := range step.Lines {
		if l.Comment == nil {
			continue
		}
		text, shown, _ := strings.Cut(*l.Comment, "\n")
		comment(w, "", l.Text+": "+text)
		if shown != "" { // by the device, blank for blank
			fmt.Fprintf(w, "!    %s\n", ascii(shown))
		}
	}
}

func (step Step) writeLines(w io.Writer) {
	for _, l := range step.Lines {
		if l.Mode != Answer {
			fmt.Fprintln(w, l.Text)
		}
	}
}

func ground(g device.Ground) string { return string(g.Basis) + ": " + g.Source }

// comment writes text as lines of comment: ASCII, without what a command line
// acts on even there, and no longer than width: a name may be one long word.
func comment(w io.Writer, label, text string) {
	indent := strings.Repeat(" ", len(label))
	line := "! " + label
	empty := true
	for word := range strings.FieldsSeq(ascii(text)) {
		if !empty && len(line)+1+len(word) > width {
			fmt.Fprintln(w, line)
			line, empty = "! "+indent, true
		}
		if !empty {
			line += " "
		}
		for room := width - len(line); len(word) > room; room = width - len(line) {
			fmt.Fprintln(w, line+word[:room])
			line, word = "! "+indent, word[room:]
		}
		line, empty = line+word, false
	}
	fmt.Fprintln(w, strings.TrimRight(line, " "))
}

// ascii escapes what is not printable ASCII, and question marks, which a command
// line takes as a call for help wherever they are.
func ascii(s string) string {
	q := strconv.QuoteToASCII(strings.TrimRight(s, "\n"))
	q = strings.ReplaceAll(q[1:len(q)-1], `\"`, `"`)
	return strings.ReplaceAll(strings.ReplaceAll(q, `\\`, `\`), "?", `\x3f`)
}

// WriteJSON writes the script as one document, schema Schema.
func (s *Script) WriteJSON(w io.Writer) error {
	type certificate struct {
		SHA256  string `json:"sha256"`
		SHA1    string `json:"sha1"`
		MD5     string `json:"md5"`
		Subject string `json:"subject"`
	}
	doc := struct {
		Schema        string          `json:"schema"`
		Platform      string          `json:"platform"`
		URL           *string         `json:"url"`
		File          *string         `json:"file"`
		Certificates  []certificate   `json:"certificates"` // to paste
		Signature     *signing.Reason `json:"signature"`    // or "verified"; null without certificates
		Vouched       *string         `json:"vouched"`      // the same in words
		Refused       *string         `json:"refused"`
		RefusedBasis  *device.Basis   `json:"refused_basis"`
		RefusedSource *string         `json:"refused_source"`
		Warnings      device.Notes    `json:"warnings"`
		Steps         []Step          `json:"steps"`
		Checks        []Check         `json:"checks"`
	}{
		Schema, s.Platform.Name, report.Optional(s.URL), report.Optional(s.File), []certificate{}, nil, report.Optional(s.Vouched),
		report.Optional(s.Refused), report.Optional(s.RefusedOn.Basis), report.Optional(s.RefusedOn.Source), s.Warnings, s.Steps, s.Checks,
	}
	switch {
	case len(s.PEM) == 0:
	case s.verified():
		doc.Signature = new(signing.Reason("verified"))
	case s.Signature != nil:
		doc.Signature = s.Signature.Reason
	default:
		doc.Signature = new(signing.NotSigned)
	}
	for _, c := range s.PEM {
		f := FingerprintsOf(c)
		doc.Certificates = append(doc.Certificates, certificate{
			hex.EncodeToString(f.SHA256[:]), hex.EncodeToString(f.SHA1[:]), hex.EncodeToString(f.MD5[:]), c.Subject.String(),
		})
	}
	return report.WriteJSON(w, doc)
}

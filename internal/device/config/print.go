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
		if l.Comment == "" {
			continue
		}
		text, shown, _ := strings.Cut(l.Comment, "\n")
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
	doc := scriptJSON{
		Schema: Schema, Platform: s.Platform.Name, URL: report.Optional(s.URL), File: report.Optional(s.File), Refused: report.Optional(s.Refused),
		RefusedBasis: report.Optional(string(s.RefusedOn.Basis)), RefusedSource: report.Optional(s.RefusedOn.Source),
		Certificates: []certificateJSON{}, Vouched: report.Optional(s.Vouched), Warnings: []noteJSON{}, Steps: []stepJSON{}, Checks: []checkJSON{},
	}
	switch {
	case len(s.PEM) == 0:
	case s.options.verified():
		doc.Signature = new("verified")
	case s.options.Signature != nil:
		doc.Signature = new(string(*s.options.Signature.Reason))
	default:
		doc.Signature = new(string(signing.NotSigned))
	}
	for _, c := range s.PEM {
		f := FingerprintsOf(c)
		doc.Certificates = append(doc.Certificates, certificateJSON{
			hex.EncodeToString(f.SHA256[:]), hex.EncodeToString(f.SHA1[:]), hex.EncodeToString(f.MD5[:]), c.Subject.String(),
		})
	}
	for _, n := range s.Warnings {
		doc.Warnings = append(doc.Warnings, noteJSON{n.Text, n.Basis, n.Source})
	}
	for _, step := range s.Steps {
		out := stepJSON{Title: step.Title, Remarks: step.Remarks}
		if out.Remarks == nil {
			out.Remarks = []string{}
		}
		for _, l := range step.Lines {
			out.Lines = append(out.Lines, lineJSON{l.Mode, l.Text, l.Basis, l.Source, report.Optional(l.Comment)})
		}
		doc.Steps = append(doc.Steps, out)
	}
	for _, c := range s.Checks {
		doc.Checks = append(doc.Checks, checkJSON{c.Mode, c.Text, c.Basis, c.Source, c.Want})
	}
	return report.WriteJSON(w, doc)
}

type scriptJSON struct {
	Schema        string            `json:"schema"`
	Platform      string            `json:"platform"`
	URL           *string           `json:"url"`
	File          *string           `json:"file"`
	Certificates  []certificateJSON `json:"certificates"` // to paste
	Signature     *string           `json:"signature"`    // "verified", or a signing.Reason; null without certificates
	Vouched       *string           `json:"vouched"`      // the same in words
	Refused       *string           `json:"refused"`
	RefusedBasis  *string           `json:"refused_basis"`
	RefusedSource *string           `json:"refused_source"`
	Warnings      []noteJSON        `json:"warnings"`
	Steps         []stepJSON        `json:"steps"`
	Checks        []checkJSON       `json:"checks"`
}

type certificateJSON struct {
	SHA256  string `json:"sha256"`
	SHA1    string `json:"sha1"`
	MD5     string `json:"md5"`
	Subject string `json:"subject"`
}

type noteJSON struct {
	Text   string       `json:"text"`
	Basis  device.Basis `json:"basis"`
	Source string       `json:"source"`
}

type stepJSON struct {
	Title   string     `json:"title"`
	Remarks []string   `json:"remarks"`
	Lines   []lineJSON `json:"lines"`
}

type lineJSON struct {
	Mode    Mode         `json:"mode"`
	Text    string       `json:"text"`
	Basis   device.Basis `json:"basis"`
	Source  string       `json:"source"`
	Comment *string      `json:"comment"`
}

type checkJSON struct {
	Mode   Mode         `json:"mode"`
	Text   string       `json:"text"`
	Basis  device.Basis `json:"basis"`
	Source string       `json:"source"`
	Want   string       `json:"want"`
}

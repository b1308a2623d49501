package watch

import (
	"bufio"
	"encoding/json"
	"fmt"
	"io"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/reach"
	"trustpool/internal/report"
)

// Reasons of this package, beside those of package reach.
const (
	reasonNoAnswer  = "no-answer"  // the server sent no chain when it was asked last
	reasonNotJudged = "not-judged" // the bundle could not be read again
)

// A Report is what is known of the servers; docs/formats.md has every field of its JSON.
type Report struct {
	At report.Moment `json:"at"` // of the last judgement; zero before the first
	// NotJudged is how many judgements of a server with a bundle MaxJudgements left out.
	NotJudged int      `json:"not_judged"`
	Servers   []Server `json:"servers"` // as they were given
	Changes   []Change `json:"changes"` // those of the last round first, in the order of the servers
}

// A Server is what is known of one.
type Server struct {
	Address  string        `json:"server"`
	Asked    report.Moment `json:"asked"`    // zero if it was not
	Answered report.Moment `json:"answered"` // when it last sent a chain; zero for never
	Error    report.Text   `json:"error"`    // why it sent none when it was asked last; empty if it did
	Sent     []Certificate `json:"sent"`     // the chain, as it came last
	Judged   []Judged      `json:"bundles"`  // with each bundle, by name
}

// A Certificate names one.
type Certificate struct {
	Subject  string  `json:"subject"`
	SHA256   string  `json:"sha256"`
	NotAfter *string `json:"not_after"` // nil if no date can be made of it
}

// A Judged is what one bundle makes of a server's chain.
type Judged struct {
	Bundle  string        `json:"bundle"`
	Version report.Text   `json:"version"`
	SHA256  string        `json:"sha256"`
	Status  reach.Status  `json:"status"` // unknown if the server did not answer
	Reason  report.Text   `json:"reason"` // that of package reach, or of this one; empty if OK
	Text    report.Text   `json:"text"`   // of the reason
	Root    *Certificate  `json:"root"`   // to which the chain leads; nil if it leads to none
	Ends    report.Moment `json:"ends"`   // when the chain ceases to be valid; zero if it is not, or for never
	Soon    bool          `json:"soon"`   // that is soon
	Marked  report.Text   `json:"marked"` // who marked Root for removal, in words; empty for nobody

	// What it was when the server last answered, and the last root to which it led.
	LastStatus reach.Status `json:"last_status"`
	LastRoot   *Certificate `json:"last_root"`

	anchors []*certificate.Certificate // while it is judged
}

func (s *Server) with(bundle string) *Judged {
	for i := range s.Judged {
		if s.Judged[i].Bundle == bundle {
			return &s.Judged[i]
		}
	}
	return nil
}

// A What is a kind of change.
type What string

// The kinds.
const (
	Answer What = "answer" // it answers, or does not any more
	Status What = "status" // a bundle makes something else of its chain
	Root   What = "root"   // its chain leads to another root
	End    What = "end"    // its chain ends soon
	Mark   What = "mark"   // its root is marked for removal
)

// A Change is one that a server made, or a bundle, or time.
type Change struct {
	At     time.Time `json:"at"`
	Server string    `json:"server"`
	Bundle *string   `json:"bundle"` // nil if it is about the server with every bundle
	What   What      `json:"what"`
	Before string    `json:"before"` // in words; empty if nothing is known of before
	Now    string    `json:"now"`
}

// String is the change in a line, safe to print.
func (c Change) String() string {
	line := c.Server
	if c.Bundle != nil {
		line += " with " + *c.Bundle
	}
	line += ": " + c.Now
	if c.Before != "" {
		line += "; before: " + c.Before
	}
	return report.Printable(line)
}

// changes are those from one judgement of a server to the next. What is good and new is not one.
func (s *Server) changes(now *Server, at time.Time) (out []Change) {
	add := func(bundle *string, what What, before, is string) {
		out = append(out, Change{At: at, Server: s.Address, Bundle: bundle, What: what, Before: before, Now: is})
	}
	switch was, answers := s.Error == "" && !s.Asked.IsZero(), now.Error == ""; {
	case !answers && (was || s.Asked.IsZero()):
		before := ""
		if was {
			before = "it answered"
		}
		add(nil, Answer, before, "no answer: "+string(now.Error))
	case answers && s.Error != "":
		add(nil, Answer, "no answer", "it answers")
	}
	if now.Error != "" {
		return out
	}
	for i := range now.Judged {
		is, was := &now.Judged[i], s.with(now.Judged[i].Bundle)
		if was == nil {
			was = &Judged{LastStatus: reach.OK}
			if is.Status != reach.OK {
				add(&is.Bundle, Status, "", is.Words())
			}
		} else if was.LastStatus != is.Status {
			add(&is.Bundle, Status, string(was.LastStatus), is.Words())
		}
		if is.Root != nil && was.LastRoot != nil && is.Root.SHA256 != was.LastRoot.SHA256 {
			add(&is.Bundle, Root, "the root "+was.LastRoot.words(), "it moved to the root "+is.Root.words())
		}
		if is.Soon && !was.Soon {
			add(&is.Bundle, End, "", "its chain ends on "+report.Day(is.Ends.Time))
		}
		if is.Marked != "" && was.Marked == "" {
			add(&is.Bundle, Mark, "", "its root is marked for removal: "+string(is.Marked))
		}
	}
	return out
}

func (c *Certificate) words() string { return fmt.Sprintf("%s (%.16s)", c.Subject, c.SHA256) }

// Words are the judgement in a line, not yet safe to print.
func (j *Judged) Words() string {
	switch {
	case j.Status == reach.OK && j.Root != nil:
		return "ok, to the root " + j.Root.words()
	case j.Status == reach.OK:
		return "ok"
	}
	return fmt.Sprintf("%s, %s: %s", j.Status, j.Reason, j.Text)
}

// Good reports whether nothing has changed.
func (r *Report) Good() bool { return len(r.Changes) == 0 }

// WriteText writes the report for a person at a terminal.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	for i := range r.Servers {
		s := &r.Servers[i]
		if i > 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintln(out, report.Printable(s.Address))
		if s.Error != "" {
			fmt.Fprintf(out, "  %s  %s\n", screen.Paint(report.Bad, "no answer"), report.Printable(string(s.Error)))
			if !s.Answered.IsZero() {
				fmt.Fprintf(out, "  %-9s  %s\n", "answered", report.Stamp(s.Answered.Time))
			}
			continue
		}
		for k := range s.Judged {
			j := &s.Judged[k]
			tones := map[reach.Status]report.Tone{reach.OK: report.Good, reach.Broken: report.Bad, reach.Unknown: report.Warn}
			fmt.Fprintf(out, "  %s  with %s", screen.Paint(tones[j.Status], string(j.Status)), report.Printable(j.Bundle))
			if j.Version != "" {
				fmt.Fprintf(out, ", version %s", report.Printable(string(j.Version)))
			}
			fmt.Fprintln(out)
			if j.Status != reach.OK {
				fmt.Fprintf(out, "      %s: %s\n", j.Reason, report.Printable(string(j.Text)))
			}
			if j.Root != nil {
				fmt.Fprintf(out, "      root %s\n", report.Printable(j.Root.words()))
			}
			if !j.Ends.IsZero() {
				end := "valid until " + report.Day(j.Ends.Time)
				if j.Soon {
					end = screen.Paint(report.Warn, end+", which is soon")
				}
				fmt.Fprintf(out, "      %s\n", end)
			}
			if j.Marked != "" {
				fmt.Fprintf(out, "      %s: %s\n", screen.Paint(report.Warn, "the root is marked for removal"), report.Printable(string(j.Marked)))
			}
		}
	}
	if r.NotJudged > 0 {
		fmt.Fprintf(out, "\n%s left out: at most %d are judged\n", report.Count(r.NotJudged, "judgement"), MaxJudgements)
	}
	fmt.Fprintf(out, "\n%s\n", report.Count(len(r.Changes), "change"))
	for _, c := range r.Changes {
		fmt.Fprintf(out, "  %s\n", c)
	}
	return out.Flush()
}

// Schema is the schema of WriteJSON's document.
const Schema = "trustpool.watch/1"

type document struct {
	Schema string        `json:"schema"`
	At     report.Moment `json:"at"`
	OK     bool          `json:"ok"`
	*Report
}

// WriteJSON writes the report as one document, schema Schema. Read reads it again.
func (r *Report) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, document{Schema, r.At, r.Good(), r})
}

// maxReport is how many bytes Read takes: more than MaxJudgements need.
const maxReport = 64 << 20

// Read reads what WriteJSON wrote. The changes in it are those of that time, and are left out.
func Read(r io.Reader) (*Report, error) {
	data, err := io.ReadAll(io.LimitReader(r, maxReport+1))
	if err != nil {
		return nil, err
	}
	if len(data) > maxReport {
		return nil, fmt.Errorf("more than %d bytes, which is the limit", maxReport)
	}
	in := document{Report: &Report{}}
	if err := json.Unmarshal(data, &in); err != nil {
		return nil, fmt.Errorf("not a report of trustpool watch: %w", err)
	}
	if in.Schema != Schema {
		return nil, fmt.Errorf("its schema is %q, and that of a report of trustpool watch is %q", in.Schema, Schema)
	}
	for i := range in.Servers { // lists are never null
		s := &in.Servers[i]
		s.Sent, s.Judged = append([]Certificate{}, s.Sent...), append([]Judged{}, s.Judged...)
	}
	in.Report.At, in.Changes = in.At, nil
	return in.Report, nil
}

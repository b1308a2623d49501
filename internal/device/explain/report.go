package explain

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/report"
)

// Schema is the schema of WriteJSON's document.
const Schema = "trustpool.explain/1"

// WriteText writes what was found for a person.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	tones := map[Kind]report.Tone{Problem: report.Bad, Good: report.Good, Note: report.Note}
	buf := bufio.NewWriter(w)
	fmt.Fprintf(buf, "%s: %s in %s\n", report.Printable(r.File), counted(len(r.Findings), "known message"), counted(r.Lines, "line"))
	if r.Unread > 0 {
		fmt.Fprintf(buf, "not read: %s of no known form\n", counted(r.Unread, "line"))
	}
	if r.Cut > 0 {
		fmt.Fprintf(buf, "not all was read: of %s the beginning alone, %d bytes\n", counted(r.Cut, "line"), MaxLine)
	}
	for _, u := range r.Unknown {
		fmt.Fprintf(buf, "not known: %s, %s\n", report.Printable(u.Name), times(u.Count, u.FirstLine))
	}
	if r.More > 0 {
		fmt.Fprintf(buf, "not shown: %d more messages\n", r.More)
	}
	for _, f := range r.Findings {
		fmt.Fprintf(buf, "\n%s (%s, as %s prints it, %s)\n", f.ID, screen.Paint(tones[f.Kind], string(f.Kind)), strings.Join(f.Platforms, ", "), times(f.Count, f.FirstLine))
		fmt.Fprintf(buf, "  seen     %s\n", report.Printable(f.Excerpt))
		if f.Reason != "" {
			fmt.Fprintf(buf, "  reason   %s\n", report.Printable(f.Reason))
		}
		fmt.Fprintf(buf, "  meaning  %s (%s: %s)\n", f.Meaning, f.Basis, f.Source)
		writeNotes(buf, "cause", f.Causes)
		writeNotes(buf, "check", f.Checks)
		writeNotes(buf, "fix", f.Fixes)
	}
	return buf.Flush()
}

func times(count, first int) string {
	if count == 1 {
		return fmt.Sprintf("once, line %d", first)
	}
	return fmt.Sprintf("%d times, first line %d", count, first)
}

func counted(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

func writeNotes(w io.Writer, label string, notes []device.Note) {
	for _, n := range notes {
		fmt.Fprintf(w, "  %-7s  %s (%s: %s)\n", label, n.Text, n.Basis, n.Source)
	}
}

// WriteJSON writes what was found as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	doc := reportJSON{Schema: Schema, File: r.File, Lines: r.Lines, Cut: r.Cut, Unread: r.Unread, Unknown: []unknownJSON{}, More: r.More, Findings: []findingJSON{}}
	for _, u := range r.Unknown {
		doc.Unknown = append(doc.Unknown, unknownJSON(u))
	}
	for _, f := range r.Findings {
		j := findingJSON{
			f.ID, f.Kind, f.Platforms, f.Count, f.FirstLine, f.Excerpt, nil, nil, f.Meaning, f.Basis, f.Source, notes(f.Causes), notes(f.Checks), notes(f.Fixes),
		}
		if f.HasReason {
			j.Reason, j.ReasonKnown = &f.Reason, &f.ReasonKnown
		}
		doc.Findings = append(doc.Findings, j)
	}
	return report.WriteJSON(w, doc)
}

func notes(in []device.Note) []noteJSON {
	out := []noteJSON{}
	for _, n := range in {
		out = append(out, noteJSON{n.Text, n.Basis, n.Source})
	}
	return out
}

type reportJSON struct {
	Schema   string        `json:"schema"`
	File     string        `json:"file"`
	Lines    int           `json:"lines"`
	Cut      int           `json:"lines_cut"`
	Unread   int           `json:"lines_unread"`
	Unknown  []unknownJSON `json:"unknown"`
	More     int           `json:"more"`
	Findings []findingJSON `json:"findings"`
}

type unknownJSON struct {
	Name      string `json:"name"`
	Count     int    `json:"count"`
	FirstLine int    `json:"first_line"`
}

type findingJSON struct {
	ID          string       `json:"id"`
	Kind        Kind         `json:"kind"`
	Platforms   []string     `json:"platforms"`
	Count       int          `json:"count"`
	FirstLine   int          `json:"first_line"`
	Excerpt     string       `json:"excerpt"`
	Reason      *string      `json:"reason"`
	ReasonKnown *bool        `json:"reason_known"`
	Meaning     string       `json:"meaning"`
	Basis       device.Basis `json:"basis"`
	Source      string       `json:"source"`
	Causes      []noteJSON   `json:"causes"`
	Checks      []noteJSON   `json:"checks"`
	Fixes       []noteJSON   `json:"fixes"`
}

type noteJSON struct {
	Text   string       `json:"text"`
	Basis  device.Basis `json:"basis"`
	Source string       `json:"source"`
}

package explain

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/report"
)

// Schema is the schema of WriteJSON's document.
const Schema = "trustpool.explain/1"

func sortByLine(findings []Finding) {
	slices.SortStableFunc(findings, func(a, b Finding) int { return cmp.Compare(a.FirstLine, b.FirstLine) })
}

// WriteText writes what was found for a person.
func (r *Report) WriteText(w io.Writer) error {
	buf := bufio.NewWriter(w)
	fmt.Fprintf(buf, "%s: %d of the known messages in %s\n", report.Printable(r.File), len(r.Findings), lines(r.Lines))
	if r.Cut > 0 {
		fmt.Fprintf(buf, "not all was read: of %s the beginning alone, %d bytes\n", lines(r.Cut), MaxLine)
	}
	for _, f := range r.Findings {
		times := "once, line"
		if f.Count > 1 {
			times = fmt.Sprintf("%d times, first line", f.Count)
		}
		fmt.Fprintf(buf, "\n%s (%s, as %s prints it, %s %d)\n", f.ID, f.Kind, strings.Join(f.Platforms, ", "), times, f.FirstLine)
		fmt.Fprintf(buf, "  seen     %s\n", report.Printable(f.Excerpt))
		fmt.Fprintf(buf, "  meaning  %s (%s: %s)\n", f.Meaning, f.Basis, f.Source)
		writeNotes(buf, "cause", f.Causes)
		writeNotes(buf, "check", f.Checks)
		writeNotes(buf, "fix", f.Fixes)
	}
	return buf.Flush()
}

func lines(n int) string {
	if n == 1 {
		return "1 line"
	}
	return fmt.Sprintf("%d lines", n)
}

func writeNotes(w io.Writer, label string, notes []device.Note) {
	for _, n := range notes {
		fmt.Fprintf(w, "  %-7s  %s (%s: %s)\n", label, n.Text, n.Basis, n.Source)
	}
}

// WriteJSON writes what was found as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	doc := reportJSON{Schema: Schema, File: r.File, Lines: r.Lines, Cut: r.Cut, Findings: []findingJSON{}}
	for _, f := range r.Findings {
		doc.Findings = append(doc.Findings, findingJSON{
			f.ID, f.Kind, f.Platforms, f.Count, f.FirstLine, f.Excerpt, f.Meaning, f.Basis, f.Source, notes(f.Causes), notes(f.Checks), notes(f.Fixes),
		})
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
	Findings []findingJSON `json:"findings"`
}

type findingJSON struct {
	ID        string       `json:"id"`
	Kind      Kind         `json:"kind"`
	Platforms []string     `json:"platforms"`
	Count     int          `json:"count"`
	FirstLine int          `json:"first_line"`
	Excerpt   string       `json:"excerpt"`
	Meaning   string       `json:"meaning"`
	Basis     device.Basis `json:"basis"`
	Source    string       `json:"source"`
	Causes    []noteJSON   `json:"causes"`
	Checks    []noteJSON   `json:"checks"`
	Fixes     []noteJSON   `json:"fixes"`
}

type noteJSON struct {
	Text   string       `json:"text"`
	Basis  device.Basis `json:"basis"`
	Source string       `json:"source"`
}

package explain

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/report"
)

// schema is that of WriteJSON's document.
const schema = "trustpool.explain/1"

// WriteText writes what was found for a person.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	tones := map[Kind]report.Tone{Problem: report.Bad, Good: report.Good, Note: report.Note}
	buf := bufio.NewWriter(w)
	fmt.Fprintf(buf, "%s: %s in %s\n", report.Printable(r.File), report.Count(len(r.Findings), "known message"), report.Count(r.Lines, "line"))
	if r.Unread > 0 {
		fmt.Fprintf(buf, "not read: %s of no known form\n", report.Count(r.Unread, "line"))
	}
	if r.Cut > 0 {
		fmt.Fprintf(buf, "not all was read: of %s the beginning alone, %d bytes\n", report.Count(r.Cut, "line"), MaxLine)
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
		if f.Reason != nil && *f.Reason != "" {
			fmt.Fprintf(buf, "  reason   %s\n", report.Printable(*f.Reason))
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

func writeNotes(w io.Writer, label string, notes []device.Note) {
	for _, n := range notes {
		fmt.Fprintf(w, "  %-7s  %s (%s: %s)\n", label, n.Text, n.Basis, n.Source)
	}
}

// WriteJSON writes what was found as one document.
func (r *Report) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		*Report
	}{schema, r})
}

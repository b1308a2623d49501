package report

import (
	"encoding/csv"
	"io"
	"iter"
	"strings"
	"text/tabwriter"
)

// Table returns a writer of a table in text: cells end in a tab, and columns are two spaces apart. Flush writes it.
func Table(w io.Writer) *tabwriter.Writer { return tabwriter.NewWriter(w, 0, 0, 2, ' ', 0) }

// WriteCSV writes rows, the header among them (RFC 4180). Each cell is made printable, and goes through Cell.
func WriteCSV(w io.Writer, rows iter.Seq[[]string]) error {
	out := csv.NewWriter(w)
	for row := range rows {
		cells := make([]string, len(row))
		for i, s := range row {
			cells[i] = Cell(Printable(s))
		}
		if err := out.Write(cells); err != nil {
			return err
		}
	}
	out.Flush()
	return out.Error()
}

// Cell is printable text for CSV that no spreadsheet takes for a formula: an apostrophe is put before what begins like one, as
// OWASP has it (CSV Injection). The full-width forms count too, which spreadsheets in some languages take for the others.
func Cell(s string) string {
	if strings.IndexAny(s, "=+-@|%＝＋－＠") == 0 {
		return "'" + s
	}
	return s
}

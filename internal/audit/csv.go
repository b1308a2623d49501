package audit

import (
	"encoding/csv"
	"io"
	"strconv"

	"trustpool/internal/report"
)

// csvHeader names the columns of WriteCSV.
var csvHeader = []string{"severity", "rule", "title", "change", "index", "sha256", "subject", "serial", "not_after", "detail", "exception", "until", "citation"}

// WriteCSV writes a header and a line for each certificate of each finding, or for
// the finding where it is about the whole (RFC 4180). No cell begins with a
// character that makes a spreadsheet compute.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	if err := out.Write(csvHeader); err != nil {
		return err
	}
	for _, list := range [][]Finding{r.Findings, r.Gone} {
		for i := range list {
			if err := list[i].writeCSV(out); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

func (f *Finding) writeCSV(out *csv.Writer) error {
	items := f.Items
	if len(items) == 0 {
		items = []Item{{}}
	}
	for _, e := range items {
		row := []string{f.Severity.String(), f.Rule.ID, f.Rule.Title, string(f.Change), "", "", "", "", "", f.Detail, "", "", f.Rule.Citation}
		if e.Index > 0 {
			row[4], row[5], row[6], row[7] = strconv.Itoa(e.Index), e.hash(), e.Name(), e.serial()
			if end := e.ValidTo(); end.Valid {
				row[8] = timeWords(end)
			}
		}
		if x := f.Exception; x != nil {
			row[10] = x.Pin.Reason
			if !x.Until.IsZero() {
				row[11] = day(x.Until)
			}
		}
		for i := range row {
			row[i] = report.Cell(report.Printable(row[i]))
		}
		if err := out.Write(row); err != nil {
			return err
		}
	}
	return nil
}

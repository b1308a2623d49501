package audit

import (
	"io"
	"strconv"

	"trustpool/internal/report"
)

// csvHeader names the columns of WriteCSV.
var csvHeader = []string{"severity", "rule", "title", "change", "index", "sha256", "subject", "serial", "not_after", "detail", "exception", "until", "citation"}

// WriteCSV writes a header and a line for each certificate of each finding, or one for the finding if it is about the whole.
func (r *Report) WriteCSV(w io.Writer) error {
	return report.WriteCSV(w, func(yield func([]string) bool) {
		if !yield(csvHeader) {
			return
		}
		for f := range r.all {
			items := f.Items
			if len(items) == 0 {
				items = []Item{{}}
			}
			for _, e := range items {
				if !yield(f.csvRow(e)) {
					return
				}
			}
		}
	})
}

// all yields the findings, and those that are gone.
func (r *Report) all(yield func(*Finding) bool) {
	for _, list := range [][]Finding{r.Findings, r.Gone} {
		for i := range list {
			if !yield(&list[i]) {
				return
			}
		}
	}
}

// csvRow is the line of a finding and an item of it, which is zero if it is about the whole.
func (f *Finding) csvRow(e Item) []string {
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
			row[11] = report.Day(x.Until.Time)
		}
	}
	return row
}

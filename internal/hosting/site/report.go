package site

import (
	"fmt"
	"io"
	"strings"

	"trustpool/internal/report"
)

// Schema is that of Report's JSON.
const Schema = "trustpool.site/1"

// A Report is what was found of a site, and what was done about it.
type Report struct {
	Site     string   `json:"site"`
	At       string   `json:"at"`
	Checked  bool     `json:"checked"` // it was only looked at
	Written  bool     `json:"written"`
	Bundles  int      `json:"bundles"`
	Files    int      `json:"files"` // that it is to have
	Same     int      `json:"same"`  // that it had
	Missing  []string `json:"missing"`
	Differed []string `json:"differing"`
	Removed  []string `json:"removed"`
	Old      []string `json:"old"` // that were written before, and belong to it no more

	deleting bool // Old are those that were changed since
}

func (p *plan) report(at Place) *Report {
	return &Report{
		Site: at.String(), At: report.Stamp(p.at), Bundles: len(p.catalog.Entries), Files: len(p.files),
		Missing: []string{}, Differed: []string{}, Removed: []string{}, Old: []string{},
	}
}

func (r *Report) add(name string, found state) {
	switch found {
	case same:
		r.Same++
	case missing:
		r.Missing = append(r.Missing, name)
	default:
		r.Differed = append(r.Differed, name)
	}
}

// OK reports whether the site holds what it is to hold.
func (r *Report) OK() bool { return !r.Checked || len(r.Missing)+len(r.Differed) == 0 }

// listed is how many files the text names.
const listed = 20

// WriteText writes what was found in words.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	screen := report.ScreenOf(w)
	fmt.Fprintf(&b, "%s: %s of %s\n", report.Printable(r.Site), report.Count(r.Files, "file"), report.Count(r.Bundles, "bundle"))
	if r.Checked {
		if r.OK() {
			fmt.Fprintf(&b, "  %s\n", screen.Paint(report.Good, "as the store has it"))
		}
		writeNames(&b, screen.Paint(report.Bad, "missing"), r.Missing)
		writeNames(&b, screen.Paint(report.Bad, "differs"), r.Differed)
	} else {
		fmt.Fprintf(&b, "  %d written, %d of them new; %d as they were; %d removed\n", len(r.Missing)+len(r.Differed), len(r.Missing), r.Same, len(r.Removed))
	}
	if len(r.Old) > 0 {
		advice := ""
		if !r.Checked && !r.deleting {
			advice = "; --delete removes them"
		}
		fmt.Fprintf(&b, "  %s left of earlier releases%s\n", report.Count(len(r.Old), "file"), advice)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeNames(b *strings.Builder, what string, names []string) {
	for i, name := range names {
		if i == listed {
			fmt.Fprintf(b, "  %s  and %d more\n", what, len(names)-listed)
			return
		}
		fmt.Fprintf(b, "  %s  %s\n", what, report.Printable(name))
	}
}

// WriteJSON writes the report as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		*Report
	}{Schema, r})
}

package audit

import (
	_ "embed"
	"fmt"
	"io"
	"strconv"
	"strings"

	"trustpool/internal/report"
	"trustpool/internal/report/page"
)

//go:embed page.html
var pageTemplate string

// maxRows is how many rows a table of the page has.
const maxRows = 1000

// A document is what page.html shows.
type document struct {
	*Report
	Verdict                 string
	Errors, Warnings, Infos int
	Head                    [][2]string
	Expiry                  *page.Chart
	Groups                  []documentGroup
	Lost                    []group // of Gone
	List                    []documentRow
	ListLeft                int
}

type documentGroup struct {
	group
	Class string
	Rows  []documentRow
	Left  int
}

// A documentRow is a certificate, alone or with a finding.
type documentRow struct {
	Index, Hash, Name            string
	Detail, Change, Excuse, Term string
	Key, Algorithm, NotAfter     string
}

// WriteHTML writes one page that needs no other file, no script and no network.
func (r *Report) WriteHTML(w io.Writer) error {
	d := r.document()
	return page.Write(w, pageTemplate, &page.Frame{Title: "Audit of " + report.Printable(d.File), Body: d})
}

// class is the style of a severity.
func class(s Severity) string { return map[Severity]string{Error: "bad", Warning: "warn"}[s] }

func (r *Report) document() *document {
	verdict, head := r.verdict(), r.head()
	d := &document{
		Report: r, Verdict: strings.ToUpper(verdict[:1]) + verdict[1:] + ".", Errors: r.Count(Error), Warnings: r.Count(Warning), Infos: r.Count(Info),
		Head: head[1 : len(head)-1], Expiry: r.expiry(), Lost: byRule(r.Gone), // the heading has the first and the last of the head
	}
	for _, g := range byRule(r.Findings) {
		d.Groups = append(d.Groups, g.document())
	}
	for i := range r.Entries {
		if len(d.List) == maxRows {
			d.ListLeft = len(r.Entries) - i
			break
		}
		e := r.item(i)
		row := documentRow{Index: strconv.Itoa(e.Index), Hash: e.shortHash(), Name: e.title()}
		if end := e.ValidTo(); end.Valid {
			row.NotAfter = report.Day(end.Time.Time)
		}
		switch c := e.Certificate; {
		case c == nil:
			row.Key = "not known"
		case c.Err == nil:
			row.Key, row.Algorithm = c.PublicKey.String(), c.SignatureAlgorithm.String()
			if row.NotAfter == "" {
				row.NotAfter = "unreadable"
			}
		}
		d.List = append(d.List, row)
	}
	return d
}

func (g *group) document() documentGroup {
	p := documentGroup{group: *g, Class: class(g.Severity)}
	for n := range g.Findings {
		if len(p.Rows) >= maxRows {
			p.Left = len(g.Findings) - n
			break
		}
		f := &g.Findings[n]
		row := documentRow{Detail: report.Printable(report.Cut(f.Detail, maxDetail)), Change: string(f.Change)}
		if e := f.Exception; e != nil {
			row.Excuse, row.Term = report.Printable(e.Pin.Reason), e.term()
		}
		if len(f.Items) == 0 {
			p.Rows = append(p.Rows, row)
		}
		for i, e := range f.Items {
			if i == maxRows { // one finding about more certificates than a page can show
				p.Rows = append(p.Rows, documentRow{Name: fmt.Sprintf("and %d more", len(f.Items)-i)})
				break
			}
			row.Index, row.Hash, row.Name = strconv.Itoa(e.Index), e.shortHash(), e.title()
			p.Rows = append(p.Rows, row)
		}
	}
	return p
}

// expiry is the chart of when certificates expire. An entry of a pool is not in
// it if its time is not certain enough to say whether it has expired.
func (r *Report) expiry() *page.Chart {
	ends := make([]page.End, len(r.Entries))
	for i := range r.Entries {
		end := r.Entries[i].ValidTo()
		if over, known := end.Before(r.at); known {
			ends[i] = page.End{At: end.Time.Time, Expired: over}
		}
	}
	return page.NewChart(ends, r.at, nil)
}

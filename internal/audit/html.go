package audit

import (
	_ "embed"
	"fmt"
	"io"
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
	File, Verdict string
	Fails         bool
	Counts        []documentCount
	Head          [][2]string
	Expiry        *page.Chart
	Groups        []documentGroup
	Gone          []string
	List          []documentCertificate
	ListLeft      int
	Evidence      *report.Evidence
}

type documentCount struct {
	What, Class string
	N           int
}

type documentGroup struct {
	group
	Class       string
	Count, Left int
	Rows        []documentRow
}

type documentRow struct{ Index, Hash, Name, Detail, Change, Excuse, Term string }

type documentCertificate struct {
	Index                                int
	NotAfter, Key, Algorithm, Hash, Name string
}

// WriteHTML writes one page that needs no other file, no script and no network.
func (r *Report) WriteHTML(w io.Writer) error {
	d := r.document()
	return page.Write(w, pageTemplate, &page.Frame{Title: "Audit of " + report.Printable(d.File), Body: d})
}

// class is the style of a severity.
func class(s Severity) string { return map[Severity]string{Error: "bad", Warning: "warn"}[s] }

func (r *Report) document() *document {
	verdict := r.verdict()
	d := &document{File: r.File, Fails: r.Fails(), Verdict: strings.ToUpper(verdict[:1]) + verdict[1:] + ".", Expiry: r.expiry(), Evidence: r.Evidence}
	for _, s := range []Severity{Error, Warning, Info} {
		count := documentCount{strings.ToUpper(s.String()[:1]) + s.String()[1:], "", r.Count(s)}
		if count.N > 0 {
			count.Class = class(s)
		}
		d.Counts = append(d.Counts, count)
	}
	if n := r.Excused(); n > 0 {
		d.Counts = append(d.Counts, documentCount{"Excused", "", n})
	}
	d.Counts = append(d.Counts, documentCount{"Certificates", "", len(r.Entries)})
	head := r.head()
	d.Head = head[1 : len(head)-1] // the heading has the others
	for _, g := range byRule(r.Findings) {
		d.Groups = append(d.Groups, g.document())
	}
	for _, g := range byRule(r.Gone) {
		d.Gone = append(d.Gone, fmt.Sprintf("%s: %d", g.ID, len(g.findings)))
	}
	for i := range r.Entries {
		if len(d.List) == maxRows {
			d.ListLeft = len(r.Entries) - i
			break
		}
		e := r.item(i)
		row := documentCertificate{Index: i + 1, Hash: e.shortHash(), Name: e.title()}
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
	p := documentGroup{group: *g, Class: class(g.Severity), Count: len(g.findings)}
	for n := range g.findings {
		if len(p.Rows) >= maxRows {
			p.Left = len(g.findings) - n
			break
		}
		f := &g.findings[n]
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
			row.Index, row.Hash, row.Name = fmt.Sprint(e.Index), e.shortHash(), e.title()
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

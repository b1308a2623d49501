package audit

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"math"
	"strings"
	"time"

	"trustpool/internal/report"
)

//go:embed page.html
var pageTemplate string

// maxRows is how many rows a table of the page has.
const maxRows = 1000

// A page is what page.html prints. Texts are printable; the template escapes them.
type page struct {
	File, Verdict           string
	Fails                   bool
	Errors, Warnings, Infos int
	ErrorWord, WarningWord  string
	Excused, Certificates   int
	Head                    [][2]string
	Timeline                *timeline
	Groups                  []pageGroup
	Gone                    []string
	List                    []pageCertificate
	ListLeft                int
}

type pageGroup struct {
	Severity                    Severity
	ID, Title, Advice, Citation string
	Count, Left                 int
	Rows                        []pageRow
}

type pageRow struct{ Index, Hash, Name, Detail, Change, Excuse, Term string }

type pageCertificate struct {
	Index                                int
	NotAfter, Key, Algorithm, Hash, Name string
}

// WriteHTML writes one page that needs no other file, no script and no network.
func (r *Report) WriteHTML(w io.Writer) error {
	t, err := template.New("page").Parse(pageTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, r.page())
}

func (r *Report) page() *page {
	p := &page{
		File: report.Printable(r.File), Fails: r.Fails(), Errors: r.Count(Error), Warnings: r.Count(Warning), Infos: r.Count(Info),
		ErrorWord: "errors", WarningWord: "warnings", Excused: r.Excused(), Certificates: len(r.Certificates), Timeline: r.timeline(),
	}
	if p.Errors == 1 {
		p.ErrorWord = "error"
	}
	if p.Warnings == 1 {
		p.WarningWord = "warning"
	}
	verdict := r.verdict()
	p.Verdict = strings.ToUpper(verdict[:1]) + verdict[1:] + "."
	head := r.head()
	for _, l := range head[1 : len(head)-1] {
		p.Head = append(p.Head, [2]string{l[0], report.Printable(l[1])})
	}
	for _, g := range byRule(r.Findings) {
		p.Groups = append(p.Groups, g.page())
	}
	for _, g := range byRule(r.Gone) {
		p.Gone = append(p.Gone, fmt.Sprintf("%s: %d", g.rule.ID, len(g.findings)))
	}
	for i, c := range r.Certificates {
		if len(p.List) == maxRows {
			p.ListLeft = len(r.Certificates) - i
			break
		}
		e := r.entry(i)
		row := pageCertificate{Index: i + 1, Hash: e.shortHash(), Name: e.title()}
		if notAfter := e.period().notAfter; notAfter.Valid {
			row.NotAfter = day(notAfter.Time)
		}
		switch {
		case c == nil:
			row.Key = "not known"
		case c.Err == nil:
			row.Key, row.Algorithm = c.PublicKey.String(), c.SignatureAlgorithm.String()
			if row.NotAfter == "" {
				row.NotAfter = "unreadable"
			}
		}
		p.List = append(p.List, row)
	}
	return p
}

func (g *group) page() pageGroup {
	p := pageGroup{Severity: g.severity, ID: g.rule.ID, Title: g.rule.Title, Advice: g.rule.Advice, Citation: g.rule.Citation, Count: len(g.findings)}
	for n := range g.findings {
		if len(p.Rows) >= maxRows {
			p.Left = len(g.findings) - n
			break
		}
		f := &g.findings[n]
		row := pageRow{Detail: report.Printable(cut(f.Detail, maxDetail)), Change: string(f.Change)}
		if e := f.Exception; e != nil {
			row.Excuse, row.Term = report.Printable(e.Pin.Reason), e.term()
		}
		if len(f.Certificates) == 0 {
			p.Rows = append(p.Rows, row)
		}
		for i, e := range f.Certificates {
			if i == maxRows { // one finding about more certificates than a page can show
				p.Rows = append(p.Rows, pageRow{Name: fmt.Sprintf("and %d more", len(f.Certificates)-i)})
				break
			}
			row.Index, row.Hash, row.Name = fmt.Sprint(e.Index), e.shortHash(), e.title()
			p.Rows = append(p.Rows, row)
		}
	}
	return p
}

// A timeline counts certificates by the year in which they expire.
type timeline struct {
	Width, Height, Base int
	Bars                []timelineBar
	Now                 int // where the time of the audit stands; 0 where it is not between the years
	At, Text            string
}

type timelineBar struct {
	X, Y, W, H, Mid, Above, Below int
	N                             int
	Label                         string
	Past, Tick                    bool
}

// maxYears is how many years the timeline has; what is beyond is in its last bar.
const maxYears = 45

// margin is the space beside the bars, in which a label may stand.
const margin = 24

func (r *Report) timeline() *timeline {
	years := map[int]int{}
	first, last, expired, known := math.MaxInt, 0, 0, 0
	for i := range r.Certificates {
		p := r.entry(i).period()
		if !p.notAfter.Valid {
			continue
		}
		y := p.notAfter.UTC().Year()
		years[y]++
		first, last = min(first, y), max(last, y)
		known++
		if over, _ := p.over(r.at); over {
			expired++
		}
	}
	if known == 0 {
		return nil
	}
	// The years around the time of the audit matter most.
	begin := max(first, min(last-maxYears+1, r.at.Year()-maxYears/3))
	end := min(last, begin+maxYears-1)
	counts := make([]int, end-begin+1)
	for y, n := range years {
		counts[min(max(y, begin), end)-begin] += n
	}
	highest := 0
	for _, n := range counts {
		highest = max(highest, n)
	}
	t := &timeline{
		Width: 900, Height: 210, Base: 185, At: day(r.at),
		Text: fmt.Sprintf("%d of %d have expired by %s; the last one ends in %d.", expired, known, day(r.at), last),
	}
	step := float64(t.Width-2*margin) / float64(len(counts))
	x := func(years float64) int { return margin + int(years*step) }
	for i, n := range counts {
		h := int(math.Round(float64(n) / float64(highest) * 145))
		if n > 0 {
			h = max(h, 2)
		}
		b := timelineBar{
			X: x(float64(i) + 0.12), W: max(1, int(step*0.76)), H: h, Y: t.Base - h, Mid: x(float64(i) + 0.5),
			Below: t.Base + 15, N: n, Label: fmt.Sprint(begin + i), Past: begin+i < r.at.Year(),
		}
		b.Above = b.Y - 4
		b.Tick = len(counts) <= 20 || (begin+i)%5 == 0
		// A bar that stands for more years than its own says so, and the labels beside
		// it make room.
		before, beyond := first < begin, last > end
		switch {
		case i == 0 && before:
			b.Label, b.Tick = "to "+b.Label, true
		case i == len(counts)-1 && beyond:
			b.Label, b.Tick = b.Label+"+", true
		case before && i < 3 || beyond && i > len(counts)-4:
			b.Tick = false
		}
		t.Bars = append(t.Bars, b)
	}
	if y := r.at.Year(); y >= begin && y <= end {
		into := float64(r.at.Sub(time.Date(y, 1, 1, 0, 0, 0, 0, time.UTC))) / float64(366*24*time.Hour)
		t.Now = x(float64(y-begin) + into)
	}
	return t
}

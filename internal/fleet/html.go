package fleet

import (
	"bufio"
	_ "embed" // for the page
	"fmt"
	"html/template"
	"io"
	"slices"
	"strconv"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/report"
	"trustpool/internal/report/page"
)

var (
	//go:embed page.html
	pageTemplate string
	//go:embed page.css
	pageStyle string
	//go:embed page.js
	pageScript string
)

// What the page lists.
const (
	maxPageRows = 10_000
	maxOthers   = 100
	maxBars     = 24
	barRow      = 38 // pixels
)

type document struct {
	*Report
	Verdict string
	Column  bool // whether devices have one for their group
	Facts   [][2]string
	States  []State
	Chart   *documentChart
	Do      []Action
	Rows    []documentDevice
	Left    int
	Others  string
}

type documentChart struct {
	Height int
	Rows   []documentBar
	Left   int
}

type documentBar struct {
	Y           int
	Label, Text string
	Parts       []documentPart
}

type documentPart struct {
	State    State
	X, Width string // in per cent
	Y        int
	Title    string
}

type documentDevice struct {
	Name, Platform, Value, Class, Has, AsOf, Remark string
	State                                           State
}

// Class is the style of a state.
func (s State) Class() string {
	return map[report.Tone]string{report.Good: "good", report.Warn: "warn", report.Bad: "bad"}[tones[s]]
}

// WriteHTML writes one page that needs no other file and no network. With its script the table can
// be sorted and filtered; without it the page can be read all the same.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Write(w, pageTemplate, &page.Frame{Title: "Fleet", More: template.CSS(pageStyle), Inline: template.JS(pageScript), Body: r.document()})
}

func (r *Report) document() *document {
	d := &document{Report: r, Verdict: r.verdict() + ".", Column: r.By != "platform", Facts: r.facts(), States: States(), Chart: r.chart(), Do: r.actions()}
	rows := r.listed()
	if r.Only == nil { // those that are current come last
		for i := range r.Devices {
			if r.Devices[i].State == Current {
				rows = append(rows, &r.Devices[i])
			}
		}
	}
	if len(rows) > maxPageRows {
		d.Left, rows = len(rows)-maxPageRows, rows[:maxPageRows]
	}
	for _, x := range rows {
		d.Rows = append(d.Rows, documentDevice{
			x.Name, string(x.Platform), x.Column(r.By), x.State.Class(), x.version(), report.OrDash(moment(x.asOf())), report.Printable(x.remark()), x.State,
		})
	}
	if n := len(r.Unknown); n > 0 {
		d.Others = fmt.Sprintf("%s asked for a bundle: %s", report.Count(n, "other address"), joined(r.Unknown[:min(n, maxOthers)], ", ", HostReport.address))
		if n > maxOthers {
			d.Others += ", …"
		}
	}
	return d
}

// chart draws a bar for each group, of as many parts as it has states. All bars have the same
// length: what counts is the share.
func (r *Report) chart() *documentChart {
	n := min(len(r.Groups), maxBars)
	c := &documentChart{Height: n * barRow, Left: len(r.Groups) - n}
	for i, g := range r.Groups[:n] {
		y := i * barRow
		bar := documentBar{Y: y + 13, Label: report.OrDash(g.Value), Text: fmt.Sprintf("%d of %d current", g.Counts[Current], g.Counts.Total())}
		at := 0
		for _, s := range States() {
			n := g.Counts[s]
			if n == 0 {
				continue
			}
			percent := func(n int) string { return strconv.FormatFloat(100*float64(n)/float64(g.Counts.Total()), 'f', 2, 64) }
			bar.Parts = append(bar.Parts, documentPart{s, percent(at), percent(n), y + 18, fmt.Sprintf("%d %s", n, s)})
			at += n
		}
		c.Rows = append(c.Rows, bar)
	}
	return c
}

// Title is what an action is about.
func (a *Action) Title() string {
	switch {
	case a.Platform != "":
		return report.Printable(string(a.Platform))
	case a.Counts[MissingRoot]+a.Counts[Old]+a.Counts[Never] > 0:
		return "no platform"
	}
	return "any platform"
}

// Typed are the lines as they are typed. Before them comments name those that no source confirms.
func (a *Action) Typed() (out []string) {
	for _, basis := range []device.Basis{device.Inferred, device.Unverified} {
		var lines []string
		for _, l := range a.Lines {
			if l.Basis == basis {
				lines = append(lines, l.Text)
			}
		}
		if lines != nil {
			out = append(out, "! "+string(basis)+": "+strings.Join(lines, "; "))
		}
	}
	for _, l := range a.Lines {
		out = append(out, l.Text)
	}
	return out
}

// WriteMarkdown writes the report for a ticket: the counts, the groups, what to do, and the devices
// that need something, without All as many as a screen has.
func (r *Report) WriteMarkdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	md := report.Markdown
	fmt.Fprintf(out, "## %s\n\n%s.\n\n", report.Count(len(r.Devices), "device"), r.verdict())
	for _, f := range r.facts() {
		fmt.Fprintf(out, "- %s: %s\n", f[0], md(f[1]))
	}
	states := r.present()
	fmt.Fprintf(out, "\n### States by %s\n\n| %s |", md(r.By), md(r.By))
	for _, s := range states {
		fmt.Fprintf(out, " %s |", s)
	}
	fmt.Fprintf(out, " all |\n|---|%s---:|\n", strings.Repeat("---:|", len(states)))
	groups := r.someGroups()
	for _, g := range groups {
		fmt.Fprintf(out, "| %s |", md(report.OrDash(g.Value)))
		for _, s := range states {
			fmt.Fprintf(out, " %d |", g.Counts[s])
		}
		fmt.Fprintf(out, " %d |\n", g.Counts.Total())
	}
	if left := len(r.Groups) - len(groups); left > 0 {
		fmt.Fprintf(out, "\nAnd %d more.\n", left)
	}
	for i, a := range r.actions() {
		if i == 0 {
			fmt.Fprintf(out, "\n### What to do\n")
		}
		fmt.Fprintf(out, "\n%s, %s: %s\n", md(a.Title()), a.Counts, md(a.Do))
		if len(a.Lines) > 0 {
			fmt.Fprintf(out, "\n```text\n%s\n```\n", strings.Join(a.Typed(), "\n"))
		}
	}
	devices, left := r.someDevices()
	for i, d := range devices {
		if i == 0 {
			fmt.Fprint(out, "\n### Devices\n\n| device | platform | state | has | as of | remark |\n|---|---|---|---|---|---|\n")
		}
		for _, cell := range d.cells() {
			fmt.Fprintf(out, "| %s ", md(cell))
		}
		fmt.Fprintln(out, "|")
	}
	if left > 0 {
		fmt.Fprintf(out, "\nAnd %s.\n", report.Count(left, "more device"))
	}
	if n := len(r.Unknown); n > 0 {
		fmt.Fprintf(out, "\nRequests for a bundle came from %s that the inventory does not have.\n", report.Count(n, "address"))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return r.Evidence.WriteMarkdown(w)
}

// WriteHosts writes an inventory of Ansible, in INI, with a group for each state. A device is called
// as in the inventory that was read, and is where that says.
func (r *Report) WriteHosts(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "# %s\n", r.verdict())
	for _, s := range States() {
		if r.Only != nil && !slices.Contains(r.Only, s) {
			continue
		}
		fmt.Fprintf(out, "\n# %s\n[trustpool_%s]\n", s.Meaning(), strings.ReplaceAll(string(s), "-", "_"))
		for i := range r.Devices {
			d := &r.Devices[i]
			if d.State != s {
				continue
			}
			if !plain(d.Name) {
				fmt.Fprintf(out, "# left out, the name is no host of INI: %s\n", report.Printable(d.Name))
				continue
			}
			fmt.Fprintf(out, "%s", d.Name)
			if host := string(d.Host); host != "" && host != d.Name {
				fmt.Fprintf(out, " ansible_host=%s", host)
			}
			if d.Port != 0 {
				fmt.Fprintf(out, " ansible_port=%d", d.Port)
			}
			if p, err := device.Lookup(string(d.Platform)); err == nil && p.NetworkOS != "" {
				fmt.Fprintf(out, " ansible_network_os=%s", p.NetworkOS)
			}
			fmt.Fprintf(out, "\n")
		}
	}
	return out.Flush() // a bufio.Writer keeps its first error
}

// plain reports whether a name is a host of an INI inventory and nothing else.
func plain(name string) bool {
	return name != "" && name[0] != '-' && strings.Trim(name, letters+"0123456789._-") == "" || strings.Count(name, ":") > 1 && strings.Trim(name, "0123456789abcdefABCDEF:.") == ""
}

package fleet

import (
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
	maxBars     = 24
	barRow      = 38 // pixels
)

type document struct {
	Verdict, By string
	OK, Column  bool
	Total       int
	Counts      []documentCount
	Facts       [][2]string
	Chart       *documentChart
	States      []State
	Groups      []documentGroup
	Actions     []documentAction
	Devices     []documentDevice
	Left        int
	Unknown     string
	Evidence    *report.Evidence
}

type documentCount struct {
	State State
	Class string
	N     int
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

type documentGroup struct {
	Value string
	N     []int
}

type documentAction struct {
	Title, Counts, Do string
	Lines             []string
}

type documentDevice struct {
	Name, Platform, Value, Class, Has, AsOf, Remark string
	State                                           State
}

// class is the style of a state.
func class(s State) string {
	switch tones[s] {
	case report.Good:
		return "good"
	case report.Warn:
		return "warn"
	}
	return "bad"
}

// WriteHTML writes one page that needs no other file and no network. With its script the table can
// be sorted and filtered; without it the page can be read all the same.
func (r *Report) WriteHTML(w io.Writer) error {
	return page.Write(w, pageTemplate, &page.Frame{Title: "Fleet", More: template.CSS(pageStyle), Inline: template.JS(pageScript), Body: r.document()})
}

func (r *Report) document() *document {
	d := &document{
		Verdict: r.verdict() + ".", By: r.By, OK: r.OK(), Column: r.By != "platform", Total: len(r.Devices), Facts: r.facts(), States: r.present(),
		Chart: r.chart(), Evidence: r.Evidence,
	}
	for _, s := range States() {
		c := documentCount{State: s, N: r.Counts[s]}
		if c.N > 0 {
			c.Class = class(s)
		}
		d.Counts = append(d.Counts, c)
	}
	for i := range r.Groups {
		g := documentGroup{Value: report.OrDash(r.Groups[i].Value)}
		for _, s := range d.States {
			g.N = append(g.N, r.Groups[i].Counts[s])
		}
		d.Groups = append(d.Groups, documentGroup{g.Value, append(g.N, r.Groups[i].Counts.total())})
	}
	for _, a := range r.actions() {
		d.Actions = append(d.Actions, documentAction{a.title(), a.Counts.words(), report.Printable(a.Do), a.Typed()})
	}
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
		d.Devices = append(d.Devices, documentDevice{
			x.Name, string(x.Platform), x.Column(r.By), class(x.State), x.version(), report.OrDash(moment(x.asOf())), report.Printable(x.remark()), x.State,
		})
	}
	if n := len(r.Unknown); n > 0 {
		var names []string
		for i := range r.Unknown[:min(n, 100)] {
			names = append(names, r.Unknown[i].Addresses[0])
		}
		d.Unknown = fmt.Sprintf("%s asked for a bundle: %s", report.Count(n, "other address"), strings.Join(names, ", "))
		if n > 100 {
			d.Unknown += ", …"
		}
	}
	return d
}

// chart draws a bar for each group, of as many parts as it has states. All bars have the same
// length: what counts is the share.
func (r *Report) chart() *documentChart {
	c := &documentChart{}
	for i := range r.Groups {
		if len(c.Rows) == maxBars {
			c.Left = len(r.Groups) - maxBars
			break
		}
		g := &r.Groups[i]
		y := len(c.Rows) * barRow
		bar := documentBar{Y: y + 13, Label: report.OrDash(g.Value), Text: fmt.Sprintf("%d of %d current", g.Counts[Current], g.Counts.total())}
		at := 0
		for _, s := range States() {
			n := g.Counts[s]
			if n == 0 {
				continue
			}
			percent := func(n int) string { return strconv.FormatFloat(100*float64(n)/float64(g.Counts.total()), 'f', 2, 64) }
			bar.Parts = append(bar.Parts, documentPart{s, percent(at), percent(n), y + 18, fmt.Sprintf("%d %s", n, s)})
			at += n
		}
		c.Rows = append(c.Rows, bar)
	}
	c.Height = len(c.Rows) * barRow
	return c
}

// title is what an action is about.
func (a *Action) title() string {
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
	out := &failing{w: w}
	md := report.Markdown
	out.printf("## %s\n\n%s.\n\n", report.Count(len(r.Devices), "device"), r.verdict())
	for _, f := range r.facts() {
		out.printf("- %s: %s\n", f[0], md(f[1]))
	}
	states := r.present()
	out.printf("\n### States by %s\n\n| %s |", md(r.By), md(r.By))
	for _, s := range states {
		out.printf(" %s |", s)
	}
	out.printf(" all |\n|---|%s---:|\n", strings.Repeat("---:|", len(states)))
	rows := r.Groups
	if !r.All && len(rows) > maxGroupRows {
		rows = rows[:maxGroupRows]
	}
	for i := range rows {
		out.printf("| %s |", md(report.OrDash(rows[i].Value)))
		for _, s := range states {
			out.printf(" %d |", rows[i].Counts[s])
		}
		out.printf(" %d |\n", rows[i].Counts.total())
	}
	if left := len(r.Groups) - len(rows); left > 0 {
		out.printf("\nAnd %d more.\n", left)
	}
	if actions := r.actions(); len(actions) > 0 {
		out.printf("\n### What to do\n")
		for _, a := range actions {
			out.printf("\n%s, %s: %s\n", md(a.title()), a.Counts.words(), md(a.Do))
			if len(a.Lines) > 0 {
				out.printf("\n```text\n")
				for _, l := range a.Typed() {
					out.printf("%s\n", l)
				}
				out.printf("```\n")
			}
		}
	}
	devices := r.listed()
	if n := len(devices); n > 0 {
		if !r.All && n > maxDeviceRows {
			devices = some(devices, maxDeviceRows)
		}
		out.printf("\n### Devices\n\n| device | platform | state | has | as of | remark |\n|---|---|---|---|---|---|\n")
		for _, d := range devices {
			out.printf("| %s | %s | %s | %s | %s | %s |\n", md(d.Name), md(report.OrDash(string(d.Platform))), d.State, md(d.version()), report.OrDash(moment(d.asOf())), md(report.OrDash(d.remark())))
		}
		if left := n - len(devices); left > 0 {
			out.printf("\nAnd %s.\n", report.Count(left, "more device"))
		}
	}
	if n := len(r.Unknown); n > 0 {
		out.printf("\nRequests for a bundle came from %s that the inventory does not have.\n", report.Count(n, "address"))
	}
	if out.err != nil {
		return out.err
	}
	return r.Evidence.WriteMarkdown(w)
}

// WriteHosts writes an inventory of Ansible, in INI, with a group for each state. A device is called
// as in the inventory that was read, and is where that says.
func (r *Report) WriteHosts(w io.Writer) error {
	out := &failing{w: w}
	out.printf("# %s\n", r.verdict())
	for _, s := range States() {
		if r.Only != nil && !slices.Contains(r.Only, s) {
			continue
		}
		out.printf("\n# %s\n[trustpool_%s]\n", s.Meaning(), strings.ReplaceAll(string(s), "-", "_"))
		for i := range r.Devices {
			d := &r.Devices[i]
			if d.State != s {
				continue
			}
			if !plain(d.Name) {
				out.printf("# left out, the name is no host of INI: %s\n", report.Printable(d.Name))
				continue
			}
			out.printf("%s", d.Name)
			if host := string(d.Host); host != "" && host != d.Name {
				out.printf(" ansible_host=%s", host)
			}
			if d.Port != 0 {
				out.printf(" ansible_port=%d", d.Port)
			}
			if os := networkOS(string(d.Platform)); os != "" {
				out.printf(" ansible_network_os=%s", os)
			}
			out.printf("\n")
		}
	}
	return out.err
}

// networkOS is what Ansible calls a platform; empty if there is no collection that can import.
func networkOS(platform string) string {
	switch platform {
	case "ios", "iosxe":
		return "cisco.ios.ios"
	case "iosxr":
		return "cisco.iosxr.iosxr"
	case "asa":
		return "cisco.asa.asa"
	case "nxos":
		return "cisco.nxos.nxos"
	}
	return ""
}

// plain reports whether a name is a host of an INI inventory and nothing else.
func plain(name string) bool {
	return name != "" && name[0] != '-' && strings.Trim(name, letters+"0123456789._-") == "" || strings.Count(name, ":") > 1 && strings.Trim(name, "0123456789abcdefABCDEF:.") == ""
}

// failing remembers the first error of writing.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) printf(format string, args ...any) {
	if f.err == nil {
		_, f.err = fmt.Fprintf(f.w, format, args...)
	}
}

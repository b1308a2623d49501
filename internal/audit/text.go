package audit

import (
	"bufio"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"trustpool/internal/distrust"
	"trustpool/internal/report"
)

// maxShown is how many findings of one rule, and certificates of one finding, the
// reports for people list. JSON, CSV and SARIF have all of them.
const maxShown = 20

// WriteText writes the report for a person at a terminal. Text of certificates
// goes through report.Printable.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	for _, l := range r.head() {
		is := report.Printable(l[1])
		switch {
		case l[0] == "signature":
			is = screen.Verdict(r.Signature.Verified, is)
		case l[0] == "verdict" && r.FailOn < Never:
			is = screen.Verdict(!r.Fails(), is)
		}
		fmt.Fprintf(out, "%-15s%s\n", l[0], is)
	}
	listed, rest := r.groups()
	for _, g := range listed {
		g.writeText(out, screen)
	}
	writeRest(out, screen, rest)
	if len(r.Gone) > 0 {
		fmt.Fprintf(out, "\nGone since %s\n", report.Printable(r.Against.File))
		for _, g := range byRule(r.Gone) {
			fmt.Fprintf(out, "  %s: %d\n", g.ID, len(g.Findings))
		}
	}
	return out.Flush()
}

// writeRest writes what is good to know, a line for a rule.
func writeRest(w io.Writer, screen report.Screen, rest []group) {
	if len(rest) == 0 {
		return
	}
	fmt.Fprint(w, "\n"+screen.Paint(report.Note, "INFO")+"  good to know; --fail-on info lists the certificates, so do --html, --json and --csv\n")
	for _, g := range rest {
		fmt.Fprintf(w, "  %-26s%4d  %s\n", g.ID, len(g.Findings), g.title())
	}
}

// title is the rule's, with how many of the findings are new.
func (g *group) title() string {
	if n := fresh(g.Findings); n > 0 {
		return fmt.Sprintf("%s (%d new)", g.Title, n)
	}
	return g.Title
}

// fresh counts what is new.
func fresh(list []Finding) int {
	return number(list, func(f *Finding) bool { return f.Change == New })
}

// Limits of what reports for people show of one text, in bytes. Genuine names
// have at most 200.
const (
	maxName   = 400
	maxDetail = 1500
)

// head is what reports begin with: a word and what it is.
func (r *Report) head() [][2]string {
	lines := [][2]string{{"file", r.File}}
	add := func(what, is string) { lines = append(lines, [2]string{what, report.Cut(is, maxDetail)}) }
	if r.Signature != nil {
		add("signature", r.Signature.Summary())
	}
	if r.Signature != nil && r.Signature.Verified && r.Signature.Name != nil && r.Signature.Version != nil {
		add("bundle", fmt.Sprintf("%s, version %s", *r.Signature.Name, *r.Signature.Version))
	}
	add("certificates", fmt.Sprint(len(r.Entries)))
	if r.isPool() {
		add("pool", r.poolWords())
	}
	if r.At != nil {
		add("judged at", report.Stamp(*r.At))
	}
	if r.Against != nil {
		words := report.Count(len(r.Against.Entries), "certificate")
		if r.Against.isPool() {
			words = r.Against.poolWords()
		}
		add("against", r.Against.File+", "+words)
	}
	for _, n := range r.Needs {
		add("need", n.String())
	}
	add("distrust list", "built in, of "+distrust.AsOf)
	if m := r.Manifest; m != nil {
		words := "the bundle is not what it lists"
		if r.manifestSame() {
			words = "the bundle is what it lists"
		}
		add("manifest", fmt.Sprintf("%s, version %s, %s: %s; nothing signs it", m.File, m.Version, report.Count(len(m.Certificates), "certificate"), words))
	}
	if r.Program != nil {
		add("root program", r.Program.Name+", "+r.Program.age(r.at))
	}
	add("findings", r.sum())
	add("verdict", r.verdict())
	return lines
}

// manifestSame reports whether the bundle has the name, the version and the certificates that the manifest lists.
func (r *Report) manifestSame() bool {
	return !slices.ContainsFunc(r.Findings, func(f Finding) bool { return f.Rule.ID == "manifest-differs" })
}

// verdict is the answer in words.
func (r *Report) verdict() string {
	switch {
	case r.Fails():
		return fmt.Sprintf("fails: there are findings at the level %s or above", r.FailOn)
	case r.FailOn == Never:
		return "not judged as a whole"
	}
	return fmt.Sprintf("passes: nothing at the level %s or above counts", r.FailOn)
}

// sum is the report in one line.
func (r *Report) sum() string {
	parts := []string{report.Count(r.Count(Error), "error"), report.Count(r.Count(Warning), "warning"), fmt.Sprintf("%d info", r.Count(Info))}
	if n := r.Excused(); n > 0 {
		parts = append(parts, fmt.Sprintf("%d excused", n))
	}
	if r.Against != nil {
		parts = append(parts, fmt.Sprintf("of these %d new; %d gone", fresh(r.Findings), len(r.Gone)))
		if r.NotJudged > 0 {
			parts = append(parts, report.Count(r.NotJudged, "earlier finding")+" not judged for want of certificates")
		}
	}
	return strings.Join(parts, ", ")
}

// age says how old the snapshot is.
func (p *Program) age(at time.Time) string {
	if p.Date.IsZero() {
		return "age not known"
	}
	days := int(at.Sub(p.Date.Time) / (24 * time.Hour))
	if days < 0 {
		return "of " + report.Day(p.Date.Time) + ", after the time of this audit"
	}
	return fmt.Sprintf("of %s, %s old", report.Day(p.Date.Time), report.Count(days, "day"))
}

// A group is the findings of one rule with one severity.
type group struct {
	*Rule
	Severity Severity
	Findings []Finding
}

// byRule groups findings that are in order.
func byRule(list []Finding) (out []group) {
	begin := 0
	for i := range list {
		f := &list[i]
		if n := len(out); n == 0 || out[n-1].Rule.ID != f.Rule.ID || out[n-1].Severity != f.Severity {
			out = append(out, group{Rule: f.Rule, Severity: f.Severity})
			begin = i
		}
		out[len(out)-1].Findings = list[begin : i+1]
	}
	return out
}

// groups are the groups to list, and those that are only good to know, and decide
// nothing.
func (r *Report) groups() (listed, rest []group) {
	for _, g := range byRule(r.Findings) {
		if g.Severity == Info && r.FailOn > Info {
			rest = append(rest, g)
		} else {
			listed = append(listed, g)
		}
	}
	return listed, rest
}

// shown are the findings to list, new ones first, and how many are left out.
func (g *group) shown() (list []Finding, left int) {
	for _, changed := range []bool{true, false} {
		for _, f := range g.Findings {
			if (f.Change == New) != changed {
				continue
			}
			if len(list) < maxShown {
				list = append(list, f)
			} else {
				left++
			}
		}
	}
	return list, left
}

func (g *group) writeText(w io.Writer, screen report.Screen) {
	tones := map[Severity]report.Tone{Info: report.Note, Warning: report.Warn, Error: report.Bad}
	fmt.Fprintf(w, "\n%s  %s: %d\n", screen.Paint(tones[g.Severity], strings.ToUpper(g.Severity.String())), g.ID, len(g.Findings))
	fmt.Fprintf(w, "  %s (%s)\n", g.Title, g.Citation)
	fmt.Fprintf(w, "  To do: %s\n", g.Advice)
	list, left := g.shown()
	for _, f := range list {
		mark := ""
		if f.Change == New {
			mark = "new: "
		}
		if len(f.Items) == 1 {
			between := "  "
			if len(f.Detail) > 60 {
				between = "\n      "
			}
			fmt.Fprintf(w, "  %s%s%s%s\n", mark, f.Items[0], between, report.Printable(report.Cut(f.Detail, maxDetail)))
		} else {
			fmt.Fprintf(w, "  %s%s\n", mark, report.Printable(report.Cut(f.Detail, maxDetail)))
			for i, e := range f.Items {
				if i == maxShown {
					fmt.Fprintf(w, "      and %d more\n", len(f.Items)-i)
					break
				}
				fmt.Fprintf(w, "      %s\n", e)
			}
		}
		if f.Exception != nil {
			fmt.Fprintf(w, "      excused %s: %s\n", f.Exception.term(), report.Printable(f.Exception.Pin.Reason))
		}
	}
	if left > 0 {
		fmt.Fprintf(w, "  and %d more; --json and --csv have all\n", left)
	}
}

// term is how long an exception applies.
func (e *Exception) term() string {
	if e.Until.IsZero() {
		return "without an end"
	}
	return "until " + report.Day(e.Until.Time)
}

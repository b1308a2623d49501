package audit

import (
	"bufio"
	"cmp"
	"fmt"
	"io"

	"trustpool/internal/report"
)

// WriteMarkdown writes the report for a ticket, in the Markdown of GitHub and
// GitLab. Text of certificates can be neither markup nor HTML nor a web link.
func (r *Report) WriteMarkdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	what := "trust bundle"
	if r.isPool() {
		what = "device's pool"
	}
	fmt.Fprintf(out, "# Audit of a %s\n\n| | |\n|---|---|\n", what)
	for _, l := range r.head() {
		fmt.Fprintf(out, "| %s | %s |\n", l[0], report.Markdown(l[1]))
	}
	if len(r.Findings) == 0 {
		fmt.Fprint(out, "\nNo findings.\n")
	}
	listed, rest := r.groups()
	for _, g := range listed {
		fmt.Fprintf(out, "\n## %s: %s (%d)\n\n%s. _%s_\n\nTo do: %s\n\n", g.Severity, g.ID, len(g.Findings),
			report.Markdown(g.Title), report.Markdown(g.Citation), report.Markdown(g.Advice))
		fmt.Fprint(out, "| position | SHA-256 | certificate | finding | |\n|---:|---|---|---|---|\n")
		list, left := g.shown()
		for i := range list {
			f := &list[i]
			items := f.Items
			if len(items) == 0 {
				fmt.Fprintf(out, "| | | | %s | %s |\n", report.Markdown(report.Cut(f.Detail, maxDetail)), f.remark())
				continue
			}
			for n, e := range items {
				if n == maxShown {
					fmt.Fprintf(out, "| | | and %d more | | |\n", len(items)-n)
					break
				}
				fmt.Fprintf(out, "| %d | %s | %s | %s | %s |\n", e.Index, cmp.Or(e.hash(), "-"), report.Markdown(report.Cut(e.Name(), maxName)), report.Markdown(report.Cut(f.Detail, maxDetail)), f.remark())
			}
		}
		if left > 0 {
			fmt.Fprintf(out, "\nAnd %d more, which the JSON and CSV have.\n", left)
		}
	}
	if len(rest) > 0 {
		fmt.Fprint(out, "\n## info: good to know\n\n| rule | findings | |\n|---|---:|---|\n")
		for _, g := range rest {
			fmt.Fprintf(out, "| %s | %d | %s |\n", g.ID, len(g.Findings), report.Markdown(g.title()))
		}
	}
	if len(r.Gone) > 0 {
		fmt.Fprint(out, "\n## Gone\n\n| rule | findings |\n|---|---:|\n")
		for _, g := range byRule(r.Gone) {
			fmt.Fprintf(out, "| %s | %d |\n", g.ID, len(g.Findings))
		}
	}
	_ = r.Evidence.WriteMarkdown(out) // out keeps the error
	return out.Flush()
}

// remark is the change, or the exception, in Markdown.
func (f *Finding) remark() string {
	if e := f.Exception; e != nil {
		return "excused " + e.term() + ": " + report.Markdown(e.Pin.Reason)
	}
	return string(f.Change)
}

package feed

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/report"
)

// Advice is what every printing says of a feed.
const Advice = "Nothing signs these files: they are advice of whoever answers there. What a bundle holds is known from the bundle."

// A heldReport is the JSON of the bundle at hand.
type heldReport struct {
	File           string      `json:"file"`
	Name           string      `json:"name"`
	Version        report.Text `json:"version"`
	Verified       bool        `json:"verified"`
	Reason         report.Text `json:"reason"`
	Position       Position    `json:"position"`
	Newer          []string    `json:"newer_versions"`
	Leaving        []Fate      `json:"leaving"`
	Contradictions []string    `json:"contradictions"`
}

type manifestReport struct {
	Version      report.Text `json:"version"`
	Certificates int         `json:"certificates"`
	Whole        bool        `json:"whole"`
}

type versionReport struct {
	Version     string        `json:"version"`
	Previous    report.Text   `json:"previous"`
	Published   report.Moment `json:"published_at"`
	Link        report.Text   `json:"link"`
	Known       bool          `json:"change_known"`
	Added       []Certificate `json:"added"`
	Removed     []Certificate `json:"removed"`
	Marked      []Certificate `json:"marked_for_removal"`
	NewlyMarked []Certificate `json:"newly_marked_for_removal"`
}

// present is a list that JSON has [] for if it is empty.
func present[T any](list []T) []T { return append([]T{}, list...) }

func (v *Version) report() versionReport {
	c := cmp.Or(v.Change, &Change{})
	return versionReport{
		v.Version, report.Text(c.Previous), report.Moment{Time: v.Published}, report.Text(v.Link), v.Change != nil,
		present(c.Added), present(c.Removed), present(c.Marked), present(c.NewlyMarked),
	}
}

// WriteJSON writes one document, "trustpool.feed/1"; docs/formats.md has every field.
func (r *Report) WriteJSON(w io.Writer) error {
	head := struct {
		Schema    string           `json:"schema"`
		Source    string           `json:"source"`
		At        *string          `json:"at"`
		Advice    string           `json:"advice"`
		Name      report.Text      `json:"name"`
		Version   report.Text      `json:"version"`
		Published report.Moment    `json:"published_at"`
		OK        bool             `json:"ok"`
		Warnings  int              `json:"warnings"`
		Manifest  *manifestReport  `json:"manifest"`
		Against   *heldReport      `json:"against"`
		MarkedBy  report.Text      `json:"marked_by"`
		Evidence  *report.Evidence `json:"evidence"`
	}{
		Schema: "trustpool.feed/1", Source: r.Source, Advice: Advice, Name: report.Text(r.Name), Version: report.Text(r.Newest()),
		Published: report.Moment{Time: r.Feed.Published()}, OK: r.Warnings() == 0, Warnings: r.Warnings(), MarkedBy: report.Text(r.MarkedBy), Evidence: r.Evidence,
	}
	if r.At != nil {
		head.At = report.StampOrNil(*r.At)
	}
	if m := r.Manifest; m != nil {
		head.Manifest = &manifestReport{report.Text(m.Version), len(m.Certificates), !m.Unended}
	}
	if h := r.Held; h != nil {
		head.Against = &heldReport{
			h.File, h.Name, report.Text(h.Version), h.NotVerified == "", report.Text(h.NotVerified), r.Position,
			present(r.Newer), present(r.Leaving), present(r.HeldContradictions),
		}
	}
	return report.WriteJSON(w, head,
		report.List("files", r.Files, report.Same),
		report.List("marked_for_removal", r.Marks, report.Same),
		report.List("versions", r.Versions, (*Version).report),
		report.List("needed", r.Needed, report.Same),
		report.List("servers", r.Servers, report.Same),
		report.List("contradictions", r.Contradictions, report.Same),
		report.List("gaps", r.Gaps, report.Same),
		report.List("notes", r.Notes, report.Same))
}

// title is the feed in a line.
func (r *Report) title() string {
	s := report.Printable(cmp.Or(r.Name, "a bundle that the feed does not name"))
	if len(r.Versions) == 0 {
		return s + ": no version"
	}
	return s + ": version " + r.Versions[0].when()
}

// summary says what a version changed, in a line.
func (v *Version) summary() string {
	c := v.Change
	if c == nil {
		return "what it changed is not known"
	}
	var parts []string
	for _, l := range c.lists() {
		if n := len(*l.list); n > 0 {
			parts = append(parts, fmt.Sprintf("%d %s", n, l.did))
		}
	}
	if parts == nil {
		return "no certificate added, removed or marked"
	}
	return strings.Join(parts, ", ")
}

// against is the bundle at hand in a line.
func (r *Report) against() string {
	h := r.Held
	s := fmt.Sprintf("%s, version %s, ", h.File, dash(h.Version))
	if h.NotVerified != "" {
		s += "not verified (" + h.NotVerified + ")"
	} else {
		s += "verified"
	}
	s += ": " + map[Position]string{
		Same: "the newest version", Behind: fmt.Sprintf("behind by %s, %s", report.Count(len(r.Newer), "version"), strings.Join(r.Newer, ", ")),
		Ahead: "newer than the feed", OtherName: "another bundle", NotCompare: "which is newer cannot be told",
	}[r.Position]
	return report.Printable(s)
}

// verdict is the last line.
func (r *Report) verdict() string {
	asked := len(r.Needed) + len(r.Servers)
	unknown := 0
	for _, n := range r.Needed {
		if len(n.SHA256) == 0 {
			unknown++
		}
	}
	for _, s := range r.Servers {
		if s.Unknown {
			unknown++
		}
	}
	known, rest := "", ""
	if unknown > 0 {
		known, rest = "known to be ", fmt.Sprintf("; nothing is known of %d", unknown)
	}
	switch n := r.Warnings(); {
	case asked == 0:
		return "no root was asked for: --need, --requirements, --chains and --pool do"
	case n == 0:
		return fmt.Sprintf("%s asked for, none %smarked or gone%s", report.Count(asked, "root"), known, rest)
	default:
		return fmt.Sprintf("%s of %d asked for%s", report.Count(n, "warning"), asked, rest)
	}
}

// WriteText writes the report for a person.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n%s\n\n", r.title(), Advice)
	for _, s := range r.Files {
		fmt.Fprintf(out, "read       %s (%s), %d bytes\n", s.Kind, report.Printable(s.Name), s.Size)
	}
	if m := r.Manifest; m != nil {
		fmt.Fprintf(out, "manifest   version %s, %s\n", report.Printable(dash(m.Version)), report.Count(len(m.Certificates), "certificate"))
	}
	if r.Held != nil {
		fmt.Fprintf(out, "against    %s\n", r.against())
	}
	line := func(what string, c Certificate, after string) {
		fmt.Fprintf(out, "  %-8s %x  %s%s\n", what, c.SHA256, c.Label(), after)
	}
	for _, v := range r.Versions {
		fmt.Fprintf(out, "\nversion %s: %s\n", v.when(), v.summary())
		if c := v.Change; c != nil {
			newly := setOf(c.NewlyMarked)
			for _, x := range c.Added {
				line("added", x, "")
			}
			for _, x := range c.Removed {
				line("removed", x, "")
			}
			for _, x := range c.NewlyMarked {
				line("marked", x, ", newly")
			}
			for _, x := range c.Marked {
				if !newly[x.SHA256] {
					line("marked", x, "")
				}
			}
		}
	}
	warned := func(warn bool, word string) string {
		if warn {
			word = screen.Paint(report.Bad, "WARNING") + " " + word
		}
		return word
	}
	state := func(x *Fate, warn bool, who string) {
		fmt.Fprintf(out, "  %s  %s%s: %s\n", warned(warn, string(x.State)), report.Printable(cmp.Or(x.Name, "(no name)")), report.Printable(who), report.Printable(x.Why))
		for _, sum := range x.SHA256 {
			fmt.Fprintf(out, "    %x\n", sum)
		}
	}
	if len(r.Leaving) > 0 {
		fmt.Fprintf(out, "\nof %s\n", report.Printable(r.Held.File))
		for i := range r.Leaving {
			state(&r.Leaving[i], false, "")
		}
	}
	if len(r.Needed) > 0 {
		fmt.Fprintln(out, "\nneeded")
		rest, unknown := 0, 0
		for i := range r.Needed {
			switch n := &r.Needed[i]; {
			case n.Warn || !n.Only:
				state(&n.Fate, n.Warn, " ("+n.For+")")
			case len(n.SHA256) == 0:
				unknown++
			default:
				rest++
			}
		}
		if rest > 0 {
			fmt.Fprintf(out, "  %s of pools, neither marked nor removed\n", report.Count(rest, "certificate"))
		}
		if unknown > 0 {
			fmt.Fprintf(out, "  %s of pools without a known SHA-256, not looked for: --with gives bundles that may have them\n", report.Count(unknown, "certificate"))
		}
	}
	for i := range r.Servers {
		s := &r.Servers[i]
		fmt.Fprintf(out, "\nserver %s: %s, without what is removed and marked\n", report.Printable(s.Name), warned(s.Warn, s.Verdict))
		for j := range s.Roots {
			state(&s.Roots[j], false, "")
		}
	}
	fmt.Fprintln(out)
	for _, said := range r.said() {
		fmt.Fprintf(out, "%s: %s\n", said[0], said[1])
	}
	fmt.Fprintf(out, "%s\n", screen.Verdict(r.Warnings() == 0, r.verdict()))
	return out.Flush()
}

// said is everything in words, made printable when it was said, and what each is.
func (r *Report) said() (out [][2]string) {
	for _, l := range []struct {
		what string
		list []string
	}{{"contradiction with the bundle", r.HeldContradictions}, {"contradiction", r.Contradictions}, {"gap", r.Gaps}, {"note", r.Notes}} {
		for _, text := range l.list {
			out = append(out, [2]string{l.what, text})
		}
	}
	return out
}

// WriteMarkdown writes the report for a ticket.
func (r *Report) WriteMarkdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	md := report.Markdown
	strong := func(yes bool, word string) string {
		if yes {
			return "**" + word + "**"
		}
		return word
	}
	fmt.Fprintf(out, "# %s\n\n%s\n\nAnswer: %s.\n\n", md(r.title()), Advice, md(r.verdict()))
	if r.Held != nil {
		fmt.Fprintf(out, "Against %s.\n\n", md(r.against()))
	}
	if len(r.Needed) > 0 {
		fmt.Fprint(out, "| needed | for | state | why |\n|---|---|---|---|\n")
		for i := range r.Needed {
			n := &r.Needed[i]
			fmt.Fprintf(out, "| %s | %s | %s | %s |\n", md(n.Name), md(n.For), strong(n.Warn, string(n.State)), md(n.Why))
		}
		fmt.Fprintln(out)
	}
	if len(r.Servers) > 0 {
		fmt.Fprint(out, "| server | without what is removed and marked |\n|---|---|\n")
		for _, s := range r.Servers {
			fmt.Fprintf(out, "| %s | %s |\n", md(s.Name), strong(s.Warn, s.Verdict))
		}
		fmt.Fprintln(out)
	}
	fmt.Fprint(out, "| version | date | change | certificate | SHA-256 |\n|---|---|---|---|---|\n")
	for _, v := range r.Versions {
		c := cmp.Or(v.Change, &Change{})
		if len(c.Added)+len(c.Removed)+len(c.Marked)+len(c.NewlyMarked) == 0 {
			fmt.Fprintf(out, "| %s | %s | %s | | |\n", md(v.Version), v.day(), v.summary())
			continue
		}
		for _, l := range []struct {
			what string
			list []Certificate
		}{{"added", c.Added}, {"removed", c.Removed}, {"newly marked", c.NewlyMarked}, {"marked", c.Marked}} {
			for _, x := range l.list {
				fmt.Fprintf(out, "| %s | %s | %s | %s | %x |\n", md(v.Version), v.day(), l.what, md(x.Label()), x.SHA256)
			}
		}
	}
	for i, said := range r.said() {
		if i == 0 {
			fmt.Fprintln(out)
		}
		fmt.Fprintf(out, "- %s: %s\n", said[0], md(said[1]))
	}
	if err := out.Flush(); err != nil {
		return err
	}
	return r.Evidence.WriteMarkdown(w)
}

func (v *Version) day() string {
	if v.Published.IsZero() {
		return ""
	}
	return report.Day(v.Published)
}

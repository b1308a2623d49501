package inspect

import (
	"bufio"
	"cmp"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// A Diff prints what changed from one bundle to another.
type Diff struct {
	*bundle.Diff
	Evidence *report.Evidence // what it rests on; nil for nothing
}

// WriteText writes the diff for a person at a terminal. Text from the bundles
// goes through Printable.
func (d Diff) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "old  %s\nnew  %s\n", summary(&d.Old), summary(&d.New))
	changes := d.changes()
	if len(changes) > 0 {
		fmt.Fprintln(out)
	}
	for _, c := range changes {
		fmt.Fprintf(out, "%-13s %s -> %s\n", c.what, report.Printable(cmp.Or(c.old, "none")), report.Printable(cmp.Or(c.new, "none")))
	}
	section := func(title string, entries []bundle.DiffEntry, words ...string) {
		if len(entries) > 0 {
			fmt.Fprintf(out, "\n%s: %d\n", title, len(entries)/max(1, len(words)))
		}
		table := lines(screen, out, words)
		for i, e := range entries {
			cells := []string{""}
			if words != nil {
				cells = append(cells, words[i%len(words)])
			}
			table.Row(append(cells, line(e)...)...)
		}
		_ = table.Flush() // out keeps the error
	}
	section("Added", d.Added)
	section("Removed", d.Removed)
	section("Re-issued, same name and key", flat(d.Reissued), "old", "new")
	section("Re-keyed, same name", flat(d.Rekeyed), "old", "new")
	fmt.Fprintf(out, "\n%s\n", d.sum())
	return out.Flush()
}

// WriteMarkdown writes the diff for a change ticket, in the Markdown of GitHub
// and GitLab. Text from the bundles can be neither markup nor HTML nor a web link.
func (d Diff) WriteMarkdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# Change of trust bundle\n\n| | old | new |\n|---|---|---|\n")
	for _, r := range d.rows() {
		fmt.Fprintf(out, "| %s | %s | %s |\n", r.what, report.Markdown(cmp.Or(r.old, "none")), report.Markdown(cmp.Or(r.new, "none")))
	}
	fmt.Fprintf(out, "\n%s\n", d.sum())

	const columns = "position | SHA-256 | not after | serial number | subject |\n"
	section := func(title, head string, entries []bundle.DiffEntry, words ...string) {
		fmt.Fprintf(out, "\n## %s (%d)\n\n", title, len(entries)/len(words))
		if len(entries) == 0 {
			fmt.Fprintln(out, "None.")
			return
		}
		fmt.Fprint(out, head)
		for i, e := range entries {
			fmt.Fprintf(out, "| %s%s\n", words[i%len(words)], row(e))
		}
	}
	const one = "| " + columns + "|---:|---|---|---|---|\n"
	const two = " Both are listed above, too.\n\n| | " + columns + "|---|---:|---|---|---|---|\n"
	section("Added", one, d.Added, "")
	section("Removed", one, d.Removed, "")
	section("Re-issued", "The same name and the same key."+two, flat(d.Reissued), "old | ", "new | ")
	section("Re-keyed", "The same name and another key."+two, flat(d.Rekeyed), "old | ", "new | ")
	_ = d.Evidence.WriteMarkdown(out) // out keeps the error
	return out.Flush()
}

// WriteJSON writes the diff as one document, "trustpool.diff/1"; docs/formats.md
// has every field. What is absent or cannot be read is null.
func (d Diff) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema   string           `json:"schema"`
		Old      any              `json:"old"`
		New      any              `json:"new"`
		Evidence *report.Evidence `json:"evidence"`
	}{"trustpool.diff/1", sideOf(&d.Old), sideOf(&d.New), d.Evidence},
		report.List("added", d.Added, entryOf),
		report.List("removed", d.Removed, entryOf),
		report.List("reissued", d.Reissued, pairOf),
		report.List("rekeyed", d.Rekeyed, pairOf))
}

// sum is the diff in one line, and a line more for each bundle with duplicates.
func (d Diff) sum() string {
	var b strings.Builder
	switch {
	case d.Same() && d.Reordered:
		fmt.Fprintf(&b, "The same pool in another order: %s.", report.Count(d.Common, "certificate"))
	case d.Same():
		fmt.Fprintf(&b, "The same pool: %s.", report.Count(d.Common, "certificate"))
	default:
		fmt.Fprintf(&b, "%d added, %d removed, %d in both", len(d.Added), len(d.Removed), d.Common)
		if len(d.Reissued)+len(d.Rekeyed) > 0 {
			fmt.Fprintf(&b, "; among them %d re-issued and %d re-keyed", len(d.Reissued), len(d.Rekeyed))
		}
		b.WriteByte('.')
	}
	for _, side := range []struct {
		name string
		n    int
	}{{"old", d.Old.Duplicates}, {"new", d.New.Duplicates}} {
		if side.n > 0 {
			fmt.Fprintf(&b, "\nDuplicates, counted once, in the %s bundle: %d.", side.name, side.n)
		}
	}
	return b.String()
}

// summary names a bundle in one line.
func summary(s *bundle.Side) string {
	parts := make([]string, 0, 5)
	for _, part := range []string{s.File, s.Name, "version " + s.Version, report.Count(s.Certificates, "certificate"), s.Signature} {
		if part != "" && part != "version " {
			parts = append(parts, report.Printable(part))
		}
	}
	return strings.Join(parts, ", ")
}

// A change is one line of what is around the certificates.
type change struct{ what, old, new string }

// changes are the lines of rows that differ and say something: other files have
// other names and hashes.
func (d Diff) changes() []change {
	return slices.DeleteFunc(d.rows(), func(r change) bool {
		return r.old == r.new || r.what == "file" || r.what == "SHA-256" || r.what == "certificates"
	})
}

func (d Diff) rows() []change {
	old, newer := &d.Old, &d.New
	rows := []change{
		{"file", old.File, newer.File},
		{"SHA-256", old.SHA256, newer.SHA256},
		{"form", string(old.Form), string(newer.Form)},
		{"name", old.Name, newer.Name},
		{"version", old.Version, newer.Version},
		{"signing time", signed(old), signed(newer)},
		{"signer", signer(old), signer(newer)},
		{"signature", old.Signature, newer.Signature},
		{"certificates", strconv.Itoa(old.Certificates), strconv.Itoa(newer.Certificates)},
	}
	if old.Signature == "" && newer.Signature == "" { // not asked for
		rows = append(rows[:7], rows[8:]...)
	}
	return rows
}

func signed(s *bundle.Side) string {
	if !s.SigningTime.Valid {
		return ""
	}
	return s.SigningTime.String()
}

func signer(s *bundle.Side) string {
	if s.Signer == nil {
		return ""
	}
	return fmt.Sprintf("%s (%s)", nameOf(s.Signer.Subject), report.ShortHash(s.Signer.SHA256[:]))
}

func nameOf(n certificate.Name) string { return cmp.Or(n.String(), "(empty name)") }

// flat are the entries of pairs, the old one and the new one in turn.
func flat(pairs []bundle.DiffPair) (out []bundle.DiffEntry) {
	for _, p := range pairs {
		out = append(out, p.Old, p.New)
	}
	return out
}

// lines is a table of entries, two blanks to the right, behind one of the words if there are any.
func lines(screen report.Screen, w io.Writer, words []string) *report.Table {
	columns, widths := []report.Column{{}}, []int{0}
	if words != nil {
		columns, widths = append(columns, report.Column{}), append(widths, len(words[0]))
	}
	columns = append(columns, report.Column{Kind: report.Hash}, report.Column{}, report.Column{Kind: report.Name})
	t := screen.Table(w, columns...)
	t.Reserve(append(widths, 2*8, len(time.DateOnly), report.Long)...)
	return t
}

// line is the entry in text.
func line(e bundle.DiffEntry) []string {
	c := e.Certificate
	if c.Err != nil {
		return []string{report.ShortHash(c.SHA256[:]), "-", report.NotACertificate}
	}
	return []string{report.ShortHash(c.SHA256[:]), c.NotAfter.Day(), report.Printable(nameOf(c.Subject))}
}

// row is the entry in a table of Markdown, without the first bar.
func row(e bundle.DiffEntry) string {
	c := e.Certificate
	date, serial, subject := "", "", report.NotACertificate
	if c.Err == nil {
		date, serial, subject = c.NotAfter.Day(), c.Serial.String(), report.Markdown(nameOf(c.Subject))
	}
	return fmt.Sprintf("%d | %x | %s | %s | %s |", e.Index, c.SHA256, date, serial, subject)
}

// sideOf is one side in JSON.
func sideOf(s *bundle.Side) any {
	type signer struct {
		Subject string `json:"subject"`
		SHA256  string `json:"sha256"`
	}
	var by *signer
	if s.Signer != nil {
		by = &signer{s.Signer.Subject.String(), hex.EncodeToString(s.Signer.SHA256[:])}
	}
	return struct {
		File         report.Text      `json:"file"`
		SHA256       report.Text      `json:"sha256"`
		Form         bundle.Form      `json:"form"`
		Name         report.Text      `json:"name"`
		Version      report.Text      `json:"version"`
		SigningTime  certificate.Time `json:"signing_time"`
		Signer       *signer          `json:"signer"`
		Signature    report.Text      `json:"signature"`
		Certificates int              `json:"certificates"`
		Duplicates   int              `json:"duplicates"`
	}{
		report.Text(s.File), report.Text(s.SHA256), s.Form, report.Text(s.Name), report.Text(s.Version), s.SigningTime, by, report.Text(s.Signature),
		s.Certificates, s.Duplicates,
	}
}

// An entryReport is one certificate of the diff in JSON.
type entryReport struct {
	Index      int              `json:"index"`
	SHA256     string           `json:"sha256"`
	Subject    *string          `json:"subject"`
	Serial     *string          `json:"serial"`
	NotBefore  certificate.Time `json:"not_before"`
	NotAfter   certificate.Time `json:"not_after"`
	SPKISHA256 *string          `json:"spki_sha256"`
	Error      *string          `json:"error"`
}

func entryOf(e bundle.DiffEntry) entryReport {
	c := e.Certificate
	r := entryReport{Index: e.Index, SHA256: hex.EncodeToString(c.SHA256[:])}
	if c.Err != nil {
		r.Error = new(c.Err.Error())
		return r
	}
	spki := c.KeyID()
	r.Subject, r.Serial, r.SPKISHA256 = new(c.Subject.String()), new(c.Serial.String()), new(hex.EncodeToString(spki[:]))
	r.NotBefore, r.NotAfter = c.NotBefore, c.NotAfter
	return r
}

func pairOf(p bundle.DiffPair) any {
	return struct {
		Old entryReport `json:"old"`
		New entryReport `json:"new"`
	}{entryOf(p.Old), entryOf(p.New)}
}

package inspect

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
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

const emptyName = "(empty name)"

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
		fmt.Fprintf(out, "%-13s %s -> %s\n", c.what, report.Printable(orNone(c.old)), report.Printable(orNone(c.new)))
	}
	list := func(title string, entries []bundle.DiffEntry) {
		if len(entries) > 0 {
			fmt.Fprintf(out, "\n%s: %d\n", title, len(entries))
		}
		table := lines(screen, out)
		for _, e := range entries {
			table.Row(append([]string{""}, line(e)...)...)
		}
		_ = table.Flush() // out keeps the error
	}
	pairs := func(title string, pairs []bundle.DiffPair) {
		if len(pairs) > 0 {
			fmt.Fprintf(out, "\n%s: %d\n", title, len(pairs))
		}
		table := lines(screen, out, "old")
		for _, p := range pairs {
			table.Row(append([]string{"", "old"}, line(p.Old)...)...)
			table.Row(append([]string{"", "new"}, line(p.New)...)...)
		}
		_ = table.Flush()
	}
	list("Added", d.Added)
	list("Removed", d.Removed)
	pairs("Re-issued, same name and key", d.Reissued)
	pairs("Re-keyed, same name", d.Rekeyed)
	fmt.Fprintf(out, "\n%s\n", d.sum())
	return out.Flush()
}

// WriteMarkdown writes the diff for a change ticket, in the Markdown of GitHub
// and GitLab. Text from the bundles can be neither markup nor HTML nor a web link.
func (d Diff) WriteMarkdown(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, "# Change of trust bundle\n\n| | old | new |\n|---|---|---|\n")
	for _, r := range d.rows() {
		fmt.Fprintf(out, "| %s | %s | %s |\n", r.what, report.Markdown(orNone(r.old)), report.Markdown(orNone(r.new)))
	}
	fmt.Fprintf(out, "\n%s\n", d.sum())

	const columns = "position | SHA-256 | not after | serial number | subject |\n"
	list := func(title string, entries []bundle.DiffEntry) {
		fmt.Fprintf(out, "\n## %s (%d)\n\n", title, len(entries))
		if len(entries) == 0 {
			fmt.Fprintln(out, "None.")
			return
		}
		fmt.Fprint(out, "| "+columns+"|---:|---|---|---|---|\n")
		for _, e := range entries {
			fmt.Fprintf(out, "| %s\n", row(e))
		}
	}
	pairs := func(title, about string, pairs []bundle.DiffPair) {
		fmt.Fprintf(out, "\n## %s (%d)\n\n", title, len(pairs))
		if len(pairs) == 0 {
			fmt.Fprintln(out, "None.")
			return
		}
		fmt.Fprint(out, about+" Both are listed above, too.\n\n| | "+columns+"|---|---:|---|---|---|---|\n")
		for _, p := range pairs {
			fmt.Fprintf(out, "| old | %s\n| new | %s\n", row(p.Old), row(p.New))
		}
	}
	list("Added", d.Added)
	list("Removed", d.Removed)
	pairs("Re-issued", "The same name and the same key.", d.Reissued)
	pairs("Re-keyed", "The same name and another key.", d.Rekeyed)
	_ = d.Evidence.WriteMarkdown(out) // out keeps the error
	return out.Flush()
}

// WriteJSON writes the diff as one document, "trustpool.diff/1"; docs/formats.md
// has every field. What is absent or cannot be read is null.
func (d Diff) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema   string           `json:"schema"`
		Old      sideReport       `json:"old"`
		New      sideReport       `json:"new"`
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

func orNone(s string) string {
	if s == "" {
		return "none"
	}
	return s
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
	var out []change
	for _, r := range d.rows() {
		if r.old != r.new && r.what != "file" && r.what != "SHA-256" && r.what != "certificates" {
			out = append(out, r)
		}
	}
	return out
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
	return fmt.Sprintf("%s (%s)", orEmptyName(s.Signer.Subject), report.ShortHash(s.Signer.SHA256[:]))
}

func orEmptyName(n certificate.Name) string {
	if s := n.String(); s != "" {
		return s
	}
	return emptyName
}

// lines is a table of entries, two blanks to the right, behind a word if one is given.
func lines(screen report.Screen, w io.Writer, word ...string) *report.Table {
	columns := make([]report.Column, 1+len(word), 5)
	widths := make([]int, 1, 5)
	for _, s := range word {
		widths = append(widths, len(s))
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
	return []string{report.ShortHash(c.SHA256[:]), c.NotAfter.Day(), report.Printable(orEmptyName(c.Subject))}
}

// row is the entry in a table of Markdown, without the first bar.
func row(e bundle.DiffEntry) string {
	c := e.Certificate
	date, serial, subject := "", "", report.NotACertificate
	if c.Err == nil {
		date, serial, subject = c.NotAfter.Day(), c.Serial.String(), report.Markdown(orEmptyName(c.Subject))
	}
	return fmt.Sprintf("%d | %x | %s | %s | %s |", e.Index, c.SHA256, date, serial, subject)
}

// A sideReport is one side in JSON.
type sideReport struct {
	File         *string          `json:"file"`
	SHA256       *string          `json:"sha256"`
	Form         bundle.Form      `json:"form"`
	Name         *string          `json:"name"`
	Version      *string          `json:"version"`
	SigningTime  certificate.Time `json:"signing_time"`
	Signer       *signerReport    `json:"signer"`
	Signature    *string          `json:"signature"`
	Certificates int              `json:"certificates"`
	Duplicates   int              `json:"duplicates"`
}

type signerReport struct {
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`
}

func sideOf(s *bundle.Side) sideReport {
	r := sideReport{
		File:         report.Optional(s.File),
		SHA256:       report.Optional(s.SHA256),
		Form:         s.Form,
		Name:         report.Optional(s.Name),
		Version:      report.Optional(s.Version),
		SigningTime:  s.SigningTime,
		Signature:    report.Optional(s.Signature),
		Certificates: s.Certificates,
		Duplicates:   s.Duplicates,
	}
	if s.Signer != nil {
		r.Signer = &signerReport{s.Signer.Subject.String(), hex.EncodeToString(s.Signer.SHA256[:])}
	}
	return r
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

type pairReport struct {
	Old entryReport `json:"old"`
	New entryReport `json:"new"`
}

func pairOf(p bundle.DiffPair) pairReport { return pairReport{entryOf(p.Old), entryOf(p.New)} }

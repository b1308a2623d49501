package reach

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/path"
	"trustpool/internal/report"
)

// WriteText writes the report for a person at a terminal. Text from certificates,
// captures and file names goes through report.Printable.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	b := bufio.NewWriter(w)
	for _, s := range r.Stages {
		fmt.Fprintf(b, "%-9s %s", s.Name, report.Count(s.Certificates, "certificate"))
		fmt.Fprintf(b, ": %s", report.Printable(r.stageOf(s)))
		if s.Absent > 0 {
			fmt.Fprintf(b, "; %d more, built in or imported, of which the certificate is not at hand", s.Absent)
		}
		fmt.Fprintln(b)
	}
	for _, c := range r.LeftOut {
		fmt.Fprintf(b, "left out  %x  %s\n", c.SHA256, subject(c))
	}
	for i := range r.Servers {
		r.Servers[i].writeText(b, screen, r.Stages)
	}
	if len(r.Notes) > 0 {
		fmt.Fprintln(b)
	}
	for _, n := range r.Notes {
		fmt.Fprintf(b, "note: %s (%s: %s)\n", report.Printable(n.Text), n.Basis, n.Source)
	}
	fmt.Fprintf(b, "\n%s: %s.\n", report.Count(len(r.Servers), "server"), r.summary())
	return b.Flush()
}

// stageOf says what a stage is the pool of.
func (r *Report) stageOf(s Stage) string {
	switch {
	case s.Name == StageNew:
		return r.File
	case s.Name == StageImported:
		return "the pool of " + r.Platform.Title + " after the import"
	case r.poolGiven:
		return "the pool of " + r.Platform.Title + " as given"
	}
	before := r.File + ", whole"
	if r.Against != "" {
		before = r.Against
	}
	if r.Platform != nil {
		return "the pool of " + r.Platform.Title + " after the import of " + before
	}
	return before
}

// verdicts are the verdicts in the order of the summary, and how a person says them.
var verdicts = []struct {
	verdict Verdict
	words   string
	tone    report.Tone
}{
	{Breaks, "BREAKS", report.Bad}, {MayBreak, "MAY BREAK", report.Warn}, {StillWorks, "still works", report.Good}, {NewlyWorks, "newly works", report.Good},
	{Works, "works", report.Good}, {Fails, "does not work", report.Bad}, {NotKnown, "not known", report.Warn},
}

// on is how a person says the verdict, in its colour.
func (v Verdict) on(screen report.Screen) string {
	for _, known := range verdicts {
		if known.verdict == v {
			return screen.Paint(known.tone, known.words)
		}
	}
	return string(v)
}

func (r *Report) summary() string {
	var parts []string
	for _, v := range verdicts {
		if n := r.Count(v.verdict); n > 0 {
			parts = append(parts, fmt.Sprintf("%s %d", v.words, n))
		}
	}
	return strings.Join(parts, ", ")
}

func (s *ServerReport) writeText(b *bufio.Writer, screen report.Screen, stages []Stage) {
	fmt.Fprintf(b, "\n%s  %s\n", s.Verdict.on(screen), report.Printable(s.Name))
	switch {
	case !s.HasServer:
		fmt.Fprintln(b, "  there is no server certificate: the CA certificates alone were judged")
	case s.Host == "":
		fmt.Fprintln(b, "  the host is not known: no name was checked")
	case !strings.HasPrefix(s.Name, s.Host):
		fmt.Fprintf(b, "  host      %s\n", report.Printable(s.Host))
	}
	for i, result := range s.Results {
		fmt.Fprintf(b, "  %-9s ", stages[i].Name)
		if i > 0 && result.sameAs(s.Results[i-1]) {
			fmt.Fprintln(b, "ok, in the same way")
			continue
		}
		result.writeText(b)
	}
	for _, l := range s.Lost {
		fmt.Fprintf(b, "  lost      %s\n            %x\n            %s%s\n", subject(l.Certificate), l.Certificate.SHA256, report.Printable(l.Why), based(l.Basis))
	}
	for _, f := range s.Fixes {
		fmt.Fprintf(b, "  would fix %s\n", report.Printable(path.Cut(f.Name)))
		if f.Certificate != nil {
			fmt.Fprintf(b, "            %x\n", f.Certificate.SHA256)
		}
		fmt.Fprintf(b, "            %s%s\n", report.Printable(f.Text), based(f.Basis))
	}
}

func based(b device.Basis) string {
	if b == "" {
		return ""
	}
	return fmt.Sprintf(" (%s)", b)
}

// sameAs reports whether both are OK and lead over the same certificates.
func (r *Result) sameAs(o Result) bool {
	return r.Status == OK && o.Status == OK && slices.EqualFunc(r.Paths, o.Paths, func(a, b Path) bool {
		return slices.EqualFunc(a.Certificates, b.Certificates, func(x, y *certificate.Certificate) bool { return x.SHA256 == y.SHA256 })
	})
}

// writeText goes on in a line that has begun.
func (r *Result) writeText(b *bufio.Writer) {
	if r.Status == OK {
		fmt.Fprintf(b, "ok, leads to %s\n", via(r.Paths[0]))
	} else {
		fmt.Fprintf(b, "%s, %s: %s\n", r.Status, r.Reason, report.Printable(r.Text))
	}
	if len(r.Paths) == 0 {
		writeChain(b, r.Chain)
		return
	}
	writeChain(b, r.Paths[0].Certificates)
	for _, p := range r.Paths[1:] {
		fmt.Fprintf(b, "            also to %s\n", via(p))
	}
}

// via says what a path leads to.
func via(p Path) string {
	out := subject(p.Anchor())
	if !path.SelfIssued(p.Anchor()) {
		out += ", an intermediate that the pool holds itself"
	}
	if p.SHA1 {
		out += ", over a certificate signed with SHA-1"
	}
	return out
}

func writeChain(b *bufio.Writer, chain []*certificate.Certificate) {
	for _, c := range chain {
		fmt.Fprintf(b, "            %x  %s\n", c.SHA256, report.Printable(path.Cut(c.Subject.CommonName())))
	}
}

func subject(c *certificate.Certificate) string {
	return report.Printable(path.Cut(c.Subject.String()))
}

// Schema is the schema of WriteJSON's document.
const Schema = "trustpool.reach/1"

// WriteJSON writes the report as one document, schema Schema; docs/formats.md has
// every field.
func (r *Report) WriteJSON(w io.Writer) error {
	type counts struct {
		Works      int `json:"works"`
		StillWorks int `json:"still_works"`
		NewlyWorks int `json:"newly_works"`
		Breaks     int `json:"breaks"`
		MayBreak   int `json:"may_break"`
		Fails      int `json:"fails"`
		NotKnown   int `json:"not_known"`
	}
	head := struct {
		Schema    string           `json:"schema"`
		File      string           `json:"file"`
		Against   *string          `json:"against"`
		At        *time.Time       `json:"at"` // null if the user gave no time
		Platform  *string          `json:"platform"`
		FIPS      bool             `json:"fips"`
		RootsOnly bool             `json:"roots_only"`
		SHA1      *SHA1            `json:"sha1"` // accept or refuse; null if it is not known
		Good      bool             `json:"ok"`   // what the exit status says
		Refused   *string          `json:"refused"`
		LeftOut   []named          `json:"left_out"`
		Stages    []Stage          `json:"stages"`
		Counts    counts           `json:"counts"`
		Notes     device.Notes     `json:"notes"`
		Evidence  *report.Evidence `json:"evidence"`
	}{
		Schema, r.File, report.Optional(r.Against), report.OrNil(r.At.UTC(), r.ShowAt), nil, r.FIPS, r.RootsOnly, report.Optional(r.SHA1), r.Good(), nil,
		each(r.LeftOut, nameOf), r.Stages,
		counts{r.Count(Works), r.Count(StillWorks), r.Count(NewlyWorks), r.Count(Breaks), r.Count(MayBreak), r.Count(Fails), r.Count(NotKnown)},
		r.Notes, r.Evidence,
	}
	if r.Platform != nil {
		head.Platform = &r.Platform.Name
	}
	if r.Import != nil {
		head.Refused = report.Optional(r.Import.Refused)
	}
	return report.WriteJSON(w, head, report.List("servers", r.Servers, func(s ServerReport) any { return s.json(r.Stages) }))
}

// each gives a list that is not null.
func each[T, R any](in []T, entry func(T) R) []R {
	out := make([]R, len(in))
	for i, v := range in {
		out[i] = entry(v)
	}
	return out
}

// named is a certificate in the document.
type named struct {
	Subject string `json:"subject"`
	SHA256  string `json:"sha256"`
}

func nameOf(c *certificate.Certificate) named {
	return named{c.Subject.String(), hex.EncodeToString(c.SHA256[:])}
}

// json is the server in the document.
func (s *ServerReport) json(stages []Stage) any {
	results := make([]any, len(s.Results))
	for i := range s.Results {
		results[i] = s.Results[i].json(stages[i].Name)
	}
	return struct {
		Name      string  `json:"name"`
		Host      *string `json:"host"`       // null if it is not known
		HasServer bool    `json:"has_server"` // false if only CA certificates are there
		Verdict   Verdict `json:"verdict"`
		Sent      []named `json:"sent"`
		Results   []any   `json:"results"`
		Lost      []any   `json:"lost"`
		Fixes     []any   `json:"fixes"`
	}{s.Name, report.Optional(s.Host), s.HasServer, s.Verdict, each(s.Certificates, nameOf), results, each(s.Lost, Loss.json), each(s.Fixes, Fix.json)}
}

func (r *Result) json(stage string) any {
	return struct {
		Stage  string  `json:"stage"`
		Status Status  `json:"status"`
		Reason *Reason `json:"reason"`
		Text   *string `json:"text"`
		Paths  []any   `json:"paths"`
		Chain  []named `json:"chain"`
	}{stage, r.Status, report.Optional(r.Reason), report.Optional(r.Text), each(r.Paths, Path.json), each(r.Chain, nameOf)}
}

func (p Path) json() any {
	return struct {
		Certificates []named `json:"certificates"`
		RootAnchor   bool    `json:"root_anchor"` // false: the anchor is an intermediate
		SHA1         bool    `json:"sha1"`
		Doubts       []Doubt `json:"doubts"`
	}{each(p.Certificates, nameOf), path.SelfIssued(p.Anchor()), p.SHA1, append([]Doubt{}, p.Doubts...)}
}

func (l Loss) json() any {
	return struct {
		named
		Why   string        `json:"why"`
		Basis *device.Basis `json:"basis"`
	}{nameOf(l.Certificate), l.Why, report.Optional(l.Basis)}
}

func (f Fix) json() any {
	sum := ""
	if f.Certificate != nil {
		sum = nameOf(f.Certificate).SHA256
	}
	return struct {
		Subject string        `json:"subject"`
		SHA256  *string       `json:"sha256"` // null if the certificate is not at hand
		Text    string        `json:"text"`
		Basis   *device.Basis `json:"basis"`
	}{f.Name, report.Optional(sum), f.Text, report.Optional(f.Basis)}
}

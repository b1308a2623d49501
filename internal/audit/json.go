package audit

import (
	"io"

	"trustpool/bundle/certificate"
	"trustpool/internal/distrust"
	"trustpool/internal/report"
)

// reportSchema is that of WriteJSON.
const reportSchema = "trustpool.audit/1"

// head is the JSON of a report, its lists excepted.
type head struct {
	Schema       string           `json:"schema"`
	File         string           `json:"file"`
	At           *string          `json:"at"`
	Signature    *string          `json:"signature"`
	Name         *string          `json:"name"`
	Version      *string          `json:"version"`
	Certificates int              `json:"certificates"`
	Pool         *poolReport      `json:"pool"`
	Against      *string          `json:"against"`
	Needs        []NeedResult     `json:"needs"`
	Distrusted   string           `json:"distrusted_as_of"`
	Program      *Program         `json:"program"`
	Manifest     *manifestReport  `json:"manifest"`
	ExpiringDays float64          `json:"expiring_days"`
	FailOn       Severity         `json:"fail_on"`
	OK           bool             `json:"ok"`
	NotJudged    int              `json:"not_judged"`
	Counts       counts           `json:"counts"`
	Evidence     *report.Evidence `json:"evidence"`
}

type poolReport struct {
	Platform string `json:"platform"`
	NotKnown int    `json:"not_known"`
	Inferred int    `json:"inferred"`
}

// manifestReport is what the manifest.log says of itself.
type manifestReport struct {
	File         string      `json:"file"`
	Name         report.Text `json:"name"`
	Version      report.Text `json:"version"`
	Certificates int         `json:"certificates"`
	Same         bool        `json:"same"`
}

type counts struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
	Excused int `json:"excused"`
}

type findingReport struct {
	Rule         string              `json:"rule"`
	Severity     Severity            `json:"severity"`
	Change       report.Text         `json:"change"`
	Detail       string              `json:"detail"`
	Certificates []certificateReport `json:"certificates"`
	Exception    *Exception          `json:"exception"`
}

type certificateReport struct {
	Index    int              `json:"index"`
	Known    bool             `json:"known"`
	Origin   report.Text      `json:"origin"`
	SHA256   report.Text      `json:"sha256"`
	SHA1     report.Text      `json:"sha1"`
	Subject  *string          `json:"subject"`
	Serial   report.Text      `json:"serial"`
	NotAfter certificate.Time `json:"not_after"`
}

// WriteJSON writes one document, "trustpool.audit/1".
func (r *Report) WriteJSON(w io.Writer) error {
	h := head{
		Schema: reportSchema, File: r.File, Certificates: len(r.Entries), Needs: append([]NeedResult{}, r.Needs...), Distrusted: distrust.AsOf, ExpiringDays: r.Expiring.Hours() / 24, FailOn: r.FailOn,
		OK: !r.Fails(), NotJudged: r.NotJudged, Counts: counts{r.Count(Error), r.Count(Warning), r.Count(Info), r.Excused()},
		Program: r.Program, Evidence: r.Evidence,
	}
	if r.At != nil {
		h.At = report.StampOrNil(*r.At)
	}
	if r.Signature != nil {
		h.Signature, h.Name, h.Version = new(r.Signature.Summary()), r.Signature.Name, r.Signature.Version
	}
	if r.isPool() {
		unknown, inferred := r.unknown()
		h.Pool = &poolReport{r.Platform, unknown, inferred}
	}
	if r.Against != nil {
		h.Against = &r.Against.File
	}
	if m := r.Manifest; m != nil {
		h.Manifest = &manifestReport{m.File, report.Text(m.Name), report.Text(m.Version), len(m.Certificates), r.manifestSame()}
	}
	return report.WriteJSON(w, h, report.List("rules", r.Results, report.Same[RuleResult]),
		report.List("findings", r.Findings, Finding.report), report.List("gone", r.Gone, Finding.report))
}

func (f Finding) report() findingReport {
	r := findingReport{Rule: f.Rule.ID, Severity: f.Severity, Change: report.Text(f.Change), Detail: f.Detail, Certificates: []certificateReport{}, Exception: f.Exception}
	for _, e := range f.Items {
		c := certificateReport{
			Index: e.Index, Known: e.Certificate != nil, Origin: report.Text(e.Origin), SHA256: report.Text(e.hash()), SHA1: report.Text(e.SHA1),
			Serial: report.Text(e.serial()),
		}
		if end := e.ValidTo(); end.Within == 0 {
			c.NotAfter = end.Time
		}
		switch {
		case !c.Known:
			c.Subject = report.Optional(e.Title())
		case e.Certificate.Err == nil:
			c.Subject = new(e.Certificate.Subject.String())
		}
		r.Certificates = append(r.Certificates, c)
	}
	return r
}

package doctor

import (
	"fmt"
	"io"
	"strings"
	"time"

	"trustpool/internal/report"
	"trustpool/signing"
)

// Schema is that of Report's JSON.
const Schema = "trustpool.doctor/1"

// WriteText writes what was found, a line a check, then what each finding means and
// what to do.
func (r *Report) WriteText(w io.Writer) error {
	var b strings.Builder
	screen := report.ScreenOf(w)
	tones := map[Result]report.Tone{OK: report.Good, Warning: report.Warn, Fail: report.Bad}
	fmt.Fprintf(&b, "%s\n", report.Printable(r.URL))
	if r.Bundle != nil {
		claimed := ""
		if !r.Signature.Verified {
			claimed = " (claimed, not verified)"
		}
		fmt.Fprintf(&b, "  bundle     %s, version %s%s, %s, %s\n", report.OrDash(report.Printable(r.Bundle.Name)),
			report.OrDash(report.Printable(r.Bundle.Version)), claimed, report.Count(len(r.Bundle.Certificates), "certificate"), report.Count(len(r.Bundle.Raw), "byte"))
		fmt.Fprintf(&b, "  signature  %s\n", screen.Verdict(r.Signature.Verified, r.Signature.Summary()))
	}
	b.WriteByte('\n')
	table := screen.Table(&b, report.Column{}, report.Column{}, report.Column{Kind: report.Prose})
	for i := range r.Checks {
		c := &r.Checks[i]
		table.Row(screen.Paint(tones[c.Result], word(c.Result)), c.ID, report.Printable(c.Detail))
	}
	_ = table.Flush()
	for i := range r.Checks {
		if c := &r.Checks[i]; c.Result == Fail || c.Result == Warning {
			fmt.Fprintf(&b, "\n%s %s\n  wanted  %s\n  found   %s\n  why     %s (%s: %s)\n  fix     %s\n",
				screen.Paint(tones[c.Result], word(c.Result)), c.ID, c.Title, report.Printable(c.Detail), c.Why, c.Basis, c.Source, c.Fix)
		}
	}
	fmt.Fprintf(&b, "\n%d ok, %d warnings, %d failed, %d skipped\n", r.Count(OK), r.Count(Warning), r.Count(Fail), r.Count(Skipped))
	_, err := io.WriteString(w, b.String())
	return err
}

// word is a result as text shows it.
func word(r Result) string {
	if r == Fail {
		return "FAIL"
	}
	return string(r)
}

type bundleJSON struct {
	Name         report.Text `json:"name"` // as claimed, as is the version
	Version      report.Text `json:"version"`
	SHA256       string      `json:"sha256"`
	Size         int         `json:"size"`
	Certificates int         `json:"certificates"`
}

type signatureJSON struct {
	Verified bool            `json:"verified"`
	Reason   *signing.Reason `json:"reason"`
	Detail   *string         `json:"detail"`
}

// WriteJSON writes the report as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	var j struct {
		Schema string  `json:"schema"`
		URL    string  `json:"url"`
		At     *string `json:"at"`
		OK     bool    `json:"ok"`
		Counts struct {
			OK      int `json:"ok"`
			Warning int `json:"warning"`
			Fail    int `json:"fail"`
			Skipped int `json:"skipped"`
		} `json:"counts"`
		Bundle       *bundleJSON    `json:"bundle"`
		Verification *signatureJSON `json:"verification"`
		Checks       []Check        `json:"checks"`
		Requests     []Request      `json:"requests"`
	}
	j.Schema, j.URL, j.OK, j.Checks, j.Requests = Schema, r.URL, r.OK(), r.Checks, r.Requests
	j.Counts.OK, j.Counts.Warning, j.Counts.Fail, j.Counts.Skipped = r.Count(OK), r.Count(Warning), r.Count(Fail), r.Count(Skipped)
	if r.At != nil {
		j.At = new(r.At.UTC().Format(time.RFC3339Nano))
	}
	if b := r.Bundle; b != nil {
		j.Bundle = &bundleJSON{report.Text(b.Name), report.Text(b.Version), fmt.Sprintf("%x", b.SHA256()), len(b.Raw), len(b.Certificates)}
		j.Verification = &signatureJSON{r.Signature.Verified, r.Signature.Reason, r.Signature.Detail}
	}
	return report.WriteJSON(w, j)
}

package signing

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/roots"
)

// A Report is the answer of Verify as people and programs read it; docs/formats.md
// has every field.
type Report struct {
	Schema      string           `json:"schema"`
	File        string           `json:"file"` // for the caller to set: what the user called it
	Verified    bool             `json:"verified"`
	Reason      *Reason          `json:"reason"`
	Detail      *string          `json:"detail"` // the reason in words
	At          *string          `json:"at"`     // null if it was the present
	Anchor      *AnchorReport    `json:"anchor"`
	Signers     []SignerReport   `json:"signers"`
	Name        *string          `json:"name"` // these three only if verified
	Version     *string          `json:"version"`
	SigningTime certificate.Time `json:"signing_time"`
	// Evidence is for the caller to set: what the answer rests on, nil for nothing.
	Evidence *report.Evidence `json:"evidence"`
}

// An AnchorReport names an anchor.
type AnchorReport struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// A SignerReport is how one SignerInfo was judged. Subject and SHA256 are null
// if the message does not hold the certificate.
type SignerReport struct {
	Subject *string      `json:"subject"`
	SHA256  *string      `json:"sha256"`
	Reason  *Reason      `json:"reason"`
	Detail  *string      `json:"detail"`
	Chain   []LinkReport `json:"chain"`
}

// A LinkReport is one certificate of a chain, the signer's first.
type LinkReport struct {
	Subject            string           `json:"subject"`
	SHA256             string           `json:"sha256"`
	NotBefore          certificate.Time `json:"not_before"`
	NotAfter           certificate.Time `json:"not_after"`
	SignatureAlgorithm string           `json:"signature_algorithm"`
	SHA1Tolerated      bool             `json:"sha1_tolerated"`
	Anchor             bool             `json:"anchor"`
}

// NewReport makes a report of what Verify returned: one of v and refused is nil.
// at is the time that the user chose, nil for the present.
func NewReport(v *Verification, refused *VerifyError, at *time.Time) Report {
	r := Report{Schema: "trustpool.verify/1", Signers: []SignerReport{}}
	if at != nil {
		r.At = new(report.Stamp(*at))
	}
	var signers []Signer
	if v != nil {
		signers = v.Signers
		r.Verified, r.Anchor = true, anchorReport(v.Anchor)
		r.Name, r.Version, r.SigningTime = report.Optional(v.Name), report.Optional(v.Version), v.SigningTime
	} else {
		signers = refused.Signers
		r.Reason, r.Detail = &refused.Reason, new(refused.Err.Error())
	}
	for _, s := range signers {
		r.Signers = append(r.Signers, s.report())
	}
	return r
}

func anchorReport(a roots.Anchor) *AnchorReport {
	return &AnchorReport{a.Name, hex.EncodeToString(a.SHA256[:])}
}

func (s Signer) report() SignerReport {
	r := SignerReport{Chain: []LinkReport{}}
	if s.Certificate != nil {
		r.Subject, r.SHA256 = new(s.Certificate.Subject.String()), new(hex.EncodeToString(s.Certificate.SHA256[:]))
	}
	if s.Reason != "" {
		r.Reason, r.Detail = &s.Reason, new(s.Err.Error())
	}
	for _, l := range s.Chain {
		c := l.Certificate
		r.Chain = append(r.Chain, LinkReport{
			Subject:            c.Subject.String(),
			SHA256:             hex.EncodeToString(c.SHA256[:]),
			NotBefore:          c.NotBefore,
			NotAfter:           c.NotAfter,
			SignatureAlgorithm: c.SignatureAlgorithm.String(),
			SHA1Tolerated:      l.SHA1 && s.Reason == "",
			Anchor:             s.Reason == "" && c.SHA256 == s.Anchor.SHA256,
		})
	}
	return r
}

// Summary is the answer in one line: "verified, Cisco Root CA M1" or "not
// verified: chain-expired".
func (r Report) Summary() string {
	if r.Verified {
		return "verified, " + report.Printable(r.Anchor.Name)
	}
	return "not verified: " + string(*r.Reason)
}

// WriteJSON writes the report as one JSON document.
func (r Report) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r) }

// WriteText writes what was trusted and why, each step of each chain.
func (r Report) WriteText(w io.Writer) error {
	screen, out := report.ScreenOf(w), bufio.NewWriter(w) // which keeps the first error
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	line("%s", screen.Verdict(r.Verified, r.Summary()))
	if r.Detail != nil {
		line("  %s", report.Printable(*r.Detail))
	}
	line("  file       %s", report.Printable(r.File))
	if r.At != nil {
		line("  judged at  %s", *r.At)
	}
	if r.Verified {
		line("  name       %s", printableOr(r.Name, "none"))
		line("  version    %s", printableOr(r.Version, "none"))
		if r.SigningTime.Valid {
			line("  signed     %s", r.SigningTime)
		} else {
			line("  signed     at a time that is not given")
		}
	}
	for i, s := range r.Signers {
		line("")
		if s.Reason == nil {
			line("signer %d of %d: %s", i+1, len(r.Signers), screen.Verdict(true, "good"))
		} else {
			line("signer %d of %d: %s", i+1, len(r.Signers), screen.Verdict(false, string(*s.Reason)))
			if len(r.Signers) > 1 { // the head has said it of the only one
				line("  %s", report.Printable(*s.Detail))
			}
		}
		for _, l := range s.Chain {
			line("  %s", report.Printable(l.Subject))
			line("    SHA-256  %s", l.SHA256)
			line("    valid    %s to %s", l.NotBefore, l.NotAfter)
			switch {
			case l.Anchor:
				line("    trusted  this is the pinned anchor")
			case l.SHA1Tolerated:
				line("    signed   with %s, tolerated under this anchor alone", l.SignatureAlgorithm)
			default:
				line("    signed   with %s", l.SignatureAlgorithm)
			}
		}
	}
	return out.Flush()
}

func printableOr(s *string, none string) string {
	if s == nil {
		return none
	}
	return report.Printable(*s)
}

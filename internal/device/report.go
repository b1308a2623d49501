package device

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/signing"
)

// importSchema is the schema of WriteJSON's document.
const importSchema = "trustpool.import/1"

// WriteText writes what the platform would print, if that is known, then the
// counts if it prints none, a table of what was not installed, or of all with r.All,
// and the notes.
//
// If quiet is set, it writes the platform's own lines alone: for an ASA its
// block of five counters. Of IOS XR none are known, so the counts take their place.
func (r *ImportReport) WriteText(w io.Writer, quiet bool) error {
	buf := bufio.NewWriter(w)
	r.writeText(buf, report.ScreenOf(w), quiet)
	return buf.Flush() // a bufio.Writer keeps its first error
}

func (r *ImportReport) writeText(w *bufio.Writer, screen report.Screen, quiet bool) {
	title, words := r.Platform.Title, r.Platform.rules.words
	switch {
	case r.Refused != "":
		fmt.Fprintf(w, "%s: %s\n", screen.Verdict(false, "refused"), report.Printable(r.Refused))
		if !quiet {
			fmt.Fprintf(w, "   %s: %s\n", r.RefusedOn.Basis, r.RefusedOn.Source)
			if r.Platform.Advice == "" {
				fmt.Fprintf(w, "   what %s prints then is not known\n", title)
			}
			r.Notes.writeText(w)
		}
		return
	case words == wordsASA:
		if r.Verification != nil {
			fmt.Fprintln(w, "Root file signature verified.")
		}
		fmt.Fprintln(w, "Trustpool import:")
		r.writeCounts(w)
	case words == wordsIOS:
		if r.Terminal {
			fmt.Fprintln(w, "% Enter PEM-formatted CA certificate.\n% End with a blank line or \"quit\" on a line by itself.")
		}
		if r.Location != "" {
			at := report.Printable(r.Location)
			fmt.Fprintf(w, "Reading file from %s\nLoading %s\n", at, at)
		}
		if r.Installed > 0 {
			fmt.Fprintln(w, "% PEM files import succeeded.")
		}
	}
	if words != wordsASA && (!quiet || words == wordsUnknown) {
		switch {
		case words == wordsUnknown:
			fmt.Fprintf(w, "counted by trustpool; %s's own text is not known:\n", title)
		case r.Installed > 0:
			fmt.Fprintf(w, "\ncounted by trustpool; %s prints no counters:\n", title)
		default:
			fmt.Fprintf(w, "\ncounted by trustpool; what %s prints if nothing is installed is not known:\n", title)
		}
		r.writeCounts(w)
	}
	if quiet {
		return
	}
	if r.Installed < r.Attempted || r.All && r.Attempted > 0 {
		fmt.Fprintln(w)
		r.writeTable(w, screen)
	}
	r.Notes.writeText(w)
}

// writeText writes a paragraph of the notes, if there are some.
func (notes Notes) writeText(w io.Writer) {
	if len(notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range notes {
		fmt.Fprintf(w, "note: %s (%s: %s)\n", report.Printable(n.Text), n.Basis, n.Source)
	}
}

// writeCounts writes the counters as an ASA aligns them.
func (r *ImportReport) writeCounts(w io.Writer) {
	fmt.Fprintf(w, "   attempted:  %d\n   installed:  %d\n   duplicates: %d\n   expired:    %d\n   failed:     %d\n",
		r.Attempted, r.Installed, r.Duplicates, r.Expired, r.Failed)
}

// writeTable writes what was not installed, or all. The subject comes last, so that a
// long one does not widen the other rows.
func (r *ImportReport) writeTable(w io.Writer, screen report.Screen) {
	tones := map[Outcome]report.Tone{Installed: report.Good, Expired: report.Warn, Failed: report.Bad}
	table := screen.Table(w, report.Column{Title: "index"}, report.Column{Title: "outcome"}, report.Column{Title: "reason", Kind: report.Prose},
		report.Column{Title: "basis"}, report.Column{Title: "subject", Kind: report.Name})
	for i := range r.Certificates {
		e := &r.Certificates[i]
		if e.Outcome == Installed && !r.All {
			continue
		}
		subject := "-"
		if e.Certificate.Err == nil {
			subject = report.Printable(e.Certificate.Subject.String())
		}
		table.Row(strconv.Itoa(e.Index), screen.Paint(tones[e.Outcome], string(e.Outcome)), report.Printable(e.Reason), string(e.Basis), subject)
	}
	_ = table.Flush() // w keeps the error
}

// WriteJSON writes the result as one document, schema importSchema, the certificates
// as they come. The time is there only if the user gave it, as showAt says.
func (r *ImportReport) WriteJSON(w io.Writer, showAt bool) error {
	type anchor struct {
		Name   *string `json:"name"` // null if only its fingerprint was given
		SHA256 string  `json:"sha256"`
	}
	head := struct {
		Schema        string     `json:"schema"`
		Platform      string     `json:"platform"`
		At            *time.Time `json:"at"` // null if the user gave no time
		Refused       *string    `json:"refused"`
		RefusedBasis  *Basis     `json:"refused_basis"`
		RefusedSource *string    `json:"refused_source"`
		Counts
		Signature *signing.Reason  `json:"signature"` // or "verified"; null if it was not judged
		Anchor    *anchor          `json:"anchor"`    // null if not verified
		LabRoot   bool             `json:"lab_root"`
		Via       string           `json:"via"` // "file" or "terminal"; of the latter no signature was looked at
		Notes     Notes            `json:"notes"`
		Evidence  *report.Evidence `json:"evidence"`
	}{
		importSchema, r.Platform.Name, report.OrNil(r.At.UTC(), showAt),
		report.Optional(r.Refused), report.Optional(r.RefusedOn.Basis), report.Optional(r.RefusedOn.Source),
		r.Counts, report.Optional(r.Reason), nil, r.LabRoot, "file", r.Notes, r.Evidence,
	}
	if r.Terminal {
		head.Via = "terminal"
	}
	if r.Verification != nil {
		a := r.Verification.Anchor
		head.Signature, head.Anchor = new(signing.Reason("verified")), &anchor{report.Optional(a.Name), hex.EncodeToString(a.SHA256[:])}
	}
	return report.WriteJSON(w, head, report.List("certificates", r.Certificates, Judged.json))
}

// json is the entry in the document.
func (e Judged) json() any {
	c := e.Certificate
	return struct {
		Index   int     `json:"index"`
		SHA256  string  `json:"sha256"`
		Subject *string `json:"subject"` // null if it is not a certificate; "" is a subject too
		Outcome Outcome `json:"outcome"`
		Reason  string  `json:"reason"`
		Ground
		MatchedBy *pool.Key `json:"matched_by"` // null if it is not a duplicate
	}{e.Index, hex.EncodeToString(c.SHA256[:]), report.OrNil(c.Subject.String(), c.Err == nil), e.Outcome, e.Reason, e.Ground, report.Optional(e.MatchedBy)}
}

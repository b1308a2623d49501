package device

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"time"

	"trustpool/internal/report"
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
			r.writeNotes(w)
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
	r.writeNotes(w)
}

func (r *ImportReport) writeNotes(w io.Writer) {
	if len(r.Notes) > 0 {
		fmt.Fprintln(w)
	}
	for _, n := range r.Notes {
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

// WriteJSON writes the result as one document, schema importSchema: the fields of
// resultJSON, then the certificates as they come. The time is there
// only if the user gave it, as showAt says.
func (r *ImportReport) WriteJSON(w io.Writer, showAt bool) error {
	head := resultJSON{
		Schema: importSchema, Platform: r.Platform.Name, Refused: report.Optional(r.Refused),
		RefusedBasis: report.Optional(string(r.RefusedOn.Basis)), RefusedSource: report.Optional(r.RefusedOn.Source),
		Attempted: r.Attempted, Installed: r.Installed, Duplicates: r.Duplicates, Expired: r.Expired, Failed: r.Failed,
		Signature: report.Optional(string(r.Reason)), LabRoot: r.LabRoot, Via: "file", Notes: []noteJSON{}, Evidence: r.Evidence,
	}
	if r.Terminal {
		head.Via = "terminal"
	}
	if showAt {
		head.At = report.Optional(r.At.UTC().Format(time.RFC3339Nano))
	}
	if r.Verification != nil {
		head.Signature = report.Optional("verified")
		a := r.Verification.Anchor
		head.Anchor = &anchorJSON{report.Optional(a.Name), hex.EncodeToString(a.SHA256[:])}
	}
	for _, n := range r.Notes {
		head.Notes = append(head.Notes, noteJSON{n.Text, n.Basis, n.Source})
	}
	return report.WriteJSON(w, head, report.JSONList{Name: "certificates", Each: func(yield func(any) bool) {
		for i := range r.Certificates {
			if !yield(r.Certificates[i].json()) {
				return
			}
		}
	}})
}

// resultJSON is the document without its certificates.
type resultJSON struct {
	Schema        string           `json:"schema"`
	Platform      string           `json:"platform"`
	At            *string          `json:"at"` // null if the user gave no time
	Refused       *string          `json:"refused"`
	RefusedBasis  *string          `json:"refused_basis"`
	RefusedSource *string          `json:"refused_source"`
	Attempted     int              `json:"attempted"`
	Installed     int              `json:"installed"`
	Duplicates    int              `json:"duplicates"`
	Expired       int              `json:"expired"`
	Failed        int              `json:"failed"`
	Signature     *string          `json:"signature"` // "verified", or a signing.Reason; null if it was not judged
	Anchor        *anchorJSON      `json:"anchor"`    // null if not verified
	LabRoot       bool             `json:"lab_root"`
	Via           string           `json:"via"` // "file" or "terminal"; of the latter no signature was looked at
	Notes         []noteJSON       `json:"notes"`
	Evidence      *report.Evidence `json:"evidence"`
}

type anchorJSON struct {
	Name   *string `json:"name"` // null if only its fingerprint was given
	SHA256 string  `json:"sha256"`
}

type noteJSON struct {
	Text   string `json:"text"`
	Basis  Basis  `json:"basis"`
	Source string `json:"source"`
}

type entryJSON struct {
	Index     int     `json:"index"`
	SHA256    string  `json:"sha256"`
	Subject   *string `json:"subject"` // null if it is not a certificate
	Outcome   Outcome `json:"outcome"`
	Reason    string  `json:"reason"`
	Basis     Basis   `json:"basis"`
	Source    string  `json:"source"`
	MatchedBy *string `json:"matched_by"` // a pool.Key; null if it is not a duplicate
}

func (e *Judged) json() entryJSON {
	out := entryJSON{
		Index: e.Index, SHA256: hex.EncodeToString(e.Certificate.SHA256[:]), Outcome: e.Outcome,
		Reason: e.Reason, Basis: e.Basis, Source: e.Source, MatchedBy: report.Optional(string(e.MatchedBy)),
	}
	if e.Certificate.Err == nil {
		subject := e.Certificate.Subject.String()
		out.Subject = &subject // "" is a subject too
	}
	return out
}

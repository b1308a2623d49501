package device

import (
	"bytes"
	"fmt"

	"trustpool/bundle"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// sourceTerminal is the ground of what "import terminal" takes.
const sourceTerminal = "Cisco field notice FN72323 and Cisco's test library genielibs"

// importTerminal plays "crypto pki trustpool import terminal" of IOS and IOS XE:
// what is pasted ends at the first blank line, or at "quit", one certificate in PEM
// is taken of it, and no signature is asked for.
func importTerminal(p *pool.Pool, b *bundle.Bundle, o ImportOptions) (*ImportReport, error) {
	r := &ImportReport{Platform: o.Platform, At: o.At, Terminal: true, Certificates: []Judged{}, Notes: Notes{}}
	refuse := func(format string, args ...any) (*ImportReport, error) {
		r.Refused, r.RefusedOn = o.Platform.Title+" takes one certificate in PEM from the terminal; "+fmt.Sprintf(format, args...), o.Platform.rules.terminal
		return r, nil
	}
	switch {
	case b.Raw == nil:
		return refuse("this is a directory")
	case b.Form != bundle.FormPEM && b.Form != bundle.FormDER:
		return refuse("this file is a message with %s (form %s): paste a certificate, trustpool config --pem writes what to type", report.Count(len(b.Certificates), "certificate"), b.Form)
	case len(b.DER) == len(b.Raw):
		return refuse("this file is in DER, and no text: trustpool config --pem writes what to type")
	}
	text, lines := typed(b.Raw)
	first, err := bundle.Parse(text)
	if err != nil {
		return refuse("in the %s before the first blank line there is none: %v", report.Count(lines, "line"), err)
	}
	kept, err := r.take(p, first.Certificates[:1], o)
	if err != nil {
		return nil, err
	}
	r.Notes.Add(Ground{Inferred, "the signature that " + SourceGuides + " speak of is that of a bundle"},
		"nothing verifies what is pasted, and nobody vouches for it here: compare its fingerprints with a second source; trustpool config --pem writes them, and what to type")
	if n := len(b.Certificates) - 1; n > 0 {
		r.Notes.Add(Ground{Confirmed, "Cisco's test library genielibs: it sends the first block of each command alone"},
			"%s of the file not taken: one certificate a command", report.Count(n, "further certificate"))
	}
	if first.Passed.Lines > 0 {
		r.Notes.Add(Unknown, "%s of text beside the PEM pasted with it; what a device makes of that is not known", report.Count(first.Passed.Lines, "line"))
	}
	r.addSettings(kept, o)
	return r, nil
}

// typed is what the device reads of a text that is pasted: all before the first
// blank line, or before "quit". It also returns the number of lines.
func typed(text []byte) (before []byte, lines int) {
	size := 0
	for l := range bytes.Lines(text) {
		if line := bytes.TrimSpace(l); len(line) == 0 || bytes.EqualFold(line, []byte("quit")) {
			break
		}
		size += len(l)
		lines++
	}
	return text[:size], lines
}

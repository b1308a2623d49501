package device

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// listingSchema is the schema of a Listing's document.
const listingSchema = "trustpool.pool-read/1"

// A listingCount is a Listing in numbers.
type listingCount struct {
	BuiltIn        int `json:"built_in"`
	Downloaded     int `json:"downloaded"`
	OriginNotKnown int `json:"origin_not_known"`
	Expired        int `json:"expired"`
	ExpiryNotKnown int `json:"expiry_not_known"`
	Identified     int `json:"identified"`
	Ambiguous      int `json:"ambiguous"`
	NotFound       int `json:"not_found"`

	byKey map[pool.Key]int
}

func (l *Listing) count() (n listingCount) {
	n.byKey = map[pool.Key]int{}
	for i := range l.Entries {
		e := &l.Entries[i]
		switch e.Origin {
		case show.BuiltIn:
			n.BuiltIn++
		case show.Downloaded:
			n.Downloaded++
		default:
			n.OriginNotKnown++
		}
		switch expired, known := e.Entry.ValidTo().Before(l.At); {
		case !known:
			n.ExpiryNotKnown++
		case expired:
			n.Expired++
		}
		switch {
		case e.Match.Candidates > 1:
			n.Ambiguous++
		case e.Entry.Certificate == nil:
			n.NotFound++
		default:
			n.Identified++
			n.byKey[e.Match.By]++
		}
	}
	if !l.identified {
		n.NotFound = 0
	}
	return n
}

// WriteText writes the counts, a table of the certificates, the difference if
// there is one, and the notes.
func (l *Listing) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	n := l.count()
	fmt.Fprintf(out, "%s: %s of %s\n", report.Printable(l.File), l.Platform.ShowCommand(), l.Platform.Title)
	fmt.Fprintf(out, "certificates  %d: %d built-in, %d downloaded", len(l.Entries), n.BuiltIn, n.Downloaded)
	if n.OriginNotKnown > 0 {
		fmt.Fprintf(out, "; of %d it is not known", n.OriginNotKnown)
	}
	fmt.Fprintln(out)
	fmt.Fprintf(out, "expired       %d", n.Expired)
	if n.ExpiryNotKnown > 0 {
		fmt.Fprintf(out, "; of %d it is not known", n.ExpiryNotKnown)
	}
	fmt.Fprintln(out)
	if l.identified {
		parts := keyCounts(n.byKey)
		if n.Ambiguous > 0 {
			parts = append(parts, fmt.Sprintf("%d ambiguous", n.Ambiguous))
		}
		if n.NotFound > 0 {
			parts = append(parts, fmt.Sprintf("%d not found", n.NotFound))
		}
		fmt.Fprintf(out, "identified    %s\n", strings.Join(parts, ", "))
	}
	if len(l.Entries) > 0 {
		fmt.Fprintln(out)
		l.writeTable(out, report.ScreenOf(w))
	}
	if l.Difference != nil {
		fmt.Fprintln(out)
		l.Difference.writeText(out, report.ScreenOf(w))
	}
	l.Notes.writeText(out)
	return out.Flush()
}

// keyCounts says by what so many were matched, and of what is not certain so.
func keyCounts(n map[pool.Key]int) (parts []string) {
	for _, k := range pool.Keys() {
		if n[k] == 0 {
			continue
		}
		part := fmt.Sprintf("%d by %s", n[k], k.Words())
		if !k.Certain() {
			part += " (inferred)"
		}
		parts = append(parts, part)
	}
	return parts
}

// writeTable writes the certificates, the subject last, so that a long one does
// not widen the other rows.
func (l *Listing) writeTable(w io.Writer, screen report.Screen) {
	table := screen.Table(w, report.Column{Title: "index"}, report.Column{Title: "origin", Drop: 1}, report.Column{Title: "not after"},
		report.Column{Title: "match"}, report.Column{Title: "SHA-256", Kind: report.Hash}, report.Column{Title: "subject", Kind: report.Name})
	for i := range l.Entries {
		e := &l.Entries[i]
		sum := "-"
		if e.Entry.Certificate != nil {
			sum = e.SHA256()[:16]
		}
		end := e.until(l.At)
		if expired, _ := e.Entry.ValidTo().Before(l.At); expired {
			end = screen.Paint(report.Bad, end)
		}
		table.Row(strconv.Itoa(i+1), report.OrDash(strings.ToLower(string(e.Origin))), end, l.matchText(e), sum, report.Printable(e.Entry.Title())+e.remarks())
	}
	_ = table.Flush() // w keeps the error
}

// until is the end of the validity in a table.
func (e *Listed) until(at time.Time) string {
	text := shownTime(e.NotAfter).Day()
	switch {
	case e.Entry.Certificate != nil && e.Entry.Certificate.NotAfter.Valid:
		text = e.Entry.Certificate.NotAfter.Day()
	case e.NotAfter.Zone != "" && !e.NotAfter.Known():
		text = report.Day(e.NotAfter.Clock) + " " + e.NotAfter.Zone
	}
	switch expired, known := e.Entry.ValidTo().Before(at); {
	case expired:
		text += " expired"
	case !known:
		text += " expired?"
	}
	return text
}

// matchText is how the certificate was identified.
func (l *Listing) matchText(e *Listed) string {
	switch {
	case e.Match.By != "":
		return string(e.Match.By)
	case e.Match.Candidates > 1:
		return fmt.Sprintf("ambiguous: %d", e.Match.Candidates)
	case l.identified:
		return "not found"
	}
	return "-"
}

func (e *Listed) remarks() (out string) {
	if e.SameAs > 0 {
		out = fmt.Sprintf(" [the same as %d]", e.SameAs)
	}
	if e.Differs {
		out += " [serial number, names or dates are not those of this SHA-1: the text was changed]"
	}
	return out
}

// A listedJSON is one certificate of a Listing's document.
type listedJSON struct {
	Index          int              `json:"index"`
	Line           int              `json:"line"`
	Origin         *string          `json:"origin"`
	Serial         string           `json:"serial"`
	Subject        *string          `json:"subject"`
	Issuer         *string          `json:"issuer"`
	NotBefore      certificate.Time `json:"not_before"`
	NotAfter       certificate.Time `json:"not_after"`
	Expired        *bool            `json:"expired"`
	SHA1           *string          `json:"sha1"`
	ShownSubject   []string         `json:"shown_subject"`
	ShownIssuer    []string         `json:"shown_issuer"`
	ShownNotBefore show.Date        `json:"shown_not_before"`
	ShownNotAfter  show.Date        `json:"shown_not_after"`
	Trustpoints    []string         `json:"trustpoints"`
	Storage        *string          `json:"storage"`
	SameAs         *int             `json:"same_as"`
	Match          *string          `json:"match"`
	MatchBasis     *string          `json:"match_basis"`
	Candidates     int              `json:"candidates"`
	FoundIn        *string          `json:"found_in"`
	SHA256         *string          `json:"sha256"`
	Differs        bool             `json:"differs"`
}

func (e *Listed) json(index int, at time.Time) listedJSON {
	p := &e.Entry
	out := listedJSON{
		Index: index, Line: e.Line, Origin: report.Optional(strings.ToLower(string(e.Origin))), Serial: e.Serial, Subject: report.Optional(p.Subject), Issuer: report.Optional(p.Issuer),
		NotBefore: shownTime(e.NotBefore), NotAfter: shownTime(e.NotAfter), SHA1: report.Optional(p.SHA1),
		ShownSubject: append([]string{}, e.Shown.Subject...), ShownIssuer: append([]string{}, e.Shown.Issuer...), ShownNotBefore: e.NotBefore, ShownNotAfter: e.NotAfter,
		Trustpoints: append([]string{}, e.Trustpoints...), Storage: report.Optional(e.Storage), Match: report.Optional(string(e.Match.By)), Candidates: e.Match.Candidates,
		FoundIn: report.Optional(e.Match.In), SHA256: report.Optional(e.SHA256()), SameAs: report.Optional(e.SameAs), Differs: e.Differs,
	}
	if c := e.Entry.Certificate; c != nil {
		subject, issuer := c.Subject.String(), c.Issuer.String()
		out.Subject, out.Issuer, out.NotBefore, out.NotAfter = &subject, &issuer, c.NotBefore, c.NotAfter
		out.MatchBasis = report.Optional(string(basisOf(e.Match.By)))
	}
	if expired, known := e.Entry.ValidTo().Before(at); known {
		out.Expired = &expired
	}
	return out
}

// basisOf is how sure it is that what has the same key is the same certificate.
func basisOf(k pool.Key) Basis {
	if k.Certain() {
		return Confirmed
	}
	return Inferred
}

func shownTime(d show.Date) certificate.Time {
	return certificate.Time{Time: d.Clock, Valid: d.Known()}
}

// WriteJSON writes the listing as one document, schema listingSchema. The time is
// there only if the user gave it, as showAt says.
func (l *Listing) WriteJSON(w io.Writer, showAt bool) error {
	head := struct {
		Schema   string     `json:"schema"`
		File     string     `json:"file"`
		Platform string     `json:"platform"`
		At       *time.Time `json:"at"`
		listingCount
		Difference *differenceJSON `json:"difference"`
		Notes      Notes           `json:"notes"`
	}{listingSchema, l.File, l.Platform.Name, report.OrNil(l.At.UTC(), showAt), l.count(), nil, l.Notes}
	if l.Difference != nil {
		head.Difference = new(l.Difference.json())
	}
	return report.WriteJSON(w, head, report.JSONList{Name: "certificates", Each: func(yield func(any) bool) {
		for i := range l.Entries {
			if !yield(l.Entries[i].json(i+1, l.At)) {
				return
			}
		}
	}})
}

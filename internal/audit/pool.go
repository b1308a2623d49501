package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// A Pool is what a subject that is a device's pool has beside its certificates.
type Pool struct {
	Platform string
	Entries  []PoolEntry // one for each of Subject.Certificates
}

// A PoolEntry is what a pool says of a certificate, which itself may not be known.
// Unknown fields are zero.
type PoolEntry struct {
	Origin              string // built-in or downloaded
	Subject             string // for people
	Serial              string // as certificate.Serial prints it
	SHA256              *[sha256.Size]byte
	SHA1                string // lower-case hex
	NotBefore, NotAfter time.Time
	Within              time.Duration // how far the dates may be off: in a zone of unknown offset
	// Inferred is set where the device shows no fingerprint, so that the certificate,
	// where there is one, was found by what is shown of it.
	Inferred bool
}

// An Entry is a certificate and where it stands, counted from 1.
type Entry struct {
	Index       int
	Certificate *certificate.Certificate // nil where only the pool's entry is known
	Pool        *PoolEntry               // nil for a bundle
}

// entry is what is known of the entry at a position, counted from 0.
func (s *Subject) entry(i int) Entry {
	e := Entry{Index: i + 1, Certificate: s.Certificates[i]}
	if s.Pool != nil {
		e.Pool = &s.Pool.Entries[i]
	}
	return e
}

// unknown is how many entries there are whose certificate is not known, and
// inferred how many of the others were found by what the device shows alone.
func (s *Subject) unknown() (unknown, inferred int) {
	if s.Pool == nil {
		return 0, 0
	}
	for i, c := range s.Certificates {
		switch {
		case c == nil:
			unknown++
		case s.Pool.Entries[i].Inferred:
			inferred++
		}
	}
	return unknown, inferred
}

// poolWords is the pool in a line.
func (s *Subject) poolWords() string {
	unknown, inferred := s.unknown()
	words := fmt.Sprintf("%s, %d of %d certificates known", s.Pool.Platform, len(s.Certificates)-unknown, len(s.Certificates))
	if inferred > 0 {
		words += fmt.Sprintf(", %d of them by what the device shows, without a fingerprint (inferred)", inferred)
	}
	return words
}

// sum is the SHA-256, nil where it is not known.
func (e Entry) sum() *[sha256.Size]byte {
	if e.Certificate != nil {
		return &e.Certificate.SHA256
	}
	return e.Pool.SHA256
}

// hash is the SHA-256 in hex, empty where it is not known.
func (e Entry) hash() string {
	if s := e.sum(); s != nil {
		return hex.EncodeToString(s[:])
	}
	return ""
}

// reference names the certificate in documents for programs.
func (e Entry) reference() string {
	switch {
	case e.sum() != nil:
		return "sha256:" + e.hash()
	case e.Pool.SHA1 != "":
		return "sha1:" + e.Pool.SHA1
	}
	return fmt.Sprintf("entry:%d", e.Index)
}

// shortHash is the beginning of hash, of a width that does not change.
func (e Entry) shortHash() string { return fmt.Sprintf("%-16.16s", cmp.Or(e.hash(), "-")) }

// String is the certificate in one line, safe to print.
func (e Entry) String() string {
	return fmt.Sprintf("#%d  %s  %s", e.Index, e.shortHash(), e.title())
}

// title is the name for people, safe to print.
func (e Entry) title() string { return report.Printable(cut(e.Name(), maxName)) }

// Name is the subject, as it came, or as the device shows it.
func (e Entry) Name() string {
	switch c := e.Certificate; {
	case c == nil:
		return cmp.Or(e.Pool.Subject, "(not known)")
	case c.Err != nil:
		return "no certificate"
	default:
		return cmp.Or(c.Subject.String(), "(empty name)")
	}
}

// serial is the serial number; empty where there is none to say.
func (e Entry) serial() string {
	switch c := e.Certificate; {
	case c == nil:
		return e.Pool.Serial
	case c.Err != nil:
		return ""
	default:
		return c.Serial.String()
	}
}

// A period is when something is valid; either end may be off by up to within.
type period struct {
	notBefore, notAfter certificate.Time
	within              time.Duration
}

func (e Entry) period() period {
	if c := e.Certificate; c != nil {
		return period{notBefore: c.NotBefore, notAfter: c.NotAfter}
	}
	known := func(t time.Time) certificate.Time { return certificate.Time{Time: t, Valid: !t.IsZero()} }
	return period{known(e.Pool.NotBefore), known(e.Pool.NotAfter), e.Pool.Within}
}

// after reports whether t is after a moment; it is not known where t may be off by
// as much.
func (p period) after(t certificate.Time, moment time.Time) (after, known bool) {
	if !t.Valid || p.within > 0 && t.Sub(moment).Abs() <= p.within {
		return false, false
	}
	return t.After(moment), true
}

// over reports whether the end lies before a moment.
func (p period) over(moment time.Time) (over, known bool) {
	later, known := p.after(p.notAfter, moment)
	return known && !later && !p.notAfter.Equal(moment), known
}

// words are a date, with what is not certain of it.
func (p period) words(t certificate.Time) string {
	if p.within > 0 {
		return fmt.Sprintf("%s, by the clock of the device's zone", t.UTC().Format("2006-01-02 15:04:05"))
	}
	return t.String()
}

// identity tells certificates apart, also those of which only an entry is known.
func (e Entry) identity() [sha256.Size]byte {
	if s := e.sum(); s != nil {
		return *s
	}
	p := e.Pool
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s", p.SHA1, p.Serial, p.Subject, p.NotBefore.UTC(), p.NotAfter.UTC()))
}

// ruleOfPools is the last one: it says what the others could not look at.
func ruleOfPools() Rule {
	return Rule{
		ID: "certificate-not-known", Title: "Of an entry of the pool the certificate is not known", Severity: Warning,
		Citation: "what the device shows; RFC 5280 section 4.1",
		Advice:   "Give the bundles that it may come from with --with. Rules that were not applied to an entry did not pass for it.",
		asked:    func(a *auditor) bool { return a.Pool != nil },
		whole:    certificateNotKnown,
	}
}

func certificateNotKnown(a *auditor) (int, []Finding) {
	var entries []Entry
	for i, c := range a.Certificates {
		if c == nil {
			entries = append(entries, a.entry(i))
		}
	}
	if entries == nil {
		return len(a.Certificates), nil
	}
	return len(a.Certificates), []Finding{
		{Detail: a.notAppliedWords(), id: "not applied"},
		{Detail: fmt.Sprintf("%d of %d entries", len(entries), len(a.Certificates)), Certificates: entries},
	}
}

// notAppliedWords names the rules that could not be applied to every entry.
func (a *auditor) notAppliedWords() string {
	var counts []int
	ids := map[int][]string{}
	for n, count := range a.notApplied {
		if count == 0 {
			continue
		}
		if ids[count] == nil {
			counts = append(counts, count)
		}
		ids[count] = append(ids[count], a.rules[n].ID)
	}
	parts := make([]string, len(counts))
	for i, n := range counts {
		entries := "entries"
		if n == 1 {
			entries = "entry"
		}
		parts[i] = fmt.Sprintf("to %d %s: %s", n, entries, strings.Join(ids[n], ", "))
	}
	return "not applied " + strings.Join(parts, "; not applied ")
}

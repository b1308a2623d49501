package audit

import (
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"fmt"

	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// An Item is an entry of the subject and its place, counted from 1.
type Item struct {
	Index int
	*pool.Entry
}

// item returns the entry at a position, counted from 0.
func (s *Subject) item(i int) Item { return Item{i + 1, &s.Entries[i]} }

// certificate returns the certificate at a position, counted from 0; it is nil if
// it is not at hand or cannot be decoded.
func (s *Subject) certificate(i int) *certificate.Certificate { return s.item(i).decoded() }

// decoded is the certificate of an entry in the same way.
func (e Item) decoded() *certificate.Certificate {
	if c := e.Certificate; c != nil && c.Err == nil {
		return c
	}
	return nil
}

// isPool reports whether the subject is a device's pool; otherwise it is a bundle.
func (s *Subject) isPool() bool { return s.Platform != "" }

// unknown returns how many entries have no known certificate, and how many of the
// others were found by what the device shows alone.
func (s *Subject) unknown() (unknown, inferred int) {
	for i := range s.Entries {
		switch e := &s.Entries[i]; {
		case e.Certificate == nil:
			unknown++
		case !e.Certain():
			inferred++
		}
	}
	return unknown, inferred
}

// poolWords is the pool in a line.
func (s *Subject) poolWords() string {
	unknown, inferred := s.unknown()
	words := fmt.Sprintf("%s, %d of %d certificates known", s.Platform, len(s.Entries)-unknown, len(s.Entries))
	if inferred > 0 {
		words += fmt.Sprintf(", %d of them by what the device shows, without a fingerprint (inferred)", inferred)
	}
	return words
}

// hash is the SHA-256 in hex, empty if it is not known.
func (e Item) hash() string {
	if s := e.Sum(); s != nil {
		return hex.EncodeToString(s[:])
	}
	return ""
}

// reference names the certificate in documents for programs.
func (e Item) reference() string {
	switch {
	case e.Sum() != nil:
		return "sha256:" + e.hash()
	case e.SHA1 != "":
		return "sha1:" + e.SHA1
	}
	return fmt.Sprintf("entry:%d", e.Index)
}

// shortHash is the beginning of hash, of a width that does not change.
func (e Item) shortHash() string { return fmt.Sprintf("%-16.16s", cmp.Or(e.hash(), "-")) }

// String is the certificate in one line, safe to print.
func (e Item) String() string {
	return fmt.Sprintf("#%d  %s  %s", e.Index, e.shortHash(), e.title())
}

// title is the name for people, safe to print.
func (e Item) title() string { return report.Printable(report.Cut(e.Name(), maxName)) }

// Name is the subject, as it came, or as the device shows it.
func (e Item) Name() string {
	switch c := e.Certificate; {
	case c == nil:
		return cmp.Or(e.Title(), "(not known)")
	case c.Err != nil:
		return "not a certificate"
	default:
		return cmp.Or(e.Title(), "(empty name)")
	}
}

// serial is the serial number; empty if there is none to say.
func (e Item) serial() string {
	if c := e.Certificate; c != nil && c.Err != nil {
		return ""
	}
	return e.SerialNumber()
}

// timeWords is a time, and what is not certain of it.
func timeWords(m pool.Moment) string {
	if m.Within > 0 {
		return fmt.Sprintf("%s, by the clock of the device's zone", m.UTC().Format("2006-01-02 15:04:05"))
	}
	return m.String()
}

// identity is the same for two items that are the same certificate, as far as that
// is known.
func (e Item) identity() [sha256.Size]byte {
	if s := e.Sum(); s != nil {
		return *s
	}
	return sha256.Sum256(fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00%s", e.SHA1, e.SerialNumber(), e.Title(), e.ValidFrom().UTC(), e.ValidTo().UTC()))
}

// Package pool is the certificates that a device has, and how they are told apart.
//
// A [Pool] is a list of entries. The certificate of an [Entry] may be at hand, or
// only what a device shows of it: a fingerprint, or a serial number, names and dates.
// An entry and a certificate are compared by the strongest [Key] that the entry has,
// and by no weaker one. The same rule finds certificates in a pool ([Pool.Index]) and
// the certificates of a pool in bundles ([Pool.Identify]).
package pool

import (
	"cmp"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/report"
)

// A Pool is the certificates on a device: those built into its software, and
// those downloaded.
type Pool struct {
	Platform string // by its name
	Entries  []Entry
}

// An Origin is how a certificate came into a pool.
type Origin string

// The origins, in the words of the devices. An entry of a bundle has none.
const (
	BuiltIn    Origin = "built-in"
	Downloaded Origin = "downloaded"
)

// An Entry is what is known of a certificate of a pool; unknown fields are
// zero. A SHA-256, a SHA-1, Shown and serial, or issuer and serial must be known:
// the strongest of them, in this order, identifies it.
type Entry struct {
	Origin    Origin    `json:"origin"`
	SHA256    string    `json:"sha256,omitempty"`  // lower-case hex
	SHA1      string    `json:"sha1,omitempty"`    // lower-case hex
	Subject   string    `json:"subject,omitempty"` // as certificate.Name prints it
	Issuer    string    `json:"issuer,omitempty"`  // as certificate.Name prints it
	Serial    string    `json:"serial,omitempty"`  // as certificate.Serial prints it
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Source    string    `json:"source,omitempty"` // where the facts come from that the device did not show

	// IdentifiedBy is set if the SHA-256 is not from the device: what showed that
	// the certificate is the one with this SHA-256.
	IdentifiedBy Key `json:"identified_by,omitempty"`
	// Shown is set if what the device shows says more than the fields above.
	Shown *Shown `json:"shown,omitempty"`

	// Certificate is the certificate itself, or nil if it is not at hand. A pool
	// file does not hold it; [Pool.Identify] looks for it.
	Certificate *certificate.Certificate `json:"-"`
}

// A Shown is what a device shows of a certificate that cannot be turned into what
// certificates have: names of IOS XE, in which a comma in a value is lost, and
// dates in the device's zone. Without names it identifies nothing.
type Shown struct {
	Issuer    []string  `json:"issuer,omitempty"`  // the lines of show.Shown
	Subject   []string  `json:"subject,omitempty"` // the lines of show.Shown
	NotBefore show.Date `json:"not_before"`
	NotAfter  show.Date `json:"not_after"`
}

// named reports whether the names are known.
func (s *Shown) named() bool { return s != nil && len(s.Issuer)+len(s.Subject) > 0 }

// Of returns an entry for each certificate of a bundle, without what is written in
// a pool file but the SHA-256.
func Of(certs []*certificate.Certificate) []Entry {
	entries := make([]Entry, len(certs))
	for i, c := range certs {
		entries[i] = Entry{SHA256: hex.EncodeToString(c.SHA256[:]), Certificate: c}
	}
	return entries
}

// EntryOf returns the entry of a certificate with everything that a pool file
// says of one.
func EntryOf(c *certificate.Certificate, origin Origin) Entry {
	sum := sha1.Sum(c.Raw)
	e := Entry{
		Origin: origin, SHA256: hex.EncodeToString(c.SHA256[:]), SHA1: hex.EncodeToString(sum[:]),
		Subject: c.Subject.String(), Serial: c.Serial.String(), Certificate: c,
	}
	e.Issuer = e.Subject
	if !c.SelfIssued() {
		e.Issuer = c.Issuer.String()
	}
	if writable(c.NotBefore.Time) { // an offset may carry a date over the edge
		e.NotBefore = c.NotBefore.UTC()
	}
	if writable(c.NotAfter.Time) {
		e.NotAfter = c.NotAfter.UTC()
	}
	return e
}

// Title returns the subject for people, as far as it is known.
func (e *Entry) Title() string {
	switch {
	case e.Certificate != nil:
		return e.Certificate.Subject.String()
	case e.Subject == "" && e.Shown.named():
		return strings.Join(e.Shown.Subject, ",")
	}
	return e.Subject
}

// SerialNumber returns the serial number, as far as it is known.
func (e *Entry) SerialNumber() string {
	if e.Certificate != nil {
		return e.Certificate.Serial.String()
	}
	return e.Serial
}

// Sum returns the SHA-256 of the certificate, or nil if it is not known.
func (e *Entry) Sum() *[sha256.Size]byte {
	if e.Certificate != nil {
		return &e.Certificate.SHA256
	}
	if sum, err := hex.DecodeString(e.SHA256); err == nil && len(sum) == sha256.Size {
		return (*[sha256.Size]byte)(sum)
	}
	return nil
}

// A Moment is a time as it is known of an entry: it may be off by up to Within,
// because a device may show it in a zone of unknown offset.
type Moment struct {
	certificate.Time // not Valid if it is not known
	Within           time.Duration
}

// Before reports whether m is before t, and whether that is known.
func (m Moment) Before(t time.Time) (before, known bool) {
	known = m.known(t)
	return known && m.Time.Before(t), known
}

// After reports whether m is after t, and whether that is known.
func (m Moment) After(t time.Time) (after, known bool) {
	known = m.known(t)
	return known && m.Time.After(t), known
}

// known reports whether m can be compared with t.
func (m Moment) known(t time.Time) bool {
	return m.Valid && (m.Within == 0 || m.Sub(t).Abs() > m.Within)
}

// ValidFrom returns when the certificate begins to be valid.
func (e *Entry) ValidFrom() Moment {
	if e.Certificate != nil {
		return Moment{Time: e.Certificate.NotBefore}
	}
	return moment(e.NotBefore, cmp.Or(e.Shown, &Shown{}).NotBefore)
}

// ValidTo returns the last moment at which the certificate is valid.
func (e *Entry) ValidTo() Moment {
	if e.Certificate != nil {
		return Moment{Time: e.Certificate.NotAfter}
	}
	return moment(e.NotAfter, cmp.Or(e.Shown, &Shown{}).NotAfter)
}

// moment is a time that is known, or else as the device shows it.
func moment(t time.Time, d show.Date) Moment {
	switch {
	case !t.IsZero():
		return Moment{Time: certificate.Time{Time: t, Valid: true}}
	case d.Zone == "":
		return Moment{}
	}
	m := Moment{Time: certificate.Time{Time: d.Clock, Valid: true}}
	if !d.Known() {
		m.Within = maxOffset
	}
	return m
}

// Certain reports whether a hash that the device shows identifies the entry.
func (e *Entry) Certain() bool {
	if e.IdentifiedBy != "" {
		return e.IdentifiedBy.Certain()
	}
	return e.SHA256 != "" || e.SHA1 != ""
}

// check refuses an entry that could never be matched.
func (e *Entry) check() error {
	switch {
	case e.Origin != BuiltIn && e.Origin != Downloaded:
		return fmt.Errorf("origin %.80q is neither %s nor %s", e.Origin, BuiltIn, Downloaded)
	case e.SHA256 != "" && !report.IsHex(e.SHA256, sha256.Size):
		return fmt.Errorf("sha256 %.80q is not 64 digits of lower-case hex", e.SHA256)
	case e.SHA1 != "" && !report.IsHex(e.SHA1, sha1.Size):
		return fmt.Errorf("sha1 %.80q is not 40 digits of lower-case hex", e.SHA1)
	case e.Serial != "" && !isSerial(strings.TrimPrefix(e.Serial, "-")):
		return fmt.Errorf("serial %.80q is not upper-case hex in whole bytes without leading zeroes", e.Serial)
	case e.IdentifiedBy != "" && (e.SHA256 == "" || e.IdentifiedBy != BySHA1 && e.IdentifiedBy != ByShownDates && e.IdentifiedBy != ByShown):
		return fmt.Errorf("identified_by %.80q is none of %s, %s, %s, or there is no sha256", e.IdentifiedBy, BySHA1, ByShownDates, ByShown)
	case !writable(e.NotBefore) || !writable(e.NotAfter):
		return errors.New("a date outside the years 0 to 9999")
	case e.SHA256 == "" && e.SHA1 == "" && (e.Issuer == "" && !e.Shown.named() || e.Serial == ""):
		return errors.New("nothing identifies it: give sha256, sha1, or issuer and serial")
	}
	return nil
}

func isSerial(s string) bool {
	return s == "00" || len(s) > 1 && len(s)%2 == 0 && strings.Trim(s, "0123456789ABCDEF") == "" && !strings.HasPrefix(s, "00")
}

// writable reports whether RFC 3339 can write the time, which has four digits for
// the year.
func writable(t time.Time) bool { y := t.UTC().Year(); return 0 <= y && y <= 9999 }

// Only returns the entries of one origin, in a slice of their own.
func (p *Pool) Only(o Origin) []Entry {
	return slices.DeleteFunc(slices.Clone(p.Entries), func(e Entry) bool { return e.Origin != o })
}

package device

import (
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/report"
)

// PoolSchema is the schema of a pool file.
const PoolSchema = "trustpool.pool/1"

// Limits of a pool file.
const (
	MaxPoolSize    = 256 << 20 // bytes
	MaxPoolEntries = 1_000_000
)

// A Pool is the certificates on a device: those built into its software, and
// those downloaded. Order does not matter to Import, which adds at the end.
type Pool struct {
	Platform string // its Name
	Entries  []PoolEntry
}

// An Origin is how a certificate came into a pool.
type Origin string

// The origins, in the words of the devices.
const (
	BuiltIn    Origin = "built-in"
	Downloaded Origin = "downloaded"
)

// A PoolEntry is what is known of a certificate of a pool; unknown fields are
// zero. A SHA-256, a SHA-1, Shown and serial, or issuer and serial must be known:
// the strongest of them, in this order, identifies it.
type PoolEntry struct {
	Origin    Origin    `json:"origin"`
	SHA256    string    `json:"sha256,omitempty"`  // lower-case hex
	SHA1      string    `json:"sha1,omitempty"`    // lower-case hex
	Subject   string    `json:"subject,omitempty"` // as certificate.Name prints it
	Issuer    string    `json:"issuer,omitempty"`  // as certificate.Name prints it
	Serial    string    `json:"serial,omitempty"`  // as certificate.Serial prints it
	NotBefore time.Time `json:"not_before,omitzero"`
	NotAfter  time.Time `json:"not_after,omitzero"`
	Source    string    `json:"source,omitempty"` // where the facts come from that the device did not show

	// IdentifiedBy is set where the SHA-256 is not from the device: what told that
	// the certificate is the one with this SHA-256.
	IdentifiedBy Key `json:"identified_by,omitempty"`
	// Shown is set where what the device shows says more than the fields above.
	Shown *Shown `json:"shown,omitempty"`
}

// A Shown is what a device shows of a certificate that cannot be turned into what
// certificates have: names of IOS XE, where a comma in a value is lost, and dates
// in the device's zone. Without names it identifies nothing.
type Shown struct {
	Issuer    []string  `json:"issuer,omitempty"`  // the lines of show.Shown
	Subject   []string  `json:"subject,omitempty"` // the lines of show.Shown
	NotBefore show.Date `json:"not_before"`
	NotAfter  show.Date `json:"not_after"`
}

// named reports whether the names are there.
func (s *Shown) named() bool { return s != nil && len(s.Issuer)+len(s.Subject) > 0 }

// Title is the subject for people, as it is known.
func (e *PoolEntry) Title() string {
	if e.Subject == "" && e.Shown.named() {
		return strings.Join(e.Shown.Subject, ",")
	}
	return e.Subject
}

// Expired reports whether the entry has expired at a time, and whether that is
// known: of a date in a zone of unknown offset it is not within 14 hours of it.
func (e *PoolEntry) Expired(at time.Time) (expired, known bool) {
	switch {
	case !e.NotAfter.IsZero():
		return at.After(e.NotAfter), true
	case e.Shown != nil:
		return expiredShown(e.Shown.NotAfter, at)
	}
	return false, false
}

// Validity is when the entry is valid; a time that is not known is zero. Both may
// be off by up to within: a device may show them in a zone of unknown offset.
func (e *PoolEntry) Validity() (notBefore, notAfter time.Time, within time.Duration) {
	date := func(t time.Time, shown func(*Shown) show.Date) time.Time {
		if !t.IsZero() || e.Shown == nil {
			return t
		}
		d := shown(e.Shown)
		if d.Zone == "" {
			return time.Time{}
		}
		if !d.Known() {
			within = maxOffset
		}
		return d.Clock
	}
	notBefore = date(e.NotBefore, func(s *Shown) show.Date { return s.NotBefore })
	notAfter = date(e.NotAfter, func(s *Shown) show.Date { return s.NotAfter })
	return notBefore, notAfter, within
}

// Certain reports whether a hash that the device shows identifies the entry.
func (e *PoolEntry) Certain() bool {
	if e.SHA256 == "" {
		return e.SHA1 != ""
	}
	return e.IdentifiedBy == "" || e.IdentifiedBy.certain()
}

// check refuses an entry that could never be matched.
func (e *PoolEntry) check() error {
	switch {
	case e.Origin != BuiltIn && e.Origin != Downloaded:
		return fmt.Errorf("origin %.80q is neither %s nor %s", e.Origin, BuiltIn, Downloaded)
	case e.SHA256 != "" && !isHex(e.SHA256, 64, "0123456789abcdef"):
		return fmt.Errorf("sha256 %.80q is not 64 digits of lower-case hex", e.SHA256)
	case e.SHA1 != "" && !isHex(e.SHA1, 40, "0123456789abcdef"):
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

func isHex(s string, n int, digits string) bool {
	return len(s) == n && strings.Trim(s, digits) == ""
}

func isSerial(s string) bool {
	return s == "00" || len(s) > 1 && len(s)%2 == 0 && isHex(s, len(s), "0123456789ABCDEF") && !strings.HasPrefix(s, "00")
}

// writable reports whether RFC 3339 can write the time, which has four digits for
// the year.
func writable(t time.Time) bool { y := t.UTC().Year(); return 0 <= y && y <= 9999 }

// downloaded is the entry of a certificate that was installed.
func downloaded(c *certificate.Certificate) PoolEntry {
	sum := sha1.Sum(c.Raw)
	e := PoolEntry{
		Origin: Downloaded, SHA256: hex.EncodeToString(c.SHA256[:]), SHA1: hex.EncodeToString(sum[:]),
		Subject: c.Subject.String(), Serial: c.Serial.String(),
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

// builtIn returns the built-in entries in a slice of their own.
func (p *Pool) builtIn() []PoolEntry {
	var kept []PoolEntry
	for _, e := range p.Entries {
		if e.Origin == BuiltIn {
			kept = append(kept, e)
		}
	}
	return kept
}

// WriteJSON writes the pool as ReadPool reads it, always the same bytes for the
// same pool. An entry that ReadPool would refuse is an error.
func (p *Pool) WriteJSON(w io.Writer) error {
	for i := range p.Entries {
		if err := p.Entries[i].check(); err != nil {
			return fmt.Errorf("pool entry %d: %w", i+1, err)
		}
	}
	head := struct {
		Schema   string `json:"schema"`
		Platform string `json:"platform"`
	}{PoolSchema, p.Platform}
	return report.WriteJSON(w, head, report.JSONList{Name: "certificates", Each: func(yield func(any) bool) {
		for _, e := range p.Entries {
			e.NotBefore, e.NotAfter = e.NotBefore.UTC(), e.NotAfter.UTC()
			if !yield(e) {
				return
			}
		}
	}})
}

// ReadPool reads a pool file: one JSON document
//
//	{"schema": "trustpool.pool/1", "platform": "asa", "certificates": [PoolEntry…]}
//
// of a platform that Lookup knows by that name. It refuses unknown fields,
// anything after the document, entries that could never be matched, and more than
// MaxPoolSize or MaxPoolEntries.
func ReadPool(r io.Reader) (*Pool, error) { return poolLimits{MaxPoolSize, MaxPoolEntries}.read(r) }

// poolLimits are the limits of a pool file; tests have smaller ones.
type poolLimits struct {
	size    int64
	entries int
}

func (l poolLimits) read(r io.Reader) (*Pool, error) {
	in := &capped{r: r, left: l.size}
	p, err := readPool(in, l.entries)
	if in.exceeded {
		err = fmt.Errorf("more than %d bytes", l.size)
	}
	if err != nil {
		return nil, fmt.Errorf("not a pool file: %w", err)
	}
	return p, nil
}

func readPool(r io.Reader, limit int) (*Pool, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := expect(dec, json.Delim('{')); err != nil {
		return nil, err
	}
	p := &Pool{}
	var schema string
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, syntax(dec, err)
		}
		field, _ := token.(string) // the decoder takes nothing else here
		if seen[field] {
			return nil, fmt.Errorf("offset %d: field %.80q stands twice", dec.InputOffset(), field)
		}
		seen[field] = true
		switch field {
		case "schema":
			err = syntax(dec, dec.Decode(&schema))
		case "platform":
			err = syntax(dec, dec.Decode(&p.Platform))
		case "certificates":
			err = p.readEntries(dec, limit)
		default:
			err = fmt.Errorf("offset %d: unknown field %.80q", dec.InputOffset(), field)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := expect(dec, json.Delim('}')); err != nil {
		return nil, err
	}
	switch _, err := dec.Token(); {
	case err == nil:
		return nil, fmt.Errorf("offset %d: something follows the document", dec.InputOffset())
	case !errors.Is(err, io.EOF):
		return nil, syntax(dec, err)
	case schema != PoolSchema:
		return nil, fmt.Errorf("schema %.80q is not %q", schema, PoolSchema)
	case !seen["certificates"]:
		return nil, errors.New("no field certificates")
	}
	if platform, err := Lookup(p.Platform); err != nil {
		return nil, err
	} else if platform.Name != p.Platform {
		return nil, fmt.Errorf("platform %q is an alias: write %q", p.Platform, platform.Name)
	}
	return p, nil
}

func (p *Pool) readEntries(dec *json.Decoder, limit int) error {
	if err := expect(dec, json.Delim('[')); err != nil {
		return err
	}
	for dec.More() {
		if len(p.Entries) == limit {
			return fmt.Errorf("more than %d certificates", limit)
		}
		var e PoolEntry
		err := syntax(dec, dec.Decode(&e))
		if err == nil {
			err = e.check()
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", len(p.Entries)+1, err)
		}
		e.NotBefore, e.NotAfter = e.NotBefore.UTC(), e.NotAfter.UTC()
		if s := e.Shown; s != nil && len(s.Issuer) == 0 {
			s.Issuer = nil // as it is written
		}
		if s := e.Shown; s != nil && len(s.Subject) == 0 {
			s.Subject = nil
		}
		p.Entries = append(p.Entries, e)
	}
	return expect(dec, json.Delim(']'))
}

// expect takes one delimiter.
func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return syntax(dec, err)
	}
	if token != want {
		return fmt.Errorf("offset %d: %v where %v was expected", dec.InputOffset(), token, want)
	}
	return nil
}

// syntax says where the decoder stopped.
func syntax(dec *json.Decoder, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("offset %d: %w", dec.InputOffset(), err)
}

// A capped reader ends with an error where io.LimitedReader would seem to be at
// the end. It fills what it is given: json.Decoder looks at all white space again
// after every read.
type capped struct {
	r        io.Reader
	left     int64
	exceeded bool
}

func (c *capped) Read(b []byte) (int, error) {
	n, err := io.ReadFull(c.r, b[:min(int64(len(b)), c.left+1)])
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	if c.left -= int64(n); c.left < 0 {
		c.exceeded = true
		return 0, errors.New("too long")
	}
	return n, err
}

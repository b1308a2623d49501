package pool

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
)

// A Key is what showed that two certificates are the same.
type Key string

// The keys, the strongest first.
const (
	BySHA256       Key = "sha256"
	BySHA1         Key = "sha1"
	ByShownDates   Key = "serial-names-dates" // as IOS XE shows them
	ByShown        Key = "serial-names"       // the same, if the dates cannot be read
	ByIssuerSerial Key = "issuer-serial"
)

// Keys returns the keys, the strongest first.
func Keys() []Key { return []Key{BySHA256, BySHA1, ByShownDates, ByShown, ByIssuerSerial} }

// Words returns the key in words.
func (k Key) Words() string {
	switch k {
	case BySHA256:
		return "SHA-256"
	case BySHA1:
		return "SHA-1"
	case ByShownDates:
		return "serial number, names and dates"
	case ByShown:
		return "serial number and names"
	case ByIssuerSerial:
		return "issuer and serial number alone"
	}
	return string(k)
}

// Certain reports whether no two certificates have the same value of the key.
func (k Key) Certain() bool { return k == BySHA256 || k == BySHA1 }

// An evidence is a key and its value: two certificates with the same one are the
// same, as far as the key shows it. Dates are compared by alike.
type evidence struct {
	by    Key
	value string
}

// key returns the key of the strongest evidence of an entry.
func (e *Entry) key() Key {
	switch {
	case e.SHA256 != "":
		return BySHA256
	case e.SHA1 != "":
		return BySHA1
	case e.Shown.named():
		return ByShown
	}
	return ByIssuerSerial
}

// evidence returns the strongest evidence of an entry.
func (e *Entry) evidence() evidence {
	switch by := e.key(); by {
	case BySHA256:
		return evidence{by, e.SHA256}
	case BySHA1:
		return evidence{by, e.SHA1}
	case ByShown:
		return evidence{by, ShownKey(e.Serial, e.Shown.Issuer, e.Shown.Subject)}
	default:
		return evidence{by, e.Issuer + "\x00" + e.Serial}
	}
}

// evidenceOf returns the evidence of a certificate, and whether it has any: only
// its bytes are known of one that cannot be read.
func evidenceOf(c *certificate.Certificate, by Key) (evidence, bool) {
	if c.Err != nil && !by.Certain() {
		return evidence{}, false
	}
	switch by {
	case BySHA256:
		return evidence{by, hex.EncodeToString(c.SHA256[:])}, true
	case BySHA1:
		sum := sha1.Sum(c.Raw)
		return evidence{by, hex.EncodeToString(sum[:])}, true
	case ByShown:
		issuer, subject := show.Names(c)
		return evidence{by, ShownKey(c.Serial.String(), issuer, subject)}, true
	}
	return evidence{by, c.Issuer.String() + "\x00" + c.Serial.String()}, true
}

// match returns the key by which an entry is a certificate of the same evidence;
// it is empty if the dates show that it is not.
func (e *Entry) match(c *certificate.Certificate) Key {
	switch by := e.key(); {
	case by == ByShown:
		return ShownAlike(c, e.Shown.NotBefore, e.Shown.NotAfter)
	case e.IdentifiedBy != "":
		return e.IdentifiedBy
	default:
		return by
	}
}

// maxAlike is how many certificates of one serial number and names are told apart.
const maxAlike = 64

// An Index finds certificates in a pool.
type Index struct {
	entries []Entry
	at      map[evidence][]int // positions of entries
	has     map[Key]bool       // which keys entries have
	first   []int              // of each entry, the first of the same evidence
	taken   map[int][32]byte   // entries known by what is shown, and which certificate they were found to be
}

// Index makes an index of the entries. An entry that could not be matched is an
// error.
func (p *Pool) Index() (*Index, error) {
	x := &Index{
		entries: p.Entries, at: map[evidence][]int{}, has: map[Key]bool{},
		first: make([]int, len(p.Entries)), taken: map[int][32]byte{},
	}
	for i := range p.Entries {
		e := &p.Entries[i]
		if err := e.check(); err != nil {
			return nil, fmt.Errorf("pool entry %d: %w", i+1, err)
		}
		ev := e.evidence()
		x.has[ev.by] = true
		if list := x.at[ev]; ev.by != ByShown && len(list) > 0 {
			x.first[i] = list[0]
			continue
		}
		x.first[i] = i // that two entries that are shown alike are the same is not known
		x.at[ev] = append(x.at[ev], i)
	}
	return x, nil
}

// Find returns which entry is the certificate, counted from 0, and by which key;
// the key is empty if none is. An entry is one certificate: another that is shown
// alike is not found in it.
func (x *Index) Find(c *certificate.Certificate) (int, Key) {
	for _, by := range []Key{BySHA256, BySHA1, ByShown, ByIssuerSerial} {
		if !x.has[by] {
			continue
		}
		ev, ok := evidenceOf(c, by)
		if !ok {
			break
		}
		list := x.at[ev]
		for _, i := range list[:min(len(list), maxAlike)] {
			if other, ok := x.taken[i]; ok && other != c.SHA256 {
				continue
			}
			if key := x.entries[i].match(c); key != "" {
				if by == ByShown {
					x.taken[i] = c.SHA256
				}
				return i, key
			}
		}
	}
	return 0, ""
}

// Reset makes the index forget what was found.
func (x *Index) Reset() { clear(x.taken) }

// First returns the first entry that is the same as entry i; both counted from 0.
func (x *Index) First(i int) int { return x.first[i] }

// A Source is certificates among which to look for those of a pool.
type Source struct {
	Name         string // for people
	Certificates []*certificate.Certificate
	// HashesOnly is set if the certificates may have been made to look like others:
	// then only an entry with a hash is found among them.
	HashesOnly bool
}

// A Match is what [Pool.Identify] found of an entry.
type Match struct {
	By         Key    // what showed it; empty if the certificate was not found
	In         string // the name of the source
	Candidates int    // how many certificates it may be; if there are several, none is taken
}

// Identify looks for the certificate of each entry in the sources and sets
// Entry.Certificate. An entry that has its certificate keeps it. If several
// certificates may be the one of an entry, none is taken. There is a match for
// each entry.
func (p *Pool) Identify(sources ...Source) []Match {
	evidences := make([]evidence, len(p.Entries))
	wanted, keys := map[evidence]bool{}, map[Key]bool{}
	for i := range p.Entries {
		e := &p.Entries[i]
		if e.Certificate != nil {
			continue
		}
		ev := e.evidence()
		evidences[i] = ev
		if e.check() == nil {
			wanted[ev], keys[ev.by] = true, true
		}
	}
	type candidate struct {
		*certificate.Certificate
		source string
	}
	candidates := map[evidence][]candidate{}
	type look struct {
		sum    [32]byte
		hashes bool // or by what is shown
	}
	seen := map[look]bool{}
	for _, s := range sources {
		for _, c := range s.Certificates {
			for _, hashes := range []bool{true, false} {
				l := look{c.SHA256, hashes}
				if seen[l] || s.HashesOnly && !hashes {
					continue
				}
				seen[l] = true
				for by := range keys {
					if by.Certain() != hashes {
						continue
					}
					if ev, ok := evidenceOf(c, by); ok && wanted[ev] && len(candidates[ev]) <= maxAlike {
						candidates[ev] = append(candidates[ev], candidate{c, s.Name})
					}
				}
			}
		}
	}
	matches := make([]Match, len(p.Entries))
	for i := range p.Entries {
		e, m := &p.Entries[i], &matches[i]
		if e.Certificate != nil {
			*m = Match{By: BySHA256, Candidates: 1}
			continue
		}
		alike := candidates[evidences[i]]
		for _, c := range alike {
			if by := e.match(c.Certificate); by != "" {
				m.Candidates++
				m.By, m.In, e.Certificate = by, c.source, c.Certificate
			}
		}
		if m.Candidates > 1 || len(alike) > maxAlike { // of more than maxAlike not all were looked at
			m.By, m.In, e.Certificate = "", "", nil
		}
	}
	return matches
}

// ShownKey returns what is the same for all certificates that IOS XE shows alike
// but for their dates. How many blanks begin or end a line does not count: captures
// lose them.
func ShownKey(serial string, issuer, subject []string) string {
	size := len(serial)
	for _, name := range [][]string{issuer, subject} {
		for _, line := range name {
			size += len(line) + len(" \n")
		}
	}
	var b strings.Builder
	b.Grow(size + 2)
	b.WriteString(serial)
	for _, name := range [][]string{issuer, subject} {
		b.WriteByte(0)
		for _, line := range name {
			text := strings.TrimLeft(line, " ")
			if text != line {
				b.WriteByte(' ') // the rest of a value
			}
			for trimmed := ""; trimmed != text; {
				trimmed = text
				text = strings.TrimRight(strings.TrimSuffix(text, `\x20`), " ")
			}
			b.WriteString(text)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// maxOffset is how far a zone may be from UTC: Kiribati's is 14 hours before it.
const maxOffset = 14 * time.Hour

// ShownAlike returns the key by which a certificate of the same serial number and
// names is the one that is shown with these dates; it is empty if the dates cannot
// be its own.
func ShownAlike(c *certificate.Certificate, notBefore, notAfter show.Date) Key {
	key := ByShownDates
	for _, d := range []struct {
		shown show.Date
		real  certificate.Time
	}{{notBefore, c.NotBefore}, {notAfter, c.NotAfter}} {
		if d.shown.Zone == "" || !d.real.Valid {
			if d.shown.Zone != "" || d.real.Valid {
				return ""
			}
			key = ByShown
			continue
		}
		// Devices set the offset of a zone in hours and minutes.
		off := d.shown.Clock.Sub(d.real.UTC().Truncate(time.Second))
		if d.shown.Known() && off != 0 || off.Abs() > maxOffset || off%time.Minute != 0 {
			return ""
		}
	}
	return key
}

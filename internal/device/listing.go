package device

import (
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
)

// A Listing is a pool as a device shows it.
type Listing struct {
	Platform Platform
	File     string // for the caller to set: what the user called it
	At       time.Time
	Entries  []Listed
	Notes    []Note // what a reader should know of it

	identified bool

	// Difference is how the pool differs from a bundle, for the caller to set; or nil.
	Difference *PoolDiff
}

// A Listed is one certificate of a Listing.
type Listed struct {
	show.Shown
	SameAs int // the number, from 1, of an earlier entry that shows the same; else 0

	// Certificate is the one that this was identified as, by Match, in the source
	// called FoundIn. It is nil where none is known, and where there are several
	// Candidates.
	Certificate *certificate.Certificate
	Match       Key
	FoundIn     string
	Candidates  int
	// Differs is set where the fingerprint agrees, and serial number, names or dates
	// do not: somebody changed the text.
	Differs bool
}

// A Source is a bundle in which to look for the certificates of a Listing.
type Source struct {
	Name   string
	Bundle *bundle.Bundle
}

// ReadListing reads what a device of the platform shows of its pool, as show.Read
// does: "show crypto pki trustpool" of IOS and IOS XE, "show crypto ca trustpool"
// of IOS XR. How other platforms show theirs is not known. The time is for
// expiry; a zero one is an error.
func ReadListing(text []byte, p Platform, at time.Time) (*Listing, error) {
	style, _, err := p.showStyle()
	if err != nil {
		return nil, err
	}
	if at.IsZero() {
		return nil, fmt.Errorf("no time to judge dates at")
	}
	list, err := show.Read(text, style)
	if err != nil {
		return nil, err
	}
	l := &Listing{Platform: p, At: at, Entries: make([]Listed, 0, len(list))}
	seen := map[string]int{}
	for _, s := range list {
		if s.NotListed {
			continue
		}
		key := fmt.Sprint(s.Origin, "\x00", s.SHA1, s.NotBefore, s.NotAfter, "\x00", shownKey(s.Serial, s.Issuer, s.Subject))
		e := Listed{Shown: s, SameAs: seen[key]}
		l.Entries = append(l.Entries, e)
		if e.SameAs == 0 {
			seen[key] = len(l.Entries)
		}
	}
	l.addNotes(len(list) - len(l.Entries))
	return l, nil
}

// showStyle is how the platform shows its pool, and by which command.
func (p Platform) showStyle() (show.Style, string, error) {
	switch p.Name {
	case "ios", "iosxe":
		return show.IOSXE, "show crypto pki trustpool", nil
	case "iosxr":
		return show.IOSXR, "show crypto ca trustpool", nil
	}
	return "", "", fmt.Errorf("how %s shows its pool is not known: only what iosxe, ios and iosxr show can be read", p.Title)
}

func (l *Listing) addNotes(notListed int) {
	note := func(g Ground, format string, args ...any) {
		l.Notes = append(l.Notes, Note{fmt.Sprintf(format, args...), g})
	}
	switch l.Platform.Name {
	case "iosxr":
		if slices.ContainsFunc(l.Entries, func(e Listed) bool { return e.Origin == show.Downloaded }) {
			note(Ground{Inferred, sourceXR}, "the notice shows built-in certificates; that others are shown in the same way is inferred")
		}
	case "ios":
		note(Ground{Inferred, "public captures of show crypto pki trustpool are of IOS XE"}, "read as what IOS XE shows")
		fallthrough
	default:
		note(Ground{Confirmed, "public captures of show crypto pki trustpool"},
			"the device shows no fingerprint: another certificate of the same serial number, names and dates would be shown alike")
	}
	if slices.ContainsFunc(l.Entries, func(e Listed) bool { return e.Lossy }) {
		note(Ground{Inferred, "names and fields are told apart by what is lost"},
			"line breaks or indents are lost in the text: a name that was made for it could pass for a certificate; capture it as the device prints it")
	}
	var zones []string
	for i := range l.Entries {
		for _, d := range []show.Date{l.Entries[i].NotBefore, l.Entries[i].NotAfter} {
			if d.Zone != "" && !d.Known() && !slices.Contains(zones, d.Zone) && len(zones) < maxZones {
				zones = append(zones, d.Zone)
			}
		}
	}
	if len(zones) > 0 {
		note(Ground{Inferred, "no registry of the names of zones"},
			"dates are in the device's zone %s, and how far that is from UTC is not known: they are compared to 14 hours", strings.Join(zones, ", "))
	}
	if notListed > 0 {
		note(Ground{Confirmed, "inspect --style"}, "%d elements of a bundle that are no certificates are passed over: trustpool printed this text", notListed)
	}
}

// maxZones is how many zones a note names.
const maxZones = 8

// Identify looks for each certificate in the sources: on IOS XR by its SHA-1,
// else by what is shown of it. Where several certificates are shown alike none is
// taken.
func (l *Listing) Identify(sources []Source) {
	l.identified = true
	style, _, _ := l.Platform.showStyle()
	type candidate struct {
		*certificate.Certificate
		source string
	}
	index := map[string][]candidate{}
	known := map[[32]byte]bool{}
	for _, source := range sources {
		for _, c := range source.Bundle.Certificates {
			if c.Err != nil || known[c.SHA256] {
				continue
			}
			known[c.SHA256] = true
			key := ""
			if style == show.IOSXR {
				key = fmt.Sprintf("%X", sha1.Sum(c.Raw))
			} else {
				s := show.Of(c, style, show.Downloaded)
				key = shownKey(s.Serial, s.Issuer, s.Subject)
			}
			if len(index[key]) < maxAlike {
				index[key] = append(index[key], candidate{c, source.Name})
			}
		}
	}
	for i := range l.Entries {
		e := &l.Entries[i]
		e.Certificate, e.Match, e.FoundIn, e.Candidates, e.Differs = nil, "", "", 0, false
		key := e.SHA1
		if style != show.IOSXR {
			key = shownKey(e.Serial, e.Issuer, e.Subject)
		}
		for _, c := range index[key] {
			alike := shownAlike(c.Certificate, e.NotBefore, e.NotAfter)
			if style == show.IOSXR {
				s := show.Of(c.Certificate, style, e.Origin)
				e.Differs = alike == "" || shownKey(s.Serial, s.Issuer, s.Subject) != shownKey(e.Serial, e.Issuer, e.Subject)
				alike = BySHA1
			}
			if alike == "" {
				continue
			}
			e.Candidates++
			e.Certificate, e.Match, e.FoundIn = c.Certificate, alike, c.source
		}
		if e.Candidates > 1 {
			e.Certificate, e.Match, e.FoundIn = nil, "", ""
		}
	}
}

// Expired is as that of a PoolEntry; of a certificate that was identified it is
// always known.
func (e *Listed) Expired(at time.Time) (expired, known bool) {
	if e.Certificate != nil && e.Certificate.NotAfter.Valid {
		return at.After(e.Certificate.NotAfter.Time), true
	}
	return expiredShown(e.NotAfter, at)
}

// Pool is the pool in the form that Import takes. A certificate that was
// identified has its fingerprints, and a Source that says by what; of any other
// there is what the device shows.
func (l *Listing) Pool() *Pool {
	_, command, _ := l.Platform.showStyle()
	p := &Pool{Platform: l.Platform.Name, Entries: make([]PoolEntry, len(l.Entries))}
	for i := range l.Entries {
		e := &l.Entries[i]
		out := &p.Entries[i]
		if c := e.Certificate; c != nil {
			*out = downloaded(c)
			out.IdentifiedBy = e.Match
			out.Source = fmt.Sprintf("%s; fingerprint of the certificate of the same %s in %s", command, keyName(e.Match), e.FoundIn)
		} else {
			*out = e.entry()
		}
		if out.Origin = Downloaded; e.Origin == show.BuiltIn {
			out.Origin = BuiltIn
		}
	}
	return p
}

// entry is what a device shows, as an entry of a pool.
func (e *Listed) entry() PoolEntry {
	out := PoolEntry{Serial: e.Serial, SHA1: strings.ToLower(e.SHA1)}
	switch {
	case e.SHA1 == "":
		out.Shown = &Shown{slices.Clone(e.Issuer), slices.Clone(e.Subject), e.NotBefore, e.NotAfter}
	case !e.NotBefore.Known() || !e.NotAfter.Known():
		out.Shown = &Shown{NotBefore: e.NotBefore, NotAfter: e.NotAfter}
	}
	if e.SHA1 != "" {
		out.Issuer, out.Subject = strings.Join(e.Issuer, ""), strings.Join(e.Subject, "")
	}
	if e.NotBefore.Known() {
		out.NotBefore = e.NotBefore.Clock
	}
	if e.NotAfter.Known() {
		out.NotAfter = e.NotAfter.Clock
	}
	return out
}

// SHA256 is the fingerprint of the certificate that the entry was identified as,
// in hex; empty where there is none.
func (e *Listed) SHA256() string {
	if e.Certificate == nil {
		return ""
	}
	return hex.EncodeToString(e.Certificate.SHA256[:])
}

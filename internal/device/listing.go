package device

import (
	"cmp"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// A Listing is a pool as a device shows it.
type Listing struct {
	Platform Platform
	File     string // for the caller to set: what the user called it
	At       time.Time
	Entries  []Listed
	Notes    Notes // what a reader should know of it

	identified bool

	// Difference is how the pool differs from a bundle, for the caller to set; or nil.
	Difference *PoolDiff
}

// A Listed is one certificate of a Listing.
type Listed struct {
	show.Shown
	SameAs int // the number, from 1, of an earlier entry that shows the same; else 0

	// Judged is what is shown, as an entry of a pool. Its Certificate is the one that
	// it was identified as, by Match.
	Entry pool.Entry
	Match pool.Match
	// Differs is set if the fingerprint agrees, and serial number, names or dates do
	// not: somebody changed the text.
	Differs bool
}

// ReadListing reads what a device of the platform shows of its pool, as show.Read
// does: "show crypto pki trustpool" of IOS and IOS XE, "show crypto ca trustpool"
// of IOS XR and NX-OS. How other platforms show theirs is not known. The time is
// for expiry; a zero one is an error.
func ReadListing(text []byte, p Platform, at time.Time) (*Listing, error) {
	if p.rules.style == "" {
		return nil, fmt.Errorf("how %s shows its pool is not known: only what iosxe, ios, iosxr and nxos show can be read", p.Title)
	}
	if at.IsZero() {
		return nil, fmt.Errorf("no time to judge dates at")
	}
	list, err := show.Read(text, p.rules.style)
	if err != nil {
		return nil, err
	}
	l := &Listing{Platform: p, At: at, Entries: make([]Listed, 0, len(list)), Notes: Notes{}}
	type shown struct {
		origin              show.Origin
		sha1, rest          string
		notBefore, notAfter show.Date
	}
	seen := map[shown]int{}
	for _, s := range list {
		if s.NotListed {
			continue
		}
		key := shown{s.Origin, s.SHA1, pool.ShownKey(s.Serial, s.Issuer, s.Subject), s.NotBefore, s.NotAfter}
		e := Listed{Shown: s, SameAs: seen[key], Entry: entryOf(s)}
		l.Entries = append(l.Entries, e)
		if e.SameAs == 0 {
			seen[key] = len(l.Entries)
		}
	}
	l.addNotes(len(list) - len(l.Entries))
	return l, nil
}

// ShowCommand is the command that shows the pool of a device; empty if it is not known.
// What an ASA prints then was not found in any public source.
func (p Platform) ShowCommand() string { return p.rules.command }

func (l *Listing) addNotes(notListed int) {
	switch l.Platform.Name {
	case "iosxr":
		if slices.ContainsFunc(l.Entries, func(e Listed) bool { return e.Origin == show.Downloaded }) {
			l.Notes.Add(Ground{Inferred, SourceXR}, "the notice shows built-in certificates; that others are shown in the same way is inferred")
		}
	case "nxos":
		l.Notes.Add(Ground{Unverified, "Nexus 9000 NX-API reference of 9.3: the names of the fields; no output of a device was seen"},
			"read by the documented fields, which do not say which certificates are built in: in a saved pool all are downloaded")
		l.Notes.Add(Ground{Inferred, "the documented fields"}, "the device shows no fingerprint: another certificate of the same serial number, names and dates would be shown alike")
	case "ios":
		l.Notes.Add(Ground{Inferred, "public captures of show crypto pki trustpool are of IOS XE"}, "read as what IOS XE shows")
		fallthrough
	default:
		l.Notes.Add(Ground{Confirmed, "public captures of show crypto pki trustpool"},
			"the device shows no fingerprint: another certificate of the same serial number, names and dates would be shown alike")
	}
	if slices.ContainsFunc(l.Entries, func(e Listed) bool { return e.Lossy }) {
		l.Notes.Add(Ground{Inferred, "names and fields are told apart by what is lost"},
			"line breaks or indents are lost in the text: a name that was made for it could pass for a certificate; capture it as the device prints it")
	}
	if text := l.Unavailable(); text != "" {
		l.Notes.Add(Unknown, "%s", text)
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
		l.Notes.Add(Ground{Inferred, "no registry of the names of zones"},
			"dates are in the device's zone %s, and how far that is from UTC is not known: they are compared to 14 hours", strings.Join(zones, ", "))
	}
	if notListed > 0 {
		l.Notes.Add(Ground{Confirmed, "inspect --style"}, "%d elements of a bundle that are not certificates are passed over: trustpool printed this text", notListed)
	}
}

// Unavailable says how many certificates the device shows with a status that no source
// explains, and one such status; it is empty if there are none.
func (l *Listing) Unavailable() string {
	n, status := 0, ""
	for i := range l.Entries {
		if s := l.Entries[i].Status; s != "" && !strings.EqualFold(s, "Available") {
			n, status = n+1, cmp.Or(status, s)
		}
	}
	if n == 0 {
		return ""
	}
	return fmt.Sprintf("%s with the status %s, and not Available: whether the device uses it is not known", report.Count(n, "certificate"), report.Printable(status))
}

// maxZones is how many zones a note names.
const maxZones = 8

// Identify looks for each certificate in the sources: on IOS XR by its SHA-1,
// else by what is shown of it. If several certificates are shown alike, none is
// taken.
func (l *Listing) Identify(sources ...pool.Source) {
	l.identified = true
	decoded := make([]pool.Source, len(sources)) // a device shows nothing else
	for i, s := range sources {
		decoded[i] = pool.Source{Name: s.Name, Certificates: slices.DeleteFunc(slices.Clone(s.Certificates), func(c *certificate.Certificate) bool { return c.Err != nil })}
	}
	p := &pool.Pool{Entries: make([]pool.Entry, len(l.Entries))}
	for i := range l.Entries {
		p.Entries[i] = l.Entries[i].Entry
		p.Entries[i].Certificate = nil
	}
	for i, m := range p.Identify(decoded...) {
		e := &l.Entries[i]
		e.Entry, e.Match = p.Entries[i], m
		e.Differs = m.By == pool.BySHA1 && e.differs()
	}
}

// differs reports whether the device would show the certificate in another way.
func (e *Listed) differs() bool {
	c := e.Entry.Certificate
	s := show.Of(c, show.IOSXR, e.Origin)
	return pool.ShownAlike(c, e.NotBefore, e.NotAfter) == "" || pool.ShownKey(s.Serial, s.Issuer, s.Subject) != pool.ShownKey(e.Serial, e.Issuer, e.Subject)
}

// Pool is the pool in the form that Import takes. A certificate that was
// identified has its fingerprints, and a Source that says by what; of any other
// there is what the device shows.
func (l *Listing) Pool() *pool.Pool {
	p := &pool.Pool{Platform: l.Platform.Name, Entries: make([]pool.Entry, len(l.Entries))}
	for i := range l.Entries {
		e := &l.Entries[i]
		p.Entries[i] = e.Entry
		if c := e.Entry.Certificate; c != nil {
			found := pool.EntryOf(c, e.Entry.Origin)
			found.IdentifiedBy = e.Match.By
			found.Source = fmt.Sprintf("%s; fingerprint of the certificate of the same %s in %s", l.Platform.ShowCommand(), e.Match.By.Words(), e.Match.In)
			p.Entries[i] = found
		}
	}
	return p
}

// entryOf is what a device shows, as an entry of a pool.
func entryOf(s show.Shown) pool.Entry {
	out := pool.Entry{Origin: pool.Downloaded, Serial: s.Serial, SHA1: strings.ToLower(s.SHA1)}
	if s.Origin == show.BuiltIn {
		out.Origin = pool.BuiltIn
	}
	switch {
	case s.SHA1 == "":
		out.Shown = &pool.Shown{Issuer: slices.Clone(s.Issuer), Subject: slices.Clone(s.Subject), NotBefore: s.NotBefore, NotAfter: s.NotAfter}
	case !s.NotBefore.Known() || !s.NotAfter.Known():
		out.Shown = &pool.Shown{NotBefore: s.NotBefore, NotAfter: s.NotAfter}
	}
	if s.SHA1 != "" {
		out.Issuer, out.Subject = strings.Join(s.Issuer, ""), strings.Join(s.Subject, "")
	}
	if s.NotBefore.Known() {
		out.NotBefore = s.NotBefore.Clock
	}
	if s.NotAfter.Known() {
		out.NotAfter = s.NotAfter.Clock
	}
	return out
}

// SHA256 is the fingerprint of the certificate that the entry was identified as,
// in hex; empty if there is none.
func (e *Listed) SHA256() string {
	if e.Entry.Certificate == nil {
		return ""
	}
	return hex.EncodeToString(e.Entry.Certificate.SHA256[:])
}

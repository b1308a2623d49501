package fleet

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"maps"
	"net/netip"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/fetch/text"
	"trustpool/internal/pool"
)

// Limits of captures.
const (
	MaxCaptureBytes = 64 << 20 // of one, uncompressed
	maxMissing      = 64       // roots that are listed of a device
)

// JudgeOptions are what pools are judged by.
type JudgeOptions struct {
	At time.Time
	// Bundles are the versions that are known, with their certificates.
	Bundles []Bundle
	// Needs and Requirements are what a pool has to have; Demands reports whether there are any.
	Needs        []audit.Need
	Requirements *audit.Requirements
	// Names are those of all devices.
	Names []string
	// With are further certificates by which entries of pools are recognized.
	With []pool.Source
}

// A Judge reads what devices show of their pools, and judges it. It is safe for
// concurrent use. Captures that differ only in prompts and clocks are judged once.
type Judge struct {
	o       JudgeOptions
	demands bool
	sources []pool.Source
	current map[string]*Bundle // by name; nil if its certificates are not known
	names   map[string]string  // of devices, by what short returns; empty if several have that

	pools sync.Map // of [sha256.Size]byte, func() verdict
}

// once judges what has the same key a single time.
func (j *Judge) once(key [sha256.Size]byte, judge func() verdict) verdict {
	v, _ := j.pools.LoadOrStore(key, sync.OnceValue(judge))
	return v.(func() verdict)()
}

// A verdict is what a pool shows.
type verdict struct {
	err      error  // it cannot be read
	platform string // by its name; it may be recognized
	entries  int
	certain  bool   // each entry by a hash that the device shows
	missing  []Root // needed, and not there
	unsure   int    // needed, and nothing tells whether they are there, or in use
	hint     string // the first of the unsure
	marks    []Mark // of what is there
	got      Got    // by the certificates of the current version; GotUnknown if they are not known
	lacks    int    // certificates of the current version
	bundle   string // the name, if it is known
	version  string // the highest one that is there whole
	sum      string // of that, its SHA-256
}

// A Root is a certificate that is needed.
type Root struct {
	Name   string `json:"name"`
	SHA256 Text   `json:"sha256"` // null if it is known by its key alone
}

// A Mark is something to know of a device beside its state.
type Mark string

// The marks. Those of what is in a pool are the names of rules of the audit.
const (
	MarkExpiredOnly     Mark = "expired-only"     // of the current version it lacks only certificates that have expired
	MarkUndecodable     Mark = "undecodable"      // of the current version it lacks what is not a certificate
	MarkDistrusted      Mark = "distrusted"       // its pool has a certificate that root programs distrust
	MarkRootExpired     Mark = "root-expired"     // a needed root is there, and is not valid now
	MarkNewer           Mark = "newer"            // it has a higher version than the current one
	MarkDownloadedSince Mark = "downloaded-since" // a log has a download after the capture: capture again
	MarkOtherName       Mark = "other-name"       // the prompt of the capture has another name
	MarkCapturesDiffer  Mark = "captures-differ"  // it has several captures, and they show different pools
	MarkUnreadFile      Mark = "unread-file"      // beside the capture there is a file that cannot be read as one
	MarkClock           Mark = "clock"            // the capture is from after the time of judgement
	MarkPlatform        Mark = "platform"         // the inventory has a platform that is not known here
	MarkMerged          Mark = "merged"           // it is in several reports, which say different things of it
)

// marks are the rules of the audit that are of interest here, what is distrusted and what is demanded,
// and the mark for what each finds.
func marks() map[string]Mark {
	return map[string]Mark{
		"known-distrusted": MarkDistrusted, "required-expired": MarkRootExpired, "required-missing": "required-missing",
		"forbidden": "forbidden", "not-allowed": "not-allowed", "count": "count",
	}
}

// NewJudge makes a Judge. current are the current versions as Downloads has them;
// what is known of them by Bundles is added.
func NewJudge(o JudgeOptions, current []CurrentVersion) (*Judge, error) {
	if o.At.IsZero() {
		return nil, errors.New("no time to judge at")
	}
	j := &Judge{o: o, demands: len(o.Needs) > 0 || o.Requirements != nil, current: map[string]*Bundle{}, names: make(map[string]string, len(o.Names))}
	for _, name := range o.Names {
		if _, ok := j.names[short(name)]; ok {
			j.names[short(name)] = ""
		} else {
			j.names[short(name)] = name
		}
	}
	for i := range o.Bundles {
		b := &o.Bundles[i]
		j.sources = append(j.sources, pool.Source{Name: b.Name, Certificates: decodable(b.Certificates)})
	}
	for _, s := range o.With {
		s.Certificates = decodable(s.Certificates)
		j.sources = append(j.sources, s)
	}
	for i := range current {
		c := &current[i]
		if b := j.known(c.Bundle, string(c.Version), string(c.SHA256)); b != nil && len(b.Certificates) > 0 {
			j.current[c.Bundle] = b
			c.Known, c.Verified = true, b.Verified
		} else {
			j.current[c.Bundle] = nil
		}
	}
	return j, nil
}

// known is the bundle of Options with this name, and the version or the hash.
func (j *Judge) known(name, version, sha256 string) *Bundle {
	for i := range j.o.Bundles {
		b := &j.o.Bundles[i]
		if b.Name == name && (sha256 != "" && strings.HasPrefix(b.SHA256, sha256) || sha256 == "" && version != "" && b.Version == version) {
			return b
		}
	}
	return nil
}

func decodable(certs []*certificate.Certificate) []*certificate.Certificate {
	return slices.DeleteFunc(slices.Clone(certs), func(c *certificate.Certificate) bool { return c.Err != nil })
}

// Lines of a capture that are the device's own and no part of its pool: its prompt,
// with the name, after which an ASA may have its context, priority and state, and its clock.
var (
	promptLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^(?:RP/\d+/[A-Z0-9]+/CPU\d+:)?([A-Za-z0-9][A-Za-z0-9._-]{0,63})(?:/[A-Za-z0-9._/-]{1,64})?(?:\([a-z0-9-]{1,32}\))?[#>][ \t]?(?:sh|do|term|exit|quit|logout|more|[ \t\r]*$)`)
	})
	clockLine = sync.OnceValue(func() *regexp.Regexp {
		return regexp.MustCompile(`^[.*]?(?:[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d )?\d\d:\d\d:\d\d\.\d{1,6} [A-Za-z]{1,5}(?: [A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]?\d \d{4})?[ \t\r]*$`)
	})
)

// promptIn returns the name in a prompt at the beginning of a line; nil if there is none.
func promptIn(line []byte) []byte {
	if at := bytes.IndexAny(line[:min(len(line), 128)], "#>"); at <= 0 || line[0] == ' ' {
		return nil
	}
	if m := promptLine().FindSubmatch(line); m != nil {
		return m[1]
	}
	return nil
}

// promptOf returns the name in the prompt before the command that shows a pool; empty if there is none.
func promptOf(data []byte) string {
	for line := range bytes.Lines(data) {
		if before, _, ok := bytes.Cut(line, []byte("trustpool")); ok {
			if name := promptIn(before); name != nil {
				return string(name)
			}
		}
	}
	return ""
}

// key is the same for captures that differ only in the name in prompts and in clocks.
func key(platform string, data []byte, prompt string) (k [sha256.Size]byte) {
	sum := sha256.New()
	fmt.Fprintf(sum, "%s\n", platform)
	for line := range bytes.Lines(data) {
		switch text := bytes.TrimSuffix(line, []byte("\n")); {
		case prompt != "" && string(promptIn(text)) == prompt:
			line = bytes.ReplaceAll(line, []byte(prompt), []byte("\x00prompt"))
		case isClock(text):
			line = []byte("\x00clock\n")
		}
		sum.Write(line)
	}
	sum.Sum(k[:0])
	return k
}

// isClock reports whether a line is the time and nothing else.
func isClock(line []byte) bool {
	if len(line) < len("00:00:00.0 Z") || len(line) > 80 || line[0] == ' ' || bytes.IndexByte(line, '.') < 0 {
		return false
	}
	return clockLine().Match(line)
}

// short is a name without its domain, in lower case: that is what prompts have. An
// IP address stays as it is.
func short(name string) string {
	if _, err := netip.ParseAddr(name); err == nil {
		return name
	}
	name, _, _ = strings.Cut(strings.ToLower(name), ".")
	return name
}

// sameName reports whether the name in a prompt may be that of a device. A device
// that the inventory knows by an address may have any.
func sameName(prompt, name string) bool {
	_, err := netip.ParseAddr(name)
	return err == nil || short(prompt) == short(name)
}

// judge judges what a device shows, or a pool file. platform is that of the
// inventory, the zero value if it says none.
func (j *Judge) judge(raw []byte, platform device.Platform) (v verdict, prompt string) {
	data, err := text.Decode(raw, MaxCaptureBytes)
	if err != nil {
		return verdict{err: err}, ""
	}
	prompt = promptOf(data)
	return j.once(key(platform.Name, data, prompt), func() verdict { return j.read(data, platform) }), prompt
}

// read reads a capture or a pool file and judges it.
func (j *Judge) read(data []byte, platform device.Platform) verdict {
	p, platform, doubt, err := readPool(data, platform, j.o.At)
	if err != nil {
		return verdict{err: err}
	}
	v := j.pool(p, platform)
	if doubt != "" {
		v.unsure, v.hint = v.unsure+1, cmp.Or(v.hint, doubt)
	}
	v.certain = !slices.ContainsFunc(p.Entries, func(e pool.Entry) bool { return !e.Certain() })
	return v
}

// readPool reads a capture or a pool file. The platform is recognized if it is the
// zero value; ios and iosxe show their pools alike. doubt is why a certificate that is
// there may not be in use; empty for none.
func readPool(data []byte, platform device.Platform, at time.Time) (p *pool.Pool, of device.Platform, doubt string, err error) {
	if trimmed := bytes.TrimLeft(data, " \t\r\n"); bytes.HasPrefix(trimmed, []byte("{")) && bytes.Contains(trimmed[:min(len(trimmed), 4096)], []byte(`"trustpool.pool/`)) {
		p, err := pool.Read(bytes.NewReader(data), device.CheckName)
		if err == nil && platform.Name != "" && shownAs(platform.Name) != shownAs(p.Platform) {
			err = fmt.Errorf("it is a pool file of %s, and the inventory says %s", p.Platform, platform.Name)
		}
		if err == nil && platform.Name == "" {
			platform, err = device.Lookup(p.Platform)
		}
		return p, platform, "", err
	}
	other := recognize(data)
	if platform.Name == "" {
		if platform, err = device.Lookup(cmp.Or(other, "iosxe")); err != nil { // of what is neither, it says best what it is instead
			return nil, platform, "", err
		}
	}
	l, err := device.ReadListing(data, platform, at)
	if err == nil {
		return l.Pool(), platform, l.Unavailable(), nil
	}
	if other != "" && other != shownAs(platform.Name) {
		if q, lookup := device.Lookup(other); lookup == nil {
			if _, unread := device.ReadListing(data, q, at); unread == nil {
				err = fmt.Errorf("it is what %s shows, and the inventory says %s", other, platform.Name)
			}
		}
	}
	return nil, platform, "", err
}

// shownAs returns the platform that shows its pool in the same words.
func shownAs(platform string) string {
	if platform == "ios" {
		return "iosxe"
	}
	return platform
}

// recognize says by its words which platform shows its pool so; empty for none.
func recognize(data []byte) string {
	has := func(s string) bool { return bytes.Contains(data, []byte(s)) }
	switch {
	case has("Certificate Serial Number"):
		return "iosxe"
	case has("SHA1 Fingerprint"), has("Issued By"):
		return "iosxr"
	case has("ROW_ca_trustpool"), has("issued-by"):
		return "nxos"
	}
	return ""
}

// pool judges the certificates of a device.
func (j *Judge) pool(p *pool.Pool, platform device.Platform) verdict {
	v := verdict{platform: platform.Name, entries: len(p.Entries), got: GotUnknown}
	p.Identify(j.sources...)
	r, err := audit.Run(audit.Subject{Platform: p.Platform, Entries: p.Entries}, audit.Criteria{At: j.o.At, Needs: j.o.Needs, Requirements: j.o.Requirements, Only: slices.Sorted(maps.Keys(marks()))})
	if err != nil {
		return verdict{err: err}
	}
	for i := range r.Findings {
		f := &r.Findings[i]
		if !f.Counts() || f.Severity < audit.Error {
			continue
		}
		switch pin := f.Missing; {
		case pin == nil:
			if m := marks()[f.Rule.ID]; !slices.Contains(v.marks, m) {
				v.marks = append(v.marks, m)
			}
		case f.MayBe > 0:
			if v.unsure++; v.unsure == 1 {
				v.hint = fmt.Sprintf("%s may be one of %d entries that no given certificate is known to be: give it with --with", pin.Name, f.MayBe)
			}
		case len(v.missing) < maxMissing && !slices.ContainsFunc(v.missing, func(r Root) bool { return r == rootOf(pin) }):
			v.missing = append(v.missing, rootOf(pin))
		}
	}
	if !importsNone(platform) {
		v.err = j.compare(p, &v)
	}
	return v
}

func rootOf(p *audit.Pin) Root {
	r := Root{Name: p.Name}
	if p.SHA256 != nil {
		r.SHA256 = Text(hex.EncodeToString(p.SHA256[:]))
		r.Name = cmp.Or(r.Name, string(r.SHA256))
	} else if p.SPKI != nil {
		r.Name = cmp.Or(r.Name, fmt.Sprintf("key %x", *p.SPKI))
	}
	return r
}

// importsNone reports whether the platform takes no bundle, so that its pool is
// judged by roots alone.
func importsNone(p device.Platform) bool {
	return p.Name == "nxos" || p.Name != "" && p.Anchors() == nil
}

// A lack is what a pool lacks of a version.
type lack struct {
	of                   int // so many that the version has
	all                  int
	expired, undecodable int // of all; an import brings no such ones
}

// share is how much of the version an import would bring, 0 for nothing. A pool that has nothing of
// a version is not like it, even if all of that has expired.
func (l lack) share() float64 {
	if l.all == l.of {
		return 1
	}
	return float64(l.all-l.expired-l.undecodable) / float64(l.of)
}

// compare finds which version of a bundle is in a pool: of the bundle of which the
// current version lacks least.
func (j *Judge) compare(p *pool.Pool, v *verdict) error {
	index, err := p.Index()
	if err != nil {
		return err
	}
	lacking := func(b *Bundle) (l lack) {
		index.Reset() // an entry is one certificate of one version
		seen := map[[sha256.Size]byte]bool{}
		for _, c := range b.Certificates {
			if seen[c.SHA256] {
				continue
			}
			seen[c.SHA256] = true
			l.of++
			if _, key := index.Find(c); key != "" {
				continue
			}
			l.all++
			if c.Err != nil {
				l.undecodable++
			} else if c.NotAfter.Valid && c.NotAfter.Before(j.o.At) {
				l.expired++
			}
		}
		return l
	}
	var least lack
	for i := range j.o.Bundles {
		b := &j.o.Bundles[i]
		current := j.current[b.Name]
		if current == nil {
			continue
		}
		if l := lacking(current); l.of > l.undecodable && (v.bundle == "" || l.share() < least.share()) {
			v.bundle, least = b.Name, l
		}
	}
	if v.bundle == "" {
		return nil
	}
	current := j.current[v.bundle]
	v.got, v.lacks = GotOld, least.all
	if least.share() == 0 {
		v.got, v.version, v.sum = GotCurrent, current.Version, current.SHA256
		if least.expired > 0 {
			v.marks = append(v.marks, MarkExpiredOnly)
		}
		if least.undecodable > 0 {
			v.marks = append(v.marks, MarkUndecodable)
		}
	}
	for i := range j.o.Bundles {
		b := &j.o.Bundles[i]
		if b.Name != v.bundle || b == current {
			continue
		}
		order, err := bundle.CompareVersions(b.Version, cmp.Or(v.version, "0"))
		if err != nil || order <= 0 {
			continue
		}
		if lacking(b).share() > 0 {
			continue
		}
		if v.got == GotCurrent {
			v.marks = append(v.marks, MarkNewer)
		}
		v.version, v.sum = b.Version, b.SHA256
	}
	return nil
}

// download judges the certificates of a version that a device has by its downloads.
func (j *Judge) download(f *Fetch, platform device.Platform) (v verdict, ok bool) {
	b := j.known(string(f.Bundle), string(f.Version), string(f.SHA256))
	if b == nil || len(b.Certificates) == 0 {
		return v, false
	}
	v = j.once(sha256.Sum256([]byte("bundle\n"+platform.Name+"\n"+b.SHA256+b.Name)), func() verdict {
		entries := pool.Of(decodable(b.Certificates))
		for i := range entries {
			entries[i].Origin = pool.Downloaded
		}
		return j.pool(&pool.Pool{Platform: cmp.Or(platform.Name, "iosxe"), Entries: entries}, platform)
	})
	return v, v.err == nil
}

package fleet

import (
	"cmp"
	"crypto/sha256"
	"maps"
	"net/netip"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
)

// A Got says what a host has by its downloads, as far as the logs tell.
type Got string

// What a host may have got. Only GotCurrent is a yes.
const (
	GotCurrent    Got = "current"                         // its last whole download is the current version
	GotOld        Got = "old"                             // an older version
	GotNewer      Got = "newer"                           // a higher version than the current one
	GotUnknown    Got = "unknown version"                 // it has fetched a bundle, and nothing tells which version
	GotUnmeasured Got = "fetched, completeness not known" // its last download is in a log without sizes
	GotPart       Got = "partial"                         // no whole download, but ranges or parts of some
	GotNothing    Got = "failed"                          // it asked, and no download began: errors, HEAD
	GotUnread     Got = "not known"                       // lines name it that could not be read, or that are of another address
	GotNever      Got = "never"                           // it never asked for a bundle
)

// Downloads are what the logs say of each device.
type Downloads struct {
	Requests
	Current []CurrentVersion // by name of the bundle
	Devices []HostReport     // in the order of the list
	Unknown []HostReport     // addresses that are no device's, by address
	// Beyond counts the requests of addresses that are not listed in Unknown because
	// there are more than MaxUnknown.
	Beyond int
}

// Requests are what logs hold.
type Requests struct {
	// From and To are the times of the first and the last request for a bundle, zero
	// if there was none.
	From     Moment      `json:"from"`
	To       Moment      `json:"to"`
	Logs     []LogReport `json:"logs"`
	BadLines []BadLine   `json:"unreadable"` // the first few
}

// Lines is how many lines the logs have: without one they tell nothing.
func (r *Requests) Lines() (n int) {
	for i := range r.Logs {
		n += r.Logs[i].Lines
	}
	return n
}

// Unread is how many of them could not be read.
func (r *Requests) Unread() (n int) {
	for i := range r.Logs {
		n += r.Logs[i].Unreadable
	}
	return n
}

// A LogReport counts the lines of a log.
type LogReport struct {
	Name       string `json:"name"`
	Lines      int    `json:"lines"`
	Requests   int    `json:"requests"`   // for a bundle
	Other      int    `json:"other"`      // requests for something else, those of trustpool itself, and lines about none
	Unreadable int    `json:"unreadable"` // lines
	NoSize     int    `json:"no_size"`    // of the requests: the line does not say how many bytes were sent
	NoZone     int    `json:"no_zone"`    // of the requests: the line has no time zone, and its time is taken for UTC
}

// A BadLine is a line that could not be read.
type BadLine struct {
	Log   string `json:"log"`
	Line  int    `json:"line"`
	Error string `json:"error"`
}

// A CurrentVersion is what devices are to have of a bundle.
type CurrentVersion struct {
	Bundle  string `json:"bundle"` // "" if the logs name none
	Version Text   `json:"version"`
	SHA256  Text   `json:"sha256"` // as many digits as are known
	Basis   string `json:"basis"`  // why it is taken for current
	// Verified is set if a file with this SHA-256 was given and its signature verified, and Known if
	// its certificates are known.
	Verified bool `json:"verified"`
	Known    bool `json:"certificates_known"`
}

// Why a version is taken for current.
const (
	basisGiven   = "given"
	basisHighest = "the highest version known"
	basisLast    = "the one served last: not all versions are numbers"
)

// A HostReport is what the logs say of a device, or of an address that is none's.
type HostReport struct {
	Addresses []string `json:"addresses"`
	Got       Got      `json:"download"`
	Requests  int      `json:"requests"`   // for a bundle, of any method and status
	Seen      Moment   `json:"last_seen"`  // zero for never
	Status    int      `json:"status"`     // of the last request
	UserAgent Text     `json:"user_agent"` // likewise
	Client    Text     `json:"client"`     // by its name; empty if it is not known
	Fetched   *Fetch   `json:"fetched"`    // the last whole download, or of GotUnmeasured the last download
	Partial   Moment   `json:"partial"`
}

// A Fetch is a download, as far as the logs tell.
type Fetch struct {
	Time    Moment `json:"time"`
	Bundle  Text   `json:"bundle"`
	Version Text   `json:"version"`
	SHA256  Text   `json:"sha256"` // as many digits as are known
	How     How    `json:"known_by"`
}

// Downloads says what the logs so far show.
func (t *Tally) Downloads() *Downloads {
	r := &Downloads{Requests: t.read, Current: []CurrentVersion{}, Beyond: t.beyond}
	current := t.current()
	for _, name := range slices.Sorted(maps.Keys(current)) {
		c := current[name]
		r.Current = append(r.Current, CurrentVersion{Bundle: name, Version: Text(c.version.version), SHA256: Text(c.digits), Basis: c.basis})
	}
	for i, d := range t.o.Devices {
		h := t.report(&t.hosts[i], current)
		for _, a := range d.Addresses {
			h.Addresses = append(h.Addresses, inventory.Show(a))
		}
		r.Devices = append(r.Devices, h)
	}
	for _, a := range slices.SortedFunc(maps.Keys(t.unknown), netip.Addr.Compare) {
		h := t.report(t.unknown[a], current)
		h.Addresses = []string{a.String()}
		r.Unknown = append(r.Unknown, h)
	}
	return r
}

// report says what a host has.
func (t *Tally) report(h *host, current map[string]choice) HostReport {
	client, _ := device.LookupClient(string(h.UserAgent))
	r := h.HostReport
	r.Client = Text(client.Name)
	var last *fetched
	for i := range h.fetches {
		f := &h.fetches[i]
		if !t.complete(f) {
			r.Partial.Time = later(r.Partial.Time, f.time)
		} else if last == nil || !f.time.Before(last.time) {
			last = f
		}
	}
	switch {
	case last != nil:
		r.Got = last.got(current)
		r.Fetched = &Fetch{Moment{Time: last.time}, Text(last.bundle), Text(last.version.version), Text(last.sha256), last.how}
		if k := t.versions[last.version]; k != nil {
			r.Fetched.SHA256 = Text(k.digits)
		}
	case !h.unmodified.IsZero():
		r.Got = GotUnknown
		r.Fetched = &Fetch{Time: Moment{Time: h.unmodified}, How: NotModified}
	case !r.Partial.IsZero():
		r.Got = GotPart
	case h.Requests > 0:
		r.Got = GotNothing
	case h.named > 0:
		r.Got = GotUnread
	default:
		r.Got = GotNever
	}
	return r
}

// complete reports whether all bytes of a version were sent, as far as its log says:
// as many as it is known to have, else as many as were sent of it at most.
func (t *Tally) complete(f *fetched) bool {
	k := t.versions[f.version]
	if f.bytes == all || f.bytes == unmeasured || k == nil {
		return true
	}
	want := cmp.Or(k.size, k.most)
	if f.how == ByPath && k.size == 0 {
		want -= headerSlack // where the header counts, it is not always as long
	}
	return f.bytes >= want
}

// A choice is a version that is taken for current, and why.
type choice struct {
	version
	digits string // of the SHA-256, all that are known
	basis  string
}

// current chooses the current version of each bundle that is known.
func (t *Tally) current() map[string]choice {
	byName := map[string][]*known{}
	for _, k := range t.versions {
		byName[k.bundle] = append(byName[k.bundle], k)
	}
	out := map[string]choice{}
	for name, versions := range byName {
		best := versions[0]
		numbers := !slices.ContainsFunc(versions, func(k *known) bool { return !bundle.IsNumber(k.version.version) })
		c := choice{basis: basisLast}
		if numbers {
			c.basis = basisHighest
		}
		for _, k := range versions[1:] {
			if order, err := bundle.CompareVersions(k.version.version, best.version.version); numbers && err == nil && order != 0 {
				if order > 0 {
					best = k
				}
			} else if cmp.Or(k.served.Compare(best.served), strings.Compare(k.sha256, best.sha256), strings.Compare(k.version.version, best.version.version)) > 0 {
				best = k
			}
		}
		c.version, c.digits = best.version, best.digits
		out[name] = c
	}
	for name, value := range t.o.Current {
		c := choice{version: version{bundle: name, version: value}, basis: basisGiven}
		if report.IsHex(value, sha256.Size) {
			c.version, c.digits = version{bundle: name, sha256: value[:hashDigits]}, value
			for v := range t.versions {
				if v.sha256 == c.sha256 && (name == "" || v.bundle == name) {
					c.version.version = v.version
				}
			}
		}
		if name != "" {
			out[name] = t.withHash(c)
			continue
		}
		for other := range byName {
			if _, ok := t.o.Current[other]; !ok {
				c.bundle = other
				out[other] = t.withHash(c)
			}
		}
	}
	return out
}

// withHash adds the SHA-256 of the one given bundle that has the version: another
// file that claims it is not current.
func (t *Tally) withHash(c choice) choice {
	sums := map[string]bool{}
	for i := range t.o.Bundles {
		if b := &t.o.Bundles[i]; b.Name == c.bundle && b.Version == c.version.version {
			sums[b.SHA256] = true
		}
	}
	for sum := range sums {
		if len(sums) == 1 && c.digits == "" {
			c.sha256, c.digits = shorten(sum, hashDigits), sum
		}
	}
	return c
}

// got compares what was fetched with what is current.
func (f *fetched) got(current map[string]choice) Got {
	c, ok := current[f.bundle]
	switch {
	case f.bytes == unmeasured:
		return GotUnmeasured
	case !ok || !f.named():
		return GotUnknown
	case c.sha256 != "" && f.sha256 != "" && (c.basis == basisGiven || c.version.version == f.version.version): // two files may claim one version
		if c.sha256 == f.sha256 {
			return GotCurrent
		}
	case c.version.version == "" || f.version.version == "":
		if c.sha256 == "" || f.sha256 == "" {
			return GotUnknown
		}
		if c.sha256 == f.sha256 {
			return GotCurrent
		}
	case c.version.version == f.version.version:
		return GotCurrent
	}
	if order, err := bundle.CompareVersions(f.version.version, c.version.version); err == nil && order > 0 {
		return GotNewer
	}
	return GotOld
}

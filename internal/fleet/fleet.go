// Package fleet says what each device of an inventory has: by access logs, which
// show what a server sent to it, and by captures, which show what is in its pool.
//
// A Tally reads any number of logs, in any order, in memory that grows with the
// number of devices and not with the logs. A Judge reads captures, and Report puts
// the two together: evidence of both kinds, each with its time, and one State a
// device. A log shows what a server sent: that a device received it whole, took it
// and kept it is for the device to say.
package fleet

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/netip"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/fetch/text"
	"trustpool/internal/fleet/inventory"
)

// Limits.
const (
	MaxLogBytes    = 1 << 40   // of one log, uncompressed
	MaxLine        = 64 << 10  // bytes; a longer line counts as unreadable
	MaxUnread      = 16 << 20  // bytes since the last line that could be read, uncompressed
	MaxUnknown     = 10_000    // addresses that are no device's and are listed; the rest is counted
	MaxVersions    = 10_000    // versions of bundles; one beyond is a version that is not known
	maxOfHost      = 16        // versions remembered of one device, the last ones
	maxExamples    = 5         // unreadable lines that are shown
	maxAgent       = 256       // bytes kept of a User-Agent
	maxNameInLog   = 256       // bytes of a bundle's name or version in a log
	headerSlack    = 512       // bytes of a response header that a server may have counted
	readBufferSize = 256 << 10 // of the log
)

// A Bundle is a version of a bundle that is known beside the logs.
type Bundle struct {
	Name    string // as in its URL, without .p7b
	Version string // as its signer claims
	SHA256  string // lower-case hex
	Size    int64  // bytes

	Certificates []*certificate.Certificate
	Verified     bool // its signature vouches for the version
}

// Options are what is known beside the logs.
type Options struct {
	Devices []inventory.Device
	// Bundles give a version to downloads in logs that have only their size.
	Bundles []Bundle
	// Current is for the name of a bundle the version, or the SHA-256 in lower-case
	// hex, that devices are to have; under "" that of bundles not named. Without one
	// it is the newest known.
	Current map[string]string
}

// A Tally counts what logs say.
type Tally struct {
	o        Options
	hosts    []host // of o.Devices
	places   places
	shared   error // if two devices have an address in common, as behind ports of one host
	unknown  map[netip.Addr]*host
	versions map[version]*known

	read   Requests
	beyond int // requests of addresses beyond MaxUnknown
}

// A version is one version of a bundle, as far as it is known; of the hash as a key
// of Tally.versions the first hashDigits.
type version struct{ bundle, version, sha256 string }

// named reports whether anything tells it from another version.
func (v version) named() bool { return v.version != "" || v.sha256 != "" }

// known is what is known of a version.
type known struct {
	version
	digits string    // of the SHA-256, all that are known
	size   int64     // as stated, or 0
	most   int64     // bytes that were sent at once
	served time.Time // last
}

// A host is what is known of one device, or of one address that is no device's.
type host struct {
	HostReport           // without what it has got
	named      int       // lines that name it and are not its requests, as far as could be read
	unmodified time.Time // last, of versions that are not known
	fetches    []fetched
}

// A fetched is the most complete download of a version, the last of those.
type fetched struct {
	version
	how   How
	time  time.Time
	bytes int64 // or all of them
}

// Bytes of a fetch that are no number of bytes.
const (
	all        = math.MaxInt64 // it is known to be complete
	unmeasured = -1            // the log does not say how many bytes were sent
)

// New makes a Tally.
func New(o Options) *Tally {
	t := &Tally{
		o: o, hosts: make([]host, len(o.Devices)), places: places{exact: map[netip.Prefix]int{}}, unknown: map[netip.Addr]*host{}, versions: map[version]*known{},
		read: Requests{Logs: []LogReport{}, BadLines: []BadLine{}},
	}
	for i, d := range o.Devices {
		for _, p := range d.Addresses {
			if other, ok := t.places.exact[p]; ok && other != i {
				t.shared = fmt.Errorf("devices %q and %q have the address %s in common, so that no log can tell them apart: give the captures alone, or addresses of their own", o.Devices[other].Name, d.Name, inventory.Show(p))
			}
			t.places.add(p, i)
		}
	}
	for _, b := range o.Bundles {
		if k := t.know(version{b.Name, b.Version, b.SHA256}); k != nil {
			k.size = b.Size
		}
	}
	return t
}

// A FormError says that a text is not an access log of a known form: fewer than
// one in ten of its lines could be read.
type FormError struct {
	Log         string
	Kind        string  // what it is instead; empty if that is not known
	Lines, Read int     // lines that are not empty, and those that could be read
	First       BadLine // the first line that could not
}

func (e *FormError) Error() string {
	kind := ""
	if e.Kind != "" {
		kind = "it is " + e.Kind + "; "
	}
	return fmt.Sprintf("%s: not an access log of a known form: %s%d of its %d lines can be read; line %d: %s", e.Log, kind, e.Read, e.Lines, e.First.Line, e.First.Error)
}

// Read counts the lines of one log, which may be gzip or UTF-16, as
// [text.NewReader] reads it. Lines that cannot be read are counted, and the first
// few kept for the report; if fewer than one in ten can be read the error is a
// [*FormError]. A log that ends within a gzip stream is an error; the last line of
// a plain one may be cut short. It is an error if two devices have an address in
// common. After an error the Tally holds a part of the log.
func (t *Tally) Read(ctx context.Context, name string, r io.Reader) error {
	if t.shared != nil {
		return t.shared
	}
	decoded, err := text.NewReader(r)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	in := bufio.NewReaderSize(decoded, readBufferSize)
	log := logReader{LogReport: LogReport{Name: name}}
	begin, _ := in.Peek(text.SniffBytes) // an error comes again
	kind := text.Name(begin)
	size, unread := int64(0), int64(0) // bytes, and those since the last line that could be read
	batches(ctx, in, func(b *batch) bool {
		if err = context.Cause(ctx); err != nil {
			return false
		}
		for i := range b.lines {
			log.Lines++
			size += b.lines[i].size
			unread += b.lines[i].size
			if t.line(&log, b, i) {
				log.read++
				unread = 0
			}
			if unread > MaxUnread {
				err = fmt.Errorf("%s: line %d: no line of the last %d bytes can be read, which is the limit", name, log.Lines, MaxUnread)
				return false
			}
			if size > MaxLogBytes {
				err = fmt.Errorf("%s: more than %d bytes, which is the limit", name, int64(MaxLogBytes))
				return false
			}
		}
		if b.err != nil && !errors.Is(b.err, io.EOF) {
			err = fmt.Errorf("%s: line %d: %w", name, log.Lines+1, b.err)
		}
		return b.err == nil
	})
	if err != nil {
		return err
	}
	// Lines that say what the others hold make none of these readable.
	if lines, read := log.Lines-log.empty-log.directives, log.read-log.directives; read*10 < lines {
		return &FormError{Log: name, Kind: cmp.Or(kind, log.kind), Lines: lines, Read: read, First: log.first}
	}
	if log.Lines == log.empty { // it tells nothing
		log.LogReport = LogReport{Name: name}
	}
	t.read.Logs = append(t.read.Logs, log.LogReport)
	return nil
}

// A logReader is at a line of one log.
type logReader struct {
	LogReport
	empty, read int     // lines: those without content, and those of a known form
	directives  int     // of the latter, those that begin with #
	first       BadLine // the first that could not be read
	kind        string  // what that is, if it is known
}

// readLine reads a line with its end. Of one that does not fit into the buffer it
// gives the beginning, and how many bytes the rest had; it gives up within that
// if there are more than most of them, or ctx ends.
func readLine(ctx context.Context, in *bufio.Reader, most int64) (line []byte, rest int64, err error) {
	line, err = in.ReadSlice('\n')
	if errors.Is(err, bufio.ErrBufferFull) {
		rest = int64(len(line) - MaxLine)
		line = slices.Clone(line[:MaxLine])
		for errors.Is(err, bufio.ErrBufferFull) && rest <= most && ctx.Err() == nil {
			var more []byte
			more, err = in.ReadSlice('\n')
			rest += int64(len(more))
		}
	}
	return line, rest, err
}

// line counts one line, and reports whether it could be read; an empty one is not
// worth reading.
func (t *Tally) line(log *logReader, b *batch, i int) bool {
	line, l := b.line(i), &b.lines[i]
	if len(line) == 0 {
		log.Other++
		log.empty++
		return false
	}
	r, err := &l.Request, l.err
	switch {
	case errors.Is(err, ErrNoRequest):
		log.Other++
		if line[0] == '#' {
			log.directives++
		}
	case err != nil:
		t.name(line)
		bad := BadLine{log.Name, log.Lines, err.Error()}
		if log.Unreadable++; log.Unreadable == 1 {
			if log.first = bad; !l.columned {
				log.kind = kindOf(line)
			}
		}
		if len(t.read.BadLines) < maxExamples {
			t.read.BadLines = append(t.read.BadLines, bad)
		}
		return false
	case !t.count(r):
		log.Other++
	default:
		log.Requests++
		if t.device(r.Address) == nil { // it may be that of a proxy, with the device's behind it
			t.name(line)
		}
		if r.NoZone {
			log.NoZone++
		}
		if r.Bytes < 0 {
			log.NoSize++
		}
	}
	return true
}

// count counts a request, and reports whether it asked for a bundle.
func (t *Tally) count(r *Request) bool {
	if own(r.UserAgent) { // a mirror, doctor or an operator: no device
		return false
	}
	v, how, asked := t.identify(r)
	if !asked {
		return false
	}
	if t.read.From.IsZero() || r.Time.Before(t.read.From.Time) {
		t.read.From.Time = r.Time
	}
	t.read.To.Time = later(t.read.To.Time, r.Time)
	h := t.host(r.Address)
	if h == nil {
		t.beyond++
		h = new(host) // the version was served all the same
	}
	h.Requests++
	if !r.Time.Before(h.Seen.Time) {
		h.Seen.Time, h.Status = r.Time, r.Status
		if agent := shorten(r.UserAgent, maxAgent); agent != string(h.UserAgent) {
			h.UserAgent = Text(strings.Clone(agent))
		}
	}
	if r.Method != "GET" {
		return true
	}
	switch r.Status {
	case 200:
		t.served(h, r, v, how)
	case 206:
		h.Partial.Time = later(h.Partial.Time, r.Time)
	case 304:
		var k *known
		if r.Own { // another log does not say what the device has
			k = t.know(v)
		}
		if k == nil {
			h.unmodified = later(h.unmodified, r.Time)
			break
		}
		k.served = later(k.served, r.Time)
		h.add(fetched{k.version, NotModified, r.Time, all})
	}
	return true
}

// served counts an answer with status 200.
func (t *Tally) served(h *host, r *Request, v version, how How) {
	if how == tooShort || r.Cut || !r.Own && r.Bytes >= 0 && r.Bytes < r.Size {
		h.Partial.Time = later(h.Partial.Time, r.Time)
		return
	}
	k := t.know(v)
	if k == nil {
		bytes := int64(all)
		if r.Bytes < 0 {
			bytes = unmeasured
		}
		h.add(fetched{version{bundle: strings.Clone(v.bundle)}, ByNone, r.Time, bytes})
		return
	}
	k.served = later(k.served, r.Time)
	k.most = max(k.most, r.Bytes)
	if r.Size > 0 {
		k.size = r.Size
	}
	bytes := max(r.Bytes, unmeasured)
	if how == BySize || how == BySizeAndHeader || k.size > 0 && bytes >= k.size {
		bytes = all
	}
	h.add(fetched{k.version, how, r.Time, bytes})
}

// know gives what is known of a version; nil if nothing tells it from others, or
// there are too many.
func (t *Tally) know(v version) *known {
	digits := v.sha256
	v.sha256 = shorten(digits, hashDigits)
	k := t.versions[v]
	if k == nil && v.named() && len(t.versions) < MaxVersions {
		// Copies, so that no line of the log is kept for a part of it.
		k = &known{version: version{strings.Clone(v.bundle), strings.Clone(v.version), strings.Clone(v.sha256)}}
		t.versions[k.version] = k
	}
	if k != nil && len(digits) > len(k.digits) {
		k.digits = strings.Clone(digits)
	}
	return k
}

// add remembers a fetch: of each version the most complete one, the last of those;
// apart from it the last one that is known to be complete, and the last one of which
// nothing tells that.
func (h *host) add(f fetched) {
	for i := range h.fetches {
		old := &h.fetches[i]
		if old.version != f.version || (old.bytes == all) != (f.bytes == all) || (old.bytes == unmeasured) != (f.bytes == unmeasured) {
			continue
		}
		if f.bytes < old.bytes {
			h.Partial.Time = later(h.Partial.Time, f.time)
			return
		}
		if f.bytes > old.bytes {
			h.Partial.Time = later(h.Partial.Time, old.time)
		} else if f.time.Before(old.time) {
			return
		}
		*old = f
		return
	}
	if len(h.fetches) == maxOfHost {
		oldest := slices.MinFunc(h.fetches, func(a, b fetched) int { return a.time.Compare(b.time) })
		h.fetches = slices.DeleteFunc(h.fetches, func(f fetched) bool { return f == oldest })
	}
	h.fetches = append(h.fetches, f)
}

// host is that of an address: the device with the address or the longest prefix
// that holds it, else one of those that are not known; nil if these are too many.
func (t *Tally) host(a netip.Addr) *host {
	if h := t.device(a); h != nil {
		return h
	}
	h := t.unknown[a]
	if h == nil && len(t.unknown) < MaxUnknown {
		h = new(host)
		t.unknown[a] = h
	}
	return h
}

// device is that of an address in the list of devices; nil if there is none.
func (t *Tally) device(a netip.Addr) *host {
	if i, ok := t.places.find(a); ok {
		return &t.hosts[i]
	}
	return nil
}

// places are the addresses and prefixes of devices.
type places struct {
	exact   map[netip.Prefix]int
	lengths []int // of prefixes, the longest first
}

func (ps *places) add(p netip.Prefix, device int) {
	ps.exact[p] = device
	if at, ok := slices.BinarySearchFunc(ps.lengths, p.Bits(), func(have, bits int) int { return bits - have }); !ok {
		ps.lengths = slices.Insert(ps.lengths, at, p.Bits())
	}
}

// find returns the device with the longest prefix that holds an address.
func (ps *places) find(a netip.Addr) (int, bool) {
	for _, bits := range ps.lengths {
		p, err := a.Prefix(bits)
		if err != nil {
			continue // longer than an IPv4 address
		}
		if i, ok := ps.exact[p]; ok {
			return i, true
		}
	}
	return 0, false
}

// maxNamed is how many addresses are looked for in a line.
const maxNamed = 16

// name counts the devices that have an address anywhere in a line: of these the log
// does not show that they never came.
func (t *Tally) name(line []byte) {
	line = line[:min(len(line), MaxLine)]
	n := 0
	for word := range bytes.FieldsFuncSeq(line, func(c rune) bool { return !strings.ContainsRune("0123456789abcdefABCDEF:.", c) }) {
		if n == maxNamed {
			return
		}
		if len(word) < len("::1") || bytes.Count(word, []byte(".")) < 3 && bytes.Count(word, []byte(":")) < 2 {
			continue
		}
		n++
		a, _, err := parseClient(string(bytes.Trim(word, ".")))
		if err != nil {
			a, err = parseAddress(string(bytes.TrimRight(word, ".:")))
		}
		if err == nil {
			if h := t.device(a); h != nil {
				h.named++
			}
		}
	}
}

func later(a, b time.Time) time.Time {
	if b.After(a) {
		return b
	}
	return a
}

// shorten gives the first n bytes of s.
func shorten(s string, n int) string { return s[:min(len(s), n)] }

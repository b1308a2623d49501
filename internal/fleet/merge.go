package fleet

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"reflect"
	"slices"
	"time"

	"trustpool/internal/fleet/inventory"
)

// A Part is a report as its JSON has it, to be merged.
type Part struct {
	name string
	sum  [sha256.Size]byte
	Report
}

// ReadPart reads the JSON of a report.
func ReadPart(name string, data []byte) (*Part, error) {
	p := &Part{name: name, sum: sha256.Sum256(data)}
	in := json.NewDecoder(bytes.NewReader(data))
	in.DisallowUnknownFields()
	var head struct {
		Schema string `json:"schema"`
	}
	if err := json.Unmarshal(data, &head); err != nil {
		return nil, fmt.Errorf("not a report of fleet --json: %w", err)
	}
	if head.Schema != Schema {
		return nil, fmt.Errorf("not a report of fleet --json: its schema is %q, and not %s", head.Schema, Schema)
	}
	if err := in.Decode(&p.Report); err != nil {
		return nil, err
	}
	if _, err := in.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("something after the document")
	}
	if p.Total != len(p.Devices) {
		return nil, fmt.Errorf("it lists %d of its %d devices: make it without --state", len(p.Devices), p.Total)
	}
	if len(p.Devices) == 0 {
		return nil, errors.New("there is no device in it")
	}
	if len(p.Devices) > inventory.MaxDevices {
		return nil, fmt.Errorf("%d devices: the limit is %d", len(p.Devices), inventory.MaxDevices)
	}
	seen := map[string]bool{}
	for i := range p.Devices {
		d := &p.Devices[i]
		if d.Name == "" || seen[d.Name] || !slices.Contains(States(), d.State) {
			return nil, fmt.Errorf("device %d, %q: no name, one that is there twice, or the state %q, which is none", i+1, d.Name, d.State)
		}
		seen[d.Name] = true
	}
	for i := range p.Unknown {
		if len(p.Unknown[i].Addresses) == 0 {
			return nil, fmt.Errorf("unknown %d has no address", i+1)
		}
	}
	return p, nil
}

// Merge makes one report of several that were judged by the same. A device that
// is in several has the better evidence: a capture before a download before none, then the newer one.
func Merge(by string, parts []*Part) (*Report, error) {
	r := &Report{By: by, Requests: Requests{Logs: []LogReport{}, BadLines: []BadLine{}}}
	at := map[string]int{}
	hosts := map[string]int{}
	for i, p := range parts {
		for _, other := range parts[:i] {
			if other.sum == p.sum {
				return nil, fmt.Errorf("%s and %s are the same", other.name, p.name)
			}
		}
		if i == 0 {
			r.Asked = p.Asked
			r.Absent = []Root{}
		} else if !sameAsked(r.Asked, p.Asked) {
			return nil, fmt.Errorf("%s and %s were judged by different things: make both with the same --bundle, --current, --need and --requirements", parts[0].name, p.name)
		}
		for _, m := range p.Absent {
			if !slices.Contains(r.Absent, m) {
				r.Absent = append(r.Absent, m)
			}
		}
		r.Logs = append(r.Logs, p.Logs...)
		r.BadLines = append(r.BadLines, p.BadLines[:min(len(p.BadLines), max(0, maxExamples-len(r.BadLines)))]...)
		if r.From.IsZero() || !p.From.IsZero() && p.From.Before(r.From.Time) {
			r.From = p.From
		}
		r.To.Time = later(r.To.Time, p.To.Time)
		r.Beyond += p.Beyond
		r.Captures = r.Captures.plus(p.Captures)
		for _, d := range p.Devices {
			j, ok := at[d.Name]
			if !ok {
				at[d.Name] = len(r.Devices)
				r.Devices = append(r.Devices, d)
				continue
			}
			r.Devices[j] = better(r.Devices[j], d)
		}
		for _, u := range p.Unknown {
			key := u.Addresses[0]
			if j, ok := hosts[key]; ok {
				if u.Seen.After(r.Unknown[j].Seen.Time) {
					r.Unknown[j] = u
				}
				continue
			}
			hosts[key] = len(r.Unknown)
			r.Unknown = append(r.Unknown, u)
		}
	}
	if len(r.Devices) > inventory.MaxDevices {
		return nil, fmt.Errorf("%d devices: the limit is %d", len(r.Devices), inventory.MaxDevices)
	}
	if c := r.Captures; c != nil { // what is no device's of one site may be that of another
		c.Strays = slices.DeleteFunc(slices.Clone(c.Strays), func(file string) bool {
			_, ok := deviceOf(file, at)
			return ok
		})
	}
	// An address that one site does not know may be a device of another.
	known := places{exact: map[netip.Prefix]int{}}
	for i := range r.Devices {
		for _, a := range r.Devices[i].Addresses {
			if p, err := inventory.ParsePrefix(a); err == nil {
				known.add(p, i)
			}
		}
	}
	r.Unknown = slices.DeleteFunc(r.Unknown, func(h HostReport) bool {
		a, err := netip.ParseAddr(h.Addresses[0])
		i, ok := known.find(a.Unmap())
		if err != nil || !ok {
			return false
		}
		r.Devices[i].elsewhere(&h)
		return true
	})
	slices.SortFunc(r.Unknown, func(a, b HostReport) int { return cmp.Compare(a.Addresses[0], b.Addresses[0]) })
	r.count()
	return r, nil
}

// elsewhere adds what the log of another place says of a device, which was not known there.
func (d *Device) elsewhere(h *HostReport) {
	d.Evidence = append(slices.Clone(d.Evidence), h.item())
	d.Marks = slices.Clone(d.Marks)
	d.LastSeen.Time = later(d.LastSeen.Time, h.Seen.Time)
	switch f := h.Fetched; {
	case d.JudgedBy == kindCapture:
		d.since(d.CapturedAt.Time, h)
	case d.State == Never || d.State == NoEvidence || d.JudgedBy == kindDownload && f != nil && f.Time.After(d.DownloadedAt.Time):
		d.mark(MarkMerged)
		d.State, d.Why = Unknown, "a log of another place, where the inventory does not have it, has requests of its address: read that log with this inventory"
	}
}

// sameAsked reports whether two reports were judged by the same.
func sameAsked(a, b Asked) bool {
	a.Absent, b.Absent = nil, nil
	return reflect.DeepEqual(a, b)
}

// plus adds the counts of another directory.
func (c *CaptureReport) plus(d *CaptureReport) *CaptureReport {
	if c == nil || d == nil {
		return cmp.Or(c, d)
	}
	name := c.Name
	if d.Name != name {
		name += ", " + d.Name
	}
	sum := &CaptureReport{
		Name: name, Files: c.Files + d.Files, Unreadable: c.Unreadable + d.Unreadable, Without: c.Without + d.Without,
		Strays: slices.Concat(c.Strays, d.Strays), MoreStrays: c.MoreStrays + d.MoreStrays, Hidden: c.Hidden + d.Hidden,
	}
	if n := len(sum.Strays); n > maxStrays {
		sum.Strays, sum.MoreStrays = sum.Strays[:maxStrays], sum.MoreStrays+n-maxStrays
	}
	return sum
}

// better is the one of two descriptions of a device with the better evidence.
func better(a, b Device) Device {
	if reflect.DeepEqual(a, b) {
		return a
	}
	rank := func(d *Device) int {
		switch {
		case d.JudgedBy == kindCapture:
			return 4
		case d.State == Unreadable:
			return 3
		case d.JudgedBy == kindDownload:
			return 2
		case len(d.Evidence) > 0:
			return 1
		}
		return 0
	}
	when := func(d *Device) time.Time { return later(d.asOf().Time, d.LastSeen.Time) }
	order := cmp.Or(cmp.Compare(rank(&a), rank(&b)), when(&a).Compare(when(&b)))
	if order < 0 || order == 0 && a.State == Current { // neither is better: the one that is not a yes
		a, b = b, a
	}
	if rank(&b) > 0 && a.State != b.State {
		a.Marks = slices.Clone(a.Marks)
		a.mark(MarkMerged)
	}
	return a
}

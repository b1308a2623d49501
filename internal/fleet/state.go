package fleet

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
	"trustpool/internal/report"
)

// Schema is that of Report's JSON.
const Schema = "trustpool.fleet/2"

// A State says what a device has, as far as the evidence tells.
type State string

// The states: that of a device is the first that holds. Only Current is a yes.
const (
	Unreadable  State = "unreadable"   // there is a capture, and it cannot be read
	Never       State = "never"        // no capture, an IP address, a log, and no request of it
	NoEvidence  State = "no-evidence"  // no capture, and no log that could tell
	MissingRoot State = "missing-root" // a needed root is not in the pool
	Old         State = "old"          // pool or download is an older version, or lacks certificates of the current one
	Unknown     State = "unknown"      // the evidence does not tell, which Device.Why explains
	Current     State = "current"      // all that was asked for is there
)

// States are all states, in the order in which they are looked for.
func States() []State {
	return []State{Unreadable, Never, NoEvidence, MissingRoot, Old, Unknown, Current}
}

// Meaning is a state in words.
func (s State) Meaning() string {
	switch s {
	case Unreadable:
		return "a capture that cannot be read"
	case Never:
		return "no capture, and no request in the logs"
	case NoEvidence:
		return "no capture, and no log that could tell"
	case MissingRoot:
		return "a needed root is not in the pool"
	case Old:
		return "an older version, or certificates of the current one are missing"
	case Unknown:
		return "the evidence does not tell"
	}
	return "all that was asked for is there"
}

type (
	// Text is a text that JSON has null for if it is not known.
	Text = report.Text
	// Moment is such a time.
	Moment = report.Moment
)

// A Report is what is known of each device.
type Report struct {
	Schema   string           `json:"schema"`   // of the JSON
	Evidence *report.Evidence `json:"evidence"` // for the caller to set: what it rests on; nil for nothing
	Asked
	Requests
	Captures *CaptureReport `json:"captures"` // nil if there was no directory
	Total    int            `json:"total"`    // of the devices, in the JSON
	Counts   Counts         `json:"counts"`
	Groups   []Group        `json:"groups"`
	Actions  []Action       `json:"actions"`           // in the JSON: what to do, for each platform once
	Beyond   int            `json:"more_requests"`     // of addresses that are not in Unknown
	Devices  []Device       `json:"devices,omitempty"` // in the order of the inventory
	Unknown  []HostReport   `json:"unknown,omitempty"` // addresses that are no device's

	By   string  `json:"-"` // the column by which Groups are
	URL  string  `json:"-"` // for the caller to set: where devices fetch the bundle
	Only []State `json:"-"` // for the caller to set: the states that printings list; nil for those that are not Current
	All  bool    `json:"-"` // for the caller to set: WriteText lists all of them
}

// Counts are how many devices are in each state. Their JSON has all states.
type Counts map[State]int

// MarshalJSON gives the states that no device is in as well.
func (c Counts) MarshalJSON() ([]byte, error) {
	all := map[State]int{}
	for _, s := range States() {
		all[s] = c[s]
	}
	return json.Marshal(all)
}

// Total is how many devices there are.
func (c Counts) Total() (n int) {
	for _, m := range c {
		n += m
	}
	return n
}

// String is the counts in words, the states in their order.
func (c Counts) String() string {
	var words []string
	for _, s := range States() {
		if n := c[s]; n > 0 {
			words = append(words, fmt.Sprintf("%d %s", n, s))
		}
	}
	return strings.Join(words, ", ")
}

// Asked is what devices were judged by.
type Asked struct {
	Current      []CurrentVersion `json:"current"`
	Needs        []string         `json:"needs"`
	Requirements bool             `json:"requirements"`
	// Absent are missing roots that the current versions do not have either.
	Absent []Root `json:"not_in_current"`
}

// A CaptureReport counts the files of a directory of captures.
type CaptureReport struct {
	Name       string   `json:"name"`
	Files      int      `json:"files"`      // that belong to devices
	Unreadable int      `json:"unreadable"` // of these, those that could not be read
	Without    int      `json:"devices_without"`
	Strays     []string `json:"of_no_device"` // files that belong to no device, the first ones
	MoreStrays int      `json:"more_of_no_device"`
	Hidden     int      `json:"hidden"` // files and directories whose name begins with a dot
}

// A Group is the devices with one value of a column.
type Group struct {
	By     string `json:"by"`
	Value  string `json:"value"`
	Counts Counts `json:"counts"`
}

// A Device is what is known of one.
type Device struct {
	Name         string            `json:"name"`
	Addresses    []string          `json:"addresses"`
	Host         Text              `json:"host"` // what SSH connects to
	Port         int               `json:"port"` // 0 if the inventory does not say
	Platform     Text              `json:"platform"`
	Recognized   bool              `json:"platform_recognized"` // by the capture; the inventory does not say
	Labels       inventory.Columns `json:"labels"`
	State        State             `json:"state"`
	Why          Text              `json:"why"`
	Marks        []Mark            `json:"marks"`
	Missing      []Root            `json:"missing"`
	Lacks        int               `json:"lacks"`
	JudgedBy     Text              `json:"judged_by"` // capture, download, or null
	Bundle       Text              `json:"bundle"`
	Version      Text              `json:"version"`
	SHA256       Text              `json:"sha256"`
	DownloadedAt Moment            `json:"downloaded_at"`
	CapturedAt   Moment            `json:"captured_at"`
	LastSeen     Moment            `json:"last_seen"`
	Evidence     []Item            `json:"evidence"`
}

// An Item is one piece of evidence about a device.
type Item struct {
	Kind    string `json:"kind"` // capture, download, request or collect
	Says    string `json:"says"`
	At      Moment `json:"at"`
	By      Text   `json:"at_by"` // of a capture what says when it was: collect, or the file's time
	Name    Text   `json:"name"`  // of the file, below the directory of captures
	SHA256  Text   `json:"sha256"`
	Client  Text   `json:"client"` // of a download or request
	Status  int    `json:"status"` // of the last request; 0 for none
	KnownBy How    `json:"known_by"`
}

// A Gathering is what Gather needs.
type Gathering struct {
	Devices   []inventory.Device
	Downloads *Downloads  // never nil; without logs it is that of a Tally that has read none
	Captures  *CaptureDir // nil for none
	Judge     *Judge
	By        string
	Step      func() // is called for each file that was read, by several goroutines; nil for nothing
}

// Gather reads the captures, and says what each device has.
func Gather(ctx context.Context, g Gathering) (*Report, error) {
	d := g.Downloads
	r := &Report{By: g.By, Requests: d.Requests, Unknown: d.Unknown, Beyond: d.Beyond, Devices: make([]Device, len(g.Devices))}
	r.Asked = Asked{Current: d.Current, Needs: []string{}, Requirements: g.Judge.o.Requirements != nil}
	for _, n := range g.Judge.o.Needs {
		r.Needs = append(r.Needs, n.Name)
	}
	each := func(i int, captures []Capture, note *record.Row) {
		r.Devices[i] = g.device(&g.Devices[i], &d.Devices[i], captures, note)
	}
	if c := g.Captures; c != nil {
		step := g.Step
		if step == nil {
			step = func() {}
		}
		inventory.Each(ctx, g.Devices, runtime.GOMAXPROCS(0), func(i int) {
			captures, note := c.readDevice(g.Judge, &g.Devices[i], c.files[i], step)
			each(i, captures, note)
		})
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		r.Captures = new(c.CaptureReport)
		for i := range r.Devices {
			kinds := map[string]int{}
			for _, e := range r.Devices[i].Evidence {
				kinds[e.Kind]++
			}
			r.Captures.Unreadable += kinds[kindUnread]
			if kinds[kindCapture]+kinds[kindUnread] == 0 {
				r.Captures.Without++
			}
		}
	} else {
		for i := range g.Devices {
			each(i, nil, nil)
		}
	}
	r.count()
	r.Absent = g.Judge.absent(r.Devices)
	return r, nil
}

// absent returns the missing roots that the current versions lack as well, if these
// are known.
func (j *Judge) absent(devices []Device) []Root {
	there, known := map[Text]bool{}, false
	for _, b := range j.current {
		if b != nil {
			known = true
			for _, c := range b.Certificates {
				there[Text(hex.EncodeToString(c.SHA256[:]))] = true
			}
		}
	}
	out := []Root{}
	for i := range devices {
		for _, m := range devices[i].Missing {
			if known && m.SHA256 != "" && !there[m.SHA256] {
				there[m.SHA256] = true
				out = append(out, m)
			}
		}
	}
	return out
}

// Kinds of evidence.
const (
	kindCapture  = "capture"
	kindUnread   = "unreadable" // a file of the device that is not a capture
	kindDownload = "download"
	kindRequest  = "request" // without a download
	kindCollect  = "collect"
	kindOlder    = "older" // files of the device that were not read
)

// device says what is known of one device.
func (g *Gathering) device(d *inventory.Device, h *HostReport, captures []Capture, note *record.Row) Device {
	out := Device{
		Name: d.Name, Host: Text(d.Host), Port: d.Port, Platform: Text(d.Platform), Labels: append(inventory.Columns{}, d.Columns...), Marks: []Mark{}, Missing: []Root{},
		Addresses: append([]string{}, h.Addresses...), LastSeen: h.Seen, Evidence: []Item{},
	}
	platform, err := device.Lookup(d.Platform)
	if err == nil {
		out.Platform = Text(platform.Name)
	} else if d.Platform != "" {
		out.mark(MarkPlatform)
	}
	logs := g.Downloads.Lines() > 0
	if logs && h.Requests > 0 {
		out.Evidence = append(out.Evidence, h.item())
		if h.Fetched != nil {
			out.DownloadedAt = h.Fetched.Time
		}
	}
	if failed(note) {
		out.Evidence = append(out.Evidence, Item{Kind: kindCollect, Says: string(note.Detail), At: note.Ended, Name: Text(record.File(d.Name))})
	}
	capture := out.capture(g, captures)
	if capture != nil && capture.err == nil && out.Platform == "" {
		out.Platform, out.Recognized = Text(capture.platform), true
	}
	if out.Recognized {
		platform, _ = device.Lookup(string(out.Platform))
	}
	switch {
	case capture != nil && capture.err != nil:
		out.State, out.Why = Unreadable, Text(capture.err.Error())
	case capture != nil:
		out.JudgedBy = kindCapture
		out.Bundle, out.Version, out.SHA256, out.Lacks = Text(capture.bundle), Text(capture.version), Text(capture.sum), capture.lacks
		out.judge(g.Judge, &capture.verdict, importsNone(platform), h)
		out.since(capture.at, h)
	case logs && len(d.Addresses) > 0 && h.Got == GotNever:
		out.State = Never
	case !logs || len(d.Addresses) == 0:
		out.State, out.Why = NoEvidence, Text(noEvidence(g, d, note))
	default:
		out.byDownload(g.Judge, h, platform)
	}
	return out
}

func noEvidence(g *Gathering, d *inventory.Device, note *record.Row) string {
	switch err := inventory.CheckFile(d.Name); {
	case failed(note):
		return "not collected: " + string(note.Detail)
	case g.Captures != nil && err != nil:
		return err.Error()
	case len(g.Downloads.Logs) > 0 && g.Downloads.Lines() == 0:
		return "no capture, and no log has a line"
	case len(g.Downloads.Logs) > 0 && len(d.Addresses) == 0:
		return "no capture, and no IP address by which a log could tell"
	}
	return ""
}

func (d *Device) mark(m Mark) {
	if !slices.Contains(d.Marks, m) {
		d.Marks = append(d.Marks, m)
	}
}

// capture adds the captures to the evidence, and picks the one that counts: the
// newest that can be read. One with the prompt of another device of the inventory is
// not this one's.
func (d *Device) capture(g *Gathering, captures []Capture) *Capture {
	var best, unread *Capture
	for i := range captures {
		c := &captures[i]
		if c.older > 0 {
			d.Evidence = append(d.Evidence, Item{Kind: kindOlder, Says: report.Count(c.older, "older file") + " not read"})
			continue
		}
		if c.err == nil && c.prompt != "" {
			if other := g.Judge.names[short(c.prompt)]; other != "" && other != d.Name {
				c.err = fmt.Errorf("its prompt is that of the device %s", other)
			} else if !sameName(c.prompt, d.Name) {
				d.mark(MarkOtherName)
			}
		}
		item := Item{Kind: kindCapture, At: Moment{Time: c.at}, By: Text(c.by), Name: Text(c.file), SHA256: Text(c.sha256)}
		if c.err != nil {
			item.Kind, item.Says = kindUnread, c.err.Error()
			unread = cmp.Or(unread, c)
		} else {
			item.Says = report.Count(c.entries, "certificate")
			if !c.certain {
				item.Says += ", known by serial number, names and dates"
			}
			if best != nil && !best.same(&c.verdict) {
				d.mark(MarkCapturesDiffer)
			}
			best = cmp.Or(best, c)
		}
		d.Evidence = append(d.Evidence, item)
	}
	if best == nil {
		return unread
	}
	if unread != nil {
		d.mark(MarkUnreadFile)
	}
	d.CapturedAt = Moment{Time: best.at}
	if best.at.Truncate(time.Second).After(g.Judge.o.At) { // the time of judgement is a whole second
		d.mark(MarkClock)
	}
	for _, m := range best.marks {
		d.mark(m)
	}
	return best
}

// same reports whether two captures were judged alike.
func (v *verdict) same(w *verdict) bool {
	return v.got == w.got && v.entries == w.entries && v.lacks == w.lacks && v.version == w.version && slices.Equal(v.missing, w.missing)
}

// judge sets the state by what is in a pool.
func (d *Device) judge(j *Judge, v *verdict, rootsAlone bool, h *HostReport) {
	d.Missing = append(d.Missing, v.missing...)
	switch {
	case len(v.missing) > 0:
		d.State = MissingRoot
	case v.got == GotOld && !rootsAlone:
		d.State = Old
	case v.unsure > 0:
		d.State, d.Why = Unknown, Text(v.hint)
	case rootsAlone && !j.demands:
		d.State, d.Why = Unknown, "the platform imports no bundle, and no root was asked for: give --need or --requirements"
	case v.got == GotUnknown && !rootsAlone && (h.Got == GotOld || h.Got == GotCurrent):
		// The pool does not tell which version it is, and the log does.
		d.State = map[Got]State{GotOld: Old, GotCurrent: Current}[h.Got]
		d.Bundle, d.Version, d.SHA256 = h.Fetched.Bundle, h.Fetched.Version, h.Fetched.SHA256
	case v.got == GotUnknown && !rootsAlone && len(j.current) > 0:
		d.State, d.Why = Unknown, "the certificates of the current version are not known: give it with --bundle"
	case v.got == GotUnknown && !j.demands:
		d.State, d.Why = Unknown, "there is nothing to compare with: give --bundle, --need or --requirements"
	default:
		d.State = Current
	}
}

// since looks at what was downloaded after a capture.
func (d *Device) since(captured time.Time, h *HostReport) {
	f := h.Fetched
	if f == nil || !f.Time.After(captured) {
		return
	}
	d.mark(MarkDownloadedSince)
	if d.State == Current && h.Got == GotOld {
		d.State, d.Why = Unknown, Text(fmt.Sprintf("the capture is current, and an older version, %s, was downloaded after it", describe(f.Version, f.SHA256)))
	}
}

// byDownload sets the state of a device that is known by logs alone.
func (d *Device) byDownload(j *Judge, h *HostReport, platform device.Platform) {
	if f := h.Fetched; f != nil {
		d.Bundle, d.Version, d.SHA256, d.JudgedBy = f.Bundle, f.Version, f.SHA256, kindDownload
	}
	if importsNone(platform) {
		d.State, d.Why = Unknown, "the platform imports no bundle: a download does not tell what is in its pool"
		return
	}
	var v verdict
	known := false
	if h.Fetched != nil && h.Got != GotUnmeasured {
		if v, known = j.download(h.Fetched, platform); known {
			for _, m := range v.marks {
				if m != MarkNewer && m != MarkExpiredOnly && m != MarkUndecodable {
					d.mark(m)
				}
			}
		}
	}
	if known && len(v.missing) > 0 {
		d.State, d.Missing = MissingRoot, append(d.Missing, v.missing...)
		return
	}
	switch h.Got {
	case GotOld:
		d.State = Old
	case GotCurrent:
		switch {
		case j.demands && !known:
			d.State, d.Why = Unknown, Text(fmt.Sprintf("the certificates of version %s are not known: give it with --bundle", describe(d.Version, d.SHA256)))
		case v.unsure > 0:
			d.State, d.Why = Unknown, Text(v.hint)
		default:
			d.State = Current
		}
	default:
		d.State, d.Why = Unknown, map[Got]Text{
			GotNewer:      "it has a higher version than the current one",
			GotUnknown:    "it has fetched a bundle, and nothing tells which version",
			GotUnmeasured: "the log does not say whether the last download was whole",
			GotPart:       "no download of it was whole",
			GotNothing:    Text(fmt.Sprintf("it asked, and no download began; the last status was %d", h.Status)),
			GotUnread:     "lines that name it could not be read, or are of another address",
		}[h.Got]
		if h.Got == GotNewer {
			d.mark(MarkNewer)
		}
	}
}

// item is what the logs say.
func (h *HostReport) item() Item {
	e := Item{Kind: kindRequest, Says: string(h.Got), At: h.Seen, Client: h.client(), Status: h.Status}
	if f := h.Fetched; f != nil {
		e.Kind, e.At, e.KnownBy = kindDownload, f.Time, f.How
		e.Says = strings.TrimPrefix(string(f.Bundle)+" "+describe(f.Version, f.SHA256), " ")
	}
	return e
}

// count counts the states, and makes the groups.
func (r *Report) count() {
	r.Counts = Counts{}
	groups := map[string]int{}
	r.Groups = []Group{}
	for i := range r.Devices {
		d := &r.Devices[i]
		r.Counts[d.State]++
		value := d.Column(r.By)
		at, ok := groups[value]
		if !ok {
			at = len(r.Groups)
			groups[value] = at
			r.Groups = append(r.Groups, Group{r.By, value, Counts{}})
		}
		r.Groups[at].Counts[d.State]++
	}
	slices.SortFunc(r.Groups, func(a, b Group) int {
		return cmp.Or(cmp.Compare(b.Counts.Total()-b.Counts[Current], a.Counts.Total()-a.Counts[Current]), cmp.Compare(a.Value, b.Value))
	})
}

// Column returns the value of a column, platform among them.
func (d *Device) Column(name string) string {
	if name == "platform" {
		return string(d.Platform)
	}
	return d.Labels.Value(name)
}

// OK reports whether each device is Current.
func (r *Report) OK() bool { return r.Counts[Current] == len(r.Devices) }

// wanted reports whether printings list a device.
func (r *Report) wanted(d *Device) bool {
	return r.Only == nil || slices.Contains(r.Only, d.State)
}

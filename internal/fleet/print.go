package fleet

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"

	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/report"
)

// What WriteText lists without All, so that a fleet fits on a page.
const (
	maxGroupRows  = 8
	maxDeviceRows = 16
	maxOther      = 3 // of files of no device
	maxRoots      = 4
)

// tones are the colours of states.
var tones = map[State]report.Tone{Current: report.Good, Old: report.Warn, MissingRoot: report.Bad, Unreadable: report.Bad, Never: report.Bad, NoEvidence: report.Warn, Unknown: report.Warn}

// An Action is what to do for the devices of one platform.
type Action struct {
	Platform Text         `json:"platform"` // null for devices of any
	Counts   Counts       `json:"counts"`
	Do       string       `json:"do"`
	Lines    []ActionLine `json:"lines"` // to type on each
}

// An ActionLine is one line to type.
type ActionLine struct {
	Mode  config.Mode  `json:"mode"`
	Text  string       `json:"text"`
	Basis device.Basis `json:"basis"`
}

// actions are what to do, for each platform once.
func (r *Report) actions() []Action {
	out := []Action{}
	ask := Action{Counts: Counts{}, Lines: []ActionLine{}, Do: "read what their pools have: trustpool collect, or give --pools what was captured"}
	byPlatform := map[Text]*Action{}
	for i := range r.Devices {
		d := &r.Devices[i]
		switch d.State {
		case Current:
		case MissingRoot, Old, Never:
			a := byPlatform[d.Platform]
			if a == nil {
				a = &Action{Platform: d.Platform, Counts: Counts{}, Lines: []ActionLine{}}
				byPlatform[d.Platform] = a
			}
			a.Counts[d.State]++
		default:
			ask.Counts[d.State]++
		}
	}
	for _, a := range byPlatform {
		r.instruct(a)
		out = append(out, *a)
	}
	slices.SortFunc(out, func(a, b Action) int {
		return cmp.Or(cmp.Compare(b.Counts.Total(), a.Counts.Total()), cmp.Compare(a.Platform, b.Platform))
	})
	if len(ask.Counts) > 0 {
		out = append(out, ask)
	}
	return out
}

// instruct says what to do on a platform: the lines that import from the URL.
func (r *Report) instruct(a *Action) {
	p, err := device.Lookup(string(a.Platform))
	switch {
	case err != nil:
		a.Do = "the platform is not known: name it in the inventory"
		return
	case r.URL == "":
		a.Do = "trustpool config --platform " + p.Name + " --url URL; fleet --url URL shows the lines here"
		return
	}
	s, err := config.New(config.Options{Platform: p, URL: r.URL})
	switch {
	case err != nil:
		a.Do = err.Error()
	case s.Refused != "":
		a.Do = s.Refused
	default:
		a.Do = "import the current version"
		for _, l := range s.Lines() {
			a.Lines = append(a.Lines, ActionLine{l.Mode, l.Text, l.Basis})
		}
	}
}

// verdict is the answer in a line.
func (r *Report) verdict() string {
	s := fmt.Sprintf("%d of %s current", r.Counts[Current], report.Count(len(r.Devices), "device"))
	others := maps.Clone(r.Counts)
	delete(others, Current)
	if others.Total() > 0 {
		s += "; " + others.String()
	}
	return s
}

// facts are what the report was made from, in lines of a title and a text.
func (r *Report) facts() (out [][2]string) {
	add := func(title, format string, args ...any) {
		out = append(out, [2]string{title, fmt.Sprintf(format, args...)})
	}
	for _, c := range r.Current {
		how := "a version that no file was given for"
		switch {
		case c.Known && c.Verified:
			how = "verified"
		case c.Known:
			how = "not verified: the version is what the file claims"
		}
		add("current", "%s: %s, %s; %s", report.OrDash(report.Printable(c.Bundle)), describe(c.Version, c.SHA256), c.Basis, how)
	}
	if len(r.Needs) > 0 {
		add("needed", "the roots of %s", report.Printable(strings.Join(r.Needs, ", ")))
	}
	if r.Requirements {
		add("needed", "what the requirements say")
	}
	for _, m := range r.Absent {
		add("not in it", "the current version lacks %s as well: an import does not help", report.Printable(m.Name))
	}
	if c := r.Captures; c != nil {
		add("captures", "%s: %s, %d unreadable; %s without", report.Printable(c.Name), report.Count(c.Files, "file"), c.Unreadable, report.Count(c.Without, "device"))
		if n := len(c.Strays) + c.MoreStrays; n > 0 {
			add("not used", "of no device: %s: %s%s", report.Count(n, "file"), report.Printable(strings.Join(c.Strays[:min(len(c.Strays), maxOther)], ", ")), map[bool]string{true: ", …"}[n > maxOther])
		}
		if c.Hidden > 0 {
			add("hidden", "%s passed over", report.Count(c.Hidden, "file"))
		}
	}
	if !r.From.IsZero() {
		add("requests", "%s to %s", moment(r.From), moment(r.To))
	}
	for _, l := range r.Logs {
		add("log", "%s: %s, %d requests for a bundle, %d other, %d unreadable", report.Printable(l.Name), report.Count(l.Lines, "line"), l.Requests, l.Other, l.Unreadable)
		if l.NoSize > 0 {
			add("no size", "%s: %d requests; whether all was sent is not known", report.Printable(l.Name), l.NoSize)
		}
		if l.NoZone > 0 {
			add("no zone", "%s: %d requests; their times are taken for UTC", report.Printable(l.Name), l.NoZone)
		}
	}
	for _, l := range r.BadLines {
		add("unreadable", "%s:%d: %s", report.Printable(l.Log), l.Line, report.Printable(l.Error))
	}
	return out
}

// WriteText writes the summary, the worst groups, what to do, and the devices that
// need something: without All as many of each as fit on a page.
func (r *Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "%s\n\n", screen.Verdict(r.OK(), r.verdict()))
	t := screen.Table(out, report.Column{}, report.Column{Kind: report.Prose})
	for _, f := range r.facts() {
		t.Row(f[0], f[1])
	}
	_ = t.Flush() // out keeps its first error
	r.writeGroups(out, screen)
	r.writeActions(out)
	r.writeDevices(out, screen)
	r.writeUnknown(out, screen)
	return out.Flush()
}

// present are the states that devices have.
func (r *Report) present() []State {
	return slices.DeleteFunc(States(), func(s State) bool { return r.Counts[s] == 0 })
}

func (r *Report) writeGroups(out *bufio.Writer, screen report.Screen) {
	states := r.present()
	columns := []report.Column{{Title: report.Printable(r.By), Kind: report.Name}, {Title: "devices", Kind: report.Number, Drop: 1}}
	for _, s := range states {
		columns = append(columns, report.Column{Title: string(s), Kind: report.Number})
	}
	fmt.Fprintln(out)
	t := screen.Table(out, columns...)
	rows := r.someGroups()
	for i := range rows {
		cells := []string{report.OrDash(report.Printable(rows[i].Value)), strconv.Itoa(rows[i].Counts.Total())}
		for _, s := range states {
			cells = append(cells, strconv.Itoa(rows[i].Counts[s]))
		}
		t.Row(cells...)
	}
	_ = t.Flush()
	if left := len(r.Groups) - len(rows); left > 0 {
		fmt.Fprintf(out, "and %d more with fewer that need something: --all lists them\n", left)
	}
}

func (r *Report) writeActions(out *bufio.Writer) {
	for _, a := range r.actions() {
		fmt.Fprintf(out, "\n%s, %s: %s\n", a.Title(), a.Counts, report.Printable(a.Do))
		for _, l := range a.Typed() {
			fmt.Fprintf(out, "  %s\n", l)
		}
	}
}

// someGroups are the groups that WriteText lists.
func (r *Report) someGroups() []Group {
	if r.All {
		return r.Groups
	}
	return r.Groups[:min(len(r.Groups), maxGroupRows)]
}

// listed are the devices that printings for people list, the worst states first.
func (r *Report) listed() []*Device {
	byState := map[State][]*Device{}
	for i := range r.Devices {
		d := &r.Devices[i]
		if r.Only == nil && d.State != Current || r.Only != nil && r.wanted(d) {
			byState[d.State] = append(byState[d.State], d)
		}
	}
	var out []*Device
	for _, s := range []State{MissingRoot, Old, Never, Unreadable, NoEvidence, Unknown, Current} {
		out = append(out, byState[s]...)
	}
	return out
}

// someDevices are those of listed that WriteText lists, of each state as many as of
// another if there are so many; and how many more there are.
func (r *Report) someDevices() (out []*Device, more int) {
	devices := r.listed()
	n := maxDeviceRows
	if r.All || len(devices) <= n {
		return devices, 0
	}
	left := map[State]int{}
	for _, d := range devices {
		left[d.State]++
	}
	take := map[State]int{}
	for n > 0 {
		for _, s := range States() {
			if n > 0 && take[s] < left[s] {
				take[s]++
				n--
			}
		}
	}
	for _, d := range devices {
		if take[d.State] > 0 {
			take[d.State]--
			out = append(out, d)
		}
	}
	return out, len(devices) - len(out)
}

// remark says what else to know of a device, in a line.
func (d *Device) remark() string {
	var words []string
	if n := len(d.Missing); n > 0 {
		lacks := "lacks " + joined(d.Missing[:min(n, maxRoots)], ", ", func(m Root) string { return m.Name })
		if n > maxRoots {
			lacks += fmt.Sprintf(", %d more", n-maxRoots)
		}
		words = append(words, lacks)
	} else if d.State == Old && d.Lacks > 0 {
		words = append(words, "lacks "+report.Count(d.Lacks, "certificate"))
	}
	if d.Why != "" {
		words = append(words, string(d.Why))
	}
	for _, m := range d.Marks {
		words = append(words, string(m))
	}
	if d.JudgedBy == kindDownload && d.State != Unknown {
		words = append(words, "by its download alone")
	}
	return strings.Join(words, "; ")
}

// cells are a device in a table for people: its name, platform, state, what it has as of when, and a remark.
func (d *Device) cells() []string {
	return []string{
		d.Name, report.OrDash(string(d.Platform)), string(d.State), d.version(), report.OrDash(moment(d.asOf())), report.OrDash(d.remark()),
	}
}

// version is the bundle and its version, in words.
func (d *Device) version() string {
	if d.Version == "" && d.SHA256 == "" {
		return "-"
	}
	return strings.TrimSpace(report.Printable(string(d.Bundle)) + " " + describe(d.Version, d.SHA256))
}

// asOf is the time of the evidence by which it is judged.
func (d *Device) asOf() Moment {
	if d.JudgedBy == kindCapture {
		return d.CapturedAt
	}
	return d.DownloadedAt
}

func (r *Report) writeDevices(out *bufio.Writer, screen report.Screen) {
	rows, left := r.someDevices()
	if len(rows) == 0 {
		return
	}
	fmt.Fprintln(out)
	t := screen.Table(out, report.Column{Title: "device", Kind: report.Name}, report.Column{Title: "platform", Drop: 2}, report.Column{Title: "state"},
		report.Column{Title: "has", Drop: 3}, report.Column{Title: "as of", Drop: 1}, report.Column{Title: "remark", Kind: report.Name})
	for _, d := range rows {
		cells := d.cells()
		for i := range cells {
			cells[i] = report.Printable(cells[i])
		}
		cells[2] = screen.Paint(tones[d.State], cells[2])
		t.Row(cells...)
	}
	_ = t.Flush()
	if left > 0 {
		fmt.Fprintf(out, "and %s: --all lists them, --state some of them\n", report.Count(left, "more device"))
	}
}

// writeUnknown writes the addresses that are no device's.
func (r *Report) writeUnknown(out *bufio.Writer, screen report.Screen) {
	n := len(r.Unknown)
	if !r.All && n > maxOther {
		fmt.Fprintf(out, "\n%d addresses that are no device's asked for a bundle: %s, …; --all lists them\n", n, joined(r.Unknown[:maxOther], ", ", HostReport.address))
	} else if n > 0 {
		fmt.Fprintf(out, "\nNot in the inventory: %d\n\n", n)
		t := screen.Table(out, report.Column{Title: "address", Kind: report.Name}, report.Column{Title: "download"}, report.Column{Title: "bundle", Drop: 2},
			report.Column{Title: "version"}, report.Column{Title: "last seen"}, report.Column{Title: "client", Kind: report.Name, Drop: 1})
		for i := range r.Unknown {
			h := &r.Unknown[i]
			f := cmp.Or(h.Fetched, &Fetch{})
			t.Row(report.Printable(h.Addresses[0]), string(h.Got), report.OrDash(report.Printable(string(f.Bundle))), describe(f.Version, f.SHA256),
				report.OrDash(moment(h.Seen)), report.OrDash(report.Printable(string(h.client()))))
		}
		_ = t.Flush()
	}
	if r.Beyond > 0 {
		fmt.Fprintf(out, "\n%d more requests came from addresses that are neither in the inventory nor shown here.\n", r.Beyond)
	}
}

// address is the first one.
func (h HostReport) address() string { return h.Addresses[0] }

// client is the host's client if it is known, else what it calls itself.
func (h *HostReport) client() Text { return cmp.Or(h.Client, h.UserAgent) }

// describe names a version, by its hash if it has no number.
func describe(version, sha256 Text) string {
	if version == "" && len(sha256) >= 16 {
		return "SHA-256 " + string(sha256[:16])
	}
	return report.OrDash(report.Printable(string(version)))
}

// moment writes a time, nothing for none.
func moment(m Moment) string {
	if m.IsZero() {
		return ""
	}
	return report.Stamp(m.Time)
}

// csvHeader names the columns of WriteCSV; the others of the inventory follow.
var csvHeader = []string{
	"name", "addresses", "platform", "state", "why", "marks", "missing", "lacks", "judged_by", "bundle", "version", "sha256",
	"downloaded_at", "captured_at", "last_seen", "evidence", "unread_lines",
}

// WriteCSV writes a header and a line a device (RFC 4180), then the addresses that
// are no device's, without a name.
func (r *Report) WriteCSV(w io.Writer) error {
	labels := r.labels()
	unread := strconv.Itoa(r.Unread())
	return report.WriteCSV(w, func(yield func([]string) bool) {
		if !yield(append(slices.Clone(csvHeader), labels...)) {
			return
		}
		for i := range r.Devices {
			d := &r.Devices[i]
			if !r.wanted(d) {
				continue
			}
			row := []string{
				d.Name, strings.Join(d.Addresses, " "), string(d.Platform), string(d.State), string(d.Why),
				joined(d.Marks, " ", func(m Mark) string { return string(m) }), joined(d.Missing, "; ", func(m Root) string { return m.Name }),
				strconv.Itoa(d.Lacks), string(d.JudgedBy), string(d.Bundle), string(d.Version), string(d.SHA256),
				moment(d.DownloadedAt), moment(d.CapturedAt), moment(d.LastSeen),
				joined(d.Evidence, "; ", func(e Item) string { return strings.TrimSpace(e.Kind + " " + cmp.Or(string(e.Name), e.Says)) }), unread,
			}
			for _, l := range labels {
				row = append(row, d.Column(l))
			}
			if !yield(row) {
				return
			}
		}
		for i := range r.Unknown {
			h := &r.Unknown[i]
			row := make([]string, len(csvHeader)+len(labels))
			row[1], row[4], row[14], row[16] = strings.Join(h.Addresses, " "), "not in the inventory", moment(h.Seen), unread
			if f := h.Fetched; f != nil {
				row[9], row[10], row[11], row[12] = string(f.Bundle), string(f.Version), string(f.SHA256), moment(f.Time)
			}
			if r.Only == nil && !yield(row) {
				return
			}
		}
	})
}

// joined is a list in words.
func joined[T any](list []T, separator string, word func(T) string) string {
	var words []string
	for _, v := range list {
		words = append(words, word(v))
	}
	return strings.Join(words, separator)
}

// labels are the names of all columns, in the order in which devices have them.
func (r *Report) labels() (out []string) {
	seen := map[string]bool{}
	for i := range r.Devices {
		for _, l := range r.Devices[i].Labels {
			if !seen[l.Name] {
				seen[l.Name] = true
				out = append(out, l.Name)
			}
		}
	}
	return out
}

// WriteJSON writes the report as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	head := *r
	head.Schema, head.Total, head.Actions, head.Devices, head.Unknown = Schema, len(r.Devices), r.actions(), nil, nil
	devices := func(yield func(any) bool) {
		for i := range r.Devices {
			if r.wanted(&r.Devices[i]) && !yield(&r.Devices[i]) {
				return
			}
		}
	}
	unknown := report.List("unknown", r.Unknown, report.Same)
	return report.WriteJSON(w, head, report.JSONList{Name: "devices", Each: devices}, unknown)
}

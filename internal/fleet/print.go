package fleet

import (
	"encoding/csv"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
)

// WriteText writes the totals, a table of the devices, and one of the addresses
// that are no device's.
func (r *Report) WriteText(w io.Writer) error {
	b := &failing{w: w}
	b.printf("%d of %d devices have the current version", r.Totals[Current], len(r.Devices))
	for _, s := range states()[1:] {
		if n := r.Totals[s]; n > 0 {
			b.printf("; %d %s", n, s)
		}
	}
	b.printf("\n\n")
	for _, c := range r.Current {
		b.printf("current    %s: %s, %s\n", report.OrDash(report.Printable(c.Bundle)), describe(value(c.Version), value(c.SHA256)), c.Basis)
	}
	if !r.From.IsZero() {
		b.printf("requests   %s to %s\n", moment(r.From), moment(r.To))
	}
	for _, l := range r.Logs {
		b.printf("log        %s: %d lines, %d requests for a bundle, %d other, %d unreadable\n", report.Printable(l.Name), l.Lines, l.Requests, l.Other, l.Unreadable)
	}
	for _, l := range r.Logs {
		if l.NoSize > 0 {
			b.printf("no size    %s: %d requests; whether all was sent is not known\n", report.Printable(l.Name), l.NoSize)
		}
		if l.NoZone > 0 {
			b.printf("no zone    %s: %d requests; their times are taken for UTC\n", report.Printable(l.Name), l.NoZone)
		}
	}
	for _, l := range r.BadLines {
		b.printf("unreadable %s:%d: %s\n", report.Printable(l.Log), l.Line, report.Printable(l.Error))
	}
	b.printf("\n")
	screen := report.ScreenOf(w)
	b.table(screen, "device", r.Devices, func(h *HostReport) string { return h.Name })
	if len(r.Unknown) > 0 {
		b.printf("\nNot in the list of devices: %d\n\n", len(r.Unknown))
		b.table(screen, "address", r.Unknown, func(h *HostReport) string { return h.Addresses[0] })
	}
	if r.Beyond > 0 {
		b.printf("\n%d more requests came from addresses that are neither in the list nor shown here.\n", r.Beyond)
	}
	return b.err
}

// failing remembers the first error of writing.
type failing struct {
	w   io.Writer
	err error
}

func (f *failing) printf(format string, args ...any) {
	if f.err == nil {
		_, f.err = fmt.Fprintf(f.w, format, args...)
	}
}

func (f *failing) Write(p []byte) (int, error) {
	if f.err != nil {
		return 0, f.err
	}
	n, err := f.w.Write(p)
	f.err = err
	return n, err
}

// table writes hosts, the client last, which may be long.
func (f *failing) table(screen report.Screen, title string, hosts []HostReport, name func(*HostReport) string) {
	tones := map[State]report.Tone{Current: report.Good, Old: report.Warn, Partial: report.Warn, Failed: report.Bad, Never: report.Bad}
	table := screen.Table(f, report.Column{Title: title, Kind: report.Name}, report.Column{Title: "state"}, report.Column{Title: "bundle", Drop: 4},
		report.Column{Title: "version"}, report.Column{Title: "known by", Drop: 2}, report.Column{Title: "fetched", Drop: 3},
		report.Column{Title: "last seen"}, report.Column{Title: "client", Kind: report.Name, Drop: 1})
	for i := range hosts {
		h := &hosts[i]
		fetched := Fetch{}
		how := "-"
		if h.Fetched != nil {
			fetched, how = *h.Fetched, string(h.Fetched.How)
		}
		table.Row(report.Printable(name(h)), screen.Paint(tones[h.State], string(h.State)), report.OrDash(report.Printable(fetched.Bundle)),
			describe(fetched.Version, fetched.SHA256), how, report.OrDash(moment(fetched.Time)), report.OrDash(moment(h.Seen)), report.OrDash(report.Printable(h.client())))
	}
	_ = table.Flush() // f keeps the error
}

// client is the device's client where it is known, else what it calls itself.
func (h *HostReport) client() string {
	if h.Client.Name != "" {
		return h.Client.Name
	}
	return h.UserAgent
}

// describe names a version, by its hash where it has no number.
func describe(version, sha256 string) string {
	if version == "" && len(sha256) >= 16 {
		return "SHA-256 " + sha256[:16]
	}
	return report.OrDash(report.Printable(version))
}

func value(s *string) string {
	if s == nil {
		return ""
	}
	return *s
}

// moment writes a time, nothing for none.
func moment(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return t.UTC().Format(time.RFC3339)
}

// csvHeader names the columns of WriteCSV; those of the list that have no meaning
// here follow.
var csvHeader = []string{
	"name", "addresses", "platform", "state", "bundle", "version", "sha256", "known_by", "fetched", "partial", "last_seen", "requests", "status",
	"client", "user_agent", "unread_lines",
}

// WriteCSV writes a header and a line a device, then the addresses that are no
// device's, without a name (RFC 4180). What a spreadsheet would take for a formula
// has an apostrophe before it.
func (r *Report) WriteCSV(w io.Writer) error {
	out := csv.NewWriter(w)
	head := append([]string{}, csvHeader...)
	labels := 0
	if len(r.Devices) > 0 {
		labels = len(r.Devices[0].Labels)
		for _, l := range r.Devices[0].Labels {
			head = append(head, report.Cell(report.Printable(l.Name)))
		}
	}
	if err := out.Write(head); err != nil {
		return err
	}
	unread := strconv.Itoa(r.Unread())
	for _, hosts := range [][]HostReport{r.Devices, r.Unknown} {
		for i := range hosts {
			h := &hosts[i]
			var f Fetch
			if h.Fetched != nil {
				f = *h.Fetched
			}
			status := ""
			if h.Status != 0 {
				status = strconv.Itoa(h.Status)
			}
			row := []string{
				h.Name, strings.Join(h.Addresses, " "), h.Platform, string(h.State), f.Bundle, f.Version, f.SHA256,
				string(f.How), moment(f.Time), moment(h.Partial), moment(h.Seen), strconv.Itoa(h.Requests), status, h.Client.Name, h.UserAgent, unread,
			}
			for _, l := range h.Labels {
				row = append(row, l.Value)
			}
			if len(h.Labels) == 0 {
				row = append(row, make([]string, labels)...)
			}
			for i := range row {
				row[i] = report.Cell(report.Printable(row[i]))
			}
			if err := out.Write(row); err != nil {
				return err
			}
		}
	}
	out.Flush()
	return out.Error()
}

// reportJSON is the document without its devices.
type reportJSON struct {
	Schema   string           `json:"schema"`
	From     *string          `json:"from"`
	To       *string          `json:"to"`
	Logs     []LogReport      `json:"logs"`
	BadLines []BadLine        `json:"unreadable"`
	Current  []CurrentVersion `json:"current"`
	Totals   totalsJSON       `json:"totals"`
}

type totalsJSON struct {
	Devices          int `json:"devices"`
	Current          int `json:"current"`
	Old              int `json:"old"`
	Newer            int `json:"newer"`
	UnknownVersion   int `json:"unknown_version"`
	Unmeasured       int `json:"completeness_not_known"`
	Partial          int `json:"partial"`
	Failed           int `json:"failed"`
	NotKnown         int `json:"not_known"`
	Never            int `json:"never"`
	UnknownAddresses int `json:"unknown_addresses"`
	MoreRequests     int `json:"more_requests"`
}

type hostJSON struct {
	Name         *string            `json:"name"`
	Addresses    []string           `json:"addresses"`
	Platform     *string            `json:"platform"`
	Labels       []inventory.Column `json:"labels"`
	State        State              `json:"state"`
	Requests     int                `json:"requests"`
	LastSeen     *string            `json:"last_seen"`
	Status       *int               `json:"status"`
	UserAgent    *string            `json:"user_agent"`
	Client       *string            `json:"client"`
	ClientBasis  *device.Basis      `json:"client_basis"`
	ClientSource *string            `json:"client_source"`
	Fetched      *fetchJSON         `json:"fetched"`
	Partial      *string            `json:"partial"`
}

type fetchJSON struct {
	Time    string  `json:"time"`
	Bundle  *string `json:"bundle"`
	Version *string `json:"version"`
	SHA256  *string `json:"sha256"`
	KnownBy How     `json:"known_by"`
}

// WriteJSON writes the report as one document, schema Schema.
func (r *Report) WriteJSON(w io.Writer) error {
	t := r.Totals
	head := reportJSON{
		Schema: Schema, From: report.Optional(moment(r.From)), To: report.Optional(moment(r.To)),
		Logs: append([]LogReport{}, r.Logs...), BadLines: append([]BadLine{}, r.BadLines...), Current: append([]CurrentVersion{}, r.Current...),
		Totals: totalsJSON{len(r.Devices), t[Current], t[Old], t[Newer], t[UnknownVersion], t[Unmeasured], t[Partial], t[Failed], t[NotKnown], t[Never], len(r.Unknown), r.Beyond},
	}
	each := func(hosts []HostReport) func(func(any) bool) {
		return func(yield func(any) bool) {
			for i := range hosts {
				if !yield(hosts[i].json()) {
					return
				}
			}
		}
	}
	return report.WriteJSON(w, head, report.JSONList{Name: "devices", Each: each(r.Devices)}, report.JSONList{Name: "unknown", Each: each(r.Unknown)})
}

func (h *HostReport) json() hostJSON {
	j := hostJSON{
		Name: report.Optional(h.Name), Addresses: h.Addresses, Platform: report.Optional(h.Platform), Labels: append([]inventory.Column{}, h.Labels...), State: h.State,
		Requests: h.Requests, LastSeen: report.Optional(moment(h.Seen)), UserAgent: report.Optional(h.UserAgent), Partial: report.Optional(moment(h.Partial)),
	}
	if h.Status != 0 {
		j.Status = &h.Status
	}
	if h.Client.Name != "" {
		j.Client, j.ClientBasis, j.ClientSource = &h.Client.Name, &h.Client.Basis, &h.Client.Source
	}
	if f := h.Fetched; f != nil {
		j.Fetched = &fetchJSON{moment(f.Time), report.Optional(f.Bundle), report.Optional(f.Version), report.Optional(f.SHA256), f.How}
	}
	return j
}

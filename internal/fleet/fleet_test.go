package fleet_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"testing"
	"time"

	"trustpool/internal/fleet"
	"trustpool/internal/fleet/inventory"
)

const (
	oldSum = "aaaaaaaaaaaaaaaa"
	newSum = "bbbbbbbbbbbbbbbb"
)

// own is a line of our own log, at a minute of a day.
func own(minute int, remote, method string, status, bytes, version int) string {
	sum, size := oldSum, 1000
	if version > 9 {
		sum, size = newSum, 2000
	}
	return fmt.Sprintf(`{"time":"2025-05-01T10:%02d:00.5+02:00","level":"INFO","msg":"request","remote":%q,"user_agent":"cisco-IOS","method":%q,"path":"/ios.p7b","protocol":"HTTP/1.1","status":%d,"bytes":%d,"duration":0.001,"bundle":"ios","version":"%d","sha256":%q,"size":%d}`+"\n",
		minute, remote, method, status, bytes, version, sum, size)
}

// combined is a line of nginx or Apache.
func combined(minute int, remote, request string, status, bytes int, agent string) string {
	return fmt.Sprintf("%s - - [01/May/2025:10:%02d:00 +0200] \"%s\" %d %d \"-\" \"%s\"\n", remote, minute, request, status, bytes, agent)
}

func devices(t testing.TB, s string) []inventory.Device {
	t.Helper()
	l, err := inventory.Read(strings.NewReader(s))
	if err != nil {
		t.Fatal(err)
	}
	return l.Devices
}

func tally(t testing.TB, o fleet.Options, logs ...string) *fleet.Downloads {
	t.Helper()
	tl := fleet.New(o)
	for i, log := range logs {
		if err := tl.Read(t.Context(), fmt.Sprintf("log%d", i+1), strings.NewReader(log)); err != nil {
			t.Fatal(err)
		}
	}
	return tl.Downloads()
}

// totals are the devices of each kind.
func totals(d *fleet.Downloads) map[fleet.Got]int {
	n := map[fleet.Got]int{}
	for i := range d.Devices {
		n[d.Devices[i].Got]++
	}
	return n
}

// summary is a line a device: what it has, and how that is known.
func summary(hosts []fleet.HostReport) string {
	var b strings.Builder
	for _, h := range hosts {
		fmt.Fprintf(&b, "%s: %s", strings.Join(h.Addresses[:min(1, len(h.Addresses))], ""), h.Got)
		if f := h.Fetched; f != nil {
			fmt.Fprintf(&b, ", %s %s at %s by %s", f.Bundle, f.Version, f.Time.Format("15:04"), f.How)
		}
		b.WriteString("\n")
	}
	return b.String()
}

func equal(t testing.TB, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestOwnLog(t *testing.T) {
	t.Parallel()
	list := devices(t, "\xef\xbb\xbfName,Site,Address,Platform\r\nr1,Berlin,10.0.0.1,iosxe\nr2,Berlin,10.0.0.2,\nr3,,10.0.0.3 2001:db8::3,\n"+
		"r4,,10.0.0.4,\nr5,,10.0.0.5,\nr6,,10.0.0.6,\nr7,,10.0.7.0/24,\nr8,,10.0.0.8,\nr9,,10.0.0.9,\n")
	log := own(1, "10.0.0.1", "GET", 200, 1000, 9) + own(5, "::ffff:10.0.0.1", "GET", 200, 2000, 10) + // new after old, IPv4-mapped
		own(2, "10.0.0.2", "GET", 200, 1000, 9) + own(6, "10.0.0.2", "GET", 200, 1999, 10) + // the new one not whole
		own(3, "2001:db8:0::3", "GET", 200, 2000, 10) +
		own(3, "10.0.0.4", "GET", 206, 500, 10) +
		own(3, "10.0.0.5", "HEAD", 200, 0, 10) + own(4, "10.0.0.5", "GET", 500, 0, 10) +
		own(4, "10.0.7.9", "GET", 304, 0, 10) +
		own(9, "10.0.0.8", "GET", 200, 2000, 10) + own(8, "10.0.0.8", "GET", 200, 1000, 9) + // not in the order of time
		own(9, "10.0.0.9", "GET", 200, 2000, 11) +
		own(4, "192.0.2.1", "GET", 200, 1000, 9) +
		`{"time":"2025-05-01T10:00:00Z","msg":"listening","address":":8080"}` + "\n" +
		`{"time":"2025-05-01T10:00:00Z","msg":"request","remote":"192.0.2.7","method":"GET","path":"/healthz","status":200,"bytes":6}` + "\n" +
		"{rubbish\n\n" + `{"msg":"request"}` + "\n"
	r := tally(t, fleet.Options{Devices: list, Current: map[string]string{"ios": "10"}}, log)
	equal(t, summary(r.Devices), `10.0.0.1: current, ios 10 at 08:05 by log
10.0.0.2: old, ios 9 at 08:02 by log
10.0.0.3: current, ios 10 at 08:03 by log
10.0.0.4: partial
10.0.0.5: failed
10.0.0.6: never
10.0.7.0/24: current, ios 10 at 08:04 by not modified
10.0.0.8: current, ios 10 at 08:09 by log
10.0.0.9: newer, ios 11 at 08:09 by log
`)
	equal(t, summary(r.Unknown), "192.0.2.1: old, ios 9 at 08:04 by log\n")
	if totals(r)[fleet.GotCurrent] != 4 || r.Devices[1].Partial.Format("15:04") != "08:06" || r.Devices[4].Status != 500 || r.Devices[0].Client != "IOS/IOS XE file client" {
		t.Errorf("%+v", r)
	}
	if l := r.Logs[0]; l.Lines != 18 || l.Requests != 13 || l.Other != 3 || l.Unreadable != 2 || len(r.BadLines) != 2 || r.BadLines[0].Line != 16 {
		t.Errorf("%+v %+v", r.Logs, r.BadLines)
	}
	// Without --current it is the highest version known, and by its hash another.
	r = tally(t, fleet.Options{Devices: list}, log)
	if totals(r)[fleet.GotCurrent] != 1 || totals(r)[fleet.GotOld] != 5 || r.Current[0].Version != "11" || r.Current[0].Basis != "the highest version known" {
		t.Errorf("%v %+v", totals(r), r.Current)
	}
	r = tally(t, fleet.Options{Devices: list, Current: map[string]string{"": oldSum + strings.Repeat("0", 48)}}, log)
	if totals(r)[fleet.GotCurrent] != 1 || totals(r)[fleet.GotNewer] != 5 || r.Current[0].Version != "9" || len(r.Current[0].SHA256) != 64 {
		t.Errorf("%v %+v", totals(r), r.Current)
	}
}

// A log of ours without sizes: a download is whole that is as long as the longest.
func TestNoSize(t *testing.T) {
	t.Parallel()
	log := strings.ReplaceAll(own(1, "10.0.0.1", "GET", 200, 1999, 10)+own(2, "10.0.0.2", "GET", 200, 2000, 10), `,"size":2000`, "")
	r := tally(t, fleet.Options{Devices: devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\n")}, log)
	equal(t, summary(r.Devices), "10.0.0.1: partial\n10.0.0.2: current, ios 10 at 08:02 by log\n")
}

func TestCombined(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\nc,10.0.0.3\nd,10.0.0.4\ne,10.0.0.5\nf,10.0.0.6\ng,10.0.0.7\nh,10.0.0.8\ni,10.0.0.9\nj,10.0.0.10\nk,10.0.0.11\nl,10.0.0.12\n")
	sum := strings.Repeat("b", 64)
	log := combined(1, "10.0.0.1", "GET /security/pki/trs/ios.p7b HTTP/1.1", 200, 2000, "cisco-IOS") +
		combined(1, "10.0.0.2", "GET //ios.p7b?x=y HTTP/1.0", 200, 1000, "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)") +
		combined(1, "10.0.0.3", "GET /ios.p7b HTTP/1.1", 200, 2250, "libcurl/7.1") + // with the header
		combined(1, "10.0.0.4", "GET /ios.p7b HTTP/1.1", 200, 900, "-") +
		combined(1, "10.0.0.5", "GET /ios.p7b HTTP/1.1", 200, 77777, "x") +
		combined(1, "10.0.0.6", "GET /other.p7b HTTP/1.1", 304, 0, "x") +
		combined(1, "10.0.0.7", "GET /ca/trustpool HTTP/1.1", 200, 2000, "x") +
		combined(1, "10.0.0.8", "GET /certs.bin HTTP/1.1", 200, 2000, "x") + // exactly as long
		combined(1, "10.0.0.9", "GET /security/pki/trs/archive/ios/9/ios.p7b HTTP/1.1", 200, 1000, "x") +
		combined(1, "10.0.0.10", "GET /sha256/"+strings.ToUpper(sum)+" HTTP/1.1", 200, 2000, "x") +
		combined(1, "10.0.0.11", "GET /index.html HTTP/1.1", 200, 15, "x") +
		combined(1, "10.0.0.12", "GET /archive/ios/10/ios.p7b HTTP/1.1", 200, 2513, "x") + // more than it has
		"10.0.0.1 - frank [01/May/2025:10:02:00 +0200] \"GET /ios.p7b HTTP/1.0\" 404 -\n" + // common
		combined(2, "10.0.0.11", `\x16\x03\x01`, 400, 150, "-") +
		combined(2, "10.0.0.11", `GET /\"x\" HTTP/1.1`, 404, 150, `a \"b\" c`) +
		"host.example - - [01/May/2025:10:02:00 +0200] \"GET /ios.p7b HTTP/1.0\" 200 5\n" +
		"10.0.0.1 - - [01/Nov/25] \"GET / HTTP/1.0\" 200 5\n10.0.0.1 - - [01/May/2025:10:02:00 +0200] \"GET /\n10.0.0.1\n" +
		"10.0.0.1 - - [01/May/2025:10:02:00 +0200] \"GET / HTTP/1.0\" x 5\n10.0.0.1 - - [01/May/2025:10:02:00 +0200] \"GET / HTTP/1.0\" 200 -5\n"
	o := fleet.Options{Devices: list, Bundles: []fleet.Bundle{{Name: "ios", Version: "9", SHA256: strings.Repeat("a", 64), Size: 1000}, {Name: "ios", Version: "10", SHA256: sum, Size: 2000}}}
	r := tally(t, o, log)
	equal(t, summary(r.Devices), `10.0.0.1: current, ios 10 at 08:01 by size
10.0.0.2: old, ios 9 at 08:01 by size
10.0.0.3: current, ios 10 at 08:01 by size and header
10.0.0.4: partial
10.0.0.5: unknown version, ios  at 08:01 by not known
10.0.0.6: unknown version,   at 08:01 by not modified
10.0.0.7: current, ios 10 at 08:01 by size
10.0.0.8: current, ios 10 at 08:01 by size
10.0.0.9: old, ios 9 at 08:01 by path
10.0.0.10: current, ios 10 at 08:01 by path
10.0.0.11: never
10.0.0.12: unknown version, ios  at 08:01 by not known
`)
	if r.Devices[1].Client != "IOS PKI client" || r.Devices[2].Client != "perhaps IOS XR" || string(r.Devices[0].Fetched.SHA256) != sum || r.Devices[0].Status != 404 {
		t.Errorf("%+v", r.Devices)
	}
	if l := r.Logs[0]; l.Requests != 12 || l.Other != 3 || l.Unreadable != 6 || len(r.BadLines) != 5 {
		t.Errorf("%+v %+v", l, r.BadLines)
	}
	// Nothing is known beside the log.
	r = tally(t, fleet.Options{Devices: list[:2]}, log)
	equal(t, summary(r.Devices), "10.0.0.1: unknown version, ios  at 08:01 by not known\n10.0.0.2: unknown version, ios  at 08:01 by not known\n")
	// Two versions of one size tell nothing.
	o.Bundles[0].Size = 2000
	r = tally(t, o, log)
	if h := r.Devices[0]; h.Got != fleet.GotUnknown {
		t.Errorf("%+v", h)
	}
}

func TestGzip(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	for _, line := range []string{own(1, "10.0.0.1", "GET", 200, 1000, 9), own(2, "10.0.0.1", "GET", 200, 2000, 10)} { // two members
		w := gzip.NewWriter(&z)
		_, _ = io.WriteString(w, line)
		w.Close()
	}
	o := fleet.Options{Devices: devices(t, "name,address\na,10.0.0.1\n")}
	r := tally(t, o, z.String())
	if totals(r)[fleet.GotCurrent] != len(r.Devices) || r.Logs[0].Lines != 2 {
		t.Errorf("%+v", r)
	}
	tl := fleet.New(o)
	if err := tl.Read(t.Context(), "cut.gz", bytes.NewReader(z.Bytes()[:z.Len()-9])); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Error(err)
	}
}

func TestLongLines(t *testing.T) {
	t.Parallel()
	log := strings.Repeat("x", 3<<20) + "\n" + own(1, "10.0.0.1", "GET", 200, 2000, 10) + strings.Repeat("y", fleet.MaxLine+1) + "\n" + strings.TrimSuffix(own(2, "10.0.0.1", "GET", 200, 2000, 10), "\n")
	r := tally(t, fleet.Options{Devices: devices(t, "name,address\na,10.0.0.1\n")}, log)
	if l := r.Logs[0]; l.Lines != 4 || l.Requests != 2 || l.Unreadable != 2 {
		t.Errorf("%+v", l)
	}
}

// Addresses that are no device's take no more memory than MaxUnknown of them.
func TestManyUnknown(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	a := netip.MustParseAddr("10.1.0.0")
	for range fleet.MaxUnknown + 5 {
		a = a.Next()
		log.WriteString(own(1, a.String(), "GET", 200, 2000, 10))
	}
	r := tally(t, fleet.Options{Devices: devices(t, "name,address\na,10.0.0.1\n")}, log.String())
	if len(r.Unknown) != fleet.MaxUnknown || r.Beyond != 5 {
		t.Errorf("%d, %d", len(r.Unknown), r.Beyond)
	}
}

func TestInterrupted(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	tl := fleet.New(fleet.Options{})
	if err := tl.Read(ctx, "endless", endless{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return copy(p, "{}\n"), nil }

// A line without end, as a few bytes of gzip can hold, ends with the context too.
func TestInterruptedLine(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	tl := fleet.New(fleet.Options{})
	if err := tl.Read(ctx, "endless", &endlessLine{8, cancel}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// An endlessLine is a line; after some reads it calls stop, and fails long after that.
type endlessLine struct {
	left int
	stop func()
}

func (e *endlessLine) Read(p []byte) (int, error) {
	if e.left--; e.left == 0 {
		e.stop()
	}
	if e.left < -1000 {
		return 0, errors.New("still reading")
	}
	for i := range p {
		p[i] = 'x'
	}
	return len(p), nil
}

// A version is a claim: another file of the current version is not the current one.
func TestOneVersionTwoFiles(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\nr1,10.0.0.1\nr2,10.0.0.2\n")
	other := strings.ReplaceAll(own(1, "10.0.0.1", "GET", 200, 2000, 10), newSum, "cccccccccccccccc")
	log := other + own(2, "10.0.0.2", "GET", 200, 2000, 10)
	r := tally(t, fleet.Options{Devices: list}, log)
	equal(t, summary(r.Devices), "10.0.0.1: old, ios 10 at 08:01 by log\n10.0.0.2: current, ios 10 at 08:02 by log\n")
	r = tally(t, fleet.Options{Devices: list, Current: map[string]string{"ios": "10"}}, log) // the version was asked for, and both claim it
	if totals(r)[fleet.GotCurrent] != 2 {
		t.Errorf("%+v", totals(r))
	}
	// The file with the version that was asked for is given.
	o := fleet.Options{Devices: list, Current: map[string]string{"": "10"}, Bundles: []fleet.Bundle{{Name: "ios", Version: "10", SHA256: newSum + strings.Repeat("0", 64-len(newSum)), Size: 2000}}}
	r = tally(t, o, log)
	equal(t, summary(r.Devices), "10.0.0.1: old, ios 10 at 08:01 by log\n10.0.0.2: current, ios 10 at 08:02 by log\n")
	o.Bundles = append(o.Bundles, fleet.Bundle{Name: "ios", Version: "10", SHA256: strings.Repeat("c", 64), Size: 2000}) // so are both
	if r = tally(t, o, log); totals(r)[fleet.GotCurrent] != 2 {
		t.Errorf("%+v", totals(r))
	}
}

// Of two spellings of one number, it does not depend on chance which is current.
func TestOneNumberTwice(t *testing.T) {
	t.Parallel()
	log := combined(1, "10.0.0.1", "GET /archive/ios/02/ios.p7b", 200, 5, "-") + combined(1, "10.0.0.2", "GET /archive/ios/2/ios.p7b", 200, 5, "-")
	for range 40 {
		if r := tally(t, fleet.Options{Devices: devices(t, "name,address\nr1,10.0.0.1\n")}, log); len(r.Current) != 1 || r.Current[0].Version != "2" {
			t.Fatalf("%+v", r.Current)
		}
	}
}

func TestPrefixes(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\nall,0.0.0.0/0\nsite,10.1.0.0/16\none,10.1.2.3\nsix,2001:db8::/32\nmapped,::ffff:10.9.0.0/112\n")
	r := tally(t, fleet.Options{Devices: list}, own(1, "10.1.2.3", "GET", 200, 2000, 10)+own(2, "10.1.2.4", "GET", 200, 2000, 10)+
		own(3, "10.2.2.4", "GET", 200, 2000, 10)+own(4, "[2001:db8::1]", "GET", 200, 2000, 10)+own(5, "10.9.1.1", "GET", 200, 2000, 10)+own(6, "fe80::1%eth0", "GET", 200, 2000, 10))
	for i, minute := range []string{"08:03", "08:02", "08:01", "08:04", "08:05"} {
		if got := r.Devices[i].Seen.Format("15:04"); got != minute {
			t.Errorf("%s: %s", list[i].Name, got)
		}
	}
	equal(t, summary(r.Unknown), "fe80::1: current, ios 10 at 08:06 by log\n")
}

// gather is tally, and what is made of it.
func gather(t testing.TB, o fleet.Options, logs ...string) *fleet.Report {
	t.Helper()
	g := fleet.Gathering{Devices: o.Devices, Downloads: tally(t, o, logs...), By: "platform"}
	var err error
	if g.Judge, err = fleet.NewJudge(fleet.JudgeOptions{At: time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC), Bundles: o.Bundles}, g.Downloads.Current); err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Gather(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// What a list and a log hold cannot become a formula, a line or an escape code.
func TestHostileText(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address,=cmd\n\"=1+1\",10.0.0.1,\"@x\"\n\"-b\u202e\",10.0.0.2,\"+\n\x1b[31m1\"\n")
	log := strings.Replace(own(1, "10.0.0.1", "GET", 200, 2000, 10), "cisco-IOS", `=HYPERLINK(\"x\")\u202e`, 1) +
		strings.Replace(own(1, "192.0.2.1", "GET", 200, 2000, 10), `"10"`, `"-10"`, 1)
	r := gather(t, fleet.Options{Devices: list}, log)
	var out bytes.Buffer
	if err := r.WriteCSV(&out); err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(bytes.NewReader(out.Bytes())).ReadAll()
	if err != nil || len(rows) != 4 {
		t.Fatal(err, rows)
	}
	for _, row := range rows {
		for _, cell := range row {
			if cell != "" && strings.ContainsRune("=+-@\t\r", rune(cell[0])) || strings.ContainsAny(cell, "\n\x1b\u202e") {
				t.Errorf("%q", cell)
			}
		}
	}
	out.Reset()
	if err := r.WriteText(&out); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

func TestCommonAddress(t *testing.T) {
	t.Parallel()
	p := []netip.Prefix{netip.MustParsePrefix("10.0.0.1/32")}
	tl := fleet.New(fleet.Options{Devices: []inventory.Device{{Name: "a", Addresses: p}, {Name: "b", Addresses: p}}})
	if d := tl.Downloads(); len(d.Logs) != 0 { // captures alone can be judged
		t.Errorf("%+v", d)
	}
	if err := tl.Read(t.Context(), "log", strings.NewReader("")); err == nil || !strings.Contains(err.Error(), "in common") {
		t.Error(err)
	}
}

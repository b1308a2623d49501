package fleet_test

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/device/show"
	"trustpool/internal/fleet"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
	"trustpool/internal/pool"
)

var judgedAt = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

func labBundle(t testing.TB, version string) (*bundle.Bundle, fleet.Bundle) {
	t.Helper()
	data, err := os.ReadFile("../../testdata/bundles/lab-core-v" + version + ".p7b")
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Limits{}.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b, fleet.Bundle{Name: "lab-core", Version: version, SHA256: fmt.Sprintf("%x", b.SHA256()), Size: int64(len(data)), Certificates: b.Certificates, Verified: true}
}

// shown is what a device of a platform shows of a version.
func shown(t testing.TB, platform, name, version string) []byte {
	t.Helper()
	b, _ := labBundle(t, version)
	var out bytes.Buffer
	switch platform {
	case "nxos":
		out.WriteString(`{"TABLE_ca_trustpool":{"ROW_ca_trustpool":[`)
		for i, c := range b.Certificates {
			s := show.Of(c, show.IOSXR, show.Downloaded)
			if i > 0 {
				out.WriteString(",")
			}
			fmt.Fprintf(&out, `{"serial-number":%q,"subject":%q,"issued-by":%q,"validity-start":%q,"validity-end":%q}`,
				s.Serial, strings.Join(s.Subject, ""), strings.Join(s.Issuer, ""), s.NotBefore, s.NotAfter)
		}
		out.WriteString("]}}\n")
		return out.Bytes()
	case "iosxr":
		fmt.Fprintf(&out, "RP/0/RSP0/CPU0:%s#show crypto ca trustpool\nFri Nov 27 10:00:01.123 UTC\n", name)
		if err := show.Write(&out, show.IOSXR, b.Certificates, show.Downloaded); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "RP/0/RSP0/CPU0:%s#exit\n", name)
	default:
		fmt.Fprintf(&out, "%s#show crypto pki trustpool\n", name)
		if err := show.Write(&out, show.IOSXE, b.Certificates, show.Downloaded); err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&out, "%s#show clock\n*10:00:01.123 UTC Fri Nov 27 2026\n%s#exit\n", name, name)
	}
	return out.Bytes()
}

// generated writes the captures of n devices of three platforms in seven sites, and an inventory of
// them: one in 30 is unreadable, one in 60 has none, and one in three of the others an old version.
func generated(t testing.TB, dir string, n, unreadable, without int) string {
	t.Helper()
	var list strings.Builder
	list.WriteString("name,address,platform,site\n")
	cache := map[string][]byte{}
	for i := range n {
		platform := []string{"iosxe", "iosxr", "nxos"}[i%3]
		name := fmt.Sprintf("edge%06d", i)
		fmt.Fprintf(&list, "%s,10.%d.%d.%d,%s,site%d\n", name, i>>16, i>>8&255, i&255, platform, i%7)
		var data []byte
		switch {
		case i < unreadable:
			data = []byte(name + "#show crypto pki trustpool\n% Authorization failed.\n")
		case i < unreadable+without:
			continue
		default:
			version := []string{"2", "2", "1"}[i/3%3]
			if cache[platform+version] == nil {
				cache[platform+version] = shown(t, platform, "HOSTNAME", version)
			}
			data = bytes.ReplaceAll(cache[platform+version], []byte("HOSTNAME"), []byte(name))
		}
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return list.String()
}

// judged gathers an inventory and a directory of captures.
func judged(t testing.TB, list, dir string, o fleet.JudgeOptions, logs ...string) *fleet.Report {
	t.Helper()
	devices := devices(t, list)
	o.At = judgedAt
	for _, d := range devices {
		o.Names = append(o.Names, d.Name)
	}
	g := fleet.Gathering{Devices: devices, Downloads: tally(t, fleet.Options{Devices: devices, Bundles: o.Bundles}, logs...), By: "site"}
	var err error
	if dir != "" {
		if g.Captures, err = fleet.ScanCaptures(t.Context(), dir, devices); err != nil {
			t.Fatal(err)
		}
	}
	if g.Judge, err = fleet.NewJudge(o, g.Downloads.Current); err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Gather(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func labOptions(t testing.TB) fleet.JudgeOptions {
	t.Helper()
	_, v1 := labBundle(t, "1")
	_, v2 := labBundle(t, "2")
	return fleet.JudgeOptions{Bundles: []fleet.Bundle{v1, v2}}
}

// firRoot is a need of a root that version 2 alone has.
func firRoot(t testing.TB) audit.Need {
	t.Helper()
	b, _ := labBundle(t, "2")
	n, err := audit.NeedFile("fir.pem", b.Certificates[4:5])
	if err != nil {
		t.Fatal(err)
	}
	return n
}

// A fleet of three platforms in seven sites, of which some captures cannot be read and some are
// missing, is judged right and fits on a page.
func TestThreeThousand(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := generated(t, dir, 3000, 98, 50)
	o := labOptions(t)
	o.Needs = []audit.Need{firRoot(t)}
	began := time.Now()
	r := judged(t, list, dir, o)
	var text bytes.Buffer
	r.URL = "http://192.0.2.1/ios.p7b"
	if err := r.WriteText(&text); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(began); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	want := map[fleet.State]int{fleet.Unreadable: 98, fleet.NoEvidence: 50}
	for i := 148; i < 3000; i++ {
		if i/3%3 == 2 {
			want[fleet.MissingRoot]++
		} else {
			want[fleet.Current]++
		}
	}
	for _, s := range fleet.States() {
		if r.Counts[s] != want[s] {
			t.Errorf("%d %s, want %d", r.Counts[s], s, want[s])
		}
	}
	if n := bytes.Count(text.Bytes(), []byte("\n")); n > 60 || len(r.Groups) != 7 {
		t.Errorf("%d lines, %d groups\n%s", n, len(r.Groups), text.String())
	}
	o.Needs = nil
	r = judged(t, list, dir, o)
	// NX-OS imports no bundle: without a need there is nothing to judge it by.
	if r.Counts[fleet.Old] == 0 || r.Counts[fleet.Unknown] == 0 || r.Counts[fleet.Old]+r.Counts[fleet.Unknown]+r.Counts[fleet.Current] != 3000-148 {
		t.Errorf("%v", r.Counts)
	}
	for i := range r.Devices {
		if d := &r.Devices[i]; (d.State == fleet.Unknown) != (d.Platform == "nxos" && i >= 148) {
			t.Fatalf("%+v", d)
		}
	}
}

// Each kind of evidence, and of its contradictions.
func TestStates(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	captured := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	put := func(name string, data []byte, at time.Time) {
		t.Helper()
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Chtimes(path, at, at); err != nil {
			t.Fatal(err)
		}
	}
	b2, _ := labBundle(t, "2")
	saved := &bytes.Buffer{}
	entries := pool.Of(b2.Certificates)
	for i := range entries {
		entries[i] = pool.EntryOf(b2.Certificates[i], pool.Downloaded)
	}
	if err := (&pool.Pool{Platform: "asa", Entries: entries}).WriteJSON(saved); err != nil {
		t.Fatal(err)
	}
	list := "name,address,platform,site\n"
	var want strings.Builder
	add := func(row, expected string) {
		list += row + ",x\n"
		want.WriteString(strings.Split(row, ",")[0] + ": " + expected + "\n")
	}
	add("good,,iosxe", "current, lab-core 2 by capture")
	put("good.txt", shown(t, "iosxe", "good", "2"), captured)
	add("gz,,iosxe", "current, lab-core 2 by capture")
	put("gz.log.gz", gzipped(shown(t, "iosxe", "gz", "2")), captured)
	add("utf16,,iosxr", "old, lab-core 1 by capture")
	put("utf16", utf16le(shown(t, "iosxr", "utf16", "1")), captured)
	add("recognized,,", "old, lab-core 1 by capture")
	put("recognized.txt", shown(t, "iosxr", "RECOGNIZED.example.net", "1"), captured)
	add("saved,,asa", "current, lab-core 2 by capture")
	put("saved.json", saved.Bytes(), captured)
	add("savedother,,iosxe", "unreadable (it is a pool file of asa, and the inventory says iosxe)")
	put("savedother.json", saved.Bytes(), captured)
	add("wrong,,iosxr", "unreadable (it is what iosxe shows, and the inventory says iosxr)")
	put("wrong.txt", shown(t, "iosxe", "wrong", "2"), captured)
	add("theirs,,iosxe", "unreadable (its prompt is that of the device good)")
	put("theirs.txt", shown(t, "iosxe", "good", "2"), captured)
	add("asactx,,iosxe", "unreadable (its prompt is that of the device good)")
	put("asactx.txt", bytes.Replace(shown(t, "iosxe", "good", "2"), []byte("good#"), []byte("good/pri/act# "), 1), captured)
	add("10.7.7.7,,iosxe", "unreadable (its prompt is that of the device good)")
	put("10.7.7.7.txt", shown(t, "iosxe", "good", "2"), captured)
	add("10.7.7.8,,iosxe", "current, lab-core 2 by capture")
	put("10.7.7.8.txt", shown(t, "iosxe", "somename", "2"), captured)
	add("renamed,,iosxe", "current, lab-core 2 by capture [other-name]")
	put("renamed.txt", shown(t, "iosxe", "oldname", "2"), captured)
	add("two,,iosxe", "old, lab-core 1 by capture [captures-differ]")
	put("two/a.txt", shown(t, "iosxe", "two", "2"), captured)
	put("two/b.txt", shown(t, "iosxe", "two", "1"), captured.Add(time.Hour))
	add("beside,,iosxe", "current, lab-core 2 by capture [unread-file]")
	put("beside/pool.txt", shown(t, "iosxe", "beside", "2"), captured)
	put("beside/version.txt", []byte("beside#show version\n"), captured.Add(time.Hour))
	add("future,,iosxe", "current, lab-core 2 by capture [clock]")
	put("future.txt", shown(t, "iosxe", "future", "2"), judgedAt.Add(time.Hour))
	add("now,,iosxe", "current, lab-core 2 by capture")
	put("now.txt", shown(t, "iosxe", "now", "2"), judgedAt.Add(900*time.Millisecond))
	add("broken,,iosxe", "unreadable (line 20: the text ends within this certificate, which has no start of its validity)")
	put("broken.txt", shown(t, "iosxe", "broken", "2")[:700], captured)
	add("since,10.0.0.1,iosxe", "old, lab-core 1 by capture [downloaded-since]")
	put("since.txt", shown(t, "iosxe", "since", "1"), captured)
	add("back,10.0.0.2,iosxe", "unknown (the capture is current, and an older version, 1, was downloaded after it), lab-core 2 by capture [downloaded-since]")
	put("back.txt", shown(t, "iosxe", "back", "2"), captured)
	add("before,10.0.0.3,iosxe", "current, lab-core 2 by capture")
	put("before.txt", shown(t, "iosxe", "before", "2"), captured)
	add("logged,10.0.0.4,iosxe", "current, lab-core 2 by download")
	add("partial,10.0.0.5,iosxe", "unknown (no download of it was whole)")
	add("nexus,10.0.0.7,nxos", "unknown (the platform imports no bundle: a download does not tell what is in its pool), lab-core 2 by download")
	add("absent,10.0.0.6,iosxe", "never")
	add("nowhere,,iosxe", "no-evidence (no capture, and no IP address by which a log could tell)")
	add("../escape,,iosxe", `no-evidence (the name "../escape" cannot be that of a file: it begins with a dot, or has a slash or backslash in it)`)
	add("notcollected,,iosxe", "no-evidence (not collected: the host key is not in known_hosts)")
	put(".collect/notcollected.json", []byte(`{"name":"notcollected","outcome":"failed","reason":"host-key","detail":"the host key is not in known_hosts","ended_at":"2025-06-01T00:00:00Z","capture":null}`), captured)
	add("collected,,iosxe", "current, lab-core 2 by capture")
	put("collected.txt", shown(t, "iosxe", "collected", "2"), captured)
	put(".collect/collected.json", fmt.Appendf(nil, `{"outcome":"collected","ended_at":"2025-07-01T00:00:00Z","capture":{"file":"collected.txt","at":"2025-07-01T00:00:00Z","sha256":"%x"}}`, sum256(shown(t, "iosxe", "collected", "2"))), captured)
	add("folder,,iosxe", "no-evidence (not collected: what collect says of it cannot be read: not a regular file)")
	put(".collect/folder.json/x", nil, captured)
	add("linux,,vyos", "no-evidence (no capture, and no IP address by which a log could tell) [platform]")
	add("ftd1,,ftd", "unreadable (it is what iosxe shows, and the inventory says ftd)")
	put("ftd1.txt", shown(t, "iosxe", "ftd1", "2"), captured)
	add("archive,,iosxe", "current, lab-core 2 by capture [captures-differ]")
	for i := range 70 {
		version := "1"
		if i == 3 {
			version = "2"
		}
		put(fmt.Sprintf("archive/%02d.txt", i), shown(t, "iosxe", "archive", version), captured.Add(-time.Duration(i*i-6*i)*time.Hour))
	}
	put("stray.txt", []byte("x"), captured)
	put(".hidden", []byte("x"), captured)
	at := func(month int, address string, size int) string {
		return fmt.Sprintf("%s - - [01/%s/2025:10:00:00 +0000] \"GET /lab-core.p7b HTTP/1.1\" 200 %d\n", address, time.Month(month).String()[:3], size)
	}
	o := labOptions(t)
	old, current := int(o.Bundles[0].Size), int(o.Bundles[1].Size)
	log := at(8, "10.0.0.1", current) + at(8, "10.0.0.2", old) + at(5, "10.0.0.3", current) + at(5, "10.0.0.4", current) + at(5, "10.0.0.7", current) + strings.Replace(at(5, "10.0.0.5", 100), " 200 ", " 206 ", 1)
	r := judged(t, list, dir, o, log)
	equal(t, states(r), want.String())
	if c := r.Captures; len(c.Strays) != 1 || c.Strays[0] != "stray.txt" || c.Hidden != 1 {
		t.Errorf("%+v", c)
	}
	for i := range r.Devices {
		if d := &r.Devices[i]; d.Name == "collected" && !d.CapturedAt.Equal(time.Date(2025, 7, 1, 0, 0, 0, 0, time.UTC)) {
			t.Errorf("%+v", d)
		}
	}
}

// A pool that has nothing of a bundle does not have its current version, even if all of that has
// expired; nor is a bundle like a pool of which that is so.
func TestExpiredBundle(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), shown(t, "iosxe", "a", "1"), 0o600); err != nil {
		t.Fatal(err)
	}
	_, v2 := labBundle(t, "2")
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), judgedAt, judgedAt); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile("../../testdata/bundles/lab-quirks-v1.p7b")
	if err != nil {
		t.Fatal(err)
	}
	quirks, err := bundle.Limits{}.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	expired := fleet.Bundle{Name: "expired", Version: "1", SHA256: strings.Repeat("e", 64), Size: 1}
	for _, c := range quirks.Certificates {
		if c.Err == nil && c.NotAfter.Valid && c.NotAfter.Before(judgedAt) {
			expired.Certificates = append(expired.Certificates, c)
		}
	}
	r := judged(t, "name,address,platform,site\na,,iosxe,x\n", dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{expired}})
	equal(t, states(r), "a: old\n")
	r = judged(t, "name,address,platform,site\na,,iosxe,x\n", dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{expired, v2}})
	equal(t, states(r), "a: old\n")
	if d := r.Devices[0]; d.Bundle != "lab-core" || d.Lacks != 4 {
		t.Errorf("%+v", d)
	}
}

// What is not a certificate is looked for by its hash, and is no reason to call a pool old: no import
// brings it. That it is not there is said.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, style := range map[string]string{"xe": "iosxe", "xr": "iosxr"} {
		if err := os.WriteFile(filepath.Join(dir, name+".txt"), shown(t, style, name, "2"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	_, v2 := labBundle(t, "2")
	odd, alone := v2, v2
	broken := &certificate.Certificate{Raw: []byte("x"), SHA256: sha256.Sum256([]byte("x")), Err: errors.New("not a certificate")}
	odd.Certificates = append(slices.Clone(v2.Certificates), broken, broken)
	alone.Certificates = []*certificate.Certificate{broken}
	const list = "name,address,platform,site\nxe,,iosxe,x\nxr,,iosxr,x\n"
	r := judged(t, list, dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{odd}})
	equal(t, states(r), "xe: current, lab-core 2 by capture [clock undecodable]\nxr: current, lab-core 2 by capture [clock undecodable]\n")
	if d := r.Devices[0]; d.Lacks != 1 {
		t.Errorf("%+v", d)
	}
	r = judged(t, list, dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{alone}})
	if r.Counts[fleet.Unknown] != 2 {
		t.Error(states(r))
	}
}

// A certificate that the device does not call available is not shown to be in use.
func TestStatus(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	_, v2 := labBundle(t, "2")
	capture := strings.Replace(string(shown(t, "iosxe", "a", "2")), "Status: Available", "Status: Pending", 1)
	if err := os.WriteFile(filepath.Join(dir, "a.txt"), []byte(capture), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(filepath.Join(dir, "a.txt"), judgedAt, judgedAt); err != nil {
		t.Fatal(err)
	}
	r := judged(t, "name,address,platform,site\na,,iosxe,x\n", dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{v2}})
	equal(t, states(r), "a: unknown (1 certificate with the status Pending, and not Available: whether the device uses it is not known), lab-core 2 by capture\n")
}

// What a device downloaded is judged by its certificates.
func TestDownloadJudged(t *testing.T) {
	t.Parallel()
	o := labOptions(t)
	o.Needs = []audit.Need{firRoot(t)}
	log := fmt.Sprintf("10.0.0.1 - - [01/May/2025:10:00:00 +0000] \"GET /lab-core.p7b HTTP/1.1\" 200 %d\n", o.Bundles[1].Size) +
		fmt.Sprintf("10.0.0.2 - - [01/May/2025:10:00:00 +0000] \"GET /lab-core.p7b HTTP/1.1\" 200 %d\n", o.Bundles[0].Size)
	r := judged(t, "name,address,platform,site\na,10.0.0.1,iosxe,x\nb,10.0.0.2,iosxe,x\n", "", o, log)
	equal(t, states(r), "a: current, lab-core 2 by download\nb: missing-root, lab-core 1 by download\n")
	// A log without a line does not show that a device never came.
	r = judged(t, "name,address,platform,site\na,10.0.0.1,iosxe,x\n", "", o, "")
	equal(t, states(r), "a: no-evidence (no capture, and no log has a line)\n")
}

// states writes the state of each device on a line.
func states(r *fleet.Report) string {
	var b strings.Builder
	for i := range r.Devices {
		d := &r.Devices[i]
		fmt.Fprintf(&b, "%s: %s", d.Name, d.State)
		if d.Why != "" {
			fmt.Fprintf(&b, " (%s)", d.Why)
		}
		if d.Version != "" {
			fmt.Fprintf(&b, ", %s %s by %s", d.Bundle, d.Version, d.JudgedBy)
		}
		if len(d.Marks) > 0 {
			fmt.Fprintf(&b, " %v", d.Marks)
		}
		b.WriteString("\n")
	}
	return b.String()
}

// Reports of two sites make one, and the order does not count.
func TestMerge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	list := generated(t, dir, 60, 4, 4)
	rows := strings.SplitAfter(list, "\n")
	o := labOptions(t)
	part := func(name string, rows []string, dir string, logs ...string) *fleet.Part {
		t.Helper()
		r := judged(t, "name,address,platform,site\n"+strings.Join(rows, ""), dir, o, logs...)
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		p, err := fleet.ReadPart(name, out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	whole := judged(t, list, dir, o)
	a, b := part("a", rows[1:40], dir), part("b", rows[30:], dir) // ten are in both
	for _, parts := range [][]*fleet.Part{{a, b}, {b, a}} {
		r, err := fleet.Merge("site", parts)
		if err != nil {
			t.Fatal(err)
		}
		if len(r.Devices) != 60 || fmt.Sprint(r.Counts) != fmt.Sprint(whole.Counts) || fmt.Sprint(r.Groups) != fmt.Sprint(whole.Groups) {
			t.Errorf("%v %v", r.Counts, whole.Counts)
		}
		for _, printOne := range []func(io.Writer) error{r.WriteText, r.WriteCSV, r.WriteJSON, r.WriteHTML, r.WriteMarkdown, r.WriteHosts} {
			if err := printOne(io.Discard); err != nil {
				t.Error(err)
			}
		}
	}
	if _, err := fleet.Merge("site", []*fleet.Part{a, a}); err == nil || err.Error() != "a and a are the same" {
		t.Error(err)
	}
	// A capture says more than no evidence.
	r, err := fleet.Merge("site", []*fleet.Part{part("none", rows[20:30], t.TempDir()), part("c", rows[20:30], dir)})
	if err != nil || r.Counts[fleet.NoEvidence] != 0 {
		t.Error(err, r.Counts)
	}
	// What the log of one place says of a device of another is not lost.
	at := func(month int, address string, bundle int) string {
		return fmt.Sprintf("%s - - [01/%s/2025:10:00:00 +0000] \"GET /lab-core.p7b HTTP/1.1\" 200 %d\n", address, time.Month(month).String()[:3], o.Bundles[bundle].Size)
	}
	here := part("here", []string{"first,10.9.0.1,iosxe,x\n"}, "", at(1, "10.9.0.1", 1)+at(3, "10.8.0.2", 0)+at(3, "10.8.0.3", 0)+at(3, "10.8.9.9", 1)+at(3, "10.7.0.1", 1))
	there := part("there", []string{"never,10.8.0.2,iosxe,x\n", "again,10.8.0.3,iosxe,x\n", "many,10.8.9.0/24,iosxe,x\n", "silent,10.8.0.4,iosxe,x\n"}, "", at(2, "10.8.0.3", 1))
	for _, parts := range [][]*fleet.Part{{here, there}, {there, here}} {
		r, err := fleet.Merge("site", parts)
		if err != nil {
			t.Fatal(err)
		}
		for i := range r.Devices {
			d := &r.Devices[i]
			want := map[string]fleet.State{"first": fleet.Current, "silent": fleet.Never}[d.Name]
			if want == "" {
				want = fleet.Unknown
			}
			if d.State != want || d.State == fleet.Unknown && (len(d.Evidence) == 0 || !slices.Contains(d.Marks, fleet.MarkMerged)) {
				t.Errorf("%+v", d)
			}
		}
		if len(r.Unknown) != 1 || r.Unknown[0].Addresses[0] != "10.7.0.1" {
			t.Errorf("%+v", r.Unknown)
		}
	}
	o.Bundles = o.Bundles[:1]
	if _, err := fleet.Merge("site", []*fleet.Part{a, part("d", rows[1:9], dir)}); err == nil || !strings.Contains(err.Error(), "judged by different things") {
		t.Error(err)
	}
	for in, want := range map[string]string{
		"":                                     "not a report of fleet",
		"{}":                                   `its schema is ""`,
		`{"schema":"trustpool.fleet/1"}`:       "and not trustpool.fleet/2",
		`{"schema":"trustpool.fleet/2","x":1}`: "unknown field",
		`{"schema":"trustpool.fleet/2","total":1}`:                                                       "without --state",
		`{"schema":"trustpool.fleet/2","total":1,"devices":[{"name":"a","state":"x"}]}`:                  "which is none",
		`{"schema":"trustpool.fleet/2","total":1,"devices":[{"name":"a","state":"old"}],"unknown":[{}]}`: "no address",
		`{"schema":"trustpool.fleet/2","total":0}`:                                                       "there is no device in it",
	} {
		if _, err := fleet.ReadPart("x", []byte(in)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", in, err)
		}
	}
}

// An inventory for Ansible has no line that is not a host's, whatever a device is called.
func TestWriteHosts(t *testing.T) {
	t.Parallel()
	r := judged(t, "name,address,platform,site\nedge1,192.0.2.1,iosxe,x\n[all:vars],,iosxe,x\nx y=z,,iosxe,x\nten[1:9],,iosxe,x\n-x,,iosxe,x\n", "", labOptions(t))
	var out bytes.Buffer
	if err := r.WriteHosts(&out); err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(out.String()) {
		if line != "\n" && !strings.HasPrefix(line, "#") && !strings.HasPrefix(line, "[trustpool_") && line != "edge1 ansible_host=192.0.2.1 ansible_network_os=cisco.ios.ios\n" {
			t.Errorf("%q", line)
		}
	}
	l, err := inventory.Read(&out)
	if err != nil || len(l.Devices) != 1 {
		t.Error(err, l)
	}
}

// FuzzCapture judges what is in the file of a device, and what collect says of it. Only what can be
// read is judged by.
func FuzzCapture(f *testing.F) {
	_, v2 := labBundle(f, "2")
	f.Add(shown(f, "iosxe", "edge1", "2"), []byte(`{"outcome":"collected","ended_at":"2025-07-01T00:00:00Z"}`))
	f.Add(shown(f, "iosxr", "edge1", "1"), []byte(`{"detail":"away"}`))
	f.Add([]byte(`{"schema":"trustpool.pool/1","platform":"asa","certificates":[]}`), []byte("{"))
	f.Fuzz(func(t *testing.T, capture, note []byte) {
		dir := t.TempDir()
		if err := os.Mkdir(filepath.Join(dir, record.Dir), 0o700); err != nil {
			t.Fatal(err)
		}
		for name, data := range map[string][]byte{"edge1.txt": capture, record.Dir + "/edge1.json": note} {
			if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		r := judged(t, "name,address,platform,site\nedge1,,,x\n", dir, fleet.JudgeOptions{Bundles: []fleet.Bundle{v2}})
		if d := &r.Devices[0]; (d.State == fleet.Unreadable) == (d.JudgedBy == "capture") || d.State == fleet.Unreadable && d.Why == "" || d.State == fleet.NoEvidence {
			t.Errorf("%+v", d)
		}
	})
}

// FuzzPart reads reports to be merged.
func FuzzPart(f *testing.F) {
	f.Add([]byte(`{"schema":"trustpool.fleet/2","total":1,"devices":[{"name":"a","state":"old","addresses":["10.0.0.1"]}],"unknown":[{"addresses":["10.0.0.2"]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		p, err := fleet.ReadPart("x", data)
		if err != nil {
			return
		}
		r, err := fleet.Merge("platform", []*fleet.Part{p})
		if err != nil {
			return
		}
		for _, printOne := range []func(io.Writer) error{r.WriteText, r.WriteCSV, r.WriteJSON, r.WriteHTML, r.WriteMarkdown, r.WriteHosts} {
			if err := printOne(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}

// BenchmarkCaptures is of captures that are alike but for names and clocks, as those of a fleet are.
func BenchmarkCaptures(b *testing.B) {
	for _, n := range []int{1000, 10_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			dir := b.TempDir()
			list := generated(b, dir, n, n/30, n/60)
			o := labOptions(b)
			for b.Loop() {
				judged(b, list, dir, o)
			}
			b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*n), "ns/device")
		})
	}
}

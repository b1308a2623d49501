package device_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/device/show"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
)

// shown is what a device shows of the certificates.
func shown(t testing.TB, style show.Style, certs []*certificate.Certificate, origin show.Origin) string {
	t.Helper()
	var b strings.Builder
	if err := show.Write(&b, style, certs, origin); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

func listing(t testing.TB, name, text string) *device.Listing {
	t.Helper()
	l, err := device.ReadListing([]byte(text), platform(t, name), at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func capture(t testing.TB, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("show", "testdata", "read", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// again writes a pool and reads it.
func again(t testing.TB, p *pool.Pool) *pool.Pool {
	t.Helper()
	var b bytes.Buffer
	if err := p.WriteJSON(&b); err != nil {
		t.Fatal(err)
	}
	got, err := pool.Read(bytes.NewReader(b.Bytes()), device.CheckName)
	if err != nil {
		t.Fatalf("%v\n%s", err, b.Bytes())
	}
	for i := range p.Entries {
		p.Entries[i].Certificate = nil // a pool file does not hold it
	}
	if !reflect.DeepEqual(got, p) {
		t.Errorf("read\n%+v\nwritten\n%+v", got, p)
	}
	return got
}

func styleOf(platform string) show.Style {
	if platform == "iosxr" {
		return show.IOSXR
	}
	return show.IOSXE
}

// readable are the certificates of a bundle that a device can have.
func readable(b *bundle.Bundle) []*certificate.Certificate {
	return slices.DeleteFunc(slices.Clone(b.Certificates), func(c *certificate.Certificate) bool { return c.Err != nil })
}

// checkIdentified shows a bundle as a device would, and looks for what is read in
// the bundle: each is found, and none is ambiguous.
func checkIdentified(t *testing.T, b *bundle.Bundle) {
	t.Helper()
	certs := readable(b)
	for _, name := range []string{"ios", "iosxe", "iosxr"} {
		l := listing(t, name, shown(t, styleOf(name), b.Certificates, show.Downloaded))
		l.Identify(pool.Source{Name: "it", Certificates: b.Certificates})
		same(t, name, len(l.Entries), len(certs))
		for i := range l.Entries {
			switch e := &l.Entries[i]; {
			case e.Match.Candidates != 1, e.Entry.Certificate == nil || e.Entry.Certificate.SHA256 != certs[i].SHA256 || e.Match.In != "it" || e.Differs:
				t.Errorf("%s %d: %+v", name, i+1, e)
			case name == "iosxr" && e.Match.By != pool.BySHA1, name != "iosxr" && e.Match.By != pool.ByShownDates && e.Match.By != pool.ByShown:
				t.Errorf("%s %d: matched by %s", name, i+1, e.Match.By)
			}
		}

		// What is saved has all of the bundle, identified or not.
		for _, have := range []*pool.Pool{l.Pool(), listing(t, name, shown(t, styleOf(name), b.Certificates, show.Downloaded)).Pool()} {
			d, err := device.Compare(again(t, have), b)
			if err != nil {
				t.Fatal(err)
			}
			if !d.Same() {
				t.Errorf("%s: %d missing, %d extra", name, len(d.Missing), len(d.Extra))
			}
			for i, m := range have.Identify(pool.Source{}, pool.Source{Name: "it", Certificates: b.Certificates}) {
				if m.Candidates != 1 || have.Entries[i].Certificate == nil {
					t.Errorf("%s: entry %d is not found: %+v", name, i+1, m)
				}
			}
			for _, c := range d.Common {
				if (c.By == pool.BySHA1) != (name == "iosxr") || c.By == pool.BySHA256 {
					t.Errorf("%s: %d by %s", name, c.Index, c.By)
				}
			}
		}
	}
}

func TestIdentify(t *testing.T) {
	t.Parallel()
	checkIdentified(t, fixture(t, "lab-core-v1.p7b"))
	checkIdentified(t, fixture(t, "lab-quirks-v1.p7b"))
}

func TestIdentifyGenuine(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"ios_core-v4-2017-01-11.p7b", "ios-v3-2016-11-22.p7b", "ios-v10-2021-09-01.p7b"} {
		checkIdentified(t, corpus(t, file))
	}
}

// A device in another zone shows other dates: they are compared to 14 hours.
func TestIdentifyZones(t *testing.T) {
	t.Parallel()
	b := parse(t, newRoot("Zones", nil))
	text := shown(t, show.IOSXE, b.Certificates, show.Downloaded)
	s := show.Of(b.Certificates[0], show.IOSXE, show.Downloaded)
	for _, tt := range []struct {
		offset time.Duration
		zone   string
		want   pool.Key
	}{
		{0, "UTC", pool.ByShownDates},
		{0, "GMT", pool.ByShownDates},
		{time.Hour, "UTC", ""},
		{5*time.Hour + 30*time.Minute, "IST", pool.ByShownDates},
		{-8 * time.Hour, "PST", pool.ByShownDates},
		{14 * time.Hour, "X", pool.ByShownDates},
		{14*time.Hour + time.Minute, "X", ""},
		{30 * time.Second, "IST", ""},
		{24 * time.Hour, "IST", ""},
	} {
		moved := text
		for _, d := range []show.Date{s.NotBefore, s.NotAfter} {
			moved = strings.Replace(moved, d.String(), show.Date{Clock: d.Clock.Add(tt.offset), Zone: tt.zone}.String(), 1)
		}
		l := listing(t, "iosxe", moved)
		l.Identify(pool.Source{Name: "it", Certificates: b.Certificates})
		same(t, tt.zone, l.Entries[0].Match.By, tt.want)
		d, err := device.Compare(listing(t, "iosxe", moved).Pool(), b)
		if err != nil || d.Same() != (tt.want != "") {
			t.Errorf("%s %s: %+v, %v", tt.offset, tt.zone, d, err)
		}
		noted := slices.ContainsFunc(l.Notes, func(n device.Note) bool {
			return strings.HasPrefix(n.Text, "dates are in the device's zone "+tt.zone+",")
		})
		same(t, "note on "+tt.zone, noted, tt.zone != "UTC" && tt.zone != "GMT")
	}
}

// That a certificate has expired is said where it is known.
func TestListingExpired(t *testing.T) {
	t.Parallel()
	text := shown(t, show.IOSXE, parse(t, newRoot("Expiry", func(c *pkitest.Template) { c.NotAfter = pkitest.Date(2025, 6, 1) })).Certificates, show.BuiltIn)
	for _, tt := range []struct {
		zone           string
		offset         time.Duration
		expired, known bool
	}{
		{"UTC", 0, false, true}, // the period includes notAfter
		{"UTC", time.Second, true, true},
		{"UTC", -time.Second, false, true},
		{"IST", 14 * time.Hour, false, false},
		{"IST", -14 * time.Hour, false, false},
		{"IST", 14*time.Hour + 1, true, true},
		{"IST", -14*time.Hour - 1, false, true},
	} {
		l := listing(t, "iosxe", strings.ReplaceAll(text, " UTC ", " "+tt.zone+" "))
		expired, known := l.Entries[0].Entry.ValidTo().Before(at.Add(tt.offset))
		same(t, tt.zone+" "+tt.offset.String(), []bool{expired, known}, []bool{tt.expired, tt.known})
		expired, known = again(t, l.Pool()).Entries[0].ValidTo().Before(at.Add(tt.offset))
		same(t, "pool: "+tt.zone+" "+tt.offset.String(), []bool{expired, known}, []bool{tt.expired, tt.known})
	}
}

// An import into a pool that was read finds what the device has, and says by what.
func TestImportIntoListing(t *testing.T) {
	t.Parallel()
	b := fixture(t, "lab-core-v1.p7b")
	for name, want := range map[string]pool.Key{"iosxe": pool.ByShownDates, "iosxr": pool.BySHA1} {
		for _, identified := range []bool{false, true} {
			l := listing(t, name, shown(t, styleOf(name), b.Certificates[:5], show.Downloaded))
			if identified {
				l.Identify(pool.Source{Name: "it", Certificates: b.Certificates})
			}
			r := doImport(t, again(t, l.Pool()), b, lab(t, name))
			same(t, name, counts(r), [4]int{3, 5, 0, 0})
			for _, e := range r.Certificates[:5] {
				if e.MatchedBy != want || e.Basis == device.Confirmed {
					t.Errorf("%s: %+v", name, e)
				}
			}
		}
	}
}

// Of two certificates that are shown alike one is no duplicate of the other.
func TestShownAlike(t *testing.T) {
	t.Parallel()
	alike := func(change func(*pkitest.Template)) []byte {
		return newRoot("Alike", func(c *pkitest.Template) { c.Serial = []byte{1}; change(c) })
	}
	one := alike(func(*pkitest.Template) {})
	two := alike(func(c *pkitest.Template) { c.Key = pkitest.RSA("birch") })
	comma := alike(func(c *pkitest.Template) { c.Subject = pkitest.NewName("O=Device, Test", "CN=Alike") })
	b := signed(t, one, two, two, one, comma)
	text := shown(t, show.IOSXE, b.Certificates[:1], show.Downloaded)
	r := doImport(t, listing(t, "iosxe", text).Pool(), b, lab(t, "iosxe"))
	var outcomes []device.Outcome
	for _, e := range r.Certificates {
		outcomes = append(outcomes, e.Outcome)
	}
	same(t, "outcomes", outcomes, []device.Outcome{device.Duplicate, device.Installed, device.Duplicate, device.Duplicate, device.Installed})

	l := listing(t, "iosxe", text)
	l.Identify(pool.Source{Name: "it", Certificates: b.Certificates}, pool.Source{Name: "again", Certificates: b.Certificates})
	if e := l.Entries[0]; e.Match.Candidates != 2 || e.Entry.Certificate != nil || e.Match.By != "" {
		t.Errorf("%+v", e)
	}
	if e := l.Pool().Entries[0]; e.SHA256 != "" || e.Shown == nil {
		t.Errorf("%+v", e)
	}
	d, err := device.Compare(l.Pool(), b)
	if err != nil || len(d.Common) != 1 || len(d.Missing) != 2 || len(d.Extra) != 0 {
		t.Errorf("%+v, %v", d, err)
	}
}

// A text whose fingerprint is another's than its names.
func TestListingChanged(t *testing.T) {
	t.Parallel()
	b := fixture(t, "lab-core-v1.p7b")
	text := shown(t, show.IOSXR, b.Certificates[:1], show.BuiltIn)
	for _, change := range [][2]string{{"CN=Birch Root", "CN=Beech Root"}, {"Number  : ", "Number  : 01:"}, {"Start : 00:00:00", "Start : 00:00:01"}} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("no %q in\n%s", change[0], text)
		}
		l := listing(t, "iosxr", changed)
		l.Identify(pool.Source{Name: "it", Certificates: b.Certificates})
		if e := l.Entries[0]; e.Match.By != pool.BySHA1 || !e.Differs {
			t.Errorf("%s: %+v", change[1], e)
		}
	}
	l := listing(t, "iosxr", text)
	l.Identify(pool.Source{Name: "it", Certificates: b.Certificates})
	if l.Entries[0].Differs {
		t.Error("nothing was changed")
	}
}

func TestListingRefused(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"asa":   "how Cisco ASA shows its pool is not known",
		"fxos":  "how Cisco FXOS shows its pool is not known",
		"iosxr": "no certificate in it",
	} {
		if _, err := device.ReadListing(nil, platform(t, name), at); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := device.ReadListing([]byte(capture(t, "iosxe-ist.txt")), platform(t, "iosxe"), time.Time{}); err == nil {
		t.Error("no time, and no error")
	}
}

// The captured certificates are those of the table of what is built in.
func TestCaptureIsBuiltIn(t *testing.T) {
	t.Parallel()
	for name, file := range map[string]string{"iosxe": "iosxe-ist.txt", "iosxr": "iosxr-fn72290.txt"} {
		l := listing(t, name, capture(t, file))
		for _, e := range l.Entries {
			offset := 5*time.Hour + 30*time.Minute
			if e.NotBefore.Known() {
				offset = 0
			}
			if !slices.ContainsFunc(platform(t, name).BuiltIn().Entries, func(b pool.Entry) bool {
				return b.Serial == e.Serial && (e.SHA1 == "" || strings.EqualFold(e.SHA1, b.SHA1)) &&
					b.NotBefore.Add(offset).Equal(e.NotBefore.Clock) && b.NotAfter.Add(offset).Equal(e.NotAfter.Clock)
			}) {
				t.Errorf("%s: %s is not in the table", name, e.Subject)
			}
		}
	}
}

func TestListingReports(t *testing.T) {
	t.Parallel()
	text := capture(t, "iosxe-ist.txt")
	_, first, _ := strings.Cut(text, "trustpool\n")
	l := listing(t, "iosxe", text+"\n"+first[:strings.Index(first, "\n\n")]+"\n")
	l.File = "a\u202eb"
	root := fixture(t, "quovadis-root-ca-2.pem")
	l.Identify(pool.Source{Name: "roots.pem", Certificates: root.Certificates})
	d, err := device.Compare(l.Pool(), root)
	if err != nil {
		t.Fatal(err)
	}
	d.PoolFile, d.File, d.Signature = "it", "roots.pem", "not verified: not-signed"
	l.Difference = d
	var b strings.Builder
	if err := l.WriteText(&b); err != nil {
		t.Fatal(err)
	}
	same(t, "text", b.String(), `a\u202eb: show crypto pki trustpool of Cisco IOS XE
certificates  6: 5 built-in, 1 downloaded
expired       0
identified    1 by serial number, names and dates (inferred), 5 not found

index  origin      not after       match               SHA-256           subject
1      built-in    2099-05-27 IST  not found           -                 cn=Cisco Manufacturing CA III,o=Cisco
2      built-in    2036-07-17 IST  not found           -                 cn=VeriSign Class 3 Public Primary Certification Authority - G5,ou=(c) 2006 VeriSign, Inc. - For authorized use only,ou=VeriSign Trust Network,o=VeriSign, Inc.,c=US
3      built-in    2034-07-10 IST  not found           -                 cn=Cisco RXC-R2,o=Cisco Systems,c=US
4      built-in    2038-05-31 IST  not found           -                 cn=Cisco Licensing Root CA,o=Cisco
5      downloaded  2031-11-24      serial-names-dates  85a0dd7dd720adb7  CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM
6      built-in    2099-05-27 IST  not found           -                 cn=Cisco Manufacturing CA III,o=Cisco [the same as 1]

pool    it, iosxe, 6 certificates
bundle  roots.pem, 1 certificate, not verified: not-signed

On the device only: 5
  -                 2099-05-27  built-in    cn=Cisco Manufacturing CA III,o=Cisco
  -                 2036-07-17  built-in    cn=VeriSign Class 3 Public Primary Certification Authority - G5,ou=(c) 2006 VeriSign, Inc. - For authorized use only,ou=VeriSign Trust Network,o=VeriSign, Inc.,c=US
  -                 2034-07-10  built-in    cn=Cisco RXC-R2,o=Cisco Systems,c=US
  -                 2038-05-31  built-in    cn=Cisco Licensing Root CA,o=Cisco
  -                 2099-05-27  built-in    cn=Cisco Manufacturing CA III,o=Cisco

0 missing, 5 on the device only, 1 in both: 1 by serial number, names and dates (inferred).

note: the device shows no fingerprint: another certificate of the same serial number, names and dates would be shown alike (confirmed: public captures of show crypto pki trustpool)
note: dates are in the device's zone IST, and how far that is from UTC is not known: they are compared to 14 hours (inferred: no registry of the names of zones)
`)
	for _, write := range []func(*bytes.Buffer) error{
		func(b *bytes.Buffer) error { return l.WriteJSON(b, true) }, func(b *bytes.Buffer) error { return d.WriteJSON(b) },
	} {
		var b bytes.Buffer
		if err := write(&b); err != nil || !json.Valid(b.Bytes()) {
			t.Errorf("%v: %s", err, b.Bytes())
		}
	}
}

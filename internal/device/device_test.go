package device_test

import (
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/roots"
	"trustpool/signing"
)

func TestLookup(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"asa": "asa", "asav": "asa", "ios": "ios", "iosxe": "iosxe", "c9800": "iosxe", "iosxr": "iosxr", "asr9k": "iosxr",
		"ncs": "iosxr", "ASR9K": "iosxr", "fxos": "fxos", "ftd": "ftd", "nxos": "nxos",
	} {
		same(t, name, platform(t, name).Name, want)
	}
	for _, name := range []string{"", "junos", "asa "} {
		p, err := device.Lookup(name)
		if err == nil || p.Name != "" {
			t.Fatalf("%q is platform %q", name, p.Name)
		}
		for _, p := range device.Platforms() {
			for _, n := range append(p.Aliases, p.Name) {
				if !strings.Contains(err.Error(), n) {
					t.Errorf("%v does not list %s", err, n)
				}
			}
		}
	}
}

func TestAnchors(t *testing.T) {
	t.Parallel()
	m1, trs := roots.CiscoRootCAM1(), roots.TRSBundleRootCA()
	for name, want := range map[string][]roots.Anchor{"asa": {m1}, "ios": {m1}, "iosxe": {m1, trs}, "iosxr": {m1}, "fxos": nil, "ftd": nil, "nxos": nil} {
		same(t, name, platform(t, name).Anchors(), want)
	}
}

func TestSignature(t *testing.T) {
	t.Parallel()
	other := []roots.Anchor{roots.CiscoRootCAM1()}
	accept := func(o *device.ImportOptions) { o.AcceptUnsigned = true }
	given := func(o *device.ImportOptions) { o.Anchors = other }
	own := func(o *device.ImportOptions) { o.Anchors = nil }
	for _, tt := range []struct {
		platform, file string
		change         func(*device.ImportOptions)
		reason         signing.Reason // why it is not verified
		basis          device.Basis   // of the refusal; empty for none
	}{
		{"asa", "lab-core-v1.p7b", nil, "", ""},
		{"ios", "lab-core-v1.p7b", nil, "", ""},
		{"iosxe", "lab-core-v1.p7b", nil, "", ""},
		{"iosxr", "lab-core-v1.p7b", nil, "", ""},

		{"asa", "lab-core-v1.p7b", own, signing.ChainNoAnchor, device.Unverified},
		{"ios", "lab-core-v1.p7b", own, signing.ChainNoAnchor, device.Inferred},
		{"iosxe", "lab-core-v1.p7b", own, signing.ChainNoAnchor, device.Confirmed},
		{"iosxr", "lab-core-v1.p7b", own, signing.ChainNoAnchor, device.Confirmed},
		{"iosxr", "lab-core-v1.p7b", given, signing.ChainNoAnchor, device.Confirmed},

		{"asa", "lab.pem", nil, signing.NotSigned, device.Unverified},
		{"ios", "lab.pem", nil, signing.NotSigned, device.Inferred},
		{"iosxe", "lab-certs-only.p7b", nil, signing.NotSigned, device.Confirmed},
		{"iosxr", "one.der", nil, signing.NotSigned, device.Confirmed},
		{"iosxr", "lab-outer.p7b", nil, signing.PoolNotCovered, device.Confirmed},

		{"asa", "lab-core-v1.p7b", accept, "", ""},
		{"asa", "lab.pem", accept, signing.NotSigned, ""},
		{"asa", "lab-outer.p7b", accept, signing.PoolNotCovered, ""},
	} {
		t.Run(tt.platform+" "+tt.file, func(t *testing.T) {
			t.Parallel()
			o := lab(t, tt.platform)
			if tt.change != nil {
				tt.change(&o)
			}
			r := doImport(t, nil, fixture(t, tt.file), o)
			same(t, "reason", r.Reason, tt.reason)
			same(t, "verified", r.Verification != nil, tt.reason == "")
			same(t, "basis", r.RefusedOn.Basis, tt.basis)
			same(t, "refused", r.Refused != "", tt.basis != "")
			same(t, "lab root", r.LabRoot, o.Anchors != nil)
			if r.Refused != "" && !strings.Contains(r.Refused, string(tt.reason)) {
				t.Errorf("refused without the reason: %s", r.Refused)
			}
			if r.Refused == "" && r.Reason != "" && r.Certificates[0].Basis != device.Unverified {
				t.Errorf("taken without a signature, and %s", r.Certificates[0].Basis)
			}
		})
	}
}

func TestNoBundle(t *testing.T) {
	t.Parallel()
	for name, advice := range map[string]string{"fxos": "ENDOFBUF", "ftd": "FMC", "nxos": "cabundle url"} {
		p := platform(t, name)
		have := p.BuiltIn()
		o := lab(t, name)
		o.AcceptUnsigned, o.DisableRSA1024 = true, true
		r := doImport(t, have, fixture(t, "lab-core-v1.p7b"), o)
		if !strings.Contains(r.Refused, advice) || len(have.Entries) != 0 {
			t.Errorf("%s: %s", name, r.Refused)
		}
	}
}

// TestRules has one certificate for each rule, and says what becomes of each on
// every platform and setting.
func TestRules(t *testing.T) {
	t.Parallel()
	rsa := func(key string, algorithm pkitest.Algorithm) func(*pkitest.Template) {
		return func(t *pkitest.Template) {
			*t = pkitest.RootTemplate(t.Subject, pkitest.RSA(key))
			t.Algorithm = algorithm
		}
	}
	good := newRoot("Good", nil)
	b := signed(t,
		good, // 1
		newRoot("Future", func(t *pkitest.Template) { t.NotBefore = pkitest.Date(2030, 1, 1) }), // 2
		newRoot("Expired", func(t *pkitest.Template) { t.NotAfter = pkitest.Date(2024, 1, 1) }), // 3
		newRoot("Now", func(t *pkitest.Template) { t.NotAfter = pkitest.At(at) }),               // 4
		good, // 5
		newRoot("Good", func(t *pkitest.Template) { t.Serial = []byte{9} }),                     // 6
		newRoot("SHA-1", rsa("sha1-self", pkitest.SHA1WithRSA)),                                 // 7
		newRoot("MD5", rsa("md5-self", pkitest.MD5WithRSA)),                                     // 8
		newRoot("RSA-1024", rsa("rsa-1024", 0)),                                                 // 9
		newRoot("Unreadable", func(t *pkitest.Template) { t.NotAfter.Text = "250230000000Z" }),  // 10
		newRoot("Unreadable", func(t *pkitest.Template) { t.NotBefore.Text = "190230000000Z" }), // 11
		pkitest.TLV(0x30, []byte{5, 0}),                                                         // 12: no certificate
	)
	// Letters: installed, duplicate, expired, failed, each with c, i or u for its basis.
	for _, tt := range []struct {
		platform string
		change   func(*device.ImportOptions)
		want     string
	}{
		{"asa", nil, "Ic Iu Ei Ic Di Ic Ic Ic Ic Fi Fi Fi"},
		{"asa", func(o *device.ImportOptions) { o.FIPS = true }, "Ii Iu Ei Ii Di Ii Fi Fu Fu Fi Fi Fi"},
		{"ios", nil, "Ii Iu Eu Ii Du Ii Ii Ii Ii Fi Fi Fi"},
		{"ios", func(o *device.ImportOptions) { o.FIPS = true }, "Iu Iu Eu Iu Du Iu Fu Fu Fu Fi Fi Fi"},
		{"iosxe", nil, "Ic Iu Eu Ic Du Ic Ic Ic Ic Fi Fi Fi"},
		{"iosxe", func(o *device.ImportOptions) { o.FIPS = true }, "Iu Iu Eu Iu Du Iu Fu Fu Fu Fi Fi Fi"},
		{"iosxe", func(o *device.ImportOptions) { o.UniqueNames = true }, "Ic Iu Eu Ic Du Di Ic Ic Ic Fi Fi Fi"},
		{"iosxr", nil, "Ii Iu Eu Ii Du Ii Ii Ii Ii Fi Fi Fi"},
		{"iosxr", func(o *device.ImportOptions) { o.DisableRSA1024 = true }, "Ii Iu Eu Ii Du Ii Ii Ii Fc Fi Fi Fi"},
		{"iosxr", func(o *device.ImportOptions) { o.DisableRSA1024, o.FIPS = true, true }, "Iu Iu Eu Iu Du Iu Fu Fu Fc Fi Fi Fi"},
	} {
		o := lab(t, tt.platform)
		if tt.change != nil {
			tt.change(&o)
		}
		r := doImport(t, nil, b, o)
		var got []string
		for _, e := range r.Certificates {
			got = append(got, strings.ToUpper(string(e.Outcome[:1]))+string(e.Basis[:1]))
		}
		same(t, tt.platform, strings.Join(got, " "), tt.want)
	}
}

// TestOrder gives certificates that more than one rule would catch.
func TestOrder(t *testing.T) {
	t.Parallel()
	weak := func(t *pkitest.Template) {
		*t = pkitest.RootTemplate(t.Subject, pkitest.RSA("rsa-1024"))
		t.Algorithm = pkitest.SHA1WithRSA
	}
	old := newRoot("Old", func(t *pkitest.Template) { weak(t); t.NotAfter = pkitest.Date(2021, 1, 1) })
	short := newRoot("Short", weak)
	o := lab(t, "asa")
	o.FIPS = true
	r := doImport(t, nil, signed(t, old, old, short, short), o)
	for i, want := range []device.Outcome{device.Expired, device.Expired, device.Failed, device.Duplicate} {
		same(t, r.Certificates[i].Reason, r.Certificates[i].Outcome, want)
	}
	if reason := r.Certificates[2].Reason; !strings.Contains(reason, "SHA-1") {
		t.Errorf("the better known rule does not come first: %s", reason)
	}
	if reason := r.Certificates[3].Reason; !strings.Contains(reason, "certificate 3") {
		t.Errorf("which one it repeats is not said: %s", reason)
	}
}

func TestDuplicateKeys(t *testing.T) {
	t.Parallel()
	b := signed(t, newRoot("Known", func(t *pkitest.Template) { t.Serial = []byte{5, 9} }))
	// What is known of the certificate in full is what an import writes.
	full := &pool.Pool{Platform: "asa"}
	doImport(t, full, b, lab(t, "asa"))
	known := full.Entries[0]
	if known.Serial != "0509" || known.Issuer != "CN=Known,O=Device Test" || known.Issuer != known.Subject ||
		known.Origin != pool.Downloaded || !known.NotAfter.Equal(b.Certificates[0].NotAfter.Time) {
		t.Fatalf("%+v", known)
	}
	zeroes := func(n int) string { return strings.Repeat("0", n) }
	for _, tt := range []struct {
		name   string
		change func(*pool.Entry)
		want   pool.Key
	}{
		{"all", func(*pool.Entry) {}, pool.BySHA256},
		{"SHA-256 alone", func(e *pool.Entry) { *e = pool.Entry{Origin: e.Origin, SHA256: e.SHA256} }, pool.BySHA256},
		{"SHA-1 and name", func(e *pool.Entry) { e.SHA256 = "" }, pool.BySHA1},
		{"name", func(e *pool.Entry) { e.SHA256, e.SHA1 = "", "" }, pool.ByIssuerSerial},
		{"another SHA-256 decides", func(e *pool.Entry) { e.SHA256 = zeroes(64) }, ""},
		{"another SHA-1 decides", func(e *pool.Entry) { e.SHA256, e.SHA1 = "", zeroes(40) }, ""},
		{"another serial", func(e *pool.Entry) { e.SHA256, e.SHA1, e.Serial = "", "", "0905" }, ""},
		{"another issuer", func(e *pool.Entry) { e.SHA256, e.SHA1, e.Issuer = "", "", "CN=Known" }, ""},
	} {
		e := known
		tt.change(&e)
		r := doImport(t, &pool.Pool{Platform: "asa", Entries: []pool.Entry{e}}, b, lab(t, "asa"))
		same(t, tt.name, r.Certificates[0].MatchedBy, tt.want)
	}
	// The same file again.
	r := doImport(t, full, b, lab(t, "asa"))
	same(t, "again", counts(r), [4]int{0, 1, 0, 0})
	if reason := r.Certificates[0].Reason; !strings.Contains(reason, "downloaded") {
		t.Errorf("the origin is not said: %s", reason)
	}
}

func TestUniqueNames(t *testing.T) {
	t.Parallel()
	serial := func(n byte) []byte { return newRoot("Twin", func(t *pkitest.Template) { t.Serial = []byte{n} }) }
	o := lab(t, "iosxe")
	o.UniqueNames = true
	r := doImport(t, nil, signed(t, serial(1), serial(1), serial(2), serial(3), newRoot("Other", nil)), o)
	for i, want := range []pool.Key{"", pool.BySHA256, device.ByNames, device.ByNames, ""} {
		same(t, r.Certificates[i].Reason, r.Certificates[i].MatchedBy, want)
	}
	// One that the pool has still counts as one of the file.
	have := &pool.Pool{Platform: "iosxe"}
	doImport(t, have, signed(t, serial(1)), o)
	r = doImport(t, have, signed(t, serial(1), serial(2)), o)
	same(t, "matched by", r.Certificates[1].MatchedBy, device.ByNames)
	// The pool itself may hold another of the same names.
	r = doImport(t, have, signed(t, serial(2)), o)
	same(t, "installed", r.Installed, 1)
}

func TestClean(t *testing.T) {
	t.Parallel()
	p := platform(t, "iosxr")
	have := p.BuiltIn()
	o := lab(t, "iosxr")
	doImport(t, have, signed(t, newRoot("First", nil)), o)
	same(t, "entries", len(have.Entries), 5)
	o.Clean = true
	r := doImport(t, have, signed(t, newRoot("Second", nil), newRoot("First", nil)), o)
	same(t, "counts", counts(r), [4]int{2, 0, 0, 0})
	if !reflect.DeepEqual(have.Entries[:4], p.BuiltIn().Entries) {
		t.Error("built-in entries changed")
	}
	same(t, "downloaded", have.Entries[4].Subject+" "+have.Entries[5].Subject, "CN=Second,O=Device Test CN=First,O=Device Test")
}

// TestPoolUntouched refuses files and options, and finds the pool as it was.
func TestPoolUntouched(t *testing.T) {
	t.Parallel()
	good := fixture(t, "lab-core-v1.p7b")
	for _, tt := range []struct {
		name, platform string
		change         func(*device.ImportOptions)
		b              *bundle.Bundle
		err            string // empty: refused
	}{
		{"not signed", "iosxr", nil, fixture(t, "lab.pem"), ""},
		{"not signed, clean", "iosxe", func(o *device.ImportOptions) { o.Clean = true }, fixture(t, "lab.pem"), ""},
		{"other anchor", "asa", func(o *device.ImportOptions) { o.Anchors = nil }, good, ""},
		{"too early", "asa", func(o *device.ImportOptions) { o.At = time.Date(2019, 1, 1, 0, 0, 0, 0, time.UTC) }, good, ""},
		{"no platform", "asa", func(o *device.ImportOptions) { o.Platform = device.Platform{} }, good, "Lookup"},
		{"made platform", "asa", func(o *device.ImportOptions) { o.Platform = device.Platform{Name: "asa"} }, good, "Lookup"},
		{"no time", "asa", func(o *device.ImportOptions) { o.At = time.Time{} }, good, "no time"},
		{"other pool", "asa", func(o *device.ImportOptions) { o.Platform = platform(t, "iosxr") }, good, `platform "asa"`},
		{"RSA-1024 on ASA", "asa", func(o *device.ImportOptions) { o.DisableRSA1024 = true }, good, "IOS XR"},
		{"RSA-1024 on IOS XE", "iosxe", func(o *device.ImportOptions) { o.DisableRSA1024 = true }, good, "IOS XR"},
		{"unsigned on IOS XE", "iosxe", func(o *device.ImportOptions) { o.AcceptUnsigned = true }, good, "terminal"},
		{"unsigned on IOS", "ios", func(o *device.ImportOptions) { o.AcceptUnsigned = true }, good, "terminal"},
		{"unsigned on IOS XR", "iosxr", func(o *device.ImportOptions) { o.AcceptUnsigned = true }, good, "IOS XR takes no unsigned"},
		{"names on ASA", "asa", func(o *device.ImportOptions) { o.UniqueNames = true }, good, "IOS XE 16"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			have := &pool.Pool{Platform: tt.platform, Entries: make([]pool.Entry, 0, 8)}
			have.Entries = append(have.Entries, platform(t, "iosxr").BuiltIn().Entries...)
			have.Entries[1].Origin = pool.Downloaded
			before := pool.Pool{Platform: have.Platform, Entries: slices.Clone(have.Entries)}
			o := lab(t, tt.platform)
			if tt.change != nil {
				tt.change(&o)
			}
			r, err := device.Import(have, tt.b, o)
			switch {
			case tt.err == "" && (err != nil || r.Refused == "" || len(r.Certificates) != 0):
				t.Errorf("not refused: %v %+v", err, r)
			case tt.err != "" && (err == nil || r != nil || !strings.Contains(err.Error(), tt.err)):
				t.Errorf("got %v, want an error with %q", err, tt.err)
			}
			if !reflect.DeepEqual(*have, before) {
				t.Errorf("the pool changed: %+v", have)
			}
		})
	}
}

func TestBrokenPool(t *testing.T) {
	t.Parallel()
	have := &pool.Pool{Platform: "asa", Entries: []pool.Entry{{Origin: pool.BuiltIn, SHA256: "AB"}}}
	if _, err := device.Import(have, fixture(t, "lab-core-v1.p7b"), lab(t, "asa")); err == nil || !strings.Contains(err.Error(), "pool entry 1") {
		t.Error(err)
	}
}

// TestSums imports the bundle of oddities everywhere; doImport checks the sums.
func TestSums(t *testing.T) {
	t.Parallel()
	b := fixture(t, "lab-quirks-v1.p7b")
	for _, p := range device.Platforms() {
		for settings := range 8 {
			o := lab(t, p.Name)
			o.FIPS = settings&1 != 0
			o.DisableRSA1024 = settings&2 != 0 && p.Name == "iosxr"
			o.UniqueNames = settings&4 != 0 && p.Name == "iosxe"
			r := doImport(t, p.BuiltIn(), b, o)
			if want := len(b.Certificates); p.Advice == "" && r.Attempted != want {
				t.Errorf("%s: attempted %d of %d", p.Name, r.Attempted, want)
			}
		}
	}
	r := doImport(t, nil, b, lab(t, "asa"))
	same(t, "counts", counts(r), [4]int{r.Attempted - 2, 0, 1, 1}) // one expired, one no certificate
}

func TestNotes(t *testing.T) {
	t.Parallel()
	has := func(r *device.ImportReport, text string) bool {
		return slices.ContainsFunc(r.Notes, func(n device.Note) bool { return strings.Contains(n.Text, text) })
	}
	lab1 := lab(t, "asa")
	r := doImport(t, nil, fixture(t, "lab-core-v1.p7b"), lab1)
	if !has(r, "lab device") || !has(r, "Lab Root CA") || !has(r, "built-in pool of Cisco ASA is not known") || has(r, "FIPS") {
		t.Errorf("%+v", r.Notes)
	}
	lab1.AcceptUnsigned, lab1.Clean = true, true
	r = doImport(t, nil, fixture(t, "lab.pem"), lab1)
	if !has(r, "not-signed") || !has(r, "dropped") {
		t.Errorf("%+v", r.Notes)
	}
	sha1, err := roots.FromCertificate(fixture(t, "lab-sha1-root.pem").Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	sha1.SHA1Links = true
	o := lab(t, "iosxr")
	o.Anchors, o.FIPS = []roots.Anchor{sha1}, true
	r = doImport(t, nil, fixture(t, "lab-sha1.p7b"), o)
	if !has(r, "FIPS") || has(r, "is not known: what it has") {
		t.Errorf("%+v", r.Notes)
	}
}

func BenchmarkImport(b *testing.B) {
	for _, size := range []struct {
		name string
		n    int
	}{{"1e3", 1_000}, {"1e4", 10_000}, {"1e5", 100_000}} {
		b.Run(size.name, func(b *testing.B) {
			data := pkitest.Large(size.n)
			in := parse(b, data)
			o := lab(b, "iosxe")
			b.SetBytes(int64(len(data)))
			b.ReportAllocs()
			for b.Loop() {
				if r, err := device.Import(o.Platform.BuiltIn(), in, o); err != nil || r.Installed != size.n {
					b.Fatal(err, r)
				}
			}
		})
	}
}

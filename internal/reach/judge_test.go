package reach_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/hex"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

func parse(t testing.TB, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func file(t testing.TB, path string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

func signed(t testing.TB, certs ...[]byte) *bundle.Bundle {
	t.Helper()
	return parse(t, pkitest.Bundle(pkitest.Lab().Signer, "Test Bundle", "1", at, certs...))
}

func labServers(t testing.TB) (out []reach.Server) {
	t.Helper()
	for _, s := range pkitest.LabServers() {
		out = append(out, server(t, s.Host, s.Chain...))
	}
	return out
}

func filter(t testing.TB, text string) bundle.Filter {
	t.Helper()
	f, err := bundle.ParseFilter(text, at)
	if err != nil {
		t.Fatal(err)
	}
	return f
}

func options(t testing.TB, platform string) *device.ImportOptions {
	t.Helper()
	p, err := device.Lookup(platform)
	if err != nil {
		t.Fatal(err)
	}
	root, err := roots.FromCertificate(certificate.Read(pkitest.Lab().Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	return &device.ImportOptions{Platform: p, At: at, Anchors: []roots.Anchor{root}}
}

func judge(t testing.TB, p reach.Plan) *reach.Report {
	t.Helper()
	if p.At.IsZero() {
		p.At = at
	}
	r, err := reach.Judge(p)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func verdicts(r *reach.Report) string {
	var out []string
	for _, s := range r.Servers {
		out = append(out, s.Name+" "+string(s.Verdict))
	}
	return strings.Join(out, "\n")
}

// The genuine core bundle of 2017 at the day of Cisco's note on tools.cisco.com,
// whose chain is that intermediate and a server's certificate that nobody kept.
func TestGenuine(t *testing.T) {
	t.Parallel()
	core := file(t, tooltest.Corpus(t, tooltest.Core2017))
	hydrant := file(t, "../../testdata/bundles/hydrantid-ssl-ica-g2.pem").Certificates[0]
	quovadis := file(t, "../../testdata/bundles/quovadis-root-ca-2.pem").Certificates[0]
	pick := func(c *certificate.Certificate) bundle.Filter { return filter(t, hex.EncodeToString(c.SHA256[:])) }
	plan := reach.Plan{New: core, Servers: []reach.Server{{Name: "tools", Certificates: []*certificate.Certificate{hydrant}}}}
	plan.At = time.Date(2018, 10, 10, 0, 0, 0, 0, time.UTC)

	r := judge(t, plan)
	s := r.Servers[0]
	if s.Verdict != reach.Works || s.HasServer || len(s.Results[0].Paths) != 2 || s.Results[0].Paths[0].Anchor().SHA256 != quovadis.SHA256 || !r.Good() {
		t.Errorf("as it is: %s", verdicts(r))
	}

	plan.Without = []bundle.Filter{pick(quovadis)}
	r = judge(t, plan)
	s = r.Servers[0]
	if s.Verdict != reach.StillWorks || s.Results[1].Paths[0].Anchor().SHA256 != hydrant.SHA256 || len(s.Lost) != 1 || !r.Good() {
		t.Errorf("without the root: %s", verdicts(r))
	}
	if text := text(t, r); !strings.Contains(text, "HydrantID SSL ICA G2,O=HydrantID (Avalanche Cloud Corporation),C=US, an intermediate that the pool holds itself\n") {
		t.Errorf("without the root the report does not say that the pool holds the intermediate:\n%s", text)
	}

	plan.Without = append(plan.Without, pick(hydrant))
	r = judge(t, plan)
	s = r.Servers[0]
	if s.Verdict != reach.Breaks || len(s.Fixes) != 2 || s.Fixes[0].Certificate.SHA256 != quovadis.SHA256 || r.Good() {
		t.Errorf("without both: %s", verdicts(r))
	}

	// An ASA in FIPS mode refuses the root and takes the intermediate.
	asa, err := device.Lookup("asa")
	if err != nil {
		t.Fatal(err)
	}
	plan.Without, plan.Device = nil, &device.ImportOptions{Platform: asa, At: plan.At, FIPS: true}
	r = judge(t, plan)
	s = r.Servers[0]
	if s.Verdict != reach.Works || len(s.Lost) != 1 || s.Lost[0].Certificate.SHA256 != quovadis.SHA256 || s.Lost[0].Basis != device.Inferred {
		t.Errorf("FIPS: %s %+v", verdicts(r), s.Lost)
	}
	// In 2026 the intermediate itself has expired.
	plan.Device, plan.At = nil, time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	if r = judge(t, plan); r.Servers[0].Verdict != reach.Fails {
		t.Errorf("2026: %s", verdicts(r))
	}
}

func text(t testing.TB, r *reach.Report) string {
	t.Helper()
	var out bytes.Buffer
	if err := r.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestChange(t *testing.T) {
	t.Parallel()
	r := judge(t, reach.Plan{Old: signed(t, pkitest.CoreV1()...), New: signed(t, pkitest.CoreV2()...), Servers: labServers(t)})
	const want = "lab.example still-works\nelm.example breaks\nfir.example still-works\ngorse.example breaks\nhazel.example newly-works\n" +
		"other.example fails\nsha1-root.example fails\nodd-root.example fails"
	if got := verdicts(r); got != want || r.Good() {
		t.Errorf("%s\nwant\n%s", got, want)
	}
	elm := r.Servers[1]
	if len(elm.Fixes) != 1 || elm.Fixes[0].Name != elm.Lost[0].Certificate.Subject.String() || elm.Fixes[0].Text != "in the pool before" {
		t.Errorf("%+v", elm.Fixes)
	}
	// The same with a leaf, of what the pool holds of its chain: root and
	// intermediate, the intermediate, neither.
	lab := labServers(t)[:1]
	both := signed(t, pkitest.Lab().Root.DER, pkitest.Lab().Intermediate.DER)
	root, middle := pkitest.Lab().Root.DER, pkitest.Lab().Intermediate.DER
	pick := func(der []byte) bundle.Filter {
		sum := certificate.Read(der).SHA256
		return filter(t, hex.EncodeToString(sum[:]))
	}
	if r := judge(t, reach.Plan{New: both, Servers: lab}); r.Servers[0].Verdict != reach.Works || !r.Servers[0].HasServer {
		t.Error(verdicts(r))
	}
	if r := judge(t, reach.Plan{New: both, Servers: lab, Without: []bundle.Filter{pick(root)}}); r.Servers[0].Verdict != reach.StillWorks ||
		!strings.Contains(text(t, r), "CN=Lab Intermediate CA,O=Trustpool Lab, an intermediate that the pool holds itself") {
		t.Error(text(t, r))
	}
	if r := judge(t, reach.Plan{New: both, Servers: lab, Without: []bundle.Filter{pick(root), pick(middle)}}); r.Servers[0].Verdict != reach.Breaks || r.Good() {
		t.Error(verdicts(r))
	}
}

// Two unknown answers are the same only where the second asks for nothing more.
func TestUnknownTwice(t *testing.T) {
	t.Parallel()
	template := pkitest.RootTemplate(pkitest.NewName("CN=RSA root"), pkitest.RSA("alder"))
	root := template.Issue(nil)
	template.NotAfter = pkitest.Date(2025, 1, 1)
	expired := template.Issue(nil)
	leaf := pkitest.ServerTemplate(host)
	sha1Signed(&leaf)
	plan := reach.Plan{Old: signed(t, root.DER), New: signed(t, expired.DER), Servers: []reach.Server{server(t, host, leaf.Sign(root))}}
	if r := judge(t, plan); r.Servers[0].Verdict != reach.MayBreak || r.Good() {
		t.Errorf("SHA-1, then an expired anchor too: %s", verdicts(r))
	}
	plan.Old, plan.New = plan.New, plan.Old
	if r := judge(t, plan); r.Servers[0].Verdict != reach.NotKnown || !r.Good() {
		t.Errorf("a doubt less: %s", verdicts(r))
	}
}

// Nothing is said to mend a chain that would fail with it.
func TestNoFix(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	middle := authority(root, "middle", nil)
	expired := authority(root, "middle", func(t *pkitest.Template) { t.NotAfter = pkitest.Date(2025, 1, 1) })
	leaf := pkitest.ServerTemplate(host).Sign(middle)
	other := signed(t, pkitest.CoreV1()...)
	if r := judge(t, reach.Plan{New: other, Servers: []reach.Server{server(t, host, leaf, middle.DER, root.DER)}}); len(r.Servers[0].Fixes) != 1 {
		t.Errorf("the root mends it: %s", text(t, r))
	}
	for _, chain := range [][][]byte{{leaf, expired.DER, root.DER}, {leaf, expired.DER}} {
		if r := judge(t, reach.Plan{New: other, Servers: []reach.Server{server(t, host, chain...)}}); len(r.Servers[0].Fixes) != 0 {
			t.Errorf("an intermediate has expired: %s", text(t, r))
		}
	}
	plan := reach.Plan{Old: signed(t, middle.DER, root.DER), New: other, Servers: []reach.Server{server(t, host, leaf, middle.DER)}}
	plan.RootsOnly = true
	if r := judge(t, plan); len(r.Servers[0].Fixes) != 1 || r.Servers[0].Fixes[0].Name != "CN=root,O=Reach Lab" {
		t.Errorf("only roots are anchors: %s", text(t, r))
	}
}

// In FIPS mode the device refuses the SHA-1 root, and the report names the
// intermediate that the server sends.
func TestFIPS(t *testing.T) {
	t.Parallel()
	o := options(t, "asa")
	o.FIPS = true
	r := judge(t, reach.Plan{New: signed(t, pkitest.QuirkPool()...), Servers: labServers(t)[6:7], Device: o})
	s := r.Servers[0]
	if s.Verdict != reach.Fails || s.Results[0].Status != reach.OK || len(s.Lost) != 1 || len(s.Fixes) != 1 {
		t.Fatalf("%s %+v %+v", verdicts(r), s.Lost, s.Fixes)
	}
	f := s.Fixes[0]
	if f.Name != "CN=Quirk SHA-256 Intermediate CA,O=Quirk Lab" || f.Basis != device.Inferred ||
		!strings.Contains(f.Text, "instead of CN=Quirk sha1-signature,O=Quirk Lab") {
		t.Errorf("%+v", f)
	}
}

// Of a built-in certificate only the fingerprint is known: where the bundle or the
// chain has the certificate it counts, and otherwise nothing is claimed.
func TestBuiltIn(t *testing.T) {
	t.Parallel()
	root := certificate.Read(pkitest.Lab().Root.DER)
	pool := &pool.Pool{Platform: "iosxe", Entries: []pool.Entry{{
		Origin: pool.BuiltIn, SHA256: hex.EncodeToString(root.SHA256[:]), Subject: root.Subject.String(), Issuer: root.Issuer.String(),
	}}}
	none := signed(t, pkitest.CoreV1()[2])
	o := options(t, "iosxe")
	lab := labServers(t)[:1]
	r := judge(t, reach.Plan{New: none, Servers: lab, Device: o, Pool: pool})
	if s := r.Servers[0]; s.Verdict != reach.NotKnown || s.Results[2].Reason != reach.AnchorNotAtHand || r.Stages[2].Absent != 1 {
		t.Errorf("%s %+v", verdicts(r), r.Stages)
	}
	lab[0].Certificates = append(lab[0].Certificates, root)
	if r := judge(t, reach.Plan{New: none, Servers: lab, Device: o, Pool: pool}); r.Servers[0].Verdict != reach.StillWorks {
		t.Errorf("with the certificate in the chain: %s", verdicts(r))
	}
	if len(pool.Entries) != 1 {
		t.Error("the pool was changed")
	}
}

// A server that sends a certificate of its own making, with the names and the
// serial number of a built-in one, is not believed.
func TestBuiltInForged(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	forged := authority(nil, "root", func(t *pkitest.Template) { t.Key, t.Serial = pkitest.ECDSA("forger", elliptic.P256()), root.Serial })
	c := certificate.Read(root.DER)
	pool := &pool.Pool{Platform: "asa", Entries: []pool.Entry{{
		Origin: pool.BuiltIn, Subject: c.Subject.String(), Issuer: c.Issuer.String(), Serial: c.Serial.String(),
	}}}
	s := server(t, host, pkitest.ServerTemplate(host).Sign(forged), forged.DER)
	r := judge(t, reach.Plan{New: signed(t, pkitest.CoreV1()...), Servers: []reach.Server{s}, Device: options(t, "asa"), Pool: pool})
	if r.Servers[0].Verdict != reach.NotKnown || len(r.Servers[0].Results[2].Paths) > 0 {
		t.Errorf("%s", text(t, r))
	}
}

// Of an entry that is known as the device shows it, the name is compared by words;
// one that is known by a fingerprint alone may have any name.
func TestShown(t *testing.T) {
	t.Parallel()
	for name, entry := range map[string]pool.Entry{
		"shown":                {Origin: pool.Downloaded, Serial: "01", Shown: &pool.Shown{Subject: []string{"o=Trustpool Lab", "cn=Lab Root CA"}, Issuer: []string{"o=Trustpool Lab", "cn=Lab Root CA"}}},
		"other words for keys": {Origin: pool.Downloaded, Serial: "01", Issuer: "x", Subject: "organization=Trustpool Lab,name=Lab Root CA"},
		"SHA-1 alone":          {Origin: pool.BuiltIn, SHA1: strings.Repeat("0a", 20)},
		"SHA-256 alone":        {Origin: pool.BuiltIn, SHA256: strings.Repeat("0a", 32)},
	} {
		pool := &pool.Pool{Platform: "iosxe", Entries: []pool.Entry{entry}}
		r := judge(t, reach.Plan{New: signed(t, pkitest.CoreV1()[2]), Servers: labServers(t)[:1], Device: options(t, "iosxe"), Pool: pool})
		if r.Servers[0].Verdict != reach.NotKnown || r.Servers[0].Results[2].Reason != reach.AnchorNotAtHand {
			t.Errorf("%s: %s", name, text(t, r))
		}
	}
}

// What a device refuses as a whole changes nothing.
func TestRefused(t *testing.T) {
	t.Parallel()
	for _, platform := range []string{"asa", "iosxr", "fxos"} {
		o := options(t, platform)
		o.Anchors = nil
		r := judge(t, reach.Plan{Old: signed(t, pkitest.CoreV1()...), New: signed(t, pkitest.CoreV2()...), Servers: labServers(t)[:5], Device: o})
		for _, s := range r.Servers {
			if s.Verdict != reach.Fails {
				t.Errorf("%s on %s: %s", s.Name, platform, s.Verdict)
			}
		}
		if len(r.Stages) != 2 || r.Good() {
			t.Errorf("%s: %+v: what it has before is not known, so the answer is no", platform, r.Stages)
		}
		if out := text(t, r); strings.Count(out, "note: ") < 2 || !strings.Contains(out, "nothing is imported") || !strings.Contains(out, "the bundle is refused") {
			t.Errorf("%s:\n%s", platform, out)
		}
	}
}

// A pool grows: a root that the new bundle does not have stays on the device until
// its pool is cleaned.
func TestClean(t *testing.T) {
	t.Parallel()
	for _, clean := range []bool{false, true} {
		o := options(t, "asa")
		o.Clean = clean
		r := judge(t, reach.Plan{Old: signed(t, pkitest.CoreV1()...), New: signed(t, pkitest.CoreV2()...), Servers: labServers(t)[1:2], Device: o})
		want := reach.StillWorks
		if clean {
			want = reach.Breaks
		}
		if got := r.Servers[0].Verdict; got != want || r.Good() == clean {
			t.Errorf("clean %t: %s", clean, got)
		}
	}
}

// Nothing that a server or a bundle says controls the terminal.
func TestHostileText(t *testing.T) {
	t.Parallel()
	quirks := pkitest.Quirks()
	i := slices.IndexFunc(quirks, func(q pkitest.Quirk) bool { return q.Name == "hostile-text" })
	evil := pkitest.NewName("CN=evil\x1b[31m\r\nBREAKS")
	leaf := pkitest.ServerTemplate(host)
	leaf.Subject, leaf.Issuer = evil, evil
	servers, err := reach.ParseChains("a\x1b\nb", []byte("openssl s_client -connect \x1b[2Jx:1\r\n"+pems(leaf.Sign(pkitest.Lab().Root), quirks[i].DER)))
	if err != nil {
		t.Fatal(err)
	}
	all := func(*certificate.Certificate) bool { return true }
	r := judge(t, reach.Plan{New: signed(t, quirks[i].DER), Without: []bundle.Filter{all}, Servers: append(servers, reach.Server{
		Name: "root\x1b", Host: "h\u202e", Certificates: certificates(t, quirks[i].DER)})})
	r.File, r.Against = "f\x1b", "a\x1b"
	out := text(t, r)
	if strings.ContainsAny(out, "\x1b\r\x07\u202e") || strings.Contains(out, "\nBREAKS\n") || strings.Contains(out, "\nInstalled") {
		t.Errorf("%q", out)
	}
}

func TestPlan(t *testing.T) {
	t.Parallel()
	b := signed(t, pkitest.CoreV1()...)
	o := reach.Options{At: at}
	for name, p := range map[string]reach.Plan{
		"no servers":             {New: b, Options: o},
		"no time":                {New: b, Servers: labServers(t)},
		"a pool and no platform": {New: b, Servers: labServers(t), Options: o, Pool: &pool.Pool{Platform: "asa"}},
		"a pool of another":      {New: b, Servers: labServers(t), Options: o, Pool: &pool.Pool{Platform: "asa"}, Device: options(t, "iosxr")},
		"too many servers":       {New: b, Servers: make([]reach.Server, reach.MaxServers+1), Options: o},
	} {
		if _, err := reach.Judge(p); err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

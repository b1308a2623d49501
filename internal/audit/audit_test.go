package audit_test

import (
	"errors"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// at is the day for which the figures of the genuine files are known.
var at = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// subject reads a bundle and judges its signature.
func subject(t testing.TB, file string, anchors []roots.Anchor) audit.Subject {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: at})
	var refused *signing.VerifyError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	r := signing.NewReport(v, refused, &at)
	return audit.Subject{File: file, Entries: pool.Of(b.Certificates), Signature: &r}
}

func run(t testing.TB, s audit.Subject, o audit.Criteria) *audit.Report {
	t.Helper()
	if o.At.IsZero() {
		o.At = at
	}
	r, err := audit.Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found is how much each rule found; rules that found nothing are left out.
func found(r *audit.Report) map[string]int {
	out := map[string]int{}
	for _, x := range r.Results {
		if x.Found > 0 {
			out[x.Rule.ID] = x.Found
		}
	}
	return out
}

// What is known of the genuine files: counts of a survey with another reader.
func TestGenuine(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]map[string]int{
		tooltest.Core2017: {
			"signature-sha1-tolerated": 1, "expired": 2, "sha1-signature": 10, "rsa-small": 1, "not-ca": 1,
			"rsa-exponent": 3, "intermediate": 4, "time-form": 2, "version-form": 1,
		},
		tooltest.IOS2016: {
			"signature-sha1-tolerated": 1, "known-distrusted": 3, "distrust-after": 10, "expired": 29, "expiring": 1, "sha1-signature": 73, "not-ca": 3,
			"rsa-exponent": 8, "intermediate": 4, "serial-zero": 11, "time-form": 3, "name-form": 5, "version-form": 3,
		},
		tooltest.IOS2021: {
			"signature-sha1-tolerated": 1, "known-distrusted": 3, "distrust-after": 11, "expired": 6, "expiring": 1, "sha1-signature": 31,
			"same-names": 4, "same-key": 4, "rsa-exponent": 5, "serial-zero": 10, "time-form": 1, "name-form": 1,
		},
	} {
		r := run(t, subject(t, tooltest.Corpus(t, file), roots.BuiltIn()), audit.Criteria{})
		if got := found(r); !maps.Equal(got, want) {
			t.Errorf("%s: %v, not %v", file, got, want)
		}
		for _, x := range r.Results { // every self-signature is judged, those with MD5 and SHA-1 too
			if x.Rule.ID == "self-signature-invalid" && x.Applied+want["intermediate"] != len(r.Entries) {
				t.Errorf("%s: %d of %d self-signatures are judged", file, x.Applied, len(r.Entries))
			}
		}
	}
}

func TestNoTime(t *testing.T) {
	t.Parallel()
	if _, err := audit.Run(audit.Subject{}, audit.Criteria{}); err == nil {
		t.Error("no time, no error")
	}
}

// changes is the number of findings of each change.
func changes(r *audit.Report) map[audit.Change]int {
	out := map[audit.Change]int{}
	for _, f := range slices.Concat(r.Findings, r.Gone) {
		out[f.Change]++
	}
	return out
}

func TestAgainst(t *testing.T) {
	t.Parallel()
	old := bundled(t, plain(nil), quirk("expired"), quirk("serial-0"))
	s := bundled(t, quirk("serial-0"), quirk("rsa-1024"), plain(nil))
	s.Against = &old
	o := audit.Criteria{At: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)}
	r := run(t, s, o)
	if got, want := changes(r), (map[audit.Change]int{audit.New: 1, audit.Unchanged: 1, audit.Gone: 1}); !maps.Equal(got, want) {
		t.Errorf("%v, not %v", got, want)
	}
	for level, want := range map[audit.Severity]bool{audit.Info: true, audit.Warning: true, audit.Error: false, audit.Never: false} {
		if r.FailOn = level; r.Fails() != want {
			t.Errorf("fails at %s: %t", level, !want)
		}
	}

	// What is unchanged counts for nothing, unless it is a demand.
	s = bundled(t, quirk("expired"))
	s.Against = &s
	r = run(t, s, o)
	if r.FailOn = audit.Info; r.Fails() {
		t.Error("fails over what is unchanged")
	}
	need, err := audit.NeedFile("mine.pem", certificates(bundled(t, plain(nil))))
	if err != nil {
		t.Fatal(err)
	}
	s.Against = &old
	o.Needs = []audit.Need{need}
	if r = run(t, s, o); !r.Fails() || !strings.Contains(r.Findings[0].Detail, "removed: it was there before") {
		t.Errorf("%v", r.Findings)
	}
	s.Against = &audit.Subject{}
	if r = run(t, s, o); !r.Fails() {
		t.Error("a demand that was not met before either does not count")
	}
}

func TestNeeds(t *testing.T) {
	t.Parallel()
	day := func(s string) time.Time {
		d, err := time.Parse(time.DateOnly, s)
		if err != nil {
			t.Fatal(err)
		}
		return d
	}
	missing := func(r *audit.Report) (out []string) {
		for _, f := range r.Findings {
			if f.Rule.ID == "required-missing" {
				name, _, _ := strings.Cut(f.Detail, ",")
				out = append(out, name)
			}
		}
		return out
	}
	for _, test := range []struct{ need, at, want string }{
		{"smart-licensing", "2018-10-04", ""},
		{"smart-licensing", "2018-10-10", "QuoVadis Root CA 2"},
		{"smart-licensing", "2021-03-31", "QuoVadis Root CA 2, IdenTrust Commercial Root CA 1"},
		{"smart-licensing", "2022-02-05", "QuoVadis Root CA 2, IdenTrust Commercial Root CA 1"},
		{"smart-licensing", "2023-01-25", "QuoVadis Root CA 2, IdenTrust Commercial Root CA 1"},
		{"smart-licensing", "2023-01-26", "IdenTrust Commercial Root CA 1"},
		{"call-home", "2018-10-04", ""},
		{"call-home", "2022-02-04", "QuoVadis Root CA 2, IdenTrust Commercial Root CA 1"},
		{"call-home", "2022-02-05", "IdenTrust Commercial Root CA 1"},
		{"smart-receiver", "2021-03-30", ""},
		{"smart-receiver", "2023-01-25", "QuoVadis Root CA 2, IdenTrust Commercial Root CA 1"},
		{"smart-receiver", "2023-01-26", "IdenTrust Commercial Root CA 1"},
		{"client-auth", "2026-05-31", ""},
		{"client-auth", "2026-06-01", "IdenTrust Public Sector Root CA 1, DigiCert Assured ID Root G2"},
		{"umbrella", "2024-05-28", ""},
		{"umbrella", "2024-05-29", "DigiCert Global Root G2"},
		{"umbrella-switches", "2026-01-01", "ISRG Root X1"},
		{"webex", "2026-01-01", "DigiCert Global Root CA, DigiCert Global Root G2, IdenTrust Commercial Root CA 1"},
	} {
		n, ok := audit.LookupNeed(test.need)
		if !ok {
			t.Fatalf("no need is called %s", test.need)
		}
		r := run(t, bundled(t, plain(nil)), audit.Criteria{At: day(test.at), Needs: []audit.Need{n}})
		if got := strings.Join(missing(r), ", "); got != test.want {
			t.Errorf("%s at %s: %q", test.need, test.at, got)
		}
	}
	// A need says which of its roots root programs are removing.
	n, _ := audit.LookupNeed("webex")
	r := run(t, bundled(t, plain(nil)), audit.Criteria{Needs: []audit.Need{n}})
	if got := r.Needs[0].String(); !strings.HasPrefix(got, "webex: 0 of 3 roots there; being removed by root programs: DigiCert Global Root CA: Mozilla: not trusted for serverAuth") || strings.Contains(got, "G2") {
		t.Error(got)
	}
	for _, n := range audit.Needs() {
		for _, r := range n.Roots {
			for _, h := range r.Hosts {
				if !slices.Contains(n.Hosts, h) {
					t.Errorf("%s: %s is for %s, which the need does not name", n.Name, r.Name, h)
				}
			}
		}
	}
	// In genuine bundles, by the genuine fingerprints.
	smart, _ := audit.LookupNeed("smart-licensing")
	for file, want := range map[string]string{tooltest.Core2017: "IdenTrust Commercial Root CA 1", tooltest.IOS2016: "", tooltest.IOS2021: ""} {
		s := subject(t, tooltest.Corpus(t, file), roots.BuiltIn())
		if got := strings.Join(missing(run(t, s, audit.Criteria{Needs: []audit.Need{smart}})), ", "); got != want {
			t.Errorf("%s: %q", file, got)
		}
		if got := missing(run(t, s, audit.Criteria{At: day("2018-10-10"), Needs: []audit.Need{smart}})); len(got) > 0 {
			t.Errorf("%s in 2018: %q", file, got)
		}
	}
	seed := subject(t, "../../testdata/bundles/quovadis-root-ca-2.pem", roots.BuiltIn())
	if got := missing(run(t, seed, audit.Criteria{At: day("2018-10-10"), Needs: []audit.Need{smart}})); len(got) > 0 {
		t.Errorf("%q", got)
	}
}

func TestExceptions(t *testing.T) {
	t.Parallel()
	expired := quirk("expired")
	hash := bytesHex(sum(expired)[:])
	s := bundled(t, expired, quirk("same-name-key-a"), quirk("same-name-key-b"))
	for _, test := range []struct {
		text    string
		excused int
	}{
		{"", 0},
		{"exceptions: [{rule: expired, reason: r}]\n", 1},
		{"exceptions: [{rule: expired, sha256: " + hash + ", reason: r, until: 2026-11-22}]\n", 1},
		{"exceptions: [{rule: expired, sha256: " + hash + ", reason: r, until: 2026-11-21}]\n", 0},
		{"exceptions: [{rule: expired, spki: " + hash + ", reason: r}]\n", 0},
		{"exceptions: [{rule: same-key, sha256: " + bytesHex(sum(quirk("same-name-key-a"))[:]) + ", reason: r}]\n", 0}, // one of two
		{"exceptions: [{rule: same-key, sha256: " + bytesHex(sum(quirk("same-name-key-a"))[:]) + ", reason: r}, {rule: same-key, sha256: " + bytesHex(sum(quirk("same-name-key-b"))[:]) + ", reason: r}]\n", 1},
	} {
		if r := run(t, s, audit.Criteria{Requirements: requirements(t, test.text)}); r.Excused() != test.excused {
			t.Errorf("%s excuses %d", test.text, r.Excused())
		}
	}
	r := run(t, s, audit.Criteria{Requirements: requirements(t, "severities: {expired: error}\nexceptions: [{rule: expired, reason: r}]\n")})
	if r.Count(audit.Error) != 0 || r.Fails() {
		t.Error("an excused error counts")
	}
	r = run(t, s, audit.Criteria{Requirements: requirements(t, "severities: {expired: error}\n")})
	if r.Count(audit.Error) != 1 || !r.Fails() || r.Findings[0].Rule.ID != "expired" {
		t.Error("the severity of the requirements does not count")
	}
}

// What the requirements ask for is asked for, and what is expiring is theirs to
// say unless the caller does.
func TestRequirementsCount(t *testing.T) {
	t.Parallel()
	s := bundled(t, plain(func(x *pkitest.Template) { x.NotAfter = pkitest.At(at.AddDate(0, 0, 200)) }))
	for text, want := range map[string]map[string]int{
		"":                   {},
		"expiring: 1y\n":     {"expiring": 1},
		"need: [umbrella]\n": {"required-missing": 1},
		"allowed: []\n":      {"not-allowed": 1},
		"required: [{spki: " + strings.Repeat("f", 64) + "}]\n": {"required-missing": 1},
		"min-certificates: 2\n":                                 {"count": 1},
	} {
		if got := found(run(t, s, audit.Criteria{Requirements: requirements(t, text)})); !maps.Equal(got, want) {
			t.Errorf("%q: %v", text, got)
		}
	}
	r := run(t, s, audit.Criteria{Requirements: requirements(t, "expiring: 1y\n"), Expiring: time.Hour})
	if len(r.Findings) > 0 {
		t.Errorf("%v", r.Findings)
	}
}

func TestParseProgram(t *testing.T) {
	t.Parallel()
	certdata, err := os.ReadFile("../../roots/testdata/certdata.txt")
	if err != nil {
		t.Fatal(err)
	}
	ccadb, err := os.ReadFile("../../roots/testdata/ccadb-included.csv")
	if err != nil {
		t.Fatal(err)
	}
	dated := slices.Concat([]byte("# $Date: 2012/12/29 16:32:45 $\n"), certdata)
	day := time.Date(2012, 12, 29, 0, 0, 0, 0, time.UTC)
	for name, test := range map[string]struct {
		data        []byte
		given, want time.Time
	}{
		"certdata":                 {certdata, time.Time{}, time.Time{}},
		"certdata of a day":        {certdata, at, at},
		"certdata with a date":     {dated, time.Time{}, day},
		"the user knows better":    {dated, at, at},
		"a report of the CCADB":    {ccadb, time.Time{}, time.Time{}},
		"a date that is none":      {slices.Concat([]byte("# $Date: 2012-12-29 $\n"), certdata), time.Time{}, time.Time{}},
		"a date that is cut short": {slices.Concat(certdata, []byte("# $Date: 2012")), time.Time{}, time.Time{}},
	} {
		p, err := audit.ParseProgram(name, test.data, test.given)
		if err != nil || !p.Date.Equal(test.want) || len(p.Store.Roots) == 0 {
			t.Errorf("%s: %+v, %v", name, p, err)
		}
	}
	if _, err := audit.ParseProgram("x", []byte("nothing"), at); err == nil {
		t.Error("a program of nothing")
	}
}

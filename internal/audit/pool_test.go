package audit_test

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/audit"
	"trustpool/internal/device/show"
	"trustpool/internal/distrust"
	"trustpool/internal/pool"
)

// unknown is a pool of entries without certificates.
func unknown(entries ...pool.Entry) audit.Subject {
	return audit.Subject{File: "pool.json", Platform: "iosxe", Entries: entries}
}

// known is a pool whose certificates are all there.
func known(s audit.Subject) audit.Subject {
	s.Platform = "iosxe"
	return s
}

func result(t testing.TB, r *audit.Report, id string) audit.RuleResult {
	t.Helper()
	i := slices.IndexFunc(r.Results, func(x audit.RuleResult) bool { return x.Rule.ID == id })
	if i < 0 {
		t.Fatalf("no result of %s", id)
	}
	return r.Results[i]
}

// Of an entry without certificate rules take what its pool says, and where that is
// not enough it is counted: it does not pass.
func TestUnknown(t *testing.T) {
	t.Parallel()
	root := plain(nil)
	rootSHA1 := fmt.Sprintf("%x", sha1.Sum(root))
	need, err := audit.NeedFile("mine.pem", certificates(bundled(t, root)))
	if err != nil {
		t.Fatal(err)
	}
	needs := audit.Criteria{Needs: []audit.Need{need}}
	demand := func(text string) audit.Criteria { return audit.Criteria{Requirements: requirements(t, text)} }
	sha256 := "[{sha256: " + bytesHex(sum(root)[:]) + "}]\n"
	spki := "[{spki: " + strings.Repeat("ab", 32) + "}]\n"
	const zone = 14 * time.Hour
	inZone := func(t time.Time) *pool.Shown { return &pool.Shown{NotAfter: show.Date{Clock: t, Zone: "IST"}} }
	distrusted := distrust.List()[0]

	for name, test := range map[string]struct {
		entry   pool.Entry
		options audit.Criteria
		rule    string
		state   audit.State
		unknown int
		detail  string
	}{
		"expired":                  {pool.Entry{NotAfter: at.Add(-time.Second)}, audit.Criteria{}, "expired", audit.Found, 0, "expired "},
		"valid in its last second": {pool.Entry{NotAfter: at}, audit.Criteria{}, "expired", audit.Passed, 0, ""},
		"no date":                  {pool.Entry{}, audit.Criteria{}, "expired", audit.NotApplicable, 1, ""},
		"within the zone":          {pool.Entry{Shown: inZone(at.Add(-zone))}, audit.Criteria{}, "expired", audit.NotApplicable, 1, ""},
		"beyond the zone":          {pool.Entry{Shown: inZone(at.Add(-zone - time.Second))}, audit.Criteria{}, "expired", audit.Found, 0, "by the clock of the device's zone"},
		"expiring":                 {pool.Entry{NotAfter: at.Add(time.Hour)}, audit.Criteria{}, "expiring", audit.Found, 0, "expires "},
		"expired, not expiring":    {pool.Entry{NotAfter: at.Add(-time.Hour)}, audit.Criteria{}, "expiring", audit.Passed, 0, ""},
		"not expiring":             {pool.Entry{NotAfter: at.AddDate(9, 0, 0)}, audit.Criteria{}, "expiring", audit.Passed, 0, ""},
		"not yet valid":            {pool.Entry{NotBefore: at.Add(time.Hour)}, audit.Criteria{}, "not-yet-valid", audit.Found, 0, "valid from "},

		"distrusted by SHA-256": {pool.Entry{SHA256: distrusted.SHA256}, audit.Criteria{}, "known-distrusted", audit.Found, 0, distrusted.Why},
		"distrusted by SHA-1":   {pool.Entry{SHA1: distrusted.SHA1}, audit.Criteria{}, "known-distrusted", audit.Found, 0, distrusted.Why},
		"another, of any key":   {pool.Entry{SHA256: bytesHex(sum(root)[:])}, audit.Criteria{}, "known-distrusted", audit.NotApplicable, 1, ""},

		"required":               {pool.Entry{SHA256: bytesHex(sum(root)[:])}, needs, "required-missing", audit.Passed, 0, ""},
		"required, by SHA-1":     {pool.Entry{SHA1: rootSHA1}, needs, "required-missing", audit.Passed, 0, ""},
		"another, by SHA-1":      {pool.Entry{SHA1: strings.Repeat("0", 40)}, needs, "required-missing", audit.Found, 0, "!may be among"},
		"required, without hash": {pool.Entry{Serial: "01"}, needs, "required-missing", audit.Found, 0, "it may be among the 1 entries"},
		"required and expired":   {pool.Entry{SHA256: bytesHex(sum(root)[:]), NotAfter: at.AddDate(-1, 0, 0)}, needs, "required-expired", audit.Found, 0, "valid from "},

		"forbidden":                 {pool.Entry{SHA256: bytesHex(sum(root)[:])}, demand("forbidden: " + sha256), "forbidden", audit.Found, 0, "SHA-256 "},
		"not forbidden":             {pool.Entry{SHA256: "01" + strings.Repeat("00", 31)}, demand("forbidden: " + sha256), "forbidden", audit.Passed, 0, ""},
		"perhaps forbidden":         {pool.Entry{SHA1: rootSHA1}, demand("forbidden: " + sha256), "forbidden", audit.NotApplicable, 1, ""},
		"of a forbidden key":        {pool.Entry{SHA256: bytesHex(sum(root)[:])}, demand("forbidden: " + spki), "forbidden", audit.NotApplicable, 1, ""},
		"nothing is forbidden":      {pool.Entry{}, audit.Criteria{}, "forbidden", audit.NotApplicable, 0, ""},
		"allowed":                   {pool.Entry{SHA256: bytesHex(sum(root)[:])}, demand("allowed: " + sha256), "not-allowed", audit.Passed, 0, ""},
		"not allowed":               {pool.Entry{SHA256: "01" + strings.Repeat("00", 31)}, demand("allowed: " + sha256), "not-allowed", audit.Found, 0, "SHA-256 01"},
		"perhaps allowed":           {pool.Entry{SHA1: rootSHA1}, demand("allowed: " + sha256), "not-allowed", audit.NotApplicable, 1, ""},
		"perhaps of an allowed key": {pool.Entry{SHA256: "01" + strings.Repeat("00", 31)}, demand("allowed: " + spki), "not-allowed", audit.NotApplicable, 1, ""},
		"nothing is allowed":        {pool.Entry{}, demand("allowed: []\n"), "not-allowed", audit.Found, 0, ""},

		"its contents":        {pool.Entry{SHA256: bytesHex(sum(root)[:])}, audit.Criteria{}, "rsa-small", audit.NotApplicable, 1, ""},
		"compared":            {pool.Entry{SHA256: bytesHex(sum(root)[:])}, audit.Criteria{}, "same-key", audit.NotApplicable, 1, ""},
		"without a signature": {pool.Entry{}, audit.Criteria{}, "not-signed", audit.NotApplicable, 0, ""},
		"how many":            {pool.Entry{}, demand("min-certificates: 2\n"), "count", audit.Found, 0, "1, fewer than 2"},
	} {
		r := run(t, unknown(test.entry), test.options)
		x := result(t, r, test.rule)
		if x.State != test.state || x.NotKnown != test.unknown {
			t.Errorf("%s: %s, %d not known", name, x.State, x.NotKnown)
		}
		for _, f := range r.Findings {
			word, not := strings.CutPrefix(test.detail, "!")
			if f.Rule.ID == test.rule && strings.Contains(f.Detail, word) == not {
				t.Errorf("%s: %s", name, f.Detail)
			}
		}
		first := r.Findings[slices.IndexFunc(r.Findings, func(f audit.Finding) bool { return f.Rule.ID == "certificate-not-known" })]
		if said := strings.Contains(" "+strings.ReplaceAll(first.Detail, ",", " ")+" ", " "+test.rule+" "); said != (test.unknown > 0) {
			t.Errorf("%s: %s", name, first.Detail)
		}
	}
}

// Every printing says of an entry that its certificate is not known, and what was
// not applied to it.
func TestUnknownPrinted(t *testing.T) {
	t.Parallel()
	s := unknown(pool.Entry{Subject: "cn=Nobody", Serial: "0A", Origin: "built-in"})
	known := bundled(t, plain(nil)).Entries[0]
	known.IdentifiedBy = pool.ByShown
	s.Entries = append(s.Entries, known)
	r := run(t, s, audit.Criteria{})
	for name, printOne := range printings(r) {
		out := string(printed(t, printOne))
		want := []string{"certificate-not-known", "cn=Nobody"}
		if name != "cyclonedx" {
			want = append(want, "md5-signature")
		}
		for _, w := range want {
			if !strings.Contains(strings.ReplaceAll(out, `\`, ""), w) {
				t.Errorf("%s does not say %s", name, w)
			}
		}
	}
}

// A pool is compared with a bundle by its certificates.
func TestPoolAgainst(t *testing.T) {
	t.Parallel()
	expired := quirk("expired")
	s := unknown(pool.Entry{SHA256: bytesHex(sum(expired)[:]), NotAfter: at.AddDate(-1, 0, 0)})
	old := bundled(t, expired)
	s.Against = &old
	r := run(t, s, audit.Criteria{})
	for _, f := range r.Findings {
		if want := map[bool]audit.Change{true: audit.Unchanged, false: audit.New}[f.Rule.ID == "expired"]; f.Change != want {
			t.Errorf("%s is %s", f.Rule.ID, f.Change)
		}
	}
}

// What cannot be judged any more is not gone.
func TestPoolNotJudged(t *testing.T) {
	t.Parallel()
	weak, expired := quirk("rsa-1024"), quirk("expired")
	s := unknown(pool.Entry{SHA256: bytesHex(sum(weak)[:]), NotAfter: at.AddDate(9, 0, 0)})
	old := bundled(t, weak, expired)
	s.Against = &old
	r := run(t, s, audit.Criteria{})
	var gone []string
	for _, f := range r.Gone {
		gone = append(gone, f.Rule.ID)
	}
	if !slices.Equal(gone, []string{"expired"}) || r.NotJudged != 1 {
		t.Errorf("gone %v, %d not judged", gone, r.NotJudged)
	}
	if out := string(printed(t, r.WriteText)); !strings.Contains(out, "1 gone, 1 earlier finding not judged for want of certificates") {
		t.Error(out)
	}
}

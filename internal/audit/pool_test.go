package audit_test

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/roots"
)

// unknown is a pool of entries without certificates.
func unknown(entries ...audit.PoolEntry) audit.Subject {
	return audit.Subject{
		File: "pool.json", Certificates: make([]*certificate.Certificate, len(entries)),
		Pool: &audit.Pool{Platform: "iosxe", Entries: entries},
	}
}

// known is a pool whose certificates are all there.
func known(s audit.Subject) audit.Subject {
	s.Pool = &audit.Pool{Platform: "iosxe", Entries: make([]audit.PoolEntry, len(s.Certificates))}
	return s
}

func result(t testing.TB, r *audit.Report, id string) audit.Result {
	t.Helper()
	i := slices.IndexFunc(r.Results, func(x audit.Result) bool { return x.Rule.ID == id })
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
	need, err := audit.NeedFile("mine.pem", pool(t, root).Certificates)
	if err != nil {
		t.Fatal(err)
	}
	needs := audit.Options{Needs: []audit.Need{need}}
	demand := func(text string) audit.Options { return audit.Options{Requirements: requirements(t, text)} }
	sha256 := "[{sha256: " + bytesHex(sum(root)[:]) + "}]\n"
	spki := "[{spki: " + strings.Repeat("ab", 32) + "}]\n"
	const zone = 14 * time.Hour
	distrusted := audit.KnownDistrusted()[0]
	distrustedSum, _ := roots.ParseSHA256(distrusted.SHA256)

	for name, test := range map[string]struct {
		entry   audit.PoolEntry
		options audit.Options
		rule    string
		state   audit.State
		unknown int
		detail  string
	}{
		"expired":                  {audit.PoolEntry{NotAfter: at.Add(-time.Second)}, audit.Options{}, "expired", audit.Found, 0, "expired "},
		"valid in its last second": {audit.PoolEntry{NotAfter: at}, audit.Options{}, "expired", audit.Passed, 0, ""},
		"no date":                  {audit.PoolEntry{}, audit.Options{}, "expired", audit.NotApplicable, 1, ""},
		"within the zone":          {audit.PoolEntry{NotAfter: at.Add(-zone), Within: zone}, audit.Options{}, "expired", audit.NotApplicable, 1, ""},
		"beyond the zone":          {audit.PoolEntry{NotAfter: at.Add(-zone - time.Second), Within: zone}, audit.Options{}, "expired", audit.Found, 0, "by the clock of the device's zone"},
		"expiring":                 {audit.PoolEntry{NotAfter: at.Add(time.Hour)}, audit.Options{}, "expiring", audit.Found, 0, "expires "},
		"expired, not expiring":    {audit.PoolEntry{NotAfter: at.Add(-time.Hour)}, audit.Options{}, "expiring", audit.Passed, 0, ""},
		"not expiring":             {audit.PoolEntry{NotAfter: at.AddDate(9, 0, 0)}, audit.Options{}, "expiring", audit.Passed, 0, ""},
		"not yet valid":            {audit.PoolEntry{NotBefore: at.Add(time.Hour)}, audit.Options{}, "not-yet-valid", audit.Found, 0, "valid from "},

		"distrusted by SHA-256": {audit.PoolEntry{SHA256: &distrustedSum}, audit.Options{}, "known-distrusted", audit.Found, 0, distrusted.Why},
		"distrusted by SHA-1":   {audit.PoolEntry{SHA1: distrusted.SHA1}, audit.Options{}, "known-distrusted", audit.Found, 0, distrusted.Why},
		"another, of any key":   {audit.PoolEntry{SHA256: sum(root)}, audit.Options{}, "known-distrusted", audit.NotApplicable, 1, ""},

		"required":               {audit.PoolEntry{SHA256: sum(root)}, needs, "required-missing", audit.Passed, 0, ""},
		"required, by SHA-1":     {audit.PoolEntry{SHA1: rootSHA1}, needs, "required-missing", audit.Passed, 0, ""},
		"another, by SHA-1":      {audit.PoolEntry{SHA1: strings.Repeat("0", 40)}, needs, "required-missing", audit.Found, 0, "!may be among"},
		"required, without hash": {audit.PoolEntry{Serial: "01"}, needs, "required-missing", audit.Found, 0, "it may be among the 1 entries"},
		"required and expired":   {audit.PoolEntry{SHA256: sum(root), NotAfter: at.AddDate(-1, 0, 0)}, needs, "required-expired", audit.Found, 0, "valid from "},

		"forbidden":                 {audit.PoolEntry{SHA256: sum(root)}, demand("forbidden: " + sha256), "forbidden", audit.Found, 0, "SHA-256 "},
		"not forbidden":             {audit.PoolEntry{SHA256: &[32]byte{1}}, demand("forbidden: " + sha256), "forbidden", audit.Passed, 0, ""},
		"perhaps forbidden":         {audit.PoolEntry{SHA1: rootSHA1}, demand("forbidden: " + sha256), "forbidden", audit.NotApplicable, 1, ""},
		"of a forbidden key":        {audit.PoolEntry{SHA256: sum(root)}, demand("forbidden: " + spki), "forbidden", audit.NotApplicable, 1, ""},
		"nothing is forbidden":      {audit.PoolEntry{}, audit.Options{}, "forbidden", audit.NotApplicable, 0, ""},
		"allowed":                   {audit.PoolEntry{SHA256: sum(root)}, demand("allowed: " + sha256), "not-allowed", audit.Passed, 0, ""},
		"not allowed":               {audit.PoolEntry{SHA256: &[32]byte{1}}, demand("allowed: " + sha256), "not-allowed", audit.Found, 0, "SHA-256 01"},
		"perhaps allowed":           {audit.PoolEntry{SHA1: rootSHA1}, demand("allowed: " + sha256), "not-allowed", audit.NotApplicable, 1, ""},
		"perhaps of an allowed key": {audit.PoolEntry{SHA256: &[32]byte{1}}, demand("allowed: " + spki), "not-allowed", audit.NotApplicable, 1, ""},
		"nothing is allowed":        {audit.PoolEntry{}, demand("allowed: []\n"), "not-allowed", audit.Found, 0, ""},

		"its contents":        {audit.PoolEntry{SHA256: sum(root)}, audit.Options{}, "rsa-small", audit.NotApplicable, 1, ""},
		"compared":            {audit.PoolEntry{SHA256: sum(root)}, audit.Options{}, "same-key", audit.NotApplicable, 1, ""},
		"without a signature": {audit.PoolEntry{}, audit.Options{}, "not-signed", audit.NotApplicable, 0, ""},
		"how many":            {audit.PoolEntry{}, demand("min-certificates: 2\n"), "count", audit.Found, 0, "1, fewer than 2"},
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
	s := unknown(audit.PoolEntry{Subject: "cn=Nobody", Serial: "0A", Origin: "built-in"})
	s.Certificates, s.Pool.Entries = append(s.Certificates, pool(t, plain(nil)).Certificates...), append(s.Pool.Entries, audit.PoolEntry{Inferred: true})
	r := run(t, s, audit.Options{})
	for name, print := range printings(r) {
		out := string(printed(t, print))
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
	s := unknown(audit.PoolEntry{SHA256: sum(expired), NotAfter: at.AddDate(-1, 0, 0)})
	old := pool(t, expired)
	s.Against = &old
	r := run(t, s, audit.Options{})
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
	s := unknown(audit.PoolEntry{SHA256: sum(weak), NotAfter: at.AddDate(9, 0, 0)})
	old := pool(t, weak, expired)
	s.Against = &old
	r := run(t, s, audit.Options{})
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

// A subject that does not say what an entry is cannot be judged.
func TestUnusableSubject(t *testing.T) {
	t.Parallel()
	none := audit.Subject{Certificates: make([]*certificate.Certificate, 1)}
	short := known(pool(t, plain(nil)))
	short.Pool.Entries = nil
	for _, s := range []audit.Subject{none, short, {Against: &none}} {
		if _, err := audit.Run(s, audit.Options{At: at}); err == nil {
			t.Error("no error")
		}
	}
}

package audit_test

import (
	"crypto/elliptic"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/feed"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/roots"
	"trustpool/signing"
)

// bundled reads certificates.
func bundled(t testing.TB, ders ...[]byte) audit.Subject {
	t.Helper()
	b, err := bundle.Parse(pkitest.CertsOnly(ders...))
	if err != nil {
		t.Fatal(err)
	}
	return audit.Subject{File: "pool", Entries: pool.Of(b.Certificates)}
}

// certificates are those of a subject.
func certificates(s audit.Subject) (out []*certificate.Certificate) {
	for _, e := range s.Entries {
		out = append(out, e.Certificate)
	}
	return out
}

// plain is a root of which nothing is to be said.
func plain(change func(*pkitest.Template)) []byte {
	t := pkitest.RootTemplate(pkitest.NewName("C=US", "O=Plain", "CN=Plain Root CA"), pkitest.ECDSA("audit-plain", elliptic.P256()))
	if change != nil {
		change(&t)
	}
	return t.Sign(nil)
}

// quirk is a fixture of pkitest.
func quirk(name string) []byte {
	for _, q := range pkitest.Quirks() {
		if q.Name == name {
			return q.DER
		}
	}
	panic("no quirk is called " + name)
}

func verified(b audit.Subject, change func(*signing.Report)) audit.Subject {
	r := signing.Report{Verified: true, Anchor: &signing.AnchorReport{Name: "Root"}, SigningTime: certificate.Time{Time: at.AddDate(-1, 0, 0), Valid: true}}
	if change != nil {
		change(&r)
	}
	b.Signature = &r
	return b
}

func refused(b audit.Subject, reason signing.Reason) audit.Subject {
	detail := "because"
	b.Signature = &signing.Report{Reason: &reason, Detail: &detail}
	return b
}

func sum(der []byte) *[32]byte {
	b, err := bundle.Parse(der)
	if err != nil {
		panic(err)
	}
	return &b.Certificates[0].SHA256
}

func requirements(t testing.TB, text string) *audit.Requirements {
	t.Helper()
	r, err := audit.ParseRequirements([]byte("schema: trustpool.requirements/1\n" + text))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// A program that distrusts nothing and limits one root.
func program(der []byte, change func(*roots.Root)) *audit.Program {
	b, err := bundle.Parse(der)
	if err != nil {
		panic(err)
	}
	c := b.Certificates[0]
	r := &roots.Root{Certificate: c, SHA256: c.SHA256, Label: "A Root"}
	change(r)
	return &audit.Program{Name: "certdata.txt", Store: roots.NewStore([]*roots.Root{r})}
}

// A ruleCase is a subject of which the rule finds something, and one of which it
// finds nothing although it applies. applies is false where nothing silent applies.
type ruleCase struct {
	fires, silent               audit.Subject
	firesOptions, silentOptions audit.Criteria
}

func ruleCases(t testing.TB) map[string]ruleCase {
	root, other := plain(nil), plain(func(x *pkitest.Template) {
		*x = pkitest.RootTemplate(pkitest.NewName("O=Other", "CN=Other Root CA"), pkitest.RSA("elm"))
	})
	good := bundled(t, root, other)
	with := func(der []byte) ruleCase { return ruleCase{fires: bundled(t, der), silent: good} }
	q := func(name string) ruleCase { return with(quirk(name)) }
	change := func(f func(*pkitest.Template)) ruleCase { return with(plain(f)) }
	distrusted := program(root, func(r *roots.Root) { r.Trust = map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Distrusted} })
	after := program(root, func(r *roots.Root) { r.DistrustAfter = map[roots.Purpose]time.Time{roots.ServerAuth: at} })
	need := func(ders ...[]byte) audit.Criteria {
		n, err := audit.NeedFile("mine.pem", certificates(bundled(t, ders...)))
		if err != nil {
			t.Fatal(err)
		}
		return audit.Criteria{Needs: []audit.Need{n}}
	}
	demand := func(text string) audit.Criteria { return audit.Criteria{Requirements: requirements(t, text)} }
	hex := func(der []byte) string { return bytesHex(sum(der)[:]) }

	unknownVersion := change(func(x *pkitest.Template) { x.Version = 1 })
	return map[string]ruleCase{
		"signature-not-verified": {fires: refused(good, signing.ChainExpired), silent: verified(good, nil)},
		"not-signed":             {fires: refused(good, signing.NotSigned), silent: verified(good, nil)},
		"signature-sha1-tolerated": {fires: verified(good, func(r *signing.Report) {
			r.Signers = []signing.SignerReport{{Chain: []signing.LinkReport{{Subject: "CN=S", SHA1Tolerated: true}}}}
		}), silent: verified(good, nil)},
		"bundle-old":                {fires: verified(good, nil), silent: verified(good, nil), firesOptions: demand("max-age: 90d\n"), silentOptions: demand("max-age: 2y\n")},
		"undecodable":               {fires: bundled(t, root, quirk("not-a-certificate")), silent: good},
		"known-distrusted":          {fires: good, silent: good, firesOptions: audit.Criteria{Program: distrusted}},
		"distrust-list-old":         {fires: good, silent: good, firesOptions: audit.Criteria{At: time.Date(2027, 4, 10, 0, 0, 0, 0, time.UTC)}, silentOptions: audit.Criteria{At: time.Date(2027, 4, 9, 0, 0, 0, 0, time.UTC)}},
		"distrust-after":            {fires: good, silent: bundled(t, other), firesOptions: audit.Criteria{Program: after}, silentOptions: audit.Criteria{Program: after}},
		"expired":                   q("expired"),
		"expiring":                  change(func(x *pkitest.Template) { x.NotAfter = pkitest.At(at.AddDate(0, 0, 90)) }),
		"not-yet-valid":             change(func(x *pkitest.Template) { x.NotBefore = pkitest.At(at.Add(time.Second)) }),
		"md5-signature":             q("md5-signature"),
		"sha1-signature":            q("sha1-signature"),
		"rsa-small":                 q("rsa-1024"),
		"rsa-exponent":              q("exponent-43147"),
		"rsa-exponent-unusable":     {fires: evenExponent(t), silent: good},
		"public-key-unreadable":     {fires: withQuirk(good, certificate.QuirkPublicKeyUnreadable), silent: good},
		"not-ca":                    q("no-basic-constraints"),
		"no-key-cert-sign":          change(func(x *pkitest.Template) { *x = x.With(pkitest.KeyUsage(pkitest.DigitalSignature)) }),
		"intermediate":              q("intermediate"),
		"self-signature-invalid":    q("broken-self-signature"),
		"self-signature-not-judged": {fires: unknownAlgorithm(t, root), silent: good},
		"certificate-not-known":     {fires: unknown(pool.Entry{}), silent: known(good)},
		"duplicate":                 {fires: bundled(t, root, other, root), silent: good},
		"same-names":                {fires: bundled(t, quirk("same-name-key-a"), quirk("same-name-key-b")), silent: good},
		"same-issuer-serial":        {fires: bundled(t, quirk("same-issuer-serial-a"), quirk("same-issuer-serial-b")), silent: good},
		"same-key":                  {fires: bundled(t, quirk("same-name-key-a"), quirk("same-name-key-b")), silent: good},
		"serial-zero":               q("serial-0"),
		"serial-negative":           q("negative-serial"),
		"serial-long":               q("serial-21-octets"),
		"not-der":                   q("ber-framed"),
		"time-form":                 q("fractional-not-after"),
		"time-unreadable":           change(func(x *pkitest.Template) { x.NotAfter = pkitest.Time{Tag: asn1.UTCTime, Text: "never"} }),
		"name-form":                 q("t61-string"),
		"name-hidden":               q("hostile-text"),
		"version-form":              unknownVersion,
		"algorithms-differ":         change(func(x *pkitest.Template) { x.TBSAlgorithm = pkitest.SHA384WithRSA }),
		"extension-unreadable":      change(func(x *pkitest.Template) { x.Extensions = append(x.Extensions, x.Extensions[0]) }),
		"trust-settings":            {fires: withQuirk(good, certificate.QuirkTrustSettings), silent: good},
		"required-missing":          {fires: bundled(t, other), silent: good, firesOptions: need(root), silentOptions: need(root)},
		"required-expired":          {fires: bundled(t, quirk("expired")), silent: good, firesOptions: need(quirk("expired")), silentOptions: need(root)},
		"forbidden":                 {fires: good, silent: bundled(t, other), firesOptions: demand("forbidden: [{sha256: " + hex(root) + "}]\n"), silentOptions: demand("forbidden: [{sha256: " + hex(root) + "}]\n")},
		"not-allowed":               {fires: good, silent: bundled(t, root), firesOptions: demand("allowed: [{sha256: " + hex(root) + "}]\n"), silentOptions: demand("allowed: [{sha256: " + hex(root) + "}]\n")},
		"count":                     {fires: good, silent: good, firesOptions: demand("min-certificates: 3\n"), silentOptions: demand("max-certificates: 2\n")},
		"manifest-differs":          {fires: good, silent: claimed(good), firesOptions: manifest(good), silentOptions: manifest(good)},
		"exception-ended":           {fires: good, silent: good, firesOptions: demand("exceptions: [{rule: expired, reason: r, until: 2026-11-21}]\n"), silentOptions: demand("exceptions: [{rule: expired, reason: r, until: 2026-11-22}]\n")},
	}
}

// claimed is a subject with a signature that is verified, of version 1 of X.
func claimed(s audit.Subject) audit.Subject {
	s.Signature = &signing.Report{Verified: true, Anchor: &signing.AnchorReport{}, Name: new("X"), Version: new("1")}
	return s
}

// manifest asks for what version 1 of X with the certificates of a subject lists.
func manifest(s audit.Subject) audit.Criteria {
	m := &feed.ManifestLog{Name: "X", Version: "1"}
	for i := range s.Entries {
		m.Certificates = append(m.Certificates, feed.Certificate{SHA256: s.Entries[i].Certificate.SHA256})
	}
	return audit.Criteria{Manifest: &audit.Manifest{File: "manifest.log", ManifestLog: m}}
}

func bytesHex(b []byte) string {
	const digits = "0123456789abcdef"
	var s strings.Builder
	for _, x := range b {
		s.WriteByte(digits[x>>4])
		s.WriteByte(digits[x&15])
	}
	return s.String()
}

// edited is the subject with another first certificate, which change makes.
func edited(s audit.Subject, change func(*certificate.Certificate)) audit.Subject {
	s.Entries = slices.Clone(s.Entries)
	c := *s.Entries[0].Certificate
	change(&c)
	s.Entries[0].Certificate = &c
	return s
}

func withQuirk(s audit.Subject, q certificate.Quirk) audit.Subject {
	return edited(s, func(c *certificate.Certificate) { c.Quirks = append(slices.Clone(c.Quirks), q) })
}

func evenExponent(t testing.TB) audit.Subject {
	return edited(bundled(t, quirk("exponent-3")), func(c *certificate.Certificate) { c.PublicKey.Exponent = 4 })
}

func unknownAlgorithm(t testing.TB, der []byte) audit.Subject {
	return edited(bundled(t, der), func(c *certificate.Certificate) { c.SignatureAlgorithm.OID = certificate.ObjectID("\x2a\x03") })
}

// Each rule finds something, and is silent where it applies and nothing is wrong.
// A rule without both cases is an error.
func TestEachRule(t *testing.T) {
	t.Parallel()
	cases := ruleCases(t)
	result := func(r *audit.Report, id string) audit.RuleResult {
		for _, x := range r.Results {
			if x.Rule.ID == id {
				return x
			}
		}
		t.Fatalf("no result of %s", id)
		return audit.RuleResult{}
	}
	seen := map[string]bool{}
	for _, rule := range audit.Rules() {
		if seen[rule.ID] {
			t.Errorf("two rules are called %s", rule.ID)
		}
		seen[rule.ID] = true
		if rule.Title == "" || rule.Citation == "" || rule.Advice == "" || rule.Severity < audit.Info || rule.Severity > audit.Error {
			t.Errorf("%s lacks something: %+v", rule.ID, rule)
		}
		test, ok := cases[rule.ID]
		if !ok {
			t.Errorf("%s has no case", rule.ID)
			continue
		}
		delete(cases, rule.ID)
		fires := run(t, test.fires, test.firesOptions)
		if got := result(fires, rule.ID); got.State != audit.Found || got.Found == 0 || got.Applied == 0 {
			t.Errorf("%s does not fire: %+v", rule.ID, got)
		}
		if got := result(run(t, test.silent, test.silentOptions), rule.ID); got.State != audit.Passed {
			t.Errorf("%s is not silent: %s, %d of %d", rule.ID, got.State, got.Found, got.Applied)
		}
		for _, f := range fires.Findings {
			if f.Rule.ID == rule.ID && f.Severity != rule.Severity {
				t.Errorf("%s: severity %s", rule.ID, f.Severity)
			}
		}
	}
	if len(cases) > 0 {
		t.Errorf("cases without a rule: %v", slices.Sorted(maps.Keys(cases)))
	}
}

// No rule applies to nothing.
func TestNotApplicable(t *testing.T) {
	t.Parallel()
	r := run(t, audit.Subject{}, audit.Criteria{})
	for _, x := range r.Results {
		if x.State != audit.NotApplicable {
			t.Errorf("%s: %s", x.Rule.ID, x.State)
		}
	}
	if r.Fails() || len(r.Findings) > 0 {
		t.Errorf("%v", r.Findings)
	}
}

// Every oddity that genuine bundles have is found, by the rules named here.
func TestOddities(t *testing.T) {
	t.Parallel()
	want := map[string]string{
		"fractional-not-after": "time-form", "negative-serial": "serial-negative", "bit-string-in-name": "name-form", "version-1": "not-ca version-form",
		"rsa-1024": "rsa-small", "exponent-3": "rsa-exponent", "exponent-43147": "rsa-exponent", "exponent-50557": "rsa-exponent",
		"exponent-62353": "rsa-exponent", "md5-signature": "md5-signature", "sha1-signature": "sha1-signature", "serial-0": "serial-zero",
		"serial-21-octets": "serial-long", "generalized-time-before-2050": "time-form", "t61-string": "name-form", "bmp-string": "",
		"cn-over-64": "name-form", "key-usage-not-der": "not-der", "no-basic-constraints": "not-ca", "intermediate": "intermediate",
		"broken-self-signature": "self-signature-invalid", "lower-case-country": "name-form", "non-ascii-name": "", "multi-valued-rdn": "",
		"same-issuer-serial-a": "same-issuer-serial same-names", "same-issuer-serial-b": "same-issuer-serial same-names",
		"same-name-key-a": "same-key same-names", "same-name-key-b": "same-key same-names", "expired": "expired", "hostile-text": "name-hidden",
		"ber-framed": "not-der", "ber-long-length": "not-der", "not-a-certificate": "undecodable",
	}
	r := run(t, bundled(t, pkitest.QuirkPool()...), audit.Criteria{At: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)})
	got := make([][]string, len(r.Entries))
	for _, f := range r.Findings {
		for _, e := range f.Items {
			got[e.Index-1] = append(got[e.Index-1], f.Rule.ID)
		}
	}
	for i, q := range pkitest.Quirks() {
		slices.Sort(got[i])
		rules, ok := want[q.Name]
		if !ok {
			t.Errorf("%s: which rule finds it?", q.Name)
		}
		if s := strings.Join(got[i], " "); s != rules {
			t.Errorf("%s: found by %q, not by %q", q.Name, s, rules)
		}
	}
}

// Each quirk is found by a rule.
func TestEachQuirk(t *testing.T) {
	t.Parallel()
	var tied []certificate.Quirk
	for _, r := range audit.Rules() {
		tied = append(tied, r.Quirks...)
	}
	for _, q := range certificate.Quirks() {
		if !slices.Contains(tied, q) {
			t.Errorf("no rule names %s", q)
		}
		s := withQuirk(bundled(t, plain(nil)), q)
		switch q { // rules that look at the fields, which the quirk only names
		case certificate.QuirkRSAShort, certificate.QuirkRSAExponent, certificate.QuirkNoBasicConstraints:
			continue
		}
		if r := run(t, s, audit.Criteria{}); len(r.Findings) == 0 {
			t.Errorf("no rule finds %s", q)
		}
	}
}

package reach_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/x509"
	"flag"
	"fmt"
	"maps"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/tooltest"
)

var graphs = flag.Int("graphs", 150, "how many generated graphs are judged as OpenSSL and crypto/x509 judge them")

// A graph is a made-up PKI: what a server sends, what a pool holds, and what was
// done to its certificates.
type graph struct {
	sent, pool [][]byte
	host       string
	done       []string
}

// A maker makes graphs. Each is nearly good: few things are done to it, so that
// what each leads to shows.
type maker struct {
	*rand.Rand
	graph
	left  int // of what is done
	depth int // of the certificate that is made, the root's is 0

	extra      *pkitest.Extension // put into the certificate at extraDepth
	extraDepth int
}

// chance reports whether something is done, one time in n.
func (m *maker) chance(n int, what string) bool {
	if m.left == 0 || m.IntN(n) > 0 {
		return false
	}
	m.left--
	m.done = append(m.done, what)
	return true
}

func pick[T any](m *maker, of ...T) T { return of[m.IntN(len(of))] }

// name is a distinguished name, and another way to write it.
func (m *maker) name(cn string) (name, alias pkitest.Name) {
	org := "Graph Lab"
	name = pkitest.NewName("C=US", "O="+org, "CN="+cn)
	switch {
	case m.chance(12, "case"):
		return name, pkitest.NewName("C=us", "O=GRAPH lab", "CN="+strings.ToUpper(cn))
	case m.chance(12, "spaces"):
		return name, pkitest.NewName("C=US", "O= Graph   Lab ", "CN="+cn+"\t")
	case m.chance(12, "string types"):
		wide := ""
		for _, r := range cn {
			wide += "\x00" + string(r)
		}
		return name, pkitest.NewName("C=US").With("O", asn1.T61String, []byte(org)).With("CN", 30, []byte(wide))
	case m.chance(30, "unicode"):
		name = pkitest.NewName("O=Bäume", "CN="+cn)
		return name, pkitest.NewName("O=BÄUME", "CN="+cn)
	case m.chance(12, "two values in one part"):
		a, b := pkitest.NewName("O=" + org)[0][0], pkitest.NewName("CN=" + cn)[0][0]
		return pkitest.Name{{a, b}}, pkitest.Name{{b, a}}
	case m.chance(25, "another name"):
		return name, pkitest.NewName("C=US", "O="+org, "CN="+cn+" other")
	case m.chance(25, "NumericString"):
		return pkitest.NewName("O="+org).With("CN", 18, []byte("123")), pkitest.NewName("O="+org).With("CN", asn1.PrintableString, []byte("123"))
	}
	return name, name
}

// constraint is name constraints of a form, permitted or excluded, that may or may
// not fit what leaf has.
func (m *maker) constraint() pkitest.Extension {
	tree := pick(m,
		pkitest.DNSName("lab.example"), pkitest.DNSName("example"), pkitest.DNSName(".lab.example"), pkitest.DNSName("other.example"), pkitest.DNSName("ab.example"), pkitest.DNSName(""),
		pkitest.IPName([]byte{192, 0, 2, 0, 255, 255, 255, 0}), pkitest.IPName([]byte{198, 51, 100, 0, 255, 255, 255, 0}), pkitest.IPName(make([]byte, 32)), pkitest.IPName([]byte{192, 0, 2, 7, 255, 0, 255, 255}),
		pkitest.MailName("lab.example"), pkitest.MailName("a@lab.example"), pkitest.MailName(".example"), pkitest.MailName("other.example"), pkitest.MailName("A@LAB.example"),
		pkitest.URIName("www.lab.example"), pkitest.URIName(".lab.example"), pkitest.URIName("lab.example"),
		pkitest.DirectoryName(pkitest.NewName("C=US")), pkitest.DirectoryName(pkitest.NewName("C=us", "O= graph LAB")), pkitest.DirectoryName(pkitest.NewName("O=Elsewhere")), pkitest.DirectoryName(pkitest.Name{}),
		pkitest.RegisteredID(42))
	if m.IntN(2) == 0 {
		return pkitest.Constraints([][]byte{tree}, nil)
	}
	return pkitest.Constraints(nil, [][]byte{tree})
}

// policy is an extension about policies.
func (m *maker) policy() pkitest.Extension {
	const one, two = "1.3.6.1.4.1.99999.5", "1.3.6.1.4.1.99999.6"
	return pick(m, pkitest.Policies(one), pkitest.Policies(one, two), pkitest.Policies(pkitest.AnyPolicy), pkitest.Policies(one, one), pkitest.PolicyMappings(one, two),
		pkitest.PolicyMappings(pkitest.AnyPolicy, one), pkitest.PolicyConstraints(0, -1), pkitest.PolicyConstraints(3, 0), pkitest.PolicyConstraints(-1, 0),
		pkitest.PolicyConstraints(1, 1), pkitest.InhibitAnyPolicy(0), pkitest.InhibitAnyPolicy(2), pkitest.Extension{Type: "2.5.29.36", Critical: true, Value: []byte{0x30, 0}})
}

// spoil does things to a certificate that is signed by parent, nil for a root.
func (m *maker) spoil(t pkitest.Template, parent *pkitest.Authority) pkitest.Template {
	critical := func(e pkitest.Extension) pkitest.Extension { e.Critical = true; return e }
	m.depth++
	if m.extra != nil && m.depth == m.extraDepth {
		return t.With(*m.extra)
	}
	if m.left == 0 || m.IntN(2) > 0 {
		return t
	}
	kinds := []struct {
		what string
		do   func()
	}{
		{"expired", func() { t.NotAfter = pkitest.Date(2025, 1, 1) }},
		{"not yet valid", func() { t.NotBefore = pkitest.Date(2026, 1, 1) }},
		{"not a CA", func() { t = t.With(pkitest.BasicConstraints(false, -1)) }},
		{"no basicConstraints", func() { t = t.Without("2.5.29.19") }},
		{"path length", func() { t = t.With(pkitest.BasicConstraints(true, m.IntN(3))) }},
		{"key usage", func() {
			t = t.With(pkitest.KeyUsage(pick(m, pkitest.CRLSign, pkitest.KeyEncipherment, pkitest.DigitalSignature, pkitest.KeyCertSign)))
		}},
		{"no key usage", func() { t = t.Without("2.5.29.15") }},
		{"purposes", func() {
			t = t.With(pkitest.ExtKeyUsage(pick(m, pkitest.ServerAuth, pkitest.AnyPurpose, pkitest.EmailProtection), pick(m, pkitest.ServerAuth, pkitest.CodeSigning)))
		}},
		{"unknown critical", func() { t = t.With(pkitest.UnknownCritical()) }},
		{"critical subjectKeyIdentifier", func() { t = t.With(critical(pkitest.SubjectKeyID(t.Key))) }},
		{"critical authorityKeyIdentifier", func() {
			if parent != nil {
				t = t.With(critical(pkitest.AuthorityKeyID(parent.Key)))
			}
		}},
		{"critical issuerAltName", func() {
			t = t.With(critical(pkitest.Extension{Type: "2.5.29.18", Value: pkitest.GeneralNames(pkitest.DNSName("x.example")).Value}))
		}},
		{"another key's identifier", func() { t = t.With(pkitest.AuthorityKeyID(pkitest.ECDSA("graph-no", elliptic.P256()))) }},
		{"the issuer's identifier", func() {
			if parent != nil {
				t = t.With(pkitest.AuthorityKeyID(parent.Key))
			}
		}},
		{"version 1", func() { t.Version, t.Extensions = 1, nil }},
		{"corrupt", func() { t.Corrupt = true }},
		{"explicit curve", func() { t.SPKI = t.Key.ExplicitSPKI() }},
		{"unreadable names", func() { t = t.With(pkitest.Extension{Type: "2.5.29.17", Value: []byte{0x30, 5, 1}}) }},
		{"unreadable identifier", func() { t = t.With(pkitest.Extension{Type: "2.5.29.35", Value: []byte{4, 1}}) }},
		{"unreadable constraints", func() {
			t = t.With(pkitest.Extension{Type: "2.5.29.30", Critical: true, Value: pick(m, []byte{0x30, 0}, []byte{0x30, 2, 1, 1}, []byte{0x30, 2, 0xa0, 0})})
		}},
		{"constraint", func() { t = t.With(m.constraint()) }},
		{"policy", func() { t = t.With(m.policy()) }},
	}
	i := m.IntN(2 * len(kinds)) // the last two, constraints and policies, more often
	if i >= len(kinds) {
		i = len(kinds) - 1 - i%2
	}
	m.left--
	m.done = append(m.done, kinds[i].what)
	kinds[i].do()
	return t
}

// leaf is a server's certificate.
func (m *maker) leaf(issuer *pkitest.Authority, alias pkitest.Name) []byte {
	t := pkitest.ServerTemplate(host)
	t.Subject = pick(m, t.Subject, pkitest.NewName("C=US", "O=Graph Lab", "CN="+host), pkitest.NewName("CN=A Server"), pkitest.NewName("C=US", "E=a@lab.example"))
	names := [][]byte{pkitest.DNSName(pick(m, host, host, host, host, host, host, host, "*.lab.example", "*.lab.example", "WWW.Lab.example", "w*.lab.example", "www.lab.example."))}
	for m.IntN(3) == 0 {
		names = append(names, pick(m, pkitest.DNSName("no.lab.example"), pkitest.IPName([]byte{192, 0, 2, 7}), pkitest.MailName("a@lab.example"), pkitest.MailName("no address"),
			pkitest.URIName("https://www.lab.example:443/x"), pkitest.URIName("urn:x"), pkitest.URIName("http://192.0.2.7/"), pkitest.DirectoryName(pkitest.NewName("C=US", "O=Graph Lab", "CN=x")),
			pkitest.RegisteredID(42)))
	}
	t = t.With(pkitest.GeneralNames(names...))
	if m.chance(20, "no names") {
		t = t.Without("2.5.29.17")
	}
	if m.chance(20, "names that are addresses alone") {
		t, m.host = t.With(pkitest.AlternativeNames("192.0.2.7")), "192.0.2.7"
	}
	if m.chance(30, "another host") {
		m.host = "mail.lab.example"
	}
	t = m.spoil(t, issuer)
	t.Issuer = alias
	return t.Sign(issuer)
}

func makeGraph(seed uint64) graph {
	return (&maker{Rand: rand.New(rand.NewPCG(seed, 15))}).make()
}

func (m *maker) make() graph {
	m.host, m.left = host, m.IntN(6)
	var parent *pkitest.Authority
	alias := pkitest.Name(nil)
	depth := 1 + m.IntN(4)
	for i := range depth {
		cn := fmt.Sprintf("CA %d", i)
		key := pkitest.ECDSA("graph "+cn, elliptic.P256())
		subject, next := m.name(cn)
		if parent != nil && m.chance(15, "self-issued") {
			subject, next = parent.Subject, alias
		}
		t := m.spoil(pkitest.RootTemplate(subject, key), parent)
		if parent != nil {
			t.Issuer = alias
		}
		ca := t.Issue(parent)
		if i == 0 || m.IntN(6) == 0 {
			m.pool = append(m.pool, ca.DER)
		}
		if i > 0 {
			m.sent = append(m.sent, ca.DER)
		}
		if m.chance(10, "another certificate of the name and key") { // cross-signed, or its own root
			other := pkitest.RootTemplate(subject, key).Issue(pick(m, nil, pkitest.RootTemplate(pkitest.NewName("CN=Other"), pkitest.ECDSA("graph other", elliptic.P256())).Issue(nil)))
			m.sent = append(m.sent, other.DER)
			if m.IntN(2) == 0 {
				m.pool = append(m.pool, other.DER)
				if other.Parent != nil {
					m.pool = append(m.pool, other.Parent.DER)
				}
			}
		}
		parent, alias = ca, next
	}
	m.sent = append([][]byte{m.leaf(parent, alias)}, m.sent...)
	return m.graph
}

// Reasons for which reach refuses what OpenSSL takes, because RFC 5280 or RFC 5480
// says so.
func strict(r reach.Reason, g graph) bool {
	done := func(what string) bool { return strings.Contains(strings.Join(g.done, ","), what) }
	if done("policy") || done("explicit curve") {
		return true // OpenSSL looks at policies only if it is asked to, and at curves with -x509_strict
	}
	switch r {
	case path.NameConstraint:
		return done("constraint") // a wildcard that may be what is excluded
	case reach.HostName:
		return bytes.Contains(g.sent[0], []byte("w*.")) // RFC 9525 section 6.3 refuses a wildcard that is a part of a label
	}
	return false
}

// What is called ok is taken by OpenSSL and by crypto/x509 over the same path, and
// what either takes is not called broken.
func TestGraphs(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	var lock sync.Mutex
	counts := map[string]int{}
	var group sync.WaitGroup
	for worker := range 4 {
		group.Go(func() {
			for seed := worker; seed < *graphs; seed += 4 {
				g := makeGraph(uint64(seed))
				what := compareGraph(t, seed, g)
				lock.Lock()
				counts[what]++
				lock.Unlock()
			}
		})
	}
	group.Wait()
	for _, what := range slices.Sorted(maps.Keys(counts)) {
		t.Logf("%5d %s", counts[what], what)
	}
}

func compareGraph(t *testing.T, seed int, g graph) string {
	trusted := reach.NewTrusted(pool.Of(certificates(t, g.pool...)))
	r, err := reach.Validate(reach.Server{Name: g.host, Host: g.host, Certificates: certificates(t, g.sent...)}, trusted, reach.Options{At: at})
	if err != nil {
		t.Error(err)
		return ""
	}
	say := func(format string, args ...any) {
		t.Errorf("graph %d (%s), %s %s %s: %s", seed, strings.Join(g.done, ", "), r.Status, r.Reason, r.Text, fmt.Sprintf(format, args...))
	}
	openssl := opensslAccepts(t, g.host, at, g.sent, g.pool)
	switch r.Status {
	case reach.OK:
		p := r.Paths[0].Certificates
		over := raw(p[:max(1, len(p)-1)])
		if !twice(p) && !opensslAccepts(t, g.host, at, over, raw(p[len(p)-1:])) {
			say("OpenSSL refuses it")
		}
		if why := x509Refuses(g.host, over, raw(p[len(p)-1:])); why != nil && !x509Differs(why) {
			say("crypto/x509: %v", why)
		}
	case reach.Broken:
		if openssl && !strict(r.Reason, g) {
			say("OpenSSL takes it")
		}
		if x509Accepts(g.host, g.sent, g.pool) && !strict(r.Reason, g) {
			say("crypto/x509 takes it")
		}
	}
	return strings.TrimSpace(fmt.Sprintf("%s %s", r.Status, r.Reason)) + fmt.Sprintf(", OpenSSL %t", openssl)
}

// twice reports whether a path has two certificates of one name. OpenSSL takes the
// first issuer of the name, and tries no other if it did not sign.
func twice(p []*certificate.Certificate) bool {
	for i, c := range p {
		if slices.ContainsFunc(p[i+1:], func(o *certificate.Certificate) bool { return o.Subject.Key(false) == c.Subject.Key(false) }) {
			return true
		}
	}
	return false
}

func raw(certs []*certificate.Certificate) (out [][]byte) {
	for _, c := range certs {
		out = append(out, c.Raw)
	}
	return out
}

// x509Refuses is why crypto/x509 refuses a path, nil if it does not.
func x509Refuses(host string, chain, anchors [][]byte) error {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at, DNSName: host}
	for certs, ders := range map[*x509.CertPool][][]byte{o.Roots: anchors, o.Intermediates: chain[1:]} {
		for _, der := range ders {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				return err
			}
			certs.AddCert(c)
		}
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return err
	}
	_, err = leaf.Verify(o)
	return err
}

// x509Differs reports whether crypto/x509 refuses for a reason of its own: what it
// does not parse, names that differ in bytes, constraints on forms that it does not
// know.
func x509Differs(err error) bool {
	text := err.Error()
	for _, own := range []string{
		"unknown authority",                                                         // names are compared by their bytes
		"unhandled critical",                                                        // constraints on directoryName, policy extensions
		"cannot parse", "x509: invalid", "x509: malformed", "x509: failed to parse", // what it does not parse
		"empty name constraints", "invalid mask", "cannot be matched against constraints", // and URIs without a host, under any constraint
	} {
		if strings.Contains(text, own) {
			return true
		}
	}
	return false
}

// FuzzGraphs puts an extension of any kind and bytes into a certificate of a
// generated graph. Nothing panics, and what is called ok is taken by OpenSSL.
func FuzzGraphs(f *testing.F) {
	tooltest.Need(f, "openssl")
	for i, e := range []pkitest.Extension{
		pkitest.AlternativeNames(host, "*.lab.example", "192.0.2.7"), pkitest.DNSConstraints([]string{"lab.example"}, []string{".x"}),
		pkitest.NameConstraints(pkitest.NewName("O=Graph Lab")), pkitest.Policies("1.2.3"), pkitest.PolicyConstraints(0, 1), pkitest.PolicyMappings("1.2.3", "1.2.4"),
		pkitest.InhibitAnyPolicy(1), pkitest.BasicConstraints(true, 1), pkitest.KeyUsage(pkitest.DigitalSignature), pkitest.ExtKeyUsage(pkitest.ServerAuth),
		{Type: "2.5.29.31", Value: []byte("\x30\x0d\x30\x0b\xa0\x09\xa0\x07\x86\x05http:")}, {Type: "2.16.840.1.113730.1.1", Value: []byte{3, 2, 6, 0x40}},
		{Type: "2.5.29.35", Value: []byte{0x30, 0}}, {Type: "2.5.29.14", Value: []byte{4, 1, 0}}, {Type: "1.3.6.1.5.5.7.1.14", Value: []byte{0x30, 0}},
	} {
		f.Add(uint64(i), uint8(i%3), string(e.Type), e.Critical, e.Value)
	}
	f.Fuzz(func(t *testing.T, seed uint64, depth uint8, oid string, critical bool, value []byte) {
		if !objectID.MatchString(oid) || len(value) > 1000 {
			return
		}
		m := &maker{Rand: rand.New(rand.NewPCG(seed, 15)), extraDepth: 1 + int(depth)%4,
			extra: &pkitest.Extension{Type: pkitest.OID(oid), Critical: critical, Value: value}}
		g := m.make()
		r, err := reach.Validate(reach.Server{Name: g.host, Host: g.host, Certificates: certificates(t, g.sent...)}, reach.NewTrusted(pool.Of(certificates(t, g.pool...))), reach.Options{At: at})
		if err != nil || (r.Status == reach.OK) != (r.Reason == "") {
			t.Fatalf("%+v %v", r, err)
		}
		if r.Status != reach.OK {
			return
		}
		p := r.Paths[0].Certificates
		if !twice(p) && !opensslAccepts(t, g.host, at, raw(p[:max(1, len(p)-1)]), raw(p[len(p)-1:])) {
			t.Errorf("ok, and OpenSSL refuses it: %s %x (%s)", oid, value, strings.Join(g.done, ", "))
		}
	})
}

// objectID are the object identifiers that the fuzzer uses: those of extensions, and
// some of others.
var objectID = regexp.MustCompile(`^(2\.5\.29\.[0-9]{1,2}|1\.3\.6\.1\.5\.5\.7\.1\.[0-9]{1,2}|2\.16\.840\.1\.113730\.1\.[0-9]{1,2})$`)

package pool_test

import (
	"crypto/elliptic"
	"fmt"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
)

// root is a root certificate with the serial number 1.
func root(t testing.TB, change func(*pkitest.Template)) *certificate.Certificate {
	t.Helper()
	template := pkitest.RootTemplate(pkitest.NewName("O=Pool Test", "CN=Root"), pkitest.RSA("alder"))
	template.Serial = []byte{1}
	if change != nil {
		change(&template)
	}
	b, err := bundle.Parse(template.Sign(nil))
	if err != nil {
		t.Fatal(err)
	}
	return b.Certificates[0]
}

// shown is the entry of a certificate as IOS XE shows it.
func shown(c *certificate.Certificate) pool.Entry {
	s := show.Of(c, show.IOSXE, show.Downloaded)
	return pool.Entry{
		Origin: pool.Downloaded, Serial: s.Serial,
		Shown: &pool.Shown{Issuer: s.Issuer, Subject: s.Subject, NotBefore: s.NotBefore, NotAfter: s.NotAfter},
	}
}

// only is the entry of a certificate with some of its fields.
func only(c *certificate.Certificate, keep func(from, to *pool.Entry)) pool.Entry {
	from := pool.EntryOf(c, pool.Downloaded)
	to := pool.Entry{Origin: pool.Downloaded}
	keep(&from, &to)
	return to
}

func bySHA256(from, to *pool.Entry) { to.SHA256 = from.SHA256 }
func bySHA1(from, to *pool.Entry)   { to.SHA1 = from.SHA1 }
func byIssuerSerial(from, to *pool.Entry) {
	to.Issuer, to.Serial = from.Issuer, from.Serial
}

// Whether certificates are looked for in a pool or a pool's in bundles, the same
// evidence shows the same.
func TestBothDirections(t *testing.T) {
	t.Parallel()
	one := root(t, nil)
	otherKey := root(t, func(x *pkitest.Template) { x.Key = pkitest.RSA("birch") })
	later := root(t, func(x *pkitest.Template) { x.NotAfter = pkitest.Date(2049, 1, 1) })
	otherName := root(t, func(x *pkitest.Template) { x.Subject = pkitest.NewName("O=Pool Test", "CN=Other") })
	for name, entry := range map[string]struct {
		pool.Entry
		by   pool.Key
		also []*certificate.Certificate // what it may be beside the first
	}{
		"SHA-256":                {only(one, bySHA256), pool.BySHA256, nil},
		"SHA-1":                  {only(one, bySHA1), pool.BySHA1, nil},
		"shown":                  {shown(one), pool.ByShownDates, []*certificate.Certificate{otherKey}},
		"issuer and serial":      {only(one, byIssuerSerial), pool.ByIssuerSerial, []*certificate.Certificate{otherKey, later}},
		"SHA-1, and another's":   {only(one, func(f, to *pool.Entry) { to.SHA1 = f.SHA1; to.Issuer, to.Serial = "CN=X", "02" }), pool.BySHA1, nil},
		"SHA-256 found by SHA-1": {only(one, func(f, to *pool.Entry) { to.SHA256, to.IdentifiedBy = f.SHA256, pool.BySHA1 }), pool.BySHA1, nil},
	} {
		for _, c := range []*certificate.Certificate{one, otherKey, later, otherName} {
			want := pool.Key("")
			if c == one {
				want = entry.by
			}
			for _, a := range entry.also {
				if a == c {
					want = entry.by
				}
			}
			p := &pool.Pool{Entries: []pool.Entry{entry.Entry}}
			x, err := p.Index()
			if err != nil {
				t.Fatal(err)
			}
			if _, by := x.Find(c); by != want {
				t.Errorf("%s: %x is found by %q, not %q", name, c.SHA256[:4], by, want)
			}
			m := p.Identify(pool.Source{Name: "it", Certificates: []*certificate.Certificate{c, c}})[0]
			if m.By != want || (p.Entries[0].Certificate == c) != (want != "") || (m.In == "it") != (want != "") {
				t.Errorf("%s: %x is identified by %+v, not %q", name, c.SHA256[:4], m, want)
			}
		}
		p := &pool.Pool{Entries: []pool.Entry{entry.Entry}}
		m := p.Identify(pool.Source{Certificates: []*certificate.Certificate{otherName, later, otherKey, one}})[0]
		if m.Candidates != 1+len(entry.also) || (p.Entries[0].Certificate == nil) != (len(entry.also) > 0) || (m.By == "") != (len(entry.also) > 0) {
			t.Errorf("%s: of all %+v", name, m)
		}
	}
}

// Among certificates that may imitate others only a hash finds one, in whatever
// order the sources are, and a certificate in two of them is one candidate.
func TestIdentifyHashesOnly(t *testing.T) {
	t.Parallel()
	one := root(t, nil)
	for name, entry := range map[string]struct {
		pool.Entry
		found bool
	}{
		"SHA-256":           {only(one, bySHA256), true},
		"SHA-1":             {only(one, bySHA1), true},
		"shown":             {shown(one), false},
		"issuer and serial": {only(one, byIssuerSerial), false},
	} {
		certs := []*certificate.Certificate{one}
		sent, own := pool.Source{Name: "sent", Certificates: certs, HashesOnly: true}, pool.Source{Name: "own", Certificates: certs}
		for _, sources := range [][]pool.Source{{sent}, {sent, own}, {own, sent}} {
			p := &pool.Pool{Entries: []pool.Entry{entry.Entry}}
			m := p.Identify(sources...)[0]
			if want := entry.found || len(sources) > 1; (p.Entries[0].Certificate == one) != want || (m.Candidates == 1) != want {
				t.Errorf("%s, %d sources: %+v", name, len(sources), m)
			}
		}
	}
}

// An entry is one certificate: of two that are shown alike it is the first.
func TestFindTaken(t *testing.T) {
	t.Parallel()
	one, two := root(t, nil), root(t, func(x *pkitest.Template) { x.Key = pkitest.RSA("birch") })
	x, err := (&pool.Pool{Entries: []pool.Entry{shown(one), shown(one)}}).Index()
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range []string{"0", "1", "0", "-"} {
		c := []*certificate.Certificate{one, two, one, root(t, func(x *pkitest.Template) { x.Key = pkitest.ECDSA("pool", elliptic.P256()) })}[n]
		got := "-"
		if i, by := x.Find(c); by != "" {
			got = fmt.Sprint(i)
		}
		if got != want {
			t.Errorf("%d is found at %s, not %s", n+1, got, want)
		}
	}
	if x.First(1) != 1 {
		t.Error("two entries that are shown alike are called the same")
	}
	x, err = (&pool.Pool{Entries: []pool.Entry{only(one, bySHA1), only(one, bySHA1)}}).Index()
	if err != nil || x.First(1) != 0 {
		t.Errorf("two entries of one SHA-1: %d, %v", x.First(1), err)
	}
}

// What cannot be read is known by its bytes alone; more certificates that are
// shown alike than are looked at are none; an entry that has its certificate keeps
// it; one that nothing identifies is not found.
func TestIdentifyEdges(t *testing.T) {
	t.Parallel()
	broken := &certificate.Certificate{Raw: []byte{0x30, 0}, SHA256: [32]byte{7}, Err: fmt.Errorf("broken")}
	many := make([]*certificate.Certificate, 65)
	for i := range many {
		c := *root(t, nil)
		c.SHA256[0], c.SHA256[1] = 1, byte(i)
		if i > 0 {
			c.NotAfter.Time = c.NotAfter.AddDate(1, 0, 0)
		}
		many[i] = &c
	}
	kept := root(t, nil)
	p := &pool.Pool{Entries: []pool.Entry{only(broken, bySHA256), only(broken, byIssuerSerial), shown(kept), {Certificate: kept}, {Origin: pool.BuiltIn}}}
	m := p.Identify(pool.Source{Certificates: append(many, broken)})
	if p.Entries[0].Certificate != broken || p.Entries[1].Certificate != nil || m[1].By != "" {
		t.Errorf("broken: %+v", m[:2])
	}
	if p.Entries[2].Certificate != nil || m[2].By != "" {
		t.Errorf("of 65 that are shown alike: %+v", m[2])
	}
	if p.Entries[3].Certificate != kept || m[3].By != pool.BySHA256 || p.Entries[4].Certificate != nil || m[4].Candidates != 0 {
		t.Errorf("kept, nothing: %+v", m[3:])
	}
	p.Entries[2].Certificate = nil
	if m := p.Identify(pool.Source{Certificates: many[:64]}); p.Entries[2].Certificate != many[0] || m[2].By != pool.ByShownDates {
		t.Errorf("of 64: %+v", m[2])
	}
}

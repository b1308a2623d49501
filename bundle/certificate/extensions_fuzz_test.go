package certificate_test

import (
	"regexp"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
)

var dotted = regexp.MustCompile(`^(2\.5\.29\.[0-9]{1,2}|1\.3\.6\.1\.5\.5\.7\.1\.[0-9]{1,2}|2\.16\.840\.1\.113730\.1\.1)$`)

// FuzzExtensions reads one extension of any kind and bytes with every reader. None
// panics, and what is read was there.
func FuzzExtensions(f *testing.F) {
	for _, e := range []pkitest.Extension{
		pkitest.AlternativeNames("www.lab.example", "192.0.2.7", "2001:db8::1"),
		pkitest.GeneralNames(pkitest.MailName("a@lab.example"), pkitest.URIName("https://lab.example/"), pkitest.DirectoryName(pkitest.NewName("O=Lab")), pkitest.RegisteredID(42)),
		pkitest.DNSConstraints([]string{"lab.example"}, []string{".x"}), pkitest.Policies("1.2.3"), pkitest.PolicyMappings("1.2.3", pkitest.AnyPolicy),
		pkitest.PolicyConstraints(0, 1), pkitest.InhibitAnyPolicy(200), {Type: "2.5.29.35", Value: []byte("\x30\x0a\xa1\x05\x82\x03a.b\x82\x01\x05")},
		{Type: "2.5.29.31", Value: []byte("\x30\x0d\x30\x0b\xa0\x09\xa0\x07\x86\x05http:")}, {Type: "2.16.840.1.113730.1.1", Value: []byte{3, 2, 6, 0x40}},
	} {
		f.Add(string(e.Type), e.Critical, e.Value)
	}
	f.Fuzz(func(t *testing.T, oid string, critical bool, value []byte) {
		if !dotted.MatchString(oid) || len(value) > 1<<16 {
			return
		}
		e := pkitest.Extension{Type: pkitest.OID(oid), Critical: critical, Value: value}
		c := &certificate.Certificate{Version: 3, Extensions: e.DER()}
		if got, ok := c.Extension(string(e.Type.DER()[2:])); !ok || got.Critical != critical || string(got.Value) != string(value) {
			t.Fatalf("%+v %t", got, ok)
		}
		names, err := c.AlternativeNames()
		if err != nil && names != nil || len(names) > 0 && oid != "2.5.29.17" {
			t.Errorf("names %v, %v", names, err)
		}
		if n, err := c.NameConstraints(); n != nil && (err != nil || oid != "2.5.29.30" || len(n.Permitted)+len(n.Excluded) == 0) {
			t.Errorf("constraints %+v, %v", n, err)
		}
		p, err := c.Policies()
		if err == nil && p.RequireExplicit < -1 || err != nil && (p.MapsAny || p.UnknownQualifier != nil) {
			t.Errorf("policies %+v", p)
		}
		if issuers, serial, err := c.AuthorityCertificate(); err != nil && (issuers != nil || serial != nil) {
			t.Errorf("%v %v beside %v", issuers, serial, err)
		}
		if uris := c.CRLDistributionPoints(3); len(uris) > 3 {
			t.Errorf("%d URIs", len(uris))
		}
		_ = c.CheckCRLDistributionPoints()
		_, _, _ = c.NetscapeType()
		for _, g := range names {
			if g.Form == certificate.FormDirectory {
				name := certificate.Name(g.Value)
				if name.Key(false) == "" != (len(name.RDNs(false)) == 0) {
					t.Errorf("the key of %x", g.Value)
				}
			}
		}
	})
}

// Names that RFC 5280 section 7.1 compares as the same, and OpenSSL or not.
func TestNameKeys(t *testing.T) {
	t.Parallel()
	base := pkitest.NewName("C=US", "O=Lab  One", "CN=Prüf 1")
	for name, tt := range map[string]struct {
		name             pkitest.Name
		openssl, rfc5280 bool
	}{
		"the same":                    {base, true, true},
		"letter case and spaces":      {pkitest.NewName("C=us", "O= LAB one ", "CN=prüf\t1"), true, true},
		"another type of string":      {pkitest.NewName("C=US", "O=Lab One").With("CN", 30, []byte("\x00P\x00r\x00\xfc\x00f\x00 \x001")), true, true},
		"Latin-1 in a T61String":      {pkitest.NewName("C=US", "O=Lab One").With("CN", asn1.T61String, []byte("Pr\xfcf 1")), true, true},
		"a capital that is not ASCII": {pkitest.NewName("C=US", "O=Lab One", "CN=PRÜF 1"), false, true},
		"a combining character":       {pkitest.NewName("C=US", "O=Lab One", "CN=Pru\u0308f 1"), false, true},
		"another letter":              {pkitest.NewName("C=US", "O=Lab One", "CN=Pruf 1"), false, false},
		"another order":               {pkitest.NewName("C=US", "CN=Prüf 1", "O=Lab One"), false, false},
		"one part":                    {pkitest.Name{base[0], {base[1][0], base[2][0]}}, false, false},
		"a space that is missing":     {pkitest.NewName("C=US", "O=LabOne", "CN=Prüf 1"), false, false},
		"a part less":                 {base[:2], false, false},
	} {
		a, b := certificate.Name(base.DER()), certificate.Name(tt.name.DER())
		if got := a.Key(false) == b.Key(false); got != tt.openssl {
			t.Errorf("%s: the same as OpenSSL compares: %t", name, got)
		}
		if got := a.Key(true) == b.Key(true); got != tt.rfc5280 {
			t.Errorf("%s: the same by RFC 5280: %t", name, got)
		}
	}
	one := pkitest.Name{{base[1][0], base[2][0]}}
	other := pkitest.Name{{base[2][0], base[1][0]}}
	if certificate.Name(one.DER()).Key(false) != certificate.Name(other.DER()).Key(false) {
		t.Error("the order within a part counts")
	}
}

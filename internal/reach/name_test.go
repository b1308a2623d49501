package reach_test

import (
	"crypto/x509"
	"strings"
	"testing"

	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
)

// FuzzNames gives a server alternative names, and its issuer name constraints, of
// any bytes. What is taken here is taken by crypto/x509 too, where that parses
// both.
func FuzzNames(f *testing.F) {
	names := pkitest.AlternativeNames(host, "*.lab.example", "192.0.2.7", "2001:db8::1")
	for _, c := range []pkitest.Extension{
		pkitest.DNSConstraints([]string{"lab.example"}, []string{"no.lab.example", ".x"}),
		pkitest.DNSConstraints(nil, []string{""}),
		pkitest.NameConstraints(pkitest.NewName("O=Trustpool Lab")),
		{Value: []byte("\x30\x0e\xa0\x0c\x30\x0a\x87\x08\xc0\x00\x02\x00\xff\xff\xff\x00")},
	} {
		f.Add(names.Value, c.Value)
	}
	f.Add([]byte("\x30\x05\x82\x03a.b"), []byte("\x30\x00"))
	root := authority(nil, "root", nil)
	pool := reach.NewTrusted(pool.Of(certificates(f, root.DER)))
	f.Fuzz(func(t *testing.T, names, constraints []byte) {
		if len(names)+len(constraints) > 1<<15 {
			return
		}
		middle := authority(root, "middle", with(pkitest.Extension{Type: "2.5.29.30", Value: constraints}))
		leaf := pkitest.ServerTemplate(host).With(pkitest.Extension{Type: "2.5.29.17", Value: names}).Sign(middle)
		r, err := reach.Validate(server(t, host, leaf, middle.DER), pool, reach.Options{At: at})
		if err != nil || (r.Status == reach.OK) != (r.Reason == "") {
			t.Fatalf("%+v %v", r, err)
		}
		if r.Status != reach.OK {
			return
		}
		if _, err := x509.ParseCertificate(middle.DER); err != nil {
			return
		}
		parsed, err := x509.ParseCertificate(leaf)
		if err != nil {
			return
		}
		for _, name := range parsed.DNSNames {
			// crypto/x509 asks of every name that it is one, also where no
			// constraint speaks of DNS names.
			if strings.ContainsFunc(name, func(r rune) bool { return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyz.*", r) }) || strings.Contains("."+name+".", "..") {
				return
			}
		}
		if !x509Accepts(host, [][]byte{leaf, middle.DER}, [][]byte{root.DER}) {
			t.Errorf("taken, and crypto/x509 refuses it: names %x, constraints %x", names, constraints)
		}
	})
}

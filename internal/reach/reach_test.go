package reach_test

import (
	"bytes"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"fmt"
	"math/big"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/tooltest"
)

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func certificates(t testing.TB, ders ...[]byte) (out []*certificate.Certificate) {
	t.Helper()
	for _, der := range ders {
		out = append(out, certificate.Read(der))
	}
	return out
}

func server(t testing.TB, host string, chain ...[]byte) reach.Server {
	t.Helper()
	return reach.Server{Name: host, Host: host, Certificates: certificates(t, chain...)}
}

const host = "www.lab.example"

// authority is a root, or an intermediate below a parent.
func authority(parent *pkitest.Authority, cn string, change func(*pkitest.Template)) *pkitest.Authority {
	t := pkitest.RootTemplate(pkitest.NewName("O=Reach Lab", "CN="+cn), pkitest.ECDSA("reach-"+cn, elliptic.P256()))
	if change != nil {
		change(&t)
	}
	return t.Issue(parent)
}

func with(extensions ...pkitest.Extension) func(*pkitest.Template) {
	return func(t *pkitest.Template) { *t = t.With(extensions...) }
}

func without(oid pkitest.OID) func(*pkitest.Template) {
	return func(t *pkitest.Template) { *t = t.Without(oid) }
}

func sha1Signed(t *pkitest.Template) { t.Algorithm = pkitest.SHA1WithRSA }

// The rules, each with a chain that breaks it and nothing else. crypto/x509 must
// agree on whether the chain is good, but where differs says that it does not.
func TestRules(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	rsaRoot := pkitest.RootTemplate(pkitest.NewName("O=Reach Lab", "CN=RSA root"), pkitest.RSA("alder")).Issue(nil)
	leaf := pkitest.ServerTemplate(host)
	chain := func(leaf pkitest.Template, issuers ...*pkitest.Authority) [][]byte {
		ders := [][]byte{leaf.Sign(issuers[0])}
		for _, i := range issuers[:len(issuers)-1] {
			ders = append(ders, i.DER)
		}
		return ders
	}
	middle := func(change func(*pkitest.Template)) *pkitest.Authority { return authority(root, "middle", change) }
	rooted := func(change func(*pkitest.Template)) *pkitest.Authority { return authority(nil, "other root", change) }
	edit := func(change func(*pkitest.Template)) pkitest.Template { t := leaf; change(&t); return t }
	expired := func(t *pkitest.Template) { t.NotAfter = pkitest.Date(2025, 1, 1) }
	other := rooted(func(t *pkitest.Template) { t.Subject = pkitest.NewName("O=Prüf") })
	explicit := rooted(func(t *pkitest.Template) { t.SPKI = t.Key.ExplicitSPKI() })
	critical := func(e pkitest.Extension) pkitest.Extension { e.Critical = true; return e }
	// Roots with RSA keys that are written otherwise than crypto/x509 has them.
	rsaKey := func(modulus *big.Int, parameters ...[]byte) *pkitest.Authority {
		number := pkitest.TLV(asn1.BIT_STRING, []byte{0}, x509.MarshalPKCS1PublicKey(&rsa.PublicKey{N: modulus, E: 65537}))
		algorithm := pkitest.TLV(asn1.SEQUENCE, append([][]byte{pkitest.OID("1.2.840.113549.1.1.1").DER()}, parameters...)...)
		t := pkitest.RootTemplate(pkitest.NewName("CN=RSA"), pkitest.RSA("alder"))
		t.SPKI = pkitest.TLV(asn1.SEQUENCE, algorithm, number)
		return t.Issue(nil)
	}
	short := rsaKey(new(big.Int).SetBit(big.NewInt(1), 1022, 1), []byte{5, 0})
	bare := rsaKey(pkitest.RSA("alder").Signer.Public().(*rsa.PublicKey).N)
	future := func(t *pkitest.Template) { t.NotBefore = pkitest.Date(2026, 1, 1) }
	good := middle(nil)
	ecdsaSHA256, sha3 := []byte("\x2a\x86\x48\xce\x3d\x04\x03\x02"), []byte("\x2a\x86\x48\xce\x3d\x04\x03\x0a")
	exotic := bytes.ReplaceAll(leaf.Sign(root), ecdsaSHA256, sha3)
	oldMiddle := middle(func(t *pkitest.Template) { t.Version, t.Extensions = 1, nil })
	noBasic, version1 := rooted(without("2.5.29.19")), rooted(func(t *pkitest.Template) { t.Version, t.Extensions = 1, nil })
	tests := []struct {
		name    string
		chain   [][]byte
		anchors [][]byte
		options reach.Options
		host    string
		status  reach.Status
		reason  reach.Reason
		differs bool // from crypto/x509
	}{
		{name: "below the root", chain: chain(leaf, root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "over an intermediate", chain: chain(leaf, good, root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "intermediate is the anchor", chain: chain(leaf, good), anchors: [][]byte{good.DER}, status: reach.OK},
		{name: "roots only", chain: chain(leaf, good), anchors: [][]byte{good.DER}, options: reach.Options{RootsOnly: true},
			status: reach.Broken, reason: path.NoAnchor, differs: true},
		{name: "roots only, the pool completes", chain: chain(leaf, good), anchors: [][]byte{good.DER, root.DER},
			options: reach.Options{RootsOnly: true}, status: reach.OK},
		{name: "no anchor", chain: chain(leaf, root), anchors: [][]byte{rsaRoot.DER}, status: reach.Broken, reason: path.NoAnchor},
		{name: "another key of the name", chain: chain(leaf, root), status: reach.Broken, reason: path.Signature,
			anchors: [][]byte{authority(nil, "root", func(t *pkitest.Template) { t.Key = pkitest.ECDSA("x", elliptic.P256()) }).DER}},
		{name: "two of the name, one signed", chain: chain(leaf, root), status: reach.OK,
			anchors: [][]byte{authority(nil, "root", func(t *pkitest.Template) { t.Key = pkitest.ECDSA("x", elliptic.P256()) }).DER, root.DER}},
		{name: "expired", chain: chain(edit(expired), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.Expired},
		{name: "not yet", chain: chain(edit(future), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NotYetValid},
		{name: "expired intermediate", chain: chain(leaf, middle(expired), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.Expired},
		{name: "expired anchor", chain: chain(leaf, rooted(expired)), anchors: [][]byte{rooted(expired).DER}, status: reach.Unknown, reason: path.AnchorDates},
		{name: "future anchor", chain: chain(leaf, rooted(future)), anchors: [][]byte{rooted(future).DER}, status: reach.Unknown, reason: path.AnchorDates},
		{name: "not a CA", chain: chain(leaf, middle(with(pkitest.BasicConstraints(false, -1))), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NotCA},
		{name: "intermediate without basicConstraints", chain: chain(leaf, middle(without("2.5.29.19")), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NotCA},
		{name: "anchor says it is no CA", chain: chain(leaf, rooted(with(pkitest.BasicConstraints(false, -1)))),
			anchors: [][]byte{rooted(with(pkitest.BasicConstraints(false, -1))).DER}, status: reach.Broken, reason: path.NotCA},
		{name: "anchor without basicConstraints", chain: chain(leaf, noBasic), anchors: [][]byte{noBasic.DER}, status: reach.Unknown, reason: path.AnchorNotCA},
		{name: "intermediate of version 1 as the anchor", chain: chain(leaf, oldMiddle), anchors: [][]byte{oldMiddle.DER}, status: reach.Unknown, reason: path.AnchorNotCA, differs: true},
		{name: "anchor of version 1", chain: chain(leaf, version1), anchors: [][]byte{version1.DER}, status: reach.OK},
		{name: "no keyCertSign", chain: chain(leaf, middle(with(pkitest.KeyUsage(pkitest.CRLSign))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.KeyUsage},
		{name: "anchor without keyCertSign", chain: chain(leaf, rooted(with(pkitest.KeyUsage(pkitest.CRLSign)))),
			anchors: [][]byte{rooted(with(pkitest.KeyUsage(pkitest.CRLSign))).DER}, status: reach.Broken, reason: path.KeyUsage},
		{name: "path length", chain: chain(leaf, authority(rooted(with(pkitest.BasicConstraints(true, 0))), "m", nil), rooted(with(pkitest.BasicConstraints(true, 0)))),
			anchors: [][]byte{rooted(with(pkitest.BasicConstraints(true, 0))).DER}, status: reach.Broken, reason: path.PathLength},
		{name: "path length suffices", chain: chain(leaf, rooted(with(pkitest.BasicConstraints(true, 0)))),
			anchors: [][]byte{rooted(with(pkitest.BasicConstraints(true, 0))).DER}, status: reach.OK},
		{name: "not for servers", chain: chain(leaf.With(pkitest.ExtKeyUsage(pkitest.CodeSigning)), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: reach.ServerPurpose},
		{name: "any purpose", chain: chain(leaf.With(pkitest.ExtKeyUsage(pkitest.AnyPurpose)), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.AnyPurpose, differs: true},
		{name: "intermediate for any purpose", chain: chain(leaf, middle(with(pkitest.ExtKeyUsage(pkitest.AnyPurpose))), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.AnyPurpose, differs: true},
		{name: "key identifier", chain: chain(leaf.With(pkitest.AuthorityKeyID(pkitest.RSA("alder"))), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.KeyIdentifier, differs: true},
		{name: "serial number of the issuer", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.35", Value: []byte{0x30, 4, 0x82, 2, 0x66, 0x66}}), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.KeyIdentifier, differs: true},
		{name: "unreadable key identifier", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.35", Value: []byte{1}}), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.ExtensionUnreadable},
		{name: "unreadable names of an intermediate", chain: chain(leaf, middle(with(pkitest.Extension{Type: "2.5.29.17", Value: []byte{1}})), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.ExtensionUnreadable},
		{name: "policy constraints", chain: chain(leaf, middle(with(pkitest.Extension{Type: "2.5.29.36", Critical: true, Value: []byte{0x30, 3, 0x80, 1, 0}})), root),
			anchors: [][]byte{root.DER}, status: reach.Unknown, reason: path.PolicyConstraints},
		{name: "any policy inhibited", chain: chain(leaf, middle(with(pkitest.Extension{Type: "2.5.29.54", Critical: true, Value: []byte{2, 1, 0}})), root),
			anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "key of another type", chain: chain(leaf, root), anchors: [][]byte{authority(nil, "root", func(t *pkitest.Template) { t.Key = pkitest.RSA("alder") }).DER},
			status: reach.Broken, reason: path.Signature},
		{name: "signature not known here", chain: [][]byte{exotic}, anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.Unsupported},
		{name: "intermediate not for servers", chain: chain(leaf, middle(with(pkitest.ExtKeyUsage(pkitest.EmailProtection))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.Purpose},
		{name: "key usage", chain: chain(leaf.With(pkitest.KeyUsage(pkitest.CRLSign)), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: reach.ServerKeyUsage, differs: true},
		{name: "critical", chain: chain(leaf.With(pkitest.UnknownCritical()), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.CriticalExtension},
		{name: "critical in the intermediate", chain: chain(leaf, middle(with(pkitest.UnknownCritical())), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.CriticalExtension},
		{name: "critical in the anchor", chain: chain(leaf, rooted(with(pkitest.UnknownCritical()))), anchors: [][]byte{rooted(with(pkitest.UnknownCritical())).DER},
			status: reach.Unknown, reason: path.CriticalExtension},
		{name: "corrupt", chain: chain(edit(func(t *pkitest.Template) { t.Corrupt = true }), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.Signature},
		{name: "SHA-1", chain: chain(edit(sha1Signed), rsaRoot), anchors: [][]byte{rsaRoot.DER}, status: reach.Unknown, reason: path.SHA1Signed},
		{name: "SHA-1 accepted", chain: chain(edit(sha1Signed), rsaRoot), anchors: [][]byte{rsaRoot.DER}, options: reach.Options{SHA1: path.SHA1Accept},
			status: reach.OK, differs: true},
		{name: "SHA-1 refused", chain: chain(edit(sha1Signed), rsaRoot), anchors: [][]byte{rsaRoot.DER}, options: reach.Options{SHA1: path.SHA1Refuse},
			status: reach.Broken, reason: path.SHA1Signed},
		{name: "MD5", chain: chain(edit(func(t *pkitest.Template) { t.Algorithm = pkitest.MD5WithRSA }), rsaRoot), anchors: [][]byte{rsaRoot.DER},
			options: reach.Options{SHA1: path.SHA1Accept}, status: reach.Broken, reason: path.Weak},
		{name: "another host", chain: chain(leaf, root), anchors: [][]byte{root.DER}, host: "mail.lab.example", status: reach.Broken, reason: reach.HostName},
		{name: "letter case", chain: chain(leaf, root), anchors: [][]byte{root.DER}, host: "WWW.lab.EXAMPLE", status: reach.OK},
		{name: "wildcard", chain: chain(leaf.With(pkitest.AlternativeNames("*.lab.example")), root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "wildcard, a label more", chain: chain(leaf.With(pkitest.AlternativeNames("*.lab.example")), root), anchors: [][]byte{root.DER},
			host: "a.www.lab.example", status: reach.Broken, reason: reach.HostName},
		{name: "wildcard for a whole domain", chain: chain(leaf.With(pkitest.AlternativeNames("*.example")), root), anchors: [][]byte{root.DER},
			host: "www.example", status: reach.Unknown, reason: reach.HostWildcard, differs: true},
		{name: "address", chain: chain(leaf.With(pkitest.AlternativeNames("192.0.2.7")), root), anchors: [][]byte{root.DER}, host: "192.0.2.7", status: reach.OK},
		{name: "address as a DNS name", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.17", Value: []byte("\x30\x0b\x82\x09192.0.2.7")}), root),
			anchors: [][]byte{root.DER}, host: "192.0.2.7", status: reach.Broken, reason: reach.HostName},
		{name: "common name alone", chain: chain(leaf.Without("2.5.29.17"), root), anchors: [][]byte{root.DER}, status: reach.Unknown, reason: reach.HostCommonName},
		{name: "common name beside names", chain: chain(leaf.With(pkitest.AlternativeNames("x.example")), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: reach.HostName},
		{name: "unreadable names", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.17", Value: []byte{0x30, 5}}), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: reach.NamesUnreadable},
		{name: "permitted", chain: chain(leaf, middle(with(pkitest.DNSConstraints([]string{"lab.example"}, nil))), root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "not permitted", chain: chain(leaf, middle(with(pkitest.DNSConstraints([]string{"other.example"}, nil))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.NameConstraint},
		{name: "a name that only ends alike", chain: chain(leaf, middle(with(pkitest.DNSConstraints([]string{"ab.example"}, nil))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.NameConstraint},
		{name: "excluded", chain: chain(leaf, middle(with(pkitest.DNSConstraints(nil, []string{"lab.example"}))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.NameConstraint},
		{name: "excluded by a wildcard", chain: chain(leaf.With(pkitest.AlternativeNames("*.lab.example")), middle(with(pkitest.DNSConstraints(nil, []string{"no.lab.example"}))), root),
			anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NameConstraint},
		{name: "excluded is what no wildcard stands for", chain: chain(leaf.With(pkitest.AlternativeNames("*.lab.example")), middle(with(pkitest.DNSConstraints(nil, []string{".no.lab.example"}))), root),
			anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "no constraint in the extension", chain: chain(leaf, middle(with(pkitest.Extension{Type: "2.5.29.30", Critical: true, Value: []byte{0x30, 0}})), root),
			anchors: [][]byte{root.DER}, status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "constraint of the anchor", chain: chain(leaf, rooted(with(pkitest.DNSConstraints([]string{"other.example"}, nil)))),
			anchors: [][]byte{rooted(with(pkitest.DNSConstraints([]string{"other.example"}, nil))).DER}, status: reach.Broken, reason: path.NameConstraint},
		{name: "constraint on distinguished names", chain: chain(leaf, middle(with(pkitest.NameConstraints(pkitest.NewName("O=Trustpool Lab")))), root), anchors: [][]byte{root.DER},
			status: reach.OK, differs: true},
		{name: "constraint in other letters", chain: chain(leaf, middle(with(pkitest.NameConstraints(pkitest.NewName("O= trustpool  LAB")))), root), anchors: [][]byte{root.DER},
			status: reach.OK, differs: true},
		{name: "constraint in letters that OpenSSL does not fold", chain: chain(edit(func(t *pkitest.Template) { t.Subject = pkitest.NewName("O=Prüf") }), middle(with(pkitest.NameConstraints(pkitest.NewName("O=PRÜF")))), root),
			anchors: [][]byte{root.DER}, status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "constraint of a form that is not evaluated", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.17", Value: []byte("\x30\x14\x82\x0fwww.lab.example\x88\x01\x2a")}),
			middle(with(pkitest.Extension{Type: "2.5.29.30", Critical: true, Value: []byte("\x30\x07\xa1\x05\x30\x03\x88\x01\x2a")})), root),
			anchors: [][]byte{root.DER}, status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "unreadable constraints", chain: chain(leaf, middle(with(pkitest.Extension{Type: "2.5.29.30", Critical: true, Value: []byte{0x30, 2, 1, 1}})), root),
			anchors: [][]byte{root.DER}, status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "names of other bytes", chain: chain(edit(func(t *pkitest.Template) { t.Issuer = pkitest.NewName("O= reach  LAB", "CN=Root ") }), root), anchors: [][]byte{root.DER},
			status: reach.OK, differs: true},
		{name: "names that OpenSSL does not fold", chain: chain(edit(func(t *pkitest.Template) { t.Issuer = pkitest.NewName("O=PRÜF") }), other), anchors: [][]byte{other.DER},
			status: reach.Unknown, reason: path.NameEncoding},
		{name: "the server's own curve is written out", chain: chain(edit(func(t *pkitest.Template) { t.SPKI = t.Key.ExplicitSPKI() }), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.ExplicitCurve},
		{name: "the anchor's curve is written out", chain: chain(leaf, explicit), anchors: [][]byte{explicit.DER}, status: reach.Broken, reason: path.ExplicitCurve},
		{name: "RSA under 1024 bits", chain: chain(leaf, short), anchors: [][]byte{short.DER}, status: reach.Unknown, reason: path.Unsupported},
		{name: "RSA without NULL", chain: chain(leaf, bare), anchors: [][]byte{bare.DER}, status: reach.OK, differs: true},
		{name: "critical key identifier", chain: chain(leaf.With(critical(pkitest.AuthorityKeyID(root.Key))), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.CriticalExtension},
		{name: "critical issuerAltName", chain: chain(leaf.With(pkitest.Extension{Type: "2.5.29.18", Critical: true, Value: []byte("\x30\x03\x82\x01a")}), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.CriticalExtension},
		{name: "partial wildcard", chain: chain(leaf.With(pkitest.AlternativeNames("w*.lab.example")), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: reach.HostName},
		{name: "address in six bytes more", chain: chain(leaf.With(pkitest.AlternativeNames("192.0.2.7")), root), anchors: [][]byte{root.DER}, host: "::ffff:192.0.2.7",
			status: reach.Broken, reason: reach.HostName, differs: true},
		{name: "key usage of another kind of key", chain: chain(leaf.With(pkitest.KeyUsage(pkitest.KeyEncipherment)), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: reach.ServerKeyUsage, differs: true},
		{name: "fractional seconds", chain: chain(edit(func(t *pkitest.Template) {
			t.NotAfter = pkitest.Time{Tag: asn1.GeneralizedTime, Text: "20340101000000.5Z"}
		}), root), anchors: [][]byte{root.DER},
			status: reach.Unknown, reason: path.FractionalTime},
		{name: "the last second", chain: chain(leaf, root), anchors: [][]byte{root.DER}, options: reach.Options{At: time.Date(2034, 1, 1, 0, 0, 0, 999, time.UTC)}, status: reach.OK},
		{name: "mail that is not permitted", chain: chain(leaf.With(pkitest.GeneralNames(pkitest.DNSName(host), pkitest.MailName("a@other.example"))),
			middle(with(pkitest.Constraints([][]byte{pkitest.MailName("lab.example")}, nil))), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NameConstraint},
		{name: "a URI without a host", chain: chain(leaf.With(pkitest.GeneralNames(pkitest.DNSName(host), pkitest.URIName("urn:x"))),
			middle(with(pkitest.Constraints(nil, [][]byte{pkitest.URIName("other.example")}))), root), anchors: [][]byte{root.DER}, status: reach.Broken, reason: path.NameConstraint},
		{name: "a common name that is not permitted", chain: chain(edit(func(t *pkitest.Template) {
			*t = t.With(pkitest.AlternativeNames("192.0.2.7"))
			t.Subject = pkitest.NewName("CN=bad.example")
		}), middle(with(pkitest.DNSConstraints([]string{"lab.example"}, nil))), root), anchors: [][]byte{root.DER}, host: "192.0.2.7", status: reach.Unknown, reason: path.NameConstraint, differs: true},
		{name: "inhibited mapping", chain: chain(leaf, middle(with(pkitest.PolicyConstraints(-1, 0))), root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "an explicit policy below more than there is", chain: chain(leaf, middle(with(pkitest.PolicyConstraints(3, -1))), root), anchors: [][]byte{root.DER}, status: reach.OK},
		{name: "anyPolicy mapped", chain: chain(leaf, middle(with(pkitest.PolicyMappings(pkitest.AnyPolicy, "1.2.3"))), root), anchors: [][]byte{root.DER},
			status: reach.Broken, reason: path.PolicyMalformed, differs: true},
		{name: "server is its own anchor", chain: [][]byte{leaf.Sign(nil)}, anchors: [][]byte{leaf.Sign(nil)}, status: reach.OK},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.options.At.IsZero() {
				tt.options.At = at
			}
			if tt.host == "" {
				tt.host = host
			}
			r, err := reach.Validate(server(t, tt.host, tt.chain...), reach.NewTrusted(pool.Of(certificates(t, tt.anchors...))), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			if r.Status != tt.status || r.Reason != tt.reason {
				t.Errorf("%s %s (%s), want %s %s", r.Status, r.Reason, r.Text, tt.status, tt.reason)
			}
			noPath := r.Status == reach.Broken || r.Reason == path.Unsupported
			if noPath != (len(r.Paths) == 0) || (r.Status == reach.OK) != (r.Text == "") {
				t.Errorf("%s has %d paths and says %q", r.Status, len(r.Paths), r.Text)
			}
			if good := x509Accepts(tt.host, tt.chain, tt.anchors); good == (r.Status == reach.OK) == tt.differs {
				t.Errorf("%s, and crypto/x509 says %t", r.Status, good)
			}
			// OpenSSL does not try another certificate of a name where a signature is wrong.
			differs := tt.options.SHA1 == path.SHA1Accept || tt.name == "two of the name, one signed"
			if tooltest.Need(t, "openssl"); r.Status == reach.OK && !differs && !opensslVerifies(t, tt.host, tt.options.RootsOnly, at, tt.chain, tt.anchors) {
				t.Error("ok, and OpenSSL refuses it")
			}
		})
	}
}

// x509Accepts is the answer of crypto/x509, and false for what it cannot parse.
func x509Accepts(host string, chain, anchors [][]byte) bool {
	o := x509.VerifyOptions{Roots: x509.NewCertPool(), Intermediates: x509.NewCertPool(), CurrentTime: at, DNSName: host}
	for _, der := range anchors {
		if c, err := x509.ParseCertificate(der); err == nil {
			o.Roots.AddCert(c)
		}
	}
	for _, der := range chain[1:] {
		if c, err := x509.ParseCertificate(der); err == nil {
			o.Intermediates.AddCert(c)
		}
	}
	leaf, err := x509.ParseCertificate(chain[0])
	if err != nil {
		return false
	}
	_, err = leaf.Verify(o)
	return err == nil
}

// opensslAccepts is the answer of OpenSSL if every certificate of the pool is an
// anchor.
func opensslAccepts(t *testing.T, host string, at time.Time, chain, anchors [][]byte) bool {
	t.Helper()
	return opensslVerifies(t, host, false, at, chain, anchors)
}

func opensslVerifies(t *testing.T, host string, rootsOnly bool, at time.Time, chain, anchors [][]byte, more ...string) bool {
	t.Helper()
	dir := t.TempDir()
	sent := write(t, dir, "sent.pem", []byte(pems(chain...)))
	args := append([]string{"verify", "-no-CApath", "-no-CAstore", "-attime", fmt.Sprint(at.Unix()), "-purpose", "sslserver",
		"-CAfile", write(t, dir, "anchors.pem", []byte(pems(anchors...))), "-untrusted", sent}, more...)
	switch {
	case host == "":
	case net.ParseIP(host) != nil:
		args = append(args, "-verify_ip", host)
	default:
		args = append(args, "-verify_hostname", host)
	}
	if !rootsOnly {
		args = append(args, "-partial_chain")
	}
	return succeeds("openssl", append(args, sent)...)
}

// OpenSSL with -partial_chain, and without it, agrees on the lab's servers.
func TestOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	pools := map[string][][]byte{"v1": pkitest.CoreV1(), "v2": pkitest.CoreV2(), "quirks": pkitest.QuirkPool(),
		"intermediate": {pkitest.Lab().Intermediate.DER}}
	good := 0
	for name, ders := range pools {
		var certs []*certificate.Certificate
		ders = slices.DeleteFunc(slices.Clone(ders), func(der []byte) bool { return readable(der) == nil }) // no certificate, or one in BER
		for _, der := range ders {
			certs = append(certs, readable(der))
		}
		for _, s := range pkitest.LabServers() {
			for _, rootsOnly := range []bool{false, true} {
				want := opensslVerifies(t, s.Host, rootsOnly, at, s.Chain, ders)
				r, err := reach.Validate(server(t, s.Host, s.Chain...), reach.NewTrusted(pool.Of(certs)), reach.Options{At: at, RootsOnly: rootsOnly})
				if err != nil {
					t.Fatal(err)
				}
				if want {
					good++
				}
				if (r.Status == reach.OK) != want {
					t.Errorf("%s with %s, roots only %t: %s (%s), and OpenSSL says %t", s.Host, name, rootsOnly, r.Status, r.Text, want)
				}
			}
		}
	}
	if good == 0 {
		t.Error("OpenSSL takes no chain at all")
	}
}

// readable is a certificate in DER, nil for anything else.
func readable(der []byte) *certificate.Certificate {
	b, err := bundle.Parse(der)
	if err != nil || !bytes.Equal(b.Certificates[0].Raw, der) {
		return nil
	}
	return b.Certificates[0]
}

func write(t *testing.T, dir, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestPaths(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	middle := authority(root, "middle", nil)
	crossed := authority(pkitest.Lab().Root, "root", nil) // the same key, below another root
	leaf := pkitest.ServerTemplate(host).Sign(middle)
	s := server(t, host, leaf, middle.DER, crossed.DER)
	r, err := reach.Validate(s, reach.NewTrusted(pool.Of(certificates(t, middle.DER, root.DER, pkitest.Lab().Root.DER, root.DER))), reach.Options{At: at})
	if err != nil {
		t.Fatal(err)
	}
	var anchors []string
	for _, p := range r.Paths {
		anchors = append(anchors, p.Anchor().Subject.CommonName())
	}
	slices.Sort(anchors[:len(anchors)-1])
	if got := strings.Join(anchors, ", "); got != "Lab Root CA, root, middle" {
		t.Errorf("paths to %s; roots first, each anchor once", got)
	}
}

// A file of any order is judged by the server's own certificate.
func TestOrder(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	middle := authority(root, "middle", nil)
	leaf := pkitest.ServerTemplate(host).Sign(middle)
	pool := reach.NewTrusted(pool.Of(certificates(t, root.DER)))
	for _, chain := range [][][]byte{{leaf, middle.DER, root.DER}, {root.DER, middle.DER, leaf}} {
		r, err := reach.Validate(server(t, "no.example", chain...), pool, reach.Options{At: at})
		if err != nil || r.Reason != reach.HostName {
			t.Errorf("%v %v: the server's certificate was not found", r.Reason, err)
		}
	}
	if r, err := reach.Validate(server(t, "", middle.DER, root.DER), pool, reach.Options{At: at}); err != nil || r.Status != reach.OK {
		t.Errorf("CAs alone: %v %v %v", r.Status, r.Text, err)
	}
	// That they have a server's certificate for a host is not shown, and the first may
	// be one that is marked as a CA's.
	if r, err := reach.Validate(server(t, "no.example", middle.DER, root.DER), pool, reach.Options{At: at}); err != nil || r.Reason != reach.HostName || len(r.Paths) != 1 {
		t.Errorf("CAs alone, for a host: %v %v %v", r.Status, r.Text, err)
	}
	mail := authority(root, "mail", with(pkitest.ExtKeyUsage(pkitest.EmailProtection)))
	if r, err := reach.Validate(server(t, "", mail.DER), pool, reach.Options{At: at}); err != nil || r.Reason != path.Purpose {
		t.Errorf("CAs alone, for mail: %v %v %v", r.Status, r.Text, err)
	}
}

// A search ends: many certificates of one name and a ring of cross-signatures.
func TestBounded(t *testing.T) {
	t.Parallel()
	leaf := pkitest.ServerTemplate(host).Sign(authority(nil, "ring 0", nil))
	sent := [][]byte{leaf}
	for i := range 9 {
		for j := range 9 {
			if i != j {
				sent = append(sent, authority(authority(nil, "ring "+string(rune('0'+j)), nil), "ring "+string(rune('0'+i)), nil).DER)
			}
		}
	}
	r, err := reach.Validate(server(t, host, sent...), reach.NewTrusted(pool.Of(certificates(t, pkitest.Lab().Root.DER))), reach.Options{At: at})
	if err != nil || r.Status != reach.Unknown || r.Reason != path.TooComplex {
		t.Errorf("%v %v %v", r.Status, r.Reason, err)
	}
	var all [][]byte
	for i := range 100 {
		all = append(all, authority(nil, "ring 0", func(t *pkitest.Template) {
			t.Key = pkitest.ECDSA(string(rune('a'+i)), elliptic.P256())
		}).DER)
	}
	r, err = reach.Validate(server(t, host, leaf), reach.NewTrusted(pool.Of(certificates(t, all...))), reach.Options{At: at})
	if err != nil || r.Status == reach.OK {
		t.Errorf("%v %v %v", r.Status, r.Reason, err)
	}
}

// Many names are compared with many constraints in the time of the names.
func TestManyConstraints(t *testing.T) {
	t.Parallel()
	var hosts, others []string
	for i := range 220 {
		hosts, others = append(hosts, fmt.Sprintf("h%d.lab.example", i)), append(others, fmt.Sprintf("c%d.other.example", i))
	}
	change := with(pkitest.AlternativeNames(hosts...), pkitest.DNSConstraints(nil, others))
	root := authority(nil, "root", change)
	middle := authority(root, "middle", change)
	lower := authority(middle, "lower", change)
	leaf := pkitest.ServerTemplate(host).With(pkitest.AlternativeNames(append(hosts, host)...)).Sign(lower)
	r, err := reach.Validate(server(t, host, leaf, lower.DER, middle.DER), reach.NewTrusted(pool.Of(certificates(t, root.DER))), reach.Options{At: at})
	if err != nil || r.Status != reach.OK {
		t.Errorf("%v %v %v", r.Status, r.Reason, err)
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	s := server(t, host, pkitest.ServerTemplate(host).Sign(nil))
	if _, err := reach.Validate(s, reach.NewTrusted(nil), reach.Options{}); err == nil {
		t.Error("no time is taken")
	}
	if _, err := reach.Validate(s, reach.NewTrusted(nil), reach.Options{At: at, SHA1: "maybe"}); err == nil {
		t.Error("a third way with SHA-1 is taken")
	}
	if _, err := reach.Validate(reach.Server{}, reach.NewTrusted(nil), reach.Options{At: at}); err == nil {
		t.Error("a server without certificates is taken")
	}
}

func succeeds(program string, args ...string) bool {
	return exec.Command(program, args...).Run() == nil
}

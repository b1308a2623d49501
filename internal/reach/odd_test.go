package reach_test

import (
	"bytes"
	"crypto/elliptic"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/path"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
)

// Names and constraints at the edges of their forms, keys and extensions that are
// malformed: what others refuse is not called ok, and RFC 5280 refuses what is broken.
func TestOdd(t *testing.T) {
	t.Parallel()
	root := authority(nil, "root", nil)
	with := func(names ...[]byte) pkitest.Template {
		return pkitest.ServerTemplate(host).With(pkitest.GeneralNames(append(names, pkitest.DNSName(host))...))
	}
	key := func(curve string, point []byte) pkitest.Template {
		leaf := pkitest.ServerTemplate(host)
		leaf.SPKI = pkitest.TLV(asn1.SEQUENCE, pkitest.TLV(asn1.SEQUENCE, pkitest.OID("1.2.840.10045.2.1").DER(), pkitest.OID(curve).DER()),
			pkitest.TLV(asn1.BIT_STRING, []byte{0}, point))
		return leaf
	}
	spki := pkitest.ECDSA("odd", elliptic.P256()).SPKI()
	point := spki[len(spki)-65:]
	short := append([]byte{2 | point[64]&1}, point[1:33]...)
	off := bytes.Clone(point)
	off[64] ^= 1
	const p256 = "1.2.840.10045.3.1.7"
	mapped := append(make([]byte, 10), 255, 255, 192, 0, 2, 7)
	permit := func(names ...[]byte) pkitest.Extension { return pkitest.Constraints(names, nil) }
	exclude := func(names ...[]byte) pkitest.Extension { return pkitest.Constraints(nil, names) }
	plain := with()
	empty := pkitest.DirectoryName(pkitest.Name{})
	tests := []struct {
		name       string
		leaf       pkitest.Template
		constraint pkitest.Extension // of the intermediate; without a type none
		host       string            // if it is not host
		status     reach.Status
		reason     reach.Reason
	}{
		{name: "an empty URI hides no other", leaf: with(pkitest.URIName("")), constraint: permit(pkitest.URIName("lab.example"), pkitest.DNSName("other.example")), status: reach.Broken, reason: path.NameConstraint},
		{name: "an empty directory name", leaf: with(empty), constraint: permit(pkitest.DirectoryName(pkitest.NewName("O=Trustpool Lab"))), status: reach.Broken, reason: path.NameConstraint},
		{name: "an empty DNS name", leaf: with(pkitest.DNSName("")), constraint: permit(pkitest.DNSName("lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "an empty address", leaf: with(pkitest.MailName("")), constraint: exclude(pkitest.MailName("lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a letter that is k in lower case", leaf: with(pkitest.DNSName("\u212aab.example")), constraint: permit(pkitest.DNSName("example")), status: reach.Unknown, reason: path.ExtensionUnreadable},
		{name: "a name that is not ASCII", leaf: with(pkitest.MailName("ä@lab.example")), status: reach.Unknown, reason: path.ExtensionUnreadable},
		{name: "an alternative name without names", leaf: plain.With(pkitest.GeneralNames()), status: reach.Unknown, reason: reach.HostCommonName},
		{name: "a URI's host before ?", leaf: with(pkitest.URIName("http://lab.example?q")), constraint: permit(pkitest.URIName("lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "an IPv4 address in 16 bytes", leaf: with(pkitest.IPName(mapped)), constraint: permit(pkitest.IPName(make([]byte, 32))), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "an IPv4 address in 16 bytes, excluded", leaf: with(pkitest.IPName(mapped)), constraint: exclude(pkitest.IPName(make([]byte, 32))), status: reach.Broken, reason: path.NameConstraint},
		{name: "an address in quotes", leaf: with(pkitest.MailName(`"a"@lab.example`)), constraint: exclude(pkitest.MailName("a@lab.example")), status: reach.Broken, reason: path.NameConstraint},
		{name: "an address in quotes, permitted without", leaf: with(pkitest.MailName(`"a"@lab.example`)), constraint: permit(pkitest.MailName("a@lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a constraint in quotes", leaf: with(pkitest.MailName("a@lab.example")), constraint: exclude(pkitest.MailName(`"a"@lab.example`)), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a constraint whose letters are ASCII in lower case only", leaf: with(pkitest.DNSName("a.klab.example")), constraint: exclude(pkitest.DNSName("\u212alab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a network of four bytes", leaf: plain, constraint: exclude(pkitest.IPName([]byte{192, 0, 2, 7})), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a mask with gaps", leaf: plain, constraint: exclude(pkitest.IPName([]byte{192, 0, 2, 7, 255, 0, 255, 0})), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a constraint with a wildcard", leaf: plain, constraint: exclude(pkitest.DNSName("*.lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a constraint on URIs that is an address", leaf: plain, constraint: exclude(pkitest.URIName("192.0.2.7")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a DNS name that is too long", leaf: with(pkitest.DNSName(strings.Repeat("a.", 130) + "lab.example")), constraint: permit(pkitest.DNSName("lab.example")), status: reach.Unknown, reason: path.ConstraintUnknown},
		{name: "a form that no name has", leaf: plain, constraint: exclude(pkitest.RegisteredID(42)), status: reach.OK},

		{name: "an address with a dot behind", leaf: with(pkitest.DNSName("192.0.2.7")), host: "192.0.2.7.", status: reach.Broken, reason: reach.HostName},
		{name: "a wildcard for an address", leaf: with(pkitest.DNSName("*.0.2.7")), host: "192.0.2.7.", status: reach.Broken, reason: reach.HostName},
		{name: "a wildcard for an underscore", leaf: with(pkitest.DNSName("*.lab.example")), host: "_x.lab.example", status: reach.Unknown, reason: reach.HostWildcard},

		{name: "a compressed point", leaf: key(p256, short), status: reach.OK},
		{name: "a point off the curve", leaf: key(p256, off), status: reach.Unknown, reason: path.Unsupported},
		{name: "a key of a kind that is not known", leaf: func() pkitest.Template {
			leaf := key(p256, point)
			leaf.SPKI = bytes.Replace(leaf.SPKI, pkitest.OID("1.2.840.10045.2.1").DER(), pkitest.OID("1.2.840.10045.2.9").DER(), 1)
			return leaf
		}(), status: reach.Unknown, reason: path.Unsupported},
		{name: "something after basicConstraints", leaf: plain.With(pkitest.Extension{Type: "2.5.29.19", Value: []byte{0x30, 0, 0}}), status: reach.Unknown, reason: path.ExtensionUnreadable},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			middle := authority(root, "middle", func(m *pkitest.Template) {
				if tt.constraint.Type != "" {
					*m = m.With(tt.constraint)
				}
			})
			if tt.host == "" {
				tt.host = host
			}
			r, err := reach.Validate(server(t, tt.host, tt.leaf.Sign(middle), middle.DER), reach.NewTrusted(pool.Of(certificates(t, root.DER))), reach.Options{At: at})
			if err != nil || r.Status != tt.status || r.Reason != tt.reason {
				t.Errorf("%s %s (%s) %v, want %s %s", r.Status, r.Reason, r.Text, err, tt.status, tt.reason)
			}
		})
	}
}

// An issuer's key that is a compressed point is computed with.
func TestCompressedIssuer(t *testing.T) {
	t.Parallel()
	compressed := func(m *pkitest.Template) {
		spki := m.Key.SPKI()
		point := spki[len(spki)-65:]
		m.SPKI = pkitest.TLV(asn1.SEQUENCE, pkitest.TLV(asn1.SEQUENCE, pkitest.OID("1.2.840.10045.2.1").DER(), pkitest.OID("1.2.840.10045.3.1.7").DER()),
			pkitest.TLV(asn1.BIT_STRING, []byte{0, 2 | point[64]&1}, point[1:33]))
	}
	root := authority(nil, "root", compressed)
	for corrupt, status := range map[bool]reach.Status{false: reach.OK, true: reach.Broken} {
		leaf := pkitest.ServerTemplate(host)
		leaf.Corrupt = corrupt
		r, err := reach.Validate(server(t, host, leaf.Sign(root)), reach.NewTrusted(pool.Of(certificates(t, root.DER))), reach.Options{At: at})
		if err != nil || r.Status != status {
			t.Errorf("corrupt %t: %s %s (%s) %v", corrupt, r.Status, r.Reason, r.Text, err)
		}
	}
}

package path_test

import (
	"crypto/elliptic"
	"fmt"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/pkitest"
)

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func read(ders ...[]byte) (out []*certificate.Certificate) {
	for _, der := range ders {
		out = append(out, certificate.Read(der))
	}
	return out
}

// policy is one for servers, with the anchors of a set.
func policy(anchors *path.Set) path.Policy {
	return path.Policy{At: at, Anchor: anchors.Has, SHA1: func(*certificate.Certificate) path.SHA1 { return path.SHA1Unknown }}
}

func root(cn, key string) pkitest.Template {
	return pkitest.RootTemplate(pkitest.NewName("CN="+cn), pkitest.ECDSA(key, elliptic.P256()))
}

// Signatures that do not hold are counted over all searches of a run; one that
// holds is still found, and what was tried is not tried again.
func TestFailures(t *testing.T) {
	t.Parallel()
	var crowd [][]byte
	for i := range 40 { // of a key on P-521, so that the budget is soon used up
		crowd = append(crowd, pkitest.RootTemplate(pkitest.NewName("CN=crowd"), pkitest.ECDSA(fmt.Sprint("crowd ", i), elliptic.P521())).Sign(nil))
	}
	good := root("good", "good").Issue(nil)
	anchors := path.NewSet(read(append(crowd, good.DER)...))
	run := path.NewRun(anchors.Certificates())
	hostile := func(i int) *certificate.Certificate {
		leaf := pkitest.ServerTemplate(fmt.Sprintf("h%d.example", i))
		leaf.Issuer, leaf.Algorithm = pkitest.NewName("CN=crowd"), pkitest.ECDSAWithSHA256
		return certificate.Read(leaf.Sign(good))
	}
	first := run.Search(hostile(0), policy(anchors), anchors)
	if first.Open != nil || first.Refusal.Reason != path.Signature {
		t.Errorf("the first: %+v", first)
	}
	var last path.Outcome
	for i := range 10 {
		last = run.Search(hostile(i), policy(anchors), anchors)
	}
	if last.Open == nil || last.Open.Reason != path.TooComplex {
		t.Errorf("the last: %+v", last)
	}
	if again := run.Search(hostile(0), policy(anchors), anchors); again.Open != nil {
		t.Errorf("the first again: %+v", again)
	}
	if ok := run.Search(certificate.Read(pkitest.ServerTemplate("good.example").Sign(good)), policy(anchors), anchors); len(ok.Found) != 1 {
		t.Errorf("a good one: %+v", ok)
	}
}

// Ways to go are counted over all searches of a run, and an ordinary search is
// still made when there are none left.
func TestSteps(t *testing.T) {
	t.Parallel()
	var ring [][]byte // every CA of it has signed every other
	member := func(i int) pkitest.Template { return root(fmt.Sprint("ring ", i), fmt.Sprint("ring ", i)) }
	for i := range 9 {
		for j := range 9 {
			if i != j {
				ring = append(ring, member(i).Issue(member(j).Issue(nil)).DER)
			}
		}
	}
	good := root("good", "good").Issue(nil)
	anchors, sent := path.NewSet(read(good.DER)), path.NewSet(read(ring...))
	run := path.NewRun(sent.Certificates())
	hostile := certificate.Read(pkitest.ServerTemplate("h.example").Sign(member(0).Issue(nil)))
	for range 100 {
		if o := run.Search(hostile, policy(anchors), anchors, sent); o.Open == nil || o.Open.Reason != path.TooComplex {
			t.Fatalf("%+v", o)
		}
	}
	if o := run.Search(certificate.Read(pkitest.ServerTemplate("good.example").Sign(good)), policy(anchors), anchors, sent); len(o.Found) != 1 {
		t.Errorf("a good one: %+v", o)
	}
}

// Names are counted over all searches of a run.
func TestNames(t *testing.T) {
	t.Parallel()
	ca := root("constrained", "constrained").With(pkitest.DNSConstraints([]string{"example"}, nil)).Issue(nil)
	anchors := path.NewSet(read(ca.DER))
	var hosts []string
	for i := range 30_000 {
		hosts = append(hosts, fmt.Sprintf("h%d.example", i))
	}
	run, found := path.NewRun(), 0
	for i := range 40 {
		leaf := pkitest.ServerTemplate(fmt.Sprintf("l%d.example", i)).With(pkitest.AlternativeNames(hosts...)).Sign(ca)
		o := run.Search(certificate.Read(leaf), policy(anchors), anchors)
		if len(o.Found) == 1 {
			found++
		} else if o.Open == nil || o.Open.Reason != path.TooComplex {
			t.Fatalf("%+v", o)
		}
	}
	if found < 30 || found == 40 {
		t.Errorf("%d of 40 were judged", found)
	}
}

// A chain is not longer than a limit, and names of any length are compared in the
// time of their bytes.
func TestLong(t *testing.T) {
	t.Parallel()
	ca := root("ca 0", "ca 0").Issue(nil)
	anchors := path.NewSet(read(ca.DER))
	var sent [][]byte
	for i := range 25 {
		ca = root(fmt.Sprint("ca ", i+1), fmt.Sprint("ca ", i+1)).Issue(ca)
		sent = append(sent, ca.DER)
	}
	target := certificate.Read(pkitest.ServerTemplate("deep.example").Sign(ca))
	if o := path.NewRun().Search(target, policy(anchors), anchors, path.NewSet(read(sent...))); o.Open == nil || o.Open.Reason != path.TooComplex {
		t.Errorf("%+v", o)
	}
}

// The bytes of names that are compared with constraints are counted, however few
// the names are.
func TestNameBytes(t *testing.T) {
	t.Parallel()
	everyone := pkitest.Constraints([][]byte{pkitest.DirectoryName(pkitest.Name{})}, nil)
	leaf := pkitest.ServerTemplate("www.example")
	leaf.Subject = pkitest.NewName("CN=" + strings.Repeat("x", 1<<20))
	run, refused := path.NewRun(), 0
	for i := range 24 {
		ca := root(fmt.Sprint("wide ", i), "wide").With(everyone).Issue(nil)
		anchors := path.NewSet(read(ca.DER))
		if o := run.Search(certificate.Read(leaf.Sign(ca)), policy(anchors), anchors); o.Open != nil && o.Open.Reason == path.TooComplex {
			refused++
		}
	}
	if refused != 9 {
		t.Errorf("%d of 24 were too complex", refused)
	}
}

// Ed25519 hashes what is signed anew with each key, which counts.
func TestLargeEd25519(t *testing.T) {
	t.Parallel()
	var anchors [][]byte
	for i := range 20 {
		anchors = append(anchors, pkitest.RootTemplate(pkitest.NewName("CN=crowd"), pkitest.Ed25519(fmt.Sprint("crowd ", i))).Sign(nil))
	}
	other := pkitest.RootTemplate(pkitest.NewName("CN=crowd"), pkitest.Ed25519("another")).Issue(nil)
	set := path.NewSet(read(anchors...))
	run, last := path.NewRun(), path.Outcome{}
	for i := range 5 {
		leaf := pkitest.ServerTemplate(fmt.Sprintf("h%d.example", i)).With(pkitest.Extension{Type: "1.2.3", Value: make([]byte, 1<<20)})
		last = run.Search(certificate.Read(leaf.Sign(other)), policy(set), set)
	}
	if last.Open == nil || last.Open.Reason != path.TooComplex {
		t.Errorf("%+v", last)
	}
}

// ECDSA and Ed25519 have no parameters (RFC 5758 section 3.2, RFC 8410 section 3).
func TestSignatureParameters(t *testing.T) {
	t.Parallel()
	for _, key := range []*pkitest.Key{pkitest.ECDSA("parameters", elliptic.P256()), pkitest.Ed25519("parameters")} {
		ca := pkitest.RootTemplate(pkitest.NewName("CN=ca"), key).Issue(nil)
		c := certificate.Read(pkitest.ServerTemplate("www.example").Sign(ca))
		if _, r := path.CheckLink(c, certificate.Read(ca.DER)); r != nil {
			t.Errorf("%s: %v", c.SignatureAlgorithm, r.Err)
		}
		c.SignatureAlgorithm.Parameters = []byte{5, 0}
		if _, r := path.CheckLink(c, certificate.Read(ca.DER)); r == nil || r.Reason != path.Unsupported {
			t.Errorf("%s with NULL: %+v", c.SignatureAlgorithm, r)
		}
	}
}

func BenchmarkSearch(b *testing.B) {
	ca := root("ca", "bench ca").Issue(nil)
	anchors := path.NewSet(read(append(pkitest.LargePool(366), ca.DER)...))
	target := certificate.Read(pkitest.ServerTemplate("bench.example").Sign(ca))
	for b.Loop() {
		if o := path.NewRun(anchors.Certificates()).Search(target, policy(anchors), anchors); len(o.Found) != 1 {
			b.Fatalf("%+v", o)
		}
	}
}

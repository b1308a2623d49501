package signing_test

import (
	"errors"
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// labAnchor is the root testdata/bundles/lab-NAME-root.pem as an anchor.
func labAnchor(t *testing.T, name string) roots.Anchor {
	t.Helper()
	file := "lab-" + name + "-root.pem"
	if name == "lab" {
		file = "lab-root.pem"
	}
	data := tooltest.Bundle(t, file)
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	a, err := roots.FromCertificate(b.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	return a
}

func TestVectors(t *testing.T) {
	t.Parallel()
	vectors, err := pkitest.ReadVectors("../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		t.Run(v.Name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse(v.Message)
			if v.Expect == "malformed" {
				if err == nil {
					t.Fatal("Parse took it")
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			a := labAnchor(t, v.Root)
			a.SHA1Links = v.SHA1Links
			got, err := signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{a}, At: v.At})
			if v.Expect != "verified" {
				var refused *signing.VerifyError
				if !errors.As(err, &refused) || string(refused.Reason) != v.Expect {
					t.Errorf("got %v, want %s", err, v.Expect)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Anchor.SHA256 != a.SHA256 || got.Name != v.Bundle || got.Version != v.Version {
				t.Errorf("verified under %x as %q version %q", got.Anchor.SHA256, got.Name, got.Version)
			}
		})
	}
}

// Every reason is proved by a vector: its names are read from the source.
func TestEveryReasonHasAVector(t *testing.T) {
	t.Parallel()
	reasons := map[string]bool{}
	for _, name := range []string{"reason.go", "../internal/path/reason.go"} {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ParseComments)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if decl, ok := n.(*ast.GenDecl); ok && decl.Doc != nil && strings.Contains(decl.Doc.Text(), "doubts about servers alone") {
				return false // they do not occur here
			}
			if lit, ok := n.(*ast.BasicLit); ok && lit.Kind == token.STRING && !strings.HasPrefix(lit.Value, `"trustpool/`) {
				reasons[strings.Trim(lit.Value, `"`)] = false
			}
			return true
		})
	}
	if len(reasons) < 30 {
		t.Fatalf("only %d reasons were found", len(reasons))
	}
	vectors, err := pkitest.ReadVectors("../testdata/vectors")
	if err != nil {
		t.Fatal(err)
	}
	for _, v := range vectors {
		reasons[v.Expect] = true
	}
	for reason, proved := range reasons {
		if !proved {
			t.Errorf("no vector for %s", reason)
		}
	}
}

// Without a time or anchors there is no answer, not even a no.
func TestOptionsAreNeeded(t *testing.T) {
	t.Parallel()
	b, err := bundle.Parse(pkitest.Bundle(pkitest.Lab().Signer, "n", "1", time.Unix(1_700_000_000, 0), pkitest.CoreV1()...))
	if err != nil {
		t.Fatal(err)
	}
	anchors := []roots.Anchor{labAnchor(t, "lab")}
	for _, o := range []signing.VerifyOptions{{Anchors: anchors}, {At: time.Unix(1_750_000_000, 0)}, {}} {
		_, err := signing.Verify(b, o)
		var refused *signing.VerifyError
		if err == nil || errors.As(err, &refused) {
			t.Errorf("%+v: %v", o, err)
		}
	}
}

// The anchor may come with the bundle, in its pool, or from the user; what
// counts is its hash.
func TestAnchorByHashAlone(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	pin := roots.FromSHA256(labAnchor(t, "lab").SHA256)
	inPool := append(pkitest.LargePool(3), lab.Root.DER)
	message := func(pool [][]byte) []byte {
		return pkitest.Message{
			Content:      pkitest.CertsOnly(pool...),
			Signers:      []pkitest.SignerInfo{{Signer: lab.Signer, Name: "n", Version: "1", Time: pkitest.Date(2025, 1, 15)}},
			Certificates: [][]byte{lab.Signer.DER},
		}.DER()
	}
	for _, test := range []struct {
		about string
		data  []byte
		want  signing.Reason
	}{
		{"in the pool", message(inPool), ""},
		{"nowhere", message(pkitest.LargePool(3)), signing.ChainNoAnchor},
	} {
		b, err := bundle.Parse(test.data)
		if err != nil {
			t.Fatal(err)
		}
		v, err := signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{pin}, At: at})
		var refused *signing.VerifyError
		switch {
		case test.want == "" && err != nil:
			t.Errorf("%s: %v", test.about, err)
		case test.want == "" && v.Anchor.Name != "Lab Root CA":
			t.Errorf("%s: the anchor is called %q", test.about, v.Anchor.Name)
		case test.want != "" && (!errors.As(err, &refused) || refused.Reason != test.want):
			t.Errorf("%s: %v", test.about, err)
		}
	}
}

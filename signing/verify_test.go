package signing_test

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
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
	data, err := os.ReadFile(filepath.Join("..", "testdata", "bundles", file))
	if err != nil {
		t.Fatal(err)
	}
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

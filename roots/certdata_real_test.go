package roots_test

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"trustpool/bundle"
	"trustpool/roots"
)

// leftOut are the labels of roots that Debian leaves out although Mozilla trusts
// them (mozilla/blacklist.txt in 20250419~deb12u2).
var leftOut = []string{"emSign ECC Root CA - G3", "Comodo AAA Services root"}

// TestRealCertdata reads the genuine file that TRUSTPOOL_CERTDATA names, such as
// mozilla/certdata.txt of Debian's ca-certificates source. With TRUSTPOOL_CERTS
// the directory of the certificates that Debian made of it is compared too. Neither
// is part of the project, so the test does not insist on them.
func TestRealCertdata(t *testing.T) {
	t.Parallel()
	path := os.Getenv("TRUSTPOOL_CERTDATA")
	if path == "" {
		t.Skip("skipped: TRUSTPOOL_CERTDATA names no genuine certdata.txt")
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	store, err := roots.ParseCertdata(data)
	if err != nil {
		t.Fatal(err)
	}
	count := map[string]int{}
	trusted := map[[32]byte]string{}
	for _, r := range store.Roots {
		if r.Err != nil || len(r.Constraints) > 0 || r.Certificate == nil {
			t.Errorf("line %d, %s: %v %q", r.Line, r.Label, r.Err, r.Constraints)
		}
		for p, trust := range r.Trust {
			count[string(p)+" "+trustWord(trust)]++
		}
		for p := range r.DistrustAfter {
			count[string(p)+" distrust-after"]++
		}
		if len(r.With(roots.Distrusted)) > 0 {
			t.Logf("distrusted: %s %v", r.Label, r.With(roots.Distrusted))
		}
	}
	t.Logf("%d bytes, %d certificates: %v", len(data), len(store.Roots), count)
	for _, r := range store.Roots {
		if r.Check(roots.ServerAuth) == nil {
			trusted[r.SHA256] = r.Label
		}
	}
	if len(trusted) < 100 {
		t.Errorf("%d roots are trusted for serverAuth", len(trusted))
	}

	dir := os.Getenv("TRUSTPOOL_CERTS")
	if dir == "" {
		t.Log("TRUSTPOOL_CERTS names no directory to compare with")
		return
	}
	files, err := filepath.Glob(filepath.Join(dir, "*.crt"))
	if err != nil || len(files) == 0 {
		t.Fatalf("%d files in %s: %v", len(files), dir, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(data)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range b.Certificates {
			if _, ok := trusted[c.SHA256]; !ok {
				t.Errorf("only in the directory: %s", c.Subject)
			}
			delete(trusted, c.SHA256)
		}
	}
	t.Logf("%d files compared", len(files))
	for sum, label := range trusted {
		if !slices.Contains(leftOut, label) {
			t.Errorf("only in the file: %s, %x", label, sum)
		}
	}
}

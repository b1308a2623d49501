package roots_test

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/roots"
)

//go:generate go test -count=1 -run ^TestCommitted$ . -update

var update = flag.Bool("update", false, "write the generated files below testdata anew")

// fixtures are the files below testdata, all made by pkitest.
func fixtures() map[string][]byte {
	return map[string][]byte{
		"certdata.txt":       pkitest.Certdata(pkitest.SmallCertdata()...),
		"ccadb-included.csv": pkitest.CCADBIncluded(),
		"ccadb-records.csv":  pkitest.CCADBRecords(),
	}
}

func TestCommitted(t *testing.T) {
	t.Parallel()
	for name, want := range fixtures() {
		path := filepath.Join("testdata", name)
		if *update {
			if err := os.WriteFile(path, want, 0o644); err != nil {
				t.Fatal(err)
			}
		}
		if got, err := os.ReadFile(path); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s is not what is generated: go generate ./roots (%v)", path, err)
		}
	}
}

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// describe is an entry in a line: its label, what is said of it, what is wrong.
func trustWord(t roots.Trust) string {
	return [...]string{roots.Unspecified: "unspecified", roots.Trusted: "trusted", roots.MustVerify: "must-verify", roots.Distrusted: "distrusted"}[t]
}

func describe(r *roots.Root) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s:", r.Label)
	for _, p := range roots.Purposes() {
		if t := r.Trust[p]; t == roots.Trusted || t == roots.Distrusted {
			fmt.Fprintf(&b, " %s=%s", p, trustWord(t))
		}
		if after, ok := r.DistrustAfter[p]; ok {
			fmt.Fprintf(&b, " %s<=%s", p, after.Format(time.RFC3339))
		}
	}
	if r.Certificate == nil {
		b.WriteString(" (no certificate)")
	}
	for _, c := range r.Constraints {
		fmt.Fprintf(&b, " [%s]", c)
	}
	if r.Err != nil {
		b.WriteString(" ERR")
	}
	return b.String()
}

func describeAll(s *roots.Store) []string {
	var out []string
	for _, r := range s.Roots {
		out = append(out, describe(r))
	}
	return out
}

func compare(t *testing.T, got, want []string) {
	t.Helper()
	for i := range max(len(got), len(want)) {
		g, w := "", ""
		if i < len(got) {
			g = got[i]
		}
		if i < len(want) {
			w = want[i]
		}
		if g != w {
			t.Errorf("entry %d:\n got %s\nwant %s", i+1, g, w)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	trusted := map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Trusted}
	distrusted := map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Distrusted, roots.EmailProtection: roots.Trusted}
	certificate := new(certificate.Certificate)
	for name, test := range map[string]struct {
		root   roots.Root
		reason roots.Reason
	}{
		"trusted":          {roots.Root{Certificate: certificate, Trust: trusted}, ""},
		"with a date":      {roots.Root{Certificate: certificate, Trust: trusted, DistrustAfter: map[roots.Purpose]time.Time{roots.ServerAuth: time.Unix(0, 0)}}, ""},
		"nothing said":     {roots.Root{Certificate: certificate}, roots.ReasonNotTrusted},
		"must verify":      {roots.Root{Certificate: certificate, Trust: map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.MustVerify}}, roots.ReasonNotTrusted},
		"distrusted":       {roots.Root{Certificate: certificate, Trust: distrusted}, roots.ReasonDistrusted},
		"distrusted, torn": {roots.Root{Err: errors.New("x"), Trust: distrusted}, roots.ReasonDistrusted},
		"constraint":       {roots.Root{Certificate: certificate, Trust: trusted, Constraints: []string{"\x1b"}}, roots.ReasonConstraint},
		"unreadable":       {roots.Root{Certificate: certificate, Trust: trusted, Err: errors.New("x")}, roots.ReasonUnreadable},
		"no certificate":   {roots.Root{Trust: trusted}, roots.ReasonNoCertificate},
	} {
		err := test.root.Check(roots.ServerAuth)
		var refused *roots.RefusedError
		switch {
		case test.reason == "" && err != nil:
			t.Errorf("%s: %v", name, err)
		case test.reason != "" && (!errors.As(err, &refused) || refused.Reason != test.reason):
			t.Errorf("%s: %v, want %s", name, err, test.reason)
		case err != nil && strings.ContainsRune(err.Error(), '\x1b'):
			t.Errorf("%s: the error is not safe to print", name)
		}
	}
}

func TestFind(t *testing.T) {
	t.Parallel()
	store, err := roots.ParseCertdata(readFile(t, "certdata.txt"))
	if err != nil {
		t.Fatal(err)
	}
	records, err := roots.ParseCCADB(readFile(t, "ccadb-records.csv"), roots.CCADBOptions{})
	if err != nil {
		t.Fatal(err)
	}
	core := pkitest.CoreV1()
	lab := pkitest.Lab()
	elmAgain := pkitest.RootTemplate(pkitest.NewName("CN=Elm under another name"), pkitest.RSA("elm")).Sign(nil)
	sameName := lab.Intermediate.Template // the name and the serial number of the one that is distrusted without a hash
	sameName.Key = pkitest.RSA("hazel")
	for name, test := range map[string]struct {
		store *roots.Store
		der   []byte
		want  []string
	}{
		"trusted":                         {store, core[2], []string{"certificate Alder Root CA"}},
		"distrusted":                      {store, core[4], []string{"certificate Explicitly Distrust Elm Root CA distrusted"}},
		"distrusted by key":               {store, elmAgain, []string{"key Explicitly Distrust Elm Root CA distrusted"}},
		"distrusted without certificate":  {store, lab.Intermediate.DER, []string{"issuer and serial Distrust an intermediate distrusted"}},
		"issuer and serial alone":         {store, sameName.Sign(lab.Root), []string{"issuer and serial Distrust an intermediate distrusted"}},
		"the other of the same issuer":    {store, quirk("same-issuer-serial-a"), []string{"certificate Same issuer and serial, trusted"}},
		"the one of the same issuer":      {store, quirk("same-issuer-serial-b"), []string{"certificate Same issuer and serial, distrusted distrusted"}},
		"unknown":                         {store, lab.P256Root.DER, nil},
		"no certificate":                  {store, quirk("not-a-certificate"), []string{"certificate Not a certificate"}},
		"revoked, known by a fingerprint": {records, core[4], []string{"certificate Elm Root CA distrusted"}},
	} {
		var got []string
		for _, m := range test.store.Find(parse(test.der)) {
			got = append(got, match(m))
		}
		if !slices.Equal(got, test.want) {
			t.Errorf("%s: %q, want %q", name, got, test.want)
		}
	}
}

// A root program finds a key however it is written.
func TestFindSameKey(t *testing.T) {
	t.Parallel()
	same := pkitest.SameKey()
	for i, der := range same {
		store, err := roots.ParseCertdata(pkitest.Certdata(pkitest.CertdataRoot{Label: "No", DER: der, Server: pkitest.NotTrusted}))
		if err != nil {
			t.Fatal(err)
		}
		for j, other := range same {
			want := roots.ByKey
			if i == j {
				want = roots.ByCertificate
			}
			if m := store.Find(parse(other)); len(m) != 1 || m[0].By != want || len(m[0].Root.With(roots.Distrusted)) == 0 {
				t.Errorf("%d of %d: %+v", j, i, m)
			}
		}
	}
}

func match(m roots.Match) string {
	s := string(m.By) + " " + m.Root.Label
	if len(m.Root.With(roots.Distrusted)) > 0 {
		s += " distrusted"
	}
	return s
}

func quirk(name string) []byte {
	for _, q := range pkitest.Quirks() {
		if q.Name == name {
			return q.DER
		}
	}
	panic(name)
}

// parse reads one certificate, or makes an entry that is none.
func parse(der []byte) *certificate.Certificate {
	b, err := bundle.Parse(pkitest.CertsOnly(der, pkitest.Lab().Root.DER))
	if err != nil {
		panic(err)
	}
	return b.Certificates[0]
}

func TestPurposes(t *testing.T) {
	t.Parallel()
	r := roots.Root{Trust: map[roots.Purpose]roots.Trust{}}
	for _, p := range roots.Purposes() {
		r.Trust[p] = roots.Trusted
	}
	if got, want := r.With(roots.Trusted), slices.Sorted(maps.Keys(r.Trust)); !slices.Equal(got, want) {
		t.Errorf("%v", got)
	}
}

func TestSystemPaths(t *testing.T) {
	t.Parallel()
	files, dirs := roots.SystemPaths("", "")
	if files[0] != "/etc/ssl/certs/ca-certificates.crt" || dirs[0] != "/etc/ssl/certs" {
		t.Errorf("%q %q", files, dirs)
	}
	files, dirs = roots.SystemPaths("/a.pem", "/b::/c")
	if !slices.Equal(files, []string{"/a.pem"}) || !slices.Equal(dirs, []string{"/b", "/c"}) {
		t.Errorf("%q %q", files, dirs)
	}
}

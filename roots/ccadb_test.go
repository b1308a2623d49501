package roots_test

import (
	"bytes"
	"fmt"
	"strings"
	"testing"

	"trustpool/internal/pkitest"
	"trustpool/roots"
)

func TestParseCCADB(t *testing.T) {
	t.Parallel()
	const gorse = "Gorse Root CA: (no certificate) ERR" // a fingerprint that is cut short
	alone := "PEM\n\"'" + string(pkitest.CertificatePEM(pkitest.CoreV1()[6])) + "'\"\n"
	for name, test := range map[string]struct {
		data    []byte
		options roots.CCADBOptions
		want    []string
	}{
		"included": {readFile(t, "ccadb-included.csv"), roots.CCADBOptions{Purposes: []roots.Purpose{roots.CodeSigning}}, []string{
			"Alder Root CA: serverAuth=trusted emailProtection=trusted",
			"Birch Root CA: serverAuth=trusted serverAuth<=2024-11-30T00:00:00Z",
			"Cedar Root CA: emailProtection=trusted emailProtection<=2022-08-31T00:00:00Z",
			"Fir Root CA: serverAuth=trusted [Mozilla Applied Constraints: *.example]",
			"Gorse Root CA:",
		}},
		"included, of another program": {readFile(t, "ccadb-included.csv"), roots.CCADBOptions{Program: roots.Microsoft, Purposes: []roots.Purpose{roots.CodeSigning}}, []string{
			"Alder Root CA:",
			"Birch Root CA: serverAuth<=2024-11-30T00:00:00Z",
			"Cedar Root CA: emailProtection<=2022-08-31T00:00:00Z",
			"Fir Root CA:",
			"Gorse Root CA:",
		}},
		"records": {readFile(t, "ccadb-records.csv"), roots.CCADBOptions{}, []string{
			"Alder Root CA: serverAuth=trusted emailProtection=trusted (no certificate)",
			"Birch Root CA: (no certificate)", // removed
			"Cedar ECC Root CA: emailProtection=trusted (no certificate)",
			"Dogwood ECC Root CA: serverAuth=trusted (no certificate) [status: Change Requested]",
			"Elm Root CA:" + distrustedForAll + " (no certificate)",
			gorse,
		}},
		"records of Microsoft": {readFile(t, "ccadb-records.csv"), roots.CCADBOptions{Program: roots.Microsoft}, []string{
			"Alder Root CA: serverAuth=trusted codeSigning=trusted emailProtection=trusted (no certificate)",
			"Birch Root CA: serverAuth=trusted (no certificate) [status: NotBefore]",
			"Cedar ECC Root CA:" + distrustedForAll + " (no certificate)",
			"Dogwood ECC Root CA: (no certificate)",
			"Elm Root CA:" + distrustedForAll + " (no certificate)",
			gorse,
		}},
		"records of Chrome": {readFile(t, "ccadb-records.csv"), roots.CCADBOptions{Program: roots.Chrome}, []string{
			"Alder Root CA: serverAuth=trusted (no certificate)",
			"Birch Root CA: (no certificate)",
			"Cedar ECC Root CA: (no certificate)",
			"Dogwood ECC Root CA:" + distrustedForAll + " (no certificate)",
			"Elm Root CA:" + distrustedForAll + " (no certificate)",
			gorse,
		}},
		"certificates alone":             {[]byte(alone), roots.CCADBOptions{}, []string{":"}},
		"certificates alone, asked for":  {[]byte(alone), roots.CCADBOptions{Purposes: []roots.Purpose{roots.ServerAuth}}, []string{": serverAuth=trusted"}},
		"a byte order mark, CRLF":        {[]byte("\xef\xbb\xbf" + strings.ReplaceAll(alone, "\n", "\r\n")), roots.CCADBOptions{}, []string{":"}},
		"removed roots":                  {row("SHA-256 Fingerprint,Trust Bits,Removal Bug No. or Date", strings.Repeat("ab", 32), "Websites", "2020"), roots.CCADBOptions{}, []string{": (no certificate)"}},
		"an unknown restriction":         {row("SHA-256 Fingerprint,Trust Bits,Distrust for VMC After Date", strings.Repeat("ab", 32), "Websites", "2020.01.01"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) [Distrust for VMC After Date: 2020.01.01]"}},
		"a restriction of another":       {row("SHA-256 Fingerprint,Trust Bits,Microsoft NotBefore Date", strings.Repeat("ab", 32), "Websites", "2020.01.01"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate)"}},
		"a date that is none":            {row("SHA-256 Fingerprint,Trust Bits,Distrust for TLS After Date", strings.Repeat("ab", 32), "Websites", "soon"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) [Distrust After Date: soon]"}},
		"bits that contradict":           {row("SHA-256 Fingerprint,Trust Bits", strings.Repeat("ab", 32), "Websites;All Trust Bits Turned Off"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) [trust bits: Websites;All Trust Bits Turned Off]"}},
		"an unknown revocation":          {row("SHA-256 Fingerprint,Trust Bits,Revocation Status", strings.Repeat("ab", 32), "Websites", "Perhaps"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) [Revocation Status: Perhaps]"}},
		"a revoked parent":               {row("SHA-256 Fingerprint,Revocation Status", strings.Repeat("ab", 32), "Parent Cert Revoked"), roots.CCADBOptions{}, []string{":" + distrustedForAll + " (no certificate)"}},
		"the fingerprint of another":     {row("SHA-256 Fingerprint,Trust Bits,PEM Info", strings.Repeat("ab", 32), "Websites", string(pkitest.CertificatePEM(pkitest.CoreV1()[6]))), roots.CCADBOptions{}, []string{": serverAuth=trusted ERR"}},
		"no certificate, no fingerprint": {row("SHA-256 Fingerprint,Trust Bits,PEM Info", "", "Websites", ""), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) ERR"}},
		"PEM that is none":               {row("Trust Bits,PEM Info", "Websites", "'-----BEGIN CERTIFICATE-----'"), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) ERR"}},
		"two certificates":               {row("Trust Bits,PEM Info", "Websites", string(pkitest.CertificatePEM(pkitest.CoreV1()[6]))+string(pkitest.CertificatePEM(pkitest.CoreV1()[3]))), roots.CCADBOptions{}, []string{": serverAuth=trusted (no certificate) ERR"}},
		"a bad certificate":              {row("Trust Bits,PEM Info", "Websites", string(pkitest.CertificatePEM(quirk("not-a-certificate")))), roots.CCADBOptions{}, []string{": serverAuth=trusted ERR"}},
		"a row too short":                {[]byte("SHA-256 Fingerprint,Trust Bits\nab\n" + strings.Repeat("ab", 32) + ",Websites\n"), roots.CCADBOptions{}, []string{": (no certificate) ERR", ": serverAuth=trusted (no certificate)"}},
	} {
		store, err := roots.ParseCCADB(test.data, test.options)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := describeAll(store); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", name, got, test.want)
		}
	}
}

const distrustedForAll = " serverAuth=distrusted clientAuth=distrusted codeSigning=distrusted emailProtection=distrusted timeStamping=distrusted"

// row is a report of one row.
func row(header string, cells ...string) []byte {
	return fmt.Appendf(nil, "%s\n\"%s\"\n", header, strings.Join(cells, `","`))
}

func TestCCADBStatus(t *testing.T) {
	t.Parallel()
	store, err := roots.ParseCCADB(readFile(t, "ccadb-records.csv"), roots.CCADBOptions{Program: roots.Mozilla})
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"Included", "Removed", "Included", "Change Requested", "Included", ""} {
		if r := store.Roots[i]; r.Status != want || r.Line != i+2 {
			t.Errorf("%s: %q in line %d", r.Label, r.Status, r.Line)
		}
	}
}

func TestCCADBErrors(t *testing.T) {
	t.Parallel()
	included := string(pkitest.CCADBIncluded())
	for name, test := range map[string]struct {
		data, want string
		program    roots.Program
	}{
		"empty":           {"", "empty file", ""},
		"HTML":            {"\n<html>", "an HTML page", ""},
		"another CSV":     {"a,b\n1,2\n", "no column is called", ""},
		"certdata":        {string(readFile(t, "certdata.txt")), "no column is called", ""},
		"a header alone":  {"SHA-256 Fingerprint\n", "without a row", ""},
		"cut off":         {included[:len(included)-300], "damaged, or cut off", ""},
		"a quote":         {strings.Replace(included, `"Alder`, `"Al"der`, 1), "damaged, or cut off", ""},
		"another program": {included, `no root program of CCADB is called "opera"`, "opera"},
		"too many rows":   {"SHA-256 Fingerprint\n" + strings.Repeat("x\n", roots.MaxRoots+1), "more than 200000 rows", ""},
	} {
		store, err := roots.ParseCCADB([]byte(test.data), roots.CCADBOptions{Program: test.program})
		if err == nil || !strings.Contains(err.Error(), test.want) || store != nil {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
	}
}

func FuzzCCADB(f *testing.F) {
	f.Add(readFile(f, "ccadb-included.csv"), "mozilla")
	f.Add(readFile(f, "ccadb-records.csv"), "microsoft")
	f.Add(row("SHA-256 Fingerprint,Chrome Status", strings.Repeat("ab", 32), "Included"), "chrome")
	f.Fuzz(func(t *testing.T, data []byte, program string) {
		store, err := roots.ParseCCADB(data, roots.CCADBOptions{Program: roots.Program(program), Purposes: roots.Purposes()})
		checkStore(t, store, err, bytes.Count(data, []byte("\n"))+1)
	})
}

func BenchmarkParseCCADB(b *testing.B) {
	data := pkitest.CCADBIncluded()
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := roots.ParseCCADB(data, roots.CCADBOptions{}); err != nil {
			b.Fatal(err)
		}
	}
}

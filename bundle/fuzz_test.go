package bundle_test

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
)

// addFiles adds the files below testdata that match the patterns as seeds.
func addFiles(f *testing.F, patterns ...string) {
	f.Helper()
	for _, pattern := range patterns {
		paths, err := filepath.Glob(filepath.Join("..", "testdata", pattern))
		if err != nil || len(paths) == 0 {
			f.Fatalf("%s: %d files, %v", pattern, len(paths), err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
}

// fuzzLimits keep what one input may cost small.
var fuzzLimits = bundle.Limits{Bytes: 1 << 20, Certificates: 100}

func FuzzParse(f *testing.F) {
	addFiles(f, "bundles/lab-core-v1.p7b", "bundles/lab-quirks-v1.p7b", "bundles/lab-ber.p7b", "bundles/lab-outer.p7b",
		"bundles/lab-certs-only.p7b", "bundles/one.der", "bundles/bare.b64", "bundles/lab.pem", "vectors/good-crl.txt", "vectors/pool-not-covered.txt")
	for _, tt := range refusedFiles {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParse(t, data)
	})
}

func FuzzPEM(f *testing.F) {
	addFiles(f, "bundles/*.pem", "bundles/bare.b64")
	for _, tt := range pemFiles() {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		checkParse(t, data)
		checkParse(t, append([]byte("-----BEGIN CERTIFICATE-----\n"), data...))
	})
}

// checkParse holds Parse to what it promises for any input.
func checkParse(t *testing.T, data []byte) {
	t.Helper()
	before := bytes.Clone(data)
	var m0, m1 runtime.MemStats
	if len(data) < 1<<10 {
		runtime.ReadMemStats(&m0)
	}
	b, err := fuzzLimits.Parse(data)
	if len(data) < 1<<10 {
		if runtime.ReadMemStats(&m1); m1.TotalAlloc-m0.TotalAlloc > 4<<20 {
			t.Errorf("%d octets allocated for %d", m1.TotalAlloc-m0.TotalAlloc, len(data))
		}
	}
	if !bytes.Equal(before, data) {
		t.Fatal("the input was changed")
	}
	if err != nil {
		if b != nil {
			t.Error("a bundle beside the error")
		}
		checkMessage(t, err)
		return
	}
	if !bytes.Equal(b.Raw, data) {
		t.Error("Raw is not what was read")
	}
	if _, err := bundle.Sniff(data[:min(len(data), bundle.SniffSize)]); err != nil {
		t.Errorf("read, but its beginning is refused: %v", err)
	}
	if len(b.Certificates) > fuzzLimits.Certificates || len(b.Chain) > fuzzLimits.Certificates {
		t.Errorf("%d and %d certificates, more than %d", len(b.Certificates), len(b.Chain), fuzzLimits.Certificates)
	}
	var pool, again bytes.Buffer
	want := map[int]*bundle.Certificate{}
	for i, c := range b.Certificates {
		checkCertificate(t, i+1, c)
		if c.Err == nil {
			want[len(want)] = c
			pool.Write(pkitest.CertificatePEM(c.Raw))
		}
	}
	back, err := fuzzLimits.Parse(pool.Bytes())
	if err != nil {
		t.Fatalf("its certificates as PEM: %v", err)
	}
	if len(back.Certificates) != len(want) {
		t.Fatalf("%d certificates as PEM are %d", len(want), len(back.Certificates))
	}
	for i, c := range back.Certificates {
		if c.SHA256 != want[i].SHA256 {
			t.Errorf("certificate %d has another SHA-256 as PEM", i+1)
		}
		if got, want := reportOf(t, c), reportOf(t, want[i]); got != want {
			t.Errorf("certificate %d as PEM: %s\nnot: %s", i+1, got, want)
		}
		again.Write(pkitest.CertificatePEM(c.Raw))
	}
	if !bytes.Equal(again.Bytes(), pool.Bytes()) {
		t.Error("written again, the PEM differs")
	}
}

// reportOf is the report of a certificate, without what its framing in the file
// was: what is written again is DER.
func reportOf(t *testing.T, c *bundle.Certificate) string {
	t.Helper()
	r := c.Report(1)
	quirks := r.Quirks
	r.Quirks = []bundle.Quirk{}
	for _, q := range quirks {
		if q != bundle.QuirkBERFraming && q != bundle.QuirkTrustSettings {
			r.Quirks = append(r.Quirks, q)
		}
	}
	b, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(b)
}

// checkMessage holds an error to being one line that is safe to print.
func checkMessage(t *testing.T, err error) {
	t.Helper()
	msg := err.Error()
	if msg == "" || len(msg) > 1000 {
		t.Errorf("an error of %d octets", len(msg))
	}
	if s := bundle.Printable(msg); s != msg {
		t.Errorf("an error that is not printable: %s", s)
	}
}

// checkCertificate holds one that was read to what its fields promise.
func checkCertificate(t *testing.T, index int, c *bundle.Certificate) {
	t.Helper()
	if c.Err == nil { // crypto/x509 takes some that OpenSSL does not
		compareWithX509(t, index, c)
	}
	r := c.Report(index)
	encoded, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	if !utf8.Valid(encoded) {
		t.Errorf("certificate %d: its JSON is no UTF-8", index)
	}
	if c.Err != nil {
		checkMessage(t, c.Err)
		if c.Subject != nil || c.RawTBS != nil || c.Quirks != nil || r.Error == nil || r.Subject != nil {
			t.Errorf("certificate %d: fields beside the error %v", index, c.Err)
		}
		return
	}
	for _, name := range []bundle.Name{c.Subject, c.Issuer} {
		checkName(t, name)
	}
	for _, tm := range []bundle.Time{r.NotBefore, r.NotAfter} {
		checkTime(t, tm)
	}
	if s := *r.Serial; s == "" || strings.Trim(s, "-0123456789ABCDEF") != "" || len(s)%2 != len(s[:strings.LastIndex(s, "-")+1])%2 {
		t.Errorf("certificate %d: the serial number %q", index, s)
	}
	known := map[bundle.Quirk]bool{}
	for _, q := range bundle.Quirks() {
		known[q] = true
	}
	seen := map[bundle.Quirk]bool{}
	for _, q := range c.Quirks {
		if !known[q] || seen[q] {
			t.Errorf("certificate %d: the quirk %q is unknown, or stands twice", index, q)
		}
		seen[q] = true
	}
	nulls := []struct {
		quirk bundle.Quirk
		null  bool
	}{
		{bundle.QuirkNotBeforeUnreadable, !r.NotBefore.Valid},
		{bundle.QuirkNotAfterUnreadable, !r.NotAfter.Valid},
		{bundle.QuirkBasicUnreadable, r.IsCA == nil},
		{bundle.QuirkKeyUsageUnreadable, r.KeyUsage == nil},
		{bundle.QuirkExtKeyUsageUnreadable, r.ExtKeyUsage == nil},
		{bundle.QuirkSubjectKeyIDUnreadable, c.Has(bundle.QuirkSubjectKeyIDUnreadable) && r.SubjectKeyID == nil},
		{bundle.QuirkAuthKeyIDUnreadable, c.Has(bundle.QuirkAuthKeyIDUnreadable) && r.AuthorityKeyID == nil},
	}
	for _, n := range nulls {
		if n.null != c.Has(n.quirk) {
			t.Errorf("certificate %d: null %t, %s %t", index, n.null, n.quirk, c.Has(n.quirk))
		}
	}
	if !bytes.Contains(c.Raw, c.RawTBS) || !bytes.HasSuffix(c.Raw, c.Signature) {
		t.Errorf("certificate %d: the signed part or the signature is not of it", index)
	}
}

func checkName(t *testing.T, n bundle.Name) {
	t.Helper()
	s := n.String()
	if !utf8.ValidString(s) {
		t.Errorf("the name %q is no UTF-8", s)
	}
	for _, r := range s {
		if r < ' ' || r == 0x7f {
			t.Errorf("the name %q has a control character", s)
		}
	}
	for _, text := range []string{s, n.CommonName()} {
		if p := bundle.Printable(text); bundle.Printable(p) != p {
			t.Errorf("%q printed is %q", text, p)
		}
	}
	attrs := n.Attributes()
	if (len(attrs) == 0) != (s == "") {
		t.Errorf("%d attributes, %q", len(attrs), s)
	}
}

func checkTime(t *testing.T, tm bundle.Time) {
	t.Helper()
	if !tm.Valid {
		return
	}
	back, err := time.Parse(time.RFC3339Nano, tm.String())
	if err != nil || !back.Equal(tm.Time) {
		t.Errorf("the time %s is read back as %v, %v", tm, back, err)
	}
}

func FuzzCertificate(f *testing.F) {
	for _, q := range pkitest.Quirks() {
		f.Add(q.DER)
	}
	for _, tt := range oddCertificates() {
		f.Add(tt.der)
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		// In a pool, since an element there may begin with any octet.
		b, err := fuzzLimits.Parse(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}))
		if err != nil {
			checkMessage(t, err)
			return
		}
		for i, c := range b.Certificates {
			checkCertificate(t, i+1, c)
		}
	})
}

func FuzzSniff(f *testing.F) {
	addFiles(f, "bundles/one.der", "bundles/bare.b64", "bundles/lab.pem")
	for _, tt := range refusedFiles {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, prefix []byte) {
		if _, err := bundle.Sniff(prefix); err != nil {
			checkMessage(t, err)
			if b, err := fuzzLimits.Parse(prefix); err == nil {
				t.Errorf("refused, and read as %s", b.Form)
			}
		}
	})
}

func FuzzFilter(f *testing.F) {
	for _, tt := range filters {
		f.Add(tt.filter)
	}
	f.Add("expiring:9223372036854775807y")
	f.Add("expiring:2562047h47m16.854775807s")
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	pool := fixture(f, "lab-quirks-v1.p7b").Certificates
	f.Fuzz(func(t *testing.T, s string) {
		filter, err := bundle.ParseFilter(s, at)
		if err != nil {
			if filter != nil {
				t.Error("a filter beside the error")
			}
			return
		}
		for _, c := range pool {
			filter(c)
		}
	})
}

func FuzzFingerprint(f *testing.F) {
	for _, tt := range fingerprints {
		f.Add(tt.in)
	}
	f.Fuzz(func(t *testing.T, s string) {
		b, ok := bundle.ParseFingerprint(s)
		if ok != (len(b) > 0) && ok {
			t.Fatalf("%q is none, and read", s)
		}
		if !ok {
			return
		}
		if len(b) > len(s)/2 {
			t.Fatalf("%q is %x", s, b)
		}
		for _, spelling := range spellings(b) {
			if again, ok := bundle.ParseFingerprint(spelling); !ok || !bytes.Equal(again, b) {
				t.Errorf("%q: %q is %x, %t", s, spelling, again, ok)
			}
		}
	})
}

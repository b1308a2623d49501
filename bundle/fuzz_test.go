package bundle_test

import (
	"bytes"
	"encoding/json"
	"os"
	"path/filepath"
	"runtime"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/report"
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
			t.Errorf("%d bytes allocated for %d", m1.TotalAlloc-m0.TotalAlloc, len(data))
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
	want := map[int]*certificate.Certificate{}
	for _, c := range b.Certificates {
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
func reportOf(t *testing.T, c *certificate.Certificate) string {
	t.Helper()
	r := inspect.NewCertificateReport(c, 1)
	quirks := r.Quirks
	r.Quirks = []certificate.Quirk{}
	for _, q := range quirks {
		if q != certificate.QuirkBERFraming && q != certificate.QuirkTrustSettings {
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
		t.Errorf("an error of %d bytes", len(msg))
	}
	if s := report.Printable(msg); s != msg {
		t.Errorf("an error that is not printable: %s", s)
	}
}

func FuzzSniff(f *testing.F) {
	addFiles(f, "bundles/one.der", "bundles/bare.b64", "bundles/lab.pem")
	for _, tt := range refusedFiles {
		f.Add([]byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, prefix []byte) {
		b, err := fuzzLimits.Parse(prefix)
		if err == nil && b.Message == nil && b.Form != bundle.FormCertsOnly && !b.Mixed && b.Certificates[0].Err == nil && !bundle.SniffCertificate(prefix) {
			t.Error("no certificate is seen, and one is read")
		}
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

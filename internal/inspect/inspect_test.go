package inspect_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// fixture is a file of testdata/bundles, judged under Cisco's roots.
func fixture(t *testing.T, name string) *inspect.Report {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "bundles", name))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	_, err = signing.Verify(b, signing.VerifyOptions{Anchors: roots.BuiltIn(), At: time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)})
	var refused *signing.VerifyError
	if !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return &inspect.Report{File: name, Bundle: b, Signature: signing.NewReport(nil, refused, nil)}
}

var fixtures = []string{"lab-core-v1.p7b", "lab-quirks-v1.p7b", "lab-outer.p7b", "lab.pem", "one.der", "lab-ber.p7b"}

// What --pem writes, read again, is the same certificates.
func TestPEMRoundTrip(t *testing.T) {
	t.Parallel()
	for _, name := range fixtures {
		r := fixture(t, name)
		var out bytes.Buffer
		if err := r.WritePEM(&out); err != nil {
			t.Fatal(err)
		}
		again, err := bundle.Parse(out.Bytes())
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		var want [][32]byte
		for _, c := range r.Bundle.Certificates {
			if c.Err == nil {
				want = append(want, c.SHA256)
			}
		}
		if len(again.Certificates) != len(want) {
			t.Fatalf("%s: %d certificates, not %d", name, len(again.Certificates), len(want))
		}
		for i, c := range again.Certificates {
			if c.SHA256 != want[i] {
				t.Errorf("%s: certificate %d is another", name, i+1)
			}
		}
	}
}

func TestJSONAndCSVHaveEveryEntry(t *testing.T) {
	t.Parallel()
	for _, name := range fixtures {
		r := fixture(t, name)
		var out bytes.Buffer
		if err := r.WriteJSON(&out); err != nil {
			t.Fatal(err)
		}
		var doc struct {
			Schema, Form string
			Certificates []inspect.CertificateReport
		}
		if err := json.Unmarshal(out.Bytes(), &doc); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if doc.Schema != "trustpool.inspect/1" || doc.Form != string(r.Bundle.Form) || len(doc.Certificates) != len(r.Bundle.Certificates) {
			t.Errorf("%s: schema %s, form %s, %d certificates", name, doc.Schema, doc.Form, len(doc.Certificates))
		}
		for i, c := range doc.Certificates {
			if broken := r.Bundle.Certificates[i].Err != nil; c.Index != i+1 || (c.Error != nil) != broken || (c.Subject == nil) != broken {
				t.Errorf("%s: entry %d: %+v", name, i+1, c)
			}
		}
		out.Reset()
		if err := r.WriteCSV(&out); err != nil {
			t.Fatal(err)
		}
		rows, err := csv.NewReader(&out).ReadAll() // every row as long as the header
		if err != nil || len(rows) != len(r.Bundle.Certificates)+1 {
			t.Errorf("%s: %d rows, %v", name, len(rows), err)
		}
	}
}

// Nothing in a certificate makes a line of its own, or a character that steers a
// terminal, in any view for people.
func TestHostileText(t *testing.T) {
	t.Parallel()
	r := fixture(t, "lab-quirks-v1.p7b")
	for name, write := range map[string]func() (string, error){
		"text": func() (string, error) { var b strings.Builder; err := r.WriteText(&b); return b.String(), err },
		"long": func() (string, error) { var b strings.Builder; err := r.WriteLong(&b); return b.String(), err },
		"csv":  func() (string, error) { var b strings.Builder; err := r.WriteCSV(&b); return b.String(), err },
		"pem":  func() (string, error) { var b strings.Builder; err := r.WritePEM(&b); return b.String(), err },
	} {
		out, err := write()
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out) {
			if line = strings.TrimSuffix(line, "\n"); report.Printable(line) != line {
				t.Errorf("%s: %q", name, line)
			}
			if strings.HasPrefix(strings.TrimSpace(line), "Installed: 999") {
				t.Errorf("%s: a name makes the line %q", name, line)
			}
		}
	}
}

// The long view says of a self-issued certificate whether its own key signed it.
func TestSelfSignatures(t *testing.T) {
	t.Parallel()
	r := fixture(t, "lab-quirks-v1.p7b")
	r.Select(func(c *certificate.Certificate) bool {
		return strings.Contains(c.Subject.CommonName(), "self-signature")
	})
	var out strings.Builder
	if err := r.WriteLong(&out); err != nil {
		t.Fatal(err)
	}
	if len(r.Selected) != 1 || !strings.Contains(out.String(), "self-signature         wrong\n") {
		t.Errorf("%d selected:\n%s", len(r.Selected), out.String())
	}
	r = fixture(t, "lab-core-v1.p7b")
	out.Reset()
	if err := r.WriteLong(&out); err != nil {
		t.Fatal(err)
	}
	if n := strings.Count(out.String(), "self-signature         good\n"); n != len(r.Bundle.Certificates) {
		t.Errorf("%d of %d self-signatures are good", n, len(r.Bundle.Certificates))
	}
}

// Filters one after the other leave what all of them want.
func TestSelect(t *testing.T) {
	t.Parallel()
	r := fixture(t, "lab-quirks-v1.p7b")
	r.Select(func(c *certificate.Certificate) bool { return c.Err == nil })
	r.Select(func(c *certificate.Certificate) bool { return c.Has(certificate.QuirkSerialZero) })
	if got := r.Certificates(); len(got) != 1 || got[0].Serial.String() != "00" {
		t.Errorf("%d certificates", len(got))
	}
	r.Select(func(*certificate.Certificate) bool { return false })
	var out strings.Builder
	if err := r.WriteText(&out); err != nil || !strings.HasSuffix(out.String(), "no certificate matches\n") {
		t.Errorf("%v\n%s", err, out.String())
	}
}

package certificate_test

import (
	"bytes"
	"encoding/json"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/report"
)

func FuzzCertificate(f *testing.F) {
	for _, q := range pkitest.Quirks() {
		f.Add(q.DER)
	}
	for _, tt := range oddCertificates() {
		f.Add(tt.der)
	}
	f.Fuzz(func(t *testing.T, der []byte) { checkCertificate(t, 1, certificate.Read(der)) })
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

// checkCertificate holds one that was read to what its fields promise.
func checkCertificate(t *testing.T, index int, c *certificate.Certificate) {
	t.Helper()
	if c.Err == nil { // crypto/x509 takes some that OpenSSL does not
		compareWithX509(t, index, c)
	}
	r := inspect.NewCertificateReport(c, index)
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
	for _, name := range []certificate.Name{c.Subject, c.Issuer} {
		checkName(t, name)
	}
	for _, tm := range []certificate.Time{r.NotBefore, r.NotAfter} {
		checkTime(t, tm)
	}
	if s := *r.Serial; s == "" || strings.Trim(s, "-0123456789ABCDEF") != "" || len(s)%2 != len(s[:strings.LastIndex(s, "-")+1])%2 {
		t.Errorf("certificate %d: the serial number %q", index, s)
	}
	known := map[certificate.Quirk]bool{}
	for _, q := range certificate.Quirks() {
		known[q] = true
	}
	seen := map[certificate.Quirk]bool{}
	for _, q := range c.Quirks {
		if !known[q] || seen[q] {
			t.Errorf("certificate %d: the quirk %q is unknown, or is there twice", index, q)
		}
		seen[q] = true
	}
	nulls := []struct {
		quirk certificate.Quirk
		null  bool
	}{
		{certificate.QuirkNotBeforeUnreadable, !r.NotBefore.Valid},
		{certificate.QuirkNotAfterUnreadable, !r.NotAfter.Valid},
		{certificate.QuirkBasicUnreadable, r.IsCA == nil},
		{certificate.QuirkKeyUsageUnreadable, r.KeyUsage == nil},
		{certificate.QuirkExtKeyUsageUnreadable, r.ExtKeyUsage == nil},
		{certificate.QuirkSubjectKeyIDUnreadable, c.Has(certificate.QuirkSubjectKeyIDUnreadable) && r.SubjectKeyID == nil},
		{certificate.QuirkAuthKeyIDUnreadable, c.Has(certificate.QuirkAuthKeyIDUnreadable) && r.AuthorityKeyID == nil},
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

func checkName(t *testing.T, n certificate.Name) {
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
		if p := report.Printable(text); report.Printable(p) != p {
			t.Errorf("%q printed is %q", text, p)
		}
	}
	attrs := n.Attributes()
	if (len(attrs) == 0) != (s == "") {
		t.Errorf("%d attributes, %q", len(attrs), s)
	}
}

func checkTime(t *testing.T, tm certificate.Time) {
	t.Helper()
	if !tm.Valid {
		return
	}
	back, err := time.Parse(time.RFC3339Nano, tm.String())
	if err != nil || !back.Equal(tm.Time) {
		t.Errorf("the time %s is read back as %v, %v", tm, back, err)
	}
}

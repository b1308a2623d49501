package pages_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/tooltest"
)

func TestCommands(t *testing.T) {
	t.Parallel()
	s := lab(t)
	text := body(t, s, "/pages/commands?bundle=ios")
	has(t, text, "crypto pki trustpool import url http://pki.example.com:8080/ios.p7b", "crypto ca trustpool import url http://pki.example.com:8080/ios.p7b",
		"cabundle url http://pki.example.com:8080/ios.p7b", "No commands.", `class="unverified"`, `class="inferred"`, "This device would refuse the bundle:")
	lacks(t, text, "leads each device to itself")
	has(t, body(t, s, "/pages/commands?bundle=ios&clean=1"), "import clean url", "import url clean")
	has(t, body(t, s, "/pages/commands?bundle=quirks&vrf=Mgmt"), "vrf Mgmt", "/quirks.p7b", "Not with these settings:")
	has(t, body(t, s, "/pages/files/commands/iosxe.txt?bundle=ios&clean=1"), "import clean url http://pki.example.com:8080/ios.p7b")
	has(t, body(t, s, "/pages/files/commands/asa.yml?bundle=ios"), "cisco.asa")

	const path = "/pages/commands"
	for host, want := range map[string]int{
		"pki.example.com": 200, "192.0.2.1:8080": 200, "[2001:db8::1]:80": 200, "[2001:db8::1]": 200, "a_b.example": 200,
		"": 400, "pki example": 400, "pki.example.com:0": 400, "pki.example.com:": 400, "a;reload": 400, "a?b": 400, "a/b": 400, "user@a": 400, "[::1%25eth0]": 400, "[1.2.3.4]": 400, "-a": 400, "a:99999": 400, strings.Repeat("a", 300): 400, "ü": 400, "a\nb": 400,
	} {
		if w := get(t, s, path, "Host", host); w.Code != want {
			t.Errorf("Host %q: status %d, want %d", host, w.Code, want)
		}
	}
	for _, host := range []string{"localhost:8080", "127.0.0.1", "[::1]:80", "app.localhost", "0.0.0.0", "[::ffff:127.0.0.1]"} {
		if w := get(t, s, path, "Host", host); !strings.Contains(w.Body.String(), "leads each device to itself") {
			t.Errorf("Host %q: status %d, no warning", host, w.Code)
		}
	}

	s = file(t, tooltest.Bundle(t, "lab-core-v1.p7b"), pages.Options{BaseURL: "https://pki.example.net"})
	has(t, get(t, s, path, "Host", "elsewhere example").Body.String(), "url https://pki.example.net/ios.p7b")
	for _, base := range []string{"pki.example.net", "ftp://a", "https://a/b", "https://a?b", "https://u@a", "https://", "https://a b"} {
		if _, err := pages.New(pages.Options{Catalog: s.Catalog, Judge: s.Judge, Now: nil}); err == nil {
			t.Fatal("made without a clock")
		}
		if _, err := pages.New(pages.Options{Catalog: s.Catalog, Judge: s.Judge, Now: now, BaseURL: base}); err == nil {
			t.Errorf("the base URL %q is taken", base)
		}
	}
}

// What is downloaded is what it says it is.
func TestFiles(t *testing.T) {
	t.Parallel()
	raw := tooltest.Bundle(t, "lab-quirks-v1.p7b")
	s := file(t, raw, pages.Options{})
	r := s.Catalog().Entries[0].Current
	whole, err := bundle.Parse(r.Raw)
	if err != nil {
		t.Fatal(err)
	}
	if got := body(t, s, "/ios.p7b"); got != string(raw) {
		t.Error("the signed file is another")
	}
	base := strings.Replace(page(s, "ios"), "bundles", "files", 1) + "/"
	readable := 0
	for _, c := range whole.Certificates {
		if c.Err == nil {
			readable++
		}
	}
	for name, form := range map[string]bundle.Form{"ios-unsigned.p7b": bundle.FormCertsOnly, "ios.pem": bundle.FormPEM} {
		w := get(t, s, base+name)
		b, err := bundle.Parse(w.Body.Bytes())
		if err != nil || b.Form != form || len(b.Certificates) != readable {
			t.Fatalf("%s: %v", name, err)
		}
		if got := w.Header().Get("Content-Disposition"); !strings.HasPrefix(got, `attachment; filename="ios-`+r.SHA256[:16]) {
			t.Errorf("%s is saved as %s", name, got)
		}
	}
	for _, c := range whole.Certificates {
		sum := sha256.Sum256(c.Raw)
		w := get(t, s, base+hex.EncodeToString(sum[:])+".der")
		if !bytes.Equal(w.Body.Bytes(), c.Raw) {
			t.Errorf("the DER of %x is another", sum)
		}
		if kind := w.Header().Get("Content-Type"); (kind == "application/pkix-cert") != (c.Err == nil) {
			t.Errorf("%x: %v is sent as %s", sum, c.Err, kind)
		}
	}
}

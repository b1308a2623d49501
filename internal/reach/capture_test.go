package reach_test

import (
	"bytes"
	"crypto/tls"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/tooltest"
)

func pems(ders ...[]byte) (out string) {
	for _, der := range ders {
		out += string(pkitest.CertificatePEM(der))
	}
	return out
}

// describe is the servers in a line: name, host, certificates.
func describe(servers []reach.Server) string {
	var out []string
	for _, s := range servers {
		out = append(out, fmt.Sprintf("%s|%s|%d", s.Name, s.Host, len(s.Certificates)))
	}
	return strings.Join(out, " ")
}

// wide is ASCII as UTF-16, low byte first.
func wide(s string) string {
	var out []byte
	for _, c := range []byte(s) {
		out = append(out, c, 0)
	}
	return string(out)
}

// spaced is hex of DER as s_client prints what it receives, with something before each line.
func spaced(der []byte, before string) string {
	var out strings.Builder
	for line := range slices.Chunk(der, 16) {
		fmt.Fprintf(&out, "%s% x\n", before, line)
	}
	return out.String()
}

func TestParseChains(t *testing.T) {
	t.Parallel()
	lab := pkitest.LabServers()[0].Chain
	one, two := pems(lab...), pems(pkitest.LabServers()[5].Chain...)
	der := pkitest.CertsOnly(lab...)
	tests := []struct{ name, text, want string }{
		{"PEM alone", one, "f|| 2"},
		{"text between", "subject: x\n" + one + "\nmore\n", "f|| 2"},
		{"CRLF", strings.ReplaceAll(one, "\n", "\r\n"), "f|| 2"},
		{"the server's own twice", one + "---\nServer certificate\n" + pems(lab[0]), "f|| 2"},
		{"a message", string(der), "f|| 2"},
		{"one DER", string(lab[0]), "f|| 1"},
		{"a command line", "> openssl s_client -connect lab.example:443\n" + one, "lab.example:443|lab.example| 2"},
		{"a server name", "$ openssl s_client -servername a.example -connect 192.0.2.1:8443 -showcerts\nCONNECTED(00000003)\n" + one, "192.0.2.1:8443|a.example| 2"},
		{"an address", "openssl s_client -connect 192.0.2.1:443\n" + one, "192.0.2.1:443|| 2"},
		{"listed", "CONNECTED(00000003)\nCertificate chain\n 0 s:CN=x\n   i:CN=y\n 1 s:CN=y\n   i:CN=z\n" + one, "f|| 2"},
		{"a server name alone", "openssl s_client -servername 'a.example'\n" + one, "a.example|a.example| 2"},
		{"IPv6", "openssl s_client -connect [2001:db8::1]:443\n" + one, "[2001:db8::1]:443|| 2"},
		{"a variable is no host", "openssl s_client -connect $HOST:443\n" + one, "$HOST:443|| 2"},
		{"a command without answer", "openssl s_client -connect a.example:1 -servername a.example\nconnect:errno=111\nopenssl s_client -connect b.example:443\n" + one, "b.example:443|b.example| 2"},
		{"two captures", "CONNECTED(00000003)\n---\nCertificate chain\n" + one + "CONNECTED(00000003)\n" + two, "f #1|| 2 f #2|| 2"},
		{"saved", "# chain of lab.example:443\n" + one, "lab.example:443|lab.example| 2"},
		{"quoted", "> openssl s_client -connect a.example:443\n> " + strings.ReplaceAll(strings.TrimSpace(one), "\n", "\n> ") + "\n", "a.example:443|a.example| 2"},
		{"indented", "  " + strings.ReplaceAll(one, "\n", "\n  "), "f|| 2"},
		{"other labels", strings.ReplaceAll(one, " CERTIFICATE", " X509 CERTIFICATE"), "f|| 2"},
		{"END and BEGIN in one line", strings.ReplaceAll(one, "-----\n-----BEGIN", "----------BEGIN"), "f|| 2"},
		{"UTF-16", "\xff\xfe" + wide("openssl s_client -connect a.example:443\r\n"+one), "a.example:443|a.example| 2"},
		{"UTF-16 without a mark", wide("openssl s_client -connect a.example:443\r\n" + one), "a.example:443|a.example| 2"},
		{"what -msg prints", "<<< TLS 1.3, Handshake [length 0a51], Certificate\n" + spaced(lab[0], "    ") + one, "f|| 2"},
		{"what -debug prints", "read from 0x55 [0x56] (5 bytes => 5 (0x5))\n" + spaced(lab[0], "0000 - ") + "---\n" + one, "f|| 2"},
		{"another block", "-----BEGIN SSL SESSION PARAMETERS-----\nMHc=\n-----END SSL SESSION PARAMETERS-----\n" + one, "f|| 2"},
	}
	for _, tt := range tests {
		servers, err := reach.ParseChains("f", []byte(tt.text))
		if got := describe(servers); err != nil || got != strings.ReplaceAll(tt.want, "| ", "|") {
			t.Errorf("%s: %s %v, want %s", tt.name, got, err, tt.want)
		}
	}
	many := ""
	for i := range reach.MaxCertificates + 1 {
		many += pems(pkitest.ServerTemplate(fmt.Sprint(i)).Sign(nil))
	}
	for name, text := range map[string]string{
		"": "no certificate", "text alone": "hello\n", "truncated": one[:len(one)-30], "damaged": strings.Replace(one, "M", "!", 1),
		"too many": many, "without -showcerts": "Certificate chain\n 0 s:CN=x\n   i:CN=y\n 1 s:CN=y\n   i:CN=z\n---\nServer certificate\n" + pems(lab[0]), "no certificate inside": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
		"DER beside PEM":    pems(lab[0]) + string(lab[1]),
		"hex beside PEM":    pems(lab[0]) + hex.EncodeToString(lab[1]) + "\n",
		"hex like -msg":     pems(lab[0]) + spaced(lab[1], "    "),
		"base64 of PEM":     pems(lab[0]) + "ca.crt: " + base64.StdEncoding.EncodeToString([]byte(pems(lab[1]))) + "\n",
		"another label":     pems(lab[0]) + strings.ReplaceAll(pems(lab[1]), "CERTIFICATE", "ROOT CERTIFICATE"),
		"hex long before":   hex.EncodeToString(lab[1]) + "\n" + strings.Repeat("a line of text\n", 10_000) + pems(lab[0]),
		"too many captures": strings.Repeat("CONNECTED(1)\n"+pems(lab[0]), reach.MaxServers+2),
	} {
		if servers, err := reach.ParseChains("f", []byte(text)); err == nil {
			t.Errorf("%s: %s", name, describe(servers))
		}
	}
}

// What PEM writes is read again.
func TestPEM(t *testing.T) {
	t.Parallel()
	s, err := reach.FromDER("lab.example:443", pkitest.LabServers()[0].Chain)
	if err != nil {
		t.Fatal(err)
	}
	again, err := reach.ParseChains("x", s.PEM())
	if err != nil || len(again) != 1 || describe(again) != describe([]reach.Server{s}) {
		t.Errorf("%s %v", describe(again), err)
	}
	if got := s.FileName(); got != "lab.example_443.pem" {
		t.Error(got)
	}
	if got := (&reach.Server{Name: "../[::1]:443\x1b"}).FileName(); got != "..____1__443_.pem" {
		t.Error(got)
	}
	if _, err := reach.FromDER("x:1", nil); err == nil {
		t.Error("no certificate is taken")
	}
}

// The fixture is what s_client prints: the genuine program's own output of a
// loopback server is read alike.
func TestSClient(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	lab := pkitest.LabServers()[0]
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{Certificates: []tls.Certificate{{
		Certificate: lab.Chain, PrivateKey: pkitest.ServerTemplate(lab.Host).Key.Signer,
	}}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		_ = conn.(*tls.Conn).Handshake()
		conn.Close()
	}()
	address := listener.Addr().String()
	out := tooltest.Run(t, nil, "openssl", "s_client", "-connect", address, "-servername", lab.Host, "-showcerts")
	servers, err := reach.ParseChains("f", slices.Concat([]byte("openssl s_client -connect "+address+" -servername "+lab.Host+"\n"), out))
	if want := fmt.Sprintf("%s|%s|2", address, lab.Host); err != nil || describe(servers) != want {
		t.Errorf("%s %v, want %s", describe(servers), err, want)
	}
}

func FuzzParseChains(f *testing.F) {
	for _, file := range []string{"lab-servers.txt", "lab.example.pem"} {
		data, err := os.ReadFile("../../testdata/chains/" + file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte("openssl s_client -connect a:1 -servername\nCertificate chain\n-----BEGIN CERTIFICATE-----\n-----END CERTIFICATE-----"))
	f.Add([]byte("-connect s_client"))
	pool := reach.NewTrusted(pool.Of(certificates(f, pkitest.CoreV1()...)))
	f.Fuzz(func(t *testing.T, data []byte) {
		servers, err := reach.ParseChains("f", data)
		if err != nil {
			if servers != nil {
				t.Error("servers beside an error")
			}
			return
		}
		for _, s := range servers {
			if s.Name == "" || len(s.Certificates) == 0 || len(s.Certificates) > reach.MaxCertificates {
				t.Errorf("%q has %d certificates", s.Name, len(s.Certificates))
			}
			r, err := reach.Validate(s, pool, reach.Options{At: at})
			if err != nil || (r.Status == reach.OK) != (r.Reason == "") {
				t.Errorf("%+v %v", r, err)
			}
			again, err := reach.ParseChains("f", s.PEM())
			if err != nil || len(again) != 1 || !slices.EqualFunc(again[0].Certificates, s.Certificates, sameBytes) {
				t.Errorf("written and read: %v", err)
			}
		}
	})
}

func sameBytes(a, b *certificate.Certificate) bool { return bytes.Equal(a.Raw, b.Raw) }

package bundle_test

import (
	"bytes"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func readFile(t testing.TB, name string) []byte {
	t.Helper()
	data := tooltest.Bundle(t, name)
	return data
}

func TestForms(t *testing.T) {
	t.Parallel()
	tests := []struct {
		file         string
		form         bundle.Form
		certificates int
		chain        int
		signers      int
		name         string // as claimed
	}{
		{"lab-core-v1.p7b", bundle.FormSigned, 8, 2, 1, "Lab Core Bundle"},
		{"lab-ber.p7b", bundle.FormSigned, 8, 2, 1, "Lab Core Bundle"},
		{"lab-ski.p7b", bundle.FormSigned, 8, 2, 1, "Lab Core Bundle"},
		{"lab-intermediate.p7b", bundle.FormSigned, 8, 3, 1, "Lab Core Bundle"},
		{"lab-two-signers.p7b", bundle.FormSigned, 8, 3, 2, "Lab Core Bundle"},
		{"lab-quirks-v1.p7b", bundle.FormSigned, 33, 2, 1, "Lab Quirks Bundle"},
		{"lab-outer.p7b", bundle.FormOuter, 9, 9, 1, "Lab Outer Bundle"},
		{"lab-certs-only.p7b", bundle.FormCertsOnly, 8, 0, 0, ""},
		{"lab.pem", bundle.FormPEM, 3, 0, 0, ""},
		{"lab-root.pem", bundle.FormPEM, 1, 0, 0, ""},
		{"one.der", bundle.FormDER, 1, 0, 0, ""},
		{"bare.b64", bundle.FormDER, 1, 0, 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.file, func(t *testing.T) {
			t.Parallel()
			data := readFile(t, tt.file)
			armoured := pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: data})
			bare := []byte(base64.StdEncoding.EncodeToString(data))
			ways := map[string][]byte{"as it is": data}
			if data[0] == 0x30 {
				ways["in base64"] = bare
				if tt.form != bundle.FormDER {
					ways["in PEM"] = armoured
				}
			}
			for way, data := range ways {
				b, err := bundle.Parse(data)
				if err != nil {
					t.Fatalf("%s: %v", way, err)
				}
				if b.Form != tt.form || len(b.Certificates) != tt.certificates || len(b.Chain) != tt.chain || b.Name != tt.name {
					t.Errorf("%s: form %s, %d certificates, %d beside the signature, name %q", way, b.Form, len(b.Certificates), len(b.Chain), b.Name)
				}
				if (b.Message == nil) != (tt.signers == 0) || b.Message != nil && len(b.Message.Signers) != tt.signers {
					t.Errorf("%s: message %v, not %d signers", way, b.Message, tt.signers)
				}
				if (b.Content != nil) != (tt.form == bundle.FormSigned) {
					t.Errorf("%s: content %v", way, b.Content)
				}
				if bare, wrapped := b.Unwrap(); tt.form != bundle.FormPEM && tt.file != "bare.b64" &&
					(!bytes.Equal(bare.Raw, readFile(t, tt.file)) || wrapped != (way != "as it is")) {
					t.Errorf("%s: Unwrap: %v, %d bytes", way, wrapped, len(bare.Raw))
				}
				if (b.DER == nil) != (tt.form == bundle.FormPEM) {
					t.Errorf("%s: %d bytes of DER", way, len(b.DER))
				}
				if !bytes.Equal(b.Raw, data) {
					t.Errorf("%s: Raw is not the file", way)
				}
			}
		})
	}
}

// The same certificates come out of every form.
func TestFormsHoldTheSame(t *testing.T) {
	t.Parallel()
	want := fixture(t, "lab-core-v1.p7b").Certificates
	for _, file := range []string{"lab-ber.p7b", "lab-certs-only.p7b", "lab-ski.p7b", "lab-outer.p7b"} {
		got := fixture(t, file).Certificates
		if file == "lab-outer.p7b" { // the signer's chain comes first, and the root once
			got = got[1:]
		}
		seen := map[[32]byte]bool{}
		for _, c := range got {
			seen[c.SHA256] = true
		}
		for i, c := range want {
			if !seen[c.SHA256] {
				t.Errorf("%s: certificate %d of lab-core-v1.p7b is not in it", file, i+1)
			}
		}
		if len(got) != len(want) {
			t.Errorf("%s: %d certificates", file, len(got))
		}
	}
}

// refusedFiles are no bundles.
var refusedFiles = []struct {
	name, in string
	offset   int // -1: the error has none
	msg      string
	sniffed  bool // the beginning is enough to refuse it
}{
	{"empty", "", -1, "empty file", false},
	{"a line break", "\n", -1, "nothing but white space", false},
	{"white space", " \t\r\n\f\v", -1, "nothing but white space", false},
	{"byte order mark", "\xef\xbb\xbf", -1, "nothing but white space", false},
	{"HTML", "<!DOCTYPE html>\n<html><body>404 Not Found</body></html>", 0, "an HTML page", true},
	{"HTML after a byte order mark", "\xef\xbb\xbf\r\n<html>", 0, "an HTML page", true},
	{"XML", `<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>`, 0, "an HTML page", true},
	{"JSON", `{"error": "not found"}`, 0, "JSON, not a bundle, at offset 0: give the certificates as PEM or DER", false},
	{"text", "Not found.\n", 0, `it begins with "Not found.\n"`, false},
	{"zeroes", strings.Repeat("\x00", 5000), 0, "neither PKCS#7", true},
	{"ELF", "\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00", 0, "a program (ELF), not a bundle", true},
	{"gzip, cut short", "\x1f\x8b\x08\x00\x00\x00\x00\x00", -1, "a gzip file that is cut short", false},
	{"zip", "PK\x03\x04\x14\x00\x00\x00", 0, "a zip archive, not a bundle, at offset 0: unpack it", true},
	{"escape sequences", "\x1b[31mred\x1b[0m", 0, `it begins with "\x1b[31mred\x1b[0m"`, true},
	{"UTF-16", "\xff\xfe-\x00-\x00-\x00-\x00-\x00B\x00E\x00G\x00I\x00N\x00", 0, "a PEM block without a label", false},
	{"a set", "\x31\x00", 0, "neither PKCS#7", true},
	{"base64 of text", "SGVsbG8sIHdvcmxkIQ==", 0, "neither PKCS#7", true},
	{"half a quantum of base64", "MIIB\nMII", 5, "base64 that does not decode", false},
	{"base64 with padding inside", "MIIB\nMI==MIIB", 9, "base64 that does not decode", false},
	{"base64 after blanks, with padding inside", "\xef\xbb\xbf  MIIB\n\t M I==MIIB", 17, "base64 that does not decode", false},
	{"base64, cut short", "MIIB", 0, "decoded from base64: ", false},
	{"DER without contents", "\x30\x00", -1, "none of its 1 certificates can be decoded; the first: ", false},
	{"DER, cut short", "\x30\x82\x01\x00\x02\x01", 0, "an element of 256 bytes where 2 are left: truncated or damaged", false},
	{"DER with trailing bytes", "\x30\x02\x05\x00\x00", 4, "trailing bytes", false},
	{"DER of some other kind", "\x30\x03\x02\x01\x00", -1, "none of its 1 certificates can be decoded; the first: not a certificate: ", false},
	{"a message of another type", "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x03", 2, "a PKCS#7 message of type 1.2.840.113549.1.7.3, not signed-data", false},
	{"a message cut after its type", "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07\x02", 13, "the content is missing", false},
	{"indefinite lengths without end", strings.Repeat("\x30\x80", 5000), -2, "", false},
	{"a BEGIN in the middle of a line", "see -----BEGIN CERTIFICATE-----", 4, `a PEM block "CERTIFICATE" without an end: truncated`, false},
}

func TestRefusedFiles(t *testing.T) {
	t.Parallel()
	for _, tt := range refusedFiles {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse([]byte(tt.in))
			wantSyntaxError(t, b, err, tt.offset, tt.msg)
			if _, err := bundle.Sniff([]byte(tt.in)); (err != nil) != tt.sniffed {
				t.Errorf("by its beginning: %v", err)
			}
		})
	}
}

// wantSyntaxError asks for an error with the text, and the offset unless it is
// -1 (there is none) or -2 (any).
func wantSyntaxError(t *testing.T, b *bundle.Bundle, err error, offset int, msg string) {
	t.Helper()
	if err == nil {
		t.Fatalf("read as %s with %d certificates", b.Form, len(b.Certificates))
	}
	if b != nil {
		t.Error("a bundle beside the error")
	}
	checkMessage(t, err)
	if !strings.Contains(err.Error(), msg) {
		t.Errorf("%v, not %q", err, msg)
	}
	var syntax *bundle.SyntaxError
	switch found := errors.As(err, &syntax); {
	case found != (offset != -1):
		t.Errorf("%v: an offset: %t", err, found)
	case offset >= 0 && syntax.Offset != offset:
		t.Errorf("%v: not at offset %d", err, offset)
	}
}

// A bundle that is cut short anywhere is refused, with an offset within it.
func TestTruncated(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"one.der", "lab-core-v1.p7b", "lab-ber.p7b", "lab-certs-only.p7b", "lab-outer.p7b", "lab-root.pem", "bare.b64"} {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data := readFile(t, file)
			end := len(bytes.TrimRight(data, "\n"))
			if strings.HasSuffix(file, ".b64") {
				end -= 4 // where base64 ends nothing tells that it does
			}
			for n := range end {
				b, err := bundle.Parse(data[:n])
				if err == nil {
					t.Fatalf("the first %d bytes of %d are read as %s", n, len(data), b.Form)
				}
				var syntax *bundle.SyntaxError
				if errors.As(err, &syntax) && (syntax.Offset < 0 || syntax.Offset > n) {
					t.Fatalf("the first %d bytes: %v", n, err)
				} else if syntax == nil && n > 0 && data[0] == 0x30 {
					t.Fatalf("the first %d bytes: %v: no offset", n, err)
				}
			}
		})
	}
}

func TestTrailing(t *testing.T) {
	t.Parallel()
	content := pkitest.CertsOnly(pkitest.CoreV1()[:1]...)
	signed := func(content []byte) []byte {
		return pkitest.Message{Content: content, Signers: []pkitest.SignerInfo{{Signer: pkitest.Lab().Signer}}}.DER()
	}
	core := signed(content)
	pair := append(bytes.Clone(core[:len(core)-3]), "\n\r\n"...) // in its signature
	tests := []struct {
		name   string
		in     []byte
		offset int
		msg    string
	}{
		{"a message", append(bytes.Clone(core), 0), len(core), "trailing bytes after the PKCS#7 message"},
		{"a message with CR LF in it by chance", append(pair, '\n'), len(core), "trailing bytes after the PKCS#7 message"},
		{"a message in BER", append(pkitest.ToBER(core, 500), 0, 0), -2, "trailing bytes after the PKCS#7 message"},
		{"a certificate", append(readFile(t, "one.der"), 5, 0), 843, "trailing bytes"},
		{"the signed content", signed(append(bytes.Clone(content), 0)), bytes.Index(core, content) + len(content), "the signed content: trailing bytes after the PKCS#7 message"},
		{"two messages", append(bytes.Clone(core), core...), len(core), "trailing bytes after the PKCS#7 message"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse(tt.in)
			wantSyntaxError(t, b, err, tt.offset, tt.msg)
		})
	}
}

// An element that is not a certificate is one entry at its index.
func TestUndecodable(t *testing.T) {
	t.Parallel()
	good := pkitest.CoreV1()[3]
	for name, bad := range map[string][]byte{
		"an empty SEQUENCE":      {0x30, 0},
		"a NULL":                 {5, 0},
		"an attribute":           {0xa1, 3, 2, 1, 5},
		"a certificate cut":      pkitest.TLV(0x30, good[4:len(good)-70]),
		"a certificate and more": pkitest.TLV(0x30, good[4:], []byte{5, 0}),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := pool(t, good, bad, good)
			if len(b.Certificates) != 3 {
				t.Fatalf("%d certificates", len(b.Certificates))
			}
			for i, c := range b.Certificates {
				if (c.Err != nil) != (i == 1) {
					t.Errorf("certificate %d: %v", i+1, c.Err)
				}
			}
			c := b.Certificates[1]
			r := inspect.NewCertificateReport(c, 2)
			if !bytes.Equal(c.Raw, bad) || r.Index != 2 || r.Error == nil || *r.Error != c.Err.Error() {
				t.Errorf("%+v", r)
			}
			if r.Subject != nil || r.Issuer != nil || r.Serial != nil || r.X509Version != nil || r.PublicKey != nil ||
				r.SignatureAlgorithm != nil || r.IsCA != nil || r.KeyUsage != nil || r.ExtKeyUsage != nil || r.SelfIssued != nil ||
				r.NotBefore.Valid || r.NotAfter.Valid || len(r.SHA256) != 64 || len(r.SHA1) != 40 || len(r.MD5) != 32 {
				t.Errorf("%+v", r)
			}
			if _, err := bundle.Parse(pkitest.CertsOnly(bad)); err == nil || !strings.HasPrefix(err.Error(), "none of its 1 certificates can be decoded; the first: ") {
				t.Errorf("alone: %v", err)
			}
		})
	}
	crls := pkitest.Message{CRLs: [][]byte{pkitest.TLV(0x30)}}.DER()
	if _, err := bundle.Parse(crls); err == nil || !strings.Contains(err.Error(), "a PKCS#7 message of CRLs, without a certificate,") {
		t.Error(err)
	}
	if _, err := bundle.Parse(pkitest.CertsOnly()); err == nil || err.Error() != "no certificate in it" {
		t.Error(err)
	}
}

// pemFile is a file of PEM blocks.
type pemFile struct {
	name, in string
	want     string // the common names, joined; empty where it is refused
	form     bundle.Form
	offset   int
	msg      string
}

func pemFiles() []pemFile {
	core := pkitest.CoreV1()
	block := func(label string, der []byte) string {
		return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
	}
	cert := func(i int) string { return block("CERTIFICATE", core[i]) }
	a, b := cert(3), cert(6)
	const nameA, nameB = "Dogwood ECC Root CA", "Cedar ECC Root CA"
	message := pkitest.CertsOnly(core[3], core[6])
	replace := func(old, newer string) string { return strings.ReplaceAll(a, old, newer) }
	line := strings.Index(a, "\n") + 1 // where the base64 begins
	refused := func(name, in string, offset int, msg string) pemFile {
		return pemFile{name, in, "", "", offset, msg}
	}
	read := func(name, in, want string) pemFile { return pemFile{name, in, want, bundle.FormPEM, 0, ""} }
	return []pemFile{
		read("one", a, nameA),
		read("two", a+b, nameA+"|"+nameB),
		read("CRLF", strings.ReplaceAll(a+b, "\n", "\r\n"), nameA+"|"+nameB),
		read("CR", strings.ReplaceAll(a+b, "\n", "\r"), nameA+"|"+nameB),
		read("byte order mark", "\xef\xbb\xbf"+a, nameA),
		read("byte order mark and CRLF", "\xef\xbb\xbf"+strings.ReplaceAll(a, "\n", "\r\n"), nameA),
		read("no line break at the end", strings.TrimSuffix(a, "\n"), nameA),
		read("no line break at the end of two", a+strings.TrimSuffix(b, "\n"), nameA+"|"+nameB),
		read("text between", "Roots\n=====\n"+a+"\n# BEGIN CERTIFICATE begins one\n\xc3\xa9\n"+b+"end", nameA+"|"+nameB),
		read("text before that begins with 0", "0 s:CN = Dogwood\n"+a, nameA),
		read("text before with a colon", "subject: CN=Dogwood\n"+a, nameA),
		read("indented", "  "+strings.ReplaceAll(a, "\n", "\n  "), nameA),
		read("indented with tabs", "\t"+strings.ReplaceAll(a, "\n", "\n\t"), nameA),
		read("trailing blanks", strings.ReplaceAll(a, "\n", " \t\n"), nameA),
		read("empty lines within", strings.ReplaceAll(a, "\n", "\n\n"), nameA),
		read("one long line", replace("\n", "")[:27]+"\n"+replace("\n", "")[27:], nameA),
		read("no line breaks at all", replace("\n", ""), nameA),
		read("headers of RFC 1421", a[:line]+"Proc-Type: 4,CLEAR\nComment: of a lab\n\n"+a[line:], nameA),
		read("headers with CRLF", strings.ReplaceAll(a[:line]+"Comment: of a lab\n\n"+a[line:], "\n", "\r\n"), nameA),
		read("X509 CERTIFICATE", block("X509 CERTIFICATE", core[3]), nameA),
		read("TRUSTED CERTIFICATE", block("TRUSTED CERTIFICATE", append(bytes.Clone(core[3]), 0x30, 0)), nameA),
		read("PKCS7 among others", a+block("PKCS7", message)+b, nameA+"|"+nameA+"|"+nameB+"|"+nameB),
		read("CMS among others", block("CMS", message)+b, nameA+"|"+nameB+"|"+nameB),
		read("signed PKCS7 among others", b+string(pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: pkitest.Bundle(pkitest.Lab().Signer, "B", "1", labTime, core[3])})), nameB+"|"+nameA),
		{"PKCS7 alone", block("PKCS7", message), nameA + "|" + nameB, bundle.FormCertsOnly, 0, ""},
		{"PKCS7 alone, with text", "text\n" + block("PKCS7", message) + "text", nameA + "|" + nameB, bundle.FormCertsOnly, 0, ""},
		{"CMS alone", block("CMS", message), nameA + "|" + nameB, bundle.FormCertsOnly, 0, ""},
		{"bare base64", string(base64.StdEncoding.EncodeToString(core[3])), nameA, bundle.FormDER, 0, ""},
		{"bare base64 of a message, with CRLF and blanks", "\r\n " + strings.Join(strings.SplitAfter(base64.StdEncoding.EncodeToString(message), "A"), " \r\n\t"), nameA + "|" + nameB, bundle.FormCertsOnly, 0, ""},
		{"bare base64 after a byte order mark", "\xef\xbb\xbf" + base64.StdEncoding.EncodeToString(core[3]) + "\n", nameA, bundle.FormDER, 0, ""},

		refused("private key", a+block("PRIVATE KEY", []byte("key")), len(a), `a private key (PEM block "PRIVATE KEY"), which is no part of a bundle`),
		refused("private key first", block("EC PRIVATE KEY", []byte("key"))+a, 0, `a private key (PEM block "EC PRIVATE KEY")`),
		refused("encrypted private key", "text\n"+block("ENCRYPTED PRIVATE KEY", []byte("key")), 5, `a private key (PEM block "ENCRYPTED PRIVATE KEY")`),
		refused("private key of old", a+"-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: DES-EDE3-CBC,3F17F5316E2BAC89\n\nAAAA\n-----END RSA PRIVATE KEY-----\n", len(a), `a private key (PEM block "RSA PRIVATE KEY")`),
		refused("request", a+block("CERTIFICATE REQUEST", []byte("x")), len(a), `a PEM block "CERTIFICATE REQUEST", which is no part of a bundle`),
		refused("new request", block("NEW CERTIFICATE REQUEST", []byte("x")), 0, `a PEM block "NEW CERTIFICATE REQUEST", which is no part of a bundle`),
		refused("CRL", a+block("X509 CRL", []byte("x")), len(a), `a PEM block "X509 CRL", which is no part of a bundle`),
		refused("public key", block("PUBLIC KEY", []byte("x")), 0, `a PEM block "PUBLIC KEY"`),
		refused("parameters", a+block("DH PARAMETERS", []byte("x")), len(a), `a PEM block "DH PARAMETERS"`),
		refused("unknown label", a+block("FOO", []byte("x")), len(a), `a PEM block "FOO", which is no part of a bundle`),
		refused("label in lower case", replace("CERTIFICATE", "certificate"), 0, `a PEM block "certificate"`),
		refused("hostile label", replace("CERTIFICATE", "\x1b[2J\u202e"), 0, `a PEM block "\x1b[2J\u202e"`),
		refused("empty label", replace("CERTIFICATE", ""), 0, `a PEM block ""`),
		refused("label without end", a+"-----BEGIN CERTIFICATE\n", len(a), "a PEM block without a label"),
		refused("label of 100 bytes", replace("CERTIFICATE", strings.Repeat("X", 100)), 0, "a PEM block without a label"),
		refused("cut short", a+strings.Split(b, "-----END")[0], len(a), `a PEM block "CERTIFICATE" without an end: truncated`),
		refused("cut in its END", strings.TrimSuffix(a, "-----\n"), strings.Index(a, "-----END"), `a PEM block "CERTIFICATE" that ends as another`),
		refused("ends as another", strings.Replace(a, "END CERTIFICATE", "END PKCS7", 1), strings.Index(a, "-----END"), `a PEM block "CERTIFICATE" that ends as another`),
		refused("begins twice", "-----BEGIN CERTIFICATE-----\n"+a, 28, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("broken base64", a[:line+70]+"*"+a[line+71:], line+70, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("broken base64 in the second", a+b[:100]+"\x00"+b[101:], len(a)+100, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("broken base64, indented", "  "+strings.ReplaceAll(a[:line+70]+"*"+a[line+71:], "\n", "\n  "), line+70+6, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("broken base64, CRLF", strings.ReplaceAll(a[:line+70]+"*"+a[line+71:], "\n", "\r\n"), line+70+2, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("broken base64 after headers", a[:line]+"X: y\n\n*"+a[line+1:], line+6, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("headers without an empty line", a[:line]+"Comment: x\n"+a[line:], line+7, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("certificate as PKCS7", a+block("PKCS7", core[3]), len(a), `a PEM block "PKCS7" that holds a certificate, not a message`),
		refused("rubbish as PKCS7", a+block("PKCS7", []byte{0x30, 5}), -2, fmt.Sprintf(`PEM block "PKCS7" at offset %d`, len(a))),
		refused("empty blocks", block("CERTIFICATE", nil)+block("CERTIFICATE", nil), -1, "none of its 2 certificates can be decoded"),
		refused("a BEGIN in a comment", a+"# -----BEGIN CERTIFICATE----- begins one\n"+b, -2, `PEM block "CERTIFICATE": base64 that does not decode`),
		refused("too much text before it", strings.Repeat("text\n", 20_000)+a, 100_000, "more than 65536 bytes of text before the first PEM block"),
	}
}

func TestPEM(t *testing.T) {
	t.Parallel()
	for _, tt := range pemFiles() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse([]byte(tt.in))
			if tt.want == "" {
				wantSyntaxError(t, b, err, tt.offset, tt.msg)
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, c := range b.Certificates {
				if c.Err != nil {
					t.Fatal(c.Err)
				}
				names = append(names, c.Subject.CommonName())
			}
			if got := strings.Join(names, "|"); got != tt.want || b.Form != tt.form {
				t.Errorf("%s in form %s, want %s", got, b.Form, tt.want)
			}
			if b.Form == bundle.FormPEM && (b.Message != nil || b.Chain != nil || b.Name != "") {
				t.Error("a message in concatenated PEM is taken for the bundle's own")
			}
		})
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV1()
	certsOnly, signed := pkitest.CertsOnly(core...), readFile(t, "lab-core-v1.p7b")
	var blocks []byte
	for _, der := range core {
		blocks = append(blocks, pkitest.CertificatePEM(der)...)
	}
	tests := []struct {
		name   string
		in     []byte
		limits bundle.Limits
		msg    string // empty where it is read
	}{
		{"bytes at the limit", certsOnly, bundle.Limits{Bytes: int64(len(certsOnly))}, ""},
		{"bytes above the limit", certsOnly, bundle.Limits{Bytes: 1000}, fmt.Sprintf("%d bytes, more than the limit of 1000", len(certsOnly))},
		{"certificates at the limit", certsOnly, bundle.Limits{Certificates: 8}, ""},
		{"certificates above the limit", certsOnly, bundle.Limits{Certificates: 7}, "more than 7 certificates at offset "},
		{"signed certificates at the limit", signed, bundle.Limits{Certificates: 8}, ""},
		{"signed certificates above the limit", signed, bundle.Limits{Certificates: 7}, "the signed content: more than 7 certificates at offset "},
		{"PEM at the limit", blocks, bundle.Limits{Certificates: 8}, ""},
		{"PEM above the limit", blocks, bundle.Limits{Certificates: 7}, "more than 7 certificates at offset "},
		{"depth that a message in BER needs", pkitest.ToBER(signed, 1000), bundle.Limits{Depth: 7}, ""},
		{"depth below that", pkitest.ToBER(signed, 1000), bundle.Limits{Depth: 3}, "elements nested deeper than 3 at offset "},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.limits.Parse(tt.in)
			switch {
			case tt.msg == "" && err != nil:
				t.Error(err)
			case tt.msg != "" && (err == nil || !strings.Contains(err.Error(), tt.msg)):
				t.Errorf("%v, not %q", err, tt.msg)
			}
		})
	}
}

// What Parse takes, Sniff does not refuse.
func TestSniffRefusesNoBundle(t *testing.T) {
	t.Parallel()
	var files [][]byte
	for _, pattern := range []string{"bundles/*.p7b", "bundles/*.pem", "bundles/*.der", "bundles/*.b64", "vectors/good-*.txt"} {
		paths, err := filepath.Glob(filepath.Join("..", "testdata", pattern))
		if err != nil || len(paths) == 0 {
			t.Fatal(err)
		}
		for _, path := range paths {
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			files = append(files, data)
		}
	}
	for _, tt := range pemFiles() {
		if tt.want != "" {
			files = append(files, []byte(tt.in))
		}
	}
	text := strings.Repeat("Zażółć gęślą jaźń: \"text\" <text>\n", 1500)
	files = append(files, []byte(text+string(readFile(t, "lab-root.pem"))))
	for i, data := range files {
		if _, err := bundle.Parse(data); err != nil {
			t.Errorf("file %d: %v", i, err)
		}
		if _, err := bundle.Sniff(data[:min(len(data), bundle.SniffSize)]); err != nil {
			t.Errorf("file %d, which begins with %.40q: %v", i, data, err)
		}
		for n := 0; n <= len(data) && data[0] == 0x30 && data[1] >= 0x80; n = n + 1 + n/50 { // binary is known by any beginning
			if length, err := bundle.Sniff(data[:n]); err != nil || length != 0 && length != int64(len(data)) {
				t.Errorf("file %d: its first %d bytes: length %d of %d, %v", i, n, length, len(data), err)
				break
			}
		}
	}
}

// Streams that never become a bundle are refused by their beginning.
func TestSniffRefuses(t *testing.T) {
	t.Parallel()
	random := make([]byte, bundle.SniffSize)
	for i, x := 0, uint32(1); i < len(random); i++ {
		x = x*1664525 + 1013904223
		random[i] = byte(x >> 24)
	}
	for name, in := range map[string][]byte{
		"zeroes":                 make([]byte, bundle.SniffSize),
		"random bytes":           random,
		"yes":                    bytes.Repeat([]byte("y\n"), bundle.SniffSize/2),
		"text":                   bytes.Repeat([]byte("Lorem ipsum, dolor sit. "), bundle.SniffSize/24+1),
		"HTML":                   append([]byte("\n\n<html>"), bytes.Repeat([]byte("<p>"), 1000)...),
		"base64 of other things": bytes.Repeat([]byte("QUJD"), bundle.SniffSize/4),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := bundle.Sniff(in)
			var syntax *bundle.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatal(err)
			}
			checkMessage(t, err)
		})
	}
}

// How many processors share the work changes nothing. Not parallel: it changes
// how many there are.
func TestProcessors(t *testing.T) {
	data := pkitest.CertsOnly(append(pkitest.LargePool(1000), pkitest.QuirkPool()...)...)
	reports := func() string {
		b := parsePool(t, data)
		var out strings.Builder
		for i, c := range b.Certificates {
			fmt.Fprintf(&out, "%x %+v\n", c.SHA256, inspect.NewCertificateReport(c, i+1).Quirks)
		}
		return out.String()
	}
	defer runtime.GOMAXPROCS(runtime.GOMAXPROCS(1))
	want := reports()
	for _, n := range []int{2, 3, 8} {
		runtime.GOMAXPROCS(n)
		if reports() != want {
			t.Errorf("%d processors read it differently", n)
		}
	}
}

// Not parallel: it counts what is allocated.
func TestMemory(t *testing.T) {
	const mega = 1 << 20
	for name, in := range map[string][]byte{
		"30 80":               bytes.Repeat([]byte{0x30, 0x80}, 3*mega),
		"a length of 4 GB":    {0x30, 0x84, 0xff, 0xff, 0xff, 0xff, 0x30, 0},
		"BEGIN in one line":   bytes.Repeat([]byte("-----BEGIN "), mega/2),
		"BEGIN in many lines": bytes.Repeat([]byte("-----BEGIN \n"), mega/2),
		"open blocks":         bytes.Repeat([]byte("-----BEGIN CERTIFICATE-----\n"), mega/5),
		"blanks":              bytes.Repeat([]byte(" "), 6*mega),
		"zeroes":              make([]byte, 6*mega),
		"colons":              append([]byte("-----BEGIN CERTIFICATE-----\n"), bytes.Repeat([]byte("a:\n\n"), mega)...),
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		b, err := bundle.Parse(in)
		runtime.ReadMemStats(&after)
		if err == nil {
			t.Errorf("%s: read as %s", name, b.Form)
		}
		if got := after.TotalAlloc - before.TotalAlloc; got > mega {
			t.Errorf("%s: %d bytes allocated for %d", name, got, len(in))
		}
	}
}

func TestParseOutline(t *testing.T) {
	t.Parallel()
	read := func(name string) (parsed, outline *bundle.Bundle) {
		data := tooltest.Bundle(t, name)
		var err error
		if parsed, err = bundle.Parse(data); err != nil {
			t.Fatal(err)
		}
		if outline, err = (bundle.Limits{}).ParseOutline(data); err != nil {
			t.Fatal(err)
		}
		return parsed, outline
	}
	// Of a signed pool nothing is decoded, and everything else is as it always is.
	parsed, outline := read("lab-core-v1.p7b")
	if outline.Certificates != nil || len(outline.Content.Certificates) != len(parsed.Certificates) {
		t.Errorf("%d certificates decoded, %d in the pool, of %d", len(outline.Certificates), len(outline.Content.Certificates), len(parsed.Certificates))
	}
	if outline.Form != parsed.Form || outline.Claims != parsed.Claims || len(outline.Chain) != len(parsed.Chain) {
		t.Errorf("form %s, claims %v, %d in the chain", outline.Form, outline.Claims, len(outline.Chain))
	}
	for _, name := range []string{"lab-outer.p7b", "lab-certs-only.p7b", "lab.pem", "one.der"} {
		if parsed, outline := read(name); len(outline.Certificates) != len(parsed.Certificates) {
			t.Errorf("%s: %d of %d certificates", name, len(outline.Certificates), len(parsed.Certificates))
		}
	}
	// In PEM with others, a signed pool is part of the bundle.
	signed := pem.EncodeToMemory(&pem.Block{Type: "PKCS7", Bytes: outline.Raw})
	one := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: parsed.Chain[0].Raw})
	mixed, err := (bundle.Limits{}).ParseOutline(append(signed, one...))
	if err != nil || len(mixed.Certificates) != len(parsed.Certificates)+1 {
		t.Errorf("mixed: %v", err)
	}
}

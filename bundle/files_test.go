package bundle_test

import (
	"bytes"
	"compress/gzip"
	"crypto/ed25519"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base32"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"encoding/pem"
	"errors"
	"fmt"
	"math/big"
	"math/rand/v2"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
	"unicode/utf16"

	"software.sslmate.com/src/go-pkcs12"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func pemOf(label string, der []byte) string {
	return string(pem.EncodeToMemory(&pem.Block{Type: label, Bytes: der}))
}

// wrapped is base64 in lines of n characters.
func wrapped(der []byte, n int) string {
	var out strings.Builder
	for s := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(der)), n) {
		out.Write(append(s, '\n'))
	}
	return out.String()
}

// eachLine puts something before and after each line.
func eachLine(s, before, after string) string {
	var out strings.Builder
	for line := range strings.Lines(s) {
		out.WriteString(before + strings.TrimSuffix(line, "\n") + after + "\n")
	}
	return out.String()
}

func utf16Of(s string, order binary.AppendByteOrder) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		b = order.AppendUint16(b, u)
	}
	return string(b)
}

func zipped(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func inJSON(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	return string(b)
}

// Certificates 3 and 6 of the pool, in every way in which people have them.
func TestFilesRead(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV1()
	one, two := core[3], core[6]
	a, b := pemOf("CERTIFICATE", one), pemOf("CERTIFICATE", two)
	both, der := a+b, string(one)+string(two)
	message := pkitest.CertsOnly(one, two)
	escaped := strings.ReplaceAll(both, "\n", `\n`)
	for name, in := range map[string]string{
		"text before BEGIN":         a + "# root -----" + strings.TrimPrefix(b, "-----"),
		"an assignment":             "ca=\"" + a + "\"\nroot='" + b + "'\n",
		"cells of CSV":              "name;pem\nx;\"" + a + "\"\ny;\"" + b + "\"\n",
		"cells of one line":         "x," + strings.ReplaceAll(a, "\n", " ") + "\ny," + strings.ReplaceAll(b, "\n", " ") + "\n",
		"cells with escapes":        "x,\"" + strings.ReplaceAll(a, "\n", `\n`) + "\"\ny,\"" + strings.ReplaceAll(b, "\n", `\n`) + "\"\n",
		"mail":                      eachLine(both, "> ", ""),
		"mail, quoted twice":        eachLine(both, ">> ", ""),
		"mail with a name":          eachLine(both, "Joe> ", ""),
		"grep":                      eachLine(both, "ca.pem:", ""),
		"syslog":                    eachLine(both, "Nov 28 10:00:00 host app[1]: ", ""),
		"a diff":                    eachLine(both, "+", ""),
		"comments":                  eachLine(both, "# ", ""),
		"comments of C":             "/*\n" + eachLine(both, " * ", "") + " */\n",
		"comments of C++":           eachLine(both, "//", ""),
		"YAML":                      "ca: |\n" + eachLine(both, "    ", ""),
		"YAML, quoted":              `ca: "` + escaped + `"`,
		"JSON":                      inJSON(map[string]any{"ca": a, "more": []string{b}}),
		"JSON in JSON":              inJSON(inJSON(both)),
		"JSON with escapes":         strings.NewReplacer("/", `\/`, "+", `\u002B`).Replace(inJSON(both)),
		"JSON of PHP":               strings.ReplaceAll(inJSON(both), "/", `\/`),
		"x5c":                       inJSON(map[string]any{"x5c": [][]byte{one, two}}),
		"C":                         "char ca[] =\n" + eachLine(both, `  "`, `\n"`) + ";\n",
		"Java":                      eachLine(both, `  + "`, `\n"`),
		"Python":                    "ca = (\n" + eachLine(both, "  '", `\n'`) + ")\n",
		"a list of lines":           "[\n" + eachLine(both, `  "`, `",`) + "]\n",
		"shell with escapes":        "CA=$'" + escaped + "'\n",
		"XML":                       "<c>" + a + "</c><c>" + b + "</c>",
		"XML signature":             "<X509Certificate>" + base64.StdEncoding.EncodeToString(one) + "</X509Certificate>\n<X509Certificate>\n" + wrapped(two, 76) + "</X509Certificate>",
		"quoted-printable":          strings.ReplaceAll(both, "=", "=3D"),
		"soft line ends":            regexp.MustCompile(`(?m)^([A-Za-z0-9+/]{30})`).ReplaceAllString(both, "$1=\n"),
		"CR":                        strings.ReplaceAll(both, "\n", "\r"),
		"LF CR":                     strings.ReplaceAll(both, "\n", "\n\r"),
		"glued":                     strings.TrimSpace(a) + strings.TrimSpace(b),
		"END, blank, BEGIN":         strings.TrimSpace(a) + " " + b,
		"one line":                  strings.ReplaceAll(both, "\n", " "),
		"a mark between":            a + "\ufeff" + b,
		"padded with zeroes":        both + strings.Repeat("\x00", 50),
		"DOS end of file":           both + "\x1a",
		"Latin-1":                   "Autorit\xe9\n" + both,
		"colours":                   "\x1b[32m" + both + "\x1b[0m",
		"UTF-16":                    "\xff\xfe" + utf16Of(both, binary.LittleEndian),
		"UTF-16, big":               "\xfe\xff" + utf16Of(both, binary.BigEndian),
		"UTF-16 without mark":       utf16Of(both, binary.LittleEndian),
		"UTF-16, big, without mark": utf16Of(both, binary.BigEndian),
		"gzip":                      zipped(both),
		"UTF-16 in gzip":            zipped("\xff\xfe" + utf16Of(both, binary.LittleEndian)),
		"DER":                       der,
		"DER, lines between":        string(one) + "\n" + string(two) + "\r\n",
		"DER, PEM":                  string(one) + b,
		"PEM, DER":                  a + string(two),
		"text, DER, text, PEM":      "subject: x\n" + string(one) + "\nsubject: y\n" + b + "end\n",
		"PEM, base64":               a + wrapped(two, 64),
		"base64, PEM":               wrapped(one, 64) + b,
		"base64, base64":            wrapped(one, 64) + wrapped(two, 76),
		"base64 of two":             wrapped([]byte(der), 64),
		"base64, quoted":            eachLine(wrapped(one, 64), "> ", "") + "text\n" + b,
		"base64 in a text":          "cert: " + base64.StdEncoding.EncodeToString(one) + "\n" + b,
		"two in one block":          pemOf("CERTIFICATE", []byte(der)),
		"PKCS7":                     pemOf("PKCS7", message),
		"CMS":                       pemOf("CMS", message),
		"PKCS #7 SIGNED DATA":       pemOf("PKCS #7 SIGNED DATA", message),
		"PKCS7 as a certificate":    pemOf("CERTIFICATE", message),
		"PKCS7 as X509":             pemOf("X509 CERTIFICATE", message),
		"PKCS7 quoted":              eachLine(pemOf("PKCS7", message), "> ", ""),
		"PKCS7 in UTF-16":           "\xff\xfe" + utf16Of(pemOf("PKCS7", message), binary.LittleEndian),
		"entities in an attribute":  `<c a="` + strings.NewReplacer("\n", "&#10;", "/", "&#x2F;").Replace(a) + "\"/>" + b,
		"entities of SAML":          "<X509Certificate>" + strings.ReplaceAll(wrapped(one, 76), "\n", "&#13;\n") + "</X509Certificate>" + strings.ReplaceAll(b, "\n", "&#xD;\n"),
		"CR in quoted-printable":    strings.NewReplacer("=", "=3D", "\n", "=0D=0A=\n").Replace(a) + strings.ReplaceAll(strings.ReplaceAll(b, "=", "=3D"), "\n", "=20\n"),
		"a mail with a picture":     wrapped(append([]byte("\x89PNG\r\n"), pkitest.Lab().Root.DER[200:600]...), 76) + "--x\n" + both,
		"a mail with HTML":          wrapped([]byte("<html>"+strings.Repeat("Zażółć ", 60)), 76) + "--x\n" + both,
		"a word before base64":      "Root\n" + wrapped(one, 64) + "Root\n" + wrapped(two, 64),
		"UTF-16 that begins with 0": utf16Of("0 s:CN=x\n"+both, binary.LittleEndian),
		"UTF-16, Asian":             "\xff\xfe" + utf16Of(strings.Repeat("根证书認証局\ufffd ", 50)+both, binary.LittleEndian),
		"UTF-16, two marks":         "\xff\xfe" + utf16Of(a, binary.LittleEndian) + "\xff\xfe" + utf16Of(b, binary.LittleEndian),
		"a modulus":                 a + "Modulus=" + strings.Repeat("AB01", 128) + "\n" + b,
		"HTML":                      "<html><pre>\n" + both + "</pre></html>",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p, err := bundle.Parse([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			if len(p.Certificates) != 2 || !bytes.Equal(p.Certificates[0].Raw, one) || !bytes.Equal(p.Certificates[1].Raw, two) {
				t.Errorf("%d certificates, or others", len(p.Certificates))
			}
			if _, err := bundle.Sniff([]byte(in)[:min(len(in), bundle.SniffSize)]); err != nil {
				t.Errorf("by its beginning: %v", err)
			}
			if strings.HasPrefix(name, "PKCS") != (p.Form == bundle.FormCertsOnly) && name != "CMS" {
				t.Errorf("form %s", p.Form)
			}
		})
	}
}

// Text is passed over and counted.
func TestPassed(t *testing.T) {
	t.Parallel()
	a := pemOf("CERTIFICATE", pkitest.CoreV1()[3])
	for in, want := range map[string]bundle.Passed{
		a:                                     {},
		"\n \n" + a + "\r\n\t\n":              {},
		"\xef\xbb\xbf" + a:                    {},
		"Root\n=====\n\n" + a + "the end\r\n": {Bytes: 16, Lines: 3},
		"ca=\"" + strings.TrimSpace(a) + `"`:  {Bytes: 5, Lines: 2},
		string(pkitest.CoreV1()[3]) + "x\n":   {Bytes: 1, Lines: 1},
	} {
		b, err := bundle.Parse([]byte(in))
		if err != nil || b.Passed != want {
			t.Errorf("%.20q: %v, %v", in, b, err)
		}
	}
}

// A message without signers whose content is empty is certs-only.
func TestEmptyContent(t *testing.T) {
	t.Parallel()
	one := pkitest.CoreV1()[3]
	m := pkitest.Message{Content: []byte{}, Certificates: [][]byte{one}}.DER()
	b, err := bundle.Parse(m)
	if err != nil {
		t.Fatal(err)
	}
	if b.Form != bundle.FormCertsOnly || b.Message != nil || len(b.Certificates) != 1 || !slices.Equal(b.Quirks, []bundle.Quirk{bundle.QuirkEmptyContent}) {
		t.Errorf("form %s, quirks %q", b.Form, b.Quirks)
	}
}

// make04 is an OCTET STRING of n bytes.
func make04(n int) []byte { return pkitest.TLV(0x04, bytes.Repeat([]byte{7}, n)) }

// uuencode, odC and words print bytes as uuencode, od -c and od do.
func uuencode(b []byte) string {
	var out strings.Builder
	for line := range slices.Chunk(b, 45) {
		out.WriteByte(byte(len(line)) + ' ')
		for three := range slices.Chunk(append(slices.Clone(line), 0, 0)[:(len(line)+2)/3*3], 3) {
			v := uint32(three[0])<<16 | uint32(three[1])<<8 | uint32(three[2])
			for shift := 18; shift >= 0; shift -= 6 {
				out.WriteByte(byte(v>>shift)&63 + ' ')
			}
		}
		out.WriteString("\n")
	}
	return out.String()
}

func odC(b []byte) string {
	var out strings.Builder
	for i, c := range b {
		if i%16 == 0 {
			fmt.Fprintf(&out, "\n%07o", i)
		}
		switch escape := strings.IndexByte("\x00\a\b\t\n\v\f\r", c); {
		case escape >= 0:
			fmt.Fprintf(&out, "  \\%c", "0abtnvfr"[escape])
		case c >= ' ' && c < 0x7f:
			fmt.Fprintf(&out, "%4c", c)
		default:
			fmt.Fprintf(&out, " %03o", c)
		}
	}
	return out.String() + "\n"
}

func words(b []byte, format string) string {
	var out strings.Builder
	for i := 0; i+1 < len(b); i += 2 {
		if i%16 == 0 {
			fmt.Fprintf(&out, "\n%07o", i)
		}
		fmt.Fprintf(&out, " "+format, binary.LittleEndian.Uint16(b[i:]))
	}
	return out.String() + "\n"
}

// otherKinds are files that are not certificates, and what their error has to say.
func otherKinds(t testing.TB) map[string]struct{ in, name, advice string } {
	core := pkitest.CoreV1()
	one := core[3]
	a := pemOf("CERTIFICATE", one)
	message := pkitest.CertsOnly(core...)
	key := ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))
	must := func(b []byte, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	parsed, err := x509.ParseCertificate(one)
	if err != nil {
		t.Fatal(err)
	}
	private := must(x509.MarshalPKCS8PrivateKey(key))
	public := must(x509.MarshalPKIXPublicKey(key.Public()))
	request := must(x509.CreateCertificateRequest(nil, &x509.CertificateRequest{Subject: pkix.Name{CommonName: "x"}}, key))
	issuer := &x509.Certificate{Subject: pkix.Name{CommonName: "x"}, KeyUsage: x509.KeyUsageCRLSign, SubjectKeyId: []byte{1}, PublicKey: key.Public()}
	crl := must(x509.CreateRevocationList(nil, &x509.RevocationList{Number: big.NewInt(1), ThisUpdate: labTime, NextUpdate: labTime.Add(time.Hour)}, issuer, key))
	p12 := must(pkcs12.Modern.EncodeTrustStore([]*x509.Certificate{parsed}, "changeit"))
	trustList := pkitest.TLV(0x30, pkitest.OID("1.2.840.113549.1.7.2").DER(), pkitest.TLV(0xa0, pkitest.TLV(0x30, []byte{2, 1, 1}, []byte{0x31, 0},
		pkitest.TLV(0x30, pkitest.OID("1.3.6.1.4.1.311.10.1").DER(), pkitest.TLV(0xa0, pkitest.TLV(0x30, []byte{0x30, 0}))), pkitest.TLV(0xa0, one), []byte{0x31, 0})))
	dump := hex.Dump(one)
	text := func(from, to string) string { return strings.ReplaceAll(a, from, to) }
	crlf := strings.ReplaceAll(string(message), "\n", "\r\n")
	return map[string]struct{ in, name, advice string }{
		"PKCS#12":                 {p12, "a PKCS#12 key store", "openssl pkcs12"},
		"PKCS#12 in base64":       {wrapped([]byte(p12), 64), "a PKCS#12 key store", "openssl pkcs12"},
		"JKS":                     {"\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01" + string(one), "a Java key store (JKS)", "keytool -list -rfc"},
		"JKS in base64":           {wrapped([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01"+string(one)), 64), "a Java key store (JKS) in base64", "keytool -list -rfc"},
		"JCEKS":                   {"\xce\xce\xce\xce\x00\x00\x00\x02", "a Java key store (JCEKS)", "keytool"},
		"BKS":                     {"\x00\x00\x00\x02\x00\x00\x00\x14" + string(one), "a Bouncy Castle key store (BKS)", "keytool"},
		"SST":                     {"\x00\x00\x00\x00CERT \x00\x00\x00\x01\x00\x00\x00" + string(one), "a Microsoft certificate store (SST)", "certutil"},
		"trust list":              {string(trustList), "a Microsoft certificate trust list (.stl)", "without holding them"},
		"CRL":                     {crl, "a CRL", "leave it out"},
		"CRL in PEM":              {pemOf("X509 CRL", []byte(crl)), "a CRL", "leave it out"},
		"CRL in base64":           {wrapped([]byte(crl), 64), "a CRL", "leave it out"},
		"request":                 {request, "a certificate request", "a CA has yet"},
		"request in PEM":          {pemOf("CERTIFICATE REQUEST", []byte(request)), "a certificate request", "a CA has yet"},
		"private key":             {private, "a private key", "a bundle is public"},
		"private key in PEM":      {pemOf("PRIVATE KEY", []byte(private)), "a private key", "a bundle is public"},
		"OpenSSH key":             {pemOf("OPENSSH PRIVATE KEY", []byte("openssh-key-v1")), "a private key", "a bundle is public"},
		"public key":              {public, "a public key", "leave it out"},
		"OCSP response":           {"\x30\x03\x0a\x01\x06", "an OCSP response", "leave it out"},
		"OCSP response, whole":    {string(pkitest.TLV(0x30, []byte{0x0a, 1, 0}, pkitest.TLV(0xa0, pkitest.TLV(0x30, []byte{0x30, 0})))), "an OCSP response", "leave it out"},
		"OCSP request":            {string(pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.OID("1.3.14.3.2.26").DER()), make04(20), make04(20), []byte{2, 1, 5})))))), "an OCSP request", "leave it out"},
		"time-stamp request":      {string(pkitest.TLV(0x30, []byte{2, 1, 1}, pkitest.TLV(0x30, pkitest.TLV(0x30, pkitest.OID("1.3.14.3.2.26").DER()), make04(20)), []byte{2, 1, 9})), "a time-stamp request", "leave it out"},
		"text of certtool":        {"X.509 Certificate Information:\n\tVersion: 3\n", "the text of a certificate", "print it as PEM"},
		"text of IOS XR":          {"RP/0/RP0/CPU0:x#show crypto ca trustpool\nTrustpool: Built-In\n=====\nCA certificate\n", "what a device shows", "trustpool pool read"},
		"a configuration":         {"!\nhostname x\ncrypto pki trustpoint LAB\n enrollment terminal\n", "the configuration of a device", "PEM or DER"},
		"manifest.log":            {"Lab Bundle bundle version: 1\nSHA256:" + strings.Repeat("AB", 32) + " Lab Root\n", "Cisco's manifest.log", "audit --manifest"},
		"a mail without parts":    {"From: a@b\nTo: c@d\nSubject: x\n\nhi\n", "a mail", "attachment"},
		"XML":                     {"<Error><Code>NoSuchKey</Code></Error>", "an HTML page or XML", "what the server answered"},
		"JKS after PEM":           {a + "\xfe\xed\xfe\xed\x00\x00\x00\x02\x00\x00\x00\x01" + string(one), "a Java key store (JKS)", "keytool -list -rfc"},
		"gzip after PEM":          {a + "\n" + zipped(a), "a gzip file", "gunzip"},
		"SSH2 key, long":          {"---- BEGIN SSH2 PUBLIC KEY ----\n" + wrapped(append([]byte("\x00\x00\x00\x07ssh-rsa"), bytes.Repeat([]byte("\xa5\x5aQ"), 90)...), 70) + "---- END SSH2 PUBLIC KEY ----\n", "an SSH public key", "X.509"},
		"SSH key":                 {"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAAA joe@host\n", "an SSH public key", "X.509"},
		"SSH2 key":                {"---- BEGIN SSH2 PUBLIC KEY ----\nAAAA\n---- END SSH2 PUBLIC KEY ----\n", "an SSH public key", "X.509"},
		"gzip":                    {zipped(string(message)), "a gzip file", "gunzip"},
		"zip":                     {"PK\x03\x04\x14\x00\x00\x00\x00\x00" + string(message), "a zip archive", "unpack it"},
		"Office":                  {"PK\x03\x04" + strings.Repeat("\x00", 26) + "[Content_Types].xml", "a Microsoft Office document", "the file itself"},
		"tar":                     {"ios.p7b" + strings.Repeat("\x00", 250) + "ustar\x00" + strings.Repeat("\x00", 300), "a tar archive", "unpack it"},
		"7z":                      {"7z\xbc\xaf\x27\x1c\x00\x04", "a 7z archive", "unpack it"},
		"xz":                      {"\xfd7zXZ\x00\x00\x04", "an xz file", "unxz"},
		"bzip2":                   {"BZh91AY&SY\x00", "a bzip2 file", "bunzip2"},
		"PDF":                     {"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n", "a PDF document", "the file itself"},
		"HTML":                    {"<!DOCTYPE html>\n<html><body>Log in</body></html>\n", "an HTML page", "what the server answered"},
		"JSON":                    {"{\"error\": \"not found\"}\n", "JSON", "PEM or DER"},
		"git-lfs":                 {"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n", "a git-lfs pointer", "git lfs pull"},
		"certdata.txt":            {"# comment\nBEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n", "Mozilla's certdata.txt", "trustpool audit --program"},
		"hexdump -C":              {dump, "a hex dump", "xxd -r"},
		"xxd":                     {"00000000: 3082 0101 3081 f002 0100 300d 0609 2a86  0...0.....0...*.\n", "a hex dump", "xxd -r"},
		"hex":                     {hex.EncodeToString(one), "a certificate in hexadecimal", "xxd -r -p"},
		"hex after PEM":           {a + hex.EncodeToString(core[6]), "a certificate in hexadecimal", "xxd -r -p"},
		"hex of a configuration":  {"crypto pki certificate chain X\n certificate ca 01\n  " + regexp.MustCompile(`.{8}`).ReplaceAllString(strings.ToUpper(hex.EncodeToString(one)), "$0 ") + "\n  quit\n", "a certificate in hexadecimal", "xxd -r -p"},
		"text of openssl":         {"Certificate:\n    Data:\n        Version: 3 (0x2)\n", "the text of a certificate", "print it as PEM"},
		"text of a device":        {"CA Certificate\n  Status: Available\n  Certificate Serial Number (hex): 01\n", "what a device shows", "trustpool pool read"},
		"hex with hyphens":        {a + strings.ReplaceAll(fmt.Sprintf("% X", core[6]), " ", "-"), "a certificate in hexadecimal", "xxd -r -p"},
		"hex of Java":             {a + "(byte) " + strings.ReplaceAll(fmt.Sprintf("% #x", core[6]), " ", ", (byte) "), "a certificate in hexadecimal", "xxd -r -p"},
		"hex of PEM":              {a + `\x` + hex.EncodeToString([]byte(a)), "a certificate in hexadecimal", "xxd -r -p"},
		"percent-encoding of all": {a + strings.ReplaceAll(fmt.Sprintf("%% %X", core[6]), " ", "%"), "a certificate in", "PEM or DER"},
		"decimal numbers":         {a + strings.Trim(fmt.Sprint(core[6]), "[]"), "a certificate in decimal numbers", "PEM or DER"},
		"signed numbers":          {a + strings.Join(signed(core[6]), ", "), "a certificate in decimal numbers", "PEM or DER"},
		"uuencode":                {a + "begin 644 b.der\n" + uuencode(core[6]) + "`\nend\n", "a certificate in uuencode", "uudecode"},
		"uuencode of PEM":         {uuencode([]byte(a)) + a, "a certificate in uuencode", "uudecode"},
		"od -c":                   {a + odC(core[6]), "a certificate in a dump of od -c", "the file itself"},
		"od":                      {a + words(core[6], "%06o"), "a certificate in a dump of od", "the file itself"},
		"od -x":                   {a + words(core[6], "%04x"), "a certificate in a dump of od", "the file itself"},
		"xxd -b":                  {a + strings.Trim(fmt.Sprintf("%08b", core[6]), "[]"), "a certificate in a dump of xxd -b", "the file itself"},
		"base32":                  {a + regexp.MustCompile(`.{76}`).ReplaceAllString(base32.StdEncoding.EncodeToString(core[6]), "$0\n"), "lines of encoded data", "decode it"},
		"base64 twice":            {a + "x: " + base64.StdEncoding.EncodeToString([]byte(base64.StdEncoding.EncodeToString([]byte(a)))), "base64 of a file with certificates in it", "base64 -d"},
		"base64 of hex":           {a + wrapped([]byte(hex.EncodeToString(core[6])), 76), "base64 of a file with certificates in it", "base64 -d"},
		"base64 of base64":        {wrapped([]byte(wrapped(core[6], 64)), 76), "base64 of a file with certificates in it", "base64 -d"},
		"hex of base64":           {a + hex.EncodeToString([]byte(wrapped(core[6], 64))), "a certificate in hexadecimal", "xxd -r -p"},
		"a buffer of JavaScript":  {a + strings.ReplaceAll(fmt.Sprint([]byte(a)), " ", ","), "a certificate in decimal numbers", "PEM or DER"},
		"another label":           {a + strings.ReplaceAll(a, "CERTIFICATE", "ROOT CERTIFICATE"), "a certificate or message of certificates", `are "CERTIFICATE"`},
		"a signed mail":           {"-----BEGIN PGP SIGNED MESSAGE-----\n\n" + strings.ReplaceAll(a, "-----", "- -----") + "-----BEGIN PGP SIGNATURE-----\n-----END PGP SIGNATURE-----\n", "a message signed with OpenPGP", "gpg --decrypt"},
		"octal numbers":           {a + octal(core[6]), "a certificate in octal numbers", "PEM or DER"},
		"escapes":                 {a + "b'" + escaped(core[6]) + "'", "a certificate in escapes", "PEM or DER"},
		"percent-encoding of DER": {a + url.PathEscape(string(core[6])), "a certificate in escapes", "PEM or DER"},
		"UTF-16, then UTF-8":      {"\xff\xfe" + utf16Of(a, binary.LittleEndian) + a, "UTF-16 that goes on in another encoding", "save each part as UTF-8"},
		"UTF-16, then DER":        {"\xff\xfe" + utf16Of(a, binary.LittleEndian) + string(core[6]), "UTF-16 with something else in it", "save each part as UTF-8"},
		"UTF-16 in both orders":   {"\xff\xfe" + utf16Of(a, binary.LittleEndian) + "\xfe\xff" + utf16Of(a, binary.BigEndian), "UTF-16 with something else in it", "save each part as UTF-8"},
		"a comment in base64":     {a + "ca.crt: " + base64.StdEncoding.EncodeToString([]byte("#"+a)), "base64 of a file with certificates in it", "base64 -d"},
		"a line end in base64":    {"ca.crt: " + base64.StdEncoding.EncodeToString([]byte("\n"+a)), "base64 of a file with certificates in it", "base64 -d"},
		"a mail with base64":      {a + "--x\n" + wrapped([]byte("Hi,\n"+a), 76), "base64 of a file with certificates in it", "base64 -d"},
		"JKS in YAML":             {a + "store: " + base64.StdEncoding.EncodeToString([]byte("\xfe\xed\xfe\xed\x00\x00\x00\x02"+string(one))), "base64 of a file with certificates in it", "base64 -d"},
		"UTF-16 in YAML":          {a + "ca: " + base64.StdEncoding.EncodeToString([]byte(utf16Of(a, binary.LittleEndian))), "base64 of a file with certificates in it", "base64 -d"},
		"gzip in YAML":            {a + "ca: " + base64.StdEncoding.EncodeToString([]byte(zipped(a))), "base64 of a file with certificates in it", "base64 -d"},
		"a comment, all base64":   {base64.StdEncoding.EncodeToString([]byte("# x\n" + a)), "PEM in base64 once more", "base64 -d"},
		"zip as a certificate":    {pemOf("CERTIFICATE", []byte("PK\x03\x04\x14\x00\x00\x00\x00\x00"+string(message))), "a zip archive", "unpack it"},
		"PEM as a certificate":    {pemOf("CERTIFICATE", []byte(a)), "PEM in base64 once more", "base64 -d"},
		"RTF":                     {"{\\rtf1\\ansi " + strings.ReplaceAll(a, "\n", "\\par\n") + "}", "an RTF document", "plain text"},
		"Kubernetes":              {"data:\n  ca.crt: " + base64.StdEncoding.EncodeToString([]byte(a)) + "\n", "PEM in base64 once more", "base64 -d"},
		"PEM in base64":           {base64.StdEncoding.EncodeToString([]byte(a)), "PEM in base64 once more", "base64 -d"},
		"percent-encoding":        {strings.NewReplacer(" ", "%20", "\n", "%0A", "+", "%2B").Replace(a), "a PEM block in percent-encoding", "decode it"},
		"en dashes":               {text("-", "–"), "typographic dashes", "plain text"},
		"em dashes":               {text("-----", "——-"), "dashes that are not five hyphens", "plain text"},
		"four hyphens":            {text("-----BEGIN", "----BEGIN"), "dashes that are not five hyphens", "five hyphens"},
		"dashes of Windows-1252":  {text("-", "\x96"), "typographic dashes", "plain text"},
		"en dashes in the second": {a + text("-", "–"), "typographic dashes", "plain text"},
		"no-break spaces":         {text("\n", "\u00a0\n"), "no-break spaces", "plain text"},
		"a no-break space":        {text("BEGIN ", "BEGIN\u00a0"), "no-break spaces", "plain text"},
		"zero-width spaces":       {text("MII", "\u200bMII"), "invisible characters", "plain text"},
		"FTP":                     {crlf, "each LF became CR LF", "binary mode"},
		"FTP of one":              {strings.ReplaceAll(string(slices.Concat(core...)), "\n", "\r\n"), "each LF became CR LF", "binary mode"},
		"netascii":                {strings.NewReplacer("\r", "\r\x00", "\n", "\r\n").Replace(string(message)), "netascii", "binary mode"},
		"text without CR":         {strings.ReplaceAll(string(message), "\r", ""), "each CR is missing", "binary mode"},
		"replaced":                {strings.ToValidUTF8(string(message), "\ufffd"), "U+FFFD", "binary mode"},
		"question marks":          {string(bytes.Map(func(r rune) rune { return r }, []byte(regexp.MustCompile(`[\x80-\x{10ffff}]`).ReplaceAllString(latin1(message), "?")))), "question marks", "binary mode"},
		"Latin-1 as UTF-8":        {latin1(message), "Latin-1", "binary mode"},
	}
}

// signed writes bytes as Java prints them.
func signed(b []byte) (out []string) {
	for _, c := range b {
		out = append(out, strconv.Itoa(int(int8(c))))
	}
	return out
}

func octal(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		fmt.Fprintf(&out, `\%03o`, c)
	}
	return out.String()
}

// escaped writes bytes as Python prints them.
func escaped(b []byte) string {
	var out strings.Builder
	for _, c := range b {
		if c >= ' ' && c < 0x7f {
			out.WriteByte(c)
		} else {
			fmt.Fprintf(&out, `\x%02x`, c)
		}
	}
	return out.String()
}

func latin1(b []byte) string {
	r := make([]rune, len(b))
	for i, c := range b {
		r[i] = rune(c)
	}
	return string(r)
}

func TestOtherKinds(t *testing.T) {
	t.Parallel()
	for name, tt := range otherKinds(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse([]byte(tt.in))
			if err == nil {
				t.Fatalf("read as %s with %d certificates", b.Form, len(b.Certificates))
			}
			checkMessage(t, err)
			other, ok := errors.AsType[*bundle.TypeError](err)
			if !ok || !strings.Contains(other.Type, tt.name) || !strings.Contains(other.Advice, tt.advice) || !strings.Contains(err.Error(), other.Advice) {
				t.Errorf("%v", err)
			}
			if _, ok := errors.AsType[*bundle.SyntaxError](err); !ok {
				t.Error("no offset")
			}
			if _, early := bundle.Sniff([]byte(tt.in)[:min(len(tt.in), bundle.SniffSize)]); early != nil && early.Error() != err.Error() {
				t.Errorf("by its beginning: %v\nread: %v", early, err)
			}
		})
	}
}

// What is damaged is refused, with the place.
func TestFilesRefused(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV1()
	one, two := core[3], core[6]
	a, b := pemOf("CERTIFICATE", one), pemOf("CERTIFICATE", two)
	lines := strings.SplitAfter(a, "\n")
	for name, tt := range map[string]struct {
		in     string
		offset int
		msg    string
	}{
		"DER cut after PEM":          {a + string(two[:len(two)-1]), len(a), "DER amid the file: "},
		"DER broken after PEM":       {a + string(two[:len(two)/2]) + "\x00" + string(two[len(two)/2+1:]), -2, ""},
		"bytes after PEM":            {a + "text\x01", len(a) + 4, "bytes that are neither a certificate nor text"},
		"zeroes between DER":         {string(one) + "\x00" + string(two), len(one), "trailing bytes"},
		"base64 cut":                 {a + wrapped(two, 64)[:200] + "\n" + b, len(a), "base64 that begins as a certificate does and ends before it"},
		"base64 without padding":     {a + strings.TrimRight(wrapped(append(bytes.Clone(pad(one)), 0), 64), "=\n") + "\n", -2, ""},
		"base64 for URLs":            {a + strings.NewReplacer("+", "-", "/", "_").Replace(wrapped(two, 64)), len(a), "ends before it"},
		"base64 amid base64":         {a + "xx" + wrapped(two, 64), len(a) + 2, "in the middle of other base64"},
		"END without BEGIN":          {strings.Join(lines[1:], "") + b, len(a) - len(lines[0]) - len("-----END CERTIFICATE-----\n"), "the END of a PEM block without its BEGIN"},
		"END in a text":              {a + "# -----END CERTIFICATE----- ends it\n", len(a) + 2, "the END of a PEM block without its BEGIN"},
		"without it, one line":       {a + base64.StdEncoding.EncodeToString(two)[12:], len(a), "lines of base64 that do not begin as a certificate does"},
		"without it, of 48":          {a + wrapped(two, 48)[49:], len(a), "lines of base64 that do not begin as a certificate does"},
		"cut to 16 characters":       {a + wrapped(two, 16)[:17], len(a), "base64 that begins as a certificate does and ends before it"},
		"line ends of HTML":          {strings.ReplaceAll(a, "\n", "<br>\n"), 27, `base64 that does not decode ("<br>" is not base64)`},
		"line numbers":               {strings.ReplaceAll(a, "\n", "\n7: "), -2, `": MI`},
		"without its first line":     {a + strings.Join(lines[2:len(lines)-2], "") + b, -2, "lines of base64 that do not begin as a certificate does"},
		"BEGIN twice":                {strings.TrimSuffix(a, "-----END CERTIFICATE-----\n") + b, -2, "base64 that does not decode"},
		"BEGIN in small letters":     {a + strings.ReplaceAll(b, "BEGIN", "begin"), len(a), "not in capitals"},
		"text after BEGIN":           {strings.Replace(a, "-----\n", "----- my root\n", 1), -2, "base64 that does not decode"},
		"key after DER":              {string(one) + string(pkitest.TLV(0x30, []byte{2, 1, 0}, pkitest.TLV(0x30, pkitest.OID("1.3.101.112").DER()), pkitest.TLV(4, bytes.Repeat([]byte{4}, 200)))), len(one), "a private key, which is no part of a bundle"},
		"a message and PEM":          {string(pkitest.CertsOnly(one)) + a, len(pkitest.CertsOnly(one)), "trailing bytes after the PKCS#7 message"},
		"a message twice":            {strings.Repeat(string(pkitest.CertsOnly(one)), 2), len(pkitest.CertsOnly(one)), "trailing bytes after the PKCS#7 message"},
		"gzip, cut":                  {zipped(a)[:100], -1, "a gzip file that is cut short"},
		"too much text before":       {strings.Repeat("text\n", 20_000) + wrapped(one, 64), 100_000, "more than 65536 bytes of text"},
		"a certificate and a line":   {wrapped(one, 64) + "MIIB\n", -2, ""},
		"a quoted block that is not": {"> -----BEGIN CERTIFICATE-----\n*" + strings.Join(lines[1:], "> "), -2, "base64 that does not decode"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse([]byte(tt.in))
			if name == "a certificate and a line" { // too short for a certificate: text
				if err != nil || len(b.Certificates) != 1 {
					t.Error(err)
				}
				return
			}
			wantSyntaxError(t, b, err, tt.offset, tt.msg)
		})
	}
}

// pad makes the length of DER no multiple of three by leaving bytes out.
func pad(der []byte) []byte { return der[:len(der)/3*3-1] }

// shuffle makes a file of pieces as script says, and the certificates in it.
func shuffle(pool [][]byte, script []byte) (file []byte, want [][]byte) {
	texts := []string{
		"", "\n", "text\n", "Root CA of the lab\n=====\n", "0 s:CN=x\n", "# MII is how base64 begins\n", "=", "M", "MI", "3082", "-----", "- ", "> quoted\n",
		"SHA256: 3A:B1:00:9F\n", "\xc3\xa9\n", "\ufeff", "\t", "\r", "\"", "'", "\\n", "subject=/C=DE/O=Lab\n", "BEGIN CERTIFICATE\n", "certificate 1 of 2:",
	}
	for len(script) > 1 {
		op, n := script[0], int(script[1])
		script = script[2:]
		der := pool[n%len(pool)]
		switch op % 14 {
		case 0, 1:
			file = append(file, pemOf("CERTIFICATE", der)...)
		case 2:
			file = append(file, der...)
		case 3:
			file = append(file, wrapped(der, 64)...)
		case 4:
			file = append(file, base64.StdEncoding.EncodeToString(der)...)
		case 5:
			file = append(file, eachLine(pemOf("X509 CERTIFICATE", der), "> ", "")...)
		case 6:
			file = append(file, strings.ReplaceAll(pemOf("CERTIFICATE", der), "\n", `\n`)...)
		case 7:
			file = append(file, strings.TrimSuffix(pemOf("CERTIFICATE", der), "\n")...)
		case 8:
			file = append(file, strings.ReplaceAll(pemOf("CERTIFICATE", der), "\n", "\r\n")...)
		case 9:
			file = append(file, pemOf("PKCS7", pkitest.CertsOnly(der))...)
		case 10:
			file = append(file, eachLine(pemOf("CERTIFICATE", der), "+", "")...)
		case 11: // bytes of the script itself
			k := min(n%8, len(script))
			file, script = append(file, script[:k]...), script[k:]
			continue
		default:
			file = append(file, texts[n%len(texts)]...)
			continue
		}
		want = append(want, der)
	}
	return file, want
}

// checkShuffled holds Parse to giving every certificate that was put into a file,
// in order, or an error.
func checkShuffled(t *testing.T, file []byte, want [][]byte) {
	t.Helper()
	b, err := bundle.Parse(file)
	if err != nil {
		checkMessage(t, err)
		return
	}
	i := 0
	for _, c := range b.Certificates {
		if i < len(want) && bytes.Equal(c.Raw, want[i]) {
			i++
		}
	}
	if i != len(want) {
		t.Fatalf("%d certificates were read, and certificate %d of %d is not among them: %q", len(b.Certificates), i+1, len(want), file)
	}
}

func FuzzShuffled(f *testing.F) {
	pool := pkitest.CoreV1()
	for _, seed := range []string{"\x00\x01\x02\x02", "\x02\x01\x00\x02\x03\x03", "\x03\x01\x03\x02\x0c\x02\x04\x04", "\x05\x01\x0c\x13\x06\x02", "\x0b\x03-----\x00\x01", "\x0a\x01\x09\x02\x07\x03\x07\x04"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, script []byte) {
		if len(script) > 60 {
			return
		}
		file, want := shuffle(pool, script)
		checkShuffled(t, file, want)
	})
}

// shuffled are files made of pieces by chance, always the same.
func shuffled(n int) (files [][]byte, want [][][]byte) {
	random := rand.New(rand.NewPCG(1, 2))
	pool := pkitest.CoreV1()
	for range n {
		script := make([]byte, 2*(1+random.IntN(6)))
		for i := range script {
			script[i] = byte(random.Uint32())
			if i%2 == 0 && script[i]%14 == 11 {
				script[i]++
			}
		}
		file, in := shuffle(pool, script)
		files, want = append(files, file), append(want, in)
	}
	return files, want
}

// Most files made of pieces can be read, not refused only.
func TestShuffled(t *testing.T) {
	t.Parallel()
	files, want := shuffled(2000)
	read, with := 0, 0
	for i, file := range files {
		checkShuffled(t, file, want[i])
		if len(want[i]) == 0 {
			continue
		}
		with++
		if _, err := bundle.Parse(file); err == nil {
			read++
		}
	}
	if read < with/2 {
		t.Errorf("%d of %d files can be read", read, with)
	}
}

// As many certificates as openssl and keytool find, or an error.
func TestAsManyAsOthers(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	dir := t.TempDir()
	total := regexp.MustCompile(`Total found: (\d+)`)
	files, _ := shuffled(40)
	compared := 0
	for i, file := range files {
		b, err := bundle.Parse(file)
		if err != nil {
			continue
		}
		path := filepath.Join(dir, fmt.Sprint(i))
		if err := os.WriteFile(path, file, 0o600); err != nil {
			t.Fatal(err)
		}
		m := total.FindSubmatch(tooltest.Run(t, nil, "sh", "-c", "openssl storeutl -noout -certs "+path+" 2>/dev/null || true"))
		if m == nil {
			continue // openssl reads nothing of it
		}
		if n, _ := strconv.Atoi(string(m[1])); n > len(b.Certificates) {
			t.Errorf("openssl finds %d certificates, Parse %d: %q", n, len(b.Certificates), file)
		}
		compared++
	}
	if compared < 10 {
		t.Errorf("openssl reads %d of the files", compared)
	}
}

// The root store of a machine stays readable, file by file and as one.
func TestRootStore(t *testing.T) {
	t.Parallel()
	paths, _ := filepath.Glob("/usr/share/ca-certificates/*/*")
	if _, err := os.Stat("/etc/ssl/certs/ca-certificates.crt"); err == nil {
		paths = append(paths, "/etc/ssl/certs/ca-certificates.crt")
	}
	if len(paths) == 0 {
		t.Skip("no root store where Debian has it")
	}
	for _, path := range paths {
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		b, err := bundle.Parse(data)
		if err != nil {
			t.Errorf("%s: %v", path, err)
		} else if want := bytes.Count(data, []byte("-----BEGIN ")); len(b.Certificates) != want {
			t.Errorf("%s: %d certificates of %d", path, len(b.Certificates), want)
		}
	}
}

// One run of keytool takes as long as a second.
func TestAsManyAsKeytool(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "keytool")
	core := pkitest.CoreV1()
	a, b := pemOf("CERTIFICATE", core[3]), pemOf("CERTIFICATE", core[6])
	for name, in := range map[string]string{
		"PEM and DER":            a + string(core[6]),
		"PKCS7 as a certificate": pemOf("CERTIFICATE", pkitest.CertsOnly(core[3], core[6])),
		"text between":           a + "text\n" + b,
		"DER and DER":            string(core[3]) + string(core[6]),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "file")
			if err := os.WriteFile(path, []byte(in), 0o600); err != nil {
				t.Fatal(err)
			}
			out := tooltest.Run(t, nil, "sh", "-c", "keytool -J-Duser.language=en -printcert -file "+path+" || true")
			found := bytes.Count(out, []byte("Owner: "))
			p, err := bundle.Parse([]byte(in))
			if err != nil {
				t.Fatal(err)
			}
			if found > len(p.Certificates) {
				t.Errorf("keytool finds %d certificates, Parse %d", found, len(p.Certificates))
			}
			if found == 0 {
				t.Log("keytool reads none")
			}
		})
	}
}

// A certificate is seen in what has the name of something else.
func TestSniffCertificate(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV1()
	a := pemOf("CERTIFICATE", core[3])
	crl := otherKinds(t)["CRL"].in
	for name, tt := range map[string]struct {
		in   string
		want bool
	}{
		"text":                  {"# @(#)Lab: the certificate of a CA\nalias = Lab\nsha1fp.0 = 3A:B1:00\nurl = http://ca.example/ca.pem\n-----\n", false},
		"text on PEM":           {"Files begin with -----BEGIN CERTIFICATE----- and end with -----END CERTIFICATE-----.\n", false},
		"sums":                  {hex.EncodeToString(core[3][100:132]) + "  a.pem\n", false},
		"CRL":                   {crl, false},
		"CRL, cut":              {crl[:100], false},
		"CRL in PEM":            {pemOf("X509 CRL", []byte(crl)), false},
		"CRL in base64":         {wrapped([]byte(crl), 64), false},
		"signature in base64":   {wrapped(pkitest.CertsOnly(core[3], core[6]), 64), false},
		"signature":             {string(pkitest.CertsOnly(core[3])), false},
		"key":                   {otherKinds(t)["private key in PEM"].in, false},
		"nothing":               {"", false},
		"PEM":                   {a, true},
		"PEM after a CRL":       {pemOf("X509 CRL", []byte(crl)) + a, true},
		"PEM, cut":              {"text\n" + a[:100], true},
		"DER":                   {string(core[3]), true},
		"DER after text":        {"text\n" + string(core[3]), true},
		"base64":                {"ca = " + wrapped(core[3], 64), true},
		"hex":                   {hex.EncodeToString(core[3]), true},
		"UTF-16":                {"\xff\xfe" + utf16Of(a, binary.LittleEndian), true},
		"gzip":                  {zipped(a), true},
		"PEM in base64":         {base64.StdEncoding.EncodeToString([]byte(a)), true},
		"PEM in JSON":           {inJSON(a), true},
		"PEM without its BEGIN": {a[28:], true},
	} {
		if got := bundle.SniffCertificate([]byte(tt.in)); got != tt.want {
			t.Errorf("%s: %t", name, got)
		}
	}
}

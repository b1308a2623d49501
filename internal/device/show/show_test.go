package show_test

import (
	"bytes"
	"crypto/elliptic"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pkitest"
	"trustpool/internal/report"
	"trustpool/internal/tooltest"
)

var update = flag.Bool("update", false, "write the golden files below testdata anew")

func read(t *testing.T, path string) []*certificate.Certificate {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return parse(t, data)
}

func parse(t *testing.T, data []byte) []*certificate.Certificate {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b.Certificates
}

func fixture(t *testing.T, name string) []*certificate.Certificate {
	t.Helper()
	return read(t, filepath.Join("..", "..", "..", "testdata", "bundles", name))
}

func printed(t *testing.T, style show.Style, certs []*certificate.Certificate, origin show.Origin) string {
	t.Helper()
	var out strings.Builder
	if err := show.Write(&out, style, certs, origin); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func TestGolden(t *testing.T) {
	t.Parallel()
	for _, style := range show.Styles() {
		for _, name := range []string{"lab-core-v1.p7b", "lab-quirks-v1.p7b", "hydrantid-ssl-ica-g2.pem"} {
			path := filepath.Join("testdata", string(style)+"-"+strings.TrimSuffix(name, filepath.Ext(name))+".txt")
			t.Run(path, func(t *testing.T) {
				t.Parallel()
				got := printed(t, style, fixture(t, name), show.Downloaded)
				checkGrammar(t, style, got)
				if *update {
					if err := os.MkdirAll("testdata", 0o755); err != nil {
						t.Fatal(err)
					}
					if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(path)
				if err != nil {
					t.Fatal(err)
				}
				if got != string(want) {
					t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
				}
			})
		}
	}
}

// What an IOS XE device prints of this certificate, built in.
const quoVadisXE = `CA Certificate
  Status: Available
  Certificate Serial Number (hex): 0509
  Certificate Usage: Signature
  Issuer:_
    cn=QuoVadis Root CA 2
    o=QuoVadis Limited
    c=BM
  Subject:_
    cn=QuoVadis Root CA 2
    o=QuoVadis Limited
    c=BM
  Validity Date:_
    start date: 18:27:00 UTC Nov 24 2006
    end   date: 18:23:33 UTC Nov 24 2031
  Associated Trustpoints: Trustpool_
  Trustpool: Built-In
`

func TestQuoVadisIOSXE(t *testing.T) {
	t.Parallel()
	certs := fixture(t, "quovadis-root-ca-2.pem")
	want := strings.ReplaceAll(quoVadisXE, "_\n", " \n") // a blank, which editors would drop
	if got := printed(t, show.IOSXE, certs, show.BuiltIn); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	want = strings.Replace(want, "Built-In", "Downloaded", 1)
	if got := printed(t, show.IOSXE, append(certs, certs...), show.Downloaded); got != want+"\n"+want {
		t.Errorf("two of it:\n%s", got)
	}
}

// What an IOS XR device prints of its four built-in certificates, from Cisco's
// field notice FN72290, which has lost the line breaks.
const fieldNoticeXR = `Trustpool: Built-In ================================================== CA certificate Serial Number : 5F:F8:7B:28:2B:54:DC:8D:42:A3:15:B5:68:C9:AD:FF Subject: CN=Cisco Root CA 2048,O=Cisco Systems Issued By : CN=Cisco Root CA 2048,O=Cisco Systems Validity Start : 20:17:12 UTC Fri May 14 2004 Validity End : 20:25:42 UTC Mon May 14 2029 SHA1 Fingerprint: DE990CED99E0431F60EDC3937E7CD5BF0ED9E5FA
Trustpool: Built-In ================================================== CA certificate Serial Number : 2E:D2:0E:73:47:D3:33:83:4B:4F:DD:0D:D7:B6:96:7E Subject: CN=Cisco Root CA M1,O=Cisco Issued By : CN=Cisco Root CA M1,O=Cisco Validity Start : 21:50:24 UTC Tue Nov 18 2008 Validity End : 21:59:46 UTC Fri Nov 18 2033 SHA1 Fingerprint: 45AD6BB499011BB4E84E84316A81C27D89EE5CE7
Trustpool: Built-In ================================================== CA certificate Serial Number : 3C:91:31:CB:1F:F6:D0:1B:0E:9A:B8:D0:44:BF:12:BE Subject: OU=Class 3 Public Primary Certification Authority,O=VeriSign\, Inc.,C=US Issued By : OU=Class 3 Public Primary Certification Authority,O=VeriSign\, Inc.,C=US Validity Start : 00:00:00 UTC Mon Jan 29 1996 Validity End : 23:59:59 UTC Wed Aug 02 2028 SHA1 Fingerprint: A1DB6393916F17E4185509400415C70240B0AE6B
Trustpool: Built-In ================================================== CA certificate Serial Number : 05:09 Subject: CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM Issued By : CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM Validity Start : 18:27:00 UTC Fri Nov 24 2006 Validity End : 18:23:33 UTC Mon Nov 24 2031 SHA1 Fingerprint: CA3AFBCF1240364B44B216208880483919937CF7`

// words is text with each run of white space as one blank.
func words(s string) string { return strings.Join(strings.Fields(s), " ") }

func TestQuoVadisIOSXR(t *testing.T) {
	t.Parallel()
	blocks := strings.Split(fieldNoticeXR, "\n")
	got := printed(t, show.IOSXR, fixture(t, "quovadis-root-ca-2.pem"), show.BuiltIn)
	if want := blocks[len(blocks)-1]; words(got) != want {
		t.Errorf("got\n%s\nwant\n%s", words(got), want)
	}
	checkGrammar(t, show.IOSXR, got)
}

func TestFieldNoticeIOSXR(t *testing.T) {
	t.Parallel()
	genuine := read(t, tooltest.Corpus(t, tooltest.Core2017))
	var certs []*certificate.Certificate
	for _, serial := range []string{"5FF87B282B54DC8D42A315B568C9ADFF", "2ED20E7347D333834B4FDD0DD7B6967E", "3C9131CB1FF6D01B0E9AB8D044BF12BE", "0509"} {
		i := slices.IndexFunc(genuine, func(c *certificate.Certificate) bool { return c.Serial.String() == serial })
		if i < 0 {
			t.Fatalf("no certificate %s", serial)
		}
		certs = append(certs, genuine[i])
	}
	if got, want := words(printed(t, show.IOSXR, certs, show.BuiltIn)), words(fieldNoticeXR); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
}

func TestGenuineIOSXE(t *testing.T) {
	t.Parallel()
	genuine := read(t, tooltest.Corpus(t, tooltest.Core2017))
	for serial, lines := range map[string]string{
		// A comma in a value.
		"18DAD19E267DE8BB4A2158CDCC6B3B4A": "  Subject: \n    cn=VeriSign Class 3 Public Primary Certification Authority - G5\n" +
			"    ou=(c) 2006 VeriSign\n     Inc. - For authorized use only\n    ou=VeriSign Trust Network\n    o=VeriSign\n     Inc.\n    c=US\n" +
			"  Validity Date: \n    start date: 00:00:00 UTC Nov 8 2006\n    end   date: 23:59:59 UTC Jul 16 2036\n",
		// A distribution point.
		"61096E7D00000000000C": "  CRL Distribution Points: \n    http://www.cisco.com/security/pki/crl/crca2048.crl\n" +
			"  Validity Date: \n    start date: 17:56:57 UTC Jun 30 2011\n",
	} {
		i := slices.IndexFunc(genuine, func(c *certificate.Certificate) bool { return c.Serial.String() == serial })
		if i < 0 {
			t.Fatalf("no certificate %s", serial)
		}
		if got := printed(t, show.IOSXE, genuine[i:i+1], show.BuiltIn); !strings.Contains(got, lines) {
			t.Errorf("no\n%s\nin\n%s", lines, got)
		}
	}
}

func TestGenuineGrammar(t *testing.T) {
	t.Parallel()
	for _, name := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		certs := read(t, tooltest.Corpus(t, name))
		for _, style := range show.Styles() {
			if n := checkGrammar(t, style, printed(t, style, certs, show.Downloaded)); n != len(certs) {
				t.Errorf("%s, %s: %d certificates are printed, not %d", name, style, n, len(certs))
			}
		}
	}
}

// Grammars of one certificate: what a reader may rely on.
var grammars = map[show.Style]*regexp.Regexp{
	show.IOSXE: regexp.MustCompile(`^CA Certificate
  Status: Available
  Certificate Serial Number \(hex\): -?([0-9A-F]{2})+
  Certificate Usage: Signature
  Issuer:[ ]
(    [A-Za-z0-9.]+=([^\n]*[^ \n])?
(     [^\n]*[^ \n]
)*)*  Subject:[ ]
(    [A-Za-z0-9.]+=([^\n]*[^ \n])?
(     [^\n]*[^ \n]
)*)*(  CRL Distribution Points:[ ]
(    [^\n]*[^ \n]
)+)?  Validity Date:[ ]
    start date: (\d\d:\d\d:\d\d UTC [A-Z][a-z][a-z] \d{1,2} \d{4}|unreadable)
    end   date: (\d\d:\d\d:\d\d UTC [A-Z][a-z][a-z] \d{1,2} \d{4}|unreadable)
  Associated Trustpoints: Trustpool[ ]
  Trustpool: (Downloaded|Built-In)
$`),
	show.IOSXR: regexp.MustCompile(`^Trustpool: (Downloaded|Built-In)
={50}
CA certificate
  Serial Number  : -?[0-9A-F]{2}(:[0-9A-F]{2})*
  Subject:
(        [A-Za-z0-9.]+=([^\n]*[^ \n])?
)?  Issued By      :
(        [A-Za-z0-9.]+=([^\n]*[^ \n])?
)?  Validity Start : (\d\d:\d\d:\d\d UTC [A-Z][a-z][a-z] [A-Z][a-z][a-z] \d\d \d{4}|unreadable)
  Validity End   : (\d\d:\d\d:\d\d UTC [A-Z][a-z][a-z] [A-Z][a-z][a-z] \d\d \d{4}|unreadable)
  SHA1 Fingerprint:
        [0-9A-F]{40}
$`),
}

var notListed = regexp.MustCompile(`^% Not a certificate: a device does not list it\.\n$`)

// checkGrammar splits a text at its empty lines, checks each part, and counts
// the certificates.
func checkGrammar(t *testing.T, style show.Style, text string) (n int) {
	t.Helper()
	for part := range strings.SplitSeq(strings.TrimSuffix(text, "\n"), "\n\n") {
		switch part += "\n"; {
		case grammars[style].MatchString(part):
			n++
		case !notListed.MatchString(part):
			t.Errorf("%s: not as it should be:\n%q", style, part)
		}
		for _, r := range part {
			if r != '\n' && report.Printable(string(r)) != string(r) {
				t.Errorf("%s: %q is printed in %q", style, r, part)
			}
		}
	}
	return n
}

// sample makes a root of a template that a test changes.
func sample(t *testing.T, change func(*pkitest.Template)) *certificate.Certificate {
	t.Helper()
	template := pkitest.RootTemplate(pkitest.NewName("CN=A"), pkitest.ECDSA("show", elliptic.P256()))
	template.Serial = []byte{1}
	change(&template)
	c := parse(t, template.Sign(nil))[0]
	if c.Err != nil {
		t.Fatal(c.Err)
	}
	return c
}

func TestNames(t *testing.T) {
	t.Parallel()
	two := pkitest.NewName("OU=One, Inc.")
	two[0] = append(two[0], pkitest.NewName("L=Two")[0]...)
	for name, test := range map[string]struct {
		subject pkitest.Name
		xe, xr  string
	}{
		"empty":             {nil, "", ""},
		"order":             {pkitest.NewName("C=US", "O=B", "CN=A"), "    cn=A\n    o=B\n    c=US\n", "CN=A,O=B,C=US"},
		"other keys":        {pkitest.NewName("ST=S", "L=L", "E=a@b.example"), "    emailAddress=a@b.example\n    l=L\n    st=S\n", "emailAddress=a@b.example,L=L,ST=S"},
		"empty value":       {pkitest.NewName("CN="), "    cn=\n", "CN="},
		"comma":             {pkitest.NewName("O=a, b"), "    o=a\n     b\n", `O=a\, b`},
		"comma, no blank":   {pkitest.NewName("O=a,b"), "    o=a\n     b\n", `O=a\,b`},
		"comma, two blanks": {pkitest.NewName("O=a,  b"), "    o=a\n      b\n", `O=a\,  b`},
		"blank, comma":      {pkitest.NewName("O=a , b"), "    o=a\\x20\n     b\n", `O=a \, b`},
		"only commas":       {pkitest.NewName("O=,,"), "    o=\n     \\x20\n     \\x20\n", `O=\,\,`},
		"blanks":            {pkitest.NewName("O= a "), "    o= a\\x20\n", `O=\ a\20`},
		"one blank":         {pkitest.NewName("O= "), "    o=\\x20\n", `O=\20`},
		"a last backslash":  {pkitest.NewName(`O=a\ `), "    o=a\\\\x20\n", `O=a\\\20`},
		"line breaks":       {pkitest.NewName("O=a\r\n\r\nCA Certificate\n"), `    o=a\x0d\x0a\x0d\x0aCA Certificate\x0a` + "\n", `O=a\0D\0A\0D\0ACA Certificate\0A`},
		"a field":           {pkitest.NewName("O=x,  Trustpool: Built-In"), "    o=x\n      Trustpool: Built-In\n", `O=x\,  Trustpool: Built-In`},
		"another RDN":       {pkitest.NewName("O=x,cn=Cisco Root CA M1"), "    o=x\n     cn=Cisco Root CA M1\n", `O=x\,cn=Cisco Root CA M1`},
		"several values":    {two, "    ou=One\n     Inc.+l=Two\n", `OU=One\, Inc.+L=Two`},
		"invisible":         {pkitest.NewName("O=\u202ea\u00a0\u2028"), `    o=\u202ea\u00a0\u2028` + "\n", `O=\u202ea\u00a0\u2028`},
		"no string":         {pkitest.NewName("O=a").With("UID", asn1.BIT_STRING, []byte{0, 1}), "    x500UniqueIdentifier=#03020001\n    o=a\n", "x500UniqueIdentifier=#03020001,O=a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certs := []*certificate.Certificate{sample(t, func(template *pkitest.Template) { template.Subject = test.subject })}
			xe := printed(t, show.IOSXE, certs, show.Downloaded)
			if want := "  Issuer: \n" + test.xe + "  Subject: \n" + test.xe + "  Validity Date: \n"; !strings.Contains(xe, want) {
				t.Errorf("no\n%s\nin\n%s", want, xe)
			}
			checkGrammar(t, show.IOSXE, xe)
			if test.xr != "" {
				test.xr = "        " + test.xr + "\n"
			}
			xr := printed(t, show.IOSXR, certs, show.Downloaded)
			if want := "  Subject:\n" + test.xr + "  Issued By      :\n" + test.xr + "  Validity Start : "; !strings.Contains(xr, want) {
				t.Errorf("no\n%s\nin\n%s", want, xr)
			}
			checkGrammar(t, show.IOSXR, xr)
		})
	}
}

// Values read from a text print as the same text, whatever was lost before.
func TestNamesReadBack(t *testing.T) {
	t.Parallel()
	section := regexp.MustCompile(`(?s)  Subject: \n(.*)  Validity Date: `)
	for _, value := range []string{
		"a", "", " ", "  ", "a ", " a", ",", ",,", ", ", " ,", "a,b", "a, b", "a,  b", "a , b", "a,", "a, ", "a,b,", `a\`, `a\ `, `\x20`, `a,\x20`,
		"a=b", ",a=b", "+", "a+cn=b", "\u202e", `\u202e`, "\n", "\xc2\x85", "    a", ",    cn=b", "Trustpool: Built-In", "CA Certificate",
	} {
		printOne := func(value string) string {
			return printed(t, show.IOSXE, []*certificate.Certificate{sample(t, func(template *pkitest.Template) {
				template.Subject = pkitest.NewName("C=US", "CN="+value)
			})}, show.Downloaded)
		}
		text := printOne(value)
		lines, ok := strings.CutPrefix(section.FindStringSubmatch(text)[1], "    cn=")
		if !ok {
			t.Fatalf("%q: %s", value, text)
		}
		lines, ok = strings.CutSuffix(lines, "\n    c=US\n")
		if !ok {
			t.Fatalf("%q: %s", value, text)
		}
		back := strings.ReplaceAll(lines, "\n    ", ",")
		if again := printOne(back); again != text {
			t.Errorf("%q is read as %q; printed\n%s\nthen\n%s", value, back, text, again)
		}
	}
}

func TestSerialsAndDates(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*pkitest.Template)
		xe, xr string // a line of each
	}{
		"zero":         {func(c *pkitest.Template) { c.Serial = []byte{0} }, "(hex): 00", "Serial Number  : 00"},
		"a leading 00": {func(c *pkitest.Template) { c.Serial = []byte{0, 0x8a, 1} }, "(hex): 8A01", "Serial Number  : 8A:01"},
		"negative":     {func(c *pkitest.Template) { c.Serial = []byte{0x8d, 0} }, "(hex): -7300", "Serial Number  : -73:00"},
		"a single day": {func(c *pkitest.Template) { c.NotBefore = pkitest.Date(2017, 7, 5) }, "start date: 00:00:00 UTC Jul 5 2017", "Validity Start : 00:00:00 UTC Wed Jul 05 2017"},
		"a fraction": {func(c *pkitest.Template) {
			c.NotAfter = pkitest.Time{Tag: asn1.GeneralizedTime, Text: "20530404081544.704Z"}
		}, "end   date: 08:15:44 UTC Apr 4 2053", "Validity End   : 08:15:44 UTC Fri Apr 04 2053"},
		"an offset":     {func(c *pkitest.Template) { c.NotAfter = pkitest.Time{Tag: asn1.UTCTime, Text: "300101000000+0530"} }, "end   date: 18:30:00 UTC Dec 31 2029", "Validity End   : 18:30:00 UTC Mon Dec 31 2029"},
		"no date there": {func(c *pkitest.Template) { c.NotAfter = pkitest.Time{Tag: asn1.UTCTime, Text: "991399000000Z"} }, "end   date: unreadable", "Validity End   : unreadable"},
	} {
		certs := []*certificate.Certificate{sample(t, test.change)}
		for style, want := range map[show.Style]string{show.IOSXE: test.xe, show.IOSXR: test.xr} {
			got := printed(t, style, certs, show.Downloaded)
			if !strings.Contains(got, want+"\n") {
				t.Errorf("%s: no %q in\n%s", name, want, got)
			}
			checkGrammar(t, style, got)
		}
	}
}

func TestDistributionPoints(t *testing.T) {
	t.Parallel()
	const sequence = asn1.SEQUENCE
	tag := func(n uint8) asn1.Tag { return asn1.Tag(n).ContextSpecific() }
	uri := func(s string) []byte { return pkitest.TLV(tag(6), []byte(s)) }
	full := func(names ...[]byte) []byte {
		return pkitest.TLV(sequence, pkitest.TLV(tag(0).Constructed(), pkitest.TLV(tag(0).Constructed(), names...)))
	}
	dns := pkitest.TLV(tag(2), []byte("no.uri.example"))
	relative := pkitest.TLV(sequence, pkitest.TLV(tag(0).Constructed(), pkitest.TLV(tag(1).Constructed(), dns)))
	many := bytes.Repeat(uri("http://m"), 40)
	for name, test := range map[string]struct {
		value []byte
		want  []string
	}{
		"one":            {pkitest.TLV(sequence, full(uri("http://a"))), []string{"http://a"}},
		"several":        {pkitest.TLV(sequence, full(uri("http://a"), dns, uri("ldap://b/c,d?e")), relative, full(uri("http://f"))), []string{"http://a", "ldap://b/c,d?e", "http://f"}},
		"too many":       {pkitest.TLV(sequence, full(many), full(many)), slices.Repeat([]string{"http://m"}, 16)},
		"none":           {pkitest.TLV(sequence), nil},
		"no URI":         {pkitest.TLV(sequence, full(dns, uri("")), relative, pkitest.TLV(sequence)), nil},
		"half a point":   {pkitest.TLV(sequence, full(uri("http://a")), []byte{0x30, 9, 1}), []string{"http://a"}},
		"half a name":    {pkitest.TLV(sequence, full(uri("http://a"), []byte{0x86, 9})), []string{"http://a"}},
		"something else": {[]byte{5, 0}, nil},
		"nothing":        {nil, nil},
		"hostile":        {pkitest.TLV(sequence, full(uri(" a\n  Trustpool: Built-In\n "), uri("\xff\x1b "))), []string{` a\x0a  Trustpool: Built-In\x0a\x20`, `\xff\x1b\x20`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			certs := []*certificate.Certificate{sample(t, func(c *pkitest.Template) {
				c.Extensions = append(c.Extensions, pkitest.Extension{Type: "2.5.29.31", Value: test.value})
			})}
			got := printed(t, show.IOSXE, certs, show.Downloaded)
			want := "    cn=A\n  Validity Date: \n"
			if test.want != nil {
				want = "    cn=A\n  CRL Distribution Points: \n    " + strings.Join(test.want, "\n    ") + "\n  Validity Date: \n"
			}
			if !strings.Contains(got, want) {
				t.Errorf("no\n%s\nin\n%s", want, got)
			}
			checkGrammar(t, show.IOSXE, got)
		})
	}
}

func TestNotACertificate(t *testing.T) {
	t.Parallel()
	good, bad := fixture(t, "one.der")[0], &certificate.Certificate{Err: errors.New("no certificate")}
	for _, style := range show.Styles() {
		alone := printed(t, style, []*certificate.Certificate{good}, show.Downloaded)
		want := "% Not a certificate: a device does not list it.\n\n" + alone +
			"\n% Not a certificate: a device does not list it.\n"
		if got := printed(t, style, []*certificate.Certificate{bad, good, bad}, show.Downloaded); got != want {
			t.Errorf("%s: got\n%s", style, got)
		}
		if got := printed(t, style, nil, show.Downloaded); got != "" {
			t.Errorf("%s: %q of no certificate", style, got)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	certs := fixture(t, "one.der")
	var out strings.Builder
	for _, origin := range []show.Origin{"", "downloaded", "x\nTrustpool: Built-In"} {
		if err := show.Write(&out, show.IOSXE, certs, origin); err == nil || out.Len() > 0 {
			t.Errorf("origin %q: error %v, %q printed", origin, err, out.String())
		}
	}
	if err := show.Write(&out, "nxos", certs, show.BuiltIn); err == nil || out.Len() > 0 {
		t.Errorf("style nxos: error %v, %q printed", err, out.String())
	}
	for _, name := range []string{"", "asa", "IOSXE"} {
		if style, ok := show.Lookup(name); ok {
			t.Errorf("%q is %q", name, style)
		}
	}
	for _, want := range show.Styles() {
		if style, ok := show.Lookup(string(want)); !ok || style != want {
			t.Errorf("%q is %q, %t", want, style, ok)
		}
	}
}

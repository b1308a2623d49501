package show_test

import (
	"bytes"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device/show"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func readBack(t *testing.T, style show.Style, text string) []show.Shown {
	t.Helper()
	list, err := show.Read([]byte(text), style)
	if err != nil {
		t.Fatalf("%s: %v\n%s", style, err, text)
	}
	return list
}

func printedAgain(t *testing.T, style show.Style, list []show.Shown) string {
	t.Helper()
	var out strings.Builder
	if err := show.Print(&out, style, list); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

// checkRoundTrip reads what is printed of certificates, and prints it again.
func checkRoundTrip(t *testing.T, certs []*certificate.Certificate) {
	t.Helper()
	for _, style := range show.Styles() {
		for _, origin := range []show.Origin{show.Downloaded, show.BuiltIn} {
			text := printed(t, style, certs, origin)
			list := readBack(t, style, text)
			if again := printedAgain(t, style, list); again != text {
				t.Errorf("%s: printed\n%s\nthen\n%s", style, text, again)
			}
			for i := range list {
				list[i].Line = 0
				if want := show.Of(certs[i], style, origin); !reflect.DeepEqual(list[i], want) {
					t.Errorf("%s: read\n%+v\nwant\n%+v", style, list[i], want)
				}
			}
		}
	}
}

func TestReadFixtures(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join("..", "..", "..", "testdata", "bundles", "*"))
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, file := range files {
		if ext := filepath.Ext(file); ext == ".json" || ext == ".txt" {
			continue
		}
		checkRoundTrip(t, read(t, file))
		n++
	}
	if n < 20 {
		t.Errorf("only %d bundles", n)
	}
}

func TestReadGenuine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		checkRoundTrip(t, read(t, tooltest.Corpus(t, name)))
	}
}

// Names that try to pass for something else are read as the names that they are.
func TestReadHostileNames(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"a", "", " ", "a ", " a", ",", ",,", ", ", " ,", "a,b", "a,  b", "a , b", "a,", `a\`, `\x20`, `a,\x20`, "a=b", ",a=b", "+", "a+cn=b", "\u202e", "\n", "\t",
		"a,--More-- b", " --More-- ", "x,  Trustpool: Built-In", "x,CA Certificate", "x, Subject: ", "x,  Subject: ", "x\n  Trustpool: Built-In", "\b\b\b\b", "\x1b[2J",
		"Trustpool: Built-In ================================================== CA certificate Serial Number : 01 Subject: CN=A Issued By : CN=A",
		"A Issued By : CN=Cisco Root CA M1,O=Cisco", "x,% Not a certificate: a device does not list it.", "ios#show crypto pki trustpool", "x,ios#show crypto ca trustpool",
	} {
		certs := []*certificate.Certificate{sample(t, func(template *pkitest.Template) {
			template.Subject = pkitest.NewName("C=US", "CN="+value)
			template.Extensions = append(template.Extensions, pkitest.Extension{Type: "2.5.29.31", Value: pkitest.TLV(0x30,
				pkitest.TLV(0x30, pkitest.TLV(0xa0, pkitest.TLV(0xa0, pkitest.TLV(0x86, []byte(value+"x"))))))})
		})}
		checkRoundTrip(t, append(certs, certs...))
	}
}

func capture(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata", "read", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The capture of IOS XE is from a device in India: public captures (Cisco's test
// library genieparser, ShowCryptoPkiTrustpool) show these five certificates.
func TestReadIOSXE(t *testing.T) {
	t.Parallel()
	text := capture(t, "iosxe-ist.txt")
	list := readBack(t, show.IOSXE, text)
	if len(list) != 5 {
		t.Fatalf("%d certificates", len(list))
	}
	want := show.Shown{
		Line: 4, Status: "Available", Serial: "04302A0B364CE2DA93", Usage: "Signature",
		Issuer: []string{"cn=Cisco Basic Assurance Root CA 2099", "o=Cisco"}, Subject: []string{"cn=Cisco Manufacturing CA III", "o=Cisco"},
		CRLs:        []string{"http://www.cisco.com/security/pki/crl/cbarc2099.crl"},
		NotBefore:   show.Date{Clock: time.Date(2017, 7, 6, 0, 58, 6, 0, time.UTC), Zone: "IST"},
		NotAfter:    show.Date{Clock: time.Date(2099, 5, 27, 0, 49, 28, 0, time.UTC), Zone: "IST"},
		Trustpoints: []string{"Trustpool"}, Origin: show.BuiltIn,
	}
	if !reflect.DeepEqual(list[0], want) {
		t.Errorf("got\n%+v\nwant\n%+v", list[0], want)
	}
	if list[0].NotBefore.Known() || !(show.Date{Zone: "UTC"}).Known() {
		t.Error("whether the zone is known is wrong")
	}
	if got := list[1].Subject; !slices.Equal(got, []string{"cn=VeriSign Class 3 Public Primary Certification Authority - G5", "ou=(c) 2006 VeriSign",
		" Inc. - For authorized use only", "ou=VeriSign Trust Network", "o=VeriSign", " Inc.", "c=US"}) {
		t.Errorf("%q", got)
	}
	if c := list[3]; c.Storage != "nvram:CiscoLicensi#1CA.cer" || len(c.Trustpoints) != 3 || c.Line != 66 {
		t.Errorf("%+v", c)
	}
	if list[4].Origin != show.Downloaded {
		t.Errorf("%+v", list[4])
	}

	// What was captured is printed again, without what is around it.
	_, body, _ := strings.Cut(text, "trustpool\n")
	body, _, _ = strings.Cut(body, "\nisr4451#exit")
	if got := printedAgain(t, show.IOSXE, list); got != body {
		t.Errorf("printed\n%s", got)
	}
}

// The text of Cisco's field notice has lost its line breaks.
func TestReadIOSXR(t *testing.T) {
	t.Parallel()
	list := readBack(t, show.IOSXR, capture(t, "iosxr-fn72290.txt"))
	if got, want := words(printedAgain(t, show.IOSXR, list)), words(fieldNoticeXR); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	for i, serial := range []string{"5FF87B282B54DC8D42A315B568C9ADFF", "2ED20E7347D333834B4FDD0DD7B6967E", "3C9131CB1FF6D01B0E9AB8D044BF12BE", "0509"} {
		if list[i].Serial != serial || list[i].Origin != show.BuiltIn || list[i].Line != 1 {
			t.Errorf("%+v", list[i])
		}
	}
	if got := list[2].Subject; !slices.Equal(got, []string{`OU=Class 3 Public Primary Certification Authority,O=VeriSign\, Inc.,C=US`}) {
		t.Errorf("%q", got)
	}
	intact := printedAgain(t, show.IOSXR, list)
	for name, text := range map[string]string{
		"a line each":          fieldNoticeXR,
		"with line breaks":     intact,
		"nothing for a break":  strings.ReplaceAll(intact, "\n", ""),
		"a blank for a break":  strings.ReplaceAll(intact, "\n", " "),
		"values beside labels": strings.NewReplacer("Subject:\n        ", "Subject: ", "Issued By      :\n        ", "Issued By : ", "Fingerprint:\n        ", "Fingerprint: ").Replace(intact),
	} {
		got := readBack(t, show.IOSXR, text)
		for i := range got {
			if want := name != "with line breaks" && name != "values beside labels"; got[i].Lossy != want {
				t.Errorf("%s: lossy: %t", name, got[i].Lossy)
			}
			got[i].Line, got[i].Lossy = list[i].Line, list[i].Lossy
		}
		if !reflect.DeepEqual(got, list) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}

// However a capture was got, the same is read.
func TestReadLiberal(t *testing.T) {
	t.Parallel()
	const more = " --More-- "
	erased := strings.Repeat("\b", 9) + strings.Repeat(" ", 8) + strings.Repeat("\b", 9)
	lines := func(change func(i int, line string) string) func(string) string {
		return func(text string) string {
			var b strings.Builder
			i := 0
			for line := range strings.Lines(text) {
				b.WriteString(change(i, line))
				i++
			}
			return b.String()
		}
	}
	for name, change := range map[string]func(string) string{
		"carriage returns":       func(s string) string { return strings.ReplaceAll(s, "\n", "\r\n") },
		"byte order mark":        func(s string) string { return "\ufeff" + s },
		"no last line break":     func(s string) string { return strings.TrimSuffix(s, "\n") },
		"no trailing blanks":     func(s string) string { return strings.ReplaceAll(s, " \n", "\n") },
		"double spaced":          func(s string) string { return strings.ReplaceAll(s, "\n", "\n\n") },
		"a margin":               lines(func(_ int, l string) string { return "      " + l }),
		"no indents":             lines(func(_ int, l string) string { return strings.TrimLeft(l, " ") }),
		"a pager":                lines(func(i int, l string) string { return pick(i%7 == 3, more+erased, "") + l }),
		"a pager, \\r":           lines(func(i int, l string) string { return pick(i%5 == 3, more+"\r         \r", "") + l }),
		"a pager, no backspaces": lines(func(i int, l string) string { return pick(i%5 == 1, more+"        ", "") + l }),
		"a pager, no blanks":     lines(func(i int, l string) string { return pick(i%5 == 1, "--More--"+strings.TrimLeft(l, " "), l) }),
		"a pager's own line":     lines(func(i int, l string) string { return pick(i%5 == 1, more+"\n", "") + l }),
		"tabs":                   lines(func(_ int, l string) string { return strings.Replace(l, "        ", "\t", 1) }),
		"control sequences":      lines(func(_ int, l string) string { return "\x1b[0m\x1b[7m" + l }),
		"prompt, echo and time": func(s string) string {
			return "Router#terminal length 0\nRouter#show crypto pki trustpool\nWed Apr  1 10:25:52.995 UTC\n\n" + s + "\nRouter#exit\n"
		},
		"the policy afterwards": func(s string) string {
			return s + "\nRouter#show crypto pki trustpool policy\nChain validation will stop\n"
		},
		"another command's words": func(s string) string { return "Registration:\n  Status: REGISTERED\n  Subject: no\n" + s },
	} {
		for _, style := range show.Styles() {
			certs := fixture(t, "lab-core-v1.p7b")
			certs = append(certs, fixture(t, "hydrantid-ssl-ica-g2.pem")...)
			text := change(printed(t, style, certs, show.Downloaded))
			list, err := show.Read([]byte(text), style)
			if err != nil {
				t.Errorf("%s, %s: %v\n%s", name, style, err, text)
				continue
			}
			if got, want := printedAgain(t, style, list), printed(t, style, certs, show.Downloaded); got != want {
				t.Errorf("%s, %s: read as\n%s", name, style, got)
			}
			if list[0].Lossy != (name == "no indents" && style == show.IOSXE) {
				t.Errorf("%s, %s: lossy: %t", name, style, list[0].Lossy)
			}
		}
	}
}

func pick(which bool, a, b string) string {
	if which {
		return a
	}
	return b
}

// A device that prints a name's control characters as they are does not let it
// write over the line.
func TestReadRawControls(t *testing.T) {
	t.Parallel()
	xe := strings.ReplaceAll(quoVadisXE, "_\n", " \n")
	for _, raw := range []string{"x\r  Trustpool: Built-In", "x\b\b\b\b\b\b\b\b\b\b  Subject: ", "--More-- \r  Subject: ", "\x1b[1G  Subject: "} {
		list := readBack(t, show.IOSXE, strings.Replace(xe, "o=QuoVadis", "o="+raw, 1))
		if len(list) != 1 || len(list[0].Issuer) != 3 || !strings.HasPrefix(list[0].Issuer[1], "o=") {
			t.Errorf("%q: %+v", raw, list)
		}
	}
}

func TestReadUnknownFields(t *testing.T) {
	t.Parallel()
	xe := strings.ReplaceAll(quoVadisXE, "_\n", " \n")
	text := strings.Replace(xe, "  Validity Date", "  Public Key Type: \n    RSA\n  Fingerprint (new): AA\n  Validity Date", 1)
	text = strings.Replace(text, "    o=QuoVadis", "*Mar  1 00:00:10.123: %SYS-5-CONFIG_I: Configured from console by vty0\n    o=QuoVadis", 1)
	if got := printedAgain(t, show.IOSXE, readBack(t, show.IOSXE, text)); got != xe {
		t.Errorf("got\n%s", got)
	}
}

func TestReadRefuses(t *testing.T) {
	t.Parallel()
	xe := strings.ReplaceAll(quoVadisXE, "_\n", " \n")
	xr := printed(t, show.IOSXR, fixture(t, "quovadis-root-ca-2.pem"), show.BuiltIn)
	notice := strings.Split(fieldNoticeXR, "\n")[3]
	cut := func(s string, parts ...string) string {
		for _, part := range parts {
			if !strings.Contains(s, part) {
				t.Fatalf("no %q in\n%s", part, s)
			}
			s = strings.Replace(s, part, "", 1)
		}
		return s
	}
	replace := func(s, old, newer string) string { return cut(s, old)[:0] + strings.Replace(s, old, newer, 1) }
	for _, test := range []struct {
		name       string
		style      show.Style
		text, want string
	}{
		{"nothing", show.IOSXE, "", "no certificate in it: give the whole output of show crypto pki trustpool"},
		{"nothing", show.IOSXR, "Router#show crypto ca trustpool\n", "no certificate in it: give the whole output of show crypto ca trustpool"},
		{"the other style", show.IOSXE, xr, "this is what IOS XR prints"},
		{"the other style", show.IOSXR, cut(xe, "  Trustpool: Built-In\n"), "this is what IOS XE prints"},
		{"the other style in a string", show.IOSXE, strconv.Quote(xr), "this is what IOS XR prints"},
		{"no style", "junos", xe, `no style is called "junos"`},
		{"cut off", show.IOSXE, cut(xe, "  Trustpool: Built-In\n"), "line 1: the text ends within this certificate, which has no line Trustpool"},
		{"cut off", show.IOSXR, cut(xr, "        CA3AFBCF1240364B44B216208880483919937CF7\n"), "line 1: the text ends within this certificate, which has no SHA-1 fingerprint"},
		{"cut off, and more", show.IOSXE, cut(xe, "  Trustpool: Built-In\n") + xe, "another certificate begins, and that of line 1 has no line Trustpool"},
		{"no beginning", show.IOSXE, cut(xe, "CA Certificate\n"), "line 2: the serial number of a certificate whose beginning is missing"},
		{"no beginning", show.IOSXR, cut(xr, "Trustpool: Built-In\n"), "line 3: the serial number of a certificate whose beginning is missing"},
		{"no serial", show.IOSXE, cut(xe, "  Certificate Serial Number (hex): 0509\n"), "line 16: the certificate of line 1 has no serial number"},
		{"no serial", show.IOSXR, cut(xr, "  Serial Number  : 05:09\n"), "the certificate of line 1 has no serial number"},
		{"half a serial", show.IOSXE, replace(xe, "0509", "050"), `line 3: the serial number "050" is not hex in whole bytes`},
		{"an empty serial", show.IOSXR, replace(xr, "05:09", ""), `line 4: the serial number "" is not hex`},
		{"no issuer", show.IOSXE, cut(xe, "  Issuer: \n    cn=QuoVadis Root CA 2\n    o=QuoVadis Limited\n    c=BM\n"), "the certificate of line 1 has no issuer"},
		{"no subject", show.IOSXR, cut(xr, "  Subject:\n        CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM\n"), "the certificate of line 1 has no subject"},
		{"no name", show.IOSXR, replace(xr, "        CN=QuoVadis", "        QuoVadis"), `line 6: "QuoVadis Root CA 2,O=QuoVadis Limited,C=BM" where the subject was expected`},
		{"no dates", show.IOSXE, cut(xe, "    end   date: 18:23:33 UTC Nov 24 2031\n"), "has no end of its validity"},
		{"two subjects", show.IOSXE, replace(xe, "  Validity", "  Subject: \n    cn=A\n  Validity"), "line 13: the subject of the certificate of line 1 is there twice"},
		{"two serials", show.IOSXR, replace(xr, "  Subject", "  Serial Number : 01\n  Subject"), "line 5: the serial number of the certificate of line 1 is there twice"},
		{"a name without its blanks", show.IOSXE, replace(xe, "    o=QuoVadis Limited\n", "    o=QuoVadis\nLimited\n"), `line 8: "Limited" is neither a field nor, without its indent, a part of the issuer`},
		{"no date", show.IOSXE, replace(xe, "Nov 24 2006", "Nov 31 2006"), "line 14: \"18:27:00 UTC Nov 31 2006\" is not a date"},
		{"no zone", show.IOSXE, replace(xe, "UTC ", ""), "is not a date"},
		{"a fraction", show.IOSXE, replace(xe, "18:27:00", "18:27:00.5"), "is not a date"},
		{"another weekday", show.IOSXR, replace(xr, "Fri Nov", "Thu Nov"), `"18:27:00 UTC Thu Nov 24 2006" is no Thu`},
		{"another origin", show.IOSXE, replace(xe, "Built-In", "Borrowed"), `the field Trustpool is "Borrowed", not Downloaded or Built-In`},
		{"a short fingerprint", show.IOSXR, replace(xr, "CA3AFB", "CA3A"), "is not 40 hex digits"},
		{"a second capture", show.IOSXE, "R#show crypto pki trustpool\n" + xe + "R#sh crypto pki trustpool\n" + xe, "line 20: a second capture begins: give one at a time"},
		{"a second capture", show.IOSXR, "R#show crypto ca trustpool " + notice + "\nR#show crypto ca trustpool " + notice, "line 2: a second capture begins"},
		{"no line breaks", show.IOSXE, words(xe), "line 1: the line breaks are lost, and with them where a part of a name ends: capture it again"},
		{"a name with a field", show.IOSXR, replace(notice, "CN=QuoVadis", "CN=x Issued By : CN=y"), `"Issued By" is there 2 times in a certificate: capture it again`},
		{"another order", show.IOSXR, replace(notice, "CA certificate", "x CA certificate"), "the order of its fields is another"},
		{"no serial, no breaks", show.IOSXR, replace(notice, "05:09", ""), "line 1: column 1: a certificate without line breaks that cannot be read"},
		{"too large", show.IOSXE, strings.Repeat(" ", show.MaxSize+1), "more than 67108864 bytes"},
	} {
		list, err := show.Read([]byte(test.text), test.style)
		if err == nil || list != nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s, %s: %v\nwant %s", test.name, test.style, err, test.want)
		}
	}
}

// FuzzRead: what is read, printed and read again is the same, and what is printed
// does not change any more.
func FuzzRead(f *testing.F) {
	for _, name := range []string{"iosxe-ist.txt", "iosxr-fn72290.txt"} {
		data, err := os.ReadFile(filepath.Join("testdata", "read", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
		f.Add(bytes.ReplaceAll(data, []byte("\n  "), []byte("\n --More-- \b\b\b\b\b\b\b\b\b        \b\b\b\b\b\b\b\b\b  ")))
		f.Add(bytes.ReplaceAll(data, []byte("  "), nil))
	}
	files, err := filepath.Glob(filepath.Join("testdata", "*.txt"))
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		for _, style := range show.Styles() {
			list, err := show.Read(data, style)
			if err != nil {
				continue
			}
			text := printedAgain(t, style, list)
			again := readBack(t, style, text)
			if text2 := printedAgain(t, style, again); text2 != text {
				t.Fatalf("%s: printed\n%s\nthen\n%s", style, text, text2)
			}
			for i := range list {
				list[i].Line, again[i].Line, list[i].Lossy = 0, 0, false // printed, nothing is lost
			}
			if !reflect.DeepEqual(list, again) {
				t.Fatalf("%s: read\n%+v\nthen\n%+v", style, list, again)
			}
		}
	})
}

// FuzzPrinted: what is printed of any certificate is read as it was meant.
func FuzzPrinted(f *testing.F) {
	for _, name := range []string{"one.der", "hydrantid-ssl-ica-g2.pem", "lab-quirks-v1.p7b"} {
		data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "bundles", name))
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		b, err := bundle.Parse(data)
		if err == nil && len(b.Certificates) > 0 {
			checkRoundTrip(t, b.Certificates)
		}
	})
}

// A device that gives up between two certificates shows a part of its pool, and what it says of
// another command does not count.
func TestReadGivesUp(t *testing.T) {
	t.Parallel()
	for style, name := range map[show.Style]string{show.IOSXE: "ios#show crypto pki trustpool\n", show.IOSXR: "RP/0/RSP0/CPU0:xr#show crypto ca trustpool\n", show.NXOS: "nx# show crypto ca trustpool\n"} {
		var out bytes.Buffer
		if style == show.NXOS { // which nothing prints
			out.WriteString("serial-number: 01\nsubject: CN=A\nissued-by: CN=A\nvalidity-start: 00:00:00 UTC Wed Jan 01 2020\nvalidity-end: 00:00:00 UTC Sat Jan 01 2050\n\n")
		} else if err := show.Write(&out, style, []*certificate.Certificate{sample(t, func(*pkitest.Template) {})}, show.Downloaded); err != nil {
			t.Fatal(err)
		}
		prompt := strings.SplitAfter(name, "#")[0]
		for _, says := range []string{"Connection to 10.0.0.1 closed by remote host.", "client_loop: send disconnect: Broken pipe", "Timeout, server edge1 not responding.", "^C"} {
			if _, err := show.Read([]byte(name+out.String()+says+"\n"), style); err == nil || !strings.Contains(err.Error(), "no prompt before it") {
				t.Errorf("%s: %s: %v", style, says, err)
			}
			for _, text := range []string{name + out.String() + prompt + "exit\n" + says + "\n", out.String() + prompt + "\n" + says + "\n"} {
				if _, err := show.Read([]byte(text), style); err != nil {
					t.Errorf("%s: %q: %v", style, text, err)
				}
			}
		}
		for _, says := range []string{"% Connection timed out", "% Error: out of memory", "ERROR: % Incomplete command"} {
			if _, err := show.Read([]byte(name+out.String()+says+"\n"), style); err == nil || !strings.Contains(err.Error(), "the device says") {
				t.Errorf("%s: %s: %v", style, says, err)
			}
			for _, text := range []string{name + says + "\n" + out.String(), name + out.String() + prompt + "foo\n" + says + "\n" + prompt + "exit\n"} {
				if _, err := show.Read([]byte(text), style); err != nil {
					t.Errorf("%s: %q: %v", style, text, err)
				}
			}
		}
	}
}

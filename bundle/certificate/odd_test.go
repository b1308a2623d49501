package certificate_test

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// oddCertificate is a certificate that is read with quirks.
type oddCertificate struct {
	name    string
	der     []byte
	subject string // empty: CN=Odd
	quirks  []certificate.Quirk
}

var oddKey = pkitest.ECDSA("bundle-odd", elliptic.P256())

// odd is a certificate with a change made to it.
func odd(change func(*pkitest.Template)) []byte {
	template := pkitest.RootTemplate(pkitest.NewName("CN=Odd"), oddKey)
	template.Serial = []byte{1}
	change(&template)
	return template.Sign(nil)
}

// named is a certificate whose name has one value of the given type and tag.
func named(oid pkitest.OID, tag asn1.Tag, value string) []byte {
	return odd(func(t *pkitest.Template) { t.Subject = pkitest.Name{{{Type: oid, Tag: tag, Value: []byte(value)}}} })
}

// extended is a certificate with one extension more, or another in its place.
func extended(oid pkitest.OID, value string) []byte {
	return odd(func(t *pkitest.Template) { *t = t.With(pkitest.Extension{Type: oid, Value: []byte(value)}) })
}

const (
	oidCN  = "2.5.4.3"
	oidUID = "2.5.4.45"
	oidSKI = "2.5.29.14"
	oidKU  = "2.5.29.15"
	oidBC  = "2.5.29.19"
	oidAKI = "2.5.29.35"
	oidEKU = "2.5.29.37"
)

func oddCertificates() []oddCertificate {
	name := func(what string, der []byte, subject string, quirks ...certificate.Quirk) oddCertificate {
		return oddCertificate{"name: " + what, der, subject, quirks}
	}
	ext := func(what string, der []byte, quirks ...certificate.Quirk) oddCertificate {
		return oddCertificate{"extension: " + what, der, "", quirks}
	}
	when := func(what, text string, tag asn1.Tag, quirks ...certificate.Quirk) oddCertificate {
		der := odd(func(t *pkitest.Template) { t.NotAfter = pkitest.Time{Tag: tag, Text: text} })
		return oddCertificate{"time: " + what, der, "", quirks}
	}
	serial := func(what, content string, quirks ...certificate.Quirk) oddCertificate {
		return oddCertificate{"serial: " + what, odd(func(t *pkitest.Template) { t.Serial = []byte(content) }), "", quirks}
	}
	const utf8, printable, t61, bmp = asn1.UTF8String, asn1.PrintableString, asn1.T61String, pkitest.BMPString
	return []oddCertificate{
		name("ordinary", named(oidCN, utf8, "Plain"), "CN=Plain"),
		name("T61String", named(oidCN, t61, "Z\xfcrich"), "CN=Zürich", certificate.QuirkNameT61),
		name("T61String, ASCII", named(oidCN, t61, "Zurich"), "CN=Zurich", certificate.QuirkNameT61),
		name("BMPString", named(oidCN, bmp, "\x01\x41\x00o\x01\x7a"), "CN=Łoź"),
		name("UniversalString", named(oidCN, 28, "\x00\x01\xf6\x00\x00\x00\x00!"), "CN=😀!"),
		name("UTF8String", named(oidCN, utf8, "Żółw 根 😀"), "CN=Żółw 根 😀"),
		name("IA5String with a byte beyond ASCII", named(oidCN, asn1.IA5String, "caf\xe9"), "CN=café", certificate.QuirkNameCharset),
		name("PrintableString with other characters", named(oidCN, printable, "a@b*c"), "CN=a@b*c", certificate.QuirkNameCharset),
		name("NumericString", named(oidCN, 18, "12 34"), "CN=12 34"),
		name("BIT STRING", named(oidUID, asn1.BIT_STRING, "\x00\xca\xfe"), "x500UniqueIdentifier=#030300CAFE", certificate.QuirkNameNotString),
		name("BIT STRING with unused bits set", named(oidUID, asn1.BIT_STRING, "\x05\xca\xfe"), "x500UniqueIdentifier=#030305CAE0", certificate.QuirkNameNotString),
		name("SEQUENCE", odd(func(t *pkitest.Template) {
			t.Subject = pkitest.NewName("CN=Odd")
			t.Subject = append(t.Subject, pkitest.RDN{{Type: oidUID, Tag: asn1.SEQUENCE, Value: []byte{5, 0}}})
		}), "x500UniqueIdentifier=#30020500,CN=Odd", certificate.QuirkNameNotString),
		name("unknown type", named("1.2.3.4.5", utf8, "x"), "1.2.3.4.5=#0C0178"),
		name("empty value", named(oidCN, utf8, ""), "CN="),
		name("empty", odd(func(t *pkitest.Template) { t.Subject = nil }), "", certificate.QuirkNameEmpty),
		name("leading and trailing blank", named(oidCN, utf8, " a b "), `CN=\ a b\ `),
		name("one blank", named(oidCN, utf8, " "), `CN=\ `),
		name("leading number sign", named(oidCN, utf8, "#a#"), `CN=\#a#`),
		name("separators", named(oidCN, utf8, `a,b+c"d\e<f>g;h=i`), `CN=a\,b\+c\"d\\e\<f\>g\;h=i`),
		name("control characters", named(oidCN, utf8, "a\x00\x1b[31m\r\n\x7f"), `CN=a\00\1B[31m\0D\0A\7F`),
		name("several values", odd(func(t *pkitest.Template) {
			t.Subject = pkitest.Name{
				{{Type: "2.5.4.6", Tag: printable, Value: []byte("PL")}},
				{{Type: "2.5.4.10", Tag: utf8, Value: []byte("O")}, {Type: oidCN, Tag: utf8, Value: []byte("N")}, {Type: "2.5.4.11", Tag: utf8, Value: []byte("U")}},
				{{Type: "1.2.840.113549.1.9.1", Tag: asn1.IA5String, Value: []byte("a@b.example")}},
				{{Type: "0.9.2342.19200300.100.1.25", Tag: asn1.IA5String, Value: []byte("example")}},
			}
		}), "DC=example,emailAddress=a@b.example,OU=U+O=O+CN=N,C=PL"),
		name("64 characters", named(oidCN, utf8, strings.Repeat("ż", 64)), "CN="+strings.Repeat("ż", 64)),
		name("65 characters", named(oidCN, utf8, strings.Repeat("ż", 65)), "CN="+strings.Repeat("ż", 65), certificate.QuirkNameLong),
		name("country of three letters", named("2.5.4.6", printable, "USA"), "C=USA", certificate.QuirkNameCountry),

		serial("one", "\x01"),
		serial("128", "\x00\x80"),
		serial("-1", "\xff", certificate.QuirkSerialNegative),
		serial("-128", "\x80", certificate.QuirkSerialNegative),
		serial("-256", "\xff\x00", certificate.QuirkSerialNegative),
		serial("zero", "\x00", certificate.QuirkSerialZero),
		serial("20 bytes", "\x7f"+strings.Repeat("\x01", 19)),
		serial("21 bytes", "\x00\xff"+strings.Repeat("\x01", 19), certificate.QuirkSerialLong),
		serial("60 bytes", "\x7f"+strings.Repeat("\x00", 59), certificate.QuirkSerialLong),

		when("fraction", "20530404081544.704Z", asn1.GeneralizedTime, certificate.QuirkTimeFraction),
		when("GeneralizedTime before 2050", "20490101000000Z", asn1.GeneralizedTime, certificate.QuirkTimeGeneralizedEarly),
		when("offset", "20500101000000+0130", asn1.GeneralizedTime, certificate.QuirkTimeOffset),
		when("offset of UTCTime", "490101000000-0130", asn1.UTCTime, certificate.QuirkTimeOffset),
		when("no seconds", "4901010000Z", asn1.UTCTime, certificate.QuirkTimeNoSeconds),
		when("month 13", "491301000000Z", asn1.UTCTime, certificate.QuirkNotAfterUnreadable),
		when("no zone", "490101000000", asn1.UTCTime, certificate.QuirkNotAfterUnreadable),
		when("empty", "", asn1.UTCTime, certificate.QuirkNotAfterUnreadable),
		{"time: notBefore in words", odd(func(t *pkitest.Template) { t.NotBefore.Text = "yesterday" }), "", []certificate.Quirk{certificate.QuirkNotBeforeUnreadable}},

		ext("basicConstraints in BER", extended(oidBC, "\x30\x80\x01\x01\xff\x00\x00"), certificate.QuirkExtensionNotDER),
		ext("basicConstraints with a flag of 1", extended(oidBC, "\x30\x03\x01\x01\x01"), certificate.QuirkExtensionNotDER),
		ext("basicConstraints with bytes after it", extended(oidBC, "\x30\x03\x01\x01\xff\x05\x00"), certificate.QuirkExtensionNotDER),
		ext("basicConstraints with a negative length", extended(oidBC, "\x30\x06\x01\x01\xff\x02\x01\xff"), certificate.QuirkBasicUnreadable),
		ext("basicConstraints cut short", extended(oidBC, "\x30\x03\x01\x01"), certificate.QuirkBasicUnreadable),
		ext("basicConstraints empty", extended(oidBC, ""), certificate.QuirkBasicUnreadable),
		ext("keyUsage with trailing zero bits", extended(oidKU, "\x03\x02\x00\x06"), certificate.QuirkKeyUsageNotDER),
		ext("keyUsage with unused bits set", extended(oidKU, "\x03\x02\x01\x07"), certificate.QuirkKeyUsageNotDER),
		ext("keyUsage is an OCTET STRING", extended(oidKU, "\x04\x02\x01\x06"), certificate.QuirkKeyUsageUnreadable),
		ext("keyUsage with 8 unused bits", extended(oidKU, "\x03\x02\x08\x06"), certificate.QuirkKeyUsageUnreadable),
		ext("extKeyUsage", extended(oidEKU, "\x30\x0a\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01")),
		ext("extKeyUsage in BER", extended(oidEKU, "\x30\x80\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x00\x00"), certificate.QuirkExtensionNotDER),
		ext("extKeyUsage that is no list", extended(oidEKU, "\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01"), certificate.QuirkExtKeyUsageUnreadable),
		ext("extKeyUsage with a broken OID", extended(oidEKU, "\x30\x04\x06\x02\x2b\x86"), certificate.QuirkExtKeyUsageUnreadable),
		ext("subjectKeyIdentifier with bytes after it", extended(oidSKI, "\x04\x01\xabrest"), certificate.QuirkExtensionNotDER),
		ext("subjectKeyIdentifier that is not an OCTET STRING", extended(oidSKI, "\x02\x01\xab"), certificate.QuirkSubjectKeyIDUnreadable),
		ext("authorityKeyIdentifier that is no SEQUENCE", extended(oidAKI, "\x04\x01\xab"), certificate.QuirkAuthKeyIDUnreadable),
		ext("authorityKeyIdentifier without a key", extended(oidAKI, "\x30\x00")),
		ext("twice", odd(func(t *pkitest.Template) { t.Extensions = append(t.Extensions, pkitest.SubjectKeyID(oddKey)) }),
			certificate.QuirkExtensionTwice, certificate.QuirkSubjectKeyIDUnreadable),
		ext("unknown, twice", odd(func(t *pkitest.Template) {
			t.Extensions = append(t.Extensions, pkitest.UnknownCritical(), pkitest.UnknownCritical())
		}), certificate.QuirkExtensionTwice),
		ext("none in version 3", odd(func(t *pkitest.Template) { t.Extensions = nil }), certificate.QuirkNoBasicConstraints),
		ext("in version 1", odd(func(t *pkitest.Template) { t.Version = 1 }), certificate.QuirkVersion1, certificate.QuirkExtensionsWithoutV3),

		{"framing: indefinite", odd(func(t *pkitest.Template) { t.Framing = pkitest.Indefinite }), "", []certificate.Quirk{certificate.QuirkBERFraming}},
		{"framing: long length", odd(func(t *pkitest.Template) { t.Framing = pkitest.LongLength }), "", []certificate.Quirk{certificate.QuirkBERFraming}},
		{"framing: signed part indefinite", reframed(pkitest.Indefinite.Frame), "", []certificate.Quirk{certificate.QuirkBERFraming}},
		{"framing: signed part with a long length", reframed(pkitest.LongLength.Frame), "", []certificate.Quirk{certificate.QuirkBERFraming}},
		{"framing: tag in the form for large numbers", reframed(func(tbs []byte) []byte {
			return append([]byte{0x3f, 0x10}, tbs[1:]...)
		}), "", []certificate.Quirk{certificate.QuirkBERFraming}},
		{"signature: algorithms differ", odd(func(t *pkitest.Template) { t.TBSAlgorithm = pkitest.SHA256WithRSA }), "", []certificate.Quirk{certificate.QuirkAlgorithmsDiffer}},
	}
}

// reframed is a certificate whose signed part is changed.
func reframed(change func(tbs []byte) []byte) []byte {
	der := odd(func(*pkitest.Template) {})
	b, err := bundle.Parse(der)
	if err != nil {
		panic(err)
	}
	tbs := b.Certificates[0].RawTBS
	at := bytes.Index(der, tbs)
	return pkitest.TLV(asn1.SEQUENCE, change(tbs), der[at+len(tbs):])
}

func TestOddCertificates(t *testing.T) {
	t.Parallel()
	for _, tt := range oddCertificates() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c := certificate.Read(tt.der)
			if c.Err != nil {
				t.Fatal(c.Err)
			}
			checkCertificate(t, 1, c)
			want := tt.subject
			if want == "" && !strings.HasPrefix(tt.name, "name") {
				want = "CN=Odd"
			}
			if got := c.Subject.String(); got != want {
				t.Errorf("subject %s, want %s", got, want)
			}
			got, quirks := slices.Sorted(slices.Values(c.Quirks)), slices.Sorted(slices.Values(tt.quirks))
			if !slices.Equal(got, quirks) {
				t.Errorf("quirks %v, want %v", got, quirks)
			}
		})
	}
}

// Each certificate of lab-quirks-v1.p7b has the quirk that it was made for, and
// no other.
func TestQuirks(t *testing.T) {
	t.Parallel()
	want := map[string]certificate.Quirk{
		"fractional-not-after":         certificate.QuirkTimeFraction,
		"negative-serial":              certificate.QuirkSerialNegative,
		"bit-string-in-name":           certificate.QuirkNameNotString,
		"version-1":                    certificate.QuirkVersion1,
		"rsa-1024":                     certificate.QuirkRSAShort,
		"exponent-3":                   certificate.QuirkRSAExponent,
		"exponent-43147":               certificate.QuirkRSAExponent,
		"exponent-50557":               certificate.QuirkRSAExponent,
		"exponent-62353":               certificate.QuirkRSAExponent,
		"md5-signature":                certificate.QuirkSignatureMD5,
		"sha1-signature":               certificate.QuirkSignatureSHA1,
		"serial-0":                     certificate.QuirkSerialZero,
		"serial-21-octets":             certificate.QuirkSerialLong,
		"generalized-time-before-2050": certificate.QuirkTimeGeneralizedEarly,
		"t61-string":                   certificate.QuirkNameT61,
		"cn-over-64":                   certificate.QuirkNameLong,
		"key-usage-not-der":            certificate.QuirkKeyUsageNotDER,
		"no-basic-constraints":         certificate.QuirkNoBasicConstraints,
		"intermediate":                 certificate.QuirkIntermediate,
		"lower-case-country":           certificate.QuirkNameCountry,
		"ber-framed":                   certificate.QuirkBERFraming,
		"ber-long-length":              certificate.QuirkBERFraming,
		// What remains is odd in ways that need a second certificate, a key or a
		// clock to see, or is allowed.
		"bmp-string": "", "broken-self-signature": "", "non-ascii-name": "", "multi-valued-rdn": "", "same-issuer-serial-a": "",
		"same-issuer-serial-b": "", "same-name-key-a": "", "same-name-key-b": "", "expired": "", "hostile-text": "", "not-a-certificate": "",
	}
	certificates := read(t, "../../testdata/bundles/lab-quirks-v1.p7b").Certificates
	quirks := pkitest.Quirks()
	if len(quirks) != len(certificates) || len(want) != len(quirks) {
		t.Fatalf("%d quirks, %d certificates, %d expected", len(quirks), len(certificates), len(want))
	}
	for i, q := range quirks {
		c := certificates[i]
		if (c.Err != nil) != (q.Name == "not-a-certificate") {
			t.Errorf("certificate %d, %s: %v", i+1, q.Name, c.Err)
		}
		quirk, known := want[q.Name]
		expected := []certificate.Quirk{quirk}
		if quirk == "" {
			expected = nil
		}
		if !known || !slices.Equal(c.Quirks, expected) {
			t.Errorf("certificate %d, %s: %v, want %v", i+1, q.Name, c.Quirks, expected)
		}
	}
}

// What a report says of fields that cannot be read is null, and of absent ones
// that they are absent.
func TestNullFields(t *testing.T) {
	t.Parallel()
	unreadable := inspect.NewCertificateReport(certificate.Read(odd(func(t *pkitest.Template) {
		t.NotBefore.Text, t.NotAfter.Text = "?", "?"
		for _, oid := range []pkitest.OID{oidBC, oidKU, oidEKU, oidSKI, oidAKI} {
			*t = t.With(pkitest.Extension{Type: oid, Value: []byte{0xff}})
		}
	})), 1)
	if r := unreadable; r.NotBefore.Valid || r.NotAfter.Valid || r.IsCA != nil || r.PathLen != nil || r.KeyUsage != nil || r.ExtKeyUsage != nil ||
		r.SubjectKeyID != nil || r.AuthorityKeyID != nil || len(r.Quirks) != 7 {
		t.Errorf("%+v", r)
	}
	absent := inspect.NewCertificateReport(certificate.Read(odd(func(t *pkitest.Template) { t.Extensions = nil })), 1)
	if r := absent; r.IsCA == nil || *r.IsCA || r.PathLen != nil || r.KeyUsage == nil || len(r.KeyUsage) != 0 || r.ExtKeyUsage == nil ||
		len(r.ExtKeyUsage) != 0 || r.SubjectKeyID != nil || r.AuthorityKeyID != nil {
		t.Errorf("%+v", r)
	}
}

// opensslArgs have openssl print of a certificate what is compared.
var opensslArgs = []string{"x509", "-inform", "DER", "-noout", "-fingerprint", "-sha256", "-serial", "-subject", "-issuer", "-nameopt", "RFC2253,-esc_msb"}

// ask gives what openssl says of a certificate; it is false where openssl
// refuses it.
func ask(t *testing.T, der []byte) (string, bool) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "openssl", opensslArgs...)
	cmd.Stdin = bytes.NewReader(der)
	out, err := cmd.Output()
	return strings.ReplaceAll(string(out), "\\\n", ""), err == nil // it breaks long numbers
}

// answer is what openssl would print of a certificate as it was read.
func answer(c *certificate.Certificate) string {
	r := inspect.NewCertificateReport(c, 1)
	var colons []string
	for pair := range slices.Chunk([]byte(strings.ToUpper(r.SHA256)), 2) {
		colons = append(colons, string(pair))
	}
	return "sha256 Fingerprint=" + strings.Join(colons, ":") + "\nserial=" + *r.Serial + "\nsubject=" + *r.Subject + "\nissuer=" + *r.Issuer + "\n"
}

func TestOddCertificatesAgreeWithOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	for _, tt := range oddCertificates() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			want, ok := ask(t, tt.der)
			if !ok {
				t.Fatal("openssl refuses it")
			}
			if got := answer(certificate.Read(tt.der)); got != want {
				t.Errorf("got\n%swant\n%s", got, want)
			}
		})
	}
}

// Certificates damaged at random are taken where openssl takes them, and say
// the same.
func TestMutantsAgreeWithOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	random := rand.New(rand.NewPCG(20, 26)) // the same at every run
	seeds := pkitest.QuirkPool()
	good := pkitest.CertificatePEM(pkitest.CoreV1()[3])
	for i := range 150 {
		der := bytes.Clone(seeds[random.IntN(len(seeds)-1)]) // the last is not a certificate
		mutate(random, der)
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			t.Parallel()
			b, err := bundle.Parse(slices.Concat(good, pkitest.CertificatePEM(der)))
			if err != nil {
				t.Fatal(err)
			}
			c := b.Certificates[1]
			want, ok := ask(t, der)
			switch {
			case ok != (c.Err == nil):
				t.Errorf("openssl takes it: %t; %v\n%x", ok, c.Err, der)
			case ok && answer(c) != want:
				t.Errorf("got\n%swant\n%s%x", answer(c), want, der)
			}
		})
	}
}

// mutate changes one to three bytes, most often one that says what follows.
func mutate(random *rand.Rand, der []byte) {
	for range 1 + random.IntN(3) {
		i := random.IntN(len(der))
		switch random.IntN(4) {
		case 0:
			der[i] = byte(random.IntN(256))
		case 1:
			der[i] ^= 1 << random.IntN(8)
		case 2:
			der[i] += byte(random.IntN(3)) - 1
		default:
			interesting := []byte{0, 1, 2, 3, 4, 5, 6, 0x0c, 0x13, 0x14, 0x17, 0x18, 0x1e, 0x1f, 0x24, 0x30, 0x31, 0x3f, 0x7f, 0x80, 0x81, 0x84, 0xa0, 0xa3, 0xff}
			der[i] = interesting[random.IntN(len(interesting))]
		}
	}
}

// A name that no reader has seen is printed as far as it can be read.
func TestNameOfAnyBytes(t *testing.T) {
	t.Parallel()
	for _, n := range []certificate.Name{nil, {}, {0x30}, {0x30, 0x80}, {0x30, 0x82, 1}, {0x30, 5, 0x31, 9}, []byte("\x30\x04\x31\x02\x30\x00")} {
		if got := n.String() + n.CommonName(); got != "" || len(n.Attributes()) != 0 {
			t.Errorf("%x: %q", []byte(n), got)
		}
	}
}

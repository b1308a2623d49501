package roots_test

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trustpool/internal/pkitest"
	"trustpool/roots"
)

func TestParseCertdata(t *testing.T) {
	t.Parallel()
	store, err := roots.ParseCertdata(readFile(t, "certdata.txt"))
	if err != nil {
		t.Fatal(err)
	}
	compare(t, describeAll(store), []string{
		"Alder Root CA: serverAuth=trusted emailProtection=trusted", // twice in the file
		"Birch Root CA: serverAuth=trusted serverAuth<=2024-11-30T23:59:59Z",
		"Cedar ECC Root CA: emailProtection=trusted emailProtection<=2022-08-31T00:00:00Z",
		"Dogwood ECC Root CA: codeSigning=trusted",
		"Żółta Główna Jaźń: serverAuth=trusted",
		"Fractional Time Root CA: serverAuth=trusted", // refused by crypto/x509
		"Explicitly Distrust Elm Root CA: serverAuth=distrusted codeSigning=distrusted emailProtection=distrusted",
		"Distrust an intermediate: serverAuth=distrusted codeSigning=distrusted emailProtection=distrusted (no certificate)",
		"Not a certificate: serverAuth=trusted ERR",
		`Fir Root CA: serverAuth=trusted [CKA_NSS_NAME_CONSTRAINTS UTF8 "*.example"]`,
		"Gorse Root CA: serverAuth=trusted [CKA_NSS_MOZILLA_CA_POLICY CK_BBOOL CK_FALSE]",
		"Same issuer and serial, trusted: serverAuth=trusted",
		"Same issuer and serial, distrusted: serverAuth=distrusted",
		"Lab Other Root CA:", // without a trust object
	})
	for p, want := range map[roots.Purpose]int{roots.ServerAuth: 5, roots.EmailProtection: 2, roots.CodeSigning: 1, roots.TimeStamping: 0} {
		got := 0
		for _, r := range store.Roots {
			if r.Check(p) == nil {
				got++
			}
		}
		if got != want {
			t.Errorf("%d are trusted for %s, want %d", got, p, want)
		}
	}
	lines := strings.Split(string(readFile(t, "certdata.txt")), "\n")
	for _, r := range store.Roots {
		if line := lines[r.Line-1]; !strings.HasPrefix(line, "CKA_CLASS") {
			t.Errorf("%s: line %d is %q", r.Label, r.Line, line)
		}
	}
}

// TestCertdataObjects changes one certificate and its trust in ways that the
// fixture does not have.
func TestCertdataObjects(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV1()
	alder := pkitest.CertdataRoot{Label: "A", DER: core[2], Server: pkitest.TrustedDelegator}
	edit := func(old, newer string) []byte {
		data := pkitest.Certdata(alder)
		if !bytes.Contains(data, []byte(old)) {
			t.Fatalf("%q is not in the file", old)
		}
		return bytes.Replace(data, []byte(old), []byte(newer), 1)
	}
	with := func(change func(*pkitest.CertdataRoot)) []byte {
		r := alder
		change(&r)
		return pkitest.Certdata(r)
	}
	for name, test := range map[string]struct {
		data []byte
		want []string
	}{
		"as it is":      {edit("A", "A"), []string{"A: serverAuth=trusted"}},
		"CRLF":          {bytes.ReplaceAll(edit("A", "A"), []byte("\n"), []byte("\r\n")), []string{"A: serverAuth=trusted"}},
		"no empty line": {bytes.ReplaceAll(edit("A", "A"), []byte("\n\n"), []byte("\n")), []string{"A: serverAuth=trusted"}},
		"an empty line within": {edit("CKA_TRUST_SERVER_AUTH", "\n\nCKA_TRUST_SERVER_AUTH"),
			[]string{"A: serverAuth=trusted"}},
		"a comment behind, tabs": {edit("CKA_TRUST_SERVER_AUTH CK_TRUST CKT_NSS_TRUSTED_DELEGATOR", "CKA_TRUST_SERVER_AUTH\tCK_TRUST  CKT_NSS_TRUSTED_DELEGATOR # yes"),
			[]string{"A: serverAuth=trusted"}},
		"a hash sign in the label": {with(func(r *pkitest.CertdataRoot) { r.Label = `#1 "A"` }), []string{`#1 "A": serverAuth=trusted`}},
		"names until 2011": {bytes.Replace(with(func(r *pkitest.CertdataRoot) {
			r.Server, r.Email, r.Code = "CKT_NETSCAPE_TRUSTED_DELEGATOR", "CKT_NETSCAPE_UNTRUSTED", "CKT_NETSCAPE_VALID"
		}), []byte("CKO_NSS_TRUST"), []byte("CKO_NETSCAPE_TRUST"), 1), []string{"A: serverAuth=trusted emailProtection=distrusted"}},
		"names of PKCS #11 v3.2": {with(func(r *pkitest.CertdataRoot) {
			r.Server, r.Email, r.Code = "CKT_TRUST_ANCHOR", "CKT_NOT_TRUSTED", "CKT_TRUSTED"
		}), []string{"A: serverAuth=trusted emailProtection=distrusted"}},
		"trust in one certificate":   {with(func(r *pkitest.CertdataRoot) { r.Server = "CKT_NSS_TRUSTED" }), []string{"A:"}},
		"an unknown value":           {with(func(r *pkitest.CertdataRoot) { r.Email = "CKT_NSS_WEEKDAYS" }), []string{"A: serverAuth=trusted [CKA_TRUST_EMAIL_PROTECTION CK_TRUST CKT_NSS_WEEKDAYS]"}},
		"an unknown trust attribute": {with(func(r *pkitest.CertdataRoot) { r.TrustLines = []string{"CKA_NSS_PKIX_LIMIT CK_ULONG 1"} }), []string{"A: serverAuth=trusted [CKA_NSS_PKIX_LIMIT CK_ULONG 1]"}},
		"an unknown multiline": {with(func(r *pkitest.CertdataRoot) {
			r.TrustLines = []string{"CKA_X MULTILINE_HEX", "CKA_TRUST_SERVER_AUTH is no attribute here", "END"}
		}), []string{"A: serverAuth=trusted [CKA_X MULTILINE_HEX]"}},
		"a date of the trust object": {with(func(r *pkitest.CertdataRoot) {
			r.TrustLines = []string{"CKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL", octal([]byte("260415235959Z")), "END"}
		}), []string{"A: serverAuth=trusted serverAuth<=2026-04-15T23:59:59Z"}},
		"another purpose": {with(func(r *pkitest.CertdataRoot) {
			r.TrustLines = []string{"CKA_TRUST_IPSEC_USER CK_TRUST CKT_NSS_TRUSTED_DELEGATOR"}
		}), []string{"A: serverAuth=trusted"}},
		"another purpose distrusted": {with(func(r *pkitest.CertdataRoot) {
			r.TrustLines = []string{"CKA_TRUST_KEY_CERT_SIGN CK_TRUST CKT_NSS_NOT_TRUSTED"}
		}), []string{"A: serverAuth=trusted [CKA_TRUST_KEY_CERT_SIGN CK_TRUST CKT_NSS_NOT_TRUSTED]"}},
		"an unknown class":       {edit("CKO_NSS_TRUST", "CKO_NSS_RUMOUR"), []string{"A: serverAuth=trusted [an object CKO_NSS_RUMOUR]"}},
		"a date that is CK_TRUE": {edit("SERVER_DISTRUST_AFTER CK_BBOOL CK_FALSE", "SERVER_DISTRUST_AFTER CK_BBOOL CK_TRUE"), []string{"A: serverAuth=trusted [CKA_NSS_SERVER_DISTRUST_AFTER CK_BBOOL CK_TRUE]"}},
		"a date that is none": {edit("SERVER_DISTRUST_AFTER CK_BBOOL CK_FALSE", "SERVER_DISTRUST_AFTER MULTILINE_OCTAL\n\\062\\062\nEND"),
			[]string{"A: serverAuth=trusted [CKA_NSS_SERVER_DISTRUST_AFTER MULTILINE_OCTAL 22]"}},
		"no hash": {with(func(r *pkitest.CertdataRoot) { r.NoHash = true }), []string{"A: serverAuth=trusted"}},
		"a hash of PKCS #11 v3.2": {with(func(r *pkitest.CertdataRoot) {
			r.NoHash, r.TrustLines = true, []string{"CKA_HASH_OF_CERTIFICATE MULTILINE_OCTAL", octal(parse(core[2]).SHA256[:]), "END", "CKA_NAME_HASH_ALGORITHM CK_MECHANISM_TYPE CKM_SHA256"}
		}), []string{"A: serverAuth=trusted"}},
		"a hash of no length": {edit("CKA_CERT_MD5_HASH MULTILINE_OCTAL\n\\", "CKA_CERT_MD5_HASH MULTILINE_OCTAL\n\\000\\"), []string{"A: serverAuth=trusted [CKA_CERT_MD5_HASH MULTILINE_OCTAL]"}},
		"the name of another": {pkitest.Certdata(
			pkitest.CertdataRoot{Label: "A", DER: core[2], NoTrust: true},
			pkitest.CertdataRoot{Label: "B", DER: core[0], Server: pkitest.TrustedDelegator, Issuer: parse(core[2]).Issuer, Subject: parse(core[2]).Subject, Serial: []byte{2, 1, 1}}),
			[]string{"A:", "B: [trust under the name of another certificate] ERR", "B: serverAuth=trusted (no certificate) ERR"}},
		"distrust under the name of another": {pkitest.Certdata(alder,
			pkitest.CertdataRoot{Label: "B", Issuer: parse(core[0]).Issuer, Serial: []byte{2, 1, 9}, Server: pkitest.NotTrusted,
				TrustLines: []string{"CKA_HASH_OF_CERTIFICATE MULTILINE_OCTAL", octal(parse(core[2]).SHA256[:]), "END"}}),
			[]string{"A: serverAuth=trusted [trust under the name of another certificate]", "B: serverAuth=distrusted (no certificate)"}},
		"trust for nothing": {pkitest.Certdata(alder, pkitest.CertdataRoot{Label: "B", Issuer: parse(core[0]).Issuer, Serial: []byte{2, 1, 9}, Server: pkitest.TrustedDelegator}),
			[]string{"A: serverAuth=trusted", "B: serverAuth=trusted (no certificate) ERR"}},
		"no certificate in the object": {edit("CKA_VALUE", "CKA_NSS_EMAIL"), []string{"A: (no certificate) ERR", "A: serverAuth=trusted (no certificate) ERR"}},
		"an attribute twice":           {edit("CKA_TRUST_EMAIL_PROTECTION CK_TRUST", "CKA_TRUST_SERVER_AUTH CK_TRUST"), []string{"A: ERR"}},
		"twice, once distrusted":       {pkitest.Certdata(alder, withServer(alder, pkitest.NotTrusted)), []string{"A: serverAuth=distrusted"}},
		"distrust first":               {pkitest.Certdata(withServer(alder, pkitest.NotTrusted), alder), []string{"A: serverAuth=distrusted"}},
		"one of two without a hash": {pkitest.Certdata(
			pkitest.CertdataRoot{Label: "A", DER: quirk("same-issuer-serial-a"), NoTrust: true},
			pkitest.CertdataRoot{Label: "B", DER: quirk("same-issuer-serial-b"), NoHash: true, Server: pkitest.TrustedDelegator}),
			[]string{"A: serverAuth=trusted [trust without a hash, for one of several certificates]", "B: serverAuth=trusted [trust without a hash, for one of several certificates]"}},
		"both of two distrusted": {pkitest.Certdata(
			pkitest.CertdataRoot{Label: "A", DER: quirk("same-issuer-serial-a"), Server: pkitest.TrustedDelegator},
			pkitest.CertdataRoot{Label: "B", DER: quirk("same-issuer-serial-b"), NoHash: true, Server: pkitest.NotTrusted}),
			[]string{"A: serverAuth=distrusted", "B: serverAuth=distrusted"}},
		"a trust object that is cut off": {cut(edit("A", "A"), "CKA_TRUST_SERVER_AUTH"), []string{"A: ERR"}},
	} {
		store, err := roots.ParseCertdata(test.data)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if got := describeAll(store); strings.Join(got, "\n") != strings.Join(test.want, "\n") {
			t.Errorf("%s:\n got %q\nwant %q", name, got, test.want)
		}
	}
}

func withServer(r pkitest.CertdataRoot, server string) pkitest.CertdataRoot {
	r.Server = server
	return r
}

func octal(content []byte) string {
	var b strings.Builder
	for _, o := range content {
		fmt.Fprintf(&b, `\%03o`, o)
	}
	return b.String()
}

func cut(data []byte, at string) []byte { return data[:bytes.Index(data, []byte(at))] }

func TestCertdataErrors(t *testing.T) {
	t.Parallel()
	small := string(pkitest.Certdata(pkitest.CertdataRoot{Label: "A", DER: pkitest.CoreV1()[6], Server: pkitest.TrustedDelegator}))
	for name, test := range map[string]struct{ data, want string }{
		"empty":              {"", "empty file"},
		"white space":        {" \n\n", "empty file"},
		"HTML":               {"<!DOCTYPE html>\n<p>CKA_CLASS", "an HTML page"},
		"PEM":                {string(pkitest.CertificatePEM(pkitest.CoreV1()[6])), "no BEGINDATA line"},
		"DER":                {string(pkitest.CoreV1()[6]), "no BEGINDATA line"},
		"nothing in it":      {"BEGINDATA\n", "no certificate and no trust"},
		"no class":           {"BEGINDATA\nCKA_TOKEN CK_BBOOL CK_TRUE\n", "line 2: CKA_TOKEN is before the first CKA_CLASS"},
		"something else":     {"BEGINDATA\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nhello world\n", `line 3: neither an attribute nor a comment: "hello world"`},
		"HTML in the middle": {strings.Replace(small, "CKA_ID UTF8", "<html>", 1), "neither an attribute nor a comment"},
		"cut within octal":   {small[:strings.Index(small, "CKA_VALUE")+200], "CKA_VALUE"},
		"cut between lines":  {small[:strings.Index(small, "END")], "the file ends before the END of CKA_SUBJECT"},
		"no END":             {strings.Replace(small, "END\n", "", 1), "no octal bytes, in the value of CKA_SUBJECT"},
		"octal over 377":     {strings.Replace(small, `\060`, `\460`, 1), "no octal bytes"},
		"octal with an 8":    {strings.Replace(small, `\060`, `\068`, 1), "no octal bytes"},
		"octal of two":       {strings.Replace(small, `\060`, `\06`, 1), "no octal bytes"},
		"a long line":        {"BEGINDATA\n# " + strings.Repeat("x", roots.MaxStoreLine), "line 2: more than 65536 bytes"},
		"too many objects":   {"BEGINDATA\n" + strings.Repeat("CKA_CLASS CK_X CKO_NSS_BUILTIN_ROOT_LIST\n", roots.MaxRoots+1), "more than 200000 objects"},
	} {
		store, err := roots.ParseCertdata([]byte(test.data))
		if err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s: %v, want %q", name, err, test.want)
		}
		if store != nil {
			t.Errorf("%s: an error, and a store", name)
		}
		var at *roots.CertdataError
		if strings.HasPrefix(test.want, "line") && (!errors.As(err, &at) || at.Line == 0) {
			t.Errorf("%s: no line in %v", name, err)
		}
	}
}

// TestCertdataLinear has files whose reading would take long if each object were
// compared with each other.
func TestCertdataLinear(t *testing.T) {
	t.Parallel()
	const n = 20_000
	object := "CKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\nCKA_ISSUER MULTILINE_OCTAL\n\\060\\000\nEND\nCKA_SERIAL_NUMBER MULTILINE_OCTAL\n\\002\\001\\001\nEND\nCKA_X%d CK_X x\n"
	certificate := "CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\nCKA_ISSUER MULTILINE_OCTAL\n\\060\\000\nEND\nCKA_SERIAL_NUMBER MULTILINE_OCTAL\n\\002\\001\\001\nEND\nCKA_VALUE MULTILINE_OCTAL\n\\060\\004%s\nEND\n"
	var b strings.Builder
	b.WriteString("BEGINDATA\n")
	for i := range n {
		fmt.Fprintf(&b, certificate, octal([]byte{byte(i >> 24), byte(i >> 16), byte(i >> 8), byte(i)}))
		fmt.Fprintf(&b, object, i)
	}
	b.WriteString("CKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\n")
	for i := range n {
		fmt.Fprintf(&b, "CKA_X%d CK_X x\n", i)
	}
	store, err := roots.ParseCertdata([]byte(b.String()))
	if err != nil {
		t.Fatal(err)
	}
	if len(store.Roots) != n+1 {
		t.Errorf("%d entries", len(store.Roots))
	}
}

// large is a certdata.txt of n roots.
func large(n int) []byte {
	var entries []pkitest.CertdataRoot
	for _, der := range pkitest.LargePool(n) {
		entries = append(entries, pkitest.CertdataRoot{Label: "Large", DER: der, Server: pkitest.TrustedDelegator})
	}
	return pkitest.Certdata(entries...)
}

func BenchmarkParseCertdata(b *testing.B) {
	data := large(200)
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := roots.ParseCertdata(data); err != nil {
			b.Fatal(err)
		}
	}
}

// FuzzCertdata checks that whatever is read is consistent.
func FuzzCertdata(f *testing.F) {
	// Small ones: of a large input the fuzzer does nothing but make it smaller.
	f.Add(pkitest.Certdata(pkitest.CertdataRoot{Label: "A", DER: pkitest.CoreV1()[6], Server: pkitest.TrustedDelegator}))
	f.Add(pkitest.Certdata(pkitest.CertdataRoot{Label: "B", Issuer: []byte{0x30, 0}, Serial: []byte{2, 1, 1}, Server: pkitest.NotTrusted}))
	f.Add(pkitest.Certdata(pkitest.CertdataRoot{Label: "C", Issuer: []byte{0x30, 0}, Subject: []byte{0x30, 0}, Serial: []byte{2, 1, 1}, DER: []byte{0x30, 0},
		CertificateLines: []string{"CKA_X MULTILINE_HEX", "00", "END"}, Email: "CKT_NSS_WEEKDAYS", NoHash: true}))
	f.Fuzz(func(t *testing.T, data []byte) {
		store, err := roots.ParseCertdata(data)
		checkStore(t, store, err, bytes.Count(data, []byte("\n"))+1)
	})
}

// checkStore holds what was read to what a store promises.
func checkStore(t *testing.T, store *roots.Store, err error, lines int) {
	t.Helper()
	if err != nil {
		if store != nil {
			t.Fatal("an error, and a store")
		}
		return
	}
	for _, r := range store.Roots {
		if r.Line < 1 || r.Line > lines {
			t.Fatalf("line %d of %d", r.Line, lines)
		}
		for _, p := range roots.Purposes() {
			usable := r.Check(p) == nil
			if usable && (r.Certificate == nil || r.Certificate.Err != nil || r.Err != nil || r.Trust[p] != roots.Trusted) {
				t.Fatalf("usable: %s", describe(r))
			}
		}
		if r.Certificate == nil || r.Certificate.SHA256 != r.SHA256 {
			continue
		}
		found := false
		for _, m := range store.Find(r.Certificate) {
			found = found || m.Root == r && m.By == roots.ByCertificate
		}
		if !found {
			t.Fatalf("not found: %s", describe(r))
		}
	}
}

package pkitest

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"fmt"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// Values of trust attributes in certdata.txt.
const (
	TrustedDelegator = "CKT_NSS_TRUSTED_DELEGATOR"
	MustVerifyTrust  = "CKT_NSS_MUST_VERIFY_TRUST"
	NotTrusted       = "CKT_NSS_NOT_TRUSTED"
)

// A CertdataRoot is a certificate in certdata.txt, the object that holds it and the one that says what trust is put into it.
type CertdataRoot struct {
	Label          string
	DER            []byte // the certificate; nil: only the trust object is written
	Issuer, Serial []byte // elements; nil: those of DER
	Subject        []byte // likewise

	Server, Email, Code     string    // trust; empty: MustVerifyTrust
	ServerAfter, EmailAfter time.Time // distrust-after; zero: none
	Policy                  string    // CKA_NSS_MOZILLA_CA_POLICY; empty: CK_TRUE
	CertificateLines        []string  // more lines for the certificate object
	TrustLines              []string  // more lines for the trust object
	NoTrust                 bool      // there is no trust object
	NoHash                  bool      // the trust object has no hashes
}

// Certdata writes certdata.txt, in the syntax of NSS (lib/ckfw/builtins/certdata.txt).
func Certdata(roots ...CertdataRoot) []byte {
	var out bytes.Buffer
	out.WriteString("#\n# certdata.txt of the test PKI, in the syntax of NSS. Nothing in it is to be trusted.\n#\nBEGINDATA\n" +
		"CKA_CLASS CK_OBJECT_CLASS CKO_NSS_BUILTIN_ROOT_LIST\n")
	certdataHead(&out, "Test Roots")
	for _, r := range roots {
		r.write(&out)
	}
	return out.Bytes()
}

func (r CertdataRoot) write(out *bytes.Buffer) {
	if r.Issuer == nil {
		fields := children(children(r.DER)[0])
		if fields[0][0] == 0xa0 { // the version
			fields = fields[1:]
		}
		r.Serial, r.Issuer, r.Subject = fields[0], fields[2], fields[4]
	}
	if r.DER != nil {
		fmt.Fprintf(out, "\n#\n# Certificate %q\n#\nCKA_CLASS CK_OBJECT_CLASS CKO_CERTIFICATE\n", r.Label)
		certdataHead(out, r.Label)
		out.WriteString("CKA_CERTIFICATE_TYPE CK_CERTIFICATE_TYPE CKC_X_509\n")
		octal(out, "CKA_SUBJECT", r.Subject)
		out.WriteString("CKA_ID UTF8 \"0\"\n")
		octal(out, "CKA_ISSUER", r.Issuer)
		octal(out, "CKA_SERIAL_NUMBER", r.Serial)
		octal(out, "CKA_VALUE", r.DER)
		fmt.Fprintf(out, "CKA_NSS_MOZILLA_CA_POLICY CK_BBOOL %s\n", cmp.Or(r.Policy, "CK_TRUE"))
		distrustAfter(out, "Server", r.ServerAfter)
		distrustAfter(out, "Email", r.EmailAfter)
		for _, line := range r.CertificateLines {
			out.WriteString(line + "\n")
		}
	}
	if r.NoTrust {
		return
	}
	fmt.Fprintf(out, "\n# Trust for %q\nCKA_CLASS CK_OBJECT_CLASS CKO_NSS_TRUST\n", r.Label)
	certdataHead(out, r.Label)
	if r.DER != nil && !r.NoHash {
		sha, md := sha1.Sum(r.DER), md5.Sum(r.DER)
		octal(out, "CKA_CERT_SHA1_HASH", sha[:])
		octal(out, "CKA_CERT_MD5_HASH", md[:])
	}
	octal(out, "CKA_ISSUER", r.Issuer)
	octal(out, "CKA_SERIAL_NUMBER", r.Serial)
	fmt.Fprintf(out, "CKA_TRUST_SERVER_AUTH CK_TRUST %s\nCKA_TRUST_EMAIL_PROTECTION CK_TRUST %s\nCKA_TRUST_CODE_SIGNING CK_TRUST %s\n",
		cmp.Or(r.Server, MustVerifyTrust), cmp.Or(r.Email, MustVerifyTrust), cmp.Or(r.Code, MustVerifyTrust))
	out.WriteString("CKA_TRUST_STEP_UP_APPROVED CK_BBOOL CK_FALSE\n")
	for _, line := range r.TrustLines {
		out.WriteString(line + "\n")
	}
}

// certdataHead is what all objects have. Bytes of a label that are not ASCII are written as \x and two digits, as in Mozilla's.
func certdataHead(out *bytes.Buffer, label string) {
	out.WriteString("CKA_TOKEN CK_BBOOL CK_TRUE\nCKA_PRIVATE CK_BBOOL CK_FALSE\nCKA_MODIFIABLE CK_BBOOL CK_FALSE\nCKA_LABEL UTF8 \"")
	for _, b := range []byte(label) {
		if b < 0x20 || b > 0x7e || b == '"' || b == '\\' {
			fmt.Fprintf(out, `\x%02x`, b)
		} else {
			out.WriteByte(b)
		}
	}
	out.WriteString("\"\n")
}

func octal(out *bytes.Buffer, name string, content []byte) {
	fmt.Fprintf(out, "%s MULTILINE_OCTAL\n", name)
	for i, b := range content {
		fmt.Fprintf(out, `\%03o`, b)
		if i%16 == 15 && i != len(content)-1 {
			out.WriteByte('\n')
		}
	}
	out.WriteString("\nEND\n")
}

func distrustAfter(out *bytes.Buffer, purpose string, after time.Time) {
	name := "CKA_NSS_" + strings.ToUpper(purpose) + "_DISTRUST_AFTER"
	if after.IsZero() {
		fmt.Fprintf(out, "%s CK_BBOOL CK_FALSE\n", name)
		return
	}
	fmt.Fprintf(out, "# For %s Distrust After: %s\n", purpose, after.UTC().Format(time.ANSIC))
	octal(out, name, []byte(after.UTC().Format("060102150405Z")))
}

// quirkDER is the element of that name.
func quirkDER(name string) []byte {
	for _, quirk := range Quirks() {
		if quirk.Name == name {
			return quirk.DER
		}
	}
	panic("pkitest: no quirk " + name)
}

// SmallCertdata returns the roots of a certdata.txt that has one of everything that Mozilla's has had: roots of several purposes,
// distrust with a certificate and without, dates of distrust; and of what it might have: a certificate that is none, a
// constraint that nobody knows, a certificate twice.
func SmallCertdata() []CertdataRoot {
	core := CoreV1()
	birch, alder, dogwood, elm, gorse, cedar, fir := core[0], core[2], core[3], core[4], core[5], core[6], core[7]
	lab := Lab()
	return []CertdataRoot{
		{Label: "Alder Root CA", DER: alder, Server: TrustedDelegator, Email: TrustedDelegator},
		{Label: "Birch Root CA", DER: birch, Server: TrustedDelegator, ServerAfter: time.Date(2024, 11, 30, 23, 59, 59, 0, time.UTC)},
		{Label: "Cedar ECC Root CA", DER: cedar, Email: TrustedDelegator, EmailAfter: time.Date(2022, 8, 31, 0, 0, 0, 0, time.UTC)},
		{Label: "Dogwood ECC Root CA", DER: dogwood, Code: TrustedDelegator},
		{Label: "Żółta Główna Jaźń", DER: quirkDER("non-ascii-name"), Server: TrustedDelegator},
		{Label: "Fractional Time Root CA", DER: quirkDER("fractional-not-after"), Server: TrustedDelegator},
		{Label: "Explicitly Distrust Elm Root CA", DER: elm, Server: NotTrusted, Email: NotTrusted, Code: NotTrusted,
			CertificateLines: []string{"# no date"}},
		{Label: "Distrust an intermediate", Issuer: lab.Root.Subject.DER(), Serial: TLV(asn1.INTEGER, lab.Intermediate.Serial),
			Server: NotTrusted, Email: NotTrusted, Code: NotTrusted},
		{Label: "Not a certificate", DER: quirkDER("not-a-certificate"), Server: TrustedDelegator,
			Issuer: NewName("CN=Not a certificate").DER(), Subject: NewName("CN=Not a certificate").DER(), Serial: integer(1)},
		{Label: "Fir Root CA", DER: fir, Server: TrustedDelegator, CertificateLines: []string{`CKA_NSS_NAME_CONSTRAINTS UTF8 "*.example"`}},
		{Label: "Gorse Root CA", DER: gorse, Server: TrustedDelegator, Policy: "CK_FALSE"},
		{Label: "Same issuer and serial, trusted", DER: quirkDER("same-issuer-serial-a"), Server: TrustedDelegator},
		{Label: "Same issuer and serial, distrusted", DER: quirkDER("same-issuer-serial-b"), Server: NotTrusted},
		{Label: "Alder Root CA", DER: alder, Server: TrustedDelegator, Email: TrustedDelegator},
		{Label: "Lab Other Root CA", DER: lab.OtherRoot.DER, NoTrust: true},
	}
}

// CCADBIncluded returns a report of the roots of a program with their certificates, as CCADB's IncludedCACertificateReportPEMCSV is.
func CCADBIncluded() []byte {
	core := CoreV1()
	birch, alder, gorse, cedar, fir := core[0], core[2], core[5], core[6], core[7]
	rows := [][]string{{"Owner", "Certificate Issuer Organization", "Common Name or Certificate Name", "Certificate Serial Number", "SHA-256 Fingerprint",
		"Valid From [GMT]", "Valid To [GMT]", "Trust Bits", "Distrust for TLS After Date", "Distrust for S/MIME After Date", "EV Policy OID(s)",
		"Mozilla Applied Constraints", "Company Website", "PEM Info"}}
	add := func(tree string, der []byte, bits, tlsAfter, emailAfter, constraints string) {
		rows = append(rows, []string{tree + " Trust Services", tree + " Trust Services", tree + " Root CA", "01", fingerprint(der),
			"2020.01.01", "2050.01.01", bits, tlsAfter, emailAfter, "Not EV", constraints, "https://" + strings.ToLower(tree) + ".example/",
			"'" + string(CertificatePEM(der)) + "'"})
	}
	add("Alder", alder, "Email;Websites", "", "", "")
	add("Birch", birch, "Websites", "2024.11.30", "", "")
	add("Cedar", cedar, "Email", "", "2022.08.31", "")
	add("Fir", fir, "Websites", "", "", "*.example")
	add("Gorse", gorse, "All Trust Bits Turned Off", "", "", "")
	return writeCSV(rows)
}

// CCADBRecords returns a report of certificates by their fingerprints, with the status and the trust bits of each program.
func CCADBRecords() []byte {
	core := CoreV1()
	birch, alder, dogwood, elm, gorse, cedar := core[0], core[2], core[3], core[4], core[5], core[6]
	rows := [][]string{
		{"CA Owner", "Certificate Name", "Certificate Record Type", "Apple Status", "Apple Trust Bits", "Google Chrome Status",
			"Microsoft Status", "Microsoft EKUs", "Mozilla Status", "Mozilla Trust Bits", "Revocation Status", "SHA-256 Fingerprint"},
		{"Alder Trust Services", "Alder Root CA", "Root Certificate", "Included", "serverAuth;emailProtection", "Included",
			"Included", "Server Authentication;Secure Email;Code Signing", "Included", "Websites;Email", "Not Revoked", fingerprint(alder)},
		{"Birch Trust Services", "Birch Root CA", "Root Certificate", "Not Included", "", "Not Included",
			"NotBefore", "Server Authentication", "Removed", "Websites", "Not Revoked", fingerprint(birch)},
		{"Cedar Trust Services", "Cedar ECC Root CA", "Root Certificate", "Included", "emailProtection", "Not Included",
			"Disabled", "Server Authentication", "Included", "Email", "Not Revoked", fingerprint(cedar)},
		{"Dogwood Trust Services", "Dogwood ECC Root CA", "Root Certificate", "Blocked", "", "Blocked",
			"Not Included", "", "Change Requested", "Websites", "Not Revoked", fingerprint(dogwood)},
		{"Elm Trust Services", "Elm Root CA", "Root Certificate", "Included", "serverAuth", "Included",
			"Included", "Server Authentication", "Included", "Websites", "Revoked", fingerprint(elm)},
		{"Gorse Trust Services", "Gorse Root CA", "Root Certificate", "", "", "", "", "", "", "", "", fingerprint(gorse)[:20]},
	}
	return writeCSV(rows)
}

func fingerprint(der []byte) string { return fmt.Sprintf("%X", sha256.Sum256(der)) }

// writeCSV puts every field between quotes, as CCADB does.
func writeCSV(rows [][]string) []byte {
	var out bytes.Buffer
	for _, row := range rows {
		for i, field := range row {
			if i > 0 {
				out.WriteByte(',')
			}
			out.WriteString(`"` + strings.ReplaceAll(field, `"`, `""`) + `"`)
		}
		out.WriteByte('\n')
	}
	return out.Bytes()
}

package audit

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// rulesOfTheWhole are those that look at several certificates at once.
func rulesOfTheWhole() []Rule {
	list := []Rule{
		overWhole("duplicate", "The same certificate is there more than once", Info, "RFC 5652 section 10.2.3; Cisco ASA, crypto ca trustpool import: duplicates",
			"Nothing; devices count it as a duplicate and keep one.", duplicate),
		overWhole("same-names", "Several certificates have the same issuer and subject", Warning, "Cisco IOS XE 16 PKI Configuration Guide, Trustpool Management: no two certificates of a pool with the same issuer and subject",
			"Try the import on one device first: IOS XE 16 may take the first of them only. Newer platforms tell them apart.", sameNames),
		overWhole("same-issuer-serial", "Several certificates have the same issuer and serial number", Warning, "RFC 5280 section 4.1.2.2",
			"Tell them apart by SHA-256: commands that take a serial number find one of them.", sameIssuerSerial),
		overWhole("same-key", "Several certificates have the same key", Info, "RFC 4158 section 3.5.15; RFC 5280 section 4.2.1.2",
			"Nothing; a CA that was re-issued or cross-certified. To keep a key out, leave out all of them.", sameKey),
	}
	for i := range list {
		list[i].compare = true
	}
	return list
}

// rulesOfForm are those about how a certificate is written.
func rulesOfForm() []Rule {
	form := func(id, title string, severity Severity, citation, advice string, list ...certificate.Quirk) Rule {
		return overCertificates(id, title, severity, citation, advice, nil, list...)
	}
	const fine = "Nothing, if the device is known to take it. Strict readers refuse it."
	return []Rule{
		form("serial-zero", "The serial number is zero", Info, "RFC 5280 section 4.1.2.2",
			"Nothing; many old roots have it.", certificate.QuirkSerialZero),
		form("serial-negative", "The serial number is negative", Warning, "RFC 5280 section 4.1.2.2",
			"Try the import on one device first: some readers, Go's among them, refuse it.", certificate.QuirkSerialNegative),
		form("serial-long", "The serial number has more than 20 bytes", Warning, "RFC 5280 section 4.1.2.2",
			"Try the import on one device first: readers need not take more than 20.", certificate.QuirkSerialLong),
		form("not-der", "Written in BER, or not in the one way of DER", Info, "X.690 sections 10, 11; RFC 5280 section 4.1", fine,
			certificate.QuirkBERFraming, certificate.QuirkSignatureBits, certificate.QuirkExtensionNotDER, certificate.QuirkKeyUsageNotDER),
		form("time-form", "A date is not written as RFC 5280 asks", Info, "RFC 5280 section 4.1.2.5",
			"Nothing, if the device is known to take it. Some readers refuse fractions of a second.",
			certificate.QuirkTimeFraction, certificate.QuirkTimeGeneralizedEarly, certificate.QuirkTimeNoSeconds, certificate.QuirkTimeOffset),
		form("time-unreadable", "A date cannot be read", Warning, "RFC 5280 section 4.1.2.5",
			"Keep it out: whether it is valid cannot be said.", certificate.QuirkNotBeforeUnreadable, certificate.QuirkNotAfterUnreadable),
		form("name-form", "A name is not written as RFC 5280 asks", Info, "RFC 5280 sections 4.1.2.4, 4.1.2.6, appendix A", fine,
			certificate.QuirkNameEmpty, certificate.QuirkNameT61, certificate.QuirkNameNotString, certificate.QuirkNameCharset, certificate.QuirkNameLong, certificate.QuirkNameCountry),
		overCertificates("name-hidden", "A name holds characters that do not show", Warning, "Unicode Technical Report 36 section 2; RFC 5280 section 8",
			"Look at who issued it: line breaks, escape sequences and reversed text make lists on devices lie.", nameHidden),
		form("version-form", "The version does not go with what is in the certificate", Info, "RFC 5280 sections 4.1.2.1, 4.1.2.9",
			"Nothing; roots of version 1 are old and have no extensions.",
			certificate.QuirkVersion1, certificate.QuirkVersionUnknown, certificate.QuirkExtensionsWithoutV3),
		form("algorithms-differ", "The signature algorithm differs within and without", Warning, "RFC 5280 section 4.1.1.2",
			"Keep it out: strict clients refuse it.", certificate.QuirkAlgorithmsDiffer),
		form("extension-unreadable", "An extension cannot be read", Warning, "RFC 5280 section 4.2",
			"Keep it out unless it is needed: what it may be used for is not known.",
			certificate.QuirkExtensionTwice, certificate.QuirkBasicUnreadable, certificate.QuirkKeyUsageUnreadable, certificate.QuirkExtKeyUsageUnreadable,
			certificate.QuirkSubjectKeyIDUnreadable, certificate.QuirkAuthKeyIDUnreadable),
		form("trust-settings", "OpenSSL's trust settings are beside it", Info, "OpenSSL, openssl-x509(1): trust settings",
			"Nothing; devices read the certificate alone.", certificate.QuirkTrustSettings),
	}
}

func nameHidden(_ *auditor, _ int, c *certificate.Certificate) (bool, string) {
	if what := hidden(c.Subject); what != "" {
		return true, "in its own: " + what
	}
	if !c.SelfIssued() {
		if what := hidden(c.Issuer); what != "" {
			return true, fmt.Sprintf("in that of its issuer, %s: %s", c.Issuer, what)
		}
	}
	return true, ""
}

// maxHidden is how many characters of a name a finding lists.
const maxHidden = 8

// hidden says which characters of a name do not show. It looks at the decoded
// values: [certificate.Name.String] escapes some of these characters itself.
func hidden(n certificate.Name) string {
	var found []string
	for _, a := range n.Attributes() {
		for _, r := range a.Value {
			if s := string(r); report.Printable(s) == s {
				continue
			}
			what := fmt.Sprintf("%U in %s", r, a.Type)
			if slices.Contains(found, what) {
				continue
			}
			if len(found) == maxHidden {
				return strings.Join(append(found, "and others"), ", ")
			}
			found = append(found, what)
		}
	}
	return strings.Join(found, ", ")
}

// quirkWords say what a quirk is.
func quirkWords(c *certificate.Certificate, q certificate.Quirk) string {
	switch q {
	case certificate.QuirkSignatureMD5, certificate.QuirkSignatureSHA1:
		return c.SignatureAlgorithm.String()
	case certificate.QuirkIntermediate:
		return "issued by " + c.Issuer.String()
	case certificate.QuirkSerialZero, certificate.QuirkSerialNegative, certificate.QuirkSerialLong:
		return "serial number " + c.Serial.String()
	case certificate.QuirkTimeFraction, certificate.QuirkTimeGeneralizedEarly:
		return fmt.Sprintf("%s: %s to %s", q, c.NotBefore, c.NotAfter)
	}
	return string(q)
}

func duplicate(a *auditor) (n int, out []Finding) {
	n, found := groups(a, func(_ int, c *certificate.Certificate) ([sha256.Size]byte, bool) { return c.SHA256, true })
	for _, list := range found {
		out = append(out, Finding{Detail: fmt.Sprintf("%d times", len(list)), Items: a.itemsAt(list)})
	}
	return n, out
}

func sameNames(a *auditor) (int, []Finding) {
	type names struct{ issuer, subject string }
	n, found := groups(a, func(_ int, c *certificate.Certificate) (names, bool) {
		return names{string(c.Issuer), string(c.Subject)}, true
	})
	return n, a.grouped(found, func(list []int) string {
		if slices.ContainsFunc(list, func(i int) bool { return a.keys[i] != a.keys[list[0]] }) {
			return fmt.Sprintf("%d certificates of %s, with different keys", len(list), a.certificate(list[0]).Subject)
		}
		return fmt.Sprintf("%d certificates, with the same key", len(list))
	})
}

func sameIssuerSerial(a *auditor) (int, []Finding) {
	type number struct{ issuer, serial string }
	n, found := groups(a, func(_ int, c *certificate.Certificate) (number, bool) {
		return number{string(c.Issuer), string(c.Serial)}, true
	})
	return n, a.grouped(found, func(list []int) string {
		c := a.certificate(list[0])
		return fmt.Sprintf("serial number %s of %s", c.Serial, c.Issuer)
	})
}

func sameKey(a *auditor) (int, []Finding) {
	n, found := groups(a, func(i int, c *certificate.Certificate) ([sha256.Size]byte, bool) {
		return a.keys[i], len(c.RawSPKI) > 0
	})
	return n, a.grouped(found, func(list []int) string {
		first := a.certificate(list[0])
		names := "and the same subject"
		if slices.ContainsFunc(list, func(i int) bool { return !bytes.Equal(a.certificate(i).Subject, first.Subject) }) {
			names = "and different subjects"
		}
		return fmt.Sprintf("%d certificates with the key %x %s", len(list), a.keys[list[0]], names)
	})
}

// grouped are findings about groups, in which each certificate counts once.
func (a *auditor) grouped(lists [][]int, detail func([]int) string) (out []Finding) {
	for _, list := range lists {
		list = slices.DeleteFunc(list, func(i int) bool { return a.found.byHash[a.certificate(i).SHA256] != i })
		if len(list) > 1 {
			out = append(out, Finding{Detail: detail(list), Items: a.itemsAt(list)})
		}
	}
	return out
}

package audit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
)

// A Rule is one thing to know. Its ID does not change.
type Rule struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"` // what was found, in a few words
	Severity Severity `json:"severity"`
	Citation string   `json:"citation"` // where it is written
	Advice   string   `json:"advice"`   // what to do
	// Quirks are those that the rule finds. A rule with a function of its own looks at
	// the field that they name.
	Quirks []certificate.Quirk `json:"-"`
	// Always is set if a finding counts also if it was there before: it is about
	// who vouches, about what is distrusted, or about a demand of the user.
	Always bool `json:"-"`

	// One of the three is set. A rule over certificates looks at one that is at hand and
	// can be decoded: whether the rule applies, and what was found, empty for nothing. A
	// rule over entries looks at what is known of one, whether or not its certificate is
	// at hand: applies says whether that was enough. A rule over the whole gives the
	// number of things it applies to, and the findings.
	certificate func(a *auditor, i int, c *certificate.Certificate) (applies bool, detail string)
	entry       func(a *auditor, e Item) (applies bool, detail string)
	whole       func(a *auditor) (applied int, found []Finding)

	compare bool                     // whole compares certificates with each other, so that it misses those not known
	asked   func(*Requirements) bool // whether they ask for it; nil if it applies without any
}

func (r *Rule) isAsked(a *auditor) bool {
	return r.asked == nil || a.Requirements != nil && r.asked(a.Requirements)
}

// overCertificates makes a rule over certificates, which finds the quirks if it has no function of its own.
func overCertificates(id, title string, severity Severity, citation, advice string,
	find func(*auditor, int, *certificate.Certificate) (bool, string), quirks ...certificate.Quirk) Rule {
	if find == nil {
		find = findQuirks(quirks)
	}
	return Rule{ID: id, Title: title, Severity: severity, Citation: citation, Advice: advice, Quirks: quirks, certificate: find}
}

func overEntries(id, title string, severity Severity, citation, advice string, find func(*auditor, Item) (bool, string)) Rule {
	return Rule{ID: id, Title: title, Severity: severity, Citation: citation, Advice: advice, entry: find}
}

func overWhole(id, title string, severity Severity, citation, advice string, find func(*auditor) (int, []Finding)) Rule {
	return Rule{ID: id, Title: title, Severity: severity, Citation: citation, Advice: advice, whole: find}
}

func ifAsked(asked func(*Requirements) bool, r Rule) Rule {
	r.asked = asked
	return r
}

func always(r Rule) Rule {
	r.Always = true
	return r
}

//go:generate go test -run TestRulesDocument -update .

// Rules are all rules, in the order of reports.
func Rules() []Rule {
	list := []Rule{
		always(overWhole("signature-not-verified", "The signature does not lead to a trusted root", Error, "RFC 5652 section 5.6; RFC 5280 section 6.1",
			"Do not import the file. Fetch it again from Cisco, or give the root it is signed under with --root.", signatureNotVerified)),
		always(overWhole("not-signed", "No signature vouches for the certificates", Warning, "RFC 5652 section 5.1; Cisco IOS XE 17, Trustpool Management",
			"Import it only if the device takes unsigned certificates and you know where they come from.", notSigned)),
		overWhole("signature-sha1-tolerated", "The signer's certificate is signed with SHA-1, which the pinned anchor tolerates", Info, "NIST SP 800-131A Rev. 2 section 9; RFC 6194",
			"Nothing; Cisco Root CA M1 signed its signer so in 2011. A bundle under TRS Bundle Root CA does without.", sha1Tolerated),
		always(overWhole("bundle-old", "The bundle was signed longer ago than the requirements allow", Error, "the requirements: max-age",
			"Get the present bundle from Cisco.", bundleOld)),
		overEntries("undecodable", "An element is not a certificate", Error, "RFC 5280 section 4.1; RFC 5652 section 10.2.3",
			"Find out where the file was damaged: a device counts such an element as failed.", undecodable),
		always(overEntries("known-distrusted", "Root programs distrust the certificate, or its key", Error, "Mozilla Root Store Policy section 7.3; the document that the finding names",
			"Keep it out of the pool, or make an exception that says why it is needed.", knownDistrusted)),
		overEntries("distrust-after", "Certificates issued after a day are distrusted below this root", Info, "NSS lib/certdb/certdb.h, CKA_NSS_SERVER_DISTRUST_AFTER: compared with the notBefore of the leaf; Chrome root program, announcements",
			"Servers with a younger certificate need another root. Older certificates go on until they expire.", distrustAfter),
		overWhole("distrust-list-old", "The list of what root programs distrust is old", Info, "the list of the program; --program and --program-date",
			"Get a newer version of this program, or give a root program's newest file with --program and its day with --program-date.", distrustListOld),
		overEntries("expired", "No longer valid", Warning, "RFC 5280 section 4.1.2.5",
			"Nothing validates below it. A newer bundle may do without, and some devices count it as expired or failed at an import.", expired),
		overEntries("expiring", "Valid for a short while only", Warning, "RFC 5280 section 4.1.2.5",
			"Plan for the next bundle before that day.", expiring),
		overEntries("not-yet-valid", "Not yet valid", Warning, "RFC 5280 section 4.1.2.5",
			"Check the clock of the device, and of this machine.", notYetValid),
		overCertificates("md5-signature", "Signed with MD5 or MD2", Warning, "RFC 6151 section 2.1; CA/Browser Forum Baseline Requirements section 7.1.3.2",
			"A root's own signature is not what is trusted, but devices in FIPS mode refuse it. An intermediate signed so can be forged.", nil, certificate.QuirkSignatureMD5),
		overCertificates("sha1-signature", "Signed with SHA-1", Info, "NIST SP 800-131A Rev. 2 section 9; CA/Browser Forum Baseline Requirements section 7.1.3.2",
			"A root's own signature is not what is trusted, but an ASA in FIPS mode refuses it: import the intermediate that is needed instead.", nil, certificate.QuirkSignatureSHA1),
		overCertificates("rsa-small", "An RSA key under 2048 bits", Warning, "NIST SP 800-131A Rev. 2 section 3; CA/Browser Forum Baseline Requirements section 6.1.5",
			"Keep it out unless a server needs it. IOS XR can refuse such keys, devices in FIPS mode do.", rsaSmall, certificate.QuirkRSAShort),
		overCertificates("rsa-exponent", "An unusual RSA exponent", Info, "NIST SP 800-56B Rev. 2 section 6.2; CA/Browser Forum Baseline Requirements section 6.1.6",
			"Nothing; exponents other than 65537 work. Devices in FIPS mode may refuse those under 65537.", rsaExponent(unusual), certificate.QuirkRSAExponent),
		overCertificates("rsa-exponent-unusable", "An RSA exponent with which no signature is worth anything", Error, "RFC 8017 section 3.1",
			"Keep it out: with the exponent 1 anyone can sign, with an even one no one can.", rsaExponent(unusable), certificate.QuirkRSAExponent),
		overCertificates("public-key-unreadable", "The public key cannot be read", Warning, "RFC 5280 section 4.1.2.7; RFC 3279 section 2.3",
			"Nothing validates below it. Devices may count it as failed.", nil, certificate.QuirkPublicKeyUnreadable),
		overCertificates("not-ca", "Not marked as a CA", Warning, "RFC 5280 section 4.2.1.9",
			"Strict clients refuse chains through it. A root of X.509 version 1 cannot be marked.", notCA, certificate.QuirkNoBasicConstraints),
		overCertificates("no-key-cert-sign", "Its key usage does not let it sign certificates", Warning, "RFC 5280 section 4.2.1.3",
			"Clients refuse chains through it: keep it out unless it is pinned itself.", noKeyCertSign),
		overCertificates("intermediate", "An intermediate among roots", Info, "RFC 5280 section 3.2; RFC 4158 section 1.5.1",
			"A device takes it for an anchor: what is below it validates even if its root is missing or distrusted.", nil, certificate.QuirkIntermediate),
		overCertificates("self-signature-invalid", "Self-issued, and not signed by its own key", Warning, "RFC 5280 section 3.2, section 6.1",
			"In a signed bundle Cisco vouches for it as it is. In any other file compare its SHA-256 with what the CA publishes.", selfSignatureInvalid),
		overCertificates("self-signature-not-judged", "Self-issued, and its signature cannot be judged here", Info, "RFC 5280 section 4.1.1.2",
			"Compare its SHA-256 with what the CA publishes.", selfSignatureNotJudged),
	}
	return append(slices.Concat(list, rulesOfTheWhole(), rulesOfForm(), rulesOfDemands()), ruleOfPools())
}

// one is a finding about the whole.
func one(format string, args ...any) []Finding {
	return []Finding{{Detail: fmt.Sprintf(format, args...)}}
}

func undecodable(_ *auditor, e Item) (bool, string) {
	if c := e.Certificate; c != nil && c.Err != nil {
		return true, c.Err.Error()
	}
	return true, "" // what a device shows it has read
}

func expired(a *auditor, e Item) (bool, string) {
	end := e.ValidTo()
	over, known := end.Before(a.At)
	if over {
		return true, "expired " + timeWords(end)
	}
	return known, ""
}

func expiring(a *auditor, e Item) (bool, string) {
	end := e.ValidTo()
	if over, known := end.Before(a.At); over || !known {
		return over && e.Certificate == nil, "" // it is known then, and not for want of a certificate
	}
	later, known := end.After(a.At.Add(a.Expiring))
	if known && !later {
		return true, "expires " + timeWords(end)
	}
	return known, ""
}

func notYetValid(a *auditor, e Item) (bool, string) {
	begin := e.ValidFrom()
	later, known := begin.After(a.At)
	if later {
		return true, "valid from " + timeWords(begin)
	}
	return known, ""
}

func isRSA(c *certificate.Certificate) bool { return strings.HasPrefix(c.PublicKey.Algorithm, "RSA") }

// minRSABits is what the requirements ask for, else what is usual.
func (a *auditor) minRSABits() int {
	if a.Requirements != nil && a.Requirements.MinRSABits != 0 {
		return a.Requirements.MinRSABits
	}
	return defaultRSABits
}

const defaultRSABits = 2048

func rsaSmall(a *auditor, _ int, c *certificate.Certificate) (bool, string) {
	if !isRSA(c) || c.PublicKey.Bits == 0 {
		return false, ""
	}
	if bits := c.PublicKey.Bits; bits < a.minRSABits() {
		return true, fmt.Sprintf("%d bits, fewer than %d", bits, a.minRSABits())
	}
	return true, ""
}

// rsaExponent is the function of a rule that finds some RSA exponents.
func rsaExponent(found func(uint64) bool) func(*auditor, int, *certificate.Certificate) (bool, string) {
	return func(_ *auditor, _ int, c *certificate.Certificate) (bool, string) {
		switch e := c.PublicKey.Exponent; {
		case !isRSA(c) || c.PublicKey.Bits == 0:
			return false, ""
		case !found(e):
			return true, ""
		case e == 0:
			return true, "the exponent is 0 or has more than 64 bits"
		default:
			return true, fmt.Sprintf("the exponent is %d", e)
		}
	}
}

// unusual reports whether an exponent is one that keys may have but hardly any has.
func unusual(e uint64) bool { return e != 65537 && !unusable(e) }

// unusable reports whether no key can have the exponent. 0 is one that is too long
// to say.
func unusable(e uint64) bool { return e == 1 || e != 0 && e%2 == 0 }

func notCA(_ *auditor, _ int, c *certificate.Certificate) (bool, string) {
	switch {
	case c.Has(certificate.QuirkBasicUnreadable):
		return false, ""
	case c.IsCA:
		return true, ""
	case c.Version != 3:
		return true, fmt.Sprintf("X.509 version %d has no basicConstraints", c.Version)
	case c.Has(certificate.QuirkNoBasicConstraints):
		return true, "there is no basicConstraints"
	}
	return true, "basicConstraints says that it is not one"
}

func noKeyCertSign(_ *auditor, _ int, c *certificate.Certificate) (bool, string) {
	if c.KeyUsage&certificate.KeyUsagePresent == 0 || c.Has(certificate.QuirkKeyUsageUnreadable) {
		return false, ""
	}
	if c.KeyUsage&certificate.KeyUsageKeyCertSign == 0 {
		return true, "key usage: " + strings.Join(c.KeyUsage.Names(), ", ")
	}
	return true, ""
}

func selfSignatureInvalid(a *auditor, i int, _ *certificate.Certificate) (bool, string) {
	err := a.self[i]
	switch {
	case errors.Is(err, path.ErrNotJudged):
		return false, ""
	case err != nil:
		return true, err.Error()
	}
	return true, ""
}

func selfSignatureNotJudged(a *auditor, i int, c *certificate.Certificate) (bool, string) {
	if !c.SelfIssued() {
		return false, ""
	}
	if errors.Is(a.self[i], path.ErrNotJudged) {
		return true, "signed with " + c.SignatureAlgorithm.String() + ", key " + c.PublicKey.String()
	}
	return true, ""
}

// findQuirks is the function of a rule that finds each of the given quirks.
func findQuirks(list []certificate.Quirk) func(*auditor, int, *certificate.Certificate) (bool, string) {
	return func(_ *auditor, _ int, c *certificate.Certificate) (bool, string) {
		if len(c.Quirks) == 0 {
			return true, ""
		}
		var has []string
		for _, q := range list {
			if c.Has(q) {
				has = append(has, quirkWords(c, q))
			}
		}
		return true, strings.Join(has, "; ")
	}
}

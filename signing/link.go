package signing

import (
	"crypto"
	"crypto/rsa"
	"errors"
	"slices"

	"trustpool/bundle/certificate"
)

// CheckLink says whether the key of issuer signed c, and whether that was with
// SHA-1, which it takes: whether SHA-1 may be trusted is for the caller. MD5, what
// is not known here and more than 64 KiB are refused. Names and dates are not
// looked at. The reason is empty where err is nil.
func CheckLink(c, issuer *certificate.Certificate) (sha1 bool, reason Reason, err error) {
	sha1, r := checkLink(c, issuer)
	reason, err = r.parts()
	return sha1, reason, err
}

// CheckIssuer applies the rules of RFC 5280 section 6.1.4 k to n to a CA with the
// given number of intermediates between it and the end of the chain, those that
// are self-issued not counted.
func CheckIssuer(c *certificate.Certificate, intermediates int) (Reason, error) {
	return checkIssuer(c, intermediates).parts()
}

// CheckReadable refuses a certificate of which a field cannot be read that the
// rules on chains need.
func CheckReadable(c *certificate.Certificate) (Reason, error) { return unreadable(c).parts() }

// CheckCritical refuses a critical extension that is neither understood here nor
// among those, by the bytes of their OIDs, that the caller evaluates. Name
// constraints are not understood here.
func CheckCritical(c *certificate.Certificate, evaluated ...string) (Reason, error) {
	return checkCritical(c, evaluated...).parts()
}

func (r *refusal) parts() (Reason, error) {
	if r == nil {
		return "", nil
	}
	return r.reason, r.err
}

// checkLink checks that issuer signed c.
func checkLink(c, issuer *certificate.Certificate) (sha1 bool, r *refusal) {
	a, known := certificateAlgorithm(c.SignatureAlgorithm)
	switch {
	case len(c.Raw) > maxCertificate || len(issuer.Raw) > maxCertificate:
		return false, refuse(ChainTooComplex, "a certificate of more than %d bytes", maxCertificate)
	case c.Has(certificate.QuirkSignatureBits):
		return false, refuse(ChainSignature, "the signature on %s is no whole number of bytes", nameOf(c))
	case c.Has(certificate.QuirkAlgorithmsDiffer):
		return false, refuse(ChainSignature, "the certificate %s names two signature algorithms", nameOf(c))
	case c.Has(certificate.QuirkSignatureMD5):
		return false, refuse(ChainWeak, "the certificate %s is signed with %s", nameOf(c), c.SignatureAlgorithm)
	case !known:
		return false, refuse(ChainUnsupported, "the certificate %s is signed with %s, which is not known here", nameOf(c), c.SignatureAlgorithm)
	}
	key, err := publicKey(issuer)
	if err != nil {
		return false, refuse(ChainUnsupported, "the key of %s (%s) cannot be used: %w", nameOf(issuer), issuer.PublicKey, err)
	}
	if err := a.check(key, c.RawTBS, c.Signature); err != nil { // a key of another type did not sign either
		return false, refuse(ChainSignature, "the certificate %s is not signed by the key of %s: %w", nameOf(c), nameOf(issuer), err)
	}
	return a.hash == crypto.SHA1, nil
}

// checkIssuer applies the rules on a CA (RFC 5280 section 6.1.4 k to n). The
// anchor is held to them too.
func checkIssuer(c *certificate.Certificate, intermediates int) *refusal {
	if !c.IsCA {
		return refuse(ChainNotCA, "the issuer %s is not marked as a CA", nameOf(c))
	}
	if c.KeyUsage&certificate.KeyUsagePresent != 0 && c.KeyUsage&certificate.KeyUsageKeyCertSign == 0 {
		return refuse(ChainKeyUsage, "the issuer %s may not sign certificates: its key usage lacks keyCertSign", nameOf(c))
	}
	if c.PathLen >= 0 && intermediates > c.PathLen {
		return refuse(ChainPathLength, "the issuer %s allows %d intermediates below it, there are %d", nameOf(c), c.PathLen, intermediates)
	}
	return nil
}

// intermediates counts those that are not self-issued, which alone the path
// length is about.
func intermediates(links []Link) int {
	n := 0
	for _, l := range links {
		if !l.Certificate.SelfIssued() {
			n++
		}
	}
	return n
}

// Extensions that are evaluated, or whose being critical asks for nothing that
// is missing here. Policies never fail a chain that asks for none (RFC 5280
// section 6.1.5 g); alternative names and the places of revocation lists say
// nothing that a rule uses.
var understood = []string{
	certificate.OIDBasicConstraints, certificate.OIDKeyUsage, certificate.OIDExtKeyUsage, certificate.OIDSubjectKeyID, certificate.OIDAuthorityKeyID,
	"\x55\x1d\x11", // subjectAltName
	"\x55\x1d\x12", // issuerAltName
	"\x55\x1d\x1f", // cRLDistributionPoints
	"\x55\x1d\x20", // certificatePolicies
}

const oidNameConstraints = "\x55\x1d\x1e"

// checkExtensions refuses what a certificate demands and nobody here fulfils.
func checkExtensions(c *certificate.Certificate) *refusal {
	for e := range c.EachExtension() {
		if string(e.ID) == oidNameConstraints {
			return refuse(ChainNameConstraints, "the certificate %s has name constraints, which are not evaluated", nameOf(c))
		}
	}
	return checkCritical(c)
}

func checkCritical(c *certificate.Certificate, evaluated ...string) *refusal {
	for e := range c.EachExtension() {
		if id := string(e.ID); e.Critical && !slices.Contains(understood, id) && !slices.Contains(evaluated, id) {
			return refuse(ChainCriticalExtension, "the certificate %s has the critical extension %s, which is not known here", nameOf(c), e.ID.Dotted())
		}
	}
	return nil
}

// CheckSelfSignature says whether a self-issued certificate is signed by its own
// key. MD5 and SHA-1 are judged too: the question is arithmetic, not trust.
// ErrNotJudged says that the algorithm or the key is of no kind known here, or one
// that crypto/rsa does not compute with, such as a modulus under 1024 bits.
func CheckSelfSignature(c *certificate.Certificate) error {
	if !c.SelfIssued() || len(c.Raw) > maxCertificate {
		return ErrNotJudged
	}
	if c.Has(certificate.QuirkSignatureBits) {
		return errors.New("the signature is no whole number of bytes")
	}
	a, known := certificateAlgorithm(c.SignatureAlgorithm)
	if !known {
		return ErrNotJudged
	}
	key, err := publicKey(c)
	if err != nil {
		return ErrNotJudged
	}
	err = a.check(key, c.RawTBS, c.Signature)
	if _, isRSA := key.(*rsa.PublicKey); isRSA && err != nil && !errors.Is(err, rsa.ErrVerification) || errors.Is(err, errKeyType) {
		return ErrNotJudged // crypto/rsa refuses the key: too short, an even exponent
	}
	return err
}

// ErrNotJudged is the answer of CheckSelfSignature where there is none.
var ErrNotJudged = errors.New("the self-signature cannot be judged")

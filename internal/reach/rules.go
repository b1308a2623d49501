package reach

import (
	"bytes"
	"fmt"
	"slices"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/signing"
)

// arrive judges a chain that has come to an anchor.
func (w *walk) arrive() {
	path := Path{Certificates: w.certificates(), Doubts: slices.Clone(w.doubts)}
	same := func(p Path) bool { return p.Anchor().SHA256 == path.Anchor().SHA256 }
	if slices.ContainsFunc(w.found, same) {
		return
	}
	doubt := func(reason Reason, format string, args ...any) {
		path.Doubts = append(path.Doubts, Doubt{reason, fmt.Sprintf(format, args...)})
	}
	for i, l := range w.chain {
		isAnchor := i == len(w.chain)-1 && i > 0
		check := w.checkBelow
		if isAnchor {
			check = w.checkAnchor
		}
		if reason, err := check(l.c, doubt); err != nil {
			w.fail(reason, err, true)
			return
		}
		if i > 0 {
			if reason, err := w.checkIssuer(i, isAnchor, doubt); err != nil {
				w.fail(reason, err, true)
				return
			}
		}
		if isAnchor || i == len(w.chain)-1 {
			continue // how it was signed does not count
		}
		if l.sha1 {
			path.SHA1 = true
			switch w.options.SHA1 {
			case SHA1Refuse:
				w.fail(signing.ChainSHA1, fmt.Errorf("the certificate %s is signed with SHA-1", nameOf(l.c)), true)
				return
			case SHA1Unknown:
				doubt(signing.ChainSHA1, "the certificate %s is signed with SHA-1; whether the device takes that is not known", nameOf(l.c))
			}
		}
		if l.other {
			doubt(KeyIdentifier, "the authority key identifier of %s is not that of %s, whose key signed it; OpenSSL refuses that", nameOf(l.c), nameOf(w.chain[i+1].c))
		}
		if l.folded {
			doubt(NameEncoding, "the issuer of %s is spelt in other bytes than the subject of %s", nameOf(l.c), nameOf(w.chain[i+1].c))
		}
	}
	list := &w.found
	if len(path.Doubts) > 0 {
		list = &w.doubtful
	}
	if len(*list) < maxPaths && !slices.ContainsFunc(*list, same) {
		*list = append(*list, path)
	}
}

type doubter func(reason Reason, format string, args ...any)

// checkBelow applies the rules on every certificate but the anchor.
func (w *walk) checkBelow(c *certificate.Certificate, doubt doubter) (Reason, error) {
	if extension(c, oidPolicyConstraints) != nil {
		doubt(PolicyConstraints, "the certificate %s has policy constraints, which are not evaluated", nameOf(c))
	}
	doubtUnreadable(c, doubt)
	if reason, err := signing.CheckReadable(c); err != nil {
		return reason, err
	}
	if w.options.At.Before(c.NotBefore.Time) {
		return signing.ChainNotYetValid, fmt.Errorf("the certificate %s is valid from %s on only", nameOf(c), c.NotBefore)
	}
	if w.options.At.After(c.NotAfter.Time) {
		return signing.ChainExpired, fmt.Errorf("the certificate %s expired at %s", nameOf(c), c.NotAfter)
	}
	return checkCritical(c)
}

// checkCritical refuses critical extensions that are not known. What is said on
// policies fails no chain where none is asked for (RFC 5280 section 6.1.5 g), but
// for policy constraints, which ask.
func checkCritical(c *certificate.Certificate) (Reason, error) {
	return signing.CheckCritical(c, oidNameConstraints, oidPolicyMappings, oidPolicyConstraints, oidInhibitAnyPolicy)
}

// doubtUnreadable doubts extensions that no rule here needs, and that OpenSSL and
// crypto/x509 refuse a certificate for.
func doubtUnreadable(c *certificate.Certificate, doubt doubter) {
	_, err := alternativeNames(c)
	if err != nil || c.Has(certificate.QuirkSubjectKeyIDUnreadable) || c.Has(certificate.QuirkAuthKeyIDUnreadable) {
		doubt(ExtensionUnreadable, "the certificate %s has an alternative name or a key identifier that cannot be read", nameOf(c))
	}
}

// checkAnchor doubts what RFC 5280 section 6.1.1 does not ask of an anchor and
// others do.
func (w *walk) checkAnchor(c *certificate.Certificate, doubt doubter) (Reason, error) {
	if _, err := signing.CheckReadable(c); err != nil {
		doubt(AnchorUnreadable, "of the anchor: %v", err)
	}
	if c.NotBefore.Valid && w.options.At.Before(c.NotBefore.Time) {
		doubt(AnchorDates, "the anchor %s is valid from %s on only; whether the device asks is not known", nameOf(c), c.NotBefore)
	}
	if c.NotAfter.Valid && w.options.At.After(c.NotAfter.Time) {
		doubt(AnchorDates, "the anchor %s expired at %s; whether the device asks is not known", nameOf(c), c.NotAfter)
	}
	doubtUnreadable(c, doubt)
	if reason, err := checkCritical(c); err != nil {
		doubt(reason, "of the anchor: %v", err)
	}
	return "", nil
}

// checkIssuer applies the rules on the CA at the i-th place of the chain, for what
// stands below it.
func (w *walk) checkIssuer(i int, isAnchor bool, doubt doubter) (Reason, error) {
	c, n := w.chain[i].c, 0
	for _, l := range w.chain[1:i] {
		if !l.c.SelfIssued() {
			n++
		}
	}
	if !w.isServer && !w.chain[0].c.SelfIssued() {
		n++ // an intermediate, below which there is still a server
	}
	switch silent := c.Version < 3 || c.Has(certificate.QuirkNoBasicConstraints); {
	case !isAnchor || !silent:
		if reason, err := signing.CheckIssuer(c, n); err != nil {
			return reason, err
		}
	case c.KeyUsage&certificate.KeyUsagePresent != 0 && c.KeyUsage&certificate.KeyUsageKeyCertSign == 0:
		return signing.ChainKeyUsage, fmt.Errorf("the anchor %s may not sign certificates: its key usage lacks keyCertSign", nameOf(c))
	case c.Version != 1 || !c.SelfIssued():
		doubt(AnchorNotCA, "the anchor %s is not marked as a CA; whether the device asks is not known", nameOf(c))
	}
	switch allowed, byAny := forServers(c); {
	case !allowed:
		return signing.ChainPurpose, fmt.Errorf("the issuer %s is for %v, not for servers", nameOf(c), c.ExtKeyUsage)
	case byAny:
		doubt(AnyPurpose, "the issuer %s is for any purpose, and does not name servers; OpenSSL refuses that", nameOf(c))
	}
	var below []*certificate.Certificate
	for j, l := range w.chain[:i] {
		if j == 0 || !l.c.SelfIssued() { // RFC 5280 section 4.2.1.10
			below = append(below, l.c)
		}
	}
	return checkConstraints(c, below, &w.names, doubt)
}

// identifies reports whether what the authorityKeyIdentifier of c says is so of the
// issuer: the key identifier, and the issuer's own issuer and serial number (RFC
// 5280 section 4.2.1.1).
func identifies(c, issuer *certificate.Certificate) bool {
	if c.AuthorityKeyID != nil && issuer.SubjectKeyID != nil && !bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID) {
		return false
	}
	in := cryptobyte.String(extension(c, certificate.OIDAuthorityKeyID))
	var id, names, serial cryptobyte.String
	var named, numbered bool
	if !in.ReadASN1(&id, asn1.SEQUENCE) || !id.SkipOptionalASN1(asn1.Tag(0).ContextSpecific()) ||
		!id.ReadOptionalASN1(&names, &named, asn1.Tag(1).ContextSpecific().Constructed()) ||
		!id.ReadOptionalASN1(&serial, &numbered, asn1.Tag(2).ContextSpecific()) {
		return true // absent, or doubted as unreadable
	}
	if numbered && !bytes.Equal(serial, issuer.Serial) {
		return false
	}
	for named && !names.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !names.ReadAnyASN1(&name, &tag) {
			break
		}
		if formOf(tag) == formDirectory {
			return bytes.Equal(name, issuer.Issuer)
		}
	}
	return true
}

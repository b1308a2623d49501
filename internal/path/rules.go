package path

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
)

// judge applies RFC 5280 section 6.1 to a chain with good signatures that has come
// to an anchor. The first refusal of a rule counts.
func (w *walk) judge() *Refusal {
	w.doubts, w.refused = nil, nil
	end := len(w.chain) - 1
	allowed := ^uint(0)
	for i, l := range w.chain {
		anchor := i == end && i > 0
		w.run.extensions(l.node)
		if anchor && !w.Strict {
			w.doubtAnchor(l.node)
		} else {
			w.checkEach(l.node)
		}
		if i > 0 {
			w.checkIssuer(i, anchor)
			if !anchor || !w.Strict {
				w.checkPurpose(l.node, &allowed)
			}
			w.checkConstraints(i)
		}
		if i < end {
			w.checkLinked(i)
		}
		if w.refused != nil {
			return w.refused
		}
	}
	w.checkPolicies()
	return w.refused
}

// keep records the refusal of a rule, nil for none, if it is the first.
func (w *walk) keep(r *Refusal) {
	if w.refused == nil {
		w.refused = r
	}
}

func (w *walk) refuse(reason Reason, format string, args ...any) {
	w.keep(refuse(reason, format, args...))
}

// doubt records a doubt; if the policy is strict it refuses.
func (w *walk) doubt(reason Reason, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if w.Strict {
		w.keep(&Refusal{reason, errors.New(text)})
	} else if d := (Doubt{reason, text}); !slices.Contains(w.doubts, d) {
		w.doubts = append(w.doubts, d)
	}
}

// checkLinked applies the rules on how the certificate at the i-th place is linked
// with the next.
func (w *walk) checkLinked(i int) {
	l, issuer := w.chain[i], w.chain[i+1].node
	if l.SHA1 {
		anchor := w.chain[len(w.chain)-1].node
		switch w.SHA1(anchor.Certificate) {
		case SHA1Refuse:
			w.refuse(SHA1Signed, "the certificate %s is signed with SHA-1, which the anchor %s does not tolerate", nameOf(l.node), Cut(anchor.Subject.CommonName()))
		case SHA1Unknown:
			w.doubt(SHA1Signed, "the certificate %s is signed with SHA-1; whether the device takes that is not known", nameOf(l.node))
		}
	}
	if l.other {
		w.doubt(KeyIdentifier, "the authority key identifier of %s is not that of %s, whose key signed it; OpenSSL refuses that", nameOf(l.node), nameOf(issuer))
	}
	if !l.exact {
		w.doubt(NameEncoding, "the issuer of %s is the subject of %s by RFC 5280 section 7.1; OpenSSL compares ASCII letters alone", nameOf(l.node), nameOf(issuer))
	}
}

// identifies reports whether what the authorityKeyIdentifier of c says is so of the
// issuer: the key identifier, and the issuer's own issuer and serial number (RFC
// 5280 section 4.2.1.1). One that cannot be read is a doubt of another kind.
func (w *walk) identifies(c, issuer *node) bool {
	if c.AuthorityKeyID != nil && issuer.SubjectKeyID != nil && !bytes.Equal(c.AuthorityKeyID, issuer.SubjectKeyID) {
		return false
	}
	a := w.run.authority(c)
	return (len(a.serial) == 0 || bytes.Equal(a.serial, issuer.Serial)) && (!a.named || a.issuer == issuer.issuer)
}

// unreadable returns the first quirk for which a field that the rules need is not
// known.
func unreadable(c *node) certificate.Quirk {
	for _, q := range []certificate.Quirk{
		certificate.QuirkNotBeforeUnreadable, certificate.QuirkNotAfterUnreadable, certificate.QuirkBasicUnreadable,
		certificate.QuirkKeyUsageUnreadable, certificate.QuirkExtKeyUsageUnreadable, certificate.QuirkExtensionTwice,
		certificate.QuirkVersionUnknown, certificate.QuirkExtensionsWithoutV3, certificate.QuirkTimeNoSeconds, certificate.QuirkTimeOffset,
	} {
		if c.Has(q) {
			return q
		}
	}
	return ""
}

// CheckReadable refuses a certificate with a field that the rules need and that
// cannot be read.
func CheckReadable(c *certificate.Certificate) *Refusal { return checkReadable(&node{Certificate: c}) }

func checkReadable(n *node) *Refusal {
	if q := unreadable(n); q != "" {
		return refuse(Unreadable, "the certificate %s: %s", nameOf(n), q)
	}
	return nil
}

// before and after compare with whole seconds, which dates of certificates have: a
// certificate is valid until its last second ends.
func (w *walk) before(n *node) bool { return w.At.Before(n.NotBefore.Time) }
func (w *walk) after(n *node) bool  { return w.At.Truncate(time.Second).After(n.NotAfter.Time) }

// checkEach applies the rules on a certificate for itself.
func (w *walk) checkEach(n *node) {
	w.keep(checkReadable(n))
	switch {
	case w.before(n):
		w.refuse(NotYetValid, "the certificate %s is valid from %s on only", nameOf(n), n.NotBefore)
	case w.after(n):
		w.refuse(Expired, "the certificate %s expired at %s", nameOf(n), n.NotAfter)
	case explicitCurve(n.Certificate):
		w.refuse(ExplicitCurve, "the key of %s cannot be used: %w", nameOf(n), errExplicitCurve)
	}
	if n.Has(certificate.QuirkPublicKeyUnreadable) {
		w.doubt(Unsupported, "the key of %s (%s) cannot be read", nameOf(n), n.PublicKey)
	} else if k := w.run.keyOf(n); k.err != nil && readsKey(n.Certificate) {
		w.doubt(Unsupported, "the key of %s (%s) cannot be used: %v", nameOf(n), n.PublicKey, k.err)
	}
	w.keep(n.critical)
	w.doubtUnreadable(n)
}

// doubtUnreadable doubts extensions that RFC 5280 does not need for a path, and
// that others refuse a certificate for.
func (w *walk) doubtUnreadable(n *node) {
	if n.odd != nil {
		w.doubt(n.odd.Reason, "%s", n.odd.Text)
	}
}

// oddity returns what doubtUnreadable doubts first, nil if there is nothing.
func (r *Run) oddity(n *node) *Doubt {
	doubt := func(reason Reason, format string, args ...any) *Doubt {
		return &Doubt{reason, fmt.Sprintf(format, args...)}
	}
	_, _, typeErr := n.NetscapeType()
	for _, err := range []error{n.namesErr, r.authority(n).err, n.CheckCRLDistributionPoints(), typeErr} {
		if err != nil {
			return doubt(ExtensionUnreadable, "the certificate %s: %v", nameOf(n), err)
		}
	}
	switch {
	case n.constraintsErr != nil:
		return doubt(ConstraintUnknown, "the name constraints of %s cannot be read: %v", nameOf(n), n.constraintsErr)
	case n.constraints != nil && n.constraints.malformed != "":
		return doubt(ConstraintUnknown, "the name constraint %s of %s cannot be evaluated", n.constraints.malformed, nameOf(n))
	}
	for _, oid := range unevaluated {
		if e, ok := n.Extension(oid); ok {
			return doubt(ExtensionUnreadable, "the certificate %s has the extension %s, which is not evaluated here; OpenSSL may refuse that", nameOf(n), e.ID.Dotted())
		}
	}
	_, named := n.Extension(certificate.OIDSubjectAltName)
	notASCII := slices.IndexFunc(n.names, func(g certificate.GeneralName) bool {
		text := g.Form == certificate.FormMail || g.Form == certificate.FormDNS || g.Form == certificate.FormURI
		return text && bytes.ContainsFunc(g.Value, func(r rune) bool { return r >= 0x80 })
	})
	switch {
	case notASCII >= 0:
		return doubt(ExtensionUnreadable, "the certificate %s has the alternative name %q, which is not ASCII (RFC 5280 section 4.2.1.6)", nameOf(n), Text(n.names[notASCII]))
	case named && n.namesErr == nil && len(n.names) == 0:
		return doubt(ExtensionUnreadable, "the certificate %s has a subjectAltName without a name, which RFC 5280 section 4.2.1.6 forbids", nameOf(n))
	case n.Has(certificate.QuirkSubjectKeyIDUnreadable), n.Has(certificate.QuirkAuthKeyIDUnreadable):
		return doubt(ExtensionUnreadable, "the certificate %s has a key identifier that cannot be read", nameOf(n))
	case n.Has(certificate.QuirkExtensionNotDER):
		return doubt(ExtensionUnreadable, "the certificate %s has an extension that is not in DER, or that something follows; whether the device takes that is not known", nameOf(n))
	case n.Has(certificate.QuirkTimeFraction):
		return doubt(FractionalTime, "the certificate %s has a date with fractional seconds; OpenSSL refuses that", nameOf(n))
	}
	return nil
}

// unevaluated are extensions that OpenSSL has rules for and RFC 5280 has not:
// proxies (RFC 3820), and addresses and numbers of networks (RFC 3779).
var unevaluated = []string{
	certificate.OIDProxyCertInfo,
	"\x2b\x06\x01\x05\x05\x07\x01\x07", // 1.3.6.1.5.5.7.1.7
	"\x2b\x06\x01\x05\x05\x07\x01\x08",
}

// processed are the extensions that may be critical: those that are evaluated, and
// cRLDistributionPoints, which a rule on revocation alone would need. What is said
// on policies fails no path that does not demand one (RFC 5280 section 6.1.5 g).
var processed = []string{
	certificate.OIDKeyUsage, certificate.OIDSubjectAltName, certificate.OIDBasicConstraints, certificate.OIDNameConstraints,
	certificate.OIDCRLDistributionPoints, certificate.OIDPolicies, certificate.OIDPolicyMappings, certificate.OIDPolicyConstraints,
	certificate.OIDExtKeyUsage, certificate.OIDInhibitAnyPolicy,
}

// checkCritical refuses a critical extension that is not processed (RFC 5280
// section 4.2).
func checkCritical(n *node) *Refusal {
	for e := range n.EachExtension() {
		if e.Critical && !slices.Contains(processed, string(e.ID)) {
			return refuse(CriticalExtension, "the certificate %s has the critical extension %s, which is not processed", nameOf(n), e.ID.Dotted())
		}
	}
	return nil
}

// doubtAnchor doubts what RFC 5280 section 6.1.1 does not ask of an anchor and
// others do.
func (w *walk) doubtAnchor(n *node) {
	if explicitCurve(n.Certificate) {
		w.refuse(ExplicitCurve, "the key of the anchor %s cannot be used: %w", nameOf(n), errExplicitCurve)
	}
	if r := checkReadable(n); r != nil {
		w.doubt(AnchorUnreadable, "of the anchor: %v", r.Err)
	}
	if n.NotBefore.Valid && w.before(n) {
		w.doubt(AnchorDates, "the anchor %s is valid from %s on only; whether the device asks is not known", nameOf(n), n.NotBefore)
	}
	if n.NotAfter.Valid && w.after(n) {
		w.doubt(AnchorDates, "the anchor %s expired at %s; whether the device asks is not known", nameOf(n), n.NotAfter)
	}
	w.doubtUnreadable(n)
	if n.policiesErr != nil {
		w.doubt(ExtensionUnreadable, "of the anchor %s: %v", nameOf(n), n.policiesErr)
	}
	if n.critical != nil {
		w.doubt(n.critical.Reason, "of the anchor: %v", n.critical.Err)
	}
}

// checkIssuer applies the rules on the CA at the i-th place (RFC 5280 section 6.1.4
// k to n). What an anchor says binds it; if it says nothing, that is a doubt.
func (w *walk) checkIssuer(i int, anchor bool) {
	n := w.chain[i].node
	silent := n.Version < 3 || n.Has(certificate.QuirkNoBasicConstraints)
	switch {
	case n.IsCA:
	case !silent || !anchor || w.Strict:
		w.refuse(NotCA, "the issuer %s is not marked as a CA", nameOf(n))
	case n.Version != 1 || !n.selfIssued:
		w.doubt(AnchorNotCA, "the anchor %s is not marked as a CA; whether the device asks is not known", nameOf(n))
	}
	if n.KeyUsage&certificate.KeyUsagePresent != 0 && n.KeyUsage&certificate.KeyUsageKeyCertSign == 0 {
		w.refuse(KeyUsage, "the issuer %s may not sign certificates: its key usage lacks keyCertSign", nameOf(n))
	}
	below := 0
	for _, l := range w.chain[1:i] {
		if !l.node.selfIssued {
			below++
		}
	}
	if n.PathLen >= 0 && below > n.PathLen {
		w.refuse(PathLength, "the issuer %s allows %d intermediates below it, there are %d", nameOf(n), n.PathLen, below)
	}
}

// checkPurpose takes what an issuer does not allow from the groups of purposes that
// are left, and refuses if none is.
func (w *walk) checkPurpose(n *node, allowed *uint) {
	if len(w.Purposes) == 0 {
		return
	}
	set, byAny := AllowedPurposes(n.Certificate, w.Purposes)
	*allowed &= set
	switch {
	case *allowed == 0:
		w.refuse(Purpose, "the issuer %s is for %v, which does not allow it", nameOf(n), n.ExtKeyUsage)
	case byAny && !w.Strict:
		w.doubt(AnyPurpose, "the issuer %s is for any purpose, and does not name servers; OpenSSL refuses that", nameOf(n))
	}
}

// AllowedPurposes returns a bit for each group of purposes that has one which a
// certificate allows, and whether it does so only by allowing any. Without extended key
// usage all are allowed.
func AllowedPurposes(c *certificate.Certificate, groups [][]string) (set uint, byAny bool) {
	if len(c.ExtKeyUsage) == 0 {
		return 1<<len(groups) - 1, false
	}
	has := func(purpose string) bool {
		return slices.ContainsFunc(c.ExtKeyUsage, func(id certificate.ObjectID) bool { return string(id) == purpose })
	}
	for i, group := range groups {
		if slices.ContainsFunc(group, has) {
			set |= 1 << i
		}
	}
	if has(certificate.PurposeAny) {
		return 1<<len(groups) - 1, set == 0
	}
	return set, false
}

// checkConstraints applies the name constraints of the issuer at the i-th place to
// the certificates below it (RFC 5280 sections 4.2.1.10, 6.1.3 b and c).
func (w *walk) checkConstraints(i int) {
	issuer := w.chain[i].node
	for j, l := range w.chain[:i] {
		if w.refused != nil || issuer.constraints == nil {
			return
		}
		if j > 0 && l.node.selfIssued {
			continue
		}
		p, ok := w.run.permits[[2]*node{issuer, l.node}]
		if !ok {
			if p, ok = w.run.permit(issuer, l.node); !ok {
				w.refuse(TooComplex, "more bytes of names to compare with constraints than the input allows")
				return
			}
			w.run.permits[[2]*node{issuer, l.node}] = p
		}
		if p.outside != "" {
			w.refuse(NameConstraint, "the issuer %s does not permit %s to be %s", nameOf(issuer), nameOf(l.node), p.outside)
		}
		if j == 0 && p.hostOutside != "" {
			w.doubt(NameConstraint, "the issuer %s does not permit the common name %s of %s as a host; OpenSSL refuses that", nameOf(issuer), p.hostOutside, nameOf(l.node))
		}
		if p.many {
			w.doubt(NameConstraint, "%s has more names than OpenSSL compares with the constraints of %s; OpenSSL refuses that", nameOf(l.node), nameOf(issuer))
		}
		if p.unclear != "" {
			w.doubt(ConstraintUnknown, "the name constraints of %s on %s cannot be evaluated for %s", nameOf(issuer), p.unclear, nameOf(l.node))
		}
	}
}

// A permission is what an issuer's constraints say of a certificate's names: one
// that is outside, one that cannot be judged, and a common name that is outside if
// it is taken for a host. They are empty if there is none.
type permission struct {
	outside, unclear, hostOutside string
	many                          bool // more than maxOpenSSL
}

// maxOpenSSL is how many comparisons of names with constraints OpenSSL makes for one
// certificate.
const maxOpenSSL = 1 << 20

// permit compares the names of a certificate with the constraints of an issuer; it
// is false if there are too many.
func (r *Run) permit(issuer, c *node) (p permission, ok bool) {
	r.extensions(c)
	if r.names -= c.namesSize; r.names < 0 {
		return p, false
	}
	constraints := issuer.constraints
	say := func(g certificate.GeneralName, to *string) {
		if *to == "" {
			*to = Text(g)
		}
	}
	hosts := false
	for _, g := range c.names {
		hosts = hosts || g.Form == certificate.FormDNS
		switch constraints.judge(g) {
		case outside:
			say(g, &p.outside)
			return p, true
		case notJudged:
			say(g, &p.unclear)
		}
		if g.Form != certificate.FormMail && isMail(g) && constraints.speaksOf(certificate.FormMail) {
			say(g, &p.unclear)
		}
	}
	if c.namesErr != nil {
		p.unclear = "alternative names that cannot be read"
	}
	attributes := c.Subject.Attributes()
	p.many = constraints.count*(len(c.names)+len(attributes)) > maxOpenSSL
	constraints.permitSubject(c, attributes, hosts, &p)
	return p, true
}

// permitSubject is permit of the subject: the distinguished name, and if there are
// no alternative names its mail addresses. If there are, OpenSSL looks at these
// too, and if there is no DNS name among them at the common name.
func (x *constraints) permitSubject(c *node, attributes []certificate.Attribute, hosts bool, p *permission) {
	if len(attributes) == 0 {
		return
	}
	switch x.judge(certificate.GeneralName{Form: certificate.FormDirectory, Value: c.Subject}) {
	case outside:
		p.outside = "its distinguished name"
		return
	case notJudged:
		p.unclear = "its distinguished name"
	}
	mail, strict := c.Subject.MailAddresses()
	if !strict {
		p.unclear = "a mail address of another type of string"
	}
	for _, address := range mail {
		mailName := certificate.GeneralName{Form: certificate.FormMail, Value: []byte(address)}
		switch verdict := x.judge(mailName); {
		case verdict == outside && len(c.names) == 0:
			p.outside = Text(mailName)
			return
		case verdict != inside:
			p.unclear = Text(mailName)
		}
	}
	for _, a := range attributes {
		if host, ok := hostOf(strings.TrimRight(a.Value, "\x00")); ok && a.Type == "CN" && !hosts {
			if x.judge(certificate.GeneralName{Form: certificate.FormDNS, Value: []byte(host)}) != inside {
				p.hostOutside = Cut(host)
			}
		}
	}
}

// checkPolicies applies what RFC 5280 section 6.1 says on policies if the user asks
// for none: they must be readable, anyPolicy is not mapped, and a path may demand an
// explicit policy (section 6.1.2 d). An anchor's do not count.
func (w *walk) checkPolicies() {
	path := w.chain
	if n := len(path) - 1; n > 0 {
		if anchor := path[n].node; w.Strict && anchor.policiesErr != nil {
			w.refuse(PolicyMalformed, "the anchor %s: %w", nameOf(anchor), anchor.policiesErr)
		}
		path = path[:n]
	}
	explicit, by := len(path)+1, path[0].node // certificates until an explicit policy is demanded
	for i, l := range slices.Backward(path) {
		n := l.node
		if n.policiesErr != nil {
			w.refuse(PolicyMalformed, "the certificate %s: %w", nameOf(n), n.policiesErr)
		}
		if q := n.policies.UnknownQualifier; q != nil {
			w.refuse(PolicyMalformed, "the certificate %s has critical policies with the qualifier %s, which is not processed", nameOf(n), q.Dotted())
		}
		if i > 0 && n.policies.MapsAny {
			w.refuse(PolicyMalformed, "the certificate %s maps anyPolicy", nameOf(n))
		}
		if explicit > 0 && (i == 0 || !n.selfIssued) {
			explicit--
		}
		if demand := n.policies.RequireExplicit; demand >= 0 && demand < explicit && (i > 0 || demand == 0) {
			explicit, by = demand, n
		}
	}
	if explicit == 0 {
		w.doubt(PolicyConstraints, "%s demands an explicit policy; what devices take for their policies is not known", nameOf(by))
	}
}

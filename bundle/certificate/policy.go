package certificate

import (
	"fmt"
	"math"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Policies is what a certificate says about policies that can fail a path for which
// none is asked.
type Policies struct {
	// RequireExplicit is how many certificates may follow before an explicit policy is
	// demanded (RFC 5280 section 4.2.1.11), -1 for any number.
	RequireExplicit int
	// MapsAny reports whether anyPolicy is mapped from or to, which RFC 5280 section
	// 6.1.4 (a) refuses.
	MapsAny bool
	// UnknownQualifier is a qualifier of a critical certificatePolicies of a kind that
	// RFC 5280 does not have, for which section 4.2.1.4 refuses the certificate; nil if
	// there is none.
	UnknownQualifier ObjectID
}

// anyPolicy is 2.5.29.32.0.
const anyPolicy = "\x55\x1d\x20\x00"

// Kinds of policy qualifiers that RFC 5280 section 4.2.1.4 has.
const (
	qualifierCPS    = "\x2b\x06\x01\x05\x05\x07\x02\x01" // 1.3.6.1.5.5.7.2.1
	qualifierNotice = "\x2b\x06\x01\x05\x05\x07\x02\x02"
)

// Policies reads all extensions about policies; it fails if it cannot read one of them.
func (c *Certificate) Policies() (Policies, error) {
	p := Policies{RequireExplicit: -1}
	for e := range c.EachExtension() {
		ok, in := true, cryptobyte.String(e.Value)
		var seq cryptobyte.String
		what, ignored := "", -1
		switch string(e.ID) {
		case OIDPolicies: // RFC 5280 section 4.2.1.4
			what = "certificatePolicies"
			ok = in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && !seq.Empty() && p.readPolicies(seq, e.Critical)
		case OIDPolicyMappings: // section 4.2.1.5
			what = "policyMappings"
			ok = in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && !seq.Empty() && p.readMappings(seq)
		case OIDPolicyConstraints: // section 4.2.1.11
			what = "policyConstraints"
			ok = in.ReadASN1(&seq, asn1.SEQUENCE) && in.Empty() && !seq.Empty() &&
				readNumber(&seq, asn1.Tag(0).ContextSpecific(), &p.RequireExplicit) &&
				readNumber(&seq, asn1.Tag(1).ContextSpecific(), &ignored) && seq.Empty()
		case OIDInhibitAnyPolicy: // section 4.2.1.14
			what = "inhibitAnyPolicy"
			ok = readNumber(&in, asn1.INTEGER, &ignored) && ignored >= 0 && in.Empty()
		}
		if !ok {
			return Policies{}, unreadable(what)
		}
	}
	return p, nil
}

// readPolicies reads PolicyInformation, each policy once.
func (p *Policies) readPolicies(list cryptobyte.String, critical bool) bool {
	seen := map[string]bool{}
	for !list.Empty() {
		var info, oid, qualifiers cryptobyte.String
		if !list.ReadASN1(&info, asn1.SEQUENCE) || !info.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !validOID(oid) || seen[string(oid)] {
			return false
		}
		seen[string(oid)] = true
		if info.Empty() {
			continue
		}
		if !info.ReadASN1(&qualifiers, asn1.SEQUENCE) || !info.Empty() || qualifiers.Empty() {
			return false
		}
		for !qualifiers.Empty() {
			var qualifier, kind cryptobyte.String
			if !qualifiers.ReadASN1(&qualifier, asn1.SEQUENCE) || !qualifier.ReadASN1(&kind, asn1.OBJECT_IDENTIFIER) || !validOID(kind) {
				return false
			}
			if critical && p.UnknownQualifier == nil && string(kind) != qualifierCPS && string(kind) != qualifierNotice {
				p.UnknownQualifier = ObjectID(kind)
			}
		}
	}
	return true
}

func (p *Policies) readMappings(list cryptobyte.String) bool {
	for !list.Empty() {
		var pair, issuer, subject cryptobyte.String
		if !list.ReadASN1(&pair, asn1.SEQUENCE) || !pair.ReadASN1(&issuer, asn1.OBJECT_IDENTIFIER) ||
			!pair.ReadASN1(&subject, asn1.OBJECT_IDENTIFIER) || !pair.Empty() || !validOID(issuer) || !validOID(subject) {
			return false
		}
		p.MapsAny = p.MapsAny || string(issuer) == anyPolicy || string(subject) == anyPolicy
	}
	return true
}

// readNumber reads a number of certificates, from 0 on, if the tag is there. One that
// is greater than any limits nothing, and is cut.
func readNumber(in *cryptobyte.String, tag asn1.Tag, to *int) bool {
	if !in.PeekASN1Tag(tag) {
		return true
	}
	var body cryptobyte.String
	if !in.ReadASN1(&body, tag) || len(body) == 0 || body[0] >= 0x80 || len(body) > 1 && body[0] == 0 && body[1] < 0x80 {
		return false
	}
	var n int64
	for _, b := range body {
		n = min(n<<8|int64(b), math.MaxInt32)
	}
	*to = int(n)
	return true
}

// Extension returns the extension of that kind, the first if there are several.
func (c *Certificate) Extension(oid string) (Extension, bool) {
	for e := range c.EachExtension() {
		if string(e.ID) == oid {
			return e, true
		}
	}
	return Extension{}, false
}

// NetscapeType reads the certificate type that Netscape had before extended key
// usage, a bit for each purpose from the highest on: clients, servers, mail,
// objects, one that is not used, and CAs of these. It is present if that is there.
func (c *Certificate) NetscapeType() (bits byte, present bool, err error) {
	e, present := c.Extension(oidNetscapeType)
	if !present {
		return 0, false, nil
	}
	in := cryptobyte.String(e.Value)
	content, _, err := readBitString(&in, asn1.BIT_STRING, "Netscape certificate type")
	if err == nil && !in.Empty() {
		err = unreadable("Netscape certificate type")
	}
	if len(content) > 0 {
		bits = content[0]
	}
	return bits, true, err
}

// sequence returns the contents of an extension that is a SEQUENCE, nil if it is
// absent.
func (c *Certificate) sequence(oid, what string) (cryptobyte.String, error) {
	e, ok := c.Extension(oid)
	if !ok {
		return nil, nil
	}
	in, seq := cryptobyte.String(e.Value), cryptobyte.String(nil)
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, unreadable(what)
	}
	if seq == nil {
		seq = cryptobyte.String{}
	}
	return seq, nil
}

func unreadable(what string) error { return fmt.Errorf("%s cannot be read", what) }

package certificate

import (
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
)

// A NameForm is a form of a [GeneralName], by the number of its tag.
type NameForm int

// The forms of RFC 5280 section 4.2.1.6.
const (
	FormOther NameForm = iota
	FormMail
	FormDNS
	FormX400
	FormDirectory
	FormEDIParty
	FormURI
	FormIP
	FormRegisteredID
	nameForms
)

// String returns the name that RFC 5280 gives the form.
func (f NameForm) String() string {
	names := [nameForms]string{
		"otherName", "rfc822Name", "dNSName", "x400Address", "directoryName", "ediPartyName", "uniformResourceIdentifier", "iPAddress", "registeredID",
	}
	if f < 0 || f >= nameForms {
		return fmt.Sprintf("form %d", int(f))
	}
	return names[f]
}

// A GeneralName is a name of one form (RFC 5280 section 4.2.1.6), or in
// [NameConstraints] a set of them.
type GeneralName struct {
	Form  NameForm
	Value []byte // contents bytes; of a directoryName the Name within
}

// readGeneralName takes one GeneralName. Forms that hold a structure are constructed.
func readGeneralName(in *cryptobyte.String) (GeneralName, error) {
	unreadable := errors.New("a name in it cannot be read")
	var value cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&value, &tag) {
		return GeneralName{}, unreadable
	}
	form := NameForm(tag & 0x1f)
	want := asn1.Tag(form).ContextSpecific()
	switch form {
	case FormOther, FormX400, FormDirectory, FormEDIParty:
		want = want.Constructed()
	}
	if form >= nameForms || tag != want {
		return GeneralName{}, unreadable
	}
	ok, rest := true, value
	switch form {
	case FormOther:
		var oid, content cryptobyte.String
		ok = rest.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) && validOID(oid) && rest.ReadASN1(&content, asn1.Tag(0).ContextSpecific().Constructed()) &&
			cms.CheckOne(content) == nil && rest.Empty()
	case FormDirectory:
		ok = rest.ReadASN1Element(&value, asn1.SEQUENCE) && rest.Empty() && readName(Name(value), new(quirkSet))
	case FormRegisteredID:
		ok = validOID(value)
	}
	if !ok {
		return GeneralName{}, unreadable
	}
	return GeneralName{form, value}, nil
}

// readGeneralNames reads GeneralNames; beside an error are those before it. what is
// the extension that they are in.
func readGeneralNames(list cryptobyte.String, what string) (names []GeneralName, err error) {
	for !list.Empty() {
		name, err := readGeneralName(&list)
		if err != nil {
			return names, fmt.Errorf("%s: %w", what, err)
		}
		names = append(names, name)
	}
	return names, nil
}

// AlternativeNames reads the subjectAltName (RFC 5280 section 4.2.1.6); there are
// none without one. An address is of 4 or 16 bytes.
func (c *Certificate) AlternativeNames() ([]GeneralName, error) {
	const what = "subjectAltName"
	list, err := c.sequence(OIDSubjectAltName, what)
	if err != nil {
		return nil, err
	}
	names, err := readGeneralNames(list, what)
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if n := len(name.Value); name.Form == FormIP && n != 4 && n != 16 {
			return nil, fmt.Errorf("%s: an address of %d bytes", what, n)
		}
	}
	return names, nil
}

// NameConstraints is the extension of that name (RFC 5280 section 4.2.1.10).
type NameConstraints struct {
	Permitted, Excluded []GeneralName
}

// NameConstraints reads the extension, nil if there is none. One without any
// constraint, or with a minimum or a maximum, which RFC 5280 forbids, is an error.
func (c *Certificate) NameConstraints() (*NameConstraints, error) {
	const what = "nameConstraints"
	seq, err := c.sequence(OIDNameConstraints, what)
	if err != nil || seq == nil {
		return nil, err
	}
	n := new(NameConstraints)
	for i, into := range []*[]GeneralName{&n.Permitted, &n.Excluded} {
		var trees cryptobyte.String
		var present bool
		if !seq.ReadOptionalASN1(&trees, &present, asn1.Tag(i).Constructed().ContextSpecific()) || present && trees.Empty() {
			return nil, unreadable(what)
		}
		for !trees.Empty() {
			var tree cryptobyte.String
			if !trees.ReadASN1(&tree, asn1.SEQUENCE) {
				return nil, unreadable(what)
			}
			name, err := readGeneralName(&tree)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", what, err)
			}
			if !tree.Empty() {
				return nil, fmt.Errorf("%s: a minimum or a maximum", what)
			}
			*into = append(*into, name)
		}
	}
	if !seq.Empty() {
		return nil, unreadable(what)
	}
	if len(n.Permitted)+len(n.Excluded) == 0 {
		return nil, fmt.Errorf("%s: there is no constraint in it", what)
	}
	return n, nil
}

// AuthorityCertificate reads what the authorityKeyIdentifier says of the issuer's certificate
// beside the identifier of its key: the names of who issued that, and its serial
// number (RFC 5280 section 4.2.1.1). They are empty if it does not say.
func (c *Certificate) AuthorityCertificate() (issuers []GeneralName, serial Serial, err error) {
	const what = "authorityKeyIdentifier"
	seq, err := c.sequence(OIDAuthorityKeyID, what)
	if err != nil || seq == nil {
		return nil, nil, err
	}
	var names, number cryptobyte.String
	var named, numbered bool
	if !seq.SkipOptionalASN1(asn1.Tag(0).ContextSpecific()) ||
		!seq.ReadOptionalASN1(&names, &named, asn1.Tag(1).ContextSpecific().Constructed()) ||
		!seq.ReadOptionalASN1(&number, &numbered, asn1.Tag(2).ContextSpecific()) || !seq.Empty() {
		return nil, nil, unreadable(what)
	}
	if issuers, err = readGeneralNames(names, what); err != nil {
		return nil, nil, err
	}
	return issuers, Serial(number), nil
}

// CheckCRLDistributionPoints reports whether the extension is absent or can be read.
func (c *Certificate) CheckCRLDistributionPoints() error {
	_, err := c.crlDistributionPoints()
	return err
}

// CRLDistributionPoints are the URIs of the extension (RFC 5280 section 4.2.1.13),
// at most limit; of one that cannot be read to its end, those before that.
func (c *Certificate) CRLDistributionPoints(limit int) []string {
	uris, _ := c.crlDistributionPoints()
	return uris[:min(len(uris), limit)]
}

// crlDistributionPoints are the URIs of the points that can be read.
func (c *Certificate) crlDistributionPoints() (uris []string, err error) {
	const what = "cRLDistributionPoints"
	e, present := c.Extension(OIDCRLDistributionPoints)
	in, points := cryptobyte.String(e.Value), cryptobyte.String(nil)
	if present && !in.ReadASN1(&points, asn1.SEQUENCE) {
		return nil, unreadable(what)
	}
	context := func(n asn1.Tag) asn1.Tag { return n.ContextSpecific().Constructed() }
	for !points.Empty() {
		var point, choice, names, issuers cryptobyte.String
		var named, issued bool
		if !points.ReadASN1(&point, asn1.SEQUENCE) || !point.ReadOptionalASN1(&choice, &named, context(0)) ||
			!point.SkipOptionalASN1(asn1.Tag(1).ContextSpecific()) || !point.ReadOptionalASN1(&issuers, &issued, context(2)) || !point.Empty() {
			return uris, unreadable(what)
		}
		if named {
			var tag asn1.Tag
			if !choice.ReadAnyASN1(&names, &tag) || !choice.Empty() || tag != context(0) && tag != context(1) {
				return uris, unreadable(what)
			}
			if tag == context(1) { // a name relative to the issuer's
				names = nil
			}
		}
		full, err := readGeneralNames(names, what)
		for _, name := range full {
			if name.Form == FormURI && len(name.Value) > 0 {
				uris = append(uris, string(name.Value))
			}
		}
		if err == nil {
			_, err = readGeneralNames(issuers, what)
		}
		if err != nil {
			return uris, err
		}
	}
	if !in.Empty() {
		return uris, unreadable(what)
	}
	return uris, nil
}

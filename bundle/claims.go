package bundle

import (
	"errors"
	"fmt"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
	"trustpool/internal/report"
)

// Object identifiers of the signed attributes that make claims. The first two
// are Cisco's; RFC 5652 section 11.3 has the third.
const (
	OIDVersion     = "1.3.6.1.4.1.9.21.2.3.1"
	OIDName        = "1.3.6.1.4.1.9.21.2.3.2"
	OIDSigningTime = "1.2.840.113549.1.9.5"
)

// Claims are what a signer says of a bundle in the signed attributes. Absent
// ones are empty.
type Claims struct {
	Name        string // "Trusted Core Bundle"
	Version     string // "4"; versions count per name
	SigningTime certificate.Time
}

// IsNumber reports whether a version is a decimal number, as Cisco's are.
func IsNumber(version string) bool {
	return version != "" && strings.Trim(version, "0123456789") == ""
}

// CompareVersions orders two versions of a name, which with Cisco are decimal
// numbers: negative if a is the older. It is an error if one is absent or
// something else, and they differ.
func CompareVersions(a, b string) (int, error) {
	for _, v := range []string{a, b} {
		if v == "" {
			return 0, errors.New("a bundle without a signed version cannot be compared")
		}
		if a != b && !IsNumber(v) {
			return 0, fmt.Errorf("which of the versions %q and %q is newer cannot be told", report.Printable(a), report.Printable(b))
		}
	}
	a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
	if len(a) != len(b) {
		return len(a) - len(b), nil
	}
	return strings.Compare(a, b), nil
}

// A ClaimError says which attribute cannot be read as a claim, and why: it
// is there twice, does not have exactly one value, or has a value of another type.
type ClaimError struct {
	Attribute string // its dotted OID
	Doubled   bool   // it is there twice or does not have exactly one value
	Msg       string
}

func (e *ClaimError) Error() string { return fmt.Sprintf("attribute %s %s", e.Attribute, e.Msg) }

// ReadClaims reads the claims of a signer. If one cannot be read the error is
// a *ClaimError, and the others are given.
func ReadClaims(s *cms.SignerInfo) (Claims, error) {
	var c Claims
	var firstErr error
	for _, claim := range []struct {
		oid  string
		read func(value []byte) string // says what is wrong
	}{
		{OIDName, func(v []byte) string { return readText(v, &c.Name) }},
		{OIDVersion, func(v []byte) string { return readText(v, &c.Version) }},
		{OIDSigningTime, func(v []byte) string { return readSigningTime(v, &c.SigningTime) }},
	} {
		value, err := SingleValue(s.Attributes, claim.oid)
		if err == nil && value != nil {
			if msg := claim.read(value); msg != "" {
				err = &ClaimError{Attribute: claim.oid, Msg: msg}
			}
		}
		if err != nil && firstErr == nil {
			firstErr = err
		}
	}
	return c, firstErr
}

// SingleValue is the value, as an element, of the attribute with the given OID;
// nil if it is absent. An attribute that is there twice, or does not have exactly one
// value, is a *ClaimError (RFC 5652 sections 11.1 to 11.3).
func SingleValue(attrs []cms.Attribute, oid string) ([]byte, error) {
	var found *cms.Attribute
	for i := range attrs {
		if attrs[i].Type != oid {
			continue
		}
		if found != nil {
			return nil, &ClaimError{oid, true, "is there twice"}
		}
		found = &attrs[i]
	}
	if found == nil {
		return nil, nil
	}
	if len(found.Values) != 1 {
		return nil, &ClaimError{oid, true, fmt.Sprintf("has %d values, not one", len(found.Values))}
	}
	return found.Values[0], nil
}

// readText reads a value of a string type that is safe to take as it is.
func readText(value []byte, to *string) string {
	text, strict, err := certificate.ParseString(value)
	if err != nil {
		return "has a value that " + err.Error()
	}
	*to = text // shown as a claim in any case
	if !strict {
		return "has characters that a PrintableString does not have"
	}
	return ""
}

// readSigningTime reads RFC 5652 section 11.3: UTCTime until 2049 and
// GeneralizedTime from then on, with seconds, in Z, without a fraction.
func readSigningTime(value []byte, to *certificate.Time) string {
	t, strict, err := certificate.ParseTime(value)
	if err != nil {
		return "has a value that " + err.Error()
	}
	if !t.Valid || !strict {
		return fmt.Sprintf("has the value %q, which is not a time as RFC 5652 section 11.3 has it", value[2:])
	}
	*to = t
	return ""
}

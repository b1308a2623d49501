package bundle

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle/certificate"
)

// A Filter reports whether a certificate is wanted.
type Filter func(*certificate.Certificate) bool

// ParseFilter reads what the user asks for:
//
//	expired           notAfter is before at
//	expiring:90d      notAfter is at or after at and within the duration (d, w, y, or Go's units)
//	algorithm:TEXT    the signature or key algorithm contains TEXT: sha1, RSA 1024, P-384
//	quirk:SLUG        the quirk; "quirk:" alone asks for any
//	TEXT              subject, issuer or serial number contains TEXT; or TEXT is a
//	                  fingerprint (SHA-256, SHA-1, MD5, in any spelling), the first
//	                  16 digits or more of a SHA-256, or a serial number
//
// Letter case does not count. text:TEXT is TEXT taken literally. An unreadable
// notAfter is neither expired nor expiring.
func ParseFilter(s string, at time.Time) (Filter, error) {
	kind, arg, hasArg := strings.Cut(s, ":")
	switch kind = strings.ToLower(strings.TrimSpace(kind)); {
	case kind == "expired" && !hasArg:
		return func(c *certificate.Certificate) bool { return c.NotAfter.Valid && c.NotAfter.Before(at) }, nil
	case kind == "expiring":
		d, err := ParseDuration(arg)
		if err != nil {
			return nil, err
		}
		end := at.Add(d)
		return func(c *certificate.Certificate) bool {
			return c.NotAfter.Valid && !c.NotAfter.Before(at) && !c.NotAfter.After(end)
		}, nil
	case kind == "algorithm" && hasArg:
		return algorithmFilter(arg), nil
	case kind == "quirk" && hasArg:
		return quirkFilter(arg)
	case kind == "text" && hasArg:
		return textFilter(arg), nil
	}
	if strings.TrimSpace(s) == "" {
		return nil, fmt.Errorf("an empty filter: give text, a fingerprint, expired, expiring:90d, algorithm:NAME or quirk:NAME")
	}
	text := textFilter(s)
	if fingerprint := fingerprintFilter(s); fingerprint != nil {
		return func(c *certificate.Certificate) bool { return fingerprint(c) || text(c) }, nil
	}
	return text, nil
}

// ParseDuration reads 90d, 12w, 2y, or what time.ParseDuration reads.
func ParseDuration(s string) (time.Duration, error) {
	const day = 24 * time.Hour
	units := map[byte]time.Duration{'d': day, 'w': 7 * day, 'y': 365 * day}
	bad := fmt.Errorf("%q is not a duration: write 90d, 12w, 2y or 36h", s)
	if s == "" {
		return 0, bad
	}
	unit, ok := units[s[len(s)-1]]
	if !ok {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, bad
		}
		return d, nil
	}
	n, err := strconv.ParseUint(s[:len(s)-1], 10, 16)
	if err != nil || time.Duration(n) > (1<<63-1)/unit {
		return 0, bad
	}
	return time.Duration(n) * unit, nil
}

func textFilter(text string) Filter {
	return containing(text, func(c *certificate.Certificate) []fmt.Stringer { return []fmt.Stringer{c.Subject, c.Issuer, c.Serial} })
}

func algorithmFilter(text string) Filter {
	return containing(text, func(c *certificate.Certificate) []fmt.Stringer {
		return []fmt.Stringer{c.SignatureAlgorithm, c.PublicKey}
	})
}

// containing looks for text in what is said of a certificate.
func containing(text string, said func(*certificate.Certificate) []fmt.Stringer) Filter {
	text = strings.ToLower(strings.TrimSpace(text))
	has := func(s fmt.Stringer) bool { return strings.Contains(strings.ToLower(s.String()), text) }
	return func(c *certificate.Certificate) bool { return c.Err == nil && slices.ContainsFunc(said(c), has) }
}

func quirkFilter(slug string) (Filter, error) {
	q := certificate.Quirk(strings.ToLower(strings.TrimSpace(slug)))
	switch {
	case q == "":
		return func(c *certificate.Certificate) bool { return len(c.Quirks) > 0 }, nil
	case !slices.Contains(certificate.Quirks(), q):
		var names []string
		for _, known := range certificate.Quirks() {
			names = append(names, string(known))
		}
		return nil, fmt.Errorf("no quirk is called %q; there are: %s", slug, strings.Join(names, ", "))
	}
	return func(c *certificate.Certificate) bool { return c.Has(q) }, nil
}

// shortFingerprint is how many bytes of a SHA-256 tables show.
const shortFingerprint = 8

// fingerprintFilter reads a fingerprint in any spelling (colons, blanks,
// hyphens, either case, the hash's name before it); nil if s is not one.
func fingerprintFilter(s string) Filter {
	sum, ok := ParseFingerprint(s)
	if !ok {
		return nil
	}
	return func(c *certificate.Certificate) bool {
		switch len(sum) {
		case md5.Size:
			got := md5.Sum(c.Raw)
			return bytes.Equal(got[:], sum) || serialIs(c, sum)
		case sha1.Size:
			got := sha1.Sum(c.Raw)
			return bytes.Equal(got[:], sum) || serialIs(c, sum)
		case len(c.SHA256):
			return bytes.Equal(c.SHA256[:], sum)
		}
		// The start of a SHA-256, as tables show it, or a serial number.
		return len(sum) >= shortFingerprint && bytes.HasPrefix(c.SHA256[:], sum) || serialIs(c, sum)
	}
}

func serialIs(c *certificate.Certificate, magnitude []byte) bool {
	return c.Err == nil && bytes.Equal(bytes.TrimLeft(c.Serial.Magnitude(), "\x00"), bytes.TrimLeft(magnitude, "\x00"))
}

// ParseFingerprint reads hex bytes in any usual spelling: "SHA1 Fingerprint:
// DE990CED…", "85:A0:DD:…", "5e397bdd f8baec82 …". It is false if s holds
// anything else.
func ParseFingerprint(s string) ([]byte, bool) {
	s = strings.ToLower(strings.TrimSpace(s))
	for range 2 { // "SHA1 Fingerprint: ", "Fingerprint SHA1: "
		for _, word := range []string{"fingerprint", "sha-256", "sha256", "sha-1", "sha1", "md5"} {
			if rest, ok := strings.CutPrefix(s, word); ok {
				s = strings.TrimSpace(rest)
				break
			}
		}
	}
	s = strings.Map(func(r rune) rune {
		if strings.ContainsRune(": -=\t", r) {
			return -1
		}
		return r
	}, s)
	b, err := hex.DecodeString(s)
	return b, err == nil && len(b) > 0
}

package config

import (
	"crypto/md5"
	"crypto/sha1"
	"fmt"
	"slices"
	"strings"
	"time"
	"unicode"

	"golang.org/x/text/unicode/norm"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/distrust"
	"trustpool/signing"
)

// A Known names a root that is known by its SHA-256, so that another certificate
// with its name is noticed.
type Known struct {
	Name   string // the common name
	SHA256 [32]byte
}

// noSecond is what to do with a certificate that no signature vouches for.
const noSecond = "compare its fingerprints with a second source, such as the CA's own page, before you paste it"

// signed reports whether the file that PEM is from bears a signature at all.
func (o *Options) signed() bool {
	return o.Signature != nil && (o.Signature.Verified || *o.Signature.Reason != signing.NotSigned)
}

func (o *Options) verified() bool { return o.Signature != nil && o.Signature.Verified }

// vouch says who vouches for what is pasted. It is false if nothing is to be
// pasted: the file's signature is not verified, or a certificate has the name of a
// known root and is another one.
func (s *Script) vouch() bool {
	if s.verified() {
		r := s.Signature
		s.Vouched = "verified: " + r.Anchor.Name + " vouches for the certificates"
		if r.Name != nil && r.Version != nil {
			s.Vouched += fmt.Sprintf(", in the bundle %s, version %s, signed %s", *r.Name, *r.Version, r.SigningTime)
		}
		return true
	}
	s.Vouched = "nobody vouches for the certificates: the file bears no signature"
	if s.Signature != nil {
		s.Vouched = "nobody vouches for the certificates: " + *s.Signature.Detail
	}
	if s.signed() {
		why := fmt.Sprintf("%s: %s", *s.Signature.Reason, *s.Signature.Detail)
		s.Vouched = "not verified: the file is signed, and its signature does not hold, " + why
		if !s.Unverified {
			s.refuse("the file is signed, and not verified, "+why+"; nothing in it is to be typed before that is settled", device.Ground{})
			return false
		}
	}
	for i, c := range s.PEM {
		if k := s.impostor(c); k != nil && !s.Unverified {
			s.refuse(fmt.Sprintf("%s: %s", s.certificateTitle(i), k), device.Ground{})
			return false
		}
	}
	return true
}

// impostor says that a certificate nobody vouches for has the name of a known root
// and is another one; it is nil for any other.
func (o *Options) impostor(c *certificate.Certificate) error {
	if o.verified() {
		return nil
	}
	var other *Known
	names := []string{lettersOf(c.Subject.CommonName())}
	for _, a := range c.Subject.Attributes() {
		if a.Type == "CN" { // a reader may see any of them
			names = append(names, lettersOf(a.Value))
		}
	}
	for _, k := range o.Known {
		switch {
		case k.SHA256 == c.SHA256:
			return nil
		case slices.Contains(names, lettersOf(k.Name)):
			other = &k
		}
	}
	if other == nil {
		return nil
	}
	return fmt.Errorf("it has the name of %s, of SHA-256 %x, and is another certificate, of SHA-256 %x, that nobody vouches for", other.Name, other.SHA256, c.SHA256)
}

// lettersOf is what a reader sees of a name: letters and digits, without case and
// accents, and one of those that look alike for all of them.
func lettersOf(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		if i := slices.Index(seen, r); i >= 0 {
			return meant[i]
		}
		return r
	}, strings.ToLower(norm.NFKD.String(name)))
}

// seen are small letters and digits that look like those at the same place of meant,
// or do so as capitals: of ASCII, Latin, Cyrillic and Greek.
var (
	seen  = []rune("01il" + "ıłøđɑɡ" + "авекмнорстухіјѕӏһԁԛԝѵ" + "αβεζηικμνορτυχω")
	meant = []rune("olll" + "llodag" + "abekmhopctyxljslhdqwv" + "abezhlkmnoptyxw")
)

// Fingerprints are the hashes to compare with those of a second source.
type Fingerprints struct {
	SHA256 [32]byte
	SHA1   [20]byte
	MD5    [16]byte
}

// FingerprintsOf computes them.
func FingerprintsOf(c *certificate.Certificate) Fingerprints {
	return Fingerprints{c.SHA256, sha1.Sum(c.Raw), md5.Sum(c.Raw)}
}

// remarks are what to know before a certificate is pasted: who vouches for it, its
// fingerprints, and what speaks against it.
func (s *Script) remarks(c *certificate.Certificate) []string {
	var out []string
	switch {
	case s.verified():
	case s.signed():
		out = append(out, fmt.Sprintf("warning: NOT VERIFIED, %s. Do not paste it, unless you know from elsewhere that it is the right one: %s", *s.Signature.Reason, noSecond))
	default:
		out = append(out, "nobody vouches for this certificate: "+noSecond)
	}
	if err := s.impostor(c); err != nil {
		out = append(out, "warning: "+err.Error())
	}
	for _, n := range s.against(c) {
		out = append(out, "warning: "+n.Text)
	}
	f := FingerprintsOf(c)
	return append(out, fmt.Sprintf("SHA-256 %X", f.SHA256), fmt.Sprintf("SHA-1 %X", f.SHA1), fmt.Sprintf("MD5 %X", f.MD5))
}

// against is what speaks against a certificate: its dates, and root programs.
func (s *Script) against(c *certificate.Certificate) (notes device.Notes) {
	if at := s.At; !at.IsZero() {
		dates := device.Confirmed.By("its notBefore and notAfter")
		day := at.UTC().Format(time.RFC3339)
		switch {
		case !c.NotBefore.Valid || !c.NotAfter.Valid:
			notes.Add(dates, "when it is valid cannot be read")
		case at.After(c.NotAfter.Time):
			notes.Add(dates, "it expired %s, judged at %s", c.NotAfter, day)
		case at.Before(c.NotBefore.Time):
			notes.Add(dates, "it is valid from %s, judged at %s", c.NotBefore, day)
		}
	}
	for _, m := range s.distrust.Find(c) {
		if m.Kind != distrust.NotTrusted {
			notes.Add(device.Confirmed.By("the built-in list of distrust, of "+distrust.AsOf), "%s", m)
		}
	}
	return notes
}

// warnAgainst puts what speaks against certificates at the head of the script, too.
func (s *Script) warnAgainst() {
	for i, c := range s.PEM {
		for _, n := range s.against(c) {
			s.note(n.Ground, s.certificateTitle(i)+": "+n.Text)
		}
	}
}

func (s *Script) certificateTitle(i int) string {
	return fmt.Sprintf("certificate %d of %d, %s", i+1, len(s.PEM), ascii(s.PEM[i].Subject.String()))
}

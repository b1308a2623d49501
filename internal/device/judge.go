package device

import (
	"fmt"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/signing"
)

// sourceShown is the ground of a match by what IOS XE shows.
const sourceShown = "the device shows serial number, names and dates, and no fingerprint"

// rsa1024 and rsa2048 are sizes of a modulus that settings turn on.
const (
	rsa1024 = 1024 // discarded by IOS XR's setting, with all below (sourceXRModel)
	rsa2048 = 2048 // what FIPS mode is taken to ask for
)

// A judge holds what one import needs to judge a certificate, each in constant
// time.
type judge struct {
	options   ImportOptions
	installed Ground
	entries   []pool.Entry
	index     *pool.Index
	seen      map[[32]byte]int // SHA-256 of earlier entries of the file, and their index
	names     map[string]int   // issuer and subject of earlier entries
}

func newJudge(entries []pool.Entry, r *ImportReport, o ImportOptions) (*judge, error) {
	j := &judge{options: o, entries: entries, installed: o.Platform.rules.installed, seen: make(map[[32]byte]int), names: make(map[string]int)}
	switch {
	case !o.Terminal && r.Verification == nil: // accepted by the user
		j.installed = o.Platform.rules.signature
	case o.FIPS:
		j.installed = o.Platform.rules.fips
	case o.Terminal:
		j.installed = o.Platform.rules.terminal
	}
	var err error
	j.index, err = (&pool.Pool{Entries: entries}).Index()
	return j, err
}

// Takes judges one certificate as if it were imported by itself into an empty pool,
// in whatever way a platform has for that: nothing is signed, and nothing is a
// duplicate. The error says that the options cannot be used.
func Takes(c *certificate.Certificate, o ImportOptions) (Judged, error) {
	if err := o.check(); err != nil {
		return Judged{}, err
	}
	j, err := newJudge(nil, &ImportReport{Verification: &signing.Verification{}}, o)
	if err != nil {
		return Judged{}, err
	}
	e := j.judge(1, c)
	if e.Basis == "" { // the platform imports no bundle, so there are no rules of it
		e.Ground = Unknown
	}
	return e, nil
}

// judge applies the rules in the order of the package comment.
func (j *judge) judge(index int, c *certificate.Certificate) Judged {
	e := Judged{Index: index, Certificate: c}
	if j.unreadable(&e) || j.expired(&e) || j.duplicate(&e) || j.disabled(&e) {
		return e
	}
	e.Outcome, e.Reason, e.Ground = Installed, "new to the pool", j.installed
	if j.options.At.Before(c.NotBefore.Time) {
		e.Reason = fmt.Sprintf("not valid before %s; what a device does with it then is not known", c.NotBefore)
		e.Ground = Unknown
	}
	return e
}

func (j *judge) unreadable(e *Judged) bool {
	c := e.Certificate
	switch {
	case c.Err != nil:
		e.Reason = "not a certificate: " + strings.TrimPrefix(c.Err.Error(), "not a certificate: ")
	case !c.NotBefore.Valid:
		e.Reason = "its notBefore cannot be read"
	case !c.NotAfter.Valid:
		e.Reason = "its notAfter cannot be read"
	default:
		return false
	}
	e.Outcome, e.Ground = Failed, Ground{Inferred, sourceReason}
	return true
}

func (j *judge) expired(e *Judged) bool {
	// RFC 5280 section 4.1.2.5: the period includes notAfter.
	if !j.options.At.After(e.Certificate.NotAfter.Time) {
		return false
	}
	e.Outcome, e.Ground = Expired, j.options.Platform.rules.counted
	e.Reason = "expired " + e.Certificate.NotAfter.String()
	return true
}

func (j *judge) duplicate(e *Judged) bool {
	c, ground := e.Certificate, j.options.Platform.rules.counted
	if i, key := j.index.Find(c); key != "" {
		e.MatchedBy = key
		e.Reason = fmt.Sprintf("in the pool already (%s), by its %s", j.entries[i].Origin, key.Words())
		if key == pool.ByShownDates || key == pool.ByShown { // not certain
			ground = Ground{Inferred, sourceShown}
		}
	} else if first, ok := j.seen[c.SHA256]; ok {
		e.MatchedBy = pool.BySHA256
		e.Reason = fmt.Sprintf("the same as certificate %d of the file", first)
	} else {
		j.seen[c.SHA256] = e.Index
	}
	if j.options.UniqueNames {
		names := string(c.Issuer) + string(c.Subject) // DER: no other pair has the same bytes
		if first, ok := j.names[names]; !ok {
			j.names[names] = e.Index
		} else if e.MatchedBy == "" {
			e.MatchedBy, ground = ByNames, Ground{Inferred, sourceGuide16}
			e.Reason = fmt.Sprintf("issuer and subject of certificate %d, which the guide forbids; that a device keeps the first is not known", first)
		}
	}
	if e.MatchedBy == "" {
		return false
	}
	e.Outcome, e.Ground = Duplicate, ground
	return true
}

// disabled applies the settings that refuse single certificates.
func (j *judge) disabled(e *Judged) bool {
	c, k, fips := e.Certificate, e.Certificate.PublicKey, j.options.FIPS
	rsa := (k.Algorithm == "RSA" || k.Algorithm == "RSASSA-PSS") && k.Bits > 0
	switch {
	case fips && c.Has(certificate.QuirkSignatureSHA1):
		e.Reason, e.Ground = "signed with SHA-1, in FIPS mode", j.options.Platform.rules.fips
	case j.options.DisableRSA1024 && rsa && k.Bits <= rsa1024:
		e.Reason = fmt.Sprintf("an RSA key of %d bits, and those of 1024 and less are disabled", k.Bits)
		e.Ground = Ground{Confirmed, sourceXRModel}
	case fips && c.Has(certificate.QuirkSignatureMD5):
		e.Reason, e.Ground = "signed with MD5 or MD2, in FIPS mode", Unknown
	case fips && rsa && k.Bits < rsa2048:
		e.Reason, e.Ground = fmt.Sprintf("an RSA key of %d bits, in FIPS mode", k.Bits), Unknown
	default:
		return false
	}
	e.Outcome = Failed
	return true
}

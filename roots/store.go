package roots

import (
	"bytes"
	"cmp"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// Limits on a root program's file. certdata.txt has 1.4 MB and about 350
// objects; the largest of CCADB's reports has 30 MB and 12,000 rows.
const (
	MaxStoreBytes = 256 << 20 // of a file
	MaxStoreLine  = 64 << 10  // bytes in a line of certdata.txt
	MaxRoots      = 200_000   // objects of certdata.txt, rows of a report

	maxConstraints = 16 // of one root; one is reason enough to leave it out
)

// A Purpose is what a root program trusts a root for, under the name that RFC
// 5280 section 4.2.1.12 gives the extended key usage.
type Purpose string

// The purposes that root programs speak of.
const (
	ServerAuth      Purpose = "serverAuth" // websites
	ClientAuth      Purpose = "clientAuth"
	CodeSigning     Purpose = "codeSigning"
	EmailProtection Purpose = "emailProtection" // S/MIME
	TimeStamping    Purpose = "timeStamping"
)

// Purposes are all of them.
func Purposes() []Purpose {
	return []Purpose{ServerAuth, ClientAuth, CodeSigning, EmailProtection, TimeStamping}
}

// Trust is what a root program says of a root for one purpose. Where it says two
// things the greater one counts.
type Trust int

// What a root program can say.
const (
	Unspecified Trust = iota // nothing
	Trusted                  // an anchor
	MustVerify               // no anchor, and not distrusted: a chain may lead through it to another
	Distrusted               // explicitly: no chain may lead through it
)

// A Root is one certificate of a root program, with what the program says of it.
type Root struct {
	Certificate *certificate.Certificate // nil if the program names it without giving it; its Err may be set

	// What names the certificate; empty if the program does not say.
	SHA256    [32]byte
	SHA1, MD5 []byte
	Issuer    certificate.Name
	Serial    certificate.Serial

	Label         string                // the program's name for it, as it came: not safe to print
	Status        string                // in CCADB: Included, Removed and so on
	Trust         map[Purpose]Trust     // nil if the program does not say
	DistrustAfter map[Purpose]time.Time // what is issued after it is not trusted, by the notBefore of the leaf, as in NSS; the very moment still is
	Constraints   []string              // what the program says of it that is not understood, in its words: reason to leave it out
	Line          int                   // where it begins in the file
	Err           error                 // why the entry cannot be used: no certificate, or one that contradicts what is said of it
}

// A RefusedError says why a root is not to be taken for a purpose.
type RefusedError struct {
	Reason Reason
	Detail string
}

func (e *RefusedError) Error() string { return e.Detail }

// A Reason is the kind of a RefusedError.
type Reason string

// The reasons, the first that holds counting.
const (
	ReasonDistrusted    Reason = "distrusted"     // for this purpose
	ReasonUnreadable    Reason = "unreadable"     // Root.Err
	ReasonNoCertificate Reason = "no-certificate" // named without being given
	ReasonConstraint    Reason = "constraint"     // Root.Constraints
	ReasonNotTrusted    Reason = "not-trusted"    // for this purpose
)

// Check reports whether the root may be taken as an anchor for a purpose; the
// error is a *RefusedError. A date in DistrustAfter is not a reason to refuse: it is
// for the certificates below.
func (r *Root) Check(p Purpose) error {
	switch {
	case r.Trust[p] == Distrusted:
		return &RefusedError{ReasonDistrusted, fmt.Sprintf("the root program distrusts it for %s", p)}
	case r.Err != nil:
		return &RefusedError{ReasonUnreadable, r.Err.Error()}
	case r.Certificate == nil:
		return &RefusedError{ReasonNoCertificate, "the root program names it without giving the certificate"}
	case len(r.Constraints) > 0:
		return &RefusedError{ReasonConstraint, "an unknown constraint: " + report.Printable(strings.Join(r.Constraints, "; "))}
	case r.Trust[p] == Unspecified:
		return &RefusedError{ReasonNotTrusted, fmt.Sprintf("the root program does not say whether it is trusted for %s", p)}
	case r.Trust[p] != Trusted:
		return &RefusedError{ReasonNotTrusted, fmt.Sprintf("the root program does not trust it for %s", p)}
	}
	return nil
}

// With gives the purposes for which the program says t, in alphabetical order.
func (r *Root) With(t Trust) []Purpose {
	var out []Purpose
	for _, p := range slices.Sorted(maps.Keys(r.Trust)) {
		if r.Trust[p] == t {
			out = append(out, p)
		}
	}
	return out
}

// merge adds what is said of the same certificate elsewhere: the stricter counts.
func (r *Root) merge(o *Root) {
	for p, t := range o.Trust {
		r.trust(p, t)
	}
	for p, t := range o.DistrustAfter {
		r.distrustAfter(p, t)
	}
	for _, c := range o.Constraints {
		r.constrain(c)
	}
	r.fail(o.Err)
}

func (r *Root) trust(p Purpose, t Trust) {
	if r.Trust == nil {
		r.Trust = make(map[Purpose]Trust)
	}
	r.Trust[p] = max(r.Trust[p], t)
}

func (r *Root) distrust() {
	for _, p := range Purposes() {
		r.trust(p, Distrusted)
	}
}

func (r *Root) distrustAfter(p Purpose, t time.Time) {
	if r.DistrustAfter == nil {
		r.DistrustAfter = make(map[Purpose]time.Time)
	}
	if have, ok := r.DistrustAfter[p]; !ok || t.Before(have) {
		r.DistrustAfter[p] = t
	}
}

func (r *Root) constrain(what string) {
	if len(r.Constraints) < maxConstraints && !slices.Contains(r.Constraints, what) {
		r.Constraints = append(r.Constraints, what)
	}
}

// fail sets Err unless something is wrong already.
func (r *Root) fail(err error) {
	if r.Err == nil {
		r.Err = err
	}
}

// set gives the entry its certificate. der is kept.
func (r *Root) set(der []byte) {
	c := readCertificate(der)
	r.Certificate, r.SHA256 = c, c.SHA256
	if c.Err != nil {
		r.fail(fmt.Errorf("not a certificate: %w", c.Err))
		return
	}
	r.Issuer, r.Serial = c.Issuer, c.Serial
}

// readCertificate reads one certificate; if it is not one, Err says why.
func readCertificate(der []byte) *certificate.Certificate {
	b, err := bundle.Parse(der)
	if err == nil && b.Form == bundle.FormDER {
		return b.Certificates[0]
	}
	if err == nil {
		err = fmt.Errorf("it is a bundle (%s)", b.Form)
	}
	return &certificate.Certificate{Raw: der, SHA256: sha256.Sum256(der), Err: err}
}

// A Store is what a root program says, as one file has it.
type Store struct {
	Roots []*Root // in the order of the file

	bySHA256, byKey map[[32]byte][]*Root
	byName          map[string][]*Root // those without a certificate and without its SHA-256
}

// NewStore makes a store of roots, which are not to be changed afterwards.
func NewStore(roots []*Root) *Store {
	s := &Store{Roots: roots, bySHA256: map[[32]byte][]*Root{}, byKey: map[[32]byte][]*Root{}, byName: map[string][]*Root{}}
	for _, r := range roots {
		switch {
		case r.SHA256 != [32]byte{}:
			s.bySHA256[r.SHA256] = append(s.bySHA256[r.SHA256], r)
		case len(r.Issuer) > 0 && len(r.Serial) > 0:
			k := nameKey(r.Issuer, r.Serial)
			s.byName[k] = append(s.byName[k], r)
		}
		if r.Certificate != nil && r.Certificate.Err == nil {
			k := r.Certificate.KeyID()
			s.byKey[k] = append(s.byKey[k], r)
		}
	}
	return s
}

// nameKey is issuer and serial number, which name a certificate in PKCS #11.
func nameKey(issuer certificate.Name, serial certificate.Serial) string {
	return fmt.Sprintf("%d %s%s", len(issuer), issuer, serial)
}

// A Match is a root of a store that a certificate was found to be, or to share
// something with.
type Match struct {
	Root *Root
	By   MatchedBy
}

// MatchedBy is what makes a Match.
type MatchedBy string

// What a certificate is matched by, the surest first.
const (
	ByCertificate  MatchedBy = "certificate"       // a hash of it
	ByIssuerSerial MatchedBy = "issuer and serial" // if the program gives no hash
	ByKey          MatchedBy = "key"               // another certificate with the same key
)

// Find looks for a certificate, the surest matches first. What the program
// distrusts is found with the certificate or without it: by hash, by issuer and
// serial number, and by key, for Mozilla ships the key of DigiNotar Root CA in a
// certificate that DigiNotar did not issue.
func (s *Store) Find(c *certificate.Certificate) []Match {
	var out []Match
	add := func(by MatchedBy, roots ...*Root) {
		for _, r := range roots {
			if !slices.ContainsFunc(out, func(m Match) bool { return m.Root == r }) {
				out = append(out, Match{r, by})
			}
		}
	}
	add(ByCertificate, s.bySHA256[c.SHA256]...)
	if c.Err != nil {
		return out
	}
	for _, r := range s.byName[nameKey(c.Issuer, c.Serial)] {
		switch {
		case len(r.SHA1) == 0 && len(r.MD5) == 0:
			add(ByIssuerSerial, r)
		case r.hashesAre(c.Raw):
			add(ByCertificate, r)
		}
	}
	add(ByKey, s.byKey[c.KeyID()]...)
	slices.SortStableFunc(out, func(a, b Match) int { return cmp.Compare(a.By.rank(), b.By.rank()) })
	return out
}

func (m MatchedBy) rank() int {
	return slices.Index([]MatchedBy{ByCertificate, ByIssuerSerial, ByKey}, m)
}

// hashesAre reports whether every hash that the entry states is that of der. They
// only decide between certificates of the same issuer and serial number.
func (r *Root) hashesAre(der []byte) bool {
	sum1, sum5, sum256 := sha1.Sum(der), md5.Sum(der), sha256.Sum256(der)
	return (len(r.SHA1) == 0 || bytes.Equal(r.SHA1, sum1[:])) && (len(r.MD5) == 0 || bytes.Equal(r.MD5, sum5[:])) &&
		(r.SHA256 == [32]byte{} || r.SHA256 == sum256)
}

// checkFile refuses what is plainly not the text of a root program.
func checkFile(data []byte, what string) error {
	if len(data) > MaxStoreBytes {
		return fmt.Errorf("%d bytes, more than the limit of %d for %s", len(data), MaxStoreBytes, what)
	}
	switch text := bytes.TrimLeft(bytes.TrimPrefix(data, []byte(byteOrderMark)), " \t\r\n"); {
	case len(text) == 0:
		return errors.New("empty file")
	case text[0] == '<':
		return fmt.Errorf("an HTML page, not %s: look at what the server answered", what)
	}
	return nil
}

const byteOrderMark = "\xef\xbb\xbf"

package path

import (
	"bytes"
	"cmp"
	"crypto"
	"errors"
	"fmt"
	"net"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// Limits of one run, over all its searches. What is beyond them is not judged.
const (
	// maxFailures is how many signatures may turn out not to be the issuer's, in
	// checks of RSA 2048, and maxFailuresEach how many more each certificate of the
	// input allows. A signature that holds costs nothing: a certificate has one.
	maxFailures     = 4096
	maxFailuresEach = 2
	// maxFailuresSearch is how many more one search may have beyond that, so that
	// what is ordinary is still judged after something hostile.
	maxFailuresSearch = 12
	// maxSteps is how many certificates are put at the end of a chain, and
	// maxStepsEach how many more each certificate of the input allows.
	maxSteps     = 20_000
	maxStepsEach = 100
	// maxNames is how many bytes of names are compared with the constraints of
	// issuers, and maxNamesEach how many more each byte of the input allows.
	maxNames     = 16 << 20
	maxNamesEach = 4
)

// A Run is what searches have in common: what is known of each certificate and
// each signature, so that nothing is computed twice, and how much may still be
// computed, in proportion to the input. It is for one goroutine.
type Run struct {
	nodes    map[[32]byte]*node
	keys     map[string]*key // by SubjectPublicKeyInfo
	links    map[link]error  // nil if it did
	permits  map[[2]*node]permission
	ids      map[string]nameID
	failures int
	spare    int // of maxFailuresSearch, for the search that is made
	steps    int
	names    int
}

// NewRun returns a Run for searches among certificates.
func NewRun(input ...[]*certificate.Certificate) *Run {
	number, size := 0, 0
	for _, certs := range input {
		number += len(certs)
		for _, c := range certs {
			size += len(c.Raw)
		}
	}
	return &Run{
		nodes: map[[32]byte]*node{}, keys: map[string]*key{}, links: map[link]error{}, permits: map[[2]*node]permission{},
		ids:      map[string]nameID{},
		failures: maxFailures + maxFailuresEach*number, steps: maxSteps + maxStepsEach*number, names: maxNames + maxNamesEach*size,
	}
}

// A node is a certificate and what was computed of it.
type node struct {
	*certificate.Certificate
	issuer, subject nameID // as OpenSSL compares
	issuerKey       string // Name.Key as RFC 5280 compares; see issuers
	selfIssued      bool   // RFC 5280 section 6.1
	title, issuedBy string // see nameOf and issuerOf
	key             *key
	digests         map[crypto.Hash][]byte // of the signed part
	authority       *authority             // see Run.authority

	read           bool // the following are, which do not depend on the path
	names          []certificate.GeneralName
	namesSize      int // bytes of the names, the subject's too
	namesErr       error
	constraints    *constraints
	constraintsErr error
	policies       certificate.Policies
	policiesErr    error
	critical       *Refusal // of checkCritical
	odd            *Doubt   // of oddity
}

// A nameID is a distinguished name in a run, so that names are compared at
// once, of any length.
type nameID int

func (r *Run) id(n certificate.Name) nameID {
	key := n.Key(false)
	id, ok := r.ids[key]
	if !ok {
		id = nameID(len(r.ids))
		r.ids[key] = id
	}
	return id
}

// An authority is what an authorityKeyIdentifier says of the issuer's certificate.
type authority struct {
	serial certificate.Serial // empty if it does not say
	issuer nameID
	named  bool // the issuer is
	err    error
}

func (r *Run) authority(n *node) *authority {
	if n.authority != nil {
		return n.authority
	}
	a := new(authority)
	var names []certificate.GeneralName
	names, a.serial, a.err = n.AuthorityCertificate()
	for _, g := range names {
		if g.Form == certificate.FormDirectory {
			a.issuer, a.named = r.id(certificate.Name(g.Value)), true
			break
		}
	}
	n.authority = a
	return a
}

func (r *Run) node(c *certificate.Certificate) *node {
	if n, ok := r.nodes[c.SHA256]; ok {
		return n
	}
	n := &node{Certificate: c, issuer: r.id(c.Issuer), subject: r.id(c.Subject)}
	n.selfIssued = c.SelfIssued() || n.issuer == n.subject
	r.nodes[c.SHA256] = n
	return n
}

// SelfIssued reports whether issuer and subject are the same name (RFC 5280
// sections 6.1, 7.1).
func SelfIssued(c *certificate.Certificate) bool {
	return c.SelfIssued() || c.Issuer.Key(false) == c.Subject.Key(false)
}

// extensions reads those that are needed only if a path leads to an anchor.
func (r *Run) extensions(n *node) {
	if n.read {
		return
	}
	n.read = true
	n.names, n.namesErr = n.AlternativeNames()
	n.namesSize = 1 + len(n.Subject)
	for _, g := range n.names {
		n.namesSize += 1 + len(g.Value)
	}
	n.policies, n.policiesErr = n.Policies()
	n.critical = checkCritical(n)
	var c *certificate.NameConstraints
	if c, n.constraintsErr = n.NameConstraints(); c != nil {
		n.constraints = prepare(c)
	}
	n.odd = r.oddity(n)
}

// maxNameOf is how many bytes of a name a text shows.
const maxNameOf = 256

// Cut shortens a name for a text.
func Cut(name string) string { return report.Cut(name, maxNameOf) }

// Text is an alternative name in words, nothing escaped. It is never empty.
func Text(g certificate.GeneralName) string {
	switch {
	case len(g.Value) == 0, g.Form == certificate.FormDirectory && len(certificate.Name(g.Value).Attributes()) == 0:
		return fmt.Sprintf("an empty %s", g.Form)
	case g.Form == certificate.FormMail, g.Form == certificate.FormDNS, g.Form == certificate.FormURI:
		return Cut(string(g.Value))
	case g.Form == certificate.FormDirectory:
		return Cut(certificate.Name(g.Value).String())
	case g.Form == certificate.FormIP && (len(g.Value) == net.IPv4len || len(g.Value) == net.IPv6len):
		return net.IP(g.Value).String()
	}
	return fmt.Sprintf("a name of the form %s", g.Form)
}

// nameOf is the subject in a text.
func nameOf(n *node) string {
	if n.title == "" {
		n.title = Cut(n.Subject.String())
	}
	return n.title
}

// issuerOf is the issuer in a text.
func issuerOf(n *node) string {
	if n.issuedBy == "" {
		n.issuedBy = Cut(n.Issuer.String())
	}
	return n.issuedBy
}

// A key is the public key of certificates, prepared once.
type key struct {
	public crypto.PublicKey
	err    error
	cost   int
}

func (r *Run) keyOf(n *node) *key {
	if n.key != nil {
		return n.key
	}
	k, ok := r.keys[string(n.RawSPKI)]
	if !ok {
		k = new(key)
		if k.public, k.err = PublicKey(n.Certificate); k.err == nil {
			k.cost = cost(k.public)
		}
		r.keys[string(n.RawSPKI)] = k
	}
	n.key = k
	return k
}

// A link is a certificate and a key that may have signed it.
type link struct {
	c   *node
	key *key
}

// A Refusal says which rule refused, and why in words.
type Refusal struct {
	Reason Reason
	Err    error
}

func refuse(reason Reason, format string, args ...any) *Refusal {
	return &Refusal{reason, fmt.Errorf(format, args...)}
}

// CheckLink reports whether the key of issuer signed c with SHA-1, and refuses if it
// did not sign it. MD5 and what cannot be judged are refused. Names and dates
// are not looked at.
func CheckLink(c, issuer *certificate.Certificate) (sha1 bool, refusal *Refusal) {
	r := NewRun()
	return r.checkLink(r.node(c), r.node(issuer))
}

// checkLink is CheckLink with what the run knows already.
func (r *Run) checkLink(c, issuer *node) (sha1 bool, refusal *Refusal) {
	a, err := ParseAlgorithm(c.SignatureAlgorithm.OID.Dotted(), c.SignatureAlgorithm.Parameters)
	switch {
	case c.Has(certificate.QuirkSignatureBits):
		return false, refuse(Signature, "the signature on %s is not a whole number of bytes", nameOf(c))
	case c.Has(certificate.QuirkAlgorithmsDiffer):
		return false, refuse(Signature, "the certificate %s names two signature algorithms", nameOf(c))
	case c.Has(certificate.QuirkSignatureMD5):
		return false, refuse(Weak, "the certificate %s is signed with %s", nameOf(c), c.SignatureAlgorithm)
	case err != nil:
		return false, refuse(Unsupported, "the certificate %s is signed with %s, which is not judged here: %w", nameOf(c), c.SignatureAlgorithm, err)
	case (a.Scheme == ECDSA || a.Scheme == Ed25519) && len(c.SignatureAlgorithm.Parameters) > 0: // RFC 5758 section 3.2, RFC 8410 section 3
		return false, refuse(Unsupported, "the certificate %s is signed with %s, which has no parameters, and names some", nameOf(c), c.SignatureAlgorithm)
	}
	k := r.keyOf(issuer)
	switch {
	case errors.Is(k.err, errExplicitCurve):
		return false, refuse(ExplicitCurve, "the key of %s cannot be used: %w", nameOf(issuer), k.err)
	case k.err != nil:
		return false, refuse(Unsupported, "the key of %s (%s) cannot be used: %w", nameOf(issuer), issuer.PublicKey, k.err)
	}
	unsigned, known := r.links[link{c, k}]
	if !known {
		cost := k.cost
		if a.Scheme == Ed25519 {
			cost += len(c.RawTBS) / ed25519Bytes
		}
		if r.failures < cost && r.spare < cost {
			return false, refuse(TooComplex, "more signatures to try than %d certificates allow", len(r.nodes))
		}
		unsigned = a.verify(k.public, r.signed(c, a.Hash), c.Signature)
		switch {
		case unsigned == nil:
		case r.failures >= cost:
			r.failures -= cost
		default:
			r.spare -= cost
		}
		r.links[link{c, k}] = unsigned
	}
	const format = "the certificate %s is not signed by the key of %s: %w"
	switch {
	case errors.Is(unsigned, errArithmetic):
		return false, refuse(Unsupported, format, nameOf(c), nameOf(issuer), unsigned)
	case unsigned != nil: // a key of another type did not sign either
		return false, refuse(Signature, format, nameOf(c), nameOf(issuer), unsigned)
	}
	return a.Hash == crypto.SHA1, nil
}

// signed is what the signature on a certificate is of.
func (r *Run) signed(c *node, hash crypto.Hash) []byte {
	if hash == 0 {
		return c.RawTBS
	}
	if c.digests[hash] == nil {
		h := hash.New()
		h.Write(c.RawTBS)
		if c.digests == nil {
			c.digests = map[crypto.Hash][]byte{}
		}
		c.digests[hash] = h.Sum(nil)
	}
	return c.digests[hash]
}

// CheckSelfSignature checks that a self-issued certificate is signed by its own key. MD5 and SHA-1 are judged too: whether they may be trusted is another
// question. ErrNotJudged says that the algorithm or the key is of a kind not known
// here, or one that crypto/rsa does not compute with.
func CheckSelfSignature(c *certificate.Certificate) error {
	if !c.SelfIssued() {
		return ErrNotJudged
	}
	if c.Has(certificate.QuirkSignatureBits) {
		return errors.New("the signature is not a whole number of bytes")
	}
	a, err := ParseAlgorithm(c.SignatureAlgorithm.OID.Dotted(), c.SignatureAlgorithm.Parameters)
	if err != nil {
		return ErrNotJudged
	}
	key, err := PublicKey(c)
	if err != nil {
		return ErrNotJudged
	}
	if err = a.Verify(key, c.RawTBS, c.Signature); errors.Is(err, errArithmetic) || errors.Is(err, ErrKeyType) {
		return ErrNotJudged
	}
	return err
}

// ErrNotJudged is the answer of CheckSelfSignature if there is none.
var ErrNotJudged = errors.New("the self-signature cannot be judged")

// maxSameName is how many certificates of one name a Set gives to a search. The
// genuine bundles have four at most.
const maxSameName = 64

// A Set is certificates to look for issuers in.
type Set struct {
	all       []*certificate.Certificate
	bySubject map[string][]*certificate.Certificate // by Name.Key as RFC 5280 compares
	bySHA256  map[[32]byte]bool
}

// NewSet returns a set of certificates. Those that cannot be read are passed over,
// and each counts once.
func NewSet(certs []*certificate.Certificate) *Set {
	s := &Set{bySubject: map[string][]*certificate.Certificate{}, bySHA256: map[[32]byte]bool{}}
	for _, c := range certs {
		if c == nil || c.Err != nil || s.Has(c) {
			continue
		}
		s.bySHA256[c.SHA256] = true
		s.all = append(s.all, c)
		name := c.Subject.Key(true)
		s.bySubject[name] = append(s.bySubject[name], c)
	}
	return s
}

// Has reports whether the set has the certificate, by its SHA-256.
func (s *Set) Has(c *certificate.Certificate) bool { return s.bySHA256[c.SHA256] }

// Certificates are those of the set, in the order in which they were given.
func (s *Set) Certificates() []*certificate.Certificate { return s.all }

// issuers are the certificates of sets that bear the name of the issuer of c,
// those first that have the key identifier it names, and of these the earlier
// set's.
func issuers(c *node, sets []*Set) (out []*certificate.Certificate, crowded bool) {
	if c.issuerKey == "" {
		c.issuerKey = c.Issuer.Key(true)
	}
	name := c.issuerKey
	for _, s := range sets {
		named := s.bySubject[name]
		crowded = crowded || len(named) > maxSameName
		for _, i := range named[:min(len(named), maxSameName)] {
			if !slices.ContainsFunc(out, func(o *certificate.Certificate) bool { return o.SHA256 == i.SHA256 }) {
				out = append(out, i)
			}
		}
	}
	rank := func(i *certificate.Certificate) int {
		switch {
		case c.AuthorityKeyID == nil || i.SubjectKeyID == nil:
			return 1
		case bytes.Equal(c.AuthorityKeyID, i.SubjectKeyID):
			return 0
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b *certificate.Certificate) int { return cmp.Compare(rank(a), rank(b)) })
	return out, crowded
}

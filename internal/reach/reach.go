// Package reach says which servers a pool of CA certificates lets a device reach.
//
// Validate looks for a chain from what a server sent to a certificate of the pool
// and applies RFC 5280 section 6.1 and what TLS adds to it (RFC 9525 on names).
// Every certificate of the pool is an anchor, an intermediate too, and one that
// crypto/x509 refuses: an anchor is a name and a key (RFC 5280 section 6.1.1 d).
// Nobody looks at an anchor's own signature. What an anchor's extensions say
// binds it, as in OpenSSL and crypto/x509.
//
// How devices judge is documented in parts only. Where an answer turns on what is
// not known, it is Unknown, and the Doubt says what: an anchor whose dates have
// passed, a certificate signed with SHA-1, a constraint that is not evaluated, a
// built-in certificate of which only the fingerprint is known, and what RFC 5280
// leaves open and OpenSSL refuses. Revocation, TLS
// versions and ciphers are not looked at.
//
// Judge does that for a pool before and after a change, and after the import that
// a platform would make, and says what breaks and what would mend it.
package reach

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"trustpool/bundle/certificate"
)

// A Status is an answer.
type Status string

// The answers.
const (
	OK      Status = "ok"
	Broken  Status = "broken"
	Unknown Status = "unknown"
)

// SHA1 says what becomes of a chain with a certificate that is signed with SHA-1.
// An anchor's own signature is never looked at. MD5 and MD2 are always refused.
type SHA1 string

// The choices. What devices do is not known, so the default is to say so.
const (
	SHA1Unknown SHA1 = ""
	SHA1Accept  SHA1 = "accept"
	SHA1Refuse  SHA1 = "refuse"
)

// Options say how to validate. At must be set.
type Options struct {
	At time.Time
	// RootsOnly makes anchors of the self-issued certificates alone, as OpenSSL
	// does without -partial_chain; the others of the pool still complete chains.
	RootsOnly bool
	SHA1      SHA1
}

func (o Options) check() error {
	if o.At.IsZero() {
		return errors.New("reach: no time to validate at")
	}
	if !slices.Contains([]SHA1{SHA1Unknown, SHA1Accept, SHA1Refuse}, o.SHA1) {
		return fmt.Errorf("reach: SHA-1 links can be accepted or refused, not %q", o.SHA1)
	}
	return nil
}

// A Doubt is a rule that a device may or may not apply.
type Doubt struct {
	Reason Reason
	Text   string
}

// A Path leads from what a server sent to an anchor.
type Path struct {
	Certificates []*certificate.Certificate // the server's first, the anchor last
	Doubts       []Doubt
	SHA1         bool // a link of it is signed with SHA-1
}

// Anchor is the certificate of the pool that the path leads to.
func (p Path) Anchor() *certificate.Certificate { return p.Certificates[len(p.Certificates)-1] }

// A Result is how one server was judged with one pool.
type Result struct {
	Status Status
	Reason Reason // empty where OK
	Text   string // of the reason
	// Paths are those that lead to an anchor, one for each anchor and eight at
	// most: without doubts where OK, with doubts where Unknown. A path to a
	// self-issued anchor stands first.
	Paths []Path
	// Chain is as far as the chain could be followed where no path was found.
	Chain []*certificate.Certificate
}

// target is the certificate to validate: the server's own, which comes first (RFC
// 8446 section 4.4.2), or in a file of another order the one that can be it. Where
// only CA certificates are there it is the first of them.
func (s *Server) target() (c *certificate.Certificate, isServer bool) {
	if first := s.Certificates[0]; serves(first) {
		return first, true
	}
	for _, c := range s.Certificates {
		if serves(c) && !c.SelfIssued() {
			return c, true
		}
	}
	return s.Certificates[0], false
}

// serves reports whether a certificate is one for a server: not a CA's, or with
// host names. A root of version 1 has nothing that marks it as a CA.
func serves(c *certificate.Certificate) bool {
	n, err := alternativeNames(c)
	return !c.IsCA && (c.Version == 3 || !c.SelfIssued()) || err == nil && n.hosts()
}

// Validate judges one server with one pool. An error says that the options, or a
// server without certificates, cannot be used.
func Validate(s Server, p *Pool, o Options) (Result, error) { return validate(s, p, o, nil) }

// validate is Validate with one more anchor, or nil.
func validate(s Server, p *Pool, o Options, extra *certificate.Certificate) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	if len(s.Certificates) == 0 {
		return Result{}, fmt.Errorf("reach: %s sent no certificate", s.Name)
	}
	target, isServer := s.target()
	known := s.Certificates
	if extra != nil {
		known = append(slices.Clone(known), extra)
	}
	w := &walk{
		pool: p, options: o, sent: p.others(known), extra: extra, isServer: isServer,
		budget: maxSignatureChecks, names: maxComparisons, chain: []link{{c: target}},
	}
	if isServer {
		own, reason, err := checkServer(target, s.Host)
		if err != nil {
			return Result{Status: Broken, Reason: reason, Text: err.Error(), Chain: []*certificate.Certificate{target}}, nil
		}
		w.doubts = own
	}
	w.extend()
	return w.result(), nil
}

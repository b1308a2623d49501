// Package reach says which servers a pool of CA certificates lets a device reach.
//
// Validate looks for a chain from what a server sent to a certificate of the pool
// and applies RFC 5280 section 6.1 and what TLS adds to it (RFC 9525 on names).
// Every certificate of the pool is an anchor, an intermediate too, and one that
// crypto/x509 refuses: an anchor is a name and a key (RFC 5280 section 6.1.1 d).
// An anchor's own signature is not looked at. What an anchor's extensions say
// binds it, as in OpenSSL and crypto/x509. Package path does the search, and applies
// the rules on paths.
//
// How devices judge is documented in parts only. If an answer turns on what is not
// known, it is Unknown, and the Doubt says what: an anchor that has expired, a
// certificate signed with SHA-1, a demand for an explicit policy, a built-in
// certificate with only its fingerprint known, and what RFC 5280 leaves open and
// OpenSSL refuses. Revocation, TLS versions and ciphers are not looked at.
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
	"trustpool/internal/path"
)

// A Status is an answer.
type Status string

// The answers.
const (
	OK      Status = "ok"
	Broken  Status = "broken"
	Unknown Status = "unknown"
)

// SHA1 says what becomes of a chain with a certificate that is signed with SHA-1. What devices
// do is not known, so the default is to say so.
type SHA1 = path.SHA1

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
	if !slices.Contains([]SHA1{path.SHA1Unknown, path.SHA1Accept, path.SHA1Refuse}, o.SHA1) {
		return fmt.Errorf("reach: SHA-1 links can be accepted or refused, not %q", o.SHA1)
	}
	return nil
}

// A Doubt is a rule that a device may or may not apply.
type Doubt = path.Doubt

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
	Reason Reason // empty if OK
	Text   string // of the reason
	// Paths are those that lead to an anchor, one for each anchor and eight at
	// most: without doubts if OK, with doubts if Unknown. A path to a
	// self-issued anchor is first.
	Paths []Path
	// Chain is as far as the chain could be followed if no path was found.
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
		if serves(c) && !path.SelfIssued(c) {
			return c, true
		}
	}
	return s.Certificates[0], false
}

// serves reports whether a certificate is one for a server: not a CA's, or with
// host names. A root of version 1 has nothing that marks it as a CA.
func serves(c *certificate.Certificate) bool {
	names, err := c.AlternativeNames()
	return !c.IsCA && (c.Version == 3 || !path.SelfIssued(c)) || err == nil && slices.ContainsFunc(names, isHost)
}

// Validate judges one server with one pool. An error says that the options, or a
// server without certificates, cannot be used.
func Validate(s Server, p *Trusted, o Options) (Result, error) {
	return validate(path.NewRun(p.Certificates(), s.Certificates), s, p, o, nil)
}

// validate is Validate as a part of a run, with one more anchor, or nil.
func validate(run *path.Run, s Server, p *Trusted, o Options, extra *certificate.Certificate) (Result, error) {
	if err := o.check(); err != nil {
		return Result{}, err
	}
	if len(s.Certificates) == 0 {
		return Result{}, fmt.Errorf("reach: %s sent no certificate", s.Name)
	}
	target, isServer := s.target()
	check := checkServer
	if !isServer {
		check = checkAuthority
	}
	doubts, reason, err := check(target, s.Host)
	if err != nil {
		return Result{Status: Broken, Reason: reason, Text: err.Error(), Chain: []*certificate.Certificate{target}}, nil
	}
	known := s.Certificates
	if extra != nil {
		known = append(slices.Clone(known), extra)
	}
	found := run.Search(target, path.Policy{
		At: o.At, NotAnchor: "the pool does not have", NotAtHand: "neither the pool nor the server has",
		Purposes: [][]string{{certificate.PurposeServerAuth}},
		SHA1:     func(*certificate.Certificate) SHA1 { return o.SHA1 },
		Anchor: func(c *certificate.Certificate) bool {
			there := p.Has(c) || extra != nil && extra.SHA256 == c.SHA256
			return there && (!o.RootsOnly || path.SelfIssued(c))
		},
	}, p.Set, path.NewSet(known))
	return result(found, doubts, p), nil
}

// result is what a search came to; doubts are about the server's certificate.
func result(found path.Outcome, doubts []Doubt, p *Trusted) Result {
	ok, doubtful := paths(found.Found, nil), paths(found.Doubtful, doubts)
	if len(doubts) > 0 {
		ok, doubtful = nil, paths(slices.Concat(found.Found, found.Doubtful), doubts)
	}
	chain := certificates(found.Farthest)
	switch {
	case len(ok) > 0:
		return Result{Status: OK, Paths: ok}
	case len(doubtful) > 0:
		d := doubtful[0].Doubts[0]
		return Result{Status: Unknown, Reason: d.Reason, Text: d.Text, Paths: doubtful}
	}
	for _, c := range found.Ends {
		if e := p.lacking(c); e != nil {
			return Result{Status: Unknown, Reason: AnchorNotAtHand, Chain: chain,
				Text: fmt.Sprintf("%s, certificate not at hand: %s; not judged", e.Origin, title(e))}
		}
	}
	if r := found.Open; r != nil {
		return Result{Status: Unknown, Reason: r.Reason, Text: r.Err.Error(), Chain: chain}
	}
	return Result{Status: Broken, Reason: found.Refusal.Reason, Text: found.Refusal.Err.Error(), Chain: chain}
}

// paths puts those to roots first, and doubts before those of each path; of several
// to one anchor it keeps the first.
func paths(found []path.Path, doubts []Doubt) (out []Path) {
	for _, f := range found {
		p := Path{Certificates: certificates(f.Links), Doubts: slices.Concat(doubts, f.Doubts)}
		p.SHA1 = slices.ContainsFunc(f.Links, func(l path.Link) bool { return l.SHA1 })
		if !slices.ContainsFunc(out, func(o Path) bool { return o.Anchor().SHA256 == p.Anchor().SHA256 }) {
			out = append(out, p)
		}
	}
	toRoot := func(p Path) bool { return path.SelfIssued(p.Anchor()) }
	others := slices.DeleteFunc(slices.Clone(out), toRoot)
	return append(slices.DeleteFunc(out, func(p Path) bool { return !toRoot(p) }), others...)
}

func certificates(links []path.Link) []*certificate.Certificate {
	out := make([]*certificate.Certificate, len(links))
	for i, l := range links {
		out[i] = l.Certificate
	}
	return out
}

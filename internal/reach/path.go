package reach

import (
	"bytes"
	"fmt"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/signing"
)

// Limits of one search.
const (
	maxChain           = 10  // certificates of a path
	maxSignatureChecks = 128 // tried for one server with one pool
	maxPaths           = 8   // kept

	// maxComparisons is how many names are looked at, or compared with a name
	// constraint, for one server with one pool.
	maxComparisons = 200_000
)

// A link is a certificate of a chain and how the next one signed it.
type link struct {
	c      *certificate.Certificate
	sha1   bool
	folded bool // its issuer's name is not byte by byte the next one's subject
	other  bool // its key identifier is another's
}

// A walk is the search for paths of one server.
type walk struct {
	pool     *Pool
	options  Options
	sent     map[string][]*certificate.Certificate // what the server sent and the pool does not have, by folded subject
	extra    *certificate.Certificate              // an anchor that the pool does not have; nil for none
	isServer bool
	budget   int // of maxSignatureChecks
	names    int // of maxComparisons
	chain    []link
	doubts   []Doubt // about the server's certificate itself

	found, doubtful []Path
	absent          *pool.Entry // one that could have gone on
	tooComplex      bool
	unsupported     error // of a signature that cannot be judged here

	// Why the best attempt failed; one that had reached an anchor says most.
	reason   Reason
	err      error
	atAnchor bool
	farthest []*certificate.Certificate
}

// anchor reports whether a path may end at c.
func (w *walk) anchor(c *certificate.Certificate) bool {
	there := w.pool.bySHA256[c.SHA256] || w.extra != nil && w.extra.SHA256 == c.SHA256
	return there && (!w.options.RootsOnly || c.SelfIssued())
}

// extend looks for paths from the last certificate of the chain, depth first.
func (w *walk) extend() {
	last := w.chain[len(w.chain)-1].c
	if w.anchor(last) {
		w.arrive()
		if last.SelfIssued() {
			return // nothing above it
		}
	}
	if len(w.chain) == maxChain || len(w.found) == maxPaths {
		return
	}
	name := fold(last.Issuer.String())
	candidates := w.pool.issuers(last, name, w.sent)
	signed := false
	for _, issuer := range candidates {
		if w.holds(issuer) {
			continue
		}
		if w.budget == 0 {
			w.tooComplex = true
			return
		}
		w.budget--
		sha1, reason, err := signing.CheckLink(last, issuer)
		if err != nil {
			if reason == signing.ChainUnsupported && w.unsupported == nil {
				w.unsupported = err
			}
			if !last.SelfIssued() { // one of its name that did not sign it says nothing
				w.fail(reason, err, w.anchor(issuer))
			}
			continue
		}
		signed = true
		end := &w.chain[len(w.chain)-1]
		end.sha1, end.folded, end.other = sha1, !bytes.Equal(last.Issuer, issuer.Subject), !identifies(last, issuer)
		w.chain = append(w.chain, link{c: issuer})
		w.extend()
		w.chain = w.chain[:len(w.chain)-1]
	}
	if signed || w.anchor(last) {
		return
	}
	if w.pool.crowded[name] {
		w.tooComplex = true
	}
	// One of which no name is known may be it.
	for _, name := range []string{words(last.Issuer.String()), ""} {
		if e := w.pool.absent[name]; len(e) > 0 && w.absent == nil {
			w.absent = &e[0]
		}
	}
	w.fail(signing.ChainNoAnchor, noAnchor(last, len(candidates) > 0), false)
}

func noAnchor(last *certificate.Certificate, others bool) error {
	switch {
	case last.SelfIssued():
		return fmt.Errorf("the chain ends in the root %s (SHA-256 %x), which the pool does not have", nameOf(last), last.SHA256)
	case others:
		return fmt.Errorf("the certificate %s was signed by none of those that bear the name %s", nameOf(last), cut(last.Issuer.String()))
	}
	return fmt.Errorf("the certificate %s was issued by %s, which neither the pool nor the server has", nameOf(last), cut(last.Issuer.String()))
}

// holds reports whether a certificate, or another of its name and key, is in the
// chain: going over it again leads nowhere new.
func (w *walk) holds(c *certificate.Certificate) bool {
	return slices.ContainsFunc(w.chain, func(l link) bool {
		return l.c.SHA256 == c.SHA256 || bytes.Equal(l.c.Subject, c.Subject) && bytes.Equal(l.c.RawSPKI, c.RawSPKI)
	})
}

// fail remembers a refusal. One that had reached an anchor says more than one that
// had not, a longer chain more than a shorter one, and the first more than a later.
func (w *walk) fail(reason Reason, err error, atAnchor bool) {
	if w.err != nil && (w.atAnchor || !atAnchor) && (w.atAnchor != atAnchor || len(w.chain) <= len(w.farthest)) {
		return
	}
	w.reason, w.err, w.atAnchor, w.farthest = reason, err, atAnchor, w.certificates()
}

func (w *walk) certificates() []*certificate.Certificate {
	out := make([]*certificate.Certificate, len(w.chain))
	for i, l := range w.chain {
		out[i] = l.c
	}
	return out
}

// title is what is known of an entry whose certificate is not at hand.
func title(e *pool.Entry) string {
	switch {
	case e.Title() != "":
		return cut(e.Title())
	case e.SHA256 != "":
		return "SHA-256 " + e.SHA256
	case e.SHA1 != "":
		return "SHA-1 " + e.SHA1
	}
	return "serial number " + e.Serial
}

// result is what the search came to.
func (w *walk) result() Result {
	byAnchor := func(a, b Path) int {
		switch x, y := a.Anchor().SelfIssued(), b.Anchor().SelfIssued(); {
		case x == y:
			return 0
		case x:
			return -1
		}
		return 1
	}
	slices.SortStableFunc(w.found, byAnchor)
	slices.SortStableFunc(w.doubtful, byAnchor)
	switch {
	case len(w.found) > 0:
		return Result{Status: OK, Paths: w.found}
	case len(w.doubtful) > 0:
		d := w.doubtful[0].Doubts[0]
		return Result{Status: Unknown, Reason: d.Reason, Text: d.Text, Paths: w.doubtful}
	case w.absent != nil:
		return Result{Status: Unknown, Reason: AnchorNotAtHand, Chain: w.farthest,
			Text: fmt.Sprintf("%s, certificate not at hand: %s; not judged", w.absent.Origin, title(w.absent))}
	case w.tooComplex:
		return Result{Status: Unknown, Reason: signing.ChainTooComplex, Chain: w.farthest,
			Text: fmt.Sprintf("more than %d signatures, or certificates of one name, to try", maxSignatureChecks)}
	case w.unsupported != nil:
		return Result{Status: Unknown, Reason: signing.ChainUnsupported, Chain: w.farthest, Text: w.unsupported.Error()}
	case w.err == nil: // every way ended at maxChain
		return Result{Status: Unknown, Reason: signing.ChainTooComplex, Chain: w.certificates(),
			Text: fmt.Sprintf("a chain of more than %d certificates", maxChain)}
	}
	return Result{Status: Broken, Reason: w.reason, Text: w.err.Error(), Chain: w.farthest}
}

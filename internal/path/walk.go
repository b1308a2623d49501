package path

import (
	"fmt"
	"slices"
	"time"

	"trustpool/bundle/certificate"
)

// Limits of one search.
const (
	maxChain       = 20     // certificates of a path. Genuine ones have two to five
	maxPaths       = 8      // kept
	maxSearchSteps = 10_000 // certificates put at the end of the chain
	minSearchSteps = 100    // that a search has when the run has none left
)

// SHA1 says what becomes of a path with a certificate that is signed with SHA-1.
// An anchor's own signature is never looked at. MD5 and MD2 are always refused.
type SHA1 string

// The choices.
const (
	SHA1Unknown SHA1 = "" // a doubt
	SHA1Accept  SHA1 = "accept"
	SHA1Refuse  SHA1 = "refuse"
)

// A Policy says what a user of paths asks of them.
type Policy struct {
	At time.Time // when certificates must be valid
	// Anchor reports whether a path may end at a certificate.
	Anchor func(*certificate.Certificate) bool
	// NotAnchor and NotAtHand end a text about a root that is not an anchor, "which
	// the pool does not have", and about an issuer that was not found.
	NotAnchor, NotAtHand string

	SHA1 func(anchor *certificate.Certificate) SHA1
	// Purposes are groups of extended key usages; all issuers must allow the same
	// group. The user has checked the target. RFC 5280 does not ask for it, others do.
	Purposes [][]string
	// Strict is for users who need a yes or a no: a doubt refuses, an anchor is
	// held to every rule but on purposes, any purpose is every purpose, and the
	// search ends with the first path.
	Strict bool
}

// A Link is one certificate of a path.
type Link struct {
	Certificate *certificate.Certificate
	SHA1        bool // the next one signed it with SHA-1

	node  *node
	exact bool // its issuer's name is the next one's subject, as OpenSSL compares
	other bool // its key identifier is another's
}

// A Doubt is a rule that some apply and RFC 5280 leaves open, or that cannot be
// judged here.
type Doubt struct {
	Reason Reason `json:"reason"`
	Text   string `json:"text"`
}

// A Path leads from a certificate to an anchor, which is last.
type Path struct {
	Links  []Link
	Doubts []Doubt
}

// Anchor is the certificate that the path leads to.
func (p *Path) Anchor() *certificate.Certificate { return p.Links[len(p.Links)-1].Certificate }

// An Outcome is what a search found.
type Outcome struct {
	Found    []Path // that pass every rule, one for each anchor
	Doubtful []Path // that pass but for doubts
	// Refusal is why the attempt that came nearest to an anchor failed, and
	// Farthest that attempt. Both are nil only if a limit ended every attempt.
	Refusal  *Refusal
	Farthest []Link
	// Open says why a path may exist that was not found: a signature that cannot be
	// judged, or a limit.
	Open *Refusal
	Ends []*certificate.Certificate // to which no issuer was found, one for each name of an issuer
}

// candidates are the certificates that bear the name of an issuer. If they are
// crowded there are more.
type candidates struct {
	nodes   []*node
	crowded bool
}

// A walk is one search.
type walk struct {
	Policy
	run     *Run
	sets    []*Set
	chain   []Link
	steps   int
	above   map[*node]candidates
	ends    map[nameID]bool
	limited *Refusal // a limit was met

	doubts   []Doubt  // of the path that is judged
	refused  *Refusal // of that path
	atAnchor bool     // Outcome.Refusal is of an attempt that had reached an anchor
	Outcome
}

// Search looks for paths from a certificate to anchors, through those of the sets,
// depth first, and applies RFC 5280 section 6.1 to each.
func (r *Run) Search(target *certificate.Certificate, p Policy, sets ...*Set) Outcome {
	w := walk{Policy: p, run: r, sets: sets, steps: maxSearchSteps, above: map[*node]candidates{}, ends: map[nameID]bool{}}
	r.spare = maxFailuresSearch
	w.push(r.node(target))
	w.extend()
	if w.limited != nil && (w.Open == nil || w.Open.Reason == Unsupported) {
		w.Open = w.limited
	}
	return w.Outcome
}

func (w *walk) push(n *node) {
	w.chain = append(w.chain, Link{Certificate: n.Certificate, node: n})
	w.steps--
	w.run.steps--
}

// done reports whether nothing more is looked for.
func (w *walk) done() bool {
	if w.steps <= 0 || w.run.steps <= 0 && w.steps <= maxSearchSteps-minSearchSteps {
		w.limit("more ways to go than %d certificates allow", len(w.run.nodes))
		return true
	}
	return len(w.Found) == maxPaths || w.Strict && len(w.Found) > 0
}

func (w *walk) limit(format string, args ...any) {
	if w.limited == nil {
		w.limited = refuse(TooComplex, format, args...)
	}
}

// extend looks for paths from the last certificate of the chain.
func (w *walk) extend() {
	last := w.chain[len(w.chain)-1].node
	anchor := w.Anchor(last.Certificate)
	if anchor {
		w.arrive()
		if last.selfIssued {
			return // nothing is above it
		}
	}
	if w.done() {
		return
	}
	if len(w.chain) == maxChain {
		w.limit("a chain of more than %d certificates", maxChain)
		return
	}
	candidates, known := w.above[last]
	if !known {
		certs, crowded := issuers(last, w.sets)
		for _, c := range certs {
			candidates.nodes = append(candidates.nodes, w.run.node(c))
		}
		candidates.crowded = crowded
		w.above[last] = candidates
	}
	signed := false
	var unsigned *Refusal // why the first of them is not the issuer
	byAnchor := false
	for _, issuer := range candidates.nodes {
		if w.done() {
			return
		}
		if w.holds(issuer) {
			continue
		}
		sha1, r := w.run.checkLink(last, issuer)
		if r != nil {
			switch r.Reason {
			case TooComplex:
				w.limited = r
				return
			case Unsupported:
				if w.Open == nil {
					w.Open = r
				}
			}
			if unsigned == nil && !last.selfIssued { // that another of its name did not sign it says nothing
				unsigned, byAnchor = r, w.Anchor(issuer.Certificate)
			}
			continue
		}
		signed = true
		end := &w.chain[len(w.chain)-1]
		end.SHA1, end.exact, end.other = sha1, last.issuer == issuer.subject, !w.identifies(last, issuer)
		w.push(issuer)
		w.extend()
		w.chain = w.chain[:len(w.chain)-1]
	}
	if signed || anchor {
		return
	}
	if candidates.crowded {
		w.limit("more than %d certificates of the name %s to try", maxSameName, issuerOf(last))
	}
	if !w.ends[last.issuer] {
		w.ends[last.issuer] = true
		w.Ends = append(w.Ends, last.Certificate)
	}
	if unsigned == nil {
		unsigned = &Refusal{NoAnchor, w.noAnchor(last, len(candidates.nodes) > 0)}
	}
	w.fail(unsigned, byAnchor)
}

func (w *walk) noAnchor(last *node, others bool) error {
	switch {
	case last.selfIssued:
		return fmt.Errorf("the chain ends in %s (SHA-256 %x), which %s", nameOf(last), last.SHA256, w.NotAnchor)
	case others:
		return fmt.Errorf("the certificate %s was signed by none of those that bear the name %s", nameOf(last), issuerOf(last))
	}
	return fmt.Errorf("the certificate %s was issued by %s, which %s", nameOf(last), issuerOf(last), w.NotAtHand)
}

// holds reports whether a certificate, or another of its name and key, is in the
// chain: going over it again leads nowhere new.
func (w *walk) holds(n *node) bool {
	return slices.ContainsFunc(w.chain, func(l Link) bool {
		return l.node == n || l.node.subject == n.subject && w.run.keyOf(l.node) == w.run.keyOf(n)
	})
}

// fail remembers a refusal. One that had reached an anchor says more than one that
// had not, a longer chain more than a shorter one, and the first more than a later.
func (w *walk) fail(r *Refusal, atAnchor bool) {
	if w.Refusal != nil && (w.atAnchor || !atAnchor) && (w.atAnchor != atAnchor || len(w.chain) <= len(w.Farthest)) {
		return
	}
	w.Refusal, w.atAnchor, w.Farthest = r, atAnchor, w.links()
}

// links is a copy of the chain.
func (w *walk) links() []Link {
	out := slices.Clone(w.chain)
	out[len(out)-1].SHA1 = false
	return out
}

// arrive judges a chain that has come to an anchor.
func (w *walk) arrive() {
	p := Path{Links: w.links()}
	same := func(o Path) bool { return o.Anchor().SHA256 == p.Anchor().SHA256 }
	if slices.ContainsFunc(w.Found, same) {
		return
	}
	if r := w.judge(); r != nil {
		if r.Reason == TooComplex {
			w.limited = r
		}
		w.fail(r, true)
		return
	}
	list := &w.Found
	if p.Doubts = w.doubts; len(p.Doubts) > 0 {
		list = &w.Doubtful
	}
	if len(*list) < maxPaths && !slices.ContainsFunc(*list, same) {
		*list = append(*list, p)
	}
}

package reach

import (
	"bytes"
	"fmt"
	"slices"

	"trustpool/bundle"
	"trustpool/device"
	"trustpool/signing"
)

// Limits of one search.
const (
	maxChain           = 10  // certificates of a path
	maxSignatureChecks = 128 // tried for one server with one pool
	maxPaths           = 8   // kept
)

// A link is a certificate of a chain and how the next one signed it.
type link struct {
	c      *bundle.Certificate
	sha1   bool
	folded bool // its issuer's name is not octet by octet the next one's subject
}

// A walk is the search for paths of one server.
type walk struct {
	pool     *Pool
	options  Options
	sent     map[string][]*bundle.Certificate // what the server sent and the pool does not have, by folded subject
	isServer bool
	budget   int
	chain    []link
	doubts   []Doubt // about the server's certificate itself

	found, doubtful []Path
	absent          *device.PoolEntry // one that could have gone on
	tooComplex      bool

	// Why the best attempt failed; one that had reached an anchor says most.
	reason   Reason
	err      error
	atAnchor bool
	farthest []*bundle.Certificate
}

// anchor tells whether a path may end at c.
func (w *walk) anchor(c *bundle.Certificate) bool {
	return w.pool.bySHA256[c.SHA256] && (!w.options.RootsOnly || c.SelfIssued())
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
			if !last.SelfIssued() { // one of its name that did not sign it says nothing
				w.fail(reason, err, w.anchor(issuer))
			}
			continue
		}
		signed = true
		end := &w.chain[len(w.chain)-1]
		end.sha1, end.folded = sha1, !bytes.Equal(last.Issuer, issuer.Subject)
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
	if e := w.pool.absent[words(last.Issuer.String())]; len(e) > 0 {
		w.absent = &e[0]
	}
	w.fail(signing.ChainNoAnchor, noAnchor(last, len(candidates) > 0), false)
}

func noAnchor(last *bundle.Certificate, others bool) error {
	switch {
	case last.SelfIssued():
		return fmt.Errorf("the chain ends in the root %s (SHA-256 %x), which the pool does not have", nameOf(last), last.SHA256)
	case others:
		return fmt.Errorf("the certificate %s was signed by none of those that bear the name %s", nameOf(last), cut(last.Issuer.String()))
	}
	return fmt.Errorf("the certificate %s was issued by %s, which neither the pool nor the server has", nameOf(last), cut(last.Issuer.String()))
}

// holds tells whether a certificate, or another of its name and key, is in the
// chain: going over it again leads nowhere new.
func (w *walk) holds(c *bundle.Certificate) bool {
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

func (w *walk) certificates() []*bundle.Certificate {
	out := make([]*bundle.Certificate, len(w.chain))
	for i, l := range w.chain {
		out[i] = l.c
	}
	return out
}

// arrive judges a chain that has come to an anchor.
func (w *walk) arrive() {
	path := Path{Certificates: w.certificates(), Doubts: slices.Clone(w.doubts)}
	doubt := func(reason Reason, format string, args ...any) {
		path.Doubts = append(path.Doubts, Doubt{reason, fmt.Sprintf(format, args...)})
	}
	for i, l := range w.chain {
		isAnchor := i == len(w.chain)-1 && i > 0
		check := w.checkBelow
		if isAnchor {
			check = w.checkAnchor
		}
		if reason, err := check(l.c, doubt); err != nil {
			w.fail(reason, err, true)
			return
		}
		if i > 0 {
			if reason, err := w.checkIssuer(i, isAnchor, doubt); err != nil {
				w.fail(reason, err, true)
				return
			}
		}
		if isAnchor || i == len(w.chain)-1 {
			continue // how it was signed does not count
		}
		if l.sha1 {
			path.SHA1 = true
			switch w.options.SHA1 {
			case SHA1Refuse:
				w.fail(signing.ChainSHA1, fmt.Errorf("the certificate %s is signed with SHA-1", nameOf(l.c)), true)
				return
			case SHA1Unknown:
				doubt(signing.ChainSHA1, "the certificate %s is signed with SHA-1; whether the device takes that is not known", nameOf(l.c))
			}
		}
		if l.folded {
			doubt(NameEncoding, "the issuer of %s is spelt in other octets than the subject of %s", nameOf(l.c), nameOf(w.chain[i+1].c))
		}
	}
	list := &w.found
	if len(path.Doubts) > 0 {
		list = &w.doubtful
	}
	if len(*list) < maxPaths && !slices.ContainsFunc(*list, func(p Path) bool { return p.Anchor().SHA256 == path.Anchor().SHA256 }) {
		*list = append(*list, path)
	}
}

type doubter func(reason Reason, format string, args ...any)

// checkBelow applies the rules on every certificate but the anchor.
func (w *walk) checkBelow(c *bundle.Certificate, _ doubter) (Reason, error) {
	if reason, err := signing.CheckReadable(c); err != nil {
		return reason, err
	}
	if w.options.At.Before(c.NotBefore.Time) {
		return signing.ChainNotYetValid, fmt.Errorf("the certificate %s is valid from %s on only", nameOf(c), c.NotBefore)
	}
	if w.options.At.After(c.NotAfter.Time) {
		return signing.ChainExpired, fmt.Errorf("the certificate %s expired at %s", nameOf(c), c.NotAfter)
	}
	return signing.CheckCritical(c, oidNameConstraints)
}

// checkAnchor doubts what RFC 5280 section 6.1.1 does not ask of an anchor and
// others do.
func (w *walk) checkAnchor(c *bundle.Certificate, doubt doubter) (Reason, error) {
	if _, err := signing.CheckReadable(c); err != nil {
		doubt(AnchorUnreadable, "of the anchor: %v", err)
	}
	if c.NotBefore.Valid && w.options.At.Before(c.NotBefore.Time) {
		doubt(AnchorDates, "the anchor %s is valid from %s on only; whether the device asks is not known", nameOf(c), c.NotBefore)
	}
	if c.NotAfter.Valid && w.options.At.After(c.NotAfter.Time) {
		doubt(AnchorDates, "the anchor %s expired at %s; whether the device asks is not known", nameOf(c), c.NotAfter)
	}
	if reason, err := signing.CheckCritical(c, oidNameConstraints); err != nil {
		doubt(reason, "of the anchor: %v", err)
	}
	return "", nil
}

// checkIssuer applies the rules on the CA at the i-th place of the chain, for what
// stands below it.
func (w *walk) checkIssuer(i int, isAnchor bool, doubt doubter) (Reason, error) {
	c, n := w.chain[i].c, 0
	for _, l := range w.chain[1:i] {
		if !l.c.SelfIssued() {
			n++
		}
	}
	if !w.isServer && !w.chain[0].c.SelfIssued() {
		n++ // an intermediate, below which there is still a server
	}
	switch silent := c.Version < 3 || c.Has(bundle.QuirkNoBasicConstraints); {
	case !isAnchor || !silent:
		if reason, err := signing.CheckIssuer(c, n); err != nil {
			return reason, err
		}
	case c.KeyUsage&bundle.KeyUsagePresent != 0 && c.KeyUsage&bundle.KeyUsageKeyCertSign == 0:
		return signing.ChainKeyUsage, fmt.Errorf("the anchor %s may not sign certificates: its key usage lacks keyCertSign", nameOf(c))
	}
	if !forServers(c) {
		return signing.ChainPurpose, fmt.Errorf("the issuer %s is for %v, not for servers", nameOf(c), c.ExtKeyUsage)
	}
	var below []*bundle.Certificate
	for j, l := range w.chain[:i] {
		if j == 0 || !l.c.SelfIssued() { // RFC 5280 section 4.2.1.10
			below = append(below, l.c)
		}
	}
	return checkConstraints(c, below, doubt)
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
			Text: fmt.Sprintf("%s, certificate not at hand: %s; not judged", w.absent.Origin, cut(w.absent.Title()))}
	case w.tooComplex:
		return Result{Status: Unknown, Reason: signing.ChainTooComplex, Chain: w.farthest,
			Text: fmt.Sprintf("more than %d signatures, or certificates of one name, to try", maxSignatureChecks)}
	case w.err == nil: // every way ended at maxChain
		return Result{Status: Unknown, Reason: signing.ChainTooComplex, Chain: w.certificates(),
			Text: fmt.Sprintf("a chain of more than %d certificates", maxChain)}
	}
	return Result{Status: Broken, Reason: w.reason, Text: w.err.Error(), Chain: w.farthest}
}

package signing

import (
	"bytes"
	"crypto"
	"crypto/x509"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/roots"
)

// maxChain bounds the certificates of a chain, anchor included. Genuine chains
// have two.
const maxChain = 10

// maxCertificate is how many bytes a certificate of a chain may have, so that
// what is hashed and printed for each attempt stays small. Genuine ones have 2,000.
const maxCertificate = 64 << 10

// maxRSABits bounds RSA keys, whose cost grows with the square of their size. It
// is OpenSSL's limit.
const maxRSABits = 16384

// publicKey is the key of a certificate, where crypto/x509 knows its kind.
func publicKey(c *certificate.Certificate) (crypto.PublicKey, error) {
	if c.PublicKey.Bits > maxRSABits {
		return nil, fmt.Errorf("a key of %d bits, more than %d", c.PublicKey.Bits, maxRSABits)
	}
	return x509.ParsePKIXPublicKey(c.RawSPKI)
}

// maxNameOf is how many bytes of a name a refusal shows.
const maxNameOf = 256

// nameOf is the subject of a certificate in a refusal, cut where it is too long.
func nameOf(c *certificate.Certificate) string {
	name := c.Subject.String()
	if len(name) > maxNameOf {
		name = strings.ToValidUTF8(name[:maxNameOf], "") + "…"
	}
	return name
}

// findChain looks for a chain from the signer to an anchor, depth first. Of
// several refusals it keeps the one that came nearest to an anchor.
func (j *judge) findChain(signer *certificate.Certificate) *refusal {
	w := walk{judge: j, chain: []Link{{Certificate: signer}}}
	w.refusal = refuse(ChainNoAnchor, "no certificate that the signer %s leads to is a pinned anchor", nameOf(signer))
	if w.extend() {
		j.result.Chain, j.result.Anchor = w.chain, w.anchor
		if w.anchor.Name == "" { // pinned by its hash alone
			j.result.Anchor.Name = w.chain[len(w.chain)-1].Certificate.Subject.CommonName()
		}
		return nil
	}
	if n := len(w.farthest); n > 0 {
		j.result.Chain = w.farthest
		if last := w.farthest[n-1].Certificate; w.refusal.reason == ChainNoAnchor && last.SelfIssued() {
			return refuse(ChainNoAnchor, "the chain ends in %s (SHA-256 %x), which is not a pinned anchor", nameOf(last), last.SHA256)
		}
	}
	return w.refusal
}

// A walk is a search for a chain.
type walk struct {
	*judge
	chain  []Link // the signer first
	anchor roots.Anchor

	refusal  *refusal // why the best attempt failed
	atAnchor bool     // that attempt had reached an anchor
	farthest []Link
}

// extend tries to complete the chain from its last certificate; it is true when
// the chain ends in an anchor and passes.
func (w *walk) extend() bool {
	last := w.chain[len(w.chain)-1].Certificate
	if anchor, ok := w.anchorOf(last); ok {
		r := w.check(anchor)
		if r == nil {
			w.anchor = anchor
			return true
		}
		w.fail(r, true)
		return false
	}
	if len(w.chain) == maxChain {
		w.fail(nil, false)
		return false
	}
	signed := false // by any of the issuers
	var broken *refusal
	brokenAtAnchor := false
	for _, issuer := range w.issuers(last) {
		if *w.budget == 0 {
			w.fail(refuse(ChainTooComplex, "more than %d signatures to try", maxSignatureChecks), true)
			return false
		}
		*w.budget--
		sha1, r := checkLink(last, issuer)
		if r != nil {
			// That a self-issued certificate is not signed by another of its name
			// says nothing.
			if broken == nil && !last.SelfIssued() {
				_, brokenAtAnchor = w.anchorOf(issuer)
				broken = r
			}
			continue
		}
		signed = true
		w.chain[len(w.chain)-1].SHA1 = sha1
		w.chain = append(w.chain, Link{Certificate: issuer})
		if w.extend() {
			return true
		}
		w.chain = w.chain[:len(w.chain)-1]
		w.chain[len(w.chain)-1].SHA1 = false
	}
	if !signed {
		w.fail(broken, brokenAtAnchor)
	}
	return false
}

// fail remembers a refusal. One that had reached an anchor says more than one
// that had not, and the first says more than a later one.
func (w *walk) fail(r *refusal, atAnchor bool) {
	if w.farthest != nil && (w.atAnchor || !atAnchor) {
		return
	}
	w.farthest, w.atAnchor = slices.Clone(w.chain), atAnchor
	if r != nil {
		w.refusal = r
	}
}

// anchorOf is the anchor that a certificate is, by its SHA-256 alone.
func (j *judge) anchorOf(c *certificate.Certificate) (roots.Anchor, bool) {
	for _, a := range j.options.Anchors {
		if a.SHA256 == c.SHA256 {
			return a, true
		}
	}
	return roots.Anchor{}, false
}

// issuers are the certificates that bear the issuer's name: pinned anchors
// first, which the user, the message or the pool may hold, then those that came
// with the message. Nothing else of the pool is an intermediate: the pool is
// what is to be vouched for.
func (w *walk) issuers(c *certificate.Certificate) []*certificate.Certificate {
	var pinned, others []*certificate.Certificate
	add := func(i *certificate.Certificate, fromPool bool) {
		if i == nil || i.Err != nil || !bytes.Equal(i.Subject, c.Issuer) || w.holds(i) {
			return
		}
		same := func(o *certificate.Certificate) bool { return o.SHA256 == i.SHA256 }
		if _, ok := w.anchorOf(i); ok {
			if !slices.ContainsFunc(pinned, same) {
				pinned = append(pinned, i)
			}
		} else if !fromPool && len(others) < maxSignatureChecks && !slices.ContainsFunc(others, same) {
			others = append(others, i)
		}
	}
	for _, a := range w.options.Anchors {
		add(a.Certificate, false)
	}
	for _, i := range w.bundle.Chain {
		add(i, false)
	}
	if w.bundle.Content != nil {
		for i, raw := range w.bundle.Content.Certificates {
			if !bytes.Contains(raw, c.Issuer) { // nearly all: so the pool need not be decoded
				continue
			}
			if w.pool[i] == nil {
				w.pool[i] = certificate.Read(raw)
			}
			add(w.pool[i], true)
		}
	}
	return append(pinned, others...)
}

// holds reports whether a certificate is in the chain already.
func (w *walk) holds(c *certificate.Certificate) bool {
	return slices.ContainsFunc(w.chain, func(l Link) bool { return l.Certificate.SHA256 == c.SHA256 })
}

// check applies RFC 5280 section 6.1 to a whole chain whose signatures are good
// and whose last certificate is the given anchor.
func (w *walk) check(anchor roots.Anchor) *refusal {
	for i, link := range w.chain {
		c := link.Certificate
		if r := unreadable(c); r != nil {
			return r
		}
		if w.options.At.Before(c.NotBefore.Time) {
			return refuse(ChainNotYetValid, "the certificate %s is valid from %s on only", nameOf(c), c.NotBefore)
		}
		if w.options.At.After(c.NotAfter.Time) {
			return refuse(ChainExpired, "the certificate %s expired at %s", nameOf(c), c.NotAfter)
		}
		if link.SHA1 && !anchor.SHA1Links {
			return refuse(ChainSHA1, "the certificate %s is signed with SHA-1, which the anchor %s does not tolerate", nameOf(c), anchor.Name)
		}
		if r := checkExtensions(c); r != nil {
			return r
		}
		if i > 0 {
			if r := checkIssuer(c, intermediates(w.chain[1:i])); r != nil {
				return r
			}
		}
	}
	return w.checkPurposes()
}

// checkPurposes asks that the intermediates allow one of the signer's purposes.
// RFC 5280 does not ask for it; every verifier in use does.
func (w *walk) checkPurposes() *refusal {
	allowed := purposesOf(w.chain[0].Certificate)
	for i, l := range w.chain {
		if i > 0 && i < len(w.chain)-1 {
			allowed &= purposesOf(l.Certificate)
		}
		if allowed == 0 {
			return refuse(ChainPurpose, "the intermediate %s is not for signing bundles", nameOf(l.Certificate))
		}
	}
	return nil
}

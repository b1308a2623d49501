package signing

import (
	"crypto"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/roots"
)

// A work is what the signers of one message have in common, so that nothing is
// computed twice and the work on all of them is bounded.
type work struct {
	budget  int                        // signatures that may still be tried
	digests map[crypto.Hash][]byte     // of the content
	paths   *path.Run                  // nil until a path is looked for
	sent    *path.Set                  // the anchors at hand, and what came with the message
	pool    []*certificate.Certificate // anchors in the signed pool; see pinnedInPool
	looked  bool                       // pool was filled
}

// findChain looks for a path from the signer to an anchor. Of several refusals it
// keeps the one that came nearest to an anchor.
//
// A path goes over pinned anchors, which the user, the message or the pool may
// hold, and what came with the message. Nothing else of the pool is an
// intermediate: the pool is what is to be vouched for.
func (j *judge) findChain(signer *certificate.Certificate) *refusal {
	w := j.work
	if w.paths == nil {
		w.paths = path.NewRun(j.bundle.Chain)
		var known []*certificate.Certificate
		for _, a := range j.options.Anchors {
			known = append(known, a.Certificate)
		}
		w.sent = path.NewSet(append(known, j.bundle.Chain...))
	}
	policy := path.Policy{
		At: j.options.At, NotAnchor: "is not a pinned anchor", NotAtHand: "the message does not hold",
		Purposes: purposes, Strict: true,
		Anchor: func(c *certificate.Certificate) bool { _, ok := j.anchorOf(c); return ok },
		SHA1: func(c *certificate.Certificate) path.SHA1 {
			if a, _ := j.anchorOf(c); a.SHA1Links {
				return path.SHA1Accept
			}
			return path.SHA1Refuse
		},
	}
	found := w.paths.Search(signer, policy, w.sent)
	if pinned := j.pinnedInPool(found); len(pinned) > 0 {
		found = w.paths.Search(signer, policy, w.sent, path.NewSet(pinned))
	}
	if len(found.Found) > 0 {
		p := &found.Found[0]
		j.result.Chain = links(p.Links)
		j.result.Anchor, _ = j.anchorOf(p.Anchor())
		if j.result.Anchor.Name == "" { // pinned by its hash alone
			j.result.Anchor.Name = p.Anchor().Subject.CommonName()
		}
		return nil
	}
	r := found.Refusal
	if found.Open != nil && (r == nil || found.Open.Reason == path.TooComplex) {
		r = found.Open
	}
	if len(found.Farthest) > 0 {
		j.result.Chain = links(found.Farthest)
	}
	return &refusal{Reason(r.Reason), r.Err}
}

func links(in []path.Link) (out []Link) {
	for _, l := range in {
		out = append(out, Link{l.Certificate, l.SHA1})
	}
	return out
}

// anchorOf is the anchor that a certificate is, by its SHA-256 alone.
func (j *judge) anchorOf(c *certificate.Certificate) (roots.Anchor, bool) {
	i := slices.IndexFunc(j.options.Anchors, func(a roots.Anchor) bool { return a.SHA256 == c.SHA256 })
	if i < 0 {
		return roots.Anchor{}, false
	}
	return j.options.Anchors[i], true
}

// pinnedInPool returns the anchors that the signed pool holds, if a search without
// them found nothing. Nearly all signed pools need not be decoded for it.
func (j *judge) pinnedInPool(found path.Outcome) []*certificate.Certificate {
	if len(found.Found) > 0 || j.bundle.Content == nil {
		return nil
	}
	if w := j.work; !w.looked {
		w.looked = true
		for _, raw := range j.bundle.Content.Certificates {
			if c := certificate.Read(raw); c.Err == nil && !w.sent.Has(c) {
				if _, ok := j.anchorOf(c); ok {
					w.pool = append(w.pool, c)
				}
			}
		}
	}
	return j.work.pool
}

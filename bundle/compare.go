package bundle

import (
	"bytes"
	"encoding/hex"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// A Diff is what changed from one bundle to another. A certificate is known by
// its SHA-256, also one that cannot be decoded; each counts once, at its first
// place in its bundle.
type Diff struct {
	Old, New Side

	Common    int         // certificates that are in both
	Reordered bool        // those are in another order
	Added     []DiffEntry // in the order of the new bundle
	Removed   []DiffEntry // in the order of the old one

	// The pairs of Removed and Added that belong together, in the order of Added; they
	// stay in those lists too. Reissued have the same subject, byte by byte, and the
	// same key; Rekeyed the same subject, which is not empty, and another key.
	// Each is in one pair at most.
	Reissued []DiffPair
	Rekeyed  []DiffPair
}

// A DiffEntry is a certificate and its place in its bundle.
type DiffEntry struct {
	Index       int // from 1
	Certificate *certificate.Certificate
}

// A DiffPair is a removed certificate and the added one that takes its place.
type DiffPair struct{ Old, New DiffEntry }

// A Side describes one of the two bundles of a Diff, without its certificates. What is
// absent is empty.
type Side struct {
	File      string // for the caller to set: what the user called it
	Signature string // for the caller to set: "verified, Cisco Root CA M1"; empty if nobody judged it

	SHA256       string // of the file, in hex; empty for a directory
	Form         Form
	Claims                                // what the first signer says, verified or not
	Signer       *certificate.Certificate // what the message names as its first signer's, verified or not; nil if it has none
	Certificates int                      // entries of the bundle
	Duplicates   int                      // of these, those that repeat an earlier one
}

// Same reports whether both bundles hold the same certificates. Their order, and
// everything around them, may differ.
func (d *Diff) Same() bool { return len(d.Added) == 0 && len(d.Removed) == 0 }

// Compare tells two bundles apart, in linear time.
func Compare(old, newer *Bundle) *Diff {
	oldSet, newSet := distinct(old), distinct(newer)
	d := &Diff{Old: newSide(old, oldSet), New: newSide(newer, newSet)}

	var common []int // by their index in the old bundle, in its order
	for _, e := range oldSet.entries {
		if _, ok := newSet.index[e.Certificate.SHA256]; ok {
			common = append(common, e.Index)
		} else {
			d.Removed = append(d.Removed, e)
		}
	}
	for _, e := range newSet.entries {
		index, ok := oldSet.index[e.Certificate.SHA256]
		if !ok {
			d.Added = append(d.Added, e)
			continue
		}
		d.Reordered = d.Reordered || common[d.Common] != index
		d.Common++
	}
	d.pair()
	return d
}

// A certificateSet is a bundle's certificates, each once.
type certificateSet struct {
	entries []DiffEntry
	index   map[[32]byte]int
}

func distinct(b *Bundle) certificateSet {
	s := certificateSet{make([]DiffEntry, 0, len(b.Certificates)), make(map[[32]byte]int, len(b.Certificates))}
	for i, c := range b.Certificates {
		if _, twice := s.index[c.SHA256]; !twice {
			s.index[c.SHA256] = i + 1
			s.entries = append(s.entries, DiffEntry{i + 1, c})
		}
	}
	return s
}

func newSide(b *Bundle, s certificateSet) Side {
	side := Side{
		Form:         b.Form,
		Claims:       b.Claims,
		Signer:       b.firstSigner(),
		Certificates: len(b.Certificates),
		Duplicates:   len(b.Certificates) - len(s.entries),
	}
	if b.Raw != nil {
		sum := b.SHA256()
		side.SHA256 = hex.EncodeToString(sum[:])
	}
	return side
}

// firstSigner is the certificate beside the signature that the first signer's
// identifier names, nil if there is none.
func (b *Bundle) firstSigner() *certificate.Certificate {
	if b.Message == nil || len(b.Message.Signers) == 0 {
		return nil
	}
	i := slices.IndexFunc(b.Chain, func(c *certificate.Certificate) bool { return IsSigner(c, &b.Message.Signers[0]) })
	if i < 0 {
		return nil
	}
	return b.Chain[i]
}

// IsSigner reports whether the identifier of a signer names the certificate (RFC 5652 section 5.3).
func IsSigner(c *certificate.Certificate, s *cms.SignerInfo) bool {
	switch {
	case c.Err != nil:
		return false
	case s.SubjectKeyID != nil:
		return len(c.SubjectKeyID) > 0 && bytes.Equal(c.SubjectKeyID, s.SubjectKeyID)
	}
	return bytes.Equal(c.Issuer, s.Issuer) && bytes.Equal(c.Serial, s.Serial)
}

// pair finds the re-issued, then the re-keyed among those that are left.
func (d *Diff) pair() {
	type identity struct {
		subject string
		spki    [32]byte
	}
	removed, added, reissued := pairBy(d.Removed, d.Added, func(c *certificate.Certificate) (identity, bool) {
		return identity{string(c.Subject), c.KeyID()}, c.Err == nil
	})
	d.Reissued = reissued
	// What is left of one subject has different keys: it would be paired otherwise.
	_, _, d.Rekeyed = pairBy(removed, added, func(c *certificate.Certificate) (string, bool) {
		// An empty name does not say that two certificates belong together.
		return string(c.Subject), c.Err == nil && len(c.Subject.Attributes()) > 0
	})
}

// pairBy pairs each added certificate with the first unpaired removed one of the
// same key, and gives what is left of both. Certificates without a key are left.
func pairBy[K comparable](removed, added []DiffEntry, key func(*certificate.Certificate) (K, bool)) (restRemoved, restAdded []DiffEntry, pairs []DiffPair) {
	waiting := make(map[K][]int, len(removed))
	for i, r := range removed {
		if k, ok := key(r.Certificate); ok {
			waiting[k] = append(waiting[k], i)
		}
	}
	paired := make([]bool, len(removed))
	for _, a := range added {
		k, ok := key(a.Certificate)
		if queue := waiting[k]; ok && len(queue) > 0 {
			waiting[k], paired[queue[0]] = queue[1:], true
			pairs = append(pairs, DiffPair{removed[queue[0]], a})
		} else {
			restAdded = append(restAdded, a)
		}
	}
	for i, r := range removed {
		if !paired[i] {
			restRemoved = append(restRemoved, r)
		}
	}
	return restRemoved, restAdded, pairs
}

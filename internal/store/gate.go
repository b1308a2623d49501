package store

import (
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// A Gate is one condition of publication. Its name is stable, and but for
// GateSignature that of a flag: --allow-other-name.
type Gate string

// The gates.
const (
	GateSignature   Gate = "not-verified"       // the signature does not lead to an anchor. It cannot be allowed: nothing serves what is not verified
	GateUnchanged   Gate = "unchanged"          // the same signed content under the same signed attributes is current, whatever the bytes around it; the outcome is then `unchanged`
	GateOtherName   Gate = "other-name"         // the signed name is not that of the current release: versions count per signed name
	GateNoVersion   Gate = "no-version"         // its version or the current one is not a decimal number, so that nothing shows which is newer
	GateOlder       Gate = "older-version"      // its version is lower than the current one
	GateSameVersion Gate = "same-version"       // its version is the current one, and something else was signed
	GateWithdrawn   Gate = "withdrawn"          // a rollback took the same signed content out of service; without this gate a mirror would bring it back
	GateFewer       Gate = "fewer-certificates" // it has less than `--min-share` of the certificates of the current release, by default 50 %, each certificate counted once
	GateUndecodable Gate = "undecodable"        // an entry of it is not a certificate
)

// Gates are all of them, in the order in which refusals are listed.
func Gates() []Gate {
	return []Gate{GateSignature, GateUnchanged, GateOtherName, GateNoVersion, GateOlder, GateSameVersion, GateWithdrawn, GateFewer, GateUndecodable}
}

// A Refusal is a gate that does not let a bundle pass.
type Refusal struct {
	Gate   Gate   `json:"gate"`
	Detail string `json:"detail"` // why, in words
}

// A RefusedError says that nothing was published, and every reason.
type RefusedError struct{ Publication *Publication }

func (e *RefusedError) Error() string {
	parts := []string{"not published"}
	for _, r := range e.Publication.Refusals {
		parts = append(parts, fmt.Sprintf("%s: %s", r.Gate, r.Detail))
	}
	return strings.Join(parts, "; ")
}

// Unchanged reports whether the only reason is that the same is current.
func (e *RefusedError) Unchanged() bool { return e.Publication.Outcome() == OutcomeUnchanged }

// DefaultMinShare is the share of the current release's certificates, in percent,
// that a new one must have.
const DefaultMinShare = 50

// judge lists every gate that does not let a candidate pass, allowed or not.
// notVerified is what was wrong with its signature; then its claims are not
// looked at. counts are the distinct certificates of the candidate and of the
// current release.
func judge(candidate *Release, notVerified error, history []Release, counts [2]int, minShare int) (refusals []Refusal) {
	refuse := func(g Gate, format string, args ...any) {
		refusals = append(refusals, Refusal{g, fmt.Sprintf(format, args...)})
	}
	if notVerified != nil {
		refuse(GateSignature, "%s", strings.TrimPrefix(notVerified.Error(), "not verified: "))
	}
	if len(history) > 0 {
		current := &history[len(history)-1]
		switch {
		case candidate.SHA256 == current.SHA256:
			refuse(GateUnchanged, "the same bytes are current since %s", report.Stamp(current.Published))
		case candidate.same(&current.Contents):
			refuse(GateUnchanged, "the same signed content is current since %s, in a file with other bytes around it", report.Stamp(current.Published))
		default:
			if notVerified == nil {
				judgeClaims(candidate, current, refuse)
			}
			if r := withdrawn(candidate, history); r != nil {
				refuse(GateWithdrawn, "release %d, a rollback, took the same signed content out of service", r.Number)
			}
			if counts[0]*100 < counts[1]*minShare {
				refuse(GateFewer, "%s, less than %d %% of the current %d", report.Count(counts[0], "distinct certificate"), minShare, counts[1])
			}
		}
	}
	if candidate.Undecodable > 0 {
		refuse(GateUndecodable, "%d of %d certificates cannot be decoded", candidate.Undecodable, candidate.Certificates)
	}
	return refusals
}

// judgeClaims compares what the signer says with the current release.
func judgeClaims(candidate, current *Release, refuse func(Gate, string, ...any)) {
	if candidate.SignedName != current.SignedName {
		refuse(GateOtherName, "the signed name is %q, and that of the current release %q", report.Printable(candidate.SignedName), report.Printable(current.SignedName))
		return // versions count per name
	}
	order, err := bundle.CompareVersions(candidate.Version, current.Version)
	switch {
	case err != nil:
		refuse(GateNoVersion, "%v", err)
	case order < 0:
		refuse(GateOlder, "version %s, and %s is current", candidate.Version, current.Version)
	case order == 0:
		refuse(GateSameVersion, "version %s is current with other signed content", candidate.Version)
	}
}

// withdrawn is the rollback that took what the candidate is out of service, nil if
// none did, or if it was published again since.
func withdrawn(candidate *Release, history []Release) *Release {
	for i := len(history) - 1; i > 0; i-- {
		if candidate.same(&history[i].Contents) {
			return nil
		}
		for _, r := range tookOut(history, i) {
			if candidate.same(&r.Contents) {
				return &history[i]
			}
		}
	}
	return nil
}

// tookOut are the publications that the one with index i took out of service if it is
// a rollback: all since the one that it went back to.
func tookOut(history []Release, i int) []Release {
	if history[i].Kind != RolledBack {
		return nil
	}
	first := i
	for first > 0 && !history[first-1].same(&history[i].Contents) {
		first--
	}
	return history[first:i]
}

// same reports whether two bundles are one as far as a signature covers them: they
// have a signer in common that signed the same attributes, which hold the digest of
// the content. The file around that, such as the certificates beside a signature,
// can be changed by anybody and proves nothing.
func (c *Contents) same(o *Contents) bool {
	return c.SHA256 == o.SHA256 || slices.ContainsFunc(c.Signed, func(s string) bool { return slices.Contains(o.Signed, s) })
}

// distinct is how many different certificates a bundle has. Copies of one that are
// written in different ways count once: they have the same issuer, serial number
// and key.
func distinct(b *bundle.Bundle) int {
	type identity struct {
		issuer, serial string
		key            [32]byte
	}
	seen := map[identity]bool{}
	for _, c := range b.Certificates {
		if c.Err != nil {
			seen[identity{key: c.SHA256}] = true
		} else {
			seen[identity{string(c.Issuer), string(c.Serial), c.KeyID()}] = true
		}
	}
	return len(seen)
}

package audit

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/roots"
)

// A Distrust is a certificate that root programs came to distrust, and its key.
type Distrust struct {
	Name   string
	SHA256 string // of a certificate with the key; lower-case hex
	SHA1   string // of the same certificate, where it was computed
	SPKI   string // SHA-256 of its SubjectPublicKeyInfo
	Why    string
	Source string
	Date   string // of the decision, 2011-08-30
}

func (d *Distrust) String() string { return fmt.Sprintf("%s (since %s; %s)", d.Why, d.Date, d.Source) }

func distrustedIndex() map[string]*Distrust {
	out := map[string]*Distrust{}
	for _, d := range KnownDistrusted() {
		out[d.SHA256], out[d.SPKI] = &d, &d
		if d.SHA1 != "" {
			out[d.SHA1] = &d
		}
	}
	return out
}

func knownDistrusted(a *auditor, e Item) (bool, string) {
	c := e.Certificate
	if c == nil { // of its key nothing is known, so that it never passes
		for _, hash := range []string{e.hash(), e.SHA1} {
			if d, ok := a.distrusted[hash]; ok {
				return true, d.String()
			}
		}
		return false, ""
	}
	var found []string
	if d, ok := a.distrusted[hex.EncodeToString(c.SHA256[:])]; ok {
		found = append(found, d.String())
	} else if d, ok := a.distrusted[hex.EncodeToString(a.keys[e.Index-1][:])]; ok {
		found = append(found, fmt.Sprintf("it has the key of %s. %s", d.Name, d))
	}
	if a.Program != nil {
		for _, m := range a.Program.Store.Find(c) {
			if purposes := m.Root.With(roots.Distrusted); len(purposes) > 0 {
				found = append(found, fmt.Sprintf("%s distrusts %s for %s (found by its %s)", a.Program.Name, m.Root.Label, words(purposes), m.By))
			}
		}
	}
	return true, strings.Join(found, "; ")
}

func distrustAfter(a *auditor, _ int, c *certificate.Certificate) (bool, string) {
	var found []string
	for _, m := range a.Program.Store.Find(c) {
		for _, p := range roots.Purposes() {
			if t, ok := m.Root.DistrustAfter[p]; ok {
				found = append(found, fmt.Sprintf("not trusted for %s certificates issued after %s (found by its %s)", p, certificate.Time{Time: t, Valid: true}, m.By))
			}
		}
	}
	return true, strings.Join(slices.Compact(found), "; ")
}

func words(purposes []roots.Purpose) string {
	out := make([]string, len(purposes))
	for i, p := range purposes {
		out[i] = string(p)
	}
	return strings.Join(out, ", ")
}

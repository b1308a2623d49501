package audit

import (
	"cmp"
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/internal/report"
)

// A Pin names a certificate by its SHA-256, or all certificates of a key by that
// of the SubjectPublicKeyInfo.
type Pin struct {
	Name   string    `json:"-"` // for people; empty for none
	SHA256 *[32]byte `json:"-"` // one of the two is set
	SPKI   *[32]byte `json:"-"`
	// SHA1 is that of the same certificate, in lower-case hex, for pools that show no
	// other hash; empty if it is not known.
	SHA1   string `json:"-"`
	Reason string `json:"reason"`
}

func (p Pin) String() string {
	var s string
	if p.SHA256 != nil {
		s = fmt.Sprintf("SHA-256 %x", *p.SHA256)
	} else {
		s = fmt.Sprintf("key %x", *p.SPKI)
	}
	if p.Name != "" {
		s = p.Name + ", " + s
	}
	return s
}

// rulesOfDemands are those about what the user wants, which no exception of time
// settles.
func rulesOfDemands() []Rule {
	list := []Rule{
		overWhole("required-missing", "A required certificate is not there", Error, "what --need and the requirements name; Cisco field notices, such as FN72323",
			"Without it the device cannot reach what needs it: take another bundle, or import this certificate beside it.", requiredMissing),
		overWhole("required-expired", "A required certificate is there, and not valid", Error, "what --need and the requirements name; RFC 5280 section 4.1.2.5",
			"Nothing validates below it: ask what the service uses now.", requiredExpired),
		ifAsked(func(r *Requirements) bool { return len(r.Forbidden) > 0 },
			overEntries("forbidden", "A certificate that the requirements forbid", Error, "the requirements: forbidden",
				"Keep it out of the pool.", forbidden)),
		ifAsked(func(r *Requirements) bool { return r.Allowed != nil },
			overEntries("not-allowed", "A certificate that the requirements do not list", Error, "the requirements: allowed",
				"Look at it, then add it to the list or keep it out.", notAllowed)),
		overWhole("count", "More or fewer certificates than the requirements allow", Error, "the requirements: min-certificates, max-certificates",
			"Look whether it is the right file.", count),
		overWhole("manifest-differs", "The bundle is not what the manifest lists", Error, "the manifest.log of --manifest, which nothing signs",
			"Find out which of the two is of another version, or from another place. What the bundle holds is known from its signature, not from the manifest.", manifestDiffers),
		overWhole("exception-ended", "An exception has ended", Warning, "the requirements: exceptions",
			"Settle what it was for, or give it another day.", exceptionEnded),
	}
	for i := range list {
		list[i].Always = true
	}
	return list
}

// Required are the certificates that needs and requirements ask for at a time. The
// reason of one is the name of its need, or what the requirements say of it; r may be nil.
func Required(needs []Need, r *Requirements, at time.Time) (out []Pin) {
	if r != nil {
		needs = slices.Concat(needs, r.Needs)
	}
	for _, n := range needs {
		for _, p := range n.at(at) {
			p.Reason = n.Name
			out = append(out, p)
		}
	}
	if r != nil {
		out = append(out, r.Required...)
	}
	return out
}

// needs says what came of each need.
func (a *auditor) needs() (out []NeedResult) {
	for _, n := range a.Needs {
		r := NeedResult{Name: n.Name}
		var leaving []string
		for _, p := range n.at(a.At) {
			r.Required++
			if _, ok := a.found.find(p); ok {
				r.There++
			}
			if why := removal(a.distrust, p); why != "" {
				leaving = append(leaving, p.Name+": "+why)
			}
		}
		r.Removal = strings.Join(leaving, "; ")
		out = append(out, r)
	}
	return out
}

func requiredMissing(a *auditor) (int, []Finding) {
	var out []Finding
	for _, p := range a.required {
		if _, ok := a.found.find(p); ok {
			continue
		}
		detail := p.String()
		if p.Reason != "" {
			detail += " (" + p.Reason + ")"
		}
		f := Finding{id: detail, Missing: &p}
		if a.foundBefore != nil {
			if _, ok := a.foundBefore.find(p); ok {
				detail += ", removed: it was there before"
			}
		}
		if n := a.found.mayBe(p); n > 0 {
			f.MayBe = n
			detail += fmt.Sprintf("; it may be among the %d entries without a known certificate", n)
		}
		f.Detail = detail
		out = append(out, f)
	}
	return len(a.required), out
}

func requiredExpired(a *auditor) (n int, out []Finding) {
	for _, p := range a.required {
		i, ok := a.found.find(p)
		if !ok {
			continue
		}
		n++
		e := a.item(i)
		begin, end := e.ValidFrom(), e.ValidTo()
		over, _ := end.Before(a.At)
		if early, _ := begin.After(a.At); early || over {
			out = append(out, Finding{
				Detail: fmt.Sprintf("%s: valid from %s to %s", p, timeWords(begin), timeWords(end)),
				Items:  []Item{e},
			})
		}
	}
	return n, out
}

func forbidden(a *auditor, e Item) (bool, string) {
	at, ok, known := a.Requirements.forbidden.find(e)
	if !ok {
		return known, ""
	}
	p := a.Requirements.Forbidden[at]
	if p.Reason != "" {
		return true, p.Reason
	}
	return true, p.String()
}

func notAllowed(a *auditor, e Item) (bool, string) {
	if _, ok, known := a.Requirements.allowed.find(e); ok || !known {
		return known, ""
	}
	return true, "SHA-256 " + e.hash()
}

func count(a *auditor) (int, []Finding) {
	r := a.Requirements
	if r == nil || r.MinCertificates == 0 && r.MaxCertificates == 0 {
		return 0, nil
	}
	switch n := len(a.Entries); {
	case n < r.MinCertificates:
		return 1, one("%d, fewer than %d", n, r.MinCertificates)
	case r.MaxCertificates != 0 && n > r.MaxCertificates:
		return 1, one("%d, more than %d", n, r.MaxCertificates)
	}
	return 1, nil
}

// manifestDiffers compares name, version and certificates.
func manifestDiffers(a *auditor) (int, []Finding) {
	m := a.Manifest
	if m == nil {
		return 0, nil
	}
	var out []Finding
	signed := func(what, listed string, claim *string) {
		switch {
		case listed == "":
			out = append(out, one("the manifest does not say its %s", what)...)
		case a.Signature == nil || !a.Signature.Verified:
			out = append(out, one("the manifest is of %s %q; that of the bundle is not known, as its signature is not verified", what, listed)...)
		case claim == nil || *claim != listed:
			out = append(out, one("the manifest is of %s %q, the bundle of %q", what, listed, *cmp.Or(claim, new(string)))...)
		}
	}
	var name, version *string
	if a.Signature != nil {
		name, version = a.Signature.Name, a.Signature.Version
	}
	signed("name", m.Name, name)
	signed("version", m.Version, version)
	listed := map[[sha256.Size]byte]bool{}
	for _, c := range m.Certificates {
		listed[c.SHA256] = true
		if _, ok := a.found.find(Pin{SHA256: (*[32]byte)(&c.SHA256)}); !ok {
			out = append(out, Finding{Detail: fmt.Sprintf("listed, and not in the bundle: %s, SHA-256 %x", c.Label(), c.SHA256)})
		}
	}
	for i := range a.Entries {
		e := a.item(i)
		if sum := e.Sum(); sum == nil || !listed[*sum] {
			detail := "in the bundle, and not listed"
			if m.Unended {
				detail += "; the manifest may be cut short, for its last line has no end"
			}
			out = append(out, Finding{Detail: detail, Items: []Item{e}})
		}
	}
	return 2 + len(m.Certificates), out
}

func exceptionEnded(a *auditor) (int, []Finding) {
	if a.Requirements == nil {
		return 0, nil
	}
	var out []Finding
	for _, e := range a.Requirements.Exceptions {
		if e.ended(a.At) {
			out = append(out, one("%s of %s ended %s: %s", e.Rule, e.Pin, report.Day(e.Until.Time), e.Pin.Reason)...)
		}
	}
	return len(a.Requirements.Exceptions), out
}

// An Exception excuses what a rule finds of a certificate, until a day.
type Exception struct {
	Rule  string        `json:"-"`
	Pin                 // with neither hash it is for all that the rule finds
	Until report.Moment `json:"until"` // from then on it does not apply; zero for always
}

func (e *Exception) ended(at time.Time) bool { return !e.Until.IsZero() && !at.Before(e.Until.Time) }

package audit

import (
	"fmt"
	"time"

	"trustpool/bundle"
)

// A Pin names a certificate by its SHA-256, or all certificates of a key by that
// of the SubjectPublicKeyInfo.
type Pin struct {
	Name   string    // for people; empty for none
	SHA256 *[32]byte // one of the two is set
	SPKI   *[32]byte
	Reason string
}

func (p Pin) matches(c *bundle.Certificate) bool {
	if p.SHA256 != nil {
		return c.SHA256 == *p.SHA256
	}
	return c.Err == nil && c.SPKISHA256() == *p.SPKI
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
	return []Rule{
		{
			ID: "required-missing", Title: "A required certificate is not there", Severity: Error, Always: true,
			Citation: "what --need and the requirements name; Cisco field notices, such as FN72323",
			Advice:   "Without it the device cannot reach what needs it: take another bundle, or import this certificate beside it.",
			whole:    requiredMissing,
		},
		{
			ID: "required-expired", Title: "A required certificate is there, and not valid", Severity: Error, Always: true,
			Citation: "what --need and the requirements name; RFC 5280 section 4.1.2.5",
			Advice:   "Nothing validates below it: ask what the service uses now.",
			whole:    requiredExpired,
		},
		{
			ID: "forbidden", Title: "A certificate that the requirements forbid", Severity: Error, Always: true,
			Citation: "the requirements: forbidden",
			Advice:   "Keep it out of the pool.",
			each:     forbidden, undecoded: true,
		},
		{
			ID: "not-allowed", Title: "A certificate that the requirements do not list", Severity: Error, Always: true,
			Citation: "the requirements: allowed",
			Advice:   "Look at it, then add it to the list or keep it out.",
			each:     notAllowed, undecoded: true,
		},
		{
			ID: "count", Title: "More or fewer certificates than the requirements allow", Severity: Error, Always: true,
			Citation: "the requirements: min-certificates, max-certificates",
			Advice:   "Look whether it is the right file.",
			whole:    count,
		},
		{
			ID: "exception-ended", Title: "An exception has ended", Severity: Warning, Always: true,
			Citation: "the requirements: exceptions",
			Advice:   "Settle what it was for, or give it another day.",
			whole:    exceptionEnded,
		},
	}
}

// required are all pins that must be there at the time of the audit, with who
// asks for them.
func (a *auditor) required() (out []Pin) {
	for _, n := range a.Needs {
		for _, r := range n.Roots {
			if r.neededAt(a.At) {
				p := r.Pin
				p.Reason = n.Name
				out = append(out, p)
			}
		}
	}
	if a.Requirements != nil {
		out = append(out, a.Requirements.Required...)
	}
	return out
}

// find gives the position of a certificate that a pin names.
func (a *auditor) find(p Pin) (int, bool) {
	if p.SHA256 != nil {
		i, ok := a.byHash[*p.SHA256]
		return i, ok
	}
	i, ok := a.byKey[*p.SPKI]
	return i, ok
}

func requiredMissing(a *auditor) (int, []Finding) {
	var out []Finding
	required := a.required()
	unknown := 0
	for _, c := range a.Certificates {
		if c == nil {
			unknown++
		}
	}
	for _, p := range required {
		if _, ok := a.find(p); ok {
			continue
		}
		detail := p.String()
		if p.Reason != "" {
			detail += " (" + p.Reason + ")"
		}
		if a.Against != nil {
			for _, c := range a.Against.Certificates {
				if c != nil && p.matches(c) {
					detail += ", removed: it was there before"
					break
				}
			}
		}
		if unknown > 0 {
			detail += fmt.Sprintf("; it may be among the %d entries whose certificate is not known", unknown)
		}
		out = append(out, Finding{Detail: detail})
	}
	return len(required), out
}

func requiredExpired(a *auditor) (n int, out []Finding) {
	for _, p := range a.required() {
		i, ok := a.find(p)
		if !ok {
			continue
		}
		n++
		c := a.Certificates[i]
		if c.NotAfter.Valid && c.NotAfter.Before(a.At) || c.NotBefore.Valid && c.NotBefore.After(a.At) {
			out = append(out, Finding{
				Detail:       fmt.Sprintf("%s: valid from %s to %s", p, c.NotBefore, c.NotAfter),
				Certificates: a.entries(i),
			})
		}
	}
	return n, out
}

func forbidden(a *auditor, _ int, c *bundle.Certificate) (bool, string) {
	if a.Requirements == nil || len(a.Requirements.Forbidden) == 0 {
		return false, ""
	}
	if p, ok := a.Requirements.forbidden(c); ok {
		if p.Reason != "" {
			return true, p.Reason
		}
		return true, p.String()
	}
	return true, ""
}

func notAllowed(a *auditor, _ int, c *bundle.Certificate) (bool, string) {
	if a.Requirements == nil || a.Requirements.Allowed == nil {
		return false, ""
	}
	if a.Requirements.allows(c) {
		return true, ""
	}
	return true, fmt.Sprintf("SHA-256 %x", c.SHA256)
}

func count(a *auditor) (int, []Finding) {
	r := a.Requirements
	if r == nil || r.MinCertificates == 0 && r.MaxCertificates == 0 {
		return 0, nil
	}
	switch n := len(a.Certificates); {
	case n < r.MinCertificates:
		return 1, one("%d, fewer than %d", n, r.MinCertificates)
	case r.MaxCertificates != 0 && n > r.MaxCertificates:
		return 1, one("%d, more than %d", n, r.MaxCertificates)
	}
	return 1, nil
}

func exceptionEnded(a *auditor) (int, []Finding) {
	if a.Requirements == nil {
		return 0, nil
	}
	var out []Finding
	for _, e := range a.Requirements.Exceptions {
		if e.ended(a.At) {
			out = append(out, one("%s of %s ended %s: %s", e.Rule, e.Pin, day(e.Until), e.Pin.Reason)...)
		}
	}
	return len(a.Requirements.Exceptions), out
}

// An Exception excuses what a rule finds of a certificate, until a day.
type Exception struct {
	Rule  string
	Pin             // with neither hash it is for all that the rule finds
	Until time.Time // from then on it does not apply; zero for ever
}

func (e *Exception) ended(at time.Time) bool { return !e.Until.IsZero() && !at.Before(e.Until) }

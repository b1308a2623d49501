package pages

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/distrust"
	"trustpool/internal/hosting"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// Limits of what pages say of an audit.
const (
	// MaxAudited is how many certificates a version may have for pages to audit it, and those on one page together.
	MaxAudited = 20_000
	// maxExamples is how many certificates a page names for one rule.
	maxExamples = 10

	maxFinding = 500 // bytes of what was found, in words
)

// audited is what an audit of a version's certificates found.
type audited struct {
	Errors, Warnings, Infos int
	Rules                   []foundRule        // the severest first
	of                      map[int][]foundFor // by position, from 1
}

// A foundRule is what one rule found.
type foundRule struct {
	ID, Title, Advice string
	Class, Severity   string
	Count             int
	positions         []int // of the first certificates
	Examples          []example
	More              int
}

// An example is a certificate that a rule found something about.
type example struct {
	Index       int
	Page, Title string
}

// A foundFor is what a rule found of one certificate.
type foundFor struct {
	Class, Severity       string
	Title, Detail, Advice string
}

// classOf is the style of a severity.
func classOf(s audit.Severity) string {
	return map[audit.Severity]string{audit.Error: "bad", audit.Warning: "warn"}[s]
}

// byPresent reports whether it is the present that decides what a rule finds. Pages leave that out: they show by
// themselves what has expired and will.
func byPresent(id string) bool {
	return slices.Contains([]string{"expired", "expiring", "not-yet-valid", "distrust-list-old"}, id)
}

// audit says what is to be known of a version's certificates: what trustpool audit says without requirements, but for the
// signature, which pages judge by themselves, and for what the present decides. It is kept. If there is none, note says why.
func (q *request) audit(v version) (a *audited, note string, err error) {
	if v.release.Certificates > MaxAudited {
		return nil, fmt.Sprintf("Versions of more than %d certificates are not audited here: trustpool audit does it.", MaxAudited), nil
	}
	a, err = hosting.Derive(q.Context(), q.catalog, v.entry, v.release, "audit", func(b *bundle.Bundle) (*audited, int64, error) {
		r, err := audit.Run(audit.Subject{Entries: pool.Of(b.Certificates)}, audit.Criteria{At: v.release.Modified.Time})
		if err != nil {
			return nil, 0, err
		}
		a, size := condense(r)
		return a, size, nil
	})
	if err != nil && !q.pages.o.Static { // the rest of the page is good
		return nil, "The audit cannot be made now. Try again in some seconds.", nil
	}
	return a, "", unavailable(v, err)
}

// condense keeps of a report what pages show, and says how many bytes that takes, more or less.
func condense(r *audit.Report) (a *audited, size int64) {
	a = &audited{of: map[int][]foundFor{}}
	for i := range r.Findings {
		f := &r.Findings[i]
		if byPresent(f.Rule.ID) {
			continue
		}
		switch f.Severity {
		case audit.Error:
			a.Errors++
		case audit.Warning:
			a.Warnings++
		default:
			a.Infos++
		}
		if n := len(a.Rules); n == 0 || a.Rules[n-1].ID != f.Rule.ID || a.Rules[n-1].Severity != f.Severity.String() {
			a.Rules = append(a.Rules, foundRule{ID: f.Rule.ID, Title: f.Rule.Title, Advice: f.Rule.Advice, Class: classOf(f.Severity), Severity: f.Severity.String()})
		}
		rule := &a.Rules[len(a.Rules)-1]
		rule.Count++
		found := foundFor{rule.Class, rule.Severity, f.Rule.Title, report.Cut(f.Detail, maxFinding), f.Rule.Advice}
		size += int64(len(found.Detail))
		for _, item := range f.Items {
			if len(rule.positions) < maxExamples {
				rule.positions = append(rule.positions, item.Index)
			} else {
				rule.More++
			}
			a.of[item.Index] = append(a.of[item.Index], found)
			size += 150
		}
	}
	return a, size
}

// found are the findings about a certificate at these positions.
func (a *audited) found(positions []int) (out []foundFor) {
	if a == nil {
		return nil
	}
	for _, i := range positions {
		for _, f := range a.of[i] {
			if !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

// An auditLine is what an audit came to, beside the signature.
type auditLine struct {
	*audited
	Path string
}

func (a *audited) line(path string) *auditLine {
	if a == nil {
		return nil
	}
	return &auditLine{a, path}
}

// rules are what the page of a version lists, with names for the first certificates.
func (q *request) rules(v version, a *audited, certs []*certificate.Certificate) (out []foundRule) {
	for _, r := range a.Rules {
		for _, i := range r.positions {
			c := certs[i-1]
			r.Examples = append(r.Examples, example{i, q.pageOf(v, c.SHA256), title(c)})
		}
		out = append(out, r)
	}
	return out
}

// A mark says of a certificate in a list what root programs say against it.
type mark struct{ Class, Text string }

// mark says what root programs say against a certificate; nil for nothing.
func (p *Pages) mark(c *certificate.Certificate) *mark {
	var m *mark
	for _, found := range p.distrust().Find(c) {
		switch {
		case found.Kind == distrust.Distrusted:
			return &mark{"bad", "distrusted by root programs"}
		case found.Kind == distrust.DistrustedAfter && m == nil:
			day, _, _ := strings.Cut(found.After, "T")
			m = &mark{"warn", fmt.Sprintf("distrusted for certificates issued after %s", cmp.Or(day, "a day"))}
		}
	}
	return m
}

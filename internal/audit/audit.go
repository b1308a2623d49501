// Package audit says what to know before an import, by rules over the entries of a
// bundle or of a device's pool.
//
// Run applies every rule of Rules to a Subject. A rule found something, passed, or
// did not apply, which is not the same as passed: the Report has all three. The
// package fetches nothing and has no clock.
package audit

import (
	"errors"
	"fmt"
	"time"

	"trustpool/internal/feed"
	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// A Severity is how much a finding matters. The greater matters more.
type Severity int

// The severities. Never is none of a finding: it is the level that nothing reaches.
const (
	Info    Severity = iota + 1 // good to know
	Warning                     // look at it before the import
	Error                       // do not import before it is settled
	Never
)

// ParseSeverity reads info, warning or error, and never.
func ParseSeverity(s string) (Severity, error) {
	for v := Info; v <= Never; v++ {
		if s == v.String() {
			return v, nil
		}
	}
	return 0, fmt.Errorf("no level is called %q: there are info, warning, error and never", s)
}

func (s Severity) String() string {
	return [...]string{Info: "info", Warning: "warning", Error: "error", Never: "never"}[s]
}

// MarshalText gives the word.
func (s Severity) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// A Subject is what is audited: the certificates of a bundle, or of a pool.
type Subject struct {
	File     string // what the user called it
	Platform string // of the device; empty for a bundle
	// Entries are in order, those of a bundle by pool.Of. The certificate of an entry
	// of a device's pool may not be at hand: then the rules apply to it for which the
	// entry says enough, and no others.
	Entries []pool.Entry
	// Signature is how the signature was judged, nil if there is nothing to
	// judge, as in a pool.
	Signature *signing.Report
	// Against is what there was before, nil for nothing. It is audited in the same
	// way, so that the report can say which findings are new.
	Against *Subject
}

// A Program is a root program's file, such as Mozilla's certdata.txt.
type Program struct {
	Name  string        `json:"name"` // what the user called it
	Store *roots.Store  `json:"-"`
	Date  report.Moment `json:"date"` // of the snapshot; zero if it is not known
}

// defaultExpiring is how long before its end a certificate is called expiring.
const defaultExpiring = 90 * 24 * time.Hour

// Criteria say what to judge by. At must be set.
type Criteria struct {
	At           time.Time     // the time at which certificates must be valid
	Expiring     time.Duration // how soon is soon; if zero, that of Requirements, else defaultExpiring
	Needs        []Need
	Requirements *Requirements // nil for none
	Program      *Program      // nil for none
	Manifest     *Manifest     // nil for none
	// Only are the rules to apply, by their IDs; nil for all.
	Only []string
}

// A Manifest is a manifest.log, to compare a bundle with.
type Manifest struct {
	File string // what the user called it
	*feed.ManifestLog
}

// A Change is what became of a finding since Subject.Against.
type Change string

// The changes; empty if nothing is compared.
const (
	New       Change = "new"
	Unchanged Change = "unchanged"
	Gone      Change = "gone" // found in the old, not in the new
)

// A Finding is what a rule found.
type Finding struct {
	Rule     *Rule
	Severity Severity // the rule's, unless the requirements have another
	Change   Change
	Detail   string // in words; text of certificates in it may hold anything
	Items    []Item // what it is about: none if it is about the whole
	id       string // what makes one about the whole the same in two reports; empty for Detail
	Missing  *Pin   // of required-missing alone: the certificate that is not there
	MayBe    int    // among so many entries without a known certificate it may be
	// Exception excuses the finding, which then counts for nothing; nil for none.
	Exception *Exception
}

// A NeedResult is what came of a need: how many roots it asks for at the time of
// the audit, and how many of them are there, valid or not.
type NeedResult struct {
	Name     string `json:"name"`
	Required int    `json:"required"`
	There    int    `json:"there"`
	// Removal says which of the roots root programs are removing, and what they say:
	// the service will need others. It is empty for none.
	Removal string `json:"removal"`
}

func (n NeedResult) String() string {
	if n.Required == 0 {
		return n.Name + ": no root is known to be needed at this time"
	}
	words := fmt.Sprintf("%s: %d of %s there", n.Name, n.There, report.Count(n.Required, "root"))
	if n.Removal != "" {
		words += "; being removed by root programs: " + n.Removal
	}
	return words
}

// A State is what came of a rule.
type State string

// The states.
const (
	Found         State = "found"
	Passed        State = "passed"
	NotApplicable State = "not-applicable" // there was nothing to apply it to
)

// A RuleResult is what came of one rule.
type RuleResult struct {
	*Rule
	State   State `json:"state"`
	Applied int   `json:"applied"` // how many certificates it was applied to; 1 for a rule about the whole
	// NotKnown is how many entries of a pool it could not be applied to, for want of
	// the certificate. They did not pass.
	NotKnown int `json:"not_known"`
	Found    int `json:"found"` // findings, excused ones among them
}

// A Report is what the rules found; docs/formats.md has every field of its JSON.
type Report struct {
	Subject
	At       *time.Time       // for the caller to set: the time that the user chose
	FailOn   Severity         // for the caller to set: the level at which Fails
	Evidence *report.Evidence // for the caller to set: what the report rests on; nil for nothing
	Expiring time.Duration
	Program  *Program
	Manifest *Manifest
	Needs    []NeedResult
	Results  []RuleResult // in the order of Rules
	Findings []Finding    // the severest first, then in the order of Rules, then of the certificates
	Gone     []Finding    // of Against, in the same order
	// NotJudged is how many findings of Against are not called gone, because their
	// rule could not be applied to every entry of a pool.
	NotJudged int

	at time.Time
}

// Run applies the rules. It fails only if the criteria are unusable.
func Run(s Subject, o Criteria) (*Report, error) {
	if o.At.IsZero() {
		return nil, errors.New("audit: no time to judge at")
	}
	if o.Expiring == 0 {
		o.Expiring = defaultExpiring
		if o.Requirements != nil && o.Requirements.Expiring != 0 {
			o.Expiring = o.Requirements.Expiring
		}
	}
	r := &Report{Subject: s, FailOn: Error, Expiring: o.Expiring, Program: o.Program, Manifest: o.Manifest, at: o.At}
	a := newAuditor(s, o)
	var before []Finding
	if s.Against != nil {
		old := newAuditor(*s.Against, o)
		_, before = old.run()
		a.foundBefore = old.found
	}
	r.Results, r.Findings = a.run()
	r.Needs = a.needs()
	if s.Against != nil {
		r.compare(before)
	}
	sortFindings(r.Findings)
	return r, nil
}

// Count is the number of findings of a severity that no exception excuses.
func (r *Report) Count(s Severity) int {
	return number(r.Findings, func(f *Finding) bool { return f.Severity == s && f.Exception == nil })
}

// Excused is the number of findings that an exception excuses.
func (r *Report) Excused() int {
	return number(r.Findings, func(f *Finding) bool { return f.Exception != nil })
}

// Fails reports whether a finding counts at FailOn or above.
func (r *Report) Fails() bool {
	return number(r.Findings, func(f *Finding) bool { return f.Severity >= r.FailOn && f.Counts() }) > 0
}

func number(list []Finding, is func(*Finding) bool) (n int) {
	for i := range list {
		if is(&list[i]) {
			n++
		}
	}
	return n
}

// Counts reports whether a finding counts: no exception excuses it, and it is not
// one that was there before. What is unchanged counts all the same if the rule
// is about a demand that must hold (Rule.Always).
func (f *Finding) Counts() bool {
	return f.Exception == nil && (f.Change != Unchanged || f.Rule.Always)
}

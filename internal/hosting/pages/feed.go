package pages

import (
	"fmt"
	"strings"

	"trustpool/internal/feed"
	"trustpool/internal/report"
)

// An advice is what the feed that was mirrored with a bundle says. Nothing signs it, and the page says so.
type advice struct {
	Path    string // of its section
	From    string
	Problem string // why it is not shown
	Version string // the newest, and its day
	Fetched string // the day since when it is like this
	Newer   string // versions; empty if there are none
	Leaving []leaving
	Said    []string // contradictions and gaps
}

// A leaving certificate is one of the current release that is marked for removal, or that a newer version does not have.
type leaving struct{ Title, Page, State, Why string }

// Summary is the advice in a line.
func (a *advice) Summary() string {
	if a.Problem != "" {
		return "cannot be read"
	}
	marked := 0
	for _, l := range a.Leaving {
		if l.State == string(feed.ToBeRemoved) {
			marked++
		}
	}
	s := report.Count(marked, "certificate") + " marked for removal"
	if gone := len(a.Leaving) - marked; gone > 0 {
		s += fmt.Sprintf(", %d gone in a newer version", gone)
	}
	if a.Newer != "" {
		s += ", newer than what is served: " + a.Newer
	}
	return s
}

// Class is that of the summary.
func (a *advice) Class() string {
	if a.Problem != "" || len(a.Leaving) > 0 || a.Newer != "" {
		return "warn"
	}
	return ""
}

// maxSaid is how many contradictions and gaps a page lists.
const maxSaid = 20

// advice is that of a version; nil if it is not the current one, or if there is none.
func (q *request) advice(v version) *advice {
	a := v.entry.Advice
	if a == nil || !v.current() {
		return nil
	}
	out := &advice{Path: pathBundles + v.entry.Name + "#feed", From: a.From, Problem: a.Problem, Fetched: report.Day(a.Fetched)}
	r := a.Feed
	if r == nil {
		return out
	}
	out.Version, out.Newer = report.OrDash(r.Newest()), strings.Join(r.Newer, ", ")
	if at := r.Published(); !at.IsZero() {
		out.Version += ", of " + report.Day(at)
	}
	for i := range r.Leaving {
		l := &r.Leaving[i]
		out.Leaving = append(out.Leaving, leaving{l.Name, q.pageOf(v, l.SHA256[0]), string(l.State), l.Why})
	}
	for _, list := range [][]string{r.HeldContradictions, r.Contradictions, r.Gaps} {
		out.Said = append(out.Said, list...)
	}
	if n := len(out.Said); n > maxSaid {
		out.Said = append(out.Said[:maxSaid:maxSaid], fmt.Sprintf("and %d more", n-maxSaid))
	}
	return out
}

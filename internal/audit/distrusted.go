package audit

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/distrust"
	"trustpool/internal/report"
	"trustpool/roots"
)

// statements are what the list of the program says of an entry, in words, of one
// kind. known is false if its certificate is not known and nothing was found by a
// hash: others may have its key.
func (a *auditor) statements(e Item, kind distrust.Kind) (found []distrust.Match, known bool) {
	c := e.decoded()
	if c != nil {
		found = a.distrust.FindKey(c, a.keys[e.Index-1])
	} else if e.Certificate == nil {
		for _, hash := range []string{e.hash(), e.SHA1} {
			for _, s := range a.distrust.ByHash(hash) {
				if m := (distrust.Match{Statement: s}); !slices.Contains(found, m) {
					found = append(found, m)
				}
			}
		}
	}
	found = slices.DeleteFunc(found, func(m distrust.Match) bool { return m.Kind != kind })
	return found, c != nil || len(found) > 0
}

func knownDistrusted(a *auditor, e Item) (bool, string) {
	statements, known := a.statements(e, distrust.Distrusted)
	var found []string
	for _, m := range statements {
		found = append(found, m.String())
	}
	for _, m := range a.program(e) {
		if purposes := m.Root.With(roots.Distrusted); len(purposes) > 0 {
			found = append(found, fmt.Sprintf("%s distrusts %s for %s (found by its %s)", a.Program.Name, m.Root.Label, report.Joined(purposes), m.By))
		}
	}
	return known, strings.Join(found, "; ")
}

// program is what the root program that the user named says of an entry.
func (a *auditor) program(e Item) []roots.Match {
	c := e.decoded()
	if a.Program == nil || c == nil {
		return nil
	}
	return a.Program.Store.Find(c)
}

func distrustAfter(a *auditor, e Item) (bool, string) {
	var found, said []string
	for _, m := range a.program(e) {
		for _, p := range roots.Purposes() {
			if t, ok := m.Root.DistrustAfter[p]; ok {
				said = append(said, string(p)+report.Stamp(t))
				found = append(found, fmt.Sprintf("not trusted for %s certificates issued after %s (found by its %s)", p, certificate.Time{Time: t, Valid: true}, m.By))
			}
		}
	}
	found = slices.Compact(found)
	statements, known := a.statements(e, distrust.DistrustedAfter)
	for _, m := range statements {
		if !slices.Contains(said, string(m.Purposes[0])+m.After) { // else it is what the program's file says, too
			found = append(found, m.String())
		}
	}
	return known, strings.Join(found, "; ")
}

// listAge is the day of the newest list that was asked: the one of the program, or
// that of the root program if its day is known.
func (a *auditor) listAge() time.Time {
	day, err := time.Parse(time.DateOnly, distrust.AsOf)
	if err != nil {
		panic("audit: " + err.Error()) // a test of the list holds it
	}
	if a.Program != nil && a.Program.Date.After(day) {
		return a.Program.Date.Time
	}
	return day
}

func distrustListOld(a *auditor) (int, []Finding) {
	if len(a.Entries) == 0 {
		return 0, nil
	}
	if newest := a.listAge(); distrust.Old(newest, a.At) {
		return 1, one("the newest list is of %s, more than a year before %s", report.Day(newest), report.Day(a.At))
	}
	return 1, nil
}

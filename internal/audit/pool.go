package audit

import (
	"fmt"
	"slices"
	"strings"

	"trustpool/internal/report"
)

// ruleOfPools is the last one: it says what the others could not look at.
func ruleOfPools() Rule {
	return overWhole("certificate-not-known", "The certificate of an entry of the pool is not known", Warning, "what the device shows; RFC 5280 section 4.1",
		"Give the bundles that it may come from with --with. Rules that were not applied to an entry did not pass for it.", certificateNotKnown)
}

func certificateNotKnown(a *auditor) (int, []Finding) {
	if !a.isPool() {
		return 0, nil
	}
	var items []Item
	for i := range a.Entries {
		if a.Entries[i].Certificate == nil {
			items = append(items, a.item(i))
		}
	}
	if items == nil {
		return len(a.Entries), nil
	}
	return len(a.Entries), []Finding{
		{Detail: a.notAppliedWords(), id: "not applied"},
		{Detail: fmt.Sprintf("%d of %d entries", len(items), len(a.Entries)), Items: items},
	}
}

// notAppliedWords names the rules that could not be applied to every entry.
func (a *auditor) notAppliedWords() string {
	var counts []int
	ids := map[int][]string{}
	for n, count := range a.notApplied {
		if count == 0 {
			continue
		}
		if !slices.Contains(counts, count) {
			counts = append(counts, count)
		}
		ids[count] = append(ids[count], a.rules[n].ID)
	}
	parts := make([]string, len(counts))
	for i, n := range counts {
		parts[i] = fmt.Sprintf("not applied to %s: %s", report.Count(n, "entry"), strings.Join(ids[n], ", "))
	}
	return strings.Join(parts, "; ")
}

package audit

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"maps"
	"slices"
	"strings"
	"sync"

	"trustpool/bundle/certificate"
	"trustpool/internal/distrust"
	"trustpool/internal/path"
)

// An auditor is one run over one subject.
type auditor struct {
	Subject
	Criteria
	rules     []Rule
	keys      [][sha256.Size]byte // KeyID of each certificate; zero if there is none
	self      []error             // what path.CheckSelfSignature says of each
	selfAsked bool                // a rule asks for self

	required    []Pin
	found       *positions
	foundBefore *positions // of Against; nil for none
	excuses     map[string]*excuse
	notApplied  []int // of each rule so far, RuleResult.NotKnown

	distrust *distrust.Index
}

func newAuditor(s Subject, o Criteria) *auditor {
	n := len(s.Entries)
	a := &auditor{Subject: s, Criteria: o, rules: Rules(), keys: make([][sha256.Size]byte, n), self: make([]error, n),
		required: Required(o.Needs, o.Requirements, o.At), distrust: distrust.NewIndex()}
	if r := o.Requirements; r != nil {
		a.Needs = slices.Concat(o.Needs, r.Needs)
		a.excuses = r.excuses(o.At)
	}
	if o.Only != nil {
		a.rules = slices.DeleteFunc(a.rules, func(r Rule) bool { return !slices.Contains(o.Only, r.ID) })
	}
	a.selfAsked = slices.ContainsFunc(a.rules, func(r Rule) bool { return strings.HasPrefix(r.ID, "self-signature-") })
	return a
}

// Positions are where certificates are, counted from 0: the first of each.
type positions struct {
	byHash, byKey map[[sha256.Size]byte]int
	bySHA1        map[string]int // of a pool's entries that have no SHA-256

	unknown, onlySHA1, noHash int // entries without certificate, those of them with a SHA-1 alone, with no hash
}

func newPositions(s *Subject, keys [][sha256.Size]byte) *positions {
	n := len(s.Entries)
	p := &positions{make(map[[sha256.Size]byte]int, n), make(map[[sha256.Size]byte]int, n), map[string]int{}, 0, 0, 0}
	for i := n - 1; i >= 0; i-- { // the first takes the place of the others
		e := &s.Entries[i]
		if e.Certificate != nil {
			continue
		}
		p.unknown++
		switch sum := e.Sum(); {
		case sum != nil:
			p.byHash[*sum] = i
		case e.SHA1 != "":
			p.onlySHA1++
			p.bySHA1[e.SHA1] = i
		default:
			p.noHash++
		}
	}
	for i := n - 1; i >= 0; i-- {
		if c := s.certificate(i); c != nil {
			p.byHash[c.SHA256], p.byKey[keys[i]] = i, i
		}
	}
	return p
}

// find gives the position of a certificate that a pin names.
func (p *positions) find(pin Pin) (i int, ok bool) {
	if pin.SHA256 == nil {
		i, ok = p.byKey[*pin.SPKI]
		return i, ok
	}
	if i, ok = p.byHash[*pin.SHA256]; !ok {
		i, ok = p.bySHA1[pin.SHA1]
	}
	return i, ok
}

// mayBe is how many entries may be the one that a pin names, for all that is known.
func (p *positions) mayBe(pin Pin) int {
	switch {
	case pin.SHA256 == nil:
		return p.unknown
	case pin.SHA1 == "":
		return p.noHash + p.onlySHA1
	}
	return p.noHash
}

// part is what was found of each rule in a chunk.
type part struct {
	applied, notKnown []int
	findings          [][]Finding
}

// chunk is how many certificates one goroutine judges: so few that all processors have
// work until the end.
const chunk = 16

// run applies the rules over single entries side by side, a self-signature being
// most of the work, then those over the whole.
func (a *auditor) run() ([]RuleResult, []Finding) {
	parts := make([]part, (len(a.Entries)+chunk-1)/chunk)
	var chunks sync.WaitGroup
	for i := range parts {
		chunks.Go(func() { parts[i] = a.items(i*chunk, min((i+1)*chunk, len(a.Entries))) })
	}
	chunks.Wait()
	a.found = newPositions(&a.Subject, a.keys)
	results := make([]RuleResult, len(a.rules))
	var all []Finding
	for n := range a.rules {
		rule := &a.rules[n]
		result := RuleResult{Rule: rule, State: NotApplicable}
		before := len(all)
		switch {
		case !rule.isAsked(a):
		case rule.whole != nil:
			var found []Finding
			result.Applied, found = rule.whole(a)
			all = append(all, found...)
			if rule.compare {
				result.NotKnown = a.found.unknown
			}
		default:
			for _, p := range parts {
				result.Applied += p.applied[n]
				result.NotKnown += p.notKnown[n]
				all = append(all, p.findings[n]...)
			}
		}
		found := all[before:]
		a.notApplied = append(a.notApplied, result.NotKnown)
		for i := range found {
			a.settle(rule, &found[i])
		}
		if result.Found = len(found); result.Found > 0 {
			result.State = Found
		} else if result.Applied > 0 {
			result.State = Passed
		}
		results[n] = result
	}
	return results, all
}

// items applies the rules over single entries to some.
func (a *auditor) items(from, to int) part {
	p := part{make([]int, len(a.rules)), make([]int, len(a.rules)), make([][]Finding, len(a.rules))}
	for i := from; i < to; i++ {
		c := a.certificate(i)
		if c != nil {
			if a.keys[i] = c.KeyID(); a.selfAsked {
				a.self[i] = path.CheckSelfSignature(c)
			}
		}
		known := a.Entries[i].Certificate != nil
		for n := range a.rules {
			rule := &a.rules[n]
			applies, detail := false, ""
			switch {
			case !rule.isAsked(a) || rule.whole != nil:
				continue
			case rule.entry != nil:
				applies, detail = rule.entry(a, a.item(i))
			case c != nil:
				applies, detail = rule.certificate(a, i, c)
			}
			switch {
			case applies:
				p.applied[n]++
			case !known:
				p.notKnown[n]++
			}
			if detail != "" {
				p.findings[n] = append(p.findings[n], Finding{Detail: detail, Items: []Item{a.item(i)}})
			}
		}
	}
	return p
}

// settle gives a finding its rule and severity, and the exception that excuses it.
func (a *auditor) settle(rule *Rule, f *Finding) {
	f.Rule, f.Severity = rule, rule.Severity
	if a.Requirements == nil {
		return
	}
	if s, ok := a.Requirements.Severities[rule.ID]; ok {
		f.Severity = s
	}
	f.Exception = a.excuses[rule.ID].settle(f)
}

// itemsAt are the entries at the given positions, counted from 0.
func (a *auditor) itemsAt(at []int) []Item {
	out := make([]Item, len(at))
	for n, i := range at {
		out[n] = a.item(i)
	}
	return out
}

// groups are the positions of certificates that share what key gives, if there are two
// or more of them. Certificates for which key is not ok are left out; n is how many are not.
func groups[K comparable](a *auditor, key func(i int, c *certificate.Certificate) (K, bool)) (n int, out [][]int) {
	first := make(map[K]int, len(a.Entries))
	lists := map[int][]int{} // by the first of each
	for i := range a.Entries {
		c := a.certificate(i)
		if c == nil {
			continue
		}
		k, ok := key(i, c)
		if !ok {
			continue
		}
		n++
		if at, again := first[k]; !again {
			first[k] = i
		} else if lists[at] == nil {
			lists[at] = []int{at, i}
		} else {
			lists[at] = append(lists[at], i)
		}
	}
	return n, slices.SortedFunc(maps.Values(lists), slices.Compare)
}

func sortFindings(list []Finding) {
	slices.SortStableFunc(list, func(x, y Finding) int { return cmp.Compare(y.Severity, x.Severity) })
}

// An identity is what makes a finding the same one in two reports: its rule and
// its certificates, or its words if it is about the whole.
type identity struct {
	rule, detail string
	certificates [sha256.Size]byte
}

func (f *Finding) identity() identity {
	id := identity{rule: f.Rule.ID}
	if len(f.Items) == 0 {
		id.detail = cmp.Or(f.id, f.Detail)
		return id
	}
	hashes := make([][]byte, len(f.Items))
	for i, e := range f.Items {
		sum := e.identity()
		hashes[i] = sum[:]
	}
	slices.SortFunc(hashes, bytes.Compare) // the order of a file does not count
	id.certificates = sha256.Sum256(slices.Concat(hashes...))
	return id
}

// compare marks what is new, and keeps what is gone.
func (r *Report) compare(before []Finding) {
	old := map[identity]bool{}
	for i := range before {
		old[before[i].identity()] = true
	}
	now := map[identity]bool{}
	for i := range r.Findings {
		f := &r.Findings[i]
		id := f.identity()
		now[id] = true
		if f.Change = New; old[id] {
			f.Change = Unchanged
		}
	}
	blind := map[string]bool{}
	for _, x := range r.Results {
		blind[x.Rule.ID] = x.NotKnown > 0
	}
	for _, f := range before {
		switch {
		case now[f.identity()]:
		case blind[f.Rule.ID]:
			r.NotJudged++
		default:
			f.Change = Gone
			r.Gone = append(r.Gone, f)
		}
	}
	sortFindings(r.Gone)
}

package audit

import (
	"time"
)

// Requirements are what a user demands of every bundle, as one reviewed file says
// it; ParseRequirements reads one.
type Requirements struct {
	Needs      []Need
	Required   []Pin
	Forbidden  []Pin
	Allowed    []Pin // nil for no such list: everything is allowed
	Exceptions []*Exception
	Severities map[string]Severity // of rules, instead of their own

	Expiring        time.Duration // zero fields ask for nothing
	MaxAge          time.Duration // of the signature
	MinRSABits      int
	MinCertificates int
	MaxCertificates int

	forbidden, allowed index
}

// An index finds pins by their hashes.
type index struct{ sha256, spki map[[32]byte]int }

func newIndex(pins []Pin) index {
	x := index{map[[32]byte]int{}, map[[32]byte]int{}}
	for i, p := range pins {
		x.add(p, i)
	}
	return x
}

func (x index) add(p Pin, at int) {
	switch {
	case p.SHA256 != nil:
		x.sha256[*p.SHA256] = at
	case p.SPKI != nil:
		x.spki[*p.SPKI] = at
	}
}

// find gives the position of the pin that names an entry. If its certificate is
// not known, known reports whether that is certain.
func (x index) find(e Item) (at int, ok, known bool) {
	sum := e.Sum()
	if sum != nil {
		if at, ok = x.sha256[*sum]; ok {
			return at, true, true
		}
	}
	c := e.Certificate
	switch {
	case len(x.spki) == 0:
		return 0, false, sum != nil || len(x.sha256) == 0
	case c == nil:
		return 0, false, false
	case c.Err != nil:
		return 0, false, true
	}
	at, ok = x.spki[c.KeyID()]
	return at, ok, true
}

// An excuse finds the exceptions of one rule that still apply.
type excuse struct {
	index
	list []*Exception
	all  *Exception // the one for all that the rule finds; nil for none
}

// excuses are the exceptions that apply at a time, by their rule.
func (r *Requirements) excuses(at time.Time) map[string]*excuse {
	out := map[string]*excuse{}
	for _, e := range r.Exceptions {
		if e.ended(at) {
			continue
		}
		x := out[e.Rule]
		if x == nil {
			x = &excuse{index: newIndex(nil)}
			out[e.Rule] = x
		}
		x.add(e.Pin, len(x.list))
		x.list = append(x.list, e)
		if e.SHA256 == nil && e.SPKI == nil {
			x.all = e
		}
	}
	return out
}

// settle gives the exception for a finding, nil if there is none. A finding about
// several certificates is excused if each of them is, one about a missing
// certificate if that is named as it was required.
func (x *excuse) settle(f *Finding) *Exception {
	if x == nil {
		return nil
	}
	if p := f.Missing; p != nil {
		at, ok := 0, false
		if p.SHA256 != nil {
			at, ok = x.sha256[*p.SHA256]
		} else {
			at, ok = x.spki[*p.SPKI]
		}
		if ok {
			return x.list[at]
		}
	}
	last := x.all
	for _, e := range f.Items {
		at, ok, _ := x.find(e)
		switch {
		case ok:
			last = x.list[at]
		case x.all == nil:
			return nil
		}
	}
	return last
}

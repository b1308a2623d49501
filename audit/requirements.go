package audit

import (
	"time"

	"trustpool/bundle"
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

	forbiddenIndex, allowedIndex index
}

// An index finds pins by their hashes.
type index struct{ sha256, spki map[[32]byte]int }

func newIndex(pins []Pin) index {
	x := index{map[[32]byte]int{}, map[[32]byte]int{}}
	for i, p := range pins {
		if p.SHA256 != nil {
			x.sha256[*p.SHA256] = i
		} else {
			x.spki[*p.SPKI] = i
		}
	}
	return x
}

func (x index) find(c *bundle.Certificate) (int, bool) {
	if i, ok := x.sha256[c.SHA256]; ok {
		return i, true
	}
	if len(x.spki) == 0 || c.Err != nil {
		return 0, false
	}
	i, ok := x.spki[c.SPKISHA256()]
	return i, ok
}

func (r *Requirements) forbidden(c *bundle.Certificate) (Pin, bool) {
	i, ok := r.forbiddenIndex.find(c)
	if !ok {
		return Pin{}, false
	}
	return r.Forbidden[i], true
}

func (r *Requirements) allows(c *bundle.Certificate) bool {
	_, ok := r.allowedIndex.find(c)
	return ok
}

// excuse gives the exception for a finding, nil where there is none that still
// applies. A finding about several certificates is excused where each of them is.
func (r *Requirements) excuse(f *Finding, at time.Time) *Exception {
	covers := func(e *Exception, c *bundle.Certificate) bool {
		return e.Rule == f.Rule.ID && !e.ended(at) && (e.SHA256 == nil && e.SPKI == nil || c != nil && e.matches(c))
	}
	find := func(c *bundle.Certificate) *Exception {
		for _, e := range r.Exceptions {
			if covers(e, c) {
				return e
			}
		}
		return nil
	}
	if len(f.Certificates) == 0 {
		return find(nil)
	}
	var last *Exception
	for _, e := range f.Certificates {
		if last = find(e.Certificate); last == nil {
			return nil
		}
	}
	return last
}

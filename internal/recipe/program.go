package recipe

import (
	"fmt"
	"slices"
	"time"

	"trustpool/internal/fetch/text"
	"trustpool/roots"
)

// A program is what a root program says, and for what the recipe asks it.
type program struct {
	source   int
	purposes []roots.Purpose
	store    *roots.Store
}

// readProgram reads a root program's file: its certificates, and which of them it
// does not trust for what the recipe asks.
func (s *selection) readProgram(source int, src *Source, f File) error {
	data, err := text.Decode(f.Data, roots.MaxStoreBytes)
	if err != nil {
		return err
	}
	var store *roots.Store
	if src.Kind == KindCertdata {
		store, err = roots.ParseCertdata(data)
	} else {
		store, err = roots.ParseCCADB(data, roots.CCADBOptions{Purposes: src.Purpose})
	}
	if err != nil {
		return err
	}
	p := program{source, src.Purpose, store}
	s.programs = append(s.programs, p)
	for _, r := range store.Roots {
		switch {
		case r.Certificate != nil:
			if c := s.add(source, f.Name, "line", r.Line, r.Certificate); c != nil {
				s.trust(p, r, c)
			}
		case r.Err != nil:
			s.note("%s (%s, line %d): %v", s.names[source], f.Name, r.Line, r.Err)
		}
	}
	return nil
}

// check is roots.Root.Check for what the recipe asks: one purpose is enough.
func (p *program) check(r *roots.Root) (err error) {
	for _, purpose := range p.purposes {
		e := r.Check(purpose)
		if e == nil {
			return nil
		}
		if err == nil {
			err = e
		}
	}
	return err
}

// trust notes what a program says of a candidate. Where it says two things the
// stricter counts.
func (s *selection) trust(p program, r *roots.Root, c *candidate) {
	name := s.names[p.source]
	if err := p.check(r); err != nil {
		c.untrusted |= 1 << p.source
		c.why = append(c.why, refusal{name, err})
		return
	}
	for _, purpose := range p.purposes {
		if after, ok := r.DistrustAfter[purpose]; ok {
			c.notes = append(c.notes, fmt.Sprintf("%s does not trust what %s issued for %s after %s, which devices do not know",
				name, c.Subject, purpose, after.Format(time.DateOnly)))
		}
	}
}

// findNamed looks in all sources for the certificates that a program names by
// their SHA-256 without giving them, as most of CCADB's reports do: the program's
// source has those that are found.
func (s *selection) findNamed() {
	for _, p := range s.programs {
		nowhere := 0
		for _, r := range p.store.Roots {
			if r.Certificate != nil || r.SHA256 == [32]byte{} {
				continue
			}
			known := s.known[r.SHA256]
			named := *r
			if known == nil {
				trusted := func(purpose roots.Purpose) bool { return named.Trust[purpose] == roots.Trusted }
				if named.Err == nil && len(named.Constraints) == 0 && slices.ContainsFunc(p.purposes, trusted) {
					nowhere++
				}
				continue
			}
			named.Certificate = known.Certificate
			s.trust(p, &named, s.add(p.source, "", "", 0, known.Certificate))
		}
		if nowhere > 0 {
			s.note("%s only names certificates that it trusts, and no source has them: %d", s.names[p.source], nowhere)
		}
	}
}

// findDistrusted marks what a program of the recipe distrusts for whatever
// purpose, in all sources: by its hash, by issuer and serial number, or by its
// key.
func (s *selection) findDistrusted() {
	for _, p := range s.programs {
		for _, c := range s.known {
			if c.distrusted != "" {
				continue
			}
			for _, m := range p.store.Find(c.Certificate) {
				if purposes := m.Root.With(roots.Distrusted); purposes != nil {
					c.distrusted = fmt.Sprintf("%s distrusts it for %s (by its %s)", s.names[p.source], purposes[0], m.By)
					break
				}
			}
		}
	}
}

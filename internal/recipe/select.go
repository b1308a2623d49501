package recipe

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/internal/yamlstrict"
	"trustpool/roots"
	"trustpool/signing"
)

// A Selection is what a recipe makes of its sources, before it is signed. Its texts
// are safe to print.
type Selection struct {
	Entries []SelectedEntry // in the recipe's order
	Dropped []DroppedEntry  // first what cannot be read, then in the order of the sources
	Notes   []string        // what else a reviewer must know
}

// A SelectedEntry is a certificate of the bundle.
type SelectedEntry struct {
	Certificate *certificate.Certificate
	// Sources are the names of those that give it, in the order of the set; where
	// the recipe includes what no source gives, of those that have it.
	Sources []string
}

// A DroppedEntry is a certificate that a source has and the bundle has not.
type DroppedEntry struct {
	Certificate *certificate.Certificate // Err may be set
	Source      string                   // the names of those that have it; of what cannot be read, the place
	Reason      string
}

// Select reads the sources and decides which certificates make the bundle. It
// signs and writes nothing. Errors name the source, or the place in the recipe.
func (r *Recipe) Select(ctx context.Context, o BuildOptions) (*Selection, error) {
	if o.At.IsZero() {
		return nil, errors.New("recipe: no time to build at")
	}
	s := &selection{recipe: r, options: o, number: map[string]int{}, known: map[[32]byte]*candidate{}}
	s.require, s.include, s.distrusted = newPins(r.Require), newPins(r.Include), newPins(r.Distrusted)
	s.exclude = newPins(r.Exclude)
	s.names = r.inOrder()
	s.has = make([][]*candidate, len(s.names))
	for i, name := range s.names {
		s.number[name] = i
		if err := s.read(ctx, i); err != nil {
			return nil, fmt.Errorf("source %s: %w", name, err)
		}
	}
	s.findNamed()
	s.findDistrusted()
	return s.run()
}

// inOrder are the sources in the order in which the set names them.
func (r *Recipe) inOrder() []string {
	var names []string
	var walk func(Set)
	walk = func(s Set) {
		if s.Source != "" && !slices.Contains(names, s.Source) {
			names = append(names, s.Source)
		}
		for _, operand := range s.Operands {
			walk(operand)
		}
	}
	walk(r.Set)
	return names
}

// A selection is one run of Select. Sources go by their number in names.
type selection struct {
	recipe  *Recipe
	options BuildOptions
	names   []string
	number  map[string]int

	has      [][]*candidate          // by source, in its order
	known    map[[32]byte]*candidate // by SHA-256
	programs []program

	require, include, exclude, distrusted *pins

	result Selection
}

// A candidate is a certificate that some source has.
type candidate struct {
	*certificate.Certificate
	spki       [32]byte
	has        sources
	untrusted  sources // of has, the root programs that have it and do not give it
	why        []refusal
	distrusted string   // what distrusts it, and how; empty for none
	notes      []string // for a reviewer, if it gets in
	judged     bool
}

// A refusal is why a root program does not give a certificate that it has.
type refusal struct {
	source string
	err    error
}

// gives are the sources that the set may take the certificate from.
func (c *candidate) gives() sources { return c.has &^ c.untrusted }

// sources is a set of at most maxSources sources.
type sources uint64

func (s sources) contains(i int) bool { return s&(1<<i) != 0 }

func (s *selection) namesOf(of sources) []string {
	var out []string
	for i, name := range s.names {
		if of.contains(i) {
			out = append(out, name)
		}
	}
	return out
}

func (s *selection) note(format string, args ...any) {
	s.result.Notes = append(s.result.Notes, report.Printable(fmt.Sprintf(format, args...)))
}

func (s *selection) drop(c *certificate.Certificate, source, reason string) {
	s.result.Dropped = append(s.result.Dropped, DroppedEntry{c, report.Printable(source), report.Printable(reason)})
}

// add notes that a source has a certificate, and where: in a file at a line, or
// such; nil if it is not.
func (s *selection) add(source int, file, place string, number int, c *certificate.Certificate) *candidate {
	if c.Err != nil {
		s.drop(c, fmt.Sprintf("%s (%s, %s %d)", s.names[source], file, place, number), "not readable: "+c.Err.Error())
		return nil
	}
	k := s.known[c.SHA256]
	if k == nil {
		k = &candidate{Certificate: c, spki: c.KeyID()}
		s.known[c.SHA256] = k
	}
	if !k.has.contains(source) {
		k.has |= 1 << source
		s.has[source] = append(s.has[source], k)
	}
	return k
}

// read reads one source.
func (s *selection) read(ctx context.Context, i int) error {
	src := s.recipe.Sources[s.names[i]]
	files, err := s.open(ctx, src)
	if err != nil {
		return err
	}
	if err := src.checkPin(files); err != nil {
		return err
	}
	var anchors []roots.Anchor
	switch src.Kind {
	case KindCertdata, KindCCADB:
		if len(files) != 1 {
			return fmt.Errorf("%s is to be one file, and is %d", src.Kind, len(files))
		}
		if err := s.readProgram(i, src, files[0]); err != nil {
			return fmt.Errorf("%s: %w", files[0].Name, err)
		}
		return nil
	case KindBundle:
		if anchors, err = s.anchors(ctx, src); err != nil {
			return err
		}
	}
	for _, f := range files {
		b, err := s.parse(f, anchors)
		if err != nil {
			err = fmt.Errorf("%s: %w", f.Name, err)
			if s.options.Unreadable != nil && s.options.Unreadable(f.Name, err) {
				s.note("%v: skipped", err)
				continue
			}
			return err
		}
		for n, c := range b.Certificates {
			s.add(i, f.Name, "certificate", n+1, c)
		}
	}
	return nil
}

func (s *selection) open(ctx context.Context, src *Source) (files []File, err error) {
	if src.Kind == KindSystem {
		return s.options.System(ctx)
	}
	limit := cmp.Or(s.options.Limits.Bytes, bundle.DefaultMaxBytes)
	for _, path := range src.Paths {
		f, err := s.options.Open(ctx, path)
		if err != nil {
			return nil, err
		}
		for _, one := range f {
			if limit -= int64(len(one.Data)); limit < 0 {
				return nil, fmt.Errorf("%s: with it the source is larger than the limit", one.Name)
			}
		}
		if len(f) == 0 {
			return nil, fmt.Errorf("%s: nothing there", path)
		}
		files = append(files, f...)
	}
	return files, nil
}

// checkPin asks that the files are those that the recipe pins: together, so that
// `LC_ALL=C cat FILE… | sha256sum` gives the pin.
func (src *Source) checkPin(files []File) error {
	if src.SHA256 == nil {
		return nil
	}
	h := sha256.New()
	for _, f := range files {
		h.Write(f.Data)
	}
	if got := [32]byte(h.Sum(nil)); got != *src.SHA256 {
		what := files[0].Name
		if len(files) > 1 {
			what = fmt.Sprintf("%s and %d more files together", what, len(files)-1)
		}
		return fmt.Errorf("%s: the SHA-256 is %x; the recipe pins %x", what, got, *src.SHA256)
	}
	return nil
}

// parse reads a file of certificates. Where there are anchors it must be verified
// under them.
func (s *selection) parse(f File, anchors []roots.Anchor) (*bundle.Bundle, error) {
	b, err := s.options.Limits.Parse(f.Data)
	if err == nil && anchors != nil {
		_, err = signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: s.options.At})
	}
	return b, err
}

// anchors are those that a bundle of the recipe is verified under.
func (s *selection) anchors(ctx context.Context, src *Source) ([]roots.Anchor, error) {
	if src.Anchors == nil {
		return roots.BuiltIn(), nil
	}
	var out []roots.Anchor
	for _, ref := range src.Anchors {
		if i := slices.IndexFunc(roots.BuiltIn(), func(a roots.Anchor) bool { return strings.EqualFold(a.Name, ref) }); i >= 0 {
			out = append(out, roots.BuiltIn()[i])
			continue
		}
		if sum, ok := roots.ParseSHA256(ref); ok {
			out = append(out, roots.FromSHA256(sum))
			continue
		}
		files, err := s.options.Open(ctx, ref)
		if err != nil {
			return nil, fmt.Errorf("root: %w", err)
		}
		for _, f := range files {
			anchors, err := roots.FromFile(f.Data)
			if err != nil {
				return nil, fmt.Errorf("root %s: %w", f.Name, err)
			}
			out = append(out, anchors...)
		}
	}
	if len(out) == 0 {
		return nil, fmt.Errorf("root %s: nothing there", strings.Join(src.Anchors, ", "))
	}
	return out, nil
}

// run judges every candidate, in the order of the sources that give it.
func (s *selection) run() (*Selection, error) {
	var kept []*candidate
	excluded := map[[32]byte]*Pin{} // by key, those that name a certificate
	for i := range s.names {
		for _, c := range s.has[i] {
			if c.judged || c.gives() != 0 && !c.gives().contains(i) {
				continue
			}
			c.judged = true
			reason, by, err := s.judge(c)
			if err != nil {
				return nil, err
			}
			if reason == "" {
				kept = append(kept, c)
				continue
			}
			if by != nil && by.SHA256 != nil {
				excluded[c.spki] = by
			}
			s.drop(c.Certificate, strings.Join(s.namesOf(c.has), ", "), reason)
		}
	}
	for _, c := range kept {
		for _, n := range c.notes {
			s.note("%s", n)
		}
		if e := excluded[c.spki]; e != nil {
			s.note("line %d: %s is in the bundle and has the key of the excluded certificate: name the key (spki) to exclude both", e.At.Line, c.Subject)
		}
		s.require.find(c)
	}
	if err := s.checkPins(); err != nil {
		return nil, err
	}
	if len(kept) == 0 {
		return nil, errors.New("no certificate is left")
	}
	s.recipe.Order.sort(kept)
	s.result.Entries = make([]SelectedEntry, 0, len(kept))
	for _, c := range kept {
		s.result.Entries = append(s.result.Entries, SelectedEntry{c.Certificate, s.namesOf(cmp.Or(c.gives(), c.has))})
	}
	return &s.result, nil
}

// judge says why a candidate is not in the bundle, and which exclusion keeps it
// out; empty if it gets in.
func (s *selection) judge(c *candidate) (reason string, by *Pin, err error) {
	included, allowed := s.include.find(c), s.distrusted.find(c)
	for _, i := range s.exclude.find(c) {
		e := &s.recipe.Exclude[i]
		if !e.Until.IsZero() && !s.options.At.Before(e.Until) {
			c.notes = append(c.notes, fmt.Sprintf("line %d: %s is no longer excluded: that ended on %s", e.At.Line, c.Subject, e.Until.Format(time.DateOnly)))
			continue
		}
		if included != nil {
			return "", nil, yamlstrict.ErrorAt(e.At, "%s is both excluded and included", c.Subject)
		}
		return "excluded: " + e.Reason, e, nil
	}
	if included == nil {
		if !s.chooses(&s.recipe.Set, c) {
			if c.why != nil {
				return c.why[0].source + ": " + c.why[0].err.Error(), nil, nil
			}
			return "not in the set", nil, nil
		}
		if reason := s.recipe.Filter.drop(c.Certificate); reason != "" {
			return reason, nil, nil
		}
	}
	switch {
	case c.distrusted != "" && allowed == nil:
		return "", nil, fmt.Errorf("%s (SHA-256 %x) is distrusted: %s; exclude it, or name it under allow-distrusted with a reason",
			c.Subject, c.SHA256, c.distrusted)
	case c.distrusted != "":
		p := s.recipe.Distrusted[allowed[0]]
		c.notes = append(c.notes, fmt.Sprintf("line %d: %s is in the bundle although %s: %s", p.At.Line, c.Subject, c.distrusted, p.Reason))
	case allowed != nil:
		c.notes = append(c.notes, fmt.Sprintf("line %d: nothing distrusts %s, which allow-distrusted names", s.recipe.Distrusted[allowed[0]].At.Line, c.Subject))
	}
	for _, w := range c.why {
		if r, ok := errors.AsType[*roots.RefusedError](w.err); ok && r.Reason == roots.ReasonConstraint {
			c.notes = append(c.notes, fmt.Sprintf("%s is in the bundle although %s says: %v", c.Subject, w.source, w.err))
		}
	}
	return "", nil, nil
}

// chooses reports whether a set takes a candidate.
func (s *selection) chooses(set *Set, c *candidate) bool {
	takes := func(o Set) bool { return s.chooses(&o, c) }
	switch set.Operation {
	case Union:
		return slices.ContainsFunc(set.Operands, takes)
	case Intersect:
		return !slices.ContainsFunc(set.Operands, func(o Set) bool { return !takes(o) })
	case Minus:
		return takes(set.Operands[0]) && !slices.ContainsFunc(set.Operands[1:], takes)
	}
	return c.gives().contains(s.number[set.Source])
}

// checkPins makes it an error that a pin names nothing: a slip in a fingerprint
// must not pass for a decision.
func (s *selection) checkPins() error {
	for i, p := range s.recipe.Require {
		if !s.require.met[i] {
			return yamlstrict.ErrorAt(p.At, "a required certificate is not in the bundle: %s", s.whyNot(&p))
		}
	}
	for i, p := range s.recipe.Include {
		if !s.include.met[i] {
			return yamlstrict.ErrorAt(p.At, "include: no source has this certificate")
		}
	}
	for i, p := range s.recipe.Distrusted {
		if !s.distrusted.met[i] {
			return yamlstrict.ErrorAt(p.At, "allow-distrusted: no source has this certificate")
		}
	}
	for i, e := range s.recipe.Exclude {
		if !s.exclude.met[i] {
			s.note("line %d: the exclusion names a certificate that no source has", e.At.Line)
		}
	}
	return nil
}

// whyNot is the reason for which a required certificate was dropped.
func (s *selection) whyNot(p *Pin) string {
	for _, d := range s.result.Dropped {
		if p.SHA256 != nil && d.Certificate.SHA256 == *p.SHA256 ||
			p.SPKI != nil && d.Certificate.Err == nil && d.Certificate.KeyID() == *p.SPKI {
			return d.Reason
		}
	}
	return "no source has it"
}

// sort puts candidates in an order. Those of the input are in it already.
func (o Order) sort(c []*candidate) {
	bySHA256 := func(a, b *candidate) int { return bytes.Compare(a.SHA256[:], b.SHA256[:]) }
	switch o {
	case OrderDER:
		slices.SortFunc(c, func(a, b *candidate) int { return bytes.Compare(a.Raw, b.Raw) })
	case OrderSHA256:
		slices.SortFunc(c, bySHA256)
	case OrderSubject:
		subjects := make(map[*candidate]string, len(c))
		for _, k := range c {
			subjects[k] = k.Subject.String()
		}
		slices.SortFunc(c, func(a, b *candidate) int { return cmp.Or(cmp.Compare(subjects[a], subjects[b]), bySHA256(a, b)) })
	}
}

// pins finds which of a list of pins name a certificate, and keeps which did.
type pins struct {
	byCertificate, byKey map[[32]byte][]int // positions in the list
	met                  []bool
}

func newPins(list []Pin) *pins {
	x := &pins{map[[32]byte][]int{}, map[[32]byte][]int{}, make([]bool, len(list))}
	for i, p := range list {
		if p.SHA256 != nil {
			x.byCertificate[*p.SHA256] = append(x.byCertificate[*p.SHA256], i)
		} else {
			x.byKey[*p.SPKI] = append(x.byKey[*p.SPKI], i)
		}
	}
	return x
}

// find gives the positions of the pins that name a candidate, nil for none.
func (x *pins) find(c *candidate) []int {
	found := x.byCertificate[c.SHA256]
	if byKey := x.byKey[c.spki]; byKey != nil {
		found = slices.Concat(found, byKey)
	}
	for _, i := range found {
		x.met[i] = true
	}
	return found
}

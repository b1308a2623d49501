package hosting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/report"
)

// A Failure says what could not be brought up to date, and why.
type Failure struct {
	Bundle string // empty if it is the source as a whole
	Err    error
}

func (f Failure) Error() string {
	if f.Bundle == "" {
		return f.Err.Error()
	}
	return f.Bundle + ": " + f.Err.Error()
}

func (f Failure) Unwrap() error { return f.Err }

// load makes a catalog of what the source has now. Where something cannot be had or
// is not verified, what the catalog before had of that name stays.
func load(ctx context.Context, source Source, before *Catalog, t trust, at time.Time, pnp string) (*Catalog, []Failure) {
	var failures []Failure
	fail := func(name string, err error) { failures = append(failures, Failure{name, err}) }
	entries := map[string]*Entry{}
	if before != nil {
		for _, e := range before.Entries {
			entries[e.Name] = e
		}
	}
	offers, sourceErr := source.offers(ctx)
	if sourceErr != nil {
		fail("", sourceErr)
	}
	offered := map[string]bool{}
	for _, o := range offers {
		offered[o.name] = true
		if entries[o.name] == nil && len(entries) == MaxEntries {
			fail(o.name, fmt.Errorf("more than %d bundles, which is the limit", MaxEntries))
			continue
		}
		l := loader{trust: t, at: at, before: entries[o.name], fail: func(err error) { fail(o.name, err) }}
		if e, err := l.entry(ctx, o); err != nil {
			fail(o.name, err)
		} else {
			entries[o.name] = e
		}
	}
	if sourceErr == nil {
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			if !offered[name] {
				fail(name, errors.New("it is gone; what was served stays until trustpool is started anew"))
			}
		}
	}
	c := &Catalog{Entries: slices.SortedFunc(maps.Values(entries), func(a, b *Entry) int { return cmp.Compare(a.Name, b.Name) })}
	if before != nil && slices.Equal(c.Entries, before.Entries) {
		return before, failures
	}
	c.route(pnp)
	return c, failures
}

// A loader brings one entry up to date.
type loader struct {
	trust
	at     time.Time
	before *Entry // nil for none
	fail   func(error)
}

// entry makes an entry of an offer, and gives the one before if nothing has changed.
func (l loader) entry(ctx context.Context, o offer) (*Entry, error) {
	if o.err != nil {
		return nil, o.err
	}
	current, err := l.release(ctx, o.current)
	if err != nil {
		return nil, err
	}
	if l.before != nil && current.SignedName != l.before.Current.SignedName {
		return nil, fmt.Errorf("%s is %q and no longer %q; start trustpool anew if that is meant",
			o.current.origin, report.Printable(current.SignedName), report.Printable(l.before.Current.SignedName))
	}
	e := &Entry{Name: o.name, Current: current}
	if o.current.sha256 == "" && l.before != nil { // a file; the gate of a store has looked at versions
		if was := l.before.Current.Version; l.noDowngrade && was != "" {
			if _, err := bundle.CompareVersions(current.Version, was); err != nil {
				return nil, fmt.Errorf("%s may be older than version %s that was served: %w", o.current.origin, report.Printable(was), err)
			}
		}
		e.Newer = newer(l.before, current)
		if e.Newer != "" && l.noDowngrade {
			return nil, fmt.Errorf("%s is version %s, older than version %s that was served", o.current.origin, report.Printable(current.Version), report.Printable(e.Newer))
		}
	}
	content := 0
	for _, i := range o.archive[:min(len(o.archive), MaxArchived)] {
		r, err := l.release(ctx, i)
		if err != nil {
			if kept := l.kept(i); kept != nil { // the source may be away only now
				r = kept
			} else {
				l.fail(fmt.Errorf("archive: %w", err))
				continue
			}
		}
		if content += len(r.Raw); content > MaxArchiveBytes {
			break
		}
		e.Archive = append(e.Archive, r)
	}
	if l.before != nil && slices.Equal(e.Releases(), l.before.Releases()) {
		return l.before, nil
	}
	if err := l.addSides(e); err != nil {
		return nil, err
	}
	return e, nil
}

// newer is the newest version that was served before a release of the same name, if
// that is newer; otherwise empty, also if nothing tells which is.
func newer(before *Entry, r *Release) string {
	for _, v := range []string{before.Newer, before.Current.Version} {
		if order, err := bundle.CompareVersions(r.Version, v); v != "" && err == nil && order < 0 {
			return v
		}
	}
	return ""
}

// addSides makes what is beside each release. Releases are parsed again for it: to
// keep them parsed would take many times their size.
func (l loader) addSides(e *Entry) error {
	e.beside = map[*Release]beside{}
	var before *Release
	for _, r := range slices.Backward(e.Releases()) {
		var known beside
		ok := false
		if l.before != nil {
			known, ok = l.before.beside[r]
		}
		if !ok || known.before != before {
			var err error
			if known, err = l.side(e, r, before); err != nil {
				return err
			}
		}
		e.beside[r], before = known, r
	}
	return nil
}

func (l loader) side(e *Entry, r, before *Release) (beside, error) {
	b, err := l.limits.Parse(r.Raw)
	if err != nil {
		return beside{}, err
	}
	var diff *bundle.Diff
	if before != nil {
		old, err := l.limits.Parse(before.Raw)
		if err != nil {
			return beside{}, err
		}
		diff = bundle.Compare(old, b)
	}
	files, err := feed.SideFiles(e.FileName(), r.Raw, b, diff)
	return beside{before, files}, err
}

// release gives the release of an item: one that is served already if it is the same.
func (l loader) release(ctx context.Context, i item) (*Release, error) {
	if r := l.kept(i); r != nil && i.far {
		return r, nil
	}
	raw, modified, err := i.read(ctx)
	if err != nil {
		return nil, err
	}
	sum := digest(raw)
	if i.sha256 != "" && i.sha256 != sum {
		return nil, fmt.Errorf("%s has the SHA-256 %s, and is to have %s", i.origin, sum, i.sha256)
	}
	if r := l.known(sum, modified); r != nil {
		return r, nil
	}
	r, err := l.trust.release(raw, modified, l.at, i.origin)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.origin, err)
	}
	return r, nil
}

// kept is the release that an item tells to be the same without being read.
func (l loader) kept(i item) *Release {
	if i.sha256 == "" {
		return nil
	}
	return l.known(i.sha256, i.modified)
}

// known is the release of those before with the same bytes and time.
func (l loader) known(sum string, modified time.Time) *Release {
	if l.before == nil {
		return nil
	}
	for _, r := range l.before.Releases() {
		if r.source == sum && r.Modified.Equal(modified.UTC().Truncate(time.Second)) {
			return r
		}
	}
	return nil
}

package hosting

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"
	"time"

	"trustpool/bundle"
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

// parallel is how many names are looked at at a time: most of the time is the source's.
const parallel = 16

// each calls do for each number below n, several at a time.
func each(n int, do func(int)) {
	var group sync.WaitGroup
	slots := make(chan struct{}, parallel)
	for i := range n {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			do(i)
		})
	}
	group.Wait()
}

// loadTimeout is how long a source may take: one that hangs is one that is away.
const loadTimeout = 5 * time.Minute

// load makes a catalog of what the source has now, under each name or only the one that is given. If something cannot be
// had or is not verified, what the catalog before had of that name stays.
func (s *Server) load(ctx context.Context, before *Catalog, at time.Time, only string) (*Catalog, []Failure) {
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	var failures []Failure
	fail := func(name string, err error) { failures = append(failures, Failure{name, err}) }
	entries := map[string]*Entry{}
	if before != nil {
		for _, e := range before.Entries {
			entries[e.Name] = e
		}
	}
	offers, sourceErr := s.o.Source.offers(ctx, only)
	if sourceErr != nil {
		fail("", sourceErr)
	}
	offered := map[string]bool{}
	var wanted []offer
	for _, o := range offers {
		offered[o.name] = true
		if entries[o.name] == nil && len(entries) == MaxEntries {
			fail(o.name, fmt.Errorf("more than %d bundles, which is the limit", MaxEntries))
			continue
		}
		if entries[o.name] == nil {
			entries[o.name] = nil // it counts
		}
		wanted = append(wanted, o)
	}
	loaded, errs := make([]*Entry, len(wanted)), make([]error, len(wanted))
	each(len(wanted), func(i int) {
		o := wanted[i]
		loaded[i], errs[i] = loader{Options: &s.o, at: at, before: entries[o.name]}.entry(ctx, o)
	})
	for i, o := range wanted {
		if errs[i] != nil {
			fail(o.name, errs[i])
		} else {
			entries[o.name] = loaded[i]
		}
	}
	maps.DeleteFunc(entries, func(_ string, e *Entry) bool { return e == nil })
	if sourceErr == nil {
		for _, name := range slices.Sorted(maps.Keys(entries)) {
			if !offered[name] && (only == "" || only == name) {
				fail(name, errors.New("it is gone; what was served stays until trustpool is started anew"))
			}
		}
	}
	c := &Catalog{Entries: slices.SortedFunc(maps.Values(entries), func(a, b *Entry) int { return cmp.Compare(a.Name, b.Name) }), demander: s.demander}
	if before != nil && slices.Equal(c.Entries, before.Entries) {
		return before, failures
	}
	c.route(s.o.PnP)
	return c, failures
}

// A loader brings one entry up to date.
type loader struct {
	*Options
	at     time.Time
	before *Entry // nil for none
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
			o.origin(), report.Printable(current.SignedName), report.Printable(l.before.Current.SignedName))
	}
	e := &Entry{Name: o.name, Current: current, Archive: o.archive}
	if o.current.sha256 == "" && l.before != nil { // a file; the gate of a store has looked at versions
		if was := l.before.Current.Version; l.NoDowngrade && was != "" {
			if _, err := bundle.CompareVersions(current.Version, was); err != nil {
				return nil, fmt.Errorf("%s may be older than version %s that was served: %w", o.origin(), report.Printable(was), err)
			}
		}
		e.Newer = newer(l.before, current)
		if e.Newer != "" && l.NoDowngrade {
			return nil, fmt.Errorf("%s is version %s, older than version %s that was served", o.origin(), report.Printable(current.Version), report.Printable(e.Newer))
		}
	}
	e.Advice = l.advice(ctx, o, current)
	if l.before != nil && e.Current == l.before.Current && slices.Equal(e.Archive, l.before.Archive) && e.Advice == l.before.Advice {
		return l.before, nil
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

// release gives the release of an item: one that is served already if it is the same.
func (l loader) release(ctx context.Context, i item) (*Release, error) {
	if r := l.known(i.sha256, i.modified); i.far && r != nil {
		return r, nil
	}
	raw, modified, err := i.read(ctx)
	if err != nil {
		return nil, err
	}
	sum := Digest(raw)
	if i.sha256 != "" && i.sha256 != sum {
		return nil, fmt.Errorf("%s has the SHA-256 %s, and is to have %s", i.origin(), sum, i.sha256)
	}
	if r := l.known(sum, modified); r != nil {
		return r, nil
	}
	r, err := l.Options.release(raw, i.reader, modified, l.at)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", i.origin(), err)
	}
	return r, nil
}

// known is the current release of before if it has the same bytes and time.
func (l loader) known(sum string, modified time.Time) *Release {
	if l.before == nil {
		return nil
	}
	if r := l.before.Current; r.file == sum && r.Modified.Equal(modified.UTC().Truncate(time.Second)) {
		return r
	}
	return nil
}

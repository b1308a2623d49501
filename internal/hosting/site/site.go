// Package site writes what a server answers as files, which any web server has for devices and people: every route of a
// catalog, the index, and the pages. It compares such a site with what it should hold, in a directory, in a bucket, or as
// a web server answers.
//
// [Write] verifies everything before it writes. It writes what nothing leads to yet, then what has changed, and at the end
// what devices ask for by the name of a bundle; each file is there whole or not at all. A manifest in the site says which
// files were written: no other is ever replaced or removed.
package site

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/bundle"
	"trustpool/internal/hosting"
	"trustpool/internal/store"
	"trustpool/roots"
)

// Limits of a site.
const (
	MaxFiles    = 100_000
	maxManifest = 64 << 20 // bytes
	maxFile     = 256 << 20
	maxTries    = 3 // to write to a bucket, if others write to it at the same time
)

// Settings are what a site remembers of how it was written.
type Settings struct {
	BaseURL string // how devices reach it: for the commands on its pages, which it does not have without
	NoPages bool
	PnP     string // the bundle of the plug and play agent; empty for the only one, or ios
}

// Options say what a site holds. Source, Anchors and Now must be set.
type Options struct {
	Source  hosting.Source
	Anchors []roots.Anchor
	Limits  bundle.Limits
	Now     func() time.Time
	Version string // of the program; may be empty

	// Settings choose from those with which the site was written last.
	Settings func(Settings) Settings

	Delete bool                             // remove what was written before and no longer belongs to the site
	Report func(format string, args ...any) // what does not stop it; nil for nowhere
}

// A Place is where a site is: see [OpenDir], [OpenBucket] and [OpenURL].
type Place interface {
	fmt.Stringer
	// get returns a file; the error is store.ErrNotFound if there is none.
	get(ctx context.Context, name string, most int64) (data []byte, tag string, err error)
}

// A writablePlace is a Place that takes files.
type writablePlace interface {
	Place
	// lock keeps others from writing, if the place can do that.
	lock(ctx context.Context) (unlock func(), err error)
	// look says of each file whether it is there, and with these bytes.
	look(ctx context.Context, p *plan) ([]state, error)
	// put writes files in turn, each whole or not at all.
	put(ctx context.Context, files []*hosting.File) error
	// putManifest writes the manifest, if it still has the tag, and returns the new one.
	putManifest(ctx context.Context, data []byte, tag string) (string, error)
	// remove removes files in turn, and directories that are empty then.
	remove(ctx context.Context, names []string) error
}

// errNotRegular is the error of a [Place] that has something else than a file at a name, such as a directory, or a link that
// leads out of it.
var errNotRegular = errors.New("something else than a file of the site")

// A state is how a file of a plan is found.
type state int

const (
	missing state = iota
	same
	differs
)

// Write makes a place a site that holds what the source has now.
func Write(ctx context.Context, to Place, o Options) (*Report, error) {
	w, ok := to.(writablePlace)
	if !ok {
		return nil, fmt.Errorf("%s: a site is written into a directory or a bucket", to)
	}
	unlock, err := w.lock(ctx)
	if err != nil {
		return nil, err
	}
	defer unlock()
	for try := 1; ; try++ {
		// What another has written at the same time may be older than what the source has now.
		r, err := write(ctx, w, o, try > 1)
		if !errors.Is(err, store.ErrConflict) || try == maxTries {
			return r, err
		}
	}
}

func write(ctx context.Context, w writablePlace, o Options, anew bool) (*Report, error) {
	p, err := newPlan(ctx, o, w)
	if err != nil {
		return nil, err
	}
	m, tag := p.before, p.tag
	found, err := w.look(ctx, p)
	if err != nil {
		return nil, err
	}
	r := p.report(w)
	var fresh, changed, pointers []*hosting.File
	var foreign []error
	for i, f := range p.files {
		r.add(f.Name, found[i])
		if found[i] != missing && m.files[f.Name] == nil {
			foreign = append(foreign, fmt.Errorf("%s: %s is there, and was not written by trustpool site", w, f.Name))
		}
		if found[i] == same && !(anew && pointer(f)) {
			continue
		}
		switch {
		case pointer(f):
			pointers = append(pointers, f)
		case found[i] == missing:
			fresh = append(fresh, f)
		default:
			changed = append(changed, f)
		}
	}
	if foreign != nil {
		if _, now, err := readManifest(ctx, w); err == nil && now != tag {
			return nil, fmt.Errorf("%s: %w", manifestName, store.ErrConflict) // another writes them
		}
		return nil, &ForeignError{errors.Join(foreign...)}
	}
	old := m.without(p)
	next := p.manifest()
	for _, name := range old {
		next.files[name] = m.files[name]
	}
	if len(fresh)+len(changed)+len(pointers) > 0 {
		if tag, err = putManifest(ctx, w, next.pending(m, slices.Concat(fresh, changed, pointers)), tag); err != nil {
			return nil, err
		}
		for _, files := range [][]*hosting.File{fresh, changed, pointers} {
			if err := w.put(ctx, files); err != nil {
				return nil, err
			}
		}
	}
	r.Old, r.deleting = append(r.Old, old...), o.Delete
	switch {
	case o.Delete && p.bad && len(old) > 0: // they may be the last whole copy
		if o.Report != nil {
			o.Report("%s: nothing is removed while a release of the store is not served", w)
		}
	case o.Delete:
		if r.Removed, r.Old, err = removeOld(ctx, w, m, old); err != nil {
			return nil, err
		}
		for _, name := range r.Removed {
			delete(next.files, name)
		}
	}
	if r.Written = !next.equal(m); r.Written {
		if _, err = putManifest(ctx, w, next, tag); err != nil {
			return nil, err
		}
	}
	return r, nil
}

// A ForeignError says that files or links have names of the site, and were not written for it.
type ForeignError struct{ Err error }

func (e *ForeignError) Error() string { return e.Err.Error() }
func (e *ForeignError) Unwrap() error { return e.Err }

// removeOld removes files that still are as they were written.
func removeOld(ctx context.Context, w writablePlace, m *manifest, names []string) (removed, kept []string, err error) {
	removed, kept = []string{}, []string{}
	for _, name := range names {
		data, _, err := w.get(ctx, name, maxFile)
		switch {
		case errors.Is(err, store.ErrNotFound), err == nil && m.files[name].wrote(data):
			removed = append(removed, name)
		case err == nil, errors.Is(err, errNotRegular):
			kept = append(kept, name)
		default:
			return nil, nil, err
		}
	}
	return removed, kept, w.remove(ctx, removed)
}

// Check compares a site with what the source has now.
func Check(ctx context.Context, at Place, o Options) (*Report, error) {
	p, err := newPlan(ctx, o, at)
	if err != nil {
		return nil, err
	}
	wanted := p.files
	if _, ok := at.(*webServer); ok {
		wanted = append(wanted, p.aliases...)
	}
	states := make([]state, len(wanted))
	err = each(ctx, len(wanted), func(i int) (err error) {
		states[i], err = p.compare(ctx, at, wanted[i])
		return err
	})
	if err != nil {
		return nil, err
	}
	r := p.report(at)
	r.Checked, r.Files, r.Old = true, len(wanted), append(r.Old, p.before.without(p)...)
	for i, f := range wanted {
		r.add(f.Name, states[i])
	}
	return r, nil
}

// compare compares a file with what a place has.
func (p *plan) compare(ctx context.Context, at Place, f *hosting.File) (state, error) {
	data, _, err := at.get(ctx, f.Name, maxFile)
	switch {
	case errors.Is(err, store.ErrNotFound):
		return missing, nil
	case errors.Is(err, errNotRegular):
		return differs, nil
	case err != nil:
		return missing, err
	case hosting.Digest(data) == f.SHA256, f.Name == indexName && p.indexAsOf(data) != nil:
		return same, nil
	}
	return differs, nil
}

// requests are made at a time to a place that is far away.
const requests = 8

// each calls do with the numbers below n, some at a time, until one fails, and returns that error.
func each(ctx context.Context, n int, do func(int) error) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	slots := make(chan struct{}, requests)
	var group sync.WaitGroup
	for i := range n {
		slots <- struct{}{}
		if ctx.Err() != nil {
			break
		}
		group.Go(func() {
			if err := do(i); err != nil {
				cancel(err)
			}
			<-slots
		})
	}
	group.Wait()
	return context.Cause(ctx)
}

// indexName is the index of what there is.
const indexName = "index.json"

// pointer reports whether what has the name changes when a bundle does, and devices ask for it.
func pointer(f *hosting.File) bool {
	for _, prefix := range []string{"pages/", "sha256/", "security/pki/trs/archive/"} {
		if strings.HasPrefix(f.Name, prefix) {
			return false
		}
	}
	return true
}

// contents makes a file, which has to be the one that was planned.
func contents(ctx context.Context, f *hosting.File) ([]byte, error) {
	data, err := f.Data(ctx)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", f.Name, err)
	}
	if hosting.Digest(data) != f.SHA256 {
		return nil, fmt.Errorf("%s: it is not the same when it is made once more", f.Name)
	}
	return data, nil
}

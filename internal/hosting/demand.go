package hosting

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/bundle"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// A demander reads, verifies and makes what catalogs do not hold, when it is asked for.
type demander struct {
	*Options
	shelf *shelf

	lock   sync.Mutex
	failed map[shelfKey]error // of releases: why the last demand of them failed
}

// maxFailed is how many failures of demands are remembered, and listed by /readyz.
const maxFailed = 100

// A BadReleaseError says why a release that the history names is not served: it is gone, damaged or not verified.
// Any other error of a demand may be over the next time.
type BadReleaseError struct{ Err error }

func (e *BadReleaseError) Error() string { return e.Err.Error() }
func (e *BadReleaseError) Unwrap() error { return e.Err }

// lasts is how long the error of a demand counts before it is asked for anew.
func lasts(err error) time.Duration {
	if _, bad := errors.AsType[*BadReleaseError](err); bad {
		return recheck
	}
	if errors.Is(err, errBusy) {
		return 0
	}
	return time.Second
}

// Open gives a release of an entry with its bytes: the current one, which is at hand, or an older one, which is read
// from its source and verified unless that was done lately.
func (c *Catalog) Open(ctx context.Context, e *Entry, r *Record) (*Release, error) {
	return hold(c.demander.open(ctx, e, r, false))
}

// Bundle is as Open, and parses the release unless that was done lately.
func (c *Catalog) Bundle(ctx context.Context, e *Entry, r *Record) (*bundle.Bundle, error) {
	return Derive(ctx, c, e, r, "parsed", func(b *bundle.Bundle) (*bundle.Bundle, int64, error) { return b, e.parsedSize(r), nil })
}

// Derive gives what create makes of a release that is parsed, unless that was done lately: it is kept with all else that is
// made on demand. what names it, and what it depends on beside the release. create also says how many bytes it has.
func Derive[T any](ctx context.Context, c *Catalog, e *Entry, r *Record, what string, create func(*bundle.Bundle) (T, int64, error)) (T, error) {
	d := c.demander
	return hold(demand(ctx, d, key(e, r, what), d.shelf.making, e.parsedSize(r), false, func(ctx context.Context) (v T, size int64, err error) {
		b, err := d.parse(ctx, e, r)
		if err != nil {
			return v, 0, err
		}
		return create(b)
	}))
}

// parsedSize is about how many bytes a release takes when it is parsed. The file of an older one counts too, as what was
// parsed from it refers to it; that of the current one is kept anyway.
func (e *Entry) parsedSize(r *Record) int64 {
	size := r.Certificates * parsedCertificate
	if r != &e.Current.Record {
		size += r.Size
	}
	return int64(size)
}

// parsedCertificate is how many bytes a certificate takes when it is parsed, beside its own.
const parsedCertificate = 750

// hold gives what a demand gave, and lets go of it: it is not counted any more when it is let go from the shelf. It is
// for what is used at once, not for as long as a client likes.
func hold[T any](v T, done func(), err error) (T, error) {
	done()
	return v, err
}

// demand gives what has a key from the shelf, where create puts it if it is not there. It is held until done is called; slots
// and room are as for shelf.get.
func demand[T any](ctx context.Context, d *demander, k shelfKey, slots chan struct{}, expected int64, room bool, create func(context.Context) (T, int64, error)) (v T, done func(), err error) {
	t, err := d.shelf.get(ctx, k, slots, expected, room, d.Now(), func(ctx context.Context) (any, int64, error) { return create(ctx) })
	if err != nil {
		return v, func() {}, err
	}
	return t.value.(T), func() { d.shelf.put(t) }, nil
}

func key(e *Entry, r *Record, what string) shelfKey {
	return shelfKey{e.Name, r.SHA256, r.Modified.Unix(), what}
}

// open gives a release that is held until done is called; room is as for shelf.get.
func (d *demander) open(ctx context.Context, e *Entry, r *Record, room bool) (release *Release, done func(), err error) {
	if r == &e.Current.Record {
		return e.Current, func() {}, nil
	}
	k := key(e, r, "release")
	size := int64(r.Size) + releaseOverhead
	return demand(ctx, d, k, d.shelf.reading, size, room, func(ctx context.Context) (*Release, int64, error) {
		release, err := d.read(ctx, r)
		d.note(k, r, err)
		return release, size, err
	})
}

// releaseOverhead is about how many bytes a release takes beside its own: the report on its signature.
const releaseOverhead = 8 << 10

// read reads and verifies what a source has of a release.
func (d *demander) read(ctx context.Context, r *Record) (*Release, error) {
	bad := func(err error) (*Release, error) {
		return nil, &BadReleaseError{fmt.Errorf("%s: %w", r.source.origin(), err)}
	}
	raw, _, err := r.source.read(ctx)
	switch _, damaged := errors.AsType[*store.DamagedError](err); {
	case damaged || errors.Is(err, fs.ErrNotExist):
		return bad(err)
	case err != nil:
		return nil, fmt.Errorf("%s: %w", r.source.origin(), err)
	case Digest(raw) != r.SHA256:
		return bad(fmt.Errorf("its SHA-256 is %s, not %s", Digest(raw), r.SHA256))
	}
	release, err := d.release(raw, r.source, r.Modified.Time, d.Now())
	if err == nil {
		err = r.matches(&release.Record)
	}
	if err != nil {
		return bad(err)
	}
	return release, nil
}

// matches returns an error unless a release is what the record says of it: what the list of releases and their paths
// say of it must be what was signed.
func (r *Record) matches(verified *Record) error {
	differs := func(what, recorded, signed string) error {
		return fmt.Errorf("the history says that its %s is %q, and it is %q", what, report.Printable(recorded), report.Printable(signed))
	}
	switch {
	case r.SHA256 != verified.SHA256:
		return errors.New("it is text around DER: publish it again")
	case r.SignedName != verified.SignedName:
		return differs("signed name", r.SignedName, verified.SignedName)
	case r.Version != verified.Version:
		return differs("version", r.Version, verified.Version)
	case r.Certificates != verified.Certificates:
		return fmt.Errorf("the history says that it has %d certificates, and it has %d", r.Certificates, verified.Certificates)
	case r.SigningTime.Valid != verified.SigningTime.Valid || r.SigningTime.Valid && !r.SigningTime.Equal(verified.SigningTime.Time):
		return differs("signing time", r.SigningTime.String(), verified.SigningTime.String())
	}
	return nil
}

// parse parses a release. The result is not kept.
func (d *demander) parse(ctx context.Context, e *Entry, r *Record) (*bundle.Bundle, error) {
	release, done, err := d.open(ctx, e, r, false)
	defer done()
	if err != nil {
		return nil, err
	}
	return d.Limits.Parse(release.Raw)
}

// note remembers how the demand of a release went, and says it if that is new.
func (d *demander) note(k shelfKey, r *Record, err error) {
	d.lock.Lock()
	before, failed := d.failed[k]
	switch {
	case err == nil:
		delete(d.failed, k)
	case failed || len(d.failed) < maxFailed:
		d.failed[k] = err
	}
	d.lock.Unlock()
	switch {
	case err != nil && (!failed || before.Error() != err.Error()):
		d.Report("%s: archive: %v; it is not served", k.bundle, err)
	case err == nil && failed:
		d.Report("%s: archive: %s is good again", k.bundle, r.source.origin())
	}
}

// failures are those of releases that a catalog has.
func (d *demander) failures(c *Catalog) []Failure {
	d.lock.Lock()
	defer d.lock.Unlock()
	var all []Failure
	for k, err := range d.failed {
		e := c.Lookup(k.bundle)
		if e == nil || !slices.ContainsFunc(slices.Collect(e.Records()), func(r *Record) bool { return key(e, r, k.what) == k }) {
			delete(d.failed, k)
			continue
		}
		all = append(all, Failure{k.bundle, fmt.Errorf("archive: %w", err)})
	}
	slices.SortFunc(all, func(a, b Failure) int { return strings.Compare(a.Error(), b.Error()) })
	return all
}

package hosting

import (
	"context"
	"errors"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/feed"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// Store is a store of published bundles. What it says of them is not believed.
func Store(s *store.Store) Source { return &published{store: s, known: map[string]offer{}} }

type published struct {
	store *store.Store

	lock  sync.Mutex
	known map[string]offer // by name
}

func (p *published) offers(ctx context.Context, only string) ([]offer, error) {
	names := []string{only}
	if only == "" {
		var err error
		if names, err = p.store.Names(ctx); err != nil {
			return nil, err
		}
	}
	out := make([]offer, len(names))
	each(len(names), func(i int) { out[i] = p.offer(ctx, names[i]) })
	if only != "" && errors.Is(out[0].err, store.ErrNotFound) {
		return nil, nil
	}
	return out, nil
}

// offer makes an offer of a name's history, and gives the one before if that has not changed.
func (p *published) offer(ctx context.Context, name string) offer {
	if err := checkName(name); err != nil {
		return offer{name: name, err: err}
	}
	p.lock.Lock()
	before := p.known[name]
	p.lock.Unlock()
	state, tag, err := p.store.StateSince(ctx, name, before.tag)
	switch {
	case err != nil:
		return offer{name: name, err: err}
	case state == nil:
		return before
	}
	o := p.read(name, state)
	o.tag = tag
	p.lock.Lock()
	p.known[name] = o
	p.lock.Unlock()
	return o
}

func (p *published) read(name string, state *store.State) offer {
	history := state.Releases
	current := p.record(state.Current())
	// What is current is read each time if that costs little: damage to it is to be known before the next start
	// finds it.
	_, near := p.store.Backend().(*store.Dir)
	o := offer{name: name, current: item{reader: current.source, sha256: current.SHA256, modified: current.Modified.Time, far: !near}}
	known := map[string]bool{current.SHA256: true}
	for _, r := range slices.Backward(history) {
		if known[r.SHA256] { // a rollback publishes the same bytes again
			continue
		}
		if len(o.archive) == maxArchived {
			break
		}
		known[r.SHA256] = true
		record := p.record(&r)
		if record.SignedName == current.SignedName { // once in memory is enough
			record.SignedName = current.SignedName
		}
		o.archive = append(o.archive, record)
	}
	for i := range state.Archived {
		r := &state.Archived[i]
		if known[r.SHA256] {
			continue
		}
		known[r.SHA256] = true
		record := p.record(r)
		record.SignedName = current.SignedName // which is that of all of them
		if r.SigningTime != nil {              // it was never published here
			record.Modified.Time = r.SigningTime.UTC().Truncate(time.Second)
		}
		at := slices.IndexFunc(o.archive, func(older *Record) bool {
			order, err := bundle.CompareVersions(older.Version, r.Version)
			return err == nil && order < 0
		})
		if at < 0 {
			at = len(o.archive)
		}
		o.archive = slices.Insert(o.archive, at, record)
	}
	o.archive = o.archive[:min(len(o.archive), maxArchived)]
	o.advice = state.Feed
	o.readAdvice = func(ctx context.Context, a *store.Advice) ([]feed.File, error) { return p.store.ReadFeed(ctx, name, a) }
	return o
}

// record is what the history says of a release.
func (p *published) record(r *store.Release) *Record {
	record := &Record{
		SHA256: r.SHA256, Size: int(r.Size), SignedName: r.SignedName, Version: r.Version,
		Modified: report.Moment{Time: r.Published.UTC().Truncate(time.Second)}, Certificates: r.Certificates,
	}
	if r.SigningTime != nil {
		record.SigningTime = certificate.Time{Time: r.SigningTime.UTC(), Valid: true}
	}
	record.source = &archived{p.store, r.Name, record}
	return record
}

// archived is the reader of a release.
type archived struct {
	store  *store.Store
	name   string
	record *Record
}

func (a *archived) contents() *store.Contents {
	return &store.Contents{SHA256: a.record.SHA256, Size: int64(a.record.Size), Version: a.record.Version}
}

func (a *archived) origin() string {
	return a.store.String() + ": " + a.name + "/" + a.contents().Dir()
}

func (a *archived) read(ctx context.Context) ([]byte, time.Time, error) {
	data, err := a.store.ReadContents(ctx, a.name, a.contents())
	return data, a.record.Modified.Time, err
}

func (p *published) mirrored(ctx context.Context) (map[string]time.Time, error) {
	return p.store.Mirrored(ctx)
}

func (p *published) directories() []string {
	dir, ok := p.store.Backend().(*store.Dir)
	if !ok {
		return nil
	}
	return []string{dir.Path(), filepath.Join(dir.Path(), store.CurrentDir)}
}

// about: a publication makes files in the store's directory and removes them, and then names the release that is
// current.
func (p *published) about(path string) (string, bool) {
	dir, base := filepath.Split(path)
	if filepath.Base(dir) == store.CurrentDir {
		return base, checkName(base) == nil
	}
	return "", !strings.HasPrefix(base, store.HiddenPrefix)
}

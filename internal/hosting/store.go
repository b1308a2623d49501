package hosting

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"time"

	"trustpool/internal/store"
)

// Store is a store of published bundles. What it says of them is not believed.
func Store(s *store.Store) Source { return published{s} }

type published struct{ store *store.Store }

func (p published) offers(ctx context.Context) ([]offer, error) {
	names, err := p.store.Names(ctx)
	if err != nil {
		return nil, err
	}
	_, near := p.store.Backend().(*store.Dir)
	var out []offer
	for _, name := range names {
		o := offer{name: name, err: checkName(name)}
		var history []store.Release
		if o.err == nil {
			history, o.err = p.store.History(ctx, name)
		}
		seen := map[string]bool{}
		for _, r := range slices.Backward(history) {
			if seen[r.SHA256] { // a rollback publishes the same bytes again
				continue
			}
			seen[r.SHA256] = true
			if i := p.item(r); len(seen) == 1 {
				// What is current is read each time if that costs little: damage to
				// it is to be known before the next start finds it.
				i.far = !near
				o.current = i
			} else {
				o.archive = append(o.archive, i)
			}
		}
		if o.err == nil && len(history) == 0 {
			o.err = fmt.Errorf("%s: its history is empty", p.store)
		}
		out = append(out, o)
	}
	return out, nil
}

func (p published) item(r store.Release) item {
	return item{
		origin: p.store.String() + ": " + r.Name + "/" + r.Dir(), sha256: r.SHA256, modified: r.Published, far: true,
		read: func(ctx context.Context) ([]byte, time.Time, error) {
			data, err := p.store.Read(ctx, r)
			return data, r.Published, err
		},
	}
}

func (p published) directories() []string {
	dir, ok := p.store.Backend().(*store.Dir)
	if !ok {
		return nil
	}
	return []string{dir.Path(), filepath.Join(dir.Path(), "current")}
}

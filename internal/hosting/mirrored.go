package hosting

import (
	"context"
	"errors"
	"maps"
	"time"
)

// A mirrorSource is a source in which mirrors leave when they last succeeded: a store. Files and directories are no such
// source, and nothing is known of who keeps them.
type mirrorSource interface {
	mirrored(ctx context.Context) (map[string]time.Time, error)
}

func (p *published) mirrored(ctx context.Context) (map[string]time.Time, error) {
	return p.store.Mirrored(ctx)
}

func (j joined) mirrored(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	var errs []error
	for _, s := range j {
		if m, ok := s.(mirrorSource); ok {
			found, err := m.mirrored(ctx)
			errs = append(errs, err)
			maps.Copy(out, found)
		}
	}
	return out, errors.Join(errs...)
}

// mirrored asks the source.
func (s *Server) mirrored(ctx context.Context) (map[string]time.Time, error) {
	m, ok := s.o.Source.(mirrorSource)
	if !ok {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, loadTimeout)
	defer cancel()
	return m.mirrored(ctx)
}

// Mirrored says when the mirror of a bundle last succeeded: what its source has is current here. It is false if no mirror
// is known to keep it, as for a file or a store that people publish into.
func (s *Server) Mirrored(name string) (time.Time, bool) {
	at, ok := s.state.Load().mirrored[name]
	return at, ok
}

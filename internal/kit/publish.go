package kit

import (
	"context"
	"errors"
	"fmt"

	"trustpool/internal/store"
)

// Publish makes each bundle of a kit the current release of its name in a store,
// if the store's gate lets all of them pass: it is asked about each before the
// first is published. A bundle that is current already passes. o.Name must be
// empty; o.From is what the kit is called.
//
// It gives what became of each bundle, in the order of k.Bundles. Where the gate
// refuses one the error is its *store.RefusedError, what is given ends with that
// one, and nothing is published; another publisher's work meanwhile, or a store
// that fails, may leave some of them published and not others, which is then what
// is given.
func (k *Kit) Publish(ctx context.Context, s *store.Store, o store.PublishOptions) ([]*store.Publication, error) {
	dry := o
	dry.DryRun = true
	done, err := k.publish(ctx, s, dry)
	if err != nil || o.DryRun {
		return done, err
	}
	return k.publish(ctx, s, o)
}

func (k *Kit) publish(ctx context.Context, s *store.Store, o store.PublishOptions) (done []*store.Publication, err error) {
	kit := o.From
	for _, b := range k.Bundles {
		o.From = kit + "/" + b.File
		p, err := s.Publish(ctx, b.Bundle.Raw, o)
		if refused, ok := errors.AsType[*store.RefusedError](err); ok && refused.Unchanged() {
			err = nil
		}
		if p != nil {
			done = append(done, p)
		}
		switch {
		case err == nil:
		case len(done) > 0 && p == nil && !o.DryRun:
			return done, fmt.Errorf("%s: %w; %d of the kit's bundles are published, this one and those after it are not", b.File, err, len(done))
		default:
			return done, fmt.Errorf("%s: %w", b.File, err)
		}
	}
	return done, nil
}

package store

import (
	"context"
	"errors"
	"fmt"
	"strings"
)

// minHashPrefix is how many digits of a SHA-256 name a release.
const minHashPrefix = 8

// Rollback publishes an earlier release of a name again: to is its version, or at
// least 8 digits of its SHA-256; empty means the one before what is current
// was first published. It is a publication like any other, verified
// anew; the gates that an older bundle cannot pass are allowed, and recorded. Of o
// it takes Anchors, At, Now, DryRun and Limits.
func (s *Store) Rollback(ctx context.Context, name, to string, o PublishOptions) (*Publication, error) {
	state, _, err := s.StateSince(ctx, name, "")
	if err != nil {
		return nil, err
	}
	target, err := find(state.Releases, to)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	o.Name, o.Kind, o.From = name, RolledBack, ""
	o.Allow = []Gate{GateOtherName, GateNoVersion, GateOlder, GateSameVersion, GateWithdrawn, GateFewer, GateUndecodable}
	if o, err = o.withDefaults(); err != nil {
		return nil, err
	}
	data, err := s.Read(ctx, *target)
	if err != nil {
		return nil, err
	}
	b, err := o.Limits.Parse(data)
	if err != nil {
		return nil, err
	}
	return s.publish(ctx, b, o)
}

// find looks for the release to go back to.
func find(history []Release, to string) (*Release, error) {
	current := &history[len(history)-1]
	if to == "" {
		for i := range history {
			if !history[i].same(&current.Contents) {
				continue
			}
			if i == 0 {
				return nil, errors.New("nothing was published before what is current; --to names another release")
			}
			return &history[i-1], nil
		}
	}
	matches := func(match func(*Release) bool) (found *Release, several bool) {
		for i := range history {
			if r := &history[i]; match(r) {
				several = several || found != nil && found.SHA256 != r.SHA256
				found = r
			}
		}
		return found, several
	}
	found, several := matches(func(r *Release) bool { return r.Version == to })
	if found == nil && len(to) >= minHashPrefix {
		found, several = matches(func(r *Release) bool { return strings.HasPrefix(r.SHA256, strings.ToLower(to)) })
	}
	switch {
	case found == nil:
		return nil, fmt.Errorf("%q is neither the version nor at least %d digits of the SHA-256 of a release: %w", to, minHashPrefix, ErrNotFound)
	case several:
		return nil, fmt.Errorf("several releases are called %q: give digits of the SHA-256", to)
	}
	return found, nil
}

package store

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/internal/report"
)

// mirrorPrefix is where mirrors leave when they last succeeded. It is advice for who watches them, and not a part of
// what is published.
const mirrorPrefix = "mirror/"

// maxMark is how many bytes of a mark are read.
const maxMark = 64 << 10

// markSchema is the schema of a mark.
const markSchema = "trustpool.mirror-mark/1"

// A mark says when a mirror last succeeded.
type mark struct {
	Schema string    `json:"schema"`
	Name   string    `json:"name"`
	At     time.Time `json:"at"`
	From   string    `json:"from"` // the URL, without user and query
}

// succeeded reports whether a mirroring did what a mirror is for: what the source has is current, or a rollback decided
// against it.
func succeeded(err error) bool {
	refused, ok := errors.AsType[*RefusedError](err)
	if !ok {
		return err == nil
	}
	return !slices.ContainsFunc(refused.Publication.Refusals, func(r Refusal) bool { return r.Gate != GateUnchanged && r.Gate != GateWithdrawn })
}

// markMirrored leaves that a mirror succeeded.
func (s *Store) markMirrored(ctx context.Context, name, from string, at time.Time) error {
	data, err := report.JSON(mark{markSchema, name, at.UTC().Truncate(time.Second), from})
	if err != nil {
		return err
	}
	if _, err := s.backend.Put(ctx, mirrorPrefix+name, data, Condition{}); err != nil {
		return fmt.Errorf("%s: that the mirror succeeded could not be left there: %w", s, err)
	}
	return nil
}

// Mirrored says of each name that a mirror keeps when it last succeeded. With an error it says it of those whose mark
// could be read.
func (s *Store) Mirrored(ctx context.Context) (map[string]time.Time, error) {
	keys, err := s.backend.List(ctx, mirrorPrefix)
	if err != nil {
		return nil, err
	}
	out := map[string]time.Time{}
	var errs []error
	for _, key := range keys {
		name := strings.TrimPrefix(key, mirrorPrefix)
		if CheckName(name) != nil { // what else is there is not ours
			continue
		}
		data, _, err := s.backend.Get(ctx, key, maxMark)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		var m mark
		if err := json.Unmarshal(data, &m); err != nil || m.Schema != markSchema || m.Name != name || m.At.IsZero() {
			errs = append(errs, &DamagedError{key, errors.New("it does not say when a mirror succeeded")})
			continue
		}
		out[name] = m.At
	}
	return out, errors.Join(errs...)
}

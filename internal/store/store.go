// Package store keeps published bundles: every version that ever was, and which
// one is current.
//
// A store is a directory or a bucket of objects:
//
//	current/NAME                           which release is current, and the history
//	archive/NAME/VERSION-HASH/NAME.p7b     the bytes of one version, as they came
//	                          release.json what was verified of them
//	                          …            hashes, change and list as Cisco publishes them
//	                          feed-….json  what was mirrored beside it: advice that nothing signs
//	mirror/NAME                            when a mirror of NAME last succeeded
//
// The archive is immutable. current/NAME is written last, whole, and only if it
// is still what the gate looked at: of two publishers one wins, and the other
// faces the gate again. Wherever a publication stops, the store has the old state
// or the new one; what is left in the archive harms nothing, and publishing the
// same file later succeeds.
//
// Publish is the gate. What is read from a store is what its last writer left
// there: who serves it verifies it again.
package store

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"trustpool/bundle"
)

// Limits.
const (
	MaxName    = 64       // bytes of a release's name
	maxHistory = 10_000   // publications of one name that are kept; older ones are forgotten, their bytes stay
	maxIndex   = 32 << 20 // bytes of current/NAME
	MaxBundle  = bundle.DefaultMaxBytes
)

// CurrentDir is the directory of a store that says which releases are current: when one of its files changes, there is
// something new under the name of that file. What begins with HiddenPrefix in the directory above is not part of the
// store: it locks it, or is temporary.
const (
	CurrentDir   = "current"
	HiddenPrefix = ".trustpool-"
)

// The parts of a store, as prefixes of keys.
const (
	currentPrefix = CurrentDir + "/"
	archivePrefix = "archive/"
)

// A Store is published bundles. It has no state but its backend's: any number of
// them may use one place.
type Store struct{ backend Backend }

// New makes a store of a place.
func New(b Backend) *Store { return &Store{b} }

// Backend is the place of the store.
func (s *Store) Backend() Backend { return s.backend }

func (s *Store) String() string { return s.backend.String() }

// CheckName refuses what cannot be the name of a release: it is [a-z0-9] and then
// [a-z0-9._-], at most MaxName bytes, and does not end in ".p7b", which is added
// where it is served.
func CheckName(name string) error {
	if name == "" || len(name) > MaxName || strings.HasSuffix(name, fileSuffix) || !plain(name) || strings.ContainsAny(name[:1], "._-") {
		return fmt.Errorf("%q cannot be a bundle's name in a store: that is a-z and 0-9, then also . _ and -, at most %d in all, without %s", name, MaxName, fileSuffix)
	}
	return nil
}

// plain reports whether text is of lower-case letters, digits, dots, underscores and hyphens.
func plain(s string) bool { return strings.Trim(s, "abcdefghijklmnopqrstuvwxyz0123456789._-") == "" }

// Names are the names that have a current release, in the order of their
// bytes.
func (s *Store) Names(ctx context.Context) ([]string, error) {
	keys, err := s.backend.List(ctx, currentPrefix)
	if err != nil {
		return nil, err
	}
	names := make([]string, 0, len(keys))
	for _, key := range keys {
		if name := strings.TrimPrefix(key, currentPrefix); CheckName(name) == nil { // what else lies there is not ours
			names = append(names, name)
		}
	}
	return names, nil
}

// Current is the release of a name that is to be served. The error is ErrNotFound
// if nothing was ever published under the name.
func (s *Store) Current(ctx context.Context, name string) (*Release, error) {
	state, _, err := s.StateSince(ctx, name, "")
	return state.Current(), err
}

// StateSince gives the state of a name and its tag. If that is still the one that is
// given, there is nothing new, and the state is nil. The error is ErrNotFound if
// nothing was ever published under the name.
func (s *Store) StateSince(ctx context.Context, name, tag string) (*State, string, error) {
	data, now, err := s.get(ctx, name)
	if err != nil || tag != "" && now == tag {
		return nil, now, err
	}
	state, err := parseIndex(data, name)
	if err != nil {
		return nil, now, &DamagedError{currentPrefix + name, err}
	}
	return state, now, nil
}

func (s *Store) get(ctx context.Context, name string) (data []byte, tag string, err error) {
	if err := CheckName(name); err != nil {
		return nil, "", err
	}
	data, tag, err = s.backend.Get(ctx, currentPrefix+name, maxIndex)
	if errors.Is(err, ErrNotFound) {
		return nil, "", fmt.Errorf("nothing was published as %s: %w", name, ErrNotFound)
	}
	return data, tag, err
}

// change makes change of the state of a name, and again if somebody else wrote meanwhile, unless it
// reports that there is nothing to write.
func (s *Store) change(ctx context.Context, name string, change func(*State) (write bool, err error)) error {
	for try := 1; ; try++ {
		state, tag, err := s.StateSince(ctx, name, "")
		if err != nil {
			return err
		}
		if write, err := change(state); err != nil || !write {
			return err
		}
		if err = s.point(ctx, state, Condition{Tag: tag}); !errors.Is(err, ErrConflict) || try == maxTries {
			return err
		}
	}
}

// Read gives the exact bytes of a release. Where those in the store have another
// SHA-256 the error is a *DamagedError, and ErrNotFound if there are none.
func (s *Store) Read(ctx context.Context, r Release) ([]byte, error) {
	if err := r.check(); err != nil {
		return nil, err
	}
	return s.ReadContents(ctx, r.Name, &r.Contents)
}

// ReadContents is as Read, of a release of a name of which SHA256, Size and Version are known.
func (s *Store) ReadContents(ctx context.Context, name string, c *Contents) ([]byte, error) {
	return s.whole(ctx, c.key(name, name+fileSuffix), c.Size, c.SHA256)
}

// whole reads an object with a known size and SHA-256.
func (s *Store) whole(ctx context.Context, key string, size int64, sum string) ([]byte, error) {
	data, _, err := s.backend.Get(ctx, key, size)
	if err != nil {
		return nil, err
	}
	if got := tagOf(data); got != sum {
		return nil, &DamagedError{key, fmt.Errorf("its SHA-256 is %s, not %s", got, sum)}
	}
	return data, nil
}

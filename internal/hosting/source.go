package hosting

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"trustpool/internal/feed"
	"trustpool/internal/store"
)

// A Source is where bundles are found. What it offers is verified by who asks.
type Source interface {
	// offers says what is there under each name, or only under the one that is
	// given. An error says that the source as a whole cannot be read.
	offers(ctx context.Context, only string) ([]offer, error)
	// directories are those of the system whose changes say that there may be
	// something new; none if only asking helps.
	directories() []string
	// about says of which name something may be new when a file in one of the
	// directories has changed: empty if that may be any, false if it is none.
	about(path string) (name string, ok bool)
	// mirrored says when mirrors of a name last succeeded, as they leave it in a store. Of
	// files and directories nothing is known of who keeps them.
	mirrored(ctx context.Context) (map[string]time.Time, error)
}

// An offer is what a source has under a name.
type offer struct {
	name    string
	err     error // why there is nothing to be had
	current item  // if err is nil
	archive []*Record
	tag     string // of the history of which it was made

	advice     *store.Advice // what was mirrored beside it; nil for nothing
	readAdvice func(context.Context, *store.Advice) ([]feed.File, error)
}

// An item is what is current, as yet unverified.
type item struct {
	reader
	sha256   string    // as the source says, empty if only the bytes tell
	modified time.Time // likewise zero
	far      bool      // to read it costs: if it is known by its hash, do not
}

// A reader reads one version.
type reader interface {
	origin() string // where it lies, for messages
	read(context.Context) ([]byte, time.Time, error)
}

// Files are single files, each served under its name without .p7b. No two may have
// the same.
func Files(paths ...string) (Source, error) {
	names := map[string]string{}
	for _, path := range paths {
		name := nameOf(path)
		if err := checkName(name); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if other, ok := names[name]; ok {
			return nil, fmt.Errorf("%s and %s would both be served as %s%s", other, path, name, extension)
		}
		names[name] = path
	}
	var dirs []string
	for _, path := range paths {
		dirs = append(dirs, filepath.Dir(path))
	}
	slices.Sort(dirs)
	return &local{
		dirs:  slices.Compact(dirs),
		list:  func() ([]string, error) { return paths, nil },
		named: func(path string) bool { return slices.Contains(paths, path) },
	}, nil
}

// Directory is a directory of .p7b files. Hidden ones do not count.
func Directory(path string) Source {
	served := func(path string) bool {
		base := filepath.Base(path)
		return !strings.HasPrefix(base, ".") && strings.HasSuffix(base, extension)
	}
	list := func() (paths []string, err error) {
		entries, err := os.ReadDir(path)
		for _, e := range entries {
			if served(e.Name()) {
				paths = append(paths, filepath.Join(path, e.Name()))
			}
		}
		if err == nil && len(paths) == 0 {
			err = fmt.Errorf("%s: no file there ends in %s", path, extension)
		}
		return paths, err
	}
	return &local{dirs: []string{path}, list: list, named: served}
}

func nameOf(path string) string { return strings.TrimSuffix(filepath.Base(path), extension) }

// local is files of the system.
type local struct {
	dirs  []string
	list  func() ([]string, error)
	named func(path string) bool // whether a file in dirs is served under its own name
}

func (l *local) offers(_ context.Context, only string) (out []offer, err error) {
	paths, err := l.list()
	if err != nil {
		return nil, err
	}
	for _, path := range paths {
		if name := nameOf(path); only == "" || name == only {
			out = append(out, offer{name: name, err: checkName(name), current: item{reader: file(path)}})
		}
	}
	return out, nil
}

func (l *local) directories() []string { return l.dirs }

func (l *local) about(path string) (string, bool) {
	if l.named(path) {
		return nameOf(path), true
	}
	return "", true // a file that links lead to may have changed, or a link to all there
}

func (l *local) mirrored(context.Context) (map[string]time.Time, error) { return nil, nil }

// origin is where what is current lies; empty if that is not known.
func (o offer) origin() string {
	if o.current.reader == nil {
		return o.name
	}
	return o.current.origin()
}

// A file is a reader.
type file string

func (f file) origin() string { return string(f) }

func (f file) read(context.Context) ([]byte, time.Time, error) { return readFile(string(f)) }

// readFile reads a regular file and says when it was changed.
func readFile(path string) ([]byte, time.Time, error) {
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0) // a FIFO would wait for who writes to it
	if err != nil {
		return nil, time.Time{}, err
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return nil, time.Time{}, err
	}
	if !info.Mode().IsRegular() {
		return nil, time.Time{}, fmt.Errorf("%s: not a regular file", path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxBundleBytes+1))
	if err != nil {
		return nil, time.Time{}, err
	}
	if len(data) > maxBundleBytes {
		return nil, time.Time{}, fmt.Errorf("%s: more than %d bytes, which is the limit", path, maxBundleBytes)
	}
	return slices.Clip(data), info.ModTime(), nil
}

// Join makes one source of several.
func Join(sources ...Source) Source { return joined(sources) }

type joined []Source

func (j joined) offers(ctx context.Context, only string) ([]offer, error) {
	var out []offer
	var errs []error
	seen := map[string]bool{}
	for _, s := range j {
		offers, err := s.offers(ctx, only)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		for _, o := range offers {
			if seen[o.name] {
				errs = append(errs, fmt.Errorf("%s would be served as %s%s, which another is already", o.origin(), o.name, extension))
				continue
			}
			seen[o.name] = true
			out = append(out, o)
		}
	}
	// What one source has is good even if another is away: the caller keeps what
	// it had of that one.
	return out, errors.Join(errs...)
}

func (j joined) directories() []string {
	var dirs []string
	for _, s := range j {
		dirs = append(dirs, s.directories()...)
	}
	return dirs
}

func (j joined) about(path string) (string, bool) {
	name, ok := "", false
	for _, s := range j {
		n, concerns := s.about(path)
		if !concerns || !slices.Contains(s.directories(), filepath.Dir(path)) {
			continue
		}
		if ok && n != name {
			return "", true
		}
		name, ok = n, true
	}
	return name, ok
}

func (j joined) mirrored(ctx context.Context) (map[string]time.Time, error) {
	out := map[string]time.Time{}
	var errs []error
	for _, s := range j {
		found, err := s.mirrored(ctx)
		errs = append(errs, err)
		maps.Copy(out, found)
	}
	return out, errors.Join(errs...)
}

package recipe

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// ReadFile reads and parses the recipe at a path.
func ReadFile(path string) (*Recipe, error) {
	data, err := fetch.ReadAtMost(path, MaxSize)
	if err != nil {
		return nil, err
	}
	r, err := Parse(data)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return r, nil
}

// Locate returns the path of a file that a recipe names: relative to dir, where the recipe is. A URL stays as it is.
func Locate(dir, name string) string {
	if fetch.IsURL(name) || filepath.IsAbs(name) {
		return name
	}
	if name = filepath.Join(dir, name); name == "-" { // a file of that name: a recipe reads no standard input
		return "." + string(filepath.Separator) + name
	}
	return name
}

// OpenIn returns what BuildOptions.Open needs, for a recipe in dir. read gives the files of one path or URL.
func OpenIn(dir string, read func(ctx context.Context, path string) ([]File, error)) func(ctx context.Context, name string) ([]File, error) {
	return func(ctx context.Context, name string) ([]File, error) {
		paths, err := expand(dir, name)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		var out []File
		for _, path := range paths {
			files, err := read(ctx, path)
			if err != nil {
				return nil, err
			}
			out = append(out, files...)
		}
		return out, nil
	}
}

// expand returns the paths that match a pattern, in byte order; of what is not a pattern its path.
func expand(dir, name string) ([]string, error) {
	path := Locate(dir, name)
	if !strings.ContainsAny(name, "*?[") || fetch.IsURL(name) {
		return []string{path}, nil
	}
	if _, err := os.Lstat(path); err == nil { // a file with such a name
		return []string{path}, nil
	}
	pattern := name
	if !filepath.IsAbs(name) {
		pattern = filepath.Join(literal(dir), name)
	}
	matches, err := filepath.Glob(pattern)
	if err != nil || hidden(name) {
		return matches, err
	}
	var out []string
	for _, path := range matches {
		if !hidden(path) { // as the shell has it, and as in a directory
			out = append(out, path)
		}
	}
	return out, nil
}

func hidden(path string) bool { return strings.HasPrefix(filepath.Base(path), ".") }

// literal makes a pattern of a path that matches it and nothing else.
func literal(path string) string {
	if os.PathSeparator == '\\' { // patterns have no escapes there
		return path
	}
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(path)
}

// A Placement is a product and where it goes: the outputs to Dir, the lock beside the recipe.
type Placement struct {
	*Product
	Dir, Recipe string
}

// LockPath is where the lock goes.
func (p *Placement) LockPath() string { return p.Recipe + ".lock" }

func (p *Placement) path(f File) string { return filepath.Join(p.Dir, f.Name) }

// Check refuses an output that would take the place of the recipe or of its lock.
func (p *Placement) Check() error {
	for _, f := range p.Files {
		for _, kept := range []string{p.Recipe, p.LockPath()} {
			if samePath(p.path(f), kept) {
				return fmt.Errorf("the output %s would take the place of %s", f.Name, kept)
			}
		}
	}
	return nil
}

func samePath(a, b string) bool {
	x, errX := os.Stat(a)
	y, errY := os.Stat(b)
	if errX == nil && errY == nil {
		return os.SameFile(x, y)
	}
	absA, _ := filepath.Abs(a)
	absB, _ := filepath.Abs(b)
	return absA == absB
}

// A DamagedLockError is about a lock that cannot be read.
type DamagedLockError struct {
	Path string
	Err  error
}

func (e *DamagedLockError) Error() string { return e.Path + ": " + e.Err.Error() }
func (e *DamagedLockError) Unwrap() error { return e.Err }

// LockDifferences says how the lock that is there differs from the one to write, a line each, safe to print.
func (p *Placement) LockDifferences() ([]string, error) {
	data, err := fetch.ReadAtMost(p.LockPath(), maxLockSize)
	if errors.Is(err, fs.ErrNotExist) {
		return []string{"there is no lock"}, nil
	}
	if err != nil {
		return nil, err
	}
	if same, err := report.JSON(p.Lock); err != nil || bytes.Equal(data, same) {
		return nil, err
	}
	old, err := ParseLock(data)
	if err != nil {
		return nil, &DamagedLockError{p.LockPath(), err}
	}
	return old.Differences(p.Lock), nil
}

// OutputDifferences says which outputs a build would change, a line each.
func (p *Placement) OutputDifferences() (out []string, err error) {
	for _, f := range p.Files {
		old, err := os.ReadFile(p.path(f))
		switch {
		case errors.Is(err, fs.ErrNotExist):
			out = append(out, p.path(f)+": missing")
		case err != nil:
			return nil, err
		case !bytes.Equal(old, f.Data):
			out = append(out, p.path(f)+": differs")
		}
	}
	return out, nil
}

// Write writes the outputs, and the lock if withLock says so: everything or nothing. Dir is made if it is missing.
func (p *Placement) Write(disk *durable.Disk, withLock bool) error {
	var files []durable.File
	for _, f := range p.Files {
		files = append(files, durable.File{Path: p.path(f), Data: f.Data})
	}
	if withLock {
		lock, err := report.JSON(p.Lock)
		if err != nil {
			return err
		}
		files = append(files, durable.File{Path: p.LockPath(), Data: lock})
	}
	_, missing := os.Stat(p.Dir)
	if err := os.MkdirAll(p.Dir, 0o755); err != nil {
		return err
	}
	err := disk.WriteAll(files, 0o644)
	if err != nil && missing != nil {
		_ = os.Remove(p.Dir) // which is empty
	}
	return err
}

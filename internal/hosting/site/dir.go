package site

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"syscall"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/store"
)

// A directory is a place of the local machine.
type directory struct {
	*store.Dir
	disk *durable.Disk
}

// OpenDir opens a site in a directory, which must be there. disk is what writes to it.
func OpenDir(path string, disk *durable.Disk) (Place, error) {
	d, err := store.OpenDir(path, disk)
	if err != nil {
		return nil, err
	}
	if store.IsStore(path) {
		return nil, fmt.Errorf("%s: a store; a site needs a directory of its own", path)
	}
	return &directory{d, disk}, nil
}

func (d *directory) get(ctx context.Context, name string, most int64) ([]byte, string, error) {
	data, tag, err := d.Get(ctx, name, most)
	if err == nil || errors.Is(err, store.ErrNotFound) {
		return data, tag, err
	}
	err = d.foreign(name, err)
	if fi, bad := os.Lstat(filepath.Join(d.Path(), filepath.FromSlash(name))); bad == nil && !fi.Mode().IsRegular() {
		err = fmt.Errorf("%w: %w", err, errNotRegular)
	}
	return nil, "", err
}

// foreign names the link that leads out of the directory, if that is why there was an error.
func (d *directory) foreign(name string, err error) error {
	if _, system := errors.AsType[syscall.Errno](err); system {
		return err
	}
	for at, c := range name + "/" {
		to, bad := os.Readlink(filepath.Join(d.Path(), filepath.FromSlash(name[:at])))
		if c == '/' && bad == nil && (filepath.IsAbs(to) || !filepath.IsLocal(filepath.Join(filepath.FromSlash(path.Dir(name[:at])), to))) {
			return &ForeignError{fmt.Errorf("%s: %s is a link to %s, and a site is written in its own directory alone: %w", d, name[:at], to, err)}
		}
	}
	return err
}

func (d *directory) lock(ctx context.Context) (func(), error) {
	unlock, err := d.Lock(ctx)
	if err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(d.Path())
	if err == nil {
		err = errors.Join(durable.RemoveTemps(root), root.Close())
	}
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func (d *directory) look(ctx context.Context, p *plan) ([]state, error) {
	root, err := os.OpenRoot(d.Path())
	if err != nil {
		return nil, err
	}
	defer root.Close()
	found := make([]state, len(p.files))
	for i, f := range p.files {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		if found[i], err = compare(root, f); err != nil {
			return nil, d.foreign(f.Name, fmt.Errorf("%s: %w", d, err))
		}
	}
	return found, nil
}

// compare compares a file with what has its name.
func compare(root *os.Root, f *hosting.File) (state, error) {
	fi, err := root.Lstat(f.Name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missing, nil
	case err != nil:
		return missing, err
	case !fi.Mode().IsRegular() || fi.Size() != f.Size:
		return differs, nil
	}
	have, err := root.Open(f.Name)
	if err != nil {
		return missing, err
	}
	defer have.Close()
	h := sha256.New()
	if _, err := io.Copy(h, have); err != nil {
		return missing, err
	}
	if hex.EncodeToString(h.Sum(nil)) != f.SHA256 || !f.Modified.IsZero() && !fi.ModTime().Equal(f.Modified) {
		return differs, nil
	}
	return same, nil
}

func (d *directory) put(ctx context.Context, files []*hosting.File) error {
	if len(files) == 0 {
		return nil
	}
	root, err := os.OpenRoot(d.Path())
	if err != nil {
		return err
	}
	defer root.Close()
	return d.disk.Replace(d.Path(), func(t *durable.Tree) error {
		for _, f := range files {
			if err := ctx.Err(); err != nil {
				return err
			}
			data, err := contents(ctx, f)
			if err != nil {
				return err
			}
			if err := t.WriteFile(f.Name, data, 0o644); err != nil {
				return err
			}
			// Web servers take another file of the same size and time for the same.
			if old, err := root.Lstat(f.Name); f.Modified.IsZero() || err == nil && old.Size() == f.Size && old.ModTime().Equal(f.Modified) {
				continue
			}
			if err := t.SetTime(f.Name, f.Modified); err != nil {
				return err
			}
		}
		return nil
	})
}

func (d *directory) putManifest(_ context.Context, data []byte, _ string) (string, error) {
	return "", d.disk.WriteFile(filepath.Join(d.Path(), manifestName), data, 0o644)
}

func (d *directory) remove(ctx context.Context, names []string) error {
	root, err := os.OpenRoot(d.Path())
	if err != nil {
		return err
	}
	defer root.Close()
	for _, name := range names {
		if err := ctx.Err(); err != nil {
			return err
		}
		if err := root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		for dir := path.Dir(name); dir != "."; dir = path.Dir(dir) {
			if root.Remove(dir) != nil { // it is not empty
				break
			}
		}
	}
	return nil
}

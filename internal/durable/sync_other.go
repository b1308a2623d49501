//go:build !linux

package durable

import (
	"errors"
	"os"
	"path"
)

// sync makes the files of a tree durable.
func (t *Tree) sync() error {
	for _, name := range t.files {
		f, err := t.root.OpenFile(path.Join(t.tmp, name), os.O_RDWR, 0)
		if err != nil {
			return err
		}
		if err := errors.Join(f.Sync(), f.Close()); err != nil {
			return err
		}
	}
	for _, dir := range append(t.dirs, ".") {
		if err := t.disk.syncDir(t.root, path.Join(t.tmp, dir), t.path); err != nil {
			return err
		}
	}
	return nil
}

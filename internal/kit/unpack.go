package kit

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"

	"trustpool/internal/durable"
)

// Unpack writes the files of a kit to a directory that must not be there yet: all
// of them, or none. They are written to a directory beside it, synced, and that is
// renamed.
func (k *Kit) Unpack(dir string) (err error) {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return &fs.PathError{Op: "create", Path: dir, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	temp, err := os.MkdirTemp(filepath.Dir(dir), durable.TempPrefix)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the directory %s, in which it is to be made, is not there", dir, filepath.Dir(dir))
	}
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.RemoveAll(temp))
		}
	}()
	// Nothing of a path can lead out of the directory, whatever was checked before.
	root, err := os.OpenRoot(temp)
	if err != nil {
		return err
	}
	defer root.Close()
	dirs := []string{"."}
	for _, p := range k.paths {
		if d := path.Dir(p); d != dirs[len(dirs)-1] && d != "." {
			if err := root.Mkdir(d, 0o755); err != nil {
				return err
			}
			dirs = append(dirs, d)
		}
		if err := writeFile(root, p, k.contents[p]); err != nil {
			return err
		}
	}
	for _, d := range dirs {
		if err := syncDir(root, d); err != nil {
			return err
		}
	}
	// Others may read what a receiver unpacks, as far as the umask lets them.
	probe, err := root.Stat(manifestFile)
	if err != nil {
		return err
	}
	mode := probe.Mode().Perm()
	if err := os.Chmod(temp, mode|mode&0o444>>2); err != nil {
		return err
	}
	if err := os.Rename(temp, dir); err != nil {
		return err
	}
	parent, err := os.OpenRoot(filepath.Dir(dir))
	if err == nil {
		err = errors.Join(syncDir(parent, "."), parent.Close())
	}
	if err != nil {
		return fmt.Errorf("%s is written, but may be lost if the machine stops now: %w", dir, err)
	}
	return nil
}

func writeFile(root *os.Root, name string, data []byte) error {
	f, err := root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode(name))
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

func syncDir(root *os.Root, name string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := root.Open(name)
	if err != nil {
		return err
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("sync %s: %w", name, err)
	}
	return nil
}

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"time"
)

// A Tree is a directory that is being filled.
type Tree struct {
	*temp
	disk  *Disk
	dir   *os.Root // the temporary directory, while it is being filled
	files []string
	dirs  []string
}

// WriteFile writes a file below the directory. The name has slashes, and no symbolic link leads out.
func (t *Tree) WriteFile(name string, data []byte, perm fs.FileMode) error {
	return t.Write(name, perm, from(data))
}

// Write is WriteFile with what write writes.
func (t *Tree) Write(name string, perm fs.FileMode, write func(io.Writer) error) error {
	if !fs.ValidPath(name) || name == "." {
		return &fs.PathError{Op: "create", Path: name, Err: fs.ErrInvalid}
	}
	var f *os.File
	err := t.disk.commit(func() (err error) { // or Abandon could not remove the directory, in which there is ever more
		if err = t.mkdir(path.Dir(name)); err == nil {
			f, err = t.dir.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm)
		}
		return err
	})
	if err != nil {
		return &fs.PathError{Op: "create", Path: filepath.Join(t.path, name), Err: cause(err)}
	}
	t.files = append(t.files, name)
	return errors.Join(write(f), f.Close())
}

// SetTime sets when a file of the tree was modified.
func (t *Tree) SetTime(name string, modified time.Time) error {
	return t.dir.Chtimes(name, modified, modified)
}

// mkdir makes a directory, if it is not one that the last file was in.
func (t *Tree) mkdir(dir string) error {
	if dir == "." || len(t.dirs) > 0 && t.dirs[len(t.dirs)-1] == dir {
		return nil
	}
	t.dirs = append(t.dirs, dir)
	return t.dir.MkdirAll(dir, 0o755)
}

// Tree makes dir a directory with what fill writes, which must not be there yet: all of it, or nothing. However many
// files there are, they are synced together.
func (d *Disk) Tree(dir string, fill func(*Tree) error) error {
	dir = filepath.Clean(dir)
	if _, err := os.Lstat(dir); err == nil {
		return &fs.PathError{Op: "create", Path: dir, Err: fs.ErrExist}
	} else if !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	parent := filepath.Dir(dir)
	root, err := os.OpenRoot(parent)
	if errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("%s: the directory %s, in which it is to be made, is not there", dir, parent)
	}
	if err != nil {
		return err
	}
	defer root.Close()
	t, err := d.stageTree(root, filepath.Base(dir), dir, fill)
	if err != nil {
		return err
	}
	return d.place(t.temp)
}

// Add writes what fill writes to the directory dir, which is made if it is missing: all of it, or nothing. A file that
// is there already is an error, fs.ErrExist.
func (d *Disk) Add(dir string, fill func(*Tree) error) error {
	dir = filepath.Clean(dir)
	if _, err := os.Stat(dir); errors.Is(err, fs.ErrNotExist) {
		if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
			return err
		}
		return d.Tree(dir, fill)
	}
	return d.fillDir(dir, fill, d.moveIn)
}

// Replace is Add, but that a file which is there is replaced. All files are written and synced before the first takes its
// place; they do so in the order in which they were written. What stops that halfway leaves new files and then old ones,
// each of them whole.
func (d *Disk) Replace(dir string, fill func(*Tree) error) error {
	return d.fillDir(dir, fill, d.replace)
}

// fillDir stages what fill writes in a directory that is there, lets move give the files their names in it, and syncs
// every directory in which that makes an entry.
func (d *Disk) fillDir(dir string, fill, move func(*Tree) error) error {
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	defer root.Close()
	t, err := d.stageTree(root, "", dir, fill)
	if err != nil {
		return err
	}
	defer d.finish(t.temp)
	if err := d.commit(func() error { return move(t) }); err != nil {
		return err
	}
	changed := map[string]bool{".": true}
	for _, sub := range t.dirs {
		for ; !changed[sub]; sub = path.Dir(sub) {
			changed[sub] = true
		}
	}
	for sub := range changed {
		err = errors.Join(err, d.syncDir(root, sub, dir))
	}
	return err
}

// replace gives the files of a tree their names, whatever has them.
func (d *Disk) replace(t *Tree) error {
	for _, name := range t.files {
		err := d.try("rename", name, func() error {
			if err := t.root.MkdirAll(path.Dir(name), 0o755); err != nil {
				return err
			}
			return t.root.Rename(path.Join(t.tmp, name), name)
		})
		if err != nil {
			return &fs.PathError{Op: "write", Path: filepath.Join(t.path, name), Err: cause(err)}
		}
	}
	return nil
}

// RemoveTemps removes what is temporary in root itself. Its caller has root to itself.
func RemoveTemps(root *os.Root) error {
	entries, err := fs.ReadDir(root.FS(), ".")
	for _, e := range entries {
		if strings.HasPrefix(e.Name(), TempPrefix) {
			err = errors.Join(err, root.RemoveAll(e.Name()))
		}
	}
	return err
}

// moveIn gives the files of a tree their names in the directory that the tree is in.
func (d *Disk) moveIn(t *Tree) (err error) {
	var made []string
	defer func() {
		if err != nil {
			for _, name := range made {
				_ = t.root.Remove(name)
			}
		}
	}()
	for _, sub := range t.dirs {
		if err := t.root.MkdirAll(sub, 0o755); err != nil {
			return err
		}
	}
	for _, name := range t.files {
		if d.abandoned.Load() { // with many files this takes longer than whoever abandons wants to wait
			return ErrAbandoned
		}
		if err := d.link(t.root, path.Join(t.tmp, name), name, filepath.Join(t.path, name)); err != nil {
			return err
		}
		made = append(made, name)
	}
	return nil
}

// stageTree fills and syncs a temporary directory in root. Its caller finishes it.
func (d *Disk) stageTree(root *os.Root, name, dir string, fill func(*Tree) error) (*Tree, error) {
	t := &Tree{temp: &temp{root: root, name: name, path: dir}, disk: d}
	_, err := d.begin(t.temp, func(tmp string) error { return root.Mkdir(tmp, 0o755) }, func() error {
		fi, err := root.Stat(t.tmp) // with what the umask leaves
		if err != nil {
			return err
		}
		err = private(fi, 0o700, func(mode fs.FileMode) error { return root.Chmod(t.tmp, mode) }, func() (err error) {
			if t.dir, err = root.OpenRoot(t.tmp); err != nil {
				return err
			}
			return errors.Join(fill(t), t.dir.Close())
		})
		if err != nil {
			return err
		}
		return t.sync()
	})
	return t, err
}

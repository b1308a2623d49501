// Package durable writes files and directories that are there whole or not at all, also after the machine has stopped.
//
// What is written goes to a temporary file or directory beside its place, is synced, renamed, and then the directory is
// synced that holds the new name. Until the rename everything is as it was, and after an error too. A process that is
// killed may leave something temporary behind: its name begins with [TempPrefix].
//
// Some file systems refuse to sync a directory. Then what was written is there, and [Disk.Warn] is told that it may be
// lost if the machine stops.
package durable

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
)

// TempPrefix begins the name of everything temporary: hidden, so that readers of the directory pass over it.
const TempPrefix = ".trustpool-tmp-"

const (
	maxLinks = 40  // symbolic links followed from one name, as in Linux
	maxNames = 100 // tried for a temporary file
)

// ErrAbandoned is returned by writes to a [Disk] after Abandon.
var ErrAbandoned = errors.New("abandoned: nothing is written any more")

// A Disk writes. Its zero value is ready for use, by any number of goroutines.
type Disk struct {
	// Warn is told what is written and may be lost if the machine stops, because the file system refuses to sync
	// directories: an *UnsyncedError. It may be nil.
	Warn func(error)

	lock      sync.Mutex // held while names change
	temps     map[*temp]bool
	abandoned atomic.Bool

	fail func(op, name string) error // for tests: what link, rename and sync are to return
}

// An UnsyncedError is about what is written, but was not synced with its directory.
type UnsyncedError struct {
	Path string
	Err  error
}

func (e *UnsyncedError) Error() string {
	return fmt.Sprintf("%s is written, but may be lost if the machine stops now: %v", e.Path, e.Err)
}

func (e *UnsyncedError) Unwrap() error { return e.Err }

// Abandon removes everything temporary and makes every write that has not yet succeeded fail with ErrAbandoned. When it
// returns, what was being written is there whole or not at all, and stays so.
func (d *Disk) Abandon() {
	d.abandoned.Store(true)
	d.lock.Lock()
	defer d.lock.Unlock()
	for t := range d.temps {
		t.remove()
	}
	clear(d.temps)
}

// Write makes path a file with what write writes, replacing the file that is there.
//
// The permissions are perm less the umask, and never more than those of the file that is replaced; until the content is
// whole nobody else can read it. The owner is who runs this. A symbolic link stays and the file that it names is replaced,
// or made. What is not a file, such as /dev/stdout or a FIFO, cannot be replaced: it receives the content in one piece
// after write has returned without an error.
func (d *Disk) Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return d.writeAll(perm, []content{{path, write}})
}

// WriteFile is Write of data.
func (d *Disk) WriteFile(path string, data []byte, perm fs.FileMode) error {
	return d.Write(path, perm, from(data))
}

// A File is what WriteAll writes.
type File struct {
	Path string
	Data []byte
}

// WriteAll is WriteFile of several files. All of them are written and synced before the first takes the place of what was
// there, so that a full disk leaves everything as it was. They take their places from the last to the first; a rename that
// fails after another has succeeded, which nothing ordinary makes it do, does not undo that one.
func (d *Disk) WriteAll(files []File, perm fs.FileMode) error {
	var all []content
	for _, f := range files {
		all = append(all, content{f.Path, from(f.Data)})
	}
	return d.writeAll(perm, all)
}

// content is what a file is to hold.
type content struct {
	path  string
	write func(io.Writer) error
}

func from(data []byte) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

func (d *Disk) writeAll(perm fs.FileMode, all []content) error {
	var staged []*temp
	defer func() { // also when a write panics
		for _, t := range staged {
			d.finish(t)
		}
	}()
	through := map[string][]byte{}
	for _, c := range all {
		t, err := d.stageReplacement(c, perm, through)
		if err != nil {
			return err
		}
		if t != nil {
			staged = append(staged, t)
		}
	}
	for _, c := range all {
		if data, ok := through[c.path]; ok {
			if err := writeThrough(c.path, data); err != nil {
				return err
			}
		}
	}
	err := d.commit(func() error {
		for _, t := range slices.Backward(staged) {
			if err := d.rename(t); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	var synced []string
	for _, t := range slices.Backward(staged) {
		if slices.Contains(synced, t.root.Name()) {
			continue
		}
		synced = append(synced, t.root.Name())
		err = errors.Join(err, d.syncDir(t.root, ".", t.path))
	}
	return err
}

// stageReplacement writes what is to take the place of a file, or adds to through what a thing that is not a file is to
// receive.
func (d *Disk) stageReplacement(c content, perm fs.FileMode, through map[string][]byte) (*temp, error) {
	old, err := os.Stat(c.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return nil, err
	case old.IsDir():
		return nil, &fs.PathError{Op: "write", Path: c.path, Err: syscall.EISDIR}
	case !old.Mode().IsRegular():
		var buf bytes.Buffer
		if err := c.write(&buf); err != nil {
			return nil, err
		}
		through[c.path] = buf.Bytes()
		return nil, nil
	default:
		perm &= old.Mode().Perm()
	}
	target, err := follow(c.path)
	if err != nil {
		return nil, err
	}
	return d.stagePath(target, perm, c.write)
}

// Put is WriteFile of a file below root, where no symbolic link leads out. The temporary file is in root itself, so that
// a later process that has root to itself may remove what begins with TempPrefix there.
func (d *Disk) Put(root *os.Root, name string, data []byte, perm fs.FileMode) error {
	t, err := d.stage(root, name, name, perm, from(data))
	if err != nil {
		return err
	}
	return d.place(t)
}

// MkdirAll makes a directory below root and those that it is in, each durably.
func (d *Disk) MkdirAll(root *os.Root, dir string, perm fs.FileMode) error {
	if fi, err := root.Stat(dir); err == nil && fi.IsDir() {
		return nil
	}
	parent := path.Dir(dir)
	if err := d.MkdirAll(root, parent, perm); err != nil {
		return err
	}
	if err := root.Mkdir(dir, perm); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncDir(root, parent, dir)
}

// A temp is a temporary file or directory and the place that it is for.
type temp struct {
	root      *os.Root // the directory that it is in
	tmp, name string   // in root
	path      string   // of the place, for errors
	owned     bool     // root is closed with it
	gone      bool     // renamed, or removed
}

func (t *temp) remove() {
	if !t.gone {
		_ = t.root.RemoveAll(t.tmp)
		t.gone = true
	}
}

// begin makes something temporary by a name that is new, remembers it until finish, and fills it. If that fails, nothing is
// left. It is made and remembered at once: Abandon finds it, or it is not made any more.
func (d *Disk) begin(t *temp, create func(tmp string) error, fill func() error) (*temp, error) {
	err := d.commit(func() (err error) {
		if t.tmp, err = newName(create); err != nil {
			return &fs.PathError{Op: "create", Path: t.path, Err: cause(err)}
		}
		if d.temps == nil {
			d.temps = map[*temp]bool{}
		}
		d.temps[t] = true
		return nil
	})
	if err != nil {
		return nil, err
	}
	filled := false
	defer func() { // also when fill panics
		if !filled {
			d.finish(t)
		}
	}()
	if err := fill(); err != nil {
		return nil, err
	}
	filled = true
	return t, nil
}

// finish removes what is temporary, if it is still there.
func (d *Disk) finish(t *temp) {
	d.lock.Lock()
	defer d.lock.Unlock()
	t.remove()
	delete(d.temps, t)
	if t.owned {
		_ = t.root.Close()
	}
}

// commit runs what makes or changes names, which Abandon waits for.
func (d *Disk) commit(change func() error) error {
	d.lock.Lock()
	defer d.lock.Unlock()
	if d.abandoned.Load() {
		return ErrAbandoned
	}
	return change()
}

// try does something, unless a test wants it to fail.
func (d *Disk) try(op, name string, do func() error) error {
	if d.fail != nil {
		if err := d.fail(op, name); err != nil {
			return err
		}
	}
	return do()
}

// rename gives a temporary file the name that it is for.
func (d *Disk) rename(t *temp) error {
	if err := d.try("rename", t.name, func() error { return t.root.Rename(t.tmp, t.name) }); err != nil {
		return &fs.PathError{Op: "write", Path: t.path, Err: cause(err)}
	}
	t.gone = true
	return nil
}

// place gives what is temporary the name that it is for, and finishes it.
func (d *Disk) place(t *temp) error {
	defer d.finish(t)
	if err := d.commit(func() error { return d.rename(t) }); err != nil {
		return err
	}
	return d.syncDir(t.root, path.Dir(t.name), t.path)
}

// link gives a file a second name, at which there must be nothing. On a file system without hard links, as on a memory
// stick, whoever makes an empty file owns the name, and the file is moved there.
func (d *Disk) link(root *os.Root, from, to, path string) error {
	err := d.try("link", to, func() error { return root.Link(from, to) })
	if err == nil {
		return nil
	}
	if !errors.Is(err, fs.ErrExist) {
		var claim *os.File
		if claim, err = root.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			if err = errors.Join(claim.Close(), root.Rename(from, to)); err != nil {
				err = errors.Join(err, root.Remove(to))
			}
			return err
		}
	}
	if errors.Is(err, fs.ErrExist) {
		err = fs.ErrExist
	}
	return &fs.PathError{Op: "create", Path: path, Err: cause(err)}
}

// cause is an error without the names of temporary files, which mean nothing to a user.
func cause(err error) error {
	if e, ok := errors.AsType[*fs.PathError](err); ok {
		return e.Err
	}
	if e, ok := errors.AsType[*os.LinkError](err); ok {
		return e.Err
	}
	return err
}

// stagePath is stage for a path.
func (d *Disk) stagePath(path string, perm fs.FileMode, write func(io.Writer) error) (*temp, error) {
	root, err := os.OpenRoot(dirOf(path))
	if err != nil {
		return nil, &fs.PathError{Op: "create", Path: path, Err: cause(err)}
	}
	t, err := d.stage(root, filepath.Base(path), path, perm, write)
	if err != nil {
		_ = root.Close()
		return nil, err
	}
	t.owned = true
	return t, nil
}

// stage writes and syncs a temporary file for name. Its caller finishes it.
func (d *Disk) stage(root *os.Root, name, path string, perm fs.FileMode, write func(io.Writer) error) (*temp, error) {
	var f *os.File
	create := func(tmp string) (err error) {
		f, err = root.OpenFile(tmp, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm.Perm())
		return err
	}
	return d.begin(&temp{root: root, name: name, path: path}, create, func() error {
		defer f.Close()     // a second time, unless something fails
		fi, err := f.Stat() // perm less the umask
		if err != nil {
			return err
		}
		err = private(fi, 0o600, f.Chmod, func() error {
			w := bufio.NewWriterSize(f, 64<<10)
			if err := write(w); err != nil {
				return err
			}
			return w.Flush()
		})
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// private fills something while nobody else can read it, and then gives it the permissions that it had.
func private(had fs.FileInfo, mode fs.FileMode, chmod func(fs.FileMode) error, fill func() error) error {
	changed := chmod(mode) == nil // refused by file systems without permissions, where there is nothing to restore
	if err := fill(); err != nil || !changed {
		return err
	}
	return chmod(had.Mode().Perm())
}

// newName calls create with names until one is new.
func newName(create func(name string) error) (string, error) {
	for try := 1; ; try++ {
		name := fmt.Sprintf("%s%016x", TempPrefix, rand.Uint64())
		if err := create(name); err == nil || !errors.Is(err, fs.ErrExist) || try == maxNames {
			return name, err
		}
	}
}

// syncDir syncs the directory that holds the new name of what is at path.
func (d *Disk) syncDir(root *os.Root, dir, path string) error {
	err := d.try("sync", path, func() error { return syncDir(root, dir) })
	switch {
	case err == nil:
		return nil
	case errors.Is(err, syscall.EINVAL), errors.Is(err, errors.ErrUnsupported), errors.Is(err, fs.ErrPermission):
		if d.Warn != nil {
			d.Warn(&UnsyncedError{path, cause(err)})
		}
		return nil
	}
	return &UnsyncedError{path, cause(err)}
}

// dirOf is the directory of path, ending in a separator. Unlike filepath.Dir it leaves ".." to the system, to which it means
// something else after a symbolic link.
func dirOf(path string) string {
	dir, _ := filepath.Split(path)
	if dir == "" {
		dir = "." + string(filepath.Separator)
	}
	return dir
}

// follow returns the path that path names after symbolic links; the last of them may name nothing yet.
func follow(path string) (string, error) {
	for range maxLinks {
		fi, err := os.Lstat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return path, nil
		}
		if err != nil {
			return "", err
		}
		if fi.Mode()&fs.ModeSymlink == 0 {
			return path, nil
		}
		to, err := os.Readlink(path)
		if err != nil {
			return "", err
		}
		if !filepath.IsAbs(to) {
			to = dirOf(path) + to
		}
		path = to
	}
	return "", &fs.PathError{Op: "write", Path: path, Err: syscall.ELOOP}
}

func writeThrough(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Close())
}

// Package atomicfile writes files that are there whole or not at all: a temporary file in the same directory is written,
// synced and renamed, and the directory synced. Until the rename whatever stood there before stays as it was, and after any
// error too. A process that is killed may leave a temporary file behind: its name begins with TempPrefix.
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
	"path/filepath"
	"runtime"
	"syscall"
)

// TempPrefix begins the name of every temporary file: hidden, so that readers of the directory pass over it.
const TempPrefix = ".trustpool-"

const (
	maxLinks = 40  // symbolic links followed from one name, as in Linux
	maxNames = 100 // tried for a temporary file
)

// Write makes path a file with what write writes, replacing the file that is there.
//
// The permissions are perm less the umask, and never more than those of the file that is replaced; until the content is
// whole nobody else can read it. The owner is who runs this. A symbolic link stays and the file that it names is replaced,
// or made. What is no file, such as /dev/stdout or a FIFO, cannot be replaced: it receives the content in one piece after
// write has returned without an error.
func Write(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return writeWith(path, perm, write, os.Rename)
}

func writeWith(path string, perm fs.FileMode, write func(io.Writer) error, rename func(from, to string) error) error {
	old, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
	case err != nil:
		return err
	case old.IsDir():
		return &fs.PathError{Op: "write", Path: path, Err: syscall.EISDIR}
	case !old.Mode().IsRegular():
		return writeThrough(path, write)
	default:
		perm &= old.Mode().Perm()
	}
	target, err := follow(path)
	if err != nil {
		return err
	}
	return replace(target, perm, write, rename)
}

// A File is what WriteAll writes.
type File struct {
	Path string
	Data []byte
}

// WriteAll is WriteFile of several files. All of them are written and synced before the first takes the place of what stood
// there, so that a full disk leaves everything as it was. They take their places from the last to the first; a rename that
// fails after another has succeeded, which nothing ordinary makes it do, does not undo that one.
func WriteAll(files []File, perm fs.FileMode) error { return writeAll(files, perm, os.Rename) }

func writeAll(files []File, perm fs.FileMode, rename func(from, to string) error) error {
	if len(files) == 0 {
		return nil
	}
	write := func(w io.Writer) error {
		_, err := w.Write(files[0].Data)
		return err
	}
	return writeWith(files[0].Path, perm, write, func(temp, path string) error {
		if err := writeAll(files[1:], perm, rename); err != nil {
			return err
		}
		return rename(temp, path)
	})
}

// WriteFile is Write of data.
func WriteFile(path string, data []byte, perm fs.FileMode) error {
	return Write(path, perm, func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	})
}

// Create is Write for a path at which there must be nothing yet, not even a symbolic link: otherwise it fails with
// fs.ErrExist, also when somebody else creates the file meanwhile.
func Create(path string, perm fs.FileMode, write func(io.Writer) error) error {
	return create(path, perm, write, os.Link)
}

func create(path string, perm fs.FileMode, write func(io.Writer) error, link func(from, to string) error) error {
	exists := &fs.PathError{Op: "create", Path: path, Err: fs.ErrExist}
	if _, err := os.Lstat(path); err == nil { // before the work, not instead of link's own look
		return exists
	}
	return replace(path, perm, write, func(temp, path string) error {
		err := link(temp, path)
		if err == nil {
			os.Remove(temp) // at worst there is one name too many
			return nil
		}
		if errors.Is(err, fs.ErrExist) {
			return exists
		}
		// A file system without hard links, as on a memory stick. Who makes the empty file owns the name.
		claim, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
		if err != nil {
			return err
		}
		err = errors.Join(claim.Close(), os.Rename(temp, path))
		if err != nil {
			err = errors.Join(err, os.Remove(path))
		}
		return err
	})
}

// replace writes a temporary file beside path and has put give it that name.
func replace(path string, perm fs.FileMode, write func(io.Writer) error, put func(temp, path string) error) (err error) {
	dir := dirOf(path)
	f, err := openTemp(dir, perm)
	if err != nil {
		if e, ok := errors.AsType[*fs.PathError](err); ok { // of path, whose temporary name means nothing to anybody
			err = &fs.PathError{Op: "create", Path: path, Err: e.Err}
		}
		return err
	}
	temp := f.Name()
	done := false
	defer func() { // also when write panics
		if !done {
			f.Close()
			os.Remove(temp)
		}
	}()

	fi, err := f.Stat() // perm less the umask
	if err != nil {
		return err
	}
	private := f.Chmod(0o600) == nil // refused by file systems without permissions, where there is nothing to restore
	w := bufio.NewWriterSize(f, 64<<10)
	if err := write(w); err != nil {
		return err
	}
	if err := w.Flush(); err != nil {
		return err
	}
	if private {
		if err := f.Chmod(fi.Mode().Perm()); err != nil {
			return err
		}
	}
	if err := f.Sync(); err != nil {
		return err
	}
	if err := f.Close(); err != nil {
		return err
	}
	if err := put(temp, path); err != nil {
		return err
	}
	done = true
	if err := syncDir(dir); err != nil {
		return fmt.Errorf("%s is written, but may be lost if the machine stops now: %w", path, err)
	}
	return nil
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

// openTemp is os.CreateTemp with permissions, so that the umask applies to them.
func openTemp(dir string, perm fs.FileMode) (*os.File, error) {
	for try := 1; ; try++ {
		name := fmt.Sprintf("%s%016x", TempPrefix, rand.Uint64())
		f, err := os.OpenFile(dir+name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, perm.Perm())
		if err == nil || !errors.Is(err, fs.ErrExist) || try == maxNames {
			return f, err
		}
	}
}

// syncDir makes the new name durable, where the system has such a thing.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	defer d.Close()
	if err := d.Sync(); err != nil && !errors.Is(err, syscall.EINVAL) && !errors.Is(err, errors.ErrUnsupported) {
		return err
	}
	return nil
}

// follow returns the path that path names after symbolic links, of which the last may name nothing yet.
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

func writeThrough(path string, write func(io.Writer) error) error {
	var buf bytes.Buffer
	if err := write(&buf); err != nil {
		return err
	}
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return err
	}
	_, err = f.Write(buf.Bytes())
	return errors.Join(err, f.Close())
}

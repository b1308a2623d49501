package store

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"trustpool/internal/durable"
)

// lockFile is a name in the directory of a store that is not an object. Temporary files are others.
const lockFile = ".trustpool-lock"

// The lock is held for the time of one write.
const (
	lockPause = 10 * time.Millisecond // between two tries to get it
	lockLimit = 30 * time.Second      // until a writer gives up

	maxLockTries = 10 // to open the lock file, if that is not permitted
)

// A Dir is a Backend in a directory. A write holds a lock on a file there,
// so that processes on one machine, or on a file system that shares locks, do not
// both pass a condition. What a process that was killed left behind is removed by
// the next write. A symbolic link that leads out of the directory is an error.
type Dir struct {
	path string
	disk *durable.Disk
}

// OpenDir opens the directory at path, which must exist. It is looked up anew by
// every operation: a directory that is moved away and back is found again. disk is
// what writes to it.
func OpenDir(path string, disk *durable.Disk) (*Dir, error) {
	abs, err := filepath.Abs(path)
	if err != nil {
		return nil, err
	}
	d := &Dir{abs, disk}
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	return d, root.Close()
}

// IsStore reports whether a directory looks like a store's.
func IsStore(path string) bool {
	for _, name := range []string{currentPrefix, archivePrefix} {
		if fi, err := os.Stat(filepath.Join(path, name)); err != nil || !fi.IsDir() {
			return false
		}
	}
	return true
}

// Path is the absolute path of the directory.
func (d *Dir) Path() string { return d.path }

func (d *Dir) String() string { return d.path }

// open opens the directory. That it is missing is another thing than that an
// object is.
func (d *Dir) open() (*os.Root, error) {
	root, err := os.OpenRoot(d.path)
	if err != nil {
		return nil, fmt.Errorf("the store cannot be opened: %v", err) // not %w: fs.ErrNotExist is for objects
	}
	return root, nil
}

// Get implements Backend.
func (d *Dir) Get(ctx context.Context, key string, most int64) ([]byte, string, error) {
	if err := checkKey(ctx, key); err != nil {
		return nil, "", err
	}
	root, err := d.open()
	if err != nil {
		return nil, "", err
	}
	defer root.Close()
	return get(root, key, most)
}

func get(root *os.Root, key string, most int64) ([]byte, string, error) {
	f, err := root.OpenFile(key, os.O_RDONLY|nonBlocking, 0)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, "", fmt.Errorf("%s: %w", key, ErrNotFound)
	}
	if err != nil {
		return nil, "", err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, "", err
	}
	if !fi.Mode().IsRegular() {
		return nil, "", fmt.Errorf("%s: not a regular file", key)
	}
	data, err := ReadObject(key, f, fi.Size(), most)
	return data, tagOf(data), err
}

func tagOf(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

// Put implements Backend.
func (d *Dir) Put(ctx context.Context, key string, data []byte, c Condition) (tag string, err error) {
	if err := checkKey(ctx, key); err != nil {
		return "", err
	}
	root, err := d.open()
	if err != nil {
		return "", err
	}
	defer root.Close()
	unlock, err := lock(ctx, root)
	if err != nil {
		return "", fmt.Errorf("%s: cannot lock the store: %w", d.path, err)
	}
	defer unlock()
	if err := check(root, key, c); err != nil {
		return "", err
	}
	if err := durable.RemoveTemps(root); err != nil {
		return "", err
	}
	if err := d.disk.MkdirAll(root, path.Dir(key), 0o777); err != nil {
		return "", err
	}
	return tagOf(data), d.disk.Put(root, key, data, 0o644)
}

// check reports whether the condition holds.
func check(root *os.Root, key string, c Condition) error {
	conflict := fmt.Errorf("%s: %w", key, ErrConflict)
	if c.Absent {
		_, err := root.Lstat(key)
		if err == nil {
			return conflict
		}
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return err
	}
	if c.Tag == "" {
		return nil
	}
	_, tag, err := get(root, key, MaxBundle)
	if errors.Is(err, ErrNotFound) || err == nil && tag != c.Tag {
		return conflict
	}
	return err
}

// openLock opens the lock file, which only those can who may write the directory:
// whoever can open a file can lock it, and keep it locked. Another process may
// just have made it and not yet opened it to its group, so that is waited for.
func openLock(ctx context.Context, root *os.Root) (*os.File, error) {
	for try := 1; ; try++ {
		f, err := root.OpenFile(lockFile, os.O_RDONLY|nonBlocking, 0)
		made := errors.Is(err, fs.ErrNotExist)
		if made {
			f, err = root.OpenFile(lockFile, os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600)
		}
		if err == nil {
			restrict(root, f, made)
			return f, nil
		}
		if errors.Is(err, fs.ErrExist) && try < maxLockTries { // somebody else made it
			continue
		}
		if !errors.Is(err, fs.ErrPermission) || try == maxLockTries || ctx.Err() != nil {
			return nil, err
		}
		time.Sleep(lockPause)
	}
}

// lock waits for the store's lock. What it gives lets go of it.
func lock(ctx context.Context, root *os.Root) (unlock func(), err error) {
	f, err := openLock(ctx, root)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, lockLimit, fmt.Errorf("another process has held it for %v", lockLimit))
	defer cancel()
	for {
		taken, err := tryLock(f)
		if err != nil {
			f.Close()
			return nil, err
		}
		if taken {
			return func() { f.Close() }, nil // which ends the lock
		}
		select {
		case <-ctx.Done():
			f.Close()
			return nil, context.Cause(ctx)
		case <-time.After(lockPause):
		}
	}
}

// Lock waits until nobody else writes to the directory. What it returns lets others write again; until then Put waits, too.
func (d *Dir) Lock(ctx context.Context) (unlock func(), err error) {
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if unlock, err = lock(ctx, root); err != nil {
		return nil, fmt.Errorf("%s: cannot lock the directory: %w", d.path, err)
	}
	return unlock, nil
}

// List implements Backend. Hidden files are left out.
func (d *Dir) List(ctx context.Context, prefix string) ([]string, error) {
	dir := strings.TrimSuffix(prefix, "/")
	if err := checkKey(ctx, dir); err != nil || dir == prefix {
		return nil, errors.Join(err, fmt.Errorf("store: the prefix %q cannot be listed", prefix))
	}
	root, err := d.open()
	if err != nil {
		return nil, err
	}
	defer root.Close()
	var keys []string
	err = fs.WalkDir(root.FS(), dir, func(key string, e fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist): // nothing was ever put there, or it was removed meanwhile
			return nil
		case err != nil:
			return err
		case e.IsDir() || strings.HasPrefix(e.Name(), "."):
			return nil
		case len(keys) == MaxKeys:
			return fmt.Errorf("%s: more than %d objects", prefix, MaxKeys)
		}
		keys = append(keys, key)
		return ctx.Err()
	})
	if err != nil {
		return nil, err
	}
	slices.Sort(keys)
	return keys, nil
}

// IsKey reports whether an object can have the key.
func IsKey(key string) bool {
	return fs.ValidPath(key) && !strings.HasPrefix(key, ".") && !strings.ContainsAny(key, "\\\x00")
}

// checkKey refuses what is not a key. Names of releases are narrower still.
func checkKey(ctx context.Context, key string) error {
	if !IsKey(key) {
		return fmt.Errorf("store: %q is not a key", key)
	}
	return ctx.Err()
}

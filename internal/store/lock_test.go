//go:build unix

package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/store"
)

// A writer waits for another, and no longer than it is asked to.
func TestDirLock(t *testing.T) {
	t.Parallel()
	path := t.TempDir()
	d, err := store.OpenDir(path, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	f, err := os.Create(filepath.Join(path, ".trustpool-lock"))
	if err != nil {
		t.Fatal(err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	if _, err := d.Put(ctx, "a", nil, store.Condition{}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("locked: %v", err)
	}
	if _, _, err := d.Get(t.Context(), "a", 1); !errors.Is(err, store.ErrNotFound) { // readers do not ask
		t.Error(err)
	}
	time.AfterFunc(50*time.Millisecond, func() { f.Close() })
	if _, err := d.Put(t.Context(), "a", nil, store.Condition{}); err != nil {
		t.Error(err)
	}
}

// Whoever can open the lock file can hold the lock: so that is those who may write
// the directory.
func TestDirLockMode(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct{ dir, before, want os.FileMode }{
		{0o755, 0, 0o600}, {0o700, 0, 0o600}, {0o775, 0, 0o660}, {0o777, 0, 0o666}, {0o750, 0, 0o600},
		{0o755, 0o644, 0o600}, {0o775, 0o644, 0o640}, {0o777, 0o644, 0o644}, // made by an earlier version
	} {
		path := t.TempDir()
		lock := filepath.Join(path, ".trustpool-lock")
		if tt.before != 0 {
			if err := errors.Join(os.WriteFile(lock, nil, tt.before), os.Chmod(lock, tt.before)); err != nil {
				t.Fatal(err)
			}
		}
		if err := os.Chmod(path, tt.dir); err != nil {
			t.Fatal(err)
		}
		d, err := store.OpenDir(path, new(durable.Disk))
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			if _, err := d.Put(t.Context(), "a", nil, store.Condition{}); err != nil {
				t.Fatal(err)
			}
			if fi, err := os.Stat(lock); err != nil || fi.Mode().Perm() != tt.want {
				t.Errorf("in a directory of mode %o, %o before: %v, %v", tt.dir, tt.before, fi.Mode(), err)
			}
		}
	}
}

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

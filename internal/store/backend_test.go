package store_test

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"trustpool/internal/durable"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
)

// bucket is a backend in a real server.
func bucket(t testing.TB) (*s3.Bucket, *tooltest.S3) {
	t.Helper()
	server := tooltest.StartS3(t)
	b, err := s3.Open(server.URL("some/where"), server.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	return b, server
}

// Both backends keep the same promises.
func TestBackends(t *testing.T) {
	t.Parallel()
	for name, open := range map[string]func(testing.TB) store.Backend{
		"dir": func(t testing.TB) store.Backend { return dir(t).Backend() },
		"s3":  func(t testing.TB) store.Backend { b, _ := bucket(t); return b },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testBackend(t, open(t))
		})
	}
}

func testBackend(t *testing.T, b store.Backend) {
	ctx := t.Context()
	isConflict := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrConflict) {
			t.Errorf("%s: %v", what, err)
		}
	}
	isMissing := func(what string, err error) {
		t.Helper()
		if !errors.Is(err, store.ErrNotFound) || !errors.Is(err, fs.ErrNotExist) {
			t.Errorf("%s: %v", what, err)
		}
	}
	has := func(key, want, wantTag string) {
		t.Helper()
		data, tag, err := b.Get(ctx, key, 1000)
		if err != nil || string(data) != want || tag != wantTag {
			t.Errorf("%s: %q tagged %s, want %q tagged %s; %v", key, data, tag, want, wantTag, err)
		}
	}
	_, _, err := b.Get(ctx, "a/one", 10)
	isMissing("nothing there", err)
	if keys, err := b.List(ctx, "a/"); err != nil || len(keys) != 0 {
		t.Errorf("an empty list: %q, %v", keys, err)
	}
	_, err = b.Put(ctx, "a/one", []byte("x"), store.Condition{Tag: "0123456789abcdef0123456789abcdef"})
	isConflict("the tag of nothing", err)
	first, err := b.Put(ctx, "a/one", []byte("1"), store.Condition{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	has("a/one", "1", first)
	_, err = b.Put(ctx, "a/one", []byte("2"), store.Condition{Absent: true})
	isConflict("there is one", err)
	has("a/one", "1", first)
	second, err := b.Put(ctx, "a/one", []byte("2"), store.Condition{Tag: first})
	if err != nil || second == first {
		t.Fatalf("%s after %s, %v", second, first, err)
	}
	_, err = b.Put(ctx, "a/one", []byte("3"), store.Condition{Tag: first})
	isConflict("the tag before", err)
	has("a/one", "2", second)
	for _, key := range []string{"a/b/two", "a/b/c/three", "ab/four"} {
		if _, err := b.Put(ctx, key, []byte(key), store.Condition{}); err != nil {
			t.Fatal(err)
		}
	}
	if keys, err := b.List(ctx, "a/"); err != nil || !slices.Equal(keys, []string{"a/b/c/three", "a/b/two", "a/one"}) {
		t.Errorf("%q, %v", keys, err)
	}

	large := bytes.Repeat([]byte("large "), 5<<20) // more than what a client sends in one part
	tag, err := b.Put(ctx, "large", large, store.Condition{Absent: true})
	if err != nil {
		t.Fatal(err)
	}
	if data, got, err := b.Get(ctx, "large", int64(len(large))); err != nil || got != tag || !bytes.Equal(data, large) {
		t.Errorf("the large one: %d bytes, %v", len(data), err)
	}
	_, _, err = b.Get(ctx, "large", int64(len(large))-1)
	if _, ok := errors.AsType[*store.DamagedError](err); !ok {
		t.Errorf("over the limit: %v", err)
	}
	if _, err := b.Put(ctx, "large", nil, store.Condition{Tag: tag}); err != nil {
		t.Error(err)
	}
	if data, _, err := b.Get(ctx, "large", 0); err != nil || len(data) != 0 {
		t.Errorf("an empty one: %d bytes, %v", len(data), err)
	}

	ended, cancel := context.WithCancel(ctx)
	cancel()
	_, _, errGet := b.Get(ended, "a/one", 10)
	_, errPut := b.Put(ended, "a/one", nil, store.Condition{})
	_, errList := b.List(ended, "a/")
	for _, err := range []error{errGet, errPut, errList} {
		if !errors.Is(err, context.Canceled) {
			t.Errorf("after the end: %v", err)
		}
	}
	has("a/one", "2", second)
}

// Of many who put at once one wins, each through a client of its own.
func TestRace(t *testing.T) {
	t.Parallel()
	for name, place := range map[string]func(testing.TB) (open func() (store.Backend, error)){
		"dir": func(t testing.TB) func() (store.Backend, error) {
			path := t.TempDir()
			return func() (store.Backend, error) { return store.OpenDir(path, new(durable.Disk)) }
		},
		"s3": func(t testing.TB) func() (store.Backend, error) {
			server := tooltest.StartS3(t)
			return func() (store.Backend, error) { return s3.Open(server.URL("x"), server.Getenv) }
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			testRace(t, place(t))
		})
	}
}

func testRace(t *testing.T, open func() (store.Backend, error)) {
	b, err := open()
	if err != nil {
		t.Fatal(err)
	}
	tag, err := b.Put(t.Context(), "k", []byte("0"), store.Condition{})
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []store.Condition{{Tag: tag}, {Absent: true}} {
		key := map[bool]string{true: "fresh", false: "k"}[c.Absent]
		var mu sync.Mutex
		var wg sync.WaitGroup
		won := 0
		for i := range 20 {
			wg.Go(func() {
				other, err := open()
				if err == nil {
					_, err = other.Put(t.Context(), key, []byte{byte(i + 'a')}, c)
				}
				mu.Lock()
				defer mu.Unlock()
				if err == nil {
					won++
				} else if !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
			})
		}
		wg.Wait()
		if won != 1 {
			t.Errorf("%d of 20 won", won)
		}
	}
}

// What is wrong with a directory is never taken for a store without the object,
// and nothing outside of it is read or written.
func TestDirOdd(t *testing.T) {
	t.Parallel()
	ctx, outside := t.Context(), t.TempDir()
	if err := os.WriteFile(filepath.Join(outside, "secret"), []byte("secret"), 0o600); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), "srv")
	if _, err := store.OpenDir(path, new(durable.Disk)); err == nil || errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no directory: %v", err)
	}
	if err := os.MkdirAll(filepath.Join(path, "current"), 0o755); err != nil {
		t.Fatal(err)
	}
	d, err := store.OpenDir(path, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": filepath.Join(outside, "secret"), "dir": outside} {
		if err := os.Symlink(target, filepath.Join(path, "current", name)); err != nil {
			t.Fatal(err)
		}
	}
	tooltest.FIFO(t, filepath.Join(path, "current", "fifo"))
	for _, key := range []string{"current/link", "current/dir/secret", "current/fifo", "current"} {
		if data, _, err := d.Get(ctx, key, 100); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %q, %v", key, data, err)
		}
	}
	if _, err := d.Put(ctx, "current/dir/new", nil, store.Condition{}); err == nil {
		t.Error("written through a link that leads out")
	}
	if _, err := d.Put(ctx, "current/link", []byte("x"), store.Condition{}); err != nil { // takes the place of the link
		t.Error(err)
	}
	if data, err := os.ReadFile(filepath.Join(outside, "secret")); err != nil || string(data) != "secret" {
		t.Errorf("%q, %v", data, err)
	}
	for _, key := range []string{"", ".", "..", "../x", "/x", "a/../b", "a//b", "a/", `a\b`, ".trustpool-lock", "a\x00"} {
		_, _, errGet := d.Get(ctx, key, 100)
		_, errPut := d.Put(ctx, key, nil, store.Condition{})
		if errGet == nil || errPut == nil || errors.Is(errGet, store.ErrNotFound) {
			t.Errorf("%q is a key: %v, %v", key, errGet, errPut)
		}
	}
	away := path + ".away"
	if err := os.Rename(path, away); err != nil {
		t.Fatal(err)
	}
	_, _, errGet := d.Get(ctx, "a", 100)
	_, errPut := d.Put(ctx, "a", nil, store.Condition{})
	_, errList := d.List(ctx, "current/")
	for _, err := range []error{errGet, errPut, errList} {
		if err == nil || errors.Is(err, fs.ErrNotExist) {
			t.Errorf("a directory that is away: %v", err)
		}
	}
	if err := os.Rename(away, path); err != nil {
		t.Fatal(err)
	}
	if keys, err := d.List(ctx, "current/"); err != nil || !slices.Contains(keys, "current/link") {
		t.Errorf("back again: %q, %v", keys, err)
	}
}

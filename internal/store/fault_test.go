package store_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
)

// A memory is a backend in memory that can fail. From the operation numbered
// failAt on all fail; that one is done all the same where late is set, as when an
// answer is lost.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	ops     int
	failAt  int // 0 for never
	late    bool
	before  func(op int, key string) // each write
}

var errFault = errors.New("the place is gone")

func newMemory() *memory { return &memory{objects: map[string][]byte{}} }

// fault counts an operation and reports whether to do it, and how it ends.
func (m *memory) fault() (do bool, err error) {
	m.ops++
	switch {
	case m.failAt == 0 || m.ops < m.failAt:
		return true, nil
	case m.ops == m.failAt:
		return m.late, errFault
	}
	return false, errFault
}

func tag(data []byte) string { return fmt.Sprintf("%d-%x", len(data), data[max(0, len(data)-400):]) }

func (m *memory) Get(_ context.Context, key string, _ int64) ([]byte, string, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if _, err := m.fault(); err != nil {
		return nil, "", err
	}
	data, ok := m.objects[key]
	if !ok {
		return nil, "", store.ErrNotFound
	}
	return bytes.Clone(data), tag(data), nil
}

func (m *memory) Put(_ context.Context, key string, data []byte, c store.Condition) (string, error) {
	if m.before != nil {
		m.before(m.ops, key)
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	do, err := m.fault()
	if do {
		old, ok := m.objects[key]
		if c.Absent && ok || c.Tag != "" && (!ok || tag(old) != c.Tag) {
			return "", store.ErrConflict
		}
		m.objects[key] = bytes.Clone(data)
	}
	return tag(data), err
}

func (m *memory) List(_ context.Context, prefix string) (keys []string, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for key := range m.objects {
		if strings.HasPrefix(key, prefix) {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	return keys, nil
}

func (m *memory) String() string { return "memory" }

// intact asks that what is current can be read, and is one of the versions, and
// that the history leads to it.
func intact(t *testing.T, s *store.Store, versions ...string) *store.Release {
	t.Helper()
	r, err := s.Current(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if !slices.Contains(versions, r.Version) {
		t.Errorf("version %s is current, none of %s", r.Version, versions)
	}
	h, err := history(t.Context(), s)
	if err != nil || h[len(h)-1].SHA256 != r.SHA256 || h[len(h)-1].Number != len(h) {
		t.Errorf("the history: %v", err)
	}
	for _, r := range h[max(0, len(h)-3):] {
		if _, err := s.Read(t.Context(), r); err != nil {
			t.Errorf("release %d: %v", r.Number, err)
		}
		for _, file := range []string{"lab.p7b.hash.sha256", "lab.p7b.hash.sha512", "lab.diff.json", "manifest.log", "release.json"} {
			if data, _, err := s.Backend().Get(t.Context(), "archive/lab/"+r.Dir()+"/"+file, 1<<20); err != nil || len(data) == 0 {
				t.Errorf("release %d, %s: %v", r.Number, file, err)
			}
		}
	}
	return r
}

// Wherever a publication stops, the old state or the new one stands, and the next
// publication succeeds.
func TestFaults(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), lab(t)
	v1, v2 := read(t, "lab-core-v1.p7b"), read(t, "lab-core-v2.p7b")
	for _, late := range []bool{false, true} {
		succeeded := false
		for failAt := 1; !succeeded; failAt++ {
			m := newMemory()
			s := store.New(m)
			if _, err := s.Publish(ctx, v1, o); err != nil {
				t.Fatal(err)
			}
			m.ops, m.failAt, m.late = 0, failAt, late
			_, err := s.Publish(ctx, v2, o)
			succeeded = err == nil
			if !succeeded && !errors.Is(err, errFault) {
				t.Errorf("operation %d: %v", failAt, err)
			}
			if succeeded && failAt < 9 {
				t.Errorf("only %d operations", failAt)
			}
			m.failAt = 0
			before := intact(t, s, "1", "2")
			if succeeded && before.Version != "2" {
				t.Error("published, and not current")
			}
			_, err = s.Publish(ctx, v2, o)
			refused, isRefused := errors.AsType[*store.RefusedError](err)
			if before.Version == "1" && err != nil || before.Version == "2" && (!isRefused || !refused.Unchanged()) {
				t.Errorf("after operation %d: %v", failAt, err)
			}
			intact(t, s, "2")
		}
	}
}

// Somebody else publishes at each point of a publication: either both are in the
// history, or the gate has refused the later one.
func TestConflicts(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), lab(t)
	core := pkitest.CoreV2()
	for at := range 9 {
		for other, wins := range map[string]bool{"2": true, "4": false} {
			m := newMemory()
			s := store.New(m)
			if _, err := s.Publish(ctx, signed(coreName, "1", core...), o); err != nil {
				t.Fatal(err)
			}
			m.ops = 0
			done := false
			m.before = func(op int, _ string) {
				if op >= at && !done {
					done = true
					if _, err := s.Publish(ctx, signed(coreName, other, core...), o); err != nil {
						t.Error(err)
					}
				}
			}
			_, err := s.Publish(ctx, signed(coreName, "3", core...), o)
			if wins != (err == nil) || !wins && !errors.As(err, new(*store.RefusedError)) {
				t.Errorf("version %s before write %d: %v", other, at, err)
			}
			intact(t, s, map[bool]string{true: "3", false: "4"}[wins])
		}
	}
}

// Many publishers at once: each wins or is refused, and nothing is lost.
func TestPublishers(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	var wg sync.WaitGroup
	var mu sync.Mutex
	won := 0
	for i := range 12 {
		data := signed(coreName, fmt.Sprint(i%6+1), pkitest.CoreV2()...)
		o := o
		o.Now = o.Now.Add(time.Duration(i)) // two who publish the same at the same instant are one
		wg.Go(func() {
			_, err := s.Publish(t.Context(), data, o)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				won++
			} else if !errors.As(err, new(*store.RefusedError)) && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	h, err := history(t.Context(), s)
	if err != nil || len(h) != won {
		t.Errorf("%d won and %d are in the history, %v", won, len(h), err)
	}
	for i := 1; i < len(h); i++ {
		if h[i].Version <= h[i-1].Version {
			t.Errorf("version %s after %s", h[i].Version, h[i-1].Version)
		}
	}
}

// An answer that was lost makes a client write again; the second answer is a
// conflict with itself.
func TestLostAnswer(t *testing.T) {
	t.Parallel()
	m := &twice{newMemory()}
	s := store.New(m)
	for _, file := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b"} {
		if _, err := s.Publish(t.Context(), read(t, file), lab(t)); err != nil {
			t.Fatal(err)
		}
	}
	intact(t, s, "2")
}

// twice writes everything twice and gives the second answer.
type twice struct{ *memory }

func (m *twice) Put(ctx context.Context, key string, data []byte, c store.Condition) (string, error) {
	if _, err := m.memory.Put(ctx, key, data, c); err != nil {
		return "", err
	}
	return m.memory.Put(ctx, key, data, c)
}

// A bundle in a directory that has become larger than any may be is whole again when it is published again.
func TestDamageLarge(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	b, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s, v1 := store.New(b), read(t, "lab-core-v1.p7b")
	p, err := s.Publish(t.Context(), v1, lab(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(filepath.Join(dir, "archive/lab", p.Release.Dir(), "lab.p7b"), store.MaxBundle+1); err != nil {
		t.Fatal(err)
	}
	_, err = s.Publish(t.Context(), v1, lab(t))
	if refused, ok := errors.AsType[*store.RefusedError](err); !ok || !refused.Unchanged() {
		t.Error(err)
	}
	intact(t, s, "1")
}

// Bytes that were damaged are never given, do not keep a newer bundle out, and
// are whole again when they are published again.
func TestDamage(t *testing.T) {
	t.Parallel()
	ctx, o := t.Context(), lab(t)
	v1, v2 := read(t, "lab-core-v1.p7b"), read(t, "lab-core-v2.p7b")
	damage := map[string]func(m *memory, key string){
		"a bit":   func(m *memory, key string) { m.objects[key][100] ^= 1 },
		"cut":     func(m *memory, key string) { m.objects[key] = m.objects[key][:100] },
		"longer":  func(m *memory, key string) { m.objects[key] = append(m.objects[key], 0) },
		"empty":   func(m *memory, key string) { m.objects[key] = nil },
		"removed": func(m *memory, key string) { delete(m.objects, key) },
	}
	for what, spoil := range damage {
		m := newMemory()
		s := store.New(m)
		p, err := s.Publish(ctx, v1, o)
		if err != nil {
			t.Fatal(err)
		}
		key := "archive/lab/" + p.Release.Dir() + "/lab.p7b"
		spoil(m, key)
		if data, err := s.Read(ctx, p.Release); err == nil || data != nil {
			t.Errorf("%s: %d bytes, %v", what, len(data), err)
		}
		_, err = s.Publish(ctx, v1, o)
		refused, ok := errors.AsType[*store.RefusedError](err)
		if !ok || !refused.Unchanged() || len(refused.Publication.Notes) != 2 {
			t.Errorf("%s: %v", what, err)
		}
		intact(t, s, "1")
		spoil(m, key)
		if p, err := s.Publish(ctx, v2, o); err != nil || len(p.Notes) != 1 || p.Diff != nil {
			t.Errorf("%s: %v", what, err)
		}
		if r, err := s.Current(ctx, "lab"); err != nil || r.Version != "2" {
			t.Errorf("%s: %v", what, err)
		}
		if _, err := s.Rollback(ctx, "lab", "1", o); err == nil {
			t.Errorf("%s: rolled back to it", what)
		}

		spoil(m, "current/lab")
		_, err = s.Current(ctx, "lab")
		if _, damaged := errors.AsType[*store.DamagedError](err); !damaged && !errors.Is(err, store.ErrNotFound) && what != "longer" {
			t.Errorf("%s, current: %v", what, err)
		}
	}
}

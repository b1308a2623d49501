package store_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/roots"
)

func now() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// read reads one of testdata's bundles.
func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("../../testdata/bundles", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// lab trusts the lab's root.
func lab(t testing.TB) store.PublishOptions {
	t.Helper()
	b, err := bundle.Parse(pkitest.Lab().Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	a, err := roots.FromCertificate(b.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	return store.PublishOptions{Name: "lab", Anchors: []roots.Anchor{a}, At: now(), Now: now(), From: "lab.p7b"}
}

func dir(t testing.TB) *store.Store {
	t.Helper()
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	return store.New(d)
}

func TestPublish(t *testing.T) {
	t.Parallel()
	s, o := dir(t), lab(t)
	if _, err := s.Current(t.Context(), "lab"); !errors.Is(err, store.ErrNotFound) || !errors.Is(err, os.ErrNotExist) {
		t.Errorf("of nothing: %v", err)
	}
	for i, file := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b"} {
		p, err := s.Publish(t.Context(), read(t, file), o)
		if err != nil {
			t.Fatal(err)
		}
		if p.Release.Number != i+1 || (p.Diff == nil) != (i == 0) {
			t.Errorf("%+v", p)
		}
	}
	r, err := s.Current(t.Context(), "lab")
	if err != nil {
		t.Fatal(err)
	}
	if data, err := s.Read(t.Context(), *r); err != nil || string(data) != string(read(t, "lab-core-v2.p7b")) {
		t.Errorf("read: %v", err)
	}
}

// history is every publication of lab.
func history(ctx context.Context, s *store.Store) ([]store.Release, error) {
	state, _, err := s.StateSince(ctx, "lab", "")
	if err != nil {
		return nil, err
	}
	return state.Releases, nil
}

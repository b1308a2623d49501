package site

import (
	"context"
	"io/fs"
	"testing"

	"trustpool/internal/hosting"
	"trustpool/internal/store"
)

// A kept manifest is the only file of a site.
type kept struct{ data []byte }

func (kept) String() string { return "kept" }

func (k *kept) get(_ context.Context, name string, _ int64) ([]byte, string, error) {
	if name != manifestName || k.data == nil {
		return nil, "", store.ErrNotFound
	}
	return k.data, "tag", nil
}

func (*kept) lock(context.Context) (func(), error)         { return func() {}, nil }
func (*kept) look(context.Context, *plan) ([]state, error) { return nil, nil }
func (*kept) put(context.Context, []*hosting.File) error   { return nil }
func (*kept) remove(context.Context, []string) error       { return nil }
func (k *kept) putManifest(_ context.Context, data []byte, _ string) (string, error) {
	k.data = data
	return "tag", nil
}

// What is read of a manifest names files below the site alone, and is written as it was read.
func FuzzManifest(f *testing.F) {
	f.Add([]byte(`{"schema": "trustpool.site-files/1", "base_url": "http://x", "pages": true, "pnp": null, "files": [{"name": "a/b", "sha256": "` +
		`0000000000000000000000000000000000000000000000000000000000000000", "size": 3, "before": null, "begun": true}]}`))
	f.Add([]byte(`{"schema": "trustpool.site-files/1", "files": [{"name": "../x"}]}`))
	f.Add([]byte(`{"schema": "trustpool.site-files/1", "files": null}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, _, err := readManifest(t.Context(), &kept{data})
		if err != nil || data == nil {
			return
		}
		for name, w := range m.files {
			if !fs.ValidPath(name) || name == "." || name == manifestName || len(w.SHA256) != 64 {
				t.Errorf("%q %+v", name, w)
			}
		}
		again := new(kept)
		if _, err := putManifest(t.Context(), again, m, ""); err != nil {
			t.Fatal(err)
		}
		if other, _, err := readManifest(t.Context(), again); err != nil || !other.equal(m) {
			t.Errorf("%v: it is read another way than it was written", err)
		}
	})
}

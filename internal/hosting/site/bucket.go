package site

import (
	"context"
	"strings"

	"trustpool/internal/hosting"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
)

// How long caches may keep an object, which a bucket says with it: one that is named by what it is, for ever; a page or what
// is in the archive, which seldom changes; and what devices ask for, for as long as they may wait for a release.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheArchive = "public, max-age=3600"
	cachePointer = "public, max-age=60"
)

func caching(f *hosting.File) string {
	switch {
	case f.Forever:
		return cacheForever
	case strings.HasPrefix(f.Name, "security/pki/trs/archive/"):
		return cacheArchive
	}
	return cachePointer
}

// A bucket is a part of a bucket, with objects that a CDN or the service itself answers with.
type bucket struct{ *s3.Bucket }

// OpenBucket makes a place of a part of a bucket.
func OpenBucket(b *s3.Bucket) Place { return bucket{b} }

func (b bucket) get(ctx context.Context, name string, most int64) ([]byte, string, error) {
	return b.Get(ctx, name, most)
}

// lock does nothing: of two who write at a time, the one to whose manifest the other has added does it again.
func (b bucket) lock(context.Context) (func(), error) { return func() {}, nil }

// look believes the manifest: to read every object would cost as much as to write it.
func (b bucket) look(ctx context.Context, p *plan) ([]state, error) {
	names, err := b.List(ctx, "")
	if err != nil {
		return nil, err
	}
	there := make(map[string]bool, len(names))
	for _, name := range names {
		there[name] = true
	}
	found := make([]state, len(p.files))
	for i, f := range p.files {
		w := p.before.files[f.Name]
		switch {
		case !there[f.Name]:
			found[i] = missing
		case w != nil && !w.Begun && w.SHA256 == f.SHA256:
			found[i] = same
		default:
			found[i] = differs
		}
	}
	return found, nil
}

func (b bucket) put(ctx context.Context, files []*hosting.File) error {
	return each(ctx, len(files), func(i int) error {
		f := files[i]
		data, err := contents(ctx, f)
		if err == nil {
			_, err = b.PutAs(ctx, f.Name, data, store.Condition{}, s3.Metadata{ContentType: f.ContentType, CacheControl: caching(f)})
		}
		return err
	})
}

func (b bucket) putManifest(ctx context.Context, data []byte, tag string) (string, error) {
	c := store.Condition{Tag: tag, Absent: tag == ""}
	return b.PutAs(ctx, manifestName, data, c, s3.Metadata{ContentType: "application/json", CacheControl: "no-store"})
}

func (b bucket) remove(ctx context.Context, names []string) error {
	return each(ctx, len(names), func(i int) error { return b.Delete(ctx, names[i]) })
}

package site

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"reflect"
	"slices"
	"strings"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/store"
)

// A plan is what a site is to hold.
type plan struct {
	settings Settings
	catalog  *hosting.Catalog
	at       time.Time
	bundles  int
	files    []*file // by name
	bad      bool    // a release of the source could not be read or verified, so that files of it are not in the plan
	aliases  []*file // paths that can have no file, as they are those of directories: a web server is told what is there
}

// A file is what is to be at a name.
type file struct {
	name        string // below the site: security/pki/trs/ios.p7b
	contentType string
	forever     bool
	modified    time.Time // so that web servers that share a name say the same of a bundle; zero for when it was written
	size        int64
	sum         [sha256.Size]byte
	data        func(context.Context) ([]byte, error)
}

// newPlan verifies what the source has, and lists the files of a site of it.
func newPlan(ctx context.Context, o Options, m *manifest, where Place) (*plan, error) {
	if o.Now == nil {
		return nil, errors.New("site: no clock")
	}
	p := &plan{settings: m.settings, at: o.Now()}
	if o.Settings != nil {
		p.settings = o.Settings(p.settings)
	}
	now := func() time.Time { return p.at }
	server, err := hosting.New(ctx, hosting.Options{Source: o.Source, Anchors: o.Anchors, Limits: o.Limits, Now: now, PnP: p.settings.PnP, Report: o.Report})
	if err != nil {
		return nil, err
	}
	p.catalog = server.Catalog()
	p.bundles = len(p.catalog.Entries)
	if err := p.addFiles(ctx); err != nil {
		return nil, err
	}
	if err := p.addIndex(ctx, where); err != nil {
		return nil, err
	}
	if !p.settings.NoPages {
		all, err := pages.New(pages.Options{
			Catalog: server.Catalog, Judge: server.Judge, Now: now, BaseURL: p.settings.BaseURL, Version: o.Version, Static: true,
		})
		if err != nil {
			return nil, err
		}
		files, err := all.Files(ctx)
		if err != nil {
			return nil, err
		}
		for _, f := range files {
			p.files = append(p.files, &file{name: f.Name, contentType: f.ContentType, forever: f.Forever, size: int64(f.Size), sum: f.SHA256, data: f.Data})
		}
	}
	return p, p.check()
}

// addFiles adds what a catalog has.
func (p *plan) addFiles(ctx context.Context) error {
	files := p.catalog.Files()
	directories := map[string]bool{}
	for _, f := range files {
		for dir := path.Dir(f.Path); dir != "/"; dir = path.Dir(dir) {
			directories[dir] = true
		}
	}
	for _, f := range files {
		data, err := f.Data(ctx)
		if _, bad := errors.AsType[*hosting.BadReleaseError](err); bad { // which Options.Report was told
			p.bad = true
			continue
		}
		if err != nil {
			return fmt.Errorf("%s: %w", f.Path, err)
		}
		one := &file{
			name: strings.TrimPrefix(f.Path, "/"), contentType: f.ContentType, forever: f.Forever, size: int64(len(data)), sum: sha256.Sum256(data), data: f.Data,
		}
		if f.Bundle {
			one.modified = f.Modified
		}
		if strings.HasSuffix(f.Path, "/") || directories[f.Path] {
			p.aliases = append(p.aliases, one)
		} else {
			p.files = append(p.files, one)
		}
	}
	return nil
}

// addIndex adds the index: that of the site as it is, if it would say the same now.
func (p *plan) addIndex(ctx context.Context, where Place) error {
	data, _, err := where.get(ctx, indexName, maxManifest)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	now := p.catalog.Index(p.at)
	if then := p.indexAsOf(data); then == nil || !reflect.DeepEqual(then.Bundles, now.Bundles) {
		var out bytes.Buffer
		if err := now.WriteJSON(&out); err != nil {
			return err
		}
		data = out.Bytes()
	}
	p.files = append(p.files, &file{
		name: indexName, contentType: "application/json", size: int64(len(data)), sum: sha256.Sum256(data), data: func(context.Context) ([]byte, error) { return data, nil },
	})
	return nil
}

// indexAsOf is the index as of the time that the one in data is of, if that is what data are; otherwise nil.
func (p *plan) indexAsOf(data []byte) *hosting.Index {
	var have struct {
		At time.Time `json:"at"`
	}
	if json.Unmarshal(data, &have) != nil || have.At.After(p.at) {
		return nil
	}
	then := p.catalog.Index(have.At)
	var out bytes.Buffer
	if then.WriteJSON(&out) != nil || !bytes.Equal(out.Bytes(), data) {
		return nil
	}
	return &then
}

// check sorts the files, and asks that each can have its name.
func (p *plan) check() error {
	if len(p.files) > MaxFiles {
		return fmt.Errorf("the site has %d files, and the limit is %d; without pages it has fewer", len(p.files), MaxFiles)
	}
	slices.SortFunc(p.files, func(a, b *file) int { return cmp.Compare(a.name, b.name) })
	names := map[string]bool{}
	for _, f := range p.files {
		if names[f.name] {
			return fmt.Errorf("two files of the site would be called %s", f.name)
		}
		names[f.name] = true
	}
	for _, f := range p.files {
		for dir := path.Dir(f.name); dir != "."; dir = path.Dir(dir) {
			if names[dir] {
				return fmt.Errorf("%s of the site would be a file, and the directory of %s", dir, f.name)
			}
		}
	}
	return nil
}

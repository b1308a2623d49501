package site

import (
	"bytes"
	"cmp"
	"context"
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
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// A plan is what a site is to hold.
type plan struct {
	before   *manifest // what was written to the site
	tag      string    // of it
	settings Settings
	catalog  *hosting.Catalog
	at       time.Time
	files    []*hosting.File // by name
	bad      bool            // a release of the source could not be read or verified, so that files of it are not in the plan
	aliases  []*hosting.File // paths that can have no file, as they are those of directories: a web server is told what is there
}

// newPlan verifies what the source has, and lists the files of a site of it.
func newPlan(ctx context.Context, o Options, where Place) (*plan, error) {
	if o.Now == nil {
		return nil, errors.New("site: no clock")
	}
	m, tag, err := readManifest(ctx, where)
	if err != nil {
		return nil, err
	}
	p := &plan{before: m, tag: tag, settings: m.settings, at: o.Now()}
	if o.Settings != nil {
		p.settings = o.Settings(p.settings)
	}
	now := func() time.Time { return p.at }
	server, err := hosting.New(ctx, hosting.Options{Source: o.Source, Anchors: o.Anchors, Limits: o.Limits, Now: now, PnP: p.settings.PnP, Report: o.Report})
	if err != nil {
		return nil, err
	}
	p.catalog = server.Catalog()
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
		for i := range files {
			p.files = append(p.files, &files[i])
		}
	}
	return p, p.check()
}

// addFiles adds what a catalog has.
func (p *plan) addFiles(ctx context.Context) error {
	files, bad, err := p.catalog.Files(ctx)
	p.bad = bad > 0 // which Options.Report was told
	directories := map[string]bool{}
	for _, f := range files {
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			directories[dir] = true
		}
	}
	for i := range files {
		if f := &files[i]; strings.HasSuffix(f.Name, "/") || directories[f.Name] {
			p.aliases = append(p.aliases, f)
		} else {
			p.files = append(p.files, f)
		}
	}
	return err
}

// addIndex adds the index: that of the site as it is, if it would say the same now.
func (p *plan) addIndex(ctx context.Context, where Place) error {
	data, _, err := where.get(ctx, indexName, maxManifest)
	if err != nil && !errors.Is(err, store.ErrNotFound) {
		return err
	}
	now := p.catalog.Index(p.at)
	if then := p.indexAsOf(data); then == nil || !reflect.DeepEqual(then.Bundles, now.Bundles) {
		if data, err = report.JSON(now); err != nil {
			return err
		}
	}
	p.files = append(p.files, &hosting.File{
		Name: indexName, ContentType: "application/json", Size: int64(len(data)), SHA256: hosting.Digest(data), Data: func(context.Context) ([]byte, error) { return data, nil },
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
	if made, err := report.JSON(then); err != nil || !bytes.Equal(made, data) {
		return nil
	}
	return &then
}

// check sorts the files, and asks that each can have its name.
func (p *plan) check() error {
	if len(p.files) > MaxFiles {
		return fmt.Errorf("the site has %d files, and the limit is %d; without pages it has fewer", len(p.files), MaxFiles)
	}
	slices.SortFunc(p.files, func(a, b *hosting.File) int { return cmp.Compare(a.Name, b.Name) })
	names := map[string]bool{}
	for _, f := range p.files {
		if names[f.Name] {
			return fmt.Errorf("two files of the site would be called %s", f.Name)
		}
		names[f.Name] = true
	}
	for _, f := range p.files {
		for dir := path.Dir(f.Name); dir != "."; dir = path.Dir(dir) {
			if names[dir] {
				return fmt.Errorf("%s of the site would be a file, and the directory of %s", dir, f.Name)
			}
		}
	}
	return nil
}

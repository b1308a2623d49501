package site

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

	"trustpool/internal/hosting"
	"trustpool/internal/report"
	"trustpool/internal/store"
)

// manifestName is the file of a site that lists what was written.
const manifestName = "trustpool-site.json"

const manifestSchema = "trustpool.site-files/1"

// A manifest is what was written to a site. What is about to be written is in it before: so nothing is ever there that it
// does not list.
type manifest struct {
	settings Settings
	files    map[string]*written
}

// written is a file of a manifest.
type written struct {
	Name   string      `json:"name"`
	SHA256 string      `json:"sha256"`
	Size   int64       `json:"size"`
	Before report.Text `json:"before"` // the SHA-256 of what was there, if it may still be; empty if there was nothing
	Begun  bool        `json:"begun"`  // it may be there, or not, or still be what it was before
}

// wrote reports whether data is what was written.
func (f *written) wrote(data []byte) bool {
	sum := hosting.Digest(data)
	return sum == f.SHA256 || f.Begun && sum == string(f.Before)
}

type manifestJSON struct {
	Schema  string      `json:"schema"`
	BaseURL report.Text `json:"base_url"`
	Pages   bool        `json:"pages"`
	PnP     report.Text `json:"pnp"`
	Files   []written   `json:"files"`
}

// readManifest reads the manifest of a site; one without is a site that nothing was written to.
func readManifest(ctx context.Context, at Place) (m *manifest, tag string, err error) {
	m = &manifest{files: map[string]*written{}}
	data, tag, err := at.get(ctx, manifestName, maxManifest)
	if errors.Is(err, store.ErrNotFound) {
		return m, "", nil
	}
	if err != nil {
		return nil, "", err
	}
	if err := m.parse(data); err != nil {
		return nil, "", fmt.Errorf("%s: %s is damaged: %w", at, manifestName, err)
	}
	return m, tag, nil
}

func (m *manifest) parse(data []byte) error {
	var j manifestJSON
	if err := json.Unmarshal(data, &j); err != nil {
		return err
	}
	switch {
	case j.Schema != manifestSchema:
		return fmt.Errorf("its schema is %q, not %s", j.Schema, manifestSchema)
	case len(j.Files) > 2*MaxFiles: // those of the site, and old ones
		return fmt.Errorf("it lists %d files, and the limit is %d", len(j.Files), 2*MaxFiles)
	}
	m.settings = Settings{BaseURL: string(j.BaseURL), NoPages: !j.Pages, PnP: string(j.PnP)}
	for _, f := range j.Files {
		if !store.IsKey(f.Name) || f.Name == manifestName || m.files[f.Name] != nil || !report.IsHex(f.SHA256, sha256.Size) || f.Before != "" && !report.IsHex(string(f.Before), sha256.Size) {
			return fmt.Errorf("%q cannot be a file of it", f.Name)
		}
		m.files[f.Name] = &f
	}
	return nil
}

func putManifest(ctx context.Context, w writablePlace, m *manifest, tag string) (string, error) {
	j := manifestJSON{manifestSchema, report.Text(m.settings.BaseURL), !m.settings.NoPages, report.Text(m.settings.PnP), []written{}}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		j.Files = append(j.Files, *m.files[name])
	}
	data, err := report.JSON(j)
	if err != nil {
		return "", err
	}
	return w.putManifest(ctx, data, tag)
}

// manifest is that of the site when all is written.
func (p *plan) manifest() *manifest {
	m := &manifest{settings: p.settings, files: make(map[string]*written, len(p.files))}
	for _, f := range p.files {
		m.files[f.Name] = &written{Name: f.Name, SHA256: f.SHA256, Size: f.Size}
	}
	return m
}

// without are the files that a plan does not have, in order.
func (m *manifest) without(p *plan) []string {
	old := maps.Clone(m.files)
	for _, f := range p.files {
		delete(old, f.Name)
	}
	return slices.Sorted(maps.Keys(old))
}

// pending is the manifest while files are being written.
func (m *manifest) pending(before *manifest, files []*hosting.File) *manifest {
	out := &manifest{settings: m.settings, files: maps.Clone(m.files)}
	for _, f := range files {
		w := &written{Name: f.Name, SHA256: f.SHA256, Size: f.Size, Begun: true}
		if was := before.files[f.Name]; was != nil {
			w.Before = report.Text(was.SHA256)
		}
		out.files[f.Name] = w
	}
	return out
}

func (m *manifest) equal(other *manifest) bool {
	return m.settings == other.settings && maps.EqualFunc(m.files, other.files, func(a, b *written) bool { return *a == *b })
}

package site

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"

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
	sum    string // SHA-256 in hex
	size   int64
	before string // that of what was there, if it may still be; empty if there was nothing
	begun  bool   // it may be there, or not, or still be what it was before
}

// wrote reports whether data is what was written.
func (f *written) wrote(data []byte) bool {
	sum := fmt.Sprintf("%x", sha256.Sum256(data))
	return sum == f.sum || f.begun && sum == f.before
}

type manifestJSON struct {
	Schema  string        `json:"schema"`
	BaseURL *string       `json:"base_url"`
	Pages   bool          `json:"pages"`
	PnP     *string       `json:"pnp"`
	Files   []writtenJSON `json:"files"`
}

type writtenJSON struct {
	Name   string  `json:"name"`
	SHA256 string  `json:"sha256"`
	Size   int64   `json:"size"`
	Before *string `json:"before"`
	Begun  bool    `json:"begun"`
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
	m.settings.NoPages = !j.Pages
	for from, to := range map[*string]*string{j.BaseURL: &m.settings.BaseURL, j.PnP: &m.settings.PnP} {
		if from != nil {
			*to = *from
		}
	}
	for _, f := range j.Files {
		w := &written{sum: f.SHA256, size: f.Size, begun: f.Begun}
		if f.Before != nil {
			w.before = *f.Before
		}
		if !store.IsKey(f.Name) || f.Name == manifestName || m.files[f.Name] != nil || !report.IsHex(w.sum, sha256.Size) || w.before != "" && !report.IsHex(w.before, sha256.Size) {
			return fmt.Errorf("%q cannot be a file of it", f.Name)
		}
		m.files[f.Name] = w
	}
	return nil
}

func putManifest(ctx context.Context, w writablePlace, m *manifest, tag string) (string, error) {
	j := manifestJSON{Schema: manifestSchema, BaseURL: report.Optional(m.settings.BaseURL), Pages: !m.settings.NoPages, PnP: report.Optional(m.settings.PnP), Files: []writtenJSON{}}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		f := m.files[name]
		j.Files = append(j.Files, writtenJSON{name, f.sum, f.size, report.Optional(f.before), f.begun})
	}
	var out bytes.Buffer
	if err := report.WriteJSON(&out, j); err != nil {
		return "", err
	}
	return w.putManifest(ctx, out.Bytes(), tag)
}

// manifest is that of the site when all is written.
func (p *plan) manifest() *manifest {
	m := &manifest{settings: p.settings, files: make(map[string]*written, len(p.files))}
	for _, f := range p.files {
		m.files[f.name] = &written{sum: hex.EncodeToString(f.sum[:]), size: f.size}
	}
	return m
}

// without are the files that a plan does not have, in order.
func (m *manifest) without(p *plan) []string {
	old := maps.Clone(m.files)
	for _, f := range p.files {
		delete(old, f.name)
	}
	return slices.Sorted(maps.Keys(old))
}

// keep adds files of another manifest.
func (m *manifest) keep(from *manifest, names []string) {
	for _, name := range names {
		m.files[name] = from.files[name]
	}
}

// forget takes files out.
func (m *manifest) forget(names []string) {
	for _, name := range names {
		delete(m.files, name)
	}
}

// pending is the manifest while files are being written.
func (m *manifest) pending(before *manifest, files []*file) *manifest {
	out := &manifest{settings: m.settings, files: maps.Clone(m.files)}
	for _, f := range files {
		w := &written{sum: m.files[f.name].sum, size: f.size, begun: true}
		if was := before.files[f.name]; was != nil {
			w.before = was.sum
		}
		out.files[f.name] = w
	}
	return out
}

func (m *manifest) equal(other *manifest) bool {
	return m.settings == other.settings && maps.EqualFunc(m.files, other.files, func(a, b *written) bool { return *a == *b })
}

package kit

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/inspect"
	"trustpool/roots"
	"trustpool/signing"
)

// An Item is a bundle to pack, with what goes beside it.
type Item struct {
	Name   string // of its files, without an ending: see CheckName
	Bundle *bundle.Bundle
	Old    *bundle.Bundle // the one carried last, to tell the changes since; nil for none
	// AuditHTML and AuditText write its audit, the same bytes each time; nil for none.
	AuditHTML, AuditText func(io.Writer) error
}

// Commands are what to type on a device of one platform.
type Commands struct {
	Platform string
	Text     []byte
}

// A Program goes with a kit, such as a released trustpool for the far side.
type Program struct {
	Name string // of its file, see CheckName
	Data []byte
}

// PackOptions say what is trusted, when, and what else goes into the kit. Anchors
// and At must be set.
type PackOptions struct {
	Anchors []roots.Anchor
	At      time.Time
	ShowAt  bool // the manifest says At: the user chose it
	// Epoch is the time of every file; zero for the newest signing time of the
	// bundles.
	Epoch    time.Time
	Commands []Commands
	Program  *Program          // for whoever receives the kit; nil for none
	Signer   *signing.Identity // signs the manifest; nil for an unsigned kit
}

//go:embed verify.sh
var script string

// Pack writes a kit to w. Each bundle must be verified, and bear a signed name and
// version; otherwise the error names the first that is not, and wraps a
// *signing.VerifyError. There is no way to pack another: who receives a kit takes
// its being there for a promise.
//
// The same input gives the same bytes, except that ECDSA with a key outside this
// process is as random as that makes it.
func Pack(w io.Writer, items []Item, o PackOptions) error {
	m, contents, err := gather(items, o)
	if err != nil {
		return err
	}
	raw, err := m.encode()
	if err != nil {
		return err
	}
	if _, err := parseManifest(raw); err != nil { // what Open would refuse is not written
		return err
	}
	var signature []byte
	if o.Signer != nil {
		if signature, err = signing.SignDetached(raw, o.Signer, o.At); err != nil {
			return err
		}
	}
	contents[manifestFile], contents[signatureFile] = held(raw), held(signature)
	files := m.all(raw, signature)
	if size := tarSize(files); len(raw) > MaxManifest || size > MaxSize {
		return fmt.Errorf("a kit of %d bytes, with a manifest of %d: at most %d and %d", size, len(raw), MaxSize, MaxManifest)
	}
	when, err := m.time()
	if err != nil {
		return err
	}
	return writeTar(w, files, when.Unix(), contents)
}

// all are the files of the tar in order: the manifest, its signature if there is one, and those that it lists.
func (m *Manifest) all(manifest, signature []byte) []fileSums {
	files := []fileSums{{Path: manifestFile, Size: int64(len(manifest))}}
	if signature != nil {
		files = append(files, fileSums{Path: signatureFile, Size: int64(len(signature))})
	}
	return append(files, m.Files...)
}

// gather makes the files of a kit, and the manifest that lists them.
func gather(items []Item, o PackOptions) (*Manifest, map[string]content, error) {
	m := &Manifest{Schema: Schema, TimeFrom: FromSourceDateEpoch}
	contents := map[string]content{}
	if o.Epoch.IsZero() {
		m.TimeFrom = FromSigningTime
	} else {
		m.Time = o.Epoch.UTC().Format(time.RFC3339)
	}
	if len(items) > MaxBundles {
		return nil, nil, fmt.Errorf("%d bundles, more than %d", len(items), MaxBundles)
	}
	for _, it := range items {
		e, err := it.pack(contents, o)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", it.Name, err)
		}
		m.Bundles = append(m.Bundles, *e)
		if o.Epoch.IsZero() && e.SigningTime != nil {
			m.Time = max(m.Time, *e.SigningTime)
		}
	}
	if m.Time == "" {
		return nil, nil, errors.New("no bundle says when it was signed: give a time for the kit's files")
	}
	slices.SortFunc(m.Bundles, func(a, b Entry) int { return cmp.Compare(a.File, b.File) })
	for _, c := range o.Commands {
		contents[commandsPath(c.Platform)] = held(c.Text)
	}
	if o.Program != nil {
		contents[programDir+o.Program.Name] = held(o.Program.Data)
	}
	contents[scriptFile] = held([]byte(Script()))
	contents[readmeFile] = readme(m, slices.Collect(maps.Keys(contents)), o.Signer != nil)
	for path, data := range contents {
		f, err := newFile(path, data)
		if err != nil {
			return nil, nil, err
		}
		m.Files = append(m.Files, f)
	}
	contents[sumsFile] = held(sums(m.Files))
	f, err := newFile(sumsFile, contents[sumsFile])
	if err != nil {
		return nil, nil, err
	}
	m.Files = append(m.Files, f)
	slices.SortFunc(m.Files, func(a, b fileSums) int { return cmp.Compare(a.Path, b.Path) })
	return m, contents, nil
}

// pack adds the files of a bundle to contents.
func (it Item) pack(contents map[string]content, o PackOptions) (*Entry, error) {
	if err := CheckName(it.Name); err != nil {
		return nil, err
	}
	if contents[bundlePath(it.Name)] != nil {
		return nil, errors.New("two bundles of this name")
	}
	it.Bundle, _ = it.Bundle.Unwrap() // devices read DER
	v, err := it.verify(it.Bundle, o)
	if err != nil {
		return nil, err
	}
	e := newEntry(it.Name, it.Bundle, v)
	if o.ShowAt {
		e.Verification.At = new(o.At.UTC().Format(time.RFC3339))
	}
	contents[e.File], contents[e.PEM] = held(it.Bundle.Raw), pemOf(it.Bundle)
	for ext, audit := range map[string]content{"html": it.AuditHTML, "txt": it.AuditText} {
		if audit != nil {
			contents[auditPath(it.Name, ext)] = audit
		}
	}
	if it.Old == nil {
		return &e, nil
	}
	it.Old, _ = it.Old.Unwrap()
	old, err := it.verify(it.Old, o)
	if err != nil {
		return nil, fmt.Errorf("the bundle to compare it with: %w", err)
	}
	if order, err := bundle.CompareVersions(old.Version, v.Version); err == nil && order > 0 {
		return nil, fmt.Errorf("the bundle to compare it with is version %s, newer than %s: the change would be told backwards", old.Version, v.Version)
	}
	d := bundle.Compare(it.Old, it.Bundle)
	d.Old.File, d.Old.Signature = it.Name+".p7b, carried last", "verified, "+old.Anchor.Name
	d.New.File, d.New.Signature = it.Name+".p7b", "verified, "+v.Anchor.Name
	sum := it.Old.SHA256()
	e.Changes = &changes{Text: changesPath(it.Name, "txt"), JSON: changesPath(it.Name, "diff.json"), Version: old.Version, SHA256: hex.EncodeToString(sum[:])}
	var text, json bytes.Buffer
	if err := errors.Join(inspect.Diff{Diff: d}.WriteText(&text), feed.WriteDiff(&json, d)); err != nil {
		return nil, err
	}
	contents[e.Changes.Text], contents[e.Changes.JSON] = held(text.Bytes()), held(json.Bytes())
	return &e, nil
}

func (it Item) verify(b *bundle.Bundle, o PackOptions) (*signing.Verification, error) {
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: o.At})
	if err != nil {
		return nil, err
	}
	if v.Name == "" || v.Version == "" {
		return nil, errors.New("its signer gives it no name or no version, by which a newer one could be told from an older")
	}
	return v, nil
}

// newEntry is what the manifest says of a bundle that was verified.
func newEntry(name string, b *bundle.Bundle, v *signing.Verification) Entry {
	e := Entry{
		File: bundlePath(name), PEM: pemPath(name), Name: v.Name, Version: v.Version, Certificates: len(b.Certificates),
		Verification: judgement{Verified: true, Anchor: pin(v.Anchor)},
	}
	if v.SigningTime.Valid {
		e.SigningTime = new(v.SigningTime.String())
	}
	return e
}

// pemOf is the pool as inspect --pem writes it.
func pemOf(b *bundle.Bundle) content { return (&inspect.Report{Bundle: b}).WritePEM }

// sums are the lines that sha256sum -c reads, of all files but SHA256SUMS itself.
func sums(files []fileSums) []byte {
	var out []byte
	for _, f := range slices.SortedFunc(slices.Values(files), func(a, b fileSums) int { return cmp.Compare(a.Path, b.Path) }) {
		if f.Path != sumsFile {
			out = fmt.Appendf(out, "%s  %s\n", f.SHA256, f.Path)
		}
	}
	return out
}

// Script is the verify.sh of every kit: a POSIX shell script that verifies the
// kit, or bundles, with openssl. The pins in it are those of the built-in anchors.
func Script() string { return scriptFor(roots.BuiltIn()) }

// earlierScripts are the SHA-256 of the scripts that earlier versions wrote.
var earlierScripts = []string{
	"0e9a3d5773041353ebfa0c2135d59a3f49fe4b29cb6519c5abc8e420c4c53a9e",
	"f38d9e64764e29a1c6e5e5fb4ee753e266fcadbdf813bc79188342944d9e57f2",
	"0f8aa90e71c754f97d78947b8a19ed4f256635fa3878f8c6a11e74a1c79e3298",
	"89f23a7581f923268b70875e02c993c96f842ee7bcea78d87f493a679b6a7830",
	"e60242c18ec1c9b90f65b9799da2f213a5e7077e27d76a39a7b8c2dc9922a8db",
}

func scriptFor(anchors []roots.Anchor) string {
	var pins []string
	for _, a := range anchors {
		level := 1 // of openssl
		if a.SHA1Links {
			level = 0
		}
		pins = append(pins, fmt.Sprintf("%x %d %s", a.SHA256, level, a.Name))
	}
	return strings.Replace(script, "@PINS@", strings.Join(pins, "\n"), 1)
}

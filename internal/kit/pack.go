package kit

import (
	"bytes"
	"cmp"
	_ "embed"
	"encoding/hex"
	"errors"
	"fmt"
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
	Name      string // of its files, without an ending: see CheckName
	Bundle    *bundle.Bundle
	Old       *bundle.Bundle // the one carried last, to tell the changes since; nil for none
	AuditHTML []byte         // nil for none
	AuditText []byte         // nil for none
}

// Commands are what to type on a device of one platform.
type Commands struct {
	Platform string
	Text     []byte
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
	Signer   *signing.Identity // signs the manifest; nil for nobody
}

// The script, and the rules that it gives awk.
var (
	//go:embed verify.sh
	script string
	//go:embed rules.awk
	rules string
)

// Pack makes a kit. Each bundle must be verified, and bear a signed name and
// version; otherwise the error names the first that is not, and wraps a
// *signing.VerifyError. There is no way to pack another: who receives a kit takes
// its being there for a promise.
//
// The same input gives the same bytes, except that ECDSA with a key outside this
// process is as random as that makes it.
func Pack(items []Item, o PackOptions) ([]byte, error) {
	m := &Manifest{Schema: Schema, TimeFrom: FromSourceDateEpoch}
	contents := map[string][]byte{}
	newest := o.Epoch
	if o.Epoch.IsZero() {
		m.TimeFrom = FromSigningTime
	}
	if len(items) > MaxBundles {
		return nil, fmt.Errorf("%d bundles, more than %d", len(items), MaxBundles)
	}
	for _, it := range items {
		e, err := it.pack(contents, o)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", it.Name, err)
		}
		m.Bundles = append(m.Bundles, *e)
		if o.Epoch.IsZero() && e.SigningTime != nil {
			if t, err := time.Parse(time.RFC3339, *e.SigningTime); err == nil && t.After(newest) {
				newest = t
			}
		}
	}
	if newest.IsZero() {
		return nil, errors.New("no bundle says when it was signed: give a time for the kit's files")
	}
	m.Time = newest.UTC().Format(time.RFC3339)
	slices.SortFunc(m.Bundles, func(a, b Entry) int { return cmp.Compare(a.File, b.File) })
	for _, c := range o.Commands {
		contents[commandsPath(c.Platform)] = c.Text
	}
	contents[scriptFile] = []byte(Script())
	contents[readmeFile] = readme(m, contents, o.Signer != nil)
	for path, data := range contents {
		m.Files = append(m.Files, newFile(path, data))
	}
	contents[sumsFile] = sums(m.Files)
	m.Files = append(m.Files, newFile(sumsFile, contents[sumsFile]))
	slices.SortFunc(m.Files, func(a, b fileSums) int { return cmp.Compare(a.Path, b.Path) })

	if err := m.check(); err != nil {
		return nil, err
	}
	raw, err := m.encode()
	if err != nil {
		return nil, err
	}
	var signature []byte
	if o.Signer != nil {
		if signature, err = signing.SignDetached(raw, o.Signer, o.At); err != nil {
			return nil, err
		}
	}
	out := assemble(raw, signature, m.Files, contents, newest.Unix())
	if _, err := Open(out, OpenOptions{Anchors: o.Anchors, At: o.At}); err != nil {
		return nil, fmt.Errorf("what was packed: %w", err)
	}
	return out, nil
}

// assemble makes the tar.
func assemble(manifest, signature []byte, files []fileSums, contents map[string][]byte, seconds int64) []byte {
	out := appendFile(nil, manifestFile, manifest, seconds)
	if signature != nil {
		out = appendFile(out, signatureFile, signature, seconds)
	}
	for _, f := range files {
		out = appendFile(out, f.Path, contents[f.Path], seconds)
	}
	return append(out, make([]byte, endSize)...)
}

// pack adds the files of a bundle to contents.
func (it Item) pack(contents map[string][]byte, o PackOptions) (*Entry, error) {
	if err := CheckName(it.Name); err != nil {
		return nil, err
	}
	if contents[bundlePath(it.Name)] != nil {
		return nil, errors.New("two bundles of this name")
	}
	v, err := it.verify(it.Bundle, o)
	if err != nil {
		return nil, err
	}
	e := newEntry(it.Name, it.Bundle, v)
	if o.ShowAt {
		e.Verification.At = new(o.At.UTC().Format(time.RFC3339))
	}
	contents[e.File], contents[e.PEM] = it.Bundle.Raw, pemOf(it.Bundle)
	for ext, data := range map[string][]byte{"html": it.AuditHTML, "txt": it.AuditText} {
		if data != nil {
			contents[auditPath(it.Name, ext)] = data
		}
	}
	if it.Old == nil {
		return &e, nil
	}
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
	contents[e.Changes.Text], contents[e.Changes.JSON] = text.Bytes(), json.Bytes()
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
func pemOf(b *bundle.Bundle) []byte {
	var out bytes.Buffer
	_ = (&inspect.Report{Bundle: b}).WritePEM(&out) // a Buffer takes everything
	return out.Bytes()
}

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

func scriptFor(anchors []roots.Anchor) string {
	var pins []string
	for _, a := range anchors {
		tolerates := "-"
		if a.SHA1Links {
			tolerates = "sha1"
		}
		pins = append(pins, fmt.Sprintf("%x %s %s", a.SHA256, tolerates, a.Name))
	}
	return strings.NewReplacer("@PINS@", strings.Join(pins, "\n"), "@RULES@\n", rules).Replace(script)
}

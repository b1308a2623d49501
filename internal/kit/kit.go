// Package kit carries bundles to where no network is: Pack makes one tar file of
// bundles and what an operator needs beside them, Open proves such a file, and
// Kit.Unpack writes what was proved.
//
// A kit is canonical. Its first file, manifest.json, says what the others are, and
// from it every byte of the tar follows that is not a file's content: Open makes
// the headers itself and compares. So a link, a path that leads elsewhere, a second
// file of a name or an extension of the format has no byte to be in, and no
// reader of tar files sees what is hostile.
//
// Each bundle is proved by its own signature, under anchors that the receiver
// chooses. The other files are proved by a signature over the manifest if there
// is one and the receiver knows its root; otherwise they are what the sender wrote.
package kit

import (
	"bytes"
	"crypto/md5"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"hash"
	"io"
	"maps"
	"path"
	"slices"
	"strings"
	"time"

	"trustpool/internal/report"
)

// Schema is that of a kit's manifest.
const Schema = "trustpool.kit/1"

// Limits on what a kit holds.
const (
	MaxSize     = 1 << 30   // bytes of a kit
	MaxManifest = 1 << 20   // bytes of its manifest
	MaxFile     = 256 << 20 // bytes of a file within
	MaxFiles    = 1000
	MaxBundles  = 64
	maxName     = 60 // characters of a name within a path
)

// Files of a kit that have one name in all of them.
const (
	manifestFile  = "manifest.json"
	signatureFile = "manifest.json.p7s"
	readmeFile    = "README.txt"
	sumsFile      = "SHA256SUMS"
	scriptFile    = "verify.sh"
)

// A Manifest says what is in a kit; docs/formats.md has every field.
type Manifest struct {
	Schema   string     `json:"schema"`
	Time     string     `json:"time"`      // of every file, RFC 3339
	TimeFrom string     `json:"time_from"` // "signing-time" or "source-date-epoch"
	Bundles  []Entry    `json:"bundles"`
	Files    []fileSums `json:"files"`
}

// Where the time of a kit comes from.
const (
	FromSigningTime     = "signing-time"
	FromSourceDateEpoch = "source-date-epoch"
)

// An Entry is what the manifest says of a bundle.
type Entry struct {
	File         string    `json:"file"`
	PEM          string    `json:"pem"`
	Name         string    `json:"name"` // these two as signed
	Version      string    `json:"version"`
	SigningTime  *string   `json:"signing_time"`
	Certificates int       `json:"certificates"`
	Verification judgement `json:"verification"`
	Changes      *changes  `json:"changes"`
}

// A judgement is how a bundle was judged when it was packed.
type judgement struct {
	Verified bool     `json:"verified"` // true: no other bundle is packed
	At       *string  `json:"at"`       // the time that the packer gave
	Anchor   anchorID `json:"anchor"`
}

// An anchorID names the root under which a bundle is verified.
type anchorID struct {
	Name   string `json:"name"`
	SHA256 string `json:"sha256"`
}

// changes say since which bundle the changes are told.
type changes struct {
	Text    string `json:"text"`
	JSON    string `json:"json"`
	Version string `json:"version"` // of the old bundle, as signed
	SHA256  string `json:"sha256"`  // of the old bundle
}

// fileSums are what the manifest says of one file. MD5 is for devices that compute no other hash, and
// proves nothing.
type fileSums struct {
	Path   string `json:"path"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
	SHA512 string `json:"sha512"`
	MD5    string `json:"md5"`
}

// A content writes what a file holds, the same bytes each time: so nothing large is
// kept that can be made again.
type content func(io.Writer) error

// held is the content of bytes in memory.
func held(data []byte) content {
	return func(w io.Writer) error {
		_, err := w.Write(data)
		return err
	}
}

func newFile(path string, data content) (fileSums, error) {
	s256, s512, m5, size := sha256.New(), sha512.New(), md5.New(), counter(0)
	if err := data(io.MultiWriter(s256, s512, m5, &size)); err != nil {
		return fileSums{}, fmt.Errorf("%s: %w", path, err)
	}
	sum := func(h hash.Hash) string { return hex.EncodeToString(h.Sum(nil)) }
	return fileSums{path, int64(size), sum(s256), sum(s512), sum(m5)}, nil
}

// A counter counts what is written.
type counter int64

func (c *counter) Write(b []byte) (int, error) {
	*c += counter(len(b))
	return len(b), nil
}

// encode writes the manifest in the one way that counts.
func (m *Manifest) encode() ([]byte, error) {
	var out bytes.Buffer
	err := report.WriteJSON(&out, m)
	return out.Bytes(), err
}

// parseManifest reads a manifest that is written as encode writes it, byte for
// byte, and says what a manifest can say.
func parseManifest(data []byte) (*Manifest, error) {
	var m Manifest
	if err := json.Unmarshal(data, &m); err != nil {
		return nil, err
	}
	switch { // before it is written again
	case m.Schema != Schema:
		return nil, fmt.Errorf("its schema is %q, not %q", m.Schema, Schema)
	case len(m.Bundles) == 0 || len(m.Bundles) > MaxBundles:
		return nil, fmt.Errorf("%d bundles, not 1 to %d", len(m.Bundles), MaxBundles)
	case len(m.Files) > MaxFiles:
		return nil, fmt.Errorf("%d files, more than %d", len(m.Files), MaxFiles)
	}
	if again, err := m.encode(); err != nil || !bytes.Equal(again, data) {
		return nil, errors.New("it is not written as trustpool writes it: a field too many, twice, missing or in another place")
	}
	return &m, m.check()
}

// check holds the manifest to what Pack makes, but for what is in the files.
func (m *Manifest) check() error {
	t, err := m.time()
	switch {
	case err != nil:
		return err
	case t.Unix() < 0 || t.Unix() > maxTime:
		return fmt.Errorf("its time %s is not one that a tar file can have", m.Time)
	case m.TimeFrom != FromSigningTime && m.TimeFrom != FromSourceDateEpoch:
		return fmt.Errorf("its time comes from %q", m.TimeFrom)
	}
	seen := map[string]bool{}
	programs := 0
	for i, f := range m.Files {
		if strings.HasPrefix(f.Path, programDir) {
			programs++
		}
		if err := checkPath(f.Path); err != nil {
			return err
		}
		fold := strings.ToLower(f.Path)
		switch {
		case seen[fold]:
			return fmt.Errorf("the file %s is there twice", f.Path)
		case programs > 1:
			return fmt.Errorf("the file %s is a second program", f.Path)
		case i > 0 && f.Path < m.Files[i-1].Path:
			return fmt.Errorf("the file %s is out of order", f.Path)
		case f.Size < 0 || f.Size > MaxFile:
			return fmt.Errorf("the file %s has %d bytes, more than %d", f.Path, f.Size, MaxFile)
		case !report.IsHex(f.SHA256, sha256.Size) || !report.IsHex(f.SHA512, sha512.Size) || !report.IsHex(f.MD5, md5.Size):
			return fmt.Errorf("a hash of the file %s is none", f.Path)
		}
		seen[fold] = true
	}
	return m.checkBundles()
}

// checkBundles asks that files and bundles belong together.
func (m *Manifest) checkBundles() error {
	want := map[string]bool{readmeFile: true, sumsFile: true, scriptFile: true} // must be there
	may := map[string]bool{}
	names := map[string]bool{}
	for _, b := range m.Bundles {
		name, ok := strings.CutSuffix(strings.TrimPrefix(b.File, "bundles/"), ".p7b")
		switch {
		case !ok || b.File != bundlePath(name) || b.PEM != pemPath(name):
			return fmt.Errorf("the bundle %q with the PEM %q is in no place for them", b.File, b.PEM)
		case want[b.File]:
			return fmt.Errorf("the bundle %s is there twice", b.File)
		case names[b.Name]:
			return fmt.Errorf("two bundles are called %q: only one can be the newest", b.Name)
		case !b.Verification.Verified:
			return fmt.Errorf("the bundle %s was not verified when it was packed", b.File)
		}
		if at := b.Verification.At; at != nil {
			if _, err := parseTime(*at); err != nil {
				return fmt.Errorf("the bundle %s: it was judged at a time that is none: %w", b.File, err)
			}
		}
		names[b.Name] = true
		want[b.File], want[b.PEM] = true, true
		may[auditPath(name, "html")], may[auditPath(name, "txt")] = true, true
		if c := b.Changes; c != nil {
			if !report.IsHex(c.SHA256, sha256.Size) {
				return fmt.Errorf("the hash of what %s is compared with is none", b.File)
			}
			if c.Text != changesPath(name, "txt") || c.JSON != changesPath(name, "diff.json") {
				return fmt.Errorf("the changes of %s are in no place for them", b.File)
			}
			want[c.Text], want[c.JSON] = true, true
		}
	}
	for _, f := range m.Files {
		if !want[f.Path] && !may[f.Path] && path.Dir(f.Path) != "commands" && path.Dir(f.Path) != "program" {
			return fmt.Errorf("the file %s belongs to no bundle of the manifest", f.Path)
		}
		delete(want, f.Path)
	}
	if len(want) > 0 {
		return fmt.Errorf("the file %s is missing", slices.Min(slices.Collect(maps.Keys(want))))
	}
	return nil
}

func (m *Manifest) time() (time.Time, error) { return parseTime(m.Time) }

func parseTime(s string) (time.Time, error) {
	t, err := time.Parse(time.RFC3339, s)
	if err != nil || t.UTC().Format(time.RFC3339) != s {
		return t, fmt.Errorf("the time %q is not of the form 2006-01-02T15:04:05Z", s)
	}
	return t, nil
}

func bundlePath(name string) string       { return "bundles/" + name + ".p7b" }
func pemPath(name string) string          { return "bundles/" + name + ".pem" }
func auditPath(name, ext string) string   { return "audit/" + name + "." + ext }
func changesPath(name, ext string) string { return "changes/" + name + "." + ext }

// programDir has the program that goes with a kit: the only files that may be run.
const programDir = "program/"

func commandsPath(platform string) string { return "commands/" + platform + ".txt" }

// checkPath returns an error if a path is not one of those that files of a kit have.
func checkPath(p string) error {
	if p == readmeFile || p == sumsFile || p == scriptFile {
		return nil
	}
	dir, file := path.Split(p)
	endings := map[string][]string{
		"bundles/": {".p7b", ".pem"}, "audit/": {".html", ".txt"}, "changes/": {".txt", ".diff.json"}, "commands/": {".txt"}, programDir: {""},
	}[dir]
	for _, e := range endings {
		if name, ok := strings.CutSuffix(file, e); ok && CheckName(name) == nil {
			return nil
		}
	}
	return fmt.Errorf("%q is not the path of a file of a kit", p)
}

// CheckName returns an error if a bundle cannot have a name in a kit: letters, digits, dots,
// hyphens and underscores, which every file system takes, at most 60.
func CheckName(name string) error {
	plain := func(r rune) bool {
		return r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("._-", r)
	}
	// On Windows these names are devices, with any ending.
	stem, _, _ := strings.Cut(strings.ToLower(name), ".")
	device := slices.Contains([]string{"con", "prn", "aux", "nul"}, stem) ||
		len(stem) == 4 && (strings.HasPrefix(stem, "com") || strings.HasPrefix(stem, "lpt")) && stem[3] >= '0' && stem[3] <= '9'
	switch {
	case name == "" || len(name) > maxName:
		return fmt.Errorf("the name %q has %d characters, not 1 to %d", name, len(name), maxName)
	case strings.ContainsFunc(name, func(r rune) bool { return !plain(r) }):
		return fmt.Errorf("the name %q has characters other than A-Z, a-z, 0-9, dot, hyphen and underscore", name)
	case strings.ContainsRune("._-", rune(name[0])) || strings.HasSuffix(name, "."):
		return fmt.Errorf("the name %q begins with a sign or ends with a dot", name)
	case device:
		return fmt.Errorf("the name %q is that of a device on Windows", name)
	}
	return nil
}

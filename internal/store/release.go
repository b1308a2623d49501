package store

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/internal/report"
)

// A Kind is how a release came to be.
type Kind string

// The kinds.
const (
	Published  Kind = "published"
	Mirrored   Kind = "mirrored"
	RolledBack Kind = "rolled-back"
	Archived   Kind = "archived" // an older version from a source's archive, which was never current
)

// An Anchor names the trust anchor that a signature led to.
type Anchor struct {
	Name   string `json:"name"` // empty if it was given by its hash alone
	SHA256 string `json:"sha256"`
}

// A Release is one publication of one bundle under one name. What it says of the
// bundle was true when it was published.
type Release struct {
	Name   string `json:"name"`   // as it is served: ios, ios_core
	Number int    `json:"number"` // 1, 2, … of this name
	Kind   Kind   `json:"kind"`
	Contents
	Published time.Time `json:"published_at"`
	// Allowed are the gates that would not have let it pass, and that the publisher allowed,
	// in the order of Gates.
	Allowed []Gate `json:"allowed"`
	From    string `json:"from"` // the file or URL it came from, without credentials; of a rollback empty
}

// Contents are what is known of a bundle's bytes.
type Contents struct {
	SHA256       string     `json:"sha256"` // of the bytes, lower-case hex
	Size         int64      `json:"size"`   // bytes
	SignedName   string     `json:"signed_name"`
	Version      string     `json:"version"`      // the signer's claims, verified at publication
	SigningTime  *time.Time `json:"signing_time"` // nil if there is no one signing time
	Certificates int        `json:"certificates"`
	Undecodable  int        `json:"undecodable"` // of them
	Anchor       Anchor     `json:"anchor"`
	// Signed is the identity of what was signed: of each signer the SHA-256 of the
	// signed attributes. Empty if the bundle is not verified, and in the history of
	// publications before it was recorded.
	Signed []string `json:"signed"`
}

// MarshalJSON gives null for what is empty. It is read back as any struct is.
func (r Release) MarshalJSON() ([]byte, error) { return report.Marshal(r.report()) }

const fileSuffix = ".p7b"

// File is the name of the bundle's file, ios.p7b.
func (r *Release) File() string { return r.Name + fileSuffix }

const (
	hashDigits = 16 // of the SHA-256 in a directory's name
	maxVersion = 32 // bytes of the version there
)

// Dir is the directory of the release in the archive below its name:
// 10-1c2d3e4f5a6b7c8d, version and the beginning of the SHA-256.
func (c *Contents) Dir() string {
	version := strings.Map(func(c rune) rune {
		if 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || c == '.' {
			return c
		}
		return '_'
	}, c.Version)
	version = strings.TrimLeft(version[:min(len(version), maxVersion)], ".") // a hidden directory is none
	if version == "" {
		version = "_"
	}
	return version + "-" + c.SHA256[:hashDigits]
}

// key is that of a file in the release's directory of the archive.
func (r *Release) key(file string) string { return r.Contents.key(r.Name, file) }

func (c *Contents) key(name, file string) string {
	return archivePrefix + name + "/" + c.Dir() + "/" + file
}

// check refuses a release that nothing can have published.
func (r *Release) check() error {
	if err := CheckName(r.Name); err != nil {
		return err
	}
	switch {
	case !report.IsHex(r.SHA256, sha256.Size):
		return fmt.Errorf("%q is not a SHA-256", r.SHA256)
	case r.Size < 1 || r.Size > MaxBundle:
		return fmt.Errorf("a bundle of %d bytes", r.Size)
	case r.Number < 1:
		return fmt.Errorf("release number %d", r.Number)
	case !slices.Contains([]Kind{Published, Mirrored, RolledBack, Archived}, r.Kind):
		return fmt.Errorf("%q is not a kind of release", r.Kind)
	case r.Certificates < 1 || int64(r.Certificates) > r.Size || r.Undecodable < 0 || r.Undecodable > r.Certificates:
		return fmt.Errorf("%d certificates, %d of them undecodable, in %d bytes", r.Certificates, r.Undecodable, r.Size)
	case slices.ContainsFunc(r.Signed, func(s string) bool { return !report.IsHex(s, sha256.Size) }):
		return fmt.Errorf("%q is not what signers signed", r.Signed)
	case r.Published.IsZero():
		return errors.New("no time of publication")
	}
	return nil
}

// indexSchema is that of current/NAME.
const indexSchema = "trustpool.index/1"

// A State is everything that a store says of a name. It is current/NAME, one object, so that
// the history always is that of the current release.
type State struct {
	Schema   string   `json:"schema"`
	Name     string   `json:"name"`
	Releases releases `json:"releases"` // every publication, the oldest first; the last is current
	// Archived are older versions that were never current here, the oldest first.
	Archived releases `json:"archived,omitempty"`
	Feed     *Advice  `json:"feed,omitempty"` // what was mirrored beside them; nil for nothing
}

// releases are read one by one: a file of maxIndex bytes that nothing here has
// written can name ten million, in more memory than there is.
type releases []Release

// maxRelease is how many bytes one of them may have in the index.
const maxRelease = 64 << 10

func (rs *releases) UnmarshalJSON(data []byte) error {
	*rs = nil
	d := json.NewDecoder(bytes.NewReader(data))
	if start, err := d.Token(); err != nil || start != json.Delim('[') {
		return errors.Join(err, errors.New("its releases are not a list"))
	}
	for d.More() {
		if len(*rs) == maxHistory {
			return fmt.Errorf("it has more than %d releases", maxHistory)
		}
		var one json.RawMessage
		var r Release
		if err := d.Decode(&one); err != nil {
			return err
		}
		if len(one) > maxRelease {
			return fmt.Errorf("release %d of it has more than %d bytes", len(*rs)+1, maxRelease)
		}
		if err := json.Unmarshal(one, &r); err != nil {
			return err
		}
		*rs = append(*rs, r)
	}
	return nil
}

// Current is the release that is to be served; nil if nothing was published.
func (s *State) Current() *Release {
	if s == nil {
		return nil
	}
	return &s.Releases[len(s.Releases)-1]
}

// with is the state with one release more, which gets its number.
func (s *State) with(r Release) *State {
	next := State{Schema: indexSchema, Name: r.Name}
	r.Number = 1
	if s != nil {
		next = *s
		next.Releases = slices.Clone(s.Releases[max(0, len(s.Releases)+1-maxHistory):])
		r.Number = s.Current().Number + 1
	}
	next.Releases = append(next.Releases, r)
	return &next
}

// parseIndex reads current/NAME. Fields that it does not know are passed over: a
// server of today reads what a publisher of tomorrow wrote.
func parseIndex(data []byte, name string) (*State, error) {
	if len(data) > maxIndex {
		return nil, fmt.Errorf("it has more than %d bytes", maxIndex)
	}
	var ix State
	if err := json.Unmarshal(data, &ix); err != nil {
		return nil, err
	}
	switch {
	case ix.Schema != indexSchema:
		return nil, fmt.Errorf("its schema is %q, not %s", ix.Schema, indexSchema)
	case ix.Name != name:
		return nil, fmt.Errorf("it is that of %q", ix.Name)
	case len(ix.Releases) == 0:
		return nil, errors.New("it names no release")
	}
	for i := range ix.Releases {
		r := &ix.Releases[i]
		err := r.check()
		switch {
		case err != nil:
		case r.Name != name:
			err = fmt.Errorf("it is one of %q", r.Name)
		case r.Kind == Archived:
			err = errors.New("a version of the archive is never current")
		case i > 0 && r.Number != ix.Releases[i-1].Number+1:
			err = fmt.Errorf("number %d follows number %d", r.Number, ix.Releases[i-1].Number)
		}
		if err != nil {
			return nil, fmt.Errorf("release %d of it: %w", i+1, err)
		}
	}
	for i := range ix.Archived {
		r := &ix.Archived[i]
		if err := r.check(); err != nil || r.Name != name || r.Kind != Archived {
			return nil, errors.Join(fmt.Errorf("version %d of its archive is not one of %q", i+1, name), err)
		}
	}
	return &ix, nil
}

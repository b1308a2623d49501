// Package hosting serves bundles to devices over HTTP.
//
// A Source is where bundles are found: files, a directory, a store. What of it is
// verified makes a Catalog, which never changes. A Server holds the newest one,
// answers requests from it, and puts another in its place when the source has
// changed for good. Bytes that were not verified are never served, and what
// cannot be had or verified any more does not displace what is served.
package hosting

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/feed"
	"trustpool/roots"
	"trustpool/signing"
)

// Limits of what is served.
const (
	MaxEntries      = 1000     // bundles of different names
	MaxBundleBytes  = 64 << 20 // of one bundle; Cisco's largest has less than 500 kB
	MaxArchived     = 64       // older releases of one bundle: the newest of them
	MaxArchiveBytes = 64 << 20 // of these together
	MaxNameLength   = 64       // bytes of an entry's name
)

// A Catalog is what is served at a time. It never changes.
type Catalog struct {
	Entries []*Entry // by name

	paths map[string]*resource
}

// Lookup finds an entry; nil if there is none.
func (c *Catalog) Lookup(name string) *Entry {
	i, ok := slices.BinarySearchFunc(c.Entries, name, func(e *Entry, name string) int { return strings.Compare(e.Name, name) })
	if !ok {
		return nil
	}
	return c.Entries[i]
}

// An Entry is a bundle by the name under which it is served.
type Entry struct {
	Name    string // ios
	Current *Release
	Archive []*Release // older ones, the newest first
	// Newer is the version that was served before Current, which a file in its
	// place made an older one. Empty if Current is the newest since the start; what
	// a store has passed its gate.
	Newer string

	beside map[*Release]beside // each release
}

// beside is what is beside a release.
type beside struct {
	before *Release // the one that the change is from; nil for none
	files  []feed.SideFile
}

// Releases are the current one and the archive's.
func (e *Entry) Releases() []*Release { return append([]*Release{e.Current}, e.Archive...) }

// A Release is one version of a bundle. It was verified before it became one.
type Release struct {
	Raw          []byte // the DER of the message; not to be changed
	SHA256       string // of Raw, in hex
	SignedName   string // Trusted Intersect Bundle
	Version      string
	SigningTime  certificate.Time
	Modified     time.Time // when it was published; of a plain file its modification time
	Verification signing.Report
	Certificates int // entries of the pool
	Origin       string

	source   string      // SHA-256 of the file, in hex: of Raw, or of the text around it
	expiries []time.Time // of the certificates that have one, in order
}

// Expired counts the certificates whose notAfter lies before at.
func (r *Release) Expired(at time.Time) int {
	n, _ := slices.BinarySearchFunc(r.expiries, at, time.Time.Compare)
	return n
}

// NextExpiry is when the next certificate expires, and false if none will.
func (r *Release) NextExpiry(at time.Time) (time.Time, bool) {
	if n := r.Expired(at); n < len(r.expiries) {
		return r.expiries[n], true
	}
	return time.Time{}, false
}

// wrapped reports whether the file is text around the DER that is served.
func (r *Release) wrapped() bool { return r.source != r.SHA256 }

// FileName is what the bundle is called in URLs: ios.p7b.
func (e *Entry) FileName() string { return e.Name + extension }

// extension is that of every bundle's name.
const extension = ".p7b"

// checkName reports whether a name can be part of every URL as it is.
func checkName(name string) error {
	if name == "" || len(name) > MaxNameLength || name[0] == '.' || !plain(name) {
		return fmt.Errorf("%q cannot be served under that name: letters, digits, and . _ - after the first, at most %d", name, MaxNameLength)
	}
	return nil
}

// plain reports whether s can be part of a path as it is.
func plain(s string) bool {
	for _, c := range []byte(s) {
		if (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && (c < '0' || c > '9') && c != '.' && c != '_' && c != '-' {
			return false
		}
	}
	return s != "" && s != "." && s != ".."
}

// trust is what a bundle is judged by.
type trust struct {
	anchors     []roots.Anchor
	limits      bundle.Limits
	noDowngrade bool
}

// release verifies bytes and makes a release of them.
func (t trust) release(raw []byte, modified, at time.Time, origin string) (*Release, error) {
	b, v, err := t.verify(raw, at)
	if err != nil {
		return nil, err
	}
	source := digest(raw)
	if bare, wrapped := b.Unwrap(); wrapped { // devices read DER
		raw = slices.Clip(slices.Clone(bare.Raw))
	}
	r := &Release{
		Raw: raw, SHA256: digest(raw), source: source, SignedName: v.Name, Version: v.Version, SigningTime: v.SigningTime,
		Modified: modified.UTC().Truncate(time.Second), Verification: signing.NewReport(v, nil, &at),
		Certificates: len(b.Certificates), Origin: origin,
	}
	for _, c := range b.Certificates {
		if c.Err == nil && c.NotAfter.Valid {
			r.expiries = append(r.expiries, c.NotAfter.Time)
		}
	}
	slices.SortFunc(r.expiries, time.Time.Compare)
	return r, nil
}

func (t trust) verify(raw []byte, at time.Time) (*bundle.Bundle, *signing.Verification, error) {
	b, err := t.limits.Parse(raw)
	if err != nil {
		return nil, nil, err
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: t.anchors, At: at})
	return b, v, err
}

// again verifies a release once more: that its bytes are the same, and that they
// are still vouched for.
func (t trust) again(r *Release, at time.Time) signing.Report {
	var v *signing.Verification
	err := errors.New("the bytes in memory have changed")
	if digest(r.Raw) == r.SHA256 {
		_, v, err = t.verify(r.Raw, at)
	}
	if err == nil {
		return signing.NewReport(v, nil, &at)
	}
	refused, ok := errors.AsType[*signing.VerifyError](err)
	if !ok {
		refused = &signing.VerifyError{Reason: signing.DigestDiffers, Err: err}
	}
	return signing.NewReport(nil, refused, &at)
}

func digest(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

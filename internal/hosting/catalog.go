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
	"iter"
	"net/http"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/signing"
)

// Limits of what is served.
const (
	MaxEntries     = 1000     // bundles of different names
	maxBundleBytes = 64 << 20 // of one bundle; Cisco's largest has less than 500 kB
	maxArchived    = 64       // older releases of one bundle: the newest of them
	maxNameLength  = 64       // bytes of an entry's name
)

// A Catalog is what is served at a time. It never changes. Current releases are in it; what else there is it reads or
// makes when that is asked for.
type Catalog struct {
	Entries []*Entry // by name

	demander *demander
	pnp      *Entry // at pathPnP; nil for none
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
	Archive []*Record // older ones, the newest first; Catalog.Open reads them
	// Newer is the version that was served before Current, which a file in its
	// place made an older one. Empty if Current is the newest since the start; what
	// a store has passed its gate.
	Newer string
	// Advice is what was mirrored beside the current release; nil for nothing.
	Advice *Advice

	header   http.Header // of the current release where others ask first
	counters *counters
}

// Records gives the current release and the archive's.
func (e *Entry) Records() iter.Seq[*Record] {
	return func(yield func(*Record) bool) {
		if yield(&e.Current.Record) {
			slices.Values(e.Archive)(yield)
		}
	}
}

// Before is the release before one; nil for none.
func (e *Entry) Before(r *Record) *Record {
	found := false
	for older := range e.Records() {
		if found {
			return older
		}
		found = older == r
	}
	return nil
}

// A Record is what is known of a release without its bytes. Of an older one it is what the history of its store says;
// that is compared with what was signed before a byte of it is served.
type Record struct {
	SHA256       string           `json:"sha256"`      // of the DER of the message, in hex
	Size         int              `json:"size"`        // bytes of it
	SignedName   string           `json:"signed_name"` // Trusted Intersect Bundle
	Version      string           `json:"version"`
	SigningTime  certificate.Time `json:"signing_time"`
	Modified     report.Moment    `json:"published_at"` // of a plain file its modification time
	Certificates int              `json:"certificates"` // entries of the pool

	source reader
}

// A Release is one version of a bundle. It was verified before it became one.
type Release struct {
	Record
	Raw          []byte         // the DER of the message; not to be changed
	Verification signing.Report // when it was loaded

	Expiries []time.Time // of the certificates that have one, in order; not to be changed

	file   string // SHA-256 of the file, in hex: of Raw, or of the text around it
	judged judgement
}

// Expired counts the certificates whose notAfter lies before at.
func (r *Release) Expired(at time.Time) int {
	n, _ := slices.BinarySearchFunc(r.Expiries, at, time.Time.Compare)
	return n
}

// NextExpiry is when the next certificate expires, and false if none will.
func (r *Release) NextExpiry(at time.Time) (time.Time, bool) {
	if n := r.Expired(at); n < len(r.Expiries) {
		return r.Expiries[n], true
	}
	return time.Time{}, false
}

// FileName is what the bundle is called in URLs: ios.p7b.
func (e *Entry) FileName() string { return e.Name + extension }

// extension is that of every bundle's name.
const extension = ".p7b"

// checkName reports whether a name can be part of every URL as it is.
func checkName(name string) error {
	if name == "" || len(name) > maxNameLength || name[0] == '.' || !plain(name) {
		return fmt.Errorf("%q cannot be served under that name: letters, digits, and . _ - after the first, at most %d", name, maxNameLength)
	}
	return nil
}

// plain reports whether s can be part of a path as it is.
func plain(s string) bool {
	return s != "" && s != "." && s != ".." && strings.Trim(s, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-") == ""
}

// release verifies bytes and makes a release of them.
func (o *Options) release(raw []byte, source reader, modified, at time.Time) (*Release, error) {
	b, err := o.Limits.Parse(raw)
	if err != nil {
		return nil, err
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: at})
	if err != nil {
		return nil, err
	}
	file := Digest(raw)
	sum := file
	if bare, wrapped := b.Unwrap(); wrapped { // devices read DER
		raw = slices.Clip(slices.Clone(bare.Raw))
		sum = Digest(raw)
	}
	r := &Release{
		Record: Record{
			SHA256: sum, Size: len(raw), SignedName: v.Name, Version: v.Version, SigningTime: v.SigningTime,
			Modified: report.Moment{Time: modified.UTC().Truncate(time.Second)}, Certificates: len(b.Certificates), source: source,
		},
		Raw: raw, Verification: signing.NewReport(v, nil, &at), file: file,
	}
	for _, c := range b.Certificates {
		if c.Err == nil && c.NotAfter.Valid {
			r.Expiries = append(r.Expiries, c.NotAfter.Time)
		}
	}
	slices.SortFunc(r.Expiries, time.Time.Compare)
	return r, nil
}

// again verifies a release once more: that its bytes are the same, and that they
// are still vouched for.
func (o *Options) again(r *Release, at time.Time) signing.Report {
	var v *signing.Verification
	err := errors.New("the bytes in memory have changed")
	if Digest(r.Raw) == r.SHA256 {
		var b *bundle.Bundle
		if b, err = o.Limits.ParseOutline(r.Raw); err == nil {
			v, err = signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: at})
		}
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

// Digest is the SHA-256 of data, in hex.
func Digest(data []byte) string { return fmt.Sprintf("%x", sha256.Sum256(data)) }

package hosting

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/feed"
)

// A side is a file beside a bundle, by how its name ends after that of the bundle, if it begins with it; empty for the bundle.
type side string

// The sides.
const (
	sideSHA256    side = extension + ".hash.sha256"
	sideSHA512    side = extension + ".hash.sha512"
	sideDiff      side = ".diff.json"
	sideJKS       side = ".jks"
	sideJKSSHA256 side = ".jks.hash.sha256"
	sideJKSSHA512 side = ".jks.hash.sha512"
	sideManifest  side = feed.ManifestFile
	sideRSS       side = feed.RSSFile
)

// maxRSS is how many bytes the changes in an rss.xml have together: editions that are older than those that fit are left out.
const maxRSS = 4 << 20

// sides are the files beside a release: the feed only by the name of the current release.
func (e *Entry) sides(r *Record, current bool) []side {
	all := []side{sideSHA256, sideSHA512}
	if e.Before(r) != nil {
		all = append(all, sideDiff)
	}
	all = append(all, sideManifest, sideJKS, sideJKSSHA256, sideJKSSHA512)
	if current {
		all = append(all, sideRSS)
	}
	return all
}

func (s side) name(e *Entry) string {
	if s == sideManifest || s == sideRSS {
		return string(s)
	}
	return e.Name + string(s)
}

func (s side) contentType() string {
	switch s {
	case "":
		return typeBundle
	case sideDiff:
		return typeJSON
	case sideJKS:
		return typeJKS
	case sideRSS:
		return typeRSS
	default:
		return typeText
	}
}

// expected is about how many bytes the file has.
func (s side) expected(r *Record) int64 {
	switch s {
	case sideDiff:
		return int64(r.Certificates) * 300
	case sideManifest:
		return int64(r.Certificates) * 120
	case sideJKS:
		return int64(r.Size) + int64(r.Certificates)*200
	case sideRSS:
		return maxRSS / 16
	default:
		return 130
	}
}

// A body is the bytes of a resource, and their SHA-256 in hex.
type body struct {
	data   []byte
	sha256 string
}

// body gives what there is at a path. It is held until done is called.
func (c *Catalog) body(ctx context.Context, f *resource) (b *body, done func(), err error) {
	d := c.demander
	if f.beside == "" {
		r, done, err := d.open(ctx, f.entry, f.record, true)
		if err != nil {
			return nil, done, err
		}
		return &body{r.Raw, r.SHA256}, done, nil
	}
	what := string(f.beside)
	if before := f.entry.Before(f.record); before != nil {
		// The same release may follow another one when history has gone on.
		what += " " + before.SHA256
	}
	return demand(ctx, d, key(f.entry, f.record, what), d.shelf.making, f.beside.expected(f.record), true, func(ctx context.Context) (*body, int64, error) {
		data, err := d.side(ctx, f)
		return &body{data, Digest(data)}, int64(cap(data)), err
	})
}

// side makes a file beside a release.
func (d *demander) side(ctx context.Context, f *resource) ([]byte, error) {
	e, r := f.entry, f.record
	switch f.beside {
	case sideSHA256, sideSHA512:
		release, done, err := d.open(ctx, e, r, false)
		defer done()
		if err != nil {
			return nil, err
		}
		if f.beside == sideSHA256 {
			return feed.HashSHA256(release.Raw), nil
		}
		return feed.HashSHA512(release.Raw), nil
	case sideRSS:
		return d.rss(ctx, e)
	}
	b, err := d.parse(ctx, e, r)
	if err != nil {
		return nil, err
	}
	switch f.beside {
	case sideDiff:
		old, err := d.parse(ctx, e, e.Before(r))
		if err != nil {
			return nil, err
		}
		var out bytes.Buffer
		err = feed.WriteDiff(&out, bundle.Compare(old, b))
		return out.Bytes(), err
	case sideManifest:
		return feed.Manifest(b), nil
	}
	jks, err := feed.JKS(Decoded(b), r.Modified.Time)
	switch f.beside {
	case sideJKSSHA256:
		jks = feed.HashSHA256(jks)
	case sideJKSSHA512:
		jks = feed.HashSHA512(jks)
	}
	return jks, err
}

// Decoded are the certificates of a bundle that could be decoded: what Java cannot read makes it refuse a whole truststore.
func Decoded(b *bundle.Bundle) (certs []*certificate.Certificate) {
	for _, c := range b.Certificates {
		if c.Err == nil {
			certs = append(certs, c)
		}
	}
	return certs
}

// rss makes the feed of an entry. Releases that are bad are left out: nothing may be said of them. That one cannot be
// read now is an error.
func (d *demander) rss(ctx context.Context, e *Entry) ([]byte, error) {
	type parsed struct {
		*Record
		*bundle.Bundle
	}
	var editions []feed.Edition
	var newer *parsed
	size := 0
	add := func(older *bundle.Bundle) error {
		if newer == nil || size > maxRSS {
			return nil
		}
		var change *bundle.Diff
		if older != nil {
			change = bundle.Compare(older, newer.Bundle)
		}
		names := newer.archiveNames()
		edition, err := feed.NewEdition(newer.Record.Version, "archive/"+e.Name+"/"+names[len(names)-1], newer.Record.SHA256, newer.Modified.Time, change)
		if size += len(edition.Diff); err == nil && size <= maxRSS {
			editions = append(editions, edition)
		}
		return err
	}
	for r := range e.Records() {
		b, err := d.parse(ctx, e, r)
		if _, bad := errors.AsType[*BadReleaseError](err); bad {
			continue
		}
		if err == nil {
			err = add(b)
		}
		if err != nil {
			return nil, err
		}
		if size > maxRSS {
			break
		}
		newer = &parsed{r, b}
	}
	if err := add(nil); err != nil {
		return nil, err
	}
	var out bytes.Buffer
	if err := feed.WriteRSS(&out, e.Current.SignedName, "current/"+e.Name, editions); err != nil {
		return nil, fmt.Errorf("%s of %s: %w", feed.RSSFile, e.Name, err)
	}
	return out.Bytes(), nil
}

package store

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"path"
	"slices"
	"strings"
	"time"

	"trustpool/internal/feed"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// MaxFeed is how many bytes the files of a feed have together, as they are kept.
const MaxFeed = 4 << 20

// An Advice is the feed that was mirrored with the releases of a name: where it is kept, and from where it came. Nothing
// signs a feed: it is no part of what a release is.
type Advice struct {
	Release string    `json:"release"` // the directory in the archive of the release that was current
	SHA256  string    `json:"sha256"`  // of the object there
	Size    int64     `json:"size"`
	From    string    `json:"from"`
	Fetched time.Time `json:"fetched_at"` // when it was first like this
}

// key is that of the object with the files. Its name follows from what is in it, as nothing in the archive changes.
func (a *Advice) key(name string) (string, error) {
	if !report.IsHex(a.SHA256, sha256.Size) || a.Size < 1 || a.Size > 2*MaxFeed || strings.ContainsAny(a.Release, "/\\") {
		return "", fmt.Errorf("the feed of %s cannot be found: %q of %q, %d bytes", name, report.Printable(a.SHA256), report.Printable(a.Release), a.Size)
	}
	return archivePrefix + name + "/" + a.Release + "/feed-" + a.SHA256[:hashDigits] + ".json", nil
}

// adviceFile is the object with the files of a feed, trustpool.advice/1.
type adviceFile struct {
	Schema string      `json:"schema"`
	Name   string      `json:"name"`
	From   string      `json:"from"`
	Files  []feed.File `json:"files"`
}

const adviceSchema = "trustpool.advice/1"

// keepFeed keeps the files of a feed with the current release of a name. It reports whether it is another feed than before.
func (s *Store) keepFeed(ctx context.Context, name, from string, files []feed.File, now time.Time) (changed bool, err error) {
	doc := adviceFile{adviceSchema, name, from, nil}
	for _, f := range files {
		doc.Files = append(doc.Files, feed.File{Name: path.Base(f.Name), Data: f.Data})
	}
	out, err := report.JSON(doc)
	if err != nil {
		return false, err
	}
	err = s.change(ctx, name, func(state *State) (bool, error) {
		a := &Advice{state.Current().Dir(), tagOf(out), int64(len(out)), from, now.UTC()}
		if b := state.Feed; b != nil && b.SHA256 == a.SHA256 && b.Release == a.Release {
			return false, nil
		}
		key, err := a.key(name)
		if err != nil {
			return false, err
		}
		if _, err := s.backend.Put(ctx, key, out, Condition{Absent: true}); err != nil && !errors.Is(err, ErrConflict) {
			return false, err
		}
		state.Feed, changed = a, true
		return true, nil
	})
	return changed && err == nil, err
}

// ReadFeed gives the files of a feed that was kept. They are advice, and not verified by anything.
func (s *Store) ReadFeed(ctx context.Context, name string, a *Advice) ([]feed.File, error) {
	key, err := a.key(name)
	if err != nil {
		return nil, err
	}
	data, err := s.whole(ctx, key, a.Size, a.SHA256)
	if err != nil {
		return nil, err
	}
	var doc adviceFile
	if err := json.Unmarshal(data, &doc); err != nil {
		return nil, &DamagedError{key, err}
	}
	if doc.Schema != adviceSchema {
		return nil, &DamagedError{key, fmt.Errorf("its schema is %q, not %s", doc.Schema, adviceSchema)}
	}
	return doc.Files, nil
}

// A FeedTaken is what a mirror took beside a bundle.
type FeedTaken struct {
	From           string     `json:"from"`
	Files          []string   `json:"files"`
	Changed        bool       `json:"changed"` // another feed than before, or with another release
	Name           *string    `json:"name"`
	Version        *string    `json:"version"` // the newest of the feed
	Published      *time.Time `json:"published_at"`
	Marked         int        `json:"marked_for_removal"`
	Newer          []string   `json:"newer_versions"` // than what is current
	Contradictions []string   `json:"contradictions"` // within the feed, and with what is current

	feed *feed.Feed
	stem string   // of the bundle's file
	base *url.URL // of current/ and archive/; nil if the URL of the bundle has neither
}

// TakeFeed fetches what is published beside the bundle at a URL, and keeps it with the current release of a name as advice:
// from current/NAME/ below the directory of the bundle, where Cisco has it, or from that directory itself. A feed that cannot
// be read, or that is about another bundle, is not kept.
func (s *Store) TakeFeed(ctx context.Context, from, name string, o MirrorOptions) (*FeedTaken, error) {
	current, err := s.Current(ctx, name)
	if err != nil {
		return nil, err
	}
	t, files, err := o.readFeed(ctx, from)
	if err != nil {
		return nil, err
	}
	f := t.feed
	if f.Name != "" && f.Name != current.SignedName {
		return nil, fmt.Errorf("%s: the feed is about %q, and %s is %q", t.From, report.Printable(f.Name), name, report.Printable(current.SignedName))
	}
	data, err := s.Read(ctx, *current)
	if err != nil {
		return nil, err
	}
	b, err := o.Limits.Parse(data)
	if err != nil {
		return nil, err
	}
	judged := f.Judge(feed.Question{Held: &feed.Held{File: current.File(), Name: current.SignedName, Version: current.Version, Certificates: b.Certificates}})
	t.Name, t.Version, t.Marked = report.Optional(f.Name), report.Optional(f.Newest()), len(judged.Marks)
	t.Newer = append([]string{}, judged.Newer...)
	t.Contradictions = slices.Concat([]string{}, judged.HeldContradictions, judged.Contradictions)
	if at := f.Published(); !at.IsZero() {
		t.Published = &at
	}
	if o.DryRun {
		return t, nil
	}
	t.Changed, err = s.keepFeed(ctx, name, t.From, files, o.Now)
	return t, err
}

// readFeed finds the feed of the bundle at a URL.
func (o *MirrorOptions) readFeed(ctx context.Context, from string) (*FeedTaken, []feed.File, error) {
	u, err := url.Parse(from)
	if err != nil {
		return nil, nil, errors.New("malformed URL of a bundle")
	}
	stem := strings.TrimSuffix(path.Base(u.Path), fileSuffix)
	beside := *u
	beside.Path, beside.RawPath = strings.TrimSuffix(path.Dir(u.Path), "/")+"/", ""
	left := int64(MaxFeed)
	get := func(ctx context.Context, url string) (fetch.File, error) {
		o := *o
		o.Fetch.MaxBytes, o.Fetch.ETag = max(left, 1), ""
		f, err := o.get(ctx, url, feed.Sniff, new(int))
		left -= int64(len(f.Data))
		return f, err
	}
	// Servers answer for what is not there in other ways than with 404, too, so an error of one place does not keep from the other.
	places := []*url.URL{beside.JoinPath(CurrentDir, stem, "/"), &beside}
	if baseOf(&beside, stem) != nil {
		places = places[1:]
	}
	var dir *url.URL
	var files []feed.File
	var failed error
	for _, dir = range places {
		if files, err = feed.Fetch(ctx, dir, stem, get); err == nil {
			break
		}
		if failed == nil || errors.Is(failed, feed.ErrNoFeed) {
			failed = err
		}
	}
	if files == nil {
		return nil, nil, failed
	}
	t := &FeedTaken{From: fetch.Mask(dir.String()), stem: stem, base: baseOf(dir, stem)}
	if t.feed, err = feed.Read(files...); err != nil {
		return nil, nil, err
	}
	for _, f := range t.feed.Files {
		t.Files = append(t.Files, string(f.Kind))
	}
	return t, files, nil
}

// baseOf is where current/ and archive/ are, by the directory of a feed; nil if that is not current/NAME/.
func baseOf(dir *url.URL, stem string) *url.URL {
	path, ok := strings.CutSuffix(strings.TrimSuffix(dir.Path, "/"), "/"+CurrentDir+"/"+stem)
	if !ok {
		return nil
	}
	base := *dir
	base.Path = path + "/"
	return &base
}

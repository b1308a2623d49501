package store

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"path"
	"slices"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// maxArchived is how many older versions of a name, that were never current, are kept.
const maxArchived = 1000

// An ArchivedOne is what became of one older version.
type ArchivedOne struct {
	Version string          `json:"version"` // as the feed has it
	From    string          `json:"from"`    // empty if it was not asked for
	Outcome ArchivedOutcome `json:"outcome"`
	Detail  string          `json:"detail"` // why, in words
}

// An ArchivedOutcome is what became of it.
type ArchivedOutcome string

// The outcomes.
const (
	ArchiveAdded   ArchivedOutcome = "added"   // to the history, or would be, in a dry run
	ArchiveKnown   ArchivedOutcome = "known"   // there is that version already
	ArchiveMissing ArchivedOutcome = "missing" // it is not in the archive of the source
	ArchiveRefused ArchivedOutcome = "refused" // it is not verified, or is of another name, or is not older
	ArchiveFailed  ArchivedOutcome = "failed"  // it cannot be had or read
)

// is says what became of one that is not added.
func (a *ArchivedOne) is(outcome ArchivedOutcome, detail string) (*Release, error) {
	a.Outcome, a.Detail = outcome, detail
	return nil, nil
}

// ArchiveRefused reports whether an older version was refused.
func (m *Mirroring) ArchiveRefused() bool {
	return slices.ContainsFunc(m.Archive, func(a ArchivedOne) bool { return a.Outcome == ArchiveRefused })
}

// FillArchive adds to the history of a name the older versions that the feed beside a bundle names, from archive/ of the
// same place: the source of the feed decides nothing but where they are looked for, below that place. Each is verified as
// for Publish, and has the signed name of the current release and a lower version. None of them becomes current, now or by
// a rollback. t is the feed if it was taken already, nil to fetch it.
func (s *Store) FillArchive(ctx context.Context, from, name string, t *FeedTaken, o MirrorOptions) ([]ArchivedOne, error) {
	state, _, err := s.StateSince(ctx, name, "")
	if err != nil {
		return nil, err
	}
	if o.PublishOptions, err = o.PublishOptions.withDefaults(); err != nil {
		return nil, err
	}
	if t == nil {
		if t, _, err = o.readFeed(ctx, from); err != nil {
			return nil, err
		}
	}
	if t.base == nil {
		return nil, fmt.Errorf("%s: not in %s/NAME/, so that it is not known where its archive is", t.From, CurrentDir)
	}
	f := filler{store: s, o: o, base: t.base, stem: t.stem, state: state}
	var out []ArchivedOne
	var added []Release
	for _, v := range slices.Backward(t.feed.Versions) {
		one := ArchivedOne{Version: v.Version}
		r, err := f.version(ctx, v, &one)
		if err != nil {
			return out, err
		}
		if one.Outcome != "" {
			out = append(out, one)
		}
		if r != nil {
			added = append(added, *r)
		}
	}
	if o.DryRun || len(added) == 0 {
		return out, nil
	}
	return out, s.addArchived(ctx, name, added)
}

// A filler looks for older versions of one name, the oldest first.
type filler struct {
	store *Store
	o     MirrorOptions
	base  *url.URL
	stem  string
	state *State
	last  *Release // the version before; nil if there is none
}

// known is a release that is there already; nil if there is none.
func (f *filler) known(is func(*Release) bool) *Release {
	for _, list := range [][]Release{f.state.Releases, f.state.Archived} {
		for i := range list {
			if is(&list[i]) {
				return &list[i]
			}
		}
	}
	return nil
}

// version looks for one version, and says in one what became of it: nothing if it is not older than the current release.
func (f *filler) version(ctx context.Context, v *feed.Version, one *ArchivedOne) (added *Release, err error) {
	switch order, err := bundle.CompareVersions(v.Version, f.state.Current().Version); {
	case err != nil:
		return one.is(ArchiveRefused, err.Error())
	case order >= 0:
		return nil, nil
	}
	if r := f.known(func(r *Release) bool { return r.Version == v.Version }); r != nil {
		f.last = r
		return one.is(ArchiveKnown, "")
	}
	dir := archiveDir(v, f.stem)
	if dir == "" {
		return one.is(ArchiveRefused, "its version cannot be part of a URL")
	}
	from := f.base.JoinPath("archive", f.stem, dir, f.stem+fileSuffix).String()
	one.From = fetch.Mask(from)
	file, err := f.o.get(ctx, from, bundle.Sniff, new(int))
	if ctx.Err() != nil {
		return nil, err
	}
	if status, ok := errors.AsType[*fetch.StatusError](err); ok && status.Code == http.StatusNotFound {
		return one.is(ArchiveMissing, "")
	}
	var b *bundle.Bundle
	if err == nil {
		b, err = f.o.Limits.Parse(file.Data)
	}
	if err != nil {
		return one.is(ArchiveFailed, err.Error())
	}
	return f.take(ctx, b, one)
}

// take verifies an older version, and writes it to the archive.
func (f *filler) take(ctx context.Context, b *bundle.Bundle, one *ArchivedOne) (*Release, error) {
	b, _ = b.Unwrap()
	contents, notVerified, err := examine(b, f.o.PublishOptions)
	if err != nil {
		return nil, err
	}
	refuse := func(format string, args ...any) (*Release, error) {
		return one.is(ArchiveRefused, fmt.Sprintf(format, args...))
	}
	current := f.state.Current()
	order, versions := bundle.CompareVersions(contents.Version, current.Version)
	switch {
	case notVerified != nil:
		return refuse("%v", notVerified)
	case contents.SignedName != current.SignedName:
		return refuse("the signed name is %q, and that of the current release %q", report.Printable(contents.SignedName), report.Printable(current.SignedName))
	case versions != nil:
		return refuse("%v", versions)
	case order >= 0:
		return refuse("it is version %s, not older than the current %s", report.Printable(contents.Version), report.Printable(current.Version))
	case contents.Undecodable > 0 && !slices.Contains(f.o.Allow, GateUndecodable):
		return refuse("%d of %d certificates cannot be decoded", contents.Undecodable, contents.Certificates)
	case f.known(func(r *Release) bool { return r.same(&contents) }) != nil:
		return one.is(ArchiveKnown, "")
	}
	p := &Publication{
		Release:  Release{Name: current.Name, Number: 1, Kind: Archived, Contents: contents, Published: f.o.Now, Allowed: []Gate{}, From: one.From},
		Previous: f.last,
	}
	f.last = &p.Release
	if !f.o.DryRun {
		before, _, err := f.store.previous(ctx, p, f.o.Limits)
		if err != nil {
			return nil, err
		}
		if before != nil {
			p.Diff = bundle.Compare(before, b)
		}
		if err := f.store.archive(ctx, b, p); err != nil {
			return nil, err
		}
	}
	one.Outcome = ArchiveAdded
	if contents.Version != one.Version {
		one.Detail = "it is version " + contents.Version
	}
	return &p.Release, nil
}

// archiveDir is the directory of a version in the archive of its source: the last part of its link, if that is one of the
// archive, else the version; empty if neither can be part of a URL. Nothing else of the link counts: it is not signed, and may lead anywhere.
func archiveDir(v *feed.Version, stem string) string {
	fits := func(s string) bool {
		return s != "" && s[0] != '.' && len(s) <= maxVersion && plain(strings.ToLower(s))
	}
	if u, err := url.Parse(v.Link); err == nil {
		dir, last := path.Split(strings.TrimSuffix(u.Path, "/"))
		if strings.HasSuffix("/"+dir, "/archive/"+stem+"/") && fits(last) {
			return last
		}
	}
	if fits(v.Version) {
		return v.Version
	}
	return ""
}

// addArchived adds older versions to the state of a name. What is current stays.
func (s *Store) addArchived(ctx context.Context, name string, added []Release) error {
	return s.change(ctx, name, func(state *State) (bool, error) {
		list := state.Archived
		for _, r := range added {
			if !slices.ContainsFunc(list, func(known Release) bool { return known.same(&r.Contents) }) {
				list = append(list, r)
			}
		}
		slices.SortStableFunc(list, func(a, b Release) int {
			order, _ := bundle.CompareVersions(a.Version, b.Version) // all are numbers: each was compared
			return order
		})
		state.Archived = list[max(0, len(list)-maxArchived):]
		for i := range state.Archived {
			state.Archived[i].Number = i + 1
		}
		return true, nil
	})
}

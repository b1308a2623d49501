package docs_test

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/store"
)

func TestStoreFields(t *testing.T) {
	t.Parallel()
	dir, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	source := httptest.NewServer(http.FileServer(http.Dir(bundles)))
	t.Cleanup(source.Close)
	s, release := store.New(dir), []string{"release", "previous"}
	publication, mirroring, history, index, one := map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}, map[string]bool{}
	object := func(key string) []byte {
		data, _, err := dir.Get(t.Context(), key, 1<<20)
		if err != nil {
			t.Fatal(err)
		}
		return data
	}
	o := store.MirrorOptions{
		PublishOptions: store.PublishOptions{Name: "lab", Anchors: labRoot(t), At: at, Now: at},
		Sleep:          func(context.Context, time.Duration) error { return nil },
		Jitter:         func() float64 { return 0 },
	}
	for _, file := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b", "lab-core-v1.p7b"} { // the last is refused
		m, err := s.Mirror(t.Context(), source.URL+"/"+file, o)
		if err != nil && !errors.As(err, new(*store.RefusedError)) {
			t.Fatal(err)
		}
		fields(t, printed(t, func(w io.Writer) error { return m.Publication.WriteJSON(w, "") }), publication, release...)
		fields(t, printed(t, func(w io.Writer) error { return m.WriteJSON(w, "") }), mirroring, release...)
	}
	mark := map[string]bool{}
	fields(t, object("mirror/lab"), mark)
	same(t, "mirror mark", documentedFields(t, "### trustpool.mirror-mark/1"), names(mark))
	// What is mirrored beside a bundle, and older versions.
	fed := httptest.NewServer(http.FileServer(http.Dir("../testdata/feed")))
	t.Cleanup(fed.Close)
	o.Name = "fed"
	from := fed.URL + "/trs/current/lab/lab.p7b"
	m, err := s.Mirror(t.Context(), from, o)
	if err != nil {
		t.Fatal(err)
	}
	if m.Feed, err = s.TakeFeed(t.Context(), from, "fed", o); err != nil {
		t.Fatal(err)
	}
	if m.Archive, err = s.FillArchive(t.Context(), from, "fed", m.Feed, o); err != nil {
		t.Fatal(err)
	}
	fields(t, printed(t, func(w io.Writer) error { return m.WriteJSON(w, "") }), mirroring, release...)
	fields(t, object("current/fed"), index)
	state, _, err := s.StateSince(t.Context(), "fed", "")
	if err != nil {
		t.Fatal(err)
	}
	kept, _, err := s.Backend().Get(t.Context(), "archive/fed/"+state.Feed.Release+"/feed-"+state.Feed.SHA256[:16]+".json", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	advice := map[string]bool{}
	fields(t, kept, advice)
	same(t, "advice", documentedFields(t, "### trustpool.advice/1"), names(advice))

	lab, _, err := s.StateSince(t.Context(), "lab", "")
	if err != nil {
		t.Fatal(err)
	}
	releases := lab.Releases
	for _, r := range releases {
		data, err := json.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		fields(t, data, one)
	}
	l := store.Listing{Bundles: []store.History{{Name: "lab", Releases: releases, Archived: state.Archived}}}
	fields(t, printed(t, l.WriteJSON), history)
	fields(t, object("current/lab"), index)
	stated := map[string]bool{}
	data, _, err := s.Backend().Get(t.Context(), "archive/lab/"+releases[0].Dir()+"/release.json", 1<<20)
	if err != nil {
		t.Fatal(err)
	}
	fields(t, data, stated)

	same(t, "publish", documentedFields(t, "### trustpool.publish/1"), names(publication))
	for name := range publication {
		if !mirroring[name] {
			t.Errorf("mirror: no field %s", name)
		}
		delete(mirroring, name)
	}
	same(t, "mirror", documentedFields(t, "### trustpool.mirror/1"), names(mirroring))
	same(t, "a release", documentedFields(t, "### A release"), names(one))
	for name := range one {
		delete(history, "bundles[].releases[]."+name)
		delete(history, "bundles[].archived[]."+name)
		delete(index, "releases[]."+name)
		delete(index, "archived[]."+name)
	}
	same(t, "history", documentedFields(t, "### trustpool.history/1"), names(history))
	same(t, "index", documentedFields(t, "### trustpool.index/1"), names(index))
	same(t, "release.json", documentedFields(t, "### trustpool.release/1"), names(stated))
}

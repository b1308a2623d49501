package store_test

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/internal/durable"
	"trustpool/internal/store"
)

// A feed is kept once for what it is, and its object is what the index says or an error; a release is the same with and without it.
func TestFeed(t *testing.T) {
	t.Parallel()
	source := httptest.NewServer(http.FileServer(http.Dir("../../testdata/feed")))
	t.Cleanup(source.Close)
	dir := t.TempDir()
	d, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s, o := store.New(d), mirror(t, nil)
	ctx, from := t.Context(), source.URL+"/trs/current/lab/lab.p7b"
	if _, err := s.TakeFeed(ctx, from, "lab", o); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("without a release: %v", err)
	}
	if _, err := s.Mirror(ctx, from, o); err != nil {
		t.Fatal(err)
	}
	before, err := s.Current(ctx, "lab")
	if err != nil {
		t.Fatal(err)
	}
	for i, changed := range []bool{true, false} {
		if taken, err := s.TakeFeed(ctx, from, "lab", o); err != nil || taken.Changed != changed || taken.Marked != 2 {
			t.Errorf("%d: %+v, %v", i, taken, err)
		}
	}
	state, _, err := s.StateSince(ctx, "lab", "")
	if err != nil || state.Current().SHA256 != before.SHA256 || state.Current().Number != before.Number || len(state.Releases) != 1 {
		t.Fatalf("%+v, %v", state, err)
	}
	if files, err := s.ReadFeed(ctx, "lab", state.Feed); err != nil || len(files) != 3 {
		t.Errorf("%d files, %v", len(files), err)
	}
	kept, err := filepath.Glob(filepath.Join(dir, "archive/lab/*/feed-*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	if err := os.WriteFile(kept[0], []byte(`{"schema":"trustpool.advice/1"}`), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.ReadFeed(ctx, "lab", state.Feed); !errors.As(err, new(*store.DamagedError)) {
		t.Errorf("damaged: %v", err)
	}
	for _, a := range []store.Advice{{}, {SHA256: state.Feed.SHA256, Size: 1, Release: "../../current"}, {SHA256: state.Feed.SHA256, Size: 1 << 40, Release: state.Feed.Release}} {
		if _, err := s.ReadFeed(ctx, "lab", &a); err == nil {
			t.Errorf("%+v is read", a)
		}
	}
	// A publication keeps what is known of the feed, and the versions of the archive.
	if _, err := s.FillArchive(ctx, from, "lab", nil, o); err != nil {
		t.Fatal(err)
	}
	o.Allow = []store.Gate{store.GateOlder}
	if _, err := s.Mirror(ctx, source.URL+"/trs/archive/lab/20240312/lab.p7b", o); err != nil {
		t.Fatal(err)
	}
	after, _, err := s.StateSince(ctx, "lab", "")
	if err != nil || len(after.Archived) != 7 || after.Feed == nil || *after.Feed != *state.Feed || after.Current().Version != "20240312" {
		t.Errorf("%+v, %v", after, err)
	}
	if _, err := s.Rollback(ctx, "lab", "20230615", o.PublishOptions); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("a rollback to a version of the archive: %v", err)
	}
	// What says that a version of the archive is current is damaged.
	index := filepath.Join(dir, "current", "lab")
	data, err := os.ReadFile(index)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(index, []byte(strings.Replace(string(data), `"kind": "mirrored"`, `"kind": "archived"`, 1)), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Current(ctx, "lab"); !errors.As(err, new(*store.DamagedError)) {
		t.Errorf("an archived version that is current: %v", err)
	}
}

// What is not a feed of this bundle, or too large, is not kept.
func TestFeedRefused(t *testing.T) {
	t.Parallel()
	answer := ""
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("../../testdata/feed")))
	mux.HandleFunc("/trs/current/lab/rss.xml", func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(answer)) })
	source := httptest.NewServer(mux)
	t.Cleanup(source.Close)
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s, o := store.New(d), mirror(t, nil)
	from := source.URL + "/trs/current/lab/lab.p7b"
	if _, err := s.Mirror(t.Context(), from, o); err != nil {
		t.Fatal(err)
	}
	item := "<item><title>X Version 1</title></item></channel></rss>"
	for _, answer = range []string{"", "<html>", `<rss version="2.0"><channel><title>Another Bundle Updates</title>` + item, `<rss version="2.0"><channel>` + strings.Repeat(" ", store.MaxFeed) + item} {
		if _, err := s.TakeFeed(t.Context(), from, "lab", o); err == nil {
			t.Errorf("%.80s is taken", answer)
		}
	}
	if state, _, err := s.StateSince(t.Context(), "lab", ""); err != nil || state.Feed != nil {
		t.Errorf("%+v, %v", state, err)
	}
	if _, err := s.FillArchive(t.Context(), source.URL+"/trs/archive/lab/20240312/lab.p7b", "lab", nil, o); err == nil {
		t.Errorf("an archive without a feed: %v", err)
	}
}

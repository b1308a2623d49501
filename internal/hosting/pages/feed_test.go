package pages_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/store"
)

// fed is a store with a version of the bundle of testdata/feed, and the feed that answer gives; nil for that of testdata.
func fed(t testing.TB, version string, answer http.HandlerFunc) *store.Store {
	t.Helper()
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	mux := http.NewServeMux()
	mux.Handle("/", http.FileServer(http.Dir("../../../testdata/feed")))
	if answer != nil {
		mux.HandleFunc("/trs/current/lab/", answer)
	}
	source := httptest.NewServer(mux)
	t.Cleanup(source.Close)
	o := store.MirrorOptions{
		PublishOptions: store.PublishOptions{Name: "lab", Anchors: labAnchors(t), At: at, Now: at},
		Sleep:          func(context.Context, time.Duration) error { return nil },
		Jitter:         func() float64 { return 0 },
	}
	if _, err := s.Mirror(t.Context(), source.URL+"/trs/archive/lab/"+version+"/lab.p7b", o); err != nil {
		t.Fatal(err)
	}
	if _, err := s.TakeFeed(t.Context(), source.URL+"/trs/current/lab/lab.p7b", "lab", o); err != nil {
		t.Fatal(err)
	}
	return s
}

// Pages show what the mirrored feed marks and what is newer, as advice.
func TestFeed(t *testing.T) {
	t.Parallel()
	s := newServer(t, hosting.Store(fed(t, "20240312", nil)), pages.Options{})
	const line = `Feed, advice that nothing signs: <a href="/pages/bundles/lab#feed"><span class="warn">2 certificates marked for removal, 2 gone in a newer version, newer than what is served: 20250513, 20250114, 20240917, 20240618</span></a>`
	has(t, body(t, s, "/"), line)
	page := body(t, s, "/pages/bundles/lab")
	has(t, page, line, `<h2 id="feed">Feed</h2>`, "Nothing signs it: it is advice", "Newest version 20250513, of 2025-05-13", "removed by version 20240618 (2024-06-18)",
		`<span class="sub warn">by the feed: marked for removal since version 20250114 (2025-01-14)</span>`)
	_, after, _ := strings.Cut(page, `<td><span class="warn">marked</span>`)
	before, _, _ := strings.Cut(page, `<td><span class="warn">marked</span>`)
	link := before[strings.LastIndex(before, `<a href="`)+len(`<a href="`):]
	link, _, _ = strings.Cut(link, `"`)
	has(t, body(t, s, link), `<span class="warn">By the feed, which nothing signs:</span> marked for removal since version 20250114`)
	has(t, after, "marked for removal since")
	lacks(t, body(t, newServer(t, hosting.Store(publish(t)), pages.Options{}), "/pages/bundles/ios"), "Feed")
}

// Text of a feed is text.
func TestHostileFeed(t *testing.T) {
	t.Parallel()
	const evil = `</pre><script>alert(1)</script>\u202e`
	s := newServer(t, hosting.Store(fed(t, "20250513", func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, ".diff.json") {
			http.NotFound(w, r)
			return
		}
		fmt.Fprintf(w, `{"currentVersion": "20250513", "prevVersion": "<b>", "additions": [{"certSha256": %q, "certSubjectDn": %q}], "deletions": [], "markedForRemoval": [], "newlyMarkedForRemoval": []}`,
			strings.Repeat("a", 64), evil)
	})), pages.Options{})
	page := body(t, s, "/pages/bundles/lab")
	has(t, page, "does not list &lt;/pre&gt;&lt;script&gt;alert(1)")
	lacks(t, page, "<script>alert", "\u202e")
}

package pages_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func TestHeaders(t *testing.T) {
	t.Parallel()
	s := lab(t)
	w := get(t, s, "/")
	for strings.Count(w.Body.String(), `class="audit"`) < len(s.Catalog().Entries) { // what is not audited yet is so the next time
		w = get(t, s, "/")
	}
	for name, want := range map[string]string{
		"Content-Type": "text/html; charset=utf-8", "X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "Cache-Control": "private, no-cache",
		"Content-Length": fmt.Sprint(w.Body.Len()), "Cross-Origin-Resource-Policy": "same-origin",
	} {
		if got := w.Header().Get(name); got != want {
			t.Errorf("%s: %q, want %q", name, got, want)
		}
	}
	policy := w.Header().Get("Content-Security-Policy")
	has(t, policy, "default-src 'none'", "script-src 'self'", "style-src 'self'", "form-action 'self'", "frame-ancestors 'none'", "base-uri 'none'")
	lacks(t, policy, "unsafe", "http", "*")
	if w.Header().Get("Set-Cookie") != "" {
		t.Error("it sets a cookie")
	}
	etag := w.Header().Get("Etag")
	for _, tags := range []string{etag, `"x", W/` + etag, "*"} {
		if w := get(t, s, "/", "If-None-Match", tags); w.Code != http.StatusNotModified || w.Body.Len() != 0 {
			t.Errorf("If-None-Match %s: status %d, %d bytes", tags, w.Code, w.Body.Len())
		}
	}
	if w := get(t, s, "/", "If-None-Match", `"x"`); w.Code != http.StatusOK {
		t.Errorf("another tag: status %d", w.Code)
	}
	for _, l := range links(w.Body.String()) {
		if strings.HasSuffix(l, ".css") || strings.HasSuffix(l, ".js") {
			if got := get(t, s, l).Header().Get("Cache-Control"); !strings.Contains(got, "immutable") {
				t.Errorf("%s: Cache-Control %q", l, got)
			}
		}
	}
}

// What has the name of the server in it, as the reader wrote it, no cache gives to
// another reader.
func TestPrivate(t *testing.T) {
	t.Parallel()
	s := lab(t)
	for _, path := range []string{"/pages/commands", "/pages/files/commands/iosxe.txt", "/pages/files/commands/iosxe.json", "/pages/files/commands/iosxe.yml"} {
		w := get(t, s, path, "Host", "other.example")
		if got := w.Header().Get("Cache-Control"); !strings.Contains(w.Body.String(), "other.example/") || !strings.HasPrefix(got, "private") {
			t.Errorf("%s: Cache-Control %q", path, got)
		}
	}
}

// What was verified once and is not any more is nowhere called verified.
func TestLapsed(t *testing.T) {
	t.Parallel()
	var clock atomic.Pointer[time.Time]
	clock.Store(&at)
	s := newServer(t, hosting.Store(publish(t)), pages.Options{Now: func() time.Time { return *clock.Load() }})
	ios := s.Catalog().Lookup("ios")
	current, old := ios.Current.SHA256[:16], ios.Archive[0].SHA256[:16]
	query := "?" + url.Values{"from": {"ios/" + old}, "to": {"ios/" + current}}.Encode()
	seals := []string{"/", "/pages/bundles/ios", "/pages/bundles/ios/" + old}
	body(t, s, "/pages/bundles/ios/"+old) // an older one is read, and verified, when it is asked for
	later := at.Add(time.Hour)
	clock.Store(&later)
	for _, path := range seals {
		has(t, body(t, s, path), "Signature verified", `judged <time datetime="2025-06-01T01:00:00Z">`)
	}
	has(t, body(t, s, "/pages/compare"+query), "verified under <bdi>Lab Root CA</bdi>", `judged <time datetime="2025-06-01T01:00:00Z">`)
	lacks(t, body(t, s, "/pages/commands"), "no longer verified")

	late := time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC)
	clock.Store(&late)
	for _, path := range append(seals, "/pages/commands") {
		page := body(t, s, path)
		has(t, page, "Signature no longer verified", `judged <time datetime="2046-01-01T00:00:00Z">`, `loaded, <time datetime="2025-06-01T00:00:00Z">`)
		lacks(t, page, "Signature verified", "✓")
	}
	page := body(t, s, "/pages/compare"+query)
	has(t, page, "no longer verified", `judged <time datetime="2046-01-01T00:00:00Z">`)
	lacks(t, page, "verified under")
	for _, path := range []string{"compare.txt" + query, "compare.md" + query, "compare.json" + query, "ios/" + current + "/ios.json", "ios/" + old + "/ios.json"} {
		file := body(t, s, "/pages/files/"+path)
		has(t, file, "chain-expired")
		lacks(t, file, "verified, ", `"verified": true`)
	}
}

// Clients that take nothing hold a bounded number of answers, and no bundle back.
func TestStalled(t *testing.T) {
	t.Parallel()
	s := file(t, tooltest.Bundle(t, "lab-core-v1.p7b"), pages.Options{})
	release := stall(t, s, "/", pages.MaxRequests)
	if w := get(t, s, "/"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more: status %d", w.Code)
	}
	if got := get(t, s, "/ios.p7b").Code; got != http.StatusOK {
		t.Errorf("a bundle: status %d", got)
	}
	release()
	body(t, s, "/")

	s = file(t, pkitest.Large(5000), pages.Options{})
	list := strings.Replace(page(s, "ios"), "bundles", "files", 1) + "/ios.csv"
	release = stall(t, s, list, pages.MaxLarge)
	if w := get(t, s, list); w.Code != http.StatusServiceUnavailable {
		t.Errorf("one more large file: status %d", w.Code)
	}
	body(t, s, "/")
	release()
	body(t, s, list)
}

// stall asks n times for what is not taken until the function is called.
func stall(t *testing.T, s *hosting.Server, path string, n int) func() {
	t.Helper()
	writing, release := make(chan struct{}, n), make(chan struct{})
	var group sync.WaitGroup
	for range n {
		group.Go(func() {
			r := httptest.NewRequest(http.MethodGet, path, nil)
			r.Header.Set("User-Agent", firefox)
			r.Header.Set("Accept", "text/html")
			s.ServeHTTP(stalled{httptest.NewRecorder(), writing, release}, r)
		})
	}
	for range n {
		<-writing
	}
	return func() {
		close(release)
		group.Wait()
	}
}

// stalled is a client that takes nothing until it is let go.
type stalled struct {
	*httptest.ResponseRecorder
	writing chan<- struct{}
	release <-chan struct{}
}

func (s stalled) Write(b []byte) (int, error) {
	s.writing <- struct{}{}
	<-s.release
	return s.ResponseRecorder.Write(b)
}

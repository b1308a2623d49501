package hosting_test

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/hosting"
	"trustpool/internal/store"
)

// What was mirrored beside a bundle is counted and said, and a feed that is damaged or gone takes nothing out of service.
func TestAdvice(t *testing.T) {
	t.Parallel()
	st := fedStore(t)
	s := newServer(t, options(t, hosting.Store(st)))
	_, text := get(t, s, "/metrics")
	for _, line := range []string{
		`trustpool_feed_version{bundle="lab"} 20250513`, `trustpool_feed_marked_for_removal{bundle="lab"} 2`, `trustpool_feed_newer_versions{bundle="lab"} 2`,
	} {
		if !strings.Contains(text, line+"\n") {
			t.Errorf("no %s", line)
		}
	}
	_, data := get(t, s, "/lab.p7b")
	b, err := bundle.Parse([]byte(data))
	if err != nil {
		t.Fatal(err)
	}
	said := map[string]string{}
	for _, c := range b.Certificates {
		if why := s.Marked("lab", c); why != "" {
			said[c.Subject.CommonName()] = why
		}
	}
	if len(said) != 3 || !strings.Contains(said["Birch Root CA"], "the feed, which nothing signs: marked for removal") || !strings.Contains(said["Gorse Root CA"], "removed by version 20250513") {
		t.Errorf("%q", said)
	}

	kept, err := filepath.Glob(filepath.Join(st.Backend().(*store.Dir).Path(), "archive/lab/*/feed-*.json"))
	if err != nil || len(kept) != 1 {
		t.Fatalf("%q, %v", kept, err)
	}
	for _, damage := range []func() error{
		func() error { return os.WriteFile(kept[0], []byte("{}"), 0o644) },
		func() error { return os.Remove(kept[0]) },
	} {
		if err := damage(); err != nil {
			t.Fatal(err)
		}
		s := newServer(t, options(t, hosting.Store(st)))
		if e := s.Catalog().Lookup("lab"); e == nil || e.Advice == nil || e.Advice.Feed != nil || e.Advice.Problem == "" {
			t.Errorf("%+v", e)
		}
		if status, _ := get(t, s, "/lab.p7b"); status != http.StatusOK {
			t.Errorf("the bundle: %d", status)
		}
		if status, _ := get(t, s, "/readyz"); status != http.StatusOK {
			t.Errorf("ready: %d", status)
		}
		if _, text := get(t, s, "/metrics"); strings.Contains(text, "trustpool_feed_") {
			t.Error("a feed that cannot be read is counted")
		}
		if err := s.Refresh(context.Background()); err != nil {
			t.Error(err)
		}
	}
}

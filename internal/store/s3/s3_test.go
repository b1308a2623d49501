package s3_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

func open(t testing.TB, url string, getenv func(string) string) *s3.Bucket {
	t.Helper()
	b, err := s3.Open(url, getenv)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func options(t testing.TB) store.PublishOptions {
	t.Helper()
	b, err := bundle.Parse(pkitest.Lab().Root.DER)
	if err != nil {
		t.Fatal(err)
	}
	a, err := roots.FromCertificate(b.Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	return store.PublishOptions{Name: "lab", Anchors: []roots.Anchor{a}, At: at, Now: at}
}

func signed(version int) []byte {
	return pkitest.Bundle(pkitest.Lab().Signer, "Lab Core Bundle", fmt.Sprint(version), time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), pkitest.CoreV2()...)
}

// Publications into a real server: by one after the other, by many at once, and
// back again.
func TestPublish(t *testing.T) {
	t.Parallel()
	server := tooltest.StartS3(t)
	ctx, o := t.Context(), options(t)
	s := store.New(open(t, server.URL("a/b"), server.Getenv))
	if _, err := s.Current(ctx, "lab"); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("of nothing: %v", err)
	}
	for v := 1; v <= 2; v++ {
		if _, err := s.Publish(ctx, signed(v), o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Publish(ctx, signed(1), o); !errors.As(err, new(*store.RefusedError)) {
		t.Errorf("an older one: %v", err)
	}
	if _, err := s.Rollback(ctx, "lab", "1", o); err != nil {
		t.Error(err)
	}
	var wg sync.WaitGroup
	var won [41]atomic.Bool
	for p := range 4 {
		wg.Go(func() {
			other := store.New(open(t, server.URL("a/b"), server.Getenv))
			for v := 3 + p; v < len(won); v += 4 {
				_, err := other.Publish(ctx, signed(v), o)
				if err != nil && !errors.As(err, new(*store.RefusedError)) && !errors.Is(err, store.ErrConflict) {
					t.Error(err)
				}
				won[v].Store(err == nil)
			}
		})
	}
	wg.Wait()
	state, _, err := s.StateSince(ctx, "lab", "")
	if err != nil {
		t.Fatal(err)
	}
	h := state.Releases
	for v := range won { // neither lost nor made up
		if v > 2 && won[v].Load() != slices.ContainsFunc(h, func(r store.Release) bool { return r.Version == fmt.Sprint(v) }) {
			t.Errorf("version %d: its publisher and the history do not agree", v)
		}
	}
	if h[2].Kind != store.RolledBack || h[len(h)-1].Number != len(h) {
		t.Errorf("%+v", h)
	}
	for _, r := range h {
		if data, err := s.Read(ctx, r); err != nil || fmt.Sprint(r.Version) == "" || len(data) == 0 {
			t.Error(err)
		}
	}
	if names, err := s.Names(ctx); err != nil || fmt.Sprint(names) != "[lab]" {
		t.Errorf("%q, %v", names, err)
	}
}

// A bucket that is gone for a while is another thing than an empty one, and what
// was current still is when it is back.
func TestGone(t *testing.T) {
	t.Parallel()
	server := tooltest.StartS3(t)
	ctx, o := t.Context(), options(t)
	s := store.New(open(t, server.URL(""), server.Getenv))
	p, err := s.Publish(ctx, signed(1), o)
	if err != nil {
		t.Fatal(err)
	}
	check := func(what string) {
		t.Helper()
		ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
		defer cancel()
		_, errCurrent := s.Current(ctx, "lab")
		_, errNames := s.Names(ctx)
		_, errRead := s.Read(ctx, p.Release)
		_, errPublish := s.Publish(ctx, signed(2), o)
		for call, err := range map[string]error{"Current": errCurrent, "Names": errNames, "Read": errRead, "Publish": errPublish} {
			if err == nil || errors.Is(err, store.ErrNotFound) || errors.Is(err, store.ErrConflict) {
				t.Errorf("%s: %s: %v", what, call, err)
			}
		}
	}
	server.Stop()
	check("no server")
	server.Start(t)
	bucket, away := filepath.Join(server.Dir, "bucket"), filepath.Join(t.TempDir(), "away")
	if err := os.Rename(bucket, away); err != nil {
		t.Fatal(err)
	}
	check("no bucket")
	if err := os.Rename(away, bucket); err != nil {
		t.Fatal(err)
	}
	if data, err := s.Read(ctx, p.Release); err != nil || string(data) != string(signed(1)) {
		t.Errorf("back again: %v", err)
	}
	if _, err := s.Publish(ctx, signed(2), o); err != nil {
		t.Errorf("back again: %v", err)
	}
	denied := store.New(open(t, server.URL(""), func(name string) string {
		if name == "AWS_SECRET_ACCESS_KEY" {
			return "another"
		}
		return server.Getenv(name)
	}))
	if _, err := denied.Current(ctx, "lab"); err == nil || errors.Is(err, store.ErrNotFound) || strings.Contains(err.Error(), "another") {
		t.Errorf("another secret: %v", err)
	}
}

// What a hostile or broken service answers is bounded.
func TestOddAnswers(t *testing.T) {
	t.Parallel()
	var answer http.HandlerFunc
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "untagged") {
			w.Header().Set("ETag", `"x"`)
		}
		w.Header().Set("Last-Modified", "Sun, 01 Jun 2025 00:00:00 GMT")
		answer(w, r)
	}))
	t.Cleanup(func() { server.CloseClientConnections(); server.Close() })
	b := open(t, "s3://bucket?region=r&endpoint="+server.URL, (&tooltest.S3{}).Getenv)
	// Without a tag a write on condition would be one without.
	answer = func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "abc") }
	if data, tag, err := b.Get(t.Context(), "k", 1000); err != nil || tag != `"x"` || string(data) != "abc" {
		t.Errorf("%q, %q, %v", data, tag, err)
	}
	if data, tag, err := b.Get(t.Context(), "untagged", 1000); err == nil || data != nil {
		t.Errorf("no ETag: %q, %q", data, tag)
	}
	for what, f := range map[string]http.HandlerFunc{
		"endless": func(w http.ResponseWriter, r *http.Request) {
			for r.Context().Err() == nil {
				if _, err := w.Write(make([]byte, 1000)); err != nil {
					return
				}
			}
		},
		"announced": func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Content-Length", "999999999999") },
		"cut": func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", "100")
			_, _ = w.Write(make([]byte, 50))
		},
		"html": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(403); fmt.Fprint(w, "<html>") },
	} {
		answer = f
		if data, _, err := b.Get(t.Context(), "k", 1000); err == nil || errors.Is(err, store.ErrNotFound) {
			t.Errorf("%s: %d bytes, %v", what, len(data), err)
		}
	}
}

func TestOpen(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"s3://bucket":                                  "",
		"s3://bucket/a/b/":                             "",
		"s3://bucket?region=eu-central-1":              "",
		"s3://bucket?endpoint=http://127.0.0.1:9000":   "",
		"s3://bucket?endpoint=https://s3.example.com/": "",
		"s3://":                                         "no bucket",
		"s3://bucket/a/../b":                            "prefix",
		"s3://bucket/a//b":                              "prefix",
		"s3://KEY:PASSWORD@bucket/a":                    "credentials do not belong into a URL",
		"s3://bucket?secret=PASSWORD":                   "is not known",
		"s3://bucket?endpoint=127.0.0.1":                "the endpoint is to be",
		"s3://bucket?endpoint=ftp://host":               "the endpoint is to be",
		"s3://bucket?endpoint=http://KEY:PASSWORD@host": "the endpoint is to be",
		"s3://bucket?endpoint=http://host/path":         "the endpoint is to be",
		"s3://KEY:%zzPASSWORD@bucket":                   "malformed URL",
	} {
		b, err := s3.Open(url, func(string) string { return "" })
		switch {
		case want == "" && err != nil:
			t.Errorf("%s: %v", url, err)
		case want == "":
			if got := b.String(); strings.Contains(got, "?") {
				t.Errorf("%s: %s", url, got)
			}
		case err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "PASSWORD"):
			t.Errorf("%s: %v; want %s", url, err, want)
		}
	}
	file := filepath.Join(t.TempDir(), "credentials")
	if err := os.WriteFile(file, fmt.Appendf(nil, "[other]\naws_access_key_id=%s\naws_secret_access_key=%s\n", tooltest.S3Key, tooltest.S3Secret), 0o600); err != nil {
		t.Fatal(err)
	}
	server := tooltest.StartS3(t)
	b := open(t, "s3://bucket", func(name string) string {
		return map[string]string{"AWS_ENDPOINT_URL": server.Endpoint, "AWS_PROFILE": "other", "AWS_SHARED_CREDENTIALS_FILE": file}[name]
	})
	if _, _, err := b.Get(t.Context(), "k", 1); !errors.Is(err, store.ErrNotFound) {
		t.Errorf("credentials of a file: %v", err)
	}
	none := open(t, server.URL(""), func(string) string { return "" })
	if _, _, err := none.Get(t.Context(), "k", 1); err == nil || errors.Is(err, os.ErrNotExist) {
		t.Errorf("no credentials: %v", err)
	}
}

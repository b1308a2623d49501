package store_test

import (
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/internal/fetch"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
)

// mirror has a client that waits for nothing and notes how long it would have.
func mirror(t testing.TB, waits *[]time.Duration) store.MirrorOptions {
	return store.MirrorOptions{
		PublishOptions: lab(t),
		Sleep: func(ctx context.Context, d time.Duration) error {
			if waits != nil {
				*waits = append(*waits, d)
			}
			return ctx.Err()
		},
		Jitter: func() float64 { return 0.5 },
	}
}

// A source serves data as a file of that version, and counts.
type source struct {
	*httptest.Server
	data             []byte
	etag             string
	asked, delivered atomic.Int32
	odd              http.HandlerFunc // answers in its place
}

func newSource(t testing.TB) *source {
	s := &source{}
	s.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.asked.Add(1)
		if s.odd != nil {
			s.odd(w, r)
			return
		}
		if s.etag != "" {
			w.Header().Set("ETag", s.etag)
			if r.Header.Get("If-None-Match") == s.etag {
				w.WriteHeader(http.StatusNotModified)
				return
			}
		}
		s.delivered.Add(1)
		_, _ = w.Write(s.data)
	}))
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s
}

// A mirror leaves when it last succeeded: when what is current is what the source has, or a rollback decided otherwise.
func TestMirrorMark(t *testing.T) {
	t.Parallel()
	ctx, s, src := t.Context(), dir(t), newSource(t)
	o := mirror(t, nil)
	look := func(what string, data []byte, succeeds bool) {
		t.Helper()
		before, _ := s.Mirrored(ctx)
		o.Now = o.Now.Add(time.Hour)
		src.data = data
		_, err := s.Mirror(ctx, src.URL+"/lab.p7b?secret=1", o)
		after, bad := s.Mirrored(ctx)
		if now := after["lab"].Equal(o.Now); bad != nil || now != succeeds || !now && after["lab"] != before["lab"] {
			t.Errorf("%s: %v, the mirror succeeded at %v, and it is %v: %v", what, err, after["lab"], o.Now, bad)
		}
	}
	o.Name = "lab"
	look("an error page", []byte("<html>"), false)
	look("the first", read(t, "lab-core-v1.p7b"), true)
	look("the same", read(t, "lab-core-v1.p7b"), true)
	o.DryRun = true
	look("a dry run", read(t, "lab-core-v2.p7b"), false)
	o.DryRun = false
	look("the next", read(t, "lab-core-v2.p7b"), true)
	look("an older one", read(t, "lab-core-v1.p7b"), false)
	if _, err := s.Rollback(ctx, "lab", "", o.PublishOptions); err != nil {
		t.Fatal(err)
	}
	look("one that a rollback took out of service", read(t, "lab-core-v2.p7b"), true)
	src.Close()
	look("no source", nil, false)
	data, _, err := s.Backend().Get(ctx, "mirror/lab", 1<<10)
	if err != nil || strings.Contains(string(data), "secret") || !strings.Contains(string(data), `"from": "http://127.0.0.1`) {
		t.Errorf("%s, %v", data, err)
	}
}

func TestMirror(t *testing.T) {
	t.Parallel()
	ctx, s, src := t.Context(), dir(t), newSource(t)
	o := mirror(t, nil)
	o.Name, o.Seen = "", new(store.Seen)
	url := src.URL + "/trs/lab.p7b?x=y"
	look := func(what string, want store.Outcome, delivered int32) *store.Mirroring {
		t.Helper()
		m, err := s.Mirror(ctx, url, o)
		if m == nil || m.Outcome() != want || (want == store.OutcomePublished) != (err == nil) || m.NotModified != (delivered == 0) {
			t.Fatalf("%s: %+v, %v", what, m, err)
		}
		if got := src.delivered.Swap(0); got != delivered {
			t.Errorf("%s: transferred %d times", what, got)
		}
		return m
	}
	core := pkitest.CoreV2()
	src.data, src.etag = signed(coreName, "1", core...), `"1"`
	m := look("first", store.OutcomePublished, 1)
	if r := m.Release; r.Name != "lab" || r.Kind != store.Mirrored || r.From != src.URL+"/trs/lab.p7b" {
		t.Errorf("%+v", r)
	}
	look("again", store.OutcomeUnchanged, 0)
	src.etag = `"touched"`
	look("another tag", store.OutcomeUnchanged, 1)
	look("and again", store.OutcomeUnchanged, 0)
	src.data, src.etag = signed(coreName, "2", core...), `"2"`
	look("newer", store.OutcomePublished, 1)
	src.data, src.etag = signed(coreName, "1", core...), `"1"`
	look("older", store.OutcomeRefused, 1)
	look("still older", store.OutcomeRefused, 1) // what was refused is looked at again
	src.data, src.etag = signed(coreName, "2", core...), `"2"`
	look("back", store.OutcomeUnchanged, 0)
	if _, err := s.Rollback(ctx, "lab", "", lab(t)); err != nil {
		t.Fatal(err)
	}
	look("withdrawn", store.OutcomeRefused, 1)
	src.data, src.etag = signed(coreName, "3", core...), ""
	look("without a tag", store.OutcomePublished, 1)
	look("without a tag again", store.OutcomeUnchanged, 1)
	intact(t, s, "3")
}

// Damaged bytes are fetched again although the source has nothing newer.
func TestMirrorMends(t *testing.T) {
	t.Parallel()
	mem := newMemory()
	s, src := store.New(mem), newSource(t)
	src.data, src.etag = signed(coreName, "1", pkitest.CoreV2()...), `"1"`
	m, err := s.Mirror(t.Context(), src.URL+"/lab.p7b", mirror(t, nil))
	if err != nil {
		t.Fatal(err)
	}
	mem.objects["archive/lab/"+m.Release.Dir()+"/lab.p7b"][100] ^= 1
	m, err = s.Mirror(t.Context(), src.URL+"/lab.p7b", mirror(t, nil))
	if refused, ok := errors.AsType[*store.RefusedError](err); !ok || !refused.Unchanged() || m.NotModified {
		t.Fatalf("%v", err)
	}
	intact(t, s, "1")
}

// Whatever a source answers, what is current stays; it is asked again where that
// may help.
func TestMirrorFails(t *testing.T) {
	t.Parallel()
	good := signed(coreName, "2", pkitest.CoreV2()...)
	tampered := signed(coreName, "2", pkitest.CoreV2()...)
	tampered[len(tampered)-1] ^= 1
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "<html>", code) }
	}
	for what, tt := range map[string]struct {
		answer http.HandlerFunc
		asked  int32
		err    string
	}{
		"html": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/x-pkcs7-certificates")
			fmt.Fprint(w, "<!DOCTYPE html>\n<html><title>Log in</title></html>\n")
		}, 1, "an HTML page, not a bundle"},
		"half a file": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(good)))
			_, _ = w.Write(good[:len(good)/2])
		}, 4, "it was cut short"},
		"half a file, and no length": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(good[:len(good)/2])
		}, 1, "lab.p7b: "},
		"a slow drip": {func(w http.ResponseWriter, r *http.Request) {
			w.Header().Set("Content-Length", strconv.Itoa(len(good)))
			for i := range good {
				if _, err := w.Write(good[i : i+1]); err != nil {
					return
				}
				_ = http.NewResponseController(w).Flush()
				select {
				case <-r.Context().Done():
					return
				case <-time.After(20 * time.Millisecond):
				}
			}
		}, 4, "not fetched within 200ms"},
		"silence":     {func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }, 4, "not fetched within 200ms"},
		"404":         {status(404), 1, "the server answered 404"},
		"503":         {status(503), 4, "the server answered 503"},
		"429":         {status(429), 4, "the server answered 429"},
		"304 unasked": {status(304), 1, "the server answered 304"},
		"a redirect to a file": {func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, "file:///etc/passwd", http.StatusFound)
		}, 4, `scheme "file", which is not followed`},
		"too large": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(append(good, make([]byte, 1<<20)...))
		}, 1, "the limit is 1000 bytes"},
		"gzip, unasked": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Encoding", "gzip")
			z := gzip.NewWriter(w)
			_, _ = z.Write(good)
			_ = z.Close()
		}, 1, "lab.p7b: "},
		"a large header": {func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("ETag", strings.Repeat("x", 1<<20))
			_, _ = w.Write(good)
		}, 4, "headers exceeded"},
		"tampered": {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tampered) }, 1, "not-verified"},
		"unsigned": {func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(pkitest.CertsOnly(pkitest.CoreV2()...))
		}, 1, "not-verified"},
		"empty": {func(http.ResponseWriter, *http.Request) {}, 1, "lab.p7b: "},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, src := dir(t), newSource(t)
			if _, err := s.Publish(t.Context(), signed(coreName, "1", pkitest.CoreV2()...), lab(t)); err != nil {
				t.Fatal(err)
			}
			src.odd = tt.answer
			var waits []time.Duration
			o := mirror(t, &waits)
			o.Fetch = fetch.Options{MaxBytes: 100_000}
			if what == "a slow drip" || what == "silence" {
				o.Fetch.Timeout = 200 * time.Millisecond
			}
			if what == "too large" {
				o.Fetch.MaxBytes = 1000
			}
			_, err := s.Mirror(t.Context(), src.URL+"/lab.p7b", o)
			if err == nil || !strings.Contains(err.Error(), tt.err) {
				t.Errorf("%v; want %s", err, tt.err)
			}
			if got := src.asked.Load(); got != tt.asked {
				t.Errorf("asked %d times, not %d", got, tt.asked)
			}
			if want := fmt.Sprint([]time.Duration{3 * time.Second, 12 * time.Second, 48 * time.Second}[:tt.asked-1]); fmt.Sprint(waits) != want {
				t.Errorf("waits of %v, not %s", waits, want)
			}
			if r := intact(t, s, "1"); r.Number != 1 {
				t.Errorf("release %d", r.Number)
			}
		})
	}
}

// A source that fails once is had at the second try.
func TestMirrorRetries(t *testing.T) {
	t.Parallel()
	s, src := dir(t), newSource(t)
	good := signed(coreName, "1", pkitest.CoreV2()...)
	src.odd = func(w http.ResponseWriter, _ *http.Request) {
		if src.asked.Load() < 3 {
			http.Error(w, "later", http.StatusServiceUnavailable)
			return
		}
		_, _ = w.Write(good)
	}
	if m, err := s.Mirror(t.Context(), src.URL+"/lab.p7b", mirror(t, nil)); err != nil || m.Tries != 3 {
		t.Errorf("%+v, %v", m, err)
	}
	for _, from := range []string{"/srv/lab.p7b", "-", "ftp://host/lab.p7b", "http://host/", "http://u:p@[/lab.p7b"} {
		if _, err := s.Mirror(t.Context(), from, store.MirrorOptions{PublishOptions: store.PublishOptions{}, Sleep: mirror(t, nil).Sleep, Jitter: mirror(t, nil).Jitter}); err == nil || strings.Contains(err.Error(), "u:p") {
			t.Errorf("%s: %v", from, err)
		}
	}
}

// A single look compares bytes, whatever the source says of them; repeated ones ask
// by a strong ETag, and compare once a day all the same.
func TestMirrorConditional(t *testing.T) {
	t.Parallel()
	core := pkitest.CoreV2()
	for what, tt := range map[string]struct {
		etag    string
		seen    bool
		after   time.Duration
		replace bool // the source has a newer bundle and calls it as before
		want    store.Outcome
		modest  bool // nothing is transferred
	}{
		"a single look, the same":        {`"1"`, false, time.Minute, false, store.OutcomeUnchanged, false},
		"a single look, a stale ETag":    {`"1"`, false, time.Minute, true, store.OutcomePublished, false},
		"repeated, the same":             {`"1"`, true, time.Minute, false, store.OutcomeUnchanged, true},
		"repeated, a stale ETag":         {`"1"`, true, time.Minute, true, store.OutcomeUnchanged, true},
		"a day later, a stale ETag":      {`"1"`, true, 24 * time.Hour, true, store.OutcomePublished, false},
		"the clock was set back":         {`"1"`, true, -time.Hour, false, store.OutcomeUnchanged, false},
		"repeated, without ETag":         {"", true, time.Minute, true, store.OutcomePublished, false},
		"repeated, with a weak ETag":     {`W/"1"`, true, time.Minute, true, store.OutcomePublished, false},
		"repeated, with an unquoted tag": {"1", true, time.Minute, true, store.OutcomePublished, false},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s, src, o := dir(t), newSource(t), mirror(t, nil)
			src.data, src.etag = signed(coreName, "1", core...), tt.etag
			if tt.seen {
				o.Seen = new(store.Seen)
			}
			if _, err := s.Mirror(t.Context(), src.URL+"/lab.p7b", o); err != nil {
				t.Fatal(err)
			}
			if tt.replace {
				src.data = signed(coreName, "2", core...)
			}
			o.Now = o.Now.Add(tt.after)
			m, err := s.Mirror(t.Context(), src.URL+"/lab.p7b", o)
			if m == nil || m.Outcome() != tt.want || m.NotModified != tt.modest {
				t.Errorf("%+v, %v", m, err)
			}
		})
	}
}

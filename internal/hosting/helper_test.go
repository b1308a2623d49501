package hosting_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/store"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

var (
	at       = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	modified = time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
)

// put writes a file as a careful operator does, and gives it a time.
func put(t testing.TB, path string, data []byte, modified time.Time) {
	t.Helper()
	temporary := path + ".new"
	if err := os.WriteFile(temporary, data, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Chtimes(temporary, modified, modified); err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(temporary, path); err != nil {
		t.Fatal(err)
	}
}

func labAnchors(t testing.TB) []roots.Anchor {
	t.Helper()
	anchors, err := roots.FromFile(tooltest.Bundle(t, "lab-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return anchors
}

// A journal is what Options.Report was told.
type journal struct {
	lock  sync.Mutex
	lines []string
}

func (j *journal) report(format string, args ...any) {
	j.lock.Lock()
	defer j.lock.Unlock()
	j.lines = append(j.lines, fmt.Sprintf(format, args...))
}

func (j *journal) String() string {
	j.lock.Lock()
	defer j.lock.Unlock()
	return strings.Join(j.lines, "\n")
}

func options(t testing.TB, source hosting.Source) hosting.Options {
	t.Helper()
	return hosting.Options{Source: source, Anchors: labAnchors(t), Now: func() time.Time { return at }, Version: "v1.2.3"}
}

func newServer(t testing.TB, o hosting.Options) *hosting.Server {
	t.Helper()
	s, err := hosting.New(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// labDir is a directory of the two bundles ios and ios_core, both version 1 of the
// lab's.
func labDir(t testing.TB) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "ios.p7b"), tooltest.Bundle(t, "lab-core-v1.p7b"), modified)
	put(t, filepath.Join(dir, "ios_core.p7b"), tooltest.Bundle(t, "lab-core-v1.p7b"), modified)
	return dir
}

// labStore has ios in two versions.
func labStore(t testing.TB) (*store.Store, string) {
	t.Helper()
	dir := t.TempDir()
	d, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	publish(t, s, "lab-core-v1.p7b", modified)
	publish(t, s, "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	return s, dir
}

func publish(t testing.TB, s *store.Store, file string, now time.Time) {
	t.Helper()
	o := store.PublishOptions{Name: "ios", Anchors: labAnchors(t), At: at, Now: now, From: file}
	if _, err := s.Publish(t.Context(), tooltest.Bundle(t, file), o); err != nil {
		t.Fatal(err)
	}
}

// start serves on loopback until the test ends, and gives the address.
func start(t testing.TB, s *hosting.Server) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	t.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			t.Error(err)
		}
	})
	return l.Addr().String()
}

// raw sends bytes and reads the answer to a request of that method.
func raw(t testing.TB, address, request string) (*http.Response, []byte) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(10 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, request); err != nil {
		t.Fatal(err)
	}
	return answer(t, bufio.NewReader(c), request)
}

func answer(t testing.TB, r *bufio.Reader, request string) (*http.Response, []byte) {
	t.Helper()
	method, _, _ := strings.Cut(request, " ")
	response, err := http.ReadResponse(r, &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%.100q: %v", request, err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	// What was not read of a header that is too large makes the system reset the connection.
	if err != nil && response.StatusCode != http.StatusRequestHeaderFieldsTooLarge {
		t.Fatalf("%.100q: %v", request, err)
	}
	return response, body
}

// get asks the handler itself.
func get(t testing.TB, s *hosting.Server, path string) (int, string) {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, path, nil)
	if err != nil {
		t.Fatal(err)
	}
	w := &recorder{header: http.Header{}}
	s.ServeHTTP(w, r)
	return w.status, w.body.String()
}

type recorder struct {
	header http.Header
	status int
	body   strings.Builder
}

func (r *recorder) Header() http.Header { return r.header }
func (r *recorder) WriteHeader(status int) {
	if r.status == 0 {
		r.status = status
	}
}
func (r *recorder) Write(b []byte) (int, error) { r.WriteHeader(http.StatusOK); return r.body.Write(b) }

func itoa(n int) string { return strconv.Itoa(n) }

// fedStore is a store into which the first of two versions was published, with a feed.
func fedStore(t testing.TB) *store.Store {
	t.Helper()
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	source := httptest.NewServer(http.FileServer(http.Dir("../../testdata/feed")))
	t.Cleanup(source.Close)
	o := store.MirrorOptions{
		PublishOptions: store.PublishOptions{Name: "lab", Anchors: labAnchors(t), At: at, Now: at},
		Sleep:          func(context.Context, time.Duration) error { return nil },
		Jitter:         func() float64 { return 0 },
	}
	if _, err := s.Mirror(t.Context(), source.URL+"/trs/archive/lab/20240917/lab.p7b", o); err != nil {
		t.Fatal(err)
	}
	from := source.URL + "/trs/current/lab/lab.p7b"
	if _, err := s.TakeFeed(t.Context(), from, "lab", o); err != nil {
		t.Fatal(err)
	}
	if _, err := s.FillArchive(t.Context(), from, "lab", nil, o); err != nil {
		t.Fatal(err)
	}
	return s
}

package hosting_test

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

const archived = "/security/pki/trs/archive/ios/"

// A clock is set by tests.
type clock struct{ atomic.Int64 }

func (c *clock) now() time.Time          { return at.Add(time.Duration(c.Load())) }
func (c *clock) advance(d time.Duration) { c.Add(int64(d)) }

// answered is what a handler answers.
func answered(s http.Handler, path string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
	return w
}

// What becomes of an older release after the start and before it is asked for first. It is served if it is good then;
// whatever happens, the current release is.
func TestDemandFaults(t *testing.T) {
	t.Parallel()
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
	rewrite := func(t *testing.T, glob string, change func([]byte) []byte) {
		t.Helper()
		files, err := filepath.Glob(glob)
		if err != nil || len(files) != 1 {
			t.Fatal(files, err)
		}
		data, err := os.ReadFile(files[0])
		if err != nil {
			t.Fatal(err)
		}
		put(t, files[0], change(data), modified)
	}
	const bytesOf = "archive/ios/1-*/ios.p7b"
	for name, tt := range map[string]struct {
		fault  func(t *testing.T, dir string, c *clock)
		status int
		want   string // of the failure
	}{
		"removed": {func(t *testing.T, dir string, _ *clock) {
			rewrite(t, filepath.Join(dir, bytesOf), func([]byte) []byte { return nil })
			files, _ := filepath.Glob(filepath.Join(dir, bytesOf))
			if err := os.Remove(files[0]); err != nil {
				t.Fatal(err)
			}
		}, 404, "there is no such object"},
		"corrupted": {func(t *testing.T, dir string, _ *clock) {
			rewrite(t, filepath.Join(dir, bytesOf), func([]byte) []byte { return tampered(t) })
		}, 404, "its SHA-256 is"},
		"cut": {func(t *testing.T, dir string, _ *clock) {
			rewrite(t, filepath.Join(dir, bytesOf), func(data []byte) []byte { return data[:100] })
		}, 404, "its SHA-256 is"},
		"larger": {func(t *testing.T, dir string, _ *clock) {
			rewrite(t, filepath.Join(dir, bytesOf), func(data []byte) []byte { return append(data, 0) })
		}, 404, "more than 8829 bytes"},
		"unreadable": {func(t *testing.T, dir string, _ *clock) { // a directory, since root may read every file
			files, _ := filepath.Glob(filepath.Join(dir, bytesOf))
			if err := os.Rename(files[0], filepath.Join(dir, "aside")); err != nil {
				t.Fatal(err)
			}
			if err := os.Mkdir(files[0], 0o755); err != nil {
				t.Fatal(err)
			}
		}, 503, "not a regular file"},
		"the store is away": {func(t *testing.T, dir string, _ *clock) {
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = os.RemoveAll(dir + ".away") })
		}, 503, "the store cannot be opened"},
		"the signer has expired": {func(_ *testing.T, _ string, c *clock) { c.advance(21 * 365 * 24 * time.Hour) }, 404, "chain-expired"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, dir := labStore(t)
			var said journal
			var c clock
			o := options(t, hosting.Store(st))
			o.Now, o.Report = c.now, said.report
			s := newServer(t, o)
			tt.fault(t, dir, &c)
			for _, path := range []string{
				archived + "1/ios.p7b", archived + "20250203/ios.p7b", archived + "1/ios.jks", archived + "1/manifest.log", archived + "1/ios.p7b.hash.sha256",
				"/security/pki/trs/current/ios/ios.diff.json", "/sha256/f168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97",
			} {
				if w := answered(s, path); w.Code != tt.status || (tt.status == 503) != (w.Header().Get("Retry-After") != "") || w.Body.Len() > 200 {
					t.Errorf("%s: status %d, %v, %d bytes", path, w.Code, w.Header(), w.Body.Len())
				}
			}
			if w := answered(s, "/ios.p7b"); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), v2) {
				t.Errorf("the current release: status %d", w.Code)
			}
			if _, r := ready(t, s); len(r.Failures) != 1 || !strings.Contains(r.Failures[0], tt.want) {
				t.Errorf("readyz: %q", r.Failures)
			}
			if _, metrics := get(t, s, "/metrics"); !strings.Contains(metrics, "\ntrustpool_refresh_failing 1\n") {
				t.Errorf("metrics:\n%s", metrics)
			}
			if n := strings.Count(said.String(), "it is not served"); n != 1 {
				t.Errorf("said %d times:\n%s", n, said.String())
			}

			// When it is good again, it is served again.
			_ = os.Rename(dir+".away", dir)
			c.Store(int64(time.Minute))
			if files, _ := filepath.Glob(filepath.Join(dir, "archive/ios/1-*")); len(files) == 1 {
				_ = os.RemoveAll(filepath.Join(files[0], "ios.p7b"))
				put(t, filepath.Join(files[0], "ios.p7b"), v1, modified)
			}
			if w := answered(s, archived+"1/ios.p7b"); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), v1) {
				t.Errorf("good again: status %d", w.Code)
			}
			if _, r := ready(t, s); len(r.Failures) != 0 {
				t.Errorf("readyz: %q", r.Failures)
			}
			if !strings.Contains(said.String(), "is good again") {
				t.Errorf("said:\n%s", said.String())
			}
		})
	}
}

// What the history of a store says of a release is not believed: it must be what was signed.
func TestFalseHistory(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ from, to, path, want string }{
		"version":      {`"version": "1"`, `"version": "7"`, "7", `its version is "7", and it is "1"`},
		"signed name":  {`"signed_name": "Lab Core Bundle"`, `"signed_name": "Lab Other Bundle"`, "1", `its signed name is "Lab Other Bundle"`},
		"certificates": {`"certificates": 8`, `"certificates": 9`, "1", "it has 9 certificates, and it has 8"},
		"signing time": {`"signing_time": "20`, `"signing_time": "19`, "1", "its signing time is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, dir := labStore(t)
			index, err := os.ReadFile(filepath.Join(dir, "current/ios"))
			if err != nil {
				t.Fatal(err)
			}
			changed := bytes.Replace(index, []byte(tt.from), []byte(tt.to), 1)
			if bytes.Equal(changed, index) {
				t.Fatalf("%s\nhas no %s", index, tt.from)
			}
			put(t, filepath.Join(dir, "current/ios"), changed, modified)
			if dirs, _ := filepath.Glob(filepath.Join(dir, "archive/ios/1-*")); tt.path != "1" {
				if err := os.Rename(dirs[0], strings.Replace(dirs[0], "/1-", "/"+tt.path+"-", 1)); err != nil {
					t.Fatal(err)
				}
			}
			s := newServer(t, options(t, hosting.Store(st)))
			if w := answered(s, archived+tt.path+"/ios.p7b"); w.Code != 404 {
				t.Errorf("status %d", w.Code)
			}
			if _, r := ready(t, s); len(r.Failures) != 1 || !strings.Contains(r.Failures[0], tt.want) {
				t.Errorf("readyz: %q", r.Failures)
			}
		})
	}
}

// A release that was published under a root that this server does not trust is listed, as its history has it, and not
// served.
func TestArchiveOfAnotherRoot(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(d)
	other, err := roots.FromFile(tooltest.Bundle(t, "lab-p256-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	gates := slices.DeleteFunc(store.Gates(), func(g store.Gate) bool { return g == store.GateSignature })
	for i, f := range []struct {
		file    string
		anchors []roots.Anchor
	}{{"lab-p256.p7b", other}, {"lab-core-v2.p7b", labAnchors(t)}} {
		o := store.PublishOptions{Name: "ios", Anchors: f.anchors, At: at, Now: modified.AddDate(0, 0, i), Allow: gates}
		if _, err := st.Publish(t.Context(), tooltest.Bundle(t, f.file), o); err != nil {
			t.Fatal(err)
		}
	}
	s := newServer(t, options(t, hosting.Store(st)))
	if n := len(s.Catalog().Index(at).Bundles[0].Archive); n != 1 {
		t.Errorf("%d older releases are listed", n)
	}
	for _, path := range []string{archived + "20250203/ios.p7b", archived + "20250203/ios.jks", "/security/pki/trs/current/ios/ios.diff.json"} {
		if w := answered(s, path); w.Code != 404 {
			t.Errorf("%s: status %d", path, w.Code)
		}
	}
	if _, r := ready(t, s); len(r.Failures) != 1 || !strings.Contains(r.Failures[0], "chain-no-anchor") {
		t.Errorf("readyz: %q", r.Failures)
	}
}

// Of a release that a rollback took out of service before it was asked for, the bytes are still in the archive: they
// were signed, and are verified; nothing else leads to them.
func TestWithdrawnBeforeDemand(t *testing.T) {
	t.Parallel()
	st, _ := labStore(t)
	s := newServer(t, options(t, hosting.Store(st)))
	o := store.PublishOptions{Anchors: labAnchors(t), At: at, Now: modified.AddDate(0, 0, 2)}
	if _, err := st.Rollback(t.Context(), "ios", "", o); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	v1, v2 := string(tooltest.Bundle(t, "lab-core-v1.p7b")), string(tooltest.Bundle(t, "lab-core-v2.p7b"))
	for path, want := range map[string]string{
		"/ios.p7b": v1, archived + "1/ios.p7b": v1, archived + "20250205/ios.p7b": v1, archived + "2/ios.p7b": v2, "/ca/trustpool": v1,
	} {
		if w := answered(s, path); w.Code != 200 || w.Body.String() != want {
			t.Errorf("%s: status %d, %d bytes", path, w.Code, w.Body.Len())
		}
	}
	if w := answered(s, archived+"20250203/ios.p7b"); w.Code != 404 {
		t.Errorf("the day of the first publication: %d", w.Code)
	}
}

// longStore makes a store of so many names with the same history of so many releases.
func longStore(t testing.TB, names, releases, certificates int) (st *store.Store, dir string, versions [][]byte) {
	t.Helper()
	dir = t.TempDir()
	d, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	st = store.New(d)
	pool := pkitest.LargePool(certificates + releases)
	for i := range releases {
		data := pkitest.Bundle(pkitest.Lab().Signer, "Lab Large Bundle", strconv.Itoa(i+1), modified, pool[i:i+certificates]...)
		o := store.PublishOptions{Name: "b0000", Anchors: labAnchors(t), At: at, Now: modified.AddDate(0, 0, i)}
		if _, err := st.Publish(t.Context(), data, o); err != nil {
			t.Fatal(err)
		}
		versions = append(versions, data)
	}
	index, err := os.ReadFile(filepath.Join(dir, "current/b0000"))
	if err != nil {
		t.Fatal(err)
	}
	bundles, _ := filepath.Glob(filepath.Join(dir, "archive/b0000/*/b0000.p7b"))
	for i := 1; i < names; i++ {
		name := fmt.Sprintf("b%04d", i)
		put(t, filepath.Join(dir, "current", name), bytes.ReplaceAll(index, []byte("b0000"), []byte(name)), modified)
		for _, file := range bundles {
			copied := filepath.Join(dir, "archive", name, filepath.Base(filepath.Dir(file)))
			if err := os.MkdirAll(copied, 0o755); err != nil {
				t.Fatal(err)
			}
			if err := os.Link(file, filepath.Join(copied, name+".p7b")); err != nil {
				t.Fatal(err)
			}
		}
	}
	return st, dir, versions
}

// A counted backend counts what is read, by the beginning of the key, and may be slow.
type counted struct {
	store.Backend
	lock sync.Mutex
	gets map[string]int
	slow func(ctx context.Context, key string)
}

func (c *counted) Get(ctx context.Context, key string, most int64) ([]byte, string, error) {
	c.lock.Lock()
	c.gets[key]++
	c.lock.Unlock()
	if c.slow != nil {
		c.slow(ctx, key)
	}
	return c.Backend.Get(ctx, key, most)
}

// keys are those that were read since the last call.
func (c *counted) keys() map[string]int {
	c.lock.Lock()
	defer c.lock.Unlock()
	keys := c.gets
	c.gets = map[string]int{}
	return keys
}

// A thousand names are served, at the start without their archives, and one more is refused.
func TestThousandNames(t *testing.T) {
	t.Parallel()
	st, dir, versions := longStore(t, hosting.MaxEntries, 3, 2)
	backend := &counted{Backend: st.Backend(), gets: map[string]int{}}
	s := newServer(t, options(t, hosting.Store(store.New(backend))))
	for key := range backend.keys() {
		if strings.HasPrefix(key, "archive/") && !strings.Contains(key, "/3-") {
			t.Fatalf("%s was read at the start", key)
		}
	}
	if n := len(s.Catalog().Entries); n != hosting.MaxEntries {
		t.Errorf("%d names", n)
	}
	for _, name := range []string{"b0000", "b0500", "b0999"} {
		for i, data := range versions {
			if w := answered(s, fmt.Sprintf("/security/pki/trs/archive/%s/%d/%s.p7b", name, i+1, name)); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), data) {
				t.Errorf("%s %d: status %d", name, i+1, w.Code)
			}
		}
		if w := answered(s, "/"+name+".p7b"); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), versions[2]) {
			t.Errorf("%s: status %d", name, w.Code)
		}
	}
	backend.keys()
	if err := s.Refresh(t.Context()); err != nil {
		t.Fatal(err)
	}
	if keys := backend.keys(); len(keys) != hosting.MaxEntries { // their histories alone: that backend is not near
		t.Errorf("a refresh reads %d objects", len(keys))
	}
	one, err := os.ReadFile(filepath.Join(dir, "current/b0000"))
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "current/b1000"), bytes.ReplaceAll(one, []byte("b0000"), []byte("b1000")), modified)
	if err := s.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "more than 1000 bundles") {
		t.Errorf("one more: %v", err)
	}
}

// A publication makes the server read the one name that has changed.
func TestPublicationReadsOneName(t *testing.T) {
	t.Parallel()
	st, _, _ := longStore(t, 20, 2, 2)
	s := newServer(t, options(t, hosting.Store(st)))
	before := map[string]*hosting.Entry{}
	for _, e := range s.Catalog().Entries {
		before[e.Name] = e
	}
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	done := make(chan struct{})
	go func() { s.Watch(ctx, time.Hour, nil); close(done) }()
	time.Sleep(300 * time.Millisecond) // the look at the beginning
	data := pkitest.Bundle(pkitest.Lab().Signer, "Lab Large Bundle", "3", modified, pkitest.LargePool(2)...)
	o := store.PublishOptions{Name: "b0007", Anchors: labAnchors(t), At: at, Now: modified.AddDate(0, 0, 9)}
	if _, err := st.Publish(t.Context(), data, o); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { return s.Catalog().Lookup("b0007").Current.Version == "3" })
	for _, e := range s.Catalog().Entries {
		if e.Name != "b0007" && before[e.Name] != e {
			t.Errorf("%s was made anew", e.Name)
		}
	}
	stop()
	<-done
}

// Who asks for the same release at the same time waits for one reading of it, and gets it even if who asked first has
// gone.
func TestDemandOnce(t *testing.T) {
	t.Parallel()
	st, _ := labStore(t)
	release, asked := make(chan struct{}), make(chan struct{}, 100)
	backend := &counted{Backend: st.Backend(), gets: map[string]int{}}
	s := newServer(t, options(t, hosting.Store(store.New(backend))))
	backend.keys()
	backend.slow = func(context.Context, string) { asked <- struct{}{}; <-release }
	v1 := tooltest.Bundle(t, "lab-core-v1.p7b")
	var group sync.WaitGroup
	gone, leave := context.WithCancel(t.Context())
	group.Go(func() {
		w := httptest.NewRecorder()
		s.ServeHTTP(w, httptest.NewRequestWithContext(gone, http.MethodGet, archived+"1/ios.p7b", nil))
		if w.Code != 503 {
			t.Errorf("who has gone: status %d", w.Code)
		}
	})
	<-asked
	for range 10 {
		group.Go(func() {
			if w := answered(s, archived+"1/ios.p7b"); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), v1) {
				t.Errorf("status %d, %d bytes", w.Code, w.Body.Len())
			}
		})
	}
	leave()
	time.Sleep(20 * time.Millisecond)
	close(release)
	group.Wait()
	for key, n := range backend.keys() {
		if n != 1 {
			t.Errorf("%s was read %d times", key, n)
		}
	}
	if w := answered(s, archived+"20250203/ios.p7b"); w.Code != 200 || len(backend.keys()) != 0 {
		t.Errorf("once more: status %d", w.Code)
	}
}

// A bucket that goes away while a release is asked for.
func TestBucketAwayDuringDemand(t *testing.T) {
	t.Parallel()
	service := tooltest.StartS3(t)
	b, err := s3.Open(service.URL("a"), service.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(b)
	publish(t, st, "lab-core-v1.p7b", modified)
	publish(t, st, "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	var c clock
	o := options(t, hosting.Store(st))
	o.Now = c.now
	s := newServer(t, o)
	service.Stop()
	w := answered(s, archived+"1/ios.p7b")
	if w.Code != 503 || w.Header().Get("Retry-After") == "" {
		t.Errorf("away: status %d, %v", w.Code, w.Header())
	}
	if w := answered(s, "/ios.p7b"); w.Code != 200 {
		t.Errorf("the current release: status %d", w.Code)
	}
	if _, r := ready(t, s); len(r.Failures) != 1 || !r.Ready {
		t.Errorf("readyz: %+v", r)
	}
	service.Start(t)
	c.advance(2 * time.Second)
	if w := answered(s, archived+"1/ios.p7b"); w.Code != 200 || !bytes.Equal(w.Body.Bytes(), tooltest.Bundle(t, "lab-core-v1.p7b")) {
		t.Errorf("back: status %d", w.Code)
	}
	service.Stop() // what was read is kept
	if w := answered(s, archived+"1/ios.p7b.hash.sha512"); w.Code != 200 {
		t.Errorf("of what is kept: status %d", w.Code)
	}
	if _, r := ready(t, s); len(r.Failures) != 0 {
		t.Errorf("readyz: %+v", r)
	}
}

// kept is what /metrics says is kept.
func kept(t testing.TB, s *hosting.Server) int {
	t.Helper()
	_, metrics := get(t, s, "/metrics")
	_, value, _ := strings.Cut(metrics, "\ntrustpool_kept_bytes ")
	value, _, _ = strings.Cut(value, "\n")
	n, err := strconv.ParseFloat(value, 64)
	if err != nil {
		t.Error(err)
	}
	return int(n)
}

// A crawler that asks for everything, and clients that take nothing, do not make more be kept than the bound and what
// one thing has.
func TestCrawlerIsBounded(t *testing.T) {
	t.Parallel()
	st, _, versions := longStore(t, 2, 24, 1000)
	if size := len(versions[0]) * len(versions) * 2; size < 3*hosting.MaxKept/2 {
		t.Fatalf("%d bytes are not enough", size)
	}
	most := hosting.MaxKept + 2*len(versions[0])
	s := newServer(t, options(t, hosting.Store(st)))
	files, _, err := s.Catalog().Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	next := make(chan hosting.File)
	for range 4 {
		group.Go(func() {
			for f := range next {
				if w := answered(s, "/"+f.Name); w.Code != 200 {
					t.Errorf("%s: status %d: %s", f.Name, w.Code, w.Body)
				}
				if n := kept(t, s); n > most {
					t.Errorf("%d bytes are kept", n)
				}
			}
		})
	}
	for i, f := range files {
		if i%6 == 0 || !f.Modified.IsZero() && !f.Forever {
			next <- f
		}
	}
	close(next)
	group.Wait()
	if kept(t, s) < hosting.MaxKept/2 {
		t.Errorf("only %d bytes are kept", kept(t, s))
	}

	writing, release := make(chan struct{}, 100), make(chan struct{})
	refused := 0
	for name := range 2 {
		for i := range versions[:len(versions)-1] {
			path := fmt.Sprintf("/security/pki/trs/archive/b%04d/%d/b%04d.p7b", name, i+1, name)
			w := stalled{httptest.NewRecorder(), writing, release}
			ended := make(chan struct{})
			group.Go(func() {
				s.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
				close(ended)
			})
			select {
			case <-writing:
			case <-ended:
				if refused++; w.Code != 503 || w.Header().Get("Retry-After") == "" {
					t.Errorf("%s: status %d", path, w.Code)
				}
			}
		}
	}
	if n := kept(t, s); n > most || refused == 0 {
		t.Errorf("%d bytes are held, %d requests refused", n, refused)
	}
	if w := answered(s, "/b0001.p7b"); w.Code != 200 {
		t.Errorf("the current release: status %d", w.Code)
	}
	close(release)
	group.Wait()
	if w := answered(s, "/security/pki/trs/archive/b0001/2/b0001.p7b"); w.Code != 200 {
		t.Errorf("afterwards: status %d", w.Code)
	}
}

// stalled is a client that takes nothing until it is let go. What refuses it is taken.
type stalled struct {
	*httptest.ResponseRecorder
	writing chan<- struct{}
	release <-chan struct{}
}

func (s stalled) Write(b []byte) (int, error) {
	if s.Code == 200 {
		s.writing <- struct{}{}
		<-s.release
	}
	return len(b), nil
}

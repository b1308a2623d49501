package hosting_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
)

// tampered is v1 with another byte in the pool.
func tampered(t testing.TB) []byte {
	data := bytes.Clone(tooltest.Bundle(t, "lab-core-v1.p7b"))
	data[len(data)/2] ^= 1
	return data
}

// What is not good at the start is an error that names it.
func TestRefuseAtStart(t *testing.T) {
	t.Parallel()
	good := tooltest.Bundle(t, "lab-core-v1.p7b")
	for name, tt := range map[string]struct {
		data []byte
		want string
	}{
		"unsigned":     {tooltest.Bundle(t, "lab-certs-only.p7b"), "not verified: not-signed"},
		"tampered":     {tampered(t), "not verified: message-digest-differs"},
		"truncated":    {good[:len(good)-10], "truncated or damaged"},
		"empty":        {nil, "empty"},
		"a page":       {[]byte("<!DOCTYPE html><html></html>"), "HTML"},
		"another root": {tooltest.Bundle(t, "lab-p256.p7b"), "not verified: chain-no-anchor"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := labDir(t)
			put(t, filepath.Join(dir, "bad.p7b"), tt.data, modified)
			_, err := hosting.New(t.Context(), options(t, hosting.Directory(dir)))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), filepath.Join(dir, "bad.p7b")) {
				t.Errorf("error: %v", err)
			}
		})
	}
	for name, make := range map[string]func(dir string) (hosting.Source, error){
		"no such file":          func(dir string) (hosting.Source, error) { return hosting.Files(filepath.Join(dir, "no.p7b")) },
		"not a regular":         func(_ string) (hosting.Source, error) { return hosting.Files("/dev/zero") },
		"no file there ends in": func(_ string) (hosting.Source, error) { return hosting.Directory(t.TempDir()), nil },
		"no such file or":       func(dir string) (hosting.Source, error) { return hosting.Directory(filepath.Join(dir, "no")), nil },
		"both be served": func(dir string) (hosting.Source, error) {
			return hosting.Files(filepath.Join(dir, "ios.p7b"), filepath.Join(dir, "x", "ios.p7b"))
		},
		"which another is already": func(dir string) (hosting.Source, error) {
			f, err := hosting.Files(filepath.Join(dir, "ios.p7b"))
			return hosting.Join(hosting.Directory(dir), f), err
		},
		"cannot be served": func(dir string) (hosting.Source, error) { return hosting.Files(filepath.Join(dir, "a b.p7b")) },
	} {
		source, err := make(labDir(t))
		if err == nil {
			_, err = hosting.New(t.Context(), options(t, source))
		}
		if err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// ready is what /readyz says.
func ready(t testing.TB, s *hosting.Server) (int, hosting.ReadyReport) {
	t.Helper()
	status, body := get(t, s, "/readyz")
	var r hosting.ReadyReport
	if err := json.Unmarshal([]byte(body), &r); err != nil {
		t.Fatal(err)
	}
	return status, r
}

// Whatever happens to the files, what was verified last is served, and what is wrong
// is said. When the fault is gone, so is the complaint.
func TestFaults(t *testing.T) {
	t.Parallel()
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
	write := func(data []byte) func(*testing.T, string) {
		return func(t *testing.T, dir string) { put(t, filepath.Join(dir, "ios.p7b"), data, modified.Add(time.Hour)) }
	}
	for name, tt := range map[string]struct {
		fault func(t *testing.T, dir string)
		want  string
	}{
		"tampered":   {write(tampered(t)), "message-digest-differs"},
		"unsigned":   {write(tooltest.Bundle(t, "lab-certs-only.p7b")), "not-signed"},
		"half":       {write(v2[:len(v2)/2]), "truncated or damaged"},
		"empty":      {write(nil), "empty"},
		"a page":     {write([]byte("<html>404 Not Found</html>")), "HTML"},
		"other name": {write(tooltest.Bundle(t, "lab-quirks-v1.p7b")), `is "Lab Quirks Bundle" and no longer "Lab Core Bundle"`},
		"in place": {func(t *testing.T, dir string) { // corrupted on disk
			if err := os.WriteFile(filepath.Join(dir, "ios.p7b"), make([]byte, len(v1)), 0o644); err != nil {
				t.Fatal(err)
			}
		}, "ios.p7b"},
		"removed": {func(t *testing.T, dir string) {
			if err := os.Remove(filepath.Join(dir, "ios.p7b")); err != nil {
				t.Fatal(err)
			}
		}, "ios: it is gone"},
		"a directory": {func(t *testing.T, dir string) {
			_ = os.Remove(filepath.Join(dir, "ios.p7b"))
			if err := os.Mkdir(filepath.Join(dir, "ios.p7b"), 0o755); err != nil {
				t.Fatal(err)
			}
		}, "not a regular file"},
		"unreadable": {func(t *testing.T, dir string) { // a loop, since root may read everything
			_ = os.Remove(filepath.Join(dir, "ios.p7b"))
			if err := os.Symlink("ios.p7b", filepath.Join(dir, "ios.p7b")); err != nil {
				t.Fatal(err)
			}
		}, "too many levels of symbolic links"},
		"directory removed": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(dir); err != nil {
				t.Fatal(err)
			}
		}, "no such file or directory"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := labDir(t)
			var said journal
			o := options(t, hosting.Directory(dir))
			o.Report = said.report
			clock := at
			o.Now = func() time.Time { return clock }
			s := newServer(t, o)

			tt.fault(t, dir)
			clock = at.Add(time.Minute)
			for range 2 {
				if err := s.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), tt.want) {
					t.Errorf("error: %v", err)
				}
			}
			if status, body := get(t, s, "/ios.p7b"); status != 200 || body != string(v1) {
				t.Errorf("status %d, %d bytes", status, len(body))
			}
			status, r := ready(t, s)
			if status != 200 || !r.Ready || len(r.Failures) != 1 || !strings.Contains(r.Failures[0], tt.want) || r.Age != 60 {
				t.Errorf("readyz: %d %+v", status, r)
			}
			if _, metrics := get(t, s, "/metrics"); !strings.Contains(metrics, "\ntrustpool_refresh_failing 1\n") || !strings.Contains(metrics, "trustpool_refresh_failures_total 2\n") {
				t.Errorf("metrics:\n%s", metrics)
			}
			if n := strings.Count(said.String(), "\n") + 1; n != 1 || !strings.Contains(said.String(), "what was served before stays") {
				t.Errorf("said %d times:\n%s", n, said.String())
			}

			_ = os.Remove(filepath.Join(dir, "ios.p7b"))
			if err := os.MkdirAll(dir, 0o755); err != nil {
				t.Fatal(err)
			}
			put(t, filepath.Join(dir, "ios_core.p7b"), v1, modified)
			put(t, filepath.Join(dir, "ios.p7b"), v2, modified.Add(time.Hour))
			if err := s.Refresh(t.Context()); err != nil {
				t.Error(err)
			}
			if _, body := get(t, s, "/ios.p7b"); body != string(v2) {
				t.Error("the new one is not served")
			}
			if status, r := ready(t, s); status != 200 || len(r.Failures) != 0 || r.Age != 0 || r.Bundles[0].Version != "2" {
				t.Errorf("readyz: %d %+v", status, r)
			}
			if !strings.Contains(said.String(), "all is well again") || !strings.Contains(said.String(), `ios is now "Lab Core Bundle" version 2, 9 certificates`) {
				t.Errorf("said:\n%s", said.String())
			}
		})
	}
}

// A FIFO, which has no end and perhaps no beginning, is not waited for: neither in the
// place of a file, nor where it gets there just before the file is opened, nor as a key.
func TestFIFO(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	keyPair(t, dir, "name")
	o := options(t, hosting.Directory(dir))
	var err error
	if o.TLS, err = hosting.LoadKeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")); err != nil {
		t.Fatal(err)
	}
	s := newServer(t, o)
	fifo := func(path string) {
		tooltest.FIFO(t, path+".fifo")
		if err := os.Rename(path+".fifo", path); err != nil {
			t.Fatal(err)
		}
	}
	done := make(chan error)
	refresh := func(times int) {
		var err error
		for range times {
			err = s.Refresh(t.Context())
		}
		done <- err
	}
	wait := func() (err error) {
		t.Helper()
		select {
		case err = <-done:
		case <-time.After(time.Minute):
			t.Fatal("it waits")
		}
		return err
	}
	go refresh(100)
	for range 100 {
		fifo(filepath.Join(dir, "ios.p7b"))
		put(t, filepath.Join(dir, "ios.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b"), modified)
	}
	_ = wait()
	fifo(filepath.Join(dir, "key.pem"))
	go refresh(1)
	if err := wait(); err == nil || !strings.Contains(err.Error(), "key.pem: not a regular file") {
		t.Errorf("error: %v", err)
	}
}

// Of several bundles a bad one keeps only itself back.
func TestPartialRefresh(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	s := newServer(t, options(t, hosting.Directory(dir)))
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
	put(t, filepath.Join(dir, "ios.p7b"), v2, modified)
	put(t, filepath.Join(dir, "ios_core.p7b"), tampered(t), modified)
	put(t, filepath.Join(dir, "new.p7b"), v2, modified)
	put(t, filepath.Join(dir, "new_bad.p7b"), v2[:100], modified)
	if err := s.Refresh(t.Context()); err == nil {
		t.Error("no error")
	}
	for path, want := range map[string][]byte{"/ios.p7b": v2, "/ios_core.p7b": v1, "/new.p7b": v2} {
		if status, body := get(t, s, path); status != 200 || body != string(want) {
			t.Errorf("%s: status %d, %d bytes", path, status, len(body))
		}
	}
	if status, _ := get(t, s, "/new_bad.p7b"); status != 404 {
		t.Errorf("what was never good: status %d", status)
	}
}

// What is new is served though nobody reads that it is.
func TestReportStuck(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	o := options(t, hosting.Directory(dir))
	reading := make(chan struct{})
	o.Report = func(string, ...any) { <-reading }
	s := newServer(t, o)
	v2 := tooltest.Bundle(t, "lab-core-v2.p7b")
	put(t, filepath.Join(dir, "ios.p7b"), v2, modified)
	put(t, filepath.Join(dir, "ios_core.p7b"), tampered(t), modified)
	done := make(chan error)
	go func() { done <- s.Refresh(t.Context()) }()
	eventually(t, func() bool { _, body := get(t, s, "/ios.p7b"); return body == string(v2) })
	if _, r := ready(t, s); len(r.Failures) != 1 {
		t.Errorf("readyz: %+v", r)
	}
	close(reading)
	if err := <-done; err == nil {
		t.Error("no error")
	}
}

// Nothing is verified for ever: /readyz says so when the signer's certificate has
// expired, and nothing new gets in.
func TestExpiredSigner(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	o := options(t, hosting.Directory(dir))
	var clock atomic.Pointer[time.Time]
	clock.Store(&at)
	o.Now = func() time.Time { return *clock.Load() }
	s := newServer(t, o)
	if status, r := ready(t, s); status != 200 || !r.Ready {
		t.Fatalf("%d %+v", status, r)
	}
	clock.Store(new(time.Date(2046, 1, 1, 0, 0, 0, 0, time.UTC)))
	status, r := ready(t, s)
	if status != 503 || r.Ready || r.Bundles[0].Verified || !strings.Contains(*r.Bundles[0].Error, "chain-expired") {
		t.Errorf("%d %+v", status, r)
	}
	if _, metrics := get(t, s, "/metrics"); !strings.Contains(metrics, `trustpool_bundle_verified{bundle="ios"} 0`) {
		t.Error("no metric says so")
	}
	put(t, filepath.Join(dir, "ios.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b"), modified)
	if err := s.Refresh(t.Context()); err == nil {
		t.Error("what is not verified any more got in")
	}
}

// A store that goes away, is damaged, or holds what is not verified.
func TestStoreFaults(t *testing.T) {
	t.Parallel()
	v1, v2 := string(tooltest.Bundle(t, "lab-core-v1.p7b")), string(tooltest.Bundle(t, "lab-core-v2.p7b"))
	damage := func(glob string) func(*testing.T, string) {
		return func(t *testing.T, dir string) {
			files, err := filepath.Glob(filepath.Join(dir, glob))
			if err != nil || len(files) != 1 {
				t.Fatal(files, err)
			}
			data, err := os.ReadFile(files[0])
			if err != nil {
				t.Fatal(err)
			}
			_ = os.Chmod(files[0], 0o644)
			if err := os.WriteFile(files[0], data[:len(data)/2], 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	for name, tt := range map[string]struct {
		fault  func(t *testing.T, dir string)
		refuse bool // also at the start
	}{
		"gone": {func(t *testing.T, dir string) {
			if err := os.Rename(dir, dir+".away"); err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir + ".away") })
		}, true},
		"archive gone": {func(t *testing.T, dir string) {
			if err := os.RemoveAll(filepath.Join(dir, "archive")); err != nil {
				t.Fatal(err)
			}
		}, true},
		"current damaged": {damage("archive/ios/2-*/ios.p7b"), true},
		"pointer damaged": {damage("current/ios"), true},
		"old one damaged": {damage("archive/ios/1-*/ios.p7b"), false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			st, dir := labStore(t)
			s := newServer(t, options(t, hosting.Store(st)))
			if _, body := get(t, s, "/security/pki/trs/archive/ios/1/ios.p7b"); body != v1 { // from now on it is kept
				t.Error("the archive is not served")
			}
			tt.fault(t, dir)
			if err := s.Refresh(t.Context()); (err == nil) == tt.refuse {
				t.Errorf("refresh: %v", err)
			}
			if _, body := get(t, s, "/ios.p7b"); body != v2 {
				t.Error("what was good is not served")
			}
			if _, body := get(t, s, "/security/pki/trs/archive/ios/1/ios.p7b"); body != v1 {
				t.Error("what was good in the archive is not served")
			}
			again, err := hosting.New(t.Context(), options(t, hosting.Store(st)))
			if (err != nil) != tt.refuse {
				t.Errorf("start: %v", err)
			}
			if err == nil {
				if status, body := get(t, again, "/security/pki/trs/archive/ios/1/ios.p7b"); status != 404 {
					t.Errorf("damaged bytes are served: %d, %d bytes", status, len(body))
				}
				if _, r := ready(t, again); len(r.Failures) != 1 {
					t.Errorf("readyz: %+v", r)
				}
			}
		})
	}
}

// What is in a store was verified by its publisher, not by us: here under another root.
func TestStoreOfAnother(t *testing.T) {
	t.Parallel()
	st, _ := labStore(t)
	o := options(t, hosting.Store(st))
	o.Anchors[0].SHA256[0] ^= 1
	if _, err := hosting.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), "chain-no-anchor") {
		t.Errorf("error: %v", err)
	}
}

// A flaky backend is away when told so.
type flaky struct {
	store.Backend
	away atomic.Bool
}

var errAway = errors.New("the bucket does not answer")

func (f *flaky) Get(ctx context.Context, key string, most int64) ([]byte, string, error) {
	if f.away.Load() {
		return nil, "", errAway
	}
	return f.Backend.Get(ctx, key, most)
}

func (f *flaky) List(ctx context.Context, prefix string) ([]string, error) {
	if f.away.Load() {
		return nil, errAway
	}
	return f.Backend.List(ctx, prefix)
}

// A bucket that is away for a while; polling finds it again.
func TestBackendAway(t *testing.T) {
	t.Parallel()
	st, _ := labStore(t)
	f := &flaky{Backend: st.Backend()}
	far := store.New(f)
	s := newServer(t, options(t, hosting.Store(far)))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Watch(ctx, 5*time.Millisecond, nil); close(done) }()
	f.away.Store(true)
	eventually(t, func() bool { _, r := ready(t, s); return len(r.Failures) == 1 })
	if status, r := ready(t, s); status != 200 || !strings.Contains(r.Failures[0], errAway.Error()) {
		t.Errorf("%d %+v", status, r)
	}
	if status, _ := get(t, s, "/ios.p7b"); status != 200 {
		t.Errorf("status %d", status)
	}
	f.away.Store(false)
	if _, err := st.Rollback(t.Context(), "ios", "1", store.PublishOptions{Anchors: labAnchors(t), At: at, Now: at}); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool {
		_, body := get(t, s, "/ios.p7b")
		return body == string(tooltest.Bundle(t, "lab-core-v1.p7b"))
	})
	eventually(t, func() bool { _, r := ready(t, s); return len(r.Failures) == 0 })
	stop()
	<-done
}

// A real service that stops, one whose bucket is gone, and their return, under load: no
// request fails.
func TestBucketAway(t *testing.T) {
	t.Parallel()
	service := tooltest.StartS3(t)
	b, err := s3.Open(service.URL("a"), service.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(b)
	publish(t, st, "lab-core-v1.p7b", modified)
	s := newServer(t, options(t, hosting.Store(st)))
	v1, v2 := string(tooltest.Bundle(t, "lab-core-v1.p7b")), string(tooltest.Bundle(t, "lab-core-v2.p7b"))
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	group.Go(func() { s.Watch(ctx, 20*time.Millisecond, nil) })
	group.Go(func() {
		for ctx.Err() == nil {
			if status, body := get(t, s, "/ios.p7b"); status != 200 || body != v1 && body != v2 {
				t.Errorf("status %d, %d bytes", status, len(body))
				return
			}
			time.Sleep(time.Millisecond)
		}
	})
	bucket := filepath.Join(service.Dir, "bucket")
	for what, fault := range map[string]struct{ away, back func() error }{
		"service": {func() error { service.Stop(); return nil }, func() error { service.Start(t); return nil }},
		"bucket": {
			func() error { return os.Rename(bucket, bucket+".away") },
			func() error { return os.Rename(bucket+".away", bucket) },
		},
		"object": { // also of a release that is known
			func() error {
				return os.Rename(filepath.Join(bucket, "a/current/ios"), filepath.Join(service.Dir, "ios"))
			},
			func() error {
				return os.Rename(filepath.Join(service.Dir, "ios"), filepath.Join(bucket, "a/current/ios"))
			},
		},
	} {
		if err := fault.away(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { _, r := ready(t, s); return len(r.Failures) == 1 })
		if status, r := ready(t, s); status != 200 || !r.Ready {
			t.Errorf("%s: %d %+v", what, status, r)
		}
		if err := fault.back(); err != nil {
			t.Fatal(err)
		}
		eventually(t, func() bool { _, r := ready(t, s); return len(r.Failures) == 0 })
	}
	publish(t, st, "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	eventually(t, func() bool { _, body := get(t, s, "/ios.p7b"); return body == v2 })
	stop()
	group.Wait()
}

func eventually(t testing.TB, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass within 10 s")
		}
	}
}

// Changes of files are seen without waiting for the clock, also those of a directory
// that was replaced.
func TestWatch(t *testing.T) {
	t.Parallel()
	parent := t.TempDir()
	dir := filepath.Join(parent, "bundles")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
	put(t, filepath.Join(dir, "ios.p7b"), v1, modified)
	s := newServer(t, options(t, hosting.Directory(dir)))
	ctx, stop := context.WithCancel(t.Context())
	done, now := make(chan struct{}), make(chan struct{})
	go func() { s.Watch(ctx, time.Hour, now); close(done) }()
	serves := func(data []byte) func() bool {
		return func() bool { _, body := get(t, s, "/ios.p7b"); return body == string(data) }
	}
	put(t, filepath.Join(dir, "ios.p7b"), v2, modified)
	eventually(t, serves(v2))
	if err := os.WriteFile(filepath.Join(dir, "ios.p7b"), v1, 0o644); err != nil { // a careless operator
		t.Fatal(err)
	}
	eventually(t, serves(v1))
	if err := os.Rename(dir, dir+".old"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "ios.p7b"), v2, modified)
	now <- struct{}{} // SIGHUP
	eventually(t, serves(v2))
	put(t, filepath.Join(dir, "ios.p7b"), v1, modified)
	eventually(t, serves(v1))
	stop()
	<-done
}

// A file that is served may be a link to another in its directory.
func TestWatchLinkedFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	link, target := filepath.Join(dir, "ios.p7b"), filepath.Join(dir, "ios-current.p7b")
	put(t, target, tooltest.Bundle(t, "lab-core-v1.p7b"), modified)
	if err := os.Symlink(filepath.Base(target), link); err != nil {
		t.Fatal(err)
	}
	files, err := hosting.Files(link)
	if err != nil {
		t.Fatal(err)
	}
	s := newServer(t, options(t, files))
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan struct{})
	go func() { s.Watch(ctx, time.Hour, nil); close(done) }()
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
	serves := func(data []byte) func() bool {
		return func() bool { _, body := get(t, s, "/ios.p7b"); return body == string(data) }
	}
	put(t, target, v2, modified)
	eventually(t, serves(v2))
	if err := os.WriteFile(target, v1, 0o644); err != nil {
		t.Fatal(err)
	}
	eventually(t, serves(v1))
	stop()
	<-done
}

// Under load a change shows whole or not at all.
func TestSwap(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	s := newServer(t, options(t, hosting.Directory(dir)))
	versions := map[string]string{}
	for _, name := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b"} {
		data := tooltest.Bundle(t, name)
		versions[string(data)] = name
	}
	done := make(chan struct{})
	var group sync.WaitGroup
	for range 4 {
		group.Go(func() {
			for {
				select {
				case <-done:
					return
				default:
				}
				if status, body := get(t, s, "/ios.p7b"); status != 200 || versions[body] == "" {
					t.Errorf("status %d, %d bytes", status, len(body))
					return
				}
			}
		})
	}
	for i := range 40 {
		put(t, filepath.Join(dir, "ios.p7b"), tooltest.Bundle(t, fmt.Sprintf("lab-core-v%d.p7b", 1+i%2)), modified)
		if err := s.Refresh(t.Context()); err != nil {
			t.Error(err)
		}
	}
	close(done)
	group.Wait()
}

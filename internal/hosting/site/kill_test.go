package site_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/durable"
	"trustpool/internal/hosting/site"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
	"trustpool/signing"
)

// TestMain is also the writer that tests kill.
func TestMain(m *testing.M) {
	if dirs := os.Getenv("SITE_TEST_WRITER"); dirs != "" {
		os.Exit(writer(strings.Split(dirs, string(filepath.ListSeparator))))
	}
	os.Exit(m.Run())
}

// writer writes a site of one store and then of the other, until it is killed. It prints a line when it begins to write.
func writer(dirs []string) int {
	t := &standIn{}
	place, err := site.OpenDir(dirs[0], new(durable.Disk))
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	for i := 0; ; i++ {
		d, err := store.OpenDir(dirs[1+i%2], new(durable.Disk))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
		o := options(t, store.New(d))
		o.Delete = true
		fmt.Println()
		if _, err := site.Write(context.Background(), place, o); err != nil {
			fmt.Fprintln(os.Stderr, err)
			return 1
		}
	}
}

// A standIn is a testing.TB outside of a test.
type standIn struct{ testing.TB }

func (*standIn) Helper()           {}
func (*standIn) Fatal(args ...any) { panic(fmt.Sprint(args...)) }

// A pair is two stores that a site is of in turn, and what it may have.
type pair struct {
	stores [2]*store.Store
	dirs   [2]string
	may    map[string]map[string]bool // the contents that a file may have
	always []string                   // names that both sites have
}

// newPair makes stores of one release and of two.
func newPair(t *testing.T) *pair {
	t.Helper()
	p := &pair{may: map[string]map[string]bool{}}
	names := map[string]int{}
	for i := range p.stores {
		s := newStore(t)
		if i == 1 {
			publish(t, s, "ios", "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
		}
		p.stores[i], p.dirs[i] = s, s.Backend().(*store.Dir).Path()
		dir := t.TempDir()
		write(t, open(t, dir), options(t, s))
		for name, data := range contents(t, dir) {
			if p.may[name] == nil {
				p.may[name] = map[string]bool{}
			}
			p.may[name][data] = true
			names[name]++
		}
	}
	for name, n := range names {
		if n == 2 && name != "trustpool-site.json" {
			p.always = append(p.always, name)
		}
	}
	slices.Sort(p.always)
	return p
}

// whole asks that each file is that of one of the two sites, and each bundle verified.
func (p *pair) whole(t *testing.T, what string, got map[string]string) {
	t.Helper()
	for name, data := range got {
		if name == "trustpool-site.json" || strings.HasPrefix(name, durable.TempPrefix) {
			continue
		}
		if !p.may[name][data] {
			t.Fatalf("%s: %s has %d bytes that neither site has", what, name, len(data))
		}
		if strings.HasSuffix(name, ".p7b") && !strings.HasPrefix(name, "pages/") {
			verified(t, name, []byte(data))
		}
	}
}

func verified(t *testing.T, name string, data []byte) {
	t.Helper()
	b, err := bundle.Parse(data)
	if err == nil {
		_, err = signing.Verify(b, signing.VerifyOptions{Anchors: anchors(t), At: at})
	}
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
}

const (
	kills       = 100
	killingTime = 5 * time.Minute // many times what it takes
)

// Writers are killed at 100 random moments while they change a site from one state to the other. Whatever a client gets
// of it, then and meanwhile, is whole and verified, and the next writer goes on.
func TestKill(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	p := newPair(t)
	dir, err := os.MkdirTemp("/dev/shm", "") // memory: more writes in the time; a killed process leaves as much
	if err != nil {
		dir = t.TempDir()
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	write(t, open(t, dir), options(t, p.stores[0]))

	web := httptest.NewServer(http.FileServer(http.Dir(dir)))
	defer web.Close()
	ctx, stop := context.WithCancel(t.Context())
	var group sync.WaitGroup
	asked := 0
	group.Go(func() {
		for ctx.Err() == nil {
			for _, name := range p.always {
				if name == "index.html" || strings.HasSuffix(name, "/index.html") { // which net/http redirects
					continue
				}
				r, err := http.Get(web.URL + "/" + name)
				if err != nil {
					t.Errorf("%s: %v", name, err)
					return
				}
				body, err := io.ReadAll(r.Body)
				r.Body.Close()
				if err != nil || r.StatusCode != http.StatusOK || !p.may[name][string(body)] {
					t.Errorf("%s: status %d, %d bytes that neither site has, %v", name, r.StatusCode, len(body), err)
					return
				}
				asked++
				time.Sleep(time.Millisecond) // the machine is to write, too
			}
		}
	})

	seed := rand.Uint64()
	random := rand.New(rand.NewPCG(seed, 0))
	changed, before := 0, ""
	var took time.Duration
	for deadline, kill := time.Now().Add(killingTime), 0; kill < kills; kill++ {
		if time.Now().After(deadline) {
			t.Fatalf("seed %d: %d kills in %v", seed, kill, killingTime)
		}
		var stderr bytes.Buffer
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), "SITE_TEST_WRITER="+strings.Join([]string{dir, p.dirs[0], p.dirs[1]}, string(filepath.ListSeparator)), "GORACE=atexit_sleep_ms=0")
		cmd.Stderr = &stderr
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(out)
		lines.Scan() // it writes; the second time it changes what is there for sure
		began := time.Now()
		lines.Scan()
		took = max(time.Since(began), time.Millisecond)
		time.Sleep(time.Duration(random.Int64N(int64(2 * took))))
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if stderr.Len() > 0 {
			t.Fatalf("seed %d, kill %d: the writer could not go on: %s", seed, kill, stderr.Bytes())
		}
		got := contents(t, dir)
		p.whole(t, fmt.Sprintf("seed %d, kill %d", seed, kill), got)
		for _, name := range p.always {
			if _, ok := got[name]; !ok {
				t.Fatalf("seed %d, kill %d: %s is gone", seed, kill, name)
			}
		}
		if got["ios.p7b"] != before {
			changed++
		}
		before = got["ios.p7b"]
	}
	stop()
	group.Wait()
	t.Logf("seed %d: ios.p7b was another after %d of %d kills; a client asked %d times", seed, changed, kills, asked)
	for i, s := range p.stores {
		o := options(t, s)
		o.Delete = true
		write(t, open(t, dir), o)
		if r := check(t, open(t, dir), o); !r.OK() || len(r.Old) > 0 {
			t.Errorf("site %d afterwards: %+v", i, r)
		}
		if left, _ := filepath.Glob(filepath.Join(dir, durable.TempPrefix+"*")); len(left) > 0 {
			t.Errorf("left behind: %q", left)
		}
	}
}

// The service of a bucket is killed at random moments while a site is written there. What it has then is whole, and when it
// is back the next writer goes on.
func TestBucketAway(t *testing.T) {
	if testing.Short() {
		t.Skip("skipped: -short")
	}
	t.Parallel()
	server := tooltest.StartS3(t)
	b, err := s3.Open(server.URL("www"), server.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	p := newPair(t)
	place := site.OpenBucket(b)
	o := options(t, p.stores[0])
	began := time.Now()
	write(t, place, o)
	took := time.Since(began)
	if r := check(t, place, o); !r.OK() {
		t.Fatalf("%+v", r)
	}
	if r := write(t, place, o); r.Written {
		t.Errorf("it was written twice: %+v", r)
	}
	dir := filepath.Join(server.Dir, "bucket", "www")
	failed := 0
	for i := range 12 {
		ctx, cancel := context.WithTimeout(t.Context(), took+time.Second) // a client asks again and again
		stopped := make(chan bool)
		timer := time.AfterFunc(rand.N(took), func() { server.Stop(); close(stopped) })
		o := options(t, p.stores[(i+1)%2])
		o.Delete = i%3 == 0
		if _, err := site.Write(ctx, place, o); err != nil {
			failed++
		}
		cancel()
		if timer.Stop() {
			server.Stop()
		} else {
			<-stopped
		}
		p.whole(t, fmt.Sprint("stop ", i), objects(t, dir))
		server.Start(t)
	}
	t.Logf("%d of 12 failed", failed)
	for _, s := range p.stores {
		o := options(t, s)
		o.Delete = true
		write(t, place, o)
		if r := check(t, place, o); !r.OK() || len(r.Old) > 0 {
			t.Errorf("afterwards: %+v", r)
		}
	}
	// A bucket that is away is an error, and so is one that says no.
	server.Stop()
	ctx, cancel := context.WithTimeout(t.Context(), time.Second)
	defer cancel()
	if _, err := site.Write(ctx, place, o); err == nil || errors.Is(err, store.ErrNotFound) {
		t.Errorf("with the bucket away: %v", err)
	}
}

// objects are contents without what a service keeps beside them.
func objects(t *testing.T, dir string) map[string]string {
	t.Helper()
	all := contents(t, dir)
	maps.DeleteFunc(all, func(name, _ string) bool { return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") })
	return all
}

// Two write to a bucket at a time, each what its store has. In the end it has one of the two.
func TestBucketConflict(t *testing.T) {
	t.Parallel()
	server := tooltest.StartS3(t)
	b, err := s3.Open(server.URL("www"), server.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	p := newPair(t)
	for range 2 {
		var group sync.WaitGroup
		errs := make([]error, 2)
		for i, s := range p.stores {
			o := options(t, s)
			group.Go(func() { _, errs[i] = site.Write(t.Context(), site.OpenBucket(b), o) })
		}
		group.Wait()
		for _, err := range errs {
			if err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		}
		p.whole(t, "after two", objects(t, filepath.Join(server.Dir, "bucket", "www")))
	}
	// A store that both write of: the last state wins.
	publish(t, p.stores[0], "ios", "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	var group sync.WaitGroup
	for range 3 {
		group.Go(func() {
			if _, err := site.Write(t.Context(), site.OpenBucket(b), options(t, p.stores[0])); err != nil && !errors.Is(err, store.ErrConflict) {
				t.Error(err)
			}
		})
	}
	group.Wait()
	write(t, site.OpenBucket(b), options(t, p.stores[0]))
	if r := check(t, site.OpenBucket(b), options(t, p.stores[0])); !r.OK() {
		t.Errorf("%+v", r)
	}
}

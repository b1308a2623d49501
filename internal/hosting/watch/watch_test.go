package watch_test

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/pkitest"
	"trustpool/internal/reach"
)

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

const server = "www.lab.example:443"

func authority(cn string) *pkitest.Authority {
	return pkitest.RootTemplate(pkitest.NewName("O=Watch Lab", "CN="+cn), pkitest.ECDSA("watch-"+cn, elliptic.P256())).Issue(nil)
}

// leaf is the chain of a server below a root, of one certificate.
func leaf(root *pkitest.Authority, change func(*pkitest.Template)) [][]byte {
	t := pkitest.ServerTemplate("www.lab.example")
	if change != nil {
		change(&t)
	}
	return [][]byte{t.Sign(root)}
}

func holding(name string, roots ...*pkitest.Authority) watch.Bundle {
	var certs [][]byte
	for _, r := range roots {
		certs = append(certs, r.DER)
	}
	data := pkitest.CertsOnly(certs...)
	b, err := bundle.Parse(data)
	return watch.Bundle{Name: name, Version: "1", SHA256: fmt.Sprintf("%x", b.SHA256()), Parse: func() (*bundle.Bundle, error) { return b, err }}
}

// A world is what a watcher of a test sees.
type world struct {
	now     time.Time
	bundles []watch.Bundle
	chains  map[string][][]byte // a server that is not in it does not answer
	marked  string              // the SHA-256 of a root
	changes []string
}

func (w *world) options(servers ...string) watch.Options {
	return watch.Options{
		Servers: servers,
		Bundles: func() []watch.Bundle { return w.bundles },
		Marked: func(_ string, c *certificate.Certificate) string {
			if fmt.Sprintf("%x", c.SHA256) == w.marked {
				return "Example Program"
			}
			return ""
		},
		Fetch: func(_ context.Context, address string) ([][]byte, error) {
			if chain, ok := w.chains[address]; ok {
				return chain, nil
			}
			return nil, errors.New("connection refused")
		},
		Now: func() time.Time { return w.now }, Sleep: func(context.Context, time.Duration) error { return context.Canceled }, Jitter: func() float64 { return 0 },
		Changed: func(c watch.Change) { w.changes = append(w.changes, c.String()) },
	}
}

func watching(t testing.TB, o watch.Options) *watch.Watcher {
	t.Helper()
	w, err := watch.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// expect asks once, and compares the changes with how they begin.
func (w *world) expect(t *testing.T, what string, watcher *watch.Watcher, want ...string) *watch.Report {
	t.Helper()
	w.changes = nil
	w.now = w.now.Add(time.Hour)
	watcher.Ask(t.Context())
	slices.SortStableFunc(w.changes, func(a, b string) int { return strings.Compare(b[:4], a[:4]) }) // they are told as they come
	if !slices.EqualFunc(w.changes, want, strings.HasPrefix) {
		t.Errorf("%s: changes %q, not %q", what, w.changes, want)
	}
	return watcher.Report()
}

// A server's life: what is a change is reported once, and what is not is not.
func TestChanges(t *testing.T) {
	t.Parallel()
	a, b, c := authority("a"), authority("b"), authority("c")
	w := &world{now: at, bundles: []watch.Bundle{holding("ios", a, b)}, chains: map[string][][]byte{server: leaf(a, nil)}}
	watcher := watching(t, w.options(server))
	r := w.expect(t, "the first time, all is well", watcher)
	if j := r.Servers[0].Judged[0]; j.Status != reach.OK || j.Root == nil || j.Root.Subject != "CN=a,O=Watch Lab" || j.Ends.Year() != 2034 || j.Soon || j.Marked != "" {
		t.Errorf("%+v", j)
	}
	w.chains[server] = leaf(a, func(t *pkitest.Template) { t.Serial = []byte{9} })
	w.expect(t, "the certificate is renewed", watcher)

	w.chains[server] = leaf(b, nil)
	r = w.expect(t, "another root of the bundle", watcher, "www.lab.example:443 with ios: it moved to the root CN=b,O=Watch Lab (")
	if len(r.Changes) != 1 || r.Changes[0].What != watch.Root || !strings.Contains(r.Changes[0].Before, "CN=a,") {
		t.Errorf("%+v", r.Changes)
	}
	w.expect(t, "it stays", watcher)

	w.chains[server] = leaf(c, nil)
	r = w.expect(t, "a root that the bundle lacks", watcher, "www.lab.example:443 with ios: broken, chain-no-anchor: ")
	if j := r.Servers[0].Judged[0]; j.Root != nil || !j.Ends.IsZero() || j.LastRoot.Subject != "CN=b,O=Watch Lab" {
		t.Errorf("%+v", j)
	}
	delete(w.chains, server)
	r = w.expect(t, "no answer", watcher, "www.lab.example:443: no answer: connection refused; before: it answered")
	if j := r.Servers[0].Judged[0]; j.Status != reach.Unknown || j.LastStatus != reach.Broken || !r.Servers[0].Answered.Before(r.At.Time) {
		t.Errorf("%+v", r.Servers[0])
	}
	w.expect(t, "still no answer", watcher)
	w.chains[server] = leaf(a, nil)
	w.expect(t, "it is back, under the first root", watcher, "www.lab.example:443: it answers; before: no answer",
		"www.lab.example:443 with ios: ok, to the root CN=a,", "www.lab.example:443 with ios: it moved to the root CN=a,O=Watch Lab (")

	w.marked = fmt.Sprintf("%x", certificate.Read(a.DER).SHA256)
	w.expect(t, "the root is marked", watcher, "www.lab.example:443 with ios: its root is marked for removal: Example Program")
	w.expect(t, "it stays marked", watcher)
	w.chains[server] = leaf(a, func(t *pkitest.Template) { t.NotAfter = pkitest.Date(2025, 6, 20) })
	w.expect(t, "it ends soon", watcher, "www.lab.example:443 with ios: its chain ends on 2025-06-20")
	w.now = time.Date(2025, 6, 21, 0, 0, 0, 0, time.UTC)
	w.expect(t, "it has ended", watcher, "www.lab.example:443 with ios: broken, chain-expired: ")
}

// Of several roots, the one to which a chain led before is its root still.
func TestSeveralRoots(t *testing.T) {
	t.Parallel()
	a := authority("a")
	b := pkitest.RootTemplate(pkitest.NewName("O=Watch Lab", "CN=b"), pkitest.ECDSA("watch-b", elliptic.P256()))
	other := b.Issue(nil)
	cross := b.Issue(a)
	w := &world{now: at, bundles: []watch.Bundle{holding("ios", a, other)}, chains: map[string][][]byte{server: append(leaf(other, nil), cross.DER)}}
	watcher := watching(t, w.options(server))
	first := w.expect(t, "two ways", watcher).Servers[0].Judged[0].Root
	w.chains[server] = leaf(other, nil)
	w.expect(t, "one way", watcher)
	last := w.expect(t, "one way", watcher).Servers[0].Judged[0].Root
	w.chains[server] = append(leaf(other, nil), cross.DER)
	if r := w.expect(t, "two ways again", watcher).Servers[0].Judged[0].Root; r.SHA256 != last.SHA256 || first == nil {
		t.Errorf("the root is %s, and was %s", r.Subject, last.Subject)
	}
}

// A server that hangs delays no other; when its time is over, that is said of it alone.
func TestHungServer(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := authority("a")
		w := &world{now: at, bundles: []watch.Bundle{holding("ios", a)}, chains: map[string][][]byte{}}
		servers := []string{"hung.lab.example:443"}
		for i := range watch.MaxServers - 1 {
			servers = append(servers, fmt.Sprintf("s%d.lab.example:443", i))
			w.chains[servers[i+1]] = leaf(a, nil)
		}
		o := w.options(servers...)
		fetch := o.Fetch
		o.Fetch = func(ctx context.Context, address string) ([][]byte, error) {
			if strings.HasPrefix(address, "hung") {
				<-ctx.Done()
				return nil, ctx.Err()
			}
			return fetch(ctx, address)
		}
		watcher := watching(t, o)
		done := make(chan bool)
		go func() {
			watcher.Ask(t.Context())
			close(done)
		}()
		synctest.Wait()
		answered := func() (n int) {
			for _, s := range watcher.Report().Servers {
				if !s.Answered.IsZero() {
					n++
				}
			}
			return n
		}
		if n := answered(); n != watch.MaxServers-1 {
			t.Errorf("%d servers are judged while one hangs", n)
		}
		began := time.Now()
		<-done
		if s := watcher.Report().Servers[0]; time.Since(began) != watch.Timeout || s.Error != "nothing came within 20s" || answered() != watch.MaxServers-1 {
			t.Errorf("after %v: %+v", time.Since(began), s)
		}
	})
}

// Rounds begin at most an interval after each other, whatever the jitter and however long a round takes; in between,
// bundles that have changed are judged with.
func TestRun(t *testing.T) {
	t.Parallel()
	for _, jitter := range []float64{0, 0.999} {
		synctest.Test(t, func(t *testing.T) {
			a, b := authority("a"), authority("b")
			w := &world{chains: map[string][][]byte{server: leaf(b, nil)}}
			o := w.options(server)
			var bundles atomic.Pointer[[]watch.Bundle]
			bundles.Store(&[]watch.Bundle{holding("ios", a)})
			o.Bundles = func() []watch.Bundle { return *bundles.Load() }
			var mu sync.Mutex
			var rounds []time.Time
			begun := func() []time.Time {
				mu.Lock()
				defer mu.Unlock()
				return slices.Clone(rounds)
			}
			fetch := o.Fetch
			o.Fetch = func(ctx context.Context, address string) ([][]byte, error) {
				mu.Lock()
				rounds = append(rounds, time.Now())
				mu.Unlock()
				time.Sleep(15 * time.Second)
				return fetch(ctx, address)
			}
			began := time.Now()
			o.Now, o.Jitter = func() time.Time { return at.Add(time.Since(began)) }, func() float64 { return jitter }
			o.Sleep = func(ctx context.Context, d time.Duration) error {
				select {
				case <-ctx.Done():
					return ctx.Err()
				case <-time.After(d):
					return nil
				}
			}
			watcher := watching(t, o)
			ctx, cancel := context.WithCancel(t.Context())
			done := make(chan bool)
			go func() {
				watcher.Run(ctx)
				close(done)
			}()
			status := func() reach.Status { return watcher.Report().Servers[0].Judged[0].Status }
			time.Sleep(10 * time.Minute)
			if status() != reach.Broken {
				t.Error(status())
			}
			bundles.Store(&[]watch.Bundle{holding("ios", a, b)})
			time.Sleep(2 * time.Minute)
			if status() != reach.OK || len(begun()) != 1 || !watcher.Report().Servers[0].Answered.Before(watcher.Report().At.Time) {
				t.Errorf("%s after %d rounds", status(), len(begun()))
			}
			time.Sleep(10 * time.Hour)
			cancel()
			<-done
			if len(rounds) < 10 {
				t.Errorf("%d rounds", len(rounds))
			}
			for i, at := range rounds[1:] {
				if d := at.Sub(rounds[i]); d > time.Hour || d < 53*time.Minute {
					t.Errorf("a round after %v", d)
				}
			}
		})
	}
}

// What is written is read again, so that the next run sees what has changed since.
func TestRecall(t *testing.T) {
	t.Parallel()
	a, b := authority("a"), authority("b")
	w := &world{now: at, bundles: []watch.Bundle{holding("ios", a, b), holding("ios_core", b)}, chains: map[string][][]byte{server: leaf(a, nil)}}
	servers := []string{server, "away.lab.example:443"}
	r := w.expect(t, "first", watching(t, w.options(servers...)), "www.lab.example:443 with ios_core: broken", "away.lab.example:443: no answer: connection refused")
	if r.Changes[0].Server != server {
		t.Error("the changes are not in the order of the servers")
	}
	var out, again bytes.Buffer
	if err := r.WriteJSON(&out); err != nil {
		t.Fatal(err)
	}
	before, err := watch.Read(bytes.NewReader(out.Bytes()))
	if err != nil {
		t.Fatal(err)
	}
	before.Changes = r.Changes
	if err := before.WriteJSON(&again); err != nil || again.String() != out.String() {
		t.Errorf("%v, read and written again:\n%s\nfirst:\n%s", err, again.String(), out.String())
	}
	before.Changes = nil
	next := watching(t, w.options(servers...))
	next.Recall(before)
	if r := w.expect(t, "nothing has changed", next); !r.Good() {
		t.Error(r.Changes)
	}
	w.chains[server] = leaf(b, nil)
	next = watching(t, w.options(servers...))
	next.Recall(before)
	w.expect(t, "it moved", next, "www.lab.example:443 with ios: it moved to the root CN=b", "www.lab.example:443 with ios_core: ok, to the root CN=b")
}

// Bundles beyond what is judged are counted.
func TestTooManyBundles(t *testing.T) {
	t.Parallel()
	a := authority("a")
	w := &world{now: at, chains: map[string][][]byte{}}
	for i := range 30 {
		w.bundles = append(w.bundles, holding(fmt.Sprintf("b%02d", i), a))
	}
	var servers []string
	for i := range watch.MaxServers {
		servers = append(servers, fmt.Sprintf("s%d.lab.example:443", i))
	}
	w.chains[servers[0]] = leaf(a, nil)
	watcher := watching(t, w.options(servers...))
	watcher.Ask(t.Context())
	if r := watcher.Report(); len(r.Servers[0].Judged) != 20 || r.NotJudged != 10*watch.MaxServers || len(r.Changes) != watch.MaxChanges {
		t.Errorf("%d judged, %d not, %d changes", len(r.Servers[0].Judged), r.NotJudged, len(r.Changes))
	}
}

func TestParseServer(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"tools.cisco.com:443": "tools.cisco.com:443", "Tools.Cisco.com:0443": "tools.cisco.com:443", "[2001:DB8::1]:443": "[2001:db8::1]:443", "192.0.2.1:8443": "192.0.2.1:8443",
		"": "", "host": "", ":443": "", "host:": "", "host:0": "", "host:65536": "", "host:https": "", "a b:443": "", "a\n:443": "", "a\x1b:443": "", `a":443`: "",
		"ex\u00e4mple:443": "", "\u212a.example:443": "", // K, the sign of the kelvin
		"http://host:443": "", "user@host:443": "", "host:443/path": "", "::1:443": "", strings.Repeat("a", 254) + ":443": "",
	} {
		if got, err := watch.ParseServer(in); got != want || (err == nil) != (want != "") {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
	got, err := watch.ParseServers("# ours\r\nb.example:443 # the second\r\n\n a.example:1\n")
	if err != nil || !slices.Equal(got, []string{"b.example:443", "a.example:1"}) {
		t.Errorf("%q, %v", got, err)
	}
	for _, bad := range []string{"", "# nothing\n", "a.example\n", strings.Repeat("a.example:1\n", watch.MaxServers+1)} {
		if got, err := watch.ParseServers(bad); err == nil {
			t.Errorf("%.20q gave %d servers", bad, len(got))
		}
	}
}

func TestOptions(t *testing.T) {
	t.Parallel()
	w := &world{}
	for name, change := range map[string]func(*watch.Options){
		"no clock": func(o *watch.Options) { o.Now = nil }, "no servers": func(o *watch.Options) { o.Servers = nil },
		"too often": func(o *watch.Options) { o.Every = time.Second }, "too many": func(o *watch.Options) {
			for i := range watch.MaxServers {
				o.Servers = append(o.Servers, fmt.Sprintf("s%d:1", i))
			}
		},
	} {
		o := w.options(server)
		change(&o)
		if _, err := watch.New(o); err == nil {
			t.Errorf("%s is taken", name)
		}
	}
	o := w.options(server, server)
	if watcher, err := watch.New(o); err != nil || len(watcher.Report().Servers) != 1 {
		t.Error("a server that is given twice is not one")
	}
}

func FuzzParseServers(f *testing.F) {
	f.Add("a.example:443 # x\n[::1]:1\r\n")
	f.Fuzz(func(t *testing.T, text string) {
		servers, err := watch.ParseServers(text)
		if err != nil {
			return
		}
		again, err := watch.ParseServers(strings.Join(servers, "\n"))
		if err != nil || !slices.Equal(servers, again) {
			t.Errorf("%q, then %q, %v", servers, again, err)
		}
	})
}

// The lists of a server are never null, whatever was read.
func TestReadWithoutLists(t *testing.T) {
	t.Parallel()
	r, err := watch.Read(strings.NewReader(`{"schema": "trustpool.watch/1", "servers": [{"server": "a:1", "sent": null}]}`))
	var out bytes.Buffer
	if err == nil {
		err = r.WriteJSON(&out)
	}
	if err != nil || !strings.Contains(out.String(), `"sent": []`) || !strings.Contains(out.String(), `"bundles": []`) {
		t.Errorf("%v: %s", err, out.String())
	}
}

func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"schema": "trustpool.watch/1", "at": "2025-06-01T00:00:00Z", "servers": [{"server": "a:1", "asked": "2025-06-01T00:00:00Z", "sent": [{"subject": "CN=a"}],
		"bundles": [{"bundle": "ios", "status": "ok", "root": {"subject": "CN=a", "sha256": "00"}, "last_status": "ok", "last_root": null}]}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := watch.Read(bytes.NewReader(data))
		if err != nil {
			return
		}
		var first, second, text bytes.Buffer
		if err := errors.Join(r.WriteJSON(&first), r.WriteText(&text)); err != nil {
			t.Fatal(err)
		}
		again, err := watch.Read(bytes.NewReader(first.Bytes()))
		if err == nil {
			err = again.WriteJSON(&second)
		}
		if err != nil || second.String() != first.String() {
			t.Errorf("%v\n%s\n%s", err, first.String(), second.String())
		}
	})
}

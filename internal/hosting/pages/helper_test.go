package pages_test

import (
	"flag"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/pages"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

var (
	shots   = flag.String("shots", "", "write screenshots into this directory, to be looked at")
	picture = flag.String("picture", "", "write the picture of README.md into this file")
)

var (
	at       = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	modified = time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
)

func labAnchors(t testing.TB) []roots.Anchor {
	t.Helper()
	anchors, err := roots.FromFile(tooltest.Bundle(t, "lab-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return anchors
}

// The names of a bundle that means harm, or only looks as if it did.
const (
	hostileScript = `CN=<script>document.title="taken"</script>"'><img src=x onerror=alert(1)>`
	hostileQuery  = "CN=javascript:alert(1)//&amp;%0d%0a?q=x#y"
	hostileBidi   = "CN=evil\u202egpj.exe\u2066\x00\x1b[31m"
	arabic        = "CN=شهادة الجذر 2048"
	long          = "CN=Longlonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglonglong"
)

// hostile is a bundle of such names.
func hostile() []byte {
	var pool [][]byte
	for i, name := range []string{hostileScript, hostileQuery, hostileBidi, arabic, long} {
		t := pkitest.RootTemplate(pkitest.NewName("O=Trustpool Lab", name), pkitest.RSA("alder"))
		t.Serial = []byte{byte(i + 1)}
		pool = append(pool, t.Sign(nil))
	}
	return pkitest.Bundle(pkitest.Lab().Signer, "Lab Hostile Bundle", "../1?x='y'", modified, pool...)
}

// publish makes a store of what the tests look at: ios in two versions, and three others.
func publish(t testing.TB) *store.Store {
	t.Helper()
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	gates := slices.DeleteFunc(store.Gates(), func(g store.Gate) bool { return g == store.GateSignature })
	for i, f := range []struct {
		name string
		data []byte
	}{
		{"ios", tooltest.Bundle(t, "lab-core-v1.p7b")}, {"ios", tooltest.Bundle(t, "lab-core-v2.p7b")}, {"quirks", tooltest.Bundle(t, "lab-quirks-v1.p7b")}, {"hostile", hostile()}, {"large", pkitest.Large(120)},
	} {
		o := store.PublishOptions{Name: f.name, Anchors: labAnchors(t), At: at, Now: modified.AddDate(0, 0, i), From: f.name, Allow: gates}
		if _, err := s.Publish(t.Context(), f.data, o); err != nil {
			t.Fatal(err)
		}
	}
	return s
}

func now() time.Time { return at }

// newServer serves a source with pages.
func newServer(t testing.TB, source hosting.Source, o pages.Options) *hosting.Server {
	t.Helper()
	return serverUnder(t, labAnchors(t), source, o)
}

func serverUnder(t testing.TB, anchors []roots.Anchor, source hosting.Source, o pages.Options) *hosting.Server {
	t.Helper()
	var server *hosting.Server
	if o.Now == nil {
		o.Now = now
	}
	o.Catalog, o.Judge, o.Version = func() *hosting.Catalog { return server.Catalog() }, func(r *hosting.Release) signing.Report { return server.Judge(r) }, "v1.2.3"
	p, err := pages.New(o)
	if err != nil {
		t.Fatal(err)
	}
	server, err = hosting.New(t.Context(), hosting.Options{Source: source, Anchors: anchors, Now: o.Now, Pages: p})
	if err != nil {
		t.Fatal(err)
	}
	return server
}

// judgeOf asks a server that is there when pages are asked for.
func judgeOf(s **hosting.Server) func(*hosting.Release) signing.Report {
	return func(r *hosting.Release) signing.Report { return (*s).Judge(r) }
}

func lab(t testing.TB) *hosting.Server {
	t.Helper()
	return newServer(t, hosting.Store(publish(t)), pages.Options{})
}

// file serves one file as ios.
func file(t testing.TB, data []byte, o pages.Options) *hosting.Server {
	t.Helper()
	return newServer(t, source(t, data), o)
}

// genuine serves one file of Cisco's.
func genuine(t testing.TB, data []byte) *hosting.Server {
	t.Helper()
	return serverUnder(t, roots.BuiltIn(), source(t, data), pages.Options{})
}

func source(t testing.TB, data []byte) hosting.Source {
	t.Helper()
	path := filepath.Join(t.TempDir(), "ios.p7b")
	if err := os.WriteFile(path, data, 0o644); err != nil {
		t.Fatal(err)
	}
	source, err := hosting.Files(path)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

const firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"

// get asks as a browser does; header is pairs of names and values.
func get(t testing.TB, h http.Handler, path string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(http.MethodGet, path, nil)
	r.Host = "pki.example.com:8080"
	r.Header.Set("User-Agent", firefox)
	r.Header.Set("Accept", "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8")
	for pair := range slices.Chunk(header, 2) {
		if pair[0] == "Host" {
			r.Host = pair[1]
		}
		r.Header.Set(pair[0], pair[1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

// body asks for what is to be there.
func body(t testing.TB, h http.Handler, path string) string {
	t.Helper()
	w := get(t, h, path)
	if w.Code != http.StatusOK {
		t.Fatalf("%s: status %d: %s", path, w.Code, w.Body)
	}
	return w.Body.String()
}

// has asks that text stands in a page.
func has(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if !strings.Contains(page, text) {
			t.Errorf("the page lacks %q", text)
		}
	}
}

// lacks asks that text does not stand in a page.
func lacks(t testing.TB, page string, texts ...string) {
	t.Helper()
	for _, text := range texts {
		if strings.Contains(page, text) {
			t.Errorf("the page has %q", text)
		}
	}
}

// page is the path of a version, of a bundle without an archive or the newest.
func page(s *hosting.Server, name string) string {
	return "/pages/bundles/" + name + "/" + s.Catalog().Lookup(name).Current.SHA256[:16]
}

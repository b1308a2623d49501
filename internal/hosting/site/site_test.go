package site_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/site"
	"trustpool/internal/store"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

var (
	at       = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	modified = time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
)

func anchors(t testing.TB) []roots.Anchor {
	t.Helper()
	anchors, err := roots.FromFile(tooltest.Bundle(t, "lab-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return anchors
}

// newStore has ios in the first version.
func newStore(t testing.TB) *store.Store {
	t.Helper()
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	publish(t, s, "ios", "lab-core-v1.p7b", modified)
	return s
}

func publish(t testing.TB, s *store.Store, name, file string, now time.Time) {
	t.Helper()
	o := store.PublishOptions{Name: name, Anchors: anchors(t), At: at, Now: now, From: file, Allow: slices.DeleteFunc(store.Gates(), func(g store.Gate) bool { return g == store.GateSignature })}
	if _, err := s.Publish(t.Context(), tooltest.Bundle(t, file), o); err != nil {
		t.Fatal(err)
	}
}

func options(t testing.TB, s *store.Store) site.Options {
	t.Helper()
	return site.Options{
		Source: hosting.Store(s), Anchors: anchors(t), Now: func() time.Time { return at },
		Settings: func(site.Settings) site.Settings { return site.Settings{BaseURL: "http://pki.example.com"} },
	}
}

func open(t testing.TB, dir string) site.Place {
	t.Helper()
	place, err := site.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	return place
}

func write(t testing.TB, place site.Place, o site.Options) *site.Report {
	t.Helper()
	r, err := site.Write(t.Context(), place, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func check(t testing.TB, place site.Place, o site.Options) *site.Report {
	t.Helper()
	r, err := site.Check(t.Context(), place, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// contents are the files below a directory.
func contents(t testing.TB, dir string) map[string]string {
	t.Helper()
	out := map[string]string{}
	err := filepath.WalkDir(dir, func(path string, e fs.DirEntry, err error) error {
		if err != nil || e.IsDir() || e.Name() == ".trustpool-lock" {
			return err
		}
		data, err := os.ReadFile(path)
		name, _ := filepath.Rel(dir, path)
		out[filepath.ToSlash(name)] = string(data)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A site has what a server answers, byte for byte, and nothing else but pages.
func TestAsServed(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	publish(t, s, "ios", "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	publish(t, s, "index.html", "lab-quirks-v1.p7b", modified) // as odd a name as can be
	dir := t.TempDir()
	r := write(t, open(t, dir), options(t, s))
	server, err := hosting.New(t.Context(), hosting.Options{Source: hosting.Store(s), Anchors: anchors(t), Now: func() time.Time { return at }})
	if err != nil {
		t.Fatal(err)
	}
	ask := func(path string) (int, []byte) {
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		return w.Code, w.Body.Bytes()
	}
	got := contents(t, dir)
	if len(got) != r.Files+1 {
		t.Errorf("%d files, and the report says %d", len(got), r.Files)
	}
	paths := map[string]bool{}
	files, _, err := server.Catalog().Files(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		paths[f.Name] = true
	}
	same := 0
	for name, data := range got {
		if strings.HasPrefix(name, "pages/") || name == "index.html" || name == "trustpool-site.json" {
			continue
		}
		status, body := ask("/" + name)
		if status != http.StatusOK || string(body) != data {
			t.Errorf("%s is not what a server answers, status %d", name, status)
		}
		same++
		delete(paths, name)
	}
	for path := range paths {
		if path != "ca/trustpool" && path != "ca/trustpool/" {
			t.Errorf("the site has no %s", path)
		}
	}
	if same < 30 || got["index.json"] == "" {
		t.Errorf("%d files were compared", same)
	}
	if fi, err := os.Stat(filepath.Join(dir, "ios.p7b")); err != nil || !fi.ModTime().Equal(modified.AddDate(0, 0, 1)) {
		t.Errorf("the bundle has another time than its publication: %v, %v", fi, err)
	}
}

// What is the same is not written again, on whatever day.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	place, o := open(t, dir), options(t, s)
	write(t, place, o)
	info := func() map[string]fs.FileInfo {
		out := map[string]fs.FileInfo{}
		for name := range contents(t, dir) {
			fi, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			out[name] = fi
		}
		return out
	}
	before := info()
	o.Now = func() time.Time { return at.AddDate(0, 0, 3) }
	if r := write(t, place, o); r.Written || r.Same != r.Files {
		t.Errorf("%+v", r)
	}
	for name, fi := range info() {
		if !os.SameFile(before[name], fi) {
			t.Errorf("%s was written again", name)
		}
	}
	// When a certificate has expired, the index says so.
	o.Now = func() time.Time { return at.AddDate(50, 0, 0) }
	o.Anchors = append(o.Anchors, anchors(t)...)
	if r, err := site.Write(t.Context(), place, o); err == nil && (len(r.Differed) != 1 || r.Differed[0] != "index.json") {
		t.Errorf("%+v", r)
	}
}

// A release changes what is current, adds to the archive, and leaves what it does not need until it is to be deleted.
func TestRelease(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	place, o := open(t, dir), options(t, s)
	first := write(t, place, o)
	if !first.Written || len(first.Missing) != first.Files {
		t.Errorf("%+v", first)
	}
	publish(t, s, "ios", "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	if r := check(t, place, o); r.OK() || !slices.Contains(r.Differed, "ios.p7b") || !slices.Contains(r.Missing, "sha256/61955d2d9022e52701a39820f5f7400a0c70e1803cd930b209be4597ed43fa5f") {
		t.Errorf("%+v", r)
	}
	before := contents(t, dir)
	write(t, place, o)
	if r := check(t, place, o); !r.OK() {
		t.Errorf("%+v", r)
	}
	after := contents(t, dir)
	for name := range before {
		if after[name] == "" {
			t.Errorf("%s is gone", name)
		}
	}
	// Back, and the files of what is no more.
	if _, err := s.Rollback(t.Context(), "ios", "", store.PublishOptions{Anchors: anchors(t), At: at, Now: modified.AddDate(0, 0, 2)}); err != nil {
		t.Fatal(err)
	}
	o.Delete = true
	r := write(t, place, o)
	if len(r.Removed) == 0 || len(r.Old) != 0 {
		t.Errorf("%+v", r)
	}
	if got := contents(t, dir); got["ios.p7b"] != string(tooltest.Bundle(t, "lab-core-v1.p7b")) || len(got) != r.Files+1 {
		t.Errorf("%d files, and the site has %d", len(got), r.Files)
	}
}

// Settings are kept; the place must be one that can be written to.
func TestSettings(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	place, o := open(t, dir), options(t, s)
	write(t, place, o)
	o.Settings = nil
	if r := write(t, place, o); r.Written {
		t.Errorf("%+v", r)
	}
	o.Settings = func(was site.Settings) site.Settings {
		if was.BaseURL != "http://pki.example.com" {
			t.Errorf("%+v", was)
		}
		return site.Settings{NoPages: true}
	}
	o.Delete = true
	if r := write(t, place, o); !slices.Contains(r.Removed, "index.html") {
		t.Errorf("%+v", r)
	}
	if _, err := os.Stat(filepath.Join(dir, "pages")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("empty directories stay: %v", err)
	}
	web := httptest.NewServer(http.FileServer(http.Dir(dir)))
	t.Cleanup(web.Close)
	u := site.OpenURL(web.URL, fetch.Options{})
	if _, err := site.Write(t.Context(), u, o); err == nil {
		t.Error("a web server was written to")
	}
	o.Settings = nil
	if r := check(t, u, o); r.OK() || !slices.Equal(r.Differed, []string{"ca/trustpool", "ca/trustpool/"}) { // which it answers with a list
		t.Errorf("%+v", r)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := site.Check(ctx, place, o); !errors.Is(err, context.Canceled) {
		t.Errorf("after the end: %v", err)
	}
}

// A link that leads out of the directory is named, wherever it is, and nothing is written there.
func TestLinks(t *testing.T) {
	t.Parallel()
	s := newStore(t)
	o := options(t, s)
	for _, name := range []string{"security", "pages/bundles", "trustpool-site.json", "index.json"} {
		dir, out := t.TempDir(), filepath.Join(t.TempDir(), "out")
		write(t, open(t, dir), o)
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.Rename(path, out), os.Symlink(out, path)); err != nil {
			t.Fatal(err)
		}
		for what, do := range map[string]func(context.Context, site.Place, site.Options) (*site.Report, error){"write": site.Write, "check": site.Check} {
			_, err := do(t.Context(), open(t, dir), o)
			if _, ok := errors.AsType[*site.ForeignError](err); !ok || !strings.Contains(err.Error(), name+" is a link to "+out) {
				t.Errorf("%s, %s: %v", name, what, err)
			}
		}
	}
}

// What a web server compresses unasked is said to be that, and not to be damaged.
func TestCompressed(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	o := options(t, s)
	write(t, open(t, dir), o)
	for _, encoded := range []string{"/trustpool-site.json", "/ios.p7b"} {
		web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if r.URL.Path == encoded {
				w.Header().Set("Content-Encoding", "gzip")
				_, _ = gzip.NewWriter(w).Write(nil)
				return
			}
			http.FileServer(http.Dir(dir)).ServeHTTP(w, r)
		}))
		t.Cleanup(web.Close)
		if _, err := site.Check(t.Context(), site.OpenURL(web.URL, fetch.Options{}), o); err == nil || !strings.Contains(err.Error(), encoded+": the server sends it with Content-Encoding \"gzip\"") {
			t.Errorf("%s: %v", encoded, err)
		}
	}
}

// What is not of the site stays as it is.
func TestForeign(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"index.json", "security/pki/trs", "pages/bundles/ios/index.html"} {
		s, dir := newStore(t), t.TempDir()
		path := filepath.Join(dir, filepath.FromSlash(name))
		if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte("mine"), 0o644)); err != nil {
			t.Fatal(err)
		}
		_, err := site.Write(t.Context(), open(t, dir), options(t, s))
		if err == nil {
			t.Errorf("%s: no error", name)
		}
		if got := contents(t, dir); len(got) != 1 || got[name] != "mine" {
			t.Errorf("%s: there is %d files", name, len(got))
		}
	}
}

// A manifest that was tampered with is damage, never a list of files to remove.
func TestManifest(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	o := options(t, s)
	write(t, open(t, dir), o)
	path := filepath.Join(dir, "trustpool-site.json")
	good, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	victim := filepath.Join(filepath.Dir(dir), "victim")
	if err := os.WriteFile(victim, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, change := range [][2]string{{`"index.json"`, `"../victim"`}, {`"index.json"`, `"/etc/passwd"`}, {`"index.json"`, `"trustpool-site.json"`}, {`"sha256": "`, `"sha256": "x`}, {"site-files/1", "site-files/2"}, {"{", "["}, {`"files": [`, `"files": [null,`}} {
		if err := os.WriteFile(path, bytes.Replace(good, []byte(change[0]), []byte(change[1]), 1), 0o644); err != nil {
			t.Fatal(err)
		}
		o.Delete = true
		if _, err := site.Write(t.Context(), open(t, dir), o); err == nil || !strings.Contains(err.Error(), "damaged") {
			t.Errorf("%s: %v", change, err)
		}
	}
	if _, err := os.Stat(victim); err != nil {
		t.Error(err)
	}
}

// A release of the archive that is damaged is left out, and that is said; what is current must be good.
func TestDamaged(t *testing.T) {
	t.Parallel()
	s, dir := newStore(t), t.TempDir()
	publish(t, s, "ios", "lab-core-v2.p7b", modified.AddDate(0, 0, 1))
	damage := func(pattern string) {
		found, err := filepath.Glob(filepath.Join(s.Backend().(*store.Dir).Path(), pattern))
		if err != nil || len(found) != 1 {
			t.Fatalf("%q, %v", found, err)
		}
		data, err := os.ReadFile(found[0])
		if err != nil {
			t.Fatal(err)
		}
		data[len(data)/2] ^= 1
		if err := os.WriteFile(found[0], data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	o := options(t, s)
	said := ""
	o.Report = func(format string, args ...any) { said += fmt.Sprintf(format+"\n", args...) }
	// A site that has what the store has lost keeps it.
	whole := t.TempDir()
	write(t, open(t, whole), o)
	damage("archive/ios/1-*/ios.p7b")
	o.Delete = true
	if r := write(t, open(t, whole), o); len(r.Removed) > 0 || len(r.Old) == 0 || !strings.Contains(said, "nothing is removed") {
		t.Errorf("removed %q, left %d, and it says %q", r.Removed, len(r.Old), said)
	}
	if got := contents(t, whole); got["security/pki/trs/archive/ios/1/ios.p7b"] == "" {
		t.Error("the last copy of a release is removed")
	}
	o.Delete, said = false, ""

	r := write(t, open(t, dir), o)
	got := contents(t, dir)
	for name := range got {
		if strings.Contains(name, "/1/") || strings.Contains(name, "f168df10420e3fc7") {
			t.Errorf("there is %s", name)
		}
	}
	if got["ios.p7b"] != string(tooltest.Bundle(t, "lab-core-v2.p7b")) || !strings.Contains(said, "it is not served") {
		t.Errorf("%d files, and it says %q", r.Files, said)
	}
	// The current one: nothing is written.
	before := contents(t, dir)
	damage("archive/ios/2-*/ios.p7b")
	if _, err := site.Write(t.Context(), open(t, dir), o); err == nil {
		t.Error("a site of what is damaged was written")
	}
	after := contents(t, dir)
	for name, data := range before {
		if after[name] != data {
			t.Errorf("%s is another", name)
		}
	}
}

package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

func text(s string) func(io.Writer) error {
	return func(w io.Writer) error {
		_, err := io.WriteString(w, s)
		return err
	}
}

func put(t *testing.T, path, content string, perm fs.FileMode) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(path, perm); err != nil {
		t.Fatal(err)
	}
}

func want(t *testing.T, path, content string) {
	t.Helper()
	got, err := os.ReadFile(path)
	if err != nil || string(got) != content {
		t.Errorf("%s holds %q, %v, not %q", filepath.Base(path), got, err, content)
	}
}

func wantPerm(t *testing.T, path string, perm fs.FileMode) {
	t.Helper()
	fi, err := os.Stat(path)
	if err != nil || fi.Mode().Perm() != perm {
		t.Errorf("%s: %v, %v, not %v", filepath.Base(path), fi.Mode(), err, perm)
	}
}

// wantNames also shows that no temporary file was left.
func wantNames(t *testing.T, dir string, names ...string) {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, e := range entries {
		got = append(got, e.Name())
	}
	if fmt.Sprint(got) != fmt.Sprint(names) {
		t.Errorf("in the directory: %q, not %q", got, names)
	}
}

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	for _, content := range []string{"old", "", strings.Repeat("new", 100_000)} {
		if err := Write(path, 0o600, text(content)); err != nil {
			t.Fatal(err)
		}
		want(t, path, content)
	}
	if err := WriteFile(path, []byte("data"), 0o600); err != nil {
		t.Fatal(err)
	}
	want(t, path, "data")
	wantPerm(t, path, 0o600)
	wantNames(t, dir, "f")
}

func TestWritePermissions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	reference := filepath.Join(dir, "reference")
	if err := os.WriteFile(reference, nil, 0o666); err != nil {
		t.Fatal(err)
	}
	fi, err := os.Stat(reference)
	if err != nil {
		t.Fatal(err)
	}
	made := filepath.Join(dir, "made")
	err = Write(made, 0o666, func(w io.Writer) error {
		temps, err := filepath.Glob(filepath.Join(dir, TempPrefix+"*"))
		if err != nil || len(temps) != 1 {
			t.Fatalf("temporary files: %v, %v", temps, err)
		}
		wantPerm(t, temps[0], 0o600)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	wantPerm(t, made, fi.Mode().Perm()) // what the umask leaves

	for _, c := range []struct{ old, perm, now fs.FileMode }{
		{0o600, 0o644, 0o600}, // a file that was closed stays closed
		{0o644, 0o600, 0o600},
		{0o400, 0o600, 0o400},
	} {
		path := filepath.Join(dir, "f")
		os.Remove(path)
		put(t, path, "old", c.old)
		if err := Write(path, c.perm, text("new")); err != nil {
			t.Fatal(err)
		}
		want(t, path, "new")
		wantPerm(t, path, c.now)
	}
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "old", 0o640)
	broken := errors.New("broken")
	fail := func(w io.Writer) error {
		if err := text(strings.Repeat("half", 100_000))(w); err != nil {
			return err
		}
		return broken
	}
	if err := Write(path, 0o600, fail); !errors.Is(err, broken) {
		t.Errorf("an error in the callback: %v", err)
	}
	if err := Create(filepath.Join(dir, "g"), 0o600, fail); !errors.Is(err, broken) {
		t.Errorf("an error in the callback: %v", err)
	}
	func() {
		defer func() { recover() }()
		Write(path, 0o600, func(io.Writer) error { panic("in the callback") })
		t.Error("the panic was lost")
	}()
	if err := replace(path, 0o600, text("new"), func(string, string) error { return broken }); !errors.Is(err, broken) {
		t.Errorf("an error in the rename: %v", err)
	}
	want(t, path, "old")
	wantPerm(t, path, 0o640)
	wantNames(t, dir, "f")

	if err := Write(dir, 0o600, text("")); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: %v", err)
	}
	lost := filepath.Join(dir, "absent", "f")
	if err := Write(lost, 0o600, text("")); !errors.Is(err, fs.ErrNotExist) || err.Error() != "create "+lost+": no such file or directory" {
		t.Errorf("a missing directory: %v", err)
	}
}

func TestWriteReadOnlyDirectory(t *testing.T) {
	t.Parallel()
	if os.Geteuid() == 0 {
		t.Skip("root writes everywhere")
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "f")
	put(t, path, "old", 0o600)
	if err := os.Chmod(dir, 0o500); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(dir, 0o700) })
	if err := Write(path, 0o600, text("new")); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
		t.Errorf("a read-only directory: %v", err)
	}
	want(t, path, "old")
}

func TestWriteSymlink(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, d := range []string{"real/deep", "other"} {
		if err := os.MkdirAll(filepath.Join(dir, d), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	for name, to := range map[string]string{
		"real/deep/link": "../target", // to real/target
		"shortcut":       "real/deep", // so that the link's ".." is not what it looks like
		"absolute":       filepath.Join(dir, "other", "target"),
		"chain":          "absolute",
		"loop":           "loop",
	} {
		if err := os.Symlink(to, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ path, target string }{
		{"real/deep/link", "real/target"},
		{"shortcut/link", "real/target"},
		{"shortcut/../plain", "real/plain"},
		{"absolute", "other/target"}, // it dangles until then
		{"chain", "other/target"},
	} {
		if err := Write(dir+"/"+c.path, 0o600, text("by "+c.path)); err != nil { // filepath.Join would resolve the ".."
			t.Errorf("%s: %v", c.path, err)
			continue
		}
		want(t, filepath.Join(dir, c.target), "by "+c.path)
	}
	for _, link := range []string{"real/deep/link", "absolute", "chain"} {
		if fi, err := os.Lstat(filepath.Join(dir, link)); err != nil || fi.Mode()&fs.ModeSymlink == 0 {
			t.Errorf("%s is no longer a link", link)
		}
	}
	if err := Write(filepath.Join(dir, "loop"), 0o600, text("")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
	if err := Create(filepath.Join(dir, "chain"), 0o600, text("")); !errors.Is(err, fs.ErrExist) {
		t.Errorf("Create at a link: %v", err)
	}
	wantNames(t, dir, "absolute", "chain", "loop", "other", "real", "shortcut")
}

// What -o /dev/null and -o >(command) need.
func TestWriteThrough(t *testing.T) {
	t.Parallel()
	fifo := filepath.Join(t.TempDir(), "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("no FIFO here: %v", err)
	}
	got := make(chan string)
	go func() {
		data, _ := os.ReadFile(fifo)
		got <- string(data)
	}()
	if err := Write(fifo, 0o600, text("through")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "through" {
		t.Errorf("the FIFO gave %q", s)
	}
	if fi, err := os.Lstat(fifo); err != nil || fi.Mode()&fs.ModeNamedPipe == 0 {
		t.Error("the FIFO was replaced")
	}
	broken := errors.New("broken")
	if err := Write(fifo, 0o600, func(io.Writer) error { return broken }); !errors.Is(err, broken) { // it does not even open it
		t.Errorf("an error in the callback: %v", err)
	}
}

func TestCreate(t *testing.T) {
	t.Parallel()
	for name, link := range map[string]func(string, string) error{
		"link":    os.Link,
		"no link": func(string, string) error { return syscall.EPERM },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "f")
			if err := create(path, 0o600, text("first"), link); err != nil {
				t.Fatal(err)
			}
			called := false
			err := create(path, 0o600, func(io.Writer) error { called = true; return nil }, link)
			if !errors.Is(err, fs.ErrExist) || err.Error() != "create "+path+": file already exists" {
				t.Errorf("an existing file: %v", err)
			}
			if called {
				t.Error("the work was done for nothing")
			}
			want(t, path, "first")
			wantPerm(t, path, 0o600)

			// Of many at once one wins, and the file is whole.
			raced := filepath.Join(dir, "raced")
			var wins atomic.Int32
			var winner atomic.Value
			var wg sync.WaitGroup
			for i := range 8 {
				wg.Go(func() {
					content := strings.Repeat(fmt.Sprint(i), 1000)
					switch err := create(raced, 0o600, text(content), link); {
					case err == nil:
						wins.Add(1)
						winner.Store(content)
					case !errors.Is(err, fs.ErrExist):
						t.Error(err)
					}
				})
			}
			wg.Wait()
			if wins.Load() != 1 {
				t.Fatalf("%d won", wins.Load())
			}
			want(t, raced, winner.Load().(string))
			wantNames(t, dir, "f", "raced")
		})
	}
}

func TestWriteAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("a"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The last cannot be written: nothing is.
	err := WriteAll([]File{{path("a"), []byte("new")}, {path("b"), nil}, {path("missing/c"), nil}}, 0o644)
	if err == nil {
		t.Error("a file in a missing directory was written")
	}
	if got, _ := os.ReadFile(path("a")); string(got) != "old" {
		t.Errorf("after a failure there is %q", got)
	}
	if entries, _ := os.ReadDir(dir); len(entries) != 1 {
		t.Errorf("after a failure there are %v", entries)
	}

	var order []string
	err = writeAll([]File{{path("a"), []byte("1")}, {path("b"), []byte("2")}, {path("c"), nil}}, 0o644, func(from, to string) error {
		order = append(order, filepath.Base(to))
		return os.Rename(from, to)
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Join(order, " "); got != "c b a" {
		t.Errorf("renamed in the order %s", got)
	}
	for name, want := range map[string]string{"a": "1", "b": "2", "c": ""} {
		if got, err := os.ReadFile(path(name)); err != nil || string(got) != want {
			t.Errorf("%s has %q, %v", name, got, err)
		}
	}
}

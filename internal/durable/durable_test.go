package durable

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"
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
		if err := new(Disk).Write(path, 0o600, text(content)); err != nil {
			t.Fatal(err)
		}
		want(t, path, content)
	}
	if err := new(Disk).WriteFile(path, []byte("data"), 0o600); err != nil {
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
	err = new(Disk).Write(made, 0o666, func(_ io.Writer) error {
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
		if err := new(Disk).Write(path, c.perm, text("new")); err != nil {
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
	if err := new(Disk).Write(path, 0o600, fail); !errors.Is(err, broken) {
		t.Errorf("an error in the callback: %v", err)
	}
	func() {
		defer func() { recover() }()
		new(Disk).Write(path, 0o600, func(io.Writer) error { panic("in the callback") })
		t.Error("the panic was lost")
	}()
	failing := &Disk{fail: func(op, _ string) error { return map[string]error{"rename": broken}[op] }}
	if err := failing.Write(path, 0o600, text("new")); !errors.Is(err, broken) {
		t.Errorf("an error in the rename: %v", err)
	}
	want(t, path, "old")
	wantPerm(t, path, 0o640)
	wantNames(t, dir, "f")

	if err := new(Disk).Write(dir, 0o600, text("")); !errors.Is(err, syscall.EISDIR) {
		t.Errorf("a directory: %v", err)
	}
	lost := filepath.Join(dir, "absent", "f")
	if err := new(Disk).Write(lost, 0o600, text("")); !errors.Is(err, fs.ErrNotExist) || err.Error() != "create "+lost+": no such file or directory" {
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
	if err := new(Disk).Write(path, 0o600, text("new")); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), path) {
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
		if err := new(Disk).Write(dir+"/"+c.path, 0o600, text("by "+c.path)); err != nil { // filepath.Join would resolve the ".."
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
	if err := new(Disk).Write(filepath.Join(dir, "loop"), 0o600, text("")); !errors.Is(err, syscall.ELOOP) {
		t.Errorf("a loop: %v", err)
	}
	wantNames(t, dir, "absolute", "chain", "loop", "other", "real", "shortcut")
}

func TestWriteAll(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := func(name string) string { return filepath.Join(dir, name) }
	if err := os.WriteFile(path("a"), []byte("old"), 0o644); err != nil {
		t.Fatal(err)
	}
	// The last cannot be written: nothing is.
	err := new(Disk).WriteAll([]File{{path("a"), []byte("new")}, {path("b"), nil}, {path("missing/c"), nil}}, 0o644)
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
	disk := &Disk{fail: func(op, name string) error {
		if op == "rename" {
			order = append(order, name)
		}
		return nil
	}}
	err = disk.WriteAll([]File{{path("a"), []byte("1")}, {path("b"), []byte("2")}, {path("c"), nil}}, 0o644)
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

// A file system that refuses to sync a directory gets one answer from everything that writes: written, and a warning.
func TestUnsynced(t *testing.T) {
	t.Parallel()
	writes := map[string]func(d *Disk, dir string) error{
		"Write":     func(d *Disk, dir string) error { return d.Write(filepath.Join(dir, "f"), 0o644, text("content")) },
		"WriteFile": func(d *Disk, dir string) error { return d.WriteFile(filepath.Join(dir, "f"), []byte("content"), 0o644) },
		"WriteAll": func(d *Disk, dir string) error {
			return d.WriteAll([]File{{filepath.Join(dir, "f"), []byte("content")}, {filepath.Join(dir, "g"), nil}}, 0o644)
		},
		"Put": func(d *Disk, dir string) error {
			root, err := os.OpenRoot(dir)
			if err != nil {
				return err
			}
			defer root.Close()
			return d.Put(root, "f", []byte("content"), 0o644)
		},
		"Add": func(d *Disk, dir string) error {
			return d.Add(dir, func(tr *Tree) error { return tr.WriteFile("f", []byte("content"), 0o644) })
		},
		"Tree": func(d *Disk, dir string) error {
			if err := os.Remove(dir); err != nil {
				return err
			}
			return d.Tree(dir, func(tr *Tree) error { return tr.WriteFile("f", []byte("content"), 0o644) })
		},
	}
	for name, write := range writes {
		for _, refusal := range []error{syscall.EINVAL, syscall.ENOTSUP, syscall.ENOSYS, fs.ErrPermission} {
			dir := filepath.Join(t.TempDir(), "dir")
			if err := os.Mkdir(dir, 0o700); err != nil {
				t.Fatal(err)
			}
			var warnings []error
			disk := &Disk{
				Warn: func(err error) { warnings = append(warnings, err) },
				fail: func(op, _ string) error { return map[string]error{"sync": refusal}[op] },
			}
			if err := write(disk, dir); err != nil {
				t.Errorf("%s, %v: %v", name, refusal, err)
			}
			if _, ok := errors.AsType[*UnsyncedError](errors.Join(warnings...)); len(warnings) != 1 || !ok || !errors.Is(warnings[0], refusal) {
				t.Errorf("%s, %v: the warnings are %q", name, refusal, warnings)
			}
			want(t, filepath.Join(dir, "f"), "content")
		}
		// What is not a refusal is an error, and says that the file is there.
		dir := filepath.Join(t.TempDir(), "dir")
		if err := os.Mkdir(dir, 0o700); err != nil {
			t.Fatal(err)
		}
		disk := &Disk{fail: func(op, _ string) error { return map[string]error{"sync": syscall.EIO}[op] }}
		if err := write(disk, dir); !errors.Is(err, syscall.EIO) || !strings.Contains(err.Error(), "is written, but may be lost") {
			t.Errorf("%s: %v", name, err)
		}
		want(t, filepath.Join(dir, "f"), "content")
	}
}

func TestTree(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	fill := func(tr *Tree) error {
		for _, name := range []string{"a", "sub/b", "sub/c", "sub/deep/d"} {
			if err := tr.WriteFile(name, []byte(name), 0o644); err != nil {
				return err
			}
		}
		return nil
	}
	dir := filepath.Join(base, "new")
	if err := new(Disk).Tree(dir+"/", fill); err != nil {
		t.Fatal(err)
	}
	want(t, filepath.Join(dir, "sub", "deep", "d"), "sub/deep/d")
	wantNames(t, base, "new")
	wantNames(t, dir, "a", "sub")
	if fi, err := os.Stat(dir); err != nil || fi.Mode().Perm()&0o500 != 0o500 {
		t.Errorf("the directory has %v, %v", fi.Mode(), err)
	}
	if err := new(Disk).Tree(dir, fill); !errors.Is(err, fs.ErrExist) {
		t.Errorf("a directory that is there: %v", err)
	}
	if err := new(Disk).Tree(filepath.Join(base, "absent", "new"), fill); err == nil || !strings.Contains(err.Error(), "is not there") {
		t.Errorf("without a parent: %v", err)
	}
	broken := errors.New("broken")
	if err := new(Disk).Tree(filepath.Join(base, "other"), func(tr *Tree) error { return errors.Join(fill(tr), broken) }); !errors.Is(err, broken) {
		t.Errorf("an error in the middle: %v", err)
	}
	for _, name := range []string{"../out", "/out", ".", "", "a/../../out", "sub//b"} {
		err := new(Disk).Tree(filepath.Join(base, "other"), func(tr *Tree) error { return tr.WriteFile(name, nil, 0o644) })
		if !errors.Is(err, fs.ErrInvalid) {
			t.Errorf("the name %q: %v", name, err)
		}
	}
	wantNames(t, base, "new")
}

func TestAdd(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	add := func(d *Disk, dir string, names ...string) error {
		return d.Add(dir, func(tr *Tree) error {
			for _, name := range names {
				if err := tr.WriteFile(name, []byte("by "+name), 0o600); err != nil {
					return err
				}
			}
			return nil
		})
	}
	dir := filepath.Join(base, "made", "new")
	if err := add(new(Disk), dir, "a", "b"); err != nil { // makes both directories
		t.Fatal(err)
	}
	if err := add(new(Disk), dir, "c", "sub/d"); err != nil {
		t.Fatal(err)
	}
	want(t, filepath.Join(dir, "sub", "d"), "by sub/d")
	wantPerm(t, filepath.Join(dir, "c"), 0o600)
	wantNames(t, dir, "a", "b", "c", "sub")
	// One that is there already: none is added.
	for _, refusal := range []error{nil, syscall.EPERM} {
		disk := &Disk{fail: func(op, _ string) error { return map[string]error{"link": refusal}[op] }}
		if err := add(disk, dir, "e", "b", "f"); !errors.Is(err, fs.ErrExist) || !strings.Contains(err.Error(), filepath.Join(dir, "b")) {
			t.Errorf("a file that is there: %v", err)
		}
		wantNames(t, dir, "a", "b", "c", "sub")
		if err := add(disk, dir, fmt.Sprint("refused ", refusal)); err != nil {
			t.Error(err)
		}
		if err := os.Remove(filepath.Join(dir, fmt.Sprint("refused ", refusal))); err != nil {
			t.Error(err)
		}
	}
	wantNames(t, dir, "a", "b", "c", "sub")
}

// After Abandon nothing is half written, and nothing more is written.
func TestAbandon(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	path := filepath.Join(base, "f")
	put(t, path, "old", 0o600)
	disk := new(Disk)
	begun, end := make(chan struct{}), make(chan struct{})
	errs := make(chan error, 2)
	go func() {
		errs <- disk.Write(path, 0o600, func(w io.Writer) error {
			err := text("half")(w)
			begun <- struct{}{}
			<-end
			return err
		})
	}()
	go func() {
		errs <- disk.Tree(filepath.Join(base, "dir"), func(tr *Tree) error {
			err := tr.WriteFile("f", nil, 0o600)
			begun <- struct{}{}
			<-end
			return err
		})
	}()
	<-begun
	<-begun
	disk.Abandon()
	want(t, path, "old")
	wantNames(t, base, "f")
	close(end)
	for range 2 {
		if err := <-errs; err == nil {
			t.Error("a write succeeded after Abandon")
		}
	}
	if err := disk.WriteFile(path, nil, 0o600); !errors.Is(err, ErrAbandoned) {
		t.Errorf("a new write: %v", err)
	}
	want(t, path, "old")
	wantNames(t, base, "f")
}

// Nothing temporary is there when Abandon returns, whatever a write was about to do.
func TestAbandonBeginning(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	for range 200 {
		disk := new(Disk)
		begun, ended := make(chan struct{}), make(chan struct{})
		go func() {
			defer close(ended)
			close(begun)
			for {
				if err := disk.WriteFile(filepath.Join(base, "f"), []byte("whole"), 0o600); err != nil {
					return
				}
				if err := disk.Replace(base, func(tr *Tree) error { return tr.WriteFile("g", nil, 0o600) }); err != nil {
					return
				}
			}
		}()
		<-begun
		time.Sleep(rand.N(2 * time.Millisecond))
		disk.Abandon()
		entries, err := os.ReadDir(base)
		if err != nil {
			t.Fatal(err)
		}
		for _, e := range entries {
			if strings.HasPrefix(e.Name(), TempPrefix) {
				t.Errorf("%s is left", e.Name())
			}
		}
		<-ended
	}
}

// Abandon leaves nothing of a tree that is being filled, however fast files come.
func TestAbandonFilling(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	disk := new(Disk)
	begun, ended := make(chan struct{}), make(chan error, 1)
	go func() {
		ended <- disk.Tree(filepath.Join(base, "dir"), func(tr *Tree) error {
			for i := range 100_000 {
				if err := tr.WriteFile(fmt.Sprintf("%d/%d", i%7, i), nil, 0o600); err != nil {
					return err
				}
				if i == 500 {
					close(begun)
				}
			}
			return nil
		})
	}()
	<-begun
	disk.Abandon()
	wantNames(t, base)
	if err := <-ended; !errors.Is(err, ErrAbandoned) {
		t.Errorf("it ended with %v", err)
	}
	wantNames(t, base)
}

func TestReplace(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "b"), "old", 0o600)
	modified := time.Date(2025, 2, 3, 4, 5, 6, 0, time.UTC)
	replace := func(d *Disk, content string, names ...string) error {
		return d.Replace(dir, func(tr *Tree) error {
			for _, name := range names {
				if err := errors.Join(tr.WriteFile(name, []byte(content), 0o644), tr.SetTime(name, modified)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := replace(new(Disk), "new", "a", "b", "sub/sub/c"); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"a", "b", "sub/sub/c"} {
		want(t, filepath.Join(dir, name), "new")
		if fi, err := os.Stat(filepath.Join(dir, name)); err != nil || !fi.ModTime().Equal(modified) {
			t.Errorf("%s: %v, %v", name, fi.ModTime(), err)
		}
	}
	// What stops it leaves new files and then old ones.
	failing := &Disk{fail: func(op, name string) error {
		if op == "rename" && name == "b" {
			return syscall.EIO
		}
		return nil
	}}
	if err := replace(failing, "newer", "a", "b", "d"); !errors.Is(err, syscall.EIO) {
		t.Errorf("no error: %v", err)
	}
	want(t, filepath.Join(dir, "a"), "newer")
	want(t, filepath.Join(dir, "b"), "new")
	wantNames(t, dir, "a", "b", "sub")
	if err := new(Disk).Replace(filepath.Join(dir, "missing"), func(*Tree) error { return nil }); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a directory that is missing: %v", err)
	}
	// A directory that has the name stays.
	if err := replace(new(Disk), "x", "sub"); err == nil {
		t.Error("a directory was replaced")
	}
	want(t, filepath.Join(dir, "sub", "sub", "c"), "new")
	abandoned := new(Disk)
	abandoned.Abandon()
	if err := replace(abandoned, "x", "a"); !errors.Is(err, ErrAbandoned) {
		t.Errorf("after Abandon: %v", err)
	}
	// What a killed process has left is removed.
	if err := os.MkdirAll(filepath.Join(dir, TempPrefix+"1", "x"), 0o700); err != nil {
		t.Fatal(err)
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer root.Close()
	if err := RemoveTemps(root); err != nil {
		t.Error(err)
	}
	wantNames(t, dir, "a", "b", "sub")
}

// Nor does it wait for files that are being moved into a directory that was there.
func TestAbandonMoving(t *testing.T) {
	t.Parallel()
	base := t.TempDir()
	put(t, filepath.Join(base, "old"), "old", 0o600)
	disk := new(Disk)
	ended := make(chan struct{})
	moved := 0
	disk.fail = func(op, _ string) error {
		if moved++; op == "link" && moved == 10 {
			go func() { disk.Abandon(); close(ended) }()
			for !disk.abandoned.Load() {
				runtime.Gosched()
			}
		}
		return nil
	}
	err := disk.Add(base, func(tr *Tree) error {
		for i := range 100 {
			if err := tr.WriteFile(fmt.Sprint(i), nil, 0o600); err != nil {
				return err
			}
		}
		return nil
	})
	<-ended
	if !errors.Is(err, ErrAbandoned) || moved > 10 {
		t.Errorf("%d were moved, and it ended with %v", moved, err)
	}
	wantNames(t, base, "old")
}

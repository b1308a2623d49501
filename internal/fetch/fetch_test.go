package fetch

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"trustpool/internal/tooltest"
)

// endless is a stream that never ends; read counts what was taken of it.
type endless struct{ read int64 }

func (e *endless) Read(p []byte) (int, error) {
	clear(p)
	e.read += int64(len(p))
	return len(p), nil
}

func write(t *testing.T, path string, data []byte) {
	t.Helper()
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
}

func refuse([]byte) (int64, error) { return 0, errors.New("not a bundle") }

func TestReadFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, n := range []int{0, 1, SniffBytes - 1, SniffBytes, SniffBytes + 1, quarterMiB, 3*quarterMiB + 7} {
		want := bytes.Repeat([]byte{'x'}, n)
		path := filepath.Join(dir, "f")
		write(t, path, want)
		sniffed := -1
		o := Options{Sniff: func(p []byte) (int64, error) {
			if sniffed >= 0 {
				t.Errorf("%d bytes: sniffed twice", n)
			}
			sniffed = len(p)
			return 0, nil
		}}
		files, err := Read(t.Context(), path, o)
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 1 || files[0].Name != path || !bytes.Equal(files[0].Data, want) {
			t.Errorf("%d bytes: another content came out", n)
		}
		if c := cap(files[0].Data); c > n+n/8+bytes.MinRead {
			t.Errorf("%d bytes are held in a buffer of %d", n, c)
		}
		if sniffed != min(n, SniffBytes) {
			t.Errorf("%d bytes: sniffed %d", n, sniffed)
		}
	}
}

func TestReadFileErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "five")
	write(t, path, []byte("12345"))

	_, err := Read(t.Context(), filepath.Join(dir, "absent"), Options{})
	if !errors.Is(err, fs.ErrNotExist) || err.Error() != "open "+filepath.Join(dir, "absent")+": no such file or directory" {
		t.Errorf("a missing file: %v", err)
	}
	if _, err := Read(t.Context(), "", Options{}); err == nil {
		t.Error("an empty name was read")
	}
	if _, err := Read(t.Context(), path, Options{MaxBytes: 5}); err != nil {
		t.Errorf("a file of exactly the limit: %v", err)
	}
	_, err = Read(t.Context(), path, Options{MaxBytes: 4, Sniff: refuse})
	var tooLarge *TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size != 5 || tooLarge.Limit != 4 {
		t.Errorf("a file over the limit: %v", err)
	} else if want := path + ": it has 5 bytes, and the limit is 4 bytes; --max-size raises it"; err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	if _, err := Read(t.Context(), path, Options{Sniff: refuse}); err == nil || err.Error() != path+": not a bundle" {
		t.Errorf("sniffed: %v", err)
	}
	if _, err := Read(t.Context(), path, Options{MaxBytes: -1}); err == nil {
		t.Error("a negative limit was accepted")
	}
}

// A sparse file over the limit is refused from its size alone.
func TestReadHugeFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "huge")
	write(t, path, nil)
	if err := os.Truncate(path, 20<<30); err != nil {
		t.Skipf("no sparse files here: %v", err)
	}
	_, err := Read(t.Context(), path, Options{})
	if want := path + ": it has 20480 MiB, and the limit is 256 MiB; --max-size raises it"; err == nil || err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
}

func TestReadStdin(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("abc", 50_000)
	for name, r := range map[string]io.Reader{
		"whole":       strings.NewReader(want),
		"byte a time": iotest.OneByteReader(strings.NewReader(want)),
		"data + EOF":  iotest.DataErrReader(strings.NewReader(want)),
	} {
		files, err := Read(t.Context(), "-", Options{Stdin: r})
		if err != nil || len(files) != 1 || files[0].Name != "-" || string(files[0].Data) != want {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Read(t.Context(), "-", Options{}); err == nil {
		t.Error("no stdin was read")
	}
	if _, err := Read(t.Context(), "-", Options{Stdin: iotest.ErrReader(io.ErrClosedPipe)}); !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("a reader that fails: %v", err)
	}
	if _, err := Read(t.Context(), "-", Options{Stdin: idle{}}); !errors.Is(err, io.ErrNoProgress) {
		t.Errorf("a reader that gives nothing: %v", err)
	}
}

const quarterMiB = 256 << 10

type idle struct{}

func (idle) Read([]byte) (int, error) { return 0, nil }

func TestReadStdinFromFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "f")
	want := bytes.Repeat([]byte("x"), 100_000)
	write(t, path, want)
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	files, err := Read(t.Context(), "-", Options{Stdin: f})
	if err != nil || !bytes.Equal(files[0].Data, want) || cap(files[0].Data) > len(want)+bytes.MinRead {
		t.Errorf("redirected from a file: %v", err)
	}
}

func TestReadEndless(t *testing.T) {
	t.Parallel()
	var e endless
	_, err := Read(t.Context(), "-", Options{Stdin: &e, MaxBytes: 1 << 20})
	var tooLarge *TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size != -1 {
		t.Errorf("an endless stream: %v", err)
	} else if want := "stdin: it has more than 1 MiB, which is the limit; --max-size raises it"; err.Error() != want {
		t.Errorf("got  %v\nwant %v", err, want)
	}
	if e.read != 1<<20+1 {
		t.Errorf("%d bytes of it were read", e.read)
	}

	e = endless{}
	if _, err := Read(t.Context(), "-", Options{Stdin: &e, Sniff: refuse}); err == nil || err.Error() != "stdin: not a bundle" {
		t.Errorf("sniffed: %v", err)
	}
	if e.read != SniffBytes {
		t.Errorf("%d bytes were read to sniff", e.read)
	}
}

// A source that states its length is read one byte further, which shows that
// there is more, and no further.
func TestReadStatedLength(t *testing.T) {
	t.Parallel()
	for _, length := range []int64{1, SniffBytes - 1, SniffBytes, SniffBytes + 1, 3 * quarterMiB} {
		var e endless
		files, err := Read(t.Context(), "-", Options{Stdin: &e, Sniff: func([]byte) (int64, error) { return length, nil }})
		if err != nil {
			t.Fatal(err)
		}
		if got := int64(len(files[0].Data)); got != length+1 {
			t.Errorf("stated %d, read %d", length, got)
		}
		if e.read > max(SniffBytes, length+1) {
			t.Errorf("stated %d, took %d from the source", length, e.read)
		}
	}
	var e endless
	_, err := Read(t.Context(), "-", Options{Stdin: &e, MaxBytes: 1 << 20, Sniff: func([]byte) (int64, error) { return 1 << 30, nil }})
	if large, ok := errors.AsType[*TooLargeError](err); !ok || large.Size != 1<<30 || e.read > SniffBytes {
		t.Errorf("stated more than the limit: %v after %d bytes", err, e.read)
	}
}

func TestReadDevice(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("no /dev/zero on Windows")
	}
	var tooLarge *TooLargeError
	if _, err := Read(t.Context(), "/dev/zero", Options{MaxBytes: 1 << 20}); !errors.As(err, &tooLarge) {
		t.Errorf("/dev/zero: %v", err)
	}
	files, err := Read(t.Context(), "/dev/null", Options{})
	if err != nil || len(files) != 1 || len(files[0].Data) != 0 {
		t.Errorf("/dev/null: %v", err)
	}
}

func TestReadFIFO(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "fifo")
	tooltest.FIFO(t, path)
	go os.WriteFile(path, []byte("through a pipe"), 0)
	files, err := Read(t.Context(), path, Options{})
	if err != nil || string(files[0].Data) != "through a pipe" {
		t.Errorf("a FIFO: %v", err)
	}
}

// Control-C must end a read that waits for somebody to type or to write.
func TestReadInterrupted(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	t.Cleanup(func() { w.Close() })
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(10*time.Millisecond, cancel)
	if _, err := Read(ctx, "-", Options{Stdin: r}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted read: %v", err)
	}
}

func TestReadDir(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	outside := filepath.Join(t.TempDir(), "target")
	write(t, outside, []byte("linked"))
	for name, content := range map[string]string{"b.pem": "b", "a.pem": "a", "B.pem": "B", "é.pem": "e", ".hidden": "h"} {
		write(t, filepath.Join(dir, name), []byte(content))
	}
	if err := os.Mkdir(filepath.Join(dir, "sub"), 0o700); err != nil {
		t.Fatal(err)
	}
	for name, target := range map[string]string{"link": outside, "sublink": "sub"} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	tooltest.FIFO(t, filepath.Join(dir, "fifo"))

	files, err := Read(t.Context(), dir, Options{})
	if err != nil {
		t.Fatal(err)
	}
	var got strings.Builder
	for _, f := range files {
		name, _ := filepath.Rel(dir, f.Name)
		got.WriteString(name + "=" + string(f.Data) + " ")
	}
	if want := "B.pem=B a.pem=a b.pem=b link=linked é.pem=e "; got.String() != want {
		t.Errorf("got  %s\nwant %s", got.String(), want)
	}

	// Each file is within the limit, their sum of 10 is not.
	if _, err := Read(t.Context(), dir, Options{MaxBytes: 10}); err != nil {
		t.Errorf("exactly the limit: %v", err)
	}
	_, err = Read(t.Context(), dir, Options{MaxBytes: 9})
	var tooLarge *TooLargeError
	if !errors.As(err, &tooLarge) || !tooLarge.Total || tooLarge.Limit != 9 || filepath.Base(tooLarge.Name) != "é.pem" {
		t.Errorf("over the limit: %v", err)
	}

	_, err = Read(t.Context(), dir, Options{Sniff: func(p []byte) (int64, error) {
		if string(p) == "b" {
			return 0, errors.New("not a certificate")
		}
		return 0, nil
	}})
	if err == nil || err.Error() != filepath.Join(dir, "b.pem")+": not a certificate" {
		t.Errorf("sniffed: %v", err)
	}

	d, err := os.Open(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer d.Close()
	if _, err := readDir(d, dir, 8, Options{MaxBytes: 100}); err == nil || !strings.Contains(err.Error(), "more than 8 entries") {
		t.Errorf("too many entries: %v", err)
	}
}

// A companion is passed over by its name, unless its beginning is wanted.
func TestReadDirCompanions(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{"a.info": "text", "b.info": "wanted", "c.pem": "c", "d.info": "w" + strings.Repeat(" ", SniffBytes)} {
		write(t, filepath.Join(dir, name), []byte(content))
	}
	var passed []string
	o := Options{Directory: Directory{
		Companion: func(name string) bool { return strings.HasSuffix(name, ".info") },
		Passed:    func(path string, _ Passed) { passed = append(passed, filepath.Base(path)) },
	}}
	read := func(want int, passes ...string) {
		t.Helper()
		passed = nil
		files, err := Read(t.Context(), dir, o)
		if err != nil || len(files) != want || !slices.Equal(passed, passes) {
			t.Errorf("%d files, passed over %q, %v", len(files), passed, err)
		}
	}
	read(1, "a.info", "b.info", "d.info")
	o.Directory.Wanted = func(prefix []byte) bool { return prefix[0] == 'w' && len(prefix) <= SniffBytes }
	read(3, "a.info")
}

func TestReadDirErrors(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if _, err := Read(t.Context(), dir, Options{}); err == nil || !strings.Contains(err.Error(), "no files") {
		t.Errorf("an empty directory: %v", err)
	}
	dangling := filepath.Join(dir, "dangling")
	if err := os.Symlink("nowhere", dangling); err != nil {
		t.Fatal(err)
	}
	if _, err := Read(t.Context(), dir, Options{}); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), dangling) {
		t.Errorf("a dangling link: %v", err)
	}
	os.Remove(dangling)

	secret := filepath.Join(dir, "secret")
	write(t, secret, []byte("x"))
	if err := os.Chmod(secret, 0); err != nil {
		t.Fatal(err)
	}
	if os.Geteuid() == 0 {
		t.Skip("root reads everything")
	}
	if _, err := Read(t.Context(), dir, Options{}); !errors.Is(err, fs.ErrPermission) || !strings.Contains(err.Error(), secret) {
		t.Errorf("an unreadable file: %v", err)
	}
}

// A file of size 0 that has content, as in /proc, is read all the same.
func TestReadProc(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("no /proc here")
	}
	files, err := Read(t.Context(), "/proc/self/maps", Options{})
	if err != nil || len(files[0].Data) == 0 {
		t.Errorf("%v", err)
	}
}

// A file that grows or shrinks while it is read gives what there is.
func TestReadAllFalseHint(t *testing.T) {
	t.Parallel()
	want := strings.Repeat("x", 200_000)
	for _, hint := range []int64{-1, 0, 1, 100, 4095, 4096, 199_999, 200_000, 300_000} {
		data, err := readAll(strings.NewReader(want), "f", hint, 1<<20, nil)
		if err != nil || string(data) != want {
			t.Errorf("hint %d: %d bytes, %v", hint, len(data), err)
		}
	}
}

func BenchmarkRead(b *testing.B) {
	path := filepath.Join(b.TempDir(), "f")
	data := make([]byte, 435_769) // the largest bundle that Cisco publishes
	if err := os.WriteFile(path, data, 0o600); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := Read(b.Context(), path, Options{}); err != nil {
			b.Fatal(err)
		}
	}
}

//go:build unix

package durable

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
)

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
	if err := new(Disk).Write(fifo, 0o600, text("through")); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "through" {
		t.Errorf("the FIFO gave %q", s)
	}
	if fi, err := os.Lstat(fifo); err != nil || fi.Mode()&fs.ModeNamedPipe == 0 {
		t.Error("the FIFO was replaced")
	}
	// Beside a file that is replaced, too.
	beside := filepath.Join(filepath.Dir(fifo), "beside")
	go func() {
		data, _ := os.ReadFile(fifo)
		got <- string(data)
	}()
	if err := new(Disk).WriteAll([]File{{fifo, []byte("through")}, {beside, []byte("beside")}}, 0o600); err != nil {
		t.Fatal(err)
	}
	if s := <-got; s != "through" {
		t.Errorf("the FIFO gave %q", s)
	}
	want(t, beside, "beside")
	broken := errors.New("broken")
	if err := new(Disk).Write(fifo, 0o600, func(io.Writer) error { return broken }); !errors.Is(err, broken) { // it does not even open it
		t.Errorf("an error in the callback: %v", err)
	}
}

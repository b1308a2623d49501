//go:build unix

package fetch

import (
	"io/fs"
	"os"
	"syscall"
)

// open is os.Open without asking the system to poll the file, which it refuses
// for files: that takes as long as reading one, and a root store has hundreds.
func open(name string) (*os.File, error) {
	for {
		fd, err := syscall.Open(name, syscall.O_RDONLY|syscall.O_CLOEXEC, 0)
		switch err {
		case nil:
			return os.NewFile(uintptr(fd), name), nil
		case syscall.EINTR: // a signal while a FIFO waits for its writer
		default:
			return nil, &fs.PathError{Op: "open", Path: name, Err: err}
		}
	}
}

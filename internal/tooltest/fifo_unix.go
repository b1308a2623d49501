//go:build unix

package tooltest

import (
	"syscall"
	"testing"
)

// FIFO makes a FIFO. A system without them skips the test.
func FIFO(t *testing.T, path string) {
	t.Helper()
	if err := syscall.Mkfifo(path, 0o600); err != nil {
		t.Skipf("no FIFO here: %v", err)
	}
}

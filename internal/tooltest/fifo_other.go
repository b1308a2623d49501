//go:build !unix

package tooltest

import "testing"

// FIFO makes a FIFO. A system without them skips the test.
func FIFO(t *testing.T, _ string) {
	t.Helper()
	t.Skip("this system has no FIFOs")
}

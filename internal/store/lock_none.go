//go:build !(darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd || windows)

package store

import (
	"errors"
	"fmt"
	"os"
)

const nonBlocking = 0

func restrict(*os.Root, *os.File, bool) {}

// tryLock fails: without a lock two publishers could both win.
func tryLock(*os.File) (bool, error) {
	return false, fmt.Errorf("this system has no flock: %w", errors.ErrUnsupported)
}

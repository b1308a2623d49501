package store

import (
	"errors"
	"math"
	"os"

	"golang.org/x/sys/windows"
)

// nonBlocking is for FIFOs, which no directory has here.
const nonBlocking = 0

// restrict does nothing: here a file has the permissions of its directory.
func restrict(*os.Root, *os.File, bool) {}

// tryLock takes the lock of a file, which lasts until the file is closed, also by
// the end of the process. It is false if another has it.
func tryLock(f *os.File) (bool, error) {
	err := windows.LockFileEx(windows.Handle(f.Fd()), windows.LOCKFILE_EXCLUSIVE_LOCK|windows.LOCKFILE_FAIL_IMMEDIATELY,
		0, math.MaxUint32, math.MaxUint32, new(windows.Overlapped))
	if errors.Is(err, windows.ERROR_LOCK_VIOLATION) {
		return false, nil
	}
	return err == nil, err
}

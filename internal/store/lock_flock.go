//go:build darwin || dragonfly || freebsd || illumos || linux || netbsd || openbsd

package store

import (
	"errors"
	"os"
	"syscall"
)

// nonBlocking opens a FIFO without waiting for its writer. Of a file it means nothing.
const nonBlocking = syscall.O_NONBLOCK

// restrict lets those open the lock file who may write the directory, and no
// others: owner, group and others as far as the directory lets them write. A file
// that is not new, such as one that an earlier version made, loses permissions only.
func restrict(root *os.Root, f *os.File, made bool) {
	dir, err := root.Stat(".")
	if err != nil {
		return
	}
	file, err := f.Stat()
	if err != nil {
		return
	}
	of, ok := dir.Sys().(*syscall.Stat_t)
	is, ok2 := file.Sys().(*syscall.Stat_t)
	if !ok || !ok2 {
		return
	}
	writers := dir.Mode().Perm() & 0o222
	mode := 0o600 | writers | writers<<1
	if is.Gid != of.Gid && (!made || f.Chown(-1, int(of.Gid)) != nil) {
		mode &^= 0o060 // its group is another one
	}
	if made && is.Uid != of.Uid {
		_ = f.Chown(int(of.Uid), -1) // as root can: the owner of the directory publishes too
	}
	if !made {
		mode &= file.Mode().Perm()
	}
	if mode != file.Mode().Perm() {
		_ = f.Chmod(mode) // which the owner alone can do
	}
}

// tryLock takes the lock of a file, which lasts until the file is closed, also by
// the end of the process. It is false if another has it.
func tryLock(f *os.File) (bool, error) {
	for {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		switch {
		case err == nil:
			return true, nil
		case errors.Is(err, syscall.EWOULDBLOCK):
			return false, nil
		case !errors.Is(err, syscall.EINTR):
			return false, err
		}
	}
}

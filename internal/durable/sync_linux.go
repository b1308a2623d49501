package durable

import (
	"os"

	"golang.org/x/sys/unix"
)

// sync makes the files of a tree durable, all at once: one by one takes five times as long for a few hundred.
func (t *Tree) sync() error {
	f, err := t.root.Open(t.tmp)
	if err != nil {
		return err
	}
	defer f.Close()
	if err := unix.Syncfs(int(f.Fd())); err != nil {
		return os.NewSyscallError("syncfs", err)
	}
	return nil
}

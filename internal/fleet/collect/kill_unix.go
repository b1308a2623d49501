//go:build unix

package collect

import (
	"os/exec"
	"syscall"
)

// kill ends a process that has a session of its own, and those that it started, such
// as the ssh to a jump host.
func kill(cmd *exec.Cmd) error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }

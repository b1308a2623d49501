//go:build !unix

package collect

import "os/exec"

func kill(cmd *exec.Cmd) error { return cmd.Process.Kill() }

// Trustpool reads, verifies and compares the trust bundles of Cisco devices, and
// tells what a device would do with them.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"time"

	"golang.org/x/term"

	"trustpool/cmd/internal/cli"
)

var version = "unknown" // set by the Makefile

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	status := cli.Run(ctx, os.Args[1:], cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), Now: time.Now, Version: version, Getenv: os.Getenv,
	})
	stop()
	os.Exit(status)
}

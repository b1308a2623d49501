// Trustpool reads, verifies and compares the trust bundles of Cisco devices, says
// what a device would do with them, and publishes them.
package main

import (
	"context"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/term"

	"trustpool/internal/cli"
)

func main() {
	build, _ := debug.ReadBuildInfo()
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), Screen: screen, Now: time.Now, Build: build, Getenv: os.Getenv, Environ: os.Environ, Program: os.Args[0],
		Interrupts: interrupts, Reloads: reloads,
	}))
}

// screen is the width of standard output, if that is a terminal.
func screen() (columns int, terminal bool) {
	columns, _, err := term.GetSize(int(os.Stdout.Fd()))
	return columns, err == nil
}

// interrupts returns a context that ends at the first SIGINT or SIGTERM. The second ends the process.
func interrupts(ctx context.Context) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(ctx)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		defer signal.Stop(signals)
		select {
		case s := <-signals:
			number, _ := s.(syscall.Signal)
			cancel(cli.Interrupted(number))
		case <-ctx.Done():
		}
	}()
	return ctx, func() { cancel(nil) }
}

// reloads returns a channel that receives at each SIGHUP until the context ends.
func reloads(ctx context.Context) <-chan struct{} {
	hangups, out := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(hangups, syscall.SIGHUP)
	go func() {
		defer signal.Stop(hangups)
		for {
			select {
			case <-ctx.Done():
				return
			case <-hangups:
			}
			select {
			case <-ctx.Done():
				return
			case out <- struct{}{}:
			}
		}
	}()
	return out
}

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
	signals := until(ctx, os.Interrupt, syscall.SIGTERM)
	go func() {
		if s, ok := <-signals; ok {
			number, _ := s.(syscall.Signal)
			cancel(cli.Interrupted(number))
		}
	}()
	return ctx, func() { cancel(nil) }
}

// reloads returns a channel that receives at each SIGHUP until the context ends.
func reloads(ctx context.Context) <-chan os.Signal { return until(ctx, syscall.SIGHUP) }

// until returns a channel of signals, which is closed when the context ends.
func until(ctx context.Context, these ...os.Signal) <-chan os.Signal {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, these...)
	context.AfterFunc(ctx, func() {
		signal.Stop(signals)
		close(signals)
	})
	return signals
}

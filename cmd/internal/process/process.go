// Package process is what trustpool and trustpool-s3 have in common: streams,
// clock, signals and the end of the process.
package process

import (
	"context"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/term"

	"trustpool/cmd/internal/cli"
	"trustpool/store"
)

// withBuckets is the program that has a client for buckets. It is another one
// because every run would pay for what that client prepares.
const withBuckets = "trustpool-s3"

// Main runs the command line of this process and gives the exit status. Where
// openBucket is nil and an argument names a bucket, trustpool-s3 takes over, if it
// is found beside this program or on PATH.
func Main(version string, openBucket func(string) (store.Backend, error)) int {
	if openBucket == nil && namesBucket(os.Args[1:]) {
		handOver()
	}
	return cli.Run(context.Background(), os.Args[1:], cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())), Now: time.Now, Version: version, Getenv: os.Getenv,
		Interrupts: func(ctx context.Context) (context.Context, context.CancelFunc) {
			return signal.NotifyContext(ctx, os.Interrupt, syscall.SIGTERM)
		},
		Reloads:    reloads,
		OpenBucket: openBucket,
	})
}

// reloads gives a channel that receives at each SIGHUP until the context ends.
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

// namesBucket tells whether an argument, or a flag's value, is a URL of a bucket.
func namesBucket(args []string) bool {
	for _, arg := range args {
		if _, value, ok := strings.Cut(arg, "="); ok && strings.HasPrefix(arg, "-") {
			arg = value
		}
		if len(arg) >= len(cli.BucketScheme) && strings.EqualFold(arg[:len(cli.BucketScheme)], cli.BucketScheme) {
			return true
		}
	}
	return false
}

// handOver replaces this process. It returns where there is nothing to hand over
// to: then the command line says so.
func handOver() {
	if filepath.Base(os.Args[0]) == withBuckets { // under a false name; it would go in circles
		return
	}
	var path string
	if self, err := os.Executable(); err == nil {
		path, _ = exec.LookPath(filepath.Join(filepath.Dir(self), withBuckets))
	}
	if path == "" {
		var err error
		if path, err = exec.LookPath(withBuckets); err != nil {
			return
		}
	}
	_ = syscall.Exec(path, append([]string{withBuckets}, os.Args[1:]...), os.Environ())
}

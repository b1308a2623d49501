//go:build unix

package main

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

// promptly is how long a command may take to end after a signal. Goal is 100 ms; a busy machine that starts processes at
// the same time takes longer.
const promptly = 2 * time.Second

// Whatever a command waits for, a signal ends it at once with 130 or 143, as shells count, and it leaves nothing half
// written.
func TestInterrupt(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	arrived := make(chan struct{}, 10)
	silent := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(http.StatusOK)
		w.(http.Flusher).Flush()
		arrived <- struct{}{}
		<-r.Context().Done()
	}))
	t.Cleanup(silent.Close)
	t.Cleanup(silent.CloseClientConnections)
	files := t.TempDir()
	if err := os.WriteFile(filepath.Join(files, "devices.csv"), []byte("name,address\nedge1,10.0.0.1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, args string
		signal     syscall.Signal
	}{
		{"inspect", "inspect URL/ios.p7b", syscall.SIGINT},
		{"inspect to a file", "inspect URL/ios.p7b -o out", syscall.SIGTERM},
		{"verify", "verify -", syscall.SIGTERM},
		{"extract", "extract URL/ios.p7b -o out", syscall.SIGINT},
		{"import", "import URL/ios.p7b --platform asa", syscall.SIGTERM},
		{"publish", "publish URL/ios.p7b --store .", syscall.SIGINT},
		{"mirror", "mirror --from URL/ios.p7b --store .", syscall.SIGTERM},
		{"receive", "receive URL/kit.tar -o out", syscall.SIGINT},
		{"build", "build recipe.yaml -o out", syscall.SIGTERM},
		{"diff", "diff URL/old.p7b URL/new.p7b", syscall.SIGINT},
		{"audit", "audit URL/ios.p7b", syscall.SIGTERM},
		{"audit of several to a file", "audit TESTDATA/bundles/lab-core-v1.p7b URL/ios.p7b --json -o out", syscall.SIGINT},
		{"import into a pool", "import TESTDATA/bundles/lab-core-v1.p7b URL/ios.p7b --platform iosxe --pool pool.json --save", syscall.SIGINT},
		{"config", "config --platform iosxe --pem URL/ios.p7b -o out", syscall.SIGTERM},
		{"pool read", "pool read - --platform iosxe --save pool.json", syscall.SIGINT},
		{"reach", "reach TESTDATA/bundles/lab-core-v1.p7b --chains URL/chains.pem", syscall.SIGTERM},
		{"explain", "explain -", syscall.SIGINT},
		{"doctor", "doctor URL/ios.p7b --timeout 1m", syscall.SIGTERM},
		{"fleet", "fleet - --devices FILES/devices.csv", syscall.SIGINT},
		{"pack", "pack URL/ios.p7b -o out", syscall.SIGTERM},
		{"sign", "sign URL/roots.pem --key TESTDATA/keys/lab-signer.pem --cert TESTDATA/bundles/lab-signer.pem --name X --bundle-version 1 -o out", syscall.SIGINT},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			recipe := "schema: trustpool.recipe/1\nbundle: {name: X, version: \"1\"}\nsources: {a: {files: [" + silent.URL + "/a.pem], sha256: " + strings.Repeat("ab", 32) + "}}\nset: {union: [a]}\noutputs: {pem: a.pem}\n"
			if err := os.WriteFile(filepath.Join(work, "recipe.yaml"), []byte(recipe), 0o600); err != nil {
				t.Fatal(err)
			}
			link := filepath.Join(t.TempDir(), "trustpool")
			if err := os.Symlink(program, link); err != nil {
				t.Fatal(err)
			}
			cmd := exec.Command(link, strings.Fields(strings.NewReplacer("URL", silent.URL, "TESTDATA", testdata(t), "FILES", files).Replace(tt.args))...)
			cmd.Env, cmd.Dir = append(os.Environ(), "CLOCK=real"), work
			var stdout, stderr bytes.Buffer
			cmd.Stdout, cmd.Stderr = &stdout, &stderr
			stdin, err := cmd.StdinPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			if strings.Contains(tt.args, "-o") || strings.Contains(tt.args, "URL") {
				select {
				case <-arrived:
				case <-time.After(10 * time.Second):
					_ = cmd.Process.Kill()
					_ = cmd.Wait()
					t.Fatalf("it asked for nothing: %s", stderr.String())
				}
			} else if _, err := io.WriteString(stdin, "0"); err != nil {
				t.Fatal(err)
			}
			begin := time.Now()
			if err := cmd.Process.Signal(tt.signal); err != nil {
				t.Fatal(err)
			}
			err = cmd.Wait()
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok {
				t.Fatalf("it ended with %v: %s", err, stderr.String())
			}
			status := exit.Sys().(syscall.WaitStatus)
			if got := status.ExitStatus(); got != 128+int(tt.signal) && !(status.Signaled() && status.Signal() == tt.signal) {
				t.Errorf("it ended with %v, not %d: %s", err, 128+int(tt.signal), stderr.String())
			}
			if took := time.Since(begin); took > promptly {
				t.Errorf("it ended after %v", took)
			}
			if stdout.Len() > 0 {
				t.Errorf("it wrote %q", stdout.String())
			}
			left, err := os.ReadDir(work)
			if err != nil || len(left) != 1 {
				t.Errorf("it left %v, %v", left, err)
			}
		})
	}
}

// A signal ends what is at work on many certificates, too, and of what it wrote nothing is left.
func TestInterruptWork(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	one, err := os.ReadFile(filepath.Join(testdata(t), "bundles", "lab-signer.pem"))
	if err != nil {
		t.Fatal(err)
	}
	many := filepath.Join(t.TempDir(), "many.pem")
	if err := os.WriteFile(many, bytes.Repeat(one, 8_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct{ name, args string }{
		{"extract", "extract MANY -o out"},
		{"inspect", "inspect MANY --json -o out"},
		{"inspect to the end", "inspect MANY --long -o out"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := t.TempDir()
			cmd := exec.Command(program, strings.Fields(strings.ReplaceAll(tt.args, "MANY", many))...)
			cmd.Args[0], cmd.Dir, cmd.Env = "trustpool", work, append(os.Environ(), "CLOCK=real")
			var stderr bytes.Buffer
			cmd.Stderr = &stderr
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			ended := make(chan struct{})
			go func() { // as soon as something is there
				for {
					if left, _ := os.ReadDir(work); len(left) > 0 {
						_ = cmd.Process.Signal(syscall.SIGTERM)
						return
					}
					select {
					case <-ended:
						return
					case <-time.After(time.Millisecond):
					}
				}
			}()
			err := cmd.Wait()
			close(ended)
			left, _ := os.ReadDir(work)
			if err == nil && len(left) == 1 && !strings.HasPrefix(left[0].Name(), ".") {
				t.Skip("it was faster than the signal")
			}
			exit, ok := errors.AsType[*exec.ExitError](err)
			if !ok || exit.ExitCode() != 128+int(syscall.SIGTERM) {
				t.Errorf("it ended with %v: %s", err, stderr.String())
			}
			if len(left) > 0 {
				t.Errorf("it left %v", left)
			}
		})
	}
}

//go:build unix

package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"trustpool/internal/devicetest"
	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
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
		{"serve as a health check", "serve --healthcheck --listen HOST", syscall.SIGINT},
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
			cmd := exec.Command(link, strings.Fields(strings.NewReplacer("URL", silent.URL, "HOST", silent.Listener.Addr().String(), "TESTDATA", testdata(t), "FILES", files).Replace(tt.args))...)
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
			if strings.Contains(tt.args, "-o") || strings.Contains(tt.args, "URL") || strings.Contains(tt.args, "HOST") {
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

// A signal ends what is at work on many certificates, too, whenever it comes, and of what it wrote nothing is left.
func TestInterruptWork(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	words := strings.NewReplacer("LARGE", filepath.Join(in, "large.p7b"), "KIT", filepath.Join(in, "kit.tar"), "SHOWN", filepath.Join(in, "shown.txt"), "RECIPE", "recipe.yaml",
		"TRUST", "--at 2026-01-01 --root "+filepath.Join(testdata(t), "bundles", "lab-root.pem"))
	start := func(dir, args string, stderr io.Writer) *exec.Cmd {
		cmd := exec.Command(program, strings.Fields(words.Replace(args))...)
		cmd.Args[0], cmd.Dir, cmd.Env, cmd.Stderr = "trustpool", dir, append(os.Environ(), "CLOCK=real"), stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return cmd
	}
	if err := os.WriteFile(filepath.Join(in, "large.p7b"), pkitest.Large(10_000), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, args := range []string{"pack LARGE TRUST -o KIT", "inspect LARGE --style iosxe -o SHOWN"} {
		var stderr bytes.Buffer
		if err := start(in, args, &stderr).Wait(); err != nil {
			t.Fatalf("%s: %v: %s", args, err, stderr.String())
		}
	}
	for _, args := range []string{
		"extract LARGE -o out",
		"extract LARGE -o there",
		"inspect LARGE --json -o out",
		"inspect LARGE --long -o out",
		"inspect LARGE --long",
		"verify LARGE LARGE LARGE TRUST",
		"diff LARGE LARGE --json -o out",
		"audit LARGE TRUST --html -o out",
		"import LARGE TRUST --platform iosxe --pool out --save",
		"pool read SHOWN --platform iosxe --save out",
		"build RECIPE -o out",
		"pack LARGE TRUST -o out",
		"receive KIT TRUST -o out",
		"receive KIT TRUST --store there",
		"publish LARGE TRUST --store there --name x",
	} {
		for _, after := range []time.Duration{0, 100 * time.Millisecond} { // 0: when something is there
			if after == 0 && !strings.Contains(args, "out") && !strings.Contains(args, "there") {
				continue
			}
			t.Run(fmt.Sprintf("%s after %v", args, after), func(t *testing.T) {
				work := t.TempDir()
				recipe := "schema: trustpool.recipe/1\nbundle: {name: X, version: \"1\"}\nsources: {a: {files: [" + words.Replace("LARGE") + "]}}\nset: {union: [a]}\noutputs: {pem: a.pem}\n"
				if err := errors.Join(os.WriteFile(filepath.Join(work, "recipe.yaml"), []byte(recipe), 0o600), os.Mkdir(filepath.Join(work, "there"), 0o700)); err != nil {
					t.Fatal(err)
				}
				var stderr bytes.Buffer
				cmd := start(work, args, &stderr)
				ended, signaled := make(chan struct{}), make(chan time.Time, 1)
				go func() {
					if after > 0 {
						time.Sleep(after)
					}
					for after == 0 && len(names(work)) == 2 {
						select {
						case <-ended:
							return
						case <-time.After(time.Millisecond):
						}
					}
					signaled <- time.Now()
					_ = cmd.Process.Signal(syscall.SIGTERM)
				}()
				err := cmd.Wait()
				close(ended)
				select {
				case at := <-signaled:
					if took := time.Since(at); took > promptly {
						t.Errorf("it ended after %v", took)
					}
				default:
					t.Skipf("it was faster than the signal: %v: %s", err, stderr.String())
				}
				left := names(work)
				for _, name := range left { // nothing temporary, but perhaps all that it was to write
					if strings.HasPrefix(filepath.Base(name), durable.TempPrefix) {
						t.Errorf("it left %s", name)
					}
				}
				if n := len(left) - 2; strings.HasPrefix(args, "extract") && n > 0 && n < 10_000 {
					t.Errorf("it left %d certificates", n)
				}
				if err == nil || cmd.ProcessState.ExitCode() == 1 {
					return // the signal came when all was done
				}
				status := cmd.ProcessState.Sys().(syscall.WaitStatus)
				if status.ExitStatus() != 128+int(syscall.SIGTERM) && !(status.Signaled() && status.Signal() == syscall.SIGTERM) {
					t.Errorf("it ended with %v: %s", err, stderr.String())
				}
			})
		}
	}
}

// A signal ends collect at once, in the middle of its sessions. What is there is whole, and no ssh is left behind.
func TestInterruptCollect(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ssh")
	var devices []devicetest.Device
	for i := range 6 {
		devices = append(devices, devicetest.Device{
			Name: fmt.Sprintf("edge%d", i), Platform: "iosxe", Fault: devicetest.HangsWithin, Pool: devicetest.BuiltIn(pkitest.CoreV1()[:3]...),
		})
	}
	devices = append(devices, devicetest.Device{Name: "good", Platform: "iosxe", Pool: devicetest.BuiltIn(pkitest.CoreV1()[:3]...)})
	lab := devicetest.Start(t, devices...)
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for _, ssh := range [][]string{{"--ssh-config", "DIR/ssh_config"}, {"--ssh", "builtin", "--known-hosts", "DIR/known_hosts", "--identity", "DIR/id_ed25519"}} {
		work := t.TempDir()
		link := filepath.Join(work, "trustpool")
		if err := os.Symlink(program, link); err != nil {
			t.Fatal(err)
		}
		args := append([]string{"collect", "--devices", "DIR/addresses.csv", "-o", "pools"}, ssh...)
		for i := range args {
			args[i] = strings.ReplaceAll(args[i], "DIR", lab.Dir)
		}
		before := map[string]int{}
		for _, d := range devices {
			before[d.Name] = len(lab.Sent(d.Name))
		}
		cmd := exec.Command(link, args...)
		cmd.Env, cmd.Dir = append(os.Environ(), "CLOCK=real"), work
		var stdout, stderr bytes.Buffer
		cmd.Stdout, cmd.Stderr = &stdout, &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		reached := func() bool { // the good one is written, and the others hang in show
			for _, d := range devices {
				if d.Fault != "" && len(lab.Sent(d.Name)) < before[d.Name]+3 {
					return false
				}
			}
			_, err := os.Stat(filepath.Join(work, "pools", ".collect", "good.json"))
			return err == nil
		}
		for end := time.Now().Add(time.Minute); !reached() && time.Now().Before(end); {
			time.Sleep(10 * time.Millisecond)
		}
		began := time.Now()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		_ = cmd.Wait()
		took := time.Since(began)
		t.Logf("%v: it ended after %v", ssh[0], took)
		if status := cmd.ProcessState.ExitCode(); status != 130 || took > promptly || stdout.Len() > 0 {
			t.Errorf("status %d after %v: %q %s", status, took, stdout.String(), stderr.String())
		}
		var names []string
		_ = filepath.WalkDir(filepath.Join(work, "pools"), func(_ string, d fs.DirEntry, _ error) error {
			if d != nil && !d.IsDir() {
				names = append(names, d.Name())
			}
			return nil
		})
		if !slices.Equal(names, []string{"good.json", "good.txt"}) {
			t.Errorf("there is %q", names)
		}
		left := running(lab.Dir)
		for end := time.Now().Add(promptly); len(left) > 0 && time.Now().Before(end); left = running(lab.Dir) {
			time.Sleep(10 * time.Millisecond)
		}
		if len(left) > 0 {
			t.Errorf("there still runs %q", left)
		}
	}
}

// running are the ssh clients that run with a configuration in the directory, by their command lines. Systems without
// /proc have none.
func running(dir string) (lines []string) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(line, []byte("StrictHostKeyChecking")) && bytes.Contains(line, []byte(dir)) {
			lines = append(lines, string(bytes.ReplaceAll(line, []byte{0}, []byte(" "))))
		}
	}
	return lines
}

// names are those of everything below a directory.
func names(dir string) (list []string) {
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != dir {
			list = append(list, path)
		}
		return nil
	})
	return list
}

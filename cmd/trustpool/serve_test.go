package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trustpool/internal/pkitest"
)

// patience is how long a script waits for what is to come at once.
const patience = 10 * time.Second

// setServer gives a script two addresses that are free now.
func setServer(e *testscript.Env) error {
	for _, name := range []string{"SERVER", "SECOND"} {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer l.Close()
		e.Setenv(name, l.Addr().String())
	}
	return nil
}

// answers URL FILE waits until there are at the URL the bytes of the file.
func answers(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: answers URL FILE")
	}
	want, last := ts.ReadFile(args[1]), ""
	for deadline := time.Now().Add(patience); time.Now().Before(deadline); time.Sleep(5 * time.Millisecond) {
		body, err := fetch(http.DefaultClient, args[0])
		if err == nil && body == want {
			return
		}
		last = fmt.Sprintf("%d bytes, %v", len(body), err)
	}
	ts.Fatalf("%s is not %s: %s", args[0], args[1], last)
}

// load URL OLD NEW COMMAND… runs the command, which must succeed, while clients fetch
// the URL as fast as they can, and until it has the bytes of NEW. No request may fail,
// and each must get the bytes of OLD or of NEW, whole; NEW once is NEW for ever.
func load(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 4 {
		ts.Fatalf("usage: load URL OLD NEW COMMAND…")
	}
	url, old, newer := args[0], ts.ReadFile(args[1]), ts.ReadFile(args[2])
	var group sync.WaitGroup
	var problem atomic.Pointer[string]
	var seen, requests atomic.Int64
	stop := make(chan struct{})
	for i := range 4 {
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: i%2 == 0}}
		group.Go(func() {
			defer client.CloseIdleConnections()
			for isNew := false; ; {
				select {
				case <-stop:
					return
				default:
				}
				body, err := fetch(client, url)
				requests.Add(1)
				switch {
				case err == nil && body == newer:
					if !isNew {
						isNew = true
						seen.Add(1)
					}
				case err == nil && body == old && !isNew:
				default:
					text := fmt.Sprintf("%d bytes, %v", len(body), err)
					problem.Store(&text)
					return
				}
			}
		})
	}
	ran := ts.Exec(args[3], args[4:]...)
	for deadline := time.Now().Add(patience); seen.Load() < 4 && problem.Load() == nil && time.Now().Before(deadline); {
		time.Sleep(time.Millisecond)
	}
	close(stop)
	group.Wait()
	ts.Check(ran)
	if p := problem.Load(); p != nil {
		ts.Fatalf("a request failed: %s", *p)
	}
	if seen.Load() < 4 {
		ts.Fatalf("%s did not come", args[2])
	}
	ts.Logf("%d requests, none failed", requests.Load())
}

func fetch(client *http.Client, url string) (string, error) {
	r, err := client.Get(url)
	if err != nil {
		return "", err
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err == nil && r.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s", r.Status)
	}
	return string(body), err
}

// A served is trustpool serve with its output and, as systemd does it, a socket that
// it inherits.
type served struct {
	*exec.Cmd
	address string
	stderr  *os.File
}

// run starts trustpool serve on its own clock, on a socket that it inherits.
func run(t *testing.T, args ...string) *served {
	t.Helper()
	dir := t.TempDir()
	program := filepath.Join(dir, "trustpool") // the name by which TestMain knows what to be
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(self, program); err != nil {
		t.Fatal(err)
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	socket, err := l.(*net.TCPListener).File()
	if err != nil {
		t.Fatal(err)
	}
	defer socket.Close()
	stderr, err := os.Create(filepath.Join(dir, "stderr"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stderr.Close() })
	p := &served{Cmd: exec.Command("/bin/sh", "-c", `LISTEN_PID=$$ LISTEN_FDS=1; export LISTEN_PID LISTEN_FDS; exec "$0" "$@"`, program, "serve"), address: l.Addr().String(), stderr: stderr}
	p.Args = append(p.Args, args...)
	p.Env = append(os.Environ(), "CLOCK=real", "GORACE="+noSleep)
	p.ExtraFiles, p.Stderr = []*os.File{socket}, stderr
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Process.Kill() })
	return p
}

func (p *served) said(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(p.stderr.Name())
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

func eventually(t *testing.T, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(patience); !ok(); time.Sleep(5 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatal("it did not come to pass")
		}
	}
}

// Socket activation, SIGHUP and SIGTERM of a real process, while a slow client downloads.
func TestServeSignals(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file, log := filepath.Join(dir, "ios.p7b"), filepath.Join(dir, "access.log")
	data := pkitest.Large(12_000)
	if err := os.WriteFile(file, data, 0o644); err != nil {
		t.Fatal(err)
	}
	p := run(t, file, "--root", filepath.Join(testdata(t), "bundles", "lab-root.pem"), "--access-log", log)
	c, err := net.Dial("tcp", p.address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if err := c.SetDeadline(time.Now().Add(30 * time.Second)); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(c, "GET /ios.p7b HTTP/1.0\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if _, err := r.Peek(100); err != nil {
		t.Fatal(err)
	}
	// logrotate moves the log away and sends SIGHUP
	if err := os.Rename(log, log+".1"); err != nil {
		t.Fatal(err)
	}
	if err := p.Process.Signal(syscall.SIGHUP); err != nil {
		t.Fatal(err)
	}
	eventually(t, func() bool { _, err := os.Stat(log); return err == nil })
	if err := p.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	time.Sleep(50 * time.Millisecond)
	response, err := http.ReadResponse(r, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if body, err := io.ReadAll(response.Body); err != nil || !bytes.Equal(body, data) {
		t.Errorf("%d bytes of %d, %v", len(body), len(data), err)
	}
	if err := p.Wait(); err != nil {
		t.Errorf("%v\n%s", err, p.said(t))
	}
	lines, err := os.ReadFile(log)
	if err != nil || !strings.Contains(string(lines), `"status":200,"bytes":`+strconv.Itoa(len(data))+",") {
		t.Errorf("the log: %v %s", err, lines)
	}
	if !strings.Contains(p.said(t), "http://"+p.address+`/ios.p7b is "Lab Large Bundle" version 1, 12000 certificates`) {
		t.Errorf("said:\n%s", p.said(t))
	}
}

package main

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime/debug"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"trustpool/internal/cli"
	"trustpool/internal/devicetest"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

var update = flag.Bool("update", false, "write what tests compare with anew: the scripts' files, and the twins of testdata/bundles")

// The tests run this binary again under the name trustpool.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"trustpool": trustpool})
}

// trustpool is main with a clock that stands still, that nobody waits for, and a
// version; where CLOCK is "real" it is main itself.
func trustpool() {
	if os.Getenv("CLOCK") == "real" {
		main()
		return
	}
	os.Exit(cli.Run(context.Background(), os.Args[1:], cli.Env{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr, Screen: screen, Now: now, Sleep: sleep, Build: build(), Getenv: os.Getenv, Environ: os.Environ, Program: os.Args[0],
	}))
}

// sleep does not; a pause of hours is the end of what is done again and again.
func sleep(_ context.Context, d time.Duration) error {
	if d >= time.Hour {
		return context.Canceled
	}
	return nil
}

func now() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) }

// build is what the linker would say of a release.
func build() *debug.BuildInfo {
	return &debug.BuildInfo{GoVersion: "go1.26.0", Main: debug.Module{Version: "v1.2.3"}, Settings: []debug.BuildSetting{
		{Key: "GOOS", Value: "linux"}, {Key: "GOARCH", Value: "amd64"},
		{Key: "vcs.revision", Value: "0123456789abcdef0123456789abcdef01234567"}, {Key: "vcs.time", Value: "2025-05-31T12:00:00Z"}, {Key: "vcs.modified", Value: "false"},
	}}
}

// testdata is that of the module.
func testdata(t testing.TB) string {
	t.Helper()
	dir, err := filepath.Abs("../../testdata")
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// TestScripts runs testdata/script. Each script finds testdata's bundles, chains,
// feed, keys and vectors beside it, and files of root programs as programs; where there
// are genuine bundles, as corpus; at $URL a server, and at $TLS, a HOST:PORT, one
// whose certificate is below Lab Root CA; and in $SERVER and $SECOND addresses at which it may
// make one of its own.
func TestScripts(t *testing.T) {
	t.Parallel()
	dir := testdata(t)
	server := httptest.NewServer(handler(filepath.Join(dir, "bundles")))
	t.Cleanup(server.Close)
	secure := tlsServer()
	t.Cleanup(secure.Close)
	testscript.Run(t, testscript.Params{
		Dir: filepath.Join(dir, "script"),
		Setup: func(e *testscript.Env) error {
			e.Setenv("URL", server.URL)
			e.Setenv("TLS", secure.Listener.Addr().String())
			if err := setServer(e); err != nil {
				return err
			}
			e.Setenv("GORACE", noSleep)
			if strings.HasSuffix(e.WorkDir, "_bucket") {
				if _, err := exec.LookPath("versitygw"); err == nil { // otherwise the script skips itself
					e.Setenv("BUCKET", tooltest.StartS3(t).URL("where"))
					e.Setenv("AWS_ACCESS_KEY_ID", tooltest.S3Key)
					e.Setenv("AWS_SECRET_ACCESS_KEY", tooltest.S3Secret)
				}
			}
			links := map[string]string{"programs": filepath.Join(dir, "..", "roots", "testdata")}
			for _, name := range []string{"bundles", "chains", "feed", "keys", "vectors"} {
				links[name] = filepath.Join(dir, name)
			}
			if corpus := os.Getenv("TRUSTPOOL_CORPUS"); corpus != "" {
				links["corpus"] = corpus
			}
			for name, target := range links {
				if err := os.Symlink(target, filepath.Join(e.WorkDir, name)); err != nil {
					return err
				}
			}
			return nil
		},
		Condition:          condition,
		Cmds:               map[string]func(*testscript.TestScript, bool, []string){"status": status, "answers": answers, "load": load, "devices": devices},
		UpdateScripts:      *update,
		RequireUniqueNames: true,
	})
}

// devices FILE starts the devices that the JSON in FILE describes, see package devicetest,
// until the script ends. A device without a pool has three certificates in it. What clients
// need is in the directory devices.
func devices(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: devices FILE")
	}
	var list []devicetest.Device
	ts.Check(json.Unmarshal([]byte(ts.ReadFile(args[0])), &list))
	for i := range list {
		if list[i].Shows == "" && list[i].Pool == nil {
			list[i].Pool = devicetest.BuiltIn(pkitest.CoreV1()[:3]...)
		}
	}
	dir, err := os.MkdirTemp("", "devices") // the script's is too long for a socket
	ts.Check(err)
	ts.Defer(func() { _ = os.RemoveAll(dir) })
	lab, err := devicetest.New(dir, list...)
	ts.Check(err)
	ts.Defer(lab.Close)
	ts.Check(os.Symlink(dir, ts.MkAbs("devices")))
}

// noSleep keeps the race detector, where there is one, from waiting a second at
// the end of each run.
const noSleep = "atexit_sleep_ms=0"

// status N COMMAND… runs the command, which must exit with the status N. Where
// that is 2, it must have said why, and nothing on standard output; as 2+ it may have
// answered for some of several files.
func status(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: status N COMMAND…")
	}
	number, some := strings.CutSuffix(args[0], "+")
	want, err := strconv.Atoi(number)
	ts.Check(err)
	got := 0
	if err := ts.Exec(args[1], args[2:]...); err != nil {
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok {
			ts.Fatalf("%v", err)
		}
		got = exit.ExitCode()
	}
	if got != want {
		ts.Fatalf("exit status %d, not %d", got, want)
	}
	if got == 2 && (ts.ReadFile("stdout") != "" && !some || ts.ReadFile("stderr") == "") {
		ts.Fatalf("with status 2 there is to be a line on standard error, and nothing on standard output")
	}
}

// condition knows [corpus], that there are genuine bundles, and [tool:NAME], that
// a program is installed. Where everything is required, their lack is an error.
func condition(name string) (bool, error) {
	missing := ""
	if tool, ok := strings.CutPrefix(name, "tool:"); ok {
		look := exec.LookPath
		if tool == "sshd" {
			look = func(string) (string, error) { return devicetest.FindSSHD() }
		}
		if _, err := look(tool); err != nil {
			missing = tool + " is not installed"
		}
	} else if name != "corpus" {
		return false, fmt.Errorf("there is no condition %q", name)
	} else if os.Getenv("TRUSTPOOL_CORPUS") == "" {
		missing = "TRUSTPOOL_CORPUS is not set"
	}
	if missing != "" && os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
		return false, fmt.Errorf("%s, and TRUSTPOOL_REQUIRE_TOOLS=1 asks for it", missing)
	}
	return missing == "", nil
}

// tlsServer has the certificate of 127.0.0.1 below Lab Intermediate CA, and sends
// that one too.
func tlsServer() *httptest.Server {
	template := pkitest.ServerTemplate("127.0.0.1")
	middle := pkitest.Lab().Intermediate
	server := httptest.NewUnstartedServer(http.NotFoundHandler())
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{
		Certificate: [][]byte{template.Sign(middle), middle.DER}, PrivateKey: template.Key.Signer,
	}}}
	server.Config.ErrorLog = log.New(io.Discard, "", 0) // of handshakes that go no further
	server.StartTLS()
	return server
}

// handler serves bundles, each as a type that it is not, and what servers answer
// in place of one.
func handler(bundles string) http.Handler {
	mux := http.NewServeMux()
	files := http.FileServer(http.Dir(bundles))
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		files.ServeHTTP(w, r)
	})
	serveFeeds(mux, filepath.Dir(bundles))
	mux.HandleFunc("/login", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-pkcs7-certificates")
		fmt.Fprint(w, "<!DOCTYPE html>\n<html><title>Log in</title></html>\n")
	})
	mux.HandleFunc("/moved", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/lab-core-v1.p7b?token=secret", http.StatusFound)
	})
	mux.HandleFunc("/loop", func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/loop", http.StatusFound)
	})
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		data, _ := os.ReadFile(filepath.Join(bundles, "lab-core-v1.p7b"))
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		_, _ = w.Write(data[:4000])
	})
	mux.HandleFunc("/agent", func(w http.ResponseWriter, r *http.Request) {
		if r.UserAgent() != "trustpool/v1.2.3" || r.Header.Get("Accept-Encoding") != "identity" {
			http.Error(w, r.UserAgent(), http.StatusForbidden)
			return
		}
		http.ServeFile(w, r, filepath.Join(bundles, "lab-core-v1.p7b"))
	})
	mux.HandleFunc("/large", func(w http.ResponseWriter, r *http.Request) {
		for r.Context().Err() == nil { // a write in answer to HEAD never fails
			if _, err := io.WriteString(w, "# a line of text\n"); err != nil {
				return
			}
		}
	})
	return mux
}

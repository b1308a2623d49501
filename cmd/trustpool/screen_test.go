//go:build unix

package main

import (
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/creack/pty"

	"trustpool/internal/report"
)

// onTerminal runs trustpool in a directory, with a terminal of that size for all of its streams, and returns what it shows there.
func onTerminal(t *testing.T, dir string, columns, rows int, env []string, args ...string) string {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Args[0] = "trustpool" // for testscript.Main
	cmd.Dir = dir
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "TERM=xterm-256color"}, env...)
	terminal, err := pty.StartWithSize(cmd, &pty.Winsize{Cols: uint16(columns), Rows: uint16(rows)})
	if err != nil {
		t.Skipf("no pseudo-terminal: %v", err)
	}
	defer terminal.Close()
	var shown bytes.Buffer
	_, _ = io.Copy(&shown, terminal) // ends with an error when the program does
	if err := cmd.Wait(); err != nil && cmd.ProcessState.ExitCode() != 1 {
		t.Fatalf("trustpool %s: %v: %s", strings.Join(args, " "), err, shown.String())
	}
	return strings.ReplaceAll(shown.String(), "\r\n", "\n")
}

// modified is when files of the server were.
var modified = regexp.MustCompile(`[A-Z][a-z]{2}, [0-9]{2} [A-Z][a-z]{2} [0-9]{4} [0-9:]{8} GMT`)

// kitSum is the hash of a kit, which changes with the texts in it.
var kitSum = regexp.MustCompile(`file     kit\.tar\n  SHA-256  [0-9a-f]{64}`)

var sgr = regexp.MustCompile("\x1b\\[[0-9]*m")

// TestScreens compares what verbs show on a terminal with testdata/screens, where an escape is written \e.
func TestScreens(t *testing.T) {
	t.Parallel()
	work := t.TempDir()
	for _, name := range []string{"bundles", "chains", "keys"} {
		if err := os.Symlink(filepath.Join(testdata(t), name), filepath.Join(work, name)); err != nil {
			t.Fatal(err)
		}
	}
	for name, data := range map[string]string{
		"devices.csv": "name,address\nedge-router-1.frankfurt.backbone.example.net,10.0.0.1\nold,10.0.1.0/24\nhalf,10.0.0.3\n東京のルーター,10.0.0.5\nnever,10.0.0.9\n",
		"messages.log": `*Mar  1 00:00:10.123: %PKI-3-CERTIFICATE_INVALID_EXPIRED: Certificate chain validation has failed.  The certificate (SN: 0A) has expired.    Validity period ended on 2021-09-30T14:01:15Z
May 20 10:00:00 edge1 %PKI-6-TRUSTPOOL_DOWNLOAD_SUCCESS: Trustpool Download is successful
`,
		"access.log": `10.0.0.1 - - [20/May/2025:10:00:00 +0200] "GET /lab-core.p7b HTTP/1.1" 200 9354 "-" "cisco-IOS"
10.0.1.7 - - [20/May/2025:10:00:01 +0200] "GET //lab-core.p7b HTTP/1.0" 200 8829 "-" "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)"
10.0.0.3 - - [20/May/2025:10:00:02 +0200] "GET /lab-core.p7b HTTP/1.1" 206 100 "-" "-"
10.0.0.5 - - [20/May/2025:10:00:03 +0200] "GET /lab-core.p7b HTTP/1.1" 200 9354 "-" "-"
192.0.2.77 - - [20/May/2025:10:00:04 +0200] "GET /lab-core.p7b HTTP/1.1" 200 9354 "-" "Python-urllib/3.11 of a machine that nobody has listed"
`,
	} {
		if err := os.WriteFile(filepath.Join(work, name), []byte(data), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	const root = "--root bundles/lab-root.pem"
	if err := os.Mkdir(filepath.Join(work, "srv"), 0o700); err != nil {
		t.Fatal(err)
	}
	onTerminal(t, work, 80, 24, nil, strings.Fields("publish bundles/lab-core-v1.p7b --store srv --name lab "+root)...)
	onTerminal(t, work, 80, 24, nil, strings.Fields("publish bundles/lab-core-v2.p7b --store srv --name lab "+root)...)
	onTerminal(t, work, 80, 24, nil, strings.Fields("rollback --store srv --name lab "+root)...)
	onTerminal(t, work, 80, 24, nil, strings.Fields("publish bundles/lab-quirks-v1.p7b --store srv --allow-undecodable "+root)...)
	onTerminal(t, work, 80, 24, nil, strings.Fields("pack bundles/lab-core-v1.p7b -o kit.tar "+root)...)
	server := httptest.NewServer(handler(filepath.Join(testdata(t), "bundles")))
	t.Cleanup(server.Close)
	url := "http://lab.example"

	for name, args := range map[string]string{
		"inspect":      "inspect bundles/lab-quirks-v1.p7b " + root,
		"verify":       "verify bundles/lab-core-v1.p7b bundles/lab-sha1.p7b " + root,
		"diff":         "diff bundles/lab-core-v1.p7b bundles/lab-quirks-v1.p7b " + root,
		"audit":        "audit bundles/lab-quirks-v1.p7b " + root,
		"import":       "import bundles/lab-quirks-v1.p7b --platform iosxe --all " + root,
		"import_iosxr": "import bundles/lab-quirks-v1.p7b --platform iosxr",
		"history":      "history --store srv",
		"receive":      "receive kit.tar --dry-run " + root,
		"receive_no":   "receive kit.tar --dry-run",
		"reach":        "reach bundles/lab-core-v1.p7b --chains chains",
		"explain":      "explain messages.log",
		"fleet":        "fleet access.log --devices devices.csv --bundle lab-core=bundles/lab-core-v1.p7b --bundle lab-core=bundles/lab-core-v2.p7b " + root,
		"doctor":       "doctor URL/lab-core-v1.p7b " + root,
	} {
		for size, of := range map[string][2]int{"80x24": {80, 24}, "132x43": {132, 43}} {
			t.Run(name+"."+size, func(t *testing.T) {
				t.Parallel()
				shown := onTerminal(t, work, of[0], of[1], nil, strings.Fields(strings.ReplaceAll(args, "URL", server.URL))...)
				for line := range strings.Lines(shown) {
					if n := report.Columns(strings.TrimSuffix(line, "\n")); n > of[0] {
						t.Errorf("a row has %d columns: %q", n, line)
					}
				}
				shown = strings.ReplaceAll(shown, server.URL, url)
				shown = modified.ReplaceAllString(shown, "Sun, 01 Jun 2025 00:00:00 GMT")
				shown = kitSum.ReplaceAllString(shown, "file     kit.tar\n  SHA-256  "+strings.Repeat("0", 64))
				shown = strings.ReplaceAll(shown, "\x1b", `\e`)
				golden := filepath.Join(testdata(t), "screens", name+"."+size+".txt")
				if *update {
					if err := os.WriteFile(golden, []byte(shown), 0o644); err != nil {
						t.Fatal(err)
					}
				}
				want, err := os.ReadFile(golden)
				if err != nil {
					t.Fatal(err)
				}
				if shown != string(want) {
					t.Errorf("the screen is not that of %s:\n%s", golden, shown)
				}
			})
		}
	}

	full := "inspect bundles/lab-quirks-v1.p7b " + root
	piped, err := runPiped(t, work, full)
	if err != nil {
		t.Fatal(err)
	}
	for _, tt := range []struct {
		name, args string
		env        []string
		painted    bool
	}{
		{"wide", full + " --wide", nil, true},
		{"wide without colours", full + " --wide --color never", nil, false},
		{"NO_COLOR", full + " --wide", []string{"NO_COLOR=1"}, false},
		{"TERM=dumb", full + " --wide", []string{"TERM=dumb"}, false},
		{"NO_COLOR and always", full + " --wide --color always", []string{"NO_COLOR=1"}, true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			shown := onTerminal(t, work, 80, 24, tt.env, strings.Fields(tt.args)...)
			if painted := sgr.MatchString(shown); painted != tt.painted {
				t.Errorf("colours: %v", painted)
			}
			if sgr.ReplaceAllString(shown, "") != piped {
				t.Errorf("it is not what a pipe gets:\n%s", shown)
			}
		})
	}
	always, err := runPiped(t, work, full+" --color always")
	if err != nil || !sgr.MatchString(always) || sgr.ReplaceAllString(always, "") != piped {
		t.Errorf("--color always gives a pipe: %v\n%s", err, always)
	}
}

// A fetch that takes long shows on a terminal how far it is, and leaves nothing of that behind.
func TestProgress(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile(filepath.Join(testdata(t), "bundles", "lab-core-v1.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", strconv.Itoa(len(data)))
		for part := range slices.Chunk(data, len(data)/12) {
			_, _ = w.Write(part)
			w.(http.Flusher).Flush()
			time.Sleep(100 * time.Millisecond)
		}
	}))
	t.Cleanup(slow.Close)
	// So does work that a fetch is a part of, and in which others come after it.
	url := slow.URL + "/lab-core-v1.p7b"
	for what, args := range map[string][]string{
		"fetching": {"mirror", "--from", url, "--store", t.TempDir(), "--root", filepath.Join(testdata(t), "bundles", "lab-root.pem")},
		"reading":  {"verify", url, url, "--root", filepath.Join(testdata(t), "bundles", "lab-root.pem")},
	} {
		shown := onTerminal(t, t.TempDir(), 80, 24, []string{"CLOCK=real", "NO_COLOR=1"}, args...)
		if !regexp.MustCompile(what + ` .*…core-v1\.p7b +[0-9]+% \[`).MatchString(shown) {
			t.Errorf("%q: no progress is shown: %q", args, shown)
		}
		for line := range strings.Lines(shown) {
			if _, result, ok := strings.Cut(line, "% ["); ok && !strings.Contains(result, "\r") {
				t.Errorf("%q: it is left on the screen: %q", args, shown)
			}
		}
	}
	args := []string{"inspect", url}
	shown := onTerminal(t, t.TempDir(), 80, 24, []string{"CLOCK=real", "NO_COLOR=1"}, args...)
	drawn, result, _ := strings.Cut(shown, slow.URL)
	if !regexp.MustCompile(`reading .*…core-v1\.p7b +[0-9]+% \[.*/8\.8 kB, [0-9.]+ kB/s\) \[[0-9]s:[0-9]s\]`).MatchString(drawn) {
		t.Errorf("no progress is shown: %q", drawn)
	}
	for row := range strings.SplitSeq(drawn, "\r") {
		if n := report.Columns(row); n > 79 {
			t.Errorf("it takes %d columns: %q", n, row)
		}
	}
	if !strings.HasSuffix(drawn, "\r") || strings.Contains(result, "reading") {
		t.Errorf("it is left on the screen: %q", shown)
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Args[0], cmd.Env = "trustpool", append(os.Environ(), "CLOCK=real")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Run(); err != nil || stderr.Len() > 0 {
		t.Errorf("piped: %v, %q", err, stderr.String())
	}
}

// runPiped returns what trustpool writes to a pipe.
func runPiped(t *testing.T, dir, args string) (string, error) {
	t.Helper()
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program, strings.Fields(args)...)
	cmd.Args[0], cmd.Dir = "trustpool", dir
	cmd.Env = append(os.Environ(), "TERM=xterm-256color")
	out, err := cmd.Output()
	return string(out), err
}

//go:build linux

package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trustpool/internal/bench"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// How BenchmarkServe asks: wrk with one thread, since the machine has the servers to
// run as well.
const (
	rounds       = 7 // of all servers in turns; odd, so that the median is one of them
	roundTime    = "1s"
	clients      = "32"
	stalledCount = 5000
)

// A webServer is a process that serves the files of a directory.
type webServer struct {
	name string
	url  string
	pid  int
	rps  []float64
	p99  []float64 // milliseconds
	cpu  []float64 // microseconds of processor time for a request
}

// startServer starts a process and waits until it answers.
func startServer(b *testing.B, name, address, probe string, args ...string) *webServer {
	b.Helper()
	return startServerWithin(b, 10*time.Second, name, address, probe, args...)
}

func startServerWithin(b *testing.B, most time.Duration, name, address, probe string, args ...string) *webServer {
	b.Helper()
	var stderr bytes.Buffer
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Stderr = &stderr
	cmd.Env = append(os.Environ(), "XDG_DATA_HOME="+b.TempDir(), "XDG_CONFIG_HOME="+b.TempDir())
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		_ = cmd.Wait()
	})
	s := &webServer{name: name, url: "http://" + address + "/", pid: cmd.Process.Pid}
	for deadline := time.Now().Add(most); ; time.Sleep(10 * time.Millisecond) {
		if r, err := http.Get(s.url + probe); err == nil {
			r.Body.Close()
			if r.StatusCode == http.StatusOK {
				return s
			}
		}
		if time.Now().After(deadline) {
			b.Fatalf("%s does not answer: %s", name, stderr.Bytes())
		}
	}
}

// serveDir is a directory of bundles with the sizes of Cisco's ios.p7b and
// ios_union.p7b.
func serveDir(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	write(b, filepath.Join(dir, "117kB.p7b"), pkitest.Large(100))
	write(b, filepath.Join(dir, "436kB.p7b"), pkitest.Large(377))
	return dir
}

func startTrustpool(b *testing.B, dir, log string, flags ...string) *webServer {
	b.Helper()
	address := tooltest.FreeAddress(b)
	args := append([]string{buildProgram(b), "serve", dir, "--root", labRoot, "--listen", address, "--access-log", log}, flags...)
	return startServer(b, "trustpool", address, "117kB.p7b", args...)
}

// startNginx starts nginx as its own documents advise for static files, with a log like
// ours: JSON, buffered, written each second.
func startNginx(b *testing.B, dir, log string) *webServer {
	b.Helper()
	address := tooltest.FreeAddress(b)
	server := fmt.Sprintf("types { application/x-pkcs7-certificates p7b; }\nsendfile on; tcp_nopush on; open_file_cache max=100;\nserver { listen %s backlog=4096; root %s; }", address, dir)
	return startNginxWith(b, "nginx", address, server, log)
}

// startSite starts nginx with a site of the bundles in a directory, and the configuration that the project has for it.
func startSite(b *testing.B, dir, log string) *webServer {
	b.Helper()
	www, address := filepath.Join(b.TempDir(), "www"), tooltest.FreeAddress(b)
	tooltest.Run(b, nil, buildProgram(b), "site", dir, "-o", www, "--root", labRoot)
	config, err := os.ReadFile("../../packaging/web/nginx.conf")
	if err != nil {
		b.Fatal(err)
	}
	server := strings.NewReplacer("listen 80 default_server", "listen "+address+" backlog=4096", "listen [::]:80 default_server;", "", "/var/www/pki", www).Replace(string(config))
	return startNginxWith(b, "site", address, server, log)
}

func startNginxWith(b *testing.B, name, address, server, log string) *webServer {
	b.Helper()
	home := b.TempDir()
	logging := "off"
	if log != "none" {
		logging = filepath.Join(home, "access.log") + " line buffer=64k flush=1s"
	}
	user := ""
	if os.Getuid() == 0 {
		user = "user root; " // its workers are to read the test's own directories
	}
	config := fmt.Sprintf(user+`worker_processes auto; daemon off; pid %[1]s/pid; error_log %[1]s/error.log; worker_rlimit_nofile 20000;
events { worker_connections 8192; }
http {
  keepalive_timeout 60; keepalive_requests 100000000;
  log_format line escape=json '{"time":"$time_iso8601","level":"INFO","msg":"request","remote":"$remote_addr","user_agent":"$http_user_agent",'
    '"method":"$request_method","path":"$uri","protocol":"$server_protocol","status":$status,"bytes":$body_bytes_sent,"duration":$request_time}';
  access_log %[2]s;
  client_body_temp_path %[1]s/b; proxy_temp_path %[1]s/p; fastcgi_temp_path %[1]s/f; uwsgi_temp_path %[1]s/u; scgi_temp_path %[1]s/s;
  %[3]s
}
`, home, logging, server)
	file := filepath.Join(home, "nginx.conf")
	write(b, file, []byte(config))
	return startServer(b, name, address, "117kB.p7b", "nginx", "-c", file, "-p", home)
}

func startCaddy(b *testing.B, dir, log string) *webServer {
	b.Helper()
	home, address := b.TempDir(), tooltest.FreeAddress(b)
	logging := ""
	if log != "none" {
		logging = "log {\n output file " + filepath.Join(home, "access.log") + "\n }\n"
	}
	config := fmt.Sprintf("{\n admin off\n auto_https off\n}\nhttp://%s {\n root * %s\n file_server\n %s}\n", address, dir, logging)
	file := filepath.Join(home, "Caddyfile")
	write(b, file, []byte(config))
	return startServer(b, "caddy", address, "117kB.p7b", "caddy", "run", "--config", file, "--adapter", "caddyfile")
}

// ask lets wrk ask for a file, and adds what it says.
func (s *webServer) ask(b *testing.B, file string) {
	b.Helper()
	before, _ := bench.Used(s.pid)
	out := string(tooltest.Run(b, nil, "wrk", "-t1", "-c"+clients, "-d"+roundTime, "--latency", s.url+file))
	after, _ := bench.Used(s.pid)
	if strings.Contains(out, "Non-2xx") || strings.Contains(out, "Socket errors") {
		b.Errorf("%s: %s", s.name, out)
	}
	number := func(pattern string) (float64, string) {
		m := regexp.MustCompile(pattern).FindStringSubmatch(out)
		if m == nil {
			b.Fatalf("wrk says\n%s", out)
		}
		v, err := strconv.ParseFloat(m[1], 64)
		if err != nil {
			b.Fatal(err)
		}
		return v, m[len(m)-1]
	}
	rps, _ := number(`Requests/sec: +([0-9.]+)`)
	p99, unit := number(`99% +([0-9.]+)(us|ms|s)`)
	requests, _ := number(`([0-9]+) requests in`)
	s.rps = append(s.rps, rps)
	s.p99 = append(s.p99, p99*map[string]float64{"us": 0.001, "ms": 1, "s": 1000}[unit])
	s.cpu = append(s.cpu, (after-before)/requests)
}

// BenchmarkServe has trustpool, plain nginx, nginx with a site, and Caddy answer in turns. The ratios are the
// medians of those of each round.
func BenchmarkServe(b *testing.B) {
	tooltest.Need(b, "wrk", "nginx", "caddy")
	for _, log := range []string{"access.log", "none"} {
		for _, file := range []string{"117kB.p7b", "436kB.p7b"} {
			b.Run(strings.TrimSuffix(file, ".p7b")+"/log="+strconv.FormatBool(log != "none"), func(b *testing.B) {
				dir := serveDir(b)
				path := log
				if log != "none" {
					path = filepath.Join(b.TempDir(), log)
				}
				ours, nginx, site, caddy := startTrustpool(b, dir, path), startNginx(b, dir, log), startSite(b, dir, log), startCaddy(b, dir, log)
				all := []*webServer{ours, nginx, site, caddy}
				for b.Loop() { // once: a round takes seconds
					for round := range rounds {
						for i := range all { // each comes first in turn
							all[(i+round)%len(all)].ask(b, file)
						}
					}
				}
				b.ReportMetric(0, "ns/op")
				for _, s := range all {
					b.ReportMetric(median(s.rps), s.name+"-rps")
					b.ReportMetric(median(s.p99), s.name+"-p99-ms")
					b.ReportMetric(median(s.cpu), s.name+"-cpu-us")
				}
				b.ReportMetric(median(ratios(site.rps, nginx.rps)), "site-rps/nginx")
				b.ReportMetric(median(ratios(site.p99, nginx.p99)), "site-p99/nginx")
				b.ReportMetric(median(ratios(ours.rps, nginx.rps)), "rps/nginx")
				b.ReportMetric(median(ratios(ours.rps, caddy.rps)), "rps/caddy")
				b.ReportMetric(median(ratios(ours.p99, nginx.p99)), "p99/nginx")
				b.ReportMetric(median(ratios(ours.cpu, nginx.cpu)), "cpu/nginx")
			})
		}
	}
}

func ratios(a, b []float64) []float64 {
	out := slices.Clone(a)
	for i := range out {
		out[i] /= b[i]
	}
	return out
}

// BenchmarkStalled asks how much memory clients take that do not go on: with nothing
// sent, with half a request, and with an answer that is not taken.
func BenchmarkStalled(b *testing.B) {
	for name, request := range map[string]string{
		"silent": "", "half": "GET /436kB.p7b HTTP/1.1\r\nHost: ", "taking-nothing": "GET /436kB.p7b HTTP/1.1\r\nHost: h\r\n\r\n",
	} {
		b.Run(name, func(b *testing.B) {
			s := startTrustpool(b, serveDir(b), "none")
			address := strings.Trim(strings.TrimPrefix(s.url, "http://"), "/")
			for b.Loop() {
				var open []net.Conn
				for range stalledCount {
					c, err := (&net.Dialer{Control: smallBuffer}).Dial("tcp", address)
					if err != nil {
						b.Fatal(err)
					}
					open = append(open, c)
					if _, err := io.WriteString(c, request); err != nil {
						b.Fatal(err)
					}
				}
				time.Sleep(time.Second)
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(memoryMB(b, s.pid, "VmRSS"), "MB")
				r, err := http.Get(s.url + "117kB.p7b") // others do not wait
				if err != nil {
					b.Fatal(err)
				}
				r.Body.Close()
				for _, c := range open {
					c.Close()
				}
			}
		})
	}
}

// smallBuffer makes a client's buffer so small that the server's is what fills.
func smallBuffer(_, _ string, c syscall.RawConn) error {
	return c.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 4096) })
}

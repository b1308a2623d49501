package doctor_test

import (
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"

	"trustpool/internal/tooltest"
)

// port finds one that is free, and likely to stay so for a moment.
func port(t testing.TB) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// files is a directory with the bundle, in which nothing is newer than a second.
func files(t testing.TB) string {
	t.Helper()
	dir := filepath.Join(t.TempDir(), "www")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, file)
	if err := os.WriteFile(path, testdata(t, file), 0o644); err != nil {
		t.Fatal(err)
	}
	old := time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC)
	if err := os.Chtimes(path, old, old); err != nil {
		t.Fatal(err)
	}
	return dir
}

// start runs a server until the test ends, and waits for its port.
func start(t testing.TB, port int, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_DATA_HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	address := fmt.Sprintf("127.0.0.1:%d", port)
	for range 200 {
		if conn, err := net.Dial("tcp", address); err == nil {
			conn.Close()
			return "http://" + address + "/" + file
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v", program, err)
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer at %s", program, address)
	return ""
}

func TestPython(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "python3")
	n := port(t)
	r := examine(t, start(t, n, "python3", "-m", "http.server", fmt.Sprint(n), "--bind", "127.0.0.1", "--directory", files(t)))
	// Its type depends on the machine's mime.types, where .p7b is not always known.
	findings := []string{"http-1.1 warning", "etag warning"}
	if find(t, r, "content-type").Result != "ok" {
		findings = append([]string{"content-type warning"}, findings...)
	}
	want(t, r, findings...)
}

// nginx runs a configuration as this user, in a directory of the test.
func nginx(t testing.TB, port int, http string) string {
	t.Helper()
	dir := t.TempDir()
	conf := fmt.Sprintf("daemon off; master_process off; pid %[1]s/pid; error_log %[1]s/error.log;\nevents {}\n"+
		"http {\naccess_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n%[2]s\n}\n", dir, http)
	path := filepath.Join(dir, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return start(t, port, "nginx", "-p", dir, "-e", filepath.Join(dir, "error.log"), "-c", path)
}

func TestNginx(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "nginx")
	// Without types nginx knows none, and what its own list has not is default_type.
	n := port(t)
	r := examine(t, nginx(t, n, fmt.Sprintf("default_type application/byte-stream; gzip on; server { listen 127.0.0.1:%d; root %s; }", n, files(t))))
	want(t, r, "content-type warning")

	// As it should be.
	n = port(t)
	r = examine(t, nginx(t, n, fmt.Sprintf("types { application/x-pkcs7-certificates p7b; } server { listen 127.0.0.1:%d; root %s; }", n, files(t))))
	want(t, r)
}

func TestNginxBad(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "nginx")
	for name, tt := range map[string]struct {
		conf string // with the port and the directory
		want []string
	}{
		"compressed where asked for": {
			"types { application/x-pkcs7-certificates p7b; } gzip on; gzip_min_length 1; gzip_types *; server { listen 127.0.0.1:%d; root %s; }",
			[]string{"compression warning"},
		},
		"a page for everything": {
			"types { text/html html; } default_type application/x-pkcs7-certificates; server { listen 127.0.0.1:%d; root %s; error_page 404 =200 /" + file + "; }",
			[]string{"not-found fail"},
		},
		"all to https": {
			"server { listen 127.0.0.1:%d; root %s; return 301 https://$host$request_uri; }",
			[]string{"redirect fail", "ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail", "not-found warning"},
		},
		"another virtual host by default": {
			"types { application/x-pkcs7-certificates p7b; } server { listen 127.0.0.1:%[1]d default_server; return 444; } server { listen 127.0.0.1:%[1]d; server_name 127.0.0.1; root %[2]s; }",
			[]string{"http-1.0-no-host warning"},
		},
		"text, no ranges, no ETag": {
			"types { text/plain p7b; } etag off; max_ranges 0; server { listen 127.0.0.1:%d; root %s; }",
			[]string{"content-type fail", "etag warning"},
		},
		"chunks through a filter": {
			"types { application/x-pkcs7-certificates p7b; } server { listen 127.0.0.1:%d; root %s; sub_filter_types *; sub_filter never-there x; }",
			[]string{"content-length fail", "chunked fail", "etag warning", "last-modified warning", "head warning"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			n := port(t)
			want(t, examine(t, nginx(t, n, fmt.Sprintf(tt.conf, n, files(t)))), tt.want...)
		})
	}
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "caddy")
	n := port(t)
	r := examine(t, start(t, n, "caddy", "file-server", "--root", files(t), "--listen", fmt.Sprintf("127.0.0.1:%d", n)))
	findings := []string{"range-unit warning"}
	if find(t, r, "content-type").Result != "ok" {
		findings = append([]string{"content-type warning"}, findings...)
	}
	want(t, r, findings...)
}

package doctor_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting/doctor"
	"trustpool/internal/tooltest"
)

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

func TestPython(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "python3")
	address := tooltest.FreeAddress(t)
	_, port, _ := strings.Cut(address, ":")
	r := examine(t, tooltest.Serve(t, address, "python3", "-m", "http.server", port, "--bind", "127.0.0.1", "--directory", files(t))+"/"+file)
	// Its type depends on the machine's mime.types, where .p7b is not always known.
	findings := []string{"http-1.1 warning", "etag warning"}
	if find(t, r, "content-type").Result != "ok" {
		findings = append([]string{"content-type warning"}, findings...)
	}
	want(t, r, findings...)
}

// nginx runs nginx with a configuration that has %s twice, for the address and the directory, and examines what it serves.
func nginx(t testing.TB, conf string) *doctor.Report {
	t.Helper()
	address := tooltest.FreeAddress(t)
	return examine(t, tooltest.Nginx(t, address, fmt.Sprintf(conf, address, files(t)))+"/"+file)
}

func TestNginx(t *testing.T) {
	t.Parallel()
	// Without types nginx knows none, and what its own list has not is default_type.
	want(t, nginx(t, "default_type application/byte-stream; gzip on; server { listen %s; root %s; }"), "content-type warning")
	// As it should be.
	want(t, nginx(t, "types { application/x-pkcs7-certificates p7b; } server { listen %s; root %s; }"))
}

func TestNginxBad(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		conf string // with the address and the directory
		want []string
	}{
		"compressed where asked for": {
			"types { application/x-pkcs7-certificates p7b; } gzip on; gzip_min_length 1; gzip_types *; server { listen %s; root %s; }",
			[]string{"compression warning"},
		},
		"a page for everything": {
			"types { text/html html; } default_type application/x-pkcs7-certificates; server { listen %s; root %s; error_page 404 =200 /" + file + "; }",
			[]string{"not-found fail"},
		},
		"all to https": {
			"server { listen %s; root %s; return 301 https://$host$request_uri; }",
			[]string{"redirect fail", "ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail", "not-found warning"},
		},
		"another virtual host by default": {
			"types { application/x-pkcs7-certificates p7b; } server { listen %[1]s default_server; return 444; } server { listen %[1]s; server_name 127.0.0.1; root %[2]s; }",
			[]string{"http-1.0-no-host warning"},
		},
		"text, no ranges, no ETag": {
			"types { text/plain p7b; } etag off; max_ranges 0; server { listen %s; root %s; }",
			[]string{"content-type fail", "etag warning"},
		},
		"chunks through a filter": {
			"types { application/x-pkcs7-certificates p7b; } server { listen %s; root %s; sub_filter_types *; sub_filter never-there x; }",
			[]string{"content-length fail", "chunked fail", "etag warning", "last-modified warning", "head warning"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			want(t, nginx(t, tt.conf), tt.want...)
		})
	}
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "caddy")
	address := tooltest.FreeAddress(t)
	r := examine(t, tooltest.Serve(t, address, "caddy", "file-server", "--root", files(t), "--listen", address)+"/"+file)
	findings := []string{"range-unit warning"}
	if find(t, r, "content-type").Result != "ok" {
		findings = append([]string{"content-type warning"}, findings...)
	}
	want(t, r, findings...)
}

package packaging_test

import (
	"crypto/sha256"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/doctor"
	"trustpool/internal/hosting/site"
	"trustpool/internal/store"
	"trustpool/internal/store/s3"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

var siteTime = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// siteOptions are of a site of two releases, published long ago.
func siteOptions(t *testing.T) site.Options {
	t.Helper()
	anchors, err := roots.FromFile([]byte(read(t, "../testdata/bundles/lab-root.pem")))
	if err != nil {
		t.Fatal(err)
	}
	d, err := store.OpenDir(t.TempDir(), new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	s := store.New(d)
	for i, file := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b"} {
		o := store.PublishOptions{Name: "ios", Anchors: anchors, At: siteTime, Now: siteTime.AddDate(0, 0, i-10), From: file}
		if _, err := s.Publish(t.Context(), []byte(read(t, "../testdata/bundles/"+file)), o); err != nil {
			t.Fatal(err)
		}
	}
	return site.Options{
		Source: hosting.Store(s), Anchors: anchors, Now: func() time.Time { return siteTime },
		Settings: func(site.Settings) site.Settings { return site.Settings{BaseURL: "http://pki.example.com"} },
	}
}

// writtenSite is the directory of a site. Its files can be read by any user, as by the workers of a web server.
func writtenSite(t *testing.T, o site.Options) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trustpool-site-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	place, err := site.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := site.Write(t.Context(), place, o); err != nil {
		t.Fatal(err)
	}
	return dir
}

// changed is one of the configurations with another port and directory.
func changed(t *testing.T, name string, pairs ...string) string {
	t.Helper()
	text := read(t, "web/"+name)
	for i := 0; i < len(pairs); i += 2 {
		if !strings.Contains(text, pairs[i]) {
			t.Fatalf("%s has no %q", name, pairs[i])
		}
	}
	return strings.NewReplacer(pairs...).Replace(text)
}

func nginxOf(t *testing.T, dir string) string {
	t.Helper()
	address := tooltest.FreeAddress(t)
	return tooltest.Nginx(t, address, changed(t, "nginx.conf", "listen 80", "listen "+address, "    listen [::]:80 default_server;\n", "", "/var/www/pki", dir))
}

func apacheOf(t *testing.T, dir string) string {
	t.Helper()
	tooltest.Need(t, "apache2")
	address, home := tooltest.FreeAddress(t), t.TempDir()
	var b strings.Builder
	fmt.Fprintf(&b, "ServerRoot %[1]s\nPidFile %[1]s/pid\nErrorLog %[1]s/error.log\nServerName localhost\nListen %[2]s\n", home, address)
	for _, module := range []string{"mpm_event", "authz_core", "alias", "dir", "env", "filter", "deflate", "headers", "mime"} {
		fmt.Fprintf(&b, "LoadModule %[1]s_module /usr/lib/apache2/modules/mod_%[1]s.so\n", module)
	}
	b.WriteString("TypesConfig /dev/null\nAddOutputFilterByType DEFLATE text/html text/plain application/x-pkcs7-certificates\n") // as Debian has it, and more
	b.WriteString(changed(t, "apache.conf", "*:80", address, "/var/www/pki", dir))
	path := filepath.Join(home, "apache2.conf")
	if err := os.WriteFile(path, []byte(b.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	return tooltest.Serve(t, address, "apache2", "-D", "FOREGROUND", "-f", path)
}

func caddyOf(t *testing.T, dir string) string {
	t.Helper()
	tooltest.Need(t, "caddy")
	address := tooltest.FreeAddress(t)
	path := filepath.Join(t.TempDir(), "Caddyfile")
	if err := os.WriteFile(path, []byte("{\n\tadmin off\n}\n"+changed(t, "Caddyfile", ":80 {", strings.TrimPrefix(address, "127.0.0.1")+" {\n\tbind 127.0.0.1", "/var/www/pki", dir)), 0o600); err != nil {
		t.Fatal(err)
	}
	return tooltest.Serve(t, address, "caddy", "run", "--config", path, "--adapter", "caddyfile")
}

// good asks that doctor finds nothing to complain of at any route of a bundle, that each file of the site is there with its
// media type, and that --check finds them the same.
func good(t *testing.T, base string, o site.Options) {
	t.Helper()
	current := read(t, "../testdata/bundles/lab-core-v2.p7b")
	sum := fmt.Sprintf("%x", sha256.Sum256([]byte(current)))
	for _, path := range []string{
		"/ios.p7b", "/security/pki/trs/ios.p7b", "/security/pki/trs/current/ios/ios.p7b", "/security/pki/trs/archive/ios/2/ios.p7b", "/sha256/" + sum,
		"/ca/trustpool", "/ca/trustpool/", "/ca/trustpool/cabundle.p7b",
	} {
		r, err := doctor.Run(t.Context(), doctor.Options{URL: base + path, Anchors: o.Anchors, At: siteTime})
		if err != nil {
			t.Fatal(err)
		}
		if string(r.Bundle.Raw) != current {
			t.Errorf("%s: another bundle", path)
		}
		for _, c := range r.Checks {
			if c.Result == doctor.Warning || c.Result == doctor.Fail {
				t.Errorf("%s: %s %s: %s", path, c.Result, c.ID, c.Detail)
			}
		}
	}
	for path, want := range map[string][2]string{
		"/":              {"text/html; charset=utf-8", "public, max-age=60"},
		"/index.html":    {"text/html; charset=utf-8", "public, max-age=60"},
		"/index.json":    {"application/json", "public, max-age=60"},
		"/ios.p7b":       {"application/x-pkcs7-certificates", "public, max-age=60"},
		"/sha256/" + sum: {"application/x-pkcs7-certificates", "public, max-age=31536000, immutable"},
		"/security/pki/trs/archive/ios/1/ios.p7b":            {"application/x-pkcs7-certificates", "public, max-age=3600"},
		"/security/pki/trs/current/ios/manifest.log":         {"text/plain; charset=utf-8", "public, max-age=60"},
		"/security/pki/trs/current/ios/ios.p7b.hash.sha256":  {"text/plain; charset=utf-8", "public, max-age=60"},
		"/security/pki/trs/current/ios/ios.jks":              {"application/x-java-keystore", "public, max-age=60"},
		"/security/pki/trs/current/ios/rss.xml":              {"application/rss+xml", "public, max-age=60"},
		"/pages/files/commands/ios/iosxe.txt":                {"text/plain; charset=utf-8", "public, max-age=60"},
		"/pages/files/commands/ios/iosxe.yml":                {"application/yaml", "public, max-age=60"},
		"/pages/files/ios/" + sum[:16] + "/ios.csv":          {"text/csv; charset=utf-8", "public, max-age=60"},
		"/pages/files/ios/" + sum[:16] + "/ios.pem":          {"application/x-pem-file", "public, max-age=60"},
		"/pages/files/ios/" + sum[:16] + "/ios-unsigned.p7b": {"application/x-pkcs7-certificates", "public, max-age=60"},
		"/pages/" + stylesheet(t, base):                      {"text/css; charset=utf-8", "public, max-age=31536000, immutable"},
	} {
		r, err := http.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		_, err = io.Copy(io.Discard, r.Body)
		r.Body.Close()
		if err != nil || r.StatusCode != http.StatusOK || r.Header.Get("Content-Type") != want[0] || r.Header.Get("Cache-Control") != want[1] {
			t.Errorf("%s: status %d, %q, %q, want %q; %v", path, r.StatusCode, r.Header.Get("Content-Type"), r.Header.Get("Cache-Control"), want, err)
		}
	}
	// Directories lead nowhere, and hidden files are hidden.
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	for _, path := range []string{"/security", "/security/pki/trs/", "/pages/bundles/ios", "/sha256/", "/.trustpool-lock", "/nothing"} {
		r, err := client.Get(base + path)
		if err != nil {
			t.Fatal(err)
		}
		r.Body.Close()
		if r.StatusCode != http.StatusNotFound && r.StatusCode != http.StatusForbidden {
			t.Errorf("%s: status %d", path, r.StatusCode)
		}
	}
	r, err := site.Check(t.Context(), site.OpenURL(base, fetch.Options{}), o)
	if err != nil {
		t.Fatal(err)
	}
	if !r.OK() {
		t.Errorf("missing %q, different %q", r.Missing, r.Differed)
	}
}

// stylesheet is the name of the style sheet of a site's pages.
func stylesheet(t *testing.T, base string) string {
	t.Helper()
	r, err := http.Get(base + "/index.html")
	if err != nil {
		t.Fatal(err)
	}
	defer r.Body.Close()
	body, err := io.ReadAll(r.Body)
	if err != nil {
		t.Fatal(err)
	}
	_, after, _ := strings.Cut(string(body), `href="pages/style-`)
	name, _, ok := strings.Cut(after, `"`)
	if !ok {
		t.Fatal("the page has no style sheet")
	}
	return "style-" + name
}

func TestNginx(t *testing.T) {
	t.Parallel()
	o := siteOptions(t)
	good(t, nginxOf(t, writtenSite(t, o)), o)
}

func TestApache(t *testing.T) {
	t.Parallel()
	o := siteOptions(t)
	good(t, apacheOf(t, writtenSite(t, o)), o)
}

func TestCaddy(t *testing.T) {
	t.Parallel()
	o := siteOptions(t)
	good(t, caddyOf(t, writtenSite(t, o)), o)
}

// A bucket that anybody may read, and nginx in the place of a CDN.
func TestBucket(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "nginx", "curl")
	server := tooltest.StartS3(t)
	const policy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::bucket/*"}]}`
	tooltest.Run(t, []byte(policy), "curl", "-sSf", "--aws-sigv4", "aws:amz:us-east-1:s3", "-u", tooltest.S3Key+":"+tooltest.S3Secret, "-X", "PUT",
		"-H", fmt.Sprintf("x-amz-content-sha256: %x", sha256.Sum256([]byte(policy))), "--data-binary", "@-", server.Endpoint+"/bucket?policy=")
	b, err := s3.Open(server.URL("www"), server.Getenv)
	if err != nil {
		t.Fatal(err)
	}
	o := siteOptions(t)
	if _, err := site.Write(t.Context(), site.OpenBucket(b), o); err != nil {
		t.Fatal(err)
	}
	address := tooltest.FreeAddress(t)
	base := tooltest.Nginx(t, address, changed(t, "nginx-bucket.conf", "listen 80", "listen "+address, "    listen [::]:80 default_server;\n", "",
		"http://BUCKET-HOST:80/BUCKET/PREFIX", server.Endpoint+"/bucket/www", "/var/cache/nginx/trustpool", t.TempDir()))
	good(t, base, o)
	server.Stop() // what was asked for is there still
	r, err := doctor.Run(t.Context(), doctor.Options{URL: base + "/ios.p7b", Anchors: o.Anchors, At: siteTime})
	if err != nil || !r.OK() {
		t.Errorf("with the bucket away: %v", err)
	}
}

// IIS is not at hand: its configuration is XML at least, and says that it is untested.
func TestIIS(t *testing.T) {
	t.Parallel()
	text := read(t, "web/web.config")
	if !strings.Contains(text, "UNTESTED") {
		t.Error("it does not say that it is untested")
	}
	for d := xml.NewDecoder(strings.NewReader(text)); ; {
		_, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
	}
}

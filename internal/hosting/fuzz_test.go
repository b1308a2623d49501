package hosting_test

import (
	"bufio"
	"bytes"
	"net/http"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"trustpool/internal/hosting"
	"trustpool/internal/tooltest"
)

// No request panics, is redirected, or gets anything with status 200 that is not the
// bundle of a path that there is.
func FuzzRequest(f *testing.F) {
	for _, request := range []string{
		"GET /ios.p7b HTTP/1.0\r\n\r\n",
		"GET //security/pki/trs//current/ios/ios.p7b?x#y HTTP/1.1\r\nHost: h\r\nRange: bytes=-5,7-\r\nIf-Range: \"x\"\r\n\r\n",
		"HEAD http://h/ca/trustpool/cabundle.p7b HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n",
		"GET /security/pki/trs/archive/ios/1/ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-\r\nIf-Modified-Since: Mon, 03 Feb 2025 04:05:06 GMT\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /sha256/%66168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97 HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /index.json HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /security/pki/trs/archive/ios/1/ HTTP/1.0\r\n\r\n",
		"GET /security/pki/trs/current/ios/ HTTP/1.0\r\n\r\n",
		"GET /sha256/ HTTP/1.0\r\n\r\n",
		"GET /security/pki/trs/current/ios/rss.xml HTTP/1.1\r\nHost: h\r\n\r\n",
		"GET /security/pki/trs/archive/ios/20250203/ios.jks HTTP/1.1\r\nHost: h\r\nRange: bytes=4-7\r\n\r\n",
	} {
		f.Add([]byte(request))
	}
	dir := f.TempDir()
	v1 := tooltest.Bundle(f, "lab-core-v1.p7b")
	put(f, filepath.Join(dir, "ios.p7b"), v1, modified)
	o := options(f, hosting.Directory(dir))
	s, err := hosting.New(f.Context(), o)
	if err != nil {
		f.Fatal(err)
	}
	// The paths are written down here once more: they are what devices are told.
	const sum = "f168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97"
	known := map[string]bool{
		"/ios.p7b": true, "/security/pki/trs/ios.p7b": true, "/security/pki/trs/current/ios/ios.p7b": true, "/sha256/" + sum: true,
		"/security/pki/trs/archive/ios/1/ios.p7b": true, "/security/pki/trs/archive/ios/20250203/ios.p7b": true,
		"/ca/trustpool": true, "/ca/trustpool/": true, "/ca/trustpool/cabundle.p7b": true,
	}
	others := map[string]bool{"/": true, "/index.json": true, "/healthz": true, "/readyz": true, "/metrics": true}
	for _, dir := range []string{"current/ios/", "archive/ios/1/", "archive/ios/20250203/"} {
		for _, file := range []string{"ios.p7b.hash.sha256", "ios.p7b.hash.sha512", "manifest.log", "ios.jks", "ios.jks.hash.sha256", "ios.jks.hash.sha512"} {
			others["/security/pki/trs/"+dir+file] = true
		}
	}
	others["/security/pki/trs/current/ios/rss.xml"] = true
	f.Fuzz(func(t *testing.T, request []byte) {
		r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(request)))
		if err != nil {
			return
		}
		path := r.URL.Path
		for strings.Contains(path, "//") {
			path = strings.ReplaceAll(path, "//", "/")
		}
		w := &recorder{header: http.Header{}}
		s.ServeHTTP(w, r)
		body := w.body.String()
		switch w.status {
		case 200, 206, 304, 412, 416:
			if !known[path] && !others[path] || r.Method != "GET" && r.Method != "HEAD" {
				t.Errorf("status %d for %s %q", w.status, r.Method, r.URL.Path)
			}
		case 404, 405, 503:
		default:
			t.Errorf("status %d", w.status)
		}
		if w.status == 200 && known[path] && r.Method == "GET" && body != string(v1) {
			t.Errorf("%d bytes that are not the bundle", len(body))
		}
		if w.status == 206 && (len(body) == 0 || known[path] && !strings.Contains(string(v1), body)) {
			t.Errorf("%d bytes that are no part of the bundle", len(body))
		}
		if w.header.Get("Location") != "" || strings.Contains(w.header.Get("Content-Type"), "html") || w.header.Get("Content-Encoding") != "" {
			t.Errorf("header %v", w.header)
		}
		if n := w.header.Get("Content-Length"); r.Method == "GET" && w.status < 300 && n != strconv.Itoa(len(body)) {
			t.Errorf("Content-Length %q for %d bytes", n, len(body))
		}
		if (r.Method == "HEAD" || w.status == 304) && w.status != 404 && w.status != 503 && !others[path] && body != "" {
			t.Errorf("a body after %s and %d", r.Method, w.status)
		}
	})
}

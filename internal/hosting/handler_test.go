package hosting_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/tooltest"
)

// What devices and odd clients send, byte by byte, and what they get.
func TestRequests(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	v1 := tooltest.Bundle(t, "lab-core-v1.p7b")
	etag := `"f168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97"`
	size := strconv.Itoa(len(v1))
	address := start(t, newServer(t, options(t, hosting.Directory(dir))))
	for _, tt := range []struct {
		name, request string
		status        int
		body          []byte
		header        string // a field that the answer has, "Name: value"; "Name:" for one that it has not
	}{
		{"ios", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nUser-Agent: cisco-IOS\r\nDate: x\r\nConnection: close\r\n\r\n", 200, v1, "Content-Length: " + size},
		{"type", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, "Content-Type: application/x-pkcs7-certificates"},
		{"etag", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, "Etag: " + etag},
		{"modified", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, "Last-Modified: Mon, 03 Feb 2025 04:05:06 GMT"},
		{"HTTP/1.0 without Host", "GET /ios.p7b HTTP/1.0\r\n\r\n", 200, v1, "Content-Length: " + size},
		{"HTTP/1.0, IOS PKI", "GET /ios.p7b HTTP/1.0\r\nUser-Agent: Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)\r\nHost: h\r\n\r\n", 200, v1, "Transfer-Encoding:"},
		{"HTTP/1.0 keep-alive", "GET /ios.p7b HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200, v1, "Connection: keep-alive"},
		{"credentials", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nAuthorization: Basic Y2lzY286Y2lzY28=\r\n\r\n", 200, v1, ""},
		{"two slashes", "GET //ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, "Location:"},
		{"many slashes", "GET ///security//pki/trs///ios.p7b HTTP/1.0\r\n\r\n", 200, v1, "Location:"},
		{"absolute", "GET http://h/ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, ""},
		{"query", "GET /ios.p7b?x=/../y&z HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, ""},
		{"escapes", "GET /%69os%2Ep7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, ""},
		{"gzip offered", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nAccept-Encoding: gzip\r\nTE: trailers, chunked\r\n\r\n", 200, v1, "Content-Encoding:"},
		{"a body", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 200, v1, ""},
		{"a body closes", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\n\r\nabc", 200, v1, "Connection: close"},
		{"two lengths of a body", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nContent-Length: 40\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /no HTTP/1.1\r\nHost: h\r\n\r\n", 200, v1, "Connection: close"},
		{"HEAD", "HEAD /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 200, nil, "Content-Length: " + size},
		{"HEAD 1.0", "HEAD /ios.p7b HTTP/1.0\r\n\r\n", 200, nil, "Content-Length: " + size},
		{"HEAD with a range", "HEAD /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\n\r\n", 200, nil, "Content-Length: " + size},

		{"Cisco's old path", "GET /security/pki/trs/ios_core.p7b HTTP/1.0\r\n\r\n", 200, v1, "Cache-Control: no-cache"},
		{"Cisco's path", "GET /security/pki/trs/current/ios_core/ios_core.p7b HTTP/1.0\r\n\r\n", 200, v1, ""},
		{"archive by version", "GET /security/pki/trs/archive/ios/1/ios.p7b HTTP/1.0\r\n\r\n", 200, v1, ""},
		{"archive by day", "GET /security/pki/trs/archive/ios/20250203/ios.p7b HTTP/1.0\r\n\r\n", 200, v1, ""},
		{"PnP", "GET /ca/trustpool HTTP/1.0\r\n\r\n", 200, v1, "Content-Type: application/x-pkcs7-certificates"},
		{"PnP slash", "GET /ca/trustpool/ HTTP/1.0\r\n\r\n", 200, v1, ""},
		{"PnP file", "GET /ca/trustpool/cabundle.p7b HTTP/1.0\r\n\r\n", 200, v1, ""},
		{"hash", "GET /sha256/" + strings.Trim(etag, `"`) + " HTTP/1.0\r\n\r\n", 200, v1, "Cache-Control: public, max-age=31536000, immutable"},
		{"sum", "GET /security/pki/trs/current/ios/ios.p7b.hash.sha256 HTTP/1.0\r\n\r\n", 200, []byte(strings.Trim(etag, `"`) + "\n"), "Content-Type: text/plain; charset=utf-8"},

		{"same tag", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-None-Match: " + etag + "\r\n\r\n", 304, nil, "Etag: " + etag},
		{"weak tag", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"x\", W/" + etag + "\r\n\r\n", 304, nil, ""},
		{"other tag", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-None-Match: \"x\"\r\n\r\n", 200, v1, ""},
		{"any tag", "HEAD /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-None-Match: *\r\n\r\n", 304, nil, ""},
		{"not modified", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Mon, 03 Feb 2025 04:05:06 GMT\r\n\r\n", 304, nil, ""},
		{"modified since", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Mon, 03 Feb 2025 04:05:05 GMT\r\n\r\n", 200, v1, ""},
		{"modified before", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: Mon, 03 Feb 2036 04:05:06 GMT\r\n\r\n", 200, v1, ""},
		{"no date", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Modified-Since: yesterday\r\n\r\n", 200, v1, ""},
		{"if match", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Match: \"x\"\r\n\r\n", 412, []byte{}, ""},

		{"range", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=10-19\r\n\r\n", 206, v1[10:20], "Content-Range: bytes 10-19/" + size},
		{"range, open", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=100-\r\n\r\n", 206, v1[100:], ""},
		{"range, suffix", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=-7\r\n\r\n", 206, v1[len(v1)-7:], "Content-Length: 7"},
		{"range, last none", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=-00\r\n\r\n", 200, v1, "Content-Range:"},
		{"range beyond", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=9999999-\r\n\r\n", 416, []byte("invalid range: failed to overlap\n"), "Content-Range: bytes */" + size},
		{"range unit", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: lines=1-2\r\n\r\n", 200, v1, "Content-Range:"},
		{"range, several", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1,3-4\r\n\r\n", 200, v1, "Content-Range:"},
		{"range, twice", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-1\r\nRange: bytes=2-3\r\n\r\n", 200, v1, ""},
		{"range, backward", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=5-2\r\n\r\n", 200, v1, ""},
		{"range, empty", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=-\r\n\r\n", 200, v1, ""},
		{"range, signs", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=+1-+2\r\n\r\n", 200, v1, ""},
		{"range, huge", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-99999999999999999999999\r\n\r\n", 200, v1, ""},
		{"if range, same", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\nIf-Range: " + etag + "\r\n\r\n", 206, v1[:1], ""},
		{"if range, other", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nRange: bytes=0-0\r\nIf-Range: \"x\"\r\n\r\n", 200, v1, ""},
		{"if range alone", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nIf-Range: \"x\"\r\n\r\n", 200, v1, ""},

		{"POST", "POST /ios.p7b HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n", 405, nil, "Allow: GET, HEAD"},
		{"OPTIONS", "OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 405, nil, "Allow: GET, HEAD"},
		{"CONNECT", "CONNECT h:80 HTTP/1.1\r\nHost: h\r\n\r\n", 405, nil, ""},
		{"unheard of", "BREW /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", 405, nil, ""},
		{"nothing there", "GET /ios.p7 HTTP/1.1\r\nHost: h\r\n\r\n", 404, nil, "Content-Type: text/plain; charset=utf-8"},
		{"the root", "GET / HTTP/1.0\r\n\r\n", 404, nil, "Content-Type: text/plain; charset=utf-8"},
		{"a slash behind", "GET /ios.p7b/ HTTP/1.0\r\n\r\n", 404, nil, "Location:"},
		{"dots", "GET /x/../ios.p7b HTTP/1.0\r\n\r\n", 404, nil, "Location:"},
		{"dots escaped", "GET /%2e%2e/%2e%2e/etc/passwd HTTP/1.0\r\n\r\n", 404, nil, ""},
		{"a NUL", "GET /ios.p7b%00 HTTP/1.0\r\n\r\n", 404, nil, ""},
		{"capitals", "GET /IOS.P7B HTTP/1.0\r\n\r\n", 404, nil, ""},
		{"no Host", "GET /ios.p7b HTTP/1.1\r\n\r\n", 400, nil, ""},
		{"a large header", "GET /ios.p7b HTTP/1.1\r\nHost: h\r\nX: " + strings.Repeat("x", 32<<10) + "\r\n\r\n", 431, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			response, body := raw(t, address, tt.request)
			if response.StatusCode != tt.status {
				t.Errorf("status %d, not %d: %s", response.StatusCode, tt.status, body)
			}
			if tt.body != nil && !bytes.Equal(body, tt.body) {
				t.Errorf("%d bytes that are not the %d expected", len(body), len(tt.body))
			}
			if tt.body == nil && tt.status < 400 && len(body) > 0 {
				t.Errorf("a body: %q", body)
			}
			if name, want, _ := strings.Cut(tt.header, ":"); tt.header != "" {
				if response.Close && name == "Connection" { // which http.ReadResponse takes out
					response.Header.Set(name, "close")
				}
				if got := response.Header.Get(name); got != strings.TrimSpace(want) {
					t.Errorf("%s is %q, not %q", name, got, want)
				}
			}
			if response.TransferEncoding != nil || response.Header.Get("Location") != "" || response.Header.Get("Content-Encoding") != "" {
				t.Errorf("chunks, a redirect or compression: %v %v", response.TransferEncoding, response.Header)
			}
			if tt.status != 304 && tt.status != 400 && tt.status != 431 && response.Header.Get("Content-Length") == "" {
				t.Error("no Content-Length")
			}
			if strings.Contains(response.Header.Get("Content-Type"), "html") {
				t.Error("HTML")
			}
		})
	}
}

// Requests that come before the answer to the one before are answered in order.
func TestPipelining(t *testing.T) {
	t.Parallel()
	v1 := tooltest.Bundle(t, "lab-core-v1.p7b")
	c, err := net.Dial("tcp", start(t, newServer(t, options(t, hosting.Directory(labDir(t))))))
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	const get, head = "GET /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n", "HEAD /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n"
	if _, err := io.WriteString(c, get+head+"GET /no HTTP/1.1\r\nHost: h\r\n\r\n"+get); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	for i, want := range []struct {
		request string
		status  int
		length  int
	}{{get, 200, len(v1)}, {head, 200, 0}, {get, 404, -1}, {get, 200, len(v1)}} {
		response, body := answer(t, r, want.request)
		if response.StatusCode != want.status || want.length >= 0 && len(body) != want.length {
			t.Errorf("answer %d: status %d with %d bytes", i+1, response.StatusCode, len(body))
		}
	}
}

func TestPnP(t *testing.T) {
	t.Parallel()
	dir := labDir(t)
	o := options(t, hosting.Directory(dir))
	o.PnP = "ios_core"
	if _, err := hosting.New(t.Context(), options(t, hosting.Directory(dir))); err != nil {
		t.Error(err)
	}
	s := newServer(t, o)
	if status, _ := get(t, s, "/ca/trustpool/cabundle.p7b"); status != 200 {
		t.Errorf("status %d", status)
	}
	o.PnP = "ios_union"
	if _, err := hosting.New(t.Context(), o); err == nil || !strings.Contains(err.Error(), `no bundle is called "ios_union"`) {
		t.Errorf("the bundle for PnP that there is none of: %v", err)
	}
}

// A store's older releases, and the change between them.
func TestArchive(t *testing.T) {
	t.Parallel()
	st, _ := labStore(t)
	s := newServer(t, options(t, hosting.Store(st)))
	v1, v2 := string(tooltest.Bundle(t, "lab-core-v1.p7b")), string(tooltest.Bundle(t, "lab-core-v2.p7b"))
	for path, want := range map[string]string{
		"/ios.p7b": v2,
		"/security/pki/trs/archive/ios/1/ios.p7b":                                  v1,
		"/security/pki/trs/archive/ios/2/ios.p7b":                                  v2,
		"/security/pki/trs/archive/ios/20250203/ios.p7b":                           v1,
		"/security/pki/trs/archive/ios/20250204/ios.p7b":                           v2,
		"/sha256/f168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97": v1,
	} {
		if status, body := get(t, s, path); status != 200 || body != want {
			t.Errorf("%s: status %d, %d bytes", path, status, len(body))
		}
	}
	var diff struct {
		Current string            `json:"currentVersion"`
		Added   []json.RawMessage `json:"additions"`
	}
	_, body := get(t, s, "/security/pki/trs/current/ios/ios.diff.json")
	if err := json.Unmarshal([]byte(body), &diff); err != nil || diff.Current != "2" || len(diff.Added) != 4 {
		t.Errorf("the change: %v in %s", err, body)
	}
	if status, _ := get(t, s, "/security/pki/trs/archive/ios/1/ios.diff.json"); status != 404 {
		t.Errorf("the first release has a change: status %d", status)
	}
	_, body = get(t, s, "/security/pki/trs/archive/ios/1/manifest.log")
	if !strings.HasPrefix(body, "Lab Core Bundle bundle version: 1\nSHA256:") || strings.Count(body, "\n") != 9 {
		t.Errorf("manifest.log:\n%s", body)
	}
	index := s.Catalog().Index(at)
	if len(index.Bundles) != 1 || index.Bundles[0].Current.Version != "2" || len(index.Bundles[0].Archive) != 1 {
		t.Errorf("index: %+v", index)
	}
}

// Pages are for browsers, which ask for HTML. Who asks for / without that gets a text that says what is here, and a
// device, which would take it for a bundle, an error.
func TestPages(t *testing.T) {
	t.Parallel()
	o := options(t, hosting.Directory(labDir(t)))
	bare := start(t, newServer(t, o))
	o.Pages = http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "<html>") })
	address := start(t, newServer(t, o))
	const (
		firefox = "User-Agent: Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\r\n"
		html    = "Accept: text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8\r\n"
		page    = "<html>"
		text    = "trustpool serves trust bundles to Cisco devices.\n\n/ios.p7b  Lab Core Bundle version 1, 8 certificates\n/ios_core.p7b  "
	)
	for _, tt := range []struct {
		name, header string
		status       int    // of /
		body         string // its beginning
		below        int    // the status below PagesPrefix
	}{
		{"a browser", firefox + html, 200, page, 200},
		{"another", html, 200, page, 200},
		{"XHTML", firefox + "Accept: application/xhtml+xml\r\n", 200, page, 200},
		{"two fields", firefox + "Accept: */*\r\nAccept: TEXT/HTML;q=0.1\r\n", 200, page, 200},
		{"curl", "User-Agent: curl/8.14.1\r\nAccept: */*\r\n", 200, text, 200},
		{"curl that asks for HTML", "User-Agent: curl/8.14.1\r\nAccept: text/html\r\n", 200, page, 200},
		{"wget", "User-Agent: Wget/1.25.0\r\nAccept: */*\r\n", 200, text, 200},
		{"a program", "User-Agent: Python-urllib/3.13\r\n", 200, text, 200},
		{"JSON", firefox + "Accept: application/json\r\n", 200, text, 200},
		{"no HTML", firefox + "Accept: text/html;q=0, */*\r\n", 200, text, 200},
		{"no Accept that can be read", firefox + "Accept: ;;,/,text/\r\n", 200, text, 200},
		{"as libcurl by default", "Accept: */*\r\n", 404, "404", 404},
		{"IOS", "User-Agent: cisco-IOS\r\n", 404, "404 Not Found: there is no bundle at /", 404},
		{"IOS that asks for HTML", "User-Agent: cisco-IOS\r\n" + html, 404, "404", 404},
		{"IOS PKI", "User-Agent: Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)\r\n" + html, 404, "404", 404},
		{"voice", "User-Agent: Cisco-IOS-C3945/15.4\r\n", 404, "404", 404},
		{"libcurl", "User-Agent: libcurl/7.61\r\nAccept: */*\r\n", 404, "404", 404},
		{"nothing", "", 404, "404", 404},
	} {
		response, body := raw(t, address, "GET / HTTP/1.1\r\nHost: h\r\n"+tt.header+"\r\n")
		if response.StatusCode != tt.status || !strings.HasPrefix(string(body), tt.body) || response.Header.Get("Vary") != "Accept, User-Agent" {
			t.Errorf("%s at /: %d %v\n%s", tt.name, response.StatusCode, response.Header, body)
		}
		if response, body := raw(t, address, "GET "+hosting.PagesPrefix+"x HTTP/1.1\r\nHost: h\r\n"+tt.header+"\r\n"); response.StatusCode != tt.below {
			t.Errorf("%s below %s: %d %s", tt.name, hosting.PagesPrefix, response.StatusCode, body)
		}
		if response, _ := raw(t, address, "GET "+hosting.FilesPrefix+"x HTTP/1.1\r\nHost: h\r\n"+tt.header+"\r\n"); response.StatusCode != 200 {
			t.Errorf("%s below %s: %d", tt.name, hosting.FilesPrefix, response.StatusCode)
		}
		want := 200
		if tt.status == 404 {
			want = 404
		}
		if response, body := raw(t, bare, "GET / HTTP/1.1\r\nHost: h\r\n"+tt.header+"\r\n"); response.StatusCode != want || want == 200 && !strings.HasPrefix(string(body), text) {
			t.Errorf("%s at / without pages: %d %s", tt.name, response.StatusCode, body)
		}
	}
	if response, _ := raw(t, address, "GET /x HTTP/1.1\r\nHost: h\r\n"+firefox+html+"\r\n"); response.StatusCode != 404 {
		t.Errorf("a page for /x: %d", response.StatusCode)
	}
}

func TestAccessLog(t *testing.T) {
	t.Parallel()
	var out sink
	l, err := hosting.OpenAccessLog(func() (io.WriteCloser, error) { return &out, nil }, t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, hosting.Directory(labDir(t)))
	o.AccessLog = l.Logger()
	s := newServer(t, o)
	for _, tt := range []struct {
		method, path, agent string
		want                map[string]any
	}{
		{"GET", "/ios.p7b", "cisco-IOS", map[string]any{"bundle": "ios", "version": "1", "sha256": "f168df10420e3fc7", "status": 200.0, "bytes": 8123.0, "size": 8123.0, "remote": "2001:db8::1"}},
		{"HEAD", "/ios.p7b", "cisco-IOS", map[string]any{"bundle": "ios", "status": 200.0, "bytes": 0.0}},
		{"HEAD", "/index.json", "", map[string]any{"status": 200.0, "bytes": 0.0}},
		{"HEAD", "/no", "", map[string]any{"status": 404.0, "bytes": 0.0}},
		{"GET", "/no", strings.Repeat("x", 1000), map[string]any{"bundle": nil, "status": 404.0, "user_agent": strings.Repeat("x", 128)}},
		{"GET", "/\u202ea\nb", "\x1b[31m\"", map[string]any{"path": `/\u202ea\x0ab`, "user_agent": `\x1b[31m"`, "method": "GET", "msg": "request"}},
	} {
		out.Reset()
		r, err := http.NewRequest(tt.method, "/", nil)
		if err != nil {
			t.Fatal(err)
		}
		r.URL.Path, r.RemoteAddr, r.Header["User-Agent"] = tt.path, "[2001:db8::1]:4711", []string{tt.agent}
		s.ServeHTTP(&recorder{header: http.Header{}}, r)
		l.Flush()
		var line map[string]any
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, out.Bytes())
		}
		if tt.want["bytes"] == 8123.0 {
			tt.want["bytes"], tt.want["size"] = float64(len(tooltest.Bundle(t, "lab-core-v1.p7b"))), float64(len(tooltest.Bundle(t, "lab-core-v1.p7b")))
		}
		for name, want := range tt.want {
			if line[name] != want {
				t.Errorf("%s %s: %s is %v, not %v", tt.method, tt.path, name, line[name], want)
			}
		}
	}
}

// An access log that is moved away is opened anew; one that cannot be written to does
// not stop anything.
func TestAccessLogFile(t *testing.T) {
	t.Parallel()
	var opened []*sink
	var said journal
	l, err := hosting.OpenAccessLog(func() (io.WriteCloser, error) {
		opened = append(opened, &sink{})
		return opened[len(opened)-1], nil
	}, said.report)
	if err != nil {
		t.Fatal(err)
	}
	log := l.Logger()
	log.Info("one")
	if opened[0].Len() > 0 {
		t.Error("a line was written at once")
	}
	l.Reopen()
	log.Info("two")
	opened[1].full = true
	l.Flush()
	log.Info("three")
	l.Flush()
	opened[1].full = false
	log.Info("four")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if got := opened[0].String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "one") || !opened[0].closed {
		t.Errorf("the first file: %q", got)
	}
	if got := opened[1].String(); strings.Count(got, "\n") != 1 || !strings.Contains(got, "four") || !opened[1].closed {
		t.Errorf("the second file: %q", got)
	}
	if got := said.String(); got != "access log: no space left on device; lines are lost" {
		t.Errorf("said: %s", got)
	}
}

// A FIFO is written to where somebody reads it, and not waited for.
func TestAccessLogFIFO(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "log")
	tooltest.FIFO(t, path)
	if _, err := hosting.OpenAccessLog(hosting.AppendTo(path), t.Logf); !errors.Is(err, syscall.ENXIO) {
		t.Errorf("nobody reads it: %v", err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer reader.Close()
	l, err := hosting.OpenAccessLog(hosting.AppendTo(path), t.Logf)
	if err != nil {
		t.Fatal(err)
	}
	l.Logger().Info("one")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if line, err := bufio.NewReader(reader).ReadString('\n'); err != nil || !strings.Contains(line, "one") {
		t.Errorf("%q, %v", line, err)
	}
}

// A pipe that nobody reads keeps no request waiting: what finds no room is lost, and
// that is said.
func TestAccessLogStuck(t *testing.T) {
	t.Parallel()
	r, w := io.Pipe()
	var said journal
	l, err := hosting.OpenAccessLog(func() (io.WriteCloser, error) { return w, nil }, said.report)
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, hosting.Directory(labDir(t)))
	o.AccessLog = l.Logger()
	s := newServer(t, o)
	ctx, stop := context.WithCancel(t.Context())
	ran := make(chan struct{})
	go func() { l.Run(ctx); close(ran) }()
	const requests = 8_000 // of which the lines have 7 MB
	request, err := http.NewRequest(http.MethodGet, "/ios.p7b", nil)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("User-Agent", strings.Repeat("\x01", 128))
	answered := make(chan struct{})
	go func() {
		defer close(answered)
		for range requests {
			s.ServeHTTP(&recorder{header: http.Header{}}, request)
		}
	}()
	select {
	case <-answered:
	case <-time.After(30 * time.Second):
		t.Error("requests wait for the log")
	}
	lines := make(chan int)
	go func() {
		n := 0
		for b := bufio.NewScanner(r); b.Scan(); n++ {
			if !json.Valid(b.Bytes()) {
				t.Errorf("%q", b.Bytes())
			}
		}
		lines <- n
	}()
	l.Flush()
	stop()
	<-ran
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if n := <-lines; n < 1000 || n >= requests || !strings.Contains(said.String(), "lines are lost") {
		t.Errorf("%d lines; said: %s", n, said.String())
	}
}

type sink struct {
	bytes.Buffer
	full, closed bool
}

func (s *sink) Write(b []byte) (int, error) {
	if s.full {
		return 0, errFull
	}
	return s.Buffer.Write(b)
}

func (s *sink) Close() error { s.closed = true; return nil }

var errFull = errors.New("no space left on device")

// Files are what a server answers.
func TestFiles(t *testing.T) {
	t.Parallel()
	s, _ := labStore(t)
	server := newServer(t, options(t, hosting.Store(s)))
	seen := map[string]bool{}
	files, bad, err := server.Catalog().Files(t.Context())
	if err != nil || bad > 0 {
		t.Fatalf("%d are bad: %v", bad, err)
	}
	for _, f := range files {
		path := "/" + f.Name
		seen[path] = true
		data, err := f.Data(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		w := httptest.NewRecorder()
		server.ServeHTTP(w, httptest.NewRequest(http.MethodGet, path, nil))
		if w.Code != http.StatusOK || !bytes.Equal(w.Body.Bytes(), data) || int64(len(data)) != f.Size || f.SHA256 != fmt.Sprintf("%x", sha256.Sum256(data)) {
			t.Errorf("%s: status %d, %d bytes for %d", path, w.Code, w.Body.Len(), len(data))
		}
		h, modified := w.Header(), ""
		if strings.HasSuffix(f.ContentType, "x-pkcs7-certificates") {
			modified = h.Get("Last-Modified")
		}
		if h.Get("Content-Type") != f.ContentType || modified != "" && modified != f.Modified.Format(http.TimeFormat) || f.Modified.IsZero() != (modified == "") ||
			f.Forever != strings.Contains(h.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %+v, and the server says %v", path, f, h)
		}
	}
	for _, path := range []string{"/ios.p7b", "/ca/trustpool", "/security/pki/trs/current/ios/manifest.log", "/security/pki/trs/archive/ios/2/ios.diff.json", "/sha256/" + server.Catalog().Entries[0].Current.SHA256} {
		if !seen[path] {
			t.Errorf("%s is not among the files", path)
		}
	}
}

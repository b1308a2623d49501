package fetch

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

// serve starts a server of plain HTTP and returns its URL.
func serve(t *testing.T, h http.HandlerFunc) string {
	t.Helper()
	s := httptest.NewServer(h)
	t.Cleanup(func() { s.CloseClientConnections(); s.Close() })
	return s.URL
}

// serveTLS is serve for HTTPS, with the roots under which its certificate holds.
func serveTLS(t *testing.T, h http.HandlerFunc) (string, clientOptions) {
	t.Helper()
	s := httptest.NewUnstartedServer(h)
	s.Config.ErrorLog = log.New(io.Discard, "", 0) // it reports what the client refuses
	s.StartTLS()
	t.Cleanup(s.Close)
	roots := x509.NewCertPool()
	roots.AddCert(s.Certificate())
	return s.URL, clientOptions{roots: roots}
}

func TestFetch(t *testing.T) {
	t.Parallel()
	want := bytes.Repeat([]byte("bundle"), 20_000)
	h := func(w http.ResponseWriter, r *http.Request) {
		if got := r.Header.Get("Accept-Encoding"); got != "identity" {
			t.Errorf("Accept-Encoding: %q", got)
		}
		if got := r.Header.Get("User-Agent"); got != "trustpool" {
			t.Errorf("User-Agent: %q", got)
		}
		w.Header().Set("Content-Type", "text/html") // no matter
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", fmt.Sprint(len(want)))
		}
		w.Write(want)
	}
	plain := serve(t, h)
	secure, roots := serveTLS(t, h)
	for _, u := range []string{plain + "/chunked", plain + "/length", secure + "/length", strings.Replace(plain, "http:", "HTTP:", 1)} {
		files, err := Read(t.Context(), u, Options{client: roots})
		if err != nil {
			t.Fatal(err)
		}
		if len(files) != 1 || !strings.EqualFold(files[0].Name, u) || !bytes.Equal(files[0].Data, want) {
			t.Errorf("%s: another content came out, named %s", u, files[0].Name)
		}
	}
	if _, err := Read(t.Context(), secure, Options{}); err == nil || !strings.Contains(err.Error(), "certificate") {
		t.Errorf("an unknown server certificate: %v", err)
	}
}

func TestFetchStatus(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var code int
		fmt.Sscanf(r.URL.Path, "/%d", &code)
		w.WriteHeader(code)
		fmt.Fprint(w, "<html>an error page</html>")
	})
	for _, code := range []int{201, 206, 300, 304, 401, 404, 500, 599} {
		u := fmt.Sprintf("%s/%d", base, code)
		_, err := Read(t.Context(), u, Options{})
		var status *StatusError
		if !errors.As(err, &status) || status.Code != code || status.URL != u {
			t.Errorf("%d: %v", code, err)
			continue
		}
		if want := strings.TrimSpace(fmt.Sprintf("%s: the server answered %d %s", u, code, http.StatusText(code))); err.Error() != want {
			t.Errorf("got  %v\nwant %v", err, want)
		}
	}
}

func TestFetchLimits(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "1048577")
		}
		for range 1025 { // 1 MiB and 1 KiB
			if _, err := w.Write(make([]byte, 1024)); err != nil {
				return
			}
		}
	})
	for path, size := range map[string]int64{"/length": 1<<20 + 1, "/chunked": -1} {
		_, err := Read(t.Context(), base+path, Options{MaxBytes: 1 << 20})
		var tooLarge *TooLargeError
		if !errors.As(err, &tooLarge) || tooLarge.Size != size || tooLarge.Limit != 1<<20 || tooLarge.Name != base+path {
			t.Errorf("%s: %v", path, err)
		}
	}
	if _, err := Read(t.Context(), base+"/chunked", Options{Sniff: refuse}); err == nil || err.Error() != base+"/chunked: not a bundle" {
		t.Errorf("sniffed: %v", err)
	}
}

func TestFetchCutShort(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/length" {
			w.Header().Set("Content-Length", "100000")
		}
		w.Write([]byte("half of it"))
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	for _, path := range []string{"/length", "/chunked"} {
		_, err := Read(t.Context(), base+path, Options{})
		if !errors.Is(err, io.ErrUnexpectedEOF) || err.Error() != base+path+": it was cut short: unexpected EOF" {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFetchTimeouts(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/silent" {
			<-r.Context().Done()
			return
		}
		for r.Context().Err() == nil { // a byte at a time, for ever
			w.Write([]byte("x"))
			w.(http.Flusher).Flush()
			time.Sleep(time.Millisecond)
		}
	})
	_, err := Read(t.Context(), base+"/drip", Options{Timeout: 30 * time.Millisecond})
	if !errors.Is(err, context.DeadlineExceeded) || !strings.Contains(err.Error(), "not fetched within 30ms") {
		t.Errorf("a slow drip: %v", err)
	}
	_, err = Read(t.Context(), base+"/silent", Options{HeaderTimeout: 30 * time.Millisecond})
	if timeout, ok := errors.AsType[net.Error](err); !ok || !timeout.Timeout() {
		t.Errorf("a silent server: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	time.AfterFunc(30*time.Millisecond, cancel)
	if _, err = Read(ctx, base+"/drip", Options{}); !errors.Is(err, context.Canceled) {
		t.Errorf("an interrupted fetch: %v", err)
	}
}

// A server that compresses although it was told not to changes nothing: the bytes are those that it sent.
func TestFetchKeepsBytes(t *testing.T) {
	t.Parallel()
	var packed bytes.Buffer
	z := gzip.NewWriter(&packed)
	z.Write([]byte("a bundle"))
	z.Close()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Encoding", "gzip")
		if r.URL.Path == "/packed" {
			w.Write(packed.Bytes())
			return
		}
		w.Write([]byte("a bundle"))
	})
	for path, want := range map[string]string{"/packed": packed.String(), "/lie": "a bundle"} {
		files, err := Read(t.Context(), base+path, Options{})
		if err != nil || string(files[0].Data) != want {
			t.Errorf("%s: %v", path, err)
		}
	}
}

func TestFetchRedirects(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		var n int
		switch {
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case r.URL.Path == "/ftp":
			w.Header().Set("Location", "ftp://127.0.0.1/ios.p7b")
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/lost":
			http.Redirect(w, r, "/404?signature=SECRET", http.StatusFound)
		case r.URL.Path == "/nowhere":
			w.WriteHeader(http.StatusFound)
		case r.URL.Path == "/404":
			http.NotFound(w, r)
		default:
			fmt.Sscanf(r.URL.Path, "/%d", &n)
			if n == 0 {
				fmt.Fprint(w, "arrived")
				return
			}
			http.Redirect(w, r, fmt.Sprintf("/%d", n-1), http.StatusMovedPermanently)
		}
	})
	files, err := Read(t.Context(), base+"/5", Options{})
	if err != nil || string(files[0].Data) != "arrived" || files[0].Name != base+"/5" {
		t.Errorf("five redirects: %v", err)
	}
	for path, want := range map[string]string{
		"/6":       "/6: redirected more than 5 times",
		"/loop":    "/loop: redirected more than 5 times",
		"/ftp":     `/ftp: redirected to a URL of scheme "ftp", which is not followed`,
		"/lost":    "/lost (redirected to " + base + "/404): the server answered 404 Not Found",
		"/nowhere": "/nowhere: the server answered 302 Found",
	} {
		if _, err := Read(t.Context(), base+path, Options{}); err == nil || err.Error() != base+want {
			t.Errorf("got  %v\nwant %s%s", err, base, want)
		}
	}
}

func TestFetchDowngrade(t *testing.T) {
	t.Parallel()
	plain := serve(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from anybody") })
	secure, roots := serveTLS(t, func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, plain+"/ios.p7b?token=SECRET", http.StatusFound)
	})
	_, err := Read(t.Context(), secure, Options{client: roots})
	if err == nil || !strings.Contains(err.Error(), "redirected from https to "+plain+"/ios.p7b, which is not followed") {
		t.Errorf("a downgrade: %v", err)
	}
}

func TestFetchUpgrade(t *testing.T) {
	t.Parallel()
	secure, roots := serveTLS(t, func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "from the owner") })
	plain := serve(t, func(w http.ResponseWriter, r *http.Request) { http.Redirect(w, r, secure, http.StatusFound) })
	if files, err := Read(t.Context(), plain, Options{client: roots}); err != nil || string(files[0].Data) != "from the owner" {
		t.Errorf("an upgrade: %v", err)
	}
}

func TestFetchCredentials(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		user, password, _ := r.BasicAuth()
		switch {
		case user != "USER" || password != "SECRET":
			w.WriteHeader(http.StatusUnauthorized)
		case r.URL.Path == "/loop":
			http.Redirect(w, r, "/loop", http.StatusFound)
		case r.URL.Path == "/lost":
			http.Redirect(w, r, "/404", http.StatusFound)
		case r.URL.Path == "/404":
			http.NotFound(w, r)
		case r.URL.Path == "/short":
			w.Header().Set("Content-Length", "9")
		case r.URL.Path == "/long":
			w.Write(make([]byte, 100))
		}
	})
	with := strings.Replace(base, "://", "://USER:SECRET@", 1)
	files, err := Read(t.Context(), with, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if want := base; files[0].Name != want {
		t.Errorf("named %s, not %s", files[0].Name, want)
	}
	for _, u := range []string{
		with + "/loop", with + "/lost", with + "/404", with + "/short", with + "/long",
		"https" + strings.TrimPrefix(with, "http"), // no TLS there
		"ftp" + strings.TrimPrefix(with, "http"),
		"http://USER:SECRET@127.0.0.1:1/",
		"http://USER:SEC RET@host/",
		"http://USER:SECRET/SECRET@host/",
		"http://USER:%zzSECRET@host/",
		"http://USER:SECRET@",
		"http://USER:SECRET@host:port/",
	} {
		for _, offline := range []bool{false, true} {
			_, err := Read(t.Context(), u, Options{MaxBytes: 50, Offline: offline})
			if err == nil {
				t.Errorf("%s was read", u)
			} else if s := err.Error(); strings.Contains(s, "SEC") || strings.Contains(s, "USER") {
				t.Errorf("%s: credentials in: %v", u, err)
			}
		}
	}
}

func TestFetchOffline(t *testing.T) {
	t.Parallel()
	base := serve(t, func(http.ResponseWriter, *http.Request) { t.Error("the server was asked") })
	_, err := Read(t.Context(), base, Options{Offline: true})
	if !errors.Is(err, ErrOffline) || err.Error() != base+": not fetched because of --offline" {
		t.Errorf("offline: %v", err)
	}
}

func TestFetchNames(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"tftp://10.0.0.1/ios.p7b": "tftp://10.0.0.1/ios.p7b: cannot fetch tftp URLs; give a file or an http or https URL",
		"FTP://host/ios.p7b":      "FTP://host/ios.p7b: cannot fetch ftp URLs; give a file or an http or https URL",
		"file:///etc/passwd":      "file:///etc/passwd: cannot fetch file URLs; give a file or an http or https URL",
		"http://":                 "http://: malformed URL: no host in it",
		"https:///ios.p7b":        "https:///ios.p7b: malformed URL: no host in it",
		"http://host:port/":       `http://host:port/: malformed URL: invalid port ":port" after host`,
		"1://x":                   "open 1://x: no such file or directory", // not a scheme
		"a b://x":                 "open a b://x: no such file or directory",
		"http:/x":                 "open http:/x: no such file or directory",
	} {
		if _, err := Read(t.Context(), name, Options{}); err == nil || err.Error() != want {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

func TestFetchHugeHeader(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X", strings.Repeat("x", 2*maxHeaderBytes))
	})
	if _, err := Read(t.Context(), base, Options{}); err == nil {
		t.Error("a header without end was read")
	}
}

func TestFetchConditional(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.URL.Path == "/long":
			w.Header().Set("ETag", `"`+strings.Repeat("x", MaxETag)+`"`)
		case r.Header.Get("If-None-Match") == `"one"`:
			w.WriteHeader(http.StatusNotModified)
			return
		default:
			w.Header().Set("ETag", `"one"`)
			w.Header().Set("Last-Modified", "Sun, 01 Jun 2025 00:00:00 GMT")
		}
		fmt.Fprint(w, "content")
	})
	read := func(path, etag string) (File, error) {
		files, err := Read(t.Context(), base+path, Options{ETag: etag})
		if err != nil {
			return File{}, err
		}
		return files[0], nil
	}
	first, err := read("/", "")
	if err != nil || first.ETag != `"one"` {
		t.Fatalf("%q, %v", first.ETag, err)
	}
	if _, err := read("/", first.ETag); !errors.Is(err, ErrNotModified) {
		t.Errorf("the same version: %v", err)
	}
	if f, err := read("/", `"two"`); err != nil || string(f.Data) != "content" {
		t.Errorf("another version: %v", err)
	}
	if f, err := read("/long", ""); err != nil || f.ETag != "" {
		t.Errorf("%d bytes of an ETag, %v", len(f.ETag), err)
	}
}

// A server is not told of the query and the user that led to it.
func TestFetchReferer(t *testing.T) {
	t.Parallel()
	base := serve(t, func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/" {
			http.Redirect(w, r, "/next", http.StatusFound)
			return
		}
		fmt.Fprintf(w, "from %q", r.Referer())
	})
	files, err := Read(t.Context(), strings.Replace(base, "://", "://user:secret@", 1)+"/?token=secret", Options{})
	if err != nil || string(files[0].Data) != `from ""` || files[0].Name != base+"/" {
		t.Errorf("%+v, %v", files, err)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"https://user:secret@host/a?b#c": "https://host/a", "https://host/a": "https://host/a",
		"a@b.p7b": "a@b.p7b", "-": "-", "http://u:%zz@host": "http://host", "http://h/%zz?q": "http://h/%zz", "C:\\x": "C:\\x",
	} {
		if got := Mask(name); got != want {
			t.Errorf("%s: %s", name, got)
		}
	}
	for text, want := range map[string]string{
		"": "", "://": "://", "no URL: a@b?c": "no URL: a@b?c", "http(s)://u@HOST?q": "http(s)://u@HOST?q",
		"open http://u:p@h/f?q: no such file":         "open http://h/f: no such file",
		`parse "http://u:p@h%zz/x?q": bad`:            `parse "http://h%zz/x": bad`,
		"a (redirected to https://h/x?q), ftp://u@h.": "a (redirected to https://h/x), ftp://h.",
		"1http://u@h éhttps://u@h/é?q":                "1http://h éhttps://h/%C3%A9",
	} {
		if got := MaskText(text); got != want {
			t.Errorf("%s: %s", text, got)
		}
	}
}

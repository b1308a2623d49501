package doctor_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/hosting/doctor"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

const file = "lab-core-v1.p7b"

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

func testdata(t testing.TB, name string) []byte {
	t.Helper()
	data := tooltest.Bundle(t, name)
	return data
}

// options examine url as one of the lab.
func options(t testing.TB, url string) doctor.Options {
	t.Helper()
	anchors, err := roots.FromFile(testdata(t, "lab-root.pem"))
	if err != nil {
		t.Fatal(err)
	}
	return doctor.Options{URL: url, Anchors: anchors, At: at, Timeout: 10 * time.Second}
}

func examine(t testing.TB, url string) *doctor.Report {
	t.Helper()
	r, err := doctor.Run(t.Context(), options(t, url))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// want asks that exactly the named checks found something: "ID result".
func want(t testing.TB, r *doctor.Report, findings ...string) {
	t.Helper()
	var got []string
	for _, c := range r.Checks {
		if c.Result == doctor.Fail || c.Result == doctor.Warning {
			got = append(got, c.ID+" "+string(c.Result))
		}
	}
	if !slices.Equal(got, findings) {
		var b bytes.Buffer
		_ = r.WriteText(&b)
		t.Errorf("found %q\nnot   %q\n%s", got, findings, b.String())
	}
}

// find is the check with an ID.
func find(t testing.TB, r *doctor.Report, id string) doctor.Check {
	t.Helper()
	for _, c := range r.Checks {
		if c.ID == id {
			return c
		}
	}
	t.Fatalf("there is no check %s", id)
	return doctor.Check{}
}

// ideal serves the bundle as well as can be.
func ideal(data []byte) http.HandlerFunc {
	modified := time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC)
	return func(w http.ResponseWriter, r *http.Request) {
		if strings.TrimLeft(r.URL.Path, "/") != file {
			http.NotFound(w, r)
			return
		}
		if !strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
			r.Header.Del("Range")
		}
		w.Header().Set("Content-Type", doctor.ContentType)
		w.Header().Set("ETag", `"v1"`)
		http.ServeContent(w, r, "", modified, bytes.NewReader(data))
	}
}

func serve(t testing.TB, h http.Handler) string {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	return server.URL + "/" + file
}

func TestIdeal(t *testing.T) {
	t.Parallel()
	data := testdata(t, file)
	r := examine(t, serve(t, ideal(data)))
	want(t, r)
	if !r.OK() || r.Count(doctor.Skipped) != 2 || r.Count(doctor.OK) != len(r.Checks)-2 {
		t.Errorf("%d ok, %d skipped of %d", r.Count(doctor.OK), r.Count(doctor.Skipped), len(r.Checks))
	}
	if !bytes.Equal(r.Bundle.Raw, data) || !r.Signature.Verified {
		t.Error("another bundle, or it is not verified")
	}
}

// Each fault, and all that is found of it.
func TestFaults(t *testing.T) {
	t.Parallel()
	data := testdata(t, file)
	good := ideal(data)
	get := func(r *http.Request) bool { return r.Method == http.MethodGet }
	plain := func(r *http.Request) bool {
		return get(r) && r.Header.Get("Range") == "" && r.Header.Get("If-None-Match") == "" && r.Header.Get("If-Modified-Since") == ""
	}
	bundleOnly := func(h http.HandlerFunc) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if strings.TrimLeft(r.URL.Path, "/") != file {
				http.NotFound(w, r)
				return
			}
			h(w, r)
		}
	}
	for name, tt := range map[string]struct {
		h    http.HandlerFunc
		want []string
	}{
		"no such file": {http.NotFound, []string{"ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail"}},
		"redirect": {
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "/elsewhere?token=secret", http.StatusFound)
			},
			[]string{"redirect fail", "ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail", "not-found warning"},
		},
		"redirect with credentials": {
			func(w http.ResponseWriter, r *http.Request) {
				http.Redirect(w, r, "http://lab:secret@lab.example/elsewhere#secret", http.StatusFound)
			},
			[]string{"redirect fail", "ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail", "not-found warning"},
		},
		"redirect to what is not a URL": {
			func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Location", "http://lab:secret@%zz/elsewhere")
				w.WriteHeader(http.StatusFound)
			},
			[]string{"redirect fail", "ios fail", "ios-pki fail", "iosxr fail", "asa fail", "bundle fail", "not-found warning"},
		},
		"a page for everything": {
			func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<!DOCTYPE html><title>Log in</title>") },
			[]string{
				"bundle fail", "content-type fail", "not-found fail", "etag warning", "last-modified warning",
			},
		},
		"chunks": {
			bundleOnly(func(w http.ResponseWriter, r *http.Request) {
				if plain(r) {
					w.Header().Set("Content-Type", doctor.ContentType)
					w.WriteHeader(200)
					w.(http.Flusher).Flush()
					_, _ = w.Write(data)
					return
				}
				good(w, r)
			}),
			[]string{"content-length fail", "chunked fail", "etag warning", "last-modified warning", "head warning"},
		},
		"compressed unasked": {
			bundleOnly(func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Encoding", "gzip")
				good(w, r)
			}),
			[]string{"content-length fail", "chunked fail", "content-encoding fail", "compression warning", "head warning"},
		},
		"two files behind one name": {
			bundleOnly(func(w http.ResponseWriter, r *http.Request) {
				if r.UserAgent() == "" {
					ideal(testdata(t, "lab-core-v2.p7b"))(w, r)
					return
				}
				good(w, r)
			}),
			[]string{"iosxr fail", "asa fail", "same-bytes fail"},
		},
		"tampered": {
			ideal(append(slices.Clone(data[:len(data)-1]), data[len(data)-1]^1)),
			[]string{"signature fail"},
		},
		"armoured":          {ideal(pkitest.MessagePEM(data)), []string{"bundle fail"}},
		"armoured, unarmed": {ideal(testdata(t, "bare.b64")), []string{"bundle fail", "signature fail"}},
		"PEM":               {ideal(testdata(t, "lab.pem")), []string{"bundle fail", "signature fail"}},
		"weak ETag, wrong type": {
			bundleOnly(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("ETag", `W/"x"`)
				w.Header().Set("Content-Type", "application/byte-stream")
				w.Header().Set("Content-Length", strconv.Itoa(len(data)))
				_, _ = w.Write(data)
			}),
			[]string{"content-type warning", "etag warning", "last-modified warning", "if-none-match warning"},
		},
		"no HEAD": {
			func(w http.ResponseWriter, r *http.Request) {
				if !get(r) {
					http.Error(w, "no", http.StatusMethodNotAllowed)
					return
				}
				good(w, r)
			},
			[]string{"head warning"},
		},
		"net/http as it is": {
			func(w http.ResponseWriter, r *http.Request) {
				w.Header().Set("Content-Type", "application/byte-stream") // else what this machine has for .p7b
				http.FileServer(http.Dir("../../../testdata/bundles")).ServeHTTP(w, r)
			},
			[]string{"content-type warning", "etag warning", "range-unit warning"},
		},
		"a range that is another": {
			bundleOnly(func(w http.ResponseWriter, r *http.Request) {
				if strings.HasPrefix(r.Header.Get("Range"), "bytes=") {
					r.Header.Set("Range", "bytes=1-100")
				}
				good(w, r)
			}),
			[]string{"range fail"},
		},
		"only some clients": {
			func(w http.ResponseWriter, r *http.Request) {
				if r.ProtoMinor == 0 || r.UserAgent() == "cisco-IOS" {
					http.Error(w, "upgrade", http.StatusUpgradeRequired)
					return
				}
				good(w, r)
			},
			[]string{"ios fail", "ios-pki fail", "asa fail", "http-1.0-no-host warning"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := examine(t, serve(t, tt.h))
			want(t, r, tt.want...)
			var out bytes.Buffer
			if err := r.WriteText(&out); err != nil || strings.Contains(out.String(), "secret") {
				t.Errorf("%v, or a credential of the server's URL is shown", err)
			}
		})
	}
}

func TestTLS(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(ideal(testdata(t, file)))
	t.Cleanup(server.Close)
	r := examine(t, server.URL+"/"+file)
	want(t, r, "tls-root warning")
	if c := find(t, r, "tls-root"); !strings.Contains(c.Detail, "it is not in the bundle") {
		t.Error(c.Detail)
	}
	o := options(t, "https://lab.invalid/"+file)
	o.Dial = func(ctx context.Context, network, _ string) (net.Conn, error) {
		return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
	}
	r, err := doctor.Run(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	want(t, r, "tls-certificate fail", "tls-root warning")

	modern := httptest.NewUnstartedServer(ideal(testdata(t, file)))
	modern.TLS = tls13()
	modern.StartTLS()
	t.Cleanup(modern.Close)
	want(t, examine(t, modern.URL+"/"+file), "tls-version fail", "tls-root warning")
}

func TestURL(t *testing.T) {
	t.Parallel()
	h := ideal(testdata(t, file))
	url := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if user, password, ok := r.BasicAuth(); !ok || user != "lab" || password != "secret" {
			http.Error(w, "who?", http.StatusUnauthorized)
			return
		}
		h(w, r)
	}))
	with := strings.Replace(url, "://", "://lab:secret@", 1)
	r := examine(t, with+"?secret"+strings.Repeat("x", doctor.MaxURLXR))
	want(t, r, "url-length fail", "url-credentials warning")
	for name, printOne := range map[string]func(io.Writer) error{"text": r.WriteText, "JSON": r.WriteJSON} {
		var out bytes.Buffer
		if err := printOne(&out); err != nil || strings.Contains(out.String(), "secret") {
			t.Errorf("%s: %v, or the password is shown", name, err)
		}
	}
	for _, bad := range []string{"", "lab", "ftp://lab/x", "http://", "http://lab/a b", "http://lab/?a b", "http://lab/\r\nx", "http://u:se cret@lab/", "http:lab", "http://l/" + strings.Repeat("x", doctor.MaxURL)} {
		if _, err := doctor.CheckURL(bad); err == nil || strings.Contains(err.Error(), "cret") {
			t.Errorf("%q: %v", bad, err)
		}
	}
}

func TestRefused(t *testing.T) {
	t.Parallel()
	if _, err := doctor.Run(t.Context(), options(t, "http://"+tooltest.FreeAddress(t)+"/")); err == nil {
		t.Error("no error without a server")
	}
	if _, err := doctor.Run(t.Context(), doctor.Options{URL: "http://lab/"}); err == nil {
		t.Error("no error without a time")
	}
	ctx, cancel := context.WithCancel(t.Context())
	url := raw(t, "", func(c net.Conn) { cancel(); _, _ = io.Copy(io.Discard, c) })
	if _, err := doctor.Run(ctx, options(t, url)); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// Each check and request has all that a reader is told.
func TestComplete(t *testing.T) {
	t.Parallel()
	r := examine(t, serve(t, ideal(testdata(t, file))))
	seen := map[string]bool{}
	for _, c := range r.Checks {
		if seen[c.ID] || c.Title == "" || c.Why == "" || c.Source == "" || c.Fix == "" || c.Basis == "" || c.Detail == "" {
			t.Errorf("%+v", c)
		}
		seen[c.ID] = true
	}
	for _, q := range r.Requests {
		if q.As == "" || q.Ground.Source == "" || q.Ground.Basis == "" || !strings.HasSuffix(q.Line, "HTTP/1.0") && !strings.HasSuffix(q.Line, "HTTP/1.1") {
			t.Errorf("%+v", q)
		}
	}
	if len(r.Requests) != 14 {
		t.Errorf("%d requests", len(r.Requests))
	}
	if _, err := bundle.Parse(r.Bundle.Raw); err != nil {
		t.Error(err)
	}
}

func tls13() *tls.Config { return &tls.Config{MinVersion: tls.VersionTLS13} }

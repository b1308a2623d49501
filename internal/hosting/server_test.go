package hosting_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

const getIOS = "GET /ios.p7b HTTP/1.1\r\nHost: h\r\n\r\n"

// large is a server of one bundle that is larger than what the system buffers.
func large(t testing.TB, o func(*hosting.Options)) (*hosting.Server, []byte) {
	t.Helper()
	dir, data := t.TempDir(), pkitest.Large(12_000)
	put(t, filepath.Join(dir, "ios.p7b"), data, modified)
	options := options(t, hosting.Directory(dir))
	if o != nil {
		o(&options)
	}
	return newServer(t, options), data
}

func dial(t testing.TB, address string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(20 * time.Second)); err != nil {
		t.Fatal(err)
	}
	return c
}

// A connection above the cap is closed at once, and one that ends makes room.
func TestConnectionCap(t *testing.T) {
	t.Parallel()
	o := options(t, hosting.Directory(labDir(t)))
	o.MaxConnections = 2
	s := newServer(t, o)
	address := start(t, s)
	var kept []net.Conn
	for range 2 {
		c := dial(t, address)
		if _, err := io.WriteString(c, getIOS); err != nil {
			t.Fatal(err)
		}
		if response, _ := answer(t, bufio.NewReader(c), getIOS); response.StatusCode != 200 {
			t.Error(response.Status)
		}
		kept = append(kept, c)
	}
	if n, err := dial(t, address).Read(make([]byte, 1)); err == nil {
		t.Errorf("the third connection: %d bytes", n)
	}
	_, metrics := get(t, s, "/metrics")
	for _, want := range []string{"trustpool_connections 2\n", "trustpool_connections_refused_total 1\n", "trustpool_connections_limit 2\n"} {
		if !strings.Contains(metrics, want) {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
	kept[0].Close()
	eventually(t, func() bool { _, m := get(t, s, "/metrics"); return strings.Contains(m, "trustpool_connections 1\n") })
	if response, _ := raw(t, address, getIOS); response.StatusCode != 200 {
		t.Error(response.Status)
	}
}

// Clients that send nothing, half a request, or take nothing do not keep others waiting.
func TestStalledClients(t *testing.T) {
	t.Parallel()
	s, data := large(t, nil)
	address := start(t, s)
	for i := range 150 {
		c := dial(t, address)
		if _, err := io.WriteString(c, []string{"", "GET /ios.p7b HTTP/1.1\r\nHo", getIOS}[i%3]); err != nil {
			t.Fatal(err)
		}
	}
	if response, body := raw(t, address, getIOS); response.StatusCode != 200 || !bytes.Equal(body, data) {
		t.Errorf("%s, %d bytes", response.Status, len(body))
	}
}

// At the end a download that has begun goes on to its end, and no new one begins.
func TestDrain(t *testing.T) {
	t.Parallel()
	s, data := large(t, nil)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	c := dial(t, l.Addr().String())
	if _, err := io.WriteString(c, getIOS); err != nil {
		t.Fatal(err)
	}
	r := bufio.NewReader(c)
	if _, err := r.Peek(1000); err != nil {
		t.Fatal(err)
	}
	stop()
	eventually(t, func() bool {
		other, err := net.Dial("tcp", l.Addr().String())
		if err == nil {
			other.Close()
		}
		return err != nil
	})
	select {
	case err := <-done:
		t.Fatalf("ended before the download: %v", err)
	default:
	}
	if response, body := answer(t, r, getIOS); response.StatusCode != 200 || !bytes.Equal(body, data) {
		t.Errorf("%s, %d bytes of %d", response.Status, len(body), len(data))
	}
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// A client that does not take its answer does not keep the server from ending.
func TestDrainDeadline(t *testing.T) {
	t.Parallel()
	var said journal
	s, _ := large(t, func(o *hosting.Options) { o.Drain, o.Report = 50*time.Millisecond, said.report })
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error)
	go func() { done <- s.Serve(ctx, l) }()
	c := dial(t, l.Addr().String())
	if _, err := io.WriteString(c, getIOS); err != nil {
		t.Fatal(err)
	}
	if _, err := bufio.NewReader(c).Peek(1000); err != nil {
		t.Fatal(err)
	}
	stop()
	if err := <-done; err != nil {
		t.Error(err)
	}
	if !strings.Contains(said.String(), "requests were cut off") {
		t.Errorf("said: %s", said.String())
	}
}

// A listener that fails ends the server, with the error.
func TestListenerFails(t *testing.T) {
	t.Parallel()
	s := newServer(t, options(t, hosting.Directory(labDir(t))))
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	if err := s.Serve(t.Context(), l); err == nil {
		t.Error("no error")
	}
}

// keyPair writes a new certificate and its key.
func keyPair(t testing.TB, dir, name string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: name}, DNSNames: []string{"localhost"},
		NotBefore: at.AddDate(-1, 0, 0), NotAfter: at.AddDate(10, 0, 0),
	}
	cert, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	private, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	put(t, filepath.Join(dir, "cert.pem"), pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: cert}), modified)
	put(t, filepath.Join(dir, "key.pem"), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: private}), modified)
}

// A certificate that is replaced is used from then on, one that cannot be used is not.
func TestTLS(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	keyPair(t, dir, "first")
	pair, err := hosting.LoadKeyPair(filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem"))
	if err != nil {
		t.Fatal(err)
	}
	o := options(t, hosting.Directory(labDir(t)))
	o.TLS = pair
	s := newServer(t, o)
	address := start(t, s)
	presents := func() string {
		t.Helper()
		c, err := tls.Dial("tcp", address, &tls.Config{InsecureSkipVerify: true, NextProtos: []string{"h2", "http/1.1"}})
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		if _, err := io.WriteString(c, getIOS); err != nil {
			t.Fatal(err)
		}
		if response, body := answer(t, bufio.NewReader(c), getIOS); response.StatusCode != 200 || !bytes.Equal(body, tooltest.Bundle(t, "lab-core-v1.p7b")) {
			t.Errorf("%s, %d bytes", response.Status, len(body))
		}
		if p := c.ConnectionState().NegotiatedProtocol; p == "h2" {
			t.Error("HTTP/2")
		}
		return c.ConnectionState().PeerCertificates[0].Subject.CommonName
	}
	if name := presents(); name != "first" {
		t.Errorf("the certificate of %s", name)
	}
	put(t, filepath.Join(dir, "key.pem"), []byte("nothing"), modified)
	if err := s.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "key.pem") {
		t.Errorf("error: %v", err)
	}
	if name := presents(); name != "first" {
		t.Errorf("the certificate of %s", name)
	}
	keyPair(t, dir, "second")
	if err := s.Refresh(t.Context()); err != nil {
		t.Error(err)
	}
	if name := presents(); name != "second" {
		t.Errorf("the certificate of %s", name)
	}
	if _, err := hosting.LoadKeyPair(filepath.Join(dir, "no.pem"), filepath.Join(dir, "key.pem")); err == nil {
		t.Error("a certificate that is not there")
	}
}

func TestNotify(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "notify")
	c, err := net.ListenUnixgram("unixgram", &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	env := func(name string) string { return map[string]string{"NOTIFY_SOCKET": path}[name] }
	if err := hosting.Notify(env, "READY=1"); err != nil {
		t.Fatal(err)
	}
	b := make([]byte, 100)
	n, err := c.Read(b)
	if err != nil || string(b[:n]) != "READY=1" {
		t.Errorf("%q %v", b[:n], err)
	}
	if err := hosting.Notify(nil, "READY=1"); err != nil {
		t.Error(err)
	}
	if err := hosting.Notify(func(string) string { return "relative" }, "READY=1"); err == nil {
		t.Error("no error")
	}
}

func TestInherited(t *testing.T) {
	t.Parallel()
	for name, env := range map[string]map[string]string{
		"nothing": {}, "another process": {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
	} {
		if l, err := hosting.Inherited(func(name string) string { return env[name] }); len(l) > 0 || err != nil {
			t.Errorf("%s: %v %v", name, l, err)
		}
	}
	pid := itoa(os.Getpid())
	for _, n := range []string{"", "x", "-1", "1000"} {
		env := map[string]string{"LISTEN_PID": pid, "LISTEN_FDS": n}
		if _, err := hosting.Inherited(func(name string) string { return env[name] }); err == nil {
			t.Errorf("LISTEN_FDS=%q: no error", n)
		}
	}
}

// Requests and bytes are counted by bundle and class of status; what a client makes up
// is no label.
func TestRequestMetrics(t *testing.T) {
	t.Parallel()
	s := newServer(t, options(t, hosting.Directory(labDir(t))))
	address := start(t, s)
	for _, request := range []string{
		getIOS, getIOS, "HEAD /ios.p7b HTTP/1.0\r\n\r\n", "GET /ios.p7b HTTP/1.0\r\nIf-None-Match: *\r\n\r\n", "GET /x1 HTTP/1.0\r\n\r\n",
		"GET /x2 HTTP/1.0\r\n\r\n", "FOO /x3 HTTP/1.0\r\n\r\n",
	} {
		if response, _ := raw(t, address, request); response.StatusCode == http.StatusInternalServerError {
			t.Error(response.Status)
		}
	}
	// A request is counted after its answer, which the client may have already.
	var metrics string
	eventually(t, func() bool {
		_, metrics = get(t, s, "/metrics")
		return strings.Contains(metrics, "trustpool_http_request_duration_seconds_count 7")
	})
	size := len(tooltest.Bundle(t, "lab-core-v1.p7b"))
	for _, want := range []string{
		`trustpool_http_requests_total{bundle="ios",code="2xx"} 3`, `trustpool_http_requests_total{bundle="ios",code="3xx"} 1`,
		`trustpool_http_requests_total{bundle="",code="4xx"} 3`, `trustpool_http_requests_total{bundle="ios_core",code="2xx"} 0`,
		`trustpool_http_response_bytes_total{bundle="ios"} ` + itoa(2*size),
		`trustpool_bundle_certificates{bundle="ios"} 8`, `trustpool_bundle_info{bundle="ios",version="1",sha256="f168df10420e3fc7"} 1`,
		`trustpool_build_info{version="v1.2.3"} 1`,
	} {
		if !strings.Contains(metrics, want+"\n") {
			t.Errorf("no %s in\n%s", want, metrics)
		}
	}
	if strings.Contains(metrics, "x1") || strings.Contains(metrics, "FOO") {
		t.Error("a client makes labels")
	}
}

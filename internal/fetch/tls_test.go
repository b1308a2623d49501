package fetch_test

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"trustpool/internal/fetch"
)

func TestChain(t *testing.T) {
	t.Parallel()
	server := httptest.NewTLSServer(http.NotFoundHandler())
	t.Cleanup(server.Close)
	names := make(chan string, 1)
	server.TLS.GetConfigForClient = func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
		names <- hello.ServerName
		return nil, nil
	}
	_, port, _ := net.SplitHostPort(server.Listener.Addr().String())
	for host, want := range map[string]string{"127.0.0.1": "", "localhost": "localhost"} {
		chain, err := fetch.Chain(t.Context(), net.JoinHostPort(host, port), fetch.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if len(chain) != 1 || !bytes.Equal(chain[0], server.Certificate().Raw) {
			t.Errorf("%s: %d certificates, or others", host, len(chain))
		}
		if got := <-names; got != want {
			t.Errorf("%s: the server was asked for %q", host, got)
		}
	}
}

func TestChainRefused(t *testing.T) {
	t.Parallel()
	plain := httptest.NewServer(http.NotFoundHandler())
	t.Cleanup(plain.Close)
	address := plain.Listener.Addr().String()
	if _, err := fetch.Chain(t.Context(), address, fetch.Options{Offline: true}); !errors.Is(err, fetch.ErrOffline) {
		t.Errorf("offline: %v", err)
	}
	for _, address := range []string{address, "", "host", ":443", "host:", "127.0.0.1:1"} {
		if chain, err := fetch.Chain(t.Context(), address, fetch.Options{}); err == nil || !strings.HasPrefix(err.Error(), address+": ") {
			t.Errorf("%q: %d certificates, %v", address, len(chain), err)
		}
	}
}

// A server that never answers is given up.
func TestChainSilent(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { listener.Close() })
	if _, err := fetch.Chain(t.Context(), listener.Addr().String(), fetch.Options{Timeout: 50 * time.Millisecond}); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("silent: %v", err)
	}
}

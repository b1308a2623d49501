package fetch

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
)

// maxChain is how many certificates of a server are taken. Genuine ones send two to five.
const maxChain = 32

// Chain does a TLS handshake with HOST:PORT and gives the certificates that the server sends, in its order, as DER. It
// believes none of them: whoever asks for a chain judges it. Nothing else is sent or read. A host that is not an address is
// named to the server (SNI). No proxy is used. A chain that crypto/tls cannot parse is an error.
func Chain(ctx context.Context, address string, o Options) ([][]byte, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	host, port, err := net.SplitHostPort(address)
	if err != nil || host == "" || port == "" {
		return nil, fmt.Errorf("%s: not HOST:PORT", address)
	}
	if o.Offline {
		return nil, fmt.Errorf("%s: %w", address, ErrOffline)
	}
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, min(o.Timeout, 2*dialTimeout))
	defer cancel()
	dialer := tls.Dialer{NetDialer: &net.Dialer{Timeout: dialTimeout}, Config: &tls.Config{
		ServerName: host,
		// The chain is what is asked for, and is judged afterwards; no secret goes over this connection.
		InsecureSkipVerify: true,
		// Old servers are those that chains are asked of.
		MinVersion:   tls.VersionTLS10,
		CipherSuites: everySuite(),
	}}
	conn, err := dialer.DialContext(ctx, "tcp", address)
	if errors.Is(err, context.DeadlineExceeded) && asked.Err() == nil {
		return nil, fmt.Errorf("%s: no chain: the server sent none in time: %w", address, err)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: no chain: %w", address, err)
	}
	defer conn.Close()
	var chain [][]byte
	for _, c := range conn.(*tls.Conn).ConnectionState().PeerCertificates {
		if len(chain) == maxChain {
			return nil, fmt.Errorf("%s: the server sends more than %d certificates", address, maxChain)
		}
		chain = append(chain, c.Raw)
	}
	return chain, nil
}

func everySuite() (ids []uint16) {
	for _, s := range append(tls.CipherSuites(), tls.InsecureCipherSuites()...) {
		ids = append(ids, s.ID)
	}
	return ids
}

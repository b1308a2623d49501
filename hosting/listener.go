package hosting

import (
	"context"
	"net"
	"net/http"
	"sync"
)

// limit caps the connections of all listeners together. One too many is closed at
// once: the client tries again, and nobody waits in a queue that an attacker fills.
func (s *Server) limit(l net.Listener) net.Listener { return &limited{l, s} }

type limited struct {
	net.Listener
	server *Server
}

func (l *limited) Accept() (net.Conn, error) {
	m := l.server.metrics
	for {
		c, err := l.Listener.Accept()
		if err != nil {
			return nil, err
		}
		if m.connections.Add(1) > int64(l.server.maxConnections) {
			m.connections.Add(-1)
			m.refused.Add(1)
			_ = c.Close()
			continue
		}
		counted := &counted{Conn: c, server: l.server}
		if tcp, ok := c.(*net.TCPConn); ok {
			if sender, err := newSender(tcp); err == nil {
				return &direct{counted: counted, sender: sender}, nil
			}
		}
		return counted, nil
	}
}

// counted is a connection that counts until it is closed.
type counted struct {
	net.Conn
	server *Server
	once   sync.Once
}

func (c *counted) Close() error {
	c.once.Do(func() { c.server.metrics.connections.Add(-1) })
	return c.Conn.Close()
}

// direct is a connection on which the kernel sends sealed octets itself. net/http
// writes an answer in two steps: the header with the first octets of the body, then
// the rest of the very slice that it was given. What comes while sending is set is
// recognized by that, and everything else is written as it is.
type direct struct {
	*counted
	sender  sender
	sending *sealed // by the handler, while it writes; no other goroutine writes then
}

func (c *direct) Write(p []byte) (int, error) {
	switch {
	case c.sending == nil:
		return c.Conn.Write(p)
	case c.sending.endsWith(p):
		return c.sender.end(c.sending, len(p))
	default:
		return c.sender.more(p)
	}
}

// connKey is where a request's context has its connection.
type connKey struct{}

func withConn(ctx context.Context, c net.Conn) context.Context {
	if d, ok := c.(*direct); ok {
		return context.WithValue(ctx, connKey{}, d)
	}
	return ctx
}

// send writes the body of a bundle, by the kernel where it can.
func (s *resource) send(w *answer, r *http.Request) {
	if s.sealed != nil {
		if c, ok := r.Context().Value(connKey{}).(*direct); ok {
			c.sending = s.sealed
			defer func() { c.sending = nil }()
		}
	}
	_, _ = w.Write(s.body) // an error is the client's, and shows in the count
}

package hosting

import (
	"net"
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
		if m.connections.Add(1) > int64(l.server.o.MaxConnections) {
			m.connections.Add(-1)
			m.refused.Inc()
			_ = c.Close()
			continue
		}
		return &counted{Conn: c, server: l.server}, nil
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

//go:build !unix

package hosting

import "net"

// Inherited returns nothing: there is no systemd on this system.
func Inherited(func(string) string) ([]net.Listener, error) { return nil, nil }

// Notify does nothing: there is no systemd on this system.
func Notify(func(string) string, string) error { return nil }

// Relay is the ForceCommand of the devices that replay: it joins a session of
// sshd to the process that the device is in.
//
//	relay SOCKET DEVICE
package main

import (
	"fmt"
	"io"
	"net"
	"os"

	"golang.org/x/term"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "relay:", err)
		os.Exit(1)
	}
}

func run(socket, device string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return err
	}
	defer conn.Close()
	if term.IsTerminal(0) { // what is typed goes to the device as it is, and is echoed there
		state, err := term.MakeRaw(0)
		if err != nil {
			return err
		}
		defer func() { _ = term.Restore(0, state) }()
	}
	if _, err := fmt.Fprintln(conn, device); err != nil {
		return err
	}
	go func() {
		_, _ = io.Copy(conn, os.Stdin)
		_ = conn.(*net.UnixConn).CloseWrite()
	}()
	_, err = io.Copy(os.Stdout, conn)
	return err
}

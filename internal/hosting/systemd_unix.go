//go:build unix

package hosting

import (
	"errors"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// firstInherited is the first descriptor that systemd passes (sd_listen_fds(3)).
const firstInherited = 3

// maxInherited bounds LISTEN_FDS.
const maxInherited = 64

// Inherited are the sockets that systemd listens on for this process, as its
// environment says; none if it says nothing, or means another process.
func Inherited(getenv func(string) string) ([]net.Listener, error) {
	if getenv == nil || getenv("LISTEN_PID") != strconv.Itoa(os.Getpid()) {
		return nil, nil
	}
	n, err := strconv.Atoi(getenv("LISTEN_FDS"))
	if err != nil || n < 0 || n > maxInherited {
		return nil, fmt.Errorf("LISTEN_FDS is %q, not a number of sockets", getenv("LISTEN_FDS"))
	}
	var listeners []net.Listener
	for fd := firstInherited; fd < firstInherited+n; fd++ {
		syscall.CloseOnExec(fd)
		f := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		l, err := net.FileListener(f)
		_ = f.Close()
		if err != nil {
			return nil, fmt.Errorf("socket %d of systemd: %w", fd, err)
		}
		listeners = append(listeners, l)
	}
	return listeners, nil
}

// Notify tells systemd a state such as READY=1, if it wants to know
// (sd_notify(3)).
func Notify(getenv func(string) string, state string) error {
	if getenv == nil || getenv("NOTIFY_SOCKET") == "" {
		return nil
	}
	path := getenv("NOTIFY_SOCKET")
	if !strings.HasPrefix(path, "/") && !strings.HasPrefix(path, "@") {
		return errors.New("NOTIFY_SOCKET is not a socket of this system")
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: path, Net: "unixgram"})
	if err != nil {
		return err
	}
	defer c.Close()
	_, err = c.Write([]byte(state))
	return err
}

package hosting

import (
	"io"
	"net"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// sealed is a file in memory that has no name and can never change: verified octets
// from which the kernel sends without a copy through this process.
type sealed struct {
	file *os.File // closed when nobody has it any more
	raw  []byte   // the same octets
}

// seal makes a sealed file; nil where the system gives none, and the octets are then
// sent from raw.
func seal(raw []byte) *sealed {
	fd, err := unix.MemfdCreate("bundle", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return nil
	}
	file := os.NewFile(uintptr(fd), "bundle")
	if _, err := file.Write(raw); err == nil {
		_, err = unix.FcntlInt(uintptr(fd), unix.F_ADD_SEALS, unix.F_SEAL_SEAL|unix.F_SEAL_SHRINK|unix.F_SEAL_GROW|unix.F_SEAL_WRITE)
		if err == nil {
			return &sealed{file, raw}
		}
	}
	_ = file.Close()
	return nil
}

// endsWith tells whether p is the end of the sealed octets: not an equal one, but
// these very octets in memory.
func (s *sealed) endsWith(p []byte) bool {
	return len(p) > 0 && len(p) <= len(s.raw) && &p[len(p)-1] == &s.raw[len(s.raw)-1]
}

// sender sends on a TCP connection what net/http writes while it answers with sealed
// octets.
type sender struct {
	raw syscall.RawConn
}

func newSender(c *net.TCPConn) (sender, error) {
	raw, err := c.SyscallConn()
	return sender{raw}, err
}

// more sends octets that others will follow at once, so that they share a packet.
func (s sender) more(p []byte) (sent int, err error) {
	waitErr := s.raw.Write(func(fd uintptr) bool {
		for sent < len(p) {
			var n int
			n, err = unix.SendmsgN(int(fd), p[sent:], nil, nil, unix.MSG_MORE|unix.MSG_NOSIGNAL)
			switch {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
			case err != nil:
				return true
			default:
				sent += n
			}
		}
		return true
	})
	return sent, first(err, waitErr)
}

// end sends the last n octets of a sealed file.
func (s sender) end(from *sealed, n int) (sent int, err error) {
	offset := int64(len(from.raw) - n)
	source := int(from.file.Fd())
	waitErr := s.raw.Write(func(fd uintptr) bool {
		for sent < n {
			var m int
			m, err = unix.Sendfile(int(fd), source, &offset, n-sent)
			switch {
			case err == unix.EAGAIN:
				return false
			case err == unix.EINTR:
			case err != nil:
				return true
			case m == 0:
				err = io.ErrUnexpectedEOF
				return true
			default:
				sent += m
			}
		}
		return true
	})
	return sent, first(err, waitErr)
}

func first(err, wait error) error {
	if wait != nil {
		return wait // a deadline, or the connection is closed
	}
	return err
}

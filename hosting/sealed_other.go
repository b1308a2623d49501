//go:build !linux

package hosting

import (
	"errors"
	"net"
)

// Other systems send octets from memory.
type (
	sealed struct{}
	sender struct{}
)

func seal([]byte) *sealed                    { return nil }
func (*sealed) endsWith([]byte) bool         { return false }
func newSender(*net.TCPConn) (sender, error) { return sender{}, errors.ErrUnsupported }
func (sender) more([]byte) (int, error)      { return 0, errors.ErrUnsupported }
func (sender) end(*sealed, int) (int, error) { return 0, errors.ErrUnsupported }

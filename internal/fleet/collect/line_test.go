package collect

import (
	"bytes"
	"errors"
	"io"
	"testing"
)

// A fake is a connection that takes anything.
type fake struct {
	bytes.Buffer
	closed bool
}

func (f *fake) Close() error             { f.closed = true; return nil }
func (f *fake) Read([]byte) (int, error) { return 0, io.EOF }

// Whatever is to be written, only what is allowed leaves.
func TestGuard(t *testing.T) {
	t.Parallel()
	conn := &fake{}
	l := newLine(conn, []string{"show clock", "exit"})
	for _, b := range []string{"show clock", "\n", "exit", "\n"} {
		if err := l.Write([]byte(b)); err != nil {
			t.Errorf("%q: %v", b, err)
		}
	}
	for _, b := range []string{"", "show clock\n", "show  clock", "show clock ", "configure terminal", "s", "exit\r", "\n\n", "SECRET", "yes", " ", "\x03", "enable"} {
		if err := l.Write([]byte(b)); !errors.Is(err, errGuard) {
			t.Errorf("%q: %v", b, err)
		}
	}
	l.allow([]byte("SECRET"))
	if err := l.Write([]byte("SECRET")); err != nil {
		t.Error(err)
	}
	if err := l.Write([]byte("SECRET")); !errors.Is(err, errGuard) {
		t.Errorf("a secret was sent twice: %v", err)
	}
	if got := conn.String(); got != "show clock\nexit\nSECRET" {
		t.Errorf("%q was sent", got)
	}
}

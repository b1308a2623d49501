package collect

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"sync"

	"github.com/scrapli/scrapligo/transport"
)

// maxOutput is how many bytes a device may print in a session. A pool of 400
// certificates takes 300,000.
const maxOutput = 2 << 20

// readSize is how much is read at once.
const readSize = 32 << 10

var (
	errFlood = fmt.Errorf("it printed more than %d bytes, which is the limit", maxOutput)
	errGuard = errors.New("a line that collect does not send was stopped")
)

// A line is the connection to a device's terminal, between scrapligo and SSH. It
// keeps what the device prints, and sends nothing but the commands that it was given:
// whatever scrapligo, a definition of a platform or a mistake here may want.
type line struct {
	conn     io.ReadWriteCloser
	commands []string

	mu     sync.Mutex
	more   sync.Cond // there is more in output, or an error
	output []byte    // what it printed
	given  int       // of these bytes, those that scrapligo has
	err    error     // why it ended
	secret []byte    // may be sent once
	closed bool
}

// Write sends a whole command, the end of a line, or a secret that is waited for.
func (l *line) Write(b []byte) error {
	l.mu.Lock()
	ok := string(b) == "\n" || slices.Contains(l.commands, string(b))
	if !ok && len(l.secret) > 0 && bytes.Equal(b, l.secret) {
		ok, l.secret = true, nil
	}
	l.mu.Unlock()
	if !ok {
		return errGuard // without the text, which could be a secret
	}
	_, err := l.conn.Write(b)
	return err
}

// newLine begins to read what a device prints, as fast as it does.
func newLine(conn io.ReadWriteCloser, commands []string) *line {
	l := &line{conn: conn, commands: commands}
	l.more.L = &l.mu
	go l.pump()
	return l
}

func (l *line) pump() {
	b := make([]byte, readSize)
	for {
		n, err := l.conn.Read(b)
		l.mu.Lock()
		if l.output = append(l.output, b[:n]...); len(l.output) > maxOutput {
			err = errFlood
		}
		l.err = err
		l.more.Broadcast()
		l.mu.Unlock()
		if err != nil {
			_ = l.Close()
			return
		}
	}
}

// Read gives scrapligo what was not given yet. Whatever the end is, it is told io.EOF,
// because after any other error it tries again.
func (l *line) Read(int) ([]byte, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	for len(l.output) == l.given && l.err == nil {
		l.more.Wait()
	}
	if errors.Is(l.err, errFlood) || len(l.output) == l.given {
		return nil, io.EOF
	}
	b := bytes.Clone(l.output[l.given:])
	l.given += len(b)
	return b, nil
}

// allow lets a secret be sent.
func (l *line) allow(secret []byte) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.secret = secret
}

// printed is what the device printed from an offset on.
func (l *line) printed(from int) []byte {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.output[from:len(l.output):len(l.output)]
}

// length is how many bytes the device printed.
func (l *line) length() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.output)
}

// ended is why the connection ended.
func (l *line) ended() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.err
}

// Open does nothing: it is open.
func (l *line) Open(*transport.Args) error { return nil }

// Close ends the connection.
func (l *line) Close() error {
	l.mu.Lock()
	closed := l.closed
	l.closed = true
	l.mu.Unlock()
	if closed {
		return nil
	}
	return l.conn.Close()
}

// IsAlive reports whether the connection was not closed.
func (l *line) IsAlive() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return !l.closed
}

// A target is where a device is.
type target struct {
	host string
	port int    // 0 if the user's configuration knows it
	user string // likewise
}

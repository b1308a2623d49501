package hosting

import (
	"context"
	"fmt"
	"io"
	"log/slog"
	"os"
	"sync"
	"syscall"
	"time"
)

// How the log is buffered: a write for each request would cost as much as the request,
// and might wait for a pipe without a reader.
const (
	logBuffer    = 64 << 10
	maxLogBuffer = 4 << 20     // what waits to be written; further lines are lost
	logDelay     = time.Second // a line is written this long after its request at the latest
)

// An AccessLog is a file of JSON lines, one for each request.
type AccessLog struct {
	open   func() (io.WriteCloser, error)
	report func(format string, args ...any)
	wake   chan struct{} // there is enough for a write

	lock   sync.Mutex // never held while something is written
	buffer []byte
	lost   int // lines for which there was no room

	writing sync.Mutex
	out     io.WriteCloser
	spare   []byte
	failed  bool // the last write, which has been reported
}

// OpenAccessLog opens a log, which Run writes. open is called for it, and for each
// Reopen. If a write fails or takes too long, lines are lost and report is told;
// requests do not wait for a log.
func OpenAccessLog(open func() (io.WriteCloser, error), report func(format string, args ...any)) (*AccessLog, error) {
	out, err := open()
	if err != nil {
		return nil, err
	}
	return &AccessLog{open: open, report: report, wake: make(chan struct{}, 1), out: out, buffer: make([]byte, 0, logBuffer), spare: make([]byte, 0, logBuffer)}, nil
}

// AppendTo opens a file at its end. A FIFO without a reader is an error.
func AppendTo(path string) func() (io.WriteCloser, error) {
	return func() (io.WriteCloser, error) {
		return os.OpenFile(path, os.O_APPEND|os.O_CREATE|os.O_WRONLY|syscall.O_NONBLOCK, 0o640)
	}
}

// Logger is for Options.AccessLog.
func (l *AccessLog) Logger() *slog.Logger { return slog.New(slog.NewJSONHandler(l, nil)) }

// Write takes a line. If there is no room for it, it is counted.
func (l *AccessLog) Write(line []byte) (int, error) {
	l.lock.Lock()
	defer l.lock.Unlock()
	if len(l.buffer) >= logBuffer {
		select {
		case l.wake <- struct{}{}:
		default:
		}
	}
	if len(l.buffer) < maxLogBuffer {
		l.buffer = append(l.buffer, line...)
	} else {
		l.lost++
	}
	return len(line), nil
}

// Flush writes what is waiting.
func (l *AccessLog) Flush() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.flush()
}

func (l *AccessLog) flush() {
	l.lock.Lock()
	lines, lost := l.buffer, l.lost
	l.buffer, l.lost = l.spare[:0], 0
	l.lock.Unlock()
	l.spare = lines
	if len(lines) == 0 {
		return
	}
	_, err := l.out.Write(lines)
	if err == nil && lost > 0 {
		err = fmt.Errorf("requests came faster than their lines could be written, %d of them", lost)
	}
	if err != nil && !l.failed {
		l.report("access log: %v; lines are lost", err)
	}
	l.failed = err != nil
}

// Reopen opens the file by its name again, after something has moved it away.
func (l *AccessLog) Reopen() {
	l.writing.Lock()
	defer l.writing.Unlock()
	l.flush()
	out, err := l.open()
	if err != nil {
		l.report("access log: %v; the one that is open stays in use", err)
		return
	}
	_ = l.out.Close()
	l.out = out
}

// Run writes what is waiting, each second and when there is much, until the context ends.
func (l *AccessLog) Run(ctx context.Context) {
	ticker := time.NewTicker(logDelay)
	defer ticker.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		case <-l.wake:
		}
		l.Flush()
	}
}

// Close writes what is waiting and closes the file.
func (l *AccessLog) Close() error {
	l.Flush()
	return l.out.Close()
}

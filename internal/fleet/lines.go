package fleet

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"runtime"
	"slices"
	"sync"
)

// Lines of a log are parsed in batches, several at a time, and counted in their order.
const (
	batchLines = 2048
	batchBytes = 1 << 20
)

// A batch is lines that follow each other, and what parsing them gave.
type batch struct {
	data  []byte
	lines []batchLine
	err   error // with which the log ends after it, io.EOF among them; nil if it goes on

	before, after Parser // of the lines
	done          chan struct{}
}

// A batchLine is a line of a batch.
type batchLine struct {
	from, to int
	long     bool
	size     int64 // with its end, and with what is not kept; of several in one line of the file, all are at the first

	Request
	err      error
	columned bool // err is of a line of W3C
}

func (b *batch) line(i int) []byte { return b.data[b.lines[i].from:b.lines[i].to] }

// split reads a log and sends its lines, until it ends or stop is closed.
func split(ctx context.Context, in *bufio.Reader, free <-chan *batch, stop <-chan struct{}, send func(*batch)) {
	for total := int64(0); ; {
		var b *batch
		select {
		case b = <-free:
			b.data, b.lines = b.data[:0], b.lines[:0]
		default:
			b = &batch{done: make(chan struct{}, 1)}
		}
		for len(b.lines) < batchLines && len(b.data) < batchBytes && b.err == nil {
			line, rest, err := readLine(ctx, in, min(MaxLogBytes-total, MaxUnread))
			b.err = err
			n := int64(len(line)) + rest
			total += n
			// Some programs end lines with a carriage return alone.
			for part := range bytes.SplitSeq(bytes.TrimRight(line, "\r\n"), []byte("\r")) {
				if len(line) == 0 {
					break
				}
				from := len(b.data)
				b.data = append(b.data, bytes.TrimSpace(part)...)
				b.lines = append(b.lines, batchLine{from: from, to: len(b.data), long: rest > 0 || len(line) > MaxLine, size: n})
				n = 0
			}
			if rest > MaxUnread || total > MaxLogBytes {
				break
			}
		}
		send(b)
		select {
		case <-stop:
			return
		default:
		}
		if b.err != nil {
			return
		}
	}
}

// parse parses the lines of a batch, before which the parser was as it is.
func (b *batch) parse(p Parser) {
	b.before = p
	for i := range b.lines {
		l := &b.lines[i]
		l.Request, l.err, l.columned = Request{}, nil, p.columns != nil
		switch line := b.line(i); {
		case len(line) == 0:
		case l.long:
			l.err = fmt.Errorf("longer than %d bytes", MaxLine)
		default:
			l.Request, l.err = p.Parse(line)
			l.columned = p.columns != nil
		}
	}
	b.after = p
}

// same reports whether two parsers read lines alike.
func (p *Parser) same(q *Parser) bool {
	return slices.Equal(p.columns, q.columns) && p.day == q.day && p.traceback == q.traceback
}

// batches calls each with the batches of a log in their order, parsed, until it returns false. What
// earlier lines say of those of a batch, such as the columns, may not be known yet when it is
// parsed: then it is parsed again.
func batches(ctx context.Context, in *bufio.Reader, each func(*batch) (more bool)) {
	workers := runtime.GOMAXPROCS(0)
	stop := make(chan struct{})
	jobs, ordered := make(chan *batch, workers), make(chan *batch, 2*workers)
	var mu sync.Mutex
	var now Parser // after the last batch that was counted
	free := make(chan *batch, 4*workers)
	go func() {
		defer close(jobs)
		defer close(ordered)
		split(ctx, in, free, stop, func(b *batch) {
			select {
			case ordered <- b:
			case <-stop:
				return
			}
			select {
			case jobs <- b:
			case <-stop:
			}
		})
	}()
	for range workers {
		go func() {
			for b := range jobs {
				mu.Lock()
				p := now
				mu.Unlock()
				b.parse(p)
				b.done <- struct{}{}
			}
		}()
	}
	for b := range ordered {
		<-b.done
		if !b.before.same(&now) {
			b.parse(now)
		}
		mu.Lock()
		now = b.after
		mu.Unlock()
		if !each(b) {
			break
		}
		select {
		case free <- b:
		default:
		}
	}
	close(stop)
}

package cli

import (
	"fmt"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"

	"trustpool/internal/report"
)

// patience is how long a command is silent on a terminal.
const patience = time.Second

// A unit is what a progress counts.
type unit int

const (
	nothing unit = iota // it only shows that time passes
	items
	bytesRead
)

// A progress shows on a terminal how far work has come that takes longer than patience.
// The nil progress shows nothing.
type progress struct {
	app   *app
	timer *time.Timer
	shown atomic.Bool

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int64
}

// What fits beside each other on 80 columns, with the counts, the rate and the times.
const (
	whatWidth = 24
	barWidth  = 8
	lineWidth = 79
)

// progress begins to show work; done ends that. Work that is part of other work is not
// shown.
func (a *app) progress(of unit, format string, args ...any) *progress {
	if !a.env.Terminal || a.working != nil {
		return nil
	}
	p := &progress{app: a, total: -1}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p), progressbar.OptionSetDescription(report.Middle(report.Printable(fmt.Sprintf(format, args...)), whatWidth)),
		progressbar.OptionShowBytes(of == bytesRead), progressbar.OptionSetElapsedTime(true), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionSetWidth(barWidth), progressbar.OptionSpinnerType(9), progressbar.OptionSetTheme(progressbar.ThemeASCII),
	}
	if of != nothing {
		options = append(options, progressbar.OptionShowCount())
	}
	p.bar = progressbar.NewOptions64(-1, options...)
	p.timer = time.AfterFunc(patience, func() {
		p.shown.Store(true)
		p.add(0, p.size())
	})
	a.working = p
	p.bar.StartWithoutRender()
	return p
}

func (p *progress) size() int64 {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.total
}

// add says that n more are done of a total, which is below 0 if it is not known.
func (p *progress) add(n int, total int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	if total != p.total {
		p.bar.ChangeMax64(max(total, -1))
		p.total = total
	}
	_ = p.bar.Add(n) // its errors are of counts that cannot be shown
}

// Write takes what the bar draws.
func (p *progress) Write(b []byte) (int, error) {
	if !p.shown.Load() {
		return len(b), nil
	}
	return p.app.env.Stderr.Write(b)
}

// clear empties the line, for other text.
func (p *progress) clear() {
	if p != nil && p.shown.Load() {
		_, _ = io.WriteString(p.app.env.Stderr, "\r"+strings.Repeat(" ", lineWidth)+"\r")
	}
}

// done is the end of the work.
func (p *progress) done() {
	if p == nil {
		return
	}
	p.timer.Stop()
	_ = p.bar.Exit() // it draws no more
	p.clear()
	p.shown.Store(false)
	p.app.working = nil
}

// A countingReader tells a progress what is read of a size.
type countingReader struct {
	io.Reader
	p    *progress
	size int64
}

func (c countingReader) Read(b []byte) (int, error) {
	n, err := c.Reader.Read(b)
	c.p.add(n, c.size)
	return n, err
}

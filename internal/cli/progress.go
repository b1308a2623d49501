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
	app    *app
	of     *progress // the work that this is a part of, which is not shown while this is
	timer  *time.Timer
	shown  atomic.Bool
	hidden atomic.Bool // behind a part of it

	mu    sync.Mutex
	bar   *progressbar.ProgressBar
	total int64
	ended bool
}

// What fits beside each other on 80 columns, with the counts, the rate and the times.
const (
	whatWidth = 24
	barWidth  = 8
	lineWidth = 79
)

// progress begins to show work; done ends that. A part of other work takes its place
// once it takes long itself.
func (a *app) progress(of unit, format string, args ...any) *progress {
	if !a.env.Terminal {
		return nil
	}
	p := &progress{app: a, of: a.working, total: -1}
	options := []progressbar.Option{
		progressbar.OptionSetWriter(p), progressbar.OptionSetDescription(report.Middle(report.Printable(fmt.Sprintf(format, args...)), whatWidth)),
		progressbar.OptionShowBytes(of == bytesRead), progressbar.OptionSetElapsedTime(true), progressbar.OptionSetPredictTime(true),
		progressbar.OptionThrottle(100 * time.Millisecond), progressbar.OptionSetWidth(barWidth), progressbar.OptionSpinnerType(9), progressbar.OptionSetTheme(progressbar.ThemeASCII),
	}
	if of != nothing {
		options = append(options, progressbar.OptionShowCount())
	}
	p.bar = progressbar.NewOptions64(-1, options...)
	p.timer = time.AfterFunc(patience, p.show)
	a.working = p
	p.bar.StartWithoutRender()
	return p
}

func (p *progress) show() {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ended {
		return
	}
	if p.of != nil {
		p.of.erase()
		p.of.hidden.Store(true)
	}
	p.shown.Store(true)
	p.draw(0, p.total)
}

// add says that n more are done of a total, which is below 0 if it is not known.
func (p *progress) add(n int, total int64) {
	if p == nil {
		return
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.draw(n, total)
}

func (p *progress) draw(n int, total int64) {
	if total != p.total {
		p.bar.ChangeMax64(max(total, -1))
		p.total = total
	}
	_ = p.bar.Add(n) // its errors are of counts that cannot be shown
}

// Write takes what the bar draws.
func (p *progress) Write(b []byte) (int, error) {
	if !p.visible() {
		return len(b), nil
	}
	return p.app.env.Stderr.Write(b)
}

func (p *progress) visible() bool { return p.shown.Load() && !p.hidden.Load() }

// clear empties the line, for other text: that of p, or of the work that it is a part of.
func (p *progress) clear() {
	for ; p != nil; p = p.of {
		p.erase()
	}
}

func (p *progress) erase() {
	if p.visible() {
		_, _ = io.WriteString(p.app.env.Stderr, "\r"+strings.Repeat(" ", lineWidth)+"\r")
	}
}

// done is the end of the work.
func (p *progress) done() {
	if p == nil {
		return
	}
	p.timer.Stop()
	p.mu.Lock()
	p.ended = true
	p.mu.Unlock()
	_ = p.bar.Exit() // it draws no more
	p.erase()
	p.shown.Store(false)
	if p.of != nil {
		p.of.hidden.Store(false)
	}
	p.app.working = p.of
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

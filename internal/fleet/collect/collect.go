// Package collect reads the pool of every device over SSH, and keeps what each
// printed.
//
// Run connects to the devices of an inventory, several at a time, and writes one
// capture for each, DIR/NAME.txt, whole or not at all, as the device printed it; and
// DIR/.collect/NAME.json, which says when and how it was read, or why not. A device
// that is away, refuses, hangs, floods or speaks nonsense is a [Row] with its reason,
// and the others go on.
//
// # What is sent
//
// A device is sent a few commands that show things and set the size of the terminal,
// and nothing else: [Commands] lists them. Before the first prompt nothing is sent,
// and no question is answered. enable is sent only if there is a secret for it, and
// the secret only if it is asked for, once. The list is held to by [line.Write], below
// scrapligo, which has the conversation.
//
// # SSH
//
// [System] is the user's own ssh with the user's configuration, [Builtin] is for where
// there is none. Both check the host key against known hosts, always: nothing here
// switches that off, and no configuration does.
package collect

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/durable"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
)

// Limits and defaults of Run.
const (
	DefaultParallel = 20
	MaxParallel     = 500
	DefaultTimeout  = 2 * time.Minute
	DefaultMaxAge   = 24 * time.Hour
)

// Options are what is collected, and how.
type Options struct {
	Dir      string
	Devices  []inventory.Device
	Platform string // of devices that have none in the inventory
	SSH      SSH
	User     string // who logs in if the inventory does not say
	Secret   []byte // of enable; empty for none
	Parallel int    // 0 for DefaultParallel
	Timeout  time.Duration
	// Fresh is how old a capture may be to be left as it is; 0 reads all anew.
	Fresh time.Duration

	Now      func() time.Time
	Version  string // of the program, for the report
	Disk     *durable.Disk
	Progress func(done int) // called with 1 for each device; nil for nobody
}

// An SSH connects to devices: a [*System] or a [*Builtin].
type SSH interface {
	dialer
	// Name is system or builtin.
	Name() string
}

// Name is "system".
func (*System) Name() string { return "system" }

// Name is "builtin".
func (*Builtin) Name() string { return "builtin" }

// Commands are the commands that devices of a platform are sent, and no others; with a
// secret also enable.
func Commands(p device.Platform, secret bool) ([]string, error) {
	d, err := dialectOf(p)
	if err != nil {
		return nil, err
	}
	return d.commands(secret), nil
}

// Run collects from all devices. The error says that nothing could be done at all, or
// is the cause of the context's end. The devices of the report are in the order of the
// inventory.
func Run(ctx context.Context, o Options) (*Report, error) {
	o.Parallel, o.Timeout = cmp.Or(o.Parallel, DefaultParallel), cmp.Or(o.Timeout, DefaultTimeout)
	if o.Parallel < 1 || o.Parallel > MaxParallel {
		return nil, fmt.Errorf("%d devices at a time: give 1 to %d", o.Parallel, MaxParallel)
	}
	if o.Now == nil || o.SSH == nil || o.Disk == nil || o.Timeout < 0 {
		return nil, errors.New("collect: no clock, no SSH, no disk, or a timeout below 0")
	}
	if err := os.MkdirAll(o.Dir, 0o777); err != nil {
		return nil, err
	}
	root, err := os.OpenRoot(o.Dir)
	if err != nil {
		return nil, err
	}
	defer root.Close()
	if err := o.Disk.MkdirAll(root, inventory.RecordDir, 0o777); err != nil {
		return nil, err
	}
	r := &Report{Dir: o.Dir, SSH: o.SSH.Name(), Rows: make([]Row, len(o.Devices)), Evidence: report.NewEvidence(o.Version, o.Now())}
	c := &collector{Options: o, root: root}
	var workers sync.WaitGroup
	next := make(chan int)
	for range min(o.Parallel, len(o.Devices)) {
		workers.Go(func() {
			for i := range next {
				r.Rows[i] = c.device(ctx, &o.Devices[i])
				if o.Progress != nil {
					o.Progress(1)
				}
			}
		})
	}
	files := map[string]string{}
feed:
	for i := range o.Devices {
		d := &o.Devices[i]
		key := strings.ToLower(d.Name) // some systems make no difference
		if other, ok := files[key]; ok {
			r.Rows[i] = c.failedRow(d, &Failure{Name, fmt.Sprintf("its file would be that of %q on some systems", other)})
			continue
		}
		files[key] = d.Name
		select {
		case next <- i:
		case <-ctx.Done():
			break feed
		}
	}
	close(next)
	workers.Wait()
	if ctx.Err() != nil {
		return nil, context.Cause(ctx)
	}
	if c.err != nil {
		return nil, c.err
	}
	return r, nil
}

// A collector is one run.
type collector struct {
	Options
	root *os.Root

	mu  sync.Mutex
	err error // of writing the first file that could not be written
}

func (c *collector) failedRow(d *inventory.Device, f *Failure) Row {
	return Row{Name: d.Name, Platform: d.Platform, Host: d.Host, Port: d.Port, Outcome: Failed, Failure: f, Began: c.Now().UTC(), Ended: c.Now().UTC()}
}

// device reads one device, and writes its files.
func (c *collector) device(ctx context.Context, d *inventory.Device) Row {
	if err := inventory.CheckFile(d.Name); err != nil {
		return c.failedRow(d, &Failure{Name, err.Error()})
	}
	if name := d.Name + ".txt"; !filepath.IsLocal(name) {
		return c.failedRow(d, &Failure{Name, fmt.Sprintf("%q cannot be the name of a file", name)})
	}
	before := c.before(d.Name)
	if before.fresh(c.root, c.Now(), c.Fresh) {
		row := *before
		row.Outcome = Fresh
		return row
	}
	row := c.failedRow(d, nil)
	text, err := c.read(ctx, d, &row)
	row.Ended = c.Now().UTC()
	if ctx.Err() != nil {
		return row // nothing is written any more
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		row.Failure = f
	}
	if text != nil {
		sum := sha256.Sum256(text)
		row.Capture = &Capture{File: d.Name + ".txt", At: row.Ended, Bytes: len(text), SHA256: hex.EncodeToString(sum[:])}
		c.note(c.Disk.Put(c.root, row.Capture.File, text, 0o666))
	} else if before != nil {
		row.Capture = before.Capture // of an earlier time, which is still there
	}
	c.note(c.writeRecord(&row))
	return row
}

// note keeps the first error of writing.
func (c *collector) note(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil && err != nil {
		c.err = err
	}
}

// read reads the pool of one device, and sets the outcome. What was printed is nil if it
// is not worth keeping. The error is a *Failure.
func (c *collector) read(ctx context.Context, d *inventory.Device, row *Row) ([]byte, error) {
	name := cmp.Or(d.Platform, c.Platform)
	if name == "" {
		return nil, &Failure{Platform, "its platform is not known: name it in the inventory"}
	}
	p, err := device.Lookup(name)
	if err != nil {
		return nil, &Failure{Platform, err.Error()}
	}
	row.Platform = p.Name
	dialect, err := dialectOf(p)
	if err != nil {
		return nil, &Failure{Platform, err.Error()}
	}
	if d.Host == "" {
		return nil, &Failure{Address, "the inventory has no address or host name to connect to"}
	}
	row.SSH, row.Command = c.SSH.Name(), dialect.show
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	conn, err := c.SSH.dial(ctx, target{d.Host, d.Port, cmp.Or(d.User, c.User)})
	if err != nil {
		return nil, err
	}
	l := newLine(conn, dialect.commands(len(c.Secret) > 0))
	defer l.Close()
	defer context.AfterFunc(ctx, func() { _ = l.Close() })()
	s, err := converse(ctx, l, dialect, c.Secret, c.Timeout, quiet)
	if err != nil {
		return nil, err
	}
	text := l.printed(0)
	row.Outcome = Collected
	if dialect.readable {
		if _, err := device.ReadListing(text, p, c.Now()); err != nil {
			row.Outcome = Unreadable
			return text, &Failure{Nonsense, err.Error()}
		}
	} else if strings.TrimSpace(string(text[s.shown[0]:s.shown[1]])) == "" {
		row.Outcome = Unreadable
		return text, &Failure{Nonsense, fmt.Sprintf("it printed nothing after %q", dialect.show)}
	}
	return text, nil
}

// before is the row of a device at the last time; nil if there is none that can be read.
func (c *collector) before(name string) *Row {
	file := inventory.RecordFile(name)
	if fi, err := c.root.Stat(file); err != nil || !fi.Mode().IsRegular() || fi.Size() > inventory.MaxRecord {
		return nil
	}
	data, err := c.root.ReadFile(file)
	if err != nil {
		return nil
	}
	row, err := readRecord(data)
	if err != nil || row.Name != name || row.Capture != nil && row.Capture.File != name+".txt" {
		return nil
	}
	return row
}

// fresh reports whether a row is of a capture that need not be read anew.
func (r *Row) fresh(root *os.Root, now time.Time, maxAge time.Duration) bool {
	if r == nil || maxAge <= 0 || r.Capture == nil || !slices.Contains([]Outcome{Collected, Fresh}, r.Outcome) {
		return false
	}
	if age := now.Sub(r.Capture.At); age < 0 || age > maxAge {
		return false
	}
	fi, err := root.Stat(r.Capture.File)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == int64(r.Capture.Bytes)
}

// readRecord reads what writeRecord wrote.
func readRecord(data []byte) (*Row, error) {
	var r record
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if r.Schema != Schema {
		return nil, fmt.Errorf("schema %q", r.Schema)
	}
	return r.row()
}

// writeRecord says how a capture came about, or why not.
func (c *collector) writeRecord(row *Row) error {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, record{Schema, "trustpool", report.Optional(c.Version), row.json()}); err != nil {
		return err
	}
	return c.Disk.Put(c.root, inventory.RecordFile(row.Name), b.Bytes(), 0o666)
}

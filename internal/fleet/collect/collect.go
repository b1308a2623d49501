// Package collect reads the pool of every device over SSH, and keeps what each
// printed.
//
// Run connects to the devices of an inventory, several at a time, and writes one
// capture for each, DIR/NAME.txt, whole or not at all, as the device printed it; and
// DIR/.collect/NAME.json, which says when and how it was read, or why not. A device
// that is away, refuses, hangs, floods or speaks nonsense is a [record.Row] with its reason,
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
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"trustpool/internal/device"
	"trustpool/internal/durable"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
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
	// Name is system or builtin.
	Name() string
	// dial connects to the terminal of a device, and has checked its host key. What it
	// returns ends with the context. Errors are a *Failure.
	dial(ctx context.Context, t target) (io.ReadWriteCloser, error)
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
	if err := o.Disk.MkdirAll(root, record.Dir, 0o777); err != nil {
		return nil, err
	}
	r := &Report{Dir: o.Dir, Rows: make([]record.Row, len(o.Devices)), Evidence: report.NewEvidence(o.Version, o.Now())}
	c := &collector{Options: o, root: root}
	files := map[string]string{}
	for i := range o.Devices {
		d := &o.Devices[i]
		key := strings.ToLower(d.Name) // some systems make no difference
		if other, ok := files[key]; ok {
			r.Rows[i] = c.failedRow(d, Name, fmt.Sprintf("its file would be that of %q on some systems", other))
		} else {
			files[key] = d.Name
		}
	}
	inventory.Each(ctx, o.Devices, o.Parallel, func(i int) {
		if r.Rows[i].Outcome != "" {
			return
		}
		r.Rows[i] = c.device(ctx, &o.Devices[i])
		if o.Progress != nil {
			o.Progress(1)
		}
	})
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

// failedRow is the row of a device that is not collected.
func (c *collector) failedRow(d *inventory.Device, reason Reason, detail string) record.Row {
	now := report.Moment{Time: c.Now().UTC()}
	return record.Row{
		Name: d.Name, Platform: report.Text(d.Platform), Host: report.Text(d.Host), Port: report.Optional(d.Port),
		Began: now, Ended: now, Outcome: record.Failed, Reason: reason, Detail: report.Text(detail),
	}
}

// device reads one device, and writes its files.
func (c *collector) device(ctx context.Context, d *inventory.Device) record.Row {
	if err := inventory.CheckFile(d.Name); err != nil {
		return c.failedRow(d, Name, err.Error())
	}
	file := d.Name + ".txt"
	if !filepath.IsLocal(file) {
		return c.failedRow(d, Name, fmt.Sprintf("%q cannot be the name of a file", file))
	}
	before := c.before(d.Name)
	if c.fresh(before) {
		before.Outcome = record.Fresh
		return *before
	}
	row := c.failedRow(d, "", "")
	text, err := c.read(ctx, d, &row)
	row.Ended.Time = c.Now().UTC()
	if ctx.Err() != nil {
		return row // nothing is written any more
	}
	if f, ok := errors.AsType[*Failure](err); ok {
		row.Reason, row.Detail = f.Reason, report.Text(f.Detail)
	}
	if text != nil {
		sum := sha256.Sum256(text)
		row.Capture = &record.Capture{File: file, At: row.Ended, Bytes: len(text), SHA256: hex.EncodeToString(sum[:])}
		c.note(c.Disk.Put(c.root, file, text, 0o666))
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
func (c *collector) read(ctx context.Context, d *inventory.Device, row *record.Row) ([]byte, error) {
	name := cmp.Or(d.Platform, c.Platform)
	if name == "" {
		return nil, &Failure{Platform, "its platform is not known: name it in the inventory"}
	}
	p, err := device.Lookup(name)
	if err != nil {
		return nil, &Failure{Platform, err.Error()}
	}
	row.Platform = report.Text(p.Name)
	dialect, err := dialectOf(p)
	if err != nil {
		return nil, &Failure{Platform, err.Error()}
	}
	if d.Host == "" {
		return nil, &Failure{Address, "the inventory has no address or host name to connect to"}
	}
	row.SSH, row.Command = report.Text(c.SSH.Name()), report.Text(dialect.show)
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
	row.Outcome = record.Collected
	if dialect.readable {
		if _, err := device.ReadListing(text, p, c.Now()); err != nil {
			row.Outcome = record.Unreadable
			return text, &Failure{Nonsense, err.Error()}
		}
	} else if strings.TrimSpace(string(text[s.shown[0]:s.shown[1]])) == "" {
		row.Outcome = record.Unreadable
		return text, &Failure{Nonsense, fmt.Sprintf("it printed nothing after %q", dialect.show)}
	}
	return text, nil
}

// before is the row of a device at the last time; nil if there is none that can be read.
func (c *collector) before(name string) *record.Row {
	file := record.File(name)
	if fi, err := c.root.Stat(file); err != nil || !fi.Mode().IsRegular() || fi.Size() > record.MaxBytes {
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
func (c *collector) fresh(r *record.Row) bool {
	if r == nil || c.Fresh <= 0 || r.Capture == nil || r.Outcome != record.Collected && r.Outcome != record.Fresh {
		return false
	}
	if age := c.Now().Sub(r.Capture.At.Time); age < 0 || age > c.Fresh {
		return false
	}
	fi, err := c.root.Stat(r.Capture.File)
	return err == nil && fi.Mode().IsRegular() && fi.Size() == int64(r.Capture.Bytes)
}

// A recordJSON is the JSON of the file about one device.
type recordJSON struct {
	Schema  string      `json:"schema"`
	Tool    string      `json:"tool"`
	Version report.Text `json:"version"`
	record.Row
}

// readRecord reads what writeRecord wrote.
func readRecord(data []byte) (*record.Row, error) {
	var r recordJSON
	if err := json.Unmarshal(data, &r); err != nil {
		return nil, err
	}
	if r.Schema != Schema || !slices.Contains(record.Outcomes(), r.Outcome) || r.Began.IsZero() || r.Ended.IsZero() {
		return nil, fmt.Errorf("schema %q, outcome %q, from %v to %v", r.Schema, r.Outcome, r.Began, r.Ended)
	}
	return &r.Row, nil
}

// writeRecord says how a capture came about, or why not.
func (c *collector) writeRecord(row *record.Row) error {
	var b bytes.Buffer
	if err := report.WriteJSON(&b, recordJSON{Schema, "trustpool", report.Text(c.Version), *row}); err != nil {
		return err
	}
	return c.Disk.Put(c.root, record.File(row.Name), b.Bytes(), 0o666)
}

// Package fetch reads bytes from where a user points: a file, a directory, standard input or an http(s) URL.
//
// Every read is bounded in size, every fetch in time and redirects. The bytes are handed over as they are: fetch knows
// nothing of what they mean, decompresses nothing and believes no Content-Type. It is the one place of the module that
// holds an HTTP client.
package fetch

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Limits. Those with an option of the same meaning are what its zero value means.
const (
	DefaultMaxBytes      = 256 << 20        // Options.MaxBytes
	DefaultTimeout       = 2 * time.Minute  // Options.Timeout
	DefaultHeaderTimeout = 30 * time.Second // Options.HeaderTimeout
	MaxRedirects         = 5                // followed for one URL
	MaxFiles             = 100_000          // entries of one directory
	MaxETag              = 1 << 10          // bytes of an ETag
	SniffBytes           = 65 << 10         // of a source, at most, given to Options.Sniff
)

// ErrOffline is the reason of a refused URL when Options.Offline is set.
var ErrOffline = errors.New("not fetched because of --offline")

// ErrNotModified is the error if a server still has the version that Options.ETag names.
var ErrNotModified = errors.New("not modified")

// TooLargeError says that a source is over the limit. Nothing of it is returned.
type TooLargeError struct {
	Name  string
	Size  int64 // as announced, -1 if it is not known
	Limit int64
	Total bool // the limit was passed by the files of a directory together, and Name is the one at which it was
}

func (e *TooLargeError) Error() string {
	had := "it has more than"
	if e.Total {
		had = "with it the files of the directory have more than"
	}
	if e.Size < 0 {
		return fmt.Sprintf("%s: %s %s, which is the limit; --max-size raises it", e.Name, had, size(e.Limit))
	}
	return fmt.Sprintf("%s: it has %s, and the limit is %s; --max-size raises it", e.Name, size(e.Size), size(e.Limit))
}

// size spells a number of bytes as a person would if that loses nothing.
func size(n int64) string {
	if n >= 1<<20 && n%(1<<20) == 0 {
		return fmt.Sprintf("%d MiB", n>>20)
	}
	return fmt.Sprintf("%d bytes", n)
}

// Options are the limits of a read. The zero value is useful.
type Options struct {
	// MaxBytes is the most that is read, of a directory the sum. Zero means DefaultMaxBytes.
	MaxBytes int64
	// Stdin is what "-" reads.
	Stdin io.Reader
	// Sniff, if set, sees the beginning of each source, up to SniffBytes and all of a shorter one, before the rest is read.
	// Its error ends the read, so that an endless stream of something else costs nothing. A length above 0 is that of the
	// whole source as its beginning states it: one byte more is read, to show that there is more, and no further.
	Sniff func(prefix []byte) (length int64, err error)

	// Directory says what becomes of what is in a directory and is not simply read.
	Directory Directory

	// Progress, if set, is told of each part that was read: how many bytes it has, and the size of the source, or -1 if that is
	// not known. Of a directory it is not.
	Progress func(n int, size int64)

	// ETag makes a fetch conditional (RFC 9110 section 13.1.2): the error is ErrNotModified if the server still has that version.
	ETag string
	// Offline refuses every URL with ErrOffline.
	Offline bool
	// Timeout is for a whole fetch, redirects and body included. Zero means DefaultTimeout.
	Timeout time.Duration
	// HeaderTimeout is for one answer to begin. Zero means DefaultHeaderTimeout.
	HeaderTimeout time.Duration
	// UserAgent is the header of that name. Empty means "trustpool".
	UserAgent string

	client clientOptions // set by tests only
}

func (o Options) withDefaults() (Options, error) {
	if o.MaxBytes < 0 || o.Timeout < 0 || o.HeaderTimeout < 0 {
		return o, errors.New("fetch: a limit is negative")
	}
	o.MaxBytes = cmp.Or(o.MaxBytes, DefaultMaxBytes)
	o.MaxBytes = min(o.MaxBytes, math.MaxInt-1) // room for the byte that shows that there is more
	o.Timeout = cmp.Or(o.Timeout, DefaultTimeout)
	o.HeaderTimeout = cmp.Or(o.HeaderTimeout, DefaultHeaderTimeout)
	o.UserAgent = cmp.Or(o.UserAgent, "trustpool")
	return o, nil
}

// Directory says what becomes of what is in a directory and is not simply read. Its zero value makes an error of a file
// that cannot be read, and passes over everything else in silence.
type Directory struct {
	// Companion, if set, reports by its name whether a file goes with others and is passed over.
	Companion func(name string) bool
	// Wanted, if set, sees the beginning of a companion, up to SniffBytes, and reports whether it is read all the same.
	Wanted func(prefix []byte) bool
	// Passed, if set, is told of what is passed over.
	Passed func(path string, why Passed)
	// Unreadable, if set, is told of a file that cannot be read or that Sniff refuses, and reports whether to go on.
	Unreadable func(path string, err error) bool
}

// Passed is why something in a directory is passed over.
type Passed string

// What is passed over.
const (
	PassedHidden    Passed = "hidden file"
	PassedCompanion Passed = "companion file"
	PassedLink      Passed = "link to a file that was read"
	PassedDirectory Passed = "directory"
	PassedSpecial   Passed = "special file" // a socket, a device, a FIFO
)

// File is one source, read whole.
type File struct {
	Name string // as the user gave it, of a URL without user and query; of a file in a directory the joined path
	Data []byte
	// ETag is what a server calls this version of the file (RFC 9110 section 8.8.3). It is empty if the server does not, or
	// with more than MaxETag bytes, and for what was not fetched.
	ETag string
	// Encoding is the Content-Encoding with which a server sent Data, though it was asked for none; empty for none.
	Encoding string
}

// Read reads what name says: "-" is o.Stdin, an http(s) URL is fetched, anything else is a path. A directory gives
// a File for each regular file in it, or symbolic link to one, in byte order of their names, and each once. Hidden files
// and whatever is not a regular file are passed over, and o.Directory is told; one that cannot be read is an error.
// Everything else gives one File.
//
// When ctx ends, Read returns at once, and a read that the system cannot interrupt, as of a terminal or a FIFO, is left
// behind: o.Stdin is not to be used after that.
func Read(ctx context.Context, name string, o Options) ([]File, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if IsURL(name) {
		scheme, _, _ := strings.Cut(name, "://")
		f, err := fetchURL(ctx, name, strings.ToLower(scheme), o)
		if err != nil {
			return nil, err
		}
		return []File{f}, nil
	}
	if fi, err := os.Stat(name); err == nil && fi.Mode().IsRegular() { // never waits, so that nothing need interrupt it
		return readPath(name, o)
	}
	return interruptible(ctx, name, func() ([]File, error) {
		switch name {
		case "":
			return nil, errors.New("the name of a file is empty")
		case "-":
			return readStdin(o)
		}
		return readPath(name, o)
	})
}

// interruptible runs read and stops waiting for it when ctx ends.
func interruptible(ctx context.Context, name string, read func() ([]File, error)) ([]File, error) {
	type result struct {
		files []File
		err   error
	}
	done := make(chan result, 1)
	go func() {
		files, err := read()
		done <- result{files, err}
	}()
	select {
	case r := <-done:
		return r.files, r.err
	case <-ctx.Done():
		return nil, fmt.Errorf("%s: %w", name, context.Cause(ctx))
	}
}

func readStdin(o Options) ([]File, error) {
	if o.Stdin == nil {
		return nil, errors.New("stdin: there is none")
	}
	var hint int64
	if f, ok := o.Stdin.(*os.File); ok { // redirected from a file: the buffer can have its final size at once
		if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
			hint = fi.Size()
		}
	}
	return o.readOne(o.Stdin, "-", "stdin", hint)
}

// readOne reads the one file of a name, which errors call something else.
func (o Options) readOne(r io.Reader, name, called string, hint int64) ([]File, error) {
	data, err := readAll(o.watched(r, hint), called, hint, o.MaxBytes, o.Sniff)
	if err != nil {
		return nil, err
	}
	return []File{{Name: name, Data: data}}, nil
}

func readPath(name string, o Options) ([]File, error) {
	f, err := os.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	fi, err := f.Stat()
	if err != nil {
		return nil, err
	}
	if fi.IsDir() {
		return readDir(f, name, MaxFiles, o)
	}
	var hint int64 // of a device or FIFO the size means nothing
	if fi.Mode().IsRegular() {
		hint = fi.Size()
		if hint > o.MaxBytes {
			return nil, &TooLargeError{Name: name, Size: hint, Limit: o.MaxBytes}
		}
	}
	return o.readOne(f, name, name, hint)
}

// readDir reads the files of d, at most maxEntries names and o.MaxBytes together.
func readDir(d *os.File, dir string, maxEntries int, o Options) ([]File, error) {
	entries, err := d.ReadDir(maxEntries + 1)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if len(entries) > maxEntries {
		return nil, fmt.Errorf("%s: the directory has more than %d entries, which is the limit", dir, maxEntries)
	}
	slices.SortFunc(entries, func(a, b fs.DirEntry) int { return strings.Compare(a.Name(), b.Name()) })
	var files []File
	left := o
	if o.Progress != nil {
		left.Progress = func(n int, _ int64) { o.Progress(n, -1) }
	}
	skipped := false
	seen := map[string]bool{} // what links lead to
	for _, e := range entries {
		path := filepath.Join(dir, e.Name())
		why, err := passedOver(path, e, o.Directory, seen)
		if why != "" {
			if o.Directory.Passed != nil {
				o.Directory.Passed(path, why)
			}
			continue
		}
		var one []File
		if err == nil {
			one, err = readPath(path, left)
		}
		if _, ok := errors.AsType[*TooLargeError](err); ok {
			return nil, &TooLargeError{Name: path, Size: -1, Limit: o.MaxBytes, Total: true}
		}
		if err != nil {
			if o.Directory.Unreadable == nil || !o.Directory.Unreadable(path, err) {
				return nil, err
			}
			skipped = true
			continue
		}
		for _, f := range one {
			left.MaxBytes -= int64(len(f.Data))
		}
		files = append(files, one...)
	}
	if len(files) == 0 && skipped {
		return nil, fmt.Errorf("%s: there are no files in this directory that can be read", dir)
	}
	if len(files) == 0 {
		return nil, fmt.Errorf("%s: there are no files in this directory", dir)
	}
	return files, nil
}

// passedOver says why an entry of a directory is not read; empty if it is. seen are the files that were read.
func passedOver(path string, e fs.DirEntry, d Directory, seen map[string]bool) (Passed, error) {
	mode := e.Type()
	if mode&fs.ModeSymlink != 0 && !strings.HasPrefix(e.Name(), ".") {
		fi, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			return "", fmt.Errorf("%s: a link to a file that does not exist: remove it, or give --skip-unreadable: %w", path, fs.ErrNotExist)
		} else if err != nil {
			return "", err
		}
		mode = fi.Mode().Type()
	}
	switch {
	case mode.IsDir():
		return PassedDirectory, nil
	case strings.HasPrefix(e.Name(), "."):
		return PassedHidden, nil
	case !mode.IsRegular(): // known before opening: to open a FIFO is to wait for its writer
		return PassedSpecial, nil
	case d.Companion != nil && d.Companion(e.Name()):
		if wanted, err := d.wanted(path); err != nil {
			return "", err
		} else if !wanted {
			return PassedCompanion, nil
		}
	}
	// Root stores name each file once more by the hash of its subject.
	target, err := filepath.EvalSymlinks(path)
	if err != nil {
		return "", err
	}
	if seen[target] {
		return PassedLink, nil
	}
	seen[target] = true
	return "", nil
}

// watched is r, of which o.Progress is told. size is not positive if it is not known.
func (o Options) watched(r io.Reader, size int64) io.Reader {
	if o.Progress == nil {
		return r
	}
	if size <= 0 {
		size = -1
	}
	return io.TeeReader(r, counter(func(n int) { o.Progress(n, size) }))
}

// A counter is told how many bytes are written to it.
type counter func(int)

func (c counter) Write(p []byte) (int, error) {
	c(len(p))
	return len(p), nil
}

// wanted reports whether a companion is read by what its beginning holds.
func (d Directory) wanted(path string) (bool, error) {
	if d.Wanted == nil {
		return false, nil
	}
	prefix, err := ReadAtMost(path, SniffBytes-1)
	return err == nil && d.Wanted(prefix), err
}

// readAll reads r to its end, at most limit bytes. hint is the size of the regular file that r is, or what a server says, and not
// positive if neither is known.
func readAll(r io.Reader, name string, hint, limit int64, sniff func([]byte) (int64, error)) ([]byte, error) {
	source := &io.LimitedReader{R: r, N: limit + 1} // one byte more than is allowed tells "at the limit" from "over it"
	in := bufio.NewReaderSize(source, SniffBytes)
	data, end := in.Peek(SniffBytes)
	if end != nil && end != io.EOF {
		return nil, naming(name, end)
	}
	room := limit + 1
	if sniff != nil {
		length, err := sniff(data)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
		if length > limit {
			return nil, &TooLargeError{Name: name, Size: length, Limit: limit}
		}
		if length > 0 {
			room = length + 1
			source.N = max(0, min(source.N, room-int64(len(data))))
		}
	}
	if end == io.EOF {
		data = slices.Clone(data)
	} else {
		buf := bytes.NewBuffer(make([]byte, 0, max(hint, 0)+bytes.MinRead)) // which is room to see the end without growing
		if _, err := buf.ReadFrom(in); err != nil {
			return nil, naming(name, err)
		}
		data = buf.Bytes()
	}
	if int64(len(data)) > limit && room > limit {
		return nil, &TooLargeError{Name: name, Size: -1, Limit: limit}
	}
	return data[:min(int64(len(data)), room)], nil
}

// naming makes err say which source it is about; the errors of os do so themselves.
func naming(name string, err error) error {
	if _, ok := errors.AsType[*fs.PathError](err); ok {
		return err
	}
	if errors.Is(err, io.ErrUnexpectedEOF) { // of a body that is shorter than its Content-Length
		return fmt.Errorf("%s: it was cut short: %w", name, err)
	}
	return fmt.Errorf("%s: %w", name, err)
}

// ReadAtMost reads a file, and of one with more than most bytes one byte more than that.
func ReadAtMost(path string, most int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, most+1))
}

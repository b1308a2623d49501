package doctor

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/tls"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"trustpool/internal/device"
)

// A probe is one request, on a connection of its own.
type probe struct {
	id     string
	as     string // which client it asks as, or what it tries
	ground device.Ground
	method string
	target string // empty for that of the URL
	proto  string
	noHost bool // without the header Host
	header []string
	close  bool // see whether the server closes the connection, and sends nothing before
}

// An answer is what came back. Of a body only its hash is kept, and the bytes
// if they are asked for.
type answer struct {
	probe   *probe
	err     error // there was no answer, or it could not be read
	proto   string
	status  int
	header  http.Header
	length  int64 // Content-Length, -1 if there is none
	chunked bool
	n       int64 // bytes of the body
	sum     [sha256.Size]byte
	body    []byte
	end     ending
	late    bool // err is that time was up
}

// An ending is how a connection ended.
type ending int

const (
	notWatched ending = iota
	closed            // by the server, as it was asked to
	stayedOpen
	saidMore // bytes followed the answer
)

// Limits of one answer. That of a body is Options.MaxBytes.
const (
	maxHeader  = 64 << 10        // bytes
	maxInterim = 8               // answers with status 1xx before the final one
	closeWait  = 2 * time.Second // for the server to close the connection
	maxLate    = 3               // answers that do not come in time, one after the other; then no more is asked
)

// describe says in words what came.
func (a *answer) describe() string {
	location := a.header.Get("Location")
	if u, err := url.Parse(location); err != nil { // and is not repeated: there may be a password in it
		location = "what is not a URL"
	} else {
		location = shown(u)
	}
	switch {
	case a.err != nil:
		return a.err.Error()
	case location != "":
		return fmt.Sprintf("%s %d, to %s", a.proto, a.status, location)
	case a.status == http.StatusOK:
		return fmt.Sprintf("%s %d, %d bytes", a.proto, a.status, a.n)
	}
	return strings.TrimSpace(fmt.Sprintf("%s %d %s", a.proto, a.status, http.StatusText(a.status)))
}

// A dialError says that there was no connection.
type dialError struct{ error }

func (e dialError) Unwrap() error { return e.error }

// ask sends a probe and reads the answer.
func (e *exam) ask(ctx context.Context, p *probe, keep bool) *answer {
	timed, cancel := context.WithTimeout(ctx, e.o.Timeout)
	defer cancel()
	a, err := e.exchange(timed, p, keep)
	if err == nil {
		err = a.err
	}
	if a.err = err; err != nil && timed.Err() != nil && !errors.As(err, new(dialError)) {
		a.late = true
		a.err = fmt.Errorf("no whole answer within %v; %d bytes of a body had come", e.o.Timeout, a.n)
	}
	a.probe = p
	return a
}

func (e *exam) exchange(ctx context.Context, p *probe, keep bool) (*answer, error) {
	conn, err := e.dial(ctx)
	if err != nil {
		return new(answer), err
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	// A server may answer and close before it has read all: its answer counts.
	_, writeErr := io.WriteString(conn, e.request(p))
	from := &io.LimitedReader{R: conn}
	in := bufio.NewReader(from)
	a := readAnswer(in, from, p.method, e.o.MaxBytes, keep)
	if writeErr != nil && a.err != nil {
		return a, writeErr
	}
	if a.err == nil && p.close {
		from.N = 1
		a.end = watch(ctx, conn, in)
	}
	return a, nil
}

// dial connects, and over https shakes hands with TLS 1.2 at most, unless that
// has failed before.
func (e *exam) dial(ctx context.Context) (net.Conn, error) {
	port := e.u.Port()
	if port == "" {
		port = "80"
		if e.https {
			port = "443"
		}
	}
	raw, err := e.o.Dial(ctx, "tcp", net.JoinHostPort(e.u.Hostname(), port))
	if err != nil {
		return nil, dialError{err}
	}
	if !e.https {
		return raw, nil
	}
	// Who the server is, is judged by the checks, and said.
	conn := tls.Client(raw, &tls.Config{ServerName: e.u.Hostname(), InsecureSkipVerify: true, MinVersion: tls.VersionTLS10, MaxVersion: e.maxTLS})
	if err := conn.HandshakeContext(ctx); err != nil {
		raw.Close()
		return nil, fmt.Errorf("TLS: %w", err)
	}
	state := conn.ConnectionState()
	e.tls = &state
	return conn, nil
}

// request is what a probe sends.
func (e *exam) request(p *probe) string {
	var b strings.Builder
	target := p.target
	if target == "" {
		target = e.u.RequestURI()
	}
	fmt.Fprintf(&b, "%s %s %s\r\n", p.method, target, p.proto)
	if !p.noHost {
		fmt.Fprintf(&b, "Host: %s\r\n", e.u.Host)
	}
	if e.u.User != nil {
		password, _ := e.u.User.Password()
		fmt.Fprintf(&b, "Authorization: Basic %s\r\n", base64.StdEncoding.EncodeToString([]byte(e.u.User.Username()+":"+password)))
	}
	// A log tells these requests from those of the devices that they are like.
	b.WriteString("Referer: trustpool-doctor\r\n")
	for _, h := range p.header {
		b.WriteString(h + "\r\n")
	}
	b.WriteString("\r\n")
	return b.String()
}

// readAnswer reads one answer to a request with the given method from in, which
// reads from: the header of at most maxHeader bytes, the body of at most maxBytes.
func readAnswer(in *bufio.Reader, from *io.LimitedReader, method string, maxBytes int64, keep bool) *answer {
	a := &answer{length: -1}
	fail := func(err error) *answer {
		a.err = err
		return a
	}
	from.N = maxHeader
	var resp *http.Response
	for i := 0; ; i++ {
		var err error
		if resp, err = http.ReadResponse(in, &http.Request{Method: method}); err != nil {
			switch {
			case from.N <= 0:
				err = fmt.Errorf("the header of the answer has more than %d bytes", maxHeader)
			case errors.Is(err, io.ErrUnexpectedEOF):
				err = errors.New("the connection ended before there was an answer")
			default:
				err = fmt.Errorf("no answer of HTTP/1: %w", err)
			}
			return fail(err)
		}
		if resp.StatusCode >= 200 {
			break
		}
		if i == maxInterim || resp.StatusCode == http.StatusSwitchingProtocols {
			return fail(fmt.Errorf("status %d, which nobody asked for", resp.StatusCode))
		}
	}
	defer resp.Body.Close()
	a.proto, a.status, a.header = fmt.Sprintf("HTTP/%d.%d", resp.ProtoMajor, resp.ProtoMinor), resp.StatusCode, resp.Header
	a.chunked = len(resp.TransferEncoding) > 0
	if resp.Header.Get("Content-Length") != "" && !a.chunked {
		a.length = resp.ContentLength
	}
	from.N = maxBytes + maxHeader // and what chunks need
	hash := sha256.New()
	var to io.Writer = hash
	var kept bytes.Buffer
	if keep {
		to = io.MultiWriter(hash, &kept)
	}
	var err error
	a.n, err = io.Copy(to, io.LimitReader(resp.Body, maxBytes+1))
	hash.Sum(a.sum[:0])
	a.body = kept.Bytes()
	switch {
	case a.n > maxBytes || from.N <= 0:
		return fail(fmt.Errorf("the body has more than %d bytes, which is the limit", maxBytes))
	case errors.Is(err, io.ErrUnexpectedEOF) && a.length >= 0:
		return fail(fmt.Errorf("the body was cut short: %d bytes of %d", a.n, a.length))
	case err != nil:
		return fail(fmt.Errorf("the body cannot be read after %d bytes: %w", a.n, err))
	}
	return a
}

// watch waits for the server to close the connection, until ctx ends at most.
func watch(ctx context.Context, conn net.Conn, in *bufio.Reader) ending {
	if in.Buffered() > 0 {
		return saidMore
	}
	ctx, cancel := context.WithTimeout(ctx, closeWait)
	defer cancel()
	defer context.AfterFunc(ctx, func() { conn.Close() })()
	switch _, err := in.ReadByte(); {
	case err == nil:
		return saidMore
	case ctx.Err() != nil: // who closed it is this side
		return stayedOpen
	}
	return closed
}

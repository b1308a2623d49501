// Package doctor grades a server of trust bundles: it fetches one as devices
// would, and in other ways that show what a server does, and says of each check
// what it found, why it matters to a device and on what ground, and what to do.
//
// The requests are written to the connection as they are, one connection each, and
// nothing is followed or decoded: a client for people makes up for much that a
// device would trip over. No proxy is used.
package doctor

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// What a zero option means.
const (
	DefaultTimeout  = 30 * time.Second
	defaultMaxBytes = 16 << 20
)

// MaxURL is the longest URL that is examined, in bytes.
const MaxURL = 8 << 10

// Options say what to examine. URL and At must be set.
type Options struct {
	URL     string
	Anchors []roots.Anchor // to verify the bundle under; none means the built-in ones
	At      time.Time      // to judge certificates at
	Limits  bundle.Limits  // of the bundle
	// MaxBytes is the most that is read of one answer, Timeout how long it may take.
	MaxBytes int64
	Timeout  time.Duration
	// Dial connects; nil means a net.Dialer.
	Dial func(ctx context.Context, network, address string) (net.Conn, error)
}

// A Result is what a check found.
type Result string

// The results.
const (
	OK      Result = "ok"
	Warning Result = "warning" // devices that are known get on with it, or no one knows
	Fail    Result = "fail"    // a device may get nothing, or something else
	Skipped Result = "skipped" // nothing to judge; the detail says why
)

// A Check is one thing that was looked at.
type Check struct {
	ID            string `json:"id"` // stable
	Title         string `json:"title"`
	Result        Result `json:"result"`
	Detail        string `json:"detail"` // what was found
	Why           string `json:"why"`    // what it means to a device, on Ground
	device.Ground        // of Why
	Fix           string `json:"fix"` // what to do if it is not ok
}

// A Request is one request that was made.
type Request struct {
	ID            string `json:"id"`
	Line          string `json:"line"` // as it was sent, without query: in signed URLs that is a credential
	As            string `json:"as"`   // which client it asks as, or what it tries
	device.Ground        // of As
	Answer        string `json:"answer"` // in words
	Status        *int   `json:"status"` // nil if there was no answer
	Bytes         int64  `json:"size"`   // of the body
	Chunked       bool   `json:"chunked"`
}

// A Report is the grade of a server.
type Report struct {
	URL       string // without credentials
	At        *time.Time
	Bundle    *bundle.Bundle  // nil if none came
	Signature *signing.Report // likewise
	Checks    []Check
	Requests  []Request
}

// Count is how many checks had a result.
func (r *Report) Count(result Result) int {
	n := 0
	for i := range r.Checks {
		if r.Checks[i].Result == result {
			n++
		}
	}
	return n
}

// OK reports whether no check failed.
func (r *Report) OK() bool { return r.Count(Fail) == 0 }

// exam is an examination under way.
type exam struct {
	o      Options
	u      *url.URL
	https  bool
	maxTLS uint16
	tls    *tls.ConnectionState // of the last connection
	tls12  error                // why there was none with TLS 1.2

	got       map[string]*answer
	file      *answer // the first answer that is a whole file
	fileBody  []byte
	bundle    *bundle.Bundle
	parseErr  error
	signature *signing.Report
}

// CheckURL reports whether a URL can be examined, and gives it without user and
// query, which may be credentials.
func CheckURL(s string) (string, error) {
	u, err := parseURL(s)
	if err != nil {
		return "", err
	}
	return shown(u), nil
}

// shown is a URL as reports have it.
func shown(u *url.URL) string {
	masked := *u
	masked.User, masked.RawQuery, masked.ForceQuery, masked.Fragment, masked.RawFragment = nil, "", false, "", ""
	return masked.String()
}

// parseURL never repeats what it cannot read: there may be a password in it.
func parseURL(s string) (*url.URL, error) {
	if len(s) > MaxURL {
		return nil, fmt.Errorf("the URL has more than %d bytes", MaxURL)
	}
	u, err := url.Parse(s)
	if err != nil || strings.Contains(s, " ") || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("not an http or https URL with a host; percent-encode the user name and password")
	}
	u.Fragment, u.RawFragment = "", ""
	if u.Path == "" {
		u.Path = "/"
	}
	return u, nil
}

// Run examines a server. It is an error if the options cannot be used, if
// there is no connection at all, and if ctx ends.
func Run(ctx context.Context, o Options) (*Report, error) {
	if o.At.IsZero() || o.Timeout < 0 || o.MaxBytes < 0 {
		return nil, errors.New("doctor: no time, or a negative limit")
	}
	u, err := parseURL(o.URL)
	if err != nil {
		return nil, err
	}
	o.Timeout, o.MaxBytes = cmp.Or(o.Timeout, DefaultTimeout), cmp.Or(o.MaxBytes, defaultMaxBytes)
	if o.Dial == nil {
		o.Dial = (&net.Dialer{}).DialContext
	}
	if len(o.Anchors) == 0 {
		o.Anchors = roots.BuiltIn()
	}
	e := &exam{o: o, u: u, https: u.Scheme == "https", got: map[string]*answer{}}
	if err := e.fetch(ctx); err != nil {
		return nil, err
	}
	r := &Report{URL: shown(u), Bundle: e.bundle, Signature: e.signature, Checks: e.checks()}
	for _, p := range e.probes() {
		a := e.got[p.id]
		line, _, _ := strings.Cut(e.request(&p), "\r\n")
		if query := "?" + e.u.RawQuery; query != "?" {
			line = strings.Replace(line, query, "", 1)
		}
		r.Requests = append(r.Requests, Request{p.id, line, p.as, p.ground, a.describe(), report.Optional(a.status), a.n, a.chunked})
	}
	return r, nil
}

// fetch makes all requests and reads the bundle.
func (e *exam) fetch(ctx context.Context) error {
	if e.https {
		e.maxTLS = tls.VersionTLS12
	}
	late := 0
	for i := 0; i < len(e.probes()); i++ { // later probes depend on what earlier ones found
		p := e.probes()[i]
		if late == maxLate {
			e.got[p.id] = &answer{probe: &p, err: fmt.Errorf("not asked: %d requests had no answer in time", maxLate)}
			continue
		}
		keep := e.file == nil
		a := e.ask(ctx, &p, keep)
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if e.https && i == 0 && a.err != nil && e.tls == nil && !errors.As(a.err, new(dialError)) {
			e.tls12, e.maxTLS = a.err, 0
			a = e.ask(ctx, &p, keep)
		}
		if i == 0 && errors.As(a.err, new(dialError)) {
			return a.err
		}
		e.got[p.id] = a
		if late++; !a.late {
			late = 0
		}
		if keep && p.method == "GET" && p.file() && a.err == nil && a.status == 200 {
			e.file, e.fileBody = a, a.body
			e.read()
		}
		a.body = nil
	}
	return nil
}

// read parses and verifies what came first.
func (e *exam) read() {
	b, err := e.o.Limits.Parse(e.fileBody)
	if err != nil {
		e.parseErr = err
		return
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: e.o.Anchors, At: e.o.At})
	var refused *signing.VerifyError
	if err != nil && !errors.As(err, &refused) {
		e.parseErr = err
		return
	}
	e.bundle, e.signature = b, new(signing.NewReport(v, refused, nil))
}

// probes are the requests, those of devices first.
func (e *exam) probes() []probe {
	tried := device.Inferred.By("no device is known to send this; it shows what the server does")
	get := func(id, as string, ground device.Ground, proto string, header ...string) probe {
		return probe{id: id, as: as, ground: ground, method: "GET", proto: proto, header: header}
	}
	try := func(id, what string, header ...string) probe {
		return get(id, what, tried, "HTTP/1.1", append(header, "Connection: close")...)
	}
	agent := "User-Agent: trustpool-doctor"
	ios := get("ios", device.FileClient.Name, device.FileClient.Ground, "HTTP/1.1",
		"User-Agent: "+device.FileClient.UserAgent, "Date: "+e.o.At.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT"), "Connection: close")
	ios.close = true
	noHost := get("no-host", "HTTP/1.0 without the header Host", tried, "HTTP/1.0", agent)
	noHost.noHost = true
	head := try("head", "HEAD", agent)
	head.method, head.close = "HEAD", true
	slashes := try("double-slash", "a path that begins with two slashes", agent)
	slashes.target = "/" + e.u.RequestURI()
	missing := try("missing", "a file that is not there", agent)
	missing.target = e.u.ResolveReference(&url.URL{Path: missingName}).EscapedPath()
	out := []probe{
		ios,
		get("ios-pki", device.PKIClient.Name, device.PKIClient.Ground, "HTTP/1.0", "User-Agent: "+device.PKIClient.UserAgent),
		get("iosxr", "IOS XR, as libcurl by default", device.XRClient.Ground, "HTTP/1.1", "Accept: */*"),
		get("asa", "ASA, as plainly as can be", device.Unverified.By("no public source shows the request of an ASA"), "HTTP/1.0"),
		noHost, head, slashes, missing,
		try("identity", "Accept-Encoding: identity", agent, "Accept-Encoding: identity"),
		try("gzip", "Accept-Encoding: gzip and others", agent, "Accept-Encoding: gzip, deflate, br, zstd"),
		try("range", "the first 100 bytes", agent, "Range: bytes=0-99"),
		try("range-unit", "a range of an unknown unit", agent, "Range: lines=0-1"),
	}
	if e.file != nil {
		if tag := e.file.header.Get("ETag"); tag != "" && sendable(tag) {
			out = append(out, try("if-none-match", "whether it has changed, by ETag", agent, "If-None-Match: "+tag))
		}
		if date := e.file.header.Get("Last-Modified"); date != "" && sendable(date) {
			out = append(out, try("if-modified-since", "whether it has changed, by date", agent, "If-Modified-Since: "+date))
		}
	}
	return slices.DeleteFunc(out, func(p probe) bool { return p.id == "double-slash" && strings.HasPrefix(e.u.Path, "//") })
}

// missingName is a file that no server has.
const missingName = "trustpool-doctor-no-such-file.p7b"

// sendable reports whether what a server sent can be sent back in a header.
func sendable(s string) bool {
	return len(s) <= 1<<10 && !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r > '~' })
}

// file reports whether a good server answers the probe with the whole file.
func (p *probe) file() bool {
	switch p.id {
	case "head", "missing", "range", "if-none-match", "if-modified-since", "gzip", "range-unit":
		return false
	}
	return true
}

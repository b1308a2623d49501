package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"
)

// A Request is what a line of an access log says.
type Request struct {
	Time      time.Time
	NoZone    bool       // the line has no time zone: Time is taken for UTC
	Address   netip.Addr // IPv4-mapped ones as IPv4, without a zone
	UserAgent string     // empty if the log has none
	Method    string
	Path      string // without the query
	Status    int
	Bytes     int64 // of the body; -1 if the log does not say
	Header    bool  // Bytes counts the header too
	Cut       bool  // the server says that the answer was not sent whole

	// Size is the bytes of the whole body, as trustpool's own log and Caddy's say; 0 if it is not known.
	Size int64

	// What trustpool's own log says of the bundle that was asked for. Own is false
	// for any other log.
	Own                     bool
	Bundle, Version, SHA256 string // of the hash perhaps the beginning
}

// ErrNoRequest is the error of a line that is known, and is not about a request.
var ErrNoRequest = errors.New("the line is about no request")

// A Parser reads the lines of one log. The zero value is at its beginning: lines
// that say what the columns of the following ones are count from there on.
type Parser struct {
	columns   []string // of the last #Fields
	day       string   // of the last #Date
	traceback bool     // within what Python prints of an error
}

// Parse reads one line, without its end, in one of these forms:
//
//   - the JSON log of trustpool serve, and that of Caddy 2
//   - the common or combined format of Apache and nginx, perhaps with the virtual host before it
//   - the W3C extended log format of IIS
//   - what python3 -m http.server prints
//
// Before each of them may be what syslog, journald or a container engine adds.
// The error of a line that is known and about something else is [ErrNoRequest].
func (p *Parser) Parse(line []byte) (Request, error) {
	line = bytes.TrimSpace(line)
	if inner := wrapped(line); inner != nil {
		return p.Parse(inner)
	}
	r, err := p.parse(line)
	if err == nil {
		p.traceback = false
	} else if !errors.Is(err, ErrNoRequest) && p.inTraceback(line) {
		return Request{}, ErrNoRequest
	}
	if err == nil || errors.Is(err, ErrNoRequest) {
		return r, err
	}
	if at := endOfPrefix(line); at > 0 {
		if r, err := p.parse(line[at:]); err == nil || errors.Is(err, ErrNoRequest) {
			return r, err
		}
	}
	return Request{}, err
}

// wrapped is the line of a server within a line of JSON, as Docker and log servers
// keep it; nil if there is none.
func wrapped(line []byte) []byte {
	if len(line) == 0 || line[0] != '{' || !slices.ContainsFunc(wrappers, func(name string) bool { return bytes.Contains(line, []byte(`"`+name+`"`)) }) {
		return nil
	}
	var outer map[string]any
	if json.Unmarshal(line, &outer) != nil || outer["msg"] != nil { // of the logs that are read as they are
		return nil
	}
	for _, name := range wrappers {
		inner, ok := outer[name].(string)
		if !ok || strings.Contains(strings.TrimSpace(inner), "\n") || wrapped([]byte(inner)) != nil { // not one line
			continue
		}
		return []byte(inner)
	}
	return nil
}

// wrappers are the fields that Docker, log servers and journalctl keep a line in.
var wrappers = []string{"log", "message", "MESSAGE", "line"}

// inTraceback reports whether a line belongs to what Python's server prints where an
// answer fails: between two lines of hyphens.
func (p *Parser) inTraceback(line []byte) bool {
	if bytes.HasPrefix(line, []byte("Exception occurred during processing of request from ")) || bytes.HasPrefix(line, []byte("Exception happened during processing of request from ")) {
		p.traceback = true
		return true
	}
	in := p.traceback
	if len(line) >= 40 && len(bytes.Trim(line, "-")) == 0 {
		p.traceback = false
		return true
	}
	return in
}

func (p *Parser) parse(line []byte) (Request, error) {
	switch {
	case len(line) > 0 && line[0] == '{':
		return parseJSON(line)
	case len(line) > 0 && line[0] == '#':
		return Request{}, p.directive(string(line))
	case p.columns != nil:
		r, err := p.parseW3C(string(line))
		if err != nil {
			if r, err := parseCombined(string(line)); err == nil {
				return r, nil
			}
		}
		return r, err
	}
	return parseCombined(string(line))
}

// prefixes are what others put before the line of a server.
var prefixes = sync.OnceValue(func() *regexp.Regexp {
	const rfc3339 = `\d{4}-\d\d-\d\dT[0-9:.,]+(?:Z|[+-]\d\d:?\d\d)`
	const rfc3164 = `(?:[A-Z][a-z]{2} [ \d]\d(?: \d{4})? \d\d:\d\d:\d\d(?:\.\d+)?|` + rfc3339 + `) \S+ `
	return regexp.MustCompile(`^(?:` + strings.Join([]string{
		`(?:<\d{1,3}>)?(?:` + rfc3164 + `){1,3}[^ :\[]+(?:\[[\w.-]+\])?: `,                                      // RFC 3164, perhaps of relays, and journalctl
		`<\d{1,3}>1 ` + rfc3339 + ` \S+ \S+ \S+ \S+ (?:-|(?:\[(?:[^\]"]|"(?:[^"\\]|\\.)*")*\])+) (?:\x{feff})?`, // RFC 5424
		rfc3339 + ` (?:stdout|stderr) F `,                                                                       // a container's log file
		rfc3339 + ` `,                                                                                           // docker logs --timestamps
		`[A-Za-z0-9_.-]+ +\| (?:` + rfc3339 + ` )?`,                                                             // docker compose logs
		`\[pod/\S+\] `, // kubectl logs --prefix
		`(?:[\w.-]*/)*[\w.-]*(?:log|access)[\w.-]*:(?:\d+:)?`, // grep
	}, "|") + `)`)
})

// endOfPrefix is where the line of a server begins, 0 if nothing known is before it.
func endOfPrefix(line []byte) int {
	at := prefixes().FindIndex(line)
	if at == nil {
		return 0
	}
	return at[1]
}

// jsonLine has the names of the fields of our own log, a line of log/slog's
// JSONHandler for each request.
type jsonLine struct {
	Time      time.Time `json:"time"`
	Msg       string    `json:"msg"`
	Remote    string    `json:"remote"`
	UserAgent string    `json:"user_agent"`
	Method    string    `json:"method"`
	Path      string    `json:"path"`
	Bundle    string    `json:"bundle"`
	Version   string    `json:"version"`
	SHA256    string    `json:"sha256"`
	Status    int       `json:"status"`
	Bytes     int64     `json:"bytes"`
	Size      int64     `json:"size"`
}

// requestMsg is the message of the lines that are about a request.
const requestMsg = "request"

var errOtherJSON = errors.New("JSON that is neither of our log nor of Caddy's")

func parseJSON(line []byte) (Request, error) {
	if bytes.Contains(line, []byte(`"ts"`)) {
		var c caddyLine
		if err := json.Unmarshal(line, &c); err == nil && c.TS != nil {
			return c.request()
		}
	}
	var j jsonLine
	err := json.Unmarshal(line, &j)
	if _, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return Request{}, errOtherJSON
	} else if err != nil {
		return Request{}, fmt.Errorf("not the JSON of our log: %w", err)
	}
	if j.Msg != requestMsg {
		if j.Msg == "" || j.Time.IsZero() {
			return Request{}, errOtherJSON
		}
		return Request{}, ErrNoRequest
	}
	address, err := parseAddress(j.Remote)
	if err != nil {
		return Request{}, err
	}
	if j.Time.IsZero() || j.Status < 100 || j.Status > 999 || j.Bytes < 0 || j.Size < 0 {
		return Request{}, errors.New("time, status, bytes or size is missing or out of range")
	}
	path, _, _ := strings.Cut(j.Path, "?")
	return Request{
		Time: j.Time.UTC(), Address: address, UserAgent: j.UserAgent, Method: j.Method, Path: path, Status: j.Status, Bytes: j.Bytes,
		Own: true, Bundle: j.Bundle, Version: j.Version, SHA256: strings.ToLower(j.SHA256), Size: j.Size,
	}, nil
}

// parseAddress reads an IP address as logs write it: IPv6 perhaps in brackets,
// IPv4 perhaps mapped into IPv6.
func parseAddress(s string) (netip.Addr, error) {
	if inner, ok := strings.CutPrefix(s, "["); ok {
		s = strings.TrimSuffix(inner, "]")
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Addr{}, errors.New("the line does not begin with an IP address, or gives none")
	}
	return a.Unmap().WithZone(""), nil
}

// parseClient reads an IP address, perhaps with a port.
func parseClient(s string) (a netip.Addr, port bool, err error) {
	if ap, err := netip.ParseAddrPort(s); err == nil {
		return ap.Addr().Unmap().WithZone(""), true, nil
	}
	a, err = parseAddress(s)
	return a, false, err
}

// Layouts of times.
const (
	combinedTime = "02/Jan/2006:15:04:05 -0700"
	pythonTime   = "02/Jan/2006 15:04:05"
)

// parseCombined reads [HOST] ADDRESS IDENT USER [TIME] "REQUEST" STATUS BYTES, and in
// the combined format "REFERER" "USER AGENT". What python3 -m http.server prints is
// nearly the same: its time has no zone, and it says no number of bytes.
func parseCombined(line string) (Request, error) {
	for _, known := range []string{"Serving HTTP on ", "Serving HTTPS on ", "Keyboard interrupt received, exiting."} {
		if strings.HasPrefix(line, known) {
			return Request{}, ErrNoRequest
		}
	}
	var r Request
	rest, err := r.client(line)
	if err != nil {
		return Request{}, err
	}
	if rest, err = r.bracketed(rest); err != nil {
		return Request{}, err
	}
	python := r.NoZone
	rest, ok := strings.CutPrefix(rest, "\"")
	if !ok {
		if python { // code 404, message File not found
			return Request{}, ErrNoRequest
		}
		return Request{}, errors.New("no [time] and \"request\"")
	}
	request, rest, ok := cutQuoted(rest)
	if !ok {
		return Request{}, errors.New("the request has no closing quote")
	}
	status, rest, _ := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	size, rest, _ := strings.Cut(rest, " ")
	if r.Status, err = parseStatus(status); err != nil {
		return Request{}, err
	}
	if size == "-" {
		if size = "0"; python { // Apache writes it for none, and Python for any
			size = "-1"
		}
	}
	if r.Bytes, err = strconv.ParseInt(size, 10, 64); err != nil || r.Bytes < 0 && !python {
		return Request{}, errors.New("no number of bytes after the status")
	}
	r.Bytes = max(r.Bytes, -1)
	// Rubbish instead of a request, as of a TLS client on a plain port, has no path.
	fields := strings.Fields(request)
	if len(fields) == 2 || len(fields) == 3 {
		r.Method = fields[0]
		r.Path, _, _ = strings.Cut(fields[1], "?")
	}
	if rest, ok = strings.CutPrefix(rest, "\""); ok {
		var referer string
		if referer, rest, ok = cutQuoted(rest); ok {
			if rest, ok = strings.CutPrefix(rest, " \""); ok {
				var agent string
				if agent, rest, ok = cutQuoted(rest); ok && agent != "-" {
					r.UserAgent = agent
				}
			}
			if referer == doctorAgent {
				r.UserAgent = doctorAgent
			}
		}
	}
	if second().MatchString(rest) {
		return Request{}, errors.New("a second request begins within the line")
	}
	return r, nil
}

// second is another request behind one, as where files were put together and one did
// not end with a line break.
var second = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`\[\d\d/[A-Z][a-z]{2}/\d{4}[: ]\d\d:\d\d:\d\d(?: [+-]\d{4})?\] "`)
})

// kinds are logs that are not read, by how a line of them looks.
var kinds = sync.OnceValue(func() []kind {
	return []kind{
		{"a log of Amazon S3", regexp.MustCompile(`^[0-9a-f]{64} \S+ \[`)},
		{"a log of HAProxy", regexp.MustCompile(`haproxy\[\d+\]: |^\S+:\d+ \[\d\d/[A-Z][a-z]{2}/\d{4}:\d\d:\d\d:\d\d\.\d{3}\] \S+ \S+/\S+ `)},
		{"a log of a load balancer of AWS", regexp.MustCompile(`^(?:https?|h2|wss?|grpcs) \d{4}-\d\d-\d\dT\S+ \S+ `)},
		{"a log of Squid", regexp.MustCompile(`^\d{9,11}\.\d{3} +\d+ \S+ [A-Z_]+/\d{3} `)},
		{"an error log of nginx", regexp.MustCompile(`^\d{4}/\d\d/\d\d \d\d:\d\d:\d\d \[[a-z]+\] `)},
		{"an error log of Apache", regexp.MustCompile(`^\[[A-Z][a-z]{2} [A-Z][a-z]{2} \d\d \d\d:\d\d:\d\d\S* \d{4}\] \[`)},
		{"a log of a network device, which explain reads", regexp.MustCompile(`%[A-Z][A-Z0-9_-]*-[0-7]-[A-Z0-9_]+\s*:`)},
		{"a log of IIS without its line #Fields", regexp.MustCompile(`^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \S+ (?:\S+ )*(?:GET|HEAD|POST) /`)},
	}
})

type kind struct {
	name string
	form *regexp.Regexp
}

// kindOf names a line of a log that is not read; empty for any other.
func kindOf(line []byte) string {
	for _, k := range kinds() {
		if k.form.Match(line[:min(len(line), 1<<10)]) {
			return k.name
		}
	}
	return ""
}

// client reads the address at the beginning of a line, before which the virtual
// host may be, and gives what follows it.
func (r *Request) client(line string) (rest string, err error) {
	first, rest, _ := strings.Cut(line, " ")
	second, after, _ := strings.Cut(rest, " ")
	address, port, err := parseClient(first)
	other, _, err2 := parseClient(second)
	switch {
	case err2 != nil || err == nil && address == other:
		r.Address = address
		return rest, err
	case err == nil && !port:
		return "", errors.New("two addresses before the time: which one is the client's is not known")
	case err != nil && strings.Trim(first, letters+"0123456789.:_*-") != "":
		return "", err
	}
	r.Address = other
	return after, nil
}

const letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// bracketed reads the time between brackets, and gives what follows it. A user's name,
// which comes before it, may hold blanks, brackets and quotes; Apache writes "" for an
// empty one.
func (r *Request) bracketed(line string) (rest string, err error) {
	err = errors.New("no [time] and \"request\"")
	before, _, _ := strings.Cut(line, "] \"") // a quote in a name has a backslash before it
	end := len(before)
	for range maxBrackets {
		at := strings.LastIndexByte(before[:end], '[')
		if at < 0 {
			break
		}
		if when, after, ok := strings.Cut(line[at+1:], "] "); ok {
			if err = r.when(when); err == nil {
				return after, nil
			}
		}
		end = at
	}
	return "", err
}

// maxBrackets is how many brackets are tried.
const maxBrackets = 8

// when reads the time between brackets.
func (r *Request) when(text string) (err error) {
	if r.Time, err = time.Parse(combinedTime, text); err != nil {
		if r.Time, err = time.Parse(pythonTime, text); err == nil {
			r.NoZone = true
		} else if r.Time, err = time.Parse(time.RFC3339, text); err != nil {
			return errors.New("the time is not as 02/Jan/2006:15:04:05 -0700")
		}
	}
	r.Time = r.Time.UTC()
	return nil
}

func parseStatus(s string) (int, error) {
	n, err := strconv.Atoi(s)
	if err != nil || n < 100 || n > 999 {
		return 0, errors.New("no status after the request")
	}
	return n, nil
}

// cutQuoted cuts s at the quote that ends it. Apache writes a quote inside as \",
// nginx as \x22; escapes stay as they are.
func cutQuoted(s string) (inside, rest string, ok bool) {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case '"':
			return s[:i], s[i+1:], true
		}
	}
	return "", "", false
}

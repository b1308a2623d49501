package fleet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// A Request is what a line of an access log says.
type Request struct {
	Time      time.Time
	Address   netip.Addr // IPv4-mapped ones as IPv4, without a zone
	UserAgent string     // empty where the log has none
	Method    string
	Path      string // without the query
	Status    int
	Bytes     int64 // of the body, or -1; some servers count the header too

	// What trustpool's own log says of the bundle that was asked for. Own is false
	// for any other log.
	Own                     bool
	Bundle, Version, SHA256 string // of the hash perhaps the beginning
	Size                    int64  // bytes of the whole bundle, 0 where it is not known
}

// ErrNoRequest is the error of a line of our own log that is about something else.
var ErrNoRequest = errors.New("the line is about no request")

// ParseLine reads one line, without its end: of the JSON log of trustpool serve,
// or in the common or combined format, which Apache and nginx write by default. A
// line of our log about something else is ErrNoRequest.
func ParseLine(line []byte) (Request, error) {
	if trimmed := bytes.TrimSpace(line); len(trimmed) > 0 && trimmed[0] == '{' {
		return parseJSON(trimmed)
	}
	return parseCombined(string(line))
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

func parseJSON(line []byte) (Request, error) {
	var j jsonLine
	if !j.fast(line) {
		j = jsonLine{}
		if err := json.Unmarshal(line, &j); err != nil {
			return Request{}, fmt.Errorf("not the JSON of our log: %w", err)
		}
	}
	if j.Msg != requestMsg {
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

// combinedTime is the time of the common log format.
const combinedTime = "02/Jan/2006:15:04:05 -0700"

// parseCombined reads ADDRESS IDENT USER [TIME] "REQUEST" STATUS BYTES, and in the
// combined format "REFERER" "USER AGENT".
func parseCombined(line string) (Request, error) {
	var r Request
	first, rest, _ := strings.Cut(strings.TrimRight(line, " \r"), " ")
	var err error
	if r.Address, err = parseAddress(first); err != nil {
		return Request{}, err
	}
	_, rest, ok := strings.Cut(rest, "[") // a user's name may hold blanks
	when, rest, ok2 := strings.Cut(rest, "] \"")
	if !ok || !ok2 {
		return Request{}, errors.New("no [time] and \"request\"")
	}
	if r.Time, err = time.Parse(combinedTime, when); err != nil {
		return Request{}, errors.New("the time is not as 02/Jan/2006:15:04:05 -0700")
	}
	r.Time = r.Time.UTC()
	request, rest, ok := cutQuoted(rest)
	if !ok {
		return Request{}, errors.New("the request has no closing quote")
	}
	status, rest, _ := strings.Cut(strings.TrimPrefix(rest, " "), " ")
	size, rest, _ := strings.Cut(rest, " ")
	if r.Status, err = strconv.Atoi(status); err != nil || r.Status < 100 || r.Status > 999 {
		return Request{}, errors.New("no status after the request")
	}
	if size == "-" { // Apache's zero
		size = "0"
	}
	if r.Bytes, err = strconv.ParseInt(size, 10, 64); err != nil || r.Bytes < 0 {
		return Request{}, errors.New("no number of bytes after the status")
	}
	// Rubbish instead of a request, as of a TLS client on a plain port, has no path.
	fields := strings.Fields(request)
	if len(fields) == 2 || len(fields) == 3 {
		r.Method = fields[0]
		r.Path, _, _ = strings.Cut(fields[1], "?")
	}
	if rest, ok = strings.CutPrefix(rest, "\""); ok {
		if _, rest, ok = cutQuoted(rest); ok {
			if rest, ok = strings.CutPrefix(rest, " \""); ok {
				if agent, _, ok := cutQuoted(rest); ok && agent != "-" {
					r.UserAgent = agent
				}
			}
		}
	}
	return r, nil
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

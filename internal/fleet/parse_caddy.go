package fleet

import (
	"cmp"
	"encoding/json"
	"errors"
	"math"
	"strconv"
	"strings"
	"time"
)

// A caddyLine is a line of the JSON log of Caddy 2. Until 2.5 it had remote_addr
// with a port; since 2.5 there are remote_ip and remote_port, since 2.7 client_ip,
// which is that of the client behind proxies that are trusted.
type caddyLine struct {
	TS      json.RawMessage `json:"ts"`
	Logger  string          `json:"logger"`
	Msg     string          `json:"msg"`
	Request *struct {
		RemoteAddr string          `json:"remote_addr"`
		RemoteIP   string          `json:"remote_ip"`
		ClientIP   string          `json:"client_ip"`
		Method     string          `json:"method"`
		URI        string          `json:"uri"`
		Headers    json.RawMessage `json:"headers"`
	} `json:"request"`
	Status      int             `json:"status"`
	Size        *int64          `json:"size"`
	RespHeaders json.RawMessage `json:"resp_headers"`
}

// caddyMsg is the message of the lines that are about a request that was answered.
// Others hold a request too, such as those about errors.
const caddyMsg = "handled request"

func (c *caddyLine) request() (Request, error) {
	if c.Msg != caddyMsg || c.Request == nil {
		if c.Msg == "" {
			return Request{}, errOtherJSON
		}
		return Request{}, ErrNoRequest
	}
	address := cmp.Or(c.Request.ClientIP, c.Request.RemoteIP, c.Request.RemoteAddr)
	r := Request{Method: c.Request.Method, Status: c.Status, Bytes: -1}
	var err error
	if r.Address, _, err = parseClient(address); err != nil {
		return Request{}, err
	}
	if !r.caddyTime(c.TS) || r.Status < 100 || r.Status > 999 || c.Size != nil && *c.Size < 0 {
		return Request{}, errors.New("ts, status or size is missing or out of range")
	}
	r.Path, _, _ = strings.Cut(c.Request.URI, "?")
	var asked struct {
		UserAgent []string `json:"User-Agent"`
		Referer   []string
	}
	if json.Unmarshal(c.Request.Headers, &asked) == nil {
		if len(asked.UserAgent) > 0 {
			r.UserAgent = asked.UserAgent[0]
		}
		if len(asked.Referer) > 0 && asked.Referer[0] == doctorAgent {
			r.UserAgent = doctorAgent
		}
	}
	var answered struct {
		Length   []string `json:"Content-Length"`
		Encoding []string `json:"Content-Encoding"`
	}
	if json.Unmarshal(c.RespHeaders, &answered) != nil {
		answered.Length, answered.Encoding = nil, nil
	}
	if c.Size != nil && len(answered.Encoding) == 0 { // compressed, it says nothing of the size of what was sent
		r.Bytes = *c.Size
		if len(answered.Length) == 1 && r.Status == 200 {
			if n, err := strconv.ParseInt(answered.Length[0], 10, 64); err == nil && n > 0 {
				r.Size = n
			}
		}
	}
	return r, nil
}

// caddyTime reads ts, which Caddy writes in seconds unless it is told to write
// milliseconds, nanoseconds or text.
func (r *Request) caddyTime(raw json.RawMessage) bool {
	var n float64
	if json.Unmarshal(raw, &n) == nil {
		switch { // no request was logged before 2001
		case n > 1e17:
			n /= 1e9
		case n > 1e11:
			n /= 1e3
		}
		if n < 1 || n > 1e11 {
			return false
		}
		whole, part := math.Modf(n)
		r.Time = time.Unix(int64(whole), int64(part*1e9)).UTC()
		return true
	}
	var text string
	if json.Unmarshal(raw, &text) != nil {
		return false
	}
	for _, layout := range []string{time.RFC3339, "2006-01-02T15:04:05Z0700", combinedTime, time.RFC1123Z, time.RFC850} {
		if t, err := time.Parse(layout, text); err == nil {
			r.Time = t.UTC()
			return true
		}
	}
	t, err := time.Parse("2006/01/02 15:04:05", text)
	r.Time, r.NoZone = t, true
	return err == nil
}

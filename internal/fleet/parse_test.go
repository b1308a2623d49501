package fleet_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/internal/fleet"
)

// said is what a line says, in short.
func said(r fleet.Request) string {
	s := fmt.Sprintf("%s %s %s %s %d %d", r.Time.Format(time.RFC3339), r.Address, r.Method, r.Path, r.Status, r.Bytes)
	if r.UserAgent != "" {
		s += " " + r.UserAgent
	}
	for _, flag := range []struct {
		set  bool
		name string
	}{{r.NoZone, "no zone"}, {r.Header, "header"}, {r.Cut, "cut"}, {r.Own, "own " + r.Bundle}, {r.Size > 0, fmt.Sprint("of ", r.Size)}} {
		if flag.set {
			s += ", " + flag.name
		}
	}
	return s
}

const caddyTail = `"headers":{"User-Agent":["cisco-IOS"],"Connection":["close"]}},"bytes_read":0,"user_id":"","duration":0.0009,"size":9354,"status":200,"resp_headers":{"Server":["Caddy"],"Content-Length":["9354"]}}`

func TestForms(t *testing.T) {
	t.Parallel()
	const request = `[28/Nov/2025:15:46:26 +0100] "GET /ios.p7b?x=1 HTTP/1.1" 200 9354`
	const is = "2025-11-28T14:46:26Z 10.0.0.1 GET /ios.p7b 200 9354"
	const ours = `{"time":"2025-11-28T14:46:26Z","level":"INFO","msg":"request","remote":"10.0.0.1","user_agent":"","method":"GET","path":"/ios.p7b","status":200,"bytes":9354,"bundle":"ios","version":"9","sha256":"aaaaaaaaaaaaaaaa","size":9354}`
	for line, want := range map[string]string{
		"10.0.0.1 - - " + request:                                                   is,
		"10.0.0.1 - - " + request + ` "-" "cisco-IOS" "-"`:                          is + " cisco-IOS",
		"  10.0.0.1 - frank ray " + request + "\r":                                  is,
		"10.0.0.1:41342 - - " + request:                                             is,
		"www.example.com:80 10.0.0.1 - - " + request:                                is,
		"www.example.com 10.0.0.1 - - " + request:                                   is,
		"_ 10.0.0.1 - - " + request:                                                 is,
		"*:443 10.0.0.1 - - " + request:                                             is,
		"192.0.2.1:443 10.0.0.1 - - " + request:                                     is,
		"[2001:db8::5]:443 10.0.0.1 - - " + request:                                 is,
		"10.0.0.1 10.0.0.1 - " + request:                                            is,
		"10.0.0.1 192.0.2.1 - " + request:                                           "two addresses before the time: which one is the client's is not known",
		"10.0.0.1, 192.0.2.1 - - " + request:                                        "the line does not begin with an IP address, or gives none",
		"host.example - - " + request:                                               "the line does not begin with an IP address, or gives none",
		`10.0.0.1 - - [2025-11-28T14:46:26+00:00] "GET /ios.p7b HTTP/1.1" 200 9354`: is,

		"Nov 28 15:46:26 web1 nginx: 10.0.0.1 - - " + request:                                    is,
		"<190>Nov  8 15:46:26 web1 nginx: 10.0.0.1 - - " + request:                               is,
		"Nov 28 15:46:26 web1 httpd[123]: www.example.com:80 10.0.0.1 - - " + request:            is,
		"2025-11-28T15:46:26.123456+01:00 web1 nginx[77]: 10.0.0.1 - - " + request:               is,
		`<190>1 2025-11-28T15:46:26.1Z web1 nginx 77 - [x@1 a="b] \"c"] 10.0.0.1 - - ` + request: is,
		"<190>1 2025-11-28T15:46:26.1Z web1 nginx - - - 10.0.0.1 - - " + request:                 is,
		"2025-11-28T15:46:26.123456789Z 10.0.0.1 - - " + request:                                 is,
		"2025-11-28T15:46:26.123456789Z stdout F 10.0.0.1 - - " + request:                        is,
		"web-1  | 10.0.0.1 - - " + request:                                                       is,
		"Nov 28 15:46:26 relay Nov 28 15:46:26 web1 nginx: 10.0.0.1 - - " + request:              is,
		"Nov 28 15:46:26 host web1[web.1]: 10.0.0.1 - - " + request:                              is,
		"[pod/web-5d4/nginx] 10.0.0.1 - - " + request:                                            is,
		"/var/log/nginx/access.log.1:10.0.0.1 - - " + request:                                    is,
		"access.log:17:10.0.0.1 - - " + request:                                                  is,
		"10.0.0.1 - [10.0.0.1] - - " + request:                                                   is,
		"10.0.0.1 - [27/Nov/2025:15:46:26 +0100] " + request:                                     is,
		`10.0.0.1 - "" ` + request:                                                               is,
		`10.0.0.1 - "a [b" ` + request:                                                           is,
		`10.0.0.1 - a\"[b ` + request:                                                            is,
		`{"MESSAGE":` + strconv.Quote("10.0.0.1 - - "+request) + `,"_PID":"1"}`:                  is,
		`{"log":{"offset":1},"message":` + strconv.Quote("10.0.0.1 - - "+request) + `}`:          is,
		`{"line":` + strconv.Quote("10.0.0.1 - - "+request) + `}`:                                is,
		"Nov 28 15:46:26 web1 trustpool[5]: " + ours:                                             is + ", own ios, of 9354",
		"2025-11-28T15:46:26.1Z stdout F " + ours:                                                is + ", own ios, of 9354",

		`10.0.0.1 - - [28/Nov/2025 15:46:26] "GET /ios.p7b HTTP/1.1" 200 -`:          "2025-11-28T15:46:26Z 10.0.0.1 GET /ios.p7b 200 -1, no zone",
		`::ffff:10.0.0.1 - - [28/Nov/2025 15:46:26] "HEAD //ios.p7b HTTP/1.0" 200 -`: "2025-11-28T15:46:26Z 10.0.0.1 HEAD //ios.p7b 200 -1, no zone",
		`10.0.0.1 - - [28/Nov/2025 15:46:26] code 404, message File not found`:       fleet.ErrNoRequest.Error(),
		`Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...`:               fleet.ErrNoRequest.Error(),
		`Keyboard interrupt received, exiting.`:                                      fleet.ErrNoRequest.Error(),

		`{"level":"info","ts":1764337586.25,"logger":"http.log.access.log0","msg":"handled request","request":{"remote_ip":"192.0.2.9","remote_port":"4","client_ip":"10.0.0.1","proto":"HTTP/1.1","method":"GET","host":"h","uri":"/ios.p7b?x",` + caddyTail: "2025-11-28T13:46:26Z 10.0.0.1 GET /ios.p7b 200 9354 cisco-IOS, of 9354",
		`{"level":"info","ts":1764337586250.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b",` + caddyTail:                                                                              "2025-11-28T13:46:26Z 10.0.0.1 GET /ios.p7b 200 9354 cisco-IOS, of 9354",
		`{"level":"info","ts":"2025-11-28T14:46:26.5+0100","msg":"handled request","request":{"remote_addr":"[2001:db8::1]:41342","method":"GET","uri":"/ios.p7b",` + caddyTail:                                                                               "2025-11-28T13:46:26Z 2001:db8::1 GET /ios.p7b 200 9354 cisco-IOS, of 9354",
		`{"level":"info","ts":"2025/11/28 13:46:26","msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b"},"status":304,"size":0}`:                                                                                        "2025-11-28T13:46:26Z 10.0.0.1 GET /ios.p7b 304 0, no zone",
		`{"level":"info","ts":1764337586,"msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b"},"status":200,"size":70,"resp_headers":{"Content-Encoding":["gzip"],"Content-Length":["70"]}}`:                             "2025-11-28T13:46:26Z 10.0.0.1 GET /ios.p7b 200 -1",
		`{"level":"info","ts":1764337586,"msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b"},"status":200}`:                                                                                                            "2025-11-28T13:46:26Z 10.0.0.1 GET /ios.p7b 200 -1",
		`{"level":"error","ts":1764337586,"logger":"http.log.error","msg":"open: no such file","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b"},"status":404}`:                                                                              fleet.ErrNoRequest.Error(),
		`{"level":"info","ts":1764337586,"msg":"serving initial configuration"}`:                                                                                                                                                                              fleet.ErrNoRequest.Error(),
		`{"level":"info","ts":-5,"msg":"handled request","request":{"remote_ip":"10.0.0.1"},"status":200}`:                                                                                                                                                    "ts, status or size is missing or out of range",
		`{"time_local":"28/Nov/2025:15:46:26 +0100","remote_addr":"10.0.0.1","request":"GET /ios.p7b HTTP/1.1","status":"200"}`:                                                                                                                               "JSON that is neither of our log nor of Caddy's",
		`{"ts":1764337586}`: "JSON that is neither of our log nor of Caddy's",
		`#Fields: date`:     fleet.ErrNoRequest.Error(),
		`# a comment`:       "neither a request nor a directive (#Fields: and others)",
	} {
		r, err := new(fleet.Parser).Parse([]byte(line))
		got := said(r)
		if err != nil {
			got = err.Error()
		}
		if !strings.HasPrefix(got, want) || err == nil && got != want {
			t.Errorf("%s\ngot  %s\nwant %s", line, got, want)
		}
	}
}

// The columns of IIS are those of the last #Fields.
func TestW3C(t *testing.T) {
	t.Parallel()
	var p fleet.Parser
	for _, step := range []struct{ line, want string }{
		{"2025-11-28 15:00:00 10.0.0.9 GET /ios.p7b", "the line does not begin with an IP address, or gives none"},
		{"#Software: Microsoft Internet Information Services 10.0", fleet.ErrNoRequest.Error()},
		{"#Date: 2025-11-28 15:00:00", fleet.ErrNoRequest.Error()},
		{"#Fields: date time s-ip cs-method cs-uri-stem cs-uri-query s-port cs-username c-ip cs(User-Agent) cs(Referer) sc-status sc-substatus sc-win32-status time-taken", fleet.ErrNoRequest.Error()},
		{"2025-11-28 15:00:01 10.0.0.9 GET /ios.p7b - 80 - 10.0.0.1 Mozilla/4.0+(compatible;+MSIE+5.0;+Cisco+PKI) - 200 0 0 15", "2025-11-28T15:00:01Z 10.0.0.1 GET /ios.p7b 200 -1 Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI), header"},
		{"2025-11-28 15:00:02 10.0.0.9 GET /ios.p7b - 80 - 10.0.0.1 - - 200 0 64 15", "2025-11-28T15:00:02Z 10.0.0.1 GET /ios.p7b 200 -1, header, cut"},
		{"2025-11-28 15:00:02 10.0.0.9 GET /ios.p7b - 80 - 10.0.0.1 - - 200 0", "13 values, and #Fields names 15"},
		{"2025-11-28 15:00:02 10.0.0.9 GET /ios.p7b - 80 - r1.example - - 200 0 0 15", "c-ip is not an IP address, or #Fields does not name it"},
		{`10.0.0.1 - - [28/Nov/2025:15:46:26 +0100] "GET /ios.p7b HTTP/1.1" 200 9354`, "2025-11-28T14:46:26Z 10.0.0.1 GET /ios.p7b 200 9354"},
		{"#Fields: time c-ip cs-method cs-uri-stem sc-status sc-bytes", fleet.ErrNoRequest.Error()},
		{"16:00:01 fe80::1%5 GET /ios.p7b 200 9621", "2025-11-28T16:00:01Z fe80::1 GET /ios.p7b 200 9621, header"},
		{"16:00:01\t10.0.0.1\tGET\t\"/a \"\"b\"\" c\"\t200\t-", `2025-11-28T16:00:01Z 10.0.0.1 GET /a "b" c 200 -1, header`},
		{"16:00:01 10.0.0.1 GET /ios.p7b 200 x", "sc-bytes is not a number of bytes"},
		{"16:00:01 10.0.0.1 GET /ios.p7b - 5", "sc-status is not a status, or #Fields does not name it"},
		{"25:00:01 10.0.0.1 GET /ios.p7b 200 5", "date and time are not as 2006-01-02 15:04:05, or #Fields does not name them"},
	} {
		r, err := p.Parse([]byte(step.line))
		got := said(r)
		if err != nil {
			got = err.Error()
		}
		if got != step.want {
			t.Errorf("%s\ngot  %s\nwant %s", step.line, got, step.want)
		}
	}
}

// A log without sizes shows that a bundle was fetched, and not that all of it was sent.
func TestUnmeasured(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\nc,10.0.0.3\nd,10.0.0.4\n")
	python := "Serving HTTP on 0.0.0.0 port 8000 (http://0.0.0.0:8000/) ...\n"
	for i, asked := range []string{"GET /ios.p7b", "GET /archive/ios/10/ios.p7b", "HEAD /ios.p7b"} {
		python += fmt.Sprintf("10.0.0.%d - - [01/May/2025 09:30:00] \"%s HTTP/1.1\" 200 -\n", i+1, asked)
	}
	python += "10.0.0.4 - - [01/May/2025 09:30:00] code 404, message File not found\n10.0.0.4 - - [01/May/2025 09:30:00] \"GET /ios.p7b HTTP/1.1\" 404 -\n"
	r := tally(t, fleet.Options{Devices: list, Bundles: []fleet.Bundle{{Name: "ios", Version: "10", SHA256: strings.Repeat("b", 64), Size: 2000}}}, python)
	equal(t, summary(r.Devices), `10.0.0.1: fetched, completeness not known, ios  at 09:30 by not known
10.0.0.2: fetched, completeness not known, ios 10 at 09:30 by path
10.0.0.3: failed
10.0.0.4: failed
`)
	if l := r.Logs[0]; l.Lines != 6 || l.Requests != 4 || l.Other != 2 || l.NoSize != 4 || l.NoZone != 4 || totals(r)[fleet.GotUnmeasured] != 2 {
		t.Errorf("%+v %v", l, totals(r))
	}
	// What another log shows to be whole and later counts; an earlier one does not.
	measured := own(35, "10.0.0.1", "GET", 200, 2000, 10) + own(1, "10.0.0.2", "GET", 200, 2000, 10)
	measured = strings.ReplaceAll(measured, "T10:35:00.5+02:00", "T10:35:00.5+00:00")
	r = tally(t, fleet.Options{Devices: list[:2]}, python, measured)
	equal(t, summary(r.Devices), `10.0.0.1: current, ios 10 at 10:35 by log
10.0.0.2: fetched, completeness not known, ios 10 at 09:30 by path
`)
	// Caddy says how long the answer was to be, and IIS that it was cut.
	caddy := `{"level":"info","ts":1764337586.25,"msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b",` + strings.Replace(caddyTail, `"size":9354`, `"size":9000`, 1) + "\n"
	iis := "#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-win32-status\n2025-11-28 15:00:01 10.0.0.2 GET /ios.p7b 200 64\n2025-11-28 15:00:01 10.0.0.3 GET /ios.p7b 200 0\n"
	r = tally(t, fleet.Options{Devices: list}, caddy, iis)
	equal(t, summary(r.Devices), `10.0.0.1: partial
10.0.0.2: partial
10.0.0.3: fetched, completeness not known, ios  at 15:00 by not known
10.0.0.4: never
`)
}

// The size that IIS writes has the header in it: it is never exactly that of a file.
func TestHeaderCounted(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\n")
	iis := "#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes\n2025-11-28 15:00:01 10.0.0.1 GET /ios.p7b 200 2000\n2025-11-28 15:00:01 10.0.0.2 GET /ios.p7b 200 2250\n"
	r := tally(t, fleet.Options{Devices: list, Bundles: []fleet.Bundle{{Name: "ios", Version: "10", SHA256: strings.Repeat("b", 64), Size: 2000}}}, iis)
	equal(t, summary(r.Devices), "10.0.0.1: unknown version, ios  at 15:00 by not known\n10.0.0.2: current, ios 10 at 15:00 by size and header\n")
}

// What is not an access log is refused, whatever it is; a few lines that cannot be
// read are counted.
func TestNotALog(t *testing.T) {
	t.Parallel()
	line := own(1, "10.0.0.1", "GET", 200, 2000, 10)
	for name, log := range map[string]string{
		"random":          "\x01\x80\xff\n\x93\x94",
		"text":            strings.Repeat("Oct 10 08:11:02 asa1 : %ASA-3-717009: Certificate validation failed.\n", 20),
		"one in eleven":   line + strings.Repeat("rubbish\n", 10),
		"JSON of another": strings.Repeat(`{"time_local":"x","status":"200"}`+"\n", 3),
		"a command":       "Router#show crypto pki trustpool\nCA Certificate\n  Status: Available\n",
		"W3C, no #Fields": "2025-11-28 15:00:01 10.0.0.2 GET /ios.p7b 200 64\n",
	} {
		tl := fleet.New(fleet.Options{})
		err := tl.Read(t.Context(), "x.log", strings.NewReader(log))
		var form *fleet.FormError
		if !errors.As(err, &form) || form.Read*10 >= form.Lines || form.First.Error == "" || !strings.HasPrefix(err.Error(), "x.log: not an access log of a known form: ") {
			t.Errorf("%s: %v", name, err)
		}
	}
	list := devices(t, "name,address\na,10.0.0.1\n")
	r := gather(t, fleet.Options{Devices: list}, line+"\n\n\n"+strings.Repeat("rubbish\n", 9), "", "\n\n")
	if r.Unread() != 9 || r.Logs[0].Lines != 13 || r.Logs[0].Other != 3 {
		t.Errorf("%+v", r.Logs)
	}
	var out bytes.Buffer
	if err := r.WriteCSV(&out); err != nil || !strings.HasSuffix(out.String(), ",9\n") {
		t.Errorf("%v %s", err, out.String())
	}
}

// A bomb of empty lines, or of a line without end, ends; a log that compresses as
// well does not.
func TestBomb(t *testing.T) {
	t.Parallel()
	var z bytes.Buffer
	w, _ := gzip.NewWriterLevel(&z, gzip.BestSpeed)
	w.Write(bytes.Repeat([]byte("\n"), fleet.MaxUnread+2))
	w.Close()
	tl := fleet.New(fleet.Options{})
	if err := tl.Read(t.Context(), "bomb", &z); err == nil || !strings.Contains(err.Error(), "no line of the last 16777216 bytes can be read") {
		t.Error(err)
	}
	if err := tl.Read(t.Context(), "line", io.LimitReader(&endlessLine{1 << 40, nil}, 1<<40)); err == nil || !strings.Contains(err.Error(), "line 1: no line of the last") {
		t.Error(err)
	}
	line := own(1, "10.0.0.1", "GET", 200, 2000, 10)
	text := []byte(strings.Repeat("\n", 1<<10) + line)
	genuine := &lines{some: bytes.Repeat(text, 100), left: (fleet.MaxUnread/len(text) + 200) / 100}
	if err := tl.Read(t.Context(), "genuine", genuine); err != nil {
		t.Error(err)
	}
}

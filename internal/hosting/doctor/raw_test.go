package doctor_test

import (
	"bytes"
	"io"
	"net"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting/doctor"
)

// A server that answers with the given bytes, whatever it is asked, and then does
// what end says.
func raw(t testing.TB, answer string, end func(net.Conn)) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				_, _ = conn.Read(make([]byte, 4096))
				_, _ = io.WriteString(conn, answer)
				if end != nil {
					end(conn)
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/" + file
}

func TestRaw(t *testing.T) {
	t.Parallel()
	data := string(testdata(t, file))
	head := "HTTP/1.1 200 OK\r\nContent-Type: " + doctor.ContentType + "\r\nContent-Length: " + strconv.Itoa(len(data)) + "\r\n\r\n"
	wait := func(c net.Conn) { _, _ = io.Copy(io.Discard, c) }
	for name, tt := range map[string]struct {
		answer string
		end    func(net.Conn)
		id     string
		result doctor.Result
		detail string
	}{
		"stays open":            {head + data, wait, "connection-close", doctor.Warning, "still open after 2s"},
		"stays open, impatient": {head + data, wait, "connection-close", doctor.Warning, "still open after 500ms"},
		"says more":             {head + data + "more", nil, "connection-close", doctor.Fail, "bytes follow"},
		"cut short":             {head + data[:4000], nil, "content-length", doctor.Fail, "cut short: 4000 bytes of 8829"},
		"slow drip":             {head + data[:4000], wait, "ios", doctor.Fail, "no whole answer within 3s; 4000 bytes"},
		"silence":               {"", wait, "ios", doctor.Fail, "no whole answer within 3s; 0 bytes"},
		"long silence":          {"", wait, "asa", doctor.Fail, "not asked: 3 requests had no answer in time"},
		"nothing":               {"", nil, "ios", doctor.Fail, "the connection ended before there was an answer"},
		"HTTP/0.9":              {data, nil, "ios", doctor.Fail, "no answer of HTTP/1"},
		"two lengths":           {"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", nil, "ios", doctor.Fail, "no answer of HTTP/1"},
		"long header":           {"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 1<<17), nil, "ios", doctor.Fail, "more than 65536 bytes"},
		"only interim":          {strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 100), nil, "ios", doctor.Fail, "status 100, which nobody asked for"},
		"interim first":         {"HTTP/1.1 103 Early Hints\r\n\r\n" + head + data, nil, "ios", doctor.OK, "HTTP/1.1 200, 8829 bytes"},
		"no length":             {"HTTP/1.0 200 OK\r\n\r\n" + data, nil, "content-length", doctor.Fail, "there is none"},
		"chunks in 1.0":         {"HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\n\r\n", nil, "bundle", doctor.Fail, ""},
		"too large":             {"HTTP/1.1 200 OK\r\nContent-Length: 100000000\r\n\r\n" + strings.Repeat("x", 1<<17), nil, "ios", doctor.Fail, "more than 65536 bytes"},
		"body with HEAD":        {head + data, nil, "head", doctor.Fail, "there is a body"},
		"escape codes":          {"HTTP/1.1 302 Found\r\nLocation: http://x/\x1b[31m\r\n\r\n", nil, "ios", doctor.Fail, "no answer of HTTP/1"},
		"bidirectional":         {"HTTP/1.1 302 Found\r\nLocation: http://x/\u202e\r\nContent-Length: 0\r\n\r\n", nil, "redirect", doctor.Fail, "302, to http://x/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options(t, raw(t, tt.answer, tt.end))
			o.Timeout, o.MaxBytes = 3*time.Second, 1<<16
			if tt.end != nil && !strings.HasSuffix(tt.answer, data) {
				o.Timeout = 300 * time.Millisecond
				tt.detail = strings.Replace(tt.detail, "3s", "300ms", 1)
			}
			if strings.HasSuffix(name, "impatient") {
				o.Timeout = 500 * time.Millisecond
			}
			r, err := doctor.Run(t.Context(), o)
			if err != nil {
				t.Fatal(err)
			}
			if c := find(t, r, tt.id); c.Result != tt.result || !strings.Contains(c.Detail, tt.detail) {
				t.Errorf("%s %s: %s", c.ID, c.Result, c.Detail)
			}
			var out bytes.Buffer
			if err := r.WriteText(&out); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e") {
				t.Errorf("%v, or what the server sent is printed as it is", err)
			}
		})
	}
}

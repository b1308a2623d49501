package doctor

import (
	"bufio"
	"bytes"
	"io"
	"strings"
	"testing"
)

func FuzzAnswer(f *testing.F) {
	for _, s := range []string{
		"", "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "HTTP/1.0 200 OK\r\n\r\nabc",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n", "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 304 Not Modified\r\n\r\n",
		"HTTP/1.1 302 Found\r\nLocation: /x?y\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc",
	} {
		f.Add([]byte(s), "GET", true)
		f.Add([]byte(s), "HEAD", false)
	}
	f.Fuzz(func(t *testing.T, data []byte, method string, keep bool) {
		const limit = 1 << 10
		from := &io.LimitedReader{R: bytes.NewReader(data)}
		a := readAnswer(bufio.NewReader(from), from, method, limit, keep)
		if a.err == nil && (a.n > limit || a.status < 200 || a.status > 999 || a.header == nil) {
			t.Errorf("%+v", a)
		}
		if keep && a.err == nil && int64(len(a.body)) != a.n || !keep && a.body != nil {
			t.Errorf("%d bytes kept of %d", len(a.body), a.n)
		}
		a.probe = new(probe)
		if strings.Contains(a.describe(), "?") && a.err == nil {
			t.Errorf("a query is shown: %q", a.describe())
		}
	})
}

package fleet_test

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"trustpool/internal/fleet"
)

func FuzzParseLine(f *testing.F) {
	f.Add([]byte(own(1, "10.0.0.1", "GET", 200, 1000, 9)))
	f.Add([]byte(combined(1, "::ffff:10.0.0.1", `GET /sha256/x\"y HTTP/1.1`, 206, 5, `a \"b\"`)))
	f.Add([]byte("[2001:db8::1] - a b [01/May/2025:10:02:00 +0200] \"\" 200 -"))
	f.Add([]byte(`10.0.0.1 - - [28/Nov/2025 15:46:26] "GET /ios.p7b HTTP/1.1" 200 -`))
	f.Add([]byte(`Nov 28 15:46:26 web1 nginx: h:80 10.0.0.1 - - [28/Nov/2025:15:46:26 +0100] "GET /ios.p7b HTTP/1.1" 200 5`))
	f.Add([]byte(`{"ts":1764337586.25,"msg":"handled request","request":{"remote_ip":"10.0.0.1","method":"GET","uri":"/ios.p7b",` + caddyTail))
	f.Add([]byte(`2025-11-28 15:00:01 10.0.0.2 GET "/ios.p7b" 200 64`))
	f.Fuzz(func(t *testing.T, line []byte) {
		var p fleet.Parser
		if _, err := p.Parse([]byte("#Fields: date time c-ip cs-method cs-uri-stem sc-status sc-bytes")); !errors.Is(err, fleet.ErrNoRequest) {
			t.Fatal(err)
		}
		r, err := new(fleet.Parser).Parse(line)
		if err != nil {
			if r, err = p.Parse(line); err != nil {
				return
			}
		}
		if !r.Address.IsValid() || r.Address.Is4In6() || r.Address.Zone() != "" || r.Time.IsZero() && r.Own || r.Status < 100 || r.Status > 999 || r.Bytes < -1 || r.Size < 0 {
			t.Errorf("%+v", r)
		}
	})
}

// Whatever a log holds, it is counted line by line, and a device is not current by
// what is no log of a whole download.
func FuzzRead(f *testing.F) {
	list := devices(f, "name,address\na,10.0.0.1\nb,10.0.0.0/8\nc,::/0\n")
	for _, s := range []string{
		own(1, "10.0.0.1", "GET", 200, 1000, 9) + own(2, "10.0.0.1", "GET", 304, 0, 10),
		combined(1, "10.0.0.1", "GET /archive/ios/9/ios.p7b HTTP/1.1", 200, 1000, "cisco-IOS"), "\x1f\x8b\x08", strings.Repeat("\n", 9),
		"#Fields: date time c-ip cs-method cs-uri-stem sc-status\n2025-11-28 15:00:01 10.0.0.2 GET /archive/ios/9/ios.p7b 200\n#Fields: c-ip\n10.0.0.2\n",
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, log []byte) {
		tl := fleet.New(fleet.Options{Devices: list, Bundles: []fleet.Bundle{{Name: "ios", Version: "9", Size: 1000}}})
		if err := tl.Read(t.Context(), "log", bytes.NewReader(log)); err != nil {
			return
		}
		r := tl.Downloads()
		if l := r.Logs[0]; l.Lines != l.Requests+l.Other+l.Unreadable {
			t.Errorf("%+v", l)
		}
		if totals(r)[fleet.GotCurrent] > 0 && !bytes.Contains(log, []byte("200")) && !bytes.Contains(log, []byte("304")) && !bytes.HasPrefix(log, []byte("\x1f\x8b")) {
			t.Errorf("%+v", r)
		}
		j, err := fleet.NewJudge(fleet.JudgeOptions{At: time.Unix(1_780_000_000, 0)}, r.Current)
		if err != nil {
			t.Fatal(err)
		}
		whole, err := fleet.Gather(t.Context(), fleet.Gathering{Devices: list, Downloads: r, Judge: j, By: "platform"})
		if err != nil {
			t.Fatal(err)
		}
		for _, printOne := range []func(io.Writer) error{whole.WriteText, whole.WriteCSV, whole.WriteJSON} {
			if err := printOne(io.Discard); err != nil {
				t.Error(err)
			}
		}
	})
}

// lines gives n lines, those of some over and over.
type lines struct {
	some []byte
	left int
	at   int
}

func (l *lines) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, io.EOF
	}
	n := copy(p, l.some[l.at:])
	if l.at += n; l.at == len(l.some) {
		l.at = 0
		l.left--
	}
	return n, nil
}

func benchmarkRead(b *testing.B, line func(i int) string) {
	var some bytes.Buffer
	for i := range 1000 {
		some.WriteString(line(i))
	}
	list := devices(b, "name,address\nall,10.0.0.0/8\none,10.0.0.1\n")
	b.SetBytes(int64(some.Len()) * 1000)
	b.ReportAllocs()
	for b.Loop() {
		tl := fleet.New(fleet.Options{Devices: list, Bundles: []fleet.Bundle{{Name: "ios", Version: "9", Size: 1000}}})
		if err := tl.Read(b.Context(), "log", &lines{some: some.Bytes(), left: 1000}); err != nil {
			b.Fatal(err)
		}
		if r := tl.Downloads(); r.Logs[0].Requests != 1_000_000 {
			b.Fatal(r.Logs)
		}
	}
}

// A million lines each.
func BenchmarkReadOwn(b *testing.B) {
	benchmarkRead(b, func(i int) string { return own(i%60, "10.0.0.1", "GET", 200, 1000, 9) })
}

func BenchmarkReadCombined(b *testing.B) {
	benchmarkRead(b, func(i int) string { return combined(i%60, "10.0.0.1", "GET /ios.p7b HTTP/1.1", 200, 1000, "cisco-IOS") })
}

package collect

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/internal/device"
)

// A script is a device that prints a piece of a text after each line that it is sent, and
// at the end closes the connection.
type script struct {
	mu     sync.Mutex
	more   sync.Cond
	pieces [][]byte
	ready  int
	closed bool
	sent   bytes.Buffer
}

func newScript(text []byte) *script {
	s := &script{pieces: bytes.Split(text, []byte{0}), ready: 1}
	s.more.L = &s.mu
	return s
}

func (s *script) Read(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for {
		switch {
		case s.closed, len(s.pieces) == 0:
			return 0, io.EOF
		case s.ready > 0 && len(s.pieces[0]) == 0:
			s.pieces, s.ready = s.pieces[1:], s.ready-1
		case s.ready > 0:
			n := copy(b, s.pieces[0])
			s.pieces[0] = s.pieces[0][n:]
			return n, nil
		default:
			s.more.Wait()
		}
	}
}

func (s *script) Write(b []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.sent.Write(b)
	s.ready++
	s.more.Broadcast()
	return len(b), nil
}

func (s *script) Close() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.closed = true
	s.more.Broadcast()
	return nil
}

// Whatever a device prints, it is sent the commands in their order, or the first of
// them, and the end is an answer or a reason.
func FuzzConverse(f *testing.F) {
	f.Add("iosxe", []byte("Hello\r\nedge1#\x00terminal length 0\x00\r\nedge1#\x00terminal width 511\x00\r\nedge1#\x00show crypto pki trustpool\x00\r\nCA Certificate\r\nedge1#\x00show clock\x00\r\n1:2\r\nedge1#\x00exit"))
	f.Add("iosxe", []byte("edge1>\x00enable\x00\r\nPassword: \x00\r\nedge1#\x00"))
	f.Add("asa", []byte("Password: \x00asa> \x00enable\x00Password: \x00\x00\x00Invalid password\r\nPassword: "))
	f.Add("iosxr", []byte("\x1b[2J\x00RP/0/RP0/CPU0:core1#\x00terminal length 0\x00\r\n --More-- "))
	f.Add("nxos", []byte("n9k# \x00\xff\xfe\x00% Invalid command\r\nn9k# "))
	f.Fuzz(func(t *testing.T, name string, text []byte) {
		p, err := device.Lookup(name)
		if err != nil {
			return
		}
		d, err := dialectOf(p)
		if err != nil {
			return
		}
		conn := newScript(text)
		ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
		defer cancel()
		secret := []byte("TEST-SECRET")
		l := newLine(conn, d.commands(true))
		defer context.AfterFunc(ctx, func() { _ = l.Close() })()
		s, err := converse(ctx, l, d, secret, time.Minute, 2*readDelay)
		if (s == nil) == (err == nil) {
			t.Fatalf("%v, %v", s, err)
		}
		if err != nil {
			if f, ok := errors.AsType[*Failure](err); !ok || f.Reason == "" || f.Detail == "" || strings.ContainsAny(f.Detail, "\n\r\x1b") {
				t.Fatalf("%#v is not a reason", err)
			}
		}
		conn.mu.Lock()
		defer conn.mu.Unlock()
		order := append([]string{enable, string(secret)}, d.setup...)
		order = append(order, d.show, clock, exit)
		next := 0
		lines := strings.Split(conn.sent.String(), "\n")
		for _, line := range lines {
			if line == "" {
				continue
			}
			i := slices.Index(order[next:], line)
			if i < 0 || next > 2 && i > 0 {
				t.Fatalf("it was sent %q", conn.sent.String())
			}
			next += i + 1
		}
	})
}

// What is read as a record is what was written as one.
func FuzzRecord(f *testing.F) {
	f.Add([]byte(`{"schema":"trustpool.collect/1","name":"edge1","started_at":"2026-04-01T10:00:00Z","ended_at":"2026-04-01T10:00:01Z","outcome":"collected","capture":{"file":"edge1.txt","at":"2026-04-01T10:00:01Z","bytes":3}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		row, err := readRecord(data)
		if err == nil && row.Began.IsZero() && row.Outcome == "" {
			t.Errorf("%+v", row)
		}
	})
}

// The password is for the device, and for nothing else that ssh asks.
func TestAccepts(t *testing.T) {
	t.Parallel()
	s := &System{Program: "ssh", Config: "none"}
	accept, err := s.accepts(t.Context(), target{host: "edge1", user: "lab"})
	if err != nil {
		t.Skip(err)
	}
	for question, want := range map[string]bool{
		"lab@edge1's password: ": true,
		"(lab@edge1) Password: ": true,
		"Password: ":             true, // of an old ssh, which does not say whose
		"lab@jump's password: ":  false,
		"(lab@jump) Password: ":  false,
		"Enter passphrase for key '/home/lab/.ssh/id_ed25519': ":                     false,
		"Enter PIN for ED25519-SK key: ":                                             false,
		"Are you sure you want to continue connecting (yes/no/[fingerprint])? ":      false,
		"(lab@edge1) Your password has expired, choose a new one. New password: yes": false,
	} {
		if got := accept(question); got != want {
			t.Errorf("%q: %v", question, got)
		}
	}
	if args := strings.Join((&System{Password: []byte("TEST-PASSWORD")}).arguments(target{host: "-oProxyCommand=x"}), " "); strings.Contains(args, "TEST-PASSWORD") || !strings.HasSuffix(args, " -- -oProxyCommand=x") {
		t.Error(args)
	}
}

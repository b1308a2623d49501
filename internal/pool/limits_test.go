package pool

import (
	"io"
	"strings"
	"testing"
)

// endless repeats its text, a few bytes at a time.
type endless struct {
	text string
	next int
}

func (e *endless) Read(b []byte) (int, error) {
	b = b[:min(len(b), 1000)]
	for i := range b {
		b[i] = e.text[e.next]
		e.next = (e.next + 1) % len(e.text)
	}
	return len(b), nil
}

func anyPlatform(string) error { return nil }

func TestFileLimits(t *testing.T) {
	t.Parallel()
	const head = `{"schema": "trustpool.pool/1", "platform": "asa", "certificates": [`
	const entry = `{"origin":"built-in","sha1":"45ad6bb499011bb4e84e84316a81c27d89ee5ce7"}`
	limits := fileLimits{size: 1 << 20, entries: 1000}
	for _, tt := range []struct{ name, head, repeat, want string }{
		{"white space", "", " ", "more than 1048576 bytes"},
		{"one string", `{"schema": "`, "a", "more than 1048576 bytes"},
		{"white space behind", head + "]}", "\n", "more than 1048576 bytes"},
		{"entries", head, entry + ",", "more than 1000 certificates"},
	} {
		_, err := limits.read(io.MultiReader(strings.NewReader(tt.head), &endless{text: tt.repeat}), anyPlatform)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// The limits themselves are allowed.
	file := head + strings.Repeat(entry+",", 999) + entry + "]}"
	limits.size = int64(len(file))
	if p, err := limits.read(strings.NewReader(file), anyPlatform); err != nil || len(p.Entries) != 1000 {
		t.Error(err)
	}
	limits.size--
	if _, err := limits.read(strings.NewReader(file), anyPlatform); err == nil {
		t.Error("one byte too many was read")
	}
}

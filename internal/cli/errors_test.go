package cli

import (
	"bytes"
	"errors"
	"fmt"
	"testing"
)

func TestWriteError(t *testing.T) {
	t.Parallel()
	a, b := errors.New("a"), errors.New("b\x1b[2J\nnot a line")
	many := make([]error, 30)
	for i := range many {
		many[i] = fmt.Errorf("cause %d", i)
	}
	for name, tt := range map[string]struct {
		err  error
		want string
	}{
		"one":             {a, "trustpool: a\n"},
		"hostile":         {b, "trustpool: b\\x1b[2J\\x0anot a line\n"},
		"two":             {errors.Join(a, b), "trustpool: a\ntrustpool: b\\x1b[2J\\x0anot a line\n"},
		"two of a file":   {fmt.Errorf("f: %w", errors.Join(a, fmt.Errorf("g: %w", errors.Join(a, b)))), "trustpool: f: a\ntrustpool: f: g: a\ntrustpool: f: g: b\\x1b[2J\\x0anot a line\n"},
		"equal":           {errors.Join(a, a, a), "trustpool: a (3 times)\n"},
		"a hint":          {hinted{errors.Join(a, a), "do\nthis"}, "trustpool: a (2 times)\ntrustpool: hint: do\\x0athis\n"},
		"wrapped by fmt":  {fmt.Errorf("%w and %w", a, a), "trustpool: a and a\n"},
		"not at the end":  {fmt.Errorf("%w, at last", errors.Join(a, a)), "trustpool: a\\x0aa, at last\n"},
		"more than fit":   {errors.Join(many...), ""},
		"joined but once": {errors.Join(a), "trustpool: a\n"},
	} {
		var out bytes.Buffer
		writeError(&out, tt.err)
		if name == "more than fit" {
			if got := bytes.Count(out.Bytes(), []byte("\n")); got != maxCauses+1 || !bytes.HasSuffix(out.Bytes(), []byte("trustpool: and 10 causes more\n")) {
				t.Errorf("%s: %d lines\n%s", name, got, out.String())
			}
			continue
		}
		if out.String() != tt.want {
			t.Errorf("%s: %q, want %q", name, out.String(), tt.want)
		}
	}
}

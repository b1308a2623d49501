package cli

import (
	"strings"
	"testing"

	"trustpool/internal/fetch"
)

// What the hint names is a value of --max-size that is enough, and the next lower is not.
func TestHintSize(t *testing.T) {
	t.Parallel()
	for _, bytes := range []int64{fetch.DefaultMaxBytes + 1, 300 << 20, 300<<20 + 1} {
		hint := hintSize(bytes)
		var most int64
		if err := size(&most)(hint[strings.LastIndexByte(hint, ' ')+1:]); err != nil {
			t.Fatal(err)
		}
		if most < bytes || most-1<<20 >= bytes {
			t.Errorf("a kit of %d bytes: %s", bytes, hint)
		}
	}
}

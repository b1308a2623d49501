package store

import (
	"bytes"
	"math"
	"runtime"
	"strings"
	"testing"
	"time"

	"trustpool/internal/report"
)

// An index that names millions of releases, or one with millions of gates, is refused
// without making them.
func TestIndexLimits(t *testing.T) { // not parallel: it measures memory
	one := `{"name":"lab","allowed":["a"` + strings.Repeat(`,""`, maxIndex/3-100) + `]}`
	for _, releases := range []string{"{}" + strings.Repeat(",{}", maxIndex/3-100), one, strings.Repeat("[", maxIndex/2), "1"} {
		data := []byte(`{"schema":"trustpool.index/1","name":"lab","releases":[` + releases + `]}`)
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if _, err := parseIndex(data, "lab"); err == nil {
			t.Errorf("%.100s: no error", data)
		}
		runtime.ReadMemStats(&after)
		if n := after.TotalAlloc - before.TotalAlloc; n > 6*maxIndex {
			t.Errorf("%.100s takes %d MiB", data, n>>20)
		}
	}
}

// More certificates tha bytes are no count: with such a one in the index the share
// of it that a new bundle must have would overflow, and let everything pass.
func TestIndexCounts(t *testing.T) {
	t.Parallel()
	r := Release{Name: "lab", Number: 1, Kind: Published, Published: time.Unix(1, 0), Contents: Contents{SHA256: strings.Repeat("ab", 32), Size: 900, Certificates: 9}}
	if err := r.check(); err != nil {
		t.Error(err)
	}
	for _, n := range []int{0, -1, 901, math.MaxInt} {
		if r.Certificates = n; r.check() == nil {
			t.Errorf("%d certificates in %d bytes", n, r.Size)
		}
	}
}

// What is read as an index is written and read as the same again, names only
// places within the archive, and is never empty.
func FuzzParseIndex(f *testing.F) {
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	var ix *State
	for _, kind := range []Kind{Published, Mirrored, RolledBack} {
		ix = ix.with(Release{
			Name: "lab", Kind: kind, Published: at, Allowed: []Gate{GateOlder}, From: "lab.p7b",
			Contents: Contents{SHA256: strings.Repeat("0123456789abcdef", 4), Size: 9, SignedName: "Lab", Version: "1", SigningTime: &at, Certificates: 2, Anchor: Anchor{"a", "b"}, Signed: []string{strings.Repeat("ab", 32)}},
		})
	}
	known, err := report.JSON(ix)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(known)
	f.Add(bytes.ReplaceAll(known, []byte(`"1"`), []byte(`"../.."`)))
	f.Add([]byte(`{"schema":"trustpool.index/1","name":"lab","releases":[]}`))
	f.Add([]byte(`{"schema":"trustpool.index/1","name":"lab","releases":[null]}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		ix, err := parseIndex(data, "lab")
		if err != nil {
			return
		}
		for i := range ix.Releases {
			r := &ix.Releases[i]
			if dir := r.Dir(); strings.ContainsAny(dir, "/\\\x00") || strings.HasPrefix(dir, ".") || len(dir) > maxVersion+1+hashDigits {
				t.Errorf("in the directory %q", dir)
			}
		}
		out, err := report.JSON(ix)
		if err != nil {
			t.Fatal(err)
		}
		again, err := parseIndex(out, "lab")
		if err != nil {
			t.Fatalf("%v\n%s", err, out)
		}
		if once, err := report.JSON(again); err != nil || !bytes.Equal(once, out) {
			t.Errorf("%s\nbecomes\n%s\n%v", out, once, err)
		}
		if next := again.with(*again.Current()); len(next.Releases) != min(len(again.Releases)+1, maxHistory) || next.Current().Number != again.Current().Number+1 {
			t.Error("another release makes another history")
		}
	})
}

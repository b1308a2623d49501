package report_test

import (
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/report"
)

func TestCount(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		n          int
		noun, want string
	}{
		{0, "certificate", "0 certificates"}, {1, "certificate", "1 certificate"}, {2, "certificate", "2 certificates"},
		{1, "entry", "1 entry"}, {2, "entry", "2 entries"}, {2, "day", "2 days"}, {-1, "day", "-1 days"},
	} {
		if got := report.Count(tt.n, tt.noun); got != tt.want {
			t.Errorf("Count(%d, %q) = %q, want %q", tt.n, tt.noun, got, tt.want)
		}
	}
}

func TestOptional(t *testing.T) {
	t.Parallel()
	if got := report.Optional(""); got != nil {
		t.Errorf("Optional of the empty string = %q, want nil", *got)
	}
	if got := report.Optional("x"); got == nil || *got != "x" {
		t.Errorf("Optional(x) = %v, want a pointer to it", got)
	}
	if got := report.Optional(0); got != nil {
		t.Errorf("Optional(0) = %d, want nil", *got)
	}
}

func TestOrDash(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{"": "-", "x": "x"} {
		if got := report.OrDash(s); got != want {
			t.Errorf("OrDash(%q) = %q, want %q", s, got, want)
		}
	}
}

func TestOrNil(t *testing.T) {
	t.Parallel()
	if got := report.OrNil("", true); got == nil || *got != "" {
		t.Errorf("OrNil of what is known = %v", got)
	}
	if got := report.OrNil("x", false); got != nil {
		t.Errorf("OrNil of what is not known = %q", *got)
	}
}

func TestTimes(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 3, 1, 0, 30, 0, 0, time.FixedZone("", 3600))
	if day, stamp := report.Day(at), report.Stamp(at); day != "2026-02-28" || stamp != "2026-02-28T23:30:00Z" {
		t.Errorf("Day = %s, Stamp = %s", day, stamp)
	}
}

func TestWriteCSV(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	if err := report.WriteCSV(&out, slices.Values([][]string{{"name", "note"}, {"=1+1", "a\u202e,\n\"b\""}})); err != nil {
		t.Fatal(err)
	}
	if got, want := out.String(), "name,note\n'=1+1,\"a\\u202e,\\x0a\"\"b\"\"\"\n"; got != want {
		t.Errorf("WriteCSV wrote %q, want %q", got, want)
	}
}

func TestCell(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]string{
		"": "", "CN=A": "CN=A", "=1+1": "'=1+1", "+1": "'+1", "-1": "'-1", "@SUM(A1)": "'@SUM(A1)", "|cmd": "'|cmd", "%x": "'%x",
		"＝1": "'＝1", "＋1": "'＋1", "－1": "'－1", "＠A": "'＠A", "CN=＝": "CN=＝", "\xef\xbc": "\xef\xbc", "é": "é",
	} {
		if got := report.Cell(s); got != want {
			t.Errorf("Cell(%q) = %q, want %q", s, got, want)
		}
	}
}

// A Moment is read from what it gives, and says what it cannot be read from.
func TestMoment(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		`null`: `null`, `"2025-06-01T00:00:00Z"`: `"2025-06-01T00:00:00Z"`, `"today"`: `"today" is not a time`, `["x"]`: `["x"] is not a time`,
	} {
		var m report.Moment
		err := json.Unmarshal([]byte(text), &m)
		got, _ := json.Marshal(m)
		if err != nil {
			got = []byte(err.Error())
		}
		if string(got) != want {
			t.Errorf("%s: %s, not %s", text, got, want)
		}
	}
}

package pages

import (
	"strings"
	"testing"
	"time"
)

func TestAgo(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	for text, want := range map[string]string{
		"2025-06-01T12:00:00Z": "today", "2025-06-01T23:00:00Z": "today", "2025-05-31T12:00:00Z": "1 day ago", "2025-06-03T12:00:00Z": "in 2 days",
		"2025-03-03T12:00:00Z": "90 days ago", "2025-01-01T12:00:00Z": "4 months ago", "2023-07-01T12:00:00Z": "23 months ago", "2021-09-01T17:05:07Z": "3 years ago",
		"9999-12-31T23:59:59Z": "in 7974 years", "0001-01-01T00:00:00Z": "2024 years ago",
	} {
		then, err := time.Parse(time.RFC3339, text)
		if err != nil {
			t.Fatal(err)
		}
		if got := ago(then, at); got != want {
			t.Errorf("%s: %q, want %q", text, got, want)
		}
	}
}

func TestHolds(t *testing.T) {
	t.Parallel()
	der := []byte(strings.Repeat("certificate ", 5))
	end := string(der[len(der)-24:])
	for _, test := range []struct {
		data string
		want bool
	}{{"", false}, {end, false}, {string(der), true}, {"x" + string(der) + "y", true}, {end + "x" + end, false}, {end + string(der), true}, {string(der[1:]) + string(der), true}, {string(der[:len(der)-1]), false}} {
		if got := holds([]byte(test.data), der); got != test.want || got != strings.Contains(test.data, string(der)) {
			t.Errorf("%q: %t", test.data, got)
		}
	}
	if !holds([]byte("abc"), []byte("b")) {
		t.Error("a short one is not found")
	}
}

package pages

import (
	"testing"
	"time"

	"trustpool/internal/hosting"
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

// The cache keeps what was asked for last, and no more than its bound.
func TestCache(t *testing.T) {
	t.Parallel()
	var c cache
	releases := make([]*hosting.Release, 10)
	for i := range releases {
		releases[i] = &hosting.Release{Certificates: maxParsed / 4}
		c.item(releases[i])
		c.item(releases[0])
		if c.used > maxParsed || len(c.items) > 4 {
			t.Fatalf("%d certificates of %d versions are kept", c.used, len(c.items))
		}
	}
	if c.parses != len(releases) {
		t.Errorf("%d parsed, of %d", c.parses, len(releases))
	}
	c.item(&hosting.Release{Certificates: maxParsed + 1})
	if len(c.items) != 4 {
		t.Error("one that is too large displaced others")
	}
	c.item(releases[1])
	if c.parses != len(releases)+2 {
		t.Error("what was dropped is there")
	}
}

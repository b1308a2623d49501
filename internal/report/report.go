// Package report has what the printings of reports share: text that is safe to print, JSON,
// Markdown, counts, days, hashes, tables, and the screen that text has to fit.
package report

import (
	"cmp"
	"encoding/hex"
	"strconv"
	"strings"
	"time"
)

// Count is a number and its noun: 1 entry, 2 entries, 3 days.
func Count(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	if stem, ok := strings.CutSuffix(noun, "y"); ok && !strings.HasSuffix(stem, "a") {
		noun = stem + "ie"
	}
	return strconv.Itoa(n) + " " + noun + "s"
}

// Optional is a pointer to v, and nil, which is null in JSON, for the zero value: what is not known.
func Optional[T comparable](v T) *T { return OrNil(v, v != *new(T)) }

// OrNil is a pointer to v if it is known, and nil, which is null in JSON, if it is not.
func OrNil[T any](v T, known bool) *T {
	if !known {
		return nil
	}
	return &v
}

// OrDash is s, and a dash if it is empty, for a column of a table.
func OrDash(s string) string { return cmp.Or(s, "-") }

// Joined is the words of a list, with commas between them.
func Joined[T ~string](list []T) string {
	words := make([]string, len(list))
	for i, v := range list {
		words[i] = string(v)
	}
	return strings.Join(words, ", ")
}

// Day is the date of t in UTC.
func Day(t time.Time) string { return t.UTC().Format(time.DateOnly) }

// Stamp is t in UTC, as RFC 3339 has it.
func Stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

// StampOrNil is the Stamp of t, and nil, which is null in JSON, if t is zero.
func StampOrNil(t time.Time) *string { return OrNil(Stamp(t), !t.IsZero()) }

// IsHex reports whether s is so many bytes in lower-case hex, as reports have hashes.
func IsHex(s string, bytes int) bool {
	return len(s) == hex.EncodedLen(bytes) && strings.Trim(s, "0123456789abcdef") == ""
}

// ShortHash is the beginning of a hash, 16 digits, for a column of a table.
func ShortHash(sum []byte) string { return hex.EncodeToString(sum[:8]) }

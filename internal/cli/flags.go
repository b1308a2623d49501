package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
)

// size is a flag that takes bytes: 4096, 64M, 1G.
func size(to *int64) func(string) error {
	return func(v string) error {
		number := strings.TrimSuffix(strings.TrimSuffix(strings.ToUpper(v), "B"), "I")
		digits := strings.TrimRight(number, "KMG")
		shift, isUnit := map[string]int{"": 0, "K": 10, "M": 20, "G": 30}[number[len(digits):]]
		n, err := strconv.ParseInt(digits, 10, 64)
		if err != nil || !isUnit || n <= 0 || n > (1<<62)>>shift {
			return errors.New("not a size: write 4096, 64M or 1G")
		}
		*to = n << shift
		return nil
	}
}

// count is a flag that takes a number above zero.
func count(to *int) func(string) error {
	return func(v string) (err error) {
		if *to, err = strconv.Atoi(v); err != nil || *to <= 0 {
			return errors.New("not a number above zero")
		}
		return nil
	}
}

// duration is a flag that takes a time of a second or more: 90d, 12w, 1y.
func duration(to *time.Duration) func(string) error {
	return func(v string) (err error) {
		if *to, err = bundle.ParseDuration(v); err == nil && *to < time.Second {
			err = errors.New("is to be longer than nothing")
		}
		return err
	}
}

// A moment is the value of --at.
type moment struct {
	time.Time
	given bool
}

func (m *moment) set(v string) error {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, v); err == nil {
			m.Time, m.given = t.UTC(), true
			return nil
		}
	}
	return fmt.Errorf("not a time: write 2026-11-21 or 2026-11-21T08:30:00Z")
}

// chosen is the time that the user gave, nil for the present.
func (m *moment) chosen() *time.Time {
	if !m.given {
		return nil
	}
	return &m.Time
}

// pin makes the present the time for all of a run, unless the user gave one. It is a
// whole second, so that --at can give it again.
func (m *moment) pin(now func() time.Time) {
	if !m.given && m.IsZero() {
		m.Time = now().UTC().Truncate(time.Second)
	}
}

// or is the time that the user gave or that was pinned, else the present.
func (m *moment) or(now func() time.Time) time.Time {
	if m.given || !m.IsZero() {
		return m.Time
	}
	return now().UTC()
}

package pages

import (
	"fmt"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// An instant is a point in time, and how far it is from the present, if there is one.
type instant struct {
	Known   bool
	ISO     string // RFC 3339
	Date    string
	Time    string
	Ago     string // 3 days ago, in 5 years
	Past    bool
	Seconds int64 // from 1970, to sort by
}

func moment(t, at time.Time) instant {
	t = t.UTC()
	i := instant{true, t.Format(time.RFC3339Nano), report.Day(t), t.Format("15:04:05"), "", false, t.Unix()}
	if !at.IsZero() {
		i.Ago, i.Past = ago(t, at), t.Before(at)
	}
	return i
}

func optional(t certificate.Time, at time.Time) instant {
	if !t.Valid {
		return instant{}
	}
	return moment(t.Time, at)
}

// noted is a time that is zero if it is not known.
func noted(t, at time.Time) instant {
	return optional(certificate.Time{Time: t, Valid: !t.IsZero()}, at)
}

// reported is a time of a report, which may be null.
func reported(s *string, at time.Time) instant {
	if s != nil {
		if t, err := time.Parse(time.RFC3339, *s); err == nil {
			return moment(t, at)
		}
	}
	return instant{}
}

const (
	day   = 24 * time.Hour
	year  = 31556952 * time.Second // the mean of the Gregorian calendar
	month = year / 12
)

// ago says how far t is from at: in days for about three months, in months for two
// years, else in years, rounded down.
func ago(t, at time.Time) string {
	// Seconds: a time.Duration ends at 292 years.
	s := at.Unix() - t.Unix()
	past := s >= 0
	if !past {
		s = -s
	}
	n, unit := s/int64(day/time.Second), "day"
	switch {
	case n == 0:
		return "today"
	case n > 2*365:
		n, unit = s/int64(year/time.Second), "year"
	case n > 90:
		n, unit = s/int64(month/time.Second), "month"
	}
	if past {
		return report.Count(int(n), unit) + " ago"
	}
	return "in " + report.Count(int(n), unit)
}

// size is a number of bytes as people read it.
func size(n int) string {
	switch {
	case n < 1000:
		return report.Count(n, "byte")
	case n < 10_000:
		return fmt.Sprintf("%.1f kB", float64(n)/1000)
	case n < 1000_000:
		return fmt.Sprintf("%d kB", (n+500)/1000)
	}
	return fmt.Sprintf("%.1f MB", float64(n)/1000_000)
}

// title is what a person would call a certificate.
func title(c *certificate.Certificate) string {
	switch {
	case c.Err != nil:
		return report.NotACertificate
	case len(c.Subject.Attributes()) == 0:
		return "(empty name)"
	}
	return c.Subject.CommonName()
}

package certificate

import (
	"errors"
	"time"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Time is a date of a certificate. Valid is false if none could be read.
type Time struct {
	time.Time
	Valid bool
}

// MarshalText gives RFC 3339 in UTC, a fraction kept.
func (t Time) MarshalText() ([]byte, error) { return []byte(t.String()), nil }

// MarshalJSON gives null if no date could be read.
func (t Time) MarshalJSON() ([]byte, error) {
	if !t.Valid {
		return []byte("null"), nil
	}
	return []byte(`"` + t.String() + `"`), nil
}

func (t Time) String() string {
	if !t.Valid {
		return "unreadable"
	}
	return t.UTC().Format(time.RFC3339Nano)
}

// Day returns the date in UTC, or what String returns if no date could be read.
func (t Time) Day() string {
	if !t.Valid {
		return t.String()
	}
	return t.UTC().Format(time.DateOnly)
}

const (
	tagUTCTime         = 23
	tagGeneralizedTime = 24
)

// ParseTime reads a UTCTime or GeneralizedTime element as leniently as the dates
// of a certificate, and reports whether it is written as RFC 5280 section 4.1.2.5
// requires. If no date can be made of it the time is not valid; an element of
// another type is an error.
func ParseTime(element []byte) (t Time, strict bool, err error) {
	in := cryptobyte.String(element)
	var body cryptobyte.String
	var tag asn1.Tag
	if !in.ReadAnyASN1(&body, &tag) || !in.Empty() || tag != asn1.UTCTime && tag != asn1.GeneralizedTime {
		return Time{}, false, errors.New("is not a time")
	}
	var quirks quirkSet
	t = parseTime(byte(tag), body, &quirks)
	return t, t.Valid && len(quirks) == 0, nil
}

// parseTime reads the contents of a UTCTime or GeneralizedTime as OpenSSL does:
// seconds may be missing, a fraction or an offset may follow. It adds the quirks.
func parseTime(tag byte, b []byte, quirks *quirkSet) (t Time) {
	s := b
	var year int
	switch {
	case tag == tagUTCTime:
		yy, ok := digits(&s, 2)
		if !ok {
			return Time{}
		}
		if year = 2000 + yy; yy >= 50 { // RFC 5280 section 4.1.2.5.1
			year = 1900 + yy
		}
	default:
		var ok bool
		if year, ok = digits(&s, 4); !ok {
			return Time{}
		}
	}
	var part [4]int // month, day, hour, minute
	for i := range part {
		var ok bool
		if part[i], ok = digits(&s, 2); !ok {
			return Time{}
		}
	}
	second, hasSeconds := digits(&s, 2)
	nanos, fraction := 0, false
	if hasSeconds && tag == tagGeneralizedTime && len(s) > 1 && s[0] == '.' {
		s, fraction = s[1:], true
		n, scale := 0, 100_000_000
		for ; n < len(s) && s[n] >= '0' && s[n] <= '9'; n++ {
			nanos += int(s[n]-'0') * scale // beyond nanoseconds, scale is 0
			scale /= 10
		}
		if n == 0 {
			return Time{}
		}
		s = s[n:]
	}
	offset, ok := zone(s)
	if !ok {
		return Time{}
	}
	u := time.Date(year, time.Month(part[0]), part[1], part[2], part[3], second, nanos, time.UTC)
	if u.Month() != time.Month(part[0]) || u.Day() != part[1] || part[2] > 23 || part[3] > 59 || second > 59 {
		return Time{}
	}
	utc := u.Add(-offset)
	if utc.Year() < 0 || utc.Year() > 9999 { // which RFC 3339 cannot write
		return Time{}
	}
	if fraction {
		quirks.add(QuirkTimeFraction)
	}
	if !hasSeconds {
		quirks.add(QuirkTimeNoSeconds)
	}
	if string(s) != "Z" {
		quirks.add(QuirkTimeOffset)
	}
	if tag == tagGeneralizedTime && year < 2050 {
		quirks.add(QuirkTimeGeneralizedEarly)
	}
	return Time{utc, true}
}

// digits takes n decimal digits from the front of s.
func digits(s *[]byte, n int) (v int, ok bool) {
	if len(*s) < n {
		return 0, false
	}
	for _, c := range (*s)[:n] {
		if c < '0' || c > '9' {
			return 0, false
		}
		v = v*10 + int(c-'0')
	}
	*s = (*s)[n:]
	return v, true
}

// zone reads Z, +hhmm or -hhmm.
func zone(s []byte) (time.Duration, bool) {
	if string(s) == "Z" {
		return 0, true
	}
	if len(s) != 5 || s[0] != '+' && s[0] != '-' {
		return 0, false
	}
	sign := time.Duration(1)
	if s[0] == '-' {
		sign = -1
	}
	s = s[1:]
	h, ok1 := digits(&s, 2)
	m, ok2 := digits(&s, 2)
	if !ok1 || !ok2 || h > 12 || m > 59 {
		return 0, false
	}
	return sign * (time.Duration(h)*time.Hour + time.Duration(m)*time.Minute), true
}

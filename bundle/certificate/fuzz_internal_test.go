package certificate

import (
	"testing"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/crypto/cryptobyte"

	"trustpool/internal/pkitest"
	"trustpool/internal/report"
)

func FuzzName(f *testing.F) {
	for _, q := range pkitest.Quirks() {
		if c := Read(q.DER); c.Err == nil {
			f.Add([]byte(c.Subject))
		}
	}
	f.Fuzz(func(t *testing.T, der []byte) {
		var quirks quirkSet
		in := cryptobyte.String(der)
		n, err := readNameElement(&in, "subject", &quirks)
		if err != nil {
			return
		}
		s := n.String()
		if !utf8.ValidString(s) {
			t.Errorf("%q is no UTF-8", s)
		}
		for _, r := range s {
			if r < ' ' || r == 0x7f {
				t.Errorf("%q has a control character", s)
			}
		}
		for _, r := range report.Printable(s) {
			if r != ' ' && !unicode.IsPrint(r) {
				t.Errorf("%q is not printable", report.Printable(s))
			}
		}
		if report.Printable(report.Printable(s)) != report.Printable(s) {
			t.Errorf("%q printed twice differs", s)
		}
		if got := len(n.Attributes()); (got == 0) != (s == "") {
			t.Errorf("%d attributes of %q", got, s)
		}
		n.CommonName()
	})
}

func FuzzTime(f *testing.F) {
	for _, tt := range times {
		f.Add(tt.tag, []byte(tt.in))
	}
	f.Fuzz(func(t *testing.T, tag byte, b []byte) {
		var quirks quirkSet
		got := parseTime(tag, b, &quirks)
		if !got.Valid {
			if len(quirks) > 0 {
				t.Errorf("%q is no date, with the quirks %v", b, quirks)
			}
			return
		}
		back, err := time.Parse(time.RFC3339Nano, got.String())
		if err != nil || !back.Equal(got.Time) {
			t.Errorf("%q is %s, read back as %v, %v", b, got, back, err)
		}
		layout := "20060102150405Z"
		if tag == tagUTCTime {
			layout = "060102150405Z"
		}
		want, err := time.Parse(layout, string(b))
		if tag == tagUTCTime && want.Year() >= 2050 {
			want = want.AddDate(-100, 0, 0)
		}
		if err == nil && want.Format(layout) == string(b) && !got.Equal(want) {
			t.Errorf("%q is %s, not %s", b, got, want)
		}
	})
}

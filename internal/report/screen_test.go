package report_test

import (
	"fmt"
	"io"
	"strings"
	"testing"

	"trustpool/internal/report"
)

func TestColumns(t *testing.T) {
	t.Parallel()
	for s, want := range map[string]int{
		"": 0, "CN=A": 4, "é": 1, "e\u0301": 1, "東京": 4, "ＣＮ": 4, "ｶﾅ": 2, "한국": 4, "\x1b[31mred\x1b[0m": 3, "\x1b[": 1, "😀": 2, "עברית": 5, "\xff": 1,
	} {
		if got := report.Columns(s); got != want {
			t.Errorf("Columns(%q) = %d, want %d", s, got, want)
		}
	}
}

func TestMiddle(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		s     string
		limit int
		want  string
	}{
		{"CN=Lab Root CA", 14, "CN=Lab Root CA"}, {"CN=Lab Root CA", 9, "CN=L…t CA"}, {"東京認証局", 7, "東…証局"}, {"東京認証局", 6, "東…局"},
		{"abcde\u0301fgh", 6, "abc…gh"}, {"abcdefgh", 2, "ab"}, {"abcdefgh", 3, "a…h"}, {"abcd", 0, "a"},
	} {
		if got := report.Middle(tt.s, tt.limit); got != tt.want {
			t.Errorf("Middle(%q, %d) = %q, want %q", tt.s, tt.limit, got, tt.want)
		}
	}
}

func TestShow(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		width       int
		text, shown string
	}{
		{0, "a line of any length\n", "a line of any length\n"},
		{12, "short\n\nno end", "short\n\nno end"},
		{12, "one two three four\n", "one two\n  three four\n"},
		{20, "  name  Lab Core Bundle of old\n", "  name  Lab Core\n        Bundle of\n        old\n"},
		{10, "0123456789abcdef\n", "0123456789\n  abcdef\n"},
		{10, "  0123456789abcdef", "  01234567\n    89abcd\n    ef"},
		{10, "認証局認証局 ok\n", "認証局認証\n  局 ok\n"},
	} {
		var out strings.Builder
		s := report.Screen{Width: tt.width}
		err := s.Show(&out, func(w io.Writer) error {
			if report.ScreenOf(w) != s {
				t.Errorf("ScreenOf = %v", report.ScreenOf(w))
			}
			for _, c := range []byte(tt.text) { // however it comes
				if _, err := w.Write([]byte{c}); err != nil {
					return err
				}
			}
			return nil
		})
		if got := out.String(); err != nil || got != tt.shown {
			t.Errorf("on %d columns %q is %q, %v, want %q", tt.width, tt.text, got, err, tt.shown)
		}
	}
	var out strings.Builder
	err := report.Screen{Width: 8}.Show(&out, report.Unfolded(func(w io.Writer) error {
		_, err := fmt.Fprintln(w, "crypto pki trustpool import")
		return err
	}))
	if got := out.String(); err != nil || got != "crypto pki trustpool import\n" {
		t.Errorf("unfolded: %q, %v", got, err)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	columns := []report.Column{
		{Title: "#", Kind: report.Number}, {Title: "key", Drop: 2}, {Title: "signed with", Drop: 1}, {Title: "SHA-256", Kind: report.Hash}, {Title: "subject", Kind: report.Name},
	}
	for width, want := range map[int]string{
		0: " #  key       signed with              SHA-256           subject\n" +
			" 1  RSA 2048  sha256WithRSAEncryption  0123456789abcdef  CN=Lab Root CA,O=Example Company,C=DE\n" +
			"10  RSA 1024  sha1WithRSAEncryption    0123456789abcdef  -\n",
		90: " #  key       signed with              SHA-256           subject\n" +
			" 1  RSA 2048  sha256WithRSAEncryption  0123456789abcdef  CN=Lab Root CA,O…ple Company,C=DE\n" +
			"10  RSA 1024  sha1WithRSAEncryption    0123456789abcdef  -\n",
		80: " #  key       signed with              SHA-256   subject\n" +
			" 1  RSA 2048  sha256WithRSAEncryption  01234567  CN=Lab Root CA,…le Company,C=DE\n" +
			"10  RSA 1024  sha1WithRSAEncryption    01234567  -\n",
		60: " #  key       SHA-256           subject\n" +
			" 1  RSA 2048  0123456789abcdef  CN=Lab Root CA… Company,C=DE\n" +
			"10  RSA 1024  0123456789abcdef  -\n" +
			"not shown: signed with; --wide shows all\n",
		40: " #  SHA-256   subject\n" +
			" 1  01234567  CN=Lab Root C…Company,C=DE\n" +
			"10  01234567  -\n" +
			"not shown: key, signed with; --wide\n  shows all\n",
	} {
		for _, reserved := range []bool{false, true} {
			var out strings.Builder
			err := report.Screen{Width: width}.Show(&out, func(w io.Writer) error {
				table := report.ScreenOf(w).Table(w, columns...)
				if reserved {
					table.Reserve(2, 8, 23, 16, report.Long)
				}
				table.Row("1", "RSA 2048", "sha256WithRSAEncryption", "0123456789abcdef", "CN=Lab Root CA,O=Example Company,C=DE")
				table.Row("10", "RSA 1024", "sha1WithRSAEncryption", "0123456789abcdef", "-")
				return table.Flush()
			})
			if got := out.String(); err != nil || got != want {
				t.Errorf("on %d columns, reserved %v: %v\n%swant\n%s", width, reserved, err, got, want)
			}
		}
	}
}

func TestTableProse(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	err := report.Screen{Width: 40, Color: true}.Show(&out, func(w io.Writer) error {
		s := report.ScreenOf(w)
		table := s.Table(w, report.Column{}, report.Column{Kind: report.Prose}, report.Column{Kind: report.Name})
		table.Row(s.Paint(report.Bad, "FAIL"), "the body was cut short: 4000 bytes", "CN=東京認証局 [x]")
		table.Row("ok", "", "")
		return table.Flush()
	})
	want := "\x1b[31mFAIL\x1b[0m  the body was cut  CN=東京…証局 [x]\n      short: 4000\n      bytes\nok                      \n"
	if got := out.String(); err != nil || got != want {
		t.Errorf("%v\n%s%q\nwant\n%q", err, got, got, want)
	}
}

// No row is longer than the screen, and no letter is lost, whatever the text.
func FuzzShow(f *testing.F) {
	f.Add("  label  some text that is long\nand 東京 e\u0301\n", 10)
	f.Add(strings.Repeat("x", 50)+" y", 1)
	f.Fuzz(func(t *testing.T, text string, width int) {
		if width < 2 || width > 200 {
			return
		}
		lines := strings.Split(text, "\n")
		for i := range lines {
			lines[i] = report.Printable(lines[i])
		}
		text = strings.Join(lines, "\n")
		var out strings.Builder
		err := report.Screen{Width: width}.Show(&out, func(w io.Writer) error {
			_, err := io.WriteString(w, text)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(out.String()) {
			if n := report.Columns(strings.TrimSuffix(line, "\n")); n > width {
				t.Fatalf("a row of %d columns on %d: %q", n, width, line)
			}
		}
		letters := strings.NewReplacer(" ", "", "\n", "")
		if got, want := letters.Replace(out.String()), letters.Replace(text); got != want {
			t.Fatalf("%q lost something: %q", text, out.String())
		}
		for limit := range width {
			if n := report.Columns(report.Middle(text, limit)); limit > 1 && n > limit {
				t.Fatalf("Middle(%q, %d) has %d columns", text, limit, n)
			}
		}
	})
}

package text_test

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf16"

	"trustpool/internal/fetch/text"
)

// utf16Of writes a string as UTF-16, low byte first or last.
func utf16Of(s string, little bool) string {
	var b []byte
	for _, u := range utf16.Encode([]rune(s)) {
		if little {
			b = append(b, byte(u), byte(u>>8))
		} else {
			b = append(b, byte(u>>8), byte(u))
		}
	}
	return string(b)
}

func zip(s string) string {
	var b bytes.Buffer
	w := gzip.NewWriter(&b)
	_, _ = w.Write([]byte(s))
	_ = w.Close()
	return b.String()
}

func TestDecode(t *testing.T) {
	t.Parallel()
	const s = "line 1: Zażółć 𝄞\r\nline two\n"
	for _, want := range []string{s, strings.Repeat(s, 10_000), "-----BEGIN", "ab"} {
		ways := map[string]string{
			"UTF-8": want, "with a mark": "\xef\xbb\xbf" + want,
			"UTF-16LE": "\xff\xfe" + utf16Of(want, true), "UTF-16BE": "\xfe\xff" + utf16Of(want, false),
		}
		if len(want) < 20 || len(want) > 100 {
			ways["UTF-16LE without a mark"] = utf16Of("ASCII comes first, and most is ASCII: "+strings.Repeat("x", 300)+want, true)
			ways["UTF-16BE without a mark"] = utf16Of("ASCII comes first, and most is ASCII: "+strings.Repeat("x", 300)+want, false)
		}
		for name, in := range ways {
			for _, in := range []string{in, zip(in), zip(in) + zip("")} {
				want := want
				if strings.HasSuffix(name, "without a mark") {
					want = "ASCII comes first, and most is ASCII: " + strings.Repeat("x", 300) + want
				}
				got, err := text.Decode([]byte(in), int64(len(want)))
				if err != nil || string(got) != want {
					t.Errorf("%s: %.60q, %v", name, got, err)
				}
				_, err = text.Decode([]byte(in), int64(len(want)-1))
				if limit, ok := errors.AsType[*text.LimitError](err); !ok || limit.Limit != int64(len(want)-1) {
					t.Errorf("%s: a byte too much: %v", name, err)
				}
				r, err := text.NewReader(iotest.OneByteReader(strings.NewReader(in)))
				if err != nil {
					t.Fatalf("%s: %v", name, err)
				}
				if got, err := io.ReadAll(r); err != nil || string(got) != want {
					t.Errorf("%s, read: %.60q, %v", name, got, err)
				}
			}
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	t.Parallel()
	long := zip(strings.Repeat("line\n", 1000))
	for name, tt := range map[string]struct{ in, msg string }{
		"zip":             {"PK\x03\x04\x14\x00", "a zip archive, not text: unpack it"},
		"a document":      {"PK\x03\x04" + strings.Repeat("\x00", 26) + "[Content_Types].xml", "a Microsoft Office document, not text"},
		"zip in gzip":     {zip("PK\x03\x04\x14\x00"), "a zip archive, not text, in gzip: unpack it"},
		"gzip in gzip":    {zip(zip("x")), "a gzip file, not text, in gzip: decompress it once more"},
		"DER":             {"\x30\x82\x01\x00\x30\x82", "certificates or another DER file, not text"},
		"zeroes":          {"\x00\x00\x00\x00\x00", "not text: give UTF-8"},
		"bytes":           {"abc\x00\x01\x02\x03", "not text: give UTF-8"},
		"UTF-32":          {"\xff\xfe\x00\x00a\x00\x00\x00", "text in UTF-32, not text: save it as UTF-8"},
		"gzip, cut":       {long[:len(long)-9], "a gzip file that is cut short"},
		"gzip, damaged":   {long[:len(long)-8] + "\x00\x00\x00\x00" + long[len(long)-4:], "a gzip file that is damaged"},
		"gzip, no header": {"\x1f\x8b\x00", "a gzip file that is"},
		"JKS":             {"\xfe\xed\xfe\xed\x00\x00\x00\x02", "a Java key store (JKS), not text: export"},
	} {
		if got, err := text.Decode([]byte(tt.in), 1<<20); err == nil || !strings.HasPrefix(err.Error(), tt.msg) || got != nil {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
}

// A few bytes of gzip that become many are given up at the limit.
func TestDecodeBomb(t *testing.T) {
	t.Parallel()
	bomb := zip(strings.Repeat("\n", 64<<20))
	_, err := text.Decode([]byte(bomb), 1<<20)
	if _, ok := errors.AsType[*text.LimitError](err); !ok {
		t.Error(err)
	}
}

func FuzzDecode(f *testing.F) {
	for _, s := range []string{"text\n", "\xff\xfea\x00", "\xfe\xff\x00a", zip("text"), "\x00a\x00b", "PK\x03\x04", "\xef\xbb\xbfx"} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		const limit = 1 << 16
		before := bytes.Clone(data)
		out, err := text.Decode(data, limit)
		if !bytes.Equal(before, data) {
			t.Fatal("the input was changed")
		}
		if err != nil && out != nil || len(out) > limit {
			t.Errorf("%d bytes, %v", len(out), err)
		}
	})
}

func TestName(t *testing.T) {
	t.Parallel()
	for begin, want := range map[string]string{
		"-----BEGIN CERTIFICATE-----\n": "PEM", "Lab Root\n-----BEGIN PKCS7-----\n": "PEM", " \n<!DOCTYPE HTML>\n": "an HTML page", "<html>": "an HTML page",
		"<?xml version=\"1.0\"?>": "XML", "<rpc-reply message-id=\"1\">": "XML, as of NETCONF", "": "", "edge1#show\n": "", "<189>Nov  5": "",
	} {
		if got := text.Name([]byte(begin)); got != want {
			t.Errorf("%q: %q, want %q", begin, got, want)
		}
	}
}

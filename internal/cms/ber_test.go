package cms_test

import (
	"bytes"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"runtime"
	"strings"
	"testing"

	"trustpool/internal/cms"
)

// unhex reads hex with blanks between the bytes.
func unhex(t testing.TB, s string) []byte {
	t.Helper()
	b, err := hex.DecodeString(strings.ReplaceAll(s, " ", ""))
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// transcoded are elements in BER and the DER that they become.
var transcoded = []struct{ name, in, want string }{
	{"DER", "30 06 0201 05 0400 00", ""},
	{"definite", "30 05 0201 05 0400", "30 05 0201 05 0400"},
	{"indefinite", "30 80 0201 05 0400 0000", "30 05 0201 05 0400"},
	{"indefinite and empty", "30 80 0000", "30 00"},
	{"indefinite in indefinite", "30 80 31 80 0201 05 0000 0000", "30 05 31 03 0201 05"},
	{"indefinite in definite", "30 07 31 80 0201 05 0000", "30 05 31 03 0201 05"},
	{"definite in indefinite", "30 80 31 03 0201 05 0000", "30 05 31 03 0201 05"},
	{"length in two bytes", "04 81 02 abcd", "04 02 abcd"},
	{"length with leading zeroes", "04 84 00000002 abcd", "04 02 abcd"},
	{"length with 126 leading zeroes", "04 fe" + strings.Repeat("00", 125) + "02 abcd", "04 02 abcd"},
	{"length of zero in two bytes", "04 81 00", "04 00"},
	{"length of 128", "04 8200 80" + strings.Repeat("ab", 128), "04 8180" + strings.Repeat("ab", 128)},
	{"length of 256", "04 830001 00" + strings.Repeat("ab", 256), "04 820100" + strings.Repeat("ab", 256)},
	{"byte string in segments", "24 80 0402 abcd 0401 ef 0000", "04 03 abcdef"},
	{"definite byte string in segments", "24 07 0402 abcd 0401 ef", "04 03 abcdef"},
	{"no segments", "24 80 0000", "04 00"},
	{"segments in segments", "24 80 2480 0401 ab 0000 2404 0402 cdef 0000", "04 03 abcdef"},
	{"segments of another type", "24 80 0c01 ab 0201 05 0000", "04 02 ab05"},
	{"UTF8String in segments", "2c 80 0c01 61 0c01 62 0000", "0c 02 6162"},
	{"context tag with indefinite length", "a0 80 0201 05 0000", "a0 03 0201 05"},
	{"context tag is not a string", "a0 80 0401 05 0401 06 0000", "a0 06 0401 05 0401 06"},
	{"tag number 31", "1f1f 81 01 05", "1f1f 01 05"},
	{"tag number 200, constructed", "bf8148 80 0201 05 0000", "bf8148 03 0201 05"},
	{"tag number of five bytes", "1f8f ffff ff7f 01 05", "1f8f ffff ff7f 01 05"},
	{"tag number 4 in the form for larger ones", "1f04 01 ab", "04 01 ab"},
	{"segments under tag number 4 in the form for larger ones", "3f04 04 0302 0186", "04 02 0186"},
	{"tag number 30, with leading zeroes", "1f80 801e 02 0061", "1e 02 0061"},
	{"tag number 31, with leading zeroes", "5f80 1f 00", "5f1f 00"},
	{"zero bytes that end nothing", "30 80 0403 000000 0000", "30 05 0403 000000"},
	{"an element of tag 0 in a definite one", "30 04 0000 0000", "30 04 0000 0000"},
	{"an end of contents with a long length is none", "30 80 0081 00 0000", "30 02 0000"},
}

func TestToDER(t *testing.T) {
	t.Parallel()
	for _, tt := range transcoded {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := unhex(t, tt.in)
			der, err := cms.ToDER(in, 0)
			if tt.want == "" {
				if err == nil {
					t.Fatalf("got %x", der)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			want := unhex(t, tt.want)
			if !bytes.Equal(der, want) {
				t.Errorf("got %x, want %x", der, want)
			}
			if again, err := cms.ToDER(der, 0); err != nil || !bytes.Equal(again, der) {
				t.Errorf("again: %x, %v", again, err)
			}
			if isDER := bytes.Equal(in, want); isDER != (cms.CheckDER(in, 0) == nil) {
				t.Errorf("DER: %t; CheckDER: %v", isDER, cms.CheckDER(in, 0))
			}
		})
	}
}

// malformed are bytes that are not one element, and where that shows.
var malformed = []struct {
	name, in string
	offset   int
	msg      string
}{
	{"nothing", "", 0, "the data ends where an element should begin"},
	{"no length", "30", 0, "the data ends within a length"},
	{"length cut short", "04 82 01", 0, "the data ends within a length"},
	{"length without bytes", "04 84", 0, "the data ends within a length"},
	{"contents cut short", "04 02 ab", 0, "an element of 2 bytes where 1 are left"},
	{"length of 2^31", "04 84 80000000 00", 0, "an element of 2147483648 bytes"},
	{"length of 2^32-1", "04 84 ffffffff 00", 0, "an element of 4294967295 bytes"},
	{"length of 2^32", "04 85 0100000000 00", 0, "a length of 5 bytes"},
	{"length of 2^63", "04 88 8000000000000000 00", 0, "a length of 8 bytes"},
	{"length of 2^64-1", "04 88 ffffffffffffffff 00", 0, "a length of 8 bytes"},
	{"length of 126 bytes", "04 fe" + strings.Repeat("ff", 126), 0, "a length of 126 bytes"},
	{"reserved length", "04 ff", 0, "the data ends within a length"},
	{"indefinite primitive", "04 80 ab 0000", 0, "an indefinite length on a primitive element"},
	{"indefinite without end", "30 80 0201 05", 5, "the data ends within an element of indefinite length"},
	{"half an end", "30 80 0201 05 00", 5, "the data ends within a length"},
	{"one end for two", "30 80 30 80 0000", 6, "the data ends within an element of indefinite length"},
	{"an end too many", "30 80 0000 0000", 4, "trailing bytes"},
	{"trailing bytes", "30 00 00", 2, "trailing bytes"},
	{"tag without end", "1f ff", 0, "a tag number that does not end"},
	{"tag of six bytes", "1f 8181 8181 8101 00", 0, "a tag number that does not end"},
	{"child longer than its parent", "30 03 0402 ab", 2, "an element of 2 bytes where 1 are left"},
	{"child longer than its indefinite parent", "30 80 0405 ab 0000", 2, "an element of 5 bytes where 3 are left"},
	{"grandchild longer than its parent", "30 80 3003 0402 ab 0000", 4, "an element of 2 bytes where 1 are left"},
	{"indefinite child past its parent", "30 06 3002 3080 0000", 6, "the data ends within an element of indefinite length"},
	{"segment longer than its string", "24 04 0403 abcd", 2, "an element of 3 bytes where 2 are left"},
}

func TestToDERRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range malformed {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			der, err := cms.ToDER(unhex(t, tt.in), 0)
			var syntax *cms.SyntaxError
			if !errors.As(err, &syntax) {
				t.Fatalf("got %x, %v", der, err)
			}
			if der != nil {
				t.Errorf("%x beside the error", der)
			}
			if !strings.HasPrefix(syntax.Msg, tt.msg) || syntax.Offset != tt.offset {
				t.Errorf("%v, not %q at offset %d", err, tt.msg, tt.offset)
			}
		})
	}
}

func TestCheckDER(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		offset   int // of the fault; -1 for none
		msg      string
	}{
		{"nothing", "", -1, ""},
		{"two elements", "0201 05 3000", -1, ""},
		{"values are not looked at", "0200 0102 ffff 0c01 ff", -1, ""},
		{"a set out of order", "31 06 0201 05 0201 04", -1, ""},
		{"indefinite", "3003 0201 05 3080 0000", 5, "not DER"},
		{"indefinite within", "3009 0201 05 3080 0000 0500", 5, "not DER"},
		{"long length within", "3004 0481 01 ab", 2, "not DER"},
		{"tag number 30 in the form for larger ones", "3003 1f1e 00", 2, "not DER"},
		{"tag number 31 with leading zeroes", "3004 1f80 1f 00", 2, "not DER"},
		{"segments", "3006 2404 0402 abcd", 2, "segments"},
		{"child longer than its parent", "3003 0402 ab", 2, "bytes where 1 are left"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := cms.CheckDER(unhex(t, tt.in), 0)
			if tt.offset < 0 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var syntax *cms.SyntaxError
			if !errors.As(err, &syntax) || syntax.Offset != tt.offset || !strings.Contains(syntax.Msg, tt.msg) {
				t.Errorf("got %v, want %q at offset %d", err, tt.msg, tt.offset)
			}
		})
	}
}

// nest puts a NULL into n levels of SEQUENCE.
func nest(n int, indefinite bool) []byte {
	if indefinite {
		return append(append(bytes.Repeat([]byte{0x30, 0x80}, n), 5, 0), make([]byte, 2*n)...)
	}
	b := []byte{5, 0}
	for range n {
		b = cms.AppendTLV(nil, 0x30, b)
	}
	return b
}

func TestDepth(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name       string
		indefinite bool
		levels     int
		limit      int
		ok         bool
	}{
		{"at the default", false, cms.DefaultMaxDepth, 0, true},
		{"above the default", false, cms.DefaultMaxDepth + 1, 0, false},
		{"indefinite, at the default", true, cms.DefaultMaxDepth, 0, true},
		{"indefinite, above the default", true, cms.DefaultMaxDepth + 1, 0, false},
		{"at a limit", false, 3, 3, true},
		{"above a limit", false, 4, 3, false},
		{"indefinite, at a limit", true, 3, 3, true},
		{"indefinite, above a limit", true, 4, 3, false},
		{"a limit above the default", false, 100, 100, true},
		{"indefinite, a limit above the default", true, 100, 100, true},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			der, err := cms.ToDER(nest(tt.levels, tt.indefinite), tt.limit)
			if (err == nil) != tt.ok {
				t.Fatal(err)
			}
			if tt.ok && !bytes.Equal(der, nest(tt.levels, false)) {
				t.Errorf("%x", der)
			}
			if !tt.ok && !strings.Contains(err.Error(), "deep") {
				t.Error(err)
			}
		})
	}
}

// Segments nest no deeper than elements.
func TestSegmentDepth(t *testing.T) {
	t.Parallel()
	segments := func(n int) []byte {
		b := []byte{4, 1, 0xab}
		for range n {
			b = cms.AppendTLV(nil, 0x24, b)
		}
		return b
	}
	if der, err := cms.ToDER(segments(cms.DefaultMaxDepth), 0); err != nil || string(der) != "\x04\x01\xab" {
		t.Errorf("%x, %v", der, err)
	}
	if _, err := cms.ToDER(segments(cms.DefaultMaxDepth+1), 0); err == nil || !strings.Contains(err.Error(), "deep") {
		t.Error(err)
	}
}

// Input that makes other readers take exponential time, overflow their stack or
// take all memory ends here, and soon: the test would not otherwise.
func TestHostileSizes(t *testing.T) {
	t.Parallel()
	const mega = 1 << 20
	tests := []struct {
		name string
		in   []byte
		ok   bool
	}{
		{"6 MB of 30 80", bytes.Repeat([]byte{0x30, 0x80}, 3*mega), false},
		{"6 MB of 24 80", bytes.Repeat([]byte{0x24, 0x80}, 3*mega), false},
		{"6 MB of 30 80, each ended", nest(3*mega/2, true), false},
		// go.mozilla.org/pkcs7 takes 46 s for 152 bytes, and 12 GB for 160: it
		// reads each level twice.
		{"130 bytes, 32 levels", nest(32, true), true},
		{"154 bytes", nest(38, true), false},
		{"162 bytes", nest(40, true), false},
		{"deepest indefinite levels around 1 MB", deepAround(cms.DefaultMaxDepth-1, mega), true},
		{"a million elements", cms.AppendTLV(nil, 0x30, bytes.Repeat([]byte{5, 0}, mega)), true},
		{"a million elements in an indefinite one", append(append([]byte{0x30, 0x80}, bytes.Repeat([]byte{5, 0}, mega)...), 0, 0), true},
		{"a million segments", cms.AppendTLV(nil, 0x24, bytes.Repeat([]byte{4, 0}, mega)), true},
		{"a million empty constructed elements", cms.AppendTLV(nil, 0x30, append(bytes.Repeat([]byte{0x30, 0}, mega), 0x30, 0x80, 0, 0)), true},
		{"4 MB of zeroes", make([]byte, 4*mega), false},
		{"4 MB of ff", bytes.Repeat([]byte{0xff}, 4*mega), false},
		{"a tag of 4 MB", append([]byte{0x3f}, bytes.Repeat([]byte{0x80}, 4*mega)...), false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			der, err := cms.ToDER(tt.in, 0)
			if (err == nil) != tt.ok {
				t.Errorf("%d bytes, %v", len(der), err)
			}
			if _, err := cms.ParseSignedData(tt.in, 0, cms.Limits{}); err == nil {
				t.Error("it is read as a message")
			}
			if cms.CheckDER(tt.in, 0) == nil && cms.CheckOne(tt.in) == nil && !bytes.Equal(der, tt.in) {
				t.Error("DER is changed")
			}
		})
	}
}

// deepAround puts size bytes of tiny elements into n indefinite levels.
func deepAround(n, size int) []byte {
	b := bytes.Repeat([]byte{0x30, 0x80}, n)
	b = append(b, bytes.Repeat([]byte{5, 0}, size/2)...)
	return append(b, make([]byte, 2*n)...)
}

// allocated is how many bytes f allocates. Tests beside it would count, so the
// caller must not be parallel.
func allocated(f func()) uint64 {
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	f()
	runtime.ReadMemStats(&after)
	return after.TotalAlloc - before.TotalAlloc
}

// Not parallel: it counts what is allocated.
func TestMemory(t *testing.T) {
	const mega = 1 << 20
	tests := []struct {
		name string
		in   []byte
		most uint64
	}{
		{"a length of 4 GB", unhex(t, "30 84 ffffffff 0201 05"), 64 << 10},
		{"6 MB of 30 80", bytes.Repeat([]byte{0x30, 0x80}, 3*mega), 64 << 10},
		{"DER", cms.AppendTLV(nil, 0x30, bytes.Repeat([]byte{5, 0}, mega)), 64 << 10},
		{"a million segments", cms.AppendTLV(nil, 0x24, bytes.Repeat([]byte{4, 0}, mega)), 3 * 2 * mega},
		{"an indefinite length", append(append([]byte{0x30, 0x80}, bytes.Repeat([]byte{5, 0}, mega)...), 0, 0), 3 * 2 * mega},
	}
	for _, tt := range tests {
		if got := allocated(func() { _, _ = cms.ToDER(tt.in, 0) }); got > tt.most {
			t.Errorf("%s: ToDER allocates %d bytes for %d, more than %d", tt.name, got, len(tt.in), tt.most)
		}
		if got := allocated(func() { _, _ = cms.ParseSignedData(tt.in, 0, cms.Limits{}) }); got > 64<<10 {
			t.Errorf("%s: ParseSignedData allocates %d bytes for %d", tt.name, got, len(tt.in))
		}
	}
}

func TestCheckSetOrder(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name, in string
		offset   int // of the fault; -1 for none
	}{
		{"empty", "", -1},
		{"one", "0201 05", -1},
		{"ascending", "0201 04 0201 05", -1},
		{"equal", "0201 05 0201 05", -1},
		{"descending", "0201 05 0201 04", 3},
		{"by tag", "0201 05 0401 04 3000", -1},
		{"by tag, descending", "3000 0201 05", 2},
		{"the shorter first", "0401 ab 0402 abcd", -1},
		{"the longer first", "0402 abcd 0401 ab", 4},
		{"third out of order", "0201 04 0201 06 0201 05", 6},
		{"not elements", "0201 05 02", -2},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			err := cms.CheckSetOrder(unhex(t, tt.in))
			if tt.offset == -1 {
				if err != nil {
					t.Error(err)
				}
				return
			}
			var syntax *cms.SyntaxError
			if !errors.As(err, &syntax) || tt.offset >= 0 && syntax.Offset != tt.offset {
				t.Errorf("got %v, want offset %d", err, tt.offset)
			}
		})
	}
}

// oids are contents bytes of object identifiers.
var oids = []struct{ name, in, want string }{
	{"signed-data", "2a 86 48 86 f7 0d 01 07 02", "1.2.840.113549.1.7.2"},
	{"2.5.29.15", "55 1d 0f", "2.5.29.15"},
	{"0.0", "00", "0.0"},
	{"1.39", "4f", "1.39"},
	{"2.0", "50", "2.0"},
	{"2.999", "88 37", "2.999"},
	{"2.47", "7f", "2.47"},
	{"2.48", "81 00", "2.48"},
	{"an arc of 64 bits", "2a 81 ff ff ff ff ff ff ff ff 7f", "1.2.18446744073709551615"},
	{"an arc of 128 bits", "69 83 ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff ff 7f", "2.25.340282366920938463463374607431768211455"},
	{"empty", "", ""},
	{"an arc that does not end", "2a 86", ""},
	{"an arc that begins with zeroes", "2a 80 01", ""},
	{"a first arc that begins with zeroes", "80 01", ""},
	{"128 bytes", strings.Repeat("01", 128), "0.1" + strings.Repeat(".1", 127)},
	{"129 bytes", strings.Repeat("01", 129), ""},
}

func TestOIDString(t *testing.T) {
	t.Parallel()
	for _, tt := range oids {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			got, ok := cms.OIDString(unhex(t, tt.in))
			if got != tt.want || ok != (tt.want != "") {
				t.Errorf("got %q, %t, want %q", got, ok, tt.want)
			}
		})
	}
}

// encodeOID gives the contents bytes of an object identifier.
func encodeOID(t testing.TB, s string) []byte {
	t.Helper()
	oid, err := x509.ParseOID(s)
	if err != nil {
		t.Fatal(err)
	}
	b, err := oid.MarshalBinary()
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestFirst(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, in, first, rest string }{
		{"alone", "0201 05", "0201 05", ""},
		{"followed", "0201 05 ffff", "0201 05", "ffff"},
		{"indefinite", "3080 0201 05 0000 0201 06", "3080 0201 05 0000", "0201 06"},
		{"cut short", "0202 05", "", ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			in := unhex(t, tt.in)
			first, rest, err := cms.First(in)
			if (err != nil) != (tt.first == "") || !bytes.Equal(first, unhex(t, tt.first)) || !bytes.Equal(rest, unhex(t, tt.rest)) {
				t.Errorf("%x, %x, %v", first, rest, err)
			}
			if one := cms.CheckOne(in); (one == nil) != (err == nil && len(rest) == 0) {
				t.Errorf("CheckOne: %v", one)
			}
		})
	}
}

func TestChildren(t *testing.T) {
	t.Parallel()
	in := unhex(t, "30 80 0201 05 3080 0500 0000 0400 0000")
	got, err := cms.Children(in, 3)
	if err != nil || len(got) != 3 {
		t.Fatalf("%x, %v", got, err)
	}
	for i, want := range []string{"0201 05", "3080 0500 0000", "0400"} {
		if !bytes.Equal(got[i], unhex(t, want)) {
			t.Errorf("child %d is %x", i+1, got[i])
		}
	}
	if _, err := cms.Children(in, 2); err == nil || err.Error() != "more than 2 elements at offset 11" {
		t.Error(err)
	}
	if _, err := cms.Children(unhex(t, "30 02 0402"), 9); err == nil {
		t.Error("a child longer than its parent is read")
	}
}

func TestIsContentInfo(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]bool{
		"":                        false,
		"30":                      false,
		"30 00":                   false,
		"30 0b 06":                true,
		"30 80 06":                true,
		"30 82 0100 06":           true,
		"30 84 00000100 06":       true,
		"30 82 0100 30":           false, // a certificate
		"31 82 0100 06":           false,
		"30 fe":                   false,
		"30 82 0100":              false,
		"30 82 0100 06 09 2a8648": true, // cut short
	} {
		if got := cms.IsContentInfo(unhex(t, in)); got != want {
			t.Errorf("%s: %t", in, got)
		}
	}
}

package bundle_test

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
)

// labTime is when the lab signs.
var labTime = time.Date(2024, 1, 15, 12, 0, 0, 0, time.UTC)

// filters are what a user may ask of lab-quirks-v1.p7b at 2025-06-01.
var filters = []struct {
	filter string
	want   []int  // indices, from 1
	msg    string // of the error, where there is one
}{
	{"expired", []int{29}, ""},
	{" Expired ", []int{29}, ""},
	{"expiring:1d", nil, ""},
	{"expiring:20y", []int{14, 25, 26}, ""},
	{"expiring:1043w", []int{14, 25, 26}, ""},
	{"EXPIRING:7305d", []int{14, 25, 26}, ""},
	{"expiring:175320h", []int{14, 25, 26}, ""},
	{"expiring:", nil, `"" is not a duration: write 90d, 12w, 2y or 36h`},
	{"expiring", nil, `"" is not a duration`},
	{"expiring:90", nil, `"90" is not a duration`},
	{"expiring:-1d", nil, `"-1d" is not a duration`},
	{"expiring:-1h", nil, `"-1h" is not a duration`},
	{"expiring:1.5y", nil, `"1.5y" is not a duration`},
	{"expiring:70000d", nil, `"70000d" is not a duration`},
	{"expiring:400y", nil, `"400y" is not a duration`},
	{"algorithm:md5", []int{10}, ""},
	{"algorithm:SHA1", []int{11}, ""},
	{"algorithm:rsa 1024", []int{5}, ""},
	{"algorithm:RSA 2048", []int{6, 7, 8, 9, 10, 11}, ""},
	{"algorithm:p-384", nil, ""},
	{"quirk:serial-zero", []int{12}, ""},
	{"Quirk: Serial-Negative", []int{2}, ""},
	{"quirk:none-such", nil, `no quirk is called "none-such"; there are: ber-framing, `},
	{"same issuer and serial", []int{25, 26}, ""},
	{"text:expired", []int{29}, ""},
	{"text:Quirk Serial", []int{12, 13}, ""},
	{"CN=Quirk serial-0", []int{12}, ""},
	{"ŁOŹ", []int{16}, ""},
	{"-72FEFDFD", []int{2}, ""},
	{"72:fe:fd:fd", []int{2}, ""},
	{"7F0000", []int{13}, ""},
	{"000000", []int{12, 13}, ""}, // zero, and part of a number
	{"", nil, "an empty filter: "},
	{" \t", nil, "an empty filter: "},
	{"nobody has this", nil, ""},
	{"http://example", nil, ""},
}

func TestFilter(t *testing.T) {
	t.Parallel()
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	pool := fixture(t, "lab-quirks-v1.p7b").Certificates
	for _, tt := range filters {
		t.Run(tt.filter, func(t *testing.T) {
			t.Parallel()
			checkFilter(t, pool, tt.filter, at, tt.want, tt.msg)
		})
	}
	var odd []int
	for i, c := range pool {
		if len(c.Quirks) > 0 {
			odd = append(odd, i+1)
		}
		sha1Sum, md5Sum := sha1.Sum(c.Raw), md5.Sum(c.Raw)
		for _, sum := range [][]byte{c.SHA256[:], sha1Sum[:], md5Sum[:]} {
			for _, spelling := range spellings(sum) {
				checkFilter(t, pool, spelling, at, []int{i + 1}, "")
			}
		}
	}
	checkFilter(t, pool, "quirk:", at, odd, "")
}

func checkFilter(t *testing.T, pool []*certificate.Certificate, filter string, at time.Time, want []int, msg string) {
	t.Helper()
	f, err := bundle.ParseFilter(filter, at)
	if msg != "" {
		if err == nil || !strings.HasPrefix(err.Error(), msg) {
			t.Errorf("%s: %v", filter, err)
		}
		return
	}
	if err != nil {
		t.Fatalf("%s: %v", filter, err)
	}
	var got []int
	for i, c := range pool {
		if f(c) {
			got = append(got, i+1)
		}
	}
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", filter, got, want)
	}
}

// The second at which a certificate expires is its last good one.
func TestFilterBoundaries(t *testing.T) {
	t.Parallel()
	c := pool(t, pkitest.CoreV1()[0]).Certificates
	end := c[0].NotAfter.Time
	checkFilter(t, c, "expired", end, nil, "")
	checkFilter(t, c, "expired", end.Add(time.Nanosecond), []int{1}, "")
	checkFilter(t, c, "expiring:1h", end, []int{1}, "")
	checkFilter(t, c, "expiring:1h", end.Add(-time.Hour), []int{1}, "")
	checkFilter(t, c, "expiring:1h", end.Add(-time.Hour-time.Nanosecond), nil, "")
	checkFilter(t, c, "expiring:1h", end.Add(time.Nanosecond), nil, "")
}

// spellings are ways in which fingerprints are printed.
func spellings(sum []byte) []string {
	lower := hex.EncodeToString(sum)
	upper := strings.ToUpper(lower)
	group := func(s string, n int, separator string) string {
		var groups []string
		for g := range slices.Chunk([]byte(s), n) {
			groups = append(groups, string(g))
		}
		return strings.Join(groups, separator)
	}
	return []string{
		lower,
		upper,
		group(upper, 2, ":"),
		group(upper, 2, " "),
		group(lower, 2, "-"),
		group(lower, 8, " "),
		group(upper, 8, " "),
		"SHA1 Fingerprint: " + upper,
		"MD5 Fingerprint: " + group(lower, 8, " "),
		"SHA256 Fingerprint=" + group(upper, 2, ":"),
		"sha256 Fingerprint=" + group(upper, 2, ":"),
		"SHA-256: " + upper,
		"SHA256:" + upper,
		"Fingerprint: " + group(upper, 8, " "),
		"\tsha1 " + lower + "\n",
	}
}

var fingerprints = []struct{ in, want string }{
	{"DE990CED99E0431F60EDC3937E7CD5BF0ED9E5FA", "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa"},
	{"SHA1 Fingerprint: DE990CED99E0431F60EDC3937E7CD5BF0ED9E5FA", "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa"},
	{"Fingerprint: 5e397bdd f8baec82 e9ac62ba 0c54002b", "5e397bddf8baec82e9ac62ba0c54002b"},
	{"Fingerprint MD5: 5E397BDD F8BAEC82 E9AC62BA 0C54002B", "5e397bddf8baec82e9ac62ba0c54002b"},
	{"Fingerprint SHA1: DE990CED 99E0431F 60EDC393 7E7CD5BF 0ED9E5FA", "de990ced99e0431f60edc3937e7cd5bf0ed9e5fa"},
	{"sha256 Fingerprint=85:A0:DD", "85a0dd"},
	{"SHA256:70 5E AA", "705eaa"},
	{"01", "01"},
	{"", ""},
	{"sha256", ""},
	{"SHA1 Fingerprint:", ""},
	{"abc", ""},
	{"0x01", ""},
	{"de990ced…", ""},
	{"IdenTrust", ""},
}

func TestParseFingerprint(t *testing.T) {
	t.Parallel()
	for _, tt := range fingerprints {
		got, ok := bundle.ParseFingerprint(tt.in)
		if ok != (tt.want != "") || ok && hex.EncodeToString(got) != tt.want {
			t.Errorf("%q: %x, %t, want %s", tt.in, got, ok, tt.want)
		}
	}
	for _, n := range []int{16, 20, 32} {
		sum := bytes.Repeat([]byte{0xde, 0xad, 0x0f, 0x10}, n/4)
		for _, s := range spellings(sum) {
			if got, ok := bundle.ParseFingerprint(s); !ok || !bytes.Equal(got, sum) {
				t.Errorf("%q: %x, %t", s, got, ok)
			}
		}
	}
}

func Example_spellings() {
	for _, s := range []string{"85:A0:DD:7D", "85a0dd7d", "SHA256 Fingerprint=85:A0:DD:7D"} {
		sum, ok := bundle.ParseFingerprint(s)
		fmt.Printf("%x %t\n", sum, ok)
	}
	// Output:
	// 85a0dd7d true
	// 85a0dd7d true
	// 85a0dd7d true
}

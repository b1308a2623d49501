package audit_test

import (
	"encoding/binary"
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
)

// Each character that does not show is found by itself, in every type of string
// that can hold it, in the subject and in the issuer.
func TestHiddenCharacters(t *testing.T) {
	t.Parallel()
	hidden := []rune{0x7f, 0x80, 0x85, 0x9b, 0x9f, 0xa0, 0xad, 0x34f, 0x61c, 0x115f, 0x180e, 0x200b, 0x200c, 0x200d, 0x200e, 0x200f, 0x2028, 0x2029,
		0x202a, 0x202b, 0x202c, 0x202d, 0x202e, 0x2060, 0x2064, 0x2066, 0x2067, 0x2068, 0x2069, 0x3164, 0xfe0f, 0xfeff, 0xffa0, 0xfff9, 0xe0001, 0xe0041}
	for r := range rune(' ') {
		hidden = append(hidden, r)
	}
	shown := []rune{' ', '~', 'é', 'Ż', '根', '😀', 0xfffd}
	for name, s := range map[string]struct {
		tag    asn1.Tag
		last   rune
		encode func(string) []byte
	}{
		"UTF8String":      {asn1.UTF8String, 0x10ffff, func(s string) []byte { return []byte(s) }},
		"PrintableString": {asn1.PrintableString, 0xff, latin1},
		"IA5String":       {asn1.IA5String, 0xff, latin1},
		"T61String":       {asn1.T61String, 0xff, latin1},
		"NumericString":   {18, 0xff, latin1},
		"BMPString": {pkitest.BMPString, 0xffff, func(s string) (out []byte) {
			for _, r := range s {
				out = binary.BigEndian.AppendUint16(out, uint16(r))
			}
			return out
		}},
		"UniversalString": {28, 0x10ffff, func(s string) (out []byte) {
			for _, r := range s {
				out = binary.BigEndian.AppendUint32(out, uint32(r))
			}
			return out
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			find := func(r rune, issuer bool) string {
				odd := pkitest.NewName("O=Odd").With("CN", s.tag, s.encode("a"+string(r)+"b"))
				der := plain(func(x *pkitest.Template) {
					if issuer {
						x.Issuer = odd
					} else {
						x.Subject, x.Issuer = odd, odd
					}
				})
				for _, f := range run(t, bundled(t, der), audit.Criteria{}).Findings {
					if f.Rule.ID == "name-hidden" {
						return f.Detail
					}
				}
				return ""
			}
			for _, r := range slices.Concat(hidden, shown) {
				if r > s.last {
					continue
				}
				for _, issuer := range []bool{false, true} {
					want := ""
					if slices.Contains(hidden, r) {
						want = fmt.Sprintf(": %U in CN", r)
					}
					if got := find(r, issuer); (got == "") != (want == "") || !strings.HasSuffix(got, want) {
						t.Errorf("%U, issuer %t: %q, want %q", r, issuer, got, want)
					}
				}
			}
		})
	}
}

func latin1(s string) (out []byte) {
	for _, r := range s {
		out = append(out, byte(r))
	}
	return out
}

package bundle

import (
	"bytes"
	"encoding/base64"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/internal/cms"
	"trustpool/internal/fetch/text"
)

// Limits on what is before the first certificate.
const (
	MaxPreamble = 64 << 10               // bytes of text
	SniffSize   = MaxPreamble + maxLabel // what Sniff needs to see of a longer stream
)

// Sniff judges the beginning of a stream, so that one which cannot become a
// bundle is refused before it is read to its end. It needs the first SniffSize
// bytes, or all of a shorter one. If the beginning says how long the whole is, so
// does Sniff; otherwise length is 0.
func Sniff(prefix []byte) (length int64, err error) {
	blank := skipSpace(prefix)
	switch {
	case beginsAsDER(prefix):
		if cms.IsContentInfo(prefix) && !allCRLF(prefix) { // after a certificate another may follow
			return cms.Length(prefix), nil
		}
		return 0, nil
	case text.Detect(prefix) != text.UTF8:
		return 0, nil
	case len(blank) == 0 && len(prefix) < SniffSize:
		return 0, nil
	case len(blank) == 0:
		return 0, notABundle(prefix)
	}
	s := scanner{data: prefix}
	at, what := s.find(0)
	switch {
	case what == foundBinary && !s.isPadding(at):
		return 0, s.notText(0, at)
	case what != foundNothing && what != foundBinary:
		return 0, nil
	case isMarkup(blank):
		return 0, identifyText(prefix)
	case notBase64(blank) >= 0 && (len(prefix) >= SniffSize || !looksLikeText(prefix)):
		return 0, identifyText(prefix)
	case notBase64(blank) < 0 && len(blank) >= 8 && !beginsSequence(blank):
		dense := bytes.Join(bytes.Fields(blank), nil)
		der, err := decodeBase64(dense[:len(dense)/4*4], 0)
		if err != nil {
			return 0, identifyText(prefix)
		}
		return 0, s.notBase64DER(der)
	}
	return 0, nil
}

// SniffCertificate reports whether the beginning of a file shows a certificate, whole
// or damaged, in any form. CRLs and messages such as signatures are none.
func SniffCertificate(prefix []byte) bool {
	if encoding := text.Detect(prefix); !beginsAsDER(prefix) && encoding != text.UTF8 {
		decoded, err := text.Decode(prefix, DefaultMaxBytes)
		if err != nil { // a gzip file cut short, too
			return true
		}
		prefix = decoded
	}
	s := scanner{data: prefix}
	for offset := 0; offset < len(prefix); {
		at, what := s.find(offset)
		offset = at + 1
		switch what {
		case foundSpelled, foundNested:
			return true
		case foundDER:
			if startsAsCertificateOnly(prefix[at:]) {
				return true
			}
			offset = len(prefix)
			if n := cms.Length(prefix[at:]); n > 0 {
				offset = int(min(int64(at)+n, int64(offset)))
			}
		case foundBase64:
			var der []byte
			if der, offset = beginningOfBase64(prefix, at); startsAsCertificateOnly(der) {
				return true
			}
		}
	}
	return false
}

// startsAsCertificateOnly reports of what starts as a certificate that it is none of
// the things that are mistaken for one.
func startsAsCertificateOnly(der []byte) bool {
	inner, _ := within(der)
	tbs, ok := within(inner)
	if !ok {
		return false
	}
	in := cryptobyte.String(tbs)
	return in.SkipOptionalASN1(asn1.INTEGER) && !isCRL(in)
}

// maxNames characters of base64 have what comes before the dates of a certificate or CRL.
const maxNames = 4 << 10

// beginningOfBase64 decodes the first of base64 without armour, and says where it ends.
func beginningOfBase64(data []byte, at int) (der []byte, end int) {
	r := base64Reader{data: data, i: at, prefix: quotePrefix(data, at)}
	var dense []byte
	for c, ok := r.next(); ok && c != '='; c, ok = r.next() {
		if len(dense) < maxNames {
			dense = append(dense, c)
		}
	}
	der, _ = base64.RawStdEncoding.DecodeString(string(dense[:len(dense)/4*4]))
	return der, r.i
}

// allCRLF reports whether each LF follows a CR, and there are some: then a transfer
// as text made the file longer than it says.
func allCRLF(b []byte) bool {
	n := bytes.Count(b, []byte("\n"))
	return n > 2 && n == bytes.Count(b, []byte("\r\n"))
}

// beginsSequence reports whether base64 text decodes to something that begins like
// DER.
func beginsSequence(text []byte) bool {
	start := bytes.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, text[:min(len(text), 64)])
	der := make([]byte, 3)
	if len(start) >= 4 {
		_, _ = base64.StdEncoding.Decode(der, start[:4])
	}
	return len(start) < 4 || der[0] == 0x30
}

func notABundle(data []byte) error {
	return syntaxErr(0, "neither PKCS#7, PEM, base64 nor a certificate: it begins with %q", data[:min(len(data), 16)])
}

// beginsAsDER reports whether data begins with a SEQUENCE, and not with the digit 0
// of text.
func beginsAsDER(data []byte) bool {
	if len(data) > 2 && data[1] == 0 { // UTF-16
		return false
	}
	return len(data) > 0 && data[0] == 0x30 && (len(data) > 1 && data[1] >= 0x80 && data[1] < 0xc0 || !looksLikeText(data[:min(len(data), 64)]))
}

func isMarkup(text []byte) bool { return len(text) > 0 && text[0] == '<' }

// looksLikeText reports whether bytes could be text without escape sequences.
func looksLikeText(b []byte) bool {
	for _, c := range b {
		if c < ' ' && c != '\n' && c != '\r' && c != '\t' && c != '\f' {
			return false
		}
	}
	return true
}

// skipSpace drops a byte order mark and white space from the front.
func skipSpace(b []byte) []byte {
	return bytes.TrimLeft(bytes.TrimPrefix(b, []byte("\xef\xbb\xbf")), " \t\r\n\f\v")
}

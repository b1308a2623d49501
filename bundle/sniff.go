package bundle

import (
	"bytes"
	"encoding/base64"
	"strings"

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
		return 0, s.notText(at)
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

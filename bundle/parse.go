package bundle

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// DefaultMaxBytes is how large a file may be where Limits says nothing.
const DefaultMaxBytes = 256 << 20

// Limits bound what Parse reads. Zero fields take their defaults.
type Limits struct {
	Bytes        int64 // DefaultMaxBytes
	Depth        int   // levels of nesting; 32
	Certificates int   // in one message or file; 200,000

	outline bool // of ParseOutline
}

func (l Limits) cms() cms.Limits {
	return cms.Limits{MaxDepth: l.Depth, MaxCertificates: l.certificates()}
}

func (l Limits) certificates() int {
	if l.Certificates <= 0 {
		return cms.DefaultMaxCertificates
	}
	return l.Certificates
}

// A SyntaxError says at which offset the input is not what it should be.
type SyntaxError = cms.SyntaxError

func syntaxErr(offset int, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// Parse reads a bundle in any form, under the default limits. It verifies
// nothing. The bundle keeps data, which must not be changed afterwards.
//
// A certificate that cannot be decoded is one entry with Err set; Parse fails
// only where the file as a whole is none of the forms, or no certificate at all
// could be decoded. Errors are, or wrap, *SyntaxError where there is an offset.
func Parse(data []byte) (*Bundle, error) { return Limits{}.Parse(data) }

// Parse reads a bundle as the function Parse does, under the limits l.
func (l Limits) Parse(data []byte) (*Bundle, error) {
	if l.Bytes <= 0 {
		l.Bytes = DefaultMaxBytes
	}
	if int64(len(data)) > l.Bytes {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", len(data), l.Bytes)
	}
	b := &Bundle{Raw: data}
	if err := b.parse(data, l); err != nil {
		return nil, err
	}
	if b.outlined || slices.ContainsFunc(b.Certificates, func(c *certificate.Certificate) bool { return c.Err == nil }) {
		return b, nil
	}
	if len(b.Certificates) == 0 {
		return nil, errors.New("no certificate in it")
	}
	return nil, fmt.Errorf("none of its %d certificates can be decoded; the first: %w", len(b.Certificates), b.Certificates[0].Err)
}

// ParseOutline reads a bundle as Parse does, with one difference: of a message in Cisco's two layers ([FormSigned]) it
// does not decode the pool. Certificates is then nil, and Content.Certificates has their bytes. Both layers are read
// and checked as by Parse, and so is that a certificate of the pool can be decoded. It is for
// callers that ask about the signature alone: signing.Verify gives the same answer for both.
func (l Limits) ParseOutline(data []byte) (*Bundle, error) {
	l.outline = true
	return l.Parse(data)
}

// Sniff judges the beginning of a stream, so that one which cannot become a
// bundle is refused before it is read to its end. It needs the first SniffSize
// bytes, or all of a shorter one. Where the beginning says how long the whole
// is, so does Sniff; otherwise length is 0.
func Sniff(prefix []byte) (length int64, err error) {
	text := skipSpace(prefix)
	switch {
	case beginsAsDER(prefix):
		return cms.Length(prefix), nil
	case len(text) == 0 && len(prefix) < SniffSize, bytes.Contains(prefix, beginMark):
		return 0, nil
	case len(text) == 0:
		return 0, notABundle(prefix)
	case isHTML(text):
		return 0, errHTML
	case notBase64(text) >= 0 && (len(prefix) >= SniffSize || !looksLikeText(prefix)):
		return 0, notABundle(prefix)
	case notBase64(text) < 0 && len(text) >= 8 && !beginsSequence(text):
		return 0, notABundle(prefix)
	}
	return 0, nil
}

// Limits on what stands before the first PEM block.
const (
	MaxPreamble = 64 << 10               // bytes of text
	SniffSize   = MaxPreamble + maxLabel // what Sniff needs to see of a longer stream
)

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

var errHTML = &SyntaxError{Msg: "an HTML page, not a bundle,"}

func (b *Bundle) parse(data []byte, l Limits) error {
	if len(data) == 0 {
		return errors.New("empty file")
	}
	if beginsAsDER(data) {
		return b.parseDER(data, 0, l)
	}
	if i := bytes.Index(data, beginMark); i > MaxPreamble {
		return syntaxErr(i, "more than %d bytes of text before the first PEM block", MaxPreamble)
	} else if i >= 0 {
		return b.parsePEM(data, l)
	}
	text := skipSpace(data)
	if len(text) == 0 {
		return errors.New("nothing but white space in it")
	}
	if isHTML(text) {
		return errHTML
	}
	if i := notBase64(text); i >= 0 {
		return notABundle(data)
	}
	der, err := decodeBase64(text, len(data)-len(text))
	if err != nil {
		return err
	}
	if len(der) == 0 || der[0] != 0x30 {
		return notABundle(data)
	}
	if err := b.parseDER(der, 0, l); err != nil {
		return fmt.Errorf("decoded from base64: %w", err)
	}
	return nil
}

func notABundle(data []byte) error {
	return syntaxErr(0, "neither PKCS#7, PEM, base64 nor a certificate: it begins with %q", data[:min(len(data), 16)])
}

// parseDER reads one message or one certificate, in DER or BER. base is the
// offset of der in the file.
func (b *Bundle) parseDER(der []byte, base int, l Limits) error {
	b.DER = der
	if cms.IsContentInfo(der) {
		return b.parseMessage(der, base, l)
	}
	if err := cms.CheckOne(der); err != nil {
		return err
	}
	b.Form = FormDER
	b.Certificates = []*certificate.Certificate{certificate.Read(der)}
	return nil
}

func (b *Bundle) parseMessage(der []byte, base int, l Limits) error {
	sd, err := cms.ParseSignedData(der, base, l.cms())
	if err != nil {
		return err
	}
	if len(sd.Signers) == 0 && sd.Content == nil {
		b.Form = FormCertsOnly
		b.Certificates, err = certificate.ReadAll(sd.Certificates)
		return err
	}
	b.Message = sd
	if len(sd.Signers) > 0 {
		b.Claims, _ = ReadClaims(&sd.Signers[0]) // what is wrong with them is for the verifier
	}
	if !cms.IsContentInfo(sd.Content) {
		b.Form = FormOuter
		b.Certificates, err = certificate.ReadAll(sd.Certificates)
		b.Chain = b.Certificates
		return err
	}
	b.Form = FormSigned
	if b.Content, err = cms.ParseSignedData(sd.Content, sd.ContentOffset, l.cms()); err != nil {
		return fmt.Errorf("the signed content: %w", err)
	}
	if l.outline && anyReadable(b.Content.Certificates) {
		b.outlined = true
	} else if b.Certificates, err = certificate.ReadAll(b.Content.Certificates); err != nil {
		return err
	}
	b.Chain, err = certificate.ReadAll(sd.Certificates)
	return err
}

// anyReadable reports whether a certificate of a pool can be decoded.
func anyReadable(pool [][]byte) bool {
	return slices.ContainsFunc(pool, func(raw []byte) bool { return certificate.Read(raw).Err == nil })
}

// beginsAsDER reports whether data begins with a SEQUENCE, and not with the digit 0
// of text that stands before a PEM block.
func beginsAsDER(data []byte) bool {
	return len(data) > 0 && data[0] == 0x30 && !(looksLikeText(data[:min(len(data), 64)]) && bytes.Contains(data, beginMark))
}

func isHTML(text []byte) bool { return len(text) > 0 && text[0] == '<' }

// looksLikeText reports whether bytes could be the text that stands before a
// PEM block.
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

// notBase64 is the index of the first byte that base64 text cannot have, or -1.
func notBase64(text []byte) int {
	for i, c := range text {
		switch {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9',
			c == '+', c == '/', c == '=', c == '\n', c == '\r', c == ' ', c == '\t':
		default:
			return i
		}
	}
	return -1
}

// decodeBase64 decodes text that may hold white space anywhere. base is the
// offset of text in the file.
func decodeBase64(text []byte, base int) ([]byte, error) {
	dense := text
	if bytes.IndexByte(text, ' ') >= 0 || bytes.IndexByte(text, '\t') >= 0 { // ten times as fast as ContainsAny
		dense = bytes.Map(func(r rune) rune {
			if r == ' ' || r == '\t' {
				return -1
			}
			return r
		}, text)
	}
	out := make([]byte, base64.StdEncoding.DecodedLen(len(dense)))
	n, err := base64.StdEncoding.Decode(out, dense)
	if err != nil {
		var at base64.CorruptInputError
		errors.As(err, &at)
		return nil, syntaxErr(base+withBlanks(text, int(at)), "base64 that does not decode")
	}
	return out[:n], nil
}

// withBlanks is the index in text of what is the n-th byte, counted from 0,
// where blanks do not count.
func withBlanks(text []byte, n int) int {
	for i, c := range text {
		if c == ' ' || c == '\t' {
			continue
		}
		if n == 0 {
			return i
		}
		n--
	}
	return len(text)
}

package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"trustpool/bundle/certificate"
)

var (
	beginMark = []byte("-----BEGIN ")
	endMark   = []byte("-----END ")
	dashes    = []byte("-----")
)

// maxLabel bounds the label of a PEM block.
const maxLabel = 64

// A pemBlock is one block, decoded. encoding/pem is not used because it passes
// over blocks that are damaged.
type pemBlock struct {
	label  string
	der    []byte
	offset int // of BEGIN in the file
}

// parsePEM reads concatenated blocks; text around them is passed over. A file
// whose only block is a message has the form of that message.
func (b *Bundle) parsePEM(data []byte, l Limits) error {
	b.Form = FormPEM
	alone := bytes.Count(data, beginMark) == 1
	l.outline = l.outline && alone // of several blocks the certificates are wanted
	for offset := 0; ; {
		block, next, err := nextPEM(data, offset)
		if err != nil || block == nil {
			return err
		}
		offset = next
		switch block.label {
		case "CERTIFICATE", "X509 CERTIFICATE":
			b.Certificates = append(b.Certificates, certificate.Read(block.der))
		case "TRUSTED CERTIFICATE":
			b.Certificates = append(b.Certificates, certificate.ReadTrusted(block.der))
		case "PKCS7", "CMS":
			var m Bundle
			if err := m.parseDER(block.der, 0, l); err != nil {
				return fmt.Errorf("PEM block %q at offset %d, decoded: %w", block.label, block.offset, err)
			}
			if m.Form == FormDER {
				return syntaxErr(block.offset, "a PEM block %q that holds a certificate, not a message,", block.label)
			}
			if alone {
				m.Raw = b.Raw
				*b = m
				return nil
			}
			b.Mixed = true
			b.Certificates = append(b.Certificates, m.Certificates...)
		default:
			return refuseLabel(block)
		}
		if len(b.Certificates) > l.certificates() {
			return syntaxErr(block.offset, "more than %d certificates", l.certificates())
		}
	}
}

func refuseLabel(block *pemBlock) error {
	if strings.Contains(block.label, "PRIVATE KEY") {
		return syntaxErr(block.offset, "a private key (PEM block %q), which is no part of a bundle,", block.label)
	}
	return syntaxErr(block.offset, "a PEM block %q, which is no part of a bundle,", block.label)
}

// nextPEM finds the next block at or after offset; it is nil at the end of the
// file. Each byte is visited a bounded number of times.
func nextPEM(data []byte, offset int) (*pemBlock, int, error) {
	for {
		i := bytes.Index(data[offset:], beginMark)
		if i < 0 {
			return nil, len(data), nil
		}
		offset += i
		if atLineStart(data, offset) {
			break
		}
		offset += len(beginMark)
	}
	block := &pemBlock{offset: offset}
	rest := data[offset+len(beginMark):]
	n := bytes.Index(rest[:min(len(rest), maxLabel+len(dashes))], dashes)
	if n < 0 || bytes.ContainsAny(rest[:n], "\r\n") {
		return nil, 0, syntaxErr(offset, "a PEM block without a label")
	}
	block.label = string(rest[:n])
	body := rest[n+len(dashes):]
	end := bytes.Index(body, endMark)
	if end < 0 {
		return nil, 0, syntaxErr(offset, "a PEM block %q without an end: truncated", block.label)
	}
	bodyOffset := len(data) - len(body)
	closing := string(endMark) + block.label + string(dashes)
	if !bytes.HasPrefix(body[end:], []byte(closing)) {
		return nil, 0, syntaxErr(bodyOffset+end, "a PEM block %q that ends as another", block.label)
	}
	next := bodyOffset + end + len(closing)
	text := body[:end]
	if i := headersEnd(text); i > 0 {
		text = text[i:]
	}
	der, err := decodeBase64(text, next-len(closing)-len(text))
	if err != nil {
		var syntax *SyntaxError
		errors.As(err, &syntax)
		return nil, 0, syntaxErr(syntax.Offset, "PEM block %q: %s", block.label, syntax.Msg)
	}
	block.der = der
	return block, next, nil
}

// headersEnd is where the base64 begins after the headers that RFC 1421 section
// 4.6 allows in a block; 0 where there are none.
func headersEnd(text []byte) int {
	if bytes.IndexByte(text, ':') < 0 {
		return 0
	}
	for _, blank := range [][]byte{[]byte("\n\n"), []byte("\r\n\r\n")} {
		if i := bytes.Index(text, blank); i >= 0 && bytes.LastIndexByte(text, ':') < i {
			return i + len(blank)
		}
	}
	return 0
}

// atLineStart reports whether only white space, or a byte order mark, stands
// before offset in its line.
func atLineStart(data []byte, offset int) bool {
	for i := offset - 1; i >= 0 && data[i] != '\n' && data[i] != '\r'; i-- {
		if data[i] != ' ' && data[i] != '\t' {
			return i == 2 && bytes.HasPrefix(data, []byte("\xef\xbb\xbf"))
		}
	}
	return true
}

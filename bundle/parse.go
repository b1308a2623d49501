package bundle

import (
	"bytes"
	"errors"
	"fmt"
	"slices"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
	"trustpool/internal/fetch/text"
)

// DefaultMaxBytes is how large a file may be if Limits says nothing.
const DefaultMaxBytes = 256 << 20

// Limits bound what Parse reads. Zero fields take their defaults.
type Limits struct {
	Bytes        int64 // DefaultMaxBytes
	Depth        int   // levels of nesting; 32
	Certificates int   // in one message or file; 200,000

	outline bool // of ParseOutline
}

func (l Limits) cms() cms.Limits {
	return cms.Limits{MaxDepth: l.Depth, MaxCertificates: l.Certificates}
}

// A SyntaxError says at which offset the input is not what it should be.
type SyntaxError = cms.SyntaxError

func syntaxErr(offset int, format string, args ...any) error {
	return &SyntaxError{Offset: offset, Msg: fmt.Sprintf(format, args...)}
}

// Parse reads a bundle in any form, under the default limits. It verifies
// nothing. The bundle keeps data, which must not be changed afterwards.
//
// A file may hold PEM, DER and bare base64 in any order, with text around them,
// in UTF-8, UTF-16 or gzip. Text is passed over and counted in Passed. Anything
// else that is not a certificate or a message of certificates is an error.
//
// A certificate that cannot be decoded is one entry with Err set; Parse fails if
// none at all can be decoded. Errors are, or wrap, *TypeError if the file is a
// known kind of something else, and *SyntaxError if there is an offset.
func Parse(data []byte) (*Bundle, error) { return Limits{}.Parse(data) }

// Parse reads a bundle as the function Parse does, under the limits l.
func (l Limits) Parse(data []byte) (*Bundle, error) {
	if l.Bytes <= 0 {
		l.Bytes = DefaultMaxBytes
	}
	if l.Certificates <= 0 {
		l.Certificates = cms.DefaultMaxCertificates
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
	first := b.Certificates[0].Raw
	if err := identifyDER(first, 0); err != nil {
		return nil, err
	}
	if bytes.Contains(first, beginMark) {
		return nil, errNested(0)
	}
	if err := identify(first, 0); err != nil {
		return nil, err
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

func (b *Bundle) parse(data []byte, l Limits) error {
	if len(data) == 0 {
		return errors.New("empty file")
	}
	if !beginsAsDER(data) && text.Detect(data) != text.UTF8 {
		decoded, err := text.Decode(data, l.Bytes)
		if err != nil {
			return wrongType(err)
		}
		if isMixed(data, decoded) {
			return &TypeError{Type: "UTF-16 with something else in it", Advice: "save each part as UTF-8, and join them again"}
		}
		data = decoded
	}
	s := scanner{data: data, limits: l}
	if err := s.file(); err != nil {
		return err
	}
	b.Passed = s.passed
	return b.assemble(s.pieces, l)
}

// isMixed reports whether a text decoded from UTF-16 has what no text has: half
// characters, or the mark of the other byte order. DER appended to it looks like that.
func isMixed(data, decoded []byte) bool {
	if text.Detect(data) == text.Gzip {
		return false
	}
	decoded = bytes.TrimSuffix(decoded, []byte("\ufffd")) // of an odd byte at the end
	written := bytes.Count(data, []byte("\xfd\xff")) + bytes.Count(data, []byte("\xff\xfd"))
	return bytes.Count(decoded, []byte("\ufffd")) > written || bytes.Contains(decoded, []byte("\ufffe"))
}

// A piece is a certificate or a message as it was found in a file.
type piece struct {
	der    []byte
	offset int // in the file
	kind   pieceKind
	label  string // of a PEM block
}

type pieceKind string

const (
	inPEM    pieceKind = "PEM"
	inBase64 pieceKind = "base64" // without armour
	inDER    pieceKind = "DER"
)

// assemble makes the bundle of its pieces. A file whose only piece is a message
// has the form of that message.
func (b *Bundle) assemble(pieces []piece, l Limits) error {
	if len(pieces) == 1 && cms.IsContentInfo(pieces[0].der) {
		b.DER = pieces[0].der
		return pieces[0].parseMessage(b, l)
	}
	l.outline = false // of several pieces the certificates are wanted
	b.Form = FormDER
	var certs [][]byte
	for _, p := range pieces {
		if p.kind == inPEM {
			b.Form = FormPEM
		}
		if !cms.IsContentInfo(p.der) {
			certs = append(certs, p.der)
		}
	}
	read, err := certificate.ReadAll(certs)
	if err != nil {
		return err
	}
	for _, p := range pieces {
		if cms.IsContentInfo(p.der) {
			var m Bundle
			if err := p.parseMessage(&m, l); err != nil {
				return err
			}
			b.Form, b.Mixed = FormPEM, true
			b.Certificates = append(b.Certificates, m.Certificates...)
		} else {
			c := read[0]
			read = read[1:]
			if p.label == labelTrusted {
				c = certificate.ReadTrusted(p.der)
			}
			if c.Err != nil && p.kind != inPEM && len(pieces) > 1 {
				if err := identifyDER(p.der, p.offset); err != nil {
					return err
				}
				return syntaxErr(p.offset, "%s that begins as a certificate does and cannot be read as one: %v,", p.kind, c.Err)
			}
			b.Certificates = append(b.Certificates, c)
		}
		if len(b.Certificates) > l.Certificates {
			return syntaxErr(p.offset, "more than %d certificates", l.Certificates)
		}
	}
	if b.Form == FormDER && len(pieces) == 1 {
		b.DER = pieces[0].der
	}
	return nil
}

// parseMessage reads the message that p is into b.
func (p *piece) parseMessage(b *Bundle, l Limits) error {
	base := 0
	if p.kind == inDER {
		base = p.offset
	}
	return p.inDecoded(b.parseMessage(p.der, base, l))
}

// inDecoded says of an error, if there is one, that its offset is in what was decoded.
func (p *piece) inDecoded(err error) error {
	switch {
	case err == nil || p.kind == inDER:
		return err
	case p.kind == inPEM:
		return fmt.Errorf("PEM block %q at offset %d, decoded: %w", p.label, p.offset, err)
	case p.offset > 0:
		return fmt.Errorf("base64 at offset %d, decoded: %w", p.offset, err)
	}
	return fmt.Errorf("decoded from base64: %w", err)
}

// parseMessage reads one message, in DER or BER. base is the offset of der in
// the file.
func (b *Bundle) parseMessage(der []byte, base int, l Limits) error {
	sd, err := cms.ParseSignedData(der, base, l.cms())
	if err != nil {
		return err
	}
	if sd.ContentType == oidTrustList {
		return &TypeError{Type: "a Microsoft certificate trust list (.stl)", Offset: base,
			Advice: "it names certificates without holding them; get them as PKCS#7 or PEM"}
	}
	if len(sd.Signers) == 0 && len(sd.Content) == 0 && (sd.Content == nil || sd.ContentType == cms.OIDData) {
		b.Form = FormCertsOnly
		if sd.Content != nil {
			b.Quirks = append(b.Quirks, QuirkEmptyContent)
		}
		if len(sd.Certificates) == 0 && sd.CRLs {
			return syntaxErr(base, "a PKCS#7 message of CRLs, without a certificate,")
		}
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

package bundle

import (
	"bufio"
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"unicode/utf16"
	"unicode/utf8"

	"trustpool/internal/report"
)

// A CertificateReport is what reports say of a certificate; docs/formats.md has
// every field. A field that could not be read is null, and a quirk says so; all
// but the hashes and Error are null for an element that is no certificate.
type CertificateReport struct {
	Index              int              `json:"index"` // from 1
	SHA256             string           `json:"sha256"`
	SHA1               string           `json:"sha1"`
	MD5                string           `json:"md5"`
	Subject            *string          `json:"subject"`
	Issuer             *string          `json:"issuer"`
	Serial             *string          `json:"serial"`
	NotBefore          Time             `json:"not_before"`
	NotAfter           Time             `json:"not_after"`
	X509Version        *int             `json:"x509_version"`
	PublicKey          *PublicKeyReport `json:"public_key"`
	SignatureAlgorithm *string          `json:"signature_algorithm"`
	IsCA               *bool            `json:"is_ca"`
	PathLen            *int             `json:"path_len"`
	KeyUsage           []string         `json:"key_usage"`
	ExtKeyUsage        []string         `json:"ext_key_usage"`
	SubjectKeyID       *string          `json:"subject_key_id"`
	AuthorityKeyID     *string          `json:"authority_key_id"`
	SelfIssued         *bool            `json:"self_issued"`
	Quirks             []Quirk          `json:"quirks"`
	Error              *string          `json:"error"`
}

// A PublicKeyReport is what reports say of a key. Fields that the algorithm does
// not have, or that could not be read, are null.
type PublicKeyReport struct {
	Algorithm  string  `json:"algorithm"`
	Bits       *int    `json:"bits"`
	Exponent   *uint64 `json:"exponent"`
	Curve      *string `json:"curve"`
	SPKISHA256 string  `json:"spki_sha256"`
}

// Report gives what reports say of the certificate at the position index of its
// bundle, counted from 1.
func (c *Certificate) Report(index int) CertificateReport {
	sha1Sum, md5Sum := sha1.Sum(c.Raw), md5.Sum(c.Raw)
	r := CertificateReport{
		Index:  index,
		SHA256: hex.EncodeToString(c.SHA256[:]),
		SHA1:   hex.EncodeToString(sha1Sum[:]),
		MD5:    hex.EncodeToString(md5Sum[:]),
		Quirks: []Quirk{},
	}
	if c.Err != nil {
		r.Error = new(c.Err.Error())
		return r
	}
	spki := c.SPKISHA256()
	r.Subject, r.Issuer, r.Serial = new(c.Subject.String()), new(c.Issuer.String()), new(c.Serial.String())
	r.NotBefore, r.NotAfter = c.NotBefore, c.NotAfter
	r.X509Version = report.Optional(c.Version)
	r.PublicKey = &PublicKeyReport{
		Algorithm:  c.PublicKey.Algorithm,
		Bits:       report.Optional(c.PublicKey.Bits),
		Exponent:   report.Optional(c.PublicKey.Exponent),
		Curve:      report.Optional(c.PublicKey.Curve),
		SPKISHA256: hex.EncodeToString(spki[:]),
	}
	r.SignatureAlgorithm = new(c.SignatureAlgorithm.String())
	r.IsCA = orNil(c.IsCA, !c.Has(QuirkBasicUnreadable))
	r.PathLen = orNil(c.PathLen, c.PathLen >= 0)
	if !c.Has(QuirkKeyUsageUnreadable) {
		r.KeyUsage = c.KeyUsage.Names()
	}
	if !c.Has(QuirkExtKeyUsageUnreadable) {
		r.ExtKeyUsage = make([]string, len(c.ExtKeyUsage))
		for i, id := range c.ExtKeyUsage {
			r.ExtKeyUsage[i] = id.String()
		}
	}
	r.SubjectKeyID = orNil(hex.EncodeToString(c.SubjectKeyID), c.SubjectKeyID != nil)
	r.AuthorityKeyID = orNil(hex.EncodeToString(c.AuthorityKeyID), c.AuthorityKeyID != nil)
	r.SelfIssued = new(c.SelfIssued())
	if c.Quirks != nil {
		r.Quirks = c.Quirks
	}
	return r
}

// orNil is a pointer to v where it is known, else nil.
func orNil[T any](v T, known bool) *T {
	if !known {
		return nil
	}
	return &v
}

// A JSONList is a member of a document whose value is an array that is made
// element by element.
type JSONList struct {
	Name string
	Each iter.Seq[any]
}

// WriteJSON writes one indented document: the members of head, which must marshal
// to an object, then the lists. Only one element is in memory at a time.
func WriteJSON(w io.Writer, head any, lists ...JSONList) error {
	b, err := newIndenter("").marshal(head)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	element := newIndenter("    ")
	out.Write(bytes.TrimSuffix(b, []byte("\n}")))
	for _, l := range lists {
		fmt.Fprintf(out, ",\n  %q: [", l.Name)
		separator, end := "\n    ", "]"
		for v := range l.Each {
			b, err := element.marshal(v)
			if err != nil {
				return err
			}
			out.WriteString(separator)
			if _, err := out.Write(b); err != nil {
				return err // no need to go on
			}
			separator, end = ",\n    ", "\n  ]"
		}
		out.WriteString(end)
	}
	out.WriteString("\n}\n")
	return out.Flush() // a bufio.Writer keeps its first error
}

// An indenter is json.MarshalIndent without the escaping of HTML, and with that of
// characters that do not show: text of a certificate must not reorder or hide the
// lines of a report.
type indenter struct {
	buf bytes.Buffer
	enc *json.Encoder
}

func newIndenter(prefix string) *indenter {
	i := &indenter{}
	i.enc = json.NewEncoder(&i.buf)
	i.enc.SetEscapeHTML(false)
	i.enc.SetIndent(prefix, "  ")
	return i
}

// marshal gives octets that the next call overwrites.
func (i *indenter) marshal(v any) ([]byte, error) {
	i.buf.Reset()
	err := i.enc.Encode(v)
	out := bytes.TrimSuffix(i.buf.Bytes(), []byte("\n"))
	if bytes.IndexFunc(out, hidden) < 0 {
		return out, err
	}
	var clean []byte
	for _, r := range string(out) {
		switch {
		case !hidden(r):
			clean = utf8.AppendRune(clean, r)
		case r < 0x10000:
			clean = fmt.Appendf(clean, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			clean = fmt.Appendf(clean, `\u%04x\u%04x`, hi, lo)
		}
	}
	return clean, err
}

// hidden tells whether a character does not show as itself that encoding/json
// leaves as it is: DEL, and those beyond ASCII. In JSON such a one stands in strings
// only.
func hidden(r rune) bool { return r >= 0x7f && !printable(r) }

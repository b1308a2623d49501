// Package inspect shows a bundle: what it holds, and whether its signature
// counts. It decides nothing; package signing has judged before it prints.
package inspect

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"iter"
	"slices"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/signing"
)

// A Report is a bundle and the judgement on its signature.
type Report struct {
	File      string
	Bundle    *bundle.Bundle
	Signature signing.Report
	At        time.Time // what had expired then is marked on a screen
	// Selected are the positions in Bundle.Certificates that a filter left, in
	// order; nil for all.
	Selected []int
}

// Select keeps the certificates that the filter wants, of those selected so far.
func (r *Report) Select(wanted bundle.Filter) {
	selected := []int{}
	for i, c := range r.each() {
		if wanted(c) {
			selected = append(selected, i)
		}
	}
	r.Selected = selected
}

// each yields the selected certificates with their positions, from 0.
func (r *Report) each() iter.Seq2[int, *certificate.Certificate] {
	if r.Selected == nil {
		return slices.All(r.Bundle.Certificates)
	}
	return func(yield func(int, *certificate.Certificate) bool) {
		for _, i := range r.Selected {
			if !yield(i, r.Bundle.Certificates[i]) {
				return
			}
		}
	}
}

// Certificates are the selected certificates.
func (r *Report) Certificates() []*certificate.Certificate {
	out := []*certificate.Certificate{}
	for _, c := range r.each() {
		out = append(out, c)
	}
	return out
}

// WriteText writes the head and a table, a line a certificate.
func (r *Report) WriteText(w io.Writer) error {
	if err := r.writeHead(w); err != nil {
		return err
	}
	// The subject comes last, so that its length sets no column's width and the
	// table needs no second copy of itself in memory.
	key, algorithm := 0, 0
	for _, c := range r.each() {
		if c.Err == nil {
			key, algorithm = max(key, len(c.PublicKey.String())), max(algorithm, len(c.SignatureAlgorithm.String()))
		}
	}
	if r.Selected != nil && len(r.Selected) == 0 {
		_, err := fmt.Fprintln(w, "no certificate matches")
		return err
	}
	screen := report.ScreenOf(w)
	table := screen.Table(w, report.Column{Title: "#", Kind: report.Number}, report.Column{Title: "not after"}, report.Column{Title: "key", Drop: 2},
		report.Column{Title: "signed with", Drop: 1}, report.Column{Title: "SHA-256", Kind: report.Hash}, report.Column{Title: "subject", Kind: report.Name})
	table.Reserve(len(strconv.Itoa(len(r.Bundle.Certificates))), len(time.DateOnly), key, algorithm, len(report.ShortHash(make([]byte, 8))), report.Long)
	for i, c := range r.each() {
		n, sum := strconv.Itoa(i+1), report.ShortHash(c.SHA256[:])
		if c.Err != nil {
			table.Row(n, "-", "-", "-", sum, "not readable: "+report.Printable(c.Err.Error()))
			continue
		}
		end := c.NotAfter.Day()
		if c.NotAfter.Valid && c.NotAfter.Before(r.At) {
			end = screen.Paint(report.Bad, end)
		}
		table.Row(n, end, c.PublicKey.String(), c.SignatureAlgorithm.String(), sum, report.Printable(c.Subject.String())+quirkList(c))
	}
	return table.Flush()
}

// quirkList is the quirks that the table's other columns do not show already.
func quirkList(c *certificate.Certificate) string {
	var shown []string
	for _, q := range c.Quirks {
		switch q {
		case certificate.QuirkSignatureMD5, certificate.QuirkSignatureSHA1, certificate.QuirkRSAShort:
		default:
			shown = append(shown, string(q))
		}
	}
	if len(shown) == 0 {
		return ""
	}
	return "  [" + strings.Join(shown, ", ") + "]"
}

// writeHead writes what is known of the bundle as a whole.
func (r *Report) writeHead(w io.Writer) error {
	var b strings.Builder
	fmt.Fprintf(&b, "%s\n", report.Printable(r.File))
	fmt.Fprintf(&b, "  signature     %s\n", report.ScreenOf(w).Verdict(r.Signature.Verified, r.Signature.Summary()))
	if r.Signature.Detail != nil && r.Bundle.Message != nil {
		fmt.Fprintf(&b, "                %s\n", report.Printable(*r.Signature.Detail))
	}
	claimed := ""
	if !r.Signature.Verified {
		claimed = "  (claimed, not verified)"
	}
	if r.Bundle.Name != "" {
		fmt.Fprintf(&b, "  name          %s%s\n", report.Printable(r.Bundle.Name), claimed)
	}
	if r.Bundle.Version != "" {
		fmt.Fprintf(&b, "  version       %s%s\n", report.Printable(r.Bundle.Version), claimed)
	}
	if r.Bundle.SigningTime.Valid {
		fmt.Fprintf(&b, "  signed        %s%s\n", r.Bundle.SigningTime, claimed)
	}
	fmt.Fprintf(&b, "  form          %s\n", formNames[r.Bundle.Form])
	for _, q := range r.Bundle.Quirks {
		fmt.Fprintf(&b, "                %s\n", q)
	}
	if p := r.Bundle.Passed; p.Lines > 0 {
		fmt.Fprintf(&b, "  passed over   %s of text, %s\n", report.Count(p.Lines, "line"), report.Count(p.Bytes, "byte"))
	}
	if sum := r.sha256(); sum != nil {
		fmt.Fprintf(&b, "  file SHA-256  %s\n", *sum)
	}
	count := strconv.Itoa(len(r.Bundle.Certificates))
	if r.Selected != nil {
		count = fmt.Sprintf("%d of %s", len(r.Selected), count)
	}
	fmt.Fprintf(&b, "  certificates  %s\n\n", count)
	_, err := io.WriteString(w, b.String())
	return err
}

var formNames = map[bundle.Form]string{
	bundle.FormSigned:    "signed message around a certs-only message",
	bundle.FormOuter:     "signed message beside its certificates, which the signature does not cover",
	bundle.FormCertsOnly: "certs-only message",
	bundle.FormPEM:       "PEM",
	bundle.FormDER:       "one certificate",
	bundle.FormDirectory: "directory",
}

// sha256 is the hash of the file, nil for a directory.
func (r *Report) sha256() *string {
	if r.Bundle.Raw == nil {
		return nil
	}
	sum := r.Bundle.SHA256()
	return new(hex.EncodeToString(sum[:]))
}

// quirkWords are all quirks, with blanks between them.
func quirkWords(c *certificate.Certificate) string { return strings.Trim(fmt.Sprint(c.Quirks), "[]") }

// WriteJSON writes one JSON document, certificate by certificate.
func (r *Report) WriteJSON(w io.Writer) error {
	type verification struct {
		Verified bool                  `json:"verified"`
		Reason   *signing.Reason       `json:"reason"`
		Detail   *string               `json:"detail"`
		At       *string               `json:"at"`
		Anchor   *signing.AnchorReport `json:"anchor"`
	}
	b, s := r.Bundle, &r.Signature
	h := struct {
		Schema       string                 `json:"schema"`
		File         string                 `json:"file"`
		Size         *int                   `json:"size"`   // null for a directory
		SHA256       *string                `json:"sha256"` // null for a directory
		Form         bundle.Form            `json:"form"`
		Quirks       []bundle.Quirk         `json:"quirks"`
		PassedOver   bundle.Passed          `json:"passed_over"`
		Name         report.Text            `json:"name"` // these three as claimed; verification reports whether they count
		Version      report.Text            `json:"version"`
		SigningTime  certificate.Time       `json:"signing_time"`
		Verification verification           `json:"verification"`
		Signers      []signing.SignerReport `json:"signers"`
	}{
		"trustpool.inspect/1", r.File, report.OrNil(len(b.Raw), b.Raw != nil), r.sha256(), b.Form, append([]bundle.Quirk{}, b.Quirks...), b.Passed,
		report.Text(b.Name), report.Text(b.Version), b.SigningTime, verification{s.Verified, s.Reason, s.Detail, s.At, s.Anchor}, s.Signers,
	}
	return report.WriteJSON(w, h, report.JSONList{Name: "certificates", Each: func(yield func(any) bool) {
		for i, c := range r.each() {
			if !yield(NewCertificateReport(c, i+1)) {
				return
			}
		}
	}})
}

// csvHeader names the columns of WriteCSV.
var csvHeader = []string{
	"index", "sha256", "sha1", "md5", "subject", "issuer", "serial", "not_before", "not_after", "public_key",
	"spki_sha256", "signature_algorithm", "is_ca", "path_len", "key_usage", "ext_key_usage", "subject_key_id",
	"authority_key_id", "self_issued", "quirks", "error",
}

// WriteCSV writes a header and a line for each certificate.
func (r *Report) WriteCSV(w io.Writer) error {
	return report.WriteCSV(w, func(yield func([]string) bool) {
		if !yield(csvHeader) {
			return
		}
		for i, c := range r.each() {
			if !yield(csvRow(c, i+1)) {
				return
			}
		}
	})
}

func csvRow(c *certificate.Certificate, index int) []string {
	j := NewCertificateReport(c, index)
	row := make([]string, len(csvHeader))
	copy(row, []string{strconv.Itoa(j.Index), j.SHA256, j.SHA1, j.MD5})
	if c.Err != nil {
		row[len(row)-1] = *j.Error
		return row
	}
	pathLen := ""
	if c.PathLen >= 0 {
		pathLen = strconv.Itoa(c.PathLen)
	}
	copy(row[4:], []string{
		*j.Subject, *j.Issuer, *j.Serial, j.NotBefore.String(), j.NotAfter.String(),
		c.PublicKey.String(), j.PublicKey.SPKISHA256, *j.SignatureAlgorithm, strconv.FormatBool(c.IsCA), pathLen,
		strings.Join(j.KeyUsage, " "), strings.Join(j.ExtKeyUsage, " "), hex.EncodeToString(c.SubjectKeyID),
		hex.EncodeToString(c.AuthorityKeyID), strconv.FormatBool(c.SelfIssued()), quirkWords(c),
	})
	return row
}

// WritePEM writes the certificates as PEM, a comment line before each. An
// element that is not a certificate has the comment line only.
func (r *Report) WritePEM(w io.Writer) error {
	for i, c := range r.each() {
		if c.Err != nil {
			if _, err := fmt.Fprintf(w, "# %d: left out, it is not readable: %s\n", i+1, report.Comment(c.Err.Error())); err != nil {
				return err
			}
			continue
		}
		if _, err := fmt.Fprintf(w, "# %d: %s\n", i+1, report.Comment(c.Subject.String())); err != nil {
			return err
		}
		if err := pem.Encode(w, &pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}); err != nil {
			return err
		}
	}
	return nil
}

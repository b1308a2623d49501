package inspect

import (
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"runtime"
	"slices"
	"strings"
	"sync"

	"github.com/smallstep/certinfo"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/report"
)

// WriteLong writes the head and everything about each certificate: in the words
// of certinfo if crypto/x509 reads the certificate, else in our own.
func (r *Report) WriteLong(w io.Writer) error {
	if err := r.writeHead(w); err != nil {
		return err
	}
	var positions []int
	for i := range r.each() {
		positions = append(positions, i)
	}
	// All processors render a batch, which is then written in order.
	for batch := range slices.Chunk(positions, 8*runtime.GOMAXPROCS(0)) {
		texts := make([]string, len(batch))
		var rendered sync.WaitGroup
		for at, i := range batch {
			rendered.Go(func() {
				texts[at] = fmt.Sprintf("certificate %d of %d\n%s\n", i+1, len(r.Bundle.Certificates), longText(r.Bundle.Certificates[i], i+1))
			})
		}
		rendered.Wait()
		for _, text := range texts {
			if _, err := io.WriteString(w, text); err != nil {
				return err
			}
		}
	}
	return nil
}

func longText(c *certificate.Certificate, index int) string {
	r := NewCertificateReport(c, index)
	var b strings.Builder
	line := func(label, format string, args ...any) {
		fmt.Fprintf(&b, "  %-22s %s\n", label, report.Printable(fmt.Sprintf(format, args...)))
	}
	line("SHA-256", "%s", r.SHA256)
	line("SHA-1", "%s", r.SHA1)
	line("MD5", "%s", r.MD5)
	if c.Err != nil {
		line("not readable", "%v", c.Err)
		return b.String()
	}
	if len(c.Quirks) > 0 {
		line("quirks", "%s", quirkWords(c))
	}
	if c.SelfIssued() {
		line("self-signature", "%s", selfSignature(c))
	}
	if text, ok := certinfoText(c); ok {
		for l := range strings.Lines(text) {
			b.WriteString("  " + report.Printable(strings.TrimRight(l, "\n")) + "\n")
		}
		return b.String()
	}
	line("subject", "%s", c.Subject)
	line("issuer", "%s", c.Issuer)
	line("serial number", "%s", c.Serial)
	line("not before", "%s", c.NotBefore)
	line("not after", "%s", c.NotAfter)
	line("X.509 version", "%d", c.Version)
	line("public key", "%s", keyText(c.PublicKey))
	line("SHA-256 of the key", "%s", r.PublicKey.SPKISHA256)
	line("signed with", "%s", c.SignatureAlgorithm)
	line("CA", "%t", c.IsCA)
	if c.PathLen >= 0 {
		line("path length", "%d", c.PathLen)
	}
	line("key usage", "%s", strings.Join(c.KeyUsage.Names(), ", "))
	line("extended key usage", "%s", strings.Join(r.ExtKeyUsage, ", "))
	line("subject key ID", "%s", hex.EncodeToString(c.SubjectKeyID))
	line("authority key ID", "%s", hex.EncodeToString(c.AuthorityKeyID))
	for e := range c.EachExtension() {
		line("extension "+e.ID.Dotted(), "%s%d bytes", map[bool]string{true: "critical, "}[e.Critical], len(e.Value))
	}
	return b.String()
}

func keyText(k certificate.PublicKey) string {
	if k.Exponent != 0 {
		return fmt.Sprintf("%s, exponent %d", k, k.Exponent)
	}
	return k.String()
}

func selfSignature(c *certificate.Certificate) string {
	switch err := path.CheckSelfSignature(c); {
	case errors.Is(err, path.ErrNotJudged):
		return "not judged: " + c.SignatureAlgorithm.String() + " with " + c.PublicKey.String()
	case err != nil:
		return "wrong"
	}
	return "good"
}

// maxCertinfo is how many bytes a certificate may have that certinfo prints: it
// writes numbers in decimal, which takes quadratic time.
const maxCertinfo = 64 << 10

// certinfoText is false for a certificate that crypto/x509 or certinfo refuses,
// and for one whose text certinfo would print as it is although it holds
// characters that do not show: a line break in a name must not make a line.
func certinfoText(c *certificate.Certificate) (string, bool) {
	if len(c.Raw) > maxCertinfo || !shows(c.Subject) || !shows(c.Issuer) {
		return "", false
	}
	for e := range c.EachExtension() {
		// The key identifiers hold bytes under the tags that names have elsewhere.
		if id := string(e.ID); id != certificate.OIDSubjectKeyID && id != certificate.OIDAuthorityKeyID && !shows(e.Value) {
			return "", false
		}
	}
	x, err := c.X509()
	if err != nil {
		return "", false
	}
	text, err := certinfo.CertificateText(x)
	return text, err == nil
}

// shows reports whether all strings in DER, at any level, show as themselves. What
// cannot be walked holds none that certinfo could read.
func shows(der []byte) bool {
	in := cryptobyte.String(der)
	for !in.Empty() {
		var body cryptobyte.String
		var tag asn1.Tag
		if !in.ReadAnyASN1(&body, &tag) {
			return true
		}
		switch tag {
		case asn1.UTF8String, asn1.PrintableString, asn1.T61String, asn1.IA5String, 18, 26, 28, 30,
			0x81, 0x82, 0x86: // the names, mail addresses and URIs of a GeneralName (RFC 5280 section 4.2.1.6)
			text := strings.ReplaceAll(string(body), "\x00", "") // of two or four bytes a character
			if report.Printable(text) != text {
				return false
			}
		default:
			if tag&0x20 != 0 && !shows(body) {
				return false
			}
		}
	}
	return true
}

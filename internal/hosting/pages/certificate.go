package pages

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/report"
)

// A fingerprint is a hash in the spelling of one who shows it.
type fingerprint struct {
	Of, As, Text string
}

func fingerprints(c *inspect.CertificateReport) []fingerprint {
	upper := strings.ToUpper
	return []fingerprint{
		{"SHA-256", "JSON, sha256sum", c.SHA256},
		{"SHA-256", "OpenSSL, browsers", upper(grouped(c.SHA256, 2, ":"))},
		{"SHA-256", "Cisco's manifest.log", "SHA256:" + upper(c.SHA256)},
		{"SHA-1", "IOS XR", upper(c.SHA1)},
		{"SHA-1", "IOS XE", upper(grouped(c.SHA1, 8, " "))},
		{"SHA-1", "OpenSSL, browsers", upper(grouped(c.SHA1, 2, ":"))},
		{"MD5", "IOS XE", upper(grouped(c.MD5, 8, " "))},
		{"MD5", "ASA", grouped(c.MD5, 8, " ")},
	}
}

// grouped is hex with a separator after each so many digits.
func grouped(digits string, each int, separator string) string {
	var all []string
	for group := range slices.Chunk([]byte(digits), each) {
		all = append(all, string(group))
	}
	return strings.Join(all, separator)
}

// A detail is everything about a certificate.
type detail struct {
	*certificate.Certificate
	Title        string
	Bundle       summary
	VersionPage  string
	Positions    []int // from 1
	Report       inspect.CertificateReport
	NotBefore    instant
	NotAfter     instant
	Soon         bool
	NotYet       bool
	Key          string
	Fingerprints []fingerprint
	KeyUsage     string
	ExtKeyUsage  string
	QuirkPage    string // which lists the certificates of the version with a quirk; empty if there is none
	Findings     []foundFor
	Note         string // why nothing is said of findings
	Leaves       string // by the feed, why it leaves the bundle; empty for nothing
	PEM          string
	Files        []download
	Stands       []summary // versions that hold the same bytes
	StandsKnown  bool
}

// maxStands is how many bytes of versions are searched for a certificate.
const maxStands = 64 << 20

// findCertificate finds a certificate of a version by its SHA-256, and its positions.
func (q *request) findCertificate(v version, digits string) (*certificate.Certificate, []int, error) {
	b, err := q.parsed(v)
	if err != nil {
		return nil, nil, err
	}
	sum, err := hex.DecodeString(digits)
	if err != nil || len(sum) != sha256.Size || strings.ToLower(digits) != digits {
		return nil, nil, notFound("A certificate is known by the 64 digits of its SHA-256.")
	}
	var found *certificate.Certificate
	var at []int
	for i, c := range b.Certificates {
		if bytes.Equal(c.SHA256[:], sum) {
			at = append(at, i+1)
			found = c
		}
	}
	if found == nil {
		return nil, nil, notFound("This version of the bundle has no such certificate.")
	}
	return found, at, nil
}

func (p *Pages) certificatePage(q *request, v version, digits string) (*response, error) {
	c, positions, err := q.findCertificate(v, digits)
	if err != nil {
		return nil, err
	}
	d := detail{
		Certificate: c, Title: title(c), Bundle: q.summary(v), VersionPage: v.page(), Positions: positions,
		Report: inspect.NewCertificateReport(c, positions[0]), Leaves: v.entry.Advice.Leaves(c.SHA256),
	}
	d.Fingerprints = fingerprints(&d.Report)
	a, note, err := q.audit(v)
	if err != nil {
		return nil, err
	}
	d.Findings, d.Note = a.found(positions), note
	d.Stands, d.StandsKnown = q.holders(v, c)
	if c.Err != nil {
		d.Files = []download{{v.file(digits + ".der"), "the bytes as they are", "no certificate"}}
	} else {
		d.NotBefore, d.NotAfter = optional(c.NotBefore, q.at), optional(c.NotAfter, q.at)
		d.Soon = d.NotAfter.Known && !d.NotAfter.Past && c.NotAfter.Sub(q.at) < soon
		d.NotYet = d.NotBefore.Known && !d.NotBefore.Past && !p.o.Static
		d.Key = keyText(c)
		d.KeyUsage = usages(d.Report.KeyUsage, c.Has(certificate.QuirkKeyUsageUnreadable))
		d.ExtKeyUsage = usages(d.Report.ExtKeyUsage, c.Has(certificate.QuirkExtKeyUsageUnreadable))
		d.PEM = string(certificatePEM(c))
		d.Files = []download{
			{v.file(digits + ".pem"), "PEM", "to paste"},
			{v.file(digits + ".der"), "DER", size(len(c.Raw))},
		}
		if !p.o.Static {
			d.QuirkPage = v.page()
		}
	}
	return p.render("certificate", http.StatusOK, report.Printable(d.Title), q.at, d)
}

// holders are the versions of the same bundle that hold the certificate's bytes, the
// newest first. It is false if there are too many bytes to look, or one of them cannot be had now.
func (q *request) holders(v version, c *certificate.Certificate) ([]summary, bool) {
	content := 0
	for r := range v.entry.Records() {
		content += r.Size
	}
	if content > maxStands || len(c.Raw) == 0 {
		return nil, false
	}
	var all []summary
	for r := range v.entry.Records() {
		other := version{v.entry, r}
		release, err := q.open(other)
		if p, ok := errors.AsType[problem](err); ok && p.status == http.StatusNotFound {
			continue // nobody can have it
		}
		if err != nil {
			return nil, false
		}
		if r == v.release || holds(release.Raw, c.Raw) {
			all = append(all, q.summary(other))
		}
	}
	return all, true
}

// holds is bytes.Contains for the bytes of a certificate: its end is that of a signature, which is found much faster than a
// beginning that all have.
func holds(data, der []byte) bool {
	end := der[len(der)-min(len(der), 24):]
	for from := 0; ; from++ {
		at := bytes.Index(data[from:], end)
		if at < 0 {
			return false
		}
		if from += at; bytes.HasSuffix(data[:from+len(end)], der) {
			return true
		}
	}
}

func keyText(c *certificate.Certificate) string {
	s := c.PublicKey.String()
	if e := c.PublicKey.Exponent; e != 0 {
		s += fmt.Sprintf(", exponent %d", e)
	}
	return s
}

func certificatePEM(c *certificate.Certificate) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

func usages(names []string, unreadable bool) string {
	switch {
	case unreadable:
		return "cannot be read"
	case len(names) == 0:
		return "none"
	}
	return strings.Join(names, ", ")
}

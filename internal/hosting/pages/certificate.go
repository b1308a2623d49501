package pages

import (
	"bytes"
	"crypto/md5"
	"crypto/sha1"
	"crypto/sha256"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/inspect"
	"trustpool/internal/report"
)

func hexSHA256(c *certificate.Certificate) string { return hex.EncodeToString(c.SHA256[:]) }

// A fingerprint is a hash in the spelling of one who shows it.
type fingerprint struct {
	Of, As, Text string
}

func fingerprints(der []byte, sum [32]byte) []fingerprint {
	one, five := sha1.Sum(der), md5.Sum(der)
	return []fingerprint{
		{"SHA-256", "JSON, sha256sum", hex.EncodeToString(sum[:])},
		{"SHA-256", "OpenSSL, browsers", colons(sum[:])},
		{"SHA-256", "Cisco's manifest.log", "SHA256:" + strings.ToUpper(hex.EncodeToString(sum[:]))},
		{"SHA-1", "IOS XR", strings.ToUpper(hex.EncodeToString(one[:]))},
		{"SHA-1", "IOS XE", strings.ToUpper(groups(one[:]))},
		{"SHA-1", "OpenSSL, browsers", colons(one[:])},
		{"MD5", "IOS XE", strings.ToUpper(groups(five[:]))},
		{"MD5", "ASA", groups(five[:])},
	}
}

// A detail is everything about a certificate.
type detail struct {
	Title        string
	Bundle       summary
	VersionPage  string
	Positions    []int // from 1
	Err          string
	Report       inspect.CertificateReport
	NotBefore    instant
	NotAfter     instant
	Soon         bool
	NotYet       bool
	Static       bool
	Key          string
	Fingerprints []fingerprint
	IsCA         bool
	KeyUsage     string
	ExtKeyUsage  string
	PathLen      string // empty for none
	Quirks       []quirk
	Findings     []foundFor
	Note         string // why nothing is said of findings
	Leaves       string // by the feed, why it leaves the bundle; empty for nothing
	PEM          string
	Size         int
	Files        []download
	Stands       []summary // versions that hold the same bytes
	StandsKnown  bool
}

type quirk struct {
	Slug    certificate.Quirk
	Meaning string
	Path    string // the certificates of the version that have it; empty if there is no such page
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
		Title: title(c), Bundle: q.summary(v), VersionPage: v.page(), Positions: positions, Report: inspect.NewCertificateReport(c, positions[0]), Size: len(c.Raw),
		Fingerprints: fingerprints(c.Raw, c.SHA256),
	}
	a, note, err := q.audit(v)
	if err != nil {
		return nil, err
	}
	d.Findings, d.Note = a.found(positions), note
	d.Static, d.Leaves = p.o.Static, v.entry.Advice.Leaves(c.SHA256)
	d.Stands, d.StandsKnown = q.holders(v, c)
	if c.Err != nil {
		d.Err = c.Err.Error()
		d.Files = []download{{v.file(digits + ".der"), "the bytes as they are", "no certificate"}}
	} else {
		d.NotBefore, d.NotAfter = optional(c.NotBefore, q.at), optional(c.NotAfter, q.at)
		d.Soon = d.NotAfter.Known && !d.NotAfter.Past && c.NotAfter.Sub(q.at) < soon
		d.NotYet = d.NotBefore.Known && !d.NotBefore.Past && !p.o.Static
		d.Key, d.IsCA = keyText(c), c.IsCA
		d.KeyUsage = usages(d.Report.KeyUsage, c.Has(certificate.QuirkKeyUsageUnreadable))
		d.ExtKeyUsage = usages(d.Report.ExtKeyUsage, c.Has(certificate.QuirkExtKeyUsageUnreadable))
		if c.PathLen >= 0 {
			d.PathLen = strconv.Itoa(c.PathLen)
		}
		d.PEM = string(certificatePEM(c))
		d.Files = []download{
			{v.file(digits + ".pem"), "PEM", "to paste"},
			{v.file(digits + ".der"), "DER", size(len(c.Raw))},
		}
		for _, s := range c.Quirks {
			with := ""
			if !p.o.Static {
				with = v.page() + "?quirk=" + string(s)
			}
			d.Quirks = append(d.Quirks, quirk{s, s.Meaning(), with})
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

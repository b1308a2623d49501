package recipe

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"encoding/xml"
	"fmt"
	"math/rand/v2"
	"time"

	"software.sslmate.com/src/go-pkcs12"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/report"
)

// pemFile writes the certificates as PEM, a comment line before each.
func pemFile(entries []SelectedEntry) []byte {
	var b bytes.Buffer
	b.Grow(sizeOf(entries) * 3 / 2)
	for _, e := range entries {
		fmt.Fprintf(&b, "# %s\n", report.Comment(e.Certificate.Subject.String()))
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate.Raw}) // a bytes.Buffer takes all
	}
	return b.Bytes()
}

// sizeOf is how many bytes the certificates have.
func sizeOf(entries []SelectedEntry) (n int) {
	for _, e := range entries {
		n += len(e.Certificate.Raw)
	}
	return n
}

// pkcs12File makes a PKCS#12 truststore. Its salts follow from its content: they
// protect nothing, since the password is not a secret, and so the bytes repeat.
func pkcs12File(entries []SelectedEntry) ([]byte, error) {
	seed := sha256.New()
	trusted := make([]pkcs12.TrustStoreEntry, len(entries))
	for i, e := range entries {
		seed.Write(e.Certificate.SHA256[:])
		// The library writes the certificate's bytes and looks at nothing else.
		trusted[i] = pkcs12.TrustStoreEntry{Cert: &x509.Certificate{Raw: e.Certificate.Raw}, FriendlyName: feed.Alias(e.Certificate)}
	}
	salts := rand.NewChaCha8([32]byte(seed.Sum(nil)))
	return pkcs12.Modern2023.WithRand(salts).EncodeTrustStoreEntries(trusted, feed.TruststorePassword)
}

// sideFiles are the names of what is put beside the bundle.
func (o *Outputs) sideFiles() []string {
	if !o.Cisco {
		return nil
	}
	name := cmp.Or(o.Signed, o.CertsOnly)
	return []string{feed.SHA256File(name), feed.SHA512File(name), feed.DiffFile(name), feed.ManifestFile, feed.RSSFile}
}

// encodeSide makes what Cisco publishes beside a bundle: its hashes, what changed,
// a list of its certificates and a feed. data is the bundle's file.
func (r *Recipe) encodeSide(data []byte, pool, previous *bundle.Bundle, at time.Time) ([]File, error) {
	if previous == nil {
		previous = &bundle.Bundle{}
	}
	diff := bundle.Compare(previous, pool)
	side, err := feed.SideFiles(cmp.Or(r.Outputs.Signed, r.Outputs.CertsOnly), data, pool, diff)
	if err != nil {
		return nil, err
	}
	rss, err := r.rss(diff, at)
	if err != nil {
		return nil, err
	}
	var out []File
	for _, f := range side {
		out = append(out, File(f))
	}
	return append(out, File{feed.RSSFile, rss}), nil
}

// rss is a feed (RSS 2.0) of one item, this version.
func (r *Recipe) rss(d *bundle.Diff, at time.Time) ([]byte, error) {
	type guid struct {
		IsPermaLink bool   `xml:"isPermaLink,attr"`
		ID          string `xml:",chardata"`
	}
	type item struct {
		Title       string `xml:"title"`
		Description string `xml:"description"`
		GUID        guid   `xml:"guid"`
		Date        string `xml:"pubDate"`
	}
	rss := struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Channel struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			Description string `xml:"description"`
			Item        item   `xml:"item"`
		} `xml:"channel"`
	}{Version: "2.0"}
	rss.Channel.Title = r.Name
	rss.Channel.Link = cmp.Or(r.Outputs.Signed, r.Outputs.CertsOnly)
	rss.Channel.Description = "Versions of the trust bundle " + r.Name
	rss.Channel.Item = item{
		Title:       fmt.Sprintf("%s bundle version: %s", r.Name, r.Version),
		Description: fmt.Sprintf("%d certificates: %d added, %d removed", d.New.Certificates, len(d.Added), len(d.Removed)),
		GUID:        guid{false, fmt.Sprintf("%s %s", r.Name, r.Version)},
		Date:        at.UTC().Format(time.RFC1123Z),
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(rss); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

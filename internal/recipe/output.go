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

	"github.com/pavlo-v-chernykh/keystore-go/v4"
	"software.sslmate.com/src/go-pkcs12"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/feed"
	"trustpool/internal/report"
)

// TruststorePassword is the password of the JKS and PKCS#12 outputs: Java's
// customary one. It keeps nothing secret, for there is nothing secret in them.
const TruststorePassword = "changeit"

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

// maxAlias is how much of a common name an alias has.
const maxAlias = 64

// alias is a certificate's name in a truststore: the beginning of its common name
// for people, and its SHA-256, which makes it unique. What a BMPString cannot
// hold (X.680 section 41.15), and JKS not in one way, is left out.
func alias(c *certificate.Certificate) string {
	var cn []rune
	for _, r := range report.Printable(c.Subject.CommonName()) {
		if len(cn) == maxAlias {
			break
		}
		if r <= 0xffff {
			cn = append(cn, r)
		}
	}
	return fmt.Sprintf("%s [%x]", string(cn), c.SHA256)
}

// jksFile makes a JKS truststore. Its entries have the build's time and are in
// the order of their aliases, so that the bytes repeat.
func jksFile(entries []SelectedEntry, at time.Time) ([]byte, error) {
	ks := keystore.New(keystore.WithOrderedAliases())
	for _, e := range entries {
		err := ks.SetTrustedCertificateEntry(alias(e.Certificate), keystore.TrustedCertificateEntry{
			CreationTime: at,
			Certificate:  keystore.Certificate{Type: "X509", Content: e.Certificate.Raw},
		})
		if err != nil {
			return nil, err
		}
	}
	var b bytes.Buffer
	b.Grow(sizeOf(entries) * 5 / 4)
	err := ks.Store(&b, []byte(TruststorePassword))
	return b.Bytes(), err
}

// pkcs12File makes a PKCS#12 truststore. Its salts follow from its content: they
// protect nothing, since the password is not a secret, and so the bytes repeat.
func pkcs12File(entries []SelectedEntry) ([]byte, error) {
	seed := sha256.New()
	trusted := make([]pkcs12.TrustStoreEntry, len(entries))
	for i, e := range entries {
		seed.Write(e.Certificate.SHA256[:])
		// The library writes the certificate's bytes and looks at nothing else.
		trusted[i] = pkcs12.TrustStoreEntry{Cert: &x509.Certificate{Raw: e.Certificate.Raw}, FriendlyName: alias(e.Certificate)}
	}
	salts := rand.NewChaCha8([32]byte(seed.Sum(nil)))
	return pkcs12.Modern2023.WithRand(salts).EncodeTrustStoreEntries(trusted, TruststorePassword)
}

// rssFile is the name of the feed.
const rssFile = "rss.xml"

// sideFiles are the names of what is put beside the bundle.
func (o *Outputs) sideFiles() []string {
	if !o.Cisco {
		return nil
	}
	name := cmp.Or(o.Signed, o.CertsOnly)
	return []string{feed.SHA256File(name), feed.SHA512File(name), feed.DiffFile(name), feed.ManifestFile, rssFile}
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
	return append(out, File{rssFile, rss}), nil
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
	feed := struct {
		XMLName xml.Name `xml:"rss"`
		Version string   `xml:"version,attr"`
		Channel struct {
			Title       string `xml:"title"`
			Link        string `xml:"link"`
			Description string `xml:"description"`
			Item        item   `xml:"item"`
		} `xml:"channel"`
	}{Version: "2.0"}
	feed.Channel.Title = r.Name
	feed.Channel.Link = cmp.Or(r.Outputs.Signed, r.Outputs.CertsOnly)
	feed.Channel.Description = "Versions of the trust bundle " + r.Name
	feed.Channel.Item = item{
		Title:       fmt.Sprintf("%s bundle version: %s", r.Name, r.Version),
		Description: fmt.Sprintf("%d certificates: %d added, %d removed", d.New.Certificates, len(d.Added), len(d.Removed)),
		GUID:        guid{false, fmt.Sprintf("%s %s", r.Name, r.Version)},
		Date:        at.UTC().Format(time.RFC1123Z),
	}
	var b bytes.Buffer
	b.WriteString(xml.Header)
	enc := xml.NewEncoder(&b)
	enc.Indent("", "  ")
	if err := enc.Encode(feed); err != nil {
		return nil, err
	}
	b.WriteByte('\n')
	return b.Bytes(), nil
}

package recipe

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
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
	for _, e := range entries {
		fmt.Fprintf(&b, "# %s\n", report.Comment(e.Certificate.Subject.String()))
		_ = pem.Encode(&b, &pem.Block{Type: "CERTIFICATE", Bytes: e.Certificate.Raw}) // a bytes.Buffer takes all
	}
	return b.Bytes()
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
	file := cmp.Or(r.Outputs.Signed, r.Outputs.CertsOnly)
	side, err := feed.SideFiles(file, data, pool, diff)
	if err != nil {
		return nil, err
	}
	edition, err := feed.NewEdition(r.Version, file, fmt.Sprintf("%x", sha256.Sum256(data)), at, diff)
	if err != nil {
		return nil, err
	}
	var rss bytes.Buffer
	if err := feed.WriteRSS(&rss, r.Name, file, []feed.Edition{edition}); err != nil {
		return nil, err
	}
	var out []File
	for _, f := range append(side, feed.File{Name: feed.RSSFile, Data: rss.Bytes()}) {
		out = append(out, File{Name: f.Name, Data: f.Data})
	}
	return out, nil
}

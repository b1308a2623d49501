// Package feed is what Cisco publishes beside its bundles: hashes, diff.json and
// manifest.log.
package feed

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"io"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// ManifestFile is the name of the list of a bundle's certificates, the same
// beside every bundle.
const ManifestFile = "manifest.log"

// SHA256File returns the name of the file with the SHA-256, beside the bundle in file. The others are the names of that
// with the SHA-512, and of what changed since the bundle before.
func SHA256File(file string) string { return file + ".hash.sha256" }

// SHA512File is as SHA256File.
func SHA512File(file string) string { return file + ".hash.sha512" }

// HashSHA256 makes the file with the SHA-256 of data.
func HashSHA256(data []byte) []byte { return fmt.Appendf(nil, "%x\n", sha256.Sum256(data)) }

// HashSHA512 is as HashSHA256.
func HashSHA512(data []byte) []byte { return fmt.Appendf(nil, "%x\n", sha512.Sum512(data)) }

// DiffFile is as SHA256File; of ios.p7b it is ios.diff.json.
func DiffFile(file string) string { return strings.TrimSuffix(file, ".p7b") + ".diff.json" }

// SideFiles makes what Cisco publishes beside a bundle, in the shapes of
// https://www.cisco.com/security/pki/trs/current/: the hashes of data, which is
// the bundle's file, what changed since the one before, and a list of the
// certificates. b is the bundle with its name and version. d leads from the one
// before to b; if it is nil, that file is left out.
func SideFiles(file string, data []byte, b *bundle.Bundle, d *bundle.Diff) ([]File, error) {
	out := []File{
		{SHA256File(file), HashSHA256(data)},
		{SHA512File(file), HashSHA512(data)},
	}
	if d != nil {
		var diff bytes.Buffer
		if err := WriteDiff(&diff, d); err != nil {
			return nil, err
		}
		out = append(out, File{DiffFile(file), diff.Bytes()})
	}
	return append(out, File{ManifestFile, Manifest(b)}), nil
}

// Manifest makes manifest.log: name and version, then a line for each certificate.
func Manifest(b *bundle.Bundle) []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s bundle version: %s\n", report.Printable(b.Name), report.Printable(b.Version))
	for _, c := range b.Certificates {
		label := report.NotACertificate
		if c.Err == nil {
			label = report.Printable(c.Subject.CommonName())
		}
		fmt.Fprintf(&out, "SHA256:%X %s\n", c.SHA256, label)
	}
	return out.Bytes()
}

// WriteDiff writes the diff in the form of the diff.json that Cisco publishes
// beside a bundle. What is marked for removal from a later bundle is Cisco's own
// knowledge and in no bundle: both lists are always empty. Versions are strings,
// as in the signed attribute, and hashes in capitals, as in Cisco's manifest.log.
func WriteDiff(w io.Writer, d *bundle.Diff) error {
	type certificate struct {
		SHA256  string `json:"certSha256"`
		Subject string `json:"certSubjectDn"`
	}
	entry := func(e bundle.DiffEntry) certificate {
		c := certificate{strings.ToUpper(hex.EncodeToString(e.Certificate.SHA256[:])), report.NotACertificate}
		if e.Certificate.Err == nil {
			c.Subject = e.Certificate.Subject.String()
		}
		return c
	}
	return report.WriteJSON(w, struct {
		Current string `json:"currentVersion"`
		Prev    string `json:"prevVersion"`
	}{d.New.Version, d.Old.Version},
		report.List("additions", d.Added, entry),
		report.List("deletions", d.Removed, entry),
		report.List("markedForRemoval", nil, entry),
		report.List("newlyMarkedForRemoval", nil, entry))
}

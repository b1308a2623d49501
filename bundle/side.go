package bundle

import (
	"bytes"
	"crypto/sha256"
	"crypto/sha512"
	"fmt"
	"strings"
)

// ManifestFile is the name of the list of a bundle's certificates, the same
// beside every bundle.
const ManifestFile = "manifest.log"

// SHA256File, SHA512File and DiffFile are the names of what stands beside the
// bundle in file: its hashes, and what changed since the one before.
func SHA256File(file string) string { return file + ".hash.sha256" }

// SHA512File is as SHA256File.
func SHA512File(file string) string { return file + ".hash.sha512" }

// DiffFile is as SHA256File; of ios.p7b it is ios.diff.json.
func DiffFile(file string) string { return strings.TrimSuffix(file, ".p7b") + ".diff.json" }

// A SideFile is a file that stands beside a bundle.
type SideFile struct {
	Name string
	Data []byte
}

// SideFiles makes what Cisco publishes beside a bundle, in the shapes of
// https://www.cisco.com/security/pki/trs/current/: the hashes of data, which is
// the bundle's file, what changed since the one before, and a list of the
// certificates. b is the bundle with its name and version. d leads from the one
// before to b; where it is nil, that file is left out.
func SideFiles(file string, data []byte, b *Bundle, d *Diff) ([]SideFile, error) {
	out := []SideFile{
		{SHA256File(file), fmt.Appendf(nil, "%x\n", sha256.Sum256(data))},
		{SHA512File(file), fmt.Appendf(nil, "%x\n", sha512.Sum512(data))},
	}
	if d != nil {
		var diff bytes.Buffer
		if err := d.WriteCisco(&diff); err != nil {
			return nil, err
		}
		out = append(out, SideFile{DiffFile(file), diff.Bytes()})
	}
	return append(out, SideFile{ManifestFile, b.manifest()}), nil
}

// manifest is manifest.log: name and version, then a line a certificate.
func (b *Bundle) manifest() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "%s bundle version: %s\n", Printable(b.Name), Printable(b.Version))
	for _, c := range b.Certificates {
		label := notACertificate
		if c.Err == nil {
			label = Printable(c.Subject.CommonName())
		}
		fmt.Fprintf(&out, "SHA256:%X %s\n", c.SHA256, label)
	}
	return out.Bytes()
}

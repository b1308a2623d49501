package feed

import (
	"bytes"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/pavlo-v-chernykh/keystore-go/v4"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
)

// TruststorePassword is the password of truststores: Java's customary one. It keeps nothing secret, for there is nothing
// secret in them.
const TruststorePassword = "changeit"

// JKSFile returns the name of the truststore for Java beside the bundle in file; of ios.p7b it is ios.jks.
func JKSFile(file string) string { return strings.TrimSuffix(file, ".p7b") + ".jks" }

// JKS makes a truststore for Java of certificates that were decoded. Its entries have the time at and are in the order of
// their aliases, so that the bytes repeat.
func JKS(certs []*certificate.Certificate, at time.Time) ([]byte, error) {
	ks := keystore.New(keystore.WithOrderedAliases())
	size := 0
	for _, c := range certs {
		err := ks.SetTrustedCertificateEntry(Alias(c), keystore.TrustedCertificateEntry{
			CreationTime: at,
			Certificate:  keystore.Certificate{Type: "X509", Content: c.Raw},
		})
		if err != nil {
			return nil, err
		}
		size += len(c.Raw)
	}
	var b bytes.Buffer
	b.Grow(size * 5 / 4)
	err := ks.Store(&b, []byte(TruststorePassword))
	return b.Bytes(), err
}

// maxAlias is how much of a common name an alias has.
const maxAlias = 64

// Alias is a certificate's name in a truststore: the beginning of its common name
// for people, and its SHA-256, which makes it unique. What a BMPString cannot
// hold (X.680 section 41.15), and JKS not in one way, is left out.
func Alias(c *certificate.Certificate) string {
	cn := slices.DeleteFunc([]rune(report.Printable(c.Subject.CommonName())), func(r rune) bool { return r > 0xffff })
	return fmt.Sprintf("%s [%x]", string(cn[:min(len(cn), maxAlias)]), c.SHA256)
}

package pkitest

import (
	"bytes"
	"crypto"
	"crypto/sha256"
	"crypto/x509"
	"math/big"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// testdata is that of the module.
const testdata = "../../testdata"

// TestCommitted holds the generated files to what is committed, and the vectors to those that are generated.
func TestCommitted(t *testing.T) {
	t.Parallel()
	var vectors []string
	for _, file := range Files() {
		committed, err := os.ReadFile(filepath.Join(testdata, filepath.FromSlash(file.Path)))
		if err != nil {
			t.Error(err)
		} else if !bytes.Equal(committed, file.Data) {
			t.Errorf("testdata/%s is not what is generated: go run ./internal/pkitest/generate", file.Path)
		}
		if dir, name := filepath.Split(filepath.FromSlash(file.Path)); filepath.Base(dir) == "vectors" {
			vectors = append(vectors, name)
		}
	}
	present, err := filepath.Glob(filepath.Join(testdata, "vectors", "*"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range present {
		if !slices.Contains(vectors, filepath.Base(path)) {
			t.Errorf("testdata/vectors/%s is not generated", filepath.Base(path))
		}
	}
}

// TestReadme holds testdata/README.md to saying of every generated file but the vectors what it is.
func TestReadme(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile(filepath.Join(testdata, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range Files() {
		if strings.HasPrefix(file.Path, "vectors/") {
			continue
		}
		if !regexp.MustCompile("(?m)^\\| `" + regexp.QuoteMeta(file.Path) + "` \\| [^|]{9,} \\|$").Match(readme) {
			t.Errorf("testdata/README.md does not say what %s is", file.Path)
		}
	}
}

func TestVectors(t *testing.T) {
	t.Parallel()
	roots := Lab().Roots()
	seen := map[string]bool{}
	reasons := map[string]bool{}
	for _, v := range Vectors() {
		if seen[v.Name] {
			t.Errorf("%s: twice", v.Name)
		}
		seen[v.Name], reasons[v.Expect] = true, true
		if roots[v.Root] == nil {
			t.Errorf("%s: no root %q", v.Name, v.Root)
		}
		if strings.HasPrefix(v.Name, "good-") != (v.Expect == "verified") {
			t.Errorf("%s: expects %s", v.Name, v.Expect)
		}
		if strings.Contains(v.About, "\n") || !strings.HasSuffix(v.About, ".") {
			t.Errorf("%s: %q is not a sentence", v.Name, v.About)
		}
		file := v.Encode()
		read, err := ParseVector(v.Name, file)
		if err != nil {
			t.Errorf("%s: %v", v.Name, err)
		} else if !bytes.Equal(read.Encode(), file) {
			t.Errorf("%s: read and written again, it differs", v.Name)
		}
	}
	for reason := range strings.FieldsSeq(`verified malformed not-signed pool-not-covered content-not-certs-only content-type-not-data
		no-signers signer-certificate-missing digest-weak digest-unsupported digest-not-listed signature-hash-differs
		no-signed-attributes attributes-not-der content-type-missing content-type-doubled content-type-differs
		content-type-unsigned message-digest-unsigned signing-time-unsigned message-digest-missing message-digest-doubled message-digest-differs signing-time-doubled signing-time-malformed
		name-malformed version-malformed signature-algorithm-unsupported signature-invalid signer-purpose signer-key-usage
		chain-no-anchor chain-signature chain-sha1 chain-weak chain-expired chain-not-yet-valid chain-not-ca chain-key-usage
		chain-path-length chain-critical-extension chain-name-constraints chain-purpose chain-algorithm-unsupported
		chain-unreadable chain-too-complex chain-explicit-curve chain-policy extension-unreadable fractional-time key-identifier name-encoding
		policy-constraints constraint-unknown signers-disagree`) {
		if !reasons[reason] {
			t.Errorf("no vector expects %s", reason)
		}
		delete(reasons, reason)
	}
	for reason := range reasons {
		t.Errorf("a vector expects %s, which is none of the reasons", reason)
	}
}

func TestReadVectors(t *testing.T) {
	t.Parallel()
	read, err := ReadVectors(filepath.Join(testdata, "vectors"))
	if err != nil {
		t.Fatal(err)
	}
	if len(read) != len(Vectors()) {
		t.Errorf("%d read, %d generated", len(read), len(Vectors()))
	}
	for _, bad := range []string{"", "expect: x\n\n", "what: x\n\n-----BEGIN PKCS7-----\nMAA=\n-----END PKCS7-----\n"} {
		if _, err := ParseVector("bad", []byte(bad)); err == nil {
			t.Errorf("%q is read", bad)
		}
	}
}

// TestQuirks says which of the odd certificates crypto/x509 refuses, and how.
func TestQuirks(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"fractional-not-after": "malformed GeneralizedTime",
		"negative-serial":      "negative serial number",
		"bit-string-in-name":   "unsupported string type: 3",
		"ber-framed":           "malformed",
		"ber-long-length":      "malformed",
		"not-a-certificate":    "malformed",
	}
	for _, quirk := range Quirks() {
		_, err := x509.ParseCertificate(quirk.DER)
		want, isRefused := refused[quirk.Name]
		switch {
		case err == nil && isRefused:
			t.Errorf("%s: crypto/x509 reads it", quirk.Name)
		case err != nil && (!isRefused || !strings.Contains(err.Error(), want)):
			t.Errorf("%s: %v", quirk.Name, err)
		}
	}
}

// TestLab has crypto/x509 judge what is ordinary.
func TestLab(t *testing.T) {
	t.Parallel()
	lab := Lab()
	for _, a := range []*Authority{
		lab.Signer, lab.SecondSigner, lab.IntermediateSigner, lab.P256Signer, lab.P384Signer, lab.P521Signer,
		lab.Ed25519Signer, lab.OtherSigner, lab.ImpostorSigner,
	} {
		chain := a.Chain()
		leaf, err := x509.ParseCertificate(chain[0])
		if err != nil {
			t.Fatal(err)
		}
		roots, intermediates := x509.NewCertPool(), x509.NewCertPool()
		for i, der := range chain[1:] {
			certificate, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			if i == len(chain)-2 {
				roots.AddCert(certificate)
			} else {
				intermediates.AddCert(certificate)
			}
		}
		_, err = leaf.Verify(x509.VerifyOptions{
			Roots: roots, Intermediates: intermediates, CurrentTime: vectorTime, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageAny},
		})
		if err != nil {
			t.Errorf("%s: %v", a.Key.Name, err)
		}
	}
}

// TestForged makes sure that the forged signature begins as a good one does: else it would show nothing.
func TestForged(t *testing.T) {
	t.Parallel()
	signature := new(big.Int).SetBytes(forgeCubeRoot(256, crypto.SHA1, []byte("anything")))
	cube := signature.Exp(signature, big.NewInt(3), nil).FillBytes(make([]byte, 256))
	if !bytes.HasPrefix(cube, []byte{0, 1, 0xff, 0xff}) || !bytes.Contains(cube[:50], digest(crypto.SHA1, []byte("anything"))) {
		t.Errorf("the cube is %x", cube)
	}
}

func TestLarge(t *testing.T) {
	t.Parallel()
	const n = 500
	size, seen := 0, map[[32]byte]bool{}
	for i, der := range LargePool(n) {
		if _, err := x509.ParseCertificate(der); err != nil {
			t.Fatalf("certificate %d: %v", i, err)
		}
		size += len(der)
		seen[sha256.Sum256(der)] = true
	}
	if len(seen) != n {
		t.Errorf("%d distinct certificates of %d", len(seen), n)
	}
	if average := size / n; average < 1100 || average > 1200 {
		t.Errorf("a certificate has %d bytes on average", average)
	}
	if got := len(Large(n)); got < size || got > size+4000 {
		t.Errorf("the bundle has %d bytes, its certificates %d", got, size)
	}
}

func BenchmarkLargePool(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		LargePool(1000)
	}
}

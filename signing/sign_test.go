package signing_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"go.mozilla.org/pkcs7"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

var signingTime = time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)

// A key is that of a certificate in whichever way the certificate writes it.
func TestSignKeyWrittenOtherwise(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	for i, key := range pkitest.SameKeys("alder")[:2] { // the third is for RSASSA-PSS alone
		signer := pkitest.SignerTemplate(pkitest.NewName("CN=Same Key Signer"), key).Issue(lab.Root)
		certs := []*certificate.Certificate{certificates(t, signer)[0], certificates(t, lab.Root)[0]}
		id, err := signing.NewIdentity(key.Signer, certs)
		if err != nil {
			t.Fatalf("%d: %v", i, err)
		}
		if _, err := signing.Sign(pool(t), id, options()); err != nil {
			t.Errorf("%d: %v", i, err)
		}
	}
}

func options() signing.SignOptions {
	return signing.SignOptions{Name: "Lab Core Bundle", Version: "7", Time: signingTime}
}

func readBundle(t testing.TB, path string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func pool(t testing.TB) *bundle.Bundle {
	t.Helper()
	return readBundle(t, "../testdata/bundles/lab-core-v1.p7b")
}

// certificates are those of an authority and above it.
func certificates(t testing.TB, a *pkitest.Authority) []*certificate.Certificate {
	t.Helper()
	var text []byte
	for _, der := range a.Chain() {
		text = append(text, pkitest.CertificatePEM(der)...)
	}
	b, err := bundle.Parse(text)
	if err != nil {
		t.Fatal(err)
	}
	return b.Certificates
}

func identity(t testing.TB, a *pkitest.Authority) *signing.Identity {
	t.Helper()
	id, err := signing.NewIdentity(a.Key.Signer, certificates(t, a))
	if err != nil {
		t.Fatal(err)
	}
	return id
}

func sign(t testing.TB, id *signing.Identity) []byte {
	t.Helper()
	out, err := signing.Sign(pool(t), id, options())
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// signers have a key of each kind.
func signers() map[string]*pkitest.Authority {
	lab := pkitest.Lab()
	return map[string]*pkitest.Authority{
		"RSA": lab.Signer, "P-256": lab.P256Signer, "P-384": lab.P384Signer, "P-521": lab.P521Signer, "Ed25519": lab.Ed25519Signer,
		"intermediate": lab.IntermediateSigner,
	}
}

// With RSA the message is the one that the test PKI, which writes Cisco's
// structure on its own, makes.
func TestSignStructure(t *testing.T) {
	t.Parallel()
	in := pool(t)
	var certs [][]byte
	for _, c := range in.Certificates {
		certs = append(certs, c.Raw)
	}
	want := pkitest.Bundle(pkitest.Lab().Signer, "Lab Core Bundle", "7", signingTime, certs...)
	if !bytes.Equal(sign(t, identity(t, pkitest.Lab().Signer)), want) {
		t.Error("not the structure of Cisco's bundles")
	}
}

func TestSignEveryKey(t *testing.T) {
	t.Parallel()
	for name, a := range signers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := identity(t, a)
			out := sign(t, id)
			if !bytes.Equal(out, sign(t, id)) {
				t.Error("signed twice, it differs")
			}
			b, err := bundle.Parse(out)
			if err != nil {
				t.Fatal(err)
			}
			root := id.Certificates[len(id.Certificates)-1]
			anchor := roots.FromSHA256(root.SHA256)
			v, err := signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{anchor}, At: signingTime})
			if err != nil {
				t.Fatal(err)
			}
			if v.Name != "Lab Core Bundle" || v.Version != "7" || !v.SigningTime.Time.Equal(signingTime) {
				t.Errorf("it says %+v", v.Claims)
			}
			if len(b.Chain) != len(id.Certificates) {
				t.Errorf("%d certificates beside the signature, not %d", len(b.Chain), len(id.Certificates))
			}
			for i, c := range b.Chain {
				if c.SHA256 != id.Certificates[i].SHA256 {
					t.Errorf("certificate %d beside the signature is %s", i+1, c.Subject)
				}
			}
		})
	}
}

func TestSignHashes(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"RSA", "P-256", "P-521"} {
		for _, hash := range []crypto.Hash{crypto.SHA256, crypto.SHA384, crypto.SHA512} {
			o := options()
			o.Hash = hash
			if _, err := signing.Sign(pool(t), identity(t, signers()[name]), o); err != nil {
				t.Errorf("%s with %s: %v", name, hash, err)
			}
		}
	}
}

// After 2049 the signing time is a GeneralizedTime (RFC 5652 section 11.3).
func TestSignFarFuture(t *testing.T) {
	t.Parallel()
	o := options()
	o.Time, o.AllowExpired = time.Date(2050, 1, 1, 0, 0, 0, 999, time.FixedZone("", -3600)), true
	out, err := signing.Sign(pool(t), identity(t, pkitest.Lab().Signer), o)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Contains(out, []byte("\x18\x0f20500101010000Z")) {
		t.Error("no GeneralizedTime")
	}
}

func TestSignExpired(t *testing.T) {
	t.Parallel()
	id := identity(t, pkitest.Lab().ExpiredSigner)
	o := options()
	if _, err := signing.Sign(pool(t), id, o); err == nil || !strings.Contains(err.Error(), "expired at 2022") {
		t.Errorf("an expired signer: %v", err)
	}
	o.AllowExpired = true
	if _, err := signing.Sign(pool(t), id, o); err != nil {
		t.Error(err)
	}
}

// Without its root a signer's chain is verified as far as it goes.
func TestSignWithoutRoot(t *testing.T) {
	t.Parallel()
	certs := certificates(t, pkitest.Lab().IntermediateSigner)
	for n := range certs {
		id, err := signing.NewIdentity(pkitest.Lab().IntermediateSigner.Key.Signer, certs[:n+1])
		if err != nil {
			t.Fatal(err)
		}
		sign(t, id)
	}
}

// A wrong key is one that says it is another.
type wrongKey struct{ crypto.Signer }

func (wrongKey) Public() crypto.PublicKey { return pkitest.RSA("lab-signer").Signer.Public() }

func TestSignRefuses(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	purpose := func(p ...pkitest.OID) *pkitest.Authority { return pkitest.LabSignerTemplate(p...).Issue(lab.Root) }
	weak := pkitest.SignerTemplate(pkitest.NewName("CN=Weak"), pkitest.RSA("rsa-1024")).Issue(lab.Root)
	p224 := pkitest.SignerTemplate(pkitest.NewName("CN=P-224"), pkitest.ECDSA("p224", elliptic.P224())).Issue(lab.Root)
	usage := pkitest.LabSignerTemplate().With(pkitest.KeyUsage(pkitest.KeyEncipherment)).Issue(lab.Root)
	early := pkitest.LabSignerTemplate()
	early.NotBefore = pkitest.Date(2026, 1, 1)
	certs := func(a ...*pkitest.Authority) (out []*certificate.Certificate) {
		for _, x := range a {
			out = append(out, certificates(t, x)[0])
		}
		return out
	}
	for name, c := range map[string]struct {
		key   *pkitest.Key
		certs []*certificate.Certificate
		edit  func(*signing.SignOptions)
		want  string
	}{
		"other key":      {pkitest.RSA("lab-root"), certs(lab.Signer, lab.Root), nil, "key and certificate do not match: the key (RSA 2048) is not that of CN=Lab Bundle Signer"},
		"other kind":     {lab.P256Signer.Key, certs(lab.Signer, lab.Root), nil, "key and certificate do not match: the key (ECDSA P-256)"},
		"no certificate": {lab.Signer.Key, nil, nil, "no certificate for the key"},
		"wrong order":    {lab.Signer.Key, certs(lab.Root, lab.Signer), nil, "is not above the signer"},
		"stranger":       {lab.Signer.Key, certs(lab.Signer, lab.OtherRoot), nil, "CN=Lab Other Root CA,O=Trustpool Lab is not above the signer"},
		"impostor":       {lab.Signer.Key, certs(lab.Signer, lab.ImpostorRoot), nil, "is not signed by the key of"},
		"twice":          {lab.Root.Key, certs(lab.Root, lab.Root), nil, "is not above the signer"},
		"purpose":        {purpose(pkitest.ServerAuth).Key, certs(purpose(pkitest.ServerAuth), lab.Root), nil, "is for [serverAuth], none of which is signing bundles"},
		"key usage":      {usage.Key, certs(usage, lab.Root), nil, "neither digitalSignature nor nonRepudiation"},
		"weak":           {weak.Key, certs(weak, lab.Root), nil, "the key of CN=Weak has 1024 bits: RSA must have at least 2048 to sign"},
		"curve":          {p224.Key, certs(p224, lab.Root), nil, "not P-256, P-384 or P-521"},
		"SHA-1 link":     {lab.SHA1Signer.Key, certs(lab.SHA1Signer, lab.SHA1Root), nil, "is signed with SHA-1"},
		"not yet valid":  {early.Key, certs(early.Issue(lab.Root), lab.Root), nil, "is valid from 2026-01-01"},

		"no time":          {edit: func(o *signing.SignOptions) { o.Time = time.Time{} }, want: "no time to sign at"},
		"year":             {edit: func(o *signing.SignOptions) { o.Time = time.Date(1949, 1, 1, 0, 0, 0, 0, time.UTC) }, want: "the year 1949"},
		"no name":          {edit: func(o *signing.SignOptions) { o.Name = "" }, want: "the bundle's name is missing"},
		"no version":       {edit: func(o *signing.SignOptions) { o.Version = "" }, want: "the bundle's version is missing"},
		"long name":        {edit: func(o *signing.SignOptions) { o.Name = strings.Repeat("x", 129) }, want: "has 129 characters, more than 128"},
		"no printable":     {edit: func(o *signing.SignOptions) { o.Name = "Bündel" }, want: `has a 'ü', which a PrintableString cannot hold`},
		"asterisk":         {edit: func(o *signing.SignOptions) { o.Version = "4*" }, want: `has a '*'`},
		"SHA-1":            {edit: func(o *signing.SignOptions) { o.Hash = crypto.SHA1 }, want: "SHA-1 no longer protects anything"},
		"MD5":              {edit: func(o *signing.SignOptions) { o.Hash = crypto.MD5 }, want: "MD5 no longer protects anything"},
		"unknown hash":     {edit: func(o *signing.SignOptions) { o.Hash = crypto.SHA3_256 }, want: "is not SHA-256, SHA-384 or SHA-512"},
		"hash for Ed25519": {lab.Ed25519Signer.Key, certs(lab.Ed25519Signer, lab.Ed25519Root), func(o *signing.SignOptions) { o.Hash = crypto.SHA256 }, "does not go with Ed25519"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := options()
			if c.edit != nil {
				c.edit(&o)
			}
			if c.key == nil && c.certs == nil {
				c.key, c.certs = lab.Signer.Key, certs(lab.Signer, lab.Root)
			}
			id, err := signing.NewIdentity(c.key.Signer, c.certs)
			if err == nil {
				_, err = signing.Sign(pool(t), id, o)
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
}

// What the key's public half hides is found before the bundle is handed out.
func TestSignVerifies(t *testing.T) {
	t.Parallel()
	id, err := signing.NewIdentity(wrongKey{pkitest.RSA("lab-root").Signer}, certificates(t, pkitest.Lab().Signer))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := signing.Sign(pool(t), id, options()); err == nil || !strings.Contains(err.Error(), "key and certificate do not match, or") {
		t.Errorf("a wrong signature: %v", err)
	}
}

func TestSignRefusesPool(t *testing.T) {
	t.Parallel()
	id := identity(t, pkitest.Lab().Signer)
	quirks := readBundle(t, "../testdata/bundles/lab-quirks-v1.p7b")
	if _, err := signing.Sign(quirks, id, options()); err == nil || !strings.Contains(err.Error(), "entry 33 is not a certificate") {
		t.Errorf("an entry that is not a certificate: %v", err)
	}
	if _, err := signing.Sign(&bundle.Bundle{}, id, options()); err == nil || !strings.Contains(err.Error(), "no certificates") {
		t.Errorf("no certificates: %v", err)
	}
}

// files writes what other programs need.
func files(t *testing.T, signed []byte, id *signing.Identity) (message, root string) {
	t.Helper()
	dir := t.TempDir()
	message, root = filepath.Join(dir, "signed.p7b"), filepath.Join(dir, "root.pem")
	last := id.Certificates[len(id.Certificates)-1]
	for path, data := range map[string][]byte{message: signed, root: pkitest.CertificatePEM(last.Raw)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return message, root
}

func TestOpenSSLVerifies(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	for name, a := range signers() {
		if name == "Ed25519" { // OpenSSL 3.0 cannot (RFC 8419)
			continue
		}
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := identity(t, a)
			signed := sign(t, id)
			message, root := files(t, signed, id)
			content := tooltest.Run(t, nil, "openssl", "cms", "-verify", "-binary", "-attime", strconv.FormatInt(signingTime.Unix(), 10), "-inform", "DER", "-purpose", "any", "-CAfile", root, "-in", message)
			b, err := bundle.Parse(signed)
			if err != nil {
				t.Fatal(err)
			}
			if !bytes.Equal(content, b.Message.Content) {
				t.Error("openssl verified another content")
			}
		})
	}
}

func TestGnuTLSVerifies(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "certtool")
	for name, a := range signers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := identity(t, a)
			message, root := files(t, sign(t, id), id)
			tooltest.Run(t, nil, "certtool", "--p7-verify", "--inder", "--load-ca-certificate", root, "--infile", message)
		})
	}
}

// go.mozilla.org/pkcs7 is a second opinion on signatures. It is fed what Parse
// has read.
func TestLibraryVerifies(t *testing.T) {
	t.Parallel()
	messages := map[string][]byte{}
	for name, a := range signers() {
		if name != "Ed25519" { // which the library does not know
			messages[name] = sign(t, identity(t, a))
		}
	}
	for _, name := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		messages[name] = readBundle(t, tooltest.Corpus(t, name)).Raw
	}
	for name, message := range messages {
		p7, err := pkcs7.Parse(message)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if err := p7.Verify(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		p7.Content[len(p7.Content)/2] ^= 1
		if err := p7.Verify(); err == nil {
			t.Errorf("%s: changed content is verified", name)
		}
	}
}

// What openssl asn1parse says of ours and of a genuine bundle differs in values
// only. The certificates are left out: their structure is their issuers'.
func TestStructureOfGenuine(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	genuine := readBundle(t, tooltest.Corpus(t, tooltest.Core2017))
	// An issuer's name of the same parts as Cisco's.
	name := pkitest.Name{}.With("O", asn1.PrintableString, []byte("Lab")).With("CN", asn1.PrintableString, []byte("Lab Root"))
	root := pkitest.RootTemplate(name, pkitest.RSA("lab-root")).Issue(nil)
	signer := pkitest.SignerTemplate(pkitest.NewName("CN=Signer"), pkitest.RSA("lab-signer")).Issue(root)
	ours, err := signing.Sign(genuine, identity(t, signer), signing.SignOptions{Name: genuine.Name, Version: genuine.Version, Time: signingTime})
	if err != nil {
		t.Fatal(err)
	}
	got, want := structure(t, ours), structure(t, genuine.Raw)
	if got != want {
		t.Errorf("ours:\n%s\ngenuine:\n%s", got, want)
	}
	for _, has := range []string{"OBJECT :rsaEncryption", "PRINTABLESTRING", "UTCTIME", "OBJECT :sha256"} {
		if !strings.Contains(got, has) {
			t.Errorf("not compared: %s", has)
		}
	}
}

// structure is what openssl asn1parse prints, less offsets, lengths and values
// other than object identifiers; of each certificate, one line.
func structure(t *testing.T, message []byte) string {
	t.Helper()
	line := regexp.MustCompile(`^ *\d+:d= *(\d+) +hl=\d+ l= *\d+ (cons|prim): +([^:]*[^: ]) *(:.*)?$`)
	var out strings.Builder
	certificates := false
	outer := tooltest.Run(t, message, "openssl", "asn1parse", "-inform", "DER")
	for l := range strings.Lines(string(outer)) {
		m := line.FindStringSubmatch(strings.TrimRight(l, "\n"))
		if m == nil {
			t.Fatalf("asn1parse printed %q", l)
		}
		depth, kind, name, value := m[1], m[2], m[3], m[4]
		if depth == "3" {
			certificates = name == "cont [ 0 ]"
		}
		if certificates && depth > "4" {
			continue
		}
		if name != "OBJECT" {
			value = ""
		}
		value = strings.TrimSpace(strings.NewReplacer("1.3.6.1.4.1.9.21.2.3.", "Cisco ").Replace(value))
		fmt.Fprintln(&out, depth, kind, name, value)
	}
	return out.String()
}

func BenchmarkSign(b *testing.B) {
	in, err := bundle.Parse(pkitest.Large(367))
	if err != nil {
		b.Fatal(err)
	}
	id := identity(b, pkitest.Lab().Signer)
	b.ReportAllocs()
	b.SetBytes(int64(len(in.Raw)))
	for b.Loop() {
		if _, err := signing.Sign(in, id, options()); err != nil {
			b.Fatal(err)
		}
	}
}

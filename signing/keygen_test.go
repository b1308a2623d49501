package signing_test

import (
	"bytes"
	"crypto/x509"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/signing"
)

func labOptions() signing.LabOptions {
	return signing.LabOptions{
		Organization: "Lab", RootName: "Lab Root", SignerName: "Lab Signer",
		NotBefore: signingTime, NotAfter: signingTime.AddDate(10, 0, 0),
	}
}

func TestNewLab(t *testing.T) {
	t.Parallel()
	for _, algorithm := range signing.KeyAlgorithms() {
		t.Run(algorithm, func(t *testing.T) {
			t.Parallel()
			rootKey, err := signing.GenerateKey(algorithm)
			if err != nil {
				t.Fatal(err)
			}
			signerKey, err := signing.GenerateKey(algorithm)
			if err != nil {
				t.Fatal(err)
			}
			root, signer, err := signing.NewLab(rootKey, signerKey.Public(), labOptions())
			if err != nil {
				t.Fatal(err)
			}
			root2, signer2, err := signing.NewLab(rootKey, signerKey.Public(), labOptions())
			if err != nil || !bytes.Equal(root, root2) || !bytes.Equal(signer, signer2) {
				t.Error("made twice, they differ")
			}
			var certs []*certificate.Certificate
			for _, der := range [][]byte{signer, root} {
				b, err := bundle.Parse(der)
				if err != nil {
					t.Fatal(err)
				}
				certs = append(certs, b.Certificates[0])
			}
			checkProfile(t, certs[0], certs[1])
			id, err := signing.NewIdentity(signerKey, certs)
			if err != nil {
				t.Fatal(err)
			}
			sign(t, id)
		})
	}
}

// checkProfile asks for the profile of Cisco's signer and root.
func checkProfile(t *testing.T, signer, root *certificate.Certificate) {
	t.Helper()
	if len(signer.Quirks) != 2 || !signer.Has(certificate.QuirkNoBasicConstraints) || !signer.Has(certificate.QuirkIntermediate) || len(root.Quirks) > 0 {
		t.Errorf("quirks %v, %v", signer.Quirks, root.Quirks)
	}
	if got := strings.Join(signer.KeyUsage.Names(), " "); got != "digitalSignature nonRepudiation" {
		t.Errorf("the signer's key usage is %s", got)
	}
	if len(signer.ExtKeyUsage) != 1 || signer.ExtKeyUsage[0].Dotted() != "1.3.6.1.3.1.9.21.2.3" {
		t.Errorf("the signer's extended key usage is %v", signer.ExtKeyUsage)
	}
	for e := range signer.EachExtension() {
		if string(e.ID) == certificate.OIDBasicConstraints {
			t.Error("the signer has basicConstraints")
		}
		if e.Critical != (string(e.ID) == certificate.OIDKeyUsage) {
			t.Errorf("critical %v: %s", e.Critical, e.ID)
		}
	}
	if got := strings.Join(root.KeyUsage.Names(), " "); got != "keyCertSign cRLSign" || !root.IsCA {
		t.Errorf("the root's key usage is %s, a CA %v", got, root.IsCA)
	}
	if !bytes.Equal(signer.AuthorityKeyID, root.SubjectKeyID) || len(signer.SubjectKeyID) != 20 {
		t.Error("the key identifiers do not fit")
	}
	if got := signer.Subject.String(); got != "CN=Lab Signer,OU=Bundle Signing,O=Lab" {
		t.Errorf("the signer is %s", got)
	}
}

func TestNewLabRefuses(t *testing.T) {
	t.Parallel()
	root, signer := pkitest.RSA("lab-root").Signer, pkitest.RSA("lab-signer").Signer
	for want, edit := range map[string]func(*signing.LabOptions){
		"organization must have":       func(o *signing.LabOptions) { o.Organization = "" },
		"root's common name must have": func(o *signing.LabOptions) { o.RootName = strings.Repeat("x", 65) },
		"same common name":             func(o *signing.LabOptions) { o.RootName = o.SignerName },
		"no dates":                     func(o *signing.LabOptions) { o.NotAfter = time.Time{} },
		"end before they begin":        func(o *signing.LabOptions) { o.NotAfter = o.NotBefore },
		"1950 to 9999":                 func(o *signing.LabOptions) { o.NotAfter = o.NotAfter.AddDate(9000, 0, 0) },
	} {
		o := labOptions()
		edit(&o)
		if _, _, err := signing.NewLab(root, signer.Public(), o); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
	if _, _, err := signing.NewLab(root, root.Public(), labOptions()); err == nil || !strings.Contains(err.Error(), "the same key") {
		t.Errorf("one key for both: %v", err)
	}
	if _, err := signing.GenerateKey("dsa"); err == nil || err.Error() != `"dsa" is none of [rsa p256 p384 p521 ed25519]` {
		t.Errorf("a DSA key: %v", err)
	}
}

// A signer without the name of its root in PrintableString is no matter.
func TestNewLabUTF8(t *testing.T) {
	t.Parallel()
	o := labOptions()
	o.Organization = "Prüflabor"
	_, signer, err := signing.NewLab(pkitest.RSA("lab-root").Signer, pkitest.RSA("lab-signer").Signer.Public(), o)
	if err != nil {
		t.Fatal(err)
	}
	c, err := x509.ParseCertificate(signer)
	if err != nil || c.Issuer.Organization[0] != "Prüflabor" {
		t.Errorf("%v, issued by %v", err, c.Issuer)
	}
}

package signing_test

import (
	"errors"
	"fmt"
	"log"
	"os"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/roots"
	"trustpool/signing"
)

func exampleFile(name string) []byte {
	data, err := os.ReadFile("../testdata/bundles/" + name)
	if err != nil {
		log.Fatal(err)
	}
	return data
}

func exampleBundle(name string) *bundle.Bundle {
	b, err := bundle.Parse(exampleFile(name))
	if err != nil {
		log.Fatal(err)
	}
	return b
}

// A bundle of a lab, under the root of that lab. For Cisco's bundles the anchors are roots.BuiltIn().
func ExampleVerify() {
	anchors, err := roots.FromFile(exampleFile("lab-root.pem"))
	if err != nil {
		log.Fatal(err)
	}
	v, err := signing.Verify(exampleBundle("lab-core-v1.p7b"), signing.VerifyOptions{
		Anchors: anchors,
		At:      time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, version %s, signed %s\n", v.Name, v.Version, v.SigningTime.Day())
	for _, link := range v.Signers[0].Chain {
		fmt.Println(link.Certificate.Subject.CommonName())
	}
	// Output:
	// Lab Core Bundle, version 1, signed 2024-01-15
	// Lab Bundle Signer
	// Lab Root CA
}

// The same bundle does not lead to one of Cisco's roots.
func ExampleVerify_refused() {
	_, err := signing.Verify(exampleBundle("lab-core-v1.p7b"), signing.VerifyOptions{
		Anchors: roots.BuiltIn(),
		At:      time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC),
	})
	if refused, ok := errors.AsType[*signing.VerifyError](err); ok {
		fmt.Println("not verified:", refused.Reason)
	}
	// Output: not verified: chain-no-anchor
}

// exampleLab makes a root and a signer.
func exampleLab() (root *certificate.Certificate, signer *signing.Identity) {
	rootKey, err := signing.GenerateKey("p256")
	if err != nil {
		log.Fatal(err)
	}
	signerKey, err := signing.GenerateKey("p256")
	if err != nil {
		log.Fatal(err)
	}
	rootDER, signerDER, err := signing.NewLab(rootKey, signerKey.Public(), signing.LabOptions{
		Organization: "Example", RootName: "Example Root", SignerName: "Example Signer",
		NotBefore: time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), NotAfter: time.Date(2035, 1, 1, 0, 0, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	root = certificate.Read(rootDER)
	signer, err = signing.NewIdentity(signerKey, []*certificate.Certificate{certificate.Read(signerDER), root})
	if err != nil {
		log.Fatal(err)
	}
	return root, signer
}

// A bundle for a lab: a root and a signer are made, and a pool is signed.
func ExampleSign() {
	root, signer := exampleLab()
	at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	data, err := signing.Sign(exampleBundle("lab.pem"), signer, signing.SignOptions{Name: "Example Bundle", Version: "1", Time: at})
	if err != nil {
		log.Fatal(err)
	}

	anchor, err := roots.FromCertificate(root)
	if err != nil {
		log.Fatal(err)
	}
	signed, err := bundle.Parse(data)
	if err != nil {
		log.Fatal(err)
	}
	v, err := signing.Verify(signed, signing.VerifyOptions{Anchors: []roots.Anchor{anchor}, At: at})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("%s, version %s, under %s\n", v.Name, v.Version, v.Anchor.Name)
	// Output: Example Bundle, version 1, under Example Root
}

// A signature beside a file.
func ExampleSignDetached() {
	root, signer := exampleLab()
	at := time.Date(2025, 6, 1, 12, 0, 0, 0, time.UTC)
	content := []byte("a manifest\n")
	signature, err := signing.SignDetached(content, signer, at)
	if err != nil {
		log.Fatal(err)
	}

	anchor, err := roots.FromCertificate(root)
	if err != nil {
		log.Fatal(err)
	}
	options := signing.VerifyOptions{Anchors: []roots.Anchor{anchor}, At: at}
	_, err = signing.VerifyDetached(content, signature, options)
	fmt.Println("as signed:", err)
	_, err = signing.VerifyDetached([]byte("another manifest\n"), signature, options)
	refused, _ := errors.AsType[*signing.VerifyError](err)
	fmt.Println("changed:", refused.Reason)
	// Output:
	// as signed: <nil>
	// changed: message-digest-differs
}

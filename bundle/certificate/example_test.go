package certificate_test

import (
	"encoding/pem"
	"fmt"
	"log"
	"os"

	"trustpool/bundle/certificate"
)

func der(file string) []byte {
	data, err := os.ReadFile("../../testdata/bundles/" + file)
	if err != nil {
		log.Fatal(err)
	}
	block, _ := pem.Decode(data)
	return block.Bytes
}

func ExampleRead() {
	c := certificate.Read(der("quovadis-root-ca-2.pem"))
	if c.Err != nil {
		log.Fatal(c.Err)
	}
	fmt.Println(c.Subject)
	fmt.Println("key      ", c.PublicKey)
	fmt.Println("signed   ", c.SignatureAlgorithm)
	fmt.Println("until    ", c.NotAfter.Day())
	fmt.Println("quirks   ", c.Quirks)
	// Output:
	// CN=QuoVadis Root CA 2,O=QuoVadis Limited,C=BM
	// key       RSA 4096
	// signed    sha1WithRSAEncryption
	// until     2031-11-24
	// quirks    [signature-sha1]
}

// What is not a certificate is returned too, with the reason.
func ExampleRead_damaged() {
	c := certificate.Read([]byte("hello"))
	fmt.Println(c.Err != nil)
	// Output: true
}

// A key has one identity, whatever certificate it is in.
func ExampleCertificate_KeyID() {
	c := certificate.Read(der("quovadis-root-ca-2.pem"))
	fmt.Printf("%x\n", c.KeyID())
	// Output: 8fd112c3c8370f147d5ccd3a7d865eb8dd540783bac69fc60088e3743ff33378
}

func ExampleCertificate_EachExtension() {
	c := certificate.Read(der("quovadis-root-ca-2.pem"))
	for e := range c.EachExtension() {
		fmt.Printf("%s critical=%t, %d bytes\n", e.ID.Dotted(), e.Critical, len(e.Value))
	}
	// Output:
	// 2.5.29.19 critical=true, 5 bytes
	// 2.5.29.15 critical=false, 4 bytes
	// 2.5.29.14 critical=false, 22 bytes
	// 2.5.29.35 critical=false, 103 bytes
}

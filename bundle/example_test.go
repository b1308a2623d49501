package bundle_test

import (
	"fmt"
	"log"
	"os"
	"time"

	"trustpool/bundle"
)

func parse(file string) *bundle.Bundle {
	data, err := os.ReadFile("../testdata/bundles/" + file)
	if err != nil {
		log.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		log.Fatal(err)
	}
	return b
}

// A bundle in Cisco's form has a name and a version, which are claims until the signature is verified.
func ExampleParse() {
	data, err := os.ReadFile("../testdata/bundles/lab-core-v1.p7b")
	if err != nil {
		log.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("form %s, claims to be %s, version %s\n", b.Form, b.Name, b.Version)
	for _, c := range b.Certificates[:2] {
		if c.Err != nil {
			fmt.Println("not a certificate:", c.Err)
			continue
		}
		fmt.Println(c.Subject, "until", c.NotAfter.Day())
	}
	// Output:
	// form signed, claims to be Lab Core Bundle, version 1
	// CN=Birch Root CA,O=Birch Trust Services,C=US until 2050-01-01
	// CN=Lab Root CA,O=Trustpool Lab until 2050-01-01
}

func ExampleCompare() {
	d := bundle.Compare(parse("lab-core-v1.p7b"), parse("lab-core-v2.p7b"))
	fmt.Printf("%d added, %d removed, %d in both\n", len(d.Added), len(d.Removed), d.Common)
	for _, p := range d.Rekeyed {
		fmt.Println("the same name, another key:", p.New.Certificate.Subject.CommonName())
	}
	// Output:
	// 4 added, 3 removed, 5 in both
	// the same name, another key: Gorse Root CA
}

func ExampleParseFilter() {
	wanted, err := bundle.ParseFilter("algorithm:p-384", time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC))
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range parse("lab-core-v1.p7b").Certificates {
		if wanted(c) {
			fmt.Println(c.PublicKey, c.Subject.CommonName())
		}
	}
	// Output:
	// ECDSA P-384 Dogwood ECC Root CA
}

// The pool of a signed bundle, for programs that read PKCS #7 without the signature.
func ExampleEncodeCertsOnly() {
	b := parse("lab-core-v1.p7b")
	message, err := bundle.EncodeCertsOnly(b.Certificates)
	if err != nil {
		log.Fatal(err)
	}
	pool, err := bundle.Parse(message)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(pool.Form, len(pool.Certificates), bundle.Compare(b, pool).Same())
	// Output: certs-only 8 true
}

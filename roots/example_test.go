package roots_test

import (
	"fmt"
	"log"
	"os"

	"trustpool/roots"
)

func ExampleBuiltIn() {
	for _, a := range roots.BuiltIn() {
		fmt.Printf("%x  %s\n", a.SHA256[:8], a.Name)
	}
	// Output:
	// 705eaafc3ff48803  Cisco Root CA M1
	// dec669e322e07cd7  TRS Bundle Root CA
}

// The root of a lab, instead of Cisco's.
func ExampleFromFile() {
	pem, err := os.ReadFile("../testdata/bundles/lab-root.pem")
	if err != nil {
		log.Fatal(err)
	}
	anchors, err := roots.FromFile(pem)
	if err != nil {
		log.Fatal(err)
	}
	for _, a := range anchors {
		fmt.Printf("%s, SHA-1 below it: %t\n", a.Name, a.SHA1Links)
	}
	// Output: Lab Root CA, SHA-1 below it: false
}

// A report of the Common CA Database, with the columns that this needs.
func ExampleParseCCADB() {
	report := "CA Owner,Certificate Name,SHA-256 Fingerprint,Mozilla Status\n" +
		"Example,Good Root," + "00112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF" + ",Included\n" +
		"Example,Old Root," + "FF112233445566778899AABBCCDDEEFF00112233445566778899AABBCCDDEEFF" + ",Removed\n"
	store, err := roots.ParseCCADB([]byte(report), roots.CCADBOptions{})
	if err != nil {
		log.Fatal(err)
	}
	for _, r := range store.Roots {
		fmt.Println(r.Label, r.Status)
	}
	// Output:
	// Good Root Included
	// Old Root Removed
}

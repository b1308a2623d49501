// Trustpool-s3 is trustpool with a client for buckets.
package main

import (
	"os"

	"trustpool/cmd/internal/process"
	"trustpool/store"
	"trustpool/store/s3"
)

var version = "unknown" // set by the Makefile

func main() {
	os.Exit(process.Main(version, func(url string) (store.Backend, error) { return s3.Open(url, os.Getenv) }))
}

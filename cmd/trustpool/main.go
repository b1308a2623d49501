// Trustpool reads, verifies and compares the trust bundles of Cisco devices, tells
// what a device would do with them, and publishes them.
package main

import (
	"os"

	"trustpool/cmd/internal/process"
)

var version = "unknown" // set by the Makefile

func main() { os.Exit(process.Main(version, nil)) }

// Generate writes the generated files below testdata. Run it from the root of the module:
//
//	go run ./internal/pkitest/generate
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"trustpool/internal/pkitest"
)

func main() {
	for _, file := range pkitest.Files() {
		path := filepath.Join("testdata", filepath.FromSlash(file.Path))
		err := os.MkdirAll(filepath.Dir(path), 0o755)
		if err == nil {
			err = os.WriteFile(path, file.Data, 0o644)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, "generate:", err)
			os.Exit(1)
		}
	}
}

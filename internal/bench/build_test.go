//go:build linux || darwin

package bench_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"trustpool/internal/tooltest"
)

// debian is where its package ca-certificates has Mozilla's roots, each in a file.
const debian = "/usr/share/ca-certificates/mozilla"

// recipeFor writes a recipe that signs the certificates of files with the lab's
// RSA-2048 key.
func recipeFor(b *testing.B, files string) string {
	b.Helper()
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		b.Fatal(err)
	}
	recipe := filepath.Join(b.TempDir(), "recipe.yaml")
	write(b, recipe, fmt.Appendf(nil, `schema: trustpool.recipe/1
bundle: {name: Bench Bundle, version: "1"}
sources: {all: {files: [%q]}}
set: all
signer:
  key: %[2]s/keys/lab-signer.pem
  certificate: %[2]s/bundles/lab-signer.pem
  chain: %[2]s/bundles/lab-root.pem
outputs: {signed: out.p7b}
`, files, testdata))
	return recipe
}

// BenchmarkBuild builds a signed bundle of Debian's roots in turns with the
// commands of OpenSSL that do the same, one after the other. Both read the same:
// the roots as Debian has them, a file each, or all of them in one file. Ours
// verifies what it signed, and syncs.
func BenchmarkBuild(b *testing.B) {
	tooltest.Need(b, "openssl")
	roots, err := filepath.Glob(filepath.Join(debian, "*.crt"))
	if err != nil || len(roots) == 0 {
		b.Skipf("skipped: ca-certificates is not installed: %v", err)
	}
	var all bytes.Buffer
	for _, file := range roots {
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		all.Write(data)
	}
	dir := b.TempDir()
	one := filepath.Join(dir, "all.pem")
	write(b, one, all.Bytes())
	program := buildProgram(b)
	theirs := func(files ...string) command {
		args := []string{"sh", "-c", `inner=$0 out=$1; shift
			openssl crl2pkcs7 -nocrl "$@" -outform DER -out "$inner" &&
			exec openssl cms -sign -binary -nodetach -in "$inner" -outform DER -out "$out" -md sha256 \
				-signer ../../testdata/bundles/lab-signer.pem -inkey ../../testdata/keys/lab-signer.pem -certfile ` + labRoot,
			filepath.Join(dir, "inner.p7b"), filepath.Join(dir, "out.p7b")}
		for _, f := range files {
			args = append(args, "-certfile", f)
		}
		return command{args}
	}
	ours := func(files string) command {
		recipe := recipeFor(b, files)
		return command{{program, "build", recipe, "-o", filepath.Join(filepath.Dir(recipe), "out"), "--at", at, "--quiet"}}
	}
	b.Run(fmt.Sprintf("%d-files-openssl", len(roots)), func(b *testing.B) {
		sideBySide(b, ours(debian), theirs(roots...))
	})
	b.Run(fmt.Sprintf("%d-in-one-openssl", len(roots)), func(b *testing.B) {
		sideBySide(b, ours(one), theirs(one))
	})
}

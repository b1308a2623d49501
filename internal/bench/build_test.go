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
// RSA-2048 key, and gives the command that builds it.
func recipeFor(b *testing.B, program, files string) []string {
	b.Helper()
	testdata, err := filepath.Abs("../../testdata")
	if err != nil {
		b.Fatal(err)
	}
	dir := b.TempDir()
	write(b, filepath.Join(dir, "recipe.yaml"), fmt.Appendf(nil, `schema: trustpool.recipe/1
bundle: {name: Bench Bundle, version: "1"}
sources: {all: {files: [%q]}}
set: all
signer:
  key: %[2]s/keys/lab-signer.pem
  certificate: %[2]s/bundles/lab-signer.pem
  chain: %[2]s/bundles/lab-root.pem
outputs: {signed: out.p7b}
`, files, testdata))
	return []string{program, "build", filepath.Join(dir, "recipe.yaml"), "-o", filepath.Join(dir, "out"), "--at", at, "--quiet"}
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
	b.Run(fmt.Sprintf("%d-files-openssl", len(roots)), func(b *testing.B) {
		sideBySide(b, command{recipeFor(b, program, debian)}, theirs(roots...))
	})
	b.Run(fmt.Sprintf("%d-in-one-openssl", len(roots)), func(b *testing.B) {
		sideBySide(b, command{recipeFor(b, program, one)}, theirs(one))
	})
}

// BenchmarkBuildGrowth reports time and peak memory of building 10^3, 10^4 and
// 10^5 certificates: the time of one in relation to the first size, which is run
// again beside each.
func BenchmarkBuildGrowth(b *testing.B) {
	const first, minRuns = 1_000, 5
	program := buildProgram(b)
	small := recipeFor(b, program, largeFile(b, first))
	for _, n := range []int{first, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			file := largeFile(b, n)
			build := recipeFor(b, program, file)
			measure(b, build) // its pages are cached from here on
			var times, each, ratios, cpuRatios, peaks []float64
			once := func() {
				s, u := measure(b, small), measure(b, build)
				times, peaks = append(times, us(u.Time)/1000), append(peaks, float64(u.Peak)/1e6)
				each = append(each, us(u.Time)/float64(n))
				ratios = append(ratios, us(u.Time)/float64(n)/(us(s.Time)/first))
				cpuRatios = append(cpuRatios, us(u.CPU)/float64(n)/(us(s.CPU)/first))
			}
			for b.Loop() {
				once()
			}
			for len(times) < minRuns {
				once()
			}
			info, err := os.Stat(file)
			if err != nil {
				b.Fatal(err)
			}
			reportGrowth(b, times, each, ratios, cpuRatios, peaks)
			b.ReportMetric(float64(info.Size())/1e6, "file-MB")
		})
	}
}

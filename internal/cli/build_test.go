package cli_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/cli"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// debian is where its package ca-certificates has Mozilla's roots.
const debian = "/usr/share/ca-certificates/mozilla"

// docs/recipes/combined.yaml combines all of Debian's roots, a certdata.txt and a
// genuine bundle.
func TestCombinedRecipe(t *testing.T) {
	t.Parallel()
	ios := tooltest.Corpus(t, tooltest.IOS2021)
	if _, err := os.Stat(debian); err != nil {
		if os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
			t.Fatal(err)
		}
		t.Skipf("skipped: ca-certificates is not installed: %v", err)
	}
	dir := t.TempDir()
	write := func(name string, data []byte) {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	data, err := os.ReadFile("../../docs/recipes/combined.yaml")
	if err != nil {
		t.Fatal(err)
	}
	write("combined.yaml", data)
	write("certdata.txt", pkitest.Certdata(pkitest.SmallCertdata()...))
	for name, target := range map[string]string{"mozilla": debian, "ios.p7b": ios} {
		if err := os.Symlink(target, filepath.Join(dir, name)); err != nil {
			t.Fatal(err)
		}
	}
	run := func(args ...string) (status int, stdout string) {
		var out, errors bytes.Buffer
		status = cli.Run(t.Context(), args, cli.Env{
			Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errors,
			Now: func() time.Time { return time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC) },
		})
		if errors.Len() > 0 {
			t.Errorf("%q: %s", args, &errors)
		}
		return status, out.String()
	}
	recipe, out := filepath.Join(dir, "combined.yaml"), filepath.Join(dir, "out")
	status, report := run("build", recipe, "-o", out)
	if status != 0 {
		t.Fatalf("status %d", status)
	}
	built := parseFile(t, filepath.Join(out, "combined.p7b"))

	// Nothing is lost: what a source gives is in the bundle or in the report.
	have := map[[32]byte]bool{}
	for _, c := range built.Certificates {
		have[c.SHA256] = true
	}
	if len(have) != len(built.Certificates) {
		t.Error("a certificate is there twice")
	}
	roots, err := filepath.Glob(filepath.Join(debian, "*.crt"))
	if err != nil {
		t.Fatal(err)
	}
	odd := 0
	for _, file := range append(roots, ios) {
		if name := filepath.Base(file); strings.Contains(name, "=") && strings.ContainsFunc(name, func(r rune) bool { return r > 0x7f }) {
			odd++
		}
		for _, c := range parseFile(t, file).Certificates {
			if short := fmt.Sprintf("%x", c.SHA256[:8]); !have[c.SHA256] && !strings.Contains(report, short) {
				t.Errorf("%s is lost", short)
			}
		}
	}
	if len(roots) == 148 && odd != 1 { // as in 20250419
		t.Errorf("%d names are not ASCII with an equals sign, not one", odd)
	}
	if !strings.Contains(report, "mozilla: an unknown constraint") {
		t.Errorf("the certdata.txt has no part in it:\n%s", report)
	}

	if status, _ := run("build", recipe, "-o", out, "--check"); status != 0 {
		t.Errorf("--check: status %d", status)
	}
	if status, _ := run("build", recipe, "-o", out, "--locked", "--quiet"); status != 0 {
		t.Errorf("--locked: status %d", status)
	}
}

func parseFile(t *testing.T, file string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

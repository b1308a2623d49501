// Package tooltest finds what tests need: the project's own bundles, and of the
// machine other programs and genuine bundles. A test skips and says so if what it needs is missing; if
// TRUSTPOOL_REQUIRE_TOOLS is 1 it fails.
package tooltest

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Need skips the test if a program is missing.
func Need(t testing.TB, programs ...string) {
	t.Helper()
	for _, p := range programs {
		if _, err := exec.LookPath(p); err != nil {
			missing(t, p+" is not installed")
		}
	}
}

// Bundle reads a file of testdata/bundles, wherever in the module the test is.
func Bundle(t testing.TB, name string) []byte {
	t.Helper()
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			break
		}
		if dir == filepath.Dir(dir) {
			t.Fatal("no go.mod above the test")
		}
	}
	data, err := os.ReadFile(filepath.Join(dir, "testdata", "bundles", name))
	if err != nil {
		t.Fatal(err)
	}
	return data
}

// Corpus gives the path of a genuine bundle. TRUSTPOOL_CORPUS names the
// directory that holds them; they are not part of the project.
func Corpus(t testing.TB, name string) string {
	t.Helper()
	dir := os.Getenv("TRUSTPOOL_CORPUS")
	if dir == "" {
		missing(t, "TRUSTPOOL_CORPUS is not set: no genuine bundles to test with")
	}
	return filepath.Join(dir, name)
}

// File gives the path that an environment variable names, of something that is no
// part of the project.
func File(t testing.TB, variable, what string) string {
	t.Helper()
	path := os.Getenv(variable)
	if path == "" {
		missing(t, variable+" is not set to the path of "+what)
	}
	return path
}

// The genuine bundles of the corpus.
const (
	Core2017 = "ios_core-v4-2017-01-11.p7b"
	IOS2016  = "ios-v3-2016-11-22.p7b"
	IOS2021  = "ios-v10-2021-09-01.p7b"
)

func missing(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
		t.Fatalf("%s, and TRUSTPOOL_REQUIRE_TOOLS=1 asks for it", what)
	}
	t.Skipf("skipped: %s", what)
}

// AnsiblePython returns the path of the Python that has Ansible.
func AnsiblePython(t testing.TB) string {
	t.Helper()
	Need(t, "ansible-playbook")
	path, err := exec.LookPath("ansible-playbook")
	if err != nil {
		t.Fatal(err)
	}
	script, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(script), "\n")
	words := strings.Fields(strings.TrimPrefix(first, "#!"))
	if len(words) == 0 {
		t.Fatalf("%s is not a script", path)
	}
	return words[0]
}

// Run runs a program on the given input and gives its standard output; its
// failure ends the test.
func Run(t testing.TB, stdin []byte, program string, args ...string) []byte {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Stdin = bytes.NewReader(stdin)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", program, args, err, stderr.Bytes())
	}
	return out
}

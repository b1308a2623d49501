// Package packaging tests what runs trustpool elsewhere.
package packaging_test

import (
	"debug/elf"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trustpool/internal/tooltest"
)

// build makes the programs as make build does, and fails where make builds otherwise.
func build(t *testing.T) (programs []string) {
	t.Helper()
	recipe := regexp.MustCompile(`(?m)^\tCGO_ENABLED=0 \$\(GO\) build .* -o bin/ (.*)$`).FindStringSubmatch(read(t, "../Makefile"))
	if recipe == nil {
		t.Fatal("make build does not make static programs in bin any more")
	}
	dir := t.TempDir()
	packages := strings.Fields(recipe[1])
	cmd := exec.Command("go", append([]string{"build", "-trimpath", "-o", dir + "/"}, packages...)...)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, p := range packages {
		programs = append(programs, filepath.Join(dir, filepath.Base(p)))
	}
	return programs
}

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// The image is empty but for what is copied: the program must need nothing else, and
// what is copied must be there.
func TestContainerfile(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "go")
	built := map[string]bool{}
	for _, path := range build(t) {
		built["bin/"+filepath.Base(path)] = true
		program, err := elf.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range program.Progs {
			if p.Type == elf.PT_INTERP || p.Type == elf.PT_DYNAMIC {
				t.Errorf("%s is not static: it has a %v", path, p.Type)
			}
		}
		program.Close()
	}
	var from, entry string
	for line := range strings.Lines(read(t, "Containerfile")) {
		fields := strings.Fields(line)
		if len(fields) == 0 {
			continue
		}
		switch fields[0] {
		case "FROM":
			from = fields[1]
		case "ENTRYPOINT":
			entry = strings.TrimSpace(strings.TrimPrefix(line, "ENTRYPOINT"))
		case "COPY":
			for _, source := range fields[1 : len(fields)-1] {
				if _, err := os.Stat(filepath.Join("..", source)); err != nil && !built[source] {
					t.Errorf("COPY %s: %v", source, err)
				}
			}
		case "ADD", "RUN":
			t.Errorf("%s", line)
		}
	}
	if from != "scratch" || entry != `["/trustpool"]` {
		t.Errorf("FROM %s, ENTRYPOINT %s", from, entry)
	}
}

// maxExposure is how open to attack the service may be, of 100; it shows as 0.5.
const maxExposure = "5"

func TestUnits(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "systemd-analyze")
	dir := t.TempDir()
	service, socket := filepath.Join(dir, "trustpool.service"), filepath.Join(dir, "trustpool.socket")
	// The program is not installed where the test runs, and verify looks for it.
	unit := strings.ReplaceAll(read(t, "systemd/trustpool.service"), "/usr/bin/trustpool", "/bin/true")
	if !strings.Contains(unit, "\nStartLimitIntervalSec=0\n") || !strings.Contains(unit, "\nRestart=on-failure\n") {
		t.Error("the service is given up where its store comes late")
	}
	for path, text := range map[string]string{service: unit, socket: read(t, "systemd/trustpool.socket")} {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for _, args := range [][]string{
		{"verify", service, socket},
		{"security", "--offline=true", "--threshold=" + maxExposure, service},
	} {
		out, err := exec.Command("systemd-analyze", args...).CombinedOutput()
		if err != nil {
			t.Errorf("systemd-analyze %v: %v\n%s", args, err, out)
		}
		if args[0] == "verify" && len(out) > 0 {
			t.Errorf("systemd-analyze %v: %s", args, out)
		}
	}
}

package trustpool_test

import (
	"errors"
	"flag"
	"fmt"
	"go/ast"
	"go/build"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write testdata/imports.txt anew")

const module = "trustpool"

// levels is the order of the packages: one imports, of the others here, only those of lower levels and its own
// subpackages or parent. A subpackage has the level of its parent unless it has a place of its own.
func levels() map[string]int {
	levels := map[string]int{}
	for level, names := range []string{
		"internal/cms internal/report", "bundle/certificate", "bundle internal/path", "internal/feed roots internal/yamlstrict", "signing internal/device/show internal/distrust", "internal/pool",
		"internal/store internal/recipe internal/audit internal/device internal/inspect",
		"internal/kit internal/fleet internal/reach internal/devicetest", "internal/hosting", "internal/cli", "cmd/trustpool internal/bench",
	} {
		for name := range strings.FieldsSeq(names) {
			levels[name] = level
		}
	}
	return levels
}

// leaves import no package of the module, and any other imports them (pkitest and tooltest: tests, devicetest and bench alone).
func leaves() []string {
	return []string{"docs", "internal/fetch", "internal/durable", "internal/pkitest", "internal/tooltest"}
}

// family is the entry of levels or leaves that a package belongs to, itself or the nearest parent, and "" if there is none.
func family(pkg string) string {
	levels, leaves := levels(), leaves()
	for ; pkg != "."; pkg = path.Dir(pkg) {
		if _, ok := levels[pkg]; ok || slices.Contains(leaves, pkg) {
			return pkg
		}
	}
	return ""
}

// packages reads the module's packages, without their tests, by their path below the module. It reads the files itself
// instead of asking `go list`: so go test knows that its result depends on them, and does not give a cached one.
func packages(t *testing.T) map[string]*build.Package {
	t.Helper()
	packages := map[string]*build.Package{}
	err := filepath.WalkDir(".", func(dir string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if !d.IsDir() || dir == "." {
			return nil
		}
		if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return fs.SkipDir
		}
		p, err := build.ImportDir(dir, 0)
		if _, ok := errors.AsType[*build.NoGoError](err); ok {
			return nil
		}
		if err != nil {
			return err
		}
		if len(p.GoFiles) > 0 {
			packages[filepath.ToSlash(dir)] = p
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return packages
}

// own is what p imports of the module, by path below it.
func own(p *build.Package) []string {
	var own []string
	for _, imported := range p.Imports {
		if rest, ok := strings.CutPrefix(imported, module+"/"); ok {
			own = append(own, rest)
		}
	}
	slices.Sort(own)
	return own
}

func TestImportGraph(t *testing.T) {
	t.Parallel()
	const golden = "testdata/imports.txt"
	var lines []string
	for pkg, p := range packages(t) {
		line := module + "/" + pkg + " ->"
		for _, imported := range own(p) {
			line += " " + module + "/" + imported
		}
		lines = append(lines, line+"\n")
	}
	slices.Sort(lines)
	got := strings.Join(lines, "")
	if *update {
		if err := os.WriteFile(golden, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(got) {
		if !strings.Contains(string(want), line) {
			t.Errorf("not in %s: %s", golden, line)
		}
	}
	for line := range strings.Lines(string(want)) {
		if !strings.Contains(got, line) {
			t.Errorf("only in %s: %s", golden, line)
		}
	}
	if t.Failed() {
		t.Log("A new arrow is a decision that the commit explains; go test -run TestImportGraph -update . writes it down.")
	}
}

func TestImportOrder(t *testing.T) {
	t.Parallel()
	levels, leaves := levels(), leaves()
	for pkg, p := range packages(t) {
		from := family(pkg)
		if from == "" {
			t.Errorf("%s has no place in the order of packages: give it one in this test", pkg)
			continue
		}
		for _, imported := range own(p) {
			to := family(imported)
			if to == from {
				continue
			}
			switch {
			case slices.Contains(leaves, from):
				t.Errorf("%s imports %s, and %s must import nothing of the module", pkg, imported, from)
			case to == "internal/pkitest" && from != "internal/devicetest" && from != "internal/bench" || to == "internal/tooltest" && from != "internal/bench" || to == "internal/devicetest":
				t.Errorf("%s imports %s, which is for tests", pkg, imported)
			case !slices.Contains(leaves, to) && levels[to] >= levels[from]:
				t.Errorf("%s imports %s, which is not below it", pkg, imported)
			}
		}
	}
}

// The model is bytes in, values out.
func TestModelImports(t *testing.T) {
	t.Parallel()
	for pkg, p := range packages(t) {
		if from := family(pkg); from != "bundle" && from != "bundle/certificate" && from != "internal/cms" {
			continue
		}
		for _, imported := range p.Imports {
			for _, no := range []string{"net", "os", "flag", "log", "syscall", "crypto/rand", "math/rand", "github.com/spf13/cobra"} {
				if imported == no || strings.HasPrefix(imported, no+"/") {
					t.Errorf("%s imports %s; it is to know no network, no file, no clock, no command line", pkg, imported)
				}
			}
		}
	}
}

// The clock, the process's streams and its end belong to cmd/trustpool, and to the programs of tests; everything else is given them.
func TestPurity(t *testing.T) {
	t.Parallel()
	impure := []string{"time.Now", "time.Since", "time.Until", "os.Exit", "os.Stdin", "os.Stdout", "os.Stderr"}
	for pkg, p := range packages(t) {
		if from := family(pkg); slices.Contains([]string{"cmd/trustpool", "internal/pkitest", "internal/devicetest", "internal/bench"}, from) {
			continue
		}
		for _, name := range p.GoFiles {
			fset := token.NewFileSet()
			file, err := parser.ParseFile(fset, filepath.Join(p.Dir, name), nil, parser.SkipObjectResolution)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, func(n ast.Node) bool {
				if s, ok := n.(*ast.SelectorExpr); ok {
					if x, ok := s.X.(*ast.Ident); ok && slices.Contains(impure, fmt.Sprintf("%s.%s", x.Name, s.Sel.Name)) {
						t.Errorf("%s: %s.%s is for cmd/trustpool alone", fset.Position(s.Pos()), x.Name, s.Sel.Name)
					}
				}
				return true
			})
		}
	}
}

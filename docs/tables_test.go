package docs_test

import (
	"bytes"
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/hosting"
	"trustpool/internal/store"
)

//go:generate go test -count=1 -run ^(TestTables|TestAlertRules)$ . -update

var update = flag.Bool("update", false, "write the tables that are made from the code anew")

// ops/alerts.yaml has the rules with the thresholds that they have by themselves.
func TestAlertRules(t *testing.T) {
	t.Parallel()
	const file = "ops/alerts.yaml"
	want := printed(t, func(w io.Writer) error { return hosting.WriteAlerts(w, hosting.AlertOptions{}) })
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := os.ReadFile(file); err != nil || !bytes.Equal(got, want) {
		t.Errorf("%s is not what trustpool alerts writes: run go generate ./docs", file)
	}
}

// What a word means is written once, in the code: the comment beside its constant, or for a quirk what Meaning returns. The tables of
// formats.md are made from that, each between two lines; the first names the files.
var tableRegion = regexp.MustCompile(`(?s)(<!-- made by go generate from ([a-z/. ]+) -->\n).*?(<!-- end -->\n)`)

func TestTables(t *testing.T) {
	t.Parallel()
	const file = "formats.md"
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	tables := 0
	want := tableRegion.ReplaceAllFunc(got, func(region []byte) []byte {
		tables++
		m := tableRegion.FindSubmatch(region)
		var out bytes.Buffer
		out.Write(m[1])
		if sources := strings.Fields(string(m[2])); sources[0] == "bundle/certificate/quirk.go" {
			quirkTable(&out)
		} else {
			constantTable(t, &out, sources)
		}
		out.Write(m[3])
		return out.Bytes()
	})
	if tables != 6 {
		t.Errorf("%d tables, not of quirks, gates and the reasons of signatures, of paths, of reach and of kits", tables)
	}
	if *update {
		if err := os.WriteFile(file, want, 0o644); err != nil {
			t.Fatal(err)
		}
	} else if !bytes.Equal(got, want) {
		t.Error("formats.md is not what the code says: run go generate ./docs")
	}
}

// quirkTable has the rules of the audit that find each quirk.
func quirkTable(out *bytes.Buffer) {
	fmt.Fprint(out, "| quirk | meaning | [rule](rules.md) |\n|---|---|---|\n")
	for _, q := range certificate.Quirks() {
		var rules []string
		for _, r := range audit.Rules() {
			if slices.Contains(r.Quirks, q) {
				rules = append(rules, "`"+r.ID+"`")
			}
		}
		fmt.Fprintf(out, "| `%s` | %s | audit: %s |\n", q, q.Meaning(), strings.Join(rules, ", "))
	}
}

// constantTable has the constants of Go files that are strings, with their comments.
func constantTable(t *testing.T, out *bytes.Buffer, sources []string) {
	for n, source := range sources {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", source), nil, parser.ParseComments|parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		rows := 0
		ast.Inspect(file, func(node ast.Node) bool {
			spec, ok := node.(*ast.ValueSpec)
			if !ok || len(spec.Values) != 1 {
				return true
			}
			lit, ok := spec.Values[0].(*ast.BasicLit)
			if !ok || lit.Kind != token.STRING {
				return true
			}
			kind, ok := spec.Type.(*ast.Ident)
			if !ok {
				return true
			}
			if n == 0 && rows == 0 {
				fmt.Fprintf(out, "| %s | meaning |\n|---|---|\n", strings.ToLower(kind.Name))
			}
			slug, err := strconv.Unquote(lit.Value)
			if err != nil {
				t.Fatal(err)
			}
			meaning := strings.TrimSpace(spec.Comment.Text())
			if meaning == "" || strings.ContainsAny(meaning, "\n|") {
				t.Errorf("%s: beside %s is to be what it means, in one line, not %q", source, slug, meaning)
			}
			fmt.Fprintf(out, "| `%s` | %s |\n", slug, meaning)
			rows++
			return true
		})
		if rows == 0 {
			t.Errorf("%s has no constants", source)
		}
	}
}

// Gates lists all gates.
func TestGates(t *testing.T) {
	t.Parallel()
	var actual []string
	for _, g := range store.Gates() {
		actual = append(actual, string(g))
	}
	same(t, "gates", firstCells(section(t, "formats.md", "## Gates")), actual)
}

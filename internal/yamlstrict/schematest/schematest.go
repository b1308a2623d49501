// Package schematest holds the parser of a YAML document and its JSON Schema to
// each other, for the tests of both.
package schematest

import (
	"bytes"
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"slices"
	"strconv"
	"testing"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"go.yaml.in/yaml/v3"
)

// A Schema is a JSON Schema, as it is in its file.
type Schema struct {
	Document map[string]any
	compiled *jsonschema.Schema
}

// Open reads and compiles a schema.
func Open(t testing.TB, path string) *Schema {
	t.Helper()
	data, err := os.ReadFile(path)
	check(t, err)
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	check(t, err)
	c := jsonschema.NewCompiler()
	check(t, c.AddResource("schema.json", doc))
	s, err := c.Compile("schema.json")
	check(t, err)
	return &Schema{doc.(map[string]any), s}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// Validate judges a YAML text as editors do.
func (s *Schema) Validate(t testing.TB, text []byte) error {
	t.Helper()
	return s.compiled.Validate(value(t, text))
}

// value is what editors make of YAML (its core schema, where a date is text); nil
// if JSON has nothing like it.
func value(t testing.TB, text []byte) any {
	t.Helper()
	var doc yaml.Node
	check(t, yaml.Unmarshal(text, &doc))
	var asText func(*yaml.Node)
	asText = func(n *yaml.Node) {
		if n.ShortTag() == "!!timestamp" {
			n.Tag = "!!str"
		}
		for _, c := range n.Content {
			asText(c)
		}
	}
	asText(&doc)
	var v any
	check(t, doc.Decode(&v))
	data, err := json.Marshal(v)
	if err != nil {
		return nil // of .inf and the like
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	check(t, err)
	return out
}

// Fields are the properties that a schema has anywhere, sorted.
func (s *Schema) Fields() []string {
	fields := map[string]bool{}
	var walk func(any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, child := range v {
				if properties, ok := child.(map[string]any); ok && name == "properties" {
					for field := range properties {
						fields[field] = true
					}
				}
				walk(child)
			}
		case []any:
			for _, child := range v {
				walk(child)
			}
		}
	}
	walk(s.Document)
	return slices.Sorted(maps.Keys(fields))
}

// ParsedFields are the fields that a parser knows, sorted: the keys of
// map[string]field in its source, and those that it adds to one.
func ParsedFields(t testing.TB, source string) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), source, nil, parser.SkipObjectResolution)
	check(t, err)
	fields := map[string]bool{}
	key := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			fields[name] = true
		}
	}
	ast.Inspect(file, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CompositeLit:
			if m, ok := n.Type.(*ast.MapType); ok {
				if v, ok := m.Value.(*ast.Ident); ok && v.Name == "field" {
					for _, e := range n.Elts {
						key(e.(*ast.KeyValueExpr).Key)
					}
				}
			}
		case *ast.AssignStmt:
			if x, ok := n.Lhs[0].(*ast.IndexExpr); ok {
				key(x.Index)
			}
		}
		return true
	})
	return slices.Sorted(maps.Keys(fields))
}

package recipe_test

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

	"trustpool/bundle"
	"trustpool/recipe"
	"trustpool/roots"
)

const schemaFile = "../docs/recipe.schema.json"

func schemaDocument(t *testing.T) any {
	t.Helper()
	data, err := os.ReadFile(schemaFile)
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	return doc
}

func schema(t *testing.T) *jsonschema.Schema {
	t.Helper()
	c := jsonschema.NewCompiler()
	if err := c.AddResource("recipe.json", schemaDocument(t)); err != nil {
		t.Fatal(err)
	}
	s, err := c.Compile("recipe.json")
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// value is what editors make of YAML (its core schema, where a date is text).
func value(t *testing.T, data []byte) any {
	t.Helper()
	var doc yaml.Node
	if err := yaml.Unmarshal(data, &doc); err != nil {
		t.Fatal(err)
	}
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
	if err := doc.Decode(&v); err != nil {
		t.Fatal(err)
	}
	asJSON, err := json.Marshal(v)
	if err != nil {
		return nil // of .inf and the like: no recipe
	}
	out, err := jsonschema.UnmarshalJSON(bytes.NewReader(asJSON))
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestSchemaTakes(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, file := range recipeFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(value(t, data)); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := s.Validate(value(t, []byte(good))); err != nil {
		t.Error(err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := schema(t)
	for _, tt := range bad {
		if !tt.syntaxOnly && s.Validate(value(t, []byte(tt.recipe))) == nil {
			t.Errorf("%s: the parser refuses it, and the schema does not", tt.name)
		}
	}
}

// The parser's fields are the keys of map[string]field in its source, and those
// that it adds to one.
func TestSchemaFields(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "parse.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	parsed := map[string]bool{}
	key := func(e ast.Expr) {
		if lit, ok := e.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			name, _ := strconv.Unquote(lit.Value)
			parsed[name] = true
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
	documented := map[string]bool{}
	var walk func(v any)
	walk = func(v any) {
		switch v := v.(type) {
		case map[string]any:
			for name, child := range v {
				if properties, ok := child.(map[string]any); ok && name == "properties" {
					for field := range properties {
						documented[field] = true
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
	walk(schemaDocument(t))
	if p, d := slices.Sorted(maps.Keys(parsed)), slices.Sorted(maps.Keys(documented)); len(p) < 30 || !slices.Equal(p, d) {
		t.Errorf("the parser knows\n%s\nthe schema\n%s", p, d)
	}
}

// A recipe with each word that is one of a few: both take all of them.
func TestSchemaWords(t *testing.T) {
	t.Parallel()
	s := schema(t)
	var recipes []string
	for _, p := range roots.Purposes() {
		recipes = append(recipes, head+"sources: {a: {certdata: c, purpose: "+string(p)+"}}\nset: a\noutputs: {pem: a.pem}\n")
	}
	for _, q := range bundle.Quirks() {
		recipes = append(recipes, good+"filter: {without-quirks: ["+string(q)+"]}\n")
	}
	for _, h := range []string{"sha256", "sha384", "sha512", "sha1", "md5"} {
		recipes = append(recipes, good+"filter: {signature-hashes: ["+h+"]}\n")
	}
	for _, o := range []recipe.Order{recipe.OrderInput, recipe.OrderDER, recipe.OrderSHA256, recipe.OrderSubject} {
		recipes = append(recipes, good+"bundle: {order: "+string(o)+"}\n")
	}
	for _, d := range []string{"90d", "12w", "2y", "36h", "1h30m", "1.5h"} {
		recipes = append(recipes, good+"filter: {valid-at: 2026-11-21T08:30:00+01:00, valid-for: "+d+"}\n")
	}
	for _, r := range recipes {
		if _, err := recipe.Parse([]byte(r)); err != nil {
			t.Errorf("%v\n%s", err, r)
		}
		if err := s.Validate(value(t, []byte(r))); err != nil {
			t.Errorf("%v\n%s", err, r)
		}
	}
}

package recipe_test

import (
	"os"
	"slices"
	"testing"

	"trustpool/bundle/certificate"
	"trustpool/internal/recipe"
	"trustpool/internal/yamlstrict/schematest"
	"trustpool/roots"
)

const schemaFile = "../../docs/recipe.schema.json"

func TestSchemaTakes(t *testing.T) {
	t.Parallel()
	s := schematest.Open(t, schemaFile)
	for _, file := range recipeFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Validate(t, data); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
	if err := s.Validate(t, []byte(good)); err != nil {
		t.Error(err)
	}
}

func TestSchemaRefuses(t *testing.T) {
	t.Parallel()
	s := schematest.Open(t, schemaFile)
	for _, tt := range bad {
		if !tt.syntaxOnly && s.Validate(t, []byte(tt.recipe)) == nil {
			t.Errorf("%s: the parser refuses it, and the schema does not", tt.name)
		}
	}
}

func TestSchemaFields(t *testing.T) {
	t.Parallel()
	p, d := schematest.ParsedFields(t, "parse.go"), schematest.Open(t, schemaFile).Fields()
	if len(p) < 30 || !slices.Equal(p, d) {
		t.Errorf("the parser knows\n%s\nthe schema\n%s", p, d)
	}
}

// A recipe with each word that is one of a few: both take all of them.
func TestSchemaWords(t *testing.T) {
	t.Parallel()
	s := schematest.Open(t, schemaFile)
	var recipes []string
	for _, p := range roots.Purposes() {
		recipes = append(recipes, head+"sources: {a: {certdata: c, purpose: "+string(p)+"}}\nset: a\noutputs: {pem: a.pem}\n")
	}
	for _, q := range certificate.Quirks() {
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
		if err := s.Validate(t, []byte(r)); err != nil {
			t.Errorf("%v\n%s", err, r)
		}
	}
}

package recipe_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/recipe"
)

// head is a recipe that lacks its end.
const head = "schema: trustpool.recipe/1\n"

// good is the smallest recipe.
const good = head + "sources: {a: {files: a.pem}}\nset: a\noutputs: {pem: a.pem}\n"

// bad are recipes that Parse refuses, and what it says. Those that are wrong in
// the syntax of YAML alone mean something that the schema accepts.
var bad = []struct {
	name, recipe, want string
	syntaxOnly         bool
}{
	{"empty", "", "line 1, column 1: empty document", false},
	{"only a comment", "# nothing\n", "line 1, column 1: empty document", false},
	{"null", "~\n", "line 1, column 1: the recipe is to be a mapping (key: value)", false},
	{"a list", "- a\n", "line 1, column 1: the recipe is to be a mapping", false},
	{"no YAML", "sources: [\n", "line 1: not YAML: did not find expected node content", true},
	{"no YAML, first line", "\t- a: b: c", "line 1: not YAML: ", true},
	{"a tab as indentation", head + "sources:\n\ta: {}\n", "line 3: not YAML: found character that cannot start any token", true},
	{"nested too deep", head + "set: " + strings.Repeat("[", 40) + strings.Repeat("]", 40), "line 2, column 21: nested deeper than 16", false},
	{"nested beyond the library", head + "set: " + strings.Repeat("[", 20_000), "line 2: not YAML: exceeded max depth of 10000", true},
	{"too large", good + strings.Repeat("#\n", recipe.MaxSize/2), "more than the limit of 1048576", true},
	{"UTF-16", "\xff\xfes\x00", `line 1, column 1: the character \xff does not show`, true},
	{"not UTF-8", head + "# \xe9\n", `line 2, column 3: the character \xe9 does not show`, true},
	{"bidirectional", head + "# x \u202e y\r\n", `line 2, column 5: the character \u202e does not show`, true},
	{"control character", good + "# \x1b[2K", `line 5, column 3: the character \x1b does not show`, true},
	{"escaped control character", strings.Replace(good, "a.pem}}", `"\e[2K"}}`, 1), "line 2, column 22: files has a character that does not show", true},

	{"a second document", good + "---\n" + good, "line 5, column 1: a second document: there is to be one", true},
	{"an alias bomb", head + "sources: &a {a: *a}\n", "line 2", true},
	{"an anchor", strings.Replace(good, "set: a", "set: &x a", 1), "line 3, column 6: an anchor (&x): write it out where it is used", true},
	{"an alias", strings.Replace(good, "set: a", "set: &x {union: [*x]}", 1), "line 3", true},
	{"a tag", strings.Replace(good, "set: a", "set: !!str a", 1), "line 3, column 6: a tag (!!str): leave it out", true},
	{"a merge key", strings.Replace(good, "{a: {", "{<<: {", 1), "line 2, column 11: a key of sources: YAML may read << as something else than text: put it in quotes", true},
	{"a key twice", good + "set: a\n", `line 5, column 1: the recipe has the key "set" twice`, true},
	{"a key that is a list", good + "? [a]\n: b\n", "line 5, column 3: a key of the recipe is to be text", true},
	{"an unknown field", good + "sorces: {}\n", `line 5, column 1: the recipe has no field "sorces": there are allow-distrusted, bundle, `, false},
	{"an unknown field of a source", strings.Replace(good, "{files:", "{file:", 1), `line 2, column 15: a source has no field "file"`, false},
	{"no schema", strings.TrimPrefix(good, head), `line 1, column 1: schema is to be trustpool.recipe/1, not ""`, false},
	{"another schema", strings.Replace(good, "recipe/1", "recipe/2", 1), `schema is to be trustpool.recipe/1, not "trustpool.recipe/2"`, false},

	{"version no", good + "bundle: {version: no}\n", "line 5, column 19: version: YAML may read no as something else than text: put it in quotes", true},
	{"version 0123", good + "bundle: {version: 0123}\n", "line 5, column 19: version: YAML may read 0123 as something else", false},
	{"version 0o17", good + "bundle: {version: 0o17}\n", "line 5, column 19: version: YAML may read 0o17 as", false},
	{"version 1.10", good + "bundle: {version: 1.10}\n", "line 5, column 19: version: YAML may read 1.10 as", false},
	{"version 1_000", good + "bundle: {version: 1_000}\n", "line 5, column 19: version: YAML may read 1_000 as", false},
	{"version 1,000", good + "bundle:\n  version: 1,000\n", "line 6, column 12: version: YAML may read 1,000 as", true},
	{"version 1e3", good + "bundle: {version: 1e3}\n", "line 5, column 19: version: YAML may read 1e3 as", false},
	{"version 12:30:45", good + "bundle: {version: 12:30:45}\n", "line 5, column 19: version: YAML may read 12:30:45 as", true},
	{"version 2026-11-21", good + "bundle: {version: 2026-11-21}\n", "line 5, column 19: version: YAML may read 2026-11-21 as", true},
	{"version .inf", good + "bundle: {version: .inf}\n", "line 5, column 19: version: YAML may read .inf as", false},
	{"version null", good + "bundle: {version: ~}\n", "line 5, column 19: version: YAML may read ~ as", false},
	{"version empty", good + "bundle: {version: }\n", "line 5, column 19: version is missing", false},
	{"version blank", good + "bundle: {version: ' '}\n", "line 5, column 19: version is empty", false},
	{"name with an umlaut", good + "bundle: {name: Bündel}\n", "line 5, column 16: name is to be at most 128 of A-Z", false},
	{"name too long", good + "bundle: {name: " + strings.Repeat("n", 129) + "}\n", "line 5, column 16: name is to be at most 128", false},
	{"order", good + "bundle: {order: random}\n", `line 5, column 17: order is to be input, der, sha256 or subject, not "random"`, false},
	{"a source called no", strings.Replace(good, "{a:", "{no:", 1), "line 2, column 11: a key of sources: YAML may read no as", true},

	{"no sources", head + "set: a\noutputs: {pem: a.pem}\n", "line 1, column 1: no sources", false},
	{"too many sources", head + "sources:\n" + sourcesList(65), "line 67, column 2: more than 64 sources", false},
	{"a source of two kinds", strings.Replace(good, "a.pem}}", "a.pem, url: 'https://x'}}", 1), "line 2, column 34: a source is one of files, bundle, certdata, ccadb, system, url; this is files and url", false},
	{"a source of no kind", strings.Replace(good, "files: a.pem", "", 1), "line 2, column 14: a source is one of files, bundle, certdata, ccadb, system, url; this is none", false},
	{"no files", strings.Replace(good, "files: a.pem", "files: []", 1), "line 2, column 22: files is empty", false},
	{"a file called null", strings.Replace(good, "files: a.pem", "files: [~]", 1), "line 2, column 23: files: YAML may read ~ as", false},
	{"a URL without a pin", strings.Replace(good, "files: a.pem", "url: 'https://a.example/a.p7b'", 1), "line 2, column 14: a URL needs its sha256", false},
	{"a URL among files", strings.Replace(good, "files: a.pem", "files: [a.pem, 'HTTPS://a.example/a.p7b']", 1), "line 2, column 14: a URL needs its sha256", false},
	{"a URL of ftp", strings.Replace(good, "files: a.pem", "url: 'ftp://a.example/a.p7b', sha256: "+hash, 1), "line 2, column 14: url is to begin with http:// or https://", false},
	{"a short pin", strings.Replace(good, "a.pem}}", "a.pem, sha256: abcd}}", 1), "line 2, column 37: sha256 is to be 64 hex digits", false},
	{"a pin of digits alone", strings.Replace(good, "a.pem}}", "a.pem, sha256: "+strings.Repeat("1", 64)+"}}", 1), "line 2, column 37: sha256: YAML may read 1111", false},
	{"root of no bundle", strings.Replace(good, "a.pem}}", "a.pem, root: r.pem}}", 1), "line 2, column 14: root is for a bundle, which is verified; this source is files", false},
	{"no root", strings.Replace(good, "files: a.pem", "bundle: a.p7b, root: []", 1), "line 2, column 36: root is empty", false},
	{"a root from the network", strings.Replace(good, "files: a.pem", "bundle: a.p7b, root: 'https://x'", 1), "line 2, column 14: root is a URL: what is trusted is not fetched", false},
	{"purpose of no program", strings.Replace(good, "a.pem}}", "a.pem, purpose: serverAuth}}", 1), "line 2, column 14: purpose is for certdata and ccadb", false},
	{"no purpose", strings.Replace(good, "files: a.pem", "certdata: certdata.txt", 1), "line 2, column 14: a certdata source needs a purpose: serverAuth, clientAuth", false},
	{"unknown purpose", strings.Replace(good, "files: a.pem", "ccadb: a.csv, purpose: [websites]", 1), `line 2, column 38: no purpose is called "websites"`, false},
	{"system false", strings.Replace(good, "files: a.pem", "system: false", 1), "line 2, column 23: system is to be true, or not there", false},
	{"system yes", strings.Replace(good, "files: a.pem", "system: yes", 1), "line 2, column 23: system is to be true or false", true},

	{"no set", strings.Replace(good, "set: a\n", "", 1), "line 1, column 1: no set: say which sources make the bundle, for example set: {union: [a]}", false},
	{"a set of an unknown source", strings.Replace(good, "set: a", "set: b", 1), `line 3, column 6: no source is called "b": there are a`, true},
	{"a set of two operations", strings.Replace(good, "set: a", "set: {union: [a], minus: [a]}", 1), "line 3, column 26: a set is one of union, intersect, minus", false},
	{"an empty set", strings.Replace(good, "set: a", "set: {}", 1), "line 3, column 6: an empty set", false},
	{"an empty union", strings.Replace(good, "set: a", "set: {union: []}", 1), "line 3, column 14: union of nothing", false},
	{"a union that is no list", strings.Replace(good, "set: a", "set: {union: a}", 1), "line 3, column 14: union is to be a list", false},
	{"a source over and over", strings.Replace(good, "set: a", "set: {union: [a, a, a, a, a]}", 1), "line 3, column 27: the set names a more than 4 times", true},
	{"a source in no set", strings.Replace(good, "sources: {", "sources: {b: {files: b}, ", 1), "line 2, column 14: the source b is in no set", true},

	{"a date that is none", good + "filter: {valid-at: 2026-13-01}\n", "line 5, column 20: valid-at is to be a time: 2026-11-21 or 2026-11-21T08:30:00Z", true},
	{"a date in words", good + "filter: {valid-at: tomorrow}\n", "line 5, column 20: valid-at is to be a time", false},
	{"a duration without unit", good + "filter: {valid-at: 2026-01-01, valid-for: '90'}\n", `line 5, column 43: valid-for: "90" is not a duration`, false},
	{"no duration", good + "filter: {valid-at: 2026-01-01, valid-for: 0d}\n", "line 5, column 43: valid-for: is to be longer than nothing", true},
	{"a duration from nowhere", good + "filter: {valid-for: 90d}\n", "line 5, column 9: valid-for counts from valid-at, which is missing", false},
	{"no bits", good + "filter: {min-rsa-bits: 0}\n", "line 5, column 24: min-rsa-bits is to be a whole number above 0", false},
	{"bits in octal", good + "filter: {min-rsa-bits: 04000}\n", "line 5, column 24: min-rsa-bits is to be a whole number", true},
	{"bits in text", good + "filter: {min-ec-bits: '256'}\n", "line 5, column 23: min-ec-bits is to be a whole number", false},
	{"unknown hash", good + "filter: {signature-hashes: [sha3]}\n", `line 5, column 28: no hash is called "sha3": there are sha256`, false},
	{"no hash", good + "filter: {signature-hashes: []}\n", "line 5, column 28: signature-hashes is empty", false},
	{"unknown quirk", good + "filter: {without-quirks: odd}\n", `line 5, column 26: no quirk is called "odd"`, true},
	{"ca-only in words", good + "filter: {ca-only: yes}\n", "line 5, column 19: ca-only is to be true or false", true},
	{"ca-only in quotes", good + "filter: {ca-only: 'true'}\n", "line 5, column 19: ca-only is to be true or false", false},

	{"a pin of nothing", good + "require: [{reason: why}]\n", "line 5, column 11: require takes either sha256 or spki", false},
	{"a pin of both", good + "require: [{sha256: " + hash + ", spki: " + hash + "}]\n", "line 5, column 11: require takes either sha256 or spki", false},
	{"include without reason", good + "include: [{sha256: " + hash + "}]\n", "line 5, column 11: include needs a reason", false},
	{"exclude without reason", good + "exclude: [{spki: " + hash + "}]\n", "line 5, column 11: exclude needs a reason", false},
	{"allow-distrusted without reason", good + "allow-distrusted: [{spki: " + hash + "}]\n", "line 5, column 20: allow-distrusted needs a reason", false},
	{"until elsewhere", good + "include: [{sha256: " + hash + ", reason: r, until: 2027-01-01}]\n", `line 5, column 97: include has no field "until"`, false},

	{"no outputs", head + "sources: {a: {files: a.pem}}\nset: a\n", "line 1, column 1: no outputs", false},
	{"outputs of nothing", strings.Replace(good, "{pem: a.pem}", "{}", 1), "line 1, column 1: no outputs", false},
	{"an output without a name", strings.Replace(good, "{pem: a.pem}", `{pem: ""}`, 1), "line 4, column 16: pem is empty", false},
	{"a sequence as an output", strings.Replace(good, "{pem: a.pem}", "{pem: [a]}", 1), `line 4, column 16: pem`, false},
	{"an output elsewhere", strings.Replace(good, "{pem: a.pem}", "{pem: ../a.pem}", 1), `line 4, column 16: pem: "../a.pem" is to be the plain name of a file`, false},
	{"an empty output", strings.Replace(good, "{pem: a.pem}", "{pem: ''}", 1), "line 4, column 16: pem is empty", false},
	{"an output of two", strings.Replace(good, "{pem: a.pem}", "{pem: [a.pem, b.pem]}", 1), "line 4, column 16: pem is to be text", false},
	{"a hidden output", strings.Replace(good, "{pem: a.pem}", "{pem: .a}", 1), `line 4, column 16: pem: ".a" is to be`, false},
	{"two outputs of one name", strings.Replace(good, "{pem: a.pem}", "{pem: a.out, jks: A.OUT}", 1), "line 4, column 10: two outputs are called A.OUT", true},
	{"an output called like a side file", strings.Replace(good, "{pem: a.pem}", "{certs-only: a.p7b, pem: manifest.log, cisco: true}", 1) + "bundle: {name: N1, version: '1'}\n", "line 4, column 10: two outputs are called manifest.log", true},
	{"cisco without a bundle", strings.Replace(good, "{pem: a.pem}", "{pem: a.pem, cisco: true}", 1) + "bundle: {name: N1, version: '1'}\n", "line 1, column 1: outputs has cisco, but no bundle for it to be beside", false},
	{"cisco without a name", strings.Replace(good, "{pem: a.pem}", "{certs-only: a.p7b, cisco: true}", 1), "line 1, column 1: outputs has signed or cisco: the bundle needs a name and a version", false},
	{"previous without cisco", strings.Replace(good, "{pem: a.pem}", "{pem: a.pem, previous: b}", 1), "line 1, column 1: outputs has previous, which only the files of cisco compare to", false},
	{"previous from the network", strings.Replace(good, "{pem: a.pem}", "{certs-only: a.p7b, cisco: true, previous: 'https://x'}", 1) + "bundle: {name: N1, version: '1'}\n", "outputs has a previous that is a URL", false},
	{"signed without a signer", strings.Replace(good, "{pem: a.pem}", "{signed: a.p7b}", 1), "line 1, column 1: outputs has signed, but there is no signer", false},
	{"signed without a version", strings.Replace(good, "{pem: a.pem}", "{signed: a.p7b}", 1) + "signer: {key: k}\nbundle: {name: N1}\n", "the bundle needs a name and a version", false},
	{"a signer for nothing", good + "signer: {key: k}\n", "line 5, column 9: a signer, but outputs has no signed", false},
	{"a signer without key", strings.Replace(good, "{pem: a.pem}", "{signed: a.p7b}", 1) + "signer: {certificate: c}\n", "line 5, column 9: signer needs a key", false},
	{"a chain without certificate", strings.Replace(good, "{pem: a.pem}", "{signed: a.p7b}", 1) + "signer: {key: k, chain: c}\n", "line 5, column 9: signer has a chain, and no certificate", false},
	{"a certificate from the network", strings.Replace(good, "{pem: a.pem}", "{signed: a.p7b}", 1) + "signer: {key: k, certificate: 'https://x'}\n", "line 5, column 9: signer has a URL", false},
}

const hash = "aa705eaafc3ff488030017d59832603eefad514171b583808675f45c190e6378"

func sourcesList(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" s" + strings.Repeat("x", i) + ": {files: a}\n")
	}
	return b.String()
}

func TestParseRefuses(t *testing.T) {
	t.Parallel()
	for _, tt := range bad {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			r, err := recipe.Parse([]byte(tt.recipe))
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v; want %s", err, tt.want)
			}
			if r != nil {
				t.Error("a recipe beside an error")
			}
		})
	}
}

func TestParseTakes(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"the smallest":         good,
		"a byte order mark":    "\xef\xbb\xbf" + good,
		"CRLF":                 strings.ReplaceAll(good, "\n", "\r\n"),
		"a document mark":      "---\n" + good + "...\n",
		"quotes":               good + "bundle: {version: 'no', name: \"0123\"}\n",
		"no in quotes as name": strings.NewReplacer("{a:", "{'no':", "set: a", "set: 'no'").Replace(good),
		"a pin with colons":    strings.Replace(good, "a.pem}}", "a.pem, sha256: "+"AA:"+strings.ToUpper(hash[2:])+"}}", 1),
		"a folded reason":      good + "exclude:\n- sha256: " + hash + "\n  reason: >\n    two\n    lines\n",
		"not ASCII":            strings.Replace(good, "a.pem}}", "NetLock_Arany_=Class_Gold=_Főtanúsítvány.crt}}", 1),
		"a pinned URL":         strings.Replace(good, "files: a.pem", "certdata: https://a.example/certdata.txt, purpose: serverAuth, sha256: "+hash, 1),
	} {
		if _, err := recipe.Parse([]byte(data)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestParseAll(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("testdata/all.yaml")
	if err != nil {
		t.Fatal(err)
	}
	r, err := recipe.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	if r.Name != "All Fields Bundle" || r.Version != "1.10" || r.Order != recipe.OrderSubject || len(r.Sources) != 6 {
		t.Errorf("the bundle is %q %q %q of %d sources", r.Name, r.Version, r.Order, len(r.Sources))
	}
	if f := r.Filter; !f.ValidAt.Equal(time.Date(2026, 11, 21, 8, 30, 0, 0, time.UTC)) || f.ValidFor != 90*24*time.Hour ||
		f.MinRSABits != 2048 || f.MinECBits != 256 || len(f.SignatureHashes) != 2 || len(f.WithoutQuirks) != 1 || !f.CAOnly {
		t.Errorf("the filter is %+v", f)
	}
	if e := r.Exclude[0]; e.SPKI == nil || e.Reason != "key shared with a test root" || e.Until.IsZero() || e.At.Line != 45 {
		t.Errorf("the exclusion is %+v", e)
	}
	if s := r.Signer; s.Key != "exec:sign-with-token" || s.Certificate != "signer.pem" || s.Chain != "root.pem" {
		t.Errorf("the signer is %+v", s)
	}
}

func recipeFiles(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../../docs/recipes/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no recipes in docs", err)
	}
	return append(files, "example.yaml", "testdata/all.yaml")
}

func TestDocumentedRecipes(t *testing.T) {
	t.Parallel()
	for _, file := range recipeFiles(t) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := recipe.Parse(data); err != nil {
			t.Errorf("%s: %v", file, err)
		}
	}
}

func FuzzParse(f *testing.F) {
	for _, tt := range bad {
		if len(tt.recipe) < 1000 { // of a large one each step takes long
			f.Add([]byte(tt.recipe))
		}
	}
	f.Add([]byte(recipe.Example))
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := recipe.Parse(data)
		if (r == nil) != (err != nil) {
			t.Fatalf("%v, %v", r, err)
		}
	})
}

package inspect_test

import (
	"bytes"
	"crypto/elliptic"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/internal/report"
)

var update = flag.Bool("update", false, "write the golden files below testdata anew")

// golden compares with a file below testdata.
func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	if *update {
		if err := os.MkdirAll("testdata", 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s differs (go test -update writes it anew); got:\n%s", path, got)
	}
}

func printed(t *testing.T, write func(io.Writer) error) string {
	t.Helper()
	var out strings.Builder
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func compare(old, newer *bundle.Bundle) inspect.Diff {
	return inspect.Diff{Diff: bundle.Compare(old, newer)}
}

// cisco prints a diff as Cisco does.
func cisco(d inspect.Diff) func(io.Writer) error {
	return func(w io.Writer) error { return feed.WriteDiff(w, d.Diff) }
}

func parsePool(t testing.TB, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

// pool makes a bundle of certificates.
func pool(t testing.TB, certificates ...[]byte) *bundle.Bundle {
	t.Helper()
	return parsePool(t, pkitest.CertsOnly(certificates...))
}

// root makes a root of the given name and key.
func root(name, key string) []byte {
	return pkitest.RootTemplate(pkitest.NewName("CN="+name), pkitest.ECDSA(key, elliptic.P256())).Sign(nil)
}

func TestDiffGolden(t *testing.T) {
	t.Parallel()
	core := compare(fixture(t, "lab-core-v1.p7b").Bundle, fixture(t, "lab-core-v2.p7b").Bundle)
	core.Old.File, core.New.File = "lab-core-v1.p7b", "lab-core-v2.p7b"
	core.Old.Signature, core.New.Signature = "verified, Lab Root CA", "verified, Lab Root CA"
	// Every oddity there is, and a certificate that is none.
	quirks := compare(fixture(t, "lab.pem").Bundle, fixture(t, "lab-quirks-v1.p7b").Bundle)
	quirks.Old.File, quirks.New.File = "lab.pem", "lab-quirks-v1.p7b"
	same := compare(fixture(t, "lab-core-v1.p7b").Bundle, fixture(t, "lab-certs-only.p7b").Bundle)
	same.Old.File, same.New.File = "lab-core-v1.p7b", "lab-certs-only.p7b"
	same.Old.Signature, same.New.Signature = "verified, Lab Root CA", "not verified: not-signed"
	for name, write := range map[string]func(io.Writer) error{
		"core.txt":        core.WriteText,
		"core.md":         core.WriteMarkdown,
		"core.json":       core.WriteJSON,
		"core.cisco.json": cisco(core),
		"quirks.txt":      quirks.WriteText,
		"quirks.md":       quirks.WriteMarkdown,
		"quirks.json":     quirks.WriteJSON,
		"same.txt":        same.WriteText,
		"same.md":         same.WriteMarkdown,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			golden(t, "diff-"+name, []byte(printed(t, write)))
		})
	}
}

func TestDiffJSON(t *testing.T) {
	t.Parallel()
	d := compare(fixture(t, "lab-core-v1.p7b").Bundle, fixture(t, "lab-core-v2.p7b").Bundle)
	for name, test := range map[string]struct {
		write func(io.Writer) error
		lists map[string]int
	}{
		"json":  {d.WriteJSON, map[string]int{"added": 4, "removed": 3, "reissued": 1, "rekeyed": 1}},
		"cisco": {cisco(d), map[string]int{"additions": 4, "deletions": 3, "markedForRemoval": 0, "newlyMarkedForRemoval": 0}},
	} {
		text := printed(t, test.write)
		var document map[string]any
		if err := json.Unmarshal([]byte(text), &document); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, text)
		}
		for list, n := range test.lists {
			if got, ok := document[list].([]any); !ok || len(got) != n {
				t.Errorf("%s: %s is %v, want %d", name, list, document[list], n)
			}
		}
	}
}

func TestDiffText(t *testing.T) {
	t.Parallel()
	a, b := root("A", "a"), root("B", "b")
	for name, test := range map[string]struct {
		old, new [][]byte
		want     string
	}{
		"the same":           {[][]byte{a, b}, [][]byte{a, b}, "\nThe same pool: 2 certificates.\n"},
		"only another order": {[][]byte{a, b}, [][]byte{b, a}, "\nThe same pool in another order: 2 certificates.\n"},
		"doubled":            {[][]byte{a}, [][]byte{a, a, a}, "\nThe same pool: 1 certificate.\nDuplicates, counted once, in the new bundle: 2.\n"},
		"differs":            {[][]byte{a}, [][]byte{b}, "\n1 added, 1 removed, 0 in both.\n"},
	} {
		text := printed(t, compare(pool(t, test.old...), pool(t, test.new...)).WriteText)
		if !strings.HasSuffix(text, test.want) {
			t.Errorf("%s: no %q at the end of\n%s", name, test.want, text)
		}
	}
}

// hostileNames try to be something else than text in a cell of a table.
func hostileNames() []string {
	return []string{
		"a | b", `a \| b`, `a \\| b`, "`code`", "``", "<script>alert(1)</script>", "<!--", "-->", "&lt;b&gt;", "&#124;",
		"[text](https://evil.example)", "![image](x)", "**bold**", "__bold__", "~~gone~~", "$x$", "line\nbreak", "a\r\n\r\n# heading",
		"| x |\n|---|", "https://evil.example", "www.evil.example", "<https://evil.example>", "\u202etxt.exe", "\x1b[31mred", "\u2028| x", `\`, "</td></tr></table>",
	}
}

func hostileDiff(t *testing.T) inspect.Diff {
	t.Helper()
	var certificates [][]byte
	for _, name := range hostileNames() {
		key := pkitest.ECDSA("hostile", elliptic.P256())
		certificates = append(certificates, pkitest.RootTemplate(pkitest.NewName("CN="+name), key).Sign(nil))
	}
	signer := pkitest.LabSignerTemplate()
	signer.Subject = pkitest.NewName("CN=| <b>`signer`\n")
	d := compare(pool(t, root("A", "a")),
		parsePool(t, pkitest.Message{
			Content: pkitest.CertsOnly(certificates...),
			Signers: []pkitest.SignerInfo{{Signer: signer.Issue(pkitest.Lab().Root), Name: "| <i>name*\n", Version: "1|2\n# 3"}},
		}.DER()))
	d.New.File, d.New.Signature = "a|b<c>\n.p7b", "verified, |\n<b>"
	return d
}

func TestDiffMarkdownInjection(t *testing.T) {
	t.Parallel()
	text := printed(t, hostileDiff(t).WriteMarkdown)
	markup := regexp.MustCompile("[`<$]|www\\.|://|(^|[^\\\\])(\\\\\\\\)*[][*_~]")
	bars := 0
	for line := range strings.Lines(text) {
		line = strings.TrimSuffix(line, "\n")
		if !strings.HasPrefix(line, "| ") {
			if want := regexp.MustCompile(`^(|#.*|\|---.*|None\.|[0-9].*)$`); !want.MatchString(line) {
				t.Errorf("a line of no table: %q", line)
			}
			continue
		}
		// Bars that renderers count, escaped or not.
		switch n := strings.Count(line, "|"); n {
		case 4, 6:
			bars++
		default:
			t.Errorf("%d bars in %q", n, line)
		}
		if found := markup.FindString(line); found != "" {
			t.Errorf("markup %q in %q", found, line)
		}
		for _, r := range line {
			if r != ' ' && report.Printable(string(r)) != string(r) {
				t.Errorf("%q in %q", r, line)
			}
		}
	}
	if want := 10 + 1 + len(hostileNames()) + 2; bars != want {
		t.Errorf("%d rows, want %d:\n%s", bars, want, text)
	}
	// What is shown is the name, Printable but otherwise whole.
	shown := html.UnescapeString(regexp.MustCompile(`\\([[:punct:]])`).ReplaceAllString(text, "$1"))
	for _, name := range []string{"CN=a | b", "CN=**bold**", "CN=&lt;b&gt;", "CN=[text](https://evil.example)", "CN=www.evil.example"} {
		name = strings.NewReplacer("<", `\<`, ">", `\>`, ";", `\;`).Replace(name) // RFC 4514
		if !strings.Contains(shown, name+" |") {
			t.Errorf("no %s in\n%s", name, shown)
		}
	}
}

func TestDiffTextIsPrintable(t *testing.T) {
	t.Parallel()
	text := printed(t, hostileDiff(t).WriteText)
	if got := strings.ReplaceAll(text, "\n", ""); report.Printable(got) != got {
		t.Errorf("not printable:\n%q", text)
	}
	lines := 2 + 1 + 5 + 2 + len(hostileNames()) + 3 + 2 // header, changes, added, removed, sum
	if n := strings.Count(text, "\n"); n != lines {
		t.Errorf("%d lines, want %d:\n%s", n, lines, text)
	}
}

// A writer that fails is an error, not half a document taken for a whole one.
func TestDiffWriteErrors(t *testing.T) {
	t.Parallel()
	d := compare(fixture(t, "lab-core-v1.p7b").Bundle, fixture(t, "lab-quirks-v1.p7b").Bundle)
	for name, write := range map[string]func(io.Writer) error{
		"text": d.WriteText, "Markdown": d.WriteMarkdown, "JSON": d.WriteJSON, "Cisco": cisco(d),
	} {
		for _, room := range []int{0, 1, 4095, 5000} {
			if err := write(&full{room}); !errors.Is(err, errFull) && len(printed(t, write)) > room {
				t.Errorf("%s with room for %d bytes: %v", name, room, err)
			}
		}
	}
}

var errFull = errors.New("full")

// full takes as many bytes as it has room for.
type full struct{ room int }

func (f *full) Write(p []byte) (int, error) {
	if f.room -= len(p); f.room < 0 {
		return 0, errFull
	}
	return len(p), nil
}

func ExampleDiff_WriteText() {
	parse := func(name string) *bundle.Bundle {
		data, err := os.ReadFile(filepath.Join("..", "..", "testdata", "bundles", name))
		if err != nil {
			panic(err)
		}
		b, err := bundle.Parse(data)
		if err != nil {
			panic(err)
		}
		return b
	}
	d := compare(parse("lab-core-v1.p7b"), parse("lab-certs-only.p7b"))
	d.Old.File, d.New.File = "signed.p7b", "unsigned.p7b"
	if err := d.WriteText(os.Stdout); err != nil {
		panic(err)
	}
	fmt.Println(d.Same())
	// Output:
	// old  signed.p7b, Lab Core Bundle, version 1, 8 certificates
	// new  unsigned.p7b, 8 certificates
	//
	// form          signed -> certs-only
	// name          Lab Core Bundle -> none
	// version       1 -> none
	// signing time  2024-01-15T12:00:00Z -> none
	// signer        CN=Lab Bundle Signer,OU=Bundle Signing,O=Trustpool Lab (724742a9c499442c) -> none
	//
	// The same pool: 8 certificates.
	// true
}

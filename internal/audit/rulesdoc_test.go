package audit

import (
	"bufio"
	"bytes"
	"flag"
	"fmt"
	"io"
	"os"
	"strings"
	"testing"
)

var update = flag.Bool("update", false, "write docs/rules.md anew")

// docs/rules.md says what the rules say; `go generate` writes it.
func TestRulesDocument(t *testing.T) {
	t.Parallel()
	const file = "../../docs/rules.md"
	var want bytes.Buffer
	if err := writeRules(&want); err != nil {
		t.Fatal(err)
	}
	if *update {
		if err := os.WriteFile(file, want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	got, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want.Bytes()) {
		t.Error("docs/rules.md is not what the rules say: run go generate ./internal/audit")
	}
}

// writeRules writes docs/rules.md.
func writeRules(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprint(out, `# Rules of the audit

Made by `+"`go generate`"+` from the rules themselves. What a rule found may be given another severity, or excused, in the
[requirements](audit.md#requirements). A rule marked with a star counts also where what it found was there before (`+"`--against`"+`).

| rule | severity | what it finds | where it is written |
|---|---|---|---|
`)
	for _, r := range Rules() {
		star := ""
		if r.Always {
			star = " \\*"
		}
		fmt.Fprintf(out, "| [`%s`](#%s) | %s%s | %s | %s |\n", r.ID, r.ID, r.Severity, star, r.Title, r.Citation)
	}
	for _, r := range Rules() {
		fmt.Fprintf(out, "\n## %s\n\n%s. %s\n", r.ID, r.Title, r.Advice)
		if len(r.Quirks) > 0 {
			var quirks []string
			for _, q := range r.Quirks {
				quirks = append(quirks, fmt.Sprintf("`%s`", q))
			}
			fmt.Fprintf(out, "\n[Quirks](formats.md#quirks): %s.\n", strings.Join(quirks, ", "))
		}
	}
	fmt.Fprintf(out, `
## What is known to be distrusted

The list in the program, as of %s. Each entry is matched by certificate and by key.

| certificate | SHA-256 | SHA-256 of the key | since | source |
|---|---|---|---|---|
`, distrustedAsOf)
	for _, d := range KnownDistrusted() {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", d.Name, d.SHA256, d.SPKI, d.Date, d.Source)
	}
	fmt.Fprint(out, "\n## What services need\n\nThe names of `--need`.\n")
	for _, n := range Needs() {
		fmt.Fprintf(out, "\n### %s\n\n%s. Source: %s. Basis: %s.\n\n| root | SHA-256 | from | until |\n|---|---|---|---|\n", n.Name, n.About, n.Source, n.Basis)
		for _, r := range n.Roots {
			from, until := "", ""
			if !r.From.IsZero() {
				from = day(r.From)
			}
			if !r.Until.IsZero() {
				until = day(r.Until)
			}
			fmt.Fprintf(out, "| %s | %x | %s | %s |\n", r.Name, *r.SHA256, from, until)
		}
	}
	return out.Flush()
}

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

	"trustpool/internal/distrust"
	"trustpool/internal/report"
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

The list in the program, as of %s. Each entry is matched by certificate and by key. After the day in the column "after", what is issued
below the root is not trusted; without one, nothing below it is. A list that is older than a year is a finding.

| certificate | SHA-256 | SHA-256 of the key | after | decided | source |
|---|---|---|---|---|---|
`, distrust.AsOf)
	for _, s := range distrust.List() {
		if s.Kind != distrust.NotTrusted {
			fmt.Fprintf(out, "| %s | %s | %s | %s | %s | %s |\n", s.Name, s.SHA256, s.Key, s.After, s.Date, s.Source)
		}
	}
	fmt.Fprint(out, "\n## What services need\n\nThe names of `--need`.\n")
	for _, n := range Needs() {
		fmt.Fprintf(out, "\n### %s\n\n%s. Hosts: %s. Source: %s. Basis: %s.\n\n| root | SHA-256 | hosts | from | until | root programs |\n|---|---|---|---|---|---|\n",
			n.Name, n.About, strings.ReplaceAll(n.HostsWords(), "*", `\*`), n.Source, n.Basis)
		for _, r := range n.Roots {
			from, until, hosts := "", "", "all"
			if !r.From.IsZero() {
				from = report.Day(r.From)
			}
			if !r.Until.IsZero() {
				until = report.Day(r.Until)
			}
			if len(r.Hosts) > 0 {
				hosts = strings.Join(r.Hosts, ", ")
			}
			fmt.Fprintf(out, "| %s | %x | %s | %s | %s | %s |\n", r.Name, *r.SHA256, hosts, from, until, r.Removal())
		}
	}
	return out.Flush()
}

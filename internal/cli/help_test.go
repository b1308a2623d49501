package cli

import (
	"bytes"
	"io"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// allCommands are all commands of ours, with the help that each prints.
func allCommands(t *testing.T) map[*cobra.Command]string {
	t.Helper()
	a := &app{env: Env{Stdout: io.Discard, Stderr: io.Discard}}
	help := map[*cobra.Command]string{}
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		if cmd.Name() == "completion" {
			return // cobra's
		}
		var b bytes.Buffer
		cmd.SetOut(&b)
		if err := cmd.Help(); err != nil {
			t.Fatal(err)
		}
		help[cmd] = b.String()
		for _, c := range cmd.Commands() {
			visit(c)
		}
	}
	visit(a.command(nil))
	if len(help) < 25 {
		t.Fatalf("only %d commands", len(help))
	}
	return help
}

func TestHelpWidth(t *testing.T) {
	t.Parallel()
	for cmd, help := range allCommands(t) {
		for line := range strings.Lines(help) {
			if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > helpWidth {
				t.Errorf("%s --help: %d columns: %s", cmd.CommandPath(), n, line)
			}
		}
	}
}

func TestHelpForm(t *testing.T) {
	t.Parallel()
	for cmd := range allCommands(t) {
		if s := cmd.Short; s == "" || s[:1] != strings.ToUpper(s[:1]) || strings.HasSuffix(s, ".") {
			t.Errorf("%s: Short is no sentence without a full stop: %q", cmd.CommandPath(), s)
		}
		if i := strings.Index(cmd.Long, "Exit status:"); i >= 0 && !regexp.MustCompile(`^Exit status: 0(, or 1 (where|if)| when) [^.]+\.[^.]*\.?$`).MatchString(cmd.Long[i:]) {
			t.Errorf("%s: the line on the status: %q", cmd.CommandPath(), cmd.Long[i:])
		}
		for line := range strings.Lines(cmd.Example) {
			if strings.HasPrefix(line, "  trustpool ") && !strings.HasPrefix(line, "  "+cmd.CommandPath()) && cmd.Name() != "sign" {
				t.Errorf("%s: the example is of another command: %s", cmd.CommandPath(), line)
			}
		}
	}
}

// A flag of one name is one flag, wherever it is: with the same words, except where it is listed.
func TestHelpFlags(t *testing.T) {
	t.Parallel()
	differ := strings.Fields("against all at help max-age name output pem platform pool quiet save store timeout url")
	first := map[string]string{}
	where := map[string]string{}
	for cmd := range allCommands(t) {
		cmd.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if slices.Contains(differ, f.Name) {
				return
			}
			if before, ok := first[f.Name]; ok && before != f.Usage {
				t.Errorf("--%s: %s says %q, %s says %q", f.Name, where[f.Name], before, cmd.CommandPath(), f.Usage)
			}
			first[f.Name], where[f.Name] = f.Usage, cmd.CommandPath()
		})
	}
}

package cli

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// knownVersion is the tag, or the pseudo-version of the commit, that the program was built
// from (https://go.dev/ref/mod#versions). It is empty if the program was built without its
// history: from an archive, or with -buildvcs=false.
func (a *app) knownVersion() string {
	if a.env.Build == nil || a.env.Build.Main.Version == "(devel)" {
		return ""
	}
	return a.env.Build.Main.Version
}

func (a *app) version() string { return cmp.Or(a.knownVersion(), "unknown") }

func (a *app) versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and what the program was built from",
		Long: `Print the version (the tag, or the pseudo-version of a commit without one), the
commit, its date, and the Go that built the program. What the program does not
know of itself is left out.`,
		Args: arguments(),
		RunE: func(*cobra.Command, []string) error {
			_, err := fmt.Fprint(a.env.Stdout, a.buildText())
			return err
		},
	}
}

// buildText is what version prints: a line for each thing that is known.
func (a *app) buildText() string {
	var b strings.Builder
	fmt.Fprintf(&b, "trustpool %s\n", a.version())
	if a.env.Build == nil {
		return b.String()
	}
	settings := map[string]string{}
	for _, s := range a.env.Build.Settings {
		settings[s.Key] = s.Value
	}
	line := func(name, value string) {
		if value != "" {
			fmt.Fprintf(&b, "%-7s %s\n", name, value)
		}
	}
	commit := settings["vcs.revision"]
	if settings["vcs.modified"] == "true" {
		commit += ", with changes"
	}
	line("commit", commit)
	line("date", settings["vcs.time"])
	line("go", strings.TrimSpace(fmt.Sprintf("%s %s/%s", a.env.Build.GoVersion, settings["GOOS"], settings["GOARCH"])))
	return b.String()
}

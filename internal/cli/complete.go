package cli

import (
	"context"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/device/show"
	"trustpool/internal/fleet"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// A completer gives the values of a flag or an argument, each perhaps with a tab and
// what it is.
type completer func(cmd *cobra.Command) []string

// valuesOf are the completers by the name of the flag, which means the same in every
// command; "publish name" is that of one command.
func (a *app) valuesOf() map[string]completer {
	fixed := func(values ...string) completer {
		return func(*cobra.Command) []string { return values }
	}
	values := map[string]completer{
		"platform":      these(device.Platforms(), func(p device.Platform) string { return p.Name + "\t" + p.Title }),
		"style":         these(show.Styles(), func(s show.Style) string { return string(s) }),
		"need":          these(audit.Needs(), func(n audit.Need) string { return n.Name }),
		"root":          these(roots.BuiltIn(), func(a roots.Anchor) string { return fmt.Sprintf("%x\t%s", a.SHA256, a.Name) }),
		"filter":        filters,
		"without":       filters,
		"state":         these(fleet.States(), func(s fleet.State) string { return string(s) + "\t" + s.Meaning() }),
		"by":            a.columnsOfInventory,
		"fail-on":       fixed("info", "warning", "error", "never"),
		"via":           fixed("file", "terminal"),
		"color":         fixed(colours()...),
		"sha1":          fixed("accept", "refuse"),
		"digest":        fixed("sha256", "sha384", "sha512"),
		"algorithm":     fixed(signing.KeyAlgorithms()...),
		"access-log":    fixed("-", "none"),
		"ssh":           fixed("system\tyour ssh program", "builtin\twithout it"),
		"publish name":  a.namesInStore,
		"rollback name": a.namesInStore,
		"mirror name":   a.namesInStore,
		"feed name":     a.namesInStore,
		"pnp":           a.namesInStore,
		"expiring":      fixed("30d", "90d", "1y"),
		"every":         fixed("1h", "24h"),
		"watch-every":   fixed("10m", "1h", "24h"),
		"max-age":       fixed("24h"),
		"max-size":      fixed("64M", "256M", "1G"),
		"listen":        fixed(":8080", ":80", ":443"),
		"base-url":      fixed("https://"),
		"url":           fixed("http://", "https://"),
		"from":          fixed("https://"),
	}
	for _, name := range strings.Fields(`at max-depth max-certificates max-connections refresh drain connect watch vrf source-interface trustpoint
		expect name bundle-version to organization root-name signer-name program-date min-share current parallel timeout user only`) {
		values[name] = fixed() // free text and numbers: no file is meant
	}
	return values
}

// these are fixed values: one for each of a list.
func these[T any](list []T, value func(T) string) completer {
	return func(*cobra.Command) (values []string) {
		for _, v := range list {
			values = append(values, value(v))
		}
		return values
	}
}

func filters(*cobra.Command) []string {
	out := []string{"expired\tnot valid any more", "expiring:90d\tnot valid in 90 days", "algorithm:\tpart of an algorithm's name", "text:\tpart of a name, and nothing else"}
	for _, q := range certificate.Quirks() {
		out = append(out, "quirk:"+string(q))
	}
	return out
}

// columnsOfInventory are those of the file of --devices, and platform.
func (a *app) columnsOfInventory(cmd *cobra.Command) []string {
	out := []string{"platform"}
	path, _ := cmd.Flags().GetString("devices")
	if l, _, err := readInventory(path); err == nil {
		for _, c := range l.Devices[0].Columns {
			out = append(out, c.Name)
		}
	}
	return out
}

// namesInStore are the names in the store of --store; none if it cannot be read.
func (a *app) namesInStore(cmd *cobra.Command) []string {
	url, _ := cmd.Flags().GetString("store")
	s, err := a.openStore(url)
	if err != nil {
		return nil
	}
	names, err := s.Names(context.Background())
	if err != nil {
		return nil
	}
	for i := range names {
		names[i] = report.Printable(names[i])
	}
	return names
}

// completing reports whether the shell asks for what may come next.
func completing(args []string) bool {
	return len(args) > 0 && strings.HasPrefix(args[0], cobra.ShellCompRequestCmd)
}

// completions teaches every command the values of its flags and arguments.
func (a *app) completions(cmd *cobra.Command) {
	values := a.valuesOf()
	cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
		complete, ok := values[verb(cmd)+" "+f.Name]
		if !ok {
			complete, ok = values[f.Name]
		}
		if ok {
			orFile := f.Name == "need" || f.Name == "root" || f.Name == "access-log"
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete.function(orFile))
		}
	})
	switch verb(cmd) {
	case "anchors show":
		cmd.ValidArgsFunction = these(roots.BuiltIn(), func(a roots.Anchor) string { return a.Name }).function(false)
	case "history":
		cmd.ValidArgsFunction = completer(a.namesInStore).function(false)
	}
	for _, c := range cmd.Commands() {
		a.completions(c)
	}
}

// function is the completer for cobra; orFile says that the name of a file is a value, too.
func (c completer) function(orFile bool) cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		var out []string
		space := cobra.ShellCompDirectiveDefault
		for _, v := range c(cmd) {
			if value, _, _ := strings.Cut(v, "\t"); strings.HasPrefix(value, begun) {
				out = append(out, v)
				if strings.HasSuffix(value, ":") || strings.HasSuffix(value, "/") {
					space = cobra.ShellCompDirectiveNoSpace
				}
			}
		}
		if !orFile {
			space |= cobra.ShellCompDirectiveNoFileComp
		}
		return out, space
	}
}

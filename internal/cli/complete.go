package cli

import (
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/device/show"
	"trustpool/internal/fleet"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// A completer gives the values of a flag or an argument, each perhaps with a tab and
// what it is, and whether a file may be given as well.
type completer func(cmd *cobra.Command) (values []string, orFile bool)

// valuesOf are the completers by the name of the flag, which means the same in every
// command; "publish name" is that of one command.
func (a *app) valuesOf() map[string]completer {
	fixed := func(values ...string) completer {
		return func(*cobra.Command) ([]string, bool) { return values, false }
	}
	return map[string]completer{
		"platform":      these(device.Platforms(), false, func(p device.Platform) string { return p.Name + "\t" + p.Title }),
		"style":         these(show.Styles(), false, func(s show.Style) string { return string(s) }),
		"need":          these(audit.Needs(), true, func(n audit.Need) string { return n.Name }),
		"root":          these(roots.BuiltIn(), true, func(a roots.Anchor) string { return fmt.Sprintf("%x\t%s", a.SHA256, a.Name) }),
		"filter":        filters,
		"without":       filters,
		"state":         these(fleet.States(), false, func(s fleet.State) string { return string(s) + "\t" + s.Meaning() }),
		"by":            a.columnsOfInventory,
		"fail-on":       fixed("info", "warning", "error", "never"),
		"via":           fixed("file", "terminal"),
		"color":         fixed(colours()...),
		"sha1":          fixed("accept", "refuse"),
		"digest":        fixed("sha256", "sha384", "sha512"),
		"algorithm":     fixed(signing.KeyAlgorithms()...),
		"access-log":    func(*cobra.Command) ([]string, bool) { return []string{"-", "none"}, true },
		"ssh":           fixed("system\tyour ssh program", "builtin\twithout it"),
		"publish name":  a.namesInStore,
		"rollback name": a.namesInStore,
		"mirror name":   a.namesInStore,
		"feed name":     a.namesInStore,
		"history name":  a.namesInStore,
		"pnp":           a.namesInStore,
		// Free text and numbers: no file is meant.
		"at": fixed(), "expiring": fixed("30d", "90d", "1y"), "every": fixed("1h", "24h"), "max-size": fixed("64M", "256M", "1G"), "max-depth": fixed(),
		"max-certificates": fixed(), "max-connections": fixed(), "listen": fixed(":8080", ":80", ":443"), "refresh": fixed(), "drain": fixed(),
		"base-url": fixed("https://"), "url": fixed("http://", "https://"), "from": fixed("https://"), "connect": fixed(), "watch": fixed(), "watch-every": fixed("10m", "1h", "24h"), "vrf": fixed(),
		"source-interface": fixed(), "trustpoint": fixed(), "expect": fixed(), "name": fixed(), "bundle-version": fixed(), "to": fixed(),
		"organization": fixed(), "root-name": fixed(), "signer-name": fixed(), "program-date": fixed(), "min-share": fixed(), "current": fixed(), "parallel": fixed(), "timeout": fixed(), "max-age": fixed("24h"), "user": fixed(), "only": fixed(),
	}
}

// these are fixed values: one for each of a list.
func these[T any](list []T, orFile bool, value func(T) string) completer {
	return func(*cobra.Command) (values []string, _ bool) {
		for _, v := range list {
			values = append(values, value(v))
		}
		return values, orFile
	}
}

func filters(*cobra.Command) ([]string, bool) {
	out := []string{"expired\tnot valid any more", "expiring:90d\tnot valid in 90 days", "algorithm:\tpart of an algorithm's name", "text:\tpart of a name, and nothing else"}
	for _, q := range certificate.Quirks() {
		out = append(out, "quirk:"+string(q))
	}
	return out, false
}

// columnsOfInventory are those of the file of --devices, and platform.
func (a *app) columnsOfInventory(cmd *cobra.Command) ([]string, bool) {
	out := []string{"platform"}
	path, err := cmd.Flags().GetString("devices")
	if err != nil || path == "" {
		return out, false
	}
	f, err := os.Open(path)
	if err != nil {
		return out, false
	}
	defer f.Close()
	if l, err := inventory.Read(f, inventory.Options{}); err == nil {
		for _, c := range l.Devices[0].Columns {
			out = append(out, c.Name)
		}
	}
	return out, false
}

// namesInStore are the names in the store of --store; none if it cannot be read.
func (a *app) namesInStore(cmd *cobra.Command) ([]string, bool) {
	url, err := cmd.Flags().GetString("store")
	if err != nil || url == "" {
		return nil, false
	}
	s, err := a.openStore(url)
	if err != nil {
		return nil, false
	}
	names, err := s.Names(context.Background())
	if err != nil {
		return nil, false
	}
	for i := range names {
		names[i] = report.Printable(names[i])
	}
	return names, false
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
			_ = cmd.RegisterFlagCompletionFunc(f.Name, complete.function())
		}
	})
	switch verb(cmd) {
	case "anchors show":
		cmd.ValidArgsFunction = these(roots.BuiltIn(), false, func(a roots.Anchor) string { return a.Name }).function()
	case "history":
		cmd.ValidArgsFunction = completer(a.namesInStore).function()
	}
	for _, c := range cmd.Commands() {
		a.completions(c)
	}
}

func (c completer) function() cobra.CompletionFunc {
	return func(cmd *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		all, orFile := c(cmd)
		var out []string
		space := cobra.ShellCompDirectiveDefault
		for _, v := range all {
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

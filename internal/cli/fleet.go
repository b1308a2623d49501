package cli

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/fetch"
	"trustpool/internal/fleet"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
	"trustpool/roots"
)

func (a *app) fleetCommand() *cobra.Command {
	var devices string
	var bundles, current []string
	var as printing
	cmd := &cobra.Command{
		Use:   "fleet LOG… --devices INVENTORY",
		Short: "Say which device has which version, from access logs",
		Long: `Say from access logs which device has the current version of a bundle, which has
an old one, and which never came. LOG is a file, or - for standard input, plain
or gzip, in any order: the JSON log of trustpool serve or of Caddy, the common
or combined format of Apache and nginx, the W3C format of IIS, or what
python3 -m http.server prints. But for the first none says a version: --bundle
tells it by size. Without a size a download is "fetched, completeness not
known".

The first line of CSV names its columns: name, perhaps address and platform, and
any others, such as site. An address is an IP address, a prefix or the name of a
host; a device may have several, with blanks between, and without one it is its
name. An Ansible inventory is taken as well: INI, YAML, or what
ansible-inventory --list prints.

A download counts if the server sent it whole. What the device did with it
then is in no log.

Lines that cannot be read are counted. If fewer than one in ten can be read, the
log is refused.

Exit status: 0, or 1 if a device does not have the current version.`,
		Example: `  trustpool fleet access.log --devices devices.csv
  trustpool fleet access.log access.log.*.gz --devices devices.csv \
    --bundle ios=old.p7b --bundle ios=new.p7b
  trustpool fleet access.log --devices devices.csv --current ios=10 --csv`,
		Args: oneOrMore("LOG"),
		RunE: func(cmd *cobra.Command, args []string) error {
			o := fleet.Options{Current: map[string]string{}}
			for _, c := range current {
				name, version, err := parseCurrent(c)
				if err != nil {
					return err
				}
				if _, ok := o.Current[name]; ok {
					return fmt.Errorf("--current %s: given twice for the same bundle", c)
				}
				o.Current[name] = version
			}
			var err error
			if o.Devices, err = a.readInventory(devices); err != nil {
				return err
			}
			for _, arg := range bundles {
				b, err := a.readFleetBundle(cmd.Context(), arg)
				if err != nil {
					return err
				}
				o.Bundles = append(o.Bundles, b)
			}
			t, err := fleet.New(o)
			if err != nil {
				return err
			}
			for _, log := range args {
				if err := a.readLog(cmd.Context(), t, log); err != nil {
					return err
				}
			}
			r := t.Report()
			return a.answer(r.OK(), as, printings{"": r.WriteText, "json": r.WriteJSON, "csv": r.WriteCSV})
		},
	}
	f := cmd.Flags()
	f.StringVar(&devices, "devices", "", "read the devices from the file `INVENTORY`: CSV, or an Ansible inventory")
	required(cmd, "devices")
	f.StringArrayVar(&bundles, "bundle", nil, "recognize downloads of `[NAME=]FILE` by its size (repeatable; NAME as in the URL, by default that of the file, without .p7b)")
	f.StringArrayVar(&current, "current", nil, "what devices are to have, `[NAME=]VERSION|SHA256` (repeatable; default the highest version known)")
	as.flags(cmd, "json", "csv", "quiet")
	a.outputFlag(cmd)
	return cmd
}

// parseCurrent reads a value of --current; the name is empty for any bundle.
func parseCurrent(s string) (name, version string, err error) {
	version = s
	if before, after, ok := strings.Cut(s, "="); ok {
		name, version = before, after
		if name == "" {
			return "", "", fmt.Errorf("--current %s: no name before the =", s)
		}
	}
	if sum, ok := roots.ParseSHA256(version); ok {
		version = hex.EncodeToString(sum[:])
	}
	if version == "" {
		return "", "", fmt.Errorf("--current %s: no version", s)
	}
	return name, version, nil
}

// readInventory reads the file of --devices. Of an Ansible inventory the variables
// become columns; what is passed over is said.
func (a *app) readInventory(path string, variables ...string) ([]inventory.Device, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("--devices: %w", err)
	}
	defer f.Close()
	l, err := inventory.Read(f, inventory.Options{Variables: variables})
	if err != nil {
		return nil, fmt.Errorf("--devices %s: %w", path, err)
	}
	if n := len(l.Passed); n > 0 {
		a.warn("%s: %s passed over, the first is %s: %s", path, report.Count(n, "host"), l.Passed[0].Name, l.Passed[0].Why)
	}
	if l.Form == inventory.INI || l.Form == inventory.YAML {
		for _, dir := range []string{"group_vars", "host_vars"} {
			if _, err := os.Stat(filepath.Join(filepath.Dir(path), dir)); err == nil {
				a.warn("%s: what is in %s is not read: give what ansible-inventory --list prints", path, dir)
			}
		}
	}
	return l.Devices, nil
}

// readFleetBundle reads a value of --bundle.
func (a *app) readFleetBundle(ctx context.Context, arg string) (fleet.Bundle, error) {
	name, file, ok := strings.Cut(arg, "=")
	if !ok || fileExists(arg) {
		file = arg
		name = strings.TrimSuffix(filepath.Base(arg), ".p7b")
	}
	b, _, err := a.read(ctx, file)
	if err != nil {
		return fleet.Bundle{}, fmt.Errorf("--bundle: %w", err)
	}
	if b.Raw == nil {
		return fleet.Bundle{}, fmt.Errorf("--bundle %s: a directory is not what a device downloads", file)
	}
	b, _ = b.Unwrap() // what a server gives of PEM or base64, and a device downloads
	sum := b.SHA256()
	return fleet.Bundle{Name: name, Version: b.Version, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b.Raw))}, nil
}

func (a *app) readLog(ctx context.Context, t *fleet.Tally, name string) error {
	if name == "-" {
		if a.env.Stdin == nil {
			return errors.New("stdin: there is none")
		}
		return t.Read(ctx, "-", a.env.Stdin)
	}
	if fetch.IsURL(name) {
		return hinted{fmt.Errorf("%s: a log is not fetched", fetch.Mask(name)), "download it and give the file"}
	}
	f, err := os.Open(name)
	if err != nil {
		return err
	}
	defer f.Close()
	size := int64(-1)
	if fi, err := f.Stat(); err == nil && fi.Mode().IsRegular() {
		size = fi.Size()
	}
	p := a.progress(bytesRead, "reading %s", name)
	defer p.done()
	return t.Read(ctx, name, countingReader{f, p, size})
}

package cli

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/internal/audit"
	"trustpool/internal/fetch"
	"trustpool/internal/fleet"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/report"
	"trustpool/roots"
)

type fleetArgs struct {
	trust
	demands
	devices, pools, by, url  string
	bundles, current, states []string
	all, merge               bool
	as                       printing
}

func (a *app) fleetCommand() *cobra.Command {
	var x fleetArgs
	cmd := &cobra.Command{
		Use:   "fleet [LOG…] --devices INVENTORY [--pools DIR]",
		Short: "Say what each device has, from access logs and captures",
		Long: `Say of each device of an inventory whether it has the current version of a
bundle and the roots that it needs, from access logs, from captures of its pool,
or from both. docs/fleet.md explains the states.

The first line of a CSV inventory names its columns: name, perhaps address and
platform, and any others, such as site. An address is an IP address, a prefix or
the name of a host; a device may have several, with blanks between, and without
one it is its name. An Ansible inventory is taken as well: INI, YAML, or what
ansible-inventory --list prints.

LOG is a file, or - for standard input, plain or gzip, in any order: the JSON
log of trustpool serve or of Caddy, the common or combined format of Apache and
nginx, the W3C format of IIS, or what python3 -m http.server prints. Only the
log of serve has versions: in others --bundle finds them by size. A log is
refused if fewer than one line in ten can be read; other unread lines are
counted. A download counts if the server sent it whole; what the device did with
it is in no log.

DIR has what each device shows of its pool, as pool read takes it, or a pool
file of pool read --save: NAME, NAME.txt, NAME.log, NAME.json, or files in a
directory NAME. A pool is compared with the current version of the --bundle that
it is most like, and with the roots of --need and --requirements.

--merge makes one report of the JSON of several, for a fleet that is read at
several places. --ansible-hosts writes an inventory to act on.

Exit status: 0, or 1 if a device is not current.`,
		Example: `  trustpool fleet access.log --devices devices.csv
  trustpool fleet access.log access.log.*.gz --devices devices.csv \
    --bundle ios=old.p7b --bundle ios=new.p7b
  trustpool fleet --devices devices.csv --pools captures --bundle ios.p7b \
    --need smart-licensing --by site --url http://192.0.2.1/ios.p7b
  trustpool fleet access.log --devices inventory.yml --current ios=10 --csv
  trustpool fleet --merge bonn.json berlin.json --html -o fleet.html`,
		Args: func(cmd *cobra.Command, args []string) error {
			if x.merge {
				return oneOrMore("JSON")(cmd, args)
			}
			if x.devices == "" {
				return errors.New("fleet: --devices is missing")
			}
			if len(args) == 0 && x.pools == "" {
				return hinted{errors.New("fleet: LOG is missing"), "give access logs, or a directory of captures with --pools, or both"}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			run := x.run
			if x.merge {
				run = x.mergeParts
			}
			only, err := x.only()
			if err != nil {
				return err
			}
			a.gather(x.as, &x.at)
			r, err := run(cmd.Context(), a, args)
			if err != nil {
				return err
			}
			r.Evidence, r.URL, r.Only, r.All = a.evidence, x.url, only, x.all
			return a.answer(r.OK(), x.as, printings{
				"": r.WriteText, "json": r.WriteJSON, "csv": r.WriteCSV, "html": r.WriteHTML, "markdown": r.WriteMarkdown, "ansible-hosts": r.WriteHosts,
			})
		},
	}
	f := cmd.Flags()
	f.StringVar(&x.devices, "devices", "", "read the devices from the file `INVENTORY`: CSV, or an Ansible inventory")
	f.StringVar(&x.pools, "pools", "", "read what devices show of their pools from the files in `DIR`")
	f.StringArrayVar(&x.bundles, "bundle", nil, "compare pools with `[NAME=]FILE`, and recognize downloads by its size (repeatable; NAME as in the URL, by default that of the file, without .p7b)")
	f.StringArrayVar(&x.current, "current", nil, "what devices are to have, `[NAME=]VERSION|SHA256` (repeatable; default the highest version known)")
	x.demands.flags(cmd)
	f.StringVar(&x.by, "by", "platform", "group by the `COLUMN` of the inventory")
	f.StringSliceVar(&x.states, "state", nil, "list devices in the `STATE` alone (repeatable, or with commas)")
	f.BoolVar(&x.all, "all", false, "list all devices that need something, and all groups")
	f.BoolVar(&x.merge, "merge", false, "make one report of several, each the JSON of one run")
	f.StringVar(&x.url, "url", "", "show the lines that import from `URL`, for each platform")
	x.trust.flags(cmd)
	for _, other := range []string{"devices", "pools", "bundle", "current", "need", "requirements", "with", "root"} {
		exclusive(cmd, "merge", other)
	}
	x.as.flags(cmd, "json", "csv", "html", "markdown", "ansible-hosts", "quiet")
	a.outputFlag(cmd)
	return cmd
}

func (x *fleetArgs) run(ctx context.Context, a *app, logs []string) (r *fleet.Report, err error) {
	o := fleet.Options{Current: map[string]string{}}
	for _, c := range x.current {
		name, version, err := parseCurrent(c)
		if err != nil {
			return nil, err
		}
		if _, ok := o.Current[name]; ok {
			return nil, fmt.Errorf("--current %s: given twice for the same bundle", c)
		}
		o.Current[name] = version
	}
	if o.Devices, err = a.inventory(x.devices, x.by); err != nil {
		return nil, err
	}
	if err := checkColumn(x.by, o.Devices, func(d *inventory.Device) []inventory.Column { return d.Columns }); err != nil {
		return nil, err
	}
	for _, arg := range x.bundles {
		b, err := x.readBundle(ctx, a, arg)
		if err != nil {
			return nil, err
		}
		o.Bundles = append(o.Bundles, b)
	}
	j := fleet.JudgeOptions{At: x.at.or(a.env.Now), Bundles: o.Bundles}
	if err := x.ask(ctx, a, &j); err != nil {
		return nil, err
	}
	t := fleet.New(o)
	for _, log := range logs {
		if err := a.readLog(ctx, t, log); err != nil {
			return nil, err
		}
	}
	for _, d := range o.Devices {
		j.Names = append(j.Names, d.Name)
	}
	g := fleet.Gathering{Devices: o.Devices, Downloads: t.Downloads(), By: x.by}
	if g.Judge, err = fleet.NewJudge(j, g.Downloads.Current); err != nil {
		return nil, err
	}
	if x.pools != "" {
		if g.Captures, err = fleet.ScanCaptures(ctx, x.pools, o.Devices); err != nil {
			return nil, fmt.Errorf("--pools: %w", err)
		}
		p := a.progress(items, "reading %s", x.pools)
		defer p.done()
		g.Step = func() { p.add(1, int64(g.Captures.Files)) }
	}
	if r, err = fleet.Gather(ctx, g); err != nil {
		return nil, err
	}
	switch c := r.Captures; {
	case g.Downloads.Lines() > 0 || c != nil && c.Files > c.Unreadable:
		return r, nil
	case c != nil:
		return nil, nothingRead(r)
	}
	return nil, hinted{fmt.Errorf("%s: there is no line in it", logs[0]), "give the log of the time in which devices came, perhaps one that was rotated"}
}

func (x *fleetArgs) mergeParts(ctx context.Context, a *app, files []string) (*fleet.Report, error) {
	var parts []*fleet.Part
	for _, arg := range files {
		read, err := a.fetch(ctx, arg, sniffText)
		if err != nil {
			return nil, err
		}
		for _, f := range read {
			data, err := a.decode(f)
			if err != nil {
				return nil, err
			}
			p, err := fleet.ReadPart(f.Name, data)
			if err != nil {
				return nil, fmt.Errorf("%s: %w", label(f.Name), err)
			}
			parts = append(parts, p)
		}
	}
	r, err := fleet.Merge(x.by, parts)
	if err != nil {
		return nil, err
	}
	return r, checkColumn(x.by, r.Devices, func(d *fleet.Device) []inventory.Column { return d.Labels })
}

// only are the states of --state.
func (x *fleetArgs) only() (only []fleet.State, err error) {
	for _, s := range x.states {
		if !slices.Contains(fleet.States(), fleet.State(s)) {
			return nil, fmt.Errorf("--state %s: give some of %s", s, report.Joined(fleet.States()))
		}
		only = append(only, fleet.State(s))
	}
	return only, nil
}

// nothingRead is the error if no capture could be read.
func nothingRead(r *fleet.Report) error {
	if r.Captures.Files == 0 {
		err := fmt.Errorf("--pools %s: none of its files belongs to a device", r.Captures.Name)
		if len(r.Captures.Strays) > 0 {
			err = fmt.Errorf("%w; the first is %s", err, r.Captures.Strays[0])
		}
		return hinted{err, "captures have the name of the device: NAME, NAME.txt, NAME.log, NAME.json, or files in a directory NAME"}
	}
	for _, d := range r.Devices {
		if d.State == fleet.Unreadable {
			return fmt.Errorf("--pools %s: none of its %s could be read; of the device %s: %s", r.Captures.Name, report.Count(r.Captures.Files, "file"), d.Name, d.Why)
		}
	}
	return fmt.Errorf("--pools %s: nothing could be read", r.Captures.Name)
}

// checkColumn refuses a column that no device has.
func checkColumn[D any](by string, devices []D, columns func(*D) []inventory.Column) error {
	if by == "platform" {
		return nil
	}
	var names []string
	for i := range devices {
		for _, c := range columns(&devices[i]) {
			if c.Name == by && (c.Value != "" || by == inventory.GroupsColumn) {
				return nil
			}
			if !slices.Contains(names, c.Name) && c.Name != by {
				names = append(names, c.Name)
			}
		}
	}
	return hinted{fmt.Errorf("--by %s: no device has such a column", by), "it may be " + strings.Join(append(names, "platform"), ", ")}
}

// ask reads what pools have to have, and what they are known by.
func (x *fleetArgs) ask(ctx context.Context, a *app, j *fleet.JudgeOptions) (err error) {
	if j.Needs, j.Requirements, err = x.resolve(ctx, a); err != nil {
		return err
	}
	files := slices.DeleteFunc(slices.Clone(x.needs), func(name string) bool { _, preset := audit.LookupNeed(name); return preset })
	j.With, err = a.poolSources(ctx, append(files, x.with...))
	return err
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
// become columns.
func readInventory(path string, variables ...string) (l *inventory.List, sum [sha256.Size]byte, err error) {
	data, err := fetch.ReadAtMost(path, inventory.MaxBytes)
	if err != nil {
		return nil, sum, fmt.Errorf("--devices: %w", err)
	}
	if l, err = inventory.Read(bytes.NewReader(data), variables...); err != nil {
		return nil, sum, fmt.Errorf("--devices %s: %w", path, err)
	}
	return l, sha256.Sum256(data), nil
}

// inventory is readInventory for a report, and says what is passed over.
func (a *app) inventory(path string, variables ...string) ([]inventory.Device, error) {
	l, sum, err := readInventory(path, variables...)
	if err != nil {
		return nil, err
	}
	if a.evidence != nil {
		a.evidence.AddSum(path, sum)
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

// readBundle reads a value of --bundle, and verifies it: the version of one that is
// not verified is a claim.
func (x *fleetArgs) readBundle(ctx context.Context, a *app, arg string) (fleet.Bundle, error) {
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
	r, err := x.trust.verify(ctx, a, b)
	if err != nil {
		return fleet.Bundle{}, err
	}
	if !r.Verified {
		a.warn("--bundle %s: not verified: its version is what the file claims", file)
	}
	b, _ = b.Unwrap() // what a server gives of PEM or base64, and a device downloads
	sum := b.SHA256()
	return fleet.Bundle{
		Name: name, Version: b.Version, SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b.Raw)), Certificates: b.Certificates, Verified: r.Verified,
	}, nil
}

// readLog reads a log, which is among what the report rests on.
func (a *app) readLog(ctx context.Context, t *fleet.Tally, name string) error {
	if fetch.IsURL(name) {
		return hinted{fmt.Errorf("%s: a log is not fetched", fetch.Mask(name)), "download it and give the file"}
	}
	log, name, err := a.open(ctx, name)
	if err != nil {
		return err
	}
	defer log.Close()
	in, noted := a.witness(name, log)
	if err := t.Read(ctx, name, in); err != nil {
		return err
	}
	noted()
	return nil
}

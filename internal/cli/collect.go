package cli

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trustpool/internal/device"
	"trustpool/internal/fleet/collect"
	"trustpool/internal/fleet/inventory"
)

type collectFlags struct {
	devices, dir, platform, user string
	only                         []string
	parallel                     int
	timeout, maxAge              time.Duration
	resume                       bool
	sum                          [sha256.Size]byte // of the file of devices

	ssh, config, known, identity string
	password, enable             secretFlags
}

func (a *app) collectCommand() *cobra.Command {
	var x collectFlags
	var as printing
	cmd := &cobra.Command{
		Use:   "collect --devices INVENTORY -o DIR",
		Short: "Read the pool of every device over SSH",
		Long: `Read the pool of every device over SSH, and write what each printed to
DIR/NAME.txt, for fleet --pools and pool read. DIR/.collect/NAME.json says when
and how, or why not. A device that does not answer keeps its last capture.

INVENTORY is CSV whose first line names the columns name, address and platform,
perhaps ssh_port and ssh_user, and any others; or an Ansible inventory. An
address may be a host name or an alias of your ssh configuration; if it is
empty, the name is used.

A device is sent terminal length 0 and terminal width 511 (ASA: terminal pager
0), show crypto pki trustpool (IOS, IOS XE) or show crypto ca trustpool, show
clock and exit, and nothing else. enable is sent if there is a secret for it.
No question of a device is answered.

Your own ssh connects, with your configuration, jump hosts, agent and
known_hosts. --ssh builtin needs no ssh program, and reads no configuration of
it. The host key is always checked: connect once by hand, or fill known_hosts
from a source that you believe. A password comes from --password-file, from a
prompt (--password), or from the program that SSH_ASKPASS names; likewise the
secret of enable.

Exit status: 0, or 1 if there is no readable capture of some device.`,
		Example: `  trustpool collect --devices devices.csv -o captures
  trustpool collect --devices devices.csv -o captures --resume --parallel 50
  trustpool collect --devices hosts.ini -o captures --only 'edge*' --enable
  trustpool collect --devices devices.csv -o captures --only site=berlin`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			o, err := x.options(cmd.Context(), a)
			if err != nil {
				return err
			}
			var r *collect.Report
			err = a.guard(cmd.Context(), func(ctx context.Context) (err error) {
				p := a.progress(items, "collecting")
				defer p.done()
				o.Progress = func(n int) { p.add(n, int64(len(o.Devices))) }
				r, err = collect.Run(ctx, o)
				return err
			})
			if err != nil {
				return err
			}
			r.Evidence.AddSum(x.devices, x.sum)
			return a.answer(r.OK(), as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	f := cmd.Flags()
	f.StringVar(&x.devices, "devices", "", "read the devices from the file `INVENTORY`: CSV, or an Ansible inventory")
	f.StringVarP(&x.dir, "output", "o", "", "write the captures into `DIR`, which is made if need be")
	required(cmd, "devices", "output")
	f.StringSliceVar(&x.only, "only", nil, "read the devices with this `NAME` alone, or a pattern of names, or COLUMN=VALUE (repeatable, or with commas)")
	f.StringVar(&x.platform, "platform", "", "take devices without one for the platform `NAME`")
	f.BoolVar(&x.resume, "resume", false, "leave devices whose capture is fresh")
	f.DurationVar(&x.maxAge, "max-age", collect.DefaultMaxAge, "with --resume, a capture is fresh for `DURATION`")
	x.parallel = collect.DefaultParallel
	f.Func("parallel", fmt.Sprintf("read `N` devices at a time (default %d)", collect.DefaultParallel), count(&x.parallel))
	f.DurationVar(&x.timeout, "timeout", collect.DefaultTimeout, "give each device `DURATION`")
	f.StringVar(&x.ssh, "ssh", "system", "connect by `WHAT`: system, your ssh program; builtin, without it")
	f.StringVar(&x.config, "ssh-config", "", "give ssh the configuration `FILE` in place of yours")
	f.StringVar(&x.known, "known-hosts", "", "know hosts by `FILE` in place of your known_hosts")
	f.StringVar(&x.identity, "identity", "", "log in with the private key in `FILE`")
	f.StringVar(&x.user, "user", "", "log in as `NAME` if the inventory does not say")
	x.password.flags(cmd, "password", "the password")
	x.enable.flags(cmd, "enable", "the secret of enable")
	as.flags(cmd, "json", "quiet")
	return cmd
}

func (x *collectFlags) options(ctx context.Context, a *app) (o collect.Options, err error) {
	if a.offline {
		return o, errors.New("--offline: collect reads devices over the network")
	}
	if x.timeout <= 0 {
		return o, errors.New("--timeout: not a time above zero")
	}
	if x.platform != "" {
		if _, err := device.Lookup(x.platform); err != nil {
			return o, fmt.Errorf("--platform: %w", err)
		}
	}
	list, sum, err := readInventory(x.devices, x.columns()...)
	if err != nil {
		return o, err
	}
	x.sum = sum
	for _, p := range list.Passed {
		a.warn("%s: %s is passed over: %s", x.devices, p.Name, p.Why)
	}
	if list.Devices, err = x.chosen(list.Devices); err != nil {
		return o, err
	}
	if info, err := os.Stat(x.dir); err == nil && !info.IsDir() {
		return o, fmt.Errorf("--output %s: not a directory", x.dir)
	}
	password, err := x.password.read(ctx, a)
	if err != nil {
		return o, err
	}
	secret, err := x.enable.read(ctx, a)
	if err != nil {
		return o, err
	}
	ssh, err := x.connect(a, password)
	if err != nil {
		return o, err
	}
	o = collect.Options{
		Dir: x.dir, Devices: list.Devices, Platform: x.platform, SSH: ssh, User: x.user, Secret: secret, Parallel: x.parallel, Timeout: x.timeout,
		Now: a.env.Now, Version: a.knownVersion(), Disk: a.disk,
	}
	if x.resume {
		o.Fresh = x.maxAge
	}
	return o, nil
}

// columns are the variables of an inventory that --only asks for.
func (x *collectFlags) columns() (columns []string) {
	for _, o := range x.only {
		if column, _, ok := strings.Cut(o, "="); ok && column != "platform" && !slices.Contains(columns, column) {
			columns = append(columns, column)
		}
	}
	return columns
}

// chosen are the devices that --only names.
func (x *collectFlags) chosen(all []inventory.Device) (some []inventory.Device, err error) {
	if len(x.only) == 0 {
		return all, nil
	}
	found := make([]bool, len(x.only))
	for i := range all {
		taken := false
		for j, only := range x.only {
			ok, err := named(&all[i], only)
			if err != nil {
				return nil, fmt.Errorf("--only %s: not a pattern of names", only)
			}
			found[j], taken = found[j] || ok, taken || ok
		}
		if taken {
			some = append(some, all[i])
		}
	}
	if i := slices.Index(found, false); i >= 0 {
		return nil, fmt.Errorf("--only %s: there is no such device in %s", x.only[i], x.devices)
	}
	return some, nil
}

// named reports whether a value of --only names a device.
func named(d *inventory.Device, only string) (bool, error) {
	column, value, isColumn := strings.Cut(only, "=")
	switch {
	case !isColumn && d.Name == only:
		return true, nil
	case !isColumn:
		return path.Match(only, d.Name)
	case column == "platform":
		return d.Platform == value, nil
	case column == inventory.GroupsColumn:
		return slices.Contains(strings.Fields(d.Columns.Value(column)), value), nil
	}
	return d.Columns.Value(strings.ToLower(column)) == value || d.Columns.Value(column) == value, nil
}

// connect is how devices are connected to.
func (x *collectFlags) connect(a *app, password []byte) (collect.SSH, error) {
	for _, file := range []struct{ flag, name string }{{"ssh-config", x.config}, {"known-hosts", x.known}, {"identity", x.identity}} {
		if file.name == "" || file.flag == "ssh-config" && file.name == "none" {
			continue
		}
		if _, err := os.Stat(file.name); err != nil {
			return nil, fmt.Errorf("--%s: %w", file.flag, err)
		}
	}
	switch x.ssh {
	case "system":
		program, err := exec.LookPath("ssh")
		if err != nil {
			return nil, hinted{errors.New("there is no ssh program"), "install OpenSSH's client, or use --ssh builtin"}
		}
		s := &collect.System{Program: program, Config: x.config, KnownHosts: x.known, Identity: x.identity, Env: a.env.Environ(), Password: password}
		if len(password) > 0 {
			if s.Askpass, err = exec.LookPath(a.env.Program); err == nil {
				s.Askpass, err = filepath.Abs(s.Askpass)
			}
			if err != nil {
				return nil, fmt.Errorf("where this program is cannot be found, and ssh has to run it to get the password: %w", err)
			}
		}
		return s, nil
	case "builtin":
		if x.config != "" {
			return nil, errors.New("--ssh-config: --ssh builtin reads no configuration")
		}
		home, _ := os.UserHomeDir()
		o := collect.BuiltinOptions{Agent: a.getenv("SSH_AUTH_SOCK"), KnownHosts: []string{x.known}, Password: password}
		o.User = cmp.Or(x.user, a.getenv("USER"), a.getenv("LOGNAME"), a.getenv("USERNAME"))
		if x.known == "" {
			o.KnownHosts = slices.DeleteFunc([]string{filepath.Join(home, ".ssh", "known_hosts"), "/etc/ssh/ssh_known_hosts"}, func(f string) bool { return !fileExists(f) })
			if len(o.KnownHosts) == 0 {
				return nil, hinted{errors.New("there is no known_hosts"), "give --known-hosts FILE with the host keys of the devices: ssh-keyscan gets them, and somebody has to say that they are right"}
			}
		}
		if x.identity != "" {
			o.Identities = []string{x.identity}
		} else {
			for _, name := range []string{"id_ed25519", "id_ecdsa", "id_rsa"} {
				o.Defaults = append(o.Defaults, filepath.Join(home, ".ssh", name))
			}
		}
		return collect.NewBuiltin(o)
	}
	return nil, fmt.Errorf("--ssh %s: give system or builtin", x.ssh)
}

// secretFlags say where a secret comes from: never from a flag's value, which all the
// machine can see.
type secretFlags struct {
	what string
	name string
	file string
	ask  bool
}

func (s *secretFlags) flags(cmd *cobra.Command, name, what string) {
	s.name, s.what = name, what
	cmd.Flags().BoolVar(&s.ask, name, false, "ask for "+what+", by SSH_ASKPASS or on the terminal")
	cmd.Flags().StringVar(&s.file, name+"-file", "", "read "+what+" from the first line of `FILE`")
	exclusive(cmd, name, name+"-file")
}

// read returns the secret, nil if there is to be none.
func (s *secretFlags) read(ctx context.Context, a *app) (secret []byte, err error) {
	switch {
	case s.file != "":
		if secret, err = secretIn(s.file); err != nil {
			return nil, fmt.Errorf("--%s-file: %w", s.name, err)
		}
	case !s.ask:
		return nil, nil
	case a.getenv("SSH_ASKPASS") != "":
		cmd := exec.CommandContext(ctx, a.getenv("SSH_ASKPASS"), "trustpool: "+s.what+" of the devices: ")
		cmd.Stderr = a.env.Stderr
		if secret, err = cmd.Output(); err != nil {
			return nil, fmt.Errorf("--%s: SSH_ASKPASS: %w", s.name, err)
		}
		secret = firstLine(secret)
	default:
		secret, err = a.ask(strings.ToUpper(s.what[:1]) + s.what[1:] + " of the devices: ")
		if errors.Is(err, errNoTerminal) {
			return nil, hinted{fmt.Errorf("--%s: %w", s.name, err), fmt.Sprintf("give --%s-file FILE, or set SSH_ASKPASS", s.name)}
		}
		if err != nil {
			return nil, err
		}
	}
	if len(secret) == 0 {
		return nil, fmt.Errorf("--%s: %s is empty", s.name, s.what)
	}
	if bytes.ContainsFunc(secret, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return nil, fmt.Errorf("--%s: %s has a control character in it", s.name, s.what)
	}
	return secret, nil
}

// askpass is what ssh runs this program for: to print the password that collect has.
func askpass(socket string, args []string, stdout io.Writer) error {
	if len(args) != 1 {
		return errors.New("ssh asks nothing")
	}
	return collect.Askpass(socket, args[0], stdout)
}

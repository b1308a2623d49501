package cli

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/durable"
	"trustpool/internal/fetch"
	"trustpool/internal/reach"
)

type reachRun struct {
	*app
	trust
	device                   device.ImportOptions
	plan                     reach.Plan
	against, platform, pool  string
	chains, connect, without []string
	saveChains, sha1         string
	as                       printing
}

func (a *app) reachCommand() *cobra.Command {
	r := &reachRun{app: a}
	cmd := &cobra.Command{
		Use:   "reach FILE --chains FILE|DIR",
		Short: "Say which servers a device can reach with a bundle",
		Long: `Say which servers validate with the certificates of a bundle, and with --against
or --without which of them break. Every certificate of the bundle is an anchor,
intermediates too; --roots-only takes the self-issued ones alone. With
--platform the pool is the device's after the import that it would make.

Chains are PEM files or captures of "openssl s_client -showcerts", one server or
many in each. The host is checked where the capture has the command line with
-connect or -servername. --connect asks a server for its chain now.

What a device does is not known in every point; then the answer is "unknown",
and says why. Revocation is not looked at.

Exit status: 0, or 1 if a server that works now breaks or may break. With
nothing to compare with, 1 if a server is not shown to work.`,
		Example: `  trustpool reach ios_core.p7b --chains tools.cisco.com.pem
  trustpool reach new.p7b --against old.p7b --chains captures/
  trustpool reach ios_core.p7b --chains captures/ --without 85a0dd7dd720adb7
  trustpool reach ios_core.p7b --connect tools.cisco.com:443 --platform asa`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error { return r.run(cmd.Context(), args[0]) },
	}
	f := cmd.Flags()
	f.StringVar(&r.against, "against", "", "compare with `OLD`, the bundle in use")
	f.StringArrayVar(&r.without, "without", nil, "judge as though the bundle did not have what `FILTER` matches: a fingerprint, or another filter of inspect, where a name is that of the subject or of the issuer (repeatable)")
	f.StringArrayVar(&r.chains, "chains", nil, "read chains of servers from `FILE|DIR` (repeatable)")
	f.StringArrayVar(&r.connect, "connect", nil, "ask the server at `HOST:PORT` for its chain (repeatable)")
	f.StringVar(&r.saveChains, "save-chains", "", "write the chains that servers send to `DIR`")
	f.BoolVar(&r.plan.RootsOnly, "roots-only", false, "take only self-issued certificates for anchors")
	f.StringVar(&r.sha1, "sha1", "", "do `WHAT` with certificates signed with SHA-1 in a chain: accept or refuse (default unknown: what devices do is not known)")
	f.StringVar(&r.platform, "platform", "", "also judge after the import on `NAME`: asa, ios, iosxe, iosxr, …")
	f.StringVar(&r.pool, "pool", "", "take the device's pool before the import from `FILE`, of import --save or pool read --save")
	settingFlags(cmd, &r.device)
	r.trust.flags(cmd)
	a.outputFlag(cmd)
	cmd.PreRunE = func(cmd *cobra.Command, _ []string) error {
		for _, name := range []string{"pool", "clean", "fips", "disable-rsa1024", "accept-unsigned", "unique-names", "root"} {
			if r.platform == "" && cmd.Flags().Changed(name) {
				return fmt.Errorf("--%s is about a device: --platform is missing", name)
			}
		}
		if len(r.chains)+len(r.connect) == 0 {
			return errors.New("reach: no servers: give --chains or --connect")
		}
		if r.saveChains != "" && len(r.connect) == 0 {
			return errors.New("--save-chains needs --connect")
		}
		return nil
	}
	r.as.flags(cmd, "json", "quiet")
	return cmd
}

func (r *reachRun) run(ctx context.Context, file string) error {
	r.gather(r.as, &r.at)
	r.plan.At, r.plan.SHA1 = r.at.or(r.env.Now), reach.SHA1(r.sha1)
	b, name, err := r.read(ctx, file)
	if err != nil {
		return err
	}
	r.plan.New = b
	if r.against != "" {
		if r.plan.Old, r.against, err = r.read(ctx, r.against); err != nil {
			return err
		}
	}
	if r.plan.Without, err = parseFilters("--without", r.without, r.plan.At); err != nil {
		return err
	}
	for i, f := range r.plan.Without {
		if !slices.ContainsFunc(b.Certificates, func(c *certificate.Certificate) bool { return c.Err == nil && f(c) }) {
			return fmt.Errorf("--without %q: nothing in the bundle matches", r.without[i])
		}
	}
	if err := r.readDevice(ctx); err != nil {
		return err
	}
	if err := r.readServers(ctx); err != nil {
		return err
	}
	p := r.progress(nothing, "judging")
	report, err := reach.Judge(r.plan)
	p.done()
	if err != nil {
		return err
	}
	report.File, report.Against, report.ShowAt, report.Evidence = name, r.against, r.at.given, r.evidence
	return r.answer(report.Good(), r.as, printings{"": report.WriteText, "json": report.WriteJSON})
}

func (r *reachRun) readDevice(ctx context.Context) (err error) {
	if r.platform == "" {
		return nil
	}
	o := &r.device
	if o.Platform, err = device.Lookup(r.platform); err != nil {
		return fmt.Errorf("--platform: %w", err)
	}
	if r.pool != "" {
		if r.plan.Pool, err = r.readPool(r.pool, false, o.Platform); err != nil {
			return err
		}
	}
	if o.Anchors, err = r.readAnchors(ctx, "--root", r.roots); err != nil {
		return err
	}
	o.At, r.plan.Device = r.plan.At, o
	return nil
}

// readServers reads the captures, and asks the servers of --connect.
func (r *reachRun) readServers(ctx context.Context) error {
	for _, arg := range r.chains {
		files, err := r.fetch(ctx, arg, nil)
		if err != nil {
			return err
		}
		for _, f := range files {
			servers, err := reach.ParseChains(f.Name, f.Data)
			if err != nil {
				return fmt.Errorf("%s: %w", label(f.Name), err)
			}
			r.plan.Servers = append(r.plan.Servers, servers...)
		}
	}
	p := r.progress(items, "asking servers")
	defer p.done()
	for i, address := range r.connect {
		p.add(min(i, 1), int64(len(r.connect)))
		chain, err := fetch.Chain(ctx, address, r.fetchOptions())
		if _, _, bad := net.SplitHostPort(address); bad != nil || errors.Is(err, fetch.ErrOffline) {
			return err
		} else if err != nil {
			return hinted{err, "openssl s_client -connect " + address + " -showcerts, and give what it prints to --chains"}
		}
		server, err := reach.FromDER(address, chain)
		if err != nil {
			return err
		}
		r.plan.Servers = append(r.plan.Servers, server)
		r.rests(address, server.PEM())
		if err := r.saveChain(r.saveChains, &server); err != nil {
			return err
		}
	}
	return nil
}

// saveChain writes the chain of a server into the directory of --save-chains, if there is one.
func (a *app) saveChain(dir string, s *reach.Server) error {
	if dir == "" {
		return nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	return a.onDisk(func(disk *durable.Disk) error {
		return disk.WriteFile(filepath.Join(dir, s.FileName()), s.PEM(), 0o644)
	})
}

package cli

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"slices"

	"github.com/spf13/cobra"

	"trustpool/internal/device"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

func (a *app) importCommand() *cobra.Command {
	var t trust
	var o device.ImportOptions
	var platform, poolFile string
	var via string
	var save, quiet, all bool
	var as printing
	cmd := &cobra.Command{
		Use:   "import FILE… --platform NAME",
		Short: "Say what a device would do with each certificate",
		Long: `Play the import of a bundle into a device's trustpool: first the platform's rule
on signatures, then every certificate: installed, duplicate, expired or failed,
with the reason and how sure that is (confirmed, inferred, unverified).

NAME is asa (asav), ios, iosxe (c9800) or iosxr (asr9k, ncs). fxos, ftd and nxos
import no bundle file; the answer says what to do instead.

--via terminal pastes instead, as IOS and IOS XE take one certificate in PEM
that nobody signed: crypto pki trustpool import terminal.

The pool starts as the platform's built-in one, if that is known. --pool
reads it from a file that import --save or pool read --save wrote.

Several FILEs are imported in turn into one pool, and get a section each;
--clean drops certificates before the first.

--root judges as a lab device with that root built in would. A genuine IOS XR
takes bundles under Cisco Root CA M1 alone.

Exit status: 0, or 1 if a certificate failed or the file was refused.`,
		Example: `  trustpool import ios_core.p7b --platform asa
  trustpool import ios.p7b --platform iosxr --pool edge1.json --save
  trustpool import ios_core.p7b --platform asa --fips --at 2018-10-10`,
		Args: a.files,
		RunE: func(cmd *cobra.Command, args []string) error {
			var err error
			if o.Platform, err = device.Lookup(platform); err != nil {
				return fmt.Errorf("--platform: %w", err)
			}
			if o.Terminal = via == "terminal"; !o.Terminal && via != "file" {
				return fmt.Errorf("--via %s: give file or terminal", via)
			}
			if save && poolFile == "" {
				return errors.New("--save needs --pool FILE to write to")
			}
			a.gather(as, &t.at)
			p, err := a.readPool(poolFile, save, o.Platform)
			if err != nil {
				return err
			}
			if o.Anchors, err = a.readAnchors(cmd.Context(), "--root", t.roots); err != nil {
				return err
			}
			args = orStdin(args)
			if len(args) > 1 {
				if err := listable(args, as); err != nil {
					return err
				}
			}
			o.At = t.at.or(a.env.Now)
			var imports []judgement
			yes, changed := true, false
			for _, arg := range args {
				b, name, err := a.read(cmd.Context(), arg)
				if err != nil {
					return err
				}
				o.Location = name
				r, err := device.Import(p, b, o)
				if err != nil {
					return err
				}
				r.All, r.Evidence, o.Clean = all, a.evidence.Clone(), false
				j := judgement{of: printings{
					"":     func(w io.Writer) error { return r.WriteText(w, quiet) },
					"json": func(w io.Writer) error { return r.WriteJSON(w, t.at.given) },
				}}
				if !quiet {
					j.heading = report.Printable(label(name)) + "\n"
				}
				imports = append(imports, j)
				yes, changed = yes && r.Refused == "" && r.Failed == 0, changed || r.Refused == ""
			}
			of := imports[0].of
			if len(imports) > 1 {
				of = printings{as: func(w io.Writer) error { return writeList(w, cmd, as, slices.Values(imports)) }}
			}
			if save && changed {
				return a.answerWith(yes, as, of, poolFile, p.WriteJSON)
			}
			return a.answer(yes, as, of)
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "the device's `NAME`: asa, ios, iosxe, iosxr, …")
	required(cmd, "platform")
	f.StringVar(&via, "via", "file", "how the device gets it, `WAY`: file, also from a URL, or terminal")
	t.flags(cmd)
	f.StringVar(&poolFile, "pool", "", "take the device's pool before the import from `FILE`, of import --save or pool read --save")
	f.BoolVar(&save, "save", false, "write the pool after the import to the file of --pool")
	settingFlags(cmd, &o)
	f.BoolVarP(&quiet, "quiet", "q", false, "print the platform's own lines only")
	f.BoolVar(&all, "all", false, "list what was installed, too")
	as.flags(cmd, "json")
	exclusive(cmd, "quiet", "json", "all")
	a.outputFlag(cmd)
	return cmd
}

// settingFlags are how a device is set for an import.
func settingFlags(cmd *cobra.Command, o *device.ImportOptions) {
	f := cmd.Flags()
	f.BoolVar(&o.Clean, "clean", false, "drop downloaded certificates first")
	f.BoolVar(&o.FIPS, "fips", false, "the device is in FIPS mode")
	f.BoolVar(&o.DisableRSA1024, "disable-rsa1024", false, "IOS XR: RSA keys of 1024 bits or less are disabled")
	f.BoolVar(&o.AcceptUnsigned, "accept-unsigned", false, "ASA: say yes if it asks about a bundle that Cisco did not sign")
	f.BoolVar(&o.UniqueNames, "unique-names", false, "IOS XE 16: no two certificates of one issuer and subject")
}

// readPool reads the pool of --pool; without one, or if --save is to make it,
// it is the platform's built-in pool.
func (a *app) readPool(path string, save bool, p device.Platform) (*pool.Pool, error) {
	if path == "" {
		return p.BuiltIn(), nil
	}
	f, err := os.Open(path)
	switch missing := errors.Is(err, fs.ErrNotExist); {
	case missing && save:
		return p.BuiltIn(), nil
	case missing:
		return nil, hinted{fmt.Errorf("--pool: %w", err), "with --save the platform's built-in pool is taken and the file is made"}
	case err != nil:
		return nil, fmt.Errorf("--pool: %w", err)
	}
	defer f.Close()
	in, noted := a.witness(path, f)
	read, err := pool.Read(in, device.CheckName)
	if err == nil {
		_, err = io.Copy(io.Discard, in) // what it did not look at is of the file, too
	}
	if err != nil {
		return nil, fmt.Errorf("--pool %s: %w", path, err)
	}
	noted()
	return read, nil
}

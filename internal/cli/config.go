package cli

import (
	"context"
	"errors"
	"fmt"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
)

func (a *app) configCommand() *cobra.Command {
	var o config.Options
	var platform, pemFile string
	var filters []string
	var as printing
	cmd := &cobra.Command{
		Use:   "config --platform NAME --url URL|--file PATH|--pem FILE",
		Short: "Write what to type on a device so that it uses a bundle",
		Long: `Write the lines that make a device use a bundle, in the device's own mode and
word order, and the checks to run afterwards. Nothing was tried on a device:
lines that no public source confirms are marked inferred or unverified.

Exactly one says where the certificates come from:
  --url URL    the device fetches the bundle from there
  --file PATH  the bundle is on the device: flash:ios.p7b, /tmp/ios.p7b
  --pem FILE   the certificates of FILE, of any form, are pasted; --filter picks
               some, as inspect does

NAME is asa, fxos, ios, iosxe, iosxr or nxos. fxos takes pasted certificates
alone, iosxr takes none, and for ftd the answer says what to do instead.

What stands between the lines is a comment to the device. Where a device asks
whether to accept a certificate the answer is not among the lines: compare
first.

--ansible writes a playbook for ios, iosxe, iosxr and asa that imports from the
URL or file, checks the result, and fails where there was no import.

Exit status: 0, or 1 where the platform cannot do it or a filter matched
nothing.`,
		Example: `  trustpool config --platform iosxe --url http://192.0.2.1/ios_core.p7b --clean
  trustpool config --platform iosxr --file /tmp/ios.p7b
  trustpool config --platform asa --pem ios_core.p7b --filter QuoVadis
  trustpool config --platform iosxr --file /tmp/ios.p7b --ansible -o import.yml`,
		Args: arguments(),
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if o.Platform, err = device.Lookup(platform); err != nil {
				return fmt.Errorf("--platform: %w", err)
			}
			if pemFile != "" {
				if o.PEM, err = a.readPEM(cmd.Context(), pemFile, filters); err != nil {
					return err
				}
			} else if filters != nil {
				return errors.New("--filter picks certificates of --pem FILE, which is missing")
			}
			s, err := config.New(o)
			if err != nil {
				return err
			}
			if s.Refused != "" && as != "json" {
				as, a.output = "", "" // the refusal is no file of commands
			}
			return a.answer(s.Refused == "", as, printings{"": s.WriteText, "json": s.WriteJSON, "ansible": s.WritePlaybook})
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "the device's `NAME`: asa, fxos, ios, iosxe, iosxr, nxos")
	required(cmd, "platform")
	f.StringVar(&o.URL, "url", "", "fetch the bundle from `URL`, without credentials")
	f.StringVar(&o.File, "file", "", "import the bundle at `PATH` on the device")
	f.StringVar(&pemFile, "pem", "", "paste the certificates of `FILE`")
	f.StringArrayVar(&filters, "filter", nil, "keep what matches `FILTER` (repeatable)")
	f.BoolVar(&o.Policy, "policy", false, "with --url: let the device fetch by itself from there, too")
	f.StringVar(&o.VRF, "vrf", "", "fetch in the VRF `NAME`")
	f.StringVar(&o.SourceInterface, "source-interface", "", "fetch from the address of the interface `NAME`")
	f.BoolVar(&o.Clean, "clean", false, "drop downloaded certificates first")
	f.StringVar(&o.Trustpoint, "trustpoint", "", "of --pem on asa, fxos, nxos: call it `NAME` (default after the common name)")
	f.StringArrayVar(&o.Expect, "expect", nil, "check that the pool has a subject with `TEXT` afterwards (repeatable)")
	as.flags(cmd, "json", "ansible")
	a.outputFlag(cmd)
	return cmd
}

// readPEM reads the certificates to paste: those that match every filter. An
// element that is no certificate is left out with a warning.
func (a *app) readPEM(ctx context.Context, arg string, filters []string) ([]*certificate.Certificate, error) {
	b, name, err := a.read(ctx, arg)
	if err != nil {
		return nil, fmt.Errorf("--pem: %w", err)
	}
	var wanted []bundle.Filter
	for _, f := range filters {
		filter, err := bundle.ParseFilter(f, a.env.Now())
		if err != nil {
			return nil, fmt.Errorf("--filter: %w", err)
		}
		wanted = append(wanted, filter)
	}
	var out []*certificate.Certificate
certificates:
	for i, c := range b.Certificates {
		for _, f := range wanted {
			if !f(c) {
				continue certificates
			}
		}
		if c.Err != nil {
			a.warn("%s: entry %d is left out, it is no certificate: %v", name, i+1, c.Err)
			continue
		}
		out = append(out, c)
	}
	if len(out) == 0 {
		if filters != nil {
			a.warn("%s: no certificate matches the filter", name)
			return nil, errNo
		}
		return nil, fmt.Errorf("--pem: %s has no certificate", name)
	}
	return out, nil
}

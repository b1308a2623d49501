package cli

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/report"
	"trustpool/roots"
)

func (a *app) configCommand() *cobra.Command {
	var o config.Options
	var platform, pemFile string
	var t trust
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

Of --pem the first line says who vouches for FILE. If it is signed and not
verified, nothing is written; --unverified writes it, with a warning before
every certificate. So it is with a certificate that nobody vouches for, and
that has no more than the name of a known root. Each certificate has its
SHA-256, SHA-1 and MD5 to compare with a second source. What has expired at
--at, or is distrusted by root programs, is warned of.

What is between the lines is a comment to the device. If a device asks whether
to accept a certificate the answer is not among the lines: compare first.

--ansible writes a playbook for ios, iosxe, iosxr and asa; of --pem for ios and
iosxe. It uses the role import of the collection trustpool.bundle, which asks
the device first, imports only if something is missing, and fails unless the
pool shows it afterwards.

Exit status: 0, or 1 if the platform cannot do it, FILE is not verified, or a
filter matched nothing.`,
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
				if err = a.readPEM(cmd.Context(), pemFile, filters, &t, &o); err != nil {
					return err
				}
			} else if len(t.roots) > 0 || o.Unverified || t.at.given {
				return errors.New("--root, --at and --unverified are about --pem FILE, which is missing")
			} else if filters != nil {
				return errors.New("--filter picks certificates of --pem FILE, which is missing")
			}
			s, err := config.New(o)
			if errors.Is(err, config.ErrOneSource) {
				return hinted{err, "they are --url, --file and --pem"}
			}
			if err != nil {
				return err
			}
			if s.Refused != "" && as == "quiet" {
				a.warn("refused: %s", s.Refused) // nothing is for the device
				return errNo
			}
			if s.Refused != "" && as != "json" {
				as, a.output = "", "" // the refusal is not a file of commands
			}
			return a.answer(s.Refused == "", as, printings{"": report.Unfolded(s.WriteText), "json": s.WriteJSON, "ansible": s.WritePlaybook, "quiet": s.WriteLines})
		},
	}
	f := cmd.Flags()
	f.StringVar(&platform, "platform", "", "the device's `NAME`: asa, fxos, ios, iosxe, iosxr, nxos")
	required(cmd, "platform")
	f.StringVar(&o.URL, "url", "", "fetch the bundle from `URL`, without credentials")
	f.StringVar(&o.File, "file", "", "import the bundle at `PATH` on the device")
	f.StringVar(&pemFile, "pem", "", "paste the certificates of `FILE`")
	f.StringArrayVar(&filters, "filter", nil, "keep what matches `FILTER` (repeatable)")
	f.BoolVar(&o.Unverified, "unverified", false, "of --pem: paste also what is signed and not verified, or only has the name of a known root")
	t.flags(cmd)
	f.BoolVar(&o.Policy, "policy", false, "with --url: let the device fetch by itself from there, too")
	f.StringVar(&o.VRF, "vrf", "", "fetch in the VRF `NAME`")
	f.StringVar(&o.SourceInterface, "source-interface", "", "fetch from the address of the interface `NAME`")
	f.BoolVar(&o.Clean, "clean", false, "drop downloaded certificates first")
	f.StringVar(&o.Trustpoint, "trustpoint", "", "of --pem on asa, fxos, nxos: call it `NAME` (default after the common name)")
	f.StringArrayVar(&o.Expect, "expect", nil, "check that the pool has a subject with `TEXT` afterwards (repeatable)")
	as.flags(cmd, "json", "ansible", "quiet")
	f.Lookup("quiet").Usage = "print the lines alone; of --pem also what to know before each paste"
	a.outputFlag(cmd)
	return cmd
}

// readPEM reads the certificates to paste, those that match every filter, and has
// the signature of their file judged. An element that is not a certificate is left
// out with a warning.
func (a *app) readPEM(ctx context.Context, arg string, filters []string, t *trust, o *config.Options) error {
	b, name, err := a.read(ctx, arg)
	if err != nil {
		return fmt.Errorf("--pem: %w", err)
	}
	r, err := t.verify(ctx, a, b)
	if err != nil {
		return err
	}
	o.Signature, o.At, o.Known = &r, t.at.or(a.env.Now), knownRoots()
	wanted, err := parseFilters("--filter", filters, o.At)
	if err != nil {
		return err
	}
	for i, c := range b.Certificates {
		if slices.ContainsFunc(wanted, func(f bundle.Filter) bool { return !f(c) }) {
			continue
		}
		if c.Err != nil {
			a.warn("%s: entry %d is left out, it is not a certificate: %v", name, i+1, c.Err)
			continue
		}
		o.PEM = append(o.PEM, c)
	}
	if len(o.PEM) == 0 {
		if filters != nil {
			a.warn("%s: no certificate matches the filter", name)
			return errNo
		}
		return fmt.Errorf("--pem: %s has no certificate", name)
	}
	return nil
}

// knownRoots are those that are pinned somewhere in the program: anchors, what
// services need, and what devices have built in.
func knownRoots() (out []config.Known) {
	for _, anchor := range roots.BuiltIn() {
		out = append(out, config.Known{Name: anchor.Name, SHA256: anchor.SHA256})
	}
	for _, n := range audit.Needs() {
		for _, r := range n.Roots {
			out = append(out, config.Known{Name: r.Name, SHA256: *r.SHA256})
		}
	}
	for _, p := range device.Platforms() {
		for _, e := range p.BuiltIn().Entries {
			name, isNamed := strings.CutPrefix(e.Subject, "CN=")
			name, _, _ = strings.Cut(name, ",")
			if sum, err := hex.DecodeString(e.SHA256); isNamed && e.Issuer == e.Subject && err == nil && len(sum) == sha256.Size {
				out = append(out, config.Known{Name: name, SHA256: [sha256.Size]byte(sum)})
			}
		}
	}
	return out
}

package cli

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"trustpool/internal/device/show"
	"trustpool/internal/inspect"
	"trustpool/internal/report"
)

func (a *app) inspectCommand() *cobra.Command {
	var t trust
	var filters []string
	var as printing
	var style string
	cmd := &cobra.Command{
		Use:   "inspect [FILE…]",
		Short: "Show what a bundle holds, and whether its signature counts",
		Long: `Show what a bundle holds: a line on its signature, what it is called, and a
line for each certificate.

--filter keeps the certificates that match; given several times, all must match:
  TEXT            part of a subject, issuer or serial number
  FINGERPRINT     SHA-256, SHA-1 or MD5, in any spelling; of a SHA-256 the first
                  16 digits, as tables show them, are enough
  expired         at the time of --at
  expiring:90d    within that time (d, w, y)
  algorithm:TEXT  part of the signature's or the key's algorithm: sha1, RSA 1024
  quirk:NAME      a deviation; "quirk:" for any, docs/formats.md lists them
  text:TEXT       TEXT and nothing else

Several FILEs get a section each.

Exit status: 0, or 1 if a filter matched nothing.`,
		Example: `  trustpool inspect ios.p7b
  trustpool inspect ios.p7b --filter IdenTrust
  trustpool inspect ios.p7b --filter expiring:1y --json
  openssl pkcs7 -print_certs -in bundle.pem | trustpool inspect -`,
		Args: a.files,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.each(cmd, args, as, func(ctx context.Context, arg string) (judgement, error) {
				b, name, err := a.read(ctx, arg)
				if err != nil {
					return judgement{}, err
				}
				r := inspect.Report{File: name, Bundle: b, At: t.at.or(a.env.Now)}
				wanted, err := parseFilters("--filter", filters, r.At)
				if err != nil {
					return judgement{}, err
				}
				for _, f := range wanted {
					r.Select(f)
				}
				if r.Signature, err = t.verify(ctx, a, b); err != nil {
					return judgement{}, err
				}
				of := printings{"": r.WriteText, "long": r.WriteLong, "json": r.WriteJSON, "csv": r.WriteCSV, "pem": r.WritePEM}
				if style != "" {
					s, ok := show.Lookup(style)
					if !ok {
						return judgement{}, fmt.Errorf("--style: %q is none: give iosxe or iosxr", style)
					}
					of[""] = report.Unfolded(func(w io.Writer) error { return show.Write(w, s, r.Certificates(), show.Downloaded) })
				}
				return judgement{yes: r.Selected == nil || len(r.Selected) > 0, of: of}, nil
			})
		},
	}
	t.flags(cmd)
	f := cmd.Flags()
	f.StringArrayVar(&filters, "filter", nil, "keep what matches `FILTER` (repeatable)")
	f.StringVar(&style, "style", "", "print what a device of the kind `NAME`, iosxe or iosxr, would show of these certificates")
	as.flags(cmd, "long", "json", "csv", "pem", "quiet")
	exclusive(cmd, "long", "style", "json", "csv", "pem", "quiet")
	a.outputFlag(cmd)
	return cmd
}

package cli

import (
	"context"

	"github.com/spf13/cobra"

	"trustpool/bundle"
	"trustpool/internal/report"
)

func (a *app) verifyCommand() *cobra.Command {
	var t trust
	var as printing
	cmd := &cobra.Command{
		Use:   "verify [FILE…]",
		Short: "Say who vouches for a bundle",
		Long: `Say whether a bundle's signature leads to a trusted root, and how: each signer
and each certificate of its chain. Without --root that is Cisco Root CA M1, as
on IOS XR, or TRS Bundle Root CA. Roots of the system never count. Revocation
is not looked at.

Several FILEs get a line each. Exit status: 0, or 1 if one is not verified.`,
		Example: `  trustpool verify ios.p7b
  trustpool verify *.p7b
  trustpool verify --root lab-root.pem --at 2026-01-01 lab.p7b`,
		Args: a.files,
		RunE: func(cmd *cobra.Command, args []string) error {
			return a.each(cmd, args, as, func(ctx context.Context, arg string) (judgement, error) {
				a.gather(as, &t.at)
				b, name, err := a.readAs(ctx, arg, bundle.Limits.ParseOutline)
				if err != nil {
					return judgement{}, err
				}
				r, err := t.verify(ctx, a, b)
				if err != nil {
					return judgement{}, err
				}
				r.File, r.Evidence = name, a.evidence
				of := printings{"": r.WriteText, "json": r.WriteJSON}
				line := func(s report.Screen) string {
					return report.Printable(label(name)) + ": " + s.Verdict(r.Verified, r.Summary())
				}
				return judgement{yes: r.Verified, of: of, line: line}, nil
			})
		},
	}
	t.flags(cmd)
	as.flags(cmd, "json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

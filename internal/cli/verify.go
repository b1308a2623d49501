package cli

import (
	"github.com/spf13/cobra"

	"trustpool/bundle"
)

func (a *app) verifyCommand() *cobra.Command {
	var t trust
	var as printing
	cmd := &cobra.Command{
		Use:   "verify FILE",
		Short: "Say who vouches for a bundle",
		Long: `Say whether a bundle's signature leads to a trusted root, and how: each signer
and each certificate of its chain. Without --root that is Cisco Root CA M1, as
on IOS XR, or TRS Bundle Root CA. Roots of the system never count. Revocation
is not looked at.

Exit status: 0, or 1 where it is not verified.`,
		Example: `  trustpool verify ios.p7b
  trustpool verify --root lab-root.pem --at 2026-01-01 lab.p7b`,
		Args: arguments("FILE"),
		RunE: func(cmd *cobra.Command, args []string) error {
			b, name, err := a.readAs(cmd.Context(), args[0], bundle.Limits.ParseOutline)
			if err != nil {
				return err
			}
			r, err := t.verify(cmd.Context(), a, b)
			if err != nil {
				return err
			}
			r.File = name
			return a.answer(r.Verified, as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	t.flags(cmd)
	as.flags(cmd, "json")
	a.outputFlag(cmd)
	return cmd
}

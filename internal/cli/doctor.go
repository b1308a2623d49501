package cli

import (
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"trustpool/internal/fetch"
	"trustpool/internal/hosting/doctor"
)

func (a *app) doctorCommand() *cobra.Command {
	var t trust
	var timeout time.Duration
	var as printing
	cmd := &cobra.Command{
		Use:   "doctor URL",
		Short: "Grade a server of bundles as devices see it",
		Long: `Fetch a bundle as IOS, IOS XE, IOS XR and ASA would, as far as their requests
are known, and in other ways that show what the server does: whether each gets
the same verified file, without redirect, chunks or compression, with its
length, and an error if there is no file. Each finding says why it matters,
how sure that is (confirmed, inferred, unverified), and what to do.

The connection is direct: no proxy is used. Of a server for https any
certificate is taken, and judged in the report: devices know other roots than
this machine.

Exit status: 0, or 1 if a check failed; a warning is not a failure.`,
		Example: `  trustpool doctor http://10.0.0.5/ios.p7b
  trustpool doctor http://lab.example/lab.p7b --root lab-root.pem --json`,
		Args: arguments("URL"),
		RunE: func(cmd *cobra.Command, args []string) error {
			shown, err := doctor.CheckURL(args[0])
			if err != nil {
				return err
			}
			if a.offline {
				return fmt.Errorf("%s: %w", shown, fetch.ErrOffline)
			}
			if timeout <= 0 {
				return errors.New("--timeout: not a time above zero")
			}
			o := doctor.Options{URL: args[0], At: t.at.or(a.env.Now), Limits: a.limits, MaxBytes: a.limits.Bytes, Timeout: timeout}
			if o.Anchors, err = a.readAnchors(cmd.Context(), "--root", t.roots); err != nil {
				return err
			}
			p := a.progress(nothing, "examining %s", shown)
			r, err := doctor.Run(cmd.Context(), o)
			p.done()
			if err != nil {
				return fmt.Errorf("%s: %w", shown, err)
			}
			r.At = t.at.chosen()
			return a.answer(r.OK(), as, printings{"": r.WriteText, "json": r.WriteJSON})
		},
	}
	t.flags(cmd)
	cmd.Flags().DurationVar(&timeout, "timeout", doctor.DefaultTimeout, "wait `DURATION` for each answer")
	as.flags(cmd, "json", "quiet")
	a.outputFlag(cmd)
	return cmd
}

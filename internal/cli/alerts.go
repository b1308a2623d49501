package cli

import (
	"io"

	"github.com/spf13/cobra"

	"trustpool/internal/hosting"
)

func (a *app) alertsCommand() *cobra.Command {
	var o hosting.AlertOptions
	cmd := &cobra.Command{
		Use:   "alerts",
		Short: "Write alert rules for what serve measures",
		Long: `Write alert rules for Prometheus over the metrics of trustpool serve, with
thresholds of your own: docs/hosting.md has the metrics.

That a bundle is old is said for a while only, from the day on which it is old
or was published: the newest file of a store without a network may well be old.`,
		Example: `  trustpool alerts -o /etc/prometheus/rules/trustpool.yaml
  trustpool alerts --max-age 2y --mirror-age 36h`,
		Args: arguments(),
		RunE: func(*cobra.Command, []string) error {
			return a.write(func(w io.Writer) error { return hosting.WriteAlerts(w, o) })
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.Job, "job", hosting.DefaultJob, "Prometheus asks the servers as the job `NAME`")
	f.Func("max-age", "a bundle is old if it was signed `DURATION` ago (default 400d)", duration(&o.MaxAge))
	f.Func("old-for", "say for `DURATION` that a bundle is old (default 14d)", duration(&o.OldFor))
	f.Func("mirror-age", "a mirror is dead if it has not succeeded for `DURATION` (default 3d)", duration(&o.MirrorAge))
	f.Func("soon", "what ends within `DURATION` ends soon (default 30d)", duration(&o.Soon))
	f.Func("watch-age", "a watched server may be silent for `DURATION` (default 3h)", duration(&o.WatchAge))
	a.outputFlag(cmd)
	return cmd
}

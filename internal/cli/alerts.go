package cli

import (
	"errors"
	"io"
	"time"

	"github.com/spf13/cobra"

	"trustpool/bundle"
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
	threshold := func(to *time.Duration, name, usage string) {
		f.Func(name, usage, func(v string) (err error) {
			if *to, err = bundle.ParseDuration(v); err == nil && *to < time.Second {
				err = errors.New("is to be longer than nothing")
			}
			return err
		})
	}
	threshold(&o.MaxAge, "max-age", "a bundle is old if it was signed `DURATION` ago (default 400d)")
	threshold(&o.OldFor, "old-for", "say for `DURATION` that a bundle is old (default 14d)")
	threshold(&o.MirrorAge, "mirror-age", "a mirror is dead if it has not succeeded for `DURATION` (default 3d)")
	threshold(&o.Soon, "soon", "what ends within `DURATION` ends soon (default 30d)")
	threshold(&o.WatchAge, "watch-age", "a watched server may be silent for `DURATION` (default 3h)")
	a.outputFlag(cmd)
	return cmd
}

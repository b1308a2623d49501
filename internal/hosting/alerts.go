package hosting

import (
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"strings"
	"text/template"
	"time"
)

//go:embed alerts.yaml
var alertsTemplate string

// AlertOptions are the thresholds of alert rules. A zero value means the default.
type AlertOptions struct {
	Job       string        // under which Prometheus asks the servers
	MaxAge    time.Duration // a bundle that was signed so long ago is old
	OldFor    time.Duration // how long that is said of one that may be the newest
	MirrorAge time.Duration // a mirror that has not succeeded for so long is dead
	Soon      time.Duration // what ends within so long ends soon
	WatchAge  time.Duration // how long a watched server may be silent
}

// Defaults of AlertOptions.
const (
	DefaultJob       = "trustpool"
	defaultMaxAge    = 400 * 24 * time.Hour
	defaultOldFor    = 14 * 24 * time.Hour
	defaultMirrorAge = 3 * 24 * time.Hour
	defaultSoon      = 30 * 24 * time.Hour
	defaultWatchAge  = 3 * time.Hour
)

// WriteAlerts writes rules for Prometheus.
func WriteAlerts(w io.Writer, o AlertOptions) error {
	o.Job = cmp.Or(o.Job, DefaultJob)
	o.MaxAge, o.OldFor, o.MirrorAge = cmp.Or(o.MaxAge, defaultMaxAge), cmp.Or(o.OldFor, defaultOldFor), cmp.Or(o.MirrorAge, defaultMirrorAge)
	o.Soon, o.WatchAge = cmp.Or(o.Soon, defaultSoon), cmp.Or(o.WatchAge, defaultWatchAge)
	for _, d := range []time.Duration{o.MaxAge, o.OldFor, o.MirrorAge, o.Soon, o.WatchAge} {
		if d < time.Second {
			return errors.New("a threshold is to be a second at least")
		}
	}
	if strings.ContainsFunc(o.Job, func(r rune) bool { return r <= ' ' || r > '~' || strings.ContainsRune("\"'\\#", r) }) {
		return fmt.Errorf("%q is not the name of a job", o.Job)
	}
	t, err := template.New("alerts").Delims("[[", "]]").Funcs(template.FuncMap{"seconds": seconds}).Parse(alertsTemplate)
	if err != nil {
		return err
	}
	return t.Execute(w, struct {
		AlertOptions
		WatchAge string
	}{o, promDuration(o.WatchAge)})
}

// seconds is a duration as an expression of Prometheus: 400 * 86400.
func seconds(d time.Duration) string {
	const day = 24 * time.Hour
	if d%day == 0 {
		return fmt.Sprintf("%d * 86400", d/day)
	}
	return fmt.Sprint(int64(d / time.Second))
}

// promDuration is a duration as Prometheus writes it: 3h, 90m, 75s.
func promDuration(d time.Duration) string {
	switch {
	case d%time.Hour == 0:
		return fmt.Sprintf("%dh", d/time.Hour)
	case d%time.Minute == 0:
		return fmt.Sprintf("%dm", d/time.Minute)
	}
	return fmt.Sprintf("%ds", d/time.Second)
}

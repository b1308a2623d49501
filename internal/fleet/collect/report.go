package collect

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"time"

	"trustpool/internal/report"
)

// Schemas of the JSON: of the files below .collect, and of a report.
const (
	Schema       = "trustpool.collect/1"
	SchemaReport = "trustpool.collect-report/1"
)

// An Outcome is what became of one device.
type Outcome string

// The outcomes.
const (
	Collected  Outcome = "collected"
	Fresh      Outcome = "fresh"      // collected recently, and not read anew
	Unreadable Outcome = "unreadable" // there is a capture, and nobody can read the pool in it
	Failed     Outcome = "failed"     // there is no capture of this time
)

// Outcomes are all of them, in the order of reports.
func Outcomes() []Outcome { return []Outcome{Collected, Fresh, Unreadable, Failed} }

// A Reason is why a device was not collected.
type Reason string

// The reasons; [Reasons] has what they mean.
const (
	Name        Reason = "name"
	Platform    Reason = "platform"
	Address     Reason = "address"
	Unreachable Reason = "unreachable"
	HostKey     Reason = "host-key"
	Denied      Reason = "denied"
	SSHError    Reason = "ssh"
	Timeout     Reason = "timeout"
	Ended       Reason = "ended"
	Flood       Reason = "flood"
	Secret      Reason = "secret"
	Refused     Reason = "refused"
	Pages       Reason = "pages"
	Nonsense    Reason = "nonsense"
	Interrupted Reason = "interrupted"
	Other       Reason = "other"
)

// Reasons are all of them, with what each means.
func Reasons() []struct {
	Reason  Reason
	Meaning string
} {
	return []struct {
		Reason  Reason
		Meaning string
	}{
		{Name, "the name cannot be that of a file, or two names differ by the case of letters alone"},
		{Platform, "the platform is not known, or how it shows its pool"},
		{Address, "there is no address or host name to connect to"},
		{Unreachable, "no connection came about"},
		{HostKey, "the host key is not in known_hosts, or is another one"},
		{Denied, "who logs in is refused"},
		{SSHError, "anything else that SSH says"},
		{Timeout, "the device did not go on before the time was up: no answer, no prompt, or a question"},
		{Ended, "the session ended too early"},
		{Flood, "the device printed more than the limit"},
		{Secret, "`enable` refuses the secret, or the device prints what is typed for it"},
		{Refused, "the device refuses the command that shows the pool"},
		{Pages, "the output comes in pages, and the device does not take the command against that"},
		{Nonsense, "what was printed is not a pool that can be read"},
		{Interrupted, "the run was interrupted"},
		{Other, "this machine could not do its part"},
	}
}

// A Failure is why a device was not collected.
type Failure struct {
	Reason Reason
	Detail string
}

func (f *Failure) Error() string { return f.Detail }

// A Capture is the file of what a device printed.
type Capture struct {
	File   string    `json:"file"`
	At     time.Time `json:"at"`
	Bytes  int       `json:"bytes"`
	SHA256 string    `json:"sha256"`
}

// A Row is what became of one device.
type Row struct {
	Name, Platform string
	Host           string
	Port           int
	SSH            string // how it was read: system, builtin; empty if not at all
	Command        string // that shows the pool
	Began, Ended   time.Time
	Outcome        Outcome
	Failure        *Failure // nil for collected and fresh
	Capture        *Capture // the last one that there is, perhaps of an earlier time
}

// A Report is what became of all devices.
type Report struct {
	Dir  string
	SSH  string
	Rows []Row
	// Evidence is the program, and when the run began; the caller may add its inputs.
	Evidence *report.Evidence
}

// Counts are the devices of each outcome.
func (r *Report) Counts() map[Outcome]int {
	counts := map[Outcome]int{}
	for i := range r.Rows {
		counts[r.Rows[i].Outcome]++
	}
	return counts
}

// OK reports whether there is a readable capture of every device.
func (r *Report) OK() bool {
	counts := r.Counts()
	return counts[Failed] == 0 && counts[Unreadable] == 0
}

// WriteText writes the counts, and a line for each device that was not collected.
func (r *Report) WriteText(w io.Writer) error {
	counts := r.Counts()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%d of %s collected in %s", counts[Collected]+counts[Fresh], report.Count(len(r.Rows), "device"), report.Printable(r.Dir))
	if n := counts[Fresh]; n > 0 {
		fmt.Fprintf(b, "; %d of them earlier", n)
	}
	for _, o := range []Outcome{Unreadable, Failed} {
		if counts[o] > 0 {
			fmt.Fprintf(b, "; %d %s", counts[o], o)
		}
	}
	b.WriteByte('\n')
	if r.OK() {
		return b.Flush()
	}
	b.WriteByte('\n')
	if err := b.Flush(); err != nil {
		return err
	}
	screen := report.ScreenOf(w)
	t := screen.Table(w, report.Column{Title: "device", Kind: report.Name}, report.Column{Title: "platform", Drop: 2}, report.Column{Title: "outcome", Drop: 3},
		report.Column{Title: "reason"}, report.Column{Title: "capture", Drop: 1}, report.Column{Title: "what happened", Kind: report.Prose})
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Failure == nil {
			continue
		}
		tone := report.Bad
		if row.Outcome == Unreadable {
			tone = report.Warn
		}
		captured := ""
		if row.Capture != nil {
			captured = report.Day(row.Capture.At)
		}
		t.Row(report.Printable(row.Name), report.OrDash(report.Printable(row.Platform)), screen.Paint(tone, string(row.Outcome)), string(row.Failure.Reason),
			report.OrDash(captured), report.Printable(row.Failure.Detail))
	}
	return t.Flush()
}

// reportJSON is the head of the JSON of a report.
type reportJSON struct {
	Schema   string           `json:"schema"`
	Evidence *report.Evidence `json:"evidence"`
	Counts   map[Outcome]int  `json:"counts"`
}

// record is the JSON of the file about one device.
type record struct {
	Schema  string  `json:"schema"`
	Tool    string  `json:"tool"`
	Version *string `json:"version"`
	rowJSON
}

type rowJSON struct {
	Name      string   `json:"name"`
	Platform  *string  `json:"platform"`
	Host      *string  `json:"host"`
	Port      *int     `json:"port"`
	SSH       *string  `json:"ssh"`
	Command   *string  `json:"command"`
	StartedAt string   `json:"started_at"`
	EndedAt   string   `json:"ended_at"`
	Outcome   Outcome  `json:"outcome"`
	Reason    *Reason  `json:"reason"`
	Detail    *string  `json:"detail"`
	Capture   *Capture `json:"capture"`
}

func (r Row) json() rowJSON {
	j := rowJSON{
		Name: r.Name, Platform: report.Optional(r.Platform), Host: report.Optional(r.Host), Port: report.Optional(r.Port),
		SSH: report.Optional(r.SSH), Command: report.Optional(r.Command),
		StartedAt: report.Stamp(r.Began), EndedAt: report.Stamp(r.Ended), Outcome: r.Outcome,
	}
	if r.Failure != nil {
		j.Reason, j.Detail = &r.Failure.Reason, &r.Failure.Detail
	}
	if r.Capture != nil {
		c := *r.Capture
		c.At = c.At.UTC().Truncate(time.Second)
		j.Capture = &c
	}
	return j
}

// row reads what json made.
func (j *rowJSON) row() (*Row, error) {
	began, err := time.Parse(time.RFC3339, j.StartedAt)
	ended, err2 := time.Parse(time.RFC3339, j.EndedAt)
	if err = cmp.Or(err, err2); err != nil {
		return nil, err
	}
	if !slices.Contains(Outcomes(), j.Outcome) {
		return nil, fmt.Errorf("outcome %q", j.Outcome)
	}
	r := &Row{Name: j.Name, Platform: deref(j.Platform), Host: deref(j.Host), Port: deref(j.Port), SSH: deref(j.SSH), Command: deref(j.Command),
		Began: began, Ended: ended, Outcome: j.Outcome, Capture: j.Capture}
	if j.Reason != nil {
		r.Failure = &Failure{*j.Reason, deref(j.Detail)}
	}
	return r, nil
}

func deref[T any](p *T) (v T) {
	if p != nil {
		v = *p
	}
	return v
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	counts := map[Outcome]int{}
	for _, o := range Outcomes() {
		counts[o] = r.Counts()[o]
	}
	return report.WriteJSON(w, reportJSON{Schema: SchemaReport, Evidence: r.Evidence, Counts: counts}, report.List("devices", r.Rows, Row.json))
}

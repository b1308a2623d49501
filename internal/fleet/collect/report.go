package collect

import (
	"bufio"
	"fmt"
	"io"

	"trustpool/internal/fleet/record"
	"trustpool/internal/report"
)

// Schemas of the JSON: of the files below .collect, and of a report.
const (
	Schema       = "trustpool.collect/1"
	SchemaReport = "trustpool.collect-report/1"
)

// A Reason is why a device was not collected.
type Reason = report.Text

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

// A Report is what became of all devices.
type Report struct {
	Dir  string
	Rows []record.Row
	// Evidence is the program, and when the run began; the caller may add its inputs.
	Evidence *report.Evidence
}

// Counts are the devices of each outcome, of those without one too.
func (r *Report) Counts() map[record.Outcome]int {
	counts := map[record.Outcome]int{}
	for _, o := range record.Outcomes() {
		counts[o] = 0
	}
	for i := range r.Rows {
		counts[r.Rows[i].Outcome]++
	}
	return counts
}

// OK reports whether there is a readable capture of every device.
func (r *Report) OK() bool {
	counts := r.Counts()
	return counts[record.Failed] == 0 && counts[record.Unreadable] == 0
}

// WriteText writes the counts, and a line for each device that was not collected.
func (r *Report) WriteText(w io.Writer) error {
	counts := r.Counts()
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%d of %s collected in %s", counts[record.Collected]+counts[record.Fresh], report.Count(len(r.Rows), "device"), report.Printable(r.Dir))
	if n := counts[record.Fresh]; n > 0 {
		fmt.Fprintf(b, "; %d of them earlier", n)
	}
	for _, o := range []record.Outcome{record.Unreadable, record.Failed} {
		if counts[o] > 0 {
			fmt.Fprintf(b, "; %d %s", counts[o], o)
		}
	}
	b.WriteByte('\n')
	if r.OK() {
		return b.Flush()
	}
	b.WriteByte('\n')
	screen := report.ScreenOf(w)
	t := screen.Table(b, report.Column{Title: "device", Kind: report.Name}, report.Column{Title: "platform", Drop: 2}, report.Column{Title: "outcome", Drop: 3},
		report.Column{Title: "reason"}, report.Column{Title: "capture", Drop: 1}, report.Column{Title: "what happened", Kind: report.Prose})
	for i := range r.Rows {
		row := &r.Rows[i]
		if row.Reason == "" {
			continue
		}
		tone := report.Bad
		if row.Outcome == record.Unreadable {
			tone = report.Warn
		}
		captured := ""
		if row.Capture != nil {
			captured = report.Day(row.Capture.At.Time)
		}
		t.Row(report.Printable(row.Name), report.OrDash(report.Printable(string(row.Platform))), screen.Paint(tone, string(row.Outcome)), string(row.Reason),
			report.OrDash(captured), report.Printable(string(row.Detail)))
	}
	_ = t.Flush() // b keeps its first error
	return b.Flush()
}

// WriteJSON writes the report as JSON.
func (r *Report) WriteJSON(w io.Writer) error {
	head := struct {
		Schema   string                 `json:"schema"`
		Evidence *report.Evidence       `json:"evidence"`
		Counts   map[record.Outcome]int `json:"counts"`
	}{SchemaReport, r.Evidence, r.Counts()}
	return report.WriteJSON(w, head, report.List("devices", r.Rows, report.Same))
}

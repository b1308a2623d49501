// Package record is what collect says of each device, in a file beside the captures:
// when and how it was read, or why not. collect writes it, and fleet reads it.
package record

import "trustpool/internal/report"

// Dir is the directory of the records, in that of the captures.
const Dir = ".collect"

// MaxBytes is how many bytes a file of Dir may have.
const MaxBytes = 1 << 20

// File returns the path of the file about a device, from the directory of the captures.
func File(name string) string { return Dir + "/" + name + ".json" }

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

// A Capture is the file of what a device printed.
type Capture struct {
	File   string        `json:"file"`
	At     report.Moment `json:"at"`
	Bytes  int           `json:"bytes"`
	SHA256 string        `json:"sha256"`
}

// A Row is what became of one device.
type Row struct {
	Name     string        `json:"name"`
	Platform report.Text   `json:"platform"`
	Host     report.Text   `json:"host"`
	Port     *int          `json:"port"`    // nil if the inventory does not say
	SSH      report.Text   `json:"ssh"`     // how it was read: system, builtin; empty if not at all
	Command  report.Text   `json:"command"` // that shows the pool
	Began    report.Moment `json:"started_at"`
	Ended    report.Moment `json:"ended_at"`
	Outcome  Outcome       `json:"outcome"`
	Reason   report.Text   `json:"reason"` // why it was not collected; empty for collected and fresh
	Detail   report.Text   `json:"detail"`
	Capture  *Capture      `json:"capture"` // the last one that there is, perhaps of an earlier time
}

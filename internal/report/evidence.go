package report

import (
	"bufio"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"maps"
	"slices"
	"time"
)

// An Evidence is what a report rests on, for whoever files it: which program judged,
// as of when, and the bytes that it read.
type Evidence struct {
	Tool    string  `json:"tool"`
	Version *string `json:"version"` // nil if the program does not know its own
	At      string  `json:"at"`      // the time of judgement
	Inputs  []Input `json:"inputs"`  // in the order in which they were read

	added map[Input]bool
}

// An Input is one file as it was read, before anything was unpacked or decoded.
type Input struct {
	Name   string `json:"name"` // as the user gave it, without secrets
	SHA256 string `json:"sha256"`
}

// NewEvidence begins the evidence of a judgement as of a time. version may be empty.
func NewEvidence(version string, at time.Time) *Evidence {
	return &Evidence{Tool: "trustpool", Version: Optional(version), At: at.UTC().Format(time.RFC3339Nano), Inputs: []Input{}, added: map[Input]bool{}}
}

// Add adds what was read. The same bytes under the same name count once.
func (e *Evidence) Add(name string, data []byte) { e.AddSum(name, sha256.Sum256(data)) }

// AddSum is Add for a file with a known SHA-256.
func (e *Evidence) AddSum(name string, sum [sha256.Size]byte) {
	if in := (Input{name, hex.EncodeToString(sum[:])}); !e.added[in] {
		e.added[in] = true
		e.Inputs = append(e.Inputs, in)
	}
}

// Clone returns a copy that does not grow with the original; of nil it is nil.
func (e *Evidence) Clone() *Evidence {
	if e == nil {
		return nil
	}
	c := *e
	c.Inputs, c.added = slices.Clone(e.Inputs), maps.Clone(e.added)
	return &c
}

// Program is the program and its version, in words.
func (e *Evidence) Program() string {
	if e.Version == nil {
		return e.Tool + ", version not known"
	}
	return e.Tool + " " + *e.Version
}

// maxInputs is how many inputs the reports for people list.
const maxInputs = 100

// Listed are the inputs that reports for people list.
func (e *Evidence) Listed() []Input { return e.Inputs[:min(len(e.Inputs), maxInputs)] }

// Left is how many inputs they do not list.
func (e *Evidence) Left() int { return len(e.Inputs) - len(e.Listed()) }

// WriteMarkdown writes the evidence as a section of a report, and nothing for nil.
func (e *Evidence) WriteMarkdown(w io.Writer) error {
	if e == nil {
		return nil
	}
	out := bufio.NewWriter(w)
	fmt.Fprintf(out, "\n## Evidence\n\nBy %s, as of %s, from:\n\n| file | SHA-256 |\n|---|---|\n", Markdown(e.Program()), e.At)
	for _, in := range e.Listed() {
		fmt.Fprintf(out, "| %s | %s |\n", Markdown(in.Name), in.SHA256)
	}
	if n := e.Left(); n > 0 {
		fmt.Fprintf(out, "\nAnd %d more, which the JSON has.\n", n)
	}
	return out.Flush()
}

package cli

import (
	"bytes"
	"errors"
	"io"
	"strconv"

	"github.com/spf13/cobra"

	"trustpool/internal/durable"
)

// A printing is how a report is printed: the name of the flag that asks for it, and "" for the text.
type printing string

// printings are what a report can be printed as.
type printings map[printing]func(io.Writer) error

// flags adds the flags that choose a printing, which exclude each other.
func (p *printing) flags(cmd *cobra.Command, names ...string) {
	help := map[string]string{
		"quiet":      "nothing: the exit status is the answer",
		"json":       "JSON",
		"csv":        "CSV",
		"html":       "one HTML page",
		"markdown":   "Markdown, for a ticket",
		"pem":        "the certificates as PEM",
		"long":       "everything about each certificate",
		"sarif":      "SARIF 2.1.0, for code scanning",
		"cyclonedx":  "CycloneDX 1.6, an inventory of the certificates",
		"cisco-json": "the diff.json that Cisco publishes beside a bundle",
		"ansible":    "an Ansible playbook",

		"ansible-hosts": "an Ansible inventory with a group for each state",
	}
	for _, name := range names {
		short := ""
		if name == "quiet" {
			short = "q"
		}
		cmd.Flags().BoolFuncP(name, short, "print "+help[name], func(value string) error {
			yes, err := strconv.ParseBool(value)
			if yes {
				*p = printing(name)
			}
			return err
		})
	}
	exclusive(cmd, names...)
}

// get is a printing. A report that has none of its own for --quiet prints nothing: the exit
// status says all.
func (p printings) get(as printing) func(io.Writer) error {
	if write, ok := p[as]; ok || as != "quiet" {
		return write
	}
	return func(io.Writer) error { return nil }
}

// answer writes the printing that was asked for, and is errNo if the answer is no.
func (a *app) answer(yes bool, as printing, of printings) error {
	if err := a.write(a.shown(as, of.get(as))); err != nil {
		return err
	}
	return answer(yes)
}

// answer is errNo if the answer is no.
func answer(yes bool) error {
	if !yes {
		return errNo
	}
	return nil
}

// answerWith is answer, and a second file beside the report: both, or neither.
func (a *app) answerWith(yes bool, as printing, of printings, path string, second func(io.Writer) error) error {
	var files []durable.File
	var out, beside bytes.Buffer
	if err := errors.Join(a.shown(as, of.get(as))(&out), second(&beside)); err != nil {
		return err
	}
	if a.output != "" && a.output != "-" {
		files = append(files, durable.File{Path: a.output, Data: out.Bytes()})
	}
	all := append(files, durable.File{Path: path, Data: beside.Bytes()})
	if err := a.onDisk(func(disk *durable.Disk) error { return disk.WriteAll(all, 0o644) }); err != nil {
		return err
	}
	if files == nil {
		if _, err := a.env.Stdout.Write(out.Bytes()); err != nil {
			return err
		}
	}
	return answer(yes)
}

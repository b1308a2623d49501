package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/device"
)

// WritePlaybook writes an Ansible playbook that imports from the URL or file, and
// fails if the device does not show that it did. It needs the collections
// cisco.ios, cisco.iosxr or cisco.asa. It is an error for other platforms, and for
// certificates to paste, because no module is known to hold such a dialog.
func (s *Script) WritePlaybook(w io.Writer) error {
	p := playbook{s: s}
	switch {
	case s.Refused != "":
		return fmt.Errorf("no playbook: %s", s.Refused)
	case len(s.PEM) > 0:
		return fmt.Errorf("no playbook: pasting needs a person who compares; give a URL or a file")
	case s.Platform.Name == "ios" || s.Platform.Name == "iosxe":
		p.ios()
	case s.Platform.Name == "iosxr":
		p.iosxr()
	case s.Platform.Name == "asa":
		p.asa()
	default:
		return fmt.Errorf("no playbook: there is none for %s", s.Platform.Title)
	}
	buf := bufio.NewWriter(w)
	buf.WriteString("---\n")
	for _, n := range s.Warnings {
		yamlComment(buf, n.Text+" ("+ground(n.Ground)+")")
	}
	for _, l := range append(s.Lines(), s.checkLines()...) {
		if l.Basis != device.Confirmed && strings.Contains(p.out.String(), quote(l.Text)) {
			yamlComment(buf, l.Text+" ("+ground(l.Ground)+")")
		}
	}
	if s.Platform.Name != "asa" && s.options.Expect == nil {
		yamlComment(buf, "That something is downloaded is all that the pool is asked: it may be older. Name a subject that it must show, and it is asked for that too.")
	}
	buf.WriteString(p.out.String())
	return buf.Flush()
}

func (s *Script) checkLines() []Line {
	var lines []Line
	for _, c := range s.Checks {
		lines = append(lines, c.Line)
	}
	return lines
}

func yamlComment(w io.Writer, text string) {
	var b strings.Builder
	comment(&b, "", text)
	for l := range strings.Lines(b.String()) {
		fmt.Fprintf(w, "#%s", l[1:])
	}
}

// A playbook is the text of one play. Values have none of the characters that
// would mean something within single quotes, or to Jinja.
type playbook struct {
	s   *Script
	out strings.Builder
}

func (p *playbook) line(indent int, text string) {
	fmt.Fprintf(&p.out, "%s%s\n", strings.Repeat(" ", indent), text)
}

// quote makes a scalar of printable ASCII, which all values are.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

func (p *playbook) begin(os string) {
	p.line(0, "- name: "+quote("Import "+p.s.source()+" on "+p.s.Platform.Title))
	p.line(2, "hosts: '{{ trustpool_hosts | default(\"all\") }}'")
	p.line(2, "gather_facts: false")
	p.line(2, "vars:")
	p.line(4, "ansible_connection: ansible.netcommon.network_cli")
	p.line(4, "ansible_network_os: "+os)
	p.line(4, "ansible_command_timeout: 300")
	p.line(2, "tasks:")
}

// commands is a task that runs commands and keeps what they print.
func (p *playbook) commands(name, module, register string, commands ...string) {
	p.line(4, "- name: "+quote(name))
	p.line(6, module+":")
	p.line(8, "commands:")
	for _, c := range commands {
		if c == importBundles {
			p.line(10, "- command: "+quote(c))
			p.line(12, "prompt: 'bytes'")
			p.line(12, "answer: 'yes'")
			continue
		}
		p.line(10, "- "+quote(c))
	}
	p.line(6, "register: "+register)
}

// configure is a task that puts lines into the configuration.
func (p *playbook) configure(name, module, parent string, lines ...string) {
	p.line(4, "- name: "+quote(name))
	p.line(6, module+":")
	if parent != "" {
		p.line(8, "parents: "+quote(parent))
	}
	p.line(8, "lines:")
	for _, l := range lines {
		p.line(10, "- "+quote(l))
	}
}

// assert is a task that fails the play unless every condition holds.
func (p *playbook) assert(name, otherwise string, conditions ...string) {
	p.line(4, "- name: "+quote(name))
	p.line(6, "ansible.builtin.assert:")
	p.line(8, "that:")
	for _, c := range conditions {
		p.line(10, "- "+quote(c))
	}
	p.line(8, "fail_msg: "+quote(otherwise))
}

// texts are the lines of a mode, which a task takes from the script: so both say
// the same.
func (p *playbook) texts(modes ...Mode) []string {
	var out []string
	for _, l := range p.s.Lines() {
		for _, m := range modes {
			if l.Mode == m {
				out = append(out, l.Text)
			}
		}
	}
	return out
}

// expected are conditions that a printed pool names what was asked for.
func (p *playbook) expected(printed string) []string {
	var out []string
	for _, e := range p.s.options.Expect {
		out = append(out, fmt.Sprintf("%q in %s", e, printed))
	}
	return out
}

const importBundles = "crypto pki trustpool import ca-bundle"

func (p *playbook) ios() {
	p.begin("cisco.ios.ios")
	if policy := p.texts(Policy); policy != nil {
		p.configure("Set the policy", "cisco.ios.ios_config", "crypto pki trustpool policy", policy[:len(policy)-1]...)
	}
	// The import is a command of configuration mode, and what it prints is wanted:
	// cisco.ios.ios_config keeps that to itself.
	commands := []string{"configure terminal"}
	for _, c := range p.texts(Config) {
		if c != "crypto pki trustpool policy" {
			commands = append(commands, c)
		}
	}
	p.commands("Import", "cisco.ios.ios_command", "trustpool_import", commands...)
	conditions := []string{`trustpool_import.stdout | join(" ") is not search("(?i)% *(error|failed)|import failed|invalid certificate")`}
	if commands[len(commands)-2] != importBundles {
		conditions = append(conditions, `"% PEM files import succeeded." in trustpool_import.stdout | join(" ")`)
	}
	p.assert("The device says that it imported", "no import: read what the device printed", conditions...)
	p.commands("Ask the pool", "cisco.ios.ios_command", "trustpool_pool", "show crypto pki trustpool | count Downloaded", "show crypto pki trustpool")
	p.assert("The pool has what was downloaded", "the pool does not show what was to be imported",
		append([]string{`trustpool_pool.stdout[0] is search("= *[1-9]")`}, p.expected("trustpool_pool.stdout[1]")...)...)
	p.line(4, "- name: 'Keep it'")
	p.line(6, "cisco.ios.ios_config:")
	p.line(8, "save_when: always")
}

func (p *playbook) iosxr() {
	p.begin("cisco.iosxr.iosxr")
	if lines := p.texts(Config); lines != nil {
		p.configure("Set where the device fetches by itself", "cisco.iosxr.iosxr_config", "", lines[:len(lines)-2]...)
	}
	var commands []string
	for _, c := range p.texts(Exec) {
		if c != "configure" {
			commands = append(commands, c)
		}
	}
	p.commands("Import", "cisco.iosxr.iosxr_command", "trustpool_import", commands...)
	p.commands("Ask the pool", "cisco.iosxr.iosxr_command", "trustpool_pool", "show crypto ca trustpool")
	p.assert("The pool has what was downloaded", "the pool does not show what was to be imported", append([]string{
		`trustpool_import.stdout | join(" ") is not search("(?i)fail|error|invalid")`,
		`trustpool_pool.stdout[0] is search("Trustpool: *Downloaded")`,
	}, p.expected("trustpool_pool.stdout[0]")...)...)
}

func (p *playbook) asa() {
	p.begin("cisco.asa.asa")
	if policy := p.texts(Policy); policy != nil {
		p.configure("Set the policy", "cisco.asa.asa_config", "crypto ca trustpool policy", policy[:len(policy)-1]...)
	}
	var commands []string
	for _, c := range p.texts(Exec) {
		if strings.HasPrefix(c, "crypto ca trustpool import ") {
			commands = append(commands, c)
		}
	}
	p.commands("Import", "cisco.asa.asa_command", "trustpool_import", commands...)
	p.assert("The ASA verified and imported", "no import: read what the ASA printed",
		`"Root file signature verified." in trustpool_import.stdout[0]`,
		`trustpool_import.stdout[0] is search("(installed|duplicates): *[1-9]")`,
	)
	if p.s.options.Expect != nil {
		p.commands("Ask the pool", "cisco.asa.asa_command", "trustpool_pool", "show crypto ca trustpool")
		p.assert("The pool has what is expected", "the pool does not show what was to be imported", p.expected("trustpool_pool.stdout[0]")...)
	}
	if p.s.options.Policy {
		p.commands("Keep it", "cisco.asa.asa_command", "trustpool_saved", "write memory")
	}
}

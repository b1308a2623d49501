package config

import (
	"bufio"
	"fmt"
	"io"
	"strings"

	"trustpool/internal/device"
)

// WritePlaybook writes an Ansible playbook that has the role trustpool.bundle.import
// do what the script does. The role asks the device first, imports only if something
// is missing, and fails unless the pool shows it afterwards. It is an error for other
// platforms than those of the role, and if only a person can compare what is pasted.
func (s *Script) WritePlaybook(w io.Writer) error {
	switch {
	case s.Refused != "":
		return fmt.Errorf("no playbook: %s", s.Refused)
	case s.Platform.NetworkOS == "" || s.Platform.Advice != "": // the role imports bundles
		return fmt.Errorf("no playbook: there is none for %s", s.Platform.Title)
	case len(s.PEM) > 0 && s.Platform.NetworkOS != "cisco.ios.ios":
		return fmt.Errorf("no playbook: pasting needs a person who compares: %s shows a fingerprint and asks; give a URL or a file", s.Platform.Title)
	}
	buf := bufio.NewWriter(w)
	buf.WriteString("---\n")
	s.playbookComments(buf)
	line := func(indent int, text string) { fmt.Fprintf(buf, "%s%s\n", strings.Repeat(" ", indent), text) }
	fmt.Fprintf(buf, `- name: %s
  hosts: '{{ trustpool_hosts | default("all") }}'
  gather_facts: false
  vars:
    ansible_connection: ansible.netcommon.network_cli
    ansible_network_os: %s
  roles:
    - role: trustpool.bundle.import
      vars:
        import_platform: %s
`, quote("Import "+s.source()+" on "+s.Platform.Title), s.Platform.NetworkOS, s.Platform.Name)
	for _, v := range []struct {
		given       bool
		name, value string
	}{
		{s.URL != "", "url", quote(s.URL)}, {s.File != "", "file", quote(s.File)}, {s.VRF != "", "vrf", quote(s.VRF)},
		{s.SourceInterface != "", "source_interface", quote(s.SourceInterface)}, {s.Policy, "policy", "true"}, {s.Clean, "clean", "true"},
	} {
		if v.given {
			line(8, "import_"+v.name+": "+v.value)
		}
	}
	if len(s.PEM) > 0 {
		line(8, "import_pem: |")
		for _, l := range s.Lines() {
			if l.Mode == Paste && l.Text != "quit" {
				line(10, l.Text)
			}
		}
	}
	if len(s.Expect) > 0 {
		line(8, "import_expect:")
		for _, e := range s.Expect {
			line(10, "- "+quote(e))
		}
	} else if name, _ := s.unnamed(); name != "" {
		line(8, "import_"+name+":")
		line(10, "- '{{ trustpool_"+name+" }}'")
	}
	return buf.Flush()
}

// playbookComments writes what to know before the playbook is run.
func (s *Script) playbookComments(w io.Writer) {
	say := func(text string) {
		var b strings.Builder
		comment(&b, "", text)
		for l := range strings.Lines(b.String()) {
			fmt.Fprintf(w, "#%s", l[1:])
		}
	}
	if s.Vouched != "" {
		say(s.Vouched)
	}
	for _, n := range s.Warnings {
		say(n.Text + " (" + ground(n.Ground) + ")")
	}
	said := map[string]bool{}
	for _, l := range s.Lines() {
		if text := l.Text + " (" + ground(l.Ground) + ")"; l.Basis != device.Confirmed && l.Mode != Paste && !said[text] {
			said[text] = true
			say(text)
		}
	}
	for i, step := range s.Steps {
		if i < len(s.PEM) {
			say(step.Title)
		}
		for _, r := range step.Remarks {
			say("  " + r)
		}
	}
	if _, how := s.unnamed(); how != "" && len(s.Expect) == 0 {
		say(how)
	}
}

// unnamed is what the user of a playbook has to say of what the device must have
// afterwards, if nothing was expected and the role has nothing else to go by, and how;
// or what the role takes for it.
func (s *Script) unnamed() (name, how string) {
	switch {
	case s.Platform.Name == "asa":
		return "expect", "How an ASA shows its pool is not known: say what it must show afterwards, with -e 'trustpool_expect=IdenTrust Commercial Root CA 1', or with --expect here."
	case s.File != "":
		return "wanted", "Say what the device must have afterwards, with -e trustpool_wanted=FILE, a copy of the bundle or a file of the roots that you need, or with --expect here."
	case s.URL != "":
		return "", "The device must have every certificate of the bundle afterwards that has not expired; the control machine reads it from the URL, too. With --expect here only a name is asked for."
	}
	return "", ""
}

// quote makes a scalar of printable ASCII, which all values are. Values have none of
// the characters that would mean something within single quotes, or to Jinja.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }

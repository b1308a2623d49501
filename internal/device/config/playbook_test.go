package config_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"trustpool/internal/device/config"
	"trustpool/internal/tooltest"
)

func playbook(t *testing.T, o config.Options) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := script(t, o).WritePlaybook(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// plays are the scripts that have a playbook.
func plays(t *testing.T) (out []config.Options) {
	t.Helper()
	for _, o := range scripts(t) {
		if len(o.PEM) == 0 && o.Platform.Name != "nxos" {
			out = append(out, o)
		}
	}
	return out
}

// All are YAML, and ansible-playbook takes them, with its modules at hand.
func TestPlaybookSyntax(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook")
	dir := t.TempDir()
	args := []string{"--syntax-check", "-i", "localhost,"}
	for i, o := range plays(t) {
		path := filepath.Join(dir, o.Platform.Name+strings.Repeat("x", i)+".yml")
		if err := os.WriteFile(path, playbook(t, o), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command("ansible-playbook", args...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "ANSIBLE_LOCAL_TEMP="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	if _, err := exec.LookPath("yamllint"); err == nil {
		tooltest.Run(t, nil, "yamllint", append([]string{"-d", "{extends: relaxed, rules: {line-length: disable}}"}, args[3:]...)...)
	}
}

// decode gives the tasks of a playbook.
func decode(t *testing.T, doc []byte) []map[string]any {
	t.Helper()
	var plays []struct{ Tasks []map[string]any }
	if err := yaml.Unmarshal(doc, &plays); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	return plays[0].Tasks
}

// The commands of the tasks are those of the script, byte for byte.
func TestPlaybookCommands(t *testing.T) {
	t.Parallel()
	for _, o := range plays(t) {
		commands := map[string]bool{}
		for _, l := range script(t, o).Lines() {
			commands[l.Text] = true
		}
		seen := 0
		for _, task := range decode(t, playbook(t, o)) {
			for _, module := range task {
				m, ok := module.(map[string]any)
				if !ok {
					continue
				}
				for _, key := range []string{"commands", "lines"} {
					list, _ := m[key].([]any)
					for _, c := range list {
						text, ok := c.(string)
						if !ok {
							text = c.(map[string]any)["command"].(string)
						}
						if seen++; !commands[text] && !strings.HasPrefix(text, "show ") {
							t.Errorf("%s: %q is not in the script", o.Platform.Name, text)
						}
					}
				}
			}
		}
		if seen < 2 && o.Platform.Name != "asa" || seen == 0 {
			t.Errorf("%s: %d commands", o.Platform.Name, seen)
		}
	}
}

// A verdict is the assertions of a playbook, what a device printed, and whether
// they are to hold.
type verdict struct {
	name    string
	doc     []byte
	printed map[string][]string
	want    bool
}

// judge has ansible-playbook play the assertions, all in one run.
func judge(t *testing.T, cases []verdict) {
	t.Helper()
	say := func(name string, verdict bool) map[string]any {
		return map[string]any{"ansible.builtin.debug": map[string]any{"msg": fmt.Sprintf("<%s: %t>", name, verdict)}}
	}
	var plays []any
	for _, c := range cases {
		var asserts []any
		for _, task := range decode(t, c.doc) {
			if task["ansible.builtin.assert"] != nil {
				asserts = append(asserts, task)
			}
		}
		vars := map[string]any{}
		for name, stdout := range c.printed {
			vars[name] = map[string]any{"stdout": stdout}
		}
		plays = append(plays, map[string]any{"hosts": "localhost", "connection": "local", "gather_facts": false, "vars": vars,
			"tasks": []any{map[string]any{"block": append(asserts, say(c.name, true)), "rescue": []any{say(c.name, false)}}}})
	}
	doc, err := yaml.Marshal(plays)
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	path := filepath.Join(dir, "play.yml")
	if err := os.WriteFile(path, doc, 0o644); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("ansible-playbook", "-i", "localhost,", path)
	cmd.Env = append(os.Environ(), "HOME="+dir, "ANSIBLE_LOCAL_TEMP="+dir, "ANSIBLE_NOCOLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range cases {
		if !bytes.Contains(out, fmt.Appendf(nil, "<%s: %t>", c.name, c.want)) {
			t.Errorf("%s: not %t\n%s", c.name, c.want, out)
		}
	}
}

func TestPlaybookJudges(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook")
	const url = "http://192.0.2.1/ios_core.p7b"
	ios := playbook(t, config.Options{Platform: platform(t, "iosxe"), URL: url, Expect: []string{"IdenTrust"}})
	xr := playbook(t, config.Options{Platform: platform(t, "iosxr"), URL: url})
	asa := playbook(t, config.Options{Platform: platform(t, "asa"), URL: url})
	counters := func(n string) []string {
		return []string{"Root file signature verified.\nTrustpool import:\n   attempted:  10\n   installed:  " + n + "\n   duplicates: 0\n   expired:    0\n   failed:     0"}
	}
	succeeded := []string{"", "Reading file from " + url + "\nLoading " + url + "\n% PEM files import succeeded.", ""}
	judge(t, []verdict{
		{"ios good", ios, map[string][]string{"trustpool_import": succeeded,
			"trustpool_pool": {"Number of lines which match regexp = 93", "cn=IdenTrust Commercial Root CA 1"}}, true},
		{"ios silent", ios, map[string][]string{"trustpool_import": {"", "Loading " + url, ""},
			"trustpool_pool": {"Number of lines which match regexp = 93", "cn=IdenTrust"}}, false},
		{"ios failed", ios, map[string][]string{"trustpool_import": {"", "% PEM files import succeeded.\nCertificate import failed", ""},
			"trustpool_pool": {"Number of lines which match regexp = 93", "cn=IdenTrust"}}, false},
		{"ios none", ios, map[string][]string{"trustpool_import": succeeded, "trustpool_pool": {"Number of lines which match regexp = 0", "cn=IdenTrust"}}, false},
		{"ios other", ios, map[string][]string{"trustpool_import": succeeded, "trustpool_pool": {"Number of lines which match regexp = 9", "cn=DigiCert"}}, false},
		{"xr good", xr, map[string][]string{"trustpool_import": {""}, "trustpool_pool": {"Trustpool: Built-In\nTrustpool: Downloaded"}}, true},
		{"xr none", xr, map[string][]string{"trustpool_import": {""}, "trustpool_pool": {"Trustpool: Built-In"}}, false},
		{"xr failed", xr, map[string][]string{"trustpool_import": {"Download failed"}, "trustpool_pool": {"Trustpool: Downloaded"}}, false},
		{"asa good", asa, map[string][]string{"trustpool_import": counters("10")}, true},
		{"asa none", asa, map[string][]string{"trustpool_import": counters("0")}, false},
		{"asa other", asa, map[string][]string{"trustpool_import": {"Trustpool import:\n   installed:  10"}}, false},
	})
}

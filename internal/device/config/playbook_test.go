package config_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"trustpool/internal/device/config"
	"trustpool/internal/tooltest"
)

const collection = "../../../packaging/ansible"

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
		switch o.Platform.Name {
		case "ios", "iosxe":
			out = append(out, o)
		case "iosxr", "asa":
			if len(o.PEM) == 0 {
				out = append(out, o)
			}
		}
	}
	return out
}

// All are YAML, and ansible-playbook takes them, with the collection at hand.
func TestPlaybookSyntax(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook", "yamllint")
	dir := t.TempDir()
	if err := os.CopyFS(filepath.Join(dir, "ansible_collections/trustpool/bundle"), os.DirFS(collection)); err != nil {
		t.Fatal(err)
	}
	args := []string{"--syntax-check", "-i", "localhost,"}
	for i, o := range plays(t) {
		path := filepath.Join(dir, o.Platform.Name+strings.Repeat("x", i)+".yml")
		if err := os.WriteFile(path, playbook(t, o), 0o644); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	cmd := exec.Command("ansible-playbook", args...)
	cmd.Env = append(os.Environ(), "HOME="+dir, "ANSIBLE_LOCAL_TEMP="+dir, "ANSIBLE_COLLECTIONS_PATH="+dir)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	tooltest.Run(t, nil, "yamllint", append([]string{"-d", "{extends: relaxed, rules: {line-length: disable}}"}, args[3:]...)...)
}

// A play is what the role is told.
type play struct {
	Vars map[string]any
	os   string
}

func decode(t *testing.T, doc []byte) play {
	t.Helper()
	var plays []struct {
		Vars  map[string]string
		Roles []struct {
			Role string
			Vars map[string]any
		}
	}
	if err := yaml.Unmarshal(doc, &plays); err != nil {
		t.Fatalf("%v\n%s", err, doc)
	}
	if len(plays) != 1 || len(plays[0].Roles) != 1 || plays[0].Roles[0].Role != "trustpool.bundle.import" {
		t.Fatalf("%s", doc)
	}
	return play{plays[0].Roles[0].Vars, plays[0].Vars["ansible_network_os"]}
}

// python runs a program that has the module of the collection as pool, and its input as
// cases.
func python(t *testing.T, program string, cases, results any) {
	t.Helper()
	interpreter := tooltest.AnsiblePython(t)
	in, err := json.Marshal(cases)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(interpreter, "-c", "import json, sys\nsys.path.insert(0, '"+collection+"/plugins/modules')\nimport pool\ncases = json.load(sys.stdin)\n"+program)
	cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
	cmd.Stdin = bytes.NewReader(in)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err == nil {
		err = json.Unmarshal(out, results)
	}
	if err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
}

// What the role sends to import is what the script says, byte for byte. Policies are
// set by other modules, of Cisco's collections.
func TestPlaybookCommands(t *testing.T) {
	t.Parallel()
	type call struct {
		Platform, Source, PEM string
		Policy, Clean         bool
	}
	var calls []call
	var want [][]string
	for _, o := range plays(t) {
		vars := decode(t, playbook(t, o)).Vars
		text := func(name string) string { s, _ := vars[name].(string); return s }
		ios := strings.HasPrefix(o.Platform.Name, "ios") && o.Platform.Name != "iosxr"
		byPolicy := vars["import_policy"] == true || text("import_vrf") != "" || text("import_source_interface") != ""
		calls = append(calls, call{text("import_platform"), text("import_url") + text("import_file"), text("import_pem"), ios && byPolicy, vars["import_clean"] == true})
		var lines []string
		for _, step := range script(t, o).Steps {
			if strings.Contains(step.Title, "by itself") || step.Title == "Keep it" {
				continue
			}
			for _, l := range step.Lines {
				if l.Mode != config.Policy && l.Text != "crypto pki trustpool policy" {
					lines = append(lines, l.Text)
				}
			}
		}
		want = append(want, lines)
	}
	var got [][]string
	python(t, `
out = []
for c in cases:
    pastes = pool.certificates(c["PEM"]) if c["PEM"] else []
    lines = []
    for command in pool.commands(c["Platform"], c["Source"], pastes, c["Policy"], c["Clean"]):
        lines += [command.text] + (command.answer.split("\r") if command.answer and command.answer != "yes" else [])
    out.append(lines)
json.dump(out, sys.stdout)
`, calls, &got)
	for i := range want {
		if !slices.Equal(got[i], want[i]) {
			t.Errorf("%+v:\n%q\n%q", calls[i], got[i], want[i])
		}
	}
}

// The playbook tells the role what the options say, and of nothing that it cannot know
// that it is there.
func TestPlaybookVariables(t *testing.T) {
	t.Parallel()
	for _, o := range plays(t) {
		p := decode(t, playbook(t, o))
		v := p.Vars
		if want := map[string]string{"ios": "cisco.ios.ios", "iosxe": "cisco.ios.ios", "iosxr": "cisco.iosxr.iosxr", "asa": "cisco.asa.asa"}[o.Platform.Name]; p.os != want || v["import_platform"] != o.Platform.Name {
			t.Errorf("%s: %s, %v", o.Platform.Name, p.os, v)
		}
		for name, want := range map[string]string{"import_url": o.URL, "import_file": o.File, "import_vrf": o.VRF, "import_source_interface": o.SourceInterface} {
			if got, _ := v[name].(string); got != want {
				t.Errorf("%s: %s is %q, want %q", o.Platform.Name, name, got, want)
			}
		}
		if pem, _ := v["import_pem"].(string); strings.Count(pem, "-----BEGIN CERTIFICATE-----\n") != len(o.PEM) {
			t.Errorf("%s: %q", o.Platform.Name, pem)
		}
		named := v["import_expect"] != nil || v["import_wanted"] != nil
		if known := (o.URL != "" || len(o.PEM) > 0) && o.Platform.Name != "asa"; !named && !known {
			t.Errorf("%s: what must be there afterwards is not said: %v", o.Platform.Name, v)
		}
	}
	for _, name := range []string{"asa", "fxos", "nxos"} {
		s := script(t, config.Options{Platform: platform(t, name), PEM: certificates(t, "lab-root.pem")})
		if err := s.WritePlaybook(&bytes.Buffer{}); err == nil {
			t.Errorf("%s: a playbook that pastes", name)
		}
	}
}

// What devices print at an import, and whether the role takes it for one.
func TestPlaybookJudges(t *testing.T) {
	t.Parallel()
	counters := func(n string) string {
		return "Root file signature verified.\nTrustpool import:\n   attempted:  10\n   installed:  " + n + "\n   duplicates: 0\n   expired:    0\n   failed:     0"
	}
	type verdict struct {
		Platform, Printed string
		Good              bool
	}
	const loading = "Reading file from http://192.0.2.1/a\nLoading http://192.0.2.1/a\n"
	cases := []verdict{
		{"iosxe", loading + "% PEM files import succeeded.", true},
		{"ios", loading + "% PEM files import succeeded.", true},
		{"iosxe", loading, false},
		{"iosxe", "% PEM files import succeeded.\nCertificate import failed", false},
		{"iosxe", "% No certificates imported from terminal.\n% PEM files import succeeded.", false},
		{"iosxe", loading + "%Error opening http://192.0.2.1/a (Timed out)", false},
		{"iosxr", "", true},
		{"iosxr", "Download failed", false},
		{"iosxr", "Reading file from http://192.0.2.1/errors/a\n", true},
		{"asa", counters("10"), true},
		{"asa", counters("0"), false},
		{"asa", "Trustpool import:\n   installed:  10", false},
		{"asa", strings.Replace(counters("0"), "duplicates: 0", "duplicates: 10", 1), true},
	}
	var got []*string
	python(t, `
json.dump([pool.judge(c["Platform"], pool.commands(c["Platform"], "http://192.0.2.1/errors/a", [])[-2 if "xe" in c["Platform"] or c["Platform"] == "ios" else -1], c["Printed"]) for c in cases], sys.stdout)
`, cases, &got)
	for i, c := range cases {
		if (got[i] == nil) != c.Good {
			t.Errorf("%+v: %v", c, got[i])
		}
	}
}

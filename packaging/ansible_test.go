package packaging_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/devicetest"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// A controller is a machine with Ansible, the collection and the program.
type controller struct {
	dir string
	env []string
}

// newController copies the collection to where Ansible looks for it.
func newController(t *testing.T) *controller {
	t.Helper()
	dir, err := os.MkdirTemp("", "ansible") // t.TempDir is too long for the sockets of connections
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	if err := os.CopyFS(filepath.Join(dir, "ansible_collections/trustpool/bundle"), os.DirFS("ansible")); err != nil {
		t.Fatal(err)
	}
	return &controller{dir, append(os.Environ(),
		"HOME="+dir, "ANSIBLE_HOME="+dir+"/.ansible", "ANSIBLE_COLLECTIONS_PATH="+dir, "ANSIBLE_NOCOLOR=1", "NO_COLOR=1", "LC_ALL=C.UTF-8", "ANSIBLE_FORKS=20",
		"ANSIBLE_RETRY_FILES_ENABLED=false", "ANSIBLE_DEPRECATION_WARNINGS=false", "PYTHONDONTWRITEBYTECODE=1",
	)}
}

func (c *controller) write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// maxPlay is how long a play may take on a machine that does other things as well.
const maxPlay = 4 * time.Minute

func (c *controller) command(t *testing.T, name string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), maxPlay)
	t.Cleanup(cancel)
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.WaitDelay = time.Second // the processes of connections have its output
	cmd.Dir, cmd.Env = c.dir, c.env
	return cmd
}

// The collection is as Ansible's own rules for certified content want it, and can be
// read by its tools.
func TestAnsibleLint(t *testing.T) {
	t.Parallel()
	for _, tool := range []string{"ansible-lint", "yamllint", "ansible-doc", "git"} {
		tooltest.Need(t, tool)
	}
	c := newController(t)
	collection := filepath.Join(c.dir, "ansible_collections/trustpool/bundle")
	for _, args := range [][]string{
		{"git", "init", "--quiet"}, // it lints what git lists
		{"git", "add", "."},
		{"ansible-lint", "--offline", "--profile", "production", "--strict"},
		{"yamllint", "--strict", "."},
		{"ansible-doc", "-t", "module", "trustpool.bundle.pool"},
		{"ansible-doc", "-t", "role", "trustpool.bundle.import", "trustpool.bundle.collect"},
	} {
		cmd := c.command(t, args[0], args[1:]...)
		cmd.Dir = collection
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
		if args[0] == "ansible-doc" && !bytes.Contains(out, []byte("Reads the pool")) && !bytes.Contains(out, []byte("Sends each device one command")) {
			t.Errorf("%v: %s", args, out)
		}
	}
}

// An outcome is what became of a host in a play.
type outcome struct {
	Changed, Failures, Unreachable int
	messages                       []string
	diff                           string
}

// play runs a playbook on the hosts of a lab, and returns what became of each.
func (c *controller) play(t *testing.T, args ...string) map[string]*outcome {
	t.Helper()
	var stderr bytes.Buffer
	cmd := c.command(t, "ansible-playbook", append([]string{"-i", "hosts.json", "--diff"}, args...)...)
	cmd.Env = append(cmd.Env, "ANSIBLE_STDOUT_CALLBACK=ansible.posix.json")
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	var report struct {
		Plays []struct {
			Tasks []struct {
				Hosts map[string]struct {
					Msg  any
					Diff json.RawMessage
				}
			}
		}
		Stats map[string]*outcome
	}
	start := bytes.IndexByte(out, '{')
	if start < 0 {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	if err := json.Unmarshal(out[start:], &report); err != nil {
		t.Fatalf("%v\n%s%s", err, out, stderr.Bytes())
	}
	for _, p := range report.Plays {
		for _, task := range p.Tasks {
			for host, h := range task.Hosts {
				o := report.Stats[host]
				if o == nil {
					t.Fatalf("no outcome of %s: %v\n%s%s", host, err, out, stderr.Bytes())
				}
				if msg, ok := h.Msg.(string); ok && msg != "" {
					o.messages = append(o.messages, msg)
				}
				var diff struct{ Before, After string } // of other modules it is a list
				if json.Unmarshal(h.Diff, &diff) == nil {
					o.diff += strings.TrimPrefix(diff.After, diff.Before)
				}
			}
		}
	}
	return report.Stats
}

// hosts writes the inventory of a lab: of each device its connection and the variables given.
func (c *controller) hosts(t *testing.T, lab *devicetest.Lab, devices []devicetest.Device, vars map[string]map[string]any) {
	t.Helper()
	known, err := os.ReadFile(filepath.Join(lab.Dir, "known_hosts"))
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, ".ssh/known_hosts", known)
	os := map[string]string{"ios": "ios", "iosxe": "ios", "iosxr": "iosxr", "nxos": "nxos", "asa": "asa"}
	hosts := map[string]any{}
	for _, d := range devices {
		host := map[string]any{
			"ansible_connection": "ansible.netcommon.network_cli", "ansible_network_os": fmt.Sprintf("cisco.%s.%[1]s", os[d.Platform]),
			"ansible_host": "127.0.0.1", "ansible_port": lab.Port(d.Name), "ansible_user": lab.User,
			"ansible_network_cli_ssh_type": "paramiko", "ansible_private_key_file": filepath.Join(lab.Dir, "id_ed25519"),
			"ansible_connect_timeout": 60, "ansible_command_timeout": 60,
		}
		if d.Secret != "" {
			maps.Copy(host, map[string]any{"ansible_become": true, "ansible_become_method": "enable", "ansible_become_password": d.Secret})
		}
		maps.Copy(host, vars[d.Name])
		hosts[d.Name] = host
	}
	doc, err := json.Marshal(map[string]any{"all": map[string]any{"hosts": hosts}})
	if err != nil {
		t.Fatal(err)
	}
	c.write(t, "hosts.json", doc)
}

// onlyShows are the lines that a client may send to find its way and to look.
func onlyShows(line string) bool {
	return line == "enable" || line == "TEST-SECRET" || strings.HasPrefix(line, "terminal ") || line == "no terminal pager" || strings.HasPrefix(line, "show ")
}

// The role imports once. In check mode and if nothing is missing it only looks, and if
// something goes wrong it says what, and answers nothing.
func TestAnsibleImport(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook")
	v1 := pkitest.CoreV1()
	bundle := pkitest.Bundle(pkitest.Lab().Signer, "Trusted Core Bundle", "1", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), v1...)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/hangs.p7b" {
			<-r.Context().Done()
			return
		}
		_, _ = w.Write(bundle)
	}))
	defer server.Close()
	url := server.URL + "/lab.p7b"
	root := pkitest.Lab().OtherRoot

	c := newController(t)
	c.write(t, "lab.p7b", bundle)
	c.write(t, "root.pem", append(pkitest.CertificatePEM(v1[0]), root.PEM()...))
	program := map[string]any{"import_program": build(t)[0], "import_timeout": 40}
	vars := map[string]map[string]any{}
	var devices []devicetest.Device
	add := func(d devicetest.Device, v map[string]any) {
		if d.Pool == nil {
			d.Pool = devicetest.BuiltIn(v1[:3]...)
		}
		vars[d.Name] = maps.Clone(program)
		maps.Copy(vars[d.Name], v)
		devices = append(devices, d)
	}
	file := map[string][]byte{"flash:lab.p7b": bundle}
	fromFile := map[string]any{"import_file": "flash:lab.p7b", "import_wanted": []string{"lab.p7b"}}
	command := "crypto pki trustpool import url flash:lab.p7b"

	// Those that are right, and what they have to be sent to import, and no more.
	imports := map[string][]string{
		"xe":    {"configure terminal", "crypto pki trustpool import url " + url, "end", "write memory"},
		"clean": {"configure terminal", "crypto pki trustpool import clean url flash:lab.p7b", "end"},
		"paste": {"configure terminal", "crypto pki trustpool import terminal", "end", "write memory"},
		"xr":    {"crypto ca trustpool import url " + url},
		"asa":   {"crypto ca trustpool import url " + url},
	}
	add(devicetest.Device{Name: "xe", Platform: "iosxe", Secret: "TEST-SECRET", MOTD: "Authorized use only"}, map[string]any{"import_url": url})
	add(devicetest.Device{Name: "clean", Platform: "iosxe", Delay: 20 * time.Millisecond, Messages: true, Files: file, Pool: append(devicetest.BuiltIn(v1[:3]...), devicetest.Downloaded(root.DER)...)},
		map[string]any{"import_file": "flash:lab.p7b", "import_wanted": []string{"lab.p7b"}, "import_clean": true, "import_save": false})
	add(devicetest.Device{Name: "paste", Platform: "ios", Secret: "TEST-SECRET"}, map[string]any{"import_pem": filepath.Join(c.dir, "root.pem")})
	add(devicetest.Device{Name: "xr", Platform: "iosxr"}, map[string]any{"import_url": url})
	add(devicetest.Device{Name: "asa", Platform: "asa", Secret: "TEST-SECRET"}, map[string]any{"import_url": url, "import_expect": []string{"cn=Elm Root CA"}})
	add(devicetest.Device{Name: "there", Platform: "iosxe", Pool: devicetest.Downloaded(v1...)}, map[string]any{"import_url": url})

	// Those that are not, and what is said.
	const succeeded = "% PEM files import succeeded.\n"
	failures := map[string]string{
		"asks":      command + ": the device asks 'The pool is locked. Unlock it? [yes/no]:', which is not known; it was not answered, and the session is closed",
		"fails":     command + ": the device says: % Failed to import: Invalid certificate",
		"errs":      "%Error opening flash:no.p7b (No such file or directory)",
		"says-less": command + ": the device does not say that it imported",
		"lies":      "the device imported, and its pool does not show 5 of 8 that are wanted: CN=",
		"hangs":     "crypto pki trustpool import url " + server.URL + "/hangs.p7b: command timeout triggered, timeout value is 8 secs.",
		"lost":      "show crypto pki trustpool: the device closed the session",
		"policy":    "the device imported, and its pool does not show 1 of 1 that are wanted: Elm",
	}
	add(devicetest.Device{Name: "asks", Platform: "iosxe", Files: file, Questions: []devicetest.Question{{Command: command, Text: "The pool is locked. Unlock it? [yes/no]: ", Answer: "yes"}}}, fromFile)
	add(devicetest.Device{Name: "fails", Platform: "iosxe", Answers: map[string]string{command: "% Failed to import: Invalid certificate\n"}}, fromFile)
	add(devicetest.Device{Name: "errs", Platform: "iosxe"}, map[string]any{"import_file": "flash:no.p7b", "import_expect": []string{"Elm"}})
	add(devicetest.Device{Name: "says-less", Platform: "iosxe", Answers: map[string]string{command: "Loading flash:lab.p7b\n"}}, fromFile)
	add(devicetest.Device{Name: "lies", Platform: "iosxe", Answers: map[string]string{command: succeeded}}, fromFile)
	add(devicetest.Device{Name: "hangs", Platform: "iosxe"}, map[string]any{"import_url": server.URL + "/hangs.p7b", "import_expect": []string{"Elm"}, "import_timeout": 8})
	add(devicetest.Device{Name: "lost", Platform: "iosxe", Fault: devicetest.DropsAtShow}, fromFile)
	add(devicetest.Device{Name: "policy", Platform: "iosxe", Answers: map[string]string{"crypto pki trustpool import ca-bundle": succeeded}},
		map[string]any{"import_url": url, "import_vrf": "Mgmt", "import_expect": []string{"Elm"}})

	lab := devicetest.Start(t, devices...)
	c.hosts(t, lab, devices, vars)
	hosts := func(names ...string) string {
		return strings.Join(append(slices.Collect(maps.Keys(imports)), names...), ",")
	}
	playbook := c.write(t, "play.yml", []byte("- hosts: all\n  gather_facts: false\n  roles:\n    - trustpool.bundle.import\n"))

	// Before anything is changed it says what would be, and changes nothing.
	at := map[string]int{}
	for name, o := range c.play(t, "--check", "--limit", hosts("policy"), playbook) {
		for _, line := range lab.Lines(name) {
			if !onlyShows(line) {
				t.Errorf("%s was sent %q in check mode", name, line)
			}
		}
		if imports[name] == nil {
			continue
		}
		if o.Changed != 1 || o.Failures != 0 || !strings.Contains(o.diff, "CN=") && !strings.Contains(o.diff, "cn=Elm Root CA\n") {
			t.Errorf("%s in check mode: %+v", name, o)
		}
		at[name] = len(lab.Lines(name))
	}

	// Then it imports, and says what goes wrong.
	for name, o := range c.play(t, playbook) {
		var changes []string
		for _, s := range lab.Sent(name)[at[name]:] {
			if s.At != "pem" && !onlyShows(s.Line) {
				changes = append(changes, s.Line)
			}
			if s.At == "question" {
				t.Errorf("%s was answered: %q", name, s.Line)
			}
		}
		if want := failures[name]; want != "" {
			if o.Failures != 1 || !strings.Contains(strings.Join(o.messages, "\n"), want) {
				t.Errorf("%s: %+v, want %q", name, o, want)
			}
			continue
		}
		if o.Failures+o.Unreachable != 0 || o.Changed != min(1, len(imports[name])) {
			t.Errorf("%s: %+v", name, o)
		}
		if !slices.Equal(changes, imports[name]) {
			t.Errorf("%s was sent %q, want %q", name, changes, imports[name])
		}
		at[name] = len(lab.Lines(name))
	}
	if n := len(lab.Pool("paste")); n != 4 {
		t.Errorf("the pool has %d certificates after the paste", n)
	}
	for name, want := range map[string][]string{
		"asks":   {"configure terminal", command},
		"policy": {"configure terminal", "crypto pki trustpool policy", "cabundle url " + url, "vrf Mgmt", "end", "copy running-config startup-config", "", "configure terminal", "crypto pki trustpool import ca-bundle", "end"},
	} {
		if got := slices.DeleteFunc(lab.Lines(name), onlyShows); !slices.Equal(got, want) {
			t.Errorf("%s was sent %q, want %q", name, got, want)
		}
	}

	// And not again.
	for name, o := range c.play(t, "--limit", hosts(), playbook) {
		if o.Changed+o.Failures+o.Unreachable != 0 || o.diff != "" {
			t.Errorf("%s for the second time: %+v", name, o)
		}
		for _, line := range lab.Lines(name)[at[name]:] {
			if !onlyShows(line) {
				t.Errorf("%s was sent %q for the second time", name, line)
			}
		}
	}
}

// A playbook of config pastes.
func TestAnsiblePlaybook(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook")
	c := newController(t)
	program := build(t)[0]
	devices := []devicetest.Device{{Name: "edge1", Platform: "iosxe", Pool: devicetest.BuiltIn(pkitest.CoreV1()[:1]...)}}
	lab := devicetest.Start(t, devices...)
	c.hosts(t, lab, devices, map[string]map[string]any{"edge1": {"import_program": program}})
	root := c.write(t, "root.pem", pkitest.Lab().OtherRoot.PEM())
	playbook := filepath.Join(c.dir, "play.yml")
	tooltest.Run(t, nil, program, "config", "--platform", "iosxe", "--pem", root, "--ansible", "-o", playbook)
	if o := c.play(t, playbook)["edge1"]; o.Changed != 1 || o.Failures != 0 {
		t.Errorf("%+v", o)
	}
	if pool := lab.Pool("edge1"); len(pool) != 2 || !bytes.Equal(pool[0].DER, pkitest.Lab().OtherRoot.DER) {
		t.Errorf("the pool has %d certificates", len(pool))
	}
}

// What cannot be done is refused before the device is asked anything.
func TestAnsibleRefuses(t *testing.T) {
	t.Parallel()
	python := tooltest.AnsiblePython(t)
	for want, args := range map[string]map[string]any{
		"pem: it has a private key; give certificates alone":                                                             {"pem": "-----BEGIN PRIVATE KEY-----\nMC4CAQ==\n-----END PRIVATE KEY-----\n"},
		"pem: give certificates in PEM, each from its BEGIN to its END line":                                             {"pem": "-----BEGIN CERTIFICATE-----\nMC4CAQ==\n-----END CERTIFICATE-----\n-----BEGIN CERTIFICATE-----\nMC4C"},
		"name what the device must have afterwards: wanted or expect":                                                    {"file": "flash:lab.p7b"},
		`url: 'http://192.0.2.1/a\nreload' has a character that the device's command line could take for something else`: {"url": "http://192.0.2.1/a\nreload"},
		`file: 'flash:lab.p7b?' has a character that the device's command line could take for something else`:            {"file": "flash:lab.p7b?"},
		"no command of asa is known that pastes certificates into the trustpool":                                         {"platform": "asa", "pem": "-----BEGIN CERTIFICATE-----\nMC4CAQ==\n-----END CERTIFICATE-----\n"},
		"policy: only IOS and IOS XE import by their policy, and from a url":                                             {"file": "flash:lab.p7b", "policy": true},
		"parameters are mutually exclusive: url|file|pem":                                                                {"file": "flash:lab.p7b", "url": "http://192.0.2.1/a"},
		"one of the following is required: url, file, pem":                                                               {},
		"the connection must be ansible.netcommon.network_cli":                                                           {"url": "http://192.0.2.1/ios.p7b"},
	} {
		if args["platform"] == nil {
			args["platform"] = "iosxe"
		}
		doc, err := json.Marshal(map[string]any{"ANSIBLE_MODULE_ARGS": args})
		if err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(python, "ansible/plugins/modules/pool.py", string(doc))
		cmd.Env = append(os.Environ(), "PYTHONDONTWRITEBYTECODE=1")
		out, err := cmd.Output()
		var result struct{ Msg string }
		if json.Unmarshal(out, &result) != nil || err == nil || result.Msg != want {
			t.Errorf("%v: %v\n%s", args, err, out)
		}
	}
}

// snippet returns the code in a language from docs/fleet.md.
func snippet(t *testing.T, language string) []byte {
	t.Helper()
	_, rest, ok := strings.Cut(read(t, "../docs/fleet.md"), "### Captures of other tools\n")
	if ok {
		_, rest, ok = strings.Cut(rest, "```"+language+"\n")
	}
	code, _, ended := strings.Cut(rest, "```\n")
	if !ok || !ended {
		t.Fatalf("docs/fleet.md has no %s for captures", language)
	}
	return []byte(code)
}

// captured checks that pool read takes captures, each of three certificates.
func captured(t *testing.T, program, dir string, platforms ...string) {
	t.Helper()
	for _, platform := range platforms {
		out, err := exec.Command(program, "pool", "read", filepath.Join(dir, platform+".txt"), "--platform", platform).CombinedOutput()
		if err != nil || !strings.Contains(string(out), "\ncertificates  3:") {
			t.Errorf("%s: %v\n%s", platform, err, out)
		}
	}
}

// shown are devices of platforms, by their names.
func shown(platforms ...string) (devices []devicetest.Device) {
	for _, platform := range platforms {
		devices = append(devices, devicetest.Device{Name: platform, Platform: platform, MOTD: "Authorized use only", Pool: devicetest.BuiltIn(pkitest.CoreV1()[:3]...)})
	}
	return devices
}

// The playbook of docs/fleet.md leaves captures that are read again.
func TestAnsibleCollect(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "ansible-playbook")
	devices := append(shown("ios", "iosxe", "iosxr", "nxos", "asa"), devicetest.Device{Name: "away", Platform: "iosxe", Fault: devicetest.Refuses})
	lab := devicetest.Start(t, devices...)
	c := newController(t)
	c.hosts(t, lab, devices, nil)
	playbook := c.write(t, "play.yml", snippet(t, "yaml"))
	for name, o := range c.play(t, playbook) {
		if (o.Failures+o.Unreachable > 0) != (name == "away") {
			t.Errorf("%s: %+v", name, o)
		}
		for _, line := range lab.Lines(name) {
			if !onlyShows(line) {
				t.Errorf("%s was sent %q", name, line)
			}
		}
	}
	captures := filepath.Join(c.dir, "captures")
	captured(t, build(t)[0], captures, "ios", "iosxe", "iosxr", "nxos")
	files, err := os.ReadDir(captures)
	var names []string
	for _, f := range files {
		names = append(names, f.Name())
	}
	if want := []string{"asa.txt", "ios.txt", "iosxe.txt", "iosxr.txt", "nxos.txt"}; err != nil || !slices.Equal(names, want) {
		t.Errorf("%v %v", names, err)
	}
}

// So does the script of docs/fleet.md with RANCID's login script.
func TestRANCIDCollect(t *testing.T) {
	t.Parallel()
	const bin = "/usr/lib/rancid/bin"
	tooltest.Need(t, filepath.Join(bin, "clogin"), "ssh")
	devices := shown("ios", "iosxe", "iosxr", "nxos")
	lab := devicetest.Start(t, devices...)
	dir := t.TempDir()
	for name, text := range map[string]string{
		".cloginrc": fmt.Sprintf("add user * %s\nadd password * {none} {none}\nadd autoenable * 1\nadd method * ssh\nadd sshcmd * {ssh\\ -F\\ %s}\n", lab.User, filepath.Join(lab.Dir, "ssh_config")),
		"router.db": "ios;cisco;up\niosxe;cisco;up\niosxr;cisco-xr;up\nnxos;cisco-nx;up;a comment\ngone;cisco;down\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	ctx, cancel := context.WithTimeout(t.Context(), maxPlay)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", string(snippet(t, "sh")))
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "HOME="+dir, "PATH="+bin+":"+os.Getenv("PATH"))
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	captured(t, build(t)[0], filepath.Join(dir, "captures"), "ios", "iosxe", "iosxr", "nxos")
	for _, d := range devices {
		for _, line := range lab.Lines(d.Name) {
			if line != "" && line != "exit" && !onlyShows(line) {
				t.Errorf("%s was sent %q", d.Name, line)
			}
		}
	}
}

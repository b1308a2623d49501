package config_test

import (
	"bytes"
	"encoding/pem"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/pkitest"
)

func platform(t testing.TB, name string) device.Platform {
	t.Helper()
	p, err := device.Lookup(name)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func certificates(t testing.TB, name string) []*certificate.Certificate {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("..", "..", "..", "testdata", "bundles", name))
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b.Certificates
}

func script(t testing.TB, o config.Options) *config.Script {
	t.Helper()
	s, err := config.New(o)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// typed is all that a person types: lines, then checks. A paste's PEM is PASTE.
func typed(s *config.Script) []string {
	var out []string
	inside := false
	for _, l := range s.Lines() {
		switch {
		case strings.HasPrefix(l.Text, "-----BEGIN"):
			inside = true
			out = append(out, "PASTE")
		case strings.HasPrefix(l.Text, "-----END"):
			inside = false
		case !inside:
			out = append(out, l.Text)
		}
	}
	for _, c := range s.Checks {
		out = append(out, c.Text)
	}
	return out
}

// The sequences that Cisco's community thread and field notice FN72290 show are
// in testdata, the commands alone. The script has each, in that order.
func TestSeeds(t *testing.T) {
	t.Parallel()
	const core, ios = "http://www.cisco.com/security/pki/trs/ios_core.p7b", "http://www.cisco.com/security/pki/trs/ios.p7b"
	root := certificates(t, "quovadis-root-ca-2.pem")
	for file, o := range map[string]config.Options{
		"seed_fxos":           {Platform: platform(t, "fxos"), PEM: root},
		"seed_asa_trustpoint": {Platform: platform(t, "asa"), PEM: root},
		"seed_asa_import":     {Platform: platform(t, "asa"), URL: core},
		"seed_xr_option1":     {Platform: platform(t, "iosxr"), URL: ios},
		"seed_xr_option2":     {Platform: platform(t, "iosxr"), URL: "http://192.0.2.1/ios.p7b", Policy: true},
		"seed_xr_option3":     {Platform: platform(t, "iosxr"), File: "/tmp/pki_bundle_0.p7b"},
	} {
		data, err := os.ReadFile(filepath.Join("testdata", file+".txt"))
		if err != nil {
			t.Fatal(err)
		}
		want := strings.Split(strings.TrimSpace(string(data)), "\n")
		s := script(t, o)
		got := typed(s)
		at := 0
		for _, w := range want {
			i := slices.Index(got[at:], w)
			if i < 0 {
				t.Errorf("%s: %q is not there in this order, but\n%s", file, w, strings.Join(got, "\n"))
				break
			}
			at += i + 1
		}
		// What the sources show is confirmed.
		for _, l := range s.Lines() {
			if slices.Contains(want, l.Text) && l.Basis != device.Confirmed {
				t.Errorf("%s: %s is %s", file, l.Text, l.Basis)
			}
		}
		if file == "seed_fxos" || file == "seed_asa_trustpoint" { // nothing between
			if i := slices.Index(got, want[0]); !slices.Equal(got[i:i+len(want)], want) {
				t.Errorf("%s: %q", file, got)
			}
		}
	}
}

func TestASAPolicy(t *testing.T) {
	t.Parallel()
	want, err := os.ReadFile(filepath.Join("testdata", "seed_asa_policy.txt"))
	if err != nil {
		t.Fatal(err)
	}
	s := script(t, config.Options{Platform: platform(t, "asa"), URL: "http://www.cisco.com/security/pki/trs/ios_core.p7b", Policy: true})
	for _, c := range s.Checks {
		if c.Text == "sh run all crypto ca trustpool" && c.Want == strings.TrimSpace(string(want)) {
			return
		}
	}
	t.Errorf("%+v", s.Checks)
}

// The thread shows the line for this root.
func TestFingerprint(t *testing.T) {
	t.Parallel()
	c := certificates(t, "quovadis-root-ca-2.pem")[0]
	if got := config.Fingerprint(c); got != "Fingerprint:     5e397bdd f8baec82 e9ac62ba 0c54002b" {
		t.Error(got)
	}
}

// What is pasted is the certificate, without a blank line, and nothing stands
// between its first line and the one that ends it.
func TestPaste(t *testing.T) {
	t.Parallel()
	for name, end := range map[string]string{"ios": "quit", "iosxe": "quit", "asa": "quit", "fxos": "ENDOFBUF", "nxos": "END OF INPUT"} {
		certs := certificates(t, "lab-core-v1.p7b")
		s := script(t, config.Options{Platform: platform(t, name), PEM: certs})
		var out bytes.Buffer
		if err := s.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		rest := out.Bytes()
		for i, c := range certs {
			_, after, ok := bytes.Cut(rest, []byte("-----BEGIN CERTIFICATE-----\n"))
			if !ok {
				t.Fatalf("%s: certificate %d is missing", name, i+1)
			}
			body, after, ok := bytes.Cut(after, []byte("\n"+end+"\n"))
			if !ok || bytes.Contains(body, []byte("\n\n")) || bytes.Contains(body, []byte("!")) {
				t.Fatalf("%s: certificate %d: %s", name, i+1, body)
			}
			block, more := pem.Decode(append([]byte("-----BEGIN CERTIFICATE-----\n"), append(body, '\n')...))
			if block == nil || len(more) > 0 || !bytes.Equal(block.Bytes, c.Raw) {
				t.Fatalf("%s: certificate %d is another", name, i+1)
			}
			rest = after
		}
		if name == "asa" && !bytes.Contains(out.Bytes(), []byte("\n!    "+config.Fingerprint(certs[0])+"\n")) {
			t.Errorf("no line to compare")
		}
		if bytes.Contains(out.Bytes(), []byte("\nyes\n")) {
			t.Errorf("%s: the paste accepts by itself", name)
		}
	}
}

// In every printing a line is a command of the script, or begins with "!".
func TestTextLines(t *testing.T) {
	t.Parallel()
	for _, o := range scripts(t) {
		s := script(t, o)
		var out bytes.Buffer
		if err := s.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		commands := typed(s)
		inside := false
		for l := range strings.Lines(out.String()) {
			l = strings.TrimSuffix(l, "\n")
			inside = inside || strings.HasPrefix(l, "-----BEGIN")
			if !inside && !strings.HasPrefix(l, "!") && !slices.Contains(commands, l) {
				t.Errorf("%s: %q is neither a command nor a comment", o.Platform.Name, l)
			}
			if strings.HasPrefix(l, "!") && strings.ContainsAny(l, "?\t") {
				t.Errorf("%s: %q", o.Platform.Name, l)
			}
			inside = inside && !strings.HasPrefix(l, "-----END")
		}
		for _, l := range s.Lines() {
			if l.Basis == device.Unverified && l.Mode != config.Paste && l.Mode != config.Answer && !strings.Contains(out.String(), "unverified (") {
				t.Errorf("%s: %s is not marked", o.Platform.Name, l.Text)
			}
			if l.Basis == "" || l.Source == "" || l.Mode == "" {
				t.Errorf("%s: %+v has no ground or mode", o.Platform.Name, l)
			}
		}
		for _, c := range s.Checks {
			if c.Basis == "" || c.Source == "" || c.Want == "" {
				t.Errorf("%s: %+v", o.Platform.Name, c)
			}
		}
		for _, n := range s.Warnings {
			if n.Basis == "" || n.Source == "" || n.Text == "" {
				t.Errorf("%s: %+v", o.Platform.Name, n)
			}
		}
	}
}

// A name of one long word makes no line that a command line would cut.
func TestLongName(t *testing.T) {
	t.Parallel()
	var name []string
	for range 10 {
		name = append(name, "OU="+strings.Repeat("x", 60))
	}
	long := pkitest.RootTemplate(pkitest.NewName(append(name, "CN=Long")...), pkitest.RSA("alder")).Issue(nil)
	b, err := bundle.Parse(long.DER)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []string{"iosxe", "asa", "fxos", "nxos"} {
		var out bytes.Buffer
		if err := script(t, config.Options{Platform: platform(t, p), PEM: b.Certificates}).WriteText(&out); err != nil {
			t.Fatal(err)
		}
		if strings.Count(out.String(), "x") < 600 {
			t.Errorf("%s: the name is not whole", p)
		}
		for l := range strings.Lines(out.String()) {
			if len(l) > 80 {
				t.Errorf("%s: %q", p, l)
			}
		}
	}
}

// scripts are options of every branch.
func scripts(t testing.TB) []config.Options {
	t.Helper()
	const url = "http://192.0.2.1/ios.p7b"
	core := certificates(t, "lab-core-v1.p7b")
	var out []config.Options
	for _, name := range []string{"ios", "iosxe", "iosxr", "nxos"} {
		p := platform(t, name)
		out = append(out, config.Options{Platform: p, URL: url}, config.Options{Platform: p, URL: url, Policy: true},
			config.Options{Platform: p, URL: url, VRF: "Mgmt-vrf", SourceInterface: "GigabitEthernet0/0/1", Expect: []string{"Lab Root CA"}})
		if name != "nxos" {
			out = append(out, config.Options{Platform: p, URL: url, Clean: true}, config.Options{Platform: p, URL: url, Clean: true, VRF: "A"})
		}
	}
	for _, name := range []string{"ios", "iosxe", "asa", "fxos", "nxos"} {
		out = append(out, config.Options{Platform: platform(t, name), PEM: core})
	}
	return append(out,
		config.Options{Platform: platform(t, "iosxe"), PEM: core[:1], Clean: true},
		config.Options{Platform: platform(t, "ios"), File: "flash:ios.p7b", Clean: true},
		config.Options{Platform: platform(t, "iosxe"), File: "usb0:ios.p7b"},
		config.Options{Platform: platform(t, "iosxr"), File: "/tmp/ios.p7b", Clean: true},
		config.Options{Platform: platform(t, "iosxr"), File: "disk0:/ios.p7b"},
		config.Options{Platform: platform(t, "asa"), File: "disk0:/ios.p7b"},
		config.Options{Platform: platform(t, "asa"), URL: "https://www.example.com/ios.p7b", Policy: true, Clean: true, Expect: []string{"Lab"}},
		config.Options{Platform: platform(t, "iosxr"), URL: "http://[2001:db8::1]/ios.p7b", SourceInterface: "Loopback0"},
	)
}

func TestRefused(t *testing.T) {
	t.Parallel()
	pem := certificates(t, "lab-root.pem")
	for _, o := range []config.Options{
		{Platform: platform(t, "ftd"), URL: "http://192.0.2.1/a.p7b"},
		{Platform: platform(t, "ftd"), PEM: pem},
		{Platform: platform(t, "fxos"), URL: "http://192.0.2.1/a.p7b"},
		{Platform: platform(t, "nxos"), File: "bootflash:a.p7b"},
		{Platform: platform(t, "iosxr"), PEM: pem},
	} {
		s := script(t, o)
		if s.Refused == "" || s.RefusedOn.Basis == "" || len(s.Lines())+len(s.Checks)+len(s.Warnings) > 0 {
			t.Errorf("%s: %+v", o.Platform.Name, s)
		}
		if err := s.WritePlaybook(&bytes.Buffer{}); err == nil {
			t.Errorf("%s: a playbook of a refusal", o.Platform.Name)
		}
	}
}

func TestTrustpointNames(t *testing.T) {
	t.Parallel()
	root := certificates(t, "quovadis-root-ca-2.pem")[0]
	names := func(o config.Options) (out []string) {
		for _, l := range script(t, o).Lines() {
			if name, ok := strings.CutPrefix(l.Text, "crypto ca trustpoint "); ok {
				out = append(out, name)
			}
		}
		return out
	}
	asa := platform(t, "asa")
	three := []*certificate.Certificate{root, root, root}
	if got := names(config.Options{Platform: asa, PEM: three}); !slices.Equal(got, []string{"QuoVadisRootCA2", "QuoVadisRootCA2-2", "QuoVadisRootCA2-3"}) {
		t.Error(got)
	}
	long := strings.Repeat("x", config.MaxTrustpoint)
	if got := names(config.Options{Platform: asa, PEM: three, Trustpoint: long}); !slices.Equal(got, []string{long, long[:30] + "-2", long[:30] + "-3"}) {
		t.Error(got)
	}
	// Names of hostile certificates are safe, and none is that of another.
	quirks := slices.DeleteFunc(certificates(t, "lab-quirks-v1.p7b"), func(c *certificate.Certificate) bool { return c.Err != nil })
	seen := map[string]bool{}
	for _, name := range names(config.Options{Platform: asa, PEM: quirks}) {
		if seen[strings.ToLower(name)] || name == "" || len(name) > config.MaxTrustpoint || strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") != "" {
			t.Errorf("%q", name)
		}
		seen[strings.ToLower(name)] = true
	}
}

func TestWarnings(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		o    config.Options
		want string
	}{
		{config.Options{Platform: platform(t, "iosxr"), URL: "http://192.0.2.1/a.p7b"}, "bundles can accumulate"},
		{config.Options{Platform: platform(t, "iosxr"), URL: "http://192.0.2.1/a.p7b"}, "did not sign under Cisco Root CA M1"},
		{config.Options{Platform: platform(t, "iosxr"), URL: "http://bundles.example/a.p7b"}, "resolve bundles.example"},
		{config.Options{Platform: platform(t, "iosxe"), URL: "http://192.0.2.1/a.p7b"}, "SD-WAN mode"},
		{config.Options{Platform: platform(t, "iosxe"), URL: "http://192.0.2.1/a.p7b"}, "refresh comes in 2029"},
		{config.Options{Platform: platform(t, "iosxe"), URL: "http://192.0.2.1/a.p7b"}, "TRS Bundle Root CA"},
		{config.Options{Platform: platform(t, "asa"), URL: "http://192.0.2.1/a.p7b"}, "multiple context mode"},
		{config.Options{Platform: platform(t, "asa"), PEM: certificates(t, "quovadis-root-ca-2.pem")}, "SHA-1: in FIPS mode"},
		{config.Options{Platform: platform(t, "ios"), URL: "http://192.0.2.1/" + strings.Repeat("a", 300)}, "more than 254"},
		{config.Options{Platform: platform(t, "asa"), URL: "https://192.0.2.1/a.p7b"}, "over HTTPS"},
	} {
		s := script(t, c.o)
		if !slices.ContainsFunc(s.Warnings, func(n device.Note) bool { return strings.Contains(n.Text, c.want) }) {
			t.Errorf("%s: no warning of %q", c.o.Platform.Name, c.want)
		}
	}
}

package config_test

import (
	"bytes"
	"strings"
	"testing"

	"trustpool/internal/device"
	"trustpool/internal/device/config"
)

func TestBadValues(t *testing.T) {
	t.Parallel()
	xe, xr, asa := platform(t, "iosxe"), platform(t, "iosxr"), platform(t, "asa")
	const good = "http://192.0.2.1/a.p7b"
	pem := certificates(t, "lab-root.pem")
	for _, c := range []struct {
		o    config.Options
		want string
	}{
		{config.Options{Platform: xe}, "exactly one"},
		{config.Options{URL: good}, "no platform"},
		{config.Options{Platform: xe, URL: good, File: "flash:a"}, "exactly one"},
		{config.Options{Platform: xe, URL: good + "\nreload"}, "control character U+000A"},
		{config.Options{Platform: xe, URL: good + "\r"}, "control character U+000D"},
		{config.Options{Platform: xe, URL: good + "\x03"}, "control character U+0003"},
		{config.Options{Platform: xe, URL: good + "\x7f"}, "control character U+007F"},
		{config.Options{Platform: xe, URL: good + "?x=1"}, "question mark"},
		{config.Options{Platform: xe, URL: good + " clean"}, "a blank"},
		{config.Options{Platform: xe, URL: good + "|x"}, "a bar"},
		{config.Options{Platform: xe, URL: good + "!"}, "exclamation mark"},
		{config.Options{Platform: xe, URL: good + "\""}, "quotation mark"},
		{config.Options{Platform: xe, URL: good + ";reload"}, "semicolon"},
		{config.Options{Platform: xe, URL: good + "{{x}}"}, "the character {"},
		{config.Options{Platform: xe, URL: good + "$x"}, "the character $"},
		{config.Options{Platform: xe, URL: good + "\\"}, `the character \`},
		{config.Options{Platform: xe, URL: good + "é"}, "not ASCII"},
		{config.Options{Platform: xe, URL: good + "\u202e"}, "direction of text"},
		{config.Options{Platform: xe, URL: good + "\xff"}, "a byte of no UTF-8 or U+FFFD at byte"},
		{config.Options{Platform: xr, URL: "http://192.0.2.1/" + strings.Repeat("a", 784)}, "801 characters, and the limit is 800"},
		{config.Options{Platform: xe, URL: "http://u:p@192.0.2.1/a"}, "credentials"},
		{config.Options{Platform: xe, URL: "http://u@192.0.2.1/a"}, "credentials"},
		{config.Options{Platform: xe, URL: "sftp://192.0.2.1/a"}, "begins with none of http:, https:, ftp:, scp:, tftp:"},
		{config.Options{Platform: xr, URL: "tftp://192.0.2.1/a"}, "begins with none of http:, https:, which"},
		{config.Options{Platform: asa, URL: "javascript:1"}, "begins with none of"},
		{config.Options{Platform: xe, URL: "flash:a"}, "begins with none of"},
		{config.Options{Platform: xe, URL: "HTTPS://192.0.2.1/a"}, "begins with none of"},
		{config.Options{Platform: xe, URL: "http:///a"}, "no server"},
		{config.Options{Platform: xe, URL: "http://192.0.2.1/"}, "names no file"},
		{config.Options{Platform: xe, URL: "http://192.0.2.1:x/a"}, "cannot be read"},
		{config.Options{Platform: xe, URL: "-http://192.0.2.1/a"}, "begins with a hyphen"},
		{config.Options{Platform: xe, File: "ios.p7b"}, "no file system"},
		{config.Options{Platform: asa, File: "/ios.p7b"}, "no file system"},
		{config.Options{Platform: xr, File: "ios.p7b"}, "not a full path"},
		{config.Options{Platform: xe, File: "flash:"}, "no name"},
		{config.Options{Platform: xe, File: "flash:a:b"}, "two colons"},
		{config.Options{Platform: xe, File: "http://192.0.2.1/a"}, "is a URL"},
		{config.Options{Platform: xr, File: "/tmp/"}, "no name"},
		{config.Options{Platform: xe, File: "flash:a b"}, "a blank"},
		{config.Options{Platform: xe, URL: good, VRF: "a b"}, "the VRF has a blank"},
		{config.Options{Platform: xe, URL: good, VRF: strings.Repeat("v", 33)}, "limit is 32"},
		{config.Options{Platform: xe, URL: good, SourceInterface: "Gi0/0\n"}, "source interface has the control"},
		{config.Options{Platform: xe, URL: good, Expect: []string{"a|b"}}, "expected text has a bar"},
		{config.Options{Platform: xe, URL: good, Expect: []string{""}}, "is empty"},
		{config.Options{Platform: xe, URL: good, Expect: []string{".."}}, "is in every pool"},
		{config.Options{Platform: xe, File: "flash:a", VRF: "v"}, "are for a URL"},
		{config.Options{Platform: xe, File: "flash:a", Policy: true}, "a policy needs a URL"},
		{config.Options{Platform: asa, URL: good, VRF: "v"}, "takes a VRF"},
		{config.Options{Platform: asa, URL: good, SourceInterface: "inside"}, "takes a source interface"},
		{config.Options{Platform: platform(t, "nxos"), URL: good, Clean: true}, "drops downloaded"},
		{config.Options{Platform: asa, PEM: pem, Clean: true}, "drops downloaded"},
		{config.Options{Platform: asa, PEM: pem, Trustpoint: "a b"}, "the trustpoint has a blank"},
		{config.Options{Platform: asa, PEM: pem, Trustpoint: strings.Repeat("t", 33)}, "limit is 32"},
		{config.Options{Platform: xe, PEM: pem, Trustpoint: "t"}, "only if certificates are pasted"},
		{config.Options{Platform: xe, PEM: certificates(t, "lab-quirks-v1.p7b")}, "entry 33 is not a certificate"},
	} {
		s, err := config.New(c.o)
		if err == nil || s != nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%+q: %v, and not %q", c.o.URL+c.o.File, err, c.want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("more than one line: %v", err)
		}
	}
}

// Whatever is given, what is printed has the lines of the script and no more.
func FuzzValues(f *testing.F) {
	f.Add(0, "http://192.0.2.1/a.p7b", "", "Mgmt", "Loopback0", "Lab Root")
	f.Add(1, "", "/tmp/a", "", "", "")
	f.Add(2, "http://a/b\r\nreload", "disk0:/a", "!", "?", "|")
	all := device.Platforms()
	f.Fuzz(func(t *testing.T, n int, url, file, vrf, intf, expect string) {
		o := config.Options{Platform: all[uint(n)%uint(len(all))], URL: url, File: file, VRF: vrf, SourceInterface: intf, Policy: n%2 == 0 && url != ""}
		if expect != "" {
			o.Expect = []string{expect}
		}
		s, err := config.New(o)
		if err != nil {
			return
		}
		commands := map[string]bool{}
		for _, c := range typed(s) {
			commands[c] = true
			for _, r := range c {
				if r < ' ' || r > '~' || strings.ContainsRune("?!\"'`;{}$\\<>#", r) || r == '|' && !strings.Contains(c, "| include ") && !strings.Contains(c, "| count ") {
					t.Fatalf("%q", c)
				}
			}
		}
		var out bytes.Buffer
		if err := s.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		if s.Refused != "" {
			return
		}
		for l := range strings.Lines(out.String()) {
			if l = strings.TrimSuffix(l, "\n"); !strings.HasPrefix(l, "!") && !commands[l] {
				t.Fatalf("%q", l)
			}
		}
	})
}

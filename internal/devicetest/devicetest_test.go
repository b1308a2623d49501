package devicetest_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/crypto/ssh"

	"trustpool/internal/devicetest"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// a terminal is a session of the user's ssh.
type terminal struct {
	t  *testing.T
	in io.WriteCloser
	r  io.Reader
}

func login(t *testing.T, lab *devicetest.Lab, name string) *terminal {
	t.Helper()
	tooltest.Need(t, "ssh")
	cmd := exec.Command("ssh", "-tt", "-F", filepath.Join(lab.Dir, "ssh_config"), name)
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
	return &terminal{t, in, out}
}

// until reads until the text ends so.
func (s *terminal) until(end string) string {
	s.t.Helper()
	var got []byte
	for b := make([]byte, 1); !strings.HasSuffix(string(got), end); {
		if _, err := s.r.Read(b); err != nil {
			s.t.Fatalf("%v before %q:\n%s", err, end, got)
		}
		got = append(got, b[0])
	}
	return string(got)
}

// type types a line and reads until what follows.
func (s *terminal) send(line, end string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.in, line+"\r"); err != nil {
		s.t.Fatal(err)
	}
	return strings.ReplaceAll(s.until(end), "\r", "")
}

// key presses one key.
func (s *terminal) key(key, end string) string {
	s.t.Helper()
	if _, err := io.WriteString(s.in, key); err != nil {
		s.t.Fatal(err)
	}
	return s.until(end)
}

func pool() [][]byte { return pkitest.CoreV1()[:3] }

// A device takes a pasted root and shows it afterwards, also in the next session.
func TestPaste(t *testing.T) {
	t.Parallel()
	lab := devicetest.Start(t, devicetest.Device{Name: "edge1", Platform: "iosxe", Secret: "TEST-SECRET", MOTD: "Authorized use only", Pool: devicetest.BuiltIn(pool()...)})
	s := login(t, lab, "edge1")
	s.until("Authorized use only\r\n\r\nedge1>")
	s.send("enable", "Password: ")
	if got := s.send("wrong", "Password: "); strings.Contains(got, "wrong") {
		t.Errorf("the secret is echoed: %q", got)
	}
	s.send("TEST-SECRET", "edge1#")
	s.send("terminal length 0", "edge1#")
	before := s.send("show crypto pki trustpool", "edge1#")
	if n := strings.Count(before, "Trustpool: Built-In"); n != 3 || strings.Contains(before, "Downloaded") {
		t.Errorf("%d certificates: %s", n, before)
	}
	s.send("configure terminal", "edge1(config)#")
	s.send("crypto pki trustpool import terminal", "% Enter PEM-formatted CA certificate.\r\n% End with a blank line or \"quit\" on a line by itself.\r\n")
	text := string(pkitest.Lab().OtherRoot.PEM())
	if got := s.send(strings.ReplaceAll(text, "\n", "\r"), "edge1(config)#"); !strings.Contains(got, "% PEM files import succeeded.") {
		t.Error(got)
	}
	s.send("end", "edge1#")
	if got := s.send("show crypto pki trustpool | count Downloaded", "edge1#"); !strings.Contains(got, "regexp = 1") {
		t.Error(got)
	}
	s.send("exit", "")
	s = login(t, lab, "edge1")
	s.until("edge1>")
	if got := s.send("show crypto pki trustpool", " --More-- "); !strings.Contains(got, "Lab Other Root CA") {
		t.Error(got)
	}
	s.key("q", "edge1>")
	at := []string{"exec", "secret", "secret", "exec", "exec", "exec", "config"}
	for range strings.Count(text, "\n") {
		at = append(at, "pem")
	}
	at = append(at, "pem", "config", "exec", "exec", "exec", "more")
	var got []string
	for _, sent := range lab.Sent("edge1") {
		got = append(got, sent.At)
	}
	if !slices.Equal(got, at) {
		t.Errorf("sent: %v\nwant  %v", got, at)
	}
	if len(lab.Pool("edge1")) != 4 {
		t.Errorf("%d certificates", len(lab.Pool("edge1")))
	}
}

// A trustpoint's CA is asked for, and taken only with a yes.
func TestAuthenticate(t *testing.T) {
	t.Parallel()
	lab := devicetest.Start(t, devicetest.Device{Name: "old", Platform: "ios"})
	s := login(t, lab, "old")
	s.until("old#")
	s.send("conf t", "old(config)#")
	s.send("crypto pki trustpoint LAB", "old(ca-trustpoint)#")
	s.send("enrollment terminal pem", "old(ca-trustpoint)#")
	s.send("exit", "old(config)#")
	text := string(pkitest.Lab().OtherRoot.PEM())
	for _, answer := range []string{"no", "yes"} {
		s.send("crypto pki authenticate LAB", "End with a blank line or the word \"quit\" on a line by itself\r\n\r\n")
		s.send(strings.ReplaceAll(text, "\n", "\r")+"quit", "% Do you accept this certificate? [yes/no]: ")
		s.send("perhaps", "% Please answer 'yes' or 'no'.\r\n% Do you accept this certificate? [yes/no]: ")
		s.send(answer, "old(config)#")
	}
	if got := lab.Trusted("old"); len(got) != 1 {
		t.Errorf("%d certificates", len(got))
	}
}

// Each platform imports a bundle with its own command and words.
func TestImport(t *testing.T) {
	t.Parallel()
	bundle := pkitest.Bundle(pkitest.Lab().Signer, "Trusted Core Bundle", "1", time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), pkitest.CoreV1()...)
	files := map[string][]byte{"flash:/ios.p7b": bundle}
	var devices []devicetest.Device
	for _, platform := range []string{"ios", "iosxe", "iosxr", "asa"} {
		devices = append(devices, devicetest.Device{Name: platform, Platform: platform, Pool: devicetest.BuiltIn(pool()...), Files: files})
	}
	lab := devicetest.Start(t, devices...)
	for _, c := range []struct{ name, prompt, configure, command, want string }{
		{"ios", "ios#", "ios(config)#", "crypto pki trustpool import url flash:/ios.p7b", "% PEM files import succeeded."},
		{"iosxe", "iosxe#", "iosxe(config)#", "crypto pki trustpool import clean url flash:/ios.p7b", "% PEM files import succeeded."},
		{"iosxr", "RP/0/RP0/CPU0:iosxr#", "", "crypto ca trustpool import url flash:/ios.p7b", "Wed Apr 1 10:25:52.995 UTC\n"},
		{"asa", "asa# ", "", "crypto ca trustpool import url flash:/ios.p7b", "   duplicates: 3\n"},
	} {
		s := login(t, lab, c.name)
		s.until(c.prompt)
		prompt := c.prompt
		if c.configure != "" {
			s.send("configure terminal", c.configure)
			prompt = c.configure
		}
		if got := s.send(c.command, prompt); !strings.Contains(got, c.want) {
			t.Errorf("%s: %s", c.name, got)
		}
		if got := len(lab.Pool(c.name)); got != len(pkitest.CoreV1()) {
			t.Errorf("%s: %d certificates", c.name, got)
		}
	}
}

// A question is asked until it is answered, and a wrong answer drops the command.
func TestQuestion(t *testing.T) {
	t.Parallel()
	lab := devicetest.Start(t, devicetest.Device{Name: "ask", Platform: "iosxe", Password: "TEST-PASSWORD", Questions: []devicetest.Question{
		{Command: "show clock", Text: "Is it late? [confirm]", Answer: ""},
		{Command: "configure", Text: "Somebody else configures. Go on? [yes/no]: ", Answer: "yes"},
	}})
	client, err := ssh.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", lab.Port("ask")), &ssh.ClientConfig{
		User: "anybody", Auth: []ssh.AuthMethod{ssh.Password("TEST-PASSWORD")}, HostKeyCallback: ssh.InsecureIgnoreHostKey(),
	})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	session, err := client.NewSession()
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	session.Stdin, session.Stdout = strings.NewReader("show clock\r\rconfigure terminal\rno\rexit\r"), &out
	if err := errors.Join(session.RequestPty("vt100", 24, 80, nil), session.Shell(), session.Wait()); err != nil {
		t.Fatalf("%v\n%s", err, out.Bytes())
	}
	if !strings.Contains(out.String(), "UTC Wed Apr 1 2026") || strings.Contains(out.String(), "(config)") {
		t.Errorf("%s", out.Bytes())
	}
}

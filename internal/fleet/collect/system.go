package collect

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/creack/pty"
)

const (
	// maxStderr is how much of what ssh itself says is kept.
	maxStderr = 8 << 10
	// reap is how long the streams of an ssh that was ended may stay open.
	reap = time.Second
	// terminalRows and terminalColumns are the size of the terminal that a device is told.
	terminalRows, terminalColumns = 24, 511
)

// System connects with the user's own ssh: its configuration, jump hosts, agent,
// hardware keys and known_hosts.
type System struct {
	Program    string   // path of ssh
	Config     string   // a file in place of the user's configuration; empty for that
	KnownHosts string   // a file in place of the user's known_hosts; empty for that
	Identity   string   // a file of a private key; empty for what the configuration says
	Env        []string // the environment

	// Password is the one that ssh is given if it asks for one. It is asked by way of
	// Askpass, the path of a program that calls [Askpass].
	Password []byte
	Askpass  string
}

// arguments are those of ssh. An option that is given wins over the configuration.
func (s *System) arguments(t target) []string {
	var args []string
	if s.Config != "" {
		args = append(args, "-F", s.Config)
	}
	options := []string{
		"StrictHostKeyChecking=yes", "NoHostAuthenticationForLocalhost=no", "UpdateHostKeys=no", // host keys are checked, and known_hosts stays as it is
		"RequestTTY=force", "RemoteCommand=none", "EscapeChar=none", // a terminal, as for a person
		"ControlMaster=no", "ControlPersist=no", // nothing runs on afterwards
		"ForwardAgent=no", "ForwardX11=no", "ClearAllForwardings=yes", "PermitLocalCommand=no", // the device gets nothing
		"LogLevel=ERROR", "NumberOfPasswordPrompts=1",
	}
	if s.KnownHosts != "" {
		options = append(options, "UserKnownHostsFile="+s.KnownHosts)
	}
	if !s.asks() {
		options = append(options, "BatchMode=yes") // there is nobody to answer
	}
	for _, o := range options {
		args = append(args, "-o", o)
	}
	if s.Identity != "" {
		args = append(args, "-i", s.Identity)
	}
	if t.port > 0 {
		args = append(args, "-p", strconv.Itoa(t.port))
	}
	if t.user != "" {
		args = append(args, "-l", t.user)
	}
	return append(args, "--", t.host)
}

// asks reports whether somebody answers ssh's questions: this program, or the user's
// SSH_ASKPASS.
func (s *System) asks() bool {
	asks := func(v string) bool { return strings.HasPrefix(v, "SSH_ASKPASS=") && v != "SSH_ASKPASS=" }
	return len(s.Password) > 0 || slices.ContainsFunc(s.Env, asks)
}

// accepts returns which questions ask for the password of the device, and not for the
// passphrase of a key, a PIN, whether to trust a host, or the password of a jump host.
// For that, ssh is asked what its configuration makes of the device's name.
func (s *System) accepts(ctx context.Context, t target) (func(question string) bool, error) {
	cmd := exec.CommandContext(ctx, s.Program, append([]string{"-G"}, s.arguments(t)...)...)
	cmd.Env, cmd.WaitDelay = s.Env, reap
	var stderr tail
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		if f := sshFailure(stderr.String()); f != nil {
			return nil, f
		}
		return nil, &Failure{SSHError, fmt.Sprintf("ssh -G: %v", err)}
	}
	var host, user string
	direct := true
	for l := range strings.Lines(string(out)) {
		switch key, value, _ := strings.Cut(strings.TrimSpace(l), " "); key {
		case "hostname":
			host = value
		case "user":
			user = value
		case "proxyjump", "proxycommand":
			direct = direct && value == "none"
		}
	}
	return func(question string) bool {
		question = strings.TrimSpace(question)
		if !strings.HasSuffix(strings.ToLower(question), "password:") {
			return false
		}
		return strings.HasPrefix(question, user+"@"+host+"'s ") || strings.HasPrefix(question, "("+user+"@"+host+") ") ||
			direct && !strings.Contains(question, "@")
	}, nil
}

func (s *System) dial(ctx context.Context, t target) (io.ReadWriteCloser, error) {
	p := &process{}
	p.cmd = exec.CommandContext(ctx, s.Program, s.arguments(t)...)
	p.cmd.Env = s.Env
	if s.asks() {
		p.cmd.Env = append(append([]string{}, s.Env...), "SSH_ASKPASS_REQUIRE=force")
	}
	if len(s.Password) > 0 {
		accept, err := s.accepts(ctx, t)
		if err != nil {
			return nil, err
		}
		if p.asked, err = serveAskpass(s.Password, accept); err != nil {
			return nil, &Failure{Other, fmt.Sprintf("the password cannot be handed to ssh: %v", err)}
		}
		p.cmd.Env = append(p.cmd.Env, "SSH_ASKPASS="+s.Askpass, AskpassVariable+"="+p.asked.path)
	}
	p.cmd.Stderr = &p.stderr
	p.cmd.Cancel = func() error { return kill(p.cmd) }
	p.cmd.WaitDelay = reap
	var err error
	if p.File, err = pty.StartWithSize(p.cmd, &pty.Winsize{Rows: terminalRows, Cols: terminalColumns}); err != nil {
		p.asked.close()
		return nil, &Failure{Other, fmt.Sprintf("ssh cannot be started: %v", err)}
	}
	return p, nil
}

// A process is an ssh that runs in a terminal of its own.
type process struct {
	*os.File // the terminal
	cmd      *exec.Cmd
	stderr   tail
	asked    *askpass
	once     sync.Once
}

// Read reads what the device prints, which at the end is followed by why ssh ended.
func (p *process) Read(b []byte) (int, error) {
	n, err := p.File.Read(b)
	if err != nil && n == 0 {
		_ = p.Close()
		if f := sshFailure(p.stderr.String()); f != nil {
			return 0, f
		}
		return 0, io.EOF
	}
	return n, nil
}

// Close ends ssh, and whatever it started.
func (p *process) Close() error {
	p.once.Do(func() {
		_ = kill(p.cmd)
		_ = p.cmd.Wait()
		_ = p.File.Close()
		p.asked.close()
	})
	return nil
}

// A tail keeps the end of what is written to it.
type tail struct {
	mu sync.Mutex
	b  []byte
}

func (t *tail) Write(b []byte) (int, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.b = append(t.b, b...)
	if len(t.b) > maxStderr {
		t.b = bytes.Clone(t.b[len(t.b)-maxStderr:])
	}
	return len(b), nil
}

func (t *tail) String() string {
	t.mu.Lock()
	defer t.mu.Unlock()
	return string(t.b)
}

// unreachable are ends of messages of ssh when no connection came about.
var unreachable = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`(?i)connection refused|timed out|no route to host|unreachable|could not resolve|name or service not known|connection reset|connection closed by|host is down`)
})

// sshFailure is why ssh ended, by what it says; nil if it says nothing.
func sshFailure(stderr string) *Failure {
	stderr = strings.TrimSpace(stderr)
	last := said([]byte(stderr))
	switch lower := strings.ToLower(stderr); {
	case stderr == "":
		return nil
	case strings.Contains(lower, "host identification has changed"):
		return &Failure{HostKey, "its host key is not the one in known_hosts"}
	case strings.Contains(lower, "host key verification failed"), strings.Contains(lower, "host key is known for"):
		return &Failure{HostKey, "its host key is not in known_hosts"}
	case strings.Contains(lower, "permission denied"), strings.Contains(lower, "too many authentication failures"):
		return &Failure{Denied, "ssh: " + last}
	case strings.Contains(lower, "kex_exchange_identification"):
		return &Failure{SSHError, "what answers there does not speak SSH, or closes the connection: " + last}
	case unreachable().MatchString(stderr):
		return &Failure{Unreachable, "ssh: " + strings.TrimPrefix(last, "ssh: ")}
	}
	return &Failure{SSHError, "ssh: " + strings.TrimPrefix(last, "ssh: ")}
}

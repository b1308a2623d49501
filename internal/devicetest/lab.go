package devicetest

import (
	"bufio"
	"bytes"
	"crypto/ed25519"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"golang.org/x/crypto/ssh"
)

// A Lab is devices that run.
type Lab struct {
	Dir  string // what clients need, and what was sent
	User string // who logs in

	devices []*device
	byName  map[string]*device
	sshd    string
	relay   string
	sockets net.Listener

	wg      sync.WaitGroup
	mu      sync.Mutex
	closed  bool
	running map[io.Closer]bool
	hostKey ssh.Signer
}

// A device is a Device that runs.
type device struct {
	Device
	lab      *Lab
	index    int
	listener net.Listener
	port     int

	mu       sync.Mutex
	file     *os.File
	sent     []Sent
	sessions int
	trusted  [][]byte
	fetched  map[string]bool
}

// Start starts devices and ends them with the test. Without sshd the test is skipped;
// where TRUSTPOOL_REQUIRE_TOOLS is 1 it fails.
func Start(t testing.TB, devices ...Device) *Lab {
	t.Helper()
	if _, err := FindSSHD(); err != nil {
		if os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
			t.Fatal(err)
		}
		t.Skip(err)
	}
	dir, err := os.MkdirTemp("", "devices") // t.TempDir is too long for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	lab, err := New(dir, devices...)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(lab.Close)
	return lab
}

// FindSSHD returns the path of sshd, which is often outside of PATH.
func FindSSHD() (string, error) {
	if path, err := exec.LookPath("sshd"); err == nil {
		return filepath.Abs(path)
	}
	for _, path := range []string{"/usr/sbin/sshd", "/usr/local/sbin/sshd"} {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", errors.New("sshd is not installed")
}

// New starts devices; their files are in dir, with a short path.
func New(dir string, devices ...Device) (*Lab, error) {
	me, err := user.Current()
	if err != nil {
		return nil, err
	}
	dir, err = filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	lab := &Lab{Dir: dir, User: me.Username, byName: map[string]*device{}, running: map[io.Closer]bool{}}
	if lab.sshd, err = FindSSHD(); err != nil {
		return nil, err
	}
	if os.Getuid() == 0 { // sshd wants it to be there, and who starts sshd as a service makes it
		if err := os.MkdirAll("/run/sshd", 0o755); err != nil {
			return nil, err
		}
	}
	if err := errors.Join(lab.makeKeys(), lab.makeRelay()); err != nil {
		return nil, err
	}
	if lab.sockets, err = net.Listen("unix", filepath.Join(dir, "socket")); err != nil {
		return nil, err
	}
	lab.wg.Go(func() { lab.accept(lab.sockets, lab.join) })
	if err := lab.start(devices); err != nil {
		lab.Close()
		return nil, err
	}
	return lab, nil
}

// start starts the devices, and writes what clients need.
func (l *Lab) start(devices []Device) error {
	for _, d := range devices {
		if err := l.add(d); err != nil {
			return err
		}
	}
	for _, d := range l.devices {
		if d.Fault == Refuses {
			_ = d.listener.Close()
		}
	}
	return l.writeFiles()
}

// makeKeys makes the keys of the hosts and of who logs in.
func (l *Lab) makeKeys() error {
	for _, name := range []string{"host", "other", "id_ed25519"} {
		public, private, err := ed25519.GenerateKey(nil)
		if err != nil {
			return err
		}
		block, err := ssh.MarshalPrivateKey(private, "TEST KEY")
		if err != nil {
			return err
		}
		key, err := ssh.NewPublicKey(public)
		if err != nil {
			return err
		}
		if name == "host" {
			if l.hostKey, err = ssh.NewSignerFromKey(private); err != nil {
				return err
			}
		}
		if err := errors.Join(os.WriteFile(l.path(name), pem.EncodeToMemory(block), 0o600), os.WriteFile(l.path(name+".pub"), ssh.MarshalAuthorizedKey(key), 0o644)); err != nil {
			return err
		}
	}
	return nil
}

func (l *Lab) path(name string) string { return filepath.Join(l.Dir, name) }

// makeRelay builds the program that sshd runs.
func (l *Lab) makeRelay() error {
	l.relay = l.path("relay")
	out, err := exec.Command("go", "build", "-o", l.relay, "trustpool/internal/devicetest/relay").CombinedOutput()
	if err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	return nil
}

// safe is a name that files and ssh take as it is.
var safe = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$`)

// add starts a device.
func (l *Lab) add(of Device) error {
	if !slices.Contains([]string{"iosxe", "ios", "iosxr", "nxos", "asa"}, of.Platform) {
		return fmt.Errorf("%s: no such device can be replayed: platform %q", of.Name, of.Platform)
	}
	if !safe.MatchString(of.Name) || l.byName[of.Name] != nil {
		return fmt.Errorf("%q: not the name of a device, or of two", of.Name)
	}
	d := &device{Device: of, lab: l, index: len(l.devices), fetched: map[string]bool{}}
	var err error
	if d.listener, err = net.Listen("tcp", "127.0.0.1:0"); err != nil {
		return err
	}
	d.port = d.listener.Addr().(*net.TCPAddr).Port
	l.devices = append(l.devices, d)
	l.byName[of.Name] = d
	if d.Fault == Refuses {
		return nil // its port is closed when all others have theirs
	}
	if err := os.WriteFile(l.path(d.Name+".sshd"), []byte(d.config()), 0o600); err != nil {
		return err
	}
	if d.Banner != "" {
		if err := os.WriteFile(l.path(d.Name+".banner"), []byte(d.Banner), 0o600); err != nil {
			return err
		}
	}
	if d.file, err = os.Create(l.path(d.Name + ".sent")); err != nil {
		return err
	}
	l.wg.Go(func() { l.accept(d.listener, d.connect) })
	return nil
}

// config is that of sshd.
func (d *device) config() string {
	l := d.lab
	key, authorized := l.path("host"), l.path("id_ed25519.pub")
	switch d.Fault {
	case OtherKey:
		key = l.path("other")
	case Denies:
		authorized = "none"
	}
	lines := []string{
		"HostKey " + key,
		"AuthorizedKeysFile " + authorized,
		"StrictModes no",
		"UsePAM no",
		"PidFile none",
		"PermitRootLogin yes",
		"PasswordAuthentication no",
		"KbdInteractiveAuthentication no",
		"AllowTcpForwarding yes", // so that a device can be a jump host
		"PrintMotd no",
		"PrintLastLog no",
		"UseDNS no",
		"SetEnv SHLVL=2", // so that bash, which sshd runs the ForceCommand with, does not run the user's ~/.bashrc first
		"KexAlgorithms curve25519-sha256,curve25519-sha256@libssh.org", // the fastest, in both its names: a test logs in often
		fmt.Sprintf("ForceCommand exec '%s' '%s' %d", l.relay, l.path("socket"), d.index),
	}
	if d.Banner != "" {
		lines = append(lines, "Banner "+l.path(d.Name+".banner"))
	}
	return strings.Join(lines, "\n") + "\n"
}

// writeFiles writes what clients need.
func (l *Lab) writeFiles() error {
	host, err := os.ReadFile(l.path("host.pub"))
	if err != nil {
		return err
	}
	fields := strings.Fields(string(host))
	var known, config, list, addresses bytes.Buffer
	list.WriteString("name,platform,site\n")
	addresses.WriteString("name,address,platform,site,ssh_port,ssh_user\n")
	for _, d := range l.devices {
		if d.Fault != UnknownKey {
			fmt.Fprintf(&known, "[127.0.0.1]:%d %s %s\n", d.port, fields[0], fields[1])
		}
		fmt.Fprintf(&config, "Host %s\n\tHostName 127.0.0.1\n\tPort %d\n", d.Name, d.port)
		fmt.Fprintf(&list, "%s,%s,%s\n", d.Name, d.Platform, d.Site)
		fmt.Fprintf(&addresses, "%s,127.0.0.1,%s,%s,%d,%s\n", d.Name, d.Platform, d.Site, d.port, l.User)
	}
	fmt.Fprintf(&config, "Host *\n\tUser %s\n\tIdentityFile %s\n\tIdentitiesOnly yes\n\tUserKnownHostsFile %s\n\tGlobalKnownHostsFile none\n",
		l.User, l.path("id_ed25519"), l.path("known_hosts"))
	return errors.Join(os.WriteFile(l.path("known_hosts"), known.Bytes(), 0o600),
		os.WriteFile(l.path("ssh_config"), config.Bytes(), 0o600), os.WriteFile(l.path("devices.csv"), list.Bytes(), 0o644),
		os.WriteFile(l.path("addresses.csv"), addresses.Bytes(), 0o644))
}

// Close ends all devices.
func (l *Lab) Close() {
	l.mu.Lock()
	l.closed = true
	for c := range l.running {
		_ = c.Close()
	}
	l.mu.Unlock()
	_ = l.sockets.Close()
	for _, d := range l.devices {
		_ = d.listener.Close()
	}
	l.wg.Wait()
	for _, d := range l.devices {
		if d.file != nil {
			_ = d.file.Close()
		}
	}
}

// track has c closed with the lab, until done.
func (l *Lab) track(c io.Closer) (done func(), ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.closed {
		_ = c.Close()
		return nil, false
	}
	l.running[c] = true
	return func() {
		l.mu.Lock()
		defer l.mu.Unlock()
		delete(l.running, c)
		_ = c.Close()
	}, true
}

func (l *Lab) device(name string) *device {
	d := l.byName[name]
	if d == nil {
		panic("no device is called " + name)
	}
	return d
}

// Port returns the port of 127.0.0.1 at which a device is.
func (l *Lab) Port(name string) int { return l.device(name).port }

// Sent returns what a device was sent.
func (l *Lab) Sent(name string) []Sent {
	d := l.device(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.sent)
}

// Lines returns the lines that a device was sent, all sessions.
func (l *Lab) Lines(name string) []string {
	var lines []string
	for _, s := range l.Sent(name) {
		lines = append(lines, s.Line)
	}
	return lines
}

// Sessions returns how many sessions a device had.
func (l *Lab) Sessions(name string) int {
	d := l.device(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.sessions
}

// Pool returns what a device has in its pool now.
func (l *Lab) Pool(name string) []Certificate {
	d := l.device(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.Device.Pool)
}

// Trusted returns the certificates that trustpoints of a device were given.
func (l *Lab) Trusted(name string) [][]byte {
	d := l.device(name)
	d.mu.Lock()
	defer d.mu.Unlock()
	return slices.Clone(d.trusted)
}

// record remembers a line.
func (d *device) record(number int, at, line string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.sent = append(d.sent, Sent{number, at, line})
	fmt.Fprintf(d.file, "%d %s %q\n", number, at, line)
}

// accept hands the connections of a listener to do, until the lab is closed.
func (l *Lab) accept(listener net.Listener, do func(net.Conn)) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		l.wg.Go(func() {
			if done, ok := l.track(conn); ok {
				defer done()
				do(conn)
			}
		})
	}
}

// connect is one connection.
func (d *device) connect(conn net.Conn) {
	switch {
	case d.Fault == Drops:
	case d.Fault == Silent:
		_, _ = io.Copy(io.Discard, conn)
	case d.Fault == NotSSH:
		_, _ = io.WriteString(conn, "HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")
	case d.Password != "":
		d.serveSSH(conn)
	default:
		d.runSSHD(conn.(*net.TCPConn))
	}
}

// runSSHD gives a connection to an sshd of its own.
func (d *device) runSSHD(conn *net.TCPConn) {
	f, err := conn.File()
	if err != nil {
		return
	}
	_ = conn.Close() // sshd has its own
	defer f.Close()
	cmd := exec.Command(d.lab.sshd, "-i", "-e", "-f", d.lab.path(d.Name+".sshd"))
	cmd.Stdin, cmd.Stdout = f, f
	if log, err := os.OpenFile(d.lab.path(d.Name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600); err == nil {
		defer log.Close()
		cmd.Stderr = log
	}
	if cmd.Start() != nil {
		return
	}
	_ = f.Close()
	done, ok := d.lab.track(process{cmd})
	if ok {
		defer done()
	}
	_ = cmd.Wait()
}

// A process is ended by Close.
type process struct{ cmd *exec.Cmd }

func (p process) Close() error { return p.cmd.Process.Kill() }

// join gives what a relay brings to its device.
func (l *Lab) join(conn net.Conn) {
	in := bufio.NewReader(conn)
	line, err := in.ReadString('\n')
	if err != nil {
		return
	}
	if i, err := strconv.Atoi(strings.TrimSpace(line)); err == nil && i >= 0 && i < len(l.devices) {
		_ = l.devices[i].session(in, conn)
	}
}

// session is that of a user on the device.
func (d *device) session(in *bufio.Reader, out io.Writer) error {
	d.mu.Lock()
	d.sessions++
	s := &session{d: d, number: d.sessions, in: in, out: bufio.NewWriter(slow{out, d.Delay}), page: defaultPage, name: d.Name,
		privileged: d.Secret == "", timestamps: d.Platform == "iosxr"}
	d.mu.Unlock()
	err := s.run()
	_ = s.out.Flush()
	return err
}

// serveSSH is a server that checks a password.
func (d *device) serveSSH(conn net.Conn) {
	config := &ssh.ServerConfig{
		PasswordCallback: func(_ ssh.ConnMetadata, password []byte) (*ssh.Permissions, error) {
			if string(password) == d.Password && d.Fault != Denies {
				return nil, nil
			}
			return nil, errors.New("another password")
		},
		BannerCallback: func(ssh.ConnMetadata) string { return d.Banner },
	}
	config.AddHostKey(d.lab.hostKey)
	server, channels, requests, err := ssh.NewServerConn(conn, config)
	if err != nil {
		return
	}
	defer server.Close()
	go ssh.DiscardRequests(requests)
	for channel := range channels {
		if channel.ChannelType() != "session" {
			_ = channel.Reject(ssh.UnknownChannelType, "only sessions")
			continue
		}
		c, requests, err := channel.Accept()
		if err != nil {
			return
		}
		go func() {
			for r := range requests {
				ok := r.Type == "pty-req" || r.Type == "shell" || r.Type == "env"
				_ = r.Reply(ok, nil)
				if r.Type == "shell" {
					go func() {
						_ = d.session(bufio.NewReader(c), c)
						_, _ = c.SendRequest("exit-status", false, ssh.Marshal(struct{ Status uint32 }{0}))
						_ = c.Close()
						_ = server.Close()
					}()
				}
			}
		}()
	}
}

package tooltest

import (
	"bytes"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"testing"
	"time"
)

// Loopback finds an address on loopback that is free, and likely to stay so for a moment.
func Loopback() (string, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer l.Close()
	return l.Addr().String(), nil
}

// FreeAddress is Loopback in a test.
func FreeAddress(t testing.TB) string {
	t.Helper()
	address, err := Loopback()
	if err != nil {
		t.Fatal(err)
	}
	return address
}

// Start starts a server, and returns once it takes connections at the address. One that does not is killed.
func Start(cmd *exec.Cmd, address string) error {
	var out bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		return err
	}
	for range 500 {
		if c, err := net.Dial("tcp", address); err == nil {
			return c.Close()
		}
		time.Sleep(20 * time.Millisecond)
	}
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	return fmt.Errorf("%s does not answer at %s:\n%s", cmd.Path, address, out.Bytes())
}

// Serve runs a web server until the test ends, and returns its URL, without a path, once it takes connections.
func Serve(t testing.TB, address, program string, args ...string) string {
	t.Helper()
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_DATA_HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir)
	if err := Start(cmd, address); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		late := time.AfterFunc(5*time.Second, func() { _ = cmd.Process.Kill() })
		defer late.Stop()
		_ = cmd.Wait()
	})
	return "http://" + address
}

// Nginx runs nginx as the user of the test, with what http holds in its configuration.
func Nginx(t testing.TB, address, http string) string {
	t.Helper()
	Need(t, "nginx")
	home := t.TempDir()
	path := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(path, []byte(NginxConf(home, "", "", http)), 0o600); err != nil {
		t.Fatal(err)
	}
	return Serve(t, address, "nginx", "-p", home, "-e", filepath.Join(home, "error.log"), "-c", path)
}

// NginxConf is a configuration of nginx as the user that runs it, with all its files in a directory, and what the
// blocks are to hold.
func NginxConf(dir, main, events, http string) string {
	if os.Getuid() == 0 {
		main += " user root;"
	}
	return fmt.Sprintf("daemon off; %[2]s pid %[1]s/pid; error_log %[1]s/error.log;\nevents { %[3]s }\nhttp {\naccess_log off; client_body_temp_path %[1]s/a; "+
		"proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n%[4]s\n}\n", dir, main, events, http)
}

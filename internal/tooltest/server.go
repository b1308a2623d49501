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

// FreeAddress finds an address on loopback that is free, and likely to stay so for a moment.
func FreeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// Serve runs a web server until the test ends, and returns its URL, without a path, once it takes connections.
func Serve(t testing.TB, address, program string, args ...string) string {
	t.Helper()
	var out bytes.Buffer
	cmd := exec.Command(program, args...)
	cmd.Dir = t.TempDir()
	cmd.Env = append(os.Environ(), "HOME="+cmd.Dir, "XDG_DATA_HOME="+cmd.Dir, "XDG_CONFIG_HOME="+cmd.Dir)
	cmd.Stdout, cmd.Stderr = &out, &out
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		_ = cmd.Process.Signal(os.Interrupt)
		select {
		case <-ended:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-ended
		}
	})
	for range 200 {
		if c, err := net.Dial("tcp", address); err == nil {
			c.Close()
			return "http://" + address
		}
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("%s ended: %v\n%s", program, err, out.Bytes())
		case <-time.After(50 * time.Millisecond):
		}
	}
	t.Fatalf("%s does not answer at %s", program, address)
	return ""
}

// Nginx runs nginx as the user of the test, with what http holds in its configuration.
func Nginx(t testing.TB, address, http string) string {
	t.Helper()
	Need(t, "nginx")
	home, user := t.TempDir(), ""
	if os.Getuid() == 0 {
		user = "user root; "
	}
	conf := fmt.Sprintf(user+"daemon off; pid %[1]s/pid; error_log %[1]s/error.log;\nevents {}\n"+
		"http {\naccess_log off; client_body_temp_path %[1]s/a; proxy_temp_path %[1]s/b; fastcgi_temp_path %[1]s/c; uwsgi_temp_path %[1]s/d; scgi_temp_path %[1]s/e;\n%[2]s\n}\n", home, http)
	path := filepath.Join(home, "nginx.conf")
	if err := os.WriteFile(path, []byte(conf), 0o600); err != nil {
		t.Fatal(err)
	}
	return Serve(t, address, "nginx", "-p", home, "-e", filepath.Join(home, "error.log"), "-c", path)
}

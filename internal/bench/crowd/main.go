// Crowd replays the minute in which many devices ask for a bundle at the same time of day, scaled down, on loopback: against
// trustpool serve, and against nginx with a site that trustpool site wrote. docs/scale.md says what to read from it.
//
//	go run ./internal/bench/crowd [-devices N] [-within DURATION] [-line BITS] [-bundle BYTES]
//
// Each device opens a connection of its own at a random moment, asks as an ASA does, with HTTP/1.0, and reads to the end. What
// it gets is compared with the bundle. The program is to be run in the project's directory, with nginx installed.
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"trustpool/internal/bench"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// Limits of one run.
const (
	maxDevices = 10_000
	maxWithin  = time.Minute
	maxBundle  = 1 << 20         // bytes
	patience   = 2 * time.Minute // of a device
)

const (
	root   = "testdata/bundles/lab-root.pem"
	config = "packaging/web/nginx.conf"
	fleet  = 100_000 // devices that the result is scaled up to
)

// A crowd is devices that ask for a bundle.
type crowd struct {
	devices int
	within  time.Duration // all ask in this time
	line    int64         // bits a second that each can take; 0 for as fast as can be
	bundle  int           // bytes
}

func main() {
	var c crowd
	flag.IntVar(&c.devices, "devices", 2000, "how many ask")
	flag.DurationVar(&c.within, "within", time.Second, "all of them ask within this time")
	flag.Int64Var(&c.line, "line", 0, "bits a second that each can take; 0 for as fast as can be")
	flag.IntVar(&c.bundle, "bundle", 117_000, "bytes of the bundle, about")
	flag.Parse()
	if err := c.run(context.Background(), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "crowd:", err)
		os.Exit(1)
	}
}

func (c *crowd) run(ctx context.Context, w io.Writer) error {
	switch {
	case c.devices < 1 || c.devices > maxDevices:
		return fmt.Errorf("-devices is to be 1 to %d", maxDevices)
	case c.within <= 0 || c.within > maxWithin:
		return fmt.Errorf("-within is to be above zero, and at most %v", maxWithin)
	case c.bundle < 5000 || c.bundle > maxBundle:
		return fmt.Errorf("-bundle is to be 5000 to %d", maxBundle)
	case c.line < 0:
		return errors.New("-line is not to be below zero")
	}
	dir, err := os.MkdirTemp("", "trustpool-crowd-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // for the workers of nginx
		return err
	}
	bundle := pkitest.Large(c.bundle / 1165) // bytes of one of its certificates
	file, program := filepath.Join(dir, "ios.p7b"), filepath.Join(dir, "trustpool")
	if err := os.WriteFile(file, bundle, 0o644); err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", program, "./cmd/trustpool").CombinedOutput(); err != nil {
		return fmt.Errorf("go build: %w\n%s", err, out)
	}
	fmt.Fprintf(w, "%d devices ask for %d bytes within %v\n\n", c.devices, len(bundle), c.within)
	fmt.Fprintf(w, "%-10s %7s %7s %9s %9s %9s %9s %9s %9s %9s %9s %9s\n", "server", "whole", "failed", "all in s", "p50 ms", "p99 ms", "last ms", "at a time", "asks/s", "MB/s", "cpu us", "memory MB")
	for _, server := range []struct {
		name    string
		command func(ctx context.Context, program, dir, address string) (*exec.Cmd, error)
	}{{"serve", serve}, {"nginx", nginx}} {
		address, err := tooltest.Loopback()
		if err != nil {
			return err
		}
		cmd, err := server.command(ctx, program, dir, address)
		if err != nil {
			return err
		}
		if err := tooltest.Start(cmd, address); err != nil {
			return err
		}
		r := c.replay(ctx, cmd.Process.Pid, address, bundle)
		_ = cmd.Process.Signal(os.Interrupt)
		_ = cmd.Wait()
		fmt.Fprintf(w, "%-10s %7d %7d %9.2f %9.1f %9.1f %9.1f %9d %9.0f %9.1f %9.0f %9.0f\n", server.name, len(r.took), len(r.failed), r.all.Seconds(),
			ms(r.quantile(0.5)), ms(r.quantile(0.99)), ms(r.quantile(1)), r.most, r.rate(), r.rate()*float64(len(bundle))/1e6, r.cpu, r.memory)
		for text, n := range r.reasons() {
			fmt.Fprintf(w, "           %d: %s\n", n, text)
		}
		if r.rate() > 0 {
			fmt.Fprintf(w, "           at this rate %d devices take %.0f s, with all of this machine's load on both sides\n", fleet, fleet/r.rate())
		}
	}
	return nil
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// serve is trustpool with the bundle.
func serve(ctx context.Context, program, dir, address string) (*exec.Cmd, error) {
	return exec.CommandContext(ctx, program, "serve", filepath.Join(dir, "ios.p7b"), "--root", root, "--listen", address, "--access-log", "none",
		"--max-connections", strconv.Itoa(2*maxDevices)), nil
}

// nginx is nginx with a site.
func nginx(ctx context.Context, program, dir, address string) (*exec.Cmd, error) {
	site := filepath.Join(dir, "www")
	if out, err := exec.CommandContext(ctx, program, "site", filepath.Join(dir, "ios.p7b"), "-o", site, "--root", root).CombinedOutput(); err != nil {
		return nil, fmt.Errorf("trustpool site: %w\n%s", err, out)
	}
	text, err := os.ReadFile(config)
	if err != nil {
		return nil, err
	}
	block := strings.NewReplacer("listen 80 default_server", "listen "+address+" backlog=4096", "listen [::]:80 default_server;", "", "/var/www/pki", site).Replace(string(text))
	conf := tooltest.NginxConf(dir, "worker_processes auto; worker_rlimit_nofile 65536;", "worker_connections 16384;", block)
	path := filepath.Join(dir, "nginx.conf")
	return exec.CommandContext(ctx, "nginx", "-c", path, "-p", dir, "-e", filepath.Join(dir, "error.log")), os.WriteFile(path, []byte(conf), 0o600)
}

// A result is what became of the devices.
type result struct {
	took   []time.Duration // of those that got all, from the first packet to the last, in order
	failed []string
	all    time.Duration // from the first device to the last
	most   int           // connections at a time
	cpu    float64       // microseconds of the server's processor time for a device
	memory float64       // MB, the most of it
}

func (r *result) quantile(q float64) time.Duration {
	if len(r.took) == 0 {
		return 0
	}
	return r.took[min(len(r.took)-1, int(q*float64(len(r.took))))]
}

func (r *result) rate() float64 { return float64(len(r.took)) / r.all.Seconds() }

// reasons counts failures by what they say.
func (r *result) reasons() map[string]int {
	out := map[string]int{}
	for _, f := range r.failed {
		out[f]++
	}
	return out
}

// replay lets the devices ask.
func (c *crowd) replay(ctx context.Context, pid int, address string, bundle []byte) *result {
	r := &result{}
	want := sha256.Sum256(bundle)
	var lock sync.Mutex
	open := 0
	var group sync.WaitGroup
	before, _ := bench.Used(pid)
	began := time.Now()
	for range c.devices {
		at := time.Duration(rand.Int64N(int64(c.within)))
		group.Go(func() {
			time.Sleep(at)
			lock.Lock()
			open++
			r.most = max(r.most, open)
			lock.Unlock()
			start := time.Now()
			err := c.ask(ctx, address, want)
			took := time.Since(start)
			lock.Lock()
			defer lock.Unlock()
			open--
			if err != nil {
				r.failed = append(r.failed, err.Error())
			} else {
				r.took = append(r.took, took)
			}
		})
	}
	group.Wait()
	r.all = time.Since(began)
	after, memory := bench.Used(pid)
	r.cpu, r.memory = (after-before)/float64(c.devices), memory
	slices.SortFunc(r.took, cmp.Compare[time.Duration])
	return r
}

// ask is one device.
func (c *crowd) ask(ctx context.Context, address string, want [sha256.Size]byte) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return plain(err)
	}
	defer conn.Close()
	deadline, _ := ctx.Deadline()
	if err := conn.SetDeadline(deadline); err != nil {
		return err
	}
	if _, err := io.WriteString(conn, "GET /ios.p7b HTTP/1.0\r\n\r\n"); err != nil {
		return plain(err)
	}
	var answer bytes.Buffer
	if _, err := io.Copy(&answer, &slow{conn, c.line}); err != nil {
		return plain(err)
	}
	head, body, _ := bytes.Cut(answer.Bytes(), []byte("\r\n\r\n"))
	if !bytes.HasPrefix(head, []byte("HTTP/1.")) || !bytes.Contains(head[:min(len(head), 16)], []byte(" 200")) {
		return fmt.Errorf("the answer begins with %.20q", head)
	}
	if sha256.Sum256(body) != want {
		return errors.New("not the bundle")
	}
	return nil
}

// plain is an error without addresses.
func plain(err error) error {
	if e, ok := errors.AsType[*net.OpError](err); ok {
		return fmt.Errorf("%s: %w", e.Op, e.Err)
	}
	return err
}

// slow is a connection that takes so many bits a second.
type slow struct {
	io.Reader
	bits int64
}

// slice is how many bytes of a slow line are read at a time.
const slice = 4 << 10

func (s *slow) Read(b []byte) (int, error) {
	if s.bits == 0 {
		return s.Reader.Read(b)
	}
	n, err := s.Reader.Read(b[:min(len(b), slice)])
	time.Sleep(time.Duration(int64(n) * 8 * int64(time.Second) / s.bits))
	return n, err
}

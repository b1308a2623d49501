//go:build linux || darwin

package bench_test

import (
	"cmp"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

const (
	minPairs = 21 // of runs side by side; odd, so that the median is one of them
	warmUps  = 3
)

// labRoot is the anchor of what pkitest makes, and at a day on which all of it is
// valid; openssl and certtool use the present, when it is valid too.
const (
	labRoot = "../../testdata/bundles/lab-root.pem"
	at      = "2026-01-01"
)

// A command is one process, or a pipe of several. Their output is thrown away.
type command [][]string

// run gives the time from the start of the first process to the end of the last.
func (c command) run(b *testing.B) time.Duration {
	b.Helper()
	processes := make([]*exec.Cmd, len(c))
	var between []*os.File // ends of pipes that are the children's
	for i, args := range c {
		processes[i] = exec.Command(args[0], args[1:]...)
		if i > 0 {
			r, w, err := os.Pipe()
			if err != nil {
				b.Fatal(err)
			}
			processes[i-1].Stdout, processes[i].Stdin = w, r
			between = append(between, r, w)
		}
	}
	begin := time.Now()
	for _, p := range processes {
		if err := p.Start(); err != nil {
			b.Fatal(err)
		}
	}
	for _, f := range between {
		_ = f.Close()
	}
	for _, p := range processes {
		if err := p.Wait(); err != nil {
			b.Fatalf("%q: %v", p.Args, err)
		}
	}
	return time.Since(begin)
}

// sideBySide runs ours and theirs in turns, and reports the medians of both times
// in milliseconds and of the ratio of ours to theirs.
func sideBySide(b *testing.B, ours, theirs command) {
	b.Helper()
	for range warmUps {
		ours.run(b)
		theirs.run(b)
	}
	var a, z, ratios []float64
	pair := func() {
		x, y := ours.run(b), theirs.run(b)
		a, z, ratios = append(a, us(x)/1000), append(z, us(y)/1000), append(ratios, float64(x)/float64(y))
	}
	for b.Loop() {
		pair()
	}
	for len(ratios) < minPairs {
		pair()
	}
	b.ReportMetric(0, "ns/op") // of a pair: it says nothing
	b.ReportMetric(median(a), "ours-ms")
	b.ReportMetric(median(z), "theirs-ms")
	b.ReportMetric(median(ratios), "ratio")
	b.ReportMetric(float64(len(ratios)), "pairs")
}

func us(d time.Duration) float64 { return float64(d) / float64(time.Microsecond) }

func median[T cmp.Ordered](values []T) T {
	sorted := slices.Sorted(slices.Values(values))
	return sorted[len(sorted)/2]
}

// buildProgram builds the program as `make build` does.
func buildProgram(b *testing.B) string {
	b.Helper()
	program := filepath.Join(b.TempDir(), "trustpool")
	build := exec.Command("go", "build", "-trimpath", "-ldflags", "-X main.version=bench", "-o", program, "trustpool/cmd/trustpool")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v\n%s", err, out)
	}
	return program
}

// A subject is a bundle and what its signature leads to.
type subject struct {
	name, file string
	inner      string // the certs-only message within it
	root       string // a PEM file
	flags      []string
}

func lab367(b *testing.B) subject {
	b.Helper()
	file := filepath.Join(b.TempDir(), "large.p7b")
	data := pkitest.Large(367)
	write(b, file, data)
	s := subject{name: "lab-367", file: file, root: labRoot, flags: []string{"--root", labRoot, "--at", at}}
	s.inner = innerOf(b, data)
	return s
}

// genuine are the bundles of the corpus, none where it is not set.
func genuine(b *testing.B) (subjects []subject) {
	b.Helper()
	if os.Getenv("TRUSTPOOL_CORPUS") == "" {
		return nil
	}
	for _, name := range []string{tooltest.IOS2016, tooltest.IOS2021} {
		file := tooltest.Corpus(b, name)
		data, err := os.ReadFile(file)
		if err != nil {
			b.Fatal(err)
		}
		s := subject{name: name, file: file, inner: innerOf(b, data), root: filepath.Join(b.TempDir(), "root.pem")}
		s.flags = []string{"--at", at}
		for _, c := range parse(b, data).Chain {
			if c.SHA256 == roots.CiscoRootCAM1().SHA256 {
				write(b, s.root, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
			}
		}
		subjects = append(subjects, s)
	}
	return subjects
}

func innerOf(b *testing.B, data []byte) string {
	b.Helper()
	file := filepath.Join(b.TempDir(), "inner.p7b")
	write(b, file, parse(b, data).Message.Content)
	return file
}

func parse(b *testing.B, data []byte) *bundle.Bundle {
	b.Helper()
	parsed, err := bundle.Parse(data)
	if err != nil {
		b.Fatal(err)
	}
	return parsed
}

func write(b *testing.B, file string, data []byte) {
	b.Helper()
	if err := os.WriteFile(file, data, 0o600); err != nil {
		b.Fatal(err)
	}
}

// BenchmarkSideBySide runs each command of the program in turns with the commands
// of OpenSSL and GnuTLS that people use for the same.
func BenchmarkSideBySide(b *testing.B) {
	tooltest.Need(b, "openssl", "certtool")
	program := buildProgram(b)
	for _, s := range append([]subject{lab367(b)}, genuine(b)...) {
		inspect := command{append([]string{program, "inspect", s.file}, s.flags...)}
		verify := command{append([]string{program, "verify", s.file}, s.flags...)}
		b.Run(s.name+"/inspect-openssl", func(b *testing.B) {
			sideBySide(b, inspect, command{
				{"openssl", "cms", "-verify", "-noverify", "-inform", "DER", "-in", s.file},
				{"openssl", "pkcs7", "-inform", "DER", "-print_certs"},
			})
		})
		b.Run(s.name+"/inspect-certtool", func(b *testing.B) {
			sideBySide(b, inspect, command{{"certtool", "--p7-info", "--inder", "--infile", s.inner}})
		})
		b.Run(s.name+"/verify-openssl", func(b *testing.B) {
			sideBySide(b, verify, command{
				{"openssl", "cms", "-verify", "-purpose", "any", "-CAfile", s.root, "-inform", "DER", "-in", s.file},
			})
		})
	}
}

// BenchmarkReach judges one chain by a pool of 367 certificates in turns with
// "openssl verify", which reads the same pool.
func BenchmarkReach(b *testing.B) {
	tooltest.Need(b, "openssl")
	program, dir := buildProgram(b), b.TempDir()
	file := func(name string, ders ...[]byte) string {
		var out []byte
		for _, der := range ders {
			out = append(out, pkitest.CertificatePEM(der)...)
		}
		write(b, filepath.Join(dir, name), out)
		return filepath.Join(dir, name)
	}
	server := pkitest.LabServers()[0]
	pool := file("pool.pem", append(pkitest.LargePool(366), pkitest.Lab().Root.DER)...)
	leaf, others := file("leaf.pem", server.Chain[0]), file("others.pem", server.Chain[1:]...)
	chain := file("chain.pem", server.Chain...)
	sideBySide(b, command{{program, "reach", "--at", at, "--chains", chain, pool}},
		command{{"openssl", "verify", "-purpose", "sslserver", "-verify_hostname", server.Host, "-CAfile", pool, "-untrusted", others, leaf}})
}

// BenchmarkAudit runs audit in turns with inspect, which does not judge
// self-signatures.
func BenchmarkAudit(b *testing.B) {
	program := buildProgram(b)
	for _, s := range append([]subject{lab367(b)}, genuine(b)...) {
		b.Run(s.name, func(b *testing.B) {
			sideBySide(b, command{append([]string{program, "audit", s.file, "--fail-on", "never"}, s.flags...)},
				command{append([]string{program, "inspect", s.file}, s.flags...)})
		})
	}
}

// A usage is what one run took.
type usage struct {
	Time time.Duration
	CPU  time.Duration // of all processors
	Peak int64         // bytes in memory at once
}

// The test program runs itself for two errands, which the first variable names.
// On Linux the peak of a process is at least that of the one that started it, so
// a small one must start what is measured, and not one that has made a bundle of
// 100,000 certificates.
const (
	errand       = "TRUSTPOOL_BENCH_ERRAND"
	errandLarge  = "large"   // DIR N: write two bundles of N certificates, see writeLarge
	errandRun    = "measure" // PROGRAM ARGUMENT…: run it, print its usage
	errandStatus = 3
)

func TestMain(m *testing.M) {
	var err error
	switch os.Getenv(errand) {
	case errandLarge:
		var n int
		if n, err = strconv.Atoi(os.Args[2]); err == nil {
			err = writeLarge(os.Args[1], n)
		}
	case errandRun:
		err = runMeasured(os.Args[1:])
	default:
		os.Exit(m.Run())
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(errandStatus)
	}
}

func runMeasured(args []string) error {
	_ = os.Unsetenv(errand)
	cmd := exec.Command(args[0], args[1:]...)
	begin := time.Now()
	if err := cmd.Run(); cmd.ProcessState == nil || cmd.ProcessState.ExitCode() > 1 { // 1: the answer is no
		return err
	}
	u := usage{Time: time.Since(begin), CPU: cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()}
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.Peak = int64(r.Maxrss)
		if runtime.GOOS == "linux" { // which counts in KiB
			u.Peak <<= 10
		}
	}
	return json.NewEncoder(os.Stdout).Encode(u)
}

func measure(b *testing.B, args []string) (u usage) {
	b.Helper()
	if err := json.Unmarshal(self(b, errandRun, args...), &u); err != nil {
		b.Fatal(err)
	}
	return u
}

func self(b *testing.B, name string, args ...string) []byte {
	b.Helper()
	program, err := os.Executable()
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(program, args...)
	cmd.Env = append(os.Environ(), errand+"="+name)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		b.Fatalf("%s %q: %v", name, args, err)
	}
	return out
}

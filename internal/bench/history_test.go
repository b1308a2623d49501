//go:build linux

package bench_test

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"testing"
	"time"

	"trustpool/internal/bench"
	"trustpool/internal/durable"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

// longStore makes a store of so many names, each with so many releases of bundles of so many certificates. The releases
// of the first name are published; the others are copies of it, their bundles links to the same files.
func longStore(b *testing.B, names, releases, certificates int) string {
	b.Helper()
	dir := b.TempDir()
	disk, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		b.Fatal(err)
	}
	rootPEM, err := os.ReadFile(labRoot)
	if err != nil {
		b.Fatal(err)
	}
	anchors, err := roots.FromFile(rootPEM)
	if err != nil {
		b.Fatal(err)
	}
	day := time.Date(2025, 1, 15, 12, 0, 0, 0, time.UTC)
	pool := pkitest.LargePool(certificates + releases)
	for i := range releases {
		version := strconv.Itoa(i + 1)
		data := pkitest.Bundle(pkitest.Lab().Signer, "Lab Large Bundle", version, day, pool[i:i+certificates]...)
		o := store.PublishOptions{Name: "b0000", Anchors: anchors, At: day, Now: day.AddDate(0, 0, i)}
		if _, err := store.New(disk).Publish(b.Context(), data, o); err != nil {
			b.Fatal(err)
		}
	}
	index, err := os.ReadFile(filepath.Join(dir, "current/b0000"))
	if err != nil {
		b.Fatal(err)
	}
	bundles, err := filepath.Glob(filepath.Join(dir, "archive/b0000/*/b0000.p7b"))
	if err != nil {
		b.Fatal(err)
	}
	for i := 1; i < names; i++ {
		name := fmt.Sprintf("b%04d", i)
		write(b, filepath.Join(dir, "current", name), bytes.ReplaceAll(index, []byte("b0000"), []byte(name)))
		for _, file := range bundles {
			copied := filepath.Join(dir, "archive", name, filepath.Base(filepath.Dir(file)))
			if err := os.MkdirAll(copied, 0o755); err != nil {
				b.Fatal(err)
			}
			if err := os.Link(file, filepath.Join(copied, name+".p7b")); err != nil {
				b.Fatal(err)
			}
		}
	}
	return dir
}

// BenchmarkHistory starts a server of a store with a long history: how long it takes until it answers, and its memory
// then, at its highest, and when every release of 20 names was asked for with what is beside it. BENCH_TRUSTPOOL is
// another program to measure.
func BenchmarkHistory(b *testing.B) {
	for _, size := range []struct{ names, releases, certificates int }{{20, 65, 126}, {1000, 65, 8}, {1000, 65, 126}} {
		b.Run(fmt.Sprintf("%dx%d,%d", size.names, size.releases, size.certificates), func(b *testing.B) {
			program := os.Getenv("BENCH_TRUSTPOOL")
			if program == "" {
				program = buildProgram(b)
			}
			dir := longStore(b, size.names, size.releases, size.certificates)
			for b.Loop() {
				address := tooltest.FreeAddress(b)
				begin := time.Now()
				s := startServerWithin(b, 5*time.Minute, "trustpool", address, "b0000.p7b", program, "serve", "--store", dir, "--root", labRoot, "--listen", address, "--access-log", "none")
				b.ReportMetric(0, "ns/op")
				b.ReportMetric(time.Since(begin).Seconds(), "start-s")
				cpu, _ := bench.Used(s.pid)
				b.ReportMetric(cpu/1e6, "start-cpu-s")
				b.ReportMetric(memoryMB(b, s.pid, "VmRSS"), "start-MB")
				b.ReportMetric(memoryMB(b, s.pid, "VmHWM"), "start-peak-MB")
				begin = time.Now()
				asked := 0
				for i := range min(size.names, 20) {
					for release := range size.releases {
						for _, file := range []string{".p7b", ".jks", ".diff.json"} {
							name := fmt.Sprintf("b%04d", i)
							r, err := http.Get(fmt.Sprintf("%ssecurity/pki/trs/archive/%s/%d/%s%s", s.url, name, release+1, name, file))
							if err != nil {
								b.Fatal(err)
							}
							if _, err := io.Copy(io.Discard, r.Body); err != nil {
								b.Fatal(err)
							}
							r.Body.Close()
							if r.StatusCode == http.StatusOK {
								asked++
							}
						}
					}
				}
				b.ReportMetric(float64(asked), "asked")
				b.ReportMetric(time.Since(begin).Seconds()*1000/float64(max(asked, 1)), "ms/asked")
				b.ReportMetric(memoryMB(b, s.pid, "VmHWM"), "crawled-peak-MB")
			}
		})
	}
}

// memoryMB is a line of what the system says of a process.
func memoryMB(b *testing.B, pid int, line string) float64 {
	b.Helper()
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		b.Fatal(err)
	}
	m := regexp.MustCompile(line + `:\s+([0-9]+) kB`).FindSubmatch(data)
	kB, err := strconv.ParseFloat(string(m[1]), 64)
	if err != nil {
		b.Fatal(err)
	}
	return kB / 1024
}

//go:build linux || darwin

package bench_test

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/internal/pkitest"
)

// BenchmarkGrowth runs commands on 10^3, 10^4 and 10^5 certificates, and reports the
// time of one certificate, how it compares with that of the first size, which is run
// again beside each, and peak memory. A command grows with its input and no faster if
// CPU-of-1000 is not above 1 by more than runs differ. Times of extract, build and
// receive are those of the disk, too.
func BenchmarkGrowth(b *testing.B) {
	const first = 1_000
	program := buildProgram(b)
	small := newGrowing(b, program, first)
	for _, n := range []int{first, 10_000, 100_000} {
		b.Run(strconv.Itoa(n), func(b *testing.B) {
			g := small
			if n != first {
				g = newGrowing(b, program, n)
			}
			for _, command := range growingCommands {
				b.Run(strings.ReplaceAll(command, " ", "_"), func(b *testing.B) { g.run(b, small, command) })
			}
		})
	}
}

// growingCommands are what BenchmarkGrowth runs.
var growingCommands = []string{
	"inspect BUNDLE TRUST",
	"inspect BUNDLE TRUST --long",
	"inspect BUNDLE TRUST --json",
	"inspect BUNDLE TRUST --csv",
	"inspect BUNDLE TRUST --pem",
	"inspect BUNDLE TRUST --style iosxe",
	"inspect BUNDLE NEWER TRUST --json",
	"verify BUNDLE TRUST",
	"diff BUNDLE NEWER",
	"diff BUNDLE NEWER --json",
	"audit BUNDLE TRUST --fail-on never",
	"audit BUNDLE TRUST --fail-on never --json",
	"audit NEWER TRUST --fail-on never --against BUNDLE",
	"import BUNDLE TRUST --platform iosxe",
	"import NEWER TRUST --platform iosxe --pool POOL --json",
	"extract BUNDLE -o OUT",
	"build RECIPE -o OUT --at " + at,
	"pack BUNDLE TRUST -o OUT",
	"receive KIT TRUST -o OUT --max-size 1G",
	"pool read SHOWN --platform iosxe",
	"pool read SHOWN --platform iosxe --save OUT",
}

// A growing is the input of a size.
type growing struct {
	program string
	size    float64
	out     string
	words   *strings.Replacer
}

// newGrowing makes the input of n certificates.
func newGrowing(b *testing.B, program string, n int) growing {
	b.Helper()
	dir := b.TempDir()
	in := func(name string) string { return filepath.Join(dir, name) }
	self(b, errandLarge, dir, strconv.Itoa(n))
	g := growing{program: program, size: float64(n), out: in("out")}
	g.words = strings.NewReplacer("BUNDLE", in("bundle.p7b"), "NEWER", in("newer.p7b"), "SHOWN", in("shown.txt"), "POOL", in("pool.json"), "KIT", in("kit.tar"),
		"RECIPE", recipeFor(b, in("bundle.p7b")), "OUT", g.out, "TRUST", "--root "+labRoot+" --at "+at)
	for _, command := range []string{
		"inspect BUNDLE --style iosxe -o SHOWN", "pool read SHOWN --platform iosxe --save POOL", "pack BUNDLE TRUST -o KIT",
	} {
		measure(b, g.args(command))
	}
	return g
}

// writeLarge writes to dir a bundle of n certificates, and a newer one in which a tenth are others.
func writeLarge(dir string, n int) error {
	certificates := pkitest.LargePool(n + n/10)
	bundle := func(version string, month time.Month, certificates [][]byte) []byte {
		return pkitest.Bundle(pkitest.Lab().Signer, "Lab Large Bundle", version, time.Date(2025, month, 15, 12, 0, 0, 0, time.UTC), certificates...)
	}
	if err := os.WriteFile(filepath.Join(dir, "bundle.p7b"), bundle("1", time.January, certificates[:n]), 0o600); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "newer.p7b"), bundle("2", time.February, certificates[n/10:]), 0o600)
}

func (g growing) args(command string) []string {
	return append([]string{g.program}, strings.Fields(g.words.Replace(command))...)
}

// once runs a command that finds nothing where it writes to.
func (g growing) once(b *testing.B, command string) usage {
	b.Helper()
	if err := os.RemoveAll(g.out); err != nil {
		b.Fatal(err)
	}
	return measure(b, g.args(command))
}

// run runs a command on g and, beside it, on a small input.
func (g growing) run(b *testing.B, small growing, command string) {
	const beside, minRuns = 3, 3
	g.once(b, command) // its pages are cached from here on
	var times, cpus, timeRatios, cpuRatios, peaks []float64
	run := func() {
		var firstTime, firstCPU []float64
		for range beside {
			u := small.once(b, command)
			firstTime, firstCPU = append(firstTime, us(u.Time)/small.size), append(firstCPU, us(u.CPU)/small.size)
		}
		u := g.once(b, command)
		times, cpus, peaks = append(times, us(u.Time)/g.size), append(cpus, us(u.CPU)/g.size), append(peaks, float64(u.Peak)/1e6)
		timeRatios = append(timeRatios, us(u.Time)/g.size/median(firstTime))
		cpuRatios = append(cpuRatios, us(u.CPU)/g.size/median(firstCPU))
	}
	for b.Loop() {
		run()
	}
	for len(times) < minRuns {
		run()
	}
	b.ReportMetric(0, "ns/op") // of all runs: it says nothing
	b.ReportMetric(median(times), "us/certificate")
	b.ReportMetric(median(cpus), "CPU-us/certificate")
	b.ReportMetric(median(timeRatios), "of-1000")
	b.ReportMetric(median(cpuRatios), "CPU-of-1000")
	b.ReportMetric(slices.Max(peaks), "peak-MB")
}

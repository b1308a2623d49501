// Package bench measures whole runs of the program, beside those of openssl and
// certtool that answer the same question. Nothing here fails because something
// is slow; docs/performance.md says how to read the figures.
package bench

import (
	"bytes"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// Used is what a process and its children have used: microseconds of processor time, and the most memory in MB. It is 0 if the
// system does not say it.
func Used(pid int) (cpu, memory float64) {
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return 0, 0
	}
	for _, file := range stats {
		data, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		own, _, _ := strings.Cut(string(data), " ")
		fields := strings.Fields(string(data[bytes.LastIndexByte(data, ')')+1:]))
		if own != strconv.Itoa(pid) && fields[1] != strconv.Itoa(pid) {
			continue
		}
		for _, ticks := range fields[11:13] { // of 10 ms
			n, _ := strconv.ParseFloat(ticks, 64)
			cpu += n * 10_000
		}
		status, err := os.ReadFile(filepath.Join(filepath.Dir(file), "status"))
		if err != nil {
			continue
		}
		if _, after, ok := strings.Cut(string(status), "VmHWM:"); ok {
			n, _ := strconv.ParseFloat(strings.Fields(after)[0], 64) // kB
			memory += n / 1024
		}
	}
	return cpu, memory
}

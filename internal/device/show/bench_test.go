package show_test

import (
	"fmt"
	"strings"
	"testing"

	"trustpool/internal/device/show"
)

// BenchmarkRead is of pools as large as Cisco's, in each form in which captures come.
func BenchmarkRead(b *testing.B) {
	noise := noises()
	var entries, rows []string
	var xr strings.Builder
	for i := range 108 {
		serial, origin := fmt.Sprintf("%032X", i+1), "Downloaded"
		if i%3 == 0 {
			origin = "Built-In"
		}
		name := fmt.Sprintf("CN=Lab Public Primary Certification Authority - G%d,OU=(c) 2006 Lab\\, for authorized use only,O=Lab Trust Network,C=US", i)
		entries = append(entries, xeEntry(serial, origin, show.NameLines(name, show.IOSXE)...))
		fmt.Fprintf(&xr, "Trustpool: %s\n==================================================\nCA certificate\n", origin)
		fields := fmt.Sprintf("  Serial Number  : %s\n  Subject:\n        %s\n  Issued By      :\n        %[2]s\n  Validity Start : 18:27:00 UTC Fri Nov 24 2006\n  Validity End   : 18:23:33 UTC Mon Nov 24 2031\n", serial, name)
		fmt.Fprintf(&xr, "%s  SHA1 Fingerprint:\n        %040X\n", fields, i)
		rows = append(rows, fields)
	}
	session := func(command, text string) string {
		return "edge1#terminal length 0\nedge1#" + command + "\n" + text + "edge1#exit\n"
	}
	xe := session("show crypto pki trustpool", strings.Join(entries, "\n"))
	for _, test := range []struct {
		name  string
		style show.Style
		text  string
	}{
		{"iosxe", show.IOSXE, xe},
		{"iosxe-noisy", show.IOSXE, noise["a numbered message"](noise["a pager"](xe))},
		{"iosxe-stamped", show.IOSXE, noise["a time [2024-03-07 11:22:33.444] "](xe)},
		{"iosxe-json", show.IOSXE, noise["registered"](xe)},
		{"iosxr", show.IOSXR, session("show crypto ca trustpool", xr.String())},
		{"nxos", show.NXOS, session("show crypto ca trustpool", strings.Join(rows, "\n"))},
	} {
		b.Run(test.name, func(b *testing.B) {
			b.SetBytes(int64(len(test.text)))
			b.ReportAllocs()
			for b.Loop() {
				if list, err := show.Read([]byte(test.text), test.style); err != nil || len(list) != 108 {
					b.Fatal(len(list), err)
				}
			}
		})
	}
}

package audit_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
)

// What people read is of a bounded length, whatever names a file has.
func TestLongNames(t *testing.T) {
	t.Parallel()
	var ders [][]byte
	for i := range 25 {
		ders = append(ders, plain(func(x *pkitest.Template) {
			x.Subject = pkitest.NewName(fmt.Sprintf("CN=%d", i) + strings.Repeat("\u202e", 4_000))
			x.NotAfter = pkitest.Date(2020, 1, 1)
		}))
	}
	r := run(t, bundled(t, ders...), audit.Criteria{})
	for name, printOne := range printings(r) {
		n := len(printed(t, printOne))
		if people := name == "text" || name == "markdown" || name == "html"; people && n > 700_000 {
			t.Errorf("%s has %d bytes", name, n)
		} else if !people && n < 25*4_000 {
			t.Errorf("%s left something out: %d bytes", name, n)
		}
	}
}

// One finding about more certificates than a page shows says how many more.
func TestLongFinding(t *testing.T) {
	t.Parallel()
	one := bundled(t, plain(nil)).Entries[0].Certificate
	s := audit.Subject{File: "many"}
	for i := range 1234 {
		c := *one
		c.SHA256[0], c.SHA256[1] = byte(i), byte(i>>8)
		s.Entries = append(s.Entries, pool.Of([]*certificate.Certificate{&c})...)
	}
	if out := string(printed(t, run(t, s, audit.Criteria{}).WriteHTML)); !strings.Contains(out, ">and 234 more<") {
		t.Error("the page does not say that it leaves something out")
	}
}

// What is good to know takes a line a rule, unless it decides.
func TestInfoInText(t *testing.T) {
	t.Parallel()
	r := run(t, bundled(t, quirk("serial-0")), audit.Criteria{})
	out := string(printed(t, r.WriteText))
	if !strings.Contains(out, "\n  serial-zero                  1  The serial number is zero\n") || strings.Contains(out, "serial number 00") {
		t.Error(out)
	}
	r.FailOn = audit.Info
	if out := string(printed(t, r.WriteText)); !strings.Contains(out, "serial number 00") || !strings.Contains(out, "\nverdict        fails: ") {
		t.Error(out)
	}
}

// SARIF names files by URI.
func TestArtifactURI(t *testing.T) {
	t.Parallel()
	for file, want := range map[string]string{
		"a b.p7b": "a%20b.p7b", "/tmp/a.p7b": "file:///tmp/a.p7b", "a:b": "./a:b", "-": "stdin", "": "stdin",
		"https://h.example/p/ios.p7b?v=1": "https://h.example/p/ios.p7b?v=1",
	} {
		s := bundled(t, quirk("expired"))
		s.File = file
		if out := string(printed(t, run(t, s, audit.Criteria{}).WriteSARIF)); !strings.Contains(out, `"uri": "`+want+`"`) {
			t.Errorf("%q is not %q", file, want)
		}
	}
}

// A column of the chart that counts more years than its own says so, and a certificate that expired yesterday has expired.
func TestChart(t *testing.T) {
	t.Parallel()
	var ders [][]byte
	for _, end := range []time.Time{at.AddDate(-36, 0, 0), at.AddDate(-6, 0, 0), at.AddDate(0, 0, -1), at, at.AddDate(73, 0, 0), at.AddDate(474, 0, 0)} {
		ders = append(ders, plain(func(x *pkitest.Template) { x.NotAfter = pkitest.At(end) }))
	}
	out := string(printed(t, run(t, bundled(t, ders...), audit.Criteria{}).WriteHTML))
	for _, want := range []string{">to 2011</text>", ">from 2066</text>", `<th scope="row">2026</th><td>1</td><td>1</td>`, `<th scope="row">All</th><td>3</td><td>3</td>`} {
		if !strings.Contains(out, want) {
			t.Errorf("the page has no %s", want)
		}
	}
}

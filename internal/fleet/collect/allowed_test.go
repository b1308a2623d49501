package collect_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"trustpool/internal/device"
	"trustpool/internal/fleet/collect"
)

// What SECURITY.md says is sent is what may be sent.
func TestSecurity(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../SECURITY.md")
	if err != nil {
		t.Fatal(err)
	}
	_, table, ok := strings.Cut(string(text), "### What is sent to devices\n")
	if !ok {
		t.Fatal("SECURITY.md does not say what is sent to devices")
	}
	table, _, _ = strings.Cut(table, "\n## ")
	code := regexp.MustCompile("`([^`]+)`")
	found := 0
	for line := range strings.Lines(table) {
		cells := strings.Split(line, "|")
		if len(cells) != 4 || !strings.Contains(cells[2], "`") {
			continue
		}
		var documented []string
		for _, m := range code.FindAllStringSubmatch(cells[2], -1) {
			documented = append(documented, m[1])
		}
		for name := range strings.SplitSeq(strings.TrimSpace(cells[1]), ", ") {
			p, err := device.Lookup(name)
			if err != nil {
				t.Fatal(err)
			}
			allowed, err := collect.Commands(p, false)
			if err != nil {
				t.Fatal(err)
			}
			if !slices.Equal(documented, allowed) {
				t.Errorf("%s: SECURITY.md says %q, and %q is allowed", name, documented, allowed)
			}
			withSecret, err := collect.Commands(p, true)
			if err != nil || !slices.Equal(withSecret, append(allowed, "enable")) {
				t.Errorf("%s: with a secret %q, %v", name, withSecret, err)
			}
			found++
		}
	}
	for _, p := range device.Platforms() {
		if _, err := collect.Commands(p, false); err == nil {
			found--
		}
	}
	if found != 0 {
		t.Errorf("SECURITY.md has %d platforms more than there are", found)
	}
}

package main

import (
	"os"
	"strings"
	"testing"
	"time"

	"trustpool/internal/tooltest"
)

// A small crowd gets all it asks for, of both servers.
func TestCrowd(t *testing.T) {
	tooltest.Need(t, "go", "nginx")
	t.Chdir("../../..")
	var out strings.Builder
	c := crowd{devices: 50, within: 100 * time.Millisecond, line: 20_000_000, bundle: 10_000}
	if err := c.run(t.Context(), &out); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"serve", "nginx"} {
		if !strings.Contains(out.String(), "\n"+name+"           50       0 ") {
			t.Errorf("%s did not answer all:\n%s", name, out.String())
		}
	}
	if t.Failed() || testing.Verbose() {
		os.Stdout.WriteString(out.String())
	}
	for _, bad := range []crowd{{}, {devices: maxDevices + 1, within: 1, bundle: 10_000}, {devices: 1, within: time.Hour, bundle: 10_000}, {devices: 1, within: 1, bundle: 1}, {devices: 1, within: 1, bundle: 10_000, line: -1}} {
		if err := bad.run(t.Context(), &out); err == nil {
			t.Errorf("%+v is run", bad)
		}
	}
}

package hosting_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/pkitest"
)

// A file that an older version replaces is served, and it is said; or the newer one
// stays.
func TestOlderFile(t *testing.T) {
	t.Parallel()
	v1, v2 := read(t, "lab-core-v1.p7b"), read(t, "lab-core-v2.p7b")
	for _, refuse := range []bool{false, true} {
		dir := labDir(t)
		file := filepath.Join(dir, "ios.p7b")
		put(t, file, v2, modified)
		var said journal
		o := options(t, hosting.Directory(dir))
		o.Report, o.NoDowngrade = said.report, refuse
		s := newServer(t, o)
		for _, step := range []struct {
			data  []byte
			newer string // in /readyz
			older string // in the metric
		}{{v1, "2", "1"}, {v1, "2", "1"}, {v2, "", "0"}} {
			put(t, file, step.data, modified.Add(time.Hour))
			err := s.Refresh(t.Context())
			want := string(step.data)
			if refuse {
				step.newer, step.older, want = "", "0", string(v2)
			}
			if (err != nil) != (refuse && string(step.data) == string(v1)) {
				t.Errorf("refresh: %v", err)
			}
			if _, body := get(t, s, "/ios.p7b"); body != want {
				t.Errorf("%d bytes are served", len(body))
			}
			_, r := ready(t, s)
			got := ""
			if r.Bundles[0].Newer != nil {
				got = *r.Bundles[0].Newer
			}
			if !r.Ready || got != step.newer {
				t.Errorf("ready: %+v", r)
			}
			if _, metrics := get(t, s, "/metrics"); !strings.Contains(metrics, "\ntrustpool_bundle_older{bundle=\"ios\"} "+step.older+"\n") {
				t.Errorf("metrics:\n%s", metrics)
			}
		}
		if want := "version 1, older than version 2 that was served"; strings.Count(said.String(), want) != 1 {
			t.Errorf("said: %s", said.String())
		}
	}
}

// Of text around DER the DER is served.
func TestArmouredFile(t *testing.T) {
	t.Parallel()
	dir, v1 := labDir(t), read(t, "lab-core-v1.p7b")
	put(t, filepath.Join(dir, "ios.p7b"), pkitest.MessagePEM(v1), modified)
	var said journal
	o := options(t, hosting.Directory(dir))
	o.Report = said.report
	s := newServer(t, o)
	c := s.Catalog()
	if err := s.Refresh(t.Context()); err != nil || s.Catalog() != c {
		t.Errorf("the same file makes another catalog: %v", err)
	}
	for _, path := range []string{"/ios.p7b", "/sha256/f168df10420e3fc7796d0bbc8a3d626ad12f78cb97ec2f27c0c87a271c4ceb97"} {
		if status, body := get(t, s, path); status != 200 || body != string(v1) {
			t.Errorf("%s: status %d, %d bytes", path, status, len(body))
		}
	}
	if _, r := ready(t, s); !r.Ready {
		t.Errorf("%+v", r)
	}
	if strings.Count(said.String(), "text around DER") != 1 {
		t.Errorf("said: %s", said.String())
	}
}

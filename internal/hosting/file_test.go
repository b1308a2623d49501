package hosting_test

import (
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/hosting"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

// A file that an older version replaces is served, and it is said; or the newer one
// stays.
func TestOlderFile(t *testing.T) {
	t.Parallel()
	v1, v2 := tooltest.Bundle(t, "lab-core-v1.p7b"), tooltest.Bundle(t, "lab-core-v2.p7b")
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
			if !r.Ready || string(r.Bundles[0].Newer) != step.newer {
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

// With NoDowngrade a file with a version that cannot be compared does not replace
// one that has a version: it may be older.
func TestFileWithoutVersion(t *testing.T) {
	t.Parallel()
	numbered := tooltest.Bundle(t, "lab-core-v2.p7b")
	signed := func(version string) []byte {
		return pkitest.Bundle(pkitest.Lab().Signer, "Lab Core Bundle", version, time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC), pkitest.CoreV1()...)
	}
	for _, tt := range []struct {
		before, after []byte
		replaced      bool
	}{
		{numbered, signed(""), false}, {numbered, signed("two"), false}, {numbered, signed("3"), true}, {numbered, signed("2"), true},
		{signed(""), signed("1"), true}, {signed(""), signed("one"), true}, {signed("two"), signed("3"), false},
	} {
		for _, refuse := range []bool{false, true} {
			dir := labDir(t)
			file := filepath.Join(dir, "ios.p7b")
			put(t, file, tt.before, modified)
			o := options(t, hosting.Directory(dir))
			o.NoDowngrade = refuse
			s := newServer(t, o)
			was := s.Catalog().Entries[0].Current.Version
			put(t, file, tt.after, modified.Add(time.Hour))
			err := s.Refresh(t.Context())
			replaced := tt.replaced || !refuse
			if (err == nil) != replaced {
				t.Errorf("%q by another, refuse %t: %v", was, refuse, err)
			}
			want := tt.before
			if replaced {
				want = tt.after
			}
			if _, body := get(t, s, "/ios.p7b"); body != string(want) {
				t.Errorf("%q by another, refuse %t: %d bytes are served", was, refuse, len(body))
			}
		}
	}
}

// Of text around DER the DER is served.
func TestArmouredFile(t *testing.T) {
	t.Parallel()
	dir, v1 := labDir(t), tooltest.Bundle(t, "lab-core-v1.p7b")
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

package hosting

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/internal/report"
)

// twoReleases is a catalog of one bundle.
func twoReleases() *Catalog {
	current := &Release{Record: Record{SHA256: "HEX", Version: "RELEASE", Modified: report.Moment{Time: time.Unix(86400, 0)}}}
	c := &Catalog{Entries: []*Entry{{Name: "NAME", Current: current, Archive: []*Record{{SHA256: "OTHER", Version: "1"}}}}}
	c.route("")
	return c
}

// There is something at each path, and nothing at those that are nearly the same.
func TestPaths(t *testing.T) {
	t.Parallel()
	c := twoReleases()
	paths := c.paths()
	if len(paths) != 2+2+9+2*8+2*7+3 {
		t.Errorf("%d paths: %q", len(paths), paths)
	}
	for _, path := range paths {
		if c.at(path) == nil || c.at("/"+strings.ReplaceAll(path, "/", "///")) == nil {
			t.Errorf("there is nothing at %s", path)
		}
		for _, other := range []string{"", "/", path + "x/", path + "/", path[1:], "/x" + path, path[:len(path)-1] + "/x"} {
			if found := c.at(other); found != nil && !slices.Contains(paths, strings.ReplaceAll(other, "//", "/")) {
				t.Errorf("%q: %+v", other, found)
			}
		}
	}
	for _, path := range []string{
		"/.p7b", "/NAME", "/other.p7b", pathTRS + ".p7b", pathCurrent, pathCurrent + "NAME", pathCurrent + "NAME/", pathCurrent + "NAME.p7b", pathCurrent + "/NAME.p7b",
		pathCurrent + "NAME/RELEASE/NAME.p7b", pathArchive, pathArchive + "NAME/1/", pathArchive + "NAME/NAME.p7b", pathArchive + "NAME//NAME.p7b", pathArchive + "NAME/3/NAME.p7b",
		pathArchive + "NAME/1/1/NAME.p7b", pathArchive + "NAME/1/" + string(sideRSS), pathArchive + "NAME/1/NAME.diff.json", pathSHA256, pathSHA256 + "HEX/", pathSHA256 + "HE",
	} {
		if found := c.at(path); found != nil {
			t.Errorf("%q: %+v", path, found)
		}
	}
}

// docs/hosting.md has every route.
func TestRoutesDocumented(t *testing.T) {
	t.Parallel()
	doc, err := os.ReadFile("../../docs/hosting.md")
	if err != nil {
		t.Fatal(err)
	}
	_, section, _ := strings.Cut(string(doc), "\n## Routes\n")
	section, _, _ = strings.Cut(section, "\n## ")
	table, beside, _ := strings.Cut(section, "\n### Beside a bundle\n")
	column := func(text string) (all []string) {
		for _, row := range regexp.MustCompile("(?m)^\\| (`[^|]*) \\|").FindAllStringSubmatch(text, -1) {
			for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(row[1], -1) {
				all = append(all, m[1])
			}
		}
		slices.Sort(all)
		return all
	}
	c := twoReleases()
	e := c.Entries[0]
	want := []string{IndexPath, "/healthz", "/readyz", "/metrics", "/", "/pages/…"}
	for _, path := range c.paths() {
		if c.at(path).record != &e.Current.Record || strings.Contains(path, e.Current.day()) || path == pathPnP+"/" {
			continue
		}
		if dir, _ := filepath.Split(path); slices.Contains(e.directories(&e.Current.Record), dir) {
			path = dir + "FILE"
		}
		want = append(want, path)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	if got := column(table); !slices.Equal(got, want) {
		t.Errorf("documented: %q\nthere are:  %q", got, want)
	}
	want = []string{e.FileName()}
	for _, s := range e.sides(&e.Current.Record, true) {
		want = append(want, s.name(e))
	}
	slices.Sort(want)
	if got := column(beside); !slices.Equal(got, want) {
		t.Errorf("documented: %q\nthere are:  %q", got, want)
	}
}

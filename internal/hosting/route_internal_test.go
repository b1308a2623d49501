package hosting

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// What a route's path is made of is what is found in it.
func TestRouteMatch(t *testing.T) {
	t.Parallel()
	full := place{name: "ios.2_x", release: "10", hash: "ab", file: "f.p7b.hash.sha256"}
	for _, r := range routes() {
		var want place
		for _, variable := range []string{anyName, anyRelease, anyHash, anyFile} {
			if r.has(variable) {
				*want.variable(variable) = *full.variable(variable)
			}
		}
		path := r.path(full)
		if got, ok := r.match(path); !ok || got != want {
			t.Errorf("%s: %s gives %+v, %t, want %+v", r.pattern, path, got, ok, want)
		}
		for _, other := range []string{"", "/", path + "x/", path[1:], "/x" + path, path[:len(path)-1] + "/x"} {
			if p, ok := r.match(other); ok && r.path(p) != other {
				t.Errorf("%s: %q gives %+v, which is at %q", r.pattern, other, p, r.path(p))
			}
		}
		if got := strings.Count(path, "ios.2_x"); r.has(anyName) && got != 1 {
			t.Errorf("%s: %s", r.pattern, path)
		}
	}
	for _, path := range []string{"/.p7b", pathTRS + ".p7b", pathCurrent + "ios/", pathCurrent + "/ios.p7b", pathArchive + "ios/1/", pathArchive + "ios//ios.p7b", pathSHA256} {
		for _, r := range routes() {
			if p, ok := r.match(path); ok {
				t.Errorf("%s: %s gives %+v", r.pattern, path, p)
			}
		}
	}
	if p, ok := (route{pattern: "/" + anyName + extension}).match("/.p7b"); ok {
		t.Errorf("an empty name: %+v", p)
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
	want := []string{IndexPath, "/healthz", "/readyz", "/metrics", "/", "/pages/…"}
	for _, r := range routes() {
		if r.pattern != pathPnP+"/" {
			want = append(want, r.pattern)
		}
	}
	slices.Sort(want)
	if got := column(table); !slices.Equal(got, want) {
		t.Errorf("documented: %q\nthere are:  %q", got, want)
	}
	e := &Entry{Name: "NAME", Current: &Release{}, Archive: []*Record{{}}}
	want = []string{e.FileName()}
	for _, s := range e.sides(&e.Current.Record, true) {
		want = append(want, s.name(e))
	}
	slices.Sort(want)
	if got := column(beside); !slices.Equal(got, want) {
		t.Errorf("documented: %q\nthere are:  %q", got, want)
	}
}

package hosting_test

import (
	"encoding/json"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"trustpool/internal/hosting"
)

// names are those of metrics in a text, each once.
func names(text string) []string {
	found := regexp.MustCompile(`trustpool_[a-z_]+`).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// Every metric is documented, and the alerts and the dashboard ask for no others.
func TestMetricsDocumented(t *testing.T) {
	t.Parallel()
	s := newServer(t, options(t, hosting.Directory(labDir(t))))
	_, text := get(t, s, "/metrics")
	actual := names(regexp.MustCompile(`trustpool_http_request_duration_seconds_[a-z]+`).ReplaceAllString(text, "trustpool_http_request_duration_seconds"))
	for _, name := range []string{"go_goroutines", "process_resident_memory_bytes"} { // of the library
		if !strings.Contains(text, "\n"+name+" ") {
			t.Errorf("no %s", name)
		}
	}

	doc, err := os.ReadFile("../../docs/hosting.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| `(trustpool_[a-z_]+)` \\|").FindAllStringSubmatch(string(doc), -1) {
		documented = append(documented, m[1])
	}
	slices.Sort(documented)
	if !slices.Equal(documented, actual) {
		t.Errorf("documented: %v\nthere are:  %v", documented, actual)
	}

	alerts, err := os.ReadFile("../../docs/ops/alerts.yaml")
	if err != nil {
		t.Fatal(err)
	}
	var rules struct {
		Groups []struct {
			Rules []struct {
				Alert, Expr, For    string
				Labels, Annotations map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(alerts, &rules); err != nil || len(rules.Groups) != 1 {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, r := range rules.Groups[0].Rules {
		if r.Alert == "" || r.Expr == "" || r.Labels["severity"] == "" || r.Annotations["summary"] == "" {
			t.Errorf("an alert lacks something: %+v", r)
		}
		for _, name := range names(r.Expr) {
			used[name] = true
		}
	}

	board, err := os.ReadFile("../../docs/ops/dashboard.json")
	if err != nil {
		t.Fatal(err)
	}
	var dashboard struct {
		Panels []struct {
			ID      int
			Title   string
			Targets []struct{ Expr string }
		}
	}
	if err := json.Unmarshal(board, &dashboard); err != nil {
		t.Fatal(err)
	}
	for _, p := range dashboard.Panels {
		if len(p.Targets) == 0 {
			t.Errorf("panel %q shows nothing", p.Title)
		}
		for _, target := range p.Targets {
			for _, name := range names(target.Expr) {
				used[name] = true
			}
		}
	}
	for name := range used {
		name = strings.TrimSuffix(name, "_bucket")
		if !slices.Contains(actual, name) {
			t.Errorf("there is no metric %s, which an alert or a panel asks for", name)
		}
	}
	for _, name := range actual {
		if !used[name] && !used[name+"_bucket"] {
			t.Errorf("no alert and no panel shows %s", name)
		}
	}
}

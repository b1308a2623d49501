package hosting_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/internal/tooltest"
)

// names are those of metrics in a text, each once.
func names(text string) []string {
	found := regexp.MustCompile(`trustpool_[a-z_]+`).FindAllString(text, -1)
	slices.Sort(found)
	return slices.Compact(found)
}

// mirroredStore is a store in which a mirror succeeded.
func mirroredStore(t *testing.T) *store.Store {
	t.Helper()
	s, _ := labStore(t)
	web := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write(tooltest.Bundle(t, "lab-core-v2.p7b")) }))
	t.Cleanup(web.Close)
	o := store.MirrorOptions{
		PublishOptions: store.PublishOptions{Name: "ios", Anchors: labAnchors(t), At: at, Now: at.AddDate(0, 0, -3)},
		Sleep:          func(context.Context, time.Duration) error { return nil }, Jitter: func() float64 { return 0 },
	}
	if m, err := s.Mirror(t.Context(), web.URL+"/ios.p7b", o); m == nil || m.Outcome() != store.OutcomeUnchanged {
		t.Fatal(err)
	}
	return s
}

// askedWatcher is a watcher that has asked a server whose chain is good.
func askedWatcher(t *testing.T) *watch.Watcher {
	t.Helper()
	chain := pkitest.LabServers()[0]
	w, err := watch.New(watch.Options{
		Servers: []string{chain.Host + ":443"}, Now: func() time.Time { return at },
		Bundles: func() []watch.Bundle {
			return []watch.Bundle{{Name: "ios", Parse: func() (*bundle.Bundle, error) { return bundle.Parse(tooltest.Bundle(t, "lab-core-v2.p7b")) }}}
		},
		Marked: func(string, *certificate.Certificate) string { return "" },
		Fetch:  func(context.Context, string) ([][]byte, error) { return chain.Chain, nil },
		Sleep:  func(context.Context, time.Duration) error { return nil }, Jitter: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Ask(t.Context())
	return w
}

// A server learns from the store when the mirror last succeeded; of files nothing is known.
func TestMirrored(t *testing.T) {
	t.Parallel()
	st := mirroredStore(t)
	s := newServer(t, options(t, hosting.Join(hosting.Store(st), hosting.Directory(coreDir(t)))))
	if when, ok := s.Mirrored("ios"); !ok || !when.Equal(at.AddDate(0, 0, -3)) {
		t.Errorf("%v, %v", when, ok)
	}
	if _, ok := s.Mirrored("ios_core"); ok {
		t.Error("a file has a mirror")
	}
	_, text := get(t, s, "/metrics")
	if !strings.Contains(text, `trustpool_mirror_last_success_timestamp_seconds{bundle="ios"} 1.7484768e+09`) || strings.Contains(text, `trustpool_mirror_last_success_timestamp_seconds{bundle="ios_core"}`) ||
		!strings.Contains(text, `trustpool_bundle_signed_timestamp_seconds{bundle="ios"} 1.7369424e+09`) {
		t.Error(text)
	}
	// A mark that is damaged is said, and what was known stays.
	if _, err := st.Backend().Put(t.Context(), "mirror/ios", []byte("{}"), store.Condition{}); err != nil {
		t.Fatal(err)
	}
	if err := s.Refresh(t.Context()); err == nil || !strings.Contains(err.Error(), "mirror/ios is damaged") {
		t.Error(err)
	}
	if _, ok := s.Mirrored("ios"); !ok {
		t.Error("what was known is lost")
	}
}

func coreDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	put(t, filepath.Join(dir, "ios_core.p7b"), tooltest.Bundle(t, "lab-core-v1.p7b"), modified)
	return dir
}

// Every metric is documented, and the alerts and the dashboard ask for no others.
func TestMetricsDocumented(t *testing.T) {
	t.Parallel()
	o := options(t, hosting.Store(mirroredStore(t)))
	o.Watch = askedWatcher(t)
	s := newServer(t, o)
	_, text := get(t, s, "/metrics")
	_, fed := get(t, newServer(t, options(t, hosting.Store(fedStore(t)))), "/metrics")
	text += fed
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

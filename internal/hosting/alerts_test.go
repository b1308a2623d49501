package hosting_test

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"trustpool/internal/hosting"
	"trustpool/internal/tooltest"
)

// A sample is a series of a test: one value each minute, or each hour if the test takes days, as promtool writes them.
type sample struct{ series, values string }

const (
	instance = `{job="trustpool",instance="a"}`
	ofIOS    = `{job="trustpool",instance="a",bundle="ios"}`
	watched  = `{job="trustpool",instance="a",server="s:443",bundle="ios"}`
	days     = 86400
)

// forever is a value that does not change.
func forever(v int) string { return fmt.Sprintf("%dx2000", v) }

// What each alert says, and when it is silent. Prometheus' clock begins at 0 here.
var alertTests = []struct {
	alert, at string
	series    []sample
	summaries []string // none if it is silent
	labels    string   // of all that fire, beside the alert's own
}{
	{"TrustpoolDown", "6m", []sample{{"up" + instance, "0x10"}}, []string{"a does not answer: devices there cannot fetch their trust bundle"}, instance},
	{"TrustpoolDown", "4m", []sample{{"up" + instance, "0x10"}}, nil, ""},
	{"TrustpoolDown", "6m", []sample{{"up" + instance, "1x10"}, {`up{job="node",instance="a"}`, "0x10"}}, nil, ""},

	{"TrustpoolBundleNotVerified", "2m", []sample{{"trustpool_bundle_verified" + ofIOS, "0x10"}}, []string{"a serves ios, whose signature is not good any more; /readyz says why"}, ofIOS},
	{"TrustpoolBundleNotVerified", "2m", []sample{{"trustpool_bundle_verified" + ofIOS, "1x10"}}, nil, ""},

	{"TrustpoolBundleOlder", "0m", []sample{{"trustpool_bundle_older" + ofIOS, "1x10"}}, []string{"a serves a ios that is older than the one before: its file was replaced"}, ofIOS},
	{"TrustpoolBundleOlder", "0m", []sample{{"trustpool_bundle_older" + ofIOS, "0x10"}}, nil, ""},

	{"TrustpoolRefreshFailing", "16m", []sample{{"trustpool_refresh_failing" + instance, "2x20"}},
		[]string{"a cannot bring what it serves up to date and serves what it had; /readyz says why"}, instance},
	{"TrustpoolRefreshFailing", "16m", []sample{{"trustpool_refresh_failing" + instance, "2x10 0x10"}}, nil, ""},

	{"TrustpoolRefreshOld", "1m", []sample{{"trustpool_last_refresh_success_timestamp_seconds" + instance, forever(-2 * days)}}, []string{"a has not been up to date for 2d 0h 1m 0s"}, instance},
	{"TrustpoolRefreshOld", "1m", []sample{{"trustpool_last_refresh_success_timestamp_seconds" + instance, forever(-3600)}}, nil, ""},

	// A bundle of long ago that is published today.
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-1500 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(0)}},
		[]string{"ios at a was signed 1500d 2h 0m 0s ago: is there no newer one, or is nobody looking?"}, ofIOS},
	// One that became old yesterday.
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-401 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(-390 * days)}},
		[]string{"ios at a was signed 401d 2h 0m 0s ago: is there no newer one, or is nobody looking?"}, ofIOS},
	// The newest of a store without a network, which has been there for long.
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-1500 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(-15 * days)}}, nil, ""},
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-415 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(-415 * days)}}, nil, ""},
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-30 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(0)}}, nil, ""},

	// A feed knows whether there is a newer one.
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-1500 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(0)},
		{"trustpool_feed_newer_versions" + ofIOS, forever(0)}}, nil, ""},
	{"TrustpoolBundleOld", "2h", []sample{{"trustpool_bundle_signed_timestamp_seconds" + ofIOS, forever(-1500 * days)}, {"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(0)},
		{"trustpool_feed_newer_versions" + ofIOS, forever(3)}}, []string{"ios at a was signed 1500d 2h 0m 0s ago: is there no newer one, or is nobody looking?"}, ofIOS},

	{"TrustpoolMirrorOld", "16m", []sample{{"trustpool_mirror_last_success_timestamp_seconds" + ofIOS, forever(-4 * days)}},
		[]string{"the mirror of ios last succeeded 4d 0h 16m 0s ago: what a serves may not be the newest"}, ofIOS},
	{"TrustpoolMirrorOld", "16m", []sample{{"trustpool_mirror_last_success_timestamp_seconds" + ofIOS, forever(-2 * days)}}, nil, ""},
	// Nothing is known of a mirror if none keeps the bundle.
	{"TrustpoolMirrorOld", "16m", []sample{{"trustpool_bundle_published_timestamp_seconds" + ofIOS, forever(-900 * days)}}, nil, ""},

	{"TrustpoolFeedNewer", "73h", []sample{{"trustpool_feed_newer_versions" + ofIOS, "2x5000"}}, []string{"a serves a ios with newer versions in its feed, which nothing signs: 2"}, ofIOS},
	{"TrustpoolFeedNewer", "71h", []sample{{"trustpool_feed_newer_versions" + ofIOS, "2x5000"}}, nil, ""},
	{"TrustpoolFeedNewer", "73h", []sample{{"trustpool_feed_newer_versions" + ofIOS, "0x5000"}}, nil, ""},
	{"TrustpoolFeedMarked", "0m", []sample{{"trustpool_feed_marked_for_removal" + ofIOS, "3x10"}},
		[]string{"certificates of ios that its feed marks for removal: 3; trustpool feed --need says whether you need them"}, ofIOS},
	{"TrustpoolFeedMarked", "0m", []sample{{"trustpool_feed_marked_for_removal" + ofIOS, "0x10"}}, nil, ""},

	{"TrustpoolCertificateExpires", "0m", []sample{{"trustpool_bundle_next_expiry_timestamp_seconds" + ofIOS, forever(29 * days)}}, []string{"a certificate of ios expires in 29d 0h 0m 0s"}, ofIOS},
	{"TrustpoolCertificateExpires", "0m", []sample{{"trustpool_bundle_next_expiry_timestamp_seconds" + ofIOS, forever(31 * days)}}, nil, ""},

	{"TrustpoolReplicasDiffer", "16m", []sample{{`trustpool_bundle_info{instance="a",bundle="ios",sha256="1"}`, "1x20"}, {`trustpool_bundle_info{instance="b",bundle="ios",sha256="2"}`, "1x20"}},
		[]string{"servers give devices different releases of ios"}, `{bundle="ios"}`},
	{"TrustpoolReplicasDiffer", "16m", []sample{{`trustpool_bundle_info{instance="a",bundle="ios",sha256="1"}`, "1x20"}, {`trustpool_bundle_info{instance="b",bundle="ios",sha256="1"}`, "1x20"}}, nil, ""},

	{"TrustpoolErrors", "20m", []sample{{`trustpool_http_requests_total{instance="a",code="5xx"}`, "0+1x30"}}, []string{"a answers requests with errors of its own"}, `{instance="a"}`},
	{"TrustpoolErrors", "20m", []sample{{`trustpool_http_requests_total{instance="a",code="5xx"}`, "7x30"}, {`trustpool_http_requests_total{instance="a",code="2xx"}`, "0+9x30"}}, nil, ""},

	{"TrustpoolConnectionsRefused", "20m", []sample{{"trustpool_connections_refused_total" + instance, "0+1x30"}}, []string{"a refuses connections: more than --max-connections at a time"}, instance},
	{"TrustpoolConnectionsRefused", "20m", []sample{{"trustpool_connections_refused_total" + instance, "5x30"}}, nil, ""},

	// A watched server swaps its chain for one under a root that the bundle does not have: it is reported at once.
	{"TrustpoolWatchBroken", "60m", []sample{{"trustpool_watch_reachable" + watched, "1x59 0x60"}},
		[]string{"the chain of s:443 does not validate with ios: devices cannot reach it; /pages/watch says why"}, watched},
	{"TrustpoolWatchBroken", "59m", []sample{{"trustpool_watch_reachable" + watched, "1x59 0x60"}}, nil, ""},
	// Nothing is known: the value is absent.
	{"TrustpoolWatchBroken", "60m", []sample{{"trustpool_watch_reachable" + watched, "1x50"}}, nil, ""},

	// It swaps it for one under another root of the bundle: the series of the old root ends and another begins.
	{"TrustpoolWatchRootChanged", "60m", []sample{
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=a",sha256="1"}`, "1x59"},
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=b",sha256="2"}`, "_x60 1x100"},
	}, []string{"the chain of s:443 moved to another root of ios within a day"}, watched},
	{"TrustpoolWatchRootChanged", "59m", []sample{
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=a",sha256="1"}`, "1x59"},
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=b",sha256="2"}`, "_x60 1x100"},
	}, nil, ""},
	{"TrustpoolWatchRootChanged", "25h1m", []sample{ // a day later it is what it is
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=a",sha256="1"}`, "1x59"},
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=b",sha256="2"}`, "_x60 1x2000"},
	}, nil, ""},
	{"TrustpoolWatchRootChanged", "60m", []sample{ // two servers, two bundles, two watchers
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios",root="CN=a",sha256="1"}`, "1x100"},
		{`trustpool_watch_info{job="trustpool",instance="a",server="t:443",bundle="ios",root="CN=b",sha256="2"}`, "1x100"},
		{`trustpool_watch_info{job="trustpool",instance="a",server="s:443",bundle="ios_core",root="CN=b",sha256="2"}`, "1x100"},
		{`trustpool_watch_info{job="trustpool",instance="b",server="s:443",bundle="ios",root="CN=b",sha256="2"}`, "1x100"},
	}, nil, ""},

	{"TrustpoolWatchChainExpires", "0m", []sample{{"trustpool_watch_chain_expiry_timestamp_seconds" + watched, forever(29 * days)}}, []string{"the chain of s:443 to a root of ios ends in 29d 0h 0m 0s"}, watched},
	{"TrustpoolWatchChainExpires", "0m", []sample{{"trustpool_watch_chain_expiry_timestamp_seconds" + watched, forever(31 * days)}}, nil, ""},

	{"TrustpoolWatchRootMarked", "0m", []sample{{"trustpool_watch_root_marked_for_removal" + watched, "1x10"}}, []string{"the root of s:443 in ios is marked for removal; /pages/watch says by whom"}, watched},
	{"TrustpoolWatchRootMarked", "0m", []sample{{"trustpool_watch_root_marked_for_removal" + watched, "0x10"}}, nil, ""},

	{"TrustpoolWatchNoAnswer", "181m", []sample{{`trustpool_watch_answering{instance="a",server="s:443"}`, "0x200"}}, []string{"s:443 does not send its chain: nothing is known of it"}, `{instance="a",server="s:443"}`},
	{"TrustpoolWatchNoAnswer", "181m", []sample{{`trustpool_watch_answering{instance="a",server="s:443"}`, "0x100 1x100"}}, nil, ""},

	{"TrustpoolWatchIncomplete", "0m", []sample{{"trustpool_watch_not_judged" + instance, "3x10"}}, []string{"a serves more bundles than it judges watched servers with"}, instance},
	{"TrustpoolWatchIncomplete", "0m", []sample{{"trustpool_watch_not_judged" + instance, "0x10"}}, nil, ""},
}

// severities are those of the alerts of rules.
func severities(t *testing.T, rules []byte) map[string]string {
	t.Helper()
	var doc struct {
		Groups []struct {
			Rules []struct {
				Alert  string
				Labels map[string]string
			}
		}
	}
	if err := yaml.Unmarshal(rules, &doc); err != nil {
		t.Fatal(err)
	}
	out := map[string]string{}
	for _, r := range doc.Groups[0].Rules {
		out[r.Alert] = r.Labels["severity"]
	}
	return out
}

func alerts(t *testing.T, o hosting.AlertOptions) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := hosting.WriteAlerts(&out, o); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// promtool runs it on rules in a directory of its own.
func promtool(t *testing.T, rules, tests []byte, args ...string) {
	t.Helper()
	tooltest.Need(t, "promtool")
	dir := t.TempDir()
	for name, data := range map[string][]byte{"rules.yaml": rules, "tests.yaml": tests} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	cmd := exec.Command("promtool", args...)
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
	}
}

// Each alert fires when it is to, with its words, and is silent when it is to.
func TestAlerts(t *testing.T) {
	t.Parallel()
	rules := alerts(t, hosting.AlertOptions{})
	severity := severities(t, rules)
	fires, silent := map[string]bool{}, map[string]bool{}
	tests := map[string][]any{} // by the interval
	for _, a := range alertTests {
		var series []any
		for _, s := range a.series {
			series = append(series, map[string]any{"series": s.series, "values": s.values})
		}
		expected := []any{}
		for _, summary := range a.summaries {
			labels := map[string]string{"severity": severity[a.alert]}
			for _, pair := range strings.Split(strings.Trim(a.labels, "{}"), ",") {
				name, value, _ := strings.Cut(pair, "=")
				labels[name] = strings.Trim(value, `"`)
			}
			expected = append(expected, map[string]any{"exp_labels": labels, "exp_annotations": map[string]string{"summary": summary}})
		}
		fires[a.alert], silent[a.alert] = fires[a.alert] || len(expected) > 0, silent[a.alert] || len(expected) == 0
		interval := "1m"
		if after, err := time.ParseDuration(a.at); err != nil {
			t.Fatal(err)
		} else if after > 48*time.Hour { // by the minute that takes seconds
			interval = "1h"
		}
		tests[interval] = append(tests[interval], map[string]any{
			"interval": interval, "input_series": series,
			"alert_rule_test": []any{map[string]any{"eval_time": a.at, "alertname": a.alert, "exp_alerts": expected}},
		})
	}
	for alert := range severity {
		if !fires[alert] || !silent[alert] {
			t.Errorf("%s is not tested: fires %v, silent %v", alert, fires[alert], silent[alert])
		}
	}
	promtool(t, rules, nil, "check", "rules", "rules.yaml")
	for interval, tests := range tests {
		doc, err := yaml.Marshal(map[string]any{"rule_files": []string{"rules.yaml"}, "evaluation_interval": interval, "tests": tests})
		if err != nil {
			t.Fatal(err)
		}
		promtool(t, rules, doc, "test", "rules", "tests.yaml")
	}
}

// Thresholds are those that were asked for, and the rules are still rules.
func TestAlertOptions(t *testing.T) {
	t.Parallel()
	o := hosting.AlertOptions{Job: "pki", MaxAge: 90 * time.Minute, OldFor: 48 * time.Hour, MirrorAge: 36 * time.Hour, Soon: 60 * 24 * time.Hour, WatchAge: 90 * time.Second}
	rules := alerts(t, o)
	for _, has := range []string{`up{job="pki"}`, "> 5400\n", "< 5400 + 2 * 86400", "> 129600\n", "< 60 * 86400\n", "for: 90s\n"} {
		if !strings.Contains(string(rules), has) {
			t.Errorf("the rules lack %q", has)
		}
	}
	promtool(t, rules, nil, "check", "rules", "rules.yaml")
	for _, bad := range []hosting.AlertOptions{{Job: `x"} or vector(1) #`}, {Job: "a\nb"}, {MaxAge: -1}, {WatchAge: time.Millisecond}} {
		if err := hosting.WriteAlerts(new(bytes.Buffer), bad); err == nil {
			t.Errorf("%+v is taken", bad)
		}
	}
	if !slices.Contains(strings.Split(string(alerts(t, hosting.AlertOptions{})), "\n"), `        expr: up{job="trustpool"} == 0`) {
		t.Error("the default job is another one")
	}
}

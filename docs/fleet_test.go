package docs_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"trustpool/internal/fleet"
	"trustpool/internal/fleet/collect"
	"trustpool/internal/fleet/inventory"
	"trustpool/internal/fleet/record"
	"trustpool/internal/hosting/doctor"
	"trustpool/internal/report"
)

// fleetReport is one of a log with every kind of line.
func fleetReport(t *testing.T) *fleet.Report {
	t.Helper()
	devices, err := inventory.Read(strings.NewReader("name,address,platform,site\na,10.0.0.1,iosxe,Bonn\n"))
	if err != nil {
		t.Fatal(err)
	}
	tally := fleet.New(fleet.Options{Devices: devices.Devices})
	const line = ` - - [20/May/2025:10:00:00 +0200] "GET /archive/ios/9/ios.p7b HTTP/1.1" 200 100 "-" "cisco-IOS"` + "\n"
	if err := tally.Read(t.Context(), "-", strings.NewReader("10.0.0.1"+line+"192.0.2.1"+line+"rubbish\n")); err != nil {
		t.Fatal(err)
	}
	g := fleet.Gathering{Devices: devices.Devices, Downloads: tally.Downloads(), By: "site"}
	if g.Judge, err = fleet.NewJudge(fleet.JudgeOptions{At: at}, g.Downloads.Current); err != nil {
		t.Fatal(err)
	}
	r, err := fleet.Gather(t.Context(), g)
	if err != nil {
		t.Fatal(err)
	}
	r.Captures = &fleet.CaptureReport{Strays: []string{}}
	r.Absent = []fleet.Root{{}}
	r.Devices[0].Missing = r.Absent
	r.URL = "http://192.0.2.1/ios.p7b"
	r.Devices[0].State = fleet.Old
	r.Evidence = report.NewEvidence("v1", at)
	r.Evidence.Add("devices.csv", nil)
	return r
}

func TestFleetFields(t *testing.T) {
	t.Parallel()
	actual := map[string]bool{}
	fields(t, printed(t, fleetReport(t).WriteJSON), actual, "evidence")
	same(t, "fleet", documentedFields(t, "### trustpool.fleet/2"), names(actual))
}

func TestFleetCSV(t *testing.T) {
	t.Parallel()
	header, _, _ := strings.Cut(string(printed(t, fleetReport(t).WriteCSV)), "\n")
	header = strings.TrimSuffix(header, ",site")
	if !strings.Contains(section(t, "formats.md", "### CSV"), "\n"+header+"\n") {
		t.Errorf("the header is not documented: %s", header)
	}
}

func TestDoctorFields(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.FileServer(http.Dir(bundles)))
	t.Cleanup(server.Close)
	r, err := doctor.Run(t.Context(), doctor.Options{URL: server.URL + "/lab-core-v1.p7b", At: at})
	if err != nil {
		t.Fatal(err)
	}
	actual := map[string]bool{}
	fields(t, printed(t, r.WriteJSON), actual)
	same(t, "doctor", documentedFields(t, "### trustpool.doctor/1"), names(actual))
}

func TestCollectFields(t *testing.T) {
	t.Parallel()
	r := &collect.Report{Evidence: report.NewEvidence("v1.2.3", at), Rows: []record.Row{{
		Name: "edge1", Platform: "iosxe", Host: "10.0.0.1", Port: new(22), SSH: "system", Command: "show crypto pki trustpool", Outcome: record.Unreadable,
		Reason: collect.Nonsense, Detail: "no pool", Capture: &record.Capture{File: "edge1.txt", At: report.Moment{Time: at}},
	}}}
	actual, record := map[string]bool{}, []string{"schema", "tool", "version"}
	fields(t, printed(t, r.WriteJSON), actual)
	for name := range actual {
		if strings.HasPrefix(name, "evidence.") {
			delete(actual, name)
		}
		if name, ok := strings.CutPrefix(name, "devices[]."); ok {
			record = append(record, name)
		}
	}
	same(t, "collect --json", documentedFields(t, "### trustpool.collect-report/1"), names(actual))
	same(t, "a file of .collect", documentedFields(t, "### trustpool.collect/1"), record)
	documented := section(t, "formats.md", "## Reasons of collect")
	var reasons []string
	for _, r := range collect.Reasons() {
		reasons = append(reasons, string(r.Reason))
		if !strings.Contains(documented, "| `"+string(r.Reason)+"` | "+r.Meaning+" |") {
			t.Errorf("%s: the document does not say %q", r.Reason, r.Meaning)
		}
	}
	same(t, "reasons of collect", firstCells(documented), reasons)
}

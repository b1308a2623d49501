package fleet_test

import (
	"strings"
	"testing"

	"trustpool/internal/fleet"
)

// What trustpool fetches itself makes no device current, in any log.
func TestOwnRequests(t *testing.T) {
	t.Parallel()
	const apache = `192.0.2.7 - - [28/Nov/2025:15:46:26 +0100] "GET /archive/ios/2/ios.p7b HTTP/1.1" 200 9354 "REFERER" "AGENT"`
	const caddy = `{"level":"info","ts":1764337586.5,"logger":"http.log.access","msg":"handled request","request":{"remote_ip":"192.0.2.7","remote_port":"1","client_ip":"192.0.2.7","proto":"HTTP/1.1","method":"GET","host":"h","uri":"/archive/ios/2/ios.p7b","headers":{"User-Agent":["AGENT"],"Referer":["REFERER"]}},"bytes_read":0,"user_id":"","duration":0.0009,"size":9354,"status":200,"resp_headers":{}}`
	const serve = `{"time":"2025-11-28T14:46:26Z","level":"INFO","msg":"request","remote":"192.0.2.7","user_agent":"AGENT","method":"GET","path":"/ios.p7b","protocol":"HTTP/1.1","status":200,"bytes":9354,"duration":0.001,"bundle":"ios","version":"2","sha256":"0123456789abcdef","size":9354}`
	const iis = "#Fields: date time c-ip cs-method cs-uri-stem cs(User-Agent) cs(Referer) sc-status sc-bytes\n2025-11-28 14:46:26 192.0.2.7 GET /archive/ios/2/ios.p7b AGENT REFERER 200 9354"
	for _, line := range []string{apache, caddy, serve, iis} {
		for _, who := range []struct {
			agent, referer string
			device         bool
		}{
			{"cisco-IOS", "-", true}, {"-", "-", true}, {"trustpooler", "-", true}, {"cisco-IOS", "http://trustpool-doctor/", true},
			{"trustpool", "-", false}, {"trustpool/v1.2.3", "-", false}, {"trustpool-doctor", "-", false}, {"cisco-IOS", "trustpool-doctor", false},
		} {
			if line == serve && who.referer == "trustpool-doctor" { // as it writes it
				who.agent = "trustpool-doctor as " + who.agent
			}
			data := strings.NewReplacer("AGENT", who.agent, "REFERER", who.referer).Replace(line) + "\n"
			tally := fleet.New(fleet.Options{})
			if err := tally.Read(t.Context(), "log", strings.NewReader(data)); err != nil {
				t.Fatalf("%s: %v", data, err)
			}
			r := tally.Downloads()
			if got := len(r.Unknown) == 1; got != who.device {
				t.Errorf("%+v: %d devices\n%s", who, len(r.Unknown), data)
			}
		}
	}
}

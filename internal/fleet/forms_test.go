package fleet_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"trustpool/internal/fleet"
)

// nginxLine is a line as nginx writes it.
func nginxLine(address, path string, status, size int, rest string) string {
	return fmt.Sprintf("%s - - [28/Nov/2025:15:00:00 +0000] \"GET %s HTTP/1.1\" %d %d \"-\" \"cisco-IOS\"%s", address, path, status, size, rest)
}

// The line of a server may be a string of JSON, end with a carriage return alone, or
// have what Python prints of errors between.
func TestWrappedForms(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\n")
	bundles := []fleet.Bundle{{Name: "ios", Version: "10", SHA256: strings.Repeat("b", 64), Size: 2000}}
	text := func(v any) string {
		b, _ := json.Marshal(v)
		return string(b) + "\n"
	}
	a, b := nginxLine("10.0.0.1", "/ios.p7b", 200, 2000, ""), nginxLine("10.0.0.2", "/ios.p7b", 200, 2000, ` "10.9.9.9" rt=0.001`)
	for name, log := range map[string]string{
		"plain":            a + "\n" + b + "\n",
		"Docker":           text(map[string]string{"log": a + "\n", "stream": "stdout"}) + text(map[string]string{"log": b + "\n", "stream": "stdout"}),
		"Elastic":          text(map[string]string{"@timestamp": "x", "message": a}) + text(map[string]string{"message": "web nginx: " + b, "log": b}),
		"carriage returns": a + "\r" + b + "\r",
		"both":             a + "\r\n" + b + "\r\n",
	} {
		r := tally(t, fleet.Options{Devices: list, Bundles: bundles}, log)
		if totals(r)[fleet.GotCurrent] != 2 || r.Logs[0].Unreadable != 0 {
			t.Errorf("%s: %+v", name, r)
		}
	}

	python := `10.0.0.1 - - [28/Nov/2025 15:00:00] "GET /ios.p7b HTTP/1.1" 200 -` + "\n" + strings.Repeat("-", 40) + `
Exception occurred during processing of request from ('10.0.0.1', 51234)
Traceback (most recent call last):
  File "/usr/lib/python3/socketserver.py", line 683, in process_request_thread
    self.finish_request(request, client_address)
BrokenPipeError: [Errno 32] Broken pipe
` + strings.Repeat("-", 40) + "\n"
	r := tally(t, fleet.Options{Devices: list}, strings.Repeat(python, 3))
	if totals(r)[fleet.GotUnmeasured] != 1 || totals(r)[fleet.GotNever] != 1 || r.Logs[0].Unreadable != 0 {
		t.Errorf("%+v", r)
	}
}

// A device that a line names is not called one that never came, if the line cannot be
// read or is of the address of a proxy.
func TestNotKnown(t *testing.T) {
	t.Parallel()
	list := devices(t, "name,address\na,10.0.0.1\nb,10.0.0.2\nc,2001:db8::3\nd,10.0.4.0/24\n")
	read := strings.Repeat(nginxLine("10.0.9.9", "/other", 200, 1, "")+"\n", 9)
	for name, test := range map[string]struct{ log, want string }{
		"nothing":               {"", "never"},
		"a proxy":               {nginxLine("10.9.9.9", "/ios.p7b", 200, 2000, ` "10.0.0.1"`), "not known"},
		"a proxy, for another":  {nginxLine("10.9.9.9", "/other", 200, 2000, ` "10.0.0.1"`), "never"},
		"a list of addresses":   {strings.Replace(nginxLine("10.0.0.1", "/ios.p7b", 200, 2000, ""), "10.0.0.1", "10.0.0.1, 10.9.9.9", 1), "not known"},
		"another form":          {`x client=10.0.0.1:51234 "GET /ios.p7b" 200`, "not known"},
		"cut short":             {`10.0.0.1 - - [28/Nov/2025:15:0`, "not known"},
		"another device's":      {`x client=10.0.0.2 y`, "never"},
		"of the beginning only": {`x client=10.0.0.11 y`, "never"},
	} {
		r := tally(t, fleet.Options{Devices: list}, read+test.log+"\n")
		if got := string(r.Devices[0].Got); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
	r := tally(t, fleet.Options{Devices: list}, read+"x 2001:db8::3, [10.0.4.7]:99. y\n")
	if totals(r)[fleet.GotUnread] != 2 || totals(r)[fleet.GotNever] != 2 {
		t.Errorf("%+v", totals(r))
	}
	// Two requests on one line are not one.
	r = tally(t, fleet.Options{Devices: list}, read+nginxLine("10.0.0.1", "/ios.p7b", 200, 2000, "")+nginxLine("10.0.0.2", "/ios.p7b", 200, 2000, "")+"\n")
	if totals(r)[fleet.GotUnread] != 2 || r.Logs[0].Unreadable != 1 || !strings.Contains(r.BadLines[0].Error, "a second request") {
		t.Errorf("%+v", r)
	}
}

// Logs of other programs are named, and lines that begin with # make no log of a
// known form.
func TestNotALogKind(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]string{
		strings.Repeat("0f", 32) + ` lab [28/Nov/2025:15:00:00 +0000] 10.0.0.1 - X REST.GET.OBJECT ios.p7b "GET /ios.p7b HTTP/1.1" 200 -`:      "a log of Amazon S3",
		`Nov 28 15:00:00 lb haproxy[7]: 10.0.0.1:51234 [28/Nov/2025:15:00:00.123] in pki/web1 0/0/0/1/1 200 9 - - ---- "GET / HTTP/1.1"`:       "a log of HAProxy",
		`http 2025-11-28T15:00:00.123456Z app/lab/7 10.0.0.1:2817 10.9.9.9:80 0.0 0.0 0.0 200 200 34 9 "GET http://lab:80/ios.p7b HTTP/1.1"`:   "a log of a load balancer of AWS",
		`1764344786.123     45 10.0.0.1 TCP_MISS/200 9 GET http://lab/ios.p7b - HIER_DIRECT/10.9.9.9 -`:                                        "a log of Squid",
		`2025/11/28 15:00:00 [error] 12#12: *1 open() "/x" failed, client: 10.0.0.1`:                                                           "an error log of nginx",
		"*Mar  1 00:00:01.000: %SYS-5-CONFIG_I: Configured":                                                                                    "a log of a network device, which explain reads",
		"2025-11-28 15:00:01 10.9.9.1 GET /ios.p7b - 80 - 10.0.0.1 cisco-IOS - 200 0 0 15":                                                     "a log of IIS without its line #Fields",
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----":                                                                         "PEM",
		"#Fields: date time c-ip cs-method cs-uri-stem sc-status\n#Date: 2025-11-28 15:00:00\n2025-11-28 15:00:01 10.0.0.1 GET /ios.p7b 200 9": "",
	} {
		tl := fleet.New(fleet.Options{})
		err := tl.Read(t.Context(), "x.log", strings.NewReader(log+"\n"))
		form, ok := errors.AsType[*fleet.FormError](err)
		if !ok || form.Kind != want || want != "" && !strings.Contains(err.Error(), "known form: it is "+want+"; ") {
			t.Errorf("%s: %v", want, err)
		}
	}
}

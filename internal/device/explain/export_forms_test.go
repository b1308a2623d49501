package explain_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"trustpool/internal/device/explain"
)

// A reason is another one if it goes on: a cause of the shorter one is not given.
func TestReasonGoesOn(t *testing.T) {
	t.Parallel()
	for reason, known := range map[string]bool{
		"Communications failure":                                        true,
		"Communications failure, certificate rejected":                  false,
		"Communications failure: certificate has ended":                 false,
		"Fail to send out Call Home HTTP message":                       true,
		"Fail to send out Call Home HTTP message. Certificate expired":  false,
		"Fail to send out Call Home HTTP message: lab error":            false,
		"Failed to authenticate server, no route":                       false,
		"Communications init failure due to memory":                     false,
		"Unable to resolve server hostname/domain name lab.example.com": true,
	} {
		f := read(t, "*Mar  1 00:00:01.000: %SMART_LIC-3-COMM_FAILED: "+cssm+reason).Findings[0]
		if *f.ReasonKnown != known || *f.Reason != reason {
			t.Errorf("%q: %q, known %v", reason, *f.Reason, *f.ReasonKnown)
		}
	}
	// What goes on with one that is known is that.
	f := read(t, "%SMART_LIC-3-COMM_FAILED: "+cssm+"Fail to send out Call Home HTTP message: Unable to resolve server hostname/domain name").Findings[0]
	if *f.Reason != "Unable to resolve server hostname/domain name" || strings.Contains(fmt.Sprint(f.Causes), "lacks the root") {
		t.Errorf("%+v", f)
	}
}

// A message is the same in the exports of log servers, and is counted once.
func TestExports(t *testing.T) {
	t.Parallel()
	const reason = "Lab reason \"quoted\" of no source"
	message := "%SMART_LIC-3-COMM_FAILED: " + cssm + reason
	full := "<187>123: edge1: *Nov  5 10:00:00.123: " + message
	text := func(v any) string {
		b, _ := json.Marshal(v)
		return string(b)
	}
	csv := strings.ReplaceAll(full, `"`, `""`)
	for name, line := range map[string]string{
		"Elastic":              text(map[string]any{"@timestamp": "2024-11-05T10:00:00Z", "host": map[string]string{"name": "edge1"}, "message": full}),
		"Graylog":              text(map[string]any{"timestamp": 1, "message": message, "full_message": full}),
		"Splunk":               text(map[string]any{"result": map[string]string{"_raw": full, "host": "edge1"}}),
		"several lines in one": text(map[string]any{"message": full + "\nNov  5 10:00:01.123: %SYS-5-CONFIG_I: Configured\n"}),
		"a list":               text([]any{map[string]string{"message": full}}),
		"CSV, quoted":          `"2024-11-05 10:00:00","edge1","` + csv + `","local7"`,
		"CSV, first":           `"` + csv + `",edge1`,
		"a table":              "|2024-11-05 10:00:00|edge1|" + message + "|",
		"mail":                 "> " + full,
		"a terminal":           "\x1b[31m" + full + "\x1b[0m",
		"a wiki":               "`" + message + "`",
		"a server, with tabs":  "2024-11-05\t10:00:00\tLocal7.Error\t10.0.0.1\t" + message,
	} {
		r := read(t, line+"\n")
		if len(r.Findings) != 1 || r.Findings[0].Count != 1 || strings.ReplaceAll(*r.Findings[0].Reason, `""`, `"`) != reason || r.Unread != 0 {
			t.Errorf("%s: %s\n%+v", name, line, r)
		}
	}
	// Printed with indents it is no line of JSON.
	r := read(t, "[\n  {\n    \"message\": \"%SMART_LIC-3-COMM_FAILED: "+cssm+"Lab reason\",\n    \"host\": \"edge1\"\n  }\n]\n")
	if len(r.Findings) != 1 || *r.Findings[0].Reason != "Lab reason" || r.Unread != 3 {
		t.Errorf("%+v", r)
	}
}

// A percent sign that a collector removed, or wrote in another way, is restored, of
// messages about trust alone.
func TestWithoutPercent(t *testing.T) {
	t.Parallel()
	const message = "SMART_LIC-3-COMM_FAILED: " + cssm + "Unable to resolve server hostname/domain name"
	for _, line := range []string{
		message, "Nov  5 10:00:00.123: " + message, "<187>123: edge1: *Nov  5 10:00:00.123: " + message, "edge1: " + message, "edge1 " + message, "2024-11-05,edge1," + message,
		"*Nov  5 10:00:00.123: % " + message, "*Nov  5 10:00:00.123: %25" + message, "*Nov  5 10:00:00.123: &#37;" + message, `*Nov  5 10:00:00.123: \u0025` + message, "*Nov  5 10:00:00.123: _" + message, "*Nov  5 10:00:00.123: \uff05" + message,
		`{"message":"Nov  5 10:00:00.123: ` + message + `"}`, `{"message":"Nov  5 10:00:00.123: \u0025` + message + `"}`, "| " + message + " | edge1 |",
	} {
		r := read(t, line+"\n")
		if len(r.Findings) != 1 || r.Findings[0].ID != "xe-comm-failed" || !*r.Findings[0].ReasonKnown || r.Unread != 0 {
			t.Errorf("%s: %+v", line, r)
		}
	}
	if r := read(t, "Nov  5 10:00:00.123: LICENSE-SMART_LIC-3-COMM_FAILED : "+cssm+"x\nNov  5 10:00:00.123: ASA-3-717009: Certificate validation failed. y\n"); len(r.Findings) != 2 || r.Findings[0].ID != "xr-comm-failed" || r.Findings[1].ID != "asa-validation-failed" {
		t.Errorf("%+v", r)
	}
	// Words are none, nor is the rest of a name that was broken.
	for _, text := range []string{"Nov  5 10:00:00 host app: RFC-5-SECTION: hello\n", "Nov  5 10:00:00 host app: NOPKI-3-X1: hello\n", "Nov  5 10:00:00 host app: 1PKI-3-X1: hello\n", "Nov  5 10:00:00 host app: noPKI-3-X1: hello\n", "Nov  5 10:00:00.123: %LICENSE-\n" + message + "\n"} {
		if r := read(t, text); len(r.Findings)+len(r.Unknown) != 0 {
			t.Errorf("%s: %+v", text, r)
		}
	}
}

// A message that a mail broke at a blank is whole.
func TestBrokenAtBlanks(t *testing.T) {
	t.Parallel()
	words := strings.Fields("Jun 20 2023 04:11:12.100: %SMART_LIC-3-COMM_FAILED: " + cssm + "Server authentication failed, SSL peer certificate or SSH remote key was not OK")
	for width := 70; width <= 90; width++ {
		if width >= 79 && width <= 82 { // some line is as long as those of a terminal, which breaks within words
			continue
		}
		text, column := "", 0
		for _, w := range words {
			if column+len(w) > width {
				text, column = text+"\n", 0
			} else if column > 0 {
				text += " "
			}
			text, column = text+w, column+len(w)+1
		}
		if r := read(t, text+"\n"); len(r.Findings) != 1 || !*r.Findings[0].ReasonKnown {
			t.Errorf("%d: %q: %q", width, text, *r.Findings[0].Reason)
		}
	}
}

// Lines of other programs are of a known form, of which some messages are few.
func TestMixedLog(t *testing.T) {
	t.Parallel()
	for _, other := range []string{
		"2024-11-05 10:00:01.123 host app[7]: hello", "2024/11/05 10:00:01 hello", "[2024-11-05 10:00:01] hello", "11-05-2024\t10:00:01\tLocal7.Info\t10.0.0.1\thello", "05/11/2024 10:00:01,edge1,hello",
		`"2024-11-05 10:00:01","edge1","hello"`, "<13>hello", "[   12.123456] usb 1: new", `{"@timestamp":"2024-11-05T10:00:00Z","message":"hello"}`, `{"version":"1.1","short_message":"hello","timestamp":1.5}`,
		"2024-11-05 10:00:01,123 INFO [main] hello", "Nov  5 10:00:01 host app[7]: hello", "2024/11/05 10:00:01.123456789 {wncd_x_R0-0}{1}: [pki] [7]: (info): hello",
	} {
		r := read(t, strings.Repeat(other+"\n", 95)+"Nov  5 10:00:00 edge1: %SMART_LIC-3-COMM_FAILED: "+cssm+"Communications failure\n")
		if len(r.Findings) != 1 || r.Unread != 0 {
			t.Errorf("%s: %+v", other, r)
		}
	}
}

// The name of what is no log is said if it is known.
func TestNotALogKind(t *testing.T) {
	t.Parallel()
	for log, want := range map[string]string{
		"-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n":           "PEM",
		"# Lab Root\n-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----": "PEM",
		"<!DOCTYPE html>\n<html></html>\n":                                         "an HTML page",
		"<?xml version=\"1.0\"?>\n<rpc-reply/>\n":                                  "XML",
	} {
		_, err := explain.Read(strings.NewReader(log))
		if form, ok := errors.AsType[*explain.FormError](err); !ok || form.Kind != want || !strings.Contains(err.Error(), "not a log of a device: it is "+want+"; ") {
			t.Errorf("%q: %v", log, err)
		}
	}
}

// A line that was broken anywhere is one message, with all of its reason.
func TestBrokenAnywhere(t *testing.T) {
	t.Parallel()
	const reason = "a reason of the laboratory, which no source has, in some words"
	line := "Jun 20 2023 04:11:12.100: %SMART_LIC-3-COMM_FAILED: " + cssm + reason
	for width := 60; width <= 110; width++ {
		var parts []string
		for rest := line; rest != ""; rest = rest[min(width, len(rest)):] {
			parts = append(parts, rest[:min(width, len(rest))])
		}
		r := read(t, strings.Join(parts, "\n")+"\nJun 20 2023 04:11:13.100: %SYS-5-CONFIG_I: Configured\n")
		if len(r.Findings) != 1 || r.Unread != 0 && width < 70 {
			t.Fatalf("%d: %+v", width, r)
		}
		// Broken within the reason, what is shown is its beginning, and the rest is counted.
		if got := strings.ReplaceAll(*r.Findings[0].Reason, " ", ""); got != strings.ReplaceAll(reason, " ", "") && (r.Unread == 0 || !strings.HasPrefix(strings.ReplaceAll(reason, " ", ""), got) || got == "") {
			t.Errorf("%d: %q, %d unread", width, *r.Findings[0].Reason, r.Unread)
		}
	}
}

// What show license prints is read without a prompt, and each reason by itself.
func TestLicenseStatus(t *testing.T) {
	t.Parallel()
	text := "Smart Licensing Status\n======================\n\nRegistration:\n  Status: UNREGISTERED\n  Export-Controlled Functionality: NOT ALLOWED\n  Initial Registration: FAILED\n    Failure reason: Lab reason\n" +
		"License Authorization:\n  Status: EVAL MODE\n  Evaluation Period Remaining: 89 days\n  Last Communication Attempt: FAILED\n    Failure reason: Unable to resolve server hostname/domain name\n  Last Failure Reason: <none>\n    Failure Reason: Another lab reason\n"
	want := []string{"license-status: Lab reason?", "license-status: Unable to resolve server hostname/domain name", "license-status: Another lab reason?"}
	if r := read(t, text); !slices.Equal(got(r), want) || r.Unread != 0 {
		t.Errorf("%q, %d unread", got(r), r.Unread)
	}
	// Copied onto one line.
	if r := read(t, strings.Join(strings.Fields(text), " ")); len(r.Findings) != 3 || *r.Findings[1].Reason == *r.Findings[0].Reason {
		t.Errorf("%q", got(r))
	}
}

// The outer facility decides the platform of what is within it; messages about
// certificates of any facility are named.
func TestWithin(t *testing.T) {
	t.Parallel()
	r := read(t, "2024 Nov  5 10:00:00 n9k %USER-3-SYSTEM_MSG: %SMART_LIC-3-COMM_FAILED: "+cssm+"Lab reason\n2024 Nov  5 10:00:00 n9k %CALLHOME-2-EVENT: lab\n*Nov  5 10:00:00.123: %UMBRELLA-3-SSL_HANDSHAKE_FAILURE: failed\n")
	if !slices.Equal(got(r), []string{"nxos-comm-failed: Lab reason?"}) || len(r.Unknown) != 2 {
		t.Errorf("%q %+v", got(r), r.Unknown)
	}
}

// What stands after a reason on pages and terminals does not change it, and one on a
// line of its own is read if it is longer than the message.
func TestReasonEnds(t *testing.T) {
	t.Parallel()
	message := "%SMART_LIC-3-COMM_FAILED: " + cssm + "Communications failure"
	for _, line := range []string{"`" + message + "`", "<code>" + message + "</code><br>", "**" + message + "**", "\x1b[1m" + message + "\x1b[0m", message + "<br/>", `"` + message + `",`} {
		if r := read(t, line); !slices.Equal(got(r), []string{"xe-comm-failed: Communications failure"}) {
			t.Errorf("%s: %q", line, got(r))
		}
	}
	r := read(t, "%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint LAB failed\n Reason : Lab reason that is longer than the line before it, by some words\n")
	if !slices.Equal(got(r), []string{"xe-crl-fetch-failed: Lab reason that is longer than the line before it, by some words?"}) {
		t.Errorf("%q", got(r))
	}
}

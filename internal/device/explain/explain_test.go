package explain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"slices"
	"strings"
	"testing"
	"testing/iotest"

	"trustpool/internal/device"
	"trustpool/internal/device/explain"
)

func read(t testing.TB, log string) *explain.Report {
	t.Helper()
	r, err := explain.Read(strings.NewReader(log))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func ids(r *explain.Report) (out []string) {
	for _, f := range r.Findings {
		out = append(out, f.ID)
	}
	return out
}

// lines has for each message a line that a device prints, and one that is nearly
// that and is not it.
func lines() map[string][2]string {
	const failed, good = "%ASA-3-717057: Automatic import of trustpool certificate bundle has failed. ", "%ASA-6-717058: Automatic import of trustpool certificate bundle is successful: "
	return map[string][2]string{
		"xr-comm-failed":         {"smartlicserver[127]: %LICENSE-SMART_LIC-3-COMM_FAILED : Communications failure", "%LICENSE-SMART_LIC-5-COMM_RESTORED : Communications restored"},
		"xr-agent-reg-failed":    {"%LICENSE-SMART_LIC-3-AGENT_REG_FAILED : Smart Agent", "%LICENSE-SMART_LIC-6-AGENT_REG_SUCCESS : Smart Agent"},
		"xr-auth-renew-failed":   {"%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILED : Authorization renewal", "%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILEDX : Authorization"},
		"xr-cert-verify":         {"http_client[255]: %SECURITY-XR_SSL-3-CERT_VERIFY_ERR_2_PARAM : SSL certificate verify error", "%SECURITY-XR_SSL-3-CERT_VERIFY_ERR_1_PARAM : SSL"},
		"xr-download-failed":     {"cepki[279]: %SECURITY-PKI-6-ERR_1_PARAM : Download failed, HTTP returned an error", "%SECURITY-PKI-6-ERR_1_PARAM : Upload failed"},
		"xr-fips-post":           {"cepki[363]: %SECURITY-PKI-6-LOG_INFO_DETAIL : FIPS POST Successful for  cepki", "%SECURITY-PKI-6-LOG_INFO_DETAIL : FIPS POST Failed"},
		"xe-comm-failed":         {"*Mar  1: %SMART_LIC-3-COMM_FAILED: Communications failure", "SMART_LIC-3-COMM_FAILED"},
		"xe-auth-renew-failed":   {"%SMART_LIC-3-AUTH_RENEW_FAILED: Authorization renewal", "%SMART_LIC-6-AUTH_RENEW_SUCCESS: Authorization renewal"},
		"xe-agent-reg-failed":    {"%SMART_LIC-3-AGENT_REG_FAILED: Smart Agent", "%SMART_LIC-3-agent_reg_failed: Smart Agent"},
		"xe-call-home-205":       {"%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send out Smart Licensing message to: https://tools.cisco.com/its/service/oddce/services/DDCEService (ERR 205 : Request Aborted)", "%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send (ERR 2055 : x)"},
		"xe-call-home-207":       {"%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send out Smart Licensing message to: https://tools.cisco.com/ (ERR 207 : Connection time out)", "ERR 207 : Connection time out"},
		"xe-import-good":         {"% PEM files import succeeded.", "% PEM files import succeeded"},
		"xe-import-failed":       {"% Certificate import failed", "Certificate imports failed"},
		"xe-invalid-certificate": {"% Invalid certificate", "Invalid certificates"},
		"xe-nothing-pasted":      {"% No certificates imported from terminal", "No certificates imported"},
		"xe-clock":               {"%PKI-2-NON_AUTHORITATIVE_CLOCK: PKI functions can not be initialized", "%PKI-2-AUTHORITATIVE_CLOCK: set"},
		"call-home-http":         {"    Failure reason: Fail to send out Call Home HTTP message", "Fail to send out Call Home message"},
		"asa-communication":      {"Last License Server response message: Communication message send response error", "Communication message send response"},
		"asa-import-unreachable": {failed + "< Maximum retry attempts reached. Failed to reach CA server>", failed + "<Minimum retry attempts reached>"},
		"asa-import-signature":   {failed + "<Cisco root bundle signature validation failed>", "Cisco root bundle signature validation failed"},
		"asa-import-flash":       {failed + "<Failed to update trustpool bundle in flash>", good + "<Failed to update trustpool bundle in flash>"},
		"asa-import-memory":      {failed + "<Failed to install trustpool bundle in memory>", "Failed to install trustpool bundle in memory"},
		"asa-import-same":        {good + "<No change in trustpool bundle>", "No change in trustpool bundle"},
		"asa-import-updated":     {good + "<Trustpool updated in flash>.", failed + "<Trustpool updated in flash>"},
		"asa-auto-import-off":    {"WARNING: Disabling auto import may affect Smart Licensing", "Disabling auto import"},
		"asa-verified":           {"Root file signature verified.", "Root file signature not verified."},
		"asa-fips":               {"Trustpoint CA certificate is not FIPS compliant.", "Trustpoint CA certificate is FIPS compliant."},
		"asa-saving":             {"% Error in saving certificate: status = FAIL", "% Error in saving certificate: status = FAILOVER"},
		"fxos-authenticate":      {"    Failure reason: Failed to authenticate server", "Failed to authenticate servers"},
	}
}

// Each message is found in its line, and nothing in what is nearly one.
func TestMessages(t *testing.T) {
	t.Parallel()
	all := lines()
	seen := map[string]bool{}
	for _, m := range explain.Messages() {
		line, ok := all[m.ID]
		if !ok || seen[m.ID] {
			t.Errorf("%s has no test line, or stands twice", m.ID)
			continue
		}
		seen[m.ID] = true
		if got := ids(read(t, line[0])); !slices.Equal(got, []string{m.ID}) {
			t.Errorf("%s: %q", m.ID, got)
		}
		if got := ids(read(t, line[1])); got != nil {
			t.Errorf("not %s: %q", m.ID, got)
		}
		if m.Meaning == "" || m.Basis == "" || m.Source == "" {
			t.Errorf("%s: no meaning or ground", m.ID)
		}
		if m.Kind == explain.Problem && (m.Causes == nil || m.Checks == nil || m.Fixes == nil) {
			t.Errorf("%s: a problem without cause, check or fix", m.ID)
		}
		for _, n := range slices.Concat(m.Causes, m.Checks, m.Fixes) {
			if n.Text == "" || n.Basis == "" || n.Source == "" {
				t.Errorf("%s: %+v", m.ID, n)
			}
		}
		for _, p := range m.Platforms {
			if _, err := device.Lookup(p); err != nil {
				t.Errorf("%s: %v", m.ID, err)
			}
		}
	}
	if len(all) != len(seen) {
		t.Errorf("%d lines for %d messages", len(all), len(seen))
	}
}

// Copying loses line breaks: all of a line are found, each with its own reason.
func TestOneLine(t *testing.T) {
	t.Parallel()
	var log []string
	for _, m := range explain.Messages() {
		log = append(log, lines()[m.ID][0])
	}
	r := read(t, strings.Join(log, " "))
	if len(r.Findings) != len(log) || r.Lines != 1 {
		t.Errorf("%d of %d in %d lines: %q", len(r.Findings), len(log), r.Lines, ids(r))
	}
	for _, f := range r.Findings {
		if f.Count != 1 || f.FirstLine != 1 {
			t.Errorf("%s: %d times, line %d", f.ID, f.Count, f.FirstLine)
		}
	}
	r = read(t, "\n"+strings.Join(log, "\r\n")+"\n"+log[0]+" "+log[0])
	if f := r.Findings[0]; len(r.Findings) != len(log) || r.Lines != len(log)+2 || f.Count != 3 || f.FirstLine != 2 {
		t.Errorf("%d in %d lines: %+v", len(r.Findings), r.Lines, f)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const m = "% PEM files import succeeded."
	full := strings.Repeat("x", explain.MaxLine-len(m)-1) + " " + m
	if r := read(t, full+"\n"+full); r.Cut != 0 || r.Lines != 2 || len(r.Findings) != 1 || r.Findings[0].Count != 2 {
		t.Errorf("cut %d, %d lines, %q", r.Cut, r.Lines, ids(r))
	}
	if r := read(t, full+" "+m+"\n"+m+"\n"); r.Cut != 1 || r.Lines != 2 || r.Findings[0].Count != 2 {
		t.Errorf("cut %d, %d lines, %q", r.Cut, r.Lines, ids(r))
	}
	hostile := read(t, m+"\x1b[2J\u202e"+strings.Repeat("é", 1000))
	if e := hostile.Findings[0].Excerpt; len(e) > explain.MaxExcerpt+len("…") {
		t.Errorf("%d bytes", len(e))
	}
	var out bytes.Buffer
	if err := hostile.WriteText(&out); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("%v %q", err, out.String())
	}
	if r := read(t, ""); r.Lines != 0 || r.Findings != nil {
		t.Errorf("%+v", r)
	}
	if _, err := explain.Read(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for _, l := range lines() {
		f.Add(l[0] + " " + l[1])
	}
	f.Fuzz(func(t *testing.T, log string) {
		r := read(t, log)
		var text, doc bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		if err := r.WriteJSON(&doc); err != nil || !json.Valid(doc.Bytes()) {
			t.Fatal(err)
		}
		for _, c := range text.String() {
			if c < ' ' && c != '\n' {
				t.Fatalf("%q", text.String())
			}
		}
		for _, f := range r.Findings {
			if f.Count < 1 || f.FirstLine < 1 || f.FirstLine > r.Lines || len(f.Excerpt) > explain.MaxExcerpt+len("…") {
				t.Fatalf("%+v", f)
			}
		}
	})
}

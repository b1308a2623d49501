package explain_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
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

const (
	failed = "%ASA-3-717057: Automatic import of trustpool certificate bundle has failed. "
	good   = "%ASA-6-717058: Automatic import of trustpool certificate bundle is successful: "
	cssm   = "Communications failure with the Cisco Smart Software Manager (CSSM) : "
)

// samples has for lines that a device prints what is found in them, and the reason.
func samples() map[string]string {
	return map[string]string{
		"RP/0/RP0/CPU0:Feb 22 10:00:07.962 UTC: smartlicserver[127]: %LICENSE-SMART_LIC-3-COMM_FAILED : " + cssm + "Fail to send out Call Home HTTP message":                                               "xr-comm-failed: Fail to send out Call Home HTTP message",
		"RP/0/RP0/CPU0:Feb 22 10:00:07.962 UTC: smartlicserver[127]: %SMART_LIC-3-COMM_FAILED : " + cssm + "Communications init failure":                                                                   "xr-comm-failed: Communications init failure",
		"smartlicserver[390]: %SMART_LIC-3-COMM_FAILED : " + cssm + "Communications failure":                                                                                                               "xr-comm-failed: Communications failure",
		"smartlicserver[127]: %LICENSE-SMART_LIC-3-AGENT_REG_FAILED : Smart Agent for Licensing Registration with the Cisco Smart Software Manager (CSSM) failed: Fail to send out Call Home HTTP message": "xr-agent-reg-failed: Fail to send out Call Home HTTP message",
		"%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILED : Authorization renewal with the Cisco Smart Software Manager (CSSM) : Response error":                                                                     "xr-auth-renew-failed: Response error?",
		"http_client[255]: %SECURITY-XR_SSL-3-CERT_VERIFY_ERR_2_PARAM : SSL certificate verify error: Peer certificate verification failed - no trusted cert 'Crypto Engine' detected":                     "xr-cert-verify: Peer certificate verification failed - no trusted cert",
		"cepki[279]: %SECURITY-PKI-6-ERR_1_PARAM : Download failed, HTTP returned an error":                                                                                                                "xr-download-failed",
		"cepki[363]: %SECURITY-PKI-6-LOG_INFO_DETAIL : FIPS POST Successful for  cepki":                                                                                                                    "xr-fips-post",
		"*Mar  1 00:00:01.000: %SMART_LIC-3-COMM_FAILED: " + cssm + "Fail to send out Call Home HTTP message.":                                                                                             "xe-comm-failed: Fail to send out Call Home HTTP message",
		".Mar 24 20:17:03.508: %SMART_LIC-3-COMM_FAILED: Communications failure with the Cisco Smart License Utility (CSLU) : Unable to resolve server hostname/domain name":                               "xe-comm-failed: Unable to resolve server hostname/domain name",
		"%SMART_LIC-3-COMM_FAILED:" + cssm + "HTTP Server Error 502: Bad Gateway":                                                                                                                          "xe-comm-failed: HTTP Server Error 502: Bad Gateway",
		"%SMART_LIC-3-COMM_FAILED:" + cssm + "Server authentication failed, SSL peer certificate or SSH remote key was not OK":                                                                             "xe-comm-failed: Server authentication failed, SSL peer certificate or SSH remote key was not OK",
		"%SMART_LIC-3-COMM_FAILED: " + cssm + "The action failed because smart license transport is disabled in call-home profile":                                                                         "xe-comm-failed: The action failed because smart license transport is disabled in call-home",
		"%SMART_LIC-3-COMM_FAILED: " + cssm + "The moon is full":                                                                                                                                           "xe-comm-failed: The moon is full?",
		"%SMART_LIC-3-AUTH_RENEW_FAILED: Authorization renewal with the Cisco Smart Software Manager (CSSM) : Communication message send error for udi PID:X,SN:Y":                                         "xe-auth-renew-failed: Communication message send error",
		"%SMART_LIC-3-AGENT_REG_FAILED: Smart Agent for Licensing Registration with the Cisco Smart Software Manager (CSSM) failed: Couldn't resolve host name":                                            "xe-agent-reg-failed: Couldn't resolve host name",
		"%SMART_LIC-3-ID_CERT_RENEW_FAILED: Identity certificate renewal failed":                                                                                                                           "xe-id-cert-renew-failed: ?",
		"%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send out Smart Licensing message to: https://tools.cisco.com/its/service/oddce/services/DDCEService (ERR 205 : Request Aborted)":                          "xe-call-home: ERR 205 : Request Aborted",
		"%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send out Smart Licensing message to: https://tools.cisco.com/ (ERR 207 : Connection time out)":                                                            "xe-call-home: ERR 207 : Connection time out",
		"%CALL_HOME-5-SL_MESSAGE_FAILED: Fail to send out Smart Licensing message to: https://tools.cisco.com/ (ERR 2055 : x)":                                                                             "xe-call-home: ERR 2055 : x?",
		"    Failure reason: Fail to send out Call Home HTTP message":                                                                                                                                      "license-status: Fail to send out Call Home HTTP message",
		"    Failure reason: Failed to authenticate server":                                                                                                                                                "license-status: Failed to authenticate server",
		"        Last License Server response message: Communication message send response error":                                                                                                          "asa-license-status: Communication message send response error",
		"%PKI-3-CERTIFICATE_INVALID_EXPIRED: Certificate chain validation has failed. The certificate (SN: 3F) has expired. Validity period ended on 11:00:00 UTC Jun 1 2025":                              "xe-certificate-expired",
		"%PKI-3-CERTIFICATE_INVALID_NOT_YET_VALID: Certificate chain validation has failed. The certificate (SN: 3E) is not yet valid":                                                                     "xe-certificate-not-yet-valid",
		"%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint LAB-CA failed Reason : Enrollment URL not configured.":                                                                                            "xe-crl-fetch-failed: Enrollment URL not configured",
		"%PKI-3-CRL_FETCH_FAIL: CRL fetch for trustpoint LAB-CA failed Reason : Failed to send the request.":                                                                                               "xe-crl-fetch-failed: Failed to send the request?",
		"*Dec 30 07:16:20.644: %PKI-3-SOCKETSEND: Failed to send out message to CA server.":                                                                                                                "xe-socket-send",
		"%PKI-6-CERT_INSTALL: An ID certificate has been installed under":                                                                                                                                  "xe-cert-install",
		"%PKI-2-NON_AUTHORITATIVE_CLOCK: PKI functions can not be initialized":                                                                                                                             "xe-clock",
		"% PEM files import succeeded.":            "xe-import-good",
		"% Certificate import failed":              "xe-import-failed",
		"% Invalid certificate":                    "xe-invalid-certificate",
		"% No certificates imported from terminal": "xe-nothing-pasted",
		"Oct 10 2018 08:11:02 asa1 : %ASA-3-444303: %SMART_LIC-3-COMM_FAILED:Communications failure with Cisco licensing cloud: Communication message send response error":           "asa-comm-failed: Communication message send response error",
		"%ASA-3-444303: %SMART_LIC-3-AGENT_REG_FAILED:Smart Agent for licensing registration with Cisco licensing cloud failed: Failed to authenticate server":                       "asa-agent-reg-failed: Failed to authenticate server",
		"%ASA-3-444303: %SMART_LIC-3-AUTH_RENEW_FAILED:Authorization renewal with Cisco licensing cloud failed: Response error: Data and signature do not match.":                    "asa-auth-renew-failed: Response error: Data and signature do not match?",
		"%ASA-3-444303: %SMART_LIC-3-ID_CERT_RENEW_FAILED:Identity certificate renewal failed: Connection refused":                                                                   "asa-id-cert-renew-failed: Connection refused",
		"%ASA-3-717009: Certificate validation failed. No suitable trustpoints found to validate certificate serial number: 48, subject name: cn=a.example, issuer name: cn=Lab CA.": "asa-validation-failed: No suitable trustpoints found to validate certificate serial number: 48, subject name: cn=a.example, issuer name: cn=Lab CA",
		"%ASA-3-717009: Certificate validation failed. Reason: certificate is revoked .":                                                                                             "asa-validation-failed: certificate is revoked?",
		"%ASA-1-717054: The CA certificate in the trustpoint LAB is due to expire in 9 days. Expiration 1":                                                                           "asa-certificate-ends",
		"%ASA-1-717055: The ID certificate in the trustpoint LAB has expired. Expiration 1":                                                                                          "asa-certificate-ended",
		"%ASA-6-717056: Attempting CRL revocation check from inside:10.0.0.1/1 to 10.0.0.2/80 using HTTP":                                                                            "asa-revocation-check",
		failed + "< Maximum retry attempts reached. Failed to reach CA server>":                                                                                                      "asa-import-unreachable",
		failed + "<Cisco root bundle signature validation failed>":                                                                                                                   "asa-import-signature",
		failed + "<Failed to update trustpool bundle in flash>":                                                                                                                      "asa-import-flash",
		failed + "<Failed to install trustpool bundle in memory>":                                                                                                                    "asa-import-memory",
		failed + "<Something else>":                                 "asa-import-failed: Something else?",
		good + "<No change in trustpool bundle>":                    "asa-import-same",
		good + "<Trustpool updated in flash>.":                      "asa-import-updated",
		"WARNING: Disabling auto import may affect Smart Licensing": "asa-auto-import-off",
		"Root file signature verified.":                             "asa-verified",
		"Trustpoint CA certificate is not FIPS compliant.":          "asa-fips",
		"% Error in saving certificate: status = FAIL":              "asa-saving",
		"2023 Feb 11 10:10:10 n9k-1 %LICMGR-3-LOG_SMART_LIC_COMM_FAILED: Communications failure with the Cisco Smart Licensing Utility (CSLU) : Unable to resolve server hostname/domain name": "nxos-comm-failed: Unable to resolve server hostname/domain name",
		": 2023 Feb 12 10:10:10 UTC: %LICMGR-3-LOG_SMART_LIC_COMM_FAILED: " + cssm + "Cannot establish secure connection because server TLS cert cannot be validated":                          "nxos-comm-failed: Cannot establish secure connection because server TLS cert cannot be validated",
		"2023 Feb 11 10:10:10 n9k-1 %LICMGR-3-LOG_SMART_LIC_AGENT_REG_FAILED: Smart Agent for Licensing Registration failed: Timeout was reached":                                              "nxos-agent-reg-failed: Timeout was reached",
		"%LICMGR-3-LOG_SMART_LIC_AUTH_RENEW_FAILED: Authorization renewal failed: Communications failure":                                                                                      "nxos-auth-renew-failed: Communications failure",
		"%LICMGR-3-LOG_SMART_LIC_ID_CERT_RENEW_FAILED: Identity certificate renewal failed: Communications failure":                                                                            "nxos-id-cert-renew-failed: Communications failure",
		"%LICENSE-SMART_LIC-3-ID_CERT_RENEW_FAILED : Identity certificate renewal failed: Communications failure":                                                                              "xr-id-cert-renew-failed: Communications failure",
		"%FTD-3-717057: Automatic import of trustpool certificate bundle has failed. <Failed to update trustpool bundle in flash>":                                                             "ftd-import-flash",
	}
}

// got is what is found in a log, in the words of samples.
func got(r *explain.Report) (out []string) {
	for _, f := range r.Findings {
		s := f.ID
		if f.Reason != nil {
			s += ": " + *f.Reason
			if !*f.ReasonKnown {
				s += "?"
			}
		}
		out = append(out, s)
	}
	return out
}

func TestMessages(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for line, want := range samples() {
		id, _, _ := strings.Cut(want, ":")
		seen[id] = true
		for _, log := range []string{line, "\r\n" + line + "\r\n", "<187>Feb 22 10:00:07 edge1 " + line} {
			r := read(t, log)
			if !slices.Equal(got(r), []string{want}) || r.Unread != 0 || len(r.Unknown) != 0 {
				t.Errorf("%s\ngot  %q\nwant %q, %d unread, %v", log, got(r), want, r.Unread, r.Unknown)
			}
		}
	}
	for _, id := range explain.Known() {
		if !seen[id] && !strings.HasPrefix(id, "ftd-") {
			t.Errorf("%s has no sample", id)
		}
	}
	for _, f := range explain.All() {
		if f.Meaning == "" || f.Basis == "" || f.Source == "" {
			t.Errorf("%s: no meaning or ground", f.Name)
		}
		if f.Kind == explain.Problem && (len(f.Causes) == 0 || len(f.Checks) == 0 || len(f.Fixes) == 0) {
			t.Errorf("%s: a problem without cause, check or fix", f.Name)
		}
		for _, n := range slices.Concat(f.Causes, f.Checks, f.Fixes) {
			if n.Text == "" || n.Basis == "" || n.Source == "" {
				t.Errorf("%s: %+v", f.Name, n)
			}
		}
		for _, p := range f.Platforms {
			if _, err := device.Lookup(p); err != nil {
				t.Errorf("%s: %v", f.Name, err)
			}
		}
	}
}

// What is nearly a message that is known is not it.
func TestNearly(t *testing.T) {
	t.Parallel()
	for line, unknown := range map[string]string{
		"%LICENSE-SMART_LIC-5-COMM_RESTORED : Communications restored":        "%LICENSE-SMART_LIC-5-COMM_RESTORED",
		"%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILEDX : Authorization":             "%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILEDX",
		"%SECURITY-XR_SSL-3-CERT_VERIFY_ERR_1_PARAM : SSL":                    "%SECURITY-XR_SSL-3-CERT_VERIFY_ERR_1_PARAM",
		"%SECURITY-PKI-6-ERR_1_PARAM : Upload failed":                         "%SECURITY-PKI-6-ERR_1_PARAM",
		"%PKI-2-AUTHORITATIVE_CLOCK: set":                                     "%PKI-2-AUTHORITATIVE_CLOCK",
		"%ASA-3-717071: CRL signature validation failed. Issuer: x":           "%ASA-3-717071",
		"%ASA-5-111008: User 'x' executed the 'conf t' command.":              "",
		"%LINK-3-UPDOWN: Interface up":                                        "",
		"%SYS-5-CONFIG_I: FIPS POST Successful, % PEM files import succeeded": "",
	} {
		r := read(t, line)
		var names string
		for _, u := range r.Unknown {
			names += u.Name
		}
		if len(r.Findings) != 0 || names != unknown || r.Unread != 0 {
			t.Errorf("%s: %q, %q", line, got(r), names)
		}
	}
}

// A root is named as the cause for the reasons of which a source says it, and a
// bundle's import as the fix for no other.
func TestRootIsNotGuessed(t *testing.T) {
	t.Parallel()
	roots := map[string]bool{
		"xe Fail to send out Call Home HTTP message": true, "xr Fail to send out Call Home HTTP message": true, "xe ERR 205 : Request Aborted": true,
		"xe ERR 207 : Connection time out": true, "asa Communication message send response error": true, "xr Peer certificate verification failed - no trusted cert": true,
		"license-status Fail to send out Call Home HTTP message": true, "license-status Failed to authenticate server": true, "asa-license-status Communication message send response error": true,
	}
	for line, want := range samples() {
		r := read(t, line)
		f := r.Findings[0]
		if f.Reason == nil || f.ID == "asa-validation-failed" {
			continue
		}
		id, reason, _ := strings.Cut(want, ": ")
		platform, _, _ := strings.Cut(id, "-")
		says := false
		for _, n := range f.Causes {
			says = says || strings.Contains(n.Text, "IdenTrust") || strings.Contains(n.Text, "QuoVadis")
		}
		if says != (roots[platform+" "+reason] || roots[id+" "+reason]) {
			t.Errorf("%s: names a root: %t", want, says)
		}
		for _, n := range f.Fixes {
			if !says && strings.Contains(n.Text, "import url") {
				t.Errorf("%s: %s", want, n.Text)
			}
		}
		if strings.HasSuffix(want, "?") && (len(f.Causes) != 1 || !strings.HasPrefix(f.Causes[0].Text, "reason not known") || len(f.Checks) < 2) {
			t.Errorf("%s: %+v", want, f)
		}
	}
	// Of a server near the device no notice says it.
	f := read(t, "%SMART_LIC-3-COMM_FAILED: Communications failure with the Cisco Smart License Utility (CSLU) : Fail to send out Call Home HTTP message").Findings[0]
	if !*f.ReasonKnown || strings.Contains(f.Causes[0].Text, "IdenTrust") {
		t.Errorf("%+v", f)
	}
}

// Copying loses line breaks: all of a line are found, each with its own reason.
func TestOneLine(t *testing.T) {
	t.Parallel()
	var log []string
	for line, want := range samples() {
		if !strings.HasSuffix(want, "?") && !strings.HasPrefix(want, "asa-validation") && !strings.HasPrefix(want, "license-status: Failed") {
			log = append(log, line)
		}
	}
	slices.Sort(log)
	for _, join := range []string{" ", "\n"} {
		r := read(t, strings.Join(log, join)+join)
		for _, line := range log {
			want := samples()[line]
			if n := count(got(r), want); n != 1 {
				t.Errorf("%q: %s is found %d times: %q", join, want, n, got(r))
			}
		}
	}
}

func count(list []string, s string) (n int) {
	for _, x := range list {
		if x == s {
			n++
		}
	}
	return n
}

// A message that a narrow terminal broke is one, and so is one of several lines.
func TestBroken(t *testing.T) {
	t.Parallel()
	line := "*Mar  1 00:00:01.000: %SMART_LIC-3-COMM_FAILED: " + cssm + "Fail to send out Call Home HTTP message."
	for _, at := range []int{79, 80, 132, strings.Index(line, "(CSSM)"), strings.Index(line, "out Call"), strings.Index(line, "Fail")} {
		for _, rest := range []string{"", "\nRouter#show clock\n", "\n*Mar  1 00:00:02.000: %LINK-3-UPDOWN: Interface up\n"} {
			log := line[:at] + "\n" + strings.TrimLeft(line[at:], " ") + rest
			r := read(t, log)
			if !slices.Equal(got(r), []string{"xe-comm-failed: Fail to send out Call Home HTTP message"}) || r.Unread != 0 {
				t.Errorf("%d: %q, %d unread", at, got(r), r.Unread)
			}
		}
	}
	r := read(t, "Jan 14 21:33:52.984: %PKI-6-CERT_INSTALL: An ID certificate has been installed under\n"+
		"                      Trustpoint   : LAB-TP\n                      Issuer-name  : o=Lab,cn=CA\n                      Subject-name : cn=edge1\n"+
		"                      Serial-number: 02\n                      End-date     : 2035-01-12T21:33:52Z\n")
	if !slices.Equal(got(r), []string{"xe-cert-install"}) || r.Unread != 0 || r.Lines != 6 {
		t.Errorf("%q, %d unread", got(r), r.Unread)
	}
	// A reason that is not known does not swallow what comes next.
	r = read(t, "%SMART_LIC-3-COMM_FAILED: "+cssm+"The moon is full\nRouter#show clock\n10:00:00 UTC Mon Mar 1 2021\n")
	if !slices.Equal(got(r), []string{"xe-comm-failed: The moon is full?"}) {
		t.Errorf("%q", got(r))
	}
	// The prompt says which platform printed what names none.
	r = read(t, "RP/0/RP0/CPU0:edge1#show license status\nSmart Licensing is ENABLED\n  Failure reason: Fail to send out Call Home HTTP message\n")
	if !slices.Equal(r.Findings[0].Platforms, []string{"iosxr"}) || r.Unread != 0 {
		t.Errorf("%+v", r.Findings)
	}
}

// What is not a log is refused; a few lines that are of no known form are counted.
func TestNotALog(t *testing.T) {
	t.Parallel()
	line := "*Mar  1 00:00:01.000: %LINK-3-UPDOWN: Interface up\n"
	for name, log := range map[string]string{
		"prose":         "Dear all,\nthe device says something about certificates.\nRegards\n",
		"access log":    strings.Repeat(`10.0.0.1 - - [20/May/2025:10:00:00 +0200] "GET /ios.p7b HTTP/1.1" 200 9354`+"\n", 20),
		"IIS":           strings.Repeat("2025-11-28 15:00:00 10.0.0.9 GET /ios.p7b - 80 - 10.0.0.1 - - 200 0 0 15\n", 3),
		"JSON":          `{"time":"2025-11-28T14:46:26Z","level":"INFO","msg":"request"}`,
		"one in eleven": line + strings.Repeat("rubbish\n", 10),
		"random":        "\x01\x80\xff\n\x93\x94",
	} {
		_, err := explain.Read(strings.NewReader(log))
		if form, ok := errors.AsType[*explain.FormError](err); !ok || form.Read*10 >= form.Lines || !strings.Contains(err.Error(), "not a log of a device") {
			t.Errorf("%s: %v", name, err)
		}
	}
	for _, log := range []string{"PK\x03\x04\x14\x00", "\x30\x82\x01\x00\x30\x82", "abc\x00\x01\x02\x03"} {
		if _, err := explain.Read(strings.NewReader(log)); err == nil || !strings.Contains(err.Error(), "not text") {
			t.Errorf("%q: %v", log, err)
		}
	}
	if r := read(t, line+"\n\n"+strings.Repeat("rubbish\n", 9)); r.Unread != 9 || r.Lines != 12 {
		t.Errorf("%+v", r)
	}
}

// A bomb of empty lines ends; a log that compresses as well does not.
func TestBomb(t *testing.T) {
	t.Parallel()
	empty := bytes.Repeat([]byte("\n"), 1<<20)
	_, err := explain.Read(io.MultiReader(repeat(empty, explain.MaxUnread>>20+1)...))
	if err == nil || !strings.Contains(err.Error(), "no message in the last") {
		t.Error(err)
	}
	long := bytes.Repeat([]byte("x"), 1<<20)
	_, err = explain.Read(io.MultiReader(repeat(long, explain.MaxUnread>>20+1)...))
	if err == nil || !strings.Contains(err.Error(), "line 1: no message in the last") {
		t.Error(err)
	}
	genuine := append(bytes.Repeat([]byte("\n"), 1<<20), "% PEM files import succeeded.\n"...)
	r, err := explain.Read(io.MultiReader(repeat(genuine, explain.MaxUnread>>20+1)...))
	if err != nil || r.Findings[0].Count != explain.MaxUnread>>20+1 {
		t.Error(err)
	}
}

func repeat(data []byte, n int) (out []io.Reader) {
	for range n {
		out = append(out, bytes.NewReader(data))
	}
	return out
}

// However many reasons and names a log has, the report is bounded.
func TestMany(t *testing.T) {
	t.Parallel()
	var log strings.Builder
	for i := range explain.MaxFindings + 5 {
		fmt.Fprintf(&log, "%%SMART_LIC-3-COMM_FAILED: %sreason %d\n", cssm, i)
	}
	for i := range explain.MaxUnknown + 5 {
		fmt.Fprintf(&log, "%%PKI-3-X%d: x\n", i)
	}
	r := read(t, log.String())
	if len(r.Findings) != explain.MaxFindings || len(r.Unknown) != explain.MaxUnknown || r.More != 10 {
		t.Errorf("%d, %d, %d", len(r.Findings), len(r.Unknown), r.More)
	}
}

func TestLimits(t *testing.T) {
	t.Parallel()
	const m = "% PEM files import succeeded."
	full := strings.Repeat("x", explain.MaxLine-len(m)-1) + " " + m
	if r := read(t, full+"\n"+full); r.Cut != 0 || r.Lines != 2 || len(r.Findings) != 1 || r.Findings[0].Count != 2 {
		t.Errorf("cut %d, %d lines, %q", r.Cut, r.Lines, got(r))
	}
	if r := read(t, full+" "+m+"\n"+m+"\n"); r.Cut != 1 || r.Lines != 2 || r.Findings[0].Count != 2 {
		t.Errorf("cut %d, %d lines, %q", r.Cut, r.Lines, got(r))
	}
	hostile := read(t, m+"\x1b[2J\u202e"+strings.Repeat("é", 1000))
	if e := hostile.Findings[0].Excerpt; len(e) > explain.MaxExcerpt+len("…") {
		t.Errorf("%d bytes", len(e))
	}
	var out bytes.Buffer
	if err := hostile.WriteText(&out); err != nil || strings.ContainsAny(out.String(), "\x1b\u202e") {
		t.Errorf("%v %q", err, out.String())
	}
	for _, nothing := range []string{"", " \n\n"} { // as of a session that failed
		if _, err := explain.Read(strings.NewReader(nothing)); err == nil || err.Error() != "there is no line in it" {
			t.Errorf("%q: %v", nothing, err)
		}
	}
	if _, err := explain.Read(iotest.ErrReader(io.ErrClosedPipe)); !errors.Is(err, io.ErrClosedPipe) {
		t.Error(err)
	}
}

func FuzzRead(f *testing.F) {
	for line := range samples() {
		f.Add(line)
		f.Add(line[:min(80, len(line))] + "\n" + line[min(80, len(line)):] + "\nRouter#show license all\n x : y\n")
	}
	f.Fuzz(func(t *testing.T, log string) {
		r, err := explain.Read(strings.NewReader(log))
		if err != nil {
			return
		}
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
		if r.Unread < 0 || r.Unread > r.Lines {
			t.Fatalf("%+v", r)
		}
		for _, f := range r.Findings {
			if f.Count < 1 || f.FirstLine < 1 || f.FirstLine > r.Lines || len(f.Excerpt) > explain.MaxExcerpt+len("…") || f.Reason != nil && len(*f.Reason) > explain.MaxReason+len("…") {
				t.Fatalf("%+v", f)
			}
			if f.Reason != nil && !*f.ReasonKnown && !strings.HasPrefix(f.Causes[0].Text, "reason not known") {
				t.Fatalf("%+v", f)
			}
		}
	})
}

package explain

import "trustpool/internal/device"

// Sources that several messages rest on.
const (
	sourceASA    = "Cisco Community, certificate change on tools.cisco.com, October 2018"
	sourceSyslog = "Cisco ASA syslog guide"
	sourceXR     = "Cisco field notice FN72290"
	sourceXE     = "Cisco field notice FN72323"
	sourceGLIBS  = "Cisco's test library genielibs, iosxe pki, which takes it for a failure"
)

func confirmed(source string) device.Ground {
	return device.Ground{Basis: device.Confirmed, Source: source}
}
func inferred(source string) device.Ground {
	return device.Ground{Basis: device.Inferred, Source: source}
}
func unverified() device.Ground {
	return device.Ground{Basis: device.Unverified, Source: "general knowledge, no source seen"}
}

func list(notes ...device.Note) []device.Note { return notes }

func note(g device.Ground, text string) device.Note { return device.Note{Text: text, Ground: g} }

// Messages are all that Read knows. Where one has the words of another, both are
// found.
func Messages() []Message {
	asa, xr, xe, syslog := confirmed(sourceASA), confirmed(sourceXR), confirmed(sourceXE), confirmed(sourceSyslog)

	// What several messages have in common.
	xrRoot := list(note(xr, "the device lacks the root of Cisco's servers: IdenTrust Commercial Root CA 1 since QuoVadis Root CA 2 ended"))
	xrLook := list(note(xr, "show crypto ca trustpool: is IdenTrust Commercial Root CA 1 there"))
	xrFix := list(
		note(xr, "crypto ca trustpool import url http://www.cisco.com/security/pki/trs/ios.p7b, or the same from a web server of yours, or from /tmp"),
		note(xr, "then license smart renew auth, and show license status"),
	)
	xeRoot := list(
		note(xe, "the device lacks the root of Cisco's servers: IdenTrust Commercial Root CA 1 since QuoVadis Root CA 2 ended"),
		note(inferred("the text names no certificate"), "or it cannot reach the server at all: address, name, route, VRF, proxy"),
	)
	xeLook := list(note(confirmed("published Webex Calling instructions for CUBE"), "show crypto pki trustpool | include IdenTrust Commercial"))
	xeFix := list(
		note(xe, "crypto pki trustpool import url URL, with Cisco's bundle; or crypto pki trustpool import terminal, with IdenTrust Commercial Root CA 1 alone; then write memory"),
		note(xe, "in SD-WAN mode, which has no import: a trustpoint file bootflash:NAME.ca, enrollment url bootflash:, its fingerprint, crypto pki authenticate"),
	)
	asaRoot := list(note(asa, "the device does not trust the server's new root (CSCvm80874): QuoVadis Root CA 2 in 2018, IdenTrust Commercial Root CA 1 since 2021"))
	asaFix := list(
		note(asa, "crypto ca trustpool import url http://www.cisco.com/security/pki/trs/ios_core.p7b; not in multiple context mode"),
		note(asa, "or a trustpoint with the root: crypto ca trustpoint NAME, enrollment terminal, crl configure, crypto ca authenticate NAME"),
	)
	const autoImport = "Automatic import of trustpool certificate bundle "

	return []Message{
		// IOS XR
		{
			ID: "xr-comm-failed", Kind: Problem, Platforms: []string{"iosxr"}, Parts: []string{"%LICENSE-SMART_LIC-3-COMM_FAILED"}, Ground: xr,
			Meaning: "Smart Licensing could not talk to Cisco", Causes: xrRoot, Checks: xrLook, Fixes: xrFix,
		},
		{
			ID: "xr-agent-reg-failed", Kind: Problem, Platforms: []string{"iosxr"}, Parts: []string{"%LICENSE-SMART_LIC-3-AGENT_REG_FAILED"}, Ground: xr,
			Meaning: "Smart Licensing could not register with Cisco", Causes: xrRoot, Checks: xrLook, Fixes: xrFix,
		},
		{
			ID: "xr-auth-renew-failed", Kind: Problem, Platforms: []string{"iosxr"}, Parts: []string{"%LICENSE-SMART_LIC-3-AUTH_RENEW_FAILED"},
			Ground: inferred("the other SMART_LIC messages of " + sourceXR), Meaning: "Smart Licensing could not renew its authorization", Causes: xrRoot, Checks: xrLook, Fixes: xrFix,
		},
		{
			ID: "xr-cert-verify", Kind: Problem, Platforms: []string{"iosxr"}, Parts: []string{"%SECURITY-XR_SSL-3-CERT_VERIFY_ERR_2_PARAM"}, Ground: xr,
			Meaning: "the certificate of a server could not be verified: no root for it is in the trustpool", Causes: xrRoot, Checks: xrLook, Fixes: xrFix,
		},
		{
			ID: "xr-download-failed", Kind: Problem, Platforms: []string{"iosxr"}, Parts: []string{"%SECURITY-PKI-6-ERR_1_PARAM", "Download failed"}, Ground: xr,
			Meaning: "the bundle could not be fetched",
			Causes: list(
				note(xr, "the device cannot resolve the name of the server, or not reach it"),
				note(inferred("HTTP returned an error"), "the server has no such file, or answers with an error or a redirect"),
			),
			Checks: list(note(xr, "show crypto ca trustpool policy: the URL"), note(inferred("plain HTTP"), "fetch that URL from a host in the same network: status 200, and the bundle")),
			Fixes: list(
				note(xr, "host the file near the device: crypto ca trustpool policy cabundle url URL"),
				note(xr, "or copy it to the device: crypto ca trustpool import url /tmp/NAME"),
			),
		},
		{
			ID: "xr-fips-post", Kind: Note, Platforms: []string{"iosxr"}, Parts: []string{"%SECURITY-PKI-6-LOG_INFO_DETAIL", "FIPS POST Successful"},
			Ground: confirmed("public log of IOS XR"), Meaning: "the self-test of the cryptography passed when the process started; nothing is wrong",
		},
		// IOS and IOS XE
		{
			ID: "xe-comm-failed", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%SMART_LIC-3-COMM_FAILED"}, Ground: xe,
			Meaning: "Smart Licensing could not talk to Cisco", Causes: xeRoot, Checks: xeLook, Fixes: xeFix,
		},
		{
			ID: "xe-auth-renew-failed", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%SMART_LIC-3-AUTH_RENEW_FAILED"}, Ground: xe,
			Meaning: "Smart Licensing could not renew its authorization", Causes: xeRoot, Checks: xeLook, Fixes: xeFix,
		},
		{
			ID: "xe-agent-reg-failed", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%SMART_LIC-3-AGENT_REG_FAILED"}, Ground: xe,
			Meaning: "Smart Licensing could not register with Cisco", Causes: xeRoot, Checks: xeLook, Fixes: xeFix,
		},
		{
			ID: "xe-call-home-205", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%CALL_HOME-5-SL_MESSAGE_FAILED", "ERR 205"}, Ground: xe,
			Meaning: "Call Home gave up a message of Smart Licensing: request aborted", Causes: xeRoot, Checks: xeLook, Fixes: xeFix,
		},
		{
			ID: "xe-call-home-207", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%CALL_HOME-5-SL_MESSAGE_FAILED", "ERR 207"}, Ground: xe,
			Meaning: "Call Home gave up a message of Smart Licensing: connection timed out",
			Causes:  list(note(inferred("the words Connection time out"), "the server cannot be reached: address, name, route, VRF, proxy"), xeRoot[0]),
			Checks:  xeLook, Fixes: xeFix,
		},
		{
			ID: "xe-import-good", Kind: Good, Platforms: []string{"ios", "iosxe"}, Parts: []string{"% PEM files import succeeded."},
			Ground: confirmed("Cisco UCCE 12.6 guide, section on CUBE; " + sourceXE), Meaning: "the import went well; it says so of PKCS#7 too, and gives no counts",
			Checks: list(note(confirmed("Cisco's test library genieparser"), "show crypto pki trustpool | count Downloaded")),
			Fixes:  list(note(xe, "keep it: write memory")),
		},
		{
			ID: "xe-import-failed", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"Certificate import failed"}, Ground: confirmed(sourceGLIBS),
			Meaning: "the import did not take the certificate or bundle",
			Causes: list(
				note(confirmed("Cisco PKI trustpool management guides"), "from a URL only a bundle that Cisco signed is taken, verified with built-in certificates"),
				note(inferred("captures until November 2025"), "the bundle is signed under TRS Bundle Root CA, which older releases do not have"),
			),
			Checks: list(note(inferred("it applies the same rule"), "trustpool verify FILE, and trustpool import FILE --platform iosxe")),
			Fixes:  list(note(xe, "use Cisco's file as it is; or paste single roots: crypto pki trustpool import terminal")),
		},
		{
			ID: "xe-invalid-certificate", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"Invalid certificate"}, Ground: confirmed(sourceGLIBS),
			Meaning: "where certificates are pasted: this is none",
			Causes:  list(note(confirmed("Cisco's test library genielibs"), "more than one certificate was pasted at once, or a blank line ended the paste early")),
			Checks:  list(note(inferred("it reads what was to be pasted"), "trustpool inspect FILE")),
			Fixes:   list(note(xe, "crypto pki trustpool import terminal, one certificate, then quit; trustpool config --platform iosxe --pem FILE writes the lines")),
		},
		{
			ID: "xe-nothing-pasted", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"No certificates imported from terminal"}, Ground: confirmed(sourceGLIBS),
			Meaning: "the paste ended before a certificate was there",
			Causes:  list(note(confirmed("Cisco's test library genielibs"), "a blank line ends the input, also before the first line")),
			Checks:  list(note(inferred("it reads what was to be pasted"), "trustpool inspect FILE")),
			Fixes:   list(note(xe, "crypto pki trustpool import terminal, one certificate without blank lines, then quit; trustpool config --platform iosxe --pem FILE writes the lines")),
		},
		{
			ID: "xe-clock", Kind: Problem, Platforms: []string{"ios", "iosxe"}, Parts: []string{"%PKI-2-NON_AUTHORITATIVE_CLOCK"}, Ground: unverified(),
			Meaning: "the clock is not set, so no date of a certificate can be judged",
			Causes:  list(note(unverified(), "no NTP server was reached since the start, and there is no hardware clock")),
			Checks:  list(note(unverified(), "show clock detail; show ntp status")),
			Fixes:   list(note(unverified(), "ntp server ADDRESS, or clock set; then import again")),
		},
		// IOS XR and IOS XE alike
		{
			ID: "call-home-http", Kind: Problem, Platforms: []string{"ios", "iosxe", "iosxr"}, Parts: []string{"Fail to send out Call Home HTTP message"}, Ground: confirmed(sourceXR + " and FN72323"),
			Meaning: "an HTTPS request of Call Home failed; it is the reason that Smart Licensing gives",
			Causes:  list(xrRoot[0], xeRoot[1]),
			Checks:  append(append([]device.Note{}, xrLook...), xeLook...),
			Fixes:   append(append([]device.Note{}, xrFix...), xeFix[0]),
		},
		// ASA
		{
			ID: "asa-communication", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{"Communication message send response error"}, Ground: asa,
			Meaning: "the ASA could not talk to Smart Licensing", Causes: asaRoot, Fixes: asaFix,
			Checks: list(note(asa, "show license registration; sh run all crypto ca trustpool")),
		},
		{
			ID: "asa-import-unreachable", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{autoImport + "has failed", "Maximum retry attempts reached. Failed to reach CA server"}, Ground: syslog,
			Meaning: "717057: the daily import could not fetch the bundle",
			Causes:  list(note(syslog, "the server of auto-import url cannot be reached")),
			Checks:  list(note(asa, "sh run all crypto ca trustpool: the URL of auto-import")),
			Fixes:   list(note(asa, "crypto ca trustpool policy, auto-import url URL, with a server that the ASA reaches")),
		},
		{
			ID: "asa-import-signature", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{autoImport + "has failed", "Cisco root bundle signature validation failed"}, Ground: syslog,
			Meaning: "717057: the signature of the bundle was not good",
			Causes: list(
				note(inferred(sourceSyslog), "the file is not Cisco's, or was changed on its way"),
				note(inferred("that root is newer"), "it is signed under TRS Bundle Root CA, and the release does not have that root"),
			),
			Checks: list(note(inferred("it applies the rules of RFC 5652 under the same root"), "trustpool verify URL")),
			Fixes:  list(note(inferred(sourceSyslog), "host Cisco's file as it is")),
		},
		{
			ID: "asa-import-flash", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{autoImport + "has failed", "Failed to update trustpool bundle in flash"}, Ground: syslog,
			Meaning: "717057: the bundle could not be stored",
			Causes:  list(note(syslog, "no space on flash")),
			Checks:  list(note(unverified(), "show flash: or dir disk0:")),
			Fixes:   list(note(syslog, "make space on flash, then import again")),
		},
		{
			ID: "asa-import-memory", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{autoImport + "has failed", "Failed to install trustpool bundle in memory"}, Ground: syslog,
			Meaning: "717057: the bundle could not be installed",
			Causes:  list(note(inferred(sourceSyslog), "no memory, or a bundle that the ASA cannot read")),
			Checks:  list(note(unverified(), "show memory"), note(inferred("it plays the import"), "trustpool import FILE --platform asa")),
			Fixes:   list(note(inferred(sourceSyslog), "use the smaller ios_core.p7b")),
		},
		{
			ID: "asa-import-same", Kind: Good, Platforms: []string{"asa"}, Parts: []string{autoImport + "is successful", "No change in trustpool bundle"}, Ground: syslog,
			Meaning: "717058: the daily import found the bundle that the ASA has",
		},
		{
			ID: "asa-import-updated", Kind: Good, Platforms: []string{"asa"}, Parts: []string{autoImport + "is successful", "Trustpool updated in flash"}, Ground: syslog,
			Meaning: "717058: the daily import stored a newer bundle",
		},
		{
			ID: "asa-auto-import-off", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{"WARNING: Disabling auto import may affect Smart Licensing"},
			Ground:  confirmed("public ASA transcript of firewall transparent"),
			Meaning: "the daily import was switched off: new roots will not come by themselves",
			Causes:  list(note(confirmed("public ASA transcript"), "no auto-import was typed, or a command such as firewall transparent cleared the configuration")),
			Checks:  list(note(asa, "sh run crypto ca trustpool: a line auto-import")),
			Fixes:   list(note(asa, "crypto ca trustpool policy, auto-import; with 9.5(2) and later")),
		},
		{
			ID: "asa-verified", Kind: Good, Platforms: []string{"asa"}, Parts: []string{"Root file signature verified."}, Ground: asa,
			Meaning: "the signature of the bundle is good; the counters that follow say what was installed",
		},
		{
			ID: "asa-fips", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{"Trustpoint CA certificate is not FIPS compliant."}, Ground: asa,
			Meaning: "in FIPS mode the ASA refuses this root",
			Causes:  list(note(asa, "it is signed with SHA-1, as QuoVadis Root CA 2 is"), note(unverified(), "or with MD5, or its RSA key has under 2048 bits")),
			Checks:  list(note(inferred("it reads the same field"), "trustpool inspect FILE --filter algorithm:sha1")),
			Fixes:   list(note(asa, "import the intermediate below it that is signed with SHA-256: for tools.cisco.com in 2018 that was HydrantID SSL ICA G2")),
		},
		{
			ID: "asa-saving", Kind: Problem, Platforms: []string{"asa"}, Parts: []string{"% Error in saving certificate: status = FAIL"}, Ground: asa,
			Meaning: "the certificate was not installed; the line before says why",
			Causes:  list(note(asa, "in FIPS mode: it is not compliant")),
			Checks:  list(note(unverified(), "show fips status, or show running-config fips")),
			Fixes:   list(note(asa, "in FIPS mode: import the intermediate below it that is signed with SHA-256")),
		},
		// FXOS
		{
			ID: "fxos-authenticate", Kind: Problem, Platforms: []string{"fxos"}, Parts: []string{"Failed to authenticate server"}, Ground: asa,
			Meaning: "Smart Licensing does not trust the server (CSCvm81014)",
			Causes:  list(note(asa, "the chassis lacks the server's root: QuoVadis Root CA 2 in 2018"), note(inferred(sourceXE), "IdenTrust Commercial Root CA 1 since 2021")),
			Checks:  list(note(asa, "show license all: Failure reason")),
			Fixes:   list(note(asa, "scope security, create trustpoint NAME, set certchain, the root as PEM, ENDOFBUF, commit-buffer; trustpool config --platform fxos --pem FILE writes the lines")),
		},
	}
}

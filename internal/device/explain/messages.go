package explain

import "trustpool/internal/device"

// Sources that several messages and reasons rest on.
const (
	sourceASA    = "Cisco Community, certificate change on tools.cisco.com, October 2018"
	sourceSyslog = "Cisco ASA syslog guide"
	sourceXR     = "Cisco field notice FN72290"
	sourceXE     = "Cisco field notice FN72323"
	sourceCUBE   = "published Webex Calling instructions for CUBE"
	sourceNXOS   = "Nexus 9000 NX-API reference of 9.3, crypto ca trustpool"
	sourceLogs   = "public logs of devices"
	sourceC9800  = "public configurations of the Catalyst 9800 for access points with certificates that have ended"
	sourceUmb    = "Cisco field notice FN72265"
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

// licensing are the platforms of Smart Licensing's own messages.
var licensing = []string{iosxe, iosxr, asa, ftd, nxos}

// catalogue are the messages that are known. Of several that fit the first is
// taken; if one without a mnemonic is within another, both are found.
func catalogue() []entry {
	asaThread, xr, xe, syslog := confirmed(sourceASA), confirmed(sourceXR), confirmed(sourceXE), confirmed(sourceSyslog)
	logs := confirmed(sourceLogs)
	firewalls := []string{asa, ftd}
	const autoImport = "Automatic import of trustpool certificate bundle "
	renew := by{"": list(note(syslog, "renew the certificate"))}
	which := by{asa: list(note(unverified(), "show crypto ca certificates NAME, with the trustpoint of the message")), ftd: list(note(unverified(), "the certificate in FMC or FDM"))}
	notTaken := by{ftd: list(note(unverified(), "on FTD the pool is not configured on the device"))}

	return []entry{
		// Smart Licensing: the reason decides.
		{id: "comm-failed", kind: Problem, on: licensing, facility: "SMART_LIC", mnemonic: "COMM_FAILED", reason: true, Ground: xe, meaning: "Smart Licensing could not talk to its server"},
		{id: "agent-reg-failed", kind: Problem, on: licensing, facility: "SMART_LIC", mnemonic: "AGENT_REG_FAILED", reason: true, Ground: xe, meaning: "Smart Licensing could not register"},
		{id: "auth-renew-failed", kind: Problem, on: licensing, facility: "SMART_LIC", mnemonic: "AUTH_RENEW_FAILED", reason: true, Ground: xe, meaning: "Smart Licensing could not renew its authorization"},
		{id: "id-cert-renew-failed", kind: Problem, on: licensing, facility: "SMART_LIC", mnemonic: "ID_CERT_RENEW_FAILED", reason: true, Ground: unverified(), meaning: "Smart Licensing could not renew its identity certificate"},
		{id: "call-home", kind: Problem, on: []string{iosxe}, facility: "CALL_HOME", mnemonic: "SL_MESSAGE_FAILED", reason: true, after: "(", Ground: xe, meaning: "Call Home gave up a message of Smart Licensing"},
		{id: "license-status", kind: Problem, on: []string{iosxe, iosxr, nxos, fxos}, parts: []string{"Failure reason:"}, reason: true, Ground: confirmed(sourceXR + "; " + sourceASA), meaning: "show license says why Smart Licensing failed last"},
		{id: "license-status", kind: Problem, on: []string{iosxe, iosxr, nxos, fxos}, parts: []string{"Failure Reason:"}, reason: true, Ground: confirmed(sourceXR + "; " + sourceASA), meaning: "show license says why Smart Licensing failed last"},
		{id: "asa-license-status", kind: Problem, on: []string{asa}, parts: []string{"Last License Server response message:"}, reason: true, Ground: asaThread, meaning: "show license registration says why Smart Licensing failed last"},

		// IOS XR
		{id: "cert-verify", kind: Problem, on: []string{iosxr}, facility: "XR_SSL", mnemonic: "CERT_VERIFY_ERR_2_PARAM", reason: true, Ground: xr, meaning: "the certificate of a server could not be verified"},
		{
			id: "download-failed", kind: Problem, on: []string{iosxr}, facility: "PKI", mnemonic: "ERR_1_PARAM", parts: []string{"Download failed"}, Ground: xr,
			meaning: "the bundle could not be fetched",
			causes: by{"": list(
				note(xr, "the device cannot resolve the name of the server, or not reach it"),
				note(inferred("HTTP returned an error"), "the server has no such file, or answers with an error or a redirect"),
			)},
			checks: by{"": list(note(xr, "show crypto ca trustpool policy: the URL"), note(inferred("plain HTTP"), "fetch that URL from a host in the same network: status 200, and the bundle"))},
			fixes: by{"": list(
				note(xr, "host the file near the device: crypto ca trustpool policy cabundle url URL"),
				note(xr, "or copy it to the device: crypto ca trustpool import url /tmp/NAME"),
			)},
		},
		{
			id: "fips-post", kind: Note, on: []string{iosxr}, facility: "PKI", mnemonic: "LOG_INFO_DETAIL", parts: []string{"FIPS POST Successful"},
			Ground: confirmed("public log of IOS XR"), meaning: "the self-test of the cryptography passed when the process started; nothing is wrong",
		},

		// IOS and IOS XE
		{
			id: "certificate-expired", kind: Problem, on: []string{iosxe}, facility: "PKI", mnemonic: "CERTIFICATE_INVALID_EXPIRED", Ground: logs,
			meaning: "a certificate of the chain has ended; the message has its serial number",
			causes: by{"": list(
				note(words, "the certificate of the peer, or a CA above it, has ended; or the clock is ahead"),
				note(inferred(sourceC9800), "on a Catalyst 9800: that of an access point, as the manufacturing certificate has ended"),
				note(inferred(sourceUmb), "with SD-WAN and Umbrella: DST Root CA X3, which ended in September 2021"),
			)},
			checks: by{"": list(note(unverified(), "show clock detail"), note(unverified(), "show crypto pki certificates and show crypto pki trustpool: which one has that serial number"))},
			fixes: by{"": list(
				note(words, "renew that certificate; of a root, import its successor"),
				note(confirmed(sourceC9800), "on a Catalyst 9800: a certificate map, then crypto pki trustpool policy, match certificate MAP allow expired-certificate"),
				note(confirmed(sourceUmb), "with SD-WAN and Umbrella: replace bootflash:trustidrootx3_ca.ca"),
			)},
		},
		{
			id: "certificate-not-yet-valid", kind: Problem, on: []string{iosxe}, facility: "PKI", mnemonic: "CERTIFICATE_INVALID_NOT_YET_VALID", Ground: logs,
			meaning: "a certificate of the chain is not valid yet; the message has its serial number and since when it is",
			causes:  by{"": list(note(words, "the clock is behind, or the certificate was made for later"))},
			checks:  by{"": list(note(unverified(), "show clock detail; show ntp status"))},
			fixes:   by{"": list(note(unverified(), "ntp server ADDRESS, or clock set"))},
		},
		{id: "crl-fetch-failed", kind: Problem, on: []string{iosxe}, facility: "PKI", mnemonic: "CRL_FETCH_FAIL", reason: true, after: "Reason", Ground: logs, meaning: "the list of revoked certificates of a trustpoint could not be fetched"},
		{
			id: "socket-send", kind: Problem, on: []string{iosxe}, facility: "PKI", mnemonic: "SOCKETSEND", Ground: logs,
			meaning: "a message to a CA server could not be sent: an enrolment or a list of revoked certificates, not the trustpool",
			causes:  by{"": list(note(words, "the CA server of a trustpoint cannot be reached: address, name, route, VRF"))},
			checks:  by{"": list(note(unverified(), "show running-config | section crypto pki trustpoint: enrollment url; ping and telnet to that server"))},
			fixes:   by{"": list(note(words, "mend what is between; or remove a trustpoint that is not used"))},
		},
		{id: "cert-install", kind: Note, on: []string{iosxe}, facility: "PKI", mnemonic: "CERT_INSTALL", Ground: logs, meaning: "a certificate was installed under a trustpoint; the lines after it say which"},
		{
			id: "clock", kind: Problem, on: []string{iosxe}, facility: "PKI", mnemonic: "NON_AUTHORITATIVE_CLOCK", Ground: unverified(),
			meaning: "the clock is not set, so no date of a certificate can be judged",
			causes:  by{"": list(note(unverified(), "no NTP server was reached since the start, and there is no hardware clock"))},
			checks:  by{"": list(note(unverified(), "show clock detail; show ntp status"))},
			fixes:   by{"": list(note(unverified(), "ntp server ADDRESS, or clock set; then import again"))},
		},
		{
			id: "xe-import-good", kind: Good, on: []string{iosxe}, parts: []string{"% PEM files import succeeded."},
			Ground: confirmed("Cisco UCCE 12.6 guide, section on CUBE; " + sourceXE), meaning: "the import went well; it says so of PKCS#7 too, and gives no counts",
			checks: by{"": list(note(confirmed("Cisco's test library genieparser"), "show crypto pki trustpool | count Downloaded"))},
			fixes:  by{"": list(note(xe, "keep it: write memory"))},
		},
		{
			id: "xe-import-failed", kind: Problem, on: []string{iosxe}, parts: []string{"Certificate import failed"}, Ground: confirmed(sourceGLIBS),
			meaning: "the import did not take the certificate or bundle",
			causes: by{"": list(
				note(confirmed("Cisco PKI trustpool management guides"), "from a URL only a bundle that Cisco signed is taken, verified with built-in certificates"),
				note(inferred("captures until November 2025"), "the bundle is signed under TRS Bundle Root CA, which older releases do not have"),
			)},
			checks: by{"": list(note(inferred("it applies the same rule"), "trustpool verify FILE, and trustpool import FILE --platform iosxe"))},
			fixes:  by{"": list(note(xe, "use Cisco's file as it is; or paste single roots: crypto pki trustpool import terminal"))},
		},
		{
			id: "xe-invalid-certificate", kind: Problem, on: []string{iosxe}, parts: []string{"Invalid certificate"}, Ground: confirmed(sourceGLIBS),
			meaning: "if certificates were pasted: this is not one",
			causes:  by{"": list(note(confirmed("Cisco's test library genielibs"), "more than one certificate was pasted at once, or a blank line ended the paste early"))},
			checks:  by{"": list(note(inferred("it reads what was to be pasted"), "trustpool inspect FILE"))},
			fixes:   by{"": list(note(xe, "crypto pki trustpool import terminal, one certificate, then quit; trustpool config --platform iosxe --pem FILE writes the lines"))},
		},
		{
			id: "xe-nothing-pasted", kind: Problem, on: []string{iosxe}, parts: []string{"No certificates imported from terminal"}, Ground: confirmed(sourceGLIBS),
			meaning: "the paste ended before a certificate was there",
			causes:  by{"": list(note(confirmed("Cisco's test library genielibs"), "a blank line ends the input, also before the first line"))},
			checks:  by{"": list(note(inferred("it reads what was to be pasted"), "trustpool inspect FILE"))},
			fixes:   by{"": list(note(xe, "crypto pki trustpool import terminal, one certificate without blank lines, then quit; trustpool config --platform iosxe --pem FILE writes the lines"))},
		},

		// ASA
		{id: "validation-failed", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717009", reason: true, after: "Certificate validation failed.", Ground: syslog, meaning: "717009: a certificate could not be validated"},
		{
			id: "certificate-ends", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717054", Ground: syslog, meaning: "717054: a certificate of a trustpoint ends soon; the message says which and when",
			causes: by{"": list(note(syslog, "the certificate, of a CA or of the device, is about to end"))}, checks: which, fixes: renew,
		},
		{
			id: "certificate-ended", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717055", Ground: syslog, meaning: "717055: a certificate of a trustpoint has ended; the message says which and when",
			causes: by{"": list(note(syslog, "the certificate, of a CA or of the device, has ended"))}, checks: which, fixes: renew,
		},
		{id: "revocation-check", kind: Note, on: firewalls, facility: "ASA", mnemonic: "717056", Ground: syslog, meaning: "717056: a list of revoked certificates, or OCSP, is being asked; nothing is wrong"},
		{
			id: "import-unreachable", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717057", parts: []string{autoImport + "has failed", "Maximum retry attempts reached", "Failed to reach CA server"}, Ground: syslog,
			meaning: "717057: the daily import could not fetch the bundle",
			causes:  by{"": list(note(syslog, "the server of auto-import url cannot be reached"))},
			checks:  by{asa: list(note(asaThread, "sh run all crypto ca trustpool: the URL of auto-import")), ftd: notTaken[ftd]},
			fixes:   by{asa: list(note(asaThread, "crypto ca trustpool policy, auto-import url URL, with a server that the ASA reaches")), ftd: notTaken[ftd]},
		},
		{
			id: "import-signature", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717057", parts: []string{autoImport + "has failed", "Cisco root bundle signature validation failed"}, Ground: syslog,
			meaning: "717057: the signature of the bundle was not good",
			causes: by{"": list(
				note(inferred(sourceSyslog), "the file is not Cisco's, or was changed on its way"),
				note(inferred("that root is newer"), "it is signed under TRS Bundle Root CA, and the release does not have that root"),
			)},
			checks: by{"": list(note(inferred("it applies the rules of RFC 5652 under the same root"), "trustpool verify URL"))},
			fixes:  by{"": list(note(inferred(sourceSyslog), "host Cisco's file as it is"))},
		},
		{
			id: "import-flash", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717057", parts: []string{autoImport + "has failed", "Failed to update trustpool bundle in flash"}, Ground: syslog,
			meaning: "717057: the bundle could not be stored",
			causes:  by{"": list(note(syslog, "no space on flash"))},
			checks:  by{"": list(note(unverified(), "show flash: or dir disk0:"))},
			fixes:   by{"": list(note(syslog, "make space on flash, then import again"))},
		},
		{
			id: "import-memory", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717057", parts: []string{autoImport + "has failed", "Failed to install trustpool bundle in memory"}, Ground: syslog,
			meaning: "717057: the bundle could not be installed",
			causes:  by{"": list(note(inferred(sourceSyslog), "no memory, or a bundle that the ASA cannot read"))},
			checks:  by{"": list(note(unverified(), "show memory"), note(inferred("it plays the import"), "trustpool import FILE --platform asa"))},
			fixes:   by{"": list(note(inferred(sourceSyslog), "use the smaller ios_core.p7b"))},
		},
		{id: "import-failed", kind: Problem, on: firewalls, facility: "ASA", mnemonic: "717057", reason: true, after: "has failed.", Ground: syslog, meaning: "717057: the daily import failed"},
		{id: "import-same", kind: Good, on: firewalls, facility: "ASA", mnemonic: "717058", parts: []string{"No change in trustpool bundle"}, Ground: syslog, meaning: "717058: the daily import found the bundle that the ASA has"},
		{id: "import-updated", kind: Good, on: firewalls, facility: "ASA", mnemonic: "717058", Ground: syslog, meaning: "717058: the daily import stored a newer bundle"},
		{
			id: "asa-auto-import-off", kind: Problem, on: []string{asa}, parts: []string{"WARNING: Disabling auto import may affect Smart Licensing"},
			Ground:  confirmed("public ASA transcript of firewall transparent"),
			meaning: "the daily import was switched off: new roots will not come by themselves",
			causes:  by{"": list(note(confirmed("public ASA transcript"), "no auto-import was typed, or a command such as firewall transparent cleared the configuration"))},
			checks:  by{"": list(note(asaThread, "sh run crypto ca trustpool: a line auto-import"))},
			fixes:   by{"": list(note(asaThread, "crypto ca trustpool policy, auto-import; with 9.5(2) and later"))},
		},
		{
			id: "asa-verified", kind: Good, on: []string{asa}, parts: []string{"Root file signature verified."}, Ground: asaThread,
			meaning: "the signature of the bundle is good; the counters that follow say what was installed",
		},
		{
			id: "asa-fips", kind: Problem, on: []string{asa}, parts: []string{"Trustpoint CA certificate is not FIPS compliant."}, Ground: asaThread,
			meaning: "in FIPS mode the ASA refuses this root",
			causes:  by{"": list(note(asaThread, "it is signed with SHA-1, as QuoVadis Root CA 2 is"), note(unverified(), "or with MD5, or its RSA key has under 2048 bits"))},
			checks:  by{"": list(note(inferred("it reads the same field"), "trustpool inspect FILE --filter algorithm:sha1"))},
			fixes:   by{"": list(note(asaThread, "import the intermediate below it that is signed with SHA-256: for tools.cisco.com in 2018 that was HydrantID SSL ICA G2"))},
		},
		{
			id: "asa-saving", kind: Problem, on: []string{asa}, parts: []string{"% Error in saving certificate: status = FAIL"}, Ground: asaThread,
			meaning: "the certificate was not installed; the line before says why",
			causes:  by{"": list(note(asaThread, "in FIPS mode: it is not compliant"))},
			checks:  by{"": list(note(unverified(), "show fips status, or show running-config fips"))},
			fixes:   by{"": list(note(asaThread, "in FIPS mode: import the intermediate below it that is signed with SHA-256"))},
		},
	}
}

package explain

import "trustpool/internal/device"

// What several reasons have in common.
var (
	rootText = "the device lacks the root of Cisco's servers: IdenTrust Commercial Root CA 1 since QuoVadis Root CA 2 ended"

	// separate are checks that tell apart what a failed connection may come from.
	separate = by{
		iosxe: list(
			note(unverified(), "name: ping the server by its name, in the VRF that is used; show running-config | include name-server|domain lookup"),
			note(unverified(), "route: telnet SERVER 443 /source-interface INTERFACE; show running-config | include ip http client source-interface"),
			note(unverified(), "proxy: show running-config | include proxy: is there one, and does it let the request pass unchanged"),
			note(unverified(), "time: show clock detail, show ntp status"),
			note(confirmed(sourceCUBE), "trust: show crypto pki trustpool | include the root that the server needs; trustpool reach tells which"),
		),
		iosxr: list(
			note(unverified(), "name: ping the server by its name, in the VRF that is used; show running-config domain"),
			note(confirmed("YANG models of IOS XR, http client and crypto ca"), "route and proxy: show running-config http client, show running-config crypto ca: vrf, source-interface, http-proxy"),
			note(unverified(), "time: show clock, show ntp status"),
			note(confirmed(sourceXR), "trust: show crypto ca trustpool: is the root there that the server needs; trustpool reach tells which"),
		),
		asa: list(
			note(unverified(), "name: ping the server by its name; show running-config dns"),
			note(unverified(), "route: ping tcp SERVER 443; show route"),
			note(unverified(), "proxy: show running-config call-home: http-proxy"),
			note(unverified(), "time: show clock detail"),
			note(confirmed(sourceASA), "trust: sh run all crypto ca trustpool, show license registration"),
		),
		ftd: list(note(unverified(), "name, route, proxy, time: the same tests from the management interface; trust: the certificates that FMC or FDM manages")),
		nxos: list(
			note(unverified(), "name: ping the server by its name, in the VRF that is used; show hosts"),
			note(unverified(), "route: telnet SERVER 443 vrf VRF"),
			note(confirmed(sourceNXOS), "proxy and VRF: show crypto ca trustpool policy"),
			note(unverified(), "time: show clock, show ntp peer-status"),
			note(confirmed(sourceNXOS), "trust: show crypto ca trustpool"),
		),
		fxos: list(note(confirmed(sourceASA), "show license all: Failure reason"), note(unverified(), "name, route, time: ping from connect local-mgmt; show clock, show ntp")),
	}

	importRoot = by{
		iosxe: list(
			note(confirmed(sourceXE), "crypto pki trustpool import url URL, with Cisco's bundle; or crypto pki trustpool import terminal, with IdenTrust Commercial Root CA 1 alone; then write memory"),
			note(confirmed(sourceXE), "in SD-WAN mode, which has no import: a trustpoint file bootflash:NAME.ca, enrollment url bootflash:, its fingerprint, crypto pki authenticate"),
		),
		iosxr: list(
			note(confirmed(sourceXR), "crypto ca trustpool import url http://www.cisco.com/security/pki/trs/ios.p7b, or the same from a web server of yours, or from /tmp"),
			note(confirmed(sourceXR), "then license smart renew auth, and show license status"),
		),
		asa: list(
			note(confirmed(sourceASA), "crypto ca trustpool import url http://www.cisco.com/security/pki/trs/ios_core.p7b; not in multiple context mode"),
			note(confirmed(sourceASA), "or a trustpoint with the root: crypto ca trustpoint NAME, enrollment terminal, crl configure, crypto ca authenticate NAME"),
		),
		fxos: list(note(confirmed(sourceASA), "scope security, create trustpoint NAME, set certchain, the root as PEM, ENDOFBUF, commit-buffer; trustpool config --platform fxos --pem FILE writes the lines")),
	}
)

// doByReason is the fix of what a check has to find first.
func doByReason() by {
	return by{"": list(note(inferred("the reason leaves several causes"), "what the checks find; a bundle is to be imported if the root is missing, and not before"))}
}

// unknownReason is that of a message whose cause no source gives.
func unknownReason(none bool) *reason {
	text := "reason not known"
	if none {
		text = "reason not known: the message gives none"
	}
	return &reason{
		causes: by{"": list(note(device.Ground{Basis: device.Unverified, Source: "no source was found for this reason"}, text))},
		checks: separate, fixes: doByReason(),
	}
}

// words is the ground of what a reason says by itself.
var words = inferred("the words of the reason")

// reasons are those that sources show. The first that fits is taken.
func reasons() []reason {
	return []reason{
		// The field notices' case: the root.
		{
			texts: []string{"Fail to send out Call Home HTTP message"}, on: []string{iosxe, iosxr}, cssm: true, Ground: confirmed(sourceXR + " and FN72323"),
			meaning: "an HTTPS request of Call Home failed",
			causes: by{
				iosxe: list(note(confirmed(sourceXE), rootText)),
				iosxr: list(note(confirmed(sourceXR), rootText)),
				"":    list(note(inferred("the text names no certificate"), "or it cannot reach the server at all: address, name, route, VRF, proxy")),
			},
			checks: separate, fixes: importRoot,
		},
		{
			texts: []string{"Communication message send response error"}, on: []string{asa}, Ground: confirmed(sourceASA),
			meaning: "the ASA could not talk to Smart Licensing",
			causes:  by{"": list(note(confirmed(sourceASA), "the device does not trust the server's new root (CSCvm80874): QuoVadis Root CA 2 in 2018, IdenTrust Commercial Root CA 1 since 2021"))},
			checks:  by{asa: list(note(confirmed(sourceASA), "show license registration; sh run all crypto ca trustpool"))}, fixes: importRoot,
		},
		{
			texts: []string{"Failed to authenticate server"}, on: []string{fxos}, Ground: confirmed(sourceASA),
			meaning: "Smart Licensing does not trust the server (CSCvm81014)",
			causes:  by{"": list(note(confirmed(sourceASA), "the chassis lacks the server's root: QuoVadis Root CA 2 in 2018"), note(inferred(sourceXE), "IdenTrust Commercial Root CA 1 since 2021"))},
			checks:  by{fxos: list(note(confirmed(sourceASA), "show license all: Failure reason"))}, fixes: importRoot,
		},
		{
			texts: []string{"Peer certificate verification failed - no trusted cert"}, whole: true, on: []string{iosxr}, Ground: confirmed(sourceXR),
			meaning: "no root for it is in the trustpool",
			causes:  by{"": list(note(confirmed(sourceXR), rootText))}, checks: separate, fixes: importRoot,
		},
		{
			texts: []string{"ERR 205"}, on: []string{iosxe}, open: true, cssm: true, Ground: confirmed(sourceXE), meaning: "the request was aborted",
			causes: by{"": list(note(confirmed(sourceXE), rootText), note(inferred("the text names no certificate"), "or it cannot reach the server at all: address, name, route, VRF, proxy"))},
			checks: separate, fixes: importRoot,
		},
		{
			texts: []string{"ERR 207"}, on: []string{iosxe}, open: true, cssm: true, Ground: confirmed(sourceXE), meaning: "the connection timed out",
			causes: by{"": list(note(inferred("the words Connection time out"), "the server cannot be reached: address, name, route, VRF, proxy"), note(confirmed(sourceXE), rootText))},
			checks: separate, fixes: importRoot,
		},
		// A certificate that was not accepted, and the text does not say why.
		{
			texts: []string{
				"Server authentication failed, SSL peer certificate or SSH remote key was not OK", "SSL peer certificate or SSH remote key was not OK",
				"Cannot establish secure connection because server TLS cert cannot be validated", "Failed to authenticate server",
				"Peer certificate cannot be authenticated with given CA certificates",
			},
			Ground: confirmed(sourceLogs), meaning: "the device did not accept the server's certificate",
			causes: by{"": list(note(words, "the check of the server's certificate failed; the text does not say at what: the checks tell time, a proxy's certificate and trust apart"))},
			checks: separate, fixes: doByReason(),
		},
		// Names, servers and settings.
		{
			texts: []string{"Unable to resolve server hostname/domain name", "Couldn't resolve host name", "Could not resolve host", "Couldn't resolve proxy name", "Could not resolve proxy"},
			open:  true, Ground: confirmed(sourceLogs), meaning: "a name could not be resolved",
			causes: by{"": list(note(words, "DNS: no name server is set or reached, in the VRF that is used, or it does not know the name"))},
			checks: by{
				iosxe: separate[iosxe][:1], iosxr: separate[iosxr][:1], asa: separate[asa][:1], nxos: separate[nxos][:1], fxos: separate[fxos][1:], ftd: separate[ftd],
			},
			fixes: by{"": list(note(words, "a name server that knows the name, in that VRF; certificates have no part in it"))},
		},
		{
			texts: []string{"HTTP Server Error "}, open: true, Ground: confirmed(sourceLogs), meaning: "a server answered with an error",
			causes: by{"": list(note(words, "the server, or a proxy or gateway before it, answered with this status: the connection was made, and whether its certificate was accepted by the device is not in question"))},
			checks: by{"": list(
				note(inferred("the status comes from what answered"), "whether a proxy, a gateway or SSM On-Prem is between, and what its log says"),
				note(inferred("the status comes from what answered"), "the same URL from a host in the same network"),
			)},
			fixes: by{"": list(note(words, "mend what answered, or go around it; certificates on the device have no part in it"))},
		},
		{
			texts: []string{"The action failed because smart license transport is disabled in call-home", "Smart license transport is disabled"},
			whole: true, Ground: confirmed(sourceLogs), meaning: "the transport is switched off in the configuration",
			causes: by{"": list(note(words, "Call Home is not set to send for Smart Licensing"))},
			checks: by{"": list(note(unverified(), "show running-config | section call-home; show license status: Transport"))},
			fixes:  by{"": list(note(unverified(), "in call-home, the profile of Smart Licensing: destination transport-method http, active; or license smart transport"))},
		},
		{
			texts: []string{"Couldn't connect to server", "Failed to connect to", "Timeout was reached", "Connection timed out", "Connection refused", "No route to host", "Network is unreachable"},
			open:  true, Ground: inferred("texts of libcurl and of sockets"), meaning: "no connection was made",
			causes: by{"": list(note(words, "route, VRF, source address, access list, firewall or proxy: the server was not reached, so its certificate was not seen"))},
			checks: separate, fixes: doByReason(),
		},
		// What says nothing.
		{
			texts: []string{"Communications init failure"}, Ground: confirmed(sourceLogs), meaning: "communication could not be started",
			causes: by{"": list(note(inferred("seen in logs of devices that start"), "seen while a device starts; if it stays, the text does not say why"))}, checks: separate, fixes: doByReason(),
		},
		{
			texts: []string{"Communications failure"}, Ground: confirmed(sourceLogs), meaning: "the text says no more than that",
			causes: by{"": list(note(words, "the reason is not specific"))}, checks: separate, fixes: doByReason(),
		},
		{
			texts: []string{"Fail to send out Call Home HTTP message", "Communication message send response error", "Communication message send error"}, Ground: confirmed(sourceLogs), meaning: "a request failed",
			causes: by{"": list(note(words, "the text does not say why"))}, checks: separate, fixes: doByReason(),
		},
		// IOS PKI
		{
			texts: []string{"Enrollment URL not configured"}, on: []string{iosxe}, Ground: confirmed(sourceLogs), meaning: "the trustpoint has no URL to ask",
			causes: by{"": list(note(words, "the list is fetched through the trustpoint, which has no enrollment url"))},
			checks: by{"": list(note(unverified(), "show running-config | section crypto pki trustpoint: revocation-check, enrollment url"))},
			fixes:  by{"": list(note(unverified(), "revocation-check none in the trustpoint, if no list is to be checked; else enrollment url URL"))},
		},
		// ASA 717009
		{
			texts: []string{"No suitable trustpoints found to validate certificate"}, on: []string{asa, ftd}, open: true, Ground: confirmed(sourceSyslog), meaning: "no CA that issued it is known",
			causes: by{"": list(note(confirmed(sourceSyslog), "no trustpoint is there to validate it with: the CA that the message names as issuer, or its root, is neither in a trustpoint nor in the trustpool"))},
			checks: by{
				asa: list(note(unverified(), "show crypto ca trustpool and show crypto ca certificates: is the issuer of the message there"), note(inferred("it looks for the same names"), "trustpool inspect BUNDLE --filter subject:NAME, with the name of that issuer")),
				ftd: list(note(unverified(), "the trusted CAs in FMC or FDM: is the issuer of the message there")),
			},
			fixes: by{asa: list(
				note(confirmed(sourceASA), "for Cisco's servers: crypto ca trustpool import url http://www.cisco.com/security/pki/trs/ios_core.p7b"),
				note(confirmed(sourceASA), "or a trustpoint with that CA: crypto ca trustpoint NAME, enrollment terminal, crl configure, crypto ca authenticate NAME"),
			), ftd: list(note(unverified(), "add the CA as a trusted one in FMC or FDM"))},
		},
	}
}

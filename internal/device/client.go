package device

import "strings"

// A Client is a program on a device that fetches over HTTP, as servers see it.
type Client struct {
	Name string
	// UserAgent is the header that it sends; empty if that is not known.
	UserAgent string
	Ground
}

// The clients that fetch trust bundles, or the lists and certificates around them.
var (
	// FileClient is the file system of IOS and IOS XE, which copies from URLs.
	FileClient = Client{"IOS/IOS XE file client", "cisco-IOS",
		Ground{Confirmed, "public packet captures, and server logs of 2025 and 2026; that trustpool import uses this client is inferred from the lines it prints"}}
	// PKIClient is what IOS enrols and fetches revocation lists with.
	PKIClient = Client{"IOS PKI client", "Mozilla/4.0 (compatible; MSIE 5.0; Cisco PKI)",
		Ground{Confirmed, "public debug logs of SCEP enrolment: GET with HTTP/1.0"}}
	// XRClient is libcurl in IOS XR. No public source shows its User-Agent.
	XRClient = Client{"perhaps IOS XR", "",
		Ground{Inferred, "YANG model Cisco-IOS-XR-um-http-client-cfg: libcurl chooses the version of HTTP; its User-Agent is not known"}}
	voiceClient = Client{"IOS voice browser", "",
		Ground{Confirmed, "public logs: Cisco-IOS-MODEL/RELEASE; it fetches scripts and prompts"}}
)

// LookupClient names the client that sends a User-Agent; it is false for one that
// is not that of a device, as far as is known.
func LookupClient(userAgent string) (Client, bool) {
	switch {
	case userAgent == FileClient.UserAgent:
		return FileClient, true
	case strings.Contains(userAgent, "Cisco PKI"):
		return PKIClient, true
	case strings.HasPrefix(userAgent, "Cisco-IOS-"):
		return voiceClient, true
	case strings.Contains(strings.ToLower(userAgent), "libcurl"):
		return XRClient, true
	}
	return Client{}, false
}

package reach

import "trustpool/internal/path"

// A Reason is a stable slug that says which rule refused a server. Those on paths
// are of package path.
type Reason = path.Reason

// Reasons of this package.
const (
	HostName        Reason = "host-name"          // the server's certificate is not for that host (RFC 9525 section 6); a doubt if there are only CA certificates, none of which is shown to be for it
	HostCommonName  Reason = "host-common-name"   // only the common name of the server's certificate has the host (RFC 9525 section 6.3); a doubt
	HostWildcard    Reason = "host-wildcard"      // only a wildcard for a whole top-level domain, such as `*.example`, has the host, or one beside a character such as _; OpenSSL refuses it; a doubt
	ServerPurpose   Reason = "server-purpose"     // the extended key usage of the server's certificate does not have serverAuth (RFC 5280 section 4.2.1.12); a doubt if it is only a Netscape certificate type
	ServerKeyUsage  Reason = "server-key-usage"   // the server's key usage has nothing that TLS does with such a key: to sign, with RSA to encipher, with a curve to agree on keys (RFC 5246 section 7.4.2); a doubt
	NamesUnreadable Reason = "names-unreadable"   // the alternative names of the server's certificate cannot be read
	AnchorNotAtHand Reason = "anchor-not-at-hand" // the device has a certificate with the issuer's name, but only names or a fingerprint of it are known; a doubt
)

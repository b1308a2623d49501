package reach

import "trustpool/signing"

// A Reason is a stable slug that says which rule refused a server. Those on
// chains are signing's, and mean the same.
type Reason = signing.Reason

// Reasons of this package.
const (
	HostName          Reason = "host-name"          // the server's certificate is not for that host (RFC 9525 section 6)
	HostCommonName    Reason = "host-common-name"   // only the common name has the host, which RFC 9525 section 6.3 forbids to use
	ServerPurpose     Reason = "server-purpose"     // its extended key usage lacks serverAuth (RFC 5280 section 4.2.1.12)
	ServerKeyUsage    Reason = "server-key-usage"   // its key usage has nothing that TLS uses (RFC 5280 section 4.2.1.12)
	NamesUnreadable   Reason = "names-unreadable"   // its subjectAltName cannot be read
	AnchorDates       Reason = "anchor-dates"       // the anchor is expired or not yet valid; RFC 5280 does not ask, OpenSSL does
	AnchorUnreadable  Reason = "anchor-unreadable"  // the anchor has a field that cannot be read
	AnchorNotAtHand   Reason = "anchor-not-at-hand" // the device has a certificate of the issuer's name, of which only names or a fingerprint are known
	NameEncoding      Reason = "name-encoding"      // issuer and subject are the same but for letter case or the type of a string
	NameConstraint    Reason = "name-constraint"    // a name lies outside what an issuer permits (RFC 5280 section 4.2.1.10)
	ConstraintUnknown Reason = "constraint-unknown" // a name constraint of a form that is not evaluated here
)

package reach

import "trustpool/signing"

// A Reason is a stable slug that says which rule refused a server. Those on
// chains are signing's, and mean the same.
type Reason = signing.Reason

// Reasons of this package.
const (
	HostName            Reason = "host-name"            // the server's certificate is not for that host (RFC 9525 section 6)
	HostCommonName      Reason = "host-common-name"     // only the common name of the server's certificate has the host (RFC 9525 section 6.3); a doubt
	HostWildcard        Reason = "host-wildcard"        // only a wildcard for a whole top-level domain, such as `*.example`, has the host; OpenSSL refuses it; a doubt
	AnyPurpose          Reason = "any-purpose"          // extended key usage, of the server or an issuer, allows servers by anyExtendedKeyUsage alone, which may be refused (RFC 5280 section 4.2.1.12), and OpenSSL does; a doubt
	ServerPurpose       Reason = "server-purpose"       // the server's extended key usage does not have serverAuth (RFC 5280 section 4.2.1.12)
	ServerKeyUsage      Reason = "server-key-usage"     // the server's key usage has nothing that TLS uses (RFC 5280 section 4.2.1.12)
	NamesUnreadable     Reason = "names-unreadable"     // the alternative names of the server's certificate cannot be read
	ExtensionUnreadable Reason = "extension-unreadable" // alternative names of a CA, or a key identifier, cannot be read: no rule here needs them, and OpenSSL refuses the certificate; a doubt
	AnchorDates         Reason = "anchor-dates"         // the anchor has expired or is not yet valid. RFC 5280 section 6.1 does not ask, OpenSSL does; a doubt
	AnchorUnreadable    Reason = "anchor-unreadable"    // the anchor has a field that cannot be read; a doubt
	AnchorNotCA         Reason = "anchor-not-ca"        // the anchor is not marked as a CA, and is not a self-issued certificate of version 1. RFC 5280 section 6.1 does not ask, OpenSSL does; a doubt
	AnchorNotAtHand     Reason = "anchor-not-at-hand"   // the device has a certificate of the issuer's name of which only names or a fingerprint are known; a doubt
	NameEncoding        Reason = "name-encoding"        // issuer and subject differ in letter case, spaces or the type of a string (RFC 5280 section 7.1); a doubt
	KeyIdentifier       Reason = "key-identifier"       // an authority key identifier is not that of the certificate whose key signed (RFC 5280 section 4.2.1.1 does not ask, OpenSSL does); a doubt
	PolicyConstraints   Reason = "policy-constraints"   // policy constraints (RFC 5280 section 4.2.1.11), which are not evaluated; a doubt
	NameConstraint      Reason = "name-constraint"      // a name is outside what an issuer permits (RFC 5280 section 4.2.1.10)
	ConstraintUnknown   Reason = "constraint-unknown"   // name constraints that are not evaluated: forms other than DNS names and addresses, or a distinguished name in other bytes, or too many to compare; a doubt
)

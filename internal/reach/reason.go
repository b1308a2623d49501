package reach

import "trustpool/signing"

// A Reason is a stable slug that says which rule refused a server. Those on
// chains are signing's, and mean the same.
type Reason = signing.Reason

// Reasons of this package.
const (
	HostName            Reason = "host-name"            // the server's certificate is not for that host (RFC 9525 section 6)
	HostCommonName      Reason = "host-common-name"     // only the common name has the host, which RFC 9525 section 6.3 forbids to use
	HostWildcard        Reason = "host-wildcard"        // only a wildcard for a whole top-level domain has the host, which OpenSSL refuses
	AnyPurpose          Reason = "any-purpose"          // extended key usage allows servers by anyExtendedKeyUsage alone, which may be refused (RFC 5280 section 4.2.1.12)
	ServerPurpose       Reason = "server-purpose"       // its extended key usage lacks serverAuth (RFC 5280 section 4.2.1.12)
	ServerKeyUsage      Reason = "server-key-usage"     // its key usage has nothing that TLS uses (RFC 5280 section 4.2.1.12)
	NamesUnreadable     Reason = "names-unreadable"     // its subjectAltName cannot be read
	ExtensionUnreadable Reason = "extension-unreadable" // an extension that no rule here needs cannot be read
	AnchorDates         Reason = "anchor-dates"         // the anchor is expired or not yet valid; RFC 5280 does not ask, OpenSSL does
	AnchorUnreadable    Reason = "anchor-unreadable"    // the anchor has a field that cannot be read
	AnchorNotCA         Reason = "anchor-not-ca"        // the anchor is not marked as a CA, and no self-issued one of version 1; RFC 5280 does not ask, others do
	AnchorNotAtHand     Reason = "anchor-not-at-hand"   // the device has a certificate of the issuer's name, of which only names or a fingerprint are known
	NameEncoding        Reason = "name-encoding"        // issuer and subject are the same but for letter case or the type of a string
	KeyIdentifier       Reason = "key-identifier"       // an authorityKeyIdentifier is not that of the certificate whose key signed (RFC 5280 section 4.2.1.1)
	PolicyConstraints   Reason = "policy-constraints"   // policy constraints (RFC 5280 section 4.2.1.11), which are not evaluated here
	NameConstraint      Reason = "name-constraint"      // a name lies outside what an issuer permits (RFC 5280 section 4.2.1.10)
	ConstraintUnknown   Reason = "constraint-unknown"   // a name constraint of a form that is not evaluated here
)

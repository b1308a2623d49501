package path

// A Reason is a stable slug that says which rule refused a path, or is in doubt.
type Reason string

// Reasons of paths.
const (
	NoAnchor          Reason = "chain-no-anchor"             // no path leads to an anchor: for signers a certificate with a pinned SHA-256, for servers one of the pool
	Signature         Reason = "chain-signature"             // a certificate is not signed by its issuer's key (RFC 5280 section 6.1.3)
	SHA1Signed        Reason = "chain-sha1"                  // a certificate is signed with SHA-1, and the anchor does not tolerate it; for servers a doubt, unless `--sha1` says what to do
	Weak              Reason = "chain-weak"                  // a certificate is signed with MD5 or MD2
	Unsupported       Reason = "chain-algorithm-unsupported" // a signature or a key is of a kind that is not judged here, or a key malformed: DSA, RSASSA-PSS keys, RSASSA-PSS with SHA-1, RSA under 1024 bits, parameters of ECDSA or Ed25519 and others; a doubt
	ExplicitCurve     Reason = "chain-explicit-curve"        // a key, the server's own included, is on a curve that is written out instead of named (RFC 5480 section 2.1.1)
	Expired           Reason = "chain-expired"               // a certificate has expired (RFC 5280 section 6.1.3); it is valid until its last second ends
	NotYetValid       Reason = "chain-not-yet-valid"         // a certificate is not valid yet (RFC 5280 section 6.1.3)
	NotCA             Reason = "chain-not-ca"                // an issuer is not marked as a CA (RFC 5280 section 4.2.1.9)
	KeyUsage          Reason = "chain-key-usage"             // an issuer's key usage does not have keyCertSign (RFC 5280 section 4.2.1.3)
	PathLength        Reason = "chain-path-length"           // more intermediates than an issuer allows below it (RFC 5280 section 4.2.1.9)
	CriticalExtension Reason = "chain-critical-extension"    // a critical extension that is not processed (RFC 5280 section 4.2), authorityKeyIdentifier, subjectKeyIdentifier and issuerAltName among them; in the anchor of a server a doubt
	NameConstraint    Reason = "chain-name-constraints"      // a name is outside what an issuer permits (RFC 5280 section 4.2.1.10); a doubt if it is a common name that is taken for a host, or if OpenSSL gives up because the names are too many
	Purpose           Reason = "chain-purpose"               // the extended key usage of an issuer excludes the purpose
	Unreadable        Reason = "chain-unreadable"            // a field that the rules need cannot be read
	PolicyMalformed   Reason = "chain-policy"                // extensions about policies cannot be read, have a critical qualifier that is not processed, or map anyPolicy (RFC 5280 sections 4.2.1.4, 6.1.4)
	TooComplex        Reason = "chain-too-complex"           // more signatures, names or ways to go than a run allows, which is in proportion to its input; a doubt

	ExtensionUnreadable Reason = "extension-unreadable" // an alternative name or a key identifier cannot be read, an alternative name is not ASCII, there is none in the extension, or an extension is not in DER: RFC 5280 does not need it here, and others refuse the certificate; a doubt
	FractionalTime      Reason = "fractional-time"      // a date with fractional seconds, which RFC 5280 section 4.1.2.5.2 forbids and OpenSSL refuses; a doubt
	KeyIdentifier       Reason = "key-identifier"       // an authority key identifier is not that of the certificate with the key that signed (RFC 5280 section 4.2.1.1 does not ask, OpenSSL does); a doubt
	NameEncoding        Reason = "name-encoding"        // issuer and subject are the same by RFC 5280 section 7.1, and not by OpenSSL, which folds ASCII alone; a doubt
	PolicyConstraints   Reason = "policy-constraints"   // an explicit policy is demanded (RFC 5280 section 4.2.1.11), and what devices take for their policies is not known; a doubt
	ConstraintUnknown   Reason = "constraint-unknown"   // name constraints that cannot be read, one that is malformed, or one that is not evaluated for a name; a doubt
)

// Reasons that are doubts about servers alone.
const (
	AnyPurpose       Reason = "any-purpose"       // extended key usage, of the server or an issuer, allows servers by anyExtendedKeyUsage alone, which may be refused (RFC 5280 section 4.2.1.12), and OpenSSL does; a doubt about servers alone
	AnchorDates      Reason = "anchor-dates"      // the anchor has expired or is not yet valid. RFC 5280 section 6.1 does not ask, OpenSSL does; a doubt about servers alone
	AnchorUnreadable Reason = "anchor-unreadable" // the anchor has a field that cannot be read; a doubt about servers alone
	AnchorNotCA      Reason = "anchor-not-ca"     // the anchor is not marked as a CA, and is not a self-issued certificate of version 1. RFC 5280 section 6.1 does not ask, OpenSSL does; a doubt about servers alone
)

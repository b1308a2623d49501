package signing

// A Reason is a stable slug that says which rule refused a bundle.
type Reason string

// Reasons that concern the message as a whole.
const (
	NotSigned           Reason = "not-signed"             // there is no signature at all
	PoolNotCovered      Reason = "pool-not-covered"       // the certificates stand in the outer message, which no signature covers
	NoSigners           Reason = "no-signers"             // a signed message without a SignerInfo
	ContentTypeNotData  Reason = "content-type-not-data"  // eContentType is not id-data, as Cisco's is (RFC 5652 section 4)
	ContentNotCertsOnly Reason = "content-not-certs-only" // the signed content is no certs-only message (RFC 8551 section 3.8)
	SignersDisagree     Reason = "signers-disagree"       // two good signers give different names or versions
)

// Reasons that concern one SignerInfo.
const (
	NoSignedAttributes       Reason = "no-signed-attributes"            // RFC 5652 section 5.3; without them a signature can be moved to other content
	AttributesNotDER         Reason = "attributes-not-der"              // signed attributes that are not DER, or not in its order (RFC 5652 section 5.3)
	ContentTypeMissing       Reason = "content-type-missing"            // RFC 5652 section 11.1
	ContentTypeDoubled       Reason = "content-type-doubled"            // two attributes, or not one value (RFC 5652 section 11.1)
	ContentTypeDiffers       Reason = "content-type-differs"            // from eContentType (RFC 5652 section 11.1)
	ContentTypeUnsigned      Reason = "content-type-unsigned"           // as an unsigned attribute, beside a signed one or not (RFC 5652 section 11.1)
	DigestMissing            Reason = "message-digest-missing"          // RFC 5652 section 11.2
	DigestDoubled            Reason = "message-digest-doubled"          // two attributes, or not one value (RFC 5652 section 11.2)
	DigestDiffers            Reason = "message-digest-differs"          // the content is not what was signed (RFC 5652 section 5.6)
	DigestUnsigned           Reason = "message-digest-unsigned"         // as an unsigned attribute (RFC 5652 section 11.2)
	SigningTimeDoubled       Reason = "signing-time-doubled"            // RFC 5652 section 11.3
	SigningTimeMalformed     Reason = "signing-time-malformed"          // RFC 5652 section 11.3
	SigningTimeUnsigned      Reason = "signing-time-unsigned"           // as an unsigned attribute (RFC 5652 section 11.3)
	NameMalformed            Reason = "name-malformed"                  // Cisco's name attribute: twice, not one value, or no string
	VersionMalformed         Reason = "version-malformed"               // Cisco's version attribute: twice, not one value, or no string
	DigestWeak               Reason = "digest-weak"                     // SHA-1 or MD5 as the message's digest
	DigestUnsupported        Reason = "digest-unsupported"              // neither SHA-256, SHA-384 nor SHA-512
	DigestNotListed          Reason = "digest-not-listed"               // not among the message's digestAlgorithms (RFC 5652 section 5.1)
	SignatureHashDiffers     Reason = "signature-hash-differs"          // the signature algorithm names another hash than digestAlgorithm
	SignatureUnsupported     Reason = "signature-algorithm-unsupported" // not RSA, PSS, ECDSA or Ed25519, or not with such a key
	SignatureInvalid         Reason = "signature-invalid"               // the signature is not that of the signer's key
	SignerCertificateMissing Reason = "signer-certificate-missing"      // the message does not hold the signer's certificate
	SignerPurpose            Reason = "signer-purpose"                  // its extended key usage allows no signing of bundles
	SignerKeyUsage           Reason = "signer-key-usage"                // neither digitalSignature nor nonRepudiation (RFC 5280 section 4.2.1.3)
)

// Reasons that concern the chain from the signer to an anchor (RFC 5280
// section 6.1).
const (
	ChainNoAnchor          Reason = "chain-no-anchor"             // it leads to no certificate whose SHA-256 is pinned
	ChainSignature         Reason = "chain-signature"             // a certificate is not signed by its issuer's key
	ChainSHA1              Reason = "chain-sha1"                  // a certificate signed with SHA-1 under an anchor that does not tolerate it
	ChainWeak              Reason = "chain-weak"                  // a certificate signed with MD5 or MD2
	ChainUnsupported       Reason = "chain-algorithm-unsupported" // a certificate signed with an algorithm that is not known here
	ChainExpired           Reason = "chain-expired"
	ChainNotYetValid       Reason = "chain-not-yet-valid"
	ChainNotCA             Reason = "chain-not-ca"             // an issuer that basicConstraints does not mark as a CA (RFC 5280 section 4.2.1.9)
	ChainKeyUsage          Reason = "chain-key-usage"          // an issuer without keyCertSign (RFC 5280 section 4.2.1.3)
	ChainPathLength        Reason = "chain-path-length"        // more certificates below an issuer than it allows
	ChainCriticalExtension Reason = "chain-critical-extension" // a critical extension that is not understood (RFC 5280 section 4.2)
	ChainNameConstraints   Reason = "chain-name-constraints"   // name constraints are not evaluated, so no chain with them passes
	ChainPurpose           Reason = "chain-purpose"            // an intermediate whose extended key usage excludes the signer's
	ChainUnreadable        Reason = "chain-unreadable"         // a certificate with a field that the rules need and that cannot be read
	ChainTooComplex        Reason = "chain-too-complex"        // more signatures to try than a genuine message could need
)

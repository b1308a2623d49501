package signing

// A Reason is a stable slug that says which rule refused a bundle.
type Reason string

// Reasons that concern the message as a whole.
const (
	NotSigned           Reason = "not-signed"             // the file has no signature at all
	PoolNotCovered      Reason = "pool-not-covered"       // the message has no content: its certificates are beside the signature, which does not cover them
	NoSigners           Reason = "no-signers"             // a signed message without a signer (SignerInfo)
	ContentTypeNotData  Reason = "content-type-not-data"  // the type of the content is not id-data, as it is in Cisco's files (RFC 5652 section 4)
	ContentNotCertsOnly Reason = "content-not-certs-only" // what was signed is not a certs-only message (RFC 8551 section 3.8)
	SignersDisagree     Reason = "signers-disagree"       // two good signers give the bundle different names or versions
)

// Reasons that concern one SignerInfo.
const (
	NoSignedAttributes       Reason = "no-signed-attributes"            // there are no signed attributes: without them a signature can be moved to other content (RFC 5652 section 5.3)
	AttributesNotDER         Reason = "attributes-not-der"              // the signed attributes are not in DER, or not in the order of DER (RFC 5652 section 5.3)
	ContentTypeMissing       Reason = "content-type-missing"            // no contentType among the signed attributes (RFC 5652 section 11.1)
	ContentTypeDoubled       Reason = "content-type-doubled"            // two contentType attributes, or one without exactly one value (RFC 5652 section 11.1)
	ContentTypeDiffers       Reason = "content-type-differs"            // the contentType attribute is not the type of the content (RFC 5652 section 11.1)
	ContentTypeUnsigned      Reason = "content-type-unsigned"           // a contentType among the unsigned attributes (RFC 5652 section 11.1)
	DigestMissing            Reason = "message-digest-missing"          // no messageDigest among the signed attributes (RFC 5652 section 11.2)
	DigestDoubled            Reason = "message-digest-doubled"          // two messageDigest attributes, or one without exactly one value (RFC 5652 section 11.2)
	DigestDiffers            Reason = "message-digest-differs"          // the content is not what was signed (RFC 5652 section 5.6)
	DigestUnsigned           Reason = "message-digest-unsigned"         // a messageDigest among the unsigned attributes (RFC 5652 section 11.2)
	SigningTimeDoubled       Reason = "signing-time-doubled"            // two signingTime attributes, or one without exactly one value (RFC 5652 section 11.3)
	SigningTimeMalformed     Reason = "signing-time-malformed"          // the value of signingTime is not such a time (RFC 5652 section 11.3)
	SigningTimeUnsigned      Reason = "signing-time-unsigned"           // a signingTime among the unsigned attributes (RFC 5652 section 11.3)
	NameMalformed            Reason = "name-malformed"                  // Cisco's name attribute is there twice, does not have exactly one value, or is not a string
	VersionMalformed         Reason = "version-malformed"               // Cisco's version attribute is there twice, does not have exactly one value, or is not a string
	DigestWeak               Reason = "digest-weak"                     // the digest of the message is SHA-1, MD5 or MD2
	DigestUnsupported        Reason = "digest-unsupported"              // the digest of the message is not SHA-256, SHA-384 or SHA-512
	DigestNotListed          Reason = "digest-not-listed"               // the digest is not among the digestAlgorithms of the message (RFC 5652 section 5.1)
	SignatureHashDiffers     Reason = "signature-hash-differs"          // the signature algorithm names another hash than the digest
	SignatureUnsupported     Reason = "signature-algorithm-unsupported" // the signature is not RSA, RSASSA-PSS, ECDSA or Ed25519, or the key is of another kind
	SignatureInvalid         Reason = "signature-invalid"               // the signature was not made with the signer's key
	SignerCertificateMissing Reason = "signer-certificate-missing"      // the message does not hold the signer's certificate
	SignerPurpose            Reason = "signer-purpose"                  // the signer's extended key usage does not allow it to sign bundles: it has neither of Cisco's two OIDs, nor emailProtection, codeSigning or anyExtendedKeyUsage
	SignerKeyUsage           Reason = "signer-key-usage"                // the signer's key usage has neither digitalSignature nor nonRepudiation (RFC 5280 section 4.2.1.3)
)

// Reasons that concern the chain from the signer to an anchor (RFC 5280
// section 6.1).
const (
	ChainNoAnchor          Reason = "chain-no-anchor"             // no chain leads to a certificate with a pinned SHA-256
	ChainSignature         Reason = "chain-signature"             // a certificate is not signed by its issuer's key (RFC 5280 section 6.1.3)
	ChainSHA1              Reason = "chain-sha1"                  // a certificate is signed with SHA-1, and the anchor does not tolerate it
	ChainWeak              Reason = "chain-weak"                  // a certificate is signed with MD5 or MD2
	ChainUnsupported       Reason = "chain-algorithm-unsupported" // a certificate is signed with an algorithm that is not known here
	ChainExpired           Reason = "chain-expired"               // a certificate has expired (RFC 5280 section 6.1.3)
	ChainNotYetValid       Reason = "chain-not-yet-valid"         // a certificate is not valid yet (RFC 5280 section 6.1.3)
	ChainNotCA             Reason = "chain-not-ca"                // an issuer is not marked as a CA (RFC 5280 section 4.2.1.9)
	ChainKeyUsage          Reason = "chain-key-usage"             // an issuer's key usage does not have keyCertSign (RFC 5280 section 4.2.1.3)
	ChainPathLength        Reason = "chain-path-length"           // more intermediates than an issuer allows below it (RFC 5280 section 4.2.1.9)
	ChainCriticalExtension Reason = "chain-critical-extension"    // a critical extension that is not known here (RFC 5280 section 4.2)
	ChainNameConstraints   Reason = "chain-name-constraints"      // name constraints, which are not evaluated (RFC 5280 section 4.2.1.10)
	ChainPurpose           Reason = "chain-purpose"               // an intermediate's extended key usage excludes the signer's
	ChainUnreadable        Reason = "chain-unreadable"            // a field that the rules need cannot be read
	ChainTooComplex        Reason = "chain-too-complex"           // more signatures to try than a genuine message needs
)

package signing

import "trustpool/internal/path"

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

// Reasons that concern the path from the signer's certificate to an anchor (RFC
// 5280 section 6.1); what each means is said in package trustpool/internal/path.
const (
	ChainNoAnchor            = Reason(path.NoAnchor)
	ChainSignature           = Reason(path.Signature)
	ChainSHA1                = Reason(path.SHA1Signed)
	ChainWeak                = Reason(path.Weak)
	ChainUnsupported         = Reason(path.Unsupported)
	ChainExplicitCurve       = Reason(path.ExplicitCurve)
	ChainExpired             = Reason(path.Expired)
	ChainNotYetValid         = Reason(path.NotYetValid)
	ChainNotCA               = Reason(path.NotCA)
	ChainKeyUsage            = Reason(path.KeyUsage)
	ChainPathLength          = Reason(path.PathLength)
	ChainCriticalExtension   = Reason(path.CriticalExtension)
	ChainNameConstraints     = Reason(path.NameConstraint)
	ChainPurpose             = Reason(path.Purpose)
	ChainUnreadable          = Reason(path.Unreadable)
	ChainPolicy              = Reason(path.PolicyMalformed)
	ChainTooComplex          = Reason(path.TooComplex)
	ChainExtensionUnreadable = Reason(path.ExtensionUnreadable)
	ChainFractionalTime      = Reason(path.FractionalTime)
	ChainKeyIdentifier       = Reason(path.KeyIdentifier)
	ChainNameEncoding        = Reason(path.NameEncoding)
	ChainPolicyConstraints   = Reason(path.PolicyConstraints)
	ChainConstraintUnknown   = Reason(path.ConstraintUnknown)
)

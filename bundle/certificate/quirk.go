package certificate

// A Quirk names one way in which a certificate departs from DER, from RFC 5280,
// or from what root programs accept today, and was read anyway.
type Quirk string

// Quirks of genuine certificates. The comment beside each says what is meant and
// where the rule stands.
const (
	QuirkBERFraming             Quirk = "ber-framing"            // lengths, segments, constructed bits or unused bits that are not DER (X.690 sections 10, 11.2); read as its DER
	QuirkTrustSettings          Quirk = "trust-settings"         // OpenSSL's TRUSTED CERTIFICATE: the settings after the certificate were left unread
	QuirkVersion1               Quirk = "version-1"              // X.509 v1 or v2: no extensions, so nothing marks a CA (RFC 5280 section 4.1.2.1)
	QuirkVersionUnknown         Quirk = "version-unknown"        // a version other than 1, 2, 3
	QuirkSerialNegative         Quirk = "serial-negative"        // RFC 5280 section 4.1.2.2
	QuirkSerialZero             Quirk = "serial-zero"            // RFC 5280 section 4.1.2.2
	QuirkSerialLong             Quirk = "serial-long"            // over 20 bytes (RFC 5280 section 4.1.2.2)
	QuirkTimeFraction           Quirk = "time-fraction"          // fractional seconds (RFC 5280 section 4.1.2.5.2)
	QuirkTimeGeneralizedEarly   Quirk = "time-generalized-early" // GeneralizedTime before 2050 (RFC 5280 section 4.1.2.5)
	QuirkTimeNoSeconds          Quirk = "time-no-seconds"        // RFC 5280 section 4.1.2.5.1
	QuirkTimeOffset             Quirk = "time-offset"            // a zone other than Z (RFC 5280 section 4.1.2.5)
	QuirkNotBeforeUnreadable    Quirk = "not-before-unreadable"  // no date can be made of it
	QuirkNotAfterUnreadable     Quirk = "not-after-unreadable"   // no date can be made of it
	QuirkNameEmpty              Quirk = "name-empty"             // an empty subject or issuer (RFC 5280 sections 4.1.2.4, 4.1.2.6)
	QuirkNameT61                Quirk = "name-t61"               // TeletexString, read as Latin-1 (RFC 5280 section 4.1.2.4)
	QuirkNameNotString          Quirk = "name-not-string"        // a value that is no string, such as a BIT STRING
	QuirkNameCharset            Quirk = "name-charset"           // characters that the string's type does not have (X.680 section 41)
	QuirkNameLong               Quirk = "name-long"              // longer than the bounds of RFC 5280 appendix A
	QuirkNameCountry            Quirk = "name-country"           // a country that is not two capitals (ISO 3166)
	QuirkAlgorithmsDiffer       Quirk = "algorithms-differ"      // the algorithm inside the signature and outside (RFC 5280 section 4.1.1.2)
	QuirkSignatureMD5           Quirk = "signature-md5"          // signed with MD5 or MD2
	QuirkSignatureSHA1          Quirk = "signature-sha1"         // signed with SHA-1
	QuirkSignatureBits          Quirk = "signature-bits"         // a signature that is no whole number of bytes (RFC 5280 section 4.1.1.3)
	QuirkPublicKeyUnreadable    Quirk = "public-key-unreadable"  // its algorithm is known, its value is not what that algorithm has
	QuirkRSAShort               Quirk = "rsa-short"              // an RSA modulus under 2048 bits
	QuirkRSAExponent            Quirk = "rsa-exponent"           // an RSA exponent other than 65537
	QuirkExtensionsWithoutV3    Quirk = "extensions-without-v3"  // extensions in v1 or v2, left unread (RFC 5280 section 4.1.2.9)
	QuirkExtensionTwice         Quirk = "extension-twice"        // one extension more than once (RFC 5280 section 4.2): its fields are unreadable
	QuirkExtensionNotDER        Quirk = "extension-not-der"      // an extension's value that is not DER and was read (X.690 sections 10, 11)
	QuirkNoBasicConstraints     Quirk = "no-basic-constraints"   // v3 without basicConstraints: not marked as a CA (RFC 5280 section 4.2.1.9)
	QuirkBasicUnreadable        Quirk = "basic-constraints-unreadable"
	QuirkKeyUsageNotDER         Quirk = "key-usage-not-der" // trailing zero bits, or unused bits set (X.690 section 11.2)
	QuirkKeyUsageUnreadable     Quirk = "key-usage-unreadable"
	QuirkExtKeyUsageUnreadable  Quirk = "ext-key-usage-unreadable"
	QuirkSubjectKeyIDUnreadable Quirk = "subject-key-id-unreadable"
	QuirkAuthKeyIDUnreadable    Quirk = "authority-key-id-unreadable"
	QuirkIntermediate           Quirk = "intermediate" // issued by another name: no root
)

// Quirks are all of them, in the order of a certificate's parts.
func Quirks() []Quirk {
	return []Quirk{
		QuirkBERFraming,
		QuirkTrustSettings,
		QuirkVersion1,
		QuirkVersionUnknown,
		QuirkSerialNegative,
		QuirkSerialZero,
		QuirkSerialLong,
		QuirkTimeFraction,
		QuirkTimeGeneralizedEarly,
		QuirkTimeNoSeconds,
		QuirkTimeOffset,
		QuirkNotBeforeUnreadable,
		QuirkNotAfterUnreadable,
		QuirkNameEmpty,
		QuirkNameT61,
		QuirkNameNotString,
		QuirkNameCharset,
		QuirkNameLong,
		QuirkNameCountry,
		QuirkAlgorithmsDiffer,
		QuirkSignatureMD5,
		QuirkSignatureSHA1,
		QuirkSignatureBits,
		QuirkPublicKeyUnreadable,
		QuirkRSAShort,
		QuirkRSAExponent,
		QuirkExtensionsWithoutV3,
		QuirkExtensionTwice,
		QuirkExtensionNotDER,
		QuirkNoBasicConstraints,
		QuirkBasicUnreadable,
		QuirkKeyUsageNotDER,
		QuirkKeyUsageUnreadable,
		QuirkExtKeyUsageUnreadable,
		QuirkSubjectKeyIDUnreadable,
		QuirkAuthKeyIDUnreadable,
		QuirkIntermediate,
	}
}

package certificate

// A Quirk names one way in which a certificate departs from DER, from RFC 5280,
// or from what root programs accept today, and was read anyway.
type Quirk string

// Quirks of genuine certificates; [Quirk.Meaning] says what each is.
const (
	QuirkBERFraming             Quirk = "ber-framing"
	QuirkTrustSettings          Quirk = "trust-settings"
	QuirkVersion1               Quirk = "version-1"
	QuirkVersionUnknown         Quirk = "version-unknown"
	QuirkSerialNegative         Quirk = "serial-negative"
	QuirkSerialZero             Quirk = "serial-zero"
	QuirkSerialLong             Quirk = "serial-long"
	QuirkTimeFraction           Quirk = "time-fraction"
	QuirkTimeGeneralizedEarly   Quirk = "time-generalized-early"
	QuirkTimeNoSeconds          Quirk = "time-no-seconds"
	QuirkTimeOffset             Quirk = "time-offset"
	QuirkNotBeforeUnreadable    Quirk = "not-before-unreadable"
	QuirkNotAfterUnreadable     Quirk = "not-after-unreadable"
	QuirkNameEmpty              Quirk = "name-empty"
	QuirkNameT61                Quirk = "name-t61"
	QuirkNameNotString          Quirk = "name-not-string"
	QuirkNameCharset            Quirk = "name-charset"
	QuirkNameLong               Quirk = "name-long"
	QuirkNameCountry            Quirk = "name-country"
	QuirkAlgorithmsDiffer       Quirk = "algorithms-differ"
	QuirkSignatureMD5           Quirk = "signature-md5"
	QuirkSignatureSHA1          Quirk = "signature-sha1"
	QuirkSignatureBits          Quirk = "signature-bits"
	QuirkPublicKeyUnreadable    Quirk = "public-key-unreadable"
	QuirkRSAShort               Quirk = "rsa-short"
	QuirkRSAExponent            Quirk = "rsa-exponent"
	QuirkExtensionsWithoutV3    Quirk = "extensions-without-v3"
	QuirkExtensionTwice         Quirk = "extension-twice"
	QuirkExtensionNotDER        Quirk = "extension-not-der"
	QuirkNoBasicConstraints     Quirk = "no-basic-constraints"
	QuirkBasicUnreadable        Quirk = "basic-constraints-unreadable"
	QuirkKeyUsageNotDER         Quirk = "key-usage-not-der"
	QuirkKeyUsageUnreadable     Quirk = "key-usage-unreadable"
	QuirkExtKeyUsageUnreadable  Quirk = "ext-key-usage-unreadable"
	QuirkSubjectKeyIDUnreadable Quirk = "subject-key-id-unreadable"
	QuirkAuthKeyIDUnreadable    Quirk = "authority-key-id-unreadable"
	QuirkIntermediate           Quirk = "intermediate"
)

// A quirkMeaning is a quirk and what it says of a certificate.
type quirkMeaning struct {
	quirk   Quirk
	meaning string
}

// quirks are all of them, in the order of a certificate's parts.
func quirks() []quirkMeaning {
	return []quirkMeaning{
		{QuirkBERFraming, "encoded in BER, not DER (X.690 sections 10, 11.2); read, and identified, as its DER"},
		{QuirkTrustSettings, "a TRUSTED CERTIFICATE of OpenSSL: the settings after the certificate are left unread"},
		{QuirkVersion1, "X.509 version 1 or 2, which has no extensions, so nothing marks a CA (RFC 5280 section 4.1.2.1)"},
		{QuirkVersionUnknown, "a version other than 1, 2 and 3 (RFC 5280 section 4.1.2.1)"},
		{QuirkSerialNegative, "a negative serial number (RFC 5280 section 4.1.2.2)"},
		{QuirkSerialZero, "serial number 0 (RFC 5280 section 4.1.2.2)"},
		{QuirkSerialLong, "a serial number of more than 20 bytes (RFC 5280 section 4.1.2.2)"},
		{QuirkTimeFraction, "a fraction of a second in a date (RFC 5280 section 4.1.2.5.2)"},
		{QuirkTimeGeneralizedEarly, "a GeneralizedTime before 2050 (RFC 5280 section 4.1.2.5)"},
		{QuirkTimeNoSeconds, "a date without seconds (RFC 5280 section 4.1.2.5.1)"},
		{QuirkTimeOffset, "a date in a zone other than Z (RFC 5280 section 4.1.2.5)"},
		{QuirkNotBeforeUnreadable, "notBefore cannot be read as a date (RFC 5280 section 4.1.2.5)"},
		{QuirkNotAfterUnreadable, "notAfter cannot be read as a date (RFC 5280 section 4.1.2.5)"},
		{QuirkNameEmpty, "an empty subject or issuer (RFC 5280 sections 4.1.2.4, 4.1.2.6)"},
		{QuirkNameT61, "a TeletexString, read as Latin-1 (RFC 5280 section 4.1.2.4)"},
		{QuirkNameNotString, "a value in a name that is not a string, such as a BIT STRING"},
		{QuirkNameCharset, "characters that the type of the string does not have (X.680 section 41)"},
		{QuirkNameLong, "a value longer than RFC 5280 appendix A allows"},
		{QuirkNameCountry, "a country that is not two capitals (ISO 3166)"},
		{QuirkAlgorithmsDiffer, "one signature algorithm inside the signed part, another outside (RFC 5280 section 4.1.1.2)"},
		{QuirkSignatureMD5, "signed with MD5 or MD2"},
		{QuirkSignatureSHA1, "signed with SHA-1"},
		{QuirkSignatureBits, "a signature that is not a whole number of bytes (RFC 5280 section 4.1.1.3)"},
		{QuirkPublicKeyUnreadable, "a known algorithm, and a key that is not one of it"},
		{QuirkRSAShort, "an RSA modulus under 2048 bits"},
		{QuirkRSAExponent, "an RSA exponent other than 65537"},
		{QuirkExtensionsWithoutV3, "extensions in version 1 or 2, left unread (RFC 5280 section 4.1.2.9)"},
		{QuirkExtensionTwice, "an extension more than once: it counts as unreadable (RFC 5280 section 4.2)"},
		{QuirkExtensionNotDER, "the value of an extension is not DER, and was read (X.690 sections 10, 11)"},
		{QuirkNoBasicConstraints, "version 3 without basicConstraints: not marked as a CA (RFC 5280 section 4.2.1.9)"},
		{QuirkBasicUnreadable, "basicConstraints cannot be read (RFC 5280 section 4.2.1.9)"},
		{QuirkKeyUsageNotDER, "keyUsage with trailing zero bits, or unused bits set (X.690 section 11.2)"},
		{QuirkKeyUsageUnreadable, "keyUsage cannot be read (RFC 5280 section 4.2.1.3)"},
		{QuirkExtKeyUsageUnreadable, "extKeyUsage cannot be read (RFC 5280 section 4.2.1.12)"},
		{QuirkSubjectKeyIDUnreadable, "subjectKeyIdentifier cannot be read (RFC 5280 section 4.2.1.2)"},
		{QuirkAuthKeyIDUnreadable, "authorityKeyIdentifier cannot be read (RFC 5280 section 4.2.1.1)"},
		{QuirkIntermediate, "issued under another name: not a root"},
	}
}

// Quirks returns all quirks, in the order of a certificate's parts.
func Quirks() []Quirk {
	var list []Quirk
	for _, q := range quirks() {
		list = append(list, q.quirk)
	}
	return list
}

// Meaning says what the quirk is, in words, with the section of the standard that
// it departs from. It is empty for a quirk that is not known.
func (q Quirk) Meaning() string {
	for _, known := range quirks() {
		if known.quirk == q {
			return known.meaning
		}
	}
	return ""
}

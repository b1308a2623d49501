package pages

import "trustpool/bundle"

// meaning says what a quirk is, in the words of docs/formats.md; empty for none that is known.
func meaning(q bundle.Quirk) string {
	switch q {
	case bundle.QuirkBERFraming:
		return "encoded in BER, not DER (X.690 sections 10, 11.2); read, and identified, as its DER"
	case bundle.QuirkTrustSettings:
		return "a TRUSTED CERTIFICATE of OpenSSL: the settings behind the certificate are left unread"
	case bundle.QuirkVersion1:
		return "X.509 version 1 or 2, which has no extensions, so nothing marks a CA (RFC 5280 section 4.1.2.1)"
	case bundle.QuirkVersionUnknown:
		return "a version other than 1, 2 and 3 (RFC 5280 section 4.1.2.1)"
	case bundle.QuirkSerialNegative:
		return "a negative serial number (RFC 5280 section 4.1.2.2)"
	case bundle.QuirkSerialZero:
		return "serial number 0 (RFC 5280 section 4.1.2.2)"
	case bundle.QuirkSerialLong:
		return "more than 20 octets (RFC 5280 section 4.1.2.2)"
	case bundle.QuirkTimeFraction:
		return "a fraction of a second in a date (RFC 5280 section 4.1.2.5.2)"
	case bundle.QuirkTimeGeneralizedEarly:
		return "a GeneralizedTime before 2050 (RFC 5280 section 4.1.2.5)"
	case bundle.QuirkTimeNoSeconds:
		return "a date without seconds (RFC 5280 section 4.1.2.5.1)"
	case bundle.QuirkTimeOffset:
		return "a date in a zone other than Z (RFC 5280 section 4.1.2.5)"
	case bundle.QuirkNotBeforeUnreadable:
		return "notBefore is no date (RFC 5280 section 4.1.2.5)"
	case bundle.QuirkNotAfterUnreadable:
		return "notAfter is no date (RFC 5280 section 4.1.2.5)"
	case bundle.QuirkNameEmpty:
		return "an empty subject or issuer (RFC 5280 sections 4.1.2.4, 4.1.2.6)"
	case bundle.QuirkNameT61:
		return "a TeletexString, read as Latin-1 (RFC 5280 section 4.1.2.4)"
	case bundle.QuirkNameNotString:
		return "a value in a name that is no string, such as a BIT STRING"
	case bundle.QuirkNameCharset:
		return "characters that the type of the string does not have (X.680 section 41)"
	case bundle.QuirkNameLong:
		return "a value longer than RFC 5280 appendix A allows"
	case bundle.QuirkNameCountry:
		return "a country that is not two capitals (ISO 3166)"
	case bundle.QuirkAlgorithmsDiffer:
		return "one signature algorithm inside the signed part, another outside (RFC 5280 section 4.1.1.2)"
	case bundle.QuirkSignatureMD5:
		return "signed with MD5 or MD2"
	case bundle.QuirkSignatureSHA1:
		return "signed with SHA-1"
	case bundle.QuirkSignatureBits:
		return "a signature that is no whole number of octets (RFC 5280 section 4.1.1.3)"
	case bundle.QuirkPublicKeyUnreadable:
		return "a known algorithm, and a key that is none of it"
	case bundle.QuirkRSAShort:
		return "an RSA modulus under 2048 bits"
	case bundle.QuirkRSAExponent:
		return "an RSA exponent other than 65537"
	case bundle.QuirkExtensionsWithoutV3:
		return "extensions in version 1 or 2, left unread (RFC 5280 section 4.1.2.9)"
	case bundle.QuirkExtensionTwice:
		return "an extension more than once: what it says is not taken (RFC 5280 section 4.2)"
	case bundle.QuirkExtensionNotDER:
		return "the value of an extension is not DER, and was read (X.690 sections 10, 11)"
	case bundle.QuirkNoBasicConstraints:
		return "version 3 without basicConstraints: not marked as a CA (RFC 5280 section 4.2.1.9)"
	case bundle.QuirkBasicUnreadable:
		return "basicConstraints cannot be read (RFC 5280 section 4.2.1.9)"
	case bundle.QuirkKeyUsageNotDER:
		return "keyUsage with trailing zero bits, or unused bits set (X.690 section 11.2)"
	case bundle.QuirkKeyUsageUnreadable:
		return "keyUsage cannot be read (RFC 5280 section 4.2.1.3)"
	case bundle.QuirkExtKeyUsageUnreadable:
		return "extKeyUsage cannot be read (RFC 5280 section 4.2.1.12)"
	case bundle.QuirkSubjectKeyIDUnreadable:
		return "subjectKeyIdentifier cannot be read (RFC 5280 section 4.2.1.2)"
	case bundle.QuirkAuthKeyIDUnreadable:
		return "authorityKeyIdentifier cannot be read (RFC 5280 section 4.2.1.1)"
	case bundle.QuirkIntermediate:
		return "issued by another name: no root"
	}
	return ""
}

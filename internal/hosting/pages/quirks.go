package pages

import "trustpool/bundle/certificate"

// meaning says what a quirk is, in the words of docs/formats.md; empty for none that is known.
func meaning(q certificate.Quirk) string {
	switch q {
	case certificate.QuirkBERFraming:
		return "encoded in BER, not DER (X.690 sections 10, 11.2); read, and identified, as its DER"
	case certificate.QuirkTrustSettings:
		return "a TRUSTED CERTIFICATE of OpenSSL: the settings behind the certificate are left unread"
	case certificate.QuirkVersion1:
		return "X.509 version 1 or 2, which has no extensions, so nothing marks a CA (RFC 5280 section 4.1.2.1)"
	case certificate.QuirkVersionUnknown:
		return "a version other than 1, 2 and 3 (RFC 5280 section 4.1.2.1)"
	case certificate.QuirkSerialNegative:
		return "a negative serial number (RFC 5280 section 4.1.2.2)"
	case certificate.QuirkSerialZero:
		return "serial number 0 (RFC 5280 section 4.1.2.2)"
	case certificate.QuirkSerialLong:
		return "more than 20 bytes (RFC 5280 section 4.1.2.2)"
	case certificate.QuirkTimeFraction:
		return "a fraction of a second in a date (RFC 5280 section 4.1.2.5.2)"
	case certificate.QuirkTimeGeneralizedEarly:
		return "a GeneralizedTime before 2050 (RFC 5280 section 4.1.2.5)"
	case certificate.QuirkTimeNoSeconds:
		return "a date without seconds (RFC 5280 section 4.1.2.5.1)"
	case certificate.QuirkTimeOffset:
		return "a date in a zone other than Z (RFC 5280 section 4.1.2.5)"
	case certificate.QuirkNotBeforeUnreadable:
		return "notBefore is no date (RFC 5280 section 4.1.2.5)"
	case certificate.QuirkNotAfterUnreadable:
		return "notAfter is no date (RFC 5280 section 4.1.2.5)"
	case certificate.QuirkNameEmpty:
		return "an empty subject or issuer (RFC 5280 sections 4.1.2.4, 4.1.2.6)"
	case certificate.QuirkNameT61:
		return "a TeletexString, read as Latin-1 (RFC 5280 section 4.1.2.4)"
	case certificate.QuirkNameNotString:
		return "a value in a name that is no string, such as a BIT STRING"
	case certificate.QuirkNameCharset:
		return "characters that the type of the string does not have (X.680 section 41)"
	case certificate.QuirkNameLong:
		return "a value longer than RFC 5280 appendix A allows"
	case certificate.QuirkNameCountry:
		return "a country that is not two capitals (ISO 3166)"
	case certificate.QuirkAlgorithmsDiffer:
		return "one signature algorithm inside the signed part, another outside (RFC 5280 section 4.1.1.2)"
	case certificate.QuirkSignatureMD5:
		return "signed with MD5 or MD2"
	case certificate.QuirkSignatureSHA1:
		return "signed with SHA-1"
	case certificate.QuirkSignatureBits:
		return "a signature that is no whole number of bytes (RFC 5280 section 4.1.1.3)"
	case certificate.QuirkPublicKeyUnreadable:
		return "a known algorithm, and a key that is none of it"
	case certificate.QuirkRSAShort:
		return "an RSA modulus under 2048 bits"
	case certificate.QuirkRSAExponent:
		return "an RSA exponent other than 65537"
	case certificate.QuirkExtensionsWithoutV3:
		return "extensions in version 1 or 2, left unread (RFC 5280 section 4.1.2.9)"
	case certificate.QuirkExtensionTwice:
		return "an extension more than once: what it says is not taken (RFC 5280 section 4.2)"
	case certificate.QuirkExtensionNotDER:
		return "the value of an extension is not DER, and was read (X.690 sections 10, 11)"
	case certificate.QuirkNoBasicConstraints:
		return "version 3 without basicConstraints: not marked as a CA (RFC 5280 section 4.2.1.9)"
	case certificate.QuirkBasicUnreadable:
		return "basicConstraints cannot be read (RFC 5280 section 4.2.1.9)"
	case certificate.QuirkKeyUsageNotDER:
		return "keyUsage with trailing zero bits, or unused bits set (X.690 section 11.2)"
	case certificate.QuirkKeyUsageUnreadable:
		return "keyUsage cannot be read (RFC 5280 section 4.2.1.3)"
	case certificate.QuirkExtKeyUsageUnreadable:
		return "extKeyUsage cannot be read (RFC 5280 section 4.2.1.12)"
	case certificate.QuirkSubjectKeyIDUnreadable:
		return "subjectKeyIdentifier cannot be read (RFC 5280 section 4.2.1.2)"
	case certificate.QuirkAuthKeyIDUnreadable:
		return "authorityKeyIdentifier cannot be read (RFC 5280 section 4.2.1.1)"
	case certificate.QuirkIntermediate:
		return "issued by another name: no root"
	}
	return ""
}

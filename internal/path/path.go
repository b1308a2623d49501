// Package path finds certification paths and judges them by RFC 5280 section 6.1.
//
// A [Run] searches from a certificate to anchors, through sets of certificates. A
// [Policy] says for whom: signers of bundles, for whom the answer is yes or no, or
// servers as a device sees them, for whom a rule that RFC 5280 leaves open is a
// [Doubt].
//
// Names are compared as RFC 5280 section 7.1 says. An anchor is a name and a key
// (section 6.1.1 d): its own signature is not looked at. What its extensions say
// binds it, as in OpenSSL and crypto/x509. Revocation is not looked at.
package path

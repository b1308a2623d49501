// Package pkitest is the test PKI: keys, certificates, signed messages and the fixtures below testdata made of them.
//
// Nothing here is random and nothing reads the clock, so the same bytes come out at every run. Certificates and messages are
// written by a small DER writer of its own, because most of what is worth testing is refused by crypto/x509 when it is
// asked to create it.
//
// The parts, from the bottom up:
//
//	Key        a private key, by name: RSA keys are committed below keys/, the others are derived from their name
//	Template   one certificate, with a knob for every quirk; Issue makes an Authority (certificate and key) of it
//	Message    a CMS SignedData in exactly the structure of a Cisco bundle, with a knob for every deviation
//	CertsOnly  the message without signers that a bundle's content is
//	ToBER      the same message in indefinite lengths
//	Lab        the authorities that tests share
//	CoreV1, CoreV2, Quirks, Large, LargePool   pools of certificates
//	Vectors    the signed messages that a verifier must judge, one rule each; vectors.txt lists them
//	Files      every generated file below testdata
//
// The keys sign nothing but test data. They are public, and marked so.
package pkitest

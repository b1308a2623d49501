package pkitest

// SameKey returns roots of one name and one RSA key, written in each way that OpenSSL reads: with NULL for parameters (RFC 3279
// section 2.3.1), without parameters, and as a key for RSASSA-PSS alone.
func SameKey() [][]byte {
	key := RSA("alder")
	parts := children(key.SPKI())
	var roots [][]byte
	for _, algorithm := range [][]byte{parts[0], sequence(children(parts[0])[0]), sequence(oidPSS.DER())} {
		template := RootTemplate(NewName("C=US", "O=Trustpool Lab", "CN=Same Key Root CA"), &Key{Name: key.Name, Signer: key.Signer, spki: sequence(algorithm, parts[1])})
		roots = append(roots, template.Sign(nil))
	}
	return roots
}

package pkitest

// SameKeys returns one RSA key written in each way that OpenSSL reads: with NULL for parameters (RFC 3279
// section 2.3.1), without parameters, and as a key for RSASSA-PSS alone.
func SameKeys(name string) []*Key {
	key := RSA(name)
	parts := children(key.SPKI())
	var keys []*Key
	for _, algorithm := range [][]byte{parts[0], sequence(children(parts[0])[0]), sequence(oidPSS.DER())} {
		keys = append(keys, &Key{Name: key.Name, Signer: key.Signer, spki: sequence(algorithm, parts[1])})
	}
	return keys
}

// SameKey returns roots of one name and one key, written in each way of SameKeys.
func SameKey() [][]byte {
	var roots [][]byte
	for _, key := range SameKeys("alder") {
		template := RootTemplate(NewName("C=US", "O=Trustpool Lab", "CN=Same Key Root CA"), key)
		roots = append(roots, template.Sign(nil))
	}
	return roots
}

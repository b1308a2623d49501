package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"

	"go.mozilla.org/pkcs7"
)

// A suite is how a key signs: the hash of the content, what the key is told, which
// takes the message as it is if that names no hash, and the algorithm identifiers that say so.
type suite struct {
	hash              crypto.Hash
	opts              crypto.SignerOpts
	digest, signature pkix.AlgorithmIdentifier
}

// hashOIDs are the identifiers of a digest, and of ECDSA with it; nil for one that
// bundles are not signed with.
func hashOIDs(hash crypto.Hash) (digest, withECDSA asn1.ObjectIdentifier) {
	switch hash {
	case crypto.SHA256:
		return pkcs7.OIDDigestAlgorithmSHA256, pkcs7.OIDDigestAlgorithmECDSASHA256
	case crypto.SHA384:
		return pkcs7.OIDDigestAlgorithmSHA384, pkcs7.OIDDigestAlgorithmECDSASHA384
	case crypto.SHA512:
		return pkcs7.OIDDigestAlgorithmSHA512, pkcs7.OIDDigestAlgorithmECDSASHA512
	}
	return nil, nil
}

// curveHash is the customary hash of a curve, 0 for one that bundles are not signed with.
func curveHash(c elliptic.Curve) crypto.Hash {
	switch c {
	case elliptic.P256():
		return crypto.SHA256
	case elliptic.P384():
		return crypto.SHA384
	case elliptic.P521():
		return crypto.SHA512
	}
	return 0
}

// suiteOf is how the key of a certificate signs with a hash, zero for the
// customary one. With RSA the parameters are NULL, as in Cisco's bundles;
// otherwise absent (RFC 5754 section 2, RFC 5758 section 3.2, RFC 8410 section 3).
func suiteOf(c *certificate.Certificate, hash crypto.Hash) (suite, error) {
	public, err := path.PublicKey(c)
	if err != nil {
		return suite{}, fmt.Errorf("the key of %s (%s) cannot sign bundles: %w", c.Subject, c.PublicKey, err)
	}
	customary := crypto.SHA256
	switch k := public.(type) {
	case *rsa.PublicKey:
	case ed25519.PublicKey:
		customary = crypto.SHA512
	case *ecdsa.PublicKey:
		if customary = curveHash(k.Curve); customary == 0 {
			return suite{}, fmt.Errorf("the key of %s (%s) cannot sign bundles: its curve is not P-256, P-384 or P-521", c.Subject, c.PublicKey)
		}
	default:
		return suite{}, fmt.Errorf("the key of %s (%s) cannot sign bundles: it is not RSA, ECDSA or Ed25519", c.Subject, c.PublicKey)
	}
	if hash == 0 {
		hash = customary
	}
	digest, withECDSA := hashOIDs(hash)
	if digest == nil {
		if hash == crypto.SHA1 || hash == crypto.MD5 {
			return suite{}, fmt.Errorf("the digest %s no longer protects anything: sign with SHA-256, SHA-384 or SHA-512", hash)
		}
		return suite{}, fmt.Errorf("the digest %s is not SHA-256, SHA-384 or SHA-512", hash)
	}
	s := suite{hash: hash, opts: hash, digest: pkix.AlgorithmIdentifier{Algorithm: digest}}
	switch public.(type) {
	case *rsa.PublicKey:
		s.digest.Parameters = asn1.NullRawValue
		s.signature = pkix.AlgorithmIdentifier{Algorithm: pkcs7.OIDEncryptionAlgorithmRSA, Parameters: asn1.NullRawValue}
	case *ecdsa.PublicKey:
		s.signature.Algorithm = withECDSA
	case ed25519.PublicKey:
		if hash != customary {
			return suite{}, fmt.Errorf("the digest %s does not go with Ed25519, which signs with SHA-512 alone (RFC 8419 section 3.1)", hash)
		}
		s.opts, s.signature.Algorithm = crypto.Hash(0), asn1.ObjectIdentifier{1, 3, 101, 112}
	}
	return s, nil
}

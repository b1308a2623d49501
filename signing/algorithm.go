package signing

import (
	"crypto"

	"trustpool/internal/cms"
	"trustpool/internal/path"
)

var weakHashes = map[string]string{
	"1.3.14.3.2.26":      "SHA-1",
	"1.2.840.113549.2.5": "MD5",
	"1.2.840.113549.2.2": "MD2",
}

// messageHash is the hash of a digest algorithm that may protect a message.
func messageHash(a cms.Algorithm) (crypto.Hash, *refusal) {
	if h, ok := path.Digests()[a.OID]; ok && path.PlainParameters(a.Parameters) {
		return h, nil
	}
	if name, ok := weakHashes[a.OID]; ok {
		return 0, refuse(DigestWeak, "the message's digest is %s, which no longer protects anything", name)
	}
	return 0, refuse(DigestUnsupported, "the message's digest algorithm %s is not SHA-256, SHA-384 or SHA-512", a.OID)
}

const oidRSAEncryption = "1.2.840.113549.1.1.1"

// algorithm is how the signer signed (RFC 5652 section 10.1.2). Its hash is the
// one of digestAlgorithm; an OID that names another is refused.
func (j *judge) algorithm() (path.Algorithm, *refusal) {
	hash, r := messageHash(j.info.DigestAlgorithm)
	if r != nil {
		return path.Algorithm{}, r
	}
	id := j.info.SignatureAlgorithm
	if id.OID == oidRSAEncryption { // as Cisco signs (RFC 3370 section 3.2)
		if !path.PlainParameters(id.Parameters) {
			return path.Algorithm{}, refuse(SignatureUnsupported, "the signature algorithm %s has parameters", id.OID)
		}
		return path.Algorithm{Scheme: path.PKCS1v15, Hash: hash}, nil
	}
	a, err := path.ParseAlgorithm(id.OID, id.Parameters)
	if err != nil {
		return a, refuse(SignatureUnsupported, "the signature algorithm %s: %w", id.OID, err)
	}
	want := a.Hash
	if a.Scheme == path.Ed25519 {
		want = crypto.SHA512 // RFC 8419 section 3.1
	}
	if want != hash {
		return a, refuse(SignatureHashDiffers, "the signature is made with %s, the digest with %s", want, hash)
	}
	return a, nil
}

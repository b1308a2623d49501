package signing

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	_ "crypto/md5" // for self-signatures
	"crypto/rsa"
	_ "crypto/sha1" // for links under an anchor that tolerates them
	_ "crypto/sha256"
	_ "crypto/sha512"
	"errors"
	"fmt"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle/certificate"
	"trustpool/internal/cms"
)

// Hashes by their OID (RFC 5754 section 2, RFC 3370 section 2).
var hashes = map[string]crypto.Hash{
	"2.16.840.1.101.3.4.2.1": crypto.SHA256,
	"2.16.840.1.101.3.4.2.2": crypto.SHA384,
	"2.16.840.1.101.3.4.2.3": crypto.SHA512,
}

var weakHashes = map[string]string{
	"1.3.14.3.2.26":      "SHA-1",
	"1.2.840.113549.2.5": "MD5",
	"1.2.840.113549.2.2": "MD2",
}

// messageHash is the hash of a digest algorithm that may protect a message.
func messageHash(a cms.Algorithm) (crypto.Hash, *refusal) {
	if h, ok := hashes[a.OID]; ok && plainParameters(a.Parameters) {
		return h, nil
	}
	if name, ok := weakHashes[a.OID]; ok {
		return 0, refuse(DigestWeak, "the message's digest is %s, which no longer protects anything", name)
	}
	return 0, refuse(DigestUnsupported, "the message's digest algorithm %s is not SHA-256, SHA-384 or SHA-512", a.OID)
}

type scheme int

const (
	pkcs1v15 scheme = iota
	pss
	ecdsaScheme
	ed25519Scheme
)

// A signatureAlgorithm is how a signature is made and with which hash.
type signatureAlgorithm struct {
	scheme scheme
	hash   crypto.Hash // 0 for Ed25519
	salt   int         // bytes, for PSS
}

// signatureAlgorithms are those whose OID says everything, hash included (RFC
// 4055, RFC 5758, RFC 8410). MD5 and SHA-1 are among them, because arithmetic is
// not trust: no message's digest may be either, no link may be MD5, and on SHA-1
// links the anchor decides.
var signatureAlgorithms = map[string]signatureAlgorithm{
	"1.2.840.113549.1.1.4":  {scheme: pkcs1v15, hash: crypto.MD5},
	"1.2.840.113549.1.1.5":  {scheme: pkcs1v15, hash: crypto.SHA1},
	"1.2.840.113549.1.1.11": {scheme: pkcs1v15, hash: crypto.SHA256},
	"1.2.840.113549.1.1.12": {scheme: pkcs1v15, hash: crypto.SHA384},
	"1.2.840.113549.1.1.13": {scheme: pkcs1v15, hash: crypto.SHA512},
	"1.2.840.10045.4.1":     {scheme: ecdsaScheme, hash: crypto.SHA1},
	"1.2.840.10045.4.3.2":   {scheme: ecdsaScheme, hash: crypto.SHA256},
	"1.2.840.10045.4.3.3":   {scheme: ecdsaScheme, hash: crypto.SHA384},
	"1.2.840.10045.4.3.4":   {scheme: ecdsaScheme, hash: crypto.SHA512},
	"1.3.101.112":           {scheme: ed25519Scheme},
}

const (
	oidRSAEncryption = "1.2.840.113549.1.1.1"
	oidPSS           = "1.2.840.113549.1.1.10"
	oidMGF1          = "1.2.840.113549.1.1.8"
)

// algorithm is how the signer signed (RFC 5652 section 10.1.2). Its hash is the
// one of digestAlgorithm; an OID that names another is refused.
func (j *judge) algorithm() (signatureAlgorithm, *refusal) {
	hash, r := messageHash(j.info.DigestAlgorithm)
	if r != nil {
		return signatureAlgorithm{}, r
	}
	id := j.info.SignatureAlgorithm
	var a signatureAlgorithm
	switch id.OID {
	case oidRSAEncryption: // as Cisco signs (RFC 3370 section 3.2)
		if !plainParameters(id.Parameters) {
			return a, refuse(SignatureUnsupported, "the signature algorithm %s has parameters", id.OID)
		}
		a = signatureAlgorithm{scheme: pkcs1v15, hash: hash}
	case oidPSS:
		var err error
		if a, err = pssAlgorithm(id.Parameters); err != nil {
			return a, &refusal{SignatureUnsupported, err}
		}
	default:
		var ok bool
		if a, ok = signatureAlgorithms[id.OID]; !ok || !plainParameters(id.Parameters) {
			return a, refuse(SignatureUnsupported, "the signature algorithm %s is not known here", id.OID)
		}
	}
	want := a.hash
	if a.scheme == ed25519Scheme {
		want = crypto.SHA512 // RFC 8419 section 3.1
	}
	if want != hash {
		return a, refuse(SignatureHashDiffers, "the signature is made with %s, the digest with %s", want, hash)
	}
	return a, nil
}

// certificateAlgorithm is how a certificate is signed.
func certificateAlgorithm(id certificate.Algorithm) (signatureAlgorithm, bool) {
	oid := id.OID.Dotted()
	if oid == oidPSS {
		a, err := pssAlgorithm(id.Parameters)
		return a, err == nil
	}
	a, ok := signatureAlgorithms[oid]
	return a, ok && plainParameters(id.Parameters)
}

// plainParameters reports whether an algorithm has no parameters, which is written
// in two ways: absent, or NULL.
func plainParameters(b []byte) bool { return len(b) == 0 || string(b) == "\x05\x00" }

// pssAlgorithm reads RSASSA-PSS-params (RFC 4055 section 3.1). The defaults
// are SHA-1, so the hash must be there; the mask's hash must be the same.
func pssAlgorithm(params []byte) (signatureAlgorithm, error) {
	fail := func(msg string) (signatureAlgorithm, error) {
		return signatureAlgorithm{}, errors.New("RSASSA-PSS parameters: " + msg)
	}
	in := cryptobyte.String(params)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return fail("they cannot be read")
	}
	hash, ok := explicitHash(&seq, 0)
	if !ok {
		return fail("the hash is not SHA-256, SHA-384 or SHA-512")
	}
	var mgf, mgfSeq, mgfOID cryptobyte.String
	if !seq.ReadASN1(&mgf, contextTag(1)) || !mgf.ReadASN1(&mgfSeq, asn1.SEQUENCE) || !mgf.Empty() ||
		!mgfSeq.ReadASN1(&mgfOID, asn1.OBJECT_IDENTIFIER) || certificate.ObjectID(mgfOID).Dotted() != oidMGF1 {
		return fail("the mask is not made with MGF1")
	}
	mgfHash, ok := readHash(&mgfSeq)
	if !ok || mgfHash != hash || !mgfSeq.Empty() {
		return fail("the mask is made with another hash")
	}
	salt := 20 // the default
	if seq.PeekASN1Tag(contextTag(2)) {
		var s cryptobyte.String
		if !seq.ReadASN1(&s, contextTag(2)) || !s.ReadASN1Integer(&salt) || !s.Empty() {
			return fail("the length of the salt cannot be read")
		}
	}
	// crypto/rsa takes 0 for "any length", so that it cannot be asked for; nobody
	// who signs without a salt signs bundles.
	if salt < 1 || salt > 1024 {
		return fail("there is no salt, or one of more than 1,024 bytes")
	}
	if seq.PeekASN1Tag(contextTag(3)) {
		var s cryptobyte.String
		trailer := 0
		if !seq.ReadASN1(&s, contextTag(3)) || !s.ReadASN1Integer(&trailer) || !s.Empty() || trailer != 1 {
			return fail("the trailer is not 1")
		}
	}
	if !seq.Empty() {
		return fail("something follows them")
	}
	return signatureAlgorithm{scheme: pss, hash: hash, salt: salt}, nil
}

func contextTag(n uint8) asn1.Tag { return asn1.Tag(n).Constructed().ContextSpecific() }

func explicitHash(in *cryptobyte.String, n uint8) (crypto.Hash, bool) {
	var explicit cryptobyte.String
	if !in.ReadASN1(&explicit, contextTag(n)) {
		return 0, false
	}
	h, ok := readHash(&explicit)
	return h, ok && explicit.Empty()
}

func readHash(in *cryptobyte.String) (crypto.Hash, bool) {
	var seq, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) {
		return 0, false
	}
	h, ok := hashes[certificate.ObjectID(oid).Dotted()]
	return h, ok && plainParameters(seq)
}

// errKeyType says that a key cannot have made a signature of an algorithm.
var errKeyType = errors.New("its algorithm does not go with the key")

// check verifies a signature over message.
func (a signatureAlgorithm) check(key crypto.PublicKey, message, signature []byte) error {
	digest := message
	if a.hash != 0 {
		h := a.hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	switch a.scheme {
	case pkcs1v15:
		if k, ok := key.(*rsa.PublicKey); ok {
			return describe(rsa.VerifyPKCS1v15(k, a.hash, digest, signature))
		}
	case pss:
		if k, ok := key.(*rsa.PublicKey); ok {
			return describe(rsa.VerifyPSS(k, a.hash, digest, signature, &rsa.PSSOptions{SaltLength: a.salt, Hash: a.hash}))
		}
	case ecdsaScheme:
		if k, ok := key.(*ecdsa.PublicKey); ok {
			if !ecdsa.VerifyASN1(k, digest, signature) {
				return errors.New("the signature is not valid")
			}
			return nil
		}
	case ed25519Scheme:
		if k, ok := key.(ed25519.PublicKey); ok {
			if !ed25519.Verify(k, digest, signature) {
				return errors.New("the signature is not valid")
			}
			return nil
		}
	}
	return fmt.Errorf("the signature %w (%T)", errKeyType, key)
}

func describe(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("the signature is not valid: %w", err)
}

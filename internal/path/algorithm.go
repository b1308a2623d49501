package path

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
)

// A Scheme is a kind of signature.
type Scheme int

// The kinds.
const (
	PKCS1v15 Scheme = iota
	PSS
	ECDSA
	Ed25519
)

// An Algorithm is how a signature is made and with which hash.
type Algorithm struct {
	Scheme Scheme
	Hash   crypto.Hash // 0 for Ed25519
	salt   int         // bytes, for PSS
}

// algorithms are those with an identifier that says everything, the hash too (RFC
// 4055, RFC 5758, RFC 8410). MD5 and SHA-1 are among them, because a signature can
// be right and not be trusted.
var algorithms = []struct {
	oid string
	Algorithm
}{
	{"1.2.840.113549.1.1.4", Algorithm{PKCS1v15, crypto.MD5, 0}},
	{"1.2.840.113549.1.1.5", Algorithm{PKCS1v15, crypto.SHA1, 0}},
	{"1.3.14.3.2.29", Algorithm{PKCS1v15, crypto.SHA1, 0}},
	{"1.2.840.113549.1.1.11", Algorithm{PKCS1v15, crypto.SHA256, 0}},
	{"1.2.840.113549.1.1.12", Algorithm{PKCS1v15, crypto.SHA384, 0}},
	{"1.2.840.113549.1.1.13", Algorithm{PKCS1v15, crypto.SHA512, 0}},
	{"1.2.840.10045.4.1", Algorithm{ECDSA, crypto.SHA1, 0}},
	{"1.2.840.10045.4.3.2", Algorithm{ECDSA, crypto.SHA256, 0}},
	{"1.2.840.10045.4.3.3", Algorithm{ECDSA, crypto.SHA384, 0}},
	{"1.2.840.10045.4.3.4", Algorithm{ECDSA, crypto.SHA512, 0}},
	{"1.3.101.112", Algorithm{Ed25519, 0, 0}},
}

// oidPSS is id-RSASSA-PSS, of a signature or a key (RFC 4055 section 3.1).
const oidPSS = "1.2.840.113549.1.1.10"

// ParseAlgorithm reads an AlgorithmIdentifier of a signature, the identifier in
// decimal.
func ParseAlgorithm(oid string, parameters []byte) (Algorithm, error) {
	if oid == oidPSS {
		return pssAlgorithm(parameters)
	}
	for _, known := range algorithms {
		switch {
		case known.oid != oid:
		case !PlainParameters(parameters):
			return Algorithm{}, errors.New("its parameters are not known here")
		default:
			return known.Algorithm, nil
		}
	}
	return Algorithm{}, errors.New("an algorithm that is not known here")
}

// PlainParameters reports whether an algorithm has no parameters, which is written
// in two ways: absent, or NULL.
func PlainParameters(b []byte) bool { return len(b) == 0 || string(b) == "\x05\x00" }

// Digests are the hashes that may protect a message, by identifier (RFC 5754 section 2).
func Digests() map[string]crypto.Hash {
	return map[string]crypto.Hash{
		"2.16.840.1.101.3.4.2.1": crypto.SHA256,
		"2.16.840.1.101.3.4.2.2": crypto.SHA384,
		"2.16.840.1.101.3.4.2.3": crypto.SHA512,
	}
}

// pssAlgorithm reads RSASSA-PSS-params (RFC 4055 section 3.1). The defaults are
// SHA-1, so the hash must be there; the mask's hash must be the same.
func pssAlgorithm(params []byte) (Algorithm, error) {
	fail := func(msg string) (Algorithm, error) { return Algorithm{}, errors.New("RSASSA-PSS parameters: " + msg) }
	in := cryptobyte.String(params)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return fail("they cannot be read")
	}
	var explicit cryptobyte.String
	var hash crypto.Hash
	if seq.ReadASN1(&explicit, contextTag(0)) {
		hash = readHash(&explicit)
	}
	if hash == 0 || !explicit.Empty() {
		return fail("the hash is not SHA-256, SHA-384 or SHA-512")
	}
	var mgf, mgfSeq, mgfOID cryptobyte.String
	if !seq.ReadASN1(&mgf, contextTag(1)) || !mgf.ReadASN1(&mgfSeq, asn1.SEQUENCE) || !mgf.Empty() ||
		!mgfSeq.ReadASN1(&mgfOID, asn1.OBJECT_IDENTIFIER) || certificate.ObjectID(mgfOID).Dotted() != "1.2.840.113549.1.1.8" {
		return fail("the mask is not made with MGF1")
	}
	if readHash(&mgfSeq) != hash || !mgfSeq.Empty() {
		return fail("the mask is made with another hash")
	}
	var salt, trailer int
	if !seq.ReadOptionalASN1Integer(&salt, contextTag(2), 20) {
		return fail("the length of the salt cannot be read")
	}
	// crypto/rsa takes 0 for "any length", so that it cannot be asked for.
	if salt < 1 || salt > 1024 {
		return fail("there is no salt, or one of more than 1,024 bytes")
	}
	if !seq.ReadOptionalASN1Integer(&trailer, contextTag(3), 1) || trailer != 1 {
		return fail("the trailer is not 1")
	}
	if !seq.Empty() {
		return fail("something follows them")
	}
	return Algorithm{Scheme: PSS, Hash: hash, salt: salt}, nil
}

func contextTag(n uint8) asn1.Tag { return asn1.Tag(n).Constructed().ContextSpecific() }

// readHash reads the identifier of a hash; it is 0 for one that may not protect a message.
func readHash(in *cryptobyte.String) crypto.Hash {
	var seq, oid cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !seq.ReadASN1(&oid, asn1.OBJECT_IDENTIFIER) || !PlainParameters(seq) {
		return 0
	}
	return Digests()[certificate.ObjectID(oid).Dotted()]
}

// ErrKeyType says that a key cannot have made a signature of an algorithm.
var ErrKeyType = errors.New("its algorithm does not go with the key")

// errArithmetic says that crypto/rsa does not compute with a key.
var errArithmetic = errors.New("crypto/rsa does not compute with the key")

// Verify verifies a signature over message.
func (a Algorithm) Verify(key crypto.PublicKey, message, signature []byte) error {
	digest := message
	if a.Hash != 0 {
		h := a.Hash.New()
		h.Write(message)
		digest = h.Sum(nil)
	}
	return a.verify(key, digest, signature)
}

// verify is Verify of what is signed: the digest, or for Ed25519 the message.
func (a Algorithm) verify(key crypto.PublicKey, digest, signature []byte) error {
	invalid := errors.New("the signature is not valid")
	switch k := key.(type) {
	case *rsa.PublicKey:
		var err error
		switch a.Scheme {
		case PKCS1v15:
			err = rsa.VerifyPKCS1v15(k, a.Hash, digest, signature)
		case PSS:
			err = rsa.VerifyPSS(k, a.Hash, digest, signature, &rsa.PSSOptions{SaltLength: a.salt, Hash: a.Hash})
		default:
			return fmt.Errorf("the signature %w (%T)", ErrKeyType, key)
		}
		switch {
		case errors.Is(err, rsa.ErrVerification):
			return fmt.Errorf("%w: %w", invalid, err)
		case err != nil:
			return fmt.Errorf("%w: %w", errArithmetic, err)
		}
		return nil
	case *ecdsa.PublicKey:
		if a.Scheme == ECDSA {
			if !ecdsa.VerifyASN1(k, digest, signature) {
				return invalid
			}
			return nil
		}
	case ed25519.PublicKey:
		if a.Scheme == Ed25519 {
			if !ed25519.Verify(k, digest, signature) {
				return invalid
			}
			return nil
		}
	}
	return fmt.Errorf("the signature %w (%T)", ErrKeyType, key)
}

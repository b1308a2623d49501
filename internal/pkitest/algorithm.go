package pkitest

import (
	"cmp"
	"crypto"
	"crypto/rsa"
	"encoding/binary"
	"math/big"
	"slices"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// An Algorithm is a signature algorithm. The zero value is the customary one for the key and the digest.
type Algorithm int

// The algorithms.
const (
	_             Algorithm = iota
	RSAEncryption           // in a SignerInfo: PKCS #1 v1.5 over the message's digest, as Cisco writes it
	MD5WithRSA
	SHA1WithRSA
	SHA224WithRSA
	SHA256WithRSA
	SHA384WithRSA
	SHA512WithRSA
	SHA256WithPSS
	SHA384WithPSS
	SHA512WithPSS
	ECDSAWithSHA256
	ECDSAWithSHA384
	ECDSAWithSHA512
	PureEd25519
)

const (
	oidPSS  OID = "1.2.840.113549.1.1.10"
	oidMGF1 OID = "1.2.840.113549.1.1.8"
)

// algorithms are their object identifiers and hashes; PSS is told by its identifier.
var algorithms = [...]struct {
	oid  OID
	hash crypto.Hash
}{
	RSAEncryption:   {"1.2.840.113549.1.1.1", 0},
	MD5WithRSA:      {"1.2.840.113549.1.1.4", crypto.MD5},
	SHA1WithRSA:     {"1.2.840.113549.1.1.5", crypto.SHA1},
	SHA224WithRSA:   {"1.2.840.113549.1.1.14", crypto.SHA224},
	SHA256WithRSA:   {"1.2.840.113549.1.1.11", crypto.SHA256},
	SHA384WithRSA:   {"1.2.840.113549.1.1.12", crypto.SHA384},
	SHA512WithRSA:   {"1.2.840.113549.1.1.13", crypto.SHA512},
	SHA256WithPSS:   {oidPSS, crypto.SHA256},
	SHA384WithPSS:   {oidPSS, crypto.SHA384},
	SHA512WithPSS:   {oidPSS, crypto.SHA512},
	ECDSAWithSHA256: {"1.2.840.10045.4.3.2", crypto.SHA256},
	ECDSAWithSHA384: {"1.2.840.10045.4.3.3", crypto.SHA384},
	ECDSAWithSHA512: {"1.2.840.10045.4.3.4", crypto.SHA512},
	PureEd25519:     {"1.3.101.112", 0},
}

// identifier returns the AlgorithmIdentifier.
func (a Algorithm) identifier() []byte {
	oid, hash := algorithms[a].oid, algorithms[a].hash
	switch a {
	case ECDSAWithSHA256, ECDSAWithSHA384, ECDSAWithSHA512, PureEd25519:
		return sequence(oid.DER()) // parameters absent: RFC 5758 section 3.2, RFC 8410 section 3
	case SHA256WithPSS, SHA384WithPSS, SHA512WithPSS:
		digest := digestIdentifier(hash)
		return sequence(oid.DER(), sequence( // RFC 4055 section 3.1
			TLV(explicit(0), digest),
			TLV(explicit(1), sequence(oidMGF1.DER(), digest)),
			TLV(explicit(2), integer(int64(hash.Size())))))
	}
	return sequence(oid.DER(), null())
}

// digestIdentifier returns the AlgorithmIdentifier of a digest, with NULL as in Cisco's files.
func digestIdentifier(hash crypto.Hash) []byte {
	return sequence(digests[hash].DER(), null())
}

var digests = map[crypto.Hash]OID{
	crypto.MD5: "1.2.840.113549.2.5", crypto.SHA1: "1.3.14.3.2.26", crypto.SHA256: "2.16.840.1.101.3.4.2.1",
	crypto.SHA384: "2.16.840.1.101.3.4.2.2", crypto.SHA512: "2.16.840.1.101.3.4.2.3", crypto.SHA3_256: "2.16.840.1.101.3.4.2.8",
}

func digest(hash crypto.Hash, data []byte) []byte {
	h := hash.New()
	h.Write(data)
	return h.Sum(nil)
}

// sign signs data; fallback is the hash of an algorithm that names none.
func (k *Key) sign(a Algorithm, fallback crypto.Hash, data []byte) []byte {
	oid, hash := algorithms[a].oid, cmp.Or(algorithms[a].hash, fallback)
	if oid == oidPSS {
		return signPSS(k.Signer.(*rsa.PrivateKey), hash, data)
	}
	if a == PureEd25519 {
		hash = 0
	} else {
		data = digest(hash, data)
	}
	return must(k.Signer.Sign(nil, data, hash)) // without a source of randomness ECDSA is that of RFC 6979
}

// signPSS is RSASSA-PSS (RFC 8017 section 9.1.1) with the message's digest as the salt; crypto/rsa would take a random one.
func signPSS(key *rsa.PrivateKey, hash crypto.Hash, data []byte) []byte {
	mHash := digest(hash, data)
	salt := mHash
	h := digest(hash, slices.Concat(make([]byte, 8), mHash, salt))
	size := key.Size()
	em := make([]byte, size-len(h)-1)
	copy(em[len(em)-len(salt):], salt)
	em[len(em)-len(salt)-1] = 1
	for i := range em {
		counter := binary.BigEndian.AppendUint32(nil, uint32(i/hash.Size()))
		em[i] ^= digest(hash, slices.Concat(h, counter))[i%hash.Size()]
	}
	em[0] &= 0x7f // emBits is one less than the modulus has
	em = slices.Concat(em, h, []byte{0xbc})
	return rawRSA(key, em)
}

// rawRSA is the private operation alone.
func rawRSA(key *rsa.PrivateKey, em []byte) []byte {
	s := new(big.Int).Exp(new(big.Int).SetBytes(em), key.D, key.N)
	return s.FillBytes(make([]byte, key.Size()))
}

// forgeCubeRoot makes a signature without the private key: if the exponent is 3 and a verifier does not look at what
// follows the digest, a cube root of a number that begins rightly is enough.
func forgeCubeRoot(size int, hash crypto.Hash, data []byte) []byte {
	info := sequence(digestIdentifier(hash), TLV(asn1.OCTET_STRING, digest(hash, data)))
	em := slices.Concat([]byte{0, 1, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0}, info)
	for len(em) < size {
		em = append(em, 0xff)
	}
	target := new(big.Int).SetBytes(em)
	low, high := new(big.Int), new(big.Int).Lsh(big.NewInt(1), uint(size*8/3+1))
	for one := big.NewInt(1); new(big.Int).Sub(high, low).Cmp(one) > 0; { // the greatest root whose cube is not above the target
		middle := new(big.Int).Rsh(new(big.Int).Add(low, high), 1)
		if new(big.Int).Exp(middle, big.NewInt(3), nil).Cmp(target) > 0 {
			high = middle
		} else {
			low = middle
		}
	}
	return low.FillBytes(make([]byte, size))
}

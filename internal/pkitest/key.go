package pkitest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/sha1"
	"crypto/sha512"
	"crypto/x509"
	"embed"
	"encoding/pem"
	"math/big"
	"slices"

	// The digests that an Algorithm or a Message can name.
	_ "crypto/md5"
	_ "crypto/sha256"
	_ "crypto/sha3"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// keyNote is the first line of every key file.
const keyNote = "TEST KEY - not secret\n"

//go:embed keys/*.pem
var keyFiles embed.FS

// A Key is a private key that signs deterministically.
type Key struct {
	Name   string
	Signer crypto.Signer

	spki []byte // nil for the usual SubjectPublicKeyInfo
}

// RSA returns the committed key of that name. There is one for each role in Lab and each certificate of the pools.
func RSA(name string) *Key {
	block, _ := pem.Decode(must(keyFiles.ReadFile("keys/" + name + ".pem")))
	return &Key{Name: name, Signer: must(x509.ParsePKCS8PrivateKey(block.Bytes)).(*rsa.PrivateKey)}
}

// ECDSA returns the key that follows from the name, so that none need be committed.
func ECDSA(name string, curve elliptic.Curve) *Key {
	hash := sha512.Sum512([]byte(name))
	scalar := new(big.Int).Mod(new(big.Int).SetBytes(hash[:]), curve.Params().N)
	size := (curve.Params().BitSize + 7) / 8
	return &Key{Name: name, Signer: must(ecdsa.ParseRawPrivateKey(curve, scalar.FillBytes(make([]byte, size))))}
}

// Ed25519 returns the key that follows from the name.
func Ed25519(name string) *Key {
	hash := sha512.Sum512([]byte(name))
	return &Key{Name: name, Signer: ed25519.NewKeyFromSeed(hash[:ed25519.SeedSize])}
}

// PEM returns the private key as PKCS #8, below a line that says it is none to keep.
func (k *Key) PEM() []byte {
	der := must(x509.MarshalPKCS8PrivateKey(k.Signer))
	return append([]byte(keyNote), pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})...)
}

// SPKI returns the SubjectPublicKeyInfo.
func (k *Key) SPKI() []byte {
	if k.spki != nil {
		return k.spki
	}
	return must(x509.MarshalPKIXPublicKey(k.Signer.Public()))
}

// ExplicitSPKI is the SubjectPublicKeyInfo of a key on a curve with the curve written out instead of named.
func (k *Key) ExplicitSPKI() []byte {
	public := k.Signer.Public().(*ecdsa.PublicKey)
	point := must(public.Bytes())
	c := public.Curve.Params()
	size := (c.BitSize + 7) / 8
	number := func(n *big.Int) []byte { return n.FillBytes(make([]byte, size)) }
	unsigned := func(n *big.Int) []byte { return TLV(asn1.INTEGER, []byte{0}, number(n)) } // P and N have their highest bit
	a := new(big.Int).Sub(c.P, big.NewInt(3))
	base := slices.Concat([]byte{4}, number(c.Gx), number(c.Gy))
	parameters := sequence(integer(1), sequence(OID("1.2.840.10045.1.1").DER(), unsigned(c.P)),
		sequence(octetString(number(a)), octetString(number(c.B))), octetString(base), unsigned(c.N), integer(1))
	return sequence(sequence(OID("1.2.840.10045.2.1").DER(), parameters), bits(point))
}

// ID returns the key identifier of RFC 5280 section 4.2.1.2, method 1: the SHA-1 of the public key's bits.
func (k *Key) ID() []byte {
	_, key := split(children(k.SPKI())[1])
	id := sha1.Sum(key[1:])
	return id[:]
}

// bestAlgorithm is what a certificate is signed with when its template does not say.
func (k *Key) bestAlgorithm() Algorithm {
	switch public := k.Signer.Public().(type) {
	case *ecdsa.PublicKey:
		switch public.Curve {
		case elliptic.P384():
			return ECDSAWithSHA384
		case elliptic.P521():
			return ECDSAWithSHA512
		}
		return ECDSAWithSHA256
	case ed25519.PublicKey:
		return PureEd25519
	}
	return SHA256WithRSA
}

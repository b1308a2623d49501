package pkitest

import (
	"crypto/elliptic"
	"sync"
)

// A PKI is the set of authorities that tests share: roots, and signers of bundles below them.
type PKI struct {
	Root   *Authority // CN=Lab Root CA,O=Trustpool Lab: RSA-2048, SHA-256
	Signer *Authority // CN=Lab Bundle Signer,OU=Bundle Signing,O=Trustpool Lab: the profile of Cisco's signer

	SecondSigner       *Authority // another below the same root
	Intermediate       *Authority // below the root
	IntermediateSigner *Authority // below the intermediate

	SHA1Root   *Authority // as Cisco Root CA M1: exponent 3, self-signed with SHA-1
	SHA1Signer *Authority // its certificate signed with SHA-1

	P256Root, P256Signer       *Authority
	P384Root, P384Signer       *Authority
	P521Root, P521Signer       *Authority
	Ed25519Root, Ed25519Signer *Authority

	OtherRoot, OtherSigner *Authority // a proper chain to another root
	ImpostorRoot           *Authority // the name of Root, another key
	ImpostorSigner         *Authority // below it, with the name of Signer
	PathLenRoot            *Authority // pathLenConstraint 0
	ExpiredRoot            *Authority // until 2021
	ExpiredSigner          *Authority // below Root, until 2022
}

// Lab returns the PKI; it is made once.
var Lab = sync.OnceValue(newLab)

func labName(cn string) Name { return NewName("O=Trustpool Lab", "CN="+cn) }

func labSignerName(cn string) Name { return NewName("O=Trustpool Lab", "OU=Bundle Signing", "CN="+cn) }

// LabSignerTemplate describes a signer with the name of Lab's, another key, and the purposes given, if any.
func LabSignerTemplate(purposes ...OID) Template {
	return SignerTemplate(labSignerName("Lab Bundle Signer"), RSA("lab-other-signer"), purposes...)
}

func newLab() *PKI {
	var p PKI
	p.Root = RootTemplate(labName("Lab Root CA"), RSA("lab-root")).Issue(nil)
	p.Signer = SignerTemplate(labSignerName("Lab Bundle Signer"), RSA("lab-signer")).Issue(p.Root)
	p.SecondSigner = SignerTemplate(labSignerName("Lab Second Bundle Signer"), RSA("lab-second-signer")).Issue(p.Root)
	p.Intermediate = IntermediateTemplate(labName("Lab Intermediate CA"), RSA("lab-intermediate")).Issue(p.Root)
	p.IntermediateSigner = SignerTemplate(labSignerName("Lab Intermediate Bundle Signer"), RSA("lab-intermediate-signer")).Issue(p.Intermediate)

	p.SHA1Root = RootTemplate(labName("Lab SHA-1 Root CA"), RSA("lab-sha1-root")).SignedWith(SHA1WithRSA).Issue(nil)
	p.SHA1Signer = SignerTemplate(labSignerName("Lab SHA-1 Bundle Signer"), RSA("lab-sha1-signer")).SignedWith(SHA1WithRSA).Issue(p.SHA1Root)

	p.P256Root, p.P256Signer = pair("P-256", ECDSA("lab-p256-root", elliptic.P256()), ECDSA("lab-p256-signer", elliptic.P256()))
	p.P384Root, p.P384Signer = pair("P-384", ECDSA("lab-p384-root", elliptic.P384()), ECDSA("lab-p384-signer", elliptic.P384()))
	p.P521Root, p.P521Signer = pair("P-521", ECDSA("lab-p521-root", elliptic.P521()), ECDSA("lab-p521-signer", elliptic.P521()))
	p.Ed25519Root, p.Ed25519Signer = pair("Ed25519", Ed25519("lab-ed25519-root"), Ed25519("lab-ed25519-signer"))
	p.OtherRoot, p.OtherSigner = pair("Other", RSA("lab-other-root"), RSA("lab-other-signer"))

	p.ImpostorRoot = RootTemplate(p.Root.Subject, RSA("lab-impostor-root")).Issue(nil)
	p.ImpostorSigner = LabSignerTemplate().Issue(p.ImpostorRoot)

	p.PathLenRoot = RootTemplate(labName("Lab Path Length Root CA"), RSA("lab-pathlen-root")).With(BasicConstraints(true, 0)).Issue(nil)
	p.ExpiredRoot = RootTemplate(labName("Lab Expired Root CA"), RSA("lab-expired-root")).Until(Date(2021, 1, 1)).Issue(nil)
	p.ExpiredSigner = LabSignerTemplate().Until(Date(2022, 1, 1)).Issue(p.Root)
	return &p
}

// pair is a root and a signer below it.
func pair(name string, rootKey, signerKey *Key) (root, signer *Authority) {
	root = RootTemplate(labName("Lab "+name+" Root CA"), rootKey).Issue(nil)
	return root, SignerTemplate(labSignerName("Lab "+name+" Bundle Signer"), signerKey).Issue(root)
}

// Roots returns the roots that vectors and fixtures are verified under, by the name that a vector's `root:` line gives.
// Below testdata/bundles the file of root NAME is lab-NAME-root.pem; that of "lab" is lab-root.pem.
func (p *PKI) Roots() map[string]*Authority {
	return map[string]*Authority{
		"lab":     p.Root,
		"sha1":    p.SHA1Root,
		"p256":    p.P256Root,
		"p384":    p.P384Root,
		"p521":    p.P521Root,
		"ed25519": p.Ed25519Root,
		"other":   p.OtherRoot,
		"pathlen": p.PathLenRoot,
		"expired": p.ExpiredRoot,
	}
}

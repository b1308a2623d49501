package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/youmark/pkcs8"
	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
	"software.sslmate.com/src/go-pkcs12"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
)

// maxChain is how many certificates of a signer are taken. Genuine ones have two.
const maxChain = 10

// An Identity is who signs.
type Identity struct {
	Key crypto.Signer // may be a crypto.MessageSigner
	// Certificates are the key's own and those above it, each signed by the next,
	// up to the root or as far as there are any. They go into the message.
	Certificates []*certificate.Certificate

	close func() error
}

// Close lets go of a token.
func (id *Identity) Close() error {
	if id.close == nil {
		return nil
	}
	return id.close()
}

// NewIdentity puts a key and its certificates together. The first certificate is
// the key's own; the others are brought into order, and each must be above it.
func NewIdentity(key crypto.Signer, certs []*certificate.Certificate) (*Identity, error) {
	if len(certs) == 0 {
		return nil, errors.New("no certificate for the key")
	}
	if len(certs) > maxChain {
		return nil, fmt.Errorf("%d certificates for one signer, more than %d: give its own and those above it", len(certs), maxChain)
	}
	for i, c := range certs {
		if c.Err != nil {
			return nil, fmt.Errorf("certificate %d of the signer's is none: %w", i+1, c.Err)
		}
	}
	id := &Identity{Key: key, Certificates: certs[:1:1]}
	for rest := certs[1:]; len(rest) > 0; {
		last := id.Certificates[len(id.Certificates)-1]
		next, err := issuerOf(last, rest)
		if err != nil {
			return nil, err
		}
		id.Certificates = append(id.Certificates, rest[next])
		rest = append(rest[:next:next], rest[next+1:]...)
	}
	return id, id.check()
}

// issuerOf finds the certificate with the key that signed c.
func issuerOf(c *certificate.Certificate, among []*certificate.Certificate) (int, error) {
	err := fmt.Errorf("the certificate %s is not above the signer %s: leave it out", among[0].Subject, c.Subject)
	for i, issuer := range among {
		if !bytes.Equal(issuer.Subject, c.Issuer) || issuer.SHA256 == c.SHA256 {
			continue
		}
		_, r := path.CheckLink(c, issuer)
		if r == nil {
			return i, nil
		}
		err = r.Err
	}
	return 0, err
}

// KeyOptions say how to open a key. The zero value opens what needs no secret.
type KeyOptions struct {
	// Passphrase gives the secret of a file, or the PIN of a token. It is called
	// if one is needed, with what needs it in words.
	Passphrase func(what string) ([]byte, error)
	// Module is the PKCS#11 library of a token if its URI has no module-path.
	Module string
	// Timeout is how long a command may take; DefaultCommandTimeout if zero.
	Timeout time.Duration
	// NoExec refuses a key that RunsCode, with ErrNoExec.
	NoExec bool
}

// ErrNoExec is the error for a key that is refused because of KeyOptions.NoExec.
var ErrNoExec = errors.New("the key runs a command or a library that it names, which is not allowed here")

// RunsCode reports whether opening or using a key, as OpenIdentity takes its name,
// runs code that the name chooses: a command, or the library of a token.
func RunsCode(name string) bool {
	if strings.HasPrefix(name, execScheme) {
		return true
	}
	if !strings.HasPrefix(name, pkcs11Scheme) {
		return false
	}
	uri, err := parseTokenURI(name)
	return err == nil && uri.module != "" // one that cannot be parsed is refused anyway
}

// DefaultCommandTimeout leaves time to enter a PIN or to touch a token.
const DefaultCommandTimeout = 5 * time.Minute

// MaxKeyFile is how large a file with a key may be.
const MaxKeyFile = 1 << 20

// What a key's name begins with if it is not a file.
const (
	execScheme   = "exec:"
	pkcs11Scheme = "pkcs11:"
)

// OpenIdentity opens a key and puts it together with its certificates:
//
//	PATH           a file that ReadKey reads; if certs is empty, its certificates count
//	exec:COMMAND   a command that signs, see ExecKey
//	pkcs11:…       a key on a token (RFC 7512), in builds with the tag pkcs11
//
// The context ends a command that takes too long. Close the identity after use.
func OpenIdentity(ctx context.Context, name string, certs []*certificate.Certificate, o KeyOptions) (*Identity, error) {
	fail := func(err error) (*Identity, error) { return nil, fmt.Errorf("%s: %w", label(name), err) }
	if o.NoExec && RunsCode(name) {
		return fail(ErrNoExec)
	}
	if command, ok := strings.CutPrefix(name, execScheme); ok {
		if len(certs) == 0 {
			return nil, errors.New("no certificate for the command's key")
		}
		public, err := path.PublicKey(certs[0])
		if err != nil {
			return nil, fmt.Errorf("the key of %s (%s) cannot be used: %w", certs[0].Subject, certs[0].PublicKey, err)
		}
		key, err := ExecKey(ctx, command, public, o.Timeout)
		if err != nil {
			return fail(err)
		}
		return NewIdentity(key, certs)
	}
	if strings.HasPrefix(name, pkcs11Scheme) {
		uri, err := parseTokenURI(name)
		if err != nil {
			return fail(err)
		}
		key, closeToken, err := openToken(uri, o)
		if err != nil {
			return fail(err)
		}
		id, err := NewIdentity(key, certs)
		if err != nil {
			return nil, errors.Join(err, closeToken())
		}
		id.close = closeToken
		return id, nil
	}
	data, err := readKeyFile(name)
	if err != nil {
		return nil, err
	}
	key, own, err := ReadKey(data, o)
	if err != nil {
		return fail(err)
	}
	if len(certs) == 0 {
		certs = own
	}
	return NewIdentity(key, certs)
}

// label names a key in errors, without what a command or URI may hold of secrets.
func label(name string) string {
	switch {
	case strings.HasPrefix(name, execScheme):
		return "exec"
	case strings.HasPrefix(name, pkcs11Scheme):
		return "pkcs11"
	}
	return name
}

func readKeyFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	data, err := io.ReadAll(io.LimitReader(f, MaxKeyFile+1))
	if err != nil {
		return nil, err
	}
	if len(data) > MaxKeyFile {
		return nil, fmt.Errorf("%s: more than %d bytes, which is not a file with a key", path, MaxKeyFile)
	}
	return data, nil
}

// ReadKey reads the one private key of a file, and the certificates in it: PEM
// with PKCS #8 (RFC 5958), encrypted or not, PKCS #1 (RFC 8017) or SEC 1 (RFC
// 5915), or PKCS #12 (RFC 7292), whose key's own certificate comes first.
func ReadKey(data []byte, o KeyOptions) (crypto.Signer, []*certificate.Certificate, error) {
	var key any
	var certs []*certificate.Certificate
	var err error
	if len(data) > 0 && data[0] == 0x30 {
		key, certs, err = readPKCS12(data, o)
	} else {
		key, certs, err = readPEMKey(data, o)
	}
	if err != nil {
		return nil, nil, err
	}
	signer, err := supported(key)
	return signer, certs, err
}

// supported is the key if it is of a kind that signs bundles.
func supported(key any) (crypto.Signer, error) {
	switch k := key.(type) {
	case *rsa.PrivateKey:
		return k, nil
	case ed25519.PrivateKey:
		return k, nil
	case *ecdsa.PrivateKey:
		if curveHash(k.Curve) == 0 {
			return nil, fmt.Errorf("an ECDSA key on %s, which is not P-256, P-384 or P-521", k.Curve.Params().Name)
		}
		return k, nil
	}
	return nil, fmt.Errorf("a key (%T) that is not RSA, ECDSA or Ed25519", key)
}

func readPEMKey(data []byte, o KeyOptions) (key any, certs []*certificate.Certificate, err error) {
	found := false
	for {
		var block *pem.Block
		if block, data = pem.Decode(data); block == nil {
			break
		}
		if block.Type == "CERTIFICATE" {
			certs = append(certs, certificate.Read(block.Bytes))
			continue
		}
		if !strings.HasSuffix(block.Type, "PRIVATE KEY") { // EC PARAMETERS, a public key
			continue
		}
		if found {
			return nil, nil, errors.New("more than one private key in it")
		}
		found = true
		if key, err = readPEMBlock(block, o); err != nil {
			return nil, nil, err
		}
	}
	if !found {
		return nil, nil, errors.New("no private key in it, neither as PEM nor as PKCS#12")
	}
	return key, certs, nil
}

func readPEMBlock(block *pem.Block, o KeyOptions) (any, error) {
	if block.Headers["DEK-Info"] != "" {
		return nil, errors.New("the key is encrypted in the way of old OpenSSL, which a guess breaks: convert it with openssl pkcs8 -topk8")
	}
	switch block.Type {
	case "PRIVATE KEY":
		return x509.ParsePKCS8PrivateKey(block.Bytes)
	case "RSA PRIVATE KEY":
		return x509.ParsePKCS1PrivateKey(block.Bytes)
	case "EC PRIVATE KEY":
		return x509.ParseECPrivateKey(block.Bytes)
	case "ENCRYPTED PRIVATE KEY":
		return decryptPKCS8(block.Bytes, o)
	}
	return nil, fmt.Errorf("a PEM block %q, which is not a private key known here: convert it with openssl pkcs8 -topk8", block.Type)
}

func (o KeyOptions) passphrase(what string) ([]byte, error) {
	if o.Passphrase == nil {
		return nil, fmt.Errorf("%s is encrypted, and there is no passphrase", what)
	}
	return o.Passphrase(what)
}

func decryptPKCS8(der []byte, o KeyOptions) (key any, err error) {
	if err := checkCost(der); err != nil {
		return nil, err
	}
	passphrase, err := o.passphrase("the key")
	if err != nil {
		return nil, err
	}
	if len(passphrase) == 0 {
		return nil, errors.New("the passphrase is empty")
	}
	err = unpanicked(func() error {
		key, err = pkcs8.ParsePKCS8PrivateKey(der, passphrase)
		return err
	})
	if err != nil && strings.Contains(err.Error(), "incorrect password") {
		return nil, errors.New("the passphrase is wrong")
	}
	if err != nil {
		return nil, fmt.Errorf("the key cannot be decrypted: %w", err)
	}
	return key, nil
}

func readPKCS12(data []byte, o KeyOptions) (key any, certs []*certificate.Certificate, err error) {
	if err := checkCost(data); err != nil {
		return nil, nil, err
	}
	var own *x509.Certificate
	var above []*x509.Certificate
	decode := func(passphrase string) error {
		return unpanicked(func() (err error) {
			key, own, above, err = pkcs12.DecodeChain(data, passphrase)
			return err
		})
	}
	err = decode("") // many are not protected
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		passphrase, perr := o.passphrase("the PKCS#12 file")
		if perr != nil {
			return nil, nil, perr
		}
		err = decode(string(passphrase))
	}
	if errors.Is(err, pkcs12.ErrIncorrectPassword) || errors.Is(err, pkcs12.ErrDecryption) {
		return nil, nil, errors.New("the passphrase is wrong")
	}
	if err != nil {
		return nil, nil, fmt.Errorf("not a PKCS#12 file with one key and its certificate: %w", err)
	}
	for _, c := range append([]*x509.Certificate{own}, above...) {
		certs = append(certs, certificate.Read(c.Raw))
	}
	return key, certs, nil
}

// unpanicked makes an error of a panic: the libraries that decrypt trust the
// lengths that a file states.
func unpanicked(f func() error) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("it is damaged: %v", r)
		}
	}()
	return f()
}

// Limits on what a file may ask for before its key comes out. Usual are 2,048 to
// 600,000 iterations, and for scrypt 131,072 blocks, which are 16 MiB.
const (
	maxIterations = 2_000_000 // of a hash, over all of the file
	maxScrypt     = 4 << 20   // blocks of 128 bytes, as often as they are written
	maxCostDepth  = 32
)

// checkCost asks that a key be decrypted in bounded time and memory. Wherever a
// derivation states its cost, an INTEGER follows the salt, an OCTET STRING:
// PBKDF2-params and PBEParameter (RFC 8018 appendix A), scrypt-params (RFC 7914
// section 7), MacData (RFC 7292 section 4).
func checkCost(der []byte) error {
	left := int64(maxIterations)
	return spend(der, &left, maxCostDepth)
}

func spend(der cryptobyte.String, left *int64, depth int) error {
	if depth == 0 {
		return errors.New("nested too deep for a key")
	}
	salt := false
	var numbers []int64
	for !der.Empty() {
		rest := der
		var body cryptobyte.String
		var tag asn1.Tag
		if !der.ReadAnyASN1(&body, &tag) {
			break // not DER: nothing reads on here
		}
		switch {
		case tag == asn1.INTEGER && salt:
			var n int64
			if !rest.ReadASN1Integer(&n) || n < 0 || n > maxIterations {
				return errCost
			}
			numbers = append(numbers, n)
			continue
		case tag == asn1.OCTET_STRING:
			salt = true
			inner := body // of PKCS #12, whose parts are wrapped; otherwise it is a salt or encrypted
			if !inner.SkipASN1(asn1.SEQUENCE) || !inner.Empty() {
				continue
			}
		case tag&0x20 == 0: // primitive
			continue
		}
		if err := spend(body, left, depth-1); err != nil {
			return err
		}
	}
	if len(numbers) == 0 {
		return nil
	}
	if len(numbers) >= 3 && (numbers[0]*numbers[1] > maxScrypt || numbers[0]*numbers[1]*numbers[2] > maxScrypt) { // N, r, p
		return errCost
	}
	if *left -= numbers[0]; *left < 0 {
		return errCost
	}
	return nil
}

var errCost = errors.New("it asks for more work to decrypt than any genuine file does")

package signing_test

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/pem"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/youmark/pkcs8"
	"software.sslmate.com/src/go-pkcs12"

	"trustpool/internal/cms"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/signing"
)

const secret = "correct horse"

// asked counts how often the passphrase is asked for.
func asking(answer string, asked *int) signing.KeyOptions {
	return signing.KeyOptions{Passphrase: func(string) ([]byte, error) {
		*asked++
		return []byte(answer), nil
	}}
}

func block(kind string, der []byte, err error) []byte {
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der})
}

// keyFiles are files with the keys of signers, in every form.
func keyFiles(t testing.TB) map[string][]byte {
	t.Helper()
	lab := pkitest.Lab()
	rsaKey, ecKey := lab.Signer.Key.Signer.(*rsa.PrivateKey), lab.P384Signer.Key.Signer.(*ecdsa.PrivateKey)
	files := map[string][]byte{"RSA PKCS#1": block("RSA PRIVATE KEY", x509.MarshalPKCS1PrivateKey(rsaKey), nil)}
	der, err := x509.MarshalECPrivateKey(ecKey)
	files["P-384 SEC 1"] = append([]byte("-----BEGIN EC PARAMETERS-----\nBgUrgQQAIg==\n-----END EC PARAMETERS-----\n"), block("EC PRIVATE KEY", der, err)...)
	for name, a := range signers() {
		files[name+" PKCS#8"] = a.Key.PEM()
		der, err := pkcs8.MarshalPrivateKey(a.Key.Signer, []byte(secret), nil)
		files[name+" encrypted PKCS#8"] = block("ENCRYPTED PRIVATE KEY", der, err)

		var certs []*x509.Certificate
		for _, der := range a.Chain() {
			c, err := x509.ParseCertificate(der)
			if err != nil {
				t.Fatal(err)
			}
			certs = append(certs, c)
		}
		for encoder, e := range map[string]*pkcs12.Encoder{"modern": pkcs12.Modern, "old": pkcs12.LegacyDES, "open": pkcs12.Passwordless} {
			passphrase := secret
			if encoder == "open" {
				passphrase = ""
			}
			file, err := e.Encode(a.Key.Signer, certs[0], certs[1:], passphrase)
			if err != nil {
				t.Fatal(err)
			}
			files[name+" PKCS#12 "+encoder] = file
		}
	}
	return files
}

func TestReadKey(t *testing.T) {
	t.Parallel()
	for name, data := range keyFiles(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			kind, _, _ := strings.Cut(name, " ")
			a := signers()[kind]
			protected := strings.Contains(name, "encrypted") || strings.Contains(name, "modern") || strings.Contains(name, "old")

			asked := 0
			key, certs, err := signing.ReadKey(data, asking(secret, &asked))
			if err != nil {
				t.Fatal(err)
			}
			if !key.Public().(interface{ Equal(crypto.PublicKey) bool }).Equal(a.Key.Signer.Public()) {
				t.Error("another key")
			}
			if (asked == 1) != protected {
				t.Errorf("asked %d times for the passphrase", asked)
			}
			if strings.Contains(name, "PKCS#12") {
				if len(certs) != len(a.Chain()) {
					t.Fatalf("%d certificates", len(certs))
				}
				id, err := signing.NewIdentity(key, certs)
				if err != nil {
					t.Fatal(err)
				}
				sign(t, id)
			} else if certs != nil {
				t.Errorf("%d certificates", len(certs))
			}
			if !protected {
				return
			}
			if _, _, err := signing.ReadKey(data, asking("wrong", &asked)); err == nil || err.Error() != "the passphrase is wrong" {
				t.Errorf("with a wrong passphrase: %v", err)
			}
			if _, _, err := signing.ReadKey(data, signing.KeyOptions{}); err == nil || !strings.Contains(err.Error(), "is encrypted, and there is no passphrase") {
				t.Errorf("without a passphrase: %v", err)
			}
			gone := errors.New("nobody there")
			_, _, err = signing.ReadKey(data, signing.KeyOptions{Passphrase: func(string) ([]byte, error) { return nil, gone }})
			if !errors.Is(err, gone) {
				t.Errorf("where nobody answers: %v", err)
			}
		})
	}
}

// The files that OpenSSL writes.
func TestReadKeyOfOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	dir := t.TempDir()
	lab := pkitest.Lab()
	key, chain := filepath.Join(dir, "key.pem"), filepath.Join(dir, "chain.pem")
	for path, data := range map[string][]byte{key: lab.P256Signer.Key.PEM(), chain: append(lab.P256Signer.PEM(), lab.P256Root.PEM()...)} {
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, args := range map[string][]string{
		"PKCS#8":         {"pkcs8", "-topk8", "-in", key, "-passout", "pass:" + secret},
		"PKCS#8 scrypt":  {"pkcs8", "-topk8", "-in", key, "-passout", "pass:" + secret, "-scrypt"},
		"PKCS#8 DES":     {"pkcs8", "-topk8", "-in", key, "-passout", "pass:" + secret, "-v2", "des3"},
		"PKCS#12":        {"pkcs12", "-export", "-in", chain, "-inkey", key, "-passout", "pass:" + secret},
		"PKCS#12 legacy": {"pkcs12", "-export", "-in", chain, "-inkey", key, "-passout", "pass:" + secret, "-certpbe", "PBE-SHA1-3DES", "-keypbe", "PBE-SHA1-3DES", "-macalg", "sha1"},
	} {
		asked := 0
		got, _, err := signing.ReadKey(tooltest.Run(t, nil, "openssl", args...), asking(secret, &asked))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if !got.Public().(*ecdsa.PublicKey).Equal(lab.P256Signer.Key.Signer.Public()) {
			t.Errorf("%s: another key", name)
		}
	}
	old := tooltest.Run(t, nil, "openssl", "ec", "-in", key, "-aes128", "-passout", "pass:"+secret)
	if _, _, err := signing.ReadKey(old, signing.KeyOptions{}); err == nil || !strings.Contains(err.Error(), "convert it with openssl pkcs8 -topk8") {
		t.Errorf("an old encrypted key: %v", err)
	}
}

func TestReadKeyRefuses(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	p224, err := x509.MarshalPKCS8PrivateKey(pkitest.ECDSA("p224", elliptic.P224()).Signer)
	if err != nil {
		t.Fatal(err)
	}
	// Each asks for minutes, or for gigabytes.
	costly := func(kdf []byte) []byte {
		cipher := seq(oid(2, 16, 840, 1, 101, 3, 4, 1, 42), tlv(4, make([]byte, 16)))
		pbes2 := seq(oid(1, 2, 840, 113549, 1, 5, 13), seq(kdf, cipher))
		return block("ENCRYPTED PRIVATE KEY", seq(pbes2, tlv(4, make([]byte, 48))), nil)
	}
	salt := tlv(4, []byte("saltsalt"))
	pbkdf2 := seq(oid(1, 2, 840, 113549, 1, 5, 12), seq(salt, tlv(2, []byte{0x40, 0, 0, 0})))
	trailing := seq(oid(1, 2, 840, 113549, 1, 5, 12), seq(salt, tlv(2, []byte{0x40, 0, 0, 0}), []byte{0xff}))
	scrypt := seq(oid(1, 3, 6, 1, 4, 1, 11591, 4, 11), seq(salt, tlv(2, []byte{0x10, 0, 0}), tlv(2, []byte{64}), tlv(2, []byte{1})))
	parallel := seq(oid(1, 3, 6, 1, 4, 1, 11591, 4, 11), seq(salt, tlv(2, []byte{2}), tlv(2, []byte{1}), tlv(2, []byte{0x50, 0, 0})))
	negative := seq(oid(1, 2, 840, 113549, 1, 5, 12), seq(salt, tlv(2, []byte{0x80, 0, 0})))
	short := seq(oid(1, 2, 840, 113549, 1, 5, 12), seq(salt, tlv(2, []byte{8})))
	asked := 0
	for name, c := range map[string]struct {
		data []byte
		want string
	}{
		"nothing":     {nil, "no private key in it"},
		"certificate": {lab.Signer.PEM(), "no private key in it"},
		"two":         {append(lab.Signer.Key.PEM(), lab.Root.Key.PEM()...), "more than one private key in it"},
		"curve":       {block("PRIVATE KEY", p224, nil), "on P-224, which is not P-256, P-384 or P-521"},
		"OpenSSH":     {block("OPENSSH PRIVATE KEY", []byte("openssh-key-v1"), nil), "convert it"},
		"damaged":     {block("PRIVATE KEY", []byte{0x30, 1}, nil), "asn1"},
		"DER":         {lab.Signer.DER, "not a PKCS#12 file"},
		"PBKDF2":      {costly(pbkdf2), "more work to decrypt"},
		"trailing":    {costly(trailing), "more work to decrypt"},
		"scrypt":      {costly(scrypt), "more work to decrypt"},
		"parallel":    {costly(parallel), "more work to decrypt"},
		"negative":    {costly(negative), "more work to decrypt"},
		"zeroes":      {costly(short), "the passphrase is wrong"},
		"short":       {block("ENCRYPTED PRIVATE KEY", seq(seq(oid(1, 2, 840, 113549, 1, 5, 13), seq(short, seq(oid(2, 16, 840, 1, 101, 3, 4, 1, 42), tlv(4, nil)))), tlv(4, []byte{1})), nil), "it is damaged"},
	} {
		if _, _, err := signing.ReadKey(c.data, asking(secret, &asked)); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %q", name, err, c.want)
		}
	}
	if _, _, err := signing.ReadKey(keyFiles(t)["RSA encrypted PKCS#8"], asking("", &asked)); err == nil || err.Error() != "the passphrase is empty" {
		t.Errorf("an empty passphrase: %v", err)
	}
}

func tlv(tag byte, body []byte) []byte { return cms.AppendTLV(nil, tag, body) }

func seq(parts ...[]byte) []byte { return tlv(0x30, bytes.Join(parts, nil)) }

func oid(arcs ...int) []byte {
	der, err := asn1.Marshal(asn1.ObjectIdentifier(arcs))
	if err != nil {
		panic(err)
	}
	return der
}

func TestOpenIdentity(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	dir := t.TempDir()
	path := func(name string, data []byte) string {
		file := filepath.Join(dir, name)
		if err := os.WriteFile(file, data, 0o600); err != nil {
			t.Fatal(err)
		}
		return file
	}
	key := path("key.pem", lab.Signer.Key.PEM())
	all := path("all.pem", append(append(lab.Signer.PEM(), lab.Root.PEM()...), lab.Signer.Key.PEM()...))
	ctx := context.Background()
	for name, open := range map[string]func() (*signing.Identity, error){
		"key and certificates": func() (*signing.Identity, error) {
			return signing.OpenIdentity(ctx, key, certificates(t, lab.Signer), signing.KeyOptions{})
		},
		"one file": func() (*signing.Identity, error) { return signing.OpenIdentity(ctx, all, nil, signing.KeyOptions{}) },
	} {
		id, err := open()
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		sign(t, id)
		if err := id.Close(); err != nil {
			t.Error(err)
		}
	}
	for name, want := range map[string]string{
		filepath.Join(dir, "none"):               "no such file",
		path("large", make([]byte, 1<<20+1)):     "more than 1048576 bytes",
		path("text", []byte("hello")):            "text: no private key in it",
		"pkcs11:token=t;object=k?pin-value=1234": "pkcs11: pin-value would show the PIN",
		"exec:  ":                                "exec: no command",
		key + "x":                                "no such file",
	} {
		if _, err := signing.OpenIdentity(ctx, name, certificates(t, lab.Signer), signing.KeyOptions{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", name, err, want)
		}
	}
	for _, name := range []string{key, "exec:true"} {
		if _, err := signing.OpenIdentity(ctx, name, nil, signing.KeyOptions{}); err == nil || !strings.Contains(err.Error(), "no certificate for the") {
			t.Errorf("%s without a certificate: %v", name, err)
		}
	}
}

func FuzzReadKey(f *testing.F) {
	for _, data := range keyFiles(f) {
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		asked := 0
		key, certs, err := signing.ReadKey(data, asking(secret, &asked))
		if err != nil && (key != nil || certs != nil) {
			t.Error("an error, and a key")
		}
		if err == nil && key == nil {
			t.Error("neither an error nor a key")
		}
	})
}

package signing_test

import (
	"context"
	"crypto/x509"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/signing"
)

// softHSM is where Debian's package softhsm2 puts the library.
const softHSM = "/usr/lib/softhsm/libsofthsm2.so"

const tokenPIN = "24680"

// A tokenKey is a key that was made on a token, and never elsewhere.
type tokenKey struct {
	kind  string // as pkcs11-tool names it
	label string
	id    string
	certs []*certificate.Certificate
}

// newToken makes a token in a SoftHSM of its own, keys on it, and certificates
// for the keys. It sets the environment, so the test cannot run beside others.
func newToken(t *testing.T) []tokenKey {
	t.Helper()
	tooltest.Need(t, "softhsm2-util", "pkcs11-tool", "openssl")
	dir := t.TempDir()
	tokens, conf := filepath.Join(dir, "tokens"), filepath.Join(dir, "softhsm2.conf")
	if err := os.Mkdir(tokens, 0o700); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(conf, fmt.Appendf(nil, "directories.tokendir = %s\nlog.level = ERROR\n", tokens), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("SOFTHSM2_CONF", conf)
	t.Setenv("TOKEN_PIN", tokenPIN)
	tooltest.Run(t, nil, "softhsm2-util", "--init-token", "--free", "--label", "lab token", "--pin", tokenPIN, "--so-pin", "13579")
	keys := []tokenKey{
		{kind: "rsa:2048", label: "rsa key", id: "a1"},
		{kind: "EC:prime256v1", label: "p256 key", id: "b2"},
	}
	for i := range keys {
		k := &keys[i]
		tool := func(args ...string) []byte {
			return tooltest.Run(t, nil, "pkcs11-tool", append([]string{
				"--module", softHSM, "--token-label", "lab token", "--login", "--pin", "env:TOKEN_PIN", "--label", k.label, "--id", k.id,
			}, args...)...)
		}
		tool("--keypairgen", "--key-type", k.kind, "--usage-sign")
		public, err := x509.ParsePKIXPublicKey(tool("--read-object", "--type", "pubkey"))
		if err != nil {
			t.Fatal(err)
		}
		root, signer, err := signing.NewLab(pkitest.RSA("lab-root").Signer, public, labOptions())
		if err != nil {
			t.Fatal(err)
		}
		for _, der := range [][]byte{signer, root} {
			b, err := bundle.Parse(der)
			if err != nil {
				t.Fatal(err)
			}
			k.certs = append(k.certs, b.Certificates[0])
		}
	}
	return keys
}

// exec: with pkcs11-tool signs with keys on a token, in every build.
func TestExecToken(t *testing.T) {
	for _, k := range newToken(t) {
		tool := "pkcs11-tool --module " + softHSM + " --token-label 'lab token' --login --pin env:TOKEN_PIN --id " + k.id + " --sign "
		command := tool + "--mechanism SHA256-RSA-PKCS"
		if k.kind != "rsa:2048" { // SoftHSM signs digests alone
			command = "openssl dgst -$TRUSTPOOL_HASH -binary | " + tool + "--mechanism ECDSA --signature-format openssl"
		}
		id, err := signing.OpenIdentity(context.Background(), "exec:"+command, k.certs, signing.KeyOptions{})
		if err != nil {
			t.Fatal(err)
		}
		if _, err := signing.Sign(pool(t), id, options()); err != nil {
			t.Errorf("%s: %v", k.kind, err)
		}
	}
}

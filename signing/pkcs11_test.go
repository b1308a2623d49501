//go:build pkcs11

package signing_test

import (
	"bytes"
	"context"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/signing"
)

// A key that was made on a token signs, found in each way.
func TestToken(t *testing.T) {
	keys := newToken(t)
	pins := t.TempDir()
	pin, wrong := filepath.Join(pins, "the pin"), filepath.Join(pins, "wrong")
	for path, text := range map[string]string{pin: tokenPIN + "\n", wrong: "00000\n"} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	module := "?module-path=" + softHSM
	source := "&pin-source=file:" + url.PathEscape(pin)
	for _, k := range keys {
		object := "object=" + url.PathEscape(k.label)
		asked := 0
		for uri, o := range map[string]signing.KeyOptions{
			"token=lab%20token;" + object + ";type=private" + module + source:                     {},
			"token=lab%20token;id=%" + k.id + module + source:                                     {},
			"token=lab%20token;" + object + ";id=%" + k.id + "?pin-source=" + url.PathEscape(pin): {Module: softHSM},
			"token=lab%20token;" + object + module:                                                asking(tokenPIN, &asked),
		} {
			id, err := signing.OpenIdentity(context.Background(), "pkcs11:"+uri, k.certs, o)
			if err != nil {
				t.Errorf("%s: %v", uri, err)
				continue
			}
			first, err := signing.Sign(pool(t), id, options())
			if err != nil {
				t.Errorf("%s: %v", uri, err)
			}
			second, err := signing.Sign(pool(t), id, options())
			if err != nil {
				t.Errorf("%s: %v", uri, err)
			}
			if k.kind == "rsa:2048" && !bytes.Equal(first, second) {
				t.Error("signed twice with RSA, it differs")
			}
			if err := id.Close(); err != nil {
				t.Error(err)
			}
		}
		if asked != 1 {
			t.Errorf("asked %d times for the PIN", asked)
		}
	}
	missing := filepath.Join(t.TempDir(), "pin")
	for uri, want := range map[string]string{
		"token=gone;object=x" + module + source:                             "the token (library " + softHSM + "): could not find PKCS#11 token",
		"token=lab%20token;object=gone" + module + source:                   `no key "gone" on the token`,
		"token=lab%20token;id=%FF" + module + source:                        "no key with the id ff on the token",
		"token=lab%20token;id=%a1?module-path=/nonexistent.so" + source:     "the token (library /nonexistent.so): ",
		"token=lab%20token;id=%a1?" + source[1:]:                            "no PKCS#11 library",
		"token=lab%20token;id=%a1" + module + "&pin-source=file:" + missing: "pin-source: open " + missing + ": no such file",
		"token=lab%20token;id=%a1" + module:                                 "no PIN for the token",
		"token=lab%20token;id=%a1" + module + "&pin-source=file:" + wrong:   "CKR_PIN_INCORRECT",
		"token=lab%20token;id=%b2" + module + source:                        "key and certificate do not match",
	} {
		_, err := signing.OpenIdentity(context.Background(), "pkcs11:"+uri, keys[0].certs, signing.KeyOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v, want %q", uri, err, want)
		}
	}
}

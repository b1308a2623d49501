//go:build pkcs11

package signing

import (
	"bytes"
	"crypto"
	"errors"
	"fmt"
	"strings"

	"github.com/ThalesGroup/crypto11"
)

// openToken logs in to a token and finds the key. Its public half, or its
// certificate, must lie beside it.
func openToken(u tokenURI, o KeyOptions) (crypto.Signer, func() error, error) {
	module := u.module
	if module == "" {
		module = o.Module
	}
	if module == "" {
		return nil, nil, errors.New("no PKCS#11 library: add ?module-path=FILE to the URI")
	}
	pin, err := u.pin(o)
	if err != nil {
		return nil, nil, err
	}
	token, err := crypto11.Configure(&crypto11.Config{
		Path: module, TokenLabel: u.token, TokenSerial: u.serial, SlotNumber: u.slot, Pin: pin,
		MaxSessions: 2, // one stays open, one signs
	})
	if err != nil {
		return nil, nil, fmt.Errorf("the token (library %s): %w", module, err)
	}
	fail := func(err error) (crypto.Signer, func() error, error) {
		return nil, nil, errors.Join(err, token.Close())
	}
	var label []byte
	if u.object != "" {
		label = []byte(u.object)
	}
	keys, err := token.FindKeyPairs(u.id, label)
	switch {
	case err != nil:
		return fail(fmt.Errorf("the token's keys: %w", err))
	case len(keys) == 0:
		return fail(fmt.Errorf("no key %son the token", u.key()))
	case len(keys) > 1:
		return fail(fmt.Errorf("%d keys %son the token: name one by id", len(keys), u.key()))
	}
	return keys[0], token.Close, nil
}

// pin is the token's PIN, from the file of pin-source or as a passphrase.
func (u tokenURI) pin(o KeyOptions) (string, error) {
	if u.pinFile == "" {
		if o.Passphrase == nil {
			return "", errors.New("no PIN for the token: add ?pin-source=file:PATH to the URI")
		}
		pin, err := o.Passphrase("the token")
		return string(pin), err
	}
	data, err := readKeyFile(u.pinFile)
	if err != nil {
		return "", fmt.Errorf("pin-source: %w", err)
	}
	pin, _, _ := bytes.Cut(data, []byte("\n"))
	return string(bytes.TrimSuffix(pin, []byte("\r"))), nil
}

func (u tokenURI) key() string {
	var b strings.Builder
	if u.object != "" {
		fmt.Fprintf(&b, "%q ", u.object)
	}
	if len(u.id) > 0 {
		fmt.Fprintf(&b, "with the id %x ", u.id)
	}
	return b.String()
}

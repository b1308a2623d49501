//go:build !pkcs11

package signing

import (
	"crypto"
	"errors"
)

// openToken is in builds with the tag pkcs11, which need cgo.
func openToken(tokenURI, KeyOptions) (crypto.Signer, func() error, error) {
	return nil, nil, errors.New("this build does not speak to tokens: build with CGO_ENABLED=1 go build -tags pkcs11 ./cmd/trustpool, or sign with exec: and the token's own tool")
}

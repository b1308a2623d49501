//go:build !pkcs11

package signing_test

import (
	"context"
	"strings"
	"testing"

	"trustpool/internal/pkitest"
	"trustpool/signing"
)

// A build without tokens says how to sign with one.
func TestNoToken(t *testing.T) {
	t.Parallel()
	_, err := signing.OpenIdentity(context.Background(), "pkcs11:token=t;object=k", certificates(t, pkitest.Lab().Signer), signing.KeyOptions{})
	if err == nil || !strings.Contains(err.Error(), "-tags pkcs11") || !strings.Contains(err.Error(), "exec:") {
		t.Errorf("got %v", err)
	}
}

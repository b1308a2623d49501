package signing_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/signing"
)

func execIdentity(ctx context.Context, t *testing.T, command string, a *pkitest.Authority, o signing.KeyOptions) *signing.Identity {
	t.Helper()
	id, err := signing.OpenIdentity(ctx, "exec:"+command, certificates(t, a), o)
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// openssl dgst is a command that signs; what it makes with RSA is what the key
// itself makes.
func TestExec(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	for name, a := range signers() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			key := filepath.Join(dir, "the key.pem")
			if err := os.WriteFile(key, a.Key.PEM(), 0o600); err != nil {
				t.Fatal(err)
			}
			command := `openssl dgst -"$TRUSTPOOL_HASH" -sign '` + key + `'`
			if name == "Ed25519" { // which openssl signs only from a file
				command = `test "$TRUSTPOOL_HASH" = none && f='` + dir + `/in' && cat >"$f" && openssl pkeyutl -sign -rawin -in "$f" -inkey '` + key + `'`
			}
			out := sign(t, execIdentity(context.Background(), t, command, a, signing.KeyOptions{}))
			if name == "RSA" || name == "Ed25519" {
				if !bytes.Equal(out, sign(t, identity(t, a))) {
					t.Error("not what the key itself signs")
				}
			}
		})
	}
}

func TestExecRefuses(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	for name, c := range map[string]struct {
		signer  *pkitest.Authority
		command string
		want    string
	}{
		"fails":       {lab.Signer, `printf 'token\033[31m is gone\n\nsecond\n' >&2; exit 3`, `the command failed: exit status 3: token\x1b[31m is gone; second`},
		"missing":     {lab.Signer, "/nonexistent/signer", "exit status 127: "},
		"silent":      {lab.Signer, "cat >/dev/null", "the command wrote no signature"},
		"not reading": {lab.Signer, "true", "the command wrote no signature"},
		"endless":     {lab.Signer, "yes | head -c 1000000", "wrote more than 4096 bytes"},
		"newline":     {lab.Signer, "head -c 257 /dev/zero", "the command wrote 257 bytes, and a signature of this RSA key has 256"},
		"raw ECDSA":   {lab.P256Signer, "head -c 64 /dev/zero", "--signature-format openssl"},
		"wrong":       {lab.Signer, "head -c 256 /dev/zero", "key and certificate do not match, or"},
		"long":        {lab.Signer, "yes x | tr -d '\\n' | head -c 100000 >&2; false", "xxxx …"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			id := execIdentity(context.Background(), t, c.command, c.signer, signing.KeyOptions{})
			_, err := signing.Sign(pool(t), id, options())
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
			if err != nil && len(err.Error()) > 500 {
				t.Errorf("an error of %d bytes", len(err.Error()))
			}
		})
	}
}

func TestExecStops(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	id := execIdentity(context.Background(), t, "sleep 60", lab.Signer, signing.KeyOptions{Timeout: 50 * time.Millisecond})
	if _, err := signing.Sign(pool(t), id, options()); err == nil || !strings.Contains(err.Error(), "took longer than 50ms and was stopped") {
		t.Errorf("a command that hangs: %v", err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	id = execIdentity(ctx, t, "sleep 60", lab.Signer, signing.KeyOptions{})
	if _, err := signing.Sign(pool(t), id, options()); !errors.Is(err, context.Canceled) {
		t.Errorf("after an interrupt: %v", err)
	}
}

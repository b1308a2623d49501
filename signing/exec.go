package signing

import (
	"bytes"
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/rsa"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"time"

	"trustpool/internal/report"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Limits on what is read of a command.
const (
	maxSignature = 4096 // bytes; RSA with 16,384 bits has 2,048
	maxStderr    = 64 << 10
	maxComplaint = 300 // of it, in an error
)

// ExecKey is a private key that only a command can use. COMMAND is given to
// "sh -c", with the process's environment, for each signature:
//
//	standard input    what is to be signed: the DER of the signed attributes
//	TRUSTPOOL_HASH    sha256, sha384 or sha512: the hash that the signature is made
//	                  with; none for Ed25519, which signs the input as it is
//	standard output   the signature as X.509 carries it: RSA PKCS #1 v1.5 as long as
//	                  the modulus, ECDSA as the DER of ECDSA-Sig-Value (RFC 3279
//	                  section 2.2.3), Ed25519 in 64 bytes; nothing else
//	exit status       0, otherwise standard error says what is wrong
//
// The command is stopped at the end of ctx or after the timeout, which is
// DefaultCommandTimeout if it is zero.
func ExecKey(ctx context.Context, command string, public crypto.PublicKey, timeout time.Duration) (crypto.Signer, error) {
	if strings.TrimSpace(command) == "" {
		return nil, errors.New("no command to sign with")
	}
	if timeout <= 0 {
		timeout = DefaultCommandTimeout
	}
	return &execKey{ctx, command, public, timeout}, nil
}

// An execKey holds its context, because crypto.Signer has no place for one.
type execKey struct {
	ctx     context.Context
	command string
	public  crypto.PublicKey
	timeout time.Duration
}

func (k *execKey) Public() crypto.PublicKey { return k.public }

func (k *execKey) Sign(io.Reader, []byte, crypto.SignerOpts) ([]byte, error) {
	return nil, errors.New("a command signs messages, not digests")
}

// SignMessage implements crypto.MessageSigner.
func (k *execKey) SignMessage(_ io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	ctx, cancel := context.WithTimeout(k.ctx, k.timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, "/bin/sh", "-c", k.command)
	cmd.WaitDelay = time.Second // for children that keep the streams open
	cmd.Env = append(cmd.Environ(), "TRUSTPOOL_HASH="+hashWord(opts.HashFunc()))
	cmd.Stdin = bytes.NewReader(message)
	stdout, stderr := &limited{limit: maxSignature}, &limited{limit: maxStderr}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	switch err := cmd.Run(); {
	case k.ctx.Err() != nil:
		return nil, fmt.Errorf("the command was stopped: %w", context.Cause(k.ctx))
	case ctx.Err() != nil:
		return nil, fmt.Errorf("the command took longer than %v and was stopped", k.timeout)
	case err != nil:
		return nil, fmt.Errorf("the command failed: %w%s", err, complaint(stderr.kept))
	case stdout.over:
		return nil, fmt.Errorf("the command wrote more than %d bytes, which is not a signature", maxSignature)
	}
	if err := checkShape(k.public, stdout.kept); err != nil {
		return nil, err
	}
	return stdout.kept, nil
}

func hashWord(h crypto.Hash) string {
	if h == 0 {
		return "none"
	}
	return strings.ToLower(strings.ReplaceAll(h.String(), "-", ""))
}

// checkShape names the usual mistakes in words that help.
func checkShape(public crypto.PublicKey, signature []byte) error {
	if len(signature) == 0 {
		return errors.New("the command wrote no signature")
	}
	switch k := public.(type) {
	case *rsa.PublicKey:
		if len(signature) != k.Size() {
			return fmt.Errorf("the command wrote %d bytes, and a signature of this RSA key has %d: it must write the bytes themselves, nothing else", len(signature), k.Size())
		}
	case *ecdsa.PublicKey:
		in := cryptobyte.String(signature)
		var seq cryptobyte.String
		if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
			return fmt.Errorf("the command wrote %d bytes that are not a DER SEQUENCE of r and s (with pkcs11-tool: --signature-format openssl)", len(signature))
		}
	}
	return nil
}

// complaint is the beginning of what a command said, safe to print.
func complaint(stderr []byte) string {
	var lines []string
	for line := range strings.Lines(string(stderr)) {
		if line = strings.TrimSpace(line); line != "" && len(lines) < 3 {
			lines = append(lines, report.Printable(line))
		}
	}
	s := strings.Join(lines, "; ")
	if len(s) > maxComplaint {
		s = strings.ToValidUTF8(s[:maxComplaint], "") + " …"
	}
	if s == "" {
		return ""
	}
	return ": " + s
}

// A limited writer keeps the beginning, and lets the command go on writing.
type limited struct {
	kept  []byte
	limit int
	over  bool
}

func (l *limited) Write(p []byte) (int, error) {
	room := min(l.limit-len(l.kept), len(p))
	l.kept = append(l.kept, p[:room]...)
	l.over = l.over || room < len(p)
	return len(p), nil
}

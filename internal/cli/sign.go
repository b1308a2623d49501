package cli

import (
	"bytes"
	"context"
	"crypto"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"golang.org/x/term"

	"trustpool/bundle/certificate"
	"trustpool/internal/fetch"
	"trustpool/signing"
)

// passphraseVariable is the environment variable with the key's secret.
const passphraseVariable = "TRUSTPOOL_PASSPHRASE"

func (a *app) signCommand() *cobra.Command {
	var s signer
	var o signing.SignOptions
	var at moment
	var digest string
	var detached bool
	cmd := &cobra.Command{
		Use:   "sign FILE --key KEY --name NAME --bundle-version N -o OUT",
		Short: "Sign a bundle, or any file, with a key of your own",
		Long: `IOS XR and IOS XE take only bundles signed under Cisco's roots. A bundle signed
with a key of your own serves labs, ASA (which asks for confirmation), and
consumers of your own. Cisco's own files are hosted and carried as they are:
signing their certificates again makes another bundle, under your root.

FILE is a bundle in any form; a signature that it bears plays no part. OUT is
what Cisco publishes in structure: its certificates in their order as a
certs-only message, within a message signed with the attributes name, version
and signing time. It is verified before it is written.

With --detached FILE is any file, such as SHA256SUMS, and OUT a signature beside
it, which bears no name, version or time. openssl checks it:
  openssl cms -verify -binary -inform DER -in OUT -content FILE \
    -CAfile ROOT -purpose any -out /dev/null

KEY is one of
  PATH          PEM (PKCS#8, also encrypted; PKCS#1; SEC 1) or PKCS#12:
                RSA, ECDSA on P-256, P-384, P-521, or Ed25519
  exec:COMMAND  sh -c COMMAND makes the signature: on standard input it gets the
                DER of the signed attributes, in TRUSTPOOL_HASH sha256, sha384,
                sha512 or none (Ed25519), and writes the signature as X.509
                carries it (ECDSA: the DER sequence) and nothing else
  pkcs11:URI    a key on a token (RFC 7512), with token, serial or slot-id,
                object or id, ?module-path and &pin-source=file:PATH, in builds
                with the tag pkcs11; RSA and ECDSA

The secret of a file or token is read from --passphrase-file, the environment
variable ` + passphraseVariable + `, or asked for on a terminal.

--cert is the key's certificate, perhaps with those above it, which --chain may
hold instead; all of them go into OUT. Without --cert those in KEY's file count.
The signing time is --at, else SOURCE_DATE_EPOCH, else now: with RSA, Ed25519
and ECDSA keys in files the same input gives the same bytes.`,
		Example: `  trustpool keygen lab/
  trustpool sign roots.pem --key lab/signer.key --cert lab/signer.pem \
    --chain lab/root.pem --name "Lab Core Bundle" --bundle-version 1 -o lab.p7b
  trustpool verify lab.p7b --root lab/root.pem
  trustpool sign SHA256SUMS --detached --key lab/signer.key \
    --cert lab/signer.pem --chain lab/root.pem -o SHA256SUMS.p7s`,
		Args: arguments("FILE"),
		PreRunE: func(cmd *cobra.Command, _ []string) error {
			if detached {
				for _, name := range []string{"name", "bundle-version", "digest", "allow-expired"} {
					if cmd.Flags().Changed(name) {
						return fmt.Errorf("sign: --detached and --%s exclude each other", name)
					}
				}
				return nil
			}
			for _, name := range []string{"name", "bundle-version"} {
				if !cmd.Flags().Changed(name) {
					return fmt.Errorf("sign: --%s is missing", name)
				}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			ctx := cmd.Context()
			var err error
			if o.Time, err = a.signingTime(at); err != nil {
				return err
			}
			if o.Hash, err = parseDigest(digest); err != nil {
				return fmt.Errorf("--digest: %w", err)
			}
			seal, name, err := a.toSign(ctx, args[0], detached, o)
			if err != nil {
				return err
			}
			id, err := s.identity(ctx, a)
			if err != nil {
				return err
			}
			out, err := seal(id)
			if err = errors.Join(err, id.Close()); err != nil {
				return fmt.Errorf("%s: not signed: %w", label(name), err)
			}
			return a.write(func(w io.Writer) error {
				_, err := w.Write(out)
				return err
			})
		},
	}
	f := cmd.Flags()
	s.flags(cmd, "key", "sign with `KEY`")
	f.BoolVar(&detached, "detached", false, "sign any FILE, and write the signature alone")
	f.StringVar(&o.Name, "name", "", "call the bundle `NAME`, of letters, digits, space and '()+,-./:=?")
	f.StringVar(&o.Version, "bundle-version", "", "give it the version `N`, which counts per name")
	f.Func("at", "sign at `TIME`: 2026-11-21 or 2026-11-21T08:30:00Z (default SOURCE_DATE_EPOCH, or now)", at.set)
	f.BoolVar(&o.AllowExpired, "allow-expired", false, "sign even if a certificate of the signer is not valid then")
	f.StringVar(&digest, "digest", "", "sign with the hash `HASH`: sha256, sha384 or sha512 (default the key's customary one)")
	f.StringVarP(&a.output, "output", "o", "", "write to `OUT`, whole or not at all; - is standard output")
	required(cmd, "key", "output")
	return cmd
}

// toSign reads what is to be signed, a bundle or with detached any one file, and
// returns what signs it.
func (a *app) toSign(ctx context.Context, arg string, detached bool, o signing.SignOptions) (seal func(*signing.Identity) ([]byte, error), name string, err error) {
	if !detached {
		b, name, err := a.read(ctx, arg)
		return func(id *signing.Identity) ([]byte, error) { return signing.Sign(b, id, o) }, name, err
	}
	f, err := a.fetchOne(ctx, arg, nil, "one file", "sign a list of its files, such as sha256sum writes")
	return func(id *signing.Identity) ([]byte, error) { return signing.SignDetached(f.Data, id, o.Time) }, f.Name, err
}

// A signer is the flags that say who signs, or the fields of a recipe.
type signer struct {
	key, cert, chain string
	keyFlag          string // "key", or what the command calls it
	inRecipe         bool
	passphraseFile   string
	module           string
	noExec           bool
}

// flags adds the flags; that of the key has another name in pack.
func (s *signer) flags(cmd *cobra.Command, key, help string) {
	s.keyFlag = key
	f := cmd.Flags()
	f.StringVar(&s.key, key, "", help+": a file, exec:COMMAND or pkcs11:URI")
	f.StringVar(&s.cert, "cert", "", "take the key's certificate from `FILE`")
	f.StringVar(&s.chain, "chain", "", "take the certificates above it, up to the root, from `FILE`")
	s.openFlags(cmd)
}

// openFlags adds those that say how a key is opened.
func (s *signer) openFlags(cmd *cobra.Command) {
	s.noExecFlag(cmd)
	cmd.Flags().StringVar(&s.passphraseFile, "passphrase-file", "", "read the key's passphrase or the token's PIN from the first line of `FILE`")
	cmd.Flags().StringVar(&s.module, "pkcs11-module", "", "load the PKCS#11 library `FILE` where the URI has no module-path")
}

func (s *signer) noExecFlag(cmd *cobra.Command) {
	cmd.Flags().BoolVar(&s.noExec, "no-exec", false, "refuse a key that runs a command (exec:) or a library that its URI names")
}

// name is how an error calls what says key, certificate or chain.
func (s *signer) name(flag, field string) string {
	if s.inRecipe {
		return "signer: " + field
	}
	return "--" + flag
}

// identity opens the key and its certificates.
func (s *signer) identity(ctx context.Context, a *app) (*signing.Identity, error) {
	var certs []*certificate.Certificate
	for _, flag := range []struct{ name, file string }{
		{s.name("cert", "certificate"), s.cert}, {s.name("chain", "chain"), s.chain},
	} {
		if flag.file == "" {
			continue
		}
		if fetch.IsURL(flag.file) {
			return nil, hinted{fmt.Errorf("%s %s: certificates to sign with are not fetched", flag.name, fetch.Mask(flag.file)), "download them, and give the file"}
		}
		c, _, err := a.read(ctx, flag.file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", flag.name, err)
		}
		certs = append(certs, c.Certificates...)
	}
	if s.cert == "" && s.chain != "" {
		return nil, fmt.Errorf("%s needs %s", s.name("chain", "chain"), s.name("cert", "certificate"))
	}
	id, err := signing.OpenIdentity(ctx, s.key, certs, signing.KeyOptions{
		Passphrase: func(what string) ([]byte, error) { return s.passphrase(a, what) },
		Module:     s.module,
		NoExec:     s.noExec,
	})
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.name(s.keyFlag, "key"), err)
	}
	return id, nil
}

// maxSecretFile bounds a file with a secret in its first line.
const maxSecretFile = 64 << 10

// secretIn reads the secret in the first line of a file.
func secretIn(path string) ([]byte, error) {
	data, err := fetch.ReadAtMost(path, maxSecretFile)
	if err != nil {
		return nil, err
	}
	return firstLine(data), nil
}

// firstLine is the first line of data, without its end.
func firstLine(data []byte) []byte {
	line, _, _ := bytes.Cut(data, []byte("\n"))
	return bytes.TrimSuffix(line, []byte("\r"))
}

// passphrase is the key's secret: never a flag's value, which all the machine can see.
func (s *signer) passphrase(a *app, what string) ([]byte, error) {
	if s.passphraseFile != "" {
		secret, err := secretIn(s.passphraseFile)
		if err != nil {
			return nil, fmt.Errorf("--passphrase-file: %w", err)
		}
		return secret, nil
	}
	if secret := a.getenv(passphraseVariable); secret != "" {
		return []byte(secret), nil
	}
	secret, err := a.ask("Passphrase of " + what + ": ")
	if errors.Is(err, errNoTerminal) {
		err = hinted{fmt.Errorf("%s needs a passphrase", what), "give --passphrase-file FILE, or set " + passphraseVariable}
	}
	return secret, err
}

var errNoTerminal = errors.New("there is no terminal to ask at")

// ask asks for a secret on the terminal.
func (a *app) ask(prompt string) ([]byte, error) {
	f, ok := a.env.Stdin.(*os.File)
	if !ok || !a.env.Terminal || !term.IsTerminal(int(f.Fd())) {
		return nil, errNoTerminal
	}
	fmt.Fprint(a.env.Stderr, prompt)
	secret, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(a.env.Stderr)
	return firstLine(secret), err
}

func (a *app) getenv(name string) string {
	if a.env.Getenv == nil {
		return ""
	}
	return a.env.Getenv(name)
}

// signingTime is the time of --at, that of SOURCE_DATE_EPOCH, or the present.
func (a *app) signingTime(at moment) (time.Time, error) {
	if !at.given {
		if t, err := a.sourceDateEpoch(); err != nil || !t.IsZero() {
			return t, err
		}
	}
	return at.or(a.env.Now).Truncate(time.Second), nil
}

// sourceDateEpoch is the time of SOURCE_DATE_EPOCH, zero if it is not set
// (https://reproducible-builds.org/specs/source-date-epoch/).
func (a *app) sourceDateEpoch() (time.Time, error) {
	epoch := a.getenv("SOURCE_DATE_EPOCH")
	if epoch == "" {
		return time.Time{}, nil
	}
	n, err := strconv.ParseInt(epoch, 10, 64)
	if err != nil || n < 0 {
		return time.Time{}, fmt.Errorf("SOURCE_DATE_EPOCH is %q, not a number of seconds since 1970", epoch)
	}
	return time.Unix(n, 0).UTC(), nil
}

func parseDigest(s string) (crypto.Hash, error) {
	digests := map[string]crypto.Hash{
		"": 0, "sha256": crypto.SHA256, "sha384": crypto.SHA384, "sha512": crypto.SHA512, "sha1": crypto.SHA1, "md5": crypto.MD5,
	}
	h, ok := digests[s]
	if !ok {
		return 0, fmt.Errorf("%q is none of [sha256 sha384 sha512]", s)
	}
	return h, nil
}

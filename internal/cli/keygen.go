package cli

import (
	"crypto"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"trustpool/signing"
)

func (a *app) keygenCommand() *cobra.Command {
	var algorithm string
	var o signing.LabOptions
	var at moment
	var years int
	cmd := &cobra.Command{
		Use:   "keygen DIR",
		Short: "Make a root and a signer of bundles for a lab",
		Long: `Make a root and a signer of bundles for a lab, with the profile of Cisco's: the
signer has Cisco's extended key usage, the key usage digitalSignature and
nonRepudiation, and no basicConstraints.

DIR is made if it is missing, and gets root.key, root.pem, signer.key and
signer.pem; nothing that is there is overwritten. The keys are not encrypted,
only their owner can read them; put root.key where signing does not need it.`,
		Example: `  trustpool keygen lab/
  trustpool keygen lab/ --algorithm p384 --years 3 --organization "Example Lab"`,
		Args: arguments("DIR"),
		RunE: func(_ *cobra.Command, args []string) error {
			if years < 1 || years > maxYears {
				return fmt.Errorf("--years must be 1 to %d", maxYears)
			}
			var err error
			if o.NotBefore, err = a.signingTime(at); err != nil {
				return err
			}
			o.NotAfter = o.NotBefore.AddDate(years, 0, 0)
			if !at.given {
				// The key can sign with today's date at once, which is 00:00:00Z of a day
				// that began yesterday if the clock is behind UTC.
				o.NotBefore = o.NotBefore.Truncate(24*time.Hour).AddDate(0, 0, -1)
			}
			files, err := labFiles(algorithm, o)
			if err != nil {
				return err
			}
			err = a.addAll(args[0], len(files), slices.Values(files)) // all of them or none
			if e, ok := errors.AsType[*fs.PathError](err); ok && errors.Is(err, fs.ErrExist) {
				return hinted{fmt.Errorf("%s is there already", e.Path), "give another directory"}
			}
			return err
		},
	}
	f := cmd.Flags()
	f.StringVar(&algorithm, "algorithm", "rsa", "keys of the kind `NAME`: "+strings.Join(signing.KeyAlgorithms(), ", "))
	f.StringVar(&o.Organization, "organization", "Trustpool Lab", "the organization `NAME` of both")
	f.StringVar(&o.RootName, "root-name", "Lab Root CA", "the root's common `NAME`")
	f.StringVar(&o.SignerName, "signer-name", "Lab Bundle Signer", "the signer's common `NAME`")
	f.IntVar(&years, "years", 10, "make both valid for `N` years")
	f.Func("at", "make both valid from `TIME` on: 2026-11-21 or 2026-11-21T08:30:00Z (default the day before that of SOURCE_DATE_EPOCH, or before today)", at.set)
	return cmd
}

const maxYears = 100

func labFiles(algorithm string, o signing.LabOptions) ([]file, error) {
	var keys [2]crypto.Signer
	var files []file
	add := func(name, kind string, der []byte, mode fs.FileMode) {
		files = append(files, file{name, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), mode})
	}
	for i, name := range []string{"root.key", "signer.key"} {
		var err error
		if keys[i], err = signing.GenerateKey(algorithm); err != nil {
			return nil, fmt.Errorf("--algorithm: %w", err)
		}
		der, err := x509.MarshalPKCS8PrivateKey(keys[i])
		if err != nil {
			return nil, err
		}
		add(name, "PRIVATE KEY", der, 0o600)
	}
	root, signer, err := signing.NewLab(keys[0], keys[1].Public(), o)
	add("root.pem", "CERTIFICATE", root, 0o644)
	add("signer.pem", "CERTIFICATE", signer, 0o644)
	return files, err
}

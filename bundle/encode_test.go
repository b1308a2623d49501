package bundle_test

import (
	"bytes"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
)

func encode(t testing.TB, certs []*certificate.Certificate) []byte {
	t.Helper()
	out, err := bundle.EncodeCertsOnly(certs)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

// A genuine inner message, taken apart and encoded again, is the same.
func TestEncodeGenuine(t *testing.T) {
	t.Parallel()
	for _, name := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		b := read(t, tooltest.Corpus(t, name))
		if !bytes.Equal(encode(t, b.Certificates), b.Message.Content) {
			t.Errorf("%s: the inner message encoded again differs", name)
		}
	}
}

// What OpenSSL makes of the same certificates is the same.
func TestEncodeAsOpenSSL(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	for _, name := range []string{"lab-core-v1.p7b", "lab-quirks-v1.p7b", "quovadis-root-ca-2.pem", tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join("..", "testdata", "bundles", name)
			if strings.HasPrefix(name, "ios") {
				path = tooltest.Corpus(t, name)
			}
			var certs []*certificate.Certificate
			var text []byte
			for _, c := range read(t, path).Certificates {
				if c.Err == nil {
					certs = append(certs, c)
					text = append(text, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})...)
				}
			}
			file := filepath.Join(t.TempDir(), "pool.pem")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				t.Fatal(err)
			}
			want := tooltest.Run(t, nil, "openssl", "crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER")
			if !bytes.Equal(encode(t, certs), want) {
				t.Error("not what openssl crl2pkcs7 writes")
			}
		})
	}
}

// Lengths in each number of bytes.
func TestEncodeSizes(t *testing.T) {
	t.Parallel()
	for _, n := range []int{1, 60, 20_000} {
		pool := pkitest.LargePool(n)
		in, err := bundle.Parse(pkitest.CertsOnly(pool...))
		if err != nil {
			t.Fatal(err)
		}
		if got := encode(t, in.Certificates); !bytes.Equal(got, in.Raw) {
			t.Errorf("%d certificates encoded again differ", n)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	t.Parallel()
	if _, err := bundle.EncodeCertsOnly(nil); err == nil {
		t.Error("no certificates are encoded")
	}
	why := errors.New("it is something else")
	good := read(t, "../testdata/bundles/one.der").Certificates[0]
	_, err := bundle.EncodeCertsOnly([]*certificate.Certificate{good, {Err: why}})
	if !errors.Is(err, why) || err.Error() != "entry 2 is not a certificate: it is something else" {
		t.Errorf("what is not a certificate is encoded: %v", err)
	}
}

func BenchmarkEncodeCertsOnly(b *testing.B) {
	for _, n := range []int{367, 100_000} {
		in, err := bundle.Parse(pkitest.CertsOnly(pkitest.LargePool(n)...))
		if err != nil {
			b.Fatal(err)
		}
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(in.Raw)))
			for b.Loop() {
				encode(b, in.Certificates)
			}
		})
	}
}

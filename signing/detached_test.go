package signing_test

import (
	"bytes"
	"crypto"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

var manifest = []byte("{\r\n  \"schema\": \"a list of files\"\n}\n")

func TestDetached(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	for name, signer := range map[string]*pkitest.Authority{
		"lab": lab.Signer, "p256": lab.P256Signer, "p384": lab.P384Signer, "p521": lab.P521Signer, "ed25519": lab.Ed25519Signer,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, content := range [][]byte{manifest, {}, nil} {
				p7s, err := signing.SignDetached(content, identity(t, signer), signingTime)
				if err != nil {
					t.Fatal(err)
				}
				if again, err := signing.SignDetached(content, identity(t, signer), signingTime); err != nil || !bytes.Equal(again, p7s) {
					t.Errorf("signed twice, the bytes differ: %v", err)
				}
				if len(content) > 0 && bytes.Contains(p7s, content) {
					t.Error("the content is in the signature")
				}
				v, err := signing.VerifyDetached(content, p7s, signing.VerifyOptions{Anchors: []roots.Anchor{labAnchor(t, name)}, At: signingTime})
				if err != nil {
					t.Fatal(err)
				}
				if v.Claims != (bundle.Claims{}) {
					t.Errorf("it claims %+v", v.Claims)
				}
				if name == "ed25519" {
					continue // OpenSSL signs and verifies CMS with Ed25519 since 3.2
				}
				t.Run("openssl", func(t *testing.T) {
					tooltest.Need(t, "openssl")
					dir := t.TempDir()
					at := func(file string, data []byte) string {
						path := filepath.Join(dir, file)
						if err := os.WriteFile(path, data, 0o600); err != nil {
							t.Fatal(err)
						}
						return path
					}
					root := filepath.Join("..", "testdata", "bundles", strings.ReplaceAll("lab-"+name+"-root.pem", "lab-lab", "lab"))
					args := []string{"cms", "-verify", "-binary", "-attime", strconv.FormatInt(signingTime.Unix(), 10), "-inform", "DER", "-purpose", "any", "-CAfile", root,
						"-in", at("p7s", p7s), "-content", at("content", content)}
					if got := tooltest.Run(t, nil, "openssl", args...); !bytes.Equal(got, content) {
						t.Error("openssl verified another content")
					}
				})
			}
		})
	}
}

func TestDetachedRefused(t *testing.T) {
	t.Parallel()
	lab := pkitest.Lab()
	good, err := signing.SignDetached(manifest, identity(t, lab.Signer), signingTime)
	if err != nil {
		t.Fatal(err)
	}
	signed := func(change func(*pkitest.Message)) []byte {
		m := pkitest.Message{Content: manifest, Detached: true, Signers: []pkitest.SignerInfo{{Signer: lab.Signer, Time: pkitest.At(signingTime)}}}
		change(&m)
		return m.DER()
	}
	signer := func(change func(*pkitest.SignerInfo)) []byte {
		return signed(func(m *pkitest.Message) { change(&m.Signers[0]) })
	}
	anchors := []roots.Anchor{labAnchor(t, "lab")}
	for name, c := range map[string]struct {
		content, p7s []byte
		at           time.Time
		want         signing.Reason // "": no detached signature
	}{
		"other content":            {p7s: good, content: append(slices.Clone(manifest), ' '), want: signing.DigestDiffers},
		"no content":               {p7s: good, content: []byte{}, want: signing.DigestDiffers},
		"expired":                  {p7s: good, at: time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC), want: signing.ChainExpired},
		"no attributes":            {p7s: signer(func(s *pkitest.SignerInfo) { s.NoAttributes = true }), want: signing.NoSignedAttributes},
		"SHA-1":                    {p7s: signer(func(s *pkitest.SignerInfo) { s.Digest = crypto.SHA1 }), want: signing.DigestWeak},
		"a wrong bit":              {p7s: signer(func(s *pkitest.SignerInfo) { s.Corrupt = true }), want: signing.SignatureInvalid},
		"other root":               {p7s: signer(func(s *pkitest.SignerInfo) { s.Signer = lab.OtherSigner }), want: signing.ChainNoAnchor},
		"root of the same name":    {p7s: signer(func(s *pkitest.SignerInfo) { s.Signer = lab.ImpostorSigner }), want: signing.ChainNoAnchor},
		"SHA-1 link":               {p7s: signer(func(s *pkitest.SignerInfo) { s.Signer = lab.SHA1Signer }), want: signing.ChainNoAnchor},
		"expired signer":           {p7s: signer(func(s *pkitest.SignerInfo) { s.Signer = lab.ExpiredSigner }), want: signing.ChainExpired},
		"other type":               {p7s: signed(func(m *pkitest.Message) { m.ContentType = "1.2.840.113549.1.9.16.1.4" }), want: signing.ContentTypeNotData},
		"second signer a stranger": {p7s: signed(func(m *pkitest.Message) { m.Signers = append(m.Signers, pkitest.SignerInfo{Signer: lab.OtherSigner}) }), want: signing.ChainNoAnchor},
		"content within":           {p7s: signed(func(m *pkitest.Message) { m.Detached = false })},
		"no signers":               {p7s: signed(func(m *pkitest.Message) { m.Signers, m.Certificates = nil, lab.Signer.Chain() })},
		"bundle":                   {p7s: pkitest.Bundle(lab.Signer, "n", "1", signingTime, pkitest.CoreV1()...)},
		"PEM":                      {p7s: pkitest.MessagePEM(good)},
		"cut":                      {p7s: good[:len(good)-1]},
		"more":                     {p7s: append(slices.Clone(good), 0)},
		"empty":                    {p7s: []byte{}},
		"too large":                {p7s: append(slices.Clone(good), make([]byte, signing.MaxDetached)...)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if c.content == nil {
				c.content = manifest
			}
			if c.at.IsZero() {
				c.at = signingTime
			}
			_, err := signing.VerifyDetached(c.content, c.p7s, signing.VerifyOptions{Anchors: anchors, At: c.at})
			var refused *signing.VerifyError
			errors.As(err, &refused)
			if err == nil || c.want == "" && refused != nil || c.want != "" && (refused == nil || refused.Reason != c.want) {
				t.Errorf("got %v, want %q", err, c.want)
			}
		})
	}
	if _, err := signing.VerifyDetached(manifest, good, signing.VerifyOptions{Anchors: anchors}); err == nil {
		t.Error("judged without a time")
	}
	if _, err := signing.SignDetached(manifest, identity(t, lab.Signer), time.Time{}); err == nil {
		t.Error("signed without a time")
	}
	if _, err := signing.SignDetached(manifest, identity(t, lab.Signer), time.Date(2100, 1, 1, 0, 0, 0, 0, time.UTC)); err == nil {
		t.Error("signed with a certificate that is not valid then")
	}
}

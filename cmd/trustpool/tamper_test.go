package main

import (
	"bytes"
	"context"
	"io"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/cli"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// TestChangedOctet: no bundle is verified after a byte of its content, its
// signed attributes or its signature was changed.
func TestChangedByte(t *testing.T) {
	t.Parallel()
	t.Run("lab", func(t *testing.T) {
		t.Parallel()
		dir := filepath.Join(testdata(t), "bundles")
		root, err := bundle.Parse(read(t, filepath.Join(dir, "lab-root.pem")))
		if err != nil {
			t.Fatal(err)
		}
		anchor, err := roots.FromCertificate(root.Certificates[0])
		if err != nil {
			t.Fatal(err)
		}
		changeBytes(t, read(t, filepath.Join(dir, "lab-core-v1.p7b")), []roots.Anchor{anchor})
	})
	t.Run("genuine", func(t *testing.T) {
		t.Parallel()
		changeBytes(t, read(t, tooltest.Corpus(t, tooltest.Core2017)), roots.BuiltIn())
	})
}

func changeBytes(t *testing.T, data []byte, anchors []roots.Anchor) {
	t.Helper()
	verified := func(data []byte) bool {
		b, err := bundle.Parse(data)
		if err != nil {
			return false
		}
		_, err = signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: now()})
		return err == nil
	}
	if !verified(data) {
		t.Fatal("not verified unchanged")
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	signer := b.Message.Signers[0]
	for _, part := range []struct {
		name string
		raw  []byte
		step int
	}{
		{"content", b.Message.Content, max(1, len(b.Message.Content)/499)}, // some of each certificate
		{"signed attributes", signer.SignedAttrs, 1},
		{"signature", signer.Signature, 1},
	} {
		// A copy of a part would make the one that is changed another than the one that counts.
		if bytes.Count(data, part.raw) != 1 {
			t.Fatalf("the %s stand %d times in the file", part.name, bytes.Count(data, part.raw))
		}
		begin := bytes.Index(data, part.raw)
		end := begin + len(part.raw)
		for i := begin; i < end; i += part.step {
			for _, flip := range []byte{0x01, 0x20, 0xff} {
				changed := slices.Clone(data)
				changed[i] ^= flip
				if verified(changed) {
					t.Errorf("verified with byte %d of the %s changed by %#02x", i-begin, part.name, flip)
				}
			}
		}
	}
	// The command says no, or that it cannot read the file, and never yes.
	for _, raw := range [][]byte{b.Message.Content, signer.SignedAttrs, signer.Signature} {
		changed := slices.Clone(data)
		changed[bytes.Index(data, raw)+len(raw)/2] ^= 0x01
		args := []string{"verify", "-"}
		for _, a := range anchors {
			if a.Certificate != nil {
				args = append(args, "--root", filepath.Join(testdata(t), "bundles", "lab-root.pem"))
			}
		}
		for want, in := range map[bool][]byte{true: data, false: changed} {
			got := cli.Run(context.Background(), args, cli.Env{Stdin: bytes.NewReader(in), Stdout: io.Discard, Stderr: io.Discard, Now: now})
			if got == 0 != want {
				t.Errorf("status %d", got)
			}
		}
	}
}

func read(t *testing.T, path string) []byte {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

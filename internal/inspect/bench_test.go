package inspect_test

import (
	"errors"
	"io"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/inspect"
	"trustpool/internal/pkitest"
	"trustpool/roots"
	"trustpool/signing"
)

// large is a bundle of n certificates with its signature judged.
func large(tb testing.TB, n int) *inspect.Report {
	tb.Helper()
	b, err := bundle.Parse(pkitest.Large(n))
	if err != nil {
		tb.Fatal(err)
	}
	anchor := roots.FromSHA256([32]byte{})
	_, err = signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{anchor}, At: time.Unix(1, 0)})
	refused, ok := errors.AsType[*signing.VerifyError](err)
	if !ok {
		tb.Fatal(err)
	}
	return &inspect.Report{File: "large.p7b", Bundle: b, Signature: signing.NewReport(nil, refused, nil)}
}

func BenchmarkWriteJSON(b *testing.B) { benchmark(b, (*inspect.Report).WriteJSON) }
func BenchmarkWriteText(b *testing.B) { benchmark(b, (*inspect.Report).WriteText) }

func benchmark(b *testing.B, write func(*inspect.Report, io.Writer) error) {
	r := large(b, 367)
	b.ReportAllocs()
	b.SetBytes(int64(len(r.Bundle.Raw)))
	for b.Loop() {
		if err := write(r, io.Discard); err != nil {
			b.Fatal(err)
		}
	}
}

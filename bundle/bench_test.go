package bundle_test

import (
	"fmt"
	"testing"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
)

func BenchmarkParse(b *testing.B) {
	for _, n := range []int{367, 10_000} {
		data := pkitest.Large(n)
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			for b.Loop() {
				if _, err := bundle.Parse(data); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkParsePEM reads the same certificates as PEM.
func BenchmarkParsePEM(b *testing.B) {
	var data []byte
	for _, der := range pkitest.LargePool(367) {
		data = append(data, pkitest.CertificatePEM(der)...)
	}
	b.ReportAllocs()
	b.SetBytes(int64(len(data)))
	for b.Loop() {
		if _, err := bundle.Parse(data); err != nil {
			b.Fatal(err)
		}
	}
}

package audit_test

import (
	"testing"

	"trustpool/bundle"
	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/tooltest"
	"trustpool/roots"
)

func BenchmarkRun(b *testing.B) {
	large, err := bundle.Parse(pkitest.Large(367))
	if err != nil {
		b.Fatal(err)
	}
	b.Run("lab-367", func(b *testing.B) { benchmarkRun(b, audit.Subject{Entries: pool.Of(large.Certificates)}) })
	b.Run("ios-2021", func(b *testing.B) {
		benchmarkRun(b, subject(b, tooltest.Corpus(b, tooltest.IOS2021), roots.BuiltIn()))
	})
}

func benchmarkRun(b *testing.B, s audit.Subject) {
	b.ReportAllocs()
	for b.Loop() {
		if _, err := audit.Run(s, audit.Criteria{At: at}); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(b.Elapsed().Microseconds())/float64(b.N)/float64(len(s.Entries)), "us/certificate")
}

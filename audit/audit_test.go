package audit_test

import (
	"bytes"
	"errors"
	"os"
	"testing"
	"time"

	"trustpool/audit"
	"trustpool/bundle"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// at is the day for which the figures of the genuine files are known.
var at = time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)

// subject reads a bundle and judges its signature.
func subject(t testing.TB, file string, anchors []roots.Anchor) audit.Subject {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: at})
	var refused *signing.VerifyError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	r := signing.NewReport(v, refused, &at)
	return audit.Subject{File: file, Certificates: b.Certificates, Signature: &r}
}

func run(t testing.TB, s audit.Subject, o audit.Options) *audit.Report {
	t.Helper()
	if o.At.IsZero() {
		o.At = at
	}
	r, err := audit.Run(s, o)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// found is how much each rule found; rules that found nothing are left out.
func found(r *audit.Report) map[string]int {
	out := map[string]int{}
	for _, x := range r.Results {
		if x.Found > 0 {
			out[x.Rule.ID] = x.Found
		}
	}
	return out
}

func TestGenuine(t *testing.T) {
	t.Parallel()
	for _, file := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		r := run(t, subject(t, tooltest.Corpus(t, file), roots.BuiltIn()), audit.Options{})
		t.Log(file, found(r))
		var out bytes.Buffer
		if err := r.WriteText(&out); err != nil {
			t.Fatal(err)
		}
		if testing.Verbose() && file == tooltest.Core2017 {
			t.Log(out.String())
		}
	}
}

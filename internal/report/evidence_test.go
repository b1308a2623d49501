package report_test

import (
	"crypto/sha256"
	"fmt"
	"strings"
	"testing"
	"time"

	"trustpool/internal/report"
)

func TestEvidence(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 21, 9, 30, 0, 0, time.FixedZone("", 3600))
	e := report.NewEvidence("", at)
	e.Add("a", []byte("1"))
	e.AddSum("a", sha256.Sum256([]byte("1"))) // the same
	before := e.Clone()
	e.Add("a", []byte("2"))
	e.Add("b|\x1b[2K<b>", []byte("1"))
	if e.At != "2026-11-21T08:30:00Z" || e.Version != nil || len(e.Inputs) != 3 || len(before.Inputs) != 1 {
		t.Errorf("%+v, a copy %+v", e, before)
	}
	if e.Inputs[0].SHA256 != fmt.Sprintf("%x", sha256.Sum256([]byte("1"))) {
		t.Errorf("%+v", e.Inputs[0])
	}
	var out strings.Builder
	if err := e.WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	for _, has := range []string{"By trustpool, version not known, as of 2026-11-21T08:30:00Z, from:\n", `| b&#124;\\x1b\[2K&lt;b&gt; | ` + e.Inputs[0].SHA256 + " |\n"} {
		if !strings.Contains(out.String(), has) {
			t.Errorf("without %q:\n%s", has, out.String())
		}
	}
	if strings.Contains(out.String(), "more") {
		t.Error(out.String())
	}
}

// A directory may have more files than a page should list; none is lost, and adding
// them takes time that is linear.
func TestEvidenceOfMany(t *testing.T) {
	t.Parallel()
	e := report.NewEvidence("v1", time.Unix(0, 0))
	for i := range 100_000 {
		e.Add(fmt.Sprint(i), nil)
	}
	var out strings.Builder
	if err := e.WriteMarkdown(&out); err != nil {
		t.Fatal(err)
	}
	if len(e.Inputs) != 100_000 || strings.Count(out.String(), "\n| ") != 101 || !strings.HasSuffix(out.String(), "\nAnd 99900 more, which the JSON has.\n") {
		t.Errorf("%d inputs, %d rows", len(e.Inputs), strings.Count(out.String(), "\n| "))
	}
	var none *report.Evidence
	if err := none.WriteMarkdown(&out); err != nil || none.Clone() != nil {
		t.Error("nothing gave something")
	}
}

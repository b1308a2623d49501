package signing_test

import (
	"fmt"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

// FuzzVerify holds Verify to accepting nothing that was not signed: whatever is
// made of genuine messages, what is verified is the content of one of them,
// under the name and version with which it was signed.
func FuzzVerify(f *testing.F) {
	type claims struct{ content, name, version string }
	genuine := map[claims]bool{}
	add := func(message []byte) {
		f.Add(message)
		b, err := bundle.Parse(message)
		if err != nil || b.Message == nil {
			f.Fatal("no signed message: ", err)
		}
		for i := range b.Message.Signers {
			c, err := bundle.ReadClaims(&b.Message.Signers[i])
			if err != nil {
				f.Fatal(err)
			}
			genuine[claims{string(b.Message.Content), c.Name, c.Version}] = true
		}
	}
	vectors, err := pkitest.ReadVectors("../testdata/vectors")
	if err != nil {
		f.Fatal(err)
	}
	for _, v := range vectors {
		if v.Expect == "verified" || v.Expect == "signers-disagree" { // which either signer alone is not
			add(v.Message)
		} else {
			f.Add(v.Message)
		}
	}
	for _, name := range []string{"lab-core-v1.p7b", "lab-ber.p7b", "lab-pss.p7b", "lab-p256.p7b", "lab-two-signers.p7b", "lab-sha1.p7b"} {
		data := tooltest.Bundle(f, name)
		add(data)
	}
	var anchors []roots.Anchor
	for name, a := range pkitest.Lab().Roots() {
		b, err := bundle.Parse(a.DER)
		if err != nil {
			f.Fatal(err)
		}
		anchor, err := roots.FromCertificate(b.Certificates[0])
		if err != nil {
			f.Fatal(err)
		}
		anchor.SHA1Links = name == "sha1"
		anchors = append(anchors, anchor)
	}
	at := time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)
	f.Fuzz(func(t *testing.T, data []byte) {
		limits := bundle.Limits{Bytes: 1 << 20, Certificates: 200}
		b, err := limits.Parse(data)
		outline, outlineErr := limits.ParseOutline(data)
		if (err == nil) != (outlineErr == nil) {
			t.Fatalf("Parse says %v, ParseOutline %v", err, outlineErr)
		}
		if err != nil {
			return
		}
		options := signing.VerifyOptions{Anchors: anchors, At: at}
		v, err := signing.Verify(b, options)
		if _, outlineErr := signing.Verify(outline, options); fmt.Sprint(err) != fmt.Sprint(outlineErr) {
			t.Errorf("judged %v, and as an outline %v", err, outlineErr)
		}
		if err != nil {
			if v != nil {
				t.Error("a verification beside the error")
			}
			return
		}
		if b.Form != bundle.FormSigned || !genuine[claims{string(b.Message.Content), v.Name, v.Version}] {
			t.Errorf("verified: %q version %q, %d bytes of content that nobody signed so", v.Name, v.Version, len(b.Message.Content))
		}
		if len(v.Signers) != len(b.Message.Signers) || len(v.Signers) == 0 {
			t.Errorf("%d of %d signers were judged", len(v.Signers), len(b.Message.Signers))
		}
		for i, s := range v.Signers {
			if s.Reason != "" || s.Err != nil || len(s.Chain) == 0 || s.Chain[len(s.Chain)-1].Certificate.SHA256 != s.Anchor.SHA256 {
				t.Errorf("signer %d is verified, and its chain does not end at the anchor: %s", i+1, s.Reason)
			}
		}
	})
}

package store_test

import (
	"bytes"
	"crypto"
	"crypto/elliptic"
	"encoding/base64"
	"errors"
	"fmt"
	"math/rand/v2"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/internal/pkitest"
	"trustpool/internal/store"
	"trustpool/signing"
)

// Any change of a signed bundle's bytes that leaves it verified leaves every gate's
// answer as it was.
func TestGatesSeeWhatWasSigned(t *testing.T) {
	t.Parallel()
	p := pkitest.Lab()
	message := func(version string, change func(*pkitest.Message)) []byte {
		at := pkitest.At(time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC))
		m := pkitest.Message{Content: pkitest.CertsOnly(pkitest.CoreV2()...)}
		for _, a := range []*pkitest.Authority{p.Signer, p.SecondSigner} {
			m.Signers = append(m.Signers, pkitest.SignerInfo{Signer: a, Name: coreName, Version: version, Time: at})
		}
		if change != nil {
			change(&m)
		}
		return m.DER()
	}
	// Each store has another answer for version 2.
	stores := map[string]*store.Store{}
	for _, state := range []string{"nothing", "older", "the same", "newer", "withdrawn", "the same version", "another name", "many"} {
		s, o := dir(t), lab(t)
		publish := func(data []byte) {
			if _, err := s.Publish(t.Context(), data, o); err != nil {
				t.Fatalf("%s: %v", state, err)
			}
		}
		switch state {
		case "older":
			publish(message("1", nil))
		case "the same":
			publish(message("2", nil))
		case "newer":
			publish(message("3", nil))
		case "withdrawn":
			publish(message("1", nil))
			publish(message("2", nil))
			if _, err := s.Rollback(t.Context(), "lab", "", o); err != nil {
				t.Fatal(err)
			}
		case "the same version":
			publish(signed(coreName, "2", pkitest.CoreV1()...))
		case "another name":
			publish(signed("Lab Other Bundle", "1", pkitest.CoreV1()...))
		case "many":
			publish(signed(coreName, "1", pkitest.LargePool(40)...))
		}
		stores[state] = s
	}
	answers := func(data []byte) map[string][]store.Gate {
		out := map[string][]store.Gate{}
		for state, s := range stores {
			o := lab(t)
			o.DryRun = true
			_, err := s.Publish(t.Context(), data, o)
			refused, ok := errors.AsType[*store.RefusedError](err)
			if err != nil && !ok {
				t.Fatal(err)
			}
			out[state] = nil
			if ok {
				out[state] = gatesOf(refused)
			}
		}
		return out
	}
	good := message("2", nil)
	want := answers(good)
	if len(want["nothing"]) > 0 || len(want["older"]) > 0 || !slices.Equal(want["the same"], []store.Gate{store.GateUnchanged}) ||
		!slices.Equal(want["withdrawn"], []store.Gate{store.GateWithdrawn}) || !slices.Equal(want["the same version"], []store.Gate{store.GateSameVersion}) ||
		!slices.Equal(want["many"], []store.Gate{store.GateFewer}) {
		t.Fatalf("%v", want)
	}

	changed := map[string][]byte{
		"BER":                      pkitest.ToBER(good, 100),
		"PEM":                      pkitest.MessagePEM(good),
		"base64":                   []byte(base64.StdEncoding.EncodeToString(good)),
		"base64 of BER":            []byte(base64.StdEncoding.EncodeToString(pkitest.ToBER(good, 7))),
		"PEM, and a blank line":    append(pkitest.MessagePEM(good), "\n\n"...),
		"PEM with CR LF":           bytes.ReplaceAll(pkitest.MessagePEM(good), []byte("\n"), []byte("\r\n")),
		"PEM behind text":          append([]byte("Version 99 of the bundle:\n\n"), pkitest.MessagePEM(good)...),
		"PEM under another label":  bytes.ReplaceAll(pkitest.MessagePEM(good), []byte(" PKCS7-"), []byte(" CMS-")),
		"base64 in one line":       []byte(base64.RawStdEncoding.EncodeToString(good)),
		"long lengths":             pkitest.LongLength.Frame(good),
		"signers in another order": message("2", func(m *pkitest.Message) { slices.Reverse(m.Signers) }),
		"a signer twice":           message("2", func(m *pkitest.Message) { m.Signers = append(m.Signers, m.Signers[0]) }),
		"certificates in another order": message("2", func(m *pkitest.Message) {
			m.Certificates = [][]byte{p.SecondSigner.DER, p.Root.DER, p.OtherRoot.DER, p.Signer.DER}
		}),
		"a certificate of the pool beside the signature": message("2", func(m *pkitest.Message) {
			m.Certificates = append(p.Signer.Chain(), append(pkitest.LargePool(50), p.SecondSigner.DER)...)
		}),
		"more digest algorithms": message("2", func(m *pkitest.Message) {
			m.DigestAlgorithms = []crypto.Hash{crypto.SHA512, crypto.SHA256, crypto.SHA1}
		}),
		"a name among the unsigned attributes": message("2", func(m *pkitest.Message) {
			m.Signers[1].Unsigned = []pkitest.Attribute{{Type: pkitest.AttributeName, Values: [][]byte{pkitest.Printable("Other")}}, {Type: pkitest.AttributeVersion, Values: [][]byte{}}}
		}),
		"one signer":       message("2", func(m *pkitest.Message) { m.Signers = m.Signers[:1] }),
		"the other signer": message("2", func(m *pkitest.Message) { m.Signers = m.Signers[1:] }),
		"signers by key":   message("2", func(m *pkitest.Message) { m.Signers[0].ByKeyID = true }),
		"without root":     message("2", func(m *pkitest.Message) { m.Certificates = [][]byte{p.Signer.DER, p.SecondSigner.DER} }),
		"a certificate more": message("2", func(m *pkitest.Message) {
			m.Certificates = append(p.Signer.Chain(), p.SecondSigner.DER, p.OtherRoot.DER)
		}),
		"a certificate twice": message("2", func(m *pkitest.Message) {
			m.Certificates = append(p.Signer.Chain(), p.SecondSigner.DER, p.SecondSigner.DER)
		}),
		"CRLs": message("2", func(m *pkitest.Message) { m.CRLs = [][]byte{{0x30, 0}} }),
		"unsigned attributes": message("2", func(m *pkitest.Message) {
			m.Signers[0].Unsigned = []pkitest.Attribute{{Type: pkitest.AttributeVersion, Values: [][]byte{pkitest.Printable("99")}}}
		}),
	}
	random := rand.New(rand.NewPCG(11, 11)) // the same ones each time
	for range 300 {
		data := slices.Clone(good)
		at := random.IntN(len(data))
		data[at] ^= 1 << random.IntN(8)
		changed[fmt.Sprintf("bit in byte %d", at)] = data
	}
	verified := 0
	for what, data := range changed {
		b, err := bundle.Parse(data)
		if err != nil {
			continue
		}
		o := lab(t)
		if _, err := signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: o.At}); err != nil {
			if !strings.HasPrefix(what, "bit ") {
				t.Errorf("%s: %v", what, err)
			}
			continue
		}
		verified++
		for state, gates := range answers(data) {
			if !slices.Equal(gates, want[state]) {
				t.Errorf("%s, with %s: %v, and without the change %v", what, state, gates, want[state])
			}
		}
	}
	if verified < 20 {
		t.Errorf("only %d changes leave the bundle verified", verified)
	}
	t.Logf("%d of %d changes leave the bundle verified", verified, len(changed))
}

// withoutSigned is what an earlier version did not write into a history.
var withoutSigned = regexp.MustCompile(`,\s*"signed": \[[^]]*\]`)

// A history that was written before what was signed was recorded has the same answers.
func TestGatesOldHistory(t *testing.T) {
	t.Parallel()
	mem := newMemory()
	s, o := store.New(mem), lab(t)
	files := map[string][]byte{"1": signed(coreName, "1", pkitest.CoreV2()...), "2": signed(coreName, "2", pkitest.CoreV2()...)}
	for _, v := range []string{"1", "2"} {
		if _, err := s.Publish(t.Context(), files[v], o); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.Rollback(t.Context(), "lab", "", o); err != nil {
		t.Fatal(err)
	}
	forget := func() {
		mem.objects["current/lab"] = withoutSigned.ReplaceAll(mem.objects["current/lab"], nil)
	}
	forget()
	if h, err := history(t.Context(), s); err != nil || h[0].Signed != nil || h[2].Signed != nil {
		t.Fatalf("%+v, %v", h, err)
	}
	for v, want := range map[string]store.Gate{"1": store.GateUnchanged, "2": store.GateWithdrawn} {
		_, err := s.Publish(t.Context(), pkitest.ToBER(files[v], 100), o)
		if refused, ok := errors.AsType[*store.RefusedError](err); !ok || !slices.Equal(gatesOf(refused), []store.Gate{want}) {
			t.Errorf("version %s: %v", v, err)
		}
	}
	// The next publication records it.
	if _, err := s.Publish(t.Context(), signed(coreName, "3", pkitest.CoreV2()...), o); err != nil {
		t.Fatal(err)
	}
	if h, err := history(t.Context(), s); err != nil || len(h[1].Signed) != 1 || len(h[2].Signed) != 1 {
		t.Errorf("%+v, %v", h, err)
	}
}

// Copies of one certificate are one.
func TestShareCountsDistinct(t *testing.T) {
	t.Parallel()
	s, o, core := dir(t), lab(t), pkitest.CoreV2()
	if _, err := s.Publish(t.Context(), signed(coreName, "1", core...), o); err != nil {
		t.Fatal(err)
	}
	key := pkitest.ECDSA("share", elliptic.P256())
	forms := func(n int, change func(*pkitest.Template, int)) (out [][]byte) {
		for i := range n {
			root := pkitest.RootTemplate(pkitest.NewName("CN=Share"), key)
			change(&root, i)
			out = append(out, root.Sign(nil))
		}
		return out
	}
	for what, pool := range map[string][][]byte{
		"one certificate 20 times": slices.Repeat(core[:1], 20),
		"one in three framings": slices.Repeat(forms(3, func(t *pkitest.Template, i int) {
			t.Framing = []pkitest.Framing{0, pkitest.Indefinite, pkitest.LongLength}[i]
		}), 7),
		"one issued 20 times with one serial number": forms(20, func(t *pkitest.Template, i int) {
			t.Extensions = append(t.Extensions, pkitest.Policies(pkitest.OID(fmt.Sprintf("1.2.3.%d", i))))
		}),
		"what is not a certificate, 20 times": append(slices.Repeat([][]byte{{0x30, 0}}, 20), core[0]),
	} {
		_, err := s.Publish(t.Context(), signed(coreName, "2", pool...), o)
		if refused, ok := errors.AsType[*store.RefusedError](err); !ok || !slices.Contains(gatesOf(refused), store.GateFewer) {
			t.Errorf("%s: %v", what, err)
		}
	}
}

// Armoured and bare are one release: the bare one.
func TestPublishArmoured(t *testing.T) {
	t.Parallel()
	s, o, bare := dir(t), lab(t), read(t, "lab-core-v1.p7b")
	p, err := s.Publish(t.Context(), pkitest.MessagePEM(bare), o)
	if err != nil || len(p.Notes) != 1 {
		t.Fatalf("%+v, %v", p, err)
	}
	if data, err := s.Read(t.Context(), p.Release); err != nil || !slices.Equal(data, bare) {
		t.Errorf("%d bytes, %v", len(data), err)
	}
	for _, data := range [][]byte{bare, []byte(base64.StdEncoding.EncodeToString(bare))} {
		_, err := s.Publish(t.Context(), data, o)
		if refused, ok := errors.AsType[*store.RefusedError](err); !ok || !refused.Unchanged() {
			t.Errorf("%.10q: %v", data, err)
		}
	}
}

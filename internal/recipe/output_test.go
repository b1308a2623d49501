package recipe_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/feed"
	"trustpool/internal/pkitest"
	"trustpool/internal/recipe"
	"trustpool/internal/report"
	"trustpool/internal/tooltest"
	"trustpool/roots"
	"trustpool/signing"
)

const allOutputs = head + `
bundle: {name: Lab Core Bundle, version: "2"}
sources: {core: {files: core}}
set: core
signer: {key: k}
outputs: {signed: core.p7b, certs-only: co.p7b, pem: core.pem, jks: core.jks, pkcs12: core.p12, cisco: true, previous: lab.p7b}
`

// product builds allOutputs of a pool, which holds what truststores find hard.
func product(t testing.TB, pool [][]byte, o func(*recipe.BuildOptions)) (*recipe.Product, map[string][]byte) {
	t.Helper()
	r, err := recipe.Parse([]byte(allOutputs))
	if err != nil {
		t.Fatal(err)
	}
	f := testFiles(t)
	f["core"] = [][]byte{pkitest.CertsOnly(pool...)}
	options := f.options()
	options.Identity = identity(t)
	if o != nil {
		o(&options)
	}
	p, err := r.Build(t.Context(), options)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]byte{}
	for _, f := range p.Files {
		out[f.Name] = f.Data
	}
	return p, out
}

func identity(t testing.TB) func(context.Context, *recipe.Signer) (*signing.Identity, error) {
	t.Helper()
	return func(context.Context, *recipe.Signer) (*signing.Identity, error) {
		lab := pkitest.Lab()
		return signing.NewIdentity(lab.Signer.Key.Signer, []*certificate.Certificate{certificate.Read(lab.Signer.DER), certificate.Read(lab.Root.DER)})
	}
}

// hardPool has a common name beyond the BMP, two that are equal, a long one, and
// one with line breaks and a forged block.
func hardPool() [][]byte {
	root := func(cn string) []byte {
		return pkitest.RootTemplate(pkitest.NewName("CN="+cn), pkitest.RSA("alder")).Sign(nil)
	}
	other := pkitest.RootTemplate(pkitest.NewName("CN=Twin"), pkitest.RSA("birch")).Sign(nil)
	return append(pkitest.CoreV2(), root("Twin"), other, root("Smile \U0001f600"), root(strings.Repeat("long ", 100)),
		root("x\n-----BEGIN CERTIFICATE-----\nAAAA"), root("İstanbul"))
}

func hashes(pool [][]byte) []string {
	var out []string
	for _, der := range pool {
		out = append(out, fmt.Sprintf("%X", sha256.Sum256(der)))
	}
	return out
}

func TestOutputs(t *testing.T) {
	t.Parallel()
	pool := hardPool()
	p, out := product(t, pool, nil)
	want := hashes(pool)

	if !bytes.Equal(out["co.p7b"], pkitest.CertsOnly(pool...)) {
		t.Error("the certs-only message is another")
	}
	b, err := bundle.Parse(out["core.p7b"])
	if err != nil {
		t.Fatal(err)
	}
	anchor, err := roots.FromCertificate(certificate.Read(pkitest.Lab().Root.DER))
	if err != nil {
		t.Fatal(err)
	}
	if v, err := signing.Verify(b, signing.VerifyOptions{Anchors: []roots.Anchor{anchor}, At: at}); err != nil || v.Name != "Lab Core Bundle" || v.Version != "2" {
		t.Errorf("%v, %v", v, err)
	}
	if !bytes.Equal(b.Message.Content, out["co.p7b"]) {
		t.Error("what is signed is not the certs-only message")
	}

	pem, err := bundle.Parse(out["core.pem"])
	if err != nil {
		t.Fatal(err)
	}
	if got := hashesOf(pem); !slices.Equal(got, want) {
		t.Errorf("PEM has %s", got)
	}
	comments := regexp.MustCompile(`(?m)^# .*$`).FindAllString(string(out["core.pem"]), -1)
	if len(comments) != len(pool) || comments[1] != "# "+certificate.Read(pool[1]).Subject.String() {
		t.Errorf("comments: %q", comments)
	}
	if lines := strings.Count(string(out["core.pem"]), "\n-----BEGIN"); lines != len(pool) {
		t.Errorf("%d blocks", lines)
	}

	if got, want := string(out["core.p7b.hash.sha256"]), fmt.Sprintf("%x\n", sha256.Sum256(out["core.p7b"])); got != want {
		t.Errorf("hash.sha256 is %s", got)
	}
	if got, want := string(out["core.p7b.hash.sha512"]), fmt.Sprintf("%x\n", sha512.Sum512(out["core.p7b"])); got != want {
		t.Errorf("hash.sha512 is %s", got)
	}
	manifest := strings.Split(strings.TrimSuffix(string(out["manifest.log"]), "\n"), "\n")
	if len(manifest) != len(pool)+1 || manifest[0] != "Lab Core Bundle bundle version: 2" || manifest[1] != "SHA256:"+want[0]+" "+certificate.Read(pool[0]).Subject.CommonName() {
		t.Errorf("manifest.log is\n%s", out["manifest.log"])
	}
	var diff struct {
		CurrentVersion, PrevVersion                                   string
		Additions, Deletions, MarkedForRemoval, NewlyMarkedForRemoval []struct{ CertSHA256, CertSubjectDN string }
	}
	if err := json.Unmarshal(out["core.diff.json"], &diff); err != nil {
		t.Fatal(err)
	}
	if diff.CurrentVersion != "2" || diff.PrevVersion != "1" || len(diff.Additions) != 10 || len(diff.Deletions) != 3 || diff.MarkedForRemoval == nil {
		t.Errorf("core.diff.json is\n%s", out["core.diff.json"])
	}
	channel, err := feed.ParseRSS(out["rss.xml"])
	if err != nil {
		t.Fatal(err)
	}
	if i := channel.Items[0]; channel.Name() != "Lab Core Bundle" || i.Version() != "2" || i.Date != "Sun, 01 Jun 2025 00:00:00 UTC" || len(i.Change.Added) != 10 || len(i.Change.Removed) != 3 {
		t.Errorf("rss.xml is\n%s", out["rss.xml"])
	}

	if len(p.Lock.Certificates) != len(pool) || p.Lock.Certificates[3].SHA256 != strings.ToLower(want[3]) {
		t.Errorf("the lock has %d certificates", len(p.Lock.Certificates))
	}
}

func hashesOf(b *bundle.Bundle) (out []string) {
	for _, c := range b.Certificates {
		out = append(out, fmt.Sprintf("%X", c.SHA256))
	}
	return out
}

// The same input at the same time in whatever zone gives the same bytes.
func TestOutputsRepeat(t *testing.T) {
	t.Parallel()
	_, first := product(t, hardPool(), nil)
	_, second := product(t, hardPool(), func(o *recipe.BuildOptions) {
		o.At = o.At.In(time.FixedZone("east", 14*3600)).Add(time.Second / 2)
	})
	if len(first) != 10 {
		t.Errorf("%d files", len(first))
	}
	for name, data := range first {
		if !bytes.Equal(data, second[name]) {
			t.Errorf("%s differs", name)
		}
	}
}

func TestCertsOnlyIsOpenSSLs(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "openssl")
	_, out := product(t, hardPool(), nil)
	file := filepath.Join(t.TempDir(), "core.pem")
	if err := os.WriteFile(file, out["core.pem"], 0o600); err != nil {
		t.Fatal(err)
	}
	if got := tooltest.Run(t, nil, "openssl", "crl2pkcs7", "-nocrl", "-certfile", file, "-outform", "DER"); !bytes.Equal(got, out["co.p7b"]) {
		t.Error("openssl writes other bytes")
	}
}

func TestKeytoolReadsTruststores(t *testing.T) {
	t.Parallel()
	tooltest.Need(t, "keytool")
	pool := hardPool()
	_, out := product(t, pool, nil)
	want := hashes(pool)
	slices.Sort(want)
	for _, name := range []string{"core.jks", "core.p12"} {
		file := filepath.Join(t.TempDir(), name)
		if err := os.WriteFile(file, out[name], 0o600); err != nil {
			t.Fatal(err)
		}
		list := string(tooltest.Run(t, nil, "keytool", "-J-Duser.language=en", "-list", "-keystore", file, "-storepass", feed.TruststorePassword))
		var got []string
		for _, m := range regexp.MustCompile(`\(SHA-256\): ([0-9A-F:]+)`).FindAllStringSubmatch(list, -1) {
			got = append(got, strings.ReplaceAll(m[1], ":", ""))
		}
		slices.Sort(got)
		if !slices.Equal(got, want) || strings.Count(list, "trustedCertEntry") != len(pool) {
			t.Errorf("%s: keytool lists\n%s", name, list)
		}
	}
}

func TestBuildFails(t *testing.T) {
	t.Parallel()
	gone := errors.New("the token is gone")
	r, err := recipe.Parse([]byte(allOutputs))
	if err != nil {
		t.Fatal(err)
	}
	f := testFiles(t)
	f["core"] = f["abc"]
	for want, spoil := range map[string]func(*recipe.BuildOptions){
		"output core.p7b: the token is gone": func(o *recipe.BuildOptions) {
			o.Identity = func(context.Context, *recipe.Signer) (*signing.Identity, error) { return nil, gone }
		},
		"previous: open lab.p7b": func(o *recipe.BuildOptions) {
			g := testFiles(t)
			g["core"] = g["abc"]
			delete(g, "lab.p7b")
			o.Open = g.options().Open
		},
		"source core: core: ": func(o *recipe.BuildOptions) { o.Limits.Certificates = 2 },
	} {
		o := f.options()
		o.Identity = identity(t)
		spoil(&o)
		p, err := r.Build(t.Context(), o)
		if p != nil || err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v; want %s", err, want)
		}
	}
}

func TestLock(t *testing.T) {
	t.Parallel()
	p, _ := product(t, hardPool(), nil)
	var out bytes.Buffer
	if err := report.WriteJSON(&out, p.Lock); err != nil {
		t.Fatal(err)
	}
	lock := func() *recipe.Lock {
		l, err := recipe.ParseLock(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		return l
	}
	if d := lock().Differences(p.Lock); d != nil {
		t.Errorf("differs from itself: %q", d)
	}
	first := "CN=" + certificate.Read(hardPool()[0]).Subject.CommonName()
	for want, change := range map[string]func(*recipe.Lock){
		`called "Lab Core Bundle" version "1", now "Lab Core Bundle" version "2"`: func(l *recipe.Lock) { l.Version = "1" },
		"added " + p.Lock.Certificates[0].SHA256 + " " + first:                    func(l *recipe.Lock) { l.Certificates = l.Certificates[1:] },
		`removed 00 gone\x1b`: func(l *recipe.Lock) {
			l.Certificates = append(l.Certificates, recipe.LockEntry{SHA256: "00", Subject: "gone\x1b"})
		},
		"in another order": func(l *recipe.Lock) { l.Certificates[0], l.Certificates[1] = l.Certificates[1], l.Certificates[0] },
		"from other sources " + p.Lock.Certificates[0].SHA256:      func(l *recipe.Lock) { l.Certificates[0].Sources = []string{"another"} },
		"called otherwise " + p.Lock.Certificates[0].SHA256 + ": ": func(l *recipe.Lock) { l.Certificates[0].Subject = "CN=Another" },
		"is twice": func(l *recipe.Lock) { l.Certificates = append(l.Certificates, l.Certificates[0]) },
	} {
		l := lock()
		change(l)
		if d := l.Differences(p.Lock); len(d) == 0 || !strings.Contains(strings.Join(d, "\n"), want) {
			t.Errorf("got %q; want %s", d, want)
		}
	}
	for _, bad := range []string{"", "{}", "null", "[]", `{"schema":"trustpool.lock/2"}`, `{"schema":"trustpool.lock/1","x":1}`, out.String() + "{}"} {
		if _, err := recipe.ParseLock([]byte(bad)); err == nil || !strings.HasPrefix(err.Error(), "not a lock: ") {
			t.Errorf("%.40q: %v", bad, err)
		}
	}
}

func FuzzParseLock(f *testing.F) {
	known := &recipe.Lock{Schema: recipe.LockSchema, Name: "n", Version: "1", Certificates: []recipe.LockEntry{
		{SHA256: "00", Subject: "CN=a", Sources: []string{"x", "y"}}, {SHA256: "01", Subject: "CN=b", Sources: []string{"x"}},
	}}
	var out bytes.Buffer
	if err := report.WriteJSON(&out, known); err != nil {
		f.Fatal(err)
	}
	f.Add(out.Bytes())
	f.Add([]byte(`{"schema":"trustpool.lock/1","certificates":[{"sha256":"00"},{"sha256":"00"}]}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := recipe.ParseLock(data)
		if err != nil {
			return
		}
		var out bytes.Buffer
		if err := report.WriteJSON(&out, l); err != nil {
			t.Fatal(err)
		}
		again, err := recipe.ParseLock(out.Bytes())
		if err != nil {
			t.Fatalf("%v\n%s", err, out.Bytes())
		}
		known.Differences(l)
		for _, d := range l.Differences(again) {
			if !strings.Contains(d, "twice") && !strings.Contains(d, "order") && !strings.Contains(d, "from other") && !strings.Contains(d, "called otherwise") {
				t.Errorf("differs from itself: %s", d)
			}
		}
	})
}

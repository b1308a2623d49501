package pkitest

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// tool finds a program, or skips the test; with TRUSTPOOL_REQUIRE_TOOLS=1 its absence is a failure.
func tool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		if os.Getenv("TRUSTPOOL_REQUIRE_TOOLS") == "1" {
			t.Fatalf("%s is not installed, and TRUSTPOOL_REQUIRE_TOOLS=1", name)
		}
		t.Skipf("%s is not installed", name)
	}
	return path
}

// run returns what the program writes on stdout and stderr together.
func run(t *testing.T, program string, args ...string) (string, error) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), program, args...).CombinedOutput()
	return string(out), err
}

func write(t *testing.T, name string, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), name)
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestCertsOnly holds the inner message to what openssl writes of the same certificates.
func TestCertsOnly(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	pool := CoreV1()
	for _, n := range []int{1, 2, len(pool)} {
		var blocks bytes.Buffer
		for _, der := range pool[:n] {
			blocks.Write(CertificatePEM(der))
		}
		want := filepath.Join(t.TempDir(), "want.p7b")
		if out, err := run(t, openssl, "crl2pkcs7", "-nocrl", "-certfile", write(t, "pool.pem", blocks.Bytes()), "-outform", "DER", "-out", want); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
		if der, err := os.ReadFile(want); err != nil {
			t.Fatal(err)
		} else if !bytes.Equal(der, CertsOnly(pool[:n]...)) {
			t.Errorf("%d certificates: openssl writes another message", n)
		}
	}
}

// TestTrustedCertificate holds the TRUSTED CERTIFICATE of lab.pem to what openssl writes.
func TestTrustedCertificate(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	out, err := run(t, openssl, "x509", "-in", write(t, "fir.pem", CertificatePEM(fir().Sign(nil))),
		"-trustout", "-addtrust", "serverAuth", "-setalias", "Fir, trusted for TLS servers")
	if err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if !strings.Contains(string(labPEM()), out) {
		t.Errorf("openssl writes\n%s", out)
	}
}

// TestOpenSSLReadsQuirks: what openssl reads, a device does.
func TestOpenSSLReadsQuirks(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	for _, quirk := range Quirks() {
		out, err := run(t, openssl, "x509", "-inform", "DER", "-in", write(t, "quirk.der", quirk.DER), "-noout", "-subject", "-serial", "-dates")
		if refused := quirk.Name == "not-a-certificate"; (err != nil) != refused {
			t.Errorf("%s: %v: %s", quirk.Name, err, out)
		}
	}
}

// TestOpenSSLVerifies has openssl accept every good vector and every good bundle, at the time that the vector gives.
func TestOpenSSLVerifies(t *testing.T) {
	t.Parallel()
	openssl := tool(t, "openssl")
	other := map[string]string{
		"good-ed25519":      "openssl 3.0 takes no digest beside Ed25519",
		"lab-ed25519.p7b":   "openssl 3.0 takes no digest beside Ed25519",
		"good-signer-decoy": "the first certificate of that name and number is not the signer's",
	}
	vectors := Vectors()
	for _, b := range signedBundles(t) {
		vectors = append(vectors, b.Vector)
	}
	for _, v := range vectors {
		if v.Expect != "verified" {
			continue
		}
		message := write(t, v.Name, v.Message)
		root := write(t, "root.pem", Lab().Roots()[v.Root].PEM())
		args := []string{"cms", "-verify", "-binary", "-inform", "DER", "-in", message, "-purpose", "any", "-CAfile", root,
			"-attime", fmt.Sprint(v.At.Unix()), "-out", os.DevNull}
		if v.SHA1Links {
			args = append(args, "-auth_level", "0")
		}
		out, err := run(t, openssl, args...)
		switch reason, refused := other[v.Name]; {
		case refused && err == nil:
			t.Logf("%s: accepted, although %s", v.Name, reason)
		case !refused && err != nil:
			t.Errorf("%s: %v: %s", v.Name, err, out)
		}
	}
}

// TestCerttoolVerifies has certtool accept the good bundles. It judges by today's date, so that it is asked about signatures only.
func TestCerttoolVerifies(t *testing.T) {
	t.Parallel()
	certtool := tool(t, "certtool")
	for _, v := range signedBundles(t) {
		args := []string{"--p7-verify", "--inder", "--infile", write(t, v.Name, v.Message),
			"--load-certificate", write(t, "signer.pem", v.signer.PEM())}
		if out, err := run(t, certtool, args...); err != nil || !strings.Contains(out, "Signature status: ok") {
			t.Errorf("%s: %v: %s", v.Name, err, out)
		}
	}
}

// A signedBundle is a committed bundle that shall verify.
type signedBundle struct {
	Vector
	signer *Authority
}

func signedBundles(t *testing.T) []signedBundle {
	t.Helper()
	lab := Lab()
	bundles := map[string]signedBundle{
		"lab-core-v1":      {signer: lab.Signer},
		"lab-core-v2":      {signer: lab.Signer},
		"lab-quirks-v1":    {signer: lab.Signer},
		"lab-ber":          {signer: lab.Signer},
		"lab-ski":          {signer: lab.Signer},
		"lab-pss":          {signer: lab.Signer},
		"lab-intermediate": {signer: lab.IntermediateSigner},
		"lab-sha1":         {Vector{Root: "sha1", SHA1Links: true}, lab.SHA1Signer},
		"lab-p256":         {Vector{Root: "p256"}, lab.P256Signer},
		"lab-p384":         {Vector{Root: "p384"}, lab.P384Signer},
		"lab-p521":         {Vector{Root: "p521"}, lab.P521Signer},
		"lab-ed25519":      {Vector{Root: "ed25519"}, lab.Ed25519Signer},
	}
	var found []signedBundle
	for _, file := range bundleFiles() {
		name := strings.TrimPrefix(file.Path, "bundles/")
		b, ok := bundles[strings.TrimSuffix(name, ".p7b")]
		if !ok {
			continue
		}
		if b.Root == "" {
			b.Root = "lab"
		}
		b.Name, b.Expect, b.At, b.Message = name, "verified", vectorTime, file.Data
		found = append(found, b)
	}
	if len(found) != len(bundles) {
		t.Fatalf("%d bundles of %d", len(found), len(bundles))
	}
	return found
}

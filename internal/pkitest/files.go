package pkitest

import (
	"bytes"
	"crypto"
	"encoding/base64"
	"encoding/pem"
	"maps"
	"slices"

	"golang.org/x/crypto/cryptobyte/asn1"
)

// A File is one generated file below testdata.
type File struct {
	Path string // with slashes; testdata/README.md says what it is
	Data []byte
}

// Files returns every generated file: bundles, chains, keys, the feed and vectors.
func Files() []File {
	files := slices.Concat(bundleFiles(), signerKeyFiles(), feedFiles())
	for _, v := range Vectors() {
		files = append(files, File{"vectors/" + v.Name + ".txt", v.Encode()})
	}
	return files
}

func bundleFiles() []File {
	lab := Lab()
	var files []File
	add := func(name string, data []byte) { files = append(files, File{"bundles/" + name, data}) }

	core := Bundle(lab.Signer, "Lab Core Bundle", "1", noon(2024, 1, 15), CoreV1()...)
	add("lab-core-v1.p7b", core)
	add("lab-core-v2.p7b", Bundle(lab.Signer, "Lab Core Bundle", "2", noon(2025, 1, 15), CoreV2()...))
	add("lab-quirks-v1.p7b", Bundle(lab.Signer, "Lab Quirks Bundle", "1", noon(2024, 1, 15), QuirkPool()...))
	add("lab-ber.p7b", ToBER(core, 1000))
	add("lab-certs-only.p7b", CertsOnly(CoreV1()...))
	add("lab-outer.p7b", Message{
		Detached: true, Certificates: appendNew(lab.Signer.Chain(), CoreV1()...),
		Signers: []SignerInfo{labSigner("Lab Outer Bundle")},
	}.DER())

	bundle := func(name string, s SignerInfo) {
		add(name, Message{Content: CertsOnly(CoreV1()...), Signers: []SignerInfo{s}}.DER())
	}
	with := func(signer *Authority, change func(*SignerInfo)) SignerInfo {
		s := labSigner("Lab Core Bundle")
		s.Signer = signer
		if change != nil {
			change(&s)
		}
		return s
	}
	bundle("lab-sha1.p7b", with(lab.SHA1Signer, nil))
	bundle("lab-intermediate.p7b", with(lab.IntermediateSigner, nil))
	bundle("lab-ski.p7b", with(lab.Signer, func(s *SignerInfo) { s.ByKeyID = true }))
	bundle("lab-pss.p7b", with(lab.Signer, func(s *SignerInfo) { s.Algorithm = SHA256WithPSS }))
	bundle("lab-p256.p7b", with(lab.P256Signer, nil))
	bundle("lab-p384.p7b", with(lab.P384Signer, withSHA384))
	bundle("lab-p521.p7b", with(lab.P521Signer, withSHA512))
	bundle("lab-ed25519.p7b", with(lab.Ed25519Signer, nil))
	add("lab-two-signers.p7b", Message{Content: CertsOnly(CoreV1()...), Signers: []SignerInfo{with(lab.Signer, nil), with(lab.SecondSigner, nil)}}.DER())

	for _, name := range slices.Sorted(maps.Keys(lab.Roots())) {
		file, root := "lab-"+name+"-root.pem", lab.Roots()[name]
		if name == "lab" {
			file = "lab-root.pem"
		}
		add(file, root.PEM())
	}
	add("lab-impostor-root.pem", lab.ImpostorRoot.PEM())
	add("lab-signer.pem", lab.Signer.PEM())

	alder := poolRoot("Alder", RSA("alder")).Sign(nil)
	add("one.der", alder)
	add("bare.b64", columns(alder))
	files = append(files, File{"chains/lab-servers.txt", Capture(LabServers()...)})
	files = append(files, File{"chains/lab.example.pem", pems(LabServers()[0].Chain)})
	add("lab.pem", labPEM())
	return files
}

func pems(chain [][]byte) (out []byte) {
	for _, der := range chain {
		out = append(out, CertificatePEM(der)...)
	}
	return out
}

func withSHA384(s *SignerInfo) { s.Digest = crypto.SHA384 }
func withSHA512(s *SignerInfo) { s.Digest = crypto.SHA512 }

// labSigner is the signature of Lab's signer as the fixtures have it.
func labSigner(bundle string) SignerInfo {
	return SignerInfo{Signer: Lab().Signer, Name: bundle, Version: "1", Time: At(noon(2024, 1, 15))}
}

func signerKeyFiles() []File {
	var files []File
	for _, a := range []*Authority{Lab().Signer, Lab().P256Signer, Lab().Ed25519Signer} {
		files = append(files, File{"keys/" + a.Key.Name + ".pem", a.Key.PEM()})
	}
	return files
}

// columns is base64 in lines of 64.
func columns(der []byte) []byte {
	var out bytes.Buffer
	for line := range slices.Chunk([]byte(base64.StdEncoding.EncodeToString(der)), 64) {
		out.Write(line)
		out.WriteByte('\n')
	}
	return out.Bytes()
}

func labPEM() []byte {
	var out bytes.Buffer
	block := func(text, label string, der []byte) {
		out.WriteString(text)
		// A bytes.Buffer takes everything.
		_ = pem.Encode(&out, &pem.Block{Type: label, Bytes: der})
	}
	block("# Roots of the lab, each under another label\nsubject: CN=Alder Root CA\n", "CERTIFICATE", poolRoot("Alder", RSA("alder")).Sign(nil))
	cedar := CoreV1()[6]
	block("\nCedar ECC Root CA\n=================\n", "X509 CERTIFICATE", cedar)
	// What `openssl x509 -trustout -addtrust serverAuth -setalias` appends to the certificate: a CertAux.
	aux := sequence(sequence(ServerAuth.DER()), TLV(asn1.UTF8String, []byte("Fir, trusted for TLS servers")))
	block("\n# with OpenSSL's trust settings\n", "TRUSTED CERTIFICATE", slices.Concat(fir().Sign(nil), aux))
	out.WriteString("# the end\n")
	return out.Bytes()
}

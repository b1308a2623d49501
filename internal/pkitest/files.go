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
	Path  string // with slashes
	About string
	Data  []byte
}

// Files returns every generated file: bundles, chains, keys, the feed and vectors.
func Files() []File {
	files := slices.Concat(bundleFiles(), signerKeyFiles(), feedFiles())
	for _, v := range Vectors() {
		files = append(files, File{"vectors/" + v.Name + ".txt", v.About, v.Encode()})
	}
	return files
}

func bundleFiles() []File {
	lab := Lab()
	var files []File
	add := func(name, about string, data []byte) { files = append(files, File{"bundles/" + name, about, data}) }

	core := Bundle(lab.Signer, "Lab Core Bundle", "1", noon(2024, 1, 15), CoreV1()...)
	add("lab-core-v1.p7b", "Lab Core Bundle, version 1, signed 2024-01-15: eight roots, the anchor among them", core)
	add("lab-core-v2.p7b", "version 2, signed 2025-01-15: Hazel and Ivy added, Elm removed, Fir re-issued under the same key and name, Gorse re-keyed under the same name",
		Bundle(lab.Signer, "Lab Core Bundle", "2", noon(2025, 1, 15), CoreV2()...))
	add("lab-quirks-v1.p7b", "Lab Quirks Bundle, version 1: one element for each oddity of a genuine bundle, one of them no certificate; Quirks in pool.go lists them in order",
		Bundle(lab.Signer, "Lab Quirks Bundle", "1", noon(2024, 1, 15), QuirkPool()...))
	add("lab-ber.p7b", "lab-core-v1.p7b in BER: indefinite lengths, the content in chunks of 1,000 bytes", ToBER(core, 1000))
	add("lab-certs-only.p7b", "the content of lab-core-v1.p7b alone: not signed", CertsOnly(CoreV1()...))
	add("lab-outer.p7b", "a signed message without content, its pool (that of lab-core-v1.p7b) among the outer certificates, which no signature covers",
		Message{
			Detached: true, Certificates: appendNew(lab.Signer.Chain(), CoreV1()...),
			Signers: []SignerInfo{labSigner("Lab Outer Bundle")},
		}.DER())

	bundle := func(name, about string, s SignerInfo) {
		add(name, about, Message{Content: CertsOnly(CoreV1()...), Signers: []SignerInfo{s}}.DER())
	}
	with := func(signer *Authority, change func(*SignerInfo)) SignerInfo {
		s := labSigner("Lab Core Bundle")
		s.Signer = signer
		if change != nil {
			change(&s)
		}
		return s
	}
	bundle("lab-sha1.p7b", "signed below lab-sha1-root.pem: both certificates are signed with SHA-1, as Cisco's are", with(lab.SHA1Signer, nil))
	bundle("lab-intermediate.p7b", "signed below an intermediate, which the message carries", with(lab.IntermediateSigner, nil))
	bundle("lab-ski.p7b", "the signer is named by its key identifier", with(lab.Signer, func(s *SignerInfo) { s.ByKeyID = true }))
	bundle("lab-pss.p7b", "signed with RSASSA-PSS", with(lab.Signer, func(s *SignerInfo) { s.Algorithm = SHA256WithPSS }))
	bundle("lab-p256.p7b", "signed with ECDSA P-256 and SHA-256 below lab-p256-root.pem", with(lab.P256Signer, nil))
	bundle("lab-p384.p7b", "signed with ECDSA P-384 and SHA-384 below lab-p384-root.pem", with(lab.P384Signer, withSHA384))
	bundle("lab-p521.p7b", "signed with ECDSA P-521 and SHA-512 below lab-p521-root.pem", with(lab.P521Signer, withSHA512))
	bundle("lab-ed25519.p7b", "signed with Ed25519 and SHA-512 (RFC 8419) below lab-ed25519-root.pem", with(lab.Ed25519Signer, nil))
	add("lab-two-signers.p7b", "signed twice below lab-root.pem",
		Message{Content: CertsOnly(CoreV1()...), Signers: []SignerInfo{with(lab.Signer, nil), with(lab.SecondSigner, nil)}}.DER())

	for _, name := range slices.Sorted(maps.Keys(lab.Roots())) {
		file, root := "lab-"+name+"-root.pem", lab.Roots()[name]
		if name == "lab" {
			file = "lab-root.pem"
		}
		add(file, "the root "+root.commonName(), root.PEM())
	}
	add("lab-impostor-root.pem", "a root with the name of lab-root.pem and another key", lab.ImpostorRoot.PEM())
	add("lab-signer.pem", "the certificate of the signer of lab-core-v1.p7b", lab.Signer.PEM())

	alder := poolRoot("Alder", RSA("alder")).Sign(nil)
	add("one.der", "one certificate, CN=Alder Root CA", alder)
	add("bare.b64", "the same in base64, 64 columns, without armour", columns(alder))
	files = append(files, File{"chains/lab-servers.txt",
		"what `openssl s_client -showcerts` prints of eight servers: below Lab Root CA (over an intermediate), Elm, Fir, Gorse, Hazel, Lab Other Root CA (which is sent too), and the roots sha1-signature (over an intermediate) and negative-serial of lab-quirks-v1.p7b", Capture(LabServers()...)})
	files = append(files, File{"chains/lab.example.pem", "the chain of the first of them in PEM alone", pems(LabServers()[0].Chain)})
	add("lab.pem", "three certificates (Alder, Cedar ECC, Fir) under the labels CERTIFICATE, X509 CERTIFICATE and TRUSTED CERTIFICATE, with text between them", labPEM())
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

// commonName is the last value of the subject.
func (a *Authority) commonName() string { return string(a.Subject[len(a.Subject)-1][0].Value) }

func signerKeyFiles() []File {
	var files []File
	for _, a := range []*Authority{Lab().Signer, Lab().P256Signer, Lab().Ed25519Signer} {
		files = append(files, File{"keys/" + a.Key.Name + ".pem", "the key of CN=" + a.commonName(), a.Key.PEM()})
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

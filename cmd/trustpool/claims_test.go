package main

import (
	"bytes"
	"context"
	"crypto/elliptic"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"trustpool/internal/cli"
	"trustpool/internal/pkitest"
)

// claims are files that seem to be more than they are.
func claims() map[string][]byte {
	lab := pkitest.Lab()
	seems := func(cn string, key *pkitest.Key) []byte {
		return pkitest.RootTemplate(pkitest.NewName("C=US", "O=IdenTrust", "CN="+cn), key).Sign(nil)
	}
	identrust := seems("IdenTrust Commercial Root CA 1", pkitest.ECDSA("claims-impostor", elliptic.P256()))
	expired := pkitest.RootTemplate(pkitest.NewName("O=Old", "CN=Old Root CA"), pkitest.ECDSA("claims-expired", elliptic.P256()))
	expired.NotAfter = pkitest.Date(2021, 1, 1)
	old := expired.Sign(nil)
	signed := time.Date(2025, 1, 1, 0, 0, 0, 0, time.UTC)
	genuine := pkitest.Bundle(lab.Signer, "Lab Core Bundle", "7", signed, pkitest.CoreV1()...)
	tampered := bytes.Clone(genuine)
	tampered[bytes.Index(tampered, []byte("Birch Root CA"))] ^= 1
	return map[string][]byte{
		"impostor.p7b": pkitest.Bundle(lab.ImpostorSigner, "Lab Core Bundle", "7", signed, append(pkitest.CoreV1(), identrust)...),
		"impostor.pem": pkitest.CertificatePEM(identrust),
		"tampered.p7b": tampered,
		"expired.p7b":  pkitest.Bundle(lab.Signer, "Lab Core Bundle", "7", signed, append(pkitest.CoreV1(), old)...),
		"expired.pem":  pkitest.CertificatePEM(old),
		"armoured.p7b": pkitest.MessagePEM(genuine),
		"genuine.p7b":  genuine,
	}
}

// A claimed is what a verb answers of a file: its status, what it says, on either
// stream, and what it does not, as regular expressions; empty for none.
type claimed struct {
	status        int
	says, saysNot string
}

// What verbs say of the files, in the words that several share.
const (
	isImpostor = "not.verified: chain-no-anchor"
	isTampered = "not.verified: message-digest-differs"
	isUnsigned = "not.verified: not-signed"
	isVerified = "verified, Lab Root CA"
	pastes     = "-----BEGIN CERTIFICATE-----"
)

// TestClaims gives an impostor's bundle, a tampered one, an expired certificate and
// an armoured file to every verb that types, hosts, carries, imports or grades. Each
// says what is known, and none says more.
func TestClaims(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	files := claims()
	files["root.pem"] = pkitest.Lab().Root.PEM()
	for name, data := range files {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	server := httptest.NewServer(handler(dir))
	t.Cleanup(server.Close)

	// refuses is a verb that takes nothing that is not verified, and says armour of an
	// armoured file.
	refuses := func(status int, yes, armour string) map[string]claimed {
		return map[string]claimed{
			"impostor.p7b": {status, isImpostor, isVerified}, "tampered.p7b": {status, isTampered, isVerified},
			"impostor.pem": {status, isUnsigned, isVerified}, "expired.pem": {status, isUnsigned, isVerified},
			"expired.p7b": {0, yes, "not verified"}, "armoured.p7b": {0, armour, "not verified"},
		}
	}
	imports := func(yes, armour string) map[string]claimed {
		return map[string]claimed{
			"impostor.p7b": {1, "^refused: .* is " + isImpostor, "installed"}, "tampered.p7b": {1, "^refused: .* is " + isTampered, "installed"},
			"impostor.pem": {1, "^refused: .* is " + isUnsigned, "installed:"}, "expired.pem": {1, "^refused: .* is " + isUnsigned, "installed:"},
			"expired.p7b":  {0, yes + `(?s).*attempted:  9\n   installed:  8\n.*   expired:    1\n.*expired 2021-01-01`, "given the DER"},
			"armoured.p7b": {0, yes + `(?s).*installed:  8\n.*` + armour, "expired 2021"},
		}
	}
	typed := func(ask string) map[string]claimed {
		return map[string]claimed{
			"impostor.p7b": {1, "^refused: the file is signed, and not verified, chain-no-anchor", pastes + "|(?i)md5"},
			"tampered.p7b": {1, "^refused: the file is signed, and not verified, message-digest-differs", pastes + "|(?i)md5"},
			"impostor.pem": {1, "^refused: .*has the name of IdenTrust Commercial Root CA 1", pastes + "|(?i)md5"},
			"expired.pem":  {0, "(?s)^! nobody vouches for the certificates.*! nobody vouches for this certificate.*! warning: it expired 2021-01-01.*! SHA-256 .*! SHA-1 .*! MD5 .*" + ask + pastes, "! verified"},
			"expired.p7b":  {0, "(?s)^! verified: Lab Root CA vouches.*certificate 9 of 9, CN=Old Root CA,O=Old: it expired.*! warning: it expired 2021-01-01.*! MD5 .*" + pastes, "nobody vouches"},
			"armoured.p7b": {0, "(?s)^! verified: Lab Root CA vouches.*! MD5 .*" + pastes, "nobody vouches|it expired"},
		}
	}
	const byDER = "note: the file is text, PEM or base64, .* as if the device were given the DER"
	for name, tt := range map[string]struct {
		args string // FILE, URL, ROOT and TEMP are replaced; a semicolon ends one run of the program
		want map[string]claimed
	}{
		"verify": {"verify FILE --root ROOT", refuses(1, isVerified, isVerified)},
		"inspect": {"inspect FILE --root ROOT", map[string]claimed{
			"impostor.p7b": {0, isImpostor + `(?s).*claimed, not verified`, isVerified}, "tampered.p7b": {0, isTampered + `(?s).*claimed, not verified`, isVerified},
			"impostor.pem": {0, isUnsigned, isVerified}, "expired.pem": {0, isUnsigned + "(?s).*2021-01-01", isVerified},
			"expired.p7b": {0, isVerified + "(?s).*2021-01-01", "not verified"}, "armoured.p7b": {0, isVerified, "not verified"},
		}},
		"audit": {"audit FILE --root ROOT --fail-on warning", map[string]claimed{
			"impostor.p7b": {1, "ERROR  signature-not-verified", isVerified}, "tampered.p7b": {1, "ERROR  signature-not-verified", isVerified},
			"impostor.pem": {1, "WARNING  not-signed", isVerified}, "expired.pem": {1, "(?s)WARNING  not-signed.*WARNING  expired", isVerified},
			"expired.p7b": {1, isVerified + "(?s).*WARNING  expired: 1", "not verified"}, "armoured.p7b": {0, isVerified, "not verified"},
		}},
		"diff": {"diff FILE TEMP/genuine.p7b --root ROOT", map[string]claimed{
			"impostor.p7b": {1, "^old .*" + isImpostor, ""}, "tampered.p7b": {1, "^old .*" + isTampered, ""},
			"impostor.pem": {1, "^old .*" + isUnsigned, ""}, "expired.pem": {1, "^old .*" + isUnsigned, ""},
			"expired.p7b": {1, "^old .*" + isVerified, "not verified"}, "armoured.p7b": {0, "^old .*" + isVerified, "not verified"},
		}},
		"doctor": {"doctor URL --root ROOT", map[string]claimed{
			"impostor.p7b": {1, `claimed, not verified(?s).*\nFAIL     signature +` + isImpostor, isVerified}, "tampered.p7b": {1, `\nFAIL     signature +` + isTampered, isVerified},
			"impostor.pem": {1, `\nFAIL     bundle .*\nFAIL     signature +` + isUnsigned, isVerified}, "expired.pem": {1, `\nFAIL     bundle .*\nFAIL     signature +` + isUnsigned, isVerified},
			"expired.p7b": {1, `\nok       signature +` + isVerified, "FAIL     bundle|not verified"}, "armoured.p7b": {1, `\nFAIL     bundle +PEM or base64, which no device is known to read .*\nok       signature +` + isVerified, "not verified"},
		}},
		"import, asa":   {"import FILE --platform asa --root ROOT", imports("^Root file signature verified", byDER)},
		"import, iosxe": {"import FILE --platform iosxe --root ROOT", imports("succeeded", byDER)},
		"import, iosxr": {"import FILE --platform iosxr --root ROOT", imports("counted by trustpool", byDER)},
		"import, terminal": {"import FILE --platform iosxe --via terminal", map[string]claimed{
			"impostor.p7b": {1, "^refused: .*this file is a message", "succeeded"}, "tampered.p7b": {1, "^refused: .*this file is a message", "succeeded"},
			"impostor.pem": {0, "nobody vouches for it here", "verified"}, "expired.pem": {0, `(?s)expired:    1\n.*expired 2021-01-01.*nobody vouches for it here`, "succeeded"},
			"expired.p7b": {1, "^refused: .*this file is a message", "succeeded"}, "armoured.p7b": {1, "^refused: .*this file is a message", "succeeded"},
		}},
		"config, asa":   {"config --platform asa --pem FILE --root ROOT", typed("! yes: only if its fingerprints are those of a second source.*")},
		"config, fxos":  {"config --platform fxos --pem FILE --root ROOT", typed("")},
		"config, ios":   {"config --platform ios --pem FILE --root ROOT", typed("")},
		"config, iosxe": {"config --platform iosxe --pem FILE --root ROOT", typed("")},
		"config, nxos":  {"config --platform nxos --pem FILE --root ROOT", typed("! yes: only if its fingerprints are those of a second source.*")},
		"config, unverified": {"config --platform asa --pem FILE --root ROOT --unverified", map[string]claimed{
			"impostor.p7b": {0, "^! not verified: (?s).*! warning: NOT VERIFIED, chain-no-anchor.*" + pastes, "! verified"},
			"tampered.p7b": {0, "^! not verified: (?s).*! warning: NOT VERIFIED, message-digest-differs.*" + pastes, "! verified"},
			"impostor.pem": {0, "^! nobody vouches (?s).*! warning: it has the name of IdenTrust Commercial Root CA 1.*" + pastes, "! verified"},
		}},
		"publish":       {"publish FILE --store TEMP --root ROOT", refuses(1, "(?m)^published", "(?s)^published.*the DER within")},
		"mirror":        {"mirror --from URL --store TEMP --root ROOT", refuses(1, "(?m)^published", "(?s)^published.*the DER within")},
		"serve":         {"serve FILE --listen 127.0.0.1:0 --root ROOT", refuses(2, isVerified, "(?s)the DER within is served.*"+isVerified)},
		"pack, receive": {"pack FILE -o TEMP/kit.tar --root ROOT; receive TEMP/kit.tar -o TEMP/out --root ROOT", refuses(1, "kit", "(?s)the DER within is packed.*bundles proved")},
	} {
		for file, want := range tt.want {
			t.Run(name+"/"+file, func(t *testing.T) {
				t.Parallel()
				temp := t.TempDir()
				if strings.Contains(tt.args, "genuine.p7b") {
					if err := os.WriteFile(filepath.Join(temp, "genuine.p7b"), files["genuine.p7b"], 0o644); err != nil {
						t.Fatal(err)
					}
				}
				args := strings.NewReplacer("FILE", filepath.Join(dir, file), "URL", server.URL+"/"+file, "ROOT", filepath.Join(dir, "root.pem"), "TEMP", temp).Replace(tt.args)
				status, output := 0, ""
				for run := range strings.SplitSeq(args, ";") {
					var more string
					if status, more = runProgram(t, strings.Fields(run)); status != 0 {
						output += more
						break
					}
					output += more
				}
				if status != want.status {
					t.Errorf("status %d, want %d:\n%s", status, want.status, output)
				}
				if !regexp.MustCompile(want.says).MatchString(output) {
					t.Errorf("does not say %q:\n%s", want.says, output)
				}
				if want.saysNot != "" && regexp.MustCompile(want.saysNot).MatchString(output) {
					t.Errorf("says %q:\n%s", want.saysNot, output)
				}
			})
		}
	}
}

// runProgram runs the program, a server until it says where it is, and returns its
// status and what it printed on both streams.
func runProgram(t *testing.T, args []string) (int, string) {
	t.Helper()
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	out := &watched{when: []byte("trustpool: http://"), then: cancel}
	status := cli.Run(ctx, args, cli.Env{
		Stdin: strings.NewReader(""), Stdout: out, Stderr: out, Now: now, Sleep: sleep, Build: build(), Getenv: func(string) string { return "" },
	})
	out.mu.Lock()
	defer out.mu.Unlock()
	return status, out.b.String()
}

// watched is a buffer that does something when a text was written.
type watched struct {
	mu   sync.Mutex
	b    bytes.Buffer
	when []byte
	then func()
}

func (w *watched) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.b.Write(p)
	if bytes.Contains(w.b.Bytes(), w.when) {
		w.then()
	}
	return len(p), nil
}

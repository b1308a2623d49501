package config_test

import (
	"bytes"
	"crypto/elliptic"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device/config"
	"trustpool/internal/pkitest"
	"trustpool/signing"
)

func text(t *testing.T, s *config.Script) string {
	t.Helper()
	var out bytes.Buffer
	if err := s.WriteText(&out); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

func refused(reason signing.Reason) *signing.Report {
	detail := "because"
	return &signing.Report{Reason: &reason, Detail: &detail}
}

func verified() *signing.Report {
	return &signing.Report{Verified: true, Anchor: &signing.AnchorReport{Name: "Cisco Root CA M1"}}
}

// Whoever vouches for the file, every paste says so, has three fingerprints, and
// nothing that is not verified is pasted unasked.
func TestVouched(t *testing.T) {
	t.Parallel()
	genuine := certificates(t, "quovadis-root-ca-2.pem")
	impostor := []*certificate.Certificate{certificate.Read(pkitest.RootTemplate(
		pkitest.NewName("C=US", "O=IdenTrust", "CN=IdenTrust\u200b  commercial-Root CA 1 "), pkitest.ECDSA("config-impostor", elliptic.P256())).Sign(nil))}
	known := []config.Known{{Name: "QuoVadis Root CA 2", SHA256: genuine[0].SHA256}, {Name: "IdenTrust Commercial Root CA 1", SHA256: [32]byte{1}}}
	for _, name := range []string{"asa", "fxos", "ios", "iosxe", "nxos"} {
		for i, tt := range []struct {
			pem        []*certificate.Certificate
			signature  *signing.Report
			unverified bool
			refused    string // empty: not refused
			has        []string
			hasNot     string
		}{
			{genuine, verified(), false, "", []string{"! verified: Cisco Root CA M1 vouches"}, "nobody vouches"},
			{genuine, refused(signing.NotSigned), false, "", []string{"! nobody vouches for the certificates", "! nobody vouches for this certificate"}, "NOT VERIFIED"},
			{genuine, nil, false, "", []string{"! nobody vouches for the certificates", "! nobody vouches for this certificate"}, "NOT VERIFIED"},
			{genuine, refused(signing.ChainNoAnchor), false, "not verified, chain-no-anchor: because", nil, "BEGIN"},
			{genuine, refused(signing.ChainNoAnchor), true, "", []string{"! not verified", "! warning: NOT VERIFIED, chain-no-anchor"}, "nobody vouches"},
			{impostor, refused(signing.ChainNoAnchor), false, "not verified", nil, "BEGIN"},
			{impostor, nil, false, "has the name of IdenTrust Commercial Root CA 1", nil, "BEGIN"},
			{impostor, nil, true, "", []string{"! warning: it has the name of IdenTrust Commercial Root CA 1"}, "NOT VERIFIED"},
			{impostor, verified(), false, "", []string{"! verified"}, "has the name of"},
		} {
			s := script(t, config.Options{Platform: platform(t, name), PEM: tt.pem, Signature: tt.signature, Unverified: tt.unverified, Known: known})
			out := text(t, s)
			if (s.Refused == "") != (tt.refused == "") || !strings.Contains(s.Refused, tt.refused) {
				t.Errorf("%s %d: refused %q, want %q", name, i, s.Refused, tt.refused)
			}
			for _, want := range tt.has {
				if !strings.Contains(out, want) {
					t.Errorf("%s %d: no %q in\n%s", name, i, want, out)
				}
			}
			if strings.Contains(out, tt.hasNot) {
				t.Errorf("%s %d: %q in\n%s", name, i, tt.hasNot, out)
			}
			f := config.FingerprintsOf(tt.pem[0])
			for _, sum := range []string{fmt.Sprintf("SHA-256 %X", f.SHA256), fmt.Sprintf("SHA-1 %X", f.SHA1), fmt.Sprintf("MD5 %X", f.MD5)} {
				if strings.Contains(out, sum) != (tt.refused == "") {
					t.Errorf("%s %d: %s is there: %t", name, i, sum, tt.refused != "")
				}
			}
			if tt.refused != "" && (len(s.Steps) > 0 || strings.Contains(out, config.Fingerprint(tt.pem[0]))) {
				t.Errorf("%s %d: refused, and there is something to type:\n%s", name, i, out)
			}
		}
	}
}

// A certificate that has the name of a known root for a reader has it, however it
// is written.
func TestImpostorNames(t *testing.T) {
	t.Parallel()
	known := []config.Known{{Name: "IdenTrust Commercial Root CA 1", SHA256: [32]byte{1}}, {Name: "Cisco Root CA 2099", SHA256: [32]byte{2}}}
	key := pkitest.ECDSA("config-impostor", elliptic.P256())
	for _, tt := range []struct {
		names []string
		is    bool
	}{
		{[]string{"CN=IdenTrust Commercial Root CA 1"}, true},
		{[]string{"CN=IDENTRUST  commercial-root ca 1 "}, true},
		{[]string{"CN=Iden\u200bTrust Commercial Root CA\u202e 1"}, true},
		{[]string{"CN=\u0406denTrust \u0421ommercial Root CA 1"}, true},                // Cyrillic I, C
		{[]string{"CN=IdenTru\u0455t C\u03bfmmercial Root CA 1"}, true},                // Cyrillic s, Greek o
		{[]string{"CN=ldenTrust Commerciai R0ot CA I"}, true},                          // l, i, 0, I
		{[]string{"CN=\uff29denTrust Commercial Root CA \uff11"}, true},                // full width
		{[]string{"CN=\u00ccdenTr\u00fcst Comme\u0301rcial Root CA \U0001d7d9"}, true}, // accents, a double-struck 1
		{[]string{"CN=IdenTrust Commercial Root CA 1", "CN=Another"}, true},
		{[]string{"CN=Another", "CN=IdenTrust Commercial Root CA 1"}, true},
		{[]string{"OU=IdenTrust Commercial Root CA 1"}, true}, // without a common name it is what is shown
		{[]string{"CN=Cisco Root CA 2O99"}, true},
		{[]string{"CN=IdenTrust Commercial Root CA 2"}, false},
		{[]string{"CN=IdenTrust Commercial Root CA 11"}, false},
		{[]string{"CN=Cisco Root CA 2048"}, false},
		{[]string{"OU=None"}, false},
		{nil, false},
	} {
		c := certificate.Read(pkitest.RootTemplate(pkitest.NewName(tt.names...), key).Sign(nil))
		s := script(t, config.Options{Platform: platform(t, "iosxe"), PEM: []*certificate.Certificate{c}, Known: known})
		if (s.Refused != "") != tt.is {
			t.Errorf("%q: refused %q", tt.names, s.Refused)
		}
	}
}

// What has expired, is not valid yet, or is distrusted is warned of, at the head
// and before the paste.
func TestAgainst(t *testing.T) {
	t.Parallel()
	root := certificates(t, "quovadis-root-ca-2.pem")
	for at, want := range map[string]string{"2040-01-01": "it expired 2031-11-24", "2001-01-01": "it is valid from 2006-11-24", "2020-01-01": ""} {
		when, err := time.Parse(time.DateOnly, at)
		if err != nil {
			t.Fatal(err)
		}
		s := script(t, config.Options{Platform: platform(t, "iosxe"), PEM: root, At: when})
		has := func(text string) bool { return want != "" && strings.Contains(text, want) }
		if slices.ContainsFunc(s.Steps[0].Remarks, has) != (want != "") {
			t.Errorf("at %s: %q", at, s.Steps[0].Remarks)
		}
		n := 0
		for _, w := range s.Warnings {
			if has(w.Text) {
				n++
			}
		}
		if n > 1 || n == 0 && want != "" {
			t.Errorf("at %s: %d warnings", at, n)
		}
	}
}

// A URL of the device itself is warned of, and a file that devices have from the
// factory.
func TestWarnedPlaces(t *testing.T) {
	t.Parallel()
	warned := func(o config.Options, want string) bool {
		for _, w := range script(t, o).Warnings {
			if strings.Contains(w.Text, want) {
				return true
			}
		}
		return false
	}
	for u, want := range map[string]bool{
		"http://127.0.0.1/ios.p7b": true, "http://127.9.9.9:8080/ios.p7b": true, "http://localhost/ios.p7b": true, "http://LOCALHOST./ios.p7b": true,
		"http://[::1]/ios.p7b": true, "http://0.0.0.0/ios.p7b": true, "http://[::]/ios.p7b": true, "http://[::ffff:127.0.0.1]/ios.p7b": true,
		"http://192.0.2.1/ios.p7b": false, "http://localhost.example.com/ios.p7b": false, "http://128.0.0.1/ios.p7b": false,
	} {
		for _, name := range []string{"asa", "iosxe", "iosxr", "nxos"} {
			if got := warned(config.Options{Platform: platform(t, name), URL: u}, "would ask itself"); got != want {
				t.Errorf("%s %s: warned %t", name, u, got)
			}
		}
	}
	for file, want := range map[string]bool{"bootflash:ios_core.p7b": true, "bootflash:/ios_core.p7b": true, "bootflash:IOS_CORE.P7B": true, "bootflash:a/ios_core.p7b": false, "bootflash:ios.p7b": false, "flash:ios_core.p7b": false} {
		if got := warned(config.Options{Platform: platform(t, "iosxe"), File: file}, "from the factory"); got != want {
			t.Errorf("%s: warned %t", file, got)
		}
	}
}

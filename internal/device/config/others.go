package config

import (
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
)

// fxos is FXOS: a trustpoint for each certificate, and nothing counts before
// commit-buffer.
func (s *Script) fxos() {
	if len(s.PEM) == 0 {
		s.refuse(s.Platform.Title+" imports no bundle: "+s.Platform.Advice, noneFound)
		return
	}
	g := device.Confirmed.By(device.SourceASA)
	names := s.trustpoints()
	for i, c := range s.PEM {
		s.pasteStep(i, ", trustpoint "+names[i], []Line{
			line(Exec, g, "scope security"),
			line(Security, g, "create trustpoint "+names[i]),
			line(SecurityTP, g, "set certchain"),
		}, paste(g, c, "ENDOFBUF"), []Line{line(SecurityTP, g, "commit-buffer"), line(SecurityTP, g, "end")})
	}
	s.check(g, "show license all", "no Failure reason: Failed to authenticate server")
}

// nxos is NX-OS: it fetches by its policy, and no import command was found.
func (s *Script) nxos() {
	switch {
	case s.File != "":
		s.refuse(s.Platform.Title+" imports no bundle from a file: "+s.Platform.Advice, noneFound)
		return
	case len(s.PEM) > 0:
		names := s.trustpoints()
		for i, c := range s.PEM {
			md5 := strings.ToUpper(strings.TrimSpace(strings.TrimPrefix(Fingerprint(c), "Fingerprint:")))
			s.pasteStep(i, ", trustpoint "+names[i], []Line{
				when(i == 0, line(Exec, common, "configure terminal")),
				line(Config, common, "crypto ca trustpoint "+names[i]),
				line(TrustpointIn, common, "exit"),
				line(Config, common, "crypto ca authenticate "+names[i]),
			}, paste(common, c, "END OF INPUT"), []Line{{Answer, "yes", common, new(s.only("the device shows a fingerprint of this certificate: of MD5 it is " + md5))}})
		}
		s.step("Keep it", line(Config, common, "end"), line(Exec, common, "copy running-config startup-config"))
		s.check(common, "show crypto ca certificates", "the certificates")
	default:
		g := device.Confirmed.By(sourceNX)
		words := device.Unverified.By("that the policy has one is inferred from " + sourceNXShow + "; the words are not known")
		s.step("Let the device fetch the bundle",
			line(Exec, common, "configure terminal"),
			line(Config, g, "crypto ca trustpool policy"),
			line(Policy, g, "cabundle url "+s.URL),
			when(s.VRF != "", line(Policy, words, "vrf "+s.VRF)),
			when(s.SourceInterface != "", line(Policy, words, "source-interface "+s.SourceInterface)),
			line(Policy, common, "end"),
		)
		show := device.Confirmed.By(sourceNXShow)
		s.check(show, "show crypto ca trustpool policy", "the URL of the policy")
		s.check(show, "show crypto ca trustpool last download status", "a download without a reason of failure")
		s.check(show, "show crypto ca trustpool", "the root that you need")
		s.step("Keep it", line(Exec, common, "copy running-config startup-config"))
	}
}

// paste is a certificate as PEM, without a blank line, and the line that ends it.
func paste(g device.Ground, c *certificate.Certificate, end string) []Line {
	text := string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw}))
	var lines []Line
	for l := range strings.Lines(text) {
		lines = append(lines, line(Paste, g, strings.TrimSuffix(l, "\n")))
	}
	return append(lines, line(Paste, g, end))
}

// trustpoints names a trustpoint for each certificate. No two names are the same,
// in any letter case.
func (s *Script) trustpoints() []string {
	var names []string
	taken := map[string]bool{}
	for _, c := range s.PEM {
		name := s.Trustpoint
		if name == "" {
			name = trustpointName(c)
		}
		base := name
		for n := 2; taken[strings.ToLower(name)]; n++ {
			suffix := fmt.Sprintf("-%d", n)
			name = base[:min(len(base), MaxTrustpoint-len(suffix))] + suffix
		}
		taken[strings.ToLower(name)] = true
		names = append(names, name)
	}
	return names
}

// trustpointName is the common name without what a name cannot have: of
// "QuoVadis Root CA 2" it is QuoVadisRootCA2, as Cisco's own example has it.
func trustpointName(c *certificate.Certificate) string {
	name := strings.Map(func(r rune) rune {
		if value("", string(r), nameCharacters, 1) != nil && r != '-' {
			return -1
		}
		return r
	}, c.Subject.CommonName())
	// A device's own begin with an underscore.
	name = strings.TrimLeft(name, "-_")
	if name == "" {
		name = "CA-" + hex.EncodeToString(c.SHA256[:8])
	}
	return name[:min(len(name), MaxTrustpoint)]
}

// expected are the texts that the pool must show: those of the options, or the
// common names. What include would not take literally becomes a dot, which
// means any character there.
func (s *Script) expected() []string {
	if s.Expect != nil {
		return s.Expect
	}
	var texts []string
	for _, c := range s.PEM {
		text := strings.Map(func(r rune) rune {
			if value("", string(r), expectCharacters, 1) != nil && r != '-' {
				return '.'
			}
			return r
		}, c.Subject.CommonName())
		if text = strings.Trim(text[:min(len(text), MaxExpect)], " "); strings.Trim(text, ". ") != "" && !slices.Contains(texts, text) {
			texts = append(texts, text)
		}
	}
	return texts
}

package config

import (
	"crypto/md5"
	"fmt"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
)

// asa is Cisco ASA: a bundle goes into the trustpool, and a certificate that is
// pasted into a trustpoint of its own.
func (s *Script) asa() {
	if len(s.PEM) > 0 {
		s.asaTrustpoints()
	} else {
		s.asaImport()
	}
	s.check(device.Confirmed.By(device.SourceASA), "show license registration", "no Communication message send response error; the platform is registered")
}

func (s *Script) asaImport() {
	g := device.Confirmed.By(device.SourceASA)
	if s.Policy {
		s.step("Let the ASA fetch the bundle by itself every day, with 9.5(2) and later",
			line(Exec, g, "config t"),
			line(Config, g, "crypto ca trustpool policy"),
			line(Policy, g, "auto-import"),
			line(Policy, g, "auto-import url "+s.URL),
			Line{Policy, "auto-import time 22:00:00", g, new("22:00:00 is the default, in the device's local time")},
			line(Policy, common, "end"),
		)
	}
	from, how := s.URL, g
	if s.File != "" {
		from, how = s.File, device.Unverified.By(sourceASARef+", shows no import from a file")
	}
	command := "crypto ca trustpool import url " + from
	if s.Clean {
		command, how = "crypto ca trustpool import clean url "+from, device.Unverified.By(sourceASARef)
	}
	s.step("Import the bundle", line(Exec, how, command))
	if s.Policy {
		s.step("Keep it", line(Exec, common, "write memory"))
		s.check(g, "sh run all crypto ca trustpool", "crypto ca trustpool policy\nrevocation-check none\ncrl cache-time 60\ncrl enforcenextupdate\nauto-import\nauto-import url "+s.URL+"\nauto-import time 22:00:00")
	}
	s.check(device.Inferred.By("a public helper for FTD runs it there; what it prints was not found"), "show crypto ca trustpool", "at the import: Root file signature verified. Then installed: above 0, or all of them duplicates; and here the root that you need")
}

// asaTrustpoints is for one root at a time. The person compares the fingerprint.
func (s *Script) asaTrustpoints() {
	g := device.Confirmed.By(device.SourceASA)
	names := s.trustpoints()
	for i, c := range s.PEM {
		s.pasteStep(i, ", trustpoint "+names[i], []Line{
			when(i == 0, line(Exec, g, "config t")),
			line(Config, g, "crypto ca trustpoint "+names[i]),
			line(TrustpointIn, g, "enrollment terminal"),
			line(TrustpointIn, g, "crl configure"),
			line(CRL, g, "crypto ca authenticate "+names[i]),
		}, paste(g, c, "quit"), []Line{{Answer, "yes", g, new(s.only("the ASA shows this line:\n" + Fingerprint(c)))}})
	}
	s.step("Keep it", line(Config, common, "end"), line(Exec, common, "write memory"))
	for _, name := range names {
		s.check(common, "show crypto ca certificates "+name, "the certificate")
	}
}

// only says when to say yes to a certificate.
func (s *Script) only(shows string) string {
	if s.verified() {
		return "only if " + shows
	}
	return "only if its fingerprints are those of a second source, and " + shows
}

// Fingerprint is the line that an ASA shows before it asks whether to accept a
// certificate: its MD5 in four groups. (A genuine line has a blank at its end.)
func Fingerprint(c *certificate.Certificate) string {
	hex := fmt.Sprintf("%x", md5.Sum(c.Raw))
	return "Fingerprint:     " + strings.Join([]string{hex[:8], hex[8:16], hex[16:24], hex[24:]}, " ")
}

package config

import (
	"net/netip"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
)

// maxLine is how long a line the command lines of IOS and ASA take, unverified.
const maxLine = 254

func (s *Script) note(g device.Ground, text string) {
	s.Warnings = append(s.Warnings, device.Note{Text: text, Ground: g})
}

// warn adds what a person should know before typing anything.
func (s *Script) warn() {
	file := s.URL != "" || s.File != ""
	switch s.Platform.Name {
	case "ios", "iosxe":
		s.warnIOS(file)
	case "iosxr":
		s.note(device.Confirmed.By(device.SourceXR), "a bundle that Cisco did not sign under Cisco Root CA M1 is refused: use Cisco's file as it is")
		s.note(device.Inferred.By("its built-in roots in "+device.SourceXR+" do not have that one"), "a bundle signed under TRS Bundle Root CA, Cisco's newer root, cannot be verified by releases that do not have it built in")
		s.note(device.Confirmed.By("Cisco TAC document 225398, of NCS 1010 with 24.3.1 and 25.1.1"), "downloaded bundles can accumulate, and after a reload the device then takes long to start and refuses SSH meanwhile: do not import again and again; crypto ca trustpool import url clean drops what was downloaded")
		if s.Clean {
			s.note(device.Inferred.By(sourceXRAct), "between the clean and the import the device has its built-in certificates alone")
		}
		if s.VRF != "" {
			s.note(device.Unknown, "whether the import in EXEC mode uses the policy's VRF is not known; http client vrf sets that of the HTTP client")
		}
		if _, err := netip.ParseAddr(hostOf(s.URL)); s.URL != "" && err != nil {
			s.note(device.Confirmed.By(device.SourceXR), "the device must be able to resolve "+hostOf(s.URL)+", else it fetches nothing")
		}
	case "asa":
		if file {
			s.note(device.Confirmed.By(device.SourceASA), "trustpool import does not work in multiple context mode")
			s.note(device.Unverified.By(sourceASARef), "the ASA asks before it takes a bundle that Cisco did not sign; compare what it says, and say no if you expected Cisco's")
		} else {
			s.note(device.Confirmed.By(device.SourceASA), "paste one step at a time: the ASA shows a fingerprint and asks, and only a person can compare it")
			s.warnFIPS()
		}
	case "fxos":
		s.note(device.Confirmed.By("Cisco Firepower 4100/9300 FXOS command reference, object commands"), "create fails if a trustpoint of that name exists")
		s.note(device.Unknown, "whether the command line takes lines that begin with ! as comments is not known: copy the others alone")
	case "nxos":
		if file {
			s.note(device.Unknown, "under which root a bundle must be signed is not known")
		}
	}
	if Loopback(s.URL) {
		s.note(device.Confirmed.By("RFC 1122 section 3.2.1.3, RFC 4291 section 2.5.3, RFC 6761 section 6.3"), "the device would ask itself: "+hostOf(s.URL)+" is an address of whoever uses it; give one of the server that the device can reach")
	}
	if s.Platform.Name == "iosxe" && slices.Contains([]string{"bootflash:ios_core.p7b", "bootflash:/ios_core.p7b"}, strings.ToLower(s.File)) {
		s.note(device.Inferred.By("a public capture of dir on CSR1000v 17.3.1a: bootflash:ios_core.p7b of 20109 bytes from the first boot, which is the size of Core version 4"),
			"a device may have a file of this name from the factory, of January 2017 and without IdenTrust Commercial Root CA 1: look with dir that it is yours, or give yours another name")
	}
	if strings.HasPrefix(s.URL, "https:") {
		s.note(device.Inferred.By("published instructions for CUBE fetch so; the rest is reasoned"), "over HTTPS the device must trust the server already, by the pool that it has; over HTTP the bundle's signature protects it as well")
	}
	if strings.Contains(s.URL, "[") {
		s.note(device.Unknown, "whether the device takes an IPv6 address in a URL is not known")
	}
	for _, l := range s.Lines() {
		if len(l.Text) > maxLine {
			s.note(common, "a line has more than 254 characters, and a command line may cut it: use a shorter URL")
			break
		}
	}
}

func (s *Script) warnIOS(file bool) {
	if file {
		g := device.Confirmed.By(device.SourceGuides)
		if s.Platform.Name == "ios" {
			g = device.Inferred.By("Cisco PKI trustpool management guide 15M&T; the one of 15SY does not ask for it")
		}
		s.note(g, "only a bundle that Cisco signed is taken from a URL or a file: use Cisco's file as it is; certificates of your own are pasted")
		s.note(device.Inferred.By("captures until November 2025 do not show that root"), "a bundle signed under TRS Bundle Root CA, Cisco's newer root, is verified by recent releases only")
	} else {
		s.note(device.Confirmed.By("Cisco's test library genielibs and "+sourceXE), "one certificate a command, and a blank line ends it: paste one step at a time")
		s.note(device.Inferred.By("the signature that "+device.SourceGuides+" speak of is that of a bundle"), "nothing verifies what is pasted: compare its SHA-256 first")
	}
	if s.Platform.Name == "iosxe" {
		s.note(device.Confirmed.By(sourceXE+", workaround 3"), "in SD-WAN mode the trustpool cannot be imported: use a trustpoint file bootflash:NAME.ca, enrollment url bootflash:, and its fingerprint")
		s.note(device.Inferred.By("show crypto pki timers in public captures: 20 days before the first certificate of the pool expires"), "the device's own refresh comes in 2029 at the earliest, with the built-in certificates there: import newer bundles yourself")
	}
}

// warnFIPS names what a device in FIPS mode refuses.
func (s *Script) warnFIPS() {
	for i, c := range s.PEM {
		switch {
		case c.Has(certificate.QuirkSignatureSHA1):
			s.note(device.Confirmed.By(device.SourceASA), s.certificateTitle(i)+", is signed with SHA-1: in FIPS mode it is refused, and an intermediate with SHA-256 can be pasted instead")
		case c.Has(certificate.QuirkSignatureMD5), c.Has(certificate.QuirkRSAShort):
			s.note(common, s.certificateTitle(i)+", is signed with MD5 or has a short RSA key: in FIPS mode it is refused")
		}
	}
}

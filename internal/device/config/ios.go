package config

import (
	"trustpool/internal/device"
)

// ios is IOS and IOS XE: an import is typed in global configuration mode.
func (s *Script) ios() {
	xe := s.Platform.Name == "iosxe"
	// on is the ground of what IOS XE's model or notice shows: of IOS it is inferred.
	on := func(source string) device.Ground {
		if xe {
			return device.Confirmed.By(source)
		}
		return device.Inferred.By(source + ", of IOS XE")
	}
	prompt := device.Inferred.By("the prompt (config)# in " + sourceXE)
	begin, end := line(Exec, prompt, "configure terminal"), line(Config, prompt, "end")
	switch {
	case len(s.PEM) > 0:
		s.iosPaste(begin, end, on)
	case s.byPolicy():
		bundles := Line{Config, "crypto pki trustpool import ca-bundle", device.Confirmed.By(device.SourceXEModel + ", 16.12 and later"), new("if it asks a question about bytes, answer yes")}
		if !xe {
			bundles.Ground = device.Unverified.By(device.SourceXEModel + ", 16.12 and later; of IOS nothing was found")
		}
		model := on(device.SourceXEModel)
		s.step("Set the policy, and import by it",
			begin,
			line(Config, model, "crypto pki trustpool policy"),
			line(Policy, model, "cabundle url "+s.URL),
			when(s.VRF != "", line(Policy, model, "vrf "+s.VRF)),
			when(s.SourceInterface != "", line(Policy, model, "source interface "+s.SourceInterface)),
			line(Policy, prompt, "exit"),
			when(s.Clean, line(Config, model, "crypto pki trustpool clean")),
			bundles,
			end,
		)
	default:
		clean := ""
		if s.Clean {
			clean = "clean "
		}
		g := on(sourceXE + " and " + device.SourceXEModel)
		from := s.URL
		if s.File != "" {
			from = s.File
			if g = on(device.SourceXEModel); !s.fileKnown() {
				g = device.Unverified.By("its prefix is not among those of " + device.SourceXEModel)
			}
		}
		s.step("Import the bundle", begin, line(Config, g, "crypto pki trustpool import "+clean+"url "+from), end)
	}
	s.step("Keep it", line(Exec, on(sourceXE+", as wr mem"), "write memory"))

	success := "at the import, the line: % PEM files import succeeded. Then a number above 0 of downloaded certificates"
	s.check(on("Cisco's test library genieparser, ShowCryptoPkiTrustpoolCountDownloaded"), "show crypto pki trustpool | count Downloaded", success)
	s.expect(on("published Webex Calling instructions for CUBE"), "show crypto pki trustpool | include ")
	if s.byPolicy() {
		s.check(on("published zero-touch guides; what it prints was not found"), "show crypto pki trustpool policy", "the URL of the policy")
	}
	s.check(device.Unverified.By(sourceCommon+"; releases with Smart Licensing Using Policy lack it"), "license smart renew auth", "no error; if Smart Licensing had failed")
	s.check(common, "show license status", "Last Communication Attempt: SUCCEEDED")
}

// iosPaste is the terminal: it takes one certificate a command, and a blank line
// would end it.
func (s *Script) iosPaste(begin, end Line, on func(string) device.Ground) {
	for i, c := range s.PEM {
		command, g := "crypto pki trustpool import terminal", on(sourceXE)
		if s.Clean && i == 0 {
			command, g = "crypto pki trustpool import clean terminal", device.Inferred.By(device.SourceXEModel+", where both are leaves of import")
		}
		s.pasteStep(i, "", []Line{when(i == 0, begin), line(Config, g, command)}, paste(g, c, "quit"), []Line{when(i == len(s.PEM)-1, end)})
	}
}

// expect adds a check that asks the pool for each expected text.
func (s *Script) expect(g device.Ground, command string) {
	for _, text := range s.expected() {
		s.check(g, command+text, "a line with that name")
	}
	if len(s.expected()) == 0 {
		s.check(g, command+"IdenTrust Commercial", "a line, if the bundle has IdenTrust Commercial Root CA 1, which Smart Licensing needs since 2021 ("+sourceXE+")")
	}
}

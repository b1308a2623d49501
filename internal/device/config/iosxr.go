package config

import (
	"net/netip"

	"trustpool/internal/device"
)

// iosxr is IOS XR: an import is typed in EXEC mode, and its clean comes after
// url, not before it as on IOS.
func (s *Script) iosxr() {
	if len(s.PEM) > 0 {
		s.refuse("no command of "+s.Platform.Title+" is known that pastes certificates into the trustpool: give it Cisco's bundle, from a URL or as a file under /tmp", noneFound)
		return
	}
	if s.byPolicy() {
		mode := device.Inferred.By(sourceXRCfg + ": it is configuration, which IOS XR takes between configure and commit")
		s.step("Set where the device fetches the bundle by itself",
			line(Exec, mode, "configure"),
			line(Config, device.Confirmed.By(device.SourceXR), "crypto ca trustpool policy cabundle url "+s.URL),
			when(s.VRF != "", line(Config, device.Inferred.By(sourceXRCfg+", in the form of one line that FN72290 shows"), "crypto ca trustpool policy vrf "+s.VRF)),
			when(s.SourceInterface != "", line(Config, device.Inferred.By(sourceXRCfg), "crypto ca source-interface "+s.family()+" "+s.SourceInterface)),
			line(Config, mode, "commit"),
			line(Config, mode, "end"),
		)
	}
	from, g := s.URL, device.Confirmed.By(device.SourceXR)
	if s.File != "" {
		if from = s.File; !s.fileKnown() {
			g = device.Unverified.By("FN72290 shows /tmp only")
		}
	}
	clean := Line{
		Exec, "crypto ca trustpool import url clean " + from, device.Inferred.By(sourceXRAct + ": the order of the words is that of the action's name"),
		new("the model says that it removes; whether it also imports is not said, so an import follows"),
	}
	s.step("Import the bundle", when(s.Clean, clean), line(Exec, g, "crypto ca trustpool import url "+from))

	s.check(device.Confirmed.By(device.SourceXR), "show crypto ca trustpool", "entries Trustpool: Downloaded (the word is inferred), the root that you need among them")
	for _, text := range s.expected() {
		s.check(common, "show crypto ca trustpool | include "+text, "a line with that name")
	}
	if s.byPolicy() {
		s.check(device.Confirmed.By(device.SourceXR+"; what it prints was not found"), "show crypto ca trustpool policy", "the URL of the policy")
	}
	s.check(device.Confirmed.By(device.SourceXR), "license smart renew auth", "no error; if Smart Licensing had failed")
	s.check(device.Confirmed.By(device.SourceXR), "show license status", "Last Communication Attempt: SUCCEEDED")
}

// family is ipv6 if the URL has such an address, else ipv4.
func (o *Options) family() string {
	if a, err := netip.ParseAddr(hostOf(o.URL)); err == nil && a.Is6() {
		return "ipv6"
	}
	return "ipv4"
}

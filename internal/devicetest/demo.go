package devicetest

import (
	"fmt"

	"trustpool/internal/pkitest"
)

// Demo describes n devices of five platforms in three sites: most with the current
// roots, some with old ones, and one in ten out of order.
func Demo(n int) []Device {
	platforms := []string{"iosxe", "iosxe", "iosxr", "iosxe", "ios", "nxos", "iosxr", "asa"}
	sites := []string{"berlin", "oslo", "porto"}
	faults := []Fault{Refuses, Hangs, Forbids, DropsWithin, UnknownKey}
	v1, v2 := pkitest.CoreV1(), pkitest.CoreV2()
	var devices []Device
	for i := range n {
		d := Device{
			Name: fmt.Sprintf("%s-%03d", sites[i%len(sites)], i+1), Site: sites[i%len(sites)], Platform: platforms[i%len(platforms)],
			MOTD: "Authorized use only",
			Pool: append(BuiltIn(v1[:3]...), Downloaded(v2[3:]...)...),
		}
		switch i % 10 {
		case 3, 6:
			d.Pool = append(BuiltIn(v1[:3]...), Downloaded(v1[3:]...)...)
		case 7:
			d.Pool = BuiltIn(v1[:3]...)
		case 9:
			d.Fault = faults[i/10%len(faults)]
		}
		devices = append(devices, d)
	}
	return devices
}

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
	v1 := pkitest.CoreV1()
	with := func(ders [][]byte) []Certificate {
		pool := BuiltIn(v1[:3]...)
		for _, der := range ders {
			if !has(pool, der) {
				pool = append(pool, Certificate{DER: der})
			}
		}
		return pool
	}
	var devices []Device
	for i := range n {
		d := Device{
			Name: fmt.Sprintf("%s-%03d", sites[i%len(sites)], i+1), Site: sites[i%len(sites)], Platform: platforms[i%len(platforms)],
			MOTD: "Authorized use only",
			Pool: with(pkitest.CoreV2()),
		}
		switch i % 10 {
		case 3, 6:
			d.Pool = with(v1)
		case 7:
			d.Pool = with(nil)
		case 9:
			d.Fault = faults[i/10%len(faults)]
		}
		devices = append(devices, d)
	}
	return devices
}

package collect

import (
	_ "embed"
	"fmt"

	"github.com/scrapli/scrapligo/platform"

	"trustpool/internal/device"
)

//go:embed cisco_asa.yaml
var asa []byte

// A dialect is how a platform is spoken to. Nothing but what it lists is sent to a
// device, see [line.Write].
type dialect struct {
	definition any // what scrapligo knows the platform by: a name, or YAML
	setup      []string
	show       string
	readable   bool // ReadListing reads what show prints
}

// Commands of all platforms.
const (
	clock  = "show clock"
	exit   = "exit"
	enable = "enable"
)

// width is the most that NX-OS takes. A line that the device breaks is not a line of the
// listing any more.
const width = "terminal width 511"

func dialectOf(p device.Platform) (dialect, error) {
	d := dialect{show: p.ShowCommand(), readable: p.Name != "asa", setup: []string{"terminal length 0", width}}
	switch p.Name {
	case "iosxe", "ios":
		d.definition = platform.CiscoIosxe
	case "iosxr":
		d.definition = platform.CiscoIosxr
	case "nxos":
		d.definition = platform.CiscoNxos
	case "asa":
		d.definition, d.setup = asa, []string{"terminal pager 0"}
	default:
		return dialect{}, fmt.Errorf("how %s shows its pool is not known: collect reads iosxe, ios, iosxr, nxos and asa", p.Title)
	}
	return d, nil
}

// commands are all that may be sent; with a secret also enable.
func (d dialect) commands(secret bool) []string {
	list := append(append([]string{}, d.setup...), d.show, clock, exit)
	if secret {
		list = append(list, enable)
	}
	return list
}

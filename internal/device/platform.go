package device

import (
	"fmt"
	"slices"
	"strings"

	"trustpool/internal/device/show"
	"trustpool/roots"
)

// A Platform is a device family. The values come from Lookup and Platforms; the
// zero value is none, and Import refuses it.
type Platform struct {
	Name    string   // as on the command line: asa
	Title   string   // as people say it: Cisco ASA
	Aliases []string // other names that Lookup takes
	// Advice says what to do instead if the platform imports no bundle file; it is
	// empty if the platform does.
	Advice string
	// NetworkOS is the ansible_network_os of Ansible's collection for it, which has one
	// for IOS and IOS XE; empty if there is none.
	NetworkOS string

	rules rules
}

// rules are what is known of a platform's import, and how well.
type rules struct {
	anchors   []roots.Anchor
	signature Ground // that nothing else is taken
	asks      bool   // the user may accept what is not signed so
	rsa1024   bool   // has the setting that discards RSA keys of 1024 bits and less
	names     bool   // an older release had the rule of issuer and subject

	installed Ground
	counted   Ground // that what is expired and what is a duplicate is not installed
	fips      Ground // that an import in FIPS mode installs what is compliant, and refuses SHA-1
	clean     Ground // that an import can drop downloaded certificates first

	terminal Ground // that the terminal takes a certificate; no Basis if no such command is known

	words words

	command string     // that shows the pool; empty if it is not known
	style   show.Style // of what it prints; empty if that is not known
}

// words is how a platform reports an import.
type words int

const (
	wordsUnknown words = iota // nothing found
	wordsASA                  // five counters
	wordsIOS                  // one line, no counters
)

// Sources that more than one statement rests on, here or in what to type.
const (
	SourceASA     = "Cisco Community, certificate change on tools.cisco.com, October 2018"
	SourceXR      = "Cisco field notice FN72290"
	sourceXE      = "Cisco field notice FN72323 and public captures"
	SourceGuides  = "Cisco PKI trustpool management guides 15M&T, 16.8, 16.10 and 17.x"
	sourceGuide16 = "Cisco PKI trustpool management guide, IOS XE 16, the older book"
	sourceXRModel = "YANG model Cisco-IOS-XR-crypto-cepki-cfg, revision 2021-05-13"
	SourceXEModel = "YANG model Cisco-IOS-XE-crypto"
	sourceReason  = "reasoned: what cannot be read cannot be installed"
)

// Unknown is the ground of what is not known.
var Unknown = Ground{Unverified, "nothing found in public sources"}

// Platforms returns all platforms, in the order of their names.
func Platforms() []Platform {
	m1, trs := roots.CiscoRootCAM1(), roots.TRSBundleRootCA()
	return []Platform{
		{
			Name: "asa", Title: "Cisco ASA", Aliases: []string{"asav"}, NetworkOS: "cisco.asa.asa",
			rules: rules{
				anchors:   []roots.Anchor{m1}, // inferred: it verifies Cisco's bundles, and all examined ones lead there
				signature: Ground{Unverified, "ASA command reference, not seen: the user is asked"},
				asks:      true,
				installed: Ground{Confirmed, SourceASA},
				counted:   Ground{Inferred, "the counter's name in " + SourceASA},
				fips:      Ground{Inferred, SourceASA + ", on the trustpoint path"},
				clean:     Ground{Unverified, "ASA command reference, not seen"},
				words:     wordsASA,
				command:   "show crypto ca trustpool",
			},
		},
		{
			Name: "ftd", Title: "Cisco FTD",
			Advice: "write its certificates as PEM files and upload them as trusted CA certificates in FMC or FDM (unverified)",
		},
		{
			Name: "fxos", Title: "Cisco FXOS",
			// Confirmed by SourceASA.
			Advice: "make one trustpoint per root: scope security, create trustpoint NAME, set certchain, paste the PEM, ENDOFBUF, commit-buffer",
		},
		{
			Name: "ios", Title: "Cisco IOS", NetworkOS: "cisco.ios.ios",
			rules: rules{
				anchors:   []roots.Anchor{m1}, // inferred: the only one built into IOS XE of that age
				signature: Ground{Inferred, "Cisco PKI trustpool management guide 15M&T; the one of 15SY does not ask for it"},
				installed: Ground{Inferred, sourceXE + ", of IOS XE"},
				counted:   Unknown,
				fips:      Unknown,
				clean:     Ground{Inferred, SourceXEModel},
				terminal:  Ground{Inferred, sourceTerminal + ", of IOS XE"},
				words:     wordsIOS,
				command:   "show crypto pki trustpool", style: show.IOSXE,
			},
		},
		{
			Name: "iosxe", Title: "Cisco IOS XE", Aliases: []string{"c9800"}, NetworkOS: "cisco.ios.ios",
			rules: rules{
				anchors:   []roots.Anchor{m1, trs}, // what signs must be built in (SourceGuides); both are (see builtin.go)
				signature: Ground{Confirmed, SourceGuides},
				names:     true,
				installed: Ground{Confirmed, sourceXE},
				counted:   Unknown,
				fips:      Unknown,
				clean:     Ground{Confirmed, SourceXEModel},
				terminal:  Ground{Confirmed, sourceTerminal},
				words:     wordsIOS,
				command:   "show crypto pki trustpool", style: show.IOSXE,
			},
		},
		{
			Name: "iosxr", Title: "Cisco IOS XR", Aliases: []string{"asr9k", "ncs"}, NetworkOS: "cisco.iosxr.iosxr",
			rules: rules{
				anchors:   []roots.Anchor{m1}, // confirmed: SourceXR
				signature: Ground{Confirmed, SourceXR},
				rsa1024:   true,
				installed: Ground{Inferred, SourceXR},
				counted:   Unknown,
				fips:      Unknown,
				clean:     Ground{Confirmed, "YANG model Cisco-IOS-XR-crypto-act"},
				command:   "show crypto ca trustpool", style: show.IOSXR,
			},
		},
		{
			Name: "nxos", Title: "Cisco NX-OS", NetworkOS: "cisco.nxos.nxos",
			// Confirmed by the Nexus 9000 NX-API reference, 9.3(5); that there is no
			// import command is only that none was found.
			Advice: "no command that imports a file was found; let it download the bundle: crypto ca trustpool policy, cabundle url http://HOST/FILE",
			rules:  rules{command: "show crypto ca trustpool", style: show.NXOS},
		},
	}
}

// Lookup finds a platform by its name or an alias, in either case. The error of
// an unknown name lists the names.
func Lookup(name string) (Platform, error) {
	var names []string
	for _, p := range Platforms() {
		if strings.EqualFold(name, p.Name) || slices.ContainsFunc(p.Aliases, func(a string) bool { return strings.EqualFold(name, a) }) {
			return p, nil
		}
		names = append(append(names, p.Name), p.Aliases...)
	}
	return Platform{}, fmt.Errorf("%q is not a platform: give one of %s", name, strings.Join(names, ", "))
}

// CheckName refuses a name that is not a platform's own, an alias too: a pool file
// has the name.
func CheckName(name string) error {
	if p, err := Lookup(name); err != nil {
		return err
	} else if p.Name != name {
		return fmt.Errorf("platform %q is an alias: write %q", name, p.Name)
	}
	return nil
}

// Anchors are the roots that the platform takes bundles under: Cisco Root CA M1
// on all of them, on IOS XE TRS Bundle Root CA too. It is nil if the platform
// imports no bundle.
func (p Platform) Anchors() []roots.Anchor { return slices.Clone(p.rules.anchors) }

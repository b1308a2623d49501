// Package config writes what a person types to make a device use a bundle, and
// what to look at afterwards.
//
// Nothing here was tried on a device. So every line has its device.Ground:
// confirmed lines were seen in a public source, which is named; inferred ones are
// reasoned from such; unverified ones are general knowledge that no source was
// found for, and every printing marks them.
//
// No value that is given can end a line, begin another, or be taken by a
// device's command line for something else: New refuses what is outside a short
// list of characters.
package config

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/device"
	"trustpool/internal/distrust"
	"trustpool/internal/report"
	"trustpool/signing"
)

// Limits of what New takes.
const (
	MaxURL        = 800  // characters of a URL: what IOS XR's cabundle url takes
	MaxFile       = 255  // characters of a path on the device
	MaxVRF        = 32   // characters; the limit of IOS XR, taken for all
	MaxInterface  = 64   // characters of an interface's name
	MaxTrustpoint = 32   // characters of a trustpoint's name
	MaxExpect     = 64   // characters of one text of Options.Expect
	MaxPEM        = 1000 // certificates to paste
)

// Options say what a device is to do. Platform, and exactly one of URL, File and
// PEM, must be set.
type Options struct {
	Platform device.Platform

	URL  string                     // where the device fetches the bundle
	File string                     // where the bundle is on the device: flash:ios.p7b, /tmp/ios.p7b
	PEM  []*certificate.Certificate // pasted one by one

	// Signature is how the signature of the file that PEM is from was judged; nil
	// means that there is none. If it is not verified the script is refused.
	Signature *signing.Report
	// Unverified takes PEM all the same, with a warning before each certificate.
	Unverified bool
	// At is when the dates of PEM are judged; zero says nothing of them.
	At time.Time
	// Known are roots that no certificate of PEM may only seem to be.
	Known []Known

	// Policy also makes URL the place from which the device fetches by itself.
	// NX-OS has no other way; on IOS, IOS XE and IOS XR a VRF or an interface asks
	// for it too.
	Policy          bool
	VRF             string // the VRF to fetch in; IOS, IOS XE, IOS XR, NX-OS
	SourceInterface string // the interface to fetch from; IOS, IOS XE, IOS XR, NX-OS

	// Clean first drops what was downloaded earlier; IOS, IOS XE, IOS XR, ASA.
	Clean bool
	// Trustpoint names the trustpoints of ASA, FXOS and NX-OS for PEM; the second
	// is NAME-2. Empty makes each name of the certificate's common name.
	Trustpoint string
	// Expect are texts of subjects that the pool must show afterwards. Empty means
	// the common names of PEM.
	Expect []string
}

// A Mode is where a line is typed.
type Mode string

// The modes. A Paste line is given to the command before it; an
// Answer is typed by a person who has compared what the device shows.
const (
	Exec         Mode = "exec"
	Config       Mode = "config"
	Policy       Mode = "config-trustpool"
	TrustpointIn Mode = "config-trustpoint"
	CRL          Mode = "config-crl"
	Security     Mode = "security"
	SecurityTP   Mode = "security-trustpoint"
	Paste        Mode = "paste"
	Answer       Mode = "answer"
)

// A Line is one line to type.
type Line struct {
	Mode Mode   `json:"mode"`
	Text string `json:"text"`
	device.Ground
	// Comment is what to know before it is typed, or nil. What a device shows is on a
	// second line.
	Comment *string `json:"comment"`
}

// A Step is lines that belong together.
type Step struct {
	Title   string   `json:"title"`
	Remarks []string `json:"remarks"` // to read before the lines are typed: of a paste, who vouches, and fingerprints
	Lines   []Line   `json:"lines"`
}

// A Check is a command to run afterwards.
type Check struct {
	Mode Mode   `json:"mode"`
	Text string `json:"text"`
	device.Ground
	Want string `json:"want"` // what a good answer shows
}

// A Script is what to type on a device.
type Script struct {
	Options

	// Vouched says who vouches for PEM; it is empty without PEM.
	Vouched string

	// Refused says why there are no commands, and what to do instead, and RefusedOn
	// on what ground, if it is about the platform; the rest is then empty.
	Refused   string
	RefusedOn device.Ground

	Steps    []Step
	Checks   []Check
	Warnings device.Notes

	distrust *distrust.Index // for PEM
}

// New makes the script. A platform that cannot do it is a Script with Refused
// set; an error says which option cannot be used, and why.
func New(o Options) (*Script, error) {
	if o.Platform.Name == "" {
		return nil, errors.New("config: no platform")
	}
	if err := o.check(); err != nil {
		return nil, err
	}
	s := &Script{Options: o, Steps: []Step{}, Checks: []Check{}, Warnings: device.Notes{}}
	if len(o.PEM) > 0 {
		s.distrust = distrust.NewIndex()
		if !s.vouch() {
			return s, nil
		}
	}
	switch o.Platform.Name {
	case "ios", "iosxe":
		s.ios()
	case "iosxr":
		s.iosxr()
	case "asa":
		s.asa()
	case "fxos":
		s.fxos()
	case "nxos":
		s.nxos()
	default:
		s.refuse(fmt.Sprintf("%s imports no bundle: %s", o.Platform.Title, o.Platform.Advice), noneFound)
	}
	if s.Refused == "" {
		s.warn()
		s.warnAgainst()
	}
	return s, nil
}

func (s *Script) refuse(why string, g device.Ground) { s.Refused, s.RefusedOn = why, g }

// step adds a step without remarks.
func (s *Script) step(title string, lines ...Line) { s.addStep(title, []string{}, lines) }

// pasteStep is a step that pastes certificate i.
func (s *Script) pasteStep(i int, more string, lines ...[]Line) {
	s.addStep("Paste "+s.certificateTitle(i)+more, s.remarks(s.PEM[i]), slices.Concat(lines...))
}

// addStep adds a step of the lines that have a text.
func (s *Script) addStep(title string, remarks []string, lines []Line) {
	s.Steps = append(s.Steps, Step{title, remarks, slices.DeleteFunc(lines, func(l Line) bool { return l.Text == "" })})
}

func (s *Script) check(g device.Ground, command, want string) {
	s.Checks = append(s.Checks, Check{Exec, command, g, want})
}

// Lines are the lines of all steps.
func (s *Script) Lines() []Line {
	var lines []Line
	for _, step := range s.Steps {
		lines = append(lines, step.Lines...)
	}
	return lines
}

// source is what is imported, for titles.
func (s *Script) source() string {
	switch {
	case s.URL != "":
		return s.URL
	case s.File != "":
		return s.File
	}
	return report.Count(len(s.PEM), "certificate")
}

// Sources that several lines rest on.
const (
	sourceASARef = "ASA command reference, not seen"
	sourceXE     = "Cisco field notice FN72323"
	sourceXRAct  = "YANG model Cisco-IOS-XR-crypto-act"
	sourceXRCfg  = "YANG models Cisco-IOS-XR-um-crypto-cfg and crypto-cepki-cfg"
	sourceNX     = "Nexus 9000 NX-API reference, 9.3(5)"
	sourceNXShow = "Nexus 9000 NX-API reference, show commands, 9.3(x)"
	sourceCommon = "general knowledge, no source seen"
)

var (
	noneFound = device.Unverified.By("no such command was found")
	common    = device.Unverified.By(sourceCommon)
)

// line is a command without a comment.
func line(m Mode, g device.Ground, text string) Line { return Line{Mode: m, Text: text, Ground: g} }

// when returns the line if the condition holds, and otherwise an empty one, which addStep
// leaves out.
func when(condition bool, l Line) Line {
	if !condition {
		return Line{}
	}
	return l
}

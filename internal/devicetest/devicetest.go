// Package devicetest has devices that replay: network devices that a client
// reaches over a real OpenSSH server on loopback, and that print what IOS XE,
// IOS, IOS XR, NX-OS and ASA print about their trustpool. It is for tests and
// for the demo.
//
// # A device is data
//
// A [Device] says what one is: its platform, what is in its pool, which secret
// enable asks for, which banner it prints, which questions it asks and what is
// wrong with it ([Fault]). It can be written as JSON. Nothing else is needed:
//
//	lab := devicetest.Start(t, devicetest.Device{
//		Name: "edge1", Platform: "iosxe", Secret: "TEST-SECRET", Pool: devicetest.BuiltIn(root),
//	})
//	lab.Port("edge1")      // of 127.0.0.1
//	lab.Sent("edge1")      // every line that it was sent
//
// # State
//
// A device remembers. An import from a URL (over http, or from Device.Files) or
// from PEM that is pasted changes what show prints afterwards, over this connection
// and over later ones. [Lab.Pool] is what it has now.
//
// # Dialogs
//
// The modes are those of a device: unprivileged and privileged EXEC, and
// configuration with its submodes. A line is echoed as it is typed. Output is
// cut in pages with --More-- until "terminal length 0" (ASA: "terminal pager 0").
// The words are those of public captures and field notices as far as there are
// any: FN72323 for the pasting of PEM on IOS XE, FN72290 for IOS XR, a public
// forum's capture for the counters of ASA. Other texts are made up; they are
// marked in the code with "made up".
//
// # What was sent
//
// Every line is recorded with what the device was waiting for ([Sent]), in
// memory and in the file NAME.sent in [Lab.Dir], a line each:
//
//	1 exec "terminal length 0"
//	1 config "crypto pki trustpool import terminal"
//	1 pem "MIID…"
//	1 question "yes"
//
// The number counts the device's sessions. Secrets are recorded like any other
// line: they are test data.
//
// # How it is reached
//
// Each device has a port of 127.0.0.1 of its own. A connection is given to a
// process of sshd -i with a configuration of its own, whose ForceCommand is
// internal/devicetest/relay: that joins the session to this process, where the
// device is. Who logs in is the user that runs the test, with the key in the
// lab's directory, since sshd can log in nobody else without being root. A
// Device with a Password is served by golang.org/x/crypto/ssh instead: sshd can
// check only the passwords of the system.
//
// [Lab.Dir] has what clients need: id_ed25519, known_hosts, ssh_config with a
// Host for each device, devices.csv with those names, and addresses.csv with
// addresses and ports for clients that read no ssh_config.
package devicetest

import (
	"bytes"
	"slices"
	"time"
)

// A Device describes a device that replays.
type Device struct {
	Name     string `json:"name"`
	Platform string `json:"platform"` // iosxe, ios, iosxr, nxos, asa
	Site     string `json:"site,omitempty"`

	Password string `json:"password,omitempty"` // log in with this instead of a key
	Secret   string `json:"secret,omitempty"`   // of enable; with one a session begins unprivileged
	Banner   string `json:"banner,omitempty"`   // before the login
	MOTD     string `json:"motd,omitempty"`     // after it

	Pool    []Certificate     `json:"pool,omitempty"`
	Shows   string            `json:"shows,omitempty"`   // printed of the pool instead of the certificates, until an import
	Files   map[string][]byte `json:"files,omitempty"`   // by URL, such as flash:ios.p7b
	Answers map[string]string `json:"answers,omitempty"` // by command, which has to be typed in full

	Questions []Question    `json:"questions,omitempty"`
	Fault     Fault         `json:"fault,omitempty"`
	Delay     time.Duration `json:"delay,omitempty"`    // before each piece of output
	Messages  bool          `json:"messages,omitempty"` // it logs to the terminal, before each prompt
}

// A Certificate is one in a device's pool.
type Certificate struct {
	DER     []byte `json:"der"`
	BuiltIn bool   `json:"built_in,omitempty"`
}

// BuiltIn is a pool of certificates that came with the device.
func BuiltIn(ders ...[]byte) []Certificate { return certificates(ders, true) }

// Downloaded is a pool of certificates that were imported.
func Downloaded(ders ...[]byte) []Certificate { return certificates(ders, false) }

func certificates(ders [][]byte, builtIn bool) (pool []Certificate) {
	for _, der := range ders {
		pool = append(pool, Certificate{der, builtIn})
	}
	return pool
}

// A Question is asked before a command is run.
type Question struct {
	Command string `json:"command"` // how the command begins
	Text    string `json:"text"`
	Answer  string `json:"answer"` // any other drops the command
}

// A Fault is what is wrong with a device.
type Fault string

// The faults of the connection.
const (
	Refuses    Fault = "refuses"     // the port is closed
	Drops      Fault = "drops"       // the connection is closed at once
	Silent     Fault = "silent"      // nothing is said, not even by SSH
	NotSSH     Fault = "not-ssh"     // it speaks HTTP
	Denies     Fault = "denies"      // no key is authorized
	OtherKey   Fault = "other-key"   // the host key is not the known one
	UnknownKey Fault = "unknown-key" // known_hosts does not have the host
)

// The faults of a session.
const (
	HangsAtLogin Fault = "hangs-at-login" // no prompt
	FloodsLogin  Fault = "floods-login"   // text without end, no prompt
	DropsLogin   Fault = "drops-login"    // the session ends within the greeting
	AsksAtLogin  Fault = "asks-at-login"  // a question in place of a prompt
	Nonsense     Fault = "nonsense"       // bytes that are no text
	Hangs        Fault = "hangs"          // show prints nothing, and there is no prompt after it
	HangsWithin  Fault = "hangs-within"   // show stops in the middle
	Floods       Fault = "floods"         // show does not end
	DropsWithin  Fault = "drops-within"   // the session ends within show
	DropsAtShow  Fault = "drops-at-show"  // the session ends when show is typed
	Pages        Fault = "pages"          // terminal length is refused
	Forbids      Fault = "forbids"        // show is refused
	Asks         Fault = "asks"           // show asks a question first
	Garbles      Fault = "garbles"        // show prints text that is no pool
	Truncates    Fault = "truncates"      // show ends in the middle, with a prompt after it
	ChangesName  Fault = "changes-name"   // the prompt is another after show
	WrongSecret  Fault = "wrong-secret"   // enable refuses the secret
	NoExit       Fault = "no-exit"        // exit does not end the session
	Mute         Fault = "mute"           // it does not echo
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{
		Refuses, Drops, Silent, NotSSH, Denies, OtherKey, UnknownKey,
		HangsAtLogin, FloodsLogin, DropsLogin, AsksAtLogin, Nonsense, Hangs, HangsWithin, Floods, DropsWithin, DropsAtShow,
		Pages, Forbids, Asks, Garbles, Truncates, ChangesName, WrongSecret, NoExit, Mute,
	}
}

// A Sent is a line that a device was sent.
type Sent struct {
	Session int    // from 1
	At      string // what it waited for: exec, config, pem, question, secret, more, nothing
	Line    string
}

// Clock is the time that all devices show.
func Clock() time.Time { return time.Date(2026, 4, 1, 10, 25, 52, 995e6, time.UTC) }

// has reports whether a pool has the certificate.
func has(pool []Certificate, der []byte) bool {
	return slices.ContainsFunc(pool, func(c Certificate) bool { return bytes.Equal(c.DER, der) })
}

package audit

import (
	"cmp"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/distrust"
)

// A Need is a service, and the roots that a device needs to reach it.
type Need struct {
	Name   string   // for --need
	About  string   // what it is for
	Hosts  []string // the servers; none if the source does not name them
	Source string   // the notice that says so
	Basis  string   // confirmed or inferred
	Roots  []NeededRoot
}

// HostsWords are the hosts in a line.
func (n *Need) HostsWords() string {
	return cmp.Or(strings.Join(n.Hosts, ", "), "not named by the source")
}

// A NeededRoot is a certificate that is needed from a day to another.
type NeededRoot struct {
	Pin
	From, Until time.Time // zero for no such bound; on Until itself it is no longer needed
	Hosts       []string  // those of the need's that it is for; none means all
}

func (r NeededRoot) neededAt(t time.Time) bool {
	return !t.Before(r.From) && (r.Until.IsZero() || t.Before(r.Until))
}

// Removal says what root programs have against the root, in words: it is being
// removed, and the service will need another. It is empty if nothing is known.
func (r NeededRoot) Removal() string { return removal(distrust.NewIndex(), r.Pin) }

func removal(index *distrust.Index, p Pin) string {
	var said []string
	if p.SHA256 != nil {
		for _, s := range index.ByHash(hex.EncodeToString(p.SHA256[:])) {
			said = append(said, s.String())
		}
	}
	return strings.Join(said, "; ")
}

// at returns the roots that are needed at a time, each once.
func (n *Need) at(t time.Time) (out []Pin) {
	seen := map[[32]byte]bool{}
	for _, r := range n.Roots {
		if r.neededAt(t) && !seen[*r.SHA256] {
			seen[*r.SHA256] = true
			out = append(out, r.Pin)
		}
	}
	return out
}

func pinned(name, sum, sha1 string) Pin {
	p := Pin{Name: name, SHA256: new([32]byte), SHA1: sha1}
	if n, err := hex.Decode(p.SHA256[:], []byte(sum)); err != nil || n != len(p.SHA256) {
		panic("audit: " + sum + " is not a SHA-256") // a test holds all of them
	}
	return p
}

// LookupNeed finds a preset.
func LookupNeed(name string) (Need, bool) {
	for _, n := range Needs() {
		if n.Name == name {
			return n, true
		}
	}
	return Need{}, false
}

// NeedFile is a need of certificates that the user gave: all of them, always.
func NeedFile(name string, certs []*certificate.Certificate) (Need, error) {
	n := Need{Name: name}
	for i, c := range certs {
		if c.Err != nil {
			return Need{}, fmt.Errorf("certificate %d: %w", i+1, c.Err)
		}
		sum := c.SHA256
		n.Roots = append(n.Roots, NeededRoot{Pin: Pin{Name: c.Subject.String(), SHA256: &sum, SHA1: fmt.Sprintf("%x", sha1.Sum(c.Raw))}})
	}
	return n, nil
}

// Needs are the presets of --need. Their roots are pinned by the hashes of
// certificates that Debian's ca-certificates 20250419 holds.
func Needs() []Need {
	identrust := pinned("IdenTrust Commercial Root CA 1", "5d56499be4d2e08bcfcad08a3e38723d50503bde706948e42f55603019e528ae", "df717eaa4ad94ec9558499602d48de5fbcf03a25")
	quovadis := pinned("QuoVadis Root CA 2", "85a0dd7dd720adb7ff05f83d542b209dc7ff4528f7d677b18389fea5e5c49e86", "ca3afbcf1240364b44b216208880483919937cf7")
	digicert := pinned("DigiCert Global Root CA", "4348a0e9444c78cb265e058d5e8944b4d84f9662bd26db257f8934a443c70161", "a8985d3a65e5e5c4b2d7d66d40c6dd2fb19c5436")
	digicertG2 := pinned("DigiCert Global Root G2", "cb3ccbb76031e5e0138f8dd39a23f9de47ffc35e43c1144cea27d46a5ab1cb5f", "df3c24f9bfd666761b268073fe06d1cc8d4f82a4")
	isrg := pinned("ISRG Root X1", "96bcec06264976f37460779acf28c5a7cfe8a3c0aae11a8ffcee05c0bddf08c6", "cabd2a79a1076a31f21d253635cb039d4329a5e8")
	publicSector := pinned("IdenTrust Public Sector Root CA 1", "30d0895a9a448a262091635522d1f52010b5867acae12c78ef958fd4f4389f2f", "ba29416077983ff4f3eff231053b2eea6d4d45fd")
	assuredG2 := pinned("DigiCert Assured ID Root G2", "7d05ebb682339f8c9451ee094eebfefa7953a114edb2f44949452fab7d2fc185", "a14b48d943ee0a0e40904f3ce0a4c09193515d3f")
	date := func(year int, month time.Month, d int) time.Time {
		return time.Date(year, month, d, 0, 0, 0, 0, time.UTC)
	}
	const (
		tools         = "tools.cisco.com"
		smartReceiver = "smartreceiver.cisco.com"
		notices       = "Cisco field notices FN72323 (IOS XE), FN72290 (IOS XR), FN72103 (ASA)"
	)
	// Each service kept QuoVadis Root CA 2 until its last certificate below it ended.
	// Since when smartreceiver.cisco.com had one is not said: the notices of March 2021
	// are the first to name it.
	callHome := []NeededRoot{
		{quovadis, date(2018, 10, 5), date(2022, 2, 5), []string{tools}},
		{identrust, date(2021, 3, 31), time.Time{}, []string{tools}},
	}
	receiver := []NeededRoot{
		{quovadis, date(2021, 3, 31), date(2023, 1, 26), []string{smartReceiver}},
		{identrust, date(2021, 3, 31), time.Time{}, []string{smartReceiver}},
	}
	return []Need{
		{
			Name: "smart-licensing", About: "Smart Licensing and Smart Call Home, by either server", Hosts: []string{smartReceiver, tools},
			Source: notices + ", FN70319 (earlier)", Basis: "confirmed",
			Roots: []NeededRoot{callHome[0], receiver[0], {identrust, date(2021, 3, 31), time.Time{}, nil}},
		},
		{
			Name: "call-home", About: "Smart Licensing by Smart Call Home", Hosts: []string{tools},
			Source: notices + ", FN70319 (earlier)", Basis: "confirmed",
			Roots: callHome,
		},
		{
			Name: "smart-receiver", About: "Smart Licensing by smart transport", Hosts: []string{smartReceiver},
			Source: notices, Basis: "confirmed",
			Roots: receiver,
		},
		{
			Name: "umbrella", About: "Cisco Umbrella", Hosts: []string{"api.opendns.com"},
			Source: "Cisco field notice FN74166, TAC document 222481", Basis: "confirmed",
			Roots: []NeededRoot{{digicertG2, date(2024, 5, 29), time.Time{}, nil}},
		},
		{
			Name: "umbrella-switches", About: "Cisco Umbrella by API key from Catalyst 9200 and 9300",
			Source: "Cisco field notice FN74221 (CSCwm33388)", Basis: "inferred: the defect's headline names the root, its text does not",
			Roots: []NeededRoot{{isrg, date(2024, 9, 30), time.Time{}, nil}},
		},
		{
			Name: "webex", About: "Webex Calling from a CUBE or a local gateway", Hosts: []string{"*.bcld.webex.com"},
			Source: "Cisco's Webex Calling guides for CUBE", Basis: "inferred: the guides ask for DigiCert and IdenTrust without saying which roots",
			Roots: []NeededRoot{{Pin: digicert}, {Pin: digicertG2}, {Pin: identrust}},
		},
		{
			Name: "client-auth", About: "peers of mutual TLS with a certificate of a public CA for server and client, such as of CUBE and Expressway",
			Hosts:  []string{"the peers of mutual TLS"},
			Source: "Cisco field notices FN74350 (revision 2.0 of June 2026), FN74362, FN74345, FN74382",
			Basis:  "confirmed: they name these roots for combined certificates, for public CAs stop issuing such below others; which of the two, the peer's CA decides",
			Roots:  []NeededRoot{{Pin: publicSector, From: date(2026, 6, 1)}, {Pin: assuredG2, From: date(2026, 6, 1)}},
		},
	}
}

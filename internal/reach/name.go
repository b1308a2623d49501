package reach

import (
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"

	"trustpool/bundle/certificate"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// Bytes of object identifiers.
const (
	oidAlternativeNames  = "\x55\x1d\x11"                     // 2.5.29.17
	oidNameConstraints   = "\x55\x1d\x1e"                     // 2.5.29.30
	oidPolicyMappings    = "\x55\x1d\x21"                     // 2.5.29.33
	oidPolicyConstraints = "\x55\x1d\x24"                     // 2.5.29.36
	oidInhibitAnyPolicy  = "\x55\x1d\x36"                     // 2.5.29.54
	oidServerAuth        = "\x2b\x06\x01\x05\x05\x07\x03\x01" // 1.3.6.1.5.5.7.3.1
	oidAnyPurpose        = "\x55\x1d\x25\x00"                 // 2.5.29.37.0
)

// Forms of a GeneralName (RFC 5280 section 4.2.1.6), by the number of their tag.
const (
	formEmail     = 1
	formDNS       = 2
	formDirectory = 4
	formIP        = 7
)

// usageTLS is the bits of keyUsage of which a server's certificate has one:
// digitalSignature, keyEncipherment, keyAgreement (RFC 5280 section 4.2.1.12).
const usageTLS = certificate.KeyUsageDigitalSignature | 1<<2 | 1<<4

// maxName is how many bytes of a name a sentence shows.
const maxName = 256

func nameOf(c *certificate.Certificate) string { return cut(c.Subject.String()) }

func cut(name string) string {
	if len(name) > maxName {
		return strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	return name
}

// checkServer applies the rules on a server's certificate. An empty host is not
// checked.
func checkServer(c *certificate.Certificate, host string) ([]Doubt, Reason, error) {
	var doubts []Doubt
	switch allowed, byAny := forServers(c); {
	case !allowed:
		return nil, ServerPurpose, fmt.Errorf("the server's certificate is for %v, not for servers", c.ExtKeyUsage)
	case byAny:
		doubts = append(doubts, Doubt{AnyPurpose, "the server's certificate is for any purpose, and does not name servers; OpenSSL refuses that"})
	}
	if c.KeyUsage&certificate.KeyUsagePresent != 0 && c.KeyUsage&usageTLS == 0 {
		return nil, ServerKeyUsage, fmt.Errorf("the server's key usage is %v, of which TLS uses nothing", c.KeyUsage.Names())
	}
	n, err := alternativeNames(c)
	if err != nil {
		return nil, NamesUnreadable, err
	}
	if host == "" {
		return doubts, "", nil
	}
	// Only the names count for VerifyHostname; the certificate itself may be one
	// that crypto/x509 does not parse.
	own := x509.Certificate{DNSNames: n.dns, IPAddresses: n.ips}
	if own.VerifyHostname(host) == nil {
		own.DNSNames = slices.DeleteFunc(slices.Clone(n.dns), wide)
		if own.VerifyHostname(host) != nil {
			doubts = append(doubts, Doubt{HostWildcard, fmt.Sprintf("only a wildcard with one label behind it is for %s; OpenSSL refuses that", host)})
		}
		return doubts, "", nil
	}
	own.DNSNames = []string{c.Subject.CommonName()}
	if !n.hosts() && own.VerifyHostname(host) == nil {
		doubts = append(doubts, Doubt{HostCommonName, fmt.Sprintf("only the common name of the server's certificate is %s; whether the device looks at it is not known", host)})
		return doubts, "", nil
	}
	return nil, HostName, fmt.Errorf("the server's certificate is for %s, not for %s", n.list(), host)
}

// wide reports whether a name is a wildcard for a whole top-level domain.
func wide(name string) bool {
	domain, wild := strings.CutPrefix(name, "*.")
	return wild && !strings.Contains(strings.TrimSuffix(domain, "."), ".")
}

// forServers reports whether extended key usage, where there is any, allows TLS
// servers, and whether it does so only by allowing any purpose, which applications
// may refuse (RFC 5280 section 4.2.1.12).
func forServers(c *certificate.Certificate) (allowed, byAny bool) {
	has := func(oid string) bool {
		return slices.ContainsFunc(c.ExtKeyUsage, func(id certificate.ObjectID) bool { return string(id) == oid })
	}
	if len(c.ExtKeyUsage) == 0 || has(oidServerAuth) {
		return true, false
	}
	byAny = has(oidAnyPurpose)
	return byAny, byAny
}

// names are the alternative names of a certificate.
type names struct {
	dns   []string
	ips   []net.IP
	other map[int]bool // forms that are there besides
}

func (n names) hosts() bool { return len(n.dns)+len(n.ips) > 0 }

// maxListed is how many names a refusal lists.
const maxListed = 5

func (n names) list() string {
	all := slices.Clone(n.dns)
	for _, ip := range n.ips {
		all = append(all, ip.String())
	}
	switch {
	case len(all) == 0:
		return "no host"
	case len(all) > maxListed:
		return fmt.Sprintf("%s and %d others", cut(strings.Join(all[:maxListed], ", ")), len(all)-maxListed)
	}
	return cut(strings.Join(all, ", "))
}

// alternativeNames reads subjectAltName (RFC 5280 section 4.2.1.6).
func alternativeNames(c *certificate.Certificate) (n names, err error) {
	value := extension(c, oidAlternativeNames)
	if value == nil {
		return n, nil
	}
	unreadable := fmt.Errorf("the alternative names of %s cannot be read", nameOf(c))
	in := cryptobyte.String(value)
	var list cryptobyte.String
	if !in.ReadASN1(&list, asn1.SEQUENCE) || !in.Empty() {
		return n, unreadable
	}
	n.other = map[int]bool{}
	for !list.Empty() {
		var name cryptobyte.String
		var tag asn1.Tag
		if !list.ReadAnyASN1(&name, &tag) {
			return n, unreadable
		}
		switch form := formOf(tag); {
		case form == formDNS:
			n.dns = append(n.dns, string(name))
		case form == formIP && (len(name) == net.IPv4len || len(name) == net.IPv6len):
			n.ips = append(n.ips, net.IP(name))
		case form == formIP || form < 0:
			return n, unreadable
		default:
			n.other[form] = true
		}
	}
	return n, nil
}

// formOf is the form that a tag is of, -1 where it is none: those that hold a
// structure are constructed.
func formOf(tag asn1.Tag) int {
	const structures = 1<<0 | 1<<3 | 1<<4 | 1<<5 // otherName, x400Address, directoryName, ediPartyName
	form := int(tag & 0x1f)
	want := asn1.Tag(form).ContextSpecific()
	if form < 9 && structures>>form&1 == 1 {
		want = want.Constructed()
	}
	if form > 8 || tag != want {
		return -1
	}
	return form
}

// extension is the value of an extension, nil where it is absent.
func extension(c *certificate.Certificate, oid string) []byte {
	for e := range c.EachExtension() {
		if string(e.ID) == oid {
			return e.Value
		}
	}
	return nil
}

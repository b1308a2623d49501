package reach

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net/netip"
	"slices"
	"strings"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
)

// checkServer applies the rules on a server's certificate. An empty host is not
// checked.
func checkServer(c *certificate.Certificate, host string) ([]Doubt, Reason, error) {
	var doubts []Doubt
	doubt := func(reason Reason, format string, args ...any) {
		doubts = append(doubts, Doubt{Reason: reason, Text: fmt.Sprintf(format, args...)})
	}
	switch allowed, byAny := path.AllowedPurposes(c, [][]string{{certificate.PurposeServerAuth}}); {
	case allowed == 0:
		return nil, ServerPurpose, fmt.Errorf("the server's certificate is for %v, not for servers", c.ExtKeyUsage)
	case byAny:
		doubt(path.AnyPurpose, "the server's certificate is for any purpose, and does not name servers; OpenSSL refuses that")
	}
	const netscapeServer = 0x40
	if bits, present, err := c.NetscapeType(); present && err == nil && bits&netscapeServer == 0 {
		doubt(ServerPurpose, "the server's certificate has a Netscape certificate type that is not a server's; OpenSSL refuses that")
	}
	if c.KeyUsage&certificate.KeyUsagePresent != 0 && c.KeyUsage&usable(c.PublicKey) == 0 {
		doubt(ServerKeyUsage, "the server's key usage is %v, of which TLS uses nothing with its key (%s); whether the device asks is not known", c.KeyUsage.Names(), c.PublicKey)
	}
	names, err := c.AlternativeNames()
	if err != nil {
		return nil, NamesUnreadable, fmt.Errorf("the alternative names of %s cannot be read: %w", path.Cut(c.Subject.String()), err)
	}
	if host == "" {
		return doubts, "", nil
	}
	if matches(host, names, false) {
		if !matches(host, names, true) {
			doubt(HostWildcard, "only a wildcard is for %s that OpenSSL refuses: with one label behind it, or a character that is not a letter, a digit or -", host)
		}
		return doubts, "", nil
	}
	common := []certificate.GeneralName{{Form: certificate.FormDNS, Value: []byte(c.Subject.CommonName())}}
	if !slices.ContainsFunc(names, isHost) && matches(host, common, false) {
		doubt(HostCommonName, "only the common name of the server's certificate is %s; whether the device looks at it is not known", host)
		return doubts, "", nil
	}
	return nil, HostName, fmt.Errorf("the server's certificate is for %s, not for %s", list(names), host)
}

// checkAuthority applies the rules on a CA's certificate if there is no server's. That
// there is one for the host is not shown.
func checkAuthority(c *certificate.Certificate, host string) ([]Doubt, Reason, error) {
	var doubts []Doubt
	switch allowed, byAny := path.AllowedPurposes(c, [][]string{{certificate.PurposeServerAuth}}); {
	case allowed == 0:
		return nil, path.Purpose, fmt.Errorf("the CA %s is for %v, not for servers", path.Cut(c.Subject.String()), c.ExtKeyUsage)
	case byAny:
		doubts = append(doubts, Doubt{Reason: path.AnyPurpose, Text: fmt.Sprintf("the CA %s is for any purpose, and does not name servers; OpenSSL refuses that", path.Cut(c.Subject.String()))})
	}
	if host != "" {
		doubts = append(doubts, Doubt{Reason: HostName, Text: fmt.Sprintf("no certificate is a server's, so that none is shown to be for %s", host)})
	}
	return doubts, "", nil
}

// usable are the bits of keyUsage that TLS uses with a key: to sign, and with RSA
// to encipher, with curves to agree (RFC 5246 section 7.4.2, RFC 8446 section
// 4.4.2.2).
func usable(k certificate.PublicKey) certificate.KeyUsage {
	switch k.Algorithm {
	case "RSA":
		return certificate.KeyUsageDigitalSignature | certificate.KeyUsageKeyEncipherment
	case "ECDSA":
		return certificate.KeyUsageDigitalSignature | certificate.KeyUsageKeyAgreement
	case "Ed25519", "Ed448", "RSASSA-PSS", "DSA":
		return certificate.KeyUsageDigitalSignature
	}
	return certificate.KeyUsageDigitalSignature | certificate.KeyUsageKeyEncipherment | certificate.KeyUsageKeyAgreement
}

// matches reports whether a host is one of the names (RFC 9525 section 6). Narrow
// leaves out wildcards that are wide.
func matches(host string, names []certificate.GeneralName, narrow bool) bool {
	if ip, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimSuffix(strings.TrimPrefix(host, "["), "]"), ".")); err == nil {
		return slices.ContainsFunc(names, func(g certificate.GeneralName) bool {
			return g.Form == certificate.FormIP && bytes.Equal(g.Value, ip.AsSlice())
		})
	}
	// Only the names count for VerifyHostname; the certificate itself may be one
	// that crypto/x509 does not parse.
	var own x509.Certificate
	for _, g := range names {
		if name := string(g.Value); g.Form == certificate.FormDNS && !(narrow && wide(name, host)) {
			own.DNSNames = append(own.DNSNames, name)
		}
	}
	return len(own.DNSNames) > 0 && own.VerifyHostname(host) == nil
}

// wide reports whether a name is a wildcard for a whole top-level domain, or it or
// the host has a character that OpenSSL does not take beside a wildcard.
func wide(name, host string) bool {
	domain, wild := strings.CutPrefix(name, "*.")
	other := func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '.'
	}
	return wild && (!strings.Contains(strings.TrimSuffix(domain, "."), ".") || strings.ContainsFunc(domain+host, other))
}

// isHost reports whether a name is of a form that servers are found by.
func isHost(g certificate.GeneralName) bool {
	return g.Form == certificate.FormDNS || g.Form == certificate.FormIP
}

// maxListed is how many names a refusal lists.
const maxListed = 5

func list(names []certificate.GeneralName) string {
	var hosts []string
	for _, form := range []certificate.NameForm{certificate.FormDNS, certificate.FormIP} {
		for _, g := range names {
			if g.Form == form {
				hosts = append(hosts, path.Text(g))
			}
		}
	}
	switch n := len(hosts) - maxListed; {
	case len(hosts) == 0:
		return "no host"
	case n > 0:
		return fmt.Sprintf("%s and %d others", path.Cut(strings.Join(hosts[:maxListed], ", ")), n)
	}
	return path.Cut(strings.Join(hosts, ", "))
}

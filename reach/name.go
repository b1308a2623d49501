package reach

import (
	"bytes"
	"crypto/x509"
	"fmt"
	"net"
	"slices"
	"strings"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"

	"trustpool/bundle"
)

// Octets of object identifiers.
const (
	oidAlternativeNames = "\x55\x1d\x11"                     // 2.5.29.17
	oidNameConstraints  = "\x55\x1d\x1e"                     // 2.5.29.30
	oidServerAuth       = "\x2b\x06\x01\x05\x05\x07\x03\x01" // 1.3.6.1.5.5.7.3.1
	oidAnyPurpose       = "\x55\x1d\x25\x00"                 // 2.5.29.37.0
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
const usageTLS = bundle.KeyUsageDigitalSignature | 1<<2 | 1<<4

// maxName is how many octets of a name a sentence shows.
const maxName = 256

func nameOf(c *bundle.Certificate) string { return cut(c.Subject.String()) }

func cut(name string) string {
	if len(name) > maxName {
		return strings.ToValidUTF8(name[:maxName], "") + "…"
	}
	return name
}

// checkServer applies the rules on a server's certificate. An empty host is not
// checked.
func checkServer(c *bundle.Certificate, host string) ([]Doubt, Reason, error) {
	if !forServers(c) {
		return nil, ServerPurpose, fmt.Errorf("the server's certificate is for %v, not for servers", c.ExtKeyUsage)
	}
	if c.KeyUsage&bundle.KeyUsagePresent != 0 && c.KeyUsage&usageTLS == 0 {
		return nil, ServerKeyUsage, fmt.Errorf("the server's key usage is %v, of which TLS uses nothing", c.KeyUsage.Names())
	}
	n, err := alternativeNames(c)
	if err != nil {
		return nil, NamesUnreadable, err
	}
	if host == "" {
		return nil, "", nil
	}
	// Only the names count for VerifyHostname; the certificate itself may be one
	// that crypto/x509 does not parse.
	own := x509.Certificate{DNSNames: n.dns, IPAddresses: n.ips}
	if own.VerifyHostname(host) == nil {
		return nil, "", nil
	}
	own.DNSNames = []string{c.Subject.CommonName()}
	if !n.hosts() && own.VerifyHostname(host) == nil {
		return []Doubt{{HostCommonName, fmt.Sprintf("only the common name of the server's certificate is %s; whether the device looks at it is not known", host)}}, "", nil
	}
	return nil, HostName, fmt.Errorf("the server's certificate is for %s, not for %s", n.list(), host)
}

// forServers tells whether extended key usage, where there is any, allows TLS
// servers.
func forServers(c *bundle.Certificate) bool {
	return len(c.ExtKeyUsage) == 0 || slices.ContainsFunc(c.ExtKeyUsage, func(id bundle.ObjectID) bool {
		return string(id) == oidServerAuth || string(id) == oidAnyPurpose
	})
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
func alternativeNames(c *bundle.Certificate) (n names, err error) {
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
func extension(c *bundle.Certificate, oid string) []byte {
	for e := range c.EachExtension() {
		if string(e.ID) == oid {
			return e.Value
		}
	}
	return nil
}

// checkConstraints applies the name constraints of an issuer to the certificates
// below it (RFC 5280 section 4.2.1.10). Forms other than DNS names, addresses and
// the octets of a distinguished name are doubted where such a name is there.
func checkConstraints(issuer *bundle.Certificate, below []*bundle.Certificate, doubt doubter) (Reason, error) {
	value := extension(issuer, oidNameConstraints)
	if value == nil {
		return "", nil
	}
	permitted, excluded, ok := readConstraints(value)
	if !ok {
		doubt(ConstraintUnknown, "the name constraints of %s cannot be read", nameOf(issuer))
		return "", nil
	}
	doubted := false
	for _, c := range below {
		all := everyName(c)
		if len(all)*(len(permitted)+len(excluded)) > maxComparisons {
			doubt(ConstraintUnknown, "the name constraints of %s for %s take more than %d comparisons", nameOf(issuer), nameOf(c), maxComparisons)
			return "", nil
		}
		for _, name := range all {
			verdict := judgeName(name, permitted, excluded)
			if verdict == outside {
				return NameConstraint, fmt.Errorf("the issuer %s does not permit %s to be %s", nameOf(issuer), nameOf(c), name)
			}
			if verdict == notJudged && !doubted {
				doubted = true // once is enough
				doubt(ConstraintUnknown, "the name constraints of %s on %s are not evaluated for %s", nameOf(issuer), name, nameOf(c))
			}
		}
	}
	return "", nil
}

// maxComparisons bounds the names of a certificate times the constraints on them.
const maxComparisons = 50_000

// A generalName is a name, or a constraint on names, of one form.
type generalName struct {
	form  int
	value []byte
}

func (g generalName) String() string {
	switch {
	case g.form == formDNS:
		return cut(string(g.value))
	case g.form == formIP && len(g.value) <= net.IPv6len:
		return net.IP(g.value).String()
	case g.form == formDirectory:
		return "its distinguished name"
	}
	return fmt.Sprintf("names of form %d", g.form)
}

// everyName is what constraints apply to: the subject, its mail addresses, and the
// alternative names. Unreadable ones are of a form that is not judged.
func everyName(c *bundle.Certificate) (all []generalName) {
	if in := cryptobyte.String(c.Subject); !in.Empty() {
		var rdns cryptobyte.String
		if in.ReadASN1(&rdns, asn1.SEQUENCE) && !rdns.Empty() {
			all = append(all, generalName{formDirectory, rdns})
		}
	}
	if slices.ContainsFunc(c.Subject.Attributes(), func(a bundle.Attribute) bool { return a.Type == "emailAddress" }) {
		all = append(all, generalName{form: formEmail})
	}
	n, err := alternativeNames(c)
	for _, d := range n.dns {
		all = append(all, generalName{formDNS, []byte(d)})
	}
	for _, ip := range n.ips {
		all = append(all, generalName{formIP, ip})
	}
	for form := range 9 {
		if n.other[form] || err != nil {
			all = append(all, generalName{form: form})
		}
	}
	return all
}

// readConstraints reads NameConstraints. A subtree with a minimum or a maximum,
// which RFC 5280 forbids, cannot be read.
func readConstraints(value []byte) (permitted, excluded []generalName, ok bool) {
	in := cryptobyte.String(value)
	var seq cryptobyte.String
	if !in.ReadASN1(&seq, asn1.SEQUENCE) || !in.Empty() {
		return nil, nil, false
	}
	for i, into := range []*[]generalName{&permitted, &excluded} {
		tag := asn1.Tag(i).Constructed().ContextSpecific()
		if !seq.PeekASN1Tag(tag) {
			continue
		}
		var trees cryptobyte.String
		if !seq.ReadASN1(&trees, tag) {
			return nil, nil, false
		}
		for !trees.Empty() {
			var tree, name cryptobyte.String
			var form asn1.Tag
			if !trees.ReadASN1(&tree, asn1.SEQUENCE) || !tree.ReadAnyASN1(&name, &form) || !tree.Empty() {
				return nil, nil, false
			}
			g := generalName{formOf(form), name}
			if g.form < 0 {
				return nil, nil, false
			}
			if g.form == formDirectory {
				var rdns cryptobyte.String
				if !name.ReadASN1(&rdns, asn1.SEQUENCE) || !name.Empty() {
					return nil, nil, false
				}
				g.value = rdns
			}
			*into = append(*into, g)
		}
	}
	return permitted, excluded, seq.Empty()
}

// isDomain tells whether a string is labels with dots between them, of whatever
// visible ASCII characters.
func isDomain(s string) bool {
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return false
		}
	}
	return true
}

type judgement int

const (
	inside judgement = iota
	outside
	notJudged
)

// judgeName says whether constraints allow a name. One of a form that they do not
// speak of is allowed.
func judgeName(name generalName, permitted, excluded []generalName) judgement {
	verdict := inside
	for _, tree := range excluded {
		if tree.form != name.form {
			continue
		}
		switch within(name, tree, true) {
		case inside:
			return outside
		case notJudged:
			verdict = notJudged
		}
	}
	spoken, best := false, outside
	for _, tree := range permitted {
		if tree.form != name.form {
			continue
		}
		spoken = true
		switch within(name, tree, false) {
		case inside:
			best = inside
		case notJudged:
			if best == outside {
				best = notJudged
			}
		}
	}
	if spoken && best != inside {
		return best
	}
	return verdict
}

// within says whether a name lies in a subtree of its form. A wildcard lies in an
// excluded subtree where it may stand for something that does.
func within(name, tree generalName, excluded bool) judgement {
	if name.value == nil {
		return notJudged
	}
	yes := false
	switch name.form {
	case formDNS:
		host := strings.ToLower(string(name.value))
		base := strings.ToLower(string(tree.value))
		if !isDomain(host) || base != "" && !isDomain(strings.TrimPrefix(base, ".")) {
			return notJudged
		}
		yes = base == "" || host == base || strings.HasSuffix(host, "."+strings.TrimPrefix(base, "."))
		if domain, wild := strings.CutPrefix(host, "*."); wild && excluded {
			yes = yes || strings.HasSuffix(strings.TrimPrefix(base, "."), "."+domain)
		}
	case formIP:
		n := len(name.value)
		if len(tree.value) != 2*n {
			if len(tree.value) != 2*net.IPv4len && len(tree.value) != 2*net.IPv6len {
				return notJudged
			}
			break // of the other version
		}
		yes = true
		for i := range n {
			yes = yes && (name.value[i]^tree.value[i])&tree.value[n+i] == 0
		}
	case formDirectory:
		if !bytes.HasPrefix(name.value, tree.value) {
			return notJudged // it may be the same in another case or type of string
		}
		yes = true
	default:
		return notJudged
	}
	if yes {
		return inside
	}
	return outside
}

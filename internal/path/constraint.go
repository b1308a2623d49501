package path

import (
	"bytes"
	"fmt"
	"net"
	"strings"

	"trustpool/bundle/certificate"
)

// maxHostName is how many bytes a host name has at most (RFC 1035 section 2.3.4). A
// longer one cannot be judged.
const maxHostName = 253

// A judgement is what constraints say of a name.
type judgement int

const (
	inside judgement = iota
	outside
	notJudged
)

// constraints are name constraints, prepared: one name is compared with all of
// them in the time of its own length.
type constraints struct {
	permitted, excluded subtrees
	count               int
	malformed           string // the first that cannot be evaluated, though its form can; else empty
}

func prepare(n *certificate.NameConstraints) *constraints {
	c := &constraints{count: len(n.Permitted) + len(n.Excluded)}
	add := func(s *subtrees, names []certificate.GeneralName) {
		for _, g := range names {
			if wild := g.Form == certificate.FormDNS && bytes.Contains(g.Value, []byte("*")); (!s.add(g) || wild) && c.malformed == "" && evaluated(g.Form) {
				c.malformed = fmt.Sprintf("%s %q", g.Form, Cut(string(g.Value)))
			}
		}
	}
	add(&c.permitted, n.Permitted)
	add(&c.excluded, n.Excluded)
	return c
}

// judge compares a name with the constraints: it is inside what they allow, outside, or
// cannot be judged. A name of a form that they do not speak of is inside.
func (c *constraints) judge(name certificate.GeneralName) judgement {
	verdict := inside
	for _, side := range []struct {
		trees   *subtrees
		refuses judgement
	}{{&c.excluded, inside}, {&c.permitted, outside}} {
		if !side.trees.speaksOf(name.Form) {
			continue
		}
		switch side.trees.has(name, side.refuses == inside) {
		case side.refuses:
			return outside
		case notJudged:
			verdict = notJudged
		}
	}
	return verdict
}

// speaksOf reports whether a constraint is of a form.
func (c *constraints) speaksOf(form certificate.NameForm) bool {
	return c.permitted.speaksOf(form) || c.excluded.speaksOf(form)
}

// subtrees are the permitted or the excluded ones.
type subtrees struct {
	forms   uint // a bit for each form that there is
	unclear uint // a bit for each form with a constraint that cannot be evaluated

	dns     domains
	mail    domains // hosts, or with a leading dot what is below one
	boxes   map[string]bool
	uri     domains
	ips     map[string]map[string]bool // by mask
	names   rdnTree                    // as OpenSSL compares them
	unicode rdnTree                    // as RFC 5280 section 7.1 does
}

func (s *subtrees) speaksOf(form certificate.NameForm) bool { return s.forms>>uint(form)&1 == 1 }

// evaluated reports whether constraints of a form are, if they are well formed.
func evaluated(form certificate.NameForm) bool {
	switch form {
	case certificate.FormDNS, certificate.FormMail, certificate.FormURI, certificate.FormIP, certificate.FormDirectory:
		return true
	}
	return false
}

// add adds a constraint; it is false for one that cannot be evaluated.
func (s *subtrees) add(g certificate.GeneralName) (readable bool) {
	bit := uint(1) << uint(g.Form)
	s.forms |= bit
	switch g.Form {
	case certificate.FormDNS:
		readable = s.dns.add(string(g.Value), true)
	case certificate.FormMail:
		local, host, isBox := cutMail(string(g.Value))
		switch {
		case !isBox:
			readable = len(g.Value) > 0 && s.mail.add(string(g.Value), false)
		case isLocal(local) && local[0] != '"' && isDomain(host):
			if s.boxes == nil {
				s.boxes = map[string]bool{}
			}
			s.boxes[local+"@"+strings.ToLower(host)], readable = true, true
		}
	case certificate.FormURI:
		readable = len(g.Value) > 0 && net.ParseIP(string(g.Value)) == nil && s.uri.add(string(g.Value), false)
	case certificate.FormIP:
		readable = s.addRange(g.Value)
	case certificate.FormDirectory:
		s.names.add(certificate.Name(g.Value).RDNs(false))
		s.unicode.add(certificate.Name(g.Value).RDNs(true))
		readable = true
	}
	if !readable {
		s.unclear |= bit
	}
	return readable
}

// addRange adds an address and a mask in the style of CIDR (RFC 5280 section
// 4.2.1.10); it is false for anything else.
func (s *subtrees) addRange(b []byte) bool {
	if len(b) != 2*net.IPv4len && len(b) != 2*net.IPv6len {
		return false
	}
	mask := net.IPMask(b[len(b)/2:])
	if ones, bits := mask.Size(); ones == 0 && bits == 0 {
		return false // the mask has gaps
	}
	if s.ips == nil {
		s.ips = map[string]map[string]bool{}
	}
	if s.ips[string(mask)] == nil {
		s.ips[string(mask)] = map[string]bool{}
	}
	s.ips[string(mask)][string(net.IP(b[:len(b)/2]).Mask(mask))] = true
	return true
}

// has reports whether a name of a form that is spoken of is within one of the
// subtrees. A wildcard is within an excluded one that it may match.
func (s *subtrees) has(name certificate.GeneralName, excluded bool) judgement {
	unclear := outside
	if s.unclear>>uint(name.Form)&1 == 1 {
		unclear = notJudged
	}
	found, readable := false, true
	switch name.Form {
	case certificate.FormDNS:
		host := string(name.Value)
		if readable = isDomain(host); readable {
			host = strings.ToLower(host)
			found = s.dns.has(host, true) || excluded && s.dns.parents[strings.TrimPrefix(host, "*")]
		}
	case certificate.FormMail:
		local, host, isBox := cutMail(string(name.Value))
		if readable = isBox && isLocal(local) && isDomain(host); readable {
			host = strings.ToLower(host)
			found = s.boxes[local+"@"+host] || s.mail.has(host, false)
			if !found && s.boxes[unquoted(local)+"@"+host] { // OpenSSL compares the quotes, too
				found, readable = excluded, false
			}
		}
	case certificate.FormURI:
		host, ok := uriHost(string(name.Value))
		switch {
		case !ok:
			return notJudged
		case host == "":
			if excluded { // such a name is refused whatever the constraint (RFC 5280 section 4.2.1.10)
				return inside
			}
			return outside
		}
		found = s.uri.has(host, false)
	case certificate.FormIP:
		ip := net.IP(name.Value)
		for mask, nets := range s.ips {
			found = found || len(mask) == len(ip) && nets[string(ip.Mask(net.IPMask(mask)))]
		}
		if len(ip) == net.IPv6len && ip.To4() != nil { // an address of IPv4, for some
			found, readable = found && excluded, false
		}
	case certificate.FormDirectory:
		found = s.names.has(certificate.Name(name.Value).RDNs(false))
		if !found && s.unicode.has(certificate.Name(name.Value).RDNs(true)) {
			if excluded {
				return inside
			}
			return notJudged // within by RFC 5280, not by OpenSSL
		}
	default:
		readable = false
	}
	switch {
	case found:
		return inside
	case !readable:
		return notJudged
	}
	return unclear
}

// domains are hosts, and domains with all their hosts.
type domains struct {
	all     bool            // every host
	hosts   map[string]bool // and with deep what is below them
	below   map[string]bool // what is below them, given with a leading dot
	parents map[string]bool // those of hosts, with a leading dot
}

// add adds a constraint; it is false for one that is not a host. deep allows the
// empty one, which is every host.
func (d *domains) add(base string, deep bool) bool {
	if base == "" && deep {
		d.all = true
		return true
	}
	if !isDomain(strings.TrimPrefix(base, ".")) {
		return false
	}
	base = strings.ToLower(base)
	parent, dotted := strings.CutPrefix(base, ".")
	if d.hosts == nil {
		d.hosts, d.below, d.parents = map[string]bool{}, map[string]bool{}, map[string]bool{}
	}
	if dotted {
		d.below[parent] = true
		return true
	}
	d.hosts[base] = true
	if i := strings.IndexByte(base, '.'); i >= 0 {
		d.parents[base[i:]] = true
	}
	return true
}

// has reports whether a host is one of the domains, or with deep below one that is
// given without a dot.
func (d *domains) has(host string, deep bool) bool {
	found := d.all || d.hosts[host]
	for below := host; !found; {
		_, parent, more := strings.Cut(below, ".")
		if !more {
			return false
		}
		found, below = d.below[parent] || deep && d.hosts[parent], parent
	}
	return found
}

// isDomain reports whether a string is labels with dots between them, of any
// visible ASCII characters.
func isDomain(s string) bool {
	if len(s) > maxHostName {
		return false
	}
	for label := range strings.SplitSeq(s, ".") {
		if label == "" || strings.ContainsFunc(label, func(r rune) bool { return r <= ' ' || r > '~' }) {
			return false
		}
	}
	return true
}

// cutMail splits an address at its last @.
func cutMail(s string) (local, host string, ok bool) {
	i := strings.LastIndexByte(s, '@')
	if i < 0 {
		return "", "", false
	}
	return s[:i], s[i+1:], true
}

// isLocal reports whether s can be what is before the @ of an address: without
// another one, if it is not quoted.
func isLocal(s string) bool {
	quoted := len(s) > 2 && s[0] == '"' && s[len(s)-1] == '"'
	return s != "" && (quoted || !strings.Contains(s, "@"))
}

// unquoted is what is before the @ of an address without its quotes (RFC 5321
// section 4.1.2).
func unquoted(local string) string {
	if local[0] == '"' {
		return strings.ReplaceAll(local[1:len(local)-1], "\\", "")
	}
	return local
}

// uriHost returns the host of a URI in lower case, empty if it has none or an
// address instead. It is false if it is not clear what the host is.
func uriHost(uri string) (host string, ok bool) {
	_, rest, ok := strings.Cut(uri, ":")
	rest, hasAuthority := strings.CutPrefix(rest, "//")
	if !ok || !hasAuthority {
		return "", true
	}
	rest, _, _ = strings.Cut(rest, "/")
	if strings.ContainsAny(rest, "?#@%\\") { // OpenSSL ends a host at / or : alone
		return "", false
	}
	if strings.HasPrefix(rest, "[") {
		return "", true
	}
	host, _, _ = strings.Cut(strings.ToLower(rest), ":")
	if host == "" || net.ParseIP(host) != nil {
		return "", true
	}
	return host, isDomain(host)
}

// An rdnTree holds distinguished names by their parts, the most general first.
type rdnTree struct {
	end  bool // a name ends here
	next map[string]*rdnTree
}

func (t *rdnTree) add(rdns []string) {
	for _, rdn := range rdns {
		if t.next == nil {
			t.next = map[string]*rdnTree{}
		}
		if t.next[rdn] == nil {
			t.next[rdn] = new(rdnTree)
		}
		t = t.next[rdn]
	}
	t.end = true
}

// has reports whether a name of the tree is the beginning of this one.
func (t *rdnTree) has(rdns []string) bool {
	for _, rdn := range rdns {
		if t.end {
			return true
		}
		if t = t.next[rdn]; t == nil {
			return false
		}
	}
	return t.end
}

// hostOf returns what a common name says if it looks like a host, as OpenSSL has
// it: labels of letters, digits, - and _, with a dot between them.
func hostOf(commonName string) (string, bool) {
	if len(commonName) > maxHostName || !strings.Contains(commonName, ".") {
		return "", false
	}
	for label := range strings.SplitSeq(commonName, ".") {
		if label == "" || label[0] == '-' || label[len(label)-1] == '-' ||
			strings.ContainsFunc(label, func(r rune) bool {
				return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && r != '-' && r != '_'
			}) {
			return "", false
		}
	}
	return commonName, true
}

// smtpUTF8Mailbox is the otherName of mail addresses that are not ASCII (RFC 9598),
// 1.3.6.1.5.5.7.8.9.
var smtpUTF8Mailbox = []byte("\x06\x08\x2b\x06\x01\x05\x05\x07\x08\x09")

// isMail reports whether a name is an address, in either form.
func isMail(g certificate.GeneralName) bool {
	return g.Form == certificate.FormMail || g.Form == certificate.FormOther && bytes.HasPrefix(g.Value, smtpUTF8Mailbox)
}

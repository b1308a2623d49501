package reach

import (
	"bytes"
	"fmt"
	"net"
	"slices"
	"strings"

	"trustpool/bundle/certificate"

	"golang.org/x/crypto/cryptobyte"
	"golang.org/x/crypto/cryptobyte/asn1"
)

// checkConstraints applies the name constraints of an issuer to the certificates
// below it (RFC 5280 section 4.2.1.10). Forms other than DNS names, addresses and
// the bytes of a distinguished name are doubted where such a name is there. Each
// comparison takes from left, and nothing is judged without.
func checkConstraints(issuer *certificate.Certificate, below []*certificate.Certificate, left *int, doubt doubter) (Reason, error) {
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
		var all []generalName
		if *left > 0 {
			all = everyName(c)
			*left -= len(all) * (len(permitted) + len(excluded))
		}
		if *left <= 0 {
			doubt(ConstraintUnknown, "the name constraints of %s take more than %d comparisons", nameOf(issuer), maxComparisons)
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
func everyName(c *certificate.Certificate) (all []generalName) {
	if in := cryptobyte.String(c.Subject); !in.Empty() {
		var rdns cryptobyte.String
		if in.ReadASN1(&rdns, asn1.SEQUENCE) && !rdns.Empty() {
			all = append(all, generalName{formDirectory, rdns})
		}
	}
	if slices.ContainsFunc(c.Subject.Attributes(), func(a certificate.Attribute) bool { return a.Type == "emailAddress" }) {
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
// which RFC 5280 forbids, cannot be read, nor can constraints without any.
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
	return permitted, excluded, seq.Empty() && len(permitted)+len(excluded) > 0
}

// isDomain reports whether a string is labels with dots between them, of whatever
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
			label, parent, _ := strings.Cut(base, ".")
			yes = yes || label != "" && parent == domain
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

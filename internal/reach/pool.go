package reach

import (
	"cmp"
	"slices"
	"strings"
	"unicode"

	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
)

// maxSameName is how many certificates of one name a pool gives to a search. The
// genuine bundles have four at most.
const maxSameName = 64

// A Pool is what a device trusts, prepared for searching.
type Pool struct {
	certificates []*certificate.Certificate
	bySubject    map[string][]*certificate.Certificate // by folded name
	bySHA256     map[[32]byte]bool
	crowded      map[string]bool         // names of which more than maxSameName were left out
	absent       map[string][]pool.Entry // by the words of the subject
}

// NewPool prepares certificates. Those that cannot be read are passed over, and
// what stands twice counts once. absent are entries of a device's pool whose
// certificate is not at hand.
func NewPool(certs []*certificate.Certificate, absent ...pool.Entry) *Pool {
	p := &Pool{
		bySubject: map[string][]*certificate.Certificate{}, bySHA256: map[[32]byte]bool{},
		crowded: map[string]bool{}, absent: map[string][]pool.Entry{},
	}
	for _, c := range certs {
		if c.Err != nil || p.bySHA256[c.SHA256] {
			continue
		}
		p.bySHA256[c.SHA256] = true
		p.certificates = append(p.certificates, c)
		name := fold(c.Subject.String())
		if len(p.bySubject[name]) == maxSameName {
			p.crowded[name] = true
			continue
		}
		p.bySubject[name] = append(p.bySubject[name], c)
	}
	for _, e := range absent {
		name := words(e.Title())
		p.absent[name] = append(p.absent[name], e)
	}
	return p
}

// Size is how many certificates there are to lead to.
func (p *Pool) Size() int { return len(p.certificates) }

// others are the certificates that the pool does not have, by folded subject.
func (p *Pool) others(sent []*certificate.Certificate) map[string][]*certificate.Certificate {
	out := map[string][]*certificate.Certificate{}
	for _, c := range sent {
		if !p.bySHA256[c.SHA256] {
			name := fold(c.Subject.String())
			out[name] = append(out[name], c)
		}
	}
	return out
}

// fold makes names alike that RFC 5280 section 7.1 compares as the same: letter
// case and runs of spaces do not count, nor the type of a string. It is OpenSSL's
// rule, for ASCII.
func fold(name string) string { return strings.Join(strings.Fields(strings.ToLower(name)), " ") }

// words are those of a name's values, sorted: devices print names in another order,
// without their commas, and may call a kind of value otherwise. What is alike is
// not known to be the same, but may be.
func words(name string) string {
	all := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool {
		return !unicode.IsLetter(r) && !unicode.IsDigit(r) && r != '=' && r != '.'
	})
	for i, word := range all {
		all[i] = word[strings.IndexByte(word, '=')+1:]
	}
	slices.Sort(all)
	return strings.Join(all, " ")
}

// issuers are the certificates among the pool's and the sent ones that bear the
// folded name of c's issuer, those first that have the key identifier it names,
// and of these the pool's.
func (p *Pool) issuers(c *certificate.Certificate, name string, sent map[string][]*certificate.Certificate) []*certificate.Certificate {
	out := slices.Concat(p.bySubject[name], sent[name])
	rank := func(i *certificate.Certificate) int {
		switch {
		case c.AuthorityKeyID == nil || i.SubjectKeyID == nil:
			return 1
		case string(c.AuthorityKeyID) == string(i.SubjectKeyID):
			return 0
		}
		return 2
	}
	slices.SortStableFunc(out, func(a, b *certificate.Certificate) int { return cmp.Compare(rank(a), rank(b)) })
	return out
}

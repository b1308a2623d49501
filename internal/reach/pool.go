package reach

import (
	"slices"
	"strings"
	"unicode"

	"trustpool/bundle/certificate"
	"trustpool/internal/path"
	"trustpool/internal/pool"
)

// A Trusted is what a device trusts, prepared for searching.
type Trusted struct {
	*path.Set
	absent map[string][]pool.Entry // by the words of the subject
}

// NewTrusted prepares the entries of a pool. Certificates that cannot be read are
// passed over, and each counts once. An entry without its certificate may be what a
// chain leads to, and is remembered by its name.
func NewTrusted(entries []pool.Entry) *Trusted {
	var certs []*certificate.Certificate
	absent := map[string][]pool.Entry{}
	for _, e := range entries {
		if e.Certificate != nil {
			certs = append(certs, e.Certificate)
			continue
		}
		name := words(e.Title())
		absent[name] = append(absent[name], e)
	}
	return &Trusted{path.NewSet(certs), absent}
}

// lacking returns an entry that may be the issuer of a certificate, nil if there
// is none. One without a known name may be it.
func (t *Trusted) lacking(c *certificate.Certificate) *pool.Entry {
	for _, name := range []string{words(c.Issuer.String()), ""} {
		if e := t.absent[name]; len(e) > 0 {
			return &e[0]
		}
	}
	return nil
}

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

// title is what is known of an entry without its certificate.
func title(e *pool.Entry) string {
	switch {
	case e.Title() != "":
		return path.Cut(e.Title())
	case e.SHA256 != "":
		return "SHA-256 " + e.SHA256
	case e.SHA1 != "":
		return "SHA-1 " + e.SHA1
	}
	return "serial number " + e.Serial
}

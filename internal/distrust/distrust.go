// Package distrust has what root programs say against roots that bundles may hold:
// which they distrust, below which they distrust what is issued after a day, and
// which they do not take for servers.
//
// The list is part of the program. One half is generated from NSS's certdata.txt,
// the other was compiled from what Chromium publishes and Chrome has announced. It
// knows nothing of what was decided after AsOf: a root program's file does.
package distrust

import (
	"encoding/hex"
	"fmt"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/report"
	"trustpool/roots"
)

// AsOf is the day of the newest source of the list.
const AsOf = "2026-04-09"

// maxAge is how old the list may be before it is called old.
const maxAge = 365 * 24 * time.Hour

// Old reports whether a list of a day is older than maxAge at a time.
func Old(day, at time.Time) bool { return at.Sub(day) > maxAge }

// A Kind is what a root program says of a root.
type Kind int

// The kinds, the severest first.
const (
	Distrusted      Kind = iota // nothing below it is trusted
	DistrustedAfter             // what is issued after a day is not trusted
	NotTrusted                  // it is in the program, and not for these purposes
)

// A Statement is what a root program says of one certificate.
type Statement struct {
	Kind   Kind
	Name   string // what the certificate is called
	SHA256 string // of the certificate, in lower-case hex
	SHA1   string // of the same certificate; empty if it was not at hand
	Key    string // its [certificate.Certificate.KeyID], in lower-case hex
	// Purposes are what the statement is about; none means all of them.
	Purposes []roots.Purpose
	After    string // for DistrustedAfter: the last moment, 2024-11-30T23:59:59Z
	Why      string // in words, with the program's name
	Source   string
	Date     string // of the decision or of the source: 2011-08, 2026-04-09
}

// String is the statement in words.
func (s *Statement) String() string {
	switch s.Kind {
	case DistrustedAfter:
		return fmt.Sprintf("%s: not trusted for %s certificates issued after %s (%s)", s.Why, report.Joined(s.Purposes), s.After, s.Source)
	case NotTrusted:
		return fmt.Sprintf("%s: not trusted for %s (%s)", s.Why, report.Joined(s.Purposes), s.Source)
	}
	return fmt.Sprintf("%s (since %s; %s)", s.Why, s.Date, s.Source)
}

// A Match is a statement that was found for a certificate.
type Match struct {
	*Statement
	ByKey bool // it is about another certificate with the same key
}

// An Index finds statements by the hashes of certificates and keys.
type Index struct{ byHash, byKey map[string][]*Statement }

// NewIndex makes an index of the whole list.
func NewIndex() *Index {
	x := &Index{map[string][]*Statement{}, map[string][]*Statement{}}
	for _, s := range List() {
		x.byHash[s.SHA256] = append(x.byHash[s.SHA256], &s)
		if s.SHA1 != "" {
			x.byHash[s.SHA1] = append(x.byHash[s.SHA1], &s)
		}
		x.byKey[s.Key] = append(x.byKey[s.Key], &s)
	}
	return x
}

// ByHash returns what is said of the certificate with a SHA-256 or SHA-1, in
// lower-case hex, and not of others with its key.
func (x *Index) ByHash(hash string) []*Statement { return x.byHash[hash] }

// Find returns what is said of a certificate. What is said of others with the same
// key counts if the program says nothing of that kind about the certificate itself.
func (x *Index) Find(c *certificate.Certificate) []Match { return x.FindKey(c, c.KeyID()) }

// FindKey is Find for a certificate with a known KeyID.
func (x *Index) FindKey(c *certificate.Certificate, key [32]byte) (out []Match) {
	type said struct {
		kind    Kind
		program string
	}
	seen := map[said]bool{}
	first := func(s *Statement) bool {
		k := said{s.Kind, s.Why}
		if s.Kind == Distrusted {
			k.program = "" // once is enough
		}
		again := seen[k]
		seen[k] = true
		return !again
	}
	for _, s := range x.byHash[hex.EncodeToString(c.SHA256[:])] {
		first(s)
		out = append(out, Match{s, false})
	}
	for _, s := range x.byKey[hex.EncodeToString(key[:])] {
		if first(s) {
			out = append(out, Match{s, true})
		}
	}
	return out
}

// String is the match in words.
func (m Match) String() string {
	if m.ByKey {
		return fmt.Sprintf("it has the key of %s. %s", m.Name, m.Statement)
	}
	return m.Statement.String()
}

// List returns all statements: those that were compiled, then those of certdata.txt.
func List() []Statement {
	list := compiled()
	for _, r := range nss {
		s := Statement{
			Kind: r.kind, Name: r.name, SHA256: r.sha256, SHA1: r.sha1, Key: r.key, Purposes: r.purposes, After: r.after,
			Why: "Mozilla", Source: "certdata.txt of " + nssDate, Date: nssDate,
		}
		if r.kind == Distrusted {
			s.Why = "Mozilla distrusts it for " + report.Joined(r.purposes)
		}
		list = append(list, s)
	}
	return list
}

// The source of the generated half: NSS, lib/ckfw/builtins/certdata.txt. To take a
// newer one, change the three, and let TRUSTPOOL_CERTDATA name the file when the
// table is made anew; then review what changed in it.
const (
	nssDate   = AsOf
	nssSHA256 = "77130ef91213772844561fbd3aa31d413b25c2ac7f576fea3bc3bbff7ef93489"
)

//go:generate go test -count=1 -run ^TestTable$ . -update

// A row is a line of the generated table.
type row struct {
	kind                    Kind
	name, sha256, sha1, key string
	after                   string
	purposes                []roots.Purpose
}

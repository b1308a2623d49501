package feed

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/fetch/text"
	"trustpool/internal/report"
)

// Limits of what is read.
const (
	MaxFile         = 16 << 20 // bytes of one file, as UTF-8
	MaxItems        = 10_000   // items of rss.xml
	MaxSame         = 10       // items of rss.xml about one version
	MaxDescription  = 4 << 20  // bytes of the description of one item
	MaxCertificates = 100_000  // entries of the lists of one file, together
	MaxText         = 4 << 10  // bytes of a name, a version or a link
	MaxDepth        = 16       // levels of elements in rss.xml
)

// A Kind is which of the files a file is.
type Kind string

// The kinds.
const (
	RSS      Kind = "rss.xml"
	Diff     Kind = "diff.json"
	Listing  Kind = "manifest.log"
	noneKind Kind = ""
)

// A SyntaxError says why a file is not what is published beside a bundle.
type SyntaxError struct {
	Kind  Kind   // what it was read as; empty if it is none of them
	Where string // in it; empty for the whole
	Msg   string
}

func (e *SyntaxError) Error() string {
	s := report.Printable(report.Cut(e.Msg, maxMessage))
	if e.Where != "" {
		s = e.Where + ": " + s
	}
	if e.Kind != noneKind {
		s = "not a " + string(e.Kind) + " that can be read: " + s
	}
	return s
}

// A Sum is a SHA-256. Its text is hex.
type Sum [32]byte

// MarshalText gives lower-case hex.
func (s Sum) MarshalText() ([]byte, error) { return hex.AppendEncode(nil, s[:]), nil }

// A Certificate is what a feed says of one: its hash, and a name for people.
type Certificate struct {
	SHA256 Sum    `json:"sha256"`
	Name   string `json:"name"` // as it came: anything may be in it
}

// Label is the name, safe to print.
func (c Certificate) Label() string {
	if c.Name == "" {
		return "(no name)"
	}
	return report.Printable(c.Name)
}

// A Change is a diff.json: what a version added and removed, and what a later one is
// to remove.
type Change struct {
	Version, Previous string
	Added, Removed    []Certificate
	Marked            []Certificate // for removal
	NewlyMarked       []Certificate // the marked ones that the version before did not mark
	Repeated          int           // entries that name a certificate of the same list again; they are left out
}

// A changeList is one of the lists of a Change, and what it is called.
type changeList struct {
	member    string // of diff.json
	did, does string // what the version did to the certificates, and does
	list      *[]Certificate
}

// lists are those of a change.
func (c *Change) lists() []changeList {
	return []changeList{
		{"additions", "added", "adds", &c.Added},
		{"deletions", "removed", "removes", &c.Removed},
		{"markedForRemoval", "marked for removal", "marks", &c.Marked},
		{"newlyMarkedForRemoval", "newly marked", "newly marks", &c.NewlyMarked},
	}
}

// decode returns the UTF-8 of a file.
func decode(kind Kind, data []byte) ([]byte, error) {
	data, err := text.Decode(data, MaxFile)
	if err != nil {
		return nil, err
	}
	if len(bytes.TrimSpace(data)) == 0 {
		return nil, &SyntaxError{kind, "", "it is empty"}
	}
	return data, nil
}

// ParseDiff reads a diff.json.
func ParseDiff(data []byte) (*Change, error) {
	data, err := decode(Diff, data)
	if err != nil {
		return nil, err
	}
	budget := MaxCertificates
	c, rest, err := parseDiff(data, &budget)
	if err == nil && len(bytes.TrimSpace(rest)) > 0 {
		err = errors.New("there is more after its end")
	}
	if err != nil {
		return nil, &SyntaxError{Diff, "", err.Error()}
	}
	return c, nil
}

// parseDiff reads the diff.json at the beginning of data, and returns what follows it.
// budget is how many entries it may have, which it lowers.
func parseDiff(data []byte, budget *int) (c *Change, rest []byte, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	var object json.RawMessage
	if err := d.Decode(&object); err != nil {
		return nil, nil, jsonError(err)
	}
	members, err := membersOf(object)
	if err != nil {
		return nil, nil, err
	}
	c = &Change{}
	for name, into := range map[string]*string{"currentVersion": &c.Version, "prevVersion": &c.Previous} {
		if *into, err = versionOf(members[name]); err != nil {
			return nil, nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	if c.Version == "" {
		return nil, nil, errors.New("it has no currentVersion")
	}
	for _, l := range c.lists() {
		raw, ok := members[l.member]
		if !ok {
			return nil, nil, fmt.Errorf("it has no %s", l.member)
		}
		list, repeated, err := certificatesOf(raw, budget)
		if err != nil {
			return nil, nil, fmt.Errorf("%s: %w", l.member, err)
		}
		*l.list, c.Repeated = list, c.Repeated+repeated
	}
	return c, data[d.InputOffset():], nil
}

func jsonError(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("it was cut short")
	}
	if s, ok := errors.AsType[*json.SyntaxError](err); ok {
		return fmt.Errorf("at byte %d: %s", s.Offset, strings.TrimPrefix(s.Error(), "json: "))
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// membersOf reads an object. encoding/json takes names in other letters, and the last
// of two with the same name: neither is unambiguous.
func membersOf(object json.RawMessage) (map[string]json.RawMessage, error) {
	d := json.NewDecoder(bytes.NewReader(object))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return nil, errors.New("not an object")
	}
	out := map[string]json.RawMessage{}
	for d.More() {
		t, err := d.Token()
		if err != nil {
			return nil, jsonError(err)
		}
		name, _ := t.(string)
		if _, ok := out[name]; ok {
			return nil, fmt.Errorf("%q is there twice", short(name))
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return nil, jsonError(err)
		}
		out[name] = value
	}
	return out, nil
}

// maxMessage is how many bytes of what a parser says are shown: it may quote the file.
const maxMessage = 300

// maxQuoted is how many bytes of what a file has an error quotes.
const maxQuoted = 60

// short is what an error quotes of s.
func short(s string) string { return report.Cut(s, maxQuoted) }

// versionOf reads a string, or a whole number.
func versionOf(raw json.RawMessage) (string, error) {
	if len(raw) == 0 || string(raw) == "null" {
		return "", nil
	}
	s := string(raw)
	if raw[0] == '"' {
		if err := json.Unmarshal(raw, &s); err != nil {
			return "", jsonError(err)
		}
	} else if strings.Trim(s, "0123456789") != "" {
		return "", errors.New("neither a string nor a whole number")
	}
	if s = strings.TrimSpace(s); len(s) > MaxText {
		return "", fmt.Errorf("more than %d bytes", MaxText)
	}
	return s, nil
}

func certificatesOf(raw json.RawMessage, budget *int) (list []Certificate, repeated int, err error) {
	if string(raw) == "null" {
		return nil, 0, nil
	}
	d := json.NewDecoder(bytes.NewReader(raw))
	if t, err := d.Token(); err != nil || t != json.Delim('[') {
		return nil, 0, errors.New("not a list")
	}
	seen := map[[32]byte]bool{}
	for i := 1; d.More(); i++ {
		if *budget--; *budget < 0 {
			return nil, 0, fmt.Errorf("more than %d certificates in the file, which is the limit", MaxCertificates)
		}
		var entry json.RawMessage
		if err := d.Decode(&entry); err != nil {
			return nil, 0, jsonError(err)
		}
		c, err := certificateOf(entry)
		if err != nil {
			return nil, 0, fmt.Errorf("entry %d: %w", i, err)
		}
		if seen[c.SHA256] {
			repeated++
			continue
		}
		seen[c.SHA256] = true
		list = append(list, c)
	}
	return list, repeated, nil
}

func certificateOf(entry json.RawMessage) (c Certificate, err error) {
	members, err := membersOf(entry)
	if err != nil {
		return c, err
	}
	var sum string
	for name, into := range map[string]*string{"certSha256": &sum, "certSubjectDn": &c.Name} {
		raw := members[name]
		if len(raw) == 0 || string(raw) == "null" {
			continue
		}
		if err := json.Unmarshal(raw, into); err != nil {
			return c, fmt.Errorf("%s: not a string", name)
		}
	}
	if len(c.Name) > MaxText {
		return c, fmt.Errorf("certSubjectDn: more than %d bytes", MaxText)
	}
	var ok bool
	if c.SHA256, ok = parseSHA256(sum); !ok {
		return c, fmt.Errorf("certSha256: %q is not a SHA-256", short(sum))
	}
	return c, nil
}

// parseSHA256 reads a SHA-256 in any spelling.
func parseSHA256(s string) (sum Sum, ok bool) {
	b, ok := bundle.ParseFingerprint(s)
	if !ok || len(b) != len(sum) {
		return sum, false
	}
	return Sum(b), true
}

// A ManifestLog is a manifest.log: the certificates of one version.
type ManifestLog struct {
	Name, Version string
	Certificates  []Certificate
	Repeated      int // lines that name a certificate again; they are left out
	// Unended is that the last line has no end: what follows may be lost.
	Unended bool
}

// manifestVersion is between name and version in the first line.
const manifestVersion = " bundle version:"

// ParseManifest reads a manifest.log.
func ParseManifest(data []byte) (*ManifestLog, error) {
	data, err := decode(Listing, data)
	if err != nil {
		return nil, err
	}
	m := &ManifestLog{Unended: data[len(data)-1] != '\n'}
	seen := map[[32]byte]bool{}
	number, first := 0, true
	for line := range strings.Lines(string(data)) {
		number++
		fail := func(format string, args ...any) error {
			return &SyntaxError{Listing, fmt.Sprintf("line %d", number), fmt.Sprintf(format, args...)}
		}
		line = strings.TrimRight(line, " \t\r\n")
		if len(line) > MaxText {
			return nil, fail("more than %d bytes", MaxText)
		}
		if line == "" {
			continue
		}
		if first {
			name, version, ok := strings.Cut(line, manifestVersion)
			if !ok {
				return nil, fail("%q is not a name and \"bundle version: N\"", short(line))
			}
			m.Name, m.Version, first = strings.TrimSpace(name), strings.TrimSpace(version), false
			if len(strings.Fields(m.Version)) > 1 { // such as that of a file without line feeds
				return nil, fail("%q is not a version: it has spaces", short(m.Version))
			}
			continue
		}
		algorithm, rest, _ := strings.Cut(line, ":")
		sum, name, _ := strings.Cut(strings.TrimLeft(rest, " \t"), " ")
		c := Certificate{Name: strings.TrimSpace(name)}
		var ok bool
		if c.SHA256, ok = parseSHA256(sum); !ok || !strings.EqualFold(algorithm, "SHA256") && !strings.EqualFold(algorithm, "SHA-256") {
			return nil, fail("%q is not SHA256:, 64 digits and a name", short(line))
		}
		if seen[c.SHA256] {
			m.Repeated++
			continue
		}
		seen[c.SHA256] = true
		if m.Certificates = append(m.Certificates, c); len(m.Certificates) > MaxCertificates {
			return nil, fail("more than %d certificates, which is the limit", MaxCertificates)
		}
	}
	if len(m.Certificates) == 0 {
		return nil, &SyntaxError{Listing, "", "it lists no certificate"}
	}
	return m, nil
}

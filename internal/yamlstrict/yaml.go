// Package yamlstrict reads YAML that a person reviews: one document, in which
// every field is known and no word can be misread. Errors say line and column.
package yamlstrict

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"trustpool/bundle"
	"trustpool/internal/report"
)

// Limits of a document.
const (
	MaxSize  = 1 << 20 // bytes
	maxDepth = 16      // levels of nesting
)

// A Position is where something is in the document, for errors.
type Position struct{ Line, Column int }

// A SyntaxError says where in a document something is wrong, and what.
type SyntaxError struct {
	Position
	Msg string
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Msg }

func (p Position) String() string {
	if p.Column == 0 { // of what is not YAML only the line is known
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("line %d, column %d", p.Line, p.Column)
}

// ErrorAt is a *SyntaxError.
func ErrorAt(p Position, format string, args ...any) error {
	return &SyntaxError{p, fmt.Sprintf(format, args...)}
}

// At is where a node is.
func At(n *yaml.Node) Position { return Position{n.Line, n.Column} }

// Document reads one YAML document and no second one. Aliases, anchors, merge
// keys and tags are refused, and characters that do not show: a reviewer reads
// what is there and nothing else.
func Document(data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d bytes, more than the limit of %d", len(data), MaxSize)
	}
	if err := visible(data); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, ErrorAt(Position{1, 1}, "empty document")
	} else if err != nil {
		return nil, notYAML(err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, ErrorAt(At(&second), "a second document: there is to be one")
	} else if !errors.Is(err, io.EOF) {
		return nil, notYAML(err)
	}
	return doc.Content[0], plain(doc.Content[0], maxDepth)
}

// visible refuses what an editor may not show as it is: other encodings than
// UTF-8, control characters, and invisible and bidirectional formatting
// characters (Trojan Source, CVE-2021-42574).
func visible(data []byte) error {
	for number, line := range strings.Split(strings.TrimPrefix(string(data), "\ufeff"), "\n") {
		text := strings.ReplaceAll(strings.TrimSuffix(line, "\r"), "\t", " ")
		if report.Printable(text) == text {
			continue
		}
		for column, c := range strings.Split(text, "") {
			if shown := report.Printable(c); shown != c {
				return ErrorAt(Position{number + 1, column + 1}, "the character %s does not show: write plain text in UTF-8", shown)
			}
		}
	}
	return nil
}

// notYAML is an error of the YAML package, which says "yaml: line 3: what" and
// leaves the first line out.
func notYAML(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return ErrorAt(Position{Line: line}, "not YAML: %s", msg)
}

func plain(n *yaml.Node, depth int) error {
	switch {
	case depth == 0:
		return ErrorAt(At(n), "nested deeper than %d", maxDepth)
	case n.Kind == yaml.AliasNode:
		return ErrorAt(At(n), "an alias: write it out")
	case n.Anchor != "":
		return ErrorAt(At(n), "an anchor (&%s): write it out where it is used", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return ErrorAt(At(n), "a tag (%s): leave it out", n.Tag)
	}
	for _, c := range n.Content {
		if err := plain(c, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// A Field reads the value of one key.
type Field func(*yaml.Node) error

// Mapping reads a mapping, each key at most once and none that is unknown.
func Mapping(n *yaml.Node, what string, fields map[string]Field) error {
	return EachKey(n, what, func(key string, k, v *yaml.Node) error {
		read, ok := fields[key]
		if !ok {
			return ErrorAt(At(k), "%s has no field %q: there are %s", what, key, strings.Join(slices.Sorted(maps.Keys(fields)), ", "))
		}
		return read(v)
	})
}

// EachKey reads a mapping with names for keys.
func EachKey(n *yaml.Node, what string, read func(key string, k, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return ErrorAt(At(n), "%s is to be a mapping (key: value)", what)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, err := Text(k, "a key of "+what)
		if err != nil {
			return err
		}
		if seen[key] {
			return ErrorAt(At(k), "%s has the key %q twice", what, key)
		}
		seen[key] = true
		if err := read(key, k, v); err != nil {
			return err
		}
	}
	return nil
}

// List reads a sequence of what read reads, which may be empty, but is never nil.
func List[T any](n *yaml.Node, what string, read func(*yaml.Node) (T, error)) ([]T, error) {
	if n.Kind != yaml.SequenceNode {
		return nil, ErrorAt(At(n), "%s is to be a list", what)
	}
	out := make([]T, len(n.Content))
	for i, c := range n.Content {
		var err error
		if out[i], err = read(c); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// Text reads a string. What YAML takes for something else, or once took for it,
// must be in quotes: no, 0123, 1.10, 2026-11-21.
func Text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", ErrorAt(At(n), "%s is to be text", what)
	}
	if n.Value == "" && n.Style == 0 {
		return "", ErrorAt(At(n), "%s is missing", what)
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 &&
		(n.ShortTag() != "!!str" || surprising(n.Value)) {
		return "", ErrorAt(At(n), "%s: YAML may read %s as something else than text: put it in quotes", what, n.Value)
	}
	switch line := strings.NewReplacer("\n", " ", "\t", " ").Replace(n.Value); {
	case strings.TrimSpace(line) == "":
		return "", ErrorAt(At(n), "%s is empty", what)
	case report.Printable(line) != line: // written as an escape
		return "", ErrorAt(At(n), "%s has a character that does not show", what)
	}
	return n.Value, nil
}

// surprising reports whether older YAML takes a word for a boolean or a number.
func surprising(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<":
		return true
	}
	s = strings.Map(func(r rune) rune {
		if r == ':' || r == '_' || r == ',' { // 12:30:45 is a number in base 60
			return -1
		}
		return r
	}, s)
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// Texts reads a text, or a list of at least one.
func Texts(n *yaml.Node, what string) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		s, err := Text(n, what)
		return []string{s}, err
	}
	out, err := List(n, what, func(c *yaml.Node) (string, error) { return Text(c, what) })
	if err == nil && len(out) == 0 {
		err = ErrorAt(At(n), "%s is empty", what)
	}
	return out, err
}

// Boolean reads true or false.
func Boolean(n *yaml.Node, what string) (bool, error) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		switch n.Value {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, ErrorAt(At(n), "%s is to be true or false", what)
}

// Number reads a whole number above 0.
func Number(n *yaml.Node, what string) (int, error) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && n.ShortTag() == "!!int" && n.Value[0] != '0' {
		if v, err := strconv.Atoi(n.Value); err == nil && v > 0 {
			return v, nil
		}
	}
	return 0, ErrorAt(At(n), "%s is to be a whole number above 0", what)
}

// Into makes a field of a reader and where its value goes.
func Into[T any](to *T, read func(*yaml.Node, string) (T, error), what string) Field {
	return func(n *yaml.Node) (err error) {
		*to, err = read(n, what)
		return err
	}
}

// Time reads a moment, or a day, which is its beginning in UTC.
func Time(n *yaml.Node, what string) (time.Time, error) {
	if n.Kind != yaml.ScalarNode || n.Value == "" { // a date is not text in YAML
		return time.Time{}, ErrorAt(At(n), "%s is missing", what)
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, n.Value); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, ErrorAt(At(n), "%s is to be a time: 2026-11-21 or 2026-11-21T08:30:00Z", what)
}

// Duration reads what bundle.ParseDuration reads, but for nothing at all.
func Duration(n *yaml.Node, what string) (time.Duration, error) {
	s, err := Text(n, what)
	if err != nil {
		return 0, err
	}
	d, err := bundle.ParseDuration(s)
	if err == nil && d == 0 {
		err = errors.New("is to be longer than nothing")
	}
	if err != nil {
		return 0, ErrorAt(At(n), "%s: %v", what, err)
	}
	return d, nil
}

// SHA256 reads a hash in any usual spelling.
func SHA256(n *yaml.Node, what string) (*[32]byte, error) {
	s, err := Text(n, what)
	if err != nil {
		return nil, err
	}
	sum, ok := bundle.ParseFingerprint(s)
	if !ok || len(sum) != 32 {
		return nil, ErrorAt(At(n), "%s is to be 64 hex digits, a SHA-256", what)
	}
	return (*[32]byte)(sum), nil
}

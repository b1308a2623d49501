package recipe

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"

	"trustpool/bundle"
)

// Limits of a recipe.
const (
	MaxSize     = 1 << 20 // octets
	MaxSources  = 64
	maxDepth    = 16 // levels of nesting
	maxMentions = 4  // of one source in the set
)

// A SyntaxError says where in a recipe something is wrong, and what.
type SyntaxError struct {
	Position
	Msg string
}

func (e *SyntaxError) Error() string { return e.Position.String() + ": " + e.Msg }

func (p Position) String() string {
	if p.Column == 0 { // of what is no YAML only the line is known
		return fmt.Sprintf("line %d", p.Line)
	}
	return fmt.Sprintf("line %d, column %d", p.Line, p.Column)
}

func errAt(p Position, format string, args ...any) error {
	return &SyntaxError{p, fmt.Sprintf(format, args...)}
}

func at(n *yaml.Node) Position { return Position{n.Line, n.Column} }

// document reads one YAML document and no second one. Aliases, anchors, merge
// keys and tags are refused, and characters that do not show: a reviewer reads
// what stands there and nothing else.
func document(data []byte) (*yaml.Node, error) {
	if len(data) > MaxSize {
		return nil, fmt.Errorf("%d octets, more than the limit of %d", len(data), MaxSize)
	}
	if err := visible(data); err != nil {
		return nil, err
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		return nil, errAt(Position{1, 1}, "empty recipe")
	} else if err != nil {
		return nil, notYAML(err)
	}
	if err := dec.Decode(&second); err == nil {
		return nil, errAt(at(&second), "a second document: a recipe is one")
	} else if !errors.Is(err, io.EOF) {
		return nil, notYAML(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, errAt(Position{1, 1}, "empty recipe")
	}
	return doc.Content[0], plain(doc.Content[0], maxDepth)
}

// visible refuses what an editor may not show as it is: other encodings than
// UTF-8, control characters, and invisible and bidirectional formatting
// characters (Trojan Source, CVE-2021-42574).
func visible(data []byte) error {
	data = bytes.TrimPrefix(data, []byte("\xef\xbb\xbf"))
	number := 0
	for line := range bytes.SplitSeq(data, []byte("\n")) {
		number++
		text := strings.ReplaceAll(string(bytes.TrimSuffix(line, []byte("\r"))), "\t", " ")
		if bundle.Printable(text) == text {
			continue
		}
		column := 0
		for len(text) > 0 {
			column++
			r, n := utf8.DecodeRuneInString(text)
			if shown := bundle.Printable(text[:n]); shown != text[:n] || r == utf8.RuneError {
				return errAt(Position{number, column}, "the character %s does not show: recipes are plain text in UTF-8", shown)
			}
			text = text[n:]
		}
	}
	return nil
}

// notYAML is an error of the YAML package, which says "yaml: line 3: what" and
// leaves the first line out.
func notYAML(err error) error {
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	line := 1
	if rest, ok := strings.CutPrefix(msg, "line "); ok {
		number, what, _ := strings.Cut(rest, ": ")
		if n, err := strconv.Atoi(number); err == nil {
			line, msg = n, what
		}
	}
	return errAt(Position{Line: line}, "not YAML: %s", msg)
}

func plain(n *yaml.Node, depth int) error {
	switch {
	case depth == 0:
		return errAt(at(n), "nested deeper than %d", maxDepth)
	case n.Kind == yaml.AliasNode:
		return errAt(at(n), "an alias: write it out")
	case n.Anchor != "":
		return errAt(at(n), "an anchor (&%s): write it out where it is used", n.Anchor)
	case n.Style&yaml.TaggedStyle != 0:
		return errAt(at(n), "a tag (%s): recipes have none", n.Tag)
	}
	for _, c := range n.Content {
		if err := plain(c, depth-1); err != nil {
			return err
		}
	}
	return nil
}

// A field reads the value of one key.
type field func(*yaml.Node) error

// mapping reads a mapping, each key at most once and none that is unknown.
func mapping(n *yaml.Node, what string, fields map[string]field) error {
	return eachKey(n, what, func(key string, k, v *yaml.Node) error {
		read, ok := fields[key]
		if !ok {
			return errAt(at(k), "%s has no field %q: there are %s", what, key, strings.Join(sortedKeys(fields), ", "))
		}
		return read(v)
	})
}

func eachKey(n *yaml.Node, what string, read func(key string, k, v *yaml.Node) error) error {
	if n.Kind != yaml.MappingNode {
		return errAt(at(n), "%s is to be a mapping (key: value)", what)
	}
	seen := map[string]bool{}
	for i := 0; i < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		key, err := text(k, "a key of "+what)
		if err != nil {
			return err
		}
		if seen[key] {
			return errAt(at(k), "%s has the key %q twice", what, key)
		}
		seen[key] = true
		if err := read(key, k, v); err != nil {
			return err
		}
	}
	return nil
}

func sortedKeys(fields map[string]field) []string {
	keys := make([]string, 0, len(fields))
	for k := range fields {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// list reads a sequence.
func list(n *yaml.Node, what string, read func(*yaml.Node) error) error {
	if n.Kind != yaml.SequenceNode {
		return errAt(at(n), "%s is to be a list", what)
	}
	for _, c := range n.Content {
		if err := read(c); err != nil {
			return err
		}
	}
	return nil
}

// text reads a string. What YAML takes for something else, or once took for it,
// must stand in quotes: no, 0123, 1.10, 2026-11-21.
func text(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode {
		return "", errAt(at(n), "%s is to be text", what)
	}
	if n.Value == "" && n.Style == 0 {
		return "", errAt(at(n), "%s is missing", what)
	}
	if n.Style&(yaml.SingleQuotedStyle|yaml.DoubleQuotedStyle|yaml.LiteralStyle|yaml.FoldedStyle) == 0 &&
		(n.ShortTag() != "!!str" || surprising(n.Value)) {
		return "", errAt(at(n), "%s: YAML may read %s as something else than text: put it in quotes", what, n.Value)
	}
	switch line := strings.NewReplacer("\n", " ", "\t", " ").Replace(n.Value); {
	case strings.TrimSpace(line) == "":
		return "", errAt(at(n), "%s is empty", what)
	case bundle.Printable(line) != line: // written as an escape
		return "", errAt(at(n), "%s has a character that does not show", what)
	}
	return n.Value, nil
}

// surprising tells whether older YAML takes a word for a boolean or a number.
func surprising(s string) bool {
	switch strings.ToLower(s) {
	case "y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", "=", "<<":
		return true
	}
	s = strings.NewReplacer(":", "", "_", "", ",", "").Replace(s) // 12:30:45 is a number in base 60
	_, err := strconv.ParseFloat(s, 64)
	return err == nil || errors.Is(err, strconv.ErrRange)
}

// texts reads a text, or a list of at least one.
func texts(n *yaml.Node, what string) ([]string, error) {
	if n.Kind == yaml.ScalarNode {
		s, err := text(n, what)
		return []string{s}, err
	}
	var out []string
	err := list(n, what, func(c *yaml.Node) error {
		s, err := text(c, what)
		out = append(out, s)
		return err
	})
	if err == nil && len(out) == 0 {
		err = errAt(at(n), "%s is empty", what)
	}
	return out, err
}

// raw reads a scalar that may be no text in YAML, as a date is.
func raw(n *yaml.Node, what string) (string, error) {
	if n.Kind != yaml.ScalarNode || n.Value == "" {
		return "", errAt(at(n), "%s is missing", what)
	}
	return n.Value, nil
}

func boolean(n *yaml.Node, what string) (bool, error) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 {
		switch n.Value {
		case "true":
			return true, nil
		case "false":
			return false, nil
		}
	}
	return false, errAt(at(n), "%s is to be true or false", what)
}

func number(n *yaml.Node, what string) (int, error) {
	if n.Kind == yaml.ScalarNode && n.Style == 0 && n.ShortTag() == "!!int" && n.Value[0] != '0' {
		if v, err := strconv.Atoi(n.Value); err == nil && v > 0 {
			return v, nil
		}
	}
	return 0, errAt(at(n), "%s is to be a whole number above 0", what)
}

package inventory

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// yaml reads an inventory in YAML: groups, of which each may have hosts, vars and
// children.
func (a *ansible) yaml(data []byte) error {
	if len(data) > MaxYAMLBytes {
		return &LimitError{"bytes of an inventory in YAML", MaxYAMLBytes}
	}
	in := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	if err := in.Decode(&doc); err != nil {
		return yamlError(err)
	}
	if err := in.Decode(&second); !errors.Is(err, io.EOF) {
		return &Error{second.Line, errors.New("a second YAML document")}
	}
	w := yamlWalk{a: a}
	return w.each(doc.Content[0], func(k, v *yaml.Node) error { return w.group(k.Value, v, 0) })
}

// yamlError makes an *Error of what the YAML package says.
func yamlError(err error) error {
	line := 0
	msg := strings.TrimPrefix(err.Error(), "yaml: ")
	if n, _ := fmt.Sscanf(msg, "line %d:", &line); n == 1 {
		_, msg, _ = strings.Cut(msg, ": ")
	}
	return &Error{line, fmt.Errorf("not YAML: %s", msg)}
}

// A yamlWalk walks through a document. An alias is followed, and counts as what it
// stands for.
type yamlWalk struct {
	a     *ansible
	nodes int
}

// each calls f with the keys and values of a mapping. One that is empty may be
// written as nothing at all.
func (w *yamlWalk) each(n *yaml.Node, f func(k, v *yaml.Node) error) error {
	if n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	if n.Kind == yaml.ScalarNode && n.Tag == "!!null" {
		return nil
	}
	if n.Kind != yaml.MappingNode {
		return &Error{n.Line, errors.New("a mapping was expected here; of an inventory plugin give what ansible-inventory --list prints")}
	}
	seen := make(map[string]bool, len(n.Content)/2)
	for i := 0; i+1 < len(n.Content); i += 2 {
		k, v := n.Content[i], n.Content[i+1]
		if w.nodes++; w.nodes > maxNodes {
			return &LimitError{"values of an inventory", maxNodes}
		}
		if k.Kind != yaml.ScalarNode {
			return &Error{k.Line, errors.New("a key that is not a name")}
		}
		if seen[k.Value] {
			return &Error{k.Line, fmt.Errorf("the key %q is there twice", k.Value)}
		}
		seen[k.Value] = true
		if err := f(k, v); err != nil {
			return at(k.Line, err)
		}
	}
	return nil
}

func (w *yamlWalk) group(name string, n *yaml.Node, level int) error {
	if level > maxDepth {
		return &LimitError{"groups within groups", maxDepth}
	}
	g, err := w.a.group(name, n.Line)
	if err != nil {
		return err
	}
	return w.each(n, func(k, v *yaml.Node) error {
		switch k.Value {
		case "hosts":
			if v.Kind == yaml.ScalarNode && v.Tag == "!!str" { // Ansible takes a single one
				return w.host(name, v, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!null"})
			}
			return w.each(v, func(k, v *yaml.Node) error { return w.host(name, k, v) })
		case "vars":
			return w.vars(g.vars, v, false)
		case "children":
			return w.each(v, func(k, v *yaml.Node) error {
				if err := w.a.child(name, k.Value, k.Line); err != nil {
					return err
				}
				return w.group(k.Value, v, level+1)
			})
		}
		return fmt.Errorf("%q in a group: it has hosts, vars and children", k.Value)
	})
}

func (w *yamlWalk) host(group string, k, v *yaml.Node) error {
	return w.a.pattern(k.Value, group, k.Line, func(vars map[string]string) error { return w.vars(vars, v, false) })
}

// vars keeps the variables that are wanted. What is merged into a mapping holds no
// further merge key.
func (w *yamlWalk) vars(vars map[string]string, n *yaml.Node, merged bool) error {
	var merge []*yaml.Node
	err := w.each(n, func(k, v *yaml.Node) error {
		if v.Kind == yaml.AliasNode {
			v = v.Alias
		}
		switch {
		case k.Tag != "!!merge":
			return w.set(vars, k.Value, v)
		case merged:
			return errors.New("a merge key in what is merged: write the variables")
		case v.Kind == yaml.SequenceNode:
			merge = v.Content
		default:
			merge = []*yaml.Node{v}
		}
		return nil
	})
	for _, m := range merge { // what is there counts
		more := map[string]string{}
		if err := w.vars(more, m, true); err != nil {
			return err
		}
		maps.Copy(more, vars)
		maps.Copy(vars, more)
	}
	return err
}

// set is set for a value of YAML.
func (w *yamlWalk) set(vars map[string]string, name string, v *yaml.Node) error {
	switch {
	case v.Kind == yaml.ScalarNode && v.Tag == "!!null":
		return nil
	case v.Kind != yaml.ScalarNode || !strings.HasPrefix(v.Tag, "!!"):
		return w.a.set(vars, name, noValue)
	}
	return w.a.set(vars, name, v.Value)
}

// json reads what ansible-inventory --list prints, and what a script of a dynamic
// inventory does.
func (a *ansible) json(data []byte) error {
	in := json.NewDecoder(bytes.NewReader(data))
	in.UseNumber()
	fail := func(err error) error {
		return at(1+bytes.Count(data[:min(in.InputOffset(), int64(len(data)))], []byte("\n")), err)
	}
	r := jsonReader{a, in}
	err := r.each(func(key string) error {
		if key == "_meta" {
			return r.each(func(key string) error {
				if key != "hostvars" {
					_, err := r.value()
					return err
				}
				return r.each(func(host string) error {
					h, err := a.host(host, "", 0)
					if err != nil {
						return err
					}
					return r.vars(h.vars)
				})
			})
		}
		return r.group(key)
	})
	if err == nil {
		if _, err = in.Token(); errors.Is(err, io.EOF) {
			slices.Sort(a.order)
			return nil
		}
		err = errors.New("something after the document")
	}
	if _, ok := errors.AsType[*LimitError](err); ok {
		return err
	}
	return fail(err)
}

// A jsonReader reads JSON from beginning to end.
type jsonReader struct {
	a  *ansible
	in *json.Decoder
}

// value reads a value.
func (r jsonReader) value() (raw json.RawMessage, err error) {
	if err = r.in.Decode(&raw); err != nil {
		err = fmt.Errorf("not JSON: %w", err)
	}
	return raw, err
}

// each calls f with the keys of an object; f reads the value.
func (r jsonReader) each(f func(key string) error) error {
	if t, err := r.in.Token(); err != nil {
		return fmt.Errorf("not JSON: %w", err)
	} else if t != json.Delim('{') {
		return errors.New("an object was expected here")
	}
	seen := map[string]bool{}
	for r.in.More() {
		t, err := r.in.Token()
		if err != nil {
			return fmt.Errorf("not JSON: %w", err)
		}
		key, _ := t.(string) // always
		if seen[key] {
			return fmt.Errorf("the key %q is there twice", key)
		}
		seen[key] = true
		if err := f(key); err != nil {
			return err
		}
	}
	_, err := r.in.Token()
	return err
}

// group reads a group: an object, or in the oldest form a list of hosts.
func (r jsonReader) group(name string) error {
	g, err := r.a.group(name, 0)
	if err != nil {
		return err
	}
	raw, err := r.value()
	if err != nil {
		return err
	}
	var body struct {
		Hosts    json.RawMessage            `json:"hosts"`
		Children []string                   `json:"children"`
		Vars     map[string]json.RawMessage `json:"vars"`
	}
	if raw[0] == '[' {
		body.Hosts = raw
	} else if err := json.Unmarshal(raw, &body); err != nil {
		return fmt.Errorf("group %q: hosts, children or vars are not as ansible-inventory --list writes them", name)
	}
	var hosts []string
	if len(body.Hosts) > 0 && json.Unmarshal(body.Hosts, &hosts) != nil {
		return fmt.Errorf("group %q: hosts are not a list of names", name)
	}
	for _, host := range hosts {
		if _, err := r.a.host(host, name, 0); err != nil {
			return err
		}
	}
	for _, child := range body.Children {
		if err := r.a.child(name, child, 0); err != nil {
			return err
		}
	}
	for key, value := range body.Vars {
		if err := r.a.setJSON(g.vars, key, value); err != nil {
			return err
		}
	}
	return nil
}

func (r jsonReader) vars(vars map[string]string) error {
	return r.each(func(key string) error {
		raw, err := r.value()
		if err != nil {
			return err
		}
		return r.a.setJSON(vars, key, raw)
	})
}

// setJSON is set for a value of JSON.
func (a *ansible) setJSON(vars map[string]string, name string, raw json.RawMessage) error {
	if !a.wanted[name] || string(raw) == "null" {
		return nil
	}
	value := string(raw)
	switch raw[0] {
	case '{', '[':
		value = noValue
	case '"':
		if err := json.Unmarshal(raw, &value); err != nil {
			return err
		}
	}
	return a.set(vars, name, value)
}

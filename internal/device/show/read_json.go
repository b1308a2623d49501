package show

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// maxDepth is how deep the JSON of a capture may be.
const maxDepth = 64

// ansible is what Ansible prints before the JSON of a host.
var ansible = pattern(`(?m)^(?:(\S+) \| [A-Z]+!? => |(?:ok|changed|skipping|fatal|failed): \[([^\]\n]*)\](?: => \([^\n]*\))?(?: => |: [A-Z]+! => ))\{`)

// playbook is the JSON of all hosts that Ansible printed; nil if there is none.
func playbook(text []byte) []byte {
	if bytes.Contains(text, []byte("\x1b[")) {
		text = []byte(noControlSequences(string(text)))
	}
	hosts := map[string][]json.RawMessage{}
	for bytes.Contains(text, []byte("=> {")) {
		m := ansible().FindSubmatchIndex(text)
		if m == nil {
			break
		}
		name := m[2:4]
		if name[0] < 0 {
			name = m[4:6]
		}
		host := string(text[name[0]:name[1]])
		text = text[m[1]-1:]
		var value json.RawMessage
		d := json.NewDecoder(bytes.NewReader(text))
		if d.Decode(&value) != nil {
			return text // which says what is wrong with it
		}
		hosts[host] = append(hosts[host], value)
		text = text[d.InputOffset():]
	}
	if len(hosts) == 0 {
		return nil
	}
	data, err := json.Marshal(hosts)
	if err != nil {
		return nil // not for what Decode gave
	}
	return data
}

// jsonOf is the JSON of a text; nil if it is none.
func jsonOf(text []byte) []byte {
	text = bytes.TrimSpace(text)
	if data := playbook(text); data != nil {
		return data
	}
	if opening().Match(text) || isString(text) {
		return text
	}
	return nil
}

// opening is how an object of JSON begins, or a list: the first line of a capture may
// begin with a bracket too.
var opening = pattern(`^(?:\{[ \t\r\n]*(?:["}]|$)|\[(?:[{"[]|\r?\n))`)

// isString reports whether a text is one string of JSON: on one line, in quotes.
func isString(text []byte) bool {
	return len(text) > 1 && text[0] == '"' && text[len(text)-1] == '"' && bytes.IndexByte(text, '\n') < 0
}

// readJSON reads what a playbook registered: the output of a command as text or as
// lines, wherever it is; of NX-OS the fields of its pool.
func (d *dialect) readJSON(data []byte) ([]Shown, error) {
	if depth(data) > maxDepth {
		return nil, fmt.Errorf("JSON of more than %d levels", maxDepth)
	}
	var value any
	in := json.NewDecoder(bytes.NewReader(data))
	if err := in.Decode(&value); err != nil {
		return nil, fmt.Errorf("JSON that cannot be read: %w", err)
	}
	if in.More() {
		return nil, errors.New("more than one document of JSON: give one")
	}
	if top, ok := value.(map[string]any); ok {
		if schema, ok := top["schema"].(string); ok && strings.HasPrefix(schema, "trustpool.") {
			return nil, fmt.Errorf("this is a document of trustpool, %.60q, not what a device shows", schema)
		}
	}
	f := finder{dialect: d}
	f.find("", value)
	switch {
	case len(f.found) > 1:
		return nil, fmt.Errorf("the output of several devices or commands: %s; give one at a time", strings.Join(f.where(), ", "))
	case len(f.found) == 0 && d.style != NXOS:
		return nil, fmt.Errorf("JSON without the output of %s as text; what RESTCONF or a parser makes of it is not read", d.command)
	case len(f.found) == 0:
		return nil, errors.New("JSON without TABLE_ca_trustpool: give what show crypto ca trustpool | json prints")
	}
	one := f.found[0]
	list, err := one.read()
	if err != nil && one.path != "" {
		err = fmt.Errorf("%s: %w", one.path, err)
	}
	return list, err
}

// depth is how deep JSON is, as far as brackets tell.
func depth(data []byte) (most int) {
	level, inString := 0, false
	for i := 0; i < len(data); i++ {
		switch c := data[i]; {
		case inString && c == '\\':
			i++
		case c == '"':
			inString = !inString
		case inString:
		case c == '{' || c == '[':
			level++
			most = max(most, level)
		case c == '}' || c == ']':
			level--
		}
	}
	return most
}

// A finder looks for captures in JSON.
type finder struct {
	*dialect
	found []located
}

// A located is a capture, and where it is.
type located struct {
	path string
	read func() ([]Shown, error)
}

func (f *finder) where() (paths []string) {
	for _, l := range f.found[:min(len(f.found), 5)] {
		paths = append(paths, l.path)
	}
	return paths
}

func (f *finder) find(path string, value any) {
	switch v := value.(type) {
	case string:
		f.text(path, v)
	case []any:
		if text, ok := joined(v); ok {
			f.text(path, text)
			return
		}
		for i, e := range v {
			f.find(fmt.Sprintf("%s[%d]", path, i), e)
		}
	case map[string]any:
		if table, ok := v["TABLE_ca_trustpool"]; ok && f.style == NXOS {
			f.found = append(f.found, located{path: below(path, "TABLE_ca_trustpool"), read: func() ([]Shown, error) { return readTable(table) }})
			return
		}
		before := len(f.found)
		for _, k := range slices.Sorted(maps.Keys(v)) {
			// The same output twice, as text and as lines.
			if base, ok := strings.CutSuffix(k, "_lines"); ok && len(f.found) > before {
				if _, twin := v[base]; twin {
					continue
				}
			}
			f.find(below(path, k), v[k])
		}
	}
}

func below(path, key string) string {
	if path == "" {
		return key
	}
	return path + "." + key
}

// joined are the lines of a list of strings. A list of whole outputs is none.
func joined(list []any) (string, bool) {
	var b strings.Builder
	for _, e := range list {
		s, ok := e.(string)
		if !ok || strings.Contains(s, "\n") {
			return "", false
		}
		b.WriteString(s + "\n")
	}
	return b.String(), len(list) > 1
}

// text takes a text that has certificates of a pool, or of another command.
func (f *finder) text(path, text string) {
	if !strings.Contains(text, xeHead+"\n") && !strings.Contains(text, xeHead+"\r\n") && !strings.Contains(text, xrHead) && !strings.Contains(strings.ToLower(text), "serial number") {
		return
	}
	if !strings.Contains(text, "Trustpool:") && len(f.found) > 0 && f.style != NXOS {
		return
	}
	f.found = append(f.found, located{path: path, read: func() ([]Shown, error) { return f.readText(text) }})
}

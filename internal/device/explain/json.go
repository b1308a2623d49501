package explain

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
)

// textKeys are under what names exports keep the text of a message.
var textKeys = []string{"message", "_raw", "short_message", "full_message"}

// isJSON reports whether a line can be an object of JSON, or a list of them.
func isJSON(line string) bool {
	line = strings.TrimSpace(line)
	return (strings.HasPrefix(line, `{"`) && strings.HasSuffix(line, "}") || strings.HasPrefix(line, `[{"`) && strings.HasSuffix(line, "]"))
}

// jsonLines are the lines of messages in a line of JSON, each once: an export may
// hold the same one under several names.
func jsonLines(line string) (lines []string, ok bool) {
	if !isJSON(line) {
		return nil, false
	}
	var value any
	if json.Unmarshal([]byte(line), &value) != nil {
		return nil, false
	}
	seen := map[string]bool{}
	var find func(value any, name string)
	find = func(value any, name string) {
		switch v := value.(type) {
		case string:
			ok = ok || slices.Contains(textKeys, strings.ToLower(name))
			for l := range strings.Lines(v) {
				l = strings.TrimRight(l, "\r\n")
				at := tokens().FindStringIndex(l)
				text := l
				if at != nil {
					ok = true
					text = l[at[0]:]
				}
				if !seen[text] {
					seen[text] = true
					lines = append(lines, l)
				}
			}
		case []any:
			for _, e := range v {
				clear(seen) // another event
				find(e, name)
			}
		case map[string]any:
			for _, k := range slices.Sorted(maps.Keys(v)) {
				find(v[k], k)
			}
		}
	}
	find(value, "")
	return lines, ok
}

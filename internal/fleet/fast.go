package fleet

import (
	"bytes"
	"encoding/json"
	"strconv"
)

// fast reads a line as log/slog writes almost all: one flat object without blanks,
// whose strings are ASCII without escapes. It is false for any other, which is then
// for encoding/json; where it is true, that would read the same.
func (j *jsonLine) fast(line []byte) bool {
	if len(line) < 2 || line[0] != '{' {
		return false
	}
	for rest := line[1:]; ; {
		key, after, ok := fastString(rest)
		if !ok || len(after) == 0 || after[0] != ':' {
			return false
		}
		var text, number []byte
		if rest = after[1:]; len(rest) > 0 && rest[0] == '"' {
			if text, rest, ok = fastString(rest); !ok {
				return false
			}
		} else {
			end := bytes.IndexAny(rest, ",}")
			if end <= 0 {
				return false
			}
			number, rest = rest[:end], rest[end:]
		}
		if !j.set(string(key), text, number) || len(rest) == 0 {
			return false
		}
		end := rest[0]
		rest = rest[1:]
		if end == '}' {
			return len(rest) == 0
		}
		if end != ',' {
			return false
		}
	}
}

// fastString cuts a string and its quotes off.
func fastString(s []byte) (inside, rest []byte, ok bool) {
	if len(s) == 0 || s[0] != '"' {
		return nil, nil, false
	}
	for i, c := range s[1:] {
		switch {
		case c == '"':
			return s[1 : i+1], s[i+2:], true
		case c == '\\' || c < ' ' || c > '~':
			return nil, nil, false
		}
	}
	return nil, nil, false
}

// set takes the value of a field, a string or else a number.
func (j *jsonLine) set(key string, text, number []byte) bool {
	var to *string
	switch key {
	case "time":
		return number == nil && j.Time.UnmarshalText(text) == nil
	case "status", "bytes", "size":
		n, err := strconv.ParseUint(string(number), 10, 31)
		if err != nil || number[0] == '0' && len(number) > 1 {
			return false
		}
		switch key {
		case "status":
			j.Status = int(n)
		case "bytes":
			j.Bytes = int64(n)
		default:
			j.Size = int64(n)
		}
		return true
	case "msg":
		to = &j.Msg
	case "remote":
		to = &j.Remote
	case "user_agent":
		to = &j.UserAgent
	case "method":
		to = &j.Method
	case "path":
		to = &j.Path
	case "bundle":
		to = &j.Bundle
	case "version":
		to = &j.Version
	case "sha256":
		to = &j.SHA256
	default: // encoding/json would take one in other letters for one of these
		for _, c := range key {
			if c != '_' && (c < 'a' || c > 'z') {
				return false
			}
		}
		return number == nil || number[0] >= '0' && number[0] <= '9' && json.Valid(number)
	}
	*to = string(text)
	return number == nil
}

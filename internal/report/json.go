package report

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"iter"
	"time"
	"unicode/utf16"
	"unicode/utf8"
)

// A Text is a string that JSON has null for if it is empty.
type Text string

// MarshalJSON gives null for an empty text.
func (t Text) MarshalJSON() ([]byte, error) { return Marshal(Optional(string(t))) }

// A Moment is a time, in whole seconds, that JSON has null for if it is not known.
type Moment struct{ time.Time }

// MarshalJSON gives null for a time that is not known.
func (m Moment) MarshalJSON() ([]byte, error) { return json.Marshal(StampOrNil(m.Time)) }

// UnmarshalJSON reads what MarshalJSON gives.
func (m *Moment) UnmarshalJSON(data []byte) error {
	if m.Time.UnmarshalJSON(data) != nil {
		return fmt.Errorf("%.60s is not a time", data)
	}
	return nil
}

// A JSONList is a member of a document whose value is an array that is made
// element by element.
type JSONList struct {
	Name string
	Each iter.Seq[any]
}

// List is the JSONList of a slice; entry makes each element.
func List[T, R any](name string, list []T, entry func(T) R) JSONList {
	return JSONList{name, func(yield func(any) bool) {
		for _, v := range list {
			if !yield(entry(v)) {
				return
			}
		}
	}}
}

// Same is v, for a List of what is its own JSON.
func Same[T any](v T) T { return v }

// WriteJSON writes one indented document: the members of head, which must marshal
// to an object, then the lists. Only one element is in memory at a time.
func WriteJSON(w io.Writer, head any, lists ...JSONList) error {
	b, err := newIndenter("").marshal(head)
	if err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	element := newIndenter("    ")
	out.Write(bytes.TrimSuffix(b, []byte("\n}")))
	for _, l := range lists {
		fmt.Fprintf(out, ",\n  %q: [", l.Name)
		separator, end := "\n    ", "]"
		for v := range l.Each {
			b, err := element.marshal(v)
			if err != nil {
				return err
			}
			out.WriteString(separator)
			if _, err := out.Write(b); err != nil {
				return err // no need to go on
			}
			separator, end = ",\n    ", "\n  ]"
		}
		out.WriteString(end)
	}
	out.WriteString("\n}\n")
	return out.Flush() // a bufio.Writer keeps its first error
}

// JSON is what WriteJSON writes of a document without lists.
func JSON(head any) ([]byte, error) {
	var out bytes.Buffer
	err := WriteJSON(&out, head)
	return out.Bytes(), err
}

// An indenter is json.MarshalIndent without the escaping of HTML, and with that of
// characters that do not show: text of a certificate must not reorder or hide the
// lines of a report.
type indenter struct {
	buf bytes.Buffer
	enc *json.Encoder
}

func newIndenter(prefix string) *indenter {
	i := &indenter{}
	i.enc = json.NewEncoder(&i.buf)
	i.enc.SetEscapeHTML(false)
	i.enc.SetIndent(prefix, "  ")
	return i
}

// Marshal is json.Marshal for a MarshalJSON of what WriteJSON writes: json.Marshal itself
// escapes &, < and > in it, which stays.
func Marshal(v any) ([]byte, error) { return newIndenter("").marshal(v) }

// marshal gives bytes that the next call overwrites.
func (i *indenter) marshal(v any) ([]byte, error) {
	i.buf.Reset()
	err := i.enc.Encode(v)
	out := bytes.TrimSuffix(i.buf.Bytes(), []byte("\n"))
	if bytes.IndexFunc(out, hidden) < 0 {
		return out, err
	}
	var clean []byte
	for _, r := range string(out) {
		switch {
		case !hidden(r):
			clean = utf8.AppendRune(clean, r)
		case r < 0x10000:
			clean = fmt.Appendf(clean, `\u%04x`, r)
		default:
			hi, lo := utf16.EncodeRune(r)
			clean = fmt.Appendf(clean, `\u%04x\u%04x`, hi, lo)
		}
	}
	return clean, err
}

// hidden reports whether a character does not show as itself that encoding/json
// leaves as it is: DEL, and those beyond ASCII. In JSON they occur in strings
// only.
func hidden(r rune) bool { return r >= 0x7f && !printable(r) }

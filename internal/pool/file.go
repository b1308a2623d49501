package pool

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"trustpool/internal/report"
)

// fileSchema is the schema of a pool file.
const fileSchema = "trustpool.pool/1"

// Limits of a pool file.
const (
	maxSize    = 256 << 20 // bytes
	maxEntries = 1_000_000
)

// WriteJSON writes the pool as Read reads it, always the same bytes for the
// same pool. An entry that Read would refuse is an error.
func (p *Pool) WriteJSON(w io.Writer) error {
	for i := range p.Entries {
		if err := p.Entries[i].check(); err != nil {
			return fmt.Errorf("pool entry %d: %w", i+1, err)
		}
	}
	head := struct {
		Schema   string `json:"schema"`
		Platform string `json:"platform"`
	}{fileSchema, p.Platform}
	return report.WriteJSON(w, head, report.List("certificates", p.Entries, func(e Entry) Entry {
		e.NotBefore, e.NotAfter = e.NotBefore.UTC(), e.NotAfter.UTC()
		return e
	}))
}

// Read reads a pool file: one JSON document
//
//	{"schema": "trustpool.pool/1", "platform": "asa", "certificates": [Entry…]}
//
// of a platform that check accepts. It refuses unknown fields, anything after the
// document, entries that could never be matched, and more than maxSize or
// maxEntries.
func Read(r io.Reader, check func(platform string) error) (*Pool, error) {
	return fileLimits{maxSize, maxEntries}.read(r, check)
}

// fileLimits are the limits of a pool file; tests have smaller ones.
type fileLimits struct {
	size    int64
	entries int
}

func (l fileLimits) read(r io.Reader, check func(platform string) error) (*Pool, error) {
	in := &io.LimitedReader{R: filler{r}, N: l.size + 1}
	p, err := readFile(in, l.entries)
	if in.N == 0 {
		err = fmt.Errorf("more than %d bytes", l.size)
	}
	if err == nil {
		err = check(p.Platform)
	}
	if err != nil {
		return nil, fmt.Errorf("not a pool file: %w", err)
	}
	return p, nil
}

func readFile(r io.Reader, limit int) (*Pool, error) {
	dec := json.NewDecoder(r)
	dec.DisallowUnknownFields()
	if err := expect(dec, json.Delim('{')); err != nil {
		return nil, err
	}
	p := &Pool{}
	var schema string
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return nil, syntax(dec, err)
		}
		field, _ := token.(string) // the decoder takes nothing else here
		if seen[field] {
			return nil, fmt.Errorf("offset %d: field %.80q appears twice", dec.InputOffset(), field)
		}
		seen[field] = true
		switch field {
		case "schema":
			err = syntax(dec, dec.Decode(&schema))
		case "platform":
			err = syntax(dec, dec.Decode(&p.Platform))
		case "certificates":
			err = p.readEntries(dec, limit)
		default:
			err = fmt.Errorf("offset %d: unknown field %.80q", dec.InputOffset(), field)
		}
		if err != nil {
			return nil, err
		}
	}
	if err := expect(dec, json.Delim('}')); err != nil {
		return nil, err
	}
	switch _, err := dec.Token(); {
	case err == nil:
		return nil, fmt.Errorf("offset %d: something follows the document", dec.InputOffset())
	case !errors.Is(err, io.EOF):
		return nil, syntax(dec, err)
	case schema != fileSchema:
		return nil, fmt.Errorf("schema %.80q is not %q", schema, fileSchema)
	case !seen["certificates"]:
		return nil, errors.New("no field certificates")
	}
	return p, nil
}

func (p *Pool) readEntries(dec *json.Decoder, limit int) error {
	if err := expect(dec, json.Delim('[')); err != nil {
		return err
	}
	for dec.More() {
		if len(p.Entries) == limit {
			return fmt.Errorf("more than %d certificates", limit)
		}
		var e Entry
		err := syntax(dec, dec.Decode(&e))
		if err == nil {
			err = e.check()
		}
		if err != nil {
			return fmt.Errorf("entry %d: %w", len(p.Entries)+1, err)
		}
		e.NotBefore, e.NotAfter = e.NotBefore.UTC(), e.NotAfter.UTC()
		if s := e.Shown; s != nil && len(s.Issuer) == 0 {
			s.Issuer = nil // as it is written
		}
		if s := e.Shown; s != nil && len(s.Subject) == 0 {
			s.Subject = nil
		}
		p.Entries = append(p.Entries, e)
	}
	return expect(dec, json.Delim(']'))
}

// expect takes one delimiter.
func expect(dec *json.Decoder, want json.Delim) error {
	token, err := dec.Token()
	if err != nil {
		return syntax(dec, err)
	}
	if token != want {
		return fmt.Errorf("offset %d: %v instead of %v", dec.InputOffset(), token, want)
	}
	return nil
}

// syntax says where the decoder stopped.
func syntax(dec *json.Decoder, err error) error {
	if err == nil {
		return nil
	}
	if errors.Is(err, io.EOF) {
		err = io.ErrUnexpectedEOF
	}
	return fmt.Errorf("offset %d: %w", dec.InputOffset(), err)
}

// A filler fills what it is given: json.Decoder looks at all white space again after
// every read.
type filler struct{ io.Reader }

func (f filler) Read(b []byte) (int, error) {
	n, err := io.ReadFull(f.Reader, b)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = io.EOF
	}
	return n, err
}

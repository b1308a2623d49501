package pkitest

import (
	"bytes"
	"cmp"
	"encoding/pem"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// A Vector is one message and how a verifier must judge it.
type Vector struct {
	Name      string    // of the file, without .txt
	Expect    string    // "verified", "malformed", or the reason of the refusal
	About     string    // one sentence, with the section of the RFC
	Root      string    // the only anchor: a name of PKI.Roots
	SHA1Links bool      // whether SHA-1 links are tolerated under the anchor
	At        time.Time // when the message is judged
	Bundle    string    // if verified: the name that the signature covers, perhaps none
	Version   string    // and the version
	Message   []byte
}

// Encode returns the vector as a file: a header of `key: value` lines, an empty line, a PEM block.
func (v Vector) Encode() []byte {
	var out bytes.Buffer
	fmt.Fprintf(&out, "expect: %s\nabout: %s\nroot: %s\n", v.Expect, v.About, v.Root)
	if v.SHA1Links {
		out.WriteString("sha1-links: true\n")
	}
	fmt.Fprintf(&out, "at: %s\n", v.At.Format(time.DateOnly))
	if v.Bundle != "" {
		fmt.Fprintf(&out, "bundle: %s\n", v.Bundle)
	}
	if v.Version != "" {
		fmt.Fprintf(&out, "version: %s\n", v.Version)
	}
	out.WriteByte('\n')
	out.Write(MessagePEM(v.Message))
	return out.Bytes()
}

// ParseVector reads what Encode writes; the name is the caller's to give.
func ParseVector(name string, file []byte) (Vector, error) {
	v := Vector{Name: name}
	header, body, ok := strings.Cut(string(file), "\n\n")
	if !ok {
		return Vector{}, errors.New("no empty line after the header")
	}
	var at, links string
	fields := map[string]*string{"expect": &v.Expect, "about": &v.About, "root": &v.Root, "sha1-links": &links, "at": &at, "bundle": &v.Bundle, "version": &v.Version}
	for line := range strings.SplitSeq(header, "\n") {
		key, value, _ := strings.Cut(line, ": ")
		if fields[key] == nil {
			return Vector{}, fmt.Errorf("unknown header line %q", line)
		}
		*fields[key] = value
	}
	v.SHA1Links = links == "true"
	var err error
	if v.At, err = time.Parse(time.DateOnly, at); err != nil {
		return Vector{}, err
	}
	block, rest := pem.Decode([]byte(body))
	if block == nil || block.Type != "PKCS7" || len(rest) > 0 {
		return Vector{}, errors.New("the body is not one PKCS7 block")
	}
	v.Message = block.Bytes
	return v, nil
}

// ReadVectors reads every vector of a directory, by name.
func ReadVectors(dir string) ([]Vector, error) {
	paths, err := filepath.Glob(filepath.Join(dir, "*.txt"))
	if err != nil {
		return nil, err
	}
	if len(paths) == 0 {
		return nil, fmt.Errorf("no vectors in %s", dir)
	}
	var vectors []Vector
	for _, path := range paths {
		file, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		v, err := ParseVector(strings.TrimSuffix(filepath.Base(path), ".txt"), file)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		vectors = append(vectors, v)
	}
	slices.SortFunc(vectors, func(a, b Vector) int { return cmp.Compare(a.Name, b.Name) })
	return vectors, nil
}

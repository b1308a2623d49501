package recipe

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"trustpool/internal/report"
)

// LockSchema is the value of the lock's field schema.
const LockSchema = "trustpool.lock/1"

// maxLockSize is how many bytes a lock may have; one of 100,000 certificates has
// about 25 million.
const maxLockSize = 256 << 20

// A Lock is what a build came to: every certificate of the bundle, in its order.
// It holds no time and no path, so that two builds of the same sources have the
// same lock.
type Lock struct {
	Schema       string      `json:"schema"`
	Name         string      `json:"name"`
	Version      string      `json:"version"`
	Certificates []LockEntry `json:"certificates"`
}

// A LockEntry is one certificate of a Lock.
type LockEntry struct {
	SHA256  string   `json:"sha256"`
	Subject string   `json:"subject"` // as printed, control characters escaped
	Sources []string `json:"sources"`
}

// Lock is the lock of what was selected.
func (r *Selection) Lock(recipe *Recipe) *Lock {
	l := &Lock{Schema: LockSchema, Name: recipe.Name, Version: recipe.Version, Certificates: make([]LockEntry, 0, len(r.Entries))}
	for _, e := range r.Entries {
		l.Certificates = append(l.Certificates, LockEntry{
			hex.EncodeToString(e.Certificate.SHA256[:]), report.Printable(e.Certificate.Subject.String()), e.Sources,
		})
	}
	return l
}

// ParseLock reads the JSON of a lock.
func ParseLock(data []byte) (*Lock, error) {
	if len(data) > maxLockSize {
		return nil, fmt.Errorf("not a lock: more than %d bytes", maxLockSize)
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.DisallowUnknownFields()
	var l Lock
	if err := dec.Decode(&l); err != nil {
		return nil, fmt.Errorf("not a lock: %w", err)
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("not a lock: something follows it")
	}
	if l.Schema != LockSchema {
		return nil, fmt.Errorf("not a lock: its schema is %q, not %s", l.Schema, LockSchema)
	}
	return &l, nil
}

// Differences say how a new lock differs from this one, a line each, safe to
// print; none if they are the same.
func (l *Lock) Differences(now *Lock) []string {
	var out []string
	differ := func(format string, args ...any) { out = append(out, report.Printable(fmt.Sprintf(format, args...))) }
	if l.Name != now.Name || l.Version != now.Version {
		differ("called %q version %q, now %q version %q", l.Name, l.Version, now.Name, now.Version)
	}
	before, after := l.index(), now.index()
	for _, e := range now.Certificates {
		if _, ok := before[e.SHA256]; !ok {
			differ("added %s %s", e.SHA256, e.Subject)
		}
	}
	reordered, last := false, -1
	for _, e := range l.Certificates {
		i, ok := after[e.SHA256]
		if !ok {
			differ("removed %s %s", e.SHA256, e.Subject)
			continue
		}
		reordered = reordered || i < last
		last = i
		if n := now.Certificates[i]; !slices.Equal(e.Sources, n.Sources) {
			differ("from other sources %s %s: %s, now %s", e.SHA256, n.Subject, strings.Join(e.Sources, ", "), strings.Join(n.Sources, ", "))
		} else if e.Subject != n.Subject {
			differ("called otherwise %s: %s, now %s", e.SHA256, e.Subject, n.Subject)
		}
	}
	if reordered {
		differ("in another order")
	}
	if len(before) != len(l.Certificates) {
		differ("a certificate that is twice in the old lock")
	}
	return out
}

func (l *Lock) index() map[string]int {
	out := make(map[string]int, len(l.Certificates))
	for i, e := range l.Certificates {
		out[e.SHA256] = i
	}
	return out
}

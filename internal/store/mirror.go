package store

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// MirrorOptions say how a source is fetched, besides what Publish needs.
type MirrorOptions struct {
	PublishOptions // Name empty stands for the name of the file in the URL; Kind and From are not looked at
	Fetch          fetch.Options
	// Tries is how often a source is asked that fails as networks do. Zero stands
	// for DefaultTries.
	Tries int
	// Sleep waits between the tries, and returns early, with an error, when ctx
	// ends. Jitter gives numbers in [0, 1), by which each wait is longer, so that
	// many mirrors do not come at once. Both must be set.
	Sleep  func(ctx context.Context, d time.Duration) error
	Jitter func() float64
}

// DefaultTries is how often a source is asked.
const DefaultTries = 4

// firstPause is before the second try, lengthened by up to as much again; each
// further one is pauseFactor times as long.
const (
	firstPause  = 2 * time.Second
	pauseFactor = 4
)

// A Mirroring is what one look at a source led to.
type Mirroring struct {
	From        string // without credentials
	Tries       int    // how often the source was asked
	NotModified bool   // the source said so, and nothing was transferred
	*Publication
}

// Mirror fetches a bundle and publishes it, if the gate lets it pass. The error is
// a *RefusedError where it does not, also where nothing is new: then the Mirroring
// is given too. Any other error says that the source could not be had, or that it
// is no bundle. What is current is never touched by a failure.
//
// The store remembers what the source called the bytes that are current, so that
// they are not transferred again (RFC 9110 section 13.1).
func (s *Store) Mirror(ctx context.Context, from string, o MirrorOptions) (*Mirroring, error) {
	if o.Sleep == nil || o.Jitter == nil {
		return nil, errors.New("store: nothing to wait with")
	}
	m := &Mirroring{From: fetch.Mask(from)}
	u, err := url.Parse(m.From)
	if err != nil || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("%s: not an http or https URL to mirror", m.From)
	}
	if o.Name == "" {
		o.Name = NameOf(&bundle.Bundle{}, u.Path)
		if err := CheckName(o.Name); err != nil {
			return nil, fmt.Errorf("no name is given, and %w", err)
		}
	}
	o.From, o.Kind = m.From, Mirrored
	o.PublishOptions, err = o.PublishOptions.withDefaults()
	if err != nil {
		return nil, err
	}

	current, err := s.Current(ctx, o.Name)
	if err != nil && !errors.Is(err, ErrNotFound) {
		return nil, err
	}
	state := s.mirrorState(ctx, o.Name)
	if current != nil && state.SHA256 == current.SHA256 && state.URL == m.From {
		if _, err := s.Read(ctx, *current); err == nil { // otherwise the bytes are needed, to mend those
			o.Fetch.Since = fetch.Validators{ETag: state.ETag, LastModified: state.LastModified}
		}
	}
	f, err := m.fetch(ctx, from, o)
	if errors.Is(err, fetch.ErrNotModified) {
		m.NotModified = true
		m.Publication = &Publication{
			Release:  Release{Name: o.Name, Number: current.Number + 1, Kind: Mirrored, Contents: current.Contents, From: m.From},
			Previous: current,
			DryRun:   o.DryRun,
			Refusals: []Refusal{{GateUnchanged, "the source still has what is current since " + stamp(current.Published)}},
		}
		return m, &RefusedError{m.Publication}
	}
	if err != nil {
		return nil, err
	}
	m.Publication, err = s.Publish(ctx, f.Data, o.PublishOptions)
	refused, isRefused := errors.AsType[*RefusedError](err)
	if isRefused {
		m.Publication = refused.Publication
	} else if err != nil {
		return nil, fmt.Errorf("%s: %w", m.From, err)
	}
	if !o.DryRun && (!isRefused || refused.Unchanged()) {
		next := mirrorState{mirrorSchema, m.From, m.Release.SHA256, f.ETag, f.LastModified}
		if next != state {
			s.remember(ctx, o.Name, next, m.Publication)
		}
	}
	return m, err
}

// fetch asks the source until it answers, with longer and longer pauses.
func (m *Mirroring) fetch(ctx context.Context, from string, o MirrorOptions) (fetch.File, error) {
	tries := o.Tries
	if tries <= 0 {
		tries = DefaultTries
	}
	o.Fetch.Sniff = bundle.Sniff
	for pause := firstPause; ; pause *= pauseFactor {
		m.Tries++
		files, err := fetch.Read(ctx, from, o.Fetch)
		if err == nil {
			return files[0], nil
		}
		if m.Tries == tries || !passing(err) || ctx.Err() != nil {
			return fetch.File{}, err
		}
		if err := o.Sleep(ctx, pause+time.Duration(o.Jitter()*float64(pause))); err != nil {
			return fetch.File{}, fmt.Errorf("%s: %w", m.From, err)
		}
	}
}

// passing reports whether an error may be gone at the next try.
func passing(err error) bool {
	if status, ok := errors.AsType[*fetch.StatusError](err); ok {
		switch status.Code {
		case 408, 425, 429: // Request Timeout, Too Early, Too Many Requests
			return true
		}
		return status.Code >= 500
	}
	_, large := errors.AsType[*fetch.TooLargeError](err)
	_, other := errors.AsType[*bundle.SyntaxError](err) // what came is something else
	return !large && !other && !errors.Is(err, fetch.ErrNotModified) && !errors.Is(err, fetch.ErrOffline)
}

const (
	mirrorSchema   = "trustpool.mirrored/1"
	maxMirrorState = 64 << 10 // bytes
)

// A mirrorState is mirror/NAME: what a source called the bytes that it gave.
type mirrorState struct {
	Schema       string `json:"schema"`
	URL          string `json:"url"` // without credentials
	SHA256       string `json:"sha256"`
	ETag         string `json:"etag"` // empty where the source gives none, as the next
	LastModified string `json:"last_modified"`
}

// mirrorState reads what was remembered. Whatever is wrong with it, the source can
// be asked without.
func (s *Store) mirrorState(ctx context.Context, name string) (state mirrorState) {
	data, _, err := s.backend.Get(ctx, mirrorPrefix+name, maxMirrorState)
	if err != nil {
		return mirrorState{}
	}
	return parseMirrorState(data)
}

func parseMirrorState(data []byte) (state mirrorState) {
	if json.Unmarshal(data, &state) != nil || state.Schema != mirrorSchema || !sendable(state.ETag) || !sendable(state.LastModified) {
		return mirrorState{}
	}
	return state
}

// sendable reports whether a validator can be in a header again.
func sendable(v string) bool {
	return len(v) <= fetch.MaxValidator && !strings.ContainsFunc(v, func(r rune) bool { return r < ' ' && r != '\t' || r == 0x7f })
}

// remember keeps the source's validators. Without them the next look transfers
// the bytes again, which is no reason to fail.
func (s *Store) remember(ctx context.Context, name string, state mirrorState, p *Publication) {
	var out bytes.Buffer
	err := report.WriteJSON(&out, state)
	if err == nil {
		_, err = s.backend.Put(ctx, mirrorPrefix+name, out.Bytes(), Condition{})
	}
	if err != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("the next look at the source will transfer it again: %v", err))
	}
}

// WriteJSON writes the mirroring as one document, "trustpool.mirror/1". store is
// what the user called it.
func (m *Mirroring) WriteJSON(w io.Writer, store string) error {
	return report.WriteJSON(w, struct {
		Schema      string `json:"schema"`
		Store       string `json:"store"`
		From        string `json:"from"`
		Tries       int    `json:"tries"`
		NotModified bool   `json:"not_modified"`
		publicationReport
	}{"trustpool.mirror/1", store, m.From, m.Tries, m.NotModified, m.report()})
}

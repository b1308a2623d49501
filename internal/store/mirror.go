package store

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
)

// MirrorOptions say how a source is fetched, besides what Publish needs.
type MirrorOptions struct {
	PublishOptions // Name empty means the name of the file in the URL; Kind and From are not looked at
	Fetch          fetch.Options
	// Tries is how often a source is asked that fails as networks do. Zero means
	// DefaultTries.
	Tries int
	// Sleep waits between the tries, and returns early, with an error, when ctx
	// ends. Jitter gives numbers in [0, 1), by which each wait is longer, so that
	// many mirrors do not come at once. Both must be set.
	Sleep  func(ctx context.Context, d time.Duration) error
	Jitter func() float64
	// Seen is what a look leaves for the next at the same source. nil for a single
	// look: it transfers and compares the bytes, whatever the server says of them.
	Seen *Seen
}

// A Seen is which version of its file a source had at the last look.
type Seen struct {
	etag, sha256 string
	compared     time.Time // when the bytes were transferred
}

// fresh reports whether the source can be believed that nothing has changed.
func (s *Seen) fresh(now time.Time) bool {
	age := now.Sub(s.compared)
	return age >= 0 && age < compareEvery
}

// compareEvery is how long a source is believed that says that nothing has changed.
// Servers make an ETag of time and size, so that it misses some changes.
const compareEvery = 24 * time.Hour

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
	From        string // without user and query
	Tries       int    // how often the source was asked
	NotModified bool   // the source said so, and nothing was transferred
	*Publication
	Feed    *FeedTaken    // with TakeFeed; nil without
	Archive []ArchivedOne // with FillArchive
}

// Mirror fetches a bundle and publishes it, if the gate lets it pass. The error is
// a *RefusedError if it does not, also if nothing is new: then the Mirroring
// is given too. Any other error says that the source could not be had, or that it
// is not a bundle. What is current is never touched by a failure.
//
// With o.Seen the source is asked whether it still has what it had at the last look
// (RFC 9110 section 13.1.2), by a strong ETag alone, and at least once a day the
// bytes are transferred and compared.
//
// That it succeeded is left in the store, for Mirrored.
func (s *Store) Mirror(ctx context.Context, from string, o MirrorOptions) (*Mirroring, error) {
	m, err := s.mirror(ctx, from, o)
	if m == nil || m.Publication == nil || m.DryRun || !succeeded(err) {
		return m, err
	}
	if failed := s.markMirrored(ctx, m.Release.Name, m.From, o.Now); failed != nil {
		return m, failed
	}
	return m, err
}

// mirror is Mirror without the mark.
func (s *Store) mirror(ctx context.Context, from string, o MirrorOptions) (*Mirroring, error) {
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
	if seen := o.Seen; seen != nil && current != nil && seen.sha256 == current.SHA256 && seen.fresh(o.Now) {
		if _, err := s.Read(ctx, *current); err == nil { // otherwise the bytes are needed, to mend those
			o.Fetch.ETag = seen.etag
		}
	}
	f, err := o.get(ctx, from, bundle.Sniff, &m.Tries)
	if errors.Is(err, fetch.ErrNotModified) {
		m.NotModified = true
		m.Publication = &Publication{
			Release:  Release{Name: o.Name, Number: current.Number + 1, Kind: Mirrored, Contents: current.Contents, From: m.From},
			Previous: current,
			DryRun:   o.DryRun,
			Refusals: []Refusal{{GateUnchanged, "the source still has what is current since " + report.Stamp(current.Published)}},
		}
		return m, &RefusedError{m.Publication}
	}
	if err != nil {
		return nil, err
	}
	m.Publication, err = s.Publish(ctx, f.Data, o.PublishOptions)
	refused, isRefused := errors.AsType[*RefusedError](err)
	if err != nil && !isRefused {
		return nil, fmt.Errorf("%s: %w", m.From, err)
	}
	if o.Seen != nil && (!isRefused || refused.Unchanged()) { // otherwise it says nothing of what is current
		*o.Seen = Seen{}
		if strings.HasPrefix(f.ETag, `"`) { // a weak one (W/) is not of the very bytes
			*o.Seen = Seen{f.ETag, m.Release.SHA256, o.Now}
		}
	}
	return m, err
}

// get asks a URL until it answers, with longer and longer pauses. tries counts how often.
func (o *MirrorOptions) get(ctx context.Context, from string, sniff func([]byte) (int64, error), tries *int) (fetch.File, error) {
	most := o.Tries
	if most <= 0 {
		most = DefaultTries
	}
	options := o.Fetch
	options.Sniff = sniff
	for pause := firstPause; ; pause *= pauseFactor {
		*tries++
		files, err := fetch.Read(ctx, from, options)
		if err == nil {
			return files[0], nil
		}
		if *tries == most || !passing(err) || ctx.Err() != nil {
			return fetch.File{}, err
		}
		if err := o.Sleep(ctx, pause+time.Duration(o.Jitter()*float64(pause))); err != nil {
			return fetch.File{}, fmt.Errorf("%s: %w", fetch.Mask(from), err)
		}
	}
}

// passing reports whether an error may be gone at the next try.
func passing(err error) bool {
	if status, ok := errors.AsType[*fetch.StatusError](err); ok {
		return status.Code >= 500 || slices.Contains([]int{408, 425, 429}, status.Code) // Request Timeout, Too Early, Too Many Requests
	}
	_, large := errors.AsType[*fetch.TooLargeError](err)
	_, other := errors.AsType[*bundle.SyntaxError](err) // what came is something else
	return !large && !other && !errors.Is(err, fetch.ErrNotModified) && !errors.Is(err, fetch.ErrOffline)
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
		Feed    *FeedTaken    `json:"feed"`
		Archive []ArchivedOne `json:"archive"`
	}{"trustpool.mirror/1", store, m.From, m.Tries, m.NotModified, m.report(), m.Feed, append([]ArchivedOne{}, m.Archive...)})
}

// WriteText writes the mirroring for a person.
func (m *Mirroring) WriteText(w io.Writer) error {
	if err := m.Publication.WriteText(w); err != nil {
		return err
	}
	out := bufio.NewWriter(w)
	if f := m.Feed; f != nil {
		what := "no version"
		if f.Version != nil {
			what = "version " + *f.Version
		}
		fmt.Fprintf(out, "  feed          %s, %s, advice that nothing signs\n", report.Printable(what), report.Count(f.Marked, "certificate")+" marked for removal")
		if len(f.Newer) > 0 {
			fmt.Fprintf(out, "  newer         %s, by the feed\n", report.Printable(strings.Join(f.Newer, ", ")))
		}
		for _, c := range f.Contradictions {
			fmt.Fprintf(out, "  contradiction %s\n", c)
		}
	}
	known := 0
	for _, a := range m.Archive {
		if a.Outcome == ArchiveKnown {
			known++
			continue
		}
		detail := a.Detail
		if detail != "" {
			detail = ": " + detail
		}
		fmt.Fprintf(out, "  archive       %s %s%s\n", report.Printable(a.Version), a.Outcome, report.Printable(detail))
	}
	if known > 0 {
		fmt.Fprintf(out, "  archive       %s there already\n", report.Count(known, "version"))
	}
	return out.Flush()
}

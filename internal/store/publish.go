package store

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// PublishOptions say what is trusted, when, and what may pass.
type PublishOptions struct {
	// Name is that under which the bundle is served. Empty means NameOf the
	// bundle and From.
	Name string
	// Anchors are what the signature must lead to, with certificates valid At. Now
	// is the time that the history records. All three must be set.
	Anchors []roots.Anchor
	At, Now time.Time

	Kind  Kind   // empty means Published
	From  string // where the bytes come from: a file, or a URL without user and query
	Allow []Gate // need not let it pass; GateSignature is an error here
	// MinShare is the share of the current certificates, in percent up to 100, that
	// the bundle must have. Zero means DefaultMinShare.
	MinShare int
	DryRun   bool // write nothing
	Limits   bundle.Limits
}

func (o PublishOptions) withDefaults() (PublishOptions, error) {
	if o.Now.IsZero() {
		return o, errors.New("store: no time of publication")
	}
	if slices.Contains(o.Allow, GateSignature) {
		return o, errors.New("store: a signature that is not verified cannot be allowed: nothing would serve the bundle")
	}
	if o.MinShare < 0 || o.MinShare > 100 {
		return o, fmt.Errorf("store: a share of %d percent", o.MinShare)
	}
	o.MinShare = cmp.Or(o.MinShare, DefaultMinShare)
	o.Kind = cmp.Or(o.Kind, Published)
	o.Now = o.Now.UTC()
	o.From = strings.ToValidUTF8(o.From, "\ufffd")
	return o, nil
}

// A Publication is what was published, or would be, or why it was not.
type Publication struct {
	Release  Release      // its claims and anchor are empty if it is not verified
	Previous *Release     // that was current; nil for none
	Diff     *bundle.Diff // from the previous; nil if there is none, or its bytes are damaged
	Notes    []string     // what else to know, in words
	DryRun   bool
	Refusals []Refusal // empty but in a RefusedError
}

// maxTries is how often a publication faces the gate when others publish at the
// same time.
const maxTries = 5

// NameOf is the name under which a bundle is customarily served: ios_core, ios or
// ios_union for the signed names of Cisco's bundles, else the name of its file
// without .p7b. It does not look at the signature.
func NameOf(b *bundle.Bundle, file string) string {
	switch b.Name {
	case "Trusted Core Bundle":
		return "ios_core"
	case "Trusted Intersect Bundle", "Trusted External Bundle":
		return "ios"
	case "Trusted Union Bundle":
		return "ios_union"
	}
	file, _, _ = strings.Cut(file, "?") // of a URL
	base := path.Base(strings.ReplaceAll(file, `\`, "/"))
	return strings.ToLower(strings.TrimSuffix(base, fileSuffix))
}

// Publish makes data the current release of its name, if the gate lets it pass: of
// a message in PEM armour or bare base64 the DER within, which devices read.
// The error is a *RefusedError if it does not, and the publication has every refusal.
func (s *Store) Publish(ctx context.Context, data []byte, o PublishOptions) (*Publication, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	b, err := o.Limits.Parse(data)
	if err != nil {
		return nil, err
	}
	if o.Name == "" {
		o.Name = NameOf(b, o.From)
		if err := CheckName(o.Name); err != nil {
			return nil, fmt.Errorf("no name is given, and %w", err)
		}
	}
	return s.publish(ctx, b, o)
}

// publish brings a bundle before the gate, and once more if somebody else
// published meanwhile.
func (s *Store) publish(ctx context.Context, b *bundle.Bundle, o PublishOptions) (*Publication, error) {
	b, wrapped := b.Unwrap()
	contents, notVerified, err := examine(b, o)
	if err != nil {
		return nil, err
	}
	for try := 1; ; try++ {
		p, err := s.tryPublish(ctx, b, contents, notVerified, o)
		if wrapped && p != nil {
			p.Notes = append(p.Notes, "the file is text around DER, and what is published is the DER within: devices read no text")
		}
		if !errors.Is(err, ErrConflict) || try == maxTries || o.Kind == RolledBack { // which meant what was current
			return p, err
		}
	}
}

// examine verifies the bundle. notVerified says why it is not.
func examine(b *bundle.Bundle, o PublishOptions) (c Contents, notVerified, err error) {
	sum := b.SHA256()
	c = Contents{SHA256: hex.EncodeToString(sum[:]), Size: int64(len(b.Raw)), Certificates: len(b.Certificates)}
	for _, cert := range b.Certificates {
		if cert.Err != nil {
			c.Undecodable++
		}
	}
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: o.Anchors, At: o.At})
	if _, ok := errors.AsType[*signing.VerifyError](err); ok {
		return c, err, nil
	}
	if err != nil {
		return c, nil, err
	}
	c.SignedName, c.Version = v.Name, v.Version
	if v.SigningTime.Valid {
		c.SigningTime = new(v.SigningTime.UTC())
	}
	c.Anchor = Anchor{v.Anchor.Name, hex.EncodeToString(v.Anchor.SHA256[:])}
	for _, signer := range v.Signers {
		c.Signed = append(c.Signed, hex.EncodeToString(signer.Signed[:]))
	}
	return c, nil, nil
}

func (s *Store) tryPublish(ctx context.Context, b *bundle.Bundle, c Contents, notVerified error, o PublishOptions) (*Publication, error) {
	state, tag, err := s.StateSince(ctx, o.Name, "")
	condition := Condition{Tag: tag}
	var history []Release
	switch {
	case err == nil:
		history = state.Releases
	case errors.Is(err, ErrNotFound):
		condition = Condition{Absent: true}
	default:
		return nil, err
	}
	p := &Publication{
		Release:  Release{Name: o.Name, Kind: o.Kind, Contents: c, Published: o.Now, Allowed: []Gate{}, From: o.From},
		Previous: state.Current(),
		DryRun:   o.DryRun,
	}
	if err := s.identify(ctx, history, o.Limits); err != nil {
		return nil, err
	}
	old, damaged, err := s.previous(ctx, p, o.Limits)
	if err != nil {
		return nil, err
	}
	counts := [2]int{distinct(b), 0}
	if old != nil {
		counts[1] = distinct(old)
		p.Diff = bundle.Compare(old, b)
	} else if p.Previous != nil {
		counts[1] = p.Previous.Certificates
	}
	for _, r := range judge(&p.Release, notVerified, history, counts, o.MinShare) {
		if slices.Contains(o.Allow, r.Gate) {
			p.Release.Allowed = append(p.Release.Allowed, r.Gate)
		} else {
			p.Refusals = append(p.Refusals, r)
		}
	}
	next := state.with(p.Release)
	p.Release.Number = next.Current().Number
	if p.Refusals != nil {
		p.Release.Published = time.Time{}
		refused := &RefusedError{p}
		switch {
		case !damaged || !refused.Unchanged():
		case p.Release.SHA256 != p.Previous.SHA256:
			p.Notes = append(p.Notes, "the bytes of the current release are damaged or gone: publish that very file, or this one with --allow-unchanged")
		case !o.DryRun:
			if err := s.archive(ctx, b, p); err != nil {
				return nil, err
			}
			p.Notes = append(p.Notes, "the bytes of the current release were damaged or gone; they are whole again")
		}
		return p, refused
	}
	if o.DryRun {
		return p, nil
	}
	if err := s.archive(ctx, b, p); err != nil {
		return nil, err
	}
	return p, s.point(ctx, next, condition)
}

// previous reads the bundle that is current, nil for none. That its bytes are
// damaged or gone must not keep a good bundle out: then there is a note.
func (s *Store) previous(ctx context.Context, p *Publication, limits bundle.Limits) (old *bundle.Bundle, damaged bool, err error) {
	if p.Previous == nil {
		return nil, false, nil
	}
	data, err := s.Read(ctx, *p.Previous)
	if damaged = isDamaged(err); err != nil && !damaged {
		return nil, false, err
	}
	if err == nil {
		old, err = limits.Parse(data)
	}
	if err != nil {
		p.Notes = append(p.Notes, fmt.Sprintf("the current release cannot be compared: %v", err))
	}
	return old, damaged, nil
}

// isDamaged reports whether an error of Read says that the bytes are damaged or gone.
func isDamaged(err error) bool {
	_, damaged := errors.AsType[*DamagedError](err)
	return damaged || errors.Is(err, ErrNotFound)
}

// identify finds out what was signed of the releases that the gate compares with,
// if the history does not say so yet: the current one, and those that a rollback
// took out of service. A release with bytes that are damaged or gone keeps only
// its SHA-256 for an identity.
func (s *Store) identify(ctx context.Context, history []Release, limits bundle.Limits) error {
	wanted := make([]bool, len(history))
	for i := range history {
		for back := range tookOut(history, i) {
			wanted[i-1-back] = true
		}
	}
	for i := range history {
		r := &history[i]
		if len(r.Signed) > 0 || !wanted[i] && i < len(history)-1 {
			continue
		}
		data, err := s.Read(ctx, *r)
		if isDamaged(err) {
			continue
		}
		if err != nil {
			return err
		}
		b, err := limits.Parse(data)
		if err != nil || b.Message == nil {
			continue // nothing that the gate let pass
		}
		for _, signer := range b.Message.Signers {
			if signer.SignedAttrs != nil {
				sum := sha256.Sum256(signer.SignedBytes())
				r.Signed = append(r.Signed, hex.EncodeToString(sum[:]))
			}
		}
	}
	return nil
}

// archive writes the directory of a release: the bytes last but one, and last
// the statement that it is complete.
func (s *Store) archive(ctx context.Context, b *bundle.Bundle, p *Publication) error {
	r := &p.Release
	d := p.Diff
	if p.Previous == nil {
		d = bundle.Compare(&bundle.Bundle{}, b)
	}
	files, err := feed.SideFiles(r.File(), b.Raw, b, d)
	if err != nil {
		return err
	}
	statement, err := r.statement()
	if err != nil {
		return err
	}
	files = append(files, feed.File{Name: r.File(), Data: b.Raw}, feed.File{Name: releaseFile, Data: statement})
	for _, f := range files {
		key := r.key(f.Name)
		_, err := s.backend.Put(ctx, key, f.Data, Condition{Absent: true})
		if errors.Is(err, ErrConflict) { // these bytes were published before, or almost
			err = nil
			if f.Name == r.File() {
				err = s.mend(ctx, r, b.Raw)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// mend makes the bytes of an archived release those of its name again, if they
// were damaged.
func (s *Store) mend(ctx context.Context, r *Release, data []byte) error {
	key := r.key(r.File())
	there, _, err := s.backend.Get(ctx, key, MaxBundle)
	if _, damaged := errors.AsType[*DamagedError](err); err != nil && !damaged {
		return err
	}
	if err == nil && bytes.Equal(there, data) {
		return nil
	}
	if sum := tagOf(there); err == nil && strings.HasPrefix(sum, r.SHA256[:hashDigits]) {
		return fmt.Errorf("%s: another file with the same beginning of its SHA-256, %s, has this place", key, sum)
	}
	_, err = s.backend.Put(ctx, key, data, Condition{}) // whoever else mends it writes the same
	return err
}

// point makes the last release of a state current.
func (s *Store) point(ctx context.Context, next *State, c Condition) error {
	data, err := report.JSON(next)
	if err != nil {
		return err
	}
	if _, err := parseIndex(data, next.Name); err != nil { // what cannot be read is not written
		return fmt.Errorf("cannot be published: %w", err)
	}
	_, err = s.backend.Put(ctx, currentPrefix+next.Name, data, c)
	if !errors.Is(err, ErrConflict) {
		return err
	}
	// An answer that was lost on its way makes a bucket's client write twice: then
	// the other publisher is this one.
	if there, _, e := s.get(ctx, next.Name); e == nil && bytes.Equal(there, data) {
		return nil
	}
	return err
}

// releaseFile is written last into a directory of the archive. It says what the
// bytes are, not when they were published: that is in the history.
const releaseFile = "release.json"

func (r *Release) statement() ([]byte, error) {
	return report.JSON(struct {
		Schema string `json:"schema"`
		Name   string `json:"name"`
		contentsReport
	}{"trustpool.release/1", r.Name, r.Contents.report()})
}

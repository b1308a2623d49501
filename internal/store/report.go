package store

import (
	"bufio"
	"cmp"
	"fmt"
	"io"
	"slices"
	"strconv"
	"time"

	"trustpool/internal/report"
)

// A contentsReport is Contents in JSON; docs/formats.md has every field of it and
// of the other documents.
type contentsReport struct {
	SHA256       string     `json:"sha256"`
	Size         int64      `json:"size"`
	SignedName   *string    `json:"signed_name"`
	Version      *string    `json:"version"`
	SigningTime  *time.Time `json:"signing_time"`
	Certificates int        `json:"certificates"`
	Undecodable  int        `json:"undecodable"`
	Anchor       *Anchor    `json:"anchor"`
	Signed       []string   `json:"signed"`
}

func (c *Contents) report() contentsReport {
	r := contentsReport{c.SHA256, c.Size, report.Optional(c.SignedName), report.Optional(c.Version), c.SigningTime, c.Certificates, c.Undecodable, nil, append([]string{}, c.Signed...)}
	if c.Anchor != (Anchor{}) {
		r.Anchor = &c.Anchor
	}
	return r
}

type releaseReport struct {
	Name        string     `json:"name"`
	Number      int        `json:"number"`
	Kind        Kind       `json:"kind"`
	PublishedAt *time.Time `json:"published_at"`
	Allowed     []Gate     `json:"allowed"`
	From        *string    `json:"from"`
	contentsReport
}

func (r *Release) report() *releaseReport {
	if r == nil {
		return nil
	}
	out := releaseReport{r.Name, r.Number, r.Kind, nil, append([]Gate{}, r.Allowed...), report.Optional(r.From), r.Contents.report()}
	if !r.Published.IsZero() {
		out.PublishedAt = &r.Published
	}
	return &out
}

// An Outcome is what became of a publication.
type Outcome string

// The outcomes.
const (
	OutcomePublished Outcome = "published" // or would be, in a dry run
	OutcomeUnchanged Outcome = "unchanged" // the same is current
	OutcomeRefused   Outcome = "refused"
)

// Outcome is what became of it.
func (p *Publication) Outcome() Outcome {
	switch {
	case len(p.Refusals) == 0:
		return OutcomePublished
	case len(p.Refusals) == 1 && p.Refusals[0].Gate == GateUnchanged:
		return OutcomeUnchanged
	}
	return OutcomeRefused
}

type changeReport struct {
	Added    int `json:"added"`
	Removed  int `json:"removed"`
	Reissued int `json:"reissued"`
	Rekeyed  int `json:"rekeyed"`
}

type publicationReport struct {
	Outcome  Outcome        `json:"outcome"`
	DryRun   bool           `json:"dry_run"`
	Release  *releaseReport `json:"release"`
	Previous *releaseReport `json:"previous"`
	Change   *changeReport  `json:"change"`
	Notes    []string       `json:"notes"`
	Refusals []Refusal      `json:"refusals"`
}

func (p *Publication) report() publicationReport {
	r := publicationReport{
		Outcome: p.Outcome(), DryRun: p.DryRun, Release: p.Release.report(), Previous: p.Previous.report(),
		Notes: append([]string{}, p.Notes...), Refusals: append([]Refusal{}, p.Refusals...),
	}
	if d := p.Diff; d != nil {
		r.Change = &changeReport{len(d.Added), len(d.Removed), len(d.Reissued), len(d.Rekeyed)}
	}
	return r
}

// WriteJSON writes the publication, or the rollback, as one document,
// "trustpool.publish/1". store is what the user called it.
func (p *Publication) WriteJSON(w io.Writer, store string) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		Store  string `json:"store"`
		publicationReport
	}{"trustpool.publish/1", store, p.report()})
}

// WriteText writes the publication for a person.
func (p *Publication) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	r := &p.Release
	heading := map[Outcome]string{OutcomePublished: "published", OutcomeUnchanged: "unchanged", OutcomeRefused: "not published"}[p.Outcome()]
	before := "was"
	if p.Outcome() != OutcomePublished {
		before = "current is"
	} else if r.Kind == RolledBack {
		heading = "rolled back"
	}
	if p.DryRun {
		heading = "dry run: " + heading
	}
	if p.Outcome() != OutcomeUnchanged {
		heading = report.ScreenOf(w).Verdict(p.Outcome() == OutcomePublished, heading)
	}
	fmt.Fprintf(out, "%s: %s", heading, r.Name)
	switch p.Outcome() {
	case OutcomePublished:
		fmt.Fprintf(out, ", release %d\n", r.Number)
	case OutcomeUnchanged:
		fmt.Fprintf(out, ", %s\n", p.Refusals[0].Detail)
	default:
		fmt.Fprintln(out)
		for _, f := range p.Refusals {
			fmt.Fprintf(out, "  refused       %s: %s\n", f.Gate, report.Printable(f.Detail))
		}
	}
	row := func(what, now, was string) {
		if now == "" {
			return
		}
		if p.Previous != nil && was != "" && was != now {
			now += " (" + before + " " + was + ")"
		}
		fmt.Fprintf(out, "  %-12s  %s\n", what, report.Printable(now))
	}
	old := p.Previous
	if old == nil {
		old = &Release{}
	}
	row("name", r.SignedName, old.SignedName)
	row("version", r.Version, old.Version)
	if t := r.SigningTime; t != nil {
		row("signed", report.Stamp(*t), "")
	}
	row("SHA-256", r.SHA256, "")
	row("certificates", fmt.Sprint(r.Certificates), fmt.Sprint(old.Certificates))
	if d := p.Diff; d != nil && !d.Same() {
		row("change", fmt.Sprintf("%d added, %d removed; of those %d re-issued, %d re-keyed", len(d.Added), len(d.Removed), len(d.Reissued), len(d.Rekeyed)), "")
	}
	row("anchor", cmp.Or(r.Anchor.Name, r.Anchor.SHA256), "")
	row("allowed", report.Joined(r.Allowed), "")
	for _, n := range p.Notes {
		row("note", n, "")
	}
	return out.Flush()
}

// A History is every publication of one name, the oldest first, and the versions of
// the archive that were never current.
type History struct {
	Name     string    `json:"name"`
	Releases []Release `json:"releases"`
	Archived []Release `json:"archived"`
}

// A Listing is what was published in a store. Store is what the user called it.
type Listing struct {
	Store   string
	Bundles []History
}

// WriteJSON writes the listing as one document, "trustpool.history/1".
func (l Listing) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		Store  string `json:"store"`
	}{"trustpool.history/1", l.Store}, report.List("bundles", l.Bundles, report.Same[History]))
}

// WriteHashes writes the SHA-256 and the name of each publication, and nothing else.
func (l Listing) WriteHashes(w io.Writer) error {
	out := bufio.NewWriter(w)
	for _, h := range l.Bundles {
		for _, r := range slices.Concat(h.Archived, h.Releases) {
			fmt.Fprintf(out, "%s  %s\n", r.SHA256, h.Name)
		}
	}
	return out.Flush()
}

// WriteText writes the listing for a person, a line a publication.
func (l Listing) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := screen.Table(w, report.Column{Title: "name", Kind: report.Name}, report.Column{Title: "release"}, report.Column{}, report.Column{Title: "published"},
		report.Column{Title: "kind", Drop: 2}, report.Column{Title: "version"}, report.Column{Title: "certificates", Drop: 1},
		report.Column{Title: "SHA-256", Kind: report.Hash, Drop: 3}, report.Column{Title: "allowed", Kind: report.Prose})
	row := func(r Release, number, mark string) {
		out.Row(r.Name, number, mark, report.Stamp(r.Published), string(r.Kind), report.OrDash(report.Printable(r.Version)),
			strconv.Itoa(r.Certificates), r.SHA256[:hashDigits], report.OrDash(report.Joined(r.Allowed)))
	}
	for _, h := range l.Bundles {
		for _, r := range h.Archived {
			row(r, "-", "")
		}
		for i, r := range h.Releases {
			mark := ""
			if i == len(h.Releases)-1 {
				mark = screen.Paint(report.Good, "current")
			}
			row(r, strconv.Itoa(r.Number), mark)
		}
	}
	return out.Flush()
}

package kit

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"trustpool/internal/report"
	"trustpool/internal/store"
)

// ReportSchema is that of the report on a kit that was received.
const ReportSchema = "trustpool.receive/1"

// A Report is what became of a kit; docs/formats.md has every field.
type Report struct {
	Schema  string  `json:"schema"`
	File    string  `json:"file"`
	SHA256  string  `json:"sha256"`
	At      *string `json:"at"`
	Refused *Reason `json:"refused"`
	Detail  *string `json:"detail"`
	// Signature is "none", "not-judged" or "verified"; null if the kit is refused.
	Signature *string       `json:"signature"`
	Signer    *signerReport `json:"signer"`
	// Script and Readme say where verify.sh and README.txt are from; null if the
	// kit is refused.
	Script   *Origin        `json:"script"`
	Readme   *Origin        `json:"readme"`
	Program  *programReport `json:"program"` // null for none
	Time     *string        `json:"time"`
	Bundles  []bundleReport `json:"bundles"`
	Files    int            `json:"files"`
	Unpacked *string        `json:"unpacked"`
	Store    *string        `json:"store"`
	DryRun   bool           `json:"dry_run"` // for the caller to set: nothing was to be written
}

// A signerReport says who signed a kit.
type signerReport struct {
	Subject string   `json:"subject"`
	SHA256  string   `json:"sha256"`
	Anchor  anchorID `json:"anchor"`
}

// A programReport names the program that goes with a kit.
type programReport struct {
	File   string `json:"file"`
	Size   int64  `json:"size"`
	SHA256 string `json:"sha256"`
}

// A bundleReport is a bundle of a kit that was proved.
type bundleReport struct {
	File         string   `json:"file"`
	SHA256       string   `json:"sha256"`
	Name         string   `json:"name"`
	Version      string   `json:"version"`
	SigningTime  *string  `json:"signing_time"`
	Certificates int      `json:"certificates"`
	Anchor       anchorID `json:"anchor"`
	// Here is the newest bundle of the name that the receiver has.
	Here *hereReport `json:"here"`
	// Store is what became of it in a store.
	Store *storeReport `json:"store"`
}

// A hereReport names a bundle that the receiver has already.
type hereReport struct {
	File    string `json:"file"`
	Version string `json:"version"`
	Same    bool   `json:"same"` // it is the same file
}

// A storeReport is what became of a bundle in a store.
type storeReport struct {
	Name     string          `json:"name"` // under which it is served
	Outcome  store.Outcome   `json:"outcome"`
	Refusals []store.Refusal `json:"refusals"`
}

// Published adds what Publish gave to the report; where is what the user called
// the store.
func (r *Report) Published(where string, done []*store.Publication) {
	r.Store = &where
	for i, p := range done {
		refusals := p.Refusals
		if refusals == nil {
			refusals = []store.Refusal{}
		}
		r.Bundles[i].Store = &storeReport{p.Release.Name, p.Outcome(), refusals}
	}
}

// NewReport makes a report of what Open returned for the bytes of a file, of whose
// hash the kit may be nil. at is the time that the user chose, nil for the present.
func NewReport(k *Kit, sum [32]byte, refused *Refusal, at *time.Time) Report {
	r := Report{Schema: ReportSchema, SHA256: hex.EncodeToString(sum[:]), Bundles: []bundleReport{}}
	if at != nil {
		r.At = new(at.UTC().Format(time.RFC3339))
	}
	if refused != nil {
		r.Refused, r.Detail = &refused.Reason, new(refused.Err.Error())
		return r
	}
	r.Time, r.Files = &k.Manifest.Time, len(k.paths)
	r.Script, r.Readme = new(k.Script()), new(k.Readme())
	if f := k.program(); f != nil {
		r.Program = &programReport{f.Path, f.Size, f.SHA256}
	}
	switch {
	case k.Signature == nil:
		r.Signature = new("none")
	case k.Signer == nil:
		r.Signature = new("not-judged")
	default:
		c := k.Signer.Signers[0].Certificate
		r.Signature = new("verified")
		r.Signer = &signerReport{c.Subject.String(), hex.EncodeToString(c.SHA256[:]), pin(k.Signer.Anchor)}
	}
	for _, b := range k.Bundles {
		sum := b.Bundle.SHA256()
		e := bundleReport{b.File, hex.EncodeToString(sum[:]), b.Name, b.Version, b.SigningTime, b.Certificates, b.Entry.Verification.Anchor, nil, nil}
		if b.Previous != nil {
			e.Here = &hereReport{b.Previous.File, b.PreviousVersion, b.Previous.Bundle.SHA256() == sum}
		}
		r.Bundles = append(r.Bundles, e)
	}
	return r
}

// stored reports whether the store has every bundle as its current release.
func (r Report) stored() bool {
	return !slices.ContainsFunc(r.Bundles, func(b bundleReport) bool { return b.Store == nil || b.Store.Outcome == store.OutcomeRefused })
}

// headline says what was proved, and which files are not as trustpool writes them.
func (r Report) headline() string {
	s := "proved"
	if r.Signer == nil {
		s = "bundles proved, other files not"
	}
	var strange []string
	if *r.Script == FromOther {
		strange = append(strange, scriptFile)
	}
	if *r.Readme == FromOther {
		strange = append(strange, readmeFile)
	}
	if strange != nil {
		s += "; not as trustpool writes it: " + strings.Join(strange, ", ")
	}
	return s
}

// WriteJSON writes the report as one document.
func (r Report) WriteJSON(w io.Writer) error { return report.WriteJSON(w, r) }

// WriteText writes what was proved, and what was not.
func (r Report) WriteText(w io.Writer) error {
	screen := report.ScreenOf(w)
	out := bufio.NewWriter(w)
	line := func(format string, args ...any) { fmt.Fprintf(out, format+"\n", args...) }
	if r.Refused != nil {
		line("%s: %s", screen.Verdict(false, "refused"), *r.Refused)
		line("  %s", report.Printable(*r.Detail))
		line("  file     %s", report.Printable(r.File))
		line("  SHA-256  %s", r.SHA256)
		return out.Flush()
	}
	proved, rest, _ := strings.Cut(r.headline(), "proved")
	line("%s%s", screen.Verdict(true, proved+"proved"), rest)
	line("  file     %s", report.Printable(r.File))
	line("  SHA-256  %s", r.SHA256)
	if r.At != nil {
		line("  judged   %s", *r.At)
	}
	if *r.Script == FromEarlier {
		line("  script   verify.sh of an earlier version")
	}
	if r.Program != nil {
		line("  program  %s, %d bytes", r.Program.File, r.Program.Size)
		line("           SHA-256 %s: run it only if that is the hash of a release", r.Program.SHA256)
	}
	switch *r.Signature {
	case "none":
		line("  signed   by nobody: the bundles are proved, the other files are what the sender wrote")
	case "not-judged":
		line("  signed   by somebody, not looked at by whom: the bundles are proved, the other files")
		line("           are what the sender wrote; give --kit-root to prove them too")
	default:
		line("  signed   by %s", report.Printable(r.Signer.Subject))
		line("           under %s, SHA-256 %s", report.Printable(r.Signer.Anchor.Name), r.Signer.Anchor.SHA256)
	}
	for _, b := range r.Bundles {
		line("")
		line("%s", b.File)
		line("  name     %s, version %s, %s", report.Printable(b.Name), report.Printable(b.Version), report.Count(b.Certificates, "certificate"))
		if b.SigningTime != nil {
			line("  signed   %s", *b.SigningTime)
		}
		line("  anchor   %s, SHA-256 %s", report.Printable(b.Anchor.Name), b.Anchor.SHA256)
		switch {
		case b.Here == nil:
			line("  here     nothing of this name to compare with")
		case b.Here.Same:
			line("  here     the same file, %s", report.Printable(b.Here.File))
		default:
			line("  here     version %s, %s", report.Printable(b.Here.Version), report.Printable(b.Here.File))
		}
		if b.Store != nil {
			line("  store    %s: %s", b.Store.Name, screen.Verdict(b.Store.Outcome != store.OutcomeRefused, string(b.Store.Outcome)))
			for _, refusal := range b.Store.Refusals {
				line("           %s: %s", refusal.Gate, report.Printable(refusal.Detail))
			}
		}
	}
	line("")
	switch {
	case r.DryRun, r.Unpacked == nil && r.Store == nil:
		line("nothing is written")
	case r.Unpacked != nil:
		line("%d files in %s", r.Files, report.Printable(*r.Unpacked))
	case !r.stored():
		line("nothing is published in %s", report.Printable(*r.Store))
	default:
		line("current in %s", report.Printable(*r.Store))
	}
	return out.Flush()
}

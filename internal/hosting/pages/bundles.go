package pages

import (
	"context"
	"errors"
	"net/http"
	"path"
	"strconv"
	"strings"
	"time"

	"trustpool/bundle"
	"trustpool/internal/feed"
	"trustpool/internal/hosting"
	"trustpool/internal/report"
	"trustpool/signing"
)

// A summary is what is said of a version.
type summary struct {
	*hosting.Record
	Name    string // ios
	ID      string
	Page    string // of this version
	Current bool

	// How its signature is judged now; see judged.
	Signature signing.Report
	Judged    instant
	Loaded    instant // when it was verified first
	Chain     []signing.LinkReport

	Signed    instant
	Published instant
	Mirrored  instant    // when the mirror last succeeded; of what is current
	Audit     *auditLine // nil if there is none
	Expired   int
	Next      instant // the next expiry
	Soon      bool    // within soon
	Older     int     // versions
	Changes   string  // the page of what changed since the one before; empty if there is none
	Commands  string  // the page of commands; empty if there is none
	Static    bool    // what the present decides is left to the page's script:
	Ends      string  // when certificates expire, in seconds from 1970, in order
	Files     []download
	Derived   []download
	Feed      *advice // what was mirrored beside it; nil for nothing
}

// soon is how near an expiry is marked.
const soon = 90 * day

// A download is a file to have.
type download struct {
	Path  string
	Label string
	Note  string
}

func (q *request) summary(v version) summary {
	r := v.release
	s := summary{
		Record: r, Name: v.entry.Name, ID: v.id(), Page: v.page(), Current: v.current(),
		Signed: optional(r.SigningTime, q.at), Published: moment(r.Modified.Time, q.at), Static: q.pages.o.Static,
	}
	if q.pages.commands() {
		s.Commands = pathCommands + "?bundle=" + v.entry.Name
	}
	if before := v.before(); before != nil {
		s.Changes = compareURL(*before, v)
	}
	if s.Current {
		s.Page = pathBundles + s.Name
		s.Older = len(v.entry.Archive)
	}
	if mirrored := q.pages.o.Mirrored; s.Current && mirrored != nil && !s.Static {
		if at, ok := mirrored(s.Name); ok {
			s.Mirrored = moment(at, q.at)
		}
	}
	s.Files, s.Derived = q.downloads(v)
	s.Feed = q.advice(v)
	return s
}

// maxEnds is how many certificates may expire for their times to be part of a page.
const maxEnds = 1000

// ends are the times at which certificates of a release expire; empty if there are more
// than maxEnds.
func ends(r *hosting.Release) string {
	if r.Certificates > maxEnds {
		return ""
	}
	var seconds []string
	for _, t := range r.Expiries {
		seconds = append(seconds, strconv.FormatInt(t.Unix(), 10))
	}
	return strings.Join(seconds, " ")
}

// judged is a summary that also says what only its bytes tell, and whether the version is verified now, and not only
// when it was loaded.
func (q *request) judged(v version) (summary, error) {
	s := q.summary(v)
	r, err := q.open(v)
	if err != nil {
		return s, err
	}
	s.Expired = r.Expired(q.at)
	if s.Static {
		s.Ends = ends(r)
	} else if next, ok := r.NextExpiry(q.at); ok {
		s.Next = moment(next, q.at)
		s.Soon = next.Sub(q.at) < soon
	}
	s.Signature = q.pages.o.Judge(r)
	s.Judged, s.Loaded = reported(s.Signature.At, q.at), reported(r.Verification.At, q.at)
	if len(s.Signature.Signers) > 0 {
		s.Chain = s.Signature.Signers[0].Chain
	}
	return s, nil
}

// open gives a version with its bytes.
func (q *request) open(v version) (*hosting.Release, error) {
	r, err := q.catalog.Open(q.Context(), v.entry, v.release)
	return r, unavailable(v, err)
}

// parsed gives a version's bundle.
func (q *request) parsed(v version) (*bundle.Bundle, error) {
	b, err := q.catalog.Bundle(q.Context(), v.entry, v.release)
	return b, unavailable(v, err)
}

// unavailable says to the reader that a version cannot be had.
func unavailable(v version, err error) error {
	if err == nil {
		return nil
	}
	if _, bad := errors.AsType[*hosting.BadReleaseError](err); bad {
		return notFound("This version of " + v.entry.Name + " was published, and its file is not good any more.")
	}
	return problem{http.StatusServiceUnavailable, "This version of " + v.entry.Name + " cannot be had now. Try again in some seconds."}
}

// before is the version before v; nil for none.
func (v version) before() *version {
	if r := v.entry.Before(v.release); r != nil {
		return &version{v.entry, r}
	}
	return nil
}

// downloads are the file as signed and the files beside it, and the forms that are
// made of it here.
func (q *request) downloads(v version) (files, derived []download) {
	name := v.entry.FileName()
	for i, p := range q.catalog.Paths(v.entry, v.release) {
		d := download{Path: p, Label: path.Base(p)}
		switch {
		case i == 0:
			d.Label, d.Note = name, "as signed, "+size(v.release.Size)
		case d.Label == feed.SHA256File(name):
			d.Label = "SHA-256"
		case d.Label == feed.SHA512File(name):
			d.Label = "SHA-512"
		case d.Label == feed.DiffFile(name):
			d.Note = "the change, as Cisco writes it"
		case d.Label == feed.JKSFile(name):
			d.Note = "for Java, password " + feed.TruststorePassword
		case strings.HasPrefix(d.Label, feed.JKSFile(name)): // its hashes
			continue
		case d.Label == feed.RSSFile:
			d.Note = "all versions, for feed readers"
		}
		files = append(files, d)
	}
	base := v.entry.Name
	return files, []download{
		{v.file(base + "-unsigned.p7b"), "certs-only .p7b", "for tools that read PKCS #7"},
		{v.file(base + ".pem"), "PEM", "for OpenSSL, curl and pasting"},
		{v.file(base + ".csv"), "CSV", "a list for spreadsheets"},
		{v.file(base + ".json"), "JSON", "a list for programs"},
	}
}

// bundlesPage lists the bundles.
func (p *Pages) bundlesPage(q *request) (*response, error) {
	pages, from, to, err := q.page("/", len(q.catalog.Entries), pageBundles)
	if err != nil {
		return nil, err
	}
	var body struct {
		Bundles []summary
		Pager   pager
	}
	body.Pager = pages
	body.Pager.Fragment = "main"
	audits, cancel := q.within(auditPatience)
	defer cancel()
	for _, e := range q.catalog.Entries[from:to] {
		about, err := q.judged(current(e))
		if err != nil {
			return nil, err
		}
		a, _, err := audits.audit(current(e))
		if err != nil {
			return nil, err
		}
		about.Audit = a.line(about.Page + "#audit")
		body.Bundles = append(body.Bundles, about)
	}
	return p.render("bundles", http.StatusOK, "Bundles", q.at, body)
}

// auditPatience is how long the first page waits for audits, of all bundles together. What is not there by then is there
// the next time.
const auditPatience = 200 * time.Millisecond

// within is the request with an end; one for a page that says nothing of the present has none, as it must be the same each
// time.
func (q *request) within(d time.Duration) (*request, context.CancelFunc) {
	if q.pages.o.Static {
		return q, func() {}
	}
	ctx, cancel := context.WithTimeout(q.Context(), d)
	limited := *q
	limited.Request = q.WithContext(ctx)
	return &limited, cancel
}

// versionName is what a version is called: version 10, of 2021-09-01.
func versionName(v version) string {
	name := "no version"
	if v.release.Version != "" {
		name = "version " + report.Printable(v.release.Version)
	}
	if v.release.SigningTime.Valid {
		name += ", signed " + v.release.SigningTime.Day()
	}
	return name
}

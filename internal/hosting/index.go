package hosting

import (
	"bytes"
	"fmt"
	"io"
	"time"

	"trustpool/internal/report"
	"trustpool/signing"
)

// An Index is the list of what is served, "trustpool.catalog/1"; docs/formats.md has
// every field.
type Index struct {
	Schema  string       `json:"schema"`
	At      string       `json:"at"`
	Bundles []IndexEntry `json:"bundles"`
}

// An IndexEntry is a bundle of the index.
type IndexEntry struct {
	Name    string        `json:"name"`
	Path    string        `json:"path"`
	Current IndexCurrent  `json:"current"`
	Archive []IndexRecord `json:"archive"`
}

// An IndexRecord is an older release of the index, as its store has it.
type IndexRecord struct {
	SHA256 string `json:"sha256"`
	Path   string `json:"path"`
	*Record
}

// An IndexCurrent is a current release of the index.
type IndexCurrent struct {
	IndexRecord
	Anchor     *signing.AnchorReport `json:"anchor"`
	Expired    int                   `json:"expired"`
	NextExpiry report.Moment         `json:"next_expiry"`
}

// Index lists what is served, with what has expired at the given time.
func (c *Catalog) Index(at time.Time) Index {
	out := Index{Schema: "trustpool.catalog/1", At: report.Stamp(at), Bundles: []IndexEntry{}}
	for _, e := range c.Entries {
		i := IndexEntry{Name: e.Name, Path: "/" + e.FileName(), Current: e.Current.index(at), Archive: []IndexRecord{}}
		for _, r := range e.Archive {
			i.Archive = append(i.Archive, r.index())
		}
		out.Bundles = append(out.Bundles, i)
	}
	return out
}

func (r *Release) index(at time.Time) IndexCurrent {
	next, _ := r.NextExpiry(at)
	return IndexCurrent{r.Record.index(), r.Verification.Anchor, r.Expired(at), report.Moment{Time: next}}
}

func (r *Record) index() IndexRecord { return IndexRecord{r.SHA256, pathSHA256 + r.SHA256, r} }

// WriteJSON writes the index as one document.
func (i Index) WriteJSON(w io.Writer) error { return report.WriteJSON(w, i) }

// maxListed is how many bundles the text at / names.
const maxListed = 20

// writeText says in a few lines what is here, to who asks for / and is not a browser.
func (c *Catalog) writeText(w io.Writer, pages bool) error {
	var b bytes.Buffer
	b.WriteString("trustpool serves trust bundles to Cisco devices.\n\n")
	for _, e := range c.Entries[:min(len(c.Entries), maxListed)] {
		fmt.Fprintf(&b, "/%s  %s version %s, %s\n", e.FileName(), report.Printable(e.Current.SignedName), report.Printable(e.Current.Version),
			report.Count(e.Current.Certificates, "certificate"))
	}
	if more := len(c.Entries) - maxListed; more > 0 {
		fmt.Fprintf(&b, "and %d more\n", more)
	}
	fmt.Fprintf(&b, "\n%s  all of it, for programs\n/readyz  whether it is verified now\n/metrics  numbers for Prometheus\n", IndexPath)
	if pages {
		b.WriteString("/  pages for people, in a browser\n")
	}
	_, err := w.Write(b.Bytes())
	return err
}

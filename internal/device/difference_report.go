package device

import (
	"bufio"
	"encoding/hex"
	"fmt"
	"io"
	"strings"
	"time"

	"trustpool/bundle/certificate"
	"trustpool/internal/pool"
	"trustpool/internal/report"
)

// poolDiffSchema is the schema of a PoolDiff's document.
const poolDiffSchema = "trustpool.pool-diff/1"

// WriteText writes what is missing, what the device alone has, and how sure it is
// that the others are the same.
func (d *PoolDiff) WriteText(w io.Writer) error {
	out := bufio.NewWriter(w)
	d.writeText(out, report.ScreenOf(w))
	return out.Flush()
}

func (d *PoolDiff) writeText(w io.Writer, screen report.Screen) {
	fmt.Fprintf(w, "pool    %s, %s, %s\n", report.Printable(d.PoolFile), d.Platform, report.Count(d.Entries, "certificate"))
	fmt.Fprintf(w, "bundle  %s, %s", report.Printable(d.File), report.Count(d.Certificates, "certificate"))
	if d.Signature != "" {
		fmt.Fprintf(w, ", %s", report.Printable(d.Signature))
	}
	fmt.Fprintln(w)
	if len(d.Missing) > 0 {
		fmt.Fprintf(w, "\nMissing on the device: %d\n", len(d.Missing))
	}
	indent, hash, word, name := report.Column{}, report.Column{Kind: report.Hash}, report.Column{}, report.Column{Kind: report.Name}
	table := screen.Table(w, indent, hash, word, name)
	table.Reserve(0, 2*8, len(time.DateOnly), report.Long)
	for _, e := range d.Missing {
		c := e.Certificate
		table.Row("", report.ShortHash(c.SHA256[:]), c.NotAfter.Day(), report.Printable(c.Subject.String()))
	}
	_ = table.Flush() // w keeps the error
	if len(d.Extra) > 0 {
		fmt.Fprintf(w, "\nOn the device only: %d\n", len(d.Extra))
	}
	table = screen.Table(w, indent, hash, word, word, name)
	table.Reserve(0, 2*8, len(time.DateOnly), len("downloaded"), report.Long)
	for _, e := range d.Extra {
		table.Row("", fmt.Sprintf("%.16s", report.OrDash(e.Entry.SHA256)), endDay(e.Entry), string(e.Entry.Origin), report.Printable(e.Entry.Title()))
	}
	_ = table.Flush()
	byKey := map[pool.Key]int{}
	for _, c := range d.Common {
		byKey[c.By]++
	}
	fmt.Fprintf(w, "\n%d missing, %d on the device only, %d in both", len(d.Missing), len(d.Extra), len(d.Common))
	if parts := keyCounts(byKey); len(parts) > 0 {
		fmt.Fprintf(w, ": %s", strings.Join(parts, ", "))
	}
	fmt.Fprintln(w, ".")
}

// endDay is the end of the validity in a table.
func endDay(e *pool.Entry) string {
	if end := e.ValidTo(); end.Valid {
		return end.Day()
	}
	return "-"
}

// A differenceJSON is a PoolDiff in JSON.
type differenceJSON struct {
	PoolFile     string        `json:"pool_file"`
	Platform     string        `json:"platform"`
	Entries      int           `json:"pool_certificates"`
	File         string        `json:"file"`
	Certificates int           `json:"certificates"`
	Signature    *string       `json:"signature"`
	Missing      []missingJSON `json:"missing"`
	Extra        []extraJSON   `json:"extra"`
	Common       []commonJSON  `json:"common"`
}

type missingJSON struct {
	Index    int              `json:"index"`
	SHA256   string           `json:"sha256"`
	Subject  string           `json:"subject"`
	Serial   string           `json:"serial"`
	NotAfter certificate.Time `json:"not_after"`
}

type extraJSON struct {
	Index    int              `json:"index"`
	Origin   pool.Origin      `json:"origin"`
	SHA256   *string          `json:"sha256"`
	SHA1     *string          `json:"sha1"`
	Subject  *string          `json:"subject"`
	Serial   *string          `json:"serial"`
	NotAfter certificate.Time `json:"not_after"`
}

type commonJSON struct {
	Index     int      `json:"index"`
	SHA256    string   `json:"sha256"`
	Subject   string   `json:"subject"`
	PoolIndex int      `json:"pool_index"`
	MatchedBy pool.Key `json:"matched_by"`
	Basis     Basis    `json:"basis"`
}

func (d *PoolDiff) json() differenceJSON {
	out := differenceJSON{
		PoolFile: d.PoolFile, Platform: d.Platform, Entries: d.Entries, File: d.File, Certificates: d.Certificates, Signature: report.Optional(d.Signature),
		Missing: []missingJSON{}, Extra: []extraJSON{}, Common: []commonJSON{},
	}
	for _, e := range d.Missing {
		c := e.Certificate
		out.Missing = append(out.Missing, missingJSON{e.Index, hex.EncodeToString(c.SHA256[:]), c.Subject.String(), c.Serial.String(), c.NotAfter})
	}
	for _, e := range d.Extra {
		x := e.Entry
		out.Extra = append(out.Extra, extraJSON{
			e.Index, x.Origin, report.Optional(x.SHA256), report.Optional(x.SHA1), report.Optional(x.Title()), report.Optional(x.Serial),
			certificate.Time{Time: x.NotAfter, Valid: !x.NotAfter.IsZero()},
		})
	}
	for _, e := range d.Common {
		c := e.Certificate
		out.Common = append(out.Common, commonJSON{e.Index, hex.EncodeToString(c.SHA256[:]), c.Subject.String(), e.PoolIndex, e.By, basisOf(e.By)})
	}
	return out
}

// WriteJSON writes the difference as one document, schema poolDiffSchema.
func (d *PoolDiff) WriteJSON(w io.Writer) error {
	return report.WriteJSON(w, struct {
		Schema string `json:"schema"`
		differenceJSON
		Evidence *report.Evidence `json:"evidence"`
	}{poolDiffSchema, d.json(), d.Evidence})
}

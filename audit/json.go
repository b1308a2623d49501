package audit

import (
	"encoding/hex"
	"io"
	"time"

	"trustpool/bundle"
)

// Schema is that of WriteJSON.
const Schema = "trustpool.audit/1"

// head is the JSON of a report, its lists excepted.
type head struct {
	Schema       string         `json:"schema"`
	File         string         `json:"file"`
	At           *string        `json:"at"`
	Signature    *string        `json:"signature"`
	Name         *string        `json:"name"`
	Version      *string        `json:"version"`
	Certificates int            `json:"certificates"`
	Against      *string        `json:"against"`
	Distrusted   string         `json:"distrusted_as_of"`
	Program      *programReport `json:"program"`
	ExpiringDays float64        `json:"expiring_days"`
	FailOn       Severity       `json:"fail_on"`
	Failed       bool           `json:"failed"`
	Counts       counts         `json:"counts"`
}

type programReport struct {
	Name string  `json:"name"`
	Date *string `json:"date"`
}

type counts struct {
	Error   int `json:"error"`
	Warning int `json:"warning"`
	Info    int `json:"info"`
	Excused int `json:"excused"`
}

type ruleReport struct {
	ID       string   `json:"id"`
	Title    string   `json:"title"`
	Severity Severity `json:"severity"`
	Citation string   `json:"citation"`
	Advice   string   `json:"advice"`
	State    State    `json:"state"`
	Applied  int      `json:"applied"`
	Found    int      `json:"found"`
}

type findingReport struct {
	Rule         string              `json:"rule"`
	Severity     Severity            `json:"severity"`
	Change       *Change             `json:"change"`
	Detail       string              `json:"detail"`
	Certificates []certificateReport `json:"certificates"`
	Exception    *exceptionReport    `json:"exception"`
}

type certificateReport struct {
	Index    int         `json:"index"`
	SHA256   string      `json:"sha256"`
	Subject  *string     `json:"subject"`
	Serial   *string     `json:"serial"`
	NotAfter bundle.Time `json:"not_after"`
}

type exceptionReport struct {
	Reason string  `json:"reason"`
	Until  *string `json:"until"`
}

func stamp(t time.Time) *string {
	if t.IsZero() {
		return nil
	}
	return new(t.UTC().Format(time.RFC3339))
}

// WriteJSON writes one document, "trustpool.audit/1".
func (r *Report) WriteJSON(w io.Writer) error {
	h := head{
		Schema: Schema, File: r.File, Certificates: len(r.Certificates), Distrusted: DistrustedAsOf, ExpiringDays: r.Expiring.Hours() / 24, FailOn: r.FailOn,
		Failed: r.Fails(), Counts: counts{r.Count(Error), r.Count(Warning), r.Count(Info), r.Excused()},
	}
	if r.At != nil {
		h.At = stamp(*r.At)
	}
	if r.Signature != nil {
		h.Signature, h.Name, h.Version = new(r.Signature.Summary()), r.Signature.Name, r.Signature.Version
	}
	if r.Against != nil {
		h.Against = &r.Against.File
	}
	if r.Program != nil {
		h.Program = &programReport{r.Program.Name, stamp(r.Program.Date)}
	}
	return bundle.WriteJSON(w, h,
		bundle.JSONList{Name: "rules", Each: func(yield func(any) bool) {
			for _, x := range r.Results {
				if !yield(ruleReport{x.Rule.ID, x.Rule.Title, x.Rule.Severity, x.Rule.Citation, x.Rule.Advice, x.State, x.Applied, x.Found}) {
					return
				}
			}
		}},
		findingList("findings", r.Findings), findingList("gone", r.Gone))
}

func findingList(name string, list []Finding) bundle.JSONList {
	return bundle.JSONList{Name: name, Each: func(yield func(any) bool) {
		for i := range list {
			if !yield(list[i].report()) {
				return
			}
		}
	}}
}

func (f *Finding) report() findingReport {
	r := findingReport{Rule: f.Rule.ID, Severity: f.Severity, Detail: f.Detail, Certificates: []certificateReport{}}
	if f.Change != "" {
		r.Change = &f.Change
	}
	for _, e := range f.Certificates {
		c := certificateReport{Index: e.Index, SHA256: hex.EncodeToString(e.Certificate.SHA256[:]), NotAfter: e.Certificate.NotAfter}
		if e.Certificate.Err == nil {
			c.Subject, c.Serial = new(e.Certificate.Subject.String()), new(e.Certificate.Serial.String())
		}
		r.Certificates = append(r.Certificates, c)
	}
	if f.Exception != nil {
		r.Exception = &exceptionReport{f.Exception.Pin.Reason, stamp(f.Exception.Until)}
	}
	return r
}

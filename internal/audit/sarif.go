package audit

import (
	"encoding/hex"
	"io"
	"net/url"
	"strings"

	"trustpool/internal/report"
)

// The parts of SARIF 2.1.0 that are written (OASIS, 27 March 2020).
type (
	// A sarifWord is an object with one member.
	sarifWord map[string]string
	sarifRule struct {
		ID       string    `json:"id"`
		Short    sarifWord `json:"shortDescription"`
		Full     sarifWord `json:"fullDescription"`
		Help     sarifWord `json:"help"`
		Defaults sarifWord `json:"defaultConfiguration"`
	}
	sarifResult struct {
		RuleID       string            `json:"ruleId"`
		RuleIndex    int               `json:"ruleIndex"`
		Level        string            `json:"level"`
		Message      sarifWord         `json:"message"`
		Locations    []sarifLocation   `json:"locations"`
		Fingerprints map[string]string `json:"partialFingerprints"`
		Baseline     string            `json:"baselineState,omitempty"`
		Suppressions []sarifSuppressed `json:"suppressions,omitempty"`
	}
	sarifLocation struct {
		Physical struct {
			Artifact sarifWord `json:"artifactLocation"`
		} `json:"physicalLocation"`
		Logical []sarifLogical `json:"logicalLocations,omitempty"`
	}
	sarifArtifact struct {
		Location sarifWord         `json:"location"`
		Hashes   map[string]string `json:"hashes"`
	}
	sarifLogical struct {
		Name      string `json:"name"`
		Qualified string `json:"fullyQualifiedName"`
		Kind      string `json:"kind"`
	}
	sarifSuppressed struct {
		Kind          string `json:"kind"`
		Justification string `json:"justification"`
	}
)

// WriteSARIF writes a log of SARIF 2.1.0, for code scanning. With something to
// compare to, each result has its baselineState.
func (r *Report) WriteSARIF(w io.Writer) error {
	index := map[string]int{}
	list := []sarifRule{}
	for i, x := range r.Results {
		index[x.Rule.ID] = i
		list = append(list, sarifRule{
			ID: x.Rule.ID, Short: sarifWord{"text": x.Rule.Title}, Full: sarifWord{"text": x.Rule.Title + ". " + x.Rule.Citation},
			Help: sarifWord{"text": x.Rule.Advice}, Defaults: sarifWord{"level": sarifLevel(x.Rule.Severity)},
		})
	}
	results := []sarifResult{}
	for f := range r.all {
		results = append(results, f.sarif(r, index[f.Rule.ID]))
	}
	driver := map[string]any{"name": "trustpool", "rules": list}
	run := map[string]any{"tool": map[string]any{"driver": driver}, "results": results}
	if e := r.Evidence; e != nil {
		if e.Version != nil {
			driver["version"] = report.Printable(*e.Version)
		}
		artifacts := []sarifArtifact{}
		for _, in := range e.Inputs {
			artifacts = append(artifacts, sarifArtifact{sarifWord{"uri": artifactURI(in.Name)}, map[string]string{"sha-256": in.SHA256}})
		}
		run["artifacts"], run["properties"] = artifacts, map[string]string{"trustpool:at": e.At}
	}
	return report.WriteJSON(w, struct {
		Schema  string `json:"$schema"`
		Version string `json:"version"`
		Runs    []any  `json:"runs"`
	}{"https://json.schemastore.org/sarif-2.1.0.json", "2.1.0", []any{run}})
}

func sarifLevel(s Severity) string {
	if s == Info {
		return "note"
	}
	return s.String()
}

func (f *Finding) sarif(r *Report, rule int) sarifResult {
	out := sarifResult{RuleID: f.Rule.ID, RuleIndex: rule, Level: sarifLevel(f.Severity), Message: sarifWord{"text": sarifPlain(f.Rule.Title + ": " + f.Detail)}}
	location := sarifLocation{}
	file := r.File
	if f.Change == Gone {
		file = r.Against.File
	}
	location.Physical.Artifact = sarifWord{"uri": artifactURI(file)}
	for _, e := range f.Items {
		location.Logical = append(location.Logical, sarifLogical{report.Printable(e.Name()), e.reference(), "certificate"})
	}
	out.Locations = []sarifLocation{location}
	id := f.identity()
	sum := hex.EncodeToString(id.certificates[:])
	if len(f.Items) == 0 {
		sum = report.Printable(id.detail)
	}
	out.Fingerprints = map[string]string{"trustpool/v1": sum}
	switch f.Change {
	case New, Unchanged:
		out.Baseline = string(f.Change)
	case Gone:
		out.Baseline = "absent"
	}
	if f.Exception != nil {
		out.Suppressions = []sarifSuppressed{{"external", report.Printable(f.Exception.Pin.Reason)}}
	}
	return out
}

// sarifPlain is text in which viewers see no link: brackets make one in a plain
// message (SARIF section 3.11.6).
func sarifPlain(s string) string {
	return strings.NewReplacer(`\`, `\\`, `[`, `\[`, `]`, `\]`).Replace(report.Printable(s))
}

// artifactURI is the URI of a file as the user named it.
func artifactURI(file string) string {
	if strings.Contains(file, "://") {
		if u, err := url.Parse(file); err == nil {
			return u.String()
		}
	}
	switch {
	case file == "-" || file == "":
		return "stdin"
	case strings.HasPrefix(file, "/"):
		return (&url.URL{Scheme: "file", Path: file}).String()
	}
	return (&url.URL{Path: file}).String()
}

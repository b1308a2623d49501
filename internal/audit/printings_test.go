package audit_test

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"encoding/xml"
	"errors"
	"io"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/report"
	"trustpool/roots"
	"trustpool/signing"
)

// printings are all of them, by name.
func printings(r *audit.Report) map[string]func(io.Writer) error {
	return map[string]func(io.Writer) error{
		"text": r.WriteText, "json": r.WriteJSON, "markdown": r.WriteMarkdown, "sarif": r.WriteSARIF,
		"csv": r.WriteCSV, "html": r.WriteHTML, "cyclonedx": r.WriteCycloneDX,
	}
}

func printed(t testing.TB, printOne func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := printOne(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// attacks are names that mean something to a terminal, a browser, a spreadsheet or
// a renderer.
var attacks = []string{
	"<script>alert(1)</script>", `"><img src=x onerror=alert(1)>`, "</title></style></svg>", "=HYPERLINK(1)", "+1+1", "-2+3", "@SUM(1)", "\t=1",
	"a | b `c` [d](https://evil.example) ![e](f) <http://evil.example>", "\x1b[2K\x07\r\nERROR", "\u202etxt.exe", "{{.File}}", "*bold* _it_ ~~x~~",
	"[link](1) {0}", "\u0000nul", "]]>", "--> <!--", "javascript:alert(1)", "\ufeffbom", "del\x7f", "\xff\xfe", "",
}

// full is a report with everything in it: findings of all kinds, changes,
// exceptions, and hostile text wherever text can be.
func full(t testing.TB) *audit.Report {
	t.Helper()
	var ders [][]byte
	for _, name := range attacks {
		ders = append(ders, plain(func(x *pkitest.Template) {
			x.Subject = pkitest.NewName("CN="+name, "O="+name)
			x.NotAfter = pkitest.Date(2020, 1, 1)
		}))
	}
	ders = append(ders, pkitest.QuirkPool()...)
	s := refused(bundled(t, append(ders, ders[0])...), signing.ChainExpired)
	evil := strings.Join(attacks, " ")
	s.Signature.Detail = &evil
	s.File = evil
	old := bundled(t, ders[0], ders[3], plain(func(x *pkitest.Template) {
		x.Subject, x.NotAfter = pkitest.NewName("CN="+attacks[0]), pkitest.Date(2019, 1, 1)
	}))
	old.File = evil
	s.Against = &old
	s.Platform = evil
	s.Entries = append(s.Entries, pool.Entry{Subject: evil, Serial: evil, Origin: pool.BuiltIn, NotAfter: at.AddDate(9, 0, 0)})
	p := program(ders[1], func(r *roots.Root) {
		r.Label = evil
		r.Trust = map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Distrusted}
	})
	p.Name = evil
	req := requirements(t, "exceptions: [{rule: expired, sha256: "+bytesHex(sum(ders[2])[:])+", reason: \"=1 <b> | `x`\", until: 2027-01-01}]\n")
	r := run(t, s, audit.Criteria{Program: p, Requirements: req, Needs: []audit.Need{{Name: evil}}})
	r.At, r.Evidence = &at, report.NewEvidence(evil, at)
	for _, name := range append(attacks, evil) {
		r.Evidence.Add(name, []byte(name))
	}
	if r.Excused() != 1 || len(r.Gone) == 0 {
		t.Fatalf("%d excused, %d gone", r.Excused(), len(r.Gone))
	}
	return r
}

func TestHostileText(t *testing.T) {
	t.Parallel()
	r := full(t)
	for name, printOne := range printings(r) {
		out := string(printed(t, printOne))
		for _, c := range out {
			if c != '\n' && (c < ' ' || c == 0x7f || unicode.Is(unicode.Cf, c) || c == unicode.ReplacementChar) {
				t.Errorf("%s has the character %U", name, c)
				break
			}
		}
		switch name {
		case "markdown", "html":
			for _, raw := range []string{"<script>", "<img", "onerror=alert(1)>", "</svg></", "=1 <b>", "<!--"} {
				if strings.Contains(out, raw) {
					t.Errorf("%s has %s", name, raw)
				}
			}
		case "csv":
			rows, err := csv.NewReader(strings.NewReader(out)).ReadAll()
			if err != nil {
				t.Fatal(err)
			}
			for _, row := range rows {
				for _, cell := range row {
					if cell != "" && strings.ContainsAny(cell[:1], "=+-@\t\r|%") {
						t.Errorf("a cell begins like a formula: %q", cell)
					}
				}
			}
		case "sarif":
			if regexp.MustCompile(`"text": "[^"]*[^\\]\[link`).MatchString(out) {
				t.Error("a message has a link")
			}
		}
		if name == "markdown" {
			if regexp.MustCompile(`[^\\]\]\(`).MatchString(out) || strings.Contains(out, "<http") || regexp.MustCompile("[^\\\\]`c`").MatchString(out) {
				t.Error("markdown has a link or code")
			}
			for line := range strings.Lines(out) {
				if strings.HasPrefix(line, "|") && strings.Count(strings.ReplaceAll(line, `\|`, ""), "|") > 6 {
					t.Errorf("a row with more cells: %s", line)
				}
			}
		}
	}
}

// The page is well-formed, has no script, and asks for nothing.
func TestPage(t *testing.T) {
	t.Parallel()
	out := printed(t, full(t).WriteHTML)
	if bytes.Contains(out, []byte("<script")) || regexp.MustCompile(`(?i)(src|href|url\()\s*=?\s*["'(]?https?:`).Match(out) {
		t.Error("the page has a script or a reference")
	}
	d := xml.NewDecoder(bytes.NewReader(out))
	d.Strict, d.AutoClose, d.Entity = false, xml.HTMLAutoClose, xml.HTMLEntity
	var open []string
	for {
		token, err := d.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch e := token.(type) {
		case xml.StartElement:
			open = append(open, e.Name.Local)
		case xml.EndElement:
			if open[len(open)-1] != e.Name.Local {
				t.Fatalf("</%s> ends <%s>", e.Name.Local, open[len(open)-1])
			}
			open = open[:len(open)-1]
		}
	}
	if !bytes.Contains(out, []byte("prefers-color-scheme: dark")) || !bytes.Contains(out, []byte("@media print")) || !bytes.Contains(out, []byte("<svg")) {
		t.Error("the page has no dark mode, no print style or no chart")
	}
}

// The same subject gives the same bytes.
func TestSameBytes(t *testing.T) {
	t.Parallel()
	a, b := printings(full(t)), printings(full(t))
	for name := range a {
		if !bytes.Equal(printed(t, a[name]), printed(t, b[name])) {
			t.Errorf("%s differs from run to run", name)
		}
	}
}

func TestCycloneDX(t *testing.T) {
	t.Parallel()
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	for _, name := range []string{"bom-1.6", "jsf-0.82", "spdx"} {
		f, err := os.Open(filepath.Join("testdata", "cyclonedx", name+".SNAPSHOT.schema.json"))
		if err != nil {
			t.Fatal(err)
		}
		doc, err := jsonschema.UnmarshalJSON(f)
		if err != nil {
			t.Fatal(err)
		}
		f.Close()
		if err := c.AddResource("http://cyclonedx.org/schema/"+name+".SNAPSHOT.schema.json", doc); err != nil {
			t.Fatal(err)
		}
	}
	schema, err := c.Compile("http://cyclonedx.org/schema/bom-1.6.SNAPSHOT.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	reports := map[string]*audit.Report{"full": full(t), "empty": run(t, audit.Subject{}, audit.Criteria{})}
	for name, r := range reports {
		out := printed(t, r.WriteCycloneDX)
		v, err := jsonschema.UnmarshalJSON(bytes.NewReader(out))
		if err != nil {
			t.Fatal(err)
		}
		if err := schema.Validate(v); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if name == "empty" {
			continue
		}
		// The schema does not see whether references lead somewhere.
		refs := map[string]bool{}
		components := v.(map[string]any)["components"].([]any)
		for _, c := range components {
			ref := c.(map[string]any)["bom-ref"].(string)
			if refs[ref] {
				t.Errorf("two components are %s", ref)
			}
			refs[ref] = true
		}
		for _, m := range regexp.MustCompile(`"(?:signatureAlgorithmRef|subjectPublicKeyRef)": "([^"]+)"`).FindAllSubmatch(out, -1) {
			if !refs[string(m[1])] {
				t.Errorf("no component is %s", m[1])
			}
		}
	}
	bad := bytes.Replace(printed(t, reports["full"].WriteCycloneDX), []byte(`"assetType": "certificate"`), []byte(`"assetType": "certificat"`), 1)
	if v, err := jsonschema.UnmarshalJSON(bytes.NewReader(bad)); err != nil || schema.Validate(v) == nil {
		t.Error("the schema takes anything")
	}
}

// What SARIF 2.1.0 asks for, of the members that are written.
func TestSARIF(t *testing.T) {
	t.Parallel()
	r := full(t)
	var log struct {
		Version string
		Runs    []struct {
			Tool struct {
				Driver struct {
					Name, Version string
					Rules         []struct {
						ID                                      string
						ShortDescription, FullDescription, Help struct{ Text string }
						DefaultConfiguration                    struct{ Level string }
					}
				}
			}
			Artifacts []struct {
				Location struct{ URI string }
				Hashes   map[string]string
			}
			Properties map[string]string
			Results    []struct {
				RuleID        string
				RuleIndex     int
				Level         string
				Message       struct{ Text string }
				BaselineState string
				Locations     []struct {
					PhysicalLocation struct{ ArtifactLocation struct{ URI string } }
					LogicalLocations []struct{ FullyQualifiedName string }
				}
				PartialFingerprints map[string]string
				Suppressions        []struct{ Kind, Justification string }
			}
		}
	}
	if err := json.Unmarshal(printed(t, r.WriteSARIF), &log); err != nil {
		t.Fatal(err)
	}
	if log.Version != "2.1.0" || len(log.Runs) != 1 || log.Runs[0].Tool.Driver.Name != "trustpool" {
		t.Fatalf("%+v", log)
	}
	sarif := log.Runs[0]
	for _, rule := range sarif.Tool.Driver.Rules {
		if rule.ID == "" || rule.ShortDescription.Text == "" || rule.FullDescription.Text == "" || rule.Help.Text == "" {
			t.Errorf("%+v", rule)
		}
	}
	if len(sarif.Results) != len(r.Findings)+len(r.Gone) {
		t.Errorf("%d results, %d findings", len(sarif.Results), len(r.Findings)+len(r.Gone))
	}
	for i, x := range sarif.Artifacts {
		if x.Location.URI == "" || strings.ContainsAny(x.Location.URI, " <>\"|{}") || x.Hashes["sha-256"] != r.Evidence.Inputs[i].SHA256 {
			t.Errorf("%+v", x)
		}
	}
	if len(sarif.Artifacts) != len(attacks)+1 || sarif.Tool.Driver.Version == "" || sarif.Properties["trustpool:at"] != report.Stamp(at) {
		t.Errorf("%d artifacts, %+v", len(sarif.Artifacts), sarif.Properties)
	}
	states, suppressed := map[string]int{}, 0
	for _, x := range sarif.Results {
		if sarif.Tool.Driver.Rules[x.RuleIndex].ID != x.RuleID {
			t.Errorf("%s is not rule %d", x.RuleID, x.RuleIndex)
		}
		if !slices.Contains([]string{"note", "warning", "error"}, x.Level) || x.Message.Text == "" || len(x.Locations) != 1 || len(x.PartialFingerprints) != 1 {
			t.Errorf("%+v", x)
		}
		uri := x.Locations[0].PhysicalLocation.ArtifactLocation.URI
		if uri == "" || strings.ContainsAny(uri, " <>\"|{}") {
			t.Errorf("no URI: %s", uri)
		}
		states[x.BaselineState]++
		suppressed += len(x.Suppressions)
	}
	if !maps.Equal(states, map[string]int{"new": changes(r)[audit.New], "unchanged": changes(r)[audit.Unchanged], "absent": len(r.Gone)}) || suppressed != 1 {
		t.Errorf("%v, %d suppressed", states, suppressed)
	}
}

// All printings of 2,000 findings and of one finding about 2,000 certificates.
func TestManyFindings(t *testing.T) {
	t.Parallel()
	one := bundled(t, plain(nil)).Entries[0].Certificate
	var s audit.Subject
	for range 2_000 {
		c := *one
		c.NotAfter.Time = time.Date(2020, 1, 1, 0, 0, 0, 0, time.UTC)
		s.Entries = append(s.Entries, pool.Of([]*certificate.Certificate{&c})...)
	}
	r := run(t, s, audit.Criteria{})
	if len(r.Findings) != 2_001 {
		t.Fatalf("%d findings", len(r.Findings))
	}
	for name, printOne := range printings(r) {
		out := printed(t, printOne)
		if n := len(out); slices.Contains([]string{"text", "markdown", "html"}, name) && n > 1<<20 {
			t.Errorf("%s has %d bytes", name, n)
		}
	}
}

func FuzzParseRequirements(f *testing.F) {
	f.Add([]byte(goodRequirements))
	for _, test := range badRequirements {
		f.Add([]byte(test.text))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		r, err := audit.ParseRequirements(data)
		if (r == nil) != (err != nil) {
			t.Fatalf("%v, %v", r, err)
		}
		if err != nil {
			return
		}
		run(t, audit.Subject{Entries: pool.Of([]*certificate.Certificate{fuzzCertificate()})}, audit.Criteria{Requirements: r})
	})
}

// FuzzPrintings puts any text into a certificate's name and has everything printed.
func FuzzPrintings(f *testing.F) {
	for _, a := range attacks {
		f.Add(a)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 200 {
			return
		}
		c := *fuzzCertificate()
		c.Subject = certificate.Name(pkitest.NewName("O=x").DER())
		if n := pkitest.NewName("CN=" + name).DER(); len(n) > 0 {
			c.Subject = certificate.Name(n)
		}
		r := run(t, audit.Subject{File: name, Entries: pool.Of([]*certificate.Certificate{&c})}, audit.Criteria{})
		for kind, printOne := range printings(r) {
			out := printed(t, printOne)
			for _, x := range string(out) {
				if x != '\n' && (x < ' ' || x == 0x7f || unicode.Is(unicode.Cf, x)) {
					t.Fatalf("%s has the character %U", kind, x)
				}
			}
			switch kind {
			case "json", "sarif", "cyclonedx":
				if !json.Valid(out) {
					t.Fatalf("%s is no JSON", kind)
				}
			}
		}
	})
}

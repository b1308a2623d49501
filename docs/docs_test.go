// Package docs holds the documents to the code.
package docs_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"log/slog"
	"maps"
	"net/http"
	"net/http/httptest"
	"os"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/device/explain"
	"trustpool/internal/device/show"
	"trustpool/internal/durable"
	"trustpool/internal/feed"
	"trustpool/internal/hosting"
	"trustpool/internal/hosting/watch"
	"trustpool/internal/inspect"
	"trustpool/internal/kit"
	"trustpool/internal/pkitest"
	"trustpool/internal/pool"
	"trustpool/internal/reach"
	"trustpool/internal/report"
	"trustpool/internal/store"
	"trustpool/roots"
	"trustpool/signing"
)

const bundles = "../testdata/bundles/"

var at = time.Date(2025, 6, 1, 0, 0, 0, 0, time.UTC)

// section is the text below a heading of a document, up to the next heading of
// its level or above.
func section(t *testing.T, file, heading string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, ok := strings.Cut("\n"+string(data), "\n"+heading+"\n")
	if !ok {
		t.Fatalf("%s has no heading %q", file, heading)
	}
	level := strings.IndexByte(heading, ' ')
	end := regexp.MustCompile(`(?m)^#{1,` + strconv.Itoa(level) + `} `).FindStringIndex(rest)
	if end != nil {
		rest = rest[:end[0]]
	}
	return rest
}

// firstCells are the code spans that alone are the first cell of a table's row.
func firstCells(text string) (cells []string) {
	for _, m := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(text, -1) {
		cells = append(cells, m[1])
	}
	return cells
}

// same asks that a document lists what there is, each once.
func same(t *testing.T, what string, documented, actual []string) {
	t.Helper()
	seen := map[string]bool{}
	for _, d := range documented {
		if seen[d] {
			t.Errorf("%s: %s is there twice", what, d)
		}
		seen[d] = true
		if !slices.Contains(actual, d) {
			t.Errorf("%s: %s is documented, and there is none", what, d)
		}
	}
	for _, r := range actual {
		if !seen[r] {
			t.Errorf("%s: %s is not documented", what, r)
		}
	}
}

// fields collects the paths of a document's members: signers[].chain[].subject.
// It does not go into those of skip.
func fields(t *testing.T, doc []byte, into map[string]bool, skip ...string) {
	t.Helper()
	var v any
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatal(err)
	}
	var walk func(prefix string, v any)
	walk = func(prefix string, v any) {
		switch v := v.(type) {
		case map[string]any:
			if prefix != "" {
				prefix += "."
			}
			for name, value := range v {
				into[prefix+name] = true
				if !slices.Contains(skip, prefix+name) {
					walk(prefix+name, value)
				}
			}
		case []any:
			for _, value := range v {
				walk(prefix+"[]", value)
			}
		}
	}
	walk("", v)
}

func read(t *testing.T, file string) *bundle.Bundle {
	t.Helper()
	data, err := os.ReadFile(bundles + file)
	if err != nil {
		t.Fatal(err)
	}
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func labRoot(t *testing.T) []roots.Anchor {
	t.Helper()
	anchor, err := roots.FromCertificate(read(t, "lab-root.pem").Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	return []roots.Anchor{anchor}
}

func verify(t *testing.T, b *bundle.Bundle, anchors []roots.Anchor) signing.Report {
	t.Helper()
	v, err := signing.Verify(b, signing.VerifyOptions{Anchors: anchors, At: at})
	var refused *signing.VerifyError
	if err != nil && !errors.As(err, &refused) {
		t.Fatal(err)
	}
	return signing.NewReport(v, refused, &at)
}

func printed(t *testing.T, write func(io.Writer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := write(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func documentedFields(t *testing.T, heading string) []string {
	t.Helper()
	return firstCells(section(t, "formats.md", heading))
}

func names(set map[string]bool) []string { return slices.Sorted(maps.Keys(set)) }

func TestInspectFields(t *testing.T) {
	t.Parallel()
	actual := map[string]bool{}
	for _, file := range []string{"lab-core-v1.p7b", "lab-quirks-v1.p7b"} {
		b := read(t, file)
		for _, anchors := range [][]roots.Anchor{labRoot(t), roots.BuiltIn()} {
			r := inspect.Report{File: file, Bundle: b, Signature: verify(t, b, anchors)}
			fields(t, printed(t, r.WriteJSON), actual)
		}
	}
	same(t, "inspect", documentedFields(t, "### trustpool.inspect/1"), names(actual))
}

func TestVerifyFields(t *testing.T) {
	t.Parallel()
	actual := map[string]bool{}
	for _, anchors := range [][]roots.Anchor{labRoot(t), roots.BuiltIn()} {
		fields(t, printed(t, verify(t, read(t, "lab-core-v1.p7b"), anchors).WriteJSON), actual)
	}
	same(t, "verify", documentedFields(t, "### trustpool.verify/1"), names(actual))
}

func TestEvidenceFields(t *testing.T) {
	t.Parallel()
	e := report.NewEvidence("v1.2.3", at)
	e.Add("ios.p7b", nil)
	r := verify(t, read(t, "lab-core-v1.p7b"), labRoot(t))
	r.Evidence = e
	all, actual := map[string]bool{}, map[string]bool{}
	fields(t, printed(t, r.WriteJSON), all)
	for name := range all {
		if field, ok := strings.CutPrefix(name, "evidence."); ok {
			actual[field] = true
		}
	}
	same(t, "evidence", documentedFields(t, "### Evidence"), names(actual))
}

func TestDiffFields(t *testing.T) {
	t.Parallel()
	d := inspect.Diff{Diff: bundle.Compare(read(t, "lab-core-v1.p7b"), read(t, "lab-core-v2.p7b"))}
	actual := map[string]bool{}
	// A pair's members have the fields of added and removed, as the page says.
	fields(t, printed(t, d.WriteJSON), actual, "reissued[].old", "reissued[].new", "rekeyed[].old", "rekeyed[].new")
	same(t, "diff", documentedFields(t, "### trustpool.diff/1"), names(actual))

	cisco := map[string]bool{}
	fields(t, printed(t, func(w io.Writer) error { return feed.WriteDiff(w, d.Diff) }), cisco)
	same(t, "Cisco's diff.json", documentedFields(t, "### Cisco's diff.json"), names(cisco))
}

func TestFeedFields(t *testing.T) {
	t.Parallel()
	var files []feed.File
	for _, name := range []string{"rss.xml", "lab.diff.json", "manifest.log"} {
		data, err := os.ReadFile("../testdata/feed/trs/current/lab/" + name)
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, feed.File{Name: name, Data: data})
	}
	f, err := feed.Read(files...)
	if err != nil {
		t.Fatal(err)
	}
	b := read(t, "lab-core-v1.p7b")
	root := [][32]byte{b.Certificates[0].SHA256}
	r := f.Judge(feed.Question{
		Held:    &feed.Held{File: "lab.p7b", Name: b.Name, Version: b.Version, Certificates: b.Certificates},
		Needed:  []feed.Needed{{SHA256: root}},
		Servers: []feed.Server{{Name: "lab.example:443", Roots: root}},
	})
	actual := map[string]bool{}
	fields(t, printed(t, r.WriteJSON), actual)
	same(t, "feed", documentedFields(t, "### trustpool.feed/1"), names(actual))
}

// What a server says: of bundles, one in the archive, and of itself, all well or not.
func TestHostingFields(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	d, err := store.OpenDir(dir, new(durable.Disk))
	if err != nil {
		t.Fatal(err)
	}
	st := store.New(d)
	for _, file := range []string{"lab-core-v1.p7b", "lab-core-v2.p7b"} {
		o := store.PublishOptions{Name: "ios", Anchors: labRoot(t), At: at, Now: at}
		if _, err := st.Publish(t.Context(), read(t, file).Raw, o); err != nil {
			t.Fatal(err)
		}
	}
	var log bytes.Buffer
	s, err := hosting.New(t.Context(), hosting.Options{
		Source: hosting.Store(st), Anchors: labRoot(t), Now: func() time.Time { return at }, AccessLog: slog.New(slog.NewJSONHandler(&log, nil)),
	})
	if err != nil {
		t.Fatal(err)
	}
	index, ready := map[string]bool{}, map[string]bool{}
	// A release of the archive has the fields of the current one that the page names.
	fields(t, printed(t, s.Catalog().Index(at).WriteJSON), index, "bundles[].archive")
	same(t, "catalog", documentedFields(t, "### trustpool.catalog/1"), names(index))
	fields(t, printed(t, s.Ready().WriteJSON), ready)
	same(t, "ready", documentedFields(t, "### trustpool.ready/1"), names(ready))
	s.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/ios.p7b", nil))
	line := map[string]bool{}
	fields(t, log.Bytes(), line)
	same(t, "access log", documentedFields(t, "### Access log"), names(line))
}

func TestImportFields(t *testing.T) {
	t.Parallel()
	actual, file := map[string]bool{}, map[string]bool{}
	for _, name := range []string{"asa", "iosxr", "fxos"} {
		platform, err := device.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		p := platform.BuiltIn()
		r, err := device.Import(p, read(t, "lab-quirks-v1.p7b"), device.ImportOptions{Platform: platform, Anchors: labRoot(t), At: at})
		if err != nil {
			t.Fatal(err)
		}
		fields(t, printed(t, func(w io.Writer) error { return r.WriteJSON(w, true) }), actual)
		fields(t, printed(t, p.WriteJSON), file)
	}
	for _, identified := range []bool{false, true} {
		l := listing(t)
		if identified {
			l.Identify(pool.Source{Name: "it", Certificates: read(t, "lab-core-v1.p7b").Certificates})
		}
		fields(t, printed(t, l.Pool().WriteJSON), file)
	}
	same(t, "import", documentedFields(t, "### trustpool.import/1"), names(actual))
	same(t, "pool", documentedFields(t, "### trustpool.pool/1"), names(file))
}

func TestConfigFields(t *testing.T) {
	t.Parallel()
	actual := map[string]bool{}
	modes := map[config.Mode]bool{}
	for _, name := range []string{"asa", "fxos", "ios"} {
		platform, err := device.Lookup(name)
		if err != nil {
			t.Fatal(err)
		}
		for _, o := range []config.Options{{URL: "http://192.0.2.1/ios.p7b", Policy: true}, {PEM: read(t, "lab-root.pem").Certificates}} {
			o.Platform = platform
			s, err := config.New(o)
			if err != nil {
				t.Fatal(err)
			}
			fields(t, printed(t, s.WriteJSON), actual)
			for _, l := range s.Lines() {
				modes[l.Mode] = true
			}
		}
	}
	same(t, "config", documentedFields(t, "### trustpool.config/1"), names(actual))
	text := section(t, "formats.md", "### trustpool.config/1")
	for mode := range modes {
		if !strings.Contains(text, "`"+string(mode)+"`") {
			t.Errorf("the mode %s is not documented", mode)
		}
	}
}

func TestKitFields(t *testing.T) {
	t.Parallel()
	der := pkitest.Lab().P256Signer.Chain()
	id, err := signing.NewIdentity(pkitest.Lab().P256Signer.Key.Signer, []*certificate.Certificate{parse(t, der[0]).Certificates[0], parse(t, der[1]).Certificates[0]})
	if err != nil {
		t.Fatal(err)
	}
	var packed bytes.Buffer
	err = kit.Pack(&packed, []kit.Item{{Name: "lab", Bundle: read(t, "lab-core-v2.p7b"), Old: read(t, "lab-core-v1.p7b")}},
		kit.PackOptions{Anchors: labRoot(t), At: at, Signer: id, Program: &kit.Program{Name: "trustpool", Data: []byte("x")}})
	if err != nil {
		t.Fatal(err)
	}
	kitRoot, err := roots.FromCertificate(read(t, "lab-p256-root.pem").Certificates[0])
	if err != nil {
		t.Fatal(err)
	}
	k, err := kit.Open(bytes.NewReader(packed.Bytes()), int64(packed.Len()), kit.OpenOptions{
		Anchors: labRoot(t), At: at, KitAnchors: []roots.Anchor{kitRoot}, Previous: []kit.Previous{{File: "v1", Bundle: read(t, "lab-core-v1.p7b")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	manifest, whole := map[string]bool{}, map[string]bool{}
	fields(t, printed(t, func(w io.Writer) error { return report.WriteJSON(w, k.Manifest) }), manifest)
	r := kit.NewReport(k, k.SHA256, nil, nil)
	r.Published("here", []*store.Publication{{Refusals: []store.Refusal{{}}}})
	fields(t, printed(t, r.WriteJSON), whole)
	same(t, "kit", documentedFields(t, "### trustpool.kit/1"), names(manifest))
	same(t, "receive", documentedFields(t, "### trustpool.receive/1"), names(whole))
}

func parse(t *testing.T, data []byte) *bundle.Bundle {
	t.Helper()
	b, err := bundle.Parse(data)
	if err != nil {
		t.Fatal(err)
	}
	return b
}

func TestExplainFields(t *testing.T) {
	t.Parallel()
	r, err := explain.Read(strings.NewReader("Trustpoint CA certificate is not FIPS compliant.\n%PKI-3-EXAMPLE: x\n"))
	if err != nil {
		t.Fatal(err)
	}
	actual := map[string]bool{}
	fields(t, printed(t, r.WriteJSON), actual)
	same(t, "explain", documentedFields(t, "### trustpool.explain/1"), names(actual))
}

// listing is what a device shows of a bundle.
func listing(t *testing.T) *device.Listing {
	t.Helper()
	var shown bytes.Buffer
	if err := show.Write(&shown, show.IOSXE, read(t, "lab-core-v1.p7b").Certificates, show.Downloaded); err != nil {
		t.Fatal(err)
	}
	platform, err := device.Lookup("iosxe")
	if err != nil {
		t.Fatal(err)
	}
	l, err := device.ReadListing(shown.Bytes(), platform, at)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func TestPoolReadFields(t *testing.T) {
	t.Parallel()
	l := listing(t)
	d, err := device.Compare(l.Pool(), read(t, "lab-core-v2.p7b"))
	if err != nil {
		t.Fatal(err)
	}
	l.Difference = d
	actual, diff := map[string]bool{}, map[string]bool{}
	fields(t, printed(t, func(w io.Writer) error { return l.WriteJSON(w, true) }), actual, "difference")
	fields(t, printed(t, d.WriteJSON), diff)
	same(t, "pool read", documentedFields(t, "### trustpool.pool-read/1"), names(actual))
	same(t, "diff of a pool", documentedFields(t, "### trustpool.pool-diff/1"), names(diff))
}

func TestReachFields(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("../testdata/chains/lab-servers.txt")
	if err != nil {
		t.Fatal(err)
	}
	servers, err := reach.ParseChains("", data)
	if err != nil {
		t.Fatal(err)
	}
	platform, err := device.Lookup("asa")
	if err != nil {
		t.Fatal(err)
	}
	// The host stands in the common name alone, which is a doubt.
	doubtful, err := reach.FromDER("x.example:443", [][]byte{pkitest.ServerTemplate("x.example").Without("2.5.29.17").Sign(pkitest.Lab().Root)})
	if err != nil {
		t.Fatal(err)
	}
	servers = append(servers, doubtful)
	all := func(*certificate.Certificate) bool { return true }
	actual := map[string]bool{}
	for _, o := range []*device.ImportOptions{nil, {Platform: platform, Anchors: labRoot(t), At: at}} {
		r, err := reach.Judge(reach.Plan{
			New: read(t, "lab-core-v2.p7b"), Old: read(t, "lab-core-v1.p7b"), Without: []bundle.Filter{all},
			Device: o, Servers: servers, Options: reach.Options{At: at},
		})
		if err != nil {
			t.Fatal(err)
		}
		fields(t, printed(t, r.WriteJSON), actual)
	}
	same(t, "reach", documentedFields(t, "### trustpool.reach/1"), names(actual))
}

func TestWatchFields(t *testing.T) {
	t.Parallel()
	lab := pkitest.LabServers()
	chains := map[string][][]byte{"a.example:1": lab[0].Chain, "b.example:1": lab[5].Chain}
	w, err := watch.New(watch.Options{
		Servers: []string{"a.example:1", "b.example:1"}, Now: func() time.Time { return at },
		Bundles: func() []watch.Bundle {
			return []watch.Bundle{{Name: "ios", Parse: func() (*bundle.Bundle, error) { return read(t, "lab-core-v2.p7b"), nil }}}
		},
		Marked: func(string, *certificate.Certificate) string { return "" },
		Fetch:  func(_ context.Context, address string) ([][]byte, error) { return chains[address], nil },
		Sleep:  func(context.Context, time.Duration) error { return nil }, Jitter: func() float64 { return 0 },
	})
	if err != nil {
		t.Fatal(err)
	}
	w.Ask(t.Context())
	actual := map[string]bool{}
	fields(t, printed(t, w.Report().WriteJSON), actual, "servers[].bundles[].root", "servers[].bundles[].last_root")
	same(t, "watch", documentedFields(t, "### trustpool.watch/1"), names(actual))
}

func TestAuditFields(t *testing.T) {
	t.Parallel()
	b := read(t, "lab-quirks-v1.p7b")
	signature, old := verify(t, b, labRoot(t)), read(t, "lab-core-v1.p7b")
	requirements, err := audit.ParseRequirements([]byte("schema: trustpool.requirements/1\nexceptions: [{rule: expired, reason: r, until: 2099-01-01}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	program := &audit.Program{Name: "certdata.txt", Store: roots.NewStore(nil)}
	r, err := audit.Run(audit.Subject{Platform: "asa", Entries: pool.Of(b.Certificates), Signature: &signature, Against: &audit.Subject{Entries: pool.Of(old.Certificates)}},
		audit.Criteria{At: at, Requirements: requirements, Program: program, Manifest: &audit.Manifest{ManifestLog: &feed.ManifestLog{}}, Needs: audit.Needs()})
	if err != nil {
		t.Fatal(err)
	}
	actual := map[string]bool{}
	fields(t, printed(t, r.WriteJSON), actual, "gone")
	same(t, "audit", documentedFields(t, "### trustpool.audit/1"), names(actual))

	header, _, _ := strings.Cut(string(printed(t, r.WriteCSV)), "\n")
	if !strings.Contains(section(t, "formats.md", "### CSV"), "\n"+header+"\n") {
		t.Errorf("the header is not documented: %s", header)
	}
}

// The example of audit.md is requirements, and its table has every field of them.
func TestRequirementsExample(t *testing.T) {
	t.Parallel()
	text := section(t, "audit.md", "## Requirements")
	_, rest, _ := strings.Cut(text, "```yaml\n")
	example, _, _ := strings.Cut(rest, "```")
	if _, err := audit.ParseRequirements([]byte(example)); err != nil {
		t.Error(err)
	}
	data, err := os.ReadFile("requirements.schema.json")
	if err != nil {
		t.Fatal(err)
	}
	var schema struct{ Properties map[string]any }
	if err := json.Unmarshal(data, &schema); err != nil {
		t.Fatal(err)
	}
	for field := range schema.Properties {
		if !strings.Contains(text, "`"+field+"`") || field != "allowed" && !strings.Contains(example, field+":") {
			t.Errorf("%s is not documented, or not in the example", field)
		}
	}
}

// The document is made by the command line, which a test here cannot import.
func TestAnchorsFields(t *testing.T) {
	t.Parallel()
	file, err := parser.ParseFile(token.NewFileSet(), "../internal/cli/anchors.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var actual []string
	ast.Inspect(file, func(n ast.Node) bool {
		if f, ok := n.(*ast.Field); ok && f.Tag != nil {
			tag, _ := strconv.Unquote(f.Tag.Value)
			actual = append(actual, reflect.StructTag(tag).Get("json"))
		}
		return true
	})
	var documented []string
	for _, field := range documentedFields(t, "### trustpool.anchors/1") {
		documented = append(documented, path.Base(strings.ReplaceAll(field, "[].", "/")))
	}
	same(t, "anchors", documented, actual)
}

func TestCSVColumns(t *testing.T) {
	t.Parallel()
	b := read(t, "one.der")
	r := inspect.Report{Bundle: b, Signature: verify(t, b, roots.BuiltIn())}
	header, _, _ := strings.Cut(string(printed(t, r.WriteCSV)), "\n")
	if !strings.Contains(section(t, "formats.md", "### CSV"), "\n"+header+"\n") {
		t.Errorf("the header is not documented: %s", header)
	}
}

func TestForms(t *testing.T) {
	t.Parallel()
	actual := []string{}
	for _, f := range []bundle.Form{bundle.FormSigned, bundle.FormOuter, bundle.FormCertsOnly, bundle.FormPEM, bundle.FormDER, bundle.FormDirectory} {
		actual = append(actual, string(f))
	}
	same(t, "forms", firstCells(section(t, "formats.md", "## What is read")), actual)
}

func TestStyles(t *testing.T) {
	t.Parallel()
	var actual []string
	for _, s := range show.Styles() {
		actual = append(actual, string(s))
	}
	same(t, "styles", firstCells(section(t, "formats.md", "### Styles")), actual)
}

func TestVectorHeader(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../testdata/vectors/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("%d vectors, %v", len(files), err)
	}
	actual := map[string]bool{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		header, _, _ := strings.Cut(string(data), "\n\n")
		for line := range strings.Lines(header) {
			key, _, _ := strings.Cut(line, ":")
			actual[key] = true
		}
	}
	same(t, "vectors", firstCells(section(t, "formats.md", "## Vectors")), names(actual))
}

func TestLayout(t *testing.T) {
	t.Parallel()
	var actual []string
	err := filepath.WalkDir("..", func(dir string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || dir == ".." {
			return err
		}
		if name := d.Name(); name == "testdata" || strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") {
			return fs.SkipDir
		}
		files, err := filepath.Glob(filepath.Join(dir, "*.go"))
		if len(files) > 0 {
			actual = append(actual, strings.TrimPrefix(filepath.ToSlash(dir), "../"))
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	same(t, "packages", firstCells(section(t, "layout.md", "## Packages")), actual)
}

// Each function that layout.md names as FILE: FUNCTION is in that file.
func TestWalk(t *testing.T) {
	t.Parallel()
	text := section(t, "layout.md", "## One command, followed through the code")
	steps := regexp.MustCompile("`([a-z/]+\\.go)`: ((?:`[A-Za-z.]+`(?:, )?)+)").FindAllStringSubmatch(text, -1)
	if len(steps) == 0 {
		t.Fatal("no steps found")
	}
	for _, step := range steps {
		file, err := parser.ParseFile(token.NewFileSet(), filepath.Join("..", step[1]), nil, parser.SkipObjectResolution)
		if err != nil {
			t.Error(err)
			continue
		}
		var functions []string
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok {
				name := f.Name.Name
				if f.Recv != nil {
					receiver := f.Recv.List[0].Type
					if star, ok := receiver.(*ast.StarExpr); ok {
						receiver = star.X
					}
					name = receiver.(*ast.Ident).Name + "." + name
				}
				functions = append(functions, name)
			}
		}
		for _, m := range regexp.MustCompile("`([^`]+)`").FindAllStringSubmatch(step[2], -1) {
			if !slices.Contains(functions, m[1]) {
				t.Errorf("%s has no function %s", step[1], m[1])
			}
		}
	}
}

func TestPlatforms(t *testing.T) {
	t.Parallel()
	var actual []string
	for _, p := range device.Platforms() {
		actual = append(actual, p.Name)
		heading := section(t, "devices.md", "## Platforms")
		for _, alias := range p.Aliases {
			if !strings.Contains(heading, "`"+alias+"`") {
				t.Errorf("the alias %s of %s is not documented", alias, p.Name)
			}
		}
		var built, documented []string
		for _, e := range p.BuiltIn().Entries {
			built = append(built, e.Serial+" "+e.Subject)
		}
		if len(built) == 0 {
			continue
		}
		for _, m := range regexp.MustCompile("(?m)^\\| `([0-9A-F]+)` \\| `([^`]+)` \\|").
			FindAllStringSubmatch(section(t, "devices.md", "### "+p.Title+", built in"), -1) {
			documented = append(documented, m[1]+" "+m[2])
		}
		same(t, "built into "+p.Name, documented, built)
	}
	same(t, "platforms", firstCells(section(t, "devices.md", "## Platforms")), actual)
}

// README.md shows the built-in anchors.
func TestReadmeAnchors(t *testing.T) {
	t.Parallel()
	readme, err := os.ReadFile("../README.md")
	if err != nil {
		t.Fatal(err)
	}
	want := "$ trustpool anchors list\n"
	for _, a := range roots.BuiltIn() {
		want += fmt.Sprintf("%x  %s\n", a.SHA256, a.Name)
	}
	if !strings.Contains(string(readme), want) {
		t.Errorf("README.md does not show\n%s", want)
	}
}

// Links between the documents lead to files, and to headings in them.
func TestLinks(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../*.md")
	if err != nil {
		t.Fatal(err)
	}
	more, err := filepath.Glob("*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range append(files, more...) {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range regexp.MustCompile(`\]\(([^)\s]+)\)`).FindAllStringSubmatch(string(data), -1) {
			to, anchor, _ := strings.Cut(m[1], "#")
			if strings.Contains(to, "://") {
				continue
			}
			target := file
			if to != "" {
				target = filepath.Join(filepath.Dir(file), to)
			}
			text, err := os.ReadFile(target)
			if err != nil {
				t.Errorf("%s: %v", file, err)
				continue
			}
			heading := "(?mi)^#+ " + strings.ReplaceAll(regexp.QuoteMeta(anchor), "-", "[ -]") + "$"
			if anchor != "" && !regexp.MustCompile(heading).Match(text) {
				t.Errorf("%s: %s has no heading %s", file, target, anchor)
			}
		}
	}
}

package audit_test

import (
	"bytes"
	"fmt"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"trustpool/bundle"
	"trustpool/bundle/certificate"
	"trustpool/internal/audit"
	"trustpool/internal/pkitest"
	"trustpool/internal/tooltest"
	"trustpool/internal/yamlstrict/schematest"
	"trustpool/roots"
	"trustpool/signing"
)

var fuzzCertificate = sync.OnceValue(func() *certificate.Certificate {
	b, err := bundle.Parse(pkitest.CertsOnly(plain(nil)))
	if err != nil {
		panic(err)
	}
	return b.Certificates[0]
})

const requirementsHead = "schema: trustpool.requirements/1\n"

const aHash = "85a0dd7dd720adb7ff05f83d542b209dc7ff4528f7d677b18389fea5e5c49e86"

// goodRequirements have every field.
const goodRequirements = requirementsHead + `need: [smart-licensing, webex]
required:
  - {sha256: ` + aHash + `, name: QuoVadis Root CA 2}
forbidden:
  - {spki: ` + aHash + `, reason: not ours}
allowed:
  - {sha256: ` + aHash + `}
expiring: 180d
max-age: 1y
min-rsa-bits: 3072
min-certificates: 1
max-certificates: 500
severities: {sha1-signature: warning}
exceptions:
  - {rule: expired, sha256: ` + aHash + `, name: Old, reason: until the switches are replaced, until: 2027-01-01}
  - {rule: sha1-signature, reason: roots sign themselves}
`

var badRequirements = []struct {
	text, want string
	syntaxOnly bool // the schema cannot see it
}{
	{"", "line 1, column 1: empty document", false},
	{"schema: trustpool.recipe/1\n", "schema is to be trustpool.requirements/1", false},
	{requirementsHead + "requird: []\n", `line 2, column 1: the requirements has no field "requird"`, false},
	{requirementsHead + "---\na: b\n", "line 2, column 1: a second document", true},
	{requirementsHead + "need: [licensing]\n", `line 2, column 8: no need is called "licensing": there are smart-licensing, `, false},
	{requirementsHead + "need: smart-licensing\n", "line 2, column 7: need is to be a list", false},
	{requirementsHead + "required: [{}]\n", "line 2, column 12: required takes either sha256 or spki", false},
	{requirementsHead + "required: [{sha256: " + aHash + ", spki: " + aHash + "}]\n", "line 2, column 12: required takes either sha256 or spki", false},
	{requirementsHead + "allowed: [{sha256: abcd}]\n", "line 2, column 20: sha256 is to be 64 hex digits", true},
	{requirementsHead + "severities: {expierd: info}\n", `line 2, column 14: no rule is called "expierd"`, false},
	{requirementsHead + "severities: {expired: fatal}\n", `line 2, column 23: a severity is info, warning or error, not "fatal"`, false},
	{requirementsHead + "severities: {expired: never}\n", `a severity is info, warning or error, not "never"`, false},
	{requirementsHead + "exceptions: [{rule: expired}]\n", "line 2, column 14: an exception needs a reason", false},
	{requirementsHead + "exceptions: [{reason: r}]\n", "an exception needs a rule", false},
	{requirementsHead + "exceptions: [{rule: expierd, reason: r}]\n", `no rule is called "expierd"`, false},
	{requirementsHead + "exceptions: [{rule: expired, reason: r, sha256: " + aHash + ", spki: " + aHash + "}]\n", "an exception takes sha256 or spki, not both", false},
	{requirementsHead + "exceptions: [{rule: expired, reason: r, until: soon}]\n", "line 2, column 48: until is to be a time", false},
	{requirementsHead + "expiring: 0d\n", "line 2, column 11: expiring: is to be longer than nothing", true},
	{requirementsHead + "expiring: 90 days\n", "line 2, column 11: expiring: ", true},
	{requirementsHead + "min-rsa-bits: -1\n", "min-rsa-bits is to be a whole number above 0", false},
	{requirementsHead + "min-certificates: 3\nmax-certificates: 2\n", "min-certificates is above max-certificates", true},
}

func TestParseRequirements(t *testing.T) {
	t.Parallel()
	r, err := audit.ParseRequirements([]byte(goodRequirements))
	if err != nil {
		t.Fatal(err)
	}
	if len(r.Needs) != 2 || len(r.Required) != 1 || len(r.Exceptions) != 2 || r.Severities["sha1-signature"] != audit.Warning || r.MinRSABits != 3072 {
		t.Errorf("%+v", r)
	}
	for _, test := range badRequirements {
		r, err := audit.ParseRequirements([]byte(test.text))
		if r != nil || err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%q: %v, not %s", test.text, err, test.want)
		}
	}
}

// A key is the same key however it is written: what is forbidden, allowed or
// distrusted by it, and for the rules that compare keys.
func TestSameKey(t *testing.T) {
	t.Parallel()
	same := pkitest.SameKey()
	all := bundled(t, same...)
	for i, der := range same {
		key := fmt.Sprintf("[{spki: %x}]\n", certificate.Read(der).KeyID())
		distrusts := program(der, func(r *roots.Root) { r.Trust = map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Distrusted} })
		got := found(run(t, all, audit.Criteria{Requirements: requirements(t, "forbidden: "+key), Program: distrusts}))
		if got["forbidden"] != len(same) || got["known-distrusted"] != len(same) || got["same-key"] != 1 {
			t.Errorf("by the key of %d: %d forbidden, %d distrusted, %d groups of one key", i, got["forbidden"], got["known-distrusted"], got["same-key"])
		}
		if got := found(run(t, all, audit.Criteria{Requirements: requirements(t, "allowed: "+key+"required: "+key)})); got["not-allowed"]+got["required-missing"] != 0 {
			t.Errorf("by the key of %d: %d not allowed, %d missing", i, got["not-allowed"], got["required-missing"])
		}
	}
}

// What is written from a bundle is read, and the bundle meets it; another does not.
func TestWriteRequirements(t *testing.T) {
	t.Parallel()
	write := func(s audit.Subject, o audit.Criteria) string {
		var out bytes.Buffer
		if err := audit.WriteRequirements(&out, run(t, s, o)); err != nil {
			t.Fatal(err)
		}
		return out.String()
	}
	meets := func(s audit.Subject, o audit.Criteria, text string) *audit.Report {
		r, err := audit.ParseRequirements([]byte(text))
		if err != nil {
			t.Fatalf("%v\n%s", err, text)
		}
		o.Requirements = r
		return run(t, s, o)
	}
	// The elements are of every oddity, one that is not a certificate among them.
	odd := verified(bundled(t, append(pkitest.QuirkPool(), pkitest.CoreV1()...)...), nil)
	text := write(odd, audit.Criteria{})
	r := meets(odd, audit.Criteria{}, text)
	if n := found(r)["not-allowed"]; n != 0 || r.Fails() || r.Excused() != 1 {
		t.Errorf("%d are not allowed, %d excused, fails: %t\n%s", n, r.Excused(), r.Fails(), text)
	}
	if got := found(meets(bundled(t, plain(nil)), audit.Criteria{}, text))["not-allowed"]; got != 1 {
		t.Errorf("%d of another bundle are not allowed", got)
	}
	// What a root program distrusts is excused, and marked.
	root := plain(nil)
	distrusted := audit.Criteria{Program: program(root, func(r *roots.Root) { r.Trust = map[roots.Purpose]roots.Trust{roots.ServerAuth: roots.Distrusted} })}
	s := verified(bundled(t, root, root), nil)
	text = write(s, distrusted)
	if r := meets(s, distrusted, text); r.Fails() || !strings.Contains(text, "reason: 'REVIEW: certdata.txt distrusts A Root for serverAuth") || strings.Count(text, "rule: known-distrusted") != 1 {
		t.Errorf("fails: %t\n%s", r.Fails(), text)
	}
	// A signature is never excused.
	for _, s := range []audit.Subject{refused(bundled(t, root), signing.ChainNoAnchor), refused(bundled(t, root), signing.NotSigned)} {
		text := write(s, audit.Criteria{})
		if !strings.Contains(text, "# REVIEW: nobody vouches") || strings.Contains(text, "rule: signature-not-verified") {
			t.Error(text)
		}
	}
	if err := audit.WriteRequirements(io.Discard, run(t, audit.Subject{}, audit.Criteria{})); err == nil {
		t.Error("requirements of nothing")
	}
}

// Genuine bundles hold what is distrusted, and meet what is written of them.
func TestWriteRequirementsGenuine(t *testing.T) {
	t.Parallel()
	for _, file := range []string{tooltest.Core2017, tooltest.IOS2016, tooltest.IOS2021} {
		s := subject(t, tooltest.Corpus(t, file), roots.BuiltIn())
		r := run(t, s, audit.Criteria{})
		var out bytes.Buffer
		if err := audit.WriteRequirements(&out, r); err != nil {
			t.Fatal(err)
		}
		requirements, err := audit.ParseRequirements(out.Bytes())
		if err != nil {
			t.Fatal(err)
		}
		if again := run(t, s, audit.Criteria{Requirements: requirements}); again.Fails() || again.Excused() != r.Count(audit.Error) {
			t.Errorf("%s: fails %t, %d excused of %d", file, again.Fails(), again.Excused(), r.Count(audit.Error))
		}
	}
}

// The schema and the parser agree.
func TestRequirementsSchema(t *testing.T) {
	t.Parallel()
	s := schematest.Open(t, "../../docs/requirements.schema.json")
	doc := s.Document
	if err := s.Validate(t, []byte(goodRequirements)); err != nil {
		t.Error(err)
	}
	for _, test := range badRequirements {
		if !test.syntaxOnly && s.Validate(t, []byte(test.text)) == nil {
			t.Errorf("the schema takes %q", test.text)
		}
	}
	defs := doc["$defs"].(map[string]any)
	var ids []string
	for _, r := range audit.Rules() {
		ids = append(ids, r.ID)
	}
	sameWords(t, "rules", defs["rule"].(map[string]any)["enum"], ids)
	var needs []string
	for _, n := range audit.Needs() {
		needs = append(needs, n.Name)
	}
	sameWords(t, "needs", doc["properties"].(map[string]any)["need"].(map[string]any)["items"].(map[string]any)["enum"], needs)

	if p, d := schematest.ParsedFields(t, "parse.go"), s.Fields(); !slices.Equal(p, d) {
		t.Errorf("the parser knows\n%s\nthe schema\n%s", p, d)
	}
}

func sameWords(t *testing.T, what string, schema any, actual []string) {
	t.Helper()
	var words []string
	for _, w := range schema.([]any) {
		words = append(words, w.(string))
	}
	slices.Sort(words)
	if actual = slices.Sorted(slices.Values(actual)); !slices.Equal(words, actual) {
		t.Errorf("%s of the schema:\n%s\nthere are:\n%s", what, words, actual)
	}
}

// An exception may name the one certificate that may be missing, and leaves the
// others required.
func TestExceptionForMissing(t *testing.T) {
	t.Parallel()
	root, other := plain(nil), quirk("expired")
	need, err := audit.NeedFile("both.pem", certificates(bundled(t, root, other)))
	if err != nil {
		t.Fatal(err)
	}
	req := requirements(t, "exceptions: [{rule: required-missing, sha256: "+bytesHex(sum(root)[:])+", reason: later}]\n")
	r := run(t, bundled(t, quirk("serial-0")), audit.Criteria{Needs: []audit.Need{need}, Requirements: req})
	if found(r)["required-missing"] != 2 || r.Excused() != 1 || !r.Fails() {
		t.Errorf("%v, %d excused", found(r), r.Excused())
	}
	if want := (audit.NeedResult{Name: "both.pem", Required: 2}); len(r.Needs) != 1 || r.Needs[0] != want {
		t.Errorf("%+v", r.Needs)
	}
}

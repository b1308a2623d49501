package audit

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"trustpool/internal/report"
	"trustpool/internal/yamlstrict"
)

// requirementsSchema is the value of the requirements' field schema.
const requirementsSchema = "trustpool.requirements/1"

// field reads the value of one key.
type field = yamlstrict.Field

// ParseRequirements reads requirements; docs/audit.md and
// docs/requirements.schema.json say what they may hold. Unknown fields, a second
// document and words that YAML may misread are errors, *yamlstrict.SyntaxError with
// line and column.
func ParseRequirements(data []byte) (*Requirements, error) {
	root, err := yamlstrict.Document(data)
	if err != nil {
		return nil, err
	}
	r := &Requirements{Severities: map[string]Severity{}}
	schema := ""
	err = yamlstrict.Mapping(root, "the requirements", map[string]field{
		"schema":           yamlstrict.Into(&schema, yamlstrict.Text, "schema"),
		"need":             yamlstrict.Into(&r.Needs, readNeeds, "need"),
		"required":         yamlstrict.Into(&r.Required, readPins, "required"),
		"forbidden":        yamlstrict.Into(&r.Forbidden, readPins, "forbidden"),
		"allowed":          yamlstrict.Into(&r.Allowed, readPins, "allowed"),
		"expiring":         yamlstrict.Into(&r.Expiring, yamlstrict.Duration, "expiring"),
		"max-age":          yamlstrict.Into(&r.MaxAge, yamlstrict.Duration, "max-age"),
		"min-rsa-bits":     yamlstrict.Into(&r.MinRSABits, yamlstrict.Number, "min-rsa-bits"),
		"min-certificates": yamlstrict.Into(&r.MinCertificates, yamlstrict.Number, "min-certificates"),
		"max-certificates": yamlstrict.Into(&r.MaxCertificates, yamlstrict.Number, "max-certificates"),
		"severities":       r.readSeverities,
		"exceptions":       yamlstrict.Into(&r.Exceptions, readExceptions, "exceptions"),
	})
	switch {
	case err != nil:
		return nil, err
	case schema != requirementsSchema:
		return nil, yamlstrict.ErrorAt(yamlstrict.At(root), "schema is to be %s, not %q", requirementsSchema, schema)
	case r.MaxCertificates != 0 && r.MinCertificates > r.MaxCertificates:
		return nil, yamlstrict.ErrorAt(yamlstrict.At(root), "min-certificates is above max-certificates")
	}
	r.forbidden, r.allowed = newIndex(r.Forbidden), newIndex(r.Allowed)
	return r, nil
}

func readNeeds(n *yaml.Node, what string) ([]Need, error) {
	return yamlstrict.List(n, what, func(c *yaml.Node) (Need, error) {
		name, err := yamlstrict.Text(c, "the name of a need")
		if err != nil {
			return Need{}, err
		}
		need, ok := LookupNeed(name)
		if !ok {
			err = yamlstrict.ErrorAt(yamlstrict.At(c), "no need is called %q: there are %s", name, needNames())
		}
		return need, err
	})
}

func needNames() string {
	var names []string
	for _, n := range Needs() {
		names = append(names, n.Name)
	}
	return strings.Join(names, ", ")
}

// pinFields are the fields of a Pin.
func pinFields(p *Pin) map[string]field {
	return map[string]field{
		"name":   yamlstrict.Into(&p.Name, yamlstrict.Text, "name"),
		"sha256": yamlstrict.Into(&p.SHA256, yamlstrict.SHA256, "sha256"),
		"spki":   yamlstrict.Into(&p.SPKI, yamlstrict.SHA256, "spki"),
		"reason": yamlstrict.Into(&p.Reason, yamlstrict.Text, "reason"),
	}
}

// readPins reads a list of pins; an empty one of what is allowed allows nothing.
func readPins(n *yaml.Node, what string) ([]Pin, error) {
	return yamlstrict.List(n, what, func(c *yaml.Node) (p Pin, err error) {
		err = yamlstrict.Mapping(c, what, pinFields(&p))
		if err == nil && (p.SHA256 == nil) == (p.SPKI == nil) {
			err = yamlstrict.ErrorAt(yamlstrict.At(c), "%s takes either sha256 or spki", what)
		}
		return p, err
	})
}

func (r *Requirements) readSeverities(n *yaml.Node) error {
	return yamlstrict.EachKey(n, "severities", func(id string, k, v *yaml.Node) error {
		if err := knownRule(id, k); err != nil {
			return err
		}
		s, err := yamlstrict.Text(v, "a severity")
		if err != nil {
			return err
		}
		level, err := ParseSeverity(s)
		if err != nil || level == Never {
			return yamlstrict.ErrorAt(yamlstrict.At(v), "a severity is info, warning or error, not %q", s)
		}
		r.Severities[id] = level
		return nil
	})
}

func knownRule(id string, n *yaml.Node) error {
	if !slices.ContainsFunc(Rules(), func(r Rule) bool { return r.ID == id }) {
		return yamlstrict.ErrorAt(yamlstrict.At(n), "no rule is called %q: docs/rules.md lists them", id)
	}
	return nil
}

func readExceptions(n *yaml.Node, what string) ([]*Exception, error) {
	return yamlstrict.List(n, what, func(c *yaml.Node) (*Exception, error) {
		e := &Exception{}
		fields := pinFields(&e.Pin)
		fields["rule"] = yamlstrict.Into(&e.Rule, yamlstrict.Text, "rule")
		fields["until"] = yamlstrict.Into(&e.Until.Time, yamlstrict.Time, "until")
		err := yamlstrict.Mapping(c, "an exception", fields)
		switch {
		case err != nil:
		case e.Rule == "":
			err = yamlstrict.ErrorAt(yamlstrict.At(c), "an exception needs a rule")
		case e.Pin.Reason == "":
			err = yamlstrict.ErrorAt(yamlstrict.At(c), "an exception needs a reason")
		case e.SHA256 != nil && e.SPKI != nil:
			err = yamlstrict.ErrorAt(yamlstrict.At(c), "an exception takes sha256 or spki, not both")
		default:
			err = knownRule(e.Rule, c)
		}
		return e, err
	})
}

// WriteRequirements writes requirements to start from, which the bundle of a
// report meets: all of its certificates are allowed, and no other, and what the
// rules call an error in one of them is excused, marked for review. Nothing excuses a
// signature: the first lines say whether it was verified.
func WriteRequirements(w io.Writer, r *Report) error {
	if r.isPool() {
		return errors.New("a pool does not have the certificates to write requirements from")
	}
	if len(r.Entries) == 0 {
		return errors.New("no certificate to write requirements from")
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# What every bundle has to meet; docs/audit.md has the other fields.\n")
	if s := r.Signature; s != nil {
		fmt.Fprintf(&b, "# Written from a file with the signature %s.\n", s.Summary())
		if !s.Verified {
			fmt.Fprintf(&b, "# REVIEW: nobody vouches for what it lists as allowed.\n")
		}
	}
	fmt.Fprintf(&b, `schema: %s
expiring: %dd
min-rsa-bits: %d
# need: [smart-licensing]
# required:
#   - {sha256: "…", name: "…"}
# forbidden:
#   - {spki: "…", reason: "…"}
`, requirementsSchema, int(defaultExpiring/(24*time.Hour)), defaultRSABits)
	r.writeExceptions(&b)
	b.WriteString("# What is in the bundle now. Without this list everything is allowed.\nallowed:\n")
	seen := map[string]bool{}
	for i := range r.Entries {
		e := r.item(i)
		if sum := e.hash(); !seen[sum] {
			seen[sum] = true
			fmt.Fprintf(&b, "  - sha256: \"%s\"\n", sum)
			if name := quoted(e.Name(), maxName); name != "" {
				fmt.Fprintf(&b, "    name: %s\n", name)
			}
		}
	}
	_, err := w.Write(b.Bytes())
	return err
}

// writeExceptions excuses what is an error in a certificate.
func (r *Report) writeExceptions(b *bytes.Buffer) {
	type excused struct{ rule, sum string }
	seen := map[excused]bool{}
	for _, f := range r.Findings {
		if f.Severity < Error {
			continue
		}
		for _, e := range f.Items {
			x := excused{f.Rule.ID, e.hash()}
			if seen[x] {
				continue
			}
			if len(seen) == 0 {
				b.WriteString("# REVIEW each of these: they excuse what is in the bundle now. Say why it is needed, and until when\n# (until: 2027-01-01), or take it out, and the certificate below too.\nexceptions:\n")
			}
			seen[x] = true
			fmt.Fprintf(b, "  - rule: %s\n    sha256: \"%s\"\n", x.rule, x.sum)
			if name := quoted(e.Name(), maxName); name != "" {
				fmt.Fprintf(b, "    name: %s\n", name)
			}
			fmt.Fprintf(b, "    reason: %s\n", cmp.Or(quoted("REVIEW: "+f.Detail, maxDetail), "'REVIEW'"))
		}
	}
	if len(seen) == 0 {
		b.WriteString("# exceptions:\n#   - {rule: expired, sha256: \"…\", reason: \"…\", until: 2027-01-01}\n")
	}
}

// quoted is text as a quoted word of YAML. It is empty for what is not plain text:
// the hash says which certificate it is.
func quoted(s string, limit int) string {
	s = report.Cut(s, limit)
	if report.Printable(s) != s || strings.TrimSpace(s) == "" {
		return ""
	}
	return "'" + strings.ReplaceAll(s, "'", "''") + "'"
}

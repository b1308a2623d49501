package recipe

import (
	"errors"
	"regexp"
	"slices"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"

	"trustpool/bundle"
	"trustpool/roots"
)

// Parse reads a recipe. Unknown fields, a second document and words that YAML may
// misread are errors, *SyntaxError with line and column. It opens no source.
func Parse(data []byte) (*Recipe, error) {
	root, err := document(data)
	if err != nil {
		return nil, err
	}
	r := &Recipe{Order: OrderInput, Sources: map[string]*Source{}}
	schema := ""
	err = mapping(root, "the recipe", map[string]field{
		"schema":           into(&schema, text, "schema"),
		"bundle":           r.readBundle,
		"sources":          r.readSources,
		"set":              func(n *yaml.Node) (err error) { r.Set, err = readSet(n); return err },
		"filter":           r.readFilter,
		"require":          func(n *yaml.Node) (err error) { r.Require, err = readPins(n, "require"); return err },
		"include":          func(n *yaml.Node) (err error) { r.Include, err = readPins(n, "include"); return err },
		"exclude":          r.readExclude,
		"allow-distrusted": func(n *yaml.Node) (err error) { r.Distrusted, err = readPins(n, "allow-distrusted"); return err },
		"signer":           r.readSigner,
		"outputs":          r.readOutputs,
	})
	if err != nil {
		return nil, err
	}
	if schema != Schema {
		return nil, errAt(at(root), "schema is to be %s, not %q", Schema, schema)
	}
	if err := r.check(at(root)); err != nil {
		return nil, err
	}
	return r, nil
}

// into makes a field of a reader and where its value goes.
func into[T any](to *T, read func(*yaml.Node, string) (T, error), what string) field {
	return func(n *yaml.Node) (err error) {
		*to, err = read(n, what)
		return err
	}
}

func (r *Recipe) readBundle(n *yaml.Node) error {
	return mapping(n, "bundle", map[string]field{
		"name":    into(&r.Name, claim, "name"),
		"version": into(&r.Version, claim, "version"),
		"order": func(n *yaml.Node) error {
			s, err := text(n, "order")
			r.Order = Order(s)
			if err == nil && !slices.Contains([]Order{OrderInput, OrderDER, OrderSHA256, OrderSubject}, r.Order) {
				err = errAt(at(n), "order is to be input, der, sha256 or subject, not %q", s)
			}
			return err
		},
	})
}

// claim reads what Cisco's attributes can hold (X.680 section 41.4).
func claim(n *yaml.Node, what string) (string, error) {
	s, err := text(n, what)
	if err == nil && (len(s) > maxClaim || !claimPattern.MatchString(s)) {
		err = errAt(at(n), "%s is to be at most %d of A-Z, a-z, 0-9, space and '()+,-./:=?", what, maxClaim)
	}
	return s, err
}

func (r *Recipe) readSources(n *yaml.Node) error {
	return eachKey(n, "sources", func(name string, k, v *yaml.Node) error {
		if len(r.Sources) == MaxSources {
			return errAt(at(k), "more than %d sources: files takes a list, and patterns", MaxSources)
		}
		s, err := readSource(v)
		r.Sources[name] = s
		return err
	})
}

func readSource(n *yaml.Node) (*Source, error) {
	s := &Source{At: at(n)}
	kind := func(k Kind, read func(*yaml.Node) error) field {
		return func(n *yaml.Node) error {
			if s.Kind != "" {
				return errAt(at(n), "a source is one of files, bundle, certdata, ccadb, system, url; this is %s and %s", s.Kind, k)
			}
			s.Kind = k
			return read(n)
		}
	}
	path := func(n *yaml.Node) error {
		p, err := text(n, "a path")
		s.Paths = []string{p}
		return err
	}
	err := mapping(n, "a source", map[string]field{
		"files":    kind(KindFiles, into(&s.Paths, texts, "files")),
		"bundle":   kind(KindBundle, path),
		"certdata": kind(KindCertdata, path),
		"ccadb":    kind(KindCCADB, path),
		"url":      kind(KindURL, path),
		"system": kind(KindSystem, func(n *yaml.Node) error {
			yes, err := boolean(n, "system")
			if err == nil && !yes {
				err = errAt(at(n), "system is to be true, or not there")
			}
			return err
		}),
		"sha256":  func(n *yaml.Node) (err error) { s.SHA256, err = readHash(n, "sha256"); return err },
		"root":    into(&s.Anchors, texts, "root"),
		"purpose": func(n *yaml.Node) (err error) { s.Purpose, err = readPurposes(n); return err },
	})
	switch {
	case err != nil:
		return nil, err
	case s.Kind == "":
		return nil, errAt(s.At, "a source is one of files, bundle, certdata, ccadb, system, url; this is none")
	case s.Anchors != nil && s.Kind != KindBundle:
		return nil, errAt(s.At, "root is for a bundle, which is verified; this source is %s", s.Kind)
	case s.Purpose != nil && s.Kind != KindCertdata && s.Kind != KindCCADB:
		return nil, errAt(s.At, "purpose is for certdata and ccadb, which state it; this source is %s", s.Kind)
	case s.Purpose == nil && (s.Kind == KindCertdata || s.Kind == KindCCADB):
		return nil, errAt(s.At, "a %s source needs a purpose: %s", s.Kind, purposeNames())
	case s.Kind == KindURL && !strings.HasPrefix(s.Paths[0], "http://") && !strings.HasPrefix(s.Paths[0], "https://"):
		return nil, errAt(s.At, "url is to begin with http:// or https://")
	case slices.ContainsFunc(s.Paths, isURL) && s.SHA256 == nil:
		return nil, errAt(s.At, "a URL needs its sha256: what comes from the network is pinned")
	case slices.ContainsFunc(s.Anchors, isURL):
		return nil, errAt(s.At, "root is a URL: what is trusted is not fetched")
	}
	return s, nil
}

func isURL(path string) bool { return strings.Contains(path, "://") }

func readPurposes(n *yaml.Node) ([]roots.Purpose, error) {
	names, err := texts(n, "purpose")
	if err != nil {
		return nil, err
	}
	var out []roots.Purpose
	for _, name := range names {
		p := roots.Purpose(name)
		if !slices.Contains(roots.Purposes(), p) {
			return nil, errAt(at(n), "no purpose is called %q: there are %s", name, purposeNames())
		}
		out = append(out, p)
	}
	return out, nil
}

func purposeNames() string {
	var names []string
	for _, p := range roots.Purposes() {
		names = append(names, string(p))
	}
	return strings.Join(names, ", ")
}

func readSet(n *yaml.Node) (Set, error) {
	s := Set{At: at(n)}
	if n.Kind == yaml.ScalarNode {
		var err error
		s.Source, err = text(n, "the name of a source")
		return s, err
	}
	operation := func(to *[]Set, name string) field {
		return func(n *yaml.Node) error {
			if s.Union != nil || s.Intersect != nil || s.Minus != nil {
				return errAt(at(n), "a set is one of union, intersect, minus")
			}
			err := list(n, name, func(c *yaml.Node) error {
				operand, err := readSet(c)
				*to = append(*to, operand)
				return err
			})
			if err == nil && len(*to) == 0 {
				err = errAt(at(n), "%s of nothing", name)
			}
			return err
		}
	}
	err := mapping(n, "a set", map[string]field{
		"union":     operation(&s.Union, "union"),
		"intersect": operation(&s.Intersect, "intersect"),
		"minus":     operation(&s.Minus, "minus"),
	})
	return s, err
}

func (r *Recipe) readFilter(n *yaml.Node) error {
	f := &r.Filter
	err := mapping(n, "filter", map[string]field{
		"valid-at":         into(&f.ValidAt, readTime, "valid-at"),
		"valid-for":        into(&f.ValidFor, readDuration, "valid-for"),
		"min-rsa-bits":     into(&f.MinRSABits, number, "min-rsa-bits"),
		"min-ec-bits":      into(&f.MinECBits, number, "min-ec-bits"),
		"signature-hashes": func(n *yaml.Node) (err error) { f.SignatureHashes, err = readHashNames(n); return err },
		"without-quirks":   func(n *yaml.Node) (err error) { f.WithoutQuirks, err = readQuirks(n); return err },
		"ca-only":          into(&f.CAOnly, boolean, "ca-only"),
	})
	if err == nil && f.ValidFor != 0 && f.ValidAt.IsZero() {
		err = errAt(at(n), "valid-for counts from valid-at, which is missing")
	}
	return err
}

func readHashNames(n *yaml.Node) ([]string, error) {
	names, err := texts(n, "signature-hashes")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.Contains(hashNames, name) {
			return nil, errAt(at(n), "no hash is called %q: there are %s", name, strings.Join(hashNames, ", "))
		}
	}
	return names, nil
}

func readQuirks(n *yaml.Node) ([]string, error) {
	names, err := texts(n, "without-quirks")
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		if !slices.Contains(bundle.Quirks(), bundle.Quirk(name)) {
			return nil, errAt(at(n), "no quirk is called %q: docs/formats.md lists them", name)
		}
	}
	return names, nil
}

func readTime(n *yaml.Node, what string) (time.Time, error) {
	s, err := raw(n, what)
	if err != nil {
		return time.Time{}, err
	}
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, errAt(at(n), "%s is to be a time: 2026-11-21 or 2026-11-21T08:30:00Z", what)
}

func readDuration(n *yaml.Node, what string) (time.Duration, error) {
	s, err := text(n, what)
	if err != nil {
		return 0, err
	}
	d, err := bundle.ParseDuration(s)
	if err == nil && d == 0 {
		err = errors.New("is to be longer than nothing")
	}
	if err != nil {
		return 0, errAt(at(n), "%s: %v", what, err)
	}
	return d, nil
}

func readHash(n *yaml.Node, what string) (*[32]byte, error) {
	s, err := text(n, what)
	if err != nil {
		return nil, err
	}
	sum, ok := roots.ParseSHA256(s)
	if !ok {
		return nil, errAt(at(n), "%s is to be 64 hex digits, a SHA-256", what)
	}
	return &sum, nil
}

// pinFields are the fields of a Pin.
func pinFields(p *Pin) map[string]field {
	return map[string]field{
		"sha256": func(n *yaml.Node) (err error) { p.SHA256, err = readHash(n, "sha256"); return err },
		"spki":   func(n *yaml.Node) (err error) { p.SPKI, err = readHash(n, "spki"); return err },
		"reason": into(&p.Reason, text, "reason"),
	}
}

func (p *Pin) check(what string, needsReason bool) error {
	switch {
	case (p.SHA256 == nil) == (p.SPKI == nil):
		return errAt(p.At, "%s takes either sha256 or spki", what)
	case needsReason && p.Reason == "":
		return errAt(p.At, "%s needs a reason", what)
	}
	return nil
}

func readPins(n *yaml.Node, what string) ([]Pin, error) {
	var out []Pin
	err := list(n, what, func(c *yaml.Node) error {
		p := Pin{At: at(c)}
		if err := mapping(c, what, pinFields(&p)); err != nil {
			return err
		}
		out = append(out, p)
		return p.check(what, what != "require")
	})
	return out, err
}

func (r *Recipe) readExclude(n *yaml.Node) error {
	return list(n, "exclude", func(c *yaml.Node) error {
		e := Exclusion{Pin: Pin{At: at(c)}}
		fields := pinFields(&e.Pin)
		fields["until"] = into(&e.Until, readTime, "until")
		if err := mapping(c, "exclude", fields); err != nil {
			return err
		}
		r.Exclude = append(r.Exclude, e)
		return e.check("exclude", true)
	})
}

func (r *Recipe) readSigner(n *yaml.Node) error {
	s := &Signer{At: at(n)}
	r.Signer = s
	err := mapping(n, "signer", map[string]field{
		"key":         into(&s.Key, text, "key"),
		"certificate": into(&s.Certificate, text, "certificate"),
		"chain":       into(&s.Chain, text, "chain"),
	})
	switch {
	case err != nil:
		return err
	case s.Key == "":
		return errAt(s.At, "signer needs a key: a file, exec:COMMAND or a pkcs11: URI")
	case s.Chain != "" && s.Certificate == "":
		return errAt(s.At, "signer has a chain, and no certificate")
	case isURL(s.Certificate) || isURL(s.Chain):
		return errAt(s.At, "signer has a URL: certificates to sign with are not fetched")
	}
	return nil
}

func (r *Recipe) readOutputs(n *yaml.Node) error {
	o := &r.Outputs
	name := func(to *string, what string) field {
		return func(n *yaml.Node) error {
			s, err := text(n, what)
			*to = s
			if err == nil && !outputPattern.MatchString(s) {
				err = errAt(at(n), "%s: %q is to be the plain name of a file: letters, digits and . _ + -, without a directory", what, s)
			}
			return err
		}
	}
	err := mapping(n, "outputs", map[string]field{
		"signed":     name(&o.Signed, "signed"),
		"certs-only": name(&o.CertsOnly, "certs-only"),
		"pem":        name(&o.PEM, "pem"),
		"jks":        name(&o.JKS, "jks"),
		"pkcs12":     name(&o.PKCS12, "pkcs12"),
		"cisco":      into(&o.Cisco, boolean, "cisco"),
		"previous":   into(&o.Previous, text, "previous"),
	})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, name := range append([]string{o.Signed, o.CertsOnly, o.PEM, o.JKS, o.PKCS12}, o.sideFiles()...) {
		if name != "" && seen[strings.ToLower(name)] {
			return errAt(at(n), "two outputs are called %s", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// check looks at what the parts say of each other.
func (r *Recipe) check(root Position) error {
	switch {
	case len(r.Sources) == 0:
		return errAt(root, "no sources")
	case r.Set.At == Position{}:
		return errAt(root, "no set: say which sources make the bundle, for example set: {union: [%s]}", strings.Join(r.sourceNames(), ", "))
	case r.Outputs == Outputs{Previous: r.Outputs.Previous, Cisco: r.Outputs.Cisco}:
		return errAt(root, "no outputs")
	case r.Outputs.Previous != "" && !r.Outputs.Cisco:
		return errAt(root, "outputs has previous, which only the files of cisco compare to")
	case r.Outputs.Signed != "" && r.Signer == nil:
		return errAt(root, "outputs has signed, but there is no signer")
	case r.Signer != nil && r.Outputs.Signed == "":
		return errAt(r.Signer.At, "a signer, but outputs has no signed")
	case r.Outputs.Cisco && r.Outputs.Signed == "" && r.Outputs.CertsOnly == "":
		return errAt(root, "outputs has cisco, but no bundle to stand beside")
	case isURL(r.Outputs.Previous):
		return errAt(root, "outputs has a previous that is a URL: it is not pinned")
	case (r.Outputs.Signed != "" || r.Outputs.Cisco) && (r.Name == "" || r.Version == ""):
		return errAt(root, "outputs has signed or cisco: the bundle needs a name and a version")
	}
	used := map[string]int{}
	if err := r.checkSet(r.Set, used); err != nil {
		return err
	}
	for _, name := range r.sourceNames() {
		if used[name] == 0 {
			return errAt(r.Sources[name].At, "the source %s is in no set", name)
		}
	}
	return nil
}

// checkSet counts how often the set names each source.
func (r *Recipe) checkSet(s Set, used map[string]int) error {
	if s.Source != "" {
		if r.Sources[s.Source] == nil {
			return errAt(s.At, "no source is called %q: there are %s", s.Source, strings.Join(r.sourceNames(), ", "))
		}
		if used[s.Source]++; used[s.Source] > maxMentions {
			return errAt(s.At, "the set names %s more than %d times", s.Source, maxMentions)
		}
		return nil
	}
	operands := s.operands()
	if len(operands) == 0 {
		return errAt(s.At, "an empty set")
	}
	for _, o := range operands {
		if err := r.checkSet(o, used); err != nil {
			return err
		}
	}
	return nil
}

func (s *Set) operands() []Set { return slices.Concat(s.Union, s.Intersect, s.Minus) }

func (r *Recipe) sourceNames() []string {
	var names []string
	for name := range r.Sources {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// hashNames are the hashes that signature-hashes may name.
var hashNames = []string{"sha256", "sha384", "sha512", "sha1", "md5"}

// maxClaim is how long signing lets a name or a version be.
const maxClaim = 128

var (
	claimPattern  = regexp.MustCompile(`^[A-Za-z0-9 '()+,\-./:=?]+$`)
	outputPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9._+\-]*$`)
)

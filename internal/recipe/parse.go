package recipe

import (
	"maps"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"trustpool/bundle/certificate"
	"trustpool/internal/fetch"
	"trustpool/internal/report"
	"trustpool/internal/yamlstrict"
	"trustpool/roots"
)

// Parse reads a recipe. Unknown fields, a second document and words that YAML may
// misread are errors, *yamlstrict.SyntaxError with line and column. It opens no source.
func Parse(data []byte) (*Recipe, error) {
	root, err := yamlstrict.Document(data)
	if err != nil {
		return nil, err
	}
	r := &Recipe{Order: OrderInput, Sources: map[string]*Source{}}
	schema := ""
	err = yamlstrict.Mapping(root, "the recipe", map[string]field{
		"schema":           yamlstrict.Into(&schema, yamlstrict.Text, "schema"),
		"bundle":           r.readBundle,
		"sources":          r.readSources,
		"set":              yamlstrict.Into(&r.Set, readSet, "a set"),
		"filter":           r.readFilter,
		"require":          yamlstrict.Into(&r.Require, readPins, "require"),
		"include":          yamlstrict.Into(&r.Include, readPins, "include"),
		"exclude":          yamlstrict.Into(&r.Exclude, readPins, "exclude"),
		"allow-distrusted": yamlstrict.Into(&r.Distrusted, readPins, "allow-distrusted"),
		"signer":           r.readSigner,
		"outputs":          r.readOutputs,
	})
	if err != nil {
		return nil, err
	}
	if schema != Schema {
		return nil, yamlstrict.ErrorAt(yamlstrict.At(root), "schema is to be %s, not %q", Schema, schema)
	}
	if err := r.check(yamlstrict.At(root)); err != nil {
		return nil, err
	}
	return r, nil
}

func (r *Recipe) readBundle(n *yaml.Node) error {
	return yamlstrict.Mapping(n, "bundle", map[string]field{
		"name":    yamlstrict.Into(&r.Name, claim, "name"),
		"version": yamlstrict.Into(&r.Version, claim, "version"),
		"order": func(n *yaml.Node) error {
			s, err := yamlstrict.Text(n, "order")
			r.Order = Order(s)
			if err == nil && !slices.Contains([]Order{OrderInput, OrderDER, OrderSHA256, OrderSubject}, r.Order) {
				err = yamlstrict.ErrorAt(yamlstrict.At(n), "order is to be input, der, sha256 or subject, not %q", s)
			}
			return err
		},
	})
}

// claim reads what Cisco's attributes can hold (X.680 section 41.4).
func claim(n *yaml.Node, what string) (string, error) {
	s, err := yamlstrict.Text(n, what)
	if err == nil && (len(s) > maxClaim || !only(s, " '()+,-./:=?")) {
		err = yamlstrict.ErrorAt(yamlstrict.At(n), "%s is to be at most %d of A-Z, a-z, 0-9, space and '()+,-./:=?", what, maxClaim)
	}
	return s, err
}

func (r *Recipe) readSources(n *yaml.Node) error {
	return yamlstrict.EachKey(n, "sources", func(name string, k, v *yaml.Node) error {
		if len(r.Sources) == maxSources {
			return yamlstrict.ErrorAt(yamlstrict.At(k), "more than %d sources: files takes a list, and patterns", maxSources)
		}
		s, err := readSource(v)
		r.Sources[name] = s
		return err
	})
}

func readSource(n *yaml.Node) (*Source, error) {
	s := &Source{At: yamlstrict.At(n)}
	kind := func(k Kind, read func(*yaml.Node) error) field {
		return func(n *yaml.Node) error {
			if s.Kind != "" {
				return yamlstrict.ErrorAt(yamlstrict.At(n), "a source is one of files, bundle, certdata, ccadb, system, url; this is %s and %s", s.Kind, k)
			}
			s.Kind = k
			return read(n)
		}
	}
	path := func(n *yaml.Node) error {
		p, err := yamlstrict.Text(n, "a path")
		s.Paths = []string{p}
		return err
	}
	err := yamlstrict.Mapping(n, "a source", map[string]field{
		"files":    kind(KindFiles, yamlstrict.Into(&s.Paths, yamlstrict.Texts, "files")),
		"bundle":   kind(KindBundle, path),
		"certdata": kind(KindCertdata, path),
		"ccadb":    kind(KindCCADB, path),
		"url":      kind(KindURL, path),
		"system": kind(KindSystem, func(n *yaml.Node) error {
			yes, err := yamlstrict.Boolean(n, "system")
			if err == nil && !yes {
				err = yamlstrict.ErrorAt(yamlstrict.At(n), "system is to be true, or not there")
			}
			return err
		}),
		"sha256": yamlstrict.Into(&s.SHA256, yamlstrict.SHA256, "sha256"),
		"root":   yamlstrict.Into(&s.Anchors, yamlstrict.Texts, "root"),
		"purpose": func(n *yaml.Node) (err error) {
			s.Purpose, err = oneOf(n, "purpose", roots.Purposes(), "no purpose is called %q: there are "+report.Joined(roots.Purposes()))
			return err
		},
	})
	switch {
	case err != nil:
		return nil, err
	case s.Kind == "":
		return nil, yamlstrict.ErrorAt(s.At, "a source is one of files, bundle, certdata, ccadb, system, url; this is none")
	case s.Anchors != nil && s.Kind != KindBundle:
		return nil, yamlstrict.ErrorAt(s.At, "root is for a bundle, which is verified; this source is %s", s.Kind)
	case s.Purpose != nil && s.Kind != KindCertdata && s.Kind != KindCCADB:
		return nil, yamlstrict.ErrorAt(s.At, "purpose is for certdata and ccadb, which state it; this source is %s", s.Kind)
	case s.Purpose == nil && (s.Kind == KindCertdata || s.Kind == KindCCADB):
		return nil, yamlstrict.ErrorAt(s.At, "a %s source needs a purpose: %s", s.Kind, report.Joined(roots.Purposes()))
	case s.Kind == KindURL && !strings.HasPrefix(s.Paths[0], "http://") && !strings.HasPrefix(s.Paths[0], "https://"):
		return nil, yamlstrict.ErrorAt(s.At, "url is to begin with http:// or https://")
	case slices.ContainsFunc(s.Paths, fetch.IsURL) && s.SHA256 == nil:
		return nil, yamlstrict.ErrorAt(s.At, "a URL needs its sha256: what comes from the network is pinned")
	case slices.ContainsFunc(s.Anchors, fetch.IsURL):
		return nil, yamlstrict.ErrorAt(s.At, "root is a URL: what is trusted is not fetched")
	}
	return s, nil
}

// oneOf reads a text or a list of them, each of which is to be one of all. what is the field, and refusal the error, with a verb for the text.
func oneOf[T ~string](n *yaml.Node, what string, all []T, refusal string) (out []T, err error) {
	names, err := yamlstrict.Texts(n, what)
	for _, name := range names {
		if err == nil && !slices.Contains(all, T(name)) {
			err = yamlstrict.ErrorAt(yamlstrict.At(n), refusal, name)
		}
		out = append(out, T(name))
	}
	return out, err
}

func readSet(n *yaml.Node, what string) (Set, error) {
	s := Set{At: yamlstrict.At(n)}
	if n.Kind == yaml.ScalarNode {
		var err error
		s.Source, err = yamlstrict.Text(n, "the name of a source")
		return s, err
	}
	operation := func(o Operation) field {
		return func(n *yaml.Node) (err error) {
			if s.Operation != "" {
				return yamlstrict.ErrorAt(yamlstrict.At(n), "a set is one of union, intersect, minus")
			}
			s.Operation = o
			s.Operands, err = yamlstrict.List(n, string(o), func(c *yaml.Node) (Set, error) { return readSet(c, what) })
			if err == nil && len(s.Operands) == 0 {
				err = yamlstrict.ErrorAt(yamlstrict.At(n), "%s of nothing", o)
			}
			return err
		}
	}
	err := yamlstrict.Mapping(n, what, map[string]field{"union": operation(Union), "intersect": operation(Intersect), "minus": operation(Minus)})
	return s, err
}

func (r *Recipe) readFilter(n *yaml.Node) error {
	f := &r.Filter
	err := yamlstrict.Mapping(n, "filter", map[string]field{
		"valid-at":     yamlstrict.Into(&f.ValidAt, yamlstrict.Time, "valid-at"),
		"valid-for":    yamlstrict.Into(&f.ValidFor, yamlstrict.Duration, "valid-for"),
		"min-rsa-bits": yamlstrict.Into(&f.MinRSABits, yamlstrict.Number, "min-rsa-bits"),
		"min-ec-bits":  yamlstrict.Into(&f.MinECBits, yamlstrict.Number, "min-ec-bits"),
		"signature-hashes": func(n *yaml.Node) (err error) {
			f.SignatureHashes, err = oneOf(n, "signature-hashes", hashNames, "no hash is called %q: there are "+strings.Join(hashNames, ", "))
			return err
		},
		"without-quirks": func(n *yaml.Node) (err error) {
			f.WithoutQuirks, err = oneOf(n, "without-quirks", certificate.Quirks(), "no quirk is called %q: docs/formats.md lists them")
			return err
		},
		"ca-only": yamlstrict.Into(&f.CAOnly, yamlstrict.Boolean, "ca-only"),
	})
	if err == nil && f.ValidFor != 0 && f.ValidAt.IsZero() {
		err = yamlstrict.ErrorAt(yamlstrict.At(n), "valid-for counts from valid-at, which is missing")
	}
	return err
}

// readPins reads a list of pins. Those that exclude may have an end, and all but those that require have a reason.
func readPins(n *yaml.Node, what string) ([]Pin, error) {
	return yamlstrict.List(n, what, func(c *yaml.Node) (Pin, error) {
		p := Pin{At: yamlstrict.At(c)}
		fields := map[string]field{
			"sha256": yamlstrict.Into(&p.SHA256, yamlstrict.SHA256, "sha256"),
			"spki":   yamlstrict.Into(&p.SPKI, yamlstrict.SHA256, "spki"),
			"reason": yamlstrict.Into(&p.Reason, yamlstrict.Text, "reason"),
		}
		if what == "exclude" {
			fields["until"] = yamlstrict.Into(&p.Until, yamlstrict.Time, "until")
		}
		err := yamlstrict.Mapping(c, what, fields)
		switch {
		case err != nil:
		case (p.SHA256 == nil) == (p.SPKI == nil):
			err = yamlstrict.ErrorAt(p.At, "%s takes either sha256 or spki", what)
		case what != "require" && p.Reason == "":
			err = yamlstrict.ErrorAt(p.At, "%s needs a reason", what)
		}
		return p, err
	})
}

func (r *Recipe) readSigner(n *yaml.Node) error {
	s := &Signer{At: yamlstrict.At(n)}
	r.Signer = s
	err := yamlstrict.Mapping(n, "signer", map[string]field{
		"key":         yamlstrict.Into(&s.Key, yamlstrict.Text, "key"),
		"certificate": yamlstrict.Into(&s.Certificate, yamlstrict.Text, "certificate"),
		"chain":       yamlstrict.Into(&s.Chain, yamlstrict.Text, "chain"),
	})
	switch {
	case err != nil:
		return err
	case s.Key == "":
		return yamlstrict.ErrorAt(s.At, "signer needs a key: a file, exec:COMMAND or a pkcs11: URI")
	case s.Chain != "" && s.Certificate == "":
		return yamlstrict.ErrorAt(s.At, "signer has a chain, and no certificate")
	case fetch.IsURL(s.Certificate) || fetch.IsURL(s.Chain):
		return yamlstrict.ErrorAt(s.At, "signer has a URL: certificates to sign with are not fetched")
	}
	return nil
}

func (r *Recipe) readOutputs(n *yaml.Node) error {
	o := &r.Outputs
	name := func(to *string, what string) field {
		return func(n *yaml.Node) error {
			s, err := yamlstrict.Text(n, what)
			*to = s
			if err == nil && (!only(s, "._+-") || strings.ContainsAny(s[:1], ".+-")) {
				err = yamlstrict.ErrorAt(yamlstrict.At(n), "%s: %q is to be the plain name of a file: letters, digits and . _ + -, without a directory", what, s)
			}
			return err
		}
	}
	err := yamlstrict.Mapping(n, "outputs", map[string]field{
		"signed":     name(&o.Signed, "signed"),
		"certs-only": name(&o.CertsOnly, "certs-only"),
		"pem":        name(&o.PEM, "pem"),
		"jks":        name(&o.JKS, "jks"),
		"pkcs12":     name(&o.PKCS12, "pkcs12"),
		"cisco":      yamlstrict.Into(&o.Cisco, yamlstrict.Boolean, "cisco"),
		"previous":   yamlstrict.Into(&o.Previous, yamlstrict.Text, "previous"),
	})
	if err != nil {
		return err
	}
	seen := map[string]bool{}
	for _, name := range append([]string{o.Signed, o.CertsOnly, o.PEM, o.JKS, o.PKCS12}, o.sideFiles()...) {
		if name != "" && seen[strings.ToLower(name)] {
			return yamlstrict.ErrorAt(yamlstrict.At(n), "two outputs are called %s", name)
		}
		seen[strings.ToLower(name)] = true
	}
	return nil
}

// check looks at what the parts say of each other.
func (r *Recipe) check(root Position) error {
	switch {
	case len(r.Sources) == 0:
		return yamlstrict.ErrorAt(root, "no sources")
	case r.Set.At == Position{}:
		return yamlstrict.ErrorAt(root, "no set: say which sources make the bundle, for example set: {union: [%s]}", strings.Join(r.sourceNames(), ", "))
	case r.Outputs == Outputs{Previous: r.Outputs.Previous, Cisco: r.Outputs.Cisco}:
		return yamlstrict.ErrorAt(root, "no outputs")
	case r.Outputs.Previous != "" && !r.Outputs.Cisco:
		return yamlstrict.ErrorAt(root, "outputs has previous, which only the files of cisco compare to")
	case r.Outputs.Signed != "" && r.Signer == nil:
		return yamlstrict.ErrorAt(root, "outputs has signed, but there is no signer")
	case r.Signer != nil && r.Outputs.Signed == "":
		return yamlstrict.ErrorAt(r.Signer.At, "a signer, but outputs has no signed")
	case r.Outputs.Cisco && r.Outputs.Signed == "" && r.Outputs.CertsOnly == "":
		return yamlstrict.ErrorAt(root, "outputs has cisco, but no bundle for it to be beside")
	case fetch.IsURL(r.Outputs.Previous):
		return yamlstrict.ErrorAt(root, "outputs has a previous that is a URL: it is not pinned")
	case (r.Outputs.Signed != "" || r.Outputs.Cisco) && (r.Name == "" || r.Version == ""):
		return yamlstrict.ErrorAt(root, "outputs has signed or cisco: the bundle needs a name and a version")
	}
	used := map[string]int{}
	if err := r.checkSet(r.Set, used); err != nil {
		return err
	}
	for _, name := range r.sourceNames() {
		if used[name] == 0 {
			return yamlstrict.ErrorAt(r.Sources[name].At, "the source %s is in no set", name)
		}
	}
	return nil
}

// checkSet counts how often the set names each source.
func (r *Recipe) checkSet(s Set, used map[string]int) error {
	if s.Source != "" {
		if r.Sources[s.Source] == nil {
			return yamlstrict.ErrorAt(s.At, "no source is called %q: there are %s", s.Source, strings.Join(r.sourceNames(), ", "))
		}
		if used[s.Source]++; used[s.Source] > maxMentions {
			return yamlstrict.ErrorAt(s.At, "the set names %s more than %d times", s.Source, maxMentions)
		}
		return nil
	}
	if len(s.Operands) == 0 {
		return yamlstrict.ErrorAt(s.At, "an empty set")
	}
	for _, o := range s.Operands {
		if err := r.checkSet(o, used); err != nil {
			return err
		}
	}
	return nil
}

func (r *Recipe) sourceNames() []string { return slices.Sorted(maps.Keys(r.Sources)) }

// hashNames are the hashes that signature-hashes may name.
var hashNames = []string{"sha256", "sha384", "sha512", "sha1", "md5"}

// maxClaim is how long signing lets a name or a version be.
const maxClaim = 128

// only reports whether text is of letters and digits of ASCII, and some other characters.
func only(s, others string) bool {
	return strings.Trim(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"+others) == ""
}

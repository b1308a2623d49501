package pages

import (
	"bytes"
	"io"
	"net/http"
	"strings"

	"trustpool/bundle"
	"trustpool/internal/device"
	"trustpool/internal/device/config"
	"trustpool/internal/hosting"
	"trustpool/internal/inspect"
)

// Media types of derived files. The certificates' are those of RFC 5751, 7468 and 2585.
const (
	typeP7B  = "application/x-pkcs7-certificates"
	typePEM  = "application/x-pem-file"
	typeDER  = "application/pkix-cert"
	typeCSV  = "text/csv; charset=utf-8"
	typeJSON = "application/json"
	typeText = "text/plain; charset=utf-8"
	typeYAML = "application/yaml"
	typeMD   = "text/markdown; charset=utf-8"
	typeAny  = "application/byte-stream"
)

// file answers for what is derived from versions:
//
//	compare.txt, .md, .json?from=…&to=…         a change
//	commands/PLATFORM.txt, .json, .yml?bundle=… what to type
//	NAME/ID/NAME-unsigned.p7b, NAME.pem, .csv, .json
//	NAME/ID/SHA256.pem, .der                    a certificate
func (p *Pages) file(q *request, parts []string) (*response, error) {
	switch len(parts) {
	case 1:
		return p.compareFile(q, parts[0])
	case 2:
		if platform, ok := strings.CutPrefix(strings.Join(parts, "/"), "commands/"); ok {
			return p.commandsFile(q, platform)
		}
	case 3:
		v, err := find(q.catalog, parts[0], parts[1])
		if err != nil {
			return nil, err
		}
		if rest, ok := strings.CutPrefix(parts[2], v.entry.Name); ok {
			if a, err := p.bundleFile(q, v, rest); a != nil || err != nil {
				return a, err
			}
		}
		return q.certificateFile(v, parts[2])
	}
	return nil, notFound("There is no such file.")
}

// made is an answer that a browser saves under a name, or shows if that is empty.
func made(contentType, name string, write func(io.Writer) error) (*response, error) {
	var b bytes.Buffer
	if err := write(&b); err != nil {
		return nil, err
	}
	return &response{http.StatusOK, contentType, name, askFirst, b.Bytes()}, nil
}

// weigh takes a slot for what is made of large versions.
func (p *Pages) weigh(q *request, versions ...version) error {
	content := 0
	for _, v := range versions {
		content += v.release.Size
	}
	if content > largeBytes && !q.taken.take(p.large) {
		return problem{http.StatusServiceUnavailable, "Too many large files are asked for at a time. Try again in some seconds."}
	}
	return nil
}

// bundleFile is another form of a version; nil if there is no such form.
func (p *Pages) bundleFile(q *request, v version, form string) (*response, error) {
	// The name under which it is saved says which version it is.
	name := v.entry.Name + "-" + v.id() + form
	if err := p.weigh(q, v); err != nil {
		return nil, err
	}
	b, err := q.parsed(v)
	if err != nil {
		return nil, err
	}
	r, err := q.open(v)
	if err != nil {
		return nil, err
	}
	report := inspect.Report{File: v.entry.FileName(), Bundle: b, Signature: q.pages.o.Judge(r)}
	report.Signature.File = report.File
	switch form {
	case "-unsigned.p7b":
		data, err := bundle.EncodeCertsOnly(hosting.Decoded(b))
		if err != nil {
			return nil, err
		}
		return &response{http.StatusOK, typeP7B, name, askFirst, data}, nil
	case ".pem":
		return made(typePEM, name, report.WritePEM)
	case ".csv":
		return made(typeCSV, name, report.WriteCSV)
	case ".json":
		return made(typeJSON, name, report.WriteJSON)
	}
	return nil, nil
}

func (q *request) certificateFile(v version, name string) (*response, error) {
	digits, form, _ := strings.Cut(name, ".")
	if form != "pem" && form != "der" {
		return nil, notFound("There is no such file.")
	}
	c, _, err := q.findCertificate(v, digits)
	if err != nil {
		return nil, err
	}
	switch {
	case form == "pem" && c.Err != nil:
		return nil, notFound("This entry is not a certificate: there is no PEM of it.")
	case form == "pem":
		return &response{http.StatusOK, typePEM, name, askFirst, certificatePEM(c)}, nil
	case c.Err != nil:
		return &response{http.StatusOK, typeAny, name, askFirst, c.Raw}, nil
	}
	return &response{http.StatusOK, typeDER, name, askFirst, c.Raw}, nil
}

func (p *Pages) compareFile(q *request, name string) (*response, error) {
	form, ok := strings.CutPrefix(name, "compare.")
	if !ok || form != "txt" && form != "md" && form != "json" {
		return nil, notFound("There is no such file.")
	}
	from, to, err := q.sides()
	if err != nil {
		return nil, err
	}
	if from == nil {
		return nil, bad("from and to are to name two versions.")
	}
	if err := p.weigh(q, *from, *to); err != nil {
		return nil, err
	}
	d, err := q.compare(*from, *to)
	if err != nil {
		return nil, err
	}
	changes := inspect.Diff{Diff: d}
	switch form {
	case "txt":
		return made(typeText, "", changes.WriteText)
	case "md":
		return made(typeMD, "", changes.WriteMarkdown)
	}
	return made(typeJSON, "", changes.WriteJSON)
}

func (p *Pages) commandsFile(q *request, name string) (*response, error) {
	name, form, _ := strings.Cut(name, ".")
	platform, err := device.Lookup(name)
	if err != nil || platform.Name != name {
		return nil, notFound("No platform has that name.")
	}
	o, _, err := q.options()
	if err != nil {
		return nil, err
	}
	o.Platform = platform
	s, err := config.New(o)
	if err != nil {
		return nil, bad("%s", err)
	}
	var a *response
	switch {
	case form == "txt":
		a, err = made(typeText, "", s.WriteText)
	case form == "json":
		a, err = made(typeJSON, "", s.WriteJSON)
	case form == "yml" && playbook(platform):
		a, err = made(typeYAML, "", s.WritePlaybook)
	default:
		return nil, notFound("There is no such file.")
	}
	if err != nil {
		return nil, err
	}
	a.caching = private // it has the name in it under which the reader came
	return a, nil
}

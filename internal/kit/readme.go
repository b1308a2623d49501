package kit

import (
	_ "embed"
	"io"
	"path"
	"slices"
	"strings"
	"text/template"

	"trustpool/internal/report"
	"trustpool/roots"
)

// builtIn reports whether receivers trust an anchor without being told to.
func builtIn(a anchorID) bool {
	return slices.ContainsFunc(roots.BuiltIn(), func(b roots.Anchor) bool { return pin(b).SHA256 == a.SHA256 })
}

// since names the bundle that the changes are from. Nothing in a kit proves its
// version, so only what looks like one is repeated: any other text in a README of
// trustpool's would be taken for trustpool's.
func (c *changes) since() string {
	if v := c.Version; v != "" && len(v) <= maxVersion && strings.Trim(v, "0123456789.") == "" {
		return "version " + v
	}
	return "the bundle that it was compared with"
}

// maxVersion is how many characters of a version README.txt repeats.
const maxVersion = 20

//go:embed readme.txt
var readmeText string

// readme tells the person who receives a kit what to do.
func readme(m *Manifest, paths []string, signed bool) content {
	kit := struct {
		Bundles             []Entry
		Signed, Commands    bool
		Root, Program, Read string // an option, a path, directories
	}{Bundles: m.Bundles, Signed: signed}
	if slices.ContainsFunc(m.Bundles, func(e Entry) bool { return !builtIn(e.Verification.Anchor) }) {
		kit.Root = " --root BUNDLES.pem"
	}
	has := map[string]bool{}
	for _, p := range paths {
		has[path.Dir(p)] = true
		if strings.HasPrefix(p, programDir) {
			kit.Program = p
		}
	}
	kit.Commands = has["commands"]
	var read []string
	for _, dir := range []string{"audit", "changes"} {
		if has[dir] {
			read = append(read, dir+"/")
		}
	}
	kit.Read = strings.Join(read, " and ")
	functions := template.FuncMap{"printable": report.Printable, "count": report.Count, "since": (*changes).since}
	text := template.Must(template.New(readmeFile).Funcs(functions).Parse(readmeText))
	return func(w io.Writer) error { return text.Execute(w, kit) }
}
